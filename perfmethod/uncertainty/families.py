"""Weights of siblings drawn together: they stay a family whose sum is the scheme's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.uncertainty.names import Family, Known
from perfmethod.uncertainty.region import Region
from perfmethod.uncertainty.sources import Source
from perfmethod.uncertainty.specs import Part

__all__ = ["Dirichlet", "Polytope", "dirichlet", "polytope", "simplex"]

Array = NDArray[np.float64]
Sums = Mapping[tuple[str, ...], tuple[float, float]]


@dataclass(frozen=True)
class Dirichlet:
    """Weights around the scheme's, as shares of their family."""

    names: tuple[str, ...]
    concentration: float

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        return f"{', '.join(self.names)} dirichlet({self.concentration:g})"

    def parts(self, known: Known) -> list[Part]:
        """Look the families up."""
        if not 0 < self.concentration < np.inf:
            known.problems.add(f"a concentration of {self.concentration}", "above 0",
                               row="dirichlet")  # fmt: skip
            return []
        found: list[Part] = []
        for name in self.names:
            for family in known.families(name, "dirichlet"):
                weights = _weights(known, family)
                paths = tuple(p for p, w in zip(family.paths, weights, strict=True) if w > 0)
                found.append(_Gammas(paths, tuple(weights[weights > 0]), self.concentration))
        return found


@dataclass(frozen=True)
class _Gammas:
    paths: tuple[str, ...]
    weights: tuple[float, ...]
    concentration: float

    @property
    def dims(self) -> int:
        return len(self.paths)

    def fill(self, source: Source) -> NDArray[Any]:
        total = sum(self.weights)
        g = source.gamma(self.concentration * np.array(self.weights) / total)
        # all may underflow to zero where the concentration is tiny: then they share equally
        sums = g.sum(1, keepdims=True)
        share = np.divide(g, sums, out=np.full(g.shape, 1.0 / g.shape[1]), where=sums > 0)
        return total * share


def dirichlet(*families: str, concentration: float) -> Dirichlet:
    """Weights of siblings around the scheme's by a Dirichlet distribution.

    Parameters
    ----------
    *families : str
        A node (its children, in every class that has it), ``class.node``, a class (its blocks), or
        ``survey.categories``, ``survey.modes``, ``internal.categories``.
    concentration : float
        Sum of the distribution's parameters. A child with share p has mean p and variance
        ``p (1 - p) / (concentration + 1)``: the larger, the nearer to the scheme's weights.

    Returns
    -------
    Dirichlet

    Examples
    --------
    >>> dirichlet("indicator", concentration=50).note
    'indicator dirichlet(50)'
    """
    return Dirichlet(families, float(concentration))


