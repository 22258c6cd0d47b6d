"""Raters who vote alike: pairs with improbable agreement, and the rings they form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.screening.multiple import binomial_tail, holm
from perfmethod.screening.sheet import Codes, Flag, Sheet

__all__ = ["Agreement", "all_but_one", "pair_agreement", "ring_flags"]

Floats = NDArray[np.float64]
_PRIOR = 2.0  # ballots of the average rater that are added to each rater's own


class Agreement(NamedTuple):
    """Of r raters with each other.

    Attributes
    ----------
    matches, common, expected : ndarray, shape (r, r)
        Units with identical ballots, units that both rated, and how many identical ballots
        independent raters with these habits would have on these units.
    """

    matches: Floats
    common: Floats
    expected: Floats


def pair_agreement(
    rater: ArrayLike, unit: ArrayLike, vector: ArrayLike, form: ArrayLike | None = None
) -> Agreement:
    r"""Compare every rater with every other one, by products of sparse tables.

    Rater r has answers v with probability :math:`p_r(v)`: the own shares, pulled a little to those
    of all raters. Two independent raters then agree on a unit u with probability
    :math:`\sum_v p_r(v) p_s(v) \cdot \theta_u / \theta`, where :math:`\theta_u` is the share of
    identical pairs of ballots on that unit and :math:`\theta` its mean; never less than
    :math:`\theta_u`. Cost: :math:`O(r^2)` numbers, whatever the number of units.

    Parameters
    ----------
    rater, unit, vector : array_like of int, shape (n,)
        Codes from 0; a rater has one ballot on a unit.
    form : array_like of int, shape (n,), optional
        Which questions the unit was asked; habits are those on units with the same questions.

    Returns
    -------
    Agreement

    References
    ----------
    Wesolowsky, "Detecting excessive similarity in answers on multiple choice exams", *Journal of
    Applied Statistics* 27 (2000), 909-921 (the same idea for two examinees).

    Examples
    --------
    >>> seen = pair_agreement([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [4, 5, 4, 5, 4, 9])
    >>> seen.matches.astype(int)
    array([[2, 2, 1],
           [2, 2, 1],
           [1, 1, 2]])
    """
    r, u, v = (np.asarray(a, np.intp) for a in (rater, unit, vector))
    f = np.zeros(len(r), np.intp) if form is None else np.asarray(form, np.intp)
    n_r, n_u = int(r.max(initial=-1)) + 1, int(u.max(initial=-1)) + 1
    cell = np.unique(u * (int(v.max(initial=0)) + 1) + v, return_inverse=True)[1]
    matches, common = _product(r, cell, n_r), _product(r, u, n_r)
    theta = unit_theta(u, cell, n_u)
    expected, least = np.zeros_like(common), np.zeros_like(common)
    for k in np.unique(f):
        own = f == k
        units = np.unique(u[own])
        mean = theta[units].mean()
        relative = theta[u[own]] / mean if mean > 0 else np.ones(own.sum())
        habits = _habits(r[own], v[own], n_r)
        expected += (habits @ habits.T) * _product(r[own], u[own], n_r, relative)
        least += _product(r[own], u[own], n_r, theta[u[own]])
    return Agreement(matches, common, np.clip(expected, least, common))


def _product(row: Codes, column: Codes, n_rows: int, weight: Floats | None = None) -> Floats:
    """Incidence times its transpose, each column weighted."""
    from scipy.sparse import csr_array

    ones = np.ones(len(row))
    shape = (n_rows, int(column.max(initial=-1)) + 1)
    left = csr_array((ones if weight is None else weight, (row, column)), shape=shape)
    right = csr_array((ones, (row, column)), shape=shape)
    return np.asarray((left @ right.T).toarray(), dtype=float)


def unit_theta(unit: Codes, cell: Codes, n_units: int) -> Floats:
    """Share of identical pairs among the ballots of each unit; 0 for a single ballot."""
    _, first, times = np.unique(cell, return_index=True, return_counts=True)
    pairs = np.bincount(unit[first], times * (times - 1.0), n_units)
    n = np.bincount(unit, minlength=n_units)
    return np.asarray(pairs / np.maximum(n * (n - 1.0), 1.0))


def _habits(rater: Codes, vector: Codes, n_raters: int) -> Floats:
    """Shares of each set of answers by rater, (r, v)."""
    place = np.unique(vector, return_inverse=True)[1]
    width = int(place.max()) + 1
    counts = np.bincount(rater * width + place, minlength=n_raters * width)
    table = counts.reshape(n_raters, width).astype(float)
    average = table.sum(axis=0) / table.sum()
    shares = (table + _PRIOR * average) / (table.sum(axis=1, keepdims=True) + _PRIOR)
    return np.asarray(shares)


def ring_flags(sheet: Sheet, alpha: float, least: int, most_raters: int) -> list[Flag]:
    """Rings of raters, told by category; only pairs with `least` or more common units."""
    if sheet.rater is None:
        return []
    pairs = []
    for c in range(len(sheet.categories)):
        rows, place = _busy(sheet, c, least, most_raters)
        if place.max(initial=0) > 0:
            units = np.unique(sheet.unit[rows], return_inverse=True)[1]
            seen = pair_agreement(place, units, sheet.vector[rows], sheet.form[rows])
            pairs.append((c, rows, place, *_tails(seen, least)))
    tests = np.concatenate([p[-1] for p in pairs]) if pairs else np.zeros(0)
    adjusted, flags, start = holm(tests), [], 0
    for c, rows, place, i, j, p in pairs:
        own = adjusted[start : start + len(p)]
        start += len(p)
        hit = own <= alpha
        flags += _rings(sheet, c, rows, place, i[hit], j[hit], own[hit])
    return flags


def _busy(sheet: Sheet, c: int, least: int, most_raters: int) -> tuple[Codes, Codes]:
    """First ballots on each unit of the raters with most ballots in a category."""
    assert sheet.rater is not None
    rows = np.flatnonzero((sheet.category == c) & (sheet.rater >= 0) & (sheet.vector >= 0))
    key = sheet.rater[rows] * len(sheet.units) + sheet.unit[rows]
    keys, times = np.unique(key, return_counts=True)
    once = times[np.searchsorted(keys, key)] == 1  # repeated ballots have their own flag
    rows = rows[once]
    raters, place, count = np.unique(sheet.rater[rows], return_inverse=True, return_counts=True)
    chosen = np.argsort(-count, kind="stable")[:most_raters]
    chosen = chosen[count[chosen] >= least]
    number = np.full(len(raters), -1)
    number[np.sort(chosen)] = np.arange(len(chosen))
    kept = number[place] >= 0
    return rows[kept], number[place[kept]]


def _tails(seen: Agreement, least: int) -> tuple[Codes, Codes, Floats]:
    """Pairs that can be tested, with their p-values."""
    i, j = np.nonzero(np.triu(seen.common >= least, 1))
    k, n, mean = (part[i, j] for part in seen)
    return i, j, binomial_tail(k, n, mean / n)


def _rings(
    sheet: Sheet, c: int, rows: Codes, place: Codes, i: Codes, j: Codes, p: Floats
) -> list[Flag]:
    """Connected raters of one category, with the ballots that repeat another one's."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(i):
        return []
    size = int(place.max()) + 1
    ring = connected_components(coo_array((np.ones(len(i)), (i, j)), (size, size)), False)[1]
    flags = []
    for k in np.unique(ring[i]):
        members = np.flatnonzero(ring == k)
        own = rows[np.isin(place, members)]
        repeats = all_but_one(own, sheet.unit[own], sheet.vector[own])
        pairs = ring[i] == k
        text = (
            f"{sheet.told(len(members))} raters, pairs of whom gave identical ballots on "
            "many more units than their habits explain"
        )
        if not sheet.few(own):
            text += f"; {sheet.told(len(repeats))} of their {sheet.told(len(own))} ballots "
            text += "repeat another one's"
        flags.append(Flag("ring", text, len(repeats), category=sheet.categories[c],
                          p=float(p[pairs].max()), rows=repeats, few=sheet.few(own)))  # fmt: skip
    return flags


def all_but_one(rows: Codes, unit: Codes, vector: Codes) -> Codes:
    """Ballots that repeat another one on the same unit: all of a kind but the first."""
    key = unit * (int(vector.max(initial=0)) + 1) + vector
    first = np.unique(key, return_index=True)[1]
    return np.delete(rows, first)
