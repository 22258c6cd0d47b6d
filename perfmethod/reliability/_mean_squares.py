"""Intraclass correlations of full tables from mean squares, with intervals from F."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from perfmethod.reliability.ratings import Single, refuse

__all__ = ["MODELS", "One", "by_mean_squares"]

MODELS = (1, 2, 3)


class One(NamedTuple):
    """A coefficient of one rating."""

    value: float
    low: float
    high: float
    method: str
    notes: tuple[str, ...]
    details: dict[str, Any]


def by_mean_squares(data: Single, level: float) -> dict[int, One]:
    """Coefficients of one rating by model, from a full table."""
    x = data.value[np.lexsort((data.rater, data.unit))].reshape(data.n_units, data.n_raters)
    n, k = x.shape
    x = x - x.mean()
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    between = k * float(rows @ rows) / (n - 1)
    raters = n * float(columns @ columns) / (k - 1)
    error = float(((x - rows[:, None] - columns) ** 2).sum()) / ((n - 1) * (k - 1))
    within = float(((x - rows[:, None]) ** 2).sum()) / (n * (k - 1))
    tiny = 1e-26 * float((x**2).sum())
    between, raters, error, within = (
        0.0 if v < tiny else v for v in (between, raters, error, within)
    )
    if between == error == 0:
        refuse("raters who rate all units alike", "at least one who tells units apart")
    if between == raters == 0 and n == k == 2:
        refuse("units and raters that all have the same mean", "means that differ")
    details = _components((between - error) / k, (raters - error) / n, error)
    one_way = _components((between - within) / k, 0.0, within)
    if within == 0:
        perfect = One(1.0, 1.0, 1.0, "exact: all raters agree", ("perfect agreement",), details)
        return dict.fromkeys(MODELS, perfect)
    notes = tuple(
        f"the component of {name} is negative: it is taken as it is"
        for name in ("unit", "rater") if details[name] < 0
    )  # fmt: skip
    note_1 = () if one_way["unit"] >= 0 else notes or ("the component of unit is negative",)
    ends = _ratio_ends(between, within, n - 1, n * (k - 1), k, level)
    ends_3 = _ratio_ends(between, error, n - 1, (n - 1) * (k - 1), k, level)
    value_2 = (between - error) / (between + (k - 1) * error + k * (raters - error) / n)
    return {
        1: One(*ends, "F distribution", note_1, one_way),
        2: One(value_2, *_agreement_ends(value_2, between, raters, error, n, k, level),
                "F distribution, Satterthwaite's degrees of freedom", notes, details),
        3: One(*ends_3, "F distribution", notes, details),
    }  # fmt: skip


def _components(unit: float, rater: float, residual: float) -> dict[str, Any]:
    return {"estimator": "mean squares", "unit": unit, "rater": rater, "residual": residual}


def _ratio_ends(
    above: float, below: float, df1: int, df2: int, k: int, level: float
) -> tuple[float, float, float]:
    """Value and ends of (above - below) / (above + (k - 1) below)."""
    from scipy import special

    if below == 0:
        return 1.0, 1.0, 1.0
    f = above / below
    p = (1 + level) / 2
    ratios = f, f / special.fdtri(df1, df2, p), f * special.fdtri(df2, df1, p)
    value, low, high = ((r - 1) / (r + k - 1) for r in ratios)
    return float(value), float(low), float(high)


def _agreement_ends(
    value: float, between: float, raters: float, error: float, n: int, k: int, level: float
) -> tuple[float, float]:
    """Ends of ICC(2,1), from McGraw and Wong's table 7."""
    from scipy import special

    at = max(value, 0.0)  # below 0 the sum of mean squares is a difference, which has no such df
    own = n * (1 + (k - 1) * at) - k * at
    a = k * at * raters
    # the degrees of freedom of the sum of the two mean squares in the denominator
    spread = a**2 / (k - 1) + (own * error) ** 2 / ((n - 1) * (k - 1))
    df = (a + own * error) ** 2 / spread
    p = (1 + level) / 2
    f_low, f_high = special.fdtri(n - 1, df, p), special.fdtri(df, n - 1, p)
    rest = k * raters + (k * n - k - n) * error
    low = n * (between - f_low * error) / (f_low * rest + n * between)
    high = n * (f_high * between - error) / (rest + n * f_high * between)
    return float(low), float(high)
