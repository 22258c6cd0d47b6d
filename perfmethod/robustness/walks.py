"""Numbers of a scheme that move one at a time: weights whose siblings make room, option scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.robustness.family import families, family, weights_below
from perfmethod.robustness.lines import along
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.terms import chain_fault
from perfmethod.scoring import simulate

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["OPTIONS", "Walk", "drawn", "walks"]

Array = NDArray[np.float64]

OPTIONS, FULL = "survey.options", 100.0  # the scores of the survey's options, in points of a full


class Walk(NamedTuple):
    """One number that moves from 0 to 1 (times its scale), and what moves with it.

    Parameters
    ----------
    family, child, path : str
        The number that moves.
    paths : tuple of str (m,)
        Numbers of the scheme that move.
    share, scale : ndarray (n,)
        Nominal shares summing to one, of which the first m stand in the scheme, and what a share
        is multiplied by there. A single option's score has what it lacks of 100 beside it.
    k : int
        Position of the number among the shares.
    totals : Ratios or None
        None: totals only move one way, in no closed form.
    """

    family: str
    child: str
    path: str
    paths: tuple[str, ...]
    share: Array
    scale: Array
    k: int
    totals: Ratios | None

    @property
    def start(self) -> float:
        """The nominal share."""
        return float(self.share[self.k])

    def patch(self, x: Array) -> dict[str, Array]:
        """Draws in which the number has given shares (s,)."""
        values = along(self.share, self.k, x) * self.scale
        return {path: values[:, j] for j, path in enumerate(self.paths)}


def walks(evaluation: Evaluation, names: Sequence[str] | None) -> list[Walk]:
    """List the walks of families of weights, and of option scores where they are named.

    Parameters
    ----------
    evaluation : Evaluation
    names : sequence of str, optional
        By default all families that are offered.

    Raises
    ------
    PerfmethodError
        If a family is not offered or not known.
    """
    if names is None:
        table = families(evaluation)
        names = list(table.index[table["form"] != "none"])
    return [walk for name in names for walk in _walks(evaluation, name)]


def _walks(evaluation: Evaluation, name: str) -> list[Walk]:
    if name == OPTIONS:
        return _options(evaluation)
    bare = weights_below(evaluation, name)
    totals = None
    if bare is None:
        one = family(evaluation, name)
        bare, totals = one.weights, one.totals
    return [
        Walk(name, child, path, bare.paths, bare.share, bare.scale, k, totals)
        for k, (child, path) in enumerate(zip(bare.children, bare.paths, strict=True))
    ]


def _options(evaluation: Evaluation) -> list[Walk]:
    """Walks of the option scores from 0 to 100; totals are linear in each where means are."""
    plan, scheme = evaluation._plan, evaluation.year.scheme
    stems = scheme.document.get("survey", {}).get("options", {})
    scores = {o: f"{OPTIONS}.{o}.score" for o in stems}
    scores = {o: path for o, path in scores.items() if path in scheme.numbers}
    fed = [(part, leaf) for part in plan.classes for leaf in part.survey]
    if not scores or not fed or plan.counts is None:
        known = list(families(evaluation).index)
        raise PerfmethodError(
            f"found no survey whose '{OPTIONS}' have a score; allowed: {suggest(OPTIONS, known)}"
        )
    bent = any(chain_fault(evaluation, part, int(leaf)) for part, leaf in fed)
    if why := next(filter(None, (chain_fault(evaluation, p, int(f), powers=False) for p, f in fed)), ""):  # noqa: E501  # fmt: skip
        raise PerfmethodError(f"found that {why}; allowed: options without a class mean above")
    return [_option(evaluation, o, path, bent) for o, path in scores.items()]


def _option(evaluation: Evaluation, option: str, path: str, bent: bool) -> Walk:
    share = float(evaluation.year.scheme.number(path)) / FULL
    if share > 1:
        raise PerfmethodError(f"found a score of {share * FULL:g} at '{path}'; allowed: 0 to 100")
    totals = None
    if not bent:
        none, full = simulate(evaluation.year, {path: np.array([0.0, FULL])}).total
        num = np.stack([full, none], -1)[None]
        totals = Ratios(np.zeros(none.size), num, np.ones_like(num))
    both = np.array([share, 1 - share])
    return Walk(OPTIONS, option, path, (path,), both, np.full(2, FULL), 0, totals)


def drawn(evaluation: Evaluation, asked: Sequence[tuple[Walk, Array]]) -> dict[str, Array]:
    """Draws with the shares (s,) that are asked for, walk after walk, all else being nominal."""
    numbers = evaluation.year.scheme.numbers
    rows = sum(x.size for _, x in asked)
    values = {p: np.full(rows, float(numbers[p])) for walk, _ in asked for p in walk.paths}
    start = 0
    for walk, x in asked:
        for path, moved in walk.patch(x).items():
            values[path][start : start + x.size] = moved
        start += x.size
    return values
