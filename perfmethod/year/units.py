"""Checks of units, groups and indicators that need more than one column."""

from __future__ import annotations

import numpy as np

from perfmethod.errors import suggest
from perfmethod.year.clean import repeated
from perfmethod.year.context import Context, each_text
from perfmethod.year.report import quote

__all__ = ["check_groups", "check_indicators", "check_units"]


def check_groups(context: Context) -> None:
    """Each group once, of a class that its units share."""
    cleaned = context.cleaned.get("groups")
    if cleaned is not None and cleaned.has("group"):
        repeated(cleaned.table, ["group"], context.report)


def check_units(context: Context) -> None:
    """Each unit once, with the columns the scheme needs, in a group of its own class."""
    cleaned = context.cleaned.get("units")
    if cleaned is None or not cleaned.has("unit_id"):
        return
    table, facts, report = cleaned.table, context.facts, context.report
    repeated(table, ["unit_id"], report)
    if "class" not in table and len(facts.classes) > 1:
        report.header(table, "class", "no such column", suggest("", facts.classes))
    if "group" not in table and facts.pool == "group":
        report.header(table, "group", "no such column", "it must be there: grades go by group")
    for indicator, column in facts.per.items():
        if column not in table:
            report.header(table, column, "no such column", f"it must be there: '{indicator}' is "
                          "divided by it")  # fmt: skip
    _check_group_classes(context)


def _check_group_classes(context: Context) -> None:
    groups, units = context.cleaned.get("groups"), context.cleaned["units"]
    if groups is None or not groups.has("group", "class") or not units.has("group", "class"):
        return
    class_of_group = dict(zip(groups.table["group"].texts(), groups.table["class"].texts(),
                              strict=True))  # fmt: skip
    found = units.table["class"].texts()
    wanted = each_text(units.table["group"], class_of_group)
    known = np.isin(wanted, context.facts.classes) & np.isin(found, context.facts.classes)
    wrong = np.flatnonzero(known & (wanted != found))
    cells = units.table["group"].texts()
    texts = [
        f"{quote(cells[i])}, a group of class '{wanted[i]}', for a unit of class '{found[i]}'"
        for i in wrong
    ]
    context.report.each(units.table, wrong, "group", texts, "a group of the unit's own class")


def check_indicators(context: Context) -> None:
    """Each indicator once; every further lead unit is known."""
    cleaned = context.cleaned.get("indicators")
    if cleaned is None or not cleaned.has("indicator_id"):
        return
    repeated(cleaned.table, ["indicator_id"], context.report)
    units = context.units
    organs = context.cleaned.get("organs")
    if units is None or not cleaned.has("co_unit_ids") or "organs" in context.raw.failed:
        return
    bodies = set(units)
    if organs is not None and organs.has("organ_id"):
        bodies |= set(organs.table["organ_id"].uniques)
    wrong = {}
    for code, text in enumerate(cleaned.table["co_unit_ids"].uniques):
        unknown = [name for name in text.split(";") if text and name not in bodies]
        if unknown:
            wrong[code] = (quote(text), f"identifiers joined by ; : {suggest(unknown[0], bodies)}")
    context.report.cells(cleaned.table, "co_unit_ids", wrong)
