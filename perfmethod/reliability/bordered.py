"""Symmetric matrices with one set of columns in blocks, and few dense columns beside it.

Ratings of a rater lie in one category, so that effects of units within categories, once raters are
eliminated, touch each other inside a category only. Solving block by block saves nearly all work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bordered", "Frame", "Inverse", "Turned"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_WORTH = 4  # blocks must save this many times the work


@dataclass(frozen=True, eq=False)
class Frame:
    """Which of p columns stand in b blocks of at most s columns, and which k are the border.

    Parameters
    ----------
    size : int
        Number p of columns.
    blocks : ndarray of int64 (b, s)
        Columns; p fills up shorter blocks. Without blocks (0, 0).
    rest : ndarray of int64 (k,)
        All other columns.
    """

    size: int
    blocks: Ints
    rest: Ints

    @classmethod
    def dense(cls, size: int) -> Frame:
        """All columns in the border."""
        return cls(size, np.zeros((0, 0), np.int64), np.arange(size))

    @classmethod
    def of(cls, size: int, own: Ints, first: Ints, second: Ints) -> Frame | None:
        """Blocks of the columns `own`, two of which touch each other where an entry names both.

        Parameters
        ----------
        size : int
            Number p of columns.
        own : ndarray of int64 (t,)
            Columns that might stand in blocks.
        first, second : ndarray of int64 (e,)
            Places among them of the entries off zero.

        Returns
        -------
        Frame or None
            None where blocks would save too little.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        t = len(own)
        touch = csr_array((np.ones(len(first)), (first, second)), shape=(t, t))
        count, part = connected_components(touch, directed=False)
        block = _packed(np.bincount(part, minlength=count))[part]
        lengths = np.bincount(block)
        count, longest = len(lengths), int(lengths.max(initial=0))
        if count < 2 or _WORTH * count * longest**3 > t**3:
            return None
        order = np.argsort(block, kind="stable")
        row = block[order]
        column = np.arange(t) - (np.cumsum(lengths) - lengths)[row]
        blocks = np.full((count, longest), size)
        blocks[row, column] = own[order]
        return cls(size, blocks, np.setdiff1d(np.arange(size), own))

    def split(self, vector: Floats) -> tuple[Floats, Floats]:
        """Parts (b, s, ...) and (k, ...) of a vector (p, ...); what fills up is zero."""
        filled = np.concatenate([vector, np.zeros((1, *vector.shape[1:]))])
        return filled[self.blocks], vector[self.rest]

    def join(self, top: Floats, rest: Floats) -> Floats:
        """Undo `split`."""
        found = np.empty((self.size + 1, *rest.shape[1:]))
        found[self.blocks] = top
        found[self.rest] = rest
        return found[:-1]


@dataclass(frozen=True, eq=False)
class Bordered:
    """A symmetric matrix.

    Parameters
    ----------
    frame : Frame
    blocks : ndarray (b, s, s)
    border : ndarray (b, s, k)
    corner : ndarray (k, k)
    """

    frame: Frame
    blocks: Floats
    border: Floats
    corner: Floats

    def scaled(self, top: float, rest: Floats) -> Bordered:
        """Multiply rows and columns by a scale, the same for all columns in blocks."""
        return Bordered(
            self.frame,
            self.blocks * top**2,
            self.border * (top * rest),
            self.corner * rest * rest[:, None],
        )

    def times(self, vector: Floats) -> Floats:
        """Multiply by a vector (p,), or by several at once (p, n)."""
        top, rest = self.frame.split(vector.reshape(len(vector), -1))
        above = self.blocks @ top + self.border @ rest
        below = _flat(self.border).T @ _flat(top) + self.corner @ rest
        return self.frame.join(above, below).reshape(vector.shape)


