"""Gaps between one group and the rest beyond covariates, with permutation inference.

A group's gap is the mean of its units less the mean of all other units that are compared. The
covariates' slopes are those inside groups (pooled), so that no gap between groups leaks into them;
the gap that the slopes predict from the covariates' own gap is explained, the rest is not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SAME", "Explained", "about_mean", "check", "contrasts", "explain_gaps", "one_way_f"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

ALONE = 1e-9  # leverage is this near to 1 where a residual is always zero
SAME = 1e-9  # relative differences of a statistic that are rounding only
ROUND = 8 * float(np.finfo(float).eps)  # of the values: what rounding leaves of equal ones


class Explained(NamedTuple):
    """Gaps (g, v) of values that covariates explain and do not explain.

    ``slopes`` (a, v) inside groups with ``slope_error`` (their standard errors), ``explained``
    (g, a, v) by covariate, ``unexplained`` (g, v) with ``error`` (standard error), ``low``,
    ``high``, ``p``; ``f`` and ``p_any`` (v,) of any unexplained gap; ``df`` within groups;
    ``normal`` (g,) whether the interval takes errors for normal.
    """

    gap: Array
    slopes: Array
    slope_error: Array
    explained: Array
    unexplained: Array
    error: Array
    low: Array
    high: Array
    p: Array
    f: Array
    p_any: Array
    df: int
    normal: NDArray[np.bool_]


def explain_gaps(
    values: ArrayLike,
    covariates: ArrayLike,
    codes: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Explained:
    """Gaps explained by covariates, by pooled slopes, and what is left.

    Parameters
    ----------
    values : array_like (u, v)
        Each column is explained by itself; columns that sum to another one have explained and
        unexplained gaps that sum to its.
    covariates : array_like (u, a)
    codes : array_like of int (u,)
    level : float, default 0.95
    draws : int, default 10,000
        Permutations of the residuals.
    seed : int, default 0

    Returns
    -------
    Explained

    Raises
    ------
    ValueError
        If a number is missing or infinite, codes are not those of two groups or more without a
        hole, there are too few units, or covariates are constant or collinear inside groups.

    Notes
    -----
    Twofold decomposition of Oaxaca and Blinder for each group against the rest, with the
    coefficients of the model that has all groups' intercepts (pooled within groups; with two groups
    Jann's ``pooled``). Intervals and p-values permute the residuals of that model, each divided by
    the root of one less its leverage, and compare studentized gaps (ter Braak), so they let groups
    differ; the test of any gap permutes the residuals of the model without groups (Freedman, Lane).
    A unit that is alone in its group has no residual: the far tail of its one error cannot be read
    off those of a few others, so the interval and p-value of its group are those of Student's t,
    which take errors for normal.

    References
    ----------
    Oaxaca, *International Economic Review* 14 (1973), 693-709; Blinder, *Journal of Human
    Resources* 8 (1973), 436-455; Jann, *The Stata Journal* 8 (2008), 453-479; ter Braak, in
    *Bootstrapping and Related Techniques* (1992), 79-85; Freedman and Lane, *Journal of Business
    and Economic Statistics* 1 (1983), 292-298.

    Examples
    --------
    Units of the second group have two points more than their anchor explains:

    >>> anchor = np.array([[1.0], [2], [3], [2], [3], [4]])
    >>> noise = np.array([0.1, -0.2, 0.1, -0.1, 0.2, -0.1])
    >>> group = np.array([0, 0, 0, 1, 1, 1])
    >>> found = explain_gaps((anchor[:, 0] + noise + 2 * group)[:, None], anchor, group, draws=99)
    >>> found.explained[1, 0].round(3), found.unexplained[1].round(3)
    (array([1.]), array([2.]))
    """
    from scipy.special import stdtr, stdtrit

    y, a, code = (np.asarray(x) for x in (values, covariates, codes))
    check(code, {"values": (y, 2), "covariates": (a, 2)}, level, draws)
    y = about_mean(y, 0)
    w, member = contrasts(code), (code[:, None] == np.arange(code.max() + 1)).astype(float)
    inside = a - member @ (member.T @ a / member.sum(axis=0)[:, None])
    df = y.shape[0] - member.shape[1] - a.shape[1]
    size = np.linalg.norm(a - a.mean(axis=0), axis=0)
    kept = np.linalg.matrix_rank(inside / np.where(size > 0, size, 1.0), tol=1e-9)
    if df < 1 or kept < a.shape[1]:
        raise ValueError(
            f"found {y.shape[0]} units in {member.shape[1]} groups and {a.shape[1]} covariates "
            f"of which {kept} differ inside groups; allowed: more units than groups and covariates "
            "together, and covariates that are not constant or collinear inside groups"
        )
    inverse = np.linalg.pinv(inside)
    slopes, across = inverse @ y, w @ a
    explained = across[:, :, None] * slopes
    design = np.column_stack([member, inside])
    hat = design @ np.linalg.pinv(design)
    residual = y - hat @ y
    linear = w - across @ inverse  # the unexplained gap is linear in the values
    norm = np.linalg.norm(linear, axis=1)
    unexplained = linear @ y
    sd = np.sqrt((residual**2).sum(axis=0) / df)
    error, slope_error = sd * norm[:, None], sd * np.linalg.norm(inverse, axis=1)[:, None]
    t = np.divide(unexplained, error, out=np.zeros_like(error), where=error > 0)
    drawn = _studentized(residual, hat, linear, df, draws, seed)
    reach = np.quantile(np.abs(drawn), level, axis=0) * error
    p = (1 + (np.abs(drawn) >= np.abs(t) * (1 - SAME)).sum(axis=0)) / (draws + 1)
    normal = member[np.diag(hat) >= 1 - ALONE].any(axis=0)
    reach[normal] = stdtrit(df, 0.5 + level / 2) * error[normal]
    p[normal] = 2 * stdtr(df, -np.abs(t[normal]))
    f, p_any = _any(y, a, hat, member.shape[1], draws, seed)
    return Explained(w @ y, slopes, slope_error, explained, unexplained, error, unexplained - reach,
                     unexplained + reach, p, f, p_any, df, normal)  # fmt: skip


def check(
    code: NDArray[np.generic], given: dict[str, tuple[NDArray[np.generic], int]],
    level: float, draws: int,
) -> None:  # fmt: skip
    """Refuse arrays that are not of one length, numbers that are none, and codes with a hole."""
    problems = []
    for name, (array, axes) in given.items():
        if array.ndim != axes or array.shape[0] != code.size or code.ndim != 1:
            problems.append(
                f"{name} of shape {array.shape} for codes of shape {code.shape}; "
                f"allowed: {axes} axes, the first of one length with codes (u,)"
            )
        elif bad := int((~np.isfinite(array.astype(float))).sum()):
            problems.append(f"{bad} missing or infinite {name}; allowed: finite numbers")
    used = np.unique(code).tolist()
    if len(used) < 2 or used != list(range(len(used))):
        problems.append(
            f"the codes {used[:10]}; allowed: 0, 1, ... without a hole, two groups or more"
        )
    if not 0 < level < 1:
        problems.append(f"level {level:g}; allowed: between 0 and 1")
    if draws < 1:
        problems.append(f"{draws} draws; allowed: 1 or more")
    if problems:
        raise ValueError("; ".join(f"found {problem}" for problem in problems))


def contrasts(code: Codes) -> Array:
    """Weights (g, u) whose sum with values is each group's mean less the mean of the rest."""
    member = (code == np.arange(code.max() + 1)[:, None]).astype(float)
    size = member.sum(axis=1, keepdims=True)
    return np.asarray(member / size - (1 - member) / (code.size - size))


