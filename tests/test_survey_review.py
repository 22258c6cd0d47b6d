"""A review as a result: its tables, what they hide, and what never leaves it."""

from __future__ import annotations

import copy
import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import PerfmethodError
from perfmethod.survey import Review, review, scores
from tests.small_survey import SURVEY, random_ballots


def test_review_scores_are_the_scores_of_its_counts():
    result = review(random_ballots(80, 1), **SURVEY, combine_modes="weights")
    weighting = [SURVEY[k] for k in ("option_scores", "category_weights", "mode_weights")]
    expected = scores(result.counts, *weighting, combine_modes="weights")
    np.testing.assert_array_equal(result.scores, expected)
    cells = result.cells(1)
    total = (cells["weight"] * cells["mean"]).groupby([cells["unit_id"], cells["dimension"]]).sum()
    np.testing.assert_allclose(
        total.to_numpy(),
        result.to_frame().set_index(["unit_id", "dimension"])["score"].sort_index(),
        rtol=1e-13,
    )


# --- what leaves the module


def test_no_rater_leaves_with_a_result():
    ballots = random_ballots(60, 12)
    ballots["rater_id"] = "secret-" + ballots["rater_id"]
    result = review(ballots, **SURVEY)
    assert b"secret" not in pickle.dumps(result)
    for other in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert not hasattr(other._raters, "sums")  # nor a row per rater
        pd.testing.assert_frame_equal(other.covariance(), result.covariance())
        pd.testing.assert_frame_equal(other.design_effects(), result.design_effects())
    assert "secret" not in repr(result)


def small_numbers(frame: pd.DataFrame) -> list[int]:
    names = [n for n in ("ballots", "valid", "dont_know", "raters", "answers") if n in frame]
    shown = frame[names].to_numpy().ravel().tolist()
    return [x for x in shown if not isinstance(x, str) and 0 < x < 10]


def test_every_table_hides_small_cells():
    result: Review = review(random_ballots(150, 13), **SURVEY)
    tables = [
        result.cells(),
        result.design_effects(),
        result.empty(),
        result.counts.to_frame(),
        *(result.dont_know(by) for by in (["category"], ["unit_id", "mode"], ["dimension"])),
    ]
    assert all(small_numbers(table) == [] for table in tables)
    cells = result.cells()
    assert 0 < cells["suppressed"].sum() < len(cells)
    assert cells.loc[cells["suppressed"], ["mean", "weight"]].isna().all().all()
    assert small_numbers(result.cells(1)) != []


def test_raters_are_counted_where_they_gave_a_valid_answer():
    ballots = random_ballots(150, 17)
    effects = review(ballots, **SURVEY).design_effects(1).set_index(["unit_id", "dimension"])
    for unit, dimension in effects.index:
        own = ballots[(ballots["unit_id"] == unit) & ballots[dimension].isin([1, 2, 3])]
        assert effects.loc[(unit, dimension), "raters"] == own["rater_id"].nunique()
        assert effects.loc[(unit, dimension), "valid"] == len(own)


def test_dont_know_rates():
    ballots = random_ballots(400, 14)
    rates = review(ballots, **SURVEY).dont_know(["dimension"]).set_index("dimension")
    asked = ballots["duty"].notna().sum()
    assert rates.loc["duty", "ballots"] == asked
    assert rates.loc["duty", "rate"] == (ballots["duty"] == 9).sum() / asked
    few = ballots[(ballots["duty"] != 9) | (np.arange(400) < 60)]
    hidden = review(few, **SURVEY).dont_know(["dimension"]).set_index("dimension").loc["duty"]
    assert 0 < (few["duty"] == 9).sum() < 10  # times ballots, the rate would tell how many
    assert hidden["dont_know"] == "<10"
    assert np.isnan(hidden["rate"])
    with pytest.raises(PerfmethodError, match="did you mean 'category'"):
        review(ballots, **SURVEY).dont_know(["categry"])


def test_plot_shows_scores_in_order():
    mpl.use("Agg")
    result = review(random_ballots(60, 15), **SURVEY)
    ax = result.plot("conduct")
    x = ax.lines[0].get_xdata()
    np.testing.assert_array_equal(x, np.sort(result.scores["conduct"]))
    assert "95% interval" in ax.get_xlabel()
    with pytest.raises(PerfmethodError, match="did you mean 'duty'"):
        result.plot("dutty")
    mpl.pyplot.close("all")
