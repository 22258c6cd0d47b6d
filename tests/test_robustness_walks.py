"""Intervals of single numbers: other means by bisection, modes of the survey, option scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod import robustness as rb
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.robustness.bisection import WIDTH, first_changes
from perfmethod.robustness.stability import _ends, _watch
from perfmethod.robustness.walks import OPTIONS, walks
from tests.random_years import Made, years
from tests.small_robust import city, simplex_grid, surveyed

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
few = settings(max_examples=8, deadline=None, suppress_health_check=CHECKS)


def _state(scored: pm.Simulation, keep: str | tuple[str, str]) -> np.ndarray:
    if keep == "best_grade":
        assert scored.grade is not None
        return scored.grade == 0
    if keep == "ranking":
        return scored.rank
    at = [scored.units.index(u) for u in keep]
    return np.sign(np.round(scored.total[:, [at[0]]] - scored.total[:, [at[1]]], 9))


def _agree_with_a_dense_line(
    evaluation: pm.Evaluation, names: list[str], keep: str | tuple[str, str], steps: int = 1000
) -> int:
    """Compare every interval with scoring on a line; the number of ends that are a change."""
    table = rb.stability_intervals(evaluation, names, keep=keep).intervals
    ends, edge = 0, 1 / steps
    for walk, row in zip(walks(evaluation, names), table.itertuples(), strict=True):
        x = np.linspace(edge / 2, 1 - edge / 2, steps)
        just = [v for end, by, way in ((row.low, row.low_by, -1), (row.high, row.high_by, 1))
                if by for v in (end - way * 1e-7, end + way * 1e-7)]  # fmt: skip
        state = _state(
            pm.simulate(evaluation.year, walk.patch(np.array([row.share, *just, *x]))), keep
        )
        same = (state == state[0]).all(-1)
        # scored just inside (it holds) and just outside (it does not)
        assert same[1 : 1 + len(just)].tolist() == [True, False] * (len(just) // 2)
        held = same[1 + len(just) :]
        low = x[(x < row.share) & ~held].max(initial=0.0)
        high = x[(x > row.share) & ~held].min(initial=1.0)
        assert low <= row.low + 1e-9
        assert row.low <= low + 1.1 * edge
        assert row.high <= high + 1e-9
        assert high - 1.1 * edge <= row.high
        ends += len(just) // 2
    return ends


# ---- means of other powers


@pytest.mark.parametrize("keep", ["best_grade", "ranking", ("U0", "U2")])
@pytest.mark.parametrize(("seed", "power"), [(1, 0.0), (2, -1.0), (3, 2.0), (4, 0.5)])
def test_intervals_under_other_means_against_a_dense_line(
    seed: int, power: float, keep: str | tuple[str, str]
) -> None:
    year = city(seed, missing=0.3, least=60.0 if seed == 3 else None)
    evaluation = pm.evaluate(year.with_scheme(year.scheme.patch({"classes.city.power": power})))
    row = rb.families(evaluation).loc["city"]
    assert row["form"] == "monotone"
    assert f"power {power:g}" in row["why_not"]
    ends = _agree_with_a_dense_line(evaluation, ["city"], keep)
    assert ends > 0 or isinstance(keep, tuple)


@pytest.mark.parametrize("keep", ["best_grade", "ranking"])
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_bisection_finds_what_the_closed_forms_find(seed: int, keep: str) -> None:
    """Under arithmetic means both are at hand."""
    evaluation = pm.evaluate(city(seed, missing=0.3, least=65.0 if seed == 5 else None))
    moved, watch = walks(evaluation, ["city"]), _watch(evaluation, keep)
    exact = _ends(evaluation, moved, watch)
    found = first_changes(evaluation, [w._replace(totals=None) for w in moved], watch)
    for pair, (low, high) in enumerate(exact):
        for (at, by), (x, who) in zip((low, high), found[2 * pair : 2 * pair + 2], strict=True):
            assert x == pytest.approx(at, abs=2 * WIDTH)
            assert who == by


def test_geometric_mean_by_hand() -> None:
    """sqrt(90 * 60) against 75: x log 90 + (1 - x) log 60 = log 75 at x = log 1.25 / log 1.5."""
    scheme = pm.Scheme.loads("""
        format = 1
        [classes.city]
        power = 0
        [indicators]
        roads = { rule = { method = "identity" } }
        water = { rule = { method = "identity" } }
    """)
    year = pm.Year.from_frames(
        scheme,
        actuals=pd.DataFrame({"unit_id": ["A", "B"], "roads": [90, 75], "water": [60, 75]}),
    )
    found = rb.stability_intervals(pm.evaluate(year), keep="ranking").intervals
    at = np.log(1.25) / np.log(1.5)
    assert found["low"].tolist() == pytest.approx([0.0, 1 - at], abs=WIDTH)
    assert found["high"].tolist() == pytest.approx([at, 1.0], abs=WIDTH)
    assert found["high_by"].tolist() == ["A = B", ""] or found["high_by"].tolist() == ["B = A", ""]


def test_searches_in_several_directions_stay_refused_under_other_means() -> None:
    year = city(1)
    evaluation = pm.evaluate(year.with_scheme(year.scheme.patch({"classes.city.power": 0.5})))
    for run in (rb.smallest_change, rb.preferences, rb.rank_ranges, rb.family):
        with pytest.raises(PerfmethodError, match=r"power 0\.5; allowed: weights below arith"):
            run(evaluation, "city")


@few
@given(years(), st.sampled_from(["best_grade", "ranking"]))
def test_intervals_under_any_mean_hold_inside(made: Made, keep: str) -> None:
    """Whatever is called monotone has totals between their ends, and its intervals hold."""
    try:
        evaluation = pm.evaluate(made.year)
    except (DataError, ValueError):
        assume(False)
        raise
    assume("grades" in evaluation.year.scheme.document or keep == "ranking")
    table = rb.families(evaluation)
    names = list(table.index[(table["form"] == "monotone") & (table["weights"] > 1)])[:2]
    assume(names)
    found = rb.stability_intervals(evaluation, names, keep=keep).intervals
    for walk, row in zip(walks(evaluation, names), found.itertuples(), strict=True):
        line = np.linspace(1e-6, 1 - 1e-6, 30)
        totals = pm.simulate(evaluation.year, walk.patch(line)).total
        steps = np.diff(totals, axis=0)
        small = 1e-9 * np.abs(totals).max()
        assert ((steps >= -small).all(0) | (steps <= small).all(0)).all()
        if row.high - row.low < 1e-6:  # a tie
            continue
        x = row.low + (row.high - row.low) * np.array([0.001, 0.3, 0.7, 0.999])
        x = np.append(walk.start, x[(x > 1e-9) & (x < 1 - 1e-9)])
        state = _state(pm.simulate(evaluation.year, walk.patch(x)), keep)
        assert (state == state[0]).all()


# ---- modes and options of the survey


@pytest.mark.parametrize("seed", range(4))
def test_modes_are_weights_where_the_scheme_weighs_them(seed: int) -> None:
    """Cells that no mode, or one mode, has filled included; pooled ballots have no such weights."""
    year = surveyed(seed)
    evaluation = pm.evaluate(year)
    table = rb.families(evaluation)
    one = rb.family(evaluation, "survey.modes")
    assert one.children == ("net", "field", "post")
    w = np.random.default_rng(seed).dirichlet(np.ones(3), 6)
    scored = pm.simulate(evaluation.year, one.patch(w)).total
    assert np.ptp(scored, axis=0).max() > 0.1
    np.testing.assert_allclose(one.totals.at(w), scored, rtol=1e-12)
    np.testing.assert_allclose(one.totals.at(one.share), evaluation.scores["total"], rtol=1e-12)
    assert table.at["survey.modes", "form"] in {"ratio", "ratios"}
    pooled = year.with_scheme(year.scheme.patch({"survey.combine_modes": "ballots"}))
    assert "survey.modes" not in rb.families(pm.evaluate(pooled)).index


@pytest.mark.parametrize("keep", ["best_grade", "ranking"])
@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_modes_and_options_against_a_dense_line(seed: int, keep: str) -> None:
    evaluation = pm.evaluate(surveyed(seed))
    modes = _agree_with_a_dense_line(evaluation, ["survey.modes"], keep)
    options = _agree_with_a_dense_line(evaluation, [OPTIONS], keep)
    assert keep == "best_grade" or (modes > 0 and options > 0)


def test_the_smallest_change_of_modes_against_a_dense_grid() -> None:
    """Ballots in every cell: one set of modes, so that totals are linear."""
    year = surveyed(5, missing=0.0)
    evaluation = pm.evaluate(year)
    one = rb.family(evaluation, "survey.modes")
    grid = simplex_grid(3, 120)
    scored = pm.simulate(year, one.patch(np.vstack([one.share, grid])))
    held = _state(scored, "best_grade")
    changed = grid[(held[1:] != held[0]).any(-1)]
    found = rb.smallest_change(evaluation, "survey.modes")
    brute = np.abs(changed - one.share).sum(-1).min() if len(changed) else np.inf
    assert found.lower <= brute + 1e-12
    assert found.confirmed
    assert brute <= found.distance + 3 / 120


def test_modes_of_weight_zero_are_refused() -> None:
    year = surveyed(1)
    changed = year.scheme.patch({"survey.modes.post.weight": 0, "survey.modes.field.weight": 0})
    why = rb.families(pm.evaluate(year.with_scheme(changed))).at["survey.modes", "why_not"]
    assert "only weights of zero in survey.modes" in why


def test_option_scores_are_of_100_and_asked_for_by_name() -> None:
    evaluation = pm.evaluate(surveyed(1))
    table = rb.stability_intervals(evaluation, [OPTIONS], keep="ranking").intervals
    assert table["child"].tolist() == ["1", "2", "3"]  # the fourth is no answer
    assert table["weight"].tolist() == [100, 70, 30]
    assert table["path"].tolist()[1] == "survey.options.2.score"
    np.testing.assert_allclose(table["low_weight"], 100 * table["low"])
    assert OPTIONS not in set(rb.stability_intervals(evaluation).intervals["family"])
    with pytest.raises(PerfmethodError, match=r"no survey whose 'survey\.options'"):
        rb.stability_intervals(pm.evaluate(city(1)), [OPTIONS])
    high = evaluation.year.scheme.patch({"survey.options.1.score": 120})
    with pytest.raises(PerfmethodError, match="score of 120"):
        rb.stability_intervals(pm.evaluate(evaluation.year.with_scheme(high)), [OPTIONS])


@pytest.mark.parametrize("power", [0.0, 3.0])
def test_option_scores_under_other_means(power: float) -> None:
    """No total falls when an option scores more, whatever the means above."""
    year = surveyed(2)
    evaluation = pm.evaluate(year.with_scheme(year.scheme.patch({"classes.city.power": power})))
    assert all(walk.totals is None for walk in walks(evaluation, [OPTIONS]))
    assert _agree_with_a_dense_line(evaluation, [OPTIONS], "ranking") > 0


def test_options_of_2009_hold_inside_and_break_outside() -> None:
    evaluation = pm.evaluate(pm.Year.load(Path(__file__).resolve().parents[1] / "data" / "2009"))
    _agree_with_a_dense_line(evaluation, [OPTIONS], "best_grade", 400)
