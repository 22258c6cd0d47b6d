"""First-order, total, closed second-order and Shapley indices of any vectorized model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import is_whole
from perfmethod.sensitivity.designs import base_sample, columns_of, named, outputs_of
from perfmethod.sensitivity.estimators import (
    FIRST_ORDER,
    TOTAL,
    Estimator,
    RowMeans,
    chosen,
    constant_outputs,
    pooled_variance,
    ratio,
)
from perfmethod.sensitivity.indices import Effect, GlobalIndices
from perfmethod.sensitivity.shapley import walk

__all__ = ["EFFECTS", "global_indices"]

Array = NDArray[np.float64]
Model = Callable[[Array], ArrayLike]

EFFECTS = ("first", "total", "closed", "shapley")


def global_indices(
    model: Model,
    factors: int | Mapping[str, Sequence[int]],
    n: int = 1024,
    *,
    seed: int | np.random.Generator,
    effects: Sequence[str] = ("first", "total"),
    sampler: str = "sobol",
    first: str = "saltelli",
    total: str = "jansen",
    confidence: float = 0.95,
    resamples: int = 500,
    replicates: int = 0,
    outputs: Sequence[str] | None = None,
) -> GlobalIndices:
    """Share the variance of a model's outputs among independent inputs.

    Parameters
    ----------
    model : callable
        Takes points of the unit cube (n, d), one row each, and returns outputs (n,) or (n, m).
        An input with another distribution is its quantile function of a column; a choice among
        L is ``floor(L * column)``. The model must treat every row alike.
    factors : int or mapping of str to sequence of int
        Number of inputs d, each a factor ("x1", ...); or the columns of each factor, for factors
        made of several inputs.
    n : int
        Rows of the base sample; a power of 2 for 'sobol'. The model is called on n (g + 2) points
        for g factors; 'closed' adds n g, 'shapley' n (g - 1).
    seed : int or numpy.random.Generator
    effects : sequence of {'first', 'total', 'closed', 'shapley'}
        'first': variance explained by the factor alone. 'total': variance left when all others
        are known. 'closed': variance explained by a pair together. 'shapley': the factor's fair
        share, between first and total, summing to 1.
    sampler : {'sobol', 'random'}
        Scrambled Sobol' sequence, or independent random points.
    first : {'saltelli', 'jansen', 'janon'}
    total : {'jansen', 'sobol', 'janon'}
    confidence : float
        Level of the intervals.
    resamples : int
        Bootstrap resamples of the rows. Rows of a Sobol' sequence are more even than independent
        ones, which the bootstrap cannot see: its intervals are then too wide, for a smooth model
        many times.
    replicates : int
        Instead of the bootstrap: make the sample of so many sequences, scrambled on their own,
        and take Student's t intervals from a jackknife over them, 8 or 16 for example. These have
        the width that the error has, which for shorter sequences is larger.
    outputs : sequence of str, optional
        Names of the outputs.

    Returns
    -------
    GlobalIndices
        A factor that the model does not use has first order, total and Shapley effect of exactly
        0 with the default estimators.

    Raises
    ------
    ValueError
        If an argument is not allowed, or an output is not finite: a failed draw is never dropped.

    References
    ----------
    Sobol' I. M. (2001), Mathematics and Computers in Simulation 55, 271-280. Saltelli A. et al.
    (2010), Computer Physics Communications 181, 259-270. Goda T. (2021), A simple algorithm for
    global sensitivity analysis with Shapley effects, Reliability Engineering and System Safety
    213, 107702. Owen A. B. (2014), SIAM/ASA Journal on Uncertainty Quantification 2, 245-251.

    Examples
    --------
    The variance of 2 x1 + x2 is four parts x1 and one part x2:

    >>> found = global_indices(lambda x: 2 * x[:, 0] + x[:, 1], 3, n=256, seed=0)
    >>> found.effects["first"].index.round(2).ravel().tolist()
    [0.8, 0.2, 0.0]
    >>> float(found.effects["total"].index[2, 0])
    0.0
    """
    columns = columns_of(factors)
    _check(effects, confidence, resamples)
    known = {"first": chosen("first", first, FIRST_ORDER), "total": chosen("total", total, TOTAL)}
    estimators = {kind: known[kind] for kind in known if kind in effects}
    rng = np.random.default_rng(seed)
    a, b = base_sample(sampler, rng, n, sum(map(len, columns.values())), replicates)
    base = _Base.of(model, a, b, RowMeans(n, resamples, rng, replicates))
    found = _one_by_one(base, columns, estimators, "closed" in effects)
    if "shapley" in effects:
        steps = walk(base.run, base.f_a, base.f_b, (a, b), columns, rng)
        found["shapley"] = Effect(tuple(columns), _shapley_shares(base.mean, steps))
    return GlobalIndices(
        factors=tuple(columns),
        outputs=named(outputs, base.f_a.shape[1]),
        effects={kind: replace(found[kind], jackknife=bool(replicates))
                 for kind in EFFECTS if kind in effects},
        mean=base.middle,
        constant=base.constant,
        confidence=confidence,
        variances=base.variance,
        meta={"n": n, "sampler": sampler, "first": first, "total": total,
              "resamples": 0 if replicates else resamples, "replicates": replicates,
              "evaluations": n * _designs(len(columns), effects),
              "seed": seed if is_whole(seed) else "a generator"},
    )  # fmt: skip


def _designs(g: int, effects: Sequence[str]) -> int:
    """How many points the model is called on for each row of the base sample."""
    single = bool({"first", "total", "closed"} & set(effects))
    return 2 + single * g + ("closed" in effects) * g + ("shapley" in effects) * (g - 1)


class _Base(NamedTuple):
    """The base sample with the centered outputs on it."""

    a: Array
    b: Array
    f_a: Array
    f_b: Array
    run: Callable[[Array], Array]  # the model, centered
    mean: RowMeans
    middle: Array
    variance: Array  # (1 + r, m)
    constant: NDArray[np.bool_]

    @classmethod
    def of(cls, model: Model, a: Array, b: Array, mean: RowMeans) -> _Base:
        f_a, f_b = outputs_of(model, a), outputs_of(model, b)
        still = constant_outputs(f_a, f_b)
        middle = (f_a.mean(0) + f_b.mean(0)) / 2

        def center(f: Array) -> Array:
            return np.where(still, 0.0, f - middle)

        f_a, f_b = center(f_a), center(f_b)
        variance = pooled_variance(mean, f_a, f_b)
        return cls(a, b, f_a, f_b, lambda x: center(outputs_of(model, x)), mean, middle, variance,
                   still)  # fmt: skip


def _one_by_one(
    base: _Base, columns: Mapping[str, list[int]], estimators: Mapping[str, Estimator], pairs: bool
) -> dict[str, Effect]:
    """First-order, total and closed indices, one factor in memory at a time where possible."""
    found: dict[str, list[Array]] = {kind: [] for kind in estimators}
    f_ab, f_ba = [], []
    for own in columns.values() if estimators or pairs else ():
        mixed = base.run(_swap(base.a, base.b, own))
        for kind, estimator in estimators.items():
            found[kind].append(estimator(base.mean, base.f_a, base.f_b, mixed, base.variance))
        if pairs:
            f_ab.append(mixed)
            f_ba.append(base.run(_swap(base.b, base.a, own)))
    effects = {kind: Effect(tuple(columns), np.array(v)) for kind, v in found.items()}
    if pairs:
        effects["closed"] = _closed(base, list(columns), f_ab, f_ba)
    return effects


def _closed(base: _Base, names: list[str], f_ab: list[Array], f_ba: list[Array]) -> Effect:
    """Closed indices of pairs (Saltelli 2002): A with i from B shares i and j with B with j from A.

    The product of f_a and f_b, whose mean is the squared mean, is taken off so that errors cancel.
    """
    pairs = list(combinations(range(len(names)), 2))
    common = base.f_a * base.f_b
    values = [ratio(base.mean(f_ab[i] * f_ba[j] - common), base.variance) for i, j in pairs]
    shape = (0, *base.variance.shape)
    return Effect(
        tuple(f"{names[i]} & {names[j]}" for i, j in pairs),
        np.array(values) if pairs else np.empty(shape),
    )


def _shapley_shares(mean: RowMeans, steps: Iterator[tuple[int, Array]]) -> Array:
    parts = np.array([mean(value) for _, value in sorted(steps, key=lambda s: s[0])])
    return ratio(parts, parts.sum(0))


def _swap(x: Array, other: Array, columns: Sequence[int]) -> Array:
    mixed = x.copy()
    mixed[:, columns] = other[:, columns]
    return mixed


def _check(effects: Sequence[str], confidence: float, resamples: int) -> None:
    for name in effects:
        chosen("effects", name, dict.fromkeys(EFFECTS))
    if not effects:
        raise ValueError(f"found no effects; allowed: some of {', '.join(EFFECTS)}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: found {confidence}; allowed: between 0 and 1")
    if resamples < 0 or resamples in (1, 2):
        raise ValueError(f"resamples: found {resamples}; allowed: 0 for none, or at least 3")
