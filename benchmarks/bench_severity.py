"""Severity: time at 10,000 raters, and coverage of severities and adjusted unit scores.

Run: ``python -m benchmarks.bench_severity speed``, and ``... coverage [surveys [processes]]`` (120
and 1 by default, about five CPU minutes), which writes
``benchmarks/results/severity_coverage.csv``. One thread: set ``OMP_NUM_THREADS=1``. All times are
CPU seconds of one process; on a busy machine trust the ratios.

Coverage: surveys of 20 units by 240 raters of 6 categories, of whom each rates about 15 % of the
units, on two dimensions. ``linear`` surveys have normal ratings and effects: the model is true.
``ordinal`` surveys have three options by a proportional odds model with random raters and ballots:
for the linear model the truth is the expected score at the common mix; the ordinal model is asked
for the same, and for positions on its latent scale. ``few_raters`` are linear surveys of 10 units
by 9 raters of 3 categories, each of whom rates most units. Of linear surveys there are three times
as many as asked for. Intervals are those of the result, by Student's t; for comparison there are
severities with normal ones too. Columns: survey, model, quantity, surveys,
intervals, level, coverage, monte_carlo_error (over surveys, intervals of one survey being
dependent), bias and rmse (points, or latent units), mean_error (mean standard error), seed, and
failed (surveys without a fit, or one that did not converge).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.severity import Severity, second_opinion, severity
from tests.severity_surveys import SCORES, Planted, linear_survey, ordinal_survey

ROOT = Path(__file__).resolve().parents[1]
RESULT = Path(__file__).parent / "results" / "severity_coverage.csv"
SEED, LEVEL, Z = 2009, 0.95, 1.959963984540054
SIZE: dict[str, Any] = {"units": 20, "categories": 6, "raters": 240, "share": 0.15,
                        "dimensions": 2}  # fmt: skip
SPREADS = (0.6, 0.7, 0.9)

FEW: dict[str, Any] = {"units": 10, "categories": 3, "raters": 9, "share": 0.9,
                       "dimensions": 2}  # fmt: skip

Check = tuple[np.ndarray, ...]  # estimate, standard error, half width of the interval, truth


def expected_scores(planted: Planted) -> np.ndarray:
    """Expected score (u, c) of an ordinal survey's cells, over raters and ballots."""
    raw = planted.units[:, None] - planted.severity
    nodes = np.linspace(-7, 7, 141)
    weights = np.exp(-0.5 * nodes**2) / np.exp(-0.5 * nodes**2).sum()
    z = raw[..., None] + np.hypot(*SPREADS[1:]) * nodes
    above = [1 / (1 + np.exp(cut - z)) for cut in (-1.2, 0.6)]
    points = SCORES[3] + (SCORES[2] - SCORES[3]) * above[0] + (SCORES[1] - SCORES[2]) * above[1]
    return np.asarray(points @ weights)


def fitted(planted: Planted) -> Severity:
    found = severity(planted.ballots, option_scores=planted.option_scores, min_cell=1)
    if not found.converged:
        raise PerfmethodError("not converged")
    return found


def linear_checks(planted: Planted) -> dict[tuple[str, str], Check]:
    return compared(fitted(planted), planted)


def compared(found: Severity, planted: Planted) -> dict[tuple[str, str], Check]:
    units, categories = found.units, found.categories
    severe, error, upper = (categories[c].to_numpy(float)
                            for c in ("severity", "standard_error", "upper"))  # fmt: skip
    adjusted, of_unit, top = (units[c].to_numpy(float)
                              for c in ("adjusted", "standard_error", "upper"))  # fmt: skip
    return {
        ("linear", "category severity"): (severe, error, upper - severe, planted.severity),
        ("linear, normal quantile", "category severity"): normal(severe, error, planted.severity),
        ("linear", "adjusted score"): (adjusted, of_unit, top - adjusted, planted.units),
        ("linear", "shrunken score"): normal(
            units["shrunken"].to_numpy(), units["shrunken_error"].to_numpy(), planted.units
        ),
        ("none", "raw score, linear model's error"): normal(
            units["raw"].to_numpy(), of_unit, planted.units
        ),
    }


def normal(estimate: np.ndarray, error: np.ndarray, truth: np.ndarray) -> Check:
    return estimate, error, Z * error, truth


