"""What happened to a unit besides its numbers: nothing is filled, capped or barred silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from perfmethod import grading
from perfmethod.core import FILLS
from perfmethod.frames import rows
from perfmethod.scoring.plan import ClassPlan, Plan
from perfmethod.scoring.run import ClassScores, Scored
from perfmethod.year import Year

__all__ = ["PHRASES", "Note", "collect", "phrase", "pool_name", "summary"]

# kind -> language -> sentence; a new kind of note is added here and in `collect`
PHRASES = {
    "veto": {
        "en": "veto '{name}': best grade open is {grade}",
        "zh": "一票否决\u201c{name}\u201d: 等次最高为{grade}",
    },
    "bonus_cap": {
        "en": "bonus of {raw:g} points capped at {capped:g}",
        "zh": "加分{raw:g}分, 封顶为{capped:g}分",
    },
    "deduction_cap": {
        "en": "deduction of {raw:g} points capped at {capped:g}",
        "zh": "减分{raw:g}分, 封顶为{capped:g}分",
    },
    "edge_tie": {
        "en": "tied at the edge of a quota after every tie rule",
        "zh": "在名额边缘同分, 按各项规则仍无法区分",
    },
    "no_task": {
        "en": "{node}: no task; rule: {rule}",
        "zh": "{node}: 无任务; 处理: {rule}",
    },
    "no_value": {
        "en": "{node}: no score ({why}); rule: {rule}",
        "zh": "{node}: 无得分({why}); 处理: {rule}",
    },
    "not_certified": {
        "en": "{node}: status '{status}' may not score; counts as {rule}",
        "zh": "{node}: 状态\u201c{status}\u201d不得计分; 按{rule}处理",
    },
    "self_certified": {
        "en": "{node}: certified by the unit itself",
        "zh": "{node}: 由被考核单位自行认定",
    },
    "no_ballots": {
        "en": "{node}: no valid ballots from {cells} of the rater categories; weights rescaled",
        "zh": "{node}: {cells}类评议主体无有效票, 权重按其余类别重新分配",
    },
}
WORDS = {
    "redistribute": {"en": "weight redistributed", "zh": "权重重新分配"},
    "class_mean": {"en": "class mean", "zh": "取同类平均分"},
    "full_marks": {"en": "full marks", "zh": "记满分"},
    "zero": {"en": "zero", "zh": "零分"},
    "missing": {"en": "missing", "zh": "缺失"},
    "no usable actual": {"en": "no actual, or none that may score", "zh": "无完成值或不得计分"},
    "no score from its rule": {"en": "no score from its rule", "zh": "规则未得出分数"},
}
FIRST = ("veto", "edge_tie", "bonus_cap", "deduction_cap")  # kinds told in full in the summary


class Note(NamedTuple):
    """One remark on one unit."""

    unit_id: str
    kind: str
    node: str
    detail: dict[str, Any]


def collect(year: Year, plan: Plan, scored: Scored, graded: grading.Graded | None) -> list[Note]:
    """Every remark, by unit in the year's order."""
    notes = [*_vetoes(year), *_caps(plan, scored), *_ties(plan, graded), *_certification(year)]
    for part, result in zip(plan.classes, scored.classes, strict=True):
        notes += _missing(plan, part, result)
    notes += _empty_cells(plan)
    order = {unit: i for i, unit in enumerate(plan.units)}
    return sorted(notes, key=lambda note: order[note.unit_id])


def _vetoes(year: Year) -> Iterator[Note]:
    if year.vetoes is None:
        return
    rules, levels = year.scheme.document["vetoes"], year.scheme.document.get("grades", {})
    worst = list(levels.get("levels", {"": None}))[-1]
    for event in rows(year.vetoes[year.vetoes["status"] == "confirmed"]):
        rule = rules[event.veto]
        if rule["effect"] != "none":
            grade = rule.get("grade", worst) if rule["effect"] == "cap" else worst
            yield Note(event.unit_id, "veto", "", {"veto": event.veto, "grade": grade})


def _caps(plan: Plan, scored: Scored) -> Iterator[Note]:
    items = plan.scheme.document.get("adjustments", {}).get("items", {})
    for kind, capped in (("bonus", scored.bonus), ("deduction", scored.deduction)):
        chosen = [j for j, item in enumerate(items.values()) if item["kind"] == kind]
        raw = plan.points[:, chosen].sum(1)
        for i in np.flatnonzero(raw > capped):
            yield Note(plan.units[i], f"{kind}_cap", "", {"raw": raw[i], "capped": capped[i]})


def _ties(plan: Plan, graded: grading.Graded | None) -> Iterator[Note]:
    if graded is not None:
        for i in np.flatnonzero(graded.edge_tied):
            yield Note(plan.units[i], "edge_tie", "", {})


