"""Named tests of location and spread between groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_groups", "holm"]


def compare_groups(
    values: ArrayLike, groups: Sequence[object] | ArrayLike, *, draws: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Do groups differ in location (Kruskal-Wallis) or in spread (Brown-Forsythe, Fligner-Killeen)?

    Parameters
    ----------
    values : array_like (u,)
        Scores or totals; missing ones are left out.
    groups : sequence (u,)
    draws : int, default 0
        Random permutations of the groups for an exact-in-distribution p of the Kruskal-Wallis
        test, whose large-sample p is conservative for groups of fewer than ten.
    seed : int, default 0

    Returns
    -------
    DataFrame
        Index test; statistic, df, df_within (F tests), p (large-sample), p_permuted (NaN unless
        drawn). Brown and Forsythe's has no value (NaN) where distances from the median are alike
        in every group, as in groups of two: nothing to compare them with. A large p is no evidence
        that groups are alike: with few units a difference of the size of the spread within groups
        is often missed.

    Raises
    ------
    ValueError
        If fewer than two groups have values.

    References
    ----------
    Kruskal and Wallis, *Journal of the American Statistical Association* 47 (1952), 583-621; Brown
    and Forsythe, ibid. 69 (1974), 364-367; Conover, Johnson and Johnson, *Technometrics* 23 (1981),
    351-361.

    Examples
    --------
    >>> found = compare_groups([1, 2, 3, 4, 5, 9], list("aaabbb"))
    >>> found["statistic"].round(3).to_dict()
    {'kruskal_wallis': 3.857, 'brown_forsythe': 0.643, 'fligner_killeen': 0.389}
    """
    import pandas as pd
    from scipy import stats

    x = np.asarray(values, dtype=float)
    code, names = pd.factorize(np.asarray(groups, dtype=object)[~np.isnan(x)], sort=False)
    x = x[~np.isnan(x)]
    if len(names) < 2:
        raise ValueError(f"found values in the groups {list(names)}; allowed: two groups or more")
    parts = [x[code == g] for g in range(len(names))]
    df, within = len(names) - 1, x.size - len(names)
    rows = {
        "kruskal_wallis": (*stats.kruskal(*parts), np.nan),
        "brown_forsythe": (*_brown_forsythe(parts), within),
        "fligner_killeen": (*stats.fligner(*parts, center="median"), np.nan),
    }
    found = pd.DataFrame(
        [(t, df, w, p) for t, p, w in rows.values()],
        index=pd.Index(list(rows), name="test"),
        columns=["statistic", "df", "df_within", "p"],
    )
    found["p_permuted"] = np.nan
    if draws:
        found.loc["kruskal_wallis", "p_permuted"] = _permuted(x, code, draws, seed)
    return found


def _brown_forsythe(parts: list[NDArray[np.float64]]) -> tuple[float, float]:
    from scipy import stats

    away = [np.abs(part - np.median(part)) for part in parts]
    spread = sum(float(((a - a.mean()) ** 2).sum()) for a in away)
    if spread <= 1e-20 * sum(float((a**2).sum()) for a in away):
        return np.nan, np.nan
    statistic, p = stats.levene(*parts, center="median")
    return float(statistic), float(p)


def _permuted(x: NDArray[np.float64], code: NDArray[np.intp], draws: int, seed: int) -> float:
    """Share of permutations whose rank sums spread as much, the observed one counted."""
    from scipy.stats import rankdata

    rank = rankdata(x)
    member = (code[:, None] == np.arange(code.max() + 1)).astype(float)
    shuffled = np.random.default_rng(seed).permuted(np.tile(rank, (draws, 1)), axis=1)
    spread = (np.vstack([rank, shuffled]) @ member) ** 2 @ (1 / member.sum(axis=0))
    return float((spread >= spread[0] * (1 - 1e-12)).mean())


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p-values of several tests (n,), in their order.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", *Scandinavian Journal of
    Statistics* 6 (1979), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    given = np.asarray(p, dtype=float)
    order = np.argsort(given, kind="stable")
    times = given.size - np.arange(given.size)
    found = np.empty(given.size)
    found[order] = np.minimum(np.maximum.accumulate(given[order] * times), 1.0)
    return found
