"""Calibration and its errors against R's package survey, to 1e-9 and better."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perfmethod.calibration import (
    Design,
    Estimates,
    Margin,
    design_effect,
    jackknife,
    kish_effective_size,
    rake,
    trim,
)
from tests.api_design import CALIBRATED, TYPES, clus1, margins, model_matrix, srs, strat

TIGHT = 1e-11


@pytest.fixture(scope="module")
def api(reference: Path) -> dict:
    return json.loads((reference / "reliability" / "survey_api.json").read_text())


def same(found, expected, rtol=TIGHT):
    np.testing.assert_allclose(np.asarray(found, float).ravel(), np.ravel(expected), rtol=rtol)


def made(reference: Path, key: str) -> tuple[pd.DataFrame, Design]:
    data, design = strat(reference) if key == "dstrat" else clus1(reference)
    if key == "dclus1_rake2":
        return data, design.rake(margins(data))
    if key == "dclus1_poststrat":
        return data, design.post_stratify(margins(data)[0])
    return data, design


def in_order(estimates: Estimates, entry: dict) -> None:
    """Compare one entry of R's table, whatever of it is there."""
    names = list(entry["est"])
    assert list(estimates.estimate.index) == names
    same(estimates.estimate, list(entry["est"].values()))
    se = entry["se"]
    same(estimates.standard_error, list(se.values()) if isinstance(se, dict) else se)
    if "deff" in entry:
        same(estimates.deff_wor, list(entry["deff"].values()))
    normal = estimates.to_frame(df=float("inf"))[["low", "high"]]
    same(normal, entry["ci"])


@pytest.mark.parametrize("key", ["dstrat", "dclus1", "dclus1_rake2", "dclus1_poststrat"])
def test_every_entry_of_the_table_of_r_survey(reference, api, key):
    data, design = made(reference, key)
    expected = api[key]
    known = {"mean", "mean_deffWR", "total", "ratio", "by_stype", "quantile", "degf"}
    assert set(expected) <= known | {"weights_range"}
    in_order(design.mean(data[list(expected["mean"]["est"])]), expected["mean"])
    in_order(design.total(data[["enroll"]]), expected["total"])
    if "weights_range" in expected:
        same([design.weights.min(), design.weights.max()], expected["weights_range"])
        return
    same(design.mean(data["api00"]).deff_wr, expected["mean_deffWR"]["api00"])
    ratio = design.ratio(data["api.stu"], data["enroll"])
    same([ratio.estimate, ratio.standard_error], list(expected["ratio"].values()))
    by = design.domain(data["api00"], data["stype"])
    same(by.estimate, [row["api00"] for row in expected["by_stype"]])
    same(by.standard_error, [row["se"] for row in expected["by_stype"]])
    same(by.deff_wor, [row["DEff.api00"] for row in expected["by_stype"]])
    assert list(by.estimate.index) == [row["stype"] for row in expected["by_stype"]]
    same(design.quantile(data["api00"], [0.25, 0.5, 0.75]).table, expected["quantile"])
    assert design.df == expected["degf"]


def test_raked_weights_equal_those_of_r(reference):
    data, design = clus1(reference)
    expected = pd.read_csv(reference / "reliability" / "api_rake2_weights.csv")
    found = rake(data["pw"], margins(data))
    assert found.converged
    same(found.weights, expected["w"])
    same(found.base, expected["base"])
    same(design.rake(margins(data)).weights, found.weights, rtol=0)


@pytest.mark.parametrize("name", CALIBRATED)
def test_calibrated_weights_estimates_errors_and_design_effects_equal_those_of_r(reference, name):
    make, weights, mean, total = CALIBRATED[name]
    data, design = make(reference)
    same(design.weights[:3], weights)
    found = design.mean(data["api00"])
    same([found.estimate, found.standard_error, found.deff_wor], mean[:3])
    if mean[3] is not None:
        same(found.deff_wr, mean[3])
    found = design.total(data["enroll"])
    same([found.estimate, found.standard_error, found.deff_wor], total)


