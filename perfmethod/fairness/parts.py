"""The parts of a total that are compared between groups, and the anchors among them.

A part is a block, an aspect or a leaf. Its points are counted from what the class's mean score
would give on the same weight: a unit whose portfolio gives a part more weight has no more points
there for that alone, and the parts of a unit still add up to its total, less a constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scoring.comparable import class_plan

if TYPE_CHECKING:
    from perfmethod.core import Structure
    from perfmethod.scoring import Evaluation

__all__ = ["Parts", "below", "parts_of"]

Array = NDArray[np.float64]

SIDES = {"bonus": ("加分", "Bonus", 1.0), "deduction": ("减分", "Deduction", -1.0)}


class Parts(NamedTuple):
    """Parts of the totals of a class.

    Parameters
    ----------
    names : DataFrame (p rows)
        Index part; parent, name_zh, name_en, anchor.
    units : Index (u,)
    points : ndarray (u, p)
        From the class's mean score on the same weight; rows sum to the total less a constant.
    scores : ndarray (u, p)
        0-100, for adjustments signed points; NaN where a unit does not have the part.
    weight : ndarray (u, p)
        Effective weight; 0 for adjustments.
    total : ndarray (u,)
        Points.
    """

    names: pd.DataFrame
    units: pd.Index
    points: Array
    scores: Array
    weight: Array
    total: Array

    @property
    def anchors(self) -> Array:
        """Scores on the anchors (u, a)."""
        return self.scores[:, self.names["anchor"].to_numpy(bool)]

    def select(self, kept: NDArray[np.bool_]) -> Parts:
        """The same parts of some of the units."""
        fields = (self.points, self.scores, self.weight, self.total)
        return Parts(self.names, self.units[kept], *(values[kept] for values in fields))


def parts_of(
    evaluation: Evaluation, class_id: str, anchors: Sequence[str] = (), depth: int = 2
) -> Parts:
    """Cut the totals of a class into parts.

    Parameters
    ----------
    evaluation : Evaluation
    class_id : str
    anchors : sequence of str
        Nodes that stay whole.
    depth : int, default 2
        1 for blocks, 2 for aspects and dimensions; a branch that ends sooner is taken to its end,
        and one with an anchor below is opened down to it.

    Returns
    -------
    Parts

    Raises
    ------
    PerfmethodError
        If an anchor is no node, lies inside another, or some unit has no score on it.
    """
    part = class_plan(evaluation, class_id)
    at = {name: i for i, name in enumerate(part.tree.names) if i}
    for anchor in anchors:
        if anchor not in at:
            raise PerfmethodError(f"found anchor '{anchor}'; allowed: {suggest(anchor, at)}")
    if depth < 1:
        raise PerfmethodError(f"found depth {depth}; allowed: 1 (blocks) or more")
    chosen = {at[a] for a in anchors}
    nested = [a for a in anchors if chosen & set(below(part.tree, at[a]))]
    if nested or len(chosen) < len(anchors):
        raise PerfmethodError(f"found anchors {list(anchors)}; allowed: none twice or in another")
    units = evaluation.scores.index[part.units]
    wide = evaluation.nodes[evaluation.nodes["unit_id"].isin(units)].pivot(
        index="unit_id", columns="node"
    )
    cut = [n for n in _cut(part.tree, 0, chosen, depth) if part.tree.names[n] in wide["score"]]
    parents = {c: part.tree.names[i] for i, cs in enumerate(part.tree.children) for c in cs}
    rows = [(part.tree.names[n], parents[n], *_names(evaluation, class_id, part.tree.names[n]),
             n in chosen) for n in cut]  # fmt: skip
    return _assembled(evaluation, wide.reindex(units), rows)


def _assembled(
    evaluation: Evaluation, wide: pd.DataFrame, rows: list[tuple[str, str, str, str, bool]]
) -> Parts:
    nodes = [row[0] for row in rows]
    scores = wide["score"][nodes].to_numpy(float)
    weight = wide["effective_weight"][nodes].fillna(0.0).to_numpy(float)
    points = wide["contribution"][nodes].fillna(0.0).to_numpy(float)
    base = float(evaluation.year.scheme.number("base"))
    points = points - base / 100.0 * float(wide["score"]["total"].mean()) * weight
    anchor = np.array([row[4] for row in rows], dtype=bool)
    lacking = np.isnan(scores[:, anchor])
    if lacking.any():
        u, a = np.argwhere(lacking)[0]
        raise PerfmethodError(
            f"found no score of '{wide.index[u]}' on the anchor "
            f"'{np.array(nodes)[anchor][a]}'; allowed: anchors on which every unit has one"
        )
    sides = evaluation.scores.loc[wide.index, list(SIDES)].to_numpy(float)
    sides = sides * [sign for *_, sign in SIDES.values()]
    for j, (name, (zh, en, _)) in enumerate(SIDES.items()):
        if sides[:, j].any():
            rows.append((name, "", zh, en, False))
            scores = np.column_stack([scores, sides[:, j]])
            points = np.column_stack([points, sides[:, j]])
            weight = np.column_stack([weight, np.zeros(len(weight))])
    columns = ["part", "parent", "name_zh", "name_en", "anchor"]
    names = pd.DataFrame(rows, columns=columns).set_index("part")
    total = evaluation.scores.loc[wide.index, "total"].to_numpy(float)
    return Parts(names, wide.index, points, scores, weight, total)


def below(tree: Structure, node: int) -> Iterator[int]:
    """All nodes under a node."""
    for child in tree.children[node]:
        yield child
        yield from below(tree, child)


def _cut(tree: Structure, node: int, anchors: set[int], depth: int) -> Iterator[int]:
    """Nodes at a depth; anchors whole, and what has an anchor below opened down to it."""
    closed = depth <= 0 and not anchors & set(below(tree, node))
    if node in anchors or not tree.children[node] or (node and closed):
        yield node
        return
    for child in tree.children[node]:
        yield from _cut(tree, child, anchors, depth - 1)


def _names(evaluation: Evaluation, class_id: str, node: str) -> tuple[str, str]:
    scheme = evaluation.year.scheme
    inner = node in scheme.document["classes"][class_id].get("nodes", {})
    path = f"classes.{class_id}.nodes.{node}" if inner else f"indicators.{node}"
    return scheme.name(path, "zh"), scheme.name(path, "en")
