"""Weights from pairwise comparisons (analytic hierarchy process)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.weighting import _comparisons as pc
from perfmethod.weighting._judgments import check_prioritization, checked
from perfmethod.weighting._revision import Revision, Triad, best_revision, worst_triad
from perfmethod.weighting.result import Array, Weighting

__all__ = ["AHPWeighting", "ahp"]

ACCEPTABLE_RATIO = 0.1  # Saaty (1980)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AHPWeighting(Weighting):
    """Weights from pairwise comparisons, and how consistent these are.

    Parameters
    ----------
    comparisons : ndarray (n, n)
        The judgments, blanks filled that have only one possible value; NaN: not compared.
    prioritization : str
        "eigenvector" or "geometric_mean".
    lambda_max : float
        Principal eigenvalue of the judgments, whatever the prioritization.
    consistency_index : float
        ``(lambda_max - n) / (n - 1)``.
    random_index : float
        What random judgments would have.
    consistency_ratio : float
        ``consistency_index / random_index``; 0 where `redundancy` is 0 and nothing can disagree.
    geometric_consistency_index : float
        Residual variance of the logarithms.
    geometric_threshold : float or None
        Value of the index that corresponds to a consistency ratio of 0.1; None for n < 3.
    redundancy : int
        Judgments beyond the n - 1 that fix the weights: 0 means consistency cannot be checked.
    missing : int
        Pairs not compared.
    worst_triad : Triad or None
        The three judgments that contradict one another most.
    best_revision : Revision or None
        The judgment whose change would help most.
    """

    comparisons: Array
    prioritization: str
    lambda_max: float
    consistency_index: float
    random_index: float
    consistency_ratio: float
    geometric_consistency_index: float
    geometric_threshold: float | None
    redundancy: int
    missing: int
    worst_triad: Triad | None
    best_revision: Revision | None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.comparisons.setflags(write=False)

    @property
    def acceptable(self) -> bool:
        """Whether the consistency ratio is at most 0.1."""
        return self.consistency_ratio <= ACCEPTABLE_RATIO

    def _summary(self) -> str:
        if self.redundancy == 0:
            return "; consistency cannot be checked"
        return f"; consistency ratio {self.consistency_ratio:.3f}"


def ahp(
    comparisons: ArrayLike,
    *,
    prioritization: str = "eigenvector",
    random_index: float | None = None,
    names: Sequence[str] | None = None,
) -> AHPWeighting:
    r"""Weigh by a matrix of pairwise comparisons.

    Parameters
    ----------
    comparisons : array_like (n, n)
        Entry (i, j): how many times criterion i is as important as criterion j; 1 on the diagonal
        and reciprocals across it. NaN where a pair was not compared; if only one of the two mirror
        cells is blank it is filled with the reciprocal, so a triangle is enough. The compared pairs
        must link all criteria.
    prioritization : {"eigenvector", "geometric_mean"}
        Principal eigenvector (Saaty), with blanks by Harker's method; or row geometric mean, with
        blanks by logarithmic least squares. They agree for n <= 3 complete and for consistent
        judgments.
    random_index : float, optional
        Replaces Saaty's table (n <= 15, lowered in proportion to the redundancy that blanks take
        away: a rough rule where most pairs are blank). Needed for n > 15.
    names : sequence of str (n,), optional

    Returns
    -------
    AHPWeighting
        `standard_errors` come from the misfit of the judgments: the logarithms are a linear model
        with residual variance `geometric_consistency_index`, carried to the weights to first order
        (for the eigenvector too, which differs from the geometric mean in second order only). They
        measure how well one person's judgments fit together, not whether they are right. None where
        `redundancy` is 0.

    Raises
    ------
    DataError
        With every cell that is not positive (or beyond 1e9 either way), every diagonal that is not
        1 and every pair that is not reciprocal; if the compared pairs do not link all criteria (the
        parts are named); if n > 15 without a `random_index`.
    ValueError
        If `prioritization` is not known.

    Notes
    -----
    One criterion has weight 1; two are always consistent: both have consistency ratio 0. The
    thresholds of the geometric consistency index are 0.3147 (n = 3), 0.3526 (n = 4) and 0.370
    (larger n), from GCI = 2 n / (n - 2) CI to first order and random indices of 0.5245, 0.8815 and
    about 1.11. They were derived for complete matrices.

    References
    ----------
    Saaty, T. L. (1980). The Analytic Hierarchy Process. McGraw-Hill (random index, 0.1).

    Crawford, G. and Williams, C. (1985). A note on the analysis of subjective judgment matrices.
    Journal of Mathematical Psychology 29(4), 387-405 (geometric mean as least squares).

    Harker, P. T. (1987). Alternative modes of questioning in the analytic hierarchy process.
    Mathematical Modelling 9(3-5), 353-360 (blanks, eigenvector).

    Aguaron, J. and Moreno-Jimenez, J. M. (2003). The geometric consistency index: approximated
    thresholds. European Journal of Operational Research 147(1), 137-145.

    Bozoki, S., Fulop, J. and Ronyai, L. (2010). On optimal completions of incomplete pairwise
    comparison matrices. Mathematical and Computer Modelling 52(1-2), 318-333 (blanks, logarithms).

    Agoston, K. C. and Csato, L. (2022). Inconsistency thresholds for incomplete pairwise comparison
    matrices. Omega 108, 102576 (random index with blanks).

    Examples
    --------
    >>> nan = float("nan")
    >>> result = ahp([[1, 3, 7], [nan, 1, 4], [nan, nan, 1]], names=["task", "review", "internal"])
    >>> result
    <AHPWeighting ahp: task 0.6586, review 0.2628, internal 0.0786; consistency ratio 0.028>
    >>> result.best_revision.criteria
    ('task', 'review')
    """
    check_prioritization(prioritization)
    a, labels = checked(comparisons, names, random_index)
    fit = pc.log_least_squares(a)
    eigenvector, eigenvalue = pc.principal(a, fit.log_weights)
    by_rows = prioritization == "geometric_mean"
    weights = pc.weights_from_logs(fit.log_weights) if by_rows else eigenvector
    n, missing = len(a), int(np.isnan(a).sum()) // 2
    index = (eigenvalue - n) / (n - 1) if n > 1 else 0.0
    ri = pc.random_index_of(n, missing) if random_index is None else float(random_index)
    return AHPWeighting(
        weights=weights,
        method="ahp",
        names=labels,
        standard_errors=_standard_errors(weights, fit),
        notes=_notes(fit, missing),
        comparisons=a,
        prioritization=prioritization,
        lambda_max=eigenvalue,
        consistency_index=index,
        random_index=ri,
        consistency_ratio=index / ri if fit.redundancy else 0.0,
        geometric_consistency_index=fit.variance,
        geometric_threshold=geometric_threshold(n),
        redundancy=fit.redundancy,
        missing=missing,
        worst_triad=worst_triad(a, labels),
        best_revision=best_revision(a, labels),
    )


def priorities(comparisons: Array, prioritization: str) -> Array:
    """Weights (n,) alone of a matrix that was checked before."""
    y = pc.log_least_squares(comparisons).log_weights
    if prioritization == "geometric_mean":
        return pc.weights_from_logs(y)
    return pc.principal(comparisons, y)[0]


def geometric_threshold(n: int) -> float | None:
    """Geometric consistency index that corresponds to a consistency ratio of 0.1.

    Examples
    --------
    >>> [geometric_threshold(n) for n in (2, 3, 4, 5)]
    [None, 0.3147, 0.3526, 0.37]
    """
    return None if n < 3 else {3: 0.3147, 4: 0.3526}.get(n, 0.370)


def _standard_errors(weights: Array, fit: pc.LogFit) -> Array | None:
    """First-order standard errors: w = exp(y) / sum(exp(y)) has Jacobian diag(w) - w w'."""
    if fit.redundancy == 0:
        return None
    jacobian = np.diag(weights) - np.outer(weights, weights)
    variances = np.diag(jacobian @ fit.unscaled @ jacobian) * fit.variance
    return np.sqrt(np.maximum(variances, 0.0))


def _notes(fit: pc.LogFit, missing: int) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(f"{missing} pair(s) not compared; the weights rest on the others")
    if fit.redundancy == 0:
        notes.append(
            "no standard error and no check of consistency: "
            "no judgment is left that the others could contradict"
        )
    return tuple(notes)
