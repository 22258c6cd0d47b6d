"""Laws of robustness on random years: every kind of tree, portfolio, survey, quota and veto."""

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
from tests.random_years import Made, years
from tests.small_year import write_small_year

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
some = settings(max_examples=25, deadline=None, suppress_health_check=CHECKS)
few = settings(max_examples=10, deadline=None, suppress_health_check=CHECKS)


def _evaluated(made: Made) -> pm.Evaluation:
    try:
        return pm.evaluate(made.year)
    except (DataError, ValueError):  # a unit with nothing to score; fewer places than the floors
        assume(False)
        raise


@some
@given(years(), st.integers(0, 2**32 - 1))
def test_totals_of_every_family_are_those_of_the_core(made: Made, seed: int) -> None:
    """A family is offered only where its totals are the ratios that it says they are."""
    evaluation, rng = _evaluated(made), np.random.default_rng(seed)
    full = float(evaluation.year.scheme.number("base"))
    table = rb.families(evaluation)
    for name in table.index[table["form"].isin(["linear", "ratio", "ratios"])]:
        one = rb.family(evaluation, name)
        w = rng.dirichlet(np.ones(one.share.size), 3)
        scored = pm.simulate(evaluation.year, one.patch(w)).total
        np.testing.assert_allclose(one.totals.at(w), scored, rtol=1e-11, atol=1e-11 * full)
        nominal = one.totals.at(one.share)
        np.testing.assert_allclose(
            nominal, evaluation.scores["total"], rtol=1e-11, atol=1e-11 * full
        )


@few
@given(years(arithmetic=True), st.integers(0, 2**32 - 1), st.sampled_from(list(rb.NORMS)))
def test_the_list_holds_inside_every_radius(made: Made, seed: int, norm: str) -> None:
    evaluation, rng = _evaluated(made), np.random.default_rng(seed)
    assume("grades" in evaluation.year.scheme.document)
    table = rb.families(evaluation)
    offered = table.index[table["form"].isin(["linear", "ratio"]) & (table["weights"] > 1)]
    for name in offered[:2]:
        one = rb.family(evaluation, name)
        try:
            found = rb.smallest_change(evaluation, name, norm=norm)
        except PerfmethodError as error:  # weights that count in several nodes
            assert "several nodes" in str(error)  # noqa: PT017 - the rest of the law needs none
            continue
        reach = min(found.lower, 1.0) * (1 - 1e-6)
        steps = rng.normal(size=(60, one.share.size))
        steps -= steps.mean(1, keepdims=True)
        size = np.array([rb.NORMS[norm].size(s) for s in steps])[:, None]
        w = one.share + steps / size * reach * rng.random((60, 1))
        w = np.vstack([one.share, w[(w > 1e-3).all(1)]])
        held = pm.simulate(evaluation.year, one.patch(w)).grade == 0
        assert (held == held[0]).all()


@few
@given(years(arithmetic=True), st.sampled_from(["best_grade", "ranking"]))
def test_intervals_contain_the_nominal_weight_and_hold_inside(made: Made, keep: str) -> None:
    evaluation = _evaluated(made)
    assume("grades" in evaluation.year.scheme.document or keep == "ranking")
    found = rb.stability_intervals(evaluation, keep=keep).intervals
    assert (found["low"] <= found["share"] + 1e-12).all()
    assert (found["high"] >= found["share"] - 1e-12).all()
    for row in found.head(6).itertuples():
        one = rb.family(evaluation, row.family)
        x = row.low + (row.high - row.low) * np.array([0.001, 0.3, 0.7, 0.999])
        w = np.vstack([one.share, rb.along(one.share, one.positions[row.child], x)])
        w = w[(w > 0).all(1) | (np.arange(len(w)) == 0)]
        if row.high - row.low < 1e-6:  # a tie: there is no inside
            continue
        scored = pm.simulate(evaluation.year, one.patch(w))
        state = scored.rank if keep == "ranking" else scored.grade == 0
        assert (state == state[0]).all()


@few
@given(years(arithmetic=True))
def test_what_is_necessary_is_possible(made: Made) -> None:
    evaluation = _evaluated(made)
    table = rb.families(evaluation)
    for name in table.index[table["form"].isin(["linear", "ratio"])][:2]:
        one = rb.family(evaluation, name)
        if not one.totals.take(one.members).single.all():
            continue
        near = one.within(30)
        found = rb.preferences(evaluation, name, near)
        necessary, possible = found.necessary.to_numpy(), found.possible.to_numpy()
        assert (~necessary | possible).all()
        now = one.totals.at(one.share)[one.members]
        assert (now[:, None] >= now[None] - 1e-6)[necessary].all()
        assert possible[now[:, None] >= now[None]].all()


def test_rater_weights_are_a_family_where_they_can_be(tmp_path: Path) -> None:
    """Internal categories are; survey categories weighted by class for one and not for all, not."""
    folder = write_small_year(tmp_path / "year")
    year = pm.Year.load(folder, pm.Scheme.load(folder / "scheme.toml"))
    evaluation = pm.evaluate(year)
    names = list(rb.families(evaluation).index)
    assert "internal.categories" in names
    assert not any(name.startswith("survey.categories") for name in names)
    by_class = {"county_government": 1, "municipal_department": 1}
    both = year.scheme.patch({"survey.categories.R01.weight": by_class})
    evaluation = pm.evaluate(year.with_scheme(both))
    for name in ("internal.categories", "survey.categories.municipal_department"):
        one = rb.family(evaluation, name)
        w = np.random.default_rng(0).dirichlet(np.ones(one.share.size), 4)
        scored = pm.simulate(evaluation.year, one.patch(w)).total
        np.testing.assert_allclose(one.totals.at(w), scored, rtol=1e-13)
        assert np.ptp(scored, axis=0).max() > 0.1


def test_weights_that_act_on_two_levels_of_another_class_are_refused() -> None:
    """There the total is a product of them, and no ratio."""
    scheme = pm.Scheme.loads("""
        format = 1
        [classes.a.nodes.n]
        [classes.b.nodes]
        [indicators]
        x = { parent = { a = "n", b = "" }, rule = { method = "identity" } }
        y = { parent = { a = "", b = "" }, rule = { method = "identity" } }
        z = { parent = { a = "n" }, rule = { method = "identity" } }
    """)
    units = pd.DataFrame({"unit_id": ["A", "B"], "class": ["a", "b"]})
    actuals = pd.DataFrame({"unit_id": ["A", "B"], "x": [50, 60], "y": [70, 80], "z": [90, None]})
    year = pm.Year.from_frames(scheme, units=units, actuals=actuals)
    table = rb.families(pm.evaluate(year))
    assert "below n and above it in a" in table.at["b", "why_not"]
    assert table.loc[["a", "a.n"], "form"].tolist() == ["ratio", "ratio"]  # in b others stay fixed


def test_several_ratios_are_not_taken_for_one() -> None:
    num = np.arange(8.0).reshape(2, 1, 4)
    totals = rb.Ratios(np.zeros(1), num, np.where(num % 3 > 0, 1.0, 0.5))
    assert not totals.single.any()
    with pytest.raises(ValueError, match="more than one ratio"):
        totals.one()
