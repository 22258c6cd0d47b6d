"""One number at a time: low and high values, removals, and the influence of rater categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from perfmethod.draws import Block, Draws
from perfmethod.errors import PerfmethodError, Problems, SchemeError
from perfmethod.scoring import Simulation, simulate
from perfmethod.uncertainty.names import Known
from perfmethod.year import Year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OneAtATime", "rater_influence", "removal", "tornado"]


class Change(NamedTuple):
    """Numbers that are set together."""

    label: str
    name: str
    side: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class OneAtATime:
    """What each change by itself does to the list.

    Attributes
    ----------
    table : DataFrame
        One row per change: label, name, side, value, mean_shift (mean over units of the distance
        from the nominal rank), largest_shift, largest_unit, into and out_of (units that gain or
        lose the best grade, separated by semicolons), changed (how many these are), failed (the
        reason, where the year cannot be scored so; then the rest is missing).
    ranks : DataFrame
        One row per change and unit: label, side, unit_id, nominal, rank, shift (rank - nominal;
        negative is better).
    meta : mapping
    graded : bool
        Whether the scheme gives grades; without them nobody enters or leaves.
    """

    table: pd.DataFrame = field(repr=False)
    ranks: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)
    graded: bool = True

    def __repr__(self) -> str:
        n, moved = len(self.table), int((self.table["changed"] > 0).sum())
        return f"<OneAtATime of {n} changes, {moved} of them change who has the best grade>"

    def to_frame(self) -> pd.DataFrame:
        """The table, the changes that move most first."""
        most = self.table.groupby("label")["mean_shift"].transform("max")
        order = np.lexsort((self.table["label"], -most.fillna(-1.0)))
        return self.table.iloc[order].reset_index(drop=True)

    def plot(self, ax: Axes | None = None, *, top: int = 20, lang: str = "zh") -> Axes:
        """Draw the changes that move most as a tornado.

        Parameters
        ----------
        ax : Axes, optional
        top : int
            How many.
        lang : {'zh', 'en'}
        """
        from perfmethod.sensitivity.figures import tornado_bars

        return tornado_bars(self, ax, top, lang)


def tornado(
    year: Year,
    *names: str,
    by: float = 20.0,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    lang: str = "zh",
) -> OneAtATime:
    """Set each number to a low and to a high value, the others as they are.

    Parameters
    ----------
    year : Year
    *names : str
        Paths, patterns, nodes or indicators, as in `uncertainty.multiplicative`; by default every
        weight of a node.
    by : float
        Percent by which the values are lower and higher.
    bounds : mapping of str to (float, float), optional
        Low and high value of some paths instead.
    lang : {'zh', 'en'}
        Language of the names.

    Returns
    -------
    OneAtATime

    Raises
    ------
    SchemeError
        If a name is not there, or a number is 0 and has no bounds.

    References
    ----------
    Saltelli et al., *Global Sensitivity Analysis: The Primer* (2008), section 2.1: one number at a
    time misses what only several together do.
    """
    known, own = Known.of(year), dict(bounds or {})
    paths = list(dict.fromkeys(p for n in (*names, *own) for p in known.find(n, "tornado")))
    if not names and not own:
        paths = [p for p in _tree_weights(year) if p.startswith("classes.")]
    changes: list[Change] = []
    for path in paths:
        value = known.values[path]
        if isinstance(value, str) or (value == 0 and path not in own):
            known.problems.add(f"'{path}' = {value!r}", "a number other than 0, or bounds for it",
                               row="tornado")  # fmt: skip
            continue
        ends = own.get(path, (value * (1 - by / 100), value * (1 + by / 100)))
        changes += [Change(path, _name(year, path, lang), side, {path: float(end)})
                    for side, end in zip(("low", "high"), ends, strict=True)]  # fmt: skip
    return _compared(year, known.problems, changes, lang)


def removal(year: Year, *names: str, lang: str = "zh") -> OneAtATime:
    """Leave out each indicator and node in turn: its weight becomes zero.

    Parameters
    ----------
    year : Year
    *names : str
        Nodes (``class.node`` for one class), indicators, patterns of weights; by default all.

    Returns
    -------
    OneAtATime
        A removal that leaves a unit without any score is listed as failed, with its reason.

    Raises
    ------
    SchemeError
        If a name is not there or is no weight.
    """
    known = Known.of(year)
    paths = list(dict.fromkeys(p for n in names for p in known.find(n, "removal")))
    paths = paths if names else _tree_weights(year)
    for path in paths:
        if not path.endswith(".weight"):
            known.problems.add(f"'{path}'", "weights", row="removal")
    changes = [Change(p, _name(year, p, lang), "without", {p: 0.0}) for p in paths]
    return _compared(year, known.problems, changes, lang)


def rater_influence(year: Year, *, lang: str = "zh") -> OneAtATime:
    """Leave out each category of raters in turn, those of the survey and those inside.

    Parameters
    ----------
    year : Year
    lang : {'zh', 'en'}
        Language of the names.

    Returns
    -------
    OneAtATime

    Raises
    ------
    PerfmethodError
        If the scheme has no categories of raters.
    """
    known, changes = Known.of(year), []
    for table in ("survey.categories", "internal.categories"):
        block, _, kind = table.partition(".")
        for category in year.scheme.document.get(block, {}).get(kind, {}):
            at = f"{table}.{category}.weight"
            paths = [p for p in year.scheme.numbers if p == at or p.startswith(f"{at}.")]
            label = f"{table}.{category}"
            changes.append(
                Change(label, year.scheme.name(label, lang), "without", dict.fromkeys(paths, 0.0))
            )
    if not changes:
        raise PerfmethodError("found no category of raters in the scheme; allowed: at least one")
    return _compared(year, known.problems, changes, lang)


def _tree_weights(year: Year) -> list[str]:
    """Paths of the weights of all nodes and indicators."""
    families = (f for f in Known.of(year).all_families() if not f.name.count("categories"))
    paths = (p for f in families for p in f.paths if not p.startswith("survey."))
    return sorted(set(paths), key=list(year.scheme.numbers).index)


def _name(year: Year, path: str, lang: str) -> str:
    """Name of what a number belongs to, and of its class where it has one."""
    owner = path.rpartition(".")[0]
    parts = path.split(".")
    if parts[0] in ("tasks", "review", "rating"):
        return path
    if parts[0] == "classes" and len(parts) > 3:
        whole = ".".join(parts[:2])
        owner = year.scheme.name(whole, lang)
        blank = " " if lang == "en" else ""
        return f"{year.scheme.name('.'.join(parts[:4]), lang)}{blank}({owner})"
    if len(parts) > 2 and parts[1] == "categories":
        return year.scheme.name(".".join(parts[:3]), lang)
    if parts[0] == "indicators":
        return year.scheme.name(".".join(parts[:2]), lang)
    return owner or path


def _compared(year: Year, problems: Problems, changes: Sequence[Change], lang: str) -> OneAtATime:
    """Score every change in one simulation, the scheme itself before them."""
    problems.raise_any(SchemeError)
    if not changes:
        raise PerfmethodError("found nothing to change; allowed: at least one number")
    found = simulate(year, _draws(year, changes), failures="count")
    return OneAtATime(*_tables(year, found, changes, lang), found.meta, found.grade is not None)


def _draws(year: Year, changes: Sequence[Change]) -> Draws:
    paths = tuple(dict.fromkeys(path for change in changes for path in change.values))
    at = {path: j for j, path in enumerate(paths)}
    known = Known.of(year).values
    table = np.tile([float(known[p]) for p in paths], (len(changes) + 1, 1))
    for i, change in enumerate(changes, start=1):
        for path, value in change.values.items():
            table[i, at[path]] = value
    return Draws(len(table), _Rows(table, at), paths, "one at a time")


@dataclass(frozen=True)
class _Rows:
    table: Any
    at: Mapping[str, int]

    def __call__(self, part: slice) -> Block:
        return Block(self.table[part], self.at)


def _tables(
    year: Year, found: Simulation, changes: Sequence[Change], lang: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    reasons = {failure.draw: failure.reason for failure in found.failures}
    if 0 in reasons:
        raise PerfmethodError(f"found a year that cannot be scored ({reasons[0]}); allowed: one "
                              "that can")  # fmt: skip
    names = {str(unit): str(name) for unit, name in year.unit_names(lang).items()}
    nominal = found.rank[0].astype(int)
    rows, long = [], []
    for i, change in enumerate(changes, start=1):
        values = list(dict.fromkeys(change.values.values()))
        head = {"label": change.label, "name": change.name, "side": change.side,
                "value": values[0] if len(values) == 1 else np.nan}  # fmt: skip
        if i in reasons:
            rows.append({**head, "mean_shift": np.nan, "largest_shift": np.nan, "largest_unit": "",
                         "into": "", "out_of": "", "changed": 0, "failed": reasons[i]})  # fmt: skip
            continue
        shift = found.rank[i].astype(int) - nominal
        far = int(np.abs(shift).argmax())
        gone, come = _moves(found, i, names)
        rows.append({**head, "mean_shift": float(np.abs(shift).mean()),
                     "largest_shift": int(shift[far]), "largest_unit": names[found.units[far]],
                     "into": ";".join(come), "out_of": ";".join(gone),
                     "changed": len(come) + len(gone), "failed": ""})  # fmt: skip
        long.append(pd.DataFrame({"label": change.label, "side": change.side,
                                  "unit_id": found.units, "nominal": nominal,
                                  "rank": found.rank[i].astype(int), "shift": shift}))  # fmt: skip
    ranks = pd.concat(long, ignore_index=True) if long else pd.DataFrame()
    return pd.DataFrame(rows), ranks


def _moves(found: Simulation, i: int, names: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Units that lose and that gain the best grade."""
    if found.grade is None:
        return [], []
    before, after = found.grade[0] == 0, found.grade[i] == 0
    units = np.array(found.units)
    return [names[u] for u in units[before & ~after]], [names[u] for u in units[after & ~before]]