def _studentized(
    residual: Array, hat: Array, linear: Array, df: int, draws: int, seed: int
) -> Array:
    """Studentized gaps of permuted residuals (k, g, v)."""
    free = 1 - np.diag(hat)
    usable = np.flatnonzero(free > ALONE)
    level = residual[usable] / np.sqrt(free[usable])[:, None]
    level = level - level.mean(axis=0)
    rng, u = np.random.default_rng(seed), len(residual)
    order = np.tile(np.arange(usable.size), (draws, 1))
    place = np.empty((draws, u), dtype=np.intp)
    place[:, usable] = rng.permuted(order, axis=1)
    alone = np.setdiff1d(np.arange(u), usable)  # groups of one unit, whose residual is unknown
    place[:, alone] = rng.integers(usable.size, size=(draws, alone.size))
    norm = np.linalg.norm(linear, axis=1)
    found = np.zeros((draws, len(linear), residual.shape[1]))
    for v in range(residual.shape[1]):
        noise = level[place, v]
        spread = np.sqrt(np.maximum((noise**2).sum(1) - ((noise @ hat) * noise).sum(1), 0.0) / df)
        scale = spread[:, None] * norm
        np.divide(noise @ linear.T, scale, out=found[:, :, v], where=scale > 0)
    return found


def _any(y: Array, a: Array, hat: Array, groups: int, draws: int, seed: int) -> tuple[Array, Array]:
    """F of all groups' intercepts beyond the covariates, and its permutation p-value."""
    design = np.column_stack([np.ones(len(y)), a])
    small = design @ np.linalg.pinv(design)
    rng = np.random.default_rng([seed, 1])
    order = rng.permuted(np.tile(np.arange(len(y)), (draws, 1)), axis=1)
    df1, df2 = groups - 1, len(y) - groups - a.shape[1]
    found, p = np.empty(y.shape[1]), np.empty(y.shape[1])
    for v in range(y.shape[1]):
        rest = y[:, v] - small @ y[:, v]

        def f(e: Array) -> Array:
            few = (e**2).sum(-1) - ((e @ hat) * e).sum(-1)
            gain = ((e @ hat) * e).sum(-1) - ((e @ small) * e).sum(-1)
            return np.divide(gain / df1, few / df2, out=np.zeros_like(gain), where=few > 0)

        found[v] = f(rest[None])[0]
        p[v] = (1 + (f(rest[order]) >= found[v] * (1 - SAME)).sum()) / (draws + 1)
    return found, p


def about_mean(y: Array, axis: int) -> Array:
    """Values less their mean, 0 where all but rounding are equal."""
    away = y - y.mean(axis=axis, keepdims=True)
    rounding = ROUND * np.abs(y).max(axis=axis, keepdims=True)
    return np.asarray(np.where(np.abs(away) <= rounding, 0.0, away))


def one_way_f(y: Array, code: Codes) -> Array:
    """One-way F (...,)."""
    member = (code[:, None] == np.arange(code.max() + 1)).astype(float)
    size = member.sum(axis=0)
    centered = about_mean(y, -1)
    between = ((centered @ member) ** 2 / size).sum(axis=-1)
    within = (centered**2).sum(axis=-1) - between
    df1, df2 = size.size - 1, code.size - size.size
    within = np.maximum(within, 1e-300)
    return np.asarray((between / df1) / (within / max(df2, 1)))
