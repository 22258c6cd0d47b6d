"""How a rater answers: the model behind every ballot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.synthetic.latent import Latent
from perfmethod.synthetic.template import Plan

__all__ = ["SATISFIED", "Raters", "draw_answers", "draw_raters", "unknown_rates"]

Floats = NDArray[np.float64]

SATISFIED, BASICALLY, DISSATISFIED, DONT_KNOW = 1, 2, 3, 9
CUT = -1.175  # of the latent scale; with unit variance half are satisfied, 12 % dissatisfied
POINTS = 14.0  # points of 100 that one unit of the latent scale is worth
PERCEPTION_EFFECT, DIMENSION_SD = 0.2, 0.06
RATER_SD, HALO_SD, ITEM_SD = 0.4, 0.6, 0.693  # squares sum to 1
KNOWS_NOTHING = 0.7  # share of the don't-knows that come from raters who know nothing of a unit


class Raters(NamedTuple):
    """Severity in points, that of the category included, and straight-lining, by rater."""

    severity: Floats
    straight: NDArray[np.bool_]


def draw_raters(habit: dict[str, str], n: int, rng: np.random.Generator) -> Raters:
    """Draw `n` raters with the habits of their category."""
    severity = float(habit["severity"]) + POINTS * RATER_SD * rng.standard_normal(n)
    return Raters(severity, rng.random(n) < float(habit["straight_line"]))


def draw_answers(
    unit: NDArray[np.intp],
    raters: Raters,
    unknown_rate: Floats,
    latent: Latent,
    dimension: Floats,
    rng: np.random.Generator,
) -> NDArray[np.int8]:
    """Draw the option codes of ballots.

    Parameters
    ----------
    unit : ndarray of shape (b,)
        Place of the unit of each ballot.
    raters : Raters
        Rater of each ballot.
    unknown_rate : ndarray of shape (b,)
        Share of answers that are don't-knows.
    latent : Latent
        The planted truth.
    dimension : ndarray of shape (u, 5)
        How far each unit differs from itself on each dimension.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (b, 5)
        Codes; a class with four dimensions leaves the last one unused.
    """
    n = len(unit)
    common = PERCEPTION_EFFECT * latent.perception[unit] - raters.severity / POINTS
    common += HALO_SD * rng.standard_normal(n)
    item = ITEM_SD * rng.standard_normal((n, 5))
    straight = raters.straight[:, None]
    seen = common[:, None] + np.where(straight, item[:, :1], item + dimension[unit])
    codes = np.where(seen > 0, SATISFIED, np.where(seen > CUT, BASICALLY, DISSATISFIED))
    unknown = _unknown(unknown_rate, straight, rng)
    return np.where(unknown, DONT_KNOW, codes).astype(np.int8)


def unknown_rates(plan: Plan, habit: dict[str, str]) -> Floats:
    """Rate of don't-knows by unit, (u,): by class, then by contact with the public."""
    county = plan.units["class"] == "county_government"
    kind = np.where(county, "dk_county", "dk_" + plan.units["public_contact"])
    return np.array([float(habit[k]) for k in kind])


def _unknown(
    rate: Floats, straight: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whole ballots and single answers, (b, 5); straight-liners mark all or nothing."""
    nothing = rng.random(len(rate)) < np.where(straight[:, 0], rate, KNOWS_NOTHING * rate)
    single = (1 - KNOWS_NOTHING) * rate / (1 - KNOWS_NOTHING * rate)
    one = rng.random((len(rate), 5)) < single[:, None]
    return nothing[:, None] | (one & ~straight)
