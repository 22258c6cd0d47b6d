"""Totals as functions of one family of weights: constants plus ratios of linear functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Ratios"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ratios:
    r"""Totals of units as exact functions of weights that sum to one.

    .. math:: T_u(w) = c_u + \sum_r \frac{a_{ru} \cdot w}{b_{ru} \cdot w}, \qquad b \ge 0

    A weighted mean that redistributes the weight of what a unit does not have is such a ratio:
    *b* marks what the unit has. Where every unit has everything, *b* is one everywhere and totals
    are linear on the simplex.

    Parameters
    ----------
    const : ndarray (u,)
    num, den : ndarray (r, u, n)
        A ratio that is not there has ``num`` zero and ``den`` one.

    References
    ----------
    Charnes & Cooper, "Programming with linear fractional functionals", *Naval Research Logistics
    Quarterly* 9 (1962), 181-186.

    Examples
    --------
    The second unit lacks the second score, so that its first one counts alone:

    >>> r = Ratios.of([[90.0, 60.0], [80.0, np.nan]])
    >>> r.at([0.5, 0.5]).tolist(), r.linear.tolist()
    ([75.0, 80.0], [True, False])
    """

    const: Array
    num: Array
    den: Array

    @classmethod
    def of(cls, scores: ArrayLike, const: ArrayLike = 0.0) -> Ratios:
        """Weighted means of scores (u, n), those missing (NaN) left out."""
        s = np.asarray(scores, float)
        den = np.where(np.isnan(s), 0.0, 1.0)
        num = np.where(np.isnan(s), 0.0, s)
        base = np.broadcast_to(np.asarray(const, float), s.shape[:1]).copy()
        return cls(base, num[None], den[None])

    @property
    def single(self) -> NDArray[np.bool_]:
        """Units (u,) with at most one ratio whose value can change."""
        return np.asarray(self._varies.sum(0) <= 1)

    @property
    def linear(self) -> NDArray[np.bool_]:
        """Units (u,) whose totals are linear on the simplex."""
        return np.asarray((self.den == self.den[..., :1]).all(axis=(0, 2)))

    @property
    def _level(self) -> Array:
        """Value (r, u) of each ratio where the unit's largest denominator has all the weight."""
        top = self.den.argmax(-1)[..., None]
        num, den = (np.take_along_axis(x, top, -1)[..., 0] for x in (self.num, self.den))
        return np.asarray(num / den)

    @property
    def _varies(self) -> NDArray[np.bool_]:
        """Ratios (r, u) that are no constant: not a multiple of their own denominator."""
        rest = self.num - self._level[..., None] * self.den
        return np.asarray(np.abs(rest).max(-1) > 1e-12 * (1 + np.abs(self.num).max(-1)))

    def at(self, weights: ArrayLike) -> Array:
        """Totals at given weights.

        Parameters
        ----------
        weights : array_like (..., n)
            Summing to one (in each family, where several vary together).

        Returns
        -------
        ndarray (..., u)
        """
        w = np.asarray(weights, float)
        top = np.einsum("run,...n->...ru", self.num, w)
        bottom = np.einsum("run,...n->...ru", self.den, w)
        return np.asarray(self.const + (top / bottom).sum(-2))

    def one(self) -> tuple[Array, Array, Array]:
        """Constant (u,), numerator and denominator (u, n) of the one ratio that varies.

        Raises
        ------
        ValueError
            If a unit has several.
        """
        if not self.single.all():
            bad = np.flatnonzero(~self.single).tolist()
            raise ValueError(
                f"found totals of units {bad} with more than one ratio; allowed: one, for these "
                "weights to be searched exactly"
            )
        varies: NDArray[np.bool_] = self._varies
        const = self.const + np.where(varies, 0.0, self._level).sum(0)
        num = np.where(varies[..., None], self.num, 0.0).sum(0)
        den = np.where(varies[..., None], self.den, 0.0).sum(0)
        return const, num, np.where(np.any(varies, axis=0)[:, None], den, 1.0)

    def take(self, units: ArrayLike) -> Ratios:
        """The same for some of the units."""
        chosen = np.asarray(units)
        return Ratios(self.const[chosen], self.num[:, chosen], self.den[:, chosen])

    def difference(self, first: int, second: int) -> tuple[Array, Array] | None:
        """Linear function with the sign of first total less second; None if there is none.

        Two ratios with one denominator have a linear difference after multiplication by it.

        Returns
        -------
        tuple of ndarray (n,), or None
            Coefficients of the difference times the common denominator, and of the denominator.
        """
        const, num, den = self.take([first, second]).one()
        for j in (0, 1):  # a constant total has any denominator
            if not num[j].any():
                den[j] = den[1 - j]
        if not np.array_equal(den[0], den[1]):
            return None
        return (const[0] - const[1]) * den[0] + num[0] - num[1], den[0]

    def and_fixed(self, total: float) -> Ratios:
        """The same with one more unit, whose total is fixed: a threshold."""
        n = self.num.shape[-1]
        nothing = np.zeros((len(self.num), 1, n))
        return Ratios(
            np.append(self.const, total),
            np.concatenate([self.num, nothing], 1),
            np.concatenate([self.den, nothing + 1.0], 1),
        )

    def bounds(self) -> tuple[Array, Array]:
        """Totals (u,) that no weights of the simplex can exceed (a mediant lies in between)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(self.den > 0, self.num / self.den, np.nan)
        low, high = np.nanmin(each, -1).sum(0), np.nanmax(each, -1).sum(0)
        return np.asarray(self.const + low), np.asarray(self.const + high)
