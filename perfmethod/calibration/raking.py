"""Post-stratification and raking: weights that meet the totals of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.margins import (
    Coded,
    Margin,
    check_contradictions,
    check_weights,
    coded_margins,
    raise_all,
)
from perfmethod.calibration.weighting import Constraints, Weighting, finish, frozen
from perfmethod.errors import PerfmethodError, Problems

__all__ = ["Fitted", "fit_cells", "post_stratify", "rake"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class Fitted(NamedTuple):
    """Cells after iterative proportional fitting."""

    cells: Floats  # (c,)
    iterations: int
    error: float  # largest relative error of a total
    worst: tuple[int, int]  # its margin and group


def rake(
    weights: ArrayLike,
    margins: Sequence[Margin],
    *,
    tolerance: float = 1e-12,
    max_iterations: int = 1000,
    on_failure: str = "raise",
) -> Weighting:
    r"""Weights that meet the totals of several margins, by iterative proportional fitting.

    Each margin in turn is met exactly, :math:`w_i \leftarrow w_i T_{g(i)} / \sum_{j \in g(i)} w_j`,
    until after a whole round the largest relative error over all groups of all margins,
    :math:`\max_g |\sum_{i \in g} w_i / T_g - 1|`, is at most `tolerance`. Of all weights that meet
    the totals these are the nearest to `weights` in Kullback-Leibler distance.

    Parameters
    ----------
    weights : array_like, shape (n,)
        Weights to start from (design weights), not negative.
    margins : sequence of Margin
        Their totals must agree.
    tolerance : float
    max_iterations : int
        Rounds.
    on_failure : {"raise", "flag"}
        What is done when the rounds are used up; ``"flag"`` returns weights with
        ``converged=False``.

    Returns
    -------
    Weighting

    Raises
    ------
    InputError
        Every problem at once: weights that are negative or not finite, missing labels, groups
        without a target or targets for groups where nobody is, totals that differ, groups of two
        margins that occur only with each other and have different totals.
    PerfmethodError
        The margins are not met (``on_failure="raise"``); names the group that is worst.

    Notes
    -----
    Only the cells of the cross-classification that occur are fitted, so time does not depend on
    the number of members once they are counted.

    References
    ----------
    Deming, W. E. and Stephan, F. F. (1940). On a least squares adjustment of a sampled frequency
    table when the expected marginal totals are known. *Annals of Mathematical Statistics* 11,
    427-444.

    R package survey, ``rake``, whose weights the tests reproduce.

    Examples
    --------
    >>> sex = Margin("sex", ["f", "f", "m", "m"], {"f": 60, "m": 40})
    >>> age = Margin("age", ["old", "young", "old", "young"], {"old": 30, "young": 70})
    >>> found = rake([1, 1, 1, 1], [sex, age])
    >>> found.weights.round(9).tolist(), found.converged
    ([18.0, 42.0, 12.0, 28.0], True)
    """
    problems = Problems("margins")
    base = check_weights(weights, problems)
    coded = coded_margins(base, margins, problems)
    raise_all(problems)
    cells = _cells(coded)
    by_cell = [replace(m, codes=c) for m, c in zip(coded, cells[1], strict=True)]
    check_contradictions(np.asarray(np.bincount(cells[0], base), float), by_cell, problems)
    raise_all(problems)
    return finish(_raked(base, coded, cells, tolerance, max_iterations), on_failure)


def post_stratify(weights: ArrayLike, margin: Margin) -> Weighting:
    """Weights that meet the totals of one margin: `rake` with a single margin, exact in one step.

    Parameters
    ----------
    weights : array_like, shape (n,)
    margin : Margin
        For a cross-classification give tuples as labels.

    Returns
    -------
    Weighting

    Raises
    ------
    InputError
        As in `rake`.

    References
    ----------
    Holt, D. and Smith, T. M. F. (1979). Post stratification. *Journal of the Royal Statistical
    Society A* 142, 33-46.

    Examples
    --------
    >>> post_stratify([1, 1, 2], Margin("sex", ["f", "f", "m"], {"f": 60, "m": 40})).weights
    array([30., 30., 40.])
    """
    problems = Problems("margins")
    base = check_weights(weights, problems)
    coded = coded_margins(base, [margin], problems)
    raise_all(problems)
    return _raked(base, coded, _cells(coded), 1e-12, 1, "post-stratification")


def _raked(
    base: Floats,
    margins: list[Coded],
    cells: tuple[Codes, Codes],
    tolerance: float,
    max_iterations: int,
    method: str = "raking",
) -> Weighting:
    rule = _Rule(tuple(margins), *cells, tolerance, max_iterations)
    factor, fit = rule.factors(base)
    weights = base * factor
    frozen(weights, base)
    return Weighting(
        weights, base, method, fit.error <= tolerance, fit.iterations, fit.error,
        rule.name(fit), tolerance, Constraints.of_margins(margins), None, rule,
    )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class _Rule:
    """Rakes weights of the same members again."""

    margins: tuple[Coded, ...]
    cell: Codes  # (n,)
    codes: Codes  # (k, c)
    tolerance: float
    max_iterations: int

    def __call__(self, weights: Floats) -> Floats:
        factor, fit = self.factors(weights)
        if fit.error > self.tolerance:
            raise PerfmethodError(
                f"found a replicate that cannot meet the total of {self.name(fit)[1]!r}; allowed: "
                "groups spread over several clusters"
            )
        return weights * factor

    def factors(self, weights: Floats) -> tuple[Floats, Fitted]:
        sums = np.asarray(np.bincount(self.cell, weights, self.codes.shape[1]), dtype=float)
        totals = [m.totals for m in self.margins]
        fit = fit_cells(sums, self.codes, totals, self.tolerance, self.max_iterations)
        ones = np.ones(len(sums))
        return np.divide(fit.cells, sums, out=ones, where=sums > 0)[self.cell], fit

    def name(self, fit: Fitted) -> tuple[str, str]:
        margin = self.margins[fit.worst[0]]
        return margin.name, str(margin.groups[fit.worst[1]])


def _cells(margins: Sequence[Coded]) -> tuple[Codes, Codes]:
    """Cell of each member (n,), and the group (k, c) of each cell in each margin."""
    cell, groups = _compact(margins[0].codes, len(margins[0].groups))
    codes = groups[None]
    for margin in margins[1:]:  # compressed each time, so that no product of sizes overflows
        many = len(margin.groups)
        cell, known = _compact(cell * many + margin.codes, codes.shape[1] * many)
        codes = np.concatenate([codes[:, known // many], (known % many)[None]])
    return cell, codes


def _compact(codes: Codes, size: int) -> tuple[Codes, Codes]:
    """Codes below `size` numbered without gaps (n,), and which of them occur."""
    if size > 8 * len(codes) + 1024:  # counting would cost more than sorting
        known, place = np.unique(codes, return_inverse=True)
        return place, known
    known = np.flatnonzero(np.bincount(codes, minlength=size))
    place = np.empty(size, dtype=np.intp)
    place[known] = np.arange(len(known))
    return place[codes], known


def fit_cells(
    sums: Floats, codes: Codes, totals: Sequence[Floats], tolerance: float, max_iterations: int
) -> Fitted:
    """Fit cells to the totals of every margin.

    Parameters
    ----------
    sums : ndarray, shape (c,)
        Cells before.
    codes : ndarray of int, shape (k, c)
        Group of each cell, margin by margin.
    totals : sequence of ndarray, each (g,)
    tolerance : float
    max_iterations : int
    """
    cells, best = sums.copy(), (np.inf, (0, 0))
    for iteration in range(1, max_iterations + 1):
        for k, (code, total) in enumerate(zip(codes, totals, strict=True)):
            have = np.bincount(code, cells, len(total))
            if not (have > 0).all():  # every weight of a group went to 0: no solution
                return Fitted(cells, iteration, np.inf, (k, int(np.argmin(have))))
            cells *= (total / have)[code]
        best = _worst(cells, codes, totals)
        if best[0] <= tolerance:
            return Fitted(cells, iteration, *best)
    return Fitted(cells, max_iterations, *best)


def _worst(cells: Floats, codes: Codes, totals: Sequence[Floats]) -> tuple[float, tuple[int, int]]:
    """Largest relative error, and where."""
    found = (-1.0, (0, 0))
    for k, (code, total) in enumerate(zip(codes, totals, strict=True)):
        off = np.abs(np.bincount(code, cells, len(total)) / total - 1)
        if off.max() > found[0]:
            found = (float(off.max()), (k, int(off.argmax())))
    return found
