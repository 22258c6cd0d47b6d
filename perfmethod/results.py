"""What a grade leads to: the links of the result to people's and units' fortunes."""

from __future__ import annotations

import pandas as pd

from perfmethod.errors import PerfmethodError
from perfmethod.scoring import Evaluation

__all__ = ["results_use"]


def results_use(evaluation: Evaluation) -> pd.DataFrame:
    """Table of consequences per unit, by the scheme's ``[results]``.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    DataFrame
        Index unit_id; name, grade, and one column per link (its unit of measure stands in the
        scheme). A link that says nothing of a grade leaves the cell empty.

    Raises
    ------
    PerfmethodError
        If the scheme gives no grades or no links.
    """
    links = evaluation.year.scheme.document.get("results")
    if not links or "grades" not in evaluation.year.scheme.document:
        raise PerfmethodError("found a scheme without [results] or [grades]; allowed: both")
    table = evaluation.scores[["name", "grade"]].copy()
    for link, rule in links.items():
        table[link] = table["grade"].map(dict(rule["by_grade"]))
    return table
