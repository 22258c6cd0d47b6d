"""The cheapest survey that is reliable enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability._limits import choices, limits
from perfmethod.reliability._ratio import interval_of, ratio_of
from perfmethod.reliability.allocation import allocate
from perfmethod.reliability.components import Components
from perfmethod.reliability.decision import Decision, Shares, components_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECISIONS", "SurveyPlan", "plan_survey", "survey_decision"]

Floats = NDArray[np.float64]

DECISIONS = ("absolute", "relative")

# what each term of a survey is; other names are refused
_ROLES = (
    "unit", "unit:category", "unit:mode", "unit:dimension", "category", "mode", "dimension",
    "category:mode", "rater", "unit:rater", "residual",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class SurveyPlan:
    """The cheapest design that reaches a target.

    Parameters
    ----------
    design : pandas.DataFrame
        The strata with ``ballots`` (per unit) and ``cost`` of them for one unit.
    cost : float
        Of all ballots for all units.
    units_per_person : int
        Units that one person rates.
    decision : Decision
        What the design reaches.
    target : float
        Reliability asked for.
    kind : str
        ``"absolute"`` (dependability) or ``"relative"`` (generalizability).
    assurance : float or None
        Probability that the target is reached, given how well the components are known; None: the
        estimates reach it, which is about an even chance.
    optimal : bool
        Whether no cheaper whole numbers of ballots exist; otherwise the search was cut short.
    """

    design: pd.DataFrame
    cost: float
    units_per_person: int
    decision: Decision
    target: float
    kind: str
    assurance: float | None
    optimal: bool

    def to_frame(self) -> pd.DataFrame:
        """Ballots per unit by stratum."""
        return self.design.copy()

    def __repr__(self) -> str:
        reached = (
            self.decision.dependability if self.kind == "absolute"
            else self.decision.generalizability
        )  # fmt: skip
        return (
            f"<SurveyPlan {self.kind} {reached:.3f} (target {self.target:g}): "
            f"{int(self.design['ballots'].sum())} ballots per unit, cost {self.cost:g}>"
        )


class _Errors:
    """Error variances of a survey as functions of x, the sum of weight squared over ballots."""

    def __init__(
        self,
        components: Components | Mapping[str, float],
        strata: pd.DataFrame,
        shape: tuple[int, float, float],
        fixed: frozenset[str],
    ) -> None:
        self.known = components_of(components)
        self.terms = self.known.terms
        for name in self.terms:
            if name not in _ROLES:
                allowed = suggest(name, _ROLES)
                raise PerfmethodError(f"component: found {name!r}; allowed: {allowed}")
        units, per_person, self.dimensions = shape
        if not 1 <= per_person <= units:
            raise PerfmethodError(
                f"units_per_person: found {per_person}; allowed: 1 to {units}, the units"
            )
        # what raters share between two units cancels in their difference
        self.shared = (units - per_person) / (units - 1) if units > 1 else 1.0
        self.fixed = fixed
        weight = strata["weight"]
        self.spread = {
            "category": float((weight.groupby(strata["category"]).sum() ** 2).sum()),
            "mode": float((weight.groupby(strata["mode"]).sum() ** 2).sum()),
            "category:mode": float((weight**2).sum()),
            "dimension": 1 / self.dimensions,
        }

    def shares(self, x: float) -> Shares:
        """Shares of the components where the ballots add up to x."""
        rows = np.zeros((3, len(self.terms)))
        for i, term in enumerate(self.terms):
            rows[:, i] = self._share(term, x)
        return Shares(*rows)

    def _share(self, term: str, x: float) -> Floats:
        if term in ("unit:rater", "residual", "rater"):
            own = x / self.dimensions if term == "residual" else x
            return np.array([0.0, own * (self.shared if term == "rater" else 1.0), own])
        if term == "unit":
            return np.array([1.0, 0.0, 0.0])
        facets = term.removeprefix("unit:")
        part = self.spread[facets]
        if set(facets.split(":")) <= self.fixed:
            # the same conditions for every unit: in the universe score, or in no error
            return np.array([part if term != facets else 0.0, 0.0, 0.0])
        return np.array([0.0, part if term != facets else 0.0, part])

    def reliability(self, x: float, kind: str, assurance: float | None) -> float:
        """Reliability at x, or what it exceeds with the probability wanted."""
        shares = self.shares(x)
        error = shares.absolute if kind == "absolute" else shares.relative
        if assurance is None:
            return ratio_of(self.known, shares.universe, error)
        found = interval_of(self.known, shares.universe, error, 2 * assurance - 1)
        if found is None:
            raise PerfmethodError(
                "assurance: found components without a covariance; allowed: a fit, whose "
                "uncertainty is known"
            )
        return found[0]


def _checked(strata: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Strata with all columns, weights adding to 1."""
    for name in ("category", "mode", "weight", *names):
        if name not in strata:
            allowed = suggest(name, map(str, strata.columns))
            raise PerfmethodError(f"strata: found no column '{name}'; allowed: with it ({allowed})")
    if not (strata["weight"] > 0).all() or not len(strata):
        raise PerfmethodError("strata: found a weight that is not positive; allowed: above 0")
    return strata.assign(weight=strata["weight"] / strata["weight"].sum()).reset_index(drop=True)


