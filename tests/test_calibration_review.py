"""The public review of a year in population shares."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.calibration import Design, Margin, calibrate_review
from perfmethod.calibration.variance import calibrated_residuals
from perfmethod.errors import DataError, InputError, PerfmethodError
from perfmethod.survey import cluster_covariance
from tests.small_year import write_small_year

ROOT = Path(__file__).resolve().parents[1]
SCORE = {1: 100.0, 2: 75.0, 3: 30.0}
DIMENSIONS = {"C": ("livelihood", "conduct"), "D": ("conduct", "efficiency")}
SHARES = {"R01": 0.3, "R02": 0.7}
MODES = {"online": 0.55, "session": 0.45}


def ballots(seed: int, n: int = 400, raters: int = 30) -> pd.DataFrame:
    """Raters of both categories who use both modes, rate several units, and differ in lenience."""
    rng = np.random.default_rng(seed)
    category = rng.choice(["R01", "R02"], n, p=[0.6, 0.4])
    rater = rng.integers(raters, size=n)
    lenient = rng.random(raters)[rater]
    unit = rng.choice(["C01", "C02", "D01", "D02", "D03"], n)
    frame = pd.DataFrame(
        {
            "ballot_id": [f"B{i}" for i in range(n)],
            "unit_id": unit,
            "rater_id": [f"secret-{c}-{r}" for c, r in zip(category, rater, strict=True)],
            "category": category,
            "mode": np.where(rng.random(n) < 0.35, "online", "session"),
            "batch": "",
        }
    )
    for name in ("livelihood", "conduct", "efficiency"):
        level = np.clip(1 + 3 * (rng.random(n) + lenient) / 2, 1, 3.99).astype(int)
        level = np.where(rng.random(n) < 0.08, 9, level)
        asked = np.array([name in DIMENSIONS[u[0]] for u in unit])
        frame[name] = pd.array(np.where(asked, level, 0), dtype="Int64")
        frame.loc[~asked, name] = pd.NA
    return frame


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path_factory.mktemp("year")))


@pytest.fixture(scope="module")
def year(small: pm.Year) -> pm.Year:
    return small.replace(ballots=ballots(1))


@pytest.fixture(scope="module")
def full() -> pm.Year:
    return pm.Year.load(ROOT / "data" / "2009")


# --- a slow twin: every ballot of the year as a member of a sample, pair by pair


def twin(table: pd.DataFrame, unit: str, dimension: str, modes: dict | None):
    """Mean and influence of each ballot (n,), by the general estimator."""
    own = table["unit_id"] == unit
    y = table[dimension].astype("float").map(SCORE)
    valid = own & y.notna()
    margins = [Margin.of_shares("category", table["category"], SHARES, float(valid.sum()))]
    if modes is not None:
        margins.append(Margin.of_shares("mode", table["mode"], modes, float(valid.sum())))
    design = Design.of(valid.astype(float), strata=table["category"], clusters=table["rater_id"])
    design = design.rake(margins, tolerance=1e-13)
    found = design.mean(y.where(valid), missing="domain")
    mean = found.estimate.iloc[0]
    z = np.where(valid, y.fillna(0) - mean, 0.0)[:, None] / design.weights.sum()
    influence = design.weights * calibrated_residuals(z, design.calibration)[:, 0]
    return found, influence


@pytest.mark.parametrize("modes", [None, MODES])
def test_scores_errors_and_covariances_equal_a_sample_of_ballots(year, modes):
    result = calibrate_review(year, SHARES, modes)
    table, scores = year.ballots, result.scores
    influences = []
    for row in scores.itertuples():
        found, influence = twin(table, row.unit_id, row.dimension, modes)
        assert row.score == pytest.approx(found.estimate.iloc[0], rel=1e-10)
        assert row.standard_error == pytest.approx(found.standard_error.iloc[0], rel=1e-9)
        assert row.deff == pytest.approx(found.deff_wr.iloc[0], rel=1e-9)
        assert row.valid == found.n.iloc[0]
        assert row.kish_ballots == pytest.approx(found.effective_size.iloc[0], rel=1e-9)
        influences.append(influence)
    expected = cluster_covariance(np.array(influences).T, table["category"], table["rater_id"])
    np.testing.assert_allclose(result.covariance(), expected, rtol=1e-8, atol=1e-10)
    assert np.abs(expected - np.diag(np.diag(expected))).max() > 0.1  # raters tie units together


def scheme_influence(table: pd.DataFrame, unit: str, dimension: str, weight: dict) -> np.ndarray:
    """What each ballot (n,) does to the scheme's own score."""
    y = table[dimension].astype("float").map(SCORE)
    found = np.zeros(len(y))
    for category, share in weight.items():
        inside = (table["unit_id"] == unit) & y.notna() & (table["category"] == category)
        found[inside] = share * (y[inside] - y[inside].mean()) / inside.sum()
    return found


