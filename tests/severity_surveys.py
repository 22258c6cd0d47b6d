"""Surveys with known severities, for tests and benchmarks of `perfmethod.severity`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SCORES = {1: 100, 2: 75, 3: 55}


@dataclass(frozen=True)
class Planted:
    """A survey and its truth; severities add to zero, positive ones are harsh."""

    ballots: pd.DataFrame
    severity: np.ndarray  # (c,)
    units: np.ndarray  # (u,) mean at equal weights of the categories
    option_scores: dict[int, float]


def design(rng: np.random.Generator, units: int, categories: int, raters: int, share: float):
    """Unit, rater and category of every ballot; each rater has one category, and some units."""
    category = np.arange(raters) % categories
    rated = rng.random((raters, units)) < share
    rated[np.arange(raters), rng.integers(0, units, raters)] = True
    rater, unit = np.nonzero(rated)
    return unit, rater, category[rater]


def linear_survey(
    seed: int | np.random.Generator, units: int = 8, categories: int = 3, raters: int = 60,
    share: float = 0.4, dimensions: int = 2, sds: tuple[float, float, float, float] = (4, 5, 4, 6),
) -> Planted:  # fmt: skip
    """Ratings from 0 to 10,000 (hundredths of a point), normal at every level.

    `sds` are of units, raters, ballots and answers, in points.
    """
    rng = np.random.default_rng(seed)
    unit, rater, category = design(rng, units, categories, raters, share)
    level = 60 + sds[0] * rng.standard_normal(units)
    severity = np.linspace(-3.0, 3.0, categories)
    severity -= severity.mean()
    lenient = sds[1] * rng.standard_normal(raters)
    common = level[unit] - severity[category] + lenient[rater]
    common += sds[2] * rng.standard_normal(len(unit))
    frame = _frame(unit, rater, category)
    for d in range(dimensions):
        noise = sds[3] * rng.standard_normal(len(unit))
        frame[f"d{d}"] = np.rint(100 * (common + noise)).astype(int)
    codes = np.unique(frame.filter(regex="^d[0-9]").to_numpy())
    return Planted(frame, severity, level, {int(c): c / 100 for c in codes})


def ordinal_survey(
    seed: int | np.random.Generator, units: int = 8, categories: int = 3, raters: int = 100,
    share: float = 0.4, dimensions: int = 3, sds: tuple[float, float, float] = (0.6, 0.7, 0.9),
) -> Planted:  # fmt: skip
    """Three options by a proportional odds model; truth on its latent scale.

    `sds` are of units, raters and ballots; the units add to zero.
    """
    rng = np.random.default_rng(seed)
    unit, rater, category = design(rng, units, categories, raters, share)
    level = sds[0] * rng.standard_normal(units)
    level -= level.mean()
    severity = np.linspace(-0.6, 0.6, categories)
    severity -= severity.mean()
    common = level[unit] - severity[category] + (sds[1] * rng.standard_normal(raters))[rater]
    common += sds[2] * rng.standard_normal(len(unit))
    frame = _frame(unit, rater, category)
    for d in range(dimensions):
        z = common + rng.logistic(size=len(unit))
        frame[f"d{d}"] = 3 - np.digitize(z, [-1.2, 0.6])
    return Planted(frame, severity, level, {k: float(v) for k, v in SCORES.items()})


def _frame(unit, rater, category) -> pd.DataFrame:
    return pd.DataFrame(
        {"unit_id": [f"U{u:02d}" for u in unit], "rater_id": [f"person-{r}" for r in rater],
         "category": [f"R{c:02d}" for c in category], "mode": "online"}
    )  # fmt: skip
