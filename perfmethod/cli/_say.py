"""What ``check``, ``evaluate`` and ``supervise`` say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perfmethod.display import pad, show
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation
    from perfmethod.supervision import Supervision
    from perfmethod.year import Year

__all__ = ["SAID", "say_check", "say_evaluation", "say_supervision"]

SAID = {
    "en": {
        "fine": "{}: no problems found",
        "year": "{name}: {units} in {classes}, {tasks}, {ballots}",
        "evaluated": "{}: {} units",
        "level": "{} ({}):",
        "held": "  {}  {}  {}  ({}, rank {})",
        "alone": "  {}  {}  {}  (rank {})",
        "ungraded": "The scheme gives no grades. The first by total:",
        "class": "{} ({} units):",
        "unfilled": "{}: {} of {} places of {} stay unfilled",
        "over": "{}: {} more than the {} places of {}, since totals tie",
        "more": "  and {} more",
        "note": "note: {}",
        "written": "written to {}",
    },
    "zh": {
        "fine": "{}: 没有发现问题",
        "year": "{name}: {units}, {classes}, {tasks}, {ballots}",
        "evaluated": "{}: {}家单位",
        "level": "{} ({}家):",
        "held": "  {}  {}  {}  ({}, 组内第{}名)",
        "alone": "  {}  {}  {}  (第{}名)",
        "ungraded": "方案未设等次。总分居前的单位:",
        "class": "{} ({}家):",
        "unfilled": "{}: {}个名额空缺(共{}个, {})",
        "over": "{}: 因总分相同, 比{}个名额多{}家({})",
        "more": "  另有{}家",
        "note": "注意: {}",
        "written": "已写入{}",
    },
}
_COUNTED = {  # one, and any other number
    "en": {"units": ("1 unit", "{} units"), "classes": ("1 class", "{} classes"),
           "tasks": ("1 task", "{} tasks"), "ballots": ("1 ballot", "{} ballots")},
    "zh": {"units": ("{}家单位",) * 2, "classes": ("{}个类别",) * 2, "tasks": ("{}项任务",) * 2,
           "ballots": ("{}张测评票",) * 2},
}  # fmt: skip
LISTED = 15  # units of a table on the screen; the file has all


def say_check(year: Year, place: object, lang: str) -> None:
    """That there is nothing wrong, and what there is."""
    said = SAID[lang]
    print(said["fine"].format(place))
    sizes = {"units": len(year.units), "classes": year.units["class"].nunique()}
    for name, table in (("tasks", year.tasks), ("ballots", year.ballots)):
        sizes[name] = 0 if table is None else len(table)
    told = {name: _COUNTED[lang][name][n != 1].format(f"{n:,}") for name, n in sizes.items()}
    print(said["year"].format(name=year.scheme.name("", lang), **told))
    for note in year.notes:
        print(said["note"].format(note))


def say_evaluation(evaluation: Evaluation, lang: str) -> None:
    """Who has the best grade, how many the others, vetoes, ties and places that stay empty."""
    said, scheme = SAID[lang], evaluation.year.scheme
    print(said["evaluated"].format(scheme.name("", lang), len(evaluation.scores)))
    levels = list(scheme.document.get("grades", {}).get("levels", {}))
    if not levels:
        _say_ungraded(evaluation, lang)
    for level in levels:
        held = evaluation.scores[evaluation.scores["grade"] == level]
        print(said["level"].format(scheme.name(f"grades.levels.{level}", lang), len(held)))
        if level == levels[0]:
            _say_units(evaluation, list(held.index), lang)
    for note in rows(evaluation.notes.query("kind in ('veto', 'edge_tie')")):
        print(f"{note.unit_id}: {note.text}")
    _say_places(evaluation, said, lang)


def _say_ungraded(evaluation: Evaluation, lang: str) -> None:
    said, scores = SAID[lang], evaluation.scores
    print(said["ungraded"])
    for name, part in scores.groupby("class", sort=False):
        if scores["class"].nunique() > 1:
            named = evaluation.year.scheme.name(f"classes.{name}", lang)
            print(said["class"].format(named, len(part)))
        first = part.sort_values("total", ascending=False, kind="stable").head(LISTED)
        _say_units(evaluation, list(first.index), lang)
        if len(part) > len(first):
            print(said["more"].format(len(part) - len(first)))


def _say_units(evaluation: Evaluation, units: list[str], lang: str) -> None:
    names, said, scheme = evaluation.year.unit_names(lang), SAID[lang], evaluation.year.scheme
    decimals = evaluation.year.scheme.document.get("display_decimals", 2)
    totals = evaluation.scores["total"].to_dict()
    for unit in units:
        row = evaluation.scores.loc[unit]
        total = show(float(totals[unit]), decimals)
        if row["group"]:
            group = str(row["group"])
            if group in scheme.classes:  # a year without groups: units compete in their class
                group = scheme.name(f"classes.{group}", lang)
            print(said["held"].format(unit, names[unit], total, group, row["group_rank"]))
        else:
            print(said["alone"].format(unit, names[unit], total, row["rank"]))


def _say_places(evaluation: Evaluation, said: Mapping[str, str], lang: str) -> None:
    """Places that stay unfilled, and those given beyond the quota."""
    from perfmethod.scoring.notes import pool_name

    scheme = evaluation.year.scheme
    for row in rows(evaluation.quotas[evaluation.quotas["unfilled"] != 0]):
        level = scheme.name(f"grades.levels.{row.grade}", lang)
        pool = pool_name(evaluation.year, str(row.pool), lang)
        if row.unfilled > 0:
            print(said["unfilled"].format(level, row.unfilled, row.places, pool))
            continue
        more, places = (-row.unfilled, row.places)[:: -1 if lang == "zh" else 1]
        print(said["over"].format(level, more, places, pool))


def _names(year: Year, lang: str) -> dict[str, str]:
    """Name of every unit in a language."""
    return {str(unit): str(name) for unit, name in year.unit_names(lang).items()}


def say_supervision(found: Supervision, lang: str) -> None:
    """Where tasks stand, and the units with most to worry about."""
    from perfmethod.supervision import STATUSES

    print(found.words(lang))
    counts, names = found.to_frame(), _names(found.year, lang)
    heads = [STATUSES[status][lang] for status in counts.columns]
    wide = [max(14, 2 * len(head) + 2 if lang == "zh" else len(head) + 2) for head in heads]
    print("".join(pad(head, -width) for head, width in zip(heads, wide, strict=True)))
    for unit, row in zip(counts.index.astype(str), counts.to_numpy()[:LISTED], strict=False):
        cells = "".join(pad(str(n), -width) for n, width in zip(row, wide, strict=True))
        print(f"{cells}  {unit} {names[unit]}")
    if len(counts) > LISTED:
        print(SAID[lang]["more"].format(len(counts) - LISTED))
