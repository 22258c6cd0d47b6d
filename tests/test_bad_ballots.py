"""Ballots that cannot be meant: an error or a documented result, never a NaN without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import (
    Ratings,
    cronbach_alpha,
    generalizability,
    intraclass_correlations,
    krippendorff_alpha,
)
from perfmethod.severity import severity

OPTIONS = {1: 100.0, 2: 75.0, 3: 55.0}
NAMES = ["duty", "behavior"]


@pytest.fixture
def ballots() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "ballot_id": [f"B{i}" for i in range(60)],
            "unit_id": np.repeat(["A", "B", "C"], 20),
            "rater_id": np.tile([f"r{i}" for i in range(20)], 3),
            "category": np.tile(["R1"] * 10 + ["R2"] * 10, 3),
            "mode": "online",
            "duty": rng.integers(1, 4, 60),
            "behavior": rng.integers(1, 4, 60),
        }
    )


def ratings(table: pd.DataFrame) -> Ratings:
    return Ratings.from_ballots(table, NAMES, scores=OPTIONS)


ASK: dict[str, Callable[[pd.DataFrame], Any]] = {
    "components": lambda b: generalizability(b, option_scores=OPTIONS),
    "alpha": lambda b: cronbach_alpha(ratings(b), draws=20),
    "ICC": lambda b: intraclass_correlations(ratings(b), item="duty"),
    "Krippendorff": lambda b: krippendorff_alpha(ratings(b), "ordinal", item="duty", draws=20),
    "severity": lambda b: severity(b, option_scores=OPTIONS),
}
every = pytest.mark.parametrize("what", ASK)


@every
def test_good_ballots_pass(ballots: pd.DataFrame, what: str) -> None:
    ASK[what](ballots)


@every
def test_answers_off_the_scale(ballots: pd.DataFrame, what: str) -> None:
    ballots.loc[3, "duty"] = 7
    with pytest.raises(PerfmethodError, match=r"row 5, column 'duty': found 7; allowed: .*1, 2, 3"):
        ASK[what](ballots)


@every
def test_all_ratings_equal(ballots: pd.DataFrame, what: str) -> None:
    with pytest.raises(PerfmethodError, match=r"equal|same|vary"):
        ASK[what](ballots.assign(duty=1, behavior=1))


@pytest.mark.parametrize("what", ["components", "ICC", "Krippendorff", "severity"])
def test_one_rater_only(ballots: pd.DataFrame, what: str) -> None:
    with pytest.raises(PerfmethodError, match=r"found .*\b1\b.*allowed: .*(two|2)"):
        ASK[what](ballots[ballots["rater_id"] == "r0"])


def test_one_rater_has_an_alpha_without_an_interval(ballots: pd.DataFrame) -> None:
    found = cronbach_alpha(ratings(ballots[ballots["rater_id"] == "r0"]))
    assert np.isfinite(found.value)
    assert found.method.startswith("none: a single cluster")


@every
def test_the_same_ballot_twice(ballots: pd.DataFrame, what: str) -> None:
    twice = pd.concat([ballots, ballots.iloc[:3]], ignore_index=True)
    with pytest.raises(PerfmethodError, match=r"(?s)3 problems.*row 62"):
        ASK[what](twice)


@every
def test_a_rater_id_in_two_categories_is_two_raters(ballots: pd.DataFrame, what: str) -> None:
    """Ids are those of a category's list: r0 of R1 is nobody of R2."""
    moved = ballots.copy()
    moved.loc[0, "category"] = "R2"
    renamed = moved.copy()
    renamed.loc[0, "rater_id"] = "somebody else"
    assert repr(ASK[what](moved)) == repr(ASK[what](renamed))


@every
def test_an_empty_cell_is_no_answer_and_no_nan(ballots: pd.DataFrame, what: str) -> None:
    gone = ballots[~((ballots["unit_id"] == "A") & (ballots["category"] == "R1"))].copy()
    gone["duty"] = gone["duty"].astype(float)
    gone.loc[gone.index[:4], "duty"] = np.nan
    assert "nan" not in repr(ASK[what](gone))


@pytest.mark.parametrize("what", [generalizability, severity])
def test_a_category_without_weight(ballots: pd.DataFrame, what: Callable[..., Any]) -> None:
    with pytest.raises(PerfmethodError, match=r"R2"):
        what(ballots, option_scores=OPTIONS, category_weights={"R1": 1.0})
