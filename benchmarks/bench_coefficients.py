"""Reliability coefficients: time against other packages in one run, and coverage of intervals.

Run: ``pytest benchmarks/bench_coefficients.py -s -o addopts= -o python_files='bench_*.py'``

Times are processor seconds, best of several, on 40,000 ballots with 4 dimensions. The packages
pingouin and krippendorff are not needed by the project; a comparison is skipped where they are not
installed. Coverage (``-k coverage``) takes some minutes and writes
``benchmarks/results/coefficients_coverage.csv``, which holds the seeds.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from perfmethod import reliability as rel

from .conftest import ROOT

BALLOTS, UNITS, RATERS = 40_000, 49, 9_964
SEEDS = 500


def best(run: Callable[[], object], rounds: int = 15) -> float:
    run()  # loads and warms
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """Ballots (raters, units, dimensions), answers 1 to 4, NaN where there is none."""
    rng = np.random.default_rng(0)
    cells = rng.choice(RATERS * UNITS, BALLOTS, replace=False)
    rater, unit = np.divmod(cells, UNITS)
    base = 0.3 * rng.normal(size=UNITS)[unit] + 0.6 * rng.normal(size=RATERS)[rater]
    z = base[:, None] + 0.5 * rng.normal(size=(BALLOTS, 1)) + 0.7 * rng.normal(size=(BALLOTS, 4))
    x = np.full((RATERS, UNITS, 4), np.nan)
    x[rater, unit] = 1 + np.digitize(z, [-1, 0, 1])
    return x


def said(what: str, ours: float, theirs: float, limit: float = 1.0) -> None:
    print(f"\n{what}: ours {1e3 * ours:.2f} ms, theirs {1e3 * theirs:.2f} ms, "
          f"ratio {ours / theirs:.2f} (limit {limit:g})")  # fmt: skip
    assert ours <= limit * theirs


def test_alpha_against_pingouin(wide: np.ndarray) -> None:
    """Value and Feldt's interval, from the same table."""
    pingouin = pytest.importorskip("pingouin")
    frame = pd.DataFrame(wide.reshape(-1, 4)).dropna()
    assert len(frame) == BALLOTS
    theirs = pingouin.cronbach_alpha(frame)
    ours = rel.cronbach_alpha(frame)
    assert ours.value == pytest.approx(theirs[0], abs=1e-12)
    assert [ours.low, ours.high] == pytest.approx(list(theirs[1]), abs=5e-4)  # it rounds
    said(
        "alpha with interval",
        best(lambda: rel.cronbach_alpha(frame)),
        best(lambda: pingouin.cronbach_alpha(frame)),
    )


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_krippendorff_against_krippendorff(wide: np.ndarray, metric: str) -> None:
    """Four dimensions, from the same tables of raters by units (theirs) or its transpose (ours)."""
    package = pytest.importorskip("krippendorff")
    tables = [np.ascontiguousarray(wide[:, :, d]) for d in range(4)]

    def theirs() -> list[float]:
        return [package.alpha(t, level_of_measurement=metric) for t in tables]

    def ours() -> list[float]:
        return [rel.krippendorff_alpha(t.T, metric, draws=0).value for t in tables]

    assert ours() == pytest.approx(theirs(), abs=1e-10)
    said(f"Krippendorff's alpha, {metric}, 4 dimensions", best(ours), best(theirs))


def test_krippendorff_of_values_that_differ() -> None:
    """Interval metric, 300 different values: theirs grows with their square, ours does not."""
    package = pytest.importorskip("krippendorff")
    x = np.random.default_rng(0).normal(size=(3, 100))
    ours = best(lambda: rel.krippendorff_alpha(x.T, draws=0), 3)
    theirs = best(lambda: package.alpha(x, level_of_measurement="interval"), 3)
    said("Krippendorff's alpha, 300 different values", ours, theirs)


