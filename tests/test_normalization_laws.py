"""Laws every normalization rule keeps; a new rule is tested as soon as it has an example here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod import normalization as nz
from perfmethod.normalization import METHODS

Array = np.ndarray
few = settings(max_examples=20, deadline=None)  # times some forty rules, in both directions
LADDER = {"thresholds": [20, 50, 90], "scores": [0, 10, 35, 100], "tops": [0, 25, 65, 100]}

# every rule with its required parameters, for the direction it is written for
EXAMPLES: dict[str, dict[str, Any]] = {name: {} for name in METHODS} | {
    "goalposts": {"lower": -10.0, "upper": 30.0},
    "efficacy_exponential": {"lower": -10.0, "upper": 30.0},
    "interval": {"lower": -10.0, "upper": 30.0},
    "logistic": {"middle": 5.0, "slope": 0.1},
    "checklist": {"items": 10.0},
    "distance_to_reference": {"reference": 20.0},
    "completion_ladder": LADDER,
    "step_ladder": LADDER,
    "five_band": {"columns": [40.0, 30.0, 20.0, 10.0, 0.0]},
}
# more parameters, so that every one of them carries draws somewhere
FULL: dict[str, dict[str, Any]] = {
    "completion_ratio": {"cap": 1.2, "bonus_rate": 0.5},
    "threshold": {"met": 90.0, "missed": 10.0},
    "ceiling": {"floor": 20.0},
    "linear_deduction": {"k": 3.0, "step": 0.5, "floor": 10.0, "whole_steps": True},
    "deviation": {"k": 3.0, "step": 0.5, "relative": False, "floor": 10.0, "whole_steps": True},
    "growth_anchor": {"at_target": 70.0, "per_point": 2.0, "cap": 90.0, "floor": 30.0},
    "tiered_diminishing": {"base": 60.0, "width": 5.0, "divisors": [10.0, 20.0], "floor": 5.0},
    "distance_to_target": {"worst": -20.0, "truncate": False},
    "minmax": {"to": [1.0, 90.0], "lower": -20.0, "upper": 20.0},
    "efficacy": {"base": 40.0, "lower": -20.0, "upper": 20.0},
    "zscore": {"to": [50.0, 10.0], "mean": 3.0, "sd": 2.0},
    "distance_to_maximum": {"lower": -20.0, "upper": 20.0},
    "distance_to_reference": {"reference": 20.0, "worst": -10.0, "truncate": True},
    "ratio_to_best": {"best": 30.0},
    "max_linear": {"largest": 30.0},
    "sum_share": {"whole": 30.0},
    "vector": {"norm": 30.0},
    "logarithmic": {"log_sum": 30.0, "count": 4.0},
    "rank_points": {"points": [90.0, 50.0, 20.0], "floor": 5.0},
    "goalposts": {"lower": -10.0, "upper": 30.0, "truncate": False},
    "efficacy_exponential": {"lower": -10.0, "upper": 30.0, "base": 40.0, "truncate": False},
    "identity": {"scale": 2.0},
    "interval": {"lower": -9.0, "upper": 9.0, "k": 2.0, "step": 3.0, "floor": 9.0},
    "control_count": {"k": 3.0, "allowed": 2.0, "floor": 10.0},
    "checklist": {"items": 10.0, "deduct": 3.0, "floor": 10.0},
    "five_band": {**EXAMPLES["five_band"], "scores": [90.0, 80, 70, 60, 50], "below": 5.0},
    "levels": {"scores": [90.0, 60.0, 30.0, 20.0], "lows": [70.0, 40.0, 20.0, 0.0]},
}
RANGES = {"levels": (0.0, 3.0), "logarithmic": (1.5, 50.0)}  # the others take any value
PLACES = {"rank", "borda", "percentile_rank", "rank_points"}
FIXED = [n for n, rule in METHODS.items() if rule.learns is None and n not in PLACES]
NOT_MONOTONE = {"interval", "deviation", "levels"}  # levels fall, the other two rise and fall
RAW = {"allow_nan": False, "width": 32}  # differences between values are then never lost


def columns(name: str, *, least: int = 1, low: float | None = None) -> st.SearchStrategy[Array]:
    """Values of 1 to 6 units, some of them equal and some missing."""
    lower, upper = RANGES.get(name, (-50.0, 50.0))
    lower = lower if low is None else low
    value = st.one_of(st.just(float(np.ceil(lower))), st.floats(lower, upper, **RAW))
    size = st.integers(least, 6)
    return size.flatmap(lambda n: hnp.arrays(float, n, elements=st.one_of(value, st.just(np.nan))))


def both_directions(names: Any = METHODS) -> list[tuple[str, int]]:
    return [(name, d) for name in names for d in METHODS[name].directions]


def apply(name: str, x: Array, target: Any, direction: int, params: dict[str, Any]) -> Array:
    return nz.normalize(x, name, target=target, direction=direction, **params)


def as_measured(name: str, params: dict[str, Any], direction: int) -> dict[str, Any]:
    """Return example parameters on the scale where less is better, if that is the direction."""
    rule = METHODS[name]
    if direction == rule.natural or rule.reversal != "mirror":
        return params
    out = {n: p if n not in rule.on_scale else (-np.array(p)).tolist() for n, p in params.items()}
    if "lower" in rule.on_scale and "lower" in out:
        out["lower"], out["upper"] = out["upper"], out["lower"]
    return out


def test_every_rule_has_examples_that_pass_the_check() -> None:
    assert set(EXAMPLES) == set(METHODS)
    with_parameters = {name for name, rule in METHODS.items() if rule.parameters}
    assert with_parameters == {*FULL, "logistic", "completion_ladder", "step_ladder"}
    for name, direction in both_directions():
        for params in (EXAMPLES[name], FULL.get(name, {})):
            if params or not EXAMPLES[name]:
                written = as_measured(name, params, direction)
                assert nz.check(name, written, direction=direction) == [], name


@pytest.mark.parametrize(("name", "direction"), both_directions())
@few
@given(data=st.data())
def test_shape_missing_values_and_bounds(name: str, direction: int, data: st.DataObject) -> None:
    x = data.draw(columns(name))
    target = data.draw(st.floats(-50, 50, **RAW))
    scores = apply(name, x, target, direction, as_measured(name, EXAMPLES[name], direction))
    assert scores.shape == x.shape
    assert scores.dtype == float
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(x))
    assert not np.isinf(scores).any()
    if METHODS[name].bounds is not None:
        low, high = METHODS[name].bounds
        known = scores[~np.isnan(scores)]
        assert np.all((known >= low) & (known <= high + 1e-12))


@pytest.mark.parametrize("name", [n for n, rule in METHODS.items() if rule.needs_target])
def test_missing_target_is_a_missing_score(name: str) -> None:
    scores = apply(name, np.array([1.0, 2.0]), [np.nan, 1.0], 1, EXAMPLES[name])
    assert np.isnan(scores).tolist() == [True, False]


@pytest.mark.parametrize(("name", "direction"), both_directions())
@few
@given(data=st.data())
def test_monotone(name: str, direction: int, data: st.DataObject) -> None:
    x = data.draw(columns(name, least=2, low=1.5 if METHODS[name].reversal == "own" else None))
    target = data.draw(st.floats(-50, 50, **RAW))
    scores = apply(name, x, target, direction, as_measured(name, EXAMPLES[name], direction))
    if name == "levels":
        direction = -1
    elif name in NOT_MONOTONE:
        return
    order = np.argsort(direction * x)
    climbing = scores[order][~np.isnan(scores[order])]
    assert np.all(np.diff(climbing) >= -1e-11)


@pytest.mark.parametrize("name", ["interval", "deviation"])
@few
@given(data=st.data())
def test_closer_is_better(name: str, data: st.DataObject) -> None:
    x = data.draw(columns(name))
    target = 10.0  # the middle of the example's interval too
    scores = apply(name, x, target, 1, EXAMPLES[name])
    order = np.argsort(-np.abs(x - target))
    climbing = scores[order][~np.isnan(scores[order])]
    assert np.all(np.diff(climbing) >= -1e-11)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("name", "direction"), both_directions())
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_leading_axis_is_a_loop(name: str, direction: int, full: bool, data: st.DataObject) -> None:
    k = 3
    examples = FULL.get(name, EXAMPLES[name]) if full else EXAMPLES[name]
    params = as_measured(name, examples, direction)
    x = np.stack([np.resize(data.draw(columns(name)), 4) for _ in range(k)])
    target = data.draw(hnp.arrays(float, (k, 4), elements=st.floats(-50, 50, **RAW)))
    factor = np.array([1.0, 0.9, 0.7])
    drawn = {n: p if isinstance(p, bool) else stretched(p, factor) for n, p in params.items()}
    together = apply(name, x, target, direction, drawn)
    for i in range(k):
        one = {n: p if isinstance(p, bool) else p[i, 0] for n, p in drawn.items()}
        np.testing.assert_array_equal(together[i], apply(name, x[i], target[i], direction, one))
    # draws on the parameters alone, and on the values alone
    for i in range(k):
        one = {n: p if isinstance(p, bool) else p[i, 0] for n, p in drawn.items()}
        alone = apply(name, x[0], target[0], direction, drawn)
        wanted = apply(name, x[0], target[0], direction, one)
        np.testing.assert_array_equal(np.broadcast_to(alone, (k, 4))[i], wanted)
        values = apply(name, x, target[0], direction, params)
        np.testing.assert_array_equal(values[i], apply(name, x[i], target[0], direction, params))


def stretched(value: Any, factor: Array) -> Array:
    """Return a number as (k, 1) or a list as (k, 1, L), a different multiple in each draw."""
    value = np.asarray(value, dtype=float)
    return factor.reshape(-1, 1, *([1] * value.ndim)) * value


@pytest.mark.parametrize(("name", "direction"), both_directions())
@few
@given(data=st.data())
def test_what_was_learned_gives_the_same_scores(
    name: str, direction: int, data: st.DataObject
) -> None:
    x, target = data.draw(columns(name)), 10.0
    params = as_measured(name, EXAMPLES[name], direction)
    kept = nz.learn(x, name, direction=direction, **params)
    scores = apply(name, x, target, direction, params)
    np.testing.assert_array_equal(apply(name, x, target, direction, kept), scores)
    assert kept.items() >= params.items()
    assert nz.learn(x, name, direction=direction, **kept).keys() == kept.keys()
    if METHODS[name].learns and not np.isnan(x).all():
        # kept parameters are not learned again: a unit's score does not see the others any more
        alone = apply(name, x[:1], target, direction, kept)
        np.testing.assert_array_equal(alone, scores[:1])
        assert all(isinstance(value, float) for value in kept.values())
        # a scheme may hold what was learned, whatever the values were
        assert nz.check(name, kept, direction=direction) == []


@few
@given(data=st.data())
@pytest.mark.parametrize("name", [n for n, rule in METHODS.items() if rule.learns])
def test_learning_keeps_the_leading_axis(name: str, data: st.DataObject) -> None:
    x = np.stack([np.resize(data.draw(columns(name)), 4) for _ in range(3)])
    kept = nz.learn(x, name, **EXAMPLES[name])
    for i in range(3):
        for parameter, value in nz.learn(x[i], name, **EXAMPLES[name]).items():
            each = kept[parameter]
            np.testing.assert_array_equal(each if np.ndim(each) == 0 else each[i, 0], value)


@pytest.mark.parametrize("name", [n for n, r in METHODS.items() if r.reversal == "mirror"])
@pytest.mark.parametrize("full", [False, True])
@few
@given(data=st.data())
def test_mirror(name: str, full: bool, data: st.DataObject) -> None:
    params = FULL.get(name, EXAMPLES[name]) if full else EXAMPLES[name]
    x, target = data.draw(columns(name)), data.draw(st.floats(-50, 50, **RAW))
    natural = METHODS[name].natural
    turned = as_measured(name, params, -natural)
    np.testing.assert_array_equal(
        apply(name, x, target, natural, params), apply(name, -x, -target, -natural, turned)
    )


@pytest.mark.parametrize("name", [n for n, r in METHODS.items() if r.reversal == "reciprocal"])
@few
@given(data=st.data())
def test_reciprocal(name: str, data: st.DataObject) -> None:
    x = data.draw(columns(name, low=0.5))
    target = data.draw(st.sampled_from([0.5, 2.0, 8.0]))
    x = np.round(x * 2) / 2
    turned = apply(name, 1 / x, 1 / target, -1, EXAMPLES[name])
    np.testing.assert_allclose(turned, apply(name, x, target, 1, EXAMPLES[name]), rtol=1e-12)


@pytest.mark.parametrize("name", FIXED)
@few
@given(data=st.data())
def test_another_unit_changes_nothing_where_points_are_fixed(
    name: str, data: st.DataObject
) -> None:
    x = data.draw(columns(name))
    more = np.append(x, data.draw(columns(name)))
    direction = METHODS[name].natural
    few = apply(name, x, 10.0, direction, EXAMPLES[name])
    many = apply(name, more, 10.0, direction, EXAMPLES[name])
    np.testing.assert_array_equal(few, many[: len(x)])


@few
@given(data=st.data())
@pytest.mark.parametrize("name", METHODS)
def test_order_of_the_units_does_not_matter(name: str, data: st.DataObject) -> None:
    x = data.draw(columns(name))
    order = np.array(data.draw(st.permutations(range(len(x)))))
    direction = METHODS[name].natural
    scores = apply(name, x, 10.0, direction, EXAMPLES[name])
    shuffled = apply(name, x[order], 10.0, direction, EXAMPLES[name])
    np.testing.assert_allclose(shuffled, scores[order], rtol=1e-10, atol=1e-10)


@given(x=columns("rank"))
def test_ranks_are_those_of_scipy(x: Array) -> None:
    from scipy.stats import rankdata

    known = ~np.isnan(x)
    np.testing.assert_array_equal(nz.rank(x)[known], rankdata(x[known], method="min"))
    np.testing.assert_array_equal(nz.borda(x)[known], rankdata(x[known], method="average") - 1)