class Inverse:
    r"""Inverse of I + K over the random columns, K over the fixed ones, by blocks and border.

    With blocks M and border E, :math:`P = M^{-1} E` and the complement :math:`S = F - E'P`, it is
    :math:`M^{-1}` (over the blocks) plus :math:`V S^{-1} V'` with :math:`V' = (-P', I)`.

    Parameters
    ----------
    matrix : Bordered
        K.
    random : int
        Random columns in the border; they come first.
    restricted : bool
        Whether traces and norms are of the whole inverse, or of that over the random columns.
    """

    def __init__(self, matrix: Bordered, random: int, restricted: bool) -> None:
        from scipy.linalg import lapack

        self.frame = matrix.frame
        _, s, k = matrix.border.shape
        self.own, log_det = _inverses(matrix.blocks + np.eye(s))
        self.cross = self.own @ matrix.border
        corner = matrix.corner - _flat(matrix.border).T @ _flat(self.cross)
        corner[np.arange(random), np.arange(random)] += 1
        self._factor, info = lapack.dpotrf(corner.T, lower=1, overwrite_a=1)
        if info:
            raise np.linalg.LinAlgError("the equations of the effects are singular")
        self._kept = k if restricted else random
        diagonal = np.diagonal(self._factor)[: self._kept]
        self.log_det = log_det + 2 * float(np.log(diagonal).sum())

    def solve(self, right: Floats) -> Floats:
        """Solve for a vector (p,)."""
        from scipy.linalg import lapack

        top, rest = self.frame.split(right)
        rest = lapack.dpotrs(self._factor, rest - _flat(self.cross).T @ top.ravel(), lower=1)[0]
        return self.frame.join((self.own @ top[..., None])[..., 0] - self.cross @ rest, rest)

    @cached_property
    def small(self) -> Floats:
        """Inverse (k, k) of the complement; zero over fixed columns where they do not count."""
        from scipy.linalg import lapack

        kept = self._kept
        found = np.zeros(self._factor.shape, order="F")
        if kept == 0:  # LAPACK complains of a matrix without rows
            return found
        # nothing stands above the diagonal of the factor, nor then of what comes of it
        lower = lapack.dpotri(np.asfortranarray(self._factor[:kept, :kept]), lower=1)[0]
        part = lower + lower.T
        part[np.arange(kept), np.arange(kept)] /= 2
        if kept == len(found):
            return np.asarray(part)
        found[:kept, :kept] = part
        return found

    @cached_property
    def pushed(self) -> Floats:
        """P S⁻¹, (b, s, k)."""
        return np.asarray(self.cross @ self.small)

    @cached_property
    def gram(self) -> Floats:
        """P'P, (k, k)."""
        return np.asarray(_flat(self.cross).T @ _flat(self.cross))

    def diagonal(self) -> Floats:
        """Diagonal (p,)."""
        top = np.einsum("bii->bi", self.own) + (self.pushed * self.cross).sum(axis=2)
        return self.frame.join(top, np.diagonal(self.small))

    def dense(self) -> Floats:
        """All of it, (p, p)."""
        p, top, rest = self.frame.size, self.frame.blocks.ravel(), self.frame.rest
        pushed = _flat(self.pushed)
        found = np.zeros((p + 1, p + 1))
        found[np.ix_(rest, rest)] = self.small
        found[np.ix_(top, rest)] = -pushed
        found[np.ix_(rest, top)] = -pushed.T
        found[np.ix_(top, top)] = pushed @ _flat(self.cross).T
        for rows, block in zip(self.frame.blocks, self.own, strict=True):
            found[np.ix_(rows, rows)] += block
        return np.asarray(found[:p, :p])

    def square(self, a: slice | None, b: slice | None) -> float:
        """Sum of squares of the part between two sets of columns; of I less it where a is b.

        Parameters
        ----------
        a, b : slice or None
            Columns of the border, or None for those in blocks.
        """
        if a is not None and b is not None:
            part = self.small[a, b]
            return _norm(np.eye(len(part)) - part if a == b else part)
        if a is None and b is None:
            away, shared = np.eye(self.own.shape[1]) - self.own, self.small @ self.gram
            mixed = _vdot(away @ self.cross, self.pushed)
            return _norm(away) - 2 * mixed + _vdot(shared, shared.T)
        return _norm(self.pushed[:, :, b if a is None else a])

    def trace_at_zero(
        self, matrix: Bordered, columns: slice | None, top: float, rest: Floats
    ) -> float:
        """Trace of B less B D H D B over columns of which the scale D is zero, H this inverse.

        Parameters
        ----------
        matrix : Bordered
            B, not scaled.
        columns : slice or None
            As in `square`.
        top, rest : float, ndarray (k,)
            Scale D of the columns in blocks, and of the border.
        """
        if columns is None:
            row = _flat(matrix.border) * rest
            return float(np.einsum("bii->", matrix.blocks)) - _vdot(row @ self.small, row)
        above = matrix.border[:, :, columns] * top
        row = matrix.corner[columns] * rest - _flat(above).T @ _flat(self.cross)
        whole = np.trace(matrix.corner[columns, columns])
        return float(whole) - _vdot(self.own @ above, above) - _vdot(row @ self.small, row)

    def trace(self, matrix: Bordered) -> float:
        """Trace of the product with another matrix."""
        return self.turn(matrix).trace

    def turn(self, slope: Bordered) -> Turned:
        """Prepare the traces of this inverse with a matrix."""
        return Turned(self, slope)


