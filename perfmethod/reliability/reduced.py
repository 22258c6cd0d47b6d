"""A survey's reduction to integer tables, in place of its ballots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reduction import Reduction
from perfmethod.reliability.answers import strata_of
from perfmethod.reliability.cells import Cells
from perfmethod.reliability.clusters import ClusterMoments
from perfmethod.reliability.components import Components
from perfmethod.reliability.layout import facets_of
from perfmethod.reliability.reduced_fit import nested_components
from perfmethod.reliability.reml import variance_components

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReducedAnswers", "answers_of_reduction", "cells_of", "reduced_components"]

Ints = NDArray[np.int64]

_RATER, _BALLOT = "rater", "unit:rater"


@dataclass(frozen=True, eq=False, repr=False)
class ReducedAnswers:
    """As `Answers`, of a reduction."""

    reduction: Reduction
    cells: Cells
    place: Ints  # (m,) of the tables' cells among the cells
    strata: pd.DataFrame
    units: int
    units_per_person: float
    per_ballot: float
    unit_class: str | None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def several(self, *facets: str) -> list[str]:
        """Those of the facets that have more than one level."""
        cells = self.cells
        return [f for f in facets if f in cells.facets and len(cells.levels[cells.place(f)]) > 1]

    @property
    def repeated(self) -> bool:
        """Whether some ballot has more than one answer."""
        return int(self.reduction.nested.sizes.max(initial=0)) > 1

    def fit(self, random: Sequence[str], fixed: Sequence[str], method: str) -> Components:
        """Variance components; see `reduced_components`."""
        return reduced_components(self, random, fixed, method)


def cells_of(reduction: Reduction) -> tuple[Cells, Ints]:
    """Cells of a reduction by label, sorted, and where the tables' cells stand among them."""
    spec = reduction.spec
    codes, parts = reduction.nested.cells, []
    for axis in (spec.dimensions, spec.modes, spec.categories):
        codes, part = np.divmod(codes, len(axis))
        parts.append((axis, part))
    facets = {"unit": (spec.units, codes), "category": parts[2], "mode": parts[1],
              "dimension": parts[0]}  # fmt: skip
    if spec.classes is not None:
        facets["class"] = (spec.levels, spec.unit_class[codes])
    levels, places = [], []
    for axis, part in facets.values():
        used = sorted((axis[i], i) for i in np.unique(part).tolist())
        rank = np.zeros(len(axis), np.int64)
        rank[[i for _, i in used]] = np.arange(len(used))
        levels.append(tuple(name for name, _ in used))
        places.append(rank[part])
    table = np.array(places, np.int64).reshape(len(facets), len(codes))
    order = np.lexsort(table[::-1])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return Cells(tuple(facets), tuple(levels), table[:, order]), place


def answers_of_reduction(
    reduction: Reduction,
    option_scores: Mapping[Any, float | None] | None,
    dimensions: Sequence[str] | None,
    category_weights: Mapping[str, float] | None,
    unit_class: str | None,
) -> ReducedAnswers:
    """Read the design from the tables; refuses what only another reduction could answer."""
    spec, design = reduction.spec, reduction.design
    _check_given(reduction, option_scores, dimensions)
    sizes = np.bincount(spec.unit_class)
    chosen = spec.levels[int(np.argmax(sizes))] if unit_class is None else unit_class
    if chosen not in spec.levels:
        raise PerfmethodError(
            f"unit_class: found {chosen!r}; allowed: {suggest(str(chosen), spec.levels)}"
        )
    k = spec.levels.index(chosen)
    own = spec.unit_class == k
    by_size = design.by_size[own].sum(axis=0)[1:]
    ballots = int(by_size.sum())
    if not ballots:
        raise PerfmethodError(
            f"reduction: found no valid answer on units of class {chosen!r}; allowed: some"
        )
    valid = np.arange(1, len(by_size) + 1)
    cells, place = cells_of(reduction)
    return ReducedAnswers(
        reduction,
        cells,
        place,
        _strata(reduction, own, category_weights),
        int((design.ballots[own].sum(axis=(1, 2)) > 0).sum()),
        float(design.reach[k] / ballots),
        float(ballots / (by_size / valid).sum()),
        None if spec.classes is None else chosen,
        {"reduction": reduction.digest},
    )


