"""Probabilities of ordered options given a latent position, with their derivatives."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Adjacent", "Cumulative", "Family", "Logs"]

Floats = NDArray[np.float64]

_TINY = 1e-300


class Logs(NamedTuple):
    """Log probabilities of k options at positions z of shape (c, g)."""

    log_p: Floats  # (c, k, g)
    by_position: Floats  # (c, k, g) derivative by z
    by_threshold: Floats  # (c, k - 1, k, g) derivative by each threshold


class Family(Protocol):
    """How options depend on the latent position."""

    name: str

    def logs(self, z: Floats, thresholds: Floats) -> Logs:
        """Log probabilities at z (c, g) with thresholds (c, k - 1), and their derivatives."""
        ...

    def start(self, shares: Floats) -> Floats:
        """Thresholds (k - 1,) that give the options these shares (k,) at z = 0."""
        ...

    def allowed(self, thresholds: Floats) -> bool:
        """Whether thresholds (s, k - 1) give probabilities."""
        ...


class Adjacent:
    r"""Adjacent categories: :math:`\log p_k / p_{k-1} = z - \delta_k` (Rasch models)."""

    name = "adjacent categories"

    def logs(self, z: Floats, thresholds: Floats) -> Logs:
        """Log probabilities and derivatives; see `Family`."""
        k = np.arange(thresholds.shape[1] + 1)
        steps = np.pad(np.cumsum(thresholds, axis=1), ((0, 0), (1, 0)))
        raw = k[None, :, None] * z[:, None, :] - steps[:, :, None]
        raw -= raw.max(axis=1, keepdims=True)
        p = np.exp(raw)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        by_position = k[None, :, None] - (k[None, :, None] * p).sum(axis=1, keepdims=True)
        at_least = np.flip(np.cumsum(np.flip(p, 1), axis=1), 1)[:, 1:]  # (c, k - 1, g)
        reached = (k[None, :] >= k[1:, None]).astype(float)  # (k - 1, k)
        by_threshold = at_least[:, :, None, :] - reached[None, :, :, None]
        return Logs(raw - np.log(total), by_position, by_threshold)

    def start(self, shares: Floats) -> Floats:
        """Thresholds of the shares at z = 0."""
        return np.asarray(np.log(shares[:-1] / shares[1:]), float)

    def allowed(self, thresholds: Floats) -> bool:
        """Every real threshold: disordered ones are possible."""
        return bool(np.isfinite(thresholds).all())


class Cumulative:
    r"""Cumulative link: :math:`P(y \le k) = F(\tau_k - z)` with F logistic or normal.

    Parameters
    ----------
    link : {"logit", "probit"}
    """

    def __init__(self, link: str) -> None:
        self.link = link
        self.name = f"cumulative {link}"

    def logs(self, z: Floats, thresholds: Floats) -> Logs:
        """Log probabilities and derivatives; see `Family`."""
        cuts = thresholds[:, :, None] - z[:, None, :]  # (c, k - 1, g)
        below, above = self._distribution(cuts), self._distribution(-cuts)
        density = self._density(cuts, below, above)
        edge = ((0, 0), (1, 1), (0, 0))
        lower = np.pad(below, edge)  # F at the lower and the upper cut of every option
        lower[:, -1] = 1.0
        upper = np.pad(above, edge)
        upper[:, 0] = 1.0
        # in the upper half the difference of upper tails keeps its digits
        p = np.where(
            lower[:, :-1] < 0.5, lower[:, 1:] - lower[:, :-1], upper[:, :-1] - upper[:, 1:]
        )
        p = np.maximum(p, _TINY)
        slope = np.pad(density, edge)
        by_position = (slope[:, :-1] - slope[:, 1:]) / p
        k = thresholds.shape[1]
        by_threshold = np.zeros((z.shape[0], k, k + 1, z.shape[1]))
        for j in range(k):
            by_threshold[:, j, j] = density[:, j] / p[:, j]
            by_threshold[:, j, j + 1] = -density[:, j] / p[:, j + 1]
        return Logs(np.log(p), by_position, by_threshold)

    def start(self, shares: Floats) -> Floats:
        """Thresholds of the shares at z = 0."""
        from scipy.special import logit, ndtri

        below = np.cumsum(shares)[:-1]
        return np.asarray(logit(below) if self.link == "logit" else ndtri(below), float)

    def allowed(self, thresholds: Floats) -> bool:
        """Only thresholds in order."""
        finite = np.isfinite(thresholds).all()
        return bool(finite and (np.diff(thresholds, axis=1) > 1e-9).all())

    def _distribution(self, x: Floats) -> Floats:
        from scipy.special import expit, ndtr

        return np.asarray(expit(x) if self.link == "logit" else ndtr(x), float)

    def _density(self, x: Floats, below: Floats, above: Floats) -> Floats:
        if self.link == "logit":
            return below * above
        return np.asarray(np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi), float)
