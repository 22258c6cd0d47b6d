"""Decision studies: published values, the survey's error variances by simulation, and plans."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.reliability import (
    GStudy,
    Moments,
    decision_for,
    decision_study,
    generalizability,
    plan_survey,
    survey_decision,
    variance_components,
)
from perfmethod.reliability.allocation import allocate
from tests.test_variance_components import brennan

# Brennan (2001), Generalizability Theory, table 3.2
BRENNAN = {"p": 0.4731, "t": 0.3252, "t:r": 0.6475, "p:t": 0.5596, "residual": 2.3803}
SURVEY = {
    "unit": 8.0, "unit:category": 0.6, "unit:mode": 0.2, "unit:dimension": 0.5, "category": 2.0,
    "rater": 32.0, "unit:rater": 90.0, "residual": 130.0,
}  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]


def strata(**columns) -> pd.DataFrame:
    table = {"category": ["R01", "R01", "R02"], "mode": ["online", "field", "online"],
             "weight": [0.3, 0.2, 0.5]}  # fmt: skip
    return pd.DataFrame({**table, **columns})


# --- published


def test_brennan_p_by_raters_within_tasks():
    # Brennan's data; package gtheory 0.1.2 (dstudy): E rho2 .5514, Phi .4636
    found = decision_for(BRENNAN, {"t": 3, "r": 4}, objects="p", residual="p:t:r")
    assert found.generalizability == pytest.approx(0.5514, abs=5e-5)
    assert found.dependability == pytest.approx(0.4636, abs=1e-4)
    # relative and absolute error variances of that design (same source: .384874, .547272)
    assert found.relative_error == pytest.approx(0.384874, abs=2e-5)
    assert found.absolute_error == pytest.approx(0.547272, abs=5e-5)


def test_spearman_brown_is_a_decision_study():
    # one random facet: reliability of k conditions from that of one
    one = {"p": 3.0, "i": 0.5, "residual": 5.0}
    table = decision_study(one, {"i": [1, 2, 5, 20]}, objects="p")
    r = 3 / 8
    k = table["i"]
    np.testing.assert_allclose(table["generalizability"], k * r / (1 + (k - 1) * r), rtol=1e-13)
    assert table["generalizability_lower"].isna().all()


def test_shrout_fleiss_two_way_coefficients(reference: Path):
    # Shrout & Fleiss (1979), table 4: ICC(2,1) .29, ICC(3,1) .71, ICC(2,k) .62, ICC(3,k) .91
    data = pd.read_csv(reference / "reliability" / "data" / "ShroutFleiss1979.csv").to_numpy(float)
    target, judge = np.indices(data.shape)
    found = variance_components(
        Moments.of(data.ravel(), p=target.ravel(), r=judge.ravel()), ["p", "r"]
    )
    for k, absolute, relative in (
        (1, 0.28976377952755894, 0.71484071484071465),
        (4, 0.62005054759898892, 0.90931554237706935),
    ):
        study = decision_for(found, {"r": k}, objects="p")
        assert study.dependability == pytest.approx(absolute, rel=1e-8)
        assert study.generalizability == pytest.approx(relative, rel=1e-8)


def test_a_fixed_facet_moves_its_interaction_to_the_universe_score():
    found = decision_for(BRENNAN, {"t": 3, "r": 4}, objects="p", fixed=["t"], residual="p:t:r")
    # Brennan, section 4.4: sigma2(p) + sigma2(pt)/n over that plus sigma2(pr:t)/(nt nr)
    universe = 0.4731 + 0.5596 / 3
    assert found.universe == pytest.approx(universe, rel=1e-12)
    assert found.generalizability == pytest.approx(universe / (universe + 2.3803 / 12), rel=1e-12)
    assert found.absolute_error == pytest.approx((0.6475 + 2.3803) / 12, rel=1e-12)


def test_intervals_come_from_the_covariance_of_components():
    fit = variance_components(brennan(), ["p", "t", "t:r", "p:t"])
    found = decision_for(fit, {"t": 3, "r": 4}, objects="p", residual="p:t:r")
    # the delta method, by draws of the components near their estimates
    rng = np.random.default_rng(0)
    shrunk = fit.covariance * 1e-4
    draws = rng.multivariate_normal(fit.variances, shrunk, 40_000)
    true = draws[:, 0]
    error = draws[:, 3] / 3 + draws[:, 4] / 12
    spread = np.std(np.log(true / error)) * 100
    low, high = found.generalizability_interval
    logit = np.log(high / (1 - high)) - np.log(low / (1 - low))
    assert logit / (2 * 1.959964) == pytest.approx(spread, rel=0.02)
    assert low < found.generalizability < high
    assert f"({low:.3f} to {high:.3f})" in repr(found)


def test_what_a_decision_study_refuses():
    with pytest.raises(PerfmethodError, match="found none for 'r'"):
        decision_for(BRENNAN, {"t": 3}, objects="p")
    with pytest.raises(PerfmethodError, match="objects: found 'x'"):
        decision_for(BRENNAN, {"t": 3, "r": 4}, objects="x")
    with pytest.raises(PerfmethodError, match=r"found -0\.1; allowed: 0 or more"):
        decision_for({**BRENNAN, "t": -0.1}, {"t": 3, "r": 4}, objects="p")
    with pytest.raises(PerfmethodError, match="above 0"):
        decision_for(BRENNAN, {"t": 0, "r": 4}, objects="p")


# --- the survey


def slow_errors(
    table: pd.DataFrame, units: int, per_person: int, dimensions: int, draws: int, seed: int
) -> tuple[float, float]:
    """Error variances by making scores: every rater rates the next units on a shuffled circle."""
    rng = np.random.default_rng(seed)
    ballot = np.sqrt(SURVEY["unit:rater"] + SURVEY["residual"] / dimensions)
    absolute, relative = [], []
    for _ in range(draws):
        score = np.zeros(units)
        for weight, ballots in zip(table["weight"], table["ballots"], strict=True):
            circle = rng.permutation(units)
            total, n = np.zeros(units), np.zeros(units)
            for rater in range(round(ballots * units / per_person)):
                own = circle[np.arange(rater * per_person, (rater + 1) * per_person) % units]
                severity = rng.normal(0, np.sqrt(SURVEY["rater"]))
                total[own] += severity + rng.normal(0, ballot, per_person)
                n[own] += 1
            score += weight * total / n
        absolute.append((score**2).mean())
        relative.append(score.var(ddof=1))
    return float(np.mean(absolute)), float(np.mean(relative))


@pytest.mark.parametrize("per_person", [1, 3, 6])
def test_errors_of_raters_equal_a_simulation(per_person):
    units, dimensions = 6, 4
    table = strata(ballots=[3, 6, 3])
    absolute, relative = slow_errors(table, units, per_person, dimensions, 1500, 1)
    alone = {k: v for k, v in SURVEY.items() if k in ("unit", "rater", "unit:rater", "residual")}
    found = survey_decision(
        alone, table, units=units, units_per_person=per_person, dimensions=dimensions
    )
    # 1,500 scores of 6 units: standard error of a variance about 2 to 4 %
    assert found.absolute_error == pytest.approx(absolute, rel=0.08)
    assert found.relative_error == pytest.approx(relative, rel=0.08)


def test_survey_by_hand():
    table = strata(ballots=[10, 5, 20])
    x = 0.09 / 10 + 0.04 / 5 + 0.25 / 20
    found = survey_decision(SURVEY, table, units=11, units_per_person=6, dimensions=4)
    by_category, by_mode = 0.5**2 + 0.5**2, 0.8**2 + 0.2**2
    assert found.universe == pytest.approx(8 + 0.6 * by_category + 0.2 * by_mode + 0.5 / 4)
    assert found.absolute_error == pytest.approx(x * (32 + 90 + 130 / 4))
    assert found.relative_error == pytest.approx(x * (32 * 0.5 + 90 + 130 / 4))
    random = survey_decision(SURVEY, table, units=11, units_per_person=11, dimensions=4, fixed=())
    assert random.universe == 8
    part = 0.6 * by_category + 0.2 * by_mode + 0.5 / 4
    assert random.relative_error == pytest.approx(x * (90 + 130 / 4) + part)
    assert random.absolute_error == pytest.approx(x * 154.5 + part + 2 * by_category)


def test_survey_of_one_stratum_is_a_plain_decision_study():
    one = pd.DataFrame({"category": ["R01"], "mode": ["online"], "weight": [1], "ballots": [7]})
    components = {"unit": 8.0, "rater": 32.0, "residual": 130.0}
    crossed = survey_decision(components, one, units=5, units_per_person=5)
    plain = decision_for(components, {"rater": 7}, objects="unit")
    assert crossed.generalizability == pytest.approx(plain.generalizability, rel=1e-13)
    assert crossed.dependability == pytest.approx(plain.dependability, rel=1e-13)


# --- the cheapest design


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=3),
    st.integers(10, 200),
)
def test_allocation_equals_trying_all(pairs, part):
    squares, cost = (np.array(column, float) for column in zip(*pairs, strict=True))
    s, most = len(pairs), 14
    bound = squares.sum() * part / 200
    assume((squares / most).sum() <= bound)
    ballots, optimal = allocate(squares, cost, bound, np.ones(s, int), np.full(s, most))
    assert optimal
    assert (squares / ballots).sum() <= bound * (1 + 1e-9)
    tried = [
        cost @ np.array(n) for n in product(range(1, most + 1), repeat=s)
        if sum(a / k for a, k in zip(squares, n, strict=True)) <= bound * (1 + 1e-9)
    ]  # fmt: skip
    assert cost @ ballots == pytest.approx(min(tried), rel=1e-12)


@pytest.mark.parametrize("kind", ["absolute", "relative"])
def test_plan_equals_trying_all(kind):
    table = strata(cost=[1.0, 5.0, 2.0], most=[45, 45, 45])
    how = {"units": 9, "dimensions": 4}
    target = 0.7
    plan = plan_survey(SURVEY, table, target=target, kind=kind, units_per_person=[1, 4],
                       cost_per_person=3, **how)  # fmt: skip
    name = "dependability" if kind == "absolute" else "generalizability"
    assert getattr(plan.decision, name) >= target
    assert plan.optimal
    best = np.inf
    squares = table["weight"].to_numpy() ** 2
    for per_person in (1, 4):
        cost = table["cost"].to_numpy() + 3 / per_person
        grid = np.array(list(product(range(1, 46), repeat=3)))
        x = (squares / grid).sum(axis=1)
        one = survey_decision(SURVEY, table.assign(ballots=1), units_per_person=per_person, **how)
        error = one.absolute_error if kind == "absolute" else one.relative_error
        reached = one.universe / (one.universe + error * x / squares.sum()) >= target
        best = min(best, (grid[reached] @ cost).min() * 9)
    assert plan.cost == pytest.approx(best, rel=1e-12)


def test_plan_with_assurance_costs_more_and_keeps_its_word():
    fit = variance_components(survey_moments(), ["unit", "rater"])
    table = strata(cost=[1.0, 5.0, 2.0])
    plain = plan_survey(fit, table, target=0.8, units=12)
    sure = plan_survey(fit, table, target=0.8, units=12, assurance=0.9)
    assert sure.cost > plain.cost
    assert plain.decision.dependability == pytest.approx(0.8, abs=0.01)
    # a one-sided limit of 90 % is the lower end of an interval of 80 %
    check = survey_decision(fit, sure.to_frame(), units=12, level=0.8)
    assert check.dependability_interval[0] >= 0.8 - 1e-12
    less = sure.to_frame()
    less.loc[less["ballots"].idxmax(), "ballots"] -= 2
    fewer = survey_decision(fit, less, units=12, level=0.8)
    assert fewer.dependability_interval[0] < 0.8


def survey_moments() -> Moments:
    rng = np.random.default_rng(4)
    unit, rater = (a.ravel() for a in np.indices((12, 40)))
    y = 70 + rng.normal(0, 5, 12)[unit] + rng.normal(0, 4, 40)[rater] + rng.normal(0, 9, 480)
    return Moments.of(np.rint(y).astype(int), unit=unit, rater=rater)


def test_what_a_plan_refuses():
    table = strata(cost=[1.0, 5.0, 2.0])
    with pytest.raises(PerfmethodError, match=r"allowed: at most 0\.\d+, which the most ballots"):
        plan_survey(SURVEY, table, target=0.95, units=9, fixed=(), dimensions=4)
    with pytest.raises(PerfmethodError, match="between 0 and 1"):
        plan_survey(SURVEY, table, target=1.0, units=9)
    with pytest.raises(PerfmethodError, match="one of absolute, relative"):
        plan_survey(SURVEY, table, target=0.9, units=9, kind="both")
    with pytest.raises(PerfmethodError, match="a fit, whose uncertainty is known"):
        plan_survey(SURVEY, table, target=0.9, units=9, assurance=0.9)
    with pytest.raises(PerfmethodError, match=r"between 0\.5 and 1"):
        plan_survey(SURVEY, table, target=0.9, units=9, assurance=0.4)
    with pytest.raises(PerfmethodError, match="no column 'cost'"):
        plan_survey(SURVEY, strata(), target=0.9, units=9)
    with pytest.raises(PerfmethodError, match="units_per_person: found 10; allowed: 1 to 9"):
        plan_survey(SURVEY, table, target=0.9, units=9, units_per_person=10)
    with pytest.raises(PerfmethodError, match="component: found 'raters'"):
        survey_decision({"unit": 1.0, "raters": 1.0}, strata(ballots=3), units=9)
    with pytest.raises(PerfmethodError, match="above 0 in each"):
        survey_decision(SURVEY, strata(ballots=[0, 1, 1]), units=9)


# --- the year


@pytest.fixture(scope="module")
def year() -> pm.Year:
    return pm.Year.load(ROOT / "data" / "2009")


@pytest.fixture(scope="module")
def duty(year: pm.Year) -> GStudy:
    return generalizability(year, dimensions=["duty"])


def test_year_2009_recovers_what_was_planted(year: pm.Year):
    """The synthetic answers: severity 14 x 0.4 points within a category, on a rounded scale."""
    study = generalizability(year, dimensions=["duty", "efficiency"])
    found = study.components
    assert found.converged
    assert found.terms == (
        "unit", "unit:category", "unit:mode", "unit:dimension", "rater", "unit:rater", "residual",
    )  # fmt: skip
    sd = dict(zip(found.terms, np.sqrt(found.variances), strict=True))
    assert sd["rater"] == pytest.approx(14 * 0.4, rel=0.05)
    assert found.boundary == ()
    assert (study.units, study.unit_class) == (45, "municipal_department")
    assert study.strata["weight"].sum() == pytest.approx(1)
    np.testing.assert_allclose(study.strata.groupby("category")["weight"].sum(), 1 / 13)
    # what the answers of a ballot share is the largest part but the residual
    assert 0.25 < found.variance("unit:rater") / found.variances.sum() < 0.45
    decision = study.decision()
    assert 0.95 < decision.dependability < decision.generalizability < 0.98
    answered = year.ballots[["duty", "efficiency"]].isin([1, 2, 3]).to_numpy().sum()
    assert repr(study).startswith(f"<GStudy of {answered} answers: E rho2 0.9")


def test_design_effects_of_the_year_agree_with_linearization(year: pm.Year, duty: GStudy):
    """The standard error by components is near the average of those by raters as clusters."""
    table = pm.evaluate(year).review.standard_errors["duty"]
    departments = year.units.index[year.units["class"] == "municipal_department"]
    by_clusters = np.sqrt((table[departments] ** 2).mean())
    assert duty.decision().standard_error == pytest.approx(by_clusters, rel=0.06)


def test_study_and_plan_of_the_year(duty: GStudy):
    assert duty.components.terms == ("unit", "unit:category", "unit:mode", "rater", "residual")
    assert duty.dimensions == 1
    table = duty.study([0.5, 1, 2])
    now = duty.decision()
    ours = table[(table["factor"] == 1) & (table["kind"] == "absolute")].iloc[0]
    assert ours["reliability"] == now.dependability
    assert ours["error"] == now.standard_error
    assert table[table["kind"] == "absolute"]["reliability"].is_monotonic_increasing
    assert (table["lower"] < table["reliability"]).all()
    costs = {"online": 1, "separate_fill": 3, "central_session": 2, "field_survey": 10}
    plan = duty.plan(0.9, costs=costs)
    assert plan.decision.dependability == pytest.approx(0.9, abs=1e-3)
    assert plan.decision.dependability >= 0.9
    # as many ballots as now, or the cheapest for the reliability of now
    same = duty.plan(now.dependability)
    assert 45 * duty.strata["ballots"].sum() > same.cost
    with pytest.raises(PerfmethodError, match="costs: found none for 'field_survey'"):
        duty.plan(0.9, costs={k: v for k, v in costs.items() if k != "field_survey"})


def test_pictures_of_the_year(duty: GStudy):
    bars = duty.plot("components")
    names = [label.get_text() for label in bars.get_yticklabels()]
    assert names == ["单位", "单位×评议人类别", "单位×方式", "评议人(类别内)", "残差"]
    curves = duty.plot("study", lang="en")
    assert [line.get_label()[:15] for line in curves.lines] == [
        "dependability Φ",
        "generalizabilit",
    ]
    with pytest.raises(PerfmethodError, match="one of components, study"):
        duty.plot("curve")


def test_ballots_alone():
    rng = np.random.default_rng(2)
    rows = [
        (f"D{u}", f"r{r}", f"R0{r % 2}", "online", *rng.choice([1, 2, 3, 9], 2))
        for r in range(30) for u in rng.choice(6, 3, replace=False)
    ]  # fmt: skip
    names = ["unit_id", "rater_id", "category", "mode", "duty", "conduct"]
    ballots = pd.DataFrame(rows, columns=names)
    scores = {1: 100, 2: 75, 3: 55, 9: None}
    study = generalizability(ballots, option_scores=scores)
    terms = ("unit", "unit:category", "unit:dimension", "rater", "unit:rater", "residual")
    assert study.components.terms == terms
    assert study.units_per_person <= 3
    answered = ballots[["duty", "conduct"]].isin([1, 2, 3]).to_numpy()
    assert study.components.levels[-1] == answered.sum()
    per = answered.sum(axis=1)
    assert study.dimensions == pytest.approx(1 / (1 / per[per > 0]).mean())
    # the same name in two categories is two raters
    twice = ballots.assign(rater_id=[f"r{i // 3 % 15}" for i in range(len(ballots))])
    raters = generalizability(twice, option_scores=scores).components.levels[3]
    assert raters == len(twice.loc[per > 0, ["category", "rater_id"]].drop_duplicates())
    weighted = generalizability(
        ballots, option_scores=scores, category_weights={"R00": 3, "R01": 1}
    )
    assert weighted.strata["weight"].tolist() == [0.75, 0.25]
    with pytest.raises(PerfmethodError, match="option_scores: found none"):
        generalizability(ballots)
    with pytest.raises(DataError, match="'rater_id'"):
        generalizability(ballots.drop(columns="rater_id"), option_scores=scores)
    with pytest.raises(DataError, match="found an empty cell"):
        generalizability(ballots.assign(rater_id=None), option_scores=scores)
    with pytest.raises(PerfmethodError, match="none for R00, R01"):
        generalizability(ballots, option_scores=scores, category_weights={"R09": 1})
