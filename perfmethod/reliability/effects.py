"""Effects of levels: fixed ones estimated, random ones predicted, with their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.cells import Cells
from perfmethod.reliability.criterion import Criterion, State
from perfmethod.reliability.elimination import ClusterElimination
from perfmethod.reliability.layout import Layout, Term
from perfmethod.reliability.nested import NestedElimination

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.reliability.components import Model

__all__ = ["aliased", "cluster_effects", "column_names", "fixed_effects", "term_effects"]

Floats = NDArray[np.float64]

_ROWS = 1024  # clusters whose rows of the equations are dense at a time


def column_names(term: Term) -> list[str]:
    """Name of each column of a fixed term."""
    if not term.name:
        return ["intercept"]
    return [f"{term.name}[{':'.join(map(str, label))}]" for label in term.columns.labels()]


def aliased(layout: Layout) -> tuple[str, ...]:
    """Names of fixed effects that are left out because earlier ones determine them."""
    names = [name for term in layout.fixed for name in column_names(term)]
    kept = set((layout.kept[layout.effects :] - layout.effects).tolist())
    return tuple(name for i, name in enumerate(names) if i not in kept)


def fixed_effects(model: Model, state: State) -> pd.DataFrame:
    """Estimates and standard errors of the fixed effects that are not aliased."""
    import pandas as pd

    layout = model.criterion.layout
    names = [name for term in layout.fixed for name in column_names(term)]
    q = layout.effects
    estimates = state.solution[q:].copy()
    estimates[0] += model.scale[1]  # the intercept is always there, and first
    variance = state.residual * np.diagonal(_covariance(model.criterion, state))[q:]
    kept = layout.kept[q:] - q
    columns = {"estimate": estimates / model.unit, "standard_error": np.sqrt(variance) / model.unit}
    return pd.DataFrame(columns, index=pd.Index([names[i] for i in kept], name="effect"))


def term_effects(model: Model, state: State, place: int) -> pd.DataFrame:
    """Predictions of the levels of a term that is not eliminated."""
    layout = model.criterion.layout
    term, rows = layout.random[place], layout.slices[place]
    full, known = (state.residual * np.diagonal(c)[rows] for c in _both(model.criterion, state))
    counts = model.elimination.counts_of(term)
    return _frame(term.columns, counts, state.solution[rows], (full, known), model.unit)


def cluster_effects(model: Model, state: State, place: int) -> pd.DataFrame:
    """Predictions of eliminated effects, which need the ratings of each level."""
    elimination = model.elimination
    if isinstance(elimination, NestedElimination):
        if place == 1:
            raise PerfmethodError(
                f"term: found {model.terms[1]!r}, eliminated within {model.terms[0]!r}; "
                "allowed: another random term"
            )
        members, table, ratings, totals, weight = elimination.outer_effects(state.ratios[:2])
    else:
        members, table, ratings, totals = _by_member(model)
        weight = state.ratios[0] / (1 + state.ratios[0] * ratings)
    effects = weight * (totals - table @ model.criterion.layout.spread(state.solution))
    variances = [
        state.residual * (weight + weight**2 * spread)
        for spread in _spread_variances(model.criterion, state, table)
    ]
    counts = ratings.astype(np.int64)
    return _frame(members, counts, effects, (variances[0], variances[1]), model.unit)


def _by_member(model: Model) -> tuple[Cells, Any, Floats, Floats]:
    """Members of the eliminated term: counts by cell (sparse), ratings and totals."""
    from scipy.sparse import csr_array

    if model.source is None:
        raise PerfmethodError(
            f"term: found {model.terms[0]!r}, in a fit from moments that do not tell its levels "
            "apart; allowed: a fit from Moments, or another term"
        )
    assert isinstance(model.elimination, ClusterElimination)
    near, source = model.elimination.moments, model.source
    part = source.group(*dict.fromkeys([*near.cluster, *near.cells.facets]))
    members, who = part.cells.group(near.cluster)
    _, cell = part.cells.group(near.cells.facets)
    counts = part.counts.astype(float)
    sums = part.sums - (model.scale[1] - source.origin) * part.counts
    table = csr_array((counts, (who, cell)), shape=(len(members), len(near.cells)))
    ratings, totals = (np.bincount(who, x).astype(float) for x in (counts, sums))
    return members, table, ratings, totals


def _spread_variances(criterion: Criterion, state: State, table: Any) -> tuple[Floats, Floats]:
    """Variances of what the other effects add to each row, fixed ones estimated or known."""
    from scipy.sparse import csr_array

    layout, m = criterion.layout, table.shape[1]
    edges = layout.edges[:-1]
    columns = np.concatenate([e + t.codes for e, t in zip(edges, layout.terms, strict=True)])
    rows = np.tile(np.arange(m), len(layout.terms))
    shape = (m, int(layout.edges[-1]))
    incidence = csr_array((np.ones(len(columns)), (rows, columns)), shape=shape)
    full, known = np.empty(table.shape[0]), np.empty(table.shape[0])
    estimated, given = _both(criterion, state)
    for start in range(0, table.shape[0], _ROWS):
        part = (table[start : start + _ROWS] @ incidence).toarray()[:, layout.kept]
        full[start : start + _ROWS] = np.einsum("ij,ij->i", part @ estimated, part)
        known[start : start + _ROWS] = np.einsum("ij,ij->i", part @ given, part)
    return full, known


def _covariance(criterion: Criterion, state: State) -> Floats:
    """Covariance of all effects over the residual variance, fixed effects estimated."""
    found = state
    if not criterion.restricted:
        found = Criterion(criterion.elimination, "REML").at(state.ratios, exact=False)
    return np.asarray(found.inverse * np.outer(found.scale, found.scale))


def _both(criterion: Criterion, state: State) -> tuple[Floats, Floats]:
    """Covariances of all effects, the fixed ones estimated, and taken as known."""
    estimated, q = _covariance(criterion, state), criterion.layout.effects
    shared = estimated[:, q:] @ np.linalg.solve(estimated[q:, q:], estimated[q:])
    return estimated, estimated - shared


def _frame(
    levels: Cells,
    ratings: NDArray[np.int64],
    effects: Floats,
    variances: tuple[Floats, Floats],
    unit: float,
) -> pd.DataFrame:
    import pandas as pd

    index = pd.MultiIndex.from_tuples(levels.labels(), names=levels.facets)
    errors = [np.sqrt(np.maximum(v, 0.0)) / unit for v in variances]
    columns = {
        "ratings": ratings,
        "effect": effects / unit,
        "standard_error": errors[0],
        "conditional_error": errors[1],
    }
    return pd.DataFrame(columns, index=index.get_level_values(0) if index.nlevels == 1 else index)
