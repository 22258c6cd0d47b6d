"""Agreement beyond chance on one item: Krippendorff's alpha, and Kendall's W for full tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reduction.given import Reduced
from perfmethod.reliability._disagreement import Disagreement
from perfmethod.reliability._draws import Interval
from perfmethod.reliability._resampling import Kernel, check_over, resampled
from perfmethod.reliability.counted import counted
from perfmethod.reliability.ratings import Ratings, Single, refuse, single
from perfmethod.reliability.result import Coefficient

__all__ = ["METRICS", "kendalls_w", "krippendorff_alpha"]

Floats = NDArray[np.float64]

METRICS = ("nominal", "ordinal", "interval", "ratio")


def krippendorff_alpha(
    ratings: ArrayLike | Ratings | Reduced,
    metric: str = "interval",
    *,
    item: str | None = None,
    over: str = "raters",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Krippendorff's alpha: one minus observed over expected disagreement.

    With :math:`m_u` ratings of unit u (units with a single one are left out), :math:`n` ratings in
    all and the distance :math:`\delta^2`,

    .. math::

        \alpha = 1 - \frac{D_o}{D_e}, \qquad
        D_o = \frac1n \sum_u \frac{1}{m_u - 1} \sum_{i \ne j \in u} \delta^2_{ij}, \qquad
        D_e = \frac{1}{n (n - 1)} \sum_{i \ne j} \delta^2_{ij}.

    Parameters
    ----------
    ratings : array_like (n, r), Ratings or Reduction
        n units by r raters, NaN where missing.
    metric : {"nominal", "ordinal", "interval", "ratio"}
        Distance: 0 or 1; squared difference of midranks among all ratings; squared difference;
        squared difference over the sum (values must not be negative). "ordinal" is Krippendorff's:
        Gwet's ordinal weights are another metric under the same name.
    item : str, optional
        Which item of `Ratings` with several.
    over : {"raters", "units", "both"}
        What the interval takes as drawn at random. Raters as clusters (within their categories)
        where units are all there are; units where raters are fixed; both where each is a sample
        (independent draws of the two: on the safe side).
    level : float
        Confidence level.
    draws : int
        Bootstrap replicates; 0 for no interval. Of a reduction, raters are not drawn but left out,
        by their random groups (delete-a-group jackknife).
    seed : int or Generator

    Returns
    -------
    Coefficient
        `details`: "observed" and "expected" disagreement, "ratings" (pairable ones), "left_out"
        (ratings on units with a single one).

    Raises
    ------
    DataError
        For one rater, one unit, no unit with two ratings, all ratings equal (agreement cannot be
        told from chance), or negative values with the ratio metric.
    ValueError
        For an unknown metric, level or `over`.

    Notes
    -----
    Time is linear in the ratings, also for values that are all different, except for the ratio
    metric, which is quadratic in the number of distinct values. In a bootstrap replicate a rater
    may be drawn twice; its copies are not compared with each other, which would inflate agreement.

    References
    ----------
    Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. Annenberg School for
    Communication, University of Pennsylvania.

    Owen, A. B. (2007). The pigeonhole bootstrap. Annals of Applied Statistics 1(2), 386-411 (for
    ``over="both"``).

    Examples
    --------
    >>> krippendorff_alpha([[1, 1], [2, 2], [3, 4], [4, 4]], "nominal", draws=0).value.__round__(4)
    0.6957
    """
    if metric not in METRICS:
        raise ValueError(f"found metric {metric!r}; allowed: {suggest(str(metric), METRICS)}")
    check_over(over)
    data = counted(ratings, item)
    pairs = Disagreement.of(data, metric)
    observed, expected = pairs.both(np.ones(data.value.size), np.ones(data.n_units))
    interval = resampled(data, pairs.alpha, over, level, draws, seed, _alpha(metric))
    size = data.ratings
    lost = int(size[size < 2].sum())
    notes = (f"{lost} ratings on units with a single one are left out",) if lost else ()
    return Coefficient(
        name=f"Krippendorff's alpha ({metric})",
        value=1 - observed / expected,
        **_fields(interval, level, notes),
        n=int(np.count_nonzero(size >= 2)),
        k=data.n_raters,
        details={
            "observed": observed,
            "expected": expected,
            "ratings": int(size.sum()) - lost,
            "left_out": lost,
        },
    )