def _certification(year: Year) -> Iterator[Note]:
    rule, tasks = year.scheme.document.get("certification"), year.tasks
    if rule is not None and tasks is not None and "status" in tasks:
        barred = tasks[~tasks["status"].isin(rule["scoring"])]
        for task in rows(barred):
            detail = {"status": task.status, "rule": rule.get("otherwise", "missing")}
            yield Note(task.unit_id, "not_certified", task.indicator_id, detail)
    if year.indicators is not None and tasks is not None and "certifier_id" in year.indicators:
        certifier = year.indicators.set_index("indicator_id")["certifier_id"]
        own = tasks[tasks["indicator_id"].map(certifier) == tasks["unit_id"]]
        for task in rows(own):
            yield Note(task.unit_id, "self_certified", task.indicator_id, {})


def _missing(plan: Plan, part: ClassPlan, result: ClassScores) -> Iterator[Note]:
    """Nodes that had nothing to score, with the rule that then acted."""
    raw = {leaf.node: leaf.actual for leaf in part.leaves}
    for node, name in enumerate(part.tree.names):
        rule = FILLS[int(result.numbers.fill[node])]
        if node in result.leaves.scores:
            lost = np.isnan(result.leaves.scores[node]) & (result.leaves.held[node] > 0)
            blank = np.isnan(raw.get(node, np.full(len(part.units), np.nan)))
            for j in np.flatnonzero(lost):
                why = "no usable actual" if blank[j] else "no score from its rule"
                yield Note(plan.units[part.units[j]], "no_value", name, {"why": why, "rule": rule})
        elif node:
            below = np.stack([result.nodes[c] for c in part.tree.children[node]])
            for j in np.flatnonzero(np.isnan(below).all(0)):
                yield Note(plan.units[part.units[j]], "no_task", name, {"rule": rule})


def _empty_cells(plan: Plan) -> Iterator[Note]:
    if plan.counts is None:
        return
    scored = [
        "score" in plan.scheme.document["survey"]["options"][str(o)] for o in plan.counts.options
    ]
    valid = plan.counts.array[..., scored].sum((-1, -2)) > 0  # (u, d, c)
    for part in plan.classes:
        for node, dimension in part.survey.items():
            d = plan.counts.dimensions.index(dimension)
            for i in part.units:
                if (cells := int((~valid[i, d]).sum())) > 0:
                    yield Note(plan.units[i], "no_ballots", part.tree.names[node], {"cells": cells})


def phrase(year: Year, note: Note, lang: str) -> str:
    """The remark as a sentence in English (``en``) or Chinese (``zh``)."""
    scheme, detail = year.scheme, dict(note.detail)
    if "veto" in detail:
        detail["name"] = scheme.name(f"vetoes.{detail['veto']}", lang)
        levels = scheme.document.get("grades", {}).get("levels", {})
        if detail["grade"] in levels:
            detail["grade"] = scheme.name(f"grades.levels.{detail['grade']}", lang)
    for key in ("rule", "why"):
        if key in detail:
            detail[key] = WORDS[detail[key]][lang]
    if note.node:
        detail["node"] = node_name(year, note.unit_id, note.node, lang)
    return PHRASES[note.kind][lang].format(**detail)


def node_name(year: Year, unit: str, node: str, lang: str) -> str:
    """Name of a node or indicator as the unit's class knows it."""
    if node in year.scheme.document["indicators"]:
        return year.scheme.name(f"indicators.{node}", lang)
    class_id = str(year.units.at[unit, "class"])
    return year.scheme.name(f"classes.{class_id}.nodes.{node}", lang)


def pool_name(year: Year, pool: str, lang: str) -> str:
    """Name of a group, of a class where units stand in no group, or of all units."""
    groups = year.group_names(lang)
    if pool in year.scheme.classes:
        return year.scheme.name(f"classes.{pool}", lang)
    if pool in groups.index:
        return str(groups[pool])
    return {"en": "all units", "zh": "全体单位"}[lang]


def summary(year: Year, notes: list[Note], lang: str) -> pd.Series:
    """One short text per unit: what decides grades in full, the rest as counts."""
    found: dict[str, list[str]] = {unit: [] for unit in year.units.index}
    counts: dict[tuple[str, str], int] = {}
    for note in notes:
        if note.kind in FIRST:
            found[note.unit_id].append(phrase(year, note, lang))
        else:
            key = (note.unit_id, note.kind)
            counts[key] = counts.get(key, 0) + 1
    for (unit, kind), n in counts.items():
        found[unit].append(f"{kind} x {n}")
    return pd.Series({unit: "; ".join(texts) for unit, texts in found.items()}, name="note")
