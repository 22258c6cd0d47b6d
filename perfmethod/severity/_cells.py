"""Ordinal answers as numbered cells and options, and the effects that each cell has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, Problems, suggest
from perfmethod.reliability.cells import Cells, fuse, split
from perfmethod.reliability.effects import column_names
from perfmethod.reliability.layout import Layout, facets_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AnswerTable", "answer_table", "refuse_extremes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """Answers of an ordinal model.

    Parameters
    ----------
    cells : Cells
        The c combinations of facets that occur.
    cell, option : ndarray of int (n,)
        Of each answer.
    rater, ballot : ndarray of int (n,), ballot or None
        Numbered from 0.
    options : tuple (k,)
        Values of the answers, lowest first.
    layout : Layout
        Columns of the terms; those of the first one or two are the thresholds.
    thresholds : int
        How many terms stand for thresholds (the intercept, and the facet of the steps).
    steps_by : str or None
    """

    cells: Cells
    cell: Ints
    option: Ints
    rater: Ints
    ballot: Ints | None
    options: tuple[Any, ...]
    layout: Layout
    thresholds: int
    steps_by: str | None

    @property
    def counts(self) -> Ints:
        """Answers by cell and option, (c, k)."""
        k = len(self.options)
        place = self.cell * k + self.option
        return np.bincount(place, minlength=len(self.cells) * k).reshape(-1, k)

    @property
    def kept(self) -> Ints:
        """Columns of effects that are estimated, among all columns of the layout."""
        kept = self.layout.kept
        return kept[kept >= self.layout.edges[self.thresholds]]

    @property
    def names(self) -> list[str]:
        """Names of the effects that are estimated."""
        every = [name for term in self.layout.fixed for name in column_names(term)]
        return [every[i] for i in self.kept]

    @property
    def group(self) -> Ints:
        """Set of thresholds of each cell (c,)."""
        if self.steps_by is None:
            return np.zeros(len(self.cells), np.int64)
        return self.layout.fixed[1].codes

    @property
    def group_names(self) -> list[str]:
        """Label of each set of thresholds."""
        if self.steps_by is None:
            return ["all"]
        return [":".join(map(str, label)) for label in self.layout.fixed[1].columns.labels()]

    def design(self, points: Mapping[str, Sequence[Any]] | None = None) -> Any:
        """Effects (c, p) of the cells, or of given combinations; sparse.

        Raises
        ------
        PerfmethodError
            A combination of a term that no answer has.
        """
        from scipy.sparse import csr_array

        columns = []
        for term, edge in zip(
            self.layout.fixed[self.thresholds :],
            self.layout.edges[self.thresholds :],
            strict=False,
        ):
            codes = term.codes if points is None else _looked_up(term.name, term.columns, points)
            columns.append(edge + codes)
        size = len(columns[0]) if columns else len(self.cells)
        rows = np.tile(np.arange(size), len(columns))
        place = np.concatenate([np.zeros(0, np.int64), *columns]).astype(np.int64)
        whole = csr_array(
            (np.ones(len(rows)), (rows, place)), shape=(size, int(self.layout.edges[-1]))
        )
        return whole[:, self.kept].tocsr()

    def group_of(self, points: Mapping[str, Sequence[Any]], size: int) -> Ints:
        """Set of thresholds of given combinations."""
        if self.steps_by is None:
            return np.zeros(size, np.int64)
        return _looked_up(self.steps_by, self.layout.fixed[1].columns, points)


def _looked_up(name: str, columns: Cells, points: Mapping[str, Sequence[Any]]) -> Ints:
    place = {label: i for i, label in enumerate(columns.labels())}
    found = []
    for label in zip(*(points[f] for f in columns.facets), strict=True):
        if label not in place:
            shown = ":".join(map(str, label))
            raise PerfmethodError(f"{name}: found {shown}, which no answer has; allowed: what was")
        found.append(place[label])
    return np.array(found, np.int64)


def answer_table(
    frame: pd.DataFrame,
    response: str,
    terms: Sequence[str],
    rater: str,
    ballot: Sequence[str] | None,
    steps_by: str | None,
) -> AnswerTable:
    """Number the cells, options, raters and ballots of a long table of answers.

    Raises
    ------
    DataError
        Missing columns, empty labels, fewer than two options or raters.
    """
    import pandas as pd

    steps = [] if steps_by is None else [steps_by]
    facets = list(dict.fromkeys(f for name in [*steps, *terms] for f in facets_of(name)))
    needed = list(dict.fromkeys([response, rater, *(ballot or ()), *facets]))
    _check(frame, needed, response)
    used = frame.loc[frame[response].notna(), needed]
    option, options = pd.factorize(used[response], sort=True)
    who, raters = pd.factorize(used[rater])
    _check_sizes(len(options), len(raters), response, rater)
    codes, levels = [], []
    for facet in facets:
        code, axis = pd.factorize(used[facet], sort=True)
        codes.append(code.astype(np.int64))
        levels.append(tuple(axis.tolist()))
    sizes = [len(axis) for axis in levels]
    table = np.array(codes, np.int64).reshape(len(facets), len(used))
    keys, cell = np.unique(fuse(table, sizes), return_inverse=True)
    cells = Cells(tuple(facets), tuple(levels), split(keys, sizes))
    layout = Layout.of(cells, np.bincount(cell).astype(np.int64), (), [*steps, *terms])
    paper = None
    if ballot:
        number = used.groupby([rater, *ballot], observed=True, sort=False).ngroup()
        paper = np.asarray(number, np.int64) if number.nunique() < len(number) else None
    return AnswerTable(
        cells, cell.astype(np.int64), option.astype(np.int64), who.astype(np.int64), paper,
        tuple(options.tolist()), layout, 1 + len(steps), steps_by,
    )  # fmt: skip


def _check(frame: pd.DataFrame, needed: Sequence[str], response: str) -> None:
    problems = Problems("answers")
    for name in needed:
        if name not in frame:
            near = suggest(name, map(str, frame.columns))
            problems.add("no such column", f"the column must be there ({near})", column=name)
        elif name != response and frame[name].isna().any():
            row = int(np.flatnonzero(frame[name].isna())[0])
            problems.add("an empty cell", "a label", row=row + 2, column=name)
    problems.raise_any()


def _check_sizes(options: int, raters: int, response: str, rater: str) -> None:
    problems = Problems("answers")
    if options < 2:
        found = f"{options} different answers" if options else "no answer"
        problems.add(found, "at least 2, for equal answers tell nothing apart", column=response)
    if raters < 2:
        problems.add(f"{raters} raters", "at least 2, for their spread is estimated", column=rater)
    problems.raise_any()


def refuse_extremes(table: AnswerTable) -> None:
    """Refuse levels without a finite estimate: all answers lowest or highest, unused options.

    Raises
    ------
    DataError
    """
    problems = Problems("answers")
    counts = table.counts
    for term in table.layout.fixed[table.thresholds :]:
        by_level = np.zeros((term.size, counts.shape[1]), np.int64)
        np.add.at(by_level, term.codes, counts)
        total = by_level.sum(axis=1)
        for end, word in ((0, "lowest"), (-1, "highest")):
            for i in np.flatnonzero(by_level[:, end] == total):
                label = ":".join(map(str, term.columns.labels()[i]))
                problems.add(f"all {total[i]} answers of {label!r} the {word}",
                             "answers that vary: its estimate would be infinite",
                             column=term.name)  # fmt: skip
    by_group = np.zeros((len(table.group_names), counts.shape[1]), np.int64)
    np.add.at(by_group, table.group, counts)
    for g, k in np.argwhere(by_group == 0):
        problems.add(f"option {table.options[k]} never used in {table.group_names[g]!r}",
                     "options that occur; steps shared by all, or options taken together",
                     column=table.steps_by)  # fmt: skip
    problems.raise_any()
