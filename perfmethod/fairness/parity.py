"""Exact parity of grades between groups of units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.fairness.attributes import read, spoken, strata_of
from perfmethod.fairness.named import holm
from perfmethod.fairness.odds import conditional_odds, exact_rate
from perfmethod.fairness.power import detectable, log_ways, significant_counts
from perfmethod.fairness.result import GradeParity
from perfmethod.fairness.tables import STATISTICS, TableLaw, p_values, statistic, table_law

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from perfmethod.scoring import Evaluation

__all__ = ["grade_parity"]


def grade_parity(
    evaluation: Evaluation,
    by: str | pd.Series | Sequence[str | pd.Series] = "group",
    level: str | None = None,
    *,
    strata: str | pd.Series | None = None,
    bands: int = 3,
    among: Sequence[str] | None = None,
    test: str = "fisher_freeman_halton",
    alpha: float = 0.05,
    target: float = 0.8,
) -> GradeParity:
    """Does holding a grade go with an attribute of the units, places being fixed?

    Under the null the places of a stratum fall on its units with equal chances, which is what can
    be tested when the units are all there are. All tables of places by group with the same margins
    are listed, so p-values, intervals and power are exact. Where the scheme gives places to groups
    by quota, the rates of those groups are the quota's own doing; test another attribute with
    ``strata="group"`` then.

    Parameters
    ----------
    evaluation : Evaluation
    by : str, Series, or sequence of them
        Attributes (`attribute`); several are tested one by one, with Holm's correction.
    level : str, optional
        The grade or a better one; by default the best.
    strata : str or Series, optional
        Conditional parity: units compared only with units of the same stratum. A column of units,
        labels by unit_id, or an anchor (a node's scores, or a Series of floats) cut into `bands`.
    bands : int, default 3
        Bands of an anchor, with about equally many units.
    among : sequence of str, optional
        unit_id of the units that could have held the grade; by default all.
    test : str, default "fisher_freeman_halton"
        Statistic (`STATISTICS`) whose power is given for each group.
    alpha, target : float
        Level of the tests and power asked for. With several attributes detectable gaps are those
        of a test at alpha / (number of attributes), which Holm's procedure never falls short of.

    Returns
    -------
    GradeParity

    Raises
    ------
    PerfmethodError
        If the year is not graded, a name is not known, an attribute leaves fewer than two groups
        or there are too many tables to list.

    References
    ----------
    Freeman and Halton, *Biometrika* 38 (1951), 141-149; Holm, *Scandinavian Journal of Statistics*
    6 (1979), 65-70.

    Examples
    --------
    >>> import perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... [grades]
    ... pool = "all"
    ... levels.good = { places = 2 }
    ... levels.fair = {}
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": list("ABCDEF"), "roads": [90, 80, 70, 60, 50, 40]}))
    >>> side = pd.Series(list("xxyyyy"), index=list("ABCDEF"), name="side")
    >>> grade_parity(pm.evaluate(year), side)
    <GradeParity of 'good'; side: p = 0.0667, detects no single group's gap>
    """
    grade, held = _held(evaluation, level)
    if test not in STATISTICS:
        raise PerfmethodError(f"found test '{test}'; allowed: {suggest(test, STATISTICS)}")
    layer = pd.Series(0, index=held.index)
    if strata is not None:
        layer = strata_of(evaluation, strata, bands)
    listed = [by] if isinstance(by, str | pd.Series) else list(by)
    names = [b if isinstance(b, str) else str(b.name or "attribute") for b in listed]
    if len(set(names)) < len(names) or not names:
        raise PerfmethodError(f"found attributes {names}; allowed: one or more, each named once")
    groups, tests, laws = [], [], {}
    found_by = {name: read(evaluation, one) for name, one in zip(names, listed, strict=True)}
    for name, one in found_by.items():
        mine = pd.DataFrame({"label": one.labels, "stratum": layer, "held": held})
        chosen = mine.loc[_among(mine, among)]
        parts = _tested(name, chosen, (test, alpha, alpha / len(names), target))
        groups.append(parts[0])
        tests.append(parts[1])
        laws[name] = parts[2]
    found = pd.concat(tests, ignore_index=True)
    found.insert(4, "p_holm", found.groupby("statistic")["p"].transform(holm))
    meta = {**evaluation.year.meta, "strata": _told(strata), "bands": bands}
    meta["quota_by"] = _quota_by(evaluation)
    meta["names"] = {
        name: spoken(evaluation, name, part["group"], found_by[name].cut)
        for name, part in zip(names, groups, strict=True)
    }
    meta["banded"] = {name: one.cut for name, one in found_by.items() if one.cut}
    return GradeParity(
        grade, alpha, target, test, pd.concat(groups, ignore_index=True), found, meta, laws
    )


def _told(strata: str | pd.Series | None) -> str | None:
    return strata if strata is None or isinstance(strata, str) else str(strata.name or "strata")


def _quota_by(evaluation: Evaluation) -> str | None:
    """Attribute by which the scheme itself spreads the places; its rates are the quota's doing."""
    rule = evaluation.year.scheme.document["grades"]
    pool = str(rule.get("pool", "group"))
    return pool if rule.get("rule", "quota") == "quota" and pool != "all" else None


def _held(evaluation: Evaluation, level: str | None) -> tuple[str, pd.Series]:
    """The grade and who holds it or a better one."""
    levels = list(evaluation.year.scheme.document.get("grades", {}).get("levels", {}))
    if not levels:
        raise PerfmethodError("found a scheme without grades; allowed: one with [grades.levels]")
    grade = levels[0] if level is None else level
    if grade not in levels:
        raise PerfmethodError(f"found grade '{grade}'; allowed: {suggest(grade, levels)}")
    return grade, evaluation.scores["grade"].isin(levels[: levels.index(grade) + 1])


def _among(mine: pd.DataFrame, among: Sequence[str] | None) -> pd.Index:
    if among is None:
        return mine.index
    strange = [unit for unit in among if unit not in mine.index]
    if strange:
        raise PerfmethodError(
            f"found unit '{strange[0]}'; allowed: {suggest(strange[0], mine.index)}"
        )
    return pd.Index(among).unique()


def _tested(
    name: str, chosen: pd.DataFrame, rule: tuple[str, float, float, float]
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[TableLaw, int]]:
    """Groups and tests of one attribute, the law of its tables and which of them is observed."""
    test, alpha, first, target = rule  # Holm always rejects what is below the first of his steps
    known = chosen.dropna(subset=["label", "stratum"])
    size = known.groupby(["stratum", "label"]).size().unstack(fill_value=0)
    places = known.groupby("stratum")["held"].sum()
    if size.shape[1] < 2:
        raise PerfmethodError(
            f"found the groups {list(size.columns)} of '{name}'; allowed: two or more"
        )
    law = table_law(size.to_numpy(), places.to_numpy())
    held = known.groupby("label")["held"].sum().to_numpy()
    at = law.find(held)
    p = {one: p_values(law, one) for one in STATISTICS}
    groups = _groups(law, held, p[test] <= first, (alpha, target))
    groups.insert(0, "group", size.columns.astype(str))
    groups.insert(0, "attribute", name)
    tests = []
    for one in STATISTICS:
        reach = _reach(law, p[one] <= first, target)
        least = int(np.argmin(reach[0]))
        value = law.probability[at] if one == "fisher_freeman_halton" else statistic(law, one)[at]
        null = float(law.ways[p[one] <= first].sum() / law.total)
        tests.append((name, one, float(value), p[one][at], null, reach[0][least],
                      str(size.columns[least]) if np.isfinite(reach[0][least]) else "",
                      reach[1].max(), len(known), len(chosen) - len(known), law.strata,
                      int(places.sum()), law.ways.size))  # fmt: skip
    columns = ["attribute", "statistic", "value", "p", "size", "detectable_odds",
               "detectable_group", "most_power", "units", "left_out", "strata", "places",
               "tables"]  # fmt: skip
    return groups, pd.DataFrame(tests, columns=columns), (law, at)


def _reach(
    law: TableLaw, rejected: NDArray[np.bool_], target: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = [detectable(law, rejected, g, target=target) for g in range(law.sizes.size)]
    return np.array([f.odds for f in found]), np.array([f.most_power for f in found])


def _groups(
    law: TableLaw,
    held: NDArray[np.int64],
    rejected: NDArray[np.bool_],
    rule: tuple[float, float],
) -> pd.DataFrame:
    alpha, target = rule
    low, high = exact_rate(held, law.sizes, level=1 - alpha)
    spread = np.sqrt(np.diag(law.covariance))
    z = np.divide(held - law.expected, spread, out=np.zeros(held.size), where=spread > 0)
    rows = [_group(law, g, int(held[g]), rejected, alpha, target) for g in range(held.size)]
    frame = pd.DataFrame(rows)
    for column in ("many", "many_adjusted", "few"):
        frame[column] = frame[column].astype("Int64").mask(frame[column] < 0)
    first = pd.DataFrame(
        {"units": law.sizes, "held": held, "rate": held / law.sizes, "low": low, "high": high,
         "expected": law.expected, "z": z}
    )  # fmt: skip
    return pd.concat([first, frame], axis=1)


def _group(
    law: TableLaw, g: int, held: int, rejected: NDArray[np.bool_], alpha: float, target: float
) -> dict[str, Any]:
    ways = law.by_group(g)
    odds = conditional_odds(log_ways(ways), held, level=1 - alpha)
    many, few = significant_counts(law, g, alpha)
    up = detectable(law, rejected, g, target=target)
    down = detectable(law, rejected, g, target=target, more=False)
    return {
        "p_more": float(ways[held:].sum() / law.total),
        "p_fewer": float(ways[: held + 1].sum() / law.total),
        "odds_ratio": odds.estimate,
        "odds_low": odds.low,
        "odds_high": odds.high,
        "many": many,
        "many_adjusted": significant_counts(law, g, alpha / law.sizes.size)[0],
        "few": few,
        "detectable_odds": up.odds,
        "detectable_rate": up.rate,
        "most_power": up.most_power,
        "detectable_odds_low": down.odds,
        "most_power_low": down.most_power,
    }
