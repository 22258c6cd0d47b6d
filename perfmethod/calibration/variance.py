"""Variances that know the design and the calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.weighting import Weighting
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.survey.linearization import stratum_covariances

__all__ = ["LONELY", "REFERENCES", "calibrated_residuals", "design_effect", "lonely_part"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

LONELY = ("error", "grand_mean", "remove")
REFERENCES = ("wor", "wr")


def calibrated_residuals(z: Floats, weighting: Weighting | None) -> Floats:
    r"""What calibration leaves of linearized values.

    :math:`e_i = z_i - x_i^\top B` with *B* the regression of z on the x whose totals are met,
    weighted by :math:`d_i / \sigma_i^2` (base weights). All calibrations to the same x have the
    same residuals, whatever their distance.

    Parameters
    ----------
    z : ndarray, shape (n, p)
        Derivative of each estimate by the weight of each member.
    weighting : Weighting, optional

    Returns
    -------
    ndarray, shape (n, p)

    References
    ----------
    Deville, J.-C. and Särndal, C.-E. (1992), section 3.

    Deville, J.-C. (1999). Variance estimation for complex statistics and estimators. *Survey
    Methodology* 25, 193-203.
    """
    if weighting is None:
        return z
    x = weighting._constraints.matrix
    scale = 1.0 if weighting._scale is None else weighting._scale
    return z - x @ regression(x, z, weighting.base / scale)


def regression(x: Floats, z: Floats, weights: Floats) -> Floats:
    """Coefficients (q, p) of the weighted regression of z (n, p) on x (n, q), of any rank."""
    root = np.sqrt(weights)[:, None]
    a = x * root
    size = np.sqrt((a**2).sum(axis=0))
    size[size == 0] = 1.0
    found = np.linalg.lstsq(a / size, z * root, rcond=1e-11)[0]
    return np.asarray(found / size[:, None])


def lonely_part(sums: Any, stratum: Codes, population: Floats) -> Floats:
    """Part (p, p) of strata with one cluster, whose values are not centered.

    Linearized values of means, ratios and calibrated totals add to 0 over the sample, so that this
    is the distance from the mean of all clusters. Those of a total that no calibration fixes do
    not; the whole of such a cluster counts, as with ``survey.lonely.psu = "adjust"`` in R.

    Parameters
    ----------
    sums : ndarray or csr_array, shape (r, p)
    stratum : ndarray of int, shape (r,)
    population : ndarray, shape (h,)
    """
    sizes = np.bincount(stratum, minlength=len(population))
    total = np.zeros((sums.shape[1], sums.shape[1]))
    for h in np.flatnonzero(sizes == 1):
        one = sums[np.flatnonzero(stratum == h)]
        z = np.asarray(one if isinstance(one, np.ndarray) else one.toarray()).ravel()
        total += (1 - 1 / population[h]) * np.outer(z, z)
    return total


def lonely_strata(stratum: Codes, population: Floats) -> Codes:
    """Strata with one cluster that is not the whole population of the stratum."""
    sizes = np.bincount(stratum, minlength=len(population))
    return np.flatnonzero((sizes == 1) & (population > 1))


def clustered_covariance(sums: Any, stratum: Codes, population: Floats, lonely: str) -> Floats:
    """Covariance (p, p) from the sums of clusters, in the order of their strata.

    Parameters
    ----------
    sums : ndarray or csr_array, shape (r, p)
    stratum : ndarray of int, shape (r,), ascending
    population : ndarray, shape (h,)
        Clusters in the population, infinite where unknown.
    lonely : {"error", "grand_mean", "remove"}
        ``"error"`` is the caller's business: here it is as ``"remove"``.
    """
    total = stratum_covariances(sums, stratum, len(population), population).sum(axis=0)
    if lonely == "grand_mean" and lonely_strata(stratum, population).size:
        total = total + lonely_part(sums, stratum, population)
    return np.asarray(total)


def checked_word(name: str, word: str, known: tuple[str, ...]) -> str:
    """The word, if it is known.

    Raises
    ------
    PerfmethodError
        Otherwise.
    """
    if word not in known:
        raise PerfmethodError(f"{name}: found {word!r}; allowed: {suggest(str(word), known)}")
    return word


def design_effect(
    variance: float, y: ArrayLike, weights: ArrayLike, *, reference: str, total: bool = False
) -> float:
    r"""Variance of a mean (or total) over that of a simple random sample of the same size.

    With the variance in the population estimated by :math:`S^2 = \frac{n}{n-1} \sum_i w_i
    (y_i - \bar y)^2 / \sum_i w_i` and :math:`N = \sum_i w_i`, the reference is

    ``"wor"``
        a sample drawn without replacement from N: :math:`S^2 (1/n - 1/N)`;
    ``"wr"``
        a sample drawn with replacement: :math:`S^2 / n`.

    Parameters
    ----------
    variance : float
        Of the estimate under the design.
    y, weights : array_like, shape (n,)
        Members of weight 0 do not count.
    reference : {"wor", "wr"}
        To be named: the two differ by the factor 1 - n/N, and programs differ in their default.
    total : bool
        Whether `variance` is that of a total: the reference is then multiplied by N squared.

    Returns
    -------
    float

    Raises
    ------
    PerfmethodError
        An unknown `reference`; fewer than two members; y does not vary; for ``"wor"``, weights
        that add to no more than the number of members, so that they are not on the scale of the
        population.

    References
    ----------
    Kish, L. (1965). *Survey Sampling*. Wiley, section 8.2.

    R package survey, ``svymean(deff = TRUE)`` and ``svymean(deff = "replace")``.

    Examples
    --------
    >>> round(design_effect(0.5, [1, 2, 3, 4], [5, 5, 5, 5], reference="wr"), 3)
    1.2
    >>> round(design_effect(0.5, [1, 2, 3, 4], [5, 5, 5, 5], reference="wor"), 3)
    1.5
    """
    checked_word("reference", reference, REFERENCES)
    w, values = np.asarray(weights, float), np.asarray(y, float)
    if w.shape != values.shape or w.ndim != 1 or not np.isfinite([w, values]).all():
        raise PerfmethodError("y and weights: found shapes that differ or numbers that are not "
                              "finite; allowed: finite numbers, (n,) each")  # fmt: skip
    srs = srs_variances(values[:, None], w)
    size, value = float(w.sum()), float(srs[reference][0])
    if reference == "wor" and not size > np.count_nonzero(w):
        raise PerfmethodError(
            f"weights: found a sum of {size:g} for {np.count_nonzero(w)} members; allowed with "
            "reference='wor': weights that add to the size of the population"
        )
    if not value > 0:
        raise PerfmethodError("y: found fewer than two members, or no variation; allowed: both")
    return float(variance) / (value * (size**2 if total else 1.0))


def srs_variances(y: Floats, weights: Floats) -> dict[str, Floats]:
    """Variances (p,) of means under both references; NaN where there is none.

    Parameters
    ----------
    y : ndarray, shape (n, p)
        NaN outside the domain of a mean.
    weights : ndarray, shape (n,)
    """
    inside = ~np.isnan(y) & (weights != 0)[:, None]
    w = weights[:, None] * inside
    filled = np.where(inside, y, 0.0)
    n, size = inside.sum(axis=0).astype(float), w.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # empty or too small: NaN is the answer
        mean = (w * filled).sum(axis=0) / size
        spread = (w * (filled - mean) ** 2).sum(axis=0) / size * n / (n - 1)
        wor = np.where(size > n, spread * (1 / n - 1 / size), np.nan)
        return {"wr": np.where(n > 1, spread / n, np.nan), "wor": wor}
