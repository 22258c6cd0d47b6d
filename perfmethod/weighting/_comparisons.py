"""The mathematics of one pairwise comparison matrix; arrays in, arrays out.

A blank (NaN) is a pair that nobody compared. Logarithms turn the ratios into differences, so that
least squares on the graph of compared pairs does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.weighting.result import Array

Mask = NDArray[np.bool_]

# Mean consistency index of random reciprocal matrices on the 1-9 scale, n = 1, ..., 15: Saaty
# (1980), The Analytic Hierarchy Process, McGraw-Hill. The dip at n = 12 is in the source; later
# simulations (0.5799, 0.8921, 1.1159, ...) differ in the third digit for small n.
RANDOM_INDEX = (
    *(0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41),
    *(1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59),
)
_EIGEN_TOLERANCE = 1e-12


class LogFit(NamedTuple):
    """Least squares fit of log ratios: log a_ij = y_i - y_j + e_ij over the compared pairs."""

    log_weights: Array  # (n,), summing to 0
    residuals: Array  # (n, n), NaN where not compared
    unscaled: Array  # (n, n), covariance of log_weights per unit of residual variance
    redundancy: int  # compared pairs beyond the n - 1 that fix the weights

    @property
    def variance(self) -> float:
        """Residual variance; of a complete matrix it is the geometric consistency index.

        GCI = 2 / ((n - 1)(n - 2)) sum_{i<j} e_ij^2 (Aguaron and Moreno-Jimenez 2003), and
        (n - 1)(n - 2) / 2 is the redundancy of a complete matrix.
        """
        if self.redundancy == 0:
            return 0.0
        return float(np.nansum(np.triu(self.residuals, 1) ** 2)) / self.redundancy


def judged(comparisons: Array) -> Mask:
    """Pairs that were compared, (n, n), the diagonal left out."""
    return ~np.isnan(comparisons) & ~np.eye(len(comparisons), dtype=bool)


def components(known: Mask) -> list[list[int]]:
    """Connected components of the graph whose edges are the compared pairs."""
    reach = known | np.eye(len(known), dtype=bool)
    for _ in range(len(known).bit_length()):
        reach = reach @ reach  # paths of twice the length
    first = reach.argmax(axis=1)
    return [np.flatnonzero(first == root).tolist() for root in np.unique(first)]


def log_least_squares(comparisons: Array) -> LogFit:
    """Row geometric means; with blanks, their least squares counterpart.

    The normal equations are L y = b, with L the Laplacian of the graph of compared pairs and b_i
    the sum of log a_ij over j (Bozoki, Fulop and Ronyai 2010). For a complete matrix y_i is the
    mean of the logs in row i.
    """
    n = len(comparisons)
    known = judged(comparisons)
    log = np.where(known, np.log(np.where(known, comparisons, 1.0)), 0.0)
    laplacian = np.diag(known.sum(axis=1)) - known.astype(float)
    # L + J/n is regular when the graph is connected, and (L + J/n)^-1 - J/n is the pseudo-inverse
    unscaled = np.linalg.inv(laplacian + 1 / n) - 1 / n
    y = unscaled @ log.sum(axis=1)
    residuals = np.where(known, log - (y[:, None] - y), np.nan)
    return LogFit(y, residuals, unscaled, int(known.sum()) // 2 - (n - 1))


def principal(comparisons: Array, log_weights: Array) -> tuple[Array, float]:
    """Principal eigenvector (summing to 1) and eigenvalue.

    With blanks, Harker's (1987) matrix: 0 for a blank, 1 + the number of blanks of the row on the
    diagonal; it has the same eigenvector as the matrix whose blanks are filled with w_i / w_j.
    """
    known = judged(comparisons)
    matrix = np.where(known, comparisons, 0.0) + np.diag(len(known) - known.sum(axis=1))
    # D^-1 A D with D the geometric means has the same eigenvalue and an eigenvector near ones:
    # small weights come out with the same relative accuracy as large ones
    matrix = matrix * np.exp(log_weights - log_weights[:, None])
    values, vectors = np.linalg.eig(matrix)
    vector = np.abs(vectors[:, np.argmax(values.real)].real)
    # Collatz-Wielandt: for positive v, min (Av)_i / v_i <= lambda_max <= max (Av)_i / v_i,
    # so that closing bounds prove both the eigenvalue and that v is the positive eigenvector
    for _ in range(10_000):
        image = matrix @ vector
        if vector.min() > 0:
            bounds = image / vector
            if np.ptp(bounds) <= _EIGEN_TOLERANCE * bounds.max():
                weights = vector * np.exp(log_weights - log_weights.max())
                return weights / weights.sum(), max(float(bounds.mean()), float(len(known)))
        vector = image / image.sum()
    raise ArithmeticError(
        f"found bounds [{bounds.min():.15g}, {bounds.max():.15g}] for the principal eigenvalue "
        "after 10,000 steps; use the geometric mean, which needs no iteration"
    )


def weights_from_logs(log_weights: Array) -> Array:
    """Weights summing to 1 from their logarithms."""
    w = np.exp(log_weights - log_weights.max())
    return w / w.sum()


def random_index_of(n: int, missing: int) -> float:
    """Saaty's random index, lowered for the pairs that nobody compared.

    Random matrices with blanks are less inconsistent, nearly in proportion to the lost redundancy
    (Agoston and Csato 2022): RI(n, m) = (1 - 2 m / ((n - 1)(n - 2))) RI(n).
    """
    if n < 3:
        return 0.0
    return RANDOM_INDEX[n - 1] * (1 - 2 * missing / ((n - 1) * (n - 2)))


def pairs_of(known: Mask) -> Iterator[tuple[int, int]]:
    """Compared pairs i < j."""
    return ((int(i), int(j)) for i, j in np.argwhere(np.triu(known, 1)))
