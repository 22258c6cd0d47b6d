"""Places, grade probabilities and joint uncertainty: metafor, slow twins, laws, an evaluated year.

Reference values: metafor 3.8-1 in R 4.2.2, ``rma(yi, vi, method="REML")`` and ``blup()`` on the
thirteen trials of BCG vaccine (Colditz and others, *JAMA* 271 (1994), 698-702), whose log risk
ratios and variances follow from the published counts; Viechtbauer (2010, *Journal of Statistical
Software* 36(3)) prints 0.3132 and -0.7145 (0.1798).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.errors import PerfmethodError
from perfmethod.ranking import (
    between_variance,
    grade_posterior,
    joint_ranks,
    normal_draws,
    place_sets,
    posterior,
    rank_sets,
    total_errors,
)
from perfmethod.ranking.posterior import grades_of
from tests.small_year import SMALL_SCHEME, write_small_year

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(write_small_year(tmp_path_factory.mktemp("year"))))


# empirical Bayes

BCG = np.array([
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
    (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
    (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
])  # fmt: skip
BLUP = [-0.80023357459397, -1.25170602725994, -0.98690313052622, -1.39789770575491,
        -0.28737979434894, -0.78457153410705, -1.24396351544211, 0.00287924975982,
        -0.50683635337311, -1.24717303898151, -0.35365839777828, -0.28473365815812,
        -0.14674304818199]  # fmt: skip
BLUP_SE = [0.4099304686316, 0.3532273150761, 0.4348316016451, 0.1375684164599, 0.2113117612540,
           0.0822903528965, 0.3685919752195, 0.0625870944857, 0.2203912715169, 0.2457122162656,
           0.1094809661154, 0.4583005055439, 0.2434403017772]  # fmt: skip


def bcg() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = BCG.T.astype(float)
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_shrinkage_is_that_of_metafor() -> None:
    y, v = bcg()
    assert between_variance(y, np.diag(v)) == pytest.approx(0.313243325981, rel=1e-6)
    found = posterior(y, np.diag(v))
    assert found.center == pytest.approx([-0.714532348365], rel=1e-6)
    assert found.mean == pytest.approx(BLUP, rel=1e-5)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(BLUP_SE, rel=1e-5)


def test_a_common_error_shifts_all_and_shrinks_none() -> None:
    # rma.mv with 0.02 added to every covariance gives the same variance between trials
    y, v = bcg()
    assert between_variance(y, np.diag(v) + 0.02) == pytest.approx(0.313243325981, rel=1e-6)
    found = posterior(y, np.diag(v) + 0.02)
    np.testing.assert_allclose(found.mean - found.center, np.array(BLUP) + 0.714532348365,
                               rtol=1e-5)  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 8), st.floats(0.1, 4))
def test_laws_of_shrinkage(seed: int, units: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x, root = rng.normal(size=units) * 2, rng.normal(size=(units, units))
    v = root @ root.T / units + 0.05 * np.eye(units)
    one, two = posterior(x, v), posterior(scale * x + 7, scale**2 * v)
    np.testing.assert_allclose(two.mean, scale * one.mean + 7, rtol=1e-4, atol=1e-5 * scale)
    assert np.linalg.eigvalsh(one.covariance)[0] > -1e-8
    flat = posterior(x, v, shrink=False)
    np.testing.assert_array_equal(flat.mean, x)
    np.testing.assert_array_equal(flat.covariance, v)
    # the likelihood of the contrasts has no higher top elsewhere
    t, best = between_variance(x, v), -np.inf
    for trial in np.concatenate([[0.0, t], np.geomspace(1e-4, 50, 60)]):
        whole = v + trial * np.eye(units)
        inverse = np.linalg.inv(whole)
        mean = inverse.sum(axis=0) @ x / inverse.sum()
        value = -0.5 * (np.linalg.slogdet(whole)[1] + np.log(inverse.sum())
                        + (x - mean) @ inverse @ (x - mean))  # fmt: skip
        best = max(best, value)
        if trial == t:
            mine = value
    assert mine >= best - 1e-7


def test_small_classes_and_units_without_error_are_not_shrunk() -> None:
    found = posterior([5.0, 9.0, 1.0, 2.0, 4.0], np.diag([1.0, 1, 0, 0, 0]), [0, 0, 1, 1, 1])
    np.testing.assert_allclose(found.mean, [5, 9, 1, 2, 4], atol=1e-6)
    assert np.isinf(found.between[0])
    assert found.between[1] == pytest.approx(np.var([1, 2, 4], ddof=1), rel=1e-6)
    assert between_variance([3.0, 3, 3], np.eye(3)) == 0


# draws


def test_draws_have_the_covariance_asked_for() -> None:
    matrix = np.array([[4.0, 2, 0], [2, 1, 0], [0, 0, 9]])  # singular
    found = normal_draws(matrix, 2**14, seed=1)
    np.testing.assert_allclose(np.cov(found.T), matrix, atol=0.02)
    assert stats.kstest(found[:, 2] / 3, "norm").statistic < 0.005
    np.testing.assert_allclose(found[:, 0], 2 * found[:, 1], atol=1e-9)
    again, other = normal_draws(matrix, 2**14, seed=1), normal_draws(matrix, 2**14, seed=2)
    assert (found == again).all()
    assert (found != other).any()
    with pytest.raises(PerfmethodError, match="found 0 draws"):
        normal_draws(matrix, 0, seed=1)


# places


def test_places_are_those_of_rank_sets_inside_the_pools(city: pm.Evaluation) -> None:
    found = place_sets(city, draws=10_000)
    plan = city._plan
    free = plan.ceiling == 0
    pool = pd.Series([plan.pool_names[p] for p in plan.pools], index=city.scores.index)
    totals, covariance = total_errors(city)
    sets = rank_sets((totals[free], covariance[np.ix_(free, free)]), within=pool[free],
                     draws=10_000)  # fmt: skip
    places = city.quotas[city.quotas["grade"] == "excellent"].set_index("pool")["places"]
    status = sets.best(places.to_dict())["status"]
    same = found.units["status"].drop(found.units.index[found.units["barred"]])
    assert (same.astype(str) == status.reindex(same.index).astype(str)).all()
    assert found.units.loc["D27", ["status", "barred"]].tolist() == ["surely_not", True]
    assert found.units.loc["D27", "rank"] is pd.NA
    # who is surely in is in, who is surely not is not
    grade = city.scores["grade"] == "excellent"
    assert grade[found.units["status"] == "surely"].all()
    assert not grade[found.units["status"] == "surely_not"].any()
    assert found.counts.sum() == 49
    assert "12 surely" in repr(found)
    narrower = place_sets(city, simultaneous=False, draws=4096)
    assert narrower.counts["possibly"] <= found.counts["possibly"]
    assert "by itself" in narrower.words("en")[0]


def test_more_errors_leave_more_open(city: pm.Evaluation) -> None:
    extra = pd.Series(8.0, index=city.scores.index)
    found = place_sets(city, extra=extra, draws=4096)
    assert found.counts["possibly"] > place_sets(city, draws=4096).counts["possibly"]
    own = place_sets(city, draws=4096).units["se"]
    np.testing.assert_allclose(found.units["se"] ** 2, own**2 + 64)
    matrix = pd.DataFrame(np.diag(np.full(49, 64.0)), extra.index, extra.index)
    other = place_sets(city, extra=matrix, draws=4096)
    pd.testing.assert_frame_equal(other.units, found.units)
    for lang, word in (("en", "not that the chances are even"), ("zh", "并不表示机会各半")):
        assert word in found.words(lang)[1]


def test_an_unfilled_place_of_a_vetoed_unit_counts_in_the_order(tmp_path: Path) -> None:
    folder = write_small_year(tmp_path)
    text = SMALL_SCHEME.replace('vetoed_place = "next"', 'vetoed_place = "unfilled"')
    (folder / "scheme.toml").write_text(text, encoding="utf-8")
    small = pm.evaluate(pm.Year.load(folder))
    units = place_sets(small, draws=1024).units
    assert units["rank"].notna().all()
    assert units.loc["D01", "status"] == "surely_not"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grades.rule": "thresholds"}, "by places alone"),
        ({"grades.levels.excellent.least": 800}, "by places alone"),
    ],
)
def test_a_grade_by_threshold_has_no_place_sets(small: pm.Evaluation, change, words: str) -> None:
    text = SMALL_SCHEME
    if "grades.rule" in change:
        text = text.replace('rule = "quota"', 'rule = "thresholds"')
        text = text.replace("places = 3", "least = 800")
        second = 'qualified]\nname = { zh = "合格", en = "Qualified" }'
        text = text.replace(second, second + "\nleast = 600")
    else:
        text = text.replace("places = 3", "places = 3\nleast = 800")
    year = small.year.with_scheme(pm.Scheme.loads(text))
    with pytest.raises(PerfmethodError, match=words):
        place_sets(pm.evaluate(year))


def test_errors_that_do_not_fit_are_refused(small: pm.Evaluation) -> None:
    units = small.scores.index
    even = pd.DataFrame(np.eye(5), units, units)
    for extra, words in [
        (pd.Series(1.0, index=[*units[:-1], "D4"]), "found 'D4'"),
        (pd.Series(1.0, index=units[:-1]), "none of 'D03'"),
        (pd.Series(np.nan, index=units), "missing or negative"),
        (even.mask(np.eye(5, k=1) > 0, 0.5), "not symmetric"),
    ]:
        with pytest.raises(PerfmethodError, match=words):
            total_errors(small, extra)


# grades


def test_grades_of_the_measured_totals_are_the_grades(city: pm.Evaluation) -> None:
    totals = city.scores["total"].to_numpy()
    codes = grades_of(city, np.stack([totals, totals + 5.0]))  # a common shift changes nothing
    levels = ["excellent", "qualified", "unqualified"]
    for row in codes:
        assert [levels[c] for c in row] == city.scores["grade"].tolist()


def test_probabilities_of_grades_against_the_survey_alone(city: pm.Evaluation) -> None:
    """A flat posterior is the law of the measured totals: simulated survey noise says the same."""
    found = grade_posterior(city, shrink=False, draws=2**14)
    draws = un.draw(city.year, 8000, un.survey_noise(city.review), seed=3)
    other = pm.simulate(city.year, draws)
    p = (other.grade == 0).mean(axis=0)
    np.testing.assert_allclose(found.units.loc[list(other.units), "p_excellent"], p, atol=0.02)
    assert found.units[["p_excellent", "p_qualified", "p_unqualified"]].sum(axis=1).eq(1).all()
    assert found.expected_wrong == pytest.approx(found.units["p_other"].sum())
    shrunk = grade_posterior(city)
    assert (shrunk.units["true_sd"] <= found.units["true_sd"] + 1e-9).all()
    assert shrunk.classes["reliability"].between(0.9, 1).all()


def test_misordered_pairs_are_those_of_draws(city: pm.Evaluation) -> None:
    extra = pd.Series(10.0, index=city.scores.index)
    found = grade_posterior(city, extra=extra)
    plan, best = city._plan, (city.scores["grade"] == "excellent").to_numpy()
    totals, covariance = total_errors(city, extra)
    law = posterior(totals, covariance, plan.unit_class)
    sample = np.random.default_rng(0).multivariate_normal(law.mean, law.covariance, 20_000)
    wrong = {"pool": 0.0, "class": 0.0}
    number, measured = dict.fromkeys(wrong, 0), dict.fromkeys(wrong, 0)
    for i in np.flatnonzero(best):
        for j in np.flatnonzero(~best & (plan.ceiling == 0)):
            p = (sample[:, j] > sample[:, i]).mean()
            for scope, code in (("pool", plan.pools), ("class", plan.unit_class)):
                if code[i] == code[j]:
                    wrong[scope] += p
                    number[scope] += 1
                    measured[scope] += totals.iloc[j] > totals.iloc[i]
    for scope in wrong:
        assert found.pairs.loc[scope, "pairs"] == number[scope]
        assert found.pairs.loc[scope, "reversed"] == measured[scope]
        assert found.pairs.loc[scope, "misordered"] == pytest.approx(wrong[scope], rel=0.02)
    assert found.pairs.loc["pool", "reversed"] == 0  # inside a pool the best have the places
    for lang in ("zh", "en"):
        assert found.words(lang)[0]
    assert "pairs misordered" in repr(found)


def test_a_year_without_ballots_needs_other_errors() -> None:
    scheme = pm.Scheme.loads("""
        format = 1
        classes.city = {}
        indicators.a = { rule = { method = "identity" } }
        [grades]
        pool = "all"
        levels.good = { places = 1 }
        levels.fair = {}
        """)
    frame = pd.DataFrame({"unit_id": list("ABCD"), "a": [90.0, 80, 70, 60]})
    found = pm.evaluate(pm.Year.from_frames(scheme, actuals=frame))
    for call in (place_sets, grade_posterior, joint_ranks):
        with pytest.raises(PerfmethodError, match="without ballots"):
            call(found)
    extra = pd.Series(6.0, index=list("ABCD"))  # 30 points between the ends are 3.5 errors
    assert place_sets(found, extra=extra, draws=4096).counts.tolist() == [0, 3, 1]
    assert grade_posterior(found, extra=extra).expected_wrong > 0


# joint uncertainty


def test_joint_ranks_hold_each_source_and_both(city: pm.Evaluation) -> None:
    found = joint_ranks(city, draws=3000)
    draws = un.draw(city.year, 3000, un.survey_noise(city.review), seed=0)
    alone = pm.simulate(city.year, draws)  # the first run is that of the survey
    units = list(alone.units)
    np.testing.assert_array_equal(
        found.units.loc[units, "survey_p_best"], (alone.grade == 0).mean(axis=0)
    )
    table = found.sources
    assert table.loc["both", "changed"] > table["changed"].drop("both").max() * 0.9
    assert table.loc["both", "width"] >= table["width"].drop("both").max()
    fixed = joint_ranks(city, un.percent("classes.*.nodes.*.weight", by=0), draws=1000)
    assert fixed.sources.loc["weights", "changed"] == 0
    wider = joint_ranks(city, [un.percent("classes.*.nodes.*.weight", by=60)], draws=1000)
    assert wider.sources.loc["weights", "changed"] > table.loc["weights", "changed"]
    assert "+-60 %" in wider.words("en")[0]
    assert "权重是选择而不是误差" in wider.words("zh")[0]
    assert found.to_frame()["rank"].iloc[0] == 1
    assert "best grades changed: survey" in repr(found)
