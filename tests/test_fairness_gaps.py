"""Gaps between groups taken apart: R and statsmodels, slow twins, laws, an evaluated year.

Reference values on the Exam data (65 schools, Goldstein and others 1993): R 4.2.2, ``lm(normexam ~
schgend + standLRT + schavg)`` and the contrast of each kind of school with the unit-weighted mean
of the others; statsmodels 0.15.0, ``OaxacaBlinder(...).two_fold("pooled")`` on two kinds of school.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.fairness import (
    explain_gaps,
    fairness_report,
    group_gaps,
    group_spread,
    raw_gaps,
)
from perfmethod.fairness.parts import parts_of
from perfmethod.fairness.shifts import contrasts
from perfmethod.fairness.spread import permuted_spread
from perfmethod.scoring import anchors_of

ROOT = Path(__file__).resolve().parents[1]
SLOPE_ERRORS = [0.0131940035535, 0.0416273317731]  # of standLRT and schavg


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


# other programs


def exam(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "fairness" / "Exam.csv")


def test_the_decomposition_is_that_of_r(reference: Path) -> None:
    data = exam(reference)
    code, names = pd.factorize(data["schgend"], sort=True)
    assert list(names) == ["boys", "girls", "mixed"]
    found = explain_gaps(data[["normexam"]], data[["standLRT", "schavg"]], code, draws=50)
    assert found.slopes[:, 0] == pytest.approx([0.559477856096, 0.346954083018], rel=1e-11)
    lines = {
        "gap": [0.02685896421072, 0.2211757521131, -0.2111734017010],
        "explained": [0.00102515819497, 0.0119860584433, -0.0112530201819],
        "unexplained": [0.02583380601576, 0.2091896936698, -0.1999203815191],
        "error": [0.03739918228059, 0.0262530265829, 0.0249180011161],
    }
    assert found.gap[:, 0] == pytest.approx(lines["gap"], rel=1e-10)
    assert found.explained.sum(axis=1)[:, 0] == pytest.approx(lines["explained"], rel=1e-9)
    assert found.unexplained[:, 0] == pytest.approx(lines["unexplained"], rel=1e-10)
    assert found.error[:, 0] == pytest.approx(lines["error"], rel=1e-10)
    assert found.slope_error[:, 0] == pytest.approx(SLOPE_ERRORS, rel=1e-9)
    assert found.df == 4054
    assert found.f[0] == pytest.approx(36.16945, rel=1e-6)  # anova() of the two models


@pytest.mark.parametrize(
    ("pair", "unexplained", "explained"),
    [
        (("girls", "mixed"), 0.23097319681995673, 0.013498618006912181),
        (("girls", "boys"), 0.1157160332446011, 0.0069623309032415814),
    ],
)
def test_two_groups_are_decomposed_as_by_statsmodels(
    pair: tuple[str, str], unexplained: float, explained: float, reference: Path
) -> None:
    data = exam(reference)
    data = data[data["schgend"].isin(pair)]
    code = (data["schgend"] == pair[0]).astype(int).to_numpy()
    found = explain_gaps(data[["normexam"]], data[["standLRT", "schavg"]], code, draws=10)
    assert found.unexplained[1, 0] == pytest.approx(unexplained, rel=1e-10)
    assert found.explained[1, :, 0].sum() == pytest.approx(explained, rel=1e-9)
    assert found.gap[1, 0] == pytest.approx(unexplained + explained, rel=1e-10)


# slow twins


def test_a_raw_gap_is_tested_as_by_complete_enumeration() -> None:
    y, code = np.array([3.0, 1, 4, 1, 5, 9, 2, 6]), np.array([0, 0, 0, 1, 1, 1, 1, 1])
    every = []
    for mine in itertools.combinations(range(8), 3):
        others = [i for i in range(8) if i not in mine]
        every.append(y[list(mine)].mean() - y[others].mean())
    gap = every[0]
    upper, lower = (np.array(every) >= gap - 1e-9).mean(), (np.array(every) <= gap + 1e-9).mean()
    exact = min(1.0, 2 * min(upper, lower))
    found = raw_gaps(y, code, draws=20_000)
    assert found.gap == pytest.approx([gap, -gap])
    assert found.p == pytest.approx([exact, exact], abs=0.02)
    # shifting the group by an end of the interval brings its tail to one half of the rest
    for end, tail in ((found.low[0], "upper"), (found.high[0], "lower")):
        moved = y - end * (code == 0)
        many = []
        for mine in itertools.combinations(range(8), 3):
            others = [i for i in range(8) if i not in mine]
            many.append(moved[list(mine)].mean() - moved[others].mean())
        side = np.array(many) if tail == "upper" else -np.array(many)
        beyond, at = (side > side[0] + 1e-9).mean(), (side >= side[0] - 1e-9).mean()
        assert beyond - 0.01 <= 0.025 <= at + 0.01


def test_studentized_gaps_are_those_of_refitted_models() -> None:
    rng = np.random.default_rng(4)
    code = np.repeat([0, 1, 2], [5, 4, 6])
    a = rng.normal(size=(15, 2))
    y = a @ [1.0, -0.5] + code + rng.normal(size=15)
    found = explain_gaps(y[:, None], a, code, draws=300, seed=5, level=0.9)
    design = np.column_stack([code == g for g in range(3)] + [a]).astype(float)

    def fit(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        beta, rest, *_ = np.linalg.lstsq(design, values, rcond=None)
        variance = rest[0] / (15 - 5) * np.linalg.inv(design.T @ design)
        size = np.bincount(code)
        line = np.zeros((3, 5))
        for g in range(3):  # a group's intercept less the unit-weighted mean of the others'
            line[g, :3] = -size / (15 - size[g])
            line[g, g] = 1.0
        return line @ beta, np.sqrt(np.einsum("gi,ij,gj->g", line, variance, line))

    gap, error = fit(y)
    assert found.unexplained[:, 0] == pytest.approx(gap)
    assert found.error[:, 0] == pytest.approx(error)
    # the same permutations, each refitted
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    level = (y - hat @ y) / np.sqrt(1 - np.diag(hat))
    level -= level.mean()
    order = np.random.default_rng(5).permuted(np.tile(np.arange(15), (300, 1)), axis=1)
    drawn = np.array([np.divide(*fit(level[o])) for o in order])
    reach = np.quantile(np.abs(drawn), 0.9, axis=0) * error
    assert found.low[:, 0] == pytest.approx(gap - reach)
    assert found.high[:, 0] == pytest.approx(gap + reach)
    more = (np.abs(drawn) >= np.abs(gap / error)).sum(axis=0)
    assert found.p[:, 0] == pytest.approx((1 + more) / 301)


def test_normal_errors_give_nearly_the_t_interval() -> None:
    rng = np.random.default_rng(11)
    code = np.repeat(range(7), (8, 7, 8, 8, 6, 4, 4))
    a = rng.normal(size=(45, 2))
    found = explain_gaps(rng.normal(size=(45, 1)), a, code, draws=20_000)
    half = stats.t.ppf(0.975, found.df) * found.error[:, 0]
    assert (found.high - found.low)[:, 0] / 2 == pytest.approx(half, rel=0.06)


# laws


@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(1, 5), min_size=2, max_size=4).filter(lambda s: sum(s) >= len(s) + 3),
    st.floats(-50, 50),
)
def test_a_shift_of_one_group_is_unexplained_and_anchors_explain_themselves(
    seed: int, sizes: list[int], shift: float
) -> None:
    rng = np.random.default_rng(seed)
    code = np.repeat(range(len(sizes)), sizes)
    a, y = rng.normal(size=(code.size, 1)), rng.normal(size=(code.size, 1))
    before = explain_gaps(y, a, code, draws=5)
    moved = explain_gaps(y + shift * (code == 0)[:, None] + 3.0 * a, a, code, draws=5)
    weight = contrasts(code)
    planted = weight @ (code == 0) * shift
    np.testing.assert_allclose(moved.unexplained[:, 0], before.unexplained[:, 0] + planted,
                               atol=1e-8)  # fmt: skip
    np.testing.assert_allclose(
        moved.explained[:, 0, 0], before.explained[:, 0, 0] + 3.0 * (weight @ a)[:, 0], atol=1e-8
    )
    total = moved.explained.sum(axis=1) + moved.unexplained
    np.testing.assert_allclose(total, moved.gap, atol=1e-8)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.permutations(range(9)))
def test_neither_the_order_of_units_nor_a_common_constant_matters(seed: int, order) -> None:
    rng, order = np.random.default_rng(seed), list(order)
    code, a, y = np.repeat([0, 1, 2], 3), rng.normal(size=(9, 1)), rng.normal(size=(9, 2))
    one = explain_gaps(y, a, code, draws=5)
    two = explain_gaps(y[order] + 7.0, a[order] - 2.0, code[order], draws=5)
    np.testing.assert_allclose(one.unexplained, two.unexplained, atol=1e-9)
    np.testing.assert_allclose(one.error, two.error, atol=1e-9)
    np.testing.assert_allclose(one.f, two.f, rtol=1e-6)


def test_what_cannot_be_explained_is_refused() -> None:
    code, y = np.array([0, 0, 1, 1, 2]), np.arange(5.0)[:, None]
    with pytest.raises(ValueError, match="constant or collinear inside groups"):
        explain_gaps(y, code[:, None].astype(float), code)  # an anchor constant inside groups
    with pytest.raises(ValueError, match="more units than groups and covariates"):
        explain_gaps(y, np.random.default_rng(0).normal(size=(5, 2)), code)


# an evaluated year


def test_parts_add_up_to_the_totals(city: pm.Evaluation) -> None:
    for depth in (1, 2, 3):
        parts = parts_of(city, "municipal_department", ("common",), depth)
        away = parts.points.sum(axis=1) - parts.total
        assert np.ptp(away) < 1e-9
        assert "common" in parts.names.index  # whole at every depth
    blocks = parts_of(city, "municipal_department", (), 1)
    assert list(blocks.names.index) == ["indicator", "public_review", "internal", "bonus",
                                        "deduction"]  # fmt: skip
    # more weight on a part is no more points there: a mean score everywhere has none anywhere
    unit = city.nodes[(city.nodes["unit_id"] == "D05") & (city.nodes["node"] == "indicator")]
    mean = city.nodes[(city.nodes["node"] == "total") & city.nodes["unit_id"].str.startswith("D")][
        "score"
    ].mean()
    wanted = 10 * 0.6 * (unit["score"].iloc[0] - mean)
    assert blocks.points[list(blocks.units).index("D05"), 0] == pytest.approx(wanted)


def test_the_default_anchors_are_what_all_units_share(city: pm.Evaluation) -> None:
    found = group_gaps(city, draws=50)
    assert found.anchors == anchors_of(city, "municipal_department") == ("common", "public_review")
    named = group_gaps(city, anchors=["spot_check"], draws=50)
    assert named.parts.query("anchor")["part"].unique().tolist() == ["spot_check"]
    assert "随机抽查工作" in named.words("zh")[2]


def test_gaps_are_exact_sums(city: pm.Evaluation) -> None:
    found = group_gaps(city, draws=200)
    totals = city.scores[city.scores["class"] == "municipal_department"]
    groups = found.groups.set_index("group")
    for group, mine in totals.groupby("group"):
        rest = totals.loc[totals["group"] != group, "total"].mean()
        assert groups.loc[group, "gap"] == pytest.approx(mine["total"].mean() - rest)
    by_part = found.parts.groupby("group")[["gap", "explained", "unexplained"]].sum()
    for column in by_part:
        np.testing.assert_allclose(by_part[column], groups[column], atol=1e-9)
    both = groups["explained"] + groups["unexplained"]
    np.testing.assert_allclose(both, groups["gap"], atol=1e-9)
    assert (groups["unexplained_low"] <= groups["unexplained"]).all()
    weighted = (groups["gap"] * groups["units"] * (45 - groups["units"])).sum()
    assert weighted == pytest.approx(0, abs=1e-6)  # the groups' distances from the mean cancel
    aspects = group_gaps(city, draws=50).parts
    blocks = group_gaps(city, depth=1, draws=50).parts
    inner = aspects.loc[aspects["parent"] == "indicator"].groupby("group")["gap"].sum()
    whole = blocks[blocks["parent"].isin(["", "indicator"]) & blocks["part"].isin(
        ["key_work", "livelihood", "statutory_duty", "spot_check", "common"])]  # fmt: skip
    np.testing.assert_allclose(whole.groupby("group")["gap"].sum(), inner, atol=1e-9)


def test_planted_stringency_shows_where_it_was_planted(city: pm.Evaluation) -> None:
    truth = pd.read_csv(ROOT / "data" / "truth" / "2009" / "groups.csv").set_index("group")
    found = group_gaps(city, draws=2000)
    assert found.part_tests.loc["statutory_duty", "p_holm"] < 0.05
    assert (found.part_tests.drop("statutory_duty")["p_holm"] > 0.05).all()
    duty = found.parts[found.parts["part"] == "statutory_duty"].set_index("group")
    stringency = truth["stringency"].reindex(duty.index)
    assert np.corrcoef(duty["unexplained"], stringency)[0, 1] < -0.6
    assert any("履行法定职责" in text for text in found.words("zh"))


@pytest.mark.parametrize(("lang", "none"), [("en", "not evidence of none"), ("zh", "不等于证明")])
def test_words_never_say_that_there_is_no_gap(city: pm.Evaluation, lang: str, none: str) -> None:
    found = group_gaps(city, draws=500)
    said = found.words(lang)
    assert (found.tests["p_permuted"] > 0.05).all()
    assert any(none in text for text in said)
    assert {"en": "cannot tell these apart", "zh": "无法区分"}[lang] in said[-1]
    assert "80" in said[-2]  # what could have been found stands beside it
    spread = group_spread(city, draws=200).words(lang)[0]
    assert {"en": "not evidence that it does not", "zh": "不等于证明没有不同"}[lang] in spread


def test_a_detectable_gap_is_found_with_eighty_percent(city: pm.Evaluation) -> None:
    found = group_gaps(city, draws=200)
    df, limit = int(found.meta["df"]), stats.t.ppf(0.975, found.meta["df"])
    parts = parts_of(city, "municipal_department", found.anchors)
    code = pd.factorize(city.scores.loc[parts.units, "group"], sort=True)[0]
    other = parts.points[:, ~parts.names["anchor"].to_numpy()].sum(axis=1)
    error = explain_gaps(other[:, None], parts.anchors, code, draws=5).error[:, 0]
    shift = found.groups["detectable"].to_numpy() / error
    assert stats.nct.sf(limit, df, shift) == pytest.approx(np.full(7, 0.8), abs=1e-6)


def test_attributes_inside_one_class_and_what_is_refused(city: pm.Evaluation) -> None:
    assert group_gaps(city, "portfolio", draws=50).groups["group"].tolist() == [
        "few", "many", "middle"]  # fmt: skip
    label = city.year.units["org_form"].where(city.year.units.index != "D05")
    assert group_gaps(city, label, draws=50).meta["left_out"] == 1
    for call, words in [
        (lambda: group_gaps(city, "class"), "no class in which 'class' has two groups"),
        (lambda: group_gaps(city, class_id="county_government"), r"groups \['G0'\]"),
        (lambda: group_gaps(city, class_id="county_goverment"), "did you mean 'county_gov"),
        (lambda: group_gaps(city, anchors=["comon"]), "did you mean 'common'"),
        (lambda: group_gaps(city, anchors=["common", "indicator"]), "none twice or in another"),
        (lambda: group_gaps(city, anchors=["livelihood"]), "on which every unit has one"),
        (lambda: group_gaps(city, depth=0), "1 \\(blocks\\) or more"),
        (lambda: group_gaps(city, anchors=[]), "judged by the same hands"),
        (lambda: group_spread(city, "class"), "two groups"),
    ]:
        with pytest.raises(PerfmethodError, match=words):
            call()


def test_gaps_and_spread_by_a_number_are_of_its_bands(city: pm.Evaluation) -> None:
    gaps = group_gaps(city, "staff", draws=50)
    assert gaps.groups["group"].str[:3].tolist() == ["1: ", "2: ", "3: "]
    assert gaps.meta["banded"].values == 49
    for lang, name, rule in (("en", "staff (3 bands)", "49 different values"),
                             ("zh", "编制人数(分3段)", "49个不同数值")):  # fmt: skip
        assert name in gaps.words(lang)[0]
        assert rule in gaps.words(lang)[1]
        assert name in group_spread(city, "staff", draws=50).words(lang)[0]
    assert group_gaps(city, "portfolio", draws=50).meta["banded"] is None


# spread


def panels(squeezed: bool) -> pm.Evaluation:
    """Two panels of ten; the second uses a tenth of the range on its part."""
    rng = np.random.default_rng(8)
    panel, shared = rng.uniform(70, 98, 20), rng.uniform(60, 90, 20)
    if squeezed:
        panel[10:] = 93.5 + 0.1 * (panel[10:] - 84)
    scheme = pm.Scheme.loads("""
        format = 1
        classes.city = {}
        indicators.panel = { weight = 60, rule = { method = "identity" } }
        indicators.shared = { weight = 40, rule = { method = "identity" } }
        """)
    ids = [f"U{i:02}" for i in range(20)]
    units = pd.DataFrame({"unit_id": ids, "group": ["A"] * 10 + ["B"] * 10})
    frame = pd.DataFrame({"unit_id": ids, "panel": panel, "shared": shared})
    return pm.evaluate(pm.Year.from_frames(scheme, actuals=frame, units=units))


def test_a_panel_with_a_narrow_range_has_less_weight_in_effect() -> None:
    found = group_spread(panels(squeezed=True), depth=1, draws=2000)
    table = found.to_frame().set_index(["part", "group"])
    assert table.groupby("group")["share"].sum().tolist() == pytest.approx([1, 1])
    assert table.loc[("panel", "B"), "share"] < 0.2 < 0.5 < table.loc[("panel", "A"), "share"]
    assert table["weight"].unique().tolist() == pytest.approx([0.6, 0.4])
    assert table.loc[("panel", "B"), "usual_low"] > table.loc[("panel", "B"), "share"]
    assert found.tests.loc["panel", "p_holm"] < 0.01 < found.tests.loc["shared", "p_holm"]
    assert "panel (p = " in found.words("en")[0]
    even = group_spread(panels(squeezed=False), depth=1, draws=500)
    assert even.tests.loc["panel", "p_holm"] > 0.05
    assert "unequal spread on 0 of 2" in repr(even)


def test_a_permuted_spread_is_near_complete_enumeration() -> None:
    x, code = np.array([1.0, 2, 9, 4, 4.5, 5, 5.2]), np.array([0, 0, 0, 1, 1, 1, 1])
    away = np.abs(x - np.array([2.0, 4.75])[code])
    every = []
    for mine in itertools.combinations(range(7), 3):
        others = [i for i in range(7) if i not in mine]
        every.append(stats.f_oneway(away[list(mine)], away[others]).statistic)
    exact = (np.array(every) >= every[0] - 1e-9).mean()
    assert every[0] == pytest.approx(stats.levene(x[:3], x[3:], center="median").statistic)
    assert permuted_spread(x, code, 20_000, 0) == pytest.approx(exact, abs=0.015)


def test_the_report_collects_everything(city: pm.Evaluation) -> None:
    found = fairness_report(city, ("group", "org_form"), draws=200)
    table = found.to_frame()
    assert table.index.tolist() == ["group", "org_form"]
    assert table["conditional_p"].isna().tolist() == [True, False]  # groups are the pools
    assert table[["gap_p", "unexplained_p", "spread_p", "detectable_points"]].notna().all(axis=None)
    for lang in ("zh", "en"):
        assert len(found.words(lang)) == 5
    assert "group, org_form" in repr(found)
    other = fairness_report(city, ("class",), draws=50)
    assert other.gaps == {}
    assert "gaps" not in other.words("en")


def test_a_part_that_spreads_in_no_group_is_left_out_of_the_tests() -> None:
    year = panels(squeezed=False).year
    tasks = year.tasks.assign(
        actual=lambda t: t["actual"].where(t["indicator_id"] == "panel", 80.0)
    )
    found = group_spread(pm.evaluate(year.replace(tasks=tasks)), depth=1, draws=50)
    assert found.tests.index.tolist() == ["panel"]
    assert found.groups.query("part == 'shared'")["sd"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("df", [1, 2, 3, 10, 40])
def test_the_detectable_gap_has_its_power(df: int) -> None:
    from perfmethod.fairness.gaps import POWER, _multiplier

    shift = _multiplier(df, 0.95)
    rng = np.random.default_rng(df)
    t = (rng.standard_normal(400_000) + shift) / np.sqrt(rng.chisquare(df, 400_000) / df)
    limit = stats.t.ppf(0.975, df)
    assert (t > limit).mean() == pytest.approx(POWER, abs=0.004)