def error_of(influence: np.ndarray, table: pd.DataFrame) -> float:
    labels = (table["category"], table["rater_id"])
    return float(np.sqrt(cluster_covariance(influence[:, None], *labels)[0, 0]))


def test_the_change_knows_that_both_scores_come_from_the_same_ballots(year):
    result = calibrate_review(year, SHARES, MODES)
    scheme, table = pm.evaluate(year).review, year.ballots
    row = result.scores.iloc[0]
    at = (row["unit_id"], row["dimension"])
    plain = scheme_influence(table, *at, {"R01": 1 / 3, "R02": 2 / 3})  # of county governments
    expected = error_of(twin(table, *at, MODES)[1] - plain, table)
    assert row["change_se"] == pytest.approx(expected, rel=1e-9)
    assert row["scheme_score"] == scheme.scores.loc[at]
    assert row["change"] == pytest.approx(row["score"] - row["scheme_score"], rel=1e-12)
    assert row["change_se"] < row["standard_error"]
    half = 1.959963984540054 * row["change_se"]
    assert row["change_high"] - row["change"] == pytest.approx(half, rel=1e-9)


def test_the_error_of_a_totals_change_adds_its_dimensions_up(year):
    units = calibrate_review(year, SHARES, MODES).units
    table, total, change = year.ballots, 0.0, 0.0
    # 1000 points, public review 30 %, of it efficiency 60 % and conduct 40 %
    for dimension, points in (("efficiency", 1.8), ("conduct", 1.2)):
        influence = twin(table, "D02", dimension, MODES)[1]
        plain = scheme_influence(table, "D02", dimension, {"R01": 0.5, "R02": 0.5})
        total = total + points * influence
        change = change + points * (influence - plain)
    row = units.loc["D02"]
    assert row["total_se"] == pytest.approx(error_of(total, table), rel=1e-9)
    assert row["change_se"] == pytest.approx(error_of(change, table), rel=1e-9)
    assert row["change_se"] < row["total_se"]
    half = 1.959963984540054 * row["change_se"]
    assert row["total_change"] - row["change_low"] == pytest.approx(half, rel=1e-9)


# --- laws


def test_category_shares_alone_are_other_category_weights_of_the_scheme(full):
    shares = {c: 1.0 for c in full.scheme.document["survey"]["categories"]}
    shares |= {"R11": 4.0, "R12": 5.0, "R02": 0.5}
    result = calibrate_review(full, shares)
    patch = {f"survey.categories.{c}.weight": v for c, v in shares.items()}
    other = pm.evaluate(full.with_scheme(full.scheme.patch(patch)))
    expected = other.review.to_frame()
    np.testing.assert_allclose(result.scores["score"], expected["score"], rtol=1e-12)
    np.testing.assert_allclose(
        result.scores["standard_error"], expected["standard_error"], rtol=1e-9
    )
    np.testing.assert_allclose(
        result.scores["deff"], other.review.design_effects()["deff"], rtol=1e-9
    )
    np.testing.assert_allclose(result.covariance(), other.review.covariance(), atol=1e-10)
    scores = other.scores.reindex(result.units.index)
    np.testing.assert_allclose(result.units["total_calibrated"], scores["total"], rtol=1e-12)
    assert (result.units["rank_calibrated"] == scores["rank"]).all()
    assert (result.units["grade_calibrated"] == scores["grade"]).all()
    np.testing.assert_allclose(
        result.units["total_se"], other.survey_errors["se_total"].reindex(scores.index), rtol=1e-6
    )


def test_the_schemes_own_weights_change_nothing(full):
    shares = dict.fromkeys(full.scheme.document["survey"]["categories"], 1)
    result = calibrate_review(full, shares)
    assert (result.scores[["change", "change_se"]] == 0).all().all()
    for name in ("total_change", "change_se", "rank_change"):
        assert (result.units[name] == 0).all()
    assert not result.units["grade_changes"].any()
    nominal = pm.evaluate(full).scores.reindex(result.units.index)
    np.testing.assert_allclose(result.units["total"], nominal["total"], rtol=1e-12)
    assert (result.units["rank"] == nominal["rank"]).all()
    assert (result.units["grade"] == nominal["grade"]).all()


def weighted_shares(result, by: str) -> pd.DataFrame:
    cells = result.cells(min_cell=1)
    cells["w"] = cells["weight"] * cells["valid"].astype(int)
    wide = cells.pivot_table(index=["unit_id", "dimension"], columns=by, values="w", aggfunc="sum")
    return wide.div(wide.sum(axis=1), axis=0)


