"""Spread by group: assessors who use a narrow range give their part less weight in effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.fairness.attributes import read, spoken
from perfmethod.fairness.named import compare_groups, holm
from perfmethod.fairness.parts import Parts, parts_of
from perfmethod.scoring.comparable import class_of

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["GroupSpread", "group_spread", "permuted_spread"]

Array = NDArray[np.float64]

_WORDS = {
    "en": {
        "some": "{by}: evidence that the spread of scores differs between groups on {parts}, so "
        "the same weight counts more in one group than in another.",
        "none": "{by}: no evidence that the spread of scores differs between groups on any part, "
        "which with groups of {least} to {most} units is not evidence that it does not.",
    },
    "zh": {
        "some": "{by}: 有证据表明各组在{parts}上的得分离散程度不同, "
        "同一权重在不同组内的实际作用因而不同。",
        "none": "{by}: 没有发现各组得分离散程度不同的证据; 每组只有{least}至{most}家单位, "
        "这不等于证明没有不同。",
    },
}


@dataclass(frozen=True)
class GroupSpread:
    """Spread and effective weight of every part by group.

    Attributes
    ----------
    attribute : str
    alpha : float
    groups : DataFrame
        One row per part and group: part, name_zh, name_en, group, units (with the part), low,
        high, sd (of scores, 0-100; of adjustments, points), weight (mean effective weight),
        share (of the group's variance of totals that the part carries; a group's parts sum to 1)
        with usual_low to usual_high (what 95 % of random groups of that size show) and p.
    tests : DataFrame
        One row per part: name_zh, name_en, brown_forsythe, df, df_within, p_normal, p_permuted,
        p_holm (of p_permuted, over the parts).
    meta : mapping
    """

    attribute: str
    alpha: float
    groups: pd.DataFrame = field(repr=False)
    tests: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        found = int((self.tests["p_holm"] <= self.alpha).sum())
        return (
            f"<GroupSpread by {self.attribute}: evidence of unequal spread on {found} of "
            f"{len(self.tests)} parts>"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per part and group."""
        return self.groups.copy()

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said, size = _WORDS[lang], self.groups.groupby("group")["units"].max()
        found = self.tests[self.tests["p_holm"] <= self.alpha]
        parts = ("、" if lang == "zh" else ", ").join(
            f"{name} (p = {show(p, 4)})"
            for name, p in zip(found[f"name_{lang}"], found["p_holm"], strict=True)
        )
        told = said["none" if found.empty else "some"].format(
            by=self.meta["names"][lang]["by"], parts=parts, least=size.min(), most=size.max()
        )
        return (told,)


def group_spread(
    evaluation: Evaluation,
    by: str | pd.Series = "group",
    *,
    class_id: str | None = None,
    depth: int = 2,
    alpha: float = 0.05,
    draws: int = 10_000,
    seed: int = 0,
) -> GroupSpread:
    """Compare groups in how far their scores spread, and in what each part decides in effect.

    Parameters
    ----------
    evaluation : Evaluation
    by : str or Series, default "group"
    class_id : str, optional
        By default the largest class in which the attribute has two groups or more.
    depth : int, default 2
        1 for blocks, 2 for aspects.
    alpha : float, default 0.05
        For the words.
    draws : int, default 10,000
        Permutations of the labels.
    seed : int, default 0

    Returns
    -------
    GroupSpread
        A part that fewer than two groups have twice, or all groups exactly twice, is left out of
        the tests.

    Raises
    ------
    PerfmethodError
        If the attribute does not give two groups of two units or more.

    References
    ----------
    Brown and Forsythe, *Journal of the American Statistical Association* 69 (1974), 364-367.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=500)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> found = group_spread(pm.evaluate(year), depth=1, draws=200).to_frame()
    >>> found.groupby("group")["share"].sum().round(6).unique().tolist()
    [1.0]
    """
    name, labels, cut = read(evaluation, by)
    chosen = class_of(evaluation, labels, name, class_id)
    parts = parts_of(evaluation, chosen, (), depth)
    label = labels.reindex(parts.units)
    size = label.map(label.value_counts())
    kept = (size >= 2).to_numpy()
    parts, label = parts.select(kept), label[kept].astype(str)
    if label.nunique() < 2:
        raise PerfmethodError(
            f"found {label.nunique()} groups of '{name}' with two units or more in '{chosen}'; "
            "allowed: two or more"
        )
    groups = _groups(parts, label, draws, seed)
    tests = _tests(parts, label, draws, seed)
    meta = {**evaluation.year.meta, "class_id": chosen, "draws": draws, "seed": seed,
            "left_out": int((~kept).sum()),
            "banded": cut, "names": spoken(evaluation, name, label.unique(), cut)}  # fmt: skip
    return GroupSpread(name, alpha, groups, tests, meta)


