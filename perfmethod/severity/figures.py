"""Results of severity as tables for the plotting functions, with the finding as title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from perfmethod import plots
from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.severity.opinion import SecondOpinion
    from perfmethod.severity.result import Severity

__all__ = ["draw", "draw_opinion"]

KINDS = ("categories", "units")
_LANGUAGES = ("zh", "en")


_SAME = {
    "zh": "去掉评议人宽严差别后, 没有单位名次变动",
    "en": "Without the raters' severity no unit changes its place",
}


def draw(found: Severity, kind: str, ax: Axes | None, lang: str) -> Axes:
    """Draw one kind of figure; see `Severity.plot`."""
    _check(kind, lang)
    if kind == "categories":
        table, title = _map(found, lang)
        return plots.severity_map(table, ax, title=title, level=found.level, language=lang)
    table = _units(found, lang)
    changed = int((found.units["rank_raw"] != found.units["rank_adjusted"]).sum())
    most = int((found.units["rank_raw"] - found.units["rank_adjusted"]).abs().max())
    title = _SAME[lang] if not changed else {
        "zh": f"去掉评议人宽严差别后, {changed}家单位名次变动, 最多{most}位",
        "en": f"Without the raters' severity {changed} units change places, by {most} at most",
    }[lang]  # fmt: skip
    return plots.adjusted_scores(table, ax, title=title, level=found.level, language=lang)


def draw_opinion(found: SecondOpinion, kind: str, ax: Axes | None, lang: str) -> Axes:
    """Draw the comparison of both models; see `SecondOpinion.plot`."""
    _check(kind, lang)
    if kind == "units":
        table = _units(found.first, lang)
        table["fair"] = found.units["fair"].reindex(table.index)
        least = show(float(found.agreement["spearman"].min()), 3)
        title = {
            "zh": f"两种模型的名次相关{least}, "
            + (f"最多相差{found.most_places}位" if found.most_places else "名次完全一致"),
            "en": f"Both models agree: rank correlation {least}, "
            + (
                f"{found.most_places} places apart at most"
                if found.most_places
                else "no place apart"
            ),
        }[lang]
        return plots.adjusted_scores(table, ax, title=title, level=found.first.level, language=lang)
    table, _ = _map(found.first, lang)
    second = found.categories["fair_severity"].reindex(table.index)
    apart = float((table["severity"] - second).abs().max())
    title = {
        "zh": f"两种模型的类别宽严最多相差{show(apart, 2)}分",
        "en": f"The models differ by {show(apart, 2)} points at most on a category's severity",
    }[lang]
    return plots.severity_map(
        table.assign(second=second), ax, title=title, level=found.first.level, language=lang
    )


def _check(kind: str, lang: str) -> None:
    for name, value, known in (("kind", kind, KINDS), ("language", lang, _LANGUAGES)):
        if value not in known:
            raise PerfmethodError(f"{name}: found {value!r}; allowed: {suggest(str(value), known)}")


def _map(found: Severity, lang: str) -> tuple[pd.DataFrame, str]:
    """Table for `plots.severity_map`, the harshest on top, and what it shows."""
    table = found.categories[~found.categories["suppressed"]]
    if table.empty:
        raise PerfmethodError(
            "categories: found only such with too few raters to be shown; allowed: a lower min_cell"
        )
    raters = found.raters[["p10", "p90"]].reindex(table.index)
    names = _category_names(found, lang)
    table = table.assign(
        category=[names.get(str(c), str(c)) for c in table.index],
        rater_low=table["severity"] + raters["p10"],
        rater_high=table["severity"] + raters["p90"],
    ).sort_values("severity", ascending=False, kind="stable")
    spread = show(float(table["severity"].max() - table["severity"].min()), 1)
    sd = show(found.rater_sd, 1)
    title = {
        "zh": f"评议人类别宽严相差{spread}分; 同类评议人之间的标准差为{sd}分",
        "en": f"Categories differ by {spread} points; raters inside one by {sd} (SD)",
    }[lang]
    return table, title


def _category_names(found: Severity, lang: str) -> dict[str, str]:
    year = None if found._survey is None else found._survey.year
    if year is None:
        return {}
    categories = year.scheme.document["survey"]["categories"]
    names = {}
    for code, entry in categories.items():
        name = entry.get("name", "")
        text = name.get(lang, "") if isinstance(name, Mapping) else str(name)
        names[str(code)] = f"{code} {text}".strip()
    return names


def _units(found: Severity, lang: str) -> pd.DataFrame:
    """Table for `plots.adjusted_scores`, the best on top, class by class."""
    year = None if found._survey is None else found._survey.year
    names = {} if year is None else {str(k): str(v) for k, v in year.unit_names(lang).items()}
    order = found.units.sort_values(["class", "adjusted"], ascending=[True, False], kind="stable")
    return order.assign(unit=[names.get(str(u), str(u)) for u in order.index])
