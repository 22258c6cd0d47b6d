"""Models whose variance-based indices are known exactly."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Ishigami & Homma (1990), a = 7, b = 0.1 on (-pi, pi)^3; a fourth input counts nothing
A, B = 7.0, 0.1
_V1 = 0.5 * (1 + B * np.pi**4 / 5) ** 2
_V2 = A**2 / 8
_V13 = B**2 * np.pi**8 * 8 / 225
ISHIGAMI_VARIANCE = _V1 + _V2 + _V13
ISHIGAMI = {
    "first": np.array([_V1, _V2, 0, 0]) / ISHIGAMI_VARIANCE,
    "total": np.array([_V1 + _V13, _V2, _V13, 0]) / ISHIGAMI_VARIANCE,
    "shapley": np.array([_V1 + _V13 / 2, _V2, _V13 / 2, 0]) / ISHIGAMI_VARIANCE,
    "closed": np.array([_V1 + _V2, _V1 + _V13, _V1, _V2, _V2, 0]) / ISHIGAMI_VARIANCE,
}


def ishigami(u: Array) -> Array:
    """Ishigami function on the unit cube."""
    x = np.pi * (2 * u - 1)
    return np.asarray(np.sin(x[:, 0]) * (1 + B * x[:, 2] ** 4) + A * np.sin(x[:, 1]) ** 2)


G = np.array([0, 1, 4.5, 9, 99, 99])


def g_function(u: Array, a: Array = G) -> Array:
    """Sobol' g-function with the coefficients a."""
    return np.asarray(((np.abs(4 * u - 2) + a) / (1 + a)).prod(1))


def g_indices(a: Array = G) -> dict[str, Array]:
    """Indices of the g-function, from the variances of its product terms."""
    part = 1 / (3 * (1 + a) ** 2)
    whole, d = float(np.prod(1 + part) - 1), len(a)
    out = {kind: np.zeros(d) for kind in ("first", "total", "shapley")}
    for size in range(1, d + 1):
        for u in combinations(range(d), size):
            v = prod(part[j] for j in u) / whole
            for i in u:
                out["total"][i] += v
                out["shapley"][i] += v / size
                out["first"][i] += v if size == 1 else 0.0
    return out
