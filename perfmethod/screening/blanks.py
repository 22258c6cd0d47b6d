"""Don't know and no answer, by unit, mode and category."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod.screening.sheet import Sheet
from perfmethod.survey.disclosure import suppress

__all__ = ["unanswered"]


def unanswered(sheet: Sheet, min_cell: int) -> pd.DataFrame:
    """Share of answers that are don't-knows or missing, small cells hidden.

    Parameters
    ----------
    sheet : Sheet
        Ballots as codes.
    min_cell : int
        Cells of fewer ballots show no share and no count.

    Returns
    -------
    DataFrame
        One row per value of ``by`` (unit, category, mode, and unit x category x mode): by, unit,
        category, mode, ballots, dont_know and no_answer (shares of the questions asked), blank
        (share of ballots without any valid answer), suppressed.

    References
    ----------
    AAPOR, *Standard Definitions*, 10th ed. (2023) (item nonresponse).
    """
    table = pd.DataFrame(
        {
            "unit": np.array(sheet.units, dtype=object)[sheet.unit],
            "category": np.array(sheet.categories, dtype=object)[sheet.category],
            "mode": np.array(sheet.modes, dtype=object)[sheet.mode],
            "ballots": 1,
            "asked": sheet.asked,
            "dont_know": sheet.filled - sheet.valid,
            "no_answer": sheet.asked - sheet.filled,
            "blank": sheet.valid == 0,
        }
    )
    parts = [_shares(table, keys) for keys in (["unit"], ["category"], ["mode"],
                                               ["unit", "category", "mode"])]  # fmt: skip
    shares = pd.concat(parts, ignore_index=True)
    return suppress(shares, min_cell, counts=("ballots",),
                    values=("dont_know", "no_answer", "blank"), parts=None)  # fmt: skip


def _shares(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    sums = table.groupby(keys)[["ballots", "asked", "dont_know", "no_answer", "blank"]].sum()
    asked = sums["asked"].where(sums["asked"] > 0)
    sums["blank"] = sums["blank"] / sums["ballots"]
    for name in ("dont_know", "no_answer"):
        sums[name] = sums[name] / asked
    out = sums.drop(columns="asked").reset_index()
    for name in ("unit", "category", "mode"):
        if name not in keys:
            out[name] = ""
    out.insert(0, "by", " x ".join(keys))
    return out[["by", "unit", "category", "mode", "ballots", "dont_know", "no_answer", "blank"]]
