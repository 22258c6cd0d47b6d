"""Sums over children, for all draws at once: what trees of means are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from perfmethod.aggregation import NEAR, to_terms

__all__ = [
    "BLOCK",
    "Columns",
    "Fixed",
    "Leaves",
    "Numbers",
    "blocks",
    "columns",
    "held_by",
    "product",
]

Array = NDArray[np.float64]

BLOCK = 1024  # draws are always computed in these blocks, so that chunk size cannot change a bit


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


class Columns(Protocol):
    """Numbers of nodes that are looked up a few at a time: most are neighbors in the draws."""

    def columns(self, nodes: Sequence[int]) -> Array:
        """Numbers of some nodes, (c,) or (k, c)."""


class Numbers(NamedTuple):
    """Numbers of the nodes, each (n,) or with draws (k, n).

    With draws the weights may be `Columns`.
    """

    weight: Any
    power: Array
    fill: Array


def blocks(draws: int) -> Iterator[slice]:
    """Cut the draws into blocks of `BLOCK`.

    Examples
    --------
    >>> list(blocks(1500))
    [slice(0, 1024, None), slice(1024, 1500, None)]
    """
    for start in range(0, draws, BLOCK):
        yield slice(start, min(start + BLOCK, draws))


def held_by(node: int, leaves: Leaves, units: int) -> Array:
    """Weight multiplier of a node inside each unit's portfolio, (u,)."""
    return leaves.held.get(node, np.ones(units))


def columns(weight: Array | Columns, nodes: Sequence[int]) -> Array:
    """Columns of an array; children are neighbors, and then it is only looked at."""
    if not isinstance(weight, np.ndarray):
        return weight.columns(nodes)
    if nodes[-1] - nodes[0] == len(nodes) - 1:
        return weight[..., nodes[0] : nodes[-1] + 1]
    return weight[..., list(nodes)]


class Fixed(NamedTuple):
    """Children without draws: what their weights are multiplied with."""

    terms: Array  # (c, u) held times term
    held: Array  # (c, u)
    both: Array  # (c, u + 1) or (c, 2 u) terms and held side by side; held once if all hold alike
    infinite: NDArray[np.bool_] | None  # (c, u) a zero under a geometric or harmonic mean
    sign: float

    @classmethod
    def of(
        cls, nodes: Sequence[int], scores: Mapping[int, Array], leaves: Leaves, power: float
    ) -> Fixed:
        s = np.stack([scores[c] for c in nodes])
        held = np.where(
            np.isnan(s), 0.0, np.stack([held_by(c, leaves, s.shape[-1]) for c in nodes])
        )
        terms = to_terms(s, power)
        infinite = np.isinf(terms) & (held > 0)
        terms = held * np.where(np.isfinite(terms), terms, 0.0)
        alike = (held == held[:, :1]).all()
        return cls(
            terms,
            held,
            np.concatenate([terms, held[:, :1] if alike else held], axis=1),
            infinite if infinite.any() else None,
            1.0 if power <= -NEAR else -1.0,  # `to_terms` of a zero
        )

    def sums(self, weight: Array) -> tuple[Array, Array]:
        """Sums (..., u) of weighted terms and of weights (..., c)."""
        if weight.ndim == 1:  # other units must not touch a bit of a unit's score
            num, den = product(weight, self.terms), product(weight, self.held)
        else:
            sums, u = product(weight, self.both), self.terms.shape[1]
            num, den = sums[:, :u], sums[:, u:]
        if self.infinite is not None:
            num = np.where((weight > 0) @ self.infinite, self.sign * np.inf, num)
        return num, den


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
