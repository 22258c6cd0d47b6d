"""The year 2009 meets the facts that its office published, F1 to F46.

Every test reads ``data/2009`` as a stranger would, with nothing but the standard library, except
F20, whose counts must be the outcome of the rules.

Not checkable by data: F39 beyond its dates (the two misprints of the account are named in the
codebook).
"""

from __future__ import annotations

import csv
import gzip
import io
import tomllib
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
YEAR = ROOT / "data" / "2009"
Rows = list[dict[str, str]]

COUNTY, DEPARTMENT = "county_government", "municipal_department"
COUNTY_DIMENSIONS = ["econ_social", "livelihood", "conduct", "habitat", "business_env"]
DEPARTMENT_DIMENSIONS = ["duty", "efficiency", "behavior", "self_build"]


@cache
def rows(name: str) -> Rows:
    path = YEAR / f"{name}.csv"
    raw = (
        path.read_bytes()
        if path.exists()
        else gzip.decompress((YEAR / f"{name}.csv.gz").read_bytes())
    )
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8"))))


@cache
def scheme() -> dict[str, Any]:
    return tomllib.loads((YEAR / "scheme.toml").read_text(encoding="utf-8"))


def nodes(cls: str) -> dict[str, Any]:
    return scheme()["classes"][cls]["nodes"]


def children(cls: str, parent: str | None) -> list[str]:
    return [n for n, node in nodes(cls).items() if node.get("parent") == parent]


def register(kind: str) -> Rows:
    return [r for r in rows("register") if r["kind"] == kind]


def listed(kind: str) -> list[str]:
    return [r["id"] for r in register(kind)]


def main() -> Rows:
    """The 135 indicators of province and city."""
    return [r for r in rows("indicators") if r["source"] in ("provincial", "municipal")]


def departments() -> set[str]:
    return {u["unit_id"] for u in rows("units") if u["class"] == DEPARTMENT}


def tasks_where(keep: Callable[[dict[str, str]], bool]) -> Rows:
    return [t for t in rows("tasks") if keep(t)]


def met(task: dict[str, str]) -> bool:
    """Whether a task reached its target; a rule about an interval states it in the scheme."""
    if task["target"] == "A":
        return task["actual"] == "A"
    value = float(task["actual"])
    if not task["target"]:
        rule = scheme()["indicators"][task["indicator_id"]]["rule"]
        return rule["lower"] <= value <= rule["upper"]
    negative = scheme()["indicators"][task["indicator_id"]].get("direction") == "negative"
    return value <= float(task["target"]) if negative else value >= float(task["target"])


@pytest.mark.parametrize("cls", [COUNTY, DEPARTMENT])
@pytest.mark.parametrize(
    ("fact", "block", "weight"),
    [("F1", "indicator", 60), ("F2", "public_review", 30), ("F3", "internal", 10)],
)
def test_F1_F2_F3_block_weights(fact: str, block: str, weight: int, cls: str) -> None:
    assert sum(nodes(cls)[b]["weight"] for b in children(cls, None)) == 100, fact
    assert nodes(cls)[block]["weight"] == weight


def test_F4_caps_on_each_side() -> None:
    adjustments = scheme()["adjustments"]
    assert (adjustments["bonus_cap"], adjustments["deduction_cap"]) == (50, 50)


def test_F5_three_segments() -> None:
    assert listed("segment") == ["indicator", "social_review", "adjustment_veto"]
    assert children(COUNTY, None) == ["indicator", "public_review", "internal"]


def test_F6_vetoes_exist() -> None:
    assert scheme()["vetoes"]
    assert {e["veto"] for e in rows("vetoes")} <= set(scheme()["vetoes"])
    assert "confirmed" in {e["status"] for e in rows("vetoes")}


def test_F7_county_aspects() -> None:
    expected = ["key_work", "livelihood", "economic", "social", "common"]
    assert children(COUNTY, "indicator") == expected
    assert "民生建设" in nodes(COUNTY)["livelihood"]["name"]["zh"]


def test_F8_department_aspects() -> None:
    expected = ["key_work", "livelihood", "statutory_duty", "spot_check", "common"]
    assert children(DEPARTMENT, "indicator") == expected
    assert nodes(DEPARTMENT)["livelihood"]["name"]["zh"] == "为民办实事"


