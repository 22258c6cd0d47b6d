"""Normal cities: many simulated years of grouped units whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import DataError, Problems
from perfmethod.places.applied import Field, applied
from perfmethod.places.rules import BOUNDED, QuotaRule, chosen, quota_rules
from perfmethod.places.truth import mean_and_error, share_found, true_best
from perfmethod.scheme import Scheme
from perfmethod.scoring.plan import compile_year
from perfmethod.year import Year

__all__ = ["City", "found_in_cities", "normal_cities"]

Array = NDArray[np.float64]

_SCHEME = """
format = 1
classes.city.nodes = {{}}
indicators.anchor = {{ rule = {{ method = "identity" }} }}
[grades]
pool = "group"
levels.best = {{ places = {places} }}
levels.other = {{}}
"""


class City(NamedTuple):
    """Simulated years of one city.

    Parameters
    ----------
    truth : ndarray (k, u)
        True performance; standard deviation 1 over all units and years.
    total : ndarray (k, u)
        Measured: a weighted mean of an anchor, rated alike for all, and a group's own panel.
    anchor : ndarray (k, u)
    group : ndarray of int (u,)
    """

    truth: Array
    total: Array
    anchor: Array
    group: NDArray[np.int64]


def normal_cities(
    sizes: Sequence[int],
    runs: int = 2000,
    *,
    group_sd: float = 0.0,
    stringency_sd: float = 0.0,
    panel_weight: float = 0.4,
    anchor_error: float = 0.5,
    panel_error: float = 0.47,
    seed: int = 0,
) -> City:
    """Draw years of a city of grouped units.

    Parameters
    ----------
    sizes : sequence of int (g,)
        Units by group.
    runs : int
        Years, k.
    group_sd : float
        Standard deviation of the groups' true means, from 0 to 1 (that of all units is 1).
    stringency_sd : float
        Differences between panels that rate alike units, on the panel's score.
    panel_weight : float
        Weight of the panel's score in the total; the anchor has the rest.
    anchor_error, panel_error : float
        Standard deviations of the errors; 0.5 is a reliability of 0.8, and with the other defaults
        the total has an error of 0.354 (reliability 0.89).
    seed : int

    Returns
    -------
    City

    Raises
    ------
    DataError
        With every problem: groups without units, no run, negative spreads, a weight outside 0 to 1.

    Examples
    --------
    >>> city = normal_cities([4, 9], 3, seed=1)
    >>> city.total.shape, city.group.tolist()[:5]
    ((3, 13), [0, 0, 0, 0, 1])
    """
    problems = Problems("arguments")
    _check_sizes(problems, sizes)
    spreads = {"group_sd": group_sd, "stringency_sd": stringency_sd,
               "anchor_error": anchor_error, "panel_error": panel_error}  # fmt: skip
    for name, value in spreads.items():
        if not 0 <= value < np.inf:
            problems.add(f"{value}", "0 or more", column=name)
    for name, value in (("group_sd", group_sd), ("panel_weight", panel_weight)):
        if not value <= 1 or (value < 0 and name not in spreads):
            problems.add(f"{value}", "0 to 1", column=name)
    if runs < 1:
        problems.add(f"{runs}", "1 or more", column="runs")
    problems.raise_any(DataError)
    group = np.repeat(np.arange(len(sizes)), sizes)
    # own streams: another stringency leaves truth and errors as they were
    own, between, harsh, first, second = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)
    )
    shape, groups = (runs, len(group)), (runs, len(sizes))
    inside = np.sqrt(1.0 - group_sd**2) * own.standard_normal(shape)
    truth = inside + group_sd * between.standard_normal(groups)[:, group]
    anchor = truth + anchor_error * first.standard_normal(shape)
    strict = stringency_sd * harsh.standard_normal(groups)[:, group]
    panel = truth + strict + panel_error * second.standard_normal(shape)
    return City(truth, (1 - panel_weight) * anchor + panel_weight * panel, anchor, group)


def _check_sizes(problems: Problems, sizes: Sequence[int]) -> None:
    if not len(sizes):
        problems.add("no group", "one or more", column="sizes")
    for i, size in enumerate(sizes):
        if size < 1:
            problems.add(f"{size} units in group {i}", "1 or more", column="sizes")


def found_in_cities(
    city: City, places: int, rules: Iterable[str | QuotaRule] | None = None
) -> pd.DataFrame:
    """Share of the true best that each rule finds, in simulated years.

    Parameters
    ----------
    city : City
        See `normal_cities`.
    places : int
        Places of the best grade; the true best are as many, all groups together.
    rules : iterable of str or QuotaRule, optional
        From `quota_rules`, by default all whose floors and caps fit the groups; ``nominal`` is
        Hamilton's method by group.

    Returns
    -------
    DataFrame
        Index rule; found and its Monte Carlo standard error found_mcse; found_gain (over places by
        group) and found_gain_mcse; filled (mean number of places given) and rate_range (mean range
        of the groups' rates).

    Raises
    ------
    DataError, SchemeError
        With every problem: unknown rules, more places than units, floors and caps that do not fit.

    Examples
    --------
    >>> city = normal_cities([4, 9, 9], 500, group_sd=0.5)
    >>> found = found_in_cities(city, 6, ["pooled"])["found"]
    >>> bool(found["pooled"] > found["nominal"])
    True
    """
    scheme = Scheme.loads(_SCHEME.format(places=places))
    ids = [f"U{i:03d}" for i in range(len(city.group))]
    units = pd.DataFrame({"unit_id": ids, "group": [f"G{g}" for g in city.group]})
    actuals = pd.DataFrame({"unit_id": ids, "anchor": 50.0})
    year = Year.from_frames(scheme, units=units, actuals=actuals)
    wanted = chosen(quota_rules(scheme, anchors=("anchor",)), rules)
    spare = BOUNDED if rules is None else ()
    ready, _ = applied(year, compile_year(year), wanted, spare=spare)
    field = Field(city.total, (), {("anchor",): city.anchor})
    best = true_best(city.truth, places)
    marks = np.eye(int(city.group.max()) + 1)[city.group]
    held = {name: one.grade(field).codes == 0 for name, one in ready.items()}
    shares = {name: share_found(mine, best) for name, mine in held.items()}
    rows = []
    for name, mine in held.items():
        rates = mine.astype(float) @ marks / marks.sum(0)
        rows.append((*mean_and_error(shares[name]),
                     *mean_and_error(shares[name] - shares["nominal"]),
                     float(mine.sum(-1).mean()), float(np.ptp(rates, axis=-1).mean())))  # fmt: skip
    columns = ["found", "found_mcse", "found_gain", "found_gain_mcse", "filled", "rate_range"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(held, name="rule"))
