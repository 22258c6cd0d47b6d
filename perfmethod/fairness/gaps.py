"""Where the gap between groups comes from: parts, anchors, and what anchors do not explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.fairness.attributes import read, spoken
from perfmethod.fairness.gaps_result import GroupGaps
from perfmethod.fairness.lots import Shifts, raw_gaps
from perfmethod.fairness.named import holm
from perfmethod.fairness.parts import Parts, parts_of
from perfmethod.fairness.shifts import Explained, explain_gaps
from perfmethod.scoring.comparable import anchors_of, class_of

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["group_gaps"]

POWER = 0.8  # with which a detectable gap is found


def group_gaps(
    evaluation: Evaluation,
    by: str | pd.Series = "group",
    *,
    class_id: str | None = None,
    anchors: Sequence[str] | None = None,
    depth: int = 2,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> GroupGaps:
    r"""Take the gap of each group against the rest apart, exactly, part by part.

    Parameters
    ----------
    evaluation : Evaluation
    by : str or Series, default "group"
        Attribute (`attribute`).
    class_id : str, optional
        Units of one class are compared, for other classes are judged on other things; by default
        the largest class in which the attribute has two groups or more.
    anchors : sequence of str, optional
        Nodes on which all groups are judged by the same hands. By default those of
        `scoring.anchors_of`: what the scheme marks as shared, else the survey and nodes whose
        indicators every unit of the class has. A node with missing scores is none.
    depth : int, default 2
        Parts are nodes at this depth (1 blocks, 2 aspects); anchors stay whole.
    level : float, default 0.95
        Of the intervals.
    draws : int, default 10,000
        Permutations.
    seed : int, default 0

    Returns
    -------
    GroupGaps

    Raises
    ------
    PerfmethodError
        If fewer than two groups are left, there are no anchors, or too few units for them.

    Notes
    -----
    The gap of a group is the mean total of its units less that of all others compared. It is the
    sum over parts of the same difference in their points. The points of an anchor are explained by
    definition; the points of every other part are regressed on the anchors' scores with the slopes
    inside groups, and the gap those predict is explained, the rest unexplained:

    .. math:: \Delta T = \sum_{\text{anchors}} \Delta c_a + \sum_{\text{others}}
        \left(b_p^\top \Delta A + \text{unexplained}_p\right)

    **What the unexplained part is.** It is what the group's units have beyond units with the same
    anchors. It may be leniency of its assessors, easier targets, or true performance that the
    anchors do not show: no number of units can tell these apart where each group has its own
    assessors. Anchors measured with error explain too little, so part of a true difference stays
    in the unexplained part.

    References
    ----------
    Oaxaca, *International Economic Review* 14 (1973), 693-709; Blinder, *Journal of Human
    Resources* 8 (1973), 436-455; Jann, *The Stata Journal* 8 (2008), 453-479.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=500)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> found = group_gaps(pm.evaluate(year), draws=200)
    >>> found.anchors
    ('common', 'public_review')
    >>> parts = found.parts.groupby("group")["gap"].sum()
    >>> bool(np.allclose(parts, found.groups.set_index("group")["gap"]))
    True
    """
    name, labels, cut = read(evaluation, by)
    chosen = class_of(evaluation, labels, name, class_id)
    named = anchors_of(evaluation, chosen) if anchors is None else tuple(anchors)
    if not named:
        raise PerfmethodError(
            f"found no node of '{chosen}' that all its units share, or none that they do not; "
            "allowed: anchors=(...) with one or more nodes on which the units are judged by the "
            "same hands"
        )
    parts = parts_of(evaluation, chosen, named, depth)
    label = labels.reindex(parts.units)
    known = label.notna().to_numpy()
    parts = parts.select(known)
    code, groups = pd.factorize(label[known].astype(str), sort=True)
    raw, found = _both(parts, code, {"level": level, "draws": draws, "seed": seed})
    table = _groups(parts, code, groups, raw, found)
    table["detectable"] = found.error[:, -1] * _multiplier(found.df, level)
    table.insert(0, "attribute", name)
    meta = {**evaluation.year.meta, "class_id": chosen, "draws": draws, "seed": seed,
            "left_out": int((~known).sum()), "df": found.df,
            "normal": tuple(groups[found.normal]),
            "banded": cut, "names": spoken(evaluation, name, groups, cut)}  # fmt: skip
    return GroupGaps(
        name, named, level, table, _parts(parts, code, groups, found), _slopes(parts, found),
        _tests(raw, found, len(groups)), _part_tests(parts, found), meta,
    )  # fmt: skip


def named_of(parts: Parts) -> pd.Index:
    """Names of the anchors, in the order of their scores."""
    return parts.names.index[parts.names["anchor"]]


def _both(parts: Parts, code: NDArray[np.intp], rule: dict[str, Any]) -> tuple[Shifts, Explained]:
    """Raw gaps of the totals; those of every part that is no anchor, and last of their sum."""
    other = parts.points[:, ~parts.names["anchor"].to_numpy(bool)]
    values = np.column_stack([other, other.sum(axis=1)])
    try:
        raw = raw_gaps(parts.total, code, **rule)
        return raw, explain_gaps(values, parts.anchors, code, **rule)
    except ValueError as error:
        raise PerfmethodError(f"anchors {list(named_of(parts))}: {error}") from None


def _groups(
    parts: Parts, code: NDArray[np.intp], groups: pd.Index, raw: Shifts, found: Explained
) -> pd.DataFrame:
    size = np.bincount(code)
    mean = np.bincount(code, parts.total) / size
    direct = raw.gap - found.gap[:, -1]
    explained = direct + found.explained[:, :, -1].sum(axis=1)
    return pd.DataFrame(
        {"group": groups, "units": size, "mean": mean, "rest": mean - raw.gap, "gap": raw.gap,
         "low": raw.low, "high": raw.high, "p": raw.p, "p_holm": holm(raw.p),
         "on_anchors": direct, "explained": explained, "unexplained": found.unexplained[:, -1],
         "unexplained_low": found.low[:, -1], "unexplained_high": found.high[:, -1],
         "unexplained_p": found.p[:, -1], "unexplained_p_holm": holm(found.p[:, -1])}
    )  # fmt: skip


def _parts(
    parts: Parts, code: NDArray[np.intp], groups: pd.Index, found: Explained
) -> pd.DataFrame:
    from perfmethod.fairness.shifts import contrasts

    gap = contrasts(code) @ parts.points
    frames, other = [], iter(range(gap.shape[1]))
    for p, (name, about) in enumerate(parts.names.iterrows()):
        frame = pd.DataFrame({"group": groups, "part": name, **about.to_dict(), "gap": gap[:, p]})
        if about["anchor"]:
            frame["explained"], frame["unexplained"] = frame["gap"], 0.0
            frame[["low", "high"]] = 0.0
            frame["p"] = np.nan
        else:
            v = next(other)
            frame["unexplained"] = found.unexplained[:, v]
            frame["explained"] = frame["gap"] - frame["unexplained"]
            frame["low"], frame["high"] = found.low[:, v], found.high[:, v]
            frame["p"] = found.p[:, v]
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    order = ["group", "part", "parent", "name_zh", "name_en", "anchor", "gap", "explained",
             "unexplained", "low", "high", "p"]  # fmt: skip
    return table[order].sort_values("group", kind="stable", ignore_index=True)


def _tests(raw: Shifts, found: Explained, groups: int) -> pd.DataFrame:
    from scipy.stats import f as law

    df1, units = groups - 1, found.df + found.slopes.shape[0] + groups
    rows = [
        ("any gap", raw.f, df1, units - groups, raw.p_any),
        ("any unexplained gap", found.f[-1], df1, found.df, found.p_any[-1]),
    ]
    frame = pd.DataFrame(rows, columns=["test", "f", "df", "df_within", "p_permuted"])
    frame.insert(4, "p_normal", law.sf(frame["f"], frame["df"], frame["df_within"]))
    return frame.set_index("test")


def _slopes(parts: Parts, found: Explained) -> pd.DataFrame:
    anchors, other = named_of(parts), parts.names.index[~parts.names["anchor"]]
    index = pd.MultiIndex.from_product([anchors, other], names=["anchor", "part"])
    values = {"slope": found.slopes, "error": found.slope_error}
    return pd.DataFrame({name: x[:, :-1].ravel() for name, x in values.items()}, index=index)


def _part_tests(parts: Parts, found: Explained) -> pd.DataFrame:
    names = parts.names[~parts.names["anchor"]][["name_zh", "name_en"]]
    frame = names.assign(f=found.f[:-1], p_permuted=found.p_any[:-1])
    return frame.assign(p_holm=holm(frame["p_permuted"]))


def _multiplier(df: int, level: float) -> float:
    """Standard errors by which a gap must differ from zero to be found with power `POWER`."""
    from scipy.optimize import brentq
    from scipy.special import nctdtr, stdtrit

    limit = float(stdtrit(df, 0.5 + level / 2))

    def lacking(shift: float) -> float:  # what is found on the wrong side does not count
        return float(POWER - (1 - nctdtr(df, shift, limit)))

    high = limit + 3.0
    while lacking(high) > 0:  # with few degrees of freedom the scale is uncertain, too
        high *= 2
    return float(brentq(lacking, 0.0, high))
