"""Few tasks or many: how far chance alone carries a total, and what the missing-task rule does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.fairness.attributes import bands
from perfmethod.fairness.parts import below
from perfmethod.fairness.portfolio_result import MissingRules, Portfolio
from perfmethod.fairness.residuals import two_way_residual
from perfmethod.scoring.comparable import class_plan

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["effective_number", "missing_rules", "portfolio"]

Array = NDArray[np.float64]

BANDS = ("few", "middle", "many")


def effective_number(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse Herfindahl index: how many equal weights are as concentrated as these.

    Parameters
    ----------
    weights : ndarray (..., n)
        Not negative; each row sums to more than 0.

    Returns
    -------
    ndarray (...)

    References
    ----------
    Laakso and Taagepera, "'Effective' number of parties", *Comparative Political Studies* 12
    (1979), 3-27.

    Examples
    --------
    >>> effective_number(np.array([[0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])).round(3)
    array([4.   , 1.923])
    """
    w = np.asarray(weights, dtype=float)
    return np.asarray(w.sum(axis=-1) ** 2 / (w**2).sum(axis=-1))


def portfolio(
    evaluation: Evaluation,
    *,
    class_id: str | None = None,
    noise: float | None = None,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Portfolio:
    r"""How far the totals of units with few tasks would spread by chance alone.

    Parameters
    ----------
    evaluation : Evaluation
    class_id : str, optional
        By default the class with most units.
    noise : float, optional
        Standard deviation of one task's score by chance, 0-100; by default the spread of what
        units and indicators leave of the task scores (residual mean square of the model with an
        effect of each unit and each indicator). Indicators that one unit alone has share one
        effect, so their own differences count as spread. That spread is partly true strength and
        weakness, so what follows from it is an upper picture of chance.
    level : float, default 0.95
        Of the intervals.
    draws : int, default 10,000
        Worlds of pure chance.
    seed : int, default 0

    Returns
    -------
    Portfolio

    Raises
    ------
    PerfmethodError
        If the class has fewer than three units with tasks, units and indicators leave nothing of
        the task scores from which to take the noise, or `noise` is negative.

    Notes
    -----
    In the reference world all units work equally well and each task's score strays by `noise`,
    independently. With effective weights w of its tasks a unit's total then has the variance
    :math:`(\text{base}/100)^2\,\text{noise}^2 \sum w^2 + r^2`, exactly; r, the spread of the points
    that do not come from tasks, is the same for all. Values that several units share (one figure
    of the whole city) are taken as independent, which they are not.

    References
    ----------
    Spiegelhalter, "Funnel plots for comparing institutional performance", *Statistics in Medicine*
    24 (2005), 1185-1202; Wainer, "The most dangerous equation", *American Scientist* 95 (2007),
    249-256.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=500)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> found = portfolio(pm.evaluate(year), draws=200)
    >>> found.bands["units"].sum(), bool(found.bands["se"].is_monotonic_decreasing)
    (np.int64(45), True)
    """
    classes = evaluation.scores["class"]
    chosen = class_id or str(classes.value_counts().idxmax())
    units, weight, score, names = _tasks(evaluation, chosen)
    if len(units) < 3:
        raise PerfmethodError(f"found {len(units)} units with tasks in '{chosen}'; allowed: 3 on")
    strays, df = _noise(weight, score) if noise is None else (float(noise), 0)
    if not 0 <= strays < np.inf:
        raise PerfmethodError(f"found noise {noise}; allowed: 0 or more, finite")
    base = float(evaluation.year.scheme.number("base")) / 100
    table = _units(evaluation, units, weight, names, base * strays)
    points = base * (weight * (np.nan_to_num(score) - _mean_score(weight, score))).sum(axis=1)
    rest = float((table["total"] - points).std(ddof=1))
    error = np.sqrt(table["se"].to_numpy() ** 2 + rest**2)
    worlds = np.random.default_rng(seed).standard_normal((draws, len(units))) * error
    places = _places(evaluation, units)
    table["chance_first"], table["chance_last"] = _ends(worlds, places)
    frame = _bands(table, worlds, error, places, level)
    meta = {**evaluation.year.meta, "class_id": chosen, "draws": draws, "seed": seed,
            "level": level, "estimated": noise is None, "rest": rest,
            "noise_interval": _interval(strays, df, level)}  # fmt: skip
    meta["unit_names"] = {la: evaluation.year.unit_names(la).to_dict() for la in ("zh", "en")}
    return Portfolio(table, frame, strays, places, *_trend(table, draws, seed), meta)


def _mean_score(weight: Array, score: Array) -> float:
    """Mean score of the tasks, so that more weight on tasks is no more points by itself."""
    return float((weight * np.nan_to_num(score)).sum() / weight.sum())


def missing_rules(evaluation: Evaluation) -> MissingRules:
    """Evaluate the year with each rule for nodes without a task, all else as it is.

    Parameters
    ----------
    evaluation : Evaluation
        A node with a rule of its own in the scheme keeps it.

    Returns
    -------
    MissingRules

    Raises
    ------
    DataError
        If some unit has no score under a rule.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=500)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> missing_rules(pm.evaluate(year)).rules["used"].to_dict()
    {'redistribute': True, 'class_mean': False, 'full_marks': False, 'zero': False}
    """
    from perfmethod.core import FILLS
    from perfmethod.scoring import evaluate

    year = evaluation.year
    used = str(year.scheme.number("missing_task"))
    lacking = _lacking(evaluation)
    units, rows = [], []
    for rule in FILLS:
        other = evaluate(year.with_scheme(year.scheme.patch({"missing_task": rule})))
        found = evaluation.compare(other)
        found = found.assign(rule=rule, lacking=lacking)
        units.append(found.reset_index())
        change, places = found["total_change"], found["rank_change"]
        some = found["lacking"] > 0
        rows.append((
            rule, rule == used, int((change.abs() > 1e-9).sum()), change.min(), change.max(),
            int((places != 0).sum()), int(places.abs().max()), places[some].mean(),
            int(found["grade_changes"].sum()),
        ))  # fmt: skip
    columns = ["rule", "used", "totals_changed", "least_change", "most_change", "ranks_changed",
               "most_places", "mean_places_lacking", "grades_changed"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns).set_index("rule")
    return MissingRules(table, pd.concat(units, ignore_index=True), used, dict(year.meta))


def _lacking(evaluation: Evaluation) -> pd.Series:
    """Number of inner nodes, the highest ones, under which a unit has no task at all."""
    found = np.zeros(len(evaluation.scores), dtype=int)
    for part in evaluation._plan.classes:
        held = {leaf.node: leaf.held > 0 for leaf in part.leaves}
        empty = {}
        for node, children in enumerate(part.tree.children):
            leaves = [n for n in (node, *below(part.tree, node)) if not part.tree.children[n]]
            if children and all(n in held for n in leaves):
                empty[node] = ~np.any([held[n] for n in leaves], axis=0)
        parent = {c: n for n, cs in enumerate(part.tree.children) for c in cs}
        number = sum(
            (e & ~empty.get(parent.get(n, -1), False) for n, e in empty.items()),
            np.zeros(len(part.units), dtype=int),
        )
        found[part.units] = number
    return pd.Series(found, index=evaluation.scores.index)


def _tasks(evaluation: Evaluation, class_id: str) -> tuple[pd.Index, Array, Array, list[str]]:
    """Units with tasks, effective weights and scores (u, n) of their tasks, indicators."""
    part = class_plan(evaluation, class_id)
    names = [leaf.indicator for leaf in part.leaves]
    units = evaluation.scores.index[part.units]
    rows = evaluation.nodes[evaluation.nodes["unit_id"].isin(units)]
    wide = rows.pivot(index="unit_id", columns="node").reindex(units)
    names = [name for name in names if name in wide["score"]]
    weight = wide["effective_weight"][names].fillna(0.0).to_numpy(float)
    some = weight.sum(axis=1) > 0
    return units[some], weight[some], wide["score"][names].to_numpy(float)[some], names


def _noise(weight: Array, score: Array) -> tuple[float, int]:
    """Spread of task scores beyond effects of units and indicators; degrees of freedom."""
    used = (weight > 0) & ~np.isnan(score)
    unit, task = np.nonzero(used)
    task = np.where(used.sum(axis=0)[task] == 1, -1, task)  # what one unit alone has: one effect
    codes = [np.unique(x, return_inverse=True)[1] for x in (unit, task)]
    square, df = two_way_residual(codes[0], codes[1], score[used]) if unit.size else (0.0, 0)
    if df < 1:
        raise PerfmethodError(
            f"found {unit.size} task scores of {len(set(unit))} units and {len(set(task))} "
            "indicators, whose effects leave none over; allowed: noise=..., or more units that "
            "share indicators"
        )
    return float(np.sqrt(square / df)), df


def _interval(noise: float, df: int, level: float) -> tuple[float, float]:
    """Interval of an estimated spread by the chi-square law; a given one has none."""
    from scipy.special import chdtri

    if not df:
        return noise, noise
    tail = (1 - level) / 2
    return (noise * float(np.sqrt(df / chdtri(df, tail))),
            noise * float(np.sqrt(df / chdtri(df, 1 - tail))))  # fmt: skip


def _units(
    evaluation: Evaluation, units: pd.Index, weight: Array, names: list[str], points: float
) -> pd.DataFrame:
    table = evaluation.scores.loc[units, ["name", "group", "total", "rank", "grade"]].copy()
    table["tasks"] = (weight > 0).sum(axis=1)
    table["effective_tasks"] = effective_number(weight)
    table["largest_task"] = np.array(names)[weight.argmax(axis=1)]
    table["largest_weight"] = weight.max(axis=1)
    table["task_weight"] = weight.sum(axis=1)
    table["deviation"] = table["total"] - table["total"].mean()
    table["se"] = points * np.sqrt((weight**2).sum(axis=1))
    code = bands(table["effective_tasks"].round(9), len(BANDS))
    table["band"] = pd.Categorical(code.map(dict(enumerate(BANDS))), BANDS, ordered=True)
    return table


def _places(evaluation: Evaluation, units: pd.Index) -> int:
    """Units of the class with the best grade, or a quarter where none is given."""
    levels = list(evaluation.year.scheme.document.get("grades", {}).get("levels", {}))
    held = int((evaluation.scores.loc[units, "grade"] == levels[0]).sum()) if levels else 0
    return held if 0 < held < len(units) else max(1, len(units) // 4)


def _ends(worlds: Array, places: int) -> tuple[Array, Array]:
    """Share of worlds in which each unit is among the first and among the last `places`."""
    order = worlds.argsort(axis=1).argsort(axis=1)
    size = worlds.shape[1]
    return (order >= size - places).mean(axis=0), (order < places).mean(axis=0)


def _bands(
    table: pd.DataFrame, worlds: Array, error: Array, places: int, level: float
) -> pd.DataFrame:
    """Observed and chance spread of the totals, and of who stands first and last, by band."""
    n = len(table)
    away = worlds - worlds.mean(axis=1, keepdims=True)
    # variance of a deviation from the mean of independent totals with unequal variances
    variance = error**2 * (1 - 2 / n) + (error**2).sum() / n**2
    place = table["total"].rank(method="first").to_numpy()
    rows = []
    for band in BANDS:
        mine = (table["band"] == band).to_numpy()
        if not mine.any():
            continue
        spread = np.sqrt((away[:, mine] ** 2).mean(axis=1))
        low, high = np.quantile(spread, [(1 - level) / 2, (1 + level) / 2])
        size = table.loc[mine, "effective_tasks"]
        rows.append((
            band, int(mine.sum()), size.min(), size.max(), table.loc[mine, "se"].mean(),
            np.sqrt((table.loc[mine, "deviation"] ** 2).mean()), np.sqrt(variance[mine].mean()),
            low, high, int((place[mine] > n - places).sum()), table.loc[mine, "chance_first"].sum(),
            int((place[mine] <= places).sum()), table.loc[mine, "chance_last"].sum(),
        ))  # fmt: skip
    columns = ["band", "units", "effective_least", "effective_most", "se", "sd", "sd_chance",
               "low", "high", "first", "first_chance", "last", "last_chance"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).set_index("band")


def _trend(table: pd.DataFrame, draws: int, seed: int) -> tuple[float, float]:
    """Rank correlation of distance from the mean with the effective number, permutation p."""
    far = table["deviation"].abs().rank().to_numpy()
    size = table["effective_tasks"].rank().to_numpy()
    if np.ptp(far) == 0 or np.ptp(size) == 0:
        return 0.0, 1.0
    rho = float(np.corrcoef(far, size)[0, 1])
    drawn = np.random.default_rng([seed, 2]).permuted(np.tile(far, (draws, 1)), axis=1)
    found = (drawn - far.mean()) @ (size - size.mean()) / (far.size * far.std() * size.std())
    return rho, float((1 + (np.abs(found) >= abs(rho) - 1e-9).sum()) / (draws + 1))
