"""Tables of a calibrated review."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.calibration.estimates import critical
from perfmethod.survey import srs_variance, suppress

if TYPE_CHECKING:
    from perfmethod.calibration.targets import Targets
    from perfmethod.scoring import Evaluation
    from perfmethod.survey import Review

__all__ = ["Parts", "cell_table", "moved_table", "score_table", "target_table", "unit_table"]

Floats = NDArray[np.float64]

LEVEL = 0.95
ROUNDING = 1e-9  # points; below it two ways to compute the same score differ, and nothing else


class _Covariance(NamedTuple):
    """A covariance of scores where a review is asked for one."""

    frame: pd.DataFrame

    def covariance(self) -> pd.DataFrame:
        return self.frame


class Parts(NamedTuple):
    """What the tables are made of."""

    evaluation: Evaluation
    review: Review
    places: NDArray[np.intp]  # (p, 2)
    weights: Floats  # (p, c, m)
    scores: Floats  # (p,)
    covariance: Floats  # (p, p)
    change: Floats  # (p, p)
    min_cell: int

    @property
    def pairs(self) -> pd.MultiIndex:
        counts = self.review.counts
        names = (pd.Index(counts.units), pd.Index(counts.dimensions))
        arrays = [name.take(place) for name, place in zip(names, self.places.T, strict=True)]
        return pd.MultiIndex.from_arrays(arrays, names=["unit_id", "dimension"])

    def covariance_frame(self, change: bool = False) -> pd.DataFrame:
        return pd.DataFrame(self.change if change else self.covariance, self.pairs, self.pairs)

    @property
    def usable(self) -> Floats:
        """Valid answers (p, c, m, o)."""
        valid = ~np.isnan(self.review.option_scores)
        own = self.review.counts.array[self.places[:, 0], self.places[:, 1]]
        return np.asarray(own * valid, dtype=float)


def score_table(parts: Parts) -> pd.DataFrame:
    """One row per unit and dimension; the columns are explained at `CalibratedReview`."""
    usable, w = parts.usable, parts.weights
    n = usable.sum(axis=(1, 2, 3))
    size = usable.sum(axis=-1)
    values = np.nan_to_num(parts.review.option_scores)
    by_option = (usable * w[..., None]).sum(axis=(1, 2))
    variance = np.maximum(np.diag(parts.covariance), 0.0)
    own = parts.review.scores.to_numpy()[parts.places[:, 0], parts.places[:, 1]]
    change = _settled(parts.scores - own)
    change_se = _settled(np.sqrt(np.maximum(np.diag(parts.change), 0.0)))
    half = critical(LEVEL, np.inf) * change_se
    deff = _over(variance, srs_variance(values, by_option, n))
    kish = n * _over((size * w**2).sum(axis=(1, 2)), (size * w).sum(axis=(1, 2)) ** 2)
    frame = parts.pairs.to_frame(index=False).assign(
        valid=n.astype(int), scheme_score=own, score=parts.scores,
        standard_error=np.sqrt(variance), change=change, change_se=change_se,
        change_low=change - half, change_high=change + half, deff=deff, deff_weighting=kish,
        effective_ballots=_over(n, deff), kish_ballots=_over(n, kish),
        smallest_weight=np.where(size > 0, w, np.inf).min(axis=(1, 2)),
        largest_weight=w.max(axis=(1, 2)),
    )  # fmt: skip
    shown = [c for c in frame.columns if c not in ("unit_id", "dimension", "valid")]
    return suppress(frame, parts.min_cell, counts=("valid",), values=shown, parts=None)


def unit_table(parts: Parts) -> pd.DataFrame:
    """One row per unit: total, rank and grade under the scheme and under the calibrated scores."""
    from perfmethod.draws import Draws
    from perfmethod.scoring import simulate

    evaluation = parts.evaluation
    own = parts.review.scores.to_numpy()[parts.places[:, 0], parts.places[:, 1]]
    paths = {
        f"review.{u}.{d}": [a, b]
        for (u, d), a, b in zip(parts.pairs, own, parts.scores, strict=True)
    }
    run = simulate(evaluation.year, Draws.of(paths, note="scheme and calibrated survey scores"))
    frame = evaluation.scores[["name", "class", "group"]].reindex(list(run.units))
    frame["total"], frame["total_calibrated"] = run.total
    frame["total_change"] = _settled(run.total[1] - run.total[0])
    frame["total_se"] = _total_errors(parts, parts.covariance_frame()).reindex(frame.index)
    change_se = _total_errors(parts, parts.covariance_frame(change=True)).reindex(frame.index)
    change_se = change_se.where(change_se > ROUNDING, 0.0)
    half = critical(LEVEL, np.inf) * change_se
    frame["change_se"] = change_se
    frame["change_low"] = frame["total_change"] - half
    frame["change_high"] = frame["total_change"] + half
    frame["rank"], frame["rank_calibrated"] = run.rank.astype(int)
    frame["rank_change"] = frame["rank"] - frame["rank_calibrated"]
    if run.grade is not None:
        levels = np.array([*run.levels, ""], dtype=object)
        frame["grade"], frame["grade_calibrated"] = levels[run.grade]
        frame["grade_changes"] = frame["grade"] != frame["grade_calibrated"]
    return frame


def _total_errors(parts: Parts, covariance: pd.DataFrame) -> pd.Series:
    from perfmethod.scoring.reviewed import survey_covariance

    evaluation = parts.evaluation
    table = survey_covariance(
        cast("Review", _Covariance(covariance)), evaluation._plan, evaluation.nodes,
        float(evaluation.year.scheme.number("base")),
    )  # fmt: skip
    return pd.Series(np.sqrt(np.maximum(np.diag(table), 0.0)), table.index)


def cell_table(parts: Parts) -> pd.DataFrame:
    """Cells behind the scores, none hidden."""
    usable, counts = parts.usable, parts.review.counts
    size = usable.sum(axis=-1)
    p, c, m = np.nonzero(size > 0)
    values = np.nan_to_num(parts.review.option_scores)
    index = parts.pairs
    return pd.DataFrame(
        {
            "unit_id": index.get_level_values(0)[p],
            "dimension": index.get_level_values(1)[p],
            "category": pd.Index(counts.categories)[c],
            "mode": pd.Index(counts.modes)[m],
            "valid": size[p, c, m].astype(int),
            "mean": (usable[p, c, m] @ values) / size[p, c, m],
            "weight": parts.weights[p, c, m],
        }
    )


def moved_table(moved: list[tuple[str, str, str, str, float]]) -> pd.DataFrame:
    """Shares that went to others because nobody answered."""
    columns = ["unit_id", "dimension", "margin", "group", "share"]
    return pd.DataFrame(moved, columns=columns)


def target_table(
    parts: Parts, klass: NDArray[np.intp], classes: tuple[str, ...],
    shares: Targets,
) -> pd.DataFrame:  # fmt: skip
    """Shares asked for beside those of the valid answers, class by class."""
    size = parts.usable.sum(axis=-1)  # (p, c, m)
    own = klass[parts.places[:, 0]]
    counts = parts.review.counts
    margins = (("category", counts.categories, 2), ("mode", counts.modes, 1))
    rows: list[dict[str, Any]] = []
    for (margin, names, other), table in zip(margins, shares, strict=True):
        if table is None:
            continue
        for k, name in enumerate(classes):
            answers = size[own == k].sum(axis=(0, other))
            for g in np.flatnonzero((table[k] > 0) | (answers > 0)):
                rows.append({
                    "class": name, "margin": margin, "group": names[g], "target": table[k, g],
                    "answers": int(answers[g]), "observed": answers[g] / answers.sum(),
                })  # fmt: skip
    frame = pd.DataFrame(rows)
    return suppress(frame, parts.min_cell, counts=("answers",), values=("observed",), parts=None)


def _settled(x: Floats) -> Floats:
    return np.where(np.abs(x) > ROUNDING, x, 0.0)


def _over(above: Any, below: Any) -> Floats:
    top, bottom = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
