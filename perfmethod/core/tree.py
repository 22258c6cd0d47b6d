"""A tree of weighted power means over arrays, with room for draws."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.aggregation import FULL, from_terms, shares, to_terms
from perfmethod.core.sums import Fixed, Leaves, Numbers, columns, held_by

__all__ = ["FILLS", "Structure", "tree_scores", "tree_shares"]

Array = NDArray[np.float64]

# what a missing score does; the position in this tuple is the number that draws may vary
FILLS = ("redistribute", "class_mean", "full_marks", "zero")


class Structure(NamedTuple):
    """Which node hangs on which.

    Parameters
    ----------
    names : tuple of str (n,)
        Node 0 is the root; every parent stands before its children.
    children : tuple of tuple of int
        Positions of the children of each node; empty for a leaf.

    Examples
    --------
    >>> tree = Structure.of({"a": "", "b": "", "a1": "a", "a2": "a"})
    >>> tree.names, tree.children[0], tree.children[1]
    (('', 'a', 'b', 'a1', 'a2'), (1, 2), (3, 4))
    """

    names: tuple[str, ...]
    children: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, parents: Mapping[str, str]) -> Structure:
        """Build from ``{node: parent}``; the root's name is the empty string.

        Raises
        ------
        ValueError
            If a parent is unknown or the nodes form a cycle.
        """
        names = [""]
        below: dict[str, list[str]] = {}
        for node, parent in parents.items():
            below.setdefault(parent, []).append(node)
        for name in names:  # grows while it is walked: breadth first
            names.extend(below.get(name, ()))
        if len(names) != len(parents) + 1:
            lost = sorted(set(parents) - set(names))
            raise ValueError(f"nodes {lost} do not reach the root")
        at = {name: i for i, name in enumerate(names)}
        return cls(tuple(names), tuple(tuple(at[c] for c in below.get(n, ())) for n in names))


def tree_scores(
    tree: Structure,
    leaves: Leaves,
    numbers: Numbers,
    memory: dict[Hashable, Any] | None = None,
) -> dict[int, Array]:
    """Score every node of the tree for every unit.

    Parameters
    ----------
    tree : Structure
    leaves : Leaves
    numbers : Numbers
        A leaf's `fill` acts on units that have the task but no usable value; an inner node's on
        units for which nothing below it has a score. `FILLS` names the codes.
    memory : dict, optional
        Where sums over children without draws are kept between blocks of the same draws.

    Returns
    -------
    dict of int to ndarray (u,) or (k, u)
        Scores by node position, NaN where the missing rule is to redistribute.
    """
    kept = {} if memory is None else memory
    scores = _leaves(leaves, numbers.fill, kept)
    if "inner" not in kept:
        kept["inner"] = [n for n in reversed(range(len(tree.names))) if n not in scores]
    for node in kept["inner"]:
        mean = _mean(tree.children[node], scores, leaves, numbers, node, kept)
        scores[node] = mean if node == 0 else _fill(mean, numbers.fill[..., node], np.True_)
    return scores


def tree_shares(
    tree: Structure, scores: Mapping[int, Array], leaves: Leaves, numbers: Numbers
) -> tuple[Array, Array]:
    """Trace the root's score down the tree, for one scheme (no draws).

    Parameters
    ----------
    tree : Structure
    scores : mapping of int to ndarray (u,)
        From `tree_scores`.
    leaves : Leaves
    numbers : Numbers

    Returns
    -------
    weight : ndarray (u, n)
        Effective weight of each node in the root, after redistribution; siblings' sum is their
        parent's.
    part : ndarray (u, n)
        What the node gives of the root's score: its score times the derivative of the root's score
        (Euler decomposition); siblings' sum is their parent's, and where all means are arithmetic
        it is weight x score.
    """
    table = np.stack([scores[n] for n in range(len(tree.names))], -1)
    weight, slope = np.zeros(table.shape), np.zeros(table.shape)
    weight[:, 0] = slope[:, 0] = 1.0
    for node, children in enumerate(tree.children):
        if not children:
            continue
        at = list(children)
        below = table[:, at]
        held = np.stack([held_by(c, leaves, below.shape[0]) for c in children], -1)
        w = np.where(np.isnan(below), 0.0, held * columns(numbers.weight, at))
        total = w.sum(-1, keepdims=True)
        relative = np.divide(w, total, out=np.zeros_like(w), where=total > 0)
        weight[:, at] = weight[:, [node]] * relative
        slopes = _slopes(table[:, [node]], below, relative, numbers.power[node])
        slope[:, at] = slope[:, [node]] * slopes
    return weight, slope * np.nan_to_num(table)


def _slopes(mean: Array, scores: Array, weight: Array, power: float) -> Array:
    """Derivatives of a power mean (u, 1) by its children's scores (u, c); weights sum to 1."""
    if power == 1:  # scores may be negative then
        return weight
    parts = mean * shares(scores, weight, np.full(weight.shape[0], power))
    return np.divide(parts, scores, out=np.zeros(parts.shape), where=scores > 0)


