"""Errors that nothing measures: counted cell by cell, refused where they are most, else said."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.places import carry_plan, compare_rules, owed, true_totals
from perfmethod.reduction import SurveySpec, reduce
from perfmethod.reliability import grade_risk, risk_by_ballots
from perfmethod.scoring import survey_weights, unmeasured_of
from perfmethod.sensitivity import correlated_inputs
from perfmethod.survey import Review, review, unmeasured_in
from perfmethod.synthetic import synthetic_year
from tests.test_cli import run

ROOT = Path(__file__).resolve().parents[1]
USERS: dict[str, Callable] = {
    "survey_noise": lambda of: un.survey_noise(of.review, weights=survey_weights(of)),
    "grade_risk": lambda of: grade_risk(of, draws=256),
    "bootstrap": lambda of: grade_risk(of, draws=32, method="bootstrap"),
    "risk_by_ballots": lambda of: risk_by_ballots(of, [1, 2], draws=256),
    "true_totals": lambda of: true_totals(of, draws=8),
    "compare_rules": lambda of: compare_rules(of, ["pooled"], draws=64),
}
SURVEY = {
    "units": ["A", "B", "C"],
    "dimensions": ["duty", "conduct"],
    "categories": ["R01", "R02"],
    "modes": ["online", "paper"],
    "options": [1, 2, 9],
    "option_scores": [100.0, 55.0, np.nan],
    "category_weights": np.array([[1.0, 3.0]]),
    "mode_weights": [2.0, 1.0],
}


@cache
def drawn(ballots: int) -> pm.Evaluation:
    made = synthetic_year(seed=0, ballots=ballots)
    return pm.evaluate(pm.Year.from_frames(pm.Scheme.loads(made.scheme), **made.tables))


@cache
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


# cells of one rater


def ballots_of(seed: int, n: int) -> pd.DataFrame:
    """Few raters with several ballots each, so that many cells are one rater's."""
    rng = np.random.default_rng(seed)
    category = rng.choice(SURVEY["categories"], n)
    rater = pd.Series(rng.integers(0, 4, n).astype(str))
    return pd.DataFrame(
        {"ballot_id": range(n), "rater_id": category + "-" + rater, "category": category,
         "unit_id": rng.choice(SURVEY["units"], n), "mode": rng.choice(SURVEY["modes"], n),
         "duty": rng.choice([1, 2, 9], n), "conduct": rng.choice([1, 2, 9], n)}
    )  # fmt: skip


def slow_shares(ballots: pd.DataFrame, combine: str, method: str) -> dict[tuple[str, str], float]:
    """Share of each score on cells of one rater (one answer), answer by answer."""
    outside, inside, found = {"R01": 1.0, "R02": 3.0}, {"online": 2.0, "paper": 1.0}, {}
    for unit in SURVEY["units"]:
        for dimension in SURVEY["dimensions"]:
            cells: dict[str, dict[str, list[str]]] = {}
            for row in ballots.to_dict("records"):
                if row["unit_id"] == unit and row[dimension] in (1, 2):
                    mode = row["mode"] if combine == "weights" else "all"
                    who = row["rater_id"] if method == "raters" else row["ballot_id"]
                    cells.setdefault(row["category"], {}).setdefault(mode, []).append(who)
            lost = 0.0
            for category, modes in cells.items():
                part = {m: inside.get(m, 1.0) for m in modes}
                alone = sum(part[m] for m, who in modes.items() if len(set(who)) == 1)
                lost += outside[category] * alone / sum(part.values())
            if cells:
                found[unit, dimension] = lost / sum(outside[c] for c in cells)
    return found


@pytest.mark.parametrize("method", ["raters", "ballots"])
@pytest.mark.parametrize("combine", ["ballots", "weights"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40))
def test_cells_of_one_rater_are_counted(combine: str, method: str, seed: int, n: int) -> None:
    ballots = ballots_of(seed, n)
    found = review(ballots, **SURVEY, combine_modes=combine, method=method)
    table = found.design_effects(1).set_index(["unit_id", "dimension"])["unmeasured_weight"]
    expected = slow_shares(ballots, combine, method)
    assert table.to_dict() == pytest.approx(expected, abs=1e-12)
    if method == "raters":  # what is said to have no error has none
        errors = found.to_frame().set_index(["unit_id", "dimension"])["standard_error"]
        assert (errors[table > 1 - 1e-12].abs() < 1e-6).all()
        kept = pickle.loads(pickle.dumps(found)).design_effects(1)
        assert kept["unmeasured_weight"].tolist() == table.tolist()


