"""Intervals of a reliability: a ratio of sums of variance components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability._draws import check_level
from perfmethod.reliability.components import Components
from perfmethod.reliability.inference import Inference

__all__ = ["Known", "interval_of", "near_zero", "ratio_of"]

Floats = NDArray[np.float64]

_NOTHING = 1e-12  # of a sum of components, up to rounding


class Known(NamedTuple):
    """Components (t,), what their intervals rest on, and the fit; None where it is not known."""

    terms: tuple[str, ...]
    variances: Floats
    inference: Inference | None = None
    fit: Components | None = None


def ratio_of(known: Known, true: Floats, error: Floats) -> float:
    """Reliability true / (true + error)."""
    top, bottom = float(true @ known.variances), float(error @ known.variances)
    if not top > 0:
        return 0.0
    return top / (top + bottom)


def near_zero(known: Known, shares: Floats) -> tuple[str, ...]:
    """Terms with a share whose own interval is by the profile likelihood."""
    if known.fit is None:
        return ()
    there = known.fit.near_zero & (shares != 0)
    return tuple(t for t, near in zip(known.terms, there, strict=True) if near)


def interval_of(
    known: Known, true: Floats, error: Floats, level: float
) -> tuple[float, float] | None:
    r"""Interval of a reliability; None where components came without a covariance.

    By the delta method on the logit, from the covariance of the components. A component at zero, or
    near it, has none, and yet is not known: the distance of a sum (true variance T, error E) to
    what it would be at the ends of such components' own intervals is added, squared, on the scale
    of the logarithm (the method of variance estimates recovery). Where T is zero it ends at
    :math:`T_u / \sqrt{E_l (2 E - E_l)}`, the same method's limit of a ratio; and vice versa.

    References
    ----------
    Donner, A. and Zou, G. Y. (2012). Closed-form confidence intervals for functions of the normal
    mean and standard deviation. *Statistical Methods in Medical Research* 21(4), 347-359.
    """
    from scipy.special import expit, ndtri

    z = float(ndtri((1 + check_level(level)) / 2))
    if known.inference is None:
        return None
    near = near_zero(known, np.abs(true) + np.abs(error))
    away = np.zeros((len(known.terms), 2))  # to the ends, of components near zero
    if near and known.fit is not None:
        mine = np.array([term in near for term in known.terms])
        away[mine] = (known.fit.intervals(level) - known.variances[:, None])[mine] * [-1, 1]
    free = np.array([term not in near for term in known.terms])
    covariance = known.inference.covariance * np.outer(free, free) * z**2
    return (
        float(expit(-_highest(known.variances, covariance, away, error, true))),
        float(expit(_highest(known.variances, covariance, away, true, error))),
    )


def _highest(
    variances: Floats, covariance: Floats, away: Floats, true: Floats, error: Floats
) -> float:
    """Logarithm of the upper end of true / error; infinite where the error may be nothing."""
    top, bottom = float(true @ variances), float(error @ variances)
    down, up = float(np.linalg.norm(error * away[:, 0])), float(np.linalg.norm(true * away[:, 1]))
    if down >= bottom * (1 - _NOTHING):
        return np.inf
    slope = (true / top if top > 0 else 0.0) - error / bottom
    squared = max(float(slope @ covariance @ slope), 0.0) + np.log(bottom / (bottom - down)) ** 2
    if top > 0:
        return float(np.log(top / bottom) + np.sqrt(squared + np.log1p(up / top) ** 2))
    left = np.exp(-np.sqrt(squared))  # lower end of the error, over the error
    return float(np.log(up / bottom) - np.log(left * (2 - left)) / 2)
