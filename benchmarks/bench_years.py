"""Synthetic years whose truth is known: do 95 % intervals hold it as often as they say?

Run: ``python -m benchmarks.bench_years [seeds] [first seed]`` (500 seeds: some ten minutes of one
processor; ``OMP_NUM_THREADS=1``). It writes ``benchmarks/results/years_coverage.csv``.

Each seed is a year of `perfmethod.synthetic.synthetic_year` with 49 units and 20,000 ballots.
Ballots that the generator says are copied or stuffed are taken out, as a screening would: intervals
are for honest ballots. What is checked:

- scores of units by dimension, and totals, as `evaluate` gives them with their errors;
- the components of one category's answers (enterprises, R05, on departments; all but the unit
  whose quality was planted), by `variance_components`, all dimensions in one fit: with the default
  intervals (robust, raters as clusters; a seed for which the default is another fails) and by
  normal theory;
- what decision studies say from them: dependability and generalizability of the mean over the
  dimensions of 100 ballots.

The truth on the scale of the answers follows from the generator's model (`synthetic.answers`): a
rater sees ``0.2 perception + 0.06 dimension - severity + 0.6 halo + 0.693 item`` (straight-liners
no dimension, and one item for all) and marks an option by where that falls. So the expected score
of a cell is a sum of normal probabilities, a unit's true score their mean over categories, and a
component a variance of conditional expectations, here by Gauss-Hermite quadrature. The components
are covariances of answers: on the same unit by different raters on different dimensions (unit), on
the same dimension too (unit and unit:dimension), by the same rater on different units (rater), on
the same ballot (unit, rater and unit:rater together). Two things are known of the result. Variances
of scores are low by (n - 1)/n for the n ballots of a cell, which are few in a year of half the size
(see `Review.covariance`). And answers are not normal: an interval of the residual or of unit:rater
by normal theory is too narrow, since straight-liners have no residual at all and their number is
chance; robust intervals, which are the default, know it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

import perfmethod as pm
from perfmethod.reliability import Components, Decision, Moments, decision_for, variance_components
from perfmethod.synthetic import synthetic_year
from perfmethod.synthetic.answers import (
    CUT,
    DIMENSION_SD,
    HALO_SD,
    ITEM_SD,
    KNOWS_NOTHING,
    PERCEPTION_EFFECT,
    POINTS,
    RATER_SD,
    unknown_rates,
)
from perfmethod.synthetic.ballots import COUNTY_DIMENSIONS, DEPARTMENT_DIMENSIONS, records
from perfmethod.synthetic.template import Plan, expand, template
from perfmethod.synthetic.year import SyntheticYear

from .conftest import ROOT

Floats = NDArray[np.float64]

BALLOTS = 20_000
OPTIONS = {1: 100, 2: 75, 3: 55}  # as in the scheme of the synthetic year
CATEGORY = "R05"
TERMS = ["unit", "unit:dimension", "rater", "unit:rater"]
NAMES = [*TERMS, "residual"]
DESIGN = {"dimension": 4, "rater": 100}
RATIOS = ("dependability", "generalizability")
DEFAULT = "robust"  # method of the intervals when none is asked for
METHODS = {DEFAULT: None, "wald": "wald"}  # name, and what is asked for
TABLES = ["units", "groups", "tasks", "adjustments", "vetoes", "internal", "ballots"]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
Z = 1.959963984540054


def powered(mean: Floats | float, variance: float, power: int = 1) -> Floats:
    """Expected score, or its square, of answers seen with this mean and variance."""
    best, middle, worst = (OPTIONS[code] ** power for code in (1, 2, 3))
    sd = np.sqrt(variance)
    chances = ndtr(np.asarray(mean) / sd), ndtr((np.asarray(mean) - CUT) / sd)
    return np.asarray((best - middle) * chances[0] + (middle - worst) * chances[1] + worst)


@cache
def habits() -> dict[str, dict[str, str]]:
    return {h["category"]: h for h in records(template().raters)}


@cache
def plan_of_years() -> Plan:
    return expand(template(), 49, 7)


def true_scores(year: SyntheticYear, seed: int, categories: list[str]) -> Floats:
    """Expected answer by unit, dimension (five, of which departments use four) and category."""
    # the ballots' stream begins with how far each unit differs from itself on each dimension
    stream = np.random.default_rng(np.random.SeedSequence(seed).spawn(6)[5])
    dimension = DIMENSION_SD * stream.standard_normal((len(year.truth["units"]), 5))
    perception = year.truth["units"]["perception"].to_numpy()
    rest = RATER_SD**2 + HALO_SD**2 + ITEM_SD**2
    found = []
    for habit in (habits()[name] for name in categories):
        straight, severity = float(habit["straight_line"]), float(habit["severity"])
        seen = (PERCEPTION_EFFECT * perception - severity / POINTS)[:, None]
        answers = (1 - straight) * powered(seen + dimension, rest) + straight * powered(seen, rest)
        found.append(answers)
    return np.stack(found, axis=2)


def over(function: Callable[[Floats], Floats], variance: float) -> tuple[float, float]:
    """First two moments of a function of a normal variable with mean 0."""
    values = function(np.sqrt(variance) * NODES)
    return float(WEIGHTS @ values), float(WEIGHTS @ values**2)


@cache
def true_components() -> Floats:
    """Components of the answers of `CATEGORY` on departments, in the order of `NAMES`."""
    habit = habits()[CATEGORY]
    p, m = float(habit["straight_line"]), -float(habit["severity"]) / POINTS
    a, d = PERCEPTION_EFFECT**2, DIMENSION_SD**2
    r, h, i = RATER_SD**2, HALO_SD**2, ITEM_SD**2
    mean = (1 - p) * powered(m, a + d + r + h + i) + p * powered(m, a + r + h + i)
    square = (1 - p) * powered(m, a + d + r + h + i, 2) + p * powered(m, a + r + h + i, 2)
    mean, square = float(mean), float(square)

    def mixed(x: Floats, other: float) -> Floats:
        return (1 - p) * powered(m + x, d + other) + p * powered(m + x, other)

    unit = over(lambda x: mixed(x, r + h + i), a)[1] - mean**2
    same = 0.0  # over perception and dimension
    for weight, node in zip(WEIGHTS, np.sqrt(a) * NODES, strict=True):
        straight = p * powered(m + node, r + h + i)
        same += (
            weight
            * over(lambda x, n=node, s=straight: (1 - p) * powered(m + n + x, r + h + i) + s, d)[1]
        )
    kinds = [(1 - p, d + a + h + i), (p, a + h + i)]
    rater = sum(w * over(lambda x, v=v: powered(m + x, v), r)[1] for w, v in kinds) - mean**2
    # pairs of valid answers on a ballot: straight-liners know all or nothing
    rates = unknown_rates(plan_of_years(), habit)[department_rows()]
    nothing = KNOWS_NOTHING * rates
    single = (1 - KNOWS_NOTHING) * rates / (1 - nothing)
    both = p * (1 - rates), (1 - p) * (1 - nothing) * (1 - single) ** 2
    w = float(both[0].sum() / (both[0] + both[1]).sum())
    within = over(lambda x: powered(m + x, d + i), a + r + h)[1]
    ballot = (1 - w) * within + w * float(powered(m, a + r + h + i, 2)) - mean**2
    parts = [unit, same - mean**2 - unit, rater, ballot - unit - rater]
    return np.array([*parts, square - mean**2 - sum(parts)])


@cache
def department_rows() -> NDArray[np.intp]:
    units = plan_of_years().units
    return np.flatnonzero((units["class"] == "municipal_department") & (units["plant"] == ""))


def honest(year: SyntheticYear) -> pd.DataFrame:
    ballots = year.tables["ballots"]
    return ballots[~ballots["ballot_id"].isin(year.truth["ballots"]["ballot_id"])]


def components(ballots: pd.DataFrame, fixed: tuple[str, ...] = ("dimension",)) -> Components:
    units = plan_of_years().units["unit_id"].to_numpy()[department_rows()]
    part = ballots[(ballots["category"] == CATEGORY) & ballots["unit_id"].isin(units)]
    answers = part[list(DEPARTMENT_DIMENSIONS)].apply(lambda c: c.astype(float).map(OPTIONS))
    long = part[["unit_id", "rater_id"]].assign(**answers).melt(["unit_id", "rater_id"]).dropna()
    table = Moments.of(
        long["value"].to_numpy(), unit=long["unit_id"].astype(str), dimension=long["variable"],
        rater=long["rater_id"].astype(str),
    )  # fmt: skip
    return variance_components(table, TERMS, list(fixed))


def scores(year: SyntheticYear, ballots: pd.DataFrame, seed: int) -> tuple[Floats, Floats]:
    """Standardized errors of the scores (those there are), and of the totals."""
    frames = {name: year.tables[name] for name in TABLES} | {"ballots": ballots}
    found = pm.evaluate(pm.Year.from_frames(pm.Scheme.loads(year.scheme), **frames))
    assert found.review is not None
    expected = true_scores(year, seed, list(habits())[:13]).mean(axis=2)  # categories weigh alike
    county = (year.tables["units"]["class"] == "county_government").to_numpy()
    truth = found.review.scores.copy() * np.nan
    for names, rows in ((COUNTY_DIMENSIONS, county), (DEPARTMENT_DIMENSIONS, ~county)):
        ids = year.tables["units"]["unit_id"].to_numpy()[rows]
        truth.loc[ids, list(names)] = expected[rows][:, : len(names)]
    away = found.review.scores - truth
    single = (away / found.review.standard_errors).to_numpy()
    # dimensions weigh alike, the review 30 % of 1000 points
    total = 3 * away.mean(axis=1) / found.survey_errors["se_total"].reindex(away.index)
    return single[~np.isnan(single)], total.to_numpy()


def run(seed: int) -> dict[str, float]:
    """Shares of intervals that hold the truth in one year, with estimates and their errors."""
    year = synthetic_year(seed=seed, ballots=BALLOTS)
    ballots = honest(year)
    row = recovered(components(ballots))
    for name, z in zip(("scores", "totals"), scores(year, ballots, seed), strict=True):
        row[f"{name} of units"] = float((np.abs(z) <= Z).mean())
        row[f"squared {name}"] = float((z**2).mean())
    return row


def decided(components: Components | dict[str, float]) -> Decision:
    """Reliability of the mean over dimensions of 100 ballots, each by another rater."""
    return decision_for(components, DESIGN, objects="unit", fixed=("dimension",))


@cache
def true_decision() -> Decision:
    return decided(dict(zip(NAMES, true_components().tolist(), strict=True)))


def recovered(fit: Components) -> dict[str, float]:
    """Whether the intervals of components, and of what follows from them, hold what was planted."""
    if fit.inference.method != DEFAULT:
        raise RuntimeError(f"found intervals by default: {fit.inference.told()}")
    row = {}
    for method in METHODS:
        ends = fit.intervals(method=METHODS[method])
        for name, truth, (low, high) in zip(NAMES, true_components(), ends, strict=True):
            row[f"{name} ({method})"] = float(low <= truth <= high)
    for name, value in zip(NAMES, fit.variances, strict=True):
        row[f"estimate {name}"] = float(value)
    found, truth = decided(fit), true_decision()
    for name in RATIOS:
        low, high = getattr(found, f"{name}_interval")
        row[f"{name} ({DEFAULT})"] = float(low <= getattr(truth, name) <= high)
        row[f"estimate {name}"] = getattr(found, name)
    return row


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage by what was covered, with the mean squared error in standard errors, or the bias."""
    found = []
    for what in ("scores", "totals"):
        found.append({"interval": f"{what} of units", "covered": rows[f"{what} of units"].mean(),
                      "mean_squared_z": rows[f"squared {what}"].mean()})  # fmt: skip
    for name in RATIOS:
        found.append({"interval": f"{name} ({DEFAULT})",
                      "covered": rows[f"{name} ({DEFAULT})"].mean(),
                      "truth": getattr(true_decision(), name),
                      "mean_estimate": rows[f"estimate {name}"].mean()})  # fmt: skip
    for method in METHODS:
        for name, truth in zip(NAMES, true_components(), strict=True):
            found.append({"interval": f"component {name} ({method})",
                          "covered": rows[f"{name} ({method})"].mean(), "truth": truth,
                          "mean_estimate": rows[f"estimate {name}"].mean()})  # fmt: skip
    return pd.DataFrame(found).round(4)


def main(seeds: int = 500, first: int = 0) -> None:
    table = table_of(pd.DataFrame([run(seed) for seed in range(first, first + seeds)]))
    table["seeds"], table["years"] = f"{first}-{first + seeds - 1}", seeds
    table.to_csv(ROOT / "benchmarks" / "results" / "years_coverage.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
