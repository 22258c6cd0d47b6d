"""Severity of a survey as a result: categories, raters, and adjusted scores of units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.severity._source import Survey
from perfmethod.severity.connected import Connection
from perfmethod.severity.linear import Adjusted, LinearFits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KINDS", "PLOTS", "Severity"]

KINDS = ("units", "categories", "raters", "dimensions")
PLOTS = ("categories", "units")


@dataclass(frozen=True, eq=False, repr=False)
class Severity:
    """How harsh categories and raters are, and what units score without it (linear mixed model).

    All scores and severities are points of the score scale (0 to 100). A positive severity is
    harsh: it lowers scores. No table tells of single raters; the answers are kept inside, with
    numbers in the place of the raters' names.

    Parameters
    ----------
    units : pandas.DataFrame
        Index unit_id: class, answers, raw (mean of the unit's scores by dimension as the survey
        gives them), adjusted (at the common mix of categories and for raters of average severity;
        generalized least squares with units fixed: **not shrunken**), standard_error, df (degrees
        of freedom of the error, by Satterthwaite), lower, upper (interval by Student's t), shrunken
        (the same target predicted with units random: BLUP, **shrunken** toward the mean of the
        class), shrunken_error (root of the prediction error variance), rank_raw, rank_adjusted,
        rank_shrunken (in the class), rater_set (units of one set are connected by shared raters).
    dimensions : pandas.DataFrame
        Index unit_id and dimension: answers, raw, adjusted, standard_error, shrunken,
        shrunken_error.
    categories : pandas.DataFrame
        Index category: raters, answers (``"<10"`` and the like where small), severity against the
        mean of the categories, standard_error, df, lower, upper, suppressed. They add to zero.
        Raters are random: their differences are in the standard errors. Categories with few raters
        are hidden, and with one of them the next smallest, for it would follow from the sum.
    raters : pandas.DataFrame
        Percentiles of predicted severities of raters by category; see `raters_by_category`.
    rater_sd, rater_lower, rater_upper : float
        Standard deviation of raters within categories with its interval.
    rater_interval : str
        What that interval rests on, in words.
    covariance : pandas.DataFrame (u, u)
        Of the adjusted scores.
    connection : Connection
    fits : LinearFits
        The variance components of both models.
    category_effects : {"fixed", "random"}
    level : float
    empty : tuple of str
        Categories with a weight but without any answer: their severity is unknown, and the other
        categories carry their weight.
    meta : mapping
        Digests and what was fitted. Read-only.
    """

    units: pd.DataFrame
    dimensions: pd.DataFrame
    categories: pd.DataFrame
    raters: pd.DataFrame
    rater_sd: float
    rater_lower: float
    rater_upper: float
    rater_interval: str
    covariance: pd.DataFrame
    connection: Connection
    fits: LinearFits
    category_effects: str
    level: float
    empty: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    _survey: Survey | None = field(default=None, repr=False)
    _scores: Adjusted | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    @property
    def converged(self) -> bool:
        """Whether both fits reached their stopping rule."""
        return self.fits.fixed_units.converged and self.fits.random_units.converged

    def to_frame(self, kind: str = "units") -> pd.DataFrame:
        """One of the tables.

        Parameters
        ----------
        kind : {"units", "categories", "raters", "dimensions"}
        """
        if kind not in KINDS:
            raise PerfmethodError(f"kind: found {kind!r}; allowed: {suggest(str(kind), KINDS)}")
        table: pd.DataFrame = getattr(self, kind)
        return table.copy()

    def difference(self, first: str, second: str) -> dict[str, Any]:
        """Difference of two units' adjusted scores.

        Returns
        -------
        dict
            difference, standard_error, df, lower, upper, note (what it rests on where the units
            share no raters, not even by a chain).

        Raises
        ------
        PerfmethodError
            An unknown unit.
        """
        for unit in (first, second):
            if unit not in self.units.index:
                near = suggest(str(unit), map(str, self.units.index))
                raise PerfmethodError(f"unit: found {unit!r}; allowed: {near}")
        names = self.units.index
        weights = (names == first).astype(float) - (names == second)
        assert self._scores is not None
        found = self._scores.mean_over(weights[None])
        value, error, df = (float(x[0]) for x in (found.scores, found.errors, found.degrees))
        half = float(found.half_widths(self.level)[0])
        sets = self.units["rater_set"]
        note = "" if sets[first] == sets[second] else (
            "no shared raters, not even by a chain: it rests on raters of a category being drawn "
            "from the same people"
        )  # fmt: skip
        return {"difference": value, "standard_error": error, "df": df, "lower": value - half,
                "upper": value + half, "note": note}  # fmt: skip

    def plot(self, kind: str = "categories", ax: Axes | None = None, lang: str = "zh") -> Axes:
        """Draw the severity map, or the units raw against adjusted.

        Parameters
        ----------
        kind : {"categories", "units"}
        ax : Axes, optional
        lang : {"zh", "en"}
        """
        from perfmethod.severity.figures import draw

        return draw(self, kind, ax, lang)

    def __repr__(self) -> str:
        s = self.categories["severity"].dropna()
        shown = "hidden"
        if len(s):
            ends = f"{s.idxmin()} {show(float(s.min()), 1)} to {s.idxmax()}"
            shown = f"{ends} {show(float(s.max()), 1)} points"
        moved = int((self.units["rank_raw"] - self.units["rank_adjusted"]).abs().max())
        state = "" if self.converged else ", NOT converged"
        return (
            f"<Severity of {len(self.categories)} categories on {len(self.units)} units: {shown}, "
            f"raters differ by {show(self.rater_sd, 1)} (SD), up to {moved} places change{state}>"
        )
