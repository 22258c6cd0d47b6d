"""A year compiled into arrays: what stays the same in every draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.core import Structure
from perfmethod.scheme import Scheme
from perfmethod.survey import Counts, tabulate
from perfmethod.year import Year

__all__ = ["ClassPlan", "Leaf", "Plan", "ceilings", "compile_year", "pools_of"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Leaf(NamedTuple):
    """One indicator in one class.

    Parameters
    ----------
    node : int
        Position in the class's tree.
    indicator : str
    actual, target : ndarray (u,)
        NaN where the unit does not have the task, or no usable value.
    held : ndarray (u,)
        Weight multiplier of the task; zero where the unit does not have it.
    zeroed : ndarray of bool (u,)
        Units whose value may not score and counts as zero.
    per : ndarray (u,)
        What an actual value of each unit is divided by; NaN where no value of it may score.
    """

    node: int
    indicator: str
    actual: Array
    target: Array
    held: Array
    zeroed: Bools
    per: Array


@dataclass(frozen=True)
class ClassPlan:
    """One class: its tree, its units and what they achieved."""

    class_id: str
    units: NDArray[np.intp]  # positions among the year's units
    tree: Structure
    leaves: tuple[Leaf, ...]
    survey: Mapping[int, str]  # node -> dimension
    internal: tuple[int, ...]  # nodes
    weight_paths: tuple[str, ...]
    power_paths: tuple[str, ...]
    fill_paths: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A year, ready to be scored as often as wanted."""

    scheme: Scheme
    units: tuple[str, ...]
    unit_class: NDArray[np.intp]  # code into scheme.classes
    classes: tuple[ClassPlan, ...]
    counts: Counts | None
    internal: Array  # (u, c) ratings of unit by category
    points: Array  # (u, i) confirmed points by adjustment item
    pools: NDArray[np.intp]  # (u,) code of the pool in which places are given
    pool_names: tuple[str, ...]
    groups: NDArray[np.intp]  # (u,) code of (class, group), for the group rank
    ceiling: NDArray[np.intp]  # (u,) best grade that vetoes leave open


def compile_year(year: Year) -> Plan:
    """Compile a checked year.

    Parameters
    ----------
    year : Year

    Returns
    -------
    Plan
    """
    scheme, units = year.scheme, year.units
    ids = tuple(units.index)
    classes = units["class"].to_numpy()
    code = np.array([scheme.classes.index(c) for c in classes], dtype=np.intp)
    pools, pool_names = pools_of(scheme, units)
    return Plan(
        scheme,
        ids,
        code,
        tuple(_class_plan(year, c) for c in scheme.classes if (classes == c).any()),
        _counts(year, ids),
        _ratings(year, ids),
        _points(year, ids),
        pools,
        pool_names,
        pd.factorize(units["class"] + "\n" + units["group"].fillna(""))[0],
        ceilings(year, ids),
    )


def _class_plan(year: Year, class_id: str) -> ClassPlan:
    scheme = year.scheme
    tree = Structure.of(scheme.parents(class_id))
    nodes = scheme.document["classes"][class_id].get("nodes", {})
    members = np.flatnonzero((year.units["class"] == class_id).to_numpy())
    at = {name: i for i, name in enumerate(tree.names)}
    survey = {at[n]: str(entry["survey"]) for n, entry in nodes.items() if "survey" in entry}
    internal = tuple(at[n] for n, entry in nodes.items() if entry.get("internal"))
    return ClassPlan(
        class_id,
        members,
        tree,
        tuple(_leaves(year, year.units.index[members], at, nodes)),
        survey,
        internal,
        tuple(_node_path(class_id, name, nodes, "weight") for name in tree.names),
        tuple(_node_path(class_id, name, nodes, "power") for name in tree.names),
        tuple(_fill_path(class_id, name, year.scheme) for name in tree.names),
    )


def _fill_path(class_id: str, name: str, scheme: Scheme) -> str:
    """Where a node's missing rule stands: its own, or the scheme's for tasks or for values."""
    nodes = scheme.document["classes"][class_id].get("nodes", {})
    own = _node_path(class_id, name, nodes, "missing")
    if own in scheme.numbers or not name:
        return own
    entry = nodes.get(name)
    inner = entry is not None and "survey" not in entry and not entry.get("internal")
    return "missing_task" if inner else "missing_value"


def _node_path(class_id: str, name: str, nodes: Mapping[str, object], key: str) -> str:
    """Dotted path of a node's number; a number that a node does not have is never drawn."""
    if not name:
        return f"classes.{class_id}.{key}"
    return f"classes.{class_id}.nodes.{name}.{key}" if name in nodes else f"indicators.{name}.{key}"


