"""What raters did together, as integers: enough for the covariance of every score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.survey.raters import RaterSums

__all__ = ["RaterProducts", "rater_products"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class RaterProducts:
    r"""Products of raters' answers: :math:`\sum_r n_{ra} n_{rb}` over pairs of columns.

    A column is a unit, dimension, category, mode and valid option; modes are one where their
    ballots are pooled. Influences of raters are linear in their answers, so that these sums give
    the covariance of the scores (`Review.covariance`) without any rater. All int64; pieces add up
    exactly in any order, **provided that no rater stands in two of them**. The size is bounded by
    the pairs of columns of one category.

    Parameters
    ----------
    shape : tuple of int
        (u, d, c, k, o) of the columns; k is 1 where modes are pooled.
    places : ndarray of int64 (2, e)
        Pairs of columns (flat in `shape`), the first at most the second, in order.
    values : ndarray of int64 (e,)
    per_category : ndarray of int64 (c,)
        Raters, also those without a valid answer.
    per_pair : ndarray of int64 (u, d)
        Raters with a valid answer.
    """

    shape: tuple[int, int, int, int, int]
    places: Ints
    values: Ints
    per_category: Ints
    per_pair: Ints

    def __post_init__(self) -> None:
        for table in (self.places, self.values, self.per_category, self.per_pair):
            table.setflags(write=False)

    def __repr__(self) -> str:
        return f"<RaterProducts of {self.per_category.sum()} raters: {len(self.values)} pairs>"

    def __add__(self, other: RaterProducts) -> RaterProducts:
        if not isinstance(other, RaterProducts):
            return NotImplemented
        if self.shape != other.shape:
            raise PerfmethodError(
                f"products to add: found shape {other.shape}; allowed: {self.shape}"
            )
        places = np.concatenate([self.places, other.places], axis=1)
        key = places[0] * int(np.prod(self.shape)) + places[1]
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        values = np.zeros(len(first), np.int64)
        np.add.at(values, place, np.concatenate([self.values, other.values]))
        return RaterProducts(
            self.shape,
            places[:, first],
            values,
            self.per_category + other.per_category,
            self.per_pair + other.per_pair,
        )

    def sums(
        self, counts: NDArray[np.int64], influence: Floats, pairs: NDArray[np.intp],
        population: Floats,
    ) -> RaterSums:  # fmt: skip
        """Covariances of category means, from the influence of an answer on them.

        Parameters
        ----------
        counts : ndarray of int (u, d, c, m, o)
        influence : ndarray (u, d, c, m, o)
            Influence of an answer on its category's mean.
        pairs : ndarray of int (p,)
            Scores wanted, as positions in the flattened (u, d).
        population : ndarray (c,)
            Raters in the population of each category.
        """
        z = influence if self.shape[3] > 1 else influence[:, :, :, :1]
        answers = counts if self.shape[3] > 1 else counts.sum(axis=3, keepdims=True)
        totals = (answers * z).sum(axis=(3, 4)).transpose(2, 0, 1)  # (c, u, d)
        squares = self._squares(z.ravel(), pairs)
        means = totals.reshape(len(totals), -1)[:, pairs]
        per_pair = self.per_pair.ravel()[pairs]
        alone = self._alone(answers.sum(axis=-1))
        return RaterSums.of_products(squares, means, self.per_category, per_pair, population, alone)

    def _alone(self, size: Ints) -> NDArray[np.bool_]:
        """Cells (u, d, c, k) all of whose answers are one rater's.

        The squares of raters' numbers of answers add to the square of their sum only there.
        """
        first, second = (x // self.shape[4] for x in self.places)
        inside = first == second
        twice = np.where(self.places[0] == self.places[1], 1, 2)
        squares = np.zeros(size.size, np.int64)
        np.add.at(squares, first[inside], (twice * self.values)[inside])
        return np.asarray((size > 0) & (squares.reshape(size.shape) == size**2))

    def _squares(self, z: Floats, pairs: NDArray[np.intp]) -> Floats:
        """Sums over raters of products of influences (c, p, p)."""
        d, c, rest = self.shape[1], self.shape[2], self.shape[3] * self.shape[4]
        column = np.full(self.shape[0] * d, -1)
        column[pairs] = np.arange(len(pairs))
        score, category = (x // rest for x in self.places), self.places[0] // rest % c
        first, second = (column[x // c] for x in score)
        p = len(pairs)
        kept = (first >= 0) & (second >= 0)
        half = np.where(self.places[0] == self.places[1], 0.5, 1.0)
        each = half * self.values * z[self.places[0]] * z[self.places[1]]
        flat = ((category * p + first) * p + second)[kept]
        upper = np.bincount(flat, each[kept], c * p * p).reshape(c, p, p)
        return np.asarray(upper + upper.transpose(0, 2, 1))


def rater_products(
    shape: tuple[int, int, int, int, int],
    rater: Ints,
    category: Ints,
    row: Ints,
    column: Ints,
) -> RaterProducts:
    """Reduce the valid answers of raters who stand in no other piece.

    Parameters
    ----------
    shape : tuple of int
        As in `RaterProducts`.
    rater : ndarray of int64 (n,)
        Rater of each ballot.
    category : ndarray of int64 (n,)
        Category of each ballot; a rater has one.
    row, column : ndarray of int64 (a,)
        Ballot and column of each valid answer.
    """
    from scipy.sparse import csr_array, triu

    known, first, who = np.unique(rater, return_index=True, return_inverse=True)
    per_category = np.bincount(category[first], minlength=shape[2]).astype(np.int64)
    there = np.bincount(column, minlength=int(np.prod(shape))) > 0
    own, place = np.flatnonzero(there), (np.cumsum(there) - 1)[column]
    ones = np.ones(len(column), np.int64)
    table = csr_array((ones, (who[row], place)), shape=(len(known), len(own)))
    table.sum_duplicates()
    found = triu(table.T @ table, format="csr")
    found.sort_indices()
    pairs = found.tocoo()
    u, d, c, k, o = shape
    score = own // (c * k * o)
    rated = csr_array((ones, (who[row], score[place])), shape=(len(known), u * d))
    rated.sum_duplicates()
    per_pair = np.bincount(rated.indices, minlength=u * d).reshape(u, d).astype(np.int64)
    places = np.stack([own[pairs.row], own[pairs.col]]).astype(np.int64)
    return RaterProducts(shape, places, pairs.data.astype(np.int64), per_category, per_pair)
