"""Attributes by which units are grouped, and strata of units alike on an anchor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["PORTFOLIO", "Attribute", "Cut", "attribute", "bands", "read", "spoken", "strata_of"]

PORTFOLIO = "portfolio"  # the number of tasks, in thirds
BANDS = 3  # into which numbers are cut
UNITS_PER_VALUE = 4  # from as many on, on average, the values themselves are the groups
WHOLE = ("group", "class")  # columns that are never cut, whatever stands in them
TO = {"en": " to ", "zh": "至"}
_IN_BANDS = {"en": "{} ({} bands)", "zh": "{}(分{}段)"}
_RULE = {
    "en": "Its {values} different values were cut into {bands} bands with about as many units "
    "each; equal values share a band.",
    "zh": "其{values}个不同数值按单位数大致均分为{bands}段, 相同数值归入同一段。",
}
_SPOKEN: dict[str, dict[str, str]] = {
    "zh": {"group": "分组", "class": "类别", PORTFOLIO: "任务多少",
           "few": "少", "middle": "中", "many": "多", "subclass": "小类",
           "public_contact": "与公众接触程度", "org_form": "机构类型", "staff": "编制人数",
           "leader_role": "分管领导", "liaison_role": "联络人"},
    "en": {},
}  # fmt: skip


class Cut(NamedTuple):
    """How numbers were cut into bands.

    Parameters
    ----------
    values : int
        Different numbers before.
    limits : tuple of (float, float)
        Least and greatest number of each band.
    rule : dict of str to str
        In words, by language.
    """

    values: int
    limits: tuple[tuple[float, float], ...]
    rule: dict[str, str]


class Attribute(NamedTuple):
    """An attribute of the units.

    Parameters
    ----------
    name : str
    labels : Series
        Index unit_id; missing where a unit has no label.
    cut : Cut or None
        How numbers were cut, if they were.
    """

    name: str
    labels: pd.Series
    cut: Cut | None


def attribute(evaluation: Evaluation, by: str | pd.Series) -> pd.Series:
    """Label of every unit on an attribute.

    Parameters
    ----------
    evaluation : Evaluation
    by : str or Series
        Column of the year's units, ``"portfolio"`` (number of tasks, in thirds of the units), or
        labels by unit_id. A column of numbers is cut into thirds, too, where its values would make
        groups of a unit or two: if it has more than three different values, with fewer than four
        units to a value. Equal numbers share a band, and labels say the limits (``"1: 12 to 40"``).
        So are numbers given as a Series; labels given as text, groups and classes never are.

    Returns
    -------
    Series
        Index unit_id; missing where a unit has no label.

    Raises
    ------
    PerfmethodError
        If there is no such attribute, or the labels are of other units.
    """
    return read(evaluation, by).labels


def read(evaluation: Evaluation, by: str | pd.Series, number: int = BANDS) -> Attribute:
    """An attribute with its name, and how its numbers were cut.

    Parameters
    ----------
    evaluation : Evaluation
    by : str or Series
        As in `attribute`.
    number : int, default 3
        Bands into which numbers are cut.
    """
    name = by if isinstance(by, str) else str(by.name or "attribute")
    raw = _raw(evaluation, by)
    column = isinstance(by, str) and by in evaluation.year.units
    numbers = None if column and by in WHOLE else _numbers(raw, parse=column)
    if numbers is None:
        return Attribute(name, raw, None)
    return Attribute(name, *_cut(raw, numbers, number))


def _raw(evaluation: Evaluation, by: str | pd.Series) -> pd.Series:
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


def _numbers(labels: pd.Series, parse: bool) -> pd.Series | None:
    """Labels as numbers, if they are numbers, or a column of texts that are."""
    if pd.api.types.is_bool_dtype(labels):
        return None
    if not parse and not pd.api.types.is_numeric_dtype(labels):
        return None
    numbers = pd.to_numeric(labels, errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    whole = bool((numbers.isna() == labels.isna()).all())
    return numbers if whole and numbers.notna().any() else None


def _cut(labels: pd.Series, numbers: pd.Series, number: int) -> tuple[pd.Series, Cut | None]:
    """Cut numbers that have few units to a value into bands that name their limits."""
    values = int(numbers.nunique())
    if values <= number or numbers.count() >= UNITS_PER_VALUE * values:
        return labels, None
    code = bands(numbers, number)
    limits = [(float(x.min()), float(x.max())) for _, x in numbers.groupby(code)]
    told = _told(limits)
    named = dict(zip(sorted(code.dropna().unique()), told, strict=True))
    rule = {lang: text.format(values=values, bands=len(limits)) for lang, text in _RULE.items()}
    return code.map(named), Cut(values, tuple(limits), rule)


def _told(limits: Sequence[tuple[float, float]]) -> list[str]:
    """Bands with their limits, to as many digits as tell them apart."""
    ends = sorted({end for pair in limits for end in pair})
    digits = next(d for d in range(4, 18) if len({f"{end:.{d}g}" for end in ends}) == len(ends))
    shown = {e: f"{e:.0f}" if e == round(e) and abs(e) < 1e15 else f"{e:.{digits}g}" for e in ends}
    parts = [shown[a] if a == b else f"{shown[a]}{TO['en']}{shown[b]}" for a, b in limits]
    return [f"{i}: {part}" for i, part in enumerate(parts, 1)]


def spoken(
    evaluation: Evaluation, name: str, labels: Iterable[str], cut: Cut | None = None
) -> dict[str, dict[str, str]]:
    """How an attribute (``by``) and its labels are called, by language."""
    found = {}
    for lang, words in _SPOKEN.items():
        names = {str(label): str(label) for label in labels}
        if cut is not None:
            names = {label: label.replace(TO["en"], TO[lang]) for label in names}
        elif name == "group":
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
        called = words.get(stem, stem)
        if cut is not None:
            called = _IN_BANDS[lang].format(called, len(cut.limits))
        found[lang] = {**names, "by": called}
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
        found = _raw(evaluation, strata)
        many = pd.api.types.is_float_dtype(found)
        return bands(found, number) if many else found
    if strata in evaluation.year.units or strata == PORTFOLIO:
        return read(evaluation, strata, number).labels
    nodes = evaluation.nodes
    mine = nodes[nodes["node"] == strata]
    if mine.empty:
        known = [*map(str, evaluation.year.units.columns), *nodes["node"].unique()]
        raise PerfmethodError(
            f"found strata '{strata}'; allowed: {suggest(strata, known)}, or a Series"
        )
    return bands(mine.set_index("unit_id")["score"].reindex(evaluation.scores.index), number)
