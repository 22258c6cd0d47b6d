"""Claims, floors and caps, checked and made exact before any seat is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

from perfmethod.errors import is_whole

__all__ = ["bounds", "exact", "integers", "whole"]


def exact(claim: Any, i: int) -> Fraction:
    """Take claim `i` at its exact value; refuse what is negative or no finite number."""
    if isinstance(claim, Integral):
        value = Fraction(int(claim))  # int first: a numpy integer would overflow inside a Fraction
    elif isinstance(claim, Rational):
        value = Fraction(int(claim.numerator), int(claim.denominator))
    elif isinstance(claim, Real | Decimal) and math.isfinite(claim):
        value = Fraction(claim if isinstance(claim, Decimal) else float(claim))
    else:
        raise ValueError(f"claim {i} is {claim!r}; a finite number is needed")
    if value < 0:
        raise ValueError(f"claim {i} is {claim!r}; a claim cannot be negative")
    return value


def integers(claims: Sequence[Fraction]) -> tuple[tuple[int, ...], Fraction]:
    """Write claims as whole numbers times a unit: as exact as fractions, and faster."""
    scale = math.lcm(*(claim.denominator for claim in claims))
    numbers = [int(claim * scale) for claim in claims]
    common = math.gcd(*numbers) or 1
    return tuple(n // common for n in numbers), Fraction(common, scale)


def whole(value: Any, name: str) -> int:
    """Take a whole number that is not negative; `name` says what it is."""
    if not is_whole(value):
        raise ValueError(f"{name} is {value!r}; a whole number is needed")
    number = int(value)
    if number < 0:
        raise ValueError(f"{name} is {number}; it cannot be negative")
    return number


def bounds(
    claims: Sequence[Fraction], seats: int, floor: Any, cap: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Fewest and most seats of each claim; refuse bounds that no table of `seats` satisfies."""
    n = len(claims)
    low = tuple(whole(f, f"floor {i}") for i, f in enumerate(_spread(floor, n, "floor")))
    tops = enumerate(_spread(cap, n, "cap"))
    caps = [seats + 1 if c is None else whole(c, f"cap {i}") for i, c in tops]  # + 1: never reached
    for i, (f, top) in enumerate(zip(low, caps, strict=True)):
        if top < f <= seats:
            raise ValueError(f"claimant {i} has floor {f}, more than its cap {top}")
    high = tuple(top if claim else f for claim, f, top in zip(claims, low, caps, strict=True))
    if not sum(low) <= seats <= sum(high):
        raise ValueError(
            f"{seats} seats cannot be given: the floors take {sum(low)} and the caps leave room "
            f"for {sum(high)}, where a claim of zero counts with its floor"
        )
    return low, high


def _spread(bound: Any, n: int, name: str) -> list[Any]:
    if bound is None or isinstance(bound, Real):
        return [bound] * n
    if len(bound) != n:
        raise ValueError(f"{name} has {len(bound)} entries; {n} claims need one each")
    return list(bound)
