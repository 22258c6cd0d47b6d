"""Straight links between forms taken by randomly equivalent groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.equating.moments import Sample, sample
from perfmethod.errors import DataError, Problems

__all__ = ["Line", "linear_link", "mean_link"]


@dataclass(frozen=True)
class Line:
    """A straight link ``y = intercept + slope x``.

    Parameters
    ----------
    method : str
    intercept, slope : float

    Examples
    --------
    >>> Line("linear", 2.0, 1.5)([10, 20]).tolist()
    [17.0, 32.0]
    """

    method: str
    intercept: float
    slope: float

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Scores (...) on the scale of the other form."""
        return self.intercept + self.slope * np.asarray(x, dtype=float)


def mean_link(
    x: ArrayLike,
    y: ArrayLike,
    x_counts: ArrayLike | None = None,
    y_counts: ArrayLike | None = None,
) -> Line:
    """Move a form so that its mean is that of another: random groups, forms alike but for a shift.

    Parameters
    ----------
    x, y : array_like (n,), (m,)
        Scores of the group that has each form.
    x_counts, y_counts : array_like (n,), (m,), optional
        How often each score was seen; once by default.

    Returns
    -------
    Line

    Raises
    ------
    DataError
        If there are fewer than two scores, or one is not finite; both forms' problems at once.

    References
    ----------
    Kolen and Brennan, *Test Equating, Scaling, and Linking* (3rd ed. 2014), 2.2.

    Examples
    --------
    >>> mean_link([70, 80], [75, 95])
    Line(method='mean', intercept=10.0, slope=1.0)
    """
    one, two = _two(x, y, x_counts, y_counts)
    return Line("mean", two.mean - one.mean, 1.0)


def linear_link(
    x: ArrayLike,
    y: ArrayLike,
    x_counts: ArrayLike | None = None,
    y_counts: ArrayLike | None = None,
) -> Line:
    """Give a form the mean and standard deviation of another: random groups, alike but for scale.

    Parameters
    ----------
    x, y : array_like (n,), (m,)
    x_counts, y_counts : array_like (n,), (m,), optional

    Returns
    -------
    Line

    Raises
    ------
    DataError
        As in `mean_link`, and if the scores of a form are all alike.

    References
    ----------
    Kolen and Brennan (2014), 2.3.

    Examples
    --------
    >>> linear_link([70, 80], [75, 95])
    Line(method='linear', intercept=-65.0, slope=2.0)
    """
    one, two = _two(x, y, x_counts, y_counts)
    problems = Problems("equating")
    for name, form in (("x", one), ("y", two)):
        if form.sd == 0:
            problems.add(f"scores that are all {form.mean:g}", "some variation", column=name)
    problems.raise_any(DataError)
    slope = two.sd / one.sd
    return Line("linear", two.mean - slope * one.mean, slope)


def _two(
    x: ArrayLike, y: ArrayLike, x_counts: ArrayLike | None, y_counts: ArrayLike | None
) -> tuple[Sample, Sample]:
    problems = Problems("equating")
    found = sample(problems, "x", x, x_counts), sample(problems, "y", y, y_counts)
    problems.raise_any(DataError)
    return found
