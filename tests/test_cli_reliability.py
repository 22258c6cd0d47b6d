"""``perfmethod reliability``: what it says, what it writes, and its exit codes."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.severity import SecondOpinion
from tests.small_year import write_small_year
from tests.test_cli import run

FILES = {
    "meta.json",
    *("components.csv", "components.png", "decision.csv", "design.csv", "reliability.png"),
    *("coefficients.csv", "grade_risk.csv", "rank_intervals.png", "risk_by_ballots.csv"),
    *("flags.csv", "flags.png", "unanswered.csv", "timeline.png", "without_flagged.csv"),
    *("severity.csv", "severity.png", "adjusted_scores.csv", "units.png"),
}
MORE = {
    *("second_opinion.csv", "second_opinion.png", "weighted.csv", "weighted.png"),
    *("weighted_units.csv", "weighted_shares.csv", "design_effects.png"),
}
SHARES = {f"R{i:02d}": 1 for i in range(1, 10)} | {"R10": 8, "R11": 20, "R12": 25, "R13": 9.5}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years") / "year"
    pm.synthesize(folder, units=12, ballots=1500, groups=2)
    return folder


def shares_file(folder: Path, text: str = "") -> Path:
    rows = "".join(f"{name},{share}\n" for name, share in SHARES.items())
    (file := folder / "shares.csv").write_text(text or "category,share\n" + rows, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def everything(year: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and text of a run with all there is."""
    out = tmp_path_factory.mktemp("all") / "out"
    options = ("--second-opinion", "--shares", shares_file(out.parent), "--out", out)
    with contextlib.redirect_stdout(said := io.StringIO()):
        assert run("reliability", year, *options) == 0
    return out, said.getvalue()


@pytest.fixture(scope="module")
def opinion(year: Path) -> SecondOpinion:
    from perfmethod.severity import second_opinion

    return second_opinion(pm.Year.load(year))


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
    written = pd.read_csv(
        out / "flags.csv", keep_default_na=False, na_values={"p": [""]}, dtype={"ballots": str}
    )
    assert written["ballots"].tolist() == found.shown()["ballots"].tolist()
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


def test_no_rater_leaves_the_program(year: Path, everything):
    out, said = everything
    texts = [p.read_text(encoding="utf-8") for p in out.iterdir()
             if p.suffix in (".csv", ".json")]  # fmt: skip
    told = said + "".join(texts)
    for rater in pm.Year.load(year).ballots["rater_id"].astype(str).unique():
        assert rater not in told


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
    both = ("--cost", "onlin=1", "--cost", "online=x")
    assert run("reliability", year, "--target", 2, "--assurance", 3, "--seed", -1, *both) == 2
    assert "5 problems in the arguments" in capsys.readouterr().err
    (small := write_small_year(tmp_path / "small")).joinpath("ballots.csv").unlink()
    capsys.readouterr()
    assert run("reliability", small) == 2
    assert "ballots" in capsys.readouterr().err


def test_severity_and_the_second_opinion_are_those_of_the_package(year: Path, opinion, everything):
    from perfmethod.severity import rescored

    out, said = everything
    assert {file.name for file in out.iterdir()} == FILES | MORE
    loaded, found = pm.Year.load(year), opinion.first
    table = pd.read_csv(out / "severity.csv", index_col="category")
    assert table["severity"].tolist() == pytest.approx(found.categories["severity"].tolist(),
                                                       rel=0, abs=0, nan_ok=True)  # fmt: skip
    units = pd.read_csv(out / "adjusted_scores.csv", index_col="unit_id")
    assert units["adjusted"].tolist() == found.units["adjusted"].tolist()
    totals = rescored(found).reindex(units.index)
    assert units["total_adjusted"].tolist() == totals["total_adjusted"].tolist()
    assert units["grade_adjusted"].tolist() == totals["grade_adjusted"].tolist()
    second = pd.read_csv(out / "second_opinion.csv", index_col="unit_id")
    assert second["fair"].tolist() == opinion.units["fair"].tolist()
    # the same rescoring by two ways
    assert second["grade_adjusted"].tolist() == units["grade_adjusted"].tolist()
    shown = found.categories["severity"].dropna().sort_values()
    for name in (shown.index[0], shown.index[-1]):
        row = found.categories.loc[name]
        ends = f"({row['lower']:.2f}, {row['upper']:.2f})"
        assert f"  {name}  {loaded.scheme.name(f'survey.categories.{name}', 'en')}: " in said
        assert f"{row['severity']:.2f}  {ends}" in said
    moved = int((found.units["rank_raw"] != found.units["rank_adjusted"]).sum())
    assert f"without it: {moved} of 12 units change place" in said
    grades = int(totals["grade_changes"].sum())
    assert f"{int((totals['rank_change'] != 0).sum())} other ranks, {grades} other grades" in said
    assert f"{opinion.most_places} places apart at most" in said


