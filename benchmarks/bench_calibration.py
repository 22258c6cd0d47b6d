"""Raking and weighted unit means: time against plain loops and peers, coverage of the intervals.

Run: ``python -m benchmarks.bench_calibration speed`` (peers ``ipfn`` and ``weightipy`` are timed
where they are installed; CPU seconds of one thread) and ``... coverage [seeds]``, which writes
``benchmarks/results/calibration_coverage.csv`` (seeds 0 to 499, a few CPU minutes).

Coverage: three categories of raters with fixed numbers of raters, who rate four of six units each,
by one of two modes. What is estimated is each unit's mean, and the mean of all units together, on
which a rater has four ballots. Who answers depends on category and mode, and so does what is
answered; the truth is the mean in a population with known shares of categories and modes. Weights
are raked for each mean by itself. Four errors are compared: of the linearization that knows the
raking (raters as clusters), of the same that takes the weights as given, of independent ballots
with weights as given, and of the jackknife over raters that rakes every replicate again (only for
the smallest sample and one unit; a replicate that cannot be raked counts as a mean without
weights).
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from perfmethod.calibration import Design, Margin, jackknife, rake
from perfmethod.errors import PerfmethodError

RESULTS = Path(__file__).parent / "results"
SIZES = (10, 4, 49)
UNITS, PER_RATER = 6, 4
CATEGORIES, MODES = (0.5, 0.3, 0.2), (0.7, 0.3)
Z = 1.959963984540054
NAMES = ("linearization", "weights as given", "independent ballots", "jackknife")
SMALLEST = 15
ALL = UNITS  # stands for all units together, where a rater has several ballots


def cpu(run: Callable[[], Any], times: int = 5) -> float:
    used = []
    for _ in range(times):
        start = time.process_time()
        run()
        used.append(time.process_time() - start)
    return float(np.median(used))


def forty_thousand() -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Base weights, labels and totals of margins that can be met."""
    rng = np.random.default_rng(0)
    w = rng.uniform(0.5, 2.0, 40_000)
    labels = [rng.choice(k, w.size, p=rng.dirichlet(np.full(k, 20.0))) for k in SIZES]
    other = w * np.prod([rng.uniform(0.5, 2, k)[c] for k, c in zip(SIZES, labels, strict=True)], 0)
    totals = [np.bincount(c, other, k) for k, c in zip(SIZES, labels, strict=True)]
    return w, labels, totals


def plain(w: np.ndarray, labels: list[np.ndarray], totals: list[np.ndarray]) -> np.ndarray:
    """The rule as it is written down, on a table."""
    frame = pd.DataFrame({f"m{k}": c for k, c in enumerate(labels)}).assign(w=w)
    for _ in range(1000):
        for k, total in enumerate(totals):
            for group, target in enumerate(total):
                inside = frame[f"m{k}"] == group
                frame.loc[inside, "w"] *= target / frame.loc[inside, "w"].sum()
        off = [(frame.groupby(f"m{k}")["w"].sum() / t - 1).abs().max()
               for k, t in enumerate(totals)]  # fmt: skip
        if max(off) <= 1e-12:
            break
    return frame["w"].to_numpy()


def peers(
    w: np.ndarray, labels: list[np.ndarray], totals: list[np.ndarray]
) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    names = [f"m{k}" for k in range(len(SIZES))]
    frame = pd.DataFrame(dict(zip(names, labels, strict=True)))
    if importlib.util.find_spec("ipfn"):
        from ipfn import ipfn

        def by_ipfn() -> np.ndarray:
            table = frame.assign(total=w)
            sums = [pd.Series(t, index=pd.Index(range(len(t)), name=n))
                    for n, t in zip(names, totals, strict=True)]  # fmt: skip
            fit = ipfn.ipfn(table, sums, [[n] for n in names], convergence_rate=1e-12,
                            max_iteration=1000)  # fmt: skip
            return fit.iteration()["total"].to_numpy()

        yield "ipfn", by_ipfn
    if importlib.util.find_spec("weightipy"):
        import weightipy

        def by_weightipy() -> np.ndarray:
            shares = {n: dict(enumerate(100 * t / t.sum()))
                      for n, t in zip(names, totals, strict=True)}  # fmt: skip
            scheme = weightipy.scheme_from_dict(shares)
            found = weightipy.weight_dataframe(frame.copy(), scheme, weight_column="w")
            return found["w"].to_numpy()

        yield "weightipy (base weights 1)", by_weightipy


def speed() -> None:
    w, labels, totals = forty_thousand()
    margins = [Margin(f"m{k}", c, dict(enumerate(t)))
               for k, (c, t) in enumerate(zip(labels, totals, strict=True))]  # fmt: skip
    ours, own = rake(w, margins), cpu(lambda: rake(w, margins))
    print(f"rake: {own:.4f} s, {ours.iterations} rounds, error {ours.error:.1e}")
    slow = plain(w, labels, totals)
    off = np.abs(slow / ours.weights - 1).max()
    used = cpu(lambda: plain(w, labels, totals), 3)
    print(f"plain loop: {used:.3f} s ({used / own:.0f} x), differs by {off:.1e}")
    for name, run in peers(w, labels, totals):
        try:
            found, used = run(), cpu(run, 3)
        except Exception as error:  # a peer that this Python or pandas breaks is a result
            print(f"{name}: {type(error).__name__}: {error}")
            continue
        got = [np.bincount(c, found, len(t)) for c, t in zip(labels, totals, strict=True)]
        worst = max(np.abs(g / g.sum() / (t / t.sum()) - 1).max()
                    for g, t in zip(got, totals, strict=True))  # fmt: skip
        print(f"{name}: {used:.3f} s ({used / own:.0f} x), largest margin error {worst:.1e}")