@settings(max_examples=4)
@given(st.integers(0, 1000), st.floats(0.1, 0.9), st.floats(0.2, 0.8))
def test_shares_are_met_in_every_unit_by_every_method(small, seed, first, online):
    year = small.replace(ballots=ballots(seed, n=900))
    shares = {"R01": first, "R02": 1 - first}
    modes = {"online": online, "session": 1 - online}
    for method, bounds in (("linear", None), ("logit", (0.01, 30.0)), ("rake", None)):
        result = calibrate_review(year, shares, modes, method=method, bounds=bounds)
        for by, target in (("category", shares), ("mode", modes)):
            got = weighted_shares(result, by)
            np.testing.assert_allclose(got, np.tile(list(target.values()), (len(got), 1)),
                                       rtol=1e-9)  # fmt: skip
        assert result.meta["largest_error"] < 1e-11
    scaled = [{k: 7 * v for k, v in given.items()} for given in (shares, modes)]
    found = calibrate_review(year, *scaled)
    np.testing.assert_allclose(found.scores["score"], result.scores["score"], rtol=1e-10)


def test_order_of_the_ballots_does_not_matter(year):
    table = year.ballots
    turned = year.replace(ballots=table.sample(frac=1, random_state=3))
    a, b = (calibrate_review(y, SHARES, MODES) for y in (year, turned))
    columns = ["score", "standard_error", "change_se", "deff"]
    np.testing.assert_allclose(a.scores[columns], b.scores[columns], rtol=1e-10)


def test_shares_come_as_mapping_by_class_series_or_table(year):
    expected = calibrate_review(year, SHARES, MODES).scores
    classes = list(year.scheme.document["classes"])
    table = pd.DataFrame(
        [(c, k, v) for c in classes for k, v in SHARES.items()],
        columns=["class", "category", "share"],
    )
    for given_shares in (
        pd.Series(SHARES),
        dict.fromkeys(classes, SHARES),
        table,
        table[table["class"] == classes[0]].drop(columns="class"),
    ):
        found = calibrate_review(year, given_shares, MODES).scores
        pd.testing.assert_frame_equal(found, expected)
    other = dict.fromkeys(classes, SHARES) | {classes[0]: {"R01": 0.9, "R02": 0.1}}
    found = calibrate_review(year, other, MODES).scores
    same = found["score"] == expected["score"]
    assert (same == found["unit_id"].str.startswith("D")).all()


def test_a_population_shortens_the_errors(year):
    plain = calibrate_review(year, SHARES).scores["standard_error"]
    small_population = calibrate_review(year, SHARES, populations={"R01": 40, "R02": 40})
    assert (small_population.scores["standard_error"] < plain).all()


# --- what is shown


def test_small_cells_are_hidden_and_raters_are_nowhere(year):
    result = calibrate_review(year, SHARES, MODES, min_cell=80)
    hidden = result.scores["suppressed"]
    assert hidden.any()
    assert not hidden.all()
    assert result.scores.loc[hidden, ["score", "deff", "change"]].isna().all().all()
    assert set(result.scores.loc[hidden, "valid"]) == {"<80"}
    cells = result.cells()
    assert cells.loc[cells["suppressed"], ["mean", "weight"]].isna().all().all()
    assert not result.cells(min_cell=1)["suppressed"].any()
    for name in ("scores", "units", "targets", "moved", "cells"):
        assert "secret" not in result.to_frame(name).to_csv()
    assert b"secret" not in pickle.dumps(result)
    assert "secret" not in repr(result) + repr(result.meta)


def test_the_tables_name_what_they_are(year):
    result = calibrate_review(year, SHARES, MODES)
    assert result.meta["deff_reference"] == "wr"
    assert result.meta["modes"] == "calibrated"
    assert {"scheme", "data", "version"} <= set(result.meta)
    targets = result.targets
    assert targets.groupby(["class", "margin"])["target"].sum().round(12).eq(1).all()
    assert targets.groupby(["class", "margin"])["observed"].sum().round(12).eq(1).all()
    assert repr(result).startswith("<CalibratedReview of 5 units by rake")
    units = result.units
    change = units["total_calibrated"] - units["total"]
    np.testing.assert_allclose(units["total_change"], change, atol=1e-9)
    assert (units["rank_change"] == units["rank"] - units["rank_calibrated"]).all()
    with pytest.raises(PerfmethodError, match="did you mean 'units'"):
        result.to_frame("unit")


# --- bad input


def told(call) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return "\n".join(str(p) for p in caught.value.problems)


