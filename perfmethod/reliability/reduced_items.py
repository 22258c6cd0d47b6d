"""Covariances of items from the tables of a reduction, and alpha with an interval by raters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import suggest
from perfmethod.reduction import Reduction
from perfmethod.reliability._draws import check_level, jackknifed, no_interval
from perfmethod.reliability._items import correlations
from perfmethod.reliability._matrices import warnings_about
from perfmethod.reliability.ratings import refuse
from perfmethod.reliability.result import Coefficient

__all__ = ["Alpha", "alpha_of_reduction", "group_covariances"]

Floats = NDArray[np.float64]

_KINDS = ("raw", "standardized")


class Alpha(NamedTuple):
    """What alpha of a reduction is asked for; names as in `cronbach_alpha`."""

    kind: str
    name: str
    items: Sequence[str] | None
    missing: str
    interval: str
    level: float
    draws: int


def group_covariances(
    reduction: Reduction, items: Sequence[str], missing: str
) -> tuple[Floats, Floats, int]:
    """Covariances of all ballots (p, p), without each group of raters (g, p, p), and ballots.

    Exact integers up to the division: number, sums and products over the ballots that answer all
    items (listwise) or both of a pair (pairwise).
    """
    spec, tables = reduction.spec, reduction.groups
    at = [spec.dimensions.index(name) for name in items]
    d, p = len(spec.dimensions), len(items)
    group, mask = tables.keys
    bits = (mask[:, None] >> np.array(at)) & 1 == 1  # (k, p)
    both = bits[:, :, None] & bits[:, None]
    if missing == "listwise":
        both &= bits.all(axis=1)[:, None, None]
    place = np.zeros((d, d), np.intp)
    i, j = np.triu_indices(d)
    place[i, j] = place[j, i] = np.arange(len(i))
    products = tables.products[:, place[np.ix_(at, at)]]
    first = np.broadcast_to(tables.sums[:, at, None], products.shape)
    of_group = np.zeros((4, reduction.n_groups, p, p), np.int64)
    parts = (np.broadcast_to(tables.ballots[:, None, None], products.shape), first,
             first.transpose(0, 2, 1), products)  # fmt: skip
    for table, part in zip(of_group, parts, strict=True):
        np.add.at(table, group, part * both)
    whole = of_group.sum(axis=1)
    present = of_group[0].any(axis=(1, 2))
    unit = 10.0 ** (2 * spec.scaled[1])
    used = int((tables.ballots * (bits.all(axis=1) if missing == "listwise" else bits.any(axis=1)))
               .sum())  # fmt: skip
    return (
        _covariance(whole) / unit,
        _covariance(whole[:, None] - of_group[:, present]) / unit,
        used,
    )


def _covariance(sums: NDArray[np.int64]) -> Floats:
    """Covariances, ddof 1, of sums about an integer near the means: nothing cancels."""
    number, first, second, product = sums
    near = [np.rint(x / np.maximum(number, 1)).astype(np.int64) for x in (first, second)]
    product = product - near[1] * first - near[0] * second + near[0] * near[1] * number
    left = [x - c * number for x, c in zip((first, second), near, strict=True)]
    with np.errstate(invalid="ignore", divide="ignore"):  # what is left may lack an item
        return (product - left[0] * (left[1] / number)) / (number - 1)


def alpha_of_reduction(reduction: Reduction, asked: Alpha) -> Coefficient:
    """Cronbach's alpha from tables; see `cronbach_alpha`."""
    from perfmethod.reliability.consistency import alpha_of_covariance

    names = _checked(reduction, asked)
    matrix, without, used = group_covariances(reduction, names, asked.missing)
    total = int(reduction.groups.ballots[reduction.groups.keys[1] > 0].sum())
    if used < 3:
        refuse(f"{used} usable ballots of {total}", "at least three", what="answers")
    if np.isnan(matrix).any() or (asked.kind != "raw" and not np.diagonal(matrix).all()):
        refuse("an item, or a pair of items, without answers that differ", "answers on every item",
               what="answers")  # fmt: skip
    if asked.kind != "raw":
        with np.errstate(invalid="ignore", divide="ignore"):
            matrix, without = correlations(matrix), correlations(without)
    value = float(alpha_of_covariance(matrix))
    if np.isnan(value):
        refuse("a total that is the same for everybody", "totals that differ", what="answers")
    raters = int(reduction.products.per_category.sum())
    found = no_interval("draws=0")
    if asked.draws:
        found = jackknifed(alpha_of_covariance(without), value, asked.level, raters)
    p = len(names)
    lost = (f"{total - used} of {total} ballots with a missing answer left out",)
    return Coefficient(
        name=asked.name,
        value=value,
        low=found.low,
        high=found.high,
        standard_error=found.standard_error,
        method=found.method,
        level=asked.level,
        n=used,
        k=p,
        notes=(*(lost if total > used else ()), *warnings_about(matrix, names), *found.notes),
        details={"mean_covariance": float(matrix[np.triu_indices(p, 1)].mean())},
    )


def _checked(reduction: Reduction, asked: Alpha) -> Sequence[str]:
    """Names of the items; refuses what the tables cannot answer."""
    check_level(asked.level)
    if asked.kind not in _KINDS:
        raise ValueError(f"found kind={asked.kind!r}; allowed for a reduction: "
                         f"{suggest(asked.kind, _KINDS)}")  # fmt: skip
    if asked.missing not in ("listwise", "pairwise"):
        raise ValueError(f"found missing={asked.missing!r}; allowed: listwise, pairwise")
    if asked.interval == "feldt":
        raise ValueError("found interval='feldt' for ballots of raters; allowed: 'auto' "
                         "(delete-a-group jackknife)")  # fmt: skip
    known = reduction.spec.dimensions
    names = tuple(known if asked.items is None else asked.items)
    for name in names:
        if name not in known:
            raise ValueError(f"found item {name!r}; allowed: {suggest(name, known)}")
    if len(names) < 2 or len(set(names)) < len(names):
        refuse(f"{len(names)} items", "at least two, each once", what="answers")
    return names
