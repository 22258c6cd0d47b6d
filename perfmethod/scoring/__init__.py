"""Scoring: one year or many perturbed ones, and the derivation of every number."""

from perfmethod.scoring.counting import Favorable
from perfmethod.scoring.evaluate import Evaluation, evaluate
from perfmethod.scoring.explain import Explanation, explain
from perfmethod.scoring.simulate import Simulation, simulate
from perfmethod.scoring.tally import Tally, tally

__all__ = [
    "Evaluation",
    "Explanation",
    "Favorable",
    "Simulation",
    "Tally",
    "evaluate",
    "explain",
    "simulate",
    "tally",
]
