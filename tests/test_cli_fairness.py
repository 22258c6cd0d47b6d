"""``perfmethod fairness``: what it says, what it writes, and its exit codes."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import fairness, places, ranking, stringency
from perfmethod.cli import _fairness_files
from tests.small_year import write_small_year
from tests.test_cli import FLAT_SCHEME, run

DRAWS = ("--draws", 200)
ALWAYS = {
    "meta.json",
    *("parity.csv", "parity_tests.csv", "exact_test_group.png", "exact_test_portfolio.png"),
    *("portfolio.csv", "portfolio.png", "missing_rules.csv", "totals_by_group.png"),
    *("rank_sets.csv", "rank_sets.png", "posterior.csv", "joint_ranks.csv"),
    *("linking.csv", "linking.png", "rules.csv", "rule_rates.csv", "rule_rates.png"),
    *("rule_changes.csv", "rule_changes.png", "tradeoff.png"),
}
ENOUGH = {  # units in each group
    *("gaps.csv", "gap_parts.csv", "gaps_group.png", "gaps_portfolio.png", "spread.csv"),
    *("stringency.csv", "stringency_tests.csv", "stringency_variance.csv", "stringency.png"),
    *("connectivity.csv", "delta_sweep.csv", "delta_sweep_group.png", "delta_sweep_class.png"),
    *("methods.csv", "anchor_check.csv"),
}
CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{4,}")


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years") / "year"
    pm.synthesize(folder, units=12, ballots=1500, groups=2)
    return folder


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years") / "flat"
    folder.mkdir()
    (folder / "scheme.toml").write_text(FLAT_SCHEME, encoding="utf-8")
    rows = "".join(f"U{i},{7 * i % 13},{5 * i % 11}\n" for i in range(12))
    (folder / "actuals.csv").write_text("unit_id,x1,x2\n" + rows, encoding="utf-8")
    units = "unit_id\n" + "".join(f"U{i}\n" for i in range(12))
    (folder / "units.csv").write_text(units, encoding="utf-8")
    return folder


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts of the figures, which are drawn and not saved."""
    texts: list[str] = []

    def writer(plot: Callable[[], Any]) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            from matplotlib.text import Text

            figure = plot().get_figure(root=True)
            texts.extend(t.get_text() for t in figure.findobj(Text))
            path.write_bytes(b"")

        return write

    monkeypatch.setattr(_fairness_files, "_figure", writer)
    return texts


def test_tables_hold_what_the_package_finds(year: Path, tmp_path: Path, drawn, capsys):
    out = tmp_path / "deep" / "out"
    assert run("fairness", year, "--out", out, "--seed", 5, *DRAWS) == 0
    assert {file.name for file in out.iterdir()} == ALWAYS | ENOUGH
    ev = pm.evaluate(pm.Year.load(year))
    parity = fairness.grade_parity(ev, ["group", "portfolio"])
    written = pd.read_csv(out / "parity.csv")
    mine = written[written["inside"].isna()]
    assert mine["p_more"].tolist() == parity.groups["p_more"].tolist()  # to the last bit
    assert set(written["inside"].dropna()) == {"group"}
    gaps = fairness.group_gaps(ev, "portfolio", draws=200, seed=5).to_frame()
    table = pd.read_csv(out / "gaps.csv").query("attribute == 'portfolio'")
    assert table["unexplained_p"].tolist() == gaps["unexplained_p"].tolist()
    strict = stringency.stringency(ev, draws=200, seed=5)
    table = pd.read_csv(out / "stringency.csv", index_col="group")
    assert table["effect"].tolist() == strict.groups["effect"].tolist()
    sweep = pd.read_csv(out / "delta_sweep.csv")
    assert set(sweep["pool"]) == {"group", "class"}
    sets = ranking.place_sets(ev, seed=5)
    table = pd.read_csv(out / "rank_sets.csv", index_col="unit_id")
    assert table["status"].tolist() == sets.to_frame()["status"].tolist()
    rules = places.compare_rules(ev, draws=40, seed=5)
    table = pd.read_csv(out / "rules.csv", index_col="rule")
    assert table["expected_wrong"].tolist() == rules.table["expected_wrong"].tolist()
    assert table.at["hybrid", "text_zh"] == rules.rules["hybrid"].text["zh"]
    assert len(pd.read_csv(out / "rule_changes.csv")) == len(rules.changes)
    said = capsys.readouterr().out
    for text in (*parity.words("en"), *strict.words("en"), *sets.words("en"),
                 *fairness.portfolio(ev, draws=200, seed=5).words("en")):  # fmt: skip
        assert text in said
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["seed"] == 5
    assert meta["panel_anchors"] == ["common", "public_review"]
    assert not any(CHINESE.search(text) for text in drawn)
    assert not CHINESE.search(said)


