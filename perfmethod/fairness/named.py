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
        Labels; units whose label is missing (None, NaN) are left out.
    draws : int, default 0
        Random permutations of the groups for an exact-in-distribution p of the Kruskal-Wallis
        test, whose large-sample p is conservative for groups of fewer than ten.
    seed : int, default 0

    Returns
    -------
    DataFrame
        Index test; statistic, df, df_within (F tests), p (large-sample), p_permuted (NaN unless
        drawn), reason (why a test has no statistic, which then is NaN as its p; else empty). None
        has one where all values are equal. Brown and Forsythe's has none where distances from the
        median are alike in every group, as in groups of two: nothing to compare them with;
        Fligner and Killeen's where all distances are equal. A large p is no evidence that groups
        are alike: with few units a difference of the size of the spread within groups is often
        missed.

    Raises
    ------
    ValueError
        If there is not one label for each value, a value is infinite, or fewer than two groups have
        values.

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

    x, code, number = _known(values, groups)
    parts = [x[code == g] for g in range(number)]
    df, within = number - 1, x.size - number
    why = _reasons(parts)
    tests = {
        "kruskal_wallis": lambda: stats.kruskal(*parts),
        "brown_forsythe": lambda: stats.levene(*parts, center="median"),
        "fligner_killeen": lambda: stats.fligner(*parts, center="median"),
    }
    rows = {name: (np.nan, np.nan) if why[name] else test() for name, test in tests.items()}
    found = pd.DataFrame(
        [(t, df, np.nan, p) for t, p in rows.values()],
        index=pd.Index(list(rows), name="test"),
        columns=["statistic", "df", "df_within", "p"],
    )
    found.loc["brown_forsythe", "df_within"] = within
    found["p_permuted"] = np.nan
    if draws and not why["kruskal_wallis"]:
        found.loc["kruskal_wallis", "p_permuted"] = _permuted(x, code, draws, seed)
    return found.assign(reason=pd.Series(why))


def _known(
    values: ArrayLike, groups: Sequence[object] | ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], int]:
    """Values that have a label, the codes of their labels and the number of groups."""
    import pandas as pd

    x, label = np.asarray(values, dtype=float), np.asarray(groups, dtype=object)
    if x.ndim != 1 or x.shape != label.shape:
        raise ValueError(
            f"found values of shape {x.shape} and labels of shape {label.shape}; "
            "allowed: one label for each value"
        )
    if np.isinf(x).any():
        raise ValueError(f"found {np.isinf(x).sum()} infinite values; allowed: numbers or NaN")
    there = ~np.isnan(x) & ~pd.isna(label)
    code, names = pd.factorize(label[there], sort=False)
    if len(names) < 2:
        raise ValueError(f"found values in the groups {list(names)}; allowed: two groups or more")
    return x[there], code, len(names)


def _reasons(parts: list[NDArray[np.float64]]) -> dict[str, str]:
    """Why each test has no statistic; empty where it has one."""
    from scipy import stats

    away = [np.abs(part - np.median(part)) for part in parts]
    every = np.concatenate(away)
    spread = sum(float(((a - a.mean()) ** 2).sum()) for a in away)
    level = np.ptp(stats.rankdata(every)) == 0
    equal = "all values are equal" if np.ptp(np.concatenate(parts)) == 0 else ""
    alike = "distances from the group's median are alike in every group"
    return {
        "kruskal_wallis": equal,
        "brown_forsythe": equal or alike * (spread <= 1e-20 * float(every @ every)),
        "fligner_killeen": equal or "all distances from the group's median are equal" * bool(level),
    }


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
