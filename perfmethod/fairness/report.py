"""All questions of fairness about one year, asked with one call and answered in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from perfmethod.errors import PerfmethodError
from perfmethod.fairness.gaps import group_gaps
from perfmethod.fairness.gaps_result import GroupGaps
from perfmethod.fairness.parity import grade_parity
from perfmethod.fairness.portfolio import missing_rules, portfolio
from perfmethod.fairness.portfolio_result import MissingRules, Portfolio
from perfmethod.fairness.result import GradeParity
from perfmethod.fairness.spread import GroupSpread, group_spread

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["FairnessReport", "fairness_report"]

_PARTS = {
    "zh": {"parity": "等次与分组", "gaps": "差距从何而来", "spread": "评分离散程度",
           "portfolio": "任务多少", "missing": "缺任务规则"},
    "en": {"parity": "Grade and group", "gaps": "Where gaps come from",
           "spread": "Spread of scores", "portfolio": "Number of tasks",
           "missing": "Rule for missing tasks"},
}  # fmt: skip


@dataclass(frozen=True)
class FairnessReport:
    """What was asked about fairness, each with its own result.

    Attributes
    ----------
    parity : GradeParity
    conditional : mapping of str to GradeParity
        By attribute: inside the pools over which the scheme itself spreads the places; empty where
        it spreads them over all units.
    gaps, spread : mapping of str to GroupGaps, GroupSpread
        By attribute, where it differs inside a class.
    portfolio : Portfolio
    missing : MissingRules
    meta : mapping
    """

    parity: GradeParity
    conditional: Mapping[str, GradeParity] = field(repr=False)
    gaps: Mapping[str, GroupGaps] = field(repr=False)
    spread: Mapping[str, GroupSpread] = field(repr=False)
    portfolio: Portfolio
    missing: MissingRules
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        return f"<FairnessReport on {', '.join(self.parity.tests['attribute'].unique())}>"

    def to_frame(self) -> pd.DataFrame:
        """One row per attribute: p-values, and what could have been detected.

        Returns
        -------
        DataFrame
            Index attribute; parity_p, parity_p_holm, detectable_odds (infinite: no gap of one group
            would have been found), conditional_p (inside the scheme's own pools; missing where
            there is nothing to compare), gap_p, unexplained_p, detectable_points (least unexplained
            gap that is found with 80 % chance, of the group for which it is smallest), spread_p
            (smallest over the parts, by Holm).
        """
        tests = self.parity.tests[self.parity.tests["statistic"] == self.parity.test]
        table = tests.set_index("attribute")[["p", "p_holm", "detectable_odds"]]
        table = table.rename(columns={"p": "parity_p", "p_holm": "parity_p_holm"})
        inside = {name: found.tests for name, found in self.conditional.items()}
        table["conditional_p"] = pd.Series(
            {n: t.loc[t["statistic"] == self.parity.test, "p"].iloc[0] for n, t in inside.items()},
            dtype=float,
        )
        found = {name: gaps.tests["p_permuted"] for name, gaps in self.gaps.items()}
        table["gap_p"] = pd.Series({n: p["any gap"] for n, p in found.items()}, dtype=float)
        left = {n: p["any unexplained gap"] for n, p in found.items()}
        table["unexplained_p"] = pd.Series(left, dtype=float)
        least = {n: gaps.groups["detectable"].min() for n, gaps in self.gaps.items()}
        table["detectable_points"] = pd.Series(least, dtype=float)
        spread = {n: part.tests["p_holm"].min() for n, part in self.spread.items()}
        table["spread_p"] = pd.Series(spread, dtype=float)
        return table

    def words(self, lang: str = "zh") -> dict[str, tuple[str, ...]]:
        """What may be said, by heading.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        gaps = [part.words(lang) for part in self.gaps.values()]
        last = (gaps[0][-1],) if gaps else ()  # what unexplained means is said once
        inside = [part.words(lang)[0] for part in self.conditional.values()]
        within = {"zh": "同一名额池内: ", "en": "Inside the pools of places: "}[lang]
        told = {
            "parity": (*self.parity.words(lang), *(within + text for text in inside)),
            "gaps": (*(text for part in gaps for text in part[:-1]), *last),
            "spread": tuple(text for part in self.spread.values() for text in part.words(lang)),
            "portfolio": self.portfolio.words(lang),
            "missing": self.missing.words(lang),
        }
        return {_PARTS[lang][name]: text for name, text in told.items() if text}


def fairness_report(
    evaluation: Evaluation,
    attributes: Sequence[str | pd.Series] = ("group", "portfolio"),
    *,
    anchors: Sequence[str] | None = None,
    draws: int = 10_000,
    seed: int = 0,
) -> FairnessReport:
    """Ask the questions of this package about one year.

    Parameters
    ----------
    evaluation : Evaluation
        Under a scheme with grades.
    attributes : sequence of str or Series, default ("group", "portfolio")
    anchors : sequence of str, optional
        As in `group_gaps`.
    draws : int, default 10,000
    seed : int, default 0

    Returns
    -------
    FairnessReport

    Raises
    ------
    PerfmethodError
        As the functions that are called, if an attribute is not known.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=500)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> fairness_report(pm.evaluate(year), ("portfolio",), draws=200)
    <FairnessReport on portfolio>
    """
    listed = list(attributes)
    parity = grade_parity(evaluation, listed)
    pool = parity.meta["quota_by"]
    conditional, gaps, spread = {}, {}, {}
    for one in listed:
        name = one if isinstance(one, str) else str(one.name or "attribute")
        if pool is not None and name not in (pool, "class"):
            conditional[name] = grade_parity(evaluation, one, strata=pool)
        if not _differs(evaluation, one):
            continue
        gaps[name] = group_gaps(evaluation, one, anchors=anchors, draws=draws, seed=seed)
        spread[name] = group_spread(evaluation, one, draws=draws, seed=seed)
    return FairnessReport(
        parity, conditional, gaps, spread, portfolio(evaluation, draws=draws, seed=seed),
        missing_rules(evaluation), dict(evaluation.year.meta),
    )  # fmt: skip


def _differs(evaluation: Evaluation, by: str | pd.Series) -> bool:
    """Whether an attribute has two groups in some class."""
    from perfmethod.fairness.attributes import attribute
    from perfmethod.scoring.comparable import class_of

    try:
        class_of(evaluation, attribute(evaluation, by), "")
    except PerfmethodError:
        return False
    return True
