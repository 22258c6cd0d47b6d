"""Counts to unit scores: means inside categories, weighted means over categories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.survey.disclosure import suppress
from perfmethod.survey.tables import AXES, Counts, long_frame

__all__ = ["COMBINE_MODES", "effective_weights", "empty_cells", "scores"]

COMBINE_MODES = ("ballots", "weights")

Floats = NDArray[np.float64]


def scores(
    counts: NDArray[np.int64] | Counts,
    option_scores: ArrayLike,
    category_weights: ArrayLike,
    mode_weights: ArrayLike | None = None,
    *,
    combine_modes: str = "ballots",
) -> Floats:
    r"""Score of every unit and dimension: a weighted mean over categories of category means.

    With :math:`n_{cmo}` answers of option *o* in category *c* and mode *m*, valid options
    :math:`V` and option scores :math:`s_o`,

    .. math::

        \bar y_c = \frac{\sum_m \sum_{o \in V} n_{cmo} s_o}{\sum_m \sum_{o \in V} n_{cmo}}
        \;\text{("ballots")}, \qquad
        \bar y_c = \frac{\sum_m v_m \bar y_{cm}}{\sum_m v_m} \;\text{("weights")}, \qquad
        \text{score} = \frac{\sum_c w_c \bar y_c}{\sum_c w_c},

    where the sums over modes and categories take only those with valid answers, that is, the
    weights are renormalized over what is there; `empty_cells` lists what is not.

    Parameters
    ----------
    counts : ndarray of int, shape (u, d, c, m, o), or Counts
        Answers by unit, dimension, category, mode and option.
    option_scores : array_like, shape (..., o)
        Score of each option on the scale of the result (0-100); NaN where the option is not a
        valid answer ("don't know").
    category_weights : array_like, shape (..., u, c) or (..., 1, c)
        Relative weights, not negative.
    mode_weights : array_like, shape (..., m), optional
        Relative weights, not negative; used by ``combine_modes="weights"`` only. Default: equal.
    combine_modes : {"ballots", "weights"}
        Pool the ballots of all modes of a category, or weight the means of its modes.

    Returns
    -------
    ndarray, shape (..., u, d)
        Leading axes broadcast, and a draw has the same bits as the draw scored alone. NaN where a
        unit has no valid answer on a dimension in any category of positive weight.

    Raises
    ------
    PerfmethodError
        Shapes that do not fit, a weight that is negative or not finite, an unknown
        `combine_modes`.

    References
    ----------
    The scale of the example, 100 / 75 / 55 with "don't know" not counted, is that of the 2008
    public review of Shandong's departments. Differential weights of rater categories by class of
    unit (差别权重) are Hangzhou's.

    Examples
    --------
    >>> counts = np.array([6, 3, 1, 2]).reshape(1, 1, 1, 1, 4)  # 2 don't know
    >>> scores(counts, [100, 75, 55, np.nan], [[1.0]])
    array([[88.]])
    """
    n, s, w, v = _arrays(counts, option_scores, category_weights, mode_weights, combine_modes)
    n_u, n_d = n.shape[:2]
    asked = np.flatnonzero(n.any(axis=(2, 3, 4)))  # the unit-dimension pairs worth computing
    cells = n.reshape(n_u * n_d, *n.shape[2:])[asked].astype(float)
    weights = np.broadcast_to(w, (*w.shape[:-2], n_u, n.shape[2]))
    total: Any = 0.0
    weight_used: Any = 0.0
    for c, (mean, valid) in enumerate(_category_means(cells, s, v)):
        weight = weights[..., c][..., asked // n_d]
        total = total + weight * mean
        weight_used = weight_used + (weight if valid.all() else weight * valid)
    v_shape = np.asarray(mode_weights).shape  # pooled modes ignore the numbers, not the draws axis
    lead = np.broadcast_shapes(s.shape[:-1], w.shape[:-2], v_shape[:-1])
    result = np.full((*lead, n_u * n_d), np.nan)
    if asked.size:
        result[..., asked] = _ratio(total, weight_used, np.nan)
    return result.reshape(*lead, n_u, n_d)


def _category_means(
    cells: Floats, s: Floats, v: Floats | None
) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    """Mean and whether there is one, each (..., p), category by category; cells (p, c, m, o)."""
    for c in range(cells.shape[1]):
        if v is None:
            yield _cell_mean(cells[:, c].sum(axis=1), s)
            continue
        total: Any = 0.0
        weight_used: Any = 0.0
        for m in range(cells.shape[2]):
            mean, valid = _cell_mean(cells[:, c, m], s)
            total = total + v[..., m, None] * mean
            weight_used = weight_used + v[..., m, None] * valid
        yield _ratio(total, weight_used, 0.0), np.asarray(weight_used) > 0


def _cell_mean(n: Floats, s: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean score (..., p) of answers n (p, o) under option scores s (..., o); 0 where empty."""
    # plain sums, one option at a time: a matrix product's last bits depend on how many draws it has
    valid, filled = ~np.isnan(s), np.nan_to_num(s)
    size: Any = 0.0
    total: Any = 0.0
    for o in range(s.shape[-1]):
        size = size + valid[..., o, None] * n[:, o]
        total = total + filled[..., o, None] * n[:, o]
    return _ratio(total, size, 0.0), np.asarray(size) > 0