def _leaves(
    year: Year, units: pd.Index, at: Mapping[str, int], nodes: Mapping[str, object]
) -> Iterator[Leaf]:
    if year.tasks is None:
        return
    tasks = year.tasks[year.tasks["unit_id"].isin(units)]
    usable, zeroed = _usable(year, tasks)
    row = units.get_indexer(pd.Index(tasks["unit_id"]))
    actual, target = tasks["actual"].to_numpy(float), tasks["target"].to_numpy(float)
    weight = tasks["weight"].to_numpy(float)
    for indicator, found in tasks.groupby("indicator_id", sort=False).indices.items():
        columns = np.full((2, len(units)), np.nan)
        columns[:, row[found]] = np.where(usable[found], [actual[found], target[found]], np.nan)
        held, zero = np.zeros(len(units)), np.zeros(len(units), dtype=bool)
        held[row[found]], zero[row[found]] = weight[found], zeroed[found]
        name, barred = str(indicator), np.ones(len(units), dtype=bool)
        barred[row[found]] = ~usable[found]
        per = np.where(barred, np.nan, _per(year, name, units))
        yield Leaf(at[name], name, columns[0] / per, columns[1], held, zero, per)
    for indicator in set(at) - set(nodes) - {""} - set(tasks["indicator_id"]):
        nothing = np.full(len(units), np.nan)
        zero = np.zeros(len(units), dtype=bool)
        yield Leaf(at[indicator], indicator, nothing, nothing, np.zeros(len(units)), zero, nothing)


def _usable(year: Year, tasks: pd.DataFrame) -> tuple[Bools, Bools]:
    """Which values may score, and which count as zero because they are not certified."""
    rule = year.scheme.document.get("certification")
    if rule is None or "status" not in tasks:
        return np.ones(len(tasks), dtype=bool), np.zeros(len(tasks), dtype=bool)
    certified = tasks["status"].isin(rule["scoring"]).to_numpy()
    return certified, ~certified & (rule.get("otherwise", "missing") == "zero")


def _per(year: Year, indicator: str, units: pd.Index) -> Array:
    column = year.scheme.document["indicators"][indicator].get("per")
    if column is None:
        return np.ones(len(units))
    return year.units.loc[units, column].to_numpy(float)


def _counts(year: Year, ids: tuple[str, ...]) -> Counts | None:
    survey = year.scheme.document.get("survey")
    if survey is None or year.ballots is None:
        return None
    dimensions = {
        str(entry["survey"])
        for value in year.scheme.document["classes"].values()
        for entry in value.get("nodes", {}).values()
        if "survey" in entry
    }
    return tabulate(
        year.ballots,
        units=ids,
        dimensions=tuple(sorted(dimensions)),
        categories=tuple(survey["categories"]),
        modes=tuple(survey["modes"]),
        options=tuple(int(o) for o in survey["options"]),
    )


def _ratings(year: Year, ids: tuple[str, ...]) -> Array:
    categories = list(year.scheme.document.get("internal", {}).get("categories", {}))
    if year.internal is None or not categories:
        return np.full((len(ids), 0), np.nan)
    wide = year.internal.pivot(index="unit_id", columns="category", values="score")
    return wide.reindex(index=list(ids), columns=categories).to_numpy(float)


def _points(year: Year, ids: tuple[str, ...]) -> Array:
    items = list(year.scheme.document.get("adjustments", {}).get("items", {}))
    points = np.zeros((len(ids), len(items)))
    if year.adjustments is not None and items:
        events = year.adjustments
        if "status" in events:
            events = events[events["status"] == "confirmed"]
        row = pd.Index(ids).get_indexer(pd.Index(events["unit_id"]))
        np.add.at(
            points, (row, pd.Index(items).get_indexer(pd.Index(events["item"]))), events["points"]
        )
    return points


def pools_of(scheme: Scheme, units: pd.DataFrame) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Pool of each unit by the scheme's grade rule, as a code, and the pools' names."""
    by = scheme.document.get("grades", {}).get("pool", "group")
    if by == "all":
        return np.zeros(len(units), dtype=np.intp), ("all",)
    labels = units["class"] if by == "class" else units["group"].fillna(units["class"])
    codes, names = pd.factorize(labels)
    return codes.astype(np.intp), tuple(str(n) for n in names)


def ceilings(year: Year, ids: tuple[str, ...]) -> NDArray[np.intp]:
    """Position of the best grade that is still open to each unit."""
    levels = list(year.scheme.document.get("grades", {}).get("levels", {}))
    ceiling = np.zeros(len(ids), dtype=np.intp)
    if year.vetoes is None or not levels:
        return ceiling
    rules = year.scheme.document.get("vetoes", {})
    confirmed = year.vetoes[year.vetoes["status"] == "confirmed"]
    for unit, veto in zip(confirmed["unit_id"], confirmed["veto"], strict=True):
        rule = rules[veto]
        best = {"cap": rule.get("grade"), "bar": levels[-1], "none": levels[0]}[rule["effect"]]
        at = ids.index(unit)
        ceiling[at] = max(ceiling[at], levels.index(best))
    return ceiling
