"""``perfmethod reliability``: what it says, what it writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import perfmethod as pm
from tests.small_year import write_small_year
from tests.test_cli import run

FILES = {
    "meta.json",
    *("components.csv", "components.png", "decision.csv", "design.csv", "reliability.png"),
    *("coefficients.csv", "grade_risk.csv", "rank_intervals.png", "risk_by_ballots.csv"),
    *("flags.csv", "flags.png", "unanswered.csv", "timeline.png", "without_flagged.csv"),
}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years") / "year"
    pm.synthesize(folder, units=12, ballots=1500, groups=2)
    return folder


def test_tables_hold_what_the_package_finds(year: Path, tmp_path: Path, capsys):
    from perfmethod.reliability import generalizability
    from perfmethod.reliability.grades import grade_risk

    out = tmp_path / "deep" / "out"
    assert run("reliability", year, "--out", out, "--seed", 5) == 0
    assert {file.name for file in out.iterdir()} == FILES
    loaded = pm.Year.load(year)
    study, risk = generalizability(loaded), grade_risk(pm.evaluate(loaded), seed=5)
    written = pd.read_csv(out / "components.csv", index_col="term")
    assert written["variance"].tolist() == study.to_frame()["variance"].tolist()
    assert len(pd.read_csv(out / "decision.csv")) == len(study.study())
    table = pd.read_csv(out / "grade_risk.csv", index_col="unit_id")
    assert table["p_other"].tolist() == risk.units["p_other"].tolist()  # to the last bit
    design = pd.read_csv(out / "design.csv")
    said = capsys.readouterr().out
    assert f"{design['ballots'].sum()} ballots per unit" in said
    assert f"Phi (against a standard): {study.decision().dependability:.3f}" in said
    assert f"Grades: {risk.expected_wrong:.2f} of 12 expected to differ" in said
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["scheme"] == loaded.scheme.digest
    assert "seed 5" in meta["varied"]


def test_screening_and_coefficients_are_those_of_the_package(year: Path, tmp_path: Path, capsys):
    from perfmethod.reliability import survey_coefficients
    from perfmethod.screening import effect, screen

    out = tmp_path / "out"
    assert run("reliability", year, "--out", out, "--seed", 2) == 0
    loaded = pm.Year.load(year)
    found = screen(loaded, seed=2)
    written = pd.read_csv(out / "flags.csv", keep_default_na=False, na_values={"p": [""]})
    assert written["ballots"].tolist() == found.to_frame()["ballots"].tolist()
    aside = pd.read_csv(out / "without_flagged.csv", index_col="unit_id")
    expected = effect(loaded, found)
    assert aside["total_change"].tolist() == expected["total_change"].tolist()
    coefficients = pd.read_csv(out / "coefficients.csv")
    table = survey_coefficients(loaded, seed=2)
    assert coefficients["value"].tolist() == table["value"].tolist()
    said = capsys.readouterr().out
    assert f"Screening: {len(found.flags)} flags on 1,500 ballots" in said
    most = expected["total_change"].abs().max()
    assert f"{most:.2f} points" in said
    assert "Krippendorff's alpha (ordinal)    4 dimensions: " in said


def test_costs_target_and_assurance_reach_the_design(year: Path, tmp_path: Path, capsys):
    from perfmethod.reliability import generalizability

    modes = pm.Year.load(year).scheme.document["survey"]["modes"]
    costs = {mode: 1.0 for mode in modes} | {"field_survey": 20.0}
    words = ("--target", 0.6, "--assurance", 0.8, "--kind", "relative")
    out = tmp_path / "out"
    assert run("reliability", year, *words, "--cost", "field_survey=20", "--out", out) == 0
    study = generalizability(pm.Year.load(year))
    plan = study.plan(0.6, costs=costs, kind="relative", assurance=0.8)
    assert pd.read_csv(out / "design.csv")["ballots"].tolist() == plan.design["ballots"].tolist()
    assert "Cheapest survey with E rho2 0.6: " in capsys.readouterr().out
    scheme = tmp_path / "dear.toml"
    text = (year / "scheme.toml").read_text(encoding="utf-8")
    at = "[survey.modes.field_survey]\n"
    assert at in text
    scheme.write_text(text.replace(at, at + "cost = 20\n"), encoding="utf-8")
    assert run("reliability", year, *words, "--scheme", scheme, "--out", tmp_path / "two") == 0
    assert (out / "design.csv").read_bytes() == (tmp_path / "two" / "design.csv").read_bytes()


def test_a_target_out_of_reach_is_said(year: Path, tmp_path: Path, capsys):
    assert run("reliability", year, "--target", 0.9999999, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "Cheapest survey with Phi 1: none" in said or "none; see the note" in said
    assert "note: " in said
    assert not (tmp_path / "out" / "design.csv").exists()


def test_chinese_without_grades(year: Path, tmp_path: Path, capsys):
    scheme = tmp_path / "bare.toml"
    document = (year / "scheme.toml").read_text(encoding="utf-8")
    scheme.write_text(document.partition("[vetoes")[0], encoding="utf-8")
    (bare := tmp_path / "bare").mkdir()
    for name in ("units", "tasks", "groups", "adjustments", "internal"):
        if (year / f"{name}.csv").exists():
            (bare / f"{name}.csv").write_bytes((year / f"{name}.csv").read_bytes())
    for ballots in year.glob("ballots.*"):
        (bare / ballots.name).write_bytes(ballots.read_bytes())
    assert run("reliability", bare, "--scheme", scheme, "--lang", "zh") == 0
    said = capsys.readouterr().out
    assert "等次: 方案未设" in said
    assert "可靠性指数Φ" in said


def test_no_rater_leaves_the_program(year: Path, tmp_path: Path, capsys):
    assert run("reliability", year, "--out", tmp_path / "out") == 0
    texts = [p.read_text(encoding="utf-8") for p in (tmp_path / "out").iterdir()
             if p.suffix in (".csv", ".json")]  # fmt: skip
    everything = capsys.readouterr().out + "".join(texts)
    for rater in pm.Year.load(year).ballots["rater_id"].astype(str).unique():
        assert rater not in everything


def test_exit_codes(year: Path, tmp_path: Path, capsys):
    assert run("reliability", tmp_path / "nowhere") == 2
    assert run("reliability", year, "--seed", -1) == 2
    assert "found --seed -1; allowed: 0 or more" in capsys.readouterr().err
    assert run("reliability", year, "--seed", "x") == 2
    for option, value, allowed in (
        ("--target", 1, "above 0 and below 1"),
        ("--target", "nan", "above 0 and below 1"),
        ("--assurance", 0.5, "above 0.5, below 1"),
        ("--cost", "online", "MODE=NUMBER, a number above 0"),
        ("--cost", "online=-1", "MODE=NUMBER, a number above 0"),
        ("--cost", "onlin=1", "did you mean 'online'?"),
    ):
        assert run("reliability", year, option, value) == 2
        assert allowed in capsys.readouterr().err
    capsys.readouterr()
    small = write_small_year(tmp_path / "small")  # categories and modes are one and the same
    assert run("reliability", small, "--out", tmp_path / "o") == 1
    assert "unit:category" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    (small / "ballots.csv").unlink()
    assert run("reliability", small) == 2
    assert "ballots" in capsys.readouterr().err
