"""Distances between weights, and the nearest weights of a set."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.polytope import Polytope, Rows, minimize

__all__ = ["NORMS", "Nearest", "Norm", "nearest"]

Array = NDArray[np.float64]

SLACK = 1e-9  # how far a point may stand outside and still count as inside

Nearest = tuple[float, Array] | None


class Norm(NamedTuple):
    """A way to measure a change of weights.

    Parameters
    ----------
    size : callable
        Length of a change (n,).
    dual : callable
        ``dual(a, family)`` is the largest ``a @ d`` over changes d of length one that keep the sum
        of each family; for rows (..., n).
    nearest : callable
        ``nearest(polytope, center)``.
    """

    size: Callable[[Array], float]
    dual: Callable[[Array, NDArray[np.intp]], Array]
    nearest: Callable[[Polytope, Array], Nearest]


def _nearest_sum(polytope: Polytope, center: Array) -> Nearest:
    """Least sum of absolute changes: a linear program with one bound on each change."""
    n = center.size
    eye = np.eye(n)
    limit = np.concatenate([center, -center, polytope.rows.limit])
    pad = np.zeros((len(polytope.rows.limit), n))
    matrix = np.block([[eye, -eye], [-eye, -eye], [polytope.rows.matrix, pad]])
    point = minimize(polytope, np.append(np.zeros(n), np.ones(n)), Rows(matrix, limit))
    return None if point is None else (float(np.abs(point - center).sum()), point)


def _nearest_largest(polytope: Polytope, center: Array) -> Nearest:
    """Least largest change: a linear program with one common bound."""
    n, eye, one = center.size, np.eye(center.size), np.ones((center.size, 1))
    limit = np.concatenate([center, -center, polytope.rows.limit])
    pad = np.zeros((len(polytope.rows.limit), 1))
    matrix = np.block([[eye, -one], [-eye, -one], [polytope.rows.matrix, pad]])
    point = minimize(polytope, np.append(np.zeros(n), 1.0), Rows(matrix, limit))
    return None if point is None else (float(np.abs(point - center).max()), point)


def _nearest_euclidean(polytope: Polytope, center: Array) -> Nearest:
    """Least distance programming by non-negative least squares, in the plane of the sums."""
    from scipy.linalg import null_space
    from scipy.optimize import nnls

    plane, eye = null_space(polytope.sums), np.eye(center.size)
    matrix = np.vstack([eye, -eye, -polytope.rows.matrix])
    wanted = np.concatenate([polytope.lower, -polytope.upper, -polytope.rows.limit])
    g, h = matrix @ plane, wanted - matrix @ center
    length = np.linalg.norm(g, axis=1)
    flat = length <= SLACK  # constraints on which the weights have no say
    if (h[flat] > SLACK).any():
        return None
    g, h = g[~flat] / length[~flat, None], h[~flat] / length[~flat]
    scale = h.max(initial=0.0)
    if scale <= 0:
        return 0.0, center.copy()
    dual, _ = nnls(np.vstack([g.T, h / scale]), np.append(np.zeros(g.shape[1]), 1.0))
    rest = np.append(g.T @ dual, h @ dual / scale - 1.0)
    if np.linalg.norm(rest) <= SLACK:
        return None
    step = np.linalg.lstsq(g[dual > 0], h[dual > 0], rcond=None)[0]  # exactly on the active ones
    if (g @ step < h - SLACK).any():
        step = -rest[:-1] / rest[-1] * scale
    return float(np.linalg.norm(step)), center + plane @ step


def _by_family(a: Array, family: NDArray[np.intp], measure: Callable[[Array], Any]) -> Array:
    return np.stack([measure(a[..., family == code]) for code in np.unique(family)])


def _spread(a: Array) -> Any:
    return np.linalg.norm(a - a.mean(-1, keepdims=True), axis=-1)


def _scatter(a: Array) -> Any:
    return np.abs(a - np.median(a, -1, keepdims=True)).sum(-1)


NORMS: MappingProxyType[str, Norm] = MappingProxyType(
    {
        "l1": Norm(
            lambda d: float(np.abs(d).sum()),
            lambda a, family: _by_family(a, family, lambda x: np.ptp(x, axis=-1) / 2).max(0),
            _nearest_sum,
        ),
        "l2": Norm(
            lambda d: float(np.linalg.norm(d)),
            lambda a, family: np.sqrt((_by_family(a, family, _spread) ** 2).sum(0)),
            _nearest_euclidean,
        ),
        "linf": Norm(
            lambda d: float(np.abs(d).max()),
            lambda a, family: _by_family(a, family, _scatter).sum(0),
            _nearest_largest,
        ),
    }
)


def nearest(polytope: Polytope, center: ArrayLike, norm: str = "l1") -> Nearest:
    """Find the weights of a set that are nearest to given ones.

    Parameters
    ----------
    polytope : Polytope
    center : array_like (n,)
        Weights whose families sum to one; need not lie in the set.
    norm : {"l1", "l2", "linf"}
        Sum of absolute changes, Euclidean length, largest change.

    Returns
    -------
    tuple of float and ndarray (n,), or None
        Distance and point; None where the set is empty.

    References
    ----------
    Lawson & Hanson, *Solving Least Squares Problems* (1974), chapter 23 (LDP), for "l2"; the others
    are linear programs, solved by HiGHS.

    Examples
    --------
    >>> from perfmethod.robustness.polytope import Polytope
    >>> half = Polytope.of(2, lower=[0.5, 0])
    >>> [round(nearest(half, [0.3, 0.7], norm)[0], 6) for norm in ("l1", "l2", "linf")]
    [0.4, 0.282843, 0.2]
    """
    return NORMS[norm].nearest(polytope, np.asarray(center, float))
