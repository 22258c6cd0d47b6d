"""Severity by the linear mixed model: lme4's values, a dense twin, laws, bad input, recovery."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from perfmethod.errors import DataError, PerfmethodError
from perfmethod.severity import Severity, connection, severity
from perfmethod.severity._source import read_survey
from tests.dense_likelihood import indicator
from tests.severity_surveys import SCORES, linear_survey


def as_ballots(table: pd.DataFrame, unit: str, rater: str, value: str, category: str = "all"):
    frame = pd.DataFrame({"unit_id": table[unit], "rater_id": table[rater], "score": table[value]})
    return frame.assign(category=category), {v: v for v in table[value].unique()}


# --- lme4


def test_penicillin_and_pastes_equal_lme4(reference: Path) -> None:
    folder = reference / "reliability"
    lme4 = json.loads((folder / "small_lme4.json").read_text())
    for name, unit, rater, value in (
        ("Penicillin", "sample", "plate", "diameter"), ("Pastes", "batch", "sample", "strength"),
    ):  # fmt: skip
        table = pd.read_csv(folder / "data" / f"{name}.csv")
        ballots, scores = as_ballots(table, unit, rater, value)
        found = severity(ballots, option_scores=scores)
        expected = lme4[f"{name}_REML"]
        theirs = pd.Series(expected["ranef"][unit]) + expected["fixef"]["(Intercept)"]
        # lme4 stops where its variances have six or seven digits
        ours = found.units.loc[theirs.index, "shrunken"]
        np.testing.assert_allclose(ours, theirs, atol=2e-6)
        # balanced: the unshrunken score is the mean
        means = table.groupby(unit)[value].mean()
        np.testing.assert_allclose(found.units["adjusted"], means, rtol=1e-12)
        assert found.converged


def test_standard_errors_of_a_balanced_design_are_those_of_the_textbook(reference: Path) -> None:
    table = pd.read_csv(reference / "reliability" / "data" / "Penicillin.csv")
    ballots, scores = as_ballots(table, "sample", "plate", "diameter")
    found = severity(ballots, option_scores=scores)
    # published (lme4): plate 0.716908, residual 0.302415; 24 plates
    mean_square = (0.716908340185626 + 0.302415445058465) / 24
    np.testing.assert_allclose(found.units["standard_error"], np.sqrt(mean_square), rtol=2e-6)
    difference = found.difference("A", "B")
    assert difference["standard_error"] == pytest.approx(
        np.sqrt(2 * 0.302415445058465 / 24), rel=2e-6
    )
    assert difference["note"] == ""
    assert found.difference("A", "A")["standard_error"] == 0


def test_insteval_equals_lme4(reference: Path) -> None:
    path = reference / "reliability" / "data" / "InstEval.parquet"
    try:
        table = pd.read_parquet(path)
    except ImportError:
        duckdb = pytest.importorskip("duckdb", reason="neither pyarrow nor duckdb reads Parquet")
        table = duckdb.read_parquet(str(path)).df()
    from perfmethod.reliability import Moments, variance_components
    from perfmethod.reliability.joint import joint_effects

    fit = variance_components(Moments.of(table["y"], s=table["s"], d=table["d"]), ["d", "s"])
    blup = pd.read_csv(
        reference / "reliability" / "insteval_null_REML_blup_d.csv", index_col="level",
        skipinitialspace=True,
    )  # fmt: skip
    joint = joint_effects(fit)
    rows = joint.rows({"d": blup.index.tolist()}, len(blup))
    scores, covariance = joint.combined(rows)
    np.testing.assert_allclose(scores, 3.2541582836 + blup["blup"], atol=4e-7)
    # with the mean estimated nothing is surer than with the mean known
    assert (np.diag(covariance) < blup["cond_var"] + 0.0183895**2).all()


# --- the same from the whole covariance matrix


def dense_scores(
    found: Severity, random_units: bool, variances: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of units and their errors, by the normal equations of all answers."""
    survey = found._survey
    assert survey is not None
    answers, fit = survey.answers, found.fits.fixed_units
    if random_units:
        fit = found.fits.random_units
    if variances is not None:
        fit = replace(fit, variances=variances)
    facets = {name: answers[name].tolist() for name in ("unit", "category", "rater", "dimension")}
    y = answers["score"].to_numpy()
    terms = list(fit.terms[:-1])
    z = {name: indicator(facets, name) for name in terms}
    v = fit.variances[-1] * np.eye(len(y))
    for name, variance in zip(terms, fit.variances[:-1], strict=True):
        v = v + variance * z[name] @ z[name].T
    dimensions = sorted(set(facets["dimension"]))
    means = ["category", "dimension"] if random_units else ["unit:dimension", "category"]
    x = np.hstack([indicator(facets, name) for name in means])
    inverse = np.linalg.inv(v)
    core = np.linalg.pinv(x.T @ inverse @ x)
    beta = core @ x.T @ inverse @ y
    targets_x, targets_z = [], []
    for unit in survey.mix.index:
        own = [(d, c, w) for c, w in survey.mix.loc[unit].items() for d in dimensions]
        point = {"unit": [unit] * len(own), "dimension": [d for d, _, _ in own],
                 "category": [c for _, c, _ in own]}  # fmt: skip
        weight = np.array([w / len(dimensions) for _, _, w in own])
        targets_x.append(weight @ np.hstack([placed(facets, point, name) for name in means]))
        targets_z.append({n: weight @ placed(facets, point, n) for n in terms if "rater" not in n})
    scores, errors = [], []
    for a, b in zip(targets_x, targets_z, strict=True):
        # best linear prediction: its error from the weights of the answers themselves
        c = sum(fit.variance(n) * z[n] @ b[n] for n in b)
        answer_weights = inverse @ x @ core.T @ (a - x.T @ inverse @ c) + inverse @ c
        scores.append(a @ beta + c @ inverse @ (y - x @ beta))
        spread = sum(fit.variance(n) * b[n] @ b[n] for n in b)
        errors.append(answer_weights @ v @ answer_weights - 2 * answer_weights @ c + spread)
    return np.array(scores), np.sqrt(errors)