def permuted_spread(values: Array, codes: NDArray[np.intp], draws: int, seed: int) -> float:
    """Permutation p of the Brown-Forsythe test: deviations from the group's median are dealt anew.

    Parameters
    ----------
    values : ndarray (u,)
    codes : ndarray of int (u,)
    draws : int
    seed : int
    """
    from perfmethod.fairness.shifts import SAME, one_way_f

    away = _away(values, codes)
    order = np.tile(np.arange(away.size), (draws, 1))
    order = np.random.default_rng(seed).permuted(order, axis=1)
    more = one_way_f(away[order], codes) >= one_way_f(away, codes) * (1 - SAME)
    return float((1 + more.sum()) / (draws + 1))


def _away(values: Array, codes: NDArray[np.intp]) -> Array:
    """Distances from the median of the own group."""
    median = np.array([np.median(values[codes == g]) for g in range(codes.max() + 1)])
    return np.asarray(np.abs(values - median[codes]))


def _tests(parts: Parts, label: pd.Series, draws: int, seed: int) -> pd.DataFrame:
    found = []
    for p, (part, about) in enumerate(parts.names.iterrows()):
        x = parts.scores[:, p]
        there = ~np.isnan(x)
        mine = label[there]
        there[there] = (mine.map(mine.value_counts()) >= 2).to_numpy()
        code, names = pd.factorize(label[there], sort=True)
        if len(names) < 2 or not _away(x[there], code).any():
            continue  # nothing spreads inside any group
        row = compare_groups(x[there], label[there].to_numpy()).loc["brown_forsythe"]
        if np.isnan(row["statistic"]):
            continue  # groups of two: distances from the median do not vary inside them
        permuted = permuted_spread(x[there], code, draws, seed)
        found.append((part, about["name_zh"], about["name_en"], row["statistic"], row["df"],
                      row["df_within"], row["p"], permuted))  # fmt: skip
    columns = ["part", "name_zh", "name_en", "brown_forsythe", "df", "df_within", "p_normal",
               "p_permuted"]  # fmt: skip
    frame = pd.DataFrame(found, columns=columns).set_index("part")
    return frame.assign(p_holm=holm(frame["p_permuted"]))


def _groups(parts: Parts, label: pd.Series, draws: int, seed: int) -> pd.DataFrame:
    code, names = pd.factorize(label, sort=True)
    rng, frames = np.random.default_rng(seed), []
    usual: dict[int, Array] = {}
    for g, group in enumerate(names):
        mine = code == g
        n = int(mine.sum())
        if n not in usual:
            pick = rng.permuted(np.tile(np.arange(code.size), (draws, 1)), axis=1)[:, :n]
            usual[n] = _shares(parts.points[pick])
        share = _shares(parts.points[mine][None])[0]
        low, middle, high = np.quantile(usual[n], [0.025, 0.5, 0.975], axis=0)
        far = np.abs(usual[n] - middle) >= np.abs(share - middle) * (1 - 1e-9)
        x = parts.scores[mine]
        there = (~np.isnan(x)).sum(axis=0)
        filled = pd.DataFrame(x)
        frames.append(pd.DataFrame({
            "part": parts.names.index, "name_zh": parts.names["name_zh"].to_numpy(),
            "name_en": parts.names["name_en"].to_numpy(), "group": group, "units": there,
            "low": filled.min(), "high": filled.max(), "sd": filled.std(ddof=1),
            "weight": parts.weight[mine].mean(axis=0), "share": share, "usual_low": low,
            "usual_high": high, "p": (1 + far.sum(axis=0)) / (draws + 1)}))  # fmt: skip
    return pd.concat(frames).sort_values(["part", "group"], kind="stable", ignore_index=True)


def _shares(points: Array) -> Array:
    """Share of the variance of sums (..., u, p) that each part carries (..., p)."""
    away = points - points.mean(axis=-2, keepdims=True)
    total = away.sum(axis=-1, keepdims=True)
    variance = (total**2).sum(axis=-2)
    return np.divide((away * total).sum(axis=-2), variance, out=np.zeros_like(points[..., 0, :]),
                     where=variance > 0)  # fmt: skip
