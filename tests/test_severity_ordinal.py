"""Ordinal models with random raters: other programs' values, brute-force integrals, laws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize

from perfmethod.errors import DataError, PerfmethodError
from perfmethod.severity import OrdinalFit, ordinal_model
from perfmethod.severity._cells import answer_table
from perfmethod.severity._families import Adjacent, Cumulative
from perfmethod.severity._marginal import Grid, Likelihood
from perfmethod.severity._patterns import Patterns, grouped
from tests.severity_surveys import ordinal_survey

FAMILIES = [Adjacent(), Cumulative("logit"), Cumulative("probit")]


def long(seed: int, **options) -> pd.DataFrame:
    ballots = ordinal_survey(seed, **options).ballots
    frame = ballots.melt(
        ["unit_id", "rater_id", "category", "mode"], var_name="dimension", value_name="code"
    )
    return frame.assign(y=3 - frame["code"])


# --- other programs


@pytest.fixture(scope="module")
def wine(reference: Path) -> tuple[pd.DataFrame, dict]:
    folder = reference / "reliability"
    expected = json.loads((folder / "mfrm_irt_ordinal.json").read_text())["clmm_wine_judge"]
    return pd.read_csv(folder / "data" / "ordinal_wine.csv"), expected


def test_wine_equals_clmm(wine) -> None:
    table, expected = wine
    found = ordinal_model(table, "rating", ["temp", "contact"], "judge", model="cumulative")
    assert found.converged
    # the log likelihood of ordinal 2022.11-16; it stops where the variance has five digits
    assert found.log_likelihood == pytest.approx(expected["loglik"], abs=2e-9)
    assert found.log_likelihood >= expected["loglik"]
    variance = found.spreads.loc["rater", "standard_deviation"] ** 2
    assert variance == pytest.approx(expected["var"], rel=1e-5)
    # warm and yes are the aliased levels: their effects are minus those of cold and no
    assert found.aliased == ("temp[warm]", "contact[yes]")
    warm, yes = -found.effects["estimate"]
    coef = expected["coef"]
    assert [warm, yes] == pytest.approx([coef["tempwarm"], coef["contactyes"]], abs=1e-5)
    cuts = found.thresholds["estimate"] + warm + yes
    theirs = [coef[name] for name in ("1|2", "2|3", "3|4", "4|5")]
    assert cuts.tolist() == pytest.approx(theirs, abs=1e-5)


def test_modes_of_the_judges_equal_clmm(wine) -> None:
    table, expected = wine
    found = ordinal_model(table, "rating", ["temp", "contact"], "judge", model="cumulative")
    effect = found.effects["estimate"]
    z = table["temp"].eq("cold") * effect["temp[cold]"] + table["contact"].eq("no") * effect[
        "contact[no]"
    ]  # fmt: skip
    cuts = np.r_[-np.inf, found.thresholds["estimate"], np.inf]
    sd = found.spreads.loc["rater", "standard_deviation"]

    def mode(judge: int) -> float:
        own = (table["judge"] == judge).to_numpy()
        y = table["rating"].to_numpy(int)[own]

        def loss(theta: float) -> float:
            at = z[own] + theta
            p = expit(cuts[y] - at) - expit(cuts[y - 1] - at)
            return float(-np.log(p).sum() + theta**2 / (2 * sd**2))

        return float(optimize.minimize_scalar(loss, (-1, 1), tol=1e-9).x)

    ours = [mode(j) for j in sorted(table["judge"].unique())]
    np.testing.assert_allclose(ours, expected["ranef"], atol=2e-5)


def expit(x):
    return 1 / (1 + np.exp(-np.clip(np.asarray(x, float), -700, 700)))


def test_many_facets_equal_tam(reference: Path) -> None:
    table = pd.read_csv(reference / "reliability" / "data" / "TAM_data.ex10.csv")
    answers = table.melt(["pid", "rater"], var_name="item", value_name="y")
    found = ordinal_model(answers, "y", ["item", "rater"], "pid")
    # TAM 4.3-25, data.ex10: deviance 3534.3568; it stops when a step gains less than 0.001
    assert 3534.3568 - 0.002 < found.deviance <= 3534.3568
    assert found.raters == 398
    assert found.quadrature_error < 1e-8


def test_dichotomous_answers_equal_a_published_rasch_model() -> None:
    # LSAT, section 6 (Bock and Lieberman 1970, Psychometrika 35; Bock and Aitkin 1981, 46):
    # frequencies of the 32 patterns of five items among 1,000 persons
    counts = [3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15,
              10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298]  # fmt: skip
    patterns = np.repeat(np.arange(32), counts)
    answers = pd.DataFrame(
        {"person": np.tile(np.arange(1000), 5), "item": np.repeat(list("12345"), 1000),
         "y": np.concatenate([(patterns >> (4 - i)) & 1 for i in range(5)])}
    )  # fmt: skip
    found = ordinal_model(answers, "y", ["item"], "person")
    # Rizopoulos (2006), ltm, Journal of Statistical Software 17(5), the Rasch model with one
    # discrimination: log likelihood -2466.938, discrimination 0.755
    assert found.log_likelihood == pytest.approx(-2466.938, abs=6e-4)
    assert found.spreads.loc["rater", "standard_deviation"] == pytest.approx(0.755, abs=6e-4)
    assert found.patterns == 30  # of 32, two do not occur


# --- the integrals themselves


def brute(frame: pd.DataFrame, family, x: np.ndarray, ballots: bool) -> float:
    """Log likelihood by adaptive quadrature, answer by answer."""
    table = answer_table(frame, "y", ["unit_id", "category"], "rater_id",
                         ["unit_id"] if ballots else None, None)  # fmt: skip
    design = table.design().toarray()
    p = design.shape[1]
    sds = np.exp(x[p + 2 :])
    cuts = x[p : p + 2]

    def probability(answer: int, shift: float) -> float:
        z = design[table.cell[answer]] @ x[:p] + shift
        k = int(table.option[answer])
        if isinstance(family, Adjacent):
            raw = np.exp(np.arange(3) * z - np.r_[0, np.cumsum(cuts)])
            return float(raw[k] / raw.sum())
        ends = np.r_[-np.inf, cuts, np.inf] - z
        return float(family._distribution(ends[k + 1]) - family._distribution(ends[k]))

    def normal(t: float, sd: float) -> float:
        return float(np.exp(-0.5 * (t / sd) ** 2) / (sd * np.sqrt(2 * np.pi)))

    total = 0.0
    for rater in np.unique(table.rater):
        own = np.flatnonzero(table.rater == rater)
        papers = table.ballot[own] if table.ballot is not None else np.arange(len(own))

        def of_rater(theta: float, own=own, papers=papers) -> float:
            value = normal(theta, sds[0])
            for paper in np.unique(papers):
                answers = own[papers == paper]

                def of_ballot(phi: float, answers=answers) -> float:
                    return normal(phi, sds[1]) * np.prod(
                        [probability(a, theta + phi) for a in answers]
                    )

                value *= (
                    integrate.quad(of_ballot, -8 * sds[1], 8 * sds[1], epsabs=1e-8)[0]
                    if ballots
                    else np.prod([probability(a, theta) for a in answers])
                )
            return value

        total += np.log(integrate.quad(of_rater, -8 * sds[0], 8 * sds[0], epsabs=1e-8)[0])
    return total


def likelihood_of(frame: pd.DataFrame, family, ballots: bool) -> Likelihood:
    table = answer_table(frame, "y", ["unit_id", "category"], "rater_id",
                         ["unit_id"] if ballots else None, None)  # fmt: skip
    k = len(table.options)
    place = table.cell * k + table.option
    patterns = Patterns.of(place, len(table.cells) * k, table.rater, table.ballot)
    return Likelihood(patterns, table.design(), table.group, k, family)


@pytest.mark.parametrize("ballots", [False, True])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_likelihood_equals_adaptive_quadrature(family, ballots: bool) -> None:
    frame = long(7, units=2, categories=2, raters=3, dimensions=2)
    ours = likelihood_of(frame, family, ballots)
    assert (ours.design.shape[1], ours.options) == (2, 3)
    x = np.r_[0.3, -0.2, -0.7, 0.6, [-0.4, -0.1][: ours.levels]]
    grid = Grid.of(np.exp(x[4:]), 0.2, reach=8.0)
    value, _ = ours.at(x, grid)
    assert -value == pytest.approx(brute(frame, family, x, ballots), abs=1e-7)


@settings(max_examples=12)
@given(st.integers(0, 2000), st.sampled_from(FAMILIES), st.booleans())
def test_gradient_equals_differences(seed: int, family, ballots: bool) -> None:
    ours = likelihood_of(long(seed, units=3, categories=2, raters=12), family, ballots)
    rng = np.random.default_rng(seed)
    p = ours.design.shape[1]
    x = np.r_[rng.normal(size=p), np.sort(rng.normal(size=2)), rng.normal(-0.2, 0.2, ours.levels)]
    x[p + 1] += 0.1  # cuts in order
    grid = Grid.of(np.exp(x[p + 2 :]), 0.3)
    _, gradient = ours.at(x, grid)
    step = 1e-5
    moved = [(ours.at(x + step * e, grid)[0] - ours.at(x - step * e, grid)[0]) / (2 * step)
             for e in np.eye(len(x))]  # fmt: skip
    np.testing.assert_allclose(gradient, moved, rtol=1e-6, atol=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 4))
def test_grouped_rows_come_back(seed: int, rows: int, columns: int) -> None:
    from scipy.sparse import csr_array

    dense = np.random.default_rng(seed).integers(0, 3, size=(rows, columns))
    kept, place = grouped(csr_array(dense))
    np.testing.assert_array_equal(kept[place].toarray(), dense)
    assert kept.shape[0] == len(np.unique(dense, axis=0))


# --- laws


def test_raters_twice_double_the_log_likelihood_at_no_cost() -> None:
    once = long(1, raters=40)
    again = once.assign(rater_id=once["rater_id"] + "-again")
    options = {"ballot": ["unit_id"]}
    first = ordinal_model(once, "y", ["unit_id", "category"], "rater_id", **options)
    both = pd.concat([once, again], ignore_index=True)
    second = ordinal_model(both, "y", ["unit_id", "category"], "rater_id", **options)
    assert second.log_likelihood == pytest.approx(2 * first.log_likelihood, rel=1e-8)
    np.testing.assert_allclose(second.effects["estimate"], first.effects["estimate"], atol=1e-5)
    errors = second.effects["standard_error"] * np.sqrt(2)
    np.testing.assert_allclose(errors, first.effects["standard_error"], rtol=1e-4)
    assert second.patterns == first.patterns


def test_the_scale_upside_down_turns_every_effect() -> None:
    frame = long(2, raters=40)
    for model, link in (("cumulative", "logit"), ("rating_scale", "logit")):
        up, down = (
            ordinal_model(table, "y", ["unit_id"], "rater_id", model=model, link=link)
            for table in (frame, frame.assign(y=2 - frame["y"]))
        )
        assert up.log_likelihood == pytest.approx(down.log_likelihood, rel=1e-9)
        np.testing.assert_allclose(up.effects["estimate"], -down.effects["estimate"], atol=1e-5)
        np.testing.assert_allclose(
            up.thresholds["estimate"], -down.thresholds["estimate"][::-1], atol=1e-5
        )


def test_two_options_make_rasch_and_proportional_odds_one_model() -> None:
    frame = long(4, raters=40).assign(y=lambda t: (t["y"] > 1).astype(int))
    rasch = ordinal_model(frame, "y", ["unit_id"], "rater_id")
    odds = ordinal_model(frame, "y", ["unit_id"], "rater_id", model="cumulative")
    assert rasch.log_likelihood == pytest.approx(odds.log_likelihood, rel=1e-9)
    np.testing.assert_allclose(rasch.effects["estimate"], odds.effects["estimate"], atol=1e-5)


def test_steps_by_dimension_hold_the_common_steps() -> None:
    frame = long(5, raters=60)
    common = ordinal_model(frame, "y", ["unit_id", "dimension"], "rater_id")
    by = ordinal_model(
        frame, "y", ["unit_id"], "rater_id", model="partial_credit", steps_by="dimension"
    )
    assert len(by.thresholds) == 6
    assert by.log_likelihood > common.log_likelihood
    # two more thresholds of 3 x 2 that the common steps and two effects do not give
    assert 2 * (by.log_likelihood - common.log_likelihood) < 13.8  # chi-square, 2 df: 0.1 %


def test_no_spread_of_raters_is_found_to_be_none() -> None:
    rng = np.random.default_rng(0)
    # every rater answers one way on one unit and the other way on the next: less than no spread
    frame = pd.DataFrame(
        {"rater": np.repeat(np.arange(100), 2), "unit": ["A", "B"] * 100,
         "y": np.stack([(k := rng.permutation(100) % 2), 1 - k], axis=1).ravel()}
    )  # fmt: skip
    found = ordinal_model(frame, "y", ["unit"], "rater")
    assert found.boundary == ("rater",)
    assert found.converged
    assert found.spreads.loc["rater", "standard_deviation"] == 0
    assert found.log_likelihood == pytest.approx(200 * np.log(0.5))


def test_expected_scores_and_their_slopes() -> None:
    frame = long(6, raters=50)
    found = ordinal_model(
        frame, "y", ["unit_id", "category"], "rater_id", ballot=["unit_id"], model="cumulative"
    )
    points = {"unit_id": ["U00", "U03"], "category": ["R00", "R02"]}
    values, slopes = found.expected(points, [55, 75, 100])
    # many raters drawn from the fitted model
    rng = np.random.default_rng(1)
    spread = np.hypot(*found.spreads["standard_deviation"])
    effect = found.effects["estimate"].reindex(["unit_id[U00]", "category[R00]"]).fillna(0).sum()
    z = effect + spread * rng.standard_normal(400_000) + rng.logistic(size=400_000)
    drawn = np.array([55, 75, 100])[np.digitize(z, found.thresholds["estimate"])]
    assert abs(values[0] - drawn.mean()) < 4 * drawn.std() / np.sqrt(len(drawn))
    x = found._fitted.x
    for i in range(len(x)):
        ends = []
        for step in (1e-5, -1e-5):
            moved = x.copy()
            moved[i] += step
            ends.append(at(found, moved).expected(points, [55, 75, 100])[0])
        np.testing.assert_allclose(slopes[:, i], (ends[0] - ends[1]) / 2e-5, atol=1e-6)


def at(found: OrdinalFit, x: np.ndarray) -> OrdinalFit:
    from dataclasses import replace

    return replace(found, _fitted=replace(found._fitted, x=x))


# --- bad input


def test_what_has_no_estimate_is_refused_in_words() -> None:
    frame = long(7, raters=30)

    def said(table, *args, error=PerfmethodError, **options) -> str:
        with pytest.raises(error) as caught:
            ordinal_model(table, *args, **options)
        return str(caught.value)

    best = frame.assign(y=frame["y"].where(frame["unit_id"] != "U02", 2))
    text = said(best, "y", ["unit_id"], "rater_id", error=DataError)
    assert "answers of 'U02' the highest" in text
    assert "infinite" in text
    assert "1 different answers" in said(frame.assign(y=1), "y", ["unit_id"], "rater_id")
    assert "found 1 raters" in said(frame.assign(rater_id="a"), "y", ["unit_id"], "rater_id")
    assert "did you mean 'unit_id'" in said(frame, "y", ["unit"], "rater_id")
    assert "an empty cell" in said(
        frame.assign(category=np.where(frame.index == 3, None, "R")), "y", ["category"], "rater_id"
    )
    assert "did you mean 'cumulative'" in said(frame, "y", [], "rater_id", model="cumulativ")
    assert "link: found 'cloglog'" in said(frame, "y", [], "rater_id", link="cloglog")
    assert "steps_by" in said(frame, "y", [], "rater_id", model="partial_credit")
    unused = frame.assign(y=frame["y"].where((frame["dimension"] != "d1") | (frame["y"] > 0), 1))
    text = said(unused, "y", ["unit_id"], "rater_id", model="partial_credit", steps_by="dimension")
    assert "option 0 never used in 'd1'" in text
    with pytest.raises(PerfmethodError, match="found U99, which no answer has"):
        ordinal_model(frame, "y", ["unit_id"], "rater_id").expected({"unit_id": ["U99"]})
