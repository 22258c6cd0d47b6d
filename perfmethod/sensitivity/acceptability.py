"""What counts of ranks say: shares with their Monte Carlo errors, quantiles, tied units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest

__all__ = [
    "GROUP_RULES",
    "expected_ranks",
    "pairwise",
    "rank_counts",
    "rank_quantiles",
    "share_error",
    "tied_groups",
]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUP_RULES = ("all", "chain")


def rank_counts(rank: ArrayLike, places: int | None = None) -> Ints:
    """How often each unit has each rank.

    Parameters
    ----------
    rank : array_like of int (k, u)
        From 1; draws with a 0 are left out.
    places : int, optional
        Number of ranks; by default the largest found.

    Returns
    -------
    ndarray of int (u, r)

    Examples
    --------
    >>> rank_counts([[1, 2], [1, 2], [2, 1]]).tolist()
    [[2, 1], [1, 2]]
    """
    found = np.asarray(rank, dtype=np.int64)
    found = found[(found > 0).all(1)]
    r = int(found.max(initial=1)) if places is None else places
    u = found.shape[1]
    cells = found + (np.arange(u) * r - 1)
    return np.bincount(cells.ravel(), minlength=u * r).reshape(u, r)


def share_error(counts: ArrayLike, draws: int) -> Array:
    r"""Monte Carlo standard error of shares of independent draws.

    .. math:: \sqrt{\tilde p (1 - \tilde p) / (n + 1)}, \qquad
              \tilde p = (x + 1/2) / (n + 1)

    Parameters
    ----------
    counts : array_like of int (...)
        Draws in which something happened, x.
    draws : int
        Number of draws, n.

    Returns
    -------
    ndarray (...)
        Never zero: that nothing was seen in n draws does not make it impossible.

    Notes
    -----
    The standard deviation of the posterior under Jeffreys' prior, but for terms of order 1/n.
    Draws of a quasi-random design are spread more evenly than independent ones: there the number
    is too large, by a factor that depends on what is averaged, and `replicate_error` tells.

    Examples
    --------
    >>> share_error([0, 50, 100], 100).round(4).tolist()
    [0.007, 0.0498, 0.007]
    """
    p = (np.asarray(counts, float) + 0.5) / (draws + 1)
    error: Array = np.sqrt(p * (1 - p) / (draws + 1))
    return error


def expected_ranks(counts: ArrayLike) -> tuple[Array, Array]:
    """Mean rank and its Monte Carlo standard error.

    Parameters
    ----------
    counts : array_like of int (u, r)
        As `rank_counts` gives them.

    Returns
    -------
    mean, error : ndarray (u,)

    Examples
    --------
    >>> mean, error = expected_ranks([[2, 2]])
    >>> float(mean[0]), float(error[0].round(4))
    (1.5, 0.2887)
    """
    c = np.asarray(counts, float)
    n, place = c.sum(1), np.arange(1, c.shape[1] + 1)
    mean = c @ place / n
    variance = (c * (place - mean[:, None]) ** 2).sum(1) / np.maximum(n - 1, 1)
    return mean, np.sqrt(variance / n)


def rank_quantiles(counts: ArrayLike, levels: ArrayLike) -> Ints:
    """Smallest rank at or below which at least a share of the draws lies.

    Parameters
    ----------
    counts : array_like of int (u, r)
    levels : array_like (q,)
        Shares, 0 to 1.

    Returns
    -------
    ndarray of int (q, u)

    Examples
    --------
    >>> rank_quantiles([[5, 4, 1]], [0.05, 0.5, 0.95]).ravel().tolist()
    [1, 1, 3]
    """
    c = np.asarray(counts)
    below, n = np.cumsum(c, axis=1), c.sum(1, keepdims=True)
    found = [np.argmax(below >= np.maximum(q * n, 1) - 1e-9, axis=1) + 1
             for q in np.atleast_1d(np.asarray(levels, float))]  # fmt: skip
    return np.stack(found).astype(np.int64)


def pairwise(rank: ArrayLike) -> tuple[Ints, Ints]:
    """How often each unit ranks above each other one, and how often they share a rank.

    Parameters
    ----------
    rank : array_like of int (k, u)
        Of one class; draws with a 0 are left out.

    Returns
    -------
    wins, ties : ndarray of int (u, u)

    Examples
    --------
    >>> wins, ties = pairwise([[1, 2], [1, 1]])
    >>> wins.tolist(), ties.tolist()
    ([[0, 1], [0, 0]], [[0, 1], [1, 0]])
    """
    found = np.asarray(rank)
    found = found[(found > 0).all(1)]
    mine, theirs = found[:, :, None], found[:, None, :]
    ties = (mine == theirs).sum(0)
    np.fill_diagonal(ties, 0)
    return (mine < theirs).sum(0).astype(np.int64), ties.astype(np.int64)


def tied_groups(
    wins: ArrayLike, expected: ArrayLike, *, alpha: float = 0.05, rule: str = "all"
) -> Ints:
    """Cut a list of units into groups that the draws do not tell apart.

    Units stand in the order of their expected ranks. Two of them are undecided where the share of
    draws in which one ranks above the other, ties counted half, lies between `alpha` and
    1 - `alpha`. From the top down, a unit joins the group above it as long as the rule holds.

    Parameters
    ----------
    wins : array_like (u, u)
        Share of draws in which i ranks above j, ties half.
    expected : array_like (u,)
        Expected ranks.
    alpha : float
        Below 0.5.
    rule : {"all", "chain"}
        "all": every two units of a group are undecided, so nobody in it can be put above another.
        "chain": each unit is undecided with the next one; the ends of a chain may be decided.

    Returns
    -------
    ndarray of int (u,)
        Group of each unit, from 1.

    Raises
    ------
    PerfmethodError
        If alpha is not between 0 and 0.5, or the rule is not known.

    Examples
    --------
    >>> wins = [[0.5, 0.8, 0.99], [0.2, 0.5, 0.7], [0.01, 0.3, 0.5]]
    >>> tied_groups(wins, [1.2, 2.1, 2.7]).tolist()
    [1, 1, 2]
    >>> tied_groups(wins, [1.2, 2.1, 2.7], rule="chain").tolist()
    [1, 1, 1]
    """
    if not 0 < alpha < 0.5:
        raise PerfmethodError(f"alpha: found {alpha}; allowed: between 0 and 0.5")
    if rule not in GROUP_RULES:
        raise PerfmethodError(f"rule: found {rule!r}; allowed: {suggest(rule, GROUP_RULES)}")
    p = np.asarray(wins, float)
    undecided = (p >= alpha) & (p <= 1 - alpha)
    groups = np.zeros(len(p), dtype=np.int64)
    members: list[int] = []
    number = 0
    for i in np.argsort(np.asarray(expected), kind="stable"):
        asked = members if rule == "all" else members[-1:]
        if not members or not undecided[i, asked].all():
            members, number = [], number + 1
        members.append(int(i))
        groups[i] = number
    return groups
