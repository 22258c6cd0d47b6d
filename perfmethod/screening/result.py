"""What a screening found; counts and units, never raters or ballots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.display import MISSING
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.screening.methods import METHODS
from perfmethod.screening.sheet import Flag, Sheet
from perfmethod.survey.disclosure import coarse, count_text, few

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PLOTS", "Screening", "flag_frame", "timeline_frame"]

PLOTS: Mapping[str, str] = {
    "timeline": "online ballots over time, bursts marked",
    "flags": "table of the flags",
}
_TITLES = {
    "en": {"burst": ("No unit had a burst of online ballots",
                     "One unit had bursts of online ballots",
                     "# units had bursts of online ballots"),
           "flag": ("Nothing to flag on {} ballots", "1 flag on {} ballots",
                    "# flags on {} ballots")},
    "zh": {"burst": ("没有单位的网上评议出现突击投票", "1个单位的网上评议出现突击投票",
                     "#个单位的网上评议出现突击投票"),
           "flag": ("{}张测评票中未见异常", "{}张测评票中有1项异常",
                    "{}张测评票中有#项异常")},
}  # fmt: skip
_COLUMNS = ("kind", "unit", "category", "mode", "batch", "ballots", "evidence", "p")


@dataclass(frozen=True)
class Screening:
    """Flags on the ballots of a year.

    Attributes
    ----------
    flags : DataFrame
        One row a flag: kind (`METHODS`), unit, category, mode and batch (empty where the flag is
        not about one), ballots (exactly how many it is about: for the office only), evidence (what
        was seen, a text that may be given out), p (adjusted for the number of tests of its kind;
        NaN where the count is impossible, not improbable), and sets_aside (whether `effect` can
        set its ballots aside). `shown` is the table that may be given out.
    unanswered : DataFrame
        Don't-knows and missing answers by unit, category and mode, small cells hidden.
    notes : tuple of str
        What could not be tested, and why.
    ballots : int
        Ballots screened.
    alpha : float
        Level of each kind of flag.
    min_cell : int
        Fewest people of whom `shown`, the evidence and the figures tell.
    meta : mapping
        Digests of scheme and data, package version, seed; empty but for the seed without a year.
    """

    flags: pd.DataFrame = field(repr=False)
    unanswered: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)
    ballots: int
    alpha: float
    meta: Mapping[str, Any] = field(repr=False)
    min_cell: int
    _few: tuple[bool, ...] = field(repr=False)
    _masks: Mapping[str, NDArray[np.bool_]] = field(repr=False)
    _timeline: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        counts = self.flags["kind"].value_counts(sort=False)
        told = ", ".join(f"{n} {kind}" for kind, n in counts.items()) or "nothing"
        return f"<Screening of {self.ballots:,} ballots at {self.alpha:g}: {told}>"

    def to_frame(self) -> pd.DataFrame:
        """The flags, in the order of `METHODS`, the most ballots first."""
        return self._sorted(self.flags)

    def shown(self) -> pd.DataFrame:
        """The flags as they may be given out, in the same order.

        Ballots are rounded to `min_cell` (``"<10"`` below it, ``"–"`` where fewer people than
        that gave them), and p has one digit: neither tells the count, nor does the evidence.
        """
        hidden = pd.Series(self._few, self.flags.index, dtype=bool)
        table = self._sorted(self.flags.assign(
            ballots=self.flags["ballots"].mask(hidden, 0),  # no order among the hidden
            _text=[_ballots(int(n), few_, self.min_cell)
                   for n, few_ in zip(self.flags["ballots"], hidden, strict=True)],
        ))  # fmt: skip
        table["ballots"] = table.pop("_text").astype("str")
        table["p"] = [float(f"{p:.0e}") for p in table["p"]]
        return table

    def _sorted(self, flags: pd.DataFrame) -> pd.DataFrame:
        order = {kind: k for k, kind in enumerate(METHODS)}
        keyed = flags.assign(_kind=flags["kind"].map(order))
        sorted_ = keyed.sort_values(["_kind", "ballots"], ascending=[True, False], kind="stable")
        return sorted_.drop(columns="_kind").reset_index(drop=True)

    def _flagged(self, kinds: Sequence[str] | None = None) -> NDArray[np.bool_]:
        """Ballots of these kinds of flags, (n,); by default of all kinds that name ballots."""
        known = [kind for kind, method in METHODS.items() if method.sets_aside]
        mask = np.zeros(self.ballots, bool)
        for kind in known if kinds is None else kinds:
            if kind not in known:
                raise PerfmethodError(f"found kind '{kind}'; allowed: {suggest(kind, known)}")
            mask |= self._masks.get(kind, False)
        return mask

    def plot(self, kind: str = "timeline", ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the online ballots over time with their bursts, or the table of flags.

        Parameters
        ----------
        kind : {'timeline', 'flags'}
        ax : Axes, optional
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If the kind is none of these, or there is nothing to draw.
        """
        from perfmethod.plots import flag_table, vote_timeline

        if kind == "timeline":
            n = self._timeline.loc[self._timeline["flagged"], "unit"].nunique()
            title = _title("burst", n, lang)
            times = self._timeline.assign(
                ballots=coarse(self._timeline["ballots"], self.min_cell),
                few=few(self._timeline["ballots"], self.min_cell),
            )
            return vote_timeline(times, ax, title=title, least=self.min_cell, language=lang)
        if kind == "flags":
            title = _title("flag", len(self.flags), lang).format(f"{self.ballots:,}")
            table = self.shown()
            if lang == "zh":
                table["kind"] = [METHODS[kind].zh for kind in table["kind"]]
            return flag_table(table, ax, title=title, language=lang)
        raise PerfmethodError(f"found plot '{kind}'; allowed: {suggest(kind, PLOTS)}")


