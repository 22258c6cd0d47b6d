"""Uncertainty of variance components that does not take answers as normal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.cells import summed
from perfmethod.reliability.elimination import ClusterElimination
from perfmethod.reliability.layout import facets_of
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.nested import is_nested

if TYPE_CHECKING:
    from perfmethod.reliability.components import Components

__all__ = ["robust_covariance"]

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
        Unknown term; a fit without the ratings of single levels; one with two terms eliminated.

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
    source, elimination = fit._model.source, fit._model.elimination
    if source is None or not isinstance(elimination, ClusterElimination):
        raise PerfmethodError(
            "robust: found a fit that does not keep the ratings of single levels; allowed: a fit "
            "from Moments with one large term, or an interval by 'wald'"
        )
    if by is not None and by not in fit.terms[:-1]:
        raise PerfmethodError(f"by: found {by!r}; allowed: {suggest(by, fit.terms[:-1])}")
    by = _outermost(fit, source) if by is None else by
    free = np.flatnonzero(fit.variances > 0).tolist()
    inside = [k for k in free if k == len(fit.terms) - 1
              or is_nested(source, facets_of(fit.terms[k]), facets_of(by))]  # fmt: skip
    away = _away(fit, source, by, inside)
    model = fit.covariance
    information = np.zeros_like(model)
    information[np.ix_(free, free)] = 4 * np.linalg.inv(model[np.ix_(free, free)])
    change = np.zeros_like(model)
    place = np.ix_(inside, inside)
    change[place] = away @ away.T * away.shape[1] / (away.shape[1] - 1) - information[place]
    return np.asarray(model + model @ change @ model / 4)


def _outermost(fit: Components, source: Moments) -> str:
    """Term with the most levels into which the largest term falls, but for the largest."""
    largest = fit._model.terms[0]
    sizes = dict(zip(fit.terms, fit.levels, strict=True))
    outer = [t for t in fit.terms[:-1]
             if t != largest and is_nested(source, facets_of(largest), facets_of(t))
             and not set(facets_of(t)) - set(facets_of(largest))]  # fmt: skip
    return max(outer, key=lambda term: sizes[term]) if outer else largest


def _away(fit: Components, source: Moments, by: str, inside: list[int]) -> Floats:
    """Shares (i, r) of the sums less what is expected, by level of the term drawn."""
    members, who = source.cells.group(facets_of(by))
    r, ratings = len(members), summed(who, source.counts, len(members))
    found, expected, total = [], [], ratings * (1 - _fixed(fit) / ratings.sum())
    last = len(fit.terms) - 1
    for k in (k for k in inside if k != last):
        s = float(fit.variances[k])
        frame = fit.effects(fit.terms[k])
        level = np.zeros(len(frame), np.int64)
        level[source.cells.group(facets_of(fit.terms[k]))[1]] = who
        effect, error = frame["effect"].to_numpy(), frame["standard_error"].to_numpy()
        found.append(summed(level, (effect / s) ** 2, r))
        expected.append(summed(level, (s - error**2) / s**2, r))
        total = total - s * expected[-1]
    s = float(fit.variances[last])
    rest = _squares_left(fit, source, who, r) / s**2
    others = [k for k in range(last) if k not in inside and fit.variances[k] > 0]
    for k in others:  # what the other terms take is spread over the ratings
        frame, v = fit.effects(fit.terms[k]), float(fit.variances[k])
        taken = float((v - frame["standard_error"] ** 2).sum()) / v
        total = total - taken * ratings / ratings.sum()
    if last in inside:
        found.append(rest)
        expected.append(total / s)
    return np.array(found) - np.array(expected)


def _fixed(fit: Components) -> int:
    return fit._model.criterion.layout.estimable if fit.method == "REML" else 0


def _squares_left(fit: Components, source: Moments, who: Ints, r: int) -> Floats:
    """Sum of squared residuals, all effects taken away, by level of the term drawn."""
    model, near = fit._model, fit._model.elimination.moments  # type: ignore[attr-defined]
    _, member = source.cells.group(near.cluster)
    _, cell = source.cells.group(near.cells.facets)
    fitted = model.criterion.layout.spread(fit._state.solution)[cell]
    fitted = fitted + model.unit * fit.effects(model.terms[0])["effect"].to_numpy()[member]
    shift = model.scale[1] - source.origin
    counts, sums = source.counts, source.sums - shift * source.counts
    squares = source.squares - 2 * shift * source.sums + shift**2 * source.counts
    left = squares - 2 * fitted * sums + fitted**2 * counts
    return summed(who, left, r) / model.unit**2
