"""What scoring must keep, whatever the scheme: the law of draws, and what changes nothing.

The law: draw k of a simulation is the scheme rewritten with the numbers of draw k, scored alone.
Ranks and grades are the same; totals agree to 1e-13 of the full score, not to the bit, because
children without draws are added up together, in another order than one by one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.aggregation import power_mean
from perfmethod.core import BLOCK, FILLS
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.normalization import METHODS
from perfmethod.year.facts import RATIOS
from tests.random_years import FIXED, Made, drawn_values, patch_of, years
from tests.small_year import write_small_year
from tests.test_normalization_laws import NOT_MONOTONE

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
many = settings(max_examples=60, deadline=None, suppress_health_check=CHECKS)
some = settings(max_examples=20, deadline=None, suppress_health_check=CHECKS)
LAW, SUM = 1e-13, 1e-12  # of the full score: draws; sums of the same numbers in another order
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    folder = write_small_year(tmp_path_factory.mktemp("year"))
    return pm.Year.load(folder, pm.Scheme.load(folder / "scheme.toml"))


@pytest.fixture(scope="module")
def city() -> pm.Year:
    folder = ROOT / "data" / "2009"
    return pm.Year.load(folder, pm.Scheme.load(folder / "scheme.toml"))


# ---- the law


def rescored(year: pm.Year, values: Mapping[str, Any]) -> pm.Evaluation:
    """The year rewritten with the values of one draw and scored alone."""
    actuals = {path: value for path, value in values.items() if path.startswith("tasks.")}
    numbers = {path: value for path, value in values.items() if path not in actuals}
    year = year.with_scheme(patch_of(year.scheme, numbers))
    if actuals:
        tasks = year.tasks
        row = {
            key: i
            for i, key in enumerate(zip(tasks["unit_id"], tasks["indicator_id"], strict=True))
        }
        actual = tasks["actual"].to_numpy(copy=True)
        for path, value in actuals.items():
            _, unit, indicator, _ = path.split(".")
            actual[row[unit, indicator]] = value
        year = year.replace(tasks=tasks.assign(actual=actual))
    return pm.evaluate(year)


def scored(make: Callable[[], Any]) -> Any:
    """The result, or None where there is none: a unit without any score, a negative score under
    a mean that is not arithmetic, more places promised than there are."""
    try:
        return make()
    except (PerfmethodError, ValueError):
        return None


def assert_same_draw(simulation: pm.Simulation, k: int, alone: pm.Evaluation) -> None:
    found, wanted = simulation.total[k], alone.scores["total"].to_numpy()
    scale = max(float(alone.year.scheme.number("base")), float(np.abs(wanted).max()))
    assert np.abs(found - wanted).max() <= LAW * scale
    assert simulation.rank[k].tolist() == alone.scores["rank"].tolist()
    grade = [""] * len(found) if simulation.grade is None else [
        simulation.levels[code] for code in simulation.grade[k]
    ]  # fmt: skip
    assert grade == alone.scores["grade"].tolist()


@many
@given(data=st.data())
def test_a_draw_is_the_scheme_rewritten_and_scored_alone(data: st.DataObject) -> None:
    made = data.draw(years())
    year = made.year
    values = data.draw(drawn_values(made, year))
    assume(values)
    alone = [scored(lambda k=k: rescored(year, {p: v[k].item() for p, v in values.items()}))
             for k in range(3)]  # fmt: skip
    failed = [k for k, one in enumerate(alone) if one is None]
    together = scored(lambda: pm.simulate(year, values))
    assert (together is None) == bool(failed)
    counted = scored(lambda: pm.simulate(year, values, failures="count"))
    assert (counted is None) == (len(failed) == 3)
    for simulation in (s for s in (together, counted) if s is not None):
        assert [failure.draw for failure in simulation.failures] == failed
        for k, one in enumerate(alone):
            if one is not None:
                assert_same_draw(simulation, k, one)


def everything(year: pm.Year, size: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Draws of all that moves a total of the small year, within what its scheme allows."""
    rng = np.random.default_rng(seed)
    values: dict[str, np.ndarray] = {}
    for path, value in year.scheme.numbers.items():
        last = path.rpartition(".")[2]
        if last == "weight" or ".weight." in path or last == "score":
            values[path] = value * rng.uniform(0.5, 1.5, size)
        elif last in ("missing", "missing_task", "missing_value"):
            values[path] = rng.choice(FILLS, size)
        elif last == "power":
            values[path] = rng.choice([-1.0, 0.0, 1.0, 2.5], size)
        elif last == "places":
            values[path] = rng.integers(0, 6, size)
        elif last in ("base", "cap", "bonus_cap", "deduction_cap"):
            values[path] = value * rng.uniform(1.0, 1.2, size)
    for task in year.tasks.itertuples():
        if task.indicator_id != "D001":
            path = f"tasks.{task.unit_id}.{task.indicator_id}.actual"
            values[path] = task.actual * rng.uniform(0.8, 1.2, size)
    return values


