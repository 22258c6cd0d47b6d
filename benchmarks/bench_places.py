"""Quota rules where the truth is known: share of the true best found, and what rounding costs.

Run: ``python -m benchmarks.bench_places found`` (writes ``benchmarks/results/places.csv``: normal
cities, 4,000 runs a setting, seed 0; synthetic years, seeds 0 to 79, 10,000 ballots each; some
two CPU minutes), ``... rounding`` (ties and gaps of whole places over the 113 ways to group 45
departments; exact, printed) and ``... speed``. Errors are Monte Carlo standard errors.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import perfmethod as pm
from perfmethod.grading import METHODS, apportion
from perfmethod.places import compare_rules, found_in_cities, found_in_synthetic, normal_cities

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
SEVEN, TIED = (4, 9, 9, 8, 7, 6, 6), (4, 9, 9, 9, 9, 9)
COLUMNS = ["source", "setting", "rule", "found", "found_mcse", "found_gain", "found_gain_mcse",
           "rate_range", "filled", "runs"]  # fmt: skip


def found(runs: int = 4000, years: int = 80) -> None:
    parts = []
    for sizes in (SEVEN, TIED):
        for group_sd, stringency in ((0, 0), (0, 0.5), (0, 1), (0.5, 0), (0.5, 0.5), (0.5, 1)):
            city = normal_cities(sizes, runs, group_sd=group_sd, stringency_sd=stringency)
            rules = ["pooled", "hybrid"]
            rules += ["tie_lot", "tie_next_candidate"] if sizes == TIED else []
            table = found_in_cities(city, 13, rules)
            setting = f"{'-'.join(map(str, sizes))}; group sd {group_sd}, stringency {stringency}"
            parts.append(table.assign(source="normal city", setting=setting, runs=runs))
    for best_of in ("class", "all"):
        chosen = ["vetoed_place_unfilled", "by_class", "pooled", "hybrid"]
        table = found_in_synthetic(chosen, seeds=range(years), best_of=best_of)
        setting = f"true best by {best_of}"
        parts.append(table.assign(source="synthetic year", setting=setting, runs=table["years"]))
    frame = pd.concat(parts).reset_index()[COLUMNS].round(4)
    frame.to_csv(RESULTS / "places.csv", index=False)
    print(frame.to_string(index=False))


def partitions(total: int, parts: int, most: int) -> Iterator[tuple[int, ...]]:
    if parts == 0:
        if total == 0:
            yield ()
        return
    for first in range(4, most + 1):
        for rest in partitions(total - first, parts - 1, first):
            yield (first, *rest)


def rounding() -> None:
    cities = [p for parts in (6, 7, 8) for p in partitions(45, parts, 9)]
    rows = []
    for places in (12, 13):
        for method in METHODS:
            tables = [apportion(city, places, method) for city in cities]
            gaps = []
            for city, table in zip(cities, tables, strict=True):
                rates = [s / n for s, n in zip(table.seats, city, strict=True)]
                if not table.tied:
                    gaps.append(max(rates) - min(rates))
            tied = float(np.mean([bool(t.tied) for t in tables]))
            rows.append((places, method, tied, float(np.mean(gaps)), max(gaps)))
    frame = pd.DataFrame(rows, columns=["places", "method", "tied", "mean_gap", "largest_gap"])
    print(f"{len(cities)} ways to group 45 departments")
    print(frame.round(3).to_string(index=False))


def speed() -> None:
    city = pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))
    for draws in (0, 2000, 10_000):
        start = time.process_time()
        result = compare_rules(city, draws=draws)
        used = time.process_time() - start
        print(f"{len(result.table)} rules, {draws} draws: CPU {used:.2f} s")


if __name__ == "__main__":
    part, *more = sys.argv[1:] or ["speed"]
    {"found": found, "rounding": rounding, "speed": speed}[part](*map(int, more))
