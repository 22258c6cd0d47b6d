"""Replicates of an agreement coefficient: raters, units or both are drawn as whole clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import DataError, suggest
from perfmethod.reliability._draws import (
    Interval,
    check_level,
    cluster_weights,
    jackknifed,
    no_interval,
    percentiles,
)
from perfmethod.reliability.ratings import Single

__all__ = ["OVER", "Kernel", "check_over", "resampled"]

Floats = NDArray[np.float64]

#: A coefficient from weights: of each rating through its rater (b,), and of each unit (u,).
Kernel = Callable[[Floats, Floats], float]

OVER = ("raters", "units", "both")


def check_over(over: str, known: tuple[str, ...] = OVER) -> str:
    """Refuse an unknown way of drawing."""
    if over not in known:
        raise ValueError(f"found over={over!r}; allowed: {suggest(str(over), known)}")
    return over


def resampled(
    data: Single, kernel: Kernel, over: str, level: float, draws: int,
    seed: int | np.random.Generator, some: Callable[[Single], float] | None = None,
) -> Interval:  # fmt: skip
    """Bootstrap interval of a coefficient; of a reduction, jackknife of its groups of raters.

    A rater drawn twice would agree with its own copy, so kernels compare different raters only:
    pairs are weighted by the product of weights, a rater with itself by nothing. `some` gives the
    coefficient of some of the ratings.
    """
    check_level(level)
    check_over(over)
    if draws == 0:
        return no_interval("draws=0")
    if data.groups is not None and some is not None and over != "units":
        check_over(over, ("raters", "units"))
        return _without_groups(data, some, level)
    rng = np.random.default_rng(seed)
    everyone, everything = np.ones(data.value.size), np.ones(data.n_units)
    raters = cluster_weights(data.stratum, draws, rng)
    units = cluster_weights(np.zeros(data.n_units, np.intp), draws, rng)
    found = np.empty(draws)
    for b in range(draws):
        m = next(raters)[data.rater] if over != "units" else everyone
        g = next(units) if over != "raters" else everything
        found[b] = kernel(m, g)
    sizes = {
        "raters": data.n_raters,
        "units": data.n_units,
        "both": min(data.n_raters, data.n_units),
    }
    strata = np.unique(data.stratum).size
    drawn = {
        "raters": "raters as clusters" + (f" within {strata} categories" if strata > 1 else ""),
        "units": "units",
        "both": f"(the fewer) of {data.n_raters} raters and {data.n_units} units, both drawn",
    }
    return percentiles(found, kernel(everyone, everything), level, drawn[over], sizes[over])


def _without_groups(data: Single, some: Callable[[Single], float], level: float) -> Interval:
    """Jackknife that leaves out each random group of raters in turn."""
    assert data.groups is not None
    assert data.times is not None
    found = []
    for group in data.groups:
        if not group.any():
            continue
        left = data.times - group
        kept = left > 0
        there = np.unique(data.unit[kept], return_inverse=True)[1]
        labels = tuple(data.units[i] for i in np.unique(data.unit[kept]))
        part = replace(
            data, unit=there, rater=data.rater[kept], value=data.value[kept], units=labels,
            times=left[kept], groups=None,
        )  # fmt: skip
        try:
            found.append(some(part))
        except DataError:  # what is left has no value
            found.append(np.nan)
    return jackknifed(np.array(found), some(data), level, data.n_raters)
