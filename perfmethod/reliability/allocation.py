"""Whole numbers of ballots with the least cost for a bound on the error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError

__all__ = ["allocate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SLACK = 1e-9  # by which the bound may be exceeded: rounding
_SECONDS = 20.0


def allocate(
    squares: Floats, cost: Floats, bound: float, least: NDArray[np.int_], most: NDArray[np.int_]
) -> tuple[Ints, bool]:
    r"""Minimize :math:`\sum c_s n_s` subject to :math:`\sum a_s / n_s \le b` in whole numbers.

    Parameters
    ----------
    squares, cost : ndarray (s,)
        a and c, positive.
    bound : float
        b.
    least, most : ndarray of int (s,)
        Limits of n; the bound can be kept at the most.

    Returns
    -------
    ballots : ndarray of int64 (s,)
    optimal : bool
        Whether the solver proved that nothing is cheaper.

    Notes
    -----
    1/n is replaced by its chords between neighboring whole numbers, which are exact there; chords
    are added where a solution needs them, so that what is found is optimal for 1/n itself.

    References
    ----------
    Cochran, W. G. (1977). *Sampling Techniques*, 3rd ed. Wiley, section 5.5 (the allocation in
    real numbers, n proportional to the square root of a/c).

    Examples
    --------
    >>> allocate(np.array([1.0, 1.0]), np.array([1.0, 4.0]), 0.1, np.array([1, 1]),
    ...          np.array([99, 99]))
    (array([30, 15]), True)
    """
    real = np.sqrt(squares / cost) * (np.sqrt(squares * cost).sum() / bound)
    chords = {
        (s, int(n))
        for s, around in enumerate(np.clip(real, least, most))
        for n in range(max(int(around) - 3, int(least[s])), min(int(around) + 4, int(most[s])))
    }
    chords |= {(s, int(n)) for s, n in enumerate(least) if least[s] < most[s]}
    tightened = 1.0
    for _ in range(100):
        ballots, optimal = _solve(squares / bound, cost, sorted(chords), (least, most), tightened)
        excess = float((squares / ballots).sum()) / bound - 1
        if excess <= _SLACK:
            return ballots, optimal
        new = {(s, int(n) + d) for s, n in enumerate(ballots) for d in (-1, 0)}
        new = {(s, n) for s, n in new if least[s] <= n < most[s]} - chords
        if not new:  # within the solver's tolerance of a constraint
            tightened -= 1.5 * excess
        chords |= new
    raise PerfmethodError("allocation: found no solution in 100 rounds; allowed: wider limits")


def _solve(
    squares: Floats,
    cost: Floats,
    chords: list[tuple[int, int]],
    limits: tuple[NDArray[np.int_], NDArray[np.int_]],
    right: float,
) -> tuple[Ints, bool]:
    """Solve with the chords so far: unknowns are n and t, where t stands for m/n.

    m is the optimum in real numbers: with t near 1 all rows and unknowns are of the same size, and
    rounding n to whole numbers leaves HiGHS nothing to repair, which it would say on stdout.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    s = len(cost)
    place = np.array([c[0] for c in chords], int)
    n = np.array([c[1] for c in chords], float)
    real = np.clip(np.sqrt(squares / cost) * np.sqrt(squares * cost).sum(), *limits)
    # t / m >= 1/n - (x - n) / (n (n + 1)), in units of 1/n
    row = np.arange(len(chords))
    entries = np.concatenate([1 / (n + 1), n / real[place]])
    matrix = csr_array((entries, (np.tile(row, 2), np.concatenate([place, s + place]))),
                       shape=(len(chords), 2 * s))  # fmt: skip
    budget = np.concatenate([np.zeros(s), squares / real])[None]
    found = milp(
        np.concatenate([cost, np.zeros(s)]),
        integrality=np.repeat([1, 0], s),
        bounds=Bounds(np.concatenate([limits[0], real / limits[1]]),
                      np.concatenate([limits[1], real / limits[0]])),
        constraints=[LinearConstraint(matrix, lb=1 + n / (n + 1)),
                     LinearConstraint(budget, ub=right)],
        options={"mip_rel_gap": 0.0, "time_limit": _SECONDS},
    )  # fmt: skip
    if found.x is None:
        raise PerfmethodError(f"allocation: {found.message}")
    return np.rint(found.x[:s]).astype(np.int64), found.status == 0
