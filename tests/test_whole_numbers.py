"""Whole numbers may be Python's or numpy's, everywhere; truth values and fractions are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.display import round_half_up, show, show_frame
from perfmethod.errors import PerfmethodError, Problem, SchemeError
from perfmethod.grading import apportion, carry_over, lot
from perfmethod.places import quota_rules
from perfmethod.ranking import normal_draws
from perfmethod.reliability import plan_survey
from perfmethod.sensitivity import global_indices
from tests.small_year import SMALL_SCHEME

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = {"unit": 8.0, "rater": 32.0, "residual": 220.0}
STRATA = pd.DataFrame(
    {"category": ["R01", "R02"], "mode": "online", "weight": [1, 1], "cost": [1.0, 4.0]}
)
NUMPY = [np.int64(4), np.int32(4), np.uint8(4)]


def plan(**how):
    return plan_survey(COMPONENTS, STRATA, target=0.9, units=49, **how)


@pytest.mark.parametrize("four", NUMPY)
def test_seats_may_be_numpy_integers(four) -> None:
    years = [[9, 9, 4]] * 3
    assert carry_over(years, four) == carry_over(years, 4) == carry_over(years, [four] * 3)
    assert carry_over(years, np.array([4, 4, 4])) == carry_over(years, 4)
    assert apportion([9, 9, 4], four) == apportion([9, 9, 4], 4)
    assert lot(["a", "b", "c"], four) == lot(["a", "b", "c"], 4)


@pytest.mark.parametrize("wrong", [4.0, 4.5, True, "4", None])
def test_other_seats_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="a whole number is needed"):
        carry_over([[9, 9, 4]] * 3, wrong if wrong != "4" else [wrong] * 3)
    with pytest.raises(ValueError, match="a whole number is needed"):
        apportion([9, 9, 4], wrong)


@pytest.mark.parametrize("two", [np.int64(2), np.uint8(2)])
def test_factors_may_be_a_numpy_integer(two) -> None:
    def model(x):
        return x[:, 0] + 2 * x[:, 1]

    found = global_indices(model, two, n=64, seed=np.int64(3))
    plain = global_indices(model, 2, n=64, seed=3)
    pd.testing.assert_frame_equal(found.to_frame(), plain.to_frame())
    assert found.meta["seed"] == 3
    for wrong in (2.0, True, None):
        with pytest.raises(ValueError, match=r"found factors .*; allowed: a whole number or a map"):
            global_indices(model, wrong, n=64, seed=0)


def test_draws_may_be_a_numpy_integer() -> None:
    one, two = (normal_draws(np.eye(2), draws, seed=0) for draws in (1000, np.int64(1000)))
    assert (one == two).all()
    for wrong in (10.0, True, 0):
        with pytest.raises(PerfmethodError, match="allowed: a whole number, 1 or more"):
            normal_draws(np.eye(2), wrong, seed=0)


def test_rows_of_a_design_may_be_a_numpy_integer() -> None:
    def model(x):
        return x.sum(axis=1)

    found = global_indices(model, 2, n=np.int64(64), seed=0).to_frame()
    pd.testing.assert_frame_equal(found, global_indices(model, 2, n=64, seed=0).to_frame())
    with pytest.raises(ValueError, match=r"found 100 rows.*a power of 2, such as 64 or 128"):
        global_indices(model, 2, n=np.int64(100), seed=0)
    with pytest.raises(ValueError, match=r"found n 64\.0 .*; allowed: whole numbers"):
        global_indices(model, 2, n=64.0, seed=0)


def test_units_per_person_may_be_a_numpy_integer() -> None:
    assert plan(units_per_person=np.int64(3)).cost == plan(units_per_person=3).cost
    several = plan(units_per_person=np.array([1, 3]), cost_per_person=5.0)
    assert several.cost == plan(units_per_person=[1, 3], cost_per_person=5.0).cost
    assert isinstance(several.units_per_person, int)


@pytest.mark.parametrize(
    ("wrong", "words"), [(True, "found True"), (2.5, "found 2.5"), ([], "found none")]
)
def test_other_units_per_person_are_refused(wrong, words: str) -> None:
    with pytest.raises(PerfmethodError, match=f"units_per_person: {words}; allowed: whole"):
        plan(units_per_person=wrong)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"least": 0}, "found a least of 0 ballots; allowed: whole numbers from 1 on"),
        ({"least": [3, -1]}, "found a least of -1 ballots"),
        ({"least": 2.5}, "found a least of 2.5 ballots"),
        ({"least": [1, np.nan]}, "found a least of nan ballots"),
        ({"most": 0}, "found a most of 0 ballots"),
        ({"least": 9, "most": [20, 5]}, "found a least of 9 ballots and a most of 5; allowed"),
    ],
)
def test_limits_of_ballots_are_whole_and_in_order(limits, words: str) -> None:
    with pytest.raises(PerfmethodError, match=f"strata: {words}"):
        plan_survey(COMPONENTS, STRATA.assign(**limits), target=0.9, units=49)


def test_limits_of_ballots_may_be_whole_floats() -> None:
    # as a column of a spreadsheet with an empty cell elsewhere holds them
    found = plan_survey(COMPONENTS, STRATA.assign(least=7.0, most=500.0), target=0.9, units=49)
    assert found.cost == plan().cost


def test_a_scheme_takes_numpy_numbers_as_a_file_would_hold_them() -> None:
    scheme = pm.Scheme.loads(SMALL_SCHEME)
    path = "grades.levels.excellent.places"
    found, plain = scheme.patch({path: np.int64(2)}), scheme.patch({path: 2})
    assert found.digest == plain.digest
    assert found.dumps() == plain.dumps()
    cap = "adjustments.bonus_cap"
    assert scheme.patch({cap: np.float64(30.5)}).dumps() == scheme.patch({cap: 30.5}).dumps()
    scores = {"indicators.D001.rule.scores": list(np.array([90, 80, 70, 60]))}
    assert scheme.patch(scores).number("indicators.D001.rule.scores.0") == 90
    with pytest.raises(SchemeError, match=r"found True; allowed: a whole number"):
        scheme.patch({path: np.True_})


def test_quota_rules_take_numpy_numbers() -> None:
    scheme = pm.Scheme.load(ROOT / "data" / "2009" / "scheme.toml")
    assert quota_rules(scheme, places=np.int64(12)) == quota_rules(scheme, places=12)
    balance = {"G0": np.int64(1)}
    assert quota_rules(scheme, carried=balance) == quota_rules(scheme, carried={"G0": 1})
    for wrong in (True, 12.0):
        with pytest.raises(SchemeError, match="a whole number of 0 or more"):
            quota_rules(scheme, places=wrong)
    with pytest.raises(SchemeError, match="found inf for 'G0'; allowed: a finite number"):
        quota_rules(scheme, carried={"G0": np.inf})


def test_decimals_may_be_a_numpy_integer() -> None:
    assert show(1.25, np.int64(1)) == "1.3"
    assert str(round_half_up(125, np.int64(-1))) == str(round_half_up(125, -1))
    assert show_frame(pd.DataFrame({"a": [1.25]}), np.int64(1))["a"].tolist() == ["1.3"]


def test_a_row_of_a_table_is_named_as_a_row() -> None:
    assert str(Problem("t.csv", np.int64(3), "a", "1", "2")).startswith("t.csv, row 3, ")
