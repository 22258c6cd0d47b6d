"""Portfolios of tasks: the plan's own figures, a slow twin, planted noise, the missing rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.fairness import effective_number, missing_rules, portfolio

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


def test_the_effective_number_is_laakso_and_taageperas() -> None:
    # shares of seats 45, 35, 20 %: 1 / (0.2025 + 0.1225 + 0.04)
    assert float(effective_number(np.array([45.0, 35, 20]))) == pytest.approx(1 / 0.365)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_the_effective_number_lies_between_one_and_all(weights: list[float]) -> None:
    w = np.array(weights)
    found = float(effective_number(w))
    assert 1 - 1e-9 <= found <= len(w) + 1e-9
    assert float(effective_number(np.append(w, 0.0) * 3)) == pytest.approx(found)
    assert float(effective_number(np.repeat(w, 2))) == pytest.approx(2 * found)


def test_portfolios_are_those_of_the_plan(city: pm.Evaluation) -> None:
    units = portfolio(city, draws=200).units
    # one task in key work, none for the people: 60 % x 30 / (30 + 35 + 10 + 10)
    assert units.loc["D04", "largest_weight"] == pytest.approx(0.6 * 30 / 85)
    assert units.loc["D04", "largest_task"] == "M037"
    tasks = city.year.tasks.groupby("unit_id").size()
    assert (units["tasks"] == tasks.reindex(units.index)).all()
    nodes = city.nodes[(city.nodes["unit_id"] == "D02") & city.nodes["node"].isin(
        city.year.tasks["indicator_id"])]  # fmt: skip
    w = nodes["effective_weight"]
    assert units.loc["D02", "effective_tasks"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert units["task_weight"].to_numpy() == pytest.approx(np.full(45, 0.6))
    counties = portfolio(city, class_id="county_government", draws=200).units
    assert counties["effective_tasks"].between(80, 131).all()


def test_the_reference_world_is_that_of_independent_tasks(city: pm.Evaluation) -> None:
    found = portfolio(city, noise=4.0, draws=40_000)
    rng, units = np.random.default_rng(1), found.units
    w = city.nodes[city.nodes["node"].isin(city.year.tasks["indicator_id"])].pivot(
        index="unit_id", columns="node", values="effective_weight"
    )
    w = w.reindex(units.index).fillna(0.0).to_numpy()
    # every task of every unit drawn by itself
    worlds = np.array([
        10 * 4.0 * (w * rng.normal(size=w.shape)).sum(axis=1)
        + found.meta["rest"] * rng.normal(size=45)
        for _ in range(4000)
    ])  # fmt: skip
    away = worlds - worlds.mean(axis=1, keepdims=True)
    for band, row in found.bands.iterrows():
        mine = (units["band"] == band).to_numpy()
        assert row["sd_chance"] == pytest.approx(np.sqrt((away[:, mine] ** 2).mean()), rel=0.02)
        low, high = np.quantile(np.sqrt((away[:, mine] ** 2).mean(axis=1)), [0.025, 0.975])
        assert (row["low"], row["high"]) == pytest.approx((low, high), rel=0.04)
    first = (worlds.argsort(axis=1).argsort(axis=1) >= 45 - found.places).mean(axis=0)
    np.testing.assert_allclose(units["chance_first"], first, atol=0.04)
    assert units["chance_first"].sum() == pytest.approx(found.places)
    few, many = found.bands.loc["few"], found.bands.loc["many"]
    assert few["se"] > many["se"]
    assert few["first_chance"] / few["units"] > many["first_chance"] / many["units"]


def task_year(noise: float, seed: int = 3) -> pm.Evaluation:
    """Thirty units that hold 2 to 20 of 24 tasks, equally good but for noise."""
    rng = np.random.default_rng(seed)
    names = [f"T{i:02}" for i in range(24)]
    lines = "\n".join(f'indicators.{n} = {{ rule = {{ method = "identity" }} }}' for n in names)
    scheme = pm.Scheme.loads(f"format = 1\nclasses.city = {{}}\n{lines}\n")
    table = rng.normal(0, noise, (30, 24)) + np.linspace(70, 90, 24)
    for i in range(30):
        table[i, rng.permutation(24)[2 + (18 * i) // 29 :]] = np.nan
    frame = pd.DataFrame(table, columns=names)
    frame.insert(0, "unit_id", [f"U{i:02}" for i in range(30)])
    return pm.evaluate(pm.Year.from_frames(scheme, actuals=frame))


def test_planted_noise_is_found_and_small_portfolios_stray_farther() -> None:
    found = [portfolio(task_year(3.0, seed), draws=200) for seed in range(6)]
    assert np.mean([f.noise for f in found]) == pytest.approx(3.0, rel=0.06)
    assert np.mean([f.rho for f in found]) < -0.2
    for one in found:
        assert one.units["effective_tasks"].between(2, 20).all()
    assert portfolio(task_year(3.0), noise=0.0, draws=50).units["se"].max() == 0


@pytest.mark.parametrize(
    ("lang", "none"), [("en", "not evidence that it"), ("zh", "不等于证明无关")]
)
def test_no_trend_is_not_said_to_be_none(city: pm.Evaluation, lang: str, none: str) -> None:
    found = portfolio(city, draws=500)
    assert found.p > 0.05
    assert none in found.words(lang)[-1]


def test_the_missing_rule_is_the_scheme_written_anew(city: pm.Evaluation) -> None:
    found = missing_rules(city)
    assert found.used == "redistribute"
    assert found.rules.loc["redistribute", ["totals_changed", "grades_changed"]].tolist() == [0, 0]
    scheme = city.year.scheme.patch({"missing_task": "zero"})
    other = pm.evaluate(city.year.with_scheme(scheme)).scores
    mine = found.units[found.units["rule"] == "zero"].set_index("unit_id")
    assert (mine["total_other"] == other["total"].reindex(mine.index)).all()
    assert (
        found.rules.loc["zero", "grades_changed"] == (other["grade"] != city.scores["grade"]).sum()
    )
    # units without a practical matter lose its 15 of 100 in the indicator block, no one else any
    node = city.nodes[city.nodes["node"] == "livelihood"].set_index("unit_id")["score"]
    without = node.index[node.isna()]
    assert set(mine.index[mine["lacking"] > 0]) == set(without)
    indicator = city.scores["indicator"]
    loss = 10 * 0.6 * 0.15 * indicator[without]
    np.testing.assert_allclose(-mine.loc[without, "total_change"], loss, rtol=1e-9)
    assert (mine.loc[mine["lacking"] == 0, "total_change"].abs() < 1e-9).all()
    assert len(found.words("zh")) == 3
    assert "'zero' instead of" in found.words("en")[-1]


def test_what_cannot_be_is_refused(city: pm.Evaluation) -> None:
    with pytest.raises(PerfmethodError, match=r"noise -1"):
        portfolio(city, noise=-1.0)
    with pytest.raises(PerfmethodError, match="did you mean 'county_government'"):
        portfolio(city, class_id="county_goverment")
    scheme = pm.Scheme.loads(
        'format = 1\nclasses.city = {}\nindicators.a = { rule = { method = "identity" } }\n'
    )
    frame = pd.DataFrame({"unit_id": list("ABC"), "a": [90, 60, 70]})
    year = pm.Year.from_frames(scheme, actuals=frame)
    with pytest.raises(PerfmethodError, match="3 task scores of 3 units and 1 indicators"):
        portfolio(pm.evaluate(year))
    assert portfolio(pm.evaluate(year), noise=1.0, draws=50).p == 1.0
    with pytest.raises(PerfmethodError, match="found 2 units"):
        portfolio(pm.evaluate(pm.Year.from_frames(scheme, actuals=frame[:2])))
