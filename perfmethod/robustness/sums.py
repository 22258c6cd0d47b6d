"""Bounds for totals that are sums of several ratios, which no program finds exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.norms import NORMS
from perfmethod.robustness.ratios import Ratios

__all__ = ["meeting_bounds"]

Array = NDArray[np.float64]

HALVINGS = 40  # of a distance, and of a value


def meeting_bounds(
    totals: Ratios, share: ArrayLike, pairs: ArrayLike, norm: str, family: ArrayLike
) -> Array:
    r"""Distance below which pairs cannot tie, whatever the number of their ratios.

    Weights at a distance of at most d move the value of one ratio no farther than to the level
    :math:`\tau` at which :math:`(a - \tau b) \cdot w_0 = \pm d \lVert a - \tau b \rVert_*`, and no
    farther than its best and worst child. A total moves by no more than its ratios do together.

    Parameters
    ----------
    totals : Ratios
    share : array_like (n,)
    pairs : array_like of int (p, 2)
        The unit above, the unit below.
    norm : {"l1", "l2", "linf"}
    family : array_like of int (n,)

    Returns
    -------
    ndarray (p,)
        Lower bounds, at most the diameter of the weights; infinite where the totals cannot meet.

    Examples
    --------
    One ratio each (by hand: 90 - 30 x and 70 + 10 x meet at x = 1/2, 0.6 away in the l1 norm; each
    alone can fall or rise to 75 there):

    >>> r = Ratios.of([[90.0, 60.0], [70.0, 80.0]])
    >>> meeting_bounds(r, [0.8, 0.2], [[0, 1]], "l1", [0, 0]).round(6).tolist()
    [0.6]
    """
    w, codes = np.asarray(share, float), np.asarray(family, np.intp)
    upper, lower = np.asarray(pairs, np.intp).reshape(-1, 2).T
    units, at = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    some = totals.take(units)
    top, bottom = at[: upper.size], at[upper.size :]
    most = NORMS[norm].size(np.ones(w.size)) * 2.0  # no two weights of simplices are farther apart
    near, far = np.zeros(upper.size), np.full(upper.size, most)

    def apart(distance: Array) -> NDArray[np.bool_]:
        least = _end(some.take(top), w, distance, -1.0, (norm, codes))
        return np.asarray(least > _end(some.take(bottom), w, distance, 1.0, (norm, codes)))

    never = apart(far)
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        still = apart(middle)
        near, far = np.where(still, middle, near), np.where(still, far, middle)
    return np.where(never, np.inf, near)


def _end(
    totals: Ratios, w: Array, distance: Array, sign: float, measure: tuple[str, NDArray[np.intp]]
) -> Array:
    """Greatest (sign 1) or least (-1) totals (p,) that weights at the distances could give."""
    norm, codes = measure
    num, den = totals.num, totals.den
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(den > 0, num / den, np.nan)
    now = (num @ w) / (den @ w)
    limit = np.nanmax(each, -1) if sign > 0 else np.nanmin(each, -1)
    inner, outer = now, limit.copy()
    for _ in range(HALVINGS):
        level = (inner + outer) / 2
        row = num - level[..., None] * den
        within = -sign * (row @ w) <= distance * NORMS[norm].dual(row, codes)
        inner, outer = np.where(within, level, inner), np.where(within, outer, level)
    return np.asarray(totals.const + outer.sum(0))
