"""How weights may move: the factors of linear, raking and logit calibration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest

__all__ = ["METHODS", "Distance", "distance"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

METHODS = ("linear", "raking", "logit")


@dataclass(frozen=True)
class Distance:
    """Factor of a weight as a function of u = x'lambda, with its slope and its primitive.

    Attributes
    ----------
    name : str
    factor, slope, primitive : callable
        F with F(0) = F'(0) = 1; F'; a function whose derivative is F.
    """

    name: str
    factor: Function
    slope: Function
    primitive: Function


def distance(method: str, bounds: tuple[float, float] | None) -> Distance:
    r"""Distance of a calibration.

    ``"linear"``
        :math:`F(u) = 1 + u` (the regression estimator), cut at the bounds where there are any.
    ``"raking"``
        :math:`F(u) = e^u`.
    ``"logit"``
        :math:`F(u) = L + (U - L) a e^{Au} / (1 + a e^{Au})` with
        :math:`a = (1-L)/(U-1)`, :math:`A = (U-L)/((1-L)(U-1))`; never reaches its bounds.

    Parameters
    ----------
    method : {"linear", "raking", "logit"}
    bounds : (float, float), optional
        Of the factors, below and above 1.

    Raises
    ------
    PerfmethodError
        An unknown method; bounds that do not fit it.

    References
    ----------
    Deville, J.-C. and Särndal, C.-E. (1992). Calibration estimators in survey sampling. *Journal
    of the American Statistical Association* 87, 376-382.
    """
    if method not in METHODS:
        raise PerfmethodError(f"method: found {method!r}; allowed: {suggest(str(method), METHODS)}")
    if method == "raking":
        if bounds is not None:
            raise PerfmethodError("bounds: found with method='raking'; allowed: linear, logit")
        return Distance(method, np.exp, np.exp, np.exp)
    if bounds is None and method == "linear":
        return Distance(method, lambda u: 1 + u, np.ones_like, lambda u: u + u * u / 2)
    low, high = _checked(method, bounds)
    return _cut(low, high) if method == "linear" else _logit(low, high)


def _checked(method: str, bounds: tuple[float, float] | None) -> tuple[float, float]:
    if bounds is None:
        raise PerfmethodError("bounds: found none; allowed: (lower, upper) with method='logit'")
    low, high = (float(b) for b in bounds)
    if not low < 1 < high or (method == "logit" and not math.isfinite(high - low)):
        raise PerfmethodError(
            f"bounds: found ({low:g}, {high:g}); allowed: lower < 1 < upper"
            + (", both finite" if method == "logit" else "")
        )
    return low, high


def _cut(low: float, high: float) -> Distance:
    def primitive(u: Floats) -> Floats:
        inside = np.clip(u, low - 1, high - 1)
        return inside + inside**2 / 2 + np.clip(1 + u, low, high) * (u - inside)

    return Distance(
        "linear",
        lambda u: np.clip(1 + u, low, high),
        lambda u: ((1 + u > low) & (1 + u < high)).astype(float),
        primitive,
    )


def _logit(low: float, high: float) -> Distance:
    from scipy.special import expit

    steep = (high - low) / ((1 - low) * (high - 1))
    start = math.log((1 - low) / (high - 1))

    def share(u: Floats) -> Floats:
        return np.asarray(expit(start + steep * u))

    return Distance(
        "logit",
        lambda u: low + (high - low) * share(u),
        lambda u: (high - low) * steep * share(u) * (1 - share(u)),
        lambda u: low * u + (high - low) / steep * np.logaddexp(0.0, start + steep * u),
    )
