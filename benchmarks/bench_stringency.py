"""Stringency of panels: coverage of its intervals, power of its test, time of the whole analysis.

Run: ``python -m benchmarks.bench_stringency coverage [runs]`` (writes
``benchmarks/results/stringency_coverage.csv``; seeds 1 to runs, 500 by default; about five minutes
of one processor) and ``... speed``. On a busy machine trust CPU seconds.

The table has one row for whole synthetic years, whose ballots, tasks and ratings go through the
scheme of 2009 and whose stringencies are known, and one for each true spread of stringency in the
normal model (seven groups as in 2009, one anchor of reliability 0.8, stringencies drawn anew in
each run). ``ratio`` is the spread of stringency over the residual one; ``effect`` and ``average``
are the shares of groups whose interval holds the truth, ``variance`` that of runs whose exact
interval does; ``found`` is the share of runs with p < 0.05, ``power`` what the analysis says it
would be; ``slope`` is the regression of estimates on truths (1: unbiased), ``bias`` the largest
mean error of a group (in synthetic years some units have the same planted quality every time, which
anchors with errors follow only in part; no other group effect is there); the last columns are root
mean square errors of effects, unshrunk, shrunk, averaged, and of taking all panels for alike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

import perfmethod as pm
from perfmethod.stringency import (
    Ancova,
    anchored_power,
    ancova,
    canonical,
    group_posterior,
    parts_of,
    plan_links,
    stringency,
)
from perfmethod.synthetic import synthetic_year

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
SIZES = (8, 7, 8, 8, 6, 4, 4)
Array = NDArray[np.float64]


def synthetic(runs: int) -> Iterator[tuple[Ancova, Array, float]]:
    """Fits, true effects and, unknown there, no ratio of spreads."""
    for seed in range(1, runs + 1):
        drawn = synthetic_year(seed=seed)
        year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
        parts = parts_of(pm.evaluate(year))
        fit = ancova(parts.panel, parts.anchors, parts.groups)
        truth = -drawn.truth["groups"].set_index("group")["stringency"]
        yield fit, truth.reindex(list(fit.labels)).to_numpy(float), np.nan


def normal(runs: int, ratio: float) -> Iterator[tuple[Ancova, Array, float]]:
    """Fits, true effects and their spread over the residual one."""
    group = np.repeat(np.arange(len(SIZES)), SIZES)
    for seed in range(1, runs + 1):
        rng = np.random.default_rng([seed, round(100 * ratio)])
        quality = rng.normal(size=group.size)
        anchor = quality + 0.5 * rng.normal(size=group.size)  # reliability 0.8
        residual = np.sqrt(0.2 + 0.3**2)  # of quality given the anchor, and of the panel
        effect = ratio * residual * rng.normal(size=len(SIZES))
        panel = quality + effect[group] + 0.3 * rng.normal(size=group.size)
        yield ancova(panel, anchor[:, None], group), effect, ratio


def row(name: str, cases: Iterator[tuple[Ancova, Array, float]]) -> dict[str, Any]:
    hits, errors, truths, found = [], [], [], []
    for fit, effect, ratio in cases:
        truth, canon = effect - effect.mean(), canonical(fit)
        posterior, limit = group_posterior(canon), float(stdtrit(fit.df, 0.975))
        low, high = canon.interval()
        hits.append((
            (np.abs(fit.effects - truth) <= limit * fit.effects_se).mean(),
            ((posterior.low <= truth) & (truth <= posterior.high)).mean(),
            np.nan if np.isnan(ratio) else float(low <= ratio**2 <= high),
            float(fit.p < 0.05),
            np.nan if np.isnan(ratio) else float(anchored_power(canon, ratio)[0]),
        ))  # fmt: skip
        shrunk = canon.shrunk(canon.most_likely())
        errors.append([fit.effects - truth, shrunk - truth, posterior.mean - truth, -truth])
        truths.append(truth)
        found.append(fit.effects)
    e, t, f = np.array(errors), np.array(truths), np.array(found)
    share = np.array(hits).mean(axis=0)
    told = dict(zip(("effect", "average", "variance", "found", "power"), share, strict=True))
    slope = float((f * t).sum() / (t**2).sum()) if t.any() else np.nan
    rms = dict(zip(("rmse_effect", "rmse_shrunk", "rmse_average", "rmse_none"),
                   np.sqrt((e**2).mean(axis=(0, 2))), strict=True))  # fmt: skip
    bias = float(np.abs(e[:, 0].mean(axis=0)).max())
    return {"case": name, "runs": len(t), **told, "slope": slope, "bias": bias, **rms}


def coverage(runs: int) -> None:
    rows = [row("synthetic years, sd 2 points", synthetic(runs))]
    rows += [row(f"normal, ratio {r:g}", normal(runs, r)) for r in (0, 0.25, 0.5, 1, 2)]
    frame = pd.DataFrame(rows).round(4)
    frame.to_csv(RESULTS / "stringency_coverage.csv", index=False)
    print(frame.to_string(index=False))


def told(name: str, run: Callable[[], Any]) -> None:
    used = []
    for _ in range(6):
        start = time.process_time()
        run()
        used.append(time.process_time() - start)
    print(f"{name}: first {used[0]:.3f} s, then {np.median(used[1:]):.3f} s of CPU")


def speed() -> None:
    city = pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))
    told("stringency, with 9,999 permutations", lambda: stringency(city))
    found = stringency(city)
    told("sweep, places pooled by class", lambda: found.sweep(pool="class"))
    told("all methods", found.compare_methods)
    told("anchors checked", found.check_anchors)
    told("plan of links, 105 designs", lambda: plan_links(SIZES))


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["speed"]
    if what == "coverage":
        coverage(int(rest[0]) if rest else 500)
    else:
        speed()
