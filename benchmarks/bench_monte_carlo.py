"""Monte Carlo over weights: ratios to plain recipes in one run, and the real year against limits.

Run: ``OMP_NUM_THREADS=1 pytest benchmarks/bench_monte_carlo.py -s -o addopts=
-o python_files='bench_*.py'``

Ratios are of CPU time, contenders in turn, medians; peers' loops make fewer draws. The table is
``benchmarks/results/monte_carlo.csv``; with ``PERFMETHOD_BENCH_SAVE=1`` it is written anew.
"""

# ruff: noqa: E501 - the printed lines

from __future__ import annotations

import csv
import importlib.util
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import robustness as rb
from perfmethod import sensitivity as se
from perfmethod import uncertainty as un
from perfmethod.compiled import VARIABLE
from perfmethod.core import BLOCK
from perfmethod.scoring import tally

from .conftest import ROOT

REFERENCE = Path(os.environ.get("PERFMETHOD_REFERENCE", ROOT.parent / "shared" / "reference"))
FLAT, ROUNDS, REPEAT, SEED = 1_024_000, 5, 40, 1
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


@pytest.mark.parametrize("said", ["never", "always"])
def test_a_million_draws_of_the_real_year(
    year: pm.Year, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """Portfolios, caps, veto, quotas and survey noise: under 10 s wall and 500 MB on two idle cores.

    The memory is that of the default install; loading numba takes more in every process.
    """
    use(monkeypatch, said)
    job = f"2009, 10^6 draws, two processes, {WAYS[said]}"
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
        memory = peak(os.getpid()) + sum(peak(process) for process in pool._processes)
    wall, own = time.perf_counter() - start, time.process_time() - own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = own + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    note(job, "CPU in all", used, "s")
    note(job, "wall", wall, "s")
    note(job, "peak of the three processes", memory, "MB")
    assert found.draws == 1_000_000
    assert used / 2 < 10
    if said == "never":
        assert memory < 500


def peak(process: int) -> float:
    """Largest resident memory of a process so far, MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


WAYS = {"never": "default install", "always": "compiled"}


def use(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Use the compiled loops always, or never."""
    monkeypatch.setenv(VARIABLE, said)
    if said == "always":
        pytest.importorskip("numba")


Recipe = Callable[[], object]


def recipes(utilities: np.ndarray) -> dict[str, tuple[Recipe, int]]:
    """What is compared, each with the draws it makes."""
    year = flat_year(utilities)
    draws = un.draw(year, FLAT, un.simplex("all"), seed=SEED)
    rng = np.random.default_rng(SEED)
    u, c = utilities.shape
    frame, types = pd.DataFrame(utilities), np.ones(c)
    pymcdm = pytest.importorskip("pymcdm")
    method = pymcdm.methods.WSM(pymcdm.normalizations.minmax_normalization)

    def ours(said: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, said)
            se.rank_acceptability(utilities, FLAT, seed=SEED)

    def core(said: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, said)
            tally(year, draws, pairs=False)

    def plain(size: int = 102_400) -> None:
        counts = np.zeros((u, u), dtype=np.int64)
        for _ in range(FLAT // size):
            weights = rng.dirichlet(np.ones(c), size)
            rank = np.argsort(np.argsort(-(weights @ utilities.T), axis=1), axis=1)
            counts += np.stack([np.bincount(rank[:, i], minlength=u) for i in range(u)])

    def loop(rank_of: Callable[[np.ndarray], np.ndarray], size: int) -> None:
        counts = np.zeros((u, u), dtype=np.int64)
        for weights in rng.dirichlet(np.ones(c), size):
            counts[np.arange(u), rank_of(weights).astype(int) - 1] += 1

    def by_pandas(weights: np.ndarray) -> np.ndarray:
        return (frame * weights).sum(axis=1).rank(ascending=False).to_numpy()

    def by_pymcdm(weights: np.ndarray) -> np.ndarray:
        return pymcdm.helpers.rankdata(method(utilities, weights, types), reverse=True)

    found: dict[str, tuple[Recipe, int]] = {
        "default install": (partial(ours, "never"), FLAT),
        "scoring core, default install": (partial(core, "never"), FLAT),
        "plain numpy": (plain, FLAT),
        "plain numpy in chunks": (lambda: plain(5_120), FLAT),
        "pandas loop": (lambda: loop(by_pandas, 400), 400),
        "pymcdm loop": (lambda: loop(by_pymcdm, 40), 40),
    }
    if importlib.util.find_spec("numba"):
        found["compiled"] = (partial(ours, "always"), FLAT)
        found["scoring core, compiled"] = (partial(core, "always"), FLAT)
    return found | parts(utilities)


def parts(utilities: np.ndarray) -> dict[str, tuple[Recipe, int]]:
    """Parts of the work alone, in the blocks that the package uses; no bookkeeping between them.

    In single precision, which is the cheaper one.
    """
    u, c = utilities.shape
    rng = np.random.Generator(np.random.SFC64(SEED))
    e, values = np.empty((BLOCK, c), np.float32), utilities.T.astype(np.float32)
    scores = np.empty((BLOCK, u), np.float32)
    rng.standard_exponential(out=e, dtype=np.float32)
    np.matmul(e, values, out=scores)
    keys = ((-scores * 1e4).astype(np.int32) << 6) + np.arange(u, dtype=np.int32)
    unsorted = [rng.permuted(keys, axis=1) for _ in range(REPEAT * (ROUNDS + 1))]
    cells = (np.argsort(scores, axis=1) + np.arange(u) * u).reshape(-1)

    def inversion() -> None:
        words = rng.bit_generator.random_raw(BLOCK * c // 2).view(np.uint32)
        flat = e.reshape(-1)
        np.copyto(flat, words, casting="unsafe")
        np.add(flat, np.float32(0.5), out=flat)
        np.multiply(flat, np.float32(2.0**-32), out=flat)
        np.log(flat, out=flat)
        np.negative(flat, out=flat)

    once: dict[str, Recipe] = {
        "product": lambda: np.matmul(e, values, out=scores),
        "ziggurat": lambda: rng.standard_exponential(out=e, dtype=np.float32),
        "inversion": inversion,
        "sort": lambda: unsorted.pop().sort(axis=1),
        "count": lambda: np.bincount(cells, minlength=u * u),
    }
    return {f"part: {name}": (partial(repeated, run), REPEAT * BLOCK) for name, run in once.items()}


def repeated(run: Recipe) -> None:
    for _ in range(REPEAT):
        run()


@pytest.fixture(scope="module")
def flat(utilities: np.ndarray) -> dict[str, float]:
    """CPU microseconds a draw of every contender: in turn, medians, the first round thrown away."""
    todo = recipes(utilities)
    times: dict[str, list[float]] = {name: [] for name in todo}
    for _ in range(ROUNDS + 1):
        for name, (run, _) in todo.items():
            times[name].append(cpu(run))
    per = {name: 1e6 * float(np.median(times[name][1:])) / n for name, (_, n) in todo.items()}
    for name, value in per.items():
        note("flat 49 x 135", name, value, "CPU us a draw")
    return per


def ratio(flat: dict[str, float], ours: str, theirs: str, wanted: str) -> float:
    if ours not in flat:
        pytest.skip("numba is not installed")
    found = flat[theirs] / flat[ours]
    note(f"flat 49 x 135, {ours}", f"times faster than {theirs}{wanted}", found, "")
    return found


@pytest.mark.parametrize(
    ("theirs", "least"), [("plain numpy", 2), ("pandas loop", 200), ("pymcdm loop", 1000)]
)
def test_default_install(flat: dict[str, float], theirs: str, least: float) -> None:
    """Draw, score, rank and count: 49 units, 135 criteria, weights uniform on the simplex.

    The scoring core does the same for any tree, in double precision, with sums of totals and of
    rank shifts besides; its figures are printed beside these.
    """
    if theirs == "plain numpy":
        ratio(flat, "default install", "plain numpy in chunks", "")
        ratio(flat, "scoring core, default install", "plain numpy", "")
    assert ratio(flat, "default install", theirs, f" (wanted {least})") > least


def test_compiled(flat: dict[str, float]) -> None:
    ratio(flat, "compiled", "plain numpy in chunks", "")
    ratio(flat, "compiled", "default install", "")
    ratio(flat, "scoring core, compiled", "plain numpy", "")
    assert ratio(flat, "compiled", "plain numpy", " (wanted 5)") > 5


def test_compiled_against_the_sum_of_its_parts(flat: dict[str, float]) -> None:
    """The floor: product, the cheaper of two generators of exponentials, sort, count."""
    if "compiled" not in flat:
        pytest.skip("numba is not installed")
    generator = min(flat["part: ziggurat"], flat["part: inversion"])
    floor = generator + sum(flat[f"part: {name}"] for name in ("product", "sort", "count"))
    note("flat 49 x 135", "sum of parts (floor)", floor, "CPU us a draw")
    for name in ("default install", "compiled"):
        wanted = " (wanted 2 at most)" if name == "compiled" else ""
        note(f"flat 49 x 135, {name}", f"times the floor{wanted}", flat[name] / floor, "")
    assert flat["compiled"] / floor < 2


def test_radius_of_the_list(year: pm.Year) -> None:
    """Exact radius of the excellent set, certificate and scoring included: under 0.5 s."""
    evaluation = pm.evaluate(year)
    for name in ("municipal_department", "municipal_department.indicator"):
        seconds = min(cpu(lambda n=name: rb.smallest_change(evaluation, n)) for _ in range(3))
        note("exact radius of the excellent set", f"{name}, CPU", seconds, "s")
        assert seconds < 0.5


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
