"""Ballots to exact counts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.survey.codes import BallotCodes, Labels, checked_labels
from perfmethod.survey.disclosure import suppress

__all__ = ["AXES", "Counts", "tabulate"]

AXES = ("unit_id", "dimension", "category", "mode", "option")


@dataclass(frozen=True, eq=False)
class Counts:
    """Answers by unit, dimension, category, mode and option: all that a score needs of ballots.

    Integers only, so that counts of parts of the ballots add up to the counts of all of them,
    exactly and in any order.

    Parameters
    ----------
    array : ndarray of int64, shape (u, d, c, m, o)
        Number of answers; made read-only.
    units, dimensions, categories, modes : tuple of str
        Labels of the axes.
    options : tuple of int
        Codes of the options.

    Examples
    --------
    >>> ballots = pd.DataFrame({"unit_id": ["D01"] * 3, "category": ["R01"] * 3,
    ...                         "mode": ["online"] * 3, "duty": [1, 2, None]})
    >>> counts = tabulate(ballots, units=["D01"], dimensions=["duty"], categories=["R01"],
    ...                   modes=["online"], options=[1, 2, 9])
    >>> counts
    Counts(2 answers: 1 units x 1 dimensions x 1 categories x 1 modes x 3 options)
    >>> (counts + counts).array.ravel()
    array([2, 2, 0])
    """

    array: NDArray[np.int64] = field(repr=False)
    units: tuple[str, ...]
    dimensions: tuple[str, ...]
    categories: tuple[str, ...]
    modes: tuple[str, ...]
    options: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = tuple(len(labels) for labels in self.labels)
        if self.array.shape != shape:
            raise PerfmethodError(f"counts: found shape {self.array.shape}; allowed: {shape}")
        self.array.setflags(write=False)

    @property
    def labels(self) -> tuple[tuple[Hashable, ...], ...]:
        """Labels of the five axes, in their order."""
        return (self.units, self.dimensions, self.categories, self.modes, self.options)

    def __repr__(self) -> str:
        names = ("units", "dimensions", "categories", "modes", "options")
        sizes = (f"{n} {name}" for n, name in zip(self.array.shape, names, strict=True))
        return f"Counts({self.array.sum()} answers: {' x '.join(sizes)})"

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        if self.labels != other.labels:
            raise PerfmethodError("counts to add: found other labels; allowed: the same labels")
        return Counts(self.array + other.array, *self.labels)  # type: ignore[arg-type]

    def to_frame(self, min_cell: int = 10) -> pd.DataFrame:
        """Counts in long form, small ones hidden.

        Parameters
        ----------
        min_cell : int
            Smallest count that may be shown. In a cell (unit, dimension, category, mode) with
            fewer answers, every option is hidden, also one that nobody chose; elsewhere an option
            with fewer answers. See `suppress` for what a published total would give away.

        Returns
        -------
        pandas.DataFrame
            One row per option of each cell that has answers: unit_id, dimension, category, mode,
            option, answers (integer, or text such as ``"<10"``), suppressed.
        """
        size = np.broadcast_to(self.array.sum(axis=-1, keepdims=True), self.array.shape)
        asked = size > 0
        frame = long_frame(asked, AXES, self.labels).assign(answers=self.array[asked])
        shown = suppress(frame, min_cell, counts=("answers",), values=(), parts=None)
        hidden = pd.Series(size[asked] < min_cell)
        return shown.assign(
            answers=shown["answers"].mask(hidden, f"<{min_cell}"),
            suppressed=shown["suppressed"] | hidden,
        )


def long_frame(
    mask: NDArray[np.bool_], names: Sequence[str], labels: Sequence[Sequence[Hashable]]
) -> pd.DataFrame:
    """Labels of the true cells of `mask`, one column per axis."""
    places = np.nonzero(mask)
    columns = {
        name: pd.Index(list(axis)).take(place)
        for name, axis, place in zip(names, labels, places, strict=True)
    }
    return pd.DataFrame(columns)


def tabulate(
    ballots: pd.DataFrame,
    *,
    units: Sequence[str],
    dimensions: Sequence[str],
    categories: Sequence[str],
    modes: Sequence[str],
    options: Sequence[int | str],
    file: str = "ballots.csv",
) -> Counts:
    """Count the answers on the ballots.

    Parameters
    ----------
    ballots : pandas.DataFrame
        One row per ballot: columns ``unit_id``, ``category``, ``mode``, and one column per
        dimension with option codes; blank or missing means not asked. Other columns (rater_id,
        batch) are not read. The order of rows does not matter.
    units, dimensions, categories, modes : sequence of str
        Labels, in the order of the axes of the result.
    options : sequence of int
        Option codes; whole numbers, also as text (keys of a TOML table).
    file : str
        Name of the table in messages.

    Returns
    -------
    Counts
        int64 counts of shape (u, d, c, m, o).

    Raises
    ------
    DataError
        Every unknown unit, category, mode and option code, with its row, at once; missing columns.
    PerfmethodError
        Labels that repeat.

    Notes
    -----
    Time is linear in ballots times dimensions: the four codes of an answer are fused into one
    integer, and ``numpy.bincount`` counts it.

    Examples
    --------
    >>> ballots = pd.DataFrame({"unit_id": ["D01", "D02"], "category": ["R01", "R01"],
    ...                         "mode": ["online", "online"], "duty": [1, 9]})
    >>> counts = tabulate(ballots, units=["D01", "D02"], dimensions=["duty"], categories=["R01"],
    ...                   modes=["online"], options=["1", "9"])
    >>> counts.array[:, 0, 0, 0]
    array([[1, 0],
           [0, 1]])
    """
    labels = checked_labels(units, dimensions, categories, modes, options)
    return count(BallotCodes.read(ballots, labels, file), labels)


def count(codes: BallotCodes, labels: Labels) -> Counts:
    """Fuse the codes of every answer into one integer, and count the integers."""
    n_u, n_d, n_c, n_m, n_o = shape = tuple(len(axis) for axis in labels)
    cell = (codes.unit * n_c + codes.category) * n_m + codes.mode
    array = np.empty(shape, dtype=np.int64)
    for d in range(n_d):
        asked = codes.answers[d] >= 0
        fused = cell[asked] * n_o + codes.answers[d][asked]
        counted = np.bincount(fused, minlength=n_u * n_c * n_m * n_o)
        array[:, d] = counted.reshape(n_u, n_c, n_m, n_o)
    return Counts(array, *labels)
