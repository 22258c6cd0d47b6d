"""Which units can be compared through raters they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Connection", "connection"]

_SHOWN = 6


@dataclass(frozen=True)
class Connection:
    """Sets of units that chains of shared raters, or of shared categories, tie together.

    Parameters
    ----------
    by_raters : tuple of tuple of str
        Units that raters connect, the largest set first. Two units of different sets have no
        rater in common, not even by a chain: their difference rests on the assumption that raters
        of one category are drawn from the same people.
    by_categories : tuple of tuple of str
        Units that categories of raters connect. Between different sets nothing tells a good unit
        from lenient categories.

    Examples
    --------
    >>> connection(["D01", "D02", "D03"], ["a", "a", "b"], ["R01", "R01", "R01"])
    Connection(by_raters=(('D01', 'D02'), ('D03',)), by_categories=(('D01', 'D02', 'D03'),))
    """

    by_raters: tuple[tuple[str, ...], ...]
    by_categories: tuple[tuple[str, ...], ...]

    @property
    def comparable(self) -> bool:
        """Whether categories connect all units."""
        return len(self.by_categories) == 1

    def rater_set(self) -> dict[str, int]:
        """Number of the set, from 1, of each unit."""
        return {unit: i for i, part in enumerate(self.by_raters, 1) for unit in part}

    def refuse(self) -> None:
        """Raise where categories do not connect all units.

        Raises
        ------
        PerfmethodError
            Listing the sets.
        """
        if not self.comparable:
            parts = "; ".join(_listed(part) for part in self.by_categories)
            raise PerfmethodError(
                f"ballots: found {len(self.by_categories)} sets of units without a category of "
                f"raters in common ({parts}); allowed: units that categories connect, for "
                "otherwise good units cannot be told from lenient categories. Analyze each set by "
                "itself"
            )


def connection(
    unit: Sequence[Any] | pd.Series, rater: Sequence[Any] | pd.Series,
    category: Sequence[Any] | pd.Series,
) -> Connection:  # fmt: skip
    """Find which units ballots connect.

    Parameters
    ----------
    unit, rater, category : sequence (n,)
        Of every ballot. A rater in two categories counts as two.
    """
    import pandas as pd

    who = pd.Series(list(category)).astype(str) + "\0" + pd.Series(list(rater)).astype(str)
    units = pd.Series(list(unit)).astype(str)
    return Connection(_parts(units, who), _parts(units, pd.Series(list(category)).astype(str)))


def _parts(unit: pd.Series, other: pd.Series) -> tuple[tuple[str, ...], ...]:
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    u, names = pd.factorize(unit, sort=True)
    o, others = pd.factorize(other)
    size = len(names) + len(others)
    graph = coo_array((np.ones(len(u)), (u, o + len(names))), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    sets: dict[int, list[str]] = {}
    for name, part in zip(names, label[: len(names)].tolist(), strict=True):
        sets.setdefault(part, []).append(str(name))
    return tuple(sorted((tuple(s) for s in sets.values()), key=lambda s: (-len(s), s)))


def _listed(part: tuple[str, ...]) -> str:
    more = f" and {len(part) - _SHOWN} more" if len(part) > _SHOWN else ""
    return ", ".join(part[:_SHOWN]) + more
