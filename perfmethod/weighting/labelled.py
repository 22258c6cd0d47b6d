"""The door for labelled tables: checks what the weights would mean, then calls the method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.errors import DataError, InputError, Problems, suggest
from perfmethod.weighting._matrix import listed, note_bad_values
from perfmethod.weighting._tables import labels_of, numbers_of, square
from perfmethod.weighting.ahp import ahp
from perfmethod.weighting.ahp_group import ahp_group
from perfmethod.weighting.experts import budget_allocation
from perfmethod.weighting.jackknife import DATA_DRIVEN, standard_errors
from perfmethod.weighting.ranks import equal, rank_order_centroid, rank_reciprocal, rank_sum
from perfmethod.weighting.result import Array, Weighting

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["weigh"]

_MISSING = ("refuse", "drop_units")
_NONNEGATIVE = {"coefficient_of_variation", "entropy", "gini"}
_RANKED: Mapping[str, Callable[..., Weighting]] = {
    "rank_order_centroid": rank_order_centroid,
    "rank_reciprocal": rank_reciprocal,
    "rank_sum": rank_sum,
}
_FEW_UNITS = 10


def weigh(
    data: pd.DataFrame | pd.Series | Mapping[str, pd.DataFrame],
    method: str,
    *,
    directions: Mapping[str, float | str] | Sequence[float | str] | None = None,
    minimum_units: int = _FEW_UNITS,
    missing: str = "refuse",
    **options: Any,
) -> Weighting:
    """Weigh the criteria of a labelled table, or say why no weights should be formed from it.

    Parameters
    ----------
    data : DataFrame, Series or mapping
        Data-driven methods (`DATA_DRIVEN`) and "equal": units in rows, criteria in columns.
        "budget_allocation": experts in rows, criteria in columns. "ahp": square, the same criteria
        in rows and columns (any order). "ahp_group": mapping from expert to such a square table.
        Rank methods: a Series with the criteria as index and their places as values.
    method : str
        A name in `METHODS`.
    directions : mapping from criterion, or sequence in the order of columns, optional
        1 or "positive", -1 or "negative". Used by "critic"; the other methods ignore direction by
        definition, and the notes say so.
    minimum_units : int, default 10
        Fewest units for a data-driven method. With 10 the standard error of a correlation near 0 is
        about 1/3 and that of a standard deviation about a quarter of it; with 4 they are 0.58 and
        0.41, so that the weights are noise. Passing a smaller number is the explicit override, and
        is noted in the result.
    missing : {"refuse", "drop_units"}
        Data-driven weights compare the same units on every criterion. Where units do not share the
        criteria (portfolios of their own, empty cells) the weights are not defined and the table is
        refused. "drop_units" is the explicit override: only units with all values count, and the
        result names the others.
    **options
        Passed to the method, for example ``columns="raw"`` or ``prioritization="geometric_mean"``.

    Returns
    -------
    Weighting
        For data-driven methods with jackknife `standard_errors`.

    Raises
    ------
    DataError
        With every problem: units that do not share the criteria, too few units, columns that are
        not numbers, labels used twice, and whatever the method refuses.
    ValueError
        If the method or `missing` is not known (the nearest known name is given).
    TypeError
        If `data` is not what the method takes.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"cost": [3.0, 5, 4, 9], "speed": [1.0, 1, 2, 4]}, list("abcd"))
    >>> weigh(table, "gini")
    Traceback (most recent call last):
    perfmethod.errors.DataError: 1 problem in the input:
      - data: found 4 units; allowed: at least 10 for gini: with fewer its weights are largely \