def placed(facets, point, name: str) -> np.ndarray:
    levels = sorted(set(zip(*(facets[f] for f in name.split(":")), strict=True)))
    labels = list(zip(*(point[f] for f in name.split(":")), strict=True))
    return np.array([[float(label == level) for level in levels] for label in labels])


@pytest.mark.parametrize(
    ("units", "categories", "raters", "dimensions"),
    # the last has more units by categories than raters: another term is eliminated
    [(5, 2, 14, 2), (6, 4, 12, 1)],
)
def test_adjusted_scores_equal_the_normal_equations(
    units: int, categories: int, raters: int, dimensions: int
) -> None:
    planted = linear_survey(3, units, categories, raters, dimensions=dimensions)
    ballots = planted.ballots
    # raters of a category agree on a unit, so that the interaction is not zero
    known = (ballots["unit_id"].str[1:].astype(int) * ballots["category"].str[1:].astype(int)) % 3
    for d in range(dimensions):
        ballots[f"d{d}"] += 2000 * known
    values = np.unique(ballots.filter(regex="^d[0-9]").to_numpy())
    found = severity(ballots, option_scores={int(v): v / 100 for v in values}, min_cell=1)
    assert ("unit:rater" in found.fits.fixed_units.terms) == (dimensions > 1)
    assert found.fits.fixed_units.variance("unit:category") > 0
    scores, errors = dense_scores(found, random_units=False)
    np.testing.assert_allclose(found.units["adjusted"], scores, rtol=1e-8)
    np.testing.assert_allclose(found.units["standard_error"], errors, rtol=1e-6)
    scores, errors = dense_scores(found, random_units=True)
    np.testing.assert_allclose(found.units["shrunken"], scores, rtol=1e-8)
    np.testing.assert_allclose(found.units["shrunken_error"], errors, rtol=1e-6)
    # degrees of freedom, with the derivatives by differences
    fit = found.fits.fixed_units
    spread, at, slopes = fit.inference.covariance, fit.variances, []
    for k, step in enumerate(1e-4 * at):
        ends = [dense_scores(found, False, at + s * step * (np.arange(len(at)) == k))[1]
                for s in (-1, 1)]  # fmt: skip
        slopes.append((ends[1] ** 2 - ends[0] ** 2) / (2 * step))
    unsure = np.einsum("ku,kl,lu->u", slopes, spread, slopes)
    degrees = 2 * found.units["standard_error"] ** 4 / unsure
    np.testing.assert_allclose(found.units["df"], degrees, rtol=1e-5)


