"""Loops for a compiler: as plain functions and compiled, every byte is that of the arrays' way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.compiled import LARGE, VARIABLE, Kernels, kernels, loading, prepare, ready
from perfmethod.core import BLOCK
from perfmethod.errors import PerfmethodError
from perfmethod.scoring import counting, ordering, quick, tally
from perfmethod.uncertainty.region import Region
from perfmethod.uncertainty.sources import RandomSource
from tests.small_year import write_small_year
from tests.test_monte_carlo import FAMILIES, POWER, SCORE, SPECS, digest, flat
from tests.test_monte_carlo_quick import blocks


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path_factory.mktemp("year")))


def plain() -> Kernels:
    """The loops as they are written; a generator's words of 64 bits are meant to overflow."""

    def unit_floats(state: np.ndarray, out: np.ndarray) -> None:
        with np.errstate(over="ignore"):
            kernels.unit_floats(state, out)

    loops = Kernels(*(getattr(kernels, name) for name in Kernels._fields))
    return loops._replace(unit_floats=unit_floats)


@pytest.fixture(params=["plain", "compiled"])
def loops(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    """The loops as they are written, and compiled where numba is installed."""
    found = plain() if request.param == "plain" else loading.compiled()
    if found is None:
        pytest.skip("numba is not installed")
    yield found
    loading._State.loops = None


class Use:
    """Use some loops, or none, in a block of code."""

    def __init__(self, loops: Kernels | None) -> None:
        self.loops = loops

    def __enter__(self) -> None:
        loading._State.loops = self.loops

    def __exit__(self, *_: object) -> None:
        loading._State.loops = None


# ---- loop by loop


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=blocks())
def test_orders_and_grades_have_the_same_bytes(loops: Kernels, case: SimpleNamespace) -> None:
    block = quick._Totals(case.plan, (), case.total, case.keys)
    slots: Any = SimpleNamespace(
        once=lambda key, _, make: case.ladder if key == "steps" else make(), touches=lambda _: False
    )
    sorter = ordering.Sorter.of(case.plan.unit_class)
    found = []
    for used in (None, loops):
        with Use(used):
            order = sorter.sort(case.total)
            places = order.back(order.places)
            found.append((order, places, quick._grades(block, slots)))
    (mine, places, grade), (theirs, same_places, same_grade) = found
    assert np.array_equal(mine.units, theirs.units)
    assert np.array_equal(mine.tied, theirs.tied)
    assert np.array_equal(places, same_places)
    assert places.dtype == same_places.dtype
    assert np.array_equal(grade, same_grade)
    assert grade.dtype == same_grade.dtype


