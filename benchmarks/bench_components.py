"""Variance components: time against lme4 in one run, cost against ballots, coverage of intervals.

Run: ``python -m benchmarks.bench_components speed`` (needs R with lme4 for the ratios, and a reader
of Parquet for InstEval), ``... flat``, ``... year``, and ``... coverage``, which writes
``benchmarks/results/components_coverage.csv``. One thread: set ``OMP_NUM_THREADS=1``. All times are
CPU seconds of one process; on a busy machine trust the ratios.
"""

# ruff: noqa: E501 - the printed lines

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import perfmethod as pm
from perfmethod.reliability import (
    ClusterMoments,
    Moments,
    generalizability,
    variance_components,
)

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("PERFMETHOD_REFERENCE", ROOT.parent / "shared" / "reference"))
PEER = """
suppressMessages(library(lme4))
data <- read.csv("{file}", colClasses = c(rep("factor", {facets}), "numeric"))
for (k in 1:3) {{
  start <- proc.time()
  fit <- lmer({formula}, data)
  cat(sprintf("%.17g", c(sum((proc.time() - start)[1:2]), REMLcrit(fit))), "\\n")
}}
"""


def cpu(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    found = run()
    return time.process_time() - start, found


def lme4(table: pd.DataFrame, formula: str) -> tuple[float, float] | None:
    """Median CPU seconds of three fits, and the criterion; the last column is the response."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "data.csv")
        table.to_csv(file, index=False)
        script = PEER.format(file=file, facets=table.shape[1] - 1, formula=formula)
        done = subprocess.run(
            [program, "-e", script], capture_output=True, text=True, check=False,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or len(rows) != 3:
        return None
    return float(np.median([float(row[0]) for row in rows])), float(rows[-1][1])


def compare(name: str, table: pd.DataFrame, terms: list[str], formula: str) -> None:
    # as lme4 gets them: levels are known before the clock starts
    facets = {column: pd.Categorical(table[column]) for column in table.columns[:-1]}
    y = table.iloc[:, -1]

    def ours() -> Any:
        return variance_components(Moments.of(y, facets), terms)

    first, _ = cpu(ours)  # with the imports that a first call makes
    runs = [cpu(ours) for _ in range(5)]
    seconds, found = float(np.median([t for t, _ in runs])), runs[-1][1]
    peer = lme4(table, formula)
    print(
        f"{name}: {seconds:.3f} s (first call {first:.2f}), {found.iterations} steps, gradient {found.gradient_norm:.1e}, criterion {found.criterion:.9f}"
    )
    if peer is None:
        print("  lme4: not here")
        return
    print(
        f"  lme4: {peer[0]:.2f} s, criterion {peer[1]:.9f} ({found.criterion - peer[1]:+.1e}); ratio {seconds / peer[0]:.3f}"
    )


def speed() -> None:
    data = pd.read_parquet(REFERENCE / "reliability" / "data" / "InstEval.parquet")
    compare(
        "InstEval, students x lecturers", data[["s", "d", "y"]], ["s", "d"], "y ~ 1 + (1|s) + (1|d)"
    )
    ballots = pd.read_csv(ROOT / "data" / "2009" / "ballots.csv.gz")
    names = ballots.columns[6:]
    scores = ballots[names].replace({1: 100, 2: 75, 3: 55, 9: np.nan})
    year = ballots[["unit_id", "rater_id", "category"]].rename(
        columns={"unit_id": "unit", "rater_id": "rater"}
    )
    # one number a ballot: the sum of its answers where all were given
    asked, given = ballots[names].notna().sum(axis=1), scores.notna().sum(axis=1)
    year = year.assign(y=scores.sum(axis=1) / asked * 20)[(given == asked) & (asked > 0)]
    year["y"] = year["y"].round().astype(int)
    compare(
        "2009, unit + rater",
        year[["unit", "rater", "y"]],
        ["unit", "rater"],
        "y ~ 1 + (1|unit) + (1|rater)",
    )
    compare(
        "2009, unit + unit:category + rater",
        year,
        ["unit", "unit:category", "rater"],
        "y ~ 1 + (1|unit) + (1|unit:category) + (1|rater)",
    )


def made_up(raters: int, seed: int) -> pd.DataFrame:
    """Ratings of 49 units, about four by each rater."""
    rng = np.random.default_rng(seed)
    per = rng.integers(1, 8, raters)
    rater = np.repeat(np.arange(raters), per)
    unit = (rng.integers(0, 49, raters)[rater] + np.arange(len(rater)) * 5) % 49
    quality = np.random.default_rng(0).normal(0, 4, 49)
    latent = quality[unit] + rng.normal(0, 6, raters)[rater] + rng.normal(0, 12, len(rater))
    y = np.select([latent > 0, latent > -16], [100, 75], 55)
    return pd.DataFrame({"unit": unit, "rater": rater, "y": y})


def flat() -> None:
    """Reduce in pieces of about a million ballots, then fit."""
    for ballots in (10**5, 10**6, 10**7):
        pieces, seconds, merged = max(ballots // 10**6, 1), 0.0, None
        for k in range(pieces):
            table = made_up(ballots // 4 // pieces, k)
            used, part = cpu(lambda table=table: ClusterMoments.of_ratings(
                table["y"], "rater", cells=["unit"], unit=table["unit"], rater=table["rater"]))  # fmt: skip
            start = time.process_time()
            merged = part if merged is None else merged + part
            seconds += used + time.process_time() - start
        fit, found = cpu(lambda merged=merged: variance_components(merged, ["unit", "rater"]))
        cells = len(merged.pairs.values) + merged.cross.size
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{merged.total:>10,} ballots: reduce {seconds:.2f} s, fit {fit:.3f} s in {found.iterations} steps, tables of {cells:,} integers, peak {peak:.0f} MB"
        )


def year() -> None:
    """Everything of the 2009 year, ballots within raters, all dimensions."""
    loaded = pm.Year.load(ROOT / "data" / "2009")
    seconds, found = cpu(lambda: generalizability(loaded))
    print(
        f"2009, all dimensions: {seconds:.2f} s, {found.components.iterations} steps, gradient {found.components.gradient_norm:.1e}\n{found.to_frame().to_string()}\n{found!r}"
    )


TRUTH = {"unit": 16.0, "rater": 36.0, "residual": 150.0}


def coverage(seeds: int = 500) -> None:
    """Share of 95 % intervals that hold the truth; 40 units, 300 raters of 1 to 8 units each."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        per = rng.integers(1, 9, 300)
        rater = np.repeat(np.arange(300), per)
        unit = np.concatenate([rng.choice(40, n, replace=False) for n in per])
        effects = rng.normal(0, np.sqrt(TRUTH["unit"]), 40)
        y = 80 + effects[unit] + rng.normal(0, np.sqrt(TRUTH["rater"]), 300)[rater]
        y = np.rint(100 * (y + rng.normal(0, np.sqrt(TRUTH["residual"]), len(rater)))) / 100
        found = variance_components(Moments.of(y, unit=unit, rater=rater), ["unit", "rater"])
        row: dict[str, float] = {"converged": found.converged}
        for method in ("wald", "profile"):
            for term, (low, high) in zip(found.terms, found.intervals(method=method), strict=True):
                row[f"{term} ({method})"] = low <= TRUTH[term] <= high
        table = found.effects("unit")
        off = np.abs(table["effect"].to_numpy() - effects[np.array(table.index)])
        row["unit effects (BLUP)"] = float((off <= 1.959964 * table["standard_error"]).mean())
        rows.append(row)
    shares = pd.DataFrame(rows).astype(float).mean()
    out = pd.DataFrame({"coverage": shares.round(4), "seeds": seeds, "first_seed": 0})
    out.rename_axis("what").to_csv(ROOT / "benchmarks" / "results" / "components_coverage.csv")
    print(out.to_string())


if __name__ == "__main__":
    {"speed": speed, "flat": flat, "year": year, "coverage": coverage}[sys.argv[1]]()
