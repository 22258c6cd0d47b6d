"""``perfmethod sensitivity``: what it says, what it writes, and its exit codes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import robustness, uncertainty
from perfmethod import sensitivity as analyses
from tests.small_year import SMALL_SCHEME, write_small_year
from tests.test_cli import run

FILES = {
    "meta.json",
    *("monte_carlo.csv", "acceptability.csv", "rank_intervals.png", "acceptability.png"),
    *("radius.csv", "stability.csv", "stability.png"),
    *("tornado.csv", "tornado.png", "removal.csv", "global.csv", "global.png"),
    *(f"block_map_{name}.{kind}" for name in ("county_government", "municipal_department")
      for kind in ("csv", "png")),
}  # fmt: skip
WEIGHTS = ("classes.*.nodes.*.weight", "indicators.*.weight", "internal.categories.*.weight")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One list for all units, so that there is something to change."""
    folder = write_small_year(tmp_path / "small")
    text = SMALL_SCHEME.replace('pool = "group"', 'pool = "all"')
    (folder / "scheme.toml").write_text(text, encoding="utf-8")
    return folder


def test_tables_hold_what_the_package_finds(small: Path, tmp_path: Path, capsys):
    out = tmp_path / "deep" / "out"
    assert (
        run("sensitivity", small, "--draws", 600, "--seed", 5, "--spread", 0.4, "--out", out) == 0
    )
    assert {file.name for file in out.iterdir()} == FILES  # three units have no importance
    evaluation = pm.evaluate(pm.Year.load(small))
    vary = uncertainty.multiplicative(*WEIGHTS, spread=0.4)
    noise = uncertainty.survey_noise(evaluation.review)
    draws = uncertainty.draw(evaluation.year, 600, vary, noise, seed=5)
    runs = analyses.monte_carlo(evaluation.year, draws).to_frame()
    written = pd.read_csv(out / "monte_carlo.csv", index_col="unit_id")
    for column in ("excellent", "excellent_mcse", "low", "high", "expected", "total_sd"):
        assert written[column].tolist() == runs[column].tolist()  # to the last bit
    assert 0 < written.at["C02", "excellent"] < 1
    classes = list(evaluation.year.scheme.classes)
    exact = robustness.stability_intervals(evaluation, classes).intervals
    written = pd.read_csv(out / "stability.csv")
    assert (
        written[["low", "high"]].to_numpy().tolist() == exact[["low", "high"]].to_numpy().tolist()
    )
    said = capsys.readouterr().out
    assert "600 draws of 31 numbers, weights x lognormal(0.4), survey noise, seed 5" in said
    assert f"C02  {runs.at['C02', 'excellent']:.4f} +- " in said
    assert "at least 10 are needed" in said
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["scheme"] == evaluation.year.scheme.digest
    assert (meta["draws"], meta["failed"]) == (600, 0)


