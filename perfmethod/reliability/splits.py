"""Split-half reliability: two halves of the items, stepped up to the whole, over all splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reliability._draws import check_level, no_interval, percentiles
from perfmethod.reliability._items import Items, read_items
from perfmethod.reliability._matrices import matrix_of, replicate_matrices, warnings_about
from perfmethod.reliability.ratings import Ratings, refuse
from perfmethod.reliability.result import Coefficient, Coefficients

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SplitHalves", "split_half"]

Floats = NDArray[np.float64]

_NAMES = {
    "spearman_brown": "Spearman-Brown split-half reliability",
    "lambda4": "Guttman's lambda 4 of a split",
}
_PARTS = ("mean over splits", "lowest split", "highest split", "odd and even items")
_KIND = {"raw": "raw", "standardized": "standardized", "ordinal": "polychoric"}


@dataclass(frozen=True, eq=False, repr=False)
class SplitHalves:
    """Reliability of every split of the items into halves.

    Parameters
    ----------
    coefficients : Coefficients
        Mean, lowest and highest over the splits, and the split into odd and even items. The highest
        lambda 4 over all splits is Guttman's lambda 4 of the scale; it is a lower bound of the
        reliability in the population, but in a sample capitalizes on chance.
    values : ndarray (s,)
        Of each split.
    halves : ndarray of bool (s, p)
        Items of the first half.
    complete : bool
        Whether these are all splits, or splits drawn at random.
    """

    coefficients: Coefficients
    values: Floats
    halves: NDArray[np.bool_]
    complete: bool

    def __repr__(self) -> str:
        how = "all" if self.complete else "drawn"
        low, high = self.values.min(), self.values.max()
        return (
            f"<SplitHalves: {self.values.size} splits ({how}), mean {self.values.mean():.4f}, "
            f"{low:.4f} to {high:.4f}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """Table of `coefficients`."""
        return self.coefficients.to_frame()


def split_half(
    x: ArrayLike | Ratings,
    *,
    formula: str = "lambda4",
    kind: str = "raw",
    splits: int = 10_000,
    items: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    missing: str = "listwise",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> SplitHalves:
    r"""Split-half reliability over all splits into halves, or many.

    For halves A and B (of an odd number of items one has one item more),

    .. math::

        \lambda_4 = \frac{4 \operatorname{cov}(A, B)}{\operatorname{var}(A + B)}, \qquad
        \text{Spearman-Brown} = \frac{2 r_{AB}}{1 + r_{AB}};

    both are the same where the halves vary alike.

    Parameters
    ----------
    x : array_like (n, p), DataFrame or Ratings
        Answers of n persons on p items, NaN where missing.
    formula : {"lambda4", "spearman_brown"}
    kind : {"raw", "standardized", "ordinal"}
        Covariances, correlations or polychoric correlations.
    splits : int
        All splits are formed if there are no more than this, and so many different ones are drawn
        otherwise (the highest then is a lower bound of the highest).
    items, clusters, missing, level, draws, seed
        As in `cronbach_alpha`. Intervals of the four numbers are by bootstrap, each replicate's
        splits searched anew.

    Returns
    -------
    SplitHalves

    Raises
    ------
    DataError
        As `cronbach_alpha`; a Spearman-Brown value also needs both halves of every split to vary.
    ValueError
        For an unknown formula or kind.

    References
    ----------
    Guttman, L. (1945). A basis for analyzing test-retest reliability. Psychometrika 10(4),
    255-282.

    Brown, W. (1910). Some experimental results in the correlation of mental abilities. British
    Journal of Psychology 3(3), 296-322; Spearman, C. (1910), same issue, 271-295.

    Examples
    --------
    >>> split_half([[1, 2, 2, 1], [2, 2, 3, 4], [4, 3, 4, 4], [5, 5, 4, 3]], draws=0)
    <SplitHalves: 3 splits (all), mean 0.8669, 0.7350 to 0.9611>
    """
    check_level(level)
    if formula not in _NAMES:
        raise ValueError(f"found formula={formula!r}; allowed: {suggest(str(formula), _NAMES)}")
    if splits < 1:
        raise ValueError(f"found splits={splits!r}; allowed: at least 1")
    rng = np.random.default_rng(seed)
    data = read_items(x, items=items, clusters=clusters, missing=missing, kind=kind)
    halves, complete = _splits(len(data.names), splits, rng)
    matrix = matrix_of(data, kind)
    values = _values(matrix, halves, formula)
    if np.isnan(values).any():
        refuse(
            "a half or a total that is the same for everybody", "sums that differ", what="answers"
        )
    found = _coefficients(data, kind, formula, matrix, halves, complete, level, draws, rng)
    return SplitHalves(found, values, halves, complete)


def _splits(p: int, most: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], bool]:
    """First halves (s, p); the split into odd and even items comes first."""
    odd = np.arange(p) % 2 == 0
    every = comb(p, p // 2) // (1 if p % 2 else 2)
    if every <= most:
        # with an even number the first item names its half, so no split comes twice
        rest = (
            combinations(range(1, p), p // 2 - 1) if p % 2 == 0 else combinations(range(p), p // 2)
        )
        rows = [(0, *chosen) if p % 2 == 0 else chosen for chosen in rest]
        halves = np.zeros((len(rows), p), bool)
        halves[np.arange(len(rows))[:, None], np.array(rows)] = True
        return halves, True
    found = {tuple(_named(odd))}
    while len(found) < most:
        half = np.zeros(p, bool)
        half[rng.permutation(p)[: p // 2]] = True
        found.add(tuple(_named(half)))
    return np.array(sorted(found), bool), False


def _named(half: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One of the two ways to write a split: the smaller half, or the one with the first item."""
    even = half.size % 2 == 0
    turn = not half[0] if even else half.sum() > half.size // 2
    return ~half if turn else half


