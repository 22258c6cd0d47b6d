"""Don't know and no answer, by unit, mode and category."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod.screening.sheet import Sheet
from perfmethod.survey.disclosure import coarse_share, few, suppress

__all__ = ["unanswered"]


def unanswered(sheet: Sheet, min_cell: int) -> pd.DataFrame:
    """Share of answers that are don't-knows or missing, small cells hidden.

    A share is not shown where fewer than `min_cell` ballots stand behind it or behind its
    complement. What is shown is the share of a count rounded to `min_cell`, so that the rows of a
    unit, a category or a mode cannot be subtracted from its total.

    Parameters
    ----------
    sheet : Sheet
        Ballots as codes.
    min_cell : int
        Cells of fewer ballots show no share and no count; 1 shows everything as it is.

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
    dont_know, no_answer = sheet.filled - sheet.valid, sheet.asked - sheet.filled
    table = pd.DataFrame(
        {
            "unit": np.array(sheet.units, dtype=object)[sheet.unit],
            "category": np.array(sheet.categories, dtype=object)[sheet.category],
            "mode": np.array(sheet.modes, dtype=object)[sheet.mode],
            "ballots": 1,
            "asked": sheet.asked,
            "dont_know": dont_know,
            "no_answer": no_answer,
            "blank": sheet.valid == 0,
            "dont_know_some": dont_know > 0,
            "no_answer_some": no_answer > 0,
            "dont_know_other": dont_know < sheet.asked,
            "no_answer_other": no_answer < sheet.asked,
        }
    )
    parts = [_shares(table, keys, min_cell) for keys in (["unit"], ["category"], ["mode"],
                                                         ["unit", "category", "mode"])]  # fmt: skip
    shares = pd.concat(parts, ignore_index=True)
    return suppress(shares, min_cell, counts=("ballots",),
                    values=("dont_know", "no_answer", "blank"), parts=None)  # fmt: skip


def _shares(table: pd.DataFrame, keys: list[str], min_cell: int) -> pd.DataFrame:
    sums = table.groupby(keys)[[c for c in table if c not in ("unit", "category", "mode")]].sum()
    shown = {"blank": coarse_share(sums["blank"], sums["ballots"], min_cell)}
    for name in ("dont_know", "no_answer"):
        some, other = (few(sums[f"{name}_{which}"], min_cell) for which in ("some", "other"))
        shown[name] = coarse_share(sums[name], sums["asked"], min_cell, some | other)
    out = sums[["ballots"]].assign(**shown).reset_index()
    for name in ("unit", "category", "mode"):
        if name not in keys:
            out[name] = ""
    out.insert(0, "by", " x ".join(keys))
    return out[["by", "unit", "category", "mode", "ballots", "dont_know", "no_answer", "blank"]]
