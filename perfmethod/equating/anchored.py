"""Straight links between forms of groups that may differ, by an anchor that both have."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.equating.lines import Line
from perfmethod.equating.moments import Joint, joint
from perfmethod.errors import DataError, Problems

__all__ = ["chained_link", "levine_link", "tucker_link"]


def tucker_link(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    weight: float = 0.5,
    mean_only: bool = False,
) -> Line:
    """Link through the regression of each form on the anchor.

    Assumes that the regression of a form on the anchor is the same straight line, with the same
    spread around it, in both groups.

    Parameters
    ----------
    x, x_anchor : array_like (n,)
        Scores of one group on its form and on the anchor.
    y, y_anchor : array_like (m,)
        Scores of the other group.
    weight : float, default 0.5
        Weight of the first group in the synthetic population.
    mean_only : bool, default False
        Move only, as `mean_link` does.

    Returns
    -------
    Line

    Raises
    ------
    DataError
        If there are fewer than three scores in a group, one is not finite, scores or anchors are
        all alike, or the weight is not between 0 and 1; all problems at once.

    References
    ----------
    Kolen and Brennan (2014), 4.2; Braun and Holland (1982), in *Test Equating*, 9-49.

    Examples
    --------
    >>> tucker_link([4, 6, 9], [1, 2, 3], [5, 8, 9], [1, 2, 3], mean_only=True).intercept
    1.0
    """
    one, two = _both(x, x_anchor, y, y_anchor, weight)
    slopes = one.cov / one.anchor_var, two.cov / two.anchor_var
    return _synthetic("tucker", one, two, slopes, weight, mean_only)


def levine_link(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    weight: float = 0.5,
    internal: bool = False,
    mean_only: bool = False,
) -> Line:
    """Link observed scores through true scores that a form and the anchor share.

    Assumes that form and anchor measure the same thing and differ like tests of other lengths:
    their error variances are as their true-score slopes (classical congeneric). It takes away what
    errors of the anchor do to the slope, which `tucker_link` leaves in.

    Parameters
    ----------
    x, x_anchor, y, y_anchor : array_like
        As in `tucker_link`.
    weight : float, default 0.5
    internal : bool, default False
        Whether the anchor is part of the form's score.
    mean_only : bool, default False

    Returns
    -------
    Line

    Raises
    ------
    DataError
        As in `tucker_link`, and if form and anchor do not rise together in a group.

    References
    ----------
    Kolen and Brennan (2014), 4.3 (Levine observed score, equations 4.52 and 4.58).

    Examples
    --------
    >>> levine_link([4, 6, 9], [1, 2, 3], [5, 8, 9], [1, 2, 3], mean_only=True).intercept
    1.0
    """
    one, two = _both(x, x_anchor, y, y_anchor, weight)
    problems = Problems("equating")
    for name, form in (("x", one), ("y", two)):
        if form.cov <= 0:
            problems.add(f"a covariance of {form.cov:.4g} with the anchor", "above 0", column=name)
    problems.raise_any(DataError)
    slopes = (_effective(one, internal), _effective(two, internal))
    return _synthetic("levine", one, two, slopes, weight, mean_only)


def chained_link(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    mean_only: bool = False,
) -> Line:
    """Link a form to the anchor in its group, and the anchor to the other form in the other.

    Assumes that the linear link of a form to the anchor is the same in both groups.

    Parameters
    ----------
    x, x_anchor, y, y_anchor : array_like
        As in `tucker_link`.
    mean_only : bool, default False

    Returns
    -------
    Line

    Raises
    ------
    DataError
        As in `tucker_link`.

    References
    ----------
    Kolen and Brennan (2014), 4.5.

    Examples
    --------
    >>> chained_link([4, 6, 9], [1, 2, 3], [5, 8, 9], [1, 2, 3], mean_only=True).intercept
    1.0
    """
    one, two = _both(x, x_anchor, y, y_anchor, 0.5)
    slope = 1.0
    if mean_only:
        shift = (two.mean - two.anchor_mean) - (one.mean - one.anchor_mean)
        return Line("chained", shift, slope)
    first = np.sqrt(one.anchor_var / one.var)
    second = np.sqrt(two.var / two.anchor_var)
    slope = float(first * second)
    at = two.mean + second * (one.anchor_mean - two.anchor_mean)
    return Line("chained", float(at - slope * one.mean), slope)


def _both(
    x: ArrayLike, x_anchor: ArrayLike, y: ArrayLike, y_anchor: ArrayLike, weight: float
) -> tuple[Joint, Joint]:
    problems = Problems("equating")
    found = joint(problems, "x", x, x_anchor), joint(problems, "y", y, y_anchor)
    if not 0 <= weight <= 1:
        problems.add(f"a weight of {weight:g}", "between 0 and 1", column="weight")
    problems.raise_any(DataError)
    return found


def _effective(form: Joint, internal: bool) -> float:
    """Ratio of effective test lengths, which is that of true-score spreads."""
    if internal:
        return form.var / form.cov
    return (form.var + form.cov) / (form.anchor_var + form.cov)


def _synthetic(
    method: str,
    one: Joint,
    two: Joint,
    slopes: tuple[float, float],
    w: float,
    mean_only: bool,
) -> Line:
    """Link the means and standard deviations of the two forms in the synthetic population."""
    apart, spread = one.anchor_mean - two.anchor_mean, one.anchor_var - two.anchor_var
    a, b = slopes
    mean_x, mean_y = one.mean - (1 - w) * a * apart, two.mean + w * b * apart
    if mean_only:
        return Line(method, mean_y - mean_x, 1.0)
    cross = w * (1 - w) * apart**2
    var_x = one.var - (1 - w) * a**2 * spread + a**2 * cross
    var_y = two.var + w * b**2 * spread + b**2 * cross
    problems = Problems("equating")
    for name, var in (("x", var_x), ("y", var_y)):
        if not var > 0:
            problems.add(f"a variance of {var:.4g} in the synthetic population", "above 0",
                         column=name)  # fmt: skip
    problems.raise_any(DataError)
    slope = float(np.sqrt(var_y / var_x))
    return Line(method, float(mean_y - slope * mean_x), slope)
