"""Slow and obvious: the likelihood of a mixed model from its whole covariance matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def indicator(facets: Mapping[str, Any], term: str) -> np.ndarray:
    """Column for each combination of levels that occurs."""
    labels = list(zip(*(facets[f] for f in term.split(":")), strict=True))
    levels = sorted(set(labels))
    return np.array([[float(label == level) for level in levels] for label in labels])


class Dense:
    """y = X beta + sum of Z b + e, everything dense."""

    def __init__(self, y: Any, facets: Mapping[str, Any], random: Sequence[str], fixed=()):
        self.y = np.asarray(y, float)
        n = len(self.y)
        table = [np.ones((n, 1)), *(indicator(facets, term) for term in fixed)]
        self.x = np.zeros((n, 0))
        for column in np.hstack(table).T:  # keep what earlier columns do not give
            wider = np.column_stack([self.x, column])
            if np.linalg.matrix_rank(wider) > self.x.shape[1]:
                self.x = wider
        self.z = [indicator(facets, term) for term in random]

    def covariance(self, variances) -> np.ndarray:
        v = variances[-1] * np.eye(len(self.y))
        for z, variance in zip(self.z, variances[:-1], strict=True):
            v = v + variance * z @ z.T
        return v

    def criterion(self, variances, method: str = "REML") -> float:
        """Minus twice the log likelihood, as lme4 counts it."""
        v = self.covariance(variances)
        inverse = np.linalg.inv(v)
        information = self.x.T @ inverse @ self.x
        beta = np.linalg.solve(information, self.x.T @ inverse @ self.y)
        left = self.y - self.x @ beta
        value = np.linalg.slogdet(v)[1] + left @ inverse @ left
        df = len(self.y)
        if method == "REML":
            value += np.linalg.slogdet(information)[1]
            df -= self.x.shape[1]
        return float(value + df * np.log(2 * np.pi))

    def predictions(self, variances, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Effects of term k, their prediction errors, and those with the fixed effects known."""
        v = np.linalg.inv(self.covariance(variances))
        p = v - v @ self.x @ np.linalg.solve(self.x.T @ v @ self.x, self.x.T @ v)
        z, s = self.z[k], variances[k]
        effects = s * z.T @ p @ self.y
        errors = [np.sqrt(np.diag(s * np.eye(z.shape[1]) - s * z.T @ w @ z * s)) for w in (p, v)]
        return effects, errors[0], errors[1]

    def optimum(self, start, method: str = "REML") -> tuple[np.ndarray, float]:
        """Minimize by a search that knows no derivatives, on the square roots."""
        from scipy.optimize import minimize

        found = minimize(
            lambda root: self.criterion(root**2, method), np.sqrt(start), method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000},
        )  # fmt: skip
        return found.x**2, float(found.fun)
