"""Evaluate one year: scores, ranks, grades, and everything they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod import grading, normalization
from perfmethod.core import tree_shares
from perfmethod.display import show_frame
from perfmethod.errors import PerfmethodError
from perfmethod.scheme import Scheme
from perfmethod.scoring import notes as remarks
from perfmethod.scoring.levels import apportioned, terms
from perfmethod.scoring.plan import ClassPlan, Plan, compile_year
from perfmethod.scoring.run import (
    ClassScores,
    Scored,
    grades,
    rules,
    score,
    steps,
)
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.survey import Review

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Result of evaluating a year.

    Attributes
    ----------
    year : Year
    scores : DataFrame
        Index unit_id; name, class, group, one column (0-100) per block, bonus, deduction (points,
        positive), total (points), rank (in the class), group_rank, grade, note.
    nodes : DataFrame
        unit_id, node, score (0-100), effective_weight (after redistribution, root 1),
        contribution (points of the total; siblings' sum is their parent's).
    quotas : DataFrame
        For each grade with places and each pool: units, places, contested (places for which pools
        tie; given by lot where the scheme says so), filled, unfilled, last_in and first_out
        (totals at the cut).
    notes : DataFrame
        unit_id, kind, node, text: every filled, capped, barred or tied case.
    meta : mapping
        Digests of scheme and data, package version.
    """

    year: Year = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    nodes: pd.DataFrame = field(repr=False)
    quotas: pd.DataFrame = field(repr=False)
    notes: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)
    _plan: Plan = field(repr=False)
    _scored: Scored = field(repr=False)
    _graded: grading.Graded | None = field(repr=False)

    def __repr__(self) -> str:
        grade = self.scores["grade"].value_counts(sort=False)
        told = ", ".join(f"{n} {name}" for name, n in grade.items() if name)
        return f"<Evaluation of {len(self.scores)} units{': ' + told if told else ''}>"

    def _repr_html_(self) -> str:
        decimals = int(self.year.scheme.document.get("display_decimals", 2))
        shown = show_frame(self.to_frame().drop(columns="note"), decimals)
        return str(shown.to_html(max_rows=12))

    def to_frame(self) -> pd.DataFrame:
        """The scores, best total first inside each class."""
        return self.scores.sort_values(["class", "rank"], kind="stable")

    def compare(self, other: Evaluation) -> pd.DataFrame:
        """What another evaluation of the same units would change.

        Parameters
        ----------
        other : Evaluation

        Returns
        -------
        DataFrame
            Index unit_id; name, group, then total, rank and grade here and (``_other``) there,
            total_change, rank_change (positive is a better rank there), grade_changes.

        Raises
        ------
        PerfmethodError
            If the units are not the same.
        """
        if set(self.scores.index) != set(other.scores.index):
            raise PerfmethodError("found other units; allowed: evaluations of the same units")
        columns = ["total", "rank", "grade"]
        table = self.scores[["name", "group", *columns]].join(
            other.scores[columns].add_suffix("_other")
        )
        table["total_change"] = table["total_other"] - table["total"]
        table["rank_change"] = table["rank"] - table["rank_other"]
        table["grade_changes"] = table["grade"] != table["grade_other"]
        return table

    def plot(self, kind: str = "totals", ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the evaluation.

        Parameters
        ----------
        kind : {'totals', 'margins', 'blocks'}
            Totals by group with the quotas' edges, distances from the cut, or points by block.
        ax : Axes, optional
        lang : {'zh', 'en'}

        Raises
        ------
        ValueError
            If the kind is none of these.
        """
        from perfmethod.scoring.figures import draw

        return draw(self, kind, ax, lang)

    @cached_property
    def learned(self) -> pd.DataFrame:
        """Parameters that rules learned from this year's values.

        Returns
        -------
        DataFrame
            class, indicator, parameter, value (on the indicator's own scale).
        """
        rows = []
        slots = Slots(self.year.scheme)
        for part in self._plan.classes:
            for leaf in part.leaves:
                entry = self.year.scheme.document["indicators"][leaf.indicator]
                method = entry["rule"]["method"]
                rule = normalization.METHODS.get(method)
                if rule is None or rule.learns is None or np.isnan(leaf.actual).all():
                    continue
                given = slots.parameters(leaf.indicator)
                direction = -1 if entry.get("direction") == "negative" else 1
                found = normalization.learn(leaf.actual, method, direction=direction, **given)
                rows += [
                    (part.class_id, leaf.indicator, name, float(value))
                    for name, value in found.items()
                    if name not in given
                ]
        return pd.DataFrame(rows, columns=["class", "indicator", "parameter", "value"])

    def keep_learned(self) -> Scheme:
        """Scheme with the learned parameters written into it, to be re-applied next year.

        Raises
        ------
        PerfmethodError
            If two classes learned different values for one indicator: one line of a scheme cannot
            hold both.
        """
        rows = self.learned
        at = "indicators." + rows["indicator"] + ".rule." + rows["parameter"]
        spread = rows.groupby(at)["value"].agg(["min", "max"])
        clash = spread.index[spread["min"] != spread["max"]]
        if len(clash):
            raise PerfmethodError(
                f"found different learned values in two classes for {list(clash)[:5]}; allowed: "
                "one value per indicator, so split the indicator by class first"
            )
        return self.year.scheme.patch(dict(zip(at, rows["value"].tolist(), strict=True)))

    @cached_property
    def review(self) -> Review | None:
        """Survey scores with standard errors and cell counts; None without ballots."""
        from perfmethod.scoring.reviewed import review_of

        return review_of(self.year, self._plan)

    @cached_property
    def survey_errors(self) -> pd.DataFrame | None:
        """Standard error that the ballots give to each total (``se_total``, points)."""
        from perfmethod.scoring.reviewed import survey_errors

        if self.review is None:
            return None
        base = float(self.year.scheme.number("base"))
        return survey_errors(self.review, self._plan, self.nodes, base)


def evaluate(year: Year, *, lang: str = "en") -> Evaluation:
    """Score, rank and grade every unit of a year.

    Parameters
    ----------
    year : Year
    lang : {'en', 'zh'}
        Language of the notes.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        If a unit has nothing to score.

    Examples
    --------
    >>> import perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, None]}))
    >>> pm.evaluate(year).scores[["total", "rank"]]
             total  rank
    unit_id
    A         70.0     1
    B         60.0     2
    """
    plan, slots = compile_year(year), Slots(year.scheme)
    scored = score(plan, slots)
    graded = grades(plan, slots, scored)
    found = remarks.collect(year, plan, scored, graded)
    base = float(slots.one("base"))
    return Evaluation(
        year,
        _scores(year, plan, scored, graded).join(remarks.summary(year, found, lang)),
        pd.concat(
            [_nodes(plan, p, s, base) for p, s in zip(plan.classes, scored.classes, strict=True)],
            ignore_index=True,
        ),
        _quotas(plan, slots, scored, graded),
        pd.DataFrame(
            [(n.unit_id, n.kind, n.node, remarks.phrase(year, n, lang)) for n in found],
            columns=["unit_id", "kind", "node", "text"],
        ),
        year.meta,
        plan,
        scored,
        graded,
    )


def _scores(year: Year, plan: Plan, scored: Scored, graded: grading.Graded | None) -> pd.DataFrame:
    units = year.units
    frame = pd.DataFrame(index=pd.Index(plan.units, name="unit_id"))
    frame["name"] = year.unit_names()
    frame["class"], frame["group"] = units["class"], units["group"]
    for block in _blocks(plan):
        frame[block] = np.nan
    for part, result in zip(plan.classes, scored.classes, strict=True):
        rows = frame.index[part.units]
        for child in part.tree.children[0]:
            if part.tree.names[child] in frame:
                frame.loc[rows, part.tree.names[child]] = result.nodes[child]
    frame["bonus"], frame["deduction"], frame["total"] = (
        scored.bonus,
        scored.deduction,
        scored.total,
    )
    frame["rank"], frame["group_rank"] = scored.rank, scored.group_rank
    levels = list(plan.scheme.document.get("grades", {}).get("levels", {}))
    frame["grade"] = "" if graded is None else [levels[code] for code in graded.codes]
    return frame


def _blocks(plan: Plan) -> list[str]:
    """Nodes right under the root, in any class."""
    found: dict[str, None] = {}
    for part in plan.classes:
        nodes = plan.scheme.document["classes"][part.class_id].get("nodes", {})
        found |= dict.fromkeys(part.tree.names[c] for c in part.tree.children[0]
                               if part.tree.names[c] in nodes)  # fmt: skip
    return list(found)


def _nodes(plan: Plan, part: ClassPlan, result: ClassScores, base: float) -> pd.DataFrame:
    weight, points = tree_shares(part.tree, result.nodes, result.leaves, result.numbers)
    scores = np.stack([result.nodes[n] for n in range(len(part.tree.names))], 1)
    held = np.ones(scores.shape, dtype=bool)
    for node, has in result.leaves.held.items():
        held[:, node] = has > 0
    row, column = np.nonzero(held)
    return pd.DataFrame(
        {
            "unit_id": np.array(plan.units)[part.units[row]],
            "node": np.array(["total", *part.tree.names[1:]])[column],
            "score": scores[row, column],
            "effective_weight": weight[row, column],
            "contribution": base / 100.0 * points[row, column],
        }
    )


def _quotas(
    plan: Plan, slots: Slots, scored: Scored, graded: grading.Graded | None
) -> pd.DataFrame:
    columns = ["grade", "pool", "units", "places", "contested", "filled", "unfilled", "last_in",
               "first_out"]  # fmt: skip
    if graded is None:
        return pd.DataFrame(columns=columns)
    found, at_cut = steps(plan, slots), cuts_of(plan, slots, scored)
    units = np.bincount(plan.pools, minlength=len(plan.pool_names))
    parts = []
    for code, (level, step) in enumerate(
        zip(plan.scheme.document["grades"]["levels"], found, strict=True)
    ):
        if step.places is None:
            continue
        filled = np.bincount(plan.pools[graded.codes == code], minlength=len(plan.pool_names))
        part = pd.DataFrame({"grade": level, "pool": plan.pool_names, "units": units})
        part["places"] = np.asarray(step.places, dtype=int)
        part["contested"] = _contested(plan, slots, level)
        part["filled"], part["unfilled"] = filled, part["places"] - filled
        part["last_in"], part["first_out"] = at_cut.last_in[code], at_cut.first_out[code]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def cuts_of(plan: Plan, slots: Slots, scored: Scored) -> grading.Cuts:
    """Totals at the edges of the quotas, and each unit's margin to them."""
    return grading.cuts(scored.compared, plan.pools, steps(plan, slots), **rules(plan, scored))


def _contested(plan: Plan, slots: Slots, level: str) -> Any:
    path = f"grades.levels.{level}.places"
    if path not in plan.scheme.numbers:
        return 0
    result = apportioned(plan, terms(plan, slots, level)[1][0])
    return [result.contested if i in result.tied else 0 for i in range(len(plan.pool_names))]
