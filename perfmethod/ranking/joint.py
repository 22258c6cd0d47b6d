"""What raters and weights leave open of ranks and grades, each alone and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.survey import noted, unmeasured_told

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation, Simulation
    from perfmethod.uncertainty import Spec

__all__ = ["SOURCES", "JointRanks", "joint_ranks"]

SOURCES = ("survey", "weights", "both")
DOUBTFUL = 0.05
USUAL = {
    "en": "of blocks, aspects and dimensions, each within 20 % of its value",
    "zh": "板块、方面和维度的权重各在其值的±20%以内",
}
_WORDS = {
    "en": "Other raters alone change the best grade of {survey} units on average, other weights "
    "({note}) alone {weights}, both together {both}; {doubtful} units are in less than {sure} % "
    "of the draws on the side where they are now. Weights are a choice, not an error: their "
    "range is an assumption.",
    "zh": "仅换评议人, 平均有{survey}家单位的优秀与否会改变; 仅改权重({note})为{weights}家; "
    "二者同时为{both}家。有{doubtful}家单位维持现状的抽样不足{sure}%。"
    "权重是选择而不是误差, 其范围是假定。",
}


@dataclass(frozen=True)
class JointRanks:
    """Ranks and the best grade under other raters, other weights, and both.

    Attributes
    ----------
    units : DataFrame
        Index unit_id; name, class, group, rank, grade, and for each source (survey, weights, both)
        SOURCE_low and SOURCE_high (5th and 95th percentile of the rank in the class over the draws;
        no confidence set, see `rank_sets`) and SOURCE_p_best (share of draws with the best grade);
        unmeasured_weight (share of the unit's survey weight whose error counts as 0).
    sources : DataFrame
        Index source; changed (mean number of units that would gain or lose the best grade) and its
        Monte Carlo error changed_mcse, any_changed (share of draws in which some unit would),
        doubtful (units whose side is kept in less than 95 % of the draws), width (mean width of the
        rank ranges).
    draws : int
    meta : mapping
        Also weights (what varied) and weights_told (the same in words by language, where it is
        the default).
    unmeasured_weight : float
        Share of all units' survey weight whose error is not in here (see `units` for each unit's).
    lonely : tuple of str
        Categories with a single rater: nothing of their noise can be known, and none is in here.
    """

    units: pd.DataFrame = field(repr=False)
    sources: pd.DataFrame = field(repr=False)
    draws: int
    meta: Mapping[str, Any] = field(repr=False)
    unmeasured_weight: float = 0.0
    lonely: tuple[str, ...] = ()

    def __repr__(self) -> str:
        told = ", ".join(f"{s} {x:.2f}" for s, x in self.sources["changed"].items())
        lost = noted(self.unmeasured_weight, self.lonely)
        return f"<JointRanks of {len(self.units)} units, best grades changed: {told}{lost}>"

    def to_frame(self) -> pd.DataFrame:
        """The units, best rank first inside each class."""
        return self.units.sort_values(["class", "rank"], kind="stable")

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        mean, doubtful = self.sources["changed"].to_dict(), self.sources["doubtful"].to_dict()
        changed = {source: show(mean[source], 1) for source in SOURCES}
        sure = show(100 * (1 - DOUBTFUL), 0)
        note = self.meta["weights_told"].get(lang, self.meta["weights"])
        said = _WORDS[lang].format(**changed, doubtful=doubtful["both"], sure=sure, note=note)
        return said, *unmeasured_told(self.unmeasured_weight, self.lonely, lang)


def joint_ranks(
    evaluation: Evaluation,
    weights: Spec | Sequence[Spec] | None = None,
    *,
    draws: int = 10_000,
    seed: int = 0,
) -> JointRanks:
    """Score the year with other raters, with other weights, and with both.

    Parameters
    ----------
    evaluation : Evaluation
        Of a year with ballots, under a scheme with grades.
    weights : Spec or sequence of Spec, optional
        What else varies (`perfmethod.uncertainty`); by default all weights of blocks, aspects and
        dimensions, each uniform within 20 % of its value.
    draws : int, default 10,000
    seed : int, default 0

    Returns
    -------
    JointRanks

    Raises
    ------
    PerfmethodError
        If there are no ballots or no grades, most of the survey's weight rests on answers whose
        error cannot be measured, or a name is not known.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=5000)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> joint_ranks(pm.evaluate(year), draws=256).sources.index.tolist()
    ['survey', 'weights', 'both']
    """
    from perfmethod import uncertainty as un
    from perfmethod.scoring import measured_of, simulate, survey_weights

    year = evaluation.year
    unmeasured = measured_of(evaluation)
    if evaluation.review is None or unmeasured is None:
        raise PerfmethodError("found a year without ballots; allowed: a year with ballots")
    if not year.scheme.document.get("grades", {}).get("levels"):
        raise PerfmethodError("found a scheme without grades; allowed: one with [grades.levels]")
    given = un.percent("classes.*.nodes.*.weight", by=20) if weights is None else weights
    specs: list[Spec] = list(given) if isinstance(given, Sequence) else [given]
    noise: Spec = un.survey_noise(evaluation.review, weights=survey_weights(evaluation))
    chosen: dict[str, list[Spec]] = {"survey": [noise], "weights": specs, "both": [noise, *specs]}
    units = evaluation.scores[["name", "class", "group", "rank", "grade"]].copy()
    rows = {}
    for at, (source, parts) in enumerate(chosen.items()):
        made = un.draw(year, draws, *parts, seed=seed + at)  # three samples of their own
        rows[source] = _told(source, units, simulate(year, made))
    units["unmeasured_weight"] = unmeasured.units
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("source")
    meta = {**year.meta, "seed": seed, "weights": "; ".join(spec.note for spec in specs),
            "weights_told": USUAL if weights is None else {}}  # fmt: skip
    return JointRanks(units, table, draws, meta, unmeasured.weight, unmeasured.lonely)


def _told(source: str, units: pd.DataFrame, found: Simulation) -> dict[str, float]:
    """Write a source's columns into the table of units; what it changes in all."""
    assert found.grade is not None
    order = list(found.units)
    ranks = np.quantile(found.rank, [0.05, 0.95], axis=0, method="inverted_cdf").astype(int)
    best = found.grade == 0
    for side, values in zip(("low", "high"), ranks, strict=True):
        units[f"{source}_{side}"] = pd.Series(values, index=order)
    units[f"{source}_p_best"] = pd.Series(best.mean(axis=0), index=order)
    changed = best != (units.loc[order, "grade"] == found.levels[0]).to_numpy()
    number = changed.sum(axis=1)
    return {
        "changed": float(number.mean()),
        "changed_mcse": float(number.std(ddof=1) / np.sqrt(len(number))),
        "any_changed": float((number > 0).mean()),
        "doubtful": int((changed.mean(axis=0) > DOUBTFUL).sum()),
        "width": float((ranks[1] - ranks[0] + 1).mean()),
    }
