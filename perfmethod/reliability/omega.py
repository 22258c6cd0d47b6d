"""McDonald's omega: how much of the variance of a sum its factors explain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reliability._draws import check_level
from perfmethod.reliability._factors import FITS, extract, schmid_leiman
from perfmethod.reliability._items import Items, correlations, read_items
from perfmethod.reliability._matrices import bootstrap, matrix_of, warnings_about
from perfmethod.reliability.ratings import Ratings, refuse
from perfmethod.reliability.result import Coefficient

__all__ = ["omega_hierarchical", "omega_total"]

Floats = NDArray[np.float64]

_FIT = {"ml": "maximum likelihood", "minres": "minres"}
_ITEMS = {"raw": "raw items", "standardized": "standardized items", "ordinal": "polychoric"}


def omega_total(
    x: ArrayLike | Ratings,
    *,
    kind: str = "raw",
    fit: str = "ml",
    items: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    missing: str = "listwise",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Omega total of one common factor.

    With loadings :math:`\lambda_i` and unique variances :math:`\psi_i`,
    :math:`\omega_t = (\sum \lambda_i)^2 / ((\sum \lambda_i)^2 + \sum \psi_i)`.

    Parameters
    ----------
    x : array_like (n, p), DataFrame or Ratings
        Answers of n persons on p items (at least three), NaN where missing.
    kind : {"raw", "standardized", "ordinal"}
        Of the sum of the answers, of standardized answers, or of the variables behind ordered
        answers (polychoric correlations). One factor is fitted to correlations in every case; raw
        loadings are those times the standard deviations.
    fit : {"ml", "minres"}
        Maximum likelihood, or minimum residuals.
    items, clusters, missing, level, draws, seed
        As in `cronbach_alpha`. The interval is by bootstrap of whole raters, or of rows.

    Returns
    -------
    Coefficient
        `details`: "loadings" and "uniqueness" (p,) of standardized items.

    Raises
    ------
    DataError
        For fewer than three items (one factor is then not identified), an item everybody answers
        alike, or a correlation matrix that is not positive definite (fit "ml").
    ValueError
        For an unknown kind or fit.

    References
    ----------
    McDonald, R. P. (1999). Test Theory: A Unified Treatment. Lawrence Erlbaum, chapter 6.

    Examples
    --------
    >>> answers = [[1, 2, 2], [2, 2, 3], [4, 3, 4], [5, 5, 4], [3, 3, 3], [1, 2, 1], [4, 5, 3]]
    >>> omega_total(answers, draws=0).value.__round__(3)
    0.951
    """
    data = _read(x, items, clusters, missing, kind, fit, level)
    if len(data.names) < 3:
        refuse(f"{len(data.names)} items", "at least three to identify a factor", what="answers")
    matrix = matrix_of(data, kind)
    best = extract(correlations(matrix), 1, fit)

    def omega(c: Floats) -> float:
        found = extract(correlations(c), 1, fit, best.uniqueness)
        common = float((found.loadings[:, 0] * np.sqrt(np.diagonal(c))).sum() ** 2)
        return common / (common + float(found.uniqueness @ np.diagonal(c)))

    name = f"McDonald's omega total (one factor by {_FIT[fit]}, {_ITEMS[kind]})"
    details = {"loadings": best.loadings[:, 0], "uniqueness": best.uniqueness}
    return _coefficient(name, data, kind, matrix, omega, best.notes, level, draws, seed, details)


