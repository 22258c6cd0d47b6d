"""Bursts: more ballots in a short time than chance brings together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.screening.multiple import binomial_tail, holm
from perfmethod.screening.sheet import Codes, Flag, Sheet
from perfmethod.survey.disclosure import few

__all__ = ["burst_flags", "busiest_window", "scan_tail"]

Floats = NDArray[np.float64]


def busiest_window(times: ArrayLike, width: float) -> tuple[int, Codes]:
    """Scan statistic: the most points in any closed window.

    Parameters
    ----------
    times : array_like, shape (n,)
        In any order.
    width : float
        Length of the window, in the unit of the times; above 0.

    Returns
    -------
    most : int
    counts : ndarray of int, shape (n,)
        Points in the window that begins at each point, in the order given.

    Raises
    ------
    PerfmethodError
        If the width is not above 0.

    References
    ----------
    Naus, "The distribution of the size of the maximum cluster of points on a line", *JASA* 60
    (1965), 532-538.

    Examples
    --------
    >>> busiest_window([0, 50, 55, 59, 100], 10)
    (3, array([1, 3, 2, 1, 1]))
    """
    if not width > 0:
        raise PerfmethodError(f"width: found {width}; allowed: a number above 0")
    t = np.asarray(times, dtype=float)
    order = np.argsort(t, kind="stable")
    ordered = t[order]
    first = np.searchsorted(ordered, ordered, side="left")  # points at one time begin together
    last = np.searchsorted(ordered, ordered + width, side="right")
    counts = np.empty(len(t), np.intp)
    counts[order] = last - first
    return int(counts.max(initial=0)), counts


def scan_tail(most: ArrayLike, points: int, share: float) -> Floats:
    """Upper bound on the chance that some window holds so many points.

    For each point, count the others in the window that it begins: binomial if points are
    independent and no window holds more than `share` of the distribution. The chances of all points
    are added up (Boole), so the bound holds for any distribution of times, uniform or not.

    Parameters
    ----------
    most : array_like of int
        Value of the scan statistic.
    points : int
        Number of points.
    share : float
        Largest probability of a window, in (0, 1]; width over period for uniform times.

    Returns
    -------
    ndarray
        At most 1.

    Raises
    ------
    PerfmethodError
        If the share lies outside (0, 1].

    References
    ----------
    Glaz, Naus & Wallenstein, *Scan Statistics*, Springer (2001), ch. 8 (bounds).

    Examples
    --------
    >>> scan_tail([1, 3, 5], 20, 0.01).round(5)
    array([1.0000e+00, 3.0548e-01, 6.9000e-04])
    """
    if not 0 < share <= 1:
        raise PerfmethodError(f"share: found {share}; allowed: a number above 0, at most 1")
    k = np.asarray(most, dtype=float)
    return np.minimum(points * binomial_tail(k - 1, points - 1, share), 1.0)


def burst_flags(sheet: Sheet, alpha: float, window: float) -> list[Flag]:
    """Units with a burst of ballots whose time is known."""
    timed = np.flatnonzero(~np.isnan(sheet.time))
    if len(timed) < 2:
        return []
    key = sheet.unit[timed] * len(sheet.modes) + sheet.mode[timed]
    groups = [timed[key == g] for g in np.unique(key)]
    period = max(float(np.ptp(sheet.time[timed])), window)
    shares = _shares(sheet.time, groups, window, period)
    scans = [busiest_window(sheet.time[g], window) for g in groups]
    p = [float(scan_tail(most, len(g), share))
         for g, (most, _), share in zip(groups, scans, shares, strict=True)]  # fmt: skip
    adjusted = holm(p)
    flags = []
    for i in np.flatnonzero(adjusted <= alpha):
        most, counts = scans[i]
        rare = scan_tail(counts, len(groups[i]), shares[i]) * len(groups) <= alpha
        begins = np.unique(sheet.time[groups[i]][rare | (counts == most)])
        flags.append(_flag(sheet, groups[i], most, begins, window, float(adjusted[i])))
    return flags


def _shares(times: Floats, groups: list[Codes], window: float, period: float) -> Floats:
    """Share of the busiest window: even times, or the rhythm of other units if that is stronger.

    A burst of another unit makes this one larger than it should be, so the test errs to caution.
    """
    everything = np.concatenate(groups)
    shares = np.empty(len(groups))
    for i, group in enumerate(groups):
        others = np.setdiff1d(everything, group, assume_unique=True)
        busiest = busiest_window(times[others], window)[0] / len(others) if len(others) > 99 else 0
        shares[i] = min(max(window / period, busiest), 1.0)
    return shares


def _flag(sheet: Sheet, group: Codes, most: int, begins: Floats, window: float, p: float) -> Flag:
    assert sheet.start is not None  # for the type checker: there are times
    times = sheet.time[group]
    inside = (begins <= times[:, None]) & (times[:, None] <= begins + window)
    rows = group[inside.any(axis=1)]
    begin = sheet.start + pd.Timedelta(seconds=float(begins[0]))
    text = (
        f"{sheet.told(most)} of {sheet.told(len(group))} ballots came in within "
        f"{window / 60:g} minutes; the first burst begins at {begin:%Y-%m-%d %H:%M}"
    )
    mode, unit = sheet.modes[sheet.mode[group[0]]], sheet.units[sheet.unit[group[0]]]
    batch = f"{begin:%Y-%m-%dT%H:%M}"
    return Flag("burst", text, len(rows), unit=unit, mode=mode, batch=batch, p=p, rows=rows,
                few=bool(few(len(rows), sheet.min_cell)))  # fmt: skip
