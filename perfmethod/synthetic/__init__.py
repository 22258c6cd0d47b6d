"""A year of any size whose truth is known, drawn from the plan of 2009.

References
----------
The facts of the plan (numbers of units, indicators, ballots, places, weights of the blocks) come
from the office's own account of 2009; ``data/README.md`` says cell by cell what is a fact, what an
assumption and what is drawn.
"""

from perfmethod.synthetic.year import SyntheticYear, synthesize, synthetic_year

__all__ = ["SyntheticYear", "synthesize", "synthetic_year"]