def _alpha(metric: str) -> Callable[[Single], float]:
    """Alpha of some of the ratings."""

    def alpha(data: Single) -> float:
        once = np.ones(data.value.size), np.ones(data.n_units)
        return Disagreement.of(data, metric).alpha(*once)

    return alpha


def _fields(interval: Interval, level: float, notes: tuple[str, ...] = ()) -> dict:
    """Fields of a `Coefficient` that come from its interval."""
    return {
        "low": interval.low,
        "high": interval.high,
        "standard_error": interval.standard_error,
        "method": interval.method,
        "level": level,
        "notes": (*notes, *interval.notes),
    }


def kendalls_w(
    ratings: ArrayLike,
    *,
    over: str = "raters",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Kendall's coefficient of concordance, corrected for ties, with an interval.

    The value is `perfmethod.weighting.concordance`'s. Written with the mean covariance
    :math:`\bar c` of the ranks of two different raters and their mean variance :math:`\bar v`,
    :math:`W = (1 + (m - 1) \bar c / \bar v) / m` for m raters: the interval draws raters, compares
    different ones only, and puts :math:`\bar c / \bar v` of the replicate into this formula.

    Parameters
    ----------
    ratings : array_like (n, m)
        n units by m raters, none missing; only the order inside a column counts.
    over : {"raters", "units"}
        What is drawn at random. Units drawn twice tie.
    level, draws, seed
        As in `krippendorff_alpha`.

    Returns
    -------
    Coefficient
        `details`: "chi_square", "degrees_of_freedom", "p_value" (of no agreement at all),
        "mean_correlation" (:math:`\bar c / \bar v`, the mean Spearman correlation if none ties).

    Raises
    ------
    DataError
        For missing values, fewer than two raters or units, or raters who tell no unit apart.

    References
    ----------
    Kendall, M. G. and Babington Smith, B. (1939). The problem of m rankings. Annals of
    Mathematical Statistics 10(3), 275-287.

    Examples
    --------
    >>> kendalls_w([[1, 2, 1], [2, 1, 2], [3, 3, 3]], draws=0).value.__round__(4)
    0.7778
    """
    from perfmethod.weighting import concordance

    check_over(over, ("raters", "units"))
    data = single(ratings)
    if data.value.size != len(data.units) * data.n_raters:
        missing = len(data.units) * data.n_raters - data.value.size
        refuse(f"{missing} missing ratings", "every rater rates every unit")
    table = np.empty((data.n_units, data.n_raters))
    table[data.unit, data.rater] = data.value
    found = concordance(table.T)
    if found is None:
        refuse("raters who rate all units alike", "at least one who tells units apart")
    interval = resampled(data, _concordance_kernel(table, data, over), over, level, draws, seed)
    m = found.experts
    return Coefficient(
        name="Kendall's W (corrected for ties)",
        value=found.w,
        **_fields(interval, level),
        n=found.criteria,
        k=m,
        details={
            "chi_square": found.chi_square,
            "degrees_of_freedom": found.degrees_of_freedom,
            "p_value": found.p_value,
            "mean_correlation": (m * found.w - 1) / (m - 1),
        },
    )


def _concordance_kernel(table: Floats, data: Single, over: str) -> Kernel:
    """W as a function of the weights of raters (n m,) and of units (n,)."""
    from scipy import stats

    n, m = table.shape

    def ranks(g: Floats) -> Floats:
        rows = np.repeat(np.arange(n), g.astype(int))
        centered = stats.rankdata(table[rows], axis=0)
        return centered - centered.mean(axis=0)

    fixed = ranks(np.ones(n))
    one = np.unique(data.rater, return_index=True)[1]  # a rating of each rater

    def kernel(weight: Floats, g: Floats) -> float:
        z = fixed if over == "raters" else ranks(g)
        w = weight[one]
        own = (z**2).sum(axis=0)
        pairs = w.sum() ** 2 - (w**2).sum()
        if pairs == 0 or w @ own == 0:
            return np.nan
        together = (((z @ w) ** 2).sum() - (w**2) @ own) / pairs
        return float((1 + (m - 1) * together / (w @ own / w.sum())) / m)

    return kernel
