"""Apportionment: optimality by enumeration, a float twin, laws."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from perfmethod.grading import DIVISORS, METHODS, Apportionment, apportion

claims_ = st.lists(st.integers(1, 40), min_size=1, max_size=6)
seats_ = st.integers(0, 25)
method_ = st.sampled_from(sorted(METHODS))


def outcomes(table: Apportionment) -> set[tuple[int, ...]]:
    """Every table that some settlement of the tie gives."""
    return {table.settle(order).seats for order in itertools.permutations(table.tied)}


def compositions(seats: int, n: int) -> Iterator[tuple[int, ...]]:
    if n == 1:
        yield (seats,)
        return
    for first in range(seats + 1):
        yield from ((first, *rest) for rest in compositions(seats - first, n - 1))


# ---------------------------------------------------------------- optimality, by enumeration


@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.integers(0, 8), st.data())
def test_divisor_methods_satisfy_their_inequality(
    claims: list[int], seats: int, data: st.DataObject
) -> None:
    """All tables with max over j of p/d(s) <= min over i of p/d(s - 1), and only those."""
    squared = DIVISORS[name := data.draw(st.sampled_from(sorted(DIVISORS)))]

    def fits(table: tuple[int, ...]) -> bool:
        pairs = list(zip(claims, table, strict=True))
        got = [Fraction(squared(s - 1)) / p**2 for p, s in pairs if s]
        wanting = [Fraction(squared(s)) / p**2 for p, s in pairs]
        return max(got, default=Fraction(0)) <= min(wanting)

    optimal = {table for table in compositions(seats, len(claims)) if fits(table)}
    assert outcomes(apportion(claims, seats, name)) == optimal


def squared_error(claims: list[int], table: tuple[int, ...]) -> Fraction:
    total, seats = sum(claims), sum(table)
    rows = zip(claims, table, strict=True)
    return sum(((s - Fraction(seats * p, total)) ** 2 for p, s in rows), Fraction(0))


def webster_error(claims: list[int], table: tuple[int, ...]) -> Fraction:
    total, seats = sum(claims), sum(table)
    rows = zip(claims, table, strict=True)
    return sum(((s - Fraction(seats * p, total)) ** 2 / p for p, s in rows), Fraction(0))


def huntington_error(claims: list[int], table: tuple[int, ...]) -> Fraction | float:
    if not all(table):
        return math.inf
    return sum((Fraction(p * p, s) for p, s in zip(claims, table, strict=True)), Fraction(0))


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("hamilton", squared_error),  # Birkhoff 1976
        ("webster", webster_error),  # Sainte-Laguë 1910
        ("huntington_hill", huntington_error),  # Huntington 1928: least sum of (s - q)**2 / s
    ],
)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.integers(4, 9))
def test_least_error(method: str, error: Callable, claims: list[int], seats: int) -> None:
    tables = list(compositions(seats, len(claims)))
    least = min(error(claims, table) for table in tables)
    optimal = {table for table in tables if error(claims, table) == least}
    assert outcomes(apportion(claims, seats, method)) == optimal


@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.integers(4, 9))
def test_least_worst_claimant(claims: list[int], seats: int) -> None:
    """D'Hondt: least greatest seats per claim; Adams: least greatest claim per seat."""
    tables = list(compositions(seats, len(claims)))

    def most(table: tuple[int, ...]) -> Fraction:
        return max(Fraction(s, p) for p, s in zip(claims, table, strict=True))

    def dearest(table: tuple[int, ...]) -> float | Fraction:
        return max(Fraction(p, s) if s else math.inf for p, s in zip(claims, table, strict=True))

    for table in outcomes(apportion(claims, seats, "dhondt")):
        assert most(table) == min(map(most, tables))
    for table in outcomes(apportion(claims, seats, "adams")):
        assert dearest(table) == min(map(dearest, tables))


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(5, 15))
def test_dean_no_transfer_brings_claims_per_seat_closer(claims: list[int], seats: int) -> None:
    for table in outcomes(apportion(claims, seats, "dean")):
        for i, j in itertools.permutations(range(len(claims)), 2):
            if table[i] < 2:
                continue
            now = abs(Fraction(claims[i], table[i]) - Fraction(claims[j], table[j]))
            then = abs(Fraction(claims[i], table[i] - 1) - Fraction(claims[j], table[j] + 1))
            assert then >= now


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=8), seats_, st.data())
def test_float_twin(claims: list[int], seats: int, data: st.DataObject) -> None:
    """Seat by seat in floats, where no two priorities are close enough to need exactness."""
    method = data.draw(st.sampled_from(["webster", "dhondt"]))
    d = {"webster": lambda s: s + 0.5, "dhondt": lambda s: s + 1.0}[method]
    got = [0] * len(claims)
    for _ in range(seats):
        priorities = sorted((p / d(s) for p, s in zip(claims, got, strict=True)), reverse=True)
        assume(priorities[0] > priorities[1] * (1 + 1e-9))
        got[max(range(len(claims)), key=lambda i: claims[i] / d(got[i]))] += 1
    assert apportion(claims, seats, method).seats == tuple(got)


