"""How probable each grade is for each unit, given its total and the errors of the totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.frames import row
from perfmethod.ranking.noise import measured_errors, normal_draws
from perfmethod.ranking.shrinkage import posterior
from perfmethod.survey import noted, unmeasured_told

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["GradePosterior", "grade_posterior"]

Array = NDArray[np.float64]

_WORDS = {
    "en": "Given the totals and the errors counted here, {wrong} grades are expected to differ "
    "from those that the true totals would give. Of {pairs} pairs of a unit with '{grade}' and "
    "one without it in the same pool, {misordered} are expected to stand in the wrong order. "
    "Errors that are not counted come on top.",
    "zh": "在所计入的误差下, 预计有{wrong}家单位的等次与按真实总分应得的等次不同; "
    "同组内“{grade}”与非“{grade}”单位的{pairs}对比较中, 预计有{misordered}对次序颠倒。"
    "未计入的误差还会使之增加。",
}


@dataclass(frozen=True)
class GradePosterior:
    """Grades as true totals would give them, by empirical Bayes.

    Attributes
    ----------
    units : DataFrame
        Index unit_id; name, class, group, total, se (points), grade, true_mean and true_sd (points,
        posterior), p_LEVEL for every grade, p_other (another grade than the one given) with its
        Monte Carlo error p_other_mcse, unmeasured_weight (share of the unit's survey weight whose
        error cannot be measured and counts as 0; only with a survey).
    pairs : DataFrame
        Index scope (pool: pairs that compete for the same places; class: all of a class); pairs (of
        a unit that holds the best grade with one that does not, no veto barring it), reversed
        (number whose measured totals stand the other way round, which inside a class is the doing
        of quotas by pool), misordered (expected number whose true totals do), share.
    classes : DataFrame
        Index class; units, mean and between_sd (of true totals, points; missing where fewer than
        three units let nothing be estimated, and nothing is shrunk), reliability (mean share of
        variance that is not error).
    expected_wrong : float
        Expected number of units whose grade differs.
    draws : int
    meta : mapping
    unmeasured_weight : float or None
        Share of all units' survey weight whose error is not in here; None without a survey.
    lonely : tuple of str
        Categories with a single rater: nothing of their noise can be known, and none is in here.
    """

    units: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    classes: pd.DataFrame = field(repr=False)
    expected_wrong: float
    draws: int
    meta: Mapping[str, Any] = field(repr=False)
    unmeasured_weight: float | None = None
    lonely: tuple[str, ...] = ()

    def __repr__(self) -> str:
        pool = self.pairs.loc["pool"]
        return (
            f"<GradePosterior of {len(self.units)} units: {self.expected_wrong:.2f} grades "
            f"expected to differ, {pool['misordered']:.2f} of {pool['pairs']:.0f} pairs misordered"
            f"{noted(self.unmeasured_weight, self.lonely)}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The units, best total first inside each class."""
        return self.units.sort_values(["class", "total"], ascending=[True, False], kind="stable")

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        pool = row(self.pairs, "pool")
        said = _WORDS[lang].format(
            wrong=show(self.expected_wrong, 1), grade=self.meta["name"][lang],
            pairs=int(pool["pairs"]), misordered=show(pool["misordered"], 1),
        )  # fmt: skip
        return said, *unmeasured_told(self.unmeasured_weight, self.lonely, lang)


