"""Agreement corrected for chance by weights between categories: Gwet's AC1, AC2; Fleiss' kappa."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.reduction.given import Reduced
from perfmethod.reliability._draws import Interval, check_level
from perfmethod.reliability._resampling import check_over, resampled
from perfmethod.reliability._weights import WEIGHTS, category_weights
from perfmethod.reliability.counted import counted
from perfmethod.reliability.ratings import Ratings, Single, refuse
from perfmethod.reliability.result import Coefficient

__all__ = ["WEIGHTS", "category_weights", "fleiss_kappa", "gwet_ac"]

Floats = NDArray[np.float64]

_LEFT = 1e-12  # beyond chance: less is none, up to rounding


def gwet_ac(
    ratings: ArrayLike | Ratings | Reduced,
    weights: str | ArrayLike = "identity",
    *,
    categories: Sequence[float] | None = None,
    item: str | None = None,
    over: str = "raters",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Gwet's AC1 (identity weights) or AC2 (any other).

    With weights :math:`w_{kl}`, observed agreement :math:`p_a` the mean over units with two or more
    ratings of the mean weight of their pairs, and :math:`\pi_k` the mean over all rated units of
    the share of category k,

    .. math::

        AC = \frac{p_a - p_e}{1 - p_e}, \qquad
        p_e = \frac{\sum_{kl} w_{kl}}{q (q - 1)} \sum_k \pi_k (1 - \pi_k).

    Parameters
    ----------
    ratings : array_like (n, r), Ratings or Reduction
        n units by r raters, NaN where missing.
    weights : str or array_like (q, q)
        "identity", "quadratic", "linear", "ordinal" (Gwet's, not Krippendorff's metric),
        "radical", "ratio", or a table.
    categories : sequence of float (q,), optional
        All categories of the scale. The coefficient depends on their number, also of those that
        nobody chose; by default those that occur (`notes` says so).
    item : str, optional
        Which item of `Ratings` with several.
    over : {"raters", "units", "both"}
        "units": Gwet's analytic variance, raters fixed, with quantiles of t with n - 1 degrees of
        freedom. "raters", "both": bootstrap, see `krippendorff_alpha`.
    level, draws, seed
        As in `krippendorff_alpha`.

    Returns
    -------
    Coefficient
        `details`: "observed" and "chance" agreement, "categories".

    Raises
    ------
    DataError
        For one rater, one unit, no unit with two ratings, a single category, ratings outside the
        categories, weights of 1 for every pair of categories, or agreement that chance explains
        whole (by Fleiss' chance: the same category everywhere).
    ValueError
        For unknown weights, level or `over`.

    References
    ----------
    Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high
    agreement. British Journal of Mathematical and Statistical Psychology 61(1), 29-48.

    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability, 4th edition. Advanced Analytics,
    chapters 5 and 6 (missing ratings, AC2).

    Examples
    --------
    >>> gwet_ac([[1, 1], [2, 2], [1, 2], [1, 1]], over="units").value.__round__(4)
    0.5294
    """
    identity = isinstance(weights, str) and weights == "identity"
    kind = weights if isinstance(weights, str) else "own"
    name = "Gwet's AC1" if identity else f"Gwet's AC2 ({kind} weights)"
    return _coefficient(
        name, "gwet", counted(ratings, item), weights, categories, over, level, draws, seed
    )


