"""Units of many draws sorted by one sort of integers, and who needs the full rules.

A total is compared to `SAME` decimals, so it is a whole number of billionths; together with the
unit's pool and position it fits one 64-bit integer, and sorting these integers ranks every draw.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.compiled import ready
from perfmethod.core import BLOCK
from perfmethod.scoring.run import SAME

__all__ = ["Order", "Sorter", "copies"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNIT = 10.0**SAME  # totals are compared in these parts of a point
MOST = 2**16  # units that two bytes can tell apart
SHORT = 256  # rows up to this length are stored once for every draw of a block

# a number of size below HALF added to this is rounded to a whole one, which the last bits then are
MAGIC = 1.5 * 2.0**52
HALF = 2.0**51
_BITS = int(np.float64(MAGIC).view(np.int64))
_FAR = 2**63 - 1


def copies(values: NDArray[Any], k: int) -> NDArray[Any]:
    """Values (u,) once for each of k draws.

    Stored where rows are short: going from row to row would cost more than the arithmetic.
    """
    if len(values) > SHORT or k > BLOCK:
        return np.broadcast_to(values, (k, len(values)))
    return _stored(values.tobytes(), values.dtype.str)[:k]


@lru_cache(maxsize=16)
def _stored(data: bytes, kind: str) -> NDArray[Any]:
    stored = np.tile(np.frombuffer(data, kind), (BLOCK, 1))
    stored.setflags(write=False)
    return stored


class Order(NamedTuple):
    """Units sorted in every draw, and the draws that need the full rules."""

    units: NDArray[Any]  # (k, u) unit at each sorted place
    places: NDArray[np.int16]  # (u,) place in its pool, from 1, of each sorted place
    tied: Bools  # (k,)

    def cells(self) -> Ints:
        """Place in the pool and unit as one number, (k, u): ``(place - 1) u + unit``."""
        k, u = self.units.shape
        rows = copies((self.places.astype(np.int64) - 1) * u, k)
        return np.add(self.units, rows, out=np.empty((k, u), np.int64))

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (k, u) or (u,) by sorted place as values by unit, (k, u)."""
        k, u = self.units.shape
        out = np.empty((k, u), dtype=values.dtype)
        loops = ready()
        if loops is not None and values.ndim == 1 and self.units.dtype == np.uint16:
            loops.put_back(self.units, values, out)
            return out
        out.reshape(-1)[self.units + np.arange(0, k * u, u)[:, None]] = values
        return out


class Sorter(NamedTuple):
    """How a key is packed: pool, then total downward, then the unit's position."""

    low: Ints  # (u,) what stands in a unit's key besides its total
    bits: int  # of the position
    room: float  # totals must be smaller than this
    pool: Ints  # (u,) pool of a sorted place
    start: Ints  # (u,) sorted place at which that pool begins
    places: NDArray[np.int16]  # (u,) place in its pool, from 1, of each sorted place

    @classmethod
    def of(cls, codes: NDArray[Any]) -> Sorter:
        """For the pools of the units, codes (u,)."""
        u = len(codes)
        bits = (u - 1).bit_length()
        span = min(62 - bits - int(codes.max()).bit_length(), 51)
        low = (((codes.astype(np.int64) << (span + 1)) + (1 << span)) << bits) + np.arange(u)
        sizes = np.bincount(codes)
        pool = np.sort(codes).astype(np.int64)
        start = (np.cumsum(sizes) - sizes)[pool]
        places = (np.arange(1, u + 1) - start).astype(np.int16)
        return cls(low, bits, 2.0**span / UNIT, pool, start, places)

    def sort(self, total: Array) -> Order:
        """Sort the units of every draw; totals too large for the key count as tied."""
        if not (total.max() < self.room and total.min() > -self.room):
            everyone = np.broadcast_to(np.argsort(self.low), total.shape)
            return Order(everyone, self.places, np.ones(len(total), dtype=bool))
        loops = ready()
        if loops is None or len(self.low) > MOST:
            key = self._keys(total)
            key.sort(axis=-1)
            tied = self._tied(key)
            key &= (1 << self.bits) - 1
            return Order(key, self.places, tied)
        key, units = np.empty(total.shape, np.int64), np.empty(total.shape, np.uint16)
        tied = np.empty(len(total), dtype=bool)
        loops.pack_keys(np.ascontiguousarray(total), UNIT, self.low, self.bits, key)
        key.sort(axis=-1)
        loops.read_keys(key, self.bits, units, tied)
        return Order(units, self.places, tied)

    def _keys(self, total: Array) -> Ints:
        parts = np.multiply(total, -UNIT, out=np.empty(total.shape))
        parts += MAGIC
        key = parts.view(np.int64)
        key <<= self.bits  # what is lost above comes back from below: sums are modulo 2 ** 64
        lost = (_BITS << self.bits) % 2**64
        key += copies((self.low.view(np.uint64) - np.uint64(lost)).view(np.int64), len(key))
        return key

    def _tied(self, key: Ints) -> Bools:
        """Draws in which two sorted neighbors differ in the unit alone, (k,)."""
        k, u = key.shape
        flat = key.reshape(-1)
        apart = np.empty(k * u, np.int64)
        np.bitwise_xor(flat[1:], flat[:-1], out=apart[1:])
        apart[::u] = _FAR  # the first of a draw and the last of the one before
        tied = np.zeros(k, dtype=bool)
        if apart.min() < 1 << self.bits:
            tied[np.flatnonzero(apart < 1 << self.bits) // u] = True
        return tied
