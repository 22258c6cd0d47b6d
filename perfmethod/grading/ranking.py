"""Ranks by competition (1, 1, 3), ties broken by written keys only and shared where they end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["rank", "ties"]


def rank(
    totals: ArrayLike, keys: Sequence[ArrayLike] = (), *, by: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Rank units from the highest total down; equal units share the better rank.

    Parameters
    ----------
    totals : array_like (..., u)
        Totals, unrounded: two are tied only when they are exactly equal.
    keys : sequence of array_like (..., u), default ()
        What tied units are compared on, in turn; higher is better. A missing key (NaN) comes after
        every number, and units that both miss it stay tied on it.
    by : array_like of int (u,), optional
        Pool codes 0, 1, ...; ranks are then counted inside each pool.

    Returns
    -------
    ndarray of int (..., u)
        Ranks from 1. Units tied on the total and on every key have the same rank, and the next
        rank is left out for each of them but one. Leading axes broadcast.

    Raises
    ------
    ValueError
        If a total is NaN, or a pool code is negative or not whole.

    Examples
    --------
    >>> rank([90, 95, 90, 80])
    array([2, 1, 2, 4])
    >>> rank([90, 95, 90, 80], keys=[[50, 40, 55, 60]])
    array([3, 1, 2, 4])
    >>> rank([90, 95, 90, 80], by=[0, 0, 1, 1])
    array([2, 1, 1, 2])
    """
    order, first = _sorted(_checked(totals), [np.asarray(key, float) for key in keys])
    ranks = _scatter(order, _group_start(first)) + 1
    if by is None:
        return ranks
    codes = pool_codes(by, ranks.shape[-1])
    order, start, _ = blocks(codes * ranks.shape[-1] + ranks)
    sizes = np.bincount(codes)
    pool_start = np.cumsum(sizes) - sizes
    return _scatter(order, start) - pool_start[codes] + 1


def ties(
    totals: ArrayLike, keys: Sequence[ArrayLike] = (), *, by: ArrayLike | None = None
) -> tuple[tuple[int, ...], ...]:
    """Groups of units that share a rank after all keys, the best group first.

    Parameters
    ----------
    totals, keys, by
        As for `rank`, for one row of units (u,). With `by` only units of one pool can tie, and
        the groups stand pool after pool.

    Returns
    -------
    tuple of tuple of int
        Positions of the tied units, ascending in each group; empty without a tie.

    Raises
    ------
    ValueError
        As for `rank`; also if there is more than one row.

    Examples
    --------
    >>> ties([90, 95, 90, 80, 80])
    ((0, 2), (3, 4))
    >>> ties([90, 95, 90, 80, 80], keys=[[1, 0, 2, 0, 0]])
    ((3, 4),)
    """
    ranks = rank(totals, keys, by=by)
    if ranks.ndim != 1:
        raise ValueError(f"totals and keys have shape {ranks.shape}; one row of units is needed")
    codes = np.zeros_like(ranks) if by is None else np.asarray(by)
    groups: dict[tuple[int, int], list[int]] = {}
    for i, place in enumerate(zip(codes.tolist(), ranks.tolist(), strict=True)):
        groups.setdefault(place, []).append(i)
    return tuple(tuple(groups[place]) for place in sorted(groups) if len(groups[place]) > 1)


def pool_codes(pools: ArrayLike, u: int) -> NDArray[np.int64]:
    """Check pool codes (u,): whole numbers from 0, one for each unit."""
    codes = np.asarray(pools)
    if codes.shape != (u,):
        raise ValueError(
            f"pools have shape {codes.shape}; one code for each of {u} units is needed"
        )
    if u and (codes.dtype.kind not in "iu" or codes.min() < 0):
        raise ValueError(f"pools are {codes.tolist()}; whole numbers from 0 are needed")
    return codes.astype(np.int64)


def blocks(
    key: NDArray[np.int64],
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
    """Sort an integer key (..., u); for each sorted place the first and last place of equals."""
    order = np.argsort(key, axis=-1)
    ordered = np.take_along_axis(key, order, axis=-1)
    first = np.ones(ordered.shape, bool)
    first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    last = np.ones(ordered.shape, bool)
    last[..., :-1] = first[..., 1:]
    return order, _group_start(first), _group_end(last)


def _checked(totals: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(totals, float)
    if values.ndim == 0:
        raise ValueError(
            "totals are one number; an array with the units as its last axis is needed"
        )
    missing = np.argwhere(np.isnan(values))
    if len(missing):
        place = tuple(missing[0].tolist())
        raise ValueError(
            f"{len(missing)} of {values.size} totals are NaN, the first at index {place}; "
            "a unit without a total cannot be ranked"
        )
    return values


def _sorted(
    totals: NDArray[np.float64], keys: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Order from best to worst, and which sorted place opens a group of equals."""
    shape = np.broadcast_shapes(totals.shape, *(key.shape for key in keys))
    down = [np.broadcast_to(-totals, shape)]
    down += [np.broadcast_to(np.where(np.isnan(key), np.inf, -key), shape) for key in keys]
    order = np.argsort(down[0], axis=-1)
    first = _changes(down[0], order)
    if keys:
        rows = ~first.all(axis=-1)  # most rows have no tie: only these are sorted by every key
        tied = [values[rows] for values in down]
        order[rows] = np.lexsort(tied[::-1], axis=-1)
        first[rows] = np.logical_or.reduce([_changes(values, order[rows]) for values in tied])
    return order, first


def _changes(values: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    ordered = np.take_along_axis(values, order, axis=-1)
    first = np.ones(ordered.shape, bool)
    first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    return first


def _group_start(first: NDArray[np.bool_]) -> NDArray[np.int64]:
    place = np.arange(first.shape[-1])
    return np.maximum.accumulate(np.where(first, place, 0), axis=-1)


def _group_end(last: NDArray[np.bool_]) -> NDArray[np.int64]:
    place = np.arange(last.shape[-1])
    ends = np.where(last, place, last.shape[-1])
    return np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]


def _scatter(order: NDArray[np.intp], values: NDArray[np.int64]) -> NDArray[np.int64]:
    out = np.empty_like(values)
    np.put_along_axis(out, order, values, axis=-1)
    return out
