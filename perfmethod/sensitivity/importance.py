"""Nominal weight versus importance: what a block or an aspect really contributes.

A weight of 60 % is a rate of exchange, not an importance: a node whose scores hardly differ decides
nothing, whatever its weight. Four answers stand beside the nominal weight: the main effect on the
total (correlation ratio), the share of the total's variance, and what would change in the ranking
if all units had the same points from the node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scoring import Evaluation
from perfmethod.sensitivity.contributions import (
    jackknife,
    pairs_decided,
    rank_drops,
    variance_shares,
)
from perfmethod.sensitivity.estimators import chosen
from perfmethod.sensitivity.nodes import Level, levels_of
from perfmethod.sensitivity.smoothers import LEAST, SMOOTHERS, correlation_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Importance", "importance"]

Array = NDArray[np.float64]

LEAST_UNITS = 10  # below, standard errors over units are of the size of what they stand beside


@dataclass(frozen=True, eq=False, repr=False)
class Importance:
    """Nominal weights beside what they turned out to be.

    Attributes
    ----------
    table : DataFrame
        One row per class, level and node; on each level the nodes and the adjustments together
        make up the total. class, level (1: blocks), node, parent, units (with a score), nominal
        (weight in the root by the scheme), effective (mean weight after redistribution), spread
        (standard deviation of the scores), correlation (with the total), main_effect,
        main_effect_corrected, importance (corrected main effect as a share of the level's, cut at
        0: what compares with `nominal`), variance_share, pairs_decided, rank_drop; ``_se`` columns
        hold jackknife standard errors over units. Adjustments have no nominal weight and no share
        of importance, and a node with at most 6 scores no main effect (NaN; `notes` says which).
    method : str
        Of the main effect.
    notes : tuple of str
        Classes and nodes that are left out, and why.
    meta : mapping
        Digests of scheme and data, version.
    names : mapping of str to mapping
        Names of the classes by language.
    """

    table: pd.DataFrame
    method: str
    notes: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"<Importance of {len(self.table)} nodes in {self.table['class'].nunique()} classes by "
            f"{self.method}; {len(self.notes)} notes>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table.copy()

    def plot(
        self,
        ax: Axes | None = None,
        *,
        class_id: str | None = None,
        level: int = 1,
        measure: str = "importance",
        lang: str = "zh",
    ) -> Axes:
        """Draw nominal weights beside one measure of importance.

        Parameters
        ----------
        ax : Axes, optional
        class_id : str, optional
            The first class by default.
        level : int
        measure : {'importance', 'variance_share'}
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If the table has no such rows or no such measure.
        """
        from perfmethod.plots import weights_and_importance

        measures = ("importance", "variance_share")
        if measure not in measures:
            raise PerfmethodError(f"measure '{measure}'; {suggest(measure, measures)}")
        known = list(self.table["class"].unique())
        of = known[0] if class_id is None else class_id
        rows = self.table[(self.table["class"] == of) & (self.table["level"] == level)]
        if rows.empty:
            levels = sorted(set(self.table["level"]))
            raise PerfmethodError(f"found no rows of class '{of}' on level {level}; allowed: "
                                  f"classes {', '.join(known)}, levels {levels}")  # fmt: skip
        frame = rows.dropna(subset=["nominal", measure])
        shown = pd.DataFrame({"label": frame["name_zh" if lang == "zh" else "name_en"],
                              "nominal": frame["nominal"], "importance": frame[measure],
                              "standard_error": frame[f"{measure}_se"]})  # fmt: skip
        words = {
            "zh": "{2}: 名义权重{0}, 实际作用{1}(%)",
            "en": "{2}: weights {0} in name, {1} in effect (%)",
        }
        shares = ["/".join(show(100 * x, 0) for x in frame[c]) for c in ("nominal", measure)]
        name = self.names.get(lang, {}).get(of, of)
        return weights_and_importance(
            shown, ax, title=words[lang].format(*shares, name), language=lang
        )


def importance(
    evaluation: Evaluation,
    *,
    class_id: str | None = None,
    levels: Sequence[int] = (1, 2),
    method: str = "linear",
    **options: float,
) -> Importance:
    """Compare nominal weights with what nodes contribute to totals and to the ranking.

    Parameters
    ----------
    evaluation : Evaluation
    class_id : str, optional
        One class; every class with at least 10 units by default.
    levels : sequence of int
        Depths of the tree: 1 for blocks, 2 for aspects, 3 for what stands under them. A leaf
        higher up stands for itself on every deeper level.
    method : {'linear', 'bins', 'spline', 'local_linear'}
        Of the main effect, see `correlation_ratio`. 'linear' for a few dozen units.
    **options
        Of that method.

    Returns
    -------
    Importance
        Standard errors treat the class's units as a sample of the units there might be.

    Raises
    ------
    PerfmethodError
        If the class is unknown or too small, or no class is large enough, or a level has no nodes.

    References
    ----------
    Paruolo P., Saisana M., Saltelli A. (2013), Ratings and rankings: voodoo or science?, Journal
    of the Royal Statistical Society A 176, 609-634. Becker W. et al. (2017), Weights and
    importance in composite indicators: closing the gap, Ecological Indicators 80, 12-22.

    Examples
    --------
    >>> import perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { weight = 1, rule = { method = "identity" } }
    ... indicators.water = { weight = 1, rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": list("ABCDEFGHIJ"), "roads": range(50, 60), "water": [60, 90] * 5}))
    >>> table = importance(pm.evaluate(year), levels=[1]).to_frame().set_index("node")
    >>> table[["nominal", "variance_share"]].round(2).iloc[:2].to_numpy().tolist()
    [[0.5, 0.06], [0.5, 0.94]]
    """
    chosen("method", method, SMOOTHERS)
    scores = evaluation.scores
    sizes = scores["class"].value_counts(sort=False)
    if class_id is not None and class_id not in sizes:
        raise PerfmethodError(f"class '{class_id}'; {suggest(class_id, sizes.index)}")
    asked = list(sizes.index) if class_id is None else [class_id]
    small = [f"class '{c}' is left out: {sizes[c]} units say too little, at least {LEAST_UNITS} "
             "are needed" for c in asked if sizes[c] < LEAST_UNITS]  # fmt: skip
    kept = [c for c in asked if sizes[c] >= LEAST_UNITS]
    if not kept:
        raise PerfmethodError("; ".join(small))
    parts = [(c, part) for c in kept for part in levels_of(evaluation, c, levels)]
    tables = [_rows(c, part, method, options) for c, part in parts]
    few = [f"class '{c}', level {part.level}: no main effect of {', '.join(t.few)}: at most "
           f"{LEAST} units have a score" for (c, part), t in zip(parts, tables, strict=True)
           if t.few]  # fmt: skip
    told = method + "".join(f", {k} {v:g}" for k, v in options.items())
    return Importance(pd.concat([t.table for t in tables], ignore_index=True), told,
                      (*small, *few), evaluation.meta, _class_names(evaluation))  # fmt: skip


def _class_names(evaluation: Evaluation) -> dict[str, dict[str, str]]:
    """Names of the classes by language."""
    scheme = evaluation.year.scheme
    return {lang: {c: scheme.name(f"classes.{c}", lang) for c in scheme.classes}
            for lang in ("zh", "en")}  # fmt: skip


class _Rows(NamedTuple):
    table: pd.DataFrame
    few: list[str]


def _rows(class_id: str, part: Level, method: str, options: Mapping[str, float]) -> _Rows:
    """Measures of one level of one class, with their standard errors."""
    counted = np.isfinite(part.scores).sum(0)
    enough = counted > LEAST  # one more, for the jackknife takes one away
    weighted = enough & np.isfinite(part.names["nominal"].to_numpy())

    def measures(kept: NDArray[np.intp]) -> Array:
        chosen_part = part.select(kept)
        effects = [_main_effect(x, chosen_part.total, method, options) if has else _NONE
                   for x, has in zip(chosen_part.scores.T, enough, strict=True)]  # fmt: skip
        return _measures(chosen_part, np.array(effects), weighted)

    values, errors = measures(np.arange(len(part.total))), jackknife(measures, len(part.total))
    columns = ("correlation", "main_effect", "main_effect_corrected", "importance",
               "variance_share", "pairs_decided", "rank_drop")  # fmt: skip
    table = part.names.reset_index(drop=True)
    table.insert(0, "level", part.level)
    table.insert(0, "class", class_id)
    table["units"] = counted
    table["effective"], table["spread"] = part.effective, pd.DataFrame(part.scores).std()
    for row, name in enumerate(columns):
        table[name], table[f"{name}_se"] = values[row], errors[row]
    return _Rows(table, table.loc[~enough, "node"].tolist())


def _measures(part: Level, effects: Array, weighted: NDArray[np.bool_]) -> Array:
    """Seven measures (rows) of every node of a level; the first three are `effects` (c, 3)."""
    share = np.where(weighted, np.maximum(effects[:, 2], 0.0), np.nan)
    whole = np.nansum(share)
    return np.array(
        [
            *effects.T,
            share / whole if whole > 0 else share,  # all 0 where nothing has an effect
            variance_shares(part.points, part.total),
            pairs_decided(part.points, part.total),
            rank_drops(part.points, part.total),
        ]
    )


_NONE = (np.nan, np.nan, np.nan)


def _main_effect(
    x: Array, total: Array, method: str, options: Mapping[str, float]
) -> tuple[float, float, float]:
    """Correlation with the total, main effect and corrected main effect of one node."""
    has = np.isfinite(x)
    a, b = x[has] - x[has].mean(), total[has] - total[has].mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    found = correlation_ratio(x[has], total[has], method, **options)
    return float(a @ b) / size if size > 0 else 0.0, found.ratio, found.corrected
