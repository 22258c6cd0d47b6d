"""What may be shown of small cells."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from perfmethod.errors import PerfmethodError

__all__ = ["suppress"]


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
