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
    }
    if found.plan is not None:
        files["design.csv"] = csv(found.plan.to_frame())
    meta = {name: value for name, value in study.meta.items() if name not in ("random", "fixed")}
    meta |= {} if found.risk is None else dict(found.risk.meta)
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
