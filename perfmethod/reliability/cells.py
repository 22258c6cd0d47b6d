"""Combinations of the levels of facets, as integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest

__all__ = ["LARGEST", "Cells", "fuse", "placed", "split", "summed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST = 2**63 - 1


@dataclass(frozen=True, eq=False, repr=False)
class Cells:
    """Combinations of levels that occur, each once, in the order of their labels.

    Parameters
    ----------
    facets : tuple of str (f,)
        Names of the facets.
    levels : tuple of tuple, one per facet
        Labels that occur, sorted.
    codes : ndarray of int64 (f, m)
        Places of the labels of m cells; the first facet varies most slowly.
    """

    facets: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    codes: Ints

    def __len__(self) -> int:
        return int(self.codes.shape[1])

    def place(self, facet: str) -> int:
        """Return the place of a facet among the facets, or say which there are."""
        if facet not in self.facets:
            raise PerfmethodError(f"facet: found {facet!r}; allowed: {suggest(facet, self.facets)}")
        return self.facets.index(facet)

    def group(self, facets: Sequence[str]) -> tuple[Cells, Ints]:
        """Coarser cells over some of the facets, and the place (m,) of each cell among them."""
        if not facets:
            return Cells((), (), np.zeros((0, 1), np.int64)), np.zeros(len(self), np.int64)
        places = [self.place(facet) for facet in facets]
        sizes = [len(self.levels[i]) for i in places]
        keys, place = np.unique(fuse(self.codes[places], sizes), return_inverse=True)
        kept = tuple(self.levels[i] for i in places)
        return Cells(tuple(facets), kept, split(keys, sizes)), place.astype(np.int64)

    def labels(self) -> list[tuple[Any, ...]]:
        """Labels of every cell, in order."""
        columns = [[self.levels[i][k] for k in row] for i, row in enumerate(self.codes.tolist())]
        return list(zip(*columns, strict=True)) if columns else [()] * len(self)

    def joined(self, other: Cells) -> tuple[Cells, Ints, Ints]:
        """Cells of both, and where the cells of each stand among them."""
        if self.facets != other.facets:
            raise PerfmethodError(
                f"moments to add: found facets {', '.join(other.facets)}; "
                f"allowed: {', '.join(self.facets)}"
            )
        levels, parts = [], []
        for i in range(len(self.facets)):
            both, mine, its = joined_levels(self.levels[i], other.levels[i])
            levels.append(both)
            parts.append(np.concatenate([mine[self.codes[i]], its[other.codes[i]]]))
        sizes = [len(axis) for axis in levels]
        shape = (len(sizes), len(self) + len(other))
        key = fuse(np.array(parts, np.int64).reshape(shape), sizes)
        keys, place = np.unique(key, return_inverse=True)
        cells = Cells(self.facets, tuple(levels), split(keys, sizes))
        return cells, place[: len(self)], place[len(self) :]


def fuse(codes: Ints, sizes: Sequence[int]) -> Ints:
    """One integer per column of codes, in lexicographic order."""
    total = 1
    for size in sizes:
        total *= max(size, 1)
    if total > LARGEST:
        raise PerfmethodError(f"facets: found {total} combinations; allowed: below 2**63")
    key = np.zeros(codes.shape[1], np.int64)
    for code, size in zip(codes, sizes, strict=True):
        key = key * size + code
    return key


def split(keys: Ints, sizes: Sequence[int]) -> Ints:
    """Undo `fuse`."""
    codes = np.empty((len(sizes), len(keys)), np.int64)
    for i in reversed(range(len(sizes))):
        keys, codes[i] = np.divmod(keys, max(sizes[i], 1))
    return codes


def joined_levels(
    mine: tuple[Any, ...], its: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Ints, Ints]:
    if mine == its:
        same = np.arange(len(mine))
        return mine, same, same
    both = tuple(sorted({*mine, *its}))
    place = {label: i for i, label in enumerate(both)}
    a, b = (np.array([place[x] for x in axis], np.int64) for axis in (mine, its))
    return both, a, b


def placed(size: int, *parts: tuple[Ints, Ints]) -> Ints:
    """Integers added up at their places."""
    table = np.zeros(size, np.int64)
    for place, values in parts:
        np.add.at(table, place, values)
    return table


def summed(place: Ints, values: NDArray[Any], size: int) -> Floats:
    """Floats (size,) added up at their places."""
    return np.asarray(np.bincount(place, values, size), float)
