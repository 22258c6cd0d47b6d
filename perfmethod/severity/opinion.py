"""Another model of the same answers: does the order of the units hang on the first one?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.severity._source import Survey
from perfmethod.severity.ordinal import OrdinalFit, ordinal_model
from perfmethod.severity.rescoring import scored_with
from perfmethod.severity.result import Severity
from perfmethod.severity.run import severity
from perfmethod.year import Year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SecondOpinion", "second_opinion"]

Floats = NDArray[np.float64]

VERSIONS = ("raw", "adjusted", "shrunken", "fair")


@dataclass(frozen=True, eq=False, repr=False)
class SecondOpinion:
    """The linear and an ordinal model of severity, side by side.

    Parameters
    ----------
    units : pandas.DataFrame
        Index unit_id: class, raw, adjusted (linear model, units fixed), fair (ordinal model:
        expected score at the common mix of categories, over all raters), fair_error (delta
        method), measure and measure_error (position on the latent scale against the mean of its
        class), rank_raw, rank_adjusted, rank_fair (in the class), places (rank_fair less
        rank_adjusted).
    categories : pandas.DataFrame
        Index category: severity, standard_error (linear model, points), fair_severity, fair_error
        (ordinal model, points: mean over all units and dimensions), latent, latent_error (ordinal
        model, latent scale), suppressed. Positive ones are harsh; each column adds to zero.
    agreement : pandas.DataFrame
        Index class: units, spearman and kendall (rank correlations of adjusted and fair), places
        (largest difference in ranks).
    grades : pandas.DataFrame or None
        Index unit_id: the grade with raw, adjusted, shrunken and fair survey scores, all else
        equal, by the scoring core. None without a year or grades.
    fit : OrdinalFit
    first : Severity
    meta : mapping
        Read-only.
    """

    units: pd.DataFrame
    categories: pd.DataFrame
    agreement: pd.DataFrame
    grades: pd.DataFrame | None
    fit: OrdinalFit
    first: Severity
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    @property
    def most_places(self) -> int:
        """Largest difference in ranks between the two models."""
        return int(self.agreement["places"].max())

    def changed(self, version: str = "adjusted", against: str = "raw") -> tuple[str, ...]:
        """Units whose grade differs between two versions of the survey scores.

        Raises
        ------
        PerfmethodError
            No grades, or an unknown version.
        """
        if self.grades is None:
            raise PerfmethodError("grades: found none; allowed: a year under a scheme with grades")
        for name in (version, against):
            if name not in self.grades:
                raise PerfmethodError(f"version: found {name!r}; allowed: {', '.join(VERSIONS)}")
        other = self.grades[version] != self.grades[against]
        return tuple(map(str, self.grades.index[other]))

    def to_frame(self) -> pd.DataFrame:
        """`units`, with the grades where there are any."""
        if self.grades is None:
            return self.units.copy()
        return self.units.join(self.grades.add_prefix("grade_"))

    def plot(self, kind: str = "units", ax: Axes | None = None, lang: str = "zh") -> Axes:
        """Draw adjusted against fair scores, or the severities of both models.

        Parameters
        ----------
        kind : {"units", "categories"}
        ax : Axes, optional
        lang : {"zh", "en"}
        """
        from perfmethod.severity.figures import draw_opinion

        return draw_opinion(self, kind, ax, lang)

    def __repr__(self) -> str:
        least = float(self.agreement["spearman"].min())
        grades = ""
        if self.grades is not None:
            grades = f", {len(self.changed('fair', 'adjusted'))} other grades"
        state = "" if self.fit.converged else ", NOT converged"
        return (
            f"<SecondOpinion ({self.fit.model}): rank correlation {least:.3f}, at most "
            f"{self.most_places} places apart{grades}{state}>"
        )


def second_opinion(
    source: Year | pd.DataFrame,
    first: Severity | None = None,
    *,
    model: str = "rating_scale",
    link: str = "logit",
    tolerance: float = 1e-5,
    **options: Any,
) -> SecondOpinion:
    """Ask an ordinal model about the same answers, and compare.

    The facets unit, category and dimension are fixed, raters within categories random, and ballots
    within raters too where they have several answers; see `ordinal_model`. Scores of the options
    only order them. What units would score is then read off the model: the fair score is the
    expected score at the common mix of categories, over the distribution of raters. Units differ
    by one position on all dimensions (no interaction): what tells them apart is their own level.

    Parameters
    ----------
    source : Year or pandas.DataFrame
        As in `severity`.
    first : Severity, optional
        Of the same source; by default it is made, with `options`.
    model : {"rating_scale", "partial_credit", "cumulative"}
        Steps of the partial credit model differ by dimension.
    link : {"logit", "probit"}
    tolerance : float
    **options
        Of `severity`, where `first` is not given.

    Returns
    -------
    SecondOpinion

    Raises
    ------
    PerfmethodError, DataError
        As `severity` and `ordinal_model`; `first` of another source.

    References
    ----------
    Linacre, J. M. (1989). *Many-Facet Rasch Measurement*. MESA Press. Fair averages, chapter 8.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> unit, rater = np.tile(np.arange(6), 60), np.repeat(np.arange(60), 6)
    >>> z = 0.5 * unit + rng.standard_normal(60)[rater] - (rater % 2) + rng.logistic(size=360)
    >>> ballots = pd.DataFrame({"unit_id": unit, "rater_id": rater, "category": rater % 2,
    ...     "duty": np.digitize(z, [0, 2])})
    >>> found = second_opinion(ballots, option_scores={0: 55, 1: 75, 2: 100})
    >>> found.most_places
    0
    """
    if first is not None and options:
        raise PerfmethodError(
            f"options: found {', '.join(options)} with first; allowed: one of the two"
        )
    found = severity(source, **options) if first is None else first
    survey = found._survey
    if survey is None or (isinstance(source, Year) and survey.year is not source):
        raise PerfmethodError("first: found a result of another source; allowed: of this one")
    steps = "dimension" if model == "partial_credit" else None
    terms = ["unit"]
    terms += ["category"] if survey.several("category") else []
    terms += ["dimension"] if survey.several("dimension") and steps is None else []
    fit = ordinal_model(
        survey.answers, "score", terms, "rater", ballot=["unit", "mode"],
        model=model, link=link, steps_by=steps, tolerance=tolerance,
    )  # fmt: skip
    fair, errors, dimensions = _fair(fit, survey)
    units = _units(found, fit, fair, errors)
    return SecondOpinion(
        units,
        _categories(found, fit, survey),
        _agreement(units),
        _grades(survey, found, dimensions),
        fit,
        found,
        {**found.meta, "model": fit.model},
    )


def _fair(fit: OrdinalFit, survey: Survey) -> tuple[Floats, Floats, Floats]:
    """Fair scores of units (u,) with errors, and of pairs of unit and dimension (n,)."""
    pairs = survey.pairs
    values, slopes = np.zeros(len(pairs)), np.zeros((len(pairs), len(fit.covariance)))
    for category in survey.mix.columns:
        share = survey.mix[category].reindex(pairs["unit"]).to_numpy(float)
        points = {"unit": pairs["unit"].tolist(), "dimension": pairs["dimension"].tolist(),
                  "category": [category] * len(pairs)}  # fmt: skip
        value, slope = fit.expected(points)
        values += share * value
        slopes += share[:, None] * slope
    own = pairs["unit"].to_numpy()[None, :] == survey.mix.index.to_numpy()[:, None]
    weights = own / own.sum(axis=1, keepdims=True)
    slope = weights @ slopes
    return weights @ values, _errors(slope, fit), values


def _units(found: Severity, fit: OrdinalFit, fair: Floats, errors: Floats) -> pd.DataFrame:
    columns = ["class", "raw", "adjusted"]
    units = found.units[columns].assign(fair=fair, fair_error=errors)
    place = fit.effects.index.get_indexer(pd.Index([f"unit[{u}]" for u in units.index]))
    own = np.zeros((len(units), len(fit.covariance)))
    own[np.flatnonzero(place >= 0), place[place >= 0]] = 1.0
    same = units["class"].to_numpy()[:, None] == units["class"].to_numpy()[None, :]
    centered = (np.eye(len(units)) - same / same.sum(axis=1, keepdims=True)) @ own
    units["measure"] = centered[:, : len(fit.effects)] @ fit.effects["estimate"].to_numpy()
    units["measure_error"] = _errors(centered, fit)
    units["rank_raw"], units["rank_adjusted"] = (
        found.units["rank_raw"], found.units["rank_adjusted"],
    )  # fmt: skip
    ranks = units.groupby("class")["fair"].rank(ascending=False, method="min")
    units["rank_fair"] = ranks.astype(int)
    units["places"] = units["rank_fair"] - units["rank_adjusted"]
    return units


def _categories(found: Severity, fit: OrdinalFit, survey: Survey) -> pd.DataFrame:
    names = list(survey.mix.columns)
    pairs, n = survey.pairs, len(names)
    share = 1 / pairs.groupby("unit")["unit"].transform("size").to_numpy(float)
    share /= share.sum()
    means, slopes = np.zeros(n), np.zeros((n, len(fit.covariance)))
    for i, category in enumerate(names):
        points = {"unit": pairs["unit"].tolist(), "dimension": pairs["dimension"].tolist(),
                  "category": [category] * len(pairs)}  # fmt: skip
        value, slope = fit.expected(points)
        means[i], slopes[i] = share @ value, share @ slope
    centered = np.full((n, n), 1 / n) - np.eye(n)
    effects = fit.effects["estimate"].reindex([f"category[{c}]" for c in names])
    latent = np.zeros((n, len(fit.covariance)))
    for i, at in enumerate(fit.effects.index.get_indexer(effects.index)):
        latent[i, at] = float(at >= 0)
    frame = found.categories[["severity", "standard_error"]].assign(
        fair_severity=centered @ means, fair_error=_errors(centered @ slopes, fit),
        latent=centered @ effects.fillna(0.0).to_numpy(),
        latent_error=_errors(centered @ latent, fit),
    )  # fmt: skip
    hidden = found.categories["suppressed"]
    return frame.mask(hidden).assign(suppressed=hidden)


def _errors(slopes: Floats, fit: OrdinalFit) -> Floats:
    variances = ((slopes @ fit.covariance) * slopes).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(variances, 0.0)), float)


def _agreement(units: pd.DataFrame) -> pd.DataFrame:
    from scipy.stats import kendalltau, spearmanr

    rows = {}
    for name, part in units.groupby("class"):
        several = len(part) > 1
        a, b = part["adjusted"], part["fair"]
        rows[name] = {
            "units": len(part),
            "spearman": float(spearmanr(a, b).statistic) if several else 1.0,
            "kendall": float(kendalltau(a, b).statistic) if several else 1.0,
            "places": int(part["places"].abs().max()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def _grades(survey: Survey, found: Severity, fair: Floats) -> pd.DataFrame | None:
    """Grades with every version of the survey scores, by the scoring core."""
    year = survey.year
    if year is None or "grades" not in year.scheme.document:
        return None
    scored = scored_with(year, found.dimensions.assign(fair=fair)[list(VERSIONS)])
    assert scored.grade is not None
    levels = np.array(scored.levels, object)
    return pd.DataFrame(
        levels[scored.grade.T], pd.Index(scored.units, name="unit_id"), list(VERSIONS)
    )
