"""How far grades depend on what cannot be tested: the share of the group differences taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import DataError, Problems, suggest
from perfmethod.stringency.adjust import simulate_shifts
from perfmethod.stringency.parts import Parts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.scoring import Evaluation, Simulation

__all__ = ["DeltaSweep", "delta_sweep"]

Array = NDArray[np.float64]

GRID = 201  # deltas tried where totals are not linear in delta

_WORDS = {
    "en": {
        "none": "No grade depends on whether the group differences, taken as estimated, are "
        "stringency or performance.",
        "some": "{n} of {u} grades depend on whether the group differences are stringency or "
        "performance, which no data of this year can tell: {units}.",
        "still": "The group effects given are all 0: nothing moved, and nothing is shown about "
        "grades that depend on the answer.",
        "sure": "{n} of {m} units graded '{level}' hold that grade whatever the answer.",
        "rank": "Ranks move by up to {most} places.",
        "inside": "Places are given inside the groups whose panels are compared, where the "
        "stringency of a panel moves all units nearly alike.",
        "join": ", ", "gap": " ",
    },
    "zh": {
        "none": "按估计的组间差异, 没有任何单位的等次取决于它究竟是评审尺度还是真实绩效。",
        "some": "{u}个等次中有{n}个取决于组间差异究竟是评审尺度还是真实绩效, 本年数据无法回答: "
        "{units}。",
        "still": "所给组效应均为0: 没有任何得分变动, 因而不能说明等次是否取决于此。",
        "sure": "{m}家“{level}”单位中有{n}家无论答案如何等次都不变。",
        "rank": "名次最多变动{most}位。",
        "inside": "名额在各评审组内部分配, 组的尺度使组内单位几乎同等升降。",
        "join": "、", "gap": "",
    },
}  # fmt: skip


@dataclass(frozen=True)
class DeltaSweep:
    """Grades and ranks as delta goes from 0 (all is performance) to 1 (all is stringency).

    Attributes
    ----------
    units : DataFrame
        Index unit_id; name, group, shift (points of the panel's part at delta 1), total_0,
        total_1, rank_0, rank_1, rank_best, rank_worst, grade_0, grade_1, depends (whether the grade
        is not the same for every delta), first_change (smallest delta at which it differs from that
        at 0), held (share of delta's range with the grade of delta 0), beyond_scale (whether the
        panel's part leaves 0 to 100).
    changes : DataFrame
        delta, unit_id, name, grade_from, grade_to: every change, in the order of delta.
    curve : DataFrame
        Index delta, at both ends and between any two changes; changed (grades that differ from
        those of delta 0), rank_moves (mean absolute).
    exact : bool
        Whether the changes are where totals meet, or found on a grid.
    pool : str
        Over what the places are spread.
    meta : mapping
    """

    units: pd.DataFrame = field(repr=False)
    changes: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    exact: bool
    pool: str
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        n = int(self.units["depends"].sum())
        return f"<DeltaSweep of {len(self.units)} units: {n} grades depend on delta>"

    def to_frame(self) -> pd.DataFrame:
        """The units, those whose grade depends on delta first."""
        return self.units.sort_values(["depends", "held"], ascending=[False, True], kind="stable")

    def words(self, lang: str = "zh") -> str:
        """What may be said: which grades hang on the assumption that cannot be tested.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said = _WORDS[lang]
        if not self.units["shift"].any():
            return said["still"]
        moved = self.units[self.units["depends"]]
        first = said["none"] if moved.empty else said["some"].format(
            n=len(moved), u=len(self.units),
            units=said["join"].join(str(n) for n in moved[f"name_{lang}"]),
        )  # fmt: skip
        levels = [g for g in self.meta["levels"] if (self.units["grade_0"] == g).any()]
        parts = [first]
        if levels and levels[0]:
            best = self.units[self.units["grade_0"] == levels[0]]
            name = self.meta[f"name_{lang}"][levels[0]]
            sure = int((~best["depends"]).sum())
            parts.append(said["sure"].format(n=sure, m=len(best), level=name))
        if self.meta["inside"]:
            parts.append(said["inside"])
        most = (self.units["rank_worst"] - self.units["rank_best"]).max()
        parts.append(said["rank"].format(most=show(float(most), 0)))
        return said["gap"].join(parts)

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw in which part of delta's range each unit holds which grade."""
        from perfmethod.stringency.figures import draw_sweep

        return draw_sweep(self, ax, lang)


def delta_sweep(
    evaluation: Evaluation, parts: Parts, effects: pd.Series, *, pool: str | None = None
) -> DeltaSweep:
    """Take a growing share of the group effects out of the panel's part, and grade anew.

    Parameters
    ----------
    evaluation : Evaluation
    parts : Parts
    effects : Series
        By group: points by which it stands higher than its anchors say.
    pool : {"group", "class", "all"}, optional
        Spread the places over other pools than the scheme's. Where places are given inside the
        groups whose panels are compared, moving a whole group changes next to nothing.

    Returns
    -------
    DeltaSweep

    Raises
    ------
    DataError
        If a group has no effect, several, or one that is not a finite number.
    """
    known = _known_effects(parts, effects)
    shift: Array = np.array([-known[group] for group in parts.groups])
    ends = simulate_shifts(evaluation, parts, np.outer([0.0, 0.5, 1.0], shift), pool=pool)
    middle = (ends.total[0] + ends.total[2]) / 2
    exact = bool(np.abs(ends.total[1] - middle).max() <= 1e-9 * np.abs(middle).max())
    stops = _meetings(evaluation, ends, pool) if exact else np.linspace(0, 1, GRID)[1:-1]
    edges = np.concatenate([[0.0], stops, [1.0]])
    deltas = np.unique(np.concatenate([[0.0, 1.0], (edges[:-1] + edges[1:]) / 2]))
    found = simulate_shifts(evaluation, parts, np.outer(deltas, shift), pool=pool)
    rule = evaluation.year.scheme.document.get("grades", {})
    label, at = _pools(evaluation, pool), evaluation.scores.index.get_indexer(parts.panel.index)
    levels = found.levels or ("",)
    names = {
        f"name_{lang}": {g: evaluation.year.scheme.name(f"grades.levels.{g}", lang) for g in levels}
        for lang in ("zh", "en") if found.levels
    }  # fmt: skip
    return DeltaSweep(
        _units(evaluation, parts, found, deltas, edges, shift),
        _changes(evaluation, found, deltas, edges),
        _curve(found, deltas),
        exact,
        str(pool or rule.get("pool", "group")),
        {
            **evaluation.year.meta,
            "levels": levels,
            **names,
            "inside": bool((pd.Series(shift).groupby(label[at]).nunique() == 1).all()),
        },
    )


def _known_effects(parts: Parts, effects: pd.Series) -> dict[str, float]:
    """The one finite effect of every group."""
    problems = Problems("stringency")
    known = {str(g): effects[effects.index == g].to_numpy(float) for g in effects.index}
    for group in sorted(set(parts.groups)):
        found = known.get(group, np.empty(0))
        if found.size != 1:
            near = f" ({suggest(group, known)})" if known and not found.size else ""
            problems.add(f"{found.size or 'no'} effects of group '{group}'",
                         f"one effect of each group{near}", column="effects")  # fmt: skip
        elif not np.isfinite(found[0]):
            problems.add(f"effect {found[0]:g} of group '{group}'", "a finite number",
                         column="effects")  # fmt: skip
    problems.raise_any(DataError)
    return {group: float(known[group][0]) for group in set(parts.groups)}


def _meetings(evaluation: Evaluation, ends: Simulation, pool: str | None) -> Array:
    """Where two totals of a pool or class meet, or a total a least one, inside (0, 1)."""
    start, slope = ends.total[0], ends.total[2] - ends.total[0]
    i, j = np.triu_indices(len(start), 1)
    label, class_of = _pools(evaluation, pool), evaluation.year.units["class"].to_numpy()
    same = (label[i] == label[j]) | (class_of[i] == class_of[j])
    i, j = i[same], j[same]
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = (start[j] - start[i]) / (slope[i] - slope[j])
        for path, least in evaluation.year.scheme.numbers.items():
            if path.startswith("grades.levels.") and path.endswith(".least"):
                meet = np.concatenate([meet, (float(least) - start) / slope])
    inside: Array = meet[np.isfinite(meet) & (meet > 0) & (meet < 1)]
    return np.unique(np.round(inside, 12))


def _pools(evaluation: Evaluation, pool: str | None) -> NDArray[np.object_]:
    """Label of the pool in which each unit competes for places, (u,)."""
    by = pool or evaluation.year.scheme.document.get("grades", {}).get("pool", "group")
    units = evaluation.year.units
    if by == "all":
        return np.full(len(units), "", dtype=object)
    labels = units["class"] if by == "class" else units["group"].fillna(units["class"])
    return labels.to_numpy(dtype=object)


def _grade(found: Simulation) -> NDArray[np.int8]:
    return np.zeros(found.rank.shape, np.int8) if found.grade is None else found.grade


def _units(
    evaluation: Evaluation, parts: Parts, found: Simulation, deltas: Array, edges: Array,
    shift: Array,
) -> pd.DataFrame:  # fmt: skip
    grade, levels = _grade(found), np.array(found.levels or ("",))
    index = evaluation.scores.index
    frame = pd.DataFrame(
        {f"name_{lang}": evaluation.year.unit_names(lang) for lang in ("zh", "en")}, index=index
    )
    frame["group"] = evaluation.scores["group"]
    moved = pd.Series(shift, parts.panel.index)
    frame["shift"] = moved.reindex(index, fill_value=0.0)
    for name, table in (("total", found.total), ("rank", found.rank)):
        frame[f"{name}_0"], frame[f"{name}_1"] = table[0], table[-1]
    frame["rank_best"], frame["rank_worst"] = found.rank.min(axis=0), found.rank.max(axis=0)
    frame["grade_0"], frame["grade_1"] = levels[grade[0]], levels[grade[-1]]
    other = grade != grade[0]
    frame["depends"] = other.any(axis=0)
    # the middle draws stand for the stretches between the edges
    at = np.searchsorted(deltas, (edges[:-1] + edges[1:]) / 2)
    frame["first_change"] = np.where(
        other[at].any(axis=0), edges[other[at].argmax(axis=0)], np.where(other[-1], 1.0, np.nan)
    )
    frame["held"] = np.diff(edges) @ ~other[at]
    after = (parts.panel + moved).reindex(index)
    frame["beyond_scale"] = (after < 0) | (after > 100)
    return frame


def _changes(
    evaluation: Evaluation, found: Simulation, deltas: Array, edges: Array
) -> pd.DataFrame:
    grade, levels = _grade(found), found.levels or ("",)
    at = np.searchsorted(deltas, (edges[:-1] + edges[1:]) / 2)
    steps = grade[at]
    row, unit = np.nonzero(steps[1:] != steps[:-1])
    names = evaluation.year.unit_names
    return pd.DataFrame(
        {
            "delta": edges[1:-1][row],
            "unit_id": np.array(found.units)[unit],
            "name_zh": names("zh").to_numpy()[unit],
            "name_en": names("en").to_numpy()[unit],
            "grade_from": [levels[g] for g in steps[row, unit]],
            "grade_to": [levels[g] for g in steps[row + 1, unit]],
        }
    )


def _curve(found: Simulation, deltas: Array) -> pd.DataFrame:
    grade, rank = _grade(found), found.rank.astype(float)
    return pd.DataFrame(
        {
            "changed": (grade != grade[0]).sum(axis=1),
            "rank_moves": np.abs(rank - rank[0]).mean(axis=1),
        },
        index=pd.Index(deltas, name="delta"),
    )