def test_domains_and_ratios_after_calibration(reference):
    # svyby(~api00, ~comp.imp, d, svymean, deff = TRUE), svyratio(~api.stu, ~enroll, d, deff = TRUE)
    data, design = CALIBRATED["greg"][0](reference)
    by = design.domain(data["api00"], data["comp.imp"])
    same(by.estimate, [649.70612548949612, 672.04899599476391])
    same(by.standard_error, [12.562563535693648, 6.518152797929333])
    same(by.deff_wor, [1.0010037862709673, 0.5008343788441828])
    ratio = design.ratio(data["api.stu"], data["enroll"])
    same(
        [ratio.estimate, ratio.standard_error, ratio.deff_wor],
        [0.8488273804221621, 0.0073698582405627667, 3.5118029844574519],
    )
    median = design.quantile(data["api00"]).table.loc[0.5]
    same(median, [684, 661, 699, 8.858689820779114])
    assert design.effective_size == pytest.approx(167.80011792046412, rel=TIGHT)


def test_the_covariance_of_two_means_after_raking(reference):
    # vcov(svymean(~api00 + api99, rake(...))); R's variance stops after ten rounds of residuals
    data, design = made(reference, "dclus1_rake2")
    expected = [561.86145356940233, 578.49853692222871, 578.49853692222871, 603.36271201665443]
    same(design.mean(data[["api00", "api99"]]).covariance, expected, rtol=1e-9)


def test_a_simple_random_sample_is_its_own_reference(reference):
    # svymean(~api00, dsrs, deff = TRUE): 656.585, 9.2497220392828119, 1; "replace": 1 - n/N
    data, design = srs(reference)
    found = design.mean(data["api00"])
    same([found.estimate, found.standard_error, found.deff_wor], [656.585, 9.249722039282812, 1])
    same(found.deff_wr, 0.96771068776235103)
    same(found.deff_wr, 1 - 200 / 6194)
    # the median falls on a step of the distribution function
    median = design.quantile(data["api00"], [0.25, 0.5, 0.75]).table
    expected = [544, 529, 577, 12.170653592727454, 658, 633, 693, 15.213316990909318,
                752, 739, 787, 12.170653592727454]  # fmt: skip
    same(median, expected)
    by = design.domain(data["api00"], data["stype"])
    same(by.deff_wor, [0.99794748389836563, 0.9648241206030147, 0.9745698187909243])


def test_design_effects_name_their_reference(reference):
    data, design = clus1(reference)
    variance = float(design.mean(data["api00"]).covariance.iloc[0, 0])
    given = (variance, data["api00"], data["pw"])
    # published with the package's documentation of this design: deff 9.3459 (without replacement)
    assert design_effect(*given, reference="wor") == pytest.approx(9.3458694505909516, rel=TIGHT)
    assert design_effect(*given, reference="wr") == pytest.approx(9.0697483624530619, rel=TIGHT)
    total = float(design.total(data["enroll"]).covariance.iloc[0, 0])
    found = design_effect(total, data["enroll"], data["pw"], reference="wr", total=True)
    assert found == pytest.approx(30.385591553614134, rel=TIGHT)


def statistic(data: pd.DataFrame):
    y, x, e = (data[c].to_numpy(float) for c in ("api00", "api.stu", "enroll"))
    return lambda w: [w @ y / w.sum(), w @ e, (w @ x) / (w @ e)]


def test_jackknife_equals_that_of_r(reference):
    # as.svrepdesign(dclus1, type = "JK1"), as.svrepdesign(dstrat, type = "JKn"); mse = FALSE, TRUE
    data, design = clus1(reference)
    found = jackknife(design, statistic(data))
    assert found.kind == "JK1"
    same(found.standard_error, [26.329360589527564, 932235.0270412137, 0.0095170851756147829])
    found = jackknife(design, statistic(data), center="estimate")
    same(found.standard_error, [26.334857668459147, 932235.0270412137, 0.0095193634815645602])
    data, design = strat(reference)
    found = jackknife(design, statistic(data))
    assert found.kind == "JKn"
    same(found.standard_error, [9.4089408027845032, 114641.71610078026, 0.0077725090399876785])
    found = jackknife(design, statistic(data), center="estimate")
    same(found.standard_error, [9.4089408027845032, 114641.71610078026, 0.0077725090505601224])


