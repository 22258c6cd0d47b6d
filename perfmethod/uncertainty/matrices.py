"""Covariances as they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["is_symmetric"]

ROUNDING = 1e-9  # of the standard deviations of a pair: what sums of other orders may differ by


def is_symmetric(covariance: ArrayLike) -> bool:
    """Whether a covariance (u, u) is symmetric, but for rounding.

    An entry near 0 may be the rest of large terms that cancel, so entries are compared with the
    scale of the matrix, the standard deviations of their two estimates, and not with themselves.

    Examples
    --------
    >>> is_symmetric([[1.0, 1e-17], [2e-17, 4.0]]), is_symmetric([[1.0, 0.1], [0.2, 4.0]])
    (True, False)
    """
    matrix = np.asarray(covariance, dtype=float)
    own = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    # an estimate without any error has no scale of its own: there the largest one's rounding counts
    least = np.finfo(float).eps * len(matrix) * own.max(initial=0.0) ** 2
    gap = np.abs(matrix - matrix.T)
    return bool((gap <= ROUNDING * np.outer(own, own) + least).all())
