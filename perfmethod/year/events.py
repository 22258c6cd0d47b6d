"""Adjustments, vetoes and internal scores: what needs more than one column."""

from __future__ import annotations

import numpy as np

from perfmethod.year.clean import repeated
from perfmethod.year.context import Context, each_text

__all__ = ["check_adjustments", "check_internal", "check_vetoes"]


def check_adjustments(context: Context) -> None:
    """Each event once; an item only for the classes it is open to."""
    cleaned = context.cleaned.get("adjustments")
    if cleaned is None:
        return
    table, items = cleaned.table, context.facts.items
    if "event_id" in table:
        repeated(table, ["event_id"], context.report)
    if not cleaned.has("unit_id", "item"):
        return
    unit_class = each_text(table["unit_id"], context.class_of)
    item = table["item"].texts()
    rows = np.flatnonzero(
        [
            bool(c) and (open_to := items.get(i)) is not None and c not in open_to
            for c, i in zip(unit_class, item, strict=True)
        ]
    )
    found = [f"'{item[r]}' for a unit of class '{unit_class[r]}'" for r in rows]
    context.report.each(table, rows, "item", found, "an item open to the unit's class")


def check_vetoes(context: Context) -> None:
    """Each event once."""
    cleaned = context.cleaned.get("vetoes")
    if cleaned is not None and "event_id" in cleaned.table:
        repeated(cleaned.table, ["event_id"], context.report)


def check_internal(context: Context) -> None:
    """One score for each unit and category; units without any are noted."""
    cleaned = context.cleaned.get("internal")
    if cleaned is None or not cleaned.has("unit_id", "category"):
        return
    repeated(cleaned.table, ["unit_id", "category"], context.report)
    having = set(cleaned.table["unit_id"].uniques)
    without = [u for u, c in context.class_of.items()
               if u not in having and c in context.facts.internal]  # fmt: skip
    if without:
        context.report.notes.append(f"{cleaned.table.file}: no score for {', '.join(without)}")
