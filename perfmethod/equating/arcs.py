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
    x_center, half : float
        Middle between the ends, and the distance from it to either.
    depth : float
        Distance of the circle's center from the chord, on the side away from the arc; infinite is
        no arc at all.
    sign : float
        1 where the arc lies above the line, -1 below.
    """

    intercept: float
    slope: float
    x_center: float
    half: float
    depth: float
    sign: float

    @property
    def y_center(self) -> float:
        """Height of the circle's center over the chord."""
        return -self.sign * self.depth

    @property
    def radius(self) -> float:
        """Radius of the circle."""
        return float(np.hypot(self.half, self.depth))

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Scores (...) on the scale of the other form; NaN outside the circle."""
        s = np.asarray(x, dtype=float)
        line = self.intercept + self.slope * s
        if not np.isfinite(self.depth):
            return line
        away = s - self.x_center
        inside = (self.half - away) * (self.half + away)  # exactly 0 at the ends
        # root(depth^2 + inside) - depth, which would lose its digits where the arc is flat
        with np.errstate(invalid="ignore"):
            below = np.sqrt(self.depth**2 + inside) + self.depth
        rise = np.divide(inside, below, out=np.zeros_like(below), where=below != 0)
        return np.asarray(line + self.sign * rise)


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
        If a point is not finite, the middle does not lie between the ends, or it is so far off the
        line through them that the arc would be more than a half circle.

    Notes
    -----
    The square of the middle's distance from the line may be at most the product of its distances to
    the two ends: a middle of 95 leaves 21.8 points. Beyond that the circle bulges out over an end,
    has two values there, and no function meets all three points. A link is bent so much only where
    one mean does not tell how the forms relate. Well before that the link falls near one end, and
    leaves the scale there, if the arc is steeper than the line.

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
    center, half, room = (x1 + x3) / 2, (x3 - x1) / 2, (x2 - x1) * (x3 - x2)
    if abs(lift) <= 1e-12 * max(abs(y3 - y1), 1.0):
        return Arc(intercept, slope, center, half, np.inf, 1.0)
    if lift**2 > room * (1 + 1e-12):
        problems.add(
            f"a middle at ({x2:g}, {y2:g}), {abs(lift):g} points off the line through the ends, "
            "where the arc is more than a half circle and no function",
            f"at most {np.sqrt(room):.4g} points off it there", column="middle",
        )  # fmt: skip
        problems.raise_any(DataError)
    depth = max(room - lift**2, 0.0) / (2 * abs(lift))  # equally far from (x1, 0) and (x2, lift)
    return Arc(intercept, slope, center, half, float(depth), 1.0 if lift > 0 else -1.0)