def test_the_law_holds_with_everything_drawn_and_across_blocks(small: pm.Year) -> None:
    values = everything(small, 2 * BLOCK + 3)
    together = pm.simulate(small, values)
    for k in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 2):
        assert_same_draw(together, k, rescored(small, pm.Draws.of(values).draw(k)))


@given(weight=st.floats(1e-3, 1e3), power=st.floats(1e-6, 0.06))
def test_zeros_alone_have_the_mean_zero(weight: float, power: float) -> None:
    """Near power 0 the term of a zero is -1 / power, which a weighted mean rounds either way: to
    beyond it, where no score is, or to a score of (2 ** -53) ** (1 / power), below 1e-300.
    """
    assert 0 <= power_mean([0.0, 0.0], [weight, weight / 3], power) < 1e-300


def assert_size_decides_nothing(year: pm.Year, values: dict[str, np.ndarray]) -> None:
    full = pm.simulate(year, values)
    for size in (1, 2, 3, 15, 31, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 7):
        part = pm.simulate(year, {path: value[:size] for path, value in values.items()})
        for name in ("total", "rank", "grade"):
            assert np.array_equal(getattr(part, name), getattr(full, name)[:size]), (size, name)


def weight_paths(year: pm.Year) -> list[str]:
    return [p for p in year.scheme.numbers if p.endswith(".weight")]


def test_how_many_draws_there_are_changes_no_bit_of_any(small: pm.Year) -> None:
    assert_size_decides_nothing(small, everything(small, 2 * BLOCK + 3))


def test_nor_where_only_weights_are_drawn(city: pm.Year) -> None:
    """Then many children without draws are added up in one matrix product."""
    rng, size = np.random.default_rng(0), BLOCK + 40
    values = {p: rng.uniform(0.5, 2.0, size) for p in weight_paths(city)}
    assert_size_decides_nothing(city, values)


@pytest.mark.parametrize("which", ["small", "city"])
def test_sampled_draws_are_the_given_draws_of_the_same_values(
    request: pytest.FixtureRequest, which: str
) -> None:
    year: pm.Year = request.getfixturevalue(which)
    paths = weight_paths(year)

    def sampler(generator: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {path: generator.uniform(0.5, 2.0, n) for path in paths}

    def simulated(seed: int, size: int = BLOCK + 40) -> np.ndarray:
        return pm.simulate(year, pm.Draws.sampled(size, sampler, paths, seed=seed)).total

    sampled = pm.Draws.sampled(BLOCK + 40, sampler, paths, seed=0)
    parts = [values for _, values in sampled.blocks()]
    values = {path: np.concatenate([part[path] for part in parts]) for path in paths}
    assert np.array_equal(simulated(0), pm.simulate(year, values).total)
    assert np.array_equal(simulated(0), simulated(0))
    assert np.array_equal(simulated(0)[: BLOCK + 1], simulated(0, BLOCK + 1))
    assert not np.array_equal(simulated(0), simulated(1))
    drawn = sampled.draw(BLOCK + 39)
    assert drawn == {path: float(value[-1]) for path, value in values.items()}


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("classes.county_government.nodes.indicatr.weight",
         "classes.county_government.nodes.indicator.weight"),
        ("indicators.P001.rule.capp", "indicators.P001.rule.cap"),
        ("adjustments.bonus_caps", "adjustments.bonus_cap"),
        ("tasks.C01.P01.actual", "tasks.C01.P001.actual"),
        ("review.C01.livelyhood", "review.C01.livelihood"),
        ("rating.C1", "rating.C01"),
    ],
)  # fmt: skip
def test_an_unknown_path_is_refused_with_the_nearest_one(
    small: pm.Year, path: str, near: str
) -> None:
    with pytest.raises(KeyError, match=rf"'{path}'.*did you mean '{near}'"):
        pm.simulate(small, {path: [1.0, 2.0]})


