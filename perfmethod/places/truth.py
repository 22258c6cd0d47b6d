"""The true best, and how many of them a rule finds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod import grading

__all__ = ["least_range", "mean_and_error", "share_found", "true_best"]

Array = NDArray[np.float64]


def true_best(truth: ArrayLike, places: int, within: ArrayLike | None = None) -> Array:
    """Membership of every unit in the true best.

    Parameters
    ----------
    truth : array_like (..., u)
        True merit; higher is better.
    places : int
        How many count as the best.
    within : array_like of int (u,), optional
        Codes of classes that are not compared with each other: each has as many of the best as
        its size gives it (largest remainder; where classes tie, each has its part).

    Returns
    -------
    ndarray (..., u)
        1 for the best, 0 for the others; units equal at the edge share what is left.

    Raises
    ------
    ValueError
        If there are more places than units, or a true value is missing.

    Examples
    --------
    >>> true_best([3.0, 1.0, 2.0, 1.0], 3).tolist()
    [1.0, 0.5, 1.0, 0.5]
    """
    values = np.asarray(truth, float)
    u = values.shape[-1]
    codes = np.zeros(u, np.int64) if within is None else np.asarray(within, np.int64)
    if not 0 <= places <= u:
        raise ValueError(f"found {places} places for {u} units; allowed: 0 to {u}")
    ranks = grading.rank(values, by=codes)
    sizes = np.bincount(codes)
    table = grading.apportion([int(n) for n in sizes], places)
    part = Fraction(table.contested, max(1, len(table.tied)))
    room = np.array([float(s + part * (i in table.tied)) for i, s in enumerate(table.seats)])
    same = (ranks[..., None, :] == ranks[..., :, None]) & (codes == codes[:, None])
    return np.asarray(np.clip((room[codes] - (ranks - 1)) / same.sum(-1), 0.0, 1.0))


def share_found(held: ArrayLike, best: ArrayLike) -> Array:
    """Share of the true best that hold the grade, (...)."""
    chosen, wanted = np.asarray(held, float), np.asarray(best, float)
    number = wanted.sum(-1)
    hit = (chosen * wanted).sum(-1)
    return np.asarray(np.divide(hit, number, out=np.ones_like(hit), where=number > 0))


def mean_and_error(values: ArrayLike) -> tuple[float, float]:
    """Mean of draws (k,) and its Monte Carlo standard error; no error from a single draw."""
    x = np.asarray(values, float)
    error = float(x.std(ddof=1) / np.sqrt(x.size)) if x.size > 1 else float("nan")
    return float(x.mean()), error


def least_range(sizes: ArrayLike, places: int) -> float:
    """Smallest possible gap between the highest and the lowest rate of groups.

    Whole places cannot make the rates of unequal groups equal; a rule is to blame only for what
    lies above this.

    Parameters
    ----------
    sizes : array_like of int (g,)
        Units by group, each at least 1.
    places : int

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a group is empty, or there are more places than units.

    Examples
    --------
    >>> round(least_range([4, 9, 9, 8, 7, 6, 6], 13), 4)
    0.1111
    """
    n = [int(size) for size in np.asarray(sizes).ravel()]
    if not n or min(n) < 1 or not 0 <= places <= sum(n):
        raise ValueError(
            f"found groups of {n} units and {places} places; "
            "allowed: groups of 1 or more, and at most as many places as units"
        )
    lowest = {Fraction(a, size) for size in n for a in range(size + 1)}
    gaps = [gap for low in lowest if (gap := _gap(n, places, low)) is not None]
    return float(min(gaps))


def _gap(sizes: list[int], places: int, low: Fraction) -> Fraction | None:
    """Least range of rates that are all at least `low`: seats go where the rate stays lowest."""
    held = [-int(-low * size // 1) for size in sizes]
    for _ in range(places - sum(held)):
        room = [i for i, (s, size) in enumerate(zip(held, sizes, strict=True)) if s < size]
        if not room:
            return None
        held[min(room, key=lambda i: Fraction(held[i] + 1, sizes[i]))] += 1
    if sum(held) != places:
        return None
    rates = [Fraction(s, size) for s, size in zip(held, sizes, strict=True)]
    return max(rates) - min(rates)
