"""Draws: values that replace numbers of a scheme or a year, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.core import BLOCK, blocks

__all__ = ["Draws"]

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Draws:
    """`size` draws of some numbers, each addressed by its dotted path.

    Paths are those of `Scheme.patch` (weights, powers, rule parameters, missing rules, caps,
    places, ...), and besides ``tasks.UNIT.INDICATOR.actual``, ``review.UNIT.DIMENSION``
    (survey scores) and ``rating.UNIT`` (internal rating) for measured values.

    Parameters
    ----------
    size : int
        Number of draws, k.
    make : callable
        ``make(part)`` returns ``{path: array (len(part),)}`` for a slice of the draws.
    paths : tuple of str
        Every path that `make` gives.
    note : str
        What varies, for the results' record.

    Examples
    --------
    >>> draws = Draws.of({"adjustments.bonus_cap": [0, 25, 50]})
    >>> draws.size, draws.block(slice(1, 3))["adjustments.bonus_cap"].tolist()
    (3, [25, 50])
    """

    size: int
    make: Callable[[slice], Values]
    paths: tuple[str, ...]
    note: str = ""

    @classmethod
    def of(cls, values: Mapping[str, ArrayLike], note: str = "given values") -> Draws:
        """Draws from arrays that exist already.

        Parameters
        ----------
        values : mapping of str to array_like (k,)

        Raises
        ------
        ValueError
            If the arrays differ in length or have more than one axis, or there is none.
        """
        arrays = {path: np.asarray(value) for path, value in values.items()}
        shapes = {a.shape for a in arrays.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ValueError(f"found arrays of shapes {sorted(shapes)}; allowed: one shape (k,)")
        (size,) = shapes.pop()
        return cls(size, lambda part: {p: a[part] for p, a in arrays.items()}, tuple(arrays), note)

    @classmethod
    def sampled(
        cls,
        size: int,
        sampler: Callable[[np.random.Generator, int], Values],
        paths: Iterable[str],
        *,
        seed: int,
        note: str = "sampled",
    ) -> Draws:
        """Draws made when they are needed, so that many of them need little memory.

        Each block of `core.BLOCK` draws has its own generator, spawned from the seed by the
        block's number: the same draws come out whatever the order or the number of workers.

        Parameters
        ----------
        size : int
        sampler : callable
            ``sampler(generator, n)`` returns ``{path: array (n,)}``.
        paths : iterable of str
            The paths it returns.
        seed : int
        """

        def make(part: slice) -> Values:
            if part.start % BLOCK:
                raise ValueError(f"found a block that starts at {part.start}; allowed: at a "
                                 f"multiple of {BLOCK}")  # fmt: skip
            key = np.random.SeedSequence(seed, spawn_key=(part.start // BLOCK,))
            values = sampler(np.random.default_rng(key), BLOCK)
            return {path: value[: part.stop - part.start] for path, value in values.items()}

        return cls(size, make, tuple(paths), f"{note}, seed {seed}")

    def block(self, part: slice) -> Values:
        """Values of some draws, each array (len(part),)."""
        return self.make(part)

    def draw(self, k: int) -> dict[str, Any]:
        """The values of one draw, as a patch of the scheme takes them."""
        start = k - k % BLOCK
        stop = min(start + BLOCK, self.size)
        return {path: value[k - start].item() for path, value in
                self.block(slice(start, stop)).items()}  # fmt: skip

    def blocks(self) -> Iterable[tuple[slice, Values]]:
        """Walk over all draws in blocks."""
        for part in blocks(self.size):
            yield part, self.block(part)
