"""How sure contrasts between units are under a plan of who rates whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["ContrastErrors", "contrast_errors", "linked_design", "summarize_contrasts"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class ContrastErrors(NamedTuple):
    """Standard errors of contrasts between groups.

    Parameters
    ----------
    within, within_worst : float
        Root mean square and largest of the contrasts inside groups; NaN where no group has two
        units.
    cross, cross_worst : float
        The same between groups; infinite where some cannot be estimated.
    ratings : int
    parts : int
        Parts of the graph of raters and units.
    """

    within: float
    within_worst: float
    cross: float
    cross_worst: float
    ratings: int
    parts: int


def contrast_errors(incidence: ArrayLike, sigma: float = 1.0) -> Array:
    """Standard error of every contrast of two units in the additive model rating = unit + rater.

    Parameters
    ----------
    incidence : array_like (r, u)
        How often each rater rates each unit.
    sigma : float, default 1
        Standard deviation of a single rating's error.

    Returns
    -------
    ndarray (u, u)
        Zero on the diagonal; infinite where no chain of ratings joins the two units.

    Raises
    ------
    DataError
        If an entry is negative or not finite, the matrix is empty, or `sigma` is not positive.

    Notes
    -----
    Once the raters are swept out, the information on the units is the Laplacian of a graph with
    weights ``sum_r n_ri n_rj / n_r``, and the squared errors are its effective resistances.

    References
    ----------
    Searle, *Linear Models* (1971), 7.4; Bapat, *Graphs and Matrices* (2nd ed. 2014), ch. 10.

    Examples
    --------
    >>> contrast_errors([[1, 1, 0], [1, 1, 0]]).round(3).tolist()
    [[0.0, 1.0, inf], [1.0, 0.0, inf], [inf, inf, 0.0]]
    """
    n = np.asarray(incidence, dtype=float)
    problems = Problems("linking")
    if n.ndim != 2 or n.size == 0:
        problems.add(f"shape {n.shape}", "raters x units", column="incidence")
    elif not np.isfinite(n).all() or (n < 0).any():
        problems.add("an entry that is negative or not finite", "counts", column="incidence")
    if not (np.isfinite(sigma) and sigma > 0):
        problems.add(f"sigma {sigma:g}", "above 0", column="sigma")
    problems.raise_any(DataError)
    rated = n[n.sum(axis=1) > 0]
    laplacian = np.diag(rated.sum(axis=0)) - (rated / rated.sum(axis=1)[:, None]).T @ rated
    part = _parts(n)
    found = np.full(laplacian.shape, np.inf)
    for k in np.unique(part):
        at = np.flatnonzero(part == k)
        # a constant added to the Laplacian makes it regular and changes no contrast
        inverse = np.linalg.inv(laplacian[np.ix_(at, at)] + 1 / len(at))
        d = np.diag(inverse)
        squares = np.maximum(d[:, None] + d - 2 * inverse, 0.0)
        np.fill_diagonal(squares, 0.0)
        found[np.ix_(at, at)] = sigma * np.sqrt(squares)
    return found


def _parts(n: Array) -> NDArray[np.int32]:
    """Part of the graph of each unit (u,)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    joined = csr_array(((n.T @ n) > 0).astype(float))
    label: NDArray[np.int32] = connected_components(joined, directed=False)[1]
    return label


def linked_design(
    sizes: Sequence[int],
    raters: int = 7,
    *,
    common: int = 0,
    ring: int = 0,
    units: int | None = None,
) -> tuple[Ints, Ints]:
    """Plan of who rates whom: each panel its group, plus what links the groups.

    Parameters
    ----------
    sizes : sequence of int (g,)
        Units in each group.
    raters : int, default 7
        Members of each panel.
    common : int, default 0
        Further raters who rate in every group.
    ring : int, default 0
        Members of each panel who also rate in the next group (the last panel: in the first).
    units : int, optional
        How many units of a group those who link rate there, the first ones; by default all.

    Returns
    -------
    incidence : ndarray of int (r, u)
    groups : ndarray of int (u,)

    Raises
    ------
    DataError
        If a number is impossible; all of them are named.

    Examples
    --------
    >>> linked_design([2, 1], raters=1, common=1)[0].tolist()
    [[1, 1, 0], [0, 0, 1], [1, 1, 1]]
    """
    problems = Problems("linking")
    if len(sizes) < 2 or min(sizes) < 1:
        problems.add(f"groups of {list(sizes)}", "2 groups or more, of 1 or more", column="sizes")
    if raters < 1:
        problems.add(f"{raters} raters", "1 or more", column="raters")
    if common < 0:
        problems.add(f"{common} common raters", "0 or more", column="common")
    if not 0 <= ring <= raters:
        problems.add(f"{ring} raters in a ring", f"0 to {raters}, the panel", column="ring")
    if units is not None and units < 1:
        problems.add(f"{units} units", "1 or more", column="units")
    problems.raise_any(DataError)
    group = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([np.arange(n) for n in sizes])
    linked = place < (max(sizes) if units is None else units)
    rows = []
    for g in range(len(sizes)):
        own, next_one = group == g, (group == (g + 1) % len(sizes)) & linked
        rows += [own | next_one if r < ring else own for r in range(raters)]
    rows += [linked] * common
    return np.array(rows).astype(np.int64), group


def summarize_contrasts(
    incidence: ArrayLike, groups: Sequence[object] | ArrayLike, sigma: float = 1.0
) -> ContrastErrors:
    """Errors of contrasts inside groups and between them.

    Parameters
    ----------
    incidence : array_like (r, u)
    groups : sequence (u,)
    sigma : float, default 1

    Returns
    -------
    ContrastErrors

    Raises
    ------
    DataError
        As in `contrast_errors`, or if the groups do not fit the units.

    Examples
    --------
    >>> found = summarize_contrasts(*linked_design([4, 9, 9], common=1))
    >>> round(found.within, 3), round(found.cross_worst, 3), found.ratings
    (0.5, 0.752, 176)
    """
    n, name = np.asarray(incidence), np.asarray(groups, dtype=object)
    errors = contrast_errors(n, sigma)
    problems = Problems("linking")
    if len(name) != len(errors):
        problems.add(f"{len(name)} groups", f"{len(errors)}, one for each unit", column="groups")
    elif len(set(name)) < 2:
        problems.add(f"{len(set(name))} group", "2 or more", column="groups")
    problems.raise_any(DataError)
    same = name[:, None] == name
    upper = np.triu(np.ones(errors.shape, dtype=bool), 1)
    inside, between = errors[same & upper], errors[~same & upper]
    if not inside.size:
        inside = np.array([np.nan])
    return ContrastErrors(
        float(np.sqrt((inside**2).mean())), float(inside.max()),
        float(np.sqrt((between**2).mean())), float(between.max()), int(n.sum()),
        len(np.unique(_parts(np.asarray(n, dtype=float)))),
    )  # fmt: skip
