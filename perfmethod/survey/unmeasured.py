"""How much of a survey's weight rests on answers whose error nothing can tell.

Standard errors and covariances take such an error as 0. Whatever is made of them says how much that
is (`Unmeasured`), and is not made where it is most of the survey (`need_measured`).
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.survey.result import Review

__all__ = [
    "MOST_UNMEASURED",
    "Unmeasured",
    "need_measured",
    "noted",
    "unmeasured_in",
    "unmeasured_told",
]

MOST_UNMEASURED = 0.5  # of the weight of all units: the rest is the smaller part
NEARLY = 0.9  # of the weight of one unit: its errors are hardly more than 0

_SAID = {
    "en": "The error of {share} % of the survey's weight cannot be measured and is not counted "
    "(cells with one valid answer or one rater{lonely}); counted, it would leave more open, not "
    "less.",
    "zh": "评议权重的{share}%误差无法测量, 未计入(只有一份有效答卷或一名评议人的单元{lonely}); "
    "若计入, 未定的只会更多。",
}
_LONELY = {"en": "; all of {} with a single rater", "zh": "; {}只有一名评议人"}


class Unmeasured(NamedTuple):
    """Share of the survey weight whose error counts as 0 because it cannot be measured.

    ``units`` (u,) is the share of each unit's weight (0 where the survey has none), ``weight`` that
    of all units together; ``lonely`` names the categories with a single rater.
    """

    units: pd.Series
    weight: float
    lonely: tuple[str, ...]


def unmeasured_in(review: Review, weights: pd.Series | None = None) -> Unmeasured:
    """Find what the standard errors of a review leave out.

    Parameters
    ----------
    review : Review
    weights : Series, optional
        Weight of each score in what is made of them, index (unit_id, dimension); a score that is
        not named has none. By default all scores weigh the same.

    Returns
    -------
    Unmeasured
        Cells with one valid answer and cells with one rater (``unmeasured_weight`` of
        `Review.design_effects`), those of lonely categories among them.

    Examples
    --------
    >>> from perfmethod.survey import review
    >>> ballots = pd.DataFrame(
    ...     {"rater_id": ["a", "b", "c", "c"], "unit_id": ["D01", "D01", "D02", "D02"],
    ...      "category": "R01", "mode": "online", "duty": [1, 2, 2, 3]}
    ... )
    >>> found = unmeasured_in(review(
    ...     ballots, units=["D01", "D02"], dimensions=["duty"], categories=["R01"],
    ...     modes=["online"], options=[1, 2, 3], option_scores=[100, 75, 55],
    ...     category_weights=[[1.0]],
    ... ))
    >>> found.units.to_dict(), found.weight  # nothing tells what others than c say of D02
    ({'D01': 0.0, 'D02': 1.0}, 0.5)
    """
    share = review.design_effects(min_cell=1)["unmeasured_weight"].set_axis(review.pairs)
    weight = pd.Series(1.0, share.index)
    if weights is not None:
        given = weights.set_axis(pd.MultiIndex.from_tuples(weights.index))
        weight = given.reindex(share.index).fillna(0.0)
    table = pd.DataFrame({"weight": weight, "lost": weight * share.astype(float)})
    sums = table.groupby(level=0).sum()
    sums = sums.reindex(review.scores.index, fill_value=0.0)
    whole, part = sums["weight"], sums["lost"]
    total = float(whole.sum())
    return Unmeasured(
        (part / whole.where(whole > 0)).fillna(0.0).rename("unmeasured_weight"),
        float(part.sum()) / total if total > 0 else 0.0,
        review.lonely,
    )


def need_measured(found: Unmeasured, other: str = "") -> None:
    """Refuse a survey whose errors are (nearly) all counted as 0 for want of answers.

    Parameters
    ----------
    found : Unmeasured
    other : str
        What else the caller allows, for the message.

    Raises
    ------
    PerfmethodError
        If more than half of the weight of all units is not measured, or more than nine tenths of
        one unit's.
    """
    hollow = found.units.index[found.units > NEARLY]
    if found.weight <= MOST_UNMEASURED and not len(hollow):
        return
    named = f", of which nearly nothing is measured for {_few(hollow)}" if len(hollow) else ""
    alone = f", lonely categories: {', '.join(found.lonely)}" if found.lonely else ""
    instead = "more ballots, a coarser category of raters" + (f", or {other}" if other else "")
    raise PerfmethodError(
        f"found {100 * found.weight:.0f} % of the survey's weight on cells with one valid answer "
        f"or one rater, whose error cannot be measured{alone}{named}; allowed: at most "
        f"{100 * MOST_UNMEASURED:.0f} %, and {100 * NEARLY:.0f} % for one unit ({instead})"
    )


def _few(names: pd.Index) -> str:
    shown = ", ".join(f"'{n}'" for n in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def noted(weight: float | None, lonely: tuple[str, ...]) -> str:
    """End of a one-line repr; nothing where all is measured."""
    if not weight:
        return ""
    alone = f", lonely categories: {', '.join(lonely)}" if lonely else ""
    return f", {100 * weight:.2g} % of the survey weight unmeasured{alone}"


def unmeasured_told(weight: float | None, lonely: tuple[str, ...], lang: str) -> tuple[str, ...]:
    """Sentence for a reader; none where all is measured."""
    if not weight:
        return ()
    alone = _LONELY[lang].format(", ".join(lonely)) if lonely else ""
    share = show(100 * weight, 0 if weight >= 0.01 else 2)
    return (_SAID[lang].format(share=share, lonely=alone),)
