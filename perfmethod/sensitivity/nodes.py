"""Nodes of an evaluation, level by level, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.core import Structure
from perfmethod.errors import PerfmethodError
from perfmethod.scheme import Scheme
from perfmethod.scoring import Evaluation

__all__ = ["Level", "levels_of"]

Array = NDArray[np.float64]

ADJUSTMENTS = {"bonus": ("加分", "Bonus", 1.0), "deduction": ("减分", "Deduction", -1.0)}


class Level(NamedTuple):
    """Nodes that together make up the total of every unit of a class.

    Parameters
    ----------
    level : int
    names : DataFrame (c rows)
        node, parent, name_zh, name_en, nominal (NaN for adjustments).
    scores : ndarray (u, c)
        0-100, for adjustments points; NaN where a unit does not have the node.
    points : ndarray (u, c)
        Contribution to the total, 0 where a unit does not have the node.
    total : ndarray (u,)
        Points.
    effective : ndarray (c,)
        Mean weight in the root after redistribution; NaN for adjustments.
    """

    level: int
    names: pd.DataFrame
    scores: Array
    points: Array
    total: Array
    effective: Array

    def select(self, kept: NDArray[np.intp]) -> Level:
        """The same level for some of the units."""
        return self._replace(
            scores=self.scores[kept], points=self.points[kept], total=self.total[kept]
        )


def levels_of(evaluation: Evaluation, class_id: str, levels: Sequence[int]) -> Iterator[Level]:
    """Levels of one class.

    Parameters
    ----------
    evaluation : Evaluation
    class_id : str
    levels : sequence of int
        Depths from 1 on.

    Raises
    ------
    PerfmethodError
        If the tree is not so deep.
    """
    at_class = [part.class_id for part in evaluation._plan.classes].index(class_id)
    tree = evaluation._plan.classes[at_class].tree
    nominal = _nominal(tree, evaluation._scored.classes[at_class].numbers.weight)
    units = evaluation.scores.index[evaluation.scores["class"] == class_id]
    rows = evaluation.nodes[evaluation.nodes["unit_id"].isin(units)]
    wide = rows.pivot(index="unit_id", columns="node").reindex(units)
    depth = _depths(tree)
    for level in levels:
        if not 1 <= level <= max(depth):
            raise PerfmethodError(f"class '{class_id}': found level {level}; allowed: 1 to "
                                  f"{max(depth)}")  # fmt: skip
        at = [i for i, children in enumerate(tree.children)
              if depth[i] == level or (0 < depth[i] < level and not children)]  # fmt: skip
        at = [i for i in at if tree.names[i] in wide["score"]]
        yield _level(evaluation, class_id, level, tree, at, wide, nominal)


def _level(
    evaluation: Evaluation,
    class_id: str,
    level: int,
    tree: Structure,
    at: list[int],
    wide: pd.DataFrame,
    nominal: Array,
) -> Level:
    scheme, nodes = evaluation.year.scheme, [tree.names[i] for i in at]
    parent = {c: tree.names[i] for i, children in enumerate(tree.children) for c in children}
    sides = evaluation.scores.loc[wide.index, list(ADJUSTMENTS)].to_numpy(float)
    used = [j for j in range(sides.shape[1]) if sides[:, j].any()]
    sides, extra = sides[:, used], [list(ADJUSTMENTS.items())[j] for j in used]
    labels = [_names(scheme, class_id, n) for n in nodes] + [e[1][:2] for e in extra]
    names = pd.DataFrame(
        {
            "node": [*nodes, *(e[0] for e in extra)],
            "parent": [*(parent[i] or "total" for i in at), *("total" for _ in extra)],
            "name_zh": [zh for zh, _ in labels],
            "name_en": [en for _, en in labels],
            "nominal": [*nominal[at], *(np.nan for _ in extra)],
        }
    )
    points = wide["contribution"][nodes].fillna(0.0).to_numpy(float)
    sign = np.array([e[1][2] for e in extra])
    effective = wide["effective_weight"][nodes].fillna(0.0).to_numpy(float).mean(0)
    return Level(
        level,
        names,
        np.concatenate([wide["score"][nodes].to_numpy(float), sides], axis=1),
        np.concatenate([points, sides * sign], axis=1),
        evaluation.scores.loc[wide.index, "total"].to_numpy(float),
        np.concatenate([effective, np.full(len(extra), np.nan)]),
    )


def _names(scheme: Scheme, class_id: str, node: str) -> tuple[str, str]:
    """Chinese and English name of a node."""
    inner = node in scheme.document["classes"][class_id].get("nodes", {})
    path = f"classes.{class_id}.nodes.{node}" if inner else f"indicators.{node}"
    return scheme.name(path, "zh"), scheme.name(path, "en")


def _depths(tree: Structure) -> list[int]:
    depth = [0] * len(tree.names)
    for node, children in enumerate(tree.children):
        for child in children:
            depth[child] = depth[node] + 1
    return depth


def _nominal(tree: Structure, weights: Array) -> Array:
    """Weight of every node in the root, as the scheme writes it."""
    out = np.ones(len(weights))
    for node, children in enumerate(tree.children):
        whole = weights[list(children)].sum()
        for child in children:
            out[child] = out[node] * weights[child] / whole if whole > 0 else 0.0
    return out
