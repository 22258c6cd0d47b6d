"""Quasi-random draws in replicates: how these differ tells the error of what they average."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from numpy.typing import NDArray

from perfmethod.core import BLOCK
from perfmethod.draws import Draws

__all__ = ["REPLICATES", "Replicated"]

REPLICATES = 16


@dataclass(frozen=True)
class Replicated(Draws):
    """Draws of a quasi-random design in R replicates, each randomized independently.

    The blocks of `core.BLOCK` draws go round: block b belongs to replicate b mod R. More draws
    lengthen every replicate and change none of those before. A mean over one replicate is unbiased,
    and the R means are independent, so their variance tells the error of their mean; no formula
    for the points inside a replicate does.

    Parameters
    ----------
    replicates : int
        R.
    design : {"sobol", "latin_hypercube"}

    References
    ----------
    Owen, "Monte Carlo variance of scrambled net quadrature", *SIAM J. Numer. Anal.* 34 (1997)
    1884-1910.
    L'Ecuyer, Nakayama, Owen & Tuffin, "Confidence intervals for randomized quasi-Monte Carlo
    estimators", *Proc. Winter Simulation Conference* (2023) 445-456.

    Examples
    --------
    >>> from perfmethod import Scheme
    >>> from perfmethod.uncertainty import draw, percent
    >>> scheme = Scheme.loads('format = 1\\nclasses.city = {}\\n'
    ...                       'indicators.roads = { rule = { method = "identity" } }')
    >>> draws = draw(scheme, 8192, percent("roads", by=10), seed=1, design="sobol", replicates=4)
    >>> draws.at_least(5000), draws.at_most(15_000), draws.replicate(3).size
    (8192, 8192, 2048)
    """

    replicates: int = REPLICATES
    design: str = "sobol"
    independent: ClassVar[bool] = False

    @property
    def round(self) -> int:
        """Draws in which each replicate gets one block."""
        return self.replicates * BLOCK

    @property
    def allowed(self) -> str:
        """Numbers of draws with which replicates are whole, in words."""
        if self.replicates < 2:
            return "at least 2 replicates"
        times = "a power of 2" if self.design == "sobol" else "a whole number"
        high = self.at_least(self.size)
        low = self.at_most(high - 1)
        near = f"{low} or {high}" if low else f"{high} or {2 * high}"
        return f"{self.round} times {times}, such as {near}"

    @property
    def whole(self) -> bool:
        """Whether there are replicates, all of the length that the design is made for."""
        return self.replicates > 1 and self.at_least(self.size) == self.size

    def at_least(self, size: int) -> int:
        """Fewest draws in whole replicates, not fewer than `size`.

        A Sobol' sequence is balanced where its length is a power of 2; Latin hypercubes have
        one block each.
        """
        rounds = max(-(-size // self.round), 1)
        return self.round * (1 << (rounds - 1).bit_length() if self.design == "sobol" else rounds)

    def at_most(self, size: int) -> int:
        """Most draws in whole replicates, not more than `size`; 0 where there are none."""
        rounds = size // self.round
        if self.design == "sobol" and rounds:
            rounds = 1 << (rounds.bit_length() - 1)
        return self.round * rounds

    def replicate(self, r: int) -> Replicated:
        """The draws of one replicate, which by themselves tell no error.

        Raises
        ------
        ValueError
            If there is no such replicate, or the draws are no whole rounds.
        """
        if not 0 <= r < self.replicates or self.size % self.round:
            raise ValueError(
                f"found replicate {r} of {self.size} draws; allowed: 0 to {self.replicates - 1}, "
                f"of a multiple of {self.round}"
            )
        make = _Every(self.make, r, self.replicates)
        return replace(self, size=self.size // self.replicates, make=make, replicates=1)

    def number(self, r: int, k: int) -> int:
        """Number, among all, of draw k of replicate r."""
        block, row = divmod(k, BLOCK)
        return (block * self.replicates + r) * BLOCK + row


@dataclass(frozen=True)
class _Every:
    """One block of draws in so many."""

    make: Callable[[slice], Mapping[str, NDArray[Any]]]
    first: int
    step: int

    def __call__(self, part: slice) -> Mapping[str, NDArray[Any]]:
        start = (part.start // BLOCK * self.step + self.first) * BLOCK
        return self.make(slice(start, start + part.stop - part.start))
