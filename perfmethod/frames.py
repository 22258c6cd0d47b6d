"""Small helpers around data frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["natural_order", "row", "rows"]


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows as named tuples (``itertuples``), whose fields have the columns' types."""
    yield from frame.itertuples()


def row(frame: pd.DataFrame, label: str) -> dict[str, Any]:
    """One row as a plain dictionary.

    Raises
    ------
    KeyError
        If there is no such row, or more than one.
    """
    (found,) = frame.loc[[label]].to_dict("records")
    return {str(column): value for column, value in found.items()}


def natural_order(*columns: Iterable[object]) -> list[int]:
    """Places of the rows in the order that a reader expects: G2 stands before G10.

    Examples
    --------
    >>> natural_order(["G10", "G2", "G1"])
    [2, 1, 0]
    """
    keys = [[_pieces(str(cell)) for cell in row] for row in zip(*columns, strict=True)]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _pieces(text: str) -> list[tuple[int, int, str]]:
    """Numbers by size and other text by its letters; a number stands before a text."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", text)
    return [(0, int(digits), "") if digits else (1, 0, letters) for digits, letters in parts]
