"""Uniform draws from a polytope of weights: exact where a method exists, else a stated chain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.compiled import ready
from perfmethod.errors import PerfmethodError
from perfmethod.uncertainty.mixing import AGREED, LAST, Chains, mixing
from perfmethod.uncertainty.sources import RandomSource, Source

__all__ = ["Region"]

Array = NDArray[np.float64]

PILOT = 8192  # proposals by which the share that is accepted is estimated
PIECE = 256  # rows stretched at a time: they stay in the nearer caches
NEAR = 1e-12  # rounding of sums of shares
LEAST = 0.02  # below this share a chain is cheaper than rejection


@dataclass(frozen=True)
class Region:
    """Weights of a family: shares that sum to one, inside bounds, orders and sums.

    Parameters
    ----------
    lower, upper : tuple of float (c,)
        Bounds of the shares.
    chains : tuple of tuple of int
        Positions in descending order of their shares; no position in two chains.
    rows : tuple of (tuple of int, float, float)
        Positions whose shares' sum lies between two numbers.
    sweeps : int
        Burn-in of the chain: every draw starts in the middle and makes this many sweeps. Zero for
        as many as the chains themselves need to forget the middle (`mixing`).

    Notes
    -----
    Ordered weights: a uniform point of the simplex is exchangeable, so sorting the coordinates of
    a chain gives the uniform distribution under its order; the mean of completely ordered weights
    are the rank-order centroid weights. Lower bounds shrink and shift the simplex. What remains is
    met by rejection from there where at least 2 % are accepted, else by many short
    coordinate-pair chains, one for each draw.

    References
    ----------
    Devroye, *Non-Uniform Random Variate Generation* (1986), chapter XI.2 (simplex).
    Smith, "Efficient Monte Carlo procedures for generating points uniformly distributed over
    bounded regions", *Oper. Res.* 32 (1984) 1296-1308.
    Tervonen et al., "Hit-and-run enables efficient weight generation for simulation-based multiple
    criteria decision analysis", *Eur. J. Oper. Res.* 224 (2013) 552-559.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    chains: tuple[tuple[int, ...], ...] = ()
    rows: tuple[tuple[tuple[int, ...], float, float], ...] = ()
    sweeps: int = 0

    @property
    def size(self) -> int:
        """Number of weights, c."""
        return len(self.lower)

    @cached_property
    def halfspaces(self) -> tuple[Array, Array]:
        """The region as ``A w <= b``."""
        eye = np.eye(self.size)
        rows = [(-eye[j], -low) for j, low in enumerate(self.lower)]
        rows += [(eye[j], high) for j, high in enumerate(self.upper) if high < 1]
        for chain in self.chains:
            rows += [(eye[b] - eye[a], 0.0) for a, b in pairwise(chain)]
        for members, low, high in self.rows:
            total = eye[list(members)].sum(0)
            rows += [(-total, -low)] if low > 0 else []
            rows += [(total, high)] if high < 1 else []
        return np.array([a for a, _ in rows]), np.array([b for _, b in rows])

    @cached_property
    def middle(self) -> Array:
        """Center of the largest ball inside.

        Raises
        ------
        PerfmethodError
            If no weights meet all constraints, or so few that nothing can be drawn.
        """
        from scipy.optimize import linprog

        a, b = self.halfspaces
        inside = a - a.mean(1, keepdims=True)  # movements keep the sum
        norm = np.linalg.norm(inside, axis=1)
        cost = np.append(np.zeros(self.size), -1.0)
        found: Any = linprog(
            cost,
            A_ub=np.column_stack([a, norm]),
            b_ub=b,
            A_eq=[np.append(np.ones(self.size), 0.0)],
            b_eq=[1.0],
            bounds=[(None, None)] * self.size + [(0, None)],
        )
        if found.status != 0 or (self.size > 1 and found.x[-1] < 1e-9):
            how = "leave no room" if found.status == 0 else "contradict each other"
            raise PerfmethodError(
                f"found bounds, orders and sums that {how}; allowed: a set of weights with an "
                "inside (a weight that must not vary is left out of the family)"
            )
        return np.asarray(found.x[:-1])

    @cached_property
    def shift(self) -> Array:
        """Lower bounds that the proposals meet by themselves."""
        low = np.array(self.lower)
        plain = all(len({self.lower[j] for j in chain}) == 1 for chain in self.chains)
        return low if plain else np.zeros(self.size)

    @cached_property
    def _free(self) -> float:
        """What the lower bounds leave of the sum."""
        return float(1.0 - self.shift.sum())

    @cached_property
    def accepted(self) -> float:
        """Share of proposals that lie inside, from a pilot with a seed of its own."""
        _ = self.middle
        pilot = self.propose(RandomSource(np.random.SeedSequence(0), PILOT).exponential(self.size))
        return float(self.inside(pilot).mean())

    @cached_property
    def implied(self) -> bool:
        """Whether every proposal lies inside, whatever is drawn: only then none need be checked."""
        low, free = self.shift, self._free
        most = low + free  # of each share
        sums = (
            (low[list(members)].sum(), low[list(members)].sum() + free, least, greatest)
            for members, least, greatest in self.rows
        )
        return bool(
            (np.array(self.lower) <= low).all()
            and (most <= np.array(self.upper) + NEAR).all()
            and all(a >= least - NEAR and b <= greatest + NEAR for a, b, least, greatest in sums)
        )

    @cached_property
    def method(self) -> str:
        """How draws are made."""
        if self.implied:
            _ = self.middle  # refuses what leaves no room
            return "exact"
        return "rejection" if self.accepted >= LEAST else "chain"

    @property
    def note(self) -> str:
        """Method, with the share accepted or the burn-in.

        Raises
        ------
        PerfmethodError
            As `burn_in`.
        """
        if self.method == "chain":
            how = "as given" if self.sweeps else "until chains forget their start"
            return f"chain, {self.burn_in} sweeps {how}"
        some = f", {self.accepted:.1%} of the pilot accepted"
        return self.method + (some if self.method == "rejection" else "")

    @cached_property
    def burn_in(self) -> int:
        """Sweeps that a chain makes for each draw, from pilot chains with a seed of their own.

        Raises
        ------
        PerfmethodError
            If chains still depend on their start after the most sweeps that are tried.
        """
        if self.sweeps:
            return self.sweeps
        found, apart = mixing(*self.halfspaces, self.middle)
        if not found:
            raise PerfmethodError(
                f"found a set of weights so narrow that chains of {LAST} sweeps still depend on "
                f"where they start (by {apart:.1f} standard errors; allowed: {AGREED:g}); allowed: "
                "wider bounds, orders and sums (one weight less where a sum is nearly fixed), or "
                "the number of `sweeps` to make, as given"
            )
        return found

    def propose(self, e: NDArray[Any], total: float = 1.0) -> Array:
        """Weights (n, c) from standard exponentials (n, c), which they may overwrite."""
        w = e if e.dtype == np.float64 else e.astype(np.float64)
        for i in range(0, len(w), PIECE):
            self._stretch(w[i : i + PIECE], total)
        return total * self.shift + w if self._free < 1.0 else w

    def _stretch(self, w: Array, total: float) -> None:
        """Put exponentials (n, c) in order, and stretch each row to the sum that is free."""
        for chain in self.chains:
            w[:, list(chain)] = -np.sort(-w[:, list(chain)], axis=1)
        factor = total * self._free / (w @ np.ones(self.size))
        loops = ready()
        if loops is None:
            w *= factor[:, None]
        else:
            loops.scale_rows(w, factor)

    def inside(self, w: Array) -> NDArray[np.bool_]:
        """Whether shares (n, c) meet every constraint, (n,)."""
        a, b = self.halfspaces
        found: NDArray[np.bool_] = np.logical_and.reduce(w @ a.T <= b + NEAR, axis=1)
        return found

    def draw(self, source: Source, total: float = 1.0) -> Array:
        """Weights whose sum is `total`, (n, c)."""
        if self.method == "exact":
            return self.propose(source.exponential(self.size), total)
        rng = source.generator()
        make = self._reject if self.method == "rejection" else self._walk
        return total * make(rng, source.n)

    def _reject(self, rng: np.random.Generator, n: int) -> Array:
        kept: list[Array] = []
        batch = int(n / self.accepted * 1.1) + 16
        while sum(map(len, kept)) < n:
            w = self.propose(rng.standard_exponential((batch, self.size)))
            kept.append(w[self.inside(w)])
        return np.concatenate(kept)[:n]

    def _walk(self, rng: np.random.Generator, n: int) -> Array:
        """Where chains from the middle are after the burn-in."""
        chains = Chains(*self.halfspaces, self.middle, n, rng)
        chains.sweep(self.burn_in)
        return chains.at