@pytest.mark.parametrize(
    ("fact", "cls", "dimensions"),
    [("F9", COUNTY, COUNTY_DIMENSIONS), ("F10", DEPARTMENT, DEPARTMENT_DIMENSIONS)],
)
def test_F9_F10_survey_dimensions(fact: str, cls: str, dimensions: list[str]) -> None:
    leaves = [nodes(cls)[n]["survey"] for n in children(cls, "public_review")]
    assert leaves == dimensions, fact
    for ballot in rows("ballots"):
        if (ballot["unit_id"][0] == "C") == (cls == COUNTY):
            assert all(ballot[d] for d in dimensions)
            assert not any(ballot[d] for d in COUNTY_DIMENSIONS + DEPARTMENT_DIMENSIONS
                           if d not in dimensions)  # fmt: skip


def test_F11_indicators_71_and_64() -> None:
    assert Counter(r["source"] for r in main()) == {"provincial": 71, "municipal": 64}
    assert {r["indicator_id"] for r in main()} <= set(scheme()["indicators"])


def test_F12_government_work_report_behind_the_64() -> None:
    documents = {r["id"]: r for r in register("document")}
    municipal = [r for r in main() if r["source"] == "municipal"]
    assert {documents[r["source_document"]]["name_zh"] for r in municipal} == {"市政府工作报告"}


@pytest.mark.parametrize("role", ["statutory_duty", "spot_check"])
def test_F13_every_department_has_its_own_tasks(role: str) -> None:
    carriers = {t["unit_id"] for t in tasks_where(lambda t: t["role"] == role)}
    assert carriers == departments()
    assert not {t["indicator_id"] for t in tasks_where(lambda t: t["role"] == role)} & {
        r["indicator_id"] for r in main()
    }


def test_F14_two_kinds_that_all_end_as_numbers() -> None:
    assert {r["kind"] for r in main()} == {"quantitative", "qualitative"}
    for task in rows("tasks"):
        rule = scheme()["indicators"][task["indicator_id"]]["rule"]
        if rule["method"] == "levels":
            assert task["actual"] in "ABCD"
            assert len(rule["scores"]) == 4
        else:
            float(task["actual"])


def test_F15_49_units() -> None:
    assert Counter(u["class"] for u in rows("units")) == {COUNTY: 4, DEPARTMENT: 45}


def test_F16_every_indicator_has_units_and_every_department_carries_some() -> None:
    of_main = {r["indicator_id"] for r in main()}
    assert {t["indicator_id"] for t in rows("tasks")} >= of_main
    carried = tasks_where(lambda t: t["indicator_id"] in of_main)
    assert {t["unit_id"] for t in carried} == {u["unit_id"] for u in rows("units")}
    leaders = {r["lead_unit_id"] for r in main()}
    assert departments() <= leaders
    assert all(t["leader_role"] and t["office"] and t["person_role"] for t in rows("tasks"))


def test_F17_departments_in_groups_of_vice_mayors() -> None:
    groups = {g["group"]: g for g in rows("groups")}
    for unit in rows("units"):
        assert groups[unit["group"]]["class"] == unit["class"]
        if unit["class"] == DEPARTMENT:
            assert "副市长" in groups[unit["group"]]["leader_role_zh"]
    assert scheme()["grades"]["pool"] == "group"


def test_F18_statutory_duties_rated_by_groups() -> None:
    assert nodes(DEPARTMENT)["statutory_duty"]["assessed_by"]["zh"] == "分管副市长分组考评"


def test_F19_each_segment_has_an_organ() -> None:
    blocks = {b for o in rows("organs") for b in o["block"].split(";") if b}
    assert {"indicator", "public_review", "adjustment", "veto"} <= blocks


def test_F20_13_excellent_and_36_qualified_by_the_rules() -> None:
    pm = pytest.importorskip("perfmethod")
    scores = pm.evaluate(pm.Year.load(YEAR)).scores
    assert Counter(scores["grade"]) == {"excellent": 13, "qualified": 36}