def ordinal_checks(planted: Planted) -> dict[tuple[str, str], Check]:
    points = expected_scores(planted)
    truth = Planted(planted.ballots, points.mean() - points.mean(axis=0), points.mean(axis=1),
                    planted.option_scores)  # fmt: skip
    first = fitted(truth)
    checks = compared(first, truth)
    found = second_opinion(planted.ballots, first, model="cumulative")
    if not found.fit.converged:
        raise PerfmethodError("not converged")
    units, categories = found.units, found.categories
    pairs: dict[str, tuple[pd.DataFrame, str, str, np.ndarray]] = {
        "category severity": (categories, "fair_severity", "fair_error", truth.severity),
        "fair score": (units, "fair", "fair_error", truth.units),
        "latent severity": (categories, "latent", "latent_error", planted.severity),
        "latent position": (units, "measure", "measure_error", planted.units),
    }
    for name, (table, value, error, true) in pairs.items():
        checks["ordinal", name] = normal(table[value].to_numpy(), table[error].to_numpy(), true)
    return checks


def linear(child: np.random.SeedSequence) -> dict[tuple[str, str], Check] | None:
    try:
        return linear_checks(linear_survey(np.random.default_rng(child), **SIZE))
    except PerfmethodError:
        return None


def few_raters(child: np.random.SeedSequence) -> dict[tuple[str, str], Check] | None:
    try:
        return linear_checks(linear_survey(np.random.default_rng(child), **FEW))
    except PerfmethodError:
        return None


def ordinal(child: np.random.SeedSequence) -> dict[tuple[str, str], Check] | None:
    try:
        return ordinal_checks(ordinal_survey(np.random.default_rng(child), sds=SPREADS, **SIZE))
    except PerfmethodError:
        return None


CHECKS = [linear, few_raters, ordinal]


def study(check: Callable[..., Any], surveys: int, processes: int) -> list[dict[str, Any]]:
    """Check surveys with seeds of their own: the number of processes changes nothing."""
    kind = CHECKS.index(check)  # no two kinds of surveys share their effects
    children = np.random.SeedSequence(SEED, spawn_key=(kind,)).spawn(surveys)
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(check, children, chunksize=5))
    good = [checks for checks in found if checks is not None]
    return [
        _row(check.__name__, key, [checks[key] for checks in good], surveys - len(good))
        for key in good[0]
    ]


def _row(name: str, key: tuple[str, str], rows: list[Check], failed: int) -> dict[str, Any]:
    estimate, error, half, truth = (np.array([row[i] for row in rows]) for i in range(4))
    inside = np.abs(estimate - truth) <= half
    return {
        "survey": name, "model": key[0], "quantity": key[1], "surveys": len(rows),
        "intervals": inside.size, "level": LEVEL, "coverage": inside.mean(),
        "monte_carlo_error": inside.mean(axis=1).std(ddof=1) / np.sqrt(len(rows)),
        "bias": (estimate - truth).mean(), "rmse": np.sqrt(((estimate - truth) ** 2).mean()),
        "mean_error": error.mean(), "seed": SEED, "failed": failed,
    }  # fmt: skip


def coverage(surveys: int, processes: int) -> None:
    sizes = [surveys if check is ordinal else 3 * surveys for check in CHECKS]
    rows = [row for check, n in zip(CHECKS, sizes, strict=True)
            for row in study(check, n, processes)]  # fmt: skip
    table = pd.DataFrame(rows).round(5)
    table.to_csv(RESULT, index=False)
    print(table.to_string(index=False))


def timed(name: str, run: Callable[[], Any]) -> Any:
    start = time.process_time()
    found = run()
    print(f"{name:62s} {time.process_time() - start:7.2f} CPU s   {found!r}")
    return found


def speed() -> None:
    year = pm.Year.load(ROOT / "data" / "2009")
    first = timed("year 2009: 7,630 raters, 40,000 ballots, linear", lambda: severity(year))
    for model in ("rating_scale", "partial_credit", "cumulative"):
        timed(f"  {model}", lambda model=model: second_opinion(year, first, model=model))
    for raters, share, dimensions in ((10_000, 0.08, 4), (10_000, 1.1, 1)):
        planted = ordinal_survey(1, 49, 13, raters, share, dimensions, SPREADS)
        ballots, scores = planted.ballots, planted.option_scores
        name = f"{raters:,} raters x 49 units, {len(ballots):,} ballots of {dimensions}"
        first = timed(f"{name}, linear", lambda b=ballots, s=scores: severity(b, option_scores=s))
        timed("  rating_scale", lambda b=ballots, f=first: second_opinion(b, f))


if __name__ == "__main__":
    if sys.argv[1:2] == ["speed"]:
        speed()
    else:
        sizes = [int(x) for x in sys.argv[2:4]]
        coverage(*sizes, *(120, 1)[len(sizes) :])
