"""Counts of draws, each replicate of quasi-random ones by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

from perfmethod.draws import Draws
from perfmethod.errors import PerfmethodError
from perfmethod.scoring import Tally, tally
from perfmethod.sensitivity.monte_carlo import MonteCarlo
from perfmethod.uncertainty.names import Family
from perfmethod.uncertainty.replicates import Replicated
from perfmethod.year import Year

__all__ = ["found_in", "need_whole", "tallies", "together", "unit_names"]

SHOWN = 100  # failures that are kept with their reasons


def need_whole(given: Mapping[str, Draws]) -> None:
    """Refuse quasi-random draws in other than whole replicates.

    Parameters
    ----------
    given : mapping of str to Draws
        By what they are for.

    Raises
    ------
    PerfmethodError
        If their replicates have different lengths, or not the design's, or there is one only.
    """
    broken = [
        f"{name}: found {d.size} draws by {d.design} in {d.replicates} replicates; "
        f"allowed: {d.allowed}"
        for name, d in given.items()
        if isinstance(d, Replicated) and not d.whole
    ]
    if broken:
        raise PerfmethodError("\n".join(broken))


def tallies(
    year: Year, draws: Draws, *, blocks_per_task: int = 16, **options: Any
) -> tuple[Tally, ...]:
    """Count what draws give: all together, or each replicate.

    Parameters
    ----------
    year : Year
    draws : Draws
        Whole rounds of blocks where there are replicates.
    blocks_per_task, **options
        As for `tally`.

    Returns
    -------
    tuple of Tally (R,) or (1,)
    """
    if not isinstance(draws, Replicated):
        return (tally(year, draws, blocks_per_task=blocks_per_task, **options),)
    blocks = draws.size // draws.round
    few = min(blocks_per_task, -(-blocks // 4))  # a replicate keeps some workers busy
    parts = (draws.replicate(r) for r in range(draws.replicates))
    return tuple(tally(year, part, blocks_per_task=few, **options) for part in parts)


def together(parts: tuple[Tally, ...], draws: Draws) -> Tally:
    """Counts of all replicates, with the numbers that failed draws have among all."""
    counts = reduce(add, parts)
    if not isinstance(draws, Replicated) or not counts.failed:
        return counts
    failures = [f._replace(draw=draws.number(r, f.draw))
                for r, part in enumerate(parts) for f in part.failures]  # fmt: skip
    return replace(counts, failures=tuple(sorted(failures)[:SHOWN]))


def found_in(
    year: Year, draws: Draws, parts: tuple[Tally, ...], families: tuple[Family, ...] = ()
) -> MonteCarlo:
    """The result of counts, in replicates or not."""
    apart = parts if isinstance(draws, Replicated) else ()
    return MonteCarlo(together(parts, draws), unit_names(year), families, replicates=apart)


def unit_names(year: Year) -> dict[str, str]:
    """Name of each unit, its identifier where it has none."""
    return {str(unit): str(name) for unit, name in year.unit_names().items()}
