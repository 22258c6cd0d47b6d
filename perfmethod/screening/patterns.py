"""Patterns inside ballots: longest strings, variability, identical ballots of a rater."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.screening.multiple import benjamini_hochberg, beta_binomial_tail
from perfmethod.screening.sheet import Codes, Flag, Sheet

__all__ = ["identical_share", "irv", "longstring", "straight_flags"]

Floats = NDArray[np.float64]


def longstring(answers: ArrayLike) -> NDArray[np.intp]:
    """Longest run of the same answer, person by person.

    Parameters
    ----------
    answers : array_like, shape (n, d)
        In the order of the questions; NaN is no answer and ends a run.

    Returns
    -------
    ndarray of int, shape (n,)
        0 where nothing is answered.

    References
    ----------
    Johnson, "Ascertaining the validity of individual protocols from web-based personality
    inventories", *Journal of Research in Personality* 39 (2005), 103-129.

    Examples
    --------
    >>> longstring([[1, 1, 2, 2, 2], [3, 1, 3, 1, 3]])
    array([3, 1])
    """
    x = np.asarray(answers, dtype=float)
    run = np.zeros(len(x), np.intp)
    longest = run.copy()
    before = np.full(len(x), np.nan)
    for column in x.T:
        run = np.where(column == before, run + 1, ~np.isnan(column))
        longest = np.maximum(longest, run)
        before = column
    return longest


def irv(answers: ArrayLike) -> Floats:
    """Intra-individual response variability: standard deviation of a person's answers.

    Parameters
    ----------
    answers : array_like, shape (n, d)
        Missing answers are left out.

    Returns
    -------
    ndarray, shape (n,)
        With divisor d - 1; NaN where fewer than two answers are there.

    References
    ----------
    Dunn, Heggestad, Shanock & Theilgard, "Intra-individual response variability as an indicator
    of insufficient effort responding", *Journal of Business and Psychology* 33 (2018), 105-121.

    Examples
    --------
    >>> irv([[1, 1, 1], [1, 2, 3]])
    array([0., 1.])
    """
    x = np.asarray(answers, dtype=float)
    there = ~np.isnan(x)
    n = there.sum(axis=1)
    mean = np.where(there, x, 0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(there, (x - mean[:, None]) ** 2, 0).sum(axis=1)
    return np.where(n >= 2, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


def identical_share(vector: ArrayLike, rater: ArrayLike) -> tuple[Codes, Codes, Codes]:
    """Most frequent set of answers of each rater.

    Parameters
    ----------
    vector : array_like of int, shape (n,)
        Which set of answers a ballot has.
    rater : array_like of int, shape (n,)

    Returns
    -------
    raters, count, ballots : ndarray of int, shape (r,)
        Raters in order, ballots with their most frequent set of answers, and all their ballots.

    Examples
    --------
    >>> identical_share([5, 5, 7, 1], [0, 0, 0, 1])
    (array([0, 1]), array([2, 1]), array([3, 1]))
    """
    v, r = np.asarray(vector, np.intp), np.asarray(rater, np.intp)
    raters, place = np.unique(r, return_inverse=True)
    width = int(v.max(initial=0)) + 1
    pairs, times = np.unique(place * width + v, return_counts=True)
    most = np.zeros(len(raters), np.intp)
    np.maximum.at(most, pairs // width, times)
    return raters, most, np.bincount(place, minlength=len(raters))


def straight_flags(sheet: Sheet, alpha: float, least: int) -> list[Flag]:
    """Raters who do not differentiate, told by category.

    Only raters with `least` or more complete ballots are tested; a few ballots cannot tell.
    """
    if sheet.rater is None:
        return []
    rows = np.flatnonzero(sheet.complete & (sheet.rater >= 0))
    rater, form = sheet.rater[rows], sheet.form[rows]
    straight = longstring(sheet.answers[rows]) == sheet.asked[rows]
    raters, place = np.unique(rater, return_inverse=True)
    lines = np.bincount(place, straight, len(raters)).astype(np.intp)
    habit = _most_frequent_line(place, straight, sheet.answers[rows, 0], len(raters))
    found = _told(
        sheet,
        "straight-lining",
        rows,
        place,
        lines - habit,
        habit,
        alpha,
        least,
        "gave one answer to every question on almost all units, and not always the same",
    )
    key = rater * (form.max(initial=0) + 1) + form
    keys, most, _ = identical_share(sheet.vector[rows], key)
    seat = np.searchsorted(keys, key)
    return found + _told(
        sheet,
        "identical ballots",
        rows,
        seat,
        most,
        np.zeros_like(most),
        alpha,
        least,
        "gave almost all of their units one and the same ballot",
    )


def _most_frequent_line(
    place: Codes, straight: NDArray[np.bool_], answer: Floats, raters: int
) -> Codes:
    """How often each rater gave the straight ballot that is the most frequent of the rater.

    A mild rater has many ballots that are all best without being careless; without these, only
    raters who answer all questions alike at every level stand out.
    """
    value = np.unique(answer[straight], return_inverse=True)[1]
    most = np.zeros(raters, np.intp)
    owner, count, _ = identical_share(value, place[straight])
    most[owner] = count
    return most


def _told(
    sheet: Sheet,
    kind: str,
    rows: Codes,
    place: Codes,
    count: Codes,
    spared: Codes,
    alpha: float,
    least: int,
    said: str,
) -> list[Flag]:
    """Test raters against those of their category; one flag for each category."""
    ballots = np.bincount(place, minlength=len(count))
    home = np.zeros(len(count), np.intp)
    home[place] = sheet.category[rows]
    p = np.full(len(count), np.nan)
    for c in np.unique(home):
        mine = np.flatnonzero((home == c) & (ballots >= least) & (ballots > spared))
        if len(mine):
            p[mine] = beta_binomial_tail(count[mine], (ballots - spared)[mine])
    adjusted = benjamini_hochberg(p)
    hit = adjusted <= alpha
    flags = []
    for c in np.unique(home[hit]):
        mine = hit & (home == c)
        tested = int(((home == c) & ~np.isnan(p)).sum())
        own = rows[mine[place]]
        text = (
            f"{sheet.told(int(mine.sum()))} of {sheet.told(tested)} raters with {least} or "
            f"more complete ballots {said}"
        )
        flags.append(Flag(kind, text, len(own), category=sheet.categories[c],
                          p=float(adjusted[mine].max()), rows=own, few=sheet.few(own)))  # fmt: skip
    return flags
