"""Random years for the laws of scoring: schemes of every kind, with tables that fit them.

Hypothesis chooses the structure (trees, rules, options); the bulk of the numbers comes from a
generator whose seed it chooses, so that an example costs milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod import normalization as nz
from perfmethod.core import FILLS
from perfmethod.normalization import METHODS
from perfmethod.scoring.slots import INERT
from tests.test_normalization_laws import EXAMPLES, FULL, PLACES, as_measured

__all__ = ["FIXED", "RULES", "Made", "drawn_values", "patch_of", "years"]

Document = dict[str, Any]
Tables = dict[str, pd.DataFrame]
APPORTIONMENTS = ("hamilton", "webster", "dhondt", "adams", "dean", "huntington_hill")


class RuleCase(NamedTuple):
    """A rule as a scheme may write it."""

    method: str
    direction: int
    params: dict[str, Any]


def _cases() -> list[RuleCase]:
    found = []
    for name, rule in METHODS.items():
        for direction in rule.directions:
            for params in (EXAMPLES[name], FULL.get(name)):
                if params is not None:
                    found.append(RuleCase(name, direction, as_measured(name, params, direction)))
    return found


def _never_negative(case: RuleCase) -> bool:
    """Whether the scores of the values drawn here stay at 0 or above, with some room."""
    x = np.linspace(0.0, 3.0, 9) if case.method == "levels" else np.linspace(1.5, 50.0, 60)
    target = np.linspace(60.0, 5.0, x.size)
    scores = nz.normalize(x, case.method, target=target, direction=case.direction, **case.params)
    return float(scores.min()) >= 0


RULES = _cases()
_ANY_POWER = [case for case in RULES if _never_negative(case)]
# rules under which no other unit's value changes a score
FIXED = {n for n, rule in METHODS.items() if rule.learns is None and n not in PLACES}


class Made(NamedTuple):
    """A scheme's document, plain and open to changes, and the tables of a year under it."""

    document: Document
    tables: Tables

    @property
    def year(self) -> pm.Year:
        return pm.Year.from_frames(pm.Scheme(self.document), **self.tables)


class Choices(NamedTuple):
    """What a random year may hold."""

    arithmetic: bool
    methods: frozenset[str] | None
    fills: tuple[str, ...]
    classes: int


