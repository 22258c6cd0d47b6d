"""Trimming of weights, the weight that is cut being given to others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.margins import check_weights, raise_all
from perfmethod.errors import PerfmethodError, Problems

__all__ = ["REDISTRIBUTIONS", "trim"]

Floats = NDArray[np.float64]

REDISTRIBUTIONS = ("equal", "proportional")


def trim(
    weights: ArrayLike,
    *,
    lower: float = 0.0,
    upper: float = float("inf"),
    redistribute: str = "equal",
    strict: bool = True,
) -> Floats:
    """Weights cut to an interval, their sum unchanged.

    What is cut off is given to the weights that were inside the interval. Margins that the weights
    met before are met only nearly afterwards; `calibrate` with bounds meets both.

    Parameters
    ----------
    weights : array_like, shape (n,)
        Not negative.
    lower, upper : float
    redistribute : {"equal", "proportional"}
        Everyone inside gets the same amount, or an amount in proportion to the weight.
    strict : bool
        Repeat until all weights lie in the interval; otherwise once, so that what is given may
        carry others beyond it.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        Weights that are negative or not finite.
    PerfmethodError
        Bounds between which no weights with this sum lie; an unknown `redistribute`.

    References
    ----------
    Potter, F. (1990). A study of procedures to identify and trim extreme sampling weights.
    *Proceedings of the Survey Research Methods Section, ASA*, 225-230.

    R package survey, ``trimWeights``, which the tests reproduce (``"equal"``).

    Examples
    --------
    >>> trim([1.0, 2.0, 3.0, 10.0], upper=7.0)
    array([2., 3., 4., 7.])
    """
    problems = Problems("trimming")
    w = check_weights(weights, problems)
    raise_all(problems)
    if redistribute not in REDISTRIBUTIONS:
        raise PerfmethodError(f"redistribute: found {redistribute!r}; allowed: equal, proportional")
    mean = float(w.mean())
    room = 8 * np.finfo(float).eps * mean  # the mean of equal weights may be rounded off them
    if not lower - room <= mean <= upper + room:
        raise PerfmethodError(
            f"bounds: found ({lower:g}, {upper:g}); allowed: with the mean weight {mean:g} between"
        )
    out = (w < lower) | (w > upper)
    held = np.zeros(len(w), dtype=bool)
    while out.any():
        w, out, held = _once(w, out, held, lower, upper, redistribute)
        if not strict:
            break
    return w


def _once(
    w: Floats, out: NDArray[np.bool_], held: NDArray[np.bool_], lower: float, upper: float, how: str
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """One round: weights, which are outside now, and which stay where they were cut."""
    cut = np.clip(w, lower, upper)
    excess = float((w - cut).sum())
    takers = ~out & ~held
    if not takers.any():  # those cut at the other end take the rest
        takers = cut < upper if excess > 0 else cut > lower
    share = np.where(takers, cut if how == "proportional" else 1.0, 0.0)
    share = share if share.sum() > 0 else takers.astype(float)
    w = cut + excess * share / max(float(share.sum()), 1.0 if not takers.any() else 0.0)
    # what rounding leaves beyond a bound is not worth a round
    room = 8 * np.finfo(float).eps * max(upper if upper < np.inf else 0.0, float(w.max()))
    near = np.where((w < lower) & (w > lower - room), lower, w)
    near = np.where((near > upper) & (near < upper + room), upper, near)
    return near, (near < lower) | (near > upper), held | out
