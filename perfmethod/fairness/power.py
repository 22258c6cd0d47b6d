"""What an exact test of parity could have found at all."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.fairness.tables import TableLaw

__all__ = ["Detectable", "detectable", "exact_power", "log_ways", "significant_counts"]

Array = NDArray[np.float64]

STEPS = 400  # odds ratios tried, evenly on the logarithm
FARTHEST = math.log(1e6)


class Detectable(NamedTuple):
    """Smallest departure of one group that a test finds with a stated probability.

    ``odds`` is infinite (or 0 for a disadvantage) where no departure up to a million times the odds
    is found that often; ``rate`` is the expected rate of the group under ``odds``; ``most_power``
    is the power against the most extreme departure, the group having all (or none) of the places
    that it can have.
    """

    odds: float
    rate: float
    most_power: float


def log_ways(ways: NDArray[Any]) -> Array:
    """Natural logarithm of whole numbers of any size; -inf for 0."""
    if ways.dtype != object:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(ways))
    return np.array([math.log(w) if w else -math.inf for w in ways])


def exact_power(law: TableLaw, rejected: ArrayLike, odds: ArrayLike) -> Array:
    """Probability that a test rejects when groups have other odds.

    Parameters
    ----------
    law : TableLaw
    rejected : array_like of bool (t,)
        Tables that the test rejects, such as ``p_values(law, name) <= 0.05``.
    odds : array_like (..., g)
        Odds of each group, up to a common factor: the stated alternative. All equal gives the size
        of the test, which is at most its nominal level.

    Returns
    -------
    ndarray (...)

    Raises
    ------
    ValueError
        If odds are not positive and finite.

    References
    ----------
    Fog, "Calculation methods for Wallenius' and Fisher's noncentral hypergeometric distributions",
    *Communications in Statistics* 37 (2008), 258-273 (the law; the sum here is complete).

    Examples
    --------
    >>> from perfmethod.fairness import p_values, table_law
    >>> law = table_law([4, 9, 9, 8, 7, 6, 6], 13)
    >>> rejected = p_values(law, "fisher_freeman_halton") <= 0.05
    >>> exact_power(law, rejected, [[1] * 7, [1, 5, 1, 1, 1, 1, 1]]).round(3)
    array([0.049, 0.283])
    """
    psi = np.asarray(odds, dtype=float)
    if not (np.isfinite(psi).all() and (psi > 0).all()):
        raise ValueError(f"found odds {psi.tolist()}; allowed: positive and finite numbers")
    lifted = np.log(psi) @ law.counts.T + log_ways(law.ways)
    lifted = np.exp(lifted - lifted.max(axis=-1, keepdims=True))
    chosen = np.asarray(rejected, dtype=bool)
    return np.asarray(lifted[..., chosen].sum(axis=-1) / lifted.sum(axis=-1))


def detectable(
    law: TableLaw, rejected: ArrayLike, group: int, *, target: float = 0.8, more: bool = True
) -> Detectable:
    """Smallest advantage of one group over all others that a test finds often enough.

    Parameters
    ----------
    law : TableLaw
    rejected : array_like of bool (t,)
    group : int
    target : float, default 0.8
        Power asked for; it is reached for every departure beyond the one returned.
    more : bool, default True
        Advantage; False for a disadvantage.

    Returns
    -------
    Detectable
    """
    chosen = np.asarray(rejected, dtype=bool)
    ways, hit = law.by_group(group), law.by_group(group, chosen)
    can = np.flatnonzero(ways != 0)
    chance = np.asarray(hit[can] / ways[can], dtype=float)
    weight, sign = log_ways(ways[can]), 1.0 if more else -1.0

    def at(log_odds: Array) -> tuple[Array, Array]:
        lifted = weight + can * (sign * log_odds[:, None])
        lifted = np.exp(lifted - lifted.max(axis=1, keepdims=True))
        lifted /= lifted.sum(axis=1, keepdims=True)
        return lifted @ chance, lifted @ can

    limit = float(chance[-1] if more else chance[0])
    size = max(int(law.sizes[group]), 1)
    if limit < target:
        return Detectable(math.inf if more else 0.0, math.nan, limit)
    grid = np.linspace(0.0, FARTHEST, STEPS)
    if at(grid[-1:])[0][0] < target:
        return Detectable(math.inf if more else 0.0, math.nan, limit)
    for _ in range(4):  # each round looks closer between the last that fails and the next
        fails = np.flatnonzero(at(grid)[0] < target)
        if not fails.size:
            break
        grid = np.linspace(grid[fails[-1]], grid[fails[-1] + 1], STEPS)
    found = grid[-1:] if fails.size else grid[:1]
    return Detectable(math.exp(sign * found[0]), float(at(found)[1][0]) / size, limit)


def significant_counts(law: TableLaw, group: int, alpha: float = 0.05) -> tuple[int, int]:
    """Fewest places of a group that are significantly many, and most that are significantly few.

    Each is judged one-sided against `alpha` by the exact law of the group's places.

    Returns
    -------
    many, few : int
        -1 where no number of places is significant.

    Examples
    --------
    >>> from perfmethod.fairness import table_law
    >>> law = table_law([4, 5, 6, 7, 8, 9, 10], 13)
    >>> [significant_counts(law, g) for g in range(7)]
    [(4, -1), (4, -1), (4, -1), (5, -1), (5, -1), (5, 0), (6, 0)]
    """
    chance = np.asarray(law.by_group(group) / law.total, dtype=float)
    upper, lower = chance[::-1].cumsum()[::-1], chance.cumsum()
    many = np.flatnonzero((upper <= alpha) & (chance > 0))
    few = np.flatnonzero((lower <= alpha) & (chance > 0))
    return (int(many[0]) if many.size else -1), (int(few[-1]) if few.size else -1)
