"""Families of weights of a scheme, and the totals of its units as functions of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.robustness.modes import ModeWeights, mode_weights
from perfmethod.robustness.polytope import Polytope
from perfmethod.robustness.raters import RaterWeights, rater_weights
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.terms import above, fault, inner, ratios, scored_of, touched
from perfmethod.robustness.texts import INSTEAD

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.scoring import Evaluation

__all__ = ["Family", "Weights", "families", "family", "label", "weights_below"]

Array = NDArray[np.float64]


class Weights(NamedTuple):
    """Weights of a family without the totals; see `Family`."""

    name: str
    children: tuple[str, ...]
    paths: tuple[str, ...]
    share: Array
    scale: Array


@dataclass(frozen=True)
class Family:
    """Weights that share a parent (or several such families together), and what they decide.

    Attributes
    ----------
    name : str
        Class and parent node: ``municipal_department.indicator``; the blocks have the class alone,
        rater categories are ``survey.categories`` and ``internal.categories``, modes whose means
        are weighted ``survey.modes``.
        Several families are joined by ``+``.
    children : tuple of str (n,)
    paths : tuple of str (n,)
        Where the weights stand in the scheme.
    share : ndarray (n,)
        Nominal weights, each family scaled to sum one.
    scale : ndarray (n,)
        What a share is multiplied by to give the number that stands in the scheme.
    code : ndarray of int (n,)
        Family of each weight.
    members : ndarray of int
        Positions of the units of the family's class (of all classes concerned).
    units : tuple of str (u,)
        Every unit of the year.
    totals : Ratios
        Their totals as functions of the shares; other weights stay what they are.
    """

    name: str
    children: tuple[str, ...]
    paths: tuple[str, ...]
    share: Array = field(repr=False)
    scale: Array = field(repr=False)
    code: NDArray[np.intp] = field(repr=False)
    members: NDArray[np.intp] = field(repr=False)
    units: tuple[str, ...] = field(repr=False)
    totals: Ratios = field(repr=False)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Place of each child among the weights."""
        return {name: i for i, name in enumerate(self.children)}

    @property
    def weights(self) -> Weights:
        """The weights without the totals."""
        return Weights(self.name, self.children, self.paths, self.share, self.scale)

    def patch(self, share: ArrayLike) -> dict[str, Any]:
        """Weights as `Scheme.patch` and `simulate` take them; shares (n,) or (k, n)."""
        values = np.asarray(share, float) * self.scale
        return {path: values[..., j].tolist() if values.ndim == 1 else values[:, j]
                for j, path in enumerate(self.paths)}  # fmt: skip

    def within(
        self,
        percent: float | None = None,
        *,
        lower: float | dict[str, float] = 0.0,
        upper: float | dict[str, float] = 1.0,
        order: Sequence[str] = (),
    ) -> Polytope:
        """Weights that are allowed.

        Parameters
        ----------
        percent : float, optional
            Each share may differ from its nominal one by this many percent of it.
        lower, upper : float or dict of str to float
            Bounds of the shares, for all or by child.
        order : sequence of str
            Children, each weighing at least as much as the next.

        Raises
        ------
        PerfmethodError
            If a child is not known, or no weights are left.
        """
        for child in (*(lower if isinstance(lower, dict) else ()),
                      *(upper if isinstance(upper, dict) else ()), *order):  # fmt: skip
            if child not in self.positions:
                near = suggest(child, self.children)
                raise PerfmethodError(f"found no weight '{child}' in {self.name}; allowed: {near}")
        low, high = self._bound(lower, 0.0), self._bound(upper, 1.0)
        if percent is not None:
            low = np.maximum(low, self.share * (1 - percent / 100))
            high = np.minimum(high, self.share * (1 + percent / 100))
        try:
            return Polytope.of(self.share.size, low, high, [self.positions[c] for c in order],
                               self.code)  # fmt: skip
        except ValueError as error:
            raise PerfmethodError(str(error)) from None

    def _bound(self, given: float | dict[str, float], default: float) -> Array:
        if not isinstance(given, dict):
            return np.full(self.share.size, float(given))
        return np.array([given.get(child, default) for child in self.children])


