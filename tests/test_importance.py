"""Nominal weight versus importance: published and analytic values, slow twins, laws."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import interpolate, stats

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.sensitivity.contributions import (
    jackknife,
    pairs_decided,
    rank_drops,
    variance_shares,
)
from perfmethod.sensitivity.importance import Importance, importance
from perfmethod.sensitivity.smoothers import (
    SMOOTHERS,
    bins,
    correlation_ratio,
    linear,
    local_linear,
    spline,
)

SEEDS = st.integers(0, 2**32)
ROOT = Path(__file__).resolve().parents[1]


def test_published_correlation_ratio() -> None:
    """Wikipedia, "Correlation ratio": marks in three subjects; eta squared is 6780 / 9640."""
    marks = {"algebra": [45, 70, 29, 15, 21], "geometry": [40, 20, 30, 42],
             "statistics": [65, 95, 80, 70, 85, 73]}  # fmt: skip
    y = np.concatenate(list(marks.values()))
    x = np.repeat([0, 1, 2], [5, 4, 6])
    found = correlation_ratio(x, y, "bins", number=15)
    assert found.ratio == pytest.approx(6780 / 9640, rel=1e-12)
    assert found.freedom == pytest.approx(3)
    # Kelley's epsilon squared: 1 - (n - 1) / (n - k) (1 - eta squared)
    assert found.corrected == pytest.approx(1 - 14 / 12 * 2860 / 9640, rel=1e-12)
    f = stats.f_oneway(*marks.values()).statistic
    assert found.ratio == pytest.approx(f * 2 / (f * 2 + 12), rel=1e-12)


def test_asem_correlations(reference: Path) -> None:
    """COINr 1.1.14: Pearson correlations of 49 indicators with the index of the same year."""
    table = importance(pm.evaluate(asem(reference)), levels=[1, 2, 3]).to_frame()
    theirs = pd.read_csv(reference / "asem" / "corr_L1_L4_pearson.csv").set_index("Var2")
    ours = table[table["level"] == 3].set_index("node")
    assert len(theirs) == len(ours) == 49
    theirs = theirs.loc[ours.index, "Correlation"]
    np.testing.assert_allclose(ours["correlation"], theirs, rtol=0, atol=1e-14)
    np.testing.assert_allclose(ours["main_effect"], theirs**2, rtol=0, atol=1e-14)
    adjusted = 1 - (1 - theirs**2) * 50 / 49
    np.testing.assert_allclose(ours["main_effect_corrected"], adjusted, rtol=0, atol=1e-13)
    for _, rows in table.groupby("level"):
        assert rows["variance_share"].sum() == pytest.approx(1, abs=1e-12)
        assert rows["nominal"].sum() == pytest.approx(1, abs=1e-12)
        assert rows["importance"].sum() == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(rows["nominal"], rows["effective"], atol=1e-14)


def asem(reference: Path) -> pm.Year:
    """The ASEM index (Becker 2022) as a year of 51 units: scores of 49 indicators, three levels."""
    meta = pd.read_csv(reference / "asem" / "ASEM_iMeta.csv").set_index("iCode")
    scores = pd.read_csv(reference / "asem" / "agg_input_normalised_1_100.csv")
    parent = meta["Parent"].to_dict()
    inner = meta.index[(meta["Type"] == "Aggregate") & (meta["Level"] < 4)]
    lines = ["format = 1", "[classes.c.nodes]"]
    for node in sorted(inner, key=lambda n: -meta.loc[n, "Level"]):
        above = "" if parent[node] == "Index" else f', parent = "{parent[node]}"'
        lines.append(f"{node} = {{ weight = 1{above} }}")
    lines.append("[indicators]")
    for code in meta.index[meta["Type"] == "Indicator"]:
        rule = '{ method = "identity" }'
        lines.append(f'{code} = {{ weight = 1, parent = "{parent[code]}", rule = {rule} }}')
    scheme = pm.Scheme.loads("\n".join(lines))
    codes = [c for c in scores if c in parent]
    table = scores[["uCode", *codes]].rename(columns={"uCode": "unit_id"})
    return pm.Year.from_frames(scheme, actuals=table)


def test_a_normal_total_of_independent_parts() -> None:
    """Main effects and variance shares are w^2 sd^2 / variance, whatever the method."""
    rng = np.random.default_rng(0)
    weight, sd = np.array([0.6, 0.3, 0.1]), np.array([1.0, 2.0, 6.0])
    x = sd * rng.standard_normal((1500, 3))
    total = x @ weight
    exact = (weight * sd) ** 2 / ((weight * sd) ** 2).sum()
    np.testing.assert_allclose(variance_shares(x * weight, total), exact, atol=0.03)
    for method in SMOOTHERS:
        more = {"number": 30} if method == "bins" else {}
        found = [correlation_ratio(x[:, j], total, method, **more).corrected for j in range(3)]
        np.testing.assert_allclose(found, exact, atol=0.05)


def test_a_curve_that_a_line_does_not_see() -> None:
    """y = x^2 + noise on (-1, 1): the correlation ratio is (4/45) / (4/45 + s^2)."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, 1000)
    y = x**2 + 0.2 * rng.standard_normal(1000)
    exact = (4 / 45) / (4 / 45 + 0.04)
    assert abs(correlation_ratio(x, y).corrected) < 0.01
    for method in ("spline", "local_linear", "bins"):
        more = {"number": 20} if method == "bins" else {}
        assert correlation_ratio(x, y, method, **more).corrected == pytest.approx(exact, abs=0.04)


