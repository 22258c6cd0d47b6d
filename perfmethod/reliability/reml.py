"""Variance components by maximum likelihood, restricted or not.

For integer moments and any terms; the coefficients of small tables of real numbers, units by
raters, rest on `_crossed`, which says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.clusters import ClusterMoments
from perfmethod.reliability.components import Components, Model
from perfmethod.reliability.criterion import Criterion
from perfmethod.reliability.elimination import ClusterElimination
from perfmethod.reliability.henderson import henderson_components
from perfmethod.reliability.layout import Layout, facets_of
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.nested import NestedElimination, is_nested
from perfmethod.reliability.newton import Minimum, Point, minimize

__all__ = ["METHODS", "fitted", "variance_components"]

Floats = NDArray[np.float64]

METHODS = ("REML", "ML")

_LARGE = 1_000  # levels from which a second term is eliminated too, if the largest lies within it
_SMALL = 0.02  # of the residual variance, where a search for small components starts
_NO_RESIDUAL = 1e-12  # of the sum of squares: nothing, up to rounding
_VANISHED = 1e7  # ratio from which on a search that finds no minimum has none to find
_NEAR = 30.0  # gradient from which on exact second derivatives are worth their time
_CHEAP = 1_000  # columns up to which a product of two dense matrices costs nothing
_FREED = 3_000_000
_FEW = 2_000  # ratings up to which a boundary may hide a lower minimum elsewhere
_LEAST = 1e-8  # tolerance of the gradient, or
_PER_RATING = 1e-12  # this for every rating, if that is more: rounding grows with the ratings


def variance_components(
    moments: Moments | ClusterMoments,
    random: Sequence[str],
    fixed: Sequence[str] = (),
    *,
    method: str = "REML",
    tolerance: float | None = None,
) -> Components:
    r"""Fit a linear mixed model with crossed and nested random effects to moments.

    The model is :math:`y = X\beta + \sum_k Z_k b_k + e` with independent normal effects,
    :math:`b_k \sim (0, \sigma_k^2)`, :math:`e \sim (0, \sigma_e^2)`; an intercept is always there.
    The term with most levels is eliminated by its diagonal block, and with it a second one of more
    than 1,000 levels in which it is nested (ballots within raters; of several, that which
    crosses fewest facets). Of the other effects the largest term that falls into blocks is solved
    block by block (units within categories, where a rater belongs to one category), the rest as
    dense, so that these together may have up to 6,000 levels.

    The criterion (minus twice the log likelihood, the residual variance profiled out) is minimized
    over the ratios :math:`\lambda_k = \sigma_k^2 / \sigma_e^2 \ge 0` by Newton's method for their
    roots with analytic gradient and Hessian (average information for the eliminated term far from
    the minimum, and where the equations are large), starting from Henderson's method I. Up to
    2,000 ratings may leave several minima: a search that ends on the boundary is made again from
    ratios of 1 there, of 1 everywhere, and of 0, and the lowest minimum counts.

    **Stopping rule.** With :math:`\tau_k = \sqrt{2 l_k} / n`, about the standard error of a ratio
    at zero (:math:`l_k` levels, n ratings), the largest :math:`\lambda_k\, \partial d / \partial
    \lambda_k` where the derivative is positive and the largest :math:`-\max(\lambda_k, \tau_k)\,
    \partial d / \partial \lambda_k` where it is negative are at most `tolerance`; otherwise the
    result says that it has not converged. Neither depends on the unit of the ratings. A ratio below
    :math:`\tau_k / 100` counts as zero where the derivative there is not negative; a component at
    zero is a boundary solution and is named as such.

    Parameters
    ----------
    moments : Moments or ClusterMoments
        Reduced ratings. `Moments` must hold all facets named below; `ClusterMoments` must have a
        random term as its cluster.
    random : sequence of str
        Terms, each a facet or facets crossed with ``":"``, such as ``"unit:category"``. A facet
        whose labels repeat inside another one is nested by naming both (``"batch:cask"``).
    fixed : sequence of str
        Terms with an unknown mean for each level; levels that are aliased are left out and named
        in `Components.aliased`.
    method : {"REML", "ML"}
        REML takes the fixed effects into account as analysis of variance does.
    tolerance : float, optional
        By default 1e-8, or 1e-12 for every rating if that is more.

    Returns
    -------
    Components

    Raises
    ------
    PerfmethodError
        Unknown facets, terms that the design cannot tell apart, ratings that are all equal, too
        many levels.

    References
    ----------
    Bates, D., Maechler, M., Bolker, B. and Walker, S. (2015). Fitting linear mixed-effects models
    using lme4. *Journal of Statistical Software* 67(1). The criterion.

    Searle, S. R., Casella, G. and McCulloch, C. E. (1992). *Variance Components*. Wiley, chapter 6.
    The derivatives.

    Gilmour, A. R., Thompson, R. and Cullis, B. R. (1995). Average information REML. *Biometrics*
    51, 1440-1450.

    Examples
    --------
    Davies's dyestuff data, the first three batches:

    >>> yields = [1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495,
    ...           1595, 1550, 1605, 1510, 1560]
    >>> table = Moments.of(yields, batch=[b for b in "ABC" for _ in range(5)])
    >>> fit = variance_components(table, ["batch"])
    >>> fit
    <Components (REML, converged): batch 449.3, residual 2175>
    """
    _check(random, fixed, method)
    names = list(dict.fromkeys(random))
    model = _model(moments, names, list(dict.fromkeys(fixed)), method)
    exact = len(model.criterion.layout.frame.rest) <= _CHEAP and model.elimination.count == 1
    # the C library of Linux returns freed memory at once, and taking it back page by page would
    # cost more than a third of the time, unless a block as large as this was freed before
    np.empty(_FREED)
    return fitted(model, names, method, tolerance, exact=exact)


def fitted(
    model: Model,
    names: list[str],
    method: str,
    tolerance: float | None = None,
    *,
    exact: bool = False,
) -> Components:
    """Minimize the criterion of a model from its start.

    Parameters
    ----------
    model : Model
    names : list of str
        Random terms in the order in which they were asked for.
    method : {"REML", "ML"}
    tolerance : float, optional
        Of the gradient; by default what the number of ratings allows.
    exact : bool
        Whether second derivatives are exact, or average information.
    """
    limit = max(_LEAST, _PER_RATING * model.elimination.total) if tolerance is None else tolerance
    least = _NO_RESIDUAL * model.elimination.square

    def objective(ratios: Floats) -> Point:
        if ratios.max() * _NO_RESIDUAL < 1:
            state = model.criterion.at(ratios, exact=exact, near=_NEAR)
            if state.square > least:
                return state.value, state.gradient, lambda: state.hessian, state
        raise _explained()

    def search(start: Floats) -> Minimum:
        rounding = model.criterion.rounding
        return minimize(objective, start, scale=model.scales, rounding=rounding, tolerance=limit)

    found = search(np.maximum(model.start[:-1] / model.start[-1], 0.0))
    if model.elimination.total <= _FEW and not found.x.all():
        one = np.ones(len(found.x))
        for other in map(search, (np.where(found.x > 0, found.x, one), one, 0 * one)):
            better = other.value < found.value - model.criterion.rounding
            found = other if better and other.converged >= found.converged else found
    if not found.converged and found.x.max() > _VANISHED:
        raise _explained()  # the minimum is at no residual, where rounding stopped the search
    return Components.of(model, names, found, method, limit)


def _explained() -> PerfmethodError:
    return PerfmethodError(
        "residual: found no variance left beside the terms, which explain every rating; "
        "allowed: fewer terms, so that some is left"
    )


def _model(
    moments: Moments | ClusterMoments, names: list[str], fixed: list[str], method: str
) -> Model:
    """Eliminate the largest term, or two nested ones, and lay the others out."""
    if isinstance(moments, Moments):
        sizes = {name: len(moments.cells.group(facets_of(name))[0]) for name in names}
        _check_terms(moments, sizes, fixed)
        ranked = sorted(names, key=lambda name: -sizes[name])
        cluster = ranked[0]
    else:
        cluster = _cluster_term(moments, names)
    others = [name for name in names if name != cluster]
    facets = list(dict.fromkeys(f for name in [*others, *fixed] for f in facets_of(name)))
    if isinstance(moments, Moments):
        outer = _outer(moments, ranked, sizes)
        if outer:
            return _nested_model(moments, (outer, cluster), names, fixed, method)
        table = ClusterMoments.of(moments, facets_of(cluster), facets)
    else:
        table = moments
    near = _near_zero(table)
    layout = Layout.of(near.cells, near.counts, others, fixed)
    elimination = ClusterElimination(near, layout)
    return Model(
        (cluster, *others),
        (int(near.clusters.sum()), *(term.size for term in layout.random)),
        Criterion(elimination, method),
        moments if isinstance(moments, Moments) else None,
        (near.decimals, near.origin),
        _henderson_start(near, others),
    )


def _outer(moments: Moments, ranked: Sequence[str], sizes: Mapping[str, int]) -> str:
    """Large term in which the largest is nested: raters rather than units within categories.

    What crosses fewer facets goes, for crossed terms fall into blocks where raters do not: a
    category of many raters is one block.
    """
    within = [name for name in ranked[1:] if sizes[name] > _LARGE
              and is_nested(moments, facets_of(ranked[0]), facets_of(name))]  # fmt: skip
    return min(within, key=lambda name: len(facets_of(name)), default="")


def _nested_model(
    moments: Moments, pair: tuple[str, str], names: list[str], fixed: list[str], method: str
) -> Model:
    outer, inner = pair
    others = [name for name in names if name not in pair]
    facets = list(dict.fromkeys(f for name in [*others, *fixed] for f in facets_of(name)))
    cells, place = moments.cells.group(tuple(facets))
    counts = np.bincount(place, moments.counts, len(cells)).astype(np.int64)
    layout = Layout.of(cells, counts, others, fixed)
    shift = round(int(moments.sums.sum()) / int(moments.counts.sum()))
    terms = (facets_of(outer), facets_of(inner))
    elimination = NestedElimination(moments, shift, terms, facets, layout)
    if elimination.square * elimination.total <= float(elimination.sums.sum()) ** 2:
        raise PerfmethodError("ratings: found all equal; allowed: ratings that vary")
    # Henderson's estimates of the two terms alone; the others are usually small beside them
    two = ClusterMoments.of(moments, terms[1], terms[0])
    ballots, raters, residual = _henderson_start(two, [outer])
    small = [_SMALL * residual] * len(others)
    start = np.array([max(raters, _SMALL * residual), ballots, *small, residual])
    return Model(
        (outer, inner, *others),
        (*(len(m) for m in elimination.members), *(term.size for term in layout.random)),
        Criterion(elimination, method),
        moments,
        (moments.decimals, moments.origin + shift),
        start,
    )


def _henderson_start(moments: ClusterMoments, others: Sequence[str]) -> Floats:
    """Henderson's components of the integers, with a residual variance in any case."""
    start = henderson_components(moments, others) * 10.0 ** (2 * moments.decimals)
    if not start[-1] > 0:
        start[-1] = max(float(start[:-1].max()), 1.0)
    return start


