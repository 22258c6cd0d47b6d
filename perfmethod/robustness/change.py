"""The smallest change of weights that changes the list, with the changed weights as certificate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.robustness.changed import WeightChange, weights_table
from perfmethod.robustness.contest import Contest, Pool, contest
from perfmethod.robustness.counting import nearest_count, nearest_of_pairs
from perfmethod.robustness.crossing import Meeting, defined, nearest_meeting
from perfmethod.robustness.family import Family, family
from perfmethod.robustness.norms import NORMS
from perfmethod.robustness.polytope import Polytope
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.sums import meeting_bounds
from perfmethod.robustness.texts import INSTEAD, effects
from perfmethod.scoring import simulate
from perfmethod.scoring.run import SAME

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation, Simulation

__all__ = ["BEYOND", "smallest_change"]

Array = NDArray[np.float64]

# points by which the certificate's totals are past the tie: the first that scoring shows
BEYOND = (1e-6, 1e-4)
CLOSE = 1e-9  # relative distance between a result and its proven bound
HAIR = 1e-6  # by which the certificate may be farther than the nearest weights past the tie
INSIDE = 1e-6  # relative distance from the tie at which the list has to be as it was


def smallest_change(
    evaluation: Evaluation,
    names: str | Sequence[str],
    *,
    pair: tuple[str, str] | None = None,
    unit: str | None = None,
    norm: str = "l1",
    within: Polytope | None = None,
    lang: str = "en",
) -> WeightChange:
    r"""Find the smallest change of weights that swaps a pair, moves a unit or changes the list.

    The size is measured on shares (each family's weights sum to one), and all other weights stay as
    they are. Where totals are linear in the weights, or the units compared have the same children,
    the answer is one linear program (l1, linf) or one projection (l2). Where units that lack a
    child redistribute its weight, totals are ratios with different denominators, and a branch and
    bound over the level at which they meet closes the gap between the weights found and a proven
    bound to a relative 1e-9. Searches are limited (by programs solved, so that the result does not
    depend on the machine): one that comes to its limit says so (`WeightChange.proven`). Weights
    that leave any unit less than a thousandth of what now lies on its own children are left out:
    with nothing left its total is not defined.

    The best grade goes by the scheme's own rule. It changes hands in a pool when a unit with a
    place and one without tie (or when one meets the least total): the smallest of these distances
    is exact for the set of holders, whatever the number of places, vetoes and pools. Units whose
    indicators hang in several nodes, so that their totals are sums of ratios, are shown not to
    change places nearer than that (`meeting_bounds`); where that cannot be shown, the question is
    refused.

    Parameters
    ----------
    evaluation : Evaluation
    names : str or sequence of str
        A family of `families`, or several to be varied together (see `family`).
    pair : (str, str), optional
        Two units whose order by total turns round.
    unit : str, optional
        A unit that comes to hold the best grade, or loses it. Without pair and unit: any change of
        who holds it.
    norm : {"l1", "l2", "linf"}
        Sum of absolute changes, Euclidean length, largest change.
    within : Polytope, optional
        From `Family.within`; by default all weights that are not negative.
    lang : {"en", "zh"}
        Language of the effect's text.

    Returns
    -------
    WeightChange

    Raises
    ------
    PerfmethodError
        If a name is not known, the family is not offered, several ratios decide, or the nominal
        weights lie outside `within`.

    References
    ----------
    Triantaphyllou & Sanchez (1997), *Decision Sciences* 28, 151-194, for one weight at a time;
    Ringuest, "Lp-metric sensitivity analysis for single and multi-attribute decision analysis",
    *European Journal of Operational Research* 98 (1997), 563-570, for all at once.

    Examples
    --------
    >>> import pandas as pd, perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 70]}))
    >>> smallest_change(pm.evaluate(year), "city", pair=("A", "B"))
    <WeightChange of 0.2 (l1, city): A and B change places, confirmed by scoring>
    """
    if norm not in NORMS:
        raise PerfmethodError(f"found norm '{norm}'; allowed: {suggest(norm, NORMS)}")
    if pair is not None and unit is not None:
        raise PerfmethodError("found both a pair and a unit; allowed: one of them, or neither")
    found = family(evaluation, *([names] if isinstance(names, str) else names))
    polytope = found.within() if within is None else within
    if not polytope.contains(found.share):
        raise PerfmethodError(
            f"found nominal weights {found.share.round(6).tolist()} outside the allowed ones; "
            "allowed: bounds and an order that the nominal weights satisfy"
        )
    task = _Task(evaluation, found, polytope, norm, lang)
    if pair is not None:
        return task.swap(*(_position(evaluation, u) for u in pair))
    return task.any_holder() if unit is None else task.holder(_position(evaluation, unit))


def _position(evaluation: Evaluation, unit: str) -> int:
    units = evaluation._plan.units
    if unit not in units:
        raise PerfmethodError(f"found no unit '{unit}'; allowed: {suggest(unit, units)}")
    return units.index(unit)


class _Way(NamedTuple):
    """Units that shall be above others, the last unit of the totals being a threshold."""

    above: tuple[int, ...]
    below: tuple[int, ...]


class _Task:
    """One question about one family of weights."""

    def __init__(
        self, evaluation: Evaluation, found: Family, polytope: Polytope, norm: str, lang: str
    ) -> None:
        self.evaluation, self.found = evaluation, found
        self.polytope, self.norm = polytope, norm
        self.said, self.lang = effects(lang), lang
        self.least = len(found.units)  # the threshold, as one more unit
        self.rules: Contest | None = None
        self.totals: Ratios = found.totals

    def _grades(self) -> Contest:
        self.rules = contest(self.evaluation)
        least = next((p.least for p in self.rules.pools if p.least is not None), 0.0)
        self.totals = self.found.totals.and_fixed(least)
        return self.rules

    def swap(self, i: int, j: int) -> WeightChange:
        """The order of two units turns round."""
        self._single([i, j])
        now = self.totals.at(self.found.share)
        high, low = (i, j) if now[i] >= now[j] else (j, i)
        units = self.found.units
        way = _Way((low,), (high,))
        meeting = self._meet(way)
        effect = self.said["swap"].format(units[high], units[low])
        return self._result(effect, meeting, way, lambda s: _order(s, high, low))

    def any_holder(self) -> WeightChange:
        """Somebody else holds the best grade."""
        rules = self._grades()
        pairs = [p for pool in rules.pools for p in pool.pairs()]
        for pool in rules.pools:
            for u, held in pool.thresholds():
                pairs.append((u, self.least) if held else (self.least, u))
        single = self.totals.single
        sums = [p for p in pairs if not single[list(p)].all()]
        least = self._earliest(sums)
        pairs = [p for p in pairs if p not in set(sums)]
        self._single(sorted({u for p in pairs for u in p}))
        meeting, which = nearest_of_pairs(
            self.totals, self.found.share, self._apart(pairs), self.polytope, self.norm
        )
        meeting = self._beyond(meeting, least, [u for p in sums for u in p if not single[u]])
        way = None if which is None else _Way((which[1],), (which[0],))
        effect = self.said["any"].format(self._grade(rules))
        if which is not None:
            effect = self.said["who"].format(effect, *map(self._name, reversed(which)))
        return self._result(effect, meeting, way, lambda s: s.grade == 0)

    def holder(self, unit: int) -> WeightChange:
        """One unit comes to hold the best grade, or loses it."""
        rules = self._grades()
        held, pool = unit in rules.holders, rules.pool_of(unit)
        told = self.said["leaves" if held else "enters"]
        effect = told.format(self._name(unit), self._grade(rules))
        if pool is None or (pool.places == 0):
            return self._result(effect, Meeting(np.inf, np.inf, None, 0), None, _holder(unit))
        single, now = self.totals.single, self.totals.at(self.found.share)
        sums = [int(o) for o in pool.rivals if not single[o] and o != unit]
        above = [o for o in sums if now[o] > now[unit]]
        least = self._earliest([(o, unit) if o in above else (unit, o) for o in sums])
        others = [int(o) for o in pool.rivals if single[o] and o != unit]
        self._single([unit, *others])
        if held:
            meeting, way = self._leave(unit, pool, others, len(above))
        else:
            meeting, way = self._enter(unit, pool, others, len(sums) - len(above))
        meeting = self._beyond(meeting, least, sums)
        return self._result(effect, meeting, way, _holder(unit))

    def _leave(
        self, unit: int, pool: Pool, others: list[int], above: int
    ) -> tuple[Meeting, _Way | None]:
        """Enough rivals come above the unit, or its total falls below the least one.

        Rivals other than `others` stay where they are, some of them above the unit.
        """
        options: list[tuple[Meeting, _Way]] = []
        if pool.least is not None:
            way = _Way((self.least,), (unit,))
            options.append((self._meet(way), way))
        if pool.places is not None:
            meeting, taken = nearest_count(self.totals, self.found.share, unit, others,
                                           pool.places - above, self.polytope, self.norm)  # fmt: skip  # noqa: E501
            options.append((meeting, _Way(taken, (unit,))))
        lower = min(meeting.lower for meeting, _ in options)
        best, way = min(options, key=lambda o: o[0].distance)
        return best._replace(lower=lower), way

    def _enter(
        self, unit: int, pool: Pool, others: list[int], below: int
    ) -> tuple[Meeting, _Way | None]:
        """The unit comes above enough rivals, and reaches the least total; see `_leave`."""
        also = [] if pool.least is None else [self.least]
        rivals = len(pool.rivals) - 1
        need = 0 if pool.places is None else max(rivals - pool.places + 1 - below, 0)
        meeting, taken = nearest_count(self.totals, self.found.share, unit, others, need,
                                       self.polytope, self.norm, rise=True, also=also)  # fmt: skip
        return meeting, _Way((unit,), (*also, *taken))

    def _meet(self, way: _Way, margin: float = 0.0, near: Array | None = None) -> Meeting:
        gap = CLOSE if near is None else HAIR
        return nearest_meeting(self.totals, self.found.share, way.above, way.below, self.polytope,
                               self.norm, margin=margin, gap=gap, near=near)  # fmt: skip

    def _apart(self, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Pairs without those whose totals are the same whatever the weights."""
        kept = []
        for i, j in pairs:
            line = self.totals.difference(i, j)
            if line is None or np.abs(line[0]).max() > 1e-9:
                kept.append((i, j))
        return kept

    def _earliest(self, pairs: list[tuple[int, int]]) -> float:
        """Distance below which none of some pairs ties, several ratios or not."""
        one = self.found
        return float(
            meeting_bounds(self.totals, one.share, pairs, self.norm, one.code).min(initial=np.inf)
        )

    def _beyond(self, meeting: Meeting, least: float, units: list[int]) -> Meeting:
        """The meeting, if it is nearer than any with units that have several ratios."""
        if meeting.distance > least:
            self._refuse(units, f", who may change places from a distance of {least:.6g}")
        return meeting._replace(lower=min(meeting.lower, least))

    def _refuse(self, units: list[int], more: str = "") -> None:
        raise PerfmethodError(
            f"found that weights of {self.found.name} count in several nodes of "
            f"{[self._name(u) for u in dict.fromkeys(units)][:5]}{more}; allowed here: one node "
            f"per unit. {INSTEAD}"
        )

    def _single(self, units: list[int]) -> None:
        """Refuse units with several ratios; keep the others out of the totals' way."""
        if bad := [u for u in units if not self.totals.single[u]]:
            self._refuse(bad)
        varied = self.totals.single
        if not varied.all():  # constants for the rest: nothing asks for them
            num = np.where(varied[:, None], self.totals.num, 0.0)
            self.totals = Ratios(self.totals.const, num, self.totals.den)
        self.polytope = defined(self.totals, self.found.share, self.polytope)

    def _name(self, unit: int) -> str:
        return self.said["least"] if unit == self.least else self.found.units[unit]

    def _grade(self, rules: Contest) -> str:
        """The best grade, by its identifier in English."""
        if self.lang == "en":
            return rules.grade
        return self.evaluation.year.scheme.name(f"grades.levels.{rules.grade}", self.lang)

    def _result(self, effect: str, meeting: Meeting, way: _Way | None, state: Any) -> WeightChange:
        one = self.found
        after, confirmed = np.full(one.share.size, np.nan), False
        if meeting.share is not None and way is not None:
            after, confirmed = self._certificate(meeting.share, way, state)
        return WeightChange(
            effect,
            one.name,
            self.norm,
            meeting.distance if meeting.share is not None else np.inf,
            meeting.lower,
            weights_table(one, after),
            confirmed,
            self.evaluation.year.meta,
        )

    def _certificate(self, tie: Array, way: _Way, state: Any) -> tuple[Array, bool]:
        """Weights just past the tie, and whether scoring shows the effect."""
        after = tie
        for margin in BEYOND:
            past = self._meet(way, margin, tie)
            if past.share is not None:
                after = np.clip(past.share, 0.0, None)
                if self._confirmed(tie, after, state):
                    return after, True
        return after, False

    def _confirmed(self, tie: Array, after: Array, state: Any) -> bool:
        """Score the year before the tie and with the new weights."""
        start = self.found.share
        before = start + (1 - INSIDE) * (tie - start)
        points = np.stack([start, before, after])
        nominal, inside, past = state(simulate(self.evaluation.year, self.found.patch(points)))
        return bool(np.array_equal(nominal, inside) and not np.array_equal(nominal, past))


def _order(s: Simulation, high: int, low: int) -> Any:
    return np.round(s.total[:, [high]] - s.total[:, [low]], SAME) >= 0


def _holder(unit: int) -> Any:
    return lambda s: s.grade[:, [unit]] == 0
