"""Shapley effects of independent or dependent inputs, by permutations or by all subsets.

The cost of a set of factors is the variance that is left when all others are known,
half the mean square of f(A) - f(A with the set drawn anew). A factor's Shapley effect is the mean,
over all orders, of what it adds to the cost of those before it. Differences of such squares are
what is averaged here, so a factor that the model does not use adds exactly 0, and all of them
together add half the mean square of f(A) - f(B), to which they are scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import is_whole
from perfmethod.sensitivity.designs import (
    Inputs,
    columns_of,
    independent,
    named,
    outputs_of,
)
from perfmethod.sensitivity.estimators import RowMeans, constant_outputs, ratio
from perfmethod.sensitivity.indices import Effect, GlobalIndices

__all__ = ["shapley_effects", "shapley_of_costs", "walk"]

Array = NDArray[np.float64]
Model = Callable[[Array], ArrayLike]

MOST = 12  # factors whose subsets are all visited: 4096 samples


def shapley_of_costs(costs: ArrayLike) -> Array:
    """Shapley values of a game from the cost of every coalition.

    Parameters
    ----------
    costs : array_like (2**g, ...)
        Cost of the coalition whose members are the bits of the position; the empty one first.

    Returns
    -------
    ndarray (g, ...)

    Raises
    ------
    ValueError
        If the number of coalitions is no power of 2.

    References
    ----------
    Shapley L. S. (1953), A value for n-person games, Contributions to the Theory of Games II.

    Examples
    --------
    The glove game: one left glove (bit 0), two right ones; a pair is worth 1.

    >>> shapley_of_costs([0, 0, 0, 1, 0, 1, 0, 1]).round(4)
    array([0.6667, 0.1667, 0.1667])
    """
    values = np.asarray(costs, dtype=float)
    g = len(values).bit_length() - 1
    if len(values) != 1 << g or g < 1:
        raise ValueError(f"found {len(values)} coalitions; allowed: 2, 4, 8, ...")
    out = np.zeros((g, *values.shape[1:]))
    for i in range(g):
        for without in range(1 << g):
            if not without >> i & 1:
                share = 1 / (g * comb(g - 1, without.bit_count()))
                out[i] += share * (values[without | 1 << i] - values[without])
    return out


def walk(
    run: Callable[[Array], Array],
    f_a: Array,
    f_b: Array,
    ends: tuple[Array, Array],
    columns: Mapping[str, Sequence[int]],
    rng: np.random.Generator,
) -> Iterator[tuple[int, Array]]:
    """What each independent factor adds in one random order per row, (n, m) for each factor.

    Parameters
    ----------
    run : callable
        The model.
    f_a, f_b : ndarray (n, m)
        Outputs at both ends.
    ends : tuple of ndarray (n, d)
        The samples A and B; a row walks from A to B, one factor at a time.
    columns : mapping of str to sequence of int
    rng : numpy.random.Generator

    Yields
    ------
    factor : int
    added : ndarray (n, m)

    References
    ----------
    Goda T. (2021), Reliability Engineering and System Safety 213, 107702, algorithm 1.
    """
    a, b = ends
    g, n = len(columns), len(a)
    owner = np.empty(a.shape[1], dtype=int)
    for i, own in enumerate(columns.values()):
        owner[list(own)] = i
    turn = rng.permuted(np.tile(np.arange(g), (n, 1)), axis=1)  # turn of each factor, by row
    added = np.zeros((g, *f_a.shape))
    before = f_a
    for step in range(g):
        after = f_b if step == g - 1 else run(np.where(turn[:, owner] <= step, b, a))
        mover = np.nonzero(turn == step)[1]
        added[mover, np.arange(n)] = _added(f_a, before, after)
        before = after
    yield from enumerate(added)


def _added(f_a: Array, before: Array, after: Array) -> Array:
    """Half of (f_a - after)^2 - (f_a - before)^2, without the cancellation."""
    return (before - after) * (f_a - (before + after) / 2)


def shapley_effects(
    model: Model,
    factors: int | Mapping[str, Sequence[int]],
    n: int = 1024,
    *,
    seed: int | np.random.Generator,
    inputs: Inputs | None = None,
    confidence: float = 0.95,
    resamples: int = 500,
    outputs: Sequence[str] | None = None,
) -> GlobalIndices:
    """First-order, total and Shapley effects from all subsets of the factors.

    Parameters
    ----------
    model : callable
        Takes points (n, d) and returns outputs (n,) or (n, m).
    factors : int or mapping of str to sequence of int
        As in `global_indices`; at most 12 factors.
    n : int
        Rows. The model is called on n 2**g points.
    seed : int or numpy.random.Generator
    inputs : Inputs, optional
        How inputs are drawn, jointly and given each other; independent uniforms by default.
    confidence : float
        Level of the intervals.
    resamples : int
        Bootstrap resamples of the rows.
    outputs : sequence of str, optional

    Returns
    -------
    GlobalIndices
        With dependent inputs the first-order effect holds what a factor tells through others too
        and may exceed its total effect; the Shapley effects still are nonnegative in expectation
        and sum to 1. There a factor that the model does not use has total effect 0, and a
        Shapley effect that is not 0 where it tells something of a factor that is used.

    Raises
    ------
    ValueError
        If an argument is not allowed or an output is not finite.

    References
    ----------
    Song E., Nelson B. L., Staum J. (2016), Shapley effects for global sensitivity analysis,
    SIAM/ASA Journal on Uncertainty Quantification 4, 1060-1083. Owen A. B., Prieur C. (2017), On
    Shapley value for measuring importance of dependent inputs, ibid. 5, 986-1002.

    Examples
    --------
    >>> from perfmethod.sensitivity.designs import correlated_inputs
    >>> pair = correlated_inputs([0, 0], [[1, 0.5], [0.5, 1]])
    >>> found = shapley_effects(lambda x: x.sum(1), 2, n=4000, seed=0, inputs=pair)
    >>> found.effects["shapley"].index.round(1).ravel().tolist()
    [0.5, 0.5]
    """
    columns = columns_of(factors)
    if len(columns) > MOST:
        raise ValueError(f"found {len(columns)} factors; allowed: at most {MOST}, for all subsets "
                         "are visited (group them, or use global_indices)")  # fmt: skip
    if n < 2 or not 0 < confidence < 1 or resamples < 0 or resamples in (1, 2):
        raise ValueError(f"found n {n}, confidence {confidence}, resamples {resamples}; allowed: "
                         "n from 2, confidence between 0 and 1, resamples 0 or from 3")  # fmt: skip
    rng = np.random.default_rng(seed)
    drawn = inputs or independent(sum(map(len, columns.values())))
    x = drawn.sample(rng, n)
    f = outputs_of(model, x)
    mean, middle = RowMeans(n, resamples, rng), f.mean(0)
    costs = _costs(model, x, f, drawn, list(columns.values()), mean, rng)
    still = constant_outputs(f)
    costs = np.where(still, 0.0, costs)
    variance = np.where(still, 0.0, mean((f - middle) ** 2) - mean(f - middle) ** 2)
    return GlobalIndices(
        factors=tuple(columns), outputs=named(outputs, f.shape[1]),
        effects={k: Effect(tuple(columns), v) for k, v in _shares(costs).items()},
        mean=middle, constant=still, confidence=confidence, variances=variance,
        meta={"n": n, "sampler": "random", "resamples": resamples, "evaluations": n * len(costs),
              "seed": seed if is_whole(seed) else "a generator"},
    )  # fmt: skip


def _costs(
    model: Model,
    x: Array,
    f: Array,
    drawn: Inputs,
    columns: list[list[int]],
    mean: RowMeans,
    rng: np.random.Generator,
) -> Array:
    """Cost of every coalition, (2**g, 1 + r, m).

    Every coalition draws from a generator in the same state: independent inputs then are the same
    in all of them, so that a factor without effect changes no cost by a single bit.
    """
    costs = [np.zeros((1 + len(mean.counts), f.shape[1]))]
    key = int(rng.integers(2**63))
    for members in range(1, 1 << len(columns)):
        own = [j for i, group in enumerate(columns) if members >> i & 1 for j in group]
        after = outputs_of(model, drawn.redraw(np.random.default_rng(key), x, own))
        costs.append(mean((f - after) ** 2) / 2)
    return np.array(costs)


def _shares(costs: Array) -> dict[str, Array]:
    """First-order, total and Shapley effects as shares of the cost of all factors."""
    full, g = costs[-1], len(costs).bit_length() - 1
    everyone = len(costs) - 1
    first = np.array([full - costs[everyone ^ 1 << i] for i in range(g)])
    total = np.array([costs[1 << i] for i in range(g)])
    parts = {"first": first, "total": total, "shapley": shapley_of_costs(costs)}
    return {kind: ratio(value, full) for kind, value in parts.items()}
