"""The coefficients of a year's survey in one table, each by its exact name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.agreement import krippendorff_alpha
from perfmethod.reliability.consistency import cronbach_alpha
from perfmethod.reliability.gwet import gwet_ac
from perfmethod.reliability.icc import intraclass_correlations
from perfmethod.reliability.means import reliability_of_means
from perfmethod.reliability.ratings import Ratings
from perfmethod.reliability.result import Coefficient
from perfmethod.reliability.within import rwg_j

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.year import Year

__all__ = ["survey_coefficients"]

Drawn = dict[str, Any]  # draws, level and seed of the intervals
Made = tuple[str, Callable[[], Iterable[Coefficient]]]  # a name, and what makes what bears it


def survey_coefficients(
    year: Year,
    *,
    unit_class: str | None = None,
    draws: int = 100,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Coefficients of the public review of one class.

    Of all dimensions together: Cronbach's alpha, and the mean rwg(j) over units. Of each dimension
    by itself: ICC(1,1) and ICC(1,k), Phi(k) and G(q,k) of unit means, Krippendorff's alpha
    (ordinal) and Gwet's AC2 (quadratic weights). "Don't know" is no answer.

    Parameters
    ----------
    year : Year
        With ballots.
    unit_class : str, optional
        By default the class with most units.
    draws : int
        Of raters as clusters, for the intervals that resample.
    level : float
        Confidence level.
    seed : int

    Returns
    -------
    DataFrame
        One row per coefficient: dimension (all of them joined by a plus where it is about all),
        coefficient, value, low, high, level, standard_error, n, k, interval (where it comes from),
        notes. A coefficient that these ballots do not have has no value, and the notes say why.

    Raises
    ------
    PerfmethodError
        If the year has no survey or no ballots, or no such class.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, units=9, ballots=2000)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> survey_coefficients(year, draws=20)["coefficient"].tolist()[:3]
    ["Cronbach's alpha (raw)", 'mean rwg(j), 4 items', 'ICC(1,1), ICC(1)']
    """
    import pandas as pd

    ratings, scale, names = _ratings(year, unit_class)
    drawn: Drawn = {"draws": draws, "level": level, "seed": seed}
    rows: list[dict[str, Any]] = []
    if len(names) > 1:
        rows += _rows("+".join(names), _of_all(ratings, scale, drawn))
    for name in names:
        rows += _rows(name, _of_one(ratings, name, scale, drawn))
    return pd.DataFrame(rows)


def _ratings(year: Year, unit_class: str | None) -> tuple[Ratings, list[float], list[str]]:
    """Ratings of the units of a class on the dimensions that its survey asks for."""
    document, ballots = year.scheme.document, year.ballots
    if "survey" not in document or ballots is None:
        raise PerfmethodError("year: found no ballots; allowed: a year with a survey and ballots")
    own = year.units["class"]
    chosen = str(own.value_counts().index[0]) if unit_class is None else unit_class
    if chosen not in set(own):
        raise PerfmethodError(f"unit_class: found '{chosen}'; allowed: {suggest(chosen, set(own))}")
    nodes = document["classes"][chosen].get("nodes", {}).values()
    names = [node["survey"] for node in nodes if "survey" in node]
    scores = {int(code): o.get("score") for code, o in document["survey"]["options"].items()}
    mine = ballots[ballots["unit_id"].isin(own.index[own == chosen])]
    scale = sorted({float(s) for s in scores.values() if s is not None})
    return Ratings.from_ballots(mine, names, scores=scores), scale, names


def _of_all(r: Ratings, scale: list[float], drawn: Drawn) -> list[Made]:
    """What the dimensions say together."""
    return [
        ("Cronbach's alpha (raw)", lambda: [cronbach_alpha(r, **drawn)]),
        ("mean rwg(j)", lambda: [rwg_j(r, scale, **drawn).mean]),
    ]


def _of_one(r: Ratings, name: str, scale: list[float], drawn: Drawn) -> list[Made]:
    """What one dimension says."""
    level = drawn["level"]
    return [
        ("ICC(1,1) and ICC(1,k)",
         lambda: intraclass_correlations(r, models=(1,), item=name, level=level)),
        ("Phi(k) and G(q,k)", lambda: reliability_of_means(r, item=name, level=level).coefficients),
        ("Krippendorff's alpha (ordinal)",
         lambda: [krippendorff_alpha(r, "ordinal", item=name, **drawn)]),
        ("Gwet's AC2 (quadratic weights)",
         lambda: [gwet_ac(r, "quadratic", categories=scale, item=name, **drawn)]),
    ]  # fmt: skip


def _rows(dimension: str, wanted: list[Made]) -> Iterator[dict[str, Any]]:
    """Rows of a table; a coefficient that cannot be had is a row that says why."""
    for name, make in wanted:
        try:
            for found in make():
                yield {"dimension": dimension, **found.row()}
        except PerfmethodError as error:
            yield {"dimension": dimension, "coefficient": name, "notes": str(error)}
