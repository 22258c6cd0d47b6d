"""Effects of levels: fixed ones estimated, random ones predicted, with their errors."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

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

__all__ = ["Predicted", "aliased", "column_names", "fixed_effects", "predicted"]

Floats = NDArray[np.float64]

_ROWS = 1024  # of the equations, turned into dense ones at a time


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


class Predicted(NamedTuple):
    """Predictions of the n levels of a random term, in the integers of the moments."""

    levels: Cells
    ratings: NDArray[np.int64]  # (n,)
    effects: Floats  # (n,)
    variances: Floats  # (n,) of prediction minus effect, the fixed effects estimated
    conditional: Floats  # (n,) the fixed effects known

    def frame(self, unit: float) -> pd.DataFrame:
        """As `Components.effects` shows it, with this many integers in a unit of the ratings."""
        import pandas as pd

        index = pd.MultiIndex.from_tuples(self.levels.labels(), names=self.levels.facets)
        errors = [np.sqrt(np.maximum(v, 0.0)) / unit for v in self[3:]]
        columns = {
            "ratings": self.ratings,
            "effect": self.effects / unit,
            "standard_error": errors[0],
            "conditional_error": errors[1],
        }
        return pd.DataFrame(columns, index.get_level_values(0) if index.nlevels == 1 else index)


def predicted(model: Model, state: State, place: int) -> Predicted:
    """Predictions of the levels of a random term, by its place in the model."""
    eliminated, layout = model.elimination.count, model.criterion.layout
    if place < eliminated:
        return _inner(model, state) if place == 1 else _outer(model, state)
    term, rows = layout.random[place - eliminated], layout.slices[place - eliminated]
    full, known = (state.residual * np.diagonal(c)[rows] for c in _both(model.criterion, state))
    counts = model.elimination.counts_of(term)
    return Predicted(term.columns, counts, state.solution[rows], full, known)


def _outer(model: Model, state: State) -> Predicted:
    """Predictions of the eliminated (outer) effects, which need the ratings of each level."""
    members, table, ratings, totals, weight = _outer_rows(model, state)
    effects = weight * (totals - table @ model.criterion.layout.spread(state.solution))
    rows = table @ _incidence(model.criterion.layout)
    full, known = (
        state.residual * (weight + weight**2 * _squares(rows, c))
        for c in _both(model.criterion, state)
    )
    return Predicted(members, ratings.astype(np.int64), effects, full, known)


def _outer_rows(model: Model, state: State) -> tuple[Cells, Any, Floats, Floats, Floats]:
    """Members, counts by cell (sparse), ratings, totals and weights of the outer effects."""
    if isinstance(model.elimination, NestedElimination):
        return model.elimination.outer_effects(state.ratios[:2])
    members, table, ratings, totals = _by_member(model)
    return members, table, ratings, totals, state.ratios[0] / (1 + state.ratios[0] * ratings)


def _inner(model: Model, state: State) -> Predicted:
    r"""Predictions of the inner of two eliminated sets (ballots b in raters r).

    Given all else, a ballot weighs :math:`w = \lambda_i / (1 + \lambda_i n_b)`; to its error
    comes that of the rater's effect and of the other effects, :math:`n_b^2 w_r + c' C c` with
    :math:`c = x_b - n_b w_r a_r`, where x and a are the rows of ballot and rater.
    """
    elimination, layout = model.elimination, model.criterion.layout
    assert isinstance(elimination, NestedElimination)
    _, a, _, totals, outer = _outer_rows(model, state)
    ballots, x, n, sums, owner = elimination.inner_ratings()
    known = layout.spread(state.solution)
    raters = outer * (totals - a @ known)
    weight = state.ratios[1] / (1 + state.ratios[1] * n)
    effects = weight * (sums - x @ known - n * raters[owner])
    incidence = _incidence(layout)
    a, x, share = a @ incidence, x @ incidence, n * outer[owner]
    variances = []
    for c in _both(model.criterion, state):
        shared = _squares(x, c) - 2 * share * _products(x, a, owner, c)
        shared += share**2 * _squares(a, c)[owner] + n**2 * outer[owner]
        variances.append(state.residual * (weight + weight**2 * shared))
    return Predicted(ballots, n.astype(np.int64), effects, *variances)


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


def _incidence(layout: Layout) -> Any:
    """Which of the columns kept a cell has, sparse (m, q)."""
    from scipy.sparse import csr_array

    edges, m = layout.edges, len(layout.terms[0].codes)
    place = np.full(int(edges[-1]), -1)
    place[layout.kept] = np.arange(len(layout.kept))
    columns = place[
        np.concatenate([e + t.codes for e, t in zip(edges[:-1], layout.terms, strict=True)])
    ]
    rows = np.tile(np.arange(m), len(layout.terms))[columns >= 0]
    columns = columns[columns >= 0]
    return csr_array((np.ones(len(columns)), (rows, columns)), shape=(m, len(layout.kept)))


def _squares(rows: Any, covariance: Floats) -> Floats:
    """Variance (n,) of what effects add to each of the rows (sparse, n by q)."""
    found = np.empty(rows.shape[0])
    for start in range(0, rows.shape[0], _ROWS):
        part = rows[start : start + _ROWS]
        found[start : start + _ROWS] = part.multiply(part @ covariance).sum(axis=1)
    return found


def _products(rows: Any, others: Any, owner: NDArray[np.int64], covariance: Floats) -> Floats:
    """Covariance (n,) of what effects add to each row and to that of the others which owns it."""
    order = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[order], np.arange(0, others.shape[0] + _ROWS, _ROWS))
    found = np.empty(rows.shape[0])
    for k, (start, stop) in enumerate(pairwise(edges.tolist())):
        mine = order[start:stop]
        part = rows[mine].tocoo()
        turned = others[k * _ROWS : (k + 1) * _ROWS] @ covariance
        values = part.data * turned[owner[mine][part.row] - k * _ROWS, part.col]
        found[mine] = np.bincount(part.row, values, len(mine))
    return found


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
