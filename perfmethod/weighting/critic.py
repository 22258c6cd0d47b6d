"""Weights from spread and from conflict with the other criteria."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.weighting._matrix import (
    Mask,
    constant,
    data_matrix,
    from_information,
    signs,
    unit_interval,
)
from perfmethod.weighting.result import Array, Weighting, checked_names

__all__ = ["critic"]

# 1 - r of two criteria that are the same up to scale is rounding of this size at most
_SAME = 1e-12
_NONE = (
    "no conflict: fewer than two criteria vary, or all that vary have correlation 1 with each other"
)


def critic(
    x: ArrayLike,
    *,
    directions: Sequence[float | str] | None = None,
    names: Sequence[str] | None = None,
) -> Weighting:
    r"""Weigh by standard deviation times conflict (CRITIC).

    Values are scaled to 0-1 over units, the best unit 1. With :math:`\sigma_j` the standard
    deviation and :math:`r_{jk}` the correlation of the scaled criteria, weights are proportional
    to :math:`C_j = \sigma_j \sum_k (1 - r_{jk})`.

    Parameters
    ----------
    x : array_like (..., n, u)
        Values of n criteria for u units.
    directions : sequence (n,), optional
        1 or "positive": more is better; -1 or "negative": less is better. Turning one criterion
        round changes the sign of its correlations, and so the weights of all. Default: all 1.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting
        `details`: "contrast" (standard deviations, ddof 1; weights are the same for any ddof),
        "conflict" and "information" (..., n). A criterion that is the same for all units has
        weight 0 and takes no part in the correlations of the others.

    Raises
    ------
    DataError
        If values are missing or infinite, a direction is none, or no two criteria conflict (a
        single one that varies, or all perfectly correlated).

    References
    ----------
    Diakoulaki, D., Mavrotas, G. and Papayannakis, L. (1995). Determining objective weights in
    multiple criteria problems: the CRITIC method. Computers and Operations Research 22(7), 763-770.

    Examples
    --------
    >>> critic([[1, 2, 3], [7, 7, 7], [3, 2, 2]]).weights.round(4).tolist()
    [0.4641, 0.0, 0.5359]
    >>> turned = critic([[1, 2, 3], [7, 7, 7], [3, 2, 2]], directions=[1, 1, -1])
    >>> turned.details["conflict"].round(4).tolist()
    [0.134, 0.0, 0.134]
    """
    a = data_matrix(x, names, nonnegative=False)
    labels = checked_names(names, a.shape[-2])
    z = unit_interval(a, signs(directions, labels))
    varies = ~constant(a)
    contrast = np.where(varies, z.std(axis=-1, ddof=1), 0.0)
    conflict = _conflict(z, varies)
    information = contrast * conflict
    details = {"contrast": contrast, "conflict": conflict, "information": information}
    return from_information(information, "critic", labels, details, _NONE)


def _conflict(z: Array, varies: Mask) -> Array:
    """Sum over the other varying criteria of 1 - r, (..., n)."""
    centered = z - z.mean(axis=-1, keepdims=True)
    norm = np.sqrt(np.sum(centered**2, axis=-1, keepdims=True))
    scaled = centered / np.where(varies[..., None], norm, 1.0)
    opposed = 1 - scaled @ np.swapaxes(scaled, -1, -2)
    both = varies[..., :, None] & varies[..., None, :]
    return np.where(both & (opposed > _SAME), opposed, 0.0).sum(axis=-1)
