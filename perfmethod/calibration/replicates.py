"""The jackknife: the sample without each cluster in turn, weighted anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.variance import checked_word
from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    from perfmethod.calibration.design import Design

__all__ = ["CENTERS", "Jackknife", "jackknife", "replicate_weights"]

Floats = NDArray[np.float64]

CENTERS = ("replicates", "estimate")


class Replicate(NamedTuple):
    """Weights (n,) without one cluster, and the factor of its square in the variance."""

    weights: Floats
    scale: float


@dataclass(frozen=True, eq=False)
class Jackknife:
    """Estimates with a jackknife covariance.

    Attributes
    ----------
    kind : {"JK1", "JKn"}
        Without or with strata.
    estimate : ndarray (p,)
    covariance : ndarray (p, p)
    replicates : int
    center : {"replicates", "estimate"}
    """

    kind: str
    estimate: Floats = field(repr=False)
    covariance: Floats = field(repr=False)
    replicates: int
    center: str

    @property
    def standard_error(self) -> Floats:
        """Standard errors (p,)."""
        return np.sqrt(np.diag(self.covariance))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{e:.6g} (SE {s:.3g})"
            for e, s in zip(self.estimate[:3], self.standard_error[:3], strict=True)
        )
        return f"<Jackknife {self.kind}, {self.replicates} replicates: {shown}>"


def replicate_weights(design: Design) -> Iterator[Replicate]:
    """Weights of the sample without each of its clusters, calibrated again where it is calibrated.

    The other clusters of the stratum weigh :math:`n_h / (n_h - 1)` times as much.

    Parameters
    ----------
    design : Design

    Yields
    ------
    Replicate
        weights (n,); scale, :math:`(1 - n_h / N_h)(n_h - 1)/n_h`.

    Raises
    ------
    PerfmethodError
        A stratum with a single cluster, or a replicate that cannot be calibrated.
    """
    sizes = np.bincount(design.stratum, minlength=len(design.strata))
    if (sizes < 2).any():
        names = [design.strata[h] for h in np.flatnonzero(sizes < 2)]
        raise PerfmethodError(
            f"strata: found a single cluster in {', '.join(names)}; allowed: at least two"
        )
    how = design.calibration
    base = design.weights if how is None else how.base
    own = design.stratum[design.cluster]
    for r, h in enumerate(design.stratum):
        n = int(sizes[h])
        w = np.where(own == h, base * (n / (n - 1)), base)
        w = np.where(design.cluster == r, 0.0, w)
        scale = (1 - n / float(design.population[h])) * (n - 1) / n
        yield Replicate(w if how is None else how._again(w), scale)


def jackknife(
    design: Design,
    statistic: Callable[[Floats], ArrayLike],
    *,
    center: str = "replicates",
) -> Jackknife:
    r"""Covariance of any function of the weights, by leaving clusters out.

    :math:`\hat V = \sum_r s_r (\hat\theta_r - c)(\hat\theta_r - c)^\top` with the scales
    :math:`s_r` of `replicate_weights`: JK1 without strata, JKn with strata.

    Parameters
    ----------
    design : Design
    statistic : callable
        Weights (n,) to an estimate, a number or (p,).
    center : {"replicates", "estimate"}
        The mean of the replicates (R's default), or the estimate (never smaller for a single
        stratum).

    Returns
    -------
    Jackknife

    Raises
    ------
    PerfmethodError
        As in `replicate_weights`.

    References
    ----------
    Wolter, K. M. (2007). *Introduction to Variance Estimation*, 2nd ed. Springer, ch. 4.

    R package survey, ``as.svrepdesign(type = "JK1" / "JKn")``.

    Examples
    --------
    >>> from perfmethod.calibration import Design
    >>> y = np.array([1.0, 2.0, 4.0, 5.0])
    >>> jackknife(Design.of(np.ones(4)), lambda w: w @ y / w.sum())
    <Jackknife JK1, 4 replicates: 3 (SE 0.913)>
    """
    checked_word("center", center, CENTERS)
    estimate = np.atleast_1d(np.asarray(statistic(design.weights), dtype=float))
    found, scales = [], []
    for replicate in replicate_weights(design):
        found.append(np.atleast_1d(np.asarray(statistic(replicate.weights), dtype=float)))
        scales.append(replicate.scale)
    table, scale = np.array(found), np.array(scales)
    middle = estimate if center == "estimate" else table[scale > 0].mean(axis=0)
    off = table - middle
    covariance = (off * scale[:, None]).T @ off
    kind = "JK1" if len(design.strata) == 1 else "JKn"
    return Jackknife(kind, estimate, covariance, len(table), center)
