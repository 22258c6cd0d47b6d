"""The one scoring core: a tree of weighted power means over arrays, with room for draws.

Structure (which child hangs on which parent) is apart from numbers (weights, powers, scores): the
structure never changes between draws, and any number may carry a leading ``draws`` axis. Scoring
one scheme and scoring many perturbed ones is therefore the same function. Letters of shapes:
``u`` units, ``n`` nodes, ``k`` draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

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
    "tree_scores",
    "tree_shares",
]

Array = NDArray[np.float64]

BLOCK = 512  # draws are always computed in these blocks, so that chunk size cannot change a bit

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


def tree_scores(tree: Structure, leaves: Leaves, numbers: Numbers) -> dict[int, Array]:
    """Score every node of the tree for every unit.

    Parameters
    ----------
    tree : Structure
    leaves : Leaves
    numbers : Numbers
        A leaf's `fill` acts on units that have the task but no usable value; an inner node's on
        units for which nothing below it has a score. `FILLS` names the codes.

    Returns
    -------
    dict of int to ndarray (u,) or (k, u)
        Scores by node position, NaN where the missing rule is to redistribute.
    """
    scores: dict[int, Array] = {}
    for node in reversed(range(len(tree.names))):
        fill = numbers.fill[..., node]
        if node in leaves.scores:
            scores[node] = _fill(leaves.scores[node], fill, leaves.held[node] > 0)
        else:
            mean = _mean(tree.children[node], scores, leaves, numbers, numbers.power[..., node])
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
    share : ndarray (u, n)
        Share of the root's score that comes from the node (Euler decomposition); equal to
        weight x score / root score where all means are arithmetic.
    """
    shape = (next(iter(scores.values())).shape[-1], len(tree.names))
    weight, share = np.zeros(shape), np.zeros(shape)
    weight[:, 0] = share[:, 0] = 1.0
    for node, children in enumerate(tree.children):
        if not children:
            continue
        below = np.stack([scores[c] for c in children], -1)
        held = np.stack([_held(c, leaves, below.shape[0]) for c in children], -1)
        w = np.where(np.isnan(below), 0.0, held * numbers.weight[list(children)])
        total = w.sum(-1, keepdims=True)
        relative = np.divide(w, total, out=np.zeros_like(w), where=total > 0)
        weight[:, list(children)] = weight[:, [node]] * relative
        power = np.full(w.shape[0], numbers.power[node])
        share[:, list(children)] = share[:, [node]] * shares(below, w, power)
    return weight, share


def blocks(draws: int) -> Iterator[slice]:
    """Cut the draws into blocks of `BLOCK`.

    Examples
    --------
    >>> list(blocks(600))
    [slice(0, 512, None), slice(512, 600, None)]
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


def _mean(
    children: Sequence[int],
    scores: Mapping[int, Array],
    leaves: Leaves,
    numbers: Numbers,
    power: Array,
) -> Array:
    """Weighted power mean of the children, with the weights of missing ones redistributed."""
    fixed = [c for c in children if scores[c].ndim == 1] if np.ndim(power) == 0 else []
    num: Array = np.zeros(())
    den: Array = np.zeros(())
    if fixed:
        # children without draws: two matrix products serve all draws at once
        num, den = _fixed_sums(fixed, scores, leaves, numbers.weight[..., fixed], float(power))
    for child in children:
        if child not in fixed:
            held = _held(child, leaves, scores[child].shape[-1])
            s, w = scores[child], numbers.weight[..., child][..., None] * held
            term = to_terms(s, np.asarray(power)[..., None])
            used = np.where(np.isnan(s), 0.0, w)
            num = num + np.where(used > 0, used * np.where(np.isnan(s), 0.0, term), 0.0)
            den = den + used
    mean = np.divide(num, den, out=np.full(np.shape(den), np.nan), where=den > 0)
    return from_terms(mean, np.asarray(power)[..., None])


def _fixed_sums(
    fixed: list[int], scores: Mapping[int, Array], leaves: Leaves, weight: Array, power: float
) -> tuple[Array, Array]:
    s = np.stack([scores[c] for c in fixed])  # (c, u)
    held = np.where(np.isnan(s), 0.0, np.stack([_held(c, leaves, s.shape[-1]) for c in fixed]))
    terms = to_terms(s, power)
    finite = np.where(np.isfinite(terms), terms, 0.0)
    num = weight @ (held * finite)
    infinite = np.isinf(terms) & (held > 0)
    if np.any(infinite):  # a zero under a geometric or harmonic mean
        sign = 1.0 if power <= -NEAR else -1.0  # `to_terms` of a zero
        num = np.where((weight > 0) @ infinite, sign * np.inf, num)
    return num, weight @ held
