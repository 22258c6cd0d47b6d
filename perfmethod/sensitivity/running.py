"""Monte Carlo runs: one, and one that stops when it is precise enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import add
from typing import Any

from perfmethod.core import BLOCK
from perfmethod.draws import Draws
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scoring import Tally
from perfmethod.sensitivity.monte_carlo import MonteCarlo
from perfmethod.sensitivity.standard_errors import SHARES
from perfmethod.sensitivity.tallies import found_in, need_whole, tallies
from perfmethod.uncertainty import Spec, draw
from perfmethod.uncertainty.names import Family, Known
from perfmethod.uncertainty.replicates import REPLICATES, Replicated
from perfmethod.year import Year

__all__ = ["SHARES", "monte_carlo", "run_until"]


def monte_carlo(
    year: Year,
    draws: Draws | Mapping[str, Any],
    *,
    pairs: bool = True,
    reference: Year | None = None,
    executor: Any = None,
    blocks_per_task: int = 16,
) -> MonteCarlo:
    """Score a year in every draw and say how ranks, grades and orders are spread.

    Parameters
    ----------
    year : Year
    draws : Draws or mapping of str to array_like (k,)
        `uncertainty.draw` makes them. Quasi-random ones are counted by replicate.
    pairs : bool
        Whether to count pairwise orders (`MonteCarlo.wins`, `MonteCarlo.groups`).
    reference : Year, optional
        Whose ranks count as nominal; by default those of `year` itself.
    executor, blocks_per_task
        As in `simulate`: the result is the same for any.

    Returns
    -------
    MonteCarlo

    Raises
    ------
    KeyError
        If a drawn path is not there.
    DataError
        If no draw at all can be scored.
    PerfmethodError
        If quasi-random draws are not whole replicates.

    Examples
    --------
    >>> import pandas as pd
    >>> import perfmethod as pm
    >>> from perfmethod.uncertainty import draw, simplex
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B", "C"], "roads": [100, 0, 60], "water": [0, 100, 60]}))
    >>> found = monte_carlo(year, draw(scheme, 100_000, simplex("city"), seed=1))
    >>> found.acceptability.round(2).to_numpy().tolist()
    [[0.4, 0.1, 0.5], [0.4, 0.1, 0.5], [0.2, 0.8, 0.0]]
    """
    given = draws if isinstance(draws, Draws) else Draws.of(draws)
    families = drawn_families(year, given)
    need_whole({"monte_carlo": given})
    parts = tallies(
        year,
        given,
        pairs=pairs,
        families=[f.paths for f in families],
        reference=reference,
        executor=executor,
        blocks_per_task=blocks_per_task,
    )
    return found_in(year, given, parts, families)


def drawn_families(year: Year, draws: Draws) -> tuple[Family, ...]:
    """Families of weights that are drawn as a whole."""
    there = set(draws.paths)
    found = Known.of(year).all_families()
    return tuple(f for f in found if len(f.paths) > 1 and there.issuperset(f.paths))


def run_until(
    year: Year,
    *specs: Spec,
    seed: int,
    mcse: float = 0.005,
    most: int = 1_000_000,
    first: int = 4096,
    design: str = "random",
    replicates: int = REPLICATES,
    shares: tuple[str, ...] = SHARES,
    executor: Any = None,
) -> MonteCarlo:
    """Draw until no share's Monte Carlo standard error is above a bound.

    Parameters
    ----------
    year : Year
    *specs : Spec
        What varies, as for `uncertainty.draw`.
    seed : int
    mcse : float
        Bound on the standard errors of the shares.
    most : int
        Draws at which to stop in any case; `MonteCarlo.converged` then says False.
    first : int
        Draws before the errors are looked at for the first time.
    design, replicates
        As for `uncertainty.draw`. Numbers of quasi-random draws are those of whole replicates:
        `first` is rounded up, `most` down.
    shares : tuple of {"ranks", "grades", "pairs"}
        Which shares the bound is for; those that a scheme does not have do not count.
    executor : optional
        As in `simulate`.

    Returns
    -------
    MonteCarlo
        The same draws as one run of the same seed with as many of them.

    Raises
    ------
    PerfmethodError
        If the bound is not positive, a word is not known, or `most` is no whole replicate.
    DataError
        If all of the draws made between two looks at the errors fail.

    Notes
    -----
    The errors of independent draws are at most about ``0.5 / sqrt(n)``: with the default bound
    some 10,000 draws do. Looking several times and stopping at the first success makes the errors
    of what lies near the bound a little too small. Those between R replicates each scatter by some
    ``1 / sqrt(2 (R - 1))`` of themselves, so that the largest of many is too large by up to a half
    with 16 of them: the run, which doubles, goes on for longer than it need.
    """
    unknown = [s for s in shares if s not in SHARES]
    if unknown or not mcse > 0 or first < 1 or most < first:
        known = suggest(unknown[0] if unknown else "", SHARES)
        raise PerfmethodError(
            f"run_until: found mcse={mcse}, first={first}, most={most}, shares={shares}; allowed: "
            f"mcse above 0, 1 <= first <= most, shares {known}"
        )
    draws = draw(year, most, *specs, seed=seed, design=design, replicates=replicates)
    if isinstance(draws, Replicated):
        draws = replace(draws, size=draws.at_most(most) or most)
        need_whole({"run_until, most": draws})
    families = drawn_families(year, draws)
    parts: tuple[Tally, ...] = ()
    done, until = 0, _whole(draws, first)
    while True:
        new = tallies(year, draws.between(done, until), families=[f.paths for f in families],
                      executor=executor)  # fmt: skip
        parts = tuple(map(add, parts, new)) if parts else new
        done, found = until, found_in(year, draws, parts, families)
        error = found.errors.largest(shares)
        if error <= mcse or done >= draws.size:
            return replace(found, reached=error, bound=float(mcse))
        until = _whole(draws, _next(draws, done, error / mcse))


def _next(draws: Draws, done: int, times: float) -> int:
    """Draws that may do where the error is so many times too large: twice as many at the least.

    Errors of independent draws shrink with the root of their number, to which a little is added;
    those of others shrink faster, nobody knows how fast, and are known less exactly.
    """
    more = 0 if isinstance(draws, Replicated) else int(1.05 * done * times**2)
    return max(2 * done, more)


def _whole(draws: Draws, size: int) -> int:
    """Round up to whole blocks or replicates, so that the next draws can follow."""
    up = draws.at_least(size) if isinstance(draws, Replicated) else -(-size // BLOCK) * BLOCK
    return min(up, draws.size)