def _check_given(
    reduction: Reduction, option_scores: Mapping[Any, float | None] | None, dimensions: Any
) -> None:
    spec = reduction.spec
    if dimensions is not None and set(dimensions) != set(spec.dimensions):
        raise PerfmethodError(
            f"dimensions: found {', '.join(dimensions)}; allowed: those reduced, "
            f"{', '.join(spec.dimensions)} (reduce again for others: ballots count by all answers)"
        )
    known = {o: s for o, s in zip(spec.options, spec.option_scores, strict=True) if s == s}
    given = {int(o): float(s) for o, s in (option_scores or {}).items() if s is not None}
    if option_scores is not None and given != known:
        raise PerfmethodError(
            f"option_scores: found {dict(option_scores)}; allowed: those reduced, {known}"
        )


def _strata(
    reduction: Reduction, own: NDArray[np.bool_], category_weights: Mapping[str, float] | None
) -> pd.DataFrame:
    """Categories and modes of a class, with their share in its scores."""
    import pandas as pd

    spec = reduction.spec
    n = reduction.design.ballots * own[:, None, None]
    unit, category, mode = np.nonzero(n)
    names = [pd.Index(list(axis)).take(at) for axis, at in
             ((spec.categories, category), (spec.modes, mode), (spec.units, unit))]  # fmt: skip
    index = pd.MultiIndex.from_arrays(names, names=["category", "mode", "unit"])
    cells = pd.Series(n[unit, category, mode], index=index).sort_index()
    whole = np.broadcast_to(np.asarray(spec.category_weights, float), n.shape[:2])[own]
    weights = dict(category_weights or {}) or dict(
        zip(spec.categories, whole.mean(axis=0) if np.ptp(whole, axis=0).any() else whole[0],
            strict=True)
    )  # fmt: skip
    modes = None
    if spec.combine_modes == "weights":
        given = spec.mode_weights
        each = np.ones(len(spec.modes)) if given is None else np.asarray(given, float)
        modes = dict(zip(spec.modes, each.tolist(), strict=True))
    return strata_of(cells, weights, modes)


def reduced_components(
    answers: ReducedAnswers, random: Sequence[str], fixed: Sequence[str], method: str
) -> Components:
    """Fit to the tables: terms may hold raters as ``"rater"`` and ``"unit:rater"`` (ballots)."""
    nested, cells = answers.reduction.nested, answers.cells
    decimals = answers.reduction.spec.scaled[1]
    others = [term for term in [*random, *fixed] if term not in (_RATER, _BALLOT)]
    for term in others:
        if "rater" in facets_of(term):
            raise PerfmethodError(
                f"term: found {term!r}; allowed for a reduction: raters in {_RATER!r} and "
                f"{_BALLOT!r} only"
            )
    if _RATER in random and _BALLOT in random and answers.repeated:
        return nested_components(nested, (cells, answers.place), random, fixed, method, decimals)
    cluster = next((term for term in (_RATER, _BALLOT) if term in random), None)
    if cluster is None or {_RATER, _BALLOT} <= set(random):
        raise PerfmethodError(
            f"random: found {', '.join(random)}; allowed for a reduction: with {_RATER!r}, and "
            f"with {_BALLOT!r} where ballots have several answers"
        )
    facets = list(dict.fromkeys(f for term in others for f in facets_of(term)))
    kept, at = cells.group(tuple(facets))
    moments = ClusterMoments.of_tables(
        nested, facets_of(cluster), (kept, at[answers.place]), decimals
    )
    return variance_components(moments, random, fixed, method=method)
