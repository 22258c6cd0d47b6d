"""A small survey for tests: raters who rate several units, with everything odd that occurs."""

from __future__ import annotations

import numpy as np
import pandas as pd

CATEGORIES = ["R01", "R02", "R13"]
SCORE = {1: 100.0, 2: 75.0, 3: 55.0}
SURVEY = {
    "units": ["C01", "D01", "D02"],
    "dimensions": ["duty", "conduct"],
    "categories": CATEGORIES,
    "modes": ["separate_fill", "online"],
    "options": [1, 2, 3, 9],
    "option_scores": [100, 75, 55, np.nan],
    "category_weights": np.array([[2, 1, 0.5], [1, 1, 1], [1, 3, 1]]),
    "mode_weights": [6, 4],
}


def random_ballots(n: int, seed: int, raters: int = 12) -> pd.DataFrame:
    """Raters who rate several units, some a unit twice, and who differ in lenience."""
    rng = np.random.default_rng(seed)
    category = rng.choice(CATEGORIES, n, p=[0.5, 0.4, 0.1])
    rater = rng.integers(raters, size=n)
    lenient = rng.random(raters)[rater]
    frame = {
        "rater_id": [f"p-{c}-{r}" for c, r in zip(category, rater, strict=True)],
        "unit_id": rng.choice(SURVEY["units"], n),
        "category": category,
        "mode": rng.choice(SURVEY["modes"], n),
    }
    for dimension in SURVEY["dimensions"]:
        level = np.clip(1 + 3 * (rng.random(n) + lenient) / 2, 1, 3.99).astype(int)
        odd = rng.random(n)
        frame[dimension] = np.where(odd < 0.1, 9, np.where(odd > 0.95, np.nan, level))
    return pd.DataFrame(frame)
