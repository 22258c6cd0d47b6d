"""The totals of a scheme's units as ratios, read off an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.core import FILLS, tree_shares
from perfmethod.errors import PerfmethodError
from perfmethod.robustness.ratios import Ratios

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["above", "chain_fault", "fault", "inner", "ratios", "scored_of", "touched"]

Array = NDArray[np.float64]


def inner(evaluation: Evaluation) -> list[tuple[Any, int]]:
    """Class and position of every node with children."""
    return [
        (part, node)
        for part in evaluation._plan.classes
        for node, children in enumerate(part.tree.children)
        if children
    ]


def above(part: Any, node: int) -> list[str]:
    """Names of the nodes above, the root last."""
    parent = {c: n for n, children in enumerate(part.tree.children) for c in children}
    found = []
    while node in parent:
        node = parent[node]
        found.append(part.tree.names[node])
    return found


def scored_of(evaluation: Evaluation, part: Any) -> Any:
    """Scores of a class."""
    return evaluation._scored.classes[evaluation._plan.classes.index(part)]


def fault(evaluation: Evaluation, part: Any, node: int, powers: bool = True) -> str:
    """Why the totals are no ratios of linear functions of the weights; empty if they are.

    Parameters
    ----------
    evaluation : Evaluation
    part : ClassPlan
    node : int
        The parent of the weights; other nodes that some of these weights count in are checked too.
    powers : bool
        Whether the means have to be arithmetic. Where they need not, the question is why a total
        may turn round while one weight grows: it does not where the weights count in one node.
    """
    weight = scored_of(evaluation, part).numbers.weight[list(part.tree.children[node])]
    if not weight.sum() > 0:
        return f"the weights below {part.tree.names[node] or 'the total'} are all zero"
    paths = {part.weight_paths[c] for c in part.tree.children[node]}
    for other in evaluation._plan.classes:
        nodes = touched(other, paths)
        if len(nodes) > 1 and not powers:
            return f"the weights count in several nodes of {other.class_id}"
        for at in nodes:
            if why := _fault_at(evaluation, other, at, powers):
                return why
            if {other.tree.names[n] for n in nodes} & set(above(other, at)):
                name = other.tree.names[at]
                return f"some of the weights count below {name} and above it in {other.class_id}"
    return ""


def touched(part: Any, paths: set[str]) -> list[int]:
    """Nodes of a class with a child whose weight stands at one of the paths."""
    return [
        node
        for node, children in enumerate(part.tree.children)
        if paths & {part.weight_paths[c] for c in children}
    ]


def _fault_at(evaluation: Evaluation, part: Any, node: int, powers: bool) -> str:
    if why := chain_fault(evaluation, part, node, powers):
        return why
    numbers = scored_of(evaluation, part).numbers
    held = _held(evaluation, part, node)
    empty = held.any(-1) & (held @ numbers.weight[list(part.tree.children[node])] == 0)
    if empty.any():
        unit = evaluation._plan.units[part.units[int(np.argmax(empty))]]
        return f"{unit} has only weights of zero below {part.tree.names[node] or 'the total'}"
    return ""


def chain_fault(evaluation: Evaluation, part: Any, node: int, powers: bool = True) -> str:
    """Why a node's score does not enter the totals linearly; empty if it does.

    The means of the node itself (if it has children) and of all above it have to be arithmetic, and
    no class mean may carry one unit's score into another's.
    """
    numbers = scored_of(evaluation, part).numbers
    at = {name: i for i, name in enumerate(part.tree.names)}
    own = [node] if part.tree.children[node] else []
    for inner in [*own, *(at[name] for name in above(part, node))]:
        name = part.tree.names[inner] or "the total"
        if powers and numbers.power[inner] != 1:
            return f"the mean of {name} has power {numbers.power[inner]:g}"
        lacking = ~_has(evaluation, part, inner)
        if inner and lacking.any() and FILLS[int(numbers.fill[inner])] == "class_mean":
            return f"a unit without {name} gets the class mean, which the weights change"
    return ""


def _has(evaluation: Evaluation, part: Any, node: int) -> NDArray[np.bool_]:
    """Units of the class with a score below a node."""
    return np.asarray(_held(evaluation, part, node).any(-1))


def _held(evaluation: Evaluation, part: Any, node: int) -> Array:
    """Multiplier (u, c) of each child in each unit; zero where it has no score."""
    result = scored_of(evaluation, part)
    ones = np.ones(len(part.units))
    columns = [
        np.where(np.isnan(result.nodes[c]), 0.0, result.leaves.held.get(c, ones))
        for c in part.tree.children[node]
    ]
    return np.stack(columns, -1)


def ratios(evaluation: Evaluation, paths: tuple[str, ...], scale: float) -> Ratios:
    """Totals as functions of the shares behind some paths, in every class that has them."""
    plan = evaluation._plan
    u, n = len(plan.units), len(paths)
    terms: dict[int, list[tuple[Array, Array]]] = {}
    const = np.asarray(evaluation._scored.total, float).copy()
    for part in plan.classes:
        for slot, node in enumerate(touched(part, set(paths))):
            num, den, value = _term(evaluation, part, node, (paths, scale))
            full = np.zeros((u, n)), np.ones((u, n))
            full[0][part.units], full[1][part.units] = num, den
            terms.setdefault(slot, []).append(full)
            const[part.units] -= value
    num = np.stack([sum(t[0] for t in slot) for slot in terms.values()])
    den = np.stack([np.prod([t[1] for t in slot], axis=0) for slot in terms.values()])
    return Ratios(const, num, den)


def _term(
    evaluation: Evaluation, part: Any, node: int, varied: tuple[tuple[str, ...], float]
) -> tuple[Array, Array, Array]:
    """One node's part of the totals of a class: numerator, denominator (u, n), nominal (u,)."""
    paths, scale = varied
    result, children = scored_of(evaluation, part), part.tree.children[node]
    reach, _ = tree_shares(part.tree, result.nodes, result.leaves, result.numbers)
    points = float(evaluation.year.scheme.number("base")) / 100.0 * reach[:, node]
    held = _held(evaluation, part, node)
    scores = np.nan_to_num(np.stack([result.nodes[c] for c in children], -1))
    num, den = np.zeros((2, len(part.units), len(paths)))
    for j, child in enumerate(children):
        path = part.weight_paths[child]
        if path in paths:
            at, factor = [paths.index(path)], scale
        else:  # a fixed weight: a constant is that constant times the sum of the shares
            at, factor = list(range(len(paths))), float(result.numbers.weight[child])
        num[:, at] += (factor * points * held[:, j] * scores[:, j])[:, None]
        den[:, at] += (factor * held[:, j])[:, None]
    lacking = ~(den > 0).any(-1)
    den[lacking], num[lacking] = 1.0, 0.0
    den_scale = den.max(-1, keepdims=True)
    num, den = num / den_scale, den / den_scale
    share = np.array([_nominal(evaluation, p) for p in paths]) / scale
    return num, den, num @ share / (den @ share)


def _nominal(evaluation: Evaluation, path: str) -> float:
    for part, result in zip(evaluation._plan.classes, evaluation._scored.classes, strict=True):
        if path in part.weight_paths:
            return float(result.numbers.weight[part.weight_paths.index(path)])
    raise PerfmethodError(f"found no weight at '{path}'; allowed: weights that some unit has")
