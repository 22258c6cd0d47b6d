"""Counts that cannot be, and ballots of one rater on one unit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.screening.sheet import Codes, Flag, Sheet

__all__ = ["impossible_flags", "repeated_flags"]


def repeated_flags(sheet: Sheet) -> list[Flag]:
    """Units with more than one ballot of the same rater, by category and mode."""
    if sheet.rater is None:
        return []
    rows = np.flatnonzero(sheet.rater >= 0)
    key = sheet.rater[rows] * len(sheet.units) + sheet.unit[rows]
    later = np.delete(rows, np.unique(key, return_index=True)[1])
    flags = []
    for own in _groups(later, sheet.unit, sheet.category, sheet.mode):
        raters = len(np.unique(sheet.rater[own]))
        text = f"ballots beyond the first of a rater on this unit, by {sheet.told(raters)} raters"
        flags.append(_at(sheet, own, "repeated ballot", text, True))
    return flags


def impossible_flags(sheet: Sheet, registered: Mapping[str, int] | None) -> list[Flag]:
    """More ballots than raters or units, and ballot ids that stand twice."""
    flags = _beyond_register(sheet, registered or {}) + _beyond_units(sheet)
    if sheet.ballot is not None:
        ids, times = np.unique(sheet.ballot[sheet.ballot >= 0], return_counts=True)
        twice = np.flatnonzero(np.isin(sheet.ballot, ids[times > 1]))
        for own in _groups(twice, sheet.unit, sheet.category, sheet.mode):
            text = f"{sheet.told(len(own))} ballots whose ballot_id stands more than once"
            flags.append(_at(sheet, own, "impossible count", text, False))
    return flags


def _beyond_register(sheet: Sheet, registered: Mapping[str, int]) -> list[Flag]:
    for name in registered:
        if name not in sheet.categories:
            known = suggest(name, sheet.categories)
            raise PerfmethodError(f"registered: found category '{name}'; allowed: {known}")
    flags = []
    for own in _groups(np.arange(len(sheet.unit)), sheet.unit, sheet.category):
        name = sheet.categories[sheet.category[own[0]]]
        if len(own) > registered.get(name, np.inf):
            text = f"{sheet.told(len(own))} ballots, more than registered raters"
            flags.append(Flag("impossible count", text, len(own),
                              unit=sheet.units[sheet.unit[own[0]]], category=name,
                              few=sheet.few(own)))  # fmt: skip
    return flags


def _beyond_units(sheet: Sheet) -> list[Flag]:
    """Raters with more ballots than there are units, counted by category."""
    if sheet.rater is None:
        return []
    known = sheet.rater >= 0
    _, place, times = np.unique(
        sheet.rater[known], return_inverse=True, return_counts=True
    )  # fmt: skip
    over = np.flatnonzero(known)[(times > len(sheet.units))[place]]
    flags = []
    for own in _groups(over, sheet.category):
        n = len(np.unique(sheet.rater[own]))
        text = f"{sheet.told(n)} raters with more ballots than the {len(sheet.units)} units"
        flags.append(Flag("impossible count", text, len(own), few=sheet.few(own),
                          category=sheet.categories[sheet.category[own[0]]]))  # fmt: skip
    return flags


def _groups(rows: Codes, *codes: Codes) -> list[Codes]:
    """Rows with the same codes together, in the order of the codes."""
    if not len(rows):
        return []
    table = np.stack([code[rows] for code in codes], axis=1)
    place = np.unique(table, axis=0, return_inverse=True)[1].ravel()
    return [rows[place == g] for g in range(int(place.max()) + 1)]


def _at(sheet: Sheet, rows: Codes, kind: str, text: str, named: bool) -> Flag:
    first = rows[0]
    return Flag(
        kind, text, len(rows), unit=sheet.units[sheet.unit[first]],
        category=sheet.categories[sheet.category[first]], mode=sheet.modes[sheet.mode[first]],
        rows=rows if named else rows[:0], few=sheet.few(rows),
    )  # fmt: skip
