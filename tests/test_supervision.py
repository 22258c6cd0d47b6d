"""Supervision: hand-worked shares, statuses, letters, doubtful values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.supervision import STATUSES
from tests.conftest import ROOT
from tests.small_year import write_small_year


@pytest.fixture
def small(tmp_path: Path) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path))


def test_shares_by_hand(small: pm.Year):
    """C01's roads: 30 of 45 km by the third quarter, where the path `back` expects 62 %."""
    tasks = pm.supervise(small, 3).tasks.set_index(["unit_id", "indicator_id"])
    row = tasks.loc[("C01", "P001")]
    assert row["share"] == pytest.approx(30 / 45)
    assert row["expected"] == 0.62
    assert row["ratio"] == pytest.approx(30 / 45 / 0.62)
    assert row["status"] == "on_path"
    # 20 of 36 km: 55.6 % against 62 %: a ratio of 0.896, just below the warning of 0.9
    assert tasks.loc[("C02", "P001"), "status"] == "warning"


def test_limits_come_from_the_scheme(small: pm.Year):
    strict = small.scheme.patch({"supervision.status.alarm": 0.95, "supervision.status.warning": 1})
    tasks = pm.supervise(small.with_scheme(strict), 3).tasks.set_index(["unit_id", "indicator_id"])
    assert tasks.loc[("C02", "P001"), "status"] == "alarm"


def test_only_what_counts_up_to_a_target_on_a_path(small: pm.Year):
    """Accidents (less is better) and levels (no target) have no progress to speak of."""
    assert set(pm.supervise(small, 2).tasks["indicator_id"]) == {"P001", "P002", "P004"}


def test_no_report(small: pm.Year):
    tasks = pm.supervise(small, 2).tasks
    lost = tasks[tasks["indicator_id"] == "P004"]
    assert (lost["status"] == "no_report").all()
    assert pm.supervise(small, 2).to_frame()["no_report"].sum() == len(lost)


def test_doubtful_values(small: pm.Year):
    found = pm.supervise(small).doubtful
    assert found.to_dict("records") == [
        {"unit_id": "D03", "indicator_id": "D001", "reason": "not_certified"}
    ]


def test_letters(small: pm.Year):
    found = pm.supervise(small, 3)
    text = found.letter("C02", "en")
    assert "Yi County" in text
    assert "56 % of the target, 62 % expected (early warning)" in text
    assert "改造公路: 完成目标的56%" in found.letter("C02", "zh")
    assert "nothing to report" in found.letter("D01", "en")
    assert "the value is not certified" in found.letter("D03", "en")
    with pytest.raises(PerfmethodError, match="did you mean 'C02'"):
        found.letter("C2")


def test_letters_round_as_everything_else_and_claim_nothing_unmeasured(small: pm.Year):
    found = pm.supervise(small, 3)
    half = found.tasks["unit_id"] == "C02"
    tasks = found.tasks.assign(share=found.tasks["share"].mask(half, 0.125), status="alarm")
    assert "13 % of the target" in replace(found, tasks=tasks).letter("C02", "en")  # half up
    nothing = replace(found, tasks=found.tasks[found.tasks["unit_id"] != "D01"])
    for lang, told, not_told in (("en", "No task can be measured", "on its path"),
                                 ("zh", "没有可衡量进度的任务", "均达到进度")):  # fmt: skip
        text = nothing.letter("D01", lang)
        assert told in text
        assert not_told not in text


def test_words_count_every_task_of_the_year(small: pm.Year):
    found = pm.supervise(small, 3)
    counts, rest = found.tasks["status"].value_counts(), len(small.tasks) - len(found.tasks)
    for lang, text in (("en", f"{len(found.tasks)} tasks, "), ("zh", f"{len(found.tasks)}项任务")):
        said = found.words(lang)
        assert text in said
        assert str(rest) in said
        for status, names in STATUSES.items():
            assert names[lang] in said
            assert str(counts.get(status, 0)) in said


@pytest.mark.parametrize("quarter", [0, 5, None, "3"])
def test_wrong_quarter(small: pm.Year, quarter):
    with pytest.raises(PerfmethodError, match="allowed: 1, 2, 3, 4"):
        pm.supervise(small, quarter)


def test_a_year_without_paths(small: pm.Year):
    bare = small.with_scheme(small.scheme.patch({"supervision": None}))
    with pytest.raises(PerfmethodError, match=r"\[supervision\.paths\]"):
        pm.supervise(bare)


def test_2009_counts_every_task_once_and_most_end_on_their_path():
    year = pm.Year.load(ROOT / "data" / "2009")
    last = pm.supervise(year, 4)
    assert last.to_frame().to_numpy().sum() == len(last.tasks)
    assert not last.tasks.duplicated(["unit_id", "indicator_id"]).any()
    behind = last.tasks["status"].isin(["warning", "alarm"]).mean()
    assert 0 < behind < 0.15  # "some indicators miss their targets, the great majority meet them"
    own = last.doubtful[last.doubtful["reason"] == "self_certified"]
    assert ("D05", "M061") in set(zip(own["unit_id"], own["indicator_id"], strict=True))


def test_picture_shows_the_table(small: pm.Year):
    found = pm.supervise(small, 3)
    ax = found.plot(lang="en")
    assert "behind their path" in ax.get_title(loc="left") + ax.get_title()
    drawn = sum(p.get_width() for p in ax.patches)
    assert drawn == found.to_frame().to_numpy().sum()


def test_results_use(small: pm.Year):
    table = pm.results_use(pm.evaluate(small))
    assert table.loc["C01", "civil_servant_quota"] == 20
    assert table.loc["D01", "civil_servant_quota"] == 15  # vetoed, so qualified
    bare = small.with_scheme(small.scheme.patch({"results": None}))
    with pytest.raises(PerfmethodError, match=r"\[results\]"):
        pm.results_use(pm.evaluate(bare))
    part = small.scheme.patch({"results.civil_servant_quota.by_grade.qualified": None})
    use = pm.results_use(pm.evaluate(small.with_scheme(part)))
    assert np.isnan(use.loc["D01", "civil_servant_quota"])  # the link says nothing of this grade
    assert isinstance(use, pd.DataFrame)
