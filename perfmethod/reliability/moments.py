"""Ratings reduced once, exactly: integer counts, sums and sums of squares of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.cells import LARGEST, Cells, fuse, placed, split

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Moments", "same_scale", "scaled_integers"]

Ints = NDArray[np.int64]

_MOST_DECIMALS = 9


@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """Count, sum and sum of squares of the ratings of every cell that occurs.

    Ratings are integers times ``10**-decimals``; all three tables are int64 and add up exactly, so
    that parts of the ratings may be reduced in any order, in any number of pieces, and give the
    same bits as all of them at once.

    The number of cells grows with the combinations of levels that occur, not with ratings: with
    facets such as unit, category and mode it is bounded by the design. A facet that grows with the
    survey, such as rater, makes it grow with the raters and the units that each of them rates;
    `clusters` then takes that facet out and leaves tables that do not grow.

    Parameters
    ----------
    cells : Cells
        The m cells.
    counts, sums, squares : ndarray of int64 (m,)
        Number of ratings, their sum and their sum of squares, in units of ``10**-decimals`` after
        `origin` is taken away. Read-only.
    decimals : int
        Digits after the point that the integers stand for.
    origin : int
        Integer taken from every scaled rating before summing.

    Examples
    --------
    >>> parts = [Moments.of([100, 75], unit=["D01", "D02"]), Moments.of([55], unit=["D01"])]
    >>> parts[0] + parts[1]
    <Moments of 3 ratings in 2 cells: unit>
    >>> (parts[1] + parts[0]).to_frame()
      unit  count   mean
    0  D01      2   77.5
    1  D02      1   75.0
    """

    cells: Cells
    counts: Ints
    sums: Ints
    squares: Ints
    decimals: int = 0
    origin: int = 0

    def __post_init__(self) -> None:
        for table in (self.counts, self.sums, self.squares):
            table.setflags(write=False)

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        facets: Mapping[str, Any] | None = None,
        *,
        decimals: int | None = None,
        origin: int = 0,
        **more: Any,
    ) -> Moments:
        """Reduce ratings.

        Parameters
        ----------
        values : array_like (n,)
            Ratings: integers, or numbers with at most nine decimals. NaN is no rating and is left
            out.
        facets : mapping of str to array_like (n,)
            Level of each rating on each facet; also as keywords. Categorical columns are fastest.
        decimals : int, optional
            Digits after the point to keep; by default as many as the values have. Pieces that are
            to be added must have the same.
        origin : int
            Taken from every scaled rating, for values with many constant leading digits.

        Raises
        ------
        PerfmethodError
            A facet of another length or with missing labels; values that are no decimal numbers;
            sums of squares that may not fit into 64 bits.
        """
        named = {**(facets or {}), **more}
        numbers = np.asarray(values)
        rated = np.flatnonzero(~np.isnan(numbers)) if numbers.dtype.kind == "f" else None
        kept = numbers if rated is None else numbers[rated]
        integers, digits = scaled_integers(kept, decimals)
        integers = integers - origin
        _check_size(integers, f"origin={origin}")
        codes, levels = _facet_codes(named, len(numbers), rated)
        return cls._reduced(tuple(named), levels, codes, integers, (digits, origin))

    @classmethod
    def _reduced(
        cls,
        facets: tuple[str, ...],
        levels: tuple[tuple[Any, ...], ...],
        codes: Ints,
        integers: Ints,
        scale: tuple[int, int],
    ) -> Moments:
        sizes = [len(axis) for axis in levels]
        key = fuse(codes, sizes)
        order = np.argsort(key)
        key, integers = key[order], integers[order]
        start = np.flatnonzero(np.diff(key, prepend=-1))
        counts = np.diff(start, append=len(key)).astype(np.int64)
        cells = Cells(facets, levels, split(key[start], sizes))
        sums = [np.add.reduceat(x, start) if len(key) else x for x in (integers, integers**2)]
        return cls(cells, counts, sums[0], sums[1], *scale)

    def __repr__(self) -> str:
        facets = ", ".join(self.cells.facets)
        return f"<Moments of {self.counts.sum()} ratings in {len(self.cells)} cells: {facets}>"

    def __add__(self, other: Moments) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        same_scale(self, other)
        cells, mine, its = self.cells.joined(other.cells)
        _check_total(int(self.squares.sum()) + int(other.squares.sum()))
        m = len(cells)
        return Moments(
            cells,
            placed(m, (mine, self.counts), (its, other.counts)),
            placed(m, (mine, self.sums), (its, other.sums)),
            placed(m, (mine, self.squares), (its, other.squares)),
            self.decimals,
            self.origin,
        )

    def group(self, *facets: str) -> Moments:
        """Add up over all other facets."""
        cells, place = self.cells.group(facets)
        counts, sums, squares = (
            placed(len(cells), (place, table)) for table in (self.counts, self.sums, self.squares)
        )
        return Moments(cells, counts, sums, squares, self.decimals, self.origin)

    def to_frame(self) -> pd.DataFrame:
        """One row per cell: the facets, `count`, `mean`."""
        import pandas as pd

        columns: dict[str, Any] = {
            facet: pd.Index(list(axis)).take(place)
            for facet, axis, place in zip(
                self.cells.facets, self.cells.levels, self.cells.codes, strict=True
            )
        }
        mean = (self.sums / self.counts + self.origin) / 10.0**self.decimals
        return pd.DataFrame({**columns, "count": self.counts, "mean": mean})


def scaled_integers(values: NDArray[Any], decimals: int | None = None) -> tuple[Ints, int]:
    """Numbers as integers times a power of ten.

    Parameters
    ----------
    values : ndarray (n,)
        Integers or decimal numbers; no NaN.
    decimals : int, optional
        Digits after the point; by default the least number that gives every value back.

    Returns
    -------
    integers : ndarray of int64 (n,)
    decimals : int

    Raises
    ------
    PerfmethodError
        If a value has more digits, or the integers do not fit into 53 bits.

    Examples
    --------
    >>> scaled_integers(np.array([7.298, 3.846]))
    (array([7298, 3846]), 3)
    """
    if values.dtype.kind in "iub":
        digits = decimals or 0
        return values.astype(np.int64) * 10**digits, digits
    numbers = values.astype(float)
    for digits in range(_MOST_DECIMALS + 1) if decimals is None else [decimals]:
        scaled = np.rint(numbers * 10.0**digits)
        exact = (scaled / 10.0**digits == numbers) & (np.abs(scaled) < 2.0**53)
        if exact.all():
            return scaled.astype(np.int64), digits
    worst = numbers[~exact][0]
    allowed = f"{_MOST_DECIMALS if decimals is None else decimals} decimals at most, below 2**53"
    raise PerfmethodError(f"values: found {float(worst)!r}; allowed: numbers with {allowed}")


def same_scale(a: Any, b: Any) -> None:
    """Refuse to add tables whose integers mean different things."""
    for name in ("decimals", "origin"):
        mine, its = getattr(a, name), getattr(b, name)
        if mine != its:
            raise PerfmethodError(f"moments to add: found {name} {its}; allowed: {name} {mine}")


def _facet_codes(
    named: Mapping[str, Any], n: int, rated: NDArray[np.intp] | None
) -> tuple[Ints, tuple[tuple[Any, ...], ...]]:
    """Codes (f, n') of the rated rows, and the levels that occur among them."""
    import pandas as pd

    codes, levels = [], []
    for name, column in named.items():
        if len(column) != n:
            raise PerfmethodError(f"{name}: found {len(column)} labels; allowed: {n}, one a rating")
        labels = pd.Series(column)
        kept = labels if rated is None else labels.iloc[rated]
        code, axis = pd.factorize(kept)
        if (code < 0).any():
            raise PerfmethodError(f"{name}: found a missing label; allowed: a label for each value")
        found = axis.tolist()
        # categories come in an order of their own; here labels stand sorted
        order = sorted(range(len(found)), key=found.__getitem__)
        codes.append(np.argsort(order)[code].astype(np.int64))
        levels.append(tuple(found[i] for i in order))
    count = n if rated is None else len(rated)
    return np.array(codes, np.int64).reshape(len(named), count), tuple(levels)


def _check_size(integers: Ints, where: str) -> None:
    if len(integers):
        largest = max(abs(int(integers.max())), abs(int(integers.min())))
        _check_total(len(integers) * largest**2, where)


def _check_total(bound: int, where: str = "") -> None:
    if bound > LARGEST:
        raise PerfmethodError(
            f"sum of squares: found up to {bound:.3e} {where}; allowed: below 2**63, "
            "so give an origin near the values or fewer decimals"
        )