def _fill(scores: Array, fill: Array, held: NDArray[np.bool_] | np.bool_) -> Array:
    """Give missing scores what the rule says; a class mean of nothing stays missing."""
    if not np.any(fill) or not np.any(missing := np.isnan(scores) & held):
        return scores
    known = ~np.isnan(scores)
    count = known.sum(-1, keepdims=True)
    total = np.where(known, scores, 0.0).sum(-1, keepdims=True)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    code = np.asarray(fill)[..., None]
    value = np.select([code == 1, code == 2, code == 3], [mean, FULL, 0.0], np.nan)
    return np.where(missing, value, scores)


def _leaves(leaves: Leaves, fill: Array, kept: dict[Hashable, Any]) -> dict[int, Array]:
    """The leaves' scores after their missing rules; worked out once where no draw touches them."""
    if fill.ndim > 1:
        fixed: dict[int, Array] = {}
    else:
        if "leaves" not in kept:
            kept["leaves"] = {
                node: _fill(scores, fill[node], leaves.held[node] > 0)
                for node, scores in leaves.scores.items()
                if scores.ndim == 1
            }
        fixed = dict(kept["leaves"])
    for node, scores in leaves.scores.items() if len(fixed) < len(leaves.scores) else ():
        if node not in fixed:
            fixed[node] = _fill(scores, fill[..., node], leaves.held[node] > 0)
    return fixed


def _mean(
    children: Sequence[int],
    scores: Mapping[int, Array],
    leaves: Leaves,
    numbers: Numbers,
    node: int,
    kept: dict[Hashable, Any],
) -> Array:
    """Weighted power mean of the children, with the weights of missing ones redistributed."""
    power = numbers.power[..., node]
    fixed = _without_draws(node, children, scores, kept) if np.ndim(power) == 0 else []
    num: Array = np.zeros(())
    den: Array = np.zeros(())
    if fixed:
        # children without draws: one matrix product serves all draws at once
        # which children have draws may differ from block to block
        key = (node, "all") if fixed is children else (node, *fixed)
        if key not in kept:
            kept[key] = Fixed.of(fixed, scores, leaves, float(power))
        num, den = kept[key].sums(columns(numbers.weight, fixed))
    for child in children if len(fixed) < len(children) else ():
        if scores[child].ndim > 1 or not fixed:
            weight = columns(numbers.weight, [child])
            num, den = _add(num, den, scores[child], weight, leaves.held.get(child), power)
    positive = den > 0
    if positive.all():
        mean = num / den
    else:
        mean = np.divide(num, den, out=np.full(np.broadcast_shapes(num.shape, den.shape), np.nan),
                         where=positive)  # fmt: skip
    return mean if np.ndim(power) == 0 and power == 1 else from_terms(mean, power[..., None])


def _without_draws(
    node: int, children: Sequence[int], scores: Mapping[int, Array], kept: dict[Hashable, Any]
) -> Sequence[int]:
    """Children whose scores have no axis of draws: all of them where no draw touches any."""
    if ("leaves", node) not in kept:
        fixed = kept.get("leaves", {})
        kept["leaves", node] = all(c in fixed for c in children)
    return children if kept["leaves", node] else [c for c in children if scores[c].ndim == 1]


def _add(
    num: Array, den: Array, s: Array, weight: Array, held: Array | None, power: Array
) -> tuple[Array, Array]:
    """Add one child's weighted term and weight to the sums of its parent."""
    if held is not None and not (held == 1.0).all():
        weight = weight * held
    missing = np.isnan(s)
    if np.ndim(power) == 0 and power == 1 and not missing.any():
        term = weight * s
        return (np.add(num, term, out=term) if term.ndim >= num.ndim else num + term), den + weight
    term = np.where(missing, 0.0, to_terms(s, power[..., None]))
    used = np.where(missing, 0.0, weight)
    return num + np.where(used > 0, used * term, 0.0), den + used
