"""Synthetic years: the whole scheme at work where the truth was planted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perfmethod.errors import DataError, Problems
from perfmethod.places.compare import compare_rules
from perfmethod.places.rules import QuotaRule
from perfmethod.places.truth import mean_and_error
from perfmethod.scheme import Scheme
from perfmethod.synthetic import synthetic_year
from perfmethod.year import Year

__all__ = ["found_in_synthetic"]


def found_in_synthetic(
    rules: Iterable[str | QuotaRule] | None = None,
    *,
    seeds: Sequence[int] = tuple(range(20)),
    ballots: int = 10_000,
    units: int = 49,
    groups: int = 7,
    best_of: str = "class",
) -> pd.DataFrame:
    """Share of the truly best units that each rule finds, over synthetic years.

    Parameters
    ----------
    rules : iterable of str or QuotaRule, optional
        As in `compare_rules`.
    seeds : sequence of int
        One synthetic year each.
    ballots, units, groups : int
        See `synthetic.synthetic_year`.
    best_of : {"class", "all"}
        As in `compare_rules`; the truth is the planted quality of the units.

    Returns
    -------
    DataFrame
        Index rule; found, found_mcse (over the years), found_gain (over the scheme as it is),
        found_gain_mcse; rate_range, changed, filled (means over the years); years.

    Raises
    ------
    DataError
        No seed, or a size that is impossible.
    """
    problems = Problems("arguments")
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        problems.add(f"seeds {list(seeds)[:5]}", "two or more, all different", column="seeds")
    problems.raise_any(DataError)
    listed = rules if rules is None or isinstance(rules, str | QuotaRule) else list(rules)
    tables = []
    for seed in seeds:
        made = synthetic_year(seed=seed, units=units, ballots=ballots, groups=groups)
        tables_of: dict[str, Any] = dict(made.tables)
        year = Year.from_frames(Scheme.loads(made.scheme), **tables_of)
        truth = made.truth["units"].set_index("unit_id")["quality"]
        found = compare_rules(year, listed, truth=truth, best_of=best_of, draws=0)
        tables.append(found.table)
    rows = []
    for rule in tables[0].index:
        mine = [table.loc[rule] for table in tables]
        share = mean_and_error([row["found"] for row in mine])
        gain = mean_and_error([row["found_gain"] for row in mine])
        means = (float(np.mean([row[c] for row in mine]))
                 for c in ("rate_range", "changed", "filled"))  # fmt: skip
        rows.append((*share, *gain, *means, len(tables)))
    columns = ["found", "found_mcse", "found_gain", "found_gain_mcse", "rate_range", "changed",
               "filled", "years"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns, index=pd.Index(tables[0].index, name="rule"))
