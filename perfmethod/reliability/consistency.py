"""Internal consistency: Cronbach's alpha, also standardized and ordinal, and without each item."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reduction.given import Reduced
from perfmethod.reliability._draws import Interval, check_level, no_interval, percentiles
from perfmethod.reliability._items import Items, read_items
from perfmethod.reliability._matrices import (
    bootstrap,
    item_rest,
    matrix_of,
    replicate_matrices,
    warnings_about,
)
from perfmethod.reliability.ratings import Ratings, refuse
from perfmethod.reliability.result import Coefficient, Coefficients

__all__ = ["alpha_if_dropped", "alpha_of_covariance", "cronbach_alpha"]

Floats = NDArray[np.float64]

_INTERVALS = ("auto", "feldt", "bootstrap")
_NAMES = {
    "raw": "Cronbach's alpha (raw)",
    "standardized": "Cronbach's alpha (standardized)",
    "ordinal": "ordinal alpha (polychoric correlations)",
}


def alpha_of_covariance(c: ArrayLike) -> Floats:
    r"""Alpha of covariances or correlations: :math:`\frac{p}{p-1} (1 - \mathrm{tr}\,C / 1'C1)`.

    Parameters
    ----------
    c : array_like (..., p, p)

    Returns
    -------
    ndarray (...)
        NaN where the total score does not vary.

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika
    16(3), 297-334.

    Examples
    --------
    >>> alpha_of_covariance([[1.0, 0.5], [0.5, 1.0]]).round(4).item()
    0.6667
    """
    c = np.asarray(c, float)
    p = c.shape[-1]
    total = c.sum(axis=(-2, -1))
    trace = np.trace(c, axis1=-2, axis2=-1)
    out = np.full(total.shape, np.nan)
    part = np.divide(trace, total, out=out, where=total > 1e-14 * trace)
    return p / (p - 1) * (1 - part)


def cronbach_alpha(
    x: ArrayLike | Ratings | Reduced,
    *,
    kind: str = "raw",
    items: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    missing: str = "listwise",
    interval: str = "auto",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficient:
    r"""Cronbach's alpha of the sum of p items.

    :math:`\alpha = \frac{p}{p-1} (1 - \sum_i s_{ii} / \sum_{ij} s_{ij})`, with covariances (raw),
    correlations (standardized) or polychoric correlations (ordinal) for :math:`s`.

    Parameters
    ----------
    x : array_like (n, p), DataFrame, Ratings or Reduction
        Answers of n persons (or ballots) on p items, NaN where missing. Reverse items that are
        worded the other way first. Of a reduction: raw or standardized, the interval by leaving
        out random groups of raters (delete-a-group jackknife).
    kind : {"raw", "standardized", "ordinal"}
    items : sequence of str (p,), optional
    clusters : array_like (n,), optional
        Who gave each row, where one rater gave many; with `Ratings` its raters.
    missing : {"listwise", "pairwise"}
        Leave rows with a gap out, or take each covariance from the rows that have both answers.
    interval : {"auto", "feldt", "bootstrap"}
        Feldt's F interval is for raw alpha of independent rows without gaps; "auto" takes it then,
        and otherwise a bootstrap of whole raters (of rows where there are no clusters).
    level : float
    draws : int
        Bootstrap replicates; 0 for none.
    seed : int or Generator

    Returns
    -------
    Coefficient
        `details`: "mean_covariance" (of the matrix used). `notes` say if it is negative, or if an
        item goes against the sum of the others: alpha then says little.

    Raises
    ------
    DataError
        For one item, too few rows, a total that is the same for everybody, or, unless raw, an item
        everybody answers alike.
    ValueError
        For an unknown kind or interval, or Feldt's interval where it does not hold.

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika
    16(3), 297-334.

    Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability
    coefficient twenty. Psychometrika 30(3), 357-370.

    Zumbo, B. D., Gadermann, A. M. and Zeisser, C. (2007). Ordinal versions of coefficients alpha
    and theta for Likert rating scales. Journal of Modern Applied Statistical Methods 6(1), 21-29.

    Examples
    --------
    >>> cronbach_alpha([[1, 2, 2], [2, 2, 3], [4, 3, 4], [5, 5, 4]])
    <Cronbach's alpha (raw) = 0.9231, 95 % interval 0.4924 to 0.9948 (Feldt's F, rows independent)>
    """
    check_level(level)
    if isinstance(x, Reduced):
        from perfmethod.reliability.reduced_items import Alpha, alpha_of_reduction

        name = _NAMES.get(kind, kind)
        asked = Alpha(kind, name, items, missing, interval, level, draws)
        return alpha_of_reduction(x, asked)
    data = read_items(x, items=items, clusters=clusters, missing=missing, kind=kind)
    matrix = matrix_of(data, kind)
    value = float(alpha_of_covariance(matrix))
    if np.isnan(value):
        refuse("a total that is the same for everybody", "totals that differ", what="answers")
    if _chosen(interval, data, kind, missing) == "feldt":
        found = _feldt(value, len(data.values), len(data.names), level)
    else:
        found = bootstrap(data, kind, alpha_of_covariance, value, level, draws, seed)
    p = matrix.shape[0]
    return Coefficient(
        name=_NAMES[kind],
        value=value,
        low=found.low,
        high=found.high,
        standard_error=found.standard_error,
        method=found.method,
        level=level,
        n=len(data.values),
        k=p,
        notes=(*data.notes, *warnings_about(matrix, data.names), *found.notes),
        details={"mean_covariance": float(matrix[np.triu_indices(p, 1)].mean())},
    )


def alpha_if_dropped(
    x: ArrayLike | Ratings,
    *,
    kind: str = "raw",
    items: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    missing: str = "listwise",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Coefficients:
    """Alpha without each item in turn, on the same rows.

    Parameters
    ----------
    x, kind, items, clusters, missing, level, draws, seed
        As in `cronbach_alpha`; at least three items. Intervals are by bootstrap, from the same
        draws for all items.

    Returns
    -------
    Coefficients
        One per item; `details`: "item" and "item_rest" (correlation of the item with the sum of
        the others, by the same matrix).

    Raises
    ------
    DataError, ValueError
        As `cronbach_alpha`.

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika
    16(3), 297-334.

    Examples
    --------
    >>> answers = [[1, 2, 2], [2, 2, 3], [4, 3, 4], [5, 5, 4]]
    >>> [round(c.value, 2) for c in alpha_if_dropped(answers, draws=0)]
    [0.81, 0.88, 0.93]
    """
    check_level(level)
    data = read_items(x, items=items, clusters=clusters, missing=missing, kind=kind)
    p = len(data.names)
    if p < 3:
        refuse(f"{p} items", "at least three: two must be left", what="answers")
    matrix = matrix_of(data, kind)
    rest = item_rest(matrix)

    def without(i: int) -> Callable[[Floats], Floats]:
        left = np.delete(np.arange(p), i)
        return lambda c: alpha_of_covariance(c[..., left[:, None], left])

    values = np.array([without(i)(matrix) for i in range(p)])
    if np.isnan(values).any():
        name = data.names[int(np.flatnonzero(np.isnan(values))[0])]
        refuse(f"the same total for everybody without {name}", "totals that differ", what="answers")
    replicates = replicate_matrices(data, kind, draws, seed) if draws else None
    found = []
    for i, name in enumerate(data.names):
        ends = no_interval("draws=0")
        if replicates is not None:
            drawn = without(i)(replicates)
            ends = percentiles(drawn, values[i], level, data.drawn, data.stratum.size)
        found.append(
            Coefficient(
                name=f"{_NAMES[kind]} without {name}",
                value=float(values[i]),
                low=ends.low,
                high=ends.high,
                standard_error=ends.standard_error,
                method=ends.method,
                level=level,
                n=len(data.values),
                k=p - 1,
                notes=(*data.notes, *ends.notes),
                details={"item": name, "item_rest": float(rest[i])},
            )
        )
    return Coefficients(tuple(found))


def _chosen(interval: str, data: Items, kind: str, missing: str) -> str:
    if interval not in _INTERVALS:
        raise ValueError(
            f"found interval={interval!r}; allowed: {suggest(str(interval), _INTERVALS)}"
        )
    holds = kind == "raw" and data.cluster is None and not data.gaps
    if interval == "feldt" and not holds:
        raise ValueError(
            f"found interval='feldt' for kind={kind!r}, missing={missing!r} and "
            f"{'clustered' if data.cluster is not None else 'unclustered'} rows; allowed: raw "
            "alpha of independent rows without gaps, or interval='bootstrap'"
        )
    return interval if interval != "auto" else "feldt" if holds else "bootstrap"


def _feldt(alpha: float, n: int, p: int, level: float) -> Interval:
    """(1 - population alpha) / (1 - alpha) has the F distribution with n - 1, (n - 1)(p - 1)."""
    from scipy import special

    f = special.fdtri(n - 1, (n - 1) * (p - 1), [(1 + level) / 2, (1 - level) / 2])
    low, high = 1 - (1 - alpha) * f
    return Interval(float(low), float(high), None, "Feldt's F, rows independent")
