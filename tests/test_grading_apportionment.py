"""Apportionment: published tables, exactness, refusals."""

from __future__ import annotations

import csv
import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from perfmethod.grading import ALIASES, DIVISORS, METHODS, apportion

CASES = [
    "us_house_2020",
    "bundestag_2009_upper",
    "bundestag_spd_laender",
    "wahlrecht_dhondt",
    "wahlrecht_stlague",
    "adams_wp",
    "dean_wp",
    "hh_wp",
]

# ---------------------------------------------------------------- published


@pytest.mark.parametrize("case", CASES)
def test_published_case(reference: Path, case: str) -> None:
    cases = json.loads((reference / "fairness" / "apportionment.json").read_text())
    assert [c["id"] for c in cases] == CASES
    known = cases[CASES.index(case)]
    table = apportion(known["votes"], known["seats"], known["method"])
    assert table.tied == ()
    assert list(table.seats) == known["expect"]


@pytest.mark.parametrize(
    ("votes", "method", "expected"),
    [
        ([4160, 3380, 2460], "dhondt", (4, 4, 2)),  # wahlrecht.de, 10 seats
        ([4160, 3380, 2460], "saintelague", (4, 3, 3)),
        ([4160, 3380, 2460], "hare_niemeyer", (4, 3, 3)),
        ([450, 350, 199, 1], "adams", (22, 17, 10, 1)),  # de.wikipedia, 50 seats
        ([450, 350, 199, 1], "dean", (22, 17, 10, 1)),
        ([450, 350, 199, 1], "huntington", (22, 17, 10, 1)),
    ],
)
def test_published_small(votes: list[int], method: str, expected: tuple[int, ...]) -> None:
    assert apportion(votes, sum(expected), method).seats == expected