def fleiss_kappa(
    ratings: ArrayLike | Ratings | Reduced,
    weights: str | ArrayLike = "identity",
    *,
    categories: Sequence[float] | None = None,
    item: str | None = None,
    over: str = "raters",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Fleiss' kappa, generalized to missing ratings and weights.

    As `gwet_ac`, with chance agreement :math:`p_e = \sum_{kl} w_{kl} \pi_k \pi_l`; with identity
    weights the number of categories plays no part.

    Parameters
    ----------
    ratings, weights, categories, item, over, level, draws, seed
        As in `gwet_ac`.

    Returns
    -------
    Coefficient

    Raises
    ------
    DataError, ValueError
        As `gwet_ac`.

    References
    ----------
    Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychological
    Bulletin 76(5), 378-382.

    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability, 4th edition. Advanced Analytics.

    Examples
    --------
    >>> fleiss_kappa([[1, 1], [2, 2], [1, 2], [1, 1]], over="units").value.__round__(4)
    0.4667
    """
    kind = weights if isinstance(weights, str) else "own"
    name = "Fleiss' kappa" + ("" if kind == "identity" else f" ({kind} weights)")
    return _coefficient(
        name, "fleiss", counted(ratings, item), weights, categories, over, level, draws, seed
    )


def _coefficient(
    name: str,
    chance: str,
    data: Single,
    weights: str | ArrayLike,
    categories: Sequence[float] | None,
    over: str,
    level: float,
    draws: int,
    seed: int | np.random.Generator,
) -> Coefficient:
    check_level(level)
    check_over(over)
    values, notes = _categories(data, categories)
    agreement = _Agreement.of(data, values, category_weights(weights, values), chance)
    once = np.ones(data.value.size), np.ones(data.n_units)
    observed, expected = agreement.both(*once)
    _check_chance(expected, agreement.weights, values[np.unique(agreement.code)])
    if over == "units":
        interval = agreement.analytic(level)
    else:

        def some(part: Single) -> float:
            return _Agreement.of(part, values, agreement.weights, chance).coefficient(*once)

        interval = resampled(data, agreement.coefficient, over, level, draws, seed, some)
    return Coefficient(
        name=name,
        value=(observed - expected) / (1 - expected),
        low=interval.low,
        high=interval.high,
        standard_error=interval.standard_error,
        method=interval.method,
        level=level,
        n=data.n_units,
        k=data.n_raters,
        notes=(*notes, *interval.notes),
        details={"observed": observed, "chance": expected, "categories": tuple(values.tolist())},
    )


def _check_chance(expected: float, weights: Floats, found: Floats) -> None:
    """Refuse ratings whose agreement tells nothing beyond chance."""
    if weights.min() == 1:
        refuse("1 for every pair of categories", "a pair that does not agree", what="weights")
    if expected > 1 - _LEFT:
        shown = ", ".join(f"{v:g}" for v in found[:5])
        refuse(
            f"no categories but {shown}, which agree wholly: chance explains everything",
            "ratings of which some could disagree",
        )


def _categories(data: Single, given: Sequence[float] | None) -> tuple[Floats, tuple[str, ...]]:
    found = np.unique(data.value)
    if data.ratings.max() < 2:
        refuse("no unit with two ratings", "units rated by at least two raters")
    values = found if given is None else np.unique(np.asarray(given, float))
    outside = np.setdiff1d(found, values)
    if outside.size:
        shown = ", ".join(f"{v:g}" for v in outside[:5])
        refuse(f"ratings {shown}", f"the categories {', '.join(f'{v:g}' for v in values)}")
    if values.size < 2:
        refuse(
            f"the single category {values[0]:g}",
            "at least two: name the categories of the scale where only one occurs",
        )
    if given is None:
        return values, (f"{values.size} categories, those that occur",)
    empty = np.setdiff1d(values, found)
    shown = ", ".join(f"{v:g}" for v in empty)
    return values, ((f"nobody chose {shown}",) if empty.size else ())


@dataclass(frozen=True, eq=False, repr=False)
class _Agreement:
    """Observed and chance agreement as functions of the weights of raters and units."""

    unit: NDArray[np.intp]
    code: NDArray[np.intp]
    shape: tuple[int, int]  # units, categories
    weights: Floats  # (q, q)
    chance: str
    times: Floats | float = 1.0

    @classmethod
    def of(cls, data: Single, values: Floats, weights: Floats, chance: str) -> _Agreement:
        code = np.searchsorted(values, data.value)
        times = 1.0 if data.times is None else data.times.astype(float)
        return cls(data.unit, code, (data.n_units, values.size), weights, chance, times)

    def coefficient(self, m: Floats, g: Floats) -> float:
        """Return the coefficient, NaN where chance explains everything."""
        observed, expected = self.both(m, g)
        return (observed - expected) / (1 - expected) if expected <= 1 - _LEFT else np.nan

    def both(self, m: Floats, g: Floats) -> tuple[float, float]:
        """Observed and chance agreement; m weighs ratings (b,), g units (u,)."""
        agreement, pairs, share, rated = self._units(m)
        paired = g * (pairs > 0)
        if not paired.sum():
            return np.nan, np.nan
        pi = (g * rated) @ share / (g @ rated)
        return float(paired @ agreement / paired.sum()), float(pi @ self._against(pi))

    def _units(self, m: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Agreement (u,) of the pairs of each unit, pairs (u,), shares (u, q), rated (u,)."""
        u, q = self.shape
        place = self.unit * q + self.code
        count = np.bincount(place, m * self.times, u * q).reshape(u, q)
        # a rater agrees with itself by weight 1: those are no pairs
        own = np.bincount(self.unit, m * m * self.times, u)
        total = count.sum(axis=1)
        pairs = total**2 - own
        alike = ((count @ self.weights) * count).sum(axis=1) - own
        agreement = np.divide(alike, pairs, out=np.zeros(u), where=pairs > 0)
        share = np.divide(count, total[:, None], out=np.zeros((u, q)), where=total[:, None] > 0)
        return agreement, pairs, share, (total > 0).astype(float)

    def _against(self, pi: Floats) -> Floats:
        """Vector (q,) whose product with shares is a unit's chance agreement, with pi the mean."""
        if self.chance == "fleiss":
            return self.weights @ pi
        q = pi.size
        return self.weights.sum() / (q * (q - 1)) * (1 - pi)

    def analytic(self, level: float) -> Interval:
        """Gwet's variance, linearized: units are drawn, raters are fixed."""
        from scipy import special

        agreement, pairs, share, _ = self._units(np.ones(self.unit.size))
        n, two = pairs.size, pairs > 0
        pi = share.mean(axis=0)
        against = self._against(pi)
        chance = float(pi @ against)
        value = (agreement[two].mean() - chance) / (1 - chance)
        own = n / two.sum() * np.where(two, agreement - chance, 0.0) / (1 - chance)
        own = own - 2 * (1 - value) * (share @ against - chance) / (1 - chance)
        error = float(np.sqrt(((own - value) ** 2).sum() / (n * (n - 1))))
        reach = float(special.stdtrit(n - 1, (1 + level) / 2)) * error
        method = f"Gwet's variance over {n} units, raters fixed, t with {n - 1} degrees of freedom"
        return Interval(max(-1.0, value - reach), min(1.0, value + reach), error, method)