@pytest.mark.parametrize("method", SMOOTHERS)
def test_the_correction_takes_the_bias_away(method: str) -> None:
    """Where x says nothing: the plain ratio of 45 units is well above 0, the corrected one is 0."""
    rng = np.random.default_rng(2)
    found = np.array([correlation_ratio(*rng.standard_normal((2, 45)), method)[:]
                      for _ in range(400)])  # fmt: skip
    error = found.std(0) / 20
    assert abs(found[:, 1].mean()) < 4 * error[1]
    assert found[:, 0].mean() > 0.02
    if method != "local_linear":  # a projection: its freedom says how much
        expected = (found[:, 2].mean() - 1) / 44
        assert abs(found[:, 0].mean() - expected) < 4 * error[0]


def test_smoothers_are_their_slow_twins() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 30))
    line = np.polynomial.Polynomial.fit(x, y, 1)
    np.testing.assert_allclose(linear(x) @ y, line(x), atol=1e-12)
    knots = np.quantile(x, np.linspace(0, 1, 5))
    natural = interpolate.CubicSpline(knots, np.eye(5), bc_type="natural")(x)
    fitted = natural @ np.linalg.lstsq(natural, y, rcond=None)[0]
    np.testing.assert_allclose(spline(x, freedom=4) @ y, fitted, atol=1e-9)
    local = []
    for at in x:
        root = np.exp(-0.25 * ((x - at) / (0.4 * x.std(ddof=1))) ** 2)
        design = np.stack([np.ones(30), x - at], 1)
        local.append(np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0][0])
    np.testing.assert_allclose(local_linear(x, bandwidth=0.4) @ y, local, atol=1e-9)
    order, means = np.argsort(x), np.empty(30)
    for part in np.split(order, 5):
        means[part] = y[part].mean()
    np.testing.assert_allclose(bins(x) @ y, means, atol=1e-12)


def test_a_lonely_point_is_its_own_mean() -> None:
    x = np.array([0.0, 1, 2, 3, 4, 1000])
    y = np.array([1.0, 2, 1, 2, 1, 7])
    assert (local_linear(x, bandwidth=0.001) @ y)[5] == pytest.approx(7)


@given(SEEDS, st.sampled_from(list(SMOOTHERS)), st.floats(0.01, 100), st.floats(-50, 50))
@settings(max_examples=40)
def test_unit_and_origin_do_not_matter(seed: int, method: str, a: float, b: float) -> None:
    x, y = np.random.default_rng(seed).standard_normal((2, 20))
    found, moved = correlation_ratio(x, y, method), correlation_ratio(a * x + b, b - a * y, method)
    np.testing.assert_allclose(moved, found, atol=1e-7)
    assert -1 < found.corrected <= 1
    assert found.ratio >= 0


@given(SEEDS, st.integers(1, 6))
@settings(max_examples=40)
def test_laws_of_contributions(seed: int, c: int) -> None:
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 9, (12, c)).astype(float)
    total = parts.sum(1)
    shares = variance_shares(parts, total)
    assert shares.sum() == pytest.approx(1 if total.std() else 0)
    order = rng.permutation(c)
    for measure in (variance_shares, pairs_decided, rank_drops):
        np.testing.assert_allclose(
            measure(parts[:, order], total), measure(parts, total)[order], atol=1e-14
        )
        np.testing.assert_allclose(
            measure(3 * parts + 7, 3 * total + 7 * c), measure(parts, total), atol=1e-12
        )
    constant = np.column_stack([parts, np.full(12, 5.0)])
    for measure in (variance_shares, pairs_decided, rank_drops):
        assert measure(constant, total + 5)[-1] == pytest.approx(0, abs=1e-12)


