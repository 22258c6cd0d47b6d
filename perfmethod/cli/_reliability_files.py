"""What ``reliability YEAR --out DIR`` writes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmethod.cli._say import _names
from perfmethod.cli.output import _figure, _json, csv, write_folder

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.cli.reliability import Found
    from perfmethod.screening import Screening
    from perfmethod.year import Year

__all__ = ["write"]


def write(folder: Path, found: Found, year: Year, lang: str) -> None:
    """Write every table and figure into a folder, all of them or none."""
    files: dict[str, Any] = {
        **_study(found, lang),
        **_grades(found, lang),
        **_screening(found, year, lang),
        **_severity(found, lang),
        **_weighted(found, lang),
    }
    if found.plan is not None:
        files["design.csv"] = csv(found.plan.to_frame())
    if found.coefficients is not None:
        files["coefficients.csv"] = csv(found.coefficients)
    meta: dict[str, Any] = {}
    if (study := found.study) is not None:
        meta = {name: value for name, value in study.meta.items()
                if name not in ("random", "fixed")} | {"interval": study.told()}  # fmt: skip
    meta |= {} if found.risk is None else dict(found.risk.meta)
    if found.shares is not None:
        meta["shares"] = {"file": found.shares.file, "sha256": found.shares.digest}
    write_folder(folder, {**files, "meta.json": _json({**meta, "notes": list(found.notes)})})


def _study(found: Found, lang: str) -> dict[str, Any]:
    study = found.study
    if study is None:
        return {}
    return {
        "components.csv": csv(study.to_frame(lang=lang), index=True),
        "decision.csv": csv(study.study(lang=lang)),
        "components.png": _figure(partial(study.plot, "components", lang=lang)),
        "reliability.png": _figure(partial(study.plot, "study", lang=lang)),
    }


def _grades(found: Found, lang: str) -> dict[str, Any]:
    files: dict[str, Any] = {}
    if found.risk is not None:
        files["grade_risk.csv"] = csv(_measured(found.risk.to_frame()), index=True)
        files["rank_intervals.png"] = _figure(partial(found.risk.plot, lang=lang))
    if found.more is not None:
        files["risk_by_ballots.csv"] = csv(_measured(found.more), index=True)
    return files


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    """Without the column of what is not measured where that is nothing."""
    return table if table["unmeasured_weight"].any() else table.drop(columns="unmeasured_weight")


def _screening(found: Found, year: Year, lang: str) -> dict[str, Any]:
    screening = found.screening
    named = spoken(screening, year, lang)
    files: dict[str, Any] = {
        "flags.csv": csv(screening.shown()),
        "unanswered.csv": csv(screening.unanswered),
    }
    if len(screening.flags):
        files["flags.png"] = _figure(partial(named.plot, "flags", lang=lang))
    if (screening.flags["kind"] == "burst").any():
        files["timeline.png"] = _figure(partial(named.plot, "timeline", lang=lang))
    if found.aside is not None:
        from perfmethod.survey.disclosure import count_text

        least = screening.min_cell  # rounded: other tables tell of the same ballots
        aside = [count_text(int(n), least) for n in found.aside["set_aside"]]
        files["without_flagged.csv"] = csv(found.aside.assign(set_aside=aside), index=True)
    return files


def spoken(screening: Screening, year: Year, lang: str) -> Screening:
    """The same flags with names of units, categories and modes instead of their codes."""
    survey, units = year.scheme.document["survey"], _names(year, lang)
    names: dict[str, dict[str, str]] = {"unit": units}
    for column, part in (("category", "categories"), ("mode", "modes")):
        names[column] = {
            code: year.scheme.name(f"survey.{part}.{code}", lang) for code in survey.get(part, {})
        }
    flags = screening.flags.copy()
    for column, known in names.items():
        flags[column] = [known.get(code, code) for code in flags[column]]
    timeline = screening._timeline.assign(
        unit=[units.get(code, code) for code in screening._timeline["unit"]]
    )
    return replace(screening, flags=flags, _timeline=timeline)


def _severity(found: Found, lang: str) -> dict[str, Any]:
    severity = found.severity
    if severity is None:
        return {}
    raters = severity.raters.drop(columns=["raters", "suppressed"]).add_prefix("raters_")
    units = severity.units if found.adjusted is None else severity.units.join(
        found.adjusted.rename(columns={"rank": "rank_total", "rank_adjusted": "rank_total_adjusted",
                                       "rank_change": "rank_total_change"})
    )  # fmt: skip
    files: dict[str, Any] = {
        "severity.csv": csv(severity.categories.join(raters), index=True),
        "adjusted_scores.csv": csv(units, index=True),
        "units.png": _figure(partial(severity.plot, "units", lang=lang)),
    }
    if not severity.categories["suppressed"].all():
        files["severity.png"] = _figure(partial(severity.plot, "categories", lang=lang))
    if found.opinion is not None:
        files["second_opinion.csv"] = csv(found.opinion.to_frame(), index=True)
        files["second_opinion.png"] = _figure(partial(found.opinion.plot, "units", lang=lang))
    return files


def _weighted(found: Found, lang: str) -> dict[str, Any]:
    weighted = found.weighted
    if weighted is None:
        return {}
    units = weighted.units.assign(name=weighted.names(lang))
    return {
        "weighted.csv": csv(weighted.scores),
        "weighted_units.csv": csv(units, index=True),
        "weighted_shares.csv": csv(weighted.targets),
        "weighted.png": _figure(partial(weighted.plot, "change", lang=lang)),
        "design_effects.png": _figure(partial(weighted.plot, "effects", lang=lang)),
    }
