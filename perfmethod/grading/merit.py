"""Places that pools cannot settle among themselves, given by a score that pools share.

A total is comparable inside a pool. Where a place goes to one pool or another, units are compared
on a merit score instead, one that means the same in every pool (an anchor).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.grading.apportionment import Apportionment
from perfmethod.grading.places import Graded, Step, assign
from perfmethod.grading.ranking import pool_codes

__all__ = ["ByMerit", "next_candidates", "right_and_merit"]

Bools = NDArray[np.bool_]


class ByMerit(NamedTuple):
    """Grades, and who owes the best one to merit rather than to the pool's own places.

    Parameters
    ----------
    graded : Graded
        `unfilled` counts the pools' own places.
    by_merit : ndarray of bool (..., u)
    merit_tied : ndarray of bool (..., u)
        Units tied on merit for places too few for all of them.
    """

    graded: Graded
    by_merit: Bools
    merit_tied: Bools


def right_and_merit(
    totals: ArrayLike,
    pools: ArrayLike,
    steps: Sequence[Step],
    rest: int,
    merit: ArrayLike,
    *,
    keys: Sequence[ArrayLike] = (),
    ceiling: ArrayLike | None = None,
    edge_tie: str = "none_in",
    vetoed_place: str = "next",
) -> ByMerit:
    """Places by right inside the pools, then the rest to the best units left, pools together.

    Parameters
    ----------
    totals, pools, steps, keys, ceiling, edge_tie, vetoed_place
        As for `assign`; the places of the first step are those that pools have by right.
    rest : int
        Further places of the first step, for the best on `merit` among all units left that
        qualify and that no veto keeps out. A tie on merit is broken by `keys`, then `edge_tie`.
    merit : array_like (..., u)
        Scores comparable across pools; a unit without one (NaN) gets no place by merit.

    Returns
    -------
    ByMerit

    Raises
    ------
    ValueError
        As for `assign`; also if `rest` is negative.

    Examples
    --------
    Two pools have one place by right each; unit 1 is better than unit 4 on merit:

    >>> steps = [Step(places=[1, 1]), Step()]
    >>> found = right_and_merit([90, 80, 70, 95, 85], [0, 0, 0, 1, 1], steps, 1, [3, 2, 1, 5, 1])
    >>> found.graded.codes.tolist(), found.by_merit.tolist()
    ([0, 0, 1, 0, 1], [False, True, False, False, False])
    """
    how: dict[str, Any] = {"ceiling": ceiling, "edge_tie": edge_tie, "vetoed_place": vetoed_place}
    first = assign(totals, pools, steps, keys=keys, **how)
    open_to = (first.codes > 0) & _qualified(totals, steps[0], ceiling)
    winners, tied = _best(merit, open_to, rest, keys, edge_tie)
    if not winners.any():
        return ByMerit(first, winners, tied)
    # the winners step aside, so that grades with places of their own are filled without them
    height = np.where(winners, -np.inf, np.asarray(totals, float))
    again = assign(height, pools, steps, keys=keys, **how)
    codes = np.where(winners, 0, again.codes).astype(np.int8)
    graded = Graded(codes, again.edge_tied & ~winners, again.unfilled.copy(),
                    again.forfeited.copy())  # fmt: skip
    return ByMerit(graded, winners, tied)


def next_candidates(
    totals: ArrayLike,
    pools: ArrayLike,
    steps: Sequence[Step],
    table: Apportionment,
    merit: ArrayLike,
    *,
    keys: Sequence[ArrayLike] = (),
    ceiling: ArrayLike | None = None,
    edge_tie: str = "none_in",
    vetoed_place: str = "next",
) -> ByMerit:
    """Contested places to those tied pools whose next candidate is best on a merit score.

    Parameters
    ----------
    totals, pools, steps, keys, ceiling, edge_tie, vetoed_place
        As for `assign`; the places of the first step are those of `table`, whatever they are.
    table : Apportionment
        Places of the first step, and the pools that tie for the contested ones.
    merit : array_like (..., u)
        Scores comparable across pools; a candidate without one (NaN) comes last.

    Returns
    -------
    ByMerit
        `by_merit` marks candidates that brought their pool the place. Where candidates tie on
        merit and `keys`, the place stays unfilled.

    Raises
    ------
    ValueError
        As for `assign`.

    Examples
    --------
    >>> from perfmethod.grading import apportion
    >>> table = apportion([2, 2], 3)
    >>> found = next_candidates([90, 80, 95, 85], [0, 0, 1, 1], [Step(), Step()], table,
    ...                         [9, 8, 9, 7])
    >>> found.graded.codes.tolist()
    [0, 0, 0, 1]
    """
    how: dict[str, Any] = {"keys": keys, "ceiling": ceiling, "edge_tie": edge_tie,
                           "vetoed_place": vetoed_place}  # fmt: skip
    seats = np.asarray(table.seats, np.int64)
    ladder = list(steps)
    first = assign(totals, pools, [ladder[0]._replace(places=seats), *ladder[1:]], **how)
    nobody = np.zeros(first.codes.shape, dtype=bool)
    if not table.tied:
        return ByMerit(first, nobody, nobody)
    codes = pool_codes(pools, first.codes.shape[-1])
    more = seats + np.isin(np.arange(seats.size), table.tied)
    wider = assign(totals, pools, [ladder[0]._replace(places=more), *ladder[1:]], **how)
    candidates = (wider.codes == 0) & (first.codes > 0)
    value = np.nan_to_num(np.asarray(merit, float), nan=-np.inf)
    winners, tied = _best(value, candidates, table.contested, keys, "none_in")
    won = np.stack([(winners & (codes == p)).any(-1) for p in range(seats.size)], axis=-1)
    last = [ladder[0]._replace(places=seats + won), *ladder[1:]]
    return ByMerit(assign(totals, pools, last, **how), winners, tied)


def _qualified(totals: ArrayLike, step: Step, ceiling: ArrayLike | None) -> Bools:
    """Units that may hold the first step: no veto in the way, total high enough."""
    height = np.asarray(totals, float)
    fine = np.ones(height.shape, dtype=bool)
    if step.least is not None:
        fine &= height >= np.asarray(step.least, float)[..., None]
    return fine if ceiling is None else fine & (np.asarray(ceiling) == 0)


def _best(
    merit: ArrayLike, among: Bools, places: int, keys: Sequence[ArrayLike], edge_tie: str
) -> tuple[Bools, Bools]:
    """The best on merit among some units, and who ties for too few places."""
    if places < 0:
        raise ValueError(f"{places} places by merit; 0 or more are needed")
    value = np.asarray(merit, float)
    known = among & ~np.isnan(value)
    steps = [Step(places=[places]), Step()]
    u = among.shape[-1]
    found = assign(
        np.where(known, value, -np.inf), np.zeros(u, np.int64), steps, keys=keys,
        ceiling=np.where(known, 0, 1), edge_tie=edge_tie,
    )  # fmt: skip
    return (found.codes == 0) & known, found.edge_tied & known
