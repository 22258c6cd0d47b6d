"""Exact parity and rank sets: time, size and power of the tests, coverage of the sets.

Run: ``python -m benchmarks.bench_fairness speed``, ``... power`` (writes
``benchmarks/results/fairness_power.csv``) and ``... coverage [runs]`` (writes
``benchmarks/results/rank_sets_coverage.csv``; seed 0). Times are of one process, the first call and
the median of five more; on a busy machine trust CPU seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import perfmethod as pm
from perfmethod.fairness import STATISTICS, exact_power, grade_parity, p_values, table_law
from perfmethod.ranking import pair_errors, rank_bounds, rank_sets

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
SEVEN, EIGHT = (4, 9, 9, 8, 7, 6, 6), (4, 5, 5, 6, 6, 7, 8, 8)


def told(name: str, run: Callable[[], Any]) -> None:
    wall, cpu = [], []
    for _ in range(6):
        start, used = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    print(
        f"{name}: first {wall[0]:.3f} s (CPU {cpu[0]:.3f}), "
        f"then {np.median(wall[1:]):.3f} s (CPU {np.median(cpu[1:]):.3f})"
    )


def speed() -> None:
    def four() -> None:
        law = table_law(EIGHT, 13)
        for name in STATISTICS:
            p_values(law, name)

    told("eight groups, 59,438 tables, all four tests", four)
    city = pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))
    told("grade_parity by group, with intervals and power", lambda: grade_parity(city))
    told(
        "grade_parity by group inside thirds of the public review",
        lambda: grade_parity(city, strata="public_review"),
    )
    rng = np.random.default_rng(0)
    x, se = np.sort(rng.normal(80, 5, 49)), np.full(49, 1.5)
    told("simultaneous sets, 49 units, 10,000 draws", lambda: rank_sets((x, se)))
    told("marginal sets, 49 units", lambda: rank_sets((x, se), simultaneous=False))
    told(
        "simultaneous within seven groups",
        lambda: rank_sets((x, se), within=[str(g) for g in np.repeat(range(7), SEVEN)]),
    )


def power() -> None:
    """Power of the four tests against one group with other odds, 13 of 49 places."""
    law, rows = table_law(SEVEN, 13), []
    for name in STATISTICS:
        rejected = p_values(law, name) <= 0.05
        for group in (0, 1):
            for odds in (1, 2, 5, 10, 20, 50):
                alternative = np.ones(7)
                alternative[group] = odds
                found = float(exact_power(law, rejected, alternative))
                rows.append((name, SEVEN[group], odds, round(found, 4)))
    frame = pd.DataFrame(rows, columns=["test", "units", "odds", "power"])
    frame.to_csv(RESULTS / "fairness_power.csv", index=False)
    print(frame.pivot_table("power", ["test", "units"], "odds").to_string())


def coverage(runs: int = 500) -> None:
    """Share of runs in which all (or each) true ranks lie in the sets, and the mean width."""
    rows = []
    for ratio in (0.0, 0.3, 1.0, 2.0, 4.0):
        rng = np.random.default_rng(0)
        hit, each, width = np.zeros(2), np.zeros(2), np.zeros(2)
        noise = rng.normal(size=(2000, 20))
        errors = pair_errors(np.ones(20))
        for _ in range(runs):
            truth = ratio * rng.normal(size=20)
            seen = truth + rng.normal(size=20)
            # where units are equal, every rank that one of them could have is to be covered
            best = 1 + (truth[:, None] < truth).sum(axis=1)
            last = (truth[:, None] <= truth).sum(axis=1)
            for k, joint in enumerate((True, False)):
                found = rank_bounds(seen, noise, errors, simultaneous=joint)
                inside = (found.low <= best) & (last <= found.high)
                hit[k] += inside.all() / runs
                each[k] += inside.mean() / runs
                width[k] += (found.high - found.low + 1).mean() / runs
        for k, kind in enumerate(("simultaneous", "marginal")):
            rows.append((ratio, kind, runs, *np.round((hit[k], each[k], width[k]), 4)))
    columns = ["sd_over_se", "sets", "runs", "all_covered", "each_covered", "width"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.to_csv(RESULTS / "rank_sets_coverage.csv", index=False)
    print(frame.to_string(index=False))


if __name__ == "__main__":
    part, *more = sys.argv[1:] or ["speed"]
    {"speed": speed, "power": power, "coverage": coverage}[part](*map(int, more))
