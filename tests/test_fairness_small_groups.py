"""Groups of a unit or two, tables with holes: intervals that cover, degrees of freedom that are."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.fairness import (
    GroupGaps,
    compare_groups,
    explain_gaps,
    group_gaps,
    portfolio,
    raw_gaps,
)
from perfmethod.fairness.residuals import two_way_residual

# raw gaps


def enumerated(y: np.ndarray, size: int, level: float) -> tuple[float, float, float]:
    """Interval and p of the last `size` units by trying every shift that could be an end."""
    every = list(itertools.combinations(range(y.size), size))
    mine = np.arange(y.size) >= y.size - size

    def tails(shift: float) -> tuple[float, float]:
        moved, gaps = y - shift * mine, []
        for pick in every:
            inside = np.isin(np.arange(y.size), pick)
            gaps.append(moved[inside].mean() - moved[~inside].mean())
        own = moved[mine].mean() - moved[~mine].mean()
        return np.mean(np.array(gaps) >= own - 1e-9), np.mean(np.array(gaps) <= own + 1e-9)

    tail, ends = (1 - level) / 2 + 1e-12, set()
    for pick in every:  # shifts by which a permuted gap becomes the own one
        inside = np.isin(np.arange(y.size), pick)
        e = mine[inside].mean() - mine[~inside].mean()
        if e < 1 - 1e-9:
            own = y[mine].mean() - y[~mine].mean()
            ends.add((own - (y[inside].mean() - y[~inside].mean())) / (1 - e))
    kept = [d for d in ends if min(tails(d)) > tail]
    far = 1e6 * (1 + np.abs(y).max())
    low = -np.inf if min(tails(-far)) > tail else min(kept)
    high = np.inf if min(tails(far)) > tail else max(kept)
    return low, high, min(1.0, 2 * min(tails(0.0)))


@settings(max_examples=25)
@given(
    st.lists(st.integers(-9, 9), min_size=4, max_size=7),
    st.integers(1, 3),
    st.sampled_from([0.5, 0.8, 0.9, 0.95]),
)
def test_raw_gaps_of_small_groups_are_those_of_every_shift_tried(values, size, level) -> None:
    y = np.array(values, dtype=float)
    code = (np.arange(y.size) >= y.size - size).astype(int)
    found = raw_gaps(y, code, level=level, draws=50)
    low, high, p = enumerated(y, size, level)
    assert (found.low[1], found.high[1]) == pytest.approx((low, high), abs=1e-9)
    assert found.p[1] == pytest.approx(p)
    # the other group's gap is the same one, turned round
    assert (found.low[0], found.high[0]) == pytest.approx((-high, -low), abs=1e-9)


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(1, 6), min_size=2, max_size=4),
    st.sampled_from([49, 199, 1000]),
    st.floats(0.5, 0.97),
)
def test_an_interval_holds_zero_where_its_p_value_says_so(seed, sizes, draws, level) -> None:
    code = np.repeat(range(len(sizes)), sizes)
    y = np.random.default_rng(seed).integers(0, 9, code.size).astype(float)
    found = raw_gaps(y, code, draws=draws, level=level, seed=seed)
    inside = (found.low <= 0) & (found.high >= 0)
    assert (inside == (found.p > 1 - level)).all()
    assert (found.low <= found.gap + 1e-9).all()
    assert (found.high >= found.gap - 1e-9).all()


@pytest.mark.parametrize(("units", "size"), [(5, 1), (6, 1), (20, 1), (45, 1), (8, 2), (10, 2)])
def test_ends_are_open_where_a_tail_cannot_be_small(units: int, size: int) -> None:
    y = np.random.default_rng(units).normal(size=units)
    code = (np.arange(units) >= units - size).astype(int)
    found = raw_gaps(y, code, draws=300)
    least = 1 / math.comb(units, size)  # of labels drawn by lot so many leave the group as it is
    assert np.isinf(found.low).all() == np.isinf(found.high).all() == (least > 0.025)


def test_an_outlier_alone_is_not_surely_far_off() -> None:
    found = raw_gaps([0, 1, 2, 3, 4, 100.0], [0, 0, 0, 0, 0, 1])
    assert found.gap[1] == pytest.approx(98)
    assert found.p[1] == pytest.approx(1 / 3)  # one of six units, two-sided
    assert (found.low[1], found.high[1]) == (-np.inf, np.inf)
    wide = raw_gaps([0, 1, 2, 3, 4, 100.0], [0, 0, 0, 0, 0, 1], level=0.6)
    assert (wide.low[1], wide.high[1]) == (96, 100)  # p of both ends is 2 / 3 there


@pytest.mark.parametrize(("units", "size"), [(5, 1), (20, 1), (45, 1), (10, 2), (30, 6)])
def test_raw_intervals_cover(units: int, size: int) -> None:
    rng, code = np.random.default_rng(units), (np.arange(units) < size).astype(int)
    held = 0
    for seed in range(200):
        found = raw_gaps(rng.normal(size=units) + 3.0 * code, code, draws=200, seed=seed)
        held += bool(found.low[1] <= 3.0 <= found.high[1])
    # at 95 % fewer than 181 of 200 have a probability of 0.4 %
    assert held >= 181


def test_what_no_gap_can_be_told_from_is_refused() -> None:
    for values, codes, words in [
        ([0, 1, np.nan, 3], [0, 0, 1, 1], "1 missing or infinite values"),
        ([0, 1, np.inf, 3], [0, 0, 1, 1], "1 missing or infinite values"),
        ([0, 1, 2, 3], [0, 0, 0, 0], r"the codes \[0\]; allowed: 0, 1, ... without a hole, two"),
        ([0, 1, 2, 3], [0, 0, 2, 2], r"the codes \[0, 2\]"),
        ([0, 1, 2, 3], [1, 1, 2, 2], r"the codes \[1, 2\]"),
        ([0, 1, 2], [0, 0, 1, 1], r"values of shape \(3,\) for codes of shape \(4,\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            raw_gaps(values, codes)
    y, a = np.arange(6.0)[:, None], np.array([[1.0], [2], [4], [np.nan], [2], [7]])
    with pytest.raises(ValueError, match=r"1 missing or infinite covariates.* the codes"):
        explain_gaps(y, a, [0, 0, 0, 2, 2, 2])  # both are told at once
    with pytest.raises(ValueError, match=r"level 1; .* 0 draws"):
        raw_gaps([0, 1, 2], [0, 0, 1], level=1.0, draws=0)


def test_equal_values_differ_by_nothing_but_rounding() -> None:
    code, a = np.array([0, 0, 0, 1, 1, 2, 2]), np.arange(7.0)[:, None] ** 2
    for value in (0.0, 0.1, 1e9 / 3):
        found = raw_gaps(np.full(7, value), code, draws=99)
        assert (found.gap.tolist(), found.p.tolist(), found.p_any) == ([0, 0, 0], [1, 1, 1], 1)
        left = explain_gaps(np.full((7, 1), value), a, code, draws=99)
        assert left.p.tolist() == [[1], [1], [1]]
        assert left.p_any.tolist() == [1]
        assert left.error.max() == 0


# gaps beyond covariates


def test_a_unit_alone_has_the_interval_of_student() -> None:
    rng, code = np.random.default_rng(3), np.repeat(range(4), (1, 2, 4, 5))
    a = rng.normal(size=(12, 1))
    found = explain_gaps(a + rng.normal(size=(12, 1)), a, code, draws=500)
    assert found.normal.tolist() == [True, False, False, False]
    reach = stats.t.ppf(0.975, found.df) * found.error[0, 0]
    assert found.high[0, 0] - found.unexplained[0, 0] == pytest.approx(reach)
    t = found.unexplained[0, 0] / found.error[0, 0]
    assert found.p[0, 0] == pytest.approx(2 * stats.t.sf(abs(t), found.df))
    others = (found.high - found.unexplained)[1:, 0]
    assert not np.isclose(others, stats.t.ppf(0.975, found.df) * found.error[1:, 0]).any()


def test_intervals_of_groups_of_one_unit_cover() -> None:
    code, held = np.repeat(range(4), (1, 1, 5, 5)), np.zeros(4)
    for seed in range(300):
        rng = np.random.default_rng([seed, 5])
        a = rng.normal(size=(12, 1))
        found = explain_gaps(a + rng.normal(size=(12, 1)), a, code, draws=199, seed=seed)
        held += (found.low[:, 0] <= 0) & (found.high[:, 0] >= 0)
    # at 95 % fewer than 274 of 300 have a probability of 0.3 %, at 89 % one of 0.93
    assert held.min() >= 274


# the labelled shell


def small_city(draws: int = 200) -> GroupGaps:
    rng = np.random.default_rng(2)
    scheme = pm.Scheme.loads("""
        format = 1
        classes.city = {}
        indicators.panel = { weight = 60, rule = { method = "identity" } }
        indicators.shared = { weight = 40, rule = { method = "identity" } }
        """)
    ids = [f"U{i}" for i in range(8)]
    units = pd.DataFrame({"unit_id": ids, "group": list("ABBBBCCC")})
    frame = pd.DataFrame({"unit_id": ids, "panel": rng.uniform(60, 90, 8),
                          "shared": rng.uniform(60, 90, 8)})  # fmt: skip
    evaluation = pm.evaluate(pm.Year.from_frames(scheme, actuals=frame, units=units))
    return group_gaps(evaluation, anchors=["shared"], depth=1, draws=draws)


def test_open_ends_are_said_and_written() -> None:
    found = small_city()
    table = found.groups.set_index("group")
    assert table.loc["A", ["low", "high"]].tolist() == [-np.inf, np.inf]
    assert np.isfinite(table.loc[["B", "C"], ["low", "high"]].to_numpy(float)).all()
    assert np.isfinite(table[["unexplained_low", "unexplained_high"]].to_numpy(float)).all()
    english, chinese = "\n".join(found.words("en")), "\n".join(found.words("zh"))
    assert "A: 1 of 8 units are too few (or too many)" in english
    assert "95 % interval of the raw gap has no ends" in english
    assert "A: 8家单位中占1家" in chinese
    assert "区间两端无界" in chinese
    assert "A: some unit is fitted exactly" in english
    assert "以误差服从正态分布为前提" in chinese
    assert len(re.findall("has no ends", english)) == 1
    assert "A,1," in found.to_frame().to_csv()
    assert ",-inf,inf," in found.to_frame().to_csv()
    labels = [text.get_text() for text in found.plot(lang="en").get_yticklabels()]
    assert sorted(labels) == ["A", "B", "C"]


# the noise of a task


def dense(rows: np.ndarray, columns: np.ndarray, y: np.ndarray) -> tuple[float, int]:
    design = np.column_stack([rows[:, None] == np.unique(rows), columns[:, None] ==
                              np.unique(columns)]).astype(float)  # fmt: skip
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(rest @ rest), y.size - int(np.linalg.matrix_rank(design))


@settings(max_examples=60)
@given(st.integers(0, 100_000), st.integers(1, 8), st.integers(1, 8), st.floats(0.1, 1.0))
def test_two_crossed_factors_leave_what_least_squares_leave(seed, units, tasks, held) -> None:
    rng = np.random.default_rng(seed)
    at = np.argwhere(rng.random((units, tasks)) < held)
    if not len(at):
        return
    at = np.vstack([at, at[: seed % 3]])  # a pair may stand twice
    rows, columns = (np.unique(x, return_inverse=True)[1] for x in at.T)
    y = 1e3 + rng.normal(size=len(at))
    square, df = two_way_residual(rows, columns, y)
    other, free = dense(rows, columns, y)
    assert df == free
    assert square == pytest.approx(other, rel=1e-6, abs=1e-9)


def test_two_crossed_factors_are_those_of_a_textbook() -> None:
    # penicillin yields by blend and treatment (Box, Hunter and Hunter 1978, table 7.1): residual
    # sum of squares 226 on 12 degrees of freedom
    y = np.array([89, 88, 97, 94, 84, 77, 92, 79, 81, 87, 87, 85, 87, 92, 89, 84, 79, 81, 80, 88.0])
    square, df = two_way_residual(np.repeat(range(5), 4), np.tile(range(4), 5), y)
    assert (square, df) == (pytest.approx(226), 12)


def ring(per: int, seed: int) -> pm.Evaluation:
    """Twenty units with six tasks each, every indicator held by `per` units beside each other."""
    rng, units = np.random.default_rng(seed), 20
    number = units * 6 // per
    place = range(number * per)
    tasks = pd.DataFrame({"unit_id": [f"U{k % units:02}" for k in place],
                          "indicator_id": [f"i{k // per}" for k in place]})  # fmt: skip
    level = rng.normal(0, 5, number)[np.array(place) // per]
    tasks["actual"] = 60 + level + rng.normal(0, 10, len(tasks))
    lines = (f'indicators.i{k} = {{ rule = {{ method = "identity" }} }}\n' for k in range(number))
    scheme = pm.Scheme.loads("format = 1\nclasses.city = {}\n" + "".join(lines))
    ids = pd.DataFrame({"unit_id": sorted(tasks["unit_id"].unique())})
    return pm.evaluate(pm.Year.from_frames(scheme, units=ids, tasks=tasks))


@pytest.mark.parametrize("per", [2, 10])
def test_means_of_indicators_cost_degrees_of_freedom(per: int) -> None:
    found = [portfolio(ring(per, seed), draws=2) for seed in range(24)]
    noise = np.array([f.noise for f in found])
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(10.0, rel=0.06)
    low, high = np.array([f.meta["noise_interval"] for f in found]).T
    # at 95 % fewer than 20 of 24 have a probability of 0.6 %
    assert ((low <= 10) & (high >= 10)).sum() >= 20


def test_tasks_that_units_and_indicators_explain_whole_have_no_noise() -> None:
    scheme = pm.Scheme.loads(
        "format = 1\nclasses.city = {}\n"
        + "".join(f'indicators.{i} = {{ rule = {{ method = "identity" }} }}\n' for i in "abc")
    )
    # a chain: four units, three indicators, six scores, one part, so none is left over
    scores = {"a": {"A": 90, "B": 60}, "b": {"B": 70, "C": 80}, "c": {"C": 50, "D": 55}}
    frame = pd.DataFrame(scores).rename_axis("unit_id").reset_index()
    evaluation = pm.evaluate(pm.Year.from_frames(scheme, actuals=frame))
    with pytest.raises(PerfmethodError, match="6 task scores of 4 units and 3 indicators"):
        portfolio(evaluation)


# named tests


def test_units_without_a_label_are_in_no_group() -> None:
    values, labels = [1, 2, 3, 4, 5, 9, 7, 8], [*"aaabbb", None, None]
    found, known = compare_groups(values, labels), compare_groups(values[:6], list("aaabbb"))
    assert found.equals(known)
    assert found.loc["brown_forsythe", "df_within"] == 4
    other = compare_groups(values, [*"aaabbb", float("nan"), pd.NA], draws=99)
    assert other.drop(columns="p_permuted").equals(known.drop(columns="p_permuted"))
    permuted = compare_groups(values[:6], list("aaabbb"), draws=99)
    assert other.equals(permuted)
    with pytest.raises(ValueError, match=r"shape \(3,\) and labels of shape \(2,\)"):
        compare_groups([1.0, 2, 3], ["a", "b"])
    with pytest.raises(ValueError, match="1 infinite values"):
        compare_groups([1.0, np.inf, 3], ["a", "b", "b"])


def test_a_test_without_a_statistic_says_why() -> None:
    same = compare_groups([2.0] * 6, list("aaabbb"), draws=99)
    assert same[["statistic", "p", "p_permuted"]].isna().all(axis=None)
    assert set(same["reason"]) == {"all values are equal"}
    flat = compare_groups([1.0, 1, 1, 2, 2, 2], list("aaabbb"))
    assert flat["reason"].tolist() == [
        "",
        "distances from the group's median are alike in every group",
        "all distances from the group's median are equal",
    ]
    assert (flat["statistic"].isna() == (flat["reason"] != "")).all()
    assert compare_groups([1, 2, 3, 4, 5, 9], list("aaabbb"))["reason"].eq("").all()
