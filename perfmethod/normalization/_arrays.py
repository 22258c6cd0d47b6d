"""Small array steps the rules share; units are the last axis and NaN stays NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def numbers(x: ArrayLike) -> Array:
    """Return `x` as floats."""
    return np.asarray(x, dtype=float)


def keep_nan(scores: ArrayLike, *inputs: ArrayLike) -> Array:
    """Put NaN wherever an input is NaN: a comparison with NaN is False and would hide it."""
    missing = np.isnan(numbers(inputs[0]))
    for other in inputs[1:]:
        missing = missing | np.isnan(numbers(other))
    return np.where(missing, np.nan, scores)


def divide(a: ArrayLike, b: ArrayLike, otherwise: ArrayLike) -> Array:
    """Return a / b, and `otherwise` where b is zero."""
    a, b = numbers(a), numbers(b)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(b == 0, otherwise, a / b)


def proportion(x: ArrayLike, whole: ArrayLike) -> Array:
    """Return x / whole at least 0; without a positive finite whole 1 where x reaches it, else 0."""
    x, whole = numbers(x), numbers(whole)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        part = np.maximum(x / whole, 0.0)
    measurable = (whole > 0) & (whole < np.inf)
    return keep_nan(np.where(measurable, part, np.where(x >= whole, 1.0, 0.0)), x, whole)


def ramp(x: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """Return 0 at `lower`, 1 at `upper`, linear through both; lower >= upper is a step at upper."""
    x, lower, upper = numbers(x), numbers(lower), numbers(upper)
    width = upper - lower
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        line = (x - lower) / width
    return keep_nan(np.where(width > 0, line, np.where(x >= upper, 1.0, 0.0)), x, lower, upper)


def steps(distance: ArrayLike, step: ArrayLike, *, whole: bool) -> Array:
    """Count the steps in a distance; `whole` drops the part of a step that is not complete."""
    count = numbers(distance) / numbers(step)
    # 0.3 / 0.1 is 2.9999999999999996 in binary, and is three steps to everybody else
    return np.floor(np.round(count, 9)) if whole else count


def highest(x: Array) -> Array:
    """Return the largest value among the units, shape (..., 1); NaN only where all are NaN."""
    known = ~np.isnan(x)
    best = np.max(np.where(known, x, -np.inf), axis=-1, keepdims=True, initial=-np.inf)
    return np.where(known.any(axis=-1, keepdims=True), best, np.nan)


def lowest(x: Array) -> Array:
    """Return the smallest value among the units, shape (..., 1)."""
    return -highest(-x)


def total(x: Array) -> Array:
    """Return the sum over the units that have a value, shape (..., 1)."""
    return np.nansum(x, axis=-1, keepdims=True)


def known_count(x: Array) -> Array:
    """Return how many units have a value, shape (..., 1)."""
    return np.sum(~np.isnan(x), axis=-1, keepdims=True).astype(float)


def pick(values: ArrayLike, position: Array) -> Array:
    """Take, for each unit, the entry of a list (L,) or (k, 1, L) at its position (..., u)."""
    values = numbers(values)
    if values.ndim == 1:
        return values[position.astype(np.intp)]
    shape = np.broadcast_shapes(values.shape[:-1], position.shape)
    places = np.broadcast_to(position, shape)[..., None]
    table = np.broadcast_to(values, (*shape, values.shape[-1]))
    return np.take_along_axis(table, places.astype(np.intp), axis=-1)[..., 0]


def ranks(x: Array, *, ties: str) -> Array:
    """Rank the units ascending from 1; ties "min" share the lowest place, "average" the mean one.

    NaN is ranked by nobody and stays NaN. One sort serves every leading axis.
    """
    n = x.shape[-1]
    order = np.argsort(x, axis=-1, kind="stable")  # NaN last
    ordered = np.take_along_axis(x, order, axis=-1)
    place = np.arange(n)
    starts = np.ones(x.shape, dtype=bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    rank = 1.0 + np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    if ties == "average":
        ends = np.ones(x.shape, dtype=bool)
        ends[..., :-1] = starts[..., 1:]
        backwards = np.where(ends, place, n)[..., ::-1]
        rank = (rank + 1.0 + np.minimum.accumulate(backwards, axis=-1)[..., ::-1]) / 2
    out = np.empty(x.shape)
    np.put_along_axis(out, order, rank, axis=-1)
    return keep_nan(out, x)
