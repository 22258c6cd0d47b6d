"""All flags on the ballots of a year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import DataError, PerfmethodError, Problems
from perfmethod.screening.alike import ring_flags
from perfmethod.screening.blanks import unanswered
from perfmethod.screening.bursts import burst_flags
from perfmethod.screening.copies import session_flags
from perfmethod.screening.counts import impossible_flags, repeated_flags
from perfmethod.screening.patterns import straight_flags
from perfmethod.screening.result import Screening, flag_frame, timeline_frame
from perfmethod.screening.shares import best_flags, uniform_flags
from perfmethod.screening.sheet import KEYS, Flag, Sheet

if TYPE_CHECKING:
    from perfmethod.scheme import Scheme
    from perfmethod.year import Year

__all__ = ["screen"]


def screen(
    source: Year | pd.DataFrame,
    scheme: Scheme | None = None,
    *,
    alpha: float = 0.01,
    seed: int = 0,
    window: float = 600.0,
    least: int = 10,
    most_raters: int = 2_000,
    registered: Mapping[str, int] | None = None,
    online: str = "online",
) -> Screening:
    """Look for ballots that should not be there.

    Every kind of flag (`METHODS`) is a family of tests of its own at level `alpha`. A flag is a
    reason to look, not a proof.

    Parameters
    ----------
    source : Year or DataFrame
        A year, or its ballots: unit_id, category and mode; rater_id, batch and ballot_id where
        there are any; every other column is a question, or those that the scheme names.
    scheme : Scheme, optional
        Gives the scores of options; that of the year by default. Ballots without a scheme: every
        code is a valid answer, and no answer is known to be the best.
    alpha : float
        In (0, 1).
    seed : int
        For sessions drawn at random.
    window : float
        Seconds of a burst.
    least : int
        Fewest ballots of a rater, and fewest common units of a pair, to test; at least 2.
    most_raters : int
        Most raters compared pair by pair in a category, those with the most ballots; bounds time
        and memory (its square).
    registered : mapping of str to int, optional
        Raters by category, for impossible counts.
    online : str
        Name of the mode whose best answers are compared with the other modes'.

    Returns
    -------
    Screening

    Raises
    ------
    DataError
        If there is no ballot, no column of answers, a needed column is missing or empty, or an
        answer is no code.
    PerfmethodError
        If an argument is outside its range, or `registered` names no category of the ballots.

    Examples
    --------
    >>> from perfmethod.synthetic import synthetic_year
    >>> ballots = synthetic_year(seed=0, units=9, ballots=4000).tables["ballots"]
    >>> found = screen(ballots)
    >>> found.flags.loc[found.flags["kind"] == "copied session", "batch"].tolist()
    ['R02-S02']
    """
    _check_arguments(alpha, window, least, most_raters)
    ballots, scheme, meta = _read(source, scheme)
    least_shown = _min_cell(scheme)
    sheet = Sheet.read(ballots, (None if scheme is None else _options(scheme)) or None, least_shown)
    sessions, notes = session_flags(sheet, alpha, seed, most_raters)
    flags = [
        *straight_flags(sheet, alpha, least),
        *uniform_flags(sheet, alpha),
        *best_flags(sheet, alpha, online),
        *sessions,
        *burst_flags(sheet, alpha, window),
        *ring_flags(sheet, alpha, least, most_raters),
        *repeated_flags(sheet),
        *impossible_flags(sheet, registered),
    ]
    masks = _masks(flags, len(ballots))
    return Screening(
        flags=flag_frame(flags),
        unanswered=unanswered(sheet, least_shown),
        notes=(*_notes(sheet, online), *notes),
        ballots=len(ballots),
        alpha=alpha,
        meta=meta | {"seed": seed},
        min_cell=least_shown,
        _few=tuple(flag.few for flag in flags),
        _masks=masks,
        _timeline=timeline_frame(sheet, masks.get("burst", np.zeros(len(ballots), bool))),
    )


def _check_arguments(alpha: float, window: float, least: int, most_raters: int) -> None:
    for name, value, fits, allowed in (
        ("alpha", alpha, 0 < alpha < 1, "a number above 0 and below 1"),
        ("window", window, window > 0, "seconds above 0"),
        ("least", least, least >= 2, "2 or more"),
        ("most_raters", most_raters, most_raters >= 2, "2 or more"),
    ):
        if not fits:
            raise PerfmethodError(f"{name}: found {value}; allowed: {allowed}")


def _read(
    source: Year | pd.DataFrame, scheme: Scheme | None
) -> tuple[pd.DataFrame, Scheme | None, dict[str, Any]]:
    """Ballots with the questions of the scheme, the scheme, and where they come from."""
    if isinstance(source, pd.DataFrame):
        return _asked(source, scheme), scheme, {}
    ballots = source.ballots
    if ballots is None:
        problems = Problems(source.name)
        problems.add("no table 'ballots'", "a year with ballots")
        problems.raise_any(DataError)
    assert ballots is not None  # for the type checker
    scheme = source.scheme if scheme is None else scheme
    return _asked(ballots, scheme), scheme, dict(source.meta)


def _asked(ballots: pd.DataFrame, scheme: Scheme | None) -> pd.DataFrame:
    """Leave out columns that the scheme does not ask about; a table may have any."""
    if scheme is None:
        return ballots
    nodes = [c.get("nodes", {}) for c in scheme.document["classes"].values()]
    asked = {node["survey"] for part in nodes for node in part.values() if "survey" in node}
    return ballots[[name for name in ballots.columns if name in KEYS or name in asked]]


def _options(scheme: Scheme) -> dict[int, float]:
    """Score of each option; NaN for what is no answer."""
    options = scheme.document.get("survey", {}).get("options", {})
    return {int(code): float(entry.get("score", np.nan)) for code, entry in options.items()}


def _min_cell(scheme: Scheme | None) -> int:
    """Fewest people of whom an output may tell."""
    return 10 if scheme is None else int(scheme.document.get("survey", {}).get("min_cell", 10))


def _masks(flags: list[Flag], n: int) -> dict[str, NDArray[np.bool_]]:
    masks: dict[str, NDArray[np.bool_]] = {}
    for flag in flags:
        masks.setdefault(flag.kind, np.zeros(n, bool))[flag.rows] = True
    return masks


def _notes(sheet: Sheet, online: str) -> list[str]:
    """What the columns do not allow to test."""
    notes = []
    if sheet.rater is None:
        notes.append("no column rater_id: straight-lining, sessions, rings, repeats not tested")
    elif len(np.unique(sheet.rater[sheet.rater >= 0])) < 2:
        notes.append("fewer than two raters: straight-lining, sessions, rings not tested")
    if not sheet.sessions:
        notes.append("no session in column batch: copied sessions not tested")
    if sheet.start is None:
        notes.append("no time in column batch: bursts not tested")
    if not sheet.knows_best:
        notes.append("no scheme: which answer is best is not known, all-best not tested")
    elif online not in sheet.modes:
        notes.append(f"no mode '{online}': online all-best not tested")
    return notes