sampling noise (minimum_units=4 overrides this)
    >>> weigh(table, "gini", minimum_units=4)
    <Weighting gini: cost 0.4199, speed 0.5801>
    """
    known = [*DATA_DRIVEN, *_ADAPTERS]
    if method not in known:
        raise ValueError(f"found method {method!r}; allowed: {suggest(method, known)}")
    if method in DATA_DRIVEN:
        table = _table(data, method)
        return _from_units(table, method, directions, minimum_units, missing, options)
    return _ADAPTERS[method](data, method, options)


def _from_units(
    table: pd.DataFrame,
    method: str,
    directions: Mapping[str, float | str] | Sequence[float | str] | None,
    minimum_units: int,
    missing: str,
    options: dict[str, Any],
) -> Weighting:
    if missing not in _MISSING:
        raise ValueError(f"found missing={missing!r}; allowed: {suggest(missing, _MISSING)}")
    x, names, units = numbers_of(table, "data"), labels_of(table.columns), labels_of(table.index)
    notes: list[str] = []
    gaps = np.asarray(np.isnan(x).any(axis=1))
    if missing == "drop_units" and gaps.any():
        notes.append(f"units left out for missing values: {listed(units, gaps, 20)}")
        x, units = x[~gaps], tuple(u for u, gap in zip(units, gaps, strict=True) if not gap)
    _check_units(x, names, units, method, minimum_units)
    if len(units) < _FEW_UNITS:
        notes.append(f"only {len(units)} units: the weights are largely sampling noise")
    if directions is not None:
        if method == "critic":
            options = options | {"directions": _in_order(directions, names)}
        else:
            notes.append(f"{method} ignores direction by definition")
    result = DATA_DRIVEN[method](x.T, names=names, **options)
    errors, reason = _errors(x.T, method, units, options)
    return replace(result, standard_errors=errors, notes=(*result.notes, *notes, *reason))


def _check_units(
    x: Array, names: Sequence[str], units: Sequence[str], method: str, minimum_units: int
) -> None:
    problems = Problems("data")
    gaps = np.isnan(x)
    if gaps.any():
        partial = gaps.any(axis=1)
        problems.add(
            f"{partial.sum()} of {len(units)} units without all criteria",
            f"units that share all {len(names)} criteria: {method} compares the same units on "
            "every criterion, so weights of criteria that only some have are not defined "
            "(weigh a level that all share, or missing='drop_units')",
        )
    if len(units) < minimum_units:
        problems.add(
            f"{len(units)} units",
            f"at least {minimum_units} for {method}: with fewer its weights are largely sampling "
            f"noise (minimum_units={len(units)} overrides this)",
        )
    note_bad_values(x.T, names, units, problems, nonnegative=method in _NONNEGATIVE)
    problems.raise_any(DataError)


def _errors(
    x: Array, method: str, units: Sequence[str], options: Mapping[str, Any]
) -> tuple[Array | None, tuple[str, ...]]:
    try:
        return standard_errors(x, method, units=units, **options), ()
    except InputError as error:
        return None, (f"no standard error: {error.problems[0]}",)


def _in_order(
    directions: Mapping[str, float | str] | Sequence[float | str], names: Sequence[str]
) -> list[float | str]:
    if not isinstance(directions, Mapping):
        return list(directions)
    problems = Problems("directions")
    for name in directions:
        if str(name) not in names:
            problems.add(f"'{name}'", suggest(str(name), names))
    for name in names:
        if name not in directions:
            problems.add("no direction", "1 or 'positive', -1 or 'negative'", column=name)
    problems.raise_any(DataError)
    return [directions[name] for name in names]


def _table(data: Any, method: str) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"found {type(data).__name__}; {method} takes a DataFrame")
    return data


def _equal(data: Any, method: str, options: dict[str, Any]) -> Weighting:
    table = _table(data, method)
    return equal(table.shape[1], names=labels_of(table.columns), **options)


def _ranked(data: Any, method: str, options: dict[str, Any]) -> Weighting:
    import pandas as pd

    if not isinstance(data, pd.Series):
        raise TypeError(f"found {type(data).__name__}; {method} takes a Series of places")
    places = numbers_of(data.to_frame("place"), "ranking")[:, 0]
    return _RANKED[method](places, names=labels_of(data.index), **options)


def _points(data: Any, method: str, options: dict[str, Any]) -> Weighting:
    table = _table(data, method)
    names, experts = labels_of(table.columns), labels_of(table.index)
    return budget_allocation(numbers_of(table, "points"), names=names, experts=experts, **options)


def _pairwise(data: Any, method: str, options: dict[str, Any]) -> Weighting:
    table = _table(data, method)
    return ahp(square(table, "comparisons"), names=labels_of(table.columns), **options)


def _group(data: Any, method: str, options: dict[str, Any]) -> Weighting:
    if not isinstance(data, Mapping) or not data:
        raise TypeError(
            f"found {type(data).__name__}; {method} takes a mapping from expert to square table"
        )
    tables = {str(expert): _table(table, method) for expert, table in data.items()}
    order = next(iter(tables.values())).columns
    stack = [square(table, f"comparisons of {e}", order) for e, table in tables.items()]
    return ahp_group(np.array(stack), names=labels_of(order), experts=list(tables), **options)


_ADAPTERS: Mapping[str, Callable[[Any, str, dict[str, Any]], Weighting]] = {
    "ahp": _pairwise,
    "ahp_group": _group,
    "budget_allocation": _points,
    "equal": _equal,
    **dict.fromkeys(_RANKED, _ranked),
}
