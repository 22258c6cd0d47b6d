"""Draws shared out among schemes that differ in structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from perfmethod.draws import Draws
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scheme import Scheme
from perfmethod.sensitivity.monte_carlo import MonteCarlo
from perfmethod.sensitivity.tallies import found_in, need_whole, tallies, unit_names
from perfmethod.uncertainty import Spec, draw
from perfmethod.uncertainty.replicates import REPLICATES
from perfmethod.year import Year

__all__ = ["Each", "simulate_each"]


@dataclass(frozen=True)
class Each:
    """Draws shared out among schemes that differ in structure.

    Attributes
    ----------
    together : MonteCarlo
        All draws, each scheme with its share of them.
    each : mapping of str to MonteCarlo
        By the schemes' names; nominal ranks are those of the base year in all of them.
    """

    together: MonteCarlo = field(repr=False)
    each: Mapping[str, MonteCarlo]

    def to_frame(self) -> pd.DataFrame:
        """By scheme: draws, failed, share, same_best (NaN without grades), mean_rank_shift."""
        rows = {
            name: {
                "draws": one.draws, "failed": one.counts.failed,
                "share": one.draws / self.together.draws,
                "same_best": one.overall["value"].get("same_best", np.nan),
                "mean_rank_shift": one.overall.at["mean_rank_shift", "value"],
            }
            for name, one in self.each.items()
        }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scheme")


def simulate_each(
    year: Year,
    schemes: Mapping[str, Scheme | Year],
    size: int,
    *specs: Spec,
    seed: int,
    probabilities: Mapping[str, float] | None = None,
    design: str = "random",
    replicates: int = REPLICATES,
    executor: Any = None,
) -> Each:
    """Share draws out among alternative schemes: other rules, other trees, other grade rules.

    Parameters
    ----------
    year : Year
        Base year: its ranks and grades are the nominal ones.
    schemes : mapping of str to Scheme or Year
        Alternatives by name, the base's own scheme among them if it is to count. A scheme is
        applied to the base year's tables.
    size : int
        Draws in all; each scheme gets its probability's share, rounded by largest remainders.
    *specs : Spec
        What varies besides, looked up in each scheme; without any, each scheme is scored once.
    seed : int
        Each scheme's draws are independent of the others'.
    probabilities : mapping of str to float, optional
        By default all alike.
    design, replicates, executor
        As in `run_until`; each scheme's share of quasi-random draws must be whole replicates.

    Returns
    -------
    Each

    Raises
    ------
    PerfmethodError
        If there is no scheme, probabilities do not fit, or a scheme gets no draw or no whole
        replicates.
    """
    if not schemes:
        raise PerfmethodError("simulate_each: found no scheme; allowed: at least one")
    p = _probabilities(schemes, probabilities)
    sizes = _shared(p, size) if specs else {name: 1 for name in schemes}
    years: dict[str, Year] = {}
    drawn: dict[str, Draws] = {}
    for i, (name, scheme) in enumerate(schemes.items()):
        years[name] = scheme if isinstance(scheme, Year) else year.with_scheme(scheme)
        own = int(np.random.SeedSequence(seed, spawn_key=(i,)).generate_state(1, np.uint64)[0])
        how: dict[str, Any] = {"seed": own, "design": design, "replicates": replicates}
        once = Draws.of({"base": [years[name].scheme.number("base")]}, "nothing")
        drawn[name] = draw(years[name], sizes[name], *specs, **how) if specs else once
    need_whole({f"simulate_each, '{name}'": draws for name, draws in drawn.items()})
    options = {"reference": year, "executor": executor}
    each = {name: found_in(year, draws, tallies(years[name], draws, **options))
            for name, draws in drawn.items()}  # fmt: skip
    counts = reduce(add, (one.counts for one in each.values()))
    meta = {**year.meta, "draws": counts.draws + counts.failed, "schemes": sizes, "seed": seed}
    # replicate r of every scheme together are one replicate of the mixture
    turns = zip(*(one.replicates for one in each.values()), strict=True)
    parts = tuple(reduce(add, turn) for turn in turns)
    counts = replace(counts, meta=meta)
    return Each(MonteCarlo(counts, unit_names(year), replicates=parts), each)


def _probabilities(
    schemes: Mapping[str, Any], given: Mapping[str, float] | None
) -> dict[str, float]:
    p = dict(given) if given is not None else dict.fromkeys(schemes, 1.0 / len(schemes))
    for name in p:
        if name not in schemes:
            raise PerfmethodError(
                f"probabilities: found '{name}'; allowed: {suggest(name, schemes)}"
            )
    if set(p) != set(schemes) or min(p.values()) <= 0 or abs(sum(p.values()) - 1) > 1e-9:
        raise PerfmethodError(
            f"probabilities: found {p}; allowed: one above 0 for each scheme, with the sum 1"
        )
    return p


def _shared(p: Mapping[str, float], size: int) -> dict[str, int]:
    """Whole numbers of draws with the sum `size`."""
    sizes = {name: int(size * q) for name, q in p.items()}
    for name in sorted(p, key=lambda n: sizes[n] - size * p[n])[: size - sum(sizes.values())]:
        sizes[name] += 1
    if min(sizes.values()) < 1:
        raise PerfmethodError(f"size: found {size} draws for {len(p)} schemes; allowed: more, so "
                              "that each gets at least one")  # fmt: skip
    return sizes
