"""What the check of a normalization rule reports, and that it never raises."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfmethod import normalization as nz
from perfmethod.normalization import METHODS, check

PROBLEMS: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("completion_ratio", {"cap": 0.9}, 1, "cap = 0.9", "cap at least 1"),
    ("completion_ratio", {"cap": "1.1"}, 1, "cap = '1.1'", "a number"),
    ("completion_ratio", {"cap": True}, 1, "cap = True", "a number"),
    ("completion_ratio", {"cap": None}, 1, "cap = None", "a number"),
    ("completion_ratio", {"cap": [1.1, 1.2]}, 1, "cap = [1.1, 1.2]", "a number"),
    ("completion_ratio", {"cap": float("inf")}, 1, "cap = inf", "a number"),
    ("completion_ratio", {"cap": np.array([[1.1], [0.9]])}, 1, "cap = array", "at least 1"),
    ("goalposts", {"lower": 5, "upper": 5}, 1, "lower = 5, upper = 5", "lower below upper"),
    ("goalposts", {"lower": 5, "upper": 4}, -1, "lower = 5, upper = 4", "lower below upper"),
    ("goalposts", {"lower": 1, "upper": 2, "truncate": 1}, 1, "truncate = 1", "true or false"),
    ("linear_deduction", {"step": 0}, 1, "step = 0", "step above 0"),
    ("linear_deduction", {"k": -1}, -1, "k = -1", "k at least 0"),
    ("growth_anchor", {"floor": 101}, 1, "floor = 101", "floor not above cap"),
    ("threshold", {"met": 10, "missed": 20}, 1, "missed = 20, met = 10", "missed not above met"),
    ("minmax", {"to": [0, 50, 100]}, 1, "to = [0, 50, 100]", "to with 2 entries"),
    ("minmax", {"to": [100, 0]}, 1, "to = [100, 0]", "ascending"),
    ("minmax", {"to": 100}, 1, "to = 100", "a list of finite numbers"),
    ("minmax", {"to": []}, 1, "to = []", "a list of finite numbers"),
    ("zscore", {"to": [0, 0]}, 1, "to = [0, 0]", "sd above 0"),
    ("step_ladder", {"thresholds": [9, 5], "scores": [0, 1, 2]}, 1, "thresholds", "ascend"),
    ("step_ladder", {"thresholds": [5, 5], "scores": [0, 1, 2]}, 1, "thresholds", "no two equal"),
    ("step_ladder", {"thresholds": [5, 9], "scores": [0, 1, 2]}, -1, "thresholds", "descend"),
    ("step_ladder", {"thresholds": [5, 9], "scores": [0, 1]}, 1, "scores = [0, 1]", "1 entry"),
    ("step_ladder", {"thresholds": [1, 0], "scores": [9, 5, 0]}, -1, "scores", "worst band"),
    ("step_ladder", {"thresholds": [1, "a"], "scores": [0, 1, 2]}, 1, "thresholds", "a list"),
    ("step_ladder", {"thresholds": [[1, 2]], "scores": [0, 1, 2]}, 1, "thresholds", "a list"),
    ("five_band", {"columns": [60, 70, 80, 90, 100]}, 1, "columns", "descending"),
    ("five_band", {"columns": [5, 4, 3, 2, 1]}, -1, "columns", "ascending"),
    ("five_band", {"columns": [5, 4, 3]}, 1, "columns = [5, 4, 3]", "as many entries as scores"),
    ("levels", {"scores": [9, 5], "lows": [8]}, 1, "lows = [8]", "as many entries as scores"),
    ("levels", {"scores": [9, 5], "lows": [8, 6]}, 1, "lows = [8, 6]", "lows not above scores"),
    ("rank_points", {"points": [1, 2]}, 1, "points = [1, 2]", "best to the worst"),
    ("efficacy", {"base": 100}, 1, "base = 100", "base from 0 to below 100"),
    ("logistic", {"middle": 1, "slope": 0}, -1, "slope = 0", "slope above 0"),
    ("distance_to_reference", {"reference": 1, "worst": 2}, 1, "worst = 2", "not worse"),
    ("distance_to_reference", {"reference": 2, "worst": 1}, -1, "worst = 1", "not worse"),
]


@pytest.mark.parametrize(("method", "params", "direction", "found", "allowed"), PROBLEMS)
def test_check_reports(
    method: str, params: dict[str, Any], direction: int, found: str, allowed: str
) -> None:
    problems = nz.check(method, params, direction=direction)
    assert len(problems) == 1, problems
    assert problems[0][0].startswith(found)
    assert allowed in problems[0][1]


def test_check_reports_everything_at_once_in_a_fixed_order() -> None:
    problems = nz.check("linear_deduction", {"floor": "x", "k": -1, "stp": 1}, has_target=False)
    assert [found for found, _ in problems] == [
        "parameter 'stp'",
        "no target",
        "floor = 'x'",
        "k = -1",
    ]


def test_check_names_the_nearest_method() -> None:
    assert nz.check("completion_rate", {})[0][1].startswith("did you mean 'completion_ratio'")


def test_check_leaves_a_function_its_own_types() -> None:
    def mine(x: np.ndarray, *, mode: str) -> np.ndarray:
        return x

    assert nz.check(mine, {"mode": "any"}) == []
    assert nz.check(mine, {}) == [("no parameter 'mode'", "mode, which has no default")]
    assert nz.check(lambda x, **params: x, {"anything": 1}) == []


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**400),
        st.builds(lambda: 10**5000),
        st.floats(),
        st.text(max_size=3),
        st.just(datetime.date(2009, 1, 1)),
        st.just(np.array(["a"])),
        st.just(np.zeros((2, 0))),
        st.just(object()),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=5,
)


@given(data=st.data(), name=st.sampled_from(sorted(METHODS)), direction=JUNK | st.just(-1))
def test_check_never_raises(data: st.DataObject, name: str, direction: Any) -> None:
    names = st.sampled_from([*METHODS[name].parameters, "other"])
    params = data.draw(st.dictionaries(names, JUNK) | JUNK)
    problems = nz.check(name, params, direction=direction)
    assert all(isinstance(text, str) and "\n" not in text for pair in problems for text in pair)
    assert nz.check(data.draw(JUNK), params)


def test_ladder_of_shares_is_told_that_thresholds_are_per_cent():
    wrong = {"thresholds": [0.6, 0.9, 1.0], "scores": [0, 40, 80, 100]}
    ((found, allowed),) = check("completion_ladder", wrong)
    assert "0.6" in found
    assert "% of the target" in allowed
