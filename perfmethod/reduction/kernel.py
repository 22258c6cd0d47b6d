"""One piece of the ballots, with all ballots of its raters, reduced to integer tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.reduction.design import Design, design_tables
from perfmethod.reduction.groups import GroupTables, group_tables
from perfmethod.reduction.integers import check_bound, fused, runs
from perfmethod.reduction.nested import NestedTables, nested_tables
from perfmethod.reduction.spec import SurveySpec
from perfmethod.survey.products import RaterProducts, rater_products

__all__ = ["Piece", "Tables", "blocks", "reduce_piece"]

Ints = NDArray[np.int64]


class Piece(NamedTuple):
    """Ballots as codes; every rater here has all its ballots here."""

    unit: Ints  # (n,)
    category: Ints  # (n,)
    mode: Ints  # (n,)
    rater: Ints  # (n,)
    group: Ints  # (n,)
    answers: Ints  # (d, n) places of options, -1 where not asked


def _rows(piece: Piece, rows: Ints) -> Piece:
    """Some ballots, whatever integers hold them."""
    unit, category, mode, rater, group, answers = (x[..., rows].astype(np.int64) for x in piece)
    return Piece(unit, category, mode, rater, group, answers)


def blocks(piece: Piece, most: int) -> Iterator[Piece]:
    """Cut a piece between raters into blocks of about so many ballots."""
    order = np.argsort(piece.rater, kind="stable")
    start = np.append(runs(piece.rater[order]), len(order))
    first = 0
    while first < len(order):
        last = int(start[max(int(np.searchsorted(start, first + most, "right")) - 1, 0)])
        if last <= first:  # one rater has more
            last = int(start[np.searchsorted(start, first, "right")])
        rows = order[first:last]
        yield _rows(piece, rows)
        first = last


class Tables(NamedTuple):
    """Tables of raters."""

    products: RaterProducts
    nested: NestedTables
    groups: GroupTables
    design: Design

    def plus(self, other: Tables) -> Tables:
        """Add table by table."""
        return Tables(
            self.products + other.products,
            self.nested + other.nested,
            self.groups + other.groups,
            self.design + other.design,
        )


def reduce_piece(piece: Piece, spec: SurveySpec, groups: int) -> Tables:
    """Reduce a piece.

    Parameters
    ----------
    piece : Piece
    spec : SurveySpec
    groups : int
        Number of groups of raters.
    """
    u, d, c, m, _ = (len(axis) for axis in spec.labels)
    order = np.lexsort((piece.unit, piece.rater))
    piece = _rows(piece, order)
    valid, scores = spec.valid, spec.scaled[0]
    there = np.append(valid, False)[piece.answers]  # (d, n)
    row, dimension = np.nonzero(there.T)
    option = piece.answers[dimension, row]
    place = (piece.unit, piece.category, piece.mode)
    largest = float(np.abs(scores).max(initial=0))
    check_bound(largest**2 * len(row), "squares of answers")
    y = scores[option]
    unit, category, mode = (x[row] for x in place)
    pooled = spec.combine_modes == "ballots"
    options = int(valid.sum())
    shape = (u, d, c, 1 if pooled else m, options)
    column = ((unit * d + dimension) * c + category) * shape[3] + (0 if pooled else mode)
    column = column * options + (np.cumsum(valid) - 1)[option]
    ballot = fused([piece.rater, piece.unit], [int(piece.rater.max(initial=0)) + 1, u])
    return Tables(
        rater_products(shape, piece.rater, piece.category, row, column),
        nested_tables(
            piece.rater[row], ballot[row], ((unit * c + category) * m + mode) * d + dimension,
            np.ones(len(row), np.int64), y, y**2,
        ),
        group_tables(piece.group, piece.unit, piece.answers, scores, valid, (groups, u)),
        design_tables(piece.rater, place, there, spec.unit_class, (u, c, m, d)),
    )  # fmt: skip
