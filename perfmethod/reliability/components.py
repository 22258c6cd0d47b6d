"""Variance components with their uncertainty, and the effects behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.criterion import Criterion, State
from perfmethod.reliability.effects import (
    aliased,
    cluster_effects,
    fixed_effects,
    term_effects,
)
from perfmethod.reliability.elimination import Elimination
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.newton import Minimum
from perfmethod.reliability.profile import profile_interval
from perfmethod.reliability.robust import robust_covariance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["INTERVALS", "Components", "Model"]

Floats = NDArray[np.float64]

_NEAR_ZERO = 3.0  # standard errors in a component, from which on no logarithm is normal
INTERVALS = ("wald", "profile", "robust")


class Model(NamedTuple):
    """What a fit is made of; terms with the eliminated ones first."""

    terms: tuple[str, ...]
    levels: tuple[int, ...]
    criterion: Criterion
    source: Moments | None
    scale: tuple[int, int]  # decimals, origin
    start: Floats  # components (t + 1,), of the integers

    @property
    def elimination(self) -> Elimination:
        """How the largest terms are taken out."""
        return self.criterion.elimination

    @property
    def unit(self) -> float:
        """Integers in one unit of the ratings."""
        return 10.0 ** self.scale[0]


@dataclass(frozen=True, eq=False, repr=False)
class Components:
    """Variance components of t random terms and the residual.

    Parameters
    ----------
    terms : tuple of str (t + 1,)
        In the order given; the last is ``"residual"``.
    variances : ndarray (t + 1,)
        In squared units of the ratings. Read-only.
    boundary : tuple of str
        Terms whose variance is zero because the likelihood falls away from it.
    method : str
        ``"REML"`` or ``"ML"``.
    criterion : float
        Minus twice the (restricted) log likelihood, comparable with lme4.
    gradient_norm, tolerance : float
        As in the stopping rule of `variance_components`.
    iterations : int
        Newton steps.
    converged : bool
        Whether the rule was met.
    levels : tuple of int (t + 1,)
        Levels of each term; of the residual, the number of ratings.
    aliased : tuple of str
        Fixed effects that the design cannot tell from earlier ones; they count as zero.
    """

    terms: tuple[str, ...]
    variances: Floats
    boundary: tuple[str, ...]
    method: str
    criterion: float
    gradient_norm: float
    tolerance: float
    iterations: int
    converged: bool
    levels: tuple[int, ...]
    aliased: tuple[str, ...]
    _model: Model = field(repr=False)
    _state: State = field(repr=False)

    @classmethod
    def of(
        cls, model: Model, names: Sequence[str], found: Minimum, method: str, tolerance: float
    ) -> Components:
        """Read a result from where the search ended, with the terms in the order of the names."""
        order = [*(model.terms.index(name) for name in names), len(model.terms)]
        variances = (np.append(found.x, 1.0) * found.state.residual)[order] / model.unit**2
        variances.setflags(write=False)
        terms = (*names, "residual")
        levels = (*model.levels, model.elimination.total)
        return cls(
            terms,
            variances,
            tuple(t for t, v in zip(terms, variances, strict=True) if v == 0),
            method,
            float(found.value - 2 * model.criterion.df * np.log(model.unit)),
            found.gradient_norm,
            tolerance,
            found.iterations,
            found.converged,
            tuple(levels[i] for i in order),
            aliased(model.criterion.layout),
            model,
            found.state.alone(),
        )

    def _inner(self, place: int) -> int:
        """Place among the model's components of one in the order shown."""
        last = len(self.terms) - 1
        return last if place == last else self._model.terms.index(self.terms[place])

    @cached_property
    def covariance(self) -> Floats:
        """Asymptotic covariance (t + 1, t + 1) of the variances, from the observed information.

        Zero for a component on the boundary, which counts as known. Read-only.
        """
        order = [self._inner(place) for place in range(len(self.terms))]
        found = _covariance(self._model.criterion, self._state)[np.ix_(order, order)]
        shown = found / self._model.unit**4
        shown.setflags(write=False)
        return shown

    @property
    def standard_errors(self) -> Floats:
        """Of the variances; NaN for a component on the boundary, which has none."""
        errors = np.sqrt(np.diagonal(self.covariance))
        return np.where(self.variances > 0, errors, np.nan)

    def variance(self, term: str) -> float:
        """Variance of one term."""
        return float(self.variances[self._place(term)])

    def _place(self, term: str) -> int:
        if term not in self.terms:
            raise PerfmethodError(f"term: found {term!r}; allowed: {suggest(term, self.terms)}")
        return self.terms.index(term)

    def intervals(self, level: float = 0.95, method: str = "wald") -> Floats:
        r"""Confidence intervals of the variances.

        Parameters
        ----------
        level : float
        method : {"wald", "profile", "robust"}
            ``"wald"``: :math:`\sigma^2 \exp(\pm z\, se / \sigma^2)`, normal on the log scale; a
            component on the boundary, or nearer to it than a third of its standard error, gets its
            profile interval instead. ``"profile"``: all values that the (restricted) likelihood
            ratio does not reject, the other parameters refitted for each; slower, better for terms
            with few levels. ``"robust"``: as ``"wald"``, with
            the covariance of `robust_covariance`. The first two take effects and residuals as
            normal; for what raters differ in, answers on few options are not.

        Returns
        -------
        ndarray (t + 1, 2)
        """
        if method not in INTERVALS:
            allowed = suggest(str(method), INTERVALS)
            raise PerfmethodError(f"method: found {method!r}; allowed: {allowed}")
        from scipy.special import ndtri

        z = float(ndtri((1 + level) / 2))
        found = np.empty((len(self.terms), 2))
        covariance = robust_covariance(self) if method == "robust" else self.covariance
        for k, value in enumerate(self.variances):
            error = float(np.sqrt(covariance[k, k]))
            if method != "profile" and value > error / _NEAR_ZERO:
                found[k] = value * np.exp([-z * error / value, z * error / value])
            else:
                ends = profile_interval(self._model.criterion, self._state, self._inner(k), z**2)
                found[k] = np.array(ends) / self._model.unit**2
        return found

    def to_frame(self, level: float = 0.95, method: str = "wald") -> pd.DataFrame:
        """One row per component.

        Parameters
        ----------
        level, method
            As in `intervals`.

        Returns
        -------
        pandas.DataFrame
            Index term; levels, variance, share (of the sum), standard_deviation, standard_error
            (of the variance; missing on the boundary), lower, upper, boundary.
        """
        import pandas as pd

        lower, upper = self.intervals(level, method).T
        return pd.DataFrame(
            {
                "levels": self.levels,
                "variance": self.variances,
                "share": self.variances / self.variances.sum(),
                "standard_deviation": np.sqrt(self.variances),
                "standard_error": self.standard_errors,
                "lower": lower,
                "upper": upper,
                "boundary": self.variances == 0,
            },
            index=pd.Index(self.terms, name="term"),
        )

    def effects(self, term: str) -> pd.DataFrame:
        """Predicted effects of the levels of one random term (BLUP), shrunk toward zero.

        Parameters
        ----------
        term : str
            One of `terms`, not the residual. The eliminated (largest) term needs a fit from
            `Moments`; where two nested terms are eliminated, there are none of the inner one.

        Returns
        -------
        pandas.DataFrame
            Index: the facets of the term. ratings, effect, standard_error (root of the prediction
            error variance: of effect minus true effect, the fixed effects estimated),
            conditional_error (fixed effects taken as known, as lme4's ``condVar``).
        """
        place = self._place(term)
        if place == len(self.terms) - 1:
            raise PerfmethodError("term: found 'residual'; allowed: a random term")
        inner, eliminated = self._inner(place), self._model.elimination.count
        if inner >= eliminated:
            return term_effects(self._model, self._state, inner - eliminated)
        return cluster_effects(self._model, self._state, inner)

    def fixed_effects(self) -> pd.DataFrame:
        """Fixed effects with standard errors: index name; estimate, standard_error."""
        return fixed_effects(self._model, self._state)

    def plot(self, ax: Axes | None = None, *, level: float = 0.95, language: str = "zh") -> Axes:
        """Draw the components with their intervals."""
        from perfmethod import plots

        frame = self.to_frame(level).reset_index()
        return plots.component_bars(frame, ax, level=level, language=language)

    def __repr__(self) -> str:
        pairs = zip(self.terms, self.variances, strict=True)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in pairs)
        state = "converged" if self.converged else "NOT converged"
        zero = f"; at zero: {', '.join(self.boundary)}" if self.boundary else ""
        return f"<Components ({self.method}, {state}): {shown}{zero}>"


def _covariance(criterion: Criterion, state: State) -> Floats:
    """Inverse of the observed information of the components that are not zero."""
    _, _, hessian = criterion.at(state.ratios).at_variances(state.residual)
    free = np.flatnonzero(np.append(state.ratios > 0, True))
    part = hessian[np.ix_(free, free)]
    scale = 1 / np.sqrt(np.abs(np.diagonal(part)))
    scales = np.outer(scale, scale)
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = 2 * np.linalg.inv(part * scales) * scales
    return covariance
