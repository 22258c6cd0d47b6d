"""What may vary and how: named, checked before anything runs, and turned into draws.

>>> from perfmethod import uncertainty as un
>>> [f.__name__ for f in (un.multiplicative, un.dirichlet, un.polytope, un.survey_noise)]
['multiplicative', 'dirichlet', 'polytope', 'survey_noise']
"""

from perfmethod.uncertainty.build import draw
from perfmethod.uncertainty.families import dirichlet, polytope, simplex
from perfmethod.uncertainty.matrices import is_symmetric
from perfmethod.uncertainty.region import Region
from perfmethod.uncertainty.review import survey_noise
from perfmethod.uncertainty.sources import DESIGNS
from perfmethod.uncertainty.specs import (
    Spec,
    choice,
    measurement,
    multiplicative,
    normal,
    percent,
    uniform,
)

__all__ = [
    "DESIGNS",
    "Region",
    "Spec",
    "choice",
    "dirichlet",
    "draw",
    "is_symmetric",
    "measurement",
    "multiplicative",
    "normal",
    "percent",
    "polytope",
    "simplex",
    "survey_noise",
    "uniform",
]
