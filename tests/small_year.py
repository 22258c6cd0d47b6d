"""A small year with every kind of table: 2 county governments, 3 departments in 2 groups.

``write_small_year(folder)`` writes it as a year folder; ``SMALL_SCHEME`` is its scheme.toml and
``SMALL_TABLES`` its tables, so that a test can break one cell and see what is said about it.
"""

from __future__ import annotations

import itertools
from pathlib import Path

SMALL_SCHEME = """\
format = 1
name = { zh = "小城2009年度政府绩效评估", en = "A small city, 2009" }
year = 2009
base = 1000
display_decimals = 2
missing_task = "redistribute"
missing_value = "redistribute"

[classes.county_government]
name = { zh = "区县政府", en = "County governments" }
[classes.county_government.nodes]
indicator = { name = { zh = "指标考核", en = "Indicator assessment" }, weight = 60 }
public_review = { name = { zh = "公众评议", en = "Public review" }, weight = 30 }
internal = { name = { zh = "内部评估", en = "Internal assessment" }, weight = 10, internal = true }
livelihood = { name = { zh = "民生建设", en = "Livelihood" }, parent = "indicator", weight = 60 }
economic = { name = { zh = "经济发展", en = "Economy" }, parent = "indicator", weight = 40 }
review_livelihood = { name = { zh = "民生", en = "Livelihood" }, parent = "public_review", weight = 50, survey = "livelihood" }
review_conduct = { name = { zh = "政风", en = "Conduct" }, parent = "public_review", weight = 50, survey = "conduct" }

[classes.municipal_department]
name = { zh = "市直部门", en = "Municipal departments" }
[classes.municipal_department.nodes]
indicator = { name = { zh = "指标考核", en = "Indicator assessment" }, weight = 60 }
public_review = { name = { zh = "公众评议", en = "Public review" }, weight = 30 }
internal = { name = { zh = "内部评估", en = "Internal assessment" }, weight = 10, internal = true }
key_work = { name = { zh = "重点工作", en = "Key work" }, parent = "indicator", weight = 50 }
statutory_duty = { name = { zh = "法定职责", en = "Statutory duty" }, parent = "indicator", weight = 50 }
review_efficiency = { name = { zh = "效率", en = "Efficiency" }, parent = "public_review", weight = 60, survey = "efficiency" }
review_conduct = { name = { zh = "行风", en = "Conduct" }, parent = "public_review", weight = 40, survey = "conduct" }

[indicators]
P001 = { name = { zh = "改造公路", en = "Roads rebuilt" }, parent = { county_government = "livelihood", municipal_department = "key_work" }, weight = 2, rule = { method = "completion_ratio", cap = 1.1 } }
P002 = { name = { zh = "财政收入", en = "Revenue" }, parent = "economic", weight = 1, rule = { method = "completion_ratio" } }
P003 = { name = { zh = "安全事故", en = "Accidents" }, parent = { county_government = "livelihood", municipal_department = "key_work" }, weight = 1, direction = "negative", rule = { method = "ceiling" } }
P004 = { name = { zh = "人均道路", en = "Roads per head" }, parent = "economic", weight = 1, per = "population", rule = { method = "completion_ratio" } }
D001 = { name = { zh = "依法行政", en = "Lawful administration" }, parent = "statutory_duty", weight = 1, missing = "class_mean", rule = { method = "levels", names = ["A", "B", "C", "D"], scores = [100, 80, 60, 40] } }

[certification]
scoring = ["certified", "corrected", "late"]
otherwise = "missing"

[survey]
combine_modes = "ballots"
min_cell = 2
[survey.options.1]
name = { zh = "满意", en = "satisfied" }
score = 100
[survey.options.2]
name = { zh = "基本满意", en = "basically satisfied" }
score = 75
[survey.options.3]
name = { zh = "不满意", en = "dissatisfied" }
score = 30
[survey.options.9]
name = { zh = "不了解", en = "don't know" }
[survey.categories.R01]
name = { zh = "人大代表", en = "Deputies" }
weight = 1
[survey.categories.R02]
name = { zh = "群众", en = "Residents" }
weight = { county_government = 2, municipal_department = 1 }
[survey.modes.online]
name = { zh = "网上", en = "Online" }
weight = 1
[survey.modes.session]
name = { zh = "集中", en = "In a session" }
weight = 1
[internal.categories.I01]
name = { zh = "互评", en = "Peers" }
weight = 1
[internal.categories.I02]
name = { zh = "领导", en = "Leaders" }
weight = 2

[adjustments]
bonus_cap = 50
deduction_cap = 50
[adjustments.items.B01]
kind = "bonus"
name = { zh = "表彰", en = "Commended" }
points = 10
cap = 20
[adjustments.items.B02]
kind = "bonus"
name = { zh = "部门表彰", en = "Commended department" }
points = 5
cap = 10
classes = ["municipal_department"]
[adjustments.items.K01]
kind = "deduction"
name = { zh = "通报批评", en = "Criticized" }
points = 5
cap = 20

[vetoes.V01]
name = { zh = "安全生产", en = "Work safety" }
effect = "cap"
grade = "qualified"
[vetoes.V02]
name = { zh = "计划生育", en = "Family planning" }
effect = "bar"

[grades]
rule = "quota"
pool = "group"
method = "hamilton"
claims = "before_vetoes"
floor = 0
vetoed_place = "next"
ties = ["indicator", "public_review"]
edge_tie = "none_in"
[grades.levels.excellent]
name = { zh = "优秀", en = "Excellent" }
places = 3
[grades.levels.qualified]
name = { zh = "合格", en = "Qualified" }
[grades.levels.unqualified]
name = { zh = "不合格", en = "Unqualified" }

[supervision.paths]
linear = [25, 50, 75, 100]
back = [8, 30, 62, 100]
[supervision.status]
warning = 0.9
alarm = 0.7

[results.civil_servant_quota]
name = { zh = "公务员优秀比例", en = "Share of excellent civil servants" }
unit = "%"
by_grade = { excellent = 20, qualified = 15, unqualified = 10 }
"""  # noqa: E501 - one line an indicator, as in every scheme