def house(reference: Path) -> dict[str, tuple[int, int]]:
    with (reference / "fairness" / "us_house_2020.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {r["state"]: (int(r["population"]), int(r["official_seats"])) for r in rows}


def test_us_house_2020(reference: Path) -> None:
    states = house(reference)
    table = apportion([p for p, _ in states.values()], 435, "huntington_hill")
    found = dict(zip(states, table.seats, strict=True))
    assert found == {name: seats for name, (_, seats) in states.items()}
    assert (found["California"], found["Montana"], found["Minnesota"]) == (52, 2, 8)


@pytest.mark.parametrize(("extra", "minnesota"), [(88, 8), (89, 7)])
def test_new_york_lacked_89_residents(reference: Path, extra: int, minnesota: int) -> None:
    # US Census Bureau, news conference of 26 April 2021: with 89 people more, all else equal,
    # New York would have kept its 27th seat; Minnesota had received the last one.
    people = {name: p for name, (p, _) in house(reference).items()}
    people["New York"] += extra
    table = apportion(list(people.values()), 435, "huntington_hill")
    assert table.seats[list(people).index("Minnesota")] == minnesota


def test_alabama_paradox() -> None:
    # Wikipedia, "Apportionment paradox": states of 6, 6 and 2; the small one loses a seat of two
    assert apportion([6, 6, 2], 10).seats == (4, 4, 2)
    assert apportion([6, 6, 2], 11).seats == (5, 5, 1)


def test_dhondt_leaves_the_quota() -> None:
    table = apportion([75, 10, 8, 7], 10, "dhondt")
    assert table.seats == (9, 1, 0, 0)
    assert table.shares[0] == Fraction(15, 2)
    assert apportion([75, 10, 8, 7], 10).seats[0] in (7, 8)


@pytest.mark.parametrize("method", METHODS)
def test_thirteen_places_for_the_groups_of_2009(method: str) -> None:
    table = apportion([4, 8, 7, 8, 8, 6, 4, 4], 13, method)
    assert table.tied == ()
    assert table.seats == (1, 2, 2, 2, 2, 2, 1, 1)


def test_equal_groups_tie_for_the_last_place() -> None:
    table = apportion([4, 9, 9, 9, 9, 9], 13)
    assert (table.seats, table.tied, table.contested) == ((1, 2, 2, 2, 2, 2), (1, 2, 3, 4, 5), 2)
    assert table.settle([5, 0, 3, 1, 2, 4]).seats == (1, 2, 2, 3, 2, 3)


@pytest.mark.parametrize("method", METHODS)
def test_zero_claims_get_their_floor_only(method: str) -> None:
    assert apportion([0, 5, 0, 5], 4, method).seats == (0, 2, 0, 2)
    assert apportion([0, 5, 0, 5], 5, method, floor=[1, 0, 0, 0]).seats == (1, 2, 0, 2)
    assert apportion([0, 0], 2, method, floor=1).seats == (1, 1)


@pytest.mark.parametrize("method", ["adams", "dean", "huntington_hill"])
def test_fewer_seats_than_claims_are_all_contested(method: str) -> None:
    table = apportion([100, 5, 0, 1], 2, method)
    assert (table.seats, table.tied, table.contested) == ((0, 0, 0, 0), (0, 1, 3), 2)
    assert apportion([100, 5, 0, 1], 3, method).seats == (1, 1, 0, 1)


# ---------------------------------------------------------------- exactness and the door


def test_ties_are_exact() -> None:
    third = Fraction(1, 3)
    assert apportion([third, third, third], 1).tied == (0, 1, 2)
    assert apportion([Decimal("0.1"), Fraction(1, 10)], 1, "dhondt").tied == (0, 1)
    assert apportion([0.1, Fraction(1, 10)], 1, "dhondt").seats == (1, 0)  # the float is larger
    # (p/d)**2 equal in floats, not in integers
    assert apportion([10**20 + 1, 10**20], 1, "webster").seats == (1, 0)


def test_numpy_integers_do_not_overflow() -> None:
    big = np.array([2**62, 2**62 - 1, 3], dtype=np.int64)
    for method in METHODS:
        assert apportion(big, 5, method) == apportion([int(p) for p in big], 5, method)
    assert apportion([np.int64(2**62), Fraction(2**62, 3)], 4).seats == (3, 1)
    assert apportion(np.array([0.5, 0.25], np.float32), 3).seats == (2, 1)


def test_aliases_and_read_only_tables() -> None:
    for alias, name in ALIASES.items():
        assert apportion([7, 5, 3], 6, alias) == apportion([7, 5, 3], 6, name)
        assert alias not in METHODS
    for table in (METHODS, DIVISORS, ALIASES):
        with pytest.raises(TypeError):
            table["x"] = None  # type: ignore[index]


def test_own_divisor() -> None:
    def modified(s: int) -> Fraction:
        """Modified Sainte-Laguë: the first divisor is 1.4 in place of 1 (here 0.7 for 0.5)."""
        return (Fraction(7, 10) if s == 0 else s + Fraction(1, 2)) ** 2

    assert apportion([100, 24], 3, "webster").seats == (2, 1)
    assert apportion([100, 24], 3, modified).seats == (3, 0)
    with pytest.raises(ValueError, match="must increase; squared it is 1, then 1 at 1"):
        apportion([1, 1], 4, lambda s: 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(claims=[1, -2], seats=1), r"claim 1 is -2; a claim cannot be negative"),
        (dict(claims=[1, float("nan")], seats=1), r"claim 1 is nan; a finite number"),
        (dict(claims=[math.inf], seats=1), r"claim 0 is inf; a finite number"),
        (dict(claims=["3"], seats=1), r"claim 0 is '3'; a finite number"),
        (dict(claims=[1], seats=-1), r"seats is -1; it cannot be negative"),
        (dict(claims=[1], seats=1.0), r"seats is 1.0; a whole number"),
        (dict(claims=[1, 2], seats=1, floor=[0]), r"floor has 1 entries; 2 claims"),
        (dict(claims=[1, 2], seats=1, cap=[1, 2, 3]), r"cap has 3 entries; 2 claims"),
        (dict(claims=[1, 2], seats=1, floor=1), r"the floors take 2 and the caps"),
        (dict(claims=[1, 2], seats=9, cap=2), r"9 seats cannot be given.* leave room for 4,"),
        (dict(claims=[0, 0], seats=1), r"1 seats cannot be given.* leave room for 0,"),
        (
            dict(claims=[1, 2], seats=5, floor=[3, 0], cap=2),
            r"claimant 0 has floor 3, more than its cap 2",
        ),
        (dict(claims=[1], seats=1, floor=0.5), r"floor 0 is 0.5; a whole number"),
        (dict(claims=[1], seats=1, method="hamiltn"), r"'hamiltn' is not known; did you mean 'ham"),
    ],
)
def test_refusals(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apportion(**arguments)


@pytest.mark.parametrize("order", [[0], [0, 0, 1], [2, 3]])
def test_settle_needs_every_tied_claimant_once(order: list[int]) -> None:
    table = apportion([9, 9, 4], 4)
    with pytest.raises(ValueError, match="must stand in it once"):
        table.settle(order)


def test_settling_without_a_tie_changes_nothing() -> None:
    table = apportion([9, 8, 4], 5)
    assert table.settle([]) == table
