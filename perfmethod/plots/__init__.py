"""Figures from plain tables: each function takes a tidy DataFrame and returns the Axes.

Nothing here knows a scheme or a result; matplotlib is loaded on the first drawing, and its
settings are changed only while something is drawn.
"""

from perfmethod.plots.curves import rule_curves
from perfmethod.plots.house import PALETTE, style, use_fonts
from perfmethod.plots.stacks import progress, stacked_blocks
from perfmethod.plots.strips import margins, totals_by_group

__all__ = [
    "PALETTE",
    "margins",
    "progress",
    "rule_curves",
    "stacked_blocks",
    "style",
    "totals_by_group",
    "use_fonts",
]
