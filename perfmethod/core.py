"""The one scoring core: a tree of weighted power means over arrays, with room for draws.

Structure (which child hangs on which parent) is apart from numbers (weights, powers, scores): the
structure never changes between draws, and any number may carry a leading ``draws`` axis. Scoring
one scheme and scoring many perturbed ones is therefore the same function. Letters of shapes:
``u`` units, ``n`` nodes, ``k`` draws.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.aggregation import FULL, NEAR, from_terms, shares, to_terms

__all__ = [
    "BLOCK",
    "FILLS",
    "Leaves",
    "Numbers",
    "Structure",
    "blocks",
    "product",
    "tree_scores",
    "tree_shares",
]

Array = NDArray[np.float64]

BLOCK = 1024  # draws are always computed in these blocks, so that chunk size cannot change a bit

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


class Leaves(NamedTuple):
    """Scores of the leaves of one class, and who has them.

    Parameters
    ----------
    scores : mapping of int to ndarray (u,) or (k, u)
        By node position; NaN where a unit has no usable value.
    held : mapping of int to ndarray (u,)
        Weight multiplier of the leaf inside each unit's portfolio; zero where the unit does not
        have the task.
    """

    scores: Mapping[int, Array]
    held: Mapping[int, Array]


class Numbers(NamedTuple):
    """Numbers of the nodes, each (n,) or with draws (k, n)."""

    weight: Array
    power: Array
    fill: Array


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
    for node in reversed(range(len(tree.names))):
        if node not in scores:
            mean = _mean(tree.children[node], scores, leaves, numbers, node, kept)
            fill = numbers.fill[..., node]
            scores[node] = mean if node == 0 else _fill(mean, fill, np.True_)
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
        held = np.stack([_held(c, leaves, below.shape[0]) for c in children], -1)
        w = np.where(np.isnan(below), 0.0, held * numbers.weight[at])
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


def blocks(draws: int) -> Iterator[slice]:
    """Cut the draws into blocks of `BLOCK`.

    Examples
    --------
    >>> list(blocks(1500))
    [slice(0, 1024, None), slice(1024, 1500, None)]
    """
    for start in range(0, draws, BLOCK):
        yield slice(start, min(start + BLOCK, draws))


def _held(node: int, leaves: Leaves, units: int) -> Array:
    return leaves.held.get(node, np.ones(units))


def _fill(scores: Array, fill: Array, held: NDArray[np.bool_] | np.bool_) -> Array:
    """Give missing scores what the rule says; a class mean of nothing stays missing."""
    missing = np.isnan(scores) & held
    if not np.any(missing) or not np.any(fill):
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
    for node, scores in leaves.scores.items():
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
    fixed = [c for c in children if scores[c].ndim == 1] if np.ndim(power) == 0 else []
    num: Array = np.zeros(())
    den: Array = np.zeros(())
    if fixed:
        # children without draws: one matrix product serves all draws at once
        key = (node, *fixed)  # which children have draws may differ from block to block
        if key not in kept:
            kept[key] = _Fixed.of(fixed, scores, leaves, float(power))
        num, den = kept[key].sums(_columns(numbers.weight, fixed))
    for child in children if len(fixed) < len(children) else ():
        if scores[child].ndim > 1 or not fixed:
            weight = numbers.weight[..., child][..., None]
            num, den = _add(num, den, scores[child], weight, leaves.held.get(child), power)
    positive = den > 0
    if positive.all():
        mean = num / den
    else:
        mean = np.divide(num, den, out=np.full(np.broadcast_shapes(num.shape, den.shape), np.nan),
                         where=positive)  # fmt: skip
    return mean if np.ndim(power) == 0 and power == 1 else from_terms(mean, power[..., None])


def _add(
    num: Array, den: Array, s: Array, weight: Array, held: Array | None, power: Array
) -> tuple[Array, Array]:
    """Add one child's weighted term and weight to the sums of its parent."""
    if held is not None and not (held == 1.0).all():
        weight = weight * held
    missing = np.isnan(s)
    if np.ndim(power) == 0 and power == 1 and not missing.any():
        return num + weight * s, den + weight
    term = np.where(missing, 0.0, to_terms(s, power[..., None]))
    used = np.where(missing, 0.0, weight)
    return num + np.where(used > 0, used * term, 0.0), den + used


def _columns(weight: Array, nodes: list[int]) -> Array:
    """Columns of an array; children are neighbors, and then it is only looked at."""
    if nodes[-1] - nodes[0] == len(nodes) - 1:
        return weight[..., nodes[0] : nodes[-1] + 1]
    return weight[..., nodes]


class _Fixed(NamedTuple):
    """Children without draws: what their weights are multiplied with."""

    terms: Array  # (c, u) held times term
    held: Array  # (c, u)
    alike: bool  # all units hold the same
    infinite: NDArray[np.bool_] | None  # (c, u) a zero under a geometric or harmonic mean
    sign: float

    @classmethod
    def of(
        cls, nodes: list[int], scores: Mapping[int, Array], leaves: Leaves, power: float
    ) -> _Fixed:
        s = np.stack([scores[c] for c in nodes])
        held = np.where(np.isnan(s), 0.0, np.stack([_held(c, leaves, s.shape[-1]) for c in nodes]))
        terms = to_terms(s, power)
        infinite = np.isinf(terms) & (held > 0)
        return cls(
            held * np.where(np.isfinite(terms), terms, 0.0),
            held,
            bool((held == held[:, :1]).all()),
            infinite if infinite.any() else None,
            1.0 if power <= -NEAR else -1.0,  # `to_terms` of a zero
        )

    def sums(self, weight: Array) -> tuple[Array, Array]:
        """Sums (..., u) of weighted terms and of weights (..., c)."""
        num = product(weight, self.terms)
        if self.infinite is not None:
            num = np.where((weight > 0) @ self.infinite, self.sign * np.inf, num)
        # one scheme alone takes the long way: other units must not touch a bit of a unit's score
        held = self.held[:, :1] if self.alike and weight.ndim > 1 else self.held
        return num, product(weight, held)


def product(weight: Array, x: Array) -> Array:
    """Matrix product in which no row depends on how many there are.

    Parameters
    ----------
    weight : ndarray (c,) or (k, c)
    x : ndarray (c, u)

    Returns
    -------
    ndarray (u,) or (k, u)

    Notes
    -----
    The last bits of a product depend on its shape and layout, so it is always one of whole blocks.
    """
    if weight.strides[-1] != weight.itemsize:
        weight = np.ascontiguousarray(weight)
    if weight.ndim == 1 or len(weight) >= BLOCK:
        return weight @ x
    whole = np.zeros((BLOCK, weight.shape[1]))
    whole[: len(weight)] = weight
    return (whole @ x)[: len(weight)]
