"""What a reduction has to know of a survey: labels, scores and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scheme import Scheme
from perfmethod.survey.codes import checked_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SurveySpec", "spec_of"]

_MOST_DIMENSIONS = 62  # which of them a ballot answers is kept as the bits of an integer
_MOST_DECIMALS = 9


@dataclass(frozen=True, eq=False, repr=False)
class SurveySpec:
    """Labels, option scores and weights of a survey; names as in `perfmethod.survey.review`.

    Parameters
    ----------
    units, dimensions, categories, modes, options : tuple
        Labels.
    option_scores : tuple of float (o,)
        NaN where the option is no valid answer.
    category_weights : array_like (u, c) or (1, c)
    mode_weights : array_like (m,), optional
    combine_modes : {"ballots", "weights"}
    min_cell : int
        Smallest cell that tables show.
    classes : tuple of str (u,), optional
        Class of each unit; by default all units are one class.

    Examples
    --------
    >>> SurveySpec(("D01",), ("duty",), ("R01",), ("online",), (1, 9), (100, float("nan")))
    <SurveySpec: 1 units, 1 dimensions, 1 categories, 1 modes, 2 options (1 valid)>
    """

    units: tuple[str, ...]
    dimensions: tuple[str, ...]
    categories: tuple[str, ...]
    modes: tuple[str, ...]
    options: tuple[int, ...]
    option_scores: tuple[float, ...]
    category_weights: ArrayLike | None = None
    mode_weights: ArrayLike | None = None
    combine_modes: str = "ballots"
    min_cell: int = 10
    classes: tuple[str, ...] | None = None
    levels: tuple[str, ...] = field(init=False)  # classes that occur, sorted

    def __post_init__(self) -> None:
        labels = checked_labels(
            self.units, self.dimensions, self.categories, self.modes, self.options
        )
        names = ("units", "dimensions", "categories", "modes", "options")
        for name, axis in zip(names, labels, strict=True):
            if not axis:
                raise PerfmethodError(f"{name}: found none; allowed: at least one")
            object.__setattr__(self, name, axis)
        scores = tuple(float(s) for s in np.asarray(self.option_scores, float))
        object.__setattr__(self, "option_scores", scores)
        if len(scores) != len(self.options):
            raise PerfmethodError(
                f"option_scores: found {len(scores)}; allowed: {len(self.options)}, one an option"
            )
        if len(self.dimensions) > _MOST_DIMENSIONS:
            raise PerfmethodError(
                f"dimensions: found {len(self.dimensions)}; allowed: {_MOST_DIMENSIONS} at most"
            )
        if self.category_weights is None:
            object.__setattr__(self, "category_weights", np.ones((1, len(self.categories))))
        if self.classes is not None and len(self.classes) != len(self.units):
            raise PerfmethodError(
                f"classes: found {len(self.classes)}; allowed: {len(self.units)}, one a unit"
            )
        object.__setattr__(self, "levels", tuple(sorted(set(self.classes or ("",)))))
        _ = self.scaled  # refuses what cannot be added up exactly

    def __repr__(self) -> str:
        return (
            f"<SurveySpec: {len(self.units)} units, {len(self.dimensions)} dimensions, "
            f"{len(self.categories)} categories, {len(self.modes)} modes, "
            f"{len(self.options)} options ({int(self.valid.sum())} valid)>"
        )

    @property
    def labels(self) -> tuple[tuple[Any, ...], ...]:
        """Labels of units, dimensions, categories, modes and options."""
        return (self.units, self.dimensions, self.categories, self.modes, self.options)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Whether each option (o,) is a valid answer."""
        return ~np.isnan(np.array(self.option_scores))

    @property
    def unit_class(self) -> NDArray[np.int64]:
        """Place (u,) of each unit's class in `levels`."""
        classes = self.classes or ("",) * len(self.units)
        return np.array([self.levels.index(c) for c in classes], np.int64)

    @property
    def scaled(self) -> tuple[NDArray[np.int64], int]:
        """Scores of options (o,) as integers times ``10**-decimals``, 0 where not valid."""
        exact = [Decimal(repr(s)) for s in self.option_scores if not np.isnan(s)]
        if not all(s.is_finite() for s in exact):
            raise PerfmethodError("option_scores: found an infinite score; allowed: finite, or NaN")
        decimals = max([0, *(-int(s.normalize().as_tuple().exponent) for s in exact)])
        largest = max([Decimal(0), *(abs(s) for s in exact)]) * 10**decimals
        if decimals > _MOST_DECIMALS or largest >= 2**53:
            worst = max(exact, key=lambda s: -int(s.normalize().as_tuple().exponent))
            raise PerfmethodError(
                f"option_scores: found {worst}; allowed: {_MOST_DECIMALS} decimals at most, and "
                "below 2**53 without their point"
            )
        integers = [0 if np.isnan(s) else int(Decimal(repr(s)) * 10**decimals)
                    for s in self.option_scores]  # fmt: skip
        return np.array(integers, np.int64), decimals

    @classmethod
    def of_scheme(
        cls,
        scheme: Scheme,
        units: pd.DataFrame | Mapping[str, str] | Sequence[str],
        dimensions: Sequence[str] | None = None,
    ) -> SurveySpec:
        """Read the survey of a scheme.

        Parameters
        ----------
        scheme : Scheme
        units : DataFrame, mapping or sequence of str
            Units with their classes: a year's ``units``, or a class for each unit; names alone
            where the scheme has one class.
        dimensions : sequence of str, optional
            Columns of answers; by default those that survey leaves of the scheme read, sorted.
        """
        survey = scheme.document.get("survey")
        if survey is None:
            raise PerfmethodError("scheme: found no survey; allowed: a scheme with [survey]")
        class_of = _class_of(scheme, units)
        classes = scheme.document["classes"]
        read = {str(node["survey"]) for part in classes.values()
                for node in part.get("nodes", {}).values() if "survey" in node}  # fmt: skip
        modes, options = survey["modes"], survey["options"]
        weights = {
            c: [_weight(category.get("weight", 1), c) for category in survey["categories"].values()]
            for c in set(class_of.values())
        }
        return cls(
            tuple(class_of),
            tuple(sorted(read) if dimensions is None else dimensions),
            tuple(survey["categories"]),
            tuple(modes),
            tuple(int(code) for code in options),
            tuple(float(o.get("score", np.nan)) for o in options.values()),
            np.array([weights[c] for c in class_of.values()]),
            np.array([float(mode.get("weight", 1)) for mode in modes.values()]),
            survey.get("combine_modes", "ballots"),
            survey.get("min_cell", 10),
            tuple(class_of.values()),
        )


