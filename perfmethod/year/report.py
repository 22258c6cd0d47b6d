"""Collects the problems and notes of a whole year, from every file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import DataError, Problem
from perfmethod.year.table import Table

__all__ = ["AT_MOST", "Report", "Wrong", "quote"]

AT_MOST = 50  # problems listed per check: the text of 40,000 of them would take minutes
_ROWS_SHOWN = 5

Wrong = Mapping[int, tuple[str, str]]  # position of a unique text -> (found, allowed)


@dataclass
class Report:
    """Problems, which stop the year, and notes, which the user is shown."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def file(self, file: str, found: str, allowed: str) -> None:
        """Note that a whole file is wrong."""
        self.problems.append(Problem(file, None, None, found, allowed))

    def header(self, table: Table, column: str, found: str, allowed: str) -> None:
        """Note a problem of the header."""
        self.problems.append(Problem(table.file, 1, table.place(column), found, allowed))

    def cell(self, file: str, row: int, column: str, found: str, allowed: str) -> None:
        """Note a problem of one cell of a file that is no table yet."""
        self.problems.append(Problem(file, row, column, found, allowed))

    def rows(
        self, table: Table, rows: Sequence[int] | NDArray[np.intp], column: str, found: str,
        allowed: str,
    ) -> None:  # fmt: skip
        """Note one problem that stands in all of `rows`, at the first of them."""
        place = table.row(int(rows[0]))
        text = found + _also(table, rows[1:])
        self.problems.append(Problem(table.file, place, table.place(column) or None, text, allowed))

    def cells(
        self, table: Table, column: str, wrong: Wrong, mask: NDArray[np.bool_] | None = None
    ) -> None:
        """Note one problem for each wrong text of a column (within `mask`)."""
        codes = table[column].codes
        for code, (found, allowed) in islice(wrong.items(), AT_MOST):
            hit = codes == code if mask is None else (codes == code) & mask
            self.rows(table, np.flatnonzero(hit), column, found, allowed)
        self._more(table, column, len(wrong))

    def each(
        self, table: Table, rows: NDArray[np.intp], column: str, found: Sequence[str], allowed: str
    ) -> None:
        """Note one problem for each row; `found` is as long as `rows`."""
        for row, text in islice(zip(rows, found, strict=True), AT_MOST):
            self.rows(table, [int(row)], column, text, allowed)
        self._more(table, column, len(rows))

    def _more(self, table: Table, column: str, n: int) -> None:
        if n > AT_MOST:
            found = f"{n - AT_MOST} more problems of this kind"
            self.problems.append(
                Problem(table.file, None, table.place(column) or None, found, "none of them")
            )

    def raise_any(self) -> None:
        """Raise all problems at once, if there are any."""
        if self.problems:
            raise DataError(self.problems)


def _also(table: Table, rows: Sequence[int] | NDArray[np.intp]) -> str:
    if not len(rows):
        return ""
    shown = ", ".join(str(table.row(int(row))) for row in rows[:_ROWS_SHOWN])
    more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    return f" (also in rows {shown}{more})"


def quote(text: str) -> str:
    """Show a cell's text in a message.

    Examples
    --------
    >>> quote("D01"), quote(""), quote(" D01")
    ("'D01'", 'an empty cell', "' D01'")
    """
    if text == "":
        return "an empty cell"
    shown = text if len(text) <= 60 else text[:57] + "..."
    return repr(shown)
