"""What the generator knows and the office does not: the planted truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.synthetic.template import Plan

__all__ = ["Latent", "draw_latent"]

STRINGENCY_SD = 2.0  # points; what a fairness analysis should find between the groups
PERCEPTION_LOADING = 0.8  # how closely what raters see follows what a unit does
STUFFED_UNITS = 2


@dataclass(frozen=True)
class Latent:
    """Planted truth by unit and group.

    Attributes
    ----------
    quality : ndarray of shape (u,)
        How well each unit works, standard normal.
    perception : ndarray of shape (u,)
        How well it seems to work, standard normal, correlated with `quality`.
    stringency : ndarray of shape (u,)
        Points by which its group rates too low (mean 0 over the groups of departments).
    stuffed : ndarray of shape (u,)
        Whether somebody stuffed its online ballots.
    groups : DataFrame
        Columns ``group`` and ``stringency``.
    """

    quality: NDArray[np.float64]
    perception: NDArray[np.float64]
    stringency: NDArray[np.float64]
    stuffed: NDArray[np.bool_]
    groups: pd.DataFrame


def draw_latent(plan: Plan, rng: np.random.Generator) -> Latent:
    """Draw the planted truth of a year.

    Parameters
    ----------
    plan : Plan
        The year before any number is drawn; ``plant`` fixes the quality of a unit.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Latent
        The truth.
    """
    units = plan.units
    quality, seen = rng.standard_normal((2, len(units)))
    planted = pd.to_numeric(units["plant"], errors="coerce").to_numpy(float)
    quality = np.where(np.isnan(planted), quality, planted)
    perception = PERCEPTION_LOADING * quality + np.sqrt(1 - PERCEPTION_LOADING**2) * seen
    groups = plan.groups[["group"]].copy()
    groups["stringency"] = _stringency(len(groups), rng)
    of_unit = units["group"].map(groups.set_index("group")["stringency"]).to_numpy(float)
    return Latent(quality, perception, of_unit, _stuffed(units, rng), groups)


def _stringency(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Zero for the counties, which have no group rating; mean 0 and the wanted spread else."""
    drawn = rng.standard_normal(n - 1)
    drawn -= drawn.mean()
    spread = drawn.std(ddof=1) if len(drawn) > 1 else 1.0
    return np.r_[0.0, drawn / spread * STRINGENCY_SD]


def _stuffed(units: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Departments no one planted, those of low contact first."""
    low = (units["public_contact"] == "low").to_numpy()
    free = (units["plant"] == "").to_numpy() & units["unit_id"].str.startswith("D").to_numpy()
    order = np.lexsort((rng.random(len(units)), ~low, ~free))
    stuffed = np.zeros(len(units), bool)
    stuffed[order[:STUFFED_UNITS]] = True
    return stuffed & free
