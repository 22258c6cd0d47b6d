"""Variance components against published values and other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import ClusterMoments, Components, Moments, henderson_components
from perfmethod.reliability import variance_components as fit

# Davies & Goldsmith (1972), Statistical Methods in Research and Production: yield of dyestuff from
# five preparations of each of six batches; and the second data set, from Box & Tiao (1973), whose
# estimate between batches is zero
DYESTUFF = {
    "A": [1545, 1440, 1440, 1520, 1580], "B": [1540, 1555, 1490, 1560, 1495],
    "C": [1595, 1550, 1605, 1510, 1560], "D": [1445, 1440, 1595, 1465, 1545],
    "E": [1595, 1630, 1515, 1635, 1625], "F": [1520, 1455, 1450, 1480, 1445],
}  # fmt: skip
DYESTUFF2 = {
    "A": [7.298, 3.846, 2.434, 9.566, 7.99], "B": [5.22, 6.556, 0.608, 11.788, -0.892],
    "C": [0.11, 10.386, 13.434, 5.51, 8.166], "D": [2.212, 4.852, 7.092, 9.288, 4.98],
    "E": [0.282, 9.014, 4.458, 9.446, 7.198], "F": [1.722, 4.782, 8.106, 0.758, 3.758],
}  # fmt: skip
# Brennan (2001), Generalizability Theory, table 3.2: ten persons, three tasks, four raters a task
BRENNAN = [
    [5, 6, 5, 5, 5, 3, 4, 5, 6, 7, 3, 3], [9, 3, 7, 7, 7, 5, 5, 5, 7, 7, 5, 2],
    [3, 4, 3, 3, 5, 3, 3, 5, 6, 5, 1, 6], [7, 5, 5, 3, 3, 1, 4, 3, 5, 3, 3, 5],
    [9, 2, 9, 7, 7, 7, 3, 7, 2, 7, 5, 3], [3, 4, 3, 5, 3, 3, 6, 3, 4, 5, 1, 2],
    [7, 3, 7, 7, 7, 5, 5, 7, 5, 5, 5, 4], [5, 8, 5, 7, 7, 5, 5, 4, 3, 2, 1, 1],
    [9, 9, 8, 8, 6, 6, 6, 5, 5, 8, 1, 1], [4, 4, 4, 3, 3, 5, 6, 5, 5, 7, 1, 1],
]  # fmt: skip


def batches(table: dict[str, list[float]]) -> Moments:
    values = [y for rows in table.values() for y in rows]
    return Moments.of(values, batch=[name for name, rows in table.items() for _ in rows])


def brennan() -> Moments:
    table = np.array(BRENNAN)
    person, column = np.indices(table.shape)
    return Moments.of(table.ravel(), p=person.ravel(), t=column.ravel() // 4, r=column.ravel())


def check_stop(found: Components) -> None:
    assert found.converged
    assert found.gradient_norm <= found.tolerance


# --- published values


def test_dyestuff_equals_its_analysis_of_variance():
    # Davies: mean squares 11271.5 between, 2451.25 within; Bates, lme4 (2010), section 1.3
    found = fit(batches(DYESTUFF), ["batch"])
    check_stop(found)
    np.testing.assert_allclose(found.variances, [(11271.5 - 2451.25) / 5, 2451.25], rtol=1e-12)
    assert found.criterion == pytest.approx(319.6543, abs=5e-5)
    fixed = found.fixed_effects().loc["intercept"]
    assert fixed["estimate"] == pytest.approx(1527.5, rel=1e-12)
    assert fixed["standard_error"] == pytest.approx(19.383, abs=5e-4)
    ml = fit(batches(DYESTUFF), ["batch"], method="ML")
    check_stop(ml)
    assert ml.variances == pytest.approx([1388.3333, 2451.25], rel=1e-7)
    assert ml.criterion == pytest.approx(327.3271, abs=5e-5)


def test_dyestuff2_is_zero_and_says_so():
    # Bates, lme4 (2010), section 1.3.2: REML criterion 161.828, ML 162.873, residual 3.7157, 3.6532
    for method, criterion, sd in (("REML", 161.828, 3.7157), ("ML", 162.873, 3.6532)):
        found = fit(batches(DYESTUFF2), ["batch"], method=method)
        check_stop(found)
        assert found.boundary == ("batch",)
        assert found.variance("batch") == 0
        assert "at zero: batch" in repr(found)
        assert found.criterion == pytest.approx(criterion, abs=5e-4)
        assert np.sqrt(found.variance("residual")) == pytest.approx(sd, abs=5e-5)
        frame = found.to_frame()
        assert np.isnan(frame.loc["batch", "standard_error"])
        assert frame.loc["batch", "lower"] == 0
        assert 0 < frame.loc["batch", "upper"] < 10
        assert (found.effects("batch")["effect"] == 0).all()


def test_brennan_table_3_2():
    # Brennan (2001), table 3.2: .4731 .3252 .6475 .5596 2.3803
    found = fit(brennan(), ["p", "t", "r", "p:t"])
    check_stop(found)
    published = [0.4731, 0.3252, 0.6475, 0.5596, 2.3803]
    np.testing.assert_allclose(found.variances, published, atol=6e-5)
    # balanced: expected mean squares give the same
    table = ClusterMoments.of(brennan(), ["p", "t"], ["p", "t", "r"])
    equations = henderson_components(table, ["p", "t", "r"])
    np.testing.assert_allclose(equations[[1, 2, 3, 0, 4]], found.variances, rtol=1e-9)


def test_shrout_fleiss_crossed(reference: Path):
    data = pd.read_csv(reference / "reliability" / "data" / "ShroutFleiss1979.csv").to_numpy(float)
    target, judge = np.indices(data.shape)
    found = fit(Moments.of(data.ravel(), p=target.ravel(), r=judge.ravel()), ["p", "r"])
    # analysis of variance of Shrout & Fleiss (1979), table 3: 11.24, 32.49, 1.02
    np.testing.assert_allclose(found.variances, [2.5555556, 5.2444444, 1.0194444], atol=5e-8)


def test_henderson_of_unbalanced_data(reference: Path):
    # generalizit 0.1.2 and an independent program agree on these
    folder = reference / "reliability" / "data"
    data = pd.read_csv(folder / "ShroutFleiss_missing.csv").to_numpy(float)
    target, judge = np.indices(data.shape)
    table = Moments.of(data.ravel(), p=target.ravel(), r=judge.ravel())
    assert int(table.counts.sum()) == 22
    expected = [1.3129100748, 4.3482110007, 2.1778306659]
    found = henderson_components(ClusterMoments.of(table, "p", ["r"]), ["r"])
    np.testing.assert_allclose(found, expected, atol=5e-11)
    turned = henderson_components(ClusterMoments.of(table, "r", ["p"]), ["p"])
    np.testing.assert_allclose(turned[[1, 0, 2]], expected, atol=5e-11)


# --- lme4

CASES: dict[str, tuple[str, str, dict[str, str], list[str], list[str]]] = {
    # file, response, columns of facets, terms, lme4's names
    "Penicillin": ("Penicillin", "diameter", {"plate": "plate", "sample": "sample"},
                   ["plate", "sample"], ["plate", "sample"]),
    "Dyestuff": ("Dyestuff", "Yield", {"batch": "Batch"}, ["batch"], ["Batch"]),
    "Pastes": ("Pastes", "strength", {"batch": "batch", "cask": "cask"},
               ["cask:batch", "batch"], ["cask:batch", "batch"]),
    "Brennan32": ("gtheory_Brennan.3.2", "Score", {"p": "Person", "t": "Task", "r": "Rater"},
                  ["p:t", "r:t", "p", "t"], ["Person:Task", "Rater:Task", "Person", "Task"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def lme4(reference: Path) -> dict[str, Any]:
    return json.loads((reference / "reliability" / "small_lme4.json").read_text())


@pytest.mark.parametrize(
    ("name", "method"),
    [("Penicillin", "REML"), ("Penicillin", "ML"), ("Dyestuff", "REML"), ("Dyestuff", "ML"),
     ("Pastes", "REML"), ("Brennan32", "REML")],
)  # fmt: skip
def test_small_data_equal_lme4(reference: Path, lme4, name, method):
    file, response, columns, terms, names = CASES[name]
    data = pd.read_csv(reference / "reliability" / "data" / f"{file}.csv")
    expected = lme4[f"{name}_{method}"]
    facets = {facet: data[column] for facet, column in columns.items()}
    found = fit(Moments.of(data[response], facets), terms, method=method)
    check_stop(found)
    # lme4 stops about seven digits in; its criterion is flat there
    for term, theirs in zip([*terms, "residual"], [*names, "Residual"], strict=True):
        assert found.variance(term) == pytest.approx(expected["vc"][theirs], rel=2e-6)
    assert found.criterion <= expected["crit"] + 1e-11 * expected["crit"]
    assert found.criterion == pytest.approx(expected["crit"], rel=1e-10)
    fixed = found.fixed_effects().loc["intercept"]
    assert fixed["estimate"] == pytest.approx(expected["fixef"]["(Intercept)"], rel=1e-9)
    assert fixed["standard_error"] == pytest.approx(expected["se"]["(Intercept)"], rel=1e-6)
    for term, theirs in zip(terms, names, strict=True):
        effects = found.effects(term)["effect"]
        for label, value in expected["ranef"][theirs].items():
            key = tuple(map(_number, label.split(":")))
            ours = effects.loc[key if len(key) > 1 else key[0]]
            assert ours == pytest.approx(value, abs=2e-6 * found.variances.max() ** 0.5)


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


@pytest.mark.parametrize("name", ["Penicillin", "Dyestuff"])
def test_profile_intervals_agree_with_lme4_as_far_as_it_interpolates(reference, lme4, name):
    # lme4 interpolates its profile with splines: its ends are good to about four digits. That ours
    # are where the likelihood ratio says is tested with the dense likelihood.
    file, response, columns, terms, _ = CASES[name]
    data = pd.read_csv(reference / "reliability" / "data" / f"{file}.csv")
    facets = {facet: data[column] for facet, column in columns.items()}
    found = fit(Moments.of(data[response], facets), terms, method="ML")
    expected = lme4[f"{name}_ML"]["profile_ci_sd"]
    theirs = [value for key, value in expected.items() if key.startswith(".sig")]
    np.testing.assert_allclose(np.sqrt(found.intervals(method="profile")), theirs, rtol=2e-4)


def test_gleser_equals_lme4(reference: Path):
    # Gleser, Cronbach & Rajaratnam (1965): twelve patients, six symptoms, two raters, all crossed.
    # R package lme4 1.1-31 (bobyqa, rhoend 1e-10), raters at zero; criterion 446.955865812404
    data = pd.read_csv(reference / "reliability" / "data" / "psych_Gleser.csv").set_index("p")
    long = data.stack()
    facets = {"p": long.index.get_level_values(0), "i": long.index.get_level_values(1).str[1],
              "r": long.index.get_level_values(1).str[2]}  # fmt: skip
    table = Moments.of(long.to_numpy(), facets)
    found = fit(table, ["p", "i", "r", "p:i", "p:r", "i:r"])
    check_stop(found)
    lme4s = [0.424339293516, 0.468684946699, 0, 0.426392389767, 0.180614135355, 0.0174283439670,
             0.622972804720]  # fmt: skip
    np.testing.assert_allclose(found.variances, lme4s, rtol=3e-6)
    assert found.boundary == ("r",)
    assert found.criterion == pytest.approx(446.955865812404, abs=1e-11)
    # analysis of variance by R (aov): mean squares 7.651515, 12.933333, 1, 1.475758, 1.772727,
    # .866667, .621212 expect what Henderson's method equates; raters are below zero there
    squares = np.array([7.651515152, 12.933333333, 1.0, 1.475757576, 1.772727273, 0.866666667,
                        0.621212121])  # fmt: skip
    p, i, r, pi, pr, ir, e = squares
    moments = [(p - pi - pr + e) / 12, (i - pi - ir + e) / 24, (r - pr - ir + e) / 72,
               (pi - e) / 2, (pr - e) / 6, (ir - e) / 12, e]  # fmt: skip
    equations = henderson_components(
        ClusterMoments.of(table, ["p", "i"], ["p", "i", "r"]), ["p", "i", "r", "p:r", "i:r"]
    )
    np.testing.assert_allclose(equations[[1, 2, 3, 0, 4, 5, 6]], moments, atol=1e-9)


# --- InstEval: 73,421 ratings of 1,128 lecturers by 2,972 students


@pytest.fixture(scope="module")
def insteval(reference: Path) -> pd.DataFrame:
    path = reference / "reliability" / "data" / "InstEval.parquet"
    try:
        return pd.read_parquet(path)
    except ImportError:
        duckdb = pytest.importorskip("duckdb", reason="neither pyarrow nor duckdb reads Parquet")
        return duckdb.read_parquet(str(path)).df()


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_insteval_equals_lme4_and_goes_further(reference: Path, insteval, method):
    expected = json.loads((reference / "reliability" / "insteval_lme4.json").read_text())
    expected = expected[f"null_{method}"]
    table = Moments.of(insteval["y"], s=insteval["s"], d=insteval["d"])
    found = fit(table, ["s", "d"], method=method)
    check_stop(found)
    theirs = [expected["vc"][name] for name in ("s", "d", "Residual")]
    np.testing.assert_allclose(found.variances, theirs, rtol=1e-6)
    # a sum of 73,421 terms: the last digits of either are rounding
    assert found.criterion <= expected["deviance"] + 1e-13 * expected["deviance"]
    fixed = found.fixed_effects().loc["intercept"]
    assert fixed["estimate"] == pytest.approx(expected["fixef"]["(Intercept)"], abs=1e-7)
    assert fixed["standard_error"] == pytest.approx(expected["se"]["(Intercept)"], rel=1e-6)
    if method == "REML":
        path = reference / "reliability" / "insteval_null_REML_blup_d.csv"
        blup = pd.read_csv(path, index_col="level", skipinitialspace=True)
        ours = found.effects("d").loc[blup.index]
        # lme4's variances are off by 1e-7, and so are the effects that they shrink
        np.testing.assert_allclose(ours["effect"], blup["blup"], atol=3e-7)
        np.testing.assert_allclose(ours["conditional_error"] ** 2, blup["cond_var"], rtol=3e-7)
        assert (ours["ratings"] == blup["n"]).all()
        by_hand = henderson_components(ClusterMoments.of(table, "s", ["d"]), ["d"])
        np.testing.assert_allclose(by_hand, [0.1021468, 0.2843296, 1.3919626], atol=5e-8)


# --- what cannot be fitted


def test_bad_input_is_refused_in_words():
    def message(values, random, fixed=(), **facets) -> str:
        with pytest.raises(PerfmethodError) as caught:
            fit(Moments.of(values, facets), random, fixed)
        return str(caught.value)

    four = {"u": [1, 1, 2, 2], "r": [1, 2, 1, 2]}
    assert "all equal" in message([3, 3, 3, 3], ["u"], **four)
    assert "explain every rating" in message([1, 1, 2, 2], ["u"], **four)
    assert "one for each rating" in message([1, 2, 3, 5], ["u:r"], **four)
    assert "found 1 level" in message([1, 2, 3, 5], ["x"], x=[1, 1, 1, 1])
    assert "same 2 groups" in message([1, 2, 3, 5], ["u", "v"], u=[1, 1, 2, 2], v=list("aabb"))
    assert "leave it nothing" in message([1, 2, 3, 5], ["u"], ["v"], u=[1, 1, 2, 2], v=list("aabb"))
    assert "did you mean" in message([1, 2, 3, 5], ["uni"], unit=[1, 1, 2, 2])
    assert "no term" in message([1, 2, 3, 5], [], **four)
    assert "allowed: at least 2" in message([], ["u"], u=[])
    assert "random and as fixed" in message([1, 2, 3, 5], ["u"], ["u"], **four)
    with pytest.raises(PerfmethodError, match="one of ML, REML"):
        fit(Moments.of([1, 2, 3, 5], four), ["u"], method="reml")
    with pytest.raises(PerfmethodError, match="a list of terms"):
        fit(Moments.of([1, 2, 3, 5], four), "u")
    with pytest.raises(PerfmethodError, match="cluster of the moments"):
        fit(ClusterMoments.of(Moments.of([1, 2, 3, 5], four), "r", ["u"]), ["u"])


def test_moments_refuse_what_they_cannot_hold():
    for values, facets, said in (
        ([1 / 3], {"u": [1]}, "9 decimals"),
        ([1, 2], {"u": [1]}, "found 1 labels"),
        ([1, 2], {"u": [1, None]}, "missing label"),
        ([2**40] * 9, {"u": [1] * 9}, "give an origin"),
        ([1.0, np.inf], {"u": [1, 2]}, "inf"),
    ):
        with pytest.raises(PerfmethodError, match=said):
            Moments.of(values, facets)
    with pytest.raises(PerfmethodError, match="found decimals 1; allowed: decimals 0"):
        Moments.of([1], u=[1]) + Moments.of([1.5], u=[1])
    with pytest.raises(PerfmethodError, match="found facets v"):
        Moments.of([1], u=[1]) + Moments.of([1], v=[1])
    near = Moments.of([2**40 + 3] * 9, u=[1] * 9, origin=2**40)
    assert near.to_frame()["mean"].tolist() == [2**40 + 3]


def test_effects_of_what_the_moments_do_not_tell_apart():
    clusters = ClusterMoments.of(brennan(), "r", ["p", "t"])
    found = fit(clusters, ["p", "r"], ["t"])
    assert len(found.effects("p")) == 10
    with pytest.raises(PerfmethodError, match="a fit from Moments"):
        found.effects("r")
    with pytest.raises(PerfmethodError, match="allowed: a random term"):
        found.effects("residual")
    with pytest.raises(PerfmethodError, match="did you mean"):
        found.variance("resid")
    with pytest.raises(PerfmethodError, match="one of profile, robust, wald"):
        found.intervals(method="boot")


def test_picture_shows_the_components():
    ax = fit(brennan(), ["p", "t", "r", "p:t"]).plot(language="en")
    bars = [patch.get_width() for patch in ax.patches]
    np.testing.assert_allclose(bars, [0.4731, 0.3252, 0.6475, 0.5596, 2.3803], atol=6e-5)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["p", "t", "r", "p:t", "residual"]
