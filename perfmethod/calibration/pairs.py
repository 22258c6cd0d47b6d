"""Which units and dimensions are weighted, and to which shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.calibration.cells import Pair
from perfmethod.calibration.margins import raise_all
from perfmethod.calibration.targets import Targets, read_targets
from perfmethod.errors import Problems

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation
    from perfmethod.survey import Review

__all__ = ["Setting", "setting_of"]

Floats = NDArray[np.float64]


class Setting(NamedTuple):
    """Pairs of unit and dimension that the scheme reads and that have a score, with shares."""

    pairs: list[Pair]
    places: NDArray[np.intp]  # (p, 2) unit and dimension
    klass: NDArray[np.intp]  # (u,) position of each unit's class in `classes`, -1 for none
    classes: tuple[str, ...]  # those that have such pairs
    targets: Targets


def setting_of(evaluation: Evaluation, review: Review, categories: Any, modes: Any) -> Setting:
    """Read the shares against the answers that there are.

    Raises
    ------
    InputError
        Every problem with the shares at once.
    """
    counts = review.counts
    usable = counts.array[..., ~np.isnan(review.option_scores)].sum(axis=-1)  # (u, d, c, m)
    klass, reads = _read_by_scheme(evaluation, review)
    kept = usable * reads[..., None, None]
    names = [part.class_id for part in evaluation._plan.classes]
    answers = np.array([kept[klass == k].sum(axis=(0, 1)) for k in range(len(names))])
    asked = [k for k, n in enumerate(answers) if n.any()]  # others have no shares to check
    classes = tuple(names[k] for k in asked)
    there = answers[asked] > 0
    problems = Problems("shares")
    targets = read_targets(
        categories,
        modes,
        (classes, counts.categories, counts.modes),
        (np.asarray(there.any(axis=2)), np.asarray(there.any(axis=1))),
        problems,
    )
    raise_all(problems)
    own = np.array([asked.index(k) if k in asked else -1 for k in klass], dtype=np.intp)
    places = np.argwhere(reads & review.scores.notna().to_numpy())
    pairs = [_pair(review, usable[u, d], (u, d), targets, own[u]) for u, d in places]
    return Setting(pairs, places, own, classes, targets)


def _read_by_scheme(
    evaluation: Evaluation, review: Review
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Class of each unit (u,), and the dimensions (u, d) that its class has."""
    counts = review.counts
    klass = np.full(len(counts.units), -1, dtype=np.intp)
    reads = np.zeros((len(counts.units), len(counts.dimensions)), dtype=bool)
    for k, part in enumerate(evaluation._plan.classes):
        klass[part.units] = k
        for dimension in part.survey.values():
            reads[part.units, counts.dimensions.index(dimension)] = True
    return klass, reads


def _pair(review: Review, sizes: Any, at: tuple[int, int], targets: Targets, klass: int) -> Pair:
    counts = review.counts
    return Pair(
        counts.units[at[0]],
        counts.dimensions[at[1]],
        np.asarray(sizes, dtype=float),
        targets.categories[klass],
        None if targets.modes is None else targets.modes[klass],
        (counts.categories, counts.modes),
    )
