"""Ballots of the public review."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.synthetic.answers import (
    DIMENSION_SD,
    SATISFIED,
    Raters,
    draw_answers,
    draw_raters,
    unknown_rates,
)
from perfmethod.synthetic.latent import Latent
from perfmethod.synthetic.template import Plan, Template

__all__ = ["Ballots", "draw_ballots", "largest_remainder"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

COUNTY_DIMENSIONS = ("econ_social", "livelihood", "conduct", "habitat", "business_env")
DEPARTMENT_DIMENSIONS = ("duty", "efficiency", "behavior", "self_build")
SESSION_SIZE = 30
COPIED_CATEGORY = "R02"  # one of its sessions has copied ballots
STUFFED_SHARE = 0.55  # of the online ballots of a stuffed unit
FIRST_DAY, DAYS = np.datetime64("2009-12-01T08:00:00"), 21  # of the online review


@dataclass(frozen=True)
class Ballots:
    """Ballots with the truth about raters and about flawed ballots."""

    ballots: pd.DataFrame
    raters: pd.DataFrame
    flaws: pd.DataFrame


@dataclass
class _Cell:
    """Ballots of one category by one mode; one entry per ballot, raters numbered in the cell."""

    category: str
    mode: str
    unit: Places
    rater: Places
    raters: Raters
    answers: NDArray[np.int8]  # (b, 5); a department uses four
    batch: NDArray[np.object_]
    flaw: NDArray[np.object_]


def largest_remainder(quotas: Floats, total: int) -> NDArray[np.int64]:
    """Round quotas to whole numbers that sum to a total.

    Parameters
    ----------
    quotas : ndarray of shape (n,)
        Numbers of 0 or more, not all 0.
    total : int
        What the result sums to.

    Returns
    -------
    ndarray of shape (n,)
        Each the floor of its share, or 1 more; equal remainders: the first ones get more.

    Examples
    --------
    >>> largest_remainder(np.array([4.0, 8.0, 7.0]), 13).tolist()
    [3, 5, 5]
    """
    share = quotas * (total / quotas.sum())
    whole = np.floor(share + 1e-9).astype(np.int64)  # 42 may come out as 41.99...
    order = np.argsort(-(share - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole


def draw_ballots(
    source: Template, plan: Plan, latent: Latent, total: int, rng: np.random.Generator
) -> Ballots:
    """Draw exactly `total` ballots.

    Raters of a crossed category rate many units: they take turns over the ballots of their cell,
    so that nobody has two ballots for one unit.

    Parameters
    ----------
    source : Template
        The template, for the plan of ballots and the habits of each category.
    plan : Plan
        The year before any number is drawn.
    latent : Latent
        The planted truth.
    total : int
        Ballots in all.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Ballots
        Ballots in the order of units, raters and flawed ballots.
    """
    rows = source.ballots[source.ballots["mode"] != "internal"]
    habits = {habit["category"]: habit for habit in records(source.raters)}
    dimension = DIMENSION_SD * rng.standard_normal((len(plan.units), 5))
    cells = []
    for row, count in zip(records(rows), _counts(rows, plan, total), strict=True):
        habit = habits[row["category"]]
        cell = _seated(row["mode"], habit, count, latent, rng)
        rate = unknown_rates(plan, habit)[cell.unit]
        raters = Raters(cell.raters.severity[cell.rater], cell.raters.straight[cell.rater])
        cell.answers = draw_answers(cell.unit, raters, rate, latent, dimension, rng)
        _flaws(cell)
        cells.append(cell)
    return Ballots(_frame(cells, plan), _raters(cells), _flawed(cells))


def records(table: pd.DataFrame) -> list[dict[str, str]]:
    """Rows of a table of texts."""
    names = table.columns.tolist()
    return [dict(zip(names, row, strict=True)) for row in table.to_numpy(dtype=str).tolist()]


def _counts(rows: pd.DataFrame, plan: Plan, total: int) -> NDArray[np.int64]:
    """Ballots by cell and unit, (cell, u), in the proportions of the plan."""
    wanted = rows[plan.units["class"].tolist()].to_numpy(dtype=str).astype(float)
    return largest_remainder(wanted.ravel(), total).reshape(wanted.shape)


def _seated(
    mode: str,
    habit: dict[str, str],
    count: NDArray[np.int64],
    latent: Latent,
    rng: np.random.Generator,
) -> _Cell:
    """Ballots of one cell with their raters and batches, before anybody answers."""
    turn = rng.permutation(len(count))
    unit = np.repeat(turn, count[turn])
    n = len(unit)
    persons = max(round(n / float(habit["units_per_person"])), int(count.max()), 1)
    stuffing = _stuffing(unit, latent) if mode == "online" else np.zeros(n, bool)
    label = rng.permutation(persons + int(stuffing.sum()))
    rater = label[np.arange(n) % persons]
    rater[stuffing] = label[persons:]
    order = np.lexsort((rater, unit))
    unit, rater, stuffing = unit[order], rater[order], stuffing[order]
    return _Cell(
        habit["category"],
        mode,
        unit,
        rater,
        draw_raters(habit, len(label), rng),
        np.empty((n, 5), np.int8),
        _batches(mode, habit["category"], unit, rater, stuffing, rng),
        np.where(stuffing, "stuffed", "").astype(object),
    )


def _stuffing(unit: Places, latent: Latent) -> NDArray[np.bool_]:
    """The first ballots of each stuffed unit."""
    chosen = np.zeros(len(unit), bool)
    for u in np.flatnonzero(latent.stuffed):
        own = np.flatnonzero(unit == u)
        chosen[own[: round(STUFFED_SHARE * len(own))]] = True
    return chosen


def _batches(
    mode: str,
    category: str,
    unit: Places,
    rater: Places,
    stuffing: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.object_]:
    """Session of a rater, or the time a ballot came in; stuffed ones within three minutes."""
    if mode == "central_session":
        return np.array([f"{category}-S{k + 1:02d}" for k in rater // SESSION_SIZE], dtype=object)
    if mode != "online":
        return np.full(len(unit), "", dtype=object)
    seconds = rng.integers(0, DAYS * 86_400, len(unit))
    for u in np.unique(unit[stuffing]):
        own = stuffing & (unit == u)
        seconds[own] = rng.integers(0, DAYS * 86_400) + rng.integers(0, 180, own.sum())
    return (FIRST_DAY + seconds.astype("timedelta64[s]")).astype(str).astype(object)


def _flaws(cell: _Cell) -> None:
    """Overwrite the answers of stuffed ballots and of the session where one was copied."""
    cell.answers[cell.flaw == "stuffed"] = SATISFIED
    if cell.category != COPIED_CATEGORY or not len(cell.unit):
        return
    session = cell.rater // SESSION_SIZE
    rows = np.flatnonzero(session == session.max() // 2)
    _, first, which = np.unique(cell.unit[rows], return_index=True, return_inverse=True)
    cell.answers[rows] = cell.answers[rows[first[which]]]
    cell.flaw[np.delete(rows, first)] = "copied"


def _order(cells: list[_Cell]) -> tuple[Places, Places, Places]:
    """Order by unit, category and mode; with cell and unit of each ballot in that order."""
    cell = np.repeat(np.arange(len(cells)), [len(c.unit) for c in cells])
    unit = np.concatenate([c.unit for c in cells])
    order = np.lexsort((cell, unit))
    return order, cell[order], unit[order]


def _frame(cells: list[_Cell], plan: Plan) -> pd.DataFrame:
    order, cell, unit = _order(cells)
    offset = np.cumsum([0] + [len(c.raters.severity) for c in cells])
    rater = np.concatenate([c.rater + start for c, start in zip(cells, offset, strict=False)])
    columns: dict[str, object] = {
        "ballot_id": np.arange(1, len(unit) + 1),
        "unit_id": _coded(plan.units["unit_id"].tolist(), unit),
        "rater_id": _coded(_names(cells), rater[order]),
        "category": _coded([c.category for c in cells], cell),
        "mode": _coded([c.mode for c in cells], cell),
        "batch": np.concatenate([c.batch for c in cells])[order],
    }
    answers = np.concatenate([c.answers for c in cells])[order]
    county = (plan.units["class"] == "county_government").to_numpy()[unit]
    for names, asked in ((COUNTY_DIMENSIONS, county), (DEPARTMENT_DIMENSIONS, ~county)):
        for d, name in enumerate(names):
            columns[name] = pd.arrays.IntegerArray(answers[:, d].copy(), ~asked)
    return pd.DataFrame(columns)


def _coded(names: list[str], code: Places) -> pd.Categorical[str]:
    """Texts by code; a name that stands twice becomes one category."""
    known = {name: k for k, name in enumerate(dict.fromkeys(names))}
    codes = np.array([known[name] for name in names], dtype=np.intp)[code]
    return pd.Categorical.from_codes(codes, pd.Index(list(known)))


def _names(cells: list[_Cell]) -> list[str]:
    """Name of every rater, numbered inside the category."""
    used: dict[str, int] = {}
    names = []
    for cell in cells:
        start, n = used.get(cell.category, 0), len(cell.raters.severity)
        names += [f"{cell.category}-{k:04d}" for k in range(start + 1, start + n + 1)]
        used[cell.category] = start + n
    return names


def _raters(cells: list[_Cell]) -> pd.DataFrame:
    """Truth about the raters."""
    straight = np.concatenate([c.raters.straight for c in cells])
    return pd.DataFrame(
        {
            "rater_id": _names(cells),
            "severity": np.concatenate([c.raters.severity for c in cells]),
            "straight_line": np.where(straight, "yes", "no"),
        }
    )


def _flawed(cells: list[_Cell]) -> pd.DataFrame:
    """Truth about the ballots that are not what they should be."""
    order, _, _ = _order(cells)
    flaw = np.concatenate([c.flaw for c in cells])[order]
    rows = np.flatnonzero(flaw != "")
    return pd.DataFrame({"ballot_id": rows + 1, "flaw": flaw[rows]})
