"""Do intervals of small groups cover, and what few answers say: gaps, noise of tasks, reliability.

Run: ``python -m benchmarks.bench_small_groups gaps [runs]`` (writes
``benchmarks/results/small_group_gaps.csv``; 2000 runs, some two CPU minutes), ``... noise [runs]``
(writes ``benchmarks/results/task_noise.csv``; 200 runs, half a CPU minute) and
``... reliability [runs]`` (writes ``benchmarks/results/survey_reliability.csv``; 20 runs, half a
CPU minute). Seeds 0 to runs - 1.

Gaps: share of runs in which the 95 % interval holds the planted gap, by the law of the errors, the
sizes of all groups and that of the group; ``open`` is the share of intervals without ends. Noise:
root mean square of the estimated standard deviation of one task's score (planted: 10) of 20 units
with six tasks each, of which each indicator belongs to ``per`` units, and coverage of its interval.
Reliability: of 24 units that all raters rate, whose severities are planted beside the units' own
quality and noise: its mean estimate, the mean squared correlation with the quality inside groups,
and the mean corrected slope (planted: 1).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.fairness import explain_gaps, portfolio, raw_gaps
from perfmethod.stringency import stringency
from tests.test_fairness_small_groups import ring
from tests.test_stringency_errors import squared_correlation, surveyed

RESULTS = Path(__file__).parent / "results"
LAWS = ("normal", "exponential", "t with 3 df")
RAW = ((5, 1), (6, 1), (20, 1), (45, 1), (10, 2), (12, 3), (45, 4))
SIZES = ((1, 1, 5, 5), (1, 2, 3, 6), (2, 2, 5, 5), (8, 7, 8, 8, 6, 4, 4))


def errors(law: str, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if law == "normal":
        return rng.normal(size=size)
    return rng.exponential(size=size) - 1 if law == "exponential" else rng.standard_t(3, size=size)


def gaps(runs: int = 2000) -> None:
    rows: list[tuple[object, ...]] = []
    for law in LAWS:
        for units, size in RAW:
            code, held, ends = (np.arange(units) < size).astype(int), 0, 0
            for seed in range(runs):
                y = errors(law, units, np.random.default_rng([seed, units])) + 3.0 * code
                found = raw_gaps(y, code, draws=400, seed=seed)
                held += bool(found.low[1] <= 3 <= found.high[1])
                ends += bool(np.isinf(found.low[1]))
            sizes = f"{units - size} {size}"
            rows.append(("raw gap", law, sizes, size, runs, held / runs, ends / runs))
        for every in SIZES:
            sizes = " ".join(map(str, every))
            for size, share in _explained(law, every, runs).items():
                rows.append(("unexplained", law, sizes, size, runs, share, 0.0))
    columns = ["gap", "errors", "sizes", "group_size", "runs", "coverage", "open"]
    _write(pd.DataFrame(rows, columns=columns), "small_group_gaps")


def _explained(law: str, sizes: tuple[int, ...], runs: int) -> dict[int, float]:
    """Coverage by size of the group: groups of one size together."""
    code = np.repeat(range(len(sizes)), sizes)
    held = np.zeros(len(sizes))
    for seed in range(runs):
        rng = np.random.default_rng([seed, code.size, 1])
        a = rng.normal(size=(code.size, 1))
        y = a + errors(law, code.size, rng)[:, None]
        found = explain_gaps(y, a, code, draws=400, seed=seed)
        held += (found.low[:, 0] <= 0) & (found.high[:, 0] >= 0)
    by_size = pd.Series(held / runs, pd.Index(sizes)).groupby(level=0).mean()
    return {int(size): float(share) for size, share in by_size.items()}


def noise(runs: int = 200) -> None:
    rows = []
    for per in (2, 3, 4, 10, 20):
        found = [portfolio(ring(per, seed), draws=2) for seed in range(runs)]
        ends = np.array([f.meta["noise_interval"] for f in found])
        held = ((ends[:, 0] <= 10) & (ends[:, 1] >= 10)).mean()
        rows.append((per, runs, np.sqrt(np.mean([f.noise**2 for f in found])), held))
    _write(pd.DataFrame(rows, columns=["per", "runs", "noise", "coverage"]), "task_noise")


def reliability(runs: int = 20) -> None:
    rows = []
    for raters in (10, 20, 40):
        found = []
        for seed in range(runs):
            evaluation, parts, quality = surveyed(seed, raters)
            slopes = stringency(evaluation, panel="panel", anchors="review", draws=99).slopes
            found.append((slopes["reliability"].iloc[0], squared_correlation(parts, quality),
                          slopes["slope"].iloc[0], slopes["corrected"].iloc[0]))  # fmt: skip
            surveyed.cache_clear()
        rows.append((raters, runs, *np.mean(found, axis=0)))
    columns = ["raters", "runs", "reliability", "squared_correlation", "slope", "corrected"]
    _write(pd.DataFrame(rows, columns=columns), "survey_reliability")


def _write(frame: pd.DataFrame, name: str) -> None:
    frame = frame.round(4)
    frame.to_csv(RESULTS / f"{name}.csv", index=False)
    print(frame.to_string(index=False))


if __name__ == "__main__":
    part, *more = sys.argv[1:] or ["gaps"]
    {"gaps": gaps, "noise": noise, "reliability": reliability}[part](*map(int, more))
