"""Sets of weights: simplices with bounds and an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Polytope", "Rows", "extent", "minimize", "vertices"]

Array = NDArray[np.float64]


class Rows(NamedTuple):
    """Linear constraints ``matrix @ w <= limit``."""

    matrix: Array  # (m, n)
    limit: Array  # (m,)

    def and_also(self, other: Rows) -> Rows:
        """Both sets of constraints."""
        return Rows(np.vstack([self.matrix, other.matrix]), np.append(self.limit, other.limit))


@dataclass(frozen=True)
class Polytope:
    """Weights within bounds and linear constraints, each family of them summing to one.

    Parameters
    ----------
    lower, upper : ndarray (n,)
    rows : Rows
        Further constraints.
    family : ndarray of int (n,)
        Code of the family of each weight; the weights of one family sum to one.

    Examples
    --------
    Three weights of at least 0.2, the first not below the second:

    >>> Polytope.of(3, lower=0.2, order=[0, 1]).contains([0.5, 0.3, 0.2])
    True
    """

    lower: Array
    upper: Array
    rows: Rows
    family: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        n: int,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
        order: Sequence[int] = (),
        family: ArrayLike | None = None,
    ) -> Polytope:
        """Build from bounds and an order.

        Parameters
        ----------
        n : int
            Number of weights.
        lower, upper : array_like, broadcastable to (n,)
        order : sequence of int
            Positions of weights, each at least as large as the next.
        family : array_like of int (n,), optional
            All one family by default.

        Raises
        ------
        ValueError
            If nothing satisfies the constraints.
        """
        low = np.clip(np.broadcast_to(np.asarray(lower, float), n), 0.0, 1.0)
        high = np.clip(np.broadcast_to(np.asarray(upper, float), n), 0.0, 1.0)
        matrix = np.zeros((max(len(order) - 1, 0), n))
        for i, (first, second) in enumerate(pairwise(order)):
            matrix[i, first], matrix[i, second] = -1.0, 1.0
        codes = np.zeros(n, np.intp) if family is None else np.asarray(family, np.intp)
        made = cls(low, high, Rows(matrix, np.zeros(len(matrix))), codes)
        if made.some_point() is None:
            raise ValueError(
                f"found no weights within lower {low.tolist()}, upper {high.tolist()} and the "
                f"order {list(order)}; allowed: constraints that weights summing to 1 can satisfy"
            )
        return made

    @property
    def sums(self) -> Array:
        """Matrix (f, n) whose product with the weights is one."""
        return (self.family == np.unique(self.family)[:, None]).astype(float)

    def contains(self, weights: ArrayLike, slack: float = 1e-7) -> bool:
        """Whether weights satisfy every constraint, up to rounding."""
        w = np.asarray(weights, float)
        return bool(
            (w >= self.lower - slack).all()
            and (w <= self.upper + slack).all()
            and (np.abs(self.sums @ w - 1) <= slack).all()
            and (self.rows.matrix @ w <= self.rows.limit + slack).all()
        )

    def some_point(self) -> Array | None:
        """Any point of the set; None where it is empty."""
        return minimize(self, np.zeros(self.lower.size), self.rows)

    def restricted(self, rows: Rows) -> Polytope:
        """The part that satisfies further constraints."""
        return Polytope(self.lower, self.upper, self.rows.and_also(rows), self.family)


def minimize(polytope: Polytope, cost: Array, rows: Rows) -> Array | None:
    """Minimize a linear function over a polytope and further rows.

    Parameters
    ----------
    polytope : Polytope
    cost : ndarray (n + m,)
        Of the weights, and of m further variables that are not negative.
    rows : Rows
        On all variables; they stand instead of the polytope's own.

    Returns
    -------
    ndarray (n,) or None
        The weights; None where nothing satisfies the constraints.
    """
    from scipy.optimize import linprog

    n, extra = polytope.lower.size, cost.size - polytope.lower.size
    sums = np.hstack([polytope.sums, np.zeros((len(polytope.sums), extra))])
    free = [(0.0, None)] * extra
    found: Any = linprog(
        cost, rows.matrix, rows.limit, sums, np.ones(len(sums)),
        bounds=[*zip(polytope.lower, polytope.upper, strict=True), *free], method="highs",
    )  # fmt: skip
    if found.status == 2:
        return None
    if found.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {found.message}")
    return np.asarray(found.x[:n])


def extent(polytope: Polytope, functions: ArrayLike) -> tuple[Array, Array]:
    """Least and greatest value of linear functions over a set of weights.

    Within bounds alone the best weights are greedy: every weight starts at its lower bound and the
    rest of the sum goes to the best coefficients first (a continuous knapsack). With further
    constraints each value is a linear program.

    Parameters
    ----------
    polytope : Polytope
    functions : array_like (..., n)

    Returns
    -------
    least, greatest : ndarray (...)

    References
    ----------
    Dantzig, "Discrete-variable extremum problems", *Operations Research* 5 (1957), 266-277.

    Examples
    --------
    >>> [float(x) for x in extent(Polytope.of(3, upper=0.5), [90.0, 80.0, 60.0])]
    [70.0, 85.0]
    """
    a = np.asarray(functions, float)
    if not len(polytope.rows.limit):
        return -_greedy(polytope, -a), _greedy(polytope, a)
    flat = a.reshape(-1, a.shape[-1])
    ends = np.array([[f @ _sure(minimize(polytope, s * f, polytope.rows)) for s in (1, -1)]
                     for f in flat]).reshape(*a.shape[:-1], 2)  # fmt: skip
    return ends[..., 0], ends[..., 1]


def _sure(point: Any) -> Array:
    if point is None:
        raise ValueError("found no weights that satisfy the constraints; allowed: a set of some")
    return np.asarray(point)


def _greedy(polytope: Polytope, a: Array) -> Array:
    value = a @ polytope.lower
    for code in np.unique(polytope.family):
        mine = polytope.family == code
        room = polytope.upper[mine] - polytope.lower[mine]
        order = np.argsort(-a[..., mine], -1)
        room_sorted = room[order]
        before = np.cumsum(room_sorted, -1) - room_sorted
        given = np.clip(1.0 - polytope.lower[mine].sum() - before, 0.0, room_sorted)
        value = value + (np.take_along_axis(a[..., mine], order, -1) * given).sum(-1)
    return np.asarray(value)


def vertices(polytope: Polytope) -> Array:
    """All corners of a small set of weights, by solving every choice of active constraints.

    Exponential in the number of weights: for up to about six of them. The slow, obvious way to
    what `extent` and the integer programs find, and the corners themselves where few weights make
    them readable.

    Parameters
    ----------
    polytope : Polytope

    Returns
    -------
    ndarray (v, n)

    Examples
    --------
    Weights in a given order have the averages of the first 1, 2, 3 unit vectors as corners, whose
    mean is the rank-order centroid:

    >>> vertices(Polytope.of(3, order=[0, 1, 2])).mean(0).round(4).tolist()
    [0.6111, 0.2778, 0.1111]
    """
    n, sums = polytope.lower.size, polytope.sums
    eye = np.eye(n)
    matrix = np.vstack([eye, -eye, polytope.rows.matrix])
    limit = np.concatenate([polytope.upper, -polytope.lower, polytope.rows.limit])
    found: list[Array] = []
    for chosen in combinations(range(len(limit)), n - len(sums)):
        system = np.vstack([sums, matrix[list(chosen)]])
        if np.linalg.matrix_rank(system) < n:
            continue
        point = np.linalg.solve(system, np.append(np.ones(len(sums)), limit[list(chosen)]))
        if polytope.contains(point) and not any(np.allclose(point, p) for p in found):
            found.append(point)
    return np.array(found).reshape(-1, n)
