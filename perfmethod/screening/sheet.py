"""Ballots as integer codes, read once for all flags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.survey.disclosure import count_text, few

__all__ = ["KEYS", "Flag", "Sheet"]

Codes = NDArray[np.intp]
Bools = NDArray[np.bool_]
KEYS = ("ballot_id", "unit_id", "rater_id", "category", "mode", "batch")
_NEEDED = ("unit_id", "category", "mode")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


@dataclass(frozen=True)
class Flag:
    """What one test saw; `rows` are the ballots concerned and are never shown.

    `evidence` is a text that may be given out; `ballots` is the exact number, `few` says that so
    few people gave them that it may not be given out.
    """

    kind: str
    evidence: str
    ballots: int
    unit: str = ""
    category: str = ""
    mode: str = ""
    batch: str = ""
    p: float = np.nan
    rows: Codes = field(default_factory=lambda: np.zeros(0, np.intp), repr=False)
    few: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Sheet:
    """n ballots; a code of -1 is an empty cell."""

    unit: Codes
    units: tuple[str, ...]
    category: Codes
    categories: tuple[str, ...]
    mode: Codes
    modes: tuple[str, ...]
    rater: Codes | None  # a rater is one inside a category
    session: Codes
    sessions: tuple[str, ...]
    time: NDArray[np.float64]  # seconds since `start`, NaN where the batch is no time
    start: pd.Timestamp | None
    ballot: Codes | None
    answers: NDArray[np.float64]  # (n, d), left-packed: the questions asked come first
    asked: Codes  # (n,) number of questions of the unit
    form: Codes  # (n,) which set of questions
    valid: Codes  # (n,) answers that score
    filled: Codes  # (n,) cells that are not empty
    vector: Codes  # (n,) which set of answers; -1 where nothing is answered
    best: Bools  # (n,) every question has the best answer; all False where no best is known
    knows_best: bool
    min_cell: int = 10  # fewest people of whom a text may tell

    @classmethod
    def read(
        cls, ballots: pd.DataFrame, options: Mapping[int, float] | None, min_cell: int = 10
    ) -> Sheet:
        """Read a table; `options` gives the score of each option, NaN for no valid answer."""
        _check(ballots)
        unit, units = _codes(ballots["unit_id"])
        category, categories = _codes(ballots["category"])
        mode, modes = _codes(ballots["mode"])
        _check_empty({"unit_id": unit, "category": category, "mode": mode})
        batch = ballots.get("batch")
        session, sessions, time, start = _batches(batch, len(ballots))
        rater = None
        if "rater_id" in ballots:
            code, names = _codes(ballots["rater_id"])
            rater = np.where(code < 0, -1, category * len(names) + code)
        ballot = _codes(ballots["ballot_id"])[0] if "ballot_id" in ballots else None
        answers = _answers(ballots)
        return cls(
            unit, units, category, categories, mode, modes, rater, session, sessions, time, start,
            ballot, **_read_answers(answers, unit, len(units), options), min_cell=min_cell,
        )  # fmt: skip

    def told(self, people: int) -> str:
        """Write a number of people in a text that may be given out."""
        text = count_text(people, self.min_cell)
        return text if text.startswith("<") or self.min_cell == 1 else f"about {text}"

    def few(self, rows: Codes) -> bool:
        """Whether too few raters gave these ballots to tell how many ballots they are."""
        if self.rater is None:
            return bool(few(len(rows), self.min_cell))
        return bool(few(len(np.unique(self.rater[rows])), self.min_cell))

    @property
    def complete(self) -> Bools:
        """Ballots with a valid answer to each of two or more questions."""
        return (self.valid == self.asked) & (self.asked >= 2)


def _check(ballots: pd.DataFrame) -> None:
    problems = Problems("ballots")
    for name in _NEEDED:
        if name not in ballots:
            near = suggest(name, map(str, ballots.columns))
            problems.add("no such column", f"the column must be there ({near})", column=name)
    if not len(ballots):
        problems.add("no ballot", "at least one")
    elif not [c for c in ballots.columns if c not in KEYS]:
        problems.add("no column of answers", "one column for each question")
    problems.raise_any(DataError)


def _check_empty(codes: Mapping[str, Codes]) -> None:
    problems = Problems("ballots")
    for name, code in codes.items():
        for row in np.flatnonzero(code < 0)[:5]:
            problems.add("an empty cell", "a name", row=int(row) + 2, column=name)
    problems.raise_any(DataError)


def _codes(column: pd.Series) -> tuple[Codes, tuple[str, ...]]:
    """Codes in the order of the names, whatever the order of the rows."""
    code, names = pd.factorize(column)
    texts = np.array([str(name) for name in names], dtype=object)
    known, place = np.unique(texts, return_inverse=True) if len(texts) else (texts, code[:0])
    found = np.append(place, -1)[code].astype(np.intp)
    if len(known) and known[0] == "":
        found, known = found - 1, known[1:]
        found[found < 0] = -1
    return found, tuple(known)


def _batches(
    column: pd.Series | None, n: int
) -> tuple[Codes, tuple[str, ...], NDArray[np.float64], pd.Timestamp | None]:
    """Sessions by code, and times in seconds."""
    nothing = np.full(n, -1, np.intp), (), np.full(n, np.nan), None
    if column is None:
        return nothing
    code, names = _codes(column)
    if not names:
        return nothing
    timed = np.array([bool(_TIME.match(name)) for name in names])
    stamps = pd.to_datetime(
        pd.Series([name if t else None for name, t in zip(names, timed, strict=True)], dtype="str"),
        format="ISO8601", errors="coerce",
    )  # fmt: skip
    start = None if stamps.isna().all() else stamps.min()
    seconds = np.full(len(names), np.nan)
    if start is not None:
        seconds = ((stamps - start) / pd.Timedelta(seconds=1)).to_numpy(float)
    number = np.where(np.isnan(seconds), np.cumsum(np.isnan(seconds)) - 1, -1)
    sessions = tuple(name for name, s in zip(names, seconds, strict=True) if np.isnan(s))
    return np.append(number, -1)[code], sessions, np.append(seconds, np.nan)[code], start


def _answers(ballots: pd.DataFrame) -> NDArray[np.float64]:
    """Option codes (n, d), NaN where the cell is empty; what is no number is an error."""
    problems = Problems("ballots")
    columns = []
    for name in [c for c in ballots.columns if c not in KEYS]:
        text = ballots[name].replace("", None) if ballots[name].dtype == object else ballots[name]
        values = pd.to_numeric(text, errors="coerce").to_numpy(float, na_value=np.nan)
        for row in np.flatnonzero(np.isnan(values) & text.notna().to_numpy(bool))[:5]:
            found = repr(ballots[name].iloc[row])
            problems.add(found, "the code of an option", row=int(row) + 2, column=str(name))
        columns.append(values)
    problems.raise_any(DataError)
    return np.column_stack(columns)


def _read_answers(
    answers: NDArray[np.float64], unit: Codes, n_units: int, options: Mapping[int, float] | None
) -> dict[str, Any]:
    """What the flags need of the answers."""
    filled = ~np.isnan(answers)
    asks = np.zeros((n_units, answers.shape[1]), bool)  # what nobody answered was not asked
    for d in range(answers.shape[1]):
        asks[:, d] = np.bincount(unit, filled[:, d], n_units) > 0
    asked = asks[unit]
    valid = filled if options is None else filled & np.isin(answers, _scored(options))
    best = np.zeros(len(unit), bool)
    if options is not None and len(_scored(options)):
        top = max(_scored(options), key=lambda code: options[code])
        best = ((answers == top) | ~asked).all(axis=1) & asked.any(axis=1)
    order = np.argsort(~asked, axis=1, kind="stable")
    packed = np.take_along_axis(np.where(asked, answers, np.nan), order, axis=1)
    return {
        "answers": packed,
        "asked": asked.sum(axis=1),
        "form": np.unique(asks, axis=0, return_inverse=True)[1].ravel()[unit],
        "valid": valid.sum(axis=1),
        "filled": filled.sum(axis=1),
        "vector": _vectors(answers),
        "best": best,
        "knows_best": options is not None,
    }


def _scored(options: Mapping[int, float]) -> list[int]:
    return [code for code, score in options.items() if not np.isnan(score)]


def _vectors(answers: NDArray[np.float64]) -> Codes:
    """Number of each different row, in mixed radix; -1 for an empty one."""
    code = np.zeros(len(answers), np.int64)
    for column in answers.T:
        values, place = np.unique(np.nan_to_num(column, nan=-np.inf), return_inverse=True)
        code = np.unique(code * len(values) + place, return_inverse=True)[1].astype(np.int64)
    code[np.isnan(answers).all(axis=1)] = -1
    return code.astype(np.intp)
