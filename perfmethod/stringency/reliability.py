"""What errors of the anchors do to the slope: a bound from their reliability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.stringency.ancova import Ancova, within
from perfmethod.stringency.parts import Parts, below

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["corrected_effects", "corrected_slopes", "survey_reliability"]

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


def survey_reliability(evaluation: Evaluation, parts: Parts) -> dict[str, float]:
    """Reliability of the anchors that are surveys, from the sampling errors of their ballots.

    Parameters
    ----------
    evaluation : Evaluation
    parts : Parts

    Returns
    -------
    dict of str to float
        Only anchors all of whose leaves are survey dimensions; the sampling of raters is the only
        error that ballots show, so the true reliability is at most this.
    """
    nodes = evaluation.year.scheme.document["classes"][parts.class_id].get("nodes", {})
    found = {}
    for anchor in parts.anchor_nodes:
        leaves = below(evaluation, parts.class_id, [anchor])
        if evaluation.review is None or not all("survey" in nodes.get(n, {}) for n in leaves):
            continue
        dimension = {n: str(nodes[n]["survey"]) for n in leaves}
        error = float(np.mean(_error_variances(evaluation, parts, dimension)))
        _, code = np.unique(parts.groups, return_inverse=True)
        x = within(parts.anchors[anchor].to_numpy(float), code, int(code.max()) + 1)
        spread = float(x @ x) / max(len(x) - int(code.max()) - 1, 1)
        if spread > error:
            found[anchor] = 1 - error / spread
    return found


def _error_variances(
    evaluation: Evaluation, parts: Parts, dimension: Mapping[str, str]
) -> list[float]:
    """Sampling variance of the anchor of every unit."""
    assert evaluation.review is not None
    covariance = evaluation.review.covariance()
    table = covariance.to_numpy()
    place = {pair: k for k, pair in enumerate(covariance.index)}
    rows = evaluation.nodes
    rows = rows[rows["node"].isin(dimension) & rows["unit_id"].isin(parts.panel.index)]
    found = []
    for unit, mine in rows.groupby("unit_id"):
        at = [place[(unit, dimension[n])] for n in mine["node"]]
        weight = mine["effective_weight"].to_numpy(float)
        w = weight / weight.sum()
        found.append(float(w @ table[np.ix_(at, at)] @ w))
    return found


def chosen_reliability(
    evaluation: Evaluation, parts: Parts, given: Mapping[str, float] | None
) -> dict[str, float]:
    """Reliability of every anchor: as given, from the survey, or 1 where nothing is known."""
    problems = Problems("stringency")
    for name in sorted(set(given or {}) - set(parts.anchor_nodes)):
        problems.add(f"'{name}'", suggest(name, parts.anchor_nodes), column="reliability")
    problems.raise_any(DataError)
    known = survey_reliability(evaluation, parts) if given is None else dict(given)
    return {a: float(known.get(a, 1.0)) for a in parts.anchor_nodes}
