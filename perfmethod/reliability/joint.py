"""All effects of a fit together, with their joint covariance: what contrasts are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.clusters import ClusterMoments
from perfmethod.reliability.components import Components
from perfmethod.reliability.criterion import Criterion, State
from perfmethod.reliability.elimination import ClusterElimination, Elimination
from perfmethod.reliability.layout import Layout, Term, facets_of
from perfmethod.reliability.moments import Moments
from perfmethod.reliability.nested import NestedElimination, is_nested

__all__ = ["JointEffects", "joint_effects"]

Floats = NDArray[np.float64]


class Equations(NamedTuple):
    """Names of the random terms, the eliminated first; the criterion and its ratios (t,)."""

    names: tuple[str, ...]
    criterion: Criterion
    ratios: Floats


@dataclass(frozen=True, eq=False, repr=False)
class JointEffects:
    """Effects of all terms that were not eliminated, fixed ones estimated, random ones predicted.

    Parameters
    ----------
    terms : tuple of str (t,)
        Random terms, then the fixed ones, of which the first is the intercept (``""``).
    estimates : ndarray (q,)
        In units of the ratings; aliased fixed effects are zero.
    covariance : ndarray (q, q)
        Of estimate minus truth: sampling covariance of fixed effects, prediction error covariance
        of random ones. The variance components count as known.
    fit : Components
    """

    terms: tuple[str, ...]
    estimates: Floats
    covariance: Floats
    fit: Components
    _columns: tuple[Term, ...] = field(repr=False)
    _edges: NDArray[np.int64] = field(repr=False)
    _equations: Equations = field(repr=False)

    def __repr__(self) -> str:
        return f"<JointEffects of {len(self.estimates)} columns: {', '.join(self.terms)}>"

    def rows(self, points: Mapping[str, Sequence[Any]], size: int) -> Floats:
        """Columns that each of some answers has.

        Parameters
        ----------
        points : mapping of str to sequence (size,)
            Level of each answer on the facets. A combination that a random term does not have, or
            a random term with another facet, gets no column: the prediction is zero.
        size : int
            Number of answers.

        Returns
        -------
        ndarray (size, q)

        Raises
        ------
        PerfmethodError
            A combination that a fixed term does not have: nothing is known of it.
        """
        table = np.zeros((size, len(self.estimates)))
        for name, term, edge in zip(self.terms, self._columns, self._edges, strict=False):
            if name not in self.fixed and not set(term.columns.facets) <= set(points):
                continue
            place = {label: i for i, label in enumerate(term.columns.labels())}
            labels = list(zip(*(points[f] for f in term.columns.facets), strict=True))
            for i, label in enumerate(labels or [()] * size):
                at = place.get(label)
                if at is not None:
                    table[i, edge + at] = 1.0
                elif name in self.fixed:
                    shown = ":".join(map(str, label))
                    raise PerfmethodError(
                        f"{name}: found {shown}, which no rating has; allowed: what was rated"
                    )
        return table

    @property
    def fixed(self) -> tuple[str, ...]:
        """Fixed terms, the intercept first."""
        return self.terms[self.terms.index("") :]

    def columns(self, term: str) -> tuple[list[tuple[Any, ...]], slice]:
        """Labels of a term's levels, and where its columns stand."""
        place = self.terms.index(term)
        start = int(self._edges[place])
        labels = self._columns[place].columns.labels()
        return labels, slice(start, start + len(labels))

    def combined(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weighted sums (k,) of effects, and their covariance (k, k), for weights (k, q)."""
        return weights @ self.estimates, weights @ self.covariance @ weights.T

    def slopes(self, weights: Floats) -> Floats:
        """Derivatives of the covariance of weighted sums by the variance components.

        Parameters
        ----------
        weights : ndarray (k, q)

        Returns
        -------
        ndarray (t + 1, k, k)
            In the order of `Components.terms`; zero for a component on the boundary.
        """
        names, criterion, ratios = self._equations
        layout, kept = criterion.layout, criterion.layout.kept
        s = self.fit._state.residual / self.fit._model.unit**2
        solved = (self.covariance[np.ix_(kept, kept)] @ weights[:, kept].T) / s  # (q, k)
        e = criterion.elimination.count
        found = [
            -solved.T @ slope.times(solved)
            for slope in criterion.elimination.parts(ratios[:e]).slopes
        ]
        for rows, ratio in zip(layout.slices, ratios[e:], strict=True):
            own = solved[rows]
            found.append(own.T @ own / ratio**2 if ratio > 0 else np.zeros((len(weights),) * 2))
        rest = weights[:, kept] @ solved - np.tensordot(ratios, found, axes=1)
        by_name = dict(zip((*names, "residual"), (*found, rest), strict=True))
        zero = self.fit.variances == 0
        return np.array([by_name[t] * (not z) for t, z in zip(self.fit.terms, zero, strict=True)])


def joint_effects(fit: Components, needed: Sequence[str] = ()) -> JointEffects:
    """Read all effects of a fit, but for those of the eliminated (largest) terms.

    Parameters
    ----------
    fit : Components
    needed : sequence of str
        Random terms that must be among the effects: where the fit eliminated one of them, the
        equations are set up again at its variances, with the largest other term eliminated.

    Returns
    -------
    JointEffects

    Raises
    ------
    PerfmethodError
        A needed term was eliminated, and the fit is not from `Moments`, or has no other random
        term, or the others are too many for dense equations.

    References
    ----------
    Henderson, C. R. (1975). Best linear unbiased estimation and prediction under a selection
    model. *Biometrics* 31, 423-447.

    Examples
    --------
    >>> from perfmethod.reliability import Moments, variance_components
    >>> table = Moments.of([90, 80, 70, 75, 60, 50], unit=["A", "A", "A", "B", "B", "B"],
    ...                    rater=["a", "b", "c", "a", "b", "c"])
    >>> found = joint_effects(variance_components(table, ["rater"], ["unit"]))
    >>> estimate, covariance = found.combined(found.rows({"unit": ["A", "B"]}, 2))
    >>> estimate.round(2).tolist(), found.fixed
    ([80.0, 61.67], ('', 'unit'))
    """
    names, origin = fit._model.terms, fit._model.scale[1]
    criterion, state = fit._model.criterion, fit._state
    there = {term.name for term in criterion.layout.random}
    if not set(needed) <= there:
        names, criterion, state, origin = _set_up_again(fit, needed)
    layout, solution = criterion.layout, state.solution
    if not criterion.restricted:
        state = Criterion(criterion.elimination, "REML").at(state.ratios, exact=False)
    size, kept, unit = int(layout.edges[-1]), layout.kept, fit._model.unit
    estimates = np.zeros(size)
    estimates[kept] = solution
    estimates[layout.effects] += origin
    covariance = np.zeros((size, size))
    scaled = state.inverse * np.outer(state.scale, state.scale)
    covariance[np.ix_(kept, kept)] = fit._state.residual * scaled
    return JointEffects(
        tuple(term.name for term in layout.terms),
        estimates / unit,
        covariance / unit**2,
        fit,
        layout.terms,
        layout.edges,
        Equations(names, criterion, state.ratios),
    )


def _set_up_again(
    fit: Components, needed: Sequence[str]
) -> tuple[tuple[str, ...], Criterion, State, int]:
    """Equations at the same variances that keep some terms: names, state and origin."""
    model = fit._model
    sizes = dict(zip(model.terms, model.levels, strict=True))
    free = sorted(set(sizes) - set(needed), key=lambda name: -sizes[name])
    if model.source is None or not free:
        raise PerfmethodError(
            f"terms: found {', '.join(needed)} eliminated; allowed: a fit from Moments with "
            "another random term"
        )
    outer = _outer(model.source, free)
    others = [name for name in model.terms if name not in (outer, free[0])]
    fixed = [term.name for term in model.criterion.layout.fixed if term.name]
    facets = dict.fromkeys(f for name in [*others, *fixed] for f in facets_of(name))
    elimination: Elimination
    if outer:
        elimination, origin = _nested(
            model.source, (outer, free[0]), tuple(facets), (others, fixed)
        )
        names = (outer, free[0], *others)
    else:
        table = ClusterMoments.of(model.source, facets_of(free[0]), list(facets))
        near = table.shifted(round(int(table.sums.sum()) / table.total))
        layout = Layout.of(near.cells, near.counts, others, fixed)
        elimination, origin = ClusterElimination(near, layout), near.origin
        names = (free[0], *others)
    criterion = Criterion(elimination, fit.method)
    order = [model.terms.index(name) for name in names]
    return names, criterion, criterion.at(fit._state.ratios[order], exact=False), origin


def _outer(source: Moments, free: Sequence[str]) -> str:
    """Term in which the largest of those not needed lies: raters would fill the equations."""
    within = (t for t in free[1:] if is_nested(source, facets_of(free[0]), facets_of(t)))
    return next(within, "")


def _nested(
    source: Moments,
    pair: tuple[str, str],
    facets: tuple[str, ...],
    terms: tuple[Sequence[str], Sequence[str]],
) -> tuple[NestedElimination, int]:
    """Eliminate two terms, the second nested in the first; and the origin of what is left."""
    cells, place = source.cells.group(facets)
    counts = np.bincount(place, source.counts, len(cells)).astype(np.int64)
    layout = Layout.of(cells, counts, *terms)
    shift = round(int(source.sums.sum()) / int(source.counts.sum()))
    two = (facets_of(pair[0]), facets_of(pair[1]))
    return NestedElimination(source, shift, two, facets, layout), source.origin + shift
