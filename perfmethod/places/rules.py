"""Quota rules as documents: each is the scheme with some keys of its ``[grades]`` changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from types import MappingProxyType
from typing import Any

from perfmethod.errors import Problems, SchemeError, is_whole, suggest
from perfmethod.grading import METHODS
from perfmethod.places.wording import NAMES, TEXTS, filled, merit
from perfmethod.scheme import Scheme

__all__ = ["BOUNDED", "BY_MERIT", "QuotaRule", "chosen", "quota_rules"]

BY_MERIT = ("", "rest", "pool_tie")
BOUNDED = ("floor_one", "cap_two", "cap_eligible")  # rules that not every year's groups allow


@dataclass(frozen=True)
class QuotaRule:
    """One way to spread the places of the best grade.

    Parameters
    ----------
    id : str
    name, text : mapping
        In Chinese (``zh``) and English (``en``): a short name, and the rule in words that a
        regulation could use.
    changes : mapping of str to value
        Patch of the scheme (`Scheme.patch`): only keys of ``[grades]``; None removes a key.
    by_merit : {"", "rest", "pool_tie"}
        What units of different pools compete for on a score that pools share: nothing, all places
        beyond the whole ones of each pool's share, or those for which pools tie.
    anchors : tuple of str
        Nodes of the scheme whose mean is that score.
    """

    id: str
    name: Mapping[str, str] = field(repr=False)
    text: Mapping[str, str] = field(repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict)
    by_merit: str = ""
    anchors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = Problems(f"rule '{self.id}'")
        for path in self.changes:
            if path.split(".")[0] != "grades":
                problems.add(f"'{path}'", "paths that begin with 'grades.'", column="changes")
        if self.by_merit not in BY_MERIT:
            problems.add(f"'{self.by_merit}'", suggest(self.by_merit, BY_MERIT), column="by_merit")
        elif self.by_merit and not self.anchors:
            problems.add("no anchors", "nodes on which pools can be compared", column="anchors")
        problems.raise_any(SchemeError)
        for name in ("name", "text", "changes"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def scheme(self, scheme: Scheme) -> Scheme:
        """The scheme with this rule.

        Raises
        ------
        SchemeError
            If the changed scheme has a problem.
        """
        return scheme.patch(self.changes)


def quota_rules(
    scheme: Scheme,
    *,
    anchors: Sequence[str] = (),
    carried: Mapping[str, float] | None = None,
    places: int | None = None,
    lot_seed: int = 0,
    pool: str = "group",
) -> dict[str, QuotaRule]:
    """Named variants of a scheme's quota rule.

    Parameters
    ----------
    scheme : Scheme
        With ``[grades]``.
    anchors : sequence of str
        Nodes on whose mean units of different pools can be compared, such as `scoring.anchors_of`
        finds in a year. Without any, the two rules by merit are left out.
    carried : mapping of str to float, optional
        Places owed to each pool from years before (`owed` computes them); adds ``carry_over``.
    places : int, optional
        Places of the best grade; by default those of the scheme.
    lot_seed : int
        From which the lot of ``tie_lot`` is drawn.
    pool : {"group", "class"}
        What places are spread over where the scheme itself compares all units.

    Returns
    -------
    dict of str to QuotaRule
        ``nominal`` first: the scheme as it is.

    Raises
    ------
    SchemeError
        With every problem: no grades, no places, unknown anchors.

    Examples
    --------
    >>> scheme = Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... [grades]
    ... levels.good = { places = 2 }
    ... levels.fair = {}
    ... ''')
    >>> list(quota_rules(scheme))[:4]
    ['nominal', 'hamilton', 'webster', 'dhondt']
    >>> dict(quota_rules(scheme)["webster"].changes)
    {'grades.method': 'webster'}
    """
    number, level = _places(scheme, places)
    nodes = tuple(anchors)
    _check_anchors(scheme, nodes, carried)
    base = _base(scheme, level, number, pool)
    table = dict(_variants(scheme, base, number, lot_seed))
    if carried:
        table["carry_over"] = base | {"grades.method": "hamilton", "grades.carried": dict(carried)}
    rules = {"nominal": _rule("nominal", {}, number)}
    rules |= {name: _rule(name, changes, number) for name, changes in table.items()}
    if nodes:
        called = merit({lang: [_called(scheme, n, lang) for n in nodes] for lang in ("zh", "en")})
        for name, by_merit in (("hybrid", "rest"), ("tie_next_candidate", "pool_tie")):
            rules[name] = _rule(name, base, number, by_merit, nodes, called)
    return rules


def _called(scheme: Scheme, node: str, lang: str) -> str:
    """Name of a node in the first class that has it, or of an indicator."""
    if node in scheme.document["indicators"]:
        return scheme.name(f"indicators.{node}", lang)
    owner = next(c for c in scheme.classes if node in scheme.parents(c))
    return scheme.name(f"classes.{owner}.nodes.{node}", lang)


def _rule(
    name: str,
    changes: Mapping[str, Any],
    number: int,
    by_merit: str = "",
    anchors: tuple[str, ...] = (),
    called: Mapping[str, str] = MappingProxyType({}),
) -> QuotaRule:
    values: dict[str, Any] = {"places": number}
    values |= {key.rpartition(".")[2]: value for key, value in changes.items()}
    text = filled(TEXTS[name], values, called)
    return QuotaRule(name, filled(NAMES[name], values), text, changes, by_merit, anchors)


def _places(scheme: Scheme, places: int | None) -> tuple[int, str]:
    """Places of the best grade, in all, and that grade."""
    problems = Problems(scheme.file)
    levels: Mapping[str, Mapping[str, Any]] = scheme.document.get("grades", {}).get("levels", {})
    given = next(iter(levels.values()))["places"] if _first_has_places(levels) else None
    found = sum(given.values()) if isinstance(given, Mapping) else given
    if not levels:
        problems.add("no grades", "a scheme with [grades]", row="grades")
    elif places is None and found is None:
        problems.add("no places", "places in the scheme, or the argument 'places'", row="grades")
    elif places is not None and (not is_whole(places) or places < 0):
        problems.add(repr(places), "a whole number of 0 or more", column="places")
    problems.raise_any(SchemeError)
    number = found if places is None else places
    assert number is not None  # for the type checker: refused above
    return int(number), next(iter(levels))


def _first_has_places(levels: Mapping[str, Mapping[str, Any]]) -> bool:
    return bool(levels) and "places" in next(iter(levels.values()))


def _check_anchors(
    scheme: Scheme, nodes: Iterable[str], carried: Mapping[str, float] | None
) -> None:
    problems = Problems(scheme.file)
    known = {n for c in scheme.classes for n in scheme.parents(c)}
    for node in nodes:
        if node not in known:
            problems.add(f"'{node}'", suggest(str(node), known), column="anchors")
    for pool, balance in (carried or {}).items():
        if not isinstance(balance, Real) or not isfinite(balance):
            problems.add(f"{balance!r} for '{pool}'", "a finite number", column="carried")
    problems.raise_any(SchemeError)


def _base(scheme: Scheme, level: str, number: int, pool: str) -> dict[str, Any]:
    """Changes that turn any scheme into one that spreads `number` places over small pools."""
    grades = scheme.document["grades"]
    changes: dict[str, Any] = {}
    if grades.get("rule", "quota") != "quota":
        changes["grades.rule"] = "quota"
    if grades["levels"][level].get("places") != number:
        changes[f"grades.levels.{level}.places"] = number
    if grades.get("pool", "group") == "all":
        changes["grades.pool"] = pool
    return changes | {f"grades.{key}": None for key in ("carried", "cap") if key in grades}


def _variants(
    scheme: Scheme, base: Mapping[str, Any], number: int, lot_seed: int
) -> Iterable[tuple[str, dict[str, Any]]]:
    """(id, patch) of every variant that a scheme can state by itself."""
    grades = scheme.document["grades"]
    for method in METHODS:
        yield method, {**base, "grades.method": method}
    other: Callable[[str, str, str], str] = lambda key, one, two: (  # noqa: E731
        two if grades.get(key, one) == one else one
    )
    yield "floor_one", {**base, "grades.floor": 1}
    yield "cap_two", {**base, "grades.cap": 2}
    yield "cap_eligible", {**base, "grades.cap": "eligible"}
    claims = other("claims", "before_vetoes", "after_vetoes")
    yield f"claims_{claims}", {**base, "grades.claims": claims}
    place = other("vetoed_place", "next", "unfilled")
    yield f"vetoed_place_{place}", {**base, "grades.vetoed_place": place}
    yield "tie_lot", {**base, "grades.pool_tie": "lot", "grades.lot_seed": lot_seed}
    for name, pool in (("by_class", "class"), ("pooled", "all")):
        # what floors and caps say of groups says nothing of classes
        gone = {f"grades.{key}": None for key in ("floor",) if key in grades}
        yield name, {**base, **gone, "grades.pool": pool}


def chosen(
    rules: Mapping[str, QuotaRule], wanted: Iterable[str | QuotaRule] | None
) -> dict[str, QuotaRule]:
    """Rules asked for by name or given as they are, the nominal one always first.

    Raises
    ------
    SchemeError
        With every name that is not known, and every name that stands twice.
    """
    if wanted is None:
        return dict(rules)
    problems = Problems("rules")
    found = {"nominal": rules["nominal"]}
    listed = [wanted] if isinstance(wanted, str | QuotaRule) else list(wanted)
    for one in listed:
        rule = one if isinstance(one, QuotaRule) else rules.get(one)
        if rule is None:
            problems.add(f"'{one}'", suggest(str(one), rules))
        elif rule.id in found and found[rule.id] is not rule:
            problems.add(f"another rule named '{rule.id}'", "each name once")
        else:
            found[rule.id] = rule
    problems.raise_any(SchemeError)
    return found
