"""One weight at a time: where two totals meet while a weight moves and its siblings make room."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.ratios import Ratios

__all__ = ["along", "least_crossings", "meetings", "weight_flips"]

Array = NDArray[np.float64]

DIGITS = 1e-13  # a coefficient below this share of the largest one is rounding


def weight_flips(scores: ArrayLike, weights: ArrayLike) -> Array:
    r"""Change of one weight, the others as they are, that makes two weighted sums equal.

    .. math:: \delta_{ijk} = \frac{P_i - P_j}{s_{ik} - s_{jk}}

    Parameters
    ----------
    scores : array_like (u, n)
        Complete scores of units on criteria.
    weights : array_like (n,)

    Returns
    -------
    ndarray (u, u, n)
        What has to be taken *off* weight k for i and j to tie; NaN where the two scores are equal.
        The change is possible only up to the weight itself: a larger one would need a negative
        weight. Whether the weights are scaled back to sum one does not matter to the order.

    References
    ----------
    Triantaphyllou & Sanchez, "A sensitivity analysis approach for some deterministic multi-criteria
    decision-making methods", *Decision Sciences* 28 (1997), 151-194, theorem 1.

    Examples
    --------
    >>> flips = weight_flips([[90.0, 60.0], [70.0, 75.0]], [0.5, 0.5])
    >>> [round(float(x), 6) for x in flips[0, 1]]
    [0.125, -0.166667]
    """
    s, w = np.asarray(scores, float), np.asarray(weights, float)
    total = s @ w
    gap = (total[:, None] - total)[..., None]
    apart = s[:, None] - s
    flips = np.full(apart.shape, np.nan)
    np.divide(gap, apart, out=flips, where=apart != 0)
    return flips


def along(share: ArrayLike, k: int, x: ArrayLike) -> Array:
    """Weights with weight k at x and its siblings scaled to make room.

    Parameters
    ----------
    share : array_like (n,)
        Summing to one.
    k : int
    x : array_like (...)
        From 0 to 1.

    Returns
    -------
    ndarray (..., n)
        Where weight k has everything, the siblings get equal parts of what is left.

    Examples
    --------
    >>> along([0.6, 0.3, 0.1], 0, 0.2).round(3).tolist()
    [0.2, 0.6, 0.2]
    """
    w, at = np.asarray(share, float), np.asarray(x, float)[..., None]
    rest = np.delete(w, k)
    rest = rest / rest.sum() if rest.sum() > 0 else np.full(rest.size, 1 / max(rest.size, 1))
    return np.asarray(np.insert((1 - at) * rest, k, at[..., 0], axis=-1))


def meetings(
    totals: Ratios, share: ArrayLike, k: int, first: ArrayLike, second: ArrayLike
) -> Array:
    r"""Values of one weight at which totals of pairs meet, its siblings scaled to make room.

    Along this line every total is a constant plus ratios of linear functions of x. Without
    redistribution the difference is linear and its root closed form; two ratios with different
    denominators meet at the roots of a quadratic (closed form, no cancellation); with more ratios
    the polynomial's roots are eigenvalues of its companion matrix.

    Parameters
    ----------
    totals : Ratios
        With u units.
    share : array_like (n,)
        Nominal weights.
    k : int
        The weight that moves.
    first, second : array_like of int (p,)
        Units of each pair.

    Returns
    -------
    ndarray (p, d)
        Roots in [0, 1], NaN where there are fewer; all NaN also for totals that never differ.

    References
    ----------
    Press et al., *Numerical Recipes*, 3rd ed. (2007), section 5.6 (the quadratic) and 9.5.2.

    Examples
    --------
    >>> r = Ratios.of([[90.0, 60.0], [70.0, 75.0]])
    >>> meetings(r, [0.5, 0.5], 0, [0], [1]).round(6).tolist()
    [[0.428571]]
    """
    i, j = np.asarray(first, np.intp), np.asarray(second, np.intp)
    ends = along(share, k, np.array([0.0, 1.0]))
    num = np.einsum("run,en->rue", totals.num, ends)
    den = np.einsum("run,en->rue", totals.den, ends)
    terms = [(s, _line(num[r, a]), _line(den[r, a]))
             for r in range(len(num)) for s, a in ((1.0, i), (-1.0, j))]  # fmt: skip
    low, high = totals.bounds()
    size = np.maximum(np.abs(low), np.abs(high))
    poly = _cleared(totals.const[i] - totals.const[j], terms)
    same = np.abs(poly).max(-1) <= 10 * DIGITS * np.maximum(size[i], size[j])
    return _roots(np.where(same[:, None], 0.0, poly))


def least_crossings(totals: Ratios, share: ArrayLike, k: int, least: float) -> Array:
    """Values of one weight at which each total (u,) equals a given number; see `meetings`.

    Returns
    -------
    ndarray (u, d)
    """
    u = totals.const.size
    return meetings(totals.and_fixed(least), share, k, np.arange(u), np.full(u, u))


def _line(ends: Array) -> Array:
    """Coefficients (p, 2), constant first, of a line with values (p, 2) at 0 and 1."""
    return np.stack([ends[:, 0], ends[:, 1] - ends[:, 0]], -1)


def _times(a: Array, b: Array) -> Array:
    """Products of polynomials, coefficients (p, d) from the constant up."""
    out = np.zeros((len(a), a.shape[1] + b.shape[1] - 1))
    for k in range(b.shape[1]):
        out[:, k : k + a.shape[1]] += a * b[:, k : k + 1]
    return out


def _cleared(const: Array, terms: list[tuple[float, Array, Array]]) -> Array:
    """Difference of totals times all (positive) denominators: coefficients (p, d).

    Terms with the same denominator are added first, so that no false root comes in.
    """
    p = len(const)
    parts: list[tuple[Array, Array]] = []
    for sign, num, den in terms:
        scale = np.abs(den).max(-1, keepdims=True)
        num, den = sign * num / scale, den / scale
        for place, (top, bottom) in enumerate(parts):
            same = (np.abs(den - bottom) <= DIGITS).all(-1, keepdims=True)
            parts[place] = (top + np.where(same, num, 0.0), bottom)
            num, den = np.where(same, 0.0, num), np.where(same, [1.0, 0.0], den)
        parts.append((num, den))
    total, common = const[:, None] * np.ones((p, 1)), np.ones((p, 1))
    for num, den in parts:
        left, right = _times(total, den), _times(common, num)
        total, common = left + right, _times(common, den)
    return total


def _roots(poly: Array) -> Array:
    """Real roots in [0, 1] of polynomials (p, d), NaN for none."""
    scale = np.abs(poly).max(-1, keepdims=True)
    exact = np.where(np.abs(poly) <= DIGITS * scale, 0.0, poly)
    degree = int(np.flatnonzero(exact.any(0)).max(initial=0))
    found = np.full((len(poly), max(degree, 1)), np.nan)
    if 1 <= degree <= 2:
        c, b, a = (exact[:, d] if d <= degree else np.zeros(len(poly)) for d in range(3))
        with np.errstate(invalid="ignore", divide="ignore"):
            q = -(b + np.copysign(np.sqrt(b * b - 4 * a * c), b)) / 2
            found[:, 0] = c / q
            if degree == 2:
                found[:, 1] = q / a
    elif degree > 2:
        for row, coefficients in zip(found, exact, strict=True):
            roots = np.roots(coefficients[::-1])
            real = np.sort(roots[np.abs(roots.imag) <= 1e-9].real)
            row[: real.size] = real
    with np.errstate(invalid="ignore"):
        return np.where((found >= 0) & (found <= 1), found, np.nan)
