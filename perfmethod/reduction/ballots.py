"""Ballots of any engine to the integer tables that scores, errors and reliability read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.checks import (
    KEYS,
    Faults,
    OptionPlaces,
    check_columns,
    label,
    shown,
)
from perfmethod.reduction.engines import Chosen, Source, codes_of, parts_of, sources_of
from perfmethod.reduction.groups import group_of
from perfmethod.reduction.kernel import Piece, Tables, blocks, reduce_piece
from perfmethod.reduction.result import Reduction
from perfmethod.reduction.spec import SurveySpec, spec_of
from perfmethod.scheme import Scheme
from perfmethod.survey.tables import Counts

__all__ = ["reduce"]

_SMALL: Any = np.int32  # codes wait for their block in half the room
_BLOCK = 200_000  # ballots whose tables are formed at a time; no result depends on it
_IDS = 4_000_000  # identifiers of ballots compared at a time: they are shorter than ballots


def reduce(
    source: Any,
    spec: SurveySpec | Scheme | Mapping[str, Any],
    *,
    units: Any = None,
    dimensions: Sequence[str] | None = None,
    raters: bool = True,
    piece: int = 1_000_000,
    groups: int = 64,
    memory: str = "1GB",
    file: str = "ballots",
) -> Reduction:
    """Reduce ballots to integer tables whose size does not depend on their number.

    Works through narwhals on the engine that holds the ballots: group-by counts there, and raters'
    tables from pieces of bounded size, each with all ballots of its raters. All tables are int64
    and equal bit for bit on every engine, for any order and any cut of the ballots.

    Parameters
    ----------
    source : frame, path, or list of these
        One row per ballot, with columns unit_id, category, mode, rater_id, one per dimension
        (option codes; blank: not asked), and if there is one ballot_id. A pandas, Polars, PyArrow,
        DuckDB, Dask, PySpark or narwhals frame; Parquet files (a file, a folder, a pattern), which
        DuckDB reads; or a list of any of them, which may also split a rater's ballots.
    spec : SurveySpec, Scheme or mapping
        Labels, scores and weights; a mapping of the keywords of `SurveySpec`.
    units : DataFrame, mapping or sequence of str, optional
        With a scheme: units and their classes, as in `SurveySpec.of_scheme`.
    dimensions : sequence of str, optional
        With a scheme: columns of answers, by default those that it reads.
    raters : bool
        False leaves raters (and the column rater_id) alone: counts only.
    piece : int
        Most ballots held at a time, unless one rater has more or identifiers end alike.
    groups : int
        Random groups of raters, for the standard errors of coefficients.
    memory : str
        What DuckDB may hold of Parquet files.
    file : str
        Name of the table in messages.

    Returns
    -------
    Reduction

    Raises
    ------
    DataError
        Missing columns; otherwise everything else that is wrong at once, with counts and examples:
        empty cells and unknown names among units, categories, modes and raters, codes that are no
        option, raters in several categories, ballot_id more than once.
    PerfmethodError
        A source or specification of an unknown kind; the extra ``scale`` is not installed; sums
        that may not fit into 64 bits.

    Notes
    -----
    Spark runs by the same code (narwhals supports it) but is not among the tests.

    Examples
    --------
    >>> ballots = pd.DataFrame({"unit_id": ["D01", "D02"], "rater_id": ["a", "a"],
    ...                         "category": "R01", "mode": "online", "duty": [1, 9]})
    >>> spec = SurveySpec(("D01", "D02"), ("duty",), ("R01",), ("online",), (1, 9),
    ...                   (100, float("nan")))
    >>> reduce(ballots, spec)
    <Reduction of 2 ballots of 1 raters on 2 units>
    """
    wanted = spec_of(spec, units, dimensions)
    if groups < 2 or piece < 1:
        raise PerfmethodError(
            f"groups, piece: found {groups}, {piece}; allowed: at least 2 and at least 1"
        )
    sources = sources_of(source, memory)
    check_columns(sources, wanted, file, raters)
    faults = Faults(wanted, file)
    counts, ballots = _counts(sources, wanted, faults)
    tables = None
    if raters:
        tables = _rater_tables(sources, wanted, faults, (ballots, piece, groups))
    _check_ids(sources, faults, ballots)
    faults.raise_any()
    return Reduction(wanted, ballots, counts, tables, groups)


def _counts(sources: Sequence[Source], spec: SurveySpec, faults: Faults) -> tuple[Counts, int]:
    """Exact counts, from one group-by for each dimension; notes unknown names and codes."""
    shape = tuple(len(axis) for axis in spec.labels)
    array, ballots = np.zeros(shape, np.int64), 0
    known = (spec.units, spec.categories, spec.modes)
    places = [{name: i for i, name in enumerate(axis)} for axis in known]
    option = OptionPlaces(spec.options)
    for d, dimension in enumerate(spec.dimensions):
        for *names, answer, n in (
            row for source in sources for row in source.tally([*KEYS, dimension])
        ):
            at = []
            for column, place, name in zip(KEYS, places, map(label, names), strict=True):
                at.append(place.get(name, -1) if name is not None else -1)
                if at[-1] < 0 and d == 0:
                    faults.note(column, name, int(n))
            code = option(answer)
            if code == -2:
                faults.note(dimension, shown(answer), int(n))
            if code >= 0 and min(at) >= 0:
                array[at[0], d, at[1], at[2], code] += int(n)
            ballots += int(n) if d == 0 else 0
    return Counts(array, *spec.labels), ballots


def _rater_tables(
    sources: Sequence[Source], spec: SurveySpec, faults: Faults, sizes: tuple[int, int, int]
) -> Tables | None:
    """Tables of raters, piece by piece; only checks where something is wrong already."""
    ballots, most, groups = sizes
    parts, missing = parts_of(sources, "rater_id", most, ballots)
    if missing:
        faults.note("rater_id", None, missing)
    total: Tables | None = None
    for part in parts:
        piece = _piece(sources, spec, faults, part, groups)
        if piece is None:
            continue
        for block in [piece] if len(piece.rater) <= _BLOCK else blocks(piece, _BLOCK):
            found = reduce_piece(block, spec, groups)
            total = found if total is None else total.plus(found)
    return total


def _piece(
    sources: Sequence[Source], spec: SurveySpec, faults: Faults, part: Chosen | None, groups: int
) -> Piece | None:
    """Ballots of a part of the raters as codes; None where something is wrong."""
    columns = [*KEYS, "rater_id", *spec.dimensions]
    frames = [source.read(columns, "rater_id", part) for source in sources]
    rater, names = pd.factorize(pd.concat([f["rater_id"] for f in frames], ignore_index=True))
    ids = [label(name) for name in names.tolist()]
    blank = np.array([*(name is None for name in ids), True], bool)[rater]
    if blank.any():
        faults.note("rater_id", None, int(blank.sum()))
    at = []
    for column, axis in zip(KEYS, (spec.units, spec.categories, spec.modes), strict=True):
        place = {name: i for i, name in enumerate(axis)}
        codes = [codes_of(f[column], lambda x, p=place: p.get(label(x), -1)) for f in frames]
        at.append(np.concatenate(codes))
    _note_strays(rater[~blank], at[1][~blank], ids, spec.categories, faults)
    if faults.any:
        return None
    option = OptionPlaces(spec.options)
    answers = np.stack(
        [np.concatenate([codes_of(f[name], option) for f in frames]) for name in spec.dimensions]
    )
    group = group_of((str(name) for name in ids), groups)
    columns_of = (*at, rater, group[rater], answers)
    unit, category, mode, who, where, given = (x.astype(_SMALL) for x in columns_of)
    return Piece(unit, category, mode, who, where, given)


def _note_strays(
    rater: Any, category: Any, names: Sequence[str | None], categories: Sequence[str],
    faults: Faults,
) -> None:  # fmt: skip
    """Raters who stand in several categories."""
    rater, category = rater[category >= 0], category[category >= 0]
    c = len(categories)
    who, where = np.divmod(np.unique(rater.astype(np.int64) * c + category), c)
    several = np.flatnonzero(np.bincount(who) > 1) if len(who) else who
    for r in several.tolist():
        of = sorted(categories[k] for k in where[who == r])
        faults.strays[str(names[r])] = of


def _check_ids(sources: Sequence[Source], faults: Faults, ballots: int) -> None:
    """Every ballot_id once, in all sources that have the column."""
    having = [source for source in sources if "ballot_id" in source.columns]
    if not having:
        return
    missing = sum(int(n) for s in having for end, n in s.endings("ballot_id", 1)
                  if end is None or not str(end).strip())  # fmt: skip
    if missing:
        faults.note("ballot_id", None, missing)
    for part in parts_of(having, "ballot_id", _IDS, ballots)[0]:
        if len(having) == 1:
            faults.ids.update(having[0].repeated("ballot_id", part))
            continue
        ids = pd.concat([s.read(["ballot_id"], "ballot_id", part)["ballot_id"] for s in having])
        found = ids.value_counts()
        for name, n in found[found > 1].items():
            if label(name) is not None:
                faults.ids[str(name)] = int(n)
