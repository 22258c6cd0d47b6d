"""Decision studies: how reliable a mean over a design would be, from variance components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability._draws import check_level
from perfmethod.reliability._ratio import Known, interval_of, near_zero, ratio_of
from perfmethod.reliability.components import Components
from perfmethod.reliability.inference import Inference
from perfmethod.reliability.layout import facets_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Decision", "Shares", "decision_for", "decision_study"]

Floats = NDArray[np.float64]

_NEAR = {"en": "; near zero by profile likelihood: {}", "zh": "; 近于零者用轮廓似然: {}"}


@dataclass(frozen=True, eq=False)
class Shares:
    """How much of each of t components goes into the true variance and into the errors, (t,)."""

    universe: Floats
    relative: Floats
    absolute: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Decision:
    r"""Reliability of means of one design.

    Parameters
    ----------
    universe : float
        Variance of universe scores: of what the mean would be over endless conditions.
    relative_error, absolute_error : float
        Error variances of differences between objects, and of a mean by itself.
    generalizability, dependability : float
        :math:`E\rho^2` = universe / (universe + relative error), for ranking objects, and
        :math:`\Phi` with the absolute error, for comparing one with a standard.
    generalizability_interval, dependability_interval : tuple of float, or None
        Delta method on the logit, from the covariance of the components that their own intervals
        rest on (`Components.inference`); a component with a share that is zero or near it adds
        what its own interval does, for what is estimated as zero is not known to be zero. None
        where components came without a covariance.
    level : float
        Of the intervals.
    inference : Inference or None
        Where that covariance comes from; ``inference.told()`` says it in words.
    near_zero : tuple of str
        Components with a share whose own interval is by the profile likelihood.
    """

    universe: float
    relative_error: float
    absolute_error: float
    generalizability: float
    dependability: float
    generalizability_interval: tuple[float, float] | None
    dependability_interval: tuple[float, float] | None
    level: float
    inference: Inference | None = None
    near_zero: tuple[str, ...] = ()

    @classmethod
    def of(cls, shares: Shares, known: Known, level: float) -> Decision:
        """Add the components up by their shares."""
        level, variances = check_level(level), known.variances
        relative, absolute = (shares.universe, shares.relative), (shares.universe, shares.absolute)
        return cls(
            float(shares.universe @ variances),
            float(shares.relative @ variances),
            float(shares.absolute @ variances),
            ratio_of(known, *relative),
            ratio_of(known, *absolute),
            interval_of(known, *relative, level),
            interval_of(known, *absolute, level),
            level,
            known.inference,
            near_zero(known, shares.universe + shares.relative + shares.absolute),
        )

    def told(self, lang: str = "en") -> str:
        """What the intervals rest on, in words; empty where there are none."""
        if self.inference is None:
            return ""
        base = self.inference.told(lang)
        return base + (_NEAR[lang].format(", ".join(self.near_zero)) if self.near_zero else "")

    @property
    def standard_error(self) -> float:
        """Absolute standard error of measurement, in units of the ratings."""
        return float(np.sqrt(self.absolute_error))

    def __repr__(self) -> str:
        parts = []
        for name, value, ends in (
            ("E rho2", self.generalizability, self.generalizability_interval),
            ("Phi", self.dependability, self.dependability_interval),
        ):
            shown = "" if ends is None else f" ({ends[0]:.3f} to {ends[1]:.3f})"
            parts.append(f"{name} {value:.3f}{shown}")
        return f"<Decision {', '.join(parts)}>"


def components_of(components: Components | Mapping[str, float]) -> Known:
    """Terms, variances, and what their intervals rest on; negative estimates refused."""
    if isinstance(components, Components):
        return Known(components.terms, components.variances, components.inference, components)
    values = np.array([float(v) for v in components.values()])
    for name, value in components.items():
        if not value >= 0:
            raise PerfmethodError(
                f"component {name!r}: found {value}; allowed: 0 or more (set a negative estimate "
                "to 0, and say so)"
            )
    return Known(tuple(components), values)


def decision_for(
    components: Components | Mapping[str, float],
    sizes: Mapping[str, float],
    *,
    objects: str,
    fixed: Iterable[str] = (),
    residual: str | None = None,
    level: float = 0.95,
) -> Decision:
    r"""Reliability of the mean of one object over a design that is balanced.

    The variance component of a term is divided by the number of conditions of all its facets
    but the objects'. Terms that cross the objects with fixed facets only belong to the universe
    score; other terms with the objects make up the relative error, and terms without them (unless
    all their facets are fixed) add to it to make the absolute error.

    Parameters
    ----------
    components : Components or mapping of str to float
        Variances by term; terms name their facets, nested ones too (``"task:rater"``).
    sizes : mapping of str to float
        Number of conditions of each facet but the objects'; of a nested facet, within one
        condition of the facet above.
    objects : str
        Facet whose levels are measured.
    fixed : iterable of str
        Facets whose conditions are all there are.
    residual : str, optional
        Facets of the term ``"residual"``; by default all that occur.
    level : float
        Of the intervals.

    Raises
    ------
    PerfmethodError
        No term of the objects alone, or no size for a facet.

    References
    ----------
    Brennan, R. L. (2001). *Generalizability Theory*. Springer, chapters 3 and 4.

    Examples
    --------
    Brennan's example of persons, tasks, and raters within tasks (table 3.2):

    >>> found = {"p": .4731, "t": .3252, "t:r": .6475, "p:t": .5596, "residual": 2.3803}
    >>> decision_for(found, {"t": 3, "r": 4}, objects="p", residual="p:t:r")
    <Decision E rho2 0.551, Phi 0.464>
    """
    known = components_of(components)
    shares = _shares(known.terms, dict(sizes), objects, frozenset(fixed), residual)
    return Decision.of(shares, known, level)


def _shares(
    terms: Sequence[str],
    sizes: Mapping[str, float],
    objects: str,
    fixed: frozenset[str],
    residual: str | None,
) -> Shares:
    crossed = [facets_of(t) for t in terms if t != "residual"]
    everything = tuple(dict.fromkeys(f for facets in crossed for f in facets))
    if (objects,) not in crossed:
        names = [t for t in terms if t != "residual"]
        raise PerfmethodError(f"objects: found {objects!r}; allowed: {suggest(objects, names)}")
    rows = np.zeros((3, len(terms)))
    for i, term in enumerate(terms):
        facets = (
            everything
            if term == "residual" and residual is None
            else facets_of(residual if term == "residual" and residual else term)
        )
        others = [f for f in facets if f != objects]
        rows[:, i] = _role(objects in facets, others, fixed, term) / _divisor(others, sizes)
    return Shares(*rows)


def _role(of_objects: bool, others: Sequence[str], fixed: frozenset[str], term: str) -> Floats:
    """Whether a term counts as universe score, relative and absolute error."""
    known = term != "residual" and set(others) <= fixed
    if of_objects:
        return np.array([1.0, 0.0, 0.0]) if known else np.array([0.0, 1.0, 1.0])
    return np.zeros(3) if known else np.array([0.0, 0.0, 1.0])


def _divisor(facets: Sequence[str], sizes: Mapping[str, float]) -> float:
    divisor = 1.0
    for facet in facets:
        if facet not in sizes:
            raise PerfmethodError(
                f"sizes: found none for {facet!r}; allowed: one for each facet, such as "
                f"{{{facet!r}: 4}}"
            )
        if not sizes[facet] > 0:
            raise PerfmethodError(f"sizes: found {sizes[facet]} for {facet!r}; allowed: above 0")
        divisor *= sizes[facet]
    return divisor


def decision_study(
    components: Components | Mapping[str, float],
    sizes: Mapping[str, Sequence[float]],
    *,
    objects: str,
    fixed: Iterable[str] = (),
    residual: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Decision studies of all combinations of sizes.

    Parameters
    ----------
    components, objects, fixed, residual, level
        As in `decision_for`.
    sizes : mapping of str to sequence of float
        Numbers to try, by facet.

    Returns
    -------
    pandas.DataFrame
        One row per combination: the facets, generalizability and dependability with ``_lower`` and
        ``_upper`` (missing where components have no covariance), relative_error, absolute_error,
        interval (what the ends rest on, in words).

    Examples
    --------
    >>> found = {"p": .4731, "t": .3252, "t:r": .6475, "p:t": .5596, "residual": 2.3803}
    >>> table = decision_study(found, {"t": [3, 6], "r": [4]}, objects="p")
    >>> table[["t", "r", "generalizability", "dependability"]].round(3)
       t  r  generalizability  dependability
    0  3  4             0.551          0.464
    1  6  4             0.711          0.634
    """
    import pandas as pd

    rows = []
    for combination in product(*sizes.values()):
        chosen = dict(zip(sizes, combination, strict=True))
        found = decision_for(
            components, chosen, objects=objects, fixed=fixed, residual=residual, level=level
        )
        rows.append({**chosen, **_columns(found)})
    return pd.DataFrame(rows)


def _columns(found: Decision) -> dict[str, float | str]:
    columns: dict[str, float | str] = {}
    for name in ("generalizability", "dependability"):
        ends = getattr(found, f"{name}_interval") or (np.nan, np.nan)
        columns[name] = getattr(found, name)
        columns[f"{name}_lower"], columns[f"{name}_upper"] = ends
    columns["relative_error"] = found.relative_error
    columns["absolute_error"] = found.absolute_error
    columns["interval"] = found.told()
    return columns
