"""Weighted quantiles with Woodruff's intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.columns import columns
from perfmethod.calibration.estimates import Quantiles, critical
from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    from perfmethod.calibration.design import Design

__all__ = ["quantiles", "weighted_quantile"]

Floats = NDArray[np.float64]


def weighted_quantile(y: ArrayLike, weights: ArrayLike, p: float) -> float:
    """Smallest value at which the weighted distribution function exceeds p, or reaches it.

    Where the distribution function equals p exactly, the value at which it does.

    Parameters
    ----------
    y, weights : array_like, shape (n,)
    p : float
        0 to 1.

    Returns
    -------
    float

    Raises
    ------
    PerfmethodError
        If lengths differ, a number is not finite, a weight is negative, all are 0, or p is outside
        0 to 1.

    References
    ----------
    R package survey, ``qrule = "math"``.

    Examples
    --------
    >>> weighted_quantile([1, 2, 3, 4], [1, 1, 1, 1], 0.5)
    2.0
    >>> weighted_quantile([1, 2, 3, 4], [1, 1, 1, 3], 0.5)
    3.0
    """
    values, w = np.asarray(y, float), np.asarray(weights, float)
    if values.ndim != 1 or values.shape != w.shape:
        raise PerfmethodError(f"y and weights: found shapes {values.shape} and {w.shape}; allowed: "
                              "(n,) each")  # fmt: skip
    for name, given in (("y", values), ("weights", w), ("p", np.atleast_1d(float(p)))):
        if not np.isfinite(given).all():
            found = given[~np.isfinite(given)][0]
            raise PerfmethodError(f"{name}: found {found}; allowed: finite numbers")
    if not 0 <= p <= 1:
        raise PerfmethodError(f"p: found {p}; allowed: 0 to 1")
    if (w < 0).any():
        raise PerfmethodError(f"weights: found {w.min():g}; allowed: not negative (calibrate with "
                              "method='raking' or bounds)")  # fmt: skip
    if not w.any():
        raise PerfmethodError("weights: found none above 0; allowed: at least one above 0")
    values, w = values[w > 0], w[w > 0]
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(w[order])
    # a sum of weights that is p but for rounding is p
    at = int(np.searchsorted(cumulated, (p - 1e-12) * cumulated[-1], side="left"))
    return float(values[order][min(at, len(values) - 1)])


def quantiles(design: Design, y: ArrayLike, p: ArrayLike, level: float, df: float) -> Quantiles:
    """Quantiles of y and the values between which they lie.

    Woodruff's interval is that of the share of the population at or below the quantile, by
    linearization with the design, taken back through the distribution function. The standard error
    is the interval's length over twice the critical value.

    Parameters
    ----------
    design : Design
    y : array_like, shape (n,)
    p : array_like
        Each between 0 and 1.
    level : float
    df : float
        Degrees of freedom of the share's interval.

    Returns
    -------
    Quantiles

    References
    ----------
    Woodruff, R. S. (1952). Confidence intervals for medians and other position measures. *Journal
    of the American Statistical Association* 47, 635-646.

    R package survey, ``svyquantile(interval.type = "mean")``.
    """
    import pandas as pd

    _, values = columns(y, len(design.weights), "error")
    asked = np.atleast_1d(np.asarray(p, dtype=float))
    if values.shape[1] != 1 or not ((asked > 0) & (asked < 1)).all():
        raise PerfmethodError("quantiles: found several y, or p outside (0, 1); allowed: one y")
    t, rows = critical(level, df), []
    for share in asked:
        q = weighted_quantile(values[:, 0], design.weights, share)
        rows.append([q, *_interval(design, values[:, 0], q, t)])
    table = pd.DataFrame(rows, index=pd.Index(asked, name="p"), columns=["quantile", "low", "high"])
    table["standard_error"] = (table["high"] - table["low"]) / (2 * t)
    return Quantiles(table, level, df)


def _interval(design: Design, y: Floats, q: float, t: float) -> tuple[float, float]:
    share = design.mean((y <= q).astype(float))
    half = t * float(share.standard_error.iloc[0])
    low, high = float(share.estimate.iloc[0]) - half, float(share.estimate.iloc[0]) + half
    return (
        weighted_quantile(y, design.weights, min(low, 1.0)) if low >= 0 else float("nan"),
        weighted_quantile(y, design.weights, high) if high <= 1 else float("nan"),
    )
