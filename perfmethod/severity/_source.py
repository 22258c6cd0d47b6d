"""A survey as a long table of answers, with what its scores weigh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, Problems, quoted
from perfmethod.reliability.answers import check_columns, check_weights
from perfmethod.scoring.plan import compile_year
from perfmethod.scoring.reviewed import review_of
from perfmethod.scoring.run import category_weights as weights_of
from perfmethod.scoring.slots import Slots
from perfmethod.severity.connected import Connection, connection
from perfmethod.year import Year

__all__ = ["Survey", "read_survey"]

Floats = NDArray[np.float64]

_KEYS = ("unit_id", "rater_id", "category")
_OTHER = ("ballot_id", "batch", "mode")


@dataclass(frozen=True, eq=False, repr=False)
class Survey:
    """Answers and the design of their scores.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row per valid answer: unit, class, category, mode, rater (a number), dimension, score.
    mix : pandas.DataFrame (u, c)
        Weights of the categories in the scores of a unit's class, which add to 1: the common mix.
    raw : pandas.DataFrame (u, d)
        Scores as they are without adjustment; NaN where a unit has no answer.
    classes : pandas.Series or None
    connection : Connection
    empty : tuple of str
        Categories with a weight and without any valid answer.
    scores : tuple of float (k,)
        Scores of the valid options, lowest first.
    min_cell : int
    year : Year or None
    """

    answers: pd.DataFrame
    mix: pd.DataFrame
    raw: pd.DataFrame
    classes: pd.Series | None
    connection: Connection
    empty: tuple[str, ...]
    scores: tuple[float, ...]
    min_cell: int
    year: Year | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pairs(self) -> pd.DataFrame:
        """Units and dimensions that have an answer, in order."""
        found = self.answers[["unit", "dimension"]].drop_duplicates()
        return found.sort_values(["unit", "dimension"]).reset_index(drop=True)

    def several(self, name: str) -> bool:
        """Whether a column of the answers has more than one level."""
        return bool(self.answers[name].nunique() > 1)


def read_survey(
    source: Year | pd.DataFrame,
    option_scores: Mapping[Any, float | None] | None,
    dimensions: Sequence[str] | None,
    category_weights: Mapping[str, float] | None,
    min_cell: int | None,
) -> Survey:
    """Read a year, or its ballots."""
    if isinstance(source, Year):
        return _of_year(source, dimensions, category_weights, min_cell)
    if not option_scores:
        raise PerfmethodError(
            "option_scores: found none; allowed: a score for each valid option, such as "
            "{1: 100, 2: 75, 3: 55}, and None for one that is no rating (9: None)"
        )
    names = [str(c) for c in source.columns if c not in (*_KEYS, *_OTHER)]
    chosen = names if dimensions is None else list(dimensions)
    answers = _long(source, option_scores, chosen, None)
    there = sorted(answers["category"].unique())
    weight = dict(category_weights or dict.fromkeys(there, 1.0))
    check_weights(weight, there)
    units = sorted(answers["unit"].unique())
    mix = pd.DataFrame([[float(weight.get(c, 0.0)) for c in there]] * len(units), units, there)
    empty = tuple(sorted(c for c, w in weight.items() if w > 0 and c not in there))
    mix = _normalized(mix)
    return Survey(
        answers, mix, _raw(answers, mix), None, _connected(answers), empty, _scale(option_scores),
        10 if min_cell is None else min_cell,
    )  # fmt: skip


def _of_year(
    year: Year,
    dimensions: Sequence[str] | None,
    category_weights: Mapping[str, float] | None,
    min_cell: int | None,
) -> Survey:
    plan = compile_year(year)
    review = review_of(year, plan)
    if review is None or year.ballots is None:
        raise PerfmethodError("year: found no ballots; allowed: a year with a survey and ballots")
    counts, classes = review.counts, year.units["class"]
    options = dict(zip(counts.options, review.option_scores.tolist(), strict=True))
    chosen = list(counts.dimensions) if dimensions is None else list(dimensions)
    answers = _long(year.ballots, options, chosen, classes)
    there = sorted(answers["category"].unique())
    if category_weights is None:
        table = weights_of(plan, Slots(plan.scheme), "survey", counts.categories)
        weights = pd.DataFrame(table, list(counts.units), list(counts.categories))
    else:
        row = [float(category_weights.get(c, 0.0)) for c in counts.categories]
        weights = pd.DataFrame([row] * len(counts.units), list(counts.units),
                               list(counts.categories))  # fmt: skip
    weighted = weights.columns[(weights > 0).any()]
    units = sorted(answers["unit"].unique())
    mix = _normalized(weights.loc[units, there])
    raw = review.scores.loc[units, chosen] if category_weights is None else _raw(answers, mix)
    return Survey(
        answers, mix, raw, classes.loc[units], _connected(answers),
        tuple(c for c in weighted if c not in there), _scale(options),
        review.min_cell if min_cell is None else min_cell, year, dict(year.meta),
    )  # fmt: skip


def _scale(option_scores: Mapping[Any, float | None]) -> tuple[float, ...]:
    values = {np.nan if s is None else float(s) for s in option_scores.values()}
    return tuple(sorted(v for v in values if not np.isnan(v)))


def _long(
    ballots: pd.DataFrame,
    option_scores: Mapping[Any, float | None],
    dimensions: Sequence[str],
    classes: pd.Series | None,
) -> pd.DataFrame:
    check_columns(ballots, _KEYS, dimensions)
    table = {float(code): np.nan if score is None else float(score)
             for code, score in option_scores.items()}  # fmt: skip
    codes = [pd.to_numeric(ballots[name], errors="coerce") for name in dimensions]
    _check_codes(ballots, dimensions, codes, table)
    person = ballots["category"].astype(str) + "\0" + ballots["rater_id"].astype(str)
    base = pd.DataFrame(
        {"unit": ballots["unit_id"].astype(str).to_numpy(),
         "category": ballots["category"].astype(str).to_numpy(),
         "mode": ballots["mode"].astype(str).to_numpy() if "mode" in ballots else "",
         "rater": pd.factorize(person)[0]}  # numbers: who they are is not kept
    )  # fmt: skip
    if classes is not None:
        base["class"] = base["unit"].map(classes.astype(str).to_dict())
    else:
        base["class"] = ""
    parts = [
        base.assign(dimension=name, score=code.map(table).to_numpy(float))
        for name, code in zip(dimensions, codes, strict=True)
    ]
    answers = pd.concat(parts, ignore_index=True).dropna(subset=["score"])
    _check_answers(answers)
    return answers.reset_index(drop=True)


def _check_codes(
    ballots: pd.DataFrame,
    dimensions: Sequence[str],
    codes: Sequence[pd.Series],
    table: Mapping[float, float],
) -> None:
    """Refuse answers that are no option."""
    problems = Problems("ballots.csv")
    allowed = f"blank or one of {', '.join(f'{code:g}' for code in sorted(table))}"
    for name, code in zip(dimensions, codes, strict=True):
        filled = ballots[name].notna() & (ballots[name].astype(str).str.strip() != "")
        strange = filled.to_numpy(bool) & ~code.isin(list(table)).to_numpy(bool)
        for row in np.flatnonzero(strange):
            problems.add(quoted(ballots[name].iloc[row]), allowed, row=int(row) + 2, column=name)
    problems.raise_any()


def _check_answers(answers: pd.DataFrame) -> None:
    problems = Problems("ballots.csv")
    units, raters = answers["unit"].nunique(), answers["rater"].nunique()
    if units < 2:
        problems.add(f"valid answers on {units} units", "at least 2 units to compare")
    if raters < 2:
        problems.add(f"valid answers of {raters} raters",
                     "at least 2 raters: a single one may be harsh or not")  # fmt: skip
    if len(answers) and answers["score"].nunique() == 1:
        value = answers["score"].iloc[0]
        problems.add(f"{len(answers)} answers that all score {value:g}",
                     "answers that vary, for equal ones tell nothing apart")  # fmt: skip
    problems.raise_any()


def _normalized(mix: pd.DataFrame) -> pd.DataFrame:
    total = mix.sum(axis=1)
    if (total <= 0).any():
        unit = str(total.index[int(np.argmax((total <= 0).to_numpy()))])
        raise PerfmethodError(
            f"category_weights: found none above 0 for {unit} among "
            f"{', '.join(map(str, mix.columns))}; allowed: some category with ballots and a weight"
        )
    return mix.div(total, axis=0)


def _raw(answers: pd.DataFrame, mix: pd.DataFrame) -> pd.DataFrame:
    """Weighted means of the category means that a unit has."""
    cells = answers.groupby(["unit", "dimension", "category"])["score"].mean().reset_index()
    weight = np.array([mix.at[u, c] for u, c in zip(cells["unit"], cells["category"], strict=True)])
    sums = cells.assign(weight=weight, total=weight * cells["score"])
    found = sums.groupby(["unit", "dimension"])[["weight", "total"]].sum()
    return (found["total"] / found["weight"].where(found["weight"] > 0)).unstack("dimension")


def _connected(answers: pd.DataFrame) -> Connection:
    ballots = answers[["unit", "rater", "category"]].drop_duplicates()
    return connection(ballots["unit"], ballots["rater"], ballots["category"])