def _ballots() -> str:
    """Give two ballots of each rater category for each unit, with every option used."""
    dims = {"C": ("livelihood", "conduct"), "D": ("conduct", "efficiency")}
    columns = ("livelihood", "conduct", "efficiency")
    codes = itertools.cycle((1, 2, 1, 3, 2, 9, 1))
    lines = ["ballot_id,unit_id,rater_id,category,mode,batch," + ",".join(columns)]
    for i, (unit, category, k) in enumerate(
        itertools.product(("C01", "C02", "D01", "D02", "D03"), ("R01", "R02"), (1, 2)), start=1
    ):
        mode = "session" if category == "R01" else "online"
        batch = "S1" if category == "R01" else f"2009-12-0{k}T10:00"
        cells = [str(next(codes)) if c in dims[unit[0]] else "" for c in columns]
        lines.append(f"B{i:03d},{unit},{category}-{k},{category},{mode},{batch}," + ",".join(cells))
    return "\n".join(lines) + "\n"


SMALL_TABLES: dict[str, str] = {
    "units.csv": """\
unit_id,class,group,name_zh,name_en,staff,population
C01,county_government,G0,甲县人民政府,Jia County,900,45.5
C02,county_government,G0,乙县人民政府,Yi County,800,30
D01,municipal_department,G1,市发改委,Development and Reform,80,
D02,municipal_department,G1,市财政局,Finance,70,
D03,municipal_department,G2,市教育局,Education,60,
""",
    "groups.csv": """\
group,name_zh,name_en,class
G0,区县政府类,County governments,county_government
G1,常务副市长组,Executive vice-mayor,municipal_department
G2,教育副市长组,Education vice-mayor,municipal_department
""",
    "indicators.csv": """\
indicator_id,source,kind,uom_zh,uom_en,practical_matter,lead_unit_id,co_unit_ids,path
P001,provincial,quantitative,公里,km,yes,D01,D02;D03,back
P002,municipal,quantitative,万元,10k yuan,no,D02,,linear
P003,municipal,quantitative,起,cases,no,D01,,
P004,municipal,quantitative,公里/万人,km per 10k,no,D01,,linear
D001,statutory,qualitative,等级,level,no,,,
""",
    "tasks.csv": """\
unit_id,indicator_id,actual,target,weight,role,status,q1,q2,q3,q4
C01,P001,46.5,45,1,county_implementer,certified,4,15,30,46.5
C01,P002,1200,1250,1,lead,certified,300,600,900,1200
C01,P003,2,3,1,lead,certified,0,1,1,2
C01,P004,91,2,1,lead,late,,,,
C02,P001,30,36,1,county_implementer,corrected,2,10,20,30
C02,P002,800,750,1,lead,certified,200,400,600,800
C02,P003,4,3,1,lead,certified,1,2,3,4
C02,P004,45,2,1,lead,certified,,,,
D01,P001,46.5,45,2,lead,certified,4,15,30,46.5
D01,D001,A,,1,,certified,,,,
D02,P001,30,36,1,co,certified,2,10,20,30
D02,D001,B,A,1,,certified,,,,
D03,P003,1,1,1,lead,certified,0,0,1,1
D03,D001,C,,1,,uncertified,,,,
""",
    "adjustments.csv": """\
event_id,unit_id,item,points,status,quarter
E001,C01,B01,10,confirmed,2009Q2
E002,D01,B02,5,confirmed,2009Q3
E003,D02,K01,5,confirmed,2009Q4
E004,D03,B01,10,rejected,2009Q4
""",
    "vetoes.csv": """\
event_id,unit_id,veto,status
W001,D01,V01,confirmed
W002,C02,V02,withdrawn
""",
    "internal.csv": """\
unit_id,category,score,ratings
C01,I01,88.5,12
C01,I02,90,3
C02,I01,80,12
C02,I02,85,3
D01,I01,91,20
D01,I02,92.25,3
D02,I01,85,20
D02,I02,87,3
D03,I01,78,20
D03,I02,81,3
""",
    "ballots.csv": _ballots(),
    "organs.csv": "organ_id,name_zh,name_en\nO01,绩效办,Evaluation office\n",
    "timeline.csv": "date,event,name_zh\n2009-07,launch,启动\n",
}


def write_small_year(folder: Path) -> Path:
    """Write the small year into `folder` (made when missing) and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scheme.toml").write_text(SMALL_SCHEME, encoding="utf-8")
    for name, text in SMALL_TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
