"""What ``reliability YEAR --out DIR`` writes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmethod.cli.output import _figure, _json, csv, write_folder

if TYPE_CHECKING:
    from perfmethod.cli.reliability import Found

__all__ = ["write"]


def write(folder: Path, found: Found, lang: str) -> None:
    """Write every table and figure into a folder, all of them or none."""
    study = found.study
    files: dict[str, Any] = {
        "components.csv": csv(study.to_frame(), index=True),
        "decision.csv": csv(study.study()),
        "coefficients.csv": csv(found.coefficients),
        "components.png": _figure(partial(study.plot, "components", lang=lang)),
        "reliability.png": _figure(partial(study.plot, "study", lang=lang)),
        **_grades(found, lang),
        **_screening(found, lang),
        **_severity(found, lang),
        **_weighted(found, lang),
    }
    if found.plan is not None:
        files["design.csv"] = csv(found.plan.to_frame())
    meta = {name: value for name, value in study.meta.items() if name not in ("random", "fixed")}
    meta |= {} if found.risk is None else dict(found.risk.meta)
    if found.shares is not None:
        meta["shares"] = {"file": found.shares.file, "sha256": found.shares.digest}
    write_folder(folder, {**files, "meta.json": _json({**meta, "notes": list(found.notes)})})


def _grades(found: Found, lang: str) -> dict[str, Any]:
    files: dict[str, Any] = {}
    if found.risk is not None:
        files["grade_risk.csv"] = csv(found.risk.to_frame(), index=True)
        files["rank_intervals.png"] = _figure(partial(found.risk.plot, lang=lang))
    if found.more is not None:
        files["risk_by_ballots.csv"] = csv(found.more, index=True)
    return files


def _screening(found: Found, lang: str) -> dict[str, Any]:
    screening = found.screening
    files: dict[str, Any] = {
        "flags.csv": csv(screening.to_frame()),
        "unanswered.csv": csv(screening.unanswered),
    }
    if len(screening.flags):
        files["flags.png"] = _figure(partial(screening.plot, "flags", lang=lang))
    if (screening.flags["kind"] == "burst").any():
        files["timeline.png"] = _figure(partial(screening.plot, "timeline", lang=lang))
    if found.aside is not None:
        files["without_flagged.csv"] = csv(found.aside, index=True)
    return files


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
