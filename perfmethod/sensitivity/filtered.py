r"""Ranks of weighted sums: sorted in single precision where that proves the order, else in double.

A sum of products in single precision lies within a known distance of the true one, whatever the
order of its terms (Higham's bound). Two units that are further apart than twice that distance are
in their true order; neighbors that are not are compared in double precision, and a draw in which
that does not part them goes through `grading.rank`. So the ranks are those of double precision,
in every draw, at the cost of single precision.

References
----------
Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed. (2002), section 3.1.
Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates",
*Discrete Comput. Geom.* 18 (1997) 305-363.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading
from perfmethod.compiled import ready
from perfmethod.scoring.ordering import copies
from perfmethod.scoring.run import SAME

__all__ = ["Table", "count_exactly", "count_ranks"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]
Keys = NDArray[np.int32]

LARGEST = 23.0  # no exponential variate made of 32 random bits is larger
KEY = 29  # bits of a key: two keys' difference must not overflow either
PAIRS = 128  # neighbors compared at a time: their rows stay in the nearer caches
FEW = 4  # neighbors of a draw, on average, that are worth being compared one by one


class Table(NamedTuple):
    """Utilities, and what their sums need to be sorted in single precision.

    Parameters
    ----------
    utilities : ndarray (u, c)
    single : ndarray of float32 (c, u + 1)
        Utilities less the middle of their criterion, in parts of the largest, and a column of
        ones: neither what all units share nor a factor acts on their order.
    scale : float
        Parts of a sum in which a key counts.
    bits : int
        Last bits of a key: the unit.
    near : int
        Keys that differ by no more are not told apart by single precision.
    apart : float
        Means that differ by more, in double precision, are different ones.
    most : float
        Sum of a draw's variates above which the bound is not claimed; hardly any is.
    """

    utilities: Array
    single: Singles
    scale: np.float32
    bits: int
    near: int
    apart: float
    most: float

    @classmethod
    def of(cls, utilities: Array) -> Table:
        """For utilities (u, c)."""
        u, c = utilities.shape
        centered = utilities - (utilities.max(0) / 2 + utilities.min(0) / 2)
        far = float(np.abs(centered).max()) or 1.0
        single = np.ones((c, u + 1), np.float32)
        single[:, :u] = (centered / far).T
        bits = (u - 1).bit_length()
        scale = np.float32(2.0 ** (KEY - bits) / (LARGEST * c))
        most = c + 4.0 * np.sqrt(c)
        rounded = (c + 3) * 2.0**-24  # each term by its utility's and product's, and c - 1 sums
        error = rounded / (1 - rounded) * most * (1 + rounded)
        apart = 2 * 10.0**-SAME + 4 * (c + 4) * 2.0**-53 * float(np.abs(utilities).max())
        close = float(scale) * (2 * error + apart / far * most)
        near = int(min(np.ceil(close) + 3, 2.0 ** (KEY + 1 - bits))) << bits
        return cls(utilities, single, scale, bits, near, apart, most)


def count_ranks(table: Table, e: Singles) -> tuple[Ints, Singles]:
    """Count who has which rank in the draws whose order is sure.

    Parameters
    ----------
    table : Table
    e : ndarray of float32 (k, c)
        Weights but for their sum, below `LARGEST`.

    Returns
    -------
    counts : ndarray of int (r, u)
    left : ndarray of float32 (n, c)
        The draws that are not counted; `count_exactly` does, best many at a time.
    """
    sums = e @ table.single
    count = _loops if ready() is not None else _arrays
    counts, unsure = count(table, e, sums)
    return counts, e[unsure]


def count_exactly(table: Table, e: Singles) -> Ints:
    """Count who has which rank, (r, u); units with the same mean share the better one."""
    u, x = len(table.utilities), e.astype(float)
    x[~x.any(1)] = 1.0  # rounded to zero, all of them
    means = x @ table.utilities.T / x.sum(1, keepdims=True)
    rank = grading.rank(np.round(means, SAME))
    cells = (rank - 1) * u + np.arange(u)
    return np.bincount(cells.ravel(), minlength=u * u).reshape(u, u)


def _loops(table: Table, e: Singles, sums: Singles) -> tuple[Ints, NDArray[np.bool_]]:
    """Counts (r, u) of the draws whose order is sure, and the other draws, (k,)."""
    loops = ready()
    assert loops is not None
    u, k = len(table.utilities), len(e)
    keys, unsure = np.empty((k, u), np.int32), np.empty(k, bool)
    counts = np.zeros((u, u), np.int64)
    loops.pack_single(sums, -table.scale, table.bits, keys)
    keys.sort(axis=1)
    loops.count_sure(keys, table.bits, table.near, e, table.utilities, sums[:, u], table.most,
                     table.apart, counts, unsure)  # fmt: skip
    return counts, unsure


def _arrays(table: Table, e: Singles, sums: Singles) -> tuple[Ints, NDArray[np.bool_]]:
    """The same without compiled loops."""
    u, k = len(table.utilities), len(e)
    keys = np.multiply(sums[:, :u], -table.scale).astype(np.int32)
    keys <<= table.bits
    keys += copies(np.arange(u, dtype=np.int32), k)
    keys.sort(axis=1)
    flat = keys.reshape(-1)
    close = np.zeros(k * u, bool)  # to the unit above
    np.less_equal(flat[1:] - flat[:-1], table.near, out=close[1:])
    close[::u] = False
    keys &= (1 << table.bits) - 1
    unsure = ~(sums[:, u] < table.most)
    at = np.flatnonzero(close)
    draw = at // u
    if len(at) > FEW * k:
        unsure[draw] = True
    else:
        for i in range(0, len(at), PAIRS):
            here, below = draw[i : i + PAIRS], at[i : i + PAIRS]
            t = table.utilities[flat[below - 1]] - table.utilities[flat[below]]
            ahead = np.einsum("ij,ij->i", e[here], t)
            unsure[here[~(ahead > table.apart * sums[here, u])]] = True
    cells = np.add(keys, copies(np.arange(0, u * u, u), k))
    cells = cells[~unsure] if unsure.any() else cells
    return np.bincount(cells.ravel(), minlength=u * u).reshape(u, u), unsure