def _title(kind: str, n: int, lang: str) -> str:
    """What a figure found; nothing found is said in words."""
    return _TITLES.get(lang, {}).get(kind, ("", "", ""))[min(n, 2)].replace("#", str(n))


def _ballots(n: int, hidden: bool, min_cell: int) -> str:
    """Ballots of a flag as they may be given out."""
    return MISSING if hidden and n >= min_cell else count_text(n, min_cell)


def flag_frame(flags: list[Flag]) -> pd.DataFrame:
    """Flags as a table, without the ballots they are about."""
    rows = [[getattr(flag, name) for name in _COLUMNS] for flag in flags]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    texts = [name for name in _COLUMNS if name not in ("ballots", "p")]
    table = table.astype(dict.fromkeys(texts, "str") | {"ballots": "int64", "p": "float64"})
    aside = {kind: method.sets_aside for kind, method in METHODS.items()}
    return table.assign(sets_aside=table["kind"].map(aside).astype(bool))


def timeline_frame(sheet: Sheet, burst: NDArray[np.bool_], hours: int = 6) -> pd.DataFrame:
    """Ballots by unit and span of time: unit, begin, ballots, flagged (a burst lies in it)."""
    columns = ["unit", "begin", "ballots", "flagged"]
    timed = np.flatnonzero(~np.isnan(sheet.time))
    if sheet.start is None:
        return pd.DataFrame({name: [] for name in columns})
    begin = sheet.start.floor("D")
    offset = (sheet.start - begin).total_seconds()
    span = ((sheet.time[timed] + offset) // (hours * 3600)).astype(np.intp)
    table = pd.DataFrame(
        {"unit": np.array(sheet.units, object)[sheet.unit[timed]], "span": span,
         "ballots": 1, "flagged": burst[timed]}
    )  # fmt: skip
    out = table.groupby(["unit", "span"]).agg({"ballots": "sum", "flagged": "any"}).reset_index()
    out["begin"] = begin + pd.to_timedelta(out["span"] * hours, unit="h")
    return out[columns]
