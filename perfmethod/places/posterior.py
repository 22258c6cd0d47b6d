"""Draws of the true totals, as far as the survey's own noise blurs them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError
from perfmethod.scoring import Evaluation

__all__ = ["true_totals"]


def true_totals(evaluation: Evaluation, *, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    r"""Draw true totals given the measured ones: `compare_rules` takes them as ``truth``.

    Parameters
    ----------
    evaluation : Evaluation
        Of a year with ballots.
    draws : int
    seed : int

    Returns
    -------
    DataFrame
        One row per draw, one column per unit, in points.

    Raises
    ------
    PerfmethodError
        If the year has no ballots, or `draws` is below 1.

    Notes
    -----
    In each class true totals are taken as normal with mean m and variance
    :math:`\tau^2 = \max(0, s^2 - \overline{e^2})`, where s is the spread of the measured totals and
    e their standard errors from the survey; given the measured y the true one is normal with mean
    :math:`m + \lambda (y - m)` and variance :math:`\lambda e^2`, with
    :math:`\lambda = \tau^2 / (\tau^2 + e^2)`. Only the survey's noise is in it: panels, targets and
    reported values are taken at their word, so that the truth is rather too certain. Errors of
    different units are taken as independent.

    References
    ----------
    B. Efron and C. Morris, "Data analysis using Stein's estimator and its generalizations",
    *Journal of the American Statistical Association* 70 (1975), 311-319.
    """
    errors = evaluation.survey_errors
    if errors is None:
        raise PerfmethodError("found a year without ballots; allowed: a year with a survey")
    if draws < 1:
        raise PerfmethodError(f"draws: found {draws}; allowed: 1 or more")
    total = evaluation.scores["total"]
    noise = errors["se_total"].reindex(total.index).fillna(0.0) ** 2
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
    return pd.DataFrame(mean.to_numpy() + z * spread.to_numpy(), columns=total.index)
