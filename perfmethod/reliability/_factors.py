"""Exploratory factors of a correlation matrix: extraction, oblique rotation, Schmid-Leiman."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.ratings import refuse

__all__ = ["FITS", "Factors", "SchmidLeiman", "extract", "quartimin", "schmid_leiman"]

Floats = NDArray[np.float64]

_LEAST = 0.005  # smallest uniqueness sought, as factor programs take it


class Factors(NamedTuple):
    """Loadings of p items on m factors, and what is left of each item."""

    loadings: Floats  # (p, m)
    uniqueness: Floats  # (p,)
    converged: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the fit."""
        found = []
        if not self.converged:
            found.append("the factor fit did not converge")
        if (self.uniqueness <= _LEAST * 1.001).any():
            found.append(f"Heywood case: an item's uniqueness lies at the bound {_LEAST}")
        return tuple(found)


class SchmidLeiman(NamedTuple):
    """A general factor and m group factors, all uncorrelated."""

    general: Floats  # (p,)
    groups: Floats  # (p, m)
    uniqueness: Floats  # (p,)
    notes: tuple[str, ...]


def _minres(psi: Floats, r: Floats, m: int) -> tuple[float, Floats, Floats]:
    """Half the squared residuals, their gradient, and the loadings, given the uniquenesses."""
    e, v = np.linalg.eigh(r - np.diag(psi))
    top = np.maximum(e[-m:], 0.0)
    left = e.copy()
    left[-m:] -= top
    return 0.5 * float(left @ left), -(v**2) @ left, v[:, -m:] * np.sqrt(top)


def _ml(psi: Floats, r: Floats, m: int) -> tuple[float, Floats, Floats]:
    """Discrepancy of maximum likelihood, its gradient, and the loadings."""
    s = np.sqrt(psi)
    e, v = np.linalg.eigh(r / np.outer(s, s))
    low = np.maximum(e[:-m], 1e-300)
    loadings = s[:, None] * v[:, -m:] * np.sqrt(np.maximum(e[-m:] - 1, 0.0))
    value = float((low - np.log(low) - 1).sum())
    gradient = ((v[:, :-m] ** 2) @ (1 - low)) / psi
    return value, gradient, loadings


#: Ways to extract factors, by name.
FITS: dict[str, Callable[[Floats, Floats, int], tuple[float, Floats, Floats]]] = {
    "ml": _ml,
    "minres": _minres,
}


def extract(r: Floats, m: int, fit: str, start: Floats | None = None) -> Factors:
    """Fit m uncorrelated factors.

    Parameters
    ----------
    r : ndarray (p, p)
        Correlations.
    m : int
    fit : {"ml", "minres"}
    start : ndarray (p,), optional
        Uniquenesses to begin with.

    References
    ----------
    Joreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika
    32(4), 443-482.

    Harman, H. H. and Jones, W. H. (1966). Factor analysis by minimizing residuals (minres).
    Psychometrika 31(3), 351-368.
    """
    from scipy import optimize

    p = len(r)
    low = np.linalg.eigvalsh(r)[0]
    if fit == "ml" and low <= 1e-10:
        refuse(f"a correlation matrix with the eigenvalue {low:.3g}",
               "a positive definite one, or fit='minres'", what="items")  # fmt: skip
    if start is None:
        inverse = np.diagonal(np.linalg.pinv(r))
        start = np.clip((1 - 0.5 * m / p) / inverse, 0.05, 0.95)

    def at(psi: Floats) -> tuple[float, Floats]:
        return FITS[fit](psi, r, m)[:2]

    found = optimize.minimize(
        at,
        start.tolist(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(_LEAST, 1.0)] * p,
        options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9},
    )
    loadings = FITS[fit](found.x, r, m)[2]
    # a search that stops at rounding error has arrived, whatever it says of itself
    free = np.where((found.x <= _LEAST) & (found.jac > 0) | (found.x >= 1) & (found.jac < 0), 0.0,
                    found.jac)  # fmt: skip
    signs = np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    return Factors(loadings * signs, found.x, bool(np.abs(free).max() < 1e-5))


def quartimin(a: Floats) -> tuple[Floats, Floats, bool]:
    """Direct quartimin (oblimin with gamma 0) by gradient projection.

    Returns
    -------
    loadings : ndarray (p, m)
        Pattern.
    correlations : ndarray (m, m)
        Of the factors.
    converged : bool

    References
    ----------
    Jennrich, R. I. (2002). A simple general method for oblique rotation. Psychometrika 67(1),
    7-19.
    """
    m = a.shape[1]
    other = 1 - np.eye(m)

    def at(t: Floats) -> tuple[float, Floats, Floats]:
        loadings = a @ np.linalg.inv(t).T
        crossed = loadings**2 @ other
        slope = -(loadings.T @ (loadings * crossed) @ np.linalg.inv(t)).T
        return float((loadings**2 * crossed).sum() / 4), slope, loadings

    t, step = np.eye(m), 1.0
    value, slope, loadings = at(t)
    for _ in range(5000):
        projected = slope - t * (t * slope).sum(axis=0)
        size = float(np.linalg.norm(projected))
        if size < 1e-8:
            break
        step *= 2
        for _ in range(60):
            trial = t - step * projected
            trial /= np.linalg.norm(trial, axis=0)
            candidate = at(trial)
            if value - candidate[0] > 0.5 * size**2 * step:
                break
            step /= 2
        else:
            break  # no step improves: rounding error is reached
        t, (value, slope, loadings) = trial, candidate
    return loadings, t.T @ t, size < 1e-5


def schmid_leiman(r: Floats, m: int, fit: str = "minres") -> SchmidLeiman:
    """Orthogonalize m oblique factors and the general factor behind them.

    Extraction by `fit`, direct quartimin rotation, one factor by `fit` (minres) from the factors'
    correlations; then items load on the general factor through their group factors.

    Parameters
    ----------
    r : ndarray (p, p)
        Correlations.
    m : int
        Group factors, at least three: with fewer the general factor is not identified.
    fit : {"minres", "ml"}

    References
    ----------
    Schmid, J. and Leiman, J. M. (1957). The development of hierarchical factor solutions.
    Psychometrika 22(1), 53-61.
    """
    p = len(r)
    if m < 3 or (p - m) ** 2 < p + m:
        refuse(f"{m} group factors of {p} items",
               "at least three group factors, and items enough to identify them: 6 for three",
               what="items")  # fmt: skip
    first = extract(r, m, fit)
    pattern, phi, converged = quartimin(first.loadings)
    signs = np.where(pattern.sum(axis=0) < 0, -1.0, 1.0)
    pattern, phi = pattern * signs, phi * np.outer(signs, signs)
    second = extract(phi, 1, "minres")
    gamma = second.loadings[:, 0]
    general = pattern @ gamma
    groups = pattern * np.sqrt(np.maximum(1 - gamma**2, 0.0))
    notes = [*first.notes, *(f"second order: {note}" for note in second.notes)]
    if not converged:
        notes.append("the rotation did not converge")
    if (gamma < 0).any() or (general < 0).any():
        notes.append("an item or a group factor goes against the general factor")
    return SchmidLeiman(general, groups, first.uniqueness, tuple(notes))