def test_a_drawn_actual_is_counted_per_head_and_certified_like_the_one_it_stands_for(
    small: pm.Year,
) -> None:
    total = pm.evaluate(small).scores["total"].tolist()
    assert small.scheme.document["indicators"]["P004"]["per"] == "population"
    # the level of D03 is uncertified: no value of it may score
    for path, values in {"C01.P004": [91.0, 91.0], "D03.D001": [0.0, 3.0]}.items():
        found = pm.simulate(small, {f"tasks.{path}.actual": values}).total
        np.testing.assert_allclose(found, [total, total], rtol=1e-13)


@pytest.mark.parametrize("unit", ["D01", "D03"])
def test_a_task_that_a_unit_does_not_have_cannot_be_drawn(small: pm.Year, unit: str) -> None:
    with pytest.raises(KeyError, match="tasks"):
        pm.simulate(small, {f"tasks.{unit}.P002.actual": [1.0]})


def test_drawn_survey_and_internal_scores_stand_in_for_the_measured_ones(small: pm.Year) -> None:
    """To one decimal unit: 60, 30 and 10 of 100, and dimensions of equal weight."""
    base = pm.simulate(small, {"review.C01.livelihood": [50.0, 60.0], "rating.C01": [80.0, 90.0]})
    gain = base.total[1] - base.total[0]
    assert gain[0] == pytest.approx(1000 * (0.3 * 0.5 * 0.10 + 0.1 * 0.10), abs=1e-9)
    assert gain[1:].tolist() == [0, 0, 0, 0]


# ---- what changes nothing


def evaluated(made: Made) -> pm.Evaluation:
    """Evaluation of a random year; years in which some unit has no score are left out."""
    found = scored(lambda: pm.evaluate(made.year))
    assume(found is not None)
    return found


def scale_of(made: Made) -> float:
    return max(made.document["base"], 1.0) * (1 + SUM)


def assert_totals(made: Made, before: pd.DataFrame, after: pd.DataFrame) -> None:
    gap = np.abs(before["total"].to_numpy() - after["total"].to_numpy()).max()
    assert gap <= SUM * max(made.document["base"], float(before["total"].abs().max()))


@some
@given(data=st.data())
def test_the_order_of_units_and_tasks_decides_nothing(data: st.DataObject) -> None:
    made = data.draw(years())
    before = evaluated(made).scores
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    shuffled = {n: t.iloc[rng.permutation(len(t))] for n, t in made.tables.items()}
    after = evaluated(made._replace(tables=shuffled)).scores.loc[before.index]
    assert_totals(made, before, after)
    same = ["class", "group", "rank", "group_rank", "grade"]
    pd.testing.assert_frame_equal(before[same], after[same])


NEW_NAMES = [
    "rule",
    "actual",
    "weight",
    "names",
    "indicators",
    "nodes",
    "tasks",
    "指标一",
    "0",
    "-",
]


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(k, k): renamed(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v, names) for v in value]
    return names.get(value, value) if isinstance(value, str) else value


