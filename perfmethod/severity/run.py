"""From a year or its ballots to the severity of raters and adjusted scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.severity._source import Survey, read_survey
from perfmethod.severity.linear import (
    Adjusted,
    LinearFits,
    adjusted_scores,
    category_severities,
    fit_linear,
)
from perfmethod.severity.raters import rater_spread, raters_by_category
from perfmethod.severity.result import Severity
from perfmethod.survey.disclosure import suppress
from perfmethod.year import Year

__all__ = ["severity"]

Floats = NDArray[np.float64]

_EFFECTS = ("fixed", "random")


def severity(
    source: Year | pd.DataFrame,
    *,
    option_scores: Mapping[Any, float] | None = None,
    dimensions: Sequence[str] | None = None,
    category_weights: Mapping[str, float] | None = None,
    category_effects: str = "fixed",
    interaction: bool = True,
    method: str = "REML",
    level: float = 0.95,
    min_cell: int | None = None,
) -> Severity:
    r"""Estimate the severity of categories and raters, and what units score without it.

    The score of an answer is the sum of a mean of unit and dimension, an effect of the category, a
    random effect of the rater within the category, of the ballot (rater and unit), of unit and
    category, and a residual. Fitted twice by REML on exact integer moments: with units fixed
    (adjusted scores, no shrinkage) and with units random (predictions shrunken toward the mean of
    the class). An adjusted score is what raters of average severity would give, the categories
    weighing as in the scheme for every unit of a class, also where a category has not rated it.

    Parameters
    ----------
    source : Year or pandas.DataFrame
        A year with ballots, or its ballots: columns unit_id, rater_id, category, mode (optional),
        and a column of option codes per dimension. The same rater_id in two categories is two
        raters.
    option_scores : mapping of code to float, optional
        Scores of the options, NaN for one that is no rating; of a year, those of its scheme.
    dimensions : sequence of str, optional
        Columns of answers; by default all.
    category_weights : mapping of str to float, optional
        The common mix; by default that of the scheme, or equal weights.
    category_effects : {"fixed", "random"}
        Random ones are predicted, shrunken toward no difference.
    interaction : bool
        Whether units and categories have an interaction (random).
    method : {"REML", "ML"}
    level : float
        Of the intervals.
    min_cell : int, optional
        Fewest raters or answers that may be shown; by default the scheme's, or 10.

    Returns
    -------
    Severity

    Raises
    ------
    PerfmethodError, DataError
        No ballots, a single rater or unit, equal answers, codes that are no option (each with its
        row), units that categories do not connect, raters with one answer each.

    Notes
    -----
    Severities are points of the score scale. Where options are few and scores near an end, a
    category's severity depends on how good the units are; `second_opinion` has the ordinal models
    in which it does not. Standard errors take the variance components as known; intervals are by
    Student's t with the degrees of freedom by which the components are not (Satterthwaite), so
    that they hold with few raters in a category too.

    References
    ----------
    Henderson, C. R. (1975). Best linear unbiased estimation and prediction under a selection
    model. *Biometrics* 31, 423-447.

    Braun, H. I. (1988). Understanding scoring reliability: experiments in calibrating essay
    readers. *Journal of Educational Statistics* 13, 1-18.

    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
    *Biometrics Bulletin* 2, 110-114.

    Raymond, M. R. and Viswesvaran, C. (1993). Least squares models to correct for rater effects in
    performance assessment. *Journal of Educational Measurement* 30, 253-268.

    Examples
    --------
    >>> ballots = pd.DataFrame({
    ...     "unit_id": ["A", "B"] * 6, "rater_id": [r for r in "abcdef" for _ in range(2)],
    ...     "category": ["R01"] * 6 + ["R02"] * 6, "duty": [2, 1, 2, 2, 3, 2, 1, 1, 2, 1, 1, 1]})
    >>> found = severity(ballots, option_scores={1: 100, 2: 75, 3: 55}, min_cell=1)
    >>> found.categories["severity"].round(2).tolist()
    [10.0, -10.0]
    """
    if category_effects not in _EFFECTS:
        allowed = suggest(str(category_effects), _EFFECTS)
        raise PerfmethodError(f"category_effects: found {category_effects!r}; allowed: {allowed}")
    if not 0 < level < 1:
        raise PerfmethodError(f"level: found {level}; allowed: between 0 and 1")
    survey = read_survey(source, option_scores, dimensions, category_weights, min_cell)
    survey.connection.refuse()
    fits = fit_linear(survey, category_effects, interaction, method)
    pairs, weights = _pairs(survey)
    own = adjusted_scores(fits.fixed_units, survey)
    shrunken = adjusted_scores(fits.random_units, survey)
    dimension_table = _dimensions(survey, pairs, own, shrunken)
    of_units = own.mean_over(weights), shrunken.mean_over(weights)
    units = pd.Index(survey.mix.index, name="unit_id")
    spread = rater_spread(fits.fixed_units, level)
    return Severity(
        _units(survey, weights, *of_units, level),
        dimension_table,
        _categories(survey, fits, level),
        raters_by_category(fits.fixed_units, survey, survey.min_cell),
        *spread,
        pd.DataFrame(of_units[0].covariance, units, units),
        survey.connection,
        fits,
        category_effects,
        level,
        survey.empty,
        {**survey.meta, "terms": fits.fixed_units.terms, "method": method},
        survey,
        of_units[0],
    )


def _pairs(survey: Survey) -> tuple[pd.DataFrame, Floats]:
    """Pairs of unit and dimension, and weights (u, n) of the mean over a unit's dimensions."""
    pairs = survey.pairs
    own = pairs["unit"].to_numpy()[None, :] == survey.mix.index.to_numpy()[:, None]
    return pairs, own / own.sum(axis=1, keepdims=True)