# ---------------------------------------------------------------- laws


@given(claims_, seats_, method_)
def test_every_seat_is_given_or_contested(claims: list[int], seats: int, method: str) -> None:
    table = apportion(claims, seats, method)
    assert sum(table.seats) + table.contested == seats
    assert sum(table.shares) == seats
    assert table.contested < len(table.tied) or (table.contested, table.tied) == (0, ())


@given(claims_, seats_, st.sampled_from(sorted(DIVISORS)))
def test_one_seat_more_takes_from_nobody(claims: list[int], seats: int, method: str) -> None:
    now, then = apportion(claims, seats, method), apportion(claims, seats + 1, method)
    assert all(a <= b for a, b in zip(now.seats, then.seats, strict=True))
    for table in outcomes(now):
        assert any(all(a <= b for a, b in zip(table, t, strict=True)) for t in outcomes(then))


@given(claims_, seats_)
def test_hamilton_stays_within_one_seat_of_the_share(claims: list[int], seats: int) -> None:
    table = apportion(claims, seats)
    assert table.shares == tuple(Fraction(seats * p, sum(claims)) for p in claims)
    for result in outcomes(table):
        pairs = zip(result, table.shares, strict=True)
        assert all(math.floor(q) <= s <= math.ceil(q) for s, q in pairs)


@given(claims_, seats_, method_, st.randoms(use_true_random=False))
def test_order_of_claimants_does_not_matter(
    claims: list[int], seats: int, method: str, random
) -> None:
    order = list(range(len(claims)))
    random.shuffle(order)
    table, moved = (apportion(c, seats, method) for c in (claims, [claims[i] for i in order]))
    assert moved.seats == tuple(table.seats[i] for i in order)
    assert {order[i] for i in moved.tied} == set(table.tied)
    assert moved.contested == table.contested
    assert moved.divisors == table.divisors


@given(claims_, seats_, method_, st.fractions(Fraction(1, 10**9), 10**9))
def test_scale_of_claims_does_not_matter(
    claims: list[int], seats: int, method: str, scale: Fraction
) -> None:
    assume(scale > 0)
    table, scaled = (
        apportion(claims, seats, method),
        apportion([scale * p for p in claims], seats, method),
    )
    assert dataclasses.replace(scaled, divisors=table.divisors) == table
    if table.divisors is not None and scaled.divisors is not None:
        assert scaled.divisors == pytest.approx(
            [float(scale) * d for d in table.divisors], rel=1e-12
        )


@given(claims_, seats_, method_)
def test_more_claim_never_fewer_seats_than_a_smaller_claim(
    claims: list[int], seats: int, method: str
) -> None:
    table = apportion(claims, seats, method)
    order = sorted(table.tied, key=lambda i: -claims[i])
    rows = sorted(zip(claims, table.settle(order).seats, strict=True))
    for (p, s), (q, t) in itertools.pairwise(rows):
        assert s <= t or p == q