def test_no_evidence_is_never_said_to_be_no_gap(year: Path, capsys):
    """Each sentence without evidence carries what it does not show, in both languages."""
    english = ("no evidence", "No evidence", "None of 13 anchors")
    for lang, none, not_none in (
        ("en", english, ("is not evidence", "does not show")),
        ("zh", ("没有发现",), ("不等于证明", "不等于没有")),
    ):  # fmt: skip
        assert run("fairness", year, "--lang", lang, *DRAWS) == 0
        lines = capsys.readouterr().out.splitlines()
        told = [line for line in lines if any(word in line for word in none)]
        assert len(told) >= 7
        assert [t for t in told if not any(word in t for word in not_none)] == []


def test_all_is_chinese(year: Path, tmp_path: Path, drawn, capsys):
    assert run("fairness", year, "--lang", "zh", "--out", tmp_path / "out", *DRAWS) == 0
    said = capsys.readouterr().out.replace(str(tmp_path), "").replace("Holm", "")
    assert not ENGLISH.search(said.replace("/out", ""))
    assert len(drawn) > 300
    assert [text for text in drawn if ENGLISH.search(text.replace("Holm", ""))] == []


def test_the_same_seed_writes_the_same_bytes(year: Path, tmp_path: Path):
    only = ("--by", "subclass_en", "--anchors", "public_review", "--panel", "statutory_duty")
    for name in ("one", "two"):
        assert run("fairness", year, *only, "--out", tmp_path / name, "--seed", 3, *DRAWS) == 0
    names = {file.name for file in (tmp_path / "one").iterdir()}
    assert names >= {"exact_test_subclass_en.png", "stringency.png"}
    assert "exact_test_group.png" not in names
    same = {n: (tmp_path / "one" / n).read_bytes() for n in names}
    assert same == {n: (tmp_path / "two" / n).read_bytes() for n in names}
    meta = json.loads(same["meta.json"])
    assert meta["by"] == ["subclass_en"]
    assert meta["panel_anchors"] == ["public_review"]


@pytest.mark.parametrize(("lang", "grades", "groups", "panel"), [
    ("en", "the scheme gives no grades", "not in two groups", "Stringency or performance"),
    ("zh", "方案未设等次", "单位不足两个组", "尺度还是绩效"),
])  # fmt: skip
def test_a_flat_index_says_what_it_lacks(
    flat: Path, tmp_path: Path, drawn, capsys, lang, grades, groups, panel
):
    scheme = ("--scheme", flat / "scheme.toml")
    assert run("fairness", flat, *scheme, "--out", tmp_path / "out", "--lang", lang, *DRAWS) == 0
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert written == {"meta.json", "portfolio.csv", "portfolio.png", "missing_rules.csv"}
    said = capsys.readouterr().out
    notes = json.loads((tmp_path / "out" / "meta.json").read_text(encoding="utf-8"))["notes"]
    assert all(note in said for note in notes)
    for reason in (grades, groups, panel):
        assert sum(reason in note for note in notes) == 1  # each reason once