def test_degrees_of_freedom_of_balanced_designs_are_those_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(0)
    raters, units = 12, 4  # raters in three categories, each rates every unit once
    rater, unit = np.repeat(np.arange(raters), units), np.tile(np.arange(units), raters)
    harsh, level = 6 * rng.normal(size=raters), 3 * rng.normal(size=units)
    y = np.rint(60 + harsh[rater] + level[unit] + 5 * rng.normal(size=len(unit))).astype(int)
    ballots = pd.DataFrame(
        {"unit_id": unit.astype(str), "rater_id": rater.astype(str), "duty": y,
         "category": np.array(["R1", "R2", "R3"])[rater % 3]}
    )  # fmt: skip
    scores = {int(v): float(v) for v in np.unique(y)}
    found = severity(ballots, option_scores=scores, min_cell=1, interaction=False)
    # split plot: categories against raters within them, units against raters by units
    np.testing.assert_allclose(found.categories["df"], raters - 3, rtol=1e-6)
    difference = found.difference("0", "1")
    assert difference["df"] == pytest.approx((raters - 1) * (units - 1), rel=1e-6)
    # and the interval is the textbook's: t and the mean square of raters within categories
    mean = pd.Series(y).groupby(rater).mean().to_numpy().reshape(-1, 3)
    square = mean.var(axis=0, ddof=1).mean()
    half = t.ppf(0.975, raters - 3) * np.sqrt(square / 4 * (1 - 1 / 3))
    width = found.categories["upper"] - found.categories["severity"]
    np.testing.assert_allclose(width, half, rtol=1e-6)
    assert found.rater_interval == "normal theory, for 12 of rater are too few for clusters"


# --- laws


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.integers(-20, 20))
def test_points_added_by_a_category_are_its_severity_and_nothing_else(seed: int, by: int) -> None:
    planted = linear_survey(seed, units=4, categories=3, raters=15, dimensions=1)
    before = severity(planted.ballots, option_scores=planted.option_scores, min_cell=1)
    ballots = planted.ballots.copy()
    own = ballots["category"] == "R01"
    ballots.loc[own, "d0"] += 100 * by
    scores = {int(v): v / 100 for v in ballots["d0"].unique()}
    after = severity(ballots, option_scores=scores, min_cell=1)
    moved = (after.categories["severity"] - before.categories["severity"]).to_numpy()
    np.testing.assert_allclose(moved, [by / 3, -2 * by / 3, by / 3], atol=1e-5)
    rise = after.units["adjusted"] - before.units["adjusted"]
    np.testing.assert_allclose(rise, by / 3, atol=1e-5)
    assert abs(after.categories["severity"].sum()) < 1e-9


@settings(max_examples=5)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_neither_order_nor_names_of_raters_matter(seed: int, random) -> None:
    planted = linear_survey(seed, units=4, categories=2, raters=12, dimensions=1)
    first = severity(planted.ballots, option_scores=planted.option_scores, min_cell=1)
    names = planted.ballots["rater_id"].unique().tolist()
    other = dict(zip(names, random.sample(names, len(names)), strict=True))
    mixed = planted.ballots.sample(frac=1, random_state=random.randrange(1000))
    mixed = mixed.assign(rater_id=mixed["rater_id"].map(other))
    second = severity(mixed, option_scores=planted.option_scores, min_cell=1)
    columns = ["adjusted", "standard_error", "shrunken"]
    np.testing.assert_allclose(second.units[columns], first.units[columns], rtol=1e-6)


def test_a_complete_survey_is_not_adjusted_and_shrinking_pulls_to_the_mean() -> None:
    planted = linear_survey(1, units=6, categories=2, raters=10, share=1.1, dimensions=1)
    found = severity(planted.ballots, option_scores=planted.option_scores, min_cell=1)
    np.testing.assert_allclose(found.units["adjusted"], found.units["raw"], rtol=1e-10)
    away = found.units[["adjusted", "shrunken"]] - found.units["adjusted"].mean()
    assert (away["shrunken"].abs() < away["adjusted"].abs()).all()
    assert (away["shrunken"] * away["adjusted"] > 0).all()


def test_a_unit_rated_by_harsh_raters_only_is_put_right() -> None:
    planted = linear_survey(5, units=6, categories=2, raters=60, sds=(0, 1, 1, 1))
    ballots = planted.ballots
    kept = (ballots["unit_id"] != "U00") | (ballots["category"] == "R01")  # the harsh one
    found = severity(ballots[kept], option_scores=planted.option_scores, min_cell=1)
    row = found.units.loc["U00"]
    assert row["raw"] < 58.5  # 3 points of severity
    assert abs(row["adjusted"] - 60) < 4 * row["standard_error"] < 4


def test_random_categories_are_shrunken_fixed_ones_are_not() -> None:
    planted = linear_survey(2, categories=4)
    options = {"option_scores": planted.option_scores, "min_cell": 1}
    fixed = severity(planted.ballots, **options).categories["severity"]
    drawn = severity(planted.ballots, category_effects="random", **options).categories["severity"]
    assert (drawn.abs() < fixed.abs()).all()
    assert abs(drawn.sum()) < 1e-8


# --- nothing of a person


