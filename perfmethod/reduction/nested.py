"""Answers of ballots within raters, reduced to tables that do not grow with either."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.integers import (
    added,
    check_bound,
    fused,
    gathered,
    interned,
    numbered,
    runs,
)

__all__ = ["NestedTables", "nested_tables"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class NestedTables:
    r"""All that a model with random effects of raters, and of ballots within them, needs.

    Eliminating a ballot with n answers leaves a weight that depends on n alone; eliminating its
    rater then leaves one that depends on the *type* of the rater, how many ballots of each size
    there are. So ballots are told apart by their *pattern* only (which cells they answer, and how
    often), raters by their type. For each type these tables hold :math:`\sum_r c_{rp} c_{rq}`,
    with :math:`c_{rp}` ballots of pattern p, and the products of these and of the totals
    :math:`T_{rn}` of a rater's ballots of size n.

    Everything is int64, and pieces add up to the same bits in any order, **provided that no rater
    stands in two of them**. The size is bounded by the different patterns and types, whatever the
    number of raters; ballots that answer everything have one pattern per unit, category and mode.

    Parameters
    ----------
    start, cell, times : ndarray of int64 (p + 1,), (e,), (e,)
        Patterns: cells of each (ascending) with their number of answers, and where they begin.
    ballots, totals : ndarray of int64 (p,)
        Ballots of each pattern, and the sum of their answers.
    sizes, ballot_squares : ndarray of int64 (s,)
        Different sizes of ballots; sum of squares of the totals of ballots of that size.
    types : ndarray of int64 (k, s)
        Ballots of each size that a rater of the type has.
    raters : ndarray of int64 (k,)
        Raters of each type.
    rater_totals : ndarray of int64 (k, s)
        Sum of :math:`T_{rn}` over raters.
    square_places, square_values : ndarray of int64 (3, f), (f,)
        Sums of :math:`T_{rn} T_{rm}` by type, n and m (places in `sizes`, n at most m).
    member_places, member_ballots : ndarray of int64 (2, g), (g,)
        Sums of :math:`c_{rp}` by type and pattern.
    cross_places, cross_values : ndarray of int64 (3, h), (h,)
        Sums of :math:`c_{rp} T_{rn}` by type, pattern and n.
    pair_places, pair_values : ndarray of int64 (3, i), (i,)
        Sums of :math:`c_{rp} c_{rq}` by type, p and q, p at most q.
    cells, counts, sums, squares : ndarray of int64 (m,)
        Cells that occur (codes of the caller), answers, their sum and their sum of squares.
    origin : int
        Taken from every answer before summing.
    """

    start: Ints
    cell: Ints
    times: Ints
    ballots: Ints
    totals: Ints
    sizes: Ints
    ballot_squares: Ints
    types: Ints
    raters: Ints
    rater_totals: Ints
    square_places: Ints
    square_values: Ints
    member_places: Ints
    member_ballots: Ints
    cross_places: Ints
    cross_values: Ints
    pair_places: Ints
    pair_values: Ints
    cells: Ints
    counts: Ints
    sums: Ints
    squares: Ints
    origin: int = 0

    def __post_init__(self) -> None:
        for table in self.tables().values():
            table.setflags(write=False)

    def tables(self) -> dict[str, Ints]:
        """All arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "origin"}

    @property
    def total(self) -> int:
        """Number of answers."""
        return int(self.counts.sum())

    @property
    def integers(self) -> int:
        """Number of integers held."""
        return sum(table.size for table in self.tables().values())

    @property
    def pattern_size(self) -> Ints:
        """Answers (p,) on a ballot of each pattern."""
        row = np.repeat(np.arange(len(self.ballots)), np.diff(self.start))
        return added(len(self.ballots), row, self.times)

    def __repr__(self) -> str:
        return (
            f"<NestedTables of {self.total} answers on {self.ballots.sum()} ballots of "
            f"{self.raters.sum()} raters: {len(self.ballots)} patterns, {len(self.raters)} types>"
        )

    def __add__(self, other: NestedTables) -> NestedTables:
        if not isinstance(other, NestedTables):
            return NotImplemented
        if self.origin != other.origin:
            raise PerfmethodError(
                f"tables to add: found origin {other.origin}; allowed: {self.origin}"
            )
        bound = sum(
            2 * np.abs(t.square_values.astype(float)).sum() + t.squares.astype(float).sum()
            for t in (self, other)
        )
        check_bound(float(bound), "squares of raters' totals")
        from perfmethod.reduction.merging import merged

        return merged(self, other)

    def shifted(self, by: int) -> NestedTables:
        """Tables of the answers less an integer: exact, and near the mean nothing cancels."""
        size, sizes = self.pattern_size, self.sizes
        place = np.searchsorted(sizes, size)
        of_size = [added(len(sizes), place, x) for x in (self.totals, self.ballots)]
        kind, n, m = self.square_places
        each = by * sizes * self.types  # taken from the total of a rater's ballots of a size
        squares = self.square_values - each[kind, n] * self.rater_totals[kind, m]
        squares -= each[kind, m] * self.rater_totals[kind, n]
        squares += each[kind, n] * each[kind, m] * self.raters[kind]
        at, pattern, s = self.cross_places
        members = self._members(at, pattern)
        return replace(
            self,
            totals=self.totals - by * size * self.ballots,
            ballot_squares=self.ballot_squares - 2 * by * sizes * of_size[0]
            + by**2 * sizes**2 * of_size[1],
            rater_totals=self.rater_totals - each * self.raters[:, None],
            square_values=squares,
            cross_values=self.cross_values - each[at, s] * members,
            sums=self.sums - by * self.counts,
            squares=self.squares - 2 * by * self.sums + by**2 * self.counts,
            origin=self.origin + by,
        )  # fmt: skip

    def _members(self, kind: Ints, pattern: Ints) -> Ints:
        """Ballots of patterns by raters of types, looked up."""
        p = len(self.ballots)
        known = self.member_places[0] * p + self.member_places[1]
        return self.member_ballots[np.searchsorted(known, kind * p + pattern)]


