"""Rules that no other rule beats on everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest

__all__ = ["OBJECTIVES", "efficient"]

# what a rule is judged by: 1 the more the better, -1 the less the better
OBJECTIVES: Mapping[str, int] = MappingProxyType(
    {"rate_range": -1, "found": 1, "expected_wrong": -1, "changed": -1}
)


def efficient(
    table: pd.DataFrame, objectives: Sequence[str] | Mapping[str, int] = tuple(OBJECTIVES)
) -> NDArray[np.bool_]:
    """Mark the rows that no other row beats: as good on everything and better on something.

    Parameters
    ----------
    table : DataFrame
    objectives : sequence of str or mapping of str to {1, -1}
        Columns of the table; a mapping says whether more is better (1) or less (-1).

    Returns
    -------
    ndarray of bool (rows,)
        Equal rows are all efficient or all not. Estimates are compared as they are: a rule that is
        beaten by less than the Monte Carlo error is beaten all the same.

    Raises
    ------
    PerfmethodError
        If a column is missing, has no known sense or holds a missing value.

    Examples
    --------
    >>> frame = pd.DataFrame({"rate_range": [0.2, 0.1, 0.2], "changed": [0, 4, 2]})
    >>> efficient(frame, ["rate_range", "changed"]).tolist()
    [True, True, False]
    """
    senses = dict(objectives) if isinstance(objectives, Mapping) else {
        name: OBJECTIVES.get(name, 0) for name in objectives
    }  # fmt: skip
    for name, sense in senses.items():
        if name not in table or sense not in (1, -1):
            known = [c for c in OBJECTIVES if c in table]
            raise PerfmethodError(f"found objective '{name}'; allowed: {suggest(name, known)}")
    values = np.column_stack([np.asarray(table[n], float) * s for n, s in senses.items()])
    if np.isnan(values).any():
        raise PerfmethodError("found a missing value in an objective; allowed: numbers only")
    at_least = (values[:, None] >= values).all(-1)  # (i, j): i is as good as j on everything
    better = (values[:, None] > values).any(-1)
    return np.asarray(~(at_least & better).any(axis=0))
