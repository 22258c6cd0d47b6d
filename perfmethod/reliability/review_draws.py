"""Survey scores as another sample of raters might have given them, as draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.draws import Block, Draws
from perfmethod.scoring.plan import compile_year
from perfmethod.scoring.run import category_weights
from perfmethod.scoring.slots import Slots
from perfmethod.survey import Review, scores
from perfmethod.survey.codes import BallotCodes
from perfmethod.survey.raters import rater_codes
from perfmethod.year import Year

__all__ = ["bootstrap_draws", "normal_draws"]

Floats = NDArray[np.float64]

_AT_ONCE = 32  # draws tabulated together: some 30 MB of counts in a year of 50 units


def normal_draws(year: Year, review: Review, size: int, factor: float, seed: int) -> Draws:
    """Scores jointly normal around those measured, with `factor` times their covariance."""
    kept, scored = _read(year, review), review.scores.notna().to_numpy()
    chosen = kept[scored]
    covariance = review.covariance().to_numpy(float)[np.ix_(chosen, chosen)]
    value, vector = np.linalg.eigh((covariance + covariance.T) / 2)
    # rounding leaves eigenvalues of about -1e-15 where raters are fewer than scores
    root = vector * np.sqrt(factor * np.maximum(value, 0.0))
    paths, mean = _paths(review, kept), review.scores.to_numpy(float)[kept]
    return Draws.sampled(
        size, _Normal(paths, mean, root), paths, seed=seed, note="survey noise, normal"
    )


def _read(year: Year, review: Review) -> NDArray[np.bool_]:
    """Scores (u, d) that there are and that the scheme reads for the unit's class."""
    classes = year.scheme.document["classes"]
    wanted = {
        name: [str(node["survey"]) for node in part.get("nodes", {}).values() if "survey" in node]
        for name, part in classes.items()
    }
    found: NDArray[np.bool_] = review.scores.notna().to_numpy()
    own = year.units["class"].reindex(review.scores.index)
    reads = np.array([review.scores.columns.isin(wanted[c]) for c in own], dtype=bool)
    return found & reads.reshape(found.shape)


def _paths(review: Review, kept: NDArray[np.bool_]) -> tuple[str, ...]:
    names = review.scores.index, review.scores.columns
    return tuple(f"review.{names[0][u]}.{names[1][d]}" for u, d in np.argwhere(kept))


@dataclass(frozen=True)
class _Normal:
    paths: tuple[str, ...]
    mean: Floats = field(repr=False)
    root: Floats = field(repr=False)  # (p, p)

    def __call__(self, generator: np.random.Generator, n: int) -> Block:
        z = generator.standard_normal((n, len(self.paths)))
        return _block(self.paths, self.mean + z @ self.root.T)


def bootstrap_draws(year: Year, review: Review, size: int, factor: float, seed: int) -> Draws:
    """Scores of ballots whose raters were drawn again, within their categories.

    With `factor` 1 / t a category has t times as many raters in a draw, its covariance then being
    about `factor` times what it was.
    """
    assert year.ballots is not None
    plan, kept = compile_year(year), _read(year, review)
    answers, stratum = _answers(year, review)
    there = np.bincount(stratum, minlength=len(review.counts.categories))
    sampler = _Bootstrap(
        _paths(review, kept),
        kept,
        answers,
        there,
        np.maximum(np.rint(there / factor), there > 0).astype(int),
        review,
        category_weights(plan, Slots(plan.scheme), "survey", review.counts.categories),
    )
    return Draws.sampled(
        size, sampler, sampler.paths, seed=seed, note="survey noise, bootstrap of raters"
    )


def _answers(year: Year, review: Review) -> tuple[Any, NDArray[np.intp]]:
    """Answers (r, cells) of raters, in the order of categories, and the category of each."""
    from scipy.sparse import coo_array

    counts, ballots = review.counts, year.ballots
    assert ballots is not None
    labels = (counts.units, counts.dimensions, counts.categories, counts.modes, counts.options)
    codes, rater = BallotCodes.read(ballots, labels, "ballots"), rater_codes(ballots, "ballots")
    many = rater.max(initial=0) + 1
    known, cluster = np.unique(codes.category * many + rater, return_inverse=True)
    rows, columns = [], []
    for d, answer in enumerate(codes.answers):
        given = answer >= 0
        place = (codes.unit, np.full(len(given), d), codes.category, codes.mode, answer)
        at = tuple(axis[given] for axis in place)
        columns.append(np.ravel_multi_index(at, counts.array.shape))
        rows.append(cluster[given])
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (len(known), counts.array.size)
    table = coo_array((np.ones(len(row)), (row, column)), shape=shape).tocsr()
    return table, known // many


@dataclass(frozen=True)
class _Bootstrap:
    paths: tuple[str, ...]
    kept: NDArray[np.bool_] = field(repr=False)  # (u, d)
    answers: Any = field(repr=False)  # csr_array (r, cells)
    there: NDArray[np.intp] = field(repr=False)  # (c,) raters
    wanted: NDArray[np.intp] = field(repr=False)  # (c,) raters in a draw
    review: Review = field(repr=False)
    weights: Floats = field(repr=False)  # (u, c)

    def __call__(self, generator: np.random.Generator, n: int) -> Block:
        parts = [
            self._scores(self.times(generator, min(_AT_ONCE, n - start)))
            for start in range(0, n, _AT_ONCE)
        ]
        return _block(self.paths, np.concatenate(parts))

    def times(self, generator: np.random.Generator, n: int) -> Floats:
        """How often each rater is drawn, (n, r)."""
        parts = []
        for there, wanted in zip(self.there, self.wanted, strict=True):
            drawn = generator.integers(max(there, 1), size=(n, wanted))
            place = drawn + np.arange(n)[:, None] * there
            parts.append(np.bincount(place.ravel(), minlength=n * there).reshape(n, there))
        return np.concatenate(parts, axis=1).astype(float)

    def _scores(self, times: Floats) -> Floats:
        """Scores (n, p): the draws stand as so many more units."""
        counts, n = self.review.counts, len(times)
        cells = np.asarray((self.answers.T @ times.T).T).reshape(n, *counts.array.shape)
        found = scores(
            cells.reshape(-1, *counts.array.shape[1:]).astype(np.int64),
            self.review.option_scores,
            np.tile(self.weights, (n, 1)),
            self.review.mode_weights,
            combine_modes="ballots" if self.review.mode_weights is None else "weights",
        )
        return found.reshape(n, *self.kept.shape)[:, self.kept]


def _block(paths: tuple[str, ...], table: Floats) -> Block:
    return Block(table, {path: i for i, path in enumerate(paths)})
