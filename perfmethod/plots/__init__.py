"""Figures from plain tables: each function takes a tidy DataFrame and returns the Axes.

Nothing here knows a scheme or a result; matplotlib is loaded on the first drawing, and its
settings are changed only while something is drawn.
"""

from perfmethod.plots.components import component_bars, reliability_curves
from perfmethod.plots.curves import rule_curves
from perfmethod.plots.effects import effect_bars, weights_and_importance
from perfmethod.plots.house import PALETTE, style, use_fonts
from perfmethod.plots.intervals import acceptability, rank_intervals, tornado
from perfmethod.plots.screening import flag_table, screening_effect, vote_timeline
from perfmethod.plots.stability import stability
from perfmethod.plots.stacks import progress, stacked_blocks
from perfmethod.plots.strips import margins, totals_by_group
from perfmethod.plots.triangle import weight_triangle

__all__ = [
    "PALETTE",
    "acceptability",
    "component_bars",
    "effect_bars",
    "flag_table",
    "margins",
    "progress",
    "rank_intervals",
    "reliability_curves",
    "rule_curves",
    "screening_effect",
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
