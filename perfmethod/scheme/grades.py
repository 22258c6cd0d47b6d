"""Checks of how a scheme gives grades: places, least totals, and whether totals can reach them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from perfmethod import normalization
from perfmethod.errors import Problems

__all__ = ["check_grades", "check_reach", "most_points"]

Document = Mapping[str, Any]
Methods = Mapping[str, Callable[..., Any]]

# parameters of rules that cannot lift a score above the rule's bounds
_NO_HIGHER = frozenset(
    ("allowed", "at_target", "below", "columns", "deduct", "floor", "items", "k", "lows", "missed",
     "per_point", "relative", "step", "thresholds", "whole_steps")
)  # fmt: skip
_SCORES = frozenset(("cap", "met", "points", "scores", "to", "tops"))  # that are scores themselves
_ENDS = frozenset(("lower", "upper"))
_OF_RULES = {  # what cannot lift the score of one rule, though it could that of another
    "distance_to_target": frozenset(("worst",)),
    "efficacy": frozenset(("base",)),
    "efficacy_exponential": _ENDS | {"base"},
    "goalposts": _ENDS,
    "interval": _ENDS,
    "logistic": frozenset(("middle", "slope")),
}


def check_grades(problems: Problems, document: Document) -> None:
    """Check ``[grades]`` in itself."""
    grades = document.get("grades", {})
    if grades:
        _check_levels(problems, grades)
        _check_spread(problems, grades)


def _check_spread(problems: Problems, grades: Document) -> None:
    """Keys of how places are spread over pools that need or exclude each other."""
    cap, floor = grades.get("cap"), grades.get("floor", 0)
    if isinstance(cap, int) and cap < floor:
        problems.add(f"a cap of {cap} below the floor of {floor}", f"a cap of {floor} or more",
                     row="grades", column="cap")  # fmt: skip
    if grades.get("pool_tie") == "lot" and "lot_seed" not in grades:
        problems.add("nothing", "a whole number from which the lot is drawn", row="grades",
                     column="lot_seed")  # fmt: skip
    if "carried" in grades and grades.get("method", "hamilton") != "hamilton":
        found, allowed = f"'{grades['method']}' with [grades.carried]", "'hamilton'"
        problems.add(found, f"{allowed}: balances are remainders", row="grades", column="method")


def _check_levels(problems: Problems, grades: Document) -> None:
    levels = grades["levels"]
    if not levels:
        problems.add("no level", "at least one grade", row="grades.levels")
        return
    *upper, last = levels
    for level in upper:
        if grades.get("rule", "quota") == "thresholds" and "least" not in levels[level]:
            problems.add("no 'least'", "the least total", row=f"grades.levels.{level}")
    for key in ("places", "least"):
        if key in levels[last]:
            problems.add(f"'{key}'", "neither places nor least: the last grade takes all that are "
                         "left", row=f"grades.levels.{last}", column=key)  # fmt: skip
    least = [levels[level]["least"] for level in upper if "least" in levels[level]]
    strict = grades.get("rule", "quota") == "thresholds"
    if least != sorted(least, reverse=True) or (strict and len(set(least)) < len(least)):
        problems.add(f"least totals {least}", "totals that fall from the best grade down",
                     row="grades.levels", column="least")  # fmt: skip


def check_reach(problems: Problems, document: Document, methods: Methods) -> None:
    """Check that some total can reach every least total: they go with the base."""
    levels = document.get("grades", {}).get("levels", {})
    base, top, bonus = most_points(document, methods)
    most = base / 100 * top + bonus
    for level, entry in levels.items():
        if entry.get("least", -math.inf) > most * (1 + 1e-9):
            made = f"{base / 100 * top:g} for scores of {top:g} with base = {base:g}"
            made += f", and a bonus of {bonus:g}" if bonus else ""
            problems.add(f"{entry['least']:g}, which no total can reach", f"at most {most:g} "
                         f"({made}): the least totals go with the base",
                         row=f"grades.levels.{level}", column="least")  # fmt: skip


def most_points(document: Document, methods: Methods) -> tuple[float, float, float]:
    """Base, the highest score and the highest bonus that a scheme allows.

    Parameters
    ----------
    document : mapping
        A sound scheme.
    methods : mapping
        The user's own normalization functions, whose scores have no known limit.

    Returns
    -------
    base, score, bonus : float
        The score is never above this, but may not get there; infinite where nothing limits it.

    Examples
    --------
    >>> rule = {"method": "completion_ratio", "cap": 1.2}
    >>> most_points({"indicators": {"roads": {"rule": rule}}}, {})
    (100.0, 120.0, 0.0)
    """
    scores = [100.0]
    for entry in document["indicators"].values():
        scores.append(_highest(entry["rule"], methods))
    for option in document.get("survey", {}).get("options", {}).values():
        scores.append(float(option.get("score", 0.0)))
    return float(document.get("base", 100.0)), max(scores), _most_bonus(document)


def _highest(rule: Document, methods: Methods) -> float:
    """Highest score of an indicator; infinite where its parameters leave it open."""
    found = None if rule["method"] in methods else normalization.METHODS.get(rule["method"])
    if found is None or found.bounds is None:
        return math.inf
    given = {k: v for k, v in rule.items() if k not in ("method", "names")}
    if rule["method"] == "completion_ratio":
        return 100 * (1 + float(given.get("bonus_rate", 1)) * (float(given.get("cap", 1)) - 1))
    harmless = _NO_HIGHER | _OF_RULES.get(rule["method"], frozenset())
    lifted = [n for k, v in given.items() if k in _SCORES for n in _numbers(v)]
    if any(k not in harmless | _SCORES and v is not True for k, v in given.items()):
        return math.inf
    return max([found.bounds[1], *lifted])


def _numbers(value: Any) -> Iterator[float]:
    for one in value if isinstance(value, list | tuple) else [value]:
        yield float(one)


def _most_bonus(document: Document) -> float:
    """Highest bonus of one unit: every item to its cap, and no more than the caps of the sides."""
    table = document.get("adjustments", {})
    items = [i for i in table.get("items", {}).values() if i["kind"] == "bonus"]
    caps = [float(table[key]) for key in ("bonus_cap", "net_cap") if key in table]
    return min([sum((float(i.get("cap", math.inf)) for i in items), 0.0), *caps])
