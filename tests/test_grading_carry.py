"""Remainders carried over the years: Hamilton's method where nothing is owed, laws, refusals."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfmethod.grading import Apportionment, apportion, apportion_carried, carry_over, lot

GROUPS = [4, 9, 9, 9, 9, 9]


def in_order(year: int, table: Apportionment) -> range:
    """Serve the first listed: what programs do that do not see a tie."""
    return range(len(table.seats))


def test_five_years_of_six_groups() -> None:
    # measured for the same groups and 13 places: every group within .31 of its quota after five
    # years; the fourth year gives the group of four nothing
    found = carry_over([GROUPS] * 5, 13, settle=in_order)
    assert max(abs(float(b)) for b in found.balances[-1]) == pytest.approx(15 / 49)
    assert [year[0] for year in found.seats] == [1, 1, 2, 0, 1]
    assert [sum(column) for column in zip(*found.seats, strict=True)] == [5, 12, 12, 12, 12, 12]


def test_without_memory_the_list_decides_for_years() -> None:
    year = apportion(GROUPS, 13).settle(range(6)).seats
    assert [5 * s for s in year] == [5, 15, 15, 10, 10, 10]
    assert 5 * float(apportion(GROUPS, 13).shares[1]) == pytest.approx(11.94, abs=0.005)


def test_a_floor_keeps_the_small_group_in() -> None:
    found = carry_over([GROUPS] * 5, 13, floor=1, settle=in_order)
    assert min(year[0] for year in found.seats) == 1
    assert all(sum(year) == 13 for year in found.seats)


rows_ = st.lists(st.integers(1, 12), min_size=2, max_size=6)


@given(rows_, st.integers(0, 12), st.data())
def test_nothing_owed_is_hamilton(claims: list[int], seats: int, data: st.DataObject) -> None:
    floor = data.draw(st.integers(0, seats // len(claims)))
    cap = data.draw(st.none() | st.integers(max(floor, -(-seats // len(claims))), 12))
    mine = apportion_carried(claims, seats, [0] * len(claims), floor=floor, cap=cap)
    assert mine == apportion(claims, seats, "hamilton", floor=floor, cap=cap)


@given(rows_, st.integers(0, 5), st.integers(1, 6))
def test_all_years_together_are_one_apportionment(claims: list[int], more: int, years: int) -> None:
    seats = -(-sum(claims) // min(claims)) + more  # a place or more for everybody, every year
    found = carry_over([claims] * years, seats, settle=in_order)
    so_far = list(accumulate(found.seats, lambda a, b: tuple(map(sum, zip(a, b, strict=True)))))
    for year, given_ in enumerate(so_far, start=1):
        shares = [Fraction(year * seats * p, sum(claims)) for p in claims]
        assert sum(given_) == year * seats
        assert sum(found.balances[year]) == 0
        for s, q, b in zip(given_, shares, found.balances[year], strict=True):
            assert b == q - s
        assert all(abs(b) < 1 for b in found.balances[year])
        together = apportion(claims, year * seats)
        if not together.tied:
            assert given_ == together.seats


def test_small_shares_can_be_owed_a_whole_place() -> None:
    found = carry_over([[1, 1, 1, 3]] * 4, 1, settle=in_order)
    assert max(max(b) for b in found.balances) >= 1
    assert all(sum(b) == 0 for b in found.balances)


@given(rows_, st.integers(0, 12), st.data())
def test_targets_move_at_one_rate_between_their_bounds(
    claims: list[int], seats: int, data: st.DataObject
) -> None:
    n = len(claims)
    balance = st.fractions(Fraction(-3), Fraction(3), max_denominator=12)
    owed = data.draw(st.lists(balance, min_size=n, max_size=n))
    floor = data.draw(st.integers(0, seats // n))
    cap = data.draw(st.integers(max(floor, -(-seats // n)), 15))
    table = apportion_carried(claims, seats, owed, floor=floor, cap=cap)
    assert sum(table.shares) == seats
    assert sum(table.seats) + table.contested == seats
    assert all(floor <= q <= cap for q in table.shares)
    free = {(q - b) / p for q, b, p in zip(table.shares, owed, claims, strict=True)
            if floor < q < cap}  # fmt: skip
    assert len(free) <= 1
    for rate in free:
        rows = zip(table.shares, owed, claims, strict=True)
        assert all(q == min(max(rate * p + b, floor), cap) for q, b, p in rows)
    pairs = zip(table.seats, table.shares, strict=True)
    assert all(math.floor(q) <= s <= math.ceil(q) for s, q in pairs)


def test_a_float_balance_is_the_fraction_that_was_meant() -> None:
    exact = [Fraction(-30, 49), Fraction(19, 49), Fraction(11, 49)]
    floats = [float(b) for b in exact]
    assert apportion_carried([9, 9, 9], 4, floats) == apportion_carried([9, 9, 9], 4, exact)
    tied = apportion_carried([9, 9, 9], 4, [19 / 49, 1 - 30 / 49, -0.5])
    assert tied.tied == (0, 1)  # 19/49 and 1 - 30/49 are one number, whatever the floats say


def test_contested_places_stay_owed() -> None:
    found = carry_over([[9, 9, 4]] * 2, 4)
    # five places are owed and four are there: all targets shrink at one rate, to 1.86, 1.86, 0.27
    assert found.seats == ((1, 1, 1), (2, 2, 0))
    assert found.contested == (1, 0)
    assert sum(found.balances[1]) == 1
    assert [len(found.seats), len(found.balances)] == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(claims=[1, 2], seats=1, carried=[0]), "carried has 1 entries; 2 claims"),
        (dict(claims=[1, 2], seats=1, carried=[0, math.nan]), "balance 1 is nan; a finite"),
        (dict(claims=[1, 2], seats=1, carried=["x", 0]), "balance 0 is 'x'; a finite"),
        (dict(claims=[1, -2], seats=1, carried=[0, 0]), "claim 1 is -2"),
        (dict(claims=[1, 2], seats=1, carried=[0, 0], floor=1), "the floors take 2"),
    ],
)
def test_refusals(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apportion_carried(**arguments)


def test_years_must_have_the_same_claimants() -> None:
    with pytest.raises(ValueError, match=r"claims of \[2, 3\] claimants"):
        carry_over([[1, 2], [1, 2, 3]], 2)


# ---------------------------------------------------------------- lots


def test_a_lot_does_not_see_the_list() -> None:
    names = [f"G{i}" for i in range(8)]
    drawn = [names[i] for i in lot(names, 2009)]
    assert sorted(drawn) == names
    assert [names[::-1][i] for i in lot(names[::-1], 2009)] == drawn
    fewer = [name for name in names if name != drawn[2]]
    assert [fewer[i] for i in lot(fewer, 2009)] == [name for name in drawn if name != drawn[2]]


def test_every_name_wins_equally_often() -> None:
    names, seeds = list("ABCDE"), 5000
    first = [lot(names, seed)[0] for seed in range(seeds)]
    expected = seeds / 5
    chi2 = sum((first.count(i) - expected) ** 2 / expected for i in range(5))
    assert chi2 < 18.5  # 99.9 % point of chi-square with 4 degrees of freedom


def test_a_lot_needs_names_and_a_seed() -> None:
    with pytest.raises(ValueError, match="each once"):
        lot(["A", "A"], 0)
    with pytest.raises(ValueError, match="seed is -1"):
        lot(["A"], -1)