def survey_decision(
    components: Components | Mapping[str, float],
    strata: pd.DataFrame,
    *,
    units: int,
    units_per_person: float = 1,
    dimensions: float = 1,
    fixed: Sequence[str] = ("category", "mode", "category:mode", "dimension"),
    level: float = 0.95,
) -> Decision:
    r"""Reliability of the units' scores under a survey design.

    A unit's score is the weighted mean of its strata (category and mode), each the mean of its
    ballots, each the mean of its answers on the dimensions. With :math:`x = \sum_s w_s^2 / n_s`,
    D dimensions and persons who each rate k of U units chosen at random:

    .. math::
        \sigma_\Delta^2 &= x\,(\sigma_r^2 + \sigma_{ur}^2 + \sigma_e^2 / D) + \ldots \\
        \sigma_\delta^2 &= x\,(\tfrac{U - k}{U - 1}\sigma_r^2 + \sigma_{ur}^2 + \sigma_e^2 / D)
        + \ldots

    because two units have :math:`n (k - 1) / (U - 1)` raters in common, whose severity cancels in
    their difference. The dots are interactions with, and effects of, facets that are not fixed,
    over the squared weights of their conditions; interactions of units with fixed facets belong
    to the universe score.

    Parameters
    ----------
    components : Components or mapping of str to float
        Terms among unit, unit:category, unit:mode, unit:dimension, category, mode, dimension,
        category:mode, rater, unit:rater and residual.
    strata : pandas.DataFrame
        Columns category, mode, weight (share in the score), ballots (for one unit).
    units : int
        Number of units, U.
    units_per_person : int
        k.
    dimensions : float
        Answers on a ballot, D.
    fixed : sequence of str
        Facets whose conditions will be the same.
    level : float
        Of the intervals.

    References
    ----------
    Brennan, R. L. (2001). *Generalizability Theory*. Springer, chapter 4 and section 9.3
    (weights).
    """
    table = _checked(strata, "ballots")
    if not (table["ballots"] > 0).all():
        raise PerfmethodError("strata: found no ballots in one; allowed: above 0 in each")
    errors = _Errors(components, table, (units, units_per_person, dimensions), frozenset(fixed))
    x = float((table["weight"] ** 2 / table["ballots"]).sum())
    return Decision.of(errors.shares(x), errors.known, level)


