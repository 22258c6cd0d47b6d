"""Weight stability intervals: how far one weight may move before the list changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.robustness.bisection import Watch, first_changes
from perfmethod.robustness.contest import contest
from perfmethod.robustness.lines import least_crossings, meetings
from perfmethod.robustness.walks import Walk, drawn, walks
from perfmethod.scoring import simulate
from perfmethod.scoring.run import SAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from perfmethod.scoring import Evaluation, Simulation

__all__ = ["KEEPS", "StabilityIntervals", "stability_intervals"]

Array = NDArray[np.float64]

KEEPS: Mapping[str, str] = {
    "best_grade": "who holds the best grade",
    "ranking": "the rank of every unit in its class",
}
NEAR = 1e-12  # shares nearer than this are the same point


@dataclass(frozen=True)
class StabilityIntervals:
    """Intervals of single weights in which a result holds.

    Attributes
    ----------
    kept : str
        What does not change inside the intervals.
    intervals : DataFrame
        One row per weight: family, child, name_zh, name_en, path, weight (as it stands in the
        scheme), share (of its family; an option's score: of 100), low and high (shares; siblings
        keep their proportions),
        low_weight and high_weight (the same on the scheme's scale, the family's sum unchanged),
        low_by and high_by (who meets whom at the end; empty where the end is 0 or 1), room (percent
        of the weight to the nearer end at which something changes; infinite if there is none).
    meta : mapping
    """

    kept: str
    intervals: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        return f"<StabilityIntervals of {len(self.intervals)} weights, kept: {self.kept}>"

    def to_frame(self) -> pd.DataFrame:
        """The intervals, the weight with least room first."""
        return self.intervals.sort_values("room", kind="stable", ignore_index=True)

    def plot(self, ax: Axes | None = None, *, top: int = 20, lang: str = "zh") -> Axes:
        """Draw the intervals of the weights with least room.

        Parameters
        ----------
        ax : Axes, optional
        top : int
            Number of weights.
        lang : {'zh', 'en'}
        """
        from perfmethod.plots import stability

        shown = self.to_frame().head(top)
        least = shown.iloc[0]
        room, name = least["room"], least[f"name_{lang}"]
        title = {
            "en": f"Least room: {name} may change by {show(room, 1)} % of its weight",
            "zh": f"余地最小的是{name}: 变动其权重的{show(room, 1)}%以内, 结果不变",
        }[lang]
        if not np.isfinite(room):
            title = {"en": "No weight alone changes it", "zh": "任何单项权重都不会改变结果"}[lang]
        return stability(shown.assign(name=shown[f"name_{lang}"]), ax, title=title, language=lang)


class _Line(NamedTuple):
    """One weight and the points at which something may change, going outward on one side."""

    walk: Walk
    side: int  # -1 downward, 1 upward
    stops: list[tuple[float, str]]


def stability_intervals(
    evaluation: Evaluation,
    names: Sequence[str] | None = None,
    *,
    keep: str | tuple[str, str] = "best_grade",
) -> StabilityIntervals:
    """Find for every weight the interval in which a result does not change.

    One weight moves, its siblings keep their proportions and the family its sum (the score of an
    option of the survey moves alone, from 0 to 100). The points at
    which two totals meet (or a total meets the least one) are roots of linear or quadratic
    functions, taken in closed form; weights of indicators that count in several nodes lead to
    higher polynomials, whose roots are eigenvalues. Between two such points nothing can change, so
    scoring the year once between each of them and the next, with the one scoring core, decides
    which of them really changes the result. Where a mean of another power stands in the way, every
    total still moves one way only, and bisection proves stretch by stretch that no totals meet: its
    ends are exact to 1e-10 of the family's sum, and changes that come and go within 1e-10 are not
    seen. Ends belong to the interval only as far as the rule for ties keeps the result there.

    Parameters
    ----------
    evaluation : Evaluation
    names : sequence of str, optional
        Families from `families`, by default all that are offered; or ``survey.options``, for the
        scores of the survey's options (one at a time).
    keep : {"best_grade", "ranking"} or pair of str
        `KEEPS`, or the order of two units by total.

    Returns
    -------
    StabilityIntervals

    Raises
    ------
    PerfmethodError
        If a family is not offered, or `keep` is not known.
    ArithmeticError
        If two totals lie within rounding of each other over a stretch, and bisection cannot end.

    References
    ----------
    Mareschal, "Weight stability intervals in multicriteria decision aid", *European Journal of
    Operational Research* 33 (1988), 54-64 (for flat and complete scores; extended here to
    portfolios, quotas and vetoes).

    Examples
    --------
    >>> import pandas as pd, perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 70]}))
    >>> found = stability_intervals(pm.evaluate(year), keep="ranking").intervals
    >>> found[["child", "share", "low", "high"]].round(3)
       child  share  low  high
    0  roads    0.5  0.4   1.0
    1  water    0.5  0.0   0.6
    """
    import pandas as pd

    watch, scheme = _watch(evaluation, keep), evaluation.year.scheme
    moved = walks(evaluation, names)
    ends = _ends(evaluation, moved, watch)
    rows = []
    for walk, (low, high) in zip(moved, ends, strict=True):
        share, scale = walk.start, walk.scale[walk.k]
        gaps = [abs(x - share) for x, by in (low, high) if by]
        room = 100 * min(gaps) / share if gaps and share else np.inf
        stem = walk.path.removesuffix(".weight").removesuffix(".score")
        named = [scheme.name(stem, lang) for lang in ("zh", "en")]
        rows.append((walk.family, walk.child, *named, walk.path, share * scale, share,
                     low[0], high[0], low[0] * scale, high[0] * scale, low[1], high[1],
                     room))  # fmt: skip
    columns = ["family", "child", "name_zh", "name_en", "path", "weight", "share", "low", "high",
               "low_weight", "high_weight", "low_by", "high_by", "room"]  # fmt: skip
    return StabilityIntervals(watch.kept, pd.DataFrame(rows, columns=columns), evaluation.year.meta)


def _ends(
    evaluation: Evaluation, moved: list[Walk], watch: Watch
) -> list[tuple[tuple[float, str], tuple[float, str]]]:
    """Where the result first changes on both sides of each nominal share."""
    closed = [walk for walk in moved if walk.totals is not None]
    bent = [walk for walk in moved if walk.totals is None]
    lines = [line for walk in closed for line in _lines(walk, watch)]
    found = _confirmed(evaluation, lines, watch.state) if lines else []
    other = first_changes(evaluation, bent, watch) if bent else []
    by_closed, by_bent = (iter(zip(e[::2], e[1::2], strict=True)) for e in (found, other))
    return [next(by_bent if walk.totals is None else by_closed) for walk in moved]


def _watch(evaluation: Evaluation, keep: str | tuple[str, str]) -> Watch:
    units = tuple(evaluation._plan.units)
    if isinstance(keep, tuple):
        at = []
        for unit in keep:
            if unit not in units:
                raise PerfmethodError(f"found no unit '{unit}'; allowed: {suggest(unit, units)}")
            at.append(units.index(unit))
        kept = f"the order of {keep[0]} and {keep[1]}"
        return Watch(units, kept, np.array([at], np.intp), _NONE, 0.0, lambda s: _order(s, *at))
    if keep == "ranking":
        return Watch(units, KEEPS[keep], _neighbors(evaluation), _NONE, 0.0, lambda s: s.rank)
    if keep != "best_grade":
        raise PerfmethodError(
            f"found keep '{keep}'; allowed: {suggest(keep, KEEPS)}, or a pair of units"
        )
    rules = contest(evaluation)
    pairs = np.array([p for pool in rules.pools for p in pool.pairs()], np.intp).reshape(-1, 2)
    singles = np.array([u for pool in rules.pools for u, _ in pool.thresholds()], np.intp)
    least = next((pool.least for pool in rules.pools if pool.least is not None), 0.0)
    return Watch(units, KEEPS[keep], pairs, singles, least, lambda s: s.grade == 0)


_NONE = np.array([], np.intp)


def _order(s: Simulation, i: int, j: int) -> Any:
    """Which of two totals is higher in each draw."""
    return np.sign(np.round(s.total[:, [i]] - s.total[:, [j]], SAME))


def _neighbors(evaluation: Evaluation) -> NDArray[np.intp]:
    """Units next to each other in the ranking of a class: the first pair to turn is one of them."""
    rank, code = evaluation._scored.rank, evaluation._plan.unit_class
    pairs = []
    for c in np.unique(code):
        mine = np.flatnonzero(code == c)
        place = np.unique(rank[mine], return_inverse=True)[1]
        a, b = np.nonzero(np.triu(np.abs(place[:, None] - place) <= 1, 1))
        pairs.append(np.stack([mine[a], mine[b]], -1))
    return np.concatenate(pairs)


def _lines(walk: Walk, watch: Watch) -> tuple[_Line, _Line]:
    units, start, found = watch.units, walk.start, list[tuple[float, str]]()
    assert walk.totals is not None  # else there is no closed form
    if walk.share.size > 1:
        roots = meetings(walk.totals, walk.share, walk.k, watch.pairs[:, 0], watch.pairs[:, 1])
        for (a, b), row in zip(watch.pairs, roots, strict=True):
            found += [(float(x), f"{units[a]} = {units[b]}") for x in row[~np.isnan(row)]]
    if walk.share.size > 1 and watch.singles.size:
        rows = least_crossings(walk.totals, walk.share, walk.k, watch.least)[watch.singles]
        for a, row in zip(watch.singles, rows, strict=True):
            found += [(float(x), f"{units[a]} = {watch.least:g}") for x in row[~np.isnan(row)]]
    # what happens only where a weight is zero or alone is the end of the line, not a stop on it
    found = [s for s in found if NEAR < s[0] < 1 - NEAR]
    down = sorted((s for s in found if s[0] <= start + NEAR), reverse=True)
    up = sorted(s for s in found if s[0] >= start - NEAR)
    return _Line(walk, -1, down), _Line(walk, 1, up)


def _confirmed(evaluation: Evaluation, lines: list[_Line], state: Any) -> list[tuple[float, str]]:
    """First stop of each line beyond which the result differs, found by scoring in between."""
    numbers = evaluation.year.scheme.numbers
    first = lines[0].walk.paths[0]
    nominal = state(simulate(evaluation.year, {first: [float(numbers[first])]}))[0]
    ends: dict[int, tuple[float, str]] = {}
    at = dict.fromkeys(range(len(lines)), 0)
    while at:
        for i in [i for i, s in at.items() if s >= len(lines[i].stops)]:
            ends[i] = (0.0 if lines[i].side < 0 else 1.0, "")
            del at[i]
        if not at:
            break
        asked = [(lines[i].walk, _between(lines[i], s)) for i, s in at.items()]
        seen = state(simulate(evaluation.year, drawn(evaluation, asked)))
        for i, row in zip(list(at), seen, strict=True):
            if (row != nominal).any():
                ends[i] = lines[i].stops[at[i]]
                del at[i]
            else:
                at[i] += 1
    return [ends[i] for i in range(len(lines))]


def _between(line: _Line, s: int) -> Array:
    """A point between a stop and the next one that differs from it, or the end of the line."""
    here = line.stops[s][0]
    beyond = [x for x, _ in line.stops[s + 1 :] if abs(x - here) > NEAR]
    far = beyond[0] if beyond else (0.0 if line.side < 0 else 1.0)
    return np.array([(here + far) / 2])
