"""One number at a time, and the map over three blocks: each change is the scheme patched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import perfmethod as pm
from perfmethod import sensitivity as se
from perfmethod.errors import PerfmethodError, SchemeError
from tests.small_year import write_small_year


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    folder = write_small_year(tmp_path_factory.mktemp("year"))
    return pm.Year.load(folder)


def patched(year: pm.Year, changes: dict[str, Any]) -> pm.Evaluation:
    return pm.evaluate(year.with_scheme(year.scheme.patch(changes)))


def check(year: pm.Year, row: Any, ranks: Any, changes: dict[str, Any]) -> None:
    """One row of a result against the year patched and evaluated."""
    before, after = pm.evaluate(year).scores, patched(year, changes).scores
    shift = (after["rank"] - before["rank"]).to_numpy()
    mine = ranks[(ranks["label"] == row.label) & (ranks["side"] == row.side)]
    assert mine["rank"].tolist() == after["rank"].tolist()
    assert mine["nominal"].tolist() == before["rank"].tolist()
    assert mine["shift"].tolist() == shift.tolist()
    assert row.mean_shift == pytest.approx(np.abs(shift).mean())
    assert abs(row.largest_shift) == np.abs(shift).max()
    best = [set(s.loc[s["grade"] == "excellent", "name"]) for s in (before, after)]
    assert set(filter(None, row.into.split(";"))) == best[1] - best[0]
    assert set(filter(None, row.out_of.split(";"))) == best[0] - best[1]
    assert row.changed == len(best[0] ^ best[1])


def test_low_and_high_values_are_the_scheme_patched(year: pm.Year) -> None:
    found = se.tornado(year, "classes.*.nodes.*.weight", "adjustments.bonus_cap", by=60)
    assert len(found.table) == 30
    for row in found.table.itertuples():
        nominal = float(year.scheme.number(row.label))
        assert row.value == pytest.approx(nominal * {"low": 0.4, "high": 1.6}[row.side])
        check(year, row, found.ranks, {row.label: row.value})
    assert (found.table["mean_shift"] > 0).any()
    frame = found.to_frame()
    most = frame.groupby("label", sort=False)["mean_shift"].max()
    assert most.is_monotonic_decreasing
    assert f"{len(frame)} changes" in repr(found)


def test_bounds_stand_in_for_percent(year: pm.Year) -> None:
    found = se.tornado(year, bounds={"P001": (0.5, 8.0)})
    assert found.table["value"].tolist() == [0.5 * 2, 0.5 * 2] or found.table["value"].notna().all()
    path = "indicators.P001.weight"
    exact = se.tornado(year, bounds={path: (0.5, 8.0)})
    assert exact.table["value"].tolist() == [0.5, 8.0]
    for row in exact.table.itertuples():
        check(year, row, exact.ranks, {path: row.value})


def test_removals_are_weights_of_zero(year: pm.Year) -> None:
    found = se.removal(year)
    assert len(found.table) == 14 + 5
    ranks = found.ranks.set_index(["label", "unit_id"])["rank"]
    alone = ranks["indicators.D001.weight"]  # the only child: a scheme may not be written so
    assert alone.equals(ranks["classes.municipal_department.nodes.statutory_duty.weight"])
    for row in found.table.itertuples():
        assert row.value == 0
        assert row.failed == ""
        if row.label != "indicators.D001.weight":
            check(year, row, found.ranks, {row.label: 0})
    one = se.removal(year, "municipal_department.internal")
    assert one.table["label"].tolist() == ["classes.municipal_department.nodes.internal.weight"]
    assert one.table["name"].tolist() == ["内部评估(市直部门)"]


def test_a_removal_that_cannot_be_scored_says_why() -> None:
    scheme = pm.Scheme.loads(
        'format = 1\nclasses.city = {}\nindicators.a = { rule = { method = "identity" } }\n'
        'indicators.b = { rule = { method = "identity" } }'
    )
    import pandas as pd

    frame = pd.DataFrame({"unit_id": ["x", "y"], "a": [50.0, 60.0], "b": [40.0, np.nan]})
    found = se.removal(pm.Year.from_frames(scheme, actuals=frame))
    assert found.table["failed"].tolist() == ["no score for y", ""]
    assert np.isnan(found.table["mean_shift"][0])


def test_categories_of_raters_are_left_out_in_turn(year: pm.Year) -> None:
    found = se.rater_influence(year)
    labels = ["survey.categories.R01", "survey.categories.R02", "internal.categories.I01",
              "internal.categories.I02"]  # fmt: skip
    assert found.table["label"].tolist() == labels
    assert found.table["name"].tolist() == ["人大代表", "群众", "互评", "领导"]
    for row in found.table.itertuples():
        at = f"{row.label}.weight"
        given = [p for p in year.scheme.numbers if p == at or p.startswith(f"{at}.")]
        check(year, row, found.ranks, dict.fromkeys(given, 0))


def test_the_real_year_can_be_taken_apart() -> None:
    folder = Path(__file__).resolve().parents[1] / "data" / "2009"
    year = pm.Year.load(folder)
    found = se.removal(year)
    assert len(found.table) == 258
    assert set(found.table["failed"]) == {""}
    most = found.to_frame().iloc[0]
    check(year, most, found.ranks, {most["label"]: 0, "weights_sum": None})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda y: se.tornado(y, "indicatr"), "did you mean 'indicator'"),
        (lambda y: se.tornado(y, "missing_task"), "a number other than 0"),
        (lambda y: se.tornado(y, "grades.floor"), "bounds for it"),
        (lambda y: se.removal(y, "base"), "weights"),
        (lambda y: se.block_map(y, "municipal"), "municipal_department"),
    ],
)
def test_names_that_are_not_there_are_refused(year: pm.Year, call: Any, message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        call(year)


def test_a_map_needs_three_children_and_grades(year: pm.Year) -> None:
    with pytest.raises(PerfmethodError, match="2 children"):
        se.block_map(year, "municipal_department.indicator")
    with pytest.raises(PerfmethodError, match="one of them"):
        se.block_map(year, "indicator")
    with pytest.raises(PerfmethodError, match="steps=0"):
        se.block_map(year, "municipal_department", steps=0)
    bare = year.scheme.patch({"grades": None, "vetoes": None, "results": None})
    with pytest.raises(PerfmethodError, match="no grades"):
        se.block_map(year.replace(vetoes=None).with_scheme(bare), "municipal_department")


def test_every_point_of_the_map_is_the_scheme_patched(year: pm.Year) -> None:
    found = se.block_map(year, "municipal_department", steps=4)
    assert found.children == ("指标考核", "公众评议", "内部评估")
    assert found.nominal == (0.6, 0.3, 0.1)
    assert len(found.table) == 15
    at = "classes.municipal_department.nodes.{}.weight"
    own = pm.evaluate(year).scores
    names = set(
        own.loc[(own["grade"] == "excellent") & (own["class"] == "municipal_department"), "name"]
    )
    for row in found.table.itertuples():
        assert row.a + row.b + row.c == pytest.approx(1)
        if row.failed:
            continue
        shares = {"indicator": row.a, "public_review": row.b, "internal": row.c}
        changes = {at.format(n): 100 * x for n, x in shares.items()}
        scores = patched(year, changes).scores
        mine = scores[
            (scores["grade"] == "excellent") & (scores["class"] == "municipal_department")
        ]
        assert set(filter(None, row.holders.split(";"))) == set(mine["name"])
        assert row.changed == len(set(mine["name"]) ^ names)
        told = {f"+{n}" for n in set(mine["name"]) - names} | {
            f"−{n}" for n in names - set(mine["name"])
        }
        assert set(row.change.split()) == told
    assert "lists" in repr(found)
