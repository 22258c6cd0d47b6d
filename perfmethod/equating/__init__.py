"""Put scores of one form, or of one panel, on the scale of another.

`mean_link`, `linear_link`, `circle_arc` and `equipercentile` take groups of raters' charges as
randomly equivalent; `tucker_link`, `levine_link` and `chained_link` take an anchor that both groups
have. Each says nothing of whether its assumption holds. `bootstrap_errors` gives any link standard
errors. Plain arrays; nothing here knows a scheme.
"""

from perfmethod.equating.anchored import chained_link, levine_link, tucker_link
from perfmethod.equating.arcs import Arc, circle_arc
from perfmethod.equating.errors import bootstrap_errors
from perfmethod.equating.lines import Line, linear_link, mean_link
from perfmethod.equating.percentiles import PercentileLink, equipercentile

__all__ = [
    "Arc",
    "Line",
    "PercentileLink",
    "bootstrap_errors",
    "chained_link",
    "circle_arc",
    "equipercentile",
    "levine_link",
    "linear_link",
    "mean_link",
    "tucker_link",
]
