"""Whole places for pools of unequal size, in exact arithmetic, with every tie shown.

Six methods share one signature. Hamilton hands out rounded-down shares and then the largest
remainders; the other five hand out seat after seat to the claimant with the largest claim
divided by d(s), where s is the number of seats it holds. No result depends on the order in which
the claimants are listed: where only that order could decide, the seat is left contested.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

from perfmethod.errors import suggest
from perfmethod.grading.claims import bounds, exact, integers, whole

__all__ = ["ALIASES", "DIVISORS", "METHODS", "Apportionment", "apportion"]


@dataclass(frozen=True)
class Apportionment:
    """Seats by claimant, and those that no arithmetic can give.

    Parameters
    ----------
    seats : tuple of int
        Seats each claimant has for certain.
    tied : tuple of int
        Positions of the claimants with exactly equal right to the last seats; empty without a tie.
    contested : int
        How many seats the tied claimants compete for; fewer than there are tied claimants, each
        of which can win at most one. ``sum(seats) + contested`` is the number of seats asked for.
    shares : tuple of Fraction
        Exact proportional shares, kept between floor and cap.
    divisors : tuple of float or None
        Smallest and largest divisor of the claims that yield these seats, for divisor methods;
        equal at a tie.

    Examples
    --------
    >>> table = apportion([9, 9, 4], 4)
    >>> table
    Apportionment(seats=(1, 1, 1), tied=(0, 1), contested=1)
    >>> table.settle([1, 0]).seats
    (1, 2, 1)
    """

    seats: tuple[int, ...]
    tied: tuple[int, ...]
    contested: int
    shares: tuple[Fraction, ...] = field(repr=False)
    divisors: tuple[float, float] | None = field(default=None, repr=False)

    def settle(self, order: Iterable[int]) -> Apportionment:
        """Give the contested seats in an order decided elsewhere: by lot, by seniority, by score.

        Parameters
        ----------
        order : iterable of int
            Positions of claimants, the first served first. Every tied claimant must stand in it
            once; others may, and get nothing.

        Returns
        -------
        Apportionment
            The same table without a tie.

        Raises
        ------
        ValueError
            If a tied claimant is missing or named twice.
        """
        places = list(order)
        wrong = [i for i in self.tied if places.count(i) != 1]
        if wrong:
            raise ValueError(
                f"order is {places}; each of the tied claimants {list(self.tied)} must stand in it "
                f"once, and {wrong} do not"
            )
        winners = [i for i in places if i in self.tied][: self.contested]
        seats = tuple(s + (i in winners) for i, s in enumerate(self.seats))
        return replace(self, seats=seats, tied=(), contested=0)


Claims = tuple[int, ...]
Bounds = tuple[int, ...]
Method = Callable[[Claims, int, Bounds, Bounds], Apportionment]
Divisor = Callable[[int], Any]  # squared divisor d(s)**2 of a claimant that holds s seats, exact


def webster(s: int) -> Fraction:
    """Square of s + 1/2: shares are rounded to the nearest whole number (Sainte-Laguë)."""
    return Fraction((2 * s + 1) ** 2, 4)


def dhondt(s: int) -> int:
    """Square of s + 1: shares are rounded down (Jefferson)."""
    return (s + 1) ** 2


def adams(s: int) -> int:
    """Square of s: shares are rounded up, so every claim comes to its first seat first."""
    return s**2


def dean(s: int) -> Fraction:
    """Square of the harmonic mean of s and s + 1."""
    return Fraction(2 * s * (s + 1), 2 * s + 1) ** 2


def huntington_hill(s: int) -> int:
    """Square of the geometric mean of s and s + 1 (equal proportions, US House since 1941)."""
    return s * (s + 1)


def hamilton(claims: Claims, seats: int, floor: Bounds, cap: Bounds) -> Apportionment:
    """Rounded-down shares first, then one seat each to the largest remainders."""
    return largest_remainders(_fair_shares(claims, seats, floor, cap), seats)


def largest_remainders(shares: tuple[Fraction, ...], seats: int) -> Apportionment:
    """Round shares that add up to `seats` down, and give what is left to the largest rests."""
    given = [math.floor(share) for share in shares]
    remainders = [share - down for share, down in zip(shares, given, strict=True)]
    left = seats - sum(given)  # the remainders add up to it, so fewer than there are fractions
    edge = sorted(remainders, reverse=True)[left - 1] if left else Fraction(1)
    above = [i for i, r in enumerate(remainders) if r > edge]
    equal = [i for i, r in enumerate(remainders) if r == edge]
    left -= len(above)
    if len(equal) == left:
        above, equal, left = above + equal, [], 0
    certain = tuple(down + (i in above) for i, down in enumerate(given))
    return Apportionment(certain, tuple(equal), left, shares)


def highest_averages(
    claims: Claims, seats: int, floor: Bounds, cap: Bounds, *, divisor: Divisor
) -> Apportionment:
    """Seat after seat to the largest claim / d(s); kept as d(s)**2 / claim**2, smallest first.

    Turned over like this a divisor of zero needs no infinity, and a square root no float.
    """

    def waiting(i: int) -> tuple[Fraction, int]:
        return Fraction(divisor(given[i])) / claims[i] ** 2, i

    given, left, last, tied = list(floor), seats - sum(floor), Fraction(0), []
    queue = [waiting(i) for i in range(len(claims)) if given[i] < cap[i]]
    heapq.heapify(queue)
    while left:
        level, served = queue[0][0], []
        while queue and queue[0][0] == level:
            served.append(heapq.heappop(queue)[1])
        last = level
        if len(served) > left:
            tied = served
            break
        left -= len(served)
        for i in served:
            given[i] += 1
            if given[i] < cap[i]:
                heapq.heappush(queue, waiting(i))
    first_out = last if tied else (queue[0][0] if queue else math.inf)
    interval = (_per_seat(first_out), _per_seat(last))
    shares = _fair_shares(claims, seats, floor, cap)
    return Apportionment(tuple(given), tuple(sorted(tied)), left, shares, interval)


def _per_seat(level: Fraction | float) -> float:
    """Divisor at which a claimant waiting at squared `level` gets its seat."""
    return 1 / math.sqrt(level) if level else math.inf


def _fair_shares(claims: Claims, seats: int, floor: Bounds, cap: Bounds) -> tuple[Fraction, ...]:
    """Shares rate * claim kept in [floor, cap], with the rate at which they add up to `seats`."""

    def shares(rate: Fraction) -> tuple[Fraction, ...]:
        rows = zip(claims, floor, cap, strict=True)
        return tuple(min(max(rate * claim, Fraction(f)), Fraction(c)) for claim, f, c in rows)

    if sum(claims):
        free = shares(Fraction(seats, sum(claims)))
        if sum(free) == seats:  # no bound is in the way
            return free
    limits = zip(claims, floor, cap, strict=True)
    bends = {Fraction(bound, claim) for claim, *both in limits if claim for bound in both}
    rates = sorted(bends | {Fraction(0)})
    k = bisect_left(rates, Fraction(seats), key=lambda rate: sum(shares(rate), Fraction(0)))
    if k == 0:
        return shares(rates[0])
    low, high = sum(shares(rates[k - 1])), sum(shares(rates[k]))
    step = Fraction(seats - low) / (high - low)  # between two bends the sum is a straight line
    return shares(rates[k - 1] + step * (rates[k] - rates[k - 1]))


DIVISORS: Mapping[str, Divisor] = MappingProxyType(
    {
        "webster": webster,
        "dhondt": dhondt,
        "adams": adams,
        "dean": dean,
        "huntington_hill": huntington_hill,
    }
)
METHODS: Mapping[str, Method] = MappingProxyType(
    {"hamilton": hamilton}
    | {name: partial(highest_averages, divisor=d) for name, d in DIVISORS.items()}
)
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "largest_remainder": "hamilton",
        "hare_niemeyer": "hamilton",
        "vinton": "hamilton",
        "saintelague": "webster",
        "sainte_lague": "webster",
        "jefferson": "dhondt",
        "huntington": "huntington_hill",
        "equal_proportions": "huntington_hill",
    }
)


def apportion(
    claims: Sequence[Any],
    seats: int,
    method: str | Divisor = "hamilton",
    *,
    floor: int | Sequence[int] = 0,
    cap: int | Sequence[int | None] | None = None,
) -> Apportionment:
    """Spread whole seats over claimants in proportion to their claims, never choosing in a tie.

    Parameters
    ----------
    claims : sequence of int, Fraction, Decimal or float (n,)
        Sizes, populations or votes, none negative. Floats are taken at their exact binary value:
        write ``Fraction(1, 10)`` where a tenth is meant. A claim of zero gets its floor only.
    seats : int
        Number of seats.
    method : str or callable, default "hamilton"
        A key of `METHODS` or `ALIASES`, or a function that gives, exactly, the *square* of the
        divisor of a claimant holding s seats (strictly increasing in s).
    floor : int or sequence of int (n,), default 0
        Fewest seats of each claimant.
    cap : int, sequence of int or None (n,), or None, default None
        Most seats of each claimant; None means no limit.

    Returns
    -------
    Apportionment
        Certain seats, and the tie for the last ones if there is one.

    Raises
    ------
    ValueError
        If a claim is negative or no number, the method is not known, or no table satisfies the
        floors and caps.

    Notes
    -----
    Floors and caps follow Balinski and Young: a divisor method gives claimant i the middle one of
    floor, rounded ``claim / divisor`` and cap; Hamilton rounds fair shares that are themselves kept
    between floor and cap, so it stays within one seat of them. Hamilton alone is open to the
    Alabama paradox (one seat more in all, one seat fewer for somebody); the divisor methods alone
    may leave the share by a whole seat or more.

    With ``adams``, ``dean`` and ``huntington_hill`` d(0) = 0: everybody's first seat comes before
    anybody's second, and with fewer seats than positive claims all of them tie for all seats.
    The law on the US House never meets that case; custom would serve the largest claims, and
    `Apportionment.settle` with that order does so openly.

    References
    ----------
    M. L. Balinski and H. P. Young, Fair Representation: Meeting the Ideal of One Man, One Vote,
    2nd ed., Brookings Institution Press, 2001, appendix A.

    Examples
    --------
    Thirteen places for eight groups of 4 to 8 units:

    >>> apportion([4, 8, 7, 8, 8, 6, 4, 4], 13).seats
    (1, 2, 2, 2, 2, 2, 1, 1)
    >>> apportion([4160, 3380, 2460], 10, "dhondt").seats
    (4, 4, 2)
    >>> apportion([450, 350, 199, 1], 50, "adams", cap=[20, None, None, None]).seats
    (20, 18, 11, 1)
    """
    number = whole(seats, "seats")
    sizes = [exact(claim, i) for i, claim in enumerate(claims)]
    low, high = bounds(sizes, number, floor, cap)
    claimed, unit = integers(sizes)
    table = _method(method)(claimed, number, low, high)
    if table.divisors is None:
        return table
    smallest, largest = table.divisors
    return replace(table, divisors=(float(unit) * smallest, float(unit) * largest))


def _method(method: str | Divisor) -> Method:
    if callable(method):
        return partial(highest_averages, divisor=_increasing(method))
    name = ALIASES.get(method, method)
    if name not in METHODS:
        raise ValueError(f"method {method!r} is not known; {suggest(method, [*METHODS, *ALIASES])}")
    return METHODS[name]


def _increasing(divisor: Divisor) -> Divisor:
    """Guard a user's divisor: two equal steps would let one claimant tie with itself."""

    def guarded(s: int) -> Fraction:
        before = exact(divisor(s - 1), s - 1) if s else Fraction(-1)
        here = exact(divisor(s), s)
        if here <= before:
            raise ValueError(
                f"the divisor must increase; squared it is {before}, then {here} at {s}"
            )
        return here

    return guarded
