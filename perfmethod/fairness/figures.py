"""The exact test as a table for the plotting function, with the finding as title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.fairness.power import log_ways
from perfmethod.fairness.tables import TableLaw, p_values, statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from perfmethod.fairness.result import GradeParity

__all__ = ["draw_test", "law_table"]

_TITLE = {
    "en": {
        "gap": "{by}: evidence of a gap (p = {p}{holm})",
        "none": "{by}: no evidence of a gap (p = {p}{holm}), which is not evidence of no gap",
        "found": "; one group is found only at odds x {odds}",
        "never": "; no gap of one group would be found",
        "holm": " by Holm",
    },
    "zh": {
        "gap": "{by}: 有证据表明存在差距 (p = {p}{holm})",
        "none": "{by}: 没有发现差距的证据 (p = {p}{holm}), 不等于没有差距",
        "found": "; 单个组的优势比达{odds}倍才能发现",
        "never": "; 单个组的差距再大也发现不了",
        "holm": ", 按Holm法",
    },
}


_AXIS = {
    "en": {
        "fisher_freeman_halton": "Improbability of the table (minus log10 of its probability)",
        "chi_square": "Chi-square", "max_z": "Largest standardized gap of a group",
        "range": "Range of the groups' rates",
    },
    "zh": {
        "fisher_freeman_halton": "列联表的罕见程度(概率的负常用对数)", "chi_square": "卡方",
        "max_z": "各组标准化差距的最大值", "range": "各组比例的极差",
    },
}  # fmt: skip


def draw_test(
    parity: GradeParity, ax: Axes | None, attribute: str | None, name: str | None, lang: str
) -> Axes:
    """Draw the law of one statistic for one attribute; see `GradeParity.plot`."""
    from perfmethod import plots

    table, row, observed = law_table(parity, attribute, name)
    said = _TITLE[lang]
    first = said["gap" if row["p_holm"] <= parity.alpha else "none"]
    last = said["found" if np.isfinite(row["detectable_odds"]) else "never"]
    title = first.format(
        by=parity.spoken(str(row["attribute"]), lang),
        p=show(row["p_holm"], 4),
        holm=said["holm"] if parity.tests["attribute"].nunique() > 1 else "",
    ) + last.format(
        odds=show(row["detectable_odds"], 1) if np.isfinite(row["detectable_odds"]) else ""
    )
    axes = plots.exact_test(
        table, ax, observed=observed, p=float(row["p"]), power=parity.target, title=title,
        language=lang,
    )  # fmt: skip
    axes.set_xlabel(_AXIS[lang][row["statistic"]])
    return axes


def law_table(
    parity: GradeParity, attribute: str | None = None, name: str | None = None
) -> tuple[pd.DataFrame, pd.Series, float]:
    """Values of a statistic with their probabilities by lot and under the detectable gap.

    Returns
    -------
    table : DataFrame
        value, probability, rejected, alternative.
    row : Series
        The test's row of `GradeParity.tests`.
    observed : float
        Value of the table as it is.

    Raises
    ------
    PerfmethodError
        If there is no such attribute or statistic.
    """
    known = list(parity.tests["attribute"].unique())
    chosen, test = attribute or known[0], name or parity.test
    rows = parity.tests[parity.tests["attribute"] == chosen]
    if rows.empty:
        raise PerfmethodError(f"found attribute '{chosen}'; allowed: {suggest(chosen, known)}")
    law, at = parity._laws[chosen]
    value = _scale(law, test)
    row = rows[rows["statistic"] == test].iloc[0]
    rejected = p_values(law, test) <= parity.alpha / len(known)
    other = np.full(value.size, np.nan)
    if np.isfinite(row["detectable_odds"]):
        mine = parity.groups[parity.groups["attribute"] == chosen]["group"].tolist()
        group = mine.index(row["detectable_group"])
        lifted = log_ways(law.ways) + law.counts[:, group] * np.log(row["detectable_odds"])
        other = np.exp(lifted - lifted.max())
        other /= other.sum()
    frame = pd.DataFrame({"value": value, "probability": law.probability, "rejected": rejected,
                          "alternative": other})  # fmt: skip
    return frame, row, float(value[at])


def _scale(law: TableLaw, name: str) -> NDArray[np.float64]:
    """Statistic by table; that of Freeman and Halton as a logarithm that can be drawn."""
    found = statistic(law, name)
    if name == "fisher_freeman_halton":
        return -np.log10(law.probability)
    return np.asarray(found, dtype=float)
