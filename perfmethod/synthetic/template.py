"""The 2009 plan as package data, and its expansion to any number of units and groups."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["Plan", "Template", "expand", "template"]

COUNTIES_OF_49 = 4
SPOT_CHECKS_PER_DEPARTMENT = 2
_PLACES = "places = 13"


@dataclass(frozen=True)
class Template:
    """The tables of the template, every cell a text."""

    units: pd.DataFrame
    groups: pd.DataFrame
    indicators: pd.DataFrame
    tasks: pd.DataFrame
    adjustments: pd.DataFrame
    vetoes: pd.DataFrame
    organs: pd.DataFrame
    timeline: pd.DataFrame
    register: pd.DataFrame
    raters: pd.DataFrame
    ballots: pd.DataFrame


@dataclass(frozen=True)
class Plan:
    """A year of the wanted size, before any number is drawn.

    ``units`` has the column ``template_id`` (the unit of the template it repeats) and ``copy``
    (0 for the template itself); ``tasks`` has them too, and ``u``, the place of the unit.
    """

    scheme: str
    units: pd.DataFrame
    groups: pd.DataFrame
    tasks: pd.DataFrame
    adjustments: pd.DataFrame
    vetoes: pd.DataFrame


def _read(name: str) -> pd.DataFrame:
    content = (files("perfmethod.synthetic") / "template" / name).read_bytes()
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def template() -> Template:
    """Read the template.

    Returns
    -------
    Template
        A fresh copy at each call.

    Examples
    --------
    >>> len(template().units), len(template().indicators)
    (49, 233)
    """
    return Template(**{field.name: _read(f"{field.name}.csv") for field in fields(Template)})


def scheme_text(units: int) -> str:
    """Text of scheme.toml; the places for excellent units grow with the number of units."""
    path = files("perfmethod.synthetic") / "template" / "scheme.toml"
    text = path.read_text(encoding="utf-8")
    return text.replace(_PLACES, f"places = {max(1, round(13 * units / 49))}")


def expand(source: Template, units: int, groups: int) -> Plan:
    """Repeat the template until it has as many units and groups as wanted.

    Parameters
    ----------
    source : Template
        The template.
    units : int
        Units in all; counties and departments stand 4 to 45, with at least 2 counties.
    groups : int
        Groups of departments.

    Returns
    -------
    Plan
        With 49 units and 7 groups, the template itself.

    Raises
    ------
    DataError
        If there are too few units, or more groups than departments.

    Examples
    --------
    >>> plan = expand(template(), 98, 14)
    >>> plan.units["class"].value_counts().tolist()
    [90, 8]
    """
    counties = max(2, round(units * COUNTIES_OF_49 / 49))
    _check(units, groups, units - counties)
    chosen = _units(source.units, counties, units - counties)
    chosen["group"] = _groups_of(chosen, groups)
    return Plan(
        scheme_text(units),
        chosen,
        _group_table(source.groups, groups),
        _tasks(source, chosen),
        _events(source.adjustments, chosen, copies=True),
        _events(source.vetoes, chosen, copies=False),
    )


def _check(units: int, groups: int, departments: int) -> None:
    problems = Problems("arguments")
    if departments < 1:
        problems.add(str(units), "3 or more (2 counties and a department)", column="units")
    elif not 1 <= groups <= departments:
        problems.add(str(groups), f"1 to {departments}, the number of departments", column="groups")
    problems.raise_any(DataError)


def _pick(wanted: int, available: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the template and copy numbers; a last part copy is spread over the rows."""
    full, rest = divmod(wanted, available)
    part = np.arange(rest) * available // max(rest, 1)
    row = np.concatenate([np.tile(np.arange(available), full), part])
    return row, np.arange(wanted) // available


def _units(source: pd.DataFrame, counties: int, departments: int) -> pd.DataFrame:
    parts = []
    for wanted, letter in ((counties, "C"), (departments, "D")):
        rows = source[source["unit_id"].str.startswith(letter)]
        row, copy = _pick(wanted, len(rows))
        part = rows.take(row).reset_index(drop=True)
        part["template_id"], part["copy"] = part["unit_id"], copy
        number = np.arange(wanted) + 1
        new = copy > 0
        if new.any():  # an empty list is no list of texts to every string type
            part.loc[new, "unit_id"] = [f"{letter}{k:02d}" for k in number[new]]
            part.loc[new, "name_zh"] += [f"({k + 1})" for k in copy[new]]
            part.loc[new, "name_en"] += [f" ({k + 1})" for k in copy[new]]
            part.loc[new, "plant"] = ""
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _groups_of(units: pd.DataFrame, groups: int) -> list[str]:
    """Group of each unit: copies make groups of their own as long as enough are wanted."""
    number = np.array(units["group"].str.removeprefix("G"), dtype=int)
    department = number > 0
    natural = number[department] - 1 + 7 * units["copy"].to_numpy()[department]
    place = natural % groups
    if len(np.unique(place)) < groups:
        sizes = [len(part) for part in np.array_split(natural, groups)]
        place[np.argsort(natural, kind="stable")] = np.repeat(np.arange(groups), sizes)
    number[department] = place + 1
    return [f"G{k}" for k in number]


def _group_table(source: pd.DataFrame, groups: int) -> pd.DataFrame:
    row = np.r_[0, np.arange(groups) % 7 + 1]
    table = source.take(row).reset_index(drop=True)
    table["group"] = [f"G{k}" for k in range(groups + 1)]
    for k in range(8, groups + 1):
        table.loc[k, ["name_zh", "name_en"]] += [f"({(k - 1) // 7 + 1})", f" ({(k - 1) // 7 + 1})"]
    return table


def _tasks(source: Template, units: pd.DataFrame) -> pd.DataFrame:
    """Tasks of every unit, in the order of units and indicators."""
    place = units[["unit_id", "template_id", "copy"]].assign(u=np.arange(len(units)))
    tasks = source.tasks.rename(columns={"unit_id": "template_id"})
    tasks = place.merge(tasks, on="template_id", sort=False)
    return tasks.sort_values("u", kind="stable", ignore_index=True)


def _events(source: pd.DataFrame, units: pd.DataFrame, *, copies: bool) -> pd.DataFrame:
    """Events of the units at hand, numbered anew where copies have them too."""
    place = units if copies else units[units["copy"] == 0]
    place = place[["unit_id", "template_id", "copy"]]
    events = source.rename(columns={"unit_id": "template_id"}).reset_index(names="row")
    events = events.merge(place, on="template_id").sort_values(["copy", "row"], ignore_index=True)
    again = events["copy"] > 0
    events.loc[again, "event_id"] += "-" + events.loc[again, "copy"].astype(str)
    if "document" in events:
        events.loc[again, "document"] += "-" + events.loc[again, "copy"].astype(str)
    return events[source.columns.tolist()]
