"""Totals, ranks and grades of a year with other scores of its review, all else equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perfmethod.draws import Draws
from perfmethod.errors import PerfmethodError
from perfmethod.scoring import simulate

if TYPE_CHECKING:
    from perfmethod.scoring import Simulation
    from perfmethod.severity.result import Severity
    from perfmethod.year import Year

__all__ = ["rescored", "scored_with"]


def scored_with(year: Year, scores: pd.DataFrame) -> Simulation:
    """Score a year once with every column of review scores, by the scoring core.

    Parameters
    ----------
    year : Year
    scores : DataFrame (n, v)
        Index unit_id and dimension; one column per version. Dimensions that the class of a unit
        does not read are left out.
    """
    classes = year.scheme.document["classes"]
    reads = {
        name: {str(node["survey"]) for node in part.get("nodes", {}).values() if "survey" in node}
        for name, part in classes.items()
    }
    values = {
        f"review.{unit}.{dimension}": row
        for (unit, dimension), row in zip(scores.index, scores.to_numpy(float), strict=True)
        if dimension in reads[year.units["class"][unit]]
    }
    return simulate(year, Draws.of(values, "survey scores, raw and adjusted"))


def rescored(found: Severity) -> pd.DataFrame:
    """Totals, ranks and grades with adjusted review scores beside those of the year.

    Parameters
    ----------
    found : Severity
        Of a year.

    Returns
    -------
    DataFrame
        Index unit_id: total, total_adjusted, total_change (points), rank, rank_adjusted (in the
        class), rank_change (positive is a better rank), and, where the scheme gives grades, grade,
        grade_adjusted, grade_changes.

    Raises
    ------
    PerfmethodError
        Without a year.
    """
    year = None if found._survey is None else found._survey.year
    if year is None:
        raise PerfmethodError("severity: found one of ballots alone; allowed: one of a year")
    run = scored_with(year, found.dimensions[["raw", "adjusted"]])
    frame = pd.DataFrame(index=pd.Index(run.units, name="unit_id"))
    frame["total"], frame["total_adjusted"] = run.total
    frame["total_change"] = frame["total_adjusted"] - frame["total"]
    frame["rank"], frame["rank_adjusted"] = run.rank.astype(int)
    frame["rank_change"] = frame["rank"] - frame["rank_adjusted"]
    if run.grade is not None:
        levels = np.array([*run.levels, ""], dtype=object)
        frame["grade"], frame["grade_adjusted"] = levels[run.grade]
        frame["grade_changes"] = frame["grade"] != frame["grade_adjusted"]
    return frame
