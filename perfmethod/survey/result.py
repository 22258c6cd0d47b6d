"""The public review of a year as a result: scores, their errors, and what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.survey.combine import effective_weights, empty_cells
from perfmethod.survey.design import DESIGN_VALUES, Inputs, design_frame, ratio
from perfmethod.survey.disclosure import hide_weights, suppress
from perfmethod.survey.raters import RaterSums
from perfmethod.survey.tables import AXES, Counts, long_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Review"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Review:
    """Scores of units by survey dimension, made by `review`.

    Holds counts and sums only: no rater's identifier and no ballot. Its tables hide small cells.

    Parameters
    ----------
    scores : pandas.DataFrame, shape (u, d)
        Unit by dimension; NaN without any valid answer.
    standard_errors : pandas.DataFrame, shape (u, d)
        By `method`; NaN where there is no score.
    counts : Counts
        Exact answers by unit, dimension, category, mode and option (not hidden: see its
        ``to_frame`` for a table that may be shown).
    weights : ndarray, shape (u, d, c, m)
        Weight of each cell's mean in its score, after renormalization (`effective_weights`).
    method : {"raters", "ballots"}
        What was taken as independent for the standard errors.
    ballots : int
        Number of ballots.
    lonely : tuple of str
        Categories with a single rater: their variance cannot be measured and counts as 0
        (``method="raters"``).
    min_cell : int
        Smallest cell that the tables show, if not told otherwise.
    option_scores : ndarray, shape (o,)
        Score of each option, NaN where not valid.
    mode_weights : ndarray, shape (m,), or None
        None where the ballots of all modes are pooled.
    """

    scores: pd.DataFrame = field(repr=False)
    standard_errors: pd.DataFrame = field(repr=False)
    counts: Counts = field(repr=False)
    weights: Floats = field(repr=False)
    method: str
    ballots: int
    lonely: tuple[str, ...]
    min_cell: int
    option_scores: Floats = field(repr=False)
    mode_weights: Floats | None = field(repr=False)
    _raters: RaterSums | None = field(repr=False)

    def __repr__(self) -> str:
        scored = int(self.scores.notna().to_numpy().sum())
        lonely = f", lonely categories: {', '.join(self.lonely)}" if self.lonely else ""
        return (
            f"Review({self.ballots} ballots, {scored} scores of {len(self.scores)} units, "
            f"median standard error {np.nanmedian(self.standard_errors.to_numpy()):.2f} "
            f"by {self.method}{lonely})"
            if scored
            else f"Review({self.ballots} ballots, no score)"
        )

    @property
    def pairs(self) -> pd.MultiIndex:
        """(unit_id, dimension) of every score, units first: the axis of the covariance."""
        unit, dimension = np.nonzero(self.scores.notna().to_numpy())
        names = (pd.Index(self.counts.units), pd.Index(self.counts.dimensions))
        arrays = [names[0].take(unit), names[1].take(dimension)]
        return pd.MultiIndex.from_arrays(arrays, names=AXES[:2])

    def covariance(self, category_weights: ArrayLike | None = None) -> pd.DataFrame:
        r"""Sampling covariance of all scores, raters being what is drawn.

        A rater's answers on many units and dimensions move together (a lenient rater lifts all of
        them), so scores of different units are correlated. Linearized, with the effective weight
        :math:`W` of a cell's mean, rater *r* of category *c* has the influence

        .. math::

            z_{r,ud} = W_{udc} \sum_{i \in r} (y_i - \bar y_{udc}) / n_{udc}, \qquad
            \hat V = \sum_c \frac{n_c}{n_c - 1} \sum_r (z_r - \bar z_c)(z_r - \bar z_c)^\top,

        the sum over the rater's valid answers on (u, d); cells are split by mode where mode means
        are weighted. Clusters are raters, strata are categories, :math:`n_c` counts all raters of
        the category. Computed on the first call.

        Parameters
        ----------
        category_weights : array_like, shape (u, c) or (1, c), optional
            Other weights than those of the scores: the raters are not needed again. A pair without
            any weight then is NaN.

        Returns
        -------
        pandas.DataFrame, shape (p, p)
            Rows and columns are `pairs`. Symmetric, positive semidefinite.

        Raises
        ------
        PerfmethodError
            The review was made with ``method="ballots"``.

        Notes
        -----
        A lonely category adds nothing (see `lonely`), nor does a cell with a single rater
        (``unmeasured_weight`` in `design_effects`). The estimate is for large samples: a cell's
        own variance is about (n - 1)/n of the unbiased one when n of its category's many raters
        rated the unit.

        References
        ----------
        Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
        surveys. *International Statistical Review* 51, 279-292.

        Lumley, T. (2004). Analysis of complex survey samples. *Journal of Statistical Software*
        9(8); R package survey.
        """
        if self._raters is None:
            raise PerfmethodError(
                f"covariance: found method={self.method!r}, which knows ballots one by one; "
                "allowed: method='raters' (if ballots are independent, give each its own rater_id)"
            )
        weights, pairs = self._category_weights(category_weights), self.pairs
        total = np.zeros((len(pairs), len(pairs)))
        for w, part in zip(weights.T, self._raters.covariances, strict=True):
            total += np.outer(w, w) * part
        return pd.DataFrame(total, index=pairs, columns=pairs)

    def _category_weights(self, category_weights: ArrayLike | None) -> Floats:
        """Renormalized weights (p, c) of category means."""
        cells = self.weights
        if category_weights is not None:
            cells = effective_weights(
                self.counts,
                self.option_scores,
                category_weights,
                self.mode_weights,
                combine_modes="ballots" if self.mode_weights is None else "weights",
            )
        weights = cells.sum(axis=-1)[self.scores.notna().to_numpy()]
        return np.where(weights.any(axis=-1, keepdims=True), weights, np.nan)

    def cells(self, min_cell: int | None = None) -> pd.DataFrame:
        """Every cell behind the scores.

        Parameters
        ----------
        min_cell : int, optional
            Smallest cell shown, default as the review was made; 1 shows all, for the office only.

        Returns
        -------
        pandas.DataFrame
            unit_id, dimension, category, mode, ballots, valid, dont_know, mean, weight,
            suppressed. A score is the sum of weight times mean over its rows. Beside a hidden
            number of valid answers the mean is in whole points, and pooled modes show no weights.
        """
        n = self.counts.array
        usable = ~np.isnan(self.option_scores)
        asked, valid = n.sum(axis=-1), n[..., usable].sum(axis=-1)
        total = (n[..., usable] * self.option_scores[usable]).sum(axis=-1)
        kept = asked > 0
        frame = long_frame(kept, AXES[:4], self.counts.labels[:4]).assign(
            ballots=asked[kept], valid=valid[kept], dont_know=(asked - valid)[kept]
        )
        frame["mean"] = ratio(total[kept], valid[kept])
        frame["weight"] = self.weights[kept]
        shown = self._shown(frame, min_cell, ("mean", "weight"))
        return hide_weights(shown, AXES[:3] if self.mode_weights is None else ())

    def dont_know(
        self, by: Sequence[str] = ("unit_id", "dimension"), min_cell: int | None = None
    ) -> pd.DataFrame:
        """How many were asked and gave no valid answer.

        Parameters
        ----------
        by : sequence of str
            Any of unit_id, dimension, category, mode.
        min_cell : int, optional
            Smallest cell shown, default as the review was made.

        Returns
        -------
        pandas.DataFrame
            The columns of `by`, ballots (answers asked for, where dimensions are added up), valid,
            dont_know, rate (dont_know / ballots, hidden with dont_know), suppressed.

        Raises
        ------
        PerfmethodError
            An unknown name in `by`.
        """
        for name in by:
            if name not in AXES[:4]:
                raise PerfmethodError(f"by: found {name!r}; allowed: {suggest(name, AXES[:4])}")
        rest = tuple(i for i, name in enumerate(AXES[:4]) if name not in by)
        kept = [i for i, name in enumerate(AXES[:4]) if name in by]
        n = self.counts.array.sum(axis=rest)
        asked, valid = n.sum(axis=-1), n[..., ~np.isnan(self.option_scores)].sum(axis=-1)
        there = asked > 0
        frame = long_frame(there, [AXES[i] for i in kept], [self.counts.labels[i] for i in kept])
        frame = frame.assign(ballots=asked[there], valid=valid[there])
        frame["dont_know"] = frame["ballots"] - frame["valid"]
        least = self.min_cell if min_cell is None else min_cell
        few = (frame["dont_know"] > 0) & (frame["dont_know"] < least)
        frame["rate"] = (frame["dont_know"] / frame["ballots"]).mask(few)
        return self._shown(frame, min_cell, ("rate",))

    def empty(self, category_weights: ArrayLike | None = None) -> pd.DataFrame:
        """Cells whose weight went to other categories; see `empty_cells`."""
        return empty_cells(
            self.counts, self.option_scores, category_weights, min_cell=self.min_cell
        )

    def design_effects(self, min_cell: int | None = None) -> pd.DataFrame:
        r"""What weighting and clustering cost, score by score.

        Parameters
        ----------
        min_cell : int, optional
            Smallest cell shown, default as the review was made.

        Returns
        -------
        pandas.DataFrame
            unit_id, dimension, ballots, valid, dont_know, raters (with a valid answer),
            standard_error, and

            - deff: variance over the variance of a simple random sample, with replacement, of as
              many valid answers with the same weighted distribution;
            - deff_weighting: Kish's :math:`n \sum_i w_i^2 / (\sum_i w_i)^2` over valid answers, the
              part due to unequal weights alone;
            - deff_clustering: variance by raters over variance by ballots; above 1 where a rater
              has several ballots on the unit. Otherwise near 1, and below it for small cells (see
              `review`): raters who rate many units tie scores together, which shows in
              `covariance`, not in the variance of one score;
            - effective_n: valid / deff;
            - unmeasured_weight: weight that rests on cells whose valid answers are all of one
              rater (with ``method="ballots"``: that have one valid answer), whose variance counts
              as 0;

            and suppressed. Raters and deff_clustering are missing with ``method="ballots"``.

        References
        ----------
        Kish, L. (1965). *Survey Sampling*. Wiley, sections 8.2 and 11.7.
        """
        kept = self.scores.notna().to_numpy()
        inputs = Inputs(
            self.counts.array,
            self.option_scores,
            self.mode_weights,
            self.weights,
            self.standard_errors.to_numpy(),
            None if self._raters is None else self._raters.per_score,
            None if self._raters is None else self._raters.alone,
        )
        frame = pd.concat([self.pairs.to_frame(index=False), design_frame(inputs, kept)], axis=1)
        return self._shown(frame, min_cell, DESIGN_VALUES)

    def _shown(
        self, frame: pd.DataFrame, min_cell: int | None, values: tuple[str, ...]
    ) -> pd.DataFrame:
        counts = ("ballots", "valid", "dont_know", "raters")
        least = self.min_cell if min_cell is None else min_cell
        return suppress(frame, least, counts=counts, values=values)

    def to_frame(self) -> pd.DataFrame:
        """Scores in long form: unit_id, dimension, score, standard_error."""
        kept = self.scores.notna().to_numpy()
        return self.pairs.to_frame(index=False).assign(
            score=self.scores.to_numpy()[kept], standard_error=self.standard_errors.to_numpy()[kept]
        )

    def plot(
        self, dimension: str | None = None, ax: Axes | None = None, *, level: float = 0.95
    ) -> Axes:
        """Scores of one dimension in order, with their confidence intervals.

        Parameters
        ----------
        dimension : str, optional
            Default: the first dimension that has a score.
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        level : float
            Level of the (normal) intervals.

        Returns
        -------
        matplotlib.axes.Axes
        """
        import matplotlib.pyplot as plt

        names = list(self.scores.columns[self.scores.notna().any()])
        chosen = dimension if dimension is not None else (names or [""])[0]
        if chosen not in names:
            raise PerfmethodError(f"dimension: found {chosen!r}; allowed: {suggest(chosen, names)}")
        ax = plt.subplots()[1] if ax is None else ax
        values = self.scores[chosen].dropna().sort_values()
        half = NormalDist().inv_cdf((1 + level) / 2) * self.standard_errors[chosen][values.index]
        ax.errorbar(values, range(len(values)), xerr=half, fmt="o", markersize=3)
        ax.set_yticks(range(len(values)), [str(unit) for unit in values.index])
        ax.set_xlabel(f"{chosen}: score and {level:.0%} interval (by {self.method})")
        return ax
