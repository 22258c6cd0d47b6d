"""Scoring: one year or many perturbed ones, and the derivation of every number."""

from perfmethod.scoring.evaluate import Evaluation, evaluate
from perfmethod.scoring.explain import Explanation, explain
from perfmethod.scoring.simulate import Simulation, simulate

__all__ = ["Evaluation", "Explanation", "Simulation", "evaluate", "explain", "simulate"]
