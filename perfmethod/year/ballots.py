"""Ballots: checks across the columns of a large table, on codes only."""

from __future__ import annotations

import numpy as np

from perfmethod.year.clean import Cleaned, repeated
from perfmethod.year.context import Context, each_text

__all__ = ["check_ballots"]


def check_ballots(context: Context) -> None:
    """Each ballot once, each rater in one category, only questions of the unit's class."""
    cleaned = context.cleaned.get("ballots")
    if cleaned is None:
        return
    if "ballot_id" in cleaned.table:
        repeated(cleaned.table, ["ballot_id"], context.report)
    if cleaned.has("rater_id", "category"):
        _check_raters(context, cleaned)
    if cleaned.has("unit_id"):
        _check_dimensions(context, cleaned)
        _note_units_without(context, cleaned)


def _check_raters(context: Context, cleaned: Cleaned) -> None:
    """A rater who is in two categories would be counted in both."""
    table = cleaned.table
    rater, category = table["rater_id"], table["category"]
    n = len(category.uniques)
    pairs, first = np.unique(rater.codes * n + category.codes, return_index=True)
    order = np.argsort(first)
    pairs, first = pairs[order], first[order]
    raters, place = np.unique(pairs // n, return_index=True)
    home = dict(zip(raters.tolist(), place.tolist(), strict=True))  # where a rater first appears
    strays = [
        i for i, r in enumerate((pairs // n).tolist()) if home[r] != i and rater.uniques[r]
    ] if len(raters) < len(pairs) else []  # fmt: skip
    found = [
        f"rater '{rater.uniques[r]}' in category '{category.uniques[pairs[i] % n]}', in row "
        f"{table.row(int(first[home[r]]))} in '{category.uniques[pairs[home[r]] % n]}'"
        for i, r in ((i, int(pairs[i] // n)) for i in strays)
    ]
    context.report.each(table, first[strays], "category", found, "one category for each rater")


def _check_dimensions(context: Context, cleaned: Cleaned) -> None:
    """A unit is not asked about a dimension that its class does not have."""
    table, dimensions_of = cleaned.table, context.facts.dimensions_of
    unit_class = each_text(table["unit_id"], context.class_of)
    for dimension in context.facts.dimensions:
        if dimension not in table:
            continue
        without = {c for c, dims in dimensions_of.items() if dimension not in dims}
        if not without:
            continue
        outside = np.isin(unit_class, sorted(without)) & table[dimension].filled
        rows = np.flatnonzero(outside)
        found = [f"an answer for '{u}' of class '{c}'" for u, c in
                 zip(table["unit_id"].texts()[rows], unit_class[rows], strict=True)]  # fmt: skip
        context.report.each(table, rows, dimension, found,
                            "an empty cell: the unit's class does not have it")  # fmt: skip


def _note_units_without(context: Context, cleaned: Cleaned) -> None:
    having = set(cleaned.table["unit_id"].uniques)
    without = [u for u, c in context.class_of.items()
               if u not in having and context.facts.dimensions_of.get(c)]  # fmt: skip
    if without:
        context.report.notes.append(f"{cleaned.table.file}: no ballot for {', '.join(without)}")