@st.composite
def years(
    draw: st.DrawFn,
    *,
    arithmetic: bool | None = None,
    methods: set[str] | None = None,
    fills: tuple[str, ...] = FILLS,
    classes: int = 2,
) -> Made:
    """A random scheme and year.

    Parameters
    ----------
    arithmetic : bool, optional
        Powers all 1, and then rules whose scores can be negative, too; by default either.
    methods : set of str, optional
        Rules that may occur.
    fills : tuple of str
        Missing rules that may occur.
    classes : int
        Most classes.
    """
    if arithmetic is None:
        arithmetic = draw(st.booleans())
    choices = Choices(arithmetic, methods and frozenset(methods), fills, classes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    document = _scheme(draw, choices)
    tables = _units(draw, rng, document)
    tables |= _tasks(draw, rng, document, tables["units"])
    tables |= _ratings(draw, rng, document, tables["units"])
    _adjustments(draw, rng, document, tables)
    _grades(draw, rng, document, tables)
    return Made(document, tables)


def _weight() -> st.SearchStrategy[float]:
    return st.sampled_from([1.0, 2.0, 3.0, 0.5, 40.0])


def _scheme(draw: st.DrawFn, choices: Choices) -> Document:
    document: Document = {"format": 1, "base": draw(st.sampled_from([1000.0, 100.0, 1.0]))}
    for key in ("missing_task", "missing_value"):
        document[key] = draw(st.sampled_from(choices.fills))
    document["classes"], document["indicators"] = {}, {}
    places = [
        _class(draw, choices, document, f"c{i}")
        for i in range(draw(st.integers(1, choices.classes)))
    ]
    for class_id, holders in zip(document["classes"], places, strict=True):
        for node in holders:
            for _ in range(draw(st.integers(1, 2))):
                _indicator(draw, choices, document, {class_id: node})
    if len(places) == 2 and all(places):
        for _ in range(draw(st.integers(0, 2))):
            both = {
                c: draw(st.sampled_from(h))
                for c, h in zip(document["classes"], places, strict=True)
            }
            _indicator(draw, choices, document, both)
    return document


def _class(draw: st.DrawFn, choices: Choices, document: Document, class_id: str) -> list[str]:
    """Add a class; return the nodes on which indicators hang (the root's name is empty)."""
    nodes: Document = {}
    entry: Document = {"nodes": nodes}
    document["classes"][class_id] = entry
    if not choices.arithmetic and draw(st.booleans()):
        entry["power"] = draw(st.sampled_from([0.0, -1.0, 2.5]))
    holders = []
    kinds = st.sampled_from(["tasks", "split", "reviews", "review", "internal", "deep"])
    for i, kind in enumerate(draw(st.lists(kinds, min_size=1, max_size=3))):
        holders += _block(draw, choices, document, f"{class_id}_n{i}", kind, nodes)
    if not holders or draw(st.integers(0, 3)) == 0:
        holders.append("")
    return holders


def _node(draw: st.DrawFn, choices: Choices, parent: str) -> Document:
    node: Document = {"weight": draw(_weight())}
    if parent:
        node["parent"] = parent
    if draw(st.integers(0, 3)) == 0:
        node["missing"] = draw(st.sampled_from(choices.fills))
    if not choices.arithmetic and draw(st.booleans()):
        node["power"] = draw(st.sampled_from([0.0, -1.0, 1.0, 2.5]))
    return node


def _block(
    draw: st.DrawFn, choices: Choices, document: Document, name: str, kind: str, nodes: Document
) -> list[str]:
    """Add a node of the top level and what is below it; return those for indicators."""
    nodes[name] = _node(draw, choices, "")
    if kind == "tasks":
        return [name]
    if kind == "internal":
        nodes[name]["internal"] = True
        categories = {"k0": {"weight": 2}, "k1": {}}
        document["internal"] = {"categories": categories}
        return []
    if kind in ("review", "reviews"):
        _survey(draw, document)
        for j in range(2 if kind == "reviews" else 0):
            nodes[f"{name}_{j}"] = _node(draw, choices, name) | {"survey": f"d{j}"}
        if kind == "review":
            nodes[name]["survey"] = draw(st.sampled_from(["d0", "d1"]))
        return []
    below = [f"{name}_{j}" for j in range(2)]
    for child in below:
        nodes[child] = _node(draw, choices, name)
    if kind == "deep":
        nodes[f"{below[0]}_0"] = _node(draw, choices, below[0])
        return [f"{below[0]}_0", below[1]]
    return below


def _survey(draw: st.DrawFn, document: Document) -> None:
    if "survey" in document:
        return
    document["survey"] = {
        "combine_modes": draw(st.sampled_from(["ballots", "weights"])),
        "min_cell": 2,
        "options": {"1": {"score": 100}, "2": {"score": 70.5}, "3": {"score": 30}, "9": {}},
        "categories": {"r0": {}, "r1": {"weight": 2.5}},
        "modes": {"m0": {"weight": 1}, "m1": {"weight": 3}},
    }


def _indicator(
    draw: st.DrawFn, choices: Choices, document: Document, parents: Mapping[str, str]
) -> None:
    cases = RULES if choices.arithmetic else _ANY_POWER
    if choices.methods is not None:
        cases = [case for case in cases if case.method in choices.methods]
    case = draw(st.sampled_from(cases))
    (first, *more) = parents.values()
    entry: Document = {
        "weight": draw(_weight()),
        # a node is one class's own, but the root is every class's
        "parent": first if first and not more and draw(st.booleans()) else dict(parents),
        "rule": {"method": case.method} | case.params,
    }
    if case.direction == -1:
        entry["direction"] = "negative"
    if draw(st.integers(0, 3)) == 0:
        entry["missing"] = draw(st.sampled_from(choices.fills))
    if case.method != "levels" and draw(st.integers(0, 5)) == 0:
        entry["per"] = "heads"
    document["indicators"][f"i{len(document['indicators'])}"] = entry


def _units(draw: st.DrawFn, rng: np.random.Generator, document: Document) -> Tables:
    rows = []
    for class_id in document["classes"]:
        for _ in range(draw(st.integers(2, 5))):
            group = f"{class_id}_g{draw(st.integers(0, 1))}"
            rows.append((f"u{len(rows)}", class_id, group, rng.choice([0.5, 1.0, 2.0])))
    frame = pd.DataFrame(rows, columns=["unit_id", "class", "group", "heads"])
    category = {class_id: 1.5 for class_id in document["classes"]}
    if "survey" in document and draw(st.booleans()):
        document["survey"]["categories"]["r1"]["weight"] = category
    if "internal" in document and draw(st.booleans()):
        document["internal"]["categories"]["k1"]["weight"] = category
    return {"units": frame}


def _values(rng: np.random.Generator, method: str, size: int) -> Any:
    """Actual values, some of them equal."""
    if method == "levels":
        return rng.choice([0.0, 1.0, 1.25, 2.0, 3.0], size)
    return np.where(
        rng.random(size) < 0.3, rng.choice([5.0, 20.0], size), rng.uniform(1.5, 50, size)
    )


def _tasks(
    draw: st.DrawFn, rng: np.random.Generator, document: Document, units: pd.DataFrame
) -> Tables:
    """Portfolios with missing tasks, missing values and weights inside a portfolio."""
    gaps = draw(st.sampled_from([0.0, 0.15, 0.4]))
    parts = []
    for indicator, entry in document["indicators"].items():
        where = entry["parent"]
        classes = where if isinstance(where, dict) else [where.split("_")[0]]
        mine = units.loc[units["class"].isin(classes), "unit_id"]
        part = pd.DataFrame({"unit_id": mine, "indicator_id": indicator})
        part["actual"] = _values(rng, entry["rule"]["method"], len(part))
        part["target"] = (
            np.nan if entry["rule"]["method"] == "levels" else rng.uniform(5, 60, len(part))
        )
        part.loc[rng.random(len(part)) < gaps, "actual"] = np.nan
        parts.append(part)
    if not parts:
        return {}
    tasks = pd.concat(parts, ignore_index=True)
    tasks["weight"] = rng.choice([1.0, 1.0, 2.0, 0.3], len(tasks))
    kept = (rng.random(len(tasks)) >= gaps) | ~tasks["unit_id"].duplicated()
    if draw(st.booleans()):
        otherwise = draw(st.sampled_from(["missing", "zero"]))
        document["certification"] = {"scoring": ["certified", "late"], "otherwise": otherwise}
        tasks["status"] = rng.choice(
            ["certified", "late", "disputed"], len(tasks), p=[0.8, 0.1, 0.1]
        )
    return {"tasks": tasks[kept].reset_index(drop=True)}


def _ratings(
    draw: st.DrawFn, rng: np.random.Generator, document: Document, units: pd.DataFrame
) -> Tables:
    found: Tables = {}
    if "internal" in document:
        rows = [(u, k, rng.uniform(60, 100)) for u in units["unit_id"] for k in ("k0", "k1")]
        frame = pd.DataFrame(rows, columns=["unit_id", "category", "score"])
        found["internal"] = frame[rng.random(len(frame)) < 0.9].reset_index(drop=True)
    if "survey" in document:
        found["ballots"] = _ballots(rng, document, units, draw(st.integers(1, 12)))
    return found


def _ballots(
    rng: np.random.Generator, document: Document, units: pd.DataFrame, each: int
) -> pd.DataFrame:
    n = each * len(units)
    frame = pd.DataFrame({"ballot_id": np.arange(n), "unit_id": np.repeat(units["unit_id"], each)})
    frame["category"] = rng.choice(["r0", "r1"], n)
    frame["rater_id"] = frame["category"] + rng.integers(0, 5, n).astype(str)
    frame["mode"] = rng.choice(["m0", "m1"], n)
    asked = {
        c: {node["survey"] for node in value["nodes"].values() if "survey" in node}
        for c, value in document["classes"].items()
    }
    unit_class = frame["unit_id"].map(units.set_index("unit_id")["class"])
    for dimension in sorted(set().union(*asked.values())):
        codes = pd.Series(rng.choice([1, 2, 3, 9], n), index=frame.index).astype("Int64")
        frame[dimension] = codes.where([dimension in asked[c] for c in unit_class])
    return frame.reset_index(drop=True)


def _adjustments(
    draw: st.DrawFn, rng: np.random.Generator, document: Document, tables: Tables
) -> None:
    if not draw(st.booleans()):
        return
    table: Document = {"items": {}}
    document["adjustments"] = table
    for key in ("bonus_cap", "deduction_cap", "net_cap"):
        if draw(st.booleans()):
            table[key] = draw(st.sampled_from([0.0, 5.0, 12.5, 50.0]))
    for item, kind in (("b0", "bonus"), ("b1", "bonus"), ("x0", "deduction"), ("x1", "deduction")):
        table["items"][item] = {"kind": kind, "points": 5} | draw(
            st.sampled_from([{}, {"cap": 8.0}])
        )
    n = draw(st.integers(0, 8))
    tables["adjustments"] = pd.DataFrame(
        {
            "event_id": [f"e{j}" for j in range(n)],
            "unit_id": rng.choice(tables["units"]["unit_id"], n),
            "item": rng.choice(list(table["items"]), n),
            "points": rng.choice([5.0, 10.0, 2.5], n),
            "status": rng.choice(["confirmed", "confirmed", "rejected"], n),
        }
    )


def _grades(draw: st.DrawFn, rng: np.random.Generator, document: Document, tables: Tables) -> None:
    if draw(st.integers(0, 3)) == 0:
        return
    levels: Document = {"a": {}, "b": {}, "c": {}}
    grades: Document = {"levels": levels}
    document["grades"] = grades
    base = document["base"]
    if draw(st.booleans()):
        grades["rule"] = "thresholds"
        levels["a"]["least"], levels["b"]["least"] = 0.7 * base, 0.4 * base
    else:
        _quota(draw, grades, tables["units"], base)
    nodes = [n for c in document["classes"].values() for n in c["nodes"]]
    grades["ties"] = draw(st.lists(st.sampled_from(nodes), max_size=2, unique=True))
    grades["edge_tie"] = draw(st.sampled_from(["none_in", "all_in"]))
    if draw(st.booleans()):
        document["vetoes"] = {"v0": {"effect": "cap", "grade": "b"}, "v1": {"effect": "bar"}}
        n = draw(st.integers(1, 3))
        tables["vetoes"] = pd.DataFrame(
            {
                "event_id": [f"w{j}" for j in range(n)],
                "unit_id": rng.choice(tables["units"]["unit_id"], n),
                "veto": rng.choice(["v0", "v1"], n),
                "status": rng.choice(["confirmed", "confirmed", "withdrawn"], n),
            }
        )


def _quota(draw: st.DrawFn, grades: Document, units: pd.DataFrame, base: float) -> None:
    pool = draw(st.sampled_from(["group", "class", "all"]))
    grades |= {"rule": "quota", "pool": pool, "method": draw(st.sampled_from(APPORTIONMENTS))}
    grades["claims"] = draw(st.sampled_from(["before_vetoes", "after_vetoes"]))
    grades["vetoed_place"] = draw(st.sampled_from(["next", "unfilled"]))
    pools = ["all"] if pool == "all" else sorted(units[pool].unique())
    if draw(st.integers(0, 2)) == 0:
        grades["levels"]["a"]["places"] = {name: draw(st.integers(0, 1)) for name in pools}
    else:
        grades["levels"]["a"]["places"] = draw(st.integers(0, len(units) // 2))
    if draw(st.booleans()):
        grades["levels"]["b"]["places"] = draw(st.integers(0, len(units) // 2))
    totals = [v["places"] for v in grades["levels"].values() if isinstance(v.get("places"), int)]
    if totals and min(totals) >= len(pools):  # a floor needs a place for every pool
        grades["floor"] = draw(st.integers(0, 1))
    if draw(st.booleans()):
        grades["levels"]["a"]["least"] = 0.5 * base


# ---- draws


def patch_of(scheme: pm.Scheme, values: Mapping[str, Any]) -> pm.Scheme:
    """The scheme rewritten; what its weights shall sum to binds documents, not draws."""
    places = ["weights_sum", *(f"classes.{c}.weights_sum" for c in scheme.classes)]
    gone = {p: None for p in places if p in scheme.numbers}
    return scheme.patch(dict(values) | gone)


@st.composite
def drawn_values(
    draw: st.DrawFn, made: Made, year: pm.Year, size: int = 3
) -> dict[str, np.ndarray]:
    """Draws of any numbers of the scheme and any measured values, all of them allowed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers = [path for path in sorted(year.scheme.numbers) if not INERT.match(path)]
    some = st.lists(st.sampled_from(numbers), max_size=10, unique=True)
    chosen = draw(st.one_of(some, st.just(numbers)))
    values: dict[str, np.ndarray] = {}
    trial = [year] * size
    for path in (p for p in chosen if not p.endswith("weights_sum")):
        for sign in (1, -1):
            found = _proposal(path, year.scheme.number(path), rng, size, sign)
            try:
                trial = [
                    y.with_scheme(patch_of(y.scheme, {path: v.item()}))
                    for y, v in zip(trial, found, strict=True)
                ]
            except pm.errors.InputError:
                continue
            values[path] = found
            break
    return values | _actuals(draw, made, rng, size)


def _proposal(path: str, value: Any, rng: np.random.Generator, size: int, sign: int) -> np.ndarray:
    if isinstance(value, str):
        return rng.choice(FILLS, size)
    last = path.rpartition(".")[2]
    if path == "grades.floor" or ".places" in path or last in ("min_cell", "years"):
        return rng.integers(0, 3, size)
    if last == "power":
        return (
            np.full(size, 1.0)
            if value == 1 and sign == -1
            else rng.choice([-1.0, 0.0, 0.02, 1.0, 2.5], size)
        )
    if last == "weight" or ".weight." in path:
        return value * rng.uniform(0.2, 2.0, size)
    return value + sign * (0.1 * abs(value) if value else 5.0) * rng.random(size)


def _actuals(
    draw: st.DrawFn, made: Made, rng: np.random.Generator, size: int
) -> dict[str, np.ndarray]:
    tasks = made.tables.get("tasks")
    if tasks is None or draw(st.booleans()):
        return {}
    some = tasks[rng.random(len(tasks)) < 0.4]
    methods = {i: e["rule"]["method"] for i, e in made.document["indicators"].items()}
    return {
        f"tasks.{task.unit_id}.{task.indicator_id}.actual": _values(
            rng, methods[task.indicator_id], size
        )
        for task in some.itertuples()
    }