def test_no_output_names_a_rater_and_small_categories_are_hidden() -> None:
    planted = linear_survey(4, categories=4, raters=44)
    ballots = planted.ballots
    few = ballots["category"].eq("R02") & ~ballots["rater_id"].isin(["person-2", "person-6"])
    found = severity(ballots[~few], option_scores=planted.option_scores)
    shown = found.categories
    assert shown.loc["R02", "raters"] == "<10"
    # hidden alone it would follow from the sum of the others
    assert shown["suppressed"].sum() == 2
    assert shown.loc[shown["suppressed"], ["severity", "standard_error"]].isna().all(axis=None)
    assert found.raters.loc["R02"].drop(["raters", "suppressed"]).isna().all()
    text = "".join(found.to_frame(kind).reset_index().to_csv() for kind in
                   ("units", "categories", "raters", "dimensions"))  # fmt: skip
    assert "person" not in text
    assert "person" not in repr(found)


# --- bad input


def message(ballots: pd.DataFrame, **options) -> str:
    with pytest.raises(PerfmethodError) as caught:
        severity(ballots, **{"option_scores": SCORES, **options})
    return str(caught.value)


def small(**columns) -> pd.DataFrame:
    base = {"unit_id": ["A", "B"] * 3, "rater_id": list("aabbcc"), "category": "R01",
            "duty": [1, 2, 1, 3, 2, 2]}  # fmt: skip
    return pd.DataFrame({**base, **columns})


def test_bad_input_is_refused_in_words() -> None:
    assert "found valid answers of 1 raters" in message(small(rater_id="a"))
    assert "valid answers on 1 units" in message(small(unit_id="A"))
    assert "that all score 75" in message(small(duty=2))
    with pytest.raises(DataError) as caught:
        severity(small(duty=[1, 7, 1, "x", 2, 2]), option_scores=SCORES)
    assert [p.row for p in caught.value.problems] == [3, 5]
    assert "blank or one of 1, 2, 3" in str(caught.value)
    assert "raters with several answers" in message(small(rater_id=list("abcdef")))
    assert "did you mean 'duty'" in message(small(), dimensions=["dutty"])
    assert "found none" in message(small(), option_scores=None)
    assert "category_effects: found 'mixed'" in message(small(), category_effects="mixed")
    assert "level: found 95" in message(small(), level=95)
    assert "found none for R01" in message(small(), category_weights={"R02": 1})
    nothing = {"R01": 0, "R02": 0}
    assert "found none above 0 for A" in message(small(), category_weights=nothing)
    with pytest.raises(PerfmethodError, match="did you mean 'units'"):
        severity(small(), option_scores=SCORES).to_frame("unit")


def test_a_category_without_answers_is_named_and_its_weight_goes_to_the_others() -> None:
    weights = {"R01": 1.0, "R09": 3.0}
    found = severity(small(), option_scores=SCORES, category_weights=weights)
    assert found.empty == ("R09",)
    assert found.units["adjusted"].notna().all()
    assert "R09" not in found.categories.index


def test_units_that_nothing_connects_are_refused_with_their_sets() -> None:
    apart = small(
        unit_id=list("ABABCDCD"), rater_id=list("aabbccdd"), category=["R01"] * 4 + ["R02"] * 4,
        duty=[1, 2, 3, 1, 2, 2, 1, 3],
    )  # fmt: skip
    assert "found 2 sets of units" in message(apart)
    assert "(A, B; C, D)" in message(apart)


def test_units_that_share_no_raters_say_so() -> None:
    apart = small(
        unit_id=list("ABABCDCD"), rater_id=list("aabbccdd"), category="R01",
        duty=[1, 2, 3, 1, 2, 2, 1, 3],
    )  # fmt: skip
    found = severity(apart, option_scores=SCORES)
    assert found.connection.by_raters == (("A", "B"), ("C", "D"))
    assert found.units["rater_set"].tolist() == [1, 1, 2, 2]
    assert found.difference("A", "B")["note"] == ""
    assert "no shared raters" in found.difference("A", "C")["note"]
    with pytest.raises(PerfmethodError, match="unit: found 'Z'"):
        found.difference("A", "Z")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=15))
def test_sets_equal_a_walk_over_shared_raters(pairs) -> None:
    units, raters = zip(*pairs, strict=True)
    found = connection(units, raters, ["R"] * len(units))
    for start in set(units):
        seen, reached = {start}, {start}
        while reached:
            who = {r for u, r in pairs if u in reached}
            reached = {u for u, r in pairs if r in who} - seen
            seen |= reached
        assert tuple(sorted(map(str, seen))) in found.by_raters


def test_the_same_name_in_two_categories_is_two_raters() -> None:
    ballots = small(category=["R01", "R01", "R01", "R01", "R02", "R02"], rater_id=list("aabbaa"))
    survey = read_survey(ballots, SCORES, None, None, None)
    assert survey.answers["rater"].nunique() == 3
