"""Variance components with their uncertainty, and the effects behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability._draws import check_level
from perfmethod.reliability.criterion import Criterion, State
from perfmethod.reliability.effects import aliased, fixed_effects, predicted
from perfmethod.reliability.elimination import Elimination
from perfmethod.reliability.inference import Inference, inference
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.newton import Minimum
from perfmethod.reliability.profile import profile_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Components", "Model"]

Floats = NDArray[np.float64]

_NEAR_ZERO = 3.0  # standard errors in a component, from which on no logarithm is normal


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
    def scales(self) -> Floats:
        """About the standard errors (t,) of the ratios at zero."""
        return np.sqrt(2.0 * np.array(self.levels)) / self.elimination.total

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
    def inference(self) -> Inference:
        """Covariance that intervals rest on by default, with its name in words: robust, with raters
        as clusters, wherever that can be had; see `perfmethod.reliability.inference`.
        """
        return self._basis(None)

    @property
    def standard_errors(self) -> Floats:
        """Of the variances, by `inference`; NaN on the boundary, where a component has none, and
        where the likelihood is not curved enough for any (next to its edge, in tiny tables).
        """
        return self._errors(self.inference)

    def _errors(self, basis: Inference) -> Floats:
        errors = _roots(basis.covariance)
        return np.where((self.variances > 0) & np.isfinite(errors), errors, np.nan)

    @property
    def near_zero(self) -> NDArray[np.bool_]:
        """Components (t + 1,) at zero, or nearer to it than a third of their standard error, or
        without one.
        """
        return self._near_zero(self.inference)

    def _near_zero(self, basis: Inference) -> NDArray[np.bool_]:
        return self.variances <= _roots(basis.covariance) / _NEAR_ZERO

    def _basis(self, method: str | None) -> Inference:
        """Covariance by a method of intervals."""
        if method not in self._bases:
            self._bases[method] = inference(self, method)
        return self._bases[method]

    @cached_property
    def _bases(self) -> dict[str | None, Inference]:
        return {}

    def variance(self, term: str) -> float:
        """Variance of one term."""
        return float(self.variances[self._place(term)])

    def _place(self, term: str) -> int:
        if term not in self.terms:
            raise PerfmethodError(f"term: found {term!r}; allowed: {suggest(term, self.terms)}")
        return self.terms.index(term)

    def intervals(self, level: float = 0.95, method: str | None = None) -> Floats:
        r"""Confidence intervals of the variances.

        Parameters
        ----------
        level : float
        method : {"robust", "wald", "profile"}, optional
            By default that of `inference`: robust wherever it can be had.
            ``"robust"``: :math:`\sigma^2 \exp(\pm z\, se / \sigma^2)`, normal on the log scale,
            with the covariance of `robust_covariance`: raters are alike only in being drawn
            independently. ``"wald"``: the same by normal theory. In both a component on the
            boundary, or nearer to it than a third of its standard error, or without one, gets its
            profile interval instead. ``"profile"``: all values that the (restricted) likelihood
            ratio does not reject, the other parameters refitted for each; slower, better for terms
            with few levels. The last two take effects and residuals as normal; for what raters
            differ in, answers on few options are not, and the intervals are too narrow.

        Returns
        -------
        ndarray (t + 1, 2)
        """
        return np.array([self.interval(term, level, method)[:2] for term in self.terms])

    def interval(
        self, term: str, level: float = 0.95, method: str | None = None, lang: str = "en"
    ) -> tuple[float, float, str]:
        """One of `intervals`, and what it rests on in words (`lang` en or zh)."""
        from scipy.special import ndtri

        z = float(ndtri((1 + check_level(level)) / 2))
        k, basis = self._place(term), self._basis(method)
        value, error = float(self.variances[k]), float(_roots(basis.covariance)[k])
        profiled = method == "profile" or bool(self._near_zero(basis)[k])
        if profiled:
            lower, upper = self._profiled(self._inner(k), z**2)
        else:
            lower, upper = value * np.exp([-z * error / value, z * error / value])
        return float(lower), float(upper), basis.told(lang, profile=profiled)

    def _profiled(self, place: int, threshold: float) -> tuple[float, float]:
        """Profile interval of one of the model's components; kept, for a plan asks many times."""
        if (place, threshold) not in self._profiles:
            model = self._model
            low, high = profile_interval(
                model.criterion, self._state, place, threshold, model.scales
            )
            self._profiles[place, threshold] = low / model.unit**2, high / model.unit**2
        return self._profiles[place, threshold]

    @cached_property
    def _profiles(self) -> dict[tuple[int, float], tuple[float, float]]:
        return {}

    def to_frame(
        self, level: float = 0.95, method: str | None = None, lang: str = "en"
    ) -> pd.DataFrame:
        """One row per component.

        Parameters
        ----------
        level, method
            As in `intervals`.
        lang : {"en", "zh"}
            Of the column interval.

        Returns
        -------
        pandas.DataFrame
            Index term; levels, variance, share (of the sum), standard_deviation, standard_error
            (of the variance; missing on the boundary), lower, upper, boundary, interval (what the
            ends rest on, in words).
        """
        import pandas as pd

        found = [self.interval(term, level, method, lang) for term in self.terms]
        lower, upper, told = zip(*found, strict=True)
        return pd.DataFrame(
            {
                "levels": self.levels,
                "variance": self.variances,
                "share": self.variances / self.variances.sum(),
                "standard_deviation": np.sqrt(self.variances),
                "standard_error": self._errors(self._basis(method)),
                "lower": lower,
                "upper": upper,
                "boundary": self.variances == 0,
                "interval": told,
            },
            index=pd.Index(self.terms, name="term"),
        )

    def effects(self, term: str) -> pd.DataFrame:
        """Predicted effects of the levels of one random term (BLUP), shrunk toward zero.

        Parameters
        ----------
        term : str
            One of `terms`, not the residual. An eliminated term (the largest, and one in which it
            is nested) needs a fit from `Moments`.

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
        return predicted(self._model, self._state, self._inner(place)).frame(self._model.unit)

    def fixed_effects(self) -> pd.DataFrame:
        """Fixed effects with standard errors: index name; estimate, standard_error."""
        return fixed_effects(self._model, self._state)

    def plot(self, ax: Axes | None = None, *, level: float = 0.95, language: str = "zh") -> Axes:
        """Draw the components with their intervals, which the axis names."""
        from perfmethod import plots

        frame = self.to_frame(level, lang=language).reset_index()
        ax = plots.component_bars(frame, ax, level=level, language=language)
        ax.set_xlabel(f"{ax.get_xlabel()} ({self.inference.told(language)})")
        return ax

    def __repr__(self) -> str:
        pairs = zip(self.terms, self.variances, strict=True)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in pairs)
        state = "converged" if self.converged else "NOT converged"
        zero = f"; at zero: {', '.join(self.boundary)}" if self.boundary else ""
        return f"<Components ({self.method}, {state}): {shown}{zero}>"


def _roots(covariance: Floats) -> Floats:
    """Standard errors (t + 1,); infinite where a variance is negative, which says nothing."""
    diagonal = np.diagonal(covariance)
    return np.where(diagonal < 0, np.inf, np.sqrt(np.maximum(diagonal, 0.0)))


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
