"""Small cities with portfolios, quotas and vetoes, to try robustness by brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd

import perfmethod as pm

__all__ = ["city", "simplex_grid", "surveyed"]


def city(
    seed: int,
    units: int = 8,
    missing: float = 0.3,
    *,
    places: int = 3,
    least: float | None = None,
    vetoed_place: str = "next",
    weights: tuple[float, ...] = (50, 30, 20),
) -> pm.Year:
    """Make a year of units in two groups, one veto, with scores of which some are missing."""
    rng = np.random.default_rng(seed)
    names = [f"i{k}" for k in range(len(weights))]
    limit = "" if least is None else f"least = {least}"
    lines = "\n".join(
        f'{n} = {{ weight = {w}, rule = {{ method = "identity" }} }}'
        for n, w in zip(names, weights, strict=True)
    )
    scheme = pm.Scheme.loads(f"""
        format = 1
        [classes.city]
        [indicators]
        {lines}
        [vetoes.V1]
        effect = "cap"
        grade = "good"
        [grades]
        pool = "group"
        vetoed_place = "{vetoed_place}"
        [grades.levels.best]
        places = {places}
        {limit}
        [grades.levels.good]
        least = 55
        [grades.levels.rest]
    """)
    scores = rng.uniform(40, 100, (units, len(weights)))
    gone = rng.random(scores.shape) < missing
    gone[np.arange(units), rng.integers(0, len(weights), units)] = False  # one is always there
    scores[gone] = np.nan
    ids = [f"U{k}" for k in range(units)]
    table = pd.DataFrame({"unit_id": ids, "group": ["G1", "G2"] * (units // 2)})
    actuals = pd.DataFrame({"unit_id": ids} | dict(zip(names, scores.T, strict=True)))
    vetoes = pd.DataFrame(
        {"event_id": ["E1"], "unit_id": ["U1"], "veto": ["V1"], "status": ["confirmed"]}
    )
    return pm.Year.from_frames(scheme, units=table, actuals=actuals, vetoes=vetoes)


def simplex_grid(n: int, steps: int) -> np.ndarray:
    """Return all weights that are multiples of one over the steps, none of them zero."""
    if n == 1:
        return np.ones((1, 1))
    axes = np.meshgrid(*[np.arange(1, steps)] * (n - 1), indexing="ij")
    points = np.stack([a.ravel() for a in axes], -1)
    last = steps - points.sum(-1)
    return np.column_stack([points, last])[last > 0] / steps


def surveyed(seed: int, units: int = 6, missing: float = 0.35) -> pm.Year:
    """Make a year with a survey of three modes that are weighted, some cells without ballots."""
    rng = np.random.default_rng(seed)
    modes = "\n".join(
        f"[survey.modes.{m}]\nweight = {w}" for m, w in (("net", 2), ("field", 3), ("post", 1))
    )
    scheme = pm.Scheme.loads(f"""
        format = 1
        [classes.city.nodes]
        duty = {{ weight = 30, survey = "duty" }}
        conduct = {{ weight = 30, survey = "conduct" }}
        [indicators]
        i0 = {{ weight = 40, rule = {{ method = "identity" }} }}
        [survey]
        combine_modes = "weights"
        [survey.options.1]
        score = 100
        [survey.options.2]
        score = 70
        [survey.options.3]
        score = 30
        [survey.options.9]
        [survey.categories.R1]
        weight = 2
        [survey.categories.R2]
        weight = 1
        {modes}
        [grades]
        pool = "class"
        [grades.levels.best]
        places = 2
        [grades.levels.rest]
    """)
    ids = [f"U{k}" for k in range(units)]
    cells = [(u, c, m) for u in ids for c in ("R1", "R2") for m in ("net", "field", "post")]
    kept = [cell for cell in cells if cell[2] == "post" or rng.random() >= missing]
    rows = [cell for cell in kept for _ in range(rng.integers(2, 9))]
    n = len(rows)
    answers = {d: rng.choice([1, 2, 3, 9], n, p=[0.4, 0.3, 0.2, 0.1]) for d in ("duty", "conduct")}
    ballots = pd.DataFrame(rows, columns=["unit_id", "category", "mode"])
    ballots = ballots.assign(
        ballot_id=[f"B{k}" for k in range(n)], rater_id=[f"P{k}" for k in range(n)], **answers
    )
    actuals = pd.DataFrame({"unit_id": ids, "i0": rng.uniform(60, 75, units)})
    return pm.Year.from_frames(scheme, actuals=actuals, ballots=ballots)