def omega_hierarchical(
    x: ArrayLike | Ratings,
    *,
    factors: int = 3,
    kind: str = "standardized",
    fit: str = "minres",
    items: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    missing: str = "listwise",
    level: float = 0.95,
    draws: int = 200,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Omega hierarchical: the part of the variance of the sum that is due to a general factor.

    Group factors are extracted by `fit`, rotated by direct quartimin, and orthogonalized with their
    general factor (Schmid and Leiman). With loadings :math:`g_i` on it,
    :math:`\omega_h = (\sum g_i)^2 / 1'R1`.

    Parameters
    ----------
    x : array_like (n, p), DataFrame or Ratings
        Answers of n persons on p items (six or more for three factors), NaN where missing.
    factors : int
        Group factors, at least three.
    kind : {"standardized", "ordinal"}
        Pearson or polychoric correlations.
    fit : {"minres", "ml"}
    items, clusters, missing, level, draws, seed
        As in `cronbach_alpha`; the interval is by bootstrap.

    Returns
    -------
    Coefficient
        `details`: "general" (p,), "groups" (p, factors), "uniqueness" (p,), and "omega_total" of
        this solution, :math:`1 - \sum \psi_i / 1'R1`.

    Raises
    ------
    DataError
        For too few factors or items.
    ValueError
        For an unknown kind or fit.

    References
    ----------
    McDonald, R. P. (1999). Test Theory: A Unified Treatment. Lawrence Erlbaum, chapter 6.

    Schmid, J. and Leiman, J. M. (1957). The development of hierarchical factor solutions.
    Psychometrika 22(1), 53-61.

    Zinbarg, R. E., Revelle, W., Yovel, I. and Li, W. (2005). Cronbach's alpha, Revelle's beta, and
    McDonald's omega h: their relations with each other and two alternative conceptualizations of
    reliability. Psychometrika 70(1), 123-133.

    Examples
    --------
    >>> omega_hierarchical([[1, 2], [2, 2], [3, 4]])
    Traceback (most recent call last):
    perfmethod.errors.DataError: 1 problem in the input:
      - items: found 3 group factors of 2 items; allowed: at least three group factors, and items
        enough to identify them: 6 for three
    """
    if kind == "raw":
        raise ValueError("found kind='raw'; allowed: 'standardized' or 'ordinal'")
    data = _read(x, items, clusters, missing, kind, fit, level)
    matrix = matrix_of(data, kind)
    best = schmid_leiman(matrix, factors, fit)

    def omega(r: Floats) -> float:
        return float(schmid_leiman(r, factors, fit).general.sum() ** 2 / r.sum())

    name = (
        f"McDonald's omega hierarchical ({factors} group factors by {_FIT[fit]}, quartimin, "
        f"Schmid-Leiman, {_ITEMS[kind]})"
    )
    details = {
        "general": best.general,
        "groups": best.groups,
        "uniqueness": best.uniqueness,
        "omega_total": float(1 - best.uniqueness.sum() / matrix.sum()),
    }
    return _coefficient(name, data, kind, matrix, omega, best.notes, level, draws, seed, details)


def _read(
    x: ArrayLike | Ratings,
    items: Sequence[str] | None,
    clusters: ArrayLike | None,
    missing: str,
    kind: str,
    fit: str,
    level: float,
) -> Items:
    check_level(level)
    if fit not in FITS:
        raise ValueError(f"found fit={fit!r}; allowed: {suggest(str(fit), FITS)}")
    data = read_items(x, items=items, clusters=clusters, missing=missing, kind=kind)
    # factors are fitted to correlations, also for a raw sum
    flat = np.nanmin(data.values, axis=0) == np.nanmax(data.values, axis=0)
    if flat.any():
        name = data.names[int(np.flatnonzero(flat)[0])]
        refuse("the same answer from everybody", "answers that differ", what="answers", column=name)
    return data


def _coefficient(
    name: str,
    data: Items,
    kind: str,
    matrix: Floats,
    omega: Callable[[Floats], float],
    notes: tuple[str, ...],
    level: float,
    draws: int,
    seed: int | np.random.Generator,
    details: dict,
) -> Coefficient:
    from perfmethod.errors import DataError

    def each(matrices: Floats) -> Floats:
        found = np.full(len(matrices), np.nan)
        for b, c in enumerate(matrices):
            if not np.isnan(c).any():
                try:
                    found[b] = omega(c)
                except DataError:
                    continue  # a replicate without a solution is counted in the notes
        return found

    value = omega(matrix)
    interval = bootstrap(data, kind, each, value, level, draws, seed)
    return Coefficient(
        name=name,
        value=value,
        low=interval.low,
        high=interval.high,
        standard_error=interval.standard_error,
        method=interval.method,
        level=level,
        n=len(data.values),
        k=len(data.names),
        notes=(*data.notes, *notes, *warnings_about(matrix, data.names), *interval.notes),
        details=details,
    )