@given(claims_, seats_, st.sampled_from(["webster", "dhondt", "adams"]))
def test_divisors_between_the_ends_give_the_seats(
    claims: list[int], seats: int, method: str
) -> None:
    table = apportion(claims, seats, method)
    assert table.divisors is not None
    low, high = table.divisors
    assert low <= high
    assert (low == high) or not table.tied
    assume(low < high * (1 - 1e-9) and high < math.inf)
    divisor = (low + high) / 2
    rounding = {"webster": lambda q: math.floor(q + 0.5), "dhondt": math.floor, "adams": math.ceil}
    assert table.seats == tuple(rounding[method](p / divisor) for p in claims)


@given(claims_, st.integers(1, 25))
def test_divisors_of_a_single_extra_seat(claims: list[int], seats: int) -> None:
    """The first claim out is the one the next seat goes to."""
    now, then = apportion(claims, seats, "dhondt"), apportion(claims, seats + 1, "dhondt")
    assume(not now.tied and not then.tied)
    winner = next(i for i, (a, b) in enumerate(zip(now.seats, then.seats, strict=True)) if a < b)
    assert now.divisors is not None
    assert now.divisors[0] == pytest.approx(claims[winner] / then.seats[winner], rel=1e-12)


bounded = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 3), st.none() | st.integers(3, 7)),
    min_size=1,
    max_size=5,
)


def limits(rows: list[tuple[int, int, int | None]], seats: int) -> tuple[list[int], list[int]]:
    low = [f for _, f, _ in rows]
    high = [f if p == 0 else seats + 1 if c is None else c for p, f, c in rows]
    assume(sum(low) <= seats <= sum(high))
    return low, high


@given(bounded, seats_, method_)
def test_floors_and_caps_are_kept(
    rows: list[tuple[int, int, int | None]], seats: int, method: str
) -> None:
    claims, floor, cap = (list(column) for column in zip(*rows, strict=True))
    low, high = limits(rows, seats)
    table = apportion(claims, seats, method, floor=floor, cap=cap)
    for result in outcomes(table):
        assert sum(result) == seats
        assert all(f <= s <= c for f, s, c in zip(low, result, high, strict=True))


@given(bounded, seats_)
def test_fair_shares_are_proportional_between_their_bounds(
    rows: list[tuple[int, int, int | None]], seats: int
) -> None:
    claims, floor, cap = (list(column) for column in zip(*rows, strict=True))
    low, high = limits(rows, seats)
    table = apportion(claims, seats, floor=floor, cap=cap)
    assert sum(table.shares) == seats
    rows_ = list(zip(claims, low, table.shares, high, strict=True))
    assert all(f <= q <= c for _, f, q, c in rows_)
    free = {q / p for p, f, q, c in rows_ if f < q < c}
    assert len(free) <= 1
    for rate in free:
        assert all(q == min(max(rate * p, f), c) for p, f, q, c in rows_)
    for result in outcomes(table):
        assert all(
            math.floor(q) <= s <= math.ceil(q) for s, q in zip(result, table.shares, strict=True)
        )


@given(bounded, st.integers(0, 9), st.sampled_from(sorted(DIVISORS)))
def test_bounded_divisor_methods_satisfy_their_inequality(
    rows: list[tuple[int, int, int | None]], seats: int, method: str
) -> None:
    claims, floor, cap = (list(column) for column in zip(*rows, strict=True))
    low, high = limits(rows, seats)
    squared = DIVISORS[method]

    def fits(table: tuple[int, ...]) -> bool:
        cells = list(zip(claims, low, table, high, strict=True))
        if not all(f <= s <= c for _, f, s, c in cells):
            return False
        got = [Fraction(squared(s - 1)) / p**2 for p, f, s, _ in cells if s > f]
        wanting = [Fraction(squared(s)) / p**2 for p, _, s, c in cells if s < c]
        return not got or not wanting or max(got) <= min(wanting)

    optimal = {table for table in compositions(seats, len(claims)) if fits(table)}
    assert outcomes(apportion(claims, seats, method, floor=floor, cap=cap)) == optimal
