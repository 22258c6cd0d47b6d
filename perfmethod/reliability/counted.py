"""Ratings on one item as counts: what agreement coefficients read of a reduction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import suggest
from perfmethod.reduction.given import Reduced
from perfmethod.reliability.ratings import Ratings, Single, compact, refuse, single

if TYPE_CHECKING:
    from perfmethod.reduction import Reduction

__all__ = ["counted"]


def counted(ratings: ArrayLike | Ratings | Reduced, item: str | None = None) -> Single:
    """As `single`, also of a reduction, whose equal ratings of a unit are one row."""
    if isinstance(ratings, Reduced):
        return _of_reduction(ratings, item)
    return single(ratings, item)


def _of_reduction(ratings: Reduction, item: str | None) -> Single:
    spec, tables = ratings.spec, ratings.groups
    if item is None and len(spec.dimensions) != 1:
        refuse(
            f"{len(spec.dimensions)} items", f"one: choose item from {', '.join(spec.dimensions)}"
        )
    if item is not None and item not in spec.dimensions:
        raise ValueError(f"found item {item!r}; allowed: {suggest(item, spec.dimensions)}")
    pairs, more = ratings.design.repeated.tolist()
    if pairs:
        refuse(
            f"{more} ballots of a rater on a unit that it has rated already, on {pairs} pairs",
            "one ballot of a rater on a unit: drop or merge one first",
        )
    place = 0 if item is None else spec.dimensions.index(item)
    by_group = tables.answers[:, :, place]  # (g, u, o)
    unit, option = np.nonzero(by_group.sum(axis=0))
    if np.unique(unit).size < 2:
        refuse(f"{np.unique(unit).size} rated units", "at least two: agreement is told from chance "
               "by comparing units")  # fmt: skip
    raters = int(ratings.design.raters[place])
    if raters < 2:
        refuse(f"{raters} rater(s)", "at least two: one rater agrees with nobody")
    units, code = compact(unit)
    groups = by_group[:, unit, option]
    return Single(
        code,
        np.zeros(len(code), np.intp),
        np.array(spec.option_scores)[spec.valid][option],
        tuple(spec.units[i] for i in units),
        np.zeros(raters, np.intp),
        groups.sum(axis=0),
        groups,
    )
