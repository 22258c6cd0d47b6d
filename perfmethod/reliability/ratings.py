"""Ratings of units by raters, in long form: what all agreement coefficients read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problem, Problems, quoted, suggest
from perfmethod.reduction.given import Reduced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ratings", "Single", "as_ratings", "compact", "distinct", "refuse", "single"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def refuse(
    found: str, allowed: str, *, what: str = "ratings", column: str | None = None
) -> NoReturn:
    """Raise one problem with the data."""
    raise DataError([Problem(what, None, column, found, allowed)])


@dataclass(frozen=True, eq=False, repr=False)
class Ratings:
    """One row per ballot: which unit, which rater (a number, never a name), the answers.

    Parameters
    ----------
    unit : ndarray of int (b,)
        Position of the rated unit in `units`.
    rater : ndarray of int (b,)
        Number of the rater; numbers are in order of appearance.
    values : ndarray (b, j)
        Answers on j items; NaN where there is none.
    units, items : tuple of str
        Labels.
    stratum : ndarray of int (r,)
        Category of each rater, all 0 where there is one. A bootstrap draws raters within it.

    Examples
    --------
    >>> Ratings.from_matrix([[1, 2], [3, np.nan]])
    <Ratings: 3 ballots of 2 raters on 2 units, 1 item>
    """

    unit: Ints
    rater: Ints
    values: Floats
    units: tuple[str, ...]
    items: tuple[str, ...]
    stratum: Ints

    def __repr__(self) -> str:
        n_items = len(self.items)
        return (
            f"<Ratings: {self.unit.size} ballots of {self.stratum.size} raters on "
            f"{len(self.units)} units, {n_items} item{'s' if n_items != 1 else ''}>"
        )

    @classmethod
    def from_matrix(
        cls,
        matrix: ArrayLike,
        *,
        units: Sequence[str] | None = None,
        items: Sequence[str] | None = None,
    ) -> Ratings:
        """Read a table of n units by r raters (by j items).

        Parameters
        ----------
        matrix : array_like (n, r) or (n, r, j)
            NaN where a rater did not rate a unit. Labels of a DataFrame's rows are kept as units.
        units, items : sequence of str, optional
            Labels; counted from 1 where none are given.

        Raises
        ------
        DataError
            If the shape is another, values are infinite, or there are none.
        """
        frame: Any = matrix
        if units is None and hasattr(frame, "index") and hasattr(frame, "columns"):
            units = [str(label) for label in frame.index]
        x = np.asarray(matrix, float)
        if x.ndim not in (2, 3) or x.size == 0:
            allowed = "(units, raters) or (units, raters, items)"
            refuse(f"an array of shape {np.shape(matrix)}", allowed)
        unit, rater, values = _rated(x)
        if unit.size == 0:
            refuse("no rating at all", "at least one")
        if np.isinf(values).any():
            refuse(f"{np.isinf(values).sum()} infinite values", "numbers, NaN for no rating")
        j = values.shape[1]
        labels = _labels(units, x.shape[0], "unit"), _labels(items, j, "item")
        return cls(unit, rater, values, *labels, np.zeros(x.shape[1], np.intp))

    @classmethod
    def from_ballots(
        cls,
        ballots: pd.DataFrame,
        dimensions: Sequence[str],
        *,
        unit: str = "unit_id",
        rater: str = "rater_id",
        category: str | None = "category",
        scores: Mapping[Any, float | None] | None = None,
        file: str = "ballots.csv",
    ) -> Ratings:
        """Read ballots; raters' identifiers are turned into numbers and forgotten.

        Parameters
        ----------
        ballots : DataFrame
            One row per ballot: a column for the unit, the rater, the rater's category, and one per
            dimension.
        dimensions : sequence of str
            The items; ballots without an answer on any of them are left out.
        unit, rater : str
            Columns.
        category : str or None
            Column of strata; an identifier in two categories counts as two raters. None: one
            stratum.
        scores : mapping, optional
            Score of every option code; None or NaN for an option that is no valid answer. By
            default the codes are the values.
        file : str
            Name of the table in messages.

        Raises
        ------
        DataError
            For missing columns, empty cells, unknown codes, and a rater with two ballots on the
            same unit (no average is formed silently); with rows.
        """
        import pandas as pd

        problems = Problems(file)
        for name in [unit, rater, *dimensions, *([category] if category else [])]:
            if name not in ballots:
                near = suggest(name, map(str, ballots.columns))
                problems.add("no such column", f"the column must be there ({near})", column=name)
        problems.raise_any()
        values = _scored(ballots, dimensions, scores, problems)
        kept = ~np.isnan(values).all(axis=1)
        keys = [_codes(ballots, name, problems) for name in (unit, rater)]
        strata = _codes(ballots, category, problems)[0] if category else np.zeros(len(ballots), int)
        problems.raise_any()
        if not kept.any():
            refuse("no valid answer", "at least one", what=file)
        (units, labels), (raters, _) = keys
        cluster, first = pd.factorize(
            strata[kept].astype(np.int64) * (raters.max() + 1) + raters[kept]
        )
        _no_duplicates(units[kept], cluster, np.flatnonzero(kept), problems)
        present, code = np.unique(units[kept], return_inverse=True)
        names = tuple(labels[i] for i in present)
        stratum = (first // (raters.max() + 1)).astype(np.intp)
        return cls(code, cluster, values[kept], names, tuple(dimensions), stratum)


def _rated(x: Floats) -> tuple[Ints, Ints, Floats]:
    """Units, raters and values (b, j) of the cells that hold anything, in the order of memory."""
    if x.ndim == 3:
        unit, rater = np.nonzero(~np.isnan(x).all(axis=2))
        return unit, rater, x[unit, rater]
    turned = x.flags.f_contiguous and not x.flags.c_contiguous
    stored = x.T if turned else x
    place = np.flatnonzero(~np.isnan(stored))
    first, second = np.divmod(place, stored.shape[1])
    values = stored.ravel()[place][:, None]
    return (second, first, values) if turned else (first, second, values)


def compact(codes: Ints) -> tuple[Ints, Ints]:
    """Codes that occur, and which of them each is: `numpy.unique` without sorting.

    Examples
    --------
    >>> compact(np.array([5, 2, 5]))
    (array([2, 5]), array([1, 0, 1]))
    """
    there = np.bincount(codes) > 0
    found = np.flatnonzero(there)
    if found.size == there.size:
        return found, codes
    return found, (np.cumsum(there) - 1)[codes]


def distinct(x: Floats) -> tuple[Floats, Ints]:
    """Distinct values and which of them each is; without sorting for whole numbers.

    Examples
    --------
    >>> distinct(np.array([3.0, 1.0, 3.0]))
    (array([1., 3.]), array([1, 0, 1]))
    """
    low, high = x.min(), x.max()
    if high - low <= x.size:
        whole = (x - low).astype(np.intp)
        if (whole == x - low).all():
            found, code = compact(whole)
            return found + low, code
    values, code = np.unique(x, return_inverse=True)
    return values, code


def _labels(given: Sequence[str] | None, n: int, word: str) -> tuple[str, ...]:
    if given is None:
        return tuple(f"{word} {i + 1}" for i in range(n))
    if len(given) != n or len(set(given)) != n:
        raise ValueError(
            f"found {len(given)} labels; allowed: a different one for each {word} of {n}"
        )
    return tuple(str(label) for label in given)


def _codes(frame: pd.DataFrame, name: str, problems: Problems) -> tuple[Ints, list[str]]:
    """Cells as numbers, and their labels; empty cells are problems."""
    import pandas as pd

    codes, labels = pd.factorize(frame[name])
    for row in np.flatnonzero(codes < 0):
        problems.add("an empty cell", "an identifier", row=int(row) + 2, column=name)
    return codes, [str(label) for label in labels]


def _scored(
    frame: pd.DataFrame,
    dimensions: Sequence[str],
    scores: Mapping[Any, float | None] | None,
    problems: Problems,
) -> Floats:
    """Answers (b, j) as scores; unknown codes are problems."""
    import pandas as pd

    columns = []
    for name in dimensions:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        wrong = numbers.isna() & frame[name].notna() | np.isinf(numbers)
        allowed = "a number, or an empty cell"
        if scores is not None:
            table = {float(code): np.nan if s is None else float(s) for code, s in scores.items()}
            wrong |= numbers.notna() & ~numbers.isin(list(table))
            allowed = f"an option: {', '.join(f'{code:g}' for code in table)}"
            numbers = numbers.map(table)
        for row in np.flatnonzero(wrong):
            cell = frame[name].iloc[row]
            problems.add(quoted(cell), allowed, row=int(row) + 2, column=name)
        columns.append(numbers.to_numpy(float, na_value=np.nan))
    return np.stack(columns, axis=1)


def _no_duplicates(unit: Ints, rater: Ints, rows: Ints, problems: Problems) -> None:
    order = np.lexsort((rater, unit))
    u, r = unit[order], rater[order]
    for place in np.flatnonzero((u[1:] == u[:-1]) & (r[1:] == r[:-1])):
        pair = sorted(int(rows[order[place + i]]) + 2 for i in (0, 1))
        problems.add(
            f"the rater of row {pair[0]} and the same unit again",
            "one ballot of a rater on a unit: drop or merge one first",
            row=pair[1],
        )
    problems.raise_any()


@dataclass(frozen=True, eq=False, repr=False)
class Single:
    """Ratings on one item, none missing; of a reduction one row for equal ratings of a unit."""

    unit: Ints  # (b,)
    rater: Ints  # (b,)
    value: Floats  # (b,)
    units: tuple[str, ...]
    stratum: Ints  # (r,)
    times: Ints | None = None  # (b,) ratings that a row stands for; None: one
    groups: Ints | None = None  # (g, b) of which by random groups of raters

    @property
    def ratings(self) -> Ints:
        """Ratings (u,) of each unit."""
        found: Ints = np.bincount(self.unit, self.times, self.n_units).astype(np.intp)
        return found

    @property
    def n_units(self) -> int:
        """Units with at least one rating."""
        return len(self.units)

    @property
    def n_raters(self) -> int:
        """Raters with at least one rating."""
        return self.stratum.size


def as_ratings(ratings: ArrayLike | Ratings) -> Ratings:
    """Ratings from whatever is given."""
    if isinstance(ratings, Reduced):
        refuse(
            "a reduction, which does not tell raters apart",
            "ratings or ballots; krippendorff_alpha, gwet_ac, fleiss_kappa and cronbach_alpha "
            "take a reduction",
        )
    return ratings if isinstance(ratings, Ratings) else Ratings.from_matrix(ratings)


def single(ratings: ArrayLike | Ratings, item: str | None = None) -> Single:
    """Ratings on one item; refuses several items without a choice, one rater, and one unit."""
    given = as_ratings(ratings)
    if item is None and len(given.items) != 1:
        refuse(f"{len(given.items)} items", f"one: choose item from {', '.join(given.items)}")
    if item is not None and item not in given.items:
        raise ValueError(f"found item {item!r}; allowed: {suggest(item, given.items)}")
    value = given.values[:, 0 if item is None else given.items.index(item)]
    kept = ~np.isnan(value)
    if not kept.any():
        refuse("no rating on the item", "at least one")
    everything = bool(kept.all())
    units, unit = compact(given.unit if everything else given.unit[kept])
    raters, rater = compact(given.rater if everything else given.rater[kept])
    if raters.size < 2:
        refuse(f"{raters.size} rater(s)", "at least two: one rater agrees with nobody")
    if units.size < 2:
        refuse("one unit", "at least two: agreement is told from chance by comparing units")
    labels = tuple(given.units[i] for i in units)
    found = value if everything else value[kept]
    return Single(unit, rater, found, labels, given.stratum[raters])
