"""How the ballots of a survey lie over units, categories, modes and raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.integers import added, runs

__all__ = ["Design", "design_tables"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Design:
    """Numbers of ballots that describe a design, int64.

    `ballots` and `by_size` add up also where pieces split raters.

    Parameters
    ----------
    ballots : ndarray of int64 (u, c, m)
        Ballots with a valid answer.
    by_size : ndarray of int64 (u, d + 1)
        Ballots by number of valid answers.
    reach : ndarray of int64 (k,)
        By class of units: sum over raters of ballots times different units, of that class and with
        a valid answer.
    repeated : ndarray of int64 (2,)
        Raters with several ballots on one unit, counted by unit, where an answer is valid; and
        ballots too many.
    raters : ndarray of int64 (d,)
        Raters with a valid answer on each dimension.
    """

    ballots: Ints
    by_size: Ints
    reach: Ints
    repeated: Ints
    raters: Ints

    def __post_init__(self) -> None:
        for table in (self.ballots, self.by_size, self.reach, self.repeated, self.raters):
            table.setflags(write=False)

    def __add__(self, other: Design) -> Design:
        if not isinstance(other, Design):
            return NotImplemented
        for name in ("ballots", "by_size", "reach"):
            mine, its = getattr(self, name).shape, getattr(other, name).shape
            if mine != its:
                raise PerfmethodError(f"tables to add: found {name} {its}; allowed: {mine}")
        return Design(
            self.ballots + other.ballots,
            self.by_size + other.by_size,
            self.reach + other.reach,
            self.repeated + other.repeated,
            self.raters + other.raters,
        )


def design_tables(
    rater: Ints, place: tuple[Ints, Ints, Ints], there: NDArray[np.bool_], unit_class: Ints,
    shape: tuple[int, int, int, int],
) -> Design:  # fmt: skip
    """Count ballots of raters who stand in no other piece.

    Parameters
    ----------
    rater : ndarray of int64 (n,)
    place : tuple of ndarray of int64 (n,)
        Unit, category and mode of each ballot.
    there : ndarray of bool (d, n)
        Whether each dimension has a valid answer.
    unit_class : ndarray of int64 (u,)
    shape : tuple of int
        Units, categories, modes, dimensions.
    """
    u, c, m, d = shape
    valid = there.sum(axis=0)
    by_size = added(u * (d + 1), place[0] * (d + 1) + valid, np.ones(len(rater), np.int64))
    kept = valid > 0
    unit, category, mode = (x[kept] for x in place)
    ballots = np.bincount((unit * c + category) * m + mode, minlength=u * c * m)
    key = np.sort(rater[kept] * u + unit)
    start = runs(key)
    each = np.diff(np.append(start, len(key)))  # ballots of a rater on a unit
    owner, rated = np.divmod(key[start], u)
    k = int(unit_class.max()) + 1
    members, place_of = np.unique(owner * k + unit_class[rated], return_inverse=True)
    per_rater = added(len(members), place_of, each)
    units = np.bincount(place_of, minlength=len(members))
    return Design(
        ballots.reshape(u, c, m).astype(np.int64),
        by_size.reshape(u, d + 1),
        added(k, members % k, per_rater * units),
        np.array([(each > 1).sum(), (each - 1).sum()], np.int64),
        np.array([np.count_nonzero(np.bincount(rater[row])) for row in there], np.int64),
    )