@some
@given(data=st.data())
def test_names_are_only_names(data: st.DataObject) -> None:
    made = data.draw(years())
    before = evaluated(made)
    document, units = made.document, made.tables["units"]
    old = [
        *document["classes"],
        *document["indicators"],
        *units["unit_id"],
        *units["group"].unique(),
    ]
    old += [n for c in document["classes"].values() for n in c["nodes"]]
    new = data.draw(st.permutations([*NEW_NAMES, *(f"x{i}" for i in range(len(old)))]))
    names = dict(zip(old, new, strict=False))
    frames = {n: t.replace(names) if n != "ballots" else t.assign(unit_id=t["unit_id"].map(names))
              for n, t in made.tables.items()}  # fmt: skip
    other = Made(renamed(document, names), frames)
    after = evaluated(other)
    assert after.scores.index.tolist() == [names[u] for u in before.scores.index]
    same = ["total", "rank", "group_rank", "grade", "bonus", "deduction"]
    assert before.scores[same].to_numpy().tolist() == after.scores[same].to_numpy().tolist()
    nodes = before.nodes.assign(node=before.nodes["node"].replace(names))
    same = ["node", "score", "effective_weight", "contribution"]
    assert nodes[same].fillna(-1.0).to_numpy().tolist() == (
        after.nodes[same].fillna(-1.0).to_numpy().tolist()
    )
    indicator = data.draw(st.sampled_from([*document["indicators"], None]))
    if indicator is not None and (paths := rule_paths(made.year, indicator)):
        drawn = {p: [made.year.scheme.number(p) * f for f in (1.0, 1.01)] for p in paths}
        moved = {
            f"indicators.{names[indicator]}.rule.{p.split('.', 3)[3]}": v for p, v in drawn.items()
        }
        one, two = (scored(lambda y=y, d=d: pm.simulate(y, d).total.tolist())
                    for y, d in ((made.year, drawn), (other.year, moved)))  # fmt: skip
        assert one == two


def rule_paths(year: pm.Year, indicator: str) -> list[str]:
    return [p for p in year.scheme.numbers if p.startswith(f"indicators.{indicator}.rule.")]


def copied(made: Made, node: str) -> Made:
    """The year with a node split in two halves that have the same below them."""
    document = copy.deepcopy(made.document)
    (class_id,) = [c for c, value in document["classes"].items() if node in value["nodes"]]
    nodes = document["classes"][class_id]["nodes"]
    nodes[node]["weight"] /= 2
    below = {node}
    for name, entry in nodes.items():  # parents stand before their children
        if entry.get("parent") in below:
            below.add(name)
    for name in [n for n in nodes if n in below]:
        entry = dict(nodes[name])
        if name != node:
            entry["parent"] += "_half"
        nodes[f"{name}_half"] = entry
    tasks = [made.tables["tasks"]] if "tasks" in made.tables else []
    units = made.tables["units"]
    mine = units.loc[units["class"] == class_id, "unit_id"]
    for name, entry in list(document["indicators"].items()):
        parent = (
            entry["parent"] if isinstance(entry["parent"], str) else entry["parent"].get(class_id)
        )
        if parent in below:
            twin = copy.deepcopy(entry) | {"parent": {class_id: f"{parent}_half"}}
            document["indicators"][f"{name}_half"] = twin
            rows = tasks[0][(tasks[0]["indicator_id"] == name) & tasks[0]["unit_id"].isin(mine)]
            tasks.append(rows.assign(indicator_id=f"{name}_half"))
    frames = {"tasks": pd.concat(tasks, ignore_index=True)} if tasks else {}
    return Made(document, made.tables | frames)


@some
@given(data=st.data())
def test_a_node_split_in_two_equal_halves_counts_as_before(data: st.DataObject) -> None:
    made = data.draw(years())
    before = evaluated(made)
    nodes = [n for c in made.document["classes"].values() for n in c["nodes"]]
    node = data.draw(st.sampled_from(nodes))
    after = evaluated(copied(made, node))
    assert_totals(made, before.scores, after.scores)
    points = [e.nodes.groupby(["unit_id", "node"])["contribution"].sum().unstack()
              for e in (before, after)]  # fmt: skip
    halves = points[1][node].add(points[1][f"{node}_half"], fill_value=0.0)
    gap = (points[0][node] - halves).abs().max()
    assert not gap > 1e-9 * scale_of(made)


