"""Score a compiled year: the same steps for one scheme and for a block of draws."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading, normalization, survey
from perfmethod.core import Leaves, Numbers, product, tree_scores
from perfmethod.errors import DataError, Problem
from perfmethod.scoring.levels import apportioned, floor_of, grades, rules, steps
from perfmethod.scoring.plan import ClassPlan, Leaf, Plan
from perfmethod.scoring.slots import Slots

__all__ = [
    "SAME",
    "ClassScores",
    "Scored",
    "apportioned",
    "class_scores",
    "floor_of",
    "grades",
    "rules",
    "score",
    "steps",
    "survey_scores",
    "tie_keys",
    "totals",
]

Array = NDArray[np.float64]

SAME = 9  # decimals: totals that differ by less than floating-point sums can tell are tied


class ClassScores(NamedTuple):
    """Scores of one class, and what they were made of."""

    leaves: Leaves
    numbers: Numbers
    nodes: Mapping[int, Array]


class Scored(NamedTuple):
    """Scores of all units; the draws axis leads where there is one."""

    classes: tuple[ClassScores, ...]
    bonus: Array  # (..., u) points
    deduction: Array  # (..., u) points, positive
    total: Array  # (..., u)
    compared: Array  # (..., u) totals as they are ranked and graded
    keys: tuple[Array, ...]  # (..., u) scores that break ties, in turn
    rank: NDArray[np.intp]  # (..., u) in the class
    group_rank: NDArray[np.intp]


def score(plan: Plan, slots: Slots) -> Scored:
    """Score and rank every unit.

    Parameters
    ----------
    plan : Plan
    slots : Slots

    Returns
    -------
    Scored

    Raises
    ------
    DataError
        If a unit has no score at all.
    """
    classes, bonus, deduction, total = totals(plan, slots)
    _refuse_empty(plan, total)
    compared, keys = np.round(total, SAME), tie_keys(plan, classes, total.shape)
    return Scored(
        classes,
        bonus,
        deduction,
        total,
        compared,
        keys,
        grading.rank(compared, keys, by=plan.unit_class),
        grading.rank(compared, keys, by=plan.groups),
    )


def totals(plan: Plan, slots: Slots) -> tuple[tuple[ClassScores, ...], Array, Array, Array]:
    """Scores by class, bonus, deduction and total of every unit; NaN for a unit without a score."""
    ratings = (
        slots.once("survey", slots.touches("survey"), lambda: survey_scores(plan, slots)),
        slots.once("internal", slots.touches("internal"), lambda: _internal_scores(plan, slots)),
    )
    classes = tuple(class_scores(plan, part, slots, *ratings) for part in plan.classes)
    root = _spread(plan, [c.nodes[0] for c in classes])
    bonus, deduction = slots.once(
        "adjustments", slots.touches("adjustments"), lambda: _adjust(plan, slots)
    )
    scale = slots.one("base")[..., None] / 100.0
    total = root if scale.ndim == 1 and scale[0] == 1.0 else scale * root
    if np.any(bonus) or np.any(deduction):
        total = total + bonus - deduction
    return classes, bonus, deduction, total


def tie_keys(
    plan: Plan, classes: tuple[ClassScores, ...], shape: tuple[int, ...]
) -> tuple[Array, ...]:
    """Scores that break ties, in turn, each of the shape of the totals."""
    keys = (np.round(_node_everywhere(plan, classes, k), SAME) for k in _ties(plan))
    return tuple(np.broadcast_to(k, np.broadcast_shapes(k.shape, shape)) for k in keys)


def _ties(plan: Plan) -> tuple[str, ...]:
    return tuple(plan.scheme.document.get("grades", {}).get("ties", ()))


def class_scores(
    plan: Plan, part: ClassPlan, slots: Slots, review: Array | None, internal: Array
) -> ClassScores:
    """Score the tree of one class.

    Parameters
    ----------
    plan, part, slots : Plan, ClassPlan, Slots
    review : ndarray (..., u, d) or None
        Survey scores of all units.
    internal : ndarray (..., u)
        Internal ratings of all units.
    """
    fixed, held, varied = slots.once(
        ("leaves", part.class_id), False, partial(_fixed_leaves, plan, part, slots)
    )
    scores = dict(fixed)
    for leaf in varied:
        scores[leaf.node] = _leaf_score(plan, part, leaf, slots)
    for node, dimension in part.survey.items():
        scores[node] = _survey_leaf(plan, part, slots, dimension, review)
    for node in part.internal:
        drawn = slots.touches("rating")
        mine = internal[..., part.units]
        scores[node] = _replaced(plan, part, slots, mine, "rating.{}") if drawn else mine
    leaves = Leaves(scores, held)
    numbers = Numbers(
        _Weights(part, slots) if slots.drawn else slots.vector(part.weight_paths, 1.0),
        slots.vector(part.power_paths, 1.0),
        slots.vector(part.fill_paths, 0.0),
    )
    memory: dict[Hashable, Any] = slots.once(("tree", part.class_id), not slots.drawn, dict)
    try:
        scores_of = tree_scores(part.tree, leaves, numbers, memory)
    except ValueError as error:  # a score below 0 where its parent's mean is not arithmetic
        place = f"classes.{part.class_id}"
        raise DataError([Problem(plan.scheme.file, place, "power", str(error), "power = 1 above "
                                 "rules that may score below 0")]) from None  # fmt: skip
    return ClassScores(leaves, numbers, scores_of)


class _Weights(NamedTuple):
    """Weights of a class's nodes, taken from the draws when a mean needs them."""

    part: ClassPlan
    slots: Slots

    def columns(self, nodes: Sequence[int]) -> Array:
        """Weights of some nodes, (c,) or (k, c)."""
        key, paths = ("weights", self.part.class_id, *nodes), self.part.weight_paths
        known = self.slots.once(key, False, lambda: tuple(paths[n] for n in nodes))
        return self.slots.vector(known, 1.0)


