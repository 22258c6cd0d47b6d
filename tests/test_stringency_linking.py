"""What cannot be compared, and plans of who rates whom: slow twins, known values, refusals."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod.errors import DataError, PerfmethodError
from perfmethod.stringency import (
    connectivity,
    contrast_errors,
    linked_design,
    nested_ratings,
    plan_links,
    summarize_contrasts,
)

mpl.use("Agg")

CITY = (4, 9, 9, 8, 7, 6, 6)
INCIDENCE = hnp.arrays(int, (4, 6), elements=st.sampled_from([0, 0, 0, 1, 2]))


def slow_errors(n: np.ndarray) -> np.ndarray:
    """Least squares with one row per rating; a contrast counts if no other solution changes it."""
    rows = [(r, u) for r, u in np.argwhere(n > 0) for _ in range(n[r, u])]
    design = np.zeros((len(rows), sum(n.shape)))
    for k, (r, u) in enumerate(rows):
        design[k, r] = design[k, n.shape[0] + u] = 1
    inverse = np.linalg.pinv(design.T @ design)
    project = np.linalg.pinv(design) @ design
    found = np.zeros((n.shape[1], n.shape[1]))
    for i in range(n.shape[1]):
        for j in range(n.shape[1]):
            c = np.zeros(design.shape[1])
            c[n.shape[0] + i] += 1
            c[n.shape[0] + j] -= 1
            estimable = np.abs(project @ c - c).max() < 1e-8
            found[i, j] = np.sqrt(max(c @ inverse @ c, 0)) if estimable else np.inf
    return found


@settings(max_examples=40)
@given(INCIDENCE.filter(lambda n: n.sum() > 0))
def test_errors_of_contrasts_are_those_of_least_squares(n) -> None:
    np.testing.assert_allclose(contrast_errors(n), slow_errors(n), atol=1e-7)


@settings(max_examples=40)
@given(INCIDENCE.filter(lambda n: (n.sum(axis=0) > 0).all()), st.floats(0.5, 3))
def test_a_contrast_is_finite_where_a_chain_of_ratings_joins_the_units(n, sigma) -> None:
    raters, units = np.nonzero(n)
    found = connectivity(raters, units)
    errors = contrast_errors(n, sigma)
    for i in range(6):
        for j in range(6):
            assert found.comparable(str(i), str(j)) == bool(np.isfinite(errors[i, j]))
    assert found.connected == bool(np.isfinite(errors).all())
    # more ratings never make a contrast less sure; all ratings twice make it surer by root two
    assert (contrast_errors(n + (n > 0), sigma) <= errors + 1e-9).all()
    twice = contrast_errors(2 * n, sigma)
    np.testing.assert_allclose(twice * np.sqrt(2), errors, atol=1e-9)


# seven panels of seven raters, error sd 1: pairs (groups counted from 0), from a separate program
KNOWN = [
    ({}, 343, 0.535, [((1, 2), np.inf)]),
    ({"common": 1}, 392, 0.500, [((1, 2), 0.667), ((0, 6), 0.784)]),
    ({"common": 2}, 441, 0.471, [((1, 2), 0.556), ((0, 6), 0.620)]),
    ({"common": 3}, 490, 0.447, [((1, 2), 0.502), ((0, 6), 0.545)]),
    ({"ring": 1}, 392, 0.500, [((1, 2), 0.649), ((1, 4), 0.836)]),
    ({"ring": 2}, 441, 0.471, [((1, 2), 0.545), ((1, 4), 0.659)]),
]


@pytest.mark.parametrize(("links", "ratings", "inside", "pairs"), KNOWN)
def test_known_designs_have_the_known_errors(links, ratings, inside, pairs) -> None:
    n, group = linked_design(CITY, 7, **links)
    errors, first = contrast_errors(n), np.unique(group, return_index=True)[1]
    assert n.sum() == ratings
    assert round(errors[first[1], first[1] + 1], 3) == inside
    for (a, b), known in pairs:
        assert round(errors[first[a], first[b]], 3) == known
    found = summarize_contrasts(n, group)
    assert found.parts == (7 if not links else 1)
    assert found.within == pytest.approx(np.sqrt(2 / (7 + sum(links.values()))))
    assert found.cross_worst >= found.cross > found.within


def test_common_raters_have_a_closed_form() -> None:
    # a group's mean is known by its panel up to their severity, which the common raters carry over
    n, group = linked_design([5, 3], 4, common=2)
    # units as differences inside groups (6 raters), group means by the 2 common raters only
    inside = (1 - 1 / 5) / 6 + (1 - 1 / 3) / 6
    means = (1 / 5 + 1 / 3) / 2
    assert summarize_contrasts(n, group).cross_worst == pytest.approx(np.sqrt(inside + means))


def test_ratings_that_nothing_joins_are_refused_by_name() -> None:
    groups = pd.Series({"A": "g", "B": "g", "C": "h", "D": "h", "E": "h"})
    nested = connectivity(*nested_ratings(groups, 3))
    assert (len(nested.parts), nested.ratings, nested.connected) == (2, 15, False)
    assert nested.parts.loc[1, "units"] == ("C", "D", "E")
    with pytest.raises(PerfmethodError, match=r"2 parts .*1: C, D, E \(3 units\); 2: A, B"):
        nested.require()
    raters, units = nested_ratings(groups, 3)
    linked = connectivity([*raters, "x", "x"], [*units, "A", "C"])
    linked.require()
    assert linked.connected
    assert "1 part," in repr(linked)
    with pytest.raises(PerfmethodError, match="without a rating; one of A, B"):
        nested.comparable("A", "Z")
    for bad in (([], []), (["r"], ["A", "B"]), (["r", None], ["A", "B"])):
        with pytest.raises(PerfmethodError, match="one rater and one unit"):
            connectivity(*bad)


def test_no_tried_design_is_cheaper_than_the_one_that_is_named() -> None:
    found = plan_links([4, 6, 5], 4, ratio=1.3, most_common=4)
    best = found.designs.loc[found.cheapest]
    for kind in ("common", "ring"):
        for k in range(1, 5):
            for units in (1, 2, 3, 4, 5, None):
                n, group = linked_design([4, 6, 5], 4, units=units, **{kind: k})
                tried = summarize_contrasts(n, group)
                good = tried.cross_worst <= 1.3 * tried.within
                assert not good or tried.ratings >= best["ratings"]
    nested = found.designs.iloc[0]
    assert (nested["kind"], nested["parts"], nested["extra"]) == ("nested", 3, 0)
    assert np.isinf(nested["cross_worst"])
    line = found.designs[found.designs["best"]]
    assert line["cross_worst"].is_monotonic_decreasing


def test_a_wanted_error_is_met_or_said_to_be_out_of_reach() -> None:
    found = plan_links(CITY, error=0.6)
    row = found.designs.loc[found.cheapest]
    assert (row["kind"], row["common"], row["ratings"]) == ("common", 3, 490)
    assert found.to_frame().equals(found.designs)
    impossible = plan_links([4, 6, 5], 3, ratio=0.5, most_common=2)
    assert impossible.cheapest is None
    assert "none" in repr(impossible)
    assert impossible.words("en")[1] == "No design tried reaches the wanted precision."
    assert plan_links(CITY, error=1.2, sigma=2.0).cheapest == found.cheapest  # only their ratio


def test_words_and_picture_of_a_plan() -> None:
    found = plan_links(CITY, ratio=1.4)
    now, best = found.words("en")
    assert "no finite error" in now
    assert best == (
        "2 common raters rate all units in every group: 441 ratings, 29 % more than now; a "
        "contrast between groups then has at worst 1.31 times the error of one inside a group."
    )
    assert found.words("zh")[1].startswith("2名共同评委在每组各评全部单位: 共441次评分")
    ax = found.plot(lang="en")
    assert "1.31 times" in ax.get_title(loc="left").replace("\n", " ")
    marked = next(c for c in ax.collections if c.get_gid() == "cheapest")
    assert np.asarray(marked.get_offsets()).round(3).tolist() == [[441, 0.620]]
    assert plan_links([4, 6, 5], 3, ratio=0.5, most_common=1).plot().get_title("left") != ""


def test_impossible_plans_are_refused_with_every_reason() -> None:
    with pytest.raises(DataError) as caught:
        linked_design([3], 0, common=-1, ring=5, units=0)
    assert [p.column for p in caught.value.problems] == [
        "sizes", "raters", "common", "ring", "units",
    ]  # fmt: skip
    with pytest.raises(DataError) as caught:
        plan_links(CITY, ratio=-1, error=0.0, most_common=0)
    assert len(caught.value.problems) == 3
    with pytest.raises(DataError) as caught:
        contrast_errors([[1, -1]], sigma=0)
    assert len(caught.value.problems) == 2
    with pytest.raises(DataError, match="raters x units"):
        contrast_errors([])
    with pytest.raises(DataError, match="2, one for each unit"):
        summarize_contrasts([[1, 1]], ["a"])
    with pytest.raises(DataError, match="1 group"):
        summarize_contrasts([[1, 1]], ["a", "a"])
