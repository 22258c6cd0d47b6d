"""Reliability of units' means when units have different numbers of raters, some of them shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.reliability._crossed import Components, Crossed, Target
from perfmethod.reliability._draws import check_level
from perfmethod.reliability.icc import fit_components
from perfmethod.reliability.ratings import Ratings, Single, refuse, single
from perfmethod.reliability.result import Coefficient, Coefficients

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["MeansReliability", "reliability_of_means", "shared_multiplier"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class MeansReliability:
    """How reliable the mean of each unit is, and the means together.

    Parameters
    ----------
    coefficients : Coefficients
        "Phi(k)": absolute, how well a mean stands for the unit's level on the scale. "G(q,k)":
        relative, how well differences of means stand for differences of units; raters shared by two
        units cancel from their difference.
    table : DataFrame
        Index unit; ratings, mean, standard_error (of the mean as a statement of the unit's level),
        reliability (absolute, of this unit's mean), low, high.
    """

    coefficients: Coefficients
    table: pd.DataFrame

    def __repr__(self) -> str:
        shown = ", ".join(f"{c.name} {c.value:.4f}" for c in self.coefficients)
        return f"<MeansReliability: {len(self.table)} units, {shown}>"

    def to_frame(self) -> pd.DataFrame:
        """`table`."""
        return self.table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the units' means with one and two standard errors, the highest on top.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure by default.
        """
        from perfmethod.plots import PALETTE, style

        rows = self.table.sort_values("mean", kind="stable")
        with style():
            if ax is None:
                from matplotlib import pyplot as plt

                ax = plt.subplots(figsize=(7.2, 1 + 0.22 * len(rows)))[1]
            height, mean, error = np.arange(len(rows)), rows["mean"], rows["standard_error"]
            ax.hlines(height, mean - 2 * error, mean + 2 * error, color=PALETTE["grey"], lw=1.5)
            ax.hlines(height, mean - error, mean + error, color=PALETTE["blue"], lw=3)
            ax.plot(mean, height, "o", ms=4, color=PALETTE["ink"])
            ax.set_yticks(height, [str(unit) for unit in rows.index])
        return ax


def shared_multiplier(unit: ArrayLike, rater: ArrayLike) -> float:
    r"""The multiplier q of rater variance in the error of differences between units.

    .. math::

        q = \frac1{\hat k} - \frac{1}{n (n - 1)} \sum_{i \ne j} \frac{c_{ij}}{k_i k_j},

    with :math:`k_i` raters of unit i, :math:`\hat k` their harmonic mean, and :math:`c_{ij}` raters
    shared by i and j: 0 where all raters rate all units, :math:`1 / \hat k` where none rates two.

    Parameters
    ----------
    unit, rater : array_like of int (b,)
        Of each rating, counted from 0; one rating of a rater on a unit.

    Returns
    -------
    float

    References
    ----------
    Putka, D. J., Le, H., McCloy, R. A. and Diaz, T. (2008). Ill-structured measurement designs in
    organizational research: implications for estimating interrater reliability. Journal of Applied
    Psychology 93(5), 959-981.

    Examples
    --------
    >>> shared_multiplier([0, 0, 1, 1], [0, 1, 0, 1])
    0.0
    >>> shared_multiplier([0, 0, 1, 1], [0, 1, 2, 3])
    0.5
    """
    from scipy.sparse import csr_array

    unit, rater = np.asarray(unit, np.intp), np.asarray(rater, np.intp)
    k = np.bincount(unit).astype(float)
    shape = (k.size, int(rater.max()) + 1)
    share = csr_array((1 / k[unit], (unit, rater)), shape=shape)
    # sum over i, j of c_ij / (k_i k_j) is the squared sum of shares of each rater
    every = float((np.asarray(share.sum(axis=0)) ** 2).sum())
    own = float((1 / k).sum())
    return own / k.size - (every - own) / (k.size * (k.size - 1))


def reliability_of_means(
    ratings: ArrayLike | Ratings, *, item: str | None = None, level: float = 0.95
) -> MeansReliability:
    r"""Reliability of units' means from any pattern of raters.

    With REML components of units, raters and the rest, a unit with :math:`k_u` raters has the
    reliability :math:`\sigma_u^2 / (\sigma_u^2 + (\sigma_r^2 + \sigma_e^2) / k_u)`; all together,
    with the harmonic mean :math:`\hat k` and the multiplier q of `shared_multiplier`,

    .. math::

        \Phi(k) = \frac{\sigma_u^2}{\sigma_u^2 + (\sigma_r^2 + \sigma_e^2) / \hat k}, \qquad
        G(q,k) = \frac{\sigma_u^2}{\sigma_u^2 + q \sigma_r^2 + \sigma_e^2 / \hat k}.

    Parameters
    ----------
    ratings : array_like (n, r) or Ratings
        n units by r raters, NaN where missing.
    item : str, optional
        Which item of `Ratings` with several.
    level : float
        Of the intervals: profiles of the restricted likelihood, in which raters are random effects
        of their own.

    Returns
    -------
    MeansReliability
        `details` of the coefficients: "q", "harmonic_k", the components, "gradient", "boundary".

    Raises
    ------
    DataError
        For one rater, one unit, one rating of every unit, or ratings without any rest.

    Notes
    -----
    On a full table G(q,k) is ICC(3,k) and Phi(k) is ICC(2,k). Where no rater rates two units,
    severity and error cannot be told apart; one component holds both, and both coefficients are
    ICC(1,k).

    References
    ----------
    Putka, D. J., Le, H., McCloy, R. A. and Diaz, T. (2008). Ill-structured measurement designs in
    organizational research: implications for estimating interrater reliability. Journal of Applied
    Psychology 93(5), 959-981.

    Brennan, R. L. (2001). Generalizability Theory. Springer (absolute and relative error).

    Examples
    --------
    >>> reliability_of_means([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...                       [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    <MeansReliability: 6 units, Phi(k) 0.6201, G(q,k) 0.9093>
    """
    check_level(level)
    data = single(ratings, item)
    if data.value.min() == data.value.max():
        refuse(f"all {data.value.size} ratings equal to {data.value[0]:g}", "different values")
    nested = bool(np.bincount(data.rater).max() == 1)
    reduced, fit = fit_components(data, one_way=nested)
    k = np.bincount(data.unit).astype(float)
    harmonic = float(1 / np.mean(1 / k))
    q = 1 / harmonic if nested else shared_multiplier(data.unit, data.rater)
    notes = ["no rater rates two units: severity is part of the error"] if nested else []
    notes += [f"the component of {name} is 0, at its boundary" for name in fit.boundary]
    details = {"q": q, "harmonic_k": harmonic, **fit._asdict()}
    targets = {"Phi(k)": Target(1 / harmonic, 1 / harmonic), "G(q,k)": Target(q, 1 / harmonic)}
    found = []
    for name, target in targets.items():
        low, high = reduced.interval(fit, target, level)
        found.append(
            Coefficient(
                name=name,
                value=target.of(fit.unit / fit.residual, fit.rater / fit.residual),
                low=low,
                high=high,
                level=level,
                method="profile of the restricted likelihood",
                n=data.n_units,
                k=harmonic,
                notes=tuple(notes),
                details=details,
            )
        )
    return MeansReliability(Coefficients(tuple(found)), _table(data, reduced, fit, level))


def _table(data: Single, reduced: Crossed, fit: Components, level: float) -> pd.DataFrame:
    """One row per unit; its interval is that of one rating, stepped up to its raters."""
    import pandas as pd

    k = np.bincount(data.unit).astype(float)
    error = fit.rater + fit.residual
    one = np.array([fit.unit / (fit.unit + error),
                    *reduced.interval(fit, Target(1.0, 1.0), level)])  # fmt: skip
    stepped = k[:, None] * one / (1 + (k[:, None] - 1) * one)
    return pd.DataFrame(
        {
            "ratings": k.astype(int),
            "mean": np.bincount(data.unit, data.value) / k,
            "standard_error": np.sqrt(error / k),
            "reliability": stepped[:, 0],
            "low": stepped[:, 1],
            "high": stepped[:, 2],
        },
        index=pd.Index(data.units, name="unit"),
    )