def _fixed_leaves(
    plan: Plan, part: ClassPlan, slots: Slots
) -> tuple[dict[int, Array], dict[int, Array], list[Leaf]]:
    """Scores of the indicators that no draw touches, who holds each leaf, and the other leaves."""
    scores = {
        leaf.node: _leaf_score(plan, part, leaf, slots)
        for leaf in part.leaves
        if not slots.varies_rule(leaf.indicator)
    }
    held = {node: np.ones(len(part.units)) for node in (*part.survey, *part.internal)}
    varied = [leaf for leaf in part.leaves if leaf.node not in scores]
    return scores, held | {leaf.node: leaf.held for leaf in part.leaves}, varied


def _leaf_score(plan: Plan, part: ClassPlan, leaf: Leaf, slots: Slots) -> Array:
    """Score of one indicator for the units of a class, (..., u)."""
    entry = plan.scheme.document["indicators"][leaf.indicator]
    actual = leaf.actual
    if slots.touches(f"tasks.{leaf.indicator}"):
        path = "tasks.{}." + leaf.indicator + ".actual"
        actual = _replaced(plan, part, slots, actual, path, leaf.per)
    try:
        value = normalize_entry(plan.scheme.methods, entry, actual, leaf.target,
                                slots.parameters(leaf.indicator))  # fmt: skip
    except ValueError as error:
        found = Problem("tasks", leaf.indicator, "actual", str(error), "see the rule's page")
        raise DataError([found]) from None
    return np.where(leaf.zeroed, 0.0, value) if leaf.zeroed.any() else value


def normalize_entry(
    methods: Mapping[str, Any], entry: Mapping[str, Any], actual: Array, target: Array,
    parameters: Mapping[str, Any],
) -> Array:  # fmt: skip
    """Apply an indicator's rule as the scheme writes it.

    Parameters
    ----------
    methods : mapping of str to callable
        The user's own rules.
    entry : mapping
        The indicator in the scheme's document.
    actual, target : ndarray (..., u)
    parameters : mapping
    """
    name = entry["rule"]["method"]
    direction = -1 if entry.get("direction") == "negative" else 1
    rule = normalization.METHODS.get(name)
    wanted = rule is None or rule.needs_target or not np.isnan(target).all()
    return normalization.normalize(
        actual,
        methods.get(name, name),
        target=target if wanted else None,
        direction=direction,
        **parameters,
    )


def _replaced(
    plan: Plan, part: ClassPlan, slots: Slots, values: Array, path: str, per: Array | None = None
) -> Array:
    """Measured values with those units' values replaced that are drawn.

    A drawn value is divided, and barred from scoring, like the one it stands for (`Leaf.per`).
    """
    return slots.replaced(values, [path.format(plan.units[i]) for i in part.units], per)


def survey_scores(plan: Plan, slots: Slots) -> Array | None:
    """Scores of all units on all survey dimensions, (..., u, d)."""
    if plan.counts is None:
        return None
    modes = [f"survey.modes.{m}.weight" for m in plan.counts.modes]
    return survey.scores(
        plan.counts.array,
        slots.vector([f"survey.options.{o}.score" for o in plan.counts.options], np.nan),
        category_weights(plan, slots, "survey", plan.counts.categories),
        slots.vector(modes, 1.0),
        combine_modes=plan.scheme.document["survey"].get("combine_modes", "ballots"),
    )