@pytest.mark.parametrize("k", [1, 7, 64])
def test_counts_have_the_same_bytes(loops: Kernels, k: int) -> None:
    rng = np.random.default_rng(k)
    codes = np.array([0, 0, 1, 0, 1, 1, 1])
    order = ordering.Sorter.of(codes).sort(rng.normal(size=(k, 7)).round(1))
    full = order.tied | (rng.random(k) < 0.2)
    block: Any = SimpleNamespace(order=order, full=full, corrected=np.zeros((full.sum(), 7)))
    away = np.abs(np.arange(1, 5)[:, None] - rng.integers(1, 5, 7))
    rank = order.back(order.places).T
    wanted = counting._untied(block, away), counting._above(rank)
    block.order = order._replace(units=order.units.astype(np.uint16))
    with Use(loops):
        counts, above = counting._untied(block, away), counting._above(rank)
    for mine, theirs in zip(counts, wanted[0], strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(above, wanted[1])


def test_random_numbers_have_the_same_bytes(loops: Kernels) -> None:
    key = np.random.SeedSequence(5)
    region = Region((0.0,) * 3, (1.0,) * 3)
    wanted = [RandomSource(key, 33).exponential(3), RandomSource(key, 33).normal(5)]
    weights = region.draw(RandomSource(key), 100.0)
    with Use(loops):
        found = [RandomSource(key, 33).exponential(3), RandomSource(key, 33).normal(5)]
        same = region.draw(RandomSource(key), 100.0)
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.tobytes() == theirs.tobytes()
    assert same.tobytes() == weights.tobytes()


def test_the_largest_word_is_still_a_share() -> None:
    out = np.empty(2, np.float32)
    draw = plain().unit_floats
    draw(np.array([0, 0, 7, 0], np.uint64), out)
    assert (out == np.float32(2.0**-33)).all()
    draw(np.array([2**64 - 1, 0, 7, 0], np.uint64), out)
    assert (out == 1).all()


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_the_generator_goes_on_where_it_was(loops: Kernels, n: int) -> None:
    mine, theirs = (RandomSource(np.random.SeedSequence(3), n) for _ in range(2))
    with Use(loops):
        mine.exponential(1)
    theirs.exponential(1)
    assert mine.uniform(2).tobytes() == theirs.uniform(2).tobytes()


# ---- whole runs


DRAWS = 2 * BLOCK + 77


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    loading._State.loops = None


def test_a_run_has_the_same_bytes(
    year: pm.Year, environment: pytest.MonkeyPatch, loops: Kernels
) -> None:
    environment.setenv(VARIABLE, "never")
    size = DRAWS if loops is loading.compiled() else 300  # plain loops take their time
    draws = un.draw(year, size, *SPECS, seed=4)
    wanted, totals = digest(tally(year, draws, families=FAMILIES)), pm.simulate(year, draws)
    assert ready() is None
    environment.setenv(VARIABLE, "always")
    environment.setattr(loading, "compiled", lambda: loops)
    assert digest(tally(year, draws, families=FAMILIES)) == wanted
    assert ready() is loops
    for workers in (1, 2, 4):
        with ThreadPoolExecutor(workers) as pool:
            how: dict[str, Any] = {"executor": pool, "blocks_per_task": 1}
            assert digest(tally(year, draws, families=FAMILIES, **how)) == wanted
    found = pm.simulate(year, draws)
    for name in ("total", "rank", "grade"):
        assert getattr(found, name).tobytes() == getattr(totals, name).tobytes()


def test_ties_and_failures_have_the_same_bytes(
    year: pm.Year, environment: pytest.MonkeyPatch, loops: Kernels
) -> None:
    twins = flat(np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]]))
    draws = {POWER: np.array([1.0, 0.0, 0.5, 0.0, 0.0]), SCORE: np.array([50.0, -5, 60, -1, 70])}
    jobs = [(twins, un.draw(twins, 200, un.simplex("all"), seed=1)), (year, draws)]
    for one, what in jobs:
        environment.setattr(loading, "compiled", lambda: loops)
        found = []
        for said in ("never", "always"):
            environment.setenv(VARIABLE, said)
            counts = tally(one, what)
            found.append([counts.ranks, counts.wins, counts.ties, counts.total, counts.squares,
                          counts.shift, counts.failures])  # fmt: skip
        for mine, theirs in zip(*found, strict=True):
            assert np.array_equal(mine, theirs)


def test_workers_read_the_word_for_themselves(
    year: pm.Year, environment: pytest.MonkeyPatch
) -> None:
    if loading.compiled() is None:
        pytest.skip("numba is not installed")
    draws = un.draw(year, DRAWS, *SPECS, seed=0)
    environment.setenv(VARIABLE, "never")
    wanted = digest(tally(year, draws, families=FAMILIES))
    environment.setenv(VARIABLE, "always")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(prepare, 1).result()
        assert digest(tally(year, draws, families=FAMILIES, executor=pool)) == wanted


# ---- when


def test_the_word_decides(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(loading, "compiled", plain)
    for said, draws, wanted in [
        ("never", LARGE, False), ("always", 1, True), ("auto", LARGE - 1, False),
        ("auto", LARGE, True), ("", LARGE, True), ("", 1, False),
    ]:  # fmt: skip
        environment.setenv(VARIABLE, said)
        assert prepare(draws) is wanted
        assert (ready() is not None) is wanted
    environment.setenv(VARIABLE, "alway")
    with pytest.raises(PerfmethodError, match="did you mean 'always'"):
        prepare(1)


def test_without_numba_the_arrays_do(year: pm.Year, environment: pytest.MonkeyPatch) -> None:
    environment.setitem(sys.modules, "numba", None)
    environment.setattr(loading, "compiled", loading.compiled.__wrapped__)
    environment.delenv(VARIABLE, raising=False)
    assert prepare(LARGE) is False
    environment.setenv(VARIABLE, "always")
    with pytest.raises(PerfmethodError, match=r"perfmethod\[fast\]"):
        pm.simulate(year, {"base": [1000.0]})


def test_importing_loads_no_compiler() -> None:
    code = "import sys, perfmethod.scoring, perfmethod.compiled; assert 'numba' not in sys.modules"
    import subprocess

    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
