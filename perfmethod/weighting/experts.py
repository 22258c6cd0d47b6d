"""Weights from points that experts give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import DataError, Problems
from perfmethod.weighting.agreement import Concordance, concordance
from perfmethod.weighting.result import Array, Weighting, checked_names

__all__ = ["BudgetWeighting", "budget_allocation"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BudgetWeighting(Weighting):
    """Weights from points, and how far the experts agree on them.

    Parameters
    ----------
    shares : ndarray (m, n)
        Each expert's points as shares of that expert's sum.
    spread : ndarray (n,) or None
        Standard deviation of a criterion's share between experts (ddof 1); None for one expert.
    concordance : Concordance or None
        Kendall's W; None where agreement has no meaning (see `concordance`).
    """

    shares: Array
    spread: Array | None
    concordance: Concordance | None

    def __post_init__(self) -> None:
        super().__post_init__()
        for array in (self.shares, self.spread):
            if array is not None:
                array.setflags(write=False)

    def _summary(self) -> str:
        if self.concordance is None:
            return f"; {len(self.shares)} expert(s), no measure of agreement"
        c = self.concordance
        return f"; {c.experts} experts, Kendall's W {c.w:.3f} (p {c.p_value:.3g})"


def budget_allocation(
    points: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    experts: Sequence[str] | None = None,
) -> BudgetWeighting:
    r"""Average the shares of points that experts spread over the criteria.

    Every expert's points are first divided by their sum, so that an expert who spent 90 of 100
    points counts as much as one who spent all: :math:`w_j = \frac1m \sum_i p_{ij} / \sum_k p_{ik}`.

    Parameters
    ----------
    points : array_like (m, n)
        Points of expert m for criterion n.
    names : sequence of str (n,), optional
    experts : sequence of str (m,), optional
        Used in messages.

    Returns
    -------
    BudgetWeighting
        `standard_errors` are those of a mean over experts, ``spread / sqrt(m)``: they describe the
        experts one might have asked as well. None for a single expert.

    Raises
    ------
    DataError
        If points are missing or negative, or an expert gave none at all; every such expert is
        named.

    References
    ----------
    OECD and JRC (2008). Handbook on Constructing Composite Indicators, section 6.2 (budget
    allocation). OECD Publishing.

    Examples
    --------
    >>> result = budget_allocation([[50, 30, 20], [60, 30, 10], [40, 25, 35]])
    >>> result.weights.round(4).tolist()
    [0.5, 0.2833, 0.2167]
    >>> result.standard_errors.round(4).tolist()
    [0.0577, 0.0167, 0.0726]
    """
    x = _checked_points(points, names, experts)
    m, n = x.shape
    shares = x / x.sum(axis=1, keepdims=True)
    spread = shares.std(axis=0, ddof=1) if m > 1 else None
    return BudgetWeighting(
        weights=shares.mean(axis=0),
        method="budget_allocation",
        names=checked_names(names, n),
        standard_errors=None if spread is None else spread / np.sqrt(m),
        notes=("no standard error: one expert shows no disagreement",) if m == 1 else (),
        shares=shares,
        spread=spread,
        concordance=concordance(x),
    )


def _checked_points(
    points: ArrayLike, names: Sequence[str] | None, experts: Sequence[str] | None
) -> Array:
    problems = Problems("points")
    x = np.asarray(points, float)
    if x.ndim != 2 or not x.size:
        problems.add(f"an array of shape {x.shape}", "points of shape (experts, criteria)")
        problems.raise_any(DataError)
    who, what = checked_names(experts, len(x), "expert"), checked_names(names, x.shape[1])
    for i, j in np.argwhere(~np.isfinite(x) | (x < 0)):
        found = "nothing" if np.isnan(x[i, j]) else f"{x[i, j]:g}"
        problems.add(found, "points of 0 or more", row=who[i], column=what[j])
    for i in np.flatnonzero((x == 0).all(axis=1)):
        problems.add("no points at all", "points that sum to more than 0", row=who[i])
    problems.raise_any(DataError)
    return x
