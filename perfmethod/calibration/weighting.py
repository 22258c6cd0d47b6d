"""Weights with a record of how they were made and of what they match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.calibration.margins import Coded

__all__ = ["FAILURES", "Constraints", "Weighting", "kish_effective_size"]

Floats = NDArray[np.float64]

FAILURES = ("raise", "flag")


@dataclass(frozen=True, eq=False, repr=False)
class Constraints:
    """Totals that weights are to match: of groups, or of numbers.

    Parameters
    ----------
    names : tuple of (str, str), length p
        Margin and group, or "x" and the name of the number.
    targets : ndarray (p,)
    make : callable
        Makes the matrix (n, p); only variances need it.
    """

    names: tuple[tuple[str, str], ...]
    targets: Floats
    make: Callable[[], Floats]

    @classmethod
    def of_margins(cls, margins: list[Coded]) -> Constraints:
        """Indicators of groups."""
        names = tuple((m.name, str(g)) for m in margins for g in m.groups)
        totals = np.concatenate([m.totals for m in margins])
        return cls(names, totals, partial(indicators, tuple(margins)))

    @cached_property
    def matrix(self) -> Floats:
        """What is added up, (n, p)."""
        return self.make()


def indicators(margins: Sequence[Coded]) -> Floats:
    """Which group each member is in, margin beside margin, (n, p)."""
    parts = [m.codes[:, None] == np.arange(len(m.groups)) for m in margins]
    return np.concatenate(parts, axis=1).astype(float)


@dataclass(frozen=True, eq=False)
class Weighting:
    """Weights that match totals.

    Attributes
    ----------
    weights : ndarray (n,)
    base : ndarray (n,)
        Weights before.
    method : str
    converged : bool
        Whether every total is met within `tolerance`.
    iterations : int
    error : float
        Largest relative error of a total.
    worst : tuple of str
        The margin and group (or number) with that error.
    tolerance : float
    """

    weights: Floats = field(repr=False)
    base: Floats = field(repr=False)
    method: str
    converged: bool
    iterations: int
    error: float
    worst: tuple[str, str]
    tolerance: float
    _constraints: Constraints = field(repr=False)
    _scale: Floats | None = field(repr=False)
    _again: Callable[[Floats], Floats] = field(repr=False)

    def __repr__(self) -> str:
        said = "converged" if self.converged else f"NOT converged at {'/'.join(self.worst)}"
        below = int((self.weights < 0).sum())
        negative = f", {below} negative" if below else ""
        return (
            f"<Weighting of {len(self.weights)} by {self.method}, {said} in {self.iterations} "
            f"iterations, largest error {self.error:.1e}, effective size "
            f"{self.effective_size:.1f}{negative}>"
        )

    @property
    def factors(self) -> Floats:
        """Weights over those before, (n,); 1 where both are 0."""
        ones = np.ones(len(self.base))
        return np.divide(self.weights, self.base, out=ones, where=self.base != 0)

    @property
    def effective_size(self) -> float:
        """Kish's effective size of the sample, `kish_effective_size`."""
        return kish_effective_size(self.weights)

    def to_frame(self) -> pd.DataFrame:
        """Totals before and after.

        Returns
        -------
        DataFrame
            margin, group, target, before, after, error (relative).
        """
        import pandas as pd

        x, target = self._constraints.matrix, self._constraints.targets
        frame = pd.DataFrame(self._constraints.names, columns=["margin", "group"])
        frame["target"], frame["before"] = target, self.base @ x
        frame["after"] = self.weights @ x
        frame["error"] = relative_errors(x, self.base, self.weights, target)
        return frame


def relative_errors(x: Floats, base: Floats, weights: Floats, targets: Floats) -> Floats:
    """Errors (p,) of totals, over the larger of the target and the base total of absolutes."""
    size = np.maximum(np.abs(targets), base @ np.abs(x))
    missed = np.abs(weights @ x - targets)
    return np.divide(missed, size, out=np.where(missed > 0, np.inf, 0.0), where=size > 0)


def kish_effective_size(weights: ArrayLike) -> float:
    r"""Size of a sample of equal weights that gives means of the same variance.

    :math:`(\sum_i w_i)^2 / \sum_i w_i^2`, where the weights have nothing to do with what is
    averaged and members are independent.

    Parameters
    ----------
    weights : array_like, shape (n,)
        Any scale.

    Returns
    -------
    float
        At most the number of weights that are not 0.

    Raises
    ------
    PerfmethodError
        A weight that is not finite, or weights that are all 0.

    References
    ----------
    Kish, L. (1965). *Survey Sampling*. Wiley, section 11.7.

    Examples
    --------
    >>> kish_effective_size([1, 1, 1, 1]), round(kish_effective_size([3, 1]), 9)
    (4.0, 1.6)
    """
    w = np.asarray(weights, dtype=float)
    if not np.isfinite(w).all() or not (w != 0).any():
        raise PerfmethodError("weights: found one not finite, or all 0; allowed: finite numbers")
    top = np.abs(w).max()  # squares of very large or small weights stay in range
    return float((w / top).sum() ** 2 / ((w / top) ** 2).sum())


def finish(
    found: Weighting, on_failure: str, hint: str = "the totals may contradict each other"
) -> Weighting:
    """Return what converged; otherwise raise or flag.

    Raises
    ------
    PerfmethodError
        Not converged, with ``on_failure="raise"``; or `on_failure` is another word.
    """
    if on_failure not in FAILURES:
        raise PerfmethodError(f"on_failure: found {on_failure!r}; allowed: raise, flag")
    if found.converged or on_failure == "flag":
        return found
    margin, group = found.worst
    raise PerfmethodError(
        f"{margin}, {group}: found a relative error of {found.error:.3g} after "
        f"{found.iterations} iterations of {found.method}; allowed: {found.tolerance:g} "
        f"({hint}; on_failure='flag' gives the weights as they are)"
    )


def frozen(*arrays: Any) -> None:
    """Make arrays read-only."""
    for array in arrays:
        array.setflags(write=False)