def grade_posterior(
    evaluation: Evaluation,
    *,
    extra: pd.Series | pd.DataFrame | None = None,
    shrink: bool = True,
    draws: int = 2**14,
    seed: int = 0,
) -> GradePosterior:
    """Probability of every grade, and pairs expected to stand in the wrong order.

    True totals of a class are taken as normal around a common mean, with the variance that the
    totals show beyond their errors. Draws of the true totals are ranked and graded by the scheme's
    own places, ties and vetoes. Probabilities of pairs are exact under the normal law.

    Parameters
    ----------
    evaluation : Evaluation
    extra : Series or DataFrame, optional
        Errors besides those of the raters' sampling: standard errors in points by unit_id, or a
        covariance. What is in no error is taken as exact.
    shrink : bool, default True
        False: true totals are as likely above as below what was measured.
    draws : int, default 16,384
        Of the true totals (`normal_draws`).
    seed : int, default 0

    Returns
    -------
    GradePosterior

    Raises
    ------
    PerfmethodError
        If the scheme gives no grades, or there is no source of errors: no ballots, or most of the
        survey's weight on answers whose error cannot be measured, and no `extra`.

    References
    ----------
    Laird and Louis, "Empirical Bayes ranking methods", *Journal of Educational Statistics* 14
    (1989), 29-46; Kline, Rose and Walters, "A discrimination report card" (2024), *American
    Economic Review* 114, 2472-2525 (misordered pairs).

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=5000)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> found = grade_posterior(pm.evaluate(year), draws=1024)
    >>> found.units.filter(like="p_").columns.tolist()
    ['p_excellent', 'p_qualified', 'p_unqualified', 'p_other', 'p_other_mcse']
    """
    rule = evaluation.year.scheme.document.get("grades", {})
    if not rule.get("levels"):
        raise PerfmethodError("found a scheme without grades; allowed: one with [grades.levels]")
    totals, covariance, unmeasured = measured_errors(evaluation, extra)
    code, names = pd.factorize(evaluation.scores["class"])
    law = posterior(totals, covariance, code, shrink=shrink)
    levels = list(rule["levels"])
    sampled = law.mean + normal_draws(law.covariance, draws, seed)
    grade = grades_of(evaluation, sampled)
    units = _units(evaluation, totals, covariance, law.mean, law.covariance)
    given = np.array([levels.index(g) for g in units["grade"]])
    for at, level in enumerate(levels):
        units[f"p_{level}"] = (grade == at).mean(axis=0)
    p = (grade != given).mean(axis=0)
    units["p_other"], units["p_other_mcse"] = p, np.sqrt(p * (1 - p) / draws)
    lost: tuple[float | None, tuple[str, ...]] = (None, ())
    if unmeasured is not None:
        units["unmeasured_weight"] = unmeasured.units
        lost = unmeasured.weight, unmeasured.lonely
    finite = np.isfinite(law.between)
    share = np.array([
        (law.between[c] / (law.between[c] + np.diag(covariance)[code == c])).mean()
        if finite[c] and law.between[c] > 0 else (0.0 if finite[c] else np.nan)
        for c in range(len(names))
    ])  # fmt: skip
    spread = np.sqrt(np.where(finite, law.between, np.nan))
    classes = pd.DataFrame(
        {"units": np.bincount(code), "mean": law.center, "between_sd": spread,
         "reliability": share}, index=pd.Index(names, name="class"),
    )  # fmt: skip
    scheme = evaluation.year.scheme
    name = {lang: scheme.name(f"grades.levels.{levels[0]}", lang) for lang in ("zh", "en")}
    meta = {**evaluation.year.meta, "seed": seed, "shrink": shrink, "name": name}
    return GradePosterior(
        units, _pairs(evaluation, law.mean, law.covariance, given == 0), classes, float(p.sum()),
        draws, meta, *lost,
    )  # fmt: skip


def grades_of(evaluation: Evaluation, totals: Array) -> NDArray[np.int8]:
    """Grades (k, u) that other totals (k, u) would get by the scheme's own rule."""
    from perfmethod.scoring.run import SAME, grades
    from perfmethod.scoring.slots import Slots

    scored = evaluation._scored._replace(total=totals, compared=np.round(totals, SAME))
    found = grades(evaluation._plan, Slots(evaluation.year.scheme), scored)
    assert found is not None
    return found.codes


def _units(
    evaluation: Evaluation, totals: pd.Series, errors: Array, mean: Array, covariance: Array
) -> pd.DataFrame:
    units = evaluation.scores[["name", "class", "group"]].assign(total=totals)
    units["se"] = np.sqrt(np.maximum(np.diag(errors), 0.0))
    units["grade"] = evaluation.scores["grade"]
    units["true_mean"] = mean
    units["true_sd"] = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return units


def _pairs(
    evaluation: Evaluation, mean: Array, covariance: Array, best: NDArray[np.bool_]
) -> pd.DataFrame:
    """Pairs of a unit with the best grade and one without it, and how many stand wrongly."""
    from scipy.special import ndtr

    plan, own = evaluation._plan, np.diag(covariance)
    spread = np.sqrt(np.maximum(own[:, None] + own - 2 * covariance, 0.0))
    gap = mean[:, None] - mean
    z = np.divide(-gap, spread, out=np.where(gap > 0, -np.inf, np.inf), where=spread > 0)
    wrong = np.where((spread == 0) & (gap == 0), 0.5, ndtr(z))
    chosen = best[:, None] & ~best & (plan.ceiling == 0)
    total = evaluation.scores["total"].to_numpy()
    lower = total[:, None] < total
    rows = {}
    for scope, code in (("pool", plan.pools), ("class", plan.unit_class)):
        mine = chosen & (code[:, None] == code)
        rows[scope] = (int(mine.sum()), int((lower & mine).sum()), float(wrong[mine].sum()))
    columns = ["pairs", "reversed", "misordered"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    frame["share"] = frame["misordered"] / frame["pairs"].where(frame["pairs"] > 0)
    return frame.rename_axis("scope")
