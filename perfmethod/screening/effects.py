"""What setting flagged ballots aside does to scores, ranks and grades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from perfmethod.errors import PerfmethodError
from perfmethod.screening.run import screen

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.screening.result import Screening
    from perfmethod.year import Year

__all__ = ["effect"]


def effect(
    year: Year,
    screening: Screening | None = None,
    *,
    kinds: Sequence[str] | None = None,
    alpha: float = 0.01,
    seed: int = 0,
) -> pd.DataFrame:
    """Score the year with and without its flagged ballots.

    Parameters
    ----------
    year : Year
        With ballots.
    screening : Screening, optional
        Of the same year; by default `screen` at `alpha` with `seed`.
    kinds : sequence of str, optional
        Kinds of flags to act on; by default all that name ballots.
    alpha : float
    seed : int

    Returns
    -------
    DataFrame
        One row per unit (index unit_id): what `Evaluation.compare` gives (``_other`` is without
        the flagged ballots; total_change in points), ballots, and set_aside (ballots).

    Raises
    ------
    DataError
        If the year has no ballots, or none is left.
    PerfmethodError
        If the screening is of other ballots, or a kind names no ballots.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=8000)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> table = effect(year, kinds=["burst"])
    >>> table[["ballots", "set_aside"]].sum().tolist()
    [8000, 18]
    """
    from perfmethod.scoring import evaluate

    found = screen(year, alpha=alpha, seed=seed) if screening is None else screening
    ballots = year.ballots
    if ballots is None or len(ballots) != found.ballots or _data(found) != year.digest:
        raise PerfmethodError("found a screening of other ballots; allowed: one of this year")
    aside = found._flagged(kinds)
    kept = year.replace(ballots=ballots[~aside]) if aside.any() else year
    table = evaluate(year).compare(evaluate(kept))
    units = ballots["unit_id"].astype("str").to_numpy()
    for name, rows in (("ballots", np.ones(len(units), bool)), ("set_aside", aside)):
        names, counts = np.unique(units[rows].astype(object), return_counts=True)
        table[name] = [
            dict(zip(names, counts.tolist(), strict=True)).get(u, 0) for u in table.index
        ]
    return table


def _data(screening: Screening) -> str:
    return str(screening.meta.get("data", ""))
