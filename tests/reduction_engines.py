"""The same ballots in the hands of every engine, for tests of the reduction."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfmethod.reduction import Reduction, SurveySpec
from tests.small_survey import SURVEY, random_ballots

SPEC = SurveySpec(**SURVEY)


def polars(frame: pd.DataFrame, folder: Path) -> Any:
    import polars as pl

    return pl.from_pandas(frame)


def polars_lazy(frame: pd.DataFrame, folder: Path) -> Any:
    return polars(frame, folder).lazy()


def arrow(frame: pd.DataFrame, folder: Path) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


def duckdb_relation(frame: pd.DataFrame, folder: Path) -> Any:
    import duckdb

    return duckdb.connect().from_arrow(arrow(frame, folder))


def parquet(frame: pd.DataFrame, folder: Path) -> Any:
    """Several files, for DuckDB to read."""
    into = folder / f"ballots-{len(list(folder.iterdir()))}"
    into.mkdir()
    table = arrow(frame, folder)
    import pyarrow.parquet as pq

    edges = np.linspace(0, len(frame), 4).astype(int)
    for i, (a, b) in enumerate(pairwise(edges.tolist())):
        pq.write_table(table.slice(a, b - a), into / f"{i}.parquet")
    return into


def dask(frame: pd.DataFrame, folder: Path) -> Any:
    import dask.dataframe as dd

    return dd.from_pandas(frame, npartitions=2)


ENGINES: dict[str, tuple[Callable[[pd.DataFrame, Path], Any], tuple[str, ...]]] = {
    "pandas": (lambda frame, folder: frame, ()),
    "polars": (polars, ("polars", "pyarrow")),
    "polars lazy": (polars_lazy, ("polars", "pyarrow")),
    "pyarrow": (arrow, ("pyarrow",)),
    "duckdb relation": (duckdb_relation, ("duckdb", "pyarrow")),
    "duckdb over Parquet": (parquet, ("duckdb", "pyarrow")),
    "dask": (dask, ("dask", "pyarrow")),
}


def need(*libraries: str) -> None:
    """Skip a test whose engine is not installed."""
    for name in ("narwhals", *libraries):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed; it is in the extra 'scale'")


def held(engine: str, frame: pd.DataFrame, folder: Path) -> Any:
    """Ballots in an engine, or a skipped test."""
    make, libraries = ENGINES[engine]
    need(*libraries)
    return make(frame, folder)


def ballots(n: int, seed: int, raters: int = 12) -> pd.DataFrame:
    """Ballots with everything odd that occurs, and an identifier each."""
    frame = random_ballots(n, seed, raters)
    named = frame.assign(ballot_id=[f"b{i:05d}" for i in range(n)])
    return named.astype({"ballot_id": "str", "rater_id": "str"})  # also where there is none


def same(a: Reduction, b: Reduction) -> None:
    """Every table equal bit for bit."""
    assert a.ballots == b.ballots
    mine, its = a.arrays(), b.arrays()
    assert mine.keys() == its.keys()
    for name, table in mine.items():
        assert table.dtype == its[name].dtype == np.int64, name
        np.testing.assert_array_equal(table, its[name], err_msg=name)
    assert a.digest == b.digest