@dataclass(frozen=True)
class Polytope:
    """Weights uniform over all that meet some constraints."""

    names: tuple[str, ...]
    lower: tuple[tuple[str, float], ...] = ()
    upper: tuple[tuple[str, float], ...] = ()
    order: tuple[tuple[str, ...], ...] = ()
    sums: tuple[tuple[tuple[str, ...], float, float], ...] = ()
    sweeps: int = 0

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        said = [" >= ".join(chain) for chain in self.order]
        said += [f"{c} >= {v:g}" for c, v in self.lower] + [f"{c} <= {v:g}" for c, v in self.upper]
        said += [f"{low:g} <= {' + '.join(m)} <= {high:g}" for m, low, high in self.sums]
        return f"{', '.join(self.names)} uniform" + (f" ({'; '.join(said)})" if said else "")

    def parts(self, known: Known) -> list[Part]:
        """Look the families and their children up, and see that there is something to draw."""
        found: list[Part] = []
        for name in self.names:
            for family in known.families(name, "polytope"):
                before = len(known.problems.items)
                region = self._region(known, family)
                if len(known.problems.items) > before:
                    continue
                try:
                    _ = region.method
                except PerfmethodError as error:
                    known.problems.add(f"'{family.name}': {error}", "see there", row="polytope")
                    continue
                found.append(_Uniform(family.paths, float(_weights(known, family).sum()), region))
        return found

    def _region(self, known: Known, family: Family) -> Region:
        total = float(_weights(known, family).sum())

        def at(child: str) -> int:
            if child in family.children:
                return family.children.index(child)
            known.problems.add(f"'{child}'", suggest(child, family.children),
                               row=f"polytope of '{family.name}'")  # fmt: skip
            return 0

        lower, upper = np.zeros(len(family.children)), np.full(len(family.children), 1.0)
        for child, value in self.lower:
            lower[at(child)] = value / total
        for child, value in self.upper:
            upper[at(child)] = value / total
        chains = tuple(tuple(at(c) for c in chain) for chain in self.order)
        rows = tuple((tuple(at(c) for c in m), low / total, high / total)
                     for m, low, high in self.sums)  # fmt: skip
        ordered = [j for chain in chains for j in chain]
        if len(set(ordered)) < len(ordered):
            known.problems.add("a child in two orders, or twice in one", "each child once",
                               row=f"polytope of '{family.name}'")  # fmt: skip
        if (lower < 0).any():
            known.problems.add("a negative bound", "0 or more", row=f"polytope of '{family.name}'")
        return Region(tuple(lower), tuple(upper), chains, rows, self.sweeps)


@dataclass(frozen=True)
class _Uniform:
    paths: tuple[str, ...]
    total: float
    region: Region

    @property
    def dims(self) -> int:
        return len(self.paths)

    def fill(self, source: Source) -> NDArray[Any]:
        return self.region.draw(source, self.total)


def simplex(*families: str) -> Polytope:
    """Weights of siblings uniform over everything that has the same sum: nothing is known of them.

    Parameters
    ----------
    *families : str
        As in `dirichlet`.

    Returns
    -------
    Polytope

    References
    ----------
    Lahdelma & Salminen, "SMAA-2: stochastic multicriteria acceptability analysis for group
    decision making", *Oper. Res.* 49 (2001) 444-454.

    Examples
    --------
    >>> simplex("indicator").note
    'indicator uniform'
    """
    return Polytope(families)


def polytope(
    *families: str,
    lower: Mapping[str, float] | None = None,
    upper: Mapping[str, float] | None = None,
    order: Sequence[str] | Sequence[Sequence[str]] = (),
    sums: Sums | None = None,
    sweeps: int = 0,
) -> Polytope:
    """Weights of siblings uniform over those that meet bounds, orders and sums.

    Parameters
    ----------
    *families : str
        As in `dirichlet`.
    lower, upper : mapping of str to float, optional
        Bounds of children, in the scheme's own points (shares of the family's sum).
    order : sequence of str, or of sequences of str
        Children from the heaviest to the lightest; several orders may not share a child.
    sums : mapping of tuple of str to (float, float), optional
        Least and greatest sum of some children.
    sweeps : int, optional
        Burn-in where a chain is needed; by default as many as the chains themselves need.

    Returns
    -------
    Polytope
        `Region` says by which method it is drawn; infeasible constraints are an error when it is
        looked up.

    Examples
    --------
    >>> polytope("city", order=["safety", "roads"], upper={"safety": 60}).note
    'city uniform (safety >= roads; safety <= 60)'
    """
    chains: list[tuple[str, ...]] = []
    if order:
        first = order[0]
        chains = [tuple(map(str, order))] if isinstance(first, str) else [tuple(c) for c in order]
    bounds = [tuple((c, float(v)) for c, v in (side or {}).items()) for side in (lower, upper)]
    rows = tuple((tuple(m), float(low), float(high)) for m, (low, high) in (sums or {}).items())
    return Polytope(families, bounds[0], bounds[1], tuple(chains), rows, sweeps)


def _weights(known: Known, family: Family) -> Array:
    return np.array([float(known.values[path]) for path in family.paths])
