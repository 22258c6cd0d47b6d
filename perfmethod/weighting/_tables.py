"""From labelled tables to arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.weighting.result import Array

if TYPE_CHECKING:
    import pandas as pd


def square(table: pd.DataFrame, file: str, columns: pd.Index | None = None) -> Array:
    """A square table as an array, rows and columns in the order of `columns`."""
    order = table.columns if columns is None else columns
    problems = Problems(file)
    for axis, labels in (("rows", table.index), ("columns", table.columns)):
        for label in order.difference(labels):
            problems.add(f"no '{label}' in the {axis}", "the same criteria in rows and columns")
        for label in labels.difference(order):
            problems.add(f"'{label}' in the {axis}", suggest(str(label), map(str, order)))
    _note_twice(table, problems)
    problems.raise_any(DataError)
    return numbers_of(table.loc[order, order], file)


def numbers_of(table: pd.DataFrame, file: str) -> Array:
    """A table as floats; blanks are NaN, anything else that is not a number is a problem."""
    import pandas as pd

    problems = Problems(file)
    _note_twice(table, problems)
    if not table.shape[1]:
        problems.add("no columns", "at least one criterion")
    problems.raise_any(DataError)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    for row, column in np.argwhere(numbers.isna().to_numpy() & table.notna().to_numpy()):
        problems.add(
            repr(table.iat[row, column]),
            "a number",
            row=str(table.index[row]),
            column=str(table.columns[column]),
        )
    problems.raise_any(DataError)
    return numbers.to_numpy(dtype=float, na_value=np.nan)


def _note_twice(table: pd.DataFrame, problems: Problems) -> None:
    for axis, labels in (("row", table.index), ("column", table.columns)):
        for label in labels[labels.duplicated()].unique():
            problems.add(f"{axis} '{label}' more than once", f"one {axis} for each label")


def labels_of(index: pd.Index) -> tuple[str, ...]:
    return tuple(str(label) for label in index)
