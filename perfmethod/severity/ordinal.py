"""Ordinal models of ratings: many-facet Rasch and cumulative link, with random raters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.effects import aliased
from perfmethod.severity._cells import AnswerTable, answer_table, refuse_extremes
from perfmethod.severity._families import Adjacent, Cumulative, Family
from perfmethod.severity._fitting import Fitted, fit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LINKS", "MODELS", "OrdinalFit", "ordinal_model"]

Floats = NDArray[np.float64]

MODELS = ("rating_scale", "partial_credit", "cumulative")
LINKS = ("logit", "probit")


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalFit:
    """An ordinal model with random raters, fitted by marginal maximum likelihood.

    Parameters
    ----------
    effects : pandas.DataFrame
        Index effect; estimate and standard_error on the latent scale: what lifts an answer is
        positive. The effects that the design cannot tell from earlier ones (a first level of each
        facet among them) are named in `aliased` and count as zero.
    thresholds : pandas.DataFrame
        steps (``"all"``, or a level of the facet of the steps), above (the option above the
        threshold), estimate, standard_error.
    spreads : pandas.DataFrame
        Index ``rater``, and ``ballot`` where there are ballots: standard_deviation, standard_error
        (missing at zero), lower, upper (normal on the log scale), boundary.
    log_likelihood : float
    gradient_norm : float
        How many standard errors the optimum is away at most; see `ordinal_model`.
    tolerance : float
    converged : bool
    quadrature_error : float
        Change of the log likelihood when the spacing of the nodes is halved.
    nodes : int
        Of the raters' distribution.
    model : str
        Exact name.
    answers, raters, patterns : int
        Numbers of answers and raters, and of the different patterns of raters that are computed.
    options : tuple (k,)
        Values of the answers, lowest first.
    aliased : tuple of str
    """

    effects: pd.DataFrame
    thresholds: pd.DataFrame
    spreads: pd.DataFrame
    log_likelihood: float
    gradient_norm: float
    tolerance: float
    converged: bool
    quadrature_error: float
    nodes: int
    model: str
    answers: int
    raters: int
    patterns: int
    options: tuple[Any, ...]
    aliased: tuple[str, ...]
    _table: AnswerTable = field(repr=False)
    _fitted: Fitted = field(repr=False)

    @property
    def deviance(self) -> float:
        """Minus twice the log likelihood."""
        return -2 * self.log_likelihood

    @property
    def boundary(self) -> tuple[str, ...]:
        """Spreads that are zero, for any larger one is less likely."""
        return tuple(str(s) for s in self.spreads.index[self.spreads["boundary"]])

    @cached_property
    def covariance(self) -> Floats:
        """Covariance (p, p) of effects, thresholds and log spreads, from observed information."""
        found = self._fitted.covariance.copy()
        found.setflags(write=False)
        return found

    def to_frame(self) -> pd.DataFrame:
        """Effects with standard errors."""
        return self.effects.copy()

    def __repr__(self) -> str:
        spreads = ", ".join(
            f"{name} {value:.3f}" for name, value in self.spreads["standard_deviation"].items()
        )
        state = "converged" if self.converged else "NOT converged"
        return (
            f"<OrdinalFit ({self.model}, {state}): log likelihood {self.log_likelihood:.4f}, "
            f"spread of {spreads}>"
        )

    def expected(
        self, points: Mapping[str, Sequence[Any]], scores: Sequence[float] | None = None
    ) -> tuple[Floats, Floats]:
        """Expected scores of combinations, over all raters and ballots.

        Parameters
        ----------
        points : mapping of str to sequence (n,)
            Level of every facet of the model.
        scores : sequence of float (k,), optional
            Scores of the options; by default their values.

        Returns
        -------
        values : ndarray (n,)
        slopes : ndarray (n, p)
            Derivatives by all parameters, in the order of `covariance`: with it, the standard
            error of any combination (delta method).
        """
        from scipy.sparse import csr_array

        s = np.asarray(self.options if scores is None else scores, float)
        size = len(next(iter(points.values())))
        design: Any = self._table.design(points) if points else csr_array((size, 0))
        fitted, part = self._fitted, self._fitted.likelihood.split(self._fitted.x)
        sds = np.exp(part.log_sds)
        sd = float(np.sqrt(sds @ sds))
        nodes, weights, bends = _normal_nodes(sd)
        group = self._table.group_of(points, size)
        z = (design @ part.effects)[:, None] + nodes
        logs = fitted.likelihood.family.logs(z, part.thresholds[group])
        p = np.exp(logs.log_p)
        values = np.einsum("ckg,k,g->c", p, s, weights)
        by_position = np.einsum("ckg,ckg,k,g->c", p, logs.by_position, s, weights)
        by_cut = np.einsum("ckg,cjkg,k,g->cj", p, logs.by_threshold, s, weights)
        cuts = np.zeros((size, *part.thresholds.shape))
        cuts[np.arange(size), group] = by_cut
        by_sd = np.einsum("ckg,k,g->c", p, s, bends)
        shares = sds**2 / max(sd**2, 1e-300)
        slopes = np.concatenate(
            [design.multiply(by_position[:, None]).toarray(), cuts.reshape(size, -1),
             by_sd[:, None] * shares], axis=1,
        )  # fmt: skip
        return values, slopes


def _normal_nodes(sd: float) -> tuple[Floats, Floats, Floats]:
    """Nodes (g,), weights, and derivatives of the weights by the log of the sd."""
    if sd == 0:
        return np.zeros(1), np.ones(1), np.zeros(1)
    nodes = np.linspace(-7.0, 7.0, 57) * sd
    weights = np.exp(-0.5 * (nodes / sd) ** 2)
    weights /= weights.sum()
    square = (nodes / sd) ** 2
    return nodes, weights, weights * (square - weights @ square)


def ordinal_model(
    frame: pd.DataFrame,
    response: str,
    terms: Sequence[str],
    rater: str,
    *,
    ballot: Sequence[str] | None = None,
    model: str = "rating_scale",
    link: str = "logit",
    steps_by: str | None = None,
    tolerance: float = 1e-5,
) -> OrdinalFit:
    r"""Fit an ordinal model with random raters by marginal maximum likelihood.

    With :math:`z = \sum \text{effects} + \theta_r + \phi_b`, normal rater effects
    :math:`\theta_r \sim (0, \sigma^2)` (lenient ones are positive) and, where `ballot` is given,
    normal effects of ballots within raters :math:`\phi_b`:

    - ``"rating_scale"``: :math:`\log P(y = k) / P(y = k - 1) = z - \delta_k`, the many-facet
      rating scale model; ``"partial_credit"``: its thresholds differ by `steps_by`;
    - ``"cumulative"``: :math:`P(y \le k) = F(\tau_k - z)`, the proportional odds model with
      ``link="logit"``, or the ordered probit.

    Raters with equal answers are computed once, and so are equal ballots. The integrals are
    trapezoidal sums over equally spaced nodes, finer than the narrowest density, so that sums of
    rater and ballot effects fall on the same nodes; `OrdinalFit.quadrature_error` says what
    halving the spacing would change (at most 1e-5, or `converged` is False).

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per answer; missing responses are left out.
    response : str
        Column of ordered answers: numbers, or an ordered categorical.
    terms : sequence of str
        Fixed facets (columns), or facets crossed with ``":"``.
    rater : str
        Column of the random clusters. Who they are is not kept.
    ballot : sequence of str, optional
        Columns that with `rater` tell the ballots apart; left out where a ballot has one answer.
    model : {"rating_scale", "partial_credit", "cumulative"}
    link : {"logit", "probit"}
        Of the cumulative model.
    steps_by : str, optional
        Facet with thresholds of its own for every level; needed by ``"partial_credit"``, allowed
        for ``"cumulative"``.
    tolerance : float

    Returns
    -------
    OrdinalFit

    Raises
    ------
    PerfmethodError, DataError
        Unknown names; fewer than two options or raters; a level whose answers are all the lowest
        or all the highest, so that its estimate would be infinite.

    Notes
    -----
    **Stopping rule.** BFGS, then Newton's method with the Hessian from differences of the analytic
    gradient, until the root of g' H^-1 g is at most `tolerance`: no combination of parameters is
    farther than so many of its standard errors from the optimum. Standard errors are from the
    observed information. A spread below 0.1 is compared with zero and set to it if that is no less
    likely.

    References
    ----------
    Linacre, J. M. (1989). *Many-Facet Rasch Measurement*. MESA Press.

    Andrich, D. (1978). A rating formulation for ordered response categories. *Psychometrika* 43,
    561-573.

    Masters, G. N. (1982). A Rasch model for partial credit scoring. *Psychometrika* 47, 149-174.

    Bock, R. D. and Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters.
    *Psychometrika* 46, 443-459.

    Hedeker, D. and Gibbons, R. D. (1994). A random-effects ordinal regression model for multilevel
    analysis. *Biometrics* 50, 933-944.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> rater = np.repeat(np.arange(200), 2)
    >>> unit = np.tile(["A", "B"], 200)
    >>> z = (unit == "B") + rng.standard_normal(200)[rater] + rng.logistic(size=400)
    >>> answers = pd.DataFrame({"unit": unit, "rater": rater, "y": (z > 0).astype(int) + (z > 1)})
    >>> ordinal_model(answers, "y", ["unit"], "rater", model="cumulative").converged
    True
    """
    family = _family(model, link, steps_by)
    table = answer_table(frame, response, terms, rater, ballot, steps_by)
    refuse_extremes(table)
    fitted = fit(table, family, tolerance)
    return _result(table, fitted, _name(model, family, steps_by), tolerance)


def _family(model: str, link: str, steps_by: str | None) -> Family:
    for name, value, known in (("model", model, MODELS), ("link", link, LINKS)):
        if value not in known:
            raise PerfmethodError(f"{name}: found {value!r}; allowed: {suggest(str(value), known)}")
    if (model == "partial_credit") == (steps_by is None) and model != "cumulative":
        raise PerfmethodError(
            f"steps_by: found {steps_by!r} with model={model!r}; allowed: a facet with "
            "'partial_credit', None with 'rating_scale'"
        )
    return Cumulative(link) if model == "cumulative" else Adjacent()


def _name(model: str, family: Family, steps_by: str | None) -> str:
    named = {
        "rating_scale": "many-facet rating scale Rasch model",
        "partial_credit": f"many-facet partial credit Rasch model, steps by {steps_by}",
    }
    by = f", thresholds by {steps_by}" if steps_by else ""
    return named.get(model, f"{family.name} mixed model{by}")


def _result(table: AnswerTable, fitted: Fitted, name: str, tolerance: float) -> OrdinalFit:
    import pandas as pd

    part = fitted.likelihood.split(fitted.x)
    errors = np.sqrt(np.diag(fitted.covariance))
    p, k = len(part.effects), len(table.options)
    t = part.thresholds.size
    effects = pd.DataFrame(
        {"estimate": part.effects, "standard_error": errors[:p]},
        index=pd.Index(table.names, name="effect"),
    )
    thresholds = pd.DataFrame(
        {"steps": np.repeat(table.group_names, k - 1),
         "above": list(table.options[1:]) * len(table.group_names),
         "estimate": part.thresholds.ravel(), "standard_error": errors[p : p + t]}
    )  # fmt: skip
    return OrdinalFit(
        effects, thresholds, _spreads(np.exp(part.log_sds), errors[p + t :]),
        -fitted.found.value, fitted.found.gradient_norm, tolerance,
        fitted.found.converged and fitted.quadrature_error <= 1e-5, fitted.quadrature_error,
        2 * fitted.grid.outer + 1, name, len(table.cell), int(table.rater.max()) + 1,
        fitted.likelihood.patterns.raters.shape[0], table.options,
        tuple(a for a in aliased(table.layout) if a != "intercept"), table, fitted,
    )  # fmt: skip


def _spreads(sds: Floats, errors: Floats) -> pd.DataFrame:
    import pandas as pd

    zero = sds == 0
    half = 1.959963984540054 * errors
    return pd.DataFrame(
        {"standard_deviation": sds, "standard_error": np.where(zero, np.nan, sds * errors),
         "lower": np.where(zero, np.nan, sds * np.exp(-half)),
         "upper": np.where(zero, np.nan, sds * np.exp(half)), "boundary": zero},
        index=pd.Index(["rater", "ballot"][: len(sds)], name="spread"),
    )  # fmt: skip