def test_jackknife_calibrates_every_replicate_again(reference):
    # postStratify, rake (epsilon = 1e-16) and calibrate of the JK1 design
    data, design = clus1(reference)
    of = statistic(data)
    found = jackknife(design.post_stratify(margins(data)[0]), of).standard_error[:2]
    same(found, [26.934535367426029, 473431.35677977849])
    found = jackknife(design.rake(margins(data)), of).standard_error[:2]
    same(found, [26.873980435666248, 463582.18624217383])
    greg = design.calibrate(model_matrix(data), [6194, 755, 1018, 3914069])
    same(jackknife(greg, of).standard_error[:2], [3.9428544837676145, 478748.86392581777])


def test_strata_with_a_single_cluster(reference):
    # options(survey.lonely.psu = "adjust") and "remove"; the fifth school is a stratum of its own
    data, _ = strat(reference)
    strata = data["stype"].to_numpy(dtype=object)
    strata[4] = "L"
    y = data[["api00", "api99"]]
    found = Design.of(data["pw"], strata=strata, lonely="grand_mean").mean(y)
    same(found.estimate, [662.28736315932076, 629.39484478396116])
    same(found.standard_error, [9.5397959116853812, 10.098278533926926])
    found = Design.of(data["pw"], strata=strata, lonely="remove").mean(y)
    same(found.standard_error, [9.5308982897587171, 10.096067458756707])


def test_totals_with_a_single_cluster():
    # svytotal, svymean, svyratio(~y, ~I(y^2)) and svyby of survey 4.1-1 with
    # options(survey.lonely.psu = "adjust"); then with fpc, then after postStratify
    y, g = np.array([1, 3, 2, 6, 5, 4.5, 7]), list("uuvuvuv")
    drawn = {"clusters": [1, 2, 3, 4, 5, 5, 6], "strata": list("aabbbbc"), "lonely": "grand_mean"}
    w = [10, 10, 20, 20, 15, 5, 30]
    design = Design.of(w, **drawn)
    same(design.total(y).standard_error, [222.724605735])
    same(design.mean(y).standard_error, [0.937356413884])
    same(design.ratio(y, y**2).standard_error, [0.0211862841634])
    same(design.domain(y, g).standard_error, [0.950857753776, 1.305427903729])
    finite = Design.of(w, population={"a": 40, "b": 60, "c": 9}, **drawn)
    same(finite.total(y).standard_error, [210.786473712])
    same(finite.mean(y).standard_error, [0.899344234188])
    fitted = design.post_stratify(Margin("g", g, {"u": 50, "v": 70}))
    same(fitted.total(y).standard_error, [116.456811649])
    same(fitted.mean(y).standard_error, [0.970473430405])
    removed = Design.of(w, **{**drawn, "lonely": "remove"})
    same(removed.total(y).standard_error, [74.2041103983])


def test_trimmed_weights_equal_those_of_r(reference):
    # trimWeights(d, lower = 31, upper = 50), then strict = TRUE with (31, 50) and (30, 40)
    data, design = clus1(reference)
    w = design.rake(margins(data)).weights
    for strict in (False, True):
        same(trim(w, lower=31, upper=50, strict=strict)[:4], [50, 31, 31, 31])
    found = trim(w, lower=30, upper=40)
    same(found[:3], [40, 31.469696969696962, 31.469696969696962], rtol=1e-9)
    same(found.sum(), 6194)


def test_kish_effective_sizes_of_r(reference):
    # sum(w)^2 / sum(w^2) of weights(dstrat) and of the raked design
    data, _ = strat(reference)
    assert kish_effective_size(data["pw"]) == pytest.approx(168.58133128075562, rel=TIGHT)
    data, design = clus1(reference)
    raked = design.rake(margins(data)).effective_size
    assert raked == pytest.approx(174.01115855105888, rel=TIGHT)


def test_post_stratification_takes_a_cross_classification(reference):
    data, design = clus1(reference)
    cells = list(zip(data["stype"], data["awards"], strict=True))
    totals = pd.Series(data["pw"]).groupby(pd.Series(cells)).sum() * 1.25
    found = design.post_stratify(Margin("cell", cells, totals.to_dict()))
    same(found.weights, data["pw"] * 1.25)
    assert found.total(np.ones(len(data))).standard_error.iloc[0] < 1e-9
    assert set(TYPES) == set(data["stype"])
