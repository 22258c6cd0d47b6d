"""Default terms of a generalizability study: what the ballots cannot tell apart is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import generalizability
from perfmethod.reliability._default_terms import default_terms
from perfmethod.reliability.answers import answers_of_ballots

SCORES = {1: 100, 2: 75, 3: 55}


def survey(seed: int = 0, raters: int = 6) -> pd.DataFrame:
    """Raters of two categories on five units; a category has its own mode."""
    rng = np.random.default_rng(seed)
    rows = [
        {"unit_id": f"D{u}", "rater_id": f"{c}{k}", "category": f"R{c}", "mode": f"M{c}"}
        for c in range(2) for k in range(raters) for u in range(5)
    ]  # fmt: skip
    answers = rng.integers(1, 4, (len(rows), 2))
    return pd.DataFrame(rows).assign(duty=answers[:, 0], conduct=answers[:, 1])


def test_modes_that_are_categories_are_left_out_and_named():
    found = generalizability(survey(), option_scores=SCORES)
    assert found.meta["left_out"] == {"unit:mode": "unit:category"}
    assert found.meta["random"] == (
        "unit", "unit:category", "unit:dimension", "rater", "unit:rater",
    )  # fmt: skip
    asked = generalizability(survey(), option_scores=SCORES, random=found.meta["random"])
    assert asked.meta["left_out"] == {}
    np.testing.assert_array_equal(asked.components.variances, found.components.variances)


def test_terms_asked_for_are_an_error():
    terms = ["unit", "unit:category", "unit:mode", "unit:dimension", "rater", "unit:rater"]
    with pytest.raises(PerfmethodError, match="'unit:category' and 'unit:mode': found the same"):
        generalizability(survey(), option_scores=SCORES, random=terms)


def test_noise_is_kept_rather_than_taken_for_a_difference_between_units():
    ballots = survey()
    own = ballots["rater_id"].str[1:].astype(int) % 5 == ballots["unit_id"].str[1:].astype(int)
    one = ballots[own].drop_duplicates(["unit_id", "category"])  # a ballot of each category
    terms, left = default_terms(answers_of_ballots(one, SCORES, None, None))
    # each rater rates one unit: the rater, the ballot and unit x category are one
    assert terms == ["unit", "unit:dimension", "rater"]
    assert left == {"unit:category": "rater", "unit:mode": "rater", "unit:rater": "rater"}


def test_a_group_for_each_answer_is_the_residual():
    ballots = survey(raters=1).drop_duplicates("unit_id")[["unit_id", "rater_id", "category",
                                                           "mode", "duty", "conduct"]]  # fmt: skip
    terms, left = default_terms(answers_of_ballots(ballots, SCORES, None, None))
    assert left["unit:dimension"] == "residual"
    assert "unit:dimension" not in terms


def test_one_unit_one_rater_stays_an_error():
    ballots = survey()
    own = ballots["rater_id"].str[1:].astype(int) == ballots["unit_id"].str[1:].astype(int)
    with pytest.raises(PerfmethodError, match="found the same"):
        generalizability(ballots[own & (ballots["category"] == "R0")], option_scores=SCORES)


def partition(ballots: pd.DataFrame, term: str) -> list[frozenset[Any]]:
    """The slow twin: groups of single answers by a term."""
    columns = {"unit": ["unit_id"], "rater": ["category", "rater_id"], "category": ["category"],
               "mode": ["mode"], "dimension": ["dimension"]}  # fmt: skip
    by = [column for facet in term.split(":") for column in columns[facet]]
    number = ballots.groupby([*dict.fromkeys(by)]).ngroup().to_numpy()
    groups = (frozenset(np.flatnonzero(number == i).tolist()) for i in range(number.max() + 1))
    return sorted(groups, key=sorted)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 14))
def test_what_is_kept_differs_and_what_is_left_out_is_what_it_is_said_to_be(seed: int, n: int):
    rng = np.random.default_rng(seed)
    facets = {"unit_id": 3, "rater_id": 3, "category": 2, "mode": 2}
    columns = {name: rng.integers(0, size, n).astype(str) for name, size in facets.items()}
    ballots = pd.DataFrame({**columns, "duty": 1, "conduct": rng.choice([1, 2, np.nan], n)})
    ballots = ballots.drop_duplicates(["unit_id", "rater_id", "category"])
    long = ballots.melt([*facets], ["duty", "conduct"], "dimension").dropna(subset="value")
    long = long.reset_index(drop=True)
    terms, left = default_terms(answers_of_ballots(ballots, SCORES, None, None))
    alone = [frozenset([row]) for row in long.index]
    groups = {term: partition(long, term) for term in [*terms, *left]}
    for term, other in left.items():
        same = alone if other == "residual" else groups[other]
        assert groups[term] == same
    kept = [term for term in terms if term not in ("unit", "rater")]
    for i, term in enumerate(kept):
        assert groups[term] != alone
        assert all(groups[term] != groups[other] for other in ["unit", "rater", *kept[:i]])


def test_a_reduction_leaves_out_the_same():
    from perfmethod.reduction import SurveySpec, reduce
    from tests.reduction_engines import need

    need()
    names = tuple(f"D{u}" for u in range(5))
    spec = SurveySpec(names, ("duty", "conduct"), ("R0", "R1"), ("M0", "M1"), (1, 2, 3),
                      (100, 75, 55))  # fmt: skip
    found = generalizability(reduce(survey(), spec))
    whole = generalizability(survey(), option_scores=SCORES)
    assert found.meta["left_out"] == whole.meta["left_out"] == {"unit:mode": "unit:category"}
    np.testing.assert_allclose(found.components.variances, whole.components.variances, rtol=1e-4,
                               atol=1e-3)  # fmt: skip