@some
@given(data=st.data())
def test_an_indicator_split_in_two_identical_ones_counts_as_before(data: st.DataObject) -> None:
    """Under any power: equal scores with half the weight each are one score with the whole."""
    made = data.draw(years())
    assume("tasks" in made.tables)
    before = evaluated(made).scores
    name = data.draw(st.sampled_from(sorted(made.document["indicators"])))
    document, tasks = copy.deepcopy(made.document), made.tables["tasks"]
    document["indicators"][name]["weight"] /= 2
    document["indicators"]["twin"] = copy.deepcopy(document["indicators"][name])
    twin = tasks[tasks["indicator_id"] == name].assign(indicator_id="twin")
    frames = {"tasks": pd.concat([tasks, twin], ignore_index=True)}
    after = evaluated(Made(document, made.tables | frames)).scores
    assert_totals(made, before, after)


MIRRORED = {n for n, rule in METHODS.items() if rule.reversal == "mirror" and n not in RATIOS}


@some
@given(data=st.data())
def test_an_indicator_turned_over_scores_the_same(data: st.DataObject) -> None:
    """Values, targets and parameters on the same scale negated, the direction flipped; rules that
    divide by the target refuse one below zero."""
    made = data.draw(years(methods=MIRRORED))
    assume("tasks" in made.tables)
    before = evaluated(made).scores
    document, tasks = copy.deepcopy(made.document), made.tables["tasks"].copy()
    for entry in document["indicators"].values():
        entry["direction"] = "positive" if entry.get("direction") == "negative" else "negative"
        entry["rule"] |= negated(entry["rule"])
    tasks[["actual", "target"]] *= -1
    after = evaluated(Made(document, made.tables | {"tasks": tasks})).scores
    assert before["total"].tolist() == after["total"].tolist()
    assert before["grade"].tolist() == after["grade"].tolist()


def negated(rule: dict[str, Any]) -> dict[str, Any]:
    swap = {"lower": "upper", "upper": "lower"}
    on_scale = [n for n in METHODS[rule["method"]].on_scale if n in rule]
    return {swap.get(n, n): (-np.array(rule[n])).tolist() for n in on_scale}


@some
@given(data=st.data())
def test_weights_are_relative_among_siblings(data: st.DataObject) -> None:
    made = data.draw(years())
    before = evaluated(made)
    document = copy.deepcopy(made.document)
    class_id = data.draw(st.sampled_from(list(document["classes"])))
    parents = made.year.scheme.parents(class_id)
    parent = data.draw(st.sampled_from(sorted(set(parents.values()))))
    nodes, indicators = document["classes"][class_id]["nodes"], document["indicators"]
    family = [(nodes | indicators)[child] for child, p in parents.items() if p == parent]
    # an indicator of two classes has one weight: its siblings in the other would have to follow
    assume(
        not any(len(e.get("parent", "")) > 1 for e in family if isinstance(e.get("parent"), dict))
    )
    factor = data.draw(st.sampled_from([2.0, 0.1, 1000.0]))
    for entry in family:
        entry["weight"] *= factor
    after = evaluated(Made(document, made.tables))
    assert_totals(made, before.scores, after.scores)
    gap = (before.nodes["effective_weight"] - after.nodes["effective_weight"]).abs().max()
    assert gap <= SUM


# ---- other units


@some
@given(data=st.data())
def test_under_fixed_goalposts_no_other_unit_changes_a_score(data: st.DataObject) -> None:
    made = data.draw(years(methods=FIXED, fills=("redistribute", "full_marks", "zero")))
    assert_newcomer_changes_nothing(made, made.document)


LEARNED = {n for n, rule in METHODS.items() if rule.learns is not None} | FIXED