def plan_survey(
    components: Components | Mapping[str, float],
    strata: pd.DataFrame,
    *,
    target: float,
    units: int,
    kind: str = "absolute",
    units_per_person: int | Sequence[int] = 1,
    cost_per_person: float = 0.0,
    dimensions: float = 1,
    fixed: Sequence[str] = ("category", "mode", "category:mode", "dimension"),
    assurance: float | None = None,
    level: float = 0.95,
) -> SurveyPlan:
    """Find the cheapest whole numbers of ballots that reach a reliability.

    Parameters
    ----------
    components, strata, units, dimensions, fixed, level
        As in `survey_decision`; strata have, instead of ballots, ``cost`` of one ballot and, if
        wanted, ``least`` (default 1) and ``most`` (default 100,000) ballots per unit.
    target : float
        Between 0 and 1.
    kind : {"absolute", "relative"}
        Dependability (for a standard) or generalizability (for ranks).
    units_per_person : int or sequence of int
        One number, or several of which the cheapest is taken.
    cost_per_person : float
        Of reaching one person, shared by the units that the person rates.
    assurance : float, optional
        Probability, above one half, with which the target is to be reached given the uncertainty
        of the components (a one-sided limit by the delta method); needs a fit.

    Returns
    -------
    SurveyPlan

    Raises
    ------
    PerfmethodError
        A target that no number of ballots reaches, with the reliability at the most; ``least`` or
        ``most`` that are not whole numbers of 1 or more, or a least above the most.

    Notes
    -----
    Minimizes the cost with a bound on the sum of squared weights over ballots: a convex problem
    in whole numbers, solved exactly by `scipy.optimize.milp` with chords of 1/n.

    Examples
    --------
    >>> import pandas as pd
    >>> found = {"unit": 8.0, "rater": 32.0, "residual": 220.0}
    >>> strata = pd.DataFrame({"category": ["R01", "R02"], "mode": "online", "weight": [1, 1],
    ...                        "cost": [1.0, 4.0]})
    >>> plan_survey(found, strata, target=0.9, units=49).to_frame()
      category    mode  weight  cost  ballots
    0      R01  online     0.5   1.0      214
    1      R02  online     0.5   4.0      106
    """
    _check(target, kind, assurance)
    table = _checked(strata, "cost")
    if not (table["cost"] > 0).all():
        raise PerfmethodError("strata: found a cost that is not positive; allowed: above 0")
    plans = []
    for per_person in choices(units_per_person):
        errors = _Errors(components, table, (units, per_person, dimensions), frozenset(fixed))
        cost = table["cost"].to_numpy(float) + cost_per_person / per_person
        ballots, optimal = _solve(errors, table, cost, (target, kind, assurance))
        weight = table["weight"].to_numpy(float)
        found = Decision.of(errors.shares(float((weight**2 / ballots).sum())), errors.known, level)
        design = table.drop(columns=["least", "most"], errors="ignore")
        design = design.assign(cost=cost, ballots=ballots)
        total = float(cost @ ballots) * units
        plans.append(SurveyPlan(design, total, per_person, found, target, kind, assurance, optimal))
    return min(plans, key=lambda plan: plan.cost)


def _check(target: float, kind: str, assurance: float | None) -> None:
    if kind not in DECISIONS:
        raise PerfmethodError(f"kind: found {kind!r}; allowed: {suggest(str(kind), DECISIONS)}")
    if not 0 < target < 1:
        raise PerfmethodError(f"target: found {target}; allowed: between 0 and 1")
    if assurance is not None and not 0.5 < assurance < 1:
        raise PerfmethodError(f"assurance: found {assurance}; allowed: between 0.5 and 1")


def _solve(
    errors: _Errors, table: pd.DataFrame, cost: Floats, wanted: tuple[float, str, float | None]
) -> tuple[NDArray[np.int64], bool]:
    target, kind, assurance = wanted
    least, most = limits(table)
    squares = table["weight"].to_numpy(float) ** 2
    low, high = float((squares / most).sum()), float((squares / least).sum())

    def short(x: float) -> float:
        return errors.reliability(x, kind, assurance) - target

    if short(low) < 0:
        raise PerfmethodError(
            f"target: found {target} for a {kind} decision; allowed: at most "
            f"{errors.reliability(low, kind, assurance):.4f}, which the most ballots reach"
        )
    if short(high) >= 0:
        return least, True
    from scipy.optimize import brentq

    bound = float(brentq(short, low, high, xtol=1e-15, rtol=1e-14))
    return allocate(squares, cost, bound, least, most)
