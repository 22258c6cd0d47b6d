"""Which grades hang on the sampling of raters, and what more ballots would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.review_draws import bootstrap_draws, normal_draws
from perfmethod.scoring import Evaluation, Simulation, measured_of, simulate
from perfmethod.survey import Review, Unmeasured, noted, unmeasured_told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["METHODS", "GradeRisk", "grade_risk", "risk_by_ballots"]

METHODS = ("normal", "bootstrap")
DOUBTFUL = 0.05
_WORDS = {
    "en": "With other raters, {wrong} of {units} grades are expected to differ; {doubtful} units "
    "have another grade with more than {above} % probability.",
    "zh": "换一批评议人, 预计{wrong}个(共{units}个)单位等次不同; "
    "{doubtful}个单位等次不同的概率超过{above}%。",
}


@dataclass(frozen=True, eq=False, repr=False)
class GradeRisk:
    """How much of the totals, ranks and grades is the luck of which raters were asked.

    Attributes
    ----------
    units : DataFrame
        Index unit_id, best total first inside each class: name, class, group, total, grade, rank
        (as evaluated); se_total (points, from the survey alone) and its Monte Carlo error
        se_total_mcse; rank_p05, rank_median, rank_p95 (percentiles of the draws); p_LEVEL for
        every grade; p_other, the probability of another grade than the one given, and
        p_other_mcse; unmeasured_weight (share of the unit's survey weight whose error cannot be
        measured and counts as 0).
    expected_wrong : float
        Expected number of units whose grade differs (see `grade_risk`).
    expected_wrong_mcse : float
        Its Monte Carlo error.
    any_wrong : float
        Probability that at least one grade differs.
    draws : int
    factor : float
        On the covariance of the survey scores.
    method : {"normal", "bootstrap"}
    levels : tuple of str
        Grades, best first.
    lonely : tuple of str
        Categories with a single rater: nothing of their noise can be known, and none is in here.
    meta : mapping
        Digests of scheme and data, what varied, seed. Read-only.
    unmeasured_weight : float
        Share of all units' survey weight whose error is not in here.
    """

    units: pd.DataFrame
    expected_wrong: float
    expected_wrong_mcse: float
    any_wrong: float
    draws: int
    factor: float
    method: str
    levels: tuple[str, ...]
    lonely: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    unmeasured_weight: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    def __repr__(self) -> str:
        lost = noted(self.unmeasured_weight, self.lonely)
        return (
            f"<GradeRisk of {len(self.units)} units: {self.expected_wrong:.2f} grades expected "
            f"to differ, {len(self.doubtful())} doubtful (above 5 %), {self.draws} {self.method} "
            f"draws{lost}>"
        )

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said = _WORDS[lang].format(
            wrong=show(self.expected_wrong), units=len(self.units), doubtful=len(self.doubtful()),
            above=show(100 * DOUBTFUL, 0),
        )  # fmt: skip
        return said, *unmeasured_told(self.unmeasured_weight, self.lonely, lang)

    def to_frame(self) -> pd.DataFrame:
        """One row per unit; see `units`."""
        return self.units.copy()

    def doubtful(self, above: float = DOUBTFUL) -> pd.DataFrame:
        """Units whose grade would differ with more than this probability, the worst first."""
        found = self.units[self.units["p_other"] > above]
        return found.sort_values("p_other", ascending=False, kind="stable")

    def compared(self, other: GradeRisk) -> pd.DataFrame:
        """Probabilities of grades here and by other draws, such as those of the other method.

        Parameters
        ----------
        other : GradeRisk
            Of the same units and grades.

        Returns
        -------
        DataFrame
            One row per unit and grade: unit_id, level, p, other, mcse (Monte Carlo error of their
            difference; a probability without any hit counts as one hit).

        Raises
        ------
        PerfmethodError
            Other units or grades.
        """
        if set(self.units.index) != set(other.units.index) or self.levels != other.levels:
            raise PerfmethodError(
                f"compared: found other units or grades ({len(other.units)} units, grades "
                f"{', '.join(other.levels)}); allowed: those of this risk"
            )
        names = [f"p_{level}" for level in self.levels]
        here, there = self.units[names], other.units.loc[self.units.index, names]
        error = np.hypot(_binomial_error(here, self.draws), _binomial_error(there, other.draws))
        return pd.DataFrame(
            {
                "unit_id": np.repeat(self.units.index.to_numpy(), len(names)),
                "level": np.tile(np.array(self.levels), len(self.units)),
                "p": here.to_numpy().ravel(),
                "other": there.to_numpy().ravel(),
                "mcse": error.ravel(),
            }
        )

    def plot(self, ax: Axes | None = None, lang: str = "zh") -> Axes:
        """Draw the rank intervals, class by class."""
        from perfmethod import plots

        frame = pd.DataFrame(
            {"unit": self.units["name"], "low": self.units["rank_p05"],
             "median": self.units["rank_median"], "high": self.units["rank_p95"],
             "nominal": self.units["rank"]}
        )  # fmt: skip
        n = len(self.doubtful())
        title = {
            "zh": f"{n}家单位换一批评议人就可能换等次" if n else "换一批评议人, 没有单位可能换等次",
            "en": f"{n or 'No'} unit{'' if n in (0, 1) else 's'} might have another grade with "
            "other raters",
        }[lang]
        return plots.rank_intervals(frame, ax, title=title, language=lang)


def grade_risk(
    evaluation: Evaluation,
    *,
    draws: int = 10_000,
    factor: float = 1.0,
    seed: int = 0,
    method: str = "normal",
) -> GradeRisk:
    r"""Find what the sampling of raters does to totals, ranks and grades.

    Survey scores are drawn around those measured, with all their covariances, and the year is
    scored, ranked and graded with every draw. Nothing else varies.

    Parameters
    ----------
    evaluation : Evaluation
        Of a year with ballots, under a scheme with grades.
    draws : int
    factor : float
        On the covariance: 0.5 is a survey with twice as many raters of every category.
    seed : int
    method : {"normal", "bootstrap"}
        Normal with the covariance of `survey.Review.covariance`, not clipped to the scale of the
        scores; or ballots of raters who are drawn again within their categories, tabulated and
        scored anew (1 / `factor` times as many raters).

    Returns
    -------
    GradeRisk
        Names its method; `GradeRisk.compared` sets the two side by side.

    Raises
    ------
    PerfmethodError
        No ballots, no grades, an argument out of range, or most of the survey's weight on answers
        whose error cannot be measured.
    DataError
        A unit without any score in some draw.

    Notes
    -----
    **Definition.** Take the scores measured as the true means, those that all raters who could
    have been asked would give, and g(true) as the grades they lead to. Another sample of raters
    leads to grades g(sample). The expected number of wrong grades is
    :math:`\sum_u P(g_u(\text{sample}) \neq g_u(\text{true}))`. Where places are fixed in number a
    wrong list counts twice: who is in and should not be, and who is out. For two units at the edge
    with a gap of d points and a standard error s of their difference each of the two counts
    :math:`\Phi(-d/s)`, which is also the probability that their true order is the other one, if
    nothing else is known of it. Gaps measured are on average wider than true ones, so that the
    number is rather too small.

    References
    ----------
    Goldstein, H. and Spiegelhalter, D. J. (1996). League tables and their limitations: statistical
    issues in comparisons of institutional performance. *Journal of the Royal Statistical Society*
    A 159, 385-443.

    Efron, B. and Tibshirani, R. J. (1993). *An Introduction to the Bootstrap*. Chapman and Hall.
    """
    review, unmeasured = _checked(evaluation, draws, factor, method)
    sampled = (
        normal_draws(evaluation.year, review, draws, factor, seed)
        if method == "normal"
        else bootstrap_draws(evaluation.year, review, draws, factor, seed)
    )
    return _risk(evaluation, simulate(evaluation.year, sampled), unmeasured, factor, method)


def _binomial_error(p: pd.DataFrame, draws: int) -> NDArray[np.float64]:
    inside = np.clip(p.to_numpy(), 1 / draws, 1 - 1 / draws)
    return np.asarray(np.sqrt(inside * (1 - inside) / draws))


def _checked(
    evaluation: Evaluation, draws: int, factor: float, method: str
) -> tuple[Review, Unmeasured]:
    if method not in METHODS:
        raise PerfmethodError(f"method: found {method!r}; allowed: {suggest(str(method), METHODS)}")
    if draws < 2:
        raise PerfmethodError(f"draws: found {draws}; allowed: 2 or more")
    if not 0 <= factor < np.inf or (factor == 0 and method == "bootstrap"):
        allowed = "0 or more" if method == "normal" else "above 0"
        raise PerfmethodError(f"factor: found {factor}; allowed: {allowed}, finite")
    if "grades" not in evaluation.year.scheme.document:
        raise PerfmethodError("scheme: found no grades; allowed: a scheme with [grades]")
    unmeasured = measured_of(evaluation)
    if evaluation.review is None or unmeasured is None:
        raise PerfmethodError("year: found no ballots; allowed: a year with a survey and ballots")
    return evaluation.review, unmeasured


def _risk(
    evaluation: Evaluation,
    found: Simulation,
    unmeasured: Unmeasured,
    factor: float,
    method: str,
) -> GradeRisk:
    assert found.grade is not None
    units, k = evaluation.scores.loc[list(found.units)], len(found.total)
    given = np.array([found.levels.index(grade) for grade in units["grade"]])
    other = found.grade != given
    error = found.total.std(axis=0, ddof=1)
    ranks = np.quantile(found.rank, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf").astype(int)
    frame = units[["name", "class", "group", "total", "grade", "rank"]].copy()
    frame["se_total"], frame["se_total_mcse"] = error, error / np.sqrt(2.0 * (k - 1))
    frame["rank_p05"], frame["rank_median"], frame["rank_p95"] = ranks
    for code, name in enumerate(found.levels):
        frame[f"p_{name}"] = (found.grade == code).mean(axis=0)
    p = other.mean(axis=0)
    frame["p_other"], frame["p_other_mcse"] = p, np.sqrt(p * (1 - p) / k)
    frame["unmeasured_weight"] = unmeasured.units
    wrong = other.sum(axis=1)
    return GradeRisk(
        frame.sort_values(["class", "rank"], kind="stable"),
        float(wrong.mean()),
        float(wrong.std(ddof=1) / np.sqrt(k)),
        float((wrong > 0).mean()),
        k,
        factor,
        method,
        found.levels,
        unmeasured.lonely,
        found.meta,
        unmeasured.weight,
    )


def risk_by_ballots(
    evaluation: Evaluation,
    times: Sequence[float] = (1, 2, 4, 8),
    *,
    draws: int = 10_000,
    seed: int = 0,
    method: str = "normal",
) -> pd.DataFrame:
    """Expected number of wrong grades with so many times as many raters in every category.

    Parameters
    ----------
    times : sequence of float
        The covariance is divided by each of them in turn.
    draws, seed, method
        As in `grade_risk`; with ``method="normal"`` all rows rest on the same random numbers, so
        that their differences are surer than the rows.

    Returns
    -------
    DataFrame
        Index times; se_total (median over units, points), expected_wrong, expected_wrong_mcse,
        any_wrong (probability), doubtful (units above 5 %), unmeasured_weight (share of the weight
        of the survey as it is now whose error cannot be measured and counts as 0 in every row).

    Raises
    ------
    PerfmethodError, DataError
        As `grade_risk`; times that are not above 0.
    """
    rows = {}
    for many in times:
        if not 0 < many < np.inf:
            raise PerfmethodError(f"times: found {many}; allowed: above 0, finite")
        found = grade_risk(evaluation, draws=draws, factor=1 / many, seed=seed, method=method)
        rows[many] = {
            "se_total": float(found.units["se_total"].median()),
            "expected_wrong": found.expected_wrong,
            "expected_wrong_mcse": found.expected_wrong_mcse,
            "any_wrong": found.any_wrong,
            "doubtful": len(found.doubtful()),
            "unmeasured_weight": found.unmeasured_weight,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("times")