def _ratio(total: Any, size: Any, empty: float) -> Floats:
    """Total / size, `empty` where size is 0."""
    total, size = np.broadcast_arrays(np.asarray(total, float), np.asarray(size, float))
    return np.divide(total, size, out=np.full(total.shape, empty), where=size > 0)


def effective_weights(
    counts: NDArray[np.int64] | Counts,
    option_scores: ArrayLike,
    category_weights: ArrayLike,
    mode_weights: ArrayLike | None = None,
    *,
    combine_modes: str = "ballots",
) -> Floats:
    """Weight with which the mean of each cell enters its score, after renormalization.

    Parameters
    ----------
    counts, option_scores, category_weights, mode_weights, combine_modes
        As in `scores`, without leading axes.

    Returns
    -------
    ndarray, shape (u, d, c, m)
        The score of (u, d) is the sum over c and m of weight times cell mean, and its weights add
        to 1; all 0 where there is no score. A cell without valid answers has weight 0. With
        ``combine_modes="ballots"`` a category's weight is split over its modes by valid answers.

    Raises
    ------
    PerfmethodError
        As in `scores`.

    Examples
    --------
    >>> counts = np.array([[30, 0], [10, 0]]).reshape(1, 1, 1, 2, 2)  # two modes, 30 and 10 ballots
    >>> effective_weights(counts, [100, 55], [[1.0]]).ravel()
    array([0.75, 0.25])
    >>> effective_weights(counts, [100, 55], [[1.0]], [6, 4], combine_modes="weights").ravel()
    array([0.6, 0.4])
    """
    n, s, w, v = _arrays(counts, option_scores, category_weights, mode_weights, combine_modes)
    if s.ndim > 1 or w.ndim > 2 or (v is not None and v.ndim > 1):
        raise PerfmethodError("effective_weights: found leading axes; allowed: none")
    valid = n[..., ~np.isnan(s)].sum(axis=-1)  # (u, d, c, m)
    inside = valid.astype(float) if v is None else v * (valid > 0)
    per_category = inside.sum(axis=-1)  # (u, d, c)
    outside = w[:, None, :] * (per_category > 0)
    share = _ratio(outside, np.broadcast_to(outside.sum(-1, keepdims=True), outside.shape), 0.0)
    return _ratio(share[..., None] * inside, per_category[..., None] + np.zeros_like(inside), 0.0)


