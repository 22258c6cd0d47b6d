"""Loops over draws, written for a compiler; as plain functions they are their own slow twins.

Shapes: ``k`` draws, ``u`` units, ``p`` pools, ``s`` steps. Every array that is written is given by
the caller. They work on whole numbers, but for `pack_keys`, `pack_single`, `unit_floats` and
`scale_rows`, whose operations are each rounded once however they are run, and for `count_sure`,
which leaves open whatever its rounding could decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HALF",
    "STEP",
    "count_above",
    "count_places",
    "count_sure",
    "fill_places",
    "pack_keys",
    "pack_single",
    "put_back",
    "read_keys",
    "scale_rows",
    "unit_floats",
]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Singles = NDArray[np.float32]
Keys = NDArray[np.int32]
Units = NDArray[np.uint16]
Bools = NDArray[np.bool_]

HALF, STEP = np.float32(0.5), np.float32(2.0**-32)
LOWER = np.uint64(2**32 - 1)


def pack_keys(total: Array, parts: float, low: Ints, bits: int, keys: Ints) -> None:
    """One whole number for each unit of each draw, by which they are sorted.

    Parameters
    ----------
    total : ndarray (k, u)
    parts : float
        Parts of a point in which totals are compared.
    low : ndarray (u,)
        What stands in a unit's key besides its total.
    bits : int
        How far the total stands above the unit's position.
    keys : ndarray (k, u)
        Written.
    """
    k, u = total.shape
    for i in range(k):
        row, out = total[i], keys[i]
        for j in range(u):
            out[j] = (np.int64(np.rint(row[j] * -parts)) << bits) + low[j]


def read_keys(keys: Ints, bits: int, units: Units, tied: Bools) -> None:
    """Unit at each sorted place, and whether neighbors differ in the position alone.

    Parameters
    ----------
    keys : ndarray (k, u)
        Sorted in each draw.
    bits : int
        How many of a key's last bits are the unit's position.
    units : ndarray (k, u)
        Written.
    tied : ndarray (k,)
        Written.
    """
    k, u = keys.shape
    mask, limit = (1 << bits) - 1, 1 << bits
    for i in range(k):
        row, out = keys[i], units[i]
        equal = 0
        for j in range(u):
            out[j] = row[j] & mask
        for j in range(1, u):
            equal += (row[j] ^ row[j - 1]) < limit
        tied[i] = equal > 0


def put_back(units: Units, values: NDArray[Any], out: NDArray[Any]) -> None:
    """Values (u,) by sorted place as values by unit, (k, u)."""
    k, u = units.shape
    for i in range(k):
        for j in range(u):
            out[i, units[i, j]] = values[j]


def count_places(
    units: Units, places: Ints, away: Ints, left_out: Bools, counts: Ints, shift: Ints
) -> None:
    """Count who holds which place, and how far each draw is from the nominal ranks.

    Parameters
    ----------
    units : ndarray (k, u)
    places : ndarray (u,)
        Of each sorted place, from 0.
    away : ndarray (r, u)
        Distance of each place from the nominal one.
    left_out : ndarray (k,)
        Draws that are not counted.
    counts : ndarray (r, u)
        Added to.
    shift : ndarray (k,)
        Written: sums of distances.
    """
    k, u = units.shape
    for i in range(k):
        row = units[i]
        moved, one = 0, 0 if left_out[i] else 1
        for j in range(u):
            unit = row[j]
            moved += away[places[j], unit]
            counts[places[j], unit] += one
        shift[i] = moved


def count_above(rank: NDArray[np.int16], wins: Ints) -> None:
    """Count in how many draws a unit ranks above another.

    Parameters
    ----------
    rank : ndarray of int16 (u, k)
    wins : ndarray (u, u)
        Written.
    """
    u, k = rank.shape
    for i in range(u):
        mine = rank[i]
        for j in range(i):
            theirs = rank[j]
            above, below = 0, 0
            for d in range(k):
                above += mine[d] < theirs[d]
                below += mine[d] > theirs[d]
            wins[i, j], wins[j, i] = above, below
        wins[i, i] = 0


def fill_places(
    units: Units,
    pool: Ints,
    ceiling: Ints,
    reach: Bools,
    places: Ints,
    limited: Bools,
    burn: bool,
    grade: NDArray[np.int8],
) -> None:
    """Grades where no two units of a pool tie: in each step the best left fill the places.

    Parameters
    ----------
    units : ndarray (k, u)
        Unit at each sorted place.
    pool : ndarray (u,)
        Pool of each sorted place.
    ceiling : ndarray (u,)
        Best step each unit may hold.
    reach : ndarray (s, k, u) or (s, 1, 1)
        Whether a unit's total is enough for each step but the last.
    places : ndarray (s, k, p) or (s, 1, p)
        Places of each such step.
    limited : ndarray (s,)
        Whether the step has places.
    burn : bool
        Whether a place that a unit may not hold stays unfilled.
    grade : ndarray (k, u)
        Written, by unit.
    """
    k, u = units.shape
    burnt = np.zeros(u, np.bool_)
    used = np.zeros(places.shape[2], np.int64)
    each, alone = places.shape[1] > 1, reach.shape[1] == 1 and reach.shape[2] == 1
    steps = len(limited)
    for d in range(k):
        grade[d, :] = steps
        burnt[:] = False
        row = d if each else 0
        for s in range(steps):
            used[:] = 0
            for j in range(u):
                unit = units[d, j]
                enough = reach[s, 0, 0] if alone else reach[s, d, unit]
                if grade[d, unit] < steps or not enough:
                    continue
                allowed = ceiling[unit] <= s
                if not allowed and (not limited[s] or not burn or burnt[unit]):
                    continue
                if limited[s]:
                    used[pool[j]] += 1
                    if used[pool[j]] > places[s, row, pool[j]]:
                        continue
                if allowed:
                    grade[d, unit] = s
                else:
                    burnt[unit] = True


def unit_floats(state: Words, out: Singles) -> None:
    """Numbers on (0, 1], two from each word of the generator SFC64, the lower half first.

    Parameters
    ----------
    state : ndarray of uint64 (4,)
        Of the generator; moved on.
    out : ndarray (2 n,)
        Written.

    References
    ----------
    Doty-Humphrey, *PractRand* (2014); the same words as `numpy.random.SFC64`.
    """
    a, b, c, count = state
    one, right, left = np.uint64(1), np.uint64(11), np.uint64(3)
    turn, back, half = np.uint64(24), np.uint64(40), np.uint64(32)
    for i in range(0, len(out), 2):
        word = a + b + count
        count += one
        a = b ^ (b >> right)
        b = c + (c << left)
        c = ((c << turn) | (c >> back)) + word
        out[i] = (np.float32(np.uint32(word & LOWER)) + HALF) * STEP
        out[i + 1] = (np.float32(np.uint32(word >> half)) + HALF) * STEP
    state[0], state[1], state[2], state[3] = a, b, c, count


def scale_rows(values: Array, factor: Array) -> None:
    """Multiply each row of values (n, c) by its factor (n,)."""
    n, c = values.shape
    for i in range(n):
        times = factor[i]
        for j in range(c):
            values[i, j] *= times


def pack_single(sums: Singles, parts: np.float32, bits: int, keys: Keys) -> None:
    """One whole number for each unit of each draw, from sums in single precision.

    Parameters
    ----------
    sums : ndarray (k, u + 1)
        The last column is not used.
    parts : float
        Parts of a sum that are counted; negative, so that the largest sum comes first.
    bits : int
        How far they stand above the unit's position.
    keys : ndarray (k, u)
        Written.
    """
    k, u = keys.shape
    for i in range(k):
        row, out = sums[i], keys[i]
        for j in range(u):
            out[j] = (np.int32(row[j] * parts) << bits) + j


def count_sure(
    keys: Keys,
    bits: int,
    near: int,
    weights: Singles,
    utilities: Array,
    total: Singles,
    most: float,
    apart: float,
    counts: Ints,
    unsure: Bools,
) -> None:
    """Count who holds which place in the draws whose order is sure.

    Parameters
    ----------
    keys : ndarray (k, u)
        Sorted in each draw.
    bits : int
        How many of a key's last bits are the unit's position.
    near : int
        Neighbors whose keys differ by no more are compared by their utilities.
    weights : ndarray (k, c)
    utilities : ndarray (u, c)
    total : ndarray (k,)
        Sums of the weights.
    most : float
        Draws with a larger sum are not sure.
    apart : float
        Weighted means that differ by no more leave a draw unsure.
    counts : ndarray (u, u)
        By place and unit, added to.
    unsure : ndarray (k,)
        Written.
    """
    (k, u), c = keys.shape, weights.shape[1]
    mask = (1 << bits) - 1
    for i in range(k):
        row, close = keys[i], 0
        for j in range(1, u):
            close += row[j] - row[j - 1] <= near
        sure = total[i] < most
        if close > 0 and sure:
            for j in range(1, u):
                if row[j] - row[j - 1] <= near:
                    weight, ahead = weights[i], 0.0
                    above, below = utilities[row[j - 1] & mask], utilities[row[j] & mask]
                    for q in range(c):
                        ahead += weight[q] * (above[q] - below[q])
                    sure = sure and ahead > apart * total[i]
        unsure[i] = not sure
        if sure:
            for j in range(u):
                counts[j, row[j] & mask] += 1
