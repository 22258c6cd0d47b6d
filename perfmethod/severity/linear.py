"""The linear mixed model of severity: fits, adjusted scores, severities of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.components import Components
from perfmethod.reliability.joint import JointEffects, joint_effects
from perfmethod.reliability.layout import facets_of
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.nested import is_nested
from perfmethod.reliability.reml import variance_components
from perfmethod.severity._source import Survey

__all__ = ["Adjusted", "LinearFits", "adjusted_scores", "category_severities", "fit_linear"]

Floats = NDArray[np.float64]

_MANY = 1e6  # degrees of freedom from which on Student's t is normal


@dataclass(frozen=True, eq=False)
class LinearFits:
    """The same survey with units as fixed and as random effects.

    Parameters
    ----------
    fixed_units : Components
        Each unit (and dimension) has a mean of its own: generalized least squares, no shrinkage.
    random_units : Components
        Units are drawn from a population: predictions are shrunk toward its mean.
    """

    fixed_units: Components
    random_units: Components


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Scores at the common mix of categories.

    Parameters
    ----------
    scores : ndarray (n,)
    covariance : ndarray (n, n)
        Of score minus truth.
    slopes : ndarray (t, n, n)
        Derivatives of the covariance by the t variance components.
    spread : ndarray (t, t)
        Covariance of the components.
    """

    scores: Floats
    covariance: Floats
    slopes: Floats
    spread: Floats

    def mean_over(self, weights: Floats) -> Adjusted:
        """Weighted sums, weights (k, n)."""
        return Adjusted(
            weights @ self.scores,
            weights @ self.covariance @ weights.T,
            weights @ self.slopes @ weights.T,
            self.spread,
        )

    @property
    def errors(self) -> Floats:
        """Standard errors (n,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @property
    def degrees(self) -> Floats:
        r"""Degrees of freedom (n,) of the errors by Satterthwaite: :math:`2 v^2 / (g' S g)`.

        v is a variance, g its derivatives by the components, S their covariance. Infinite for what
        has no error.
        """
        variance = np.diag(self.covariance)
        by = np.diagonal(self.slopes, axis1=1, axis2=2)
        unsure = np.einsum("in,ij,jn->n", by, self.spread, by)
        known = (unsure <= 0) | (variance <= 0)
        return np.where(known, np.inf, 2 * variance**2 / np.where(known, 1.0, unsure))

    def half_widths(self, level: float) -> Floats:
        """Half widths (n,) of intervals by Student's t with these degrees of freedom."""
        from scipy.special import stdtrit

        quantile = stdtrit(np.minimum(self.degrees, _MANY), (1 + level) / 2)
        return np.asarray(quantile * self.errors)


def fit_linear(survey: Survey, category: str, interaction: bool, method: str) -> LinearFits:
    """Fit both models to the moments of the answers."""
    answers = survey.answers
    facets = ("unit", "class", "category", "mode", "rater", "dimension")
    moments = Moments.of(
        answers["score"].to_numpy(), {name: pd.Categorical(answers[name]) for name in facets}
    )
    categories = survey.several("category")
    shared = ["category"] if categories and category == "random" else []
    shared += ["unit:category"] if categories and interaction else []
    people = ["rater", "unit:rater"]
    fixed = ["category"] if categories and category == "fixed" else []
    cell = "unit:dimension" if survey.several("dimension") else "unit"
    gls = _possible(moments, [*shared, *people], [cell, *fixed])
    means = [f for f in ("class",) if survey.several(f)] + fixed
    means += ["dimension"] if survey.several("dimension") else []
    crossed = ["unit:dimension"] if survey.several("dimension") else []
    blup = _possible(moments, ["unit", *crossed, *shared, *people], means)
    return LinearFits(
        variance_components(moments, gls, [cell, *fixed], method=method),
        variance_components(moments, blup, means, method=method),
    )


def _possible(moments: Moments, random: Sequence[str], fixed: Sequence[str]) -> list[str]:
    """Random terms that the design tells from the mean, the residual, and each other."""
    total, kept = int(moments.counts.sum()), list[str]()
    for name in random:
        size = len(moments.cells.group(facets_of(name))[0])
        alike = any(
            len(moments.cells.group(facets_of(k))[0]) == size
            and is_nested(moments, facets_of(name), facets_of(k))
            for k in kept
        )
        held = any(is_nested(moments, facets_of(f), facets_of(name)) for f in fixed)
        if 1 < size < total and not alike and not held:
            kept.append(name)
    if "rater" not in kept:
        raise PerfmethodError(
            f"raters: found {total} answers of as many raters, or raters that are one with the "
            "units; allowed: some raters with several answers, for otherwise their severity cannot "
            "be told from chance"
        )
    return kept


def _joint(fit: Components) -> JointEffects:
    """Effects of everything but raters and their ballots."""
    people = {"rater", "unit:rater", "residual"}
    return joint_effects(fit, [name for name in fit.terms if name not in people])


def adjusted_scores(fit: Components, survey: Survey) -> Adjusted:
    """Scores of each pair of unit and dimension at the common mix of categories.

    Parameters
    ----------
    fit : Components
        One of `LinearFits`.
    survey : Survey

    Returns
    -------
    Adjusted
        In the order of `survey.pairs`. What the model predicts for a rater of average severity in
        each category, weighted by `survey.mix`; categories that did not rate a unit included.
    """
    joint, pairs = _joint(fit), survey.pairs
    weights: Floats = np.zeros((len(pairs), len(joint.estimates)))
    points: dict[str, Any] = {"unit": pairs["unit"].tolist(),
                              "dimension": pairs["dimension"].tolist()}  # fmt: skip
    if survey.classes is not None:
        points["class"] = pairs["unit"].map(survey.classes.astype(str).to_dict()).tolist()
    for category in survey.mix.columns:
        share = survey.mix[category].reindex(pairs["unit"]).to_numpy(float)
        used = share > 0
        if used.any():
            here = {k: [v[i] for i in np.flatnonzero(used)] for k, v in points.items()}
            here["category"] = [category] * int(used.sum())
            weights[used] += share[used, None] * joint.rows(here, int(used.sum()))
    return _combined(joint, weights)


def category_severities(fit: Components, survey: Survey) -> Adjusted:
    """Severity of every category against the mean of all, in points: positive ones are harsh.

    The severities add to zero. One category alone has the severity 0.
    """
    categories = list(survey.mix.columns)
    joint = _joint(fit)
    n = len(categories)
    if "category" not in joint.terms:
        t = len(fit.terms)
        return Adjusted(np.zeros(n), np.zeros((n, n)), np.zeros((t, n, n)), np.zeros((t, t)))
    return _combined(joint, _contrasts(joint, categories))


def _combined(joint: JointEffects, weights: Floats) -> Adjusted:
    spread = joint.fit.inference.covariance
    return Adjusted(*joint.combined(weights), joint.slopes(weights), spread)


def _contrasts(joint: JointEffects, categories: Sequence[str]) -> Floats:
    labels, columns = joint.columns("category")
    place = {str(label[0]): i for i, label in enumerate(labels)}
    n = len(categories)
    centered = np.full((n, n), 1 / n) - np.eye(n)  # minus: a category that scores low is harsh
    weights: Floats = np.zeros((n, len(joint.estimates)))
    at = columns.start + np.array([place[c] for c in categories])
    weights[:, at] = centered
    return weights
