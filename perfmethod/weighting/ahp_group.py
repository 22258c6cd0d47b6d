"""Weights from the pairwise comparisons of several experts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.weighting import _comparisons as pc
from perfmethod.weighting._judgments import (
    check_prioritization,
    completed,
    note_parts,
    note_problems,
    note_size,
)
from perfmethod.weighting.agreement import Concordance, concordance
from perfmethod.weighting.ahp import AHPWeighting, ahp, priorities
from perfmethod.weighting.result import Array, Weighting, checked_names

__all__ = ["AHPGroupWeighting", "ahp_group"]

AGGREGATIONS = ("judgments", "priorities")
_TIED_DIGITS = 10  # weights this close are a tie to Kendall's W, not an order made by rounding


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AHPGroupWeighting(Weighting):
    """Weights of a group of experts, and how far they agree.

    Parameters
    ----------
    experts : tuple of (AHPWeighting or None) (m,)
        Each expert alone; None for one whose own comparisons do not link all criteria.
    aggregation : str
        "judgments" or "priorities".
    group : AHPWeighting or None
        The combined matrix; None where priorities were combined.
    concordance : Concordance or None
        Kendall's W of the experts' weights; None unless at least two experts have weights.
    judgment_spread : ndarray (n, n)
        Geometric standard deviation of each judgment between the experts who made it (1: all
        alike); NaN where fewer than two did.
    distances : ndarray (m,)
        How far each expert's weights lie from the group's: root mean square of the centered log
        ratios; NaN for an expert without weights.
    """

    experts: tuple[AHPWeighting | None, ...]
    aggregation: str
    group: AHPWeighting | None
    concordance: Concordance | None
    judgment_spread: Array
    distances: Array

    def __post_init__(self) -> None:
        super().__post_init__()
        for array in (self.judgment_spread, self.distances):
            array.setflags(write=False)

    def _summary(self) -> str:
        agreement = "" if self.concordance is None else f", Kendall's W {self.concordance.w:.3f}"
        return f"; {len(self.experts)} experts, {self.aggregation}{agreement}"


def ahp_group(
    comparisons: ArrayLike,
    *,
    aggregation: str = "judgments",
    prioritization: str = "eigenvector",
    random_index: float | None = None,
    names: Sequence[str] | None = None,
    experts: Sequence[str] | None = None,
) -> AHPGroupWeighting:
    """Combine the pairwise comparisons of several experts by geometric means.

    Parameters
    ----------
    comparisons : array_like (m, n, n)
        One matrix for each expert, as in `ahp`.
    aggregation : {"judgments", "priorities"}
        "judgments": geometric mean of each judgment over the experts who made it, then the weights
        of that matrix; an expert may leave so many blanks that only the group links all criteria.
        "priorities": weights of each expert, then their geometric means scaled to sum to 1. With
        complete matrices and the geometric mean as prioritization both are the same.
    prioritization, random_index, names
        As in `ahp`.
    experts : sequence of str (m,), optional
        Used in messages.

    Returns
    -------
    AHPGroupWeighting
        `standard_errors` by leaving out one expert at a time (jackknife): they describe the
        experts one might have asked as well. None for a single expert, or where the others cannot
        do without one.

    Raises
    ------
    DataError
        As in `ahp`, with the expert named, all experts' problems at once.
    ValueError
        If `aggregation` or `prioritization` is not known.

    References
    ----------
    Aczel, J. and Saaty, T. L. (1983). Procedures for synthesizing ratio judgements. Journal of
    Mathematical Psychology 27(1), 93-102 (why geometric means).

    Forman, E. and Peniwati, K. (1998). Aggregating individual judgments and priorities with the
    analytic hierarchy process. European Journal of Operational Research 108(1), 165-169.

    Examples
    --------
    >>> one, other = [[1, 2, 4], [0.5, 1, 2], [0.25, 0.5, 1]], [[1, 2, 1], [0.5, 1, 0.5], [1, 2, 1]]
    >>> result = ahp_group([one, other])
    >>> result.weights.round(4).tolist()
    [0.5, 0.25, 0.25]
    >>> result.standard_errors.round(4).tolist()
    [0.0857, 0.0429, 0.1286]
    """
    check_prioritization(prioritization)
    if aggregation not in AGGREGATIONS:
        allowed = suggest(aggregation, AGGREGATIONS)
        raise ValueError(f"found aggregation {aggregation!r}; allowed: {allowed}")
    a, labels, who = _checked_group(comparisons, names, experts, random_index, aggregation)
    weights = _combine(a, aggregation, prioritization)
    errors, notes = _jackknife(a, aggregation, prioritization, who)

    def weigh(matrix: Array) -> AHPWeighting:
        return ahp(matrix, prioritization=prioritization, random_index=random_index, names=labels)

    alone = tuple(weigh(matrix) if _linked(matrix) else None for matrix in a)
    own = np.array([one.weights for one in alone if one is not None])
    own = own.round(_TIED_DIGITS)
    return AHPGroupWeighting(
        weights=weights,
        method="ahp_group",
        names=labels,
        standard_errors=errors,
        notes=notes + _without_weights(who, alone),
        experts=alone,
        aggregation=aggregation,
        group=weigh(_mean_judgments(a)) if aggregation == "judgments" else None,
        concordance=concordance(own) if len(own) > 1 else None,
        judgment_spread=_spread(a),
        distances=np.array([_distance(one, weights) for one in alone]),
    )


def _linked(matrix: Array) -> bool:
    return len(pc.components(pc.judged(matrix))) == 1


def _without_weights(who: Sequence[str], alone: Sequence[AHPWeighting | None]) -> tuple[str, ...]:
    return tuple(
        f"{expert}: own comparisons do not link all criteria, so no weights alone"
        for expert, one in zip(who, alone, strict=True)
        if one is None
    )


def _combine(a: Array, aggregation: str, prioritization: str) -> Array:
    if aggregation == "judgments":
        return priorities(_mean_judgments(a), prioritization)
    logs = np.log([priorities(matrix, prioritization) for matrix in a])
    return pc.weights_from_logs(logs.mean(axis=0))


def _mean_judgments(a: Array) -> Array:
    """Geometric mean of each judgment over the experts who made it; NaN where none did."""
    made = ~np.isnan(a)
    total = np.where(made, np.log(np.where(made, a, 1.0)), 0.0).sum(axis=0)
    count = made.sum(axis=0)
    return np.where(count > 0, np.exp(total / np.maximum(count, 1)), np.nan)


def _spread(a: Array) -> Array:
    """Geometric standard deviation (ddof 1) of each judgment, (n, n)."""
    made = ~np.isnan(a)
    count = made.sum(axis=0)
    log = np.where(made, np.log(np.where(made, a, 1.0)), 0.0)
    mean = log.sum(axis=0) / np.maximum(count, 1)
    squares = (np.where(made, log - mean, 0.0) ** 2).sum(axis=0)
    return np.where(count > 1, np.exp(np.sqrt(squares / np.maximum(count - 1, 1))), np.nan)


def _distance(one: AHPWeighting | None, weights: Array) -> float:
    if one is None:
        return np.nan
    ratio = np.log(one.weights / weights)
    return float(np.sqrt(np.mean((ratio - ratio.mean()) ** 2)))


def _jackknife(
    a: Array, aggregation: str, prioritization: str, who: Sequence[str]
) -> tuple[Array | None, tuple[str, ...]]:
    """Standard errors over experts, or None and the reason."""
    m = len(a)
    if m == 1:
        return None, ("no standard error: one expert shows no disagreement",)
    left = []
    for k in range(m):
        others = np.delete(a, k, axis=0)
        if not _linked(_mean_judgments(others)):
            return None, (f"no standard error: without {who[k]} not all criteria are linked",)
        left.append(_combine(others, aggregation, prioritization))
    return np.sqrt((m - 1) * np.var(left, axis=0)), ()


def _checked_group(
    comparisons: ArrayLike,
    names: Sequence[str] | None,
    experts: Sequence[str] | None,
    random_index: float | None,
    aggregation: str,
) -> tuple[Array, tuple[str, ...], tuple[str, ...]]:
    """Completed matrices (m, n, n), names of criteria and experts, or all problems at once."""
    given = np.array(comparisons, float)
    if given.ndim != 3 or given.shape[1] != given.shape[2] or not given.size:
        shape = Problems("comparisons")
        shape.add(f"an array of shape {given.shape}", "(experts, criteria, criteria)")
        shape.raise_any(DataError)
    labels = checked_names(names, given.shape[1])
    who = checked_names(experts, len(given), "expert")
    found = Problems("comparisons")
    note_size(len(labels), random_index, found)
    for expert, matrix in zip(who, given, strict=True):
        of_expert = Problems(f"comparisons of {expert}")
        note_problems(matrix, labels, of_expert)
        if aggregation == "priorities" and not of_expert.items:
            note_parts(completed(matrix), labels, of_expert)
        found.items.extend(of_expert.items)
    found.raise_any(DataError)
    a = np.array([completed(matrix) for matrix in given])
    note_parts(_mean_judgments(a), labels, found)
    found.raise_any(DataError)
    return a, labels, who
