"""What ``reliability YEAR`` says of the severity of raters, and of the weighted review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perfmethod.cli._say import _names
from perfmethod.display import show
from perfmethod.frames import rows

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.cli.reliability import Found
    from perfmethod.scoring import Evaluation
    from perfmethod.severity import Severity
    from perfmethod.year import Year

__all__ = ["say_severity", "say_weighted"]

_CHANCE = 0.05  # of a 95 % interval to leave out a change of 0


def say_severity(year: Year, found: Found, said: Mapping[str, str], lang: str) -> None:
    """Categories at the ends, what changes without severity, and the second opinion."""
    severity = found.severity
    if severity is None:
        return
    _say_categories(severity, year, said, lang)
    units = severity.units
    places = (units["rank_raw"] - units["rank_adjusted"]).abs()
    print(said["places"].format(int((places > 0).sum()), len(units), int(places.max())))
    if found.adjusted is not None:
        _say_changes(found.adjusted, "adjusted", (year, said, lang))
    _say_opinion(found, said)
    for note in _notes(severity, found, said):
        print(said["note"].format(note))


def _say_categories(severity: Severity, year: Year, said: Mapping[str, str], lang: str) -> None:
    table = severity.categories[~severity.categories["suppressed"]].sort_values("severity")
    spread = (
        "–" if table.empty else show(float(table["severity"].iloc[-1] - table["severity"].iloc[0]))
    )
    sd = (show(x) for x in (severity.rater_sd, severity.rater_lower, severity.rater_upper))
    told = severity.fits.fixed_units.interval("rater", severity.level, lang=lang)[2]
    print(said["severity"].format(show(100 * severity.level, 0), spread, *sd, told))
    if table.empty:
        print(said["hidden"])
    for row in rows(table.iloc[[0, -1]].reset_index() if len(table) > 1 else table.reset_index()):
        name = year.scheme.name(f"survey.categories.{row.category}", lang)
        numbers = (show(x) for x in (row.severity, row.lower, row.upper))
        print(said["end"].format(row.category, name, *numbers))


def _say_changes(
    units: pd.DataFrame, version: str, about: tuple[Year, Mapping[str, str], str]
) -> None:
    """Ranks and grades that change in the totals, and which grades."""
    year, said, lang = about
    graded = "grade_changes" in units
    changed = units[units["grade_changes"]] if graded else units[:0]
    number: object = len(changed) if graded else "–"
    print(said["totals"].format(int((units["rank_change"] != 0).sum()), number))
    names = _names(year, lang)
    for unit, before, after in zip(
        changed.index, changed.get("grade", []), changed.get(f"grade_{version}", []), strict=True
    ):
        told = [year.scheme.name(f"grades.levels.{level}", lang) for level in (after, before)]
        print(said["change"].format(unit, names.get(str(unit), ""), *told))


def _say_opinion(found: Found, said: Mapping[str, str]) -> None:
    opinion = found.opinion
    if opinion is None:
        return
    least = show(float(opinion.agreement["spearman"].min()), 3)
    model = said["model"].format(opinion.fit.model)
    print(said["opinion"].format(model, least, opinion.most_places))
    if opinion.grades is not None:
        print(said["opinions"].format(len(opinion.changed("fair", "adjusted"))))


def _notes(severity: Severity, found: Found, said: Mapping[str, str]) -> list[str]:
    notes = [said["empty"].format(category) for category in severity.empty]
    sets = len(severity.connection.by_raters)
    if sets > 1:
        notes.append(said["apart"].format(sets))
    if not severity.converged:
        notes.append(said["stopped"].format(said["of_severity"]))
    if found.opinion is not None and not found.opinion.fit.converged:
        notes.append(said["stopped"].format(said["of_opinion"]))
    return notes


def say_weighted(evaluation: Evaluation, found: Found, said: Mapping[str, str], lang: str) -> None:
    """Design effects, and what changes with the shares."""
    weighted, shares = found.weighted, found.shares
    if weighted is None or shares is None:
        return
    deff, units = weighted.scores["deff"], weighted.units
    parts = deff.median(), deff.min(), deff.max(), weighted.scores["deff_weighting"].median()
    print(said["weighted"].format(shares.file, *(show(float(x), 1) for x in parts)))
    errors = evaluation.survey_errors
    if errors is not None:
        both = units["total_se"].median(), errors["se_total"].median()
        print(said["worth"].format(*(show(float(x)) for x in both)))
    sure = int(((units["change_low"] > 0) | (units["change_high"] < 0)).sum())
    most = str(units["total_change"].abs().idxmax())
    names = _names(evaluation.year, lang)
    print(said["moved"].format(
        sure, len(units), show(_CHANCE * len(units), 1), show(float(units["total_change"][most])),
        f"{most} {names.get(most, '')}".strip(),
    ))  # fmt: skip
    _say_changes(units, "calibrated", (evaluation.year, said, lang))
    if len(weighted.moved):
        pairs = weighted.moved[["unit_id", "dimension"]].drop_duplicates()
        print(said["note"].format(said["lent"].format(len(pairs))))
