"""What stringency takes off for errors, and random intercepts at the edges of the search."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import DataError
from perfmethod.scoring import Evaluation
from perfmethod.stringency import (
    Parts,
    delta_sweep,
    parts_of,
    random_intercepts,
    stringency,
    survey_reliability,
)
from perfmethod.synthetic import synthetic_year

# raters that all units share


@cache
def surveyed(
    seed: int, raters: int, *, unit: float = 5.0, rater: float = 14.0, noise: float = 2.0
) -> tuple[Evaluation, Parts, np.ndarray]:
    """Twenty-four units in three groups, rated by all raters; the panel follows true quality."""
    rng, units = np.random.default_rng(seed), [f"u{i:02}" for i in range(24)]
    quality, severity = rng.normal(0, unit, 24), rng.normal(0, rater, raters)
    table = 50 + quality[:, None] + severity + rng.normal(0, noise, (24, raters))
    table = np.clip(table.round(), 0, 100).astype(int)
    u, r = (x.ravel() for x in np.indices(table.shape))
    ballots = pd.DataFrame({
        "ballot_id": [f"b{a}-{b}" for a, b in zip(u, r, strict=True)],
        "unit_id": np.array(units)[u], "rater_id": [f"r{b}" for b in r], "category": "all",
        "mode": "paper", "q": table.ravel(),
    })  # fmt: skip
    options = "".join(f"[survey.options.{k}]\nscore = {k}\n" for k in range(101))
    scheme = pm.Scheme.loads(f"""
        format = 1
        classes.city.nodes.review = {{ weight = 50, survey = "q" }}
        classes.city.nodes.panel = {{ weight = 50 }}
        indicators.i1 = {{ parent = "panel", rule = {{ method = "identity" }} }}
        survey.categories.all.weight = 1
        survey.modes.paper.weight = 1
        {options}""")
    year = pm.Year.from_frames(
        scheme,
        units=pd.DataFrame({"unit_id": units, "group": [f"G{i % 3}" for i in range(24)]}),
        actuals=pd.DataFrame({"unit_id": units, "i1": 60 + quality + rng.normal(0, 2, 24)}),
        ballots=ballots,
    )
    evaluation = pm.evaluate(year)
    return evaluation, parts_of(evaluation, "panel", "review"), quality


def squared_correlation(parts: Parts, quality: np.ndarray) -> float:
    inside = [pd.Series(v, parts.panel.index).groupby(parts.groups) for v in
              (parts.anchors["review"].to_numpy(), quality)]  # fmt: skip
    a, b = (g.transform(lambda x: x - x.mean()) for g in inside)
    return float((a @ b) ** 2 / ((a @ a) * (b @ b)))


@pytest.mark.parametrize("raters", [10, 20, 40])
def test_severity_that_raters_give_to_all_units_is_no_error_between_them(raters: int) -> None:
    shares, true, slopes = [], [], []
    for seed in range(4):
        evaluation, parts, quality = surveyed(seed, raters)
        shares.append(survey_reliability(evaluation, parts)["review"])
        true.append(squared_correlation(parts, quality))
        found = stringency(evaluation, panel="panel", anchors="review", draws=99)
        slopes.append(found.slopes.loc["review", ["slope", "corrected"]].tolist())
    expected = 25 / (25 + (4 + 1 / 12) / raters)  # noise and rounding by as many raters
    assert np.mean(shares) == pytest.approx(expected, abs=0.01)
    assert np.mean(shares) == pytest.approx(np.mean(true), abs=0.015)
    raw, corrected = np.mean(slopes, axis=0)
    assert raw < corrected < 1.05 * raw
    assert corrected == pytest.approx(1.0, abs=0.2)


def test_an_anchor_that_is_all_noise_is_not_perfect() -> None:
    # ratings of equally good units: what is left between them is noise alone
    shares = {}
    for seed in range(6):
        evaluation, parts, _ = surveyed(seed, 12, unit=0.0, rater=3.0, noise=10.0)
        shares[seed] = survey_reliability(evaluation, parts)["review"]
    assert all(0 <= share < 0.75 for share in shares.values())
    seed = next(s for s, share in shares.items() if share == 0)
    evaluation, _, _ = surveyed(seed, 12, unit=0.0, rater=3.0, noise=10.0)
    found = stringency(evaluation, panel="panel", anchors="review", draws=99)
    assert found.slopes.loc["review", "reliability"] == 0
    assert found.slopes["corrected"].isna().all()
    assert found.groups["corrected"].isna().all()
    assert "differs no more than the sampling of its raters alone would make it" in found.words(
        "en")[1]  # fmt: skip
    assert "不超过仅由评议人抽样造成的差异" in found.words("zh")[1]
    method = found.compare_methods(pool="class").methods.loc["errors_in_anchors"]
    assert not method["usable"]
    assert "not known" in method["note"]
    with pytest.raises(DataError, match="effect nan of group 'G0'"):
        found.sweep("corrected")


@cache
def thin(ballots: int) -> Evaluation:
    drawn = synthetic_year(seed=0, ballots=ballots)
    return pm.evaluate(pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables))


def test_cells_with_one_answer_do_not_make_a_survey_perfect() -> None:
    hollow = thin(500)
    with pytest.raises(DataError, match=r"'public_review': found \d+ % of the weight on cells"):
        survey_reliability(hollow, parts_of(hollow))
    found = stringency(hollow, draws=99)
    assert np.isnan(found.slopes.loc["public_review", "reliability"])
    assert found.slopes.loc["public_review", "unmeasured"] > 0.9
    assert found.slopes["corrected"].isna().all()
    assert "cannot be told" in found.words("en")[1]
    assert "信度无从得知" in found.words("zh")[1]
    # given, it is taken as given
    known = stringency(hollow, draws=99, reliability={"public_review": 0.5})
    assert known.slopes["corrected"].notna().all()
    assert "cannot" not in known.words("en")[1]


def test_a_survey_without_weight_has_no_reliability_of_its_own() -> None:
    year = thin(4000).year
    nodes = "classes.municipal_department.nodes"
    scheme = year.scheme.patch(
        {f"{nodes}.public_review.weight": 0, f"{nodes}.indicator.weight": 90}
    )
    evaluation = pm.evaluate(year.with_scheme(scheme))
    with pytest.raises(DataError, match=r"without weight in the total of .* \(45 units\)"):
        stringency(evaluation, draws=99, anchors=("common", "public_review"))
    given = {"public_review": 0.9}
    found = stringency(evaluation, draws=99, anchors=("common", "public_review"), reliability=given)
    assert found.slopes["corrected"].notna().all()


def test_what_part_of_a_survey_is_not_measured_is_said() -> None:
    some = stringency(thin(2000), draws=99)
    share = some.slopes.loc["public_review", "unmeasured"]
    assert 0.05 < share < 0.5
    assert some.slopes["corrected"].notna().all()
    assert f"The error of {100 * share:.0f} % of the weight" in some.words("en")[1]
    assert "很可能低于此处所取的值" in some.words("zh")[1]
    review = thin(2000).review
    assert review is not None
    cells = review.cells(min_cell=1)
    units = parts_of(thin(2000)).panel.index
    cells = cells[cells["unit_id"].isin(units)].groupby(["unit_id", "dimension", "category"])
    cells = cells[["valid", "weight"]].sum()  # ballots of all modes are pooled
    alone = cells.index.isin(review.lonely, level="category") | (cells["valid"] == 1)
    # four dimensions weigh alike
    assert share == pytest.approx(cells.loc[alone, "weight"].sum() / (4 * len(units)))


def test_anchors_that_go_together_more_than_they_may_are_said(monkeypatch) -> None:
    from perfmethod.stringency import reliability

    evaluation = thin(4000)
    assert "go together" not in stringency(evaluation, draws=99).words("en")[1]
    low = {"common": (0.01, 0.0), "public_review": (0.01, 0.0)}
    monkeypatch.setattr(reliability, "_measured", lambda *_: low)
    found = stringency(evaluation, draws=99)
    assert found.slopes["corrected"].isna().all()
    assert "go together more than" in found.words("en")[1]
    assert "相关超出其估计信度" in found.words("zh")[1]
    with pytest.raises(DataError, match="go together more than that allows"):
        stringency(evaluation, draws=99, reliability={"common": 0.01, "public_review": 0.01})


# effects of the groups


def test_a_group_without_an_effect_is_not_left_where_it_is() -> None:
    evaluation, parts, _ = surveyed(0, 10)
    effects = pd.Series({"G0": 1.0, "G1": 0.0, "G2": -1.0})
    assert delta_sweep(evaluation, parts, effects).units["total_1"].notna().all()
    with pytest.raises(DataError, match="no effects of group 'G1'") as caught:
        delta_sweep(evaluation, parts, pd.Series({"G0": 1.0, "G2": np.nan}))
    assert len(caught.value.problems) == 2  # the missing one and the one that is no number
    with pytest.raises(DataError, match="2 effects of group 'G0'"):
        delta_sweep(evaluation, parts, pd.concat([effects, effects[:1]]))


# random intercepts


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(-2, 8), st.integers(3, 7), st.integers(2, 6))
def test_balanced_groups_have_the_estimates_of_the_analysis_of_variance(
    seed, decades, groups, size
) -> None:
    rng = np.random.default_rng(seed)
    code, scale = np.repeat(range(groups), size), 10.0**decades
    y = scale * rng.normal(size=groups)[code] + rng.normal(size=code.size)
    table = y.reshape(groups, size)
    within = table.var(axis=1, ddof=1).mean()
    between = table.mean(axis=1).var(ddof=1) - within / size
    if between < 1e-3 * within:
        return  # on the boundary, or next to it
    fit = random_intercepts(y, np.zeros((y.size, 0)), code)
    assert fit.between == pytest.approx(between, rel=1e-5)
    assert fit.residual == pytest.approx(within, rel=1e-5)


def test_a_ratio_may_be_any() -> None:
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(6), 5)
    y = 1000 * rng.normal(size=6)[code] + rng.normal(size=30)
    fit = random_intercepts(y, np.zeros((30, 0)), code)
    within = y.reshape(6, 5).var(axis=1, ddof=1).mean()
    assert fit.residual == pytest.approx(within, rel=1e-6)
    assert fit.between == pytest.approx(y.reshape(6, 5).mean(axis=1).var(ddof=1), rel=1e-5)


@pytest.mark.parametrize(("method", "between"), [("reml", 16.0), ("ml", 32 / 3)])
def test_units_of_a_group_may_be_alike(method: str, between: float) -> None:
    y, code = np.array([1.0, 1, 5, 5, 9, 9]), list("aabbcc")
    for shift in (0.0, 0.1, 1e6 + 0.1):
        fit = random_intercepts(y + shift, [[]] * 6, code, method=method)
        assert fit.between == pytest.approx(between)
        assert fit.residual == 0
        assert fit.log_likelihood == np.inf
        assert fit.coef[0] == pytest.approx(5 + shift)
        assert fit.coef_se[0] == pytest.approx(np.sqrt(between / 3))
        np.testing.assert_allclose(fit.effects, [-4, 0, 4], atol=1e-8)
        assert fit.effects_se.tolist() == [0, 0, 0]
    # a slope that all units of a group follow is known without error
    x = np.array([[0.0], [1], [0], [2], [1], [3]])
    fit = random_intercepts(y + 2 * x[:, 0], x, code, method=method)
    assert fit.coef == pytest.approx([5.0, 2.0])
    assert (fit.between, fit.residual) == (pytest.approx(between), 0.0)
    assert fit.coef_se[1] == 0


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([1e3, 1e6, 1e8]), st.sampled_from([1e-4, 1.0, 1e5]))
def test_neither_level_nor_unit_of_measurement_matters(seed, level, unit) -> None:
    rng, code = np.random.default_rng(seed), np.repeat(range(5), 4)
    x = rng.normal(size=(20, 2))
    y = x @ [1.0, 2.0] + 2 * rng.normal(size=5)[code] + rng.normal(size=20)
    for method in ("reml", "ml"):
        one = random_intercepts(y, x, code, method=method)
        two = random_intercepts(y + level, unit * x + level * unit, code, method=method)
        for name in ("between", "residual"):
            assert getattr(two, name) == pytest.approx(getattr(one, name), rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(two.coef[1:] * unit, one.coef[1:], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(two.coef_se[1:] * unit, one.coef_se[1:], rtol=1e-4)
        np.testing.assert_allclose(two.effects, one.effects, rtol=1e-3, atol=1e-5)
    fit = random_intercepts(np.array([1, 2, 5, 6, 9, 10]) + level, [[]] * 6, list("aabbcc"))
    assert (fit.between, fit.residual) == pytest.approx((15.75, 0.5), rel=1e-6)


def test_columns_that_tell_nothing_are_named() -> None:
    rng, code = np.random.default_rng(1), np.repeat(range(5), 4)
    y, a = rng.normal(size=20), rng.normal(size=20)
    for x, words in [
        (np.column_stack([a, np.full(20, 7.0)]), "column 1 constant"),
        (np.column_stack([a, np.full(20, 0.1) + 1e8]), "column 1 constant"),
        (np.column_stack([a, 3 * a + 5]), "2 columns of which 1 are no combination of others"),
        (np.eye(5)[code], "5 columns of which 4 are no combination of others"),
        (np.eye(5)[code][:, 1:], "5 groups for 5 coefficients"),
        (rng.normal(size=(20, 19)), "20 units for 20 coefficients"),
    ]:
        with pytest.raises(DataError, match=words):
            random_intercepts(y, x, code)
    both = np.column_stack([np.ones(20), a, np.zeros(20)])
    with pytest.raises(DataError) as caught:
        random_intercepts(y, both, code)
    assert len(caught.value.problems) == 2
