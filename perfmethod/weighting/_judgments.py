"""Whether arrays can be pairwise comparisons: every problem is noted, then all are raised."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.weighting._comparisons import RANDOM_INDEX, components, judged
from perfmethod.weighting.result import Array, checked_names

PRIORITIZATIONS = ("eigenvector", "geometric_mean")
# a_ij a_ji may miss 1 by rounding in the last digits, not by a ratio typed as 0.33
_RECIPROCAL_TOLERANCE = 1e-6
_LARGEST_RATIO = 1e9  # far beyond anybody's scale, and small enough that no product overflows


def check_prioritization(prioritization: str) -> None:
    """Refuse a prioritization that is not known."""
    if prioritization not in PRIORITIZATIONS:
        allowed = suggest(prioritization, PRIORITIZATIONS)
        raise ValueError(f"found prioritization {prioritization!r}; allowed: {allowed}")


def checked(
    comparisons: ArrayLike, names: Sequence[str] | None, random_index: float | None
) -> tuple[Array, tuple[str, ...]]:
    """The completed matrix and the names of its criteria, or an error with every problem."""
    problems = Problems("comparisons")
    given = square(comparisons, problems)
    labels = checked_names(names, len(given))
    note_size(len(given), random_index, problems)
    note_problems(given, labels, problems)
    problems.raise_any(DataError)
    a = completed(given)
    note_parts(a, labels, problems)
    problems.raise_any(DataError)
    return a, labels


def square(comparisons: ArrayLike, problems: Problems) -> Array:
    """`comparisons` as a square array; raises at once where it is none."""
    given = np.array(comparisons, float)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        problems.add(f"an array of shape {given.shape}", "a square one, (criteria, criteria)")
        problems.raise_any(DataError)
    return given


def note_size(n: int, random_index: float | None, problems: Problems) -> None:
    """Note what keeps the consistency ratio from being formed."""
    largest = len(RANDOM_INDEX)
    if random_index is not None and not 0 < random_index < np.inf:
        problems.add(f"random_index {random_index!r}", "a positive number, or None for the table")
    if random_index is None and n > largest:
        problems.add(
            f"{n} criteria",
            f"at most {largest}: the table of random indices ends there, and nobody keeps "
            f"{n * (n - 1) // 2} judgments consistent; compare inside groups of criteria, "
            "or pass random_index",
        )


def note_parts(a: Array, names: Sequence[str], problems: Problems) -> None:
    """Note parts that no comparison links: the weights between them are not determined."""
    parts = components(judged(a))
    if len(parts) > 1:
        shown = "; ".join("{" + ", ".join(names[i] for i in part) + "}" for part in parts)
        problems.add(
            f"{len(parts)} parts that no comparison links: {shown}",
            f"at least {len(parts) - 1} more comparison(s), each between two parts",
        )


def completed(comparisons: ArrayLike) -> Array:
    """A square array with blanks filled that have only one possible value.

    A blank on the diagonal is 1; a blank whose mirror cell is filled is the mirror's reciprocal.
    """
    a = np.array(comparisons, float)
    with np.errstate(divide="ignore"):
        mirrored = 1 / a.T
    a = np.where(np.isnan(a), mirrored, a)
    np.fill_diagonal(a, np.where(np.isnan(np.diag(a)), 1.0, np.diag(a)))
    return a


def note_problems(given: Array, names: Sequence[str], problems: Problems) -> None:
    """Note every cell of a square array that cannot be a judgment, and every broken pair."""
    usable = (given >= 1 / _LARGEST_RATIO) & (
        given <= _LARGEST_RATIO
    )  # a cell that is wrong by itself is noted once
    for i, j in map(tuple, np.argwhere(~np.isnan(given) & ~usable).tolist()):
        problems.add(
            f"{given[i, j]:g}",
            f"a positive ratio of at most {_LARGEST_RATIO:g}; a blank where none was given",
            row=names[i],
            column=names[j],
        )
    for i in np.flatnonzero(np.diag(usable)).tolist():
        if given[i, i] != 1:
            problems.add(f"{given[i, i]:g}", "1 on the diagonal", row=names[i], column=names[i])
    for i, j in combinations(range(len(given)), 2):
        both = usable[i, j] and usable[j, i]
        if both and abs(given[i, j] * given[j, i] - 1) > _RECIPROCAL_TOLERANCE:
            problems.add(
                f"{given[j, i]:g} opposite {given[i, j]:g}",
                f"the reciprocal, {1 / given[i, j]:.10g}, or a blank",
                row=names[j],
                column=names[i],
            )
