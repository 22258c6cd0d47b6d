"""Ballots as moments of answers, with the design they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import DataError, PerfmethodError, Problem, Problems, quoted, suggest
from perfmethod.reliability.moments import Moments

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.year import Year

__all__ = [
    "Answers",
    "answers_of_ballots",
    "answers_of_year",
    "check_columns",
    "check_weights",
    "strata_of",
]

_COLUMNS = ("unit_id", "rater_id", "category", "mode")


@dataclass(frozen=True, eq=False, repr=False)
class Answers:
    """Moments over class, unit, category, mode, rater and dimension, and the design."""

    moments: Moments
    strata: pd.DataFrame
    units: int
    units_per_person: float
    per_ballot: float
    unit_class: str | None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def several(self, *facets: str) -> list[str]:
        """Those of the facets that have more than one level."""
        cells = self.moments.cells
        return [f for f in facets if f in cells.facets and len(cells.levels[cells.place(f)]) > 1]

    @property
    def repeated(self) -> bool:
        """Whether some ballot has more than one answer."""
        ballots = self.moments.cells.group(("unit", "rater"))[0]
        return len(ballots) < int(self.moments.counts.sum())


def answers_of_year(
    year: Year,
    dimensions: Sequence[str] | None,
    category_weights: Mapping[str, float] | None,
    unit_class: str | None,
) -> Answers:
    """Answers of a year, by the scores and weights of its scheme."""
    survey = year.scheme.document.get("survey")
    if survey is None or year.ballots is None:
        raise PerfmethodError("year: found no ballots; allowed: a year with a survey and ballots")
    classes = year.units["class"]
    chosen = classes.value_counts().index[0] if unit_class is None else unit_class
    if chosen not in set(classes):
        raise PerfmethodError(
            f"unit_class: found {chosen!r}; allowed: {suggest(str(chosen), set(classes))}"
        )
    options = {int(code): option.get("score") for code, option in survey["options"].items()}
    weights = dict(category_weights or {}) or {
        name: _class_weight(category.get("weight", 1), str(chosen))
        for name, category in survey["categories"].items()
    }
    by_mode = survey.get("combine_modes", "ballots") == "weights"
    modes = {name: float(m.get("weight", 1)) for name, m in survey["modes"].items()}
    names = _year_dimensions(year) if dimensions is None else list(dimensions)
    return _answers(
        year.ballots, options, names, (weights, modes if by_mode else None),
        (classes, str(chosen)), dict(year.meta),
    )  # fmt: skip


def _class_weight(weight: Any, unit_class: str) -> float:
    return float(weight.get(unit_class, 0)) if isinstance(weight, Mapping) else float(weight)


def _year_dimensions(year: Year) -> list[str]:
    """Dimensions that survey leaves of the scheme read and the ballots have."""
    names = {
        str(node["survey"])
        for part in year.scheme.document["classes"].values()
        for node in part.get("nodes", {}).values()
        if "survey" in node
    }
    assert year.ballots is not None
    return [name for name in map(str, year.ballots.columns) if name in names]


def answers_of_ballots(
    ballots: pd.DataFrame,
    option_scores: Mapping[Any, float | None] | None,
    dimensions: Sequence[str] | None,
    category_weights: Mapping[str, float] | None,
) -> Answers:
    """Answers of a table of ballots; an option scored None ("don't know") is no answer."""
    if not option_scores:
        raise PerfmethodError(
            "option_scores: found none; allowed: a score for each valid option, such as "
            "{1: 100, 2: 75, 3: 55}"
        )
    known = {*_COLUMNS, "ballot_id", "batch"}
    names = [str(c) for c in ballots.columns if c not in known]
    weights = dict(category_weights or {})
    return _answers(
        ballots, option_scores, names if dimensions is None else list(dimensions),
        (weights, None), None, {},
    )  # fmt: skip


def _answers(
    ballots: pd.DataFrame,
    option_scores: Mapping[Any, float | None],
    dimensions: Sequence[str],
    weights: tuple[Mapping[str, float], Mapping[str, float] | None],
    classes: tuple[pd.Series, str] | None,
    meta: dict[str, Any],
) -> Answers:
    import pandas as pd

    check_columns(ballots, _COLUMNS, dimensions)
    scores = _scores(ballots, dimensions, option_scores)
    n, d = len(ballots), len(dimensions)
    facets: dict[str, Any] = {
        name: pd.Categorical(ballots[column].astype(str))
        for name, column in (("unit", "unit_id"), ("category", "category"), ("mode", "mode"))
    }
    person = ballots["category"].astype(str) + "\0" + ballots["rater_id"].astype(str)
    rater = pd.factorize(person)[0]  # numbers: who they are is not kept
    if classes is not None:
        facets["class"] = pd.Categorical(facets["unit"].map(classes[0].to_dict()))
    valid = (~np.isnan(scores)).sum(axis=1)
    _check_answered(valid, facets, classes)
    row, names = np.tile(np.arange(n), d), np.array(list(dimensions), object)
    moments = Moments.of(
        scores.ravel(order="F"),
        {**{name: column[row] for name, column in facets.items()}, "rater": rater[row],
         "dimension": pd.Categorical(names[np.repeat(np.arange(d), n)])},
    )  # fmt: skip
    table = pd.DataFrame(
        {**{name: facets[name] for name in ("unit", "category", "mode")}, "rater": rater,
         "valid": valid}
    )  # fmt: skip
    table = table[valid > 0]
    if classes is not None:
        table = table[table["unit"].astype(str).map(classes[0].to_dict()) == classes[1]]
    cells = table.groupby(["category", "mode", "unit"], observed=True).size()
    strata = strata_of(cells, *weights)
    per_rater = table.groupby("rater")["unit"].nunique()
    return Answers(
        moments,
        strata,
        int(table["unit"].nunique()),
        float(table["rater"].map(per_rater).mean()),
        float(1 / (1 / table["valid"]).mean()),
        None if classes is None else classes[1],
        meta,
    )


def _check_answered(
    valid: NDArray[np.intp], facets: Mapping[str, Any], classes: tuple[pd.Series, str] | None
) -> None:
    """Refuse ballots that say nothing, of all units or of the class whose design is wanted."""
    where, there = "", valid > 0
    if there.any() and classes is not None:
        where, there = f" on units of class {classes[1]!r}", there & (facets["class"] == classes[1])
    if not there.any():
        found = f"no valid answer{where}: each is blank, or an option without a score"
        raise DataError([Problem("ballots.csv", None, None, found, "some options with a score")])


def strata_of(
    cells: pd.Series, weights: Mapping[str, float], modes: Mapping[str, float] | None
) -> pd.DataFrame:
    """Categories and modes that the units' ballots came from, with their share in the score.

    Parameters
    ----------
    cells : Series
        Ballots by category, mode and unit.
    weights : mapping
        Of categories; empty for equal ones.
    modes : mapping or None
        Weights of modes; None where their ballots are pooled.
    """
    by_stratum = cells.groupby(["category", "mode"], observed=True)
    strata = by_stratum.sum().rename("total").reset_index()
    strata["ballots"] = by_stratum.agg(lambda n: len(n) / (1 / n).sum()).to_numpy(float)
    strata = strata.astype({"category": str, "mode": str})
    inside = strata["total"] if modes is None else strata["mode"].map(modes)
    share = inside / inside.groupby(strata["category"]).transform("sum")
    if weights:
        check_weights(weights, strata["category"])
    of_category = strata["category"].map(lambda c: float(weights.get(c, 1.0)))
    strata["weight"] = of_category * share
    kept = strata[strata["weight"] > 0]
    if kept.empty:
        found = ", ".join(dict.fromkeys(strata["category"]))
        raise PerfmethodError(f"category_weights: found none for {found}; allowed: some above 0")
    weight = kept["weight"] / kept["weight"].sum()
    return kept.assign(weight=weight)[["category", "mode", "weight", "ballots"]].reset_index(
        drop=True
    )


def _scores(
    ballots: pd.DataFrame, dimensions: Sequence[str], option_scores: Mapping[Any, float | None]
) -> NDArray[np.float64]:
    """Scores (n, d), NaN where an answer is missing or its option has no score."""
    import pandas as pd

    table = {float(code): np.nan if score is None else float(score)
             for code, score in option_scores.items()}  # fmt: skip
    allowed = f"blank, or an option: {', '.join(f'{code:g}' for code in table)}"
    problems, columns = Problems("ballots.csv"), []
    for name in dimensions:
        codes = pd.to_numeric(ballots[name], errors="coerce")
        strange = ballots[name].notna() & ~codes.isin(list(table))
        for row in np.flatnonzero(strange):
            problems.add(quoted(ballots[name].iloc[row]), allowed, row=int(row) + 2, column=name)
        columns.append(codes.map(table).to_numpy(float))
    problems.raise_any()
    return np.column_stack(columns)


def check_columns(ballots: pd.DataFrame, keys: Sequence[str], dimensions: Sequence[str]) -> None:
    """Refuse ballots without a column that is needed, without a key, or that stand twice.

    Parameters
    ----------
    ballots : DataFrame
    keys : sequence of str
        Columns in which no cell is empty.
    dimensions : sequence of str
        Columns of answers.

    Raises
    ------
    InputError
        With every problem.
    """
    problems = Problems("ballots.csv")
    for name in (*keys, *dimensions):
        if name not in ballots:
            near = suggest(name, map(str, ballots.columns))
            problems.add("no such column", f"the column must be there ({near})", column=name)
        elif name in keys:
            for row in np.flatnonzero(ballots[name].isna()):
                problems.add("an empty cell", "a name", row=int(row) + 2, column=name)
    if not dimensions:
        problems.add("no column of answers", "at least one dimension")
    if "ballot_id" in ballots:
        for row in np.flatnonzero(ballots["ballot_id"].duplicated()):
            found = quoted(ballots["ballot_id"].iloc[row])
            problems.add(f"{found} again", "each ballot once", row=int(row) + 2, column="ballot_id")
    problems.raise_any()


def check_weights(weights: Mapping[str, float], categories: Iterable[str]) -> None:
    """Refuse weights that leave out a category of the ballots, or that are no weights.

    Raises
    ------
    PerfmethodError
        With all of them.
    """
    if lacking := sorted(set(categories) - set(weights)):
        raise PerfmethodError(
            f"category_weights: found none for {', '.join(lacking)}; allowed: one for each "
            "category (0 leaves it out)"
        )
    wrong = {name: w for name, w in weights.items() if not _is_weight(w)}
    if wrong:
        shown = ", ".join(f"{w!r} for {name}" for name, w in sorted(wrong.items()))
        raise PerfmethodError(f"category_weights: found {shown}; allowed: finite numbers from 0 on")


def _is_weight(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return False
    return bool(np.isfinite(value)) and float(value) >= 0
