"""Checks and steps that all weightings from data share. Units are the last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems
from perfmethod.weighting.result import Array, Weighting, checked_names, default_names

Mask = NDArray[np.bool_]

# A range below this share of the largest value is rounding, not variation: min-max would stretch it
# to the full scale and give it a full weight.
CONSTANT = 1e-12
_LARGEST = 1e100  # sums of squares of anything smaller do not overflow


def data_matrix(x: ArrayLike, names: Sequence[str] | None, *, nonnegative: bool) -> Array:
    """`x` as floats of shape (..., n, u), without missing, infinite or (if asked) negative values.

    A table is refused: its units are rows, and taking them for criteria would go unnoticed.
    """
    if hasattr(x, "columns"):
        raise TypeError(
            "found a table; allowed: an array (..., criteria, units), or use "
            "perfmethod.weighting.weigh, which takes a table of units in rows"
        )
    a = np.asarray(x, float, order="C")  # sums must not depend on how the array lies in memory
    problems = Problems("data")
    if a.ndim < 2 or a.shape[-1] < 2 or a.shape[-2] < 1:
        problems.add(f"shape {a.shape}", "(..., criteria, units) with at least two units")
        problems.raise_any(DataError)
    note_bad_values(a, checked_names(names, a.shape[-2]), None, problems, nonnegative=nonnegative)
    problems.raise_any(DataError)
    return a


def note_bad_values(
    a: Array,
    names: Sequence[str],
    units: Sequence[str] | None,
    problems: Problems,
    *,
    nonnegative: bool,
) -> None:
    """Note, criterion by criterion, the units whose values cannot be used."""
    who = units if units is not None else default_names(a.shape[-1], "unit")
    kinds = [
        (np.isnan(a), "no value"),
        (np.abs(a) > _LARGEST, f"a value that is infinite or beyond {_LARGEST:g}"),
    ]
    if nonnegative:
        kinds.append((a < 0, "a negative value"))
    leading = tuple(range(a.ndim - 2))
    for bad, found in kinds:
        for j, row in enumerate(np.asarray(bad.any(axis=leading))):
            if row.any():
                allowed = "values of 0 or more for every unit" if nonnegative else "a number"
                problems.add(f"{found} for {listed(who, row)}", allowed, column=names[j])


def listed(names: Sequence[str], chosen: Mask, most: int = 5) -> str:
    """The chosen names, cut short."""
    picked = [name for name, take in zip(names, chosen, strict=True) if take]
    more = f" and {len(picked) - most} more" if len(picked) > most else ""
    return ", ".join(picked[:most]) + more


def constant(a: Array) -> Mask:
    """Criteria (..., n) that do not vary over units."""
    return np.ptp(a, axis=-1) <= CONSTANT * np.abs(a).max(axis=-1)


def unit_interval(a: Array, directions: Array | None = None) -> Array:
    """Min-max over units, turned round where the direction is -1; constant criteria are 0."""
    fixed = constant(a)[..., None]
    low = a.min(axis=-1, keepdims=True)
    span = np.where(fixed, 1.0, np.ptp(a, axis=-1)[..., None])
    z = np.where(fixed, 0.0, (a - low) / span)
    if directions is None:
        return z
    return np.where(directions[:, None] < 0, np.where(fixed, 0.0, 1 - z), z)


def signs(directions: Sequence[float | str] | ArrayLike | None, names: Sequence[str]) -> Array:
    """Directions as +1 and -1, (n,); None means that more is better everywhere."""
    if directions is None:
        return np.ones(len(names))
    given = list(directions)  # type: ignore[arg-type]
    problems = Problems("directions")
    if len(given) != len(names):
        problems.add(f"{len(given)} directions", f"one for each of the {len(names)} criteria")
        problems.raise_any(DataError)
    known = {"positive": 1.0, "negative": -1.0, 1: 1.0, -1: -1.0}
    for name, direction in zip(names, given, strict=True):
        if direction not in known:
            problems.add(repr(direction), "1 or 'positive', -1 or 'negative'", column=name)
    problems.raise_any(DataError)
    return np.array([known[direction] for direction in given])


def from_information(
    information: Array,
    method: str,
    names: Sequence[str] | None,
    details: Mapping[str, Any],
    why_none: str,
) -> Weighting:
    """Weights in proportion to what a method calls information, (..., n).

    `why_none` says what it means if no criterion has any.
    """
    labels = checked_names(names, information.shape[-1])
    total = information.sum(axis=-1, keepdims=True)
    if not np.all(total > 0):
        problems = Problems("data")
        problems.add(why_none, f"data from which {method} weights can be formed")
        problems.raise_any(DataError)
    nothing = (information == 0).all(axis=tuple(range(information.ndim - 1)))
    return Weighting(
        weights=information / total,
        method=method,
        names=labels,
        notes=(f"weight 0, nothing to tell units apart: {listed(labels, nothing, 20)}",)
        if nothing.any()
        else (),
        details=details,
    )
