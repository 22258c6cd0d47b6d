"""Random terms of a survey by default: those that its ballots tell apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.answers import Answers
from perfmethod.reliability.cells import Cells
from perfmethod.reliability.layout import facets_of
from perfmethod.reliability.reduced import ReducedAnswers

__all__ = ["default_terms"]

Ints = NDArray[np.int64]

_RESIDUAL = "residual"


def default_terms(answers: Answers | ReducedAnswers) -> tuple[list[str], dict[str, str]]:
    """Terms that the facets of a survey allow, and those left out.

    Of two terms with the same groups of answers the one that is noise (rater, unit:rater) stays,
    so that no noise is taken for a difference between units; else the first. A unit, and a rater
    who is one with a unit or a category, is never left out: there is no study without them.

    Parameters
    ----------
    answers : Answers or ReducedAnswers

    Returns
    -------
    terms : list of str
    left_out : dict of str to str
        Term, and the one that it cannot be told from (``"residual"`` where each answer has a group
        of its own).
    """
    crossed = [f"unit:{facet}" for facet in answers.several("category", "mode", "dimension")]
    ballots = ["unit:rater"] if answers.repeated else []
    wanted = ["unit", *crossed, "rater", *ballots]
    cells, total = _cells(answers)
    left: dict[str, str] = {}
    kept = ["unit", "rater"]
    for term in (*ballots, *crossed):
        other = next(_same(cells, total, term, kept), None)
        if other is None:
            kept.append(term)
        else:
            left[term] = other
    return [term for term in wanted if term in kept], {t: left[t] for t in wanted if t in left}


def _cells(answers: Answers | ReducedAnswers) -> tuple[Cells, int | None]:
    """Cells of the answers, and how many answers; a reduction's cells do not know raters."""
    if isinstance(answers, ReducedAnswers):
        return answers.cells, None
    return answers.moments.cells, int(answers.moments.counts.sum())


def _same(cells: Cells, total: int | None, term: str, others: list[str]) -> Iterator[str]:
    """Those of the other terms that group the answers in the same way."""
    codes = _codes(cells, term)
    if codes is None:
        return
    size = int(codes.max(initial=-1)) + 1
    if size == total:
        yield _RESIDUAL
    for other in others:
        there = _codes(cells, other)
        if there is None or int(there.max(initial=-1)) + 1 != size:
            continue
        if len(np.unique(codes * size + there)) == size:
            yield other


def _codes(cells: Cells, term: str) -> Ints | None:
    facets = facets_of(term)
    return cells.group(facets)[1] if set(facets) <= set(cells.facets) else None