class Turned:
    """A matrix K beside an inverse H, for traces of HK, HKHK and HKH."""

    def __init__(self, inverse: Inverse, matrix: Bordered) -> None:
        self.of, self.matrix = inverse, matrix
        self.pulled = matrix.border - matrix.blocks @ inverse.cross  # KV over the blocks
        self._twice = matrix.border + self.pulled

    @property
    def trace(self) -> float:
        """Trace of HK."""
        return (
            _vdot(self.matrix.blocks, self.of.own)
            + _vdot(self.matrix.corner, self.of.small)
            - _vdot(self._twice, self.of.pushed)
        )

    @cached_property
    def _turned(self) -> Floats:
        return np.asarray(self.matrix.blocks @ self.of.own)

    @cached_property
    def _small(self) -> Floats:
        """V'KV S⁻¹."""
        half = _flat(self._twice).T @ _flat(self.of.cross) / 2
        return np.asarray((self.matrix.corner - half - half.T) @ self.of.small)

    @cached_property
    def _solved(self) -> Floats:
        return np.asarray(self.of.own @ self.pulled)

    def with_other(self, other: Turned) -> float:
        """Trace of H K H K' with another matrix K'."""
        mixed = _flat(self.pulled).T @ _flat(other._solved)
        return (
            _vdot(self._turned, np.swapaxes(other._turned, 1, 2))
            + 2 * _vdot(mixed, self.of.small)
            + _vdot(self._small, other._small.T)
        )

    def among(self, columns: slice | None) -> float:
        """Trace of HKH over a set of columns, as in `Inverse.square`."""
        if columns is not None:
            return _vdot(self.of.small[columns], self._small.T[columns])
        inner = self.of.small @ self._small
        return (
            _vdot(self.of.own, self._turned)
            - 2 * _vdot(self._solved, self.of.pushed)
            + _vdot(self.of.gram, inner)
        )


def _packed(lengths: Ints) -> Ints:
    """Block of each set of columns: small ones share one, for each block takes the longest's room.

    Units that single raters have seen alone would else take as much as a whole category each.
    """
    found, block, room = np.zeros(len(lengths), np.int64), -1, 0
    for k in np.argsort(-lengths, kind="stable").tolist():
        if lengths[k] > room:
            block, room = block + 1, int(lengths.max())
        found[k], room = block, room - int(lengths[k])
    return found


def _inverses(blocks: Floats) -> tuple[Floats, float]:
    """Inverses of positive definite blocks (b, s, s), and the sum of their log determinants."""
    from scipy.linalg import lapack

    factors = np.linalg.cholesky(blocks)
    turned = np.empty_like(factors)
    for i, factor in enumerate(factors):
        turned[i] = lapack.dtrtri(factor.T, lower=0)[0].T
    log_det = 2 * float(np.log(np.einsum("bii->bi", factors)).sum())
    return np.swapaxes(turned, 1, 2) @ turned, log_det


def _flat(table: Floats) -> Floats:
    return table.reshape(-1, table.shape[2])


def _norm(table: Floats) -> float:
    return _vdot(table, table)


def _vdot(a: Floats, b: Floats) -> float:
    return float(np.vdot(a, b))
