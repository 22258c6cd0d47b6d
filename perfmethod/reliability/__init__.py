"""Reliability of survey ratings: coefficients with their exact names and intervals.

Arrays come first: ratings are units by raters, answers are persons by items, with NaN where
missing; `Ratings.from_ballots` reads ballots and forgets who the raters are. Everything here loads
on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> module below this package
_PUBLIC: dict[str, str] = {
    "GradeRisk": "grades",
    "grade_risk": "grades",
    "risk_by_ballots": "grades",
    "ClusterMoments": "clusters",
    "Coefficient": "result",
    "Coefficients": "result",
    "Components": "components",
    "Decision": "decision",
    "GStudy": "gstudy",
    "Inference": "inference",
    "MeansReliability": "means",
    "Moments": "moments",
    "OneWay": "oneway",
    "Polychoric": "polychoric",
    "Ratings": "ratings",
    "ShiftedMoments": "oneway",
    "SplitHalves": "splits",
    "SurveyPlan": "planning",
    "WithinAgreement": "_within",
    "alpha_if_dropped": "consistency",
    "alpha_of_covariance": "consistency",
    "average_deviation": "within",
    "bivariate_normal_cdf": "polychoric",
    "cronbach_alpha": "consistency",
    "decision_for": "decision",
    "decision_study": "decision",
    "fleiss_kappa": "gwet",
    "generalizability": "gstudy",
    "gwet_ac": "gwet",
    "henderson_components": "henderson",
    "intraclass_correlations": "icc",
    "kendalls_w": "agreement",
    "krippendorff_alpha": "agreement",
    "omega_hierarchical": "omega",
    "omega_total": "omega",
    "one_way": "oneway",
    "plan_survey": "planning",
    "polychoric_correlations": "polychoric",
    "polychoric_of_tables": "polychoric",
    "reliability_of_means": "means",
    "robust_covariance": "robust",
    "rwg": "within",
    "rwg_j": "within",
    "shared_multiplier": "means",
    "spearman_brown": "icc",
    "split_half": "splits",
    "survey_coefficients": "summary",
    "survey_decision": "planning",
    "variance_components": "reml",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"perfmethod.reliability.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'perfmethod.reliability' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
