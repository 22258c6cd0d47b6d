"""Ballots to counts to scores; what small cells may show."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod.errors import DataError, PerfmethodError
from perfmethod.survey import Counts, effective_weights, empty_cells, scores, suppress, tabulate

LABELS = {
    "units": ["C01", "D01", "D02"],
    "dimensions": ["duty", "conduct"],
    "categories": ["R01", "R02", "R13"],
    "modes": ["separate_fill", "online"],
    "options": [1, 2, 3, 9],
}
SHANDONG = np.array([100, 75, 55, np.nan])  # 2008: "don't know" is not counted
MIN_CELL = 10


def random_ballots(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "unit_id": rng.choice(LABELS["units"], n),
            "category": rng.choice(LABELS["categories"], n, p=[0.6, 0.37, 0.03]),
            "mode": rng.choice(LABELS["modes"], n),
            "duty": rng.choice([1, 2, 3, 9, np.nan], n),
            "conduct": rng.choice([1, 2, 3, 9, np.nan], n),
        }
    )


def ballots_of(*groups: tuple[str, str, str, int, int]) -> pd.DataFrame:
    """Ballots from (unit, category, mode, code, how many), one dimension `duty`."""
    rows = [group[:4] for group in groups for _ in range(group[4])]
    return pd.DataFrame(rows, columns=["unit_id", "category", "mode", "duty"])


def counts_of(*groups: tuple[str, str, str, int, int]) -> Counts:
    return tabulate(ballots_of(*groups), **{**LABELS, "dimensions": ["duty"]})


# --- hand-worked values


def test_shandong_scale_by_hand():
    # 6 satisfied, 3 basically, 1 dissatisfied, 2 don't know: (600 + 225 + 55) / 10 = 88
    # 1 satisfied, 1 dissatisfied:                              (100 + 55) / 2       = 77.5
    counts = counts_of(
        ("D01", "R01", "online", 1, 6),
        ("D01", "R01", "online", 2, 3),
        ("D01", "R01", "separate_fill", 3, 1),
        ("D01", "R01", "separate_fill", 9, 2),
        ("D01", "R02", "online", 1, 1),
        ("D01", "R02", "online", 3, 1),
    )
    result = scores(counts, SHANDONG, [[3, 1, 5]])  # R13 has no ballots: 3 and 1 are all there is
    assert result[1, 0] == pytest.approx((3 * 88 + 1 * 77.5) / 4, rel=1e-15)
    assert np.isnan(result[[0, 2]]).all()


def test_two_sources_six_to_four():
    # Shandong 2008: telephone and questionnaire count 6 : 4, however many ballots each brought
    counts = counts_of(
        ("D01", "R01", "separate_fill", 1, 6),
        ("D01", "R01", "separate_fill", 2, 4),  # mean 90
        ("D01", "R01", "online", 1, 20),
        ("D01", "R01", "online", 3, 80),  # mean 64
        ("D01", "R02", "online", 2, 3),  # only online: its mean is the category's
    )
    weights = [[1, 0, 0]]
    by_weights = scores(counts, SHANDONG, weights, [6, 4], combine_modes="weights")
    assert by_weights[1, 0] == pytest.approx(0.6 * 90 + 0.4 * 64, rel=1e-15)
    pooled = scores(counts, SHANDONG, weights, [6, 4])
    assert pooled[1, 0] == pytest.approx((10 * 90 + 100 * 64) / 110, rel=1e-15)
    one_mode = scores(counts, SHANDONG, [[0, 1, 0]], [6, 4], combine_modes="weights")
    assert one_mode[1, 0] == 75


def test_weights_may_differ_by_unit():
    counts = counts_of(
        ("C01", "R01", "online", 1, 1),
        ("C01", "R02", "online", 3, 1),
        ("D01", "R01", "online", 1, 1),
        ("D01", "R02", "online", 3, 1),
    )
    result = scores(counts, SHANDONG, [[1, 3, 0], [3, 1, 0], [1, 1, 1]])
    np.testing.assert_allclose(result[:2, 0], [100 / 4 + 3 * 55 / 4, 300 / 4 + 55 / 4], rtol=1e-15)


# --- nothing to count


def test_category_of_dont_knows_gives_its_weight_away():
    counts = counts_of(("D01", "R01", "online", 1, 2), ("D01", "R02", "online", 9, 12))
    assert scores(counts, SHANDONG, [[1, 1, 1]])[1, 0] == 100
    empty = empty_cells(counts, SHANDONG)
    assert empty["category"].tolist() == ["R02", "R13"]
    assert empty["reason"].tolist() == ["no valid answer", "no ballots"]
    assert empty["ballots"].tolist() == [12, 0]
    assert empty["scored"].all()
    assert empty_cells(counts, SHANDONG, [[1, 0, 1]])["category"].tolist() == ["R13"]


def test_unit_of_dont_knows_has_no_score_and_is_reported():
    counts = counts_of(("D01", "R01", "online", 9, 3), ("D02", "R01", "online", 1, 3))
    assert np.isnan(scores(counts, SHANDONG, [[1, 1, 1]])[1, 0])
    empty = empty_cells(counts, SHANDONG).set_index("unit_id")
    assert not empty.loc["D01", "scored"].any()
    assert empty.loc["D02", "scored"].all()
    assert "C01" not in empty.index  # never asked about: nothing is missing
    weightless = scores(counts, SHANDONG, [[0, 1, 1]])
    assert np.isnan(weightless).all()


def test_no_ballots_at_all():
    counts = tabulate(random_ballots(0, 0), **LABELS)
    assert counts.array.shape == (3, 2, 3, 2, 4)
    assert np.isnan(scores(counts, SHANDONG, np.ones((5, 3, 3)))).all()
    assert empty_cells(counts, SHANDONG).empty


# --- slow twins


def test_counts_equal_a_loop_over_ballots():
    ballots = random_ballots(400, 1)
    expected = np.zeros((3, 2, 3, 2, 4), dtype=int)
    for row in ballots.to_dict("records"):
        for d, dimension in enumerate(LABELS["dimensions"]):
            if row[dimension] == row[dimension]:
                place = [LABELS["units"].index(row["unit_id"]), d]
                place += [LABELS["categories"].index(row["category"])]
                place += [LABELS["modes"].index(row["mode"])]
                place += [LABELS["options"].index(row[dimension])]
                expected[tuple(place)] += 1
    counts = tabulate(ballots, **LABELS).array
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("combine", ["ballots", "weights"])
def test_scores_equal_pandas_groupby(combine):
    ballots = random_ballots(600, 2)
    category_weight = {"R01": 2.0, "R02": 1.0, "R13": 0.5}
    mode_weight = {"separate_fill": 6.0, "online": 4.0}
    counts = tabulate(ballots, **LABELS)
    got = scores(
        counts,
        SHANDONG,
        [list(category_weight.values())],
        list(mode_weight.values()),
        combine_modes=combine,
    )
    for d, dimension in enumerate(LABELS["dimensions"]):
        y = ballots.assign(y=ballots[dimension].map({1: 100.0, 2: 75.0, 3: 55.0}))
        for u, unit in enumerate(LABELS["units"]):
            own = y[y["unit_id"] == unit].dropna(subset="y")
            means = own.groupby("category")["y"].mean()
            if combine == "weights":
                cells = own.groupby(["category", "mode"])["y"].mean().reset_index()
                cells["v"] = cells["mode"].map(mode_weight)
                sums = cells.assign(vy=cells["v"] * cells["y"]).groupby("category")[["v", "vy"]]
                means = sums.sum().eval("vy / v")
            w = means.index.map(category_weight)
            assert got[u, d] == pytest.approx(np.average(means, weights=w), rel=1e-13)


@pytest.mark.parametrize("combine", ["ballots", "weights"])
def test_score_is_the_sum_of_effective_weight_times_cell_mean(combine):
    counts = tabulate(random_ballots(90, 3), **LABELS)
    weighting = (SHANDONG, [[2, 1, 0.5]], [6, 4])
    weights = effective_weights(counts, *weighting, combine_modes=combine)
    n = counts.array[..., :3]
    with np.errstate(invalid="ignore"):
        mean = (n @ SHANDONG[:3]) / n.sum(axis=-1)
    total = np.where(weights > 0, weights * mean, 0).sum(axis=(2, 3))
    np.testing.assert_allclose(total, scores(counts, *weighting, combine_modes=combine), rtol=1e-13)
    np.testing.assert_allclose(weights.sum(axis=(2, 3)), 1, rtol=1e-13)
    assert (weights[n.sum(axis=-1) == 0] == 0).all()


# --- laws

few = hnp.arrays(np.int64, (2, 2, 2, 2, 3), elements=st.integers(0, 3))
weight = st.floats(0, 10, allow_subnormal=False)


@settings(deadline=None)
@given(st.data(), few, st.sampled_from(["ballots", "weights"]))
def test_leading_axis_is_a_loop(data, counts, combine):
    draw = data.draw
    k = draw(st.integers(1, 3), label="draws")
    lead = [draw(st.sampled_from([(), (k,), (1,)])) for _ in range(3)]
    option = st.one_of(st.just(np.nan), st.floats(0, 100, allow_subnormal=False))
    s = draw(hnp.arrays(float, (*lead[0], 3), elements=option))
    w = draw(hnp.arrays(float, (*lead[1], 2, 2), elements=weight))
    v = draw(hnp.arrays(float, (*lead[2], 2), elements=weight))
    at_once = scores(counts, s, w, v, combine_modes=combine)
    shape = np.broadcast_shapes(*lead)
    assert at_once.shape == (*shape, 2, 2)
    alone = [
        scores(
            counts,
            np.broadcast_to(s, (*shape, 3))[i],
            np.broadcast_to(w, (*shape, 2, 2))[i],
            np.broadcast_to(v, (*shape, 2))[i],
            combine_modes=combine,
        )
        for i in itertools.product(*map(range, shape))
    ]
    np.testing.assert_array_equal(at_once.reshape(-1, 2, 2), alone)  # the same bits


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_order_and_pieces_do_not_change_a_count(n, seed, pieces):
    ballots = random_ballots(n, seed)
    whole = tabulate(ballots, **LABELS)
    shuffled = ballots.sample(frac=1, random_state=seed)
    parts = [tabulate(shuffled.iloc[i::pieces], **LABELS) for i in range(pieces)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    np.testing.assert_array_equal(total.array, whole.array)
    assert total.labels == whole.labels


@settings(deadline=None)
@given(few, hnp.arrays(float, (2, 2), elements=st.floats(0.1, 10)), st.floats(0.1, 10))
def test_scores_stay_on_the_scale_and_ignore_the_unit_of_weights(counts, w, factor):
    first = scores(counts, [100, 55, np.nan], w)
    np.testing.assert_allclose(scores(counts, [100, 55, np.nan], w * factor), first, rtol=1e-12)
    known = first[~np.isnan(first)]
    assert ((known > 55 - 1e-9) & (known < 100 + 1e-9)).all()


# --- reading


def test_kinds_of_columns_read_alike():
    ballots = random_ballots(50, 4)
    expected = tabulate(ballots, **LABELS).array
    text = ballots["duty"].map(lambda x: "" if np.isnan(x) else str(int(x)))
    for duty in (ballots["duty"].astype("Int64"), text, text.astype(object), text + " "):
        got = tabulate(ballots.assign(duty=duty), **{**LABELS, "options": ["1", "2", "3", "9"]})
        np.testing.assert_array_equal(got.array, expected)
    as_category = ballots.astype({"unit_id": "category", "mode": "category"})
    np.testing.assert_array_equal(tabulate(as_category, **LABELS).array, expected)


def test_every_problem_is_reported_at_once():
    ballots = random_ballots(5, 5).astype({"duty": object, "unit_id": object})
    ballots.loc[0, "unit_id"] = "D1"
    ballots.loc[1, "category"] = None
    ballots.loc[2, "mode"] = "onlin"
    ballots.loc[3, "duty"] = "yes"
    ballots.loc[4, "conduct"] = 1.5
    with pytest.raises(DataError) as error:
        tabulate(ballots, **LABELS, file="b.csv")
    said = [str(problem) for problem in error.value.problems]
    assert len(said) == 5
    assert "b.csv, row 2, column 'unit_id': found 'D1'; allowed: did you mean 'D01'?" in said[0]
    assert "row 3, column 'category': found an empty cell" in said[1]
    assert "did you mean 'online'?" in said[2]
    assert "row 5, column 'duty': found 'yes'; allowed: one of 1, 2, 3, 9, or blank" in said[3]
    assert "row 6, column 'conduct': found 1.5" in said[4].replace("np.float64(1.5)", "1.5")
    with pytest.raises(DataError, match=r"(?s)'duty'.*'conduct'"):
        tabulate(ballots.drop(columns=["duty", "conduct"]), **LABELS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"option_scores": [100, 75]}, r"option_scores: found shape \(2,\); allowed: \(..., 4\)"),
        ({"category_weights": [[1, -1, 1]]}, r"category_weights: found -1.0; allowed: finite"),
        ({"category_weights": [[1, np.nan, 1]]}, "category_weights: found nan"),
        ({"category_weights": [1, 1, 1]}, r"category_weights: found shape \(3,\)"),
        ({"mode_weights": [1, np.inf]}, "mode_weights: found inf"),
        ({"option_scores": [1, 2, 3, np.inf]}, "option_scores: found an infinite score"),
        ({"combine_modes": "weight"}, "did you mean 'weights'"),
        ({"counts": np.ones((2, 2))}, "counts: found 2 axes"),
    ],
)
def test_arrays_that_do_not_fit(change, message):
    good = {
        "counts": tabulate(random_ballots(5, 0), **LABELS),
        "option_scores": SHANDONG,
        "category_weights": np.ones((1, 3)),
    }
    with pytest.raises(PerfmethodError, match=message):
        scores(**{**good, **change})


def test_labels_and_counts_that_do_not_fit():
    with pytest.raises(PerfmethodError, match="units: found C01 twice"):
        tabulate(random_ballots(2, 0), **{**LABELS, "units": ["C01", "C01"]})
    counts = tabulate(random_ballots(2, 0), **LABELS)
    other = tabulate(random_ballots(2, 0), **{**LABELS, "options": [1, 2, 3, 9, 5]})
    with pytest.raises(PerfmethodError, match="other labels"):
        counts + other
    with pytest.raises(ValueError, match="read-only"):
        counts.array[0] = 1


# --- small cells


def test_frame_of_counts_hides_small_cells_whole_and_small_options():
    counts = counts_of(
        ("D01", "R01", "online", 1, 9),
        ("D02", "R01", "online", 1, 10),
        ("D02", "R01", "online", 3, 2),
    )
    frame = counts.to_frame().set_index(["unit_id", "option"])["answers"]
    assert frame.loc["D01"].tolist() == ["<10"] * 4  # also what nobody chose
    assert frame.loc["D02"].tolist() == [10, 0, "<10", 0]
    assert counts.to_frame()["suppressed"].tolist() == [True] * 4 + [False, False, True, False]
    assert counts.to_frame(1)["answers"].sum() == 21
    assert not counts.to_frame(1)["suppressed"].any()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=8))
def test_suppressed_table_shows_no_small_count_and_no_way_back(cells):
    frame = pd.DataFrame(cells, columns=["valid", "dont_know"])
    frame.insert(0, "ballots", frame["valid"] + frame["dont_know"])
    frame["mean"] = 80.0
    shown = suppress(frame, MIN_CELL)
    for before, after in zip(frame.to_dict("records"), shown.to_dict("records"), strict=True):
        for name in ("ballots", "valid", "dont_know"):
            assert after[name] in (before[name], f"<{MIN_CELL}", f">{before['ballots'] - MIN_CELL}")
            assert not (isinstance(after[name], int) and 0 < after[name] < MIN_CELL)
        hidden = [n for n in ("ballots", "valid", "dont_know") if isinstance(after[n], str)]
        assert len(hidden) != 1  # one hidden of three that add up is not hidden
        small = any(0 < before[n] < MIN_CELL for n in ("ballots", "valid"))
        assert after["suppressed"] == small == np.isnan(after["mean"])


def test_suppress_refuses_nonsense():
    with pytest.raises(PerfmethodError, match="min_cell: found 0"):
        suppress(pd.DataFrame({"ballots": [1]}), 0)
