"""Which preferences hold for all allowed weights, and which for some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.crossing import defined, nearest_meeting
from perfmethod.robustness.family import family
from perfmethod.robustness.polytope import Polytope, extent
from perfmethod.robustness.ratios import Ratios

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.scoring import Evaluation

__all__ = ["Preferences", "necessary_preferences", "preferences"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

SAME = 1e-9  # points: what is less is a tie


@dataclass(frozen=True)
class Preferences:
    """Order of units over a set of weights.

    Attributes
    ----------
    family : str
    necessary : DataFrame of bool (u, u)
        The row's total is at least the column's for all allowed weights.
    possible : DataFrame of bool (u, u)
        For at least some allowed weights.
    meta : mapping
    """

    family: str
    necessary: pd.DataFrame = field(repr=False)
    possible: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        u = len(self.necessary)
        settled = (int(self.necessary.to_numpy().sum()) - u) / max(u * (u - 1) / 2, 1)
        return f"<Preferences of {u} units, {self.family}: {100 * settled:.0f} % of pairs settled>"

    def to_frame(self) -> pd.DataFrame:
        """What is settled for each unit.

        Returns
        -------
        DataFrame
            Index unit_id; surely_above, surely_below (numbers of other units), open (pairs that the
            weights decide).
        """
        import pandas as pd

        necessary = self.necessary.to_numpy() & ~np.eye(len(self.necessary), dtype=bool)
        above, below = necessary.sum(1), necessary.sum(0)
        both = (necessary & necessary.T).sum(1)  # tied whatever the weights
        return pd.DataFrame(
            {
                "surely_above": above,
                "surely_below": below,
                "open": len(necessary) - 1 - above - below + both,
            },
            index=self.necessary.index,
        )


def necessary_preferences(totals: Ratios, share: ArrayLike, polytope: Polytope) -> Bools:
    """Find the pairs whose order the weights cannot turn round.

    Parameters
    ----------
    totals : Ratios
        One ratio per unit at most.
    share : array_like (n,)
        Any weights of the set.
    polytope : Polytope

    Returns
    -------
    ndarray of bool (u, u)
        Whether the row's total is at least the column's everywhere in the set: the least value of
        a linear function (greedy within bounds, else a linear program); for pairs with different
        denominators, whether a branch and bound over levels finds weights that say otherwise.

    References
    ----------
    Greco, Mousseau & Slowinski, "Ordinal regression revisited: multiple criteria ranking using a
    set of additive value functions", *European Journal of Operational Research* 191 (2008),
    416-436, for necessary and possible preference.

    Examples
    --------
    >>> r = Ratios.of([[90.0, 60.0], [70.0, 55.0], [40.0, 80.0]])
    >>> necessary_preferences(r, [0.5, 0.5], Polytope.of(2)).astype(int).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    """
    w = np.asarray(share, float)
    u, now = totals.const.size, totals.at(w)
    i, j = np.triu_indices(u, 1)
    lines = [totals.difference(int(a), int(b)) for a, b in zip(i, j, strict=True)]
    linear = np.array([line is not None for line in lines], dtype=bool)
    necessary = np.eye(u, dtype=bool)
    if linear.any():
        low, high = extent(polytope, np.array([line[0] for line in lines if line is not None]))
        necessary[i[linear], j[linear]] = low >= -SAME
        necessary[j[linear], i[linear]] = high <= SAME
    for a, b in zip(i[~linear], j[~linear], strict=True):
        top, low_ = (a, b) if now[a] >= now[b] else (b, a)
        necessary[top, low_] = not _turned(totals, w, int(top), int(low_), polytope)
        if now[a] == now[b]:
            necessary[low_, top] = not _turned(totals, w, int(low_), int(top), polytope)
    return necessary


def _turned(totals: Ratios, w: Array, top: int, low: int, polytope: Polytope) -> bool:
    """Whether some weights put the lower of two units clearly above the other, or none is proven.

    The bound is infinite where it is proven that there are no such weights.
    """
    found = nearest_meeting(totals, w, [low], [top], polytope, "l2", margin=1e-6, first=True)
    return bool(np.isfinite(found.lower))


def preferences(
    evaluation: Evaluation, names: str | Sequence[str], within: Polytope | None = None
) -> Preferences:
    """Find necessary and possible preferences over a set of weights.

    Exact as `smallest_change` is: by linear functions where two units have the same children, by
    branch and bound where they do not (there a difference below a millionth of a point counts as
    none). Weights that leave any unit less than a thousandth of what now lies on its own children
    are left out.

    Parameters
    ----------
    evaluation : Evaluation
    names : str or sequence of str
        A family of `families`, or several varied together.
    within : Polytope, optional
        From `Family.within`; by default all weights that are not negative.

    Returns
    -------
    Preferences
        Of the units of the family's class.

    Raises
    ------
    PerfmethodError
        If the family is not offered.
    ValueError
        If a unit has several ratios in the weights.

    Examples
    --------
    >>> import pandas as pd, perfmethod as pm
    >>> from perfmethod.robustness import family
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> evaluation = pm.evaluate(pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 70]})))
    >>> near = family(evaluation, "city").within(percent=10)
    >>> bool(preferences(evaluation, "city", near).necessary.at["A", "B"])
    True
    """
    import pandas as pd

    found = family(evaluation, *([names] if isinstance(names, str) else names))
    polytope = found.within() if within is None else within
    inside = found.share if polytope.contains(found.share) else polytope.some_point()
    assert inside is not None  # a Polytope is never empty
    totals = found.totals.take(found.members)
    domain = defined(totals, found.share, polytope)
    necessary = necessary_preferences(totals, inside, domain)
    index = pd.Index([found.units[k] for k in found.members], name="unit_id")
    possible = ~necessary.T | (necessary & necessary.T)
    return Preferences(
        found.name,
        pd.DataFrame(necessary, index, index),
        pd.DataFrame(possible | necessary, index, index),
        evaluation.year.meta,
    )
