"""Circle-arc linking: fixed ends, and one point in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["Arc", "circle_arc"]


@dataclass(frozen=True)
class Arc:
    """A line through the ends of the scales plus an arc that vanishes there.

    Parameters
    ----------
    intercept, slope : float
        Of the line through the ends.
    x_center, y_center, radius : float
        Of the circle; an infinite radius is no arc at all.
    sign : float
        1 where the arc lies above the line, -1 below.
    """

    intercept: float
    slope: float
    x_center: float
    y_center: float
    radius: float
    sign: float

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Scores (...) on the scale of the other form; NaN outside the circle."""
        s = np.asarray(x, dtype=float)
        line = self.intercept + self.slope * s
        if not np.isfinite(self.radius):
            return line
        height = self.radius**2 - (s - self.x_center) ** 2
        with np.errstate(invalid="ignore"):
            return line + self.y_center + self.sign * np.sqrt(height)


def circle_arc(
    middle: tuple[float, float],
    low: tuple[float, float] = (0.0, 0.0),
    high: tuple[float, float] = (100.0, 100.0),
) -> Arc:
    """Link two forms whose ends are known, through one point in between (simplified method).

    The link is the line through the ends plus the arc of a circle through ``(low, 0)``,
    ``(middle, what the line lacks there)`` and ``(high, 0)``. One mean is all that is estimated,
    which is why it is offered for small groups; like any link without an anchor it takes the groups
    as randomly equivalent.

    Parameters
    ----------
    middle : pair of float
        Usually the means of the two forms.
    low, high : pair of float
        Ends of the scales.

    Returns
    -------
    Arc

    Raises
    ------
    DataError
        If a point is not finite, or the middle does not lie between the ends.

    References
    ----------
    Livingston and Kim, "The circle-arc method for equating in small samples", *Journal of
    Educational Measurement* 46 (2009), 330-343.

    Examples
    --------
    >>> link = circle_arc((80.0, 85.0))
    >>> link([0, 80, 100]).round(6).tolist()
    [0.0, 85.0, 100.0]
    """
    points = np.array([low, middle, high], dtype=float)
    problems = Problems("equating")
    if not np.isfinite(points).all():
        problems.add("a point that is not finite", "finite numbers only", column="middle")
    elif not points[0, 0] < points[1, 0] < points[2, 0]:
        problems.add(f"a middle at {points[1, 0]:g}",
                     f"between {points[0, 0]:g} and {points[2, 0]:g}", column="middle")  # fmt: skip
    problems.raise_any(DataError)
    (x1, y1), (x2, y2), (x3, y3) = points
    slope = (y3 - y1) / (x3 - x1)
    intercept = y1 - slope * x1
    lift = y2 - intercept - slope * x2
    center = (x1 + x3) / 2
    if abs(lift) <= 1e-12 * max(abs(y3 - y1), 1.0):
        return Arc(intercept, slope, center, 0.0, np.inf, 1.0)
    # equally far from (x1, 0) and from (x2, lift)
    y = ((x1 - center) ** 2 - (x2 - center) ** 2 - lift**2) / (-2 * lift)
    radius = float(np.hypot(x1 - center, y))
    return Arc(intercept, slope, center, float(y), radius, 1.0 if lift > 0 else -1.0)