def families(evaluation: Evaluation) -> pd.DataFrame:
    """List the families of weights of an evaluation and what is exact for each.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    DataFrame
        Index family; class, node, weights (number of them), scale (their sum in the scheme), form:

        - ``linear``: totals are linear in the weights;
        - ``ratio``: units that lack a child redistribute its weight, totals are ratios;
        - ``ratios``: weights of indicators that count in several nodes of some class; stability
          intervals are exact, searches in several directions are offered where these units do not
          decide;
        - ``monotone``: a mean at the node or above is not arithmetic, but every total moves one
          way while one weight grows; stability intervals are offered (by bisection, see there);
        - ``none``: a class mean fills in, or the weights act in several ways; not offered.
    """
    import pandas as pd

    rows = []
    for source in _sources(evaluation).values():
        why, scale, form = source.fault(evaluation), np.nan, "none"
        if why and source.monotone(evaluation):
            scale, form = float(source.bare(evaluation).scale[0]), "monotone"
        elif not why:
            found = source.build(evaluation)
            scale = float(found.scale[0])
            form = "linear" if found.totals.linear.all() else "ratio"
            form = form if found.totals.single.all() else "ratios"
        rows.append((*source.told(), scale, form, why))
    columns = ["family", "class", "node", "weights", "scale", "form", "why_not"]
    return pd.DataFrame(rows, columns=columns).set_index("family")


class _Node(NamedTuple):
    """The weights below a node of the tree of a class."""

    part: Any
    node: int

    def told(self) -> tuple[str, str, str, int]:
        name = self.part.tree.names[self.node]
        children = self.part.tree.children[self.node]
        return label(self.part.class_id, name), self.part.class_id, name, len(children)

    def fault(self, evaluation: Evaluation) -> str:
        return fault(evaluation, self.part, self.node)

    def monotone(self, evaluation: Evaluation) -> bool:
        return not fault(evaluation, self.part, self.node, powers=False)

    def bare(self, evaluation: Evaluation) -> Weights:
        children = list(self.part.tree.children[self.node])
        weight = scored_of(evaluation, self.part).numbers.weight[children]
        return Weights(
            self.told()[0],
            tuple(self.part.tree.names[c] for c in children),
            tuple(self.part.weight_paths[c] for c in children),
            weight / weight.sum(),
            np.full(weight.size, float(weight.sum())),
        )

    def build(self, evaluation: Evaluation) -> Family:
        one = self.bare(evaluation)
        return Family(
            *one,
            np.zeros(one.share.size, np.intp),
            np.asarray(self.part.units),
            evaluation._plan.units,
            ratios(evaluation, one.paths, float(one.scale[0])),
        )


class _Raters(NamedTuple):
    """The weights of rater categories, or of modes."""

    raters: RaterWeights | ModeWeights

    def told(self) -> tuple[str, str, str, int]:
        found = self.raters
        return found.name, ", ".join(found.classes), found.block, len(found.paths)

    def fault(self, evaluation: Evaluation) -> str:
        return self.raters.fault(evaluation)

    def monotone(self, evaluation: Evaluation) -> bool:
        """Never known: dimensions may pull a total up and down at once."""
        return False

    def bare(self, evaluation: Evaluation) -> Weights:
        weight, found = self.raters.weights(evaluation), self.raters
        scale = np.full(weight.size, weight.sum())
        return Weights(found.name, found.categories, found.paths, weight / weight.sum(), scale)

    def build(self, evaluation: Evaluation) -> Family:
        one = self.bare(evaluation)
        return Family(
            *one,
            np.zeros(one.share.size, np.intp),
            self.raters.members(evaluation),
            evaluation._plan.units,
            self.raters.ratios(evaluation),
        )


