"""Polychoric correlations: the correlation of normal variables behind ordered answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.reliability._items import read_items
from perfmethod.reliability.ratings import Ratings, refuse

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Polychoric", "bivariate_normal_cdf", "polychoric_correlations", "polychoric_of_tables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_MOST = 0.9999  # correlations are sought between minus this and this
_ROUNDS = 60


@dataclass(frozen=True, eq=False, repr=False)
class Polychoric:
    """Polychoric correlations of p items.

    Parameters
    ----------
    correlations, standard_errors : DataFrame (p, p)
        The errors take rows as drawn independently and count the estimation of thresholds.
    empty_cells : DataFrame (p, p)
        Cells of each pair's table that nobody chose: they enter as they are, unless a `correction`
        was asked for.
    n : DataFrame (p, p)
        Rows with both answers.
    categories : tuple of ndarray
        Answers that occur on each item; an answer that nobody gave has no threshold.
    notes : tuple of str
    """

    correlations: pd.DataFrame
    standard_errors: pd.DataFrame
    empty_cells: pd.DataFrame
    n: pd.DataFrame
    categories: tuple[Floats, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        p = len(self.correlations)
        off = self.correlations.to_numpy()[np.triu_indices(p, 1)]
        empty = int(self.empty_cells.to_numpy()[np.triu_indices(p, 1)].sum())
        return (
            f"<Polychoric: {p} items, correlations {off.min():.4f} to {off.max():.4f}, "
            f"{empty} empty cells>"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per pair: correlation, standard_error, n, empty_cells."""
        import pandas as pd

        i, j = np.triu_indices(len(self.correlations), 1)
        names = self.correlations.index
        pairs = pd.MultiIndex.from_arrays([names[i], names[j]], names=["item", "other"])
        columns = {
            "correlation": self.correlations,
            "standard_error": self.standard_errors,
            "n": self.n,
            "empty_cells": self.empty_cells,
        }
        return pd.DataFrame({k: v.to_numpy()[i, j] for k, v in columns.items()}, index=pairs)


def bivariate_normal_cdf(h: ArrayLike, k: ArrayLike, rho: ArrayLike) -> Floats:
    r"""Probability that two standard normal variables with correlation rho stay below h and k.

    By Owen's T function: with :math:`q = \sqrt{1 - \rho^2}`,

    .. math::

        \Phi_2 = \tfrac12 \{\Phi(h) + \Phi(k) - \delta\}
               - T\big(h, (k - \rho h) / (h q)\big) - T\big(k, (h - \rho k) / (k q)\big),

    :math:`\delta` 1 where h and k have different signs (a zero counts as positive), else 0.

    Parameters
    ----------
    h, k : array_like (...)
        May be infinite.
    rho : array_like (...)
        Between -1 and 1, both excluded.

    Returns
    -------
    ndarray (...)

    References
    ----------
    Owen, D. B. (1956). Tables for computing bivariate normal probabilities. Annals of Mathematical
    Statistics 27(4), 1075-1090.

    Examples
    --------
    >>> bivariate_normal_cdf(0.0, 0.0, 0.5).round(6).item()
    0.333333
    """
    from scipy import special

    h, k, rho = np.broadcast_arrays(*(np.asarray(v, float) for v in (h, k, rho)))
    finite = np.isfinite(h) & np.isfinite(k)
    a, b = np.where(finite, h, 1.0), np.where(finite, k, 1.0)
    # an exact zero is moved by less than rounding; the formula divides by both
    a, b = np.where(a == 0, 1e-300, a), np.where(b == 0, 1e-300, b)
    q = np.sqrt((1 - rho) * (1 + rho))
    with np.errstate(over="ignore"):  # T of an infinite slope is defined
        slopes = (b / a - rho) / q, (a / b - rho) / q
    differ = 0.5 * ((a < 0) != (b < 0))
    inside = (special.ndtr(a) + special.ndtr(b)) / 2 - differ
    inside -= special.owens_t(a, slopes[0]) + special.owens_t(b, slopes[1])
    outside = np.minimum(special.ndtr(h), special.ndtr(k))  # one of them is 0 or 1
    return np.clip(np.where(finite, inside, outside), 0.0, 1.0)


