"""Tables for the figures of a comparison, with the finding as title."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from perfmethod import plots
from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.frames import natural_order
from perfmethod.places.result import KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.places.result import RuleComparison

__all__ = ["changes", "draw", "rates", "tradeoff"]

_TITLE = {
    "en": {
        "same": "None of {rules} rules changes a grade",
        "changes": "{changing} of {rules} rules change a grade, {most} at most",
        "found": "; '{name}' finds most of {what} ({best} %, the scheme {own} %)",
        "best": "; no rule finds more of {what} than the scheme ({own} %)",
        "unsure": "; no rule surely finds more of {what} than the scheme ({own} %)",
        "measured totals": "the best by measured total",
        "given": "the true best",
        "rates": "Rates of the best grade differ by {low} to {high} points between groups; "
        "whole places allow {least}",
        "rates_one": "Rates of the best grade differ by {low} points between groups; "
        "whole places allow {least}",
        "who": "{units} units would have another grade under some rule",
    },
    "zh": {
        "same": "{rules}种规则都不改变等次",
        "changes": "{rules}种规则中{changing}种改变等次, 最多{most}家",
        "found": "; “{name}”评上的{what}最多({best}%, 现行方案{own}%)",
        "best": "; 没有规则比现行方案({own}%)评上更多{what}",
        "unsure": "; 没有规则确定比现行方案({own}%)评上更多{what}",
        "measured totals": "实测总分最优单位",
        "given": "真正最优单位",
        "rates": "各组优秀率极差为{low}至{high}个百分点, 整数名额下至少{least}",
        "rates_one": "各组优秀率极差为{low}个百分点, 整数名额下至少{least}",
        "who": "{units}家单位在某种规则下等次不同",
    },
}
_WIDTH = {"en": 46, "zh": 24}
_SAME = ("rate_range", "found", "expected_wrong", "changed", "gain", "lose", "changed_mean",
         "filled")  # fmt: skip


def draw(result: RuleComparison, kind: str, ax: Axes | None, lang: str) -> Axes:
    """Draw one kind of figure; see `RuleComparison.plot`."""
    if kind not in KINDS:
        raise PerfmethodError(f"found kind '{kind}'; allowed: {suggest(kind, KINDS)}")
    if lang not in _TITLE:
        raise PerfmethodError(f"found language '{lang}'; allowed: {suggest(lang, _TITLE)}")
    if kind == "rates":
        table, title = rates(result, lang)
        return plots.rule_rates(table, ax, title=title, language=lang)
    if kind == "changes":
        table, title = changes(result, lang)
        return plots.rule_changes(table, ax, title=title, language=lang)
    table, title = tradeoff(result, lang)
    return plots.rule_tradeoff(table, ax, title=title, language=lang)


def alike(result: RuleComparison) -> list[list[str]]:
    """Rules that cannot be told apart on this year, together; in the table's order."""
    table = result.table
    marks = table[[c for c in _SAME if c in table]].round(12)
    who = result.changes.groupby("rule")["unit_id"].agg(lambda ids: ",".join(sorted(ids)))
    groups: dict[tuple[object, ...], list[str]] = {}
    for rule, row in zip(table.index, marks.to_dict("records"), strict=True):
        groups.setdefault((*row.values(), who.get(rule, "")), []).append(str(rule))
    return list(groups.values())


def _label(result: RuleComparison, rules: list[str], lang: str) -> str:
    names = [result.rules[rule].name[lang] for rule in rules]
    return "\n".join(textwrap.wrap({"en": "; ", "zh": "; "}[lang].join(names), _WIDTH[lang]))