def _values(c: Floats, halves: NDArray[np.bool_], formula: str) -> Floats:
    """Value of each split (..., s) from matrices (..., p, p); NaN where nothing varies."""
    sign = np.where(halves, 1.0, -1.0)
    total = c.sum(axis=(-2, -1))[..., None]
    # var(A - B) = s' C s, and 4 cov(A, B) = var(A + B) - var(A - B)
    apart = np.einsum("sp,...pq,sq->...s", sign, c, sign, optimize=True)
    nothing = np.full(apart.shape, np.nan)
    floor = 1e-14 * np.trace(c, axis1=-2, axis2=-1)[..., None]
    if formula == "lambda4":
        return np.divide(total - apart, total, out=nothing, where=total > floor)
    along = np.einsum("sp,...pq->...s", sign, c, optimize=True)  # var(A) - var(B)
    mean = (total + apart) / 4  # of var(A) and var(B)
    product = mean**2 - along**2 / 4
    spread = np.sqrt(np.maximum(product, 0.0))
    r = np.divide((total - apart) / 4, spread, out=nothing, where=spread > floor)
    return np.divide(2 * r, 1 + r, out=np.full(r.shape, np.nan), where=r > -1)


def _coefficients(
    data: Items,
    kind: str,
    formula: str,
    matrix: Floats,
    halves: NDArray[np.bool_],
    complete: bool,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> Coefficients:
    odd = _named(np.arange(len(data.names)) % 2 == 0)
    place = int(np.flatnonzero((halves == odd).all(axis=1))[0])
    values = _summary(_values(matrix, halves, formula), place)
    notes = (*data.notes, *warnings_about(matrix, data.names))
    if not complete:
        notes = (*notes, f"{len(halves)} splits drawn at random, not all")
    drawn = np.empty((0, len(_PARTS)))
    if draws:
        matrices = replicate_matrices(data, kind, draws, rng)
        drawn = np.array([_summary(_values(c, halves, formula), place) for c in matrices])
    found = []
    for i, part in enumerate(_PARTS):
        interval = no_interval("draws=0")
        if draws:
            interval = percentiles(drawn[:, i], values[i], level, data.drawn, data.stratum.size)
        found.append(
            Coefficient(
                name=f"{_NAMES[formula]} ({_KIND[kind]}), {part}",
                value=float(values[i]),
                low=interval.low,
                high=interval.high,
                standard_error=interval.standard_error,
                method=interval.method,
                level=level,
                n=len(data.values),
                k=len(data.names),
                notes=(*notes, *interval.notes),
                details={"splits": len(halves), "complete": complete},
            )
        )
    return Coefficients(tuple(found))


def _summary(v: Floats, place: int) -> Floats:
    """The numbers of `_PARTS` from the values of all splits."""
    return np.array([v.mean(), v.min(), v.max(), v[place]])
