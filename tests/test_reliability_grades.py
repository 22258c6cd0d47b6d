"""Which grades hang on the ballots: normal theory, the year's own errors, and slow twins."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.reliability.grades import GradeRisk, grade_risk, risk_by_ballots
from perfmethod.reliability.review_draws import bootstrap_draws, normal_draws
from tests.conftest import ROOT
from tests.small_year import write_small_year


@pytest.fixture(scope="module")
def evaluation() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


@pytest.fixture(scope="module")
def risk(evaluation: pm.Evaluation) -> GradeRisk:
    return grade_risk(evaluation)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(write_small_year(tmp_path_factory.mktemp("year") / "small")))


def totals_covariance(evaluation: pm.Evaluation) -> pd.DataFrame:
    """Covariance of the totals: a review of 30 % in 1000 points, a plain mean of dimensions."""
    covariance = evaluation.review.covariance()
    return 9 * covariance.groupby("unit_id").mean().T.groupby("unit_id").mean()


def test_the_pair_at_the_edge_splits_as_the_normal_says(evaluation, risk):
    from scipy.stats import multivariate_normal, norm

    C, total = totals_covariance(evaluation), evaluation.scores["total"]
    gap = total["D14"] - total["D09"]
    se = np.sqrt(C.at["D14", "D14"] + C.at["D09", "D09"] - 2 * C.at["D14", "D09"])
    assert (round(gap, 2), round(se, 2)) == (2.48, 2.27)  # as notebook 01 publishes them
    p = risk.units["p_other"]
    for unit in ("D14", "D09"):  # D10 takes part in two of a thousand draws
        assert abs(p[unit] - norm.cdf(-2.48 / 2.27)) < 4 * risk.units.at[unit, "p_other_mcse"]
    # D14 keeps its place where it is above D09 and D10: two differences, jointly normal
    step = np.array([[1, -1, 0], [1, 0, -1]])
    three = ["D14", "D09", "D10"]
    cover = step @ C.loc[three, three].to_numpy() @ step.T
    kept = multivariate_normal(cov=cover).cdf(step @ total[three].to_numpy())
    assert abs(p["D14"] - (1 - kept)) < 4 * risk.units.at["D14", "p_other_mcse"]


def test_total_errors_are_those_of_the_evaluation(evaluation, risk):
    told = evaluation.survey_errors["se_total"].reindex(risk.units.index)
    assert (told > 0).all()
    assert ((risk.units["se_total"] - told).abs() < 4 * risk.units["se_total_mcse"]).all()


def test_without_noise_every_grade_is_sure(evaluation):
    found = grade_risk(evaluation, draws=600, factor=0.0)
    assert found.units["se_total"].max() < 1e-10
    levels = found.units[[f"p_{name}" for name in found.levels]]
    assert set(np.unique(levels)) == {0.0, 1.0}
    assert [found.levels[i] for i in levels.to_numpy().argmax(axis=1)] == list(found.units["grade"])
    assert (found.units["rank_p05"] == found.units["rank"]).all()
    assert (found.units["rank_p95"] == found.units["rank"]).all()
    assert (found.expected_wrong, found.expected_wrong_mcse, found.any_wrong) == (0.0, 0.0, 0.0)


def test_a_review_of_identical_answers_has_no_noise(small: pm.Evaluation):
    ballots = small.year.ballots.copy()
    for name in small.review.counts.dimensions:
        ballots[name] = ballots[name].where(ballots[name].isna(), 1)
    found = grade_risk(pm.evaluate(small.year.replace(ballots=ballots)), draws=600)
    assert found.units["se_total"].max() < 1e-10
    assert found.expected_wrong == 0.0


@pytest.mark.parametrize("method", ["normal", "bootstrap"])
def test_the_table_is_a_recount_of_the_draws(small: pm.Evaluation, method: str):
    found = grade_risk(small, draws=700, seed=3, method=method)
    draws = (
        normal_draws(small.year, small.review, 700, 1.0, 3)
        if method == "normal"
        else bootstrap_draws(small.year, small.review, 700, 1.0, 3)
    )
    simulation = pm.simulate(small.year, draws)
    wrong = np.zeros(700)
    for i, unit in enumerate(simulation.units):
        row, given_grade = found.units.loc[unit], small.scores.at[unit, "grade"]
        grades = [simulation.levels[code] for code in simulation.grade[:, i]]
        for name in simulation.levels:
            assert row[f"p_{name}"] == grades.count(name) / 700
        other = np.array([grade != given_grade for grade in grades])
        assert row["p_other"] == other.mean()
        wrong += other
        ranks = sorted(simulation.rank[:, i])
        assert (row["rank_p05"], row["rank_p95"]) == (ranks[34], ranks[664])  # 35th and 665th
        assert row["se_total"] == pytest.approx(np.std(simulation.total[:, i], ddof=1), rel=1e-12)
    assert found.expected_wrong == pytest.approx(wrong.mean(), rel=1e-12)
    assert found.any_wrong == np.mean(wrong > 0)


def test_bootstrap_scores_are_those_of_ballots_drawn_again(small: pm.Evaluation):
    draws = bootstrap_draws(small.year, small.review, 40, 1.0, 0)
    sampler, ballots = draws.make.sampler, small.year.ballots.reset_index(drop=True)
    key = np.random.SeedSequence(0, spawn_key=(0,))
    times = sampler.times(np.random.default_rng(key), 32)  # the first draws of the first block
    raters = sorted(
        set(zip(ballots["category"], ballots["rater_id"], strict=True)),
        key=lambda pair: (small.review.counts.categories.index(pair[0]),
                          list(ballots["rater_id"]).index(pair[1])),
    )  # fmt: skip
    values = draws.block(slice(0, 32))
    for k in (0, 7, 31):
        drawn = []
        for (category, rater), often in zip(raters, times[k], strict=True):
            own = ballots[(ballots["category"] == category) & (ballots["rater_id"] == rater)]
            copies = [own.assign(ballot_id=own["ballot_id"] + f"-{n}") for n in range(int(often))]
            drawn += copies
        again = pm.evaluate(small.year.replace(ballots=pd.concat(drawn, ignore_index=True)))
        scores = again.review.scores
        for path in draws.paths:
            _, unit, dimension = path.split(".")
            assert values[path][k] == pytest.approx(scores.at[unit, dimension], nan_ok=True)


@pytest.fixture(scope="module")
def bootstrapped(evaluation: pm.Evaluation) -> GradeRisk:
    return grade_risk(evaluation, draws=1024, method="bootstrap")


def test_bootstrap_and_normal_agree(risk, bootstrapped):
    a, b = risk.units, bootstrapped.units
    error = np.hypot(a["se_total_mcse"], b["se_total_mcse"])
    assert ((a["se_total"] - b["se_total"]).abs() < 4 * error).all()
    error = np.hypot(risk.expected_wrong_mcse, bootstrapped.expected_wrong_mcse)
    assert abs(risk.expected_wrong - bootstrapped.expected_wrong) < 4 * error


def test_every_probability_of_a_grade_agrees_between_the_methods(risk, bootstrapped):
    assert (risk.method, bootstrapped.method) == ("normal", "bootstrap")
    assert "normal draws" in repr(risk)
    assert "bootstrap draws" in repr(bootstrapped)
    table = risk.compared(bootstrapped)
    assert len(table) == 49 * len(risk.levels)
    # The methods differ by a little: a standard error by bootstrap lacks (n - 1) / n of n raters
    # and sees skewness. One per cent of the error moves no probability by more than
    # .01 max |x phi(x)| = .0024.
    room = 4 * table["mcse"] + 0.0024
    assert ((table["other"] - table["p"]).abs() <= room).all()
    # and the units in doubt are in doubt by both
    assert set(risk.doubtful().index) == set(bootstrapped.doubtful().index)
    with pytest.raises(PerfmethodError, match="found other units or grades"):
        risk.compared(dataclasses.replace(bootstrapped, units=bootstrapped.units.iloc[:3]))


def test_four_times_the_raters_halve_the_bootstrap_error(evaluation):
    errors = [
        grade_risk(evaluation, draws=512, method="bootstrap", factor=f).units for f in (1, 1 / 4)
    ]
    ratio = (errors[1]["se_total"] / errors[0]["se_total"]).median()
    assert abs(ratio - 0.5) < 0.02  # a median over 49 units, each within about 3 %


@settings(max_examples=8, deadline=None)
@given(st.floats(0.01, 4.0), st.integers(0, 2**31))
def test_laws_of_any_factor_and_seed(small: pm.Evaluation, factor: float, seed: int):
    one, other = (grade_risk(small, draws=520, factor=f, seed=seed) for f in (1.0, factor))
    # all means above the survey are arithmetic: totals move as the scores do
    assert np.allclose(other.units["se_total"], np.sqrt(factor) * one.units["se_total"], rtol=1e-8)
    chances = other.units[[f"p_{name}" for name in other.levels]]
    assert np.allclose(chances.sum(axis=1), 1.0)
    assert other.expected_wrong == pytest.approx(other.units["p_other"].sum())
    assert other.any_wrong <= other.expected_wrong or other.expected_wrong == 0
    assert (other.units["rank_p05"] <= other.units["rank_median"]).all()
    assert (other.units["rank_median"] <= other.units["rank_p95"]).all()


def test_more_ballots_make_fewer_wrong_grades(evaluation, risk):
    table = risk_by_ballots(evaluation)
    assert list(table.index) == [1, 2, 4, 8]
    assert table.at[1, "expected_wrong"] == risk.expected_wrong
    assert (table["expected_wrong"].diff().dropna() < 0).all()
    assert np.allclose(table["se_total"], table.at[1, "se_total"] / np.sqrt(table.index))


def test_same_seed_same_result_and_who_is_named(evaluation, risk):
    again = grade_risk(evaluation)
    pd.testing.assert_frame_equal(again.to_frame(), risk.to_frame())
    assert list(risk.doubtful().index) == ["D14", "D09"]
    assert "seed 0" in risk.meta["varied"]
    assert repr(risk).startswith("<GradeRisk of 49 units: 0.")
    assert "\n" not in repr(risk)
    with pytest.raises(TypeError):
        risk.meta["seed"] = 1  # type: ignore[index]


def test_the_figure_has_a_row_per_unit(small: pm.Evaluation):
    found = grade_risk(small, draws=520)
    labels = [label.get_text() for label in found.plot(lang="en").get_yticklabels()]
    assert labels == list(found.units["name"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"draws": 1}, "draws: found 1; allowed: 2 or more"),
        ({"factor": -1.0}, "factor: found -1.0"),
        ({"factor": float("nan")}, "factor: found nan"),
        ({"factor": 0.0, "method": "bootstrap"}, "allowed: above 0"),
        ({"method": "bootstrapp"}, "'bootstrap'"),
    ],
)
def test_bad_arguments(small: pm.Evaluation, arguments: dict, said: str):
    with pytest.raises(PerfmethodError, match=said.replace("(", r"\(")):
        grade_risk(small, **arguments)


def test_no_ballots_no_grades_no_times(small: pm.Evaluation):
    with pytest.raises(PerfmethodError, match="times: found 0"):
        risk_by_ballots(small, [1, 0])
    text = """
        format = 1
        classes.city = {}
        indicators.roads = { rule = { method = "identity" } }
    """
    grades = '[grades]\nrule = "thresholds"\nlevels.good = { least = 800 }\nlevels.fair = {}\n'
    actuals = pd.DataFrame({"unit_id": ["A", "B"], "roads": [90, 60]})
    for scheme, said in ((text + grades, "found no ballots"), (text, "found no grades")):
        year = pm.Year.from_frames(pm.Scheme.loads(scheme), actuals=actuals)
        with pytest.raises(PerfmethodError, match=said):
            grade_risk(pm.evaluate(year))
