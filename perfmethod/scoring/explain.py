"""The derivation of one unit's result, from its inputs to its grade."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from perfmethod import normalization
from perfmethod.core import Structure
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.frames import row as one_row
from perfmethod.scoring.evaluate import Evaluation
from perfmethod.scoring.rule_words import number
from perfmethod.scoring.standing import Standing, standing

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True)
class Explanation:
    """Everything that one unit's result rests on.

    Attributes
    ----------
    unit : str
    lines : DataFrame
        One row per leaf, then bonus and deduction: node, path, actual, target, reported, status,
        rule (as the scheme spells it, with all parameters; "(-)" where less is better), score,
        effective_weight, contribution, collector, certifier. The contributions add up to the total,
        to the last bit (`math.fsum`): what floating-point sums lose is put to the largest line,
        or, where no line is fine enough to take it, stands as a line ``rounding``.
    cells : DataFrame
        Survey cells (dimension, category, mode): ballots, valid answers, don't-knows, mean, weight
        after rescaling, category_weight (of all modes together); cells below the scheme's least
        size are hidden, with all that would give them away.
    adjustments : DataFrame
        Events with item, points, status, document, and whether they count.
    standing : Standing
        Ranks, quota, cut, veto, and what would have to be true for another grade.
    """

    unit: str
    lines: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    adjustments: pd.DataFrame = field(repr=False)
    standing: Standing = field(repr=False)
    evaluation: Evaluation = field(repr=False)

    def __repr__(self) -> str:
        row = self.evaluation.scores.loc[self.unit]
        return (
            f"<Explanation of {self.unit}: total {row['total']:.2f}, {row['grade'] or 'no grade'}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The lines that add up to the total."""
        return self.lines

    def to_text(self, lang: str = "en") -> str:
        """The derivation as text, in English (``en``) or Chinese (``zh``)."""
        from perfmethod.scoring.derivation import as_text

        return as_text(self, lang)


def explain(evaluation: Evaluation, unit: str) -> Explanation:
    """Derive one unit's result.

    Parameters
    ----------
    evaluation : Evaluation
    unit : str

    Returns
    -------
    Explanation

    Raises
    ------
    PerfmethodError
        If the unit is not one of the evaluation's.

    Examples
    --------
    >>> import perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { weight = 3, rule = { method = "identity" } }
    ... indicators.water = { weight = 1, rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 70]}))
    >>> pm.explain(pm.evaluate(year), "A").lines[["node", "effective_weight", "contribution"]]
        node  effective_weight  contribution
    0  roads              0.75          67.5
    1  water              0.25          12.5
    """
    units = evaluation.year.units.index
    if unit not in units:
        raise PerfmethodError(f"found unit '{unit}'; allowed: {suggest(unit, units)}")
    return Explanation(
        unit,
        _lines(evaluation, unit),
        _cells(evaluation, unit),
        _adjustments(evaluation, unit),
        standing(evaluation, unit),
        evaluation,
    )


def _lines(evaluation: Evaluation, unit: str) -> pd.DataFrame:
    nodes = evaluation.nodes[evaluation.nodes["unit_id"] == unit].drop(columns="unit_id")
    row = one_row(evaluation.scores, unit)
    tree = _tree(evaluation, unit)
    lines = nodes[_ends(tree, nodes)].reset_index(drop=True)
    ways = _ways(tree)
    lines.insert(1, "path", lines["node"].map(ways))
    lines = lines.merge(_inputs(evaluation, unit), how="left", on="node")
    class_id = str(row["class"])
    lines["rule"] = [rule_text(evaluation, node, class_id) for node in lines["node"]]
    extra = [("bonus", row["bonus"]), ("deduction", -row["deduction"])]
    for kind, points in extra:
        if points:
            _add(lines, kind, points)
    parts, rest = _exact(lines["contribution"].to_numpy(float), float(row["total"]))
    lines["contribution"] = parts
    if rest:
        _add(lines, "rounding", rest)
    return lines


def _add(lines: pd.DataFrame, node: str, points: float) -> None:
    """Write one more line, which comes from no indicator."""
    values: Any = [node, "", "", points]
    lines.loc[len(lines), ["node", "path", "rule", "contribution"]] = values


def _tree(evaluation: Evaluation, unit: str) -> Structure:
    class_id = evaluation.year.units.at[unit, "class"]
    return Structure.of(evaluation.year.scheme.parents(class_id))


