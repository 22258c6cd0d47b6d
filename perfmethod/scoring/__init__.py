"""Scoring: one year or many perturbed ones, and the derivation of every number."""

from perfmethod.scoring.comparable import anchors_of, panels_of
from perfmethod.scoring.counting import Favorable
from perfmethod.scoring.evaluate import Evaluation, evaluate
from perfmethod.scoring.explain import Explanation, explain
from perfmethod.scoring.simulate import Simulation, simulate
from perfmethod.scoring.tally import Tally, tally
from perfmethod.scoring.unmeasured import measured_of, survey_weights, unmeasured_of

__all__ = [
    "Evaluation",
    "Explanation",
    "Favorable",
    "Simulation",
    "Tally",
    "anchors_of",
    "evaluate",
    "explain",
    "measured_of",
    "panels_of",
    "simulate",
    "survey_weights",
    "tally",
    "unmeasured_of",
]
