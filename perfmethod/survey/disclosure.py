"""What may be shown of small cells: one rule for tables, texts and figures.

A number of people from 1 to min_cell - 1 is shown as ``"<10"``, or as a bound where it would follow
from the rest; a share is not shown where so few people stand behind it or behind its complement;
a number that a neighboring table would let the reader subtract is rounded to min_cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError

__all__ = ["coarse", "coarse_share", "count_text", "few", "hide_weights", "suppress"]


def few(count: ArrayLike, min_cell: int) -> NDArray[np.bool_]:
    """Whether a number of people may not be shown: 1 to min_cell - 1."""
    n = np.asarray(count)
    return np.asarray((n > 0) & (n < min_cell))


def coarse(count: ArrayLike, min_cell: int) -> NDArray[np.int64]:
    """Numbers of people to the nearest multiple of min_cell, a half up.

    Two tables of one run then have no difference that tells of fewer than min_cell people.

    Examples
    --------
    >>> coarse([44, 45, 3], 10)
    array([40, 50,  0])
    """
    n = np.asarray(count, dtype=np.int64)
    return np.asarray((2 * n + min_cell) // (2 * min_cell) * min_cell)


def count_text(count: int, min_cell: int) -> str:
    """Write a number of people as it may be shown beside numbers of other tables.

    Examples
    --------
    >>> count_text(4, 10), count_text(44, 10), count_text(0, 10), count_text(4, 1)
    ('<10', '40', '0', '4')
    """
    return f"<{min_cell}" if few(count, min_cell) else str(int(coarse(count, min_cell)))


def coarse_share(
    part: ArrayLike, whole: ArrayLike, min_cell: int, hidden: ArrayLike = False
) -> NDArray[np.float64]:
    """Share of a whole as it may be shown.

    Parameters
    ----------
    part, whole : array_like of int, one shape
        Counts.
    min_cell : int
    hidden : array_like of bool
        Shares that may not be shown for another reason.

    Returns
    -------
    ndarray
        Of the coarse part; NaN where the part or its complement is a small number, where `hidden`,
        and for a whole of 0.

    Examples
    --------
    >>> coarse_share([3, 96, 42, 0], [100, 100, 100, 100], 10)
    array([nan, nan, 0.4, 0. ])
    """
    n, all_ = np.asarray(part, np.int64), np.asarray(whole, np.int64)
    hide = few(n, min_cell) | few(all_ - n, min_cell) | np.asarray(hidden, bool) | (all_ == 0)
    shown = np.where((n == all_) | (n == 0), n, coarse(n, min_cell))
    return np.where(hide, np.nan, shown / np.maximum(all_, 1))


def hide_weights(cells: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Take out what would give hidden counts of valid answers away, after `suppress`.

    Where the ballots of several modes are pooled, their weights are to each other as their valid
    answers: none of a group (`keys`) is shown where one of its counts is hidden. The mean beside a
    hidden count is rounded to whole points, since more digits fit only one count.

    Parameters
    ----------
    cells : DataFrame
        What `suppress` gave: valid, mean, weight, and the keys.
    keys : sequence of str
        What the weights of a group are split over; empty leaves the weights alone.

    Returns
    -------
    DataFrame
        A copy.
    """
    bound = cells["valid"].map(lambda count: isinstance(count, str))
    shown = cells.assign(mean=cells["mean"].where(~bound, np.floor(cells["mean"] + 0.5)))
    if keys and len(cells):
        groups = [cells[key] for key in keys]
        several = cells["valid"].groupby(groups).transform("size") > 1
        shown["weight"] = cells["weight"].mask(bound.groupby(groups).transform("any") & several)
    return shown


def suppress(
    frame: pd.DataFrame,
    min_cell: int = 10,
    *,
    counts: Sequence[str] = ("ballots", "valid", "dont_know"),
    values: Sequence[str] = ("mean",),
    parts: tuple[str, str, str] | None = ("ballots", "valid", "dont_know"),
) -> pd.DataFrame:
    """Hide what a small cell would tell about its few raters.

    A row is suppressed when any of its counts of answers (`ballots` and `valid`, as far as they
    stand in `counts`) lies in 1..min_cell-1. Its `values` become NaN. Every count in
    1..min_cell-1 is shown as ``"<10"`` (for ``min_cell=10``), in suppressed rows and others. Where
    one of two parts of a shown total is hidden, the other is shown as a bound (``">90"`` for 95 of
    100), since the difference would give the hidden one away.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per cell; columns that are not named below are left alone.
    min_cell : int
        Smallest count that may be shown; 1 shows everything.
    counts, values : sequence of str
        Columns of integer counts, and columns computed from the answers. Names that the frame
        does not have are ignored.
    parts : tuple of str or None
        (total, part, part): columns with total = part + part.

    Returns
    -------
    pandas.DataFrame
        A copy, with a boolean column ``suppressed``. Count columns have dtype object: integers,
        and text where hidden.

    Raises
    ------
    PerfmethodError
        `min_cell` is below 1.

    Notes
    -----
    This is primary suppression, with the complement inside one row. *Complementary disclosure
    between rows remains*: where a margin is published beside the cells (a unit's score with all
    categories but one, two overlapping tables, effective weights that add to 1), a hidden cell
    follows by subtraction. Publish a margin only where at least two of its cells are hidden, or
    none is. A mean in full precision on a known scale narrows its counts down: round what is
    published.

    References
    ----------
    Hundepool, A., et al. (2012). *Statistical Disclosure Control*. Wiley, ch. 4 (threshold rule,
    secondary suppression).

    Examples
    --------
    >>> cells = pd.DataFrame(
    ...     {"ballots": [4, 100], "valid": [4, 95], "dont_know": [0, 5], "mean": [75.0, 90.0]}
    ... )
    >>> suppress(cells)
      ballots valid dont_know  mean  suppressed
    0     <10   <10       <10   NaN        True
    1     100   >90       <10  90.0       False
    """
    if min_cell < 1:
        raise PerfmethodError(f"min_cell: found {min_cell}; allowed: an integer of at least 1")
    columns = [name for name in counts if name in frame]
    sizes = frame[[name for name in columns if name != "dont_know"]]
    small = ((sizes > 0) & (sizes < min_cell)).any(axis=1)
    shown = frame.assign(suppressed=small)
    for name in columns:
        shown[name] = _masked(frame[name], min_cell)
    _hide_complements(shown, frame, parts, min_cell)
    for name in values:
        if name in frame:
            shown[name] = frame[name].mask(small)
    return shown


def _masked(column: pd.Series, min_cell: int) -> pd.Series:
    """Counts as objects, the small ones as text."""
    return column.astype(object).mask((column > 0) & (column < min_cell), f"<{min_cell}")


def _hide_complements(
    shown: pd.DataFrame,
    frame: pd.DataFrame,
    parts: tuple[str, str, str] | None,
    min_cell: int,
) -> None:
    """Show a bound where total minus part would reveal the other part."""
    if parts is None or not set(parts) <= set(frame.columns):
        return
    total, first, second = (frame[name] for name in parts)
    tiny = (total > 0) & (total < min_cell)
    for name, part, other in ((parts[1], first, second), (parts[2], second, first)):
        exposed = (other > 0) & (other < min_cell) & (part >= min_cell) & ~tiny
        bound = (total[exposed] - min_cell).map(lambda most: f">{most}")
        shown[name] = shown[name].mask(exposed, bound)
        shown[name] = shown[name].mask(tiny, f"<{min_cell}")
