"""Links between panels for next year: what each costs, and the cheapest that is precise enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.display import show
from perfmethod.errors import DataError, Problems
from perfmethod.stringency.linking import linked_design, summarize_contrasts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LinkPlan", "plan_links"]

NEAR = 9  # decimals to which errors are compared

_WORDS = {
    "en": {
        "nested": "every panel rates its own group only",
        "common": "{common} common raters rate {units} in every group",
        "ring": "{ring} members of each panel also rate {units} in the next group",
        "all": "all units", "some": "{n} units",
        "none": "No design tried reaches the wanted precision.",
        "best": "{what}: {ratings} ratings, {extra} % more than now; a contrast between groups "
        "then has at worst {ratio} times the error of one inside a group.",
        "title": "{what}: error between groups {ratio} times that inside",
        "now": "Today contrasts between groups have no finite error: no number of ratings by "
        "separate panels can compare their groups.",
    },
    "zh": {
        "nested": "各评审组只评本组单位",
        "common": "{common}名共同评委在每组各评{units}",
        "ring": "每组{ring}名评委另评下一组的{units}",
        "all": "全部单位", "some": "{n}家单位",
        "none": "所试设计均达不到要求的精度。",
        "best": "{what}: 共{ratings}次评分, 比现在多{extra}%; 此时跨组比较的误差最多为组内比较的"
        "{ratio}倍。",
        "title": "{what}: 跨组误差为组内的{ratio}倍",
        "now": "现行做法下跨组比较的误差为无穷大: 各组各评各的, 评分再多也无法比较不同的组。",
    },
}  # fmt: skip


@dataclass(frozen=True)
class LinkPlan:
    """Designs that link the panels, with errors and burden.

    Attributes
    ----------
    designs : DataFrame
        One row per design: kind (nested, common, ring), common, ring, units (asked of those who
        link, in each group), ratings, extra (share more than nested), parts, within, within_worst,
        cross, cross_worst (standard errors; root mean square and largest), ratio (cross_worst over
        within), enough, best (no cheaper design is as precise).
    cheapest : int or None
        Row of the cheapest design that is precise enough.
    wanted : str
        What was asked for.
    """

    designs: pd.DataFrame = field(repr=False)
    cheapest: int | None
    wanted: str

    def __repr__(self) -> str:
        found = "none" if self.cheapest is None else self.describe(self.cheapest, "en")
        return f"<LinkPlan of {len(self.designs)} designs, {self.wanted}: {found}>"

    def to_frame(self) -> pd.DataFrame:
        """The designs, the cheapest first."""
        return self.designs.copy()

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said: why links are needed, and the cheapest that do.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said = _WORDS[lang]
        if self.cheapest is None:
            return said["now"], said["none"]
        mine = _row(self.designs, self.cheapest)
        best = said["best"].format(
            what=self._what(self.cheapest, lang), ratings=mine["ratings"],
            extra=show(100 * mine["extra"], 0), ratio=show(mine["ratio"], 2),
        )  # fmt: skip
        return said["now"], best

    def _what(self, design: int, lang: str) -> str:
        what = self.describe(design, lang)
        return what[0].upper() + what[1:]

    def describe(self, design: int, lang: str = "zh") -> str:
        """A design in words."""
        said, mine = _WORDS[lang], _row(self.designs, design)
        units = said["all"] if mine["units"] < 0 else said["some"].format(n=mine["units"])
        return said[mine["kind"]].format(common=mine["common"], ring=mine["ring"], units=units)

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the error of the worst contrast between groups against the number of ratings."""
        from perfmethod.plots.stringency import linking_burden

        at = self.cheapest
        title = _WORDS[lang]["none"]
        if at is not None:
            ratio = show(_row(self.designs, at)["ratio"], 2)
            title = _WORDS[lang]["title"].format(what=self._what(at, lang), ratio=ratio)
        return linking_burden(self.designs, ax, cheapest=at, title=title, language=lang)


def plan_links(
    sizes: Sequence[int],
    raters: int = 7,
    *,
    ratio: float | None = None,
    error: float | None = None,
    sigma: float = 1.0,
    most_common: int = 6,
) -> LinkPlan:
    """Find the cheapest links between panels that make contrasts between groups precise enough.

    Tried are common raters who rate in every group, and rings in which members of each panel also
    rate in the next group; each with all units of a group or with some of them.

    Parameters
    ----------
    sizes : sequence of int (g,)
        Units in each group.
    raters : int, default 7
        Members of each panel.
    ratio : float, optional
        How many times the standard error inside groups the worst one between groups may be; 1.25
        where neither this nor `error` is given.
    error : float, optional
        How large it may be, in the unit of `sigma`.
    sigma : float, default 1
        Standard deviation of a single rating's error.
    most_common : int, default 6
        Most common raters tried.

    Returns
    -------
    LinkPlan

    Raises
    ------
    DataError
        If a number is impossible; all of them are named.

    Examples
    --------
    >>> plan_links([4, 9, 9, 8, 7, 6, 6], ratio=1.4)
    <LinkPlan of 118 designs, ratio at most 1.4: 2 common raters rate all units in every group>
    """
    import pandas as pd

    wanted = 1.25 if ratio is None and error is None else ratio
    _check(wanted, error, most_common)
    rows = [
        (kind, common, ring, -1 if units is None else units,
         *summarize_contrasts(*linked_design(sizes, raters, common=common, ring=ring, units=units),
                              sigma))
        for kind, common, ring, units in _tried(sizes, raters, most_common)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["kind", "common", "ring", "units", "within", "within_worst",
                                        "cross", "cross_worst", "ratings", "parts"])  # fmt: skip
    table["extra"] = table["ratings"] / table["ratings"].iloc[0] - 1
    table["ratio"] = table["cross_worst"] / table["within"]
    enough = np.isfinite(table["cross_worst"])
    if wanted is not None:
        enough &= table["ratio"].round(NEAR) <= wanted
    if error is not None:
        enough &= table["cross_worst"].round(NEAR) <= error
    table["enough"] = enough
    plain = table["cross_worst"].round(NEAR)  # designs of one precision differ in the last bits
    order = np.lexsort((plain, table["ratings"]))
    table, plain = table.iloc[order].reset_index(drop=True), plain.iloc[order]
    table["best"] = (plain < plain.cummin().shift(fill_value=np.inf)).to_numpy()
    good = table.index[table["enough"]]
    limits = {"ratio": wanted, "error": error}
    told = [f"{name} at most {value:g}" for name, value in limits.items() if value is not None]
    return LinkPlan(table, int(good[0]) if len(good) else None, ", ".join(told))


def _tried(
    sizes: Sequence[int], raters: int, most_common: int
) -> Iterator[tuple[str, int, int, int | None]]:
    yield "nested", 0, 0, None
    few = [*range(1, max(sizes)), None] if sizes else [None]
    for units in few:
        yield from (("common", k, 0, units) for k in range(1, most_common + 1))
        yield from (("ring", 0, k, units) for k in range(1, raters + 1))


def _row(designs: pd.DataFrame, at: int) -> dict[str, Any]:
    (found,) = designs.loc[[at]].to_dict("records")
    return {str(column): value for column, value in found.items()}


def _check(ratio: float | None, error: float | None, most_common: int) -> None:
    problems = Problems("linking")
    for name, value in (("ratio", ratio), ("error", error)):
        if value is not None and not (np.isfinite(value) and value > 0):
            problems.add(f"{value:g}", "above 0", column=name)
    if most_common < 1:
        problems.add(f"{most_common}", "1 or more", column="most_common")
    problems.raise_any(DataError)
