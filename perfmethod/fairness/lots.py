"""Raw gaps between one group and the rest, compared with groups drawn by lot."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.fairness.shifts import SAME, about_mean, check, contrasts, one_way_f

__all__ = ["Shifts", "raw_gaps"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


class Shifts(NamedTuple):
    """Raw gaps (g,) with permutation p-values and intervals; p of any gap at all.

    ``low`` and ``high`` are infinite where no gap of any size can be ruled out.
    """

    gap: Array
    low: Array
    high: Array
    p: Array
    f: float
    p_any: float


def raw_gaps(
    values: ArrayLike,
    codes: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Shifts:
    """Gap of each group against the rest, with randomization inference.

    Parameters
    ----------
    values : array_like (u,)
    codes : array_like of int (u,)
        Group of each unit, 0, 1, ...
    level : float, default 0.95
    draws : int, default 10,000
        Permutations of the labels. A group that can be drawn in no more ways is compared with all
        of them, each once.
    seed : int, default 0

    Returns
    -------
    Shifts
        The interval holds every constant by which the group's units may be shifted against the
        others so that labels are still exchangeable; p-values are two-sided (twice the smaller
        tail) and count the observed labels. The interval holds 0 where p is above 1 - level, and
        there only.

    Raises
    ------
    ValueError
        If a value is missing or infinite, or codes are not those of two groups or more without a
        hole.

    Notes
    -----
    With the shift d taken off the group, the gap of the labels as they are is D - d and that of
    permuted labels D' - d e, where e is the gap of the group's indicator under them: the
    permutation is as extreme for all d beyond (D - D') / (1 - e), so the interval's ends are
    order statistics of these ratios and nothing is searched. A permutation that leaves the group
    as it is (e = 1) is as extreme whatever d is and counts in both tails. One in C(n, k) does so
    with k of n units in the group: where that is more than a tail, (1 - level) / 2, the tail is
    never too small and the interval has no ends, as with 1 of 6 units at 95 %.

    References
    ----------
    Ernst, "Permutation methods: a basis for exact inference", *Statistical Science* 19 (2004),
    676-685.

    Examples
    --------
    >>> found = raw_gaps([1.0, 2, 3, 4, 11, 12, 13, 14], [0, 0, 0, 0, 1, 1, 1, 1])
    >>> found.gap.tolist(), found.low.tolist(), found.high.tolist()
    ([-10.0, 10.0], [-13.0, 7.0], [-7.0, 13.0])
    >>> alone = raw_gaps([0.0, 1, 2, 3, 4, 100], [0, 0, 0, 0, 0, 1])
    >>> alone.gap[1].item(), alone.low[1].item(), alone.high[1].item(), round(alone.p[1].item(), 3)
    (98.0, -inf, inf, 0.333)
    """
    y, code = np.asarray(values, dtype=float), np.asarray(codes)
    check(code, {"values": (y, 1)}, level, draws)
    y, w = about_mean(y, 0), contrasts(code)
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(y.size), (draws, 1)), axis=1)
    found = np.array([_against_lots(y, code == g, w[g], order, level) for g in range(len(w))])
    f = one_way_f(y, code)
    more = one_way_f(y[order], code) >= f * (1 - SAME)
    p_any = float((1 + more.sum()) / (draws + 1))
    return Shifts(w @ y, found[:, 0], found[:, 1], found[:, 2], float(f), p_any)


def _against_lots(
    y: Array, mine: NDArray[np.bool_], w: Array, order: Codes, level: float
) -> tuple[float, float, float]:
    """Interval and p-value of one group's gap against groups drawn by lot."""
    every = math.comb(mine.size, int(mine.sum()))
    if every <= len(order):
        counted = 0  # the labels as they are stand among all
        picks = np.array(list(itertools.combinations(range(mine.size), int(mine.sum()))))
        outside = w[~mine][0]
        drawn = outside * y.sum() + (w[mine][0] - outside) * y[picks].sum(axis=1)
        shift = 1 - (w[mine][0] - outside) * (~mine)[picks].sum(axis=1)
    else:
        counted = 1
        drawn, shift = y[order] @ w, mine[order] @ w
    away = w @ y - drawn
    away[np.abs(away) <= SAME * float(np.ptp(y))] = 0.0
    total = counted + away.size
    p = min(1.0, 2 * (counted + min((away <= 0).sum(), (away >= 0).sum())) / total)
    moved = shift < 1 - SAME
    # as extreme for every shift are the labels as they are, and all that leave the group alone
    always = total - int(moved.sum())
    needed = math.floor((1 - level) / 2 * total + SAME) + 1 - always
    if needed <= 0:
        return -np.inf, np.inf, p
    ratio = np.sort(away[moved] / (1 - shift[moved]))
    return float(ratio[needed - 1]), float(ratio[-needed]), p
