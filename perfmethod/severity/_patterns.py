"""Answers grouped into patterns, so that equal ones are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Patterns", "grouped"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patterns:
    """Who gave which answers.

    Without ballots a rater's pattern is made of answers directly.

    Parameters
    ----------
    raters : csr_array (r, b) or (r, a)
        How often each pattern of a rater holds each pattern of a ballot, or each answer.
    weights : ndarray (r,)
        Raters with the pattern.
    ballots : csr_array (b, a) or None
        How often each pattern of a ballot holds each answer.
    """

    raters: Any
    weights: Floats
    ballots: Any | None

    @classmethod
    def of(cls, answer: Ints, size: int, rater: Ints, ballot: Ints | None) -> Patterns:
        """Group.

        Parameters
        ----------
        answer : ndarray of int (n,)
            Place of each answer among `size` possible ones (cell and option).
        size : int
        rater : ndarray of int (n,)
        ballot : ndarray of int (n,) or None
            Numbered from 0; each ballot is of one rater.
        """
        if ballot is None:
            raters, first = grouped(_table(rater, answer, size))
            return cls(raters, np.bincount(first).astype(float), None)
        ballots, kind = grouped(_table(ballot, answer, size))
        owner = np.zeros(int(ballot.max()) + 1, np.int64)
        owner[ballot] = rater
        raters, first = grouped(_table(owner, kind, ballots.shape[0]))
        return cls(raters, np.bincount(first).astype(float), ballots)


def _table(row: Ints, column: Ints, width: int) -> Any:
    from scipy.sparse import coo_array

    shape = (int(row.max()) + 1, width)
    table = coo_array((np.ones(len(row)), (row, column)), shape=shape).tocsr()
    table.sum_duplicates()
    return table


def grouped(table: Any) -> tuple[Any, Ints]:
    """Rows of a sparse table that differ, and which of them each row equals.

    Rows are found equal by two random sums of 64 bits, and every match is then checked.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> table = csr_array(np.array([[1, 0, 2], [0, 3, 0], [1, 0, 2]]))
    >>> kept, place = grouped(table)
    >>> kept.shape, bool((kept[place] != table).nnz)
    ((2, 3), False)
    """
    generator = np.random.default_rng(0)
    keys = generator.integers(0, 2**63, size=(table.shape[1], 2), dtype=np.uint64)
    counts = table.data.astype(np.uint64)[:, None] * keys[table.indices]  # modulo 2**64
    sums = np.zeros((table.shape[0], 2), np.uint64)
    filled = np.diff(table.indptr) > 0
    sums[filled] = np.add.reduceat(counts, table.indptr[:-1][filled], axis=0)
    order = np.lexsort((sums[:, 1], sums[:, 0]))
    new = np.r_[True, (np.diff(sums[order], axis=0) != 0).any(axis=1)]
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(new) - 1
    kept = table[order[new]]
    difference = table - kept[place]
    if difference.nnz and np.abs(difference.data).max() > 0:
        return table, np.arange(table.shape[0])  # two unlike rows with equal sums: keep all apart
    return kept, place
