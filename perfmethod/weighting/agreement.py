"""How far experts agree on an order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Concordance", "concordance"]


@dataclass(frozen=True)
class Concordance:
    """Kendall's coefficient of concordance of m experts over n criteria.

    Parameters
    ----------
    w : float
        0 for no agreement, 1 for the same order from every expert; corrected for ties.
    chi_square : float
        ``m (n - 1) w``.
    degrees_of_freedom : int
        ``n - 1``.
    p_value : float
        Probability of so large a `chi_square` if every expert ranked at random. The chi-square
        approximation is conservative when there are few experts (Legendre 2005).
    experts, criteria : int
        m and n.
    """

    w: float
    chi_square: float
    degrees_of_freedom: int
    p_value: float
    experts: int
    criteria: int


def concordance(ratings: ArrayLike) -> Concordance | None:
    r"""Kendall's W, with ties corrected for.

    Parameters
    ----------
    ratings : array_like (m, n)
        Points, weights or places that expert m gave to criterion n; only the order inside a row
        counts, ties share their mean rank.

    Returns
    -------
    Concordance or None
        None where agreement has no meaning: fewer than two experts or two criteria, or every
        expert rates all criteria alike.

    Raises
    ------
    ValueError
        If the array is not two-dimensional or holds missing values.

    References
    ----------
    Kendall, M. G. and Babington Smith, B. (1939). The problem of m rankings. Annals of
    Mathematical Statistics 10(3), 275-287.

    Legendre, P. (2005). Species associations: the Kendall coefficient of concordance revisited.
    Journal of Agricultural, Biological, and Environmental Statistics 10(2), 226-245.

    Examples
    --------
    >>> concordance([[50, 30, 20], [60, 30, 10], [40, 25, 35]]).w.__round__(4)
    0.7778
    """
    from scipy import stats

    x = np.asarray(ratings, float)
    if x.ndim != 2 or np.isnan(x).any():
        raise ValueError(
            f"found ratings of shape {x.shape} with {np.isnan(x).sum()} missing values; "
            "allowed: an array (experts, criteria) without missing values"
        )
    m, n = x.shape
    ranks = stats.rankdata(x, axis=1)
    # T = sum over experts and over their groups of t tied criteria of t^3 - t
    tied = sum(float((t**3 - t).sum()) for t in map(_tie_sizes, ranks))
    # W = 12 S / (m^2 (n^3 - n) - m T), S the squared deviations of the rank sums from their mean
    spread = float(np.sum((ranks.sum(axis=0) - m * (n + 1) / 2) ** 2))
    most = m**2 * (n**3 - n) - m * tied
    if m < 2 or n < 2 or most == 0:
        return None
    w = 12 * spread / most
    chi_square = m * (n - 1) * w
    return Concordance(w, chi_square, n - 1, float(stats.chi2.sf(chi_square, n - 1)), m, n)


def _tie_sizes(row: np.ndarray) -> np.ndarray:
    return np.unique(row, return_counts=True)[1]
