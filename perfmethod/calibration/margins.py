"""Margins: groups of a sample with their totals in the population, checked all at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import InputError, Problems, suggest

__all__ = ["Coded", "Margin", "check_weights", "coded_margins"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

SAME_TOTAL = 1e-9  # margins describe one population: relative difference of their totals


@dataclass(frozen=True, eq=False)
class Margin:
    """Groups that the members of a sample belong to, with the total of each in the population.

    Parameters
    ----------
    name : str
        Of the variable, for messages and tables.
    labels : array_like, shape (n,)
        Group of each member.
    totals : mapping
        Total of each group, in the units that weights have: persons, or ballots.

    Examples
    --------
    >>> Margin("sex", ["f", "m", "f"], {"f": 60, "m": 40})
    <Margin 'sex': 2 groups, total 100>
    """

    name: str
    labels: Any = field(repr=False)
    totals: Mapping[Any, float] = field(repr=False)

    def __repr__(self) -> str:
        total = sum(float(t) for t in self.totals.values())
        return f"<Margin '{self.name}': {len(self.totals)} groups, total {total:g}>"

    @classmethod
    def of_shares(
        cls, name: str, labels: ArrayLike, shares: Mapping[Any, float], total: float
    ) -> Margin:
        """Margin whose totals are shares of one total; shares need not add to 1.

        Parameters
        ----------
        name, labels
            As above.
        shares : mapping
            Relative size of each group.
        total : float
            Of all groups, such as the sum of the weights.

        Examples
        --------
        >>> dict(Margin.of_shares("sex", ["f", "m"], {"f": 3, "m": 1}, total=2).totals)
        {'f': 1.5, 'm': 0.5}
        """
        whole = math.fsum(float(s) for s in shares.values())
        scale = total / whole if whole > 0 else math.nan
        return cls(name, labels, {g: float(s) * scale for g, s in shares.items()})


@dataclass(frozen=True, eq=False)
class Coded:
    """A margin whose groups are numbers."""

    name: str
    groups: tuple[Any, ...]
    codes: Codes  # (n,)
    totals: Floats  # (g,)


def check_weights(weights: ArrayLike, problems: Problems) -> Floats:
    """Weights as an array; every weight that cannot be one is a problem.

    Parameters
    ----------
    weights : array_like, shape (n,)
    problems : Problems

    Returns
    -------
    ndarray, shape (n,)
    """
    w = np.array(weights, dtype=float)
    if w.ndim != 1 or not w.size:
        problems.add(f"weights of shape {w.shape}", "one weight for each member, (n,)")
        return np.ones(w.shape[:1] if w.ndim else 1)
    for i in np.flatnonzero(~np.isfinite(w) | (w < 0)):
        problems.add(f"weight {w[i]}", "finite, not negative", row=f"position {i}")
    if not (w > 0).any():
        problems.add("no positive weight", "at least one")
    return w


def coded_margins(weights: Floats, margins: Sequence[Margin], problems: Problems) -> list[Coded]:
    """Margins as numbers; everything wrong with them is a problem.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        A group counts as there if it has weight.
    margins : sequence of Margin
    problems : Problems

    Returns
    -------
    list of Coded
        To be used only if no problem was found.
    """
    if not margins:
        problems.add("no margin", "at least one")
    names = [m.name for m in margins]
    for name in sorted({n for n in names if names.count(n) > 1}):
        problems.add(f"margin '{name}' twice", "once each")
    found = [_coded(weights, margin, problems) for margin in margins]
    _check_same_total(found, problems)
    return found


def _coded(weights: Floats, margin: Margin, problems: Problems) -> Coded:
    import pandas as pd

    groups = tuple(margin.totals)
    totals = np.array([_number(margin.totals[g]) for g in groups], dtype=float)
    codes = np.zeros(len(weights), dtype=np.intp)
    labels = pd.Series(margin.labels if not isinstance(margin.labels, pd.Series)
                       else margin.labels.array)  # fmt: skip
    if len(labels) != len(weights):
        problems.add(f"{len(labels)} labels", f"{len(weights)}, one a weight", column=margin.name)
        return Coded(margin.name, groups, codes, totals)
    present, names = pd.factorize(labels)
    place = {g: i for i, g in enumerate(groups)}
    _check_labels(present, list(names), place, margin.name, problems)
    lookup = np.array([place.get(g, -1) for g in names] + [-1], dtype=np.intp)
    codes = lookup[present]
    _check_totals(weights, Coded(margin.name, groups, codes, totals), problems)
    return Coded(margin.name, groups, codes, totals)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _check_labels(
    present: Codes, names: list[Any], place: Mapping[Any, int], margin: str, problems: Problems
) -> None:
    for i in np.flatnonzero(present < 0):
        problems.add("a missing label", "a group", row=f"position {i}", column=margin)
    sizes = np.bincount(present[present >= 0], minlength=len(names))
    for name, size in zip(names, sizes, strict=True):
        if name not in place:
            near = suggest(str(name), map(str, place))
            problems.add(
                f"group {name!r} with {size} members and no target", f"a target ({near})",
                column=margin,
            )  # fmt: skip


def _check_totals(weights: Floats, coded: Coded, problems: Problems) -> None:
    known = coded.codes >= 0
    members = np.bincount(coded.codes[known], minlength=len(coded.groups))
    weight = np.bincount(coded.codes[known], weights[known], len(coded.groups))
    for g, name in enumerate(coded.groups):
        if not (np.isfinite(coded.totals[g]) and coded.totals[g] > 0):
            problems.add(f"target {coded.totals[g]} of group {name!r}",
                         "a positive number (leave members out of the sample who count for "
                         "nothing)", column=coded.name)  # fmt: skip
        if not members[g]:
            problems.add(f"a target for group {name!r}, to which nobody belongs",
                         "targets for groups that are there", column=coded.name)  # fmt: skip
        elif not weight[g] > 0:
            problems.add(f"a target for group {name!r}, all of whose weights are 0",
                         "groups with a positive weight", column=coded.name)  # fmt: skip


def _check_same_total(found: Sequence[Coded], problems: Problems) -> None:
    for other in found[1:]:
        a, b = math.fsum(found[0].totals), math.fsum(other.totals)
        if math.isfinite(a) and math.isfinite(b) and abs(a - b) > SAME_TOTAL * max(abs(a), abs(b)):
            problems.add(
                f"totals of '{found[0].name}' that add to {a:.12g} and of '{other.name}' that "
                f"add to {b:.12g}", "one total: margins describe one population",
            )  # fmt: skip


def check_contradictions(
    weights: Floats, margins: Sequence[Coded], problems: Problems, row: str | None = None
) -> None:
    """Find groups of different margins that occur only with each other, with other totals.

    Parameters
    ----------
    weights : ndarray, shape (n,)
    margins : sequence of Coded
    problems : Problems
    row : str, optional
        Where the margins stand, for messages.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    there = weights > 0
    starts = np.cumsum([0, *(len(m.groups) for m in margins)])
    nodes = [m.codes[there] + start for m, start in zip(margins, starts, strict=False)]
    ends = np.concatenate([nodes[0]] * (len(nodes) - 1)) if len(nodes) > 1 else nodes[0][:0]
    others = np.concatenate(nodes[1:]) if len(nodes) > 1 else nodes[0][:0]
    shape = (int(starts[-1]), int(starts[-1]))
    graph = coo_array((np.ones(len(ends)), (ends, others)), shape=shape)
    count, label = connected_components(graph, directed=False)
    for c in range(count):
        inside = [label[s : s + len(m.groups)] == c for m, s in zip(margins, starts, strict=False)]
        _check_part(margins, inside, problems, row)


def _check_part(
    margins: Sequence[Coded], inside: Sequence[NDArray[np.bool_]], problems: Problems,
    row: str | None,
) -> None:  # fmt: skip
    sums = [math.fsum(m.totals[i]) for m, i in zip(margins, inside, strict=True)]
    for j, total in enumerate(sums[1:], start=1):
        if abs(total - sums[0]) > SAME_TOTAL * max(total, sums[0]):
            said = [
                f"'{margins[k].name}' {_names(margins[k], inside[k])}: {sums[k]:.6g}"
                for k in (0, j)
            ]
            problems.add(
                f"groups that occur only with each other and have other totals, {said[0]} and "
                f"{said[1]}", "the same total for both", row=row,
            )  # fmt: skip


def _names(margin: Coded, inside: NDArray[np.bool_]) -> str:
    names = [str(margin.groups[g]) for g in np.flatnonzero(inside)]
    return ", ".join(names[:6]) + (f", ... ({len(names)})" if len(names) > 6 else "")


def raise_all(problems: Problems) -> None:
    """Raise what was found, as an error of input."""
    problems.raise_any(InputError)
