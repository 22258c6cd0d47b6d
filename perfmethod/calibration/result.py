"""A calibrated review as a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.survey import suppress

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["KINDS", "CalibratedReview"]

KINDS = ("change", "effects")
TABLES = ("scores", "units", "targets", "moved", "cells")


@dataclass(frozen=True, eq=False)
class CalibratedReview:
    """Scores of a public review whose answers have population shares, made by `calibrate_review`.

    Holds tables of units and cells; no rater and no ballot.

    Attributes
    ----------
    scores : DataFrame
        unit_id, dimension, valid (answers), scheme_score, score (calibrated), standard_error (of
        the calibrated score), change, change_se, change_low and change_high (95 %, normal; for the
        change, which is measured on the same ballots), deff (variance over that of a simple random
        sample of `valid` drawn *with replacement* and the same weighted distribution),
        deff_weighting (Kish's, from unequal weights alone), effective_ballots (valid / deff),
        kish_ballots (valid / deff_weighting), smallest_weight and largest_weight (of an answer,
        average 1), suppressed.
    units : DataFrame
        Index unit_id; name, class, group, then total, rank and grade under the scheme and
        (``_calibrated``) with the calibrated scores; total_change, total_se (sampling error of the
        calibrated total), change_se, change_low, change_high (95 %), rank_change (positive is a
        better rank), grade_changes. Grades only where the scheme gives them.
    targets : DataFrame
        class, margin, group, target (share), answers, observed (share of the valid answers),
        suppressed.
    moved : DataFrame
        unit_id, dimension, margin, group, share: shares that went to the others in proportion,
        since the unit has no valid answer there (``empty="redistribute"``).
    meta : mapping
        Digests, method, bounds, what was done with empty cells and lonely categories, reference of
        deff, raters, iterations, largest_error (relative, of a share).
    """

    scores: pd.DataFrame = field(repr=False)
    units: pd.DataFrame = field(repr=False)
    targets: pd.DataFrame = field(repr=False)
    moved: pd.DataFrame = field(repr=False)
    _cells: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)
    _covariance: pd.DataFrame = field(repr=False)
    _names: pd.DataFrame | None = field(default=None, repr=False)  # (u, languages)

    def __repr__(self) -> str:
        moved = int((self.units["rank_change"] != 0).sum())
        grades = (
            f", {int(self.units['grade_changes'].sum())} other grades"
            if "grade_changes" in self.units
            else ""
        )
        effect = self.scores["deff"].median()
        return (
            f"<CalibratedReview of {len(self.units)} units by {self.meta['method']}: {moved} other "
            f"ranks{grades}, median design effect {effect:.2f} ({self.meta['deff_reference']})>"
        )

    def covariance(self) -> pd.DataFrame:
        """Sampling covariance of the calibrated scores, rows and columns (unit_id, dimension)."""
        return self._covariance.copy()

    def cells(self, min_cell: int | None = None) -> pd.DataFrame:
        """Cells behind the scores: the weight of an answer, and the cell's mean.

        Parameters
        ----------
        min_cell : int, optional
            Smallest cell shown, default as the result was made; 1 shows all, for the office only.

        Returns
        -------
        DataFrame
            unit_id, dimension, category, mode, valid, mean, weight (of one answer), suppressed.
        """
        least = self.meta["min_cell"] if min_cell is None else min_cell
        return suppress(
            self._cells, least, counts=("valid",), values=("mean", "weight"), parts=None
        )

    def names(self, lang: str) -> pd.Series:
        """Name of every unit in a language, where the year has it; else as `units` has it."""
        table = self.units if self._names is None else self._names
        return table[lang if lang in table else "name"]

    def to_frame(self, table: str = "scores") -> pd.DataFrame:
        """One of the tables.

        Parameters
        ----------
        table : {"scores", "units", "targets", "moved", "cells"}

        Raises
        ------
        PerfmethodError
            Another word.
        """
        if table not in TABLES:
            raise PerfmethodError(f"table: found {table!r}; allowed: {suggest(table, TABLES)}")
        found: pd.DataFrame = self.cells() if table == "cells" else getattr(self, table).copy()
        return found

    def plot(
        self, kind: str = "change", ax: Axes | None = None, *, dimension: str | None = None,
        lang: str = "zh",
    ) -> Axes:  # fmt: skip
        """Draw what calibration changes, or what the weights cost.

        Parameters
        ----------
        kind : {"change", "effects"}
            Changes with their 95 % intervals, or design effects, unit by unit.
        ax : Axes, optional
        dimension : str, optional
            Scores of one dimension; by default the totals' changes, and the median design effect
            over the dimensions.
        lang : {"zh", "en"}

        Raises
        ------
        PerfmethodError
            If there is no such kind, dimension or language.
        """
        from perfmethod.calibration.figures import draw

        if kind not in KINDS:
            raise PerfmethodError(f"kind: found {kind!r}; allowed: {suggest(kind, KINDS)}")
        return draw(self, kind, ax, dimension, lang)
