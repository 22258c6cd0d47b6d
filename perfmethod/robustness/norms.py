"""Distances between weights, and the shortest change that satisfies linear constraints."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["NORMS", "Norm", "Shortest"]

Array = NDArray[np.float64]

TOLERANCE = 1e-10  # of the linear programs, the least that HiGHS takes
LARGE = 1e5  # times what is left of a constraint
SLACK = 1e-9  # length of a residual that counts as none
PIVOTS = 20  # steps of a linear program for each row and column, after which it is given up


class Shortest(NamedTuple):
    """The shortest change, or the proof that there is none.

    Parameters
    ----------
    change : ndarray (n,) or None
        None where the constraints exclude each other.
    multipliers : ndarray (m,)
        Weights of the rows, not negative and on any scale: no change that satisfies the rows is
        shorter than their weighted sum allows.
    """

    change: Array | None
    multipliers: Array


class Norm(NamedTuple):
    """A way to measure a change of weights.

    Parameters
    ----------
    size : callable
        Length of a change (n,).
    dual : callable
        ``dual(a, family)`` is the largest ``a @ d`` over changes d of length one that keep the sum
        of each family; for rows (..., n).
    shortest : callable
        ``shortest(rows, gaps, sums, sharp)``: of the changes d with ``rows @ d <= -gaps`` and
        ``sums @ d == 0`` a shortest one. The rows (m, n) have a dual norm of one, the greatest of
        the gaps (m,) is positive: no such change is shorter than it. Sharp: solved once more on
        what the solver's tolerances left, where there is such a tolerance.
    """

    size: Callable[[Array], float]
    dual: Callable[[Array, NDArray[np.intp]], Array]
    shortest: Callable[[Array, Array, Array, bool], Shortest]


class _Solved(NamedTuple):
    """Solution of a linear program and multipliers of its rows."""

    x: Array
    marginals: Array


def _program(
    matrix: Array, limit: Array, sums: Array, box: tuple[float, float], sharp: bool
) -> _Solved | None:
    """Greatest last variable, the others in the box, by linear programming; None if unsolved."""
    from scipy.optimize import linprog

    n = matrix.shape[1]
    bounds: Any = np.tile(box, (n, 1))
    bounds[-1] = 0.0, 2.0 / matrix[:, -1].max()  # the row of the greatest gap allows half of it
    pivots = {"maxiter": PIVOTS * sum(matrix.shape)}  # HiGHS can go round in circles
    tight = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    method: Any
    options: Any
    for method, options in (("highs", tight | pivots), ("highs", pivots), ("highs-ipm", pivots)):
        found: Any = linprog(-np.eye(n)[-1], matrix, limit, sums, np.zeros(len(sums)),
                             bounds=bounds, method=method, options=options)  # fmt: skip
        inside = found.status == 0 and (matrix @ found.x <= limit + 1e-7).all()
        if inside:
            solved = _Solved(found.x, found.ineqlin.marginals)
            return _sharpened(solved, matrix, limit, sums, bounds) if sharp else solved
    return None


def _sharpened(solved: _Solved, matrix: Array, limit: Array, sums: Array, bounds: Array) -> _Solved:
    """Solve for what is left of the constraints, enlarged, so that tolerances shrink."""
    from scipy.optimize import linprog

    n, x = matrix.shape[1], solved.x
    options: Any = {
        "maxiter": PIVOTS * sum(matrix.shape),
        "primal_feasibility_tolerance": TOLERANCE,
        "dual_feasibility_tolerance": TOLERANCE,
    }
    room: Any = LARGE * (bounds - x[:, None])
    found: Any = linprog(-np.eye(n)[-1], matrix, LARGE * (limit - matrix @ x), sums,
                         -LARGE * (sums @ x), bounds=room,
                         method="highs", options=options)  # fmt: skip
    if found.status != 0:
        return solved
    return _Solved(x + found.x / LARGE, found.ineqlin.marginals)


def _shortest_sum(rows: Array, gaps: Array, sums: Array, sharp: bool = False) -> Shortest:
    """Least sum of absolute changes: the change over its length is p - q, u is one over it."""
    one = np.append(np.ones(2 * rows.shape[1]), 0.0)
    matrix = np.vstack([one, np.hstack([rows, -rows, gaps[:, None]])])
    limit = np.append(1.0, np.zeros(len(rows)))
    pad = np.zeros((len(sums), 1))
    found = _program(matrix, limit, np.hstack([sums, -sums, pad]), (0.0, 1.0), sharp)
    if found is None:
        n = rows.shape[1]
        wide, sum_ = np.hstack([rows, -rows]), np.hstack([sums, -sums])
        return _plain(np.ones(2 * n), wide, -gaps, sum_, (rows, gaps, sums))
    up, down = found.x[:-1].reshape(2, -1)
    return _scaled(up - down, float(found.x[-1]), -found.marginals[1:])


def _shortest_largest(rows: Array, gaps: Array, sums: Array, sharp: bool = False) -> Shortest:
    """Least largest change: the change over its length is in a box, u is one over it."""
    matrix = np.hstack([rows, gaps[:, None]])
    pad = np.zeros((len(sums), 1))
    found = _program(matrix, np.zeros(len(rows)), np.hstack([sums, pad]), (-1.0, 1.0), sharp)
    if found is None:
        n = rows.shape[1]
        up, down = np.eye(n + 1)[:n], np.eye(n + 1)[n]  # the change itself, moved up by the bound
        both = np.vstack([np.hstack([rows, -rows.sum(-1, keepdims=True)]), up - 2 * down])
        limit, level = np.append(-gaps, np.zeros(n)), np.hstack([sums, -sums.sum(-1)[:, None]])
        return _plain(down, both, limit, level, (rows, gaps, sums))
    return _scaled(found.x[:-1], float(found.x[-1]), -found.marginals)


def _plain(
    cost: Array, matrix: Array, limit: Array, level: Array, asked: tuple[Array, Array, Array]
) -> Shortest:
    """Solve the program as it stands, where that on the scale of the answer was not solved."""
    from scipy.optimize import linprog

    found: Any = linprog(cost, matrix, limit, level, np.zeros(len(level)), method="highs")
    m, n = asked[0].shape
    if found.status != 0:  # what keeps all changes away keeps them away in any norm
        return _shortest_euclidean(*asked)
    change = found.x[:n] - (found.x[n:] if cost[0] else found.x[n])
    return Shortest(change, np.maximum(-found.ineqlin.marginals[:m], 0.0))


def _scaled(change: Array, u: float, multipliers: Array) -> Shortest:
    weights = np.maximum(multipliers, 0.0)
    return Shortest(change / u if u > SLACK else None, weights)


def _shortest_euclidean(rows: Array, gaps: Array, sums: Array, sharp: bool = False) -> Shortest:
    """Least distance programming by non-negative least squares, in the plane of the sums."""
    from scipy.optimize import nnls

    g = -(rows - (rows @ sums.T) / sums.sum(-1) @ sums)
    dual, _ = nnls(np.vstack([g.T, gaps]), np.append(np.zeros(g.shape[1]), 1.0))
    rest = np.append(g.T @ dual, gaps @ dual - 1.0)
    if np.linalg.norm(rest) <= SLACK or rest[-1] == 0:  # that is minus the square of its length
        return Shortest(None, dual)
    on = dual > 0
    step = np.linalg.lstsq(g[on], gaps[on], rcond=None)[0]  # exactly on the active ones
    if (g @ step < gaps - SLACK).any():
        step = -rest[:-1] / rest[-1]
    return Shortest(step, dual)


def _by_family(a: Array, family: NDArray[np.intp], measure: Callable[[Array], Any]) -> Array:
    if (family == family[0]).all():
        return np.asarray(measure(a))[None]
    return np.stack([measure(a[..., family == code]) for code in np.unique(family)])


def _spread(a: Array) -> Any:
    return np.linalg.norm(a - a.mean(-1, keepdims=True), axis=-1)


def _scatter(a: Array) -> Any:
    half = a.shape[-1] // 2  # what is above the median less what is below it
    if not half:
        return np.zeros(a.shape[:-1])
    cut = np.partition(a, (half - 1, a.shape[-1] - half), -1)
    return cut[..., -half:].sum(-1) - cut[..., :half].sum(-1)


NORMS: MappingProxyType[str, Norm] = MappingProxyType(
    {
        "l1": Norm(
            lambda d: float(np.abs(d).sum()),
            lambda a, family: _by_family(a, family, lambda x: np.ptp(x, axis=-1) / 2).max(0),
            _shortest_sum,
        ),
        "l2": Norm(
            lambda d: float(np.linalg.norm(d)),
            lambda a, family: np.sqrt((_by_family(a, family, _spread) ** 2).sum(0)),
            _shortest_euclidean,
        ),
        "linf": Norm(
            lambda d: float(np.abs(d).max()),
            lambda a, family: _by_family(a, family, _scatter).sum(0),
            _shortest_largest,
        ),
    }
)
