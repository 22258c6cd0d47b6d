"""Small published tables of ratings, and where the reference files lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

nan = np.nan

#: Shrout and Fleiss (1979), table 2: six targets by four judges.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)

#: The same with two cells missing.
SHROUT_FLEISS_MISSING = SHROUT_FLEISS.copy()
SHROUT_FLEISS_MISSING[[1, 4], [2, 0]] = nan

#: Krippendorff (2011), section C: four observers by twelve units; here units by observers.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, nan],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
).T

#: Gwet (2014), the table of package irrCAC: twelve units by four raters, five categories.
GWET = np.array(
    [
        [1, 1, nan, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
        [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [nan, 5, 5, 5], [nan, nan, 1, 1],
        [nan, nan, 3, nan],
    ]
)  # fmt: skip

#: Items of the five scales of psych's `bfi` that are worded the other way.
REVERSED = {"A": ["A1"], "C": ["C4", "C5"], "E": ["E1", "E2"], "N": [], "O": ["O2", "O5"]}


def oracle(reference: Path) -> dict[str, Any]:
    """Values of R packages psych 2.2.9, irr 0.84.1 and irrCAC 1.0."""
    path = reference / "reliability" / "psych_irr_irrCAC_rwg_careless.json"
    return json.loads(path.read_text())


def table(reference: Path, name: str, **options: Any) -> pd.DataFrame:
    """A table of the reference folder."""
    return pd.read_csv(reference / "reliability" / "data" / name, **options)


def bfi(reference: Path, scale: str) -> pd.DataFrame:
    """Five items of a scale, keyed in one direction; 2,800 persons, some answers missing."""
    answers = table(reference, "psych_bfi.csv")[[f"{scale}{i}" for i in range(1, 6)]]
    return answers.assign(**{item: 7 - answers[item] for item in REVERSED[scale]})
