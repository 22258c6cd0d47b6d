"""Apply a rule in either direction, and keep what it learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import Array, numbers
from perfmethod.normalization.check import problems_of_use, rule_of
from perfmethod.normalization.rule import Rule, reverse, turned_negative, turned_reciprocal

__all__ = ["learn", "normalize"]


def normalize(
    x: ArrayLike,
    method: str | Rule | Callable[..., Array],
    *,
    target: ArrayLike | None = None,
    direction: int = 1,
    **params: Any,
) -> Array:
    """Turn the values of one indicator into scores.

    This is the one place where direction is handled: a rule is written for one direction, and the
    other is served by reversing the scale (values, targets and every parameter on the same scale
    together), so parameters are always given as the indicator is measured.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values, units last; NaN stays NaN. Leading axes (draws) are independent of each other.
    method : str, Rule or callable
        A name in `METHODS`, or a function ``f(x, *, params)`` or ``f(x, target, *, params)``.
        A function serves ``direction=1`` only; wrap it in a `Rule` to say how it is reversed.
    target : array_like, broadcastable to x, optional
        Targets; ignored by rules that need none.
    direction : {1, -1}, default 1
        1 where more is better, -1 where less is better.
    **params
        The rule's parameters: numbers, or arrays of shape (k, 1) that carry draws; lists of
        shape (L,) or (k, 1, L). Only their names are checked here, their values by `check`.

    Returns
    -------
    ndarray, shape (..., u)
        Scores, from 0 to 100 unless the rule says otherwise.

    Raises
    ------
    ValueError
        If the method or a parameter is not known, a parameter or the target is missing, or the
        rule does not serve the direction.

    Notes
    -----
    "mirror" rules see ``-x``. "reciprocal" rules see ``1 / x``, where zero and what lies below it
    count as infinity, the best there can be. "own" rules have a formula for each direction.

    Examples
    --------
    >>> normalize([10, 12, 20], "goalposts", lower=10, upper=20)
    array([  0.,  20., 100.])
    >>> normalize([10, 12, 20], "goalposts", lower=10, upper=20, direction=-1)
    array([100.,  80.,   0.])
    >>> normalize([8, 10, 12], "ceiling", target=10, direction=-1)
    array([100., 100.,  80.])
    >>> normalize([3, 4], lambda x, *, power: 10 * x**power, power=2)
    array([ 90., 160.])
    """
    rule = _usable(method, params, direction, target is not None)
    params = _with_learned(numbers(x), rule, direction, params)
    inputs: list[Any] = [x, target] if rule.needs_target else [x]
    if direction == rule.natural:
        return rule.function(*map(numbers, inputs), **params)
    if rule.opposite is not None:
        return rule.opposite(*map(numbers, inputs), **params)
    return rule.function(*map(_turn(rule), inputs), **reverse(rule, params))


def learn(
    x: ArrayLike,
    method: str | Rule | Callable[..., Array],
    *,
    direction: int = 1,
    **params: Any,
) -> dict[str, Any]:
    """Return the parameters of a rule, those given and those it learns from the units.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values of the units to learn from; NaN is left out. A row without any value teaches NaN.
    method : str, Rule or callable
        As in `normalize`.
    direction : {1, -1}, default 1
        As in `normalize`.
    **params
        Parameters that are given; they are kept and not learned.

    Returns
    -------
    dict
        Given and learned parameters, on the indicator's own scale, as one would write them in a
        scheme: floats, or shape (..., 1) if x has leading axes. ``normalize(other, method,
        direction=direction, **learned)`` applies them to other units; applied to `x` itself the
        scores are exactly those of ``normalize(x, method, direction=direction, **params)``.

    Raises
    ------
    ValueError
        As in `normalize`.

    Examples
    --------
    >>> kept = learn([3, 7, 11], "efficacy", direction=-1)
    >>> kept
    {'lower': 3.0, 'upper': 11.0}
    >>> normalize([5, 7], "efficacy", direction=-1, **kept)
    array([90., 80.])
    """
    rule = _usable(method, params, direction, True)
    return _with_learned(numbers(x), rule, direction, params)


def _usable(method: Any, params: Mapping[str, Any], direction: int, has_target: bool) -> Rule:
    """Return the rule, or refuse what cannot be applied at all."""
    problems = problems_of_use(method, params, direction=direction, has_target=has_target)
    rule = rule_of(method)
    if problems or rule is None:
        raise ValueError("; ".join(f"found {f}; allowed: {a}" for f, a in problems))
    return rule


def _with_learned(
    x: Array, rule: Rule, direction: int, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Add what the rule learns and nobody gave."""
    given = {name: value for name, value in params.items() if value is not None}
    open_names = {name for name, default in rule.parameters.items() if default is None}
    if rule.learns is None or open_names <= given.keys():
        return dict(params) if rule.learns is None else given
    seen = {name: given[name] for name in rule.learns_from if name in given}
    if direction == rule.natural or rule.opposite is not None:
        learned = rule.learns(x, **seen)
    else:
        learned = reverse(rule, rule.learns(_turn(rule)(x), **reverse(rule, seen)))
    found = {name: _plain(value) for name, value in learned.items()} | given
    return {name: found[name] for name in rule.parameters if name in found}


def _turn(rule: Rule) -> Callable[[Any], Array]:
    """Return what takes values to the scale on which more is better."""
    return turned_negative if rule.reversal == "mirror" else turned_reciprocal


def _plain(value: Array) -> Any:
    """Return a number for one set of units, an array for several."""
    return float(np.squeeze(value)) if np.ndim(value) == 1 else value
