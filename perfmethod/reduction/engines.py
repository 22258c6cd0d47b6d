"""One way to read ballots, whatever holds them: narwhals over the engine that is already there."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from perfmethod.errors import DataError, PerfmethodError, Problem

__all__ = ["Source", "sources_of"]

_COUNT = "ballots__"
_ENDING = "ending__"
_NEEDED = "needs the extra 'scale' (pip install 'perfmethod[scale]')"


@dataclass(frozen=True, eq=False)
class Source:
    """Ballots that an engine holds: a lazy frame, and what must stay open while it is read."""

    frame: Any  # narwhals.LazyFrame
    held: Any = None

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [str(name) for name in self.frame.collect_schema().names()]

    def is_text_or_whole(self, column: str) -> bool:
        """Whether a column's type can hold identifiers that print the same on every engine."""
        kind = self.frame.collect_schema()[column]
        return not (kind.is_float() or kind.is_nested() or kind.is_temporal())

    def tally(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Rows (values, number of ballots) of each combination that occurs."""
        import narwhals as nw

        return _rows(self.frame.group_by(*columns).agg(nw.len().alias(_COUNT)))

    def endings(self, column: str, length: int) -> list[tuple[Any, int]]:
        """Last characters of identifiers, and how many ballots have them."""
        import narwhals as nw

        frame = self.frame.select(_text(column).str.tail(length).alias(_ENDING))
        found = frame.group_by(_ENDING).agg(nw.len().alias(_COUNT))
        return [(plain(ending), int(n)) for ending, n in _rows(found)]

    def repeated(self, column: str, chosen: Chosen | None) -> dict[str, int]:
        """Identifiers that occur more than once, with how often."""
        import narwhals as nw

        ids = self.chosen(column, chosen).select(_text(column))
        found = ids.group_by(column).agg(nw.len().alias(_COUNT)).filter(nw.col(_COUNT) > 1)
        named = ((plain(name), int(n)) for name, n in _rows(found))
        return {name: n for name, n in named if name is not None and name.strip()}

    def read(self, columns: Sequence[str], key: str, chosen: Chosen | None) -> pd.DataFrame:
        """Some columns of the ballots chosen, the key as text."""
        rest = [name for name in columns if name != key]
        found = _collected(self.chosen(key, chosen).select(_text(key), *rest))
        return pd.DataFrame({name: found[name].to_pandas().array for name in columns}, copy=False)

    def chosen(self, column: str, chosen: Chosen | None) -> Any:
        """Ballots whose identifier has one of the endings chosen."""
        if chosen is None:
            return self.frame
        return self.frame.filter(_text(column).str.tail(chosen.length).is_in(list(chosen.endings)))


@dataclass(frozen=True)
class Chosen:
    """A part of the identifiers, by their last characters."""

    length: int
    endings: tuple[str, ...]


def _text(column: str) -> Any:
    import narwhals as nw

    return nw.col(column).cast(nw.String)


def _rows(frame: Any) -> list[tuple[Any, ...]]:
    return list(_collected(frame).rows())


def _collected(frame: Any) -> Any:
    """Run the plan; Polars in its streaming engine, so that a file is never held whole."""
    if frame.implementation.is_polars():
        return frame.collect(backend="polars", engine="streaming")
    return frame.collect()


def plain(value: Any) -> Any:
    """None for a missing cell of any engine; everything else as it is.

    Examples
    --------
    >>> plain(float("nan")) is None, plain("x")
    (True, 'x')
    """
    return None if value is None or value is pd.NA or value != value else value


def sources_of(given: Any, memory: str) -> list[Source]:
    """Sources from frames of any engine, Parquet files, or a list of these.

    Parameters
    ----------
    given : object
        A pandas, Polars, PyArrow, DuckDB, Dask, PySpark or narwhals frame; a Parquet file, a
        folder of them, or a pattern such as ``"ballots/*.parquet"``; or a list.
    memory : str
        What DuckDB may hold of files, such as ``"1GB"``.
    """
    parts = given if isinstance(given, list | tuple) else [given]
    if not parts:
        raise PerfmethodError("source: found an empty list; allowed: at least one table of ballots")
    try:
        import narwhals  # noqa: F401
    except ImportError:
        raise PerfmethodError(f"reduce: found no narwhals; it {_NEEDED}") from None
    return [_parquet(p, memory) if isinstance(p, str | Path) else _source(p) for p in parts]


def _source(frame: Any) -> Source:
    import narwhals as nw

    if isinstance(frame, nw.LazyFrame):
        return Source(frame)
    with warnings.catch_warnings():
        # the plugin it asks for is not published yet
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        try:
            found = nw.from_native(frame)
        except TypeError:
            kind = f"{type(frame).__module__.split('.')[0]}.{type(frame).__name__}"
            raise PerfmethodError(
                f"source: found a {kind}; allowed: a frame of pandas, Polars, PyArrow, DuckDB, "
                "Dask, PySpark or narwhals, or the path of Parquet files"
            ) from None
    return Source(found.lazy(), frame)


def _parquet(path: str | Path, memory: str) -> Source:
    """Files read by DuckDB, a block at a time."""
    try:
        import duckdb
    except ImportError:
        raise PerfmethodError(f"reduce: found no DuckDB; reading Parquet {_NEEDED}") from None
    text = str(Path(path) / "*.parquet") if Path(path).is_dir() else str(path)
    connection = duckdb.connect(
        config={
            "memory_limit": memory,
            "preserve_insertion_order": False,
            # what does not fit goes there, not into the folder that one happens to be in
            "temp_directory": str(Path(tempfile.gettempdir(), "perfmethod-duckdb")),
        }
    )
    try:
        return _source_held(connection.read_parquet(text), connection)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        found = f"what cannot be read ({reason})"
        raise DataError([Problem(text, None, None, found, "Parquet files")]) from None


def _source_held(relation: Any, connection: Any) -> Source:
    source = _source(relation)
    return Source(source.frame, (relation, connection))


def parts_of(
    sources: Iterable[Source], column: str, most: int, total: int
) -> tuple[list[Chosen | None], int]:
    """Parts of the identifiers with at most so many ballots each, and ballots without one.

    A part is told by last characters, so that an identifier is never in two parts, in whichever
    source it stands; identifiers that all end alike stay together.
    """
    if total <= most:
        return [None], 0
    for length in (2, 3, 4, 6, 8):
        found: dict[str | None, int] = {}
        for source in sources:
            for ending, n in source.endings(column, length):
                found[ending] = found.get(ending, 0) + n
        missing = found.pop(None, 0)
        if max(found.values(), default=0) <= most:
            break
    bins: list[list[str]] = []
    room = 0
    for ending in sorted(found):  # type: ignore[type-var]
        if not bins or found[ending] > room:
            bins.append([])
            room = most
        bins[-1].append(str(ending))
        room -= found[ending]
    return [Chosen(length, tuple(names)) for names in bins], missing


def codes_of(column: pd.Series, lookup: Any) -> np.ndarray:
    """Codes of the cells, each distinct one looked up once; missing cells are looked up as None."""
    codes, cells = pd.factorize(column)
    table = np.array([*(lookup(plain(cell)) for cell in cells.tolist()), lookup(None)], np.int64)
    return table[codes]
