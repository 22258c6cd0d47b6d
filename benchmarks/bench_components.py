"""Variance components: time against other programs, cost against ballots, coverage of intervals.

Run: ``python -m benchmarks.bench_components speed`` (needs R with lme4, and Python's mixedlm, for
the ratios, and a reader of Parquet for InstEval; writes ``benchmarks/results/components_speed.csv``),
``... flat`` (``components_flat.csv``), ``... year``, ``... coverage``, which writes
``components_coverage.csv``, and ``... clusters`` (``components_clusters.csv``): coverage of robust
intervals and of those by normal theory by the number of raters. One thread: set ``OMP_NUM_THREADS=1``. All times are
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
import warnings
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
RESULTS = ROOT / "benchmarks" / "results"
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


def mixedlm(table: pd.DataFrame, formula: str) -> tuple[float, float] | None:
    """Median CPU seconds of three fits, and the criterion, by Python's mixedlm."""
    try:
        import mixedlm as package
    except ImportError:
        return None
    frame = table.assign(**{c: table[c].astype(str) for c in table.columns[:-1]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = [cpu(lambda: package.lmer(formula, frame)) for _ in range(3)]
    fit = runs[-1][1]
    return float(np.median([t for t, _ in runs])), float(fit.deviance)


def compare(name: str, table: pd.DataFrame, terms: list[str], formula: str) -> dict[str, Any]:
    # as lme4 gets them: levels are known before the clock starts
    facets = {column: pd.Categorical(table[column]) for column in table.columns[:-1]}
    y = table.iloc[:, -1]

    def ours() -> Any:
        return variance_components(Moments.of(y, facets), terms)

    first, _ = cpu(ours)  # with the imports that a first call makes
    runs = [cpu(ours) for _ in range(5)]
    seconds, found = float(np.median([t for t, _ in runs])), runs[-1][1]
    row: dict[str, Any] = {
        "model": name,
        "seconds": round(seconds, 4),
        "first_call": round(first, 3),
        "steps": found.iterations,
        "gradient": f"{found.gradient_norm:.1e}",
        "criterion": f"{found.criterion:.9f}",
    }
    for peer, fitted in (("lme4", lme4(table, formula)), ("mixedlm", mixedlm(table, formula))):
        if fitted is not None:
            row[f"{peer}_seconds"] = round(fitted[0], 3)
            row[f"{peer}_ratio"] = round(seconds / fitted[0], 3)
            row[f"{peer}_criterion_less_ours"] = f"{fitted[1] - found.criterion:+.1e}"
    print(row)
    return row


def ballots_2009() -> pd.DataFrame:
    """One number a ballot, the sum of its answers where all were given."""
    ballots = pd.read_csv(ROOT / "data" / "2009" / "ballots.csv.gz")
    names = ballots.columns[6:]
    scores = ballots[names].replace({1: 100, 2: 75, 3: 55, 9: np.nan})
    year = ballots[["unit_id", "rater_id", "category"]].rename(
        columns={"unit_id": "unit", "rater_id": "rater"}
    )
    asked, given = ballots[names].notna().sum(axis=1), scores.notna().sum(axis=1)
    year = year.assign(y=scores.sum(axis=1) / asked * 20)[(given == asked) & (asked > 0)]
    year["y"] = year["y"].round().astype(int)
    return year


def speed() -> None:
    data = pd.read_parquet(REFERENCE / "reliability" / "data" / "InstEval.parquet")
    year = ballots_2009()
    small = "y ~ 1 + (1|unit) + (1|rater)"
    large = "y ~ 1 + (1|unit) + (1|unit:category) + (1|rater)"
    runs = [
        ("InstEval, students x lecturers", data[["s", "d", "y"]], ["s", "d"],
         "y ~ 1 + (1|s) + (1|d)"),
        ("2009, unit + rater", year[["unit", "rater", "y"]], ["unit", "rater"], small),
        ("2009, unit + unit:category + rater", year, ["unit", "unit:category", "rater"], large),
    ]  # fmt: skip
    rows = pd.DataFrame([compare(*run) for run in runs])
    rows.to_csv(RESULTS / "components_speed.csv", index=False)


def made_up(raters: int, seed: int) -> pd.DataFrame:
    """Ratings of 49 units, about four by each rater."""
    rng = np.random.default_rng(seed)
    per = rng.integers(1, 8, raters)
    rater = np.repeat(np.arange(raters), per)
    unit = (rng.integers(0, 49, raters)[rater] + np.arange(len(rater)) * 5) % 49
    quality = np.random.default_rng(0).normal(0, 4, 49)
    latent = quality[unit] + rng.normal(0, 6, raters)[rater] + rng.normal(0, 12, len(rater))
    y = np.select([latent > 0, latent > -16], [100, 75], 55)
    return pd.DataFrame({"unit": unit, "rater": rater, "category": rater % 13, "y": y})


def flat() -> None:
    """Reduce in pieces of about a million ballots, then fit two models to the tables."""
    rows = []
    for ballots in (10**5, 10**6, 10**7):
        pieces, seconds, merged = max(ballots // 10**6, 1), 0.0, None
        for k in range(pieces):
            table = made_up(ballots // 4 // pieces, k)
            table["rater"] += 10**8 * k
            used, part = cpu(lambda table=table: ClusterMoments.of_ratings(
                table["y"], "rater", cells=["unit", "category"], unit=table["unit"],
                rater=table["rater"], category=table["category"]))  # fmt: skip
            start = time.process_time()
            merged = part if merged is None else merged + part
            seconds += used + time.process_time() - start
        assert merged is not None
        cells = len(merged.pairs.values) + merged.cross.size
        row = {"ballots": merged.total, "raters": int(merged.clusters.sum()), "integers": cells,
               "reduce_seconds": round(seconds, 2)}  # fmt: skip
        for terms in (["unit", "rater"], ["unit", "unit:category", "rater"]):
            runs = [cpu(lambda m=merged, t=terms: variance_components(m, t)) for _ in range(5)]
            name = " + ".join(terms)
            row[f"{name}: fit_seconds"] = round(float(np.median([t for t, _ in runs])), 4)
            row[f"{name}: steps"] = runs[-1][1].iterations
        row["peak_MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(row)
        rows.append(row)
    pd.DataFrame(rows).to_csv(RESULTS / "components_flat.csv", index=False)


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
    out.rename_axis("what").to_csv(RESULTS / "components_coverage.csv")
    print(out.to_string())


def few(seed: int, raters: int, mixed: bool) -> dict[str, bool]:
    """12 units, raters of 2 to 8 each; where mixed, 15 % of raters have no residual at all."""
    rng = np.random.default_rng(seed)
    per = rng.integers(2, 9, raters)
    rater = np.repeat(np.arange(raters), per)
    unit = np.concatenate([rng.choice(12, n, replace=False) for n in per])
    noise = rng.normal(0, 12, len(rater))
    if mixed:
        noise = np.where((rng.random(raters) < 0.15)[rater], 0, noise / np.sqrt(0.85))
    y = rng.normal(0, 4, 12)[unit] + rng.normal(0, 6, raters)[rater] + noise
    table = Moments.of(np.rint(100 * y) / 100, unit=unit, rater=rater)
    found, truth = variance_components(table, ["unit", "rater"]), (16, 36, 144)
    return {
        f"{term} ({method})": bool(low <= true <= high)
        for method in ("wald", "robust")
        for term, true, (low, high) in zip(found.terms, truth, found.intervals(method=method),
                                           strict=True)
    }  # fmt: skip


def clusters(seeds: int = 500) -> None:
    """Coverage of 95 % intervals by the number of raters; seeds from 0."""
    rows = []
    for mixed in (False, True):
        for raters in (15, 20, 30, 50, 80, 150):
            shares = pd.DataFrame([few(seed, raters, mixed) for seed in range(seeds)]).mean()
            ratings = "15 % without residual" if mixed else "normal"
            rows.append({"ratings": ratings, "raters": raters, **shares.round(3), "seeds": seeds})
    pd.DataFrame(rows).to_csv(RESULTS / "components_clusters.csv", index=False)
    print(pd.DataFrame(rows).to_string())


if __name__ == "__main__":
    runs = {"speed": speed, "flat": flat, "year": year, "coverage": coverage, "clusters": clusters}
    runs[sys.argv[1]]()
