"""Intraclass correlations: the six of Shrout and Fleiss, for full tables and for any pattern."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.reliability._crossed import Components, Crossed, Target
from perfmethod.reliability._draws import check_level
from perfmethod.reliability._mean_squares import MODELS, One, by_mean_squares
from perfmethod.reliability.ratings import Ratings, Single, refuse, single
from perfmethod.reliability.result import Coefficient, Coefficients

__all__ = ["fit_components", "intraclass_correlations", "spearman_brown"]

Floats = NDArray[np.float64]

#: Shrout and Fleiss (1979) with the names of McGraw and Wong (1996).
_NAMES = {1: ("ICC(1", "ICC("), 2: ("ICC(2", "ICC(A,"), 3: ("ICC(3", "ICC(C,")}
_TARGETS = {1: Target(0.0, 1.0), 2: Target(1.0, 1.0), 3: Target(0.0, 1.0)}


def spearman_brown(reliability: float, k: float) -> float:
    """Reliability of the mean of k ratings from that of one: ``k r / (1 + (k - 1) r)``.

    Parameters
    ----------
    reliability : float
        Of one rating.
    k : float

    Returns
    -------
    float
        Minus infinity at the pole ``-1 / (k - 1)``, which a one-way ICC takes where all units have
        the same mean.

    References
    ----------
    Spearman, C. (1910). Correlation calculated from faulty data. British Journal of Psychology
    3(3), 271-295.

    Examples
    --------
    >>> spearman_brown(0.5, 2).__round__(4)
    0.6667
    """
    below = 1 + (k - 1) * reliability
    return k * reliability / below if below > 0 else -np.inf


def intraclass_correlations(
    ratings: ArrayLike | Ratings,
    *,
    models: Sequence[int] = MODELS,
    item: str | None = None,
    k: float | None = None,
    estimator: str = "auto",
    level: float = 0.95,
) -> Coefficients:
    r"""Intraclass correlations of one rating, ICC(.,1), and of the mean of k, ICC(.,k).

    Model 1: every rating by another rater. Model 2: raters are drawn at random, and units are
    compared with their severity in (absolute agreement). Model 3: the same raters rate all units,
    severity drops out (consistency). With components :math:`\sigma_u^2` of units,
    :math:`\sigma_r^2` of raters and :math:`\sigma_e^2` of the rest,

    .. math::

        ICC(2,k) = \frac{\sigma_u^2}{\sigma_u^2 + (\sigma_r^2 + \sigma_e^2) / k}, \qquad
        ICC(3,k) = \frac{\sigma_u^2}{\sigma_u^2 + \sigma_e^2 / k},

    and ICC(1,k) is as the second, without raters in the model.

    Parameters
    ----------
    ratings : array_like (n, r) or Ratings
        n units by r raters, NaN where missing.
    models : sequence of {1, 2, 3}
        Models 2 and 3 need raters who rate several units.
    item : str, optional
        Which item of `Ratings` with several.
    k : float, optional
        Ratings in a mean; by default r, and with missing cells the harmonic mean of the ratings
        per unit.
    estimator : {"auto", "anova", "reml"}
        "auto": mean squares for a full table, restricted maximum likelihood otherwise.
    level : float

    Returns
    -------
    Coefficients
        Six, named as by Shrout and Fleiss, with the name of McGraw and Wong after it; look them up
        by the beginning, ``result["ICC(2,1)"]``. `details`: "unit", "rater", "residual" (variance
        components; of mean squares they may be negative), "estimator", with REML also "criterion",
        "gradient" and "boundary".

    Raises
    ------
    DataError
        For one rater, one unit, all ratings equal, raters of one unit each (models 2 and 3), or
        fewer ratings than components.
    ValueError
        For an unknown model or estimator, or mean squares of a table with gaps.

    Notes
    -----
    Intervals: F distribution for mean squares (for model 2 with Satterthwaite's degrees of
    freedom, taken at 0 where the estimate is negative); for REML the profile of the restricted
    likelihood, in which raters are random effects of their own, so that ratings of one rater are
    not taken as independent. In model 1 they are: it has no raters. An ICC by mean squares may be
    negative, one by REML may not (a note says where a component is at its boundary 0). Perfect
    agreement gives 1 with the interval 1 to 1.

    On full tables both estimators agree where no component is at zero.

    Both intervals of ICC(2,1) are approximate. Of 2,000 normal tables each (6 by 4, and 30 by 25,
    true values .13 to .48) that of mean squares held the truth in 95.0 to 95.4 %; the generalized
    interval of Tian and Cappelleri (2004), tried beside it, in 95.4 to 95.8 %, being wider, and is
    not offered. The profile rests on the chi-square limit of the likelihood ratio: with 30 units,
    25 raters and two cells in five missing it held the truth in 94.1 % of 1,500 tables.

    References
    ----------
    Shrout, P. E. and Fleiss, J. L. (1979). Intraclass correlations: uses in assessing rater
    reliability. Psychological Bulletin 86(2), 420-428.

    McGraw, K. O. and Wong, S. P. (1996). Forming inferences about some intraclass correlation
    coefficients. Psychological Methods 1(1), 30-46.

    Tian, L. and Cappelleri, J. C. (2004). A new approach for interval estimation and hypothesis
    testing of a certain intraclass correlation coefficient: the generalized variable method.
    Statistics in Medicine 23(13), 2125-2135.

    Patterson, H. D. and Thompson, R. (1971). Recovery of inter-block information when block sizes
    are unequal. Biometrika 58(3), 545-554 (REML).

    Examples
    --------
    >>> found = intraclass_correlations([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...                                  [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> [round(c.value, 2) for c in found]
    [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    >>> found["ICC(2,1)"].name
    'ICC(2,1), ICC(A,1)'
    """
    check_level(level)
    wanted = _checked(models)
    data = single(ratings, item)
    full = data.value.size == data.n_units * data.n_raters
    if estimator not in ("auto", "anova", "reml") or (estimator == "anova" and not full):
        allowed = "'auto', 'reml'" + (" or, for a full table only, 'anova'" if not full else "")
        allowed = allowed if not full else "'auto', 'anova' or 'reml'"
        raise ValueError(f"found estimator={estimator!r}; allowed: {allowed}")
    if data.value.min() == data.value.max():
        refuse(f"all {data.value.size} ratings equal to {data.value[0]:g}",
               "at least two different values: units cannot be told apart")  # fmt: skip
    if data.value.size == data.n_units:
        refuse("one rating of every unit", "units with several ratings")
    per_unit = np.bincount(data.unit)
    mean_k = float(1 / np.mean(1 / per_unit)) if k is None else float(k)
    if not mean_k > 0:
        raise ValueError(f"found k={k!r}; allowed: a positive number")
    notes = () if full or k is not None else (
        f"k is the harmonic mean of {per_unit.min()} to {per_unit.max()} ratings per unit",
    )  # fmt: skip
    if estimator == "anova" or (estimator == "auto" and full):
        found = by_mean_squares(data, level)
    else:
        found = _by_reml(data, wanted, level)
    return Coefficients(tuple(_named(found, wanted, data, mean_k, level, notes)))


def _checked(models: Sequence[int]) -> tuple[int, ...]:
    wanted = tuple(models)
    if not wanted or set(wanted) - set(MODELS):
        raise ValueError(f"found models={models!r}; allowed: some of 1, 2, 3")
    return tuple(m for m in MODELS if m in wanted)


def _named(
    found: dict[int, One], wanted: tuple[int, ...], data: Single, k: float, level: float,
    notes: tuple[str, ...],
) -> list[Coefficient]:  # fmt: skip
    def made(model: int, size: float, word: str) -> Coefficient:
        one, (theirs, other) = found[model], _NAMES[model]
        value, low, high = (spearman_brown(v, size) for v in one[:3])
        return Coefficient(
            name=f"{theirs},{word}), {other}{word})",
            value=value,
            low=low,
            high=high,
            method=one.method,
            level=level,
            n=data.n_units,
            k=size,
            notes=(*notes, *one.notes),
            details=one.details,
        )

    return [made(m, 1.0, "1") for m in wanted] + [made(m, k, "k") for m in wanted]


def fit_components(data: Single, one_way: bool = False) -> tuple[Crossed, Components]:
    """REML components of ratings on one item, after checks that they can be told apart.

    Parameters
    ----------
    data : Single
        Ratings.
    one_way : bool
        Without raters in the model.

    Raises
    ------
    DataError
        If they cannot.
    """
    n = data.value.size
    if n <= data.n_units:
        refuse("one rating of every unit", "units with several ratings")
    if not one_way:
        several = np.bincount(data.rater).max() > 1
        if not several or n <= min(data.n_units, data.n_raters) + 1:
            refuse(
                "raters of one unit each" if not several else f"{n} ratings",
                "raters who rate several units, to tell severity from error; or models=(1,)",
            )
        if _additive(data):
            refuse(
                "ratings without any rest: each is a unit's level plus its rater's severity",
                "some disagreement to estimate the residual variance from; or models=(1,)",
            )
    reduced = Crossed.of(data.unit, None if one_way else data.rater, data.value)
    return reduced, reduced.fit()


def _additive(data: Single) -> bool:
    """Whether unit plus rater effects explain all ratings (as they always do with too few)."""
    y = data.value - data.value.mean()
    unit, rater = np.zeros(data.n_units), np.zeros(data.n_raters)
    counts = np.bincount(data.unit), np.bincount(data.rater)
    scale, old = float(y @ y), np.inf
    for _ in range(200):
        unit = np.bincount(data.unit, y - rater[data.rater], data.n_units) / counts[0]
        rater = np.bincount(data.rater, y - unit[data.unit], data.n_raters) / counts[1]
        left = y - unit[data.unit] - rater[data.rater]
        rest = float(left @ left)
        if rest < 1e-20 * scale or (rest > 0.9 * old and rest > 1e-6 * scale):
            break
        old = rest
    return rest < 1e-16 * scale


def _by_reml(data: Single, wanted: tuple[int, ...], level: float) -> dict[int, One]:
    mean = np.bincount(data.unit, data.value) / np.bincount(data.unit)
    away = data.value - mean[data.unit]
    if float(away @ away) <= 1e-26 * float(data.value @ data.value):
        details = {"estimator": "REML", "unit": float(mean.var(ddof=1)), "rater": 0.0,
                   "residual": 0.0}  # fmt: skip
        perfect = One(1.0, 1.0, 1.0, "exact: all raters agree", ("perfect agreement",), details)
        return dict.fromkeys(wanted, perfect)
    found = {}
    if 1 in wanted:
        found[1] = _profiled(1, *fit_components(data, one_way=True), level)
    if set(wanted) & {2, 3}:
        fitted = fit_components(data)
        found |= {m: _profiled(m, *fitted, level) for m in wanted if m > 1}
    return found


def _profiled(model: int, reduced: Crossed, fit: Components, level: float) -> One:
    target = _TARGETS[model]
    value = target.of(fit.unit / fit.residual, fit.rater / fit.residual)
    ends = reduced.interval(fit, target, level)
    notes = [f"the component of {name} is 0, at its boundary" for name in fit.boundary]
    if fit.gradient > 1e-4:
        notes.append(f"the fit stopped at a gradient of {fit.gradient:.1e}")
    details = {"estimator": "REML", **fit._asdict()}
    return One(value, *ends, "profile of the restricted likelihood", tuple(notes), details)
