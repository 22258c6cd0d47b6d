"""Monte Carlo over weights: ratios to plain recipes in one run, and the real year against limits.

Run: ``OMP_NUM_THREADS=1 pytest benchmarks/bench_monte_carlo.py -s -o addopts=
-o python_files='bench_*.py'``

Ratios are of CPU time, contenders in turn, medians. The table of the last run is
``benchmarks/results/monte_carlo.csv``; with ``PERFMETHOD_BENCH_SAVE=1`` it is written anew.
"""

# ruff: noqa: E501 - the printed lines

from __future__ import annotations

import csv
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.scoring import tally

from .conftest import ROOT

REFERENCE = Path(os.environ.get("PERFMETHOD_REFERENCE", ROOT.parent / "shared" / "reference"))
FLAT, ROUNDS, SEED = 409_600, 5, 1
ROWS: list[tuple[str, str, float, str]] = []


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Write what was measured, where that is asked for."""
    yield
    if os.environ.get("PERFMETHOD_BENCH_SAVE"):
        with open(ROOT / "benchmarks" / "results" / "monte_carlo.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["job", "quantity", "value", "unit"])
            writer.writerows((job, what, f"{value:.4g}", unit) for job, what, value, unit in ROWS)


def note(job: str, what: str, value: float, unit: str) -> None:
    ROWS.append((job, what, value, unit))
    print(f"\n{job}: {what} {value:.4g} {unit}", end="")


def cpu(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


@pytest.fixture(scope="module")
def utilities() -> np.ndarray:
    path = REFERENCE / "mcda" / "U_49x135.csv"
    if not path.is_file():
        pytest.skip("no reference data")
    return np.loadtxt(path, delimiter=",")


def flat_year(utilities: np.ndarray) -> pm.Year:
    names = [f"k{j}" for j in range(utilities.shape[1])]
    scheme = pm.Scheme(
        {
            "format": 1, "base": 100.0, "classes": {"all": {}},
            "indicators": {name: {"rule": {"method": "identity"}} for name in names},
        }
    )  # fmt: skip
    frame = pd.DataFrame(utilities * 100, columns=names)
    frame.insert(0, "unit_id", [f"u{i:02d}" for i in range(len(frame))])
    return pm.Year.from_frames(scheme, actuals=frame)


def test_a_million_draws_of_the_real_year(year: pm.Year) -> None:
    """Portfolios, caps, veto, quotas and survey noise: under 10 s wall and 500 MB on two idle cores."""
    review = pm.evaluate(year).review
    specs = (
        un.multiplicative("classes.*.nodes.*.weight", "indicators.*.weight", spread=0.2),
        un.survey_noise(review),
    )
    draws = un.draw(year, 1_000_000, *specs, seed=SEED)
    context = multiprocessing.get_context("spawn")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    own = time.process_time()
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = tally(year, draws, executor=pool)
    wall, own = time.perf_counter() - start, time.process_time() - own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = own + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 + 2 * after.ru_maxrss / 1024
    note("2009, 10^6 draws, two processes", "CPU in all", used, "s")
    note("2009, 10^6 draws, two processes", "wall", wall, "s")
    note("2009, 10^6 draws, two processes", "peak of the three processes", peak, "MB")
    assert found.draws == 1_000_000
    assert used / 2 < 10
    assert peak < 500


def test_flat_uniform_weights(utilities: np.ndarray) -> None:
    """Draw, score, rank and count: 49 units, 135 criteria, weights uniform on the simplex."""
    year = flat_year(utilities)
    draws = un.draw(year, FLAT, un.simplex("all"), seed=SEED)
    rng = np.random.default_rng(SEED)
    u = len(utilities)

    def ours() -> object:
        return tally(year, draws, pairs=False)

    def plain(size: int = 102_400) -> object:
        counts = np.zeros((u, u), dtype=np.int64)
        for _ in range(FLAT // size):
            weights = rng.dirichlet(np.ones(135), size)
            rank = np.argsort(np.argsort(-(weights @ utilities.T), axis=1), axis=1)
            counts += np.stack([np.bincount(rank[:, i], minlength=u) for i in range(u)])
        return counts

    def chunked() -> object:
        return plain(5_120)

    frame, loops = pd.DataFrame(utilities), 400

    def loop() -> object:
        counts = np.zeros((u, u), dtype=np.int64)
        for weights in rng.dirichlet(np.ones(135), loops):
            rank = (frame * weights).sum(axis=1).rank(ascending=False).astype(int)
            counts[np.arange(u), rank.to_numpy() - 1] += 1
        return counts

    times = {f.__name__: [cpu(f)] for f in (ours, plain, chunked, loop)}  # the first is thrown away
    for _ in range(ROUNDS):
        for f in (ours, plain, chunked, loop):
            times[f.__name__].append(cpu(f))
    per = {name: float(np.median(t[1:])) for name, t in times.items()}
    per = {name: t / (loops if name == "loop" else FLAT) for name, t in per.items()}
    note("flat 49 x 135", "ours", 1e6 * per["ours"], "CPU us a draw")
    note(
        "flat 49 x 135",
        "plain numpy, 102,400 draws at a time (dirichlet, product, two argsorts)",
        1e6 * per["plain"],
        "CPU us a draw",
    )
    note("flat 49 x 135", "the same, 5,120 at a time", 1e6 * per["chunked"], "CPU us a draw")
    note("flat 49 x 135", "ratio to plain numpy (wanted 2)", per["plain"] / per["ours"], "")
    note("flat 49 x 135", "ratio to plain numpy in chunks", per["chunked"] / per["ours"], "")
    note("flat 49 x 135", "ratio to a pandas loop (wanted 200)", per["loop"] / per["ours"], "")
    # not met so far (182): what limits it is the product in double precision, which the law needs
    assert per["loop"] / per["ours"] > 200
    assert per["plain"] / per["ours"] > 1.8


def test_coinr_job() -> None:
    """1,000 sets of weights of pillars and sub-indices of the ASEM index: under 0.3 s."""
    folder = REFERENCE / "asem"
    if not folder.is_dir():
        pytest.skip("no reference data")
    year, draws = asem(folder)
    tally(year, draws)
    seconds = float(np.median([cpu(lambda: tally(year, draws)) for _ in range(ROUNDS)]))
    note(
        "COINr's job, 1,000 weight sets",
        "CPU (252 s in COINr, which rebuilds the index)",
        seconds,
        "s",
    )
    assert seconds < 0.3


def asem(folder: Path) -> tuple[pm.Year, dict[str, np.ndarray]]:
    meta = pd.read_csv(folder / "ASEM_iMeta.csv").query("Type in ['Indicator', 'Aggregate']")
    x = pd.read_csv(folder / "agg_input_normalised_1_100.csv", index_col="uCode")
    parents = dict(zip(meta["iCode"], meta["Parent"], strict=True))
    leaves = meta.loc[meta["Type"] == "Indicator", "iCode"]
    inner = [c for c in meta["iCode"] if c not in set(leaves) and c != "Index"]
    nodes = {c: {"parent": parents[c]} if parents[c] != "Index" else {} for c in inner}
    rule = {"method": "identity"}
    document = {
        "format": 1, "classes": {"all": {"nodes": nodes}},
        "indicators": {c: {"parent": parents[c], "rule": rule} for c in leaves},
    }  # fmt: skip
    frame = x[list(leaves)].rename_axis("unit_id").reset_index()
    sets = pd.read_csv(folder / "ua_weights_N1000_weightsets.csv")[inner]
    draws = {f"classes.all.nodes.{c}.weight": sets[c].to_numpy(float) for c in inner}
    return pm.Year.from_frames(pm.Scheme(document), actuals=frame), draws
