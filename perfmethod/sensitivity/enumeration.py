"""Exact indices where every factor has few alternatives: all combinations are scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.sensitivity.designs import named, outputs_of
from perfmethod.sensitivity.estimators import constant_outputs, ratio
from perfmethod.sensitivity.indices import Effect, GlobalIndices

__all__ = ["enumerate_indices", "factorial_indices"]

Array = NDArray[np.float64]

MOST = 1 << 20  # combinations


def enumerate_indices(
    model: Callable[[NDArray[np.intp]], ArrayLike],
    levels: Mapping[str, int],
    *,
    probabilities: Mapping[str, ArrayLike] | None = None,
    outputs: Sequence[str] | None = None,
) -> GlobalIndices:
    """Exact indices of a model whose factors are choices among alternatives.

    Parameters
    ----------
    model : callable
        Takes positions of alternatives (n, g), counted from 0, and returns outputs (n,) or (n, m).
    levels : mapping of str to int
        Number of alternatives of each factor.
    probabilities : mapping of str to array_like, optional
        Of a factor's alternatives; equal for factors left out.
    outputs : sequence of str, optional

    Returns
    -------
    GlobalIndices
        As from `factorial_indices`.

    Raises
    ------
    ValueError
        If there are more than 2**20 combinations, or an argument is not allowed.

    Examples
    --------
    >>> found = enumerate_indices(lambda k: k[:, 0] * k[:, 1], {"cap": 2, "rule": 2, "unused": 3})
    >>> found.effects["shapley"].index.ravel().tolist()
    [0.5, 0.5, 0.0]
    """
    sizes = {str(name): int(size) for name, size in levels.items()}
    if not sizes or min(sizes.values()) < 1:
        raise ValueError(f"found levels {sizes}; allowed: at least one factor, each from 1 on")
    if prod(sizes.values()) > MOST:
        raise ValueError(
            f"found {prod(sizes.values()):,} combinations; allowed: at most {MOST:,}. Sample them "
            "with global_indices instead"
        )
    points: Any = np.indices(tuple(sizes.values())).reshape(len(sizes), -1).T
    table: Any = model  # the same contract, for whole numbers
    values = outputs_of(table, points)
    return factorial_indices(
        values.reshape(*sizes.values(), -1),
        tuple(sizes),
        probabilities=probabilities,
        outputs=outputs,
    )


def factorial_indices(
    values: ArrayLike,
    factors: Sequence[str],
    *,
    probabilities: Mapping[str, ArrayLike] | None = None,
    outputs: Sequence[str] | None = None,
) -> GlobalIndices:
    """Exact first-order, total, closed second-order and Shapley indices of a full factorial.

    The analysis of variance splits each output into one part per set of factors; the parts'
    variances add up to the output's. A factor's Shapley effect takes an equal share of each part
    it is in.

    Parameters
    ----------
    values : array_like (l1, ..., lg, m)
        Output m where factor i takes its alternative l_i.
    factors : sequence of str (g,)
    probabilities : mapping of str to array_like, optional
    outputs : sequence of str, optional

    Returns
    -------
    GlobalIndices
        Exact: standard errors are 0 and intervals have no width. A factor that changes nothing
        gets exactly 0.

    Raises
    ------
    ValueError
        If shapes do not fit, or probabilities are no probabilities.

    References
    ----------
    Efron B., Stein C. (1981), The jackknife estimate of variance, Annals of Statistics 9, 586-596.
    Owen A. B. (2014), Sobol' indices and Shapley value, SIAM/ASA Journal on Uncertainty
    Quantification 2, 245-251.

    Examples
    --------
    >>> found = factorial_indices([[[0.0], [1.0]], [[2.0], [3.0]]], ["a", "b"])
    >>> found.effects["first"].index.ravel().tolist(), found.variance.tolist()
    ([0.8, 0.2], [1.25])
    """
    y, names = np.asarray(values, dtype=float), tuple(map(str, factors))
    if y.ndim != len(names) + 1 or not names or len(set(names)) != len(names) or not y.size:
        raise ValueError(f"found values of shape {y.shape} for factors {names}; allowed: one axis "
                         "per factor, each named once, and a last axis of outputs")  # fmt: skip
    chances = _chances(names, y.shape[:-1], probabilities or {})
    flat = y.reshape(-1, y.shape[-1])
    still = constant_outputs(outputs_of(lambda _: flat, flat))
    parts = _parts(np.where(still, 0.0, y - flat[0]), chances)
    variance = np.sum(list(parts.values()), axis=0) if parts else np.zeros(y.shape[-1])
    weight = _joint(chances).ravel()
    return GlobalIndices(
        factors=names,
        outputs=named(outputs, y.shape[-1]),
        effects={k: Effect(of, ratio(v, variance)[:, None]) for k, (of, v) in
                 _effects(parts, names, variance).items()},
        mean=weight @ flat,
        constant=np.asarray(still),
        confidence=1.0,
        variances=variance[None],
        meta={"sampler": "all combinations", "evaluations": len(flat)},
    )  # fmt: skip


def _chances(
    names: tuple[str, ...], sizes: tuple[int, ...], given: Mapping[str, ArrayLike]
) -> list[Array]:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"found probabilities of {unknown}; allowed: of {', '.join(names)}")
    found = []
    for name, size in zip(names, sizes, strict=True):
        p = np.asarray(given.get(name, np.full(size, 1 / size)), dtype=float)
        if p.shape != (size,) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-9:
            raise ValueError(f"{name}: found probabilities {p.tolist()}; allowed: {size} numbers "
                             "from 0 on that sum to 1")  # fmt: skip
        found.append(p / p.sum())
    return found


def _joint(chances: list[Array]) -> Array:
    out = np.ones(())
    for p in chances:
        out = out[..., None] * p
    return out


def _parts(y: Array, chances: list[Array]) -> dict[frozenset[int], Array]:
    """Variance of the part of each set of factors, (m,).

    A factor's axis is split into its mean and the deviations from it. Values are first taken
    relative to those of the first alternative, so that equal ones deviate by exactly 0.
    """
    pieces: dict[frozenset[int], Array] = {frozenset(): y}
    for axis, p in enumerate(chances):
        weight = p.reshape((-1, *[1] * (y.ndim - axis - 1)))
        split = {}
        for members, piece in pieces.items():
            start = piece.take([0], axis=axis)
            change = piece - start
            mean = (weight * change).sum(axis, keepdims=True)
            split[members] = start + mean
            split[members | {axis}] = change - mean
        pieces = split
    del pieces[frozenset()]
    out = {}
    for members, piece in pieces.items():
        own = [p if i in members else np.ones(1) for i, p in enumerate(chances)]
        out[members] = (_joint(own)[..., None] * piece**2).reshape(-1, y.shape[-1]).sum(0)
    return out


def _effects(
    parts: Mapping[frozenset[int], Array], names: tuple[str, ...], variance: Array
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Sums of the parts, each (g, m)."""
    g = len(names)
    first = np.array([parts[frozenset({i})] for i in range(g)])
    zero = np.zeros(variance.shape)
    total = np.array([sum((v for u, v in parts.items() if i in u), zero) for i in range(g)])
    share = np.array([sum((v / len(u) for u, v in parts.items() if i in u), zero)
                      for i in range(g)])  # fmt: skip
    pairs = list(combinations(range(g), 2))
    closed = np.array([first[i] + first[j] + parts[frozenset({i, j})] for i, j in pairs])
    return {
        "first": (names, first),
        "total": (names, total),
        "closed": (
            tuple(f"{names[i]} & {names[j]}" for i, j in pairs),
            closed.reshape(-1, *variance.shape),
        ),
        "shapley": (names, share),
    }