def test_F20_a_veto_keeps_a_unit_from_a_place_it_would_have() -> None:
    pm = pytest.importorskip("perfmethod")
    year = pm.Year.load(YEAR)
    with_veto = pm.evaluate(year).scores
    members = with_veto[with_veto["group"] == "G4"].sort_values("total", ascending=False)
    assert "D27" in members.index[: (members["grade"] == "excellent").sum()]
    assert members.loc["D27", "grade"] == "qualified"
    confirmed = [e["unit_id"] for e in rows("vetoes") if e["status"] == "confirmed"]
    assert confirmed == ["D27"]


def test_F21_at_least_four_modes() -> None:
    modes = {b["mode"] for b in rows("ballots")}
    assert modes >= {"separate_fill", "central_session", "online", "field_survey"}
    assert modes == set(scheme()["survey"]["modes"])


def test_F22_more_than_ten_categories() -> None:
    used = {b["category"] for b in rows("ballots")}
    assert 11 <= len(used) <= 19
    assert used == set(scheme()["survey"]["categories"])
    names = {c["name"]["zh"] for c in scheme()["survey"]["categories"].values()}
    assert names >= {
        "市人大代表", "区县人大代表", "市政协委员", "区县政协委员", "企业负责人", "事业单位负责人",
        "市民", "网民",
    }  # fmt: skip


def test_F23_ballots_total() -> None:
    assert len(rows("ballots")) == 40_000
    assert len({b["ballot_id"] for b in rows("ballots")}) == 40_000


def test_F24_more_than_800_ballots_a_unit_on_average() -> None:
    per_unit = Counter(b["unit_id"] for b in rows("ballots"))
    assert len(per_unit) == 49
    assert 800 < sum(per_unit.values()) / 49 < 900


def test_F25_committee_of_roles() -> None:
    seats = [o for o in rows("organs") if o["part_of"] == "O01"]
    assert Counter(s["role"] for s in seats) == {"chair": 1, "deputy_chair": 2, "member": 4}
    assert "市长" in next(s["name_zh"] for s in seats if s["role"] == "chair")


def test_F26_office_and_a_liaison_in_every_unit() -> None:
    assert [o["name_zh"] for o in rows("organs") if o["role"] == "office"]
    assert all(u["leader_role_zh"] and u["liaison_role_zh"] for u in rows("units"))


def test_F27_every_indicator_has_a_collector() -> None:
    known = {u["unit_id"] for u in rows("units")} | {o["organ_id"] for o in rows("organs")}
    assert all(r["collector_id"] in known for r in rows("indicators"))


def test_F28_the_statistics_bureau_certifies_and_only_certified_data_score() -> None:
    bureau = next(u["unit_id"] for u in rows("units") if u["name_zh"] == "市统计局")
    figures = [r for r in main() if r["kind"] == "quantitative"]
    assert {r["certifier_id"] for r in figures} == {bureau}
    assert scheme()["certification"]["scoring"] == ["certified", "corrected", "late"]
    assert Counter(t["status"] for t in rows("tasks")).keys() == {
        "certified", "corrected", "late", "disputed",
    }  # fmt: skip


def test_F29_four_duties_of_owners() -> None:
    assert listed("owner_duty") == ["inspect", "guide", "feedback", "assess"]


def test_F30_documents() -> None:
    documents = register("document")
    assert sum("of 8" in d["note"] for d in documents) == 8
    names = " ".join(d["name_zh"] for d in documents)
    for part in ("区县政府", "市直单位", "职责分工", "结果运用", "信息工作", "实施方案"):
        assert part in names


def test_F31_supervision_kinds_and_tools() -> None:
    assert len(listed("supervision_kind")) == 6
    assert listed("supervision_tool") == ["meeting", "letter", "talk"]


@pytest.mark.parametrize(
    ("event", "number"),
    [("meeting", 3), ("inspection_full", 2), ("inspection_special", 1), ("circular", 4)],
)
def test_F32_counts_in_the_timeline(event: str, number: int) -> None:
    assert sum(r["event"] == event for r in rows("timeline")) == number


