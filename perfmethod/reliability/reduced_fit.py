"""Variance components from tables of ballots within raters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reduction.nested import NestedTables
from perfmethod.reliability.cells import Cells, placed
from perfmethod.reliability.components import Components, Model
from perfmethod.reliability.criterion import Criterion
from perfmethod.reliability.layout import Layout, facets_of
from perfmethod.reliability.nested import NestedElimination
from perfmethod.reliability.reml import METHODS, fitted

__all__ = ["nested_components", "nested_henderson"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_OUTER, _INNER = "rater", "unit:rater"
_SMALL = 0.02  # of the residual variance, where a search for small components starts


def nested_components(
    tables: NestedTables,
    cells: tuple[Cells, Ints],
    random: Sequence[str],
    fixed: Sequence[str],
    method: str,
    decimals: int,
) -> Components:
    """Fit a model with raters and ballots within them, as `variance_components` does to `Moments`.

    Parameters
    ----------
    tables : NestedTables
    cells : tuple
        `Cells` by label, and where the tables' cells stand among them.
    random, fixed : sequence of str
        Terms; random ones hold ``"rater"`` and ``"unit:rater"``.
    method : {"REML", "ML"}
    decimals : int
        Digits after the point that the integers stand for.
    """
    if method not in METHODS:
        raise PerfmethodError(f"method: found {method!r}; allowed: {suggest(str(method), METHODS)}")
    names = list(dict.fromkeys(random))
    model = _model(tables, cells, names, list(dict.fromkeys(fixed)), method, decimals)
    return fitted(model, names, method)


def _model(
    tables: NestedTables,
    cells: tuple[Cells, Ints],
    names: list[str],
    fixed: list[str],
    method: str,
    decimals: int,
) -> Model:
    others = [name for name in names if name not in (_OUTER, _INNER)]
    _check_terms(cells[0], others, fixed)
    facets = list(dict.fromkeys(f for name in [*others, *fixed] for f in facets_of(name)))
    kept, at = cells[0].group(tuple(facets))
    place = at[cells[1]]
    layout = Layout.of(kept, placed(len(kept), (place, tables.counts)), others, fixed)
    shift = round(int(tables.sums.sum()) / tables.total)
    near = tables.shifted(shift)
    if int(near.squares.sum()) * near.total <= int(near.sums.sum()) ** 2:
        raise PerfmethodError("ratings: found all equal; allowed: ratings that vary")
    elimination = NestedElimination.of_tables(near, place, kept, layout)
    ballots, raters, residual = nested_henderson(near)
    if not residual > 0:
        residual = max(ballots, raters, 1.0)
    small = [_SMALL * residual] * len(others)
    start = np.array([max(raters, _SMALL * residual), ballots, *small, residual])
    return Model(
        (_OUTER, _INNER, *others),
        (*(len(m) for m in elimination.members), *(term.size for term in layout.random)),
        Criterion(elimination, method),
        None,
        (decimals, near.origin),
        start,
    )


def _check_terms(cells: Cells, others: Sequence[str], fixed: Sequence[str]) -> None:
    """Refuse terms without two levels, and random ones that a fixed term explains."""
    for name in others:
        size = len(cells.group(facets_of(name))[0])
        if name in fixed:
            raise PerfmethodError(f"term {name!r}: found as random and as fixed; allowed: once")
        if size < 2:
            raise PerfmethodError(
                f"term {name!r}: found {size} level: no variance can be seen; allowed: 2 at least"
            )
        for other in fixed:
            both = tuple(dict.fromkeys([*facets_of(other), *facets_of(name)]))
            if len(cells.group(both)[0]) == len(cells.group(facets_of(other))[0]):
                raise PerfmethodError(
                    f"term {name!r}: found the fixed term {other!r} in it, whose means leave it "
                    "nothing to explain; allowed: one of them"
                )


def nested_henderson(tables: NestedTables) -> tuple[float, float, float]:
    """Henderson's method I for ballots within raters: components of these, and the residual.

    See `henderson_components`; every sum comes from the sizes of ballots and types of raters.
    """
    n, sizes, types, raters = float(tables.total), tables.sizes, tables.types, tables.raters
    each = types @ sizes  # answers of a rater
    of_size = raters @ types  # ballots
    kind, first, second = tables.square_places
    twice = np.where(first == second, 1.0, 2.0)
    totals = np.bincount(kind, twice * tables.square_values, len(raters))
    matrix = np.array(
        [
            [n, (sizes**2 @ of_size) / n, (each**2 @ raters) / n, 1],
            [n, n, n, of_size.sum()],
            [n, ((types @ sizes**2) / each) @ raters, n, raters.sum()],
            [n, n, n, n],
        ]
    )
    right = np.array(
        [
            float(tables.sums.sum()) ** 2 / n,
            (tables.ballot_squares / sizes).sum(),
            (totals / each).sum(),
            float(tables.squares.sum()),
        ]
    )
    found = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return float(found[1]), float(found[2]), float(found[3])
