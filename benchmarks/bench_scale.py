"""Ten million ballots on one machine: time and peak memory of the reduction, cost of the fit.

Run: ``python -m benchmarks.bench_scale`` writes ``benchmarks/results/scale.csv`` (twenty minutes on
two busy cores; 200 MB of Parquet files in a temporary folder, deleted afterwards). Ballots are
synthetic integers (seeds 0, 1, ...): 49 units, 4 categories, 2 modes, 5 dimensions, raters of 1 to
7 ballots, 5 % of the answers "don't know". Each engine reduces in a process of its own, whose peak
is measured; then the variance components are fitted to the tables. CPU seconds are those of all
threads of the process; on a busy machine trust these rather than wall seconds.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
UNITS, CATEGORIES, MODES = 49, ("R01", "R02", "R03", "R04"), ("online", "paper")
DIMENSIONS = tuple(f"q{d}" for d in range(5))
PIECE = 10**6  # ballots of a file
RUNS = (("duckdb", (10**5, 10**6, 10**7)), ("polars", (10**5, 10**6, 10**7)),
        ("pandas", (10**5, 10**6)))  # fmt: skip


def made_up(ballots: int, seed: int) -> pd.DataFrame:
    """Ballots of raters who stand in this file only; `ballots` is met within a few."""
    rng = np.random.default_rng(seed)
    raters = ballots // 4
    per = rng.integers(1, 8, raters)
    rater = np.repeat(np.arange(raters), per)
    place = np.arange(len(rater)) - np.repeat(np.cumsum(per) - per, per)
    unit = (rng.integers(0, UNITS, raters)[rater] + place * 5) % UNITS
    category = rng.integers(0, len(CATEGORIES), raters)[rater]
    mode = rng.integers(0, len(MODES), raters)[rater]
    planted = np.random.default_rng(0)  # the same in every file
    quality = planted.normal(0, 4, UNITS)
    by_category = planted.normal(0, 2, (UNITS, len(CATEGORIES)))
    by_mode, by_dimension = planted.normal(0, 2, (UNITS, 2)), planted.normal(0, 2, (UNITS, 5))
    ballot = quality[unit] + by_category[unit, category] + by_mode[unit, mode]
    ballot += rng.normal(0, 6, raters)[rater] + rng.normal(0, 5, len(rater))
    names = np.array([f"D{i:02d}" for i in range(UNITS)])
    frame: dict[str, Any] = {
        "ballot_id": seed * 10**8 + np.arange(len(rater)),
        "unit_id": names[unit],
        "rater_id": np.char.add(f"{seed:03d}-", rater.astype(str)),
        "category": np.array(CATEGORIES)[category],
        "mode": np.array(MODES)[mode],
    }
    for d, name in enumerate(DIMENSIONS):
        latent = ballot + by_dimension[unit, d] + rng.normal(0, 8, len(rater))
        answer = np.select([latent > 0, latent > -16], [1, 2], 3)
        frame[name] = np.where(rng.random(len(rater)) < 0.05, 9, answer).astype(np.int8)
    return pd.DataFrame(frame)


def write(folder: Path, ballots: int) -> None:
    each = min(ballots, PIECE)
    for seed in range(ballots // each):
        made_up(each, seed).to_parquet(folder / f"ballots-{seed:03d}.parquet", index=False)


def spec() -> Any:
    from perfmethod.reduction import SurveySpec

    units = tuple(f"D{i:02d}" for i in range(UNITS))
    options, scores = (1, 2, 3, 9), (100.0, 75.0, 55.0, float("nan"))
    return SurveySpec(units, DIMENSIONS, CATEGORIES, MODES, options, scores)


def source(engine: str, folder: Path) -> Any:
    if engine == "duckdb":
        return folder
    if engine == "polars":
        import polars as pl

        return pl.scan_parquet(folder / "*.parquet")
    return pd.concat(pd.read_parquet(file) for file in sorted(folder.glob("*.parquet")))


def peak_mb() -> float:
    """Peak of this process alone: ``ru_maxrss`` starts from what its parent held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def one(engine: str, folder: Path) -> None:
    """Reduce and fit; print a row."""
    from perfmethod.reduction import reduce

    start = clocks()
    found = reduce(source(engine, folder), spec())
    done = clocks()
    row = {"engine": engine, "ballots": found.ballots, "wall_s": done[0] - start[0],
           "cpu_s": done[1] - start[1], "peak_mb": peak_mb(), "digest": found.digest[:16],
           "nested_integers": found.nested.integers,
           "product_integers": 3 * len(found.products.values)}  # fmt: skip
    if "fit" in sys.argv:
        from perfmethod.reliability import generalizability

        generalizability(found)  # once for the imports
        start = clocks()
        study = generalizability(found)
        done = clocks()
        row |= {"fit_cpu_s": done[1] - start[1], "steps": study.components.iterations,
                "peak_with_fit_mb": peak_mb()}  # fmt: skip
    print(json.dumps(row))


def main() -> None:
    rows = []
    sizes = sorted({n for _, sizes in RUNS for n in sizes})
    for ballots in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), ballots)
            for engine, wanted in RUNS:
                if ballots not in wanted:
                    continue
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.bench_scale", engine, folder, "fit"],
                    capture_output=True, text=True, check=True, cwd=ROOT,
                    env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                )  # fmt: skip
                rows.append(json.loads(done.stdout.splitlines()[-1]))
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    for name in table.columns:
        if table[name].dtype == float:
            table[name] = table[name].round(0 if name.endswith("_mb") else 2)
    table.to_csv(ROOT / "benchmarks" / "results" / "scale.csv", index=False)
    print(table.to_string())


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
