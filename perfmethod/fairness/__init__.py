"""Fairness across grouped units: exact parity of grades when places are fixed, gaps taken apart.

`grade_parity` tests whether who holds a grade goes with an attribute of the units (vice-mayor's
group, kind of office, ...), by listing every table with the same margins, and says next to every
p-value what could have been found at all. `group_gaps` takes the gap of each group against the rest
apart by block and aspect and into what anchors explain and what they do not; `group_spread` asks
whether the same weight counts the same in every group. `portfolio` shows what chance does to units
with few tasks, `missing_rules` what the rule for missing tasks does. `fairness_report` collects
them. `table_law` and `p_values` are the tests on plain counts, `exact_power` and `detectable` their
power, `conditional_odds` and `common_odds` odds ratios without and with strata, `compare_groups`
the named tests of location and spread, `raw_gaps` and `explain_gaps` the decomposition on arrays.
"""

from perfmethod.fairness.attributes import attribute, bands
from perfmethod.fairness.gaps import group_gaps
from perfmethod.fairness.gaps_result import GroupGaps
from perfmethod.fairness.lots import Shifts, raw_gaps
from perfmethod.fairness.named import compare_groups, holm
from perfmethod.fairness.odds import (
    CommonOdds,
    Odds,
    common_odds,
    conditional_odds,
    exact_rate,
    odds_ratio,
)
from perfmethod.fairness.parity import grade_parity
from perfmethod.fairness.portfolio import effective_number, missing_rules, portfolio
from perfmethod.fairness.portfolio_result import MissingRules, Portfolio
from perfmethod.fairness.power import Detectable, detectable, exact_power, significant_counts
from perfmethod.fairness.report import FairnessReport, fairness_report
from perfmethod.fairness.result import GradeParity
from perfmethod.fairness.shifts import Explained, explain_gaps
from perfmethod.fairness.spread import GroupSpread, group_spread
from perfmethod.fairness.tables import STATISTICS, TableLaw, p_values, statistic, table_law

__all__ = [
    "STATISTICS",
    "CommonOdds",
    "Detectable",
    "Explained",
    "FairnessReport",
    "GradeParity",
    "GroupGaps",
    "GroupSpread",
    "MissingRules",
    "Odds",
    "Portfolio",
    "Shifts",
    "TableLaw",
    "attribute",
    "bands",
    "common_odds",
    "compare_groups",
    "conditional_odds",
    "detectable",
    "effective_number",
    "exact_power",
    "exact_rate",
    "explain_gaps",
    "fairness_report",
    "grade_parity",
    "group_gaps",
    "group_spread",
    "holm",
    "missing_rules",
    "odds_ratio",
    "p_values",
    "portfolio",
    "raw_gaps",
    "significant_counts",
    "statistic",
    "table_law",
]