def polychoric_of_tables(tables: ArrayLike) -> Floats:
    r"""Two-step maximum likelihood for any number of tables at once.

    Thresholds are normal quantiles of each table's margins; given them, the likelihood of the
    correlation is maximized by Fisher scoring inside a shrinking bracket.

    Parameters
    ----------
    tables : array_like (..., r, c)
        Counts (or weights) of pairs of ordered answers. Empty cells, rows and columns add nothing
        to the likelihood.

    Returns
    -------
    ndarray (...)
        Between -0.9999 and 0.9999 (an end where the likelihood grows up to it); NaN where a margin
        has fewer than two categories in use.

    References
    ----------
    Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika 44(4), 443-460.

    Examples
    --------
    >>> polychoric_of_tables([[40, 10], [10, 40]]).round(4).item()  # sin(0.3 pi)
    0.809
    """
    t = np.asarray(tables, float)
    total = t.sum(axis=(-2, -1), keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = t / total
    margins = p.sum(axis=-1), p.sum(axis=-2)
    usable = np.all([(m > 0).sum(axis=-1) > 1 for m in margins], axis=0)
    anything = 1 / (p.shape[-1] * p.shape[-2])  # stands in for tables that have no answer
    flat = np.where(usable[..., None, None], p, anything).reshape(-1, *p.shape[-2:])
    rho = _maximize(flat)
    return np.where(usable, rho.reshape(usable.shape), np.nan)


def _maximize(p: Floats) -> Floats:
    """Correlation (b,) of each table of shares (b, r, c)."""
    h, k = _thresholds(p.sum(axis=2)), _thresholds(p.sum(axis=1))
    low, high = np.full(len(p), -_MOST), np.full(len(p), _MOST)
    rho = np.zeros(len(p))
    going = np.arange(len(p))
    for _ in range(_ROUNDS):
        score, information = _score(p[going], h[going], k[going], rho[going])
        old = rho[going]
        low[going] = np.where(score > 0, old, low[going])
        high[going] = np.where(score > 0, high[going], old)
        step = old + score / information
        inside = (step > low[going]) & (step < high[going])
        rho[going] = np.where(inside, step, (low[going] + high[going]) / 2)
        going = going[np.abs(rho[going] - old) > 1e-13]
        if not going.size:
            break
    return rho


def _thresholds(margin: Floats) -> Floats:
    """Thresholds (b, c + 1), the outer ones infinite."""
    from scipy import special

    below = np.cumsum(margin, axis=1)
    below = np.clip(below / below[:, -1:], 0.0, 1.0)
    # sums of the last empty categories may miss 1 by rounding
    below[1 - below < 1e-14] = 1.0
    return np.concatenate([np.full((len(margin), 1), -np.inf), special.ndtri(below)], axis=1)


def _score(p: Floats, h: Floats, k: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Derivative (b,) of the mean log likelihood, and its expected information."""
    a, b, r = h[:, :, None], k[:, None, :], rho[:, None, None]
    corner = bivariate_normal_cdf(a, b, r)
    q = 1 - r**2
    finite = np.isfinite(a) & np.isfinite(b)
    x, y = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    density = np.where(finite, np.exp(-(x * x - 2 * r * x * y + y * y) / (2 * q)), 0.0)
    density /= 2 * np.pi * np.sqrt(q)
    cell = np.maximum(_cells(corner), 1e-300)
    slope = _cells(density)
    information = (slope**2 / cell).sum(axis=(1, 2))
    return (p * slope / cell).sum(axis=(1, 2)), np.maximum(information, 1e-300)


def _cells(corner: Floats) -> Floats:
    """Mass of each cell from the mass below and left of each corner."""
    return np.diff(np.diff(corner, axis=1), axis=2)


def polychoric_correlations(
    x: ArrayLike | Ratings,
    *,
    items: Sequence[str] | None = None,
    missing: str = "pairwise",
    correction: float = 0.0,
) -> Polychoric:
    """Polychoric correlations of ordered answers, pair by pair, by two-step maximum likelihood.

    Parameters
    ----------
    x : array_like (n, p), DataFrame or Ratings
        Answers of n persons on p items; only their order counts. NaN where missing.
    items : sequence of str (p,), optional
    missing : {"pairwise", "listwise"}
        Each pair from the rows that have both answers, or only rows without any gap.
    correction : float
        Put into the empty cells of each table (some programs put 0.5 there). By default nothing
        is: empty cells need no correction, they are counted and stated.

    Returns
    -------
    Polychoric

    Raises
    ------
    DataError
        For fewer than two items, fewer than three rows, or an item everybody answers alike.

    References
    ----------
    Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika 44(4), 443-460.

    Examples
    --------
    >>> answers = np.repeat([[1, 1], [1, 2], [2, 1], [2, 2]], [40, 10, 10, 40], axis=0)
    >>> polychoric_correlations(answers, items=["duty", "conduct"])
    <Polychoric: 2 items, correlations 0.8090 to 0.8090, 0 empty cells>
    """
    import pandas as pd

    data = read_items(x, items=items, missing=missing, kind="ordinal")
    if correction < 0:
        raise ValueError(f"found correction={correction!r}; allowed: a number of at least 0")
    codes, categories = coded(data.values)
    p = len(data.names)
    result = np.eye(p), np.zeros((p, p)), np.zeros((p, p), int), np.zeros((p, p), int)
    notes = list(data.notes)
    for i, j in zip(*np.triu_indices(p, 1), strict=True):
        table = _table(codes[:, i], codes[:, j], (categories[i].size, categories[j].size))
        found = _pair(table, correction, (data.names[i], data.names[j]), notes)
        for matrix, value in zip(result, found, strict=True):
            matrix[i, j] = matrix[j, i] = value
    labels = pd.Index(data.names, name="item")
    frames = [pd.DataFrame(m, index=labels, columns=labels) for m in result]
    return Polychoric(frames[0], frames[1], frames[2], frames[3], categories, tuple(notes))


def coded(values: Floats) -> tuple[Ints, tuple[Floats, ...]]:
    """Answers as positions among those that occur on the item, -1 where missing."""
    codes = np.full(values.shape, -1)
    categories = []
    for i, column in enumerate(values.T):
        there = ~np.isnan(column)
        found, codes[there, i] = np.unique(column[there], return_inverse=True)
        categories.append(found)
    return codes, tuple(categories)


def _table(a: Ints, b: Ints, shape: tuple[int, int]) -> Floats:
    both = (a >= 0) & (b >= 0)
    place = a[both] * shape[1] + b[both]
    return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape).astype(float)


def _pair(
    table: Floats, correction: float, names: tuple[str, str], notes: list[str]
) -> tuple[float, float, int, int]:
    """Correlation, standard error, empty cells and rows of one table."""
    n, empty = int(table.sum()), int((table == 0).sum())
    used = np.where(table == 0, correction, table)
    rho = float(polychoric_of_tables(used))
    if np.isnan(rho):
        refuse(
            f"{n} rows with both answers, all alike on one of them",
            "answers that differ",
            what="answers",
            column=f"{names[0]} and {names[1]}",
        )
    if abs(rho) > _MOST - 1e-6:
        notes.append(f"{names[0]} and {names[1]}: the likelihood grows up to a correlation of 1")
    # the influence of one more answer in each cell, by moving a little mass there
    share, step = used / used.sum(), 1e-5
    occupied = np.argwhere(share > 0)
    moved = np.repeat(share[None] * (1 - step), len(occupied), axis=0)
    moved[np.arange(len(occupied)), occupied[:, 0], occupied[:, 1]] += step
    influence = (polychoric_of_tables(moved) - rho) / step
    weight = share[tuple(occupied.T)]
    return rho, float(np.sqrt(weight @ influence**2 / n)), empty, n