def empty_cells(
    counts: Counts,
    option_scores: ArrayLike,
    category_weights: ArrayLike | None = None,
    *,
    min_cell: int = 10,
) -> pd.DataFrame:
    """Unit-dimension-category cells that give no mean, so that their weight went elsewhere.

    Parameters
    ----------
    counts : Counts
        Answers.
    option_scores : array_like, shape (o,)
        NaN where the option is not a valid answer.
    category_weights : array_like, shape (u, c) or (1, c), optional
        Where given, categories of weight 0 are left out: nobody misses them.
    min_cell : int
        Smallest count that may be shown.

    Returns
    -------
    pandas.DataFrame
        unit_id, dimension, category, ballots, reason (``"no ballots"``, ``"no valid answer"``),
        scored (whether other categories give the unit a score on this dimension), suppressed.
        Dimensions that the unit was not asked about in any category are not listed.

    Examples
    --------
    >>> from perfmethod.survey import tabulate
    >>> ballots = pd.DataFrame({"unit_id": ["D01"] * 2, "category": ["R01", "R02"],
    ...                         "mode": ["online"] * 2, "duty": [1, 9]})
    >>> counts = tabulate(ballots, units=["D01"], dimensions=["duty"],
    ...                   categories=["R01", "R02", "R03"], modes=["online"], options=[1, 9])
    >>> empty_cells(counts, [100, np.nan])[["category", "ballots", "reason", "scored"]]
      category ballots           reason  scored
    0      R02     <10  no valid answer    True
    1      R03       0       no ballots    True
    """
    valid = counts.array[..., ~np.isnan(np.asarray(option_scores, float))].sum(axis=(-1, -2))
    ballots = counts.array.sum(axis=(-1, -2))  # (u, d, c)
    missed = (valid == 0) & ballots.any(axis=-1, keepdims=True)
    counted = valid > 0
    if category_weights is not None:
        has_weight = np.asarray(category_weights, float)[:, None, :] > 0
        missed, counted = missed & has_weight, counted & has_weight
    frame = long_frame(missed, AXES[:3], counts.labels[:3]).assign(ballots=ballots[missed])
    frame["reason"] = np.where(frame["ballots"] > 0, "no valid answer", "no ballots")
    scored = np.broadcast_to(counted.any(axis=-1, keepdims=True), missed.shape)
    return suppress(frame.assign(scored=scored[missed]), min_cell)


def _arrays(
    counts: NDArray[np.int64] | Counts,
    option_scores: ArrayLike,
    category_weights: ArrayLike,
    mode_weights: ArrayLike | None,
    combine_modes: str,
) -> tuple[NDArray[np.int64], Floats, Floats, Floats | None]:
    """Checked arrays; mode weights are None where modes are pooled."""
    n = counts.array if isinstance(counts, Counts) else np.asarray(counts)
    if combine_modes not in COMBINE_MODES:
        allowed = suggest(str(combine_modes), COMBINE_MODES)
        raise PerfmethodError(f"combine_modes: found {combine_modes!r}; allowed: {allowed}")
    if n.ndim != 5:
        raise PerfmethodError(f"counts: found {n.ndim} axes; allowed: 5 (u, d, c, m, o)")
    s = np.asarray(option_scores, float)
    w = np.asarray(category_weights, float)
    v = np.ones(n.shape[3]) if mode_weights is None else np.asarray(mode_weights, float)
    _check_shape("option_scores", s, (n.shape[4],))
    _check_shape("category_weights", w, (n.shape[0], n.shape[2]))
    _check_shape("mode_weights", v, (n.shape[3],))
    if np.isinf(s).any():
        raise PerfmethodError("option_scores: found an infinite score; allowed: finite, or NaN")
    for name, weights in (("category_weights", w), ("mode_weights", v)):
        bad = weights[~(np.isfinite(weights) & (weights >= 0))]
        if bad.size:
            raise PerfmethodError(f"{name}: found {bad[0]}; allowed: finite, not negative")
    return n, s, w, (v if combine_modes == "weights" else None)


def _check_shape(name: str, array: Floats, last: tuple[int, ...]) -> None:
    """The last axes must be `last`; the units' axis may be 1."""
    found = array.shape[-len(last) :]
    fits = found == last or (len(last) == 2 and found == (1, last[1]))
    if not fits:
        letters = ", ".join(map(str, last))
        raise PerfmethodError(f"{name}: found shape {array.shape}; allowed: (..., {letters})")