def test_every_problem_of_the_shares_at_once(year):
    shares = {"R01": -1, "R03": 2}
    modes = {"online": 0.5, "session": "half", "post": 0.1}
    text = told(lambda: calibrate_review(year, shares, modes))
    for part in (
        "share -1 of category R01",
        "no share of category R02, which has valid answers",
        "category 'R03'",
        "share 'half' of mode session",
        "mode 'post'",
        "class county_government",
        "class municipal_department",
    ):
        assert part in text
    text = told(lambda: calibrate_review(year, {"R01": 30, "R02": 70}, MODES))
    assert "category shares that add to 100 and mode shares that add to 1" in text
    by_class = {"county_goverment": SHARES, "municipal_department": SHARES}
    assert "did you mean 'county_government'" in told(lambda: calibrate_review(year, by_class))
    assert "no such column" in told(lambda: calibrate_review(year, pd.DataFrame({"category": []})))
    twice = pd.DataFrame({"category": ["R01", "R01", "R02"], "share": [1, 1, 1]})
    assert "R01 twice" in told(lambda: calibrate_review(year, twice))
    assert "of type list" in told(lambda: calibrate_review(year, [0.3, 0.7]))


def test_units_without_answers_of_a_category(year):
    table = year.ballots
    lacking = year.replace(
        ballots=table[(table["unit_id"] != "D01") | (table["category"] == "R01")]
    )
    text = told(lambda: calibrate_review(lacking, SHARES))
    assert "D01, conduct: found no valid answer of category R02" in text
    assert "D01, efficiency" in text
    assert "D02" not in text
    moved = calibrate_review(lacking, SHARES, empty="redistribute")
    own = weighted_shares(moved, "category")
    assert own.loc["D01", "R01"].eq(1).all()
    np.testing.assert_allclose(own.loc["D02", "R01"], 0.3, rtol=1e-9)
    assert moved.moved.to_numpy().tolist() == [
        ["D01", "conduct", "category", "R02", 0.7],
        ["D01", "efficiency", "category", "R02", 0.7],
    ]
    assert calibrate_review(year, SHARES).moved.empty


def test_a_share_of_a_category_from_which_nobody_answered(year):
    table = year.ballots
    only = year.replace(ballots=table[table["category"] == "R01"])
    text = told(lambda: calibrate_review(only, SHARES))
    assert "a share of category R02, from which no unit has a valid answer" in text
    calibrate_review(only, {"R01": 1})


def test_modes_and_categories_that_occur_only_together(year):
    table = year.ballots
    tied = year.replace(ballots=table.assign(
        mode=np.where(table["category"] == "R02", "online", "session")))  # fmt: skip
    text = told(lambda: calibrate_review(tied, SHARES, MODES))
    assert "occur only with each other and have other totals" in text
    assert "'category' R01" in text
    calibrate_review(tied, SHARES, {"online": 0.7, "session": 0.3})


def test_bounds_that_no_weights_can_keep(year):
    text = told(lambda: calibrate_review(year, SHARES, MODES, method="logit", bounds=(0.95, 1.05)))
    assert "shares that the answers cannot have" in text
    assert "C01, livelihood" in text


def test_a_category_with_one_rater_is_an_error_or_a_named_choice(year):
    table = year.ballots
    alone = year.replace(ballots=table.assign(
        rater_id=np.where(table["category"] == "R02", "secret", table["rater_id"])))  # fmt: skip
    text = told(lambda: calibrate_review(alone, SHARES))
    assert "a single rater of category R02" in text
    assert "secret" not in text
    removed = calibrate_review(alone, SHARES, lonely="remove")
    centered = calibrate_review(alone, SHARES, lonely="grand_mean")
    assert removed.meta["lonely_categories"] == ("R02",)
    # with category shares alone the residuals of the lonely rater add to 0 in every unit
    difference = centered.scores["standard_error"] - removed.scores["standard_error"]
    assert (difference.abs() < 1e-9).all()
    crossed = [calibrate_review(alone, SHARES, MODES, lonely=how).scores["standard_error"]
               for how in ("remove", "grand_mean")]  # fmt: skip
    assert (crossed[1] >= crossed[0]).all()
    assert (crossed[1] > crossed[0]).any()


def test_other_bad_input(year):
    scheme = pm.Scheme.loads("""
    format = 1
    classes.city = {}
    indicators.roads = { rule = { method = "identity" } }
    """)
    silent = pm.Year.from_frames(scheme, actuals=pd.DataFrame({"unit_id": ["A"], "roads": [9]}))
    with pytest.raises(PerfmethodError, match="without ballots"):
        calibrate_review(silent, SHARES)
    with pytest.raises(PerfmethodError, match="method: found 'ipf'"):
        calibrate_review(year, SHARES, method="ipf")
    with pytest.raises(PerfmethodError, match="bounds: found with method='rake'"):
        calibrate_review(year, SHARES, bounds=(0.5, 2))
    with pytest.raises(PerfmethodError, match="empty: found 'drop'"):
        calibrate_review(year, SHARES, empty="drop")
    with pytest.raises(DataError, match="R99"):
        calibrate_review(year, SHARES, populations={"R99": 10})