def _near_zero(table: ClusterMoments) -> ClusterMoments:
    """Ratings less about their mean."""
    _check_total(table.total)
    near = table.shifted(round(int(table.sums.sum()) / table.total))
    if near.square * near.total == int(near.sums.sum()) ** 2:
        raise PerfmethodError(
            f"ratings: found {table.total} that are all equal; allowed: ratings that vary, for "
            "without variance there are no components"
        )
    return near


def _check_total(total: int) -> int:
    if total < 2:
        raise PerfmethodError(f"ratings: found {total}; allowed: at least 2")
    return total


def _cluster_term(moments: ClusterMoments, names: Sequence[str]) -> str:
    for name in names:
        if set(facets_of(name)) == set(moments.cluster):
            return name
    raise PerfmethodError(
        f"random: found {', '.join(names)}; allowed: with the cluster of the moments, "
        f"{':'.join(moments.cluster)}"
    )


def _check_terms(moments: Moments, sizes: Mapping[str, int], fixed: Sequence[str]) -> None:
    """Refuse terms that are one with the mean, the residual or each other."""
    total = _check_total(int(moments.counts.sum()))
    for name, size in sizes.items():
        if size in (1, total):
            what = "level: no variance can be seen" if size == 1 else "levels, one for each rating"
            raise PerfmethodError(f"term {name!r}: found {size} {what}; allowed: 2 to {total - 1}")
    for a, b in product(sizes, fixed):
        if is_nested(moments, facets_of(b), facets_of(a)):
            raise PerfmethodError(
                f"term {a!r}: found the fixed term {b!r} in it, whose means leave it nothing to "
                "explain; allowed: one of them"
            )
    for a, b in combinations(sizes, 2):
        if sizes[a] == sizes[b] and is_nested(moments, facets_of(a), facets_of(b)):
            raise PerfmethodError(
                f"terms {a!r} and {b!r}: found the same {sizes[a]} groups of ratings in both; "
                "allowed: one of them"
            )


def _check(random: Sequence[str], fixed: Sequence[str], method: str) -> None:
    if isinstance(random, str) or isinstance(fixed, str):
        raise PerfmethodError("terms: found a single text; allowed: a list of terms")
    if not random:
        raise PerfmethodError("random: found no term; allowed: at least one")
    if method not in METHODS:
        raise PerfmethodError(f"method: found {method!r}; allowed: {suggest(str(method), METHODS)}")
    for name in random:
        if name in fixed:
            raise PerfmethodError(f"term {name!r}: found as random and as fixed; allowed: once")
