"""What is kept of raters: their influence on each score, without their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import Problems, suggest
from perfmethod.survey.codes import BallotCodes
from perfmethod.survey.linearization import small_sample_factors, stratum_covariances

__all__ = ["RaterSums", "lone_cells", "populations_array", "rater_codes", "rater_sums"]

Floats = NDArray[np.float64]

_KEPT = ("covariances", "variances", "per_category", "per_score", "alone")


@dataclass(frozen=True, eq=False, repr=False)
class RaterSums:
    """Influence of every rater on every category mean.

    Pickling and copying keep the covariances and drop the rows of raters.
    """

    sums: Any  # csr_array (r, p), raters in the order of their categories
    stratum: NDArray[np.intp]  # (r,) category of each rater
    population: Floats  # (c,)
    alone: NDArray[np.bool_] | None = field(default=None)  # as `lone_cells`; None: not asked

    @cached_property
    def covariances(self) -> Floats:
        """Covariance (c, p, p) of the means of each category."""
        return stratum_covariances(self.sums, self.stratum, len(self.population), self.population)

    @cached_property
    def variances(self) -> Floats:
        """Diagonals (c, p) of `covariances`, without the products."""
        n_c, p = len(self.population), self.sums.shape[1]
        row = np.repeat(self.stratum, np.diff(self.sums.indptr))
        place = row * p + self.sums.indices
        total = np.bincount(place, self.sums.data, n_c * p).reshape(n_c, p)
        squares = np.bincount(place, self.sums.data**2, n_c * p).reshape(n_c, p)
        n = np.maximum(self.per_category, 1)[:, None]
        factors = small_sample_factors(self.per_category, self.population)
        return factors[:, None] * np.maximum(squares - total**2 / n, 0.0)

    @cached_property
    def per_category(self) -> NDArray[np.intp]:
        """Raters (c,) of each category, also those without a valid answer."""
        return np.bincount(self.stratum, minlength=len(self.population))

    @cached_property
    def per_score(self) -> NDArray[np.intp]:
        """Raters (p,) with a valid answer on each score."""
        return np.bincount(self.sums.indices, minlength=self.sums.shape[1])

    @classmethod
    def of_products(
        cls,
        squares: Floats,
        totals: Floats,
        per_category: NDArray[np.int64],
        per_score: NDArray[np.int64],
        population: Floats,
        alone: NDArray[np.bool_],
    ) -> RaterSums:
        """Read what is kept from sums over raters, where no rater is known.

        Parameters
        ----------
        squares : ndarray (c, p, p)
            Sums over the raters of each category of products of their influences.
        totals : ndarray (c, p)
            Sums of the influences.
        per_category, per_score : ndarray of int (c,), (p,)
            Raters.
        population : ndarray (c,)
        alone : ndarray of bool (u, d, c, k)
            Cells whose valid answers are all of one rater.
        """
        factors = small_sample_factors(per_category.astype(np.intp), population)
        n = np.maximum(per_category, 1)[:, None, None]
        about = squares - totals[:, :, None] * totals[:, None] / n
        covariances = factors[:, None, None] * about
        variances = np.maximum(np.diagonal(covariances, axis1=1, axis2=2), 0.0)
        found = object.__new__(cls)
        state = (covariances, variances, per_category, per_score, alone)
        found.__dict__.update(zip(_KEPT, state, strict=True))
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT}


def rater_codes(ballots: pd.DataFrame, file: str) -> NDArray[np.intp]:
    """Raters as integers; problems with the column are raised."""
    problems = Problems(file)
    if "rater_id" not in ballots:
        near = suggest("rater_id", map(str, ballots.columns))
        allowed = f"the column must be there for method='raters' ({near})"
        problems.add("no such column", allowed, column="rater_id")
        problems.raise_any()
    codes, _ = pd.factorize(ballots["rater_id"])
    for row in np.flatnonzero(codes < 0):
        problems.add("an empty cell", "an identifier", row=int(row) + 2, column="rater_id")
    problems.raise_any()
    return codes


def rater_sums(
    codes: BallotCodes,
    rater: NDArray[np.intp],
    influence: Floats,
    valid: NDArray[np.bool_],
    pairs: NDArray[np.intp],
    population: Floats,
) -> RaterSums:
    """Add up influences by rater.

    Parameters
    ----------
    codes : BallotCodes
        n ballots.
    rater : ndarray of int, shape (n,)
        Rater of each ballot; raters of two categories are two raters.
    influence : ndarray, shape (u, d, c, m, o)
        Influence of an answer on its category's mean.
    valid : ndarray of bool, shape (o,)
        Options that are valid answers.
    pairs : ndarray of int, shape (p,)
        Scores wanted, as positions in the flattened (u, d).
    population : ndarray, shape (c,)
        Raters in the population of each category.
    """
    from scipy.sparse import csr_array

    n_u, n_d, n_c, n_m, n_o = influence.shape
    key, cluster = np.unique(
        codes.category * (rater.max(initial=0) + 1) + rater, return_inverse=True
    )
    column = np.full(n_u * n_d, -1)
    column[pairs] = np.arange(len(pairs))
    rows, columns, data = [], [], []
    for d in range(n_d):
        kept = (codes.answers[d] >= 0) & np.append(valid, False)[codes.answers[d]]
        unit, cell = codes.unit[kept], codes.category[kept] * n_m + codes.mode[kept]
        rows.append(cluster[kept])
        columns.append(column[unit * n_d + d])
        table = influence[:, d].reshape(n_u, n_c * n_m, n_o)
        data.append(table[unit, cell, codes.answers[d][kept]])
    entries = (np.concatenate(rows), np.concatenate(columns))
    scored = entries[1] >= 0
    entries = (entries[0][scored], entries[1][scored])
    sums = csr_array((np.concatenate(data)[scored], entries), shape=(len(key), len(pairs)))
    sums.sum_duplicates()
    return RaterSums(sums, key // (rater.max(initial=0) + 1), population)


def lone_cells(
    codes: BallotCodes,
    rater: NDArray[np.intp],
    valid: NDArray[np.bool_],
    shape: tuple[int, int, int, int],
    pooled: bool,
) -> NDArray[np.bool_]:
    """Cells whose valid answers are all of one rater, so that nothing tells of their error.

    Parameters
    ----------
    codes : BallotCodes
    rater : ndarray of int, shape (n,)
    valid : ndarray of bool, shape (o,)
    shape : tuple of int
        (u, d, c, m).
    pooled : bool
        Whether the modes of a category are one cell.

    Returns
    -------
    ndarray of bool, shape (u, d, c, k)
        k is 1 where modes are pooled, else m.
    """
    n_u, n_d, n_c, n_m = shape
    n_k = 1 if pooled else n_m
    found = np.zeros((n_u, n_d, n_c * n_k), dtype=bool)
    place = (codes.unit * n_c + codes.category) * n_k + (0 if pooled else codes.mode)
    for d in range(n_d):
        kept = (codes.answers[d] >= 0) & np.append(valid, False)[codes.answers[d]]
        cell, own = place[kept], rater[kept]
        one = np.full(n_u * n_c * n_k, -1)
        one[cell] = own  # any of a cell's raters
        others = np.bincount(cell[own != one[cell]], minlength=len(one))
        found[:, d] = ((one >= 0) & (others == 0)).reshape(n_u, n_c * n_k)
    return found.reshape(n_u, n_d, n_c, n_k)


def populations_array(
    populations: Mapping[str, float] | None, categories: tuple[str, ...]
) -> Floats:
    """Raters in the population by category; infinite where not given."""
    given = dict(populations or {})
    problems = Problems("populations")
    for name in given:
        if name not in categories:
            problems.add(repr(name), suggest(str(name), categories), column="category")
    problems.raise_any()
    return np.array([given.get(name, np.inf) for name in categories], dtype=float)
