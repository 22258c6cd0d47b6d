"""Totals as ratios in the weights of rater categories, of the survey and of internal ratings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.core import FILLS, tree_shares
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.terms import chain_fault, scored_of
from perfmethod.scoring.run import survey_scores
from perfmethod.scoring.slots import Slots

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["RaterWeights", "collected", "leaf_share", "rater_weights"]

Array = NDArray[np.float64]


class RaterWeights(NamedTuple):
    """Weights of the rater categories of one block, in the classes that share them.

    Parameters
    ----------
    name : str
        ``survey.categories`` or ``internal.categories``; with the class behind it where weights
        are given class by class.
    block : {"survey", "internal"}
    categories, paths : tuple of str (n,)
    classes : tuple of str
        Classes in which the weights stand.
    """

    name: str
    block: str
    categories: tuple[str, ...]
    paths: tuple[str, ...]
    classes: tuple[str, ...]

    def weights(self, evaluation: Evaluation) -> Array:
        """Nominal weights (n,)."""
        numbers = evaluation.year.scheme.numbers
        return np.array([float(numbers[p]) for p in self.paths])

    def members(self, evaluation: Evaluation) -> NDArray[np.intp]:
        """Positions of the units of the classes."""
        parts = [p.units for p in evaluation._plan.classes if p.class_id in self.classes]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.intp)

    def fault(self, evaluation: Evaluation) -> str:
        """Why totals are no ratios in these weights; empty if they are."""
        if not self.weights(evaluation).sum() > 0:
            return f"the weights of {self.name} are all zero"
        for part, leaf in _leaves(evaluation, self):
            numbers = scored_of(evaluation, part).numbers
            cells = _cells(evaluation, self, part, leaf)
            lacking = np.isnan(cells).all(-1)
            if lacking.any() and FILLS[int(numbers.fill[leaf])] == "class_mean":
                name = part.tree.names[leaf]
                return f"a unit without {name} gets the class mean, which the weights change"
            if why := chain_fault(evaluation, part, leaf):
                return why
            if (~lacking & (np.where(np.isnan(cells), 0.0, self.weights(evaluation)).sum(-1) == 0)).any():  # noqa: E501  # fmt: skip
                return f"a unit has only weights of zero in {self.name}"
        return ""

    def ratios(self, evaluation: Evaluation) -> Ratios:
        """Totals as functions of the shares; dimensions with one denominator are one ratio."""
        share = self.weights(evaluation)
        share, terms = share / share.sum(), []
        base = float(evaluation.year.scheme.number("base")) / 100.0
        for part, leaf in _leaves(evaluation, self):
            cells = _cells(evaluation, self, part, leaf)
            den = (~np.isnan(cells)).astype(float)
            points = base * leaf_share(evaluation, part, leaf)
            terms.append((part.units, points[:, None] * np.nan_to_num(cells), den))
        return collected(evaluation, share, terms)


def leaf_share(evaluation: Evaluation, part: Any, leaf: int) -> Array:
    """Part (u,) that a leaf has in the totals of a class, what is missing redistributed."""
    result = scored_of(evaluation, part)
    reach, _ = tree_shares(part.tree, result.nodes, result.leaves, result.numbers)
    return np.asarray(reach[:, leaf])


def collected(
    evaluation: Evaluation, share: Array, terms: Iterable[tuple[Array, Array, Array]]
) -> Ratios:
    """Totals from their ratios, those of one unit with one denominator being one.

    Parameters
    ----------
    evaluation : Evaluation
    share : ndarray (n,)
        Nominal weights.
    terms : iterable of (units (k,), numerator (k, n), denominator (k, n))
        A denominator of zeros for no term.
    """
    const = np.asarray(evaluation._scored.total, float).copy()
    found: list[list[tuple[Array, Array]]] = [[] for _ in const]
    for units, num, den in terms:
        for unit, top, bottom in zip(units, num, den, strict=True):
            if bottom.any():
                const[unit] -= top @ share / (bottom @ share)
                _add(found[unit], top, bottom)
    most = max((len(t) for t in found), default=0) or 1
    nums, dens = np.zeros((2, most, const.size, share.size))
    dens += 1.0
    for unit, mine in enumerate(found):
        for slot, (num_, den_) in enumerate(mine):
            nums[slot, unit], dens[slot, unit] = num_, den_
    return Ratios(const, nums, dens)


def _add(terms: list[tuple[Array, Array]], num: Array, den: Array) -> None:
    """Add a ratio to a unit's, into one with the same denominator where there is one."""
    for place, (top, bottom) in enumerate(terms):
        if np.array_equal(bottom, den):
            terms[place] = (top + num, bottom)
            return
    terms.append((num, den))


def rater_weights(evaluation: Evaluation) -> list[RaterWeights]:
    """List the families of rater weights of an evaluation.

    Weights that some categories have class by class and others in common are left out: a change in
    one class would change the other in another proportion.
    """
    scheme, found = evaluation.year.scheme, []
    present = tuple(p.class_id for p in evaluation._plan.classes)
    for block in ("survey", "internal"):
        names = tuple(scheme.document.get(block, {}).get("categories", {}))
        common = tuple(f"{block}.categories.{c}.weight" for c in names)
        shared = [path in scheme.numbers for path in common]
        if names and all(shared):
            found.append(RaterWeights(f"{block}.categories", block, names, common, present))
        elif names and not any(shared):
            found += [
                RaterWeights(f"{block}.categories.{c}", block, names,
                             tuple(f"{p}.{c}" for p in common), (c,))
                for c in present
            ]  # fmt: skip
    return [f for f in found if len(f.categories) > 1 and any(_leaves(evaluation, f))]


def _leaves(evaluation: Evaluation, raters: RaterWeights) -> list[tuple[Any, int]]:
    """Class and position of the leaves that the ratings feed."""
    found = []
    for part in evaluation._plan.classes:
        if part.class_id in raters.classes:
            fed = part.survey if raters.block == "survey" else part.internal
            found += [(part, int(node)) for node in fed]
    return found


def _cells(evaluation: Evaluation, raters: RaterWeights, part: Any, leaf: int) -> Array:
    """Score (u, n) that each category alone gives the units of a class; NaN without ratings."""
    plan = evaluation._plan
    if raters.block == "internal":
        return np.asarray(plan.internal[part.units])
    if plan.counts is None:
        return np.full((len(part.units), len(raters.categories)), np.nan)
    alone = dict(zip(raters.paths, np.eye(len(raters.paths)), strict=True))
    scores = survey_scores(plan, Slots(plan.scheme, alone))  # one draw for each category
    assert scores is not None  # there are ballots
    dimension = plan.counts.dimensions.index(part.survey[leaf])
    return np.asarray(scores[:, part.units, dimension].T)