@given(SEEDS)
@settings(max_examples=30)
def test_the_ranking_measures_are_their_slow_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 6, (9, 3)).astype(float)
    total = parts.sum(1)
    decided, drops = pairs_decided(parts, total), rank_drops(parts, total)
    for j in range(3):
        rest = total - parts[:, j]
        pairs = [(a, b) for a, b in combinations(range(9), 2) if total[a] != total[b]]
        lost = [(total[a] - total[b]) * (rest[a] - rest[b]) <= 0 for a, b in pairs]
        assert decided[j] == pytest.approx(np.mean(lost))
        if rest.std() and total.std():
            assert drops[j] == pytest.approx(1 - stats.spearmanr(total, rest).statistic)
    smooth = rng.standard_normal((9, 3))
    tau = stats.kendalltau(smooth.sum(1), smooth.sum(1) - smooth[:, 0]).statistic
    assert pairs_decided(smooth, smooth.sum(1))[0] == pytest.approx((1 - tau) / 2)


def test_totals_that_are_all_tied() -> None:
    parts, total = np.array([[1.0, 2], [2, 1], [0, 3]]), np.full(3, 3.0)
    for measure in (variance_shares, pairs_decided, rank_drops):
        assert measure(parts, total).tolist() == [0, 0]
    assert rank_drops([[1.0], [2], [3]], [1.0, 2, 3]).tolist() == [1]  # nothing is left


def test_standard_errors_are_right() -> None:
    """The jackknife's error of a squared correlation, against the spread over 300 samples."""
    rng = np.random.default_rng(7)

    def sample() -> np.ndarray:
        x = rng.standard_normal(60)
        return np.stack([x, 0.7 * x + np.sqrt(0.51) * rng.standard_normal(60)])

    spread = np.std([correlation_ratio(*sample()).ratio for _ in range(300)])
    mine = np.mean([jackknife(lambda k, s=s: correlation_ratio(*s[:, k]).ratio, 60)
                    for s in (sample() for _ in range(12))])  # fmt: skip
    assert mine == pytest.approx(spread, rel=0.2)
    assert spread == pytest.approx(2 * 0.7 * 0.51 / np.sqrt(60), rel=0.15)  # the delta method


@pytest.fixture(scope="module")
def evaluation() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


@pytest.fixture(scope="module")
def result(evaluation: pm.Evaluation) -> Importance:
    return importance(evaluation)


def test_the_2009_year(evaluation: pm.Evaluation, result: Importance) -> None:
    """Every level makes up the totals; the values are those of the tables, worked out here."""
    assert result.notes == ("class 'county_government' is left out: 4 units say too little, at "
                            "least 10 are needed",)  # fmt: skip
    table = result.to_frame()
    blocks = table[table["level"] == 1].set_index("node")
    assert blocks["nominal"].iloc[:3].to_dict() == pytest.approx(
        {"indicator": 0.6, "public_review": 0.3, "internal": 0.1}
    )
    departments = evaluation.scores[evaluation.scores["class"] == "municipal_department"]
    total = departments["total"]
    for node, weight in (("indicator", 6.0), ("public_review", 3.0), ("internal", 1.0)):
        r = np.corrcoef(departments[node], total)[0, 1]
        assert blocks.loc[node, "correlation"] == pytest.approx(r)
        share = np.cov(weight * departments[node], total)[0, 1] / total.var()
        assert blocks.loc[node, "variance_share"] == pytest.approx(share)
    corrected = blocks["main_effect_corrected"].iloc[:3]
    assert blocks["importance"].iloc[:3].tolist() == pytest.approx(
        (corrected / corrected.sum()).tolist()
    )
    for _, rows in table.groupby("level"):
        assert rows["variance_share"].sum() == pytest.approx(1)
        assert rows["nominal"].sum() == pytest.approx(1)
        assert rows["importance"].sum() == pytest.approx(1)
        assert rows["effective"].sum() == pytest.approx(1)
    assert set(table.loc[table["nominal"].isna(), "node"]) == {"bonus", "deduction"}


def test_standard_errors_of_the_table_leave_out_units(
    evaluation: pm.Evaluation, result: Importance
) -> None:
    departments = evaluation.scores[evaluation.scores["class"] == "municipal_department"]
    x, y = departments["internal"].to_numpy(float), departments["total"].to_numpy(float)
    left = [np.corrcoef(np.delete(x, i), np.delete(y, i))[0, 1] for i in range(45)]
    row = result.table.query("level == 1 and node == 'internal'").iloc[0]
    assert row["correlation_se"] == pytest.approx(np.sqrt(44 * np.var(left)))


