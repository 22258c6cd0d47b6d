"""Random and quasi-random numbers for one block of draws: the same for a block whoever asks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from perfmethod.compiled import ready
from perfmethod.core import BLOCK
from perfmethod.errors import PerfmethodError, suggest

__all__ = ["DESIGNS", "Design", "Source", "design"]

Array = NDArray[np.float64]
DESIGNS = ("random", "sobol", "latin_hypercube")

_STEP = np.float32(2.0**-32)
_CELL = 2.0**-31  # half the distance of the points that Sobol's sequence can take


class Source(Protocol):
    """Standard variates of a block, each (n, d)."""

    n: int

    def uniform(self, d: int) -> Array: ...
    def normal(self, d: int) -> NDArray[Any]: ...
    def exponential(self, d: int) -> NDArray[Any]: ...
    def gamma(self, shapes: Array) -> Array: ...
    def generator(self) -> np.random.Generator: ...


class RandomSource:
    """Independent pseudo-random numbers.

    Normal and exponential variates are made by inversion and by Box and Muller's method in single
    precision: arrays of them cost a third of a generator's own, and a draw needs no more digits.

    References
    ----------
    Box & Muller, "A note on the generation of random normal deviates", *Ann. Math. Stat.* 29
    (1958) 610-611.
    """

    def __init__(self, key: np.random.SeedSequence, n: int = BLOCK) -> None:
        self.n, self._bits = n, np.random.SFC64(key)

    def generator(self) -> np.random.Generator:
        return np.random.Generator(self._bits)

    def uniform(self, d: int) -> Array:
        return self.generator().random((self.n, d))

    def normal(self, d: int) -> NDArray[Any]:
        half = -(-self.n * d // 2)
        u = self._unit(2 * half)
        radius, angle = u[:half], u[half:]
        np.log(radius, out=radius)
        radius *= np.float32(-2.0)
        np.sqrt(radius, out=radius)
        angle *= np.float32(2 * np.pi)
        z = np.concatenate([np.cos(angle), np.sin(angle)])
        z[:half] *= radius
        z[half:] *= radius
        return z[: self.n * d].reshape(self.n, d)

    def exponential(self, d: int) -> NDArray[Any]:
        e = self._unit(self.n * d)
        np.log(e, out=e)
        np.negative(e, out=e)
        return e.reshape(self.n, d)

    def gamma(self, shapes: Array) -> Array:
        return self.generator().standard_gamma(shapes, (self.n, len(shapes)))

    def _unit(self, n: int) -> NDArray[np.float32]:
        """Uniform on (0, 1], 32 bits each."""
        loops = ready()
        if loops is not None:
            u, state = np.empty(n + n % 2, np.float32), self._bits.state
            loops.unit_floats(state["state"]["state"], u)
            self._bits.state = state
            return u[:n]
        words = np.asarray(self._bits.random_raw(-(-n // 2)), dtype="<u8").view("<u4")[:n]
        u = words.astype(np.float32)
        u += np.float32(0.5)
        u *= _STEP
        return u


class PointSource:
    """Points of a design in the unit cube, a column for each variate, turned by inversion."""

    def __init__(self, points: Array) -> None:
        self.n, self._points, self._at = len(points), points, 0

    def generator(self) -> np.random.Generator:
        raise PerfmethodError(
            "found a set of weights that is sampled by rejection or by a chain; allowed with "
            "quasi-random designs: what a fixed number of variates makes, so use design='random'"
        )

    def uniform(self, d: int) -> Array:
        self._at += d
        return self._points[:, self._at - d : self._at]

    def normal(self, d: int) -> NDArray[Any]:
        from scipy.special import ndtri

        return np.asarray(ndtri(self.uniform(d)))

    def exponential(self, d: int) -> NDArray[Any]:
        return -np.log1p(-self.uniform(d))

    def gamma(self, shapes: Array) -> Array:
        from scipy.special import gammaincinv

        return np.asarray(gammaincinv(shapes, self.uniform(len(shapes))))


class Design:
    """Sources by block and by part of the specification.

    Parameters
    ----------
    name : {"random", "sobol", "latin_hypercube"}
    dims : tuple of int
        Variates that each part needs.
    seed : int
    replicates : int
        Scrambled sequences, whose blocks take turns.
    """

    def __init__(self, name: str, dims: tuple[int, ...], seed: int, replicates: int = 1) -> None:
        self.name, self.dims, self.seed, self.replicates = name, dims, seed, replicates
        self._engines: dict[tuple[int, int], Any] = {}  # by replicate and the block that is next

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engines": {}}

    def sources(self, block: int) -> list[Source]:
        """One source for each part: a part's draws do not depend on the parts beside it."""
        if self.name == "random":
            keys = [np.random.SeedSequence(self.seed, spawn_key=(i, block))
                    for i in range(len(self.dims))]  # fmt: skip
            return [RandomSource(key) for key in keys]
        points = self._sobol(block) if self.name == "sobol" else self._hypercube(block)
        edges = np.cumsum((0, *self.dims))
        return [PointSource(points[:, a:b]) for a, b in pairwise(edges)]

    def _sobol(self, block: int) -> Array:
        """The next points of the replicate's own sequence; going on costs less than jumping."""
        at, replicate = divmod(block, self.replicates)
        # taken out while it is used: no two threads go on with one engine
        engine = self._engines.pop((replicate, at), None) or self._scrambled(replicate, at)
        points: Array = engine.random(BLOCK)
        if len(self._engines) >= self.replicates:
            self._engines.clear()  # left behind by jumps
        self._engines[replicate, at + 1] = engine
        return np.clip(points + _CELL, 0.0, 1.0 - _CELL)

    def _scrambled(self, replicate: int, at: int) -> Any:
        """A sequence scrambled independently of the others, from one of its blocks on."""
        from scipy.stats import qmc

        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0, replicate)))
        engine: Any = qmc.Sobol(sum(self.dims), scramble=True, seed=rng)
        return engine.fast_forward(at * BLOCK) if at else engine

    def _hypercube(self, block: int) -> Array:
        """Each block is a Latin hypercube of its own, independent of the others."""
        key = np.random.SeedSequence(self.seed, spawn_key=(0, block))
        rng = np.random.default_rng(key)
        rows = np.tile(np.arange(BLOCK)[:, None], (1, sum(self.dims)))
        points = (rng.permuted(rows, axis=0) + rng.random(rows.shape)) / BLOCK
        return np.clip(points, _CELL, 1.0 - _CELL)


def design(name: str, dims: tuple[int, ...], seed: int, replicates: int = 1) -> Design:
    """A design by its name.

    Raises
    ------
    PerfmethodError
        If there is none of that name.
    """
    if name not in DESIGNS:
        raise PerfmethodError(f"design: found {name!r}; allowed: {suggest(name, DESIGNS)}")
    return Design(name, dims, seed, replicates)
