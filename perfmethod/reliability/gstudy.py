"""The generalizability study of a survey: from ballots to components, reliability and a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.frames import row
from perfmethod.reduction import Reduction
from perfmethod.reliability._default_terms import default_terms
from perfmethod.reliability.answers import Answers, answers_of_ballots, answers_of_year
from perfmethod.reliability.components import Components
from perfmethod.reliability.decision import Decision
from perfmethod.reliability.planning import SurveyPlan, plan_survey, survey_decision
from perfmethod.reliability.reduced import ReducedAnswers, answers_of_reduction
from perfmethod.reliability.reml import variance_components
from perfmethod.year import Year

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["GStudy", "generalizability", "study_names"]

_FIXED = ("category", "mode", "category:mode", "dimension")
_KINDS = ("components", "study")
_BANDS = {"zh": "95%区间: {}", "en": "95 % bands: {}"}
_NAMES = {
    "zh": {
        "unit": "单位", "unit:category": "单位×评议人类别", "unit:mode": "单位×方式",
        "unit:dimension": "单位×维度", "category": "评议人类别", "mode": "方式",
        "dimension": "维度", "rater": "评议人(类别内)", "unit:rater": "单位×评议人",
        "residual": "残差",
    },
    "en": {"rater": "rater within category"},
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class GStudy:
    """Components of the variance of a survey's answers, and the design they came from.

    Parameters
    ----------
    components : Components
        The fit.
    strata : pandas.DataFrame
        The survey as it was: category, mode, weight (share in the score), ballots (harmonic mean
        over the units of `unit_class`).
    units : int
        Units of `unit_class`.
    units_per_person : float
        Units that the rater of a ballot rated, on average over ballots.
    dimensions : float
        Valid answers on a ballot (harmonic mean).
    unit_class : str or None
        Class whose design and weights `strata` has; None without a year.
    meta : mapping
        Digests, what was fitted, and ``left_out``: terms that the ballots do not tell apart, each
        with the one it is in. Read-only.
    """

    components: Components
    strata: pd.DataFrame
    units: int
    units_per_person: float
    dimensions: float
    unit_class: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    def to_frame(
        self, level: float = 0.95, method: str | None = None, lang: str = "en"
    ) -> pd.DataFrame:
        """Components with intervals, as `Components.to_frame`."""
        return self.components.to_frame(level, method, lang)

    def told(self, lang: str = "en") -> str:
        """What the intervals of components and reliabilities rest on, in words."""
        return self.components.inference.told(lang)

    def decision(
        self,
        strata: pd.DataFrame | None = None,
        *,
        units_per_person: float | None = None,
        fixed: Sequence[str] = _FIXED,
        level: float = 0.95,
    ) -> Decision:
        """Reliability of the survey as it was, or of another design; see `survey_decision`."""
        per_person = self.units_per_person if units_per_person is None else units_per_person
        return survey_decision(
            self.components,
            self.strata if strata is None else strata,
            units=self.units,
            units_per_person=per_person,
            dimensions=self.dimensions,
            fixed=fixed,
            level=level,
        )

    def study(
        self,
        factors: Sequence[float] = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0),
        *,
        fixed: Sequence[str] = _FIXED,
        level: float = 0.95,
        lang: str = "en",
    ) -> pd.DataFrame:
        """Reliability with this many times as many ballots in every stratum.

        Returns
        -------
        pandas.DataFrame
            One row per factor and kind: factor, ballots (per unit), kind (absolute, relative),
            reliability, lower, upper, error (standard error of a score in points), interval (what
            the ends rest on, in words in that language).
        """
        import pandas as pd

        rows = []
        for factor in factors:
            table = self.strata.assign(ballots=self.strata["ballots"] * factor)
            found = self.decision(table, fixed=fixed, level=level)
            for kind, value, ends, error in (
                ("absolute", found.dependability, found.dependability_interval,
                 found.absolute_error),
                ("relative", found.generalizability, found.generalizability_interval,
                 found.relative_error),
            ):  # fmt: skip
                lower, upper = ends or (np.nan, np.nan)
                rows.append((factor, float(table["ballots"].sum()), kind, value, lower, upper,
                             float(np.sqrt(error)), found.told(lang)))  # fmt: skip
        columns = ["factor", "ballots", "kind", "reliability", "lower", "upper", "error",
                   "interval"]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)

    def plan(
        self,
        target: float,
        *,
        costs: Mapping[str, float] | float = 1.0,
        kind: str = "absolute",
        units_per_person: int | Sequence[int] | None = None,
        cost_per_person: float = 0.0,
        fixed: Sequence[str] = _FIXED,
        assurance: float | None = None,
    ) -> SurveyPlan:
        """Find the cheapest survey with these categories, modes and weights; see `plan_survey`.

        Parameters
        ----------
        costs : float or mapping of mode to float
            Of one ballot.
        target, kind, units_per_person, cost_per_person, fixed, assurance
            As in `plan_survey`; units per person by default as they were.
        """
        modes = self.strata["mode"]
        if isinstance(costs, Mapping):
            for mode in dict.fromkeys(modes):
                if mode not in costs:
                    raise PerfmethodError(f"costs: found none for {mode!r}; allowed: one per mode")
            cost = modes.map(costs).astype(float)
        else:
            cost = modes.map(lambda _: float(costs))
        per_person = round(self.units_per_person) if units_per_person is None else units_per_person
        return plan_survey(
            self.components,
            self.strata.drop(columns="ballots").assign(cost=cost),
            target=target,
            units=self.units,
            kind=kind,
            units_per_person=per_person,
            cost_per_person=cost_per_person,
            dimensions=self.dimensions,
            fixed=fixed,
            assurance=assurance,
        )

    def named(self, lang: str = "zh") -> dict[str, str]:
        """Name of each term in a language."""
        names = study_names(lang)
        return {term: names.get(term, term) for term in self.components.terms}

    def plot(self, kind: str = "components", ax: Axes | None = None, lang: str = "zh") -> Axes:
        """Draw the components with intervals, or reliability against ballots per unit."""
        from perfmethod import plots

        if kind == "components":
            frame = self.to_frame().reset_index()
            frame["term"] = frame["term"].map(lambda t: study_names(lang).get(t, t))
            ax = plots.component_bars(frame, ax, title=self._finding(lang), language=lang)
            ax.set_xlabel(f"{ax.get_xlabel()} ({self.told(lang)})")
            return ax
        if kind == "study":
            ax = plots.reliability_curves(
                self.study(), ax, title=self._finding(lang), language=lang
            )
            ax.set_xlabel(f"{ax.get_xlabel()} ({_BANDS[lang].format(self.decision().told(lang))})")
            return ax
        raise PerfmethodError(f"kind: found {kind!r}; allowed: {suggest(str(kind), _KINDS)}")

    def _finding(self, lang: str) -> str:
        table = self.to_frame()
        if "unit" not in table.index:
            return ""
        share = show(100 * row(table, "unit")["share"], 1)
        phi = show(self.decision().dependability, 3)
        return {
            "zh": f"单张答卷中单位之间的差别只占{share}%, 全部答卷合起来的信度为{phi}",
            "en": f"Units make {share} % of one answer's variance; all ballots reach {phi}",
        }[lang]

    def __repr__(self) -> str:
        found = self.decision()
        return f"<GStudy of {self.components.levels[-1]} answers: {repr(found)[10:-1]}>"


def study_names(lang: str) -> Mapping[str, str]:
    """Names of terms in a language, where they are not the terms themselves."""
    return _NAMES.get(lang, {})


def generalizability(
    source: Year | pd.DataFrame | Reduction,
    *,
    option_scores: Mapping[Any, float | None] | None = None,
    dimensions: Sequence[str] | None = None,
    category_weights: Mapping[str, float] | None = None,
    unit_class: str | None = None,
    random: Sequence[str] | None = None,
    fixed: Sequence[str] | None = None,
    method: str = "REML",
) -> GStudy:
    """Study where the variance of a survey's answers comes from.

    Parameters
    ----------
    source : Year, pandas.DataFrame or Reduction
        A year with ballots, or its ballots: columns unit_id, rater_id, category, mode, and a
        column of option codes per dimension. The same rater_id in two categories is two raters.
        Or what `perfmethod.reduction.reduce` made of ballots, whatever their number: the cost of
        the fit does not grow with them.
    option_scores : mapping of code to float or None, optional
        Score of each option, None for one that is no answer ("don't know"); of a year, those of
        its scheme. Any other code is refused.
    dimensions : sequence of str, optional
        Columns of answers; by default all dimensions of a year.
    category_weights : mapping of str to float, optional
        Weights in the units' scores; by default those of the scheme, or equal ones.
    unit_class : str, optional
        Class of a year whose design is described; by default the one with most units. The
        components are of all classes together, whose means may differ.
    random, fixed : sequence of str, optional
        Terms over unit, rater, category, mode, dimension (and class). By default unit, its
        interactions with category, mode and dimension, rater (within category) and unit:rater (a
        ballot) are random; class, category, mode and dimension are fixed. What occurs once only is
        left out, and unit:rater where ballots have one answer: it is the residual then. So is an
        interaction that the ballots do not tell from another term (``meta["left_out"]`` says which
        from which); terms asked for stay, and are an error then.
    method : {"REML", "ML"}
        As in `variance_components`.

    Returns
    -------
    GStudy

    Raises
    ------
    PerfmethodError
        A year without ballots; ballots without option scores; as in `variance_components`.

    Examples
    --------
    >>> import pandas as pd
    >>> ballots = pd.DataFrame({
    ...     "unit_id": ["D01", "D02", "D03"] * 4, "rater_id": [r for r in "abcd" for _ in range(3)],
    ...     "category": "R01", "mode": "online", "duty": [1, 2, 2, 1, 1, 3, 1, 2, 3, 2, 2, 3]})
    >>> study = generalizability(ballots, option_scores={1: 100, 2: 75, 3: 55})
    >>> study.components.terms
    ('unit', 'rater', 'residual')
    """
    answers: Answers | ReducedAnswers
    if isinstance(source, Reduction):
        given = (option_scores, dimensions, category_weights, unit_class)
        answers = answers_of_reduction(source, *given)
    elif isinstance(source, Year):
        answers = answers_of_year(source, dimensions, category_weights, unit_class)
    else:
        answers = answers_of_ballots(source, option_scores, dimensions, category_weights)
    terms, left_out = default_terms(answers) if random is None else (list(random), {})
    means = answers.several("class", "category", "mode", "dimension") if fixed is None else fixed
    components = (
        answers.fit(terms, means, method)
        if isinstance(answers, ReducedAnswers)
        else variance_components(answers.moments, terms, means, method=method)
    )
    meta = {**answers.meta, "random": tuple(terms), "fixed": tuple(means), "left_out": left_out}
    return GStudy(
        components,
        answers.strata,
        answers.units,
        answers.units_per_person,
        answers.per_ballot,
        answers.unit_class,
        meta,
    )
