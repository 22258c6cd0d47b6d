"""Population shares of rater categories and modes, as a user gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import Problems, suggest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Targets", "read_targets"]

Floats = NDArray[np.float64]

SAME_TOTAL = 1e-6


class Targets(NamedTuple):
    """Shares of each class, adding to 1; 0 where there is nobody of the class."""

    categories: Floats  # (k, c)
    modes: Floats | None  # (k, m)


def read_targets(
    categories: Any,
    modes: Any,
    labels: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    present: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    problems: Problems,
) -> Targets:
    """Shares by class; everything wrong with them is a problem.

    Parameters
    ----------
    categories, modes
        Mapping of name to share, or of class to such a mapping; a Series; or a DataFrame with
        columns ``category`` (or ``mode``), ``share`` and, if classes differ, ``class``. Shares are
        relative, but those of categories and of modes must have one total. Modes may be None.
    labels : classes (k,), categories (c,) and modes (m,)
    present : who has a valid answer, (k, c) and (k, m)
    problems : Problems

    Returns
    -------
    Targets
    """
    classes = labels[0]
    first = _margin("category", categories, classes, labels[1], present[0], problems)
    if modes is None:
        return Targets(_shares(first), None)
    second = _margin("mode", modes, classes, labels[2], present[1], problems)
    for k, name in enumerate(classes):
        a, b = math.fsum(first[k]), math.fsum(second[k])
        if a > 0 and b > 0 and abs(a - b) > SAME_TOTAL * max(a, b):
            problems.add(
                f"category shares that add to {a:.6g} and mode shares that add to {b:.6g}",
                "one total for both", row=f"class {name}",
            )  # fmt: skip
    return Targets(_shares(first), _shares(second))


def _shares(table: Floats) -> Floats:
    total = table.sum(axis=1, keepdims=True)
    return np.divide(table, total, out=np.zeros(table.shape), where=total > 0)


def _margin(
    margin: str, given: Any, classes: tuple[str, ...], known: tuple[str, ...],
    present: NDArray[np.bool_], problems: Problems,
) -> Floats:  # fmt: skip
    by_class = _by_class(margin, given, classes, problems)
    table = np.zeros((len(classes), len(known)))
    if by_class is None:
        return table
    for k, name in enumerate(classes):
        shares = by_class[name]
        for label in shares:
            if label not in known:
                problems.add(f"{margin} {label!r}", suggest(label, known), row=f"class {name}",
                             column=margin)  # fmt: skip
        for j, label in enumerate(known):
            table[k, j] = _share(
                (margin, label, name), shares.get(label), bool(present[k, j]), problems
            )
    return table


def _share(at: tuple[str, str, str], share: Any, present: bool, problems: Problems) -> float:
    margin, label, name = at
    if share is None:
        if present:
            problems.add(f"no share of {margin} {label}, which has valid answers",
                         "a positive share", row=f"class {name}", column=margin)  # fmt: skip
        return 0.0
    try:
        value = float(share)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        problems.add(f"share {share!r} of {margin} {label}", "a positive number",
                     row=f"class {name}", column=margin)  # fmt: skip
        return 0.0
    if not present:
        problems.add(f"a share of {margin} {label}, from which no unit has a valid answer",
                     "shares of those that are there", row=f"class {name}",
                     column=margin)  # fmt: skip
        return 0.0
    return value


def _by_class(
    margin: str, given: Any, classes: tuple[str, ...], problems: Problems
) -> Mapping[str, Mapping[str, Any]] | None:
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        return _of_frame(margin, given, classes, problems)
    if isinstance(given, pd.Series):
        given = given.to_dict()
    if not isinstance(given, Mapping) or not given:
        problems.add(f"{margin} shares of type {type(given).__name__}",
                     "a mapping, Series or DataFrame with shares")  # fmt: skip
        return None
    if not any(isinstance(v, Mapping) for v in given.values()):
        shares = {str(k): v for k, v in given.items()}
        return dict.fromkeys(classes, shares)
    _check_classes(margin, {str(k) for k in given}, classes, problems)
    tables = {str(k): v for k, v in given.items()}
    return {c: {str(k): v for k, v in dict(tables.get(c, {})).items()} for c in classes}


def _of_frame(
    margin: str, frame: pd.DataFrame, classes: tuple[str, ...], problems: Problems
) -> Mapping[str, Mapping[str, Any]] | None:
    lacking = [name for name in (margin, "share") if name not in frame]
    for name in lacking:
        problems.add("no such column", suggest(name, map(str, frame.columns)), column=name)
    if lacking:
        return None
    keys = [name for name in ("class", margin) if name in frame]
    for row in frame[frame.duplicated(keys)][keys].itertuples(index=False):
        problems.add(f"{', '.join(map(str, row))} twice", "once each", column=margin)
    if "class" not in frame:
        shares = dict(zip(frame[margin].astype(str), frame["share"], strict=True))
        return dict.fromkeys(classes, shares)
    _check_classes(margin, set(frame["class"].astype(str)), classes, problems)
    own = {str(c): part for c, part in frame.groupby("class")}
    return {
        c: dict(zip(own[c][margin].astype(str), own[c]["share"], strict=True)) if c in own else {}
        for c in classes
    }


def _check_classes(
    margin: str, found: set[str], classes: tuple[str, ...], problems: Problems
) -> None:
    for name in sorted(found - set(classes)):
        problems.add(f"class {name!r}", suggest(name, classes), column=margin)