@some
@given(data=st.data())
def test_parameters_that_are_kept_make_goalposts_fixed(data: st.DataObject) -> None:
    fills = ("redistribute", "full_marks", "zero")
    made = data.draw(years(methods=LEARNED, fills=fills, classes=1))
    found = evaluated(made)
    kept = found.keep_learned()
    again = pm.evaluate(found.year.with_scheme(kept)).scores
    assert found.scores["total"].tolist() == again["total"].tolist()
    document = pm.Scheme.loads(kept.dumps()).document
    assert_newcomer_changes_nothing(made, document)


def assert_newcomer_changes_nothing(made: Made, document: Any) -> None:
    """A unit like the first one, but twice as good at everything, joins the year."""
    before = evaluated(Made(document, made.tables)).scores
    units = made.tables["units"]
    frames = {"units": pd.concat([units, units.head(1).assign(unit_id="new")], ignore_index=True)}
    if "tasks" in made.tables:
        tasks = made.tables["tasks"]
        mine = tasks[tasks["unit_id"] == units["unit_id"][0]].assign(unit_id="new")
        levels = {i for i, e in document["indicators"].items() if e["rule"]["method"] == "levels"}
        mine["actual"] *= np.where(mine["indicator_id"].isin(levels), 1.0, 2.0)
        frames["tasks"] = pd.concat([tasks, mine], ignore_index=True)
    if "ballots" in made.tables:
        ballots = made.tables["ballots"]
        mine = ballots[ballots["unit_id"] == units["unit_id"][0]]
        mine = mine.assign(unit_id="new", ballot_id=-1 - np.arange(len(mine)))
        frames["ballots"] = pd.concat([ballots, mine], ignore_index=True)
    if "internal" in made.tables:
        row = pd.DataFrame({"unit_id": ["new"], "category": ["k0"], "score": [70.0]})
        frames["internal"] = pd.concat([made.tables["internal"], row], ignore_index=True)
    after = evaluated(Made(document, made.tables | frames)).scores
    assert_totals(made, before, after.loc[before.index])


def efficacy_totals(units: dict[str, tuple[float, float]]) -> dict[str, float]:
    scheme = pm.Scheme.loads(
        "format = 1\nclasses.city = {}\n[indicators]\n"
        'x = { rule = { method = "efficacy" } }\ny = { rule = { method = "efficacy" } }\n'
    )
    actuals = pd.DataFrame(units, index=["x", "y"]).T.rename_axis("unit_id").reset_index()
    return pm.evaluate(pm.Year.from_frames(scheme, actuals=actuals)).scores["total"].to_dict()


def test_a_newcomer_reverses_two_others_under_the_efficacy_coefficient() -> None:
    """By hand: before, A = (100 + 60 + 40 * 4/7) / 2 and B = (60 + 40 * 6/10 + 100) / 2."""
    three = {"A": (10.0, 4.0), "B": (6.0, 7.0), "C": (0.0, 0.0)}
    before = efficacy_totals(three)
    assert before == pytest.approx({"A": (160 + 160 / 7) / 2, "B": 92.0, "C": 60.0}, abs=1e-12)
    after = efficacy_totals(three | {"D": (0.0, 14.0)})
    wanted = {"A": (160 + 80 / 7) / 2, "B": 82.0, "C": 60.0, "D": 80.0}
    assert after == pytest.approx(wanted, abs=1e-12)
    assert [round(before[u], 1) for u in "BA"] == [92.0, 91.4]
    assert [round(after[u], 1) for u in "AB"] == [85.7, 82.0]


@some
@given(data=st.data())
def test_doing_better_never_lowers_a_total(data: st.DataObject) -> None:
    made = data.draw(years(methods=set(METHODS) - NOT_MONOTONE))
    assume("tasks" in made.tables)
    evaluated(made)
    tasks = made.tables["tasks"].dropna(subset="actual")
    assume(len(tasks) > 0)
    task = tasks.iloc[data.draw(st.integers(0, len(tasks) - 1))]
    steps = sorted(data.draw(st.lists(st.floats(1.5, 50.0), min_size=2, max_size=6)))
    if made.document["indicators"][task["indicator_id"]].get("direction") == "negative":
        steps = steps[::-1]
    path = f"tasks.{task['unit_id']}.{task['indicator_id']}.actual"
    found = scored(lambda: pm.simulate(made.year, {path: steps}))
    assume(found is not None)
    own = found.total[:, found.units.index(task["unit_id"])]
    assert np.diff(own).min() >= -1e-9 * scale_of(made)