def test_the_certificate_changes_the_list(small: Path, tmp_path: Path, capsys):
    assert run("sensitivity", small, "--draws", 10, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert re.search(r"D02 Finance reaches C02 \w.*; confirmed by scoring", said)
    table = pd.read_csv(tmp_path / "out" / "radius.csv")
    table = table[table["family"] == "municipal_department"].set_index("path")
    assert table["confirmed"].all()
    moved = table["change"].abs().sum() / 2
    assert f"{moved:.2f} of 100.00 points moved" in said
    year = pm.Year.load(small)
    grades = pm.evaluate(year).scores["grade"]
    for fraction, changed in ((1.0, {"C02", "D02"}), (0.999, set())):
        weights = (table["weight"] + fraction * table["change"]).to_dict()
        other = pm.evaluate(year.with_scheme(year.scheme.patch(weights))).scores["grade"]
        assert set(grades.index[grades != other]) == changed


def test_no_block_weights_change_a_list_by_group(tmp_path: Path, capsys):
    small = write_small_year(tmp_path / "small")
    assert run("sensitivity", small, "--draws", 10) == 0
    said = capsys.readouterr().out
    assert "Municipal departments: no block weights change it" in said
    assert "no unit is there in some draws only" in said


def test_importance_of_a_class_that_is_large_enough(tmp_path: Path, capsys):
    pm.synthesize(tmp_path / "year", units=18, ballots=900, groups=2)
    out = tmp_path / "out"
    assert run("sensitivity", tmp_path / "year", "--draws", 64, "--out", out) == 0
    table = pd.read_csv(out / "importance.csv")
    expected = analyses.importance(pm.evaluate(pm.Year.load(tmp_path / "year"))).to_frame()
    assert table["importance"].dropna().tolist() == expected["importance"].dropna().tolist()
    row = expected.set_index("node").loc["internal"].iloc[0]
    said = capsys.readouterr().out
    assert row["class"] == "municipal_department"
    block = "  Municipal departments · Internal assessment"
    told = [x for x in said.splitlines() if "(+- " in x and x.startswith(block)]
    assert len(told) == 1
    nominal, value = told[0].removeprefix(block).split()[:2]
    assert nominal == "10.0"
    assert float(value) == pytest.approx(100 * row["importance"], abs=0.0501)


def test_without_grades_the_ranks_are_watched(small: Path, tmp_path: Path, capsys):
    scheme = tmp_path / "bare.toml"
    scheme.write_text(SMALL_SCHEME.partition("[vetoes")[0], encoding="utf-8")
    (small / "vetoes.csv").unlink()
    out, words = tmp_path / "out", ("--scheme", scheme, "--lang", "zh", "--draws", 50)
    assert run("sensitivity", small, *words, "--out", out) == 0
    said = capsys.readouterr().out
    assert "方案未设等次" in said
    assert not (out / "radius.csv").exists()
    assert "excellent" not in pd.read_csv(out / "monte_carlo.csv")
    year = pm.Year.load(small, pm.Scheme.load(scheme))
    exact = robustness.stability_intervals(
        pm.evaluate(year), list(year.scheme.classes), keep="ranking"
    )
    assert pd.read_csv(out / "stability.csv")["low"].tolist() == exact.intervals["low"].tolist()


def test_names_in_the_language_asked_for(small: Path, tmp_path: Path, capsys):
    for lang, name in (("en", "Finance"), ("zh", "市财政局")):
        out = tmp_path / lang
        assert run("sensitivity", small, "--draws", 10, "--lang", lang, "--out", out) == 0
        assert pd.read_csv(out / "monte_carlo.csv", index_col=0).at["D02", "name"] == name
    assert "蒙特卡洛: 10次抽样" in capsys.readouterr().out


def test_same_bytes_twice(small: Path, tmp_path: Path):
    for name in ("one", "two"):
        assert run("sensitivity", small, "--draws", 700, "--out", tmp_path / name) == 0
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert run("sensitivity", small, "--draws", 700, "--seed", 1, "--out", tmp_path / "two") == 0
    tables = [(tmp_path / name / "monte_carlo.csv").read_bytes() for name in ("one", "two")]
    assert tables[0] != tables[1]


def test_shares_and_single_changes_are_those_of_the_package(small: Path, tmp_path: Path, capsys):
    out = tmp_path / "out"
    assert run("sensitivity", small, "--draws", 10, "--seed", 3, "--out", out) == 0
    year = pm.Year.load(small)
    noise = uncertainty.survey_noise(pm.evaluate(year).review)
    document, numbers = year.scheme.document["classes"], list(year.scheme.numbers)
    nodes = [path for path in numbers if fits(path)]
    inner = [p for p in nodes if "parent" in document[p.split(".")[1]]["nodes"][p.split(".")[3]]]
    blocks = [path for path in nodes if path not in inner]
    named = {
        "block weights": uncertainty.multiplicative(*blocks, spread=0.2),
        "aspect weights": uncertainty.multiplicative(*inner, spread=0.2),
        "indicator weights": uncertainty.multiplicative("indicators.*.weight", spread=0.2),
        "internal raters": uncertainty.multiplicative("internal.categories.*.weight", spread=0.2),
        "the survey's noise": noise,
    }
    found = analyses.global_sensitivity(year, named, 1024, seed=3)
    written = pd.read_csv(out / "global.csv").set_index(["output", "effect", "factor"])["index"]
    assert set(written.index.levels[0]) == {"excellent_changes", "mean_rank_shift"}
    expected = found.to_frame().set_index(["output", "effect", "factor"])["index"]
    assert written.to_dict() == pytest.approx(expected[written.index].to_dict(), abs=1e-12)
    single = pd.read_csv(out / "tornado.csv")
    at = single.iloc[0]
    patched = year.with_scheme(year.scheme.patch({at["label"]: at["value"]}))
    shift = pm.evaluate(patched).scores["rank"] - pm.evaluate(year).scores["rank"]
    assert at["mean_shift"] == pytest.approx(shift.abs().mean())
    assert len(pd.read_csv(out / "removal.csv")) == len(analyses.removal(year).table)


def fits(path: str) -> bool:
    steps = path.split(".")
    return len(steps) == 5 and steps[0::2] == ["classes", "nodes", "weight"]


def test_workers_change_nothing(small: Path, tmp_path: Path, capsys):
    for workers in (1, 2):
        out = tmp_path / str(workers)
        assert run("sensitivity", small, "--draws", 1200, "--workers", workers, "--out", out) == 0
    for file in FILES:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_a_flat_index_has_weights_too(tmp_path: Path, capsys):
    folder = tmp_path / "flat"
    folder.mkdir()
    (folder / "scheme.toml").write_text(
        """format = 1
classes.city = {}
indicators.roads = { weight = 60, rule = { method = "identity" } }
indicators.water = { weight = 40, rule = { method = "identity" } }
""",
        encoding="utf-8",
    )
    rows = "unit_id,roads,water\nA,90,50\nB,60,70\nC,75,61\n"
    (folder / "actuals.csv").write_text(rows, encoding="utf-8")
    (folder / "units.csv").write_text("unit_id\nA\nB\nC\n", encoding="utf-8")
    assert run("sensitivity", folder, "--draws", 50, "--out", tmp_path / "out") == 0
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"tornado.csv", "removal.csv", "acceptability.png"} <= written
    assert not {"global.csv", "radius.csv"} & written  # one kind of uncertainty, no grades
    assert "list changes in" not in capsys.readouterr().out


