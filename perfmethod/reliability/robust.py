"""Uncertainty of variance components that does not take answers as normal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.cells import summed
from perfmethod.reliability.effects import Predicted, predicted
from perfmethod.reliability.elimination import ClusterElimination
from perfmethod.reliability.layout import facets_of
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.nested import NestedElimination, is_nested

if TYPE_CHECKING:
    from perfmethod.reliability.components import Components

__all__ = ["clusters_of", "robust_covariance"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def robust_covariance(fit: Components, by: str | None = None) -> Floats:
    r"""Covariance of components when raters are alike only in being drawn independently.

    Restricted likelihood equates the sums :math:`q_k = \sum (\hat b_k / \sigma_k^2)^2` of predicted
    effects (of the residual: of what is left) to their expectations. By normal theory their
    covariance follows from the components; answers on few options are not normal, and raters
    differ in more than a level: one marks everything alike, another does not. For all terms within
    raters, and the residual, q is a sum over raters, and its covariance is taken from how much
    raters' shares differ from what is expected of them; the rest of the covariance is that of
    normal theory.

    Parameters
    ----------
    fit : Components
        From `Moments`.
    by : str, optional
        Random term whose levels are drawn independently; by default the one with the most levels
        into which all levels of the largest term fall (``rater`` for ``unit:rater``).

    Returns
    -------
    ndarray (t + 1, t + 1)
        In the order of `Components.terms`. Zero for a component on the boundary, which counts as
        known.

    Raises
    ------
    PerfmethodError
        Unknown term; a fit without the ratings of single levels.

    References
    ----------
    White, H. (1982). Maximum likelihood estimation of misspecified models. *Econometrica* 50,
    1-25.

    Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear
    models. *Biometrika* 73, 13-22.

    Examples
    --------
    >>> from perfmethod.reliability import variance_components
    >>> yields = [1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495,
    ...           1595, 1550, 1605, 1510, 1560]
    >>> table = Moments.of(yields, batch=[b for b in "ABC" for _ in range(5)])
    >>> fit = variance_components(table, ["batch"])
    >>> (robust_covariance(fit).diagonal() / fit.covariance.diagonal()).round(2)
    array([0.21, 1.04])
    """
    source = fit._model.source
    if source is None:
        raise PerfmethodError(
            "robust: found a fit that does not keep the ratings of single levels; allowed: a fit "
            "from Moments, or an interval by 'wald'"
        )
    if by is not None and by not in fit.terms[:-1]:
        raise PerfmethodError(f"by: found {by!r}; allowed: {suggest(by, fit.terms[:-1])}")
    by = _outermost(fit, source) if by is None else by
    free = np.flatnonzero(fit.variances > 0).tolist()
    inside = [k for k in free if k == len(fit.terms) - 1
              or is_nested(source, facets_of(fit.terms[k]), facets_of(by))]  # fmt: skip
    away = _away(fit, source, by, inside)
    found, known = np.zeros_like(fit.covariance), np.ix_(free, free)
    model = fit.covariance[known]
    own = np.array([free.index(k) for k in inside], np.int64)
    normal = np.asarray(4 * np.linalg.inv(model), float)
    middle = _replaced(normal, own, away @ away.T * away.shape[1] / (away.shape[1] - 1))
    found[known] = model @ middle @ model / 4
    return found


def _replaced(normal: Floats, own: Ints, robust: Floats) -> Floats:
    """Covariance of the sums, by normal theory but for a block.

    Where ratings vary far less than normal ones, what is left of normal theory may not go with the
    block: then its covariances with the block change as the block does.
    """
    found, place = normal.copy(), np.ix_(own, own)
    found[place] = robust
    size = np.sqrt(np.diagonal(found))
    if (size > 0).all() and np.linalg.eigvalsh(found / np.outer(size, size))[0] >= 0:
        return found
    change = np.eye(len(normal))
    change[place] = _root(robust) @ np.linalg.inv(_root(normal[place]))
    return np.asarray(change @ normal @ change.T)


def _root(matrix: Floats) -> Floats:
    """Symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def clusters_of(fit: Components) -> tuple[str, int]:
    """Term whose levels are drawn independently by default, and their number.

    ``("", 0)`` for a fit that does not tell them apart.
    """
    source = fit._model.source
    if source is None:
        return "", 0
    by = _outermost(fit, source)
    return by, dict(zip(fit.terms, fit.levels, strict=True))[by]


def _outermost(fit: Components, source: Moments) -> str:
    """Term with the most levels into which the largest term falls, but for the largest."""
    sizes = dict(zip(fit.terms[:-1], fit.levels, strict=False))
    largest = max(sizes, key=lambda term: sizes[term])
    outer = [t for t in sizes
             if t != largest and is_nested(source, facets_of(largest), facets_of(t))
             and not set(facets_of(t)) - set(facets_of(largest))]  # fmt: skip
    return max(outer, key=lambda term: sizes[term]) if outer else largest


def _away(fit: Components, source: Moments, by: str, inside: list[int]) -> Floats:
    """Shares (i, r) of the sums less what is expected, by level of the term drawn."""
    model, last = fit._model, len(fit.terms) - 1
    effects = [predicted(model, fit._state, model.terms.index(t)) for t in fit.terms[:-1]]
    members, who = source.cells.group(facets_of(by))
    r, ratings = len(members), summed(who, source.counts, len(members))
    found, expected, total = [], [], ratings * (1 - _fixed(fit) / ratings.sum())
    for k, (s, part) in enumerate(zip(fit.variances[:-1] * model.unit**2, effects, strict=True)):
        taken = (s - part.variances) / s if s > 0 else np.zeros(len(part.effects))
        if k not in inside:  # what the other terms take is spread over the ratings
            total = total - taken.sum() * ratings / ratings.sum()
            continue
        level = np.zeros(len(taken), np.int64)
        level[source.cells.group(facets_of(fit.terms[k]))[1]] = who
        found.append(summed(level, (part.effects / s) ** 2, r))
        expected.append(summed(level, taken / s, r))
        total = total - s * expected[-1]
    if last in inside:
        s = float(fit.variances[last]) * model.unit**2
        found.append(
            _squares_left(fit, source, dict(zip(fit.terms, effects, strict=False)), who) / s**2
        )
        expected.append(total / s)
    return (np.array(found) - np.array(expected)) * model.unit**2


def _fixed(fit: Components) -> int:
    return fit._model.criterion.layout.estimable if fit.method == "REML" else 0


def _squares_left(
    fit: Components, source: Moments, effects: dict[str, Predicted], who: Ints
) -> Floats:
    """Sum of squared residuals, all effects taken away, by level of the term drawn."""
    model, elimination = fit._model, fit._model.elimination
    assert isinstance(elimination, ClusterElimination | NestedElimination)
    near = elimination.moments if isinstance(elimination, ClusterElimination) else elimination
    _, cell = source.cells.group(near.cells.facets)
    fitted = model.criterion.layout.spread(fit._state.solution)[cell]
    for term in model.terms[: elimination.count]:
        fitted = fitted + effects[term].effects[source.cells.group(facets_of(term))[1]]
    shift = model.scale[1] - source.origin
    counts, sums = source.counts, source.sums - shift * source.counts
    squares = source.squares - 2 * shift * source.sums + shift**2 * source.counts
    left = squares - 2 * fitted * sums + fitted**2 * counts
    return summed(who, left, int(who.max()) + 1)
