"""Global sensitivity: coverage of the stated intervals, and times against a loop and scipy.

Run: ``pytest benchmarks/bench_global.py -s -o addopts= -o python_files='bench_*.py'``; the
coverage study writes ``benchmarks/results/global_coverage.csv`` (seeds 0 to 199).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.sensitivity.global_indices import global_indices
from perfmethod.sensitivity.global_scheme import global_sensitivity
from tests.sensitivity_models import ISHIGAMI, g_function, g_indices, ishigami

RESULTS = Path(__file__).parent / "results"
SEEDS, ROWS = 200, 1024
KINDS = ("first", "total", "shapley")
MODELS = {"ishigami": (ishigami, 4, ISHIGAMI), "g": (g_function, 6, g_indices())}
INTERVALS = {
    "random, bootstrap": {"sampler": "random", "resamples": 300},
    "sobol, bootstrap": {"sampler": "sobol", "resamples": 300},
    "sobol, 8 replicates": {"sampler": "sobol", "replicates": 8},
    "sobol, 16 replicates": {"sampler": "sobol", "replicates": 16},
}


def study() -> pd.DataFrame:
    """How often the 95 % intervals hold the exact index, and how wide and wrong they are."""
    rows = []
    for model_name, (model, d, exact) in MODELS.items():
        for name, options in INTERVALS.items():
            for seed in range(SEEDS):
                found = global_indices(model, d, ROWS, seed=seed, effects=KINDS, **options)
                for kind, effect in found.effects.items():
                    low, high = effect.interval(0.95)
                    for j in np.flatnonzero(exact["total"] > 0.001):
                        true = exact[kind][j]
                        inside, width = low[j, 0] <= true <= high[j, 0], high[j, 0] - low[j, 0]
                        square = (effect.index[j, 0] - true) ** 2
                        rows.append((model_name, name, kind, inside, width, square))
    columns = ["model", "interval", "effect", "coverage", "width", "square"]
    table = pd.DataFrame(rows, columns=columns)
    mean = table.groupby(columns[:3], sort=False).mean()
    mean["rms_error"] = np.sqrt(mean.pop("square"))
    return mean.reset_index()


def test_coverage() -> None:
    table = study()
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / "global_coverage.csv", index=False, float_format="%.4f")
    print(f"\n95 % intervals, n = {ROWS} rows, {SEEDS} seeds\n{table.round(4).to_string()}")
    assert (table["coverage"] > 0.9).all()


def cpu(run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def test_the_2009_year(year) -> None:
    """Seven uncertainties of the whole scheme on 100 outputs, against schemes one by one."""
    factors = {
        "block weights": un.dirichlet(*year.scheme.classes, concentration=100),
        "aspect weights": un.dirichlet("indicator", "public_review", concentration=100),
        "indicator weights": un.percent("indicators.*.weight", by=25),
        "mean": un.choice("classes.*.nodes.indicator.power", values=[1.0, 0.0, -1.0],
                          together=True),
        "missing": un.choice("missing_task", values=["redistribute", "class_mean"]),
        "caps": un.uniform("adjustments.*_cap", low=30, high=70),
        "survey": un.survey_noise(pm.evaluate(year).review),
    }  # fmt: skip

    def whole():
        return global_sensitivity(year, factors, ROWS, seed=0, effects=KINDS, resamples=500)

    whole()  # warm
    seconds, found = cpu(whole), whole()
    alone = cpu(lambda: [pm.evaluate(year) for _ in range(10)]) / 10
    evaluations = found.meta["evaluations"]
    told = f"{evaluations:,} schemes, {len(found.outputs)} outputs, 500 resamples"
    print(f"\n{told}: {seconds:.1f} s CPU; evaluated one by one {evaluations * alone:,.0f} s (from "
          f"{1e3 * alone:.0f} ms each): {evaluations * alone / seconds:,.0f} times")  # fmt: skip
    assert evaluations * alone / seconds > 50


def test_many_outputs_against_scipy() -> None:
    """First and total with a bootstrap of 100 resamples for 49 outputs, on the same outputs."""
    rng = np.random.default_rng(0)
    mix = rng.random((6, 49))

    def model(u):
        return (u + u**2) @ mix

    dists = [stats.uniform()] * 6

    def theirs():
        found = stats.sobol_indices(func=lambda x: model(x.T).T, n=ROWS, dists=dists, rng=0)
        return found.bootstrap(n_resamples=100)

    def mine():
        found = global_indices(model, 6, ROWS, seed=0, resamples=100)
        return [found.effects[k].interval(0.95) for k in ("first", "total")]

    mine(), theirs()
    a, b = (min(cpu(run) for _ in range(3)) for run in (mine, theirs))
    print(
        f"\n49 outputs, 6 factors, n = {ROWS}: {a:.3f} s CPU, scipy {b:.3f} s ({b / a:.0f} times)"
    )
    assert b > a
