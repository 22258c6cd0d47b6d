"""Exact parity, gaps and rank sets: time, size and power of the tests, coverage of the sets.

Run: ``python -m benchmarks.bench_fairness speed``, ``... power`` (writes
``benchmarks/results/fairness_power.csv``), ``... coverage [runs]`` (writes
``benchmarks/results/rank_sets_coverage.csv``; seed 0) and ``... gaps [seeds] [workers]`` (writes
``benchmarks/results/fairness_gaps.csv``; seeds 0 to 499, some five CPU minutes). Times are of
one process, the first call and the median of five more; on a busy machine trust CPU seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import perfmethod as pm
from perfmethod.fairness import (
    STATISTICS,
    exact_power,
    explain_gaps,
    fairness_report,
    grade_parity,
    group_gaps,
    p_values,
    raw_gaps,
    table_law,
)
from perfmethod.fairness.shifts import contrasts
from perfmethod.ranking import pair_errors, place_sets, rank_bounds, rank_sets
from perfmethod.synthetic import SyntheticYear, latent, synthetic_year

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
    told("simultaneous sets, 49 units, 10,000 draws", lambda: rank_sets((x, se), draws=10_000))
    told("simultaneous sets, 49 units, 65,536 draws (default)", lambda: rank_sets((x, se)))
    told("marginal sets, 49 units", lambda: rank_sets((x, se), simultaneous=False))
    told(
        "simultaneous within seven groups",
        lambda: rank_sets((x, se), within=[str(g) for g in np.repeat(range(7), SEVEN)]),
    )
    told("place_sets of 2009", lambda: place_sets(city))
    told("group_gaps of 2009", lambda: group_gaps(city))
    told("fairness_report of 2009, two attributes", lambda: fairness_report(city))


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


def gaps(seeds: int = 500, workers: int = 2) -> None:
    """Recovery of planted gaps: bias of the unexplained part and coverage of the intervals."""
    with ProcessPoolExecutor(workers) as pool:
        found = [row for rows in pool.map(_year_gaps, range(seeds), chunksize=10) for row in rows]
        plain = pool.map(_plain_gaps, range(4 * seeds), chunksize=100)
        found += [row for rows in plain for row in rows]
    table = pd.DataFrame(
        found, columns=["case", "seed", "group", "planted", "estimate", "low", "high"]
    )
    table["off"] = table["estimate"] - table["planted"]
    inside = table["planted"].between(table["low"], table["high"]).astype(float)
    table["covered"] = inside.where(table["low"].notna())
    rows = []
    for case, part in table.groupby("case", sort=False):
        by_group, by_seed = part.groupby("group")["off"].mean(), part.groupby("seed")
        covered = by_seed["covered"].mean()  # groups of one year lean on each other, years do not
        mcse = part["off"].std() / np.sqrt(part["seed"].nunique())
        rows.append((case, part["seed"].nunique(), part["planted"].std(), part["off"].mean(),
                     part["off"].std(), by_group.min(), by_group.max(),
                     mcse, covered.mean(), covered.sem()))  # fmt: skip
    columns = ["case", "seeds", "planted_sd", "bias", "error_sd", "least_group_bias",
               "most_group_bias", "group_bias_mcse", "coverage", "coverage_mcse"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns).round(4)
    frame.to_csv(RESULTS / "fairness_gaps.csv", index=False)
    print(frame.to_string(index=False))


def _year_gaps(seed: int) -> list[tuple[Any, ...]]:
    """A synthetic year with its planted stringency, scored beside the same year without any."""
    drawn, without = _drawn(seed, latent.STRINGENCY_SD, 4000), _drawn(seed, 0.0, 1)
    year = pm.Year.from_frames(_scheme(drawn.scheme), **drawn.tables)
    city = pm.evaluate(year)
    departments = city.scores.index[city.scores["group"] != "G0"]
    effect = _effect(year, drawn, without)[departments].to_numpy()
    code, names = pd.factorize(city.scores.loc[departments, "group"], sort=True)
    planted = dict(zip(names, contrasts(code) @ effect, strict=True))
    found = group_gaps(city, draws=1000, seed=seed)
    rows: list[tuple[Any, ...]] = [
        ("year: statutory duty", seed, r.group, planted[r.group], r.unexplained, r.low, r.high)
        for r in found.parts[found.parts["part"] == "statutory_duty"].itertuples()
    ]
    for r in found.groups.itertuples():
        rows.append(("year: whole total", seed, r.group, planted[r.group],
                     r.unexplained, r.unexplained_low, r.unexplained_high))  # fmt: skip
    return rows


def _effect(year: pm.Year, drawn: SyntheticYear, without: SyntheticYear) -> pd.Series:
    """Points that the stringency of the groups gives to each total."""
    key = ["unit_id", "indicator_id"]
    pair = drawn.tables["tasks"].merge(without.tables["tasks"], on=key, suffixes=("", "_0"))
    pair = pair[pair["actual"] != pair["actual_0"]]
    assert set(pair["role"]) == {"statutory_duty"}  # nothing else differs
    draws = {
        f"tasks.{r.unit_id}.{r.indicator_id}.actual": np.array([r.actual, r.actual_0], float)
        for r in pair.itertuples()
    }
    found = pm.simulate(year, draws)
    return pd.Series(found.total[0] - found.total[1], index=list(found.units))


@cache
def _scheme(text: str) -> pm.Scheme:
    return pm.Scheme.loads(text)


def _drawn(seed: int, spread: float, ballots: int) -> SyntheticYear:
    kept, latent.STRINGENCY_SD = latent.STRINGENCY_SD, spread
    try:
        return synthetic_year(seed=seed, ballots=ballots)
    finally:
        latent.STRINGENCY_SD = kept


def _plain_gaps(seed: int) -> list[tuple[Any, ...]]:
    """Arrays with known gaps: normal and skewed errors, groups as in 2009."""
    rng, code = np.random.default_rng([seed, 9]), np.repeat(range(7), (8, 7, 8, 8, 6, 4, 4))
    w, rows = contrasts(code), []
    for name in ("normal", "skewed"):
        noise = rng.normal(size=45) if name == "normal" else rng.exponential(size=45) - 1
        anchor = rng.normal(size=(45, 2))
        planted = rng.normal(size=7)[code]
        found = explain_gaps((planted + anchor @ [1.0, 0.5] + noise)[:, None], anchor, code,
                             draws=1000, seed=seed)  # fmt: skip
        for g, target in enumerate(w @ planted):
            rows.append((f"arrays: unexplained, {name}", seed, g, target, found.unexplained[g, 0],
                         found.low[g, 0], found.high[g, 0]))  # fmt: skip
        # the raw interval is about one group that is shifted against all others
        one = raw_gaps(noise + 1.0 * (code == 5), code, draws=1000, seed=seed)
        rows.append((f"arrays: raw gap, {name}", seed, 5, 1.0, one.gap[5], one.low[5], one.high[5]))
    return rows


if __name__ == "__main__":
    part, *more = sys.argv[1:] or ["speed"]
    {"speed": speed, "power": power, "coverage": coverage, "gaps": gaps}[part](*map(int, more))
