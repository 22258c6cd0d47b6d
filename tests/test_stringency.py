"""Stringency of an evaluated year: identities with the scoring core, twins, words, refusals."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.scoring import Evaluation
from perfmethod.stringency import (
    ASSUMPTIONS,
    DeltaSweep,
    Parts,
    Stringency,
    connectivity,
    delta_sweep,
    parts_of,
    simulate_shifts,
    stringency,
    survey_reliability,
)
from perfmethod.synthetic import synthetic_year

mpl.use("Agg")

ROOT = Path(__file__).resolve().parents[1]
COUNTIES = ("C01", "C02", "C03", "C04")


@cache
def city() -> Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


@cache
def found() -> Stringency:
    return stringency(city(), draws=999)


@cache
def pooled() -> DeltaSweep:
    return found().sweep(pool="class")


@cache
def parts() -> Parts:
    return parts_of(city())


# the panel's part moves through the scoring core


def test_moved_tasks_give_what_other_actual_values_give() -> None:
    # statutory duties are completion ratios: a point of the score is a hundredth of the target
    year, mine = city().year, parts()
    tasks = year.tasks
    assert tasks is not None
    nodes = city().nodes
    under = nodes[nodes["node"].str.contains("-S") & nodes["unit_id"].isin(mine.panel.index)]
    own = tasks["indicator_id"].isin(under["node"]) & tasks["unit_id"].isin(under["unit_id"])
    down = -1.0 - 0.1 * np.arange(len(mine.panel))
    points = pd.Series(down, mine.panel.index)
    tasks.loc[own, "actual"] += tasks["unit_id"].map(points)[own] * tasks["target"][own] / 100
    other = pm.evaluate(year.replace(tasks=tasks))
    moved = simulate_shifts(city(), mine, np.stack([0 * down, down]))
    np.testing.assert_allclose(moved.total[0], city().scores["total"], atol=1e-9)
    np.testing.assert_allclose(moved.total[1], other.scores["total"], atol=1e-8)
    assert moved.rank[1].tolist() == other.scores["rank"].tolist()
    levels = np.array(moved.levels)
    assert moved.grade is not None
    assert levels[moved.grade[1]].tolist() == other.scores["grade"].tolist()


@pytest.mark.parametrize("panel", ["public_review", "internal", ("statutory_duty", "internal")])
def test_totals_move_by_weight_times_points(panel) -> None:
    anchors = ("common", "spot_check")
    mine = parts_of(city(), panel, anchors, leave_out=COUNTIES)
    up = np.linspace(-3, 3, len(mine.panel))
    moved = simulate_shifts(city(), mine, up[None])
    rows = city().nodes[city().nodes["node"].isin(mine.panel_nodes)]
    weight = rows.groupby("unit_id")["effective_weight"].sum().reindex(mine.panel.index)
    change = pd.Series(moved.total[0], moved.units) - city().scores["total"]
    np.testing.assert_allclose(change[mine.panel.index], 10 * weight * up, atol=1e-8)
    np.testing.assert_allclose(change.drop(mine.panel.index), 0, atol=1e-9)


def test_scores_may_leave_the_scale_and_that_is_told() -> None:
    effects = pd.Series(-20.0, parts().groups.unique())
    sweep = delta_sweep(city(), parts(), effects)
    beyond = sweep.units["beyond_scale"]
    assert beyond.sum() == (parts().panel > 80).sum() > 0
    # no ceiling holds anyone back: all units of a weight gain the same
    gain = (sweep.units["total_1"] - sweep.units["total_0"])[parts().panel.index]
    rows = city().nodes[city().nodes["node"] == "statutory_duty"].set_index("unit_id")
    np.testing.assert_allclose(gain, 200 * rows["effective_weight"][gain.index], atol=1e-8)


def test_totals_that_are_not_the_evaluation_are_refused() -> None:
    other = replace(city(), scores=city().scores.assign(total=city().scores["total"] + 0.01))
    with pytest.raises(PerfmethodError, match=r"differ by 0.01 points before anything moved"):
        simulate_shifts(other, parts(), np.zeros((1, 45)))


def test_a_mean_that_is_not_arithmetic_is_refused() -> None:
    path = "classes.municipal_department.nodes.statutory_duty.power"
    year = city().year.with_scheme(city().year.scheme.patch({path: 0.5}))
    with pytest.raises(PerfmethodError, match=r"power = 0.5 at 'statutory_duty'"):
        stringency(pm.evaluate(year), draws=99).sweep()


# the sweep


@pytest.mark.parametrize("pool", [None, "class"])
def test_changes_of_grades_are_those_of_a_fine_grid(pool) -> None:
    sweep = found().sweep("effect", pool=pool)
    assert sweep.exact
    deltas = np.linspace(0, 1, 129)
    shift = -parts().groups.map(found().groups["effect"].to_dict()).to_numpy(float)
    grid = simulate_shifts(city(), parts(), np.outer(deltas, shift), pool=pool)
    assert grid.grade is not None
    seen = np.array(grid.levels)[grid.grade]
    for at, unit in enumerate(grid.units):
        mine = sweep.changes[sweep.changes["unit_id"] == unit]
        held = [sweep.units.loc[unit, "grade_0"], *mine["grade_to"]]
        step = np.searchsorted(mine["delta"].to_numpy(float), deltas, side="right")
        assert [held[s] for s in step] == seen[:, at].tolist()
    first = sweep.changes.groupby("unit_id")["delta"].min()
    pd.testing.assert_series_equal(
        sweep.units["first_change"].dropna().sort_index(), first, check_names=False
    )
    ends = sweep.units["total_0"], sweep.units["total_1"]
    for unit, delta in first.items():  # there its total meets another's
        total = ends[0] + delta * (ends[1] - ends[0])
        assert (total.drop(unit) - total[unit]).abs().min() < 1e-6
    changed = (seen != seen[0]).any(axis=0)
    assert sweep.units["depends"].to_numpy()[changed].all()
    assert sweep.units["rank_best"].le(grid.rank.min(axis=0)).all()
    assert sweep.curve.index[[0, -1]].tolist() == [0.0, 1.0]


def test_inside_group_quotas_stringency_moves_next_to_nothing() -> None:
    inside = found().sweep()
    assert (inside.pool, pooled().pool) == ("group", "class")
    assert "Places are given inside the groups" in inside.words("en")
    assert "名额在各评审组内部分配" in inside.words("zh")
    assert "Places are given" not in pooled().words("en")
    assert inside.units["depends"].sum() < pooled().units["depends"].sum()
    moved = pooled().units[pooled().units["depends"]]
    assert all(name in pooled().words("en") for name in moved["name_en"])
    assert "no data of this year can tell" in pooled().words("en")
    first = pooled().to_frame().iloc[0]
    assert first["depends"]
    assert 0 < first["first_change"] < 1
    assert first["held"] == pytest.approx(first["first_change"])


def test_a_sweep_that_moves_nothing_says_so() -> None:
    sweep = delta_sweep(city(), parts(), pd.Series(0.0, parts().groups.unique()))
    assert not sweep.units["depends"].any()
    assert "nothing is shown" in sweep.words("en")
    assert "不能说明" in sweep.words("zh")


def test_a_scheme_without_grades_is_swept_for_ranks() -> None:
    document = {k: v for k, v in city().year.scheme.document.items()
                if k not in ("grades", "results", "vetoes")}  # fmt: skip
    year = city().year.replace(vetoes=None).with_scheme(pm.Scheme(document))
    sweep = stringency(pm.evaluate(year), draws=99).sweep()
    assert not sweep.units["depends"].any()
    assert (sweep.units["rank_best"] < sweep.units["rank_worst"]).any()
    assert "Ranks move by up to" in sweep.words("en")
    assert sweep.plot().get_xlabel()


def test_a_curved_scheme_is_swept_on_a_grid() -> None:
    path = "classes.municipal_department.power"
    year = city().year.with_scheme(city().year.scheme.patch({path: 0.0}))
    sweep = stringency(pm.evaluate(year), draws=99).sweep(pool="class")
    assert not sweep.exact
    assert len(sweep.curve) > 200


# the analysis


def test_effects_are_those_of_the_parts_it_took() -> None:
    groups, fit = found().groups, found()._fit
    nodes = city().nodes.pivot(index="unit_id", columns="node", values="score")
    assert parts().left_out == COUNTIES
    pd.testing.assert_series_equal(
        parts().panel, nodes["statutory_duty"].dropna(), check_names=False
    )
    lead = groups["panel_lead"] - groups["anchor_lead"]
    np.testing.assert_allclose(groups["effect"], lead, atol=1e-9)
    assert (groups["low"] < groups["effect"]).all()
    assert (groups["effect"] < groups["high"]).all()
    assert (groups["p_holm"] >= groups["p"]).all()
    assert groups["p_holm"].min() == pytest.approx(7 * groups["p"].min())
    assert groups["p_holm"].max() < 7 * groups["p"].max()
    assert (groups["shrunk"].abs() <= groups["effect"].abs() + 0.5).all()
    assert found().variance.loc["sd", "low"] <= found().variance.loc["sd", "estimate"]
    assert found().power["power"].is_monotonic_increasing
    assert found().tests.loc["f", "f"] == fit.f
    assert found().meta["anchors"] == ("common", "public_review")
    assert found().to_frame().equals(groups)


def test_reliability_of_the_review_is_that_of_its_ballots() -> None:
    share = survey_reliability(city(), parts())
    assert set(share) == {"public_review"}
    # errors of the differences of units inside groups, pair by pair; dimensions weigh alike
    review = city().review
    assert review is not None
    dims = ["duty", "efficiency", "behavior", "self_build"]
    cov = review.covariance()
    cov = cov[cov.index.get_level_values("dimension").isin(dims)]
    cov = cov.groupby("unit_id").mean().T.groupby("unit_id").mean()
    x, square, errors = parts().anchors["public_review"], 0.0, 0.0
    for _, mine in x.groupby(parts().groups):
        for a, b in itertools.combinations(mine.index, 2):
            square += (mine[a] - mine[b]) ** 2 / len(mine)
            errors += (cov.loc[a, a] + cov.loc[b, b] - 2 * cov.loc[a, b]) / len(mine)
    assert share["public_review"] == pytest.approx(1 - errors / square)
    raw = np.diag(cov.loc[x.index, x.index]).mean()  # shared raters move no unit against another
    assert 1 - raw / square * (len(x) - 7) < share["public_review"] < 1
    slopes = found().slopes
    assert slopes.loc["common", "reliability"] == 1
    assert slopes.loc["public_review", "corrected"] > slopes.loc["public_review", "slope"]
    weaker = stringency(city(), reliability={"public_review": 0.8}, draws=99).slopes
    assert weaker["corrected"].iloc[1] > slopes["corrected"].iloc[1]


def test_words_never_take_no_evidence_for_no_difference() -> None:
    first, effect, lead, last = found().words("en")
    assert "7 parts that no assessor joins" in first
    assert "differ between groups" in effect
    assert "with 80 % chance" in effect
    assert "3 of 7 groups" in lead
    assert "no data of this year can tell" in last
    # nothing stands between groups in what one public rated
    quiet = stringency(city(), panel="review_duty", anchors=("common", "spot_check"), draws=99,
                       leave_out=COUNTIES)  # fmt: skip
    assert quiet.tests.loc["f", "p"] > 0.05
    said = quiet.words("en")[1]
    assert "which is not evidence of none" in said
    assert "with 80 % chance" in said
    assert "不等于没有差异" in quiet.words("zh")[1]
    assert "detects" in repr(quiet)
    assert "No group difference shown, yet" in quiet.plot(lang="en").get_title("left")


def test_shared_raters_join_the_panels() -> None:
    group = parts().groups
    raters, units = [f"p{g}" for g in group], list(group.index)
    assert len(found().connectivity.parts) == 7
    linked = stringency(city(), raters=([*raters, *["x"] * 45], [*units, *units]), draws=99)
    assert linked.connectivity.connected
    assert linked.words("en")[0].startswith("Assessors who rate in several groups join")
    # the public rated everyone: its ballots join all units
    ballots = city().year.ballots
    assert ballots is not None
    connectivity(ballots["rater_id"], ballots["unit_id"]).require()


def test_methods_stand_side_by_side_with_what_they_assume() -> None:
    table = found().compare_methods(pool="class")
    assert list(table.methods.index) == list(ASSUMPTIONS)
    assert table.methods["usable"].all()
    assert (table.ranks["raw"] == city().scores["rank"]).all()
    assert table.methods.loc["raw", ["grades_changed", "rank_moves"]].tolist() == [0, 0]
    sweep = pooled().units
    assert (table.ranks["empirical_bayes"] == sweep["rank_1"]).all()
    assert (table.grades["empirical_bayes"] == sweep["grade_1"]).all()
    group = parts().groups
    centered = table.panel["mean"].groupby(group).mean()
    np.testing.assert_allclose(centered, parts().panel.mean(), atol=1e-9)
    spread = table.panel["z_score"].groupby(group).std()
    np.testing.assert_allclose(spread, parts().panel.std(), atol=1e-9)
    # within a group none of the straight ones changes the order
    order = table.panel.groupby(group).rank()
    for name in ("mean", "z_score", "circle_arc", "tucker", "ancova", "errors_in_anchors"):
        assert (order[name] == order["raw"]).all()
    without = stringency(city(), reliability={}, draws=99).compare_methods()
    assert "errors_in_anchors" not in without.methods.index
    assert without.to_frame().equals(without.methods)


def test_a_method_that_does_not_apply_says_why() -> None:
    # two groups of two units: too few for a line through the anchors of a group
    keep = ["D01", "D02", "D03", "D09", "D10", *parts().panel.index[-4:]]
    out = [u for u in city().scores.index if u not in keep]
    few = stringency(city(), anchors="public_review", leave_out=out, draws=99)
    assert few.groups["units"].min() == 2
    table = few.compare_methods().methods
    assert not table.loc["tucker", "usable"]
    assert "3 or more" in table.loc["tucker", "note"]
    assert np.isnan(table.loc["tucker", "rank_moves"])
    assert table.loc["mean", "usable"]


def test_leaves_of_the_anchors_are_checked_for_groups() -> None:
    check = found().check_anchors()
    assert set(check.steps["anchor"]) == {
        *(f"P0{k}" for k in (68, 69, 70, 71)), *(f"M0{k}" for k in range(57, 65)),
        *(f"review_{d}" for d in ("duty", "efficiency", "behavior", "self_build")),
    }  # fmt: skip
    assert (check.steps["detectable"] > 0).all()
    assert check.to_frame().equals(check.steps)


def test_the_planted_stringency_of_a_synthetic_year_is_found() -> None:
    # three synthetic years; the table in benchmarks/results has 500
    inside, effects, truths = [], [], []
    for seed in (1, 2, 3):
        drawn = synthetic_year(seed=seed, ballots=8000)
        year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
        mine = stringency(pm.evaluate(year), draws=99).groups
        truth = -drawn.truth["groups"].set_index("group")["stringency"].reindex(mine.index)
        truth -= truth.mean()
        effects += mine["effect"].tolist()
        truths += truth.tolist()
        inside.append(((mine["low"] <= truth) & (truth <= mine["high"])).mean())
    assert np.corrcoef(effects, truths)[0, 1] > 0.7  # about 0.87 is to be expected
    assert np.mean(inside) >= 0.8  # of 21 intervals at 95 %: fewer in one of two thousand tries


# refusals


def test_impossible_comparisons_are_refused_with_every_reason() -> None:
    with pytest.raises(DataError) as caught:
        stringency(city(), panel="statutory", anchors=["comon"], leave_out=["D99"])
    told = str(caught.value)
    assert "did you mean 'statutory_duty'" in told
    assert "did you mean 'common'" in told
    assert "'D99'" in told
    with pytest.raises(DataError) as caught:
        stringency(city(), anchors=["indicator", "public_review", "review_duty"])
    told = str(caught.value)
    assert "'indicator', part of what the panel scores" in told
    assert "'review_duty', part of another anchor" in told
    with pytest.raises(DataError, match="leave out the units"):
        stringency(city(), panel="internal")
    with pytest.raises(DataError, match="livelihood"):  # 24 departments have no such task
        stringency(city(), anchors=["livelihood"])
    with pytest.raises(DataError, match="by any amount of data"):
        stringency(city(), anchors=[])
    with pytest.raises(DataError, match="own panels score"):
        stringency(city(), panel=[])
    with pytest.raises(DataError, match="'gruppe'"):
        stringency(city(), by="gruppe")
    with pytest.raises(DataError, match="no class in which 'by' has two groups"):
        stringency(city(), by=pd.Series({"D01": "a"}))
    with pytest.raises(DataError, match="no group of"):
        stringency(city(), panel="statutory_duty", by=pd.Series({"D01": "a", "D02": "b"}))
    with pytest.raises(DataError) as caught:
        stringency(city(), level=2, alpha=0, draws=5)
    assert len(caught.value.problems) == 3
    with pytest.raises(DataError, match="one of common, public_review"):
        stringency(city(), reliability={"spot_check": 0.5})
    with pytest.raises(DataError, match=r"no rater of D03, .* \(43 units\)"):
        stringency(city(), raters=(["r", "r"], ["D01", "D02"]))


def test_unknown_effects_and_pools_are_refused() -> None:
    with pytest.raises(PerfmethodError, match="did you mean 'shrunk'"):
        found().sweep("shrunken")
    with pytest.raises(PerfmethodError, match="one of all, class, group"):
        found().sweep(pool="x")


# pictures


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures_show_the_figures_of_the_tables(lang) -> None:
    ax = found().plot(lang=lang)
    points = next(c for c in ax.collections if c.get_gid() == "effect")
    shown = np.asarray(points.get_offsets())[:, 0]
    np.testing.assert_allclose(shown, np.sort(found().groups["effect"]))
    assert len(ax.get_yticklabels()) == 7
    bands = pooled().plot(lang=lang)
    assert len(bands.patches) == pooled().units["depends"].sum() + len(pooled().changes)
    assert {t.get_text() for t in bands.get_yticklabels()} == set(
        pooled().units.loc[pooled().units["depends"], f"name_{lang}"]
    )
    # where no grade depends on delta the units with the best grade are shown
    assert len(found().sweep().plot(lang=lang).patches) == 13
