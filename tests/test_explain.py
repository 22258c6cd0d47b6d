"""Explanations: they add up, they follow the scheme, and what they promise comes true."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import normalization
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.scoring.explain import _exact
from perfmethod.scoring.rule_words import METHOD_WORDS, PARAMETER_WORDS
from tests.conftest import ROOT
from tests.small_year import write_small_year


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


@pytest.fixture
def small(tmp_path: Path) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path))


def test_every_unit_adds_up_to_the_last_bit(city: pm.Evaluation):
    for unit in city.scores.index:
        lines = pm.explain(city, unit).lines
        assert math.fsum(lines["contribution"]) == city.scores.at[unit, "total"]
        leaves = lines[~lines["node"].isin(["bonus", "deduction"])]
        assert leaves["effective_weight"].sum() == pytest.approx(1, abs=1e-12)
        arithmetic = (
            10 * leaves["score"].fillna(0) * leaves["effective_weight"]
        )  # NaN: redistributed
        np.testing.assert_allclose(leaves["contribution"], arithmetic, atol=1e-9)


def test_exact_moves_only_rounding_error():
    parts = np.array([0.1] * 10)
    assert math.fsum(_exact(parts, 1.0)[0]) == 1.0
    with pytest.raises(PerfmethodError, match="add up to"):
        _exact(parts, 1.1)


def test_cut_is_where_the_grade_changes(small: pm.Year, city: pm.Evaluation):
    """Points just above the cut bring the grade, points just below do not."""
    stand = pm.explain(city, "D09").standing
    cut = stand.ladder.set_index("grade").at["excellent", "cut"]
    total = city.scores.at["D09", "total"]
    for shift, grade in ((cut - total + 1e-6, "excellent"), (cut - total - 1e-6, "qualified")):
        moved = _with_points(city.year, "D09", shift)
        assert pm.evaluate(moved).scores.at["D09", "grade"] == grade


def _with_points(year: pm.Year, unit: str, points: float) -> pm.Year:
    """The year with so many more bonus points for one unit; D09 is below every cap."""
    events = year.adjustments
    new = events.iloc[[0]].assign(
        event_id="E999", unit_id=unit, item="B01", points=points, status="confirmed"
    )
    scheme = year.scheme.patch({"adjustments.items.B01.cap": 50.0})
    return year.replace(adjustments=pd.concat([events, new], ignore_index=True)).with_scheme(scheme)


def test_block_that_would_bring_the_grade(city: pm.Evaluation):
    """The needed score of a block, put into the draws, changes the grade."""
    blocks = pm.explain(city, "D09").standing.blocks.set_index("block")
    needed = blocks.at["internal", "needed"]
    draws = {"rating.D09": [needed + 1e-6, needed - 1e-6]}
    simulation = pm.simulate(city.year, draws)
    at = simulation.units.index("D09")
    assert [simulation.levels[c] for c in simulation.grade[:, at]] == ["excellent", "qualified"]


def test_veto_is_what_keeps_d27(city: pm.Evaluation):
    stand = pm.explain(city, "D27").standing
    assert (stand.grade, stand.without_veto, stand.group_rank) == ("qualified", "excellent", 1)
    freed = city.year.replace(vetoes=city.year.vetoes.query("veto != 'V03'"))
    assert pm.evaluate(freed).scores.at["D27", "grade"] == "excellent"


def test_harmonic_means_are_explained_too(small: pm.Year):
    scheme = small.scheme.patch({"classes.municipal_department.nodes.indicator.power": -1})
    evaluation = pm.evaluate(small.with_scheme(scheme))
    lines = pm.explain(evaluation, "D02").lines
    assert math.fsum(lines["contribution"]) == evaluation.scores.at["D02", "total"]
    assert (lines["contribution"] > 0).sum() >= 4


def test_small_cells_are_hidden(small: pm.Year):
    text = pm.explain(pm.evaluate(small), "D01").to_text("en")
    assert "valid <2, mean –" in text


def test_unknown_unit(city: pm.Evaluation):
    with pytest.raises(PerfmethodError, match="did you mean 'D27'"):
        pm.explain(city, "D 27")


def test_unit_without_anything_to_score():
    scheme = pm.Scheme.loads(
        'format = 1\nclasses.city = {}\nindicators.a = { rule = { method = "identity" } }'
    )
    actuals = pd.DataFrame({"unit_id": ["A", "B"], "a": [50.0, None]})
    with pytest.raises(DataError, match="B"):
        pm.evaluate(pm.Year.from_frames(scheme, actuals=actuals))


def test_a_scheme_without_grades(small: pm.Year):
    changes = {"grades": None, "results": None, "vetoes": None}
    year = small.replace(vetoes=None).with_scheme(small.scheme.patch(changes))
    evaluation = pm.evaluate(year)
    assert (evaluation.scores["grade"] == "").all()
    assert len(evaluation.quotas) == 0
    assert "Standing" in pm.explain(evaluation, "D01").to_text("en")


def test_notes_tell_every_special_case(city: pm.Evaluation):
    kinds = set(city.notes["kind"])
    assert {"veto", "bonus_cap", "deduction_cap", "no_task", "not_certified", "no_value",
            "self_certified"} <= kinds  # fmt: skip
    chinese = pm.evaluate(city.year, lang="zh").notes
    assert chinese["kind"].tolist() == city.notes["kind"].tolist()
    assert chinese.query("kind == 'veto'")["text"].item() == "一票否决“安全生产”: 等次最高为合格"


def test_survey_errors_are_those_of_the_weighted_block(city: pm.Evaluation):
    """Standard error of a department's total: 3 points per point of the review block."""
    review = city.review.covariance()
    pairs = [("D01", d) for d in ("behavior", "duty", "efficiency", "self_build")]
    block = review.loc[pairs, pairs].to_numpy().sum() / 16
    assert city.survey_errors.at["D01", "se_total"] == pytest.approx(3 * np.sqrt(block), rel=1e-9)