def _sources(evaluation: Evaluation) -> dict[str, _Node | _Raters]:
    """Every family by its name."""
    found: list[_Node | _Raters] = [_Node(part, node) for part, node in inner(evaluation)]
    found += [_Raters(raters) for raters in rater_weights(evaluation)]
    found += [_Raters(modes) for modes in mode_weights(evaluation)]
    return {source.told()[0]: source for source in found}


def label(class_id: str, node: str) -> str:
    """Name of the family below a node; the root's has the name of the class."""
    return f"{class_id}.{node}" if node else class_id


def family(evaluation: Evaluation, *names: str) -> Family:
    """Take one family of weights, or several to be varied together.

    Parameters
    ----------
    evaluation : Evaluation
    *names : str
        From the index of `families`. Several are possible where all totals stay linear: no
        redistribution in them, and none above another in one class.

    Raises
    ------
    PerfmethodError
        If a name is unknown, a family is not offered, or several are not jointly linear.
    """
    known = _sources(evaluation)
    for name in names:
        if name not in known:
            raise PerfmethodError(
                f"found no family of weights '{name}'; allowed: {suggest(name, known)}"
            )
        why = known[name].fault(evaluation)
        if why:
            raise PerfmethodError(
                f"found that {why}; allowed: weights below arithmetic means. {INSTEAD}"
            )
    if not names:
        raise PerfmethodError(f"found no name of a family; allowed: {', '.join(known)}")
    parts = [known[name].build(evaluation) for name in names]
    return parts[0] if len(parts) == 1 else _joined(evaluation, parts)


def _joined(evaluation: Evaluation, parts: list[Family]) -> Family:
    """Several families at once, where all totals stay linear in all their weights."""
    apart = all(not _entangled(evaluation, a, b) for a, b in combinations(parts, 2))
    if not apart or not all(part.totals.linear.all() for part in parts):
        raise PerfmethodError(
            f"found {' + '.join(p.name for p in parts)}, whose totals are not jointly linear; "
            "allowed: families without redistribution, none above another in any class. " + INSTEAD
        )
    nominal = parts[0].totals.at(parts[0].share)
    num = np.concatenate([_linear(p) for p in parts], -1)
    den = np.zeros_like(num)
    den[:, : parts[0].share.size] = 1.0  # the first family's weights sum to one, whatever else
    share = np.concatenate([p.share for p in parts])
    const = nominal - (num @ share)
    return Family(
        "+".join(p.name for p in parts),
        tuple(c for p in parts for c in p.children),
        tuple(c for p in parts for c in p.paths),
        share,
        np.concatenate([p.scale for p in parts]),
        np.concatenate([np.full(p.share.size, i) for i, p in enumerate(parts)]),
        np.unique(np.concatenate([p.members for p in parts])),
        parts[0].units,
        Ratios(const, num[None], den[None]),
    )


def _entangled(evaluation: Evaluation, first: Family, second: Family) -> bool:
    """Whether weights of two families share a number, or act on one path to some total."""
    trees = {path for part in evaluation._plan.classes for path in part.weight_paths}
    one, two = set(first.paths), set(second.paths)
    if one & two or not (one <= trees and two <= trees):
        return True
    for part in evaluation._plan.classes:
        for a in touched(part, one):
            for b in touched(part, two):
                names = part.tree.names
                if a == b or names[a] in above(part, b) or names[b] in above(part, a):
                    return True
    return False


def _linear(part: Family) -> Array:
    return np.asarray((part.totals.num / part.totals.den).sum(0))


def weights_below(evaluation: Evaluation, name: str) -> Weights | None:
    """Weights of a family whose totals only move one way with each; None where they are ratios."""
    source = _sources(evaluation).get(name)
    if source is None or not source.fault(evaluation) or not source.monotone(evaluation):
        return None
    return source.bare(evaluation)
