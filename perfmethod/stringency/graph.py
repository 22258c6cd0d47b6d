"""What no amount of ratings can compare: the parts of the graph of raters and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Connectivity", "connectivity", "nested_ratings"]


@dataclass(frozen=True)
class Connectivity:
    """Parts of the graph in which a rater and a unit are joined where one rated the other.

    Attributes
    ----------
    parts : DataFrame
        Index part (from 1, the largest first); units and raters (tuples), n_units, n_raters.
    ratings : int
        Pairs of a rater and a unit.
    """

    parts: pd.DataFrame = field(repr=False)
    ratings: int

    def __repr__(self) -> str:
        n = len(self.parts)
        return f"<Connectivity: {n} part{'s' if n != 1 else ''}, {self.ratings} ratings>"

    def to_frame(self) -> pd.DataFrame:
        """The parts, the largest first."""
        return self.parts.copy()

    @property
    def connected(self) -> bool:
        """Whether any two units can be compared free of who rated them."""
        return len(self.parts) == 1

    def comparable(self, one: str, other: str) -> bool:
        """Whether two units lie in one part.

        Raises
        ------
        PerfmethodError
            If a unit was not rated.
        """
        return self._part(one) == self._part(other)

    def _part(self, unit: str) -> int:
        for part, units in self.parts["units"].items():
            if unit in units:
                return int(str(part))
        known = [u for units in self.parts["units"] for u in units]
        raise PerfmethodError(f"found unit '{unit}' without a rating; {suggest(unit, known)}")

    def require(self) -> None:
        """Refuse to compare units of different parts.

        Raises
        ------
        PerfmethodError
            If there is more than one part, with the first units of each.
        """
        if self.connected:
            return
        told = "; ".join(
            f"{k}: {', '.join(units[:3])}{', ...' if len(units) > 3 else ''} ({len(units)} units)"
            for k, units in self.parts["units"].items()
        )
        raise PerfmethodError(
            f"found {len(self.parts)} parts that no rater joins ({told}); allowed: one part. How "
            "strict the raters of one part are cannot be told from how well its units do, however "
            "many ratings there are: let some raters rate in several parts (`plan_links`), or say "
            "by which anchors the parts are to be compared (`stringency`)"
        )


def connectivity(
    raters: Sequence[object] | ArrayLike, units: Sequence[object] | ArrayLike
) -> Connectivity:
    """Find which units can be compared at all, whoever rated them.

    Parameters
    ----------
    raters, units : sequence (n,)
        One entry per rating.

    Returns
    -------
    Connectivity

    Raises
    ------
    PerfmethodError
        If the two differ in length, there is no rating, or a name is missing.

    References
    ----------
    Weeks and Williams, "A note on the determination of connectedness in an N-way cross
    classification", *Technometrics* 6 (1964), 319-324.

    Examples
    --------
    >>> found = connectivity(["r1", "r1", "r2"], ["A", "B", "C"])
    >>> found, found.comparable("A", "B"), found.comparable("A", "C")
    (<Connectivity: 2 parts, 3 ratings>, True, False)
    """
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = pd.Series(np.asarray(raters, dtype=object)), pd.Series(np.asarray(units, dtype=object))
    if len(a) != len(b) or len(a) == 0 or a.isna().any() or b.isna().any():
        missing = int(a.isna().sum() + b.isna().sum())
        raise PerfmethodError(
            f"found {len(a)} raters, {len(b)} units and {missing} missing names; allowed: one "
            "rater and one unit for each rating, at least one rating"
        )
    i, rater_names = pd.factorize(a.astype(str), sort=True)
    j, unit_names = pd.factorize(b.astype(str), sort=True)
    pairs = np.unique(np.stack([i, j + len(rater_names)]), axis=1)
    n = len(rater_names) + len(unit_names)
    graph = coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    rater_part, unit_part = label[: len(rater_names)], label[len(rater_names) :]
    rows = [
        (tuple(unit_names[unit_part == k]), tuple(rater_names[rater_part == k]))
        for k in np.unique(label)
    ]
    rows.sort(key=lambda r: (-len(r[0]), r[0]))
    frame = pd.DataFrame(rows, columns=["units", "raters"], index=pd.RangeIndex(1, len(rows) + 1))
    frame["n_units"], frame["n_raters"] = (frame[c].map(len) for c in ("units", "raters"))
    return Connectivity(frame.rename_axis("part"), int(pairs.shape[1]))


def nested_ratings(groups: pd.Series, raters: int = 1) -> tuple[list[str], list[str]]:
    """Ratings of panels that rate the units of their own group, and nobody else's.

    Parameters
    ----------
    groups : Series
        Group by unit.
    raters : int, default 1
        Members of each panel.

    Returns
    -------
    raters, units : list of str

    Examples
    --------
    >>> import pandas as pd
    >>> nested_ratings(pd.Series({"A": "g", "B": "h"}))
    (['panel g 1', 'panel h 1'], ['A', 'B'])
    """
    pairs = [
        (f"panel {group} {k + 1}", str(unit))
        for unit, group in groups.items()
        for k in range(raters)
    ]
    return [r for r, _ in pairs], [u for _, u in pairs]
