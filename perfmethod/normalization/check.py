"""Check how a rule is written, before anything is scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from perfmethod.errors import suggest
from perfmethod.normalization._arrays import Array
from perfmethod.normalization.rule import REQUIRED, Rule, own_rule, reverse
from perfmethod.normalization.table import METHODS

__all__ = ["check"]

_DIRECTIONS = {1: "positive", -1: "negative"}


def check(
    method: str | Rule | Callable[..., Array],
    params: Mapping[str, Any],
    *,
    direction: int = 1,
    has_target: bool = True,
) -> list[tuple[str, str]]:
    """List everything that is wrong with a rule as it is written.

    Parameters
    ----------
    method : str, Rule or callable
        A name in `METHODS`, or a function. Anything else is a problem to report.
    params : mapping
        Parameters as they stand in a scheme: of any type.
    direction : {1, -1}, default 1
        1 where more is better, -1 where less is better.
    has_target : bool, default True
        Whether there are targets to compare with.

    Returns
    -------
    list of tuple of str
        Pairs (found, allowed); empty if all is well. Never raises.

    Examples
    --------
    >>> check("goalposts", {"lower": 5, "uper": 9})
    ... # doctest: +NORMALIZE_WHITESPACE
    [("parameter 'uper'", "did you mean 'upper'? Known: lower, truncate, upper"),
     ("no parameter 'upper'", 'upper, which has no default')]
    >>> check("completion_ratio", {"cap": 0.9})
    [('cap = 0.9', 'cap at least 1')]
    """
    problems = problems_of_use(method, params, direction=direction, has_target=has_target)
    rule = rule_of(method)
    # a plain function may take parameters of any type
    if rule is None or not isinstance(params, Mapping) or not isinstance(method, str | Rule):
        return problems
    numeric: dict[str, Array] = {}
    for name in [name for name in rule.parameters if name in params]:
        value, wrong = _read(name, params[name], rule)
        problems += wrong
        if value is not None:
            numeric[name] = value
    return problems + _unmet(rule, numeric, params, direction)


def rule_of(method: Any) -> Rule | None:
    """Return the rule of a name or a function; None if there is none."""
    if isinstance(method, Rule):
        return method
    if isinstance(method, str):
        return METHODS.get(method)
    return own_rule(method) if callable(method) else None


def problems_of_use(
    method: Any, params: Any, *, direction: Any, has_target: bool
) -> list[tuple[str, str]]:
    """List what makes it impossible to apply a rule at all: names, direction, target."""
    rule = rule_of(method)
    if rule is None:
        return [(f"method {_shown(method)}", suggest(_text(method), METHODS))]
    if not isinstance(params, Mapping):
        return [(_shown(params), "a table of parameters")]
    problems = _wrong_names(rule, params)
    served = [_DIRECTIONS[d] for d in rule.directions]
    if not _is_number(direction) or direction not in rule.directions:
        known = _DIRECTIONS.get(direction) if _is_number(direction) else None
        only = f"only {served[0]}" if len(served) == 1 else " or ".join(served)
        problems.append((f"direction {known or _shown(direction)}", f"{only} with this rule"))
    if rule.needs_target and not has_target:
        problems.append(("no target", "a target, which this rule compares the actual value with"))
    return problems


def _wrong_names(rule: Rule, params: Mapping[Any, Any]) -> list[tuple[str, str]]:
    known = rule.parameters
    problems = []
    if not rule.open_ended:
        unknown = [name for name in params if name not in known]
        problems = [(f"parameter {_shown(name)}", suggest(_text(name), known)) for name in unknown]
    for name, default in known.items():
        if default is REQUIRED and params.get(name) is None:
            problems.append((f"no parameter '{name}'", f"{name}, which has no default"))
    return problems


def _read(name: str, value: Any, rule: Rule) -> tuple[Array | None, list[tuple[str, str]]]:
    """Return a parameter as an array (None if it is none or wrong) and what is wrong with it."""
    default = rule.parameters[name]
    if value is None and (default is None or default is REQUIRED):
        return None, []
    wrong = [(f"{name} = {_shown(value)}", _kind(name, rule, default))]
    if isinstance(default, bool):
        return None, [] if isinstance(value, bool | np.bool_) else wrong
    array = _as_list(value) if name in rule.lists else _as_number(value)
    return array, ([] if array is not None else wrong)


def _kind(name: str, rule: Rule, default: Any) -> str:
    if isinstance(default, bool):
        return "true or false"
    return "a list of finite numbers" if name in rule.lists else "a number"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _as_number(value: Any) -> Array | None:
    """Return a finite number, or an array of them that carries draws."""
    if not (_is_number(value) or isinstance(value, np.ndarray)):
        return None
    return _finite(value)


def _as_list(value: Any) -> Array | None:
    if isinstance(value, np.ndarray):
        return _finite(value) if value.ndim and value.shape[-1] else None
    if not isinstance(value, list | tuple) or not value or not all(map(_is_number, value)):
        return None
    return _finite(value)


def _finite(value: Any) -> Array | None:
    if isinstance(value, np.ndarray) and value.dtype.kind not in "iuf":
        return None
    try:
        array = np.asarray(value, dtype=float)
    except (OverflowError, TypeError, ValueError):  # an integer of 400 digits is one
        return None
    return array if np.isfinite(array).all() else None


def _unmet(
    rule: Rule, numeric: dict[str, Array], params: Mapping[str, Any], direction: Any
) -> list[tuple[str, str]]:
    """List the conditions that fail, seen in the direction the rule is written for."""
    defaults = {n: d for n, d in rule.parameters.items() if d is not None and n not in params}
    read = {n: _as_list(d) if n in rule.lists else _as_number(d) for n, d in defaults.items()}
    known = {name: array for name, array in read.items() if array is not None} | numeric
    if rule.reversal == "mirror" and _is_number(direction) and direction == -rule.natural:
        known = reverse(rule, known)
    problems = []
    for condition in rule.conditions:
        given = [name for name in condition.names if name in params]
        if not given or not set(condition.names) <= known.keys():
            continue
        if not _holds(condition.holds, [known[name] for name in condition.names]):
            found = ", ".join(f"{name} = {_shown(params[name])}" for name in given)
            problems.append((found, condition.allowed))
    return problems


def _holds(demand: Callable[..., Any], values: list[Array]) -> bool:
    try:
        return bool(np.all(demand(*values)))
    except (IndexError, ValueError):  # lists of lengths that do not fit: another demand says so
        return True


def _shown(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python does not write out an integer of more than 4300 digits
        text = f"a {type(value).__name__} too long to show"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(name: Any) -> str:
    return name if isinstance(name, str) else _shown(name)