def test_adjusted_totals_are_those_of_a_year_scored_with_adjusted_review_scores(
    year: Path, opinion
):
    """The slow twin: every unit's total by hand from its nodes."""
    from perfmethod.severity import rescored

    loaded, found = pm.Year.load(year), opinion.first
    totals = rescored(found)
    base = pm.evaluate(loaded).scores["total"]
    assert totals["total"].to_numpy() == pytest.approx(base.reindex(totals.index).to_numpy())
    nodes = loaded.scheme.document["classes"]
    for unit in totals.index:
        leaves = nodes[loaded.units.at[unit, "class"]]["nodes"]
        review = {n: e for n, e in leaves.items() if "survey" in e}
        share = leaves["public_review"]["weight"] / sum(
            e["weight"] for e in leaves.values() if "parent" not in e
        )
        whole = sum(e["weight"] for e in review.values())
        change = sum(
            e["weight"] / whole * (d["adjusted"] - d["raw"])
            for e in review.values()
            for d in [found.dimensions.loc[(unit, e["survey"])]]
        )
        assert totals.at[unit, "total_change"] == pytest.approx(10 * share * change, abs=1e-8)


def test_shares_weigh_the_review(year: Path, everything):
    from perfmethod.calibration import calibrate_review

    out, said = everything
    loaded = pm.Year.load(year)
    weighted = calibrate_review(loaded, SHARES, empty="redistribute")
    scores = pd.read_csv(out / "weighted.csv")
    assert scores["score"].tolist() == pytest.approx(weighted.scores["score"].tolist(),
                                                     rel=0, abs=0, nan_ok=True)  # fmt: skip
    units = pd.read_csv(out / "weighted_units.csv", index_col="unit_id")
    assert units["total_calibrated"].tolist() == weighted.units["total_calibrated"].tolist()
    assert units["name"].tolist() == loaded.unit_names("en").reindex(units.index).tolist()
    assert f"design effect {weighted.scores['deff'].median():.1f} in the middle" in said
    ranks = int((weighted.units["rank_change"] != 0).sum())
    grades = int(weighted.units["grade_changes"].sum())
    assert f"the totals then: {ranks} other ranks, {grades} other grades" in said
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    sha = hashlib.sha256((out.parent / "shares.csv").read_bytes()).hexdigest()
    assert meta["shares"] == {"file": "shares.csv", "sha256": sha}


def test_everything_wrong_with_shares_is_listed_with_its_place(year: Path, tmp_path: Path, capsys):
    out = ("--out", tmp_path / "out")
    lines = [f"{name},{share}" for name, share in SHARES.items()]
    lines[2], lines[4] = "R3,1", "R05,-2"
    text = "\n".join(["category,share", *lines, "R01,1", "R06,much"]) + "\n"
    assert run("reliability", year, "--shares", shares_file(tmp_path, text), *out) == 2
    said = capsys.readouterr().err
    for problem in (
        "shares.csv, row 4, column 'category': found 'R3'; allowed: did you mean 'R13'?",
        "shares.csv, row 6, column 'share': found '-2'; allowed: a number above 0",
        "shares.csv, row 15, column 'category': found R01 twice; allowed: once each",
        "shares.csv, row 16, column 'share': found 'much'; allowed: a number above 0",
        "shares.csv: found no share of category R03, which has ballots; allowed: a row with",
    ):
        assert problem in said, problem
    assert not (tmp_path / "out").exists()
    for text, problem in (
        ("category,weight\nR01,1\n", "row 1, column 'share': found no such column"),
        ("category;share\nR01;1\n", "found columns not separated by commas; allowed: commas"),
        ("category,share\n", "shares.csv: found a header without rows"),
        ("class,category,share\nx,R01,1\n", "row 2, column 'class': found 'x'"),
        ("class,category,share\ncounty_government,R01,1\n",
         "shares.csv, class municipal_department, column 'category': found no share of category"),
    ):  # fmt: skip
        assert run("reliability", year, "--shares", shares_file(tmp_path, text), *out) == 2
        assert problem in capsys.readouterr().err
    assert run("reliability", year, "--shares", tmp_path / "no.csv", *out) == 2
    assert "found no file at --shares" in capsys.readouterr().err


