"""Counts of one block of draws: ranks, grades, orders, and where each unit does best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.compiled import ready
from perfmethod.draws import Block
from perfmethod.scoring.ordering import copies
from perfmethod.scoring.quick import Ranked

__all__ = ["Counter", "Favorable", "Nominal", "count"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Nominal(NamedTuple):
    """What the scheme itself gives: rank (u,), and who holds the best grade (u,)."""

    rank: Ints
    best: NDArray[np.bool_]


class Favorable(NamedTuple):
    """Weights of the draws in which each unit has its best rank.

    Parameters
    ----------
    paths : tuple of str (p,)
    best : ndarray of int (u,)
        Best rank in any draw.
    draws : ndarray of int (u,)
        Draws with that rank.
    sums, squares : ndarray (u, p)
        Sums over these draws of each family's shares, and of their squares.
    """

    paths: tuple[str, ...]
    best: Ints
    draws: Ints
    sums: Array
    squares: Array

    def __add__(self, other: object) -> Favorable:
        assert isinstance(other, Favorable)
        mine, theirs = self.best <= other.best, other.best <= self.best

        def both(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
            shape = (-1,) + (1,) * (a.ndim - 1)
            return a * mine.reshape(shape) + b * theirs.reshape(shape)

        return Favorable(
            self.paths,
            np.minimum(self.best, other.best),
            both(self.draws, other.draws),
            both(self.sums, other.sums),
            both(self.squares, other.squares),
        )


class Counter(NamedTuple):
    """What is counted, and against what."""

    nominal: Nominal
    center: Array  # (u,) totals under the scheme itself
    away: Ints  # (r, u) distance of each rank from the nominal one
    levels: int
    pairs: tuple[Ints, ...] | None  # units of each class
    families: tuple[tuple[str, ...], ...]


def count(counter: Counter, block: Ranked, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Counts of one block; in the order of the fields of `Tally`."""
    good, u = ~block.failed, len(counter.nominal.rank)
    whole = bool(good.all())
    grades, same = _grades(block, good, counter)
    some = slice(None) if whole else good
    total = block.total[some]
    change = np.subtract(total, copies(counter.center, len(total)), out=np.empty(total.shape))
    ranks, shift = _places(block, counter)
    shift = shift[some]
    wins = ties = first = None
    if counter.pairs is not None:
        wins, ties = _orders(block.rank[some], counter.pairs, u)
    if counter.families:
        first = _favorable(block.rank[some], good, values, counter.families)
    ones = np.ones(len(change))
    sums = ones @ change
    return (
        len(change), ranks, grades, wins, ties, sums,
        ones @ np.multiply(change, change, out=change), same, int(shift.sum()),
        int(shift @ shift), first,
    )  # fmt: skip


def _places(block: Ranked, counter: Counter) -> tuple[Ints, Ints]:
    """Counts of ranks, (u, r), and sums over units of |rank - nominal rank|, (k,).

    Both straight from the order, for draws in which no two units tie.
    """
    places, u = counter.away.shape
    counts, shift = _untied(block, counter.away)
    if len(block.corrected):
        rank = block.corrected[block.corrected[:, 0] > 0]
        cell = (rank.astype(np.int64) - 1) * u + np.arange(u)
        counts = counts + np.bincount(cell.ravel(), minlength=u * places).reshape(places, u)
        shift[block.full] = np.abs(block.corrected - counter.nominal.rank).sum(-1)
    return counts.T, shift


def _untied(block: Ranked, away: Ints) -> tuple[Ints, Ints]:
    """Counts (r, u) over the draws that the order alone tells, and shifts (k,) in all."""
    places, u = away.shape
    loops, units = ready(), block.order.units
    if loops is not None and units.dtype == np.uint16:
        counts, shift = np.zeros((places, u), np.int64), np.empty(len(units), np.int64)
        loops.count_places(units, block.order.places.astype(np.int64) - 1, away, block.full,
                           counts, shift)  # fmt: skip
        return counts, shift
    cell = block.order.cells()
    plain = cell if not len(block.corrected) else cell[~block.full]
    counts = np.bincount(plain.ravel(), minlength=u * places).reshape(places, u)
    # sums of whole numbers are exact in floating point, and much quicker
    return counts, (away.astype(float).ravel().take(cell) @ np.ones(u)).astype(np.int64)


def _grades(block: Ranked, good: NDArray[np.bool_], counter: Counter) -> tuple[Ints | None, int]:
    if block.grade is None:
        return None, int(good.sum())
    counts = [(block.grade == g).sum(0) for g in range(counter.levels)]
    same = ((block.grade == 0) == counter.nominal.best).all(-1) & good
    return np.stack(counts, -1).astype(np.int64), int(same.sum())


def _orders(rank: NDArray[np.int16], classes: tuple[Ints, ...], u: int) -> tuple[Ints, Ints]:
    """Count who ranks above whom inside each class, and who shares a rank."""
    wins, ties = np.zeros((u, u), np.int64), np.zeros((u, u), np.int64)
    for units in classes:
        here = _above(rank[:, units].T)
        wins[np.ix_(units, units)] = here
        ties[np.ix_(units, units)] = len(rank) - here - here.T
    np.fill_diagonal(ties, 0)
    return wins, ties


def _above(rank: NDArray[np.int16]) -> Ints:
    """Draws in which a unit ranks above another, (n, n), from ranks (n, k)."""
    n, k = rank.shape
    here = np.empty((n, n), np.int64)
    loops = ready()
    if loops is not None:
        loops.count_above(np.ascontiguousarray(rank), here)
        return here
    part = np.zeros((n, -(-k // 8) * 8), dtype=rank.dtype)
    part[:, :k] = rank
    for i, mine in enumerate(part):
        here[i] = _trues(part > mine)
    return here


def _trues(found: NDArray[np.bool_]) -> Ints:
    """Count by row (n, 8 m): eight bytes at a time, at most 255 in each, which is quicker."""
    words = found.view(np.uint64)
    parts = range(0, words.shape[1], 255)
    sums = [words[:, i : i + 255].sum(1, dtype=np.uint64).view(np.uint8) for i in parts]
    return np.sum([s.reshape(len(found), 8).sum(1, dtype=np.int64) for s in sums], axis=0)


def _favorable(
    rank: NDArray[np.int16],
    good: NDArray[np.bool_],
    values: Mapping[str, Any],
    families: tuple[tuple[str, ...], ...],
) -> Favorable:
    """Sum the shares of the draws in which each unit has its best rank of the block."""
    paths = tuple(path for family in families for path in family)
    if not len(rank):
        u, p = rank.shape[1], len(paths)
        far = np.full(u, np.iinfo(np.int64).max)
        return Favorable(paths, far, np.zeros(u, np.int64), np.zeros((u, p)), np.zeros((u, p)))
    shares = np.concatenate([_shares(values, family)[good] for family in families], axis=1)
    best = rank.min(0)
    there = (rank == best).astype(float)
    return Favorable(
        paths,
        best.astype(np.int64),
        there.sum(0).astype(np.int64),
        there.T @ shares,
        there.T @ (shares * shares),
    )


def _shares(values: Mapping[str, Any], family: tuple[str, ...]) -> Array:
    if isinstance(values, Block) and all(p in values.columns for p in family):
        weights = values.table[:, [values.columns[p] for p in family]]
    else:
        weights = np.stack([np.asarray(values[p], float) for p in family], axis=1)
    shares: Array = weights / weights.sum(1, keepdims=True)
    return shares