def category_weights(plan: Plan, slots: Slots, block: str, categories: tuple[str, ...]) -> Array:
    """Weights of rater categories for every unit, (..., u, c): they may differ by class."""
    by_class = [
        slots.vector(_category_paths(plan, block, categories, c), 0.0) for c in plan.scheme.classes
    ]
    shape = np.broadcast_shapes(*(w.shape for w in by_class))
    stacked = np.stack([np.broadcast_to(w, shape) for w in by_class], -2)
    return stacked[..., plan.unit_class, :]


def _category_paths(
    plan: Plan, block: str, categories: tuple[str, ...], class_id: str
) -> list[str]:
    """Paths of the weights that rater categories have in a class."""
    paths = [f"{block}.categories.{category}.weight" for category in categories]
    return [p if p in plan.scheme.numbers else f"{p}.{class_id}" for p in paths]


def _survey_leaf(
    plan: Plan, part: ClassPlan, slots: Slots, dimension: str, review: Array | None
) -> Array:
    if review is None or plan.counts is None:
        values = np.full(len(part.units), np.nan)
    else:
        values = review[..., part.units, plan.counts.dimensions.index(dimension)]
    if not slots.touches(f"review.{dimension}"):
        return values
    return _replaced(plan, part, slots, values, "review.{}." + dimension)


def _internal_scores(plan: Plan, slots: Slots) -> Array:
    categories = tuple(plan.scheme.document.get("internal", {}).get("categories", {}))
    if not categories or not plan.internal.shape[1]:
        return np.full(len(plan.units), np.nan)
    known = ~np.isnan(plan.internal)
    rated = np.where(known, plan.internal, 0.0)
    columns = []
    for part in plan.classes:
        weights = slots.vector(_category_paths(plan, "internal", categories, part.class_id), 0.0)
        total = product(weights, rated[part.units].T)
        used = product(weights, known[part.units].T.astype(float))
        columns.append(np.divide(total, used, out=np.full(total.shape, np.nan), where=used > 0))
    return _spread(plan, columns)


def _adjust(plan: Plan, slots: Slots) -> tuple[Array, Array]:
    """Bonus and deduction points, (..., u), after the caps per item, per side and on the net."""
    items = plan.scheme.document.get("adjustments", {}).get("items", {})
    caps = slots.vector([f"adjustments.items.{i}.cap" for i in items], np.inf)
    capped = np.minimum(plan.points, caps[..., None, :])
    sides = []
    for kind in ("bonus", "deduction"):
        chosen = [j for j, item in enumerate(items.values()) if item["kind"] == kind]
        points = capped[..., chosen].sum(-1)
        path = f"adjustments.{kind}_cap"
        if path in plan.scheme.numbers:
            points = np.minimum(points, slots.one(path)[..., None])
        sides.append(points)
    bonus, deduction = sides
    if "adjustments.net_cap" in plan.scheme.numbers:
        cap, net = slots.one("adjustments.net_cap")[..., None], bonus - deduction
        bonus, deduction = bonus - np.maximum(net - cap, 0), deduction - np.maximum(-net - cap, 0)
    return bonus, deduction


def _spread(plan: Plan, by_class: list[Array]) -> Array:
    """Put the classes' columns back in the order of the year's units."""
    if len(by_class) == 1:  # one class has all units, in their order
        return by_class[0]
    lead = np.broadcast_shapes(*(a.shape[:-1] for a in by_class))
    full = np.full((*lead, len(plan.units)), np.nan)
    for part, values in zip(plan.classes, by_class, strict=True):
        full[..., part.units] = values
    return full


def _node_everywhere(plan: Plan, classes: tuple[ClassScores, ...], node: str) -> Array:
    """Scores on a node by its name; minus infinity in a class that does not have it."""
    columns = []
    for part, scored in zip(plan.classes, classes, strict=True):
        at = part.tree.names.index(node) if node in part.tree.names else None
        nothing = np.full(len(part.units), -np.inf)
        columns.append(nothing if at is None else np.nan_to_num(scored.nodes[at], nan=-np.inf))
    return _spread(plan, columns)


def _refuse_empty(plan: Plan, total: Array) -> None:
    empty = np.isnan(total).reshape(-1, total.shape[-1]).any(0)
    if empty.any():
        found = ("actual", "no usable value for anything that counts", "at least one")
        raise DataError(Problem("tasks", plan.units[i], *found) for i in np.flatnonzero(empty))
