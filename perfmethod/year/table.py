"""A table as it was read: text only, every cell with its place."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Column", "Table", "cell_text", "from_frame", "keys_as_columns"]


@dataclass(frozen=True, eq=False)
class Column:
    """Text of one column, coded: checks look at each different text once, not at each cell.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Position of each cell's text in `uniques`.
    uniques : list of str
        Different texts, in the order they first appear; the empty text is an empty cell.
    """

    codes: NDArray[np.intp]
    uniques: list[str]

    @classmethod
    def of(cls, cells: Sequence[str]) -> Column:
        """Code the cells of a column."""
        codes, uniques = pd.factorize(np.array(cells, dtype=object))
        return cls(codes, uniques.tolist())

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Which cells hold something; shape (n,)."""
        return self.take(np.array([text != "" for text in self.uniques], dtype=bool))

    def take(self, values: NDArray[Any]) -> NDArray[Any]:
        """Spread one value per unique text over the cells."""
        return values[self.codes] if len(values) else np.empty(len(self.codes), values.dtype)

    def texts(self) -> NDArray[Any]:
        """Text of every cell; shape (n,), dtype object."""
        return self.take(np.array(self.uniques, dtype=object))

    def to_series(self, index: pd.Index | None = None) -> pd.Series:
        """Cells as text."""
        return pd.Series(self.texts(), index=index, dtype="str")

    def to_categorical(self, categories: Sequence[str] | None = None) -> Any:
        """Cells as a categorical; the categories are by default the texts themselves."""
        if categories is None:
            return pd.Categorical.from_codes(self.codes, categories=pd.Index(self.uniques))
        place = {name: i for i, name in enumerate(categories)}
        codes = np.array([place.get(text, -1) for text in self.uniques], dtype=np.intp)
        return pd.Categorical.from_codes(self.take(codes), categories=pd.Index(list(categories)))


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of text, with the places where a user finds each cell.

    Parameters
    ----------
    name : str
        Table, such as ``tasks``.
    file : str
        File or sheet, as the user knows it.
    columns : mapping of str to Column
    rows : ndarray, shape (n,)
        Row of a spreadsheet (the header is row 1), or index label of a data frame.
    letters : mapping of str to str
        Spreadsheet letter of a column, where the table is a sheet.
    whole : bool
        False if rows could not be read, so that this table cannot prove a name unknown.
    labeled : bool
        Whether `rows` are index labels.
    """

    name: str
    file: str
    columns: Mapping[str, Column]
    rows: NDArray[Any]
    letters: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True
    labeled: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> Column:
        return self.columns[column]

    def row(self, position: int) -> int | str:
        """Row as the user counts it."""
        row = self.rows[position]
        return f"index {row!r}" if self.labeled else int(row)

    def place(self, column: str) -> str:
        """Column as the user finds it, with its letter in a sheet."""
        return f"{column} ({self.letters[column]})" if column in self.letters else column


def cell_text(value: Any) -> str:
    """Give the text of a typed cell, the same that a CSV file would hold.

    Examples
    --------
    >>> [cell_text(v) for v in (45.0, 1.1, None, True, datetime.date(2009, 3, 4))]
    ['45', '1.1', '', 'TRUE', '2009-03-04']
    """
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        text = value.isoformat()
        return text.removesuffix("T00:00:00")
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return _number_text(float(value))
    return str(value)


def _number_text(value: float) -> str:
    """Shortest text that reads back as the same number; a missing number is an empty cell."""
    if np.isnan(value):
        return ""
    # the sign of -0.0 is no content
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def keys_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Data frame with a named index as columns; the labels stay, to name rows."""
    if all(level is None for level in frame.index.names):
        return frame
    labels = pd.Index(frame.index.tolist(), tupleize_cols=False)
    return frame.reset_index().set_axis(labels, axis=0)


def from_frame(name: str, frame: pd.DataFrame) -> Table:
    """Table of a data frame; a named index counts as columns, NaN as an empty cell."""
    frame = keys_as_columns(frame)
    columns = {str(c): _from_series(frame.iloc[:, i]) for i, c in enumerate(frame.columns)}
    rows = frame.index.to_numpy(dtype=object)
    return Table(name, f"{name} (in memory)", columns, rows, labeled=True)


def _from_series(series: pd.Series) -> Column:
    if series.dtype == object:  # 1, 1.0 and True hash alike, so no factorizing of mixed cells
        return Column.of([cell_text(value) for value in series])
    codes, uniques = pd.factorize(series)  # a missing cell has code -1
    if isinstance(series.dtype, pd.StringDtype) and len(codes) and codes.min() >= 0:
        return Column(codes, uniques.tolist())
    again = Column.of([*map(cell_text, uniques.tolist()), ""])
    used, places = np.unique(again.codes[codes], return_inverse=True)
    return Column(places, [again.uniques[i] for i in used])
