"""Progress during the year: who is behind, what is not certified, and what the letter says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.frames import rows
from perfmethod.year import Year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["STATUSES", "Supervision", "progress_table", "supervise"]

QUARTERS = ("q1", "q2", "q3", "q4")
# best first; each with its names
STATUSES = {
    "on_path": {"en": "on its path", "zh": "达到进度"},
    "warning": {"en": "early warning", "zh": "预警"},
    "alarm": {"en": "far behind", "zh": "严重滞后"},
    "no_report": {"en": "no report", "zh": "未报送"},
}


@dataclass(frozen=True)
class Supervision:
    """Where every task stands at the end of a quarter.

    Attributes
    ----------
    quarter : int
    tasks : DataFrame
        unit_id, indicator_id, value (reported to the quarter's end), target, share (value /
        target), expected (share that the path asks for), ratio (share / expected), status.
    doubtful : DataFrame
        unit_id, indicator_id, reason: values that may not score, or that the unit certifies itself.
    """

    quarter: int
    tasks: pd.DataFrame = field(repr=False)
    doubtful: pd.DataFrame = field(repr=False)
    year: Year = field(repr=False)

    def __repr__(self) -> str:
        counts = self.tasks["status"].value_counts()
        told = ", ".join(f"{counts.get(s, 0)} {names['en']}" for s, names in STATUSES.items())
        return f"<Supervision at quarter {self.quarter}: {len(self.tasks)} tasks, {told}>"

    def to_frame(self) -> pd.DataFrame:
        """Number of tasks by unit and status, the most worrying unit first."""
        table = self.tasks.groupby(["unit_id", "status"]).size().unstack(fill_value=0)
        table = table.reindex(columns=list(STATUSES), fill_value=0)
        return table.sort_values(["alarm", "warning", "no_report"], ascending=False, kind="stable")

    def words(self, lang: str = "zh") -> str:
        """How many tasks stand where, and how many have nothing to be measured by.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        counts, said = self.tasks["status"].value_counts(), _TOLD[lang]
        each = [said["each"].format(n=int(counts.get(status, 0)), status=names[lang])
                for status, names in STATUSES.items()]  # fmt: skip
        whole = len(self.year.tasks) if self.year.tasks is not None else 0
        return said["all"].format(
            quarter=self.quarter, tasks=len(self.tasks), each=said["join"].join(each),
            rest=whole - len(self.tasks),
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the number of tasks by unit and status."""
        from perfmethod import plots

        table, title, order = progress_table(self, lang)
        return plots.progress(table, ax, title=title, order=order, language=lang)

    def letter(self, unit: str, lang: str = "zh") -> str:
        """Content of the supervision letter (督办函) to a unit.

        Parameters
        ----------
        unit : str
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If the unit is not one of the year's.
        """
        if unit not in self.year.units.index:
            raise PerfmethodError(
                f"found unit '{unit}'; allowed: {suggest(unit, self.year.units.index)}"
            )
        name = self.year.unit_names(lang)[unit]
        words = _LETTER[lang]
        own = self.tasks[self.tasks["unit_id"] == unit]
        mine = own[own["status"] != "on_path"]
        lines = [words["title"].format(name=name, quarter=self.quarter)]
        lines += [self._item(row, lang) for row in rows(mine.sort_values("ratio"))]
        doubtful = self.doubtful[self.doubtful["unit_id"] == unit]
        for row in rows(doubtful):
            node = self.year.scheme.name(f"indicators.{row.indicator_id}", lang)
            lines.append(
                "- " + words["doubtful"].format(node=node, reason=_REASONS[row.reason][lang])
            )
        if len(lines) == 1:
            lines.append(words["nothing" if len(own) else "unmeasured"])
        else:
            lines.append(words["ask"])
        return "\n".join(lines)

    def _item(self, row: Any, lang: str) -> str:
        node = self.year.scheme.name(f"indicators.{row.indicator_id}", lang)
        status = STATUSES[row.status][lang]
        if row.status == "no_report":
            return f"- {node}: {status}"
        return f"- {node}: " + _LETTER[lang]["item"].format(
            share=show(100 * row.share, 0), expected=show(100 * row.expected, 0), status=status
        )


_TOLD = {
    "en": {
        "all": "End of quarter {quarter}: {tasks} tasks, {each} ({rest} others have no path in "
        "this quarter, no target above 0, or are better the lower they are)",
        "each": "{n} {status}",
        "join": ", ",
    },
    "zh": {
        "all": "第{quarter}季度末: {tasks}项任务, {each} (另有{rest}项本季度无进度要求、"
        "目标值不大于0或以低为优, 不作衡量)",
        "each": "{n}项{status}",
        "join": "、",
    },
}
_LETTER = {
    "en": {
        "title": "Supervision letter to {name}, end of quarter {quarter}",
        "item": "{share} % of the target, {expected} % expected ({status})",
        "doubtful": "{node}: {reason}",
        "ask": "Report causes and measures within 10 working days.",
        "nothing": "Every task that can be measured is on its path; nothing to report.",
        "unmeasured": "No task can be measured against a path in this quarter.",
    },
    "zh": {
        "title": "督办函: {name}, 第{quarter}季度末",
        "item": "完成目标的{share}%, 应达{expected}% ({status})",
        "doubtful": "{node}: {reason}",
        "ask": "请于10个工作日内报送原因和整改措施。",
        "nothing": "可衡量进度的各项任务均达到进度, 无督办事项。",
        "unmeasured": "本季度没有可衡量进度的任务。",
    },
}
_REASONS = {
    "not_certified": {"en": "the value is not certified", "zh": "数据未经认定"},
    "self_certified": {"en": "the unit certifies its own value", "zh": "数据由本单位自行认定"},
}


def supervise(year: Year, quarter: int = 4) -> Supervision:
    """Compare every task's progress with the path that it should follow.

    A task is measured where its indicator has a path, a target above zero, and counts up towards
    it (direction positive). ``ratio = (value / target) / expected share``; from
    ``supervision.status.warning`` up it is on its path, from ``alarm`` up an early warning, below
    that far behind.

    Parameters
    ----------
    year : Year
    quarter : {1, 2, 3, 4}

    Returns
    -------
    Supervision

    Raises
    ------
    PerfmethodError
        If the quarter is none, or the year has no paths or no quarterly values.
    """
    rule = year.scheme.document.get("supervision", {})
    if quarter not in (1, 2, 3, 4):
        raise PerfmethodError(f"found quarter {quarter!r}; allowed: 1, 2, 3, 4")
    if "paths" not in rule or year.tasks is None or year.indicators is None:
        raise PerfmethodError("found no [supervision.paths], tasks.csv or indicators.csv; allowed: "
                              "a year with all three")  # fmt: skip
    if "path" not in year.indicators or QUARTERS[quarter - 1] not in year.tasks:
        raise PerfmethodError(f"found no column 'path' in indicators.csv or no column "
                              f"'q{quarter}' in tasks.csv; allowed: both")  # fmt: skip
    tasks = _measured(year, quarter)
    limits = {"warning": 0.9, "alarm": 0.7} | dict(rule.get("status", {}))
    ratio = tasks["ratio"].to_numpy()
    tasks["status"] = np.select(
        [np.isnan(tasks["value"]), ratio >= limits["warning"], ratio >= limits["alarm"]],
        ["no_report", "on_path", "warning"],
        "alarm",
    )
    return Supervision(quarter, tasks, _doubtful(year), year)


def _measured(year: Year, quarter: int) -> pd.DataFrame:
    assert year.tasks is not None
    assert year.indicators is not None
    paths = year.scheme.document["supervision"]["paths"]
    path = year.indicators.set_index("indicator_id")["path"]
    tasks = year.tasks[["unit_id", "indicator_id", QUARTERS[quarter - 1], "target"]]
    tasks = tasks.set_axis(["unit_id", "indicator_id", "value", "target"], axis=1)
    expected = {name: shares[quarter - 1] / 100 for name, shares in paths.items()}
    tasks["expected"] = tasks["indicator_id"].map(path).map(expected)
    entries = year.scheme.document["indicators"]
    upward = tasks["indicator_id"].map(lambda i: entries[i].get("direction") != "negative")
    kept = tasks[(tasks["target"] > 0) & (tasks["expected"] > 0) & upward].copy()
    kept["share"] = kept["value"] / kept["target"]
    kept["ratio"] = kept["share"] / kept["expected"]
    return kept.reset_index(drop=True)


def _doubtful(year: Year) -> pd.DataFrame:
    assert year.tasks is not None
    assert year.indicators is not None
    parts, columns = [], ["unit_id", "indicator_id", "reason"]
    rule = year.scheme.document.get("certification")
    if rule is not None and "status" in year.tasks:
        barred = year.tasks[~year.tasks["status"].isin(rule["scoring"])]
        parts.append(barred.assign(reason="not_certified")[columns])
    if "certifier_id" in year.indicators:
        certifier = year.indicators.set_index("indicator_id")["certifier_id"]
        own = year.tasks[year.tasks["indicator_id"].map(certifier) == year.tasks["unit_id"]]
        parts.append(own.assign(reason="self_certified")[columns])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def progress_table(
    supervision: Supervision, lang: str = "zh"
) -> tuple[pd.DataFrame, str, list[str]]:
    """Table for `plots.progress` (unit, status, tasks), its title, and the order of the states."""
    counts = supervision.to_frame()
    order = [STATUSES[s][lang] for s in counts.columns]
    table = counts.set_axis(order, axis=1)
    table.index = supervision.year.unit_names(lang)[table.index]
    order = [state for state in order if table[state].any()]  # the legend names what occurs
    long = table[order].stack().reset_index()
    long.columns = ["unit", "status", "tasks"]
    behind = int(counts[["warning", "alarm"]].sum().sum())
    total = int(counts.sum().sum())
    title = {
        "en": f"{behind} of {total} tasks are behind their path at the end of quarter "
        f"{supervision.quarter}",
        "zh": f"第{supervision.quarter}季度末{total}项任务中有{behind}项落后于进度",
    }[lang]
    return long, title, order
