"""What errors of the anchors do to the slope: a bound from their reliability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.stringency.ancova import Ancova, within
from perfmethod.stringency.parts import Parts, below
from perfmethod.survey import MOST_UNMEASURED

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.scoring import Evaluation

__all__ = ["Reliabilities", "corrected_effects", "corrected_slopes", "survey_reliability"]

Array = NDArray[np.float64]


def corrected_slopes(fit: Ancova, reliability: ArrayLike) -> Array:
    """Slopes that the anchors would have without their errors.

    With one anchor this is the slope over the reliability: the truth lies between the two.

    Parameters
    ----------
    fit : Ancova
    reliability : array_like (a,)
        Share of each anchor's variance within groups that is no error; errors of different anchors
        are taken as independent.

    Returns
    -------
    ndarray (a,)

    Raises
    ------
    DataError
        If a reliability is not above 0 and at most 1, or together they leave an anchor no variance
        of its own.

    References
    ----------
    Fuller, *Measurement Error Models* (1987), 2.2.

    Examples
    --------
    >>> from perfmethod.stringency import ancova
    >>> fit = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> corrected_slopes(fit, [0.8]).round(3).tolist()
    [2.5]
    """
    share = np.asarray(reliability, dtype=float)
    problems = Problems("stringency")
    if share.shape != fit.slopes.shape or not ((share > 0) & (share <= 1)).all():
        problems.add(f"{share.tolist()}", f"{len(fit.slopes)} numbers above 0 and at most 1",
                     column="reliability")  # fmt: skip
        problems.raise_any(DataError)
    g = len(fit.sizes)
    xw, yw = within(fit.anchors, fit.code, g), within(fit.panel, fit.code, g)
    cross = xw.T @ xw
    clean = cross - np.diag((1 - share) * np.diag(cross))
    if np.linalg.eigvalsh(clean)[0] <= 1e-9 * np.trace(cross):
        problems.add(f"reliabilities {share.round(3).tolist()} of anchors that go together more "
                     "than that allows", "higher ones", column="reliability")  # fmt: skip
    problems.raise_any(DataError)
    return np.asarray(np.linalg.solve(clean, xw.T @ yw), dtype=np.float64)


def corrected_effects(fit: Ancova, slopes: Array) -> Array:
    """Group effects less their mean under other slopes, (g,)."""
    raw = fit.panel_means - fit.anchor_means @ slopes
    found: Array = raw - raw.mean()
    return found


class Reliabilities(NamedTuple):
    """Reliability of the anchors (a,) inside groups.

    ``share`` is 0 where all that an anchor differs may be error, and NaN where that cannot be told;
    ``unmeasured`` is the share of an anchor's weight whose error counts as 0 because it cannot be
    measured. ``given`` says whether they were, so that nothing was estimated.
    """

    share: Array
    unmeasured: Array
    given: bool

    def corrected(self, fit: Ancova) -> Array:
        """Slopes without the anchors' errors (`corrected_slopes`); NaN where nothing bounds them.

        Raises
        ------
        DataError
            As `corrected_slopes`, where the reliabilities were given.
        """
        if self.given:
            return corrected_slopes(fit, self.share)
        if not (self.share > 0).all():
            return np.full(len(self.share), np.nan)
        try:
            return corrected_slopes(fit, self.share)
        except DataError:  # estimates may leave nothing of anchors that go together
            return np.full(len(self.share), np.nan)


def survey_reliability(evaluation: Evaluation, parts: Parts) -> dict[str, float]:
    r"""Reliability of the anchors that are surveys, from the sampling errors of their ballots.

    Parameters
    ----------
    evaluation : Evaluation
    parts : Parts

    Returns
    -------
    dict of str to float
        Only anchors all of whose leaves are survey dimensions; 0 where units of a group differ no
        more than by the errors of their ballots. The sampling of raters is the only error that
        ballots show, so but for the errors of estimation the true reliability is at most this.

    Raises
    ------
    DataError
        If most of an anchor's weight rests on cells with one valid answer or one rater, whose error
        cannot be measured, or an anchor has no weight in the totals.

    Notes
    -----
    What makes units of one group differ by error is not the error of their scores, but that of
    their differences: raters who rate all units alike too high move none against another. With the
    covariance V of the errors and the centering W inside groups that error variance is
    :math:`\operatorname{tr}(W V) / (n - g)`: inside each group the mean variance less the mean
    covariance of two units, weighted by its degrees of freedom. It is the expected part of errors
    in the spread inside groups, of which it is taken off.

    References
    ----------
    Cronbach, Gleser, Nanda and Rajaratnam, *The Dependability of Behavioral Measurements* (1972):
    relative error leaves out what all that are compared share.
    """
    found = _measured(evaluation, parts)
    problems = Problems("stringency")
    for anchor, (share, unmeasured) in found.items():
        if np.isnan(share):
            problems.add(
                f"{100 * unmeasured:.0f} % of the weight on cells with one valid answer or one "
                "rater, whose error cannot be measured",
                f"at most {100 * MOST_UNMEASURED:.0f} % (more ballots, or reliability={{...}})",
                column=anchor,
            )
    problems.raise_any(DataError)
    return {anchor: share for anchor, (share, _) in found.items()}


def _measured(evaluation: Evaluation, parts: Parts) -> dict[str, tuple[float, float]]:
    """Reliability of each anchor that is a survey, NaN where unknown, and its unmeasured weight."""
    if evaluation.review is None:
        return {}
    nodes = evaluation.year.scheme.document["classes"][parts.class_id].get("nodes", {})
    _, code = np.unique(parts.groups, return_inverse=True)
    groups, found = int(code.max()) + 1, {}
    df = max(len(code) - groups, 1)
    center = within(np.eye(len(code)), code, groups)
    covariance = evaluation.review.covariance()
    hollow = evaluation.review.design_effects(min_cell=1)["unmeasured_weight"].to_numpy(float)
    for anchor in parts.anchor_nodes:
        leaves = below(evaluation, parts.class_id, [anchor])
        if not all("survey" in nodes.get(n, {}) for n in leaves):
            continue
        dimension = {n: str(nodes[n]["survey"]) for n in leaves}
        weight = _weights(evaluation, parts, dimension, covariance.index)
        errors = weight @ covariance.to_numpy() @ weight.T
        error = float((center * errors).sum()) / df
        x = within(parts.anchors[anchor].to_numpy(float), code, groups)
        spread = float(x @ x) / df
        unmeasured = float((weight @ hollow).mean())
        share = 1 - error / spread if spread > error else 0.0
        found[anchor] = (share if unmeasured <= MOST_UNMEASURED else np.nan, unmeasured)
    return found


def _weights(
    evaluation: Evaluation, parts: Parts, dimension: Mapping[str, str], pairs: pd.Index
) -> Array:
    """Weight of every survey score in the anchor of every unit (u, p)."""
    rows = evaluation.nodes
    rows = rows[rows["node"].isin(dimension) & rows["unit_id"].isin(parts.panel.index)]
    rows = rows[rows["score"].notna() & (rows["effective_weight"] > 0)]
    found, pair = np.zeros((len(parts.panel), len(pairs))), {p: k for k, p in enumerate(pairs)}
    place = {unit: i for i, unit in enumerate(parts.panel.index)}
    columns = (rows[c] for c in ("unit_id", "node", "effective_weight"))
    for unit, node, weight in zip(*columns, strict=True):
        found[place[unit], pair[unit, dimension[node]]] += weight
    total = found.sum(axis=1, keepdims=True)
    problems = Problems("stringency")
    if none := [str(unit) for unit, weight in zip(place, total, strict=True) if not weight]:
        problems.add(f"a survey ({', '.join(dimension)}) without weight in the total of "
                     f"{', '.join(none[:5])} ({len(none)} units)", "reliability={...} where the "
                     "scheme does not say how its dimensions weigh", column="anchors")  # fmt: skip
    problems.raise_any(DataError)
    return np.asarray(found / total, dtype=np.float64)


def chosen_reliability(
    evaluation: Evaluation, parts: Parts, given: Mapping[str, float] | None
) -> Reliabilities:
    """Reliability of every anchor: as given, from the survey, or 1 where nothing is known."""
    problems = Problems("stringency")
    for name in sorted(set(given or {}) - set(parts.anchor_nodes)):
        problems.add(f"'{name}'", suggest(name, parts.anchor_nodes), column="reliability")
    problems.raise_any(DataError)
    if given is not None:
        known = {name: (float(share), 0.0) for name, share in given.items()}
    else:
        known = _measured(evaluation, parts)
    found = np.array([known.get(a, (1.0, 0.0)) for a in parts.anchor_nodes])
    return Reliabilities(found[:, 0], found[:, 1], given is not None)
