"""Copied sessions: ballots that repeat each other more than those of mixed sessions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.screening.alike import _product, all_but_one, unit_theta
from perfmethod.screening.multiple import holm
from perfmethod.screening.sheet import Codes, Flag, Sheet

__all__ = ["session_flags", "session_tail"]

Floats = NDArray[np.float64]
_BLOCK = 250


def session_tail(
    excess: Floats,
    common: Floats,
    inside: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    draws: int = 9_999,
    stop: int = 10,
) -> tuple[float, float]:
    """Chance that raters drawn at random repeat each other as much as those of a session.

    Whole raters are drawn, so that their habits, mild or severe, straight or not, go with them.

    Parameters
    ----------
    excess : ndarray, shape (r, r)
        Identical pairs of ballots of two raters, over those usual on the units they share.
    common : ndarray, shape (r, r)
        Units they share.
    inside : ndarray of bool, shape (r,)
        Raters of the session; the others are those it is compared with.
    rng : numpy.random.Generator
    draws : int
        Sessions drawn at most.
    stop : int
        Draws as extreme as the session that end the search.

    Returns
    -------
    p, rate : float
        The p-value, and the session's excess of identical pairs, as a share of its pairs.

    Raises
    ------
    PerfmethodError
        If no rater stands outside or fewer than two inside.

    References
    ----------
    Besag & Clifford, "Sequential Monte Carlo p-values", *Biometrika* 78 (1991), 301-304.

    Examples
    --------
    >>> alike = np.zeros((8, 8)); alike[:4, :4] = 1
    >>> inside = np.arange(8) < 4
    >>> p, rate = session_tail(alike, np.ones((8, 8)), inside, np.random.default_rng(0))
    >>> rate, p < 0.05  # 1 of 70 ways to choose four
    (1.0, True)
    """
    r, k = len(inside), int(inside.sum())
    if k < 2 or k == r:
        raise PerfmethodError(f"inside: found {k} of {r} raters; allowed: 2 to {r - 1}")
    rate = float(_rates(excess, common, inside[None].astype(float))[0])
    reached = 0
    for start in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - start)
        chosen = np.argpartition(rng.random((size, r)), k - 1, axis=1)[:, :k]
        drawn = np.zeros((size, r))
        np.put_along_axis(drawn, chosen, 1.0, axis=1)
        high = _rates(excess, common, drawn) >= rate - 1e-9  # sums in another order are equal
        if reached + high.sum() >= stop:
            last = np.flatnonzero(np.cumsum(high) >= stop - reached)[0]
            return stop / float(start + last + 1), rate
        reached += int(high.sum())
    return (reached + 1) / (draws + 1), rate


def _rates(excess: Floats, common: Floats, drawn: Floats) -> Floats:
    """Mean excess over the pairs of raters chosen in each row, (b,)."""
    own = drawn @ np.diag(excess), drawn @ np.diag(common)
    pairs = [((drawn @ m) * drawn).sum(axis=1) - d
             for m, d in zip((excess, common), own, strict=True)]  # fmt: skip
    return np.asarray(pairs[0] / np.maximum(pairs[1], 1.0))


def session_flags(
    sheet: Sheet, alpha: float, seed: int, most_raters: int
) -> tuple[list[Flag], list[str]]:
    """Sessions with copied ballots, and notes on those that could not be tested."""
    if sheet.rater is None or not sheet.sessions:
        return [], []
    found, notes = [], []
    for s in range(len(sheet.sessions)):
        own = np.flatnonzero((sheet.session == s) & (sheet.vector >= 0))
        for c in np.unique(sheet.category[own]):
            rng = np.random.default_rng([seed, s, int(c)])
            tested = _test(sheet, s, int(c), rng, most_raters)
            if tested is None:
                notes.append(
                    f"session {sheet.sessions[s]}, category {sheet.categories[c]}: not tested, "
                    "since two raters and others of the category to compare with are needed"
                )
            else:
                found.append((s, int(c), *tested))
    adjusted = holm([f[2] for f in found])
    flags = [_flag(sheet, s, c, rate, float(p))
             for (s, c, _, rate), p in zip(found, adjusted, strict=True) if p <= alpha]  # fmt: skip
    return flags, notes


def _test(
    sheet: Sheet, s: int, c: int, rng: np.random.Generator, most_raters: int
) -> tuple[float, float] | None:
    """P-value and excess of one session; None where there is nothing to compare it with."""
    assert sheet.rater is not None
    rows = np.flatnonzero((sheet.category == c) & (sheet.rater >= 0) & (sheet.vector >= 0))
    mine = sheet.session[rows] == s
    rows = rows[mine | np.isin(sheet.unit[rows], sheet.unit[rows[mine]])]
    seat = sheet.rater[rows] * 2 + (sheet.session[rows] == s)  # a rater inside and out is two
    seats, place = np.unique(seat, return_inverse=True)
    inside = seats % 2 == 1
    others = np.flatnonzero(~inside)
    if inside.sum() < 2 or not len(others):
        return None
    if len(seats) > most_raters:
        room = max(most_raters - int(inside.sum()), 1)
        others = rng.choice(others, min(room, len(others)), replace=False)
    number = np.full(len(seats), -1)
    kept = np.sort(np.append(np.flatnonzero(inside), others))
    number[kept] = np.arange(len(kept))
    use = number[place] >= 0
    excess, common = _excess(number[place[use]], sheet.unit[rows[use]], sheet.vector[rows[use]])
    return session_tail(excess, common, inside[kept], rng)


def _excess(rater: Codes, unit: Codes, vector: Codes) -> tuple[Floats, Floats]:
    """Identical ballots over the usual ones, and common units, between raters."""
    n = int(rater.max()) + 1
    cell = np.unique(unit * (int(vector.max()) + 1) + vector, return_inverse=True)[1]
    theta = unit_theta(unit, cell, int(unit.max()) + 1)
    return _product(rater, cell, n) - _product(rater, unit, n, theta[unit]), _product(
        rater, unit, n
    )


def _flag(sheet: Sheet, s: int, c: int, rate: float, p: float) -> Flag:
    own = np.flatnonzero((sheet.session == s) & (sheet.category == c) & (sheet.vector >= 0))
    rows = all_but_one(own, sheet.unit[own], sheet.vector[own])
    modes = {sheet.modes[m] for m in np.unique(sheet.mode[own])}
    few = sheet.few(own)
    some = "ballots of the session" if few else (
        f"{sheet.told(len(rows))} of {sheet.told(len(own))} ballots of the session"
    )  # fmt: skip
    text = (
        f"{some} repeat another one of it on the same unit; "
        f"pairs of ballots are identical more often than in the category by {rate:.0%} of all pairs"
    )
    return Flag("copied session", text, len(rows), category=sheet.categories[c],
                mode=" ".join(sorted(modes)), batch=sheet.sessions[s], p=p, rows=rows,
                few=few)  # fmt: skip
