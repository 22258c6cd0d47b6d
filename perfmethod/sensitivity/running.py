"""Monte Carlo runs: one, one that stops when it is precise enough, one over several schemes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from perfmethod.core import BLOCK
from perfmethod.draws import Draws
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scheme import Scheme
from perfmethod.scoring import Tally, tally
from perfmethod.sensitivity.acceptability import share_error
from perfmethod.sensitivity.monte_carlo import MonteCarlo
from perfmethod.uncertainty import Spec, draw
from perfmethod.uncertainty.names import Family, Known
from perfmethod.year import Year

__all__ = ["SHARES", "Each", "monte_carlo", "run_until", "simulate_each"]

SHARES = ("ranks", "grades", "pairs")


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
        `uncertainty.draw` makes them.
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

    Examples
    --------
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
    counts = tally(
        year,
        given,
        pairs=pairs,
        families=[f.paths for f in families],
        reference=reference,
        executor=executor,
        blocks_per_task=blocks_per_task,
    )
    return MonteCarlo(counts, unit_names(year), families)


def drawn_families(year: Year, draws: Draws) -> tuple[Family, ...]:
    """Families of weights that are drawn as a whole."""
    there = set(draws.paths)
    found = Known.of(year).all_families()
    return tuple(f for f in found if len(f.paths) > 1 and there.issuperset(f.paths))


def unit_names(year: Year) -> dict[str, str]:
    """Name of each unit, its identifier where it has none."""
    return {str(unit): str(name) for unit, name in year.unit_names().items()}


def run_until(
    year: Year,
    *specs: Spec,
    seed: int,
    mcse: float = 0.005,
    most: int = 1_000_000,
    first: int = 4096,
    design: str = "random",
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
    design : {"random", "sobol", "latin_hypercube"}
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
        If the bound is not positive, or a word is not known.
    DataError
        If all of the draws made between two looks at the errors fail.

    Notes
    -----
    The errors are those of independent draws, at most about ``0.5 / sqrt(n)``: with the default
    bound some 10,000 draws do. Looking several times and stopping at the first success makes the
    errors of what lies near the bound a little too small.
    """
    unknown = [s for s in shares if s not in SHARES]
    if unknown or not mcse > 0 or first < 1 or most < first:
        known = suggest(unknown[0] if unknown else "", SHARES)
        raise PerfmethodError(
            f"run_until: found mcse={mcse}, first={first}, most={most}, shares={shares}; allowed: "
            f"mcse above 0, 1 <= first <= most, shares {known}"
        )
    draws = draw(year, most, *specs, seed=seed, design=design)
    families = drawn_families(year, draws)
    counts: Tally | None = None
    done, until = 0, _whole(first, most)
    while True:
        part = tally(year, draws.between(done, until), families=[f.paths for f in families],
                     executor=executor)  # fmt: skip
        counts, done = part if counts is None else counts + part, until
        error = _largest(counts, shares)
        if error <= mcse or done >= most:
            break
        # errors shrink with the root of the draws; a little more, and twice as many at the least
        until = _whole(max(2 * done, int(1.05 * done * (error / mcse) ** 2)), most)
    return MonteCarlo(counts, unit_names(year), families, _largest(counts, shares), float(mcse))


def _whole(draws: int, most: int) -> int:
    """Round up to whole blocks, so that the next draws can follow."""
    return min(-(-draws // BLOCK) * BLOCK, most)


def _largest(counts: Tally, shares: tuple[str, ...]) -> float:
    pairs = None
    if counts.wins is not None:
        same = np.array(counts.classes)
        pairs = counts.wins[(same[:, None] == same) & ~np.eye(len(same), dtype=bool)]
    found = {"ranks": counts.ranks, "grades": counts.grades, "pairs": pairs}
    counted = [x for s in shares if (x := found[s]) is not None]
    errors = [share_error(x, counts.draws).max(initial=0.0) for x in counted]
    return float(max(errors, default=0.0))


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
    design, executor
        As in `run_until`.

    Returns
    -------
    Each

    Raises
    ------
    PerfmethodError
        If there is no scheme, probabilities do not fit, or a scheme gets no draw.
    """
    if not schemes:
        raise PerfmethodError("simulate_each: found no scheme; allowed: at least one")
    p = _probabilities(schemes, probabilities)
    sizes = _shared(p, size) if specs else {name: 1 for name in schemes}
    each: dict[str, MonteCarlo] = {}
    for i, (name, scheme) in enumerate(schemes.items()):
        other = scheme if isinstance(scheme, Year) else year.with_scheme(scheme)
        own = int(np.random.SeedSequence(seed, spawn_key=(i,)).generate_state(1, np.uint64)[0])
        draws = (draw(other, sizes[name], *specs, seed=own, design=design) if specs
                 else Draws.of({"base": [other.scheme.number("base")]}, "nothing"))  # fmt: skip
        counts = tally(other, draws, reference=year, executor=executor)
        each[name] = MonteCarlo(counts, unit_names(year))
    first, *rest = (one.counts for one in each.values())
    for counts in rest:
        first = first + counts
    meta = {**year.meta, "draws": first.draws + first.failed, "schemes": dict(sizes), "seed": seed}
    return Each(MonteCarlo(replace(first, meta=meta), unit_names(year)), each)


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
