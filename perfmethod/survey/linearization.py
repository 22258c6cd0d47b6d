"""Sampling variance by Taylor linearization, for raters who answer many times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError

__all__ = ["cluster_covariance", "mean_influence", "srs_variance", "stratum_covariances"]

Floats = NDArray[np.float64]


def mean_influence(y: ArrayLike, weights: ArrayLike) -> Floats:
    r"""Influence of each observation on weighted means.

    The linearized value of the weighted mean :math:`\bar y = \sum_i w_i y_i / \sum_i w_i` is
    :math:`z_i = w_i (y_i - \bar y) / \sum_j w_j`.

    Parameters
    ----------
    y : array_like, shape (n, p) or (n,)
        Observations; NaN where an observation is outside the domain of a mean.
    weights : array_like, shape (n,)
        Weights, not negative.

    Returns
    -------
    ndarray, shape (n, p)
        0 outside the domain. Each column adds to 0.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
    surveys. *International Statistical Review* 51, 279-292.

    Examples
    --------
    >>> mean_influence([1.0, 3.0, np.nan], [1, 1, 1]).ravel()
    array([-0.5,  0.5,  0. ])
    """
    y = np.asarray(y, float)
    y = y[:, None] if y.ndim == 1 else y
    inside = ~np.isnan(y)
    w = np.asarray(weights, float)[:, None] * inside
    total = w.sum(axis=0)
    mean = (w * np.where(inside, y, 0.0)).sum(axis=0) / total
    return w * np.where(inside, y - mean, 0.0) / total


def cluster_covariance(
    influence: ArrayLike,
    strata: ArrayLike,
    clusters: ArrayLike,
    population: ArrayLike | None = None,
) -> Floats:
    r"""Covariance of estimates from the influence of each observation on them.

    With :math:`z_{hr}` the sum of the influences in cluster *r* of stratum *h*, which has
    :math:`n_h` clusters of :math:`N_h` in the population,

    .. math::

        \hat V = \sum_h \left(1 - \frac{n_h}{N_h}\right) \frac{n_h}{n_h - 1}
                 \sum_{r=1}^{n_h} (z_{hr} - \bar z_h)(z_{hr} - \bar z_h)^\top .

    Parameters
    ----------
    influence : array_like, shape (n, p)
        Influence of each observation on each of p estimates, such as `mean_influence` gives.
    strata, clusters : array_like, shape (n,)
        Labels. Clusters are nested in strata: the same cluster label in two strata is two clusters.
    population : array_like, shape (n,), optional
        Number of clusters in the population of the observation's stratum, for the finite
        population correction; default: infinite, as if clusters were drawn with replacement.

    Returns
    -------
    ndarray, shape (p, p)
        Symmetric and positive semidefinite.

    Raises
    ------
    PerfmethodError
        A population smaller than the sample.

    Notes
    -----
    A *lonely* cluster, the only one of its stratum, has no measurable variance and adds nothing
    (``survey.lonely.psu = "remove"`` in R): the result is then too small, and the caller has to
    say so.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
    surveys. *International Statistical Review* 51, 279-292.

    Lumley, T. (2004). Analysis of complex survey samples. *Journal of Statistical Software* 9(8).
    R package survey, ``svymean`` and ``svyrecvar``, which the tests reproduce.

    Examples
    --------
    >>> z = mean_influence([1.0, 2.0, 4.0, 5.0], [1, 1, 1, 1])
    >>> one_cluster_each = cluster_covariance(z, strata=[0, 0, 0, 0], clusters=[1, 2, 3, 4])
    >>> bool(np.isclose(one_cluster_each, np.var([1, 2, 4, 5], ddof=1) / 4).all())
    True
    """
    z = np.asarray(influence, float)
    stratum_names, stratum = np.unique(np.asarray(strata), return_inverse=True)
    _, label = np.unique(np.asarray(clusters), return_inverse=True)
    key, cluster = np.unique(stratum * len(label) + label, return_inverse=True)
    sums = np.zeros((len(key), z.shape[1]))
    np.add.at(sums, cluster, z)
    sizes = None
    if population is not None:
        sizes = np.full(len(stratum_names), np.inf)
        sizes[stratum] = np.asarray(population, float)
    return stratum_covariances(sums, key // len(label), len(stratum_names), sizes).sum(axis=0)


def stratum_covariances(
    sums: Any, stratum: NDArray[np.intp], n_strata: int, population: Floats | None = None
) -> Floats:
    """Each stratum's part of the sum in `cluster_covariance`.

    Parameters
    ----------
    sums : ndarray or scipy.sparse.csr_array, shape (r, p)
        Influence of each cluster, clusters in the order of their strata.
    stratum : ndarray of int, shape (r,)
        Stratum of each cluster, ascending.
    n_strata : int
        Number of strata h; some may have no cluster.
    population : ndarray, shape (h,), optional
        Clusters in the population; infinite where unknown.

    Returns
    -------
    ndarray, shape (h, p, p)
    """
    bounds = np.searchsorted(stratum, np.arange(n_strata + 1))
    factors = small_sample_factors(np.diff(bounds), population)
    result = np.zeros((n_strata, sums.shape[1], sums.shape[1]))
    for h, factor in enumerate(factors):
        if factor > 0:
            result[h] = factor * _scatter(sums[bounds[h] : bounds[h + 1]])
    return result


def small_sample_factors(n: NDArray[np.intp], population: Floats | None = None) -> Floats:
    """(1 - n/N) n/(n - 1) of each stratum; 0 where a cluster is alone."""
    sizes = np.full(n.shape, np.inf) if population is None else np.asarray(population, float)
    if (sizes < n).any():
        h = int(np.argmax(sizes < n))
        raise PerfmethodError(f"population: found {sizes[h]:g}; allowed: at least {n[h]}, as drawn")
    return np.where(n > 1, (1 - n / np.maximum(sizes, 1)) * n / np.maximum(n - 1, 1), 0.0)


def _scatter(z: Any) -> Floats:
    """Sum of squares and products about the mean, (p, p)."""
    if isinstance(z, np.ndarray):
        z = z - z.mean(axis=0)
        return z.T @ z
    mean = np.asarray(z.sum(axis=0)).ravel() / z.shape[0]
    return (z.T @ z).toarray() - z.shape[0] * np.outer(mean, mean)


def srs_variance(values: ArrayLike, weights: ArrayLike, n: ArrayLike) -> Floats:
    """Variance of a mean if its n observations were a simple random sample with replacement.

    Parameters
    ----------
    values : array_like, shape (..., k)
        Values that occur.
    weights : array_like, shape (..., k)
        Weight of each value, all its observations together; any scale.
    n : array_like, shape (...)
        Number of observations.

    Returns
    -------
    ndarray, shape (...)
        Weighted variance times n/(n - 1), over n; NaN for n < 2. It is what the design effect
        compares with (R package survey: ``deff = "replace"``).

    References
    ----------
    Kish, L. (1965). *Survey Sampling*. Wiley, section 8.2.

    Examples
    --------
    >>> float(srs_variance([1.0, 2.0, 4.0, 5.0], [1, 1, 1, 1], 4) * 4)  # = var, ddof=1
    3.3333333333333335
    """
    y, w, size = (np.asarray(a, float) for a in (values, weights, n))
    total = w.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):  # empty: NaN is the answer
        mean = (w * y).sum(axis=-1) / total
        spread = (w * (y - mean[..., None]) ** 2).sum(axis=-1) / total
        return np.where(size > 1, spread / (size - 1), np.nan)
