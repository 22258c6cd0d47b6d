"""Draws: values that replace numbers of a scheme or a year, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.core import BLOCK, blocks

__all__ = ["Block", "Draws"]

Values = Mapping[str, NDArray[Any]]


class Block(Mapping[str, NDArray[Any]]):
    """Values of a block of draws whose numbers stand side by side in one table.

    A mapping like any other; scoring takes many columns of the table at once.

    Parameters
    ----------
    table : ndarray of float (k, p)
    columns : mapping of str to int
        Column of each path.
    others : mapping of str to ndarray (k,)
        What is no floating-point number: words, whole numbers.

    Examples
    --------
    >>> block = Block(np.array([[1.0, 2.0]]), {"a": 0, "b": 1}, {"c": np.array(["zero"])})
    >>> block["b"].tolist(), sorted(block), len(block)
    ([2.0], ['a', 'b', 'c'], 3)
    """

    def __init__(
        self,
        table: NDArray[np.float64],
        columns: Mapping[str, int],
        others: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self.table, self.columns, self.others = table, columns, dict(others or {})

    def __getitem__(self, path: str) -> NDArray[Any]:
        if path in self.columns:
            return self.table[:, self.columns[path]]
        return self.others[path]

    def __iter__(self) -> Iterator[str]:
        yield from self.columns
        yield from self.others

    def __len__(self) -> int:
        return len(self.columns) + len(self.others)

    def first(self, n: int) -> Block:
        """The first `n` draws of the block."""
        others = {path: values[:n] for path, values in self.others.items()}
        return Block(self.table[:n], self.columns, others)


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
    independent: ClassVar[bool] = True  # whether the formulas for independent draws hold

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
        return cls(size, _Given(arrays), tuple(arrays), note)

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

        return cls(size, _Sampled(sampler, seed), tuple(paths), f"{note}, seed {seed}")

    def between(self, start: int, stop: int) -> Draws:
        """Draws `start` to `stop`, themselves draws.

        Raises
        ------
        ValueError
            If they do not begin where a block begins, or there are not so many.
        """
        if start % BLOCK or not 0 <= start < stop <= self.size:
            raise ValueError(f"found draws {start} to {stop}; allowed: from a multiple of {BLOCK} "
                             f"to {self.size} at most")  # fmt: skip
        return replace(self, size=stop - start, make=_Shifted(self.make, start))

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


@dataclass(frozen=True)
class _Given:
    """Draws that exist: a callable that other processes can be sent."""

    arrays: Values

    def __call__(self, part: slice) -> Values:
        return {path: array[part] for path, array in self.arrays.items()}


@dataclass(frozen=True)
class _Sampled:
    """Draws made block by block, each with a generator of its own."""

    sampler: Callable[[np.random.Generator, int], Values]
    seed: int

    def __call__(self, part: slice) -> Values:
        if part.start % BLOCK:
            raise ValueError(f"found a block that starts at {part.start}; allowed: at a "
                             f"multiple of {BLOCK}")  # fmt: skip
        key = np.random.SeedSequence(self.seed, spawn_key=(part.start // BLOCK,))
        values = self.sampler(np.random.default_rng(key), BLOCK)
        n = part.stop - part.start
        if isinstance(values, Block):
            return values.first(n)
        return {path: value[:n] for path, value in values.items()}


@dataclass(frozen=True)
class _Shifted:
    """Later draws, counted from 0."""

    make: Callable[[slice], Values]
    start: int

    def __call__(self, part: slice) -> Values:
        return self.make(slice(part.start + self.start, part.stop + self.start))