def nested_tables(
    rater: Ints, ballot: Ints, cell: Ints, count: Ints, total: Ints, square: Ints
) -> NestedTables:
    """Reduce sums of answers, one row for each ballot and cell.

    Parameters
    ----------
    rater, ballot, cell : ndarray of int64 (a,)
        Codes; a ballot has one rater. Rows of the same ballot and cell are added up.
    count, total, square : ndarray of int64 (a,)
        Answers, their sum and sum of squares.

    Examples
    --------
    >>> one = np.ones(3, int)
    >>> nested_tables(np.array([0, 0, 1]), np.array([0, 1, 2]), np.array([0, 1, 0]),
    ...               one, np.array([100, 75, 55]), np.array([10000, 5625, 3025]))
    <NestedTables of 3 answers on 3 ballots of 2 raters: 2 patterns, 2 types>
    """
    columns = _by_ballot(ballot, cell, (count, total, square), rater)
    (ballot, cell, rater), (count, total, square) = columns
    begin = runs(ballot)
    edges = np.append(begin, len(ballot)).astype(np.int64)
    owner = rater[begin]
    most = int(count.max(initial=0)) + 1
    pattern, first = interned(edges, cell * most + count)
    size, sums = (np.add.reduceat(x, begin) if len(begin) else x for x in (count, total))
    sizes, place = numbered(size)
    length = np.diff(edges)[first]
    taken = np.repeat(edges[first] - np.cumsum(length) + length, length) + np.arange(length.sum())
    cells, where = numbered(cell)
    check_bound(float(np.dot(sums.astype(float), sums)) + float(square.sum()), "squares of answers")
    p, s, m = len(first), len(sizes), len(cells)
    return NestedTables(
        start=np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        cell=cell[taken],
        times=count[taken],
        ballots=added(p, pattern, np.ones(len(pattern), np.int64)),
        totals=added(p, pattern, sums),
        sizes=sizes,
        ballot_squares=added(s, place, sums**2),
        cells=cells,
        counts=added(m, where, count),
        sums=added(m, where, total),
        squares=added(m, where, square),
        **_by_type(owner, pattern, place, sums, s),  # type: ignore[arg-type]
    )


