"""Who surely, possibly, or surely not holds the best grade, where places are given by quota."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.ranking.noise import measured_errors
from perfmethod.ranking.sets import STATUSES, RankSets, rank_sets
from perfmethod.survey import noted, unmeasured_told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.scoring import Evaluation

__all__ = ["PlaceSets", "place_sets"]

LANGS = ("zh", "en")

_WORDS: dict[str, dict[Any, str]] = {
    "en": {
        True: "With {level} % confidence in all statements at once: ",
        False: "With {level} % confidence in each statement by itself: ",
        "said": "{surely} of {places} places "
        "of '{grade}' surely go to the units that have them, {possibly} units possibly belong "
        "there, and {surely_not} surely do not.",
        "means": "'Possibly' says that the errors counted here do not decide it, not that the "
        "chances are even; errors that are not counted make it more units, not fewer.",
    },
    "zh": {
        True: "在{level}%的联合置信水平下: ",
        False: "在{level}%的单独置信水平下(逐家成立): ",
        "said": "{places}个“{grade}”名额中, {surely}个确定归现有单位, "
        "{possibly}家单位有可能入选, {surely_not}家确定不能入选。",
        "means": "“有可能”只表示所计入的误差不足以判定, 并不表示机会各半; "
        "若计入其他误差, 这类单位只会更多。",
    },
}


@dataclass(frozen=True)
class PlaceSets:
    """Rank sets inside the pools over which the best grade's places are spread.

    Attributes
    ----------
    grade : str
    level : float
    units : DataFrame
        Index unit_id; name, pool, total, se (points), grade, rank, low, high (among the units of
        the pool that compete for its places; missing for the others), places (of the pool), status
        (surely, possibly, surely_not), barred (a veto closes the grade, whatever the total),
        unmeasured_weight (share of the unit's survey weight whose error cannot be measured and
        counts as 0).
    sets : RankSets
        Of the units that compete.
    meta : mapping
    unmeasured_weight : float or None
        Share of all units' survey weight whose error is not in here; None without a survey.
    lonely : tuple of str
        Categories with a single rater: nothing of their noise can be known, and none is in here.
    """

    grade: str
    level: float
    units: pd.DataFrame = field(repr=False)
    sets: RankSets = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)
    unmeasured_weight: float | None = None
    lonely: tuple[str, ...] = ()

    def __repr__(self) -> str:
        found = self.counts
        told = ", ".join(f"{found[s]} {s.replace('_', ' ')}" for s in STATUSES)
        kind = "simultaneous" if self.meta["simultaneous"] else "marginal"
        lost = noted(self.unmeasured_weight, self.lonely)
        return f"<PlaceSets of '{self.grade}', {kind} {self.level:g}: {told}{lost}>"

    @property
    def counts(self) -> pd.Series:
        """Number of units of each status."""
        return self.units["status"].value_counts().reindex(list(STATUSES), fill_value=0)

    def to_frame(self) -> pd.DataFrame:
        """The units, pool after pool, best rank first."""
        return self.units.sort_values(["pool", "barred", "rank"], kind="stable")

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said, found = _WORDS[lang], self.counts
        places = int(self.units.drop_duplicates("pool")["places"].sum())
        level = said[bool(self.meta["simultaneous"])].format(level=show(100 * self.level, 0))
        first = level + said["said"].format(
            grade=self.meta["name"][lang], places=places,
            surely=found["surely"], possibly=found["possibly"], surely_not=found["surely_not"],
        )  # fmt: skip
        return first, said["means"], *unmeasured_told(self.unmeasured_weight, self.lonely, lang)

    def plot(self, ax: Axes | None = None, *, pool: str | None = None, lang: str = "zh") -> Axes:
        """Draw each unit's set of ranks, colored by what is sure of it.

        Parameters
        ----------
        ax : Axes, optional
        pool : str, optional
            Only the units of one pool.
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If there is no such pool.
        """
        from perfmethod import plots

        shown = self.to_frame()
        if pool is not None:
            shown = shown[shown["pool"] == pool]
        barred = int(shown["barred"].sum())
        shown = shown[~shown["barred"]]
        if pool is not None and shown.empty:
            known = list(self.units["pool"].unique())
            raise PerfmethodError(f"found pool '{pool}'; allowed: {suggest(pool, known)}")
        found = shown["status"].value_counts()
        title = {
            "zh": "“{grade}”名额: {a}家确定, {b}家可能, {c}家确定不能",
            "en": "{grade}: {a} surely, {b} possibly, {c} surely not",
        }[lang].format(
            grade=self.meta["name"][lang], a=found["surely"], b=found["possibly"],
            c=found["surely_not"],
        )  # fmt: skip
        if barred:  # not drawn: a veto decides, not a rank
            title += {"zh": f"(另有{barred}家被否决)", "en": f" ({barred} more barred)"}[lang]
        frame = shown.rename(columns={"pool": "group"})
        frame["unit"] = frame.index.map(self.meta["unit_names"][lang])
        frame = frame.replace({"group": dict(self.meta["pools"][lang])})
        return plots.rank_set_status(frame, ax, title=title, language=lang)


def place_sets(
    evaluation: Evaluation,
    *,
    level: float = 0.95,
    simultaneous: bool = True,
    extra: pd.Series | pd.DataFrame | None = None,
    draws: int = 2**16,
    seed: int = 0,
) -> PlaceSets:
    """Sort the units by what the errors of their totals leave open about the best grade.

    Units are compared only inside the pools over which the scheme spreads the places, which are
    the only comparisons that decide, and only with units that no veto bars from the grade. A unit
    surely holds a place if the worst rank of its set is not beyond the places, and surely does not
    if the best one is.

    Parameters
    ----------
    evaluation : Evaluation
        Under a scheme whose best grade has places.
    level : float, default 0.95
    simultaneous : bool, default True
        All statements hold at once with probability `level`, or each by itself.
    extra : Series or DataFrame, optional
        Errors besides those of the raters' sampling: standard errors in points by unit_id, or a
        covariance.
    draws, seed : int
        As in `rank_sets`.

    Returns
    -------
    PlaceSets

    Raises
    ------
    PerfmethodError
        If the best grade goes by a threshold, or there is no source of errors: no ballots, or most
        of the survey's weight on answers whose error cannot be measured, and no `extra`.

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm, *Review of Economic Studies* 91 (2024), 476-518.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=5000)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> int(place_sets(pm.evaluate(year), draws=1024).counts.sum())
    49
    """
    grade, name = best_grade(evaluation)
    totals, covariance, unmeasured = measured_errors(evaluation, extra)
    table = _table(evaluation, grade, totals)
    table["se"] = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    inside = ~table["barred"].to_numpy()
    if evaluation.year.scheme.document["grades"].get("vetoed_place", "next") == "unfilled":
        inside[:] = True  # a barred unit uses up its place, so it counts in the order
    if not inside.any():
        raise PerfmethodError("found no unit that may hold the best grade; allowed: at least one")
    sets = rank_sets(
        (totals[inside], covariance[np.ix_(inside, inside)]), within=table["pool"][inside],
        level=level, simultaneous=simultaneous, draws=draws, seed=seed,
    )  # fmt: skip
    named = sets.sets.assign(name=table["name"])
    lost = (None, ()) if unmeasured is None else (unmeasured.weight, unmeasured.lonely)
    sets = RankSets(sets.level, sets.simultaneous, named, sets.meta, *lost)
    table = table.join(named[["rank", "low", "high"]].astype("Int64"))
    status = np.where(table["high"].fillna(0) <= table["places"], STATUSES[0], STATUSES[1])
    never = table["barred"] | (table["low"].fillna(0) > table["places"])
    table["status"] = pd.Categorical(
        np.where(never, STATUSES[2], status), categories=list(STATUSES), ordered=True
    )
    columns = ["name", "pool", "total", "se", "grade", "rank", "low", "high", "places", "status",
               "barred"]  # fmt: skip
    if unmeasured is not None:
        table["unmeasured_weight"] = unmeasured.units
        columns.append("unmeasured_weight")
    meta = {
        **evaluation.year.meta,
        **sets.meta,
        "name": name,
        "simultaneous": simultaneous,
        "pools": _pool_names(evaluation),
        "unit_names": {lang: evaluation.year.unit_names(lang).to_dict() for lang in LANGS},
    }
    return PlaceSets(grade, level, table[columns], sets, meta, *lost)


def best_grade(evaluation: Evaluation) -> tuple[str, dict[str, str]]:
    """The best grade and its names; it must go by places alone."""
    rule = evaluation.year.scheme.document.get("grades", {})
    levels = rule.get("levels", {})
    if not levels:
        raise PerfmethodError("found a scheme without grades; allowed: one with [grades.levels]")
    grade = next(iter(levels))
    quota = rule.get("rule", "quota") == "quota" and "places" in levels[grade]
    if not quota or "least" in levels[grade]:
        raise PerfmethodError(
            f"found a least total for '{grade}' or no places; allowed: a best grade by places alone"
        )
    scheme = evaluation.year.scheme
    return grade, {lang: scheme.name(f"grades.levels.{grade}", lang) for lang in LANGS}


def _table(evaluation: Evaluation, grade: str, totals: pd.Series) -> pd.DataFrame:
    """Names, pools, places and vetoes of the units."""
    plan = evaluation._plan
    table = evaluation.scores[["name", "grade"]].assign(total=totals)
    table["pool"] = [plan.pool_names[code] for code in plan.pools]
    quota = evaluation.quotas[evaluation.quotas["grade"] == grade].set_index("pool")["places"]
    table["places"] = table["pool"].map(quota).astype(int)
    table["barred"] = plan.ceiling > 0
    return table


def _pool_names(evaluation: Evaluation) -> dict[str, dict[str, str]]:
    """How the pools are called, by language, where they are groups."""
    pools, year = evaluation._plan.pool_names, evaluation.year
    names = {lang: year.group_names(lang).to_dict() for lang in LANGS}
    return {lang: {p: str(named.get(p, p)) for p in pools} for lang, named in names.items()}
