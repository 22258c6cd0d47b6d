"""Stringency or true performance, and links that would tell.

`stringency` takes an evaluated year and says whether the panels' scores differ between groups
beyond anchors that others scored, with the power of that test; its `sweep` names the grades that
depend on what no data can tell, `compare_methods` sets the ways to equate panels side by side, and
`check_anchors` looks for anchors that favor a group. `connectivity` says what cannot be compared at
all, `plan_links` which shared raters would make it comparable, at what burden. `ancova`,
`canonical`, `group_posterior`, `anchored_power` and `random_intercepts` work on plain arrays.
"""

from perfmethod.stringency.adjust import simulate_shifts
from perfmethod.stringency.analysis import stringency
from perfmethod.stringency.ancova import Ancova, ancova
from perfmethod.stringency.canonical import Canonical, canonical
from perfmethod.stringency.dif import AnchorCheck, anchor_check
from perfmethod.stringency.graph import Connectivity, connectivity, nested_ratings
from perfmethod.stringency.linking import (
    ContrastErrors,
    contrast_errors,
    linked_design,
    summarize_contrasts,
)
from perfmethod.stringency.methods import ASSUMPTIONS, MethodComparison, compare_methods
from perfmethod.stringency.mixed import RandomIntercepts, random_intercepts
from perfmethod.stringency.parts import Parts, parts_of
from perfmethod.stringency.planning import LinkPlan, plan_links
from perfmethod.stringency.posterior import GroupPosterior, group_posterior
from perfmethod.stringency.power import anchored_power, detectable_ratio, permutation_p
from perfmethod.stringency.reliability import (
    corrected_effects,
    corrected_slopes,
    survey_reliability,
)
from perfmethod.stringency.result import EFFECTS, Stringency
from perfmethod.stringency.sweep import DeltaSweep, delta_sweep

__all__ = [
    "ASSUMPTIONS",
    "EFFECTS",
    "AnchorCheck",
    "Ancova",
    "Canonical",
    "Connectivity",
    "ContrastErrors",
    "DeltaSweep",
    "GroupPosterior",
    "LinkPlan",
    "MethodComparison",
    "Parts",
    "RandomIntercepts",
    "Stringency",
    "anchor_check",
    "anchored_power",
    "ancova",
    "canonical",
    "compare_methods",
    "connectivity",
    "contrast_errors",
    "corrected_effects",
    "corrected_slopes",
    "delta_sweep",
    "detectable_ratio",
    "group_posterior",
    "linked_design",
    "nested_ratings",
    "parts_of",
    "permutation_p",
    "plan_links",
    "random_intercepts",
    "simulate_shifts",
    "stringency",
    "summarize_contrasts",
    "survey_reliability",
]
