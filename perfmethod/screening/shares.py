"""Shares of a unit in one mode against its other modes: all best, and too uniform."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfmethod.screening.multiple import holm
from perfmethod.screening.patterns import irv
from perfmethod.screening.sheet import Flag, Sheet
from perfmethod.survey.disclosure import few

__all__ = ["best_flags", "excess_share_tail", "uniform_flags"]

Floats = NDArray[np.float64]
_ENOUGH = 10  # units of one form, for an odds ratio of their own


def excess_share_tail(count: int, n: int, other_count: int, other_n: int, odds: float = 1) -> float:
    """Chance of a count this high in one group, given the count in both.

    Two binomial counts given their sum follow Fisher's noncentral hypergeometric distribution; with
    odds 1 this is Fisher's exact test, one-sided.

    Parameters
    ----------
    count, n : int
        Hits and trials in the group.
    other_count, other_n : int
        In the group it is compared with.
    odds : float
        Odds ratio under the null, above 0.

    Returns
    -------
    float
        ``P(X >= count)``.

    References
    ----------
    Fisher, "The logic of inductive inference", *JRSS* 98 (1935), 39-82.

    Examples
    --------
    >>> round(excess_share_tail(3, 4, 1, 4), 6)  # the lady tasting tea: 17/70
    0.242857
    """
    from scipy.special import gammaln, logsumexp

    total = count + other_count
    x = np.arange(max(0, total - other_n), min(n, total) + 1)
    log = x * np.log(odds)
    for size, part in ((n, x), (other_n, total - x)):
        log = log - gammaln(part + 1) - gammaln(size - part + 1)
    return float(min(np.exp(logsumexp(log[x >= count]) - logsumexp(log)), 1.0))


def best_flags(sheet: Sheet, alpha: float, online: str) -> list[Flag]:
    """Units whose online ballots are all best more often than those of other modes."""
    if online not in sheet.modes or not sheet.knows_best:
        return []
    return _flags(sheet, "online all best", sheet.best, sheet.modes.index(online), alpha,
                  "have the best answer to every question")  # fmt: skip


def uniform_flags(sheet: Sheet, alpha: float) -> list[Flag]:
    """Units whose ballots in a mode vary less inside than those in other modes."""
    even = irv(sheet.answers) == 0
    p: list[Flag] = []
    for mode in range(len(sheet.modes)):
        p += _flags(sheet, "too uniform", even, mode, alpha / len(sheet.modes),
                    "have one answer to every question", len(sheet.modes))  # fmt: skip
    return p


def _flags(
    sheet: Sheet,
    kind: str,
    hit: NDArray[np.bool_],
    mode: int,
    alpha: float,
    said: str,
    families: int = 1,
) -> list[Flag]:
    """One mode against all others, unit by unit; only complete ballots."""
    tables = _tables(sheet, hit, mode)
    odds = _usual_odds(sheet, tables)
    p = np.full(len(tables), np.nan)
    for u, (k, n, other_k, other_n) in enumerate(tables.tolist()):
        if n and other_n:
            p[u] = excess_share_tail(k, n, other_k, other_n, odds[u])
    adjusted = holm(p)
    flags = []
    for u in np.flatnonzero(adjusted <= alpha).tolist():
        k, n, other_k, other_n = tables[u].tolist()
        text = (
            f"{sheet.told(k)} of {sheet.told(n)} complete ballots {said}; in other modes "
            f"{sheet.told(other_k)} of {sheet.told(other_n)}"
        )
        if not few([other_k, other_n - other_k], sheet.min_cell).any():
            expected = _expected(other_k, other_n, odds[u])
            text += f", which makes {expected:.0%} at the usual odds ratio {odds[u]:.2f}"
        flags.append(Flag(kind, text, k, unit=sheet.units[u], mode=sheet.modes[mode],
                          p=float(min(adjusted[u] * families, 1.0)),
                          few=bool(few(k, sheet.min_cell))))  # fmt: skip
    return flags


def _tables(sheet: Sheet, hit: NDArray[np.bool_], mode: int) -> NDArray[np.int64]:
    """Hits and ballots in the mode, hits and ballots elsewhere, (u, 4)."""
    n_units, here = len(sheet.units), sheet.mode == mode
    parts = [rows & sheet.complete for rows in (here & hit, here, ~here & hit, ~here)]
    return np.stack([np.bincount(sheet.unit[rows], minlength=n_units) for rows in parts], axis=1)


def _usual_odds(sheet: Sheet, tables: NDArray[np.int64]) -> Floats:
    """Median odds ratio between the mode and the others, over the units asked the same questions.

    The median is not moved by a few stuffed units; few units of a form borrow from all.
    """
    k, n, other_k, other_n = (tables[:, i] + 0.5 for i in range(4))
    log = np.log(k / (n - k + 0.5)) - np.log(other_k / (other_n - other_k + 0.5))
    there = (tables[:, 1] > 0) & (tables[:, 3] > 0)
    form = np.zeros(len(tables), np.intp)
    form[sheet.unit] = sheet.form
    out = np.ones(len(tables))
    for f in np.unique(form):
        own = there & (form == f)
        base = own if own.sum() >= _ENOUGH else there
        if base.sum() >= 3:  # with one or two units nothing is usual
            out[form == f] = np.exp(np.median(log[base]))
    return out


def _expected(k: int, n: int, odds: float) -> float:
    share = k / n
    return odds * share / (1 - share + odds * share)
