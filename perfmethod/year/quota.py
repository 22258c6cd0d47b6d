"""Quotas against the year's own groups: more places than units is a slip of the scheme."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from perfmethod.errors import Problem, suggest
from perfmethod.year.facts import SchemeLike
from perfmethod.year.report import Report

__all__ = ["check_quota"]


def check_quota(
    scheme: SchemeLike, class_of: Mapping[str, str], group_of: Mapping[str, str], report: Report
) -> None:
    """Places by pool name known pools, and no pool has more places than units.

    Parameters
    ----------
    scheme : scheme
    class_of, group_of : mapping of str to str
        Class and group of each unit; nothing is checked without units.
    report : Report
    """
    grades = scheme.document.get("grades", {})
    if not grades or grades.get("rule", "quota") != "quota" or not class_of:
        return
    pool = grades.get("pool", "group")
    labels = {"all": ["all"] * len(class_of), "class": class_of.values()}
    sizes = Counter(labels.get(pool, group_of.values()))
    taken: Counter[str] = Counter()
    for level, entry in grades.get("levels", {}).items():
        for found, allowed in _wrong_places(entry.get("places", 0), sizes, taken):
            where = f"grades.levels.{level}"
            report.problems.append(Problem(scheme.file, where, "places", found, allowed))
    _check_spread(scheme, grades, sizes, report)
    small, size = min(sizes.items(), key=lambda item: item[1])
    if (floor := grades.get("floor", 0)) > size:
        found = f"{floor} places at least in each pool, '{small}' has {size} units"
        report.problems.append(Problem(scheme.file, "grades", "floor", found, f"at most {size}"))
        return
    for level, entry in grades.get("levels", {}).items():
        places = entry.get("places")
        if isinstance(places, int) and floor * len(sizes) > places:
            found = f"{floor} places at least in each of {len(sizes)} pools, {places} in all"
            where, most = f"grades.levels.{level}", f"a floor of at most {places // len(sizes)}"
            report.problems.append(Problem(scheme.file, where, "places", found, most))


def _check_spread(
    scheme: SchemeLike, grades: Mapping[str, Any], sizes: Mapping[str, int], report: Report
) -> None:
    """Caps leave room for the places, and balances are those of pools there are."""
    for pool in grades.get("carried", {}):
        if pool not in sizes:
            problem = Problem(scheme.file, "grades.carried", pool, f"'{pool}'",
                              suggest(pool, sizes))  # fmt: skip
            report.problems.append(problem)
    cap = grades.get("cap")
    if not isinstance(cap, int):
        return
    room = sum(min(cap, size) for size in sizes.values())
    for level, entry in grades.get("levels", {}).items():
        places = entry.get("places")
        if isinstance(places, int) and room < places:
            found = f"{places} places, at most {cap} in each of {len(sizes)} pools"
            where = f"grades.levels.{level}"
            report.problems.append(
                Problem(scheme.file, where, "places", found, f"at most {room} under this cap")
            )


def _wrong_places(
    places: Any, sizes: Mapping[str, int], taken: Counter[str]
) -> list[tuple[str, str]]:
    """Check the places of one level, better levels having `taken` some of each pool already."""
    if not isinstance(places, Mapping):
        total = sum(sizes.values())
        taken["all pools"] += places
        if not places or taken["all pools"] <= total:
            return []
        with_better = f"{places} places ({taken['all pools']} with better grades)"
        return [(f"{with_better} for {total} units", f"at most {total} in all")]
    wrong = []
    for pool, number in places.items():
        taken[pool] += number
        if pool not in sizes:
            wrong.append((f"'{pool}'", suggest(pool, sizes)))
        elif taken[pool] > sizes[pool]:
            with_better = f"{pool} = {number} ({taken[pool]} with better grades)"
            wrong.append((f"{with_better} for {sizes[pool]} units", f"at most {sizes[pool]}"))
    return wrong
