"""What two crossed factors, units and indicators, leave of scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["two_way_residual"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def two_way_residual(rows: Codes, columns: Codes, values: Array) -> tuple[float, int]:
    """Residual sum of squares, and its degrees of freedom, beyond effects of rows and columns.

    Parameters
    ----------
    rows, columns : ndarray of int (n,)
        Of each value, 0, 1, ... without a hole. Any pattern: a pair may be missing or stand twice.
    values : ndarray (n,)

    Returns
    -------
    square : float
    df : int
        Values less the rank of the model: as many effects as there are rows and columns, less one
        for each connected part of the table, whose level rows and columns share.

    References
    ----------
    Searle, *Linear Models for Unbalanced Data* (1987), 4.7 and 5.3 (connectedness and rank).

    Examples
    --------
    A table of two rows and three columns has 6 - 2 - 3 + 1 degrees of freedom:

    >>> row, column = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2])
    >>> square, df = two_way_residual(row, column, np.array([1.0, 2, 3, 4, 5, 9]))
    >>> round(square, 9), df
    (3.0, 2)
    """
    from scipy.sparse.csgraph import connected_components

    size = int(rows.max()) + 1, int(columns.max()) + 1
    count = np.zeros(size)
    np.add.at(count, (rows, columns), 1.0)
    number = count.sum(axis=0)
    away = values - values.mean()
    away = away - (np.bincount(columns, away) / number)[columns]
    # normal equations of the rows, the columns taken out; singular once for each part
    common = (count / number) @ count.T
    equations = np.diag(count.sum(axis=1)) - common
    effect = np.linalg.lstsq(equations, np.bincount(rows, away), rcond=None)[0]
    rest = away - (effect[rows] - (count.T @ effect / number)[columns])
    parts, _ = connected_components(common > 0, directed=False)
    return float(rest @ rest), int(values.size - sum(size) + parts)
