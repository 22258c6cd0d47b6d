"""Errors of the totals: their covariance, and normal draws that spread evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, is_whole, suggest
from perfmethod.survey import Unmeasured
from perfmethod.uncertainty import is_symmetric

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["measured_errors", "normal_draws", "total_errors"]

Array = NDArray[np.float64]

EXTRA = "errors of other sources (extra=...)"
CELL = 2.0**-31  # half the distance of the points that Sobol's sequence can take


def total_errors(
    evaluation: Evaluation, extra: pd.Series | pd.DataFrame | None = None
) -> tuple[pd.Series, Array]:
    """Totals and the covariance of their errors: the sampling of raters, and what else is given.

    Parameters
    ----------
    evaluation : Evaluation
        Of a year with ballots, unless `extra` is given.
    extra : Series or DataFrame, optional
        Errors of other sources, independent of the raters' sampling: standard errors in points by
        unit_id, or a covariance (u, u).

    Returns
    -------
    totals : Series (u,)
        Index unit_id, points.
    covariance : ndarray (u, u)

    Raises
    ------
    PerfmethodError
        If there is no source of errors, `extra` does not fit the units, or, without `extra`, most
        of the survey's weight rests on answers whose error cannot be measured.
    """
    totals, covariance, _ = measured_errors(evaluation, extra)
    return totals, covariance


def measured_errors(
    evaluation: Evaluation, extra: pd.Series | pd.DataFrame | None = None
) -> tuple[pd.Series, Array, Unmeasured | None]:
    """As `total_errors`, with what of the survey's error is not in them for want of answers."""
    from perfmethod.scoring import measured_of, unmeasured_of
    from perfmethod.scoring.reviewed import survey_covariance

    totals = evaluation.scores["total"]
    unmeasured = measured_of(evaluation, EXTRA) if extra is None else unmeasured_of(evaluation)
    covariance = np.zeros((len(totals), len(totals)))
    if evaluation.review is not None and unmeasured is not None:
        base = float(evaluation.year.scheme.number("base"))
        frame = survey_covariance(evaluation.review, evaluation._plan, evaluation.nodes, base)
        covariance += (frame.to_numpy() + frame.to_numpy().T) / 2
    elif extra is None:
        raise PerfmethodError(
            "found a year without ballots, so its totals have no standard errors; "
            "allowed: a year with ballots, or errors of other sources"
        )
    if extra is not None:
        covariance += _other(extra, totals.index)
    return totals, covariance, unmeasured


def _other(extra: pd.Series | pd.DataFrame, units: pd.Index) -> Array:
    strange = [str(u) for u in extra.index if u not in units]
    lacking = [str(u) for u in units if u not in extra.index]
    if strange or lacking:
        found = f"'{strange[0]}'" if strange else f"none of '{lacking[0]}'"
        near = suggest(strange[0], units) if strange else "one for each unit"
        raise PerfmethodError(f"errors of other sources: found {found}; allowed: {near}")
    if isinstance(extra, pd.DataFrame):
        given = extra.loc[units, units].to_numpy(float)
        if np.isfinite(given).all() and not is_symmetric(given):
            raise PerfmethodError("found a covariance that is not symmetric; allowed: symmetric")
    else:
        given = np.diag(extra.loc[units].to_numpy(float) ** 2)
    if not np.isfinite(given).all() or (np.diag(given) < 0).any():
        raise PerfmethodError("found an error that is missing or negative; allowed: 0 or more")
    return given


def normal_draws(covariance: ArrayLike, draws: int, seed: int) -> Array:
    """Normal draws with this covariance, which may be singular, from points that spread evenly.

    Parameters
    ----------
    covariance : array_like (u, u)
    draws : int
        A power of two is best.
    seed : int
        Of the scrambling: each draw is normal, and other seeds give other draws.

    Returns
    -------
    ndarray (draws, u)

    Raises
    ------
    PerfmethodError
        If the covariance has a negative eigenvalue, or there is no draw.

    Notes
    -----
    Critical values from `draws` points of Owen's scrambling of Sobol's sequence have, for the
    largest of some thousand differences, about a third of the Monte Carlo error that as many
    independent draws give.

    References
    ----------
    Owen, "Scrambled net variance for integrals of smooth functions", *Annals of Statistics* 25
    (1997), 1541-1562.

    Examples
    --------
    >>> found = normal_draws([[4.0, 0.0], [0.0, 0.0]], 1024, seed=0)
    >>> found.shape, round(float(found[:, 0].std()), 1), abs(float(found[:, 1].max()))
    ((1024, 2), 2.0, 0.0)
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    matrix = np.asarray(covariance, dtype=float)
    if not is_whole(draws) or draws < 1:
        raise PerfmethodError(f"found {draws} draws; allowed: a whole number, 1 or more")
    draws = int(draws)  # a numpy integer does not know its bit length
    engine = qmc.Sobol(len(matrix), scramble=True, seed=np.random.default_rng(seed))
    points = engine.random_base2(max(draws - 1, 1).bit_length())[:draws]
    normal = ndtri(np.clip(points + CELL, CELL, 1.0 - CELL))
    own = np.diag(matrix)
    if np.count_nonzero(matrix - np.diag(own)) == 0:
        return np.asarray(normal * np.sqrt(own))
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if values[0] < -1e-8 * max(values[-1], 0.0):
        raise PerfmethodError(
            f"found a covariance with eigenvalue {values[0]:.3g}; allowed: none below 0"
        )
    return np.asarray(normal @ (vectors * np.sqrt(np.maximum(values, 0.0))).T)
