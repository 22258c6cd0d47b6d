"""Rules at work: one compiled year, graded under many rules without scoring it again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading
from perfmethod.core import blocks
from perfmethod.draws import Draws
from perfmethod.errors import DataError, InputError, Problem
from perfmethod.places.rules import QuotaRule
from perfmethod.scoring.levels import apportioned, steps, terms, words
from perfmethod.scoring.plan import Plan, ceilings, compile_year, pools_of
from perfmethod.scoring.run import Scored, score
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

__all__ = ["Applied", "Field", "applied", "drawn", "field_of", "merit_of"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Field(NamedTuple):
    """What units compete with: totals as they are compared, scores that break ties, merit.

    Parameters
    ----------
    totals : ndarray (..., u)
    keys : tuple of ndarray (..., u)
    merit : mapping of tuple of str to ndarray (..., u)
        By the anchors on whose mean it rests.
    """

    totals: Array
    keys: tuple[Array, ...]
    merit: Mapping[tuple[str, ...], Array]


class Outcome(NamedTuple):
    """Grades under a rule.

    Parameters
    ----------
    codes : ndarray of int8 (..., u)
        Position of the grade, 0 the best.
    tied : ndarray of bool (..., u)
        Units tied for too few places, inside a pool or on merit.
    """

    codes: NDArray[np.int8]
    tied: Bools


@dataclass(frozen=True)
class Applied:
    """A rule on a year.

    Parameters
    ----------
    rule : QuotaRule
    plan : Plan
        The compiled year under the rule's scheme.
    table : Apportionment or None
        Places of the best grade by pool before ties of pools are settled; None where the scheme
        gives them pool by pool, or no places.
    """

    rule: QuotaRule
    plan: Plan = field(repr=False)
    table: grading.Apportionment | None

    @property
    def levels(self) -> tuple[str, ...]:
        """Grades, best first."""
        return tuple(self.plan.scheme.document["grades"]["levels"])

    @property
    def places(self) -> int | None:
        """Places of the best grade, in all; None where there is no quota."""
        if self.table is not None:
            return sum(self.table.seats) + self.table.contested
        step = self._steps()[0]
        return None if step.places is None else int(np.sum(step.places))

    def _steps(self) -> list[grading.Step]:
        return steps(self.plan, Slots(self.plan.scheme))

    def grade(self, field: Field) -> Outcome:
        """Grade the units of a field; its draws, if any, lead."""
        ladder, how = self._steps(), words(self.plan) | {"keys": field.keys}
        if not self.rule.by_merit or self.table is None:
            found = grading.assign(field.totals, self.plan.pools, ladder, **how)
            return Outcome(found.codes, found.edge_tied)
        merit = field.merit[self.rule.anchors]
        if self.rule.by_merit == "pool_tie":
            done = grading.next_candidates(
                field.totals, self.plan.pools, ladder, self.table, merit, **how
            )
        else:
            right = whole_shares(self.table)
            ladder[0] = ladder[0]._replace(places=right)
            rest = int(self.places or 0) - int(right.sum())
            done = grading.right_and_merit(
                field.totals, self.plan.pools, ladder, rest, merit, **how
            )
        return Outcome(done.graded.codes, done.graded.edge_tied | done.merit_tied)


def whole_shares(table: grading.Apportionment) -> NDArray[np.int64]:
    """Whole parts of the exact shares: what every pool has by right."""
    return np.array([int(share // Fraction(1)) for share in table.shares], dtype=np.int64)


def applied(
    year: Year, plan: Plan, rules: Mapping[str, QuotaRule], *, spare: Collection[str] = ()
) -> tuple[dict[str, Applied], dict[str, str]]:
    """Put rules on a compiled year.

    Parameters
    ----------
    year : Year
    plan : Plan
        The year, compiled.
    rules : mapping of str to QuotaRule
    spare : collection of str
        Rules that are left out where they do not fit the year.

    Returns
    -------
    rules : dict of str to Applied
    left_out : dict of str to str
        What does not fit, by spare rule.

    Raises
    ------
    InputError
        With every problem of every rule, and every group that has no unit.
    """
    problems: list[Problem] = list(_empty_groups(year))
    found: dict[str, Applied] = {}
    left_out: dict[str, str] = {}
    for name, rule in rules.items():
        try:
            under = year.with_scheme(rule.scheme(year.scheme))
            found[name] = _applied(under, plan, rule)
        except InputError as error:
            if name in spare:
                left_out[name] = "; ".join(
                    f"{p.found}; allowed: {p.allowed}" for p in error.problems
                )
                continue
            problems += [replace(p, file=f"rule '{name}', {p.file}") for p in error.problems]
    if problems:
        raise DataError(problems)
    return found, left_out


def _empty_groups(year: Year) -> Iterable[Problem]:
    used = set(year.units["group"].dropna())
    for group in year.groups["group"]:
        if group not in used:
            found = f"group '{group}' without units"
            yield Problem("groups", str(group), None, found, "groups that have units")


def _applied(year: Year, plan: Plan, rule: QuotaRule) -> Applied:
    scheme = year.scheme
    pools, names = pools_of(scheme, year.units)
    mine = replace(
        plan, scheme=scheme, pools=pools, pool_names=names, ceiling=ceilings(year, plan.units)
    )
    level = next(iter(scheme.document["grades"]["levels"]))
    quota = scheme.document["grades"].get("rule", "quota") == "quota"
    table = None
    if quota and f"grades.levels.{level}.places" in scheme.numbers:
        table = apportioned(mine, terms(mine, Slots(scheme), level)[1][0])
    return Applied(rule, mine, table)


def field_of(plan: Plan, scored: Scored, anchors: Iterable[tuple[str, ...]]) -> Field:
    """Totals, keys and merit of a scored year."""
    shape = scored.compared.shape
    merit = {a: merit_of(plan, scored, a) for a in set(anchors)}
    return Field(scored.compared, scored.keys, {a: _full(m, shape) for a, m in merit.items()})


def _full(values: Array, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(values, shape)


def merit_of(plan: Plan, scored: Scored, anchors: Sequence[str]) -> Array:
    """Mean of the anchors' scores (..., u) over those a unit has; NaN where it has none."""
    stacked = []
    for node in anchors:
        parts = [
            (part.units, result.nodes[part.tree.names.index(node)])
            for part, result in zip(plan.classes, scored.classes, strict=True)
            if node in part.tree.names
        ]
        lead = np.broadcast_shapes(*(values.shape[:-1] for _, values in parts)) if parts else ()
        column = np.full((*lead, len(plan.units)), np.nan)
        for units, values in parts:
            column[..., units] = values
        stacked.append(column)
    table = np.stack(np.broadcast_arrays(*stacked))
    known = ~np.isnan(table)
    count = known.sum(0)
    total = np.where(known, table, 0.0).sum(0)
    mean: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return np.round(mean, 9)  # scores that sums of floats cannot tell apart are equal


def drawn(year: Year, draws: Draws, anchors: Iterable[tuple[str, ...]]) -> Field:
    """Score a year in every draw: the same steps as for one evaluation, block by block."""
    plan, wanted, memory = compile_year(year), tuple(set(anchors)), {}  # type: ignore[var-annotated]
    parts = []
    for part in blocks(draws.size):
        slots = Slots(plan.scheme, draws.block(part), memory)
        size = part.stop - part.start
        found = field_of(plan, score(plan, slots), wanted)
        shape = (size, len(plan.units))
        parts.append(
            Field(
                np.broadcast_to(found.totals, shape),
                tuple(np.broadcast_to(k, shape) for k in found.keys),
                {a: np.broadcast_to(m, shape) for a, m in found.merit.items()},
            )
        )
    return Field(
        np.concatenate([p.totals for p in parts]),
        tuple(np.concatenate(k) for k in zip(*(p.keys for p in parts), strict=True)),
        {a: np.concatenate([p.merit[a] for p in parts]) for a in wanted},
    )
