"""What the survey's errors leave out for want of answers, and covariances that are only rounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.ranking import (
    grade_posterior,
    joint_ranks,
    place_sets,
    rank_sets,
    total_errors,
)
from perfmethod.scoring import unmeasured_of
from perfmethod.synthetic import synthetic_year
from perfmethod.uncertainty import is_symmetric
from tests.small_year import write_small_year

ROOT = Path(__file__).resolve().parents[1]
ANALYSES: dict[str, Callable] = {
    "rank_sets": lambda of: rank_sets(of, draws=1024),
    "place_sets": lambda of: place_sets(of, draws=1024),
    "grade_posterior": lambda of: grade_posterior(of, draws=1024),
    "joint_ranks": lambda of: joint_ranks(of, draws=64),
}


@cache
def drawn(seed: int, ballots: int) -> pm.Evaluation:
    made = synthetic_year(seed=seed, ballots=ballots)
    return pm.evaluate(pm.Year.from_frames(pm.Scheme.loads(made.scheme), **made.tables))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path_factory.mktemp("year")))


def one_rater(year: pm.Year, category: str) -> pm.Year:
    """All ballots of a category from one rater, twice as many of them as there were."""
    table = year.ballots
    mine = table["category"] == category
    more = table[mine].assign(ballot_id="again-" + table.loc[mine, "ballot_id"])
    table = pd.concat([table, more], ignore_index=True)
    alone = np.where(table["category"] == category, "alone", table["rater_id"])
    return year.replace(ballots=table.assign(rater_id=alone))


# symmetry


def test_an_ordinary_year_has_place_sets() -> None:
    # its covariance has entries of about 1e-17 next to variances of 20, by the order of summation
    assert place_sets(drawn(2, 2000), draws=1024).counts.sum() == 49
    _, covariance = total_errors(drawn(2, 2000))
    assert (covariance == covariance.T).all()


def test_symmetry_is_judged_by_the_scale_of_the_pair() -> None:
    near = np.diag([4.0, 9.0, 1e-6])
    near[0, 1], near[1, 0] = 1e-16, -3e-16  # the rest of terms that cancel
    near[0, 2], near[2, 0] = 1e-12, 1.1e-12
    assert is_symmetric(near)
    assert rank_sets(([3.0, 2.0, 1.0], near), draws=256).sets["low"].tolist() == [1, 1, 1]
    # as small a gap is no rounding where all errors are as small
    tiny = np.diag([1e-16] * 3)
    tiny[0, 1] = 1e-17
    assert not is_symmetric(tiny)
    near[0, 1] = 1e-4
    with pytest.raises(PerfmethodError, match="not symmetric"):
        rank_sets(([3.0, 2.0, 1.0], near), draws=256)
    # scaling all estimates changes nothing
    for scale in (1e-9, 1e9):
        assert not is_symmetric(near * scale)


def test_other_errors_may_be_rounded_too(small: pm.Year) -> None:
    found = pm.evaluate(small)
    extra = pd.DataFrame(np.eye(5), found.scores.index, found.scores.index)
    extra.iloc[0, 1], extra.iloc[1, 0] = 1e-17, 2e-17
    assert place_sets(found, extra=extra, draws=256).counts.sum() == 5


# what is not measured


@pytest.mark.parametrize("name", ANALYSES)
def test_a_survey_that_measures_nothing_is_refused(name: str) -> None:
    with pytest.raises(PerfmethodError, match=r"found 98 % of the survey's weight") as caught:
        ANALYSES[name](drawn(0, 500))
    assert "lonely categories: R01, R08, R12" in str(caught.value)
    assert "allowed: at most 50 %" in str(caught.value)


def test_one_unit_that_measures_nothing_is_refused(small: pm.Year) -> None:
    table = small.ballots
    mine = table["unit_id"] == "C01"
    first = mine & ~table.duplicated(["unit_id", "category"])
    alone = small.replace(ballots=table[first | ~mine])
    with pytest.raises(PerfmethodError, match="nearly nothing is measured for 'C01'"):
        total_errors(pm.evaluate(alone))


@pytest.mark.parametrize("name", ANALYSES)
def test_what_is_not_measured_is_said(name: str) -> None:
    found = ANALYSES[name](drawn(0, 1000))
    assert 0.4 < found.unmeasured_weight < 0.5
    assert found.lonely == ("R07", "R08")
    assert "of the survey weight unmeasured, lonely categories: R07, R08>" in repr(found)
    assert found.to_frame()["unmeasured_weight"].between(0.2, 0.8).all()
    if name != "rank_sets":
        assert "R07, R08 with a single rater" in found.words("en")[-1]
        assert "R07, R08只有一名评议人" in found.words("zh")[-1]


@pytest.mark.parametrize("name", ANALYSES)
def test_where_all_is_measured_nothing_is_said(name: str) -> None:
    found = ANALYSES[name](drawn(0, 20_000))
    assert (found.unmeasured_weight, found.lonely) == (0.0, ())
    assert "unmeasured" not in repr(found)
    assert (found.to_frame()["unmeasured_weight"] == 0).all()
    if name != "rank_sets":
        assert not any("cannot be measured" in text for text in found.words("en"))


def test_errors_of_other_sources_stand_in_and_the_survey_is_still_named() -> None:
    extra = pd.Series(5.0, drawn(0, 500).scores.index)
    found = place_sets(drawn(0, 500), extra=extra, draws=1024)
    assert found.unmeasured_weight == pytest.approx(0.98, abs=0.01)
    assert "98 % of the survey weight unmeasured" in repr(found)
    assert found.sets.unmeasured_weight == found.unmeasured_weight
    given = rank_sets(([3.0, 2.0], [1.0, 1.0]), draws=64)
    assert given.unmeasured_weight is None
    assert "unmeasured_weight" not in given.to_frame()


def slow_share(year: pm.Year, unit: str, lonely: tuple[str, ...]) -> float:
    """Share of a unit's survey weight without a measurable error, answer by answer."""
    county = unit.startswith("C")
    nodes = {"livelihood": 50, "conduct": 50} if county else {"efficiency": 60, "conduct": 40}
    category = {"R01": 1, "R02": 2 if county else 1}
    lost = 0.0
    for dimension, weight in nodes.items():
        answers = {}
        for ballot in year.ballots.to_dict("records"):
            if ballot["unit_id"] == unit and ballot[dimension] in (1, 2, 3):
                answers.setdefault(ballot["category"], []).append(ballot[dimension])
        whole = sum(category[c] for c in answers)
        lost += weight * sum(category[c] for c, given in answers.items()
                             if len(given) == 1 or c in lonely) / whole  # fmt: skip
    return lost / sum(nodes.values())


