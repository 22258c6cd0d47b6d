"""The nearest weights that put some totals above others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.levels import Search, search_levels
from perfmethod.robustness.norms import NORMS
from perfmethod.robustness.polytope import Polytope, Rows, extent
from perfmethod.robustness.programs import Programs
from perfmethod.robustness.ratios import Ratios

__all__ = ["KEPT", "Meeting", "defined", "flip_bounds", "nearest_meeting"]

Array = NDArray[np.float64]

KEPT = 1e-3  # a unit keeps at least this part of the weight that now lies on what it has
SAME = 1e-9  # points


class Meeting(NamedTuple):
    """Nearest weights found, and what is proven of them.

    Parameters
    ----------
    distance : float
        Infinite where no weights of the set do it.
    lower : float
        No weights nearer than this do it.
    share : ndarray (n,) or None
    solves : int
        Linear or least-distance programs solved.
    """

    distance: float
    lower: float
    share: Array | None
    solves: int


def flip_bounds(
    totals: Ratios, share: ArrayLike, pairs: ArrayLike, norm: str, family: ArrayLike
) -> Array:
    r"""Distance at which pairs could tie at the earliest, if no bound on the weights were active.

    For two totals with a linear difference :math:`a \cdot w` this is :math:`a \cdot w_0` over the
    dual norm of *a* on changes that keep the sums: half the range of *a* (l1), the length of *a*
    less its mean (l2), the sum of absolute differences from its median (linf). With different
    denominators it is the least distance at which both totals can reach one level, each alone.

    Parameters
    ----------
    totals : Ratios
    share : array_like (n,)
    pairs : array_like of int (p, 2)
        The unit above, the unit below.
    norm : {"l1", "l2", "linf"}
    family : array_like of int (n,)

    Returns
    -------
    ndarray (p,)
        Lower bounds; infinite where no weights make a difference.

    References
    ----------
    Mangasarian, "Arbitrary-norm separating plane", *Operations Research Letters* 24 (1999), 15-23.

    Examples
    --------
    >>> r = Ratios.of([[90.0, 60.0, 50.0], [70.0, 80.0, 60.0]])
    >>> flip_bounds(r, [0.5, 0.3, 0.2], [[0, 1]], "l1", [0, 0, 0]).round(6).tolist()
    [0.1]
    """
    w, codes = np.asarray(share, float), np.asarray(family, np.intp)
    upper, lower = np.asarray(pairs, np.intp).reshape(-1, 2).T
    const, num, den = totals.one()
    now = totals.at(w)

    def reach(units: NDArray[np.intp], level: Array, sign: float) -> Array:
        a = num[units] + (const[units] - level)[:, None] * den[units]
        return _over(sign * (a @ w), NORMS[norm].dual(a, codes))

    low, high = now[lower].copy(), now[upper].copy()
    for _ in range(60):  # the level at which both are equally far
        middle = (low + high) / 2
        far = reach(upper, middle, 1.0) > reach(lower, middle, -1.0)
        low, high = np.where(far, middle, low), np.where(far, high, middle)
    found = np.minimum(reach(upper, low, 1.0), reach(lower, high, -1.0))
    for p, (i, j) in enumerate(zip(upper, lower, strict=True)):
        line = totals.difference(int(i), int(j))
        if line is not None:
            found[p] = _over(line[0] @ w, NORMS[norm].dual(line[0], codes))
    return np.maximum(found, 0.0)


def _over(gap: Array, dual: Array) -> Array:
    gap, dual = np.asarray(gap), np.asarray(dual)
    out = np.where(gap > SAME, np.inf, 0.0)
    return np.divide(gap, dual, out=out, where=dual > SAME)


def nearest_meeting(
    totals: Ratios,
    share: ArrayLike,
    above: Sequence[int],
    below: Sequence[int],
    polytope: Polytope,
    norm: str = "l1",
    *,
    margin: float = 0.0,
    cutoff: float = np.inf,
    gap: float = 1e-9,
    first: bool = False,
    near: Array | None = None,
) -> Meeting:
    r"""Find the nearest weights at which some totals reach some others.

    Where every two totals have a common denominator (blocks; any level at which the units have the
    same children) this is one linear program, or one least-distance program for "l2". Otherwise
    the level :math:`\tau` at which the totals meet is the only thing that keeps the problem from
    being one: for a fixed level :math:`T_i(w) \le \tau \le T_j(w)` is linear in w. All levels are
    covered by bounds that the multipliers of a few such programs give (`levels`): the result is
    exact up to the relative `gap`, proven.

    Parameters
    ----------
    totals : Ratios
        One ratio per unit at most.
    share : array_like (n,)
        Where the search starts; has to lie in the set.
    above, below : sequence of int
        Units whose totals shall be at least those of the others; on one side it is a single unit.
    polytope : Polytope
    norm : {"l1", "l2", "linf"}
    margin : float
        Points by which they shall be higher.
    cutoff : float
        Nothing at this distance or farther is of interest.
    gap : float
        Relative distance between the result and its proven lower bound.
    first : bool
        Be content with any weights, however far: the question is whether there are some.
    near : ndarray (n,), optional
        Weights near which to look first.

    Returns
    -------
    Meeting
        Weights that leave a unit concerned less than a thousandth of the weight that lies on what
        it has are left out: there its total is not defined.

    References
    ----------
    Konno, Yajima & Matsui, "Parametric simplex algorithms for solving a special class of nonconvex
    minimization problems", *Journal of Global Optimization* 1 (1991), 65-81; Falk & Palocsay,
    "Optimizing the sum of linear fractional functions" (1992), for the search over an image level.

    Examples
    --------
    >>> r = Ratios.of([[90.0, 60.0], [80.0, np.nan]])
    >>> found = nearest_meeting(r, [0.8, 0.2], [1], [0], Polytope.of(2))
    >>> round(found.distance, 6), found.share.round(6).tolist()
    (0.266667, [0.666667, 0.333333])
    """
    if len(above) != 1 and len(below) != 1:
        raise ValueError(f"found {len(above)} units above {len(below)}; allowed: one on a side")
    w = np.asarray(share, float)
    side = 1.0 if len(below) == 1 else -1.0
    (hub,), spokes = (below, above) if side > 0 else (above, below)
    concerned = totals.take([hub, *spokes])
    others = tuple(range(1, len(spokes) + 1))
    search = Search(concerned, w, 0, others, side, defined(concerned, w, polytope), norm, margin)
    if search.lead(w) >= 0:
        return Meeting(0.0, 0.0, w, 0)
    rows, mixed = _shared(search)
    narrowed = search.polytope.restricted(rows)
    if mixed:
        narrow = search._replace(polytope=narrowed)
        return Meeting(*search_levels(narrow, cutoff, gap, first, near))
    programs = Programs(search.polytope, w, norm)
    scale = NORMS[norm].dual(rows.matrix, search.polytope.family)
    found = programs.nearest(rows.matrix, scale)
    proven = programs.proven(found, rows.matrix)
    exact = proven >= min(found.distance, programs.farthest) * (1 - gap)
    return Meeting(
        found.distance, found.distance if exact else proven, found.share, programs.solves
    )


def defined(totals: Ratios, share: ArrayLike, polytope: Polytope) -> Polytope:
    """Weights that leave every unit at least a thousandth of what now lies on what it has.

    A total whose weights are all zero is not defined, and near there it can jump.

    Parameters
    ----------
    totals : Ratios
        Those that are constant are undefined, too, where all weights of the unit are zero.
    share : array_like (n,)
        Nominal weights.
    polytope : Polytope
    """
    den = np.unique(totals.den.reshape(-1, totals.den.shape[-1]), axis=0)
    partial = den[(den == 0).any(-1)]
    partial = partial / (partial @ np.asarray(share, float))[:, None]
    partial = partial[extent(polytope, partial)[0] < KEPT]  # the rest holds anyway
    return polytope.restricted(Rows(-partial, np.full(len(partial), -KEPT)))


def _shared(search: Search) -> tuple[Rows, bool]:
    """Rows of the spokes that share the hub's denominator, and whether there are others."""
    rows, mixed = [], False
    for j in search.spokes:
        line = search.totals.difference(search.hub, j)
        mixed |= line is None
        if line is not None:
            gap, den = line
            rows.append((search.side * gap + search.margin * den) / (den @ search.share))
    return Rows(np.reshape(rows, (len(rows), search.share.size)), np.zeros(len(rows))), mixed
