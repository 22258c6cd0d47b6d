"""From ballots to a review."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.survey.codes import BallotCodes, checked_labels
from perfmethod.survey.combine import effective_weights, scores
from perfmethod.survey.moments import Moments, cell_moments
from perfmethod.survey.raters import (
    RaterSums,
    lone_cells,
    populations_array,
    rater_codes,
    rater_sums,
)
from perfmethod.survey.result import Review
from perfmethod.survey.tables import Counts, count

__all__ = ["METHODS", "check_method", "review", "review_of_counts"]

METHODS = ("raters", "ballots")

Floats = NDArray[np.float64]


def review(
    ballots: pd.DataFrame,
    *,
    units: Sequence[str],
    dimensions: Sequence[str],
    categories: Sequence[str],
    modes: Sequence[str],
    options: Sequence[int | str],
    option_scores: ArrayLike,
    category_weights: ArrayLike,
    mode_weights: ArrayLike | None = None,
    combine_modes: str = "ballots",
    method: str = "raters",
    populations: Mapping[str, float] | None = None,
    min_cell: int = 10,
    file: str = "ballots.csv",
) -> Review:
    r"""Score the units of a survey, with standard errors.

    Scores are those of `scores` on the counts of `tabulate`. Two estimators of their variance:

    ``"raters"`` (default)
        Taylor linearization; clusters are raters, strata are categories. Right when a rater
        rates several units or dimensions, or has several ballots. See `Review.covariance`.
    ``"ballots"``
        Ballots are independent draws within each unit, category (and mode, where mode means are
        weighted): the variance of a score is :math:`\sum_c W_c^2 s_c^2 / n_c` with the
        sample variance :math:`s_c^2` of the valid answers. Needs no rater_id and only counts; has
        no covariances.

    Where no rater has two ballots on the same unit in a category, and modes are pooled, the
    category's part of a variance by raters times :math:`(n_c - 1)/n_c` equals its part by ballots
    times :math:`(n_{udc} - 1)/n_{udc}`, where :math:`n_c` counts the category's raters and
    :math:`n_{udc}` the valid answers of the cell. So the two agree closely on single scores; what
    ``"ballots"`` loses is that scores of different units and dimensions are correlated.

    Parameters
    ----------
    ballots : pandas.DataFrame
        As in `tabulate`, with a column ``rater_id`` for ``method="raters"``. An identifier needs to
        be unique within a category only: the same identifier in two categories is two raters.
    units, dimensions, categories, modes, options
        Labels, as in `tabulate`.
    option_scores : array_like, shape (o,)
        0-100; NaN where the option is not a valid answer.
    category_weights : array_like, shape (u, c) or (1, c)
        Relative weights.
    mode_weights : array_like, shape (m,), optional
        Relative weights, for ``combine_modes="weights"``; default equal.
    combine_modes : {"ballots", "weights"}
        As in `scores`.
    method : {"raters", "ballots"}
        Estimator of the variance.
    populations : mapping of str to float, optional
        Number of raters in the population of a category, for the finite population correction
        (``method="raters"``). Categories that are not named have none.
    min_cell : int
        Smallest cell that the tables of the result show.
    file : str
        Name of the table in messages.

    Returns
    -------
    Review

    Raises
    ------
    DataError
        As in `tabulate`; no rater_id; empty rater_id.
    PerfmethodError
        As in `scores`; unknown `method`; a population smaller than the sample; `populations` with
        ``method="ballots"``.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
    surveys. *International Statistical Review* 51, 279-292.

    Lumley, T. (2004). Analysis of complex survey samples. *Journal of Statistical Software* 9(8).

    Cochran, W. G. (1977). *Sampling Techniques*, 3rd ed. Wiley, section 5.4 (stratified means).

    Examples
    --------
    >>> ballots = pd.DataFrame(
    ...     {"rater_id": ["a", "a", "b", "b"], "unit_id": ["D01", "D02", "D01", "D02"],
    ...      "category": "R01", "mode": "online", "duty": [1, 2, 2, 3]}
    ... )
    >>> result = review(
    ...     ballots, units=["D01", "D02"], dimensions=["duty"], categories=["R01"],
    ...     modes=["online"], options=[1, 2, 3, 9], option_scores=[100, 75, 55, np.nan],
    ...     category_weights=[[1.0]],
    ... )
    >>> result.to_frame()
      unit_id dimension  score  standard_error
    0     D01      duty   87.5            12.5
    1     D02      duty   65.0            10.0
    >>> result.covariance().to_numpy()  # rater a is milder on both units
    array([[156.25, 125.  ],
           [125.  , 100.  ]])
    """
    check_method(method, populations)
    labels = checked_labels(units, dimensions, categories, modes, options)
    codes = BallotCodes.read(ballots, labels, file)
    counts = count(codes, labels)

    def influences(
        influence: Floats, valid: NDArray[np.bool_], pairs: NDArray[np.intp], population: Floats
    ) -> RaterSums:
        rater = rater_codes(ballots, file)
        alone = lone_cells(codes, rater, valid, influence.shape[:4], combine_modes == "ballots")
        found = rater_sums(codes, rater, influence, valid, pairs, population)
        return replace(found, alone=alone)

    return review_of_counts(
        counts,
        influences if method == "raters" else None,
        len(ballots),
        (option_scores, category_weights, mode_weights),
        combine_modes=combine_modes,
        populations=populations,
        min_cell=min_cell,
    )


def review_of_counts(
    counts: Counts,
    influences: Callable[[Floats, NDArray[np.bool_], NDArray[np.intp], Floats], RaterSums] | None,
    ballots: int,
    weighting: tuple[ArrayLike, ArrayLike, ArrayLike | None],
    *,
    combine_modes: str,
    populations: Mapping[str, float] | None,
    min_cell: int,
) -> Review:
    """Make a review of exact counts.

    Parameters
    ----------
    counts : Counts
    influences : callable or None
        Sums over raters, from the influence (u, d, c, m, o) of an answer, valid options (o,),
        scores wanted (p,) and populations (c,); None for ``method="ballots"``.
    ballots : int
    weighting : tuple
        Option scores, category weights and mode weights, as in `review`.
    combine_modes, populations, min_cell
        As in `review`.
    """
    values = scores(counts, *weighting, combine_modes=combine_modes)
    weights = effective_weights(counts, *weighting, combine_modes=combine_modes)
    by_mode = _mode_weights(counts, weighting[2], combine_modes)
    moments = cell_moments(counts.array, weighting[0], by_mode)
    raters = None
    if influences is not None:
        population = populations_array(populations, counts.categories)
        pairs = np.flatnonzero(~np.isnan(values))
        influence = moments.influence(len(counts.modes))
        raters = influences(influence, moments.valid, pairs, population)
    return Review(
        scores=_frame(values, counts),
        standard_errors=_frame(_standard_errors(values, weights, moments, raters), counts),
        counts=counts,
        weights=_read_only(weights),
        method="ballots" if raters is None else "raters",
        ballots=ballots,
        lonely=_lonely(raters, counts.categories),
        min_cell=min_cell,
        option_scores=_read_only(np.array(weighting[0], dtype=float)),
        mode_weights=None if by_mode is None else _read_only(by_mode),
        _raters=raters,
    )


def check_method(method: str, populations: Mapping[str, float] | None) -> None:
    """Refuse an unknown estimator, and populations where raters are not what is drawn."""
    if method not in METHODS:
        allowed = suggest(str(method), METHODS)
        raise PerfmethodError(f"method: found {method!r}; allowed: {allowed}")
    if method == "ballots" and populations:
        raise PerfmethodError("populations: found with method='ballots'; allowed: with 'raters'")


def _mode_weights(
    counts: Counts, mode_weights: ArrayLike | None, combine_modes: str
) -> Floats | None:
    """Mode weights where they are used."""
    if combine_modes == "ballots":
        return None
    n_modes = len(counts.modes)
    return np.ones(n_modes) if mode_weights is None else np.array(mode_weights, dtype=float)


def _standard_errors(
    values: Floats, weights: Floats, moments: Moments, raters: RaterSums | None
) -> Floats:
    """Standard errors (u, d), NaN where there is no score."""
    squared = weights.sum(axis=-1) ** 2  # (u, d, c)
    scored = ~np.isnan(values)
    variance = np.full(values.shape, np.nan)
    if raters is None:
        variance[scored] = (squared * moments.category_variances()).sum(axis=-1)[scored]
    else:
        variance[scored] = (squared[scored] * raters.variances.T).sum(axis=-1)
    return np.sqrt(variance)


def _lonely(raters: RaterSums | None, categories: tuple[str, ...]) -> tuple[str, ...]:
    if raters is None:
        return ()
    return tuple(name for name, n in zip(categories, raters.per_category, strict=True) if n == 1)


def _frame(values: Floats, counts: Counts) -> pd.DataFrame:
    return pd.DataFrame(
        values,
        index=pd.Index(counts.units, name="unit_id"),
        columns=pd.Index(counts.dimensions, name="dimension"),
    )


def _read_only(array: Floats) -> Floats:
    array.setflags(write=False)
    return array