def test_exit_codes(small: Path, tmp_path: Path, capsys):
    assert run("sensitivity", tmp_path / "nowhere") == 2
    capsys.readouterr()
    for option, value, allowed in (
        ("--draws", 0, "1 to 10000000"),
        ("--draws", -5, "1 to 10000000"),
        ("--draws", 10**11, "1 to 10000000"),
        ("--workers", 10**6, "1 to "),
        ("--spread", -0.1, "0 to 2"),
        ("--spread", "nan", "0 to 2"),
        ("--spread", "inf", "0 to 2"),
        ("--seed", -1, "0 or more"),
        ("--workers", 0, "1 to "),
    ):
        assert run("sensitivity", small, option, value, "--out", tmp_path / "o") == 2
        assert f"found {option} {value}; allowed: {allowed}" in capsys.readouterr().err
    assert run("sensitivity", small, "--draws", 0, "--workers", -1, "--spread", 9) == 2
    said = capsys.readouterr().err
    assert "3 problems in the arguments" in said
    assert all(f"found --{name}" in said for name in ("draws 0", "workers -1", "spread 9"))
    assert run("sensitivity", small, "--draws", "many") == 2
    assert run("sensitivity", small, "--spread", "wide") == 2
    assert not (tmp_path / "o").exists()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert run("sensitivity", small, "--draws", 0, "--out", tmp_path / "file") == 2
    said = capsys.readouterr().err
    assert "2 problems in the arguments" in said
    assert "a file; allowed: a folder, or nothing there yet" in said