def _dimensions(
    survey: Survey, pairs: pd.DataFrame, own: Adjusted, shrunken: Adjusted
) -> pd.DataFrame:
    counts = survey.answers.groupby(["unit", "dimension"]).size()
    index = pd.MultiIndex.from_frame(pairs, names=["unit_id", "dimension"])
    raw = survey.raw.stack()
    return pd.DataFrame(
        {"answers": counts.reindex(pd.MultiIndex.from_frame(pairs)).to_numpy(),
         "raw": raw.reindex(pd.MultiIndex.from_frame(pairs)).to_numpy(),
         "adjusted": own.scores, "standard_error": own.errors,
         "shrunken": shrunken.scores, "shrunken_error": shrunken.errors},
        index=index,
    )  # fmt: skip


def _units(
    survey: Survey, weights: Floats, own: Adjusted, shrunken: Adjusted, level: float
) -> pd.DataFrame:
    half = own.half_widths(level)
    units = survey.mix.index
    raw = survey.raw.stack().reindex(pd.MultiIndex.from_frame(survey.pairs)).to_numpy(float)
    sets = survey.connection.rater_set()
    frame = pd.DataFrame(
        {"class": "" if survey.classes is None else survey.classes.loc[units].to_numpy(),
         "answers": survey.answers.groupby("unit").size().reindex(units).to_numpy(),
         "raw": weights @ raw, "adjusted": own.scores, "standard_error": own.errors,
         "df": own.degrees, "lower": own.scores - half, "upper": own.scores + half,
         "shrunken": shrunken.scores, "shrunken_error": shrunken.errors},
        index=pd.Index(units, name="unit_id"),
    )  # fmt: skip
    for name in ("raw", "adjusted", "shrunken"):
        ranks = frame.groupby("class")[name].rank(ascending=False, method="min")
        frame[f"rank_{name}"] = ranks.fillna(0).astype(int)
    frame["rater_set"] = [sets[u] for u in units]
    return frame


def _categories(survey: Survey, fits: LinearFits, level: float) -> pd.DataFrame:
    found = category_severities(fits.fixed_units, survey)
    half = found.half_widths(level)
    answers = survey.answers.groupby("category")
    order = list(survey.mix.columns)
    frame = pd.DataFrame(
        {"raters": answers["rater"].nunique().loc[order].to_numpy(),
         "answers": answers.size().loc[order].to_numpy(),
         "severity": found.scores, "standard_error": found.errors, "df": found.degrees,
         "lower": found.scores - half, "upper": found.scores + half}
    )  # fmt: skip
    few = (frame["raters"] < survey.min_cell).to_numpy(copy=True)
    if few.sum() == 1 and len(few) > 1:  # alone it would follow from the others' sum
        few[int(np.argmin(np.where(few, np.inf, frame["raters"])))] = True
    values = ["severity", "standard_error", "df", "lower", "upper"]
    frame.loc[few, values] = np.nan
    shown = suppress(frame, survey.min_cell, counts=("raters", "answers"), values=(), parts=None)
    index = pd.Index(order, name="category")
    return shown.assign(suppressed=few).set_axis(index, axis=0)
