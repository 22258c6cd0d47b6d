"""From specifications to draws: names checked together, blocks made when they are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.core import BLOCK
from perfmethod.draws import Block, Draws
from perfmethod.errors import InputError, SchemeError
from perfmethod.scheme import Scheme
from perfmethod.uncertainty.names import Known
from perfmethod.uncertainty.replicates import REPLICATES, Replicated
from perfmethod.uncertainty.sources import Design, design
from perfmethod.uncertainty.specs import Chosen, Part, Spec
from perfmethod.year import Year

__all__ = ["draw"]


def draw(
    source: Scheme | Year,
    size: int,
    *specs: Spec,
    seed: int,
    design: str = "random",
    replicates: int = REPLICATES,
) -> Draws:
    """Turn specifications of what varies into draws.

    Parameters
    ----------
    source : Scheme or Year
        What the names are looked up in; measured values need a year.
    size : int
        Number of draws, k.
    *specs : Spec
        `multiplicative`, `percent`, `normal`, `uniform`, `choice`, `dirichlet`, `simplex`,
        `polytope`, `measurement`, `survey_noise`. They vary independently of each other.
    seed : int
    design : {"random", "sobol", "latin_hypercube"}
        Independent draws; scrambled Sobol' sequences; or Latin hypercubes of `core.BLOCK` draws,
        one for each block.
    replicates : int
        Independent randomizations of a quasi-random design, at least 2: Sobol' sequences whose
        blocks take turns, or sets of Latin hypercubes. Their spread is what tells the error of a
        result. Independent draws need none.

    Returns
    -------
    Draws
        Made block by block when they are needed; those of a quasi-random design are `Replicated`.
        The same seed gives the same bytes for any `size`, chunk or worker, and with
        ``design="random"`` one specification's draws do not depend on those after it.

    Raises
    ------
    SchemeError
        With every problem: a name that is not there, two specifications of one number, bounds
        that cannot be met, a value that the scheme does not allow.

    References
    ----------
    Owen, "Scrambled net variance for integrals of smooth functions", *Ann. Stat.* 25 (1997)
    1541-1562.

    Examples
    --------
    >>> from perfmethod import Scheme
    >>> from perfmethod.uncertainty import percent, simplex
    >>> scheme = Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { weight = 60, rule = { method = "identity" } }
    ... indicators.water = { weight = 40, rule = { method = "identity" } }
    ... ''')
    >>> draws = draw(scheme, 1000, simplex("city"), seed=1)
    >>> round(sum(draws.draw(0).values()), 9)
    100.0
    >>> draw(scheme, 1000, percent("raods", by=10), seed=1)
    Traceback (most recent call last):
    perfmethod.errors.SchemeError: 1 problem in the input:
      - draws, percent: found 'raods'; allowed: did you mean 'roads'? Known: roads, water
    """
    known = Known.of(source)
    if size < 1 or not specs:
        known.problems.add(f"{size} draws of {len(specs)} specifications", "at least 1 of each")
    if replicates < 2:
        known.problems.add(f"{replicates} replicates", "at least 2, for they tell the error")
    parts = [part for spec in specs for part in spec.parts(known)]
    twice = Counter(path for part in parts for path in part.paths)
    for path, times in twice.items():
        if times > 1:
            known.problems.add(f"'{path}' in {times} specifications", "in one of them")
    known.problems.raise_any(SchemeError)
    maker = _Maker.of(parts, design, seed, replicates)
    note, paths = "; ".join(spec.note for spec in specs), tuple(twice)
    if design == "random":
        made = Draws(size, maker, paths, f"{note}; {design}, seed {seed}")
    else:
        note = f"{note}; {design} in {replicates} replicates, seed {seed}"
        made = Replicated(size, maker, paths, note, replicates, design)
    _try(known, made, parts)
    return made


@dataclass(frozen=True)
class _Maker:
    """Makes any block of the draws."""

    parts: tuple[Part, ...]
    design: Design
    columns: Mapping[str, int] = field(repr=False)

    @classmethod
    def of(cls, parts: list[Part], name: str, seed: int, replicates: int) -> _Maker:
        chosen = design(name, tuple(p.dims for p in parts), seed, replicates)
        floats = [path for part in parts if not isinstance(part, Chosen) for path in part.paths]
        return cls(tuple(parts), chosen, {path: j for j, path in enumerate(floats)})

    def __call__(self, part: slice) -> Block:
        if part.start % BLOCK or part.stop - part.start > BLOCK:
            raise ValueError(
                f"found draws {part.start} to {part.stop}; allowed: one block of {BLOCK}"
            )
        sources = self.design.sources(part.start // BLOCK)
        others: dict[str, NDArray[Any]] = {}
        filled: list[NDArray[Any]] = []
        for one, source in zip(self.parts, sources, strict=True):
            values = one.fill(source)
            if isinstance(one, Chosen):
                others |= dict(zip(one.paths, values.T, strict=True))
            else:
                filled.append(values)
        return Block(self._table(filled), self.columns, others).first(part.stop - part.start)

    def _table(self, filled: list[NDArray[Any]]) -> NDArray[np.float64]:
        if len(filled) == 1:
            return np.asarray(filled[0], dtype=float)
        table, at = np.empty((BLOCK, len(self.columns))), 0
        for values in filled:
            table[:, at : at + values.shape[1]] = values
            at += values.shape[1]
        return table


def _try(known: Known, draws: Draws, parts: list[Part]) -> None:
    """Write the first draw, and every listed value, into the scheme: what it refuses, it says."""
    trials: list[dict[str, Any]] = [draws.draw(0)]
    for part in parts:
        if isinstance(part, Chosen):
            trials += [dict.fromkeys(part.paths, value) for value in part.spec.values]
    for trial in trials:
        patch = {path: value for path, value in trial.items() if path in known.scheme.numbers}
        try:
            known.scheme.patch(patch, drawn=True)
        except InputError as error:
            known.problems.items.extend(error.problems)
            break
    known.problems.raise_any(SchemeError)
