"""Integer tables that add up exactly: places and values, and a guard against overflow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError

__all__ = ["LARGEST", "added", "check_bound", "fused", "gathered", "interned", "numbered", "runs"]

Ints = NDArray[np.int64]

LARGEST = 2**63 - 1


def check_bound(bound: float, what: str) -> None:
    """Refuse sums that might not fit into 64 bits.

    Examples
    --------
    >>> check_bound(2.0**63, "squares of raters' totals")
    Traceback (most recent call last):
    perfmethod.errors.PerfmethodError: squares of raters' totals: found sums of up to 9.22e+18; \
allowed: below 2**63, so give scores with fewer digits or reduce fewer ballots at a time
    """
    if bound >= LARGEST * (1 - 1e-9):  # a bound is formed in floating point
        raise PerfmethodError(
            f"{what}: found sums of up to {bound:.3g}; allowed: below 2**63, so give scores with "
            "fewer digits or reduce fewer ballots at a time"
        )


def added(size: int, place: Ints, values: Ints) -> Ints:
    """Integers added up at their places.

    Examples
    --------
    >>> added(3, np.array([2, 0, 2]), np.array([1, 5, 7]))
    array([5, 0, 8])
    """
    table = np.zeros(size, np.int64)
    np.add.at(table, place, values)
    return table


def fused(codes: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    """One integer for each column of codes, in lexicographic order; refuses what does not fit."""
    total = 1
    for size in sizes:
        total *= max(int(size), 1)
    check_bound(float(total), "combinations of codes")
    key = np.zeros(len(codes[0]), np.int64)
    for code, size in zip(codes, sizes, strict=True):
        key = key * size + code
    return key


def gathered(places: Ints, values: Ints) -> tuple[Ints, Ints]:
    """Equal places once, in lexicographic order, with the sums of their values.

    Parameters
    ----------
    places : ndarray of int64 (a, e)
    values : ndarray of int64 (e,)

    Examples
    --------
    >>> gathered(np.array([[1, 0, 1], [2, 2, 2]]), np.array([5, 6, 7]))
    (array([[0, 1],
           [2, 2]]), array([ 6, 12]))
    """
    if not len(values):
        return places, values
    key = fused(list(places), (places.max(axis=1) + 1).tolist())
    order = np.argsort(key, kind="stable")
    start = runs(key[order])
    return places[:, order[start]], np.add.reduceat(values[order], start)


def runs(ordered: Ints) -> Ints:
    """Where each run of equal numbers starts.

    Examples
    --------
    >>> runs(np.array([3, 3, 5]))
    array([0, 2])
    """
    if not len(ordered):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def interned(start: Ints, entries: Ints) -> tuple[Ints, Ints]:
    """Number the distinct rows of a ragged table, in lexicographic order.

    Parameters
    ----------
    start : ndarray of int64 (r + 1,)
        Where the entries of each row begin, and the end.
    entries : ndarray of int64 (e,)
        Not negative.

    Returns
    -------
    number : ndarray of int64 (r,)
        Number of each row among the distinct ones.
    first : ndarray of int64 (k,)
        A row for each number.

    Examples
    --------
    >>> interned(np.array([0, 2, 3, 5]), np.array([4, 7, 4, 4, 7]))
    (array([1, 0, 1]), array([1, 0]))
    """
    length = np.diff(start)
    rank = np.zeros(len(length), np.int64)
    base = int(entries.max(initial=0)) + 2
    for j in range(int(length.max(initial=0))):
        # a row that has ended sorts before every one that goes on
        entry = np.zeros(len(length), np.int64)
        longer = np.flatnonzero(length > j)
        entry[longer] = entries[start[longer] + j] + 1
        check_bound(float(rank.max()) * base + base, "combinations of codes")
        rank = np.unique(rank * base + entry, return_inverse=True)[1].astype(np.int64)
    first = np.zeros(int(rank.max(initial=-1)) + 1, np.int64)
    first[rank[::-1]] = np.arange(len(rank))[::-1]
    return rank, first


def numbered(codes: Ints) -> tuple[Ints, Ints]:
    """Codes that occur, and which of them each is: `numpy.unique`, sorting only where it must.

    Examples
    --------
    >>> numbered(np.array([5, 2, 5]))
    (array([2, 5]), array([1, 0, 1]))
    """
    if codes.max(initial=0) > 4 * len(codes) + 1000:
        known, place = np.unique(codes, return_inverse=True)
        return known.astype(np.int64), place.astype(np.int64)
    there = np.bincount(codes) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[codes]
