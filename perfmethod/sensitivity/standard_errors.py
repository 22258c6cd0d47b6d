"""How far off results of draws may be: by what independent draws, or replicates, tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.scoring import Tally
from perfmethod.sensitivity.acceptability import share_error

__all__ = ["SHARES", "StandardErrors", "ordered", "replicate_error"]

Array = NDArray[np.float64]
Of = Callable[[Tally], Any]

SHARES = ("ranks", "grades", "pairs")


def replicate_error(sums: ArrayLike, counts: ArrayLike) -> Array:
    r"""Standard error of a mean from the means of independent replicates.

    .. math:: \frac{1}{n} \sqrt{\frac{R}{R-1} \sum_r (s_r - n_r \bar y)^2}, \qquad
              \bar y = \frac1n \sum_r s_r, \quad n = \sum_r n_r

    Replicates of one length have :math:`\sqrt{\sum_r (\bar y_r - \bar y)^2 / (R (R - 1))}`.

    Parameters
    ----------
    sums : array_like (R, ...)
        Sum of what is averaged over the draws of each replicate.
    counts : array_like (R, ...)
        Number of these draws; the axes that it lacks are the last ones of `sums`. A replicate
        without any does not count.

    Returns
    -------
    ndarray (...)
        NaN where there are not two replicates. It has R - 1 degrees of freedom.

    References
    ----------
    Cochran, *Sampling Techniques*, 3rd ed. (1977), section 6.4 (ratio of two sums).

    Examples
    --------
    >>> float(replicate_error([1.0, 2.0, 3.0], [2, 2, 2]).round(4))  # 0.5 / sqrt(3)
    0.2887
    """
    s, n = np.asarray(sums, float), np.asarray(counts, float)
    n = n.reshape(n.shape + (1,) * (s.ndim - n.ndim))
    whole, r = n.sum(0), (n > 0).sum(0)
    away = s - n * (s.sum(0) / np.maximum(whole, 1.0))
    variance = (away**2).sum(0) * r / np.maximum(r - 1, 1)
    return np.where(r > 1, np.sqrt(variance) / np.maximum(whole, 1.0), np.nan)


@dataclass(frozen=True)
class StandardErrors:
    """Standard errors of means over draws.

    Independent draws tell them by their own spread. Quasi-random draws depend on each other, and
    the spread of their replicates tells.

    Attributes
    ----------
    counts : Tally
        Of all draws.
    replicates : tuple of Tally (R,)
        Of each replicate; none where draws are independent.
    """

    counts: Tally = field(repr=False)
    replicates: tuple[Tally, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return f"<StandardErrors {self.kind}>"

    @property
    def kind(self) -> str:
        """What they rest on, in words."""
        if not self.replicates:
            return "of independent draws"
        return f"between {len(self.replicates)} replicates, {self.degrees} degrees of freedom"

    @property
    def degrees(self) -> int | None:
        """Degrees of freedom: R - 1, or None where there are as good as infinitely many."""
        return len(self.replicates) - 1 if self.replicates else None

    def margin(self, level: float = 0.95) -> float:
        """How many standard errors an interval reaches to either side of a result.

        The quantile of Student's t distribution with R - 1 degrees of freedom; of the normal
        distribution for independent draws.

        Parameters
        ----------
        level : float
            Confidence, between 0 and 1.
        """
        if not 0 < level < 1:
            raise PerfmethodError(f"level: found {level}; allowed: between 0 and 1")
        if self.degrees is None:
            return NormalDist().inv_cdf((1 + level) / 2)
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees, (1 + level) / 2))

    def share(self, of: Of) -> Array:
        """Of the share of draws that `of` counts in a tally.

        Never below that of a share of draws without a single one: also replicates that all agree
        leave open what is rarer than one draw.
        """
        if not self.replicates:
            return share_error(of(self.counts), self.counts.draws)
        return np.maximum(self._between(of), share_error(0, self.counts.draws))

    def mean(self, of: Of, independent: ArrayLike) -> Array:
        """Of the mean over draws of what `of` sums up in a tally.

        Parameters
        ----------
        of : callable
        independent : array_like (...)
            Standard error if draws are independent.
        """
        return self._between(of) if self.replicates else np.asarray(independent, float)

    def favorable(self, independent: ArrayLike) -> Array:
        """Of the mean weights of the draws in which each unit does best, (u, p).

        Parameters
        ----------
        independent : array_like (u, p)
            Standard error if draws are independent.
        """
        if not self.replicates or self.counts.first is None:
            return np.asarray(independent, float)
        parts = [part.first for part in self.replicates if part.first is not None]
        there = [part.best == self.counts.first.best for part in parts]
        sums = [part.sums * on[:, None] for part, on in zip(parts, there, strict=True)]
        draws = [part.draws * on for part, on in zip(parts, there, strict=True)]
        return replicate_error(sums, draws)

    def largest(self, shares: Sequence[str]) -> float:
        """Largest standard error of a share.

        Parameters
        ----------
        shares : sequence of {"ranks", "grades", "pairs"}
            Those that were not counted do not matter.
        """
        counted = [of for s in shares if (of := _COUNTS[s])(self.counts) is not None]
        return float(max((self.share(of).max(initial=0.0) for of in counted), default=0.0))

    def _between(self, of: Of) -> Array:
        return replicate_error([of(part) for part in self.replicates],
                               [part.draws for part in self.replicates])  # fmt: skip


def ordered(counts: Tally) -> Array:
    """Draws in which unit i ranks above j, those in which they tie counted half, (u, u)."""
    assert counts.wins is not None
    assert counts.ties is not None
    found: Array = counts.wins + counts.ties / 2
    return found


def _above(counts: Tally) -> NDArray[np.int64] | None:
    """Draws in which a unit ranks above another one of its class, (pairs,)."""
    if counts.wins is None:
        return None
    names = np.array(counts.classes)
    return counts.wins[(names[:, None] == names) & ~np.eye(len(names), dtype=bool)]


_COUNTS: dict[str, Of] = {
    "ranks": lambda counts: counts.ranks,
    "grades": lambda counts: counts.grades,
    "pairs": _above,
}
