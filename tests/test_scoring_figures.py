"""Figures of an evaluation: names instead of codes, the scheme's own words, none said in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import perfmethod as pm
from perfmethod.frames import natural_order
from perfmethod.scoring.figures import cut_margins, draw, group_totals
from tests.small_year import write_small_year


@pytest.fixture
def small(tmp_path: Path) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path))


def ungrouped(year: pm.Year) -> pm.Year:
    scheme = year.scheme.patch({"grades.pool": "class"})
    units = year.units.drop(columns="group").reset_index()
    return year.with_scheme(scheme).replace(units=units, groups=None)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_classes_have_their_names_where_there_are_no_groups(small: pm.Year, lang: str) -> None:
    found = pm.evaluate(ungrouped(small))
    named = {"zh": {"区县政府", "市直部门"}, "en": {"County governments", "Municipal departments"}}
    for table, title in (group_totals(found, lang), cut_margins(found, lang)):
        assert set(table["group"]) <= named[lang]
        assert "municipal_department" not in title
        assert "county_government" not in title
    assert set(group_totals(found, lang)[0]["group"]) == named[lang]


def test_groups_stand_in_the_order_of_their_numbers(small: pm.Year) -> None:
    units = small.units.reset_index()
    departments = units["class"] == "municipal_department"
    units.loc[departments, "group"] = ["G10", "G2", "G1"]
    year = small.replace(units=units, groups=None)
    table, _ = group_totals(pm.evaluate(year), "zh")
    assert [g for g in table["group"] if g in ("G1", "G2", "G10")] == ["G1", "G2", "G10"]


def test_natural_order_takes_numbers_by_their_size() -> None:
    names = ["G10", "组2", "G2", "G1b", "7", "G1"]
    assert [names[i] for i in natural_order(names)] == ["7", "G1", "G1b", "G2", "G10", "组2"]
    assert natural_order(["b", "a", "a"], ["1", "10", "9"]) == [2, 1, 0]


def test_the_key_has_the_name_of_the_best_grade(small: pm.Year) -> None:
    document: dict[str, Any] = {"grades.levels.excellent.name": {"zh": "先进", "en": "Advanced"}}
    found = pm.evaluate(small.with_scheme(small.scheme.patch(document)))
    for lang, best in (("zh", "先进"), ("en", "Advanced")):
        figure: Any = draw(found, "totals", lang=lang).get_figure()
        texts = [t.get_text() for t in figure.legends[0].get_texts()]
        assert best in texts
        assert not any("优秀" in t or "xcellent" in t for t in texts)
    assert draw(found, "margins", lang="zh").get_xlabel() == "与本组先进线的差距(分)"


def test_none_is_said_in_words(small: pm.Year) -> None:
    far = pm.evaluate(small)
    far.scores["total"] *= 100  # nobody is near a cut any more
    for lang, said in (("zh", "没有单位"), ("en", "No unit")):
        assert cut_margins(far, lang)[1].startswith(said)
    nobody = pm.evaluate(small)
    nobody.scores["grade"] = "qualified"
    for lang, said in (("zh", "没有单位评为优秀"), ("en", "No unit is Excellent")):
        assert group_totals(nobody, lang)[1] == said
