"""Which uncertainty of a scheme moves whose rank, and who is excellent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scoring import Simulation, simulate
from perfmethod.sensitivity.designs import Inputs
from perfmethod.sensitivity.enumeration import enumerate_indices
from perfmethod.sensitivity.factors import Alternatives, Factor, draws_of, resolve
from perfmethod.sensitivity.global_indices import global_indices
from perfmethod.sensitivity.indices import GlobalIndices
from perfmethod.sensitivity.shapley import shapley_effects
from perfmethod.uncertainty import Spec
from perfmethod.year import Year

__all__ = ["QUANTITIES", "enumerate_sensitivity", "global_sensitivity"]

Array = NDArray[np.float64]
Factors = Mapping[str, Spec | Alternatives | Sequence[Spec]]

QUANTITIES = ("rank", "excellent", "mean_rank_shift", "excellent_changes")


def global_sensitivity(
    year: Year,
    factors: Factors,
    n: int = 1024,
    *,
    seed: int | np.random.Generator,
    inputs: Inputs | None = None,
    quantities: Sequence[str] | None = None,
    executor: Any = None,
    **options: Any,
) -> GlobalIndices:
    """Share the uncertainty of ranks and of the excellent set among named uncertainties.

    Every point of the sample is a scheme, scored by the one core (`simulate`).

    Parameters
    ----------
    year : Year
    factors : mapping of str to Spec, sequence of Spec, or Alternatives
        By name, what varies (`perfmethod.uncertainty`); several specifications under one name are
        one factor. `alternatives` and `schemes` make choices that no specification can say. No
        number may be in two factors.
    n : int
        Rows of the base sample (a power of 2).
    seed : int or numpy.random.Generator
    inputs : Inputs, optional
        How the uniform numbers of all factors, side by side, depend on each other (such as
        `correlated_uniforms`); then first order, total and Shapley effects come from all subsets
        of the factors (`shapley_effects`). Independent by default.
    quantities : sequence of str, optional
        Some of 'rank' (of each unit), 'excellent' (each unit's membership in the best grade),
        'mean_rank_shift' (mean over all units of how far the rank is from the nominal one) and
        'excellent_changes' (units that enter or leave the best grade); all that the scheme has by
        default.
    executor : concurrent.futures.Executor, optional
        Scores on it, as in `simulate`; it changes no result.
    **options
        Of `global_indices` (effects, sampler, estimators, intervals), or with `inputs` of
        `shapley_effects`.

    Returns
    -------
    GlobalIndices
        Outputs "rank.UNIT", "excellent.UNIT", "mean_rank_shift", "excellent_changes".

    Raises
    ------
    PerfmethodError
        If a factor varies something that is not there, a number is in two factors, or a quantity
        does not exist here.
    DataError
        If a draw leaves a unit without a score: no draw is dropped.

    Examples
    --------
    >>> import pandas as pd
    >>> import perfmethod as pm
    >>> from perfmethod.uncertainty import percent
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 79]}))
    >>> factors = {"weights": percent("roads", "water", by=50), "base": percent("base", by=10)}
    >>> found = global_sensitivity(year, factors, n=256, seed=0)
    >>> found.to_frame("mean_rank_shift").query("effect == 'total'")["index"].round(2).tolist()
    [1.0, 0.0]
    """
    named = resolve(year, factors)
    scored = _Scored.of(year, named, quantities, executor)
    columns = _columns(named)

    def model(u: Array) -> Array:
        values: dict[str, NDArray[Any]] = {}
        for factor in named:
            values.update(factor.from_uniform(u[:, columns[factor.name]]))
        which = scored.structure
        at = None if which is None else which.position(u[:, columns[which.name]])
        return scored.outputs(values, at, len(u))

    if inputs is None:
        found = global_indices(model, columns, n, seed=seed, outputs=scored.names, **options)
    else:
        found = shapley_effects(model, columns, n, seed=seed, inputs=inputs, outputs=scored.names,
                                **options)  # fmt: skip
    return replace(found, meta=_meta(year, found, named))


def enumerate_sensitivity(
    year: Year,
    factors: Factors,
    *,
    quantities: Sequence[str] | None = None,
    executor: Any = None,
) -> GlobalIndices:
    """Exact indices where every factor is a choice among few alternatives.

    Parameters
    ----------
    year : Year
    factors : mapping of str to Choice or Alternatives
        By name: `uncertainty.choice` (of one name, or of several ``together``), `alternatives`,
        `schemes`.
    quantities : sequence of str, optional
        As in `global_sensitivity`.
    executor : concurrent.futures.Executor, optional
        As in `global_sensitivity`.

    Returns
    -------
    GlobalIndices
        Exact: every combination is scored, and intervals have no width.

    Raises
    ------
    PerfmethodError
        If a factor is no single choice, or as in `global_sensitivity`.
    ValueError
        If there are more than 2**20 combinations.
    """
    named = resolve(year, factors)
    loose = [f.name for f in named if f.choice is None]
    if loose:
        raise PerfmethodError(
            f"found factors that are not one choice: {', '.join(loose)}; allowed: one choice each "
            "(sample the others with global_sensitivity)"
        )
    scored = _Scored.of(year, named, quantities, executor)

    def model(position: NDArray[np.intp]) -> Array:
        values: dict[str, NDArray[Any]] = {}
        for j, factor in enumerate(named):
            values.update(factor.at(position[:, j]))
        which = scored.structure
        at = None if which is None else position[:, named.index(which)]
        return scored.outputs(values, at, len(position))

    choices = {f.name: f.choice for f in named if f.choice is not None}
    found = enumerate_indices(
        model,
        {name: len(c.labels) for name, c in choices.items()},
        probabilities={name: c.probabilities for name, c in choices.items()},
        outputs=scored.names,
    )
    return replace(found, meta=_meta(year, found, named))


class _Scored(NamedTuple):
    """The years to score and what is read from each draw."""

    years: tuple[Year, ...]
    structure: Factor | None
    quantities: tuple[str, ...]
    names: tuple[str, ...]
    rank: NDArray[Any]  # (u,) nominal
    excellent: NDArray[np.bool_] | None
    executor: Any

    @classmethod
    def of(
        cls,
        year: Year,
        factors: tuple[Factor, ...],
        quantities: Sequence[str] | None,
        executor: Any,
    ) -> _Scored:
        structure = next((f for f in factors if f.choice and f.choice.documents), None)
        documents = structure.choice.documents if structure and structure.choice else ()
        years = tuple(year.with_scheme(document) for document in documents) or (year,)
        nominal = simulate(year, draws_of({}, 1, year.scheme.number("base")))
        has = QUANTITIES if nominal.grade is not None else (QUANTITIES[0], QUANTITIES[2])
        kept = has if quantities is None else tuple(quantities)
        for name in kept:
            if name not in has:
                raise PerfmethodError(f"quantity '{name}'; {suggest(name, has)}")
        best = None if nominal.grade is None else nominal.grade[0] == 0
        names = [n for q in kept for n in
                 ([f"{q}.{u}" for u in nominal.units] if q in QUANTITIES[:2] else [q])]  # fmt: skip
        return cls(years, structure, kept, tuple(names), nominal.rank[0], best, executor)

    def outputs(
        self, values: Mapping[str, NDArray[Any]], scheme: NDArray[np.intp] | None, n: int
    ) -> Array:
        """Score n draws, (n, m); `scheme` says under which of the schemes."""
        out = np.empty((n, len(self.names)))
        for code, year in enumerate(self.years):
            rows = np.arange(n) if scheme is None else np.flatnonzero(scheme == code)
            if len(rows):
                drawn = {path: value[rows] for path, value in values.items()}
                draws = draws_of(drawn, len(rows), year.scheme.number("base"))
                found = simulate(year, draws, executor=self.executor)
                out[rows] = np.concatenate([_READ[q](self, found) for q in self.quantities], 1)
        return out


def _ranks(_: _Scored, found: Simulation) -> Array:
    return found.rank.astype(float)


def _excellent(_: _Scored, found: Simulation) -> Array:
    assert found.grade is not None  # `_Scored.of` offers it only then
    return (found.grade == 0).astype(float)


def _mean_rank_shift(scored: _Scored, found: Simulation) -> Array:
    return np.asarray(np.abs(found.rank - scored.rank).mean(1, keepdims=True))


def _excellent_changes(scored: _Scored, found: Simulation) -> Array:
    assert found.grade is not None
    changed = (found.grade == 0) != scored.excellent
    return changed.sum(1, keepdims=True).astype(float)


_READ: Mapping[str, Callable[[_Scored, Simulation], Array]] = dict(
    zip(QUANTITIES, (_ranks, _excellent, _mean_rank_shift, _excellent_changes), strict=True)
)


def _columns(factors: tuple[Factor, ...]) -> dict[str, list[int]]:
    """Columns of the unit cube that each factor has."""
    ends = np.cumsum([f.columns for f in factors])
    return {f.name: list(range(end - f.columns, end)) for f, end in
            zip(factors, ends.tolist(), strict=True)}  # fmt: skip


def _meta(year: Year, found: GlobalIndices, factors: tuple[Factor, ...]) -> dict[str, Any]:
    return {**year.meta, **found.meta, "varied": {f.name: f.note for f in factors}}
