"""Whole numbers that a plan of a survey may choose from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, is_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["choices", "limits"]


def choices(given: int | Sequence[int]) -> list[int]:
    """Numbers of units per person, at least one."""
    found = list(given) if isinstance(given, Iterable) else [given]
    strange = [one for one in found if not is_whole(one)]
    if strange or not found:
        what = repr(strange[0]) if strange else "none"
        raise PerfmethodError(f"units_per_person: found {what}; allowed: whole numbers from 1 on")
    return [int(one) for one in found]


def limits(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fewest and most ballots of each stratum."""
    found = []
    for name, usual in (("least", 1), ("most", 100_000)):
        given = table[name].to_numpy(float) if name in table else np.full(len(table), usual, float)
        wrong = ~(np.isfinite(given) & (given >= 1) & (given == np.floor(given)))
        if wrong.any():
            raise PerfmethodError(f"strata: found a {name} of {given[wrong][0]:g} ballots; "
                                  "allowed: whole numbers from 1 on")  # fmt: skip
        found.append(given.astype(np.int64))
    least, most = found
    if (least > most).any():
        s = int((least > most).argmax())
        raise PerfmethodError(f"strata: found a least of {least[s]} ballots and a most of "
                              f"{most[s]}; allowed: a least up to the most")  # fmt: skip
    return least, most