def small_year(folder: Path, keep: Callable[[str], bool]) -> Path:
    file = write_small_year(folder) / "ballots.csv"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([head, *filter(keep, lines)]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("lang", "note"), [
    pytest.param(
        "en", "note: unit:mode: left out, the ballots do not tell it from unit:category", id="en"
    ),
    pytest.param("zh", "注意: 单位×方式: 未列入, 测评票无法将其与单位×评议人类别分开", id="zh"),
])  # fmt: skip
def test_categories_that_are_modes_are_a_note(lang: str, note: str, tmp_path: Path, capsys):
    out = tmp_path / "out"
    small = small_year(tmp_path / "year", lambda line: True)
    written = ("--out", out) if lang == "zh" else ()
    assert run("reliability", small, "--lang", lang, *written) == 0
    assert note in capsys.readouterr().out
    if not written:
        return
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["left_out"] == {"unit:mode": "unit:category"}
    assert "unit:mode" not in pd.read_csv(out / "components.csv")["term"].tolist()


@pytest.mark.parametrize(("keep", "note"), [
    (lambda line: ",R02," not in line, "note: no ballots of category R02: its severity is unknown"),
    # county governments by deputies alone, departments by residents alone
    (lambda line: (",R01," in line) == (",C0" in line),
     "note: severity: ballots: found 2 sets of units without a category of raters in common"),
])  # fmt: skip
def test_what_a_year_does_not_allow_is_a_note(keep, note: str, tmp_path: Path, capsys):
    assert run("reliability", small_year(tmp_path / "year", keep)) == 0
    assert note in capsys.readouterr().out


def test_a_lonely_rater_is_a_note_of_the_weighting(tmp_path: Path, capsys):
    small = small_year(tmp_path / "year", lambda line: "R01-2" not in line)
    shares = shares_file(tmp_path, "category,share\nR01,1\nR02,3\n")
    assert run("reliability", small, "--shares", shares, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "found a single rater of category R01" in said
    assert "Weighted" not in said
    assert not (tmp_path / "out" / "weighted.csv").exists()


def test_figures_name_units_in_their_language(year: Path, opinion):
    from perfmethod.calibration import calibrate_review

    loaded = pm.Year.load(year)
    weighted = calibrate_review(loaded, SHARES, empty="redistribute")
    for draw, kinds in ((opinion.first.plot, ("units", "categories")),
                        (opinion.plot, ("units", "categories")),
                        (weighted.plot, ("change", "effects"))):  # fmt: skip
        for kind in kinds:
            for lang, chinese in (("en", False), ("zh", True)):
                ax = draw(kind, lang=lang)
                names = [label.get_text() for label in ax.get_yticklabels()]
                texts = [*names, ax.get_title(loc="left"), ax.get_xlabel()]
                assert all(map(CHINESE.search, names)) is chinese
                assert any(map(CHINESE.search, texts)) is chinese


@pytest.mark.parametrize(("change", "reason"), [
    (lambda line: line if ",D01," in line else "", "found 1 level: no variance can be seen"),
    (lambda line: re.sub(r"(?<=,)[1-9](?=,|$)", "1", line), "that are all equal; allowed"),
])  # fmt: skip
def test_what_one_unit_or_equal_answers_allow_is_written(change, reason, tmp_path: Path, capsys):
    file = write_small_year(tmp_path / "year") / "ballots.csv"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    kept = [new for line in lines if (new := change(line))]
    file.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    assert run("reliability", tmp_path / "year", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "note: components of variance and cheapest survey: " in said
    assert reason in said
    assert "Components of variance" not in said
    written = {each.name for each in (tmp_path / "out").iterdir()}
    assert {"coefficients.csv", "flags.csv", "meta.json"} <= written
    assert not {"components.csv", "decision.csv", "design.csv", "severity.csv"} & written


def test_intervals_are_named(everything, year: Path):
    from perfmethod.reliability import generalizability

    out, said = everything
    study = generalizability(pm.Year.load(year))
    assert f"Components of variance, 95 % intervals ({study.told()}):" in said
    assert f"\n  {study.decision().told()}\n" in said
    assert "intervals by Student's t, Satterthwaite)" in said
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["interval"] == study.told()