def test_a_small_year_is_too_small_for_some_of_it(tmp_path: Path, drawn, capsys):
    small = write_small_year(tmp_path / "small")
    assert run("fairness", small, "--out", tmp_path / "out", *DRAWS) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == ALWAYS
    said = capsys.readouterr().out
    assert "note: Where gaps come from (group): anchors" in said
    assert "note: Stringency or performance: " in said
    (small / "ballots.csv").unlink()
    text = (small / "scheme.toml").read_text(encoding="utf-8")
    text = re.sub(r"\[survey\].*?(?=\[internal)", "", text, flags=re.DOTALL)
    text = re.sub(r"^(review_\w+|public_review) = .*\n", "", text, flags=re.MULTILINE)
    text = text.replace('"indicator", "public_review"', '"indicator"')
    (small / "scheme.toml").write_text(text, encoding="utf-8")
    assert run("fairness", small, "--out", tmp_path / "mute", *DRAWS) == 0
    said = capsys.readouterr().out
    assert "the year has no ballots, so the errors of totals are not known" in said
    written = {file.name for file in (tmp_path / "mute").iterdir()}
    assert "rules.csv" in written
    assert not {"rank_sets.csv", "tradeoff.png", "joint_ranks.csv"} & written


def test_one_class_and_anchors_that_are_not_there(year: Path, tmp_path: Path, drawn, capsys):
    """Without counties one class is left; without a node that all share there is no anchor."""
    one = pm.Year.load(year).units.query("`class` == 'municipal_department'").index
    folder = tmp_path / "one"
    folder.mkdir()
    for file in year.iterdir():
        if ".csv" in file.suffixes and ("unit_id" in (table := pd.read_csv(file, dtype=str))):
            table[table["unit_id"].isin(one)].to_csv(folder / file.name, index=False)
        else:
            (folder / file.name).write_bytes(file.read_bytes())
    groups = pd.read_csv(folder / "groups.csv")
    groups[groups["group"] != "G0"].to_csv(folder / "groups.csv", index=False)
    assert run("fairness", folder, "--by", "class", "--anchors", "D01-S1", *DRAWS) == 0
    said = capsys.readouterr().out
    assert "note: Grade and group (class): found the groups" in said
    assert "note: Where gaps come from (class), Spread of scores (class): in no class" in said
    assert "note: Stringency or performance: stringency, column 'anchors': found 'D01-S1'" in said
    assert "found no score of D05" in said


