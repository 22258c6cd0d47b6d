"""Tasks: which unit has which indicator, with what target and actual value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import suggest
from perfmethod.year.cells import number_of
from perfmethod.year.clean import Cleaned, numbers, repeated
from perfmethod.year.context import Context
from perfmethod.year.report import quote
from perfmethod.year.table import Column

__all__ = ["VALUES", "check_every_unit", "check_tasks", "positions"]

VALUES = ("actual", "target", "reported", "q1", "q2", "q3", "q4")


def check_tasks(context: Context) -> None:
    """Check the long table; values become numbers, levels their positions."""
    cleaned = context.cleaned.get("tasks")
    if cleaned is None:
        return
    if cleaned.has("unit_id", "indicator_id"):
        repeated(cleaned.table, ["unit_id", "indicator_id"], context.report)
        _check_classes(context, cleaned)
        check_every_unit(context, set(cleaned.table["unit_id"].uniques))
        for column in VALUES:
            if column in cleaned.table:
                _read_values(context, cleaned, column)
        _check_targets(context, cleaned)
        _check_divisors(context, cleaned)


def _read_values(context: Context, cleaned: Cleaned, column: str) -> None:
    """Read a column of numbers and levels; the indicator of a row says which."""
    table, facts = cleaned.table, context.facts
    indicator = table["indicator_id"]
    known = _among(indicator, frozenset(facts.classes_of))
    lists = [facts.levels.get(name, ()) for name in indicator.uniques]
    different = list(dict.fromkeys(lists))
    kind = indicator.take(np.array([different.index(names) for names in lists], dtype=np.intp))
    values = np.full(len(table), np.nan)
    for i, names in enumerate(different):
        mask = known & (kind == i)
        if names:
            found = positions(context, cleaned, column, names, mask)
        else:
            found = numbers(table, column, "number", context.report, mask=mask)
        values[mask] = found[mask]
    cleaned.numbers[column] = values


def positions(
    context: Context,
    cleaned: Cleaned,
    column: str,
    names: tuple[str, ...],
    mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Positions of levels in their list, NaN in an empty cell.

    Judges who disagree leave a position between two levels, so a position may stand for a name.
    """
    cells = cleaned.table[column]
    values = np.array([_position(text, names) for text in cells.uniques])
    wrong = {
        code: (quote(cells.uniques[code]), f"a level: {suggest(cells.uniques[code], names)}")
        for code in np.unique(cells.codes[mask]).tolist()
        if cells.uniques[code] and np.isnan(values[code])
    }
    context.report.cells(cleaned.table, column, wrong, mask)
    return cells.take(values)


def _position(text: str, names: tuple[str, ...]) -> float:
    if text in names:
        return float(names.index(text))
    number = number_of(text)
    return number if number is not None and 0 <= number <= len(names) - 1 else np.nan


def _check_classes(context: Context, cleaned: Cleaned) -> None:
    """A unit has only indicators that stand in its class."""
    table, facts = cleaned.table, context.facts
    unit, indicator = table["unit_id"], table["indicator_id"]
    class_of = [context.class_of.get(text, "") for text in unit.uniques]
    outside = np.array(  # class x indicator
        [[i in facts.classes_of and c not in facts.classes_of[i] for i in indicator.uniques]
         for c in facts.classes], dtype=bool,
    )  # fmt: skip
    place = [facts.classes.index(c) if c in facts.classes else -1 for c in class_of]
    at = unit.take(np.array(place, dtype=np.intp))
    rows = np.flatnonzero((at >= 0) & outside[at, indicator.codes])
    found = [
        f"'{indicator.uniques[indicator.codes[r]]}' for a unit of class '{facts.classes[at[r]]}'"
        for r in rows
    ]
    context.report.each(table, rows, "indicator_id", found, "an indicator of the unit's class")


def check_every_unit(context: Context, having: set[str]) -> None:
    """A unit without any task is a slip: its assessment would be all gaps."""
    units = context.cleaned.get("units")
    if units is None or not units.has("unit_id"):
        return
    classes = {c for where in context.facts.classes_of.values() for c in where}
    ids = units.table["unit_id"].texts()
    stripped = having | {text.strip() for text in having}
    without = [
        row for row, unit in enumerate(ids)
        if unit.strip() and unit.strip() not in stripped and context.class_of[unit] in classes
    ]  # fmt: skip
    file = context.raw.label("tasks")
    found = [f"'{ids[row]}', a unit without any task" for row in without]
    context.report.each(units.table, np.array(without, dtype=np.intp), "unit_id", found,
                        f"at least one row in {file} for every unit")  # fmt: skip


def _check_targets(context: Context, cleaned: Cleaned) -> None:
    """Rules that compare with a target need one, above zero where they divide by it."""
    table, indicator = cleaned.table, cleaned.table["indicator_id"]
    targeted = _among(indicator, context.facts.targeted)
    if "target" not in table:
        if targeted.any():
            name = indicator.uniques[indicator.codes[np.flatnonzero(targeted)[0]]]
            context.report.header(table, "target", "no such column",
                                  f"it must be there: the rule of '{name}' needs it")  # fmt: skip
        return
    divided = _among(indicator, context.facts.ratios)
    wrong = np.flatnonzero(divided & (cleaned.numbers["target"] <= 0))
    found = [quote(text) for text in table["target"].texts()[wrong]]
    context.report.each(table, wrong, "target", found, "a target above 0: the rule divides by it")
    empty = targeted & ~table["target"].filled
    if empty.any():
        context.report.notes.append(_listed(cleaned, empty, "no target: their value is missing"))


def _among(column: Column, names: frozenset[str]) -> NDArray[np.bool_]:
    return column.take(np.array([text in names for text in column.uniques], dtype=bool))


def _listed(cleaned: Cleaned, mask: NDArray[np.bool_], what: str) -> str:
    units, indicators = (cleaned.table[c].texts()[mask] for c in ("unit_id", "indicator_id"))
    names = [f"{u}/{i}" for u, i in zip(units, indicators, strict=True)]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{cleaned.table.file}: {len(names)} tasks with {what} ({', '.join(names[:5])}{more})"


def _check_divisors(context: Context, cleaned: Cleaned) -> None:
    """A value counted per head needs the unit's heads."""
    units, table, per = context.cleaned.get("units"), cleaned.table, context.facts.per
    if units is None or not units.has("unit_id"):
        return
    divided = _among(table["indicator_id"], frozenset(per))
    indicators, tasked = (table[c].texts()[divided] for c in ("indicator_id", "unit_id"))
    users: dict[str, str] = {}  # column -> the first indicator that needs it
    having: dict[str, set[str]] = {}
    for indicator, unit in zip(indicators, tasked, strict=True):
        users.setdefault(per[indicator], indicator)
        having.setdefault(per[indicator], set()).add(unit)
    for column, indicator in users.items():
        if column not in units.table:
            continue  # said already
        ids = units.table["unit_id"].texts()
        empty = ~units.table[column].filled & np.isin(ids, sorted(having[column]))
        rows = np.flatnonzero(empty)
        context.report.each(units.table, rows, column, ["an empty cell"] * len(rows),
                            f"a number above 0: '{indicator}' is divided by it")  # fmt: skip
