"""Remainders carried over the years, and lots that anyone can draw again.

A pool that is owed a third of a place this year has a third more to claim next year. Shares and
balances are exact, so equal claims stay equal however many years lie behind them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from perfmethod.grading.apportionment import Apportionment, apportion, largest_remainders
from perfmethod.grading.claims import bounds, exact, whole

__all__ = ["Carried", "apportion_carried", "carry_over", "lot"]

Settle = Callable[[int, Apportionment], Iterable[int]]

FINEST = 10**6  # a balance given as a float is the nearest fraction with no larger denominator


def apportion_carried(
    claims: Sequence[Any],
    seats: int,
    carried: Sequence[Any],
    *,
    floor: int | Sequence[int] = 0,
    cap: int | Sequence[int | None] | None = None,
) -> Apportionment:
    """Largest remainders of this year's shares plus what is owed from the years before.

    Parameters
    ----------
    claims : sequence of int, Fraction, Decimal or float (n,)
        As in `apportion`.
    seats : int
    carried : sequence of number (n,)
        Places each claimant is owed from the years before; negative where it had more than its
        shares. Floats are taken as the nearest fraction with a denominator of at most a million.
    floor, cap : int or sequence
        As in `apportion`.

    Returns
    -------
    Apportionment
        `shares` are this year's shares with the balances, kept between floor and cap; where the
        balances do not add up to nothing, all claims grow or shrink at one rate to make up for it.

    Raises
    ------
    ValueError
        As `apportion`; also if a balance is no finite number or there is not one for each claim.

    Examples
    --------
    The pools that lost a lot last year come first this year:

    >>> apportion([9, 9, 4], 4)
    Apportionment(seats=(1, 1, 1), tied=(0, 1), contested=1)
    >>> apportion_carried([9, 9, 4], 4, [Fraction(7, 11), Fraction(-4, 11), Fraction(-3, 11)])
    Apportionment(seats=(2, 1, 1), tied=(), contested=0)
    """
    number = whole(seats, "seats")
    sizes = [exact(claim, i) for i, claim in enumerate(claims)]
    low, high = bounds(sizes, number, floor, cap)
    owed = [_balance(balance, i) for i, balance in enumerate(carried)]
    if len(owed) != len(sizes):
        raise ValueError(f"carried has {len(owed)} entries; {len(sizes)} claims need one each")
    return largest_remainders(_targets(sizes, number, owed, low, high), number)


def _balance(value: Any, i: int) -> Fraction:
    try:
        found = Fraction(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"balance {i} is {value!r}; a finite number is needed") from None
    return found.limit_denominator(FINEST) if isinstance(value, float) else found


def _targets(
    claims: Sequence[Fraction],
    seats: int,
    owed: Sequence[Fraction],
    low: Sequence[int],
    high: Sequence[int],
) -> tuple[Fraction, ...]:
    """Targets rate * claim + balance kept in [low, high], at the rate at which they add up."""

    def targets(rate: Fraction) -> tuple[Fraction, ...]:
        rows = zip(claims, owed, low, high, strict=True)
        return tuple(min(max(rate * p + b, Fraction(f)), Fraction(c)) for p, b, f, c in rows)

    rows = zip(claims, owed, low, high, strict=True)
    bends = sorted({(bound - b) / p for p, b, *both in rows if p for bound in both})
    if not bends:
        return tuple(map(Fraction, low))
    k = bisect_left(bends, Fraction(seats), key=lambda rate: sum(targets(rate), Fraction(0)))
    if k == 0:
        return targets(bends[0])
    before, after = sum(targets(bends[k - 1])), sum(targets(bends[k]))
    step = Fraction(seats - before) / (after - before)  # a straight line between two bends
    return targets(bends[k - 1] + step * (bends[k] - bends[k - 1]))


@dataclass(frozen=True)
class Carried:
    """Places of several years, with what each claimant is owed after each of them.

    Parameters
    ----------
    seats : tuple of tuple of int (t, n)
    tied : tuple of tuple of int (t,)
        Claimants that tied for the last places of each year.
    contested : tuple of int (t,)
        Places that they tied for.
    shares : tuple of tuple of Fraction (t, n)
        Proportional shares of each year, without floor, cap or balance.
    balances : tuple of tuple of Fraction (t + 1, n)
        Before the first year and after each: shares so far less places so far.
    """

    seats: tuple[tuple[int, ...], ...]
    tied: tuple[tuple[int, ...], ...]
    contested: tuple[int, ...]
    shares: tuple[tuple[Fraction, ...], ...]
    balances: tuple[tuple[Fraction, ...], ...]


def carry_over(
    claims: Sequence[Sequence[Any]],
    seats: int | Sequence[int],
    *,
    carried: Sequence[Any] | None = None,
    floor: int | Sequence[int] = 0,
    cap: int | Sequence[int | None] | None = None,
    settle: Settle | None = None,
) -> Carried:
    """Apportion year after year, each starting from what the years before still owe.

    Parameters
    ----------
    claims : sequence of sequence (t, n)
        Claims of each year; the same n claimants in all of them.
    seats : int or sequence of int (t,)
    carried : sequence of number (n,), optional
        Balances before the first year; by default nobody is owed anything.
    floor, cap : int or sequence
        As in `apportion`.
    settle : callable, optional
        ``settle(year, table)`` gives the order in which tied claimants are served (`lot` draws
        one); by default contested places are given to nobody and stay owed.

    Returns
    -------
    Carried

    Raises
    ------
    ValueError
        As `apportion_carried`; also if the years have other numbers of claimants.

    Notes
    -----
    Where every year's shares are at least one place, there are no bounds and every tie is settled,
    the places given so far are those that Hamilton's method gives for all years together, and no
    claimant is ever a whole place from its share so far. With smaller shares a claimant can be
    owed a place or more for a time: nobody can be asked to give a place back, so a target below
    zero counts as zero and the others' targets shrink to make up for it.

    Examples
    --------
    >>> found = carry_over([[9, 9, 4]] * 3, 4, settle=lambda year, table: [0, 1, 2])
    >>> found.seats
    ((2, 1, 1), (1, 2, 1), (2, 2, 0))
    >>> [str(balance) for balance in found.balances[-1]]
    ['-1/11', '-1/11', '2/11']
    """
    rows = [list(row) for row in claims]
    number = list(seats) if isinstance(seats, Iterable) else [seats] * len(rows)
    if len({len(row) for row in rows}) != 1 or len(number) != len(rows):
        raise ValueError(
            f"found claims of {[len(row) for row in rows]} claimants and {len(number)} numbers of "
            "seats; allowed: one or more years with the same claimants, one number of seats each"
        )
    first = [0] * len(rows[0]) if carried is None else carried
    owed = [_balance(balance, i) for i, balance in enumerate(first)]
    given, tied, contested, shares, balances = [], [], [], [], [tuple(owed)]
    for year, (row, places) in enumerate(zip(rows, number, strict=True)):
        table = apportion_carried(row, places, owed, floor=floor, cap=cap)
        tied.append(table.tied)
        contested.append(table.contested)
        if table.tied and settle is not None:
            table = table.settle(settle(year, table))
        shares.append(apportion(row, places).shares)
        given.append(table.seats)
        owed = [b + q - s for b, q, s in zip(owed, shares[-1], table.seats, strict=True)]
        balances.append(tuple(owed))
    return Carried(tuple(given), tuple(tied), tuple(contested), tuple(shares), tuple(balances))


def lot(names: Sequence[str], seed: int) -> list[int]:
    """Order names by lot; anyone can draw it again from the seed, with any program.

    The order is that of the SHA-256 of ``"seed:name"``: it does not depend on how the names are
    listed, and taking one name out leaves the others in their order.

    Parameters
    ----------
    names : sequence of str (n,)
        All different.
    seed : int
        0 or more.

    Returns
    -------
    list of int (n,)
        Positions of the names, the first drawn first.

    Raises
    ------
    ValueError
        If a name stands twice, or the seed is negative or not whole.

    Examples
    --------
    >>> lot(["G1", "G2", "G3"], 0)
    [1, 2, 0]
    >>> lot(["G3", "G1"], 0)
    [0, 1]
    """
    number = whole(seed, "seed")
    if len(set(names)) < len(names):
        raise ValueError(f"found names {list(names)}; allowed: each once")
    drawn = [hashlib.sha256(f"{number}:{name}".encode()).digest() for name in names]
    return sorted(range(len(drawn)), key=drawn.__getitem__)