def test_whole_table_of_coefficients(wide: np.ndarray) -> None:
    """Every coefficient with its interval, of the long form."""
    rater, unit = np.nonzero(~np.isnan(wide[:, :, 0]))
    ratings = rel.Ratings(
        unit, rater, wide[rater, unit], tuple(map(str, range(UNITS))), tuple("abcd"),
        np.zeros(RATERS, np.intp),
    )  # fmt: skip
    runs = {
        "alpha, clusters": lambda: rel.cronbach_alpha(ratings),
        "alpha, ordinal, 200 draws": lambda: rel.cronbach_alpha(ratings, kind="ordinal", draws=200),
        "omega total, 200 draws": lambda: rel.omega_total(ratings, draws=200),
        "split halves": lambda: rel.split_half(ratings),
        "Krippendorff, ordinal": lambda: rel.krippendorff_alpha(ratings, "ordinal", item="a"),
        "AC2": lambda: rel.gwet_ac(ratings, "quadratic", item="a", categories=[1, 2, 3, 4]),
        "six ICCs, REML": lambda: rel.intraclass_correlations(ratings, item="a"),
        "reliability of means": lambda: rel.reliability_of_means(ratings, item="a"),
        "rwg(j)": lambda: rel.rwg_j(ratings, [1, 2, 3, 4]),
    }
    print()
    for name, run in runs.items():
        print(f"{name}: {best(run, 1):.2f} s")


# --- coverage


def survey(rng: np.random.Generator, level: np.ndarray, raters: int, share: float) -> np.ndarray:
    """Ratings (units, raters) around fixed unit levels, raters differ in severity."""
    n = level.size
    x = level[:, None] + 0.7 * rng.normal(size=raters) + rng.normal(size=(n, raters))
    x[rng.random(x.shape) > share] = np.nan
    return x


def krippendorff_case(seed: int) -> tuple[bool, float, str]:
    level = np.random.default_rng(0).normal(size=20)  # the units stay, raters are drawn
    x = survey(np.random.default_rng([1, seed]), level, 80, 0.5)
    found = rel.krippendorff_alpha(x, draws=400, seed=seed)
    error = 0.7**2 + 1.0  # of two different raters: half their expected squared difference
    truth = 1 - error / (error + level.var())
    return found.low <= truth <= found.high, truth, "Krippendorff's alpha, 20 units, 80 raters"


def alpha_case(seed: int) -> tuple[bool, float, str]:
    rng = np.random.default_rng([2, seed])
    rater = np.repeat(np.arange(150), 4)
    common = rng.normal(size=150)[rater] + 0.5 * rng.normal(size=600)
    own = 0.8 * rng.normal(size=(150, 4))[rater] + 0.6 * rng.normal(size=(600, 4))
    found = rel.cronbach_alpha(common[:, None] + own, clusters=rater, draws=400, seed=seed)
    truth = 4 * 1.25 / (4 * 1.25 + 1.0)
    return found.low <= truth <= found.high, truth, "alpha, 150 raters with 4 ballots each"


def icc_case(seed: int) -> tuple[bool, float, str]:
    rng = np.random.default_rng([3, seed])
    x = survey(rng, rng.normal(size=30), 25, 0.6)
    found = rel.intraclass_correlations(x, models=[2])["ICC(2,1)"]
    truth = 1 / (1 + 0.7**2 + 1)
    return found.low <= truth <= found.high, truth, "ICC(2,1) by REML, 30 units, 25 raters, gaps"


def means_case(seed: int) -> tuple[bool, float, str]:
    rng = np.random.default_rng([4, seed])
    x = survey(rng, 0.4 * rng.normal(size=30), 25, 0.6)
    found = rel.reliability_of_means(x).coefficients["G(q,k)"]
    q, k = found.details["q"], found.details["harmonic_k"]
    truth = 0.16 / (0.16 + 0.49 * q + 1 / k)
    return found.low <= truth <= found.high, truth, "G(q,k), 30 units, 25 raters, gaps"


def ac_case(seed: int) -> tuple[bool, float, str]:
    # three answers with the same chances everywhere: no agreement beyond chance but by severity
    rng = np.random.default_rng([5, seed])
    x = 1 + (rng.random((40, 60)) < 0.8).astype(float)
    found = rel.gwet_ac(x, categories=[1, 2], draws=400, seed=seed)
    chance = 2 * 0.8 * 0.2
    truth = (0.8**2 + 0.2**2 - chance) / (1 - chance)
    return found.low <= truth <= found.high, truth, "AC1, 40 units, 60 raters"


def test_coverage_of_intervals() -> None:
    """95 % intervals over seeds; the table is committed."""
    rows = []
    for case in (krippendorff_case, alpha_case, icc_case, means_case, ac_case):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = [case(seed) for seed in range(SEEDS)]
        rows.append({"interval": found[0][2], "truth": round(found[0][1], 4),
                     "seeds": f"0-{SEEDS - 1}",
                     "covered": np.mean([hit for hit, _, _ in found])})  # fmt: skip
    table = pd.DataFrame(rows)
    folder = ROOT / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "coefficients_coverage.csv", index=False)
    print("\n" + table.to_string(index=False))
