"""What the package knows about a normalization rule besides its formula."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from perfmethod.normalization._arrays import Array

REQUIRED: Any = inspect.Parameter.empty
"""Stands in `Rule.parameters` for a parameter without a default."""

Reversal = Literal["mirror", "reciprocal", "own"]


@dataclass(frozen=True)
class Condition:
    """A demand on the values of one or more parameters.

    Parameters
    ----------
    names : tuple of str
        Parameters it speaks about; it is put only when all of them are given and are numbers.
    allowed : str
        The demand in words.
    holds : callable
        Takes the parameters as arrays, in the order of `names`; true where the demand is met.
    """

    names: tuple[str, ...]
    allowed: str
    holds: Callable[..., Any]


@dataclass(frozen=True)
class Rule:
    """A normalization rule: a plain function and how it is reversed, learned and checked.

    Parameters
    ----------
    function : callable
        ``f(x, *, params)`` or ``f(x, target, *, params)``: units last, shape (..., u) in and out.
    needs_target : bool, default False
        The second positional argument is each unit's own target.
    reversal : {"mirror", "reciprocal", "own"} or None
        How the other direction is served: by ``-x``, by ``1 / x``, by the formula the literature
        gives for it (`opposite`), or not at all.
    on_scale : tuple of str
        Parameters on the indicator's own scale; they are reversed along with ``x``. Under
        "mirror" ``lower`` and ``upper`` also change places.
    learns : callable, optional
        Takes ``x``, and by keyword the given parameters it names, and returns the parameters the
        rule learns from the units it compares, each of shape (..., 1). In the signature of
        `function` they default to None.
    lists : tuple of str
        Parameters that are lists, shape (L,), or (k, 1, L) with draws.
    natural : {1, -1}, default 1
        The direction `function` is written for: 1 where more is better.
    opposite : callable, optional
        The formula for the other direction where `reversal` is "own".
    conditions : tuple of Condition
        Demands on the values of the parameters.
    bounds : tuple of float or None
        Limits of a score under the default parameters and the parameters learned from the same
        units; None where there are none.

    Examples
    --------
    >>> import numpy as np
    >>> root = Rule(lambda x, *, scale=10: scale * np.sqrt(x))
    >>> dict(root.parameters), root.reversal
    ({'scale': 10}, None)
    """

    function: Callable[..., Array]
    needs_target: bool = False
    reversal: Reversal | None = None
    on_scale: tuple[str, ...] = ()
    learns: Callable[..., dict[str, Array]] | None = None
    lists: tuple[str, ...] = ()
    natural: int = 1
    opposite: Callable[..., Array] | None = None
    conditions: tuple[Condition, ...] = ()
    bounds: tuple[float, float] | None = (0.0, 100.0)

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """Keyword-only parameters and their defaults (`REQUIRED` where there is none)."""
        return MappingProxyType(_keywords(self.function))

    @cached_property
    def learns_from(self) -> tuple[str, ...]:
        """Given parameters that bear on what the rule learns: the keywords of `learns`."""
        return () if self.learns is None else tuple(_keywords(self.learns))

    @cached_property
    def open_ended(self) -> bool:
        """Whether the function takes any keyword (``**params``)."""
        found = inspect.signature(self.function).parameters.values()
        return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in found)

    @property
    def directions(self) -> tuple[int, ...]:
        """Directions the rule can serve, the natural one first."""
        return (self.natural,) if self.reversal is None else (self.natural, -self.natural)


def _keywords(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the keyword-only parameters of a function and their defaults."""
    found = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in found if p.kind is inspect.Parameter.KEYWORD_ONLY}


def own_rule(function: Callable[..., Array]) -> Rule:
    """Wrap a user's function; it takes a target if it has a second positional parameter."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C, numpy's ufuncs among them
        return Rule(lambda x: function(x), bounds=None)
    takes = [p for p in found if p.kind in positional and (p.default is REQUIRED)]
    return Rule(function, needs_target=len(takes) > 1, bounds=None)


def ordered(lower: str, upper: str) -> Condition:
    """Demand lower < upper."""
    return Condition((lower, upper), f"{lower} below {upper}", lambda a, b: a < b)


def positive(*names: str) -> tuple[Condition, ...]:
    """Demand a number above zero of each parameter."""
    return tuple(Condition((n,), f"{n} above 0", lambda a: a > 0) for n in names)


def at_least(least: float, *names: str) -> tuple[Condition, ...]:
    """Demand a number not below `least` of each parameter."""
    return tuple(Condition((n,), f"{n} at least {least:g}", lambda a: a >= least) for n in names)


def climbing(name: str) -> Condition:
    """Demand a list that ascends, in the sense in which the rule sees it."""
    words = f"{name} that ascend (where less is better: descend), no two equal"
    return Condition((name,), words, lambda a: np.diff(a, axis=-1) > 0)


def longer_by(one: str, other: str, by: int) -> Condition:
    """Demand that one list has `by` entries more than the other."""
    words = f"{one} with {f'{by} entry more than' if by else 'as many entries as'} {other}"
    return Condition((one, other), words, lambda a, b: a.shape[-1] == b.shape[-1] + by)


def none_above(low: str, high: str) -> Condition:
    """Demand that no entry of one list is above its partner; their lengths are another demand."""
    words = f"{low} not above {high}"
    return Condition((low, high), words, lambda a, b: a.shape[-1] != b.shape[-1] or np.all(a <= b))


def length(name: str, count: int) -> Condition:
    """Demand a list of `count` entries."""
    return Condition((name,), f"{name} with {count} entries", lambda a: a.shape[-1] == count)


def reverse(rule: Rule, params: Mapping[str, Any]) -> dict[str, Any]:
    """Take the parameters on the indicator's own scale to the reversed scale; its own inverse."""
    swap = {"lower": "upper", "upper": "lower"} if {"lower", "upper"} <= {*rule.on_scale} else {}
    turn = turned_negative if rule.reversal == "mirror" else turned_reciprocal
    out = {name: value for name, value in params.items() if name not in rule.on_scale}
    for name in rule.on_scale:
        if params.get(name) is not None:
            out[swap.get(name, name)] = turn(params[name])
    return out


def turned_negative(x: Any) -> Any:
    """Return -x."""
    return -np.asarray(x, dtype=float)


def turned_reciprocal(x: Any) -> Any:
    """Return 1 / x; zero, and what is below it, counts as the best there can be: infinity."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1.0 / np.maximum(np.asarray(x, dtype=float), 0.0)