def _by_ballot(
    ballot: Ints, cell: Ints, values: tuple[Ints, Ints, Ints], rater: Ints
) -> tuple[tuple[Ints, Ints, Ints], tuple[Ints, ...]]:
    """Rows in the order of ballots and cells, each combination once."""
    key = fused([ballot, cell], [int(x.max(initial=0)) + 1 for x in (ballot, cell)])
    step = np.diff(key)
    if len(key) and not (step > 0).all():
        order = np.argsort(key, kind="stable")
        start = runs(key[order])
        values = tuple(np.add.reduceat(x[order], start) for x in values)  # type: ignore[assignment]
        rows = order[start]
        ballot, cell, rater = ballot[rows], cell[rows], rater[rows]
    return (ballot, cell, rater), values


def _by_type(owner: Ints, pattern: Ints, place: Ints, totals: Ints, s: int) -> dict[str, Ints]:
    """Tables of raters by type; ballots have an owner, a pattern, a place in sizes, a total."""
    order = np.argsort(owner, kind="stable")
    pattern, place, totals = pattern[order], place[order], totals[order]
    rater = numbered(owner[order])[1]
    r = int(rater.max(initial=-1)) + 1
    slots, into = numbered(rater * s + place)  # sizes that a rater has
    who, which = np.divmod(slots, max(s, 1))
    number, total = (added(len(slots), into, x) for x in (np.ones_like(totals), totals))
    _check_totals(r, who, total)
    most = int(number.max(initial=0)) + 1
    edges = np.searchsorted(who, np.arange(r + 1)).astype(np.int64)
    kind, first = interned(edges, which * most + number)
    types = np.zeros((len(first), s), np.int64)
    own = first[kind[who]] == who
    types[kind[who[own]], which[own]] = number[own]
    rater_totals = added(len(first) * s, kind[who] * s + which, total).reshape(len(first), s)
    members = gathered(np.stack([kind[rater], pattern]), np.ones(len(rater), np.int64))
    squares = _squares(edges, kind, which, total)
    crosses = _crosses(edges, rater, kind, pattern, which, total)
    pairs = _pairs(rater, kind, pattern)
    return {
        "types": types,
        "raters": added(len(first), kind, np.ones(r, np.int64)),
        "rater_totals": rater_totals,
        "square_places": squares[0],
        "square_values": squares[1],
        "member_places": members[0],
        "member_ballots": members[1],
        "cross_places": crosses[0],
        "cross_values": crosses[1],
        "pair_places": pairs[0],
        "pair_values": pairs[1],
    }


def _check_totals(r: int, who: Ints, total: Ints) -> None:
    whole = np.bincount(who, np.abs(total), r)  # bounds every product by Cauchy and Schwarz
    check_bound(float(whole @ whole), "squares of raters' totals")


def _squares(edges: Ints, kind: Ints, which: Ints, total: Ints) -> tuple[Ints, Ints]:
    """Products of a rater's totals by sizes."""
    first, second, owner = _within(edges)
    places = np.stack([kind[owner], which[first], which[second]])
    return gathered(places, total[first] * total[second])


def _crosses(
    edges: Ints, rater: Ints, kind: Ints, pattern: Ints, which: Ints, total: Ints
) -> tuple[Ints, Ints]:
    """Ballots with the totals of their rater, by size."""
    each = np.diff(edges)[rater]  # slots of the ballot's rater
    row = np.repeat(np.arange(len(rater)), each)
    slot = edges[rater[row]] + np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    return gathered(np.stack([kind[rater[row]], pattern[row], which[slot]]), total[slot])


def _pairs(rater: Ints, kind: Ints, pattern: Ints) -> tuple[Ints, Ints]:
    """Pairs of ballots of one rater; of two different patterns in one order only."""
    edges = np.append(runs(rater), len(rater)).astype(np.int64)
    first, second, _ = _within(edges)
    p, q = pattern[first], pattern[second]
    twice = np.where((p == q) & (first != second), 2, 1)
    places = np.stack([kind[rater[first]], np.minimum(p, q), np.maximum(p, q)])
    return gathered(places, twice)


def _within(edges: Ints) -> tuple[Ints, Ints, Ints]:
    """Pairs (first <= second) of rows of the same group, and the group."""
    length = np.diff(edges)
    left = np.repeat(edges[1:], length) - np.arange(edges[-1] if len(edges) else 0)
    first = np.repeat(np.arange(len(left)), left)
    second = first + np.arange(len(first)) - np.repeat(np.cumsum(left) - left, left)
    return first, second, np.repeat(np.repeat(np.arange(len(length)), length), left)
