"""Which judgment to ask about again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perfmethod.weighting._comparisons import (
    components,
    judged,
    log_least_squares,
    pairs_of,
    principal,
)
from perfmethod.weighting.result import Array

_NEGLIGIBLE = 1e-9  # logarithmic misfit that rounding explains


@dataclass(frozen=True)
class Triad:
    """Three judgments that contradict one another.

    Parameters
    ----------
    criteria : tuple of str (3,)
    indices : tuple of int (3,)
        Positions of the criteria i, j, k.
    direct : float
        The judgment a_ik.
    implied : float
        What the other two imply for it, ``a_ij * a_jk``.
    """

    criteria: tuple[str, ...]
    indices: tuple[int, ...]
    direct: float
    implied: float


@dataclass(frozen=True)
class Revision:
    """The judgment whose change would lower the consistency index most.

    Parameters
    ----------
    criteria : tuple of str (2,)
        Row and column.
    indices : tuple of int (2,)
    found : float
        The judgment a_ij as given.
    suggested : float
        What all other judgments imply for it (least squares of the logarithms without it).
    consistency_index : float
        Consistency index after that one change.
    """

    criteria: tuple[str, ...]
    indices: tuple[int, ...]
    found: float
    suggested: float
    consistency_index: float


def worst_triad(comparisons: Array, names: Sequence[str]) -> Triad | None:
    """The three judgments with the largest ``|log(a_ij a_jk / a_ik)|`` (Koczkodaj 1993).

    None where no three criteria were all compared, or no triad contradicts itself.
    """
    known = judged(comparisons)
    log = np.where(known, np.log(np.where(known, comparisons, 1.0)), np.nan)
    misfit = log[:, :, None] + log[None, :, :] - log[:, None, :]  # (i, j, k)
    size = np.nan_to_num(np.abs(misfit))
    if size.max() <= _NEGLIGIBLE:
        return None
    i, j, k = sorted(int(index) for index in np.unravel_index(size.argmax(), size.shape))
    return Triad(
        criteria=(names[i], names[j], names[k]),
        indices=(i, j, k),
        direct=float(comparisons[i, k]),
        implied=float(comparisons[i, j] * comparisons[j, k]),
    )


def best_revision(comparisons: Array, names: Sequence[str]) -> Revision | None:
    """Try every judgment: replace it by what the others imply, keep the change that helps most.

    None where the judgments are consistent, or none can be checked by the others.
    """
    if np.nanmax(np.abs(log_least_squares(comparisons).residuals), initial=0) <= _NEGLIGIBLE:
        return None
    tried = [
        revision
        for pair in pairs_of(judged(comparisons))
        if (revision := _revise(comparisons, pair, names)) is not None
    ]
    return min(tried, key=lambda revision: revision.consistency_index, default=None)


def _revise(comparisons: Array, pair: tuple[int, int], names: Sequence[str]) -> Revision | None:
    i, j = pair
    without = comparisons.copy()
    without[i, j] = without[j, i] = np.nan
    if len(components(judged(without))) > 1:  # the only link between two parts: nothing checks it
        return None
    y = log_least_squares(without).log_weights
    without[i, j], without[j, i] = np.exp(y[i] - y[j]), np.exp(y[j] - y[i])
    _, eigenvalue = principal(without, log_least_squares(without).log_weights)
    n = len(without)
    return Revision(
        criteria=(names[i], names[j]),
        indices=pair,
        found=float(comparisons[i, j]),
        suggested=float(without[i, j]),
        consistency_index=(eigenvalue - n) / (n - 1),
    )
