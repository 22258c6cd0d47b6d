"""Quota rules compared: how the places of the best grade are spread, and what that does.

`quota_rules` gives named variants of a scheme's rule, each a patch of the scheme with its wording;
`compare_rules` puts them on one year: rates by group, ties, the share of the true best that each
finds, grades that other raters would change, and who gains and loses. `found_in_cities` and
`found_in_synthetic` try rules where the truth is known; `owed` and `carry_plan` carry remainders
over the years.
"""

from perfmethod.places.carried import carry_plan, owed
from perfmethod.places.cities import City, found_in_cities, normal_cities
from perfmethod.places.compare import compare_rules
from perfmethod.places.efficient import OBJECTIVES, efficient
from perfmethod.places.posterior import true_totals
from perfmethod.places.result import RuleComparison
from perfmethod.places.rules import QuotaRule, quota_rules
from perfmethod.places.synthetic import found_in_synthetic
from perfmethod.places.truth import least_range, share_found, true_best

__all__ = [
    "OBJECTIVES",
    "City",
    "QuotaRule",
    "RuleComparison",
    "carry_plan",
    "compare_rules",
    "efficient",
    "found_in_cities",
    "found_in_synthetic",
    "least_range",
    "normal_cities",
    "owed",
    "quota_rules",
    "share_found",
    "true_best",
    "true_totals",
]
