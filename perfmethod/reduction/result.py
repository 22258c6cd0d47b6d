"""What a reduction gives: integer tables, and the scores that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.design import Design
from perfmethod.reduction.given import Reduced
from perfmethod.reduction.groups import GroupTables
from perfmethod.reduction.kernel import Tables
from perfmethod.reduction.nested import NestedTables
from perfmethod.reduction.spec import SurveySpec
from perfmethod.survey.build import check_method, review_of_counts
from perfmethod.survey.products import RaterProducts
from perfmethod.survey.raters import RaterSums
from perfmethod.survey.result import Review
from perfmethod.survey.tables import Counts

__all__ = ["Reduction"]


@dataclass(frozen=True, eq=False, repr=False)
class Reduction(Reduced):
    """Ballots as integer tables, made by `reduce`; no ballot and no rater's identifier is kept.

    `perfmethod.reliability.generalizability` and the coefficients `krippendorff_alpha`, `gwet_ac`,
    `fleiss_kappa` and `cronbach_alpha` take it in place of ballots; `review` gives the scores.

    Reductions add up (``+``), in any order, to the bits of one reduction of all their ballots,
    **provided that no rater has ballots in two of them**: of the tables, only `counts` and
    `groups` do not mind. Where raters may be split, give `reduce` the list of sources instead.

    Parameters
    ----------
    spec : SurveySpec
    ballots : int
    counts : Counts
        Answers by unit, dimension, category, mode and option.
    tables : Tables or None
        Tables of raters; None where they were left alone.
    groups : int
        Number of random groups of raters.
    """

    spec: SurveySpec
    ballots: int
    counts: Counts
    tables: Tables | None
    n_groups: int

    def __repr__(self) -> str:
        of = "" if self.tables is None else f" of {self.products.per_category.sum()} raters"
        return f"<Reduction of {self.ballots} ballots{of} on {len(self.spec.units)} units>"

    def __add__(self, other: Reduction) -> Reduction:
        if not isinstance(other, Reduction):
            return NotImplemented
        mine, its = (_meaning(r) for r in (self, other))
        for name, value in mine.items():
            if its[name] != value:
                raise PerfmethodError(
                    f"reductions to add: found another {name}; allowed: the same specification"
                )
        tables = None
        if self.tables is not None and other.tables is not None:
            tables = self.tables.plus(other.tables)
        return Reduction(
            self.spec, self.ballots + other.ballots, self.counts + other.counts, tables,
            self.n_groups,
        )  # fmt: skip

    def _table(self, name: str) -> Any:
        if self.tables is None:
            raise PerfmethodError(
                "reduction: found counts only; allowed: one made with raters=True for "
                "standard errors by raters and for reliability"
            )
        return getattr(self.tables, name)

    @property
    def products(self) -> RaterProducts:
        """Products of raters' answers, for the covariance of scores."""
        return self._table("products")

    @property
    def nested(self) -> NestedTables:
        """Answers of ballots within raters, for variance components."""
        return self._table("nested")

    @property
    def groups(self) -> GroupTables:
        """Answers by random groups of raters, for coefficients with standard errors."""
        return self._table("groups")

    @property
    def design(self) -> Design:
        """How ballots lie over units, categories, modes and raters."""
        return self._table("design")

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """Every integer table by name."""
        found = {"counts.array": self.counts.array}
        for name in Tables._fields if self.tables is not None else ():
            part = getattr(self, name)
            found |= {f"{name}.{key}": value for key, value in vars(part).items()
                      if isinstance(value, np.ndarray)}  # fmt: skip
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of all tables: equal where every integer is."""
        found = hashlib.sha256(str(self.ballots).encode())
        for name, table in sorted(self.arrays().items()):
            found.update(f"{name}{table.shape}".encode())
            found.update(np.ascontiguousarray(table, "<i8").tobytes())
        return found.hexdigest()

    def review(
        self,
        *,
        option_scores: ArrayLike | None = None,
        category_weights: ArrayLike | None = None,
        mode_weights: ArrayLike | None = None,
        method: str = "raters",
        populations: Mapping[str, float] | None = None,
        min_cell: int | None = None,
    ) -> Review:
        """Score the units, with standard errors and covariances, as `perfmethod.survey.review`.

        Parameters
        ----------
        option_scores, category_weights, mode_weights
            Other ones than those of `spec`; the same options must be valid.
        method, populations, min_cell
            As in `perfmethod.survey.review`.

        Raises
        ------
        PerfmethodError
            As `perfmethod.survey.review`; other options valid than those reduced.
        """
        check_method(method, populations)
        spec = self.spec
        values = np.asarray(spec.option_scores if option_scores is None else option_scores, float)
        if method == "raters" and (np.isnan(values) == spec.valid).any():
            raise PerfmethodError(
                "option_scores: found other options valid than those of the reduction; allowed: "
                "scores for the same options"
            )
        weighting = (
            values,
            spec.category_weights if category_weights is None else category_weights,
            spec.mode_weights if mode_weights is None else mode_weights,
        )
        return review_of_counts(
            self.counts,
            self._influences if method == "raters" else None,
            self.ballots,
            weighting,  # type: ignore[arg-type]
            combine_modes=spec.combine_modes,
            populations=populations,
            min_cell=spec.min_cell if min_cell is None else min_cell,
        )

    def _influences(
        self, influence: NDArray[np.float64], valid: NDArray[np.bool_], pairs: NDArray[np.intp],
        population: NDArray[np.float64],
    ) -> RaterSums:  # fmt: skip
        array = self.counts.array[..., valid]
        return self.products.sums(array, influence[..., valid], pairs, population)


def _meaning(reduction: Reduction) -> dict[str, Any]:
    """What must be equal so that tables mean the same."""
    spec = reduction.spec
    names = ("units", "dimensions", "categories", "modes", "options")
    return {
        **dict(zip(names, spec.labels, strict=True)),
        "option scores": repr(spec.option_scores),
        "way of combining modes": spec.combine_modes,
        "classes of units": spec.classes,
        "number of groups": reduction.n_groups,
        "choice of raters": reduction.tables is None,
    }
