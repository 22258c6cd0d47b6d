"""From tables of text to checked data frames."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from perfmethod.year.ballots import check_ballots
from perfmethod.year.clean import Cleaned
from perfmethod.year.context import Context
from perfmethod.year.events import check_adjustments, check_internal, check_vetoes
from perfmethod.year.facts import Facts, SchemeLike
from perfmethod.year.quota import check_quota
from perfmethod.year.report import Report
from perfmethod.year.source import Raw
from perfmethod.year.spec import fields_of
from perfmethod.year.table import Column
from perfmethod.year.tasks import VALUES, check_tasks
from perfmethod.year.units import check_groups, check_indicators, check_units
from perfmethod.year.wide import check_actuals

__all__ = ["build", "check_present", "spell_levels"]

_CHECKS = (
    check_groups,
    check_units,
    check_indicators,
    check_tasks,
    check_actuals,
    check_adjustments,
    check_vetoes,
    check_internal,
    check_ballots,
)


def build(raw: Raw, scheme: SchemeLike, facts: Facts, report: Report) -> dict[str, pd.DataFrame]:
    """Check all tables, raise all problems at once, or return the data frames."""
    check_present(raw, facts, report)
    context = Context.of(raw, facts, scheme.file, report)
    for check in _CHECKS:
        check(context)
    if context.units is not None:
        check_quota(scheme, context.class_of, context.of_unit("group"), report)
    report.raise_any()
    return _frames(context)


def check_present(raw: Raw, facts: Facts, report: Report) -> None:
    """Tables the scheme needs, and not two that say the same."""
    have = raw.tables.keys() | raw.failed
    if {"tasks", "actuals"} <= have:
        report.file(raw.label("actuals"), f"{raw.label('actuals')} beside {raw.label('tasks')}",
                    "one of them: both hold the actual values")  # fmt: skip
    for table in facts.required:
        others = {"actuals"} if table == "tasks" else set()
        if not {table, *others} & have:
            why = "the table must be there"
            reasons = {"ballots": "survey", "internal": "internal ratings", "tasks": "indicators"}
            if table in reasons:
                why += f": the scheme has {reasons[table]}"
            report.file(raw.label(table), "no such table", why)


def _frames(context: Context) -> dict[str, pd.DataFrame]:
    frames = {}
    for name, cleaned in context.cleaned.items():
        if name == "actuals":
            frames["tasks"] = _from_wide(context, cleaned)
        elif name == "ballots":
            frames[name] = _ballots(context, cleaned)
        else:
            frames[name] = _plain(cleaned)
    units = frames["units"]
    if "class" not in units:
        units.insert(1, "class", pd.Series(context.facts.classes[0], units.index, dtype="str"))
    if "group" not in units:
        units.insert(2, "group", units["class"])
    if "groups" not in frames:
        frames["groups"] = _groups(context, units)
    frames["units"] = units.set_index("unit_id")
    return frames


def _plain(cleaned: Cleaned) -> pd.DataFrame:
    """Known columns first, in their own order, then the others."""
    data: dict[str, Any] = {}
    n = len(cleaned.table)
    for field in cleaned.fields:
        if field.name in cleaned.numbers:
            data[field.name] = cleaned.numbers[field.name]
        elif field.name in cleaned.texts:
            data[field.name] = cleaned.texts[field.name].to_series()
        elif field.default is not None:
            kind = "str" if isinstance(field.default, str) else "float64"
            data[field.name] = pd.Series(field.default, index=range(n), dtype=kind)
    extra = {name: c.to_series() for name, c in cleaned.texts.items() if name not in data}
    return pd.DataFrame(data | extra)


def _ballots(context: Context, cleaned: Cleaned) -> pd.DataFrame:
    """Labels as categoricals in the order of the scheme, answers as numbers."""
    frame = _plain(cleaned)
    names = context.facts.names
    orders: Mapping[str, Any] = {
        "unit_id": list(context.of_unit("unit_id")),
        "category": names["categories"],
        "mode": names["modes"],
        "rater_id": None,
        "batch": None,
    }
    for column, order in orders.items():
        if column in cleaned.texts:
            frame[column] = cleaned.texts[column].to_categorical(order)
    for dimension in context.facts.dimensions:
        frame[dimension] = _codes(cleaned.texts[dimension])
    return frame


def _codes(column: Column) -> Any:
    return column.take(np.array([float(t) if t else np.nan for t in column.uniques]))


def _from_wide(context: Context, cleaned: Cleaned) -> pd.DataFrame:
    """One task for each cell that a unit's class has, in the order unit, indicator."""
    facts, units = context.facts, cleaned.table["unit_id"].texts()
    cells = [
        (unit, indicator, cleaned.numbers[indicator][row])
        for row, unit in enumerate(units)
        for indicator, classes in facts.classes_of.items()
        if context.class_of[unit] in classes
    ]
    frame = pd.DataFrame(cells, columns=["unit_id", "indicator_id", "actual"])
    defaults = {f.name: f.default for f in fields_of("tasks", facts) if f.default is not None}
    frame = frame.assign(**{n: v for n, v in defaults.items() if n not in frame})
    return frame.astype({n: "str" for n in ("unit_id", "indicator_id", "role", "status")})


def _groups(context: Context, units: pd.DataFrame) -> pd.DataFrame:
    """Groups as the units have them, where there is no table of them."""
    first = units.drop_duplicates("group")
    frame = first[["group", "class"]].reset_index(drop=True)
    names = pd.Series("", index=frame.index, dtype="str")
    frame.insert(1, "name_zh", names)
    frame.insert(2, "name_en", names)
    return frame


def spell_levels(tasks: pd.DataFrame, levels: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Tasks with the names of levels in place of whole positions."""
    if "indicator_id" not in tasks:
        return tasks
    rows = np.flatnonzero(tasks["indicator_id"].isin(list(levels)))
    if not len(rows):
        return tasks
    names = [levels[i] for i in tasks["indicator_id"].iloc[rows]]
    spelt = tasks.copy()
    for column in (c for c in VALUES if c in tasks):
        cells = tasks[column].to_numpy(dtype=object, copy=True)
        cells[rows] = [_level(v, n) for v, n in zip(cells[rows], names, strict=True)]
        spelt[column] = pd.Series(cells, index=tasks.index, dtype=object)
    return spelt


def _level(value: Any, names: tuple[str, ...]) -> Any:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    whole = is_number and value == value and float(value).is_integer()
    return names[int(value)] if whole and 0 <= value < len(names) else value
