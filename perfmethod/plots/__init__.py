"""Figures from plain tables: each function takes a tidy DataFrame and returns the Axes.

Nothing here knows a scheme or a result; matplotlib is loaded on the first drawing, and its
settings are changed only while something is drawn.
"""

from perfmethod.plots.calibration import design_effects, score_shift
from perfmethod.plots.components import component_bars, reliability_curves
from perfmethod.plots.curves import rule_curves
from perfmethod.plots.effects import effect_bars, weights_and_importance
from perfmethod.plots.fairness import exact_test, gap_bars, portfolio_funnel
from perfmethod.plots.house import PALETTE, style, use_fonts
from perfmethod.plots.intervals import acceptability, rank_intervals, tornado
from perfmethod.plots.places import rule_changes, rule_rates, rule_tradeoff
from perfmethod.plots.rank_sets import rank_set_status
from perfmethod.plots.screening import flag_table, screening_effect, vote_timeline
from perfmethod.plots.severity import adjusted_scores, severity_map
from perfmethod.plots.stability import stability
from perfmethod.plots.stacks import progress, stacked_blocks
from perfmethod.plots.stringency import delta_bands, group_effects, linking_burden
from perfmethod.plots.strips import margins, totals_by_group
from perfmethod.plots.triangle import weight_triangle

__all__ = [
    "PALETTE",
    "acceptability",
    "adjusted_scores",
    "component_bars",
    "delta_bands",
    "design_effects",
    "effect_bars",
    "exact_test",
    "flag_table",
    "gap_bars",
    "group_effects",
    "linking_burden",
    "margins",
    "portfolio_funnel",
    "progress",
    "rank_intervals",
    "rank_set_status",
    "reliability_curves",
    "rule_changes",
    "rule_curves",
    "rule_rates",
    "rule_tradeoff",
    "score_shift",
    "screening_effect",
    "severity_map",
    "stability",
    "stacked_blocks",
    "style",
    "tornado",
    "totals_by_group",
    "use_fonts",
    "vote_timeline",
    "weight_triangle",
    "weights_and_importance",
]
