"""How raters differ, told in aggregate only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod.reliability.components import Components
from perfmethod.severity._source import Survey

__all__ = ["rater_spread", "raters_by_category"]

_SHARES = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}


def rater_spread(fit: Components, level: float) -> tuple[float, float, float, str]:
    """Standard deviation of the severity of raters within categories, and its interval.

    Returns
    -------
    value, lower, upper : float
        Points; the roots of the variance component and of its interval by default.
    interval : str
        What the interval rests on.
    """
    lower, upper, told = fit.interval("rater", level)
    value, lower, upper = np.sqrt([fit.variance("rater"), lower, upper]).tolist()
    return value, lower, upper, told


def raters_by_category(fit: Components, survey: Survey, min_cell: int) -> pd.DataFrame:
    """Predicted severities of raters within their category, as percentiles.

    Parameters
    ----------
    fit : Components
    survey : Survey
    min_cell : int
        Categories with fewer raters are hidden.

    Returns
    -------
    pandas.DataFrame
        Index category; raters (text such as ``"<10"`` where hidden), answers_per_rater (median),
        spread (standard deviation of the predictions, which are shrunk and so vary less than the
        raters do), p10 ... p90 (percentiles, points; positive raters are harsh), suppressed.
    """
    effects = fit.effects("rater")
    owner = survey.answers.drop_duplicates("rater").set_index("rater")["category"]
    harsh = pd.DataFrame(
        {"category": owner.loc[effects.index].to_numpy(), "severity": -effects["effect"].to_numpy(),
         "answers": effects["ratings"].to_numpy()}
    )  # fmt: skip
    rows = {}
    for category in survey.mix.columns:
        part = harsh[harsh["category"] == category]
        hidden = len(part) < min_cell
        values = {
            "raters": f"<{min_cell}" if hidden and len(part) else len(part),
            "answers_per_rater": float(part["answers"].median()),
            "spread": float(part["severity"].std(ddof=0)),
            **{name: float(part["severity"].quantile(q)) for name, q in _SHARES.items()},
        }
        if hidden:
            values |= dict.fromkeys(("answers_per_rater", "spread", *_SHARES), np.nan)
        rows[str(category)] = {**values, "suppressed": hidden}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("category")
