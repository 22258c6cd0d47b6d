"""Small helpers around data frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["row", "rows"]


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
