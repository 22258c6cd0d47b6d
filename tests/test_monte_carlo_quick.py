"""The sort of integers against `grading`, on blocks made to tie, overflow and fail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod import grading
from perfmethod.scoring import ordering, quick
from perfmethod.scoring.plan import compile_year
from perfmethod.scoring.slots import Slots


@st.composite
def blocks(draw: st.DrawFn) -> SimpleNamespace:
    """Totals of a few draws with pools, steps, ceilings, keys, in one plan."""
    u, k = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    decimals = draw(st.sampled_from([0, 1, 9]))
    total = rng.uniform(-5, 5, (k, u)).round(decimals) * draw(st.sampled_from([1.0, 100.0, 1e9]))
    p = draw(st.integers(1, 3))
    pools = np.sort(rng.integers(0, p, u)) if draw(st.booleans()) else rng.integers(0, p, u)
    _, pools = np.unique(pools, return_inverse=True)
    ladder = [_step(draw, rng, k, int(pools.max()) + 1) for _ in range(draw(st.integers(0, 3)))]
    ladder.append(grading.Step())
    ceiling = rng.integers(0, len(ladder), u) * (rng.random(u) < draw(st.sampled_from([0, 0.4])))
    words = {
        "edge_tie": draw(st.sampled_from(grading.EDGE_TIES)),
        "vetoed_place": draw(st.sampled_from(grading.VETOED_PLACES)),
    }
    keys = tuple(rng.integers(0, 3, (k, u)).astype(float) for _ in range(draw(st.integers(0, 2))))
    plan = SimpleNamespace(
        units=tuple(range(u)),
        unit_class=np.zeros(u, dtype=int) if draw(st.booleans()) else pools,
        pools=pools,
        ceiling=ceiling,
        scheme=SimpleNamespace(document={"grades": words}),
    )
    return SimpleNamespace(plan=plan, total=total, ladder=ladder, keys=keys, words=words)


def _step(draw: st.DrawFn, rng: np.random.Generator, k: int, p: int) -> grading.Step:
    places: Any = None
    least: Any = None
    if draw(st.booleans()):
        places = rng.integers(0, 4, (k, p) if draw(st.booleans()) else p)
    if draw(st.booleans()):
        least = rng.uniform(-5, 5, k if draw(st.booleans()) else ())
    return grading.Step(places, least)


@settings(max_examples=300)
@given(case=blocks())
def test_ranks_and_grades_are_those_of_the_full_rules(case: SimpleNamespace) -> None:
    compared, plan = np.round(case.total, 9), case.plan
    block = quick._Totals(plan, (), case.total, case.keys)
    slots = SimpleNamespace(
        once=lambda key, _, make: case.ladder if key == "steps" else make(), touches=lambda _: False
    )
    wanted = grading.assign(compared, plan.pools, case.ladder, keys=case.keys,
                            ceiling=plan.ceiling, **case.words)  # fmt: skip
    assert np.array_equal(quick._grades(block, slots), wanted.codes)
    order = ordering.Sorter.of(plan.unit_class).sort(case.total)
    ranks = grading.rank(compared, case.keys, by=plan.unit_class)
    rank = order.back(order.places)
    assert np.array_equal(rank[~order.tied], ranks[~order.tied])
    plain = grading.rank(compared, by=plan.unit_class)
    for code in np.unique(plan.unit_class):
        mine = plain[:, plan.unit_class == code]
        ties = np.array([len(set(row.tolist())) < len(row) for row in mine])
        assert order.tied[ties].all()


def test_totals_too_large_for_a_key_go_the_long_way() -> None:
    sorter = ordering.Sorter.of(np.zeros(3, dtype=int))
    big = np.array([[sorter.room, 1.0, 2.0], [1.0, 2.0, 3.0]])
    assert sorter.sort(big).tied.tolist() == [True, True]
    small = np.nextafter(sorter.room, 0.0)
    order = sorter.sort(np.array([[-small, small, 0.0]]))
    assert order.units.tolist() == [[1, 2, 0]]
    assert not order.tied.any()


def test_totals_that_differ_by_less_than_a_billionth_tie() -> None:
    sorter = ordering.Sorter.of(np.array([0, 0, 1]))
    order = sorter.sort(np.array([[5.0, 5.0 + 3e-10, 9.0], [5.0, 5.0 + 3e-9, 9.0]]))
    assert order.tied.tolist() == [True, False]


@pytest.mark.parametrize("base", [100.0, 1e12])
def test_large_totals_of_a_year_are_ranked(base: float) -> None:
    scheme = pm.Scheme.loads(
        f"format = 1\nbase = {base}\nclasses.city = {{}}\n"
        'indicators.a = { rule = { method = "identity" } }'
    )
    frame = pd.DataFrame({"unit_id": ["x", "y", "z"], "a": [50.0, 60.0, 50.0]})
    year = pm.Year.from_frames(scheme, actuals=frame)
    assert pm.simulate(year, {"indicators.a.weight": [1.0, 2.0]}).rank.tolist() == [[2, 1, 2]] * 2


def test_ranks_are_worked_out_when_they_are_asked_for() -> None:
    scheme = pm.Scheme.loads(
        'format = 1\nclasses.city = {}\nindicators.a = { rule = { method = "identity" } }'
    )
    frame = pd.DataFrame({"unit_id": ["x", "y"], "a": [50.0, 60.0]})
    year = pm.Year.from_frames(scheme, actuals=frame)
    plan = compile_year(year)
    found = quick.ranked(plan, Slots(scheme), 3)
    assert found.rank.tolist() == [[2, 1]] * 3
    assert found.total.tolist() == [[50.0, 60.0]] * 3
    assert found.grade is None