def _class_of(scheme: Scheme, units: Any) -> dict[str, str]:
    """Class of each unit, in the order given."""
    known = tuple(scheme.classes)
    if hasattr(units, "columns"):
        ids = units["unit_id"] if "unit_id" in units.columns else units.index
        classes = units["class"] if "class" in units.columns else [known[0]] * len(units)
        found = dict(zip(map(str, ids), classes, strict=True))
    elif isinstance(units, Mapping):
        found = {str(unit): str(c) for unit, c in units.items()}
    else:
        if len(known) > 1:
            raise PerfmethodError(
                f"units: found names alone; allowed: a class for each ({suggest('', known)})"
            )
        found = {str(unit): known[0] for unit in units}
    for unit, c in found.items():
        if c not in known:
            raise PerfmethodError(f"units: found class {c!r} of {unit}; allowed: "
                                  f"{suggest(str(c), known)}")  # fmt: skip
    return found


def _weight(weight: Any, unit_class: str) -> float:
    return float(weight.get(unit_class, 0)) if isinstance(weight, Mapping) else float(weight)


def spec_of(given: Any, units: Any, dimensions: Sequence[str] | None) -> SurveySpec:
    """Specification from whatever is given: one, a scheme with units, or keywords of `review`."""
    if isinstance(given, SurveySpec):
        return given
    if isinstance(given, Scheme):
        if units is None:
            raise PerfmethodError("units: found none; allowed: the units that may stand on ballots")
        return SurveySpec.of_scheme(given, units, dimensions)
    if isinstance(given, Mapping):
        return SurveySpec(**given)
    kind = type(given).__name__
    raise PerfmethodError(f"spec: found a {kind}; allowed: SurveySpec, Scheme or a mapping")
