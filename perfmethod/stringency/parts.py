"""What a panel scored, and the anchors that others scored, taken from an evaluated year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from perfmethod.errors import DataError, PerfmethodError, Problems, suggest
from perfmethod.scoring.comparable import anchors_of, class_of, panels_of

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.scoring import Evaluation

__all__ = ["Parts", "below", "parts_of"]


@dataclass(frozen=True)
class Parts:
    """Scores of one class on the parts that are compared.

    Attributes
    ----------
    class_id : str
    panel_nodes, anchor_nodes : tuple of str
    panel : Series (u,)
        Index unit_id; mean of the panel's nodes with each unit's effective weights.
    anchors : DataFrame (u, a)
    groups : Series (u,)
    left_out : tuple of str
        Units of the year that are not compared: of other classes, or left out on request.
    """

    class_id: str
    panel_nodes: tuple[str, ...]
    anchor_nodes: tuple[str, ...]
    panel: pd.Series = field(repr=False)
    anchors: pd.DataFrame = field(repr=False)
    groups: pd.Series = field(repr=False)
    left_out: tuple[str, ...]


def parts_of(
    evaluation: Evaluation,
    panel: str | Sequence[str] | None = None,
    anchors: str | Sequence[str] | None = None,
    by: str | pd.Series = "group",
    leave_out: Sequence[str] = (),
) -> Parts:
    """Take apart what panels and others scored.

    Parameters
    ----------
    evaluation : Evaluation
    panel : str or sequence of str, optional
        Nodes of the scheme; by default `scoring.panels_of` the largest class with two groups, whose
        units alone are then compared.
    anchors : str or sequence of str, optional
        Nodes of the scheme; by default those of `scoring.anchors_of` that are no part of the panel.
    by : str or Series
        Column of the units, or labels by unit_id: who shares a panel.
    leave_out : sequence of str
        Units not to compare.

    Returns
    -------
    Parts

    Raises
    ------
    DataError
        If a node or unit is unknown, panel and anchors overlap or are not found, units of several
        classes or of none have panel scores, or a unit lacks an anchor or a group; all problems at
        once.
    """
    problems = Problems("stringency")
    table = evaluation.nodes.pivot(index="unit_id", columns="node", values="score")
    table = table.reindex(evaluation.scores.index)
    _check_names(problems, table, panel, anchors, leave_out)
    labels = _groups(problems, evaluation, by)
    problems.raise_any(DataError)
    kept = ~table.index.isin(list(leave_out))
    if panel is None:
        class_id, own = _found_panel(problems, evaluation, labels[kept], by)
        kept &= (evaluation.scores["class"] == class_id).to_numpy()
    else:
        own = _names(panel)
    scored = table[list(own)].notna().any(axis=1) & kept
    classes = sorted(set(evaluation.scores.loc[scored, "class"]))
    if len(classes) != 1:
        problems.add(f"panel scores in the classes {classes}", "in one class: leave out the units "
                     "of the others, whose anchors are not the same", column="panel")  # fmt: skip
        problems.raise_any(DataError)
    if anchors is None:
        others = _found_anchors(problems, evaluation, classes[0], own, list(table.index[~scored]))
    else:
        others = _names(anchors)
    units = table.index[scored]
    _check_overlap(problems, evaluation, classes[0], own, others)
    groups, mine = labels.reindex(units), table.loc[units, list(others)]
    _check_missing(problems, mine, groups)
    problems.raise_any(DataError)
    return Parts(
        classes[0], own, others, _mean(evaluation, own, units), mine, groups.astype(str),
        tuple(table.index[~scored]),
    )  # fmt: skip


def _check_names(
    problems: Problems, table: pd.DataFrame, panel: str | Sequence[str] | None,
    anchors: str | Sequence[str] | None, leave_out: Sequence[str],
) -> None:  # fmt: skip
    for where, nodes in (("panel", panel), ("anchors", anchors)):
        for node in () if nodes is None else _names(nodes):
            if node not in table:
                problems.add(f"'{node}'", suggest(node, table.columns), column=where)
    for unit in sorted(set(leave_out) - set(table.index)):
        problems.add(f"'{unit}'", suggest(unit, table.index), column="leave_out")
    if panel is not None and not _names(panel):
        problems.add("no node", "1 or more that the groups' own panels score", column="panel")


def _found_panel(
    problems: Problems, evaluation: Evaluation, labels: pd.Series, by: str | pd.Series
) -> tuple[str, tuple[str, ...]]:
    """The class that is compared and the nodes that each group has to itself there."""
    name = by if isinstance(by, str) else str(by.name or "by")
    try:
        class_id = class_of(evaluation, labels.reindex(evaluation.scores.index), name)
    except PerfmethodError:
        problems.add(f"no class in which '{name}' has two groups", "groups inside a class",
                     column="by")  # fmt: skip
        raise DataError(problems.items) from None
    own = panels_of(evaluation, class_id, labels)
    if not own:
        problems.add(f"no node of '{class_id}' that each group has to itself", "panel = ...: nodes "
                     "that each group's own panel scores", column="panel")  # fmt: skip
    problems.raise_any(DataError)
    return class_id, own


def _found_anchors(
    problems: Problems, evaluation: Evaluation, class_id: str, own: Sequence[str],
    leave_out: Sequence[str],
) -> tuple[str, ...]:  # fmt: skip
    found = anchors_of(evaluation, class_id, leave_out=leave_out, without=own)
    if not found:
        problems.add(f"no node that all units of '{class_id}' share", "anchors = ...: nodes that "
                     "the same hands score for all of them", column="anchors")  # fmt: skip
    return found


def below(evaluation: Evaluation, class_id: str, nodes: Sequence[str]) -> tuple[str, ...]:
    """Leaves under some nodes of a class, those nodes themselves where they are leaves."""
    tree = evaluation.year.scheme.parents(class_id)
    children: dict[str, list[str]] = {}
    for child, parent in tree.items():
        children.setdefault(parent, []).append(child)
    left, found = list(nodes), []
    for node in left:  # grows while it is walked
        left += children.get(node, [])
        found += [] if node in children else [node]
    return tuple(dict.fromkeys(found))


def _names(nodes: str | Sequence[str]) -> tuple[str, ...]:
    return (nodes,) if isinstance(nodes, str) else tuple(dict.fromkeys(nodes))


def _groups(problems: Problems, evaluation: Evaluation, by: str | pd.Series) -> pd.Series:
    units = evaluation.year.units.reindex(evaluation.scores.index)
    if not isinstance(by, str):
        return by.reindex(units.index)
    if by not in units:
        problems.add(f"'{by}'", f"{suggest(by, map(str, units.columns))}, or a Series", column="by")
        problems.raise_any(DataError)
    return units[by].mask(units[by].isin([""]))


def _mean(evaluation: Evaluation, nodes: tuple[str, ...], units: pd.Index) -> pd.Series:
    """Mean of the panel's nodes with each unit's effective weights."""
    rows = evaluation.nodes
    mine = rows[rows["node"].isin(nodes) & rows["score"].notna()].set_index("unit_id")
    weight = mine["effective_weight"]
    total = (mine["score"] * weight).groupby(level=0).sum() / weight.groupby(level=0).sum()
    return total.reindex(units).rename("panel")


def _check_overlap(
    problems: Problems, evaluation: Evaluation, class_id: str, panel: Sequence[str],
    anchors: Sequence[str],
) -> None:  # fmt: skip
    own = set(below(evaluation, class_id, panel))
    seen: set[str] = set()
    for anchor in anchors:
        leaves = set(below(evaluation, class_id, [anchor]))
        if leaves & own:
            problems.add(f"'{anchor}', part of what the panel scores", "nodes that others score",
                         column="anchors")  # fmt: skip
        if leaves & seen:
            problems.add(f"'{anchor}', part of another anchor", "anchors apart from each other",
                         column="anchors")  # fmt: skip
        seen |= leaves


def _check_missing(problems: Problems, anchors: pd.DataFrame, groups: pd.Series) -> None:
    for anchor in anchors:
        lacking = list(anchors.index[anchors[anchor].isna()])
        if lacking:
            problems.add(f"no score of {', '.join(map(str, lacking[:5]))} ({len(lacking)} units)",
                         "a score of every unit: another anchor, or `leave_out` the units",
                         column=str(anchor))  # fmt: skip
    lacking = list(groups.index[groups.isna()])
    if lacking:
        problems.add(f"no group of {', '.join(map(str, lacking[:5]))} ({len(lacking)} units)",
                     "a group of every unit, or `leave_out` the units", column="by")  # fmt: skip


def need_arithmetic(evaluation: Evaluation, parts: Parts) -> None:
    """Refuse to move a panel part whose mean is not arithmetic: its leaves cannot be moved alike.

    Raises
    ------
    PerfmethodError
    """
    tree = evaluation.year.scheme.parents(parts.class_id)
    inner = set(tree.values())
    at = [n for n in parts.panel_nodes if n in inner]
    for node in at:
        path = f"classes.{parts.class_id}.nodes.{node}.power"
        power = float(np.asarray(evaluation.year.scheme.number(path)))
        if power != 1:
            raise PerfmethodError(
                f"found power = {power:g} at '{node}'; allowed: 1, an arithmetic mean, where the "
                "panel's part is to be moved by points"
            )
        at += [n for n, parent in tree.items() if parent == node and n in inner]