def test_F32_special_inspection_of_the_two_through_projects() -> None:
    special = [r for r in rows("timeline") if r["event"] == "inspection_special"]
    assert "两通" in special[0]["name_zh"]
    assert [r["indicator_id"] for r in main() if r["tag"] == "two_through"] == ["P002", "M005"]


def test_F33_four_stages() -> None:
    assert listed("supervision_stage") == ["inspect", "analyze", "circulate", "improve"]


def test_F34_year_end_assessment() -> None:
    start = next(r["date"] for r in rows("timeline") if r["event"] == "year_end")
    assert "2009-12-01" <= start <= "2009-12-10"
    meetings = [r["date"] for r in rows("timeline") if r["event"] == "year_end_meeting"]
    assert 20 < len(meetings) < 30
    assert min(meetings) >= start
    assert listed("year_end_method") == ["hear", "read", "visit"]


def test_F35_workflow() -> None:
    assert listed("workflow") == ["assessed", "combined", "approved", "published"]
    dates = {r["event"]: r["date"] for r in rows("timeline")}
    assert dates["year_end"] < dates["approval"] < dates["publication"]


def test_F36_method_process_and_result_are_public() -> None:
    assert listed("publication") == ["method", "process", "result"]


def test_F37_channels() -> None:
    names = {r["name_zh"] for r in register("channel")}
    assert names == {"绩效评估网", "网上绩效信息报送系统", "简报", "日报", "公众信息网", "电视台"}


def test_F38_four_links_of_the_result() -> None:
    links = scheme()["results"]
    assert list(links) == ["civil_servant_quota", "leader_awards", "unit_bonus", "cadre_use"]
    assert all(
        set(link["by_grade"]) == set(scheme()["grades"]["levels"]) for link in links.values()
    )


def test_F39_dates_and_misprints() -> None:
    dates = {r["event"]: r["date"] for r in rows("timeline")}
    assert (dates["launch"], dates["publication"]) == ("2009-07", "2010-04-08")
    codebook = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert "20097月" in codebook
    assert "前移5:" in codebook


@pytest.mark.parametrize(
    ("indicator", "value", "growth", "previous"),
    [
        pytest.param("P033", 13517, 12.9, 11972.5, id="F40"),
        pytest.param("P034", 16.3, 22.79, 13.27, id="F41"),
        pytest.param("P035", 112.35, 51.9, 73.96, id="F42"),
        pytest.param("M007", 100.2, 20, 83.5, id="F43"),
    ],
)
def test_F40_to_F43_city_results(
    indicator: str, value: float, growth: float, previous: float
) -> None:
    row = next(r for r in main() if r["indicator_id"] == indicator)
    assert float(row["context_actual"]) == value
    assert float(row["context_growth_pct"]) == growth
    assert float(row["context_previous"]) == pytest.approx(previous, abs=0.05)
    assert value / (1 + growth / 100) == pytest.approx(previous, abs=0.05)
    city = tasks_where(
        lambda t: (
            t["indicator_id"] == indicator and t["role"] in ("lead_department", "co_department")
        )
    )
    assert {float(t["actual"]) for t in city} == {value}
    assert any(t["role"] == "lead_department" for t in city)


def test_F44_practical_matters_all_completed() -> None:
    practical = {r["indicator_id"]: r["source"] for r in main() if r["practical_matter"] == "yes"}
    assert Counter(practical.values()) == {"provincial": 32, "municipal": 6}
    assert all(met(t) for t in tasks_where(lambda t: t["indicator_id"] in practical))


def test_F45_some_targets_missed_most_met() -> None:
    of_main = {r["indicator_id"] for r in main()}
    done = [met(t) for t in tasks_where(lambda t: t["indicator_id"] in of_main)]
    assert 0.85 <= sum(done) / len(done) <= 0.95


def test_F46_the_honor_of_the_city_is_no_unit_s_bonus() -> None:
    assert "长安杯" in [r["name_zh"] for r in register("honor")]
    assert "长安杯" not in (YEAR / "adjustments.csv").read_text(encoding="utf-8")
    assert "B01" in scheme()["adjustments"]["items"]
    assert "B01" not in {e["item"] for e in rows("adjustments")}  # no central commendation at all
