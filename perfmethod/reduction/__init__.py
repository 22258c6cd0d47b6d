"""Ballots by the million: one reduction to integer tables, on whichever engine holds them.

`reduce` reads pandas, Polars, PyArrow, DuckDB, Dask and PySpark frames and Parquet files through
narwhals (the extra ``scale``). Its `Reduction` is what scores, standard errors, generalizability
studies and coefficients of reliability need, in tables that do not grow with the ballots.
Everything here loads on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> module below this package
_PUBLIC: dict[str, str] = {
    "Design": "design",
    "GroupTables": "groups",
    "NestedTables": "nested",
    "Reduction": "result",
    "SurveySpec": "spec",
    "nested_tables": "nested",
    "reduce": "ballots",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"perfmethod.reduction.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'perfmethod.reduction' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