def test_nodes_with_few_units(evaluation: pm.Evaluation) -> None:
    """A main effect needs 7 scores; the other measures are there all the same, and it is said."""
    found = importance(evaluation, levels=[3])
    few = found.table[found.table["units"] <= 6]
    assert len(few)
    assert few[["main_effect", "importance", "correlation_se"]].isna().all(axis=None)
    assert few["variance_share"].notna().all()
    assert found.table.loc[found.table["units"] > 6, "main_effect_se"].notna().all()
    assert found.notes[1].startswith("class 'municipal_department', level 3: no main effect of ")
    assert found.table["variance_share"].sum() == pytest.approx(1)


def test_six_scores_are_too_few_and_seven_enough() -> None:
    rng = np.random.default_rng(0)
    lines = [f'indicators.{i} = {{ rule = {{ method = "identity" }} }}' for i in "abc"]
    table = pd.DataFrame(rng.uniform(50, 100, (12, 3)), columns=list("abc"))
    table.loc[6:, "b"] = np.nan
    table.loc[7:, "c"] = np.nan
    table.insert(0, "unit_id", [f"U{i}" for i in range(12)])
    scheme = pm.Scheme.loads("\n".join(["format = 1", "classes.city = {}", *lines]))
    year = pm.Year.from_frames(scheme, actuals=table)
    found = importance(pm.evaluate(year), levels=[1])
    rows = found.table.set_index("node")
    assert rows["units"].to_dict() == {"a": 12, "b": 6, "c": 7}
    assert rows["main_effect"].isna().to_dict() == {"a": False, "b": True, "c": False}
    assert rows["main_effect_se"].isna().to_dict() == {"a": False, "b": True, "c": False}
    assert found.notes == ("class 'city', level 1: no main effect of b: at most 6 units have a "
                           "score",)  # fmt: skip


def test_methods_and_options(evaluation: pm.Evaluation) -> None:
    found = importance(evaluation, levels=[1], method="bins", number=3)
    assert found.method == "bins, number 3"
    departments = evaluation.scores[evaluation.scores["class"] == "municipal_department"]
    plain = correlation_ratio(departments["internal"], departments["total"], "bins", number=3)
    row = found.table.set_index("node").loc["internal"]
    assert (row["main_effect"], row["main_effect_corrected"]) == pytest.approx(plain[:2])


def test_figures(result: Importance) -> None:
    ax = result.plot(lang="en")
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "Indicator assessment", "Public review (social review)", "Internal assessment"
    ]  # fmt: skip
    widths = [bar.get_width() for bar in ax.patches]
    assert widths[:3] == pytest.approx([0.6, 0.3, 0.1])
    assert widths[3:] == pytest.approx(result.table["importance"].iloc[:3].tolist())
    shares = result.plot(level=2, measure="variance_share")
    assert len(shares.patches) == 2 * 10
    with pytest.raises(PerfmethodError, match="did you mean 'variance_share'"):
        result.plot(measure="variance")
    with pytest.raises(PerfmethodError, match="on level 7"):
        result.plot(level=7)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda e: importance(e, class_id="county_government"), PerfmethodError, "4 units say"),
        (lambda e: importance(e, class_id="county"), PerfmethodError, "one of county_gov"),
        (lambda e: importance(e, levels=[9]), PerfmethodError, "found level 9; allowed: 1 to 3"),
        (lambda e: importance(e, method="linar"), ValueError, "did you mean 'linear'"),
        (lambda e: correlation_ratio([1, 2], [1, 2]), ValueError, "n at least 6"),
        (lambda e: correlation_ratio([1, 2, 3, 4, 5, np.nan], range(6)), ValueError, "no finite"),
        (
            lambda e: correlation_ratio(range(6), [1, 3, 2, 4, 1, 2], "bins", number=6),
            ValueError,
            "6.0 degrees of freedom for 6 points",
        ),
        (lambda e: variance_shares([1.0], [1.0]), ValueError, r"allowed: \(u, c\) and \(u,\)"),
        (lambda e: variance_shares([[np.nan]], [1.0]), ValueError, "no finite number"),
    ],
)
def test_what_is_refused(
    evaluation: pm.Evaluation,
    call: Callable[[pm.Evaluation], object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        call(evaluation)


def test_nothing_varies() -> None:
    assert correlation_ratio(np.ones(6), range(6)) == (0, 0, 0)
    assert correlation_ratio(range(6), np.full(6, 0.1)) == (0, 0, 0)