def tradeoff(result: RuleComparison, lang: str) -> tuple[pd.DataFrame, str]:
    """Table for `plots.rule_tradeoff`, rules that are alike in one row, and what it shows.

    Raises
    ------
    PerfmethodError
        If neither draws nor a truth were given: then there is nothing to trade off.
    """
    groups = alike(result)
    table = result.table.loc[[rules[0] for rules in groups]]
    if "found" not in table:
        raise PerfmethodError(
            "found a comparison without draws and without a truth; allowed: compare_rules with "
            "draws (a year with ballots) or with truth=..."
        )
    frame = pd.DataFrame({"name": [_label(result, rules, lang) for rules in groups]})
    for column in ("efficient", "rate_range", "least_range", "changed"):
        frame[column] = table[column].to_numpy()
    for column in ("found", "expected_wrong"):
        if column in table:
            value = table[column].to_numpy()
            error = 2 * table[f"{column}_mcse"].to_numpy() if f"{column}_mcse" in table else 0.0
            frame[column], frame[f"{column}_low"] = value, value - error
            frame[f"{column}_high"] = value + error
    for column, name in (("rate_range", "range"), ("changed", "changed")):
        for end in ("low", "high"):
            source = f"{name}_{end}" if f"{name}_{end}" in table else column
            frame[f"{column}_{end}"] = table[source].to_numpy()
    return frame, _finding(result, lang)


def _finding(result: RuleComparison, lang: str) -> str:
    table, said = result.table, _TITLE[lang]
    changing = int((table["changed"] > 0).sum())
    text = said["changes" if changing else "same"].format(
        rules=len(table), changing=changing, most=int(table["changed"].max())
    )
    if not changing:
        return text
    found = table["found"].to_numpy(float)
    at = int(found.argmax())
    gain = found[at] - found[0]  # the scheme as it is stands first
    error = table["found_gain_mcse"].to_numpy(float)[at] if "found_gain_mcse" in table else 0.0
    kind = ("found" if gain > 2 * error else "unsure") if gain > 0 else "best"
    name = result.rules[str(table.index[at])].name[lang]
    own, value = show(100 * found[0], 1), show(100 * found[at], 1)
    told = "measured totals" if result.meta["truth"] == "measured totals" else "given"
    return text + said[kind].format(name=name, best=value, own=own, what=said[told])


def rates(result: RuleComparison, lang: str) -> tuple[pd.DataFrame, str]:
    """Table for `plots.rule_rates`, rules that are alike in one row, and what it shows."""
    groups = alike(result)
    names = {rules[0]: _label(result, rules, lang) for rules in groups}
    frame = result.rates[result.rates["rule"].isin(names)]
    frame = frame.assign(rule=frame["rule"].map(names))
    frame = frame.iloc[natural_order(frame["group"])]
    spoken = result.meta.get("groups", {}).get(lang, {})
    frame = frame.assign(group=[spoken.get(str(g), str(g)) for g in frame["group"]])
    order = {name: i for i, name in enumerate(names.values())}
    frame = frame.sort_values("rule", kind="stable", key=lambda s: s.map(order))
    low, high = (100 * float(x) for x in (result.table["rate_range"].min(),
                                          result.table["rate_range"].max()))  # fmt: skip
    least = show(100 * float(result.table["least_range"].min()), 1)
    kind = "rates" if high > low else "rates_one"
    return frame, _TITLE[lang][kind].format(low=show(low, 1), high=show(high, 1), least=least)


def changes(result: RuleComparison, lang: str) -> tuple[pd.DataFrame, str]:
    """Table for `plots.rule_changes`, and what it shows.

    Raises
    ------
    PerfmethodError
        If no rule changes a grade.
    """
    rows = result.winners_and_losers(lang=lang)
    kept = [rules[0] for rules in alike(result)]
    rows = rows[rows["rule"].isin(kept)]
    if rows.empty:
        raise PerfmethodError("found no rule that changes a grade; allowed: at least one")
    short = {rule: result.rules[rule].name[lang] for rule in kept}
    frame = pd.DataFrame(
        {"rule": rows["rule"].map(short), "unit": rows["name"] + " " + rows["group"].fillna(""),
         "gains": rows["gains"]}
    )  # fmt: skip
    return frame, _TITLE[lang]["who"].format(units=rows["unit_id"].nunique())