def answer_mean(unit: int, category: int, mode: int, rater: Any, noise: float) -> Any:
    """Expected score, 100 / 75 / 55, given the rater's lenience."""
    latent = 0.15 * unit + 0.9 * category - 0.9 * mode + rater
    low, high = ndtr((0.0 - latent) / noise), ndtr((1.0 - latent) / noise)
    return 55 * low + 75 * (high - low) + 100 * (1 - high)


def population(kind: str) -> np.ndarray:
    """Shares of categories and modes together: independent, or tied."""
    table = np.outer(CATEGORIES, MODES)
    if kind == "tied":
        table = table + 0.05 * np.array([[1, -1], [0, 0], [-1, 1]])
    return table


def truth(kind: str) -> np.ndarray:
    """Mean of each unit; rater 0.6 and noise 0.8 make one normal of variance 1."""
    shares = population(kind)
    return np.array([
        sum(shares[c, m] * answer_mean(u, c, m, 0.0, 1.0) for c in range(3) for m in range(2))
        for u in range(UNITS)
    ])  # fmt: skip


def drawn(seed: int, raters: int, kind: str) -> pd.DataFrame:
    """Ballots: modes within a category as in the population, turned by who answers."""
    rng = np.random.default_rng([seed, raters])
    shares = population(kind)
    turned = shares / shares.sum(axis=1, keepdims=True) * [0.5, 1.5]
    online = turned[:, 1] / turned.sum(axis=1)
    rows = []
    for category in range(3):
        for r in range(raters):
            lenient = 0.6 * rng.standard_normal()
            for unit in rng.choice(UNITS, PER_RATER, replace=False):
                mode = int(rng.random() < online[category])
                latent = 0.15 * unit + 0.9 * category - 0.9 * mode + lenient
                latent += 0.8 * rng.standard_normal()
                score = 55.0 if latent < 0 else 75.0 if latent < 1 else 100.0
                rows.append((unit, category, category * raters + r, mode, score))
    return pd.DataFrame(rows, columns=["unit", "category", "rater", "mode", "score"])


def errors(table: pd.DataFrame, unit: int, slow: bool) -> tuple[float, dict[str, float]]:
    """Raked mean of a unit (or all), and its standard error by each estimator."""
    own = ((table["unit"] == unit) | (unit == ALL)).to_numpy()
    y = table["score"].to_numpy()
    n = float(own.sum())
    margins = [
        Margin.of_shares("category", table["category"], dict(enumerate(CATEGORIES)), n),
        Margin.of_shares("mode", table["mode"], dict(enumerate(MODES)), n),
    ]
    layout = {"strata": table["category"], "clusters": table["rater"]}
    design = Design.of(own.astype(float), **layout).rake(margins)
    w = design.weights
    found = design.mean(y)
    alone = Design.of(w[own]).mean(y[own])
    result = {
        "linearization": float(found.standard_error.iloc[0]),
        "weights as given": float(Design.of(w, **layout).mean(y).standard_error.iloc[0]),
        "independent ballots": float(alone.standard_error.iloc[0]),
    }
    if slow:
        result["jackknife"] = float(jackknife(design, lambda v: v @ y / v.sum()).standard_error[0])
    return float(found.estimate.iloc[0]), result


def coverage(seeds: int = 500) -> None:
    rows = []
    for kind in ("independent", "tied"):
        true = np.append(truth(kind), truth(kind).mean())
        for raters in (SMALLEST, 50, 150):
            for seed in range(seeds):
                table = drawn(seed, raters, kind)
                for unit in (*range(UNITS), ALL):
                    slow = raters == SMALLEST and unit == 0
                    try:
                        mean, se = errors(table, unit, slow)
                    except PerfmethodError:  # no weights have these shares: a result, too
                        mean, se = np.nan, dict.fromkeys(NAMES if slow else NAMES[:3], np.nan)
                    rows += [(kind, raters, seed, unit, name, mean - true[unit], value)
                             for name, value in se.items()]  # fmt: skip
            print(kind, raters, flush=True)
    columns = ["modes", "raters_per_category", "seed", "unit", "error", "off", "se"]
    summary(pd.DataFrame(rows, columns=columns)).to_csv(
        RESULTS / "calibration_coverage.csv", index=False
    )


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage with its Monte Carlo error (seeds as clusters), and errors over their truth."""
    found = []
    table["mean_of"] = np.where(table["unit"] == ALL, "all units", "unit")
    for (modes, raters, of, name), part in table.groupby(
        ["modes", "raters_per_category", "mean_of", "error"], sort=False
    ):
        failed = int(part["off"].isna().sum())
        part = part.dropna()
        by_seed = (part["off"].abs() <= Z * part["se"]).groupby(part["seed"]).mean()
        spread = np.sqrt(part.groupby("unit")["off"].var(ddof=1).mean())
        found.append({
            "modes": modes, "raters_per_category": raters, "mean_of": of, "error": name,
            "intervals": len(part), "no_weights": failed,
            "coverage": round(float(by_seed.mean()), 4),
            "mc_error": round(float(by_seed.std(ddof=1) / np.sqrt(len(by_seed))), 4),
            "bias_over_spread": round(float(part["off"].mean() / spread), 3),
            "se_over_spread": round(float(np.sqrt((part["se"] ** 2).mean()) / spread), 3),
        })  # fmt: skip
    return pd.DataFrame(found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["coverage"]:
        coverage(*map(int, sys.argv[2:3]))
    else:
        speed()