def test_compare_tells_who_moves(city: pm.Evaluation):
    other = pm.evaluate(city.year.with_scheme(city.year.scheme.patch({"grades.pool": "class"})))
    table = city.compare(other)
    assert (table["total_change"] == 0).all()
    assert table["grade_changes"].sum() == 6
    back = other.compare(city)
    np.testing.assert_array_equal(back["rank_change"], -table["rank_change"])
    smaller = pm.evaluate(
        pm.Year.from_frames(
            pm.Scheme.loads(
                'format = 1\nclasses.a = {}\nindicators.x = { rule = { method = "identity" } }'
            ),
            actuals=pd.DataFrame({"unit_id": ["Z"], "x": [1.0]}),
        )
    )
    with pytest.raises(PerfmethodError, match="the same units"):
        city.compare(smaller)


def test_notebook_form_is_rounded_by_the_one_rule(city: pm.Evaluation):
    assert "983.23" in city._repr_html_()
    assert "983.234" not in city._repr_html_()


def test_negative_score_under_a_geometric_mean_names_the_class(small: pm.Year):
    changes = {
        "indicators.P003.rule": {"method": "zscore"},
        "classes.county_government.nodes.livelihood.power": 0,
    }
    with pytest.raises(DataError, match=r"classes\.county_government.*found a score of -"):
        pm.evaluate(small.with_scheme(small.scheme.patch(changes)))


def test_floors_that_need_more_places_than_there_are(small: pm.Year):
    with pytest.raises(DataError, match=r"grades\.levels\.excellent.*1 places at least in each"):
        small.with_scheme(
            small.scheme.patch({"grades.floor": 1, "grades.levels.excellent.places": 2})
        )


def test_draws_of_numbers_that_change_nothing_are_refused(small: pm.Year):
    for path in ("survey.min_cell", "results.civil_servant_quota.by_grade.excellent",
                 "adjustments.items.B01.points", "supervision.status.alarm"):  # fmt: skip
        with pytest.raises(KeyError, match="numbers that change a result"):
            pm.simulate(small, {path: [1, 2]})


def test_what_no_line_can_take_is_a_line_of_its_own() -> None:
    parts, total = np.array([300.5, -480.657537675]), -180.15753767500004
    assert parts.sum() != total
    taken, rest = _exact(parts, total)
    assert rest != 0
    assert abs(rest) < 1e-12
    assert math.fsum([*taken, rest]) == total
    taken, rest = _exact(np.array([600.0, 300.0]), 900.0 + 2e-13)
    assert (rest, math.fsum(taken)) == (0.0, 900.0 + 2e-13)
    with pytest.raises(PerfmethodError, match="add up to"):
        _exact(np.array([1.0, 2.0]), 4.0)


def test_no_weight_tells_a_hidden_number_of_answers(city: pm.Evaluation) -> None:
    cells = pm.explain(city, "D27").cells
    hidden = cells["valid"].map(lambda n: isinstance(n, str))
    groups = cells.groupby(["dimension", "category"])
    seen = 0
    for _, part in groups:
        if len(part) > 1 and hidden[part.index].any():
            assert part["weight"].isna().all()  # their ratio is that of the valid answers
            seen += 1
        else:
            assert part["weight"].sum() == pytest.approx(part["category_weight"].iloc[0])
    assert seen > 10
    means = cells.loc[hidden, "mean"].dropna()
    assert len(means)
    assert (means == means.round()).all()
    text = pm.explain(city, "D27").to_text("zh")
    assert "市人大代表, 分头填写: 票数 42, 有效 >32, 均值 93, 本类各方式合计权重 7.69 %" in text
    exact = city.review.cells(min_cell=1)  # the office itself loses nothing
    assert exact["weight"].notna().all()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_rules_are_told_in_the_language_of_the_reader(city: pm.Evaluation, lang: str) -> None:
    text = pm.explain(city, "D27").to_text(lang)
    assert "(-)" not in text
    assert not re.search(r"[a-z]+_[a-z]+|\w=\w|\d\.0[),]", text)
    assert {"en": "less is better", "zh": "越小越好"}[lang] in text
    if lang == "zh":
        assert "按完成比例计分(上限1.2, 超额部分系数1)" in text
        assert "最低得分0" in text


def test_every_rule_and_parameter_has_its_words() -> None:
    assert set(METHOD_WORDS) == set(normalization.METHODS)
    names = {name for rule in normalization.METHODS.values() for name in rule.parameters}
    assert names == set(PARAMETER_WORDS)
    for table in (METHOD_WORDS, PARAMETER_WORDS):
        assert all(set(said) == {"en", "zh"} for said in table.values())


def test_a_unit_competes_in_a_group_or_class_with_a_name(small: pm.Year) -> None:
    units = small.units.drop(columns="group").reset_index()
    scheme = small.scheme.patch({"grades.pool": "class"})
    year = small.with_scheme(scheme).replace(units=units, groups=None)
    text = pm.explain(pm.evaluate(year), "D01").to_text("zh")
    assert "在市直部门中竞争" in text
    assert "municipal_department" not in text
