"""Fairness across grouped units: exact parity of grades when places are fixed.

`grade_parity` tests whether who holds a grade goes with an attribute of the units (vice-mayor's
group, kind of office, ...), by listing every table with the same margins, and says next to every
p-value what could have been found at all. `table_law` and `p_values` are the tests on plain counts,
`exact_power` and `detectable` their power, `conditional_odds` and `common_odds` odds ratios without
and with strata, `compare_groups` the named tests of location and spread.
"""

from perfmethod.fairness.attributes import attribute, bands
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
from perfmethod.fairness.power import Detectable, detectable, exact_power, significant_counts
from perfmethod.fairness.result import GradeParity
from perfmethod.fairness.tables import STATISTICS, TableLaw, p_values, statistic, table_law

__all__ = [
    "STATISTICS",
    "CommonOdds",
    "Detectable",
    "GradeParity",
    "Odds",
    "TableLaw",
    "attribute",
    "bands",
    "common_odds",
    "compare_groups",
    "conditional_odds",
    "detectable",
    "exact_power",
    "exact_rate",
    "grade_parity",
    "holm",
    "odds_ratio",
    "p_values",
    "significant_counts",
    "statistic",
    "table_law",
]
