"""Pictures of a calibrated review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from perfmethod.calibration.result import CalibratedReview

__all__ = ["draw"]

CHANCE = 0.05  # of a 95 % interval to leave out a change of 0

_TITLES = {
    "zh": {
        "change": "按人口比例加权{where}: {n}个单位中{sure}个的95%区间不含0"
        "(若无变化, 偶然也约有{chance}个)",
        "effects": "按人口比例加权{where}: 设计效应中位数{deff}, 仅因权重不等为{part}",
        "totals": "后总分", "one": "后“{}”得分", "medians": "后各维度", "of": "后“{}”",
    },
    "en": {
        "change": "{where} weighted by population shares: {sure} of {n} intervals leave 0 out "
        "(about {chance} would by chance alone)",
        "effects": "{where} weighted by population shares: median design effect {deff}, "
        "{part} from weights alone",
        "totals": "Totals", "one": "Scores of {}", "medians": "Scores", "of": "Scores of {}",
    },
}  # fmt: skip


def draw(
    result: CalibratedReview, kind: str, ax: Axes | None, dimension: str | None, lang: str
) -> Axes:
    """Draw one of the two figures; see `CalibratedReview.plot`."""
    if lang not in _TITLES:
        raise PerfmethodError(f"lang: found {lang!r}; allowed: {suggest(str(lang), _TITLES)}")
    known = list(result.scores["dimension"].unique())
    if dimension is not None and dimension not in known:
        raise PerfmethodError(f"dimension: found {dimension!r}; allowed: "
                              f"{suggest(str(dimension), known)}")  # fmt: skip
    frame = _change(result, dimension) if kind == "change" else _effects(result, dimension)
    if frame.empty:
        raise PerfmethodError("found no score that may be shown; allowed: cells of min_cell or "
                              "more")  # fmt: skip
    frame.insert(0, "unit", result.names(lang).reindex(frame.index))
    return _drawn(frame, kind, ax, dimension, lang)


def _drawn(
    frame: pd.DataFrame, kind: str, ax: Axes | None, dimension: str | None, lang: str
) -> Axes:
    from perfmethod.plots.calibration import design_effects, score_shift

    said = _TITLES[lang]
    plain, named = ("totals", "one") if kind == "change" else ("medians", "of")
    where = said[plain] if dimension is None else said[named].format(dimension)
    if kind == "change":
        sure = int(((frame["low"] > 0) | (frame["high"] < 0)).sum())
        chance = show(CHANCE * len(frame), 1)
        title = said[kind].format(where=where, n=len(frame), sure=sure, chance=chance)
        return score_shift(frame, ax, title=title, language=lang)
    title = said[kind].format(
        where=where, deff=show(float(frame["deff"].median())),
        part=show(float(frame["deff_weighting"].median())),
    )  # fmt: skip
    return design_effects(frame, ax, title=title, language=lang)


def _change(result: CalibratedReview, dimension: str | None) -> pd.DataFrame:
    if dimension is None:
        table = result.units[["total_change", "change_low", "change_high"]]
    else:
        own = result.scores[result.scores["dimension"] == dimension].set_index("unit_id")
        table = own[["change", "change_low", "change_high"]].dropna()
    table = table.set_axis(["change", "low", "high"], axis=1)
    return table.sort_values("change", ascending=False, kind="stable")


def _effects(result: CalibratedReview, dimension: str | None) -> pd.DataFrame:
    own = result.scores.dropna(subset=["deff"])
    if dimension is not None:
        own = own[own["dimension"] == dimension]
    table = own.groupby("unit_id", sort=False)[["deff", "deff_weighting"]].median()
    return table.sort_values("deff", ascending=False, kind="stable")
