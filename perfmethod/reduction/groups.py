"""Answers by random groups of raters: uncertainty of coefficients without the raters."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.integers import added, check_bound, gathered

__all__ = ["GroupTables", "group_of", "group_tables"]

Ints = NDArray[np.int64]


def group_of(raters: Iterable[str], groups: int) -> Ints:
    """Group of each rater by a checksum of its identifier: the same on every engine and machine.

    Examples
    --------
    >>> group_of(["R01-0001", "R01-0002"], 64).tolist()
    [5, 63]
    """
    return np.array([zlib.crc32(name.encode()) % groups for name in raters], np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class GroupTables:
    """Answers of each of g groups of raters, int64.

    A coefficient computed without each group in turn gives its standard error with whole raters
    as what is drawn (delete-a-group jackknife). A rater is always in the same group, so that these
    tables add up in any order also where pieces split raters.

    Parameters
    ----------
    answers : ndarray of int64 (g, u, d, o)
        Answers by unit, dimension and valid option.
    keys : ndarray of int64 (2, k)
        Groups, and which dimensions a ballot answers validly (bit j: dimension j), in order.
    ballots : ndarray of int64 (k,)
    sums : ndarray of int64 (k, d)
        Sums of the scores, as integers.
    products : ndarray of int64 (k, d (d + 1) / 2)
        Sums of products of scores, by pairs of dimensions i <= j.
    """

    answers: Ints
    keys: Ints
    ballots: Ints
    sums: Ints
    products: Ints

    def __post_init__(self) -> None:
        for table in (self.answers, self.keys, self.ballots, self.sums, self.products):
            table.setflags(write=False)

    def __add__(self, other: GroupTables) -> GroupTables:
        if not isinstance(other, GroupTables):
            return NotImplemented
        if self.answers.shape != other.answers.shape:
            raise PerfmethodError(
                f"tables to add: found shape {other.answers.shape} (groups, units, dimensions, "
                f"options); allowed: {self.answers.shape}"
            )
        bound = sum(np.abs(t.products.astype(float)).sum() for t in (self, other))
        check_bound(float(bound), "products of answers")
        keys = np.concatenate([self.keys, other.keys], axis=1)
        ones = np.ones(keys.shape[1], np.int64)
        found, _ = gathered(keys, ones)
        place = _looked_up(found, keys)

        def both(name: str) -> Ints:
            values = np.concatenate([getattr(self, name), getattr(other, name)])
            table = np.zeros((found.shape[1], *values.shape[1:]), np.int64)
            np.add.at(table, place, values)
            return table

        tables = (both(name) for name in ("ballots", "sums", "products"))
        return GroupTables(self.answers + other.answers, found, *tables)


def _looked_up(known: Ints, keys: Ints) -> Ints:
    """Place of each column of keys among the known ones."""
    size = int(max(known[1].max(initial=0), keys[1].max(initial=0))) + 1
    return np.searchsorted(known[0] * size + known[1], keys[0] * size + keys[1])


def group_tables(
    group: Ints, unit: Ints, answers: Ints, scores: Ints, valid: NDArray[np.bool_],
    shape: tuple[int, int],
) -> GroupTables:  # fmt: skip
    """Reduce ballots.

    Parameters
    ----------
    group, unit : ndarray of int64 (n,)
        Group of the ballot's rater, and unit.
    answers : ndarray of int64 (d, n)
        Places of options; -1 where not asked.
    scores : ndarray of int64 (o,)
    valid : ndarray of bool (o,)
    shape : tuple of int
        Groups g and units u.
    """
    g, u = shape
    d, options = len(answers), int(valid.sum())
    there = np.append(valid, False)[answers]  # (d, n)
    place = np.append(np.cumsum(valid) - 1, -1)[answers]
    table = np.empty((g, u, d, options), np.int64)
    for j in range(d):
        key = (group * u + unit)[there[j]] * options + place[j][there[j]]
        table[:, :, j] = np.bincount(key, minlength=g * u * options).reshape(g, u, options)
    mask = (there.astype(np.int64) << np.arange(d)[:, None]).sum(axis=0)
    keys, ballots = gathered(np.stack([group, mask]), np.ones(len(group), np.int64))
    where = _looked_up(keys, np.stack([group, mask]))
    x = np.where(there, np.append(scores, 0)[answers], 0)
    check_bound(float(np.abs(scores).max(initial=0)) ** 2 * len(group), "products of answers")
    size = keys.shape[1]
    sums = [added(size, where, row) for row in x]
    products = [added(size, where, x[i] * x[j]) for i in range(d) for j in range(i, d)]
    return GroupTables(table, keys, ballots, np.stack(sums, axis=1), np.stack(products, axis=1))