def test_all_is_chinese(tmp_path: Path, capsys):
    """No code of a class or block, and the package's own words only where they are quoted."""
    pm.synthesize(tmp_path / "year", units=14, ballots=600, groups=2)
    assert run("sensitivity", tmp_path / "year", "--draws", 20, "--lang", "zh") == 0
    said = capsys.readouterr().out
    assert "(程序原文: " in said  # a class too small for importance
    lines = [line for line in said.splitlines() if "程序原文" not in line]
    assert [line for line in lines if re.search(r"[a-z]{3}", line)] == []


def test_a_class_without_units_is_left_alone(tmp_path: Path, capsys):
    """Weights of a class that no unit is in move nothing: no bars, no map, no draws of them."""
    small = write_small_year(tmp_path / "small")
    for name in ("units", "tasks", "internal", "adjustments", "vetoes", "ballots", "groups"):
        file = small / f"{name}.csv"
        head, *lines = file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if ",C0" not in line and not line.startswith(("C0", "G0"))]
        file.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    scheme = SMALL_SCHEME.replace("places = 3", "places = 1")
    (small / "scheme.toml").write_text(scheme, encoding="utf-8")
    out = tmp_path / "out"
    assert run("sensitivity", small, "--draws", 20, "--out", out) == 0
    assert set(pm.Year.load(small).units["class"]) == {"municipal_department"}
    labels = pd.read_csv(out / "tornado.csv")["label"]
    assert not labels.str.contains("county_government").any()
    assert labels.str.contains("municipal_department").any()
    assert not list(out.glob("block_map_county*"))
    assert "County governments" not in capsys.readouterr().out


def test_ballots_that_all_say_the_same_have_no_noise_to_draw(tmp_path: Path, capsys):
    small = write_small_year(tmp_path / "small")
    ballots = pd.read_csv(small / "ballots.csv", dtype="string", keep_default_na=False)
    for name in ballots.columns:
        if name not in ("ballot_id", "unit_id", "rater_id", "category", "mode", "batch"):
            ballots[name] = ballots[name].where(ballots[name] == "", "1")
    ballots.to_csv(small / "ballots.csv", index=False)
    assert run("sensitivity", small, "--draws", 20, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "survey noise" not in said
    assert "the survey's noise" not in set(pd.read_csv(tmp_path / "out" / "global.csv")["factor"])


def test_where_nothing_changes_the_list_no_effect_is_claimed(tmp_path: Path, capsys):
    small = write_small_year(tmp_path / "small")
    assert run("sensitivity", small, "--draws", 10, "--out", tmp_path / "out") == 0
    table = pd.read_csv(tmp_path / "out" / "radius.csv", keep_default_na=False)
    assert set(table.loc[table["distance"].astype(float) == float("inf"), "effect"]) == {""}


def test_figures_say_whose_map_and_how_much_weights_move(tmp_path: Path):
    from perfmethod.cli._sensitivity_files import _map, _tornado, _varying

    year = pm.Year.load(write_small_year(tmp_path / "small"))
    triangle = analyses.block_map(year, "county_government", steps=2)
    assert _map(triangle, "区县政府", "zh").get_title(loc="left").startswith("区县政府: ")
    weights = [path for path in year.scheme.numbers if fits(path)]
    single = analyses.tornado(year, *weights, by=20)
    for lang in ("en", "zh"):
        assert "±20" in _tornado(single, lang).get_xlabel()
    still = replace(single, table=single.table.assign(mean_shift=0.0, changed=0))
    assert _tornado(still, "zh").get_title(loc="left") == "单项权重±20%不改变任何名次"

    class Indices:
        outputs = ("excellent_changes", "mean_rank_shift")

        def to_frame(self, output: str) -> pd.DataFrame:
            return pd.DataFrame({"constant": [output == self.outputs[0]] * 2})

    assert _varying(Indices()) == "mean_rank_shift"  # a figure of the other would be empty
