"""What weighting and clustering do to the variance of a score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.survey.linearization import srs_variance
from perfmethod.survey.moments import Moments, cell_moments

__all__ = ["DESIGN_VALUES", "Inputs", "design_frame", "ratio"]

Floats = NDArray[np.float64]

DESIGN_VALUES = (
    "standard_error",
    "deff",
    "deff_weighting",
    "deff_clustering",
    "effective_n",
    "unmeasured_weight",
)


class Inputs(NamedTuple):
    """What design effects are computed from."""

    counts: NDArray[np.int64]  # (u, d, c, m, o)
    option_scores: Floats  # (o,)
    mode_weights: Floats | None  # (m,), None where modes are pooled
    weights: Floats  # (u, d, c, m) of cell means, adding to 1
    standard_errors: Floats  # (u, d)
    raters: NDArray[np.intp] | None  # (p,) of the pairs kept; None: not known
    alone: NDArray[np.bool_] | None  # (u, d, c, k) cells of one rater; None: ballots are drawn


def design_frame(inputs: Inputs, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """One row per kept (u, d); the columns are explained at `Review.design_effects`."""
    usable = inputs.counts * ~np.isnan(inputs.option_scores)  # (u, d, c, m, o)
    asked = inputs.counts.sum(axis=(2, 3, 4))[kept]
    valid = usable.sum(axis=(2, 3, 4))[kept]
    variance = inputs.standard_errors[kept] ** 2
    moments = cell_moments(inputs.counts, inputs.option_scores, inputs.mode_weights)
    outside = inputs.weights.sum(axis=-1)[kept]  # (p, c)
    by_ballots = (outside**2 * moments.category_variances()[kept]).sum(axis=-1)
    per_answer = _answer_weights(usable, inputs.weights)
    known = inputs.raters is not None
    deff = ratio(variance, _srs(usable, per_answer, inputs.option_scores)[kept])
    columns = {
        "ballots": asked,
        "valid": valid,
        "dont_know": asked - valid,
        "raters": inputs.raters if known else np.full(asked.shape, np.nan),
        "standard_error": inputs.standard_errors[kept],
        "deff": deff,
        "deff_weighting": valid * _squares(usable, per_answer)[kept],
        "deff_clustering": ratio(variance, by_ballots) if known else np.nan,
        "effective_n": ratio(valid, deff),
        "unmeasured_weight": (outside * _lone(moments, inputs.alone)[kept]).sum(axis=-1),
    }
    return pd.DataFrame(columns)


def _answer_weights(usable: NDArray[np.int64], weights: Floats) -> Floats:
    """Weight (u, d, c, m) of one valid answer of a cell."""
    size = usable.sum(axis=-1)
    return np.divide(weights, size, out=np.zeros(size.shape), where=size > 0)


def _squares(usable: NDArray[np.int64], per_answer: Floats) -> Floats:
    """Sum of squared answer weights (u, d); the weights themselves add to 1."""
    return (usable.sum(axis=-1) * per_answer**2).sum(axis=(-1, -2))


def _srs(usable: NDArray[np.int64], per_answer: Floats, option_scores: Floats) -> Floats:
    """Variance (u, d) of a simple random sample with the same weighted distribution."""
    by_option = (usable * per_answer[..., None]).sum(axis=(2, 3))
    values = np.where(np.isnan(option_scores), 0.0, option_scores)
    return srs_variance(values, by_option, usable.sum(axis=(2, 3, 4)))


def _lone(moments: Moments, alone: NDArray[np.bool_] | None) -> Floats:
    """Share (u, d, c) of a category's mean on cells with one valid answer, or one rater."""
    return (moments.share * (moments.size == 1 if alone is None else alone)).sum(axis=-1)


def ratio(above: ArrayLike, below: ArrayLike) -> Floats:
    """Above / below, NaN where below is 0 or missing."""
    top, bottom = np.asarray(above, float), np.asarray(below, float)
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