@pytest.mark.parametrize(("lang", "band", "none"), [
    ("en", "  staff (3 bands) 1: ", "note: Stringency or performance: no node was found"),
    ("zh", "  编制人数(分3段) 1: ", "注意: 尺度还是绩效: 没有发现各组自有的节点"),
])  # fmt: skip
def test_numbers_are_banded_and_a_year_without_panels_says_so(
    year: Path, tmp_path: Path, drawn, capsys, lang, band, none
):
    folder = tmp_path / "shared"
    shutil.copytree(year, folder)
    text = (folder / "scheme.toml").read_text(encoding="utf-8")
    text = text.replace(', assessors = "own"', "")
    text = re.sub(r"^(indicator = \{ )", r'\1assessors = "shared", ', text, flags=re.MULTILINE)
    (folder / "scheme.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    assert run("fairness", folder, "--by", "staff", "--out", out, "--lang", lang, *DRAWS) == 0
    said = capsys.readouterr().out
    assert said.count(band) == 1
    assert none in said
    banded = json.loads((out / "meta.json").read_text(encoding="utf-8"))["banded"]
    assert banded["staff"]["values"] == 12
    assert len(banded["staff"]["limits"]) == 3


def test_no_rater_leaves_the_program(year: Path, tmp_path: Path, drawn, capsys):
    assert run("fairness", year, "--out", tmp_path / "out", *DRAWS) == 0
    texts = [p.read_text(encoding="utf-8") for p in (tmp_path / "out").iterdir()
             if p.suffix in (".csv", ".json")]  # fmt: skip
    everything = capsys.readouterr().out + "".join(texts)
    for rater in pm.Year.load(year).ballots["rater_id"].astype(str).unique():
        assert rater not in everything


def test_exit_codes(year: Path, tmp_path: Path, capsys):
    assert run("fairness", tmp_path / "nowhere") == 2
    capsys.readouterr()
    out = tmp_path / "out"
    for option, value, allowed in (
        ("--seed", -1, "0 or more"),
        ("--draws", 98, "99 to 1000000"),
        ("--draws", 10**11, "99 to 1000000"),
        ("--by", "grupo", "did you mean 'group'?"),
        ("--by", "portfolios", "did you mean 'portfolio'?"),
        ("--anchors", "publc_review", "did you mean 'public_review'?"),
        ("--panel", "statutory_duties", "did you mean 'statutory_duty'?"),
    ):
        assert run("fairness", year, option, value, "--out", out) == 2
        told = capsys.readouterr()
        assert allowed in told.err
        assert f"found {option} {value}" in told.err
        assert told.out == ""
        assert not out.exists()
    everything = ("--seed", -1, "--draws", 1, "--by", "x", "--anchors", "y", "--panel", "z")
    assert run("fairness", year, *everything) == 2
    assert "5 problems in the arguments" in capsys.readouterr().err
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert run("fairness", year, "--out", tmp_path / "file", *DRAWS) == 2
    assert "allowed: a folder, or nothing there yet" in capsys.readouterr().err


def test_labels_speak_one_language(year: Path):
    """Columns in two languages, classes and default weights are named in the language asked for."""
    ev = pm.evaluate(pm.Year.load(year))
    for column in ("subclass_en", "subclass_zh", "class"):
        parity = fairness.grade_parity(ev, column)
        for group in parity.groups["group"]:
            assert CHINESE.search(parity.spoken(column, "zh", group))
            assert not CHINESE.search(parity.spoken(column, "en", group))
    joint = ranking.joint_ranks(ev, draws=64)
    assert "within 20 % of its value" in joint.words("en")[0]
    assert not ENGLISH.search(joint.words("zh")[0])


def test_titles_say_what_is_corrected_and_what_is_not_drawn(tmp_path: Path):
    small = pm.evaluate(pm.Year.load(write_small_year(tmp_path / "small")))
    sets = ranking.place_sets(small, draws=256)
    assert sets.plot(lang="en").get_title("left").endswith("(1 more barred)")
    assert sets.plot(lang="zh", pool="G2").get_title("left").endswith("确定不能")
    two = fairness.grade_parity(small, ["group", "portfolio"])
    assert "(p = 1.0000 by Holm)" in two.plot(lang="en").get_title("left").replace("\n", " ")
    one = fairness.grade_parity(small, "group")
    assert "Holm" not in one.plot(lang="en").get_title("left")


def test_a_long_group_name_leaves_room_for_the_number_of_its_cut():
    frame = pd.DataFrame({"unit": ["a", "b"], "group": "G1", "total": [800.0, 900.0],
                          "excellent": [False, True], "vetoed": False, "cut": 870.0})  # fmt: skip
    for name, moved in (("G1", False), ("A group with a name that is " + "very " * 9, True)):
        ax = pm.plots.totals_by_group(frame.assign(group=name), language="en")
        (number,) = [text for text in ax.texts if text.get_text() == "870.0"]
        assert bool(number.xy[0] > 900) is moved


def test_a_rule_that_is_never_used_is_said_to_decide_nothing(flat: Path):
    found = fairness.missing_rules(pm.evaluate(pm.Year.load(flat)))
    assert found.words("en") == (
        "Every unit has some task under every node: the rule for missing tasks decides nothing.",
    )


def test_thresholds_have_no_places_to_be_spread(year: Path, tmp_path: Path, drawn, capsys):
    """Nothing is said of places by group or class, and nothing is swept for them."""
    folder, out = tmp_path / "thresholds", tmp_path / "out"
    shutil.copytree(year, folder)
    text = (folder / "scheme.toml").read_text(encoding="utf-8")
    grades = text[text.index("[grades]") : text.index("[grades.levels.qualified]")]
    fixed = '[grades]\nrule = "thresholds"\n[grades.levels.excellent]\nleast = 930\n'
    (folder / "scheme.toml").write_text(text.replace(grades, fixed), encoding="utf-8")
    assert run("fairness", folder, "--out", out, *DRAWS) == 0
    said = capsys.readouterr().out
    assert "Stringency or performance:" in said
    assert "With places by" not in said
    assert not (out / "delta_sweep_class.png").exists()


def test_the_interval_of_a_rate_is_named(year: Path, capsys):
    for lang, told in (("en", "%; 95 % interval "), ("zh", "%; 95%区间")):
        assert run("fairness", year, "--lang", lang, *DRAWS) == 0
        assert capsys.readouterr().out.replace(" %;", "%;").count(told) >= 4
