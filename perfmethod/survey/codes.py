"""Ballots as positions of labels: read once, every problem reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, Problems, suggest

__all__ = ["BallotCodes", "Labels", "checked_labels"]

Labels = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False, repr=False)
class BallotCodes:
    """Ballots as positions of labels; an answer of -1 means not asked."""

    unit: NDArray[np.intp]  # (n,)
    category: NDArray[np.intp]  # (n,)
    mode: NDArray[np.intp]  # (n,)
    answers: NDArray[np.intp]  # (d, n)

    @classmethod
    def read(cls, ballots: pd.DataFrame, labels: Labels, file: str) -> BallotCodes:
        """Look every cell up; all problems at once."""
        units, dimensions, categories, modes, options = labels
        problems = Problems(file)
        _require(ballots, ["unit_id", "category", "mode", *dimensions], problems)
        unit = _positions(ballots["unit_id"], units, problems)
        category = _positions(ballots["category"], categories, problems)
        mode = _positions(ballots["mode"], modes, problems)
        answers = [_option_positions(ballots[name], options, problems) for name in dimensions]
        problems.raise_any()
        stacked = np.array(answers, dtype=np.intp).reshape(len(dimensions), len(ballots))
        return cls(unit, category, mode, stacked)


def checked_labels(
    units: Sequence[str],
    dimensions: Sequence[str],
    categories: Sequence[str],
    modes: Sequence[str],
    options: Sequence[int | str],
) -> Labels:
    """Labels as tuples, none twice."""
    labels = (
        tuple(units),
        tuple(dimensions),
        tuple(categories),
        tuple(modes),
        tuple(int(code) for code in options),
    )
    names = ("units", "dimensions", "categories", "modes", "options")
    for name, axis in zip(names, labels, strict=True):
        if len(set(axis)) < len(axis):
            twice = sorted({str(label) for label in axis if axis.count(label) > 1})
            raise PerfmethodError(f"{name}: found {', '.join(twice)} twice; allowed: once each")
    return labels


def _require(ballots: pd.DataFrame, columns: Sequence[str], problems: Problems) -> None:
    """Stop at missing columns: nothing can be read then."""
    for name in columns:
        if name not in ballots:
            near = suggest(name, map(str, ballots.columns))
            problems.add("no such column", f"the column must be there ({near})", column=name)
    problems.raise_any()


def _positions(column: pd.Series, known: tuple[str, ...], problems: Problems) -> NDArray[np.intp]:
    """Position of each cell in `known`."""
    index = pd.Index(known, dtype=object)
    if isinstance(column.dtype, pd.CategoricalDtype):  # look up each category once
        table = np.append(index.get_indexer(column.cat.categories.astype(object)), -1)
        found = table[column.cat.codes.to_numpy()]
    else:
        found = index.get_indexer(pd.Index(column, dtype=object))
    for row in np.flatnonzero(found < 0):
        cell = column.iloc[row]
        said = "an empty cell" if pd.isna(cell) else repr(cell)
        allowed = "a name" if pd.isna(cell) else suggest(str(cell), known)
        problems.add(said, allowed, row=int(row) + 2, column=str(column.name))
    return found


def _option_positions(
    column: pd.Series, options: tuple[int, ...], problems: Problems
) -> NDArray[np.intp]:
    """Position of each answer in `options`, -1 where not asked."""
    blank = column.isna().to_numpy()
    if not pd.api.types.is_numeric_dtype(column):
        blank = blank | (column.astype(str).str.strip() == "").to_numpy(dtype=bool)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    order = np.argsort(options)
    codes = np.asarray(options, dtype=float)[order]
    place = np.searchsorted(codes, values).clip(max=len(codes) - 1)
    known = codes[place] == values
    for row in np.flatnonzero(~known & ~blank):
        allowed = f"one of {', '.join(map(str, options))}, or blank (not asked)"
        problems.add(repr(column.iloc[row]), allowed, row=int(row) + 2, column=str(column.name))
    return np.where(known, order[place], -1)
