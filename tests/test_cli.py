"""The command line: exit codes, what is said, and whole files or none."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.cli import main
from perfmethod.cli.output import csv, write_folder
from perfmethod.errors import PerfmethodError
from tests.broken_years import BROKEN
from tests.conftest import ROOT
from tests.small_year import SMALL_SCHEME, write_small_year
from tests.test_scheme import BROKEN as BROKEN_SCHEMES

COLUMNS = [
    "unit_id",
    "name",
    "class",
    "group",
    "indicator",
    "public_review",
    "internal",
    "bonus",
    "deduction",
    "total",
    "rank",
    "group_rank",
    "grade",
    "note",
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small_year(tmp_path / "small")


def run(*arguments: object) -> int:
    try:
        return main([str(a) for a in arguments])
    except SystemExit as stop:  # argparse
        return int(stop.code or 0)


def test_check(small: Path, capsys: pytest.CaptureFixture[str]):
    assert run("check", small) == 0
    assert "no problems found" in capsys.readouterr().out


def test_evaluate_writes_full_precision(small: Path, tmp_path: Path, capsys):
    out = tmp_path / "deep" / "out"
    assert run("evaluate", small, "--out", out) == 0
    said = capsys.readouterr().out
    assert "Excellent (3):" in said
    assert "D01: veto 'Work safety'" in said
    written = pd.read_csv(out / "scores.csv", keep_default_na=False)
    assert list(written) == COLUMNS
    evaluation = pm.evaluate(pm.Year.load(small))
    assert written["total"].tolist() == evaluation.scores["total"].tolist()  # to the last bit
    nodes = pd.read_csv(out / "nodes.csv")
    assert list(nodes) == ["unit_id", "node", "score", "effective_weight", "contribution"]
    assert nodes["contribution"].tolist() == evaluation.nodes["contribution"].tolist()
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["scheme"] == evaluation.year.scheme.digest
    use = pd.read_csv(out / "results_use.csv", index_col="unit_id")
    assert use.loc["C01", "civil_servant_quota"] == 20
    assert use.loc["D01", "civil_servant_quota"] == 15
    assert sorted(p.name for p in out.parent.iterdir()) == ["out"]  # nothing left over


def test_same_bytes_twice(small: Path, tmp_path: Path):
    for name in ("a", "b"):
        assert run("evaluate", small, "--out", tmp_path / name, "--figures") == 0
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    assert len(list((tmp_path / "a").glob("*.png"))) == 3


def test_other_files_in_the_folder_stay(small: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    assert run("evaluate", small, "--out", out) == 0
    assert (out / "mine.txt").read_text() == "kept"


def test_scheme_option(small: Path, tmp_path: Path, capsys):
    other = tmp_path / "other.toml"
    other.write_text(SMALL_SCHEME.replace("places = 3", "places = 0"), encoding="utf-8")
    assert run("evaluate", small, "--scheme", other) == 0
    assert "Excellent (0):" in capsys.readouterr().out


def test_xlsx_year(small: Path, tmp_path: Path, capsys):
    year = pm.Year.load(small)
    year.save_xlsx(tmp_path / "small.xlsx")
    (tmp_path / "small.toml").write_text(SMALL_SCHEME, encoding="utf-8")
    assert run("evaluate", tmp_path / "small.xlsx", "--out", tmp_path / "x") == 0
    assert run("evaluate", small, "--out", tmp_path / "c") == 0
    for name in ("scores.csv", "nodes.csv", "quotas.csv"):
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_explain_adds_up_as_printed(lang: str, capsys):
    assert run("explain", ROOT / "data" / "2009", "D27", "--lang", lang) == 0
    text = capsys.readouterr().out.splitlines()
    start = next(
        i for i, line in enumerate(text) if line in ("Where the points come from", "得分来源")
    )
    end = next(i for i, line in enumerate(text) if "sum = total" in line or "合计 = 总分" in line)
    parts = [line.split()[0] for line in text[start:end] if line.startswith("     ")]
    numbers = [round(100 * float(p)) for p in parts if p.replace(".", "").lstrip("-").isdigit()]
    assert len(numbers) > 20
    assert sum(numbers) == round(100 * float(text[end].split()[0]))


def test_explain_names_the_veto_and_the_way(capsys):
    assert run("explain", ROOT / "data" / "2009", "D27") == 0
    text = capsys.readouterr().out
    for fragment in (
        "veto 'Work safety'",
        "without the veto the grade would be Excellent",
        "competes in G4 ",
        "(8 units)",
        "Survey cells",
        "collected by D27",
    ):
        assert fragment in text
    assert run("explain", ROOT / "data" / "2009", "D26") == 0
    assert "needs a total above" in capsys.readouterr().out


def test_no_rater_leaves_the_program(small: Path, tmp_path: Path, capsys):
    assert run("evaluate", small, "--out", tmp_path / "out") == 0
    assert run("explain", small, "D02") == 0
    said = capsys.readouterr().out
    written = "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "out").glob("*.*s*"))
    for rater in pm.Year.load(small).ballots["rater_id"].unique():
        assert str(rater) not in said
        assert str(rater) not in written


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["evaluate"], "YEAR"),
        (["evalute", "x"], "invalid choice"),
        (["explain", "{small}", "D1"], "did you mean 'D01'"),
        (["evaluate", "{small}", "--figures"], "--out"),
        (["supervise", "{small}", "--quarter", "5"], "invalid choice"),
        (["evaluate", "{small}/nowhere"], "nowhere"),
        (["evaluate", "{small}", "--scheme", "{small}/none.toml"], "none.toml"),
        (["synth", "{small}"], "already there"),
        (["synth", "{small}/new", "--units", "1"], "units"),
        (["synth", "{small}/new", "--seed", "-1"], "seed"),
    ],
)
def test_bad_usage_exits_with_2(arguments, fragment, small: Path, capsys):
    before = sorted(small.rglob("*"))
    assert run(*[a.format(small=small) for a in arguments]) == 2
    assert fragment in capsys.readouterr().err
    assert sorted(small.rglob("*")) == before


def test_bad_input_lists_everything_and_writes_nothing(small: Path, tmp_path: Path, capsys):
    tasks = small / "tasks.csv"
    tasks.write_text(tasks.read_text(encoding="utf-8").replace("C01,P001,46.5", "C01,P001,abc")
                     .replace("C02,P002", "C99,P002"), encoding="utf-8")  # fmt: skip
    assert run("evaluate", small, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "tasks.csv, row 2, column 'actual': found 'abc'" in said
    assert "C99" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b.name)
def test_every_broken_year_exits_with_2_and_writes_nothing(broken, tmp_path: Path, capsys):
    year = broken.make(tmp_path / "year")
    assert run("evaluate", year, "--out", tmp_path / "out") == 2
    assert broken.file in capsys.readouterr().err
    assert not {p.name for p in tmp_path.iterdir()} - {"year", "secret.csv"}


@pytest.mark.parametrize("name", BROKEN_SCHEMES)
def test_every_broken_scheme_exits_with_2_and_writes_nothing(name, small, tmp_path, capsys):
    old, new, fragments = BROKEN_SCHEMES[name]
    text = SMALL_SCHEME.replace(old, new, 1)
    (small / "scheme.toml").write_text(text, encoding="utf-8")
    assert run("evaluate", small, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert all(fragment in said for fragment in fragments)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command", ["evaluate", "supervise", "reliability", "sensitivity", "fairness"]
)
def test_out_that_cannot_be_written_is_refused_before_any_work(
    command: str, small: Path, tmp_path: Path, capsys, monkeypatch
):
    def load(*_: object) -> None:
        raise AssertionError("the year was read")

    monkeypatch.setattr(pm.Year, "load", load)
    (file := tmp_path / "out").write_text("mine")
    for out in (file, file / "deeper" / "still"):
        assert run(command, small, "--out", out) == 2
        told = capsys.readouterr().err
        assert f"found --out {out}: a file" in told
        assert "allowed: a folder, or nothing there yet" in told
    assert run(command, small, "--out", "") == 2
    assert "allowed: a folder" in capsys.readouterr().err
    monkeypatch.setattr("perfmethod.cli.commands.os.access", lambda *_: False)
    assert run(command, small, "--out", tmp_path / "new") == 2
    assert "may not be written" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "small"]
    assert file.read_text() == "mine"


def test_a_folder_in_the_way_of_a_file_leaves_the_others_alone(tmp_path: Path):
    (out := tmp_path / "out").joinpath("b.txt").mkdir(parents=True)
    (out / "a.txt").write_text("old")
    files = {"a.txt": lambda p: p.write_text("new"), "b.txt": lambda p: p.write_text("new")}
    with pytest.raises(PerfmethodError, match=r"b\.txt"):
        write_folder(out, files)
    assert (out / "a.txt").read_text() == "old"
    assert sorted(p.name for p in out.iterdir()) == ["a.txt", "b.txt"]


def test_what_is_no_year_is_said_before_a_scheme_is_missed(small: Path, tmp_path: Path, capsys):
    for path, told in ((tmp_path / "nowhere", "found nothing at"),
                       (small / "units.csv", "found the file")):  # fmt: skip
        assert run("check", path) == 2
        said = capsys.readouterr().err
        assert told in said
        assert "allowed: a year's folder, or an .xlsx workbook" in said
        assert "scheme" not in said


def test_who_has_read_enough_hears_no_complaint(small: Path, capsys, monkeypatch):
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("perfmethod.cli.commands.say_check", closed)
    assert run("check", small) == 1
    assert capsys.readouterr().err == ""


ENGLISH = re.compile(r"[A-Za-z]{3}")


def test_without_groups_units_stand_in_their_named_class(small: Path, capsys):
    (small / "groups.csv").unlink()
    units = pd.read_csv(small / "units.csv", dtype="string", keep_default_na=False)
    units.drop(columns="group").to_csv(small / "units.csv", index=False)
    scheme = SMALL_SCHEME.replace('pool = "group"', 'pool = "class"')
    (small / "scheme.toml").write_text(scheme, encoding="utf-8")
    assert run("evaluate", small, "--lang", "zh") == 0
    said = capsys.readouterr().out
    assert "(区县政府, 组内第1名)" in said
    assert not ENGLISH.search(said)


def test_short_commands_speak_the_language_asked_for(small: Path, capsys):
    for command in (["check"], ["evaluate"], ["supervise", "--quarter", 3]):
        for lang in ("zh", "en"):
            assert run(command[0], small, *command[1:], "--lang", lang) == 0
            said = capsys.readouterr().out.replace(str(small), "")
            if lang == "zh":
                assert not ENGLISH.search(said), said
                assert "市财政局" in said or command == ["check"]
            else:
                assert not re.search(r"[\u4e00-\u9fff]", said), said
                assert "Finance" in said or command == ["check"]


def test_a_year_without_grades_or_with_one_unit_has_its_figures(
    small: Path, tmp_path: Path, capsys
):
    """Thresholds have no cut, one unit none to be compared with: the figure is left out."""
    text = SMALL_SCHEME.replace('rule = "quota"', 'rule = "thresholds"')
    text = re.sub(r"^places = .*$", "least = 900", text, flags=re.MULTILINE)
    text = re.sub(r"(levels.qualified\]\n)", r"\1least = 600\n", text)
    (small / "scheme.toml").write_text(text, encoding="utf-8")
    assert run("evaluate", small, "--out", tmp_path / "out", "--figures") == 0
    figures = {p.name for p in (tmp_path / "out").glob("*.png")}
    assert figures == {"totals_by_group.png", "blocks.png"}
    bare = SMALL_SCHEME.partition("[vetoes")[0]
    (small / "scheme.toml").write_text(bare, encoding="utf-8")
    (small / "vetoes.csv").unlink()
    capsys.readouterr()
    assert run("evaluate", small) == 0
    said = capsys.readouterr().out
    assert "The scheme gives no grades." in said
    assert "D02  Finance" in said


def test_places_beyond_the_quota_are_not_said_to_be_unfilled(small: Path, capsys):
    from perfmethod.cli._say import say_evaluation

    evaluation = pm.evaluate(pm.Year.load(small), lang="en")
    quotas = evaluation.quotas.copy()
    assert (quotas["unfilled"] == 0).all()
    for number, told in ((1, "1 of"), (-2, "2 more than the")):
        quotas.loc[quotas.index[0], "unfilled"] = number
        say_evaluation(replace(evaluation, quotas=quotas), "en")
        said = capsys.readouterr().out
        assert f"Excellent: {told}" in said
        assert "-2" not in said


def test_a_failing_writer_leaves_nothing(tmp_path: Path):
    def fail(path: Path) -> None:
        path.write_text("half")
        raise PerfmethodError("no space")

    with pytest.raises(PerfmethodError):
        write_folder(tmp_path / "out", {"a.txt": lambda p: p.write_text("a"), "b.txt": fail})
    assert list(tmp_path.iterdir()) == []


def test_text_never_becomes_a_formula(tmp_path: Path):
    table = pd.DataFrame(
        {"name": ["=1+1", "+86", "-x", "@a", "fine"], "points": [-1.5, 2, 3, 4, 5]}
    )
    csv(table)(tmp_path / "t.csv")
    back = pd.read_csv(tmp_path / "t.csv")
    assert back["name"].tolist() == ["'=1+1", "'+86", "'-x", "'@a", "fine"]
    assert back["points"].tolist() == [-1.5, 2, 3, 4, 5]  # numbers stay numbers


def test_synth_and_supervise(tmp_path: Path, capsys):
    folder, truth = tmp_path / "year", tmp_path / "truth"
    assert run("synth", folder, "--truth", truth, "--units", 20, "--ballots", 900, "--groups", 3,
               "--seed", 0) == 0  # fmt: skip
    assert run("check", folder) == 0
    assert truth.is_dir()
    assert run("supervise", folder, "--quarter", 3, "--out", tmp_path / "s") == 0
    assert (tmp_path / "s" / "supervision.png").stat().st_size > 10_000
    assert run("supervise", folder, "--unit", "D01", "--lang", "zh") == 0
    assert "督办函" in capsys.readouterr().out


def test_synth_lists_every_problem_and_writes_nothing(small: Path, tmp_path: Path, capsys):
    (file := tmp_path / "file").write_text("mine")
    much = ("--units", 10**7, "--ballots", 10**12)
    assert run("synth", small, "--truth", file / "truth", *much) == 2
    said = capsys.readouterr().err
    assert "4 problems in the arguments" in said
    for told in ("already there", f"found --truth {file / 'truth'}: a file at {file}",
                 "--units 10000000; allowed: up to 100000", "--ballots 1000000000000"):  # fmt: skip
        assert told in said
    new = tmp_path / "new"
    for truth in (new, new / "truth", tmp_path):
        assert run("synth", new, "--truth", truth) == 2
    assert "a folder apart" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "small"]


def test_explanation_sums_exactly_for_every_unit_of_2009():
    evaluation = pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))
    for unit in ("C01", "D05", "D27", "D30", "D38", "D45"):
        lines = pm.explain(evaluation, unit).lines
        assert math.fsum(lines["contribution"]) == evaluation.scores.at[unit, "total"]


def test_what_was_read_in_another_encoding_is_told(small: Path, capsys):
    units = small / "units.csv"
    units.write_bytes(units.read_text(encoding="utf-8").encode("gbk"))
    assert run("evaluate", small) == 0
    assert "units.csv" in capsys.readouterr().err


FLAT_SCHEME = """
format = 1
[classes.city.nodes]
a = { weight = 1 }
b = { weight = 2, power = 0 }
[indicators]
x1 = { parent = "a", rule = { method = "minmax", to = [1, 100] } }
x2 = { parent = "b", direction = "negative", rule = { method = "minmax", to = [1, 100] } }
"""


def test_a_flat_index_without_names_groups_survey_or_grades(tmp_path: Path, capsys):
    """Every command on a year that is nothing but units, indicators and a tree."""
    year = tmp_path / "flat"
    year.mkdir()
    (year / "scheme.toml").write_text(FLAT_SCHEME, encoding="utf-8")
    rows = [f"U{i},{7 * i % 13},{5 * i % 11}" for i in range(12)]
    (year / "actuals.csv").write_text("unit_id,x1,x2\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (year / "units.csv").write_text(
        "unit_id\n" + "".join(f"U{i}\n" for i in range(12)), encoding="utf-8"
    )
    assert run("check", year) == 0
    assert run("evaluate", year, "--out", tmp_path / "out", "--figures") == 0
    assert pd.read_csv(tmp_path / "out" / "scores.csv")["name"].tolist() == [
        f"U{i}" for i in range(12)
    ]
    assert (tmp_path / "out" / "blocks.png").exists()
    for lang in ("en", "zh"):
        assert run("explain", year, "U3", "--lang", lang) == 0
        assert "U3" in capsys.readouterr().out
    for command in ("supervise", "reliability"):  # nothing to work on, and it says so
        assert run(command, year) in (1, 2)
        assert "found no" in capsys.readouterr().err


def test_units_of_one_name_stay_apart(small: Path, tmp_path: Path):
    units = small / "units.csv"
    text = units.read_text(encoding="utf-8").replace("市财政局", "市发改委")
    units.write_text(text, encoding="utf-8")
    assert run("evaluate", small, "--out", tmp_path / "out", "--figures") == 0
    names = pd.read_csv(tmp_path / "out" / "scores.csv", index_col="unit_id")["name"]
    assert names[["D01", "D02"]].tolist() == ["市发改委 (D01)", "市发改委 (D02)"]


def test_an_empty_argument_is_named(small: Path, tmp_path: Path, capsys):
    for arguments, name in ((("check", ""), "YEAR"), (("check", small, "--scheme", ""), "--scheme"),
                            (("synth", ""), "DIR")):  # fmt: skip
        assert run(*arguments) == 2
        said = capsys.readouterr().err
        assert f"argument {name}: found nothing; allowed: " in said


def test_a_broken_scheme_hides_no_problem_of_the_tables(small: Path, tmp_path: Path, capsys):
    other = tmp_path / "other.toml"
    text = (small / "scheme.toml").read_text(encoding="utf-8")
    other.write_text(text.replace("base = 1000", 'base = "x"'), encoding="utf-8")
    units = (small / "units.csv").read_text(encoding="utf-8").splitlines()
    (small / "units.csv").write_text("\n".join([*units, units[1]]) + "\n", encoding="utf-8")
    (small / "internal.csv").write_text("unit_id,category,score\nC01,I01,many\nC77,I01,50\n")
    (small / "vetoes.csv").write_text("event_id,unit_id,veto\nV1,C01,V01\n")
    assert run("check", small, "--scheme", other) == 2
    said = capsys.readouterr().err
    assert "column 'base': found 'x'" in said
    assert "units.csv" in said
    assert "again (first in row 2)" in said
    assert "internal.csv, row 2, column 'score': found 'many'" in said
    assert "'C77'" in said
    assert "vetoes.csv, row 1, column 'status': found no such column" in said
    (small / "scheme.toml").write_text(other.read_text(encoding="utf-8"), encoding="utf-8")
    assert run("check", small) == 2
    assert capsys.readouterr().err == said.replace("other.toml", "scheme.toml")


def test_a_sound_year_has_no_problem_without_its_scheme(small: Path):
    from perfmethod.year.alone import problems_alone

    assert problems_alone(small) == ()
    assert problems_alone(ROOT / "data" / "2009") == ()


def test_one_of_a_kind_is_said_in_the_singular(tmp_path: Path, capsys):
    year = tmp_path / "one"
    year.mkdir()
    (year / "scheme.toml").write_text(
        'format = 1\nname = { en = "One" }\nclasses.city = {}\n'
        'indicators.roads = { rule = { method = "identity" } }\n', encoding="utf-8",
    )  # fmt: skip
    (year / "units.csv").write_text("unit_id\nA\n", encoding="utf-8")
    (year / "actuals.csv").write_text("unit_id,roads\nA,90\n", encoding="utf-8")
    assert run("check", year) == 0
    assert "1 unit in 1 class, 1 task, 0 ballots" in capsys.readouterr().out


def test_reliability_gives_out_no_small_number_of_raters(tmp_path: Path, capsys):
    assert run("reliability", ROOT / "data" / "2009", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    flags = pd.read_csv(tmp_path / "out" / "flags.csv", dtype=str, encoding="utf-8")
    aside = pd.read_csv(tmp_path / "out" / "without_flagged.csv", dtype=str, encoding="utf-8")
    told = [*flags["ballots"], *aside["set_aside"]]
    assert all(text in ("<10", "–", "0") or int(text) % 10 == 0 for text in told)
    assert not flags["evidence"].str.contains(r"\b[1-9] (?:of|raters|ballots)").any()
    assert "can be set aside" in said