@pytest.mark.parametrize("combine", ["ballots", "weights"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40))
def test_counted_products_tell_the_same_cells(combine: str, seed: int, n: int) -> None:
    ballots = ballots_of(seed, n)
    rest = {k: tuple(v) for k, v in SURVEY.items() if k != "category_weights"}
    spec = SurveySpec(**rest, category_weights=SURVEY["category_weights"], combine_modes=combine)
    found = reduce(ballots, spec).review().design_effects(1)["unmeasured_weight"]
    own = review(ballots, **SURVEY, combine_modes=combine).design_effects(1)["unmeasured_weight"]
    assert found.tolist() == own.tolist()


def one_by_one() -> Review:
    """Of A two raters were asked, of B one, three times."""
    rows = [("a", "A", 1), ("b", "A", 2), ("c", "B", 1), ("c", "B", 2), ("c", "B", 2)]
    table = pd.DataFrame(rows, columns=["rater_id", "unit_id", "duty"])
    table = table.assign(conduct=np.nan, category="R01", mode="online")
    return review(table, **SURVEY)


def test_the_share_is_by_weight_in_what_is_made_of_the_scores() -> None:
    found = one_by_one()
    assert unmeasured_in(found).units.to_dict() == {"A": 0.0, "B": 1.0, "C": 0.0}
    assert unmeasured_in(found).weight == 0.5
    weights = pd.Series({("A", "duty"): 3.0, ("B", "duty"): 1.0})
    assert unmeasured_in(found, weights).weight == 0.25
    assert unmeasured_in(found, weights[:1]).weight == 0.0
    assert unmeasured_in(found, weights * 0).weight == 0.0


# refused


@pytest.mark.parametrize("name", USERS)
def test_a_survey_that_measures_nothing_is_refused_everywhere(name: str) -> None:
    with pytest.raises(PerfmethodError, match=r"found 98 % of the survey's weight") as caught:
        USERS[name](drawn(500))
    said = str(caught.value)
    assert "cells with one valid answer or one rater" in said
    assert "lonely categories: R01, R08, R12" in said
    assert "allowed: at most 50 %, and 90 % for one unit (more ballots, a coarser category" in said
    other = {"survey_noise": "covariance=", "true_totals": "extra=", "compare_rules": "draws=0"}
    assert other.get(name, "raters)") in said


def test_a_unit_of_one_rater_is_refused_though_it_has_many_ballots() -> None:
    with pytest.raises(PerfmethodError, match="nearly nothing is measured for 'B'"):
        un.survey_noise(one_by_one())


def test_errors_of_other_sources_stand_in() -> None:
    hollow = drawn(500)
    extra = pd.Series(5.0, hollow.scores.index)
    wide, narrow = (true_totals(hollow, draws=400, extra=e).std() for e in (extra, extra / 5))
    assert (wide > narrow).all()
    covariance = hollow.review.covariance()
    noise = un.survey_noise(hollow.review, covariance=covariance)
    assert noise.unmeasured_weight > 0.9
    mean = pd.Series(hollow.review.scores.stack())
    assert un.survey_noise(mean=mean, covariance=covariance).unmeasured_weight is None
    rules = compare_rules(hollow, ["pooled"], draws=0)
    assert rules.unmeasured_weight is None
    assert compare_rules(hollow, ["pooled"], truth=true_totals(hollow, draws=8, extra=extra),
                         draws=0).table["found"].notna().all()  # fmt: skip


# said


def test_what_is_not_measured_is_said_in_the_same_words() -> None:
    some = drawn(2000)
    share = unmeasured_of(some)
    assert share is not None
    assert 0.1 < share.weight < 0.2
    risk, rules = USERS["grade_risk"](some), USERS["compare_rules"](some)
    noise, truth = USERS["survey_noise"](some), USERS["true_totals"](some)
    shares = [risk.unmeasured_weight, rules.unmeasured_weight, noise.unmeasured_weight,
              truth.attrs["unmeasured_weight"],
              *USERS["risk_by_ballots"](some)["unmeasured_weight"]]  # fmt: skip
    assert shares == [share.weight] * 6
    assert risk.units["unmeasured_weight"].to_dict() == share.units.to_dict()
    for text in (repr(risk)[:-1], repr(rules)[:-1], noise.note[:-1]):
        assert text.endswith(", 15 % of the survey weight unmeasured")
    for lang, words in (("en", "error of 15 % of the survey's weight cannot be measured"),
                        ("zh", "评议权重的15%误差无法测量")):  # fmt: skip
        assert words in risk.words(lang)[-1]
        assert risk.words(lang)[1:] == rules.words(lang)
    assert "grades are expected to differ" in risk.words("en")[0]
    assert un.draw(some.year, 4, noise, seed=0).note.count("15 % of the survey weight") == 1


