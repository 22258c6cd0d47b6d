"""Draws of the true totals, as far as the survey's own noise blurs them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError
from perfmethod.ranking import total_errors
from perfmethod.scoring import Evaluation, unmeasured_of

__all__ = ["true_totals"]


def true_totals(
    evaluation: Evaluation,
    *,
    draws: int = 2000,
    seed: int = 0,
    extra: pd.Series | pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Draw true totals given the measured ones: `compare_rules` takes them as ``truth``.

    Parameters
    ----------
    evaluation : Evaluation
        Of a year with ballots, unless `extra` is given.
    draws : int
    seed : int
    extra : Series or DataFrame, optional
        Errors of other sources, independent of the raters' sampling: standard errors in points by
        unit_id, or a covariance (u, u).

    Returns
    -------
    DataFrame
        One row per draw, one column per unit, in points. Its ``attrs`` hold unmeasured_weight, the
        share of the survey's weight whose error cannot be measured and counts as 0 (None without
        ballots), and lonely, the categories with a single rater.

    Raises
    ------
    PerfmethodError
        If `draws` is below 1, or, without `extra`, the year has no ballots or most of the survey's
        weight rests on answers whose error cannot be measured.

    Notes
    -----
    In each class true totals are taken as normal with mean m and variance
    :math:`\tau^2 = \max(0, s^2 - \overline{e^2})`, where s is the spread of the measured totals and
    e their standard errors from the survey and `extra`; given the measured y the true one is normal
    with mean :math:`m + \lambda (y - m)` and variance :math:`\lambda e^2`, with
    :math:`\lambda = \tau^2 / (\tau^2 + e^2)`. Without `extra` only the survey's noise is in it:
    panels, targets and reported values are taken at their word, so that the truth is rather too
    certain. Errors of different units are taken as independent.

    References
    ----------
    B. Efron and C. Morris, "Data analysis using Stein's estimator and its generalizations",
    *Journal of the American Statistical Association* 70 (1975), 311-319.
    """
    if draws < 1:
        raise PerfmethodError(f"draws: found {draws}; allowed: 1 or more")
    total, covariance = total_errors(evaluation, extra)
    noise = pd.Series(np.maximum(np.diag(covariance), 0.0), total.index)
    mean, spread = pd.Series(0.0, total.index), pd.Series(0.0, total.index)
    for _, ids in total.groupby(evaluation.scores["class"]).groups.items():
        mine = total[ids]
        between = (
            max(0.0, float(mine.var(ddof=1)) - float(noise[ids].mean())) if len(ids) > 1 else 0
        )
        there = between + noise[ids]
        kept = (between / there.where(there > 0)).fillna(1.0)  # without any noise y is the truth
        mean[ids] = mine.mean() + kept * (mine - mine.mean())
        spread[ids] = np.sqrt(kept * noise[ids])
    z = np.random.default_rng(seed).standard_normal((draws, len(total)))
    found = pd.DataFrame(mean.to_numpy() + z * spread.to_numpy(), columns=total.index)
    lost = unmeasured_of(evaluation)
    found.attrs["unmeasured_weight"] = None if lost is None else lost.weight
    found.attrs["lonely"] = () if lost is None else lost.lonely
    return found
