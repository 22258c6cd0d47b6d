"""One-way analysis of variance from moments that can be merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.moments import Moments

__all__ = ["OneWay", "ShiftedMoments", "one_way"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ShiftedMoments:
    """Size, mean and squares about the mean of groups of floats, each less a common shift.

    For ratings that are decimal numbers use `Moments`, which are exact. These are for any floats:
    the difference from a value of their own size is exact, and what is left is short enough for
    the sums to lose nothing that the values themselves have. Merging is as precise; its bits depend
    on the order, as of all floats.

    Parameters
    ----------
    groups : tuple
        Labels, sorted.
    sizes, means, squares : ndarray (g,)
        Means are of the values less `shift`; squares are about the mean.
    shift : float
        Pieces may have different ones.

    Examples
    --------
    >>> a = ShiftedMoments.of([1e12 + 0.4, 1e12 + 0.2], ["A", "B"])
    >>> b = ShiftedMoments.of([1e12 + 0.3, 1e12 + 0.1], ["A", "B"])
    >>> (a + b).sizes
    array([2, 2])
    """

    groups: tuple[Any, ...]
    sizes: NDArray[np.int64]
    means: Floats
    squares: Floats
    shift: float

    @classmethod
    def of(
        cls, values: ArrayLike, groups: Sequence[Any], shift: float | None = None
    ) -> ShiftedMoments:
        """Reduce values (n,) of groups; the shift is the first value where none is given."""
        import pandas as pd

        y = np.asarray(values, float)
        if len(y) != len(groups):
            raise PerfmethodError(f"groups: found {len(groups)}; allowed: {len(y)}, one a value")
        if not np.isfinite(y).all():
            raise PerfmethodError("values: found one that is not finite; allowed: finite numbers")
        origin = (float(y[0]) if len(y) else 0.0) if shift is None else shift
        codes, labels = pd.factorize(pd.Series(list(groups)), sort=True)
        order = np.argsort(codes, kind="stable")
        moved, code = (y - origin)[order], codes[order]
        sizes = np.bincount(code, minlength=len(labels)).astype(np.int64)
        start = np.cumsum(sizes) - sizes
        # reduceat adds one by one; pairwise sums, group by group, keep more
        parts = np.split(moved, start[1:]) if len(labels) else []
        means = np.array([part.mean() for part in parts])
        squares = np.array([_squares(part) for part in parts])
        return cls(tuple(labels.tolist()), sizes, means, squares, origin)

    def __add__(self, other: ShiftedMoments) -> ShiftedMoments:
        if not isinstance(other, ShiftedMoments):
            return NotImplemented
        groups = tuple(sorted({*self.groups, *other.groups}))
        a, b = self._placed(groups), other._placed(groups)
        n = a.sizes + b.sizes
        apart = (b.means - a.means) + (other.shift - self.shift)
        share = np.divide(b.sizes, n, out=np.zeros(len(n)), where=n > 0)
        # a group that stands in one piece only takes that piece's mean
        means = np.where(a.sizes > 0, a.means + share * apart, b.means + (other.shift - self.shift))
        both = (a.sizes > 0) & (b.sizes > 0)
        squares = a.squares + b.squares + np.where(both, a.sizes * share * apart**2, 0.0)
        return ShiftedMoments(groups, n, means, squares, self.shift)

    def _placed(self, groups: tuple[Any, ...]) -> ShiftedMoments:
        place = [groups.index(g) for g in self.groups]
        sizes = np.zeros(len(groups), np.int64)
        means, squares = np.zeros(len(groups)), np.zeros(len(groups))
        sizes[place], means[place], squares[place] = self.sizes, self.means, self.squares
        return ShiftedMoments(groups, sizes, means, squares, self.shift)


@dataclass(frozen=True)
class OneWay:
    """Analysis of variance of groups.

    Parameters
    ----------
    f : float
        Ratio of the mean squares.
    df_between, df_within : int
        Degrees of freedom.
    ss_between, ss_within : float
        Sums of squares.
    p_value : float
        Of an F as large, were all groups alike.
    exact : bool
        Whether the sums of squares are exact before the last rounding.
    """

    f: float
    df_between: int
    df_within: int
    ss_between: float
    ss_within: float
    p_value: float
    exact: bool

    @property
    def r_squared(self) -> float:
        """Share of the total sum of squares that is between groups."""
        return self.ss_between / (self.ss_between + self.ss_within)

    def __repr__(self) -> str:
        df = f"{self.df_between}, {self.df_within}"
        return f"<OneWay F({df}) = {self.f:.6g}, p {self.p_value:.3g}>"


def one_way(moments: Moments | ShiftedMoments) -> OneWay:
    """Compare the means of groups.

    Parameters
    ----------
    moments : Moments or ShiftedMoments
        Of `Moments`, every cell is a group, and the sums of squares are rational numbers: exact.

    Raises
    ------
    PerfmethodError
        Fewer than two groups, or no variation within them.

    References
    ----------
    Simon, S. D. and Lesage, J. P. (1989). Assessing the accuracy of ANOVA calculations in
    statistical software. *Computational Statistics & Data Analysis* 8, 325-332.

    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
    variance. *The American Statistician* 37, 242-247. Shifted and merged moments.

    Examples
    --------
    >>> one_way(Moments.of([1, 3, 6, 8], batch=["A", "A", "B", "B"]))
    <OneWay F(1, 2) = 12.5, p 0.0715>
    """
    exact = isinstance(moments, Moments)
    sizes = moments.counts if isinstance(moments, Moments) else moments.sizes
    between, within = len(sizes) - 1, int(sizes.sum()) - len(sizes)
    if between < 1 or within < 1:
        raise PerfmethodError(
            f"groups: found {len(sizes)} with {int(sizes.sum())} values; "
            "allowed: at least two groups, and more values than groups"
        )
    if isinstance(moments, Moments):
        ss = _exact_squares(moments)
        unit = Fraction(1, 10 ** (2 * moments.decimals))
    else:
        ss, unit = _shifted_squares(moments), Fraction(1)
    if not ss[1] > 0:
        raise PerfmethodError("values: found none that vary within a group; allowed: some")
    f = float(ss[0] * within / (ss[1] * between))
    return OneWay(
        f,
        between,
        within,
        float(ss[0] * unit if exact else ss[0]),
        float(ss[1] * unit if exact else ss[1]),
        _tail(f, between, within),
        exact,
    )


def _tail(f: float, between: int, within: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(between, within, f))


def _exact_squares(moments: Moments) -> tuple[Fraction, Fraction]:
    counts, sums = moments.counts.tolist(), moments.sums.tolist()
    groups = sum((Fraction(s * s, n) for s, n in zip(sums, counts, strict=True)), Fraction(0))
    mean = Fraction(sum(sums) ** 2, sum(counts))
    return groups - mean, sum(moments.squares.tolist()) - groups


def _shifted_squares(moments: ShiftedMoments) -> tuple[Any, Any]:
    n = moments.sizes.astype(float)
    mean = (n @ moments.means) / n.sum()
    return float(n @ (moments.means - mean) ** 2), float(moments.squares.sum())


def _squares(part: Floats) -> float:
    """Squares about the mean in two passes, less what rounding of the mean leaves."""
    centred = part - part.mean()
    return float((centred**2).sum() - centred.sum() ** 2 / len(part))
