"""Input that no coefficient or interval can be made of is refused in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.reliability import (
    Moments,
    decision_for,
    decision_study,
    fleiss_kappa,
    generalizability,
    gwet_ac,
    survey_decision,
    variance_components,
)
from perfmethod.synthetic import synthetic_year

SCORES = {1: 100, 2: 75, 3: 55, 9: None}


def ballots(**columns) -> pd.DataFrame:
    table = {
        "unit_id": ["D01", "D02", "D03"] * 4,
        "rater_id": [r for r in "abcd" for _ in range(3)],
        "category": ["A"] * 6 + ["B"] * 6,
        "mode": "online",
        "duty": [1, 2, 2, 1, 1, 3, 1, 2, 3, 2, 2, 3],
    }
    return pd.DataFrame({**table, **columns})


@pytest.mark.parametrize("over", ["units", "raters", "both"])
def test_kappa_where_chance_explains_everything(over):
    same = [[1, 1], [1, 1], [1, 1]]
    with pytest.raises(DataError, match=r"no categories but 1, .* chance explains everything"):
        fleiss_kappa(same, categories=[1, 2], over=over, draws=20)
    # Gwet's chance is none here: all agree
    assert gwet_ac(same, categories=[1, 2], over=over, draws=20).value == 1
    # two categories that agree wholly, a third that nobody chose
    weights = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    with pytest.raises(DataError, match=r"no categories but 1, 2, .* chance explains everything"):
        fleiss_kappa([[1, 2], [2, 1], [1, 1]], weights, categories=[1, 2, 3], over=over, draws=20)
    thirds = [[1, 2, 3], [3, 2, 1], [2, 2, 2]]  # shares whose sum is 1 but for rounding
    for coefficient in (fleiss_kappa, gwet_ac):
        with pytest.raises(DataError, match="1 for every pair of categories"):
            coefficient(thirds, np.ones((3, 3)), over=over, draws=20)


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf, "x", None, True])
def test_weights_of_categories_that_are_none(weight):
    with pytest.raises(PerfmethodError, match=r"category_weights: found .* for B; allowed: finite"):
        generalizability(ballots(), option_scores=SCORES, category_weights={"A": 1, "B": weight})


def test_weights_of_categories_that_are_some():
    found = generalizability(ballots(), option_scores=SCORES, category_weights={"A": 1, "B": 0})
    assert found.strata["category"].tolist() == ["A"]
    weights = {"A": np.int64(1), "B": np.float64(3)}
    found = generalizability(ballots(), option_scores=SCORES, category_weights=weights)
    assert found.strata["weight"].tolist() == [0.25, 0.75]


def test_ballots_of_which_none_answers():
    with pytest.raises(DataError, match=r"ballots\.csv: found no valid answer: each is blank"):
        generalizability(ballots(duty=9), option_scores=SCORES)
    with pytest.raises(DataError, match="found no valid answer"):
        generalizability(ballots(duty=np.nan), option_scores=SCORES)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, 95, np.nan])
def test_levels_that_are_none(level):
    study = generalizability(ballots(), option_scores=SCORES)
    fit = study.components
    strata, plain = study.strata, {"unit": 8.0, "residual": 2.0}
    makers = [
        lambda: fit.intervals(level),
        lambda: fit.interval("unit", level),
        lambda: fit.to_frame(level, "profile"),
        lambda: study.to_frame(level),
        lambda: study.decision(level=level),
        lambda: study.study([1.0], level=level),
        lambda: decision_for(plain, {"rater": 3}, objects="unit", residual="unit:rater",
                             level=level),
        lambda: decision_study(fit, {"rater": [3], "category": [2]}, objects="unit", level=level),
        lambda: survey_decision(plain, strata, units=3, level=level),
    ]  # fmt: skip
    for make in makers:
        with pytest.raises(ValueError, match=r"found level .*; allowed: a number between 0 and 1"):
            make()


def test_a_level_between_0_and_1_is_taken():
    table = Moments.of([3, 5, 4, 8, 9, 8], batch=list("aaabbb"))
    ends = variance_components(table, ["batch"]).intervals(0.5)
    assert (ends[:, 0] < ends[:, 1]).all()


def test_a_class_whose_units_nobody_answered_on():
    drawn = synthetic_year(seed=0, units=12, ballots=600)
    units, given = drawn.tables["units"], drawn.tables["ballots"]
    own = set(units.loc[units["class"] == "county_government", "unit_id"])
    given = given[~given["unit_id"].isin(own)]
    year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **{**drawn.tables, "ballots": given})
    with pytest.raises(DataError, match="no valid answer on units of class 'county_government'"):
        generalizability(year, unit_class="county_government")
