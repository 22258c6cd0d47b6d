"""Adding tables of pieces: places are looked up in the union, values are added."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfmethod.reduction.integers import added, gathered, interned
from perfmethod.reduction.nested import NestedTables

__all__ = ["merged"]

Ints = NDArray[np.int64]
Pair = tuple[Ints, Ints]


def merged(a: NestedTables, b: NestedTables) -> NestedTables:
    """Tables of both; same bits in whichever order, and however often pieces were cut."""
    patterns, (start, cell, times) = _patterns(a, b)
    sizes, at = _union(a.sizes, b.sizes)
    kinds, types = _types((a, b), at, len(sizes))
    cells, where = _union(a.cells, b.cells)
    p, s, k, m = len(start) - 1, len(sizes), len(types), len(cells)

    def both(size: int, places: Pair, x: Ints, y: Ints) -> Ints:
        return added(size, places[0], x) + added(size, places[1], y)

    def sparse(name: str, *maps: Pair) -> tuple[Ints, Ints]:
        prefix = {"member_ballots": "member"}.get(name, name.split("_")[0])
        places = [
            np.array([m[i][row] for m, row in zip(maps, rows, strict=True)])
            for i, rows in enumerate(getattr(t, f"{prefix}_places") for t in (a, b))
        ]
        values = np.concatenate([getattr(a, name), getattr(b, name)])
        return gathered(np.concatenate(places, axis=1), values)

    return NestedTables(
        start,
        cell,
        times,
        both(p, patterns, a.ballots, b.ballots),
        both(p, patterns, a.totals, b.totals),
        sizes,
        both(s, at, a.ballot_squares, b.ballot_squares),
        types,
        both(k, kinds, a.raters, b.raters),
        _totals((a, b), kinds, at, (k, s)),
        *sparse("square_values", kinds, at, at),
        *sparse("member_ballots", kinds, patterns),
        *sparse("cross_values", kinds, patterns, at),
        *sparse("pair_values", kinds, patterns, patterns),
        cells,
        both(m, where, a.counts, b.counts),
        both(m, where, a.sums, b.sums),
        both(m, where, a.squares, b.squares),
        a.origin,
    )


def _totals(
    tables: tuple[NestedTables, NestedTables], kinds: Pair, at: Pair, shape: tuple[int, int]
) -> Ints:
    """Totals of raters by type and size."""
    totals = np.zeros(shape, np.int64)
    for table, kind, place in zip(tables, kinds, at, strict=True):
        np.add.at(totals, (kind[:, None], place[None]), table.rater_totals)
    return totals


def _union(mine: Ints, its: Ints) -> tuple[Ints, Pair]:
    """Codes of both, and where those of each stand among them."""
    found = np.union1d(mine, its).astype(np.int64)
    return found, (np.searchsorted(found, mine), np.searchsorted(found, its))


def _patterns(a: NestedTables, b: NestedTables) -> tuple[Pair, tuple[Ints, Ints, Ints]]:
    """Numbers of the patterns of each among those of both, and the patterns of both."""
    cell, times = (np.concatenate([getattr(t, n) for t in (a, b)]) for n in ("cell", "times"))
    edges = np.concatenate([a.start, a.start[-1] + b.start[1:]])
    number, first = interned(edges, cell * (int(times.max(initial=0)) + 1) + times)
    length = np.diff(edges)[first]
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    taken = np.repeat(edges[first] - start[:-1], length) + np.arange(start[-1])
    mine = len(a.start) - 1
    return (number[:mine], number[mine:]), (start, cell[taken], times[taken])


def _types(tables: tuple[NestedTables, NestedTables], at: Pair, s: int) -> tuple[Pair, Ints]:
    """Numbers of the types of each among those of both, and the types of both."""
    rows = []
    for table, place in zip(tables, at, strict=True):
        wide = np.zeros((len(table.types), s), np.int64)
        wide[:, place] = table.types
        rows.append(wide)
    types = np.concatenate(rows)
    kind, which = np.nonzero(types)
    edges = np.searchsorted(kind, np.arange(len(types) + 1)).astype(np.int64)
    number = types[kind, which]
    numbers, first = interned(edges, which * (int(number.max(initial=0)) + 1) + number)
    mine = len(tables[0].types)
    return (numbers[:mine], numbers[mine:]), types[first]