@pytest.mark.parametrize("lonely", [(), ("R01",), ("R02",)])
def test_the_share_is_that_of_the_slow_twin(small: pm.Year, lonely: tuple[str, ...]) -> None:
    year = one_rater(small, lonely[0]) if lonely else small
    found = unmeasured_of(pm.evaluate(year))
    assert found is not None
    assert found.lonely == lonely
    expected = [slow_share(year, unit, lonely) for unit in found.units.index]
    assert found.units.tolist() == pytest.approx(expected, abs=1e-12)
    assert max(expected) > min(expected)
    # the survey weighs the same in every unit of this year
    assert found.weight == pytest.approx(np.mean(expected), abs=1e-12)


def test_the_share_is_that_of_the_review_where_no_category_is_lonely() -> None:
    found, review = unmeasured_of(drawn(2, 2000)), drawn(2, 2000).review
    assert found is not None
    assert review is not None
    share = review.design_effects(min_cell=1).groupby("unit_id")["unmeasured_weight"]
    assert (found.units[share.min().index] >= share.min() - 1e-12).all()
    assert (found.units[share.max().index] <= share.max() + 1e-12).all()


def test_a_year_without_ballots_has_no_share(small: pm.Year) -> None:
    scheme = pm.Scheme.loads("""
        format = 1
        classes.city = {}
        indicators.a = { rule = { method = "identity" } }
        """)
    frame = pd.DataFrame({"unit_id": ["A", "B"], "a": [90.0, 80.0]})
    assert unmeasured_of(pm.evaluate(pm.Year.from_frames(scheme, actuals=frame))) is None
