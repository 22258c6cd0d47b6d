"""Attributes by which units are grouped, and strata of units alike on an anchor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["PORTFOLIO", "attribute", "bands", "spoken"]

PORTFOLIO = "portfolio"  # the number of tasks, in thirds
_SPOKEN: dict[str, dict[str, str]] = {
    "zh": {"group": "分组", "class": "类别", PORTFOLIO: "任务多少",
           "few": "少", "middle": "中", "many": "多", "subclass": "小类",
           "public_contact": "与公众接触程度", "org_form": "机构类型", "staff": "编制人数",
           "leader_role": "分管领导", "liaison_role": "联络人"},
    "en": {},
}  # fmt: skip


def attribute(evaluation: Evaluation, by: str | pd.Series) -> pd.Series:
    """Label of every unit on an attribute.

    Parameters
    ----------
    evaluation : Evaluation
    by : str or Series
        Column of the year's units, ``"portfolio"`` (number of tasks, in thirds of the units), or
        labels by unit_id.

    Returns
    -------
    Series
        Index unit_id; missing where a unit has no label.

    Raises
    ------
    PerfmethodError
        If there is no such attribute, or the labels are of other units.
    """
    units = evaluation.scores.index
    if isinstance(by, pd.Series):
        strange = by.index.difference(units)
        if len(strange) or by.index.has_duplicates:
            found = f"labels of '{strange[0]}'" if len(strange) else "several labels of one unit"
            raise PerfmethodError(f"found {found}; allowed: one label for each unit of the year")
        return by.reindex(units)
    columns = evaluation.year.units
    if by in columns:
        labels = columns[by].reindex(units)
        return labels.mask(labels.isin([""]))  # an empty cell is no label
    tasks = evaluation.year.tasks
    if by == PORTFOLIO and tasks is not None:
        number = tasks.groupby("unit_id").size().reindex(units, fill_value=0)
        return bands(number, 3).map(dict(enumerate(("few", "middle", "many"))))
    known = [*map(str, columns.columns), *([PORTFOLIO] if tasks is not None else [])]
    raise PerfmethodError(f"found attribute '{by}'; allowed: {suggest(by, known)}, or a Series")


def spoken(evaluation: Evaluation, name: str, labels: Iterable[str]) -> dict[str, dict[str, str]]:
    """How an attribute (``by``) and its labels are called, by language."""
    found = {}
    for lang, words in _SPOKEN.items():
        names = {str(label): str(label) for label in labels}
        if name == "group":
            names |= {str(k): v for k, v in evaluation.year.group_names(lang).items() if k in names}
        elif name == "class":
            names = {
                label: evaluation.year.scheme.name(f"classes.{label}", lang) for label in names
            }
        elif name == PORTFOLIO:
            names = {label: words.get(label, label) for label in names}
        else:
            names |= _translated(evaluation, name, lang)
        stem = name.removesuffix("_zh").removesuffix("_en")
        found[lang] = {**names, "by": words.get(stem, stem)}
    return found


def _translated(evaluation: Evaluation, name: str, lang: str) -> dict[str, str]:
    """Labels of ``NAME_zh`` by those of ``NAME_en`` beside them, or the other way round."""
    units = evaluation.year.units
    other = f"{name.removesuffix('_zh').removesuffix('_en')}_{lang}"
    if other == name or other not in units or name not in units:
        return {}
    pairs = units[[name, other]].replace("", np.nan).dropna().drop_duplicates(subset=name)
    return {str(a): str(b) for a, b in zip(pairs[name], pairs[other], strict=True)}


def bands(values: pd.Series, number: int = 3) -> pd.Series:
    """Cut values into bands of about equally many units; equal values share a band.

    Parameters
    ----------
    values : Series
        Missing ones stay missing.
    number : int, default 3

    Examples
    --------
    >>> bands(pd.Series([3.0, 1.0, 2.0, 2.0, 9.0, 7.0]), 3).tolist()
    [1, 0, 0, 0, 2, 2]
    """
    place = values.rank(method="average", pct=False)
    band = np.ceil((place - 0.5) / values.notna().sum() * number) - 1
    cut = np.clip(band, 0, number - 1)
    return cut.astype(int) if cut.notna().all() else cut


def strata_of(evaluation: Evaluation, strata: str | pd.Series, number: int) -> pd.Series:
    """Stratum of every unit: an attribute, or a block or node cut into bands of its score."""
    if isinstance(strata, pd.Series):
        found = attribute(evaluation, strata)
        many = pd.api.types.is_float_dtype(found)
        return bands(found, number) if many else found
    if strata in evaluation.year.units or strata == PORTFOLIO:
        return attribute(evaluation, strata)
    nodes = evaluation.nodes
    mine = nodes[nodes["node"] == strata]
    if mine.empty:
        known = [*map(str, evaluation.year.units.columns), *nodes["node"].unique()]
        raise PerfmethodError(
            f"found strata '{strata}'; allowed: {suggest(strata, known)}, or a Series"
        )
    return bands(mine.set_index("unit_id")["score"].reindex(evaluation.scores.index), number)