# ---- where points come from


def terminal(frame: pd.DataFrame, children: Mapping[str, list[str]]) -> list[bool]:
    """Which of a unit's nodes have nothing scored below them: leaves, and what was filled."""
    known = set(frame.loc[frame["score"].notna(), "node"])
    fed = [any(c in known for c in children.get(n, ())) for n in frame["node"]]
    return [
        n not in children or (n in known and not f) for n, f in zip(frame["node"], fed, strict=True)
    ]


def families(evaluation: pm.Evaluation, unit: str) -> dict[str, list[str]]:
    class_id = evaluation.scores.at[unit, "class"]
    children: dict[str, list[str]] = {}
    for child, parent in evaluation.year.scheme.parents(class_id).items():
        children.setdefault(parent or "total", []).append(child)
    return children


def assert_points_add_up(evaluation: pm.Evaluation) -> None:
    base = float(evaluation.year.scheme.number("base"))
    for unit, frame in evaluation.nodes.groupby("unit_id", sort=False):
        row, children = evaluation.scores.loc[unit], families(evaluation, str(unit))
        points = frame.set_index("node")["contribution"]
        ends = terminal(frame, children)
        for node, end in zip(frame["node"], ends, strict=True):
            if not end and points[node]:
                below = [c for c in children[node] if c in points.index]
                assert points[below].sum() == pytest.approx(points[node], rel=1e-9, abs=1e-9 * base)
        assert frame["effective_weight"][ends].sum() == pytest.approx(1.0, abs=SUM)
        net = row["bonus"] - row["deduction"]
        assert points["total"] + net == pytest.approx(row["total"], rel=SUM, abs=SUM * base)
        lines = pm.explain(evaluation, str(unit)).lines
        assert math.fsum(lines["contribution"]) == row["total"]
        rounding = lines["node"] == "rounding"
        assert (lines.loc[rounding, "contribution"].abs() < 1e-9 * base).all()
        wanted = {*frame["node"][ends], *(k for k in ("bonus", "deduction") if row[k])}
        assert wanted == set(lines.loc[~rounding, "node"])


def test_points_add_up_in_the_small_year(small: pm.Year) -> None:
    assert_points_add_up(pm.evaluate(small))


@settings(many, max_examples=30)
@given(data=st.data())
def test_points_add_up(data: st.DataObject) -> None:
    assert_points_add_up(evaluated(data.draw(years())))


@some
@given(data=st.data())
def test_under_arithmetic_means_points_are_weight_times_score(data: st.DataObject) -> None:
    """For negative scores, too: z-scores have them."""
    made = data.draw(years(arithmetic=True))
    nodes = evaluated(made).nodes
    points = made.document["base"] / 100 * nodes["effective_weight"] * nodes["score"].fillna(0.0)
    gap = (points - nodes["contribution"]).abs().max()
    assert gap <= 1e-9 * max(made.document["base"], float(points.abs().max()))


def test_a_unit_without_any_score_is_refused_in_every_draw(small: pm.Year) -> None:
    tasks = small.tasks
    tasks.loc[tasks["unit_id"] == "D03", "actual"] = np.nan
    nodes = "classes.municipal_department.nodes"
    others = {f"{nodes}.public_review.weight": 0, f"{nodes}.internal.weight": 0}
    scheme = small.scheme.patch(others)
    year = small.replace(tasks=tasks).with_scheme(scheme)
    fill = "indicators.D001.missing"
    with pytest.raises(DataError, match="D03"):
        pm.simulate(year, {fill: ["zero", "redistribute"]})
    assert pm.simulate(year, {fill: ["zero", "zero"]}).total[0, 4] == 0