def _ends(tree: Structure, nodes: pd.DataFrame) -> list[bool]:
    """Which of a unit's nodes are leaves, or have a score that its missing rule gave."""
    scored = set(nodes.loc[nodes["score"].notna(), "node"])
    found = {}
    for name, below in zip(tree.names, tree.children, strict=True):
        fed = any(tree.names[c] in scored for c in below)
        found[name or "total"] = not below or (name in scored and not fed)
    return [found[name] for name in nodes["node"]]


def _ways(tree: Structure) -> dict[str, str]:
    """Names on the way from the root to each node, without the node."""
    ways = {"": ""}
    for name, below in zip(tree.names, tree.children, strict=True):
        for child in below:
            ways[tree.names[child]] = f"{ways[name]} > {name}".removeprefix(" > ")
    return ways


def _inputs(evaluation: Evaluation, unit: str) -> pd.DataFrame:
    year = evaluation.year
    columns = ["actual", "target", "reported", "status"]
    if year.tasks is None:
        return pd.DataFrame(columns=["node", *columns, "collector", "certifier"])
    mine = year.tasks[year.tasks["unit_id"] == unit].rename(columns={"indicator_id": "node"})
    found = mine.reindex(columns=["node", *columns])
    about = year.indicators.set_index("indicator_id") if year.indicators is not None else None
    for column, source in (("collector", "collector_id"), ("certifier", "certifier_id")):
        has = about is not None and source in about
        found[column] = found["node"].map(about[source]) if has and about is not None else None
    return found


def rule_text(evaluation: Evaluation, node: str, class_id: str) -> str:
    """Rule of an indicator with every parameter, as the scheme spells it."""
    rule = rule_of(evaluation, node, class_id)
    if rule is None:
        return ""
    shown = ", ".join(f"{k}={_spelt(v)}" for k, v in rule.values.items())
    return f"{rule.method}({shown}){' (-)' if rule.negative else ''}"


def _spelt(value: Any) -> str:
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_spelt(one) for one in value)}]"
    return number(float(value))


class RuleInUse(NamedTuple):
    """An indicator's rule with every parameter: given, learned from the year, or default."""

    method: str
    values: dict[str, Any]
    negative: bool


def rule_of(evaluation: Evaluation, node: str, class_id: str) -> RuleInUse | None:
    """Rule of an indicator in a class; None for a node that is no indicator."""
    entry: Mapping[str, Any] | None = evaluation.year.scheme.document["indicators"].get(node)
    if entry is None:
        return None
    method = entry["rule"]["method"]
    known = normalization.METHODS.get(method)
    values = {k: v for k, v in (known.parameters.items() if known else ()) if v is not None}
    learned = evaluation.learned
    mine = learned[(learned["indicator"] == node) & (learned["class"] == class_id)]
    values |= dict(zip(mine["parameter"], mine["value"], strict=True))
    values |= {k: v for k, v in entry["rule"].items() if k not in ("method", "names")}
    values = {k: v for k, v in values.items() if v is not normalization.REQUIRED}
    return RuleInUse(method, values, entry.get("direction") == "negative")


def _exact(parts: np.ndarray, total: float) -> tuple[np.ndarray, float]:
    """Move the rounding error of floating-point sums (below 1e-9) to the largest part.

    What is below half a unit in the last place of that part goes to the next smaller one; what is
    too fine for all of them, which happens when large parts cancel, is returned.
    """
    parts = parts.copy()
    for i in np.argsort(-np.abs(parts), kind="stable"):
        lost = math.fsum([total, *-parts])
        if math.fsum(parts) == total or abs(lost) > 1e-9 * max(1.0, abs(total)):
            break
        parts[i] += lost
    rest = 0.0 if math.fsum(parts) == total else math.fsum([total, *-parts])
    if abs(rest) > 1e-9 * max(1.0, abs(total), float(np.abs(parts).max(initial=0.0))):
        raise PerfmethodError(f"contributions add up to {math.fsum(parts)!r}, not to {total!r}")
    return parts, rest


def _cells(evaluation: Evaluation, unit: str) -> pd.DataFrame:
    if evaluation.review is None:
        return pd.DataFrame()
    cells, exact = evaluation.review.cells(), evaluation.review.cells(min_cell=1)
    keys = [exact[name] for name in ("unit_id", "dimension", "category")]
    cells["category_weight"] = exact["weight"].groupby(keys).transform("sum")
    return cells[cells["unit_id"] == unit].drop(columns="unit_id").reset_index(drop=True)


def _adjustments(evaluation: Evaluation, unit: str) -> pd.DataFrame:
    events = evaluation.year.adjustments
    if events is None:
        return pd.DataFrame()
    mine = events[events["unit_id"] == unit].drop(columns="unit_id").reset_index(drop=True)
    mine["counts"] = mine["status"] == "confirmed" if "status" in mine else True
    return mine
