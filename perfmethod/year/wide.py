"""The wide table of actual values: a row for each unit, a column for each indicator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perfmethod.year.clean import Cleaned, numbers, repeated
from perfmethod.year.context import Context, each_text
from perfmethod.year.report import quote
from perfmethod.year.tasks import check_every_unit, positions

__all__ = ["check_actuals"]


def check_actuals(context: Context) -> None:
    """Check the wide table: one column an indicator, one row a unit."""
    cleaned = context.cleaned.get("actuals")
    if cleaned is None or not cleaned.has("unit_id"):
        return
    table, facts, report = cleaned.table, context.facts, context.report
    repeated(table, ["unit_id"], report)
    if facts.scoring is not None:
        report.file(table.file, "a wide table, which has no column 'status'", "tasks.csv with a "
                    "status for each value: the scheme scores certified values only")  # fmt: skip
    needy = next((i for i in facts.classes_of if i in facts.targeted and i in table), None)
    if needy is not None:
        report.file(table.file, f"no targets, although the rule of '{needy}' needs one",
                    "tasks.csv with a column 'target'")  # fmt: skip
    unit_class = each_text(table["unit_id"], context.class_of)
    for indicator, classes in facts.classes_of.items():
        if indicator in table:
            _check_wide_column(context, cleaned, indicator, classes, unit_class)
        elif classes:
            report.header(table, indicator, "no such column", "one column for each indicator")
    check_every_unit(context, _with_values(cleaned, facts.classes_of))


def _check_wide_column(
    context: Context, cleaned: Cleaned, indicator: str, classes: tuple[str, ...],
    unit_class: NDArray[np.object_],
) -> None:  # fmt: skip
    table, names = cleaned.table, context.facts.levels.get(indicator)
    everywhere = np.ones(len(table), dtype=bool)
    cleaned.numbers[indicator] = (
        positions(context, cleaned, indicator, names, everywhere)
        if names
        else numbers(table, indicator, "number", context.report)
    )
    outside = np.array([bool(c) and c not in classes for c in unit_class], dtype=bool)
    rows = np.flatnonzero(outside & table[indicator].filled)
    texts = table[indicator].texts()
    found = [f"{quote(texts[r])} for a unit of class '{unit_class[r]}'" for r in rows]
    context.report.each(table, rows, indicator, found,
                        "an empty cell: the unit's class does not have the indicator")  # fmt: skip


def _with_values(cleaned: Cleaned, indicators: Mapping[str, object]) -> set[str]:
    some = np.zeros(len(cleaned.table), dtype=bool)
    for indicator in indicators:
        if indicator in cleaned.table:
            some |= cleaned.table[indicator].filled
    return set(cleaned.table["unit_id"].texts()[some])
