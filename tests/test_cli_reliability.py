"""``perfmethod reliability``: what it says, what it writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import perfmethod as pm
from tests.small_year import write_small_year
from tests.test_cli import run

FILES = {"components.csv", "components.png", "decision.csv", "design.csv", "grade_risk.csv",
         "meta.json", "reliability.png"}  # fmt: skip


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
    capsys.readouterr()
    small = write_small_year(tmp_path / "small")  # categories and modes are one and the same
    assert run("reliability", small, "--out", tmp_path / "o") == 1
    assert "unit:category" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    (small / "ballots.csv").unlink()
    assert run("reliability", small) == 2
    assert "ballots" in capsys.readouterr().err
