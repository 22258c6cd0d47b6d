"""Answers of persons on items: reading them, their covariances, and sums over clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reduction.given import Reduced
from perfmethod.reliability.ratings import Ratings, refuse

__all__ = ["KINDS", "MISSING", "Items", "correlations", "covariances", "pair_places", "read_items"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

KINDS = ("raw", "standardized", "ordinal")
MISSING = ("listwise", "pairwise")


@dataclass(frozen=True, eq=False, repr=False)
class Items:
    """Answers, and which of them are drawn together."""

    values: Floats  # (n, p), NaN only if missing are taken pairwise
    names: tuple[str, ...]
    cluster: Ints | None  # (n,), None: every row by itself
    stratum: Ints  # (g,)
    gaps: bool  # whether any answer is missing
    notes: tuple[str, ...]

    @property
    def drawn(self) -> str:
        """What a bootstrap draws."""
        if self.cluster is None:
            return "persons"
        strata = np.unique(self.stratum).size
        return "raters as clusters" + (f" within {strata} categories" if strata > 1 else "")

    @property
    def groups(self) -> Ints:
        """Cluster of every row."""
        return np.arange(len(self.values)) if self.cluster is None else self.cluster

    def sums(self) -> Floats:
        """Sums (g, 4 q) over clusters, by pairs of items: number, first, second, product.

        Counted over rows with both answers; answers are centered, which changes no covariance and
        keeps digits.
        """
        x = self.values - np.nanmean(self.values, axis=0)
        there = ~np.isnan(x)
        filled = np.where(there, x, 0.0)
        i, j = pair_places(x.shape[1])
        both = there[:, i] & there[:, j]
        parts = (both, filled[:, i] * both, filled[:, j] * both, filled[:, i] * filled[:, j])
        rows = np.concatenate(parts, axis=1, dtype=float)
        if self.cluster is None:
            return rows
        from scipy.sparse import csr_array

        n, g = len(rows), self.stratum.size
        member = csr_array((np.ones(n), (self.cluster, np.arange(n))), shape=(g, n))
        return member @ rows


def pair_places(p: int) -> tuple[Ints, Ints]:
    """Pairs of items i <= j, in one order for all."""
    i, j = np.triu_indices(p)
    return i, j


def covariances(sums: Floats, p: int) -> Floats:
    """Covariances (..., p, p) from sums (..., 4 q); ddof 1, over rows with both answers."""
    number, first, second, product = np.split(sums, 4, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):  # a replicate may lose an item
        flat = (product - first * second / number) / (number - 1)
    i, j = pair_places(p)
    c = np.empty((*flat.shape[:-1], p, p))
    c[..., i, j] = flat
    c[..., j, i] = flat
    return c


def correlations(c: Floats) -> Floats:
    """Correlations (..., p, p) of covariances."""
    d = np.sqrt(np.diagonal(c, axis1=-2, axis2=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return c / (d[..., :, None] * d[..., None, :])


def read_items(
    x: ArrayLike | Ratings,
    *,
    items: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    missing: str = "listwise",
    kind: str = "raw",
) -> Items:
    """Read answers; refuses what no coefficient can be formed from.

    Raises
    ------
    DataError
        For fewer than two items, fewer than three usable rows, infinite values, an item that
        nobody answers, or (except for raw coefficients) one that everybody answers alike.
    """
    for name, value, known in (("missing", missing, MISSING), ("kind", kind, KINDS)):
        if value not in known:
            raise ValueError(f"found {name}={value!r}; allowed: {suggest(str(value), known)}")
    values, names = _values(x, items)
    cluster, stratum = _clusters(x, clusters, len(values))
    notes: tuple[str, ...] = ()
    given = len(values)
    gaps = not np.isfinite(values.sum())  # one pass where nothing is missing
    if gaps:
        kept, notes, gaps = _usable(values, missing)
        values = values[kept]
        cluster = None if cluster is None else cluster[kept]
    if len(values) < 3:
        refuse(f"{len(values)} usable rows of {given}", "at least three", what="answers")
    if cluster is None:
        stratum = np.zeros(len(values), np.intp)
    else:
        present, cluster = np.unique(cluster, return_inverse=True)
        stratum = stratum[present]
    if gaps or kind != "raw":
        _check_items(values, names, kind)
    return Items(values, names, cluster, stratum, gaps, notes)


def _usable(values: Floats, missing: str) -> tuple[NDArray[np.bool_], tuple[str, ...], bool]:
    """Rows to keep, a note on those left out, and whether gaps remain."""
    if np.isinf(values).any():
        refuse(f"{np.isinf(values).sum()} infinite values", "numbers", what="answers")
    there = ~np.isnan(values)
    kept: NDArray[np.bool_] = np.asarray(there.all(axis=1))
    if missing == "pairwise":
        kept = np.asarray(there.any(axis=1))
    if kept.all():
        return kept, (), not there.all()
    why = "a missing answer" if missing == "listwise" else "no answer"
    note = f"{(~kept).sum()} of {kept.size} rows with {why} left out"
    return kept, (note,), not there[kept].all()


def _values(x: ArrayLike | Ratings, items: Sequence[str] | None) -> tuple[Floats, tuple[str, ...]]:
    given: Any = x
    if isinstance(given, Reduced):
        refuse("a reduction, which holds no answers", "answers; of coefficients of items, "
               "cronbach_alpha takes a reduction", what="answers")  # fmt: skip
    if isinstance(given, Ratings):
        values, items = given.values, given.items if items is None else items
    else:
        if items is None and hasattr(given, "columns"):
            items = [str(name) for name in given.columns]
        values = np.asarray(given, float)
    if values.ndim != 2 or values.shape[1] < 2:
        refuse(
            f"an array of shape {values.shape}",
            "persons by items, at least two items: one item has no consistency",
            what="answers",
        )
    p = values.shape[1]
    names = tuple(f"item {i + 1}" for i in range(p)) if items is None else tuple(map(str, items))
    if len(names) != p or len(set(names)) != p:
        raise ValueError(f"found {len(names)} items; allowed: a different name for each of {p}")
    return values, names


def _clusters(
    x: ArrayLike | Ratings, clusters: ArrayLike | None, n: int
) -> tuple[Ints | None, Ints]:
    if clusters is None:
        if isinstance(x, Ratings):
            return x.rater, x.stratum
        return None, np.zeros(n, np.intp)
    import pandas as pd

    codes, labels = pd.factorize(np.asarray(clusters))
    if codes.size != n or (codes < 0).any():
        refuse(
            f"{codes.size} clusters, {(codes < 0).sum()} of them missing",
            f"one for each of the {n} rows",
            what="clusters",
        )
    return codes, np.zeros(len(labels), np.intp)


def _check_items(values: Floats, names: tuple[str, ...], kind: str) -> None:
    """Refuse items that nobody answers, or (unless raw) that everybody answers alike."""
    for name, column in zip(names, values.T, strict=True):
        seen = column[~np.isnan(column)]
        if not seen.size:
            refuse("no answer", "answers on every item", what="answers", column=name)
        if kind != "raw" and seen.min() == seen.max():
            refuse(
                f"the same answer {seen[0]:g} from everybody",
                f"answers that differ: the item has no correlations ({kind})",
                what="answers",
                column=name,
            )
