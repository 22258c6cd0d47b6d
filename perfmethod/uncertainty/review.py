"""Sampling error of the public review, as draws of its scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.survey import Review, need_measured, noted, unmeasured_in
from perfmethod.uncertainty.matrices import is_symmetric
from perfmethod.uncertainty.names import Known
from perfmethod.uncertainty.sources import Source
from perfmethod.uncertainty.specs import Part

__all__ = ["SurveyNoise", "survey_noise"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SurveyNoise:
    """Scores of units on survey dimensions, jointly normal around what was measured.

    ``unmeasured_weight`` is the share of the survey's weight whose error is not drawn because it
    cannot be measured (None where the errors are not those of a review), ``lonely`` names the
    categories with a single rater.
    """

    paths: tuple[str, ...]
    mean: Array = field(repr=False)
    root: NDArray[np.float32] = field(repr=False)  # (p, r) root of the covariance
    scale: float = 1.0
    unmeasured_weight: float | None = None
    lonely: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        times = "" if self.scale == 1 else f", errors x {self.scale:g}"
        lost = noted(self.unmeasured_weight, self.lonely)
        return f"survey noise ({len(self.paths)} scores{times}{lost})"

    def parts(self, known: Known) -> list[Part]:
        """The scores are addressed already."""
        units = set(known.year.units.index) if known.year is not None else None
        for path in self.paths:
            unit = path.split(".")[1]
            if units is not None and unit not in units:
                known.problems.add(f"a score of '{unit}'", "units of the year", row="survey_noise")
        return [self]

    @property
    def dims(self) -> int:
        """Number of variates."""
        return int(self.root.shape[1])

    def fill(self, source: Source) -> NDArray[Any]:
        """Scores (n, p)."""
        z = source.normal(self.dims).astype(np.float32, copy=False)
        return self.mean + z @ self.root.T


def survey_noise(
    review: Review | None = None,
    *,
    mean: pd.Series | None = None,
    covariance: pd.DataFrame | None = None,
    scale: float = 1.0,
    weights: pd.Series | None = None,
) -> SurveyNoise:
    """Sampling error of the survey: all scores drawn together, with their covariance.

    Parameters
    ----------
    review : Review, optional
        Scores and their covariance (raters as clusters: ``evaluate(year).review``).
    mean : Series, optional
        Instead of the review's: index (unit_id, dimension).
    covariance : DataFrame, optional
        Instead of the review's: rows and columns (unit_id, dimension).
    scale : float
        Factor on all errors.
    weights : Series, optional
        Weight of each score of the review in what is made of them, index (unit_id, dimension), by
        which the part without a measurable error is told; by default all weigh the same.

    Returns
    -------
    SurveyNoise

    Raises
    ------
    ValueError
        If neither a review nor mean and covariance are given, their labels differ, or the
        covariance is not symmetric and positive semidefinite.
    PerfmethodError
        If most of the review's weight rests on answers whose error cannot be measured, unless
        another covariance is given.
    """
    lost: tuple[float | None, tuple[str, ...]] = (None, ())
    if review is not None:
        unmeasured = unmeasured_in(review, weights)
        if covariance is None:
            need_measured(unmeasured, "errors of other sources (covariance=...)")
        lost = unmeasured.weight, unmeasured.lonely
        covariance = review.covariance() if covariance is None else covariance
        mean = pd.Series(review.scores.stack()) if mean is None else mean
    if mean is None or covariance is None:
        raise ValueError("found no review; allowed: a review, or a mean and a covariance")
    pairs = sorted((tuple(map(str, p)) for p in covariance.index), key=lambda p: (p[1],))
    index = pd.MultiIndex.from_tuples(pairs)
    table = covariance.set_axis(pd.MultiIndex.from_tuples(covariance.index), axis=0)
    table = table.set_axis(table.index, axis=1).loc[index, index]
    values = mean.reindex(index).to_numpy(float)
    if np.isnan(values).any():
        raise ValueError(f"found no mean for {pairs[int(np.isnan(values).argmax())]}; "
                         "allowed: one for every row of the covariance")  # fmt: skip
    if not is_symmetric(table.to_numpy(float)):
        raise ValueError("found a covariance that is not symmetric; allowed: symmetric")
    root = _root(table.to_numpy(float)) * scale
    paths = tuple(f"review.{unit}.{dimension}" for unit, dimension in pairs)
    return SurveyNoise(paths, values, root.astype(np.float32), float(scale), *lost)


def _root(covariance: Array) -> Array:
    """Matrix R with R R' = covariance, without the directions in which nothing varies."""
    value, vector = np.linalg.eigh((covariance + covariance.T) / 2)
    if value.min(initial=0.0) < -1e-8 * value.max(initial=1.0):
        raise ValueError(
            f"found a covariance with an eigenvalue of {value.min():.3g}; allowed: 0 or more"
        )
    kept = value > 1e-12 * value.max(initial=1.0)
    root: Array = vector[:, kept] * np.sqrt(value[kept])
    return root