def test_where_all_is_measured_nothing_is_said() -> None:
    risk, rules = grade_risk(city(), draws=64), compare_rules(city(), ["pooled"], draws=64)
    assert risk.unmeasured_weight == rules.unmeasured_weight == 0.0
    assert (risk.units["unmeasured_weight"] == 0).all()
    assert "unmeasured" not in repr(risk) + repr(rules)
    assert (len(risk.words("zh")), rules.words("zh")) == (1, ())
    noise = un.survey_noise(city().review)
    assert noise.unmeasured_weight == 0.0
    assert "unmeasured" not in noise.note


# the commands


@pytest.fixture(scope="module")
def hollow_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hollow") / "year"
    pm.synthesize(folder, units=12, ballots=120, groups=2)
    return folder


@pytest.mark.parametrize(
    ("command", "options", "lang", "told"),
    [
        ("reliability", (), "en", "note: grades under another sample of raters: found "),
        (
            "sensitivity",
            ("--draws", 64),
            "zh",
            "注意: 评议抽样误差(未抽样): 本年数据不足以作此分析",
        ),
        ("fairness", ("--draws", 100), "en", "Quota rules under other raters: found "),
    ],
)
def test_a_command_goes_on_with_a_note(
    command: str, options: tuple, lang: str, told: str, hollow_year: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out"
    assert run(command, hollow_year, *options, "--lang", lang, "--out", out) == 0
    said = capsys.readouterr().out
    assert told in said
    there = {file.name for file in out.iterdir()}
    if command == "reliability":
        assert "the scheme gives none" not in said
        assert not there & {"grade_risk.csv", "risk_by_ballots.csv"}
    elif command == "sensitivity":
        assert "含评议抽样误差" not in said
        assert "评议抽样误差" not in said.replace(told, "")  # it takes no share of the variance
    else:
        assert "expected_wrong" not in pd.read_csv(out / "rules.csv")


def test_a_command_says_the_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "year", tmp_path / "out"
    pm.synthesize(folder, units=12, ballots=500, groups=2)
    share = unmeasured_of(pm.evaluate(pm.Year.load(folder)))
    assert share is not None
    assert 0.01 < share.weight < 0.5
    assert run("reliability", folder, "--lang", "zh", "--out", out) == 0
    assert run("sensitivity", folder, "--lang", "zh", "--draws", 64) == 0
    words = f"评议权重的{100 * share.weight:.0f}%误差无法测量, 未计入"
    assert capsys.readouterr().out.count(words) == 2
    for name in ("grade_risk.csv", "risk_by_ballots.csv"):
        assert pd.read_csv(out / name)["unmeasured_weight"].max() > 0


def test_the_files_of_a_year_that_measures_all_have_no_such_column() -> None:
    from perfmethod.cli._reliability_files import _measured

    table = grade_risk(city(), draws=64).to_frame()
    assert "unmeasured_weight" not in _measured(table)
    assert _measured(table.drop(columns="unmeasured_weight").assign(unmeasured_weight=0.1)).shape \
        == table.shape  # fmt: skip


# beside


def test_correlated_inputs_are_symmetric_by_their_own_scale() -> None:
    near = np.diag([1e12, 4.0])
    near[0, 1], near[1, 0] = 1e-5, 1.1e-5  # against standard deviations of 2e6: rounding
    x = correlated_inputs([0, 0], near).sample(np.random.default_rng(0), 8)
    assert np.isfinite(x).all()
    small = np.array([[1e-10, 5e-11], [4e-11, 1e-10]])  # apart by less than 1e-8, and by a tenth
    with pytest.raises(ValueError, match="not symmetric"):
        correlated_inputs([0, 0], small)
    with pytest.raises(ValueError, match="not symmetric"):
        correlated_inputs([0, 0], [[1, np.nan], [np.nan, 1]])


def test_a_truth_value_is_no_number_of_units_or_places() -> None:
    past = pd.DataFrame({"year": 2008, "group": ["A", "B"], "units": [4, 5], "places": [1.0, 1]})
    assert owed(past).sum() == pytest.approx(0)
    with pytest.raises(DataError, match="column 'places': found True"):
        owed(past.assign(places=[True, True]))
    with pytest.raises(DataError, match=r"row 0: 2008, A, column 'units': found 4\.5"):
        owed(past.assign(units=[4.5, 5.0]))
    with pytest.raises(DataError) as error:
        carry_plan({"A": True, "B": 4.5, "C": 3.0}, True, 2.0, floor=0.0)
    assert len(error.value.problems) == 5
