"""What groups are owed from the years before, and what carrying remainders over would do."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pandas as pd

from perfmethod import grading
from perfmethod.errors import DataError, Problems, is_whole, suggest

__all__ = ["carry_plan", "owed"]

_COLUMNS = ("year", "group", "units", "places")


def owed(history: pd.DataFrame) -> pd.Series:
    """Places that each group is owed after some years: its shares less what it was given.

    Parameters
    ----------
    history : DataFrame
        One row per year and group: year, group, units (of the group), places (it was given).

    Returns
    -------
    Series
        By group, in places; negative where a group had more than its shares. They add up to
        nothing. `quota_rules` takes them as ``carried``.

    Raises
    ------
    DataError
        With every problem: missing columns, negative or broken numbers, groups without units, more
        places than units, a group twice in a year.

    Examples
    --------
    >>> past = pd.DataFrame({"year": 2008, "group": ["G1", "G2", "G3"], "units": [9, 9, 4],
    ...                      "places": [2, 1, 1]})
    >>> owed(past).round(3).to_dict()
    {'G1': -0.364, 'G2': 0.636, 'G3': -0.273}
    """
    _check(history)
    found: dict[str, Fraction] = {}
    for _, rows in history.groupby("year", sort=True):
        seats, units = int(rows["places"].sum()), int(rows["units"].sum())
        for group, size, places in zip(rows["group"], rows["units"], rows["places"], strict=True):
            share = Fraction(seats * int(size), units)
            found[str(group)] = found.get(str(group), Fraction(0)) + share - int(places)
    return pd.Series({g: float(b) for g, b in found.items()}, name="owed", dtype=float)


def _check(history: pd.DataFrame) -> None:
    problems = Problems("history")
    columns = [str(c) for c in history.columns]
    for name in _COLUMNS:
        if name not in columns:
            problems.add(f"no column '{name}'", suggest(name, columns))
    problems.raise_any(DataError)
    if history.empty:
        problems.add("no row", "one row per year and group")
    twice = history.duplicated(["year", "group"])
    for label, row, again in zip(history.index, history.to_dict("records"), twice, strict=True):
        at = f"row {label}: {row['year']}, {row['group']}"
        good = True
        for name, least, what in (("units", 1, "a whole number of 1 or more: a group has units"),
                                  ("places", 0, "a whole number of 0 or more")):  # fmt: skip
            value = row[name]
            if not _whole(value) or value < least:
                good = False
                problems.add(f"{value}", what, row=at, column=name)
        if good and row["places"] > row["units"]:
            found = f"{row['places']} places for {row['units']} units"
            problems.add(found, f"at most {row['units']}", row=at, column="places")
        if again:
            problems.add("the group again", "each group once a year", row=at)
    problems.raise_any(DataError)


def _whole(value: object) -> bool:
    """Whether a cell is a number of things; tables write whole numbers as decimals too."""
    return is_whole(value) or (isinstance(value, float | np.floating) and value.is_integer())


def carry_plan(
    sizes: Mapping[str, int] | pd.Series,
    places: int,
    years: int = 5,
    *,
    floor: int = 0,
    carried: Mapping[str, float] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Places of the coming years if remainders are carried over, groups staying as they are.

    Parameters
    ----------
    sizes : mapping of str to int
        Units by group.
    places : int
        Places of each year.
    years : int
    floor : int
        Fewest places of a group in a year.
    carried : mapping of str to float, optional
        Balances before the first year (`owed`).
    seed : int
        Of the lots (`grading.lot`) among groups with equal right; every year draws its own.

    Returns
    -------
    DataFrame
        year (from 1), group, share, places, tied (whether it drew lots), balance (after the year).

    Raises
    ------
    DataError
        With every problem: numbers that are not whole; groups without units, more places than
        units, a floor of more places than there are, unknown groups in `carried`, no year.

    Examples
    --------
    >>> plan = carry_plan({"A": 4, "B": 9, "C": 9, "D": 9, "E": 9, "F": 9}, 13)
    >>> plan.groupby("group")["places"].sum().to_dict()
    {'A': 5, 'B': 12, 'C': 12, 'D': 12, 'E': 12, 'F': 12}
    """
    _check_whole(dict(sizes), {"places": places, "years": years, "floor": floor})
    table = {str(group): int(size) for group, size in dict(sizes).items()}
    _check_plan(table, places, years, floor, carried or {})
    names = list(table)
    lots = [grading.lot([f"{year}:{name}" for name in names], seed) for year in range(years)]
    found = grading.carry_over(
        [list(table.values())] * years,
        places,
        carried=[(carried or {}).get(name, 0) for name in names],
        floor=floor,
        settle=lambda year, _: lots[year],
    )
    rows = [
        (year + 1, name, float(found.shares[year][i]), found.seats[year][i],
         i in found.tied[year], float(found.balances[year + 1][i]))
        for year in range(years)
        for i, name in enumerate(names)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["year", "group", "share", "places", "tied", "balance"])


def _check_whole(sizes: Mapping[str, object], others: Mapping[str, object]) -> None:
    problems = Problems("arguments")
    for group, size in sizes.items():
        if not _whole(size):
            problems.add(f"{size} units in group '{group}'", "a whole number", column="sizes")
    for name, value in others.items():
        if not is_whole(value):
            problems.add(f"{value}", "a whole number", column=name)
    problems.raise_any(DataError)


def _check_plan(
    table: Mapping[str, int], places: int, years: int, floor: int, carried: Mapping[str, float]
) -> None:
    problems = Problems("arguments")
    for group, size in table.items():
        if size < 1:
            problems.add(f"{size} units in group '{group}'", "1 or more", column="sizes")
    total = sum(max(size, 0) for size in table.values())
    if not 0 <= places <= total:
        problems.add(f"{places} places for {total} units", f"0 to {total}", column="places")
    if floor < 0 or floor * len(table) > places:
        found = f"{floor} places at least in each of {len(table)} groups, {places} in all"
        most = f"0 to {max(places, 0) // max(len(table), 1)}"
        problems.add(found, most, column="floor")
    for group, balance in carried.items():
        if group not in table:
            problems.add(f"'{group}'", suggest(group, table), column="carried")
        elif not np.isfinite(balance):
            problems.add(f"{balance} for '{group}'", "a finite number", column="carried")
    if years < 1:
        problems.add(f"{years}", "1 or more", column="years")
    problems.raise_any(DataError)
