"""Totals as ratios in the weights of the modes of the survey, where their means are weighted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.core import FILLS
from perfmethod.robustness.raters import collected, leaf_share
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.terms import chain_fault, scored_of
from perfmethod.scoring.run import category_weights, survey_scores
from perfmethod.scoring.slots import Slots

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["ModeWeights", "mode_weights"]

Array = NDArray[np.float64]


class ModeWeights(NamedTuple):
    """Weights of the modes; within a rater category the means of the modes are weighted by them.

    Parameters
    ----------
    name, block : str
    categories, paths : tuple of str (n,)
        The modes and where their weights stand.
    classes : tuple of str
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
        return np.sort(np.concatenate([p.units for p in evaluation._plan.classes]))

    def fault(self, evaluation: Evaluation) -> str:
        """Why totals are no ratios in these weights; empty if they are."""
        weight = self.weights(evaluation)
        if not weight.sum() > 0:
            return f"the weights of {self.name} are all zero"
        for part, leaf, cells in _cells(evaluation, self):
            there = ~np.isnan(cells)
            without = ~there.any(axis=(1, 2))
            fill = FILLS[int(scored_of(evaluation, part).numbers.fill[leaf])]
            if without.any() and fill == "class_mean":
                name = part.tree.names[leaf]
                return f"a unit without {name} gets the class mean, which the weights change"
            if why := chain_fault(evaluation, part, leaf):
                return why
            if (there.any(-1) & (there @ weight == 0)).any():
                return f"a category of a unit has only weights of zero in {self.name}"
        return ""

    def ratios(self, evaluation: Evaluation) -> Ratios:
        """Totals as functions of the shares: one ratio for each set of modes in a category."""
        weight, terms = self.weights(evaluation), []
        base = float(evaluation.year.scheme.number("base")) / 100.0
        for part, leaf, cells in _cells(evaluation, self):
            there = ~np.isnan(cells)
            raters = _rater_weights(evaluation)[part.units] * there.any(-1)  # (u, c)
            whole = raters.sum(-1, keepdims=True)
            raters = np.divide(raters, whole, out=np.zeros_like(raters), where=whole > 0)
            points = base * leaf_share(evaluation, part, leaf)[:, None] * raters
            for c in range(cells.shape[1]):
                num = points[:, [c]] * np.nan_to_num(cells[:, c])
                terms.append((part.units, num, there[:, c] * (points[:, [c]] > 0.0)))
        return collected(evaluation, weight / weight.sum(), terms)


def mode_weights(evaluation: Evaluation) -> list[ModeWeights]:
    """The family of the modes' weights, where the scheme combines modes by weights."""
    survey = evaluation.year.scheme.document.get("survey", {})
    names = tuple(survey.get("modes", {}))
    by_weight = survey.get("combine_modes", "ballots") == "weights"
    fed = tuple(p.class_id for p in evaluation._plan.classes if p.survey)
    if not by_weight or len(names) < 2 or not fed or evaluation._plan.counts is None:
        return []
    paths = tuple(f"survey.modes.{m}.weight" for m in names)
    return [ModeWeights("survey.modes", "survey", names, paths, fed)]


def _rater_weights(evaluation: Evaluation) -> Array:
    """Weights (u, c) of the rater categories."""
    plan = evaluation._plan
    assert plan.counts is not None  # there are ballots, or the family is not listed
    return category_weights(plan, Slots(plan.scheme), "survey", plan.counts.categories)


def _cells(evaluation: Evaluation, modes: ModeWeights) -> Iterator[tuple[Any, int, Array]]:
    """Class, leaf and the score (u, c, n) of each category in each mode alone; NaN without."""
    plan, numbers = evaluation._plan, evaluation.year.scheme.numbers
    assert plan.counts is not None  # there are ballots, or the family is not listed
    c, n = len(plan.counts.categories), len(modes.paths)
    alone: dict[str, Array] = {}
    for j, category in enumerate(plan.counts.categories):
        stem = f"survey.categories.{category}.weight"
        mine = np.repeat(np.arange(c) == j, n).astype(float)
        alone |= {p: mine for p in numbers if p == stem or p.startswith(f"{stem}.")}
    alone |= {p: np.tile(np.arange(n) == m, c).astype(float) for m, p in enumerate(modes.paths)}
    scores = survey_scores(plan, Slots(plan.scheme, alone))
    assert scores is not None  # there are ballots
    for part in plan.classes:
        for leaf, dimension in part.survey.items():
            cells = scores[:, part.units, plan.counts.dimensions.index(dimension)]
            yield part, int(leaf), np.asarray(cells.reshape(c, n, -1).transpose(2, 0, 1))
