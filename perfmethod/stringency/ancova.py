"""Group effects of a panel's scores beyond anchors: one slope for all groups, on plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["Ancova", "ancova"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ancova:
    """Analysis of covariance with one slope per anchor, pooled within the groups.

    Attributes
    ----------
    labels : tuple of str (g,)
    code : ndarray of int (u,)
        Group of each unit.
    sizes : ndarray (g,)
    panel, anchors : ndarray (u,), (u, a)
        What was fitted.
    slopes, slopes_se : ndarray (a,)
        Points of the panel's score per point of each anchor, inside groups.
    raw : ndarray (g,)
        Mean of the panel's scores less slopes times means of the anchors.
    effects : ndarray (g,)
        The same, less their mean: how much higher the group stands than its anchors say.
        Negative where the panel is strict, if no true performance is behind it.
    unit_cov : ndarray (g, g)
        Covariance of `raw` in units of the residual variance.
    sigma : float
        Residual standard deviation within groups.
    df : int
        Its degrees of freedom.
    f, p : float
        F test of any group effect, with g - 1 and df degrees of freedom.
    """

    labels: tuple[str, ...]
    code: NDArray[np.intp] = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)
    panel: Array = field(repr=False)
    anchors: Array = field(repr=False)
    slopes: Array
    slopes_se: Array
    raw: Array = field(repr=False)
    effects: Array
    unit_cov: Array = field(repr=False)
    sigma: float
    df: int
    f: float
    p: float

    @property
    def effects_cov(self) -> Array:
        """Estimated covariance of `effects`, (g, g)."""
        center = np.eye(len(self.sizes)) - 1 / len(self.sizes)
        found: Array = self.sigma**2 * center @ self.unit_cov @ center
        return found

    @property
    def effects_se(self) -> Array:
        """Standard errors of `effects`, (g,)."""
        return np.sqrt(np.diag(self.effects_cov))

    @property
    def panel_means(self) -> Array:
        """Mean of the panel's scores by group, (g,)."""
        return np.bincount(self.code, self.panel) / self.sizes

    @property
    def anchor_means(self) -> Array:
        """Means of the anchors by group, (g, a)."""
        return group_means(self.anchors, self.code, len(self.sizes))


def ancova(panel: ArrayLike, anchors: ArrayLike, groups: Sequence[object] | ArrayLike) -> Ancova:
    """Fit panel = group + slopes x anchors, with one slope per anchor for all groups.

    What a group's own panel gives its units is their performance plus the panel's generosity, and
    no amount of such scores tells the two apart. Anchors scored by others do, as far as the panel's
    true scores have no group effect beyond them, which no data can show.

    Parameters
    ----------
    panel : array_like (u,)
        Scores given by each group's own panel.
    anchors : array_like (u, a)
        Scores that others gave all units on one scale.
    groups : sequence (u,)

    Returns
    -------
    Ancova

    Raises
    ------
    DataError
        If a value is missing, there is no anchor, an anchor does not vary within groups or repeats
        the others, there is one group only, a group has one unit, or too few units for the error;
        all problems at once.

    References
    ----------
    Cochran, "Analysis of covariance: its nature and uses", *Biometrics* 13 (1957), 261-281.

    Examples
    --------
    >>> found = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> found.slopes.round(3).tolist(), found.effects.round(3).tolist(), round(found.p, 4)
    ([2.0], [-5.167, 5.167], 0.0001)
    """
    y, x, code, labels = _checked(panel, anchors, groups)
    sizes = np.bincount(code)
    yw, xw = within(y, code, len(labels)), within(x, code, len(labels))
    cross = xw.T @ xw
    inverse = np.linalg.inv(cross)
    slopes = inverse @ (xw.T @ yw)
    residual = yw - xw @ slopes
    df = y.size - len(labels) - x.shape[1]
    sigma2 = float(residual @ residual) / df
    means = group_means(x, code, len(labels))
    raw = np.bincount(code, y) / sizes - means @ slopes
    unit_cov = np.diag(1 / sizes) + means @ inverse @ means.T
    f, p = _f_test(y, x, sigma2, df, len(labels) - 1)
    return Ancova(
        labels, code, sizes.astype(np.int64), y, x, slopes, np.sqrt(sigma2 * np.diag(inverse)), raw,
        raw - raw.mean(), unit_cov, float(np.sqrt(sigma2)), df, f, p,
    )  # fmt: skip


def group_means(x: Array, code: NDArray[np.intp], groups: int) -> Array:
    """Means (g, a) of columns (u, a) by group."""
    total = np.zeros((groups, x.shape[1]))
    np.add.at(total, code, x)
    return total / np.bincount(code, minlength=groups)[:, None]


def within(x: Array, code: NDArray[np.intp], groups: int) -> Array:
    """Values (u,) or (u, a) less the mean of their group."""
    columns = x[:, None] if x.ndim == 1 else x
    return (columns - group_means(columns, code, groups)[code]).reshape(x.shape)


def _f_test(y: Array, x: Array, sigma2: float, df: int, between: int) -> tuple[float, float]:
    from scipy.special import fdtrc

    design = np.column_stack([np.ones(y.size), x])
    rest = y - design @ np.linalg.lstsq(design, y)[0]
    f = (float(rest @ rest) - sigma2 * df) / between / sigma2
    return max(f, 0.0), float(fdtrc(between, df, max(f, 0.0)))


def _checked(
    panel: ArrayLike, anchors: ArrayLike, groups: Sequence[object] | ArrayLike
) -> tuple[Array, Array, NDArray[np.intp], tuple[str, ...]]:
    y, x = np.asarray(panel, dtype=float), np.asarray(anchors, dtype=float)
    names = np.asarray(groups, dtype=object)
    problems = Problems("stringency")
    if y.ndim != 1 or x.ndim != 2 or not (len(y) == len(x) == len(names)):
        problems.add(f"shapes {y.shape}, {x.shape} and {names.shape}", "(u,), (u, a) and (u,)")
        problems.raise_any(DataError)
    labels, code = np.unique([str(n) for n in names], return_inverse=True)
    for name, values in (("panel", y[:, None]), ("anchors", x)):
        if n := int((~np.isfinite(values)).any(axis=1).sum()):
            problems.add(f"{n} units without a finite score", "a score for every unit", column=name)
    if x.shape[1] == 0:
        allowed = ("1 or more: without any, a panel's stringency and its units' performance cannot "
                   "be told apart by any amount of data")  # fmt: skip
        problems.add("no anchor", allowed, column="anchors")
    if len(labels) < 2:
        problems.add(f"{len(labels)} group", "2 or more", column="groups")
    for label, n in zip(labels, np.bincount(code), strict=True):
        if n < 2:
            allowed = "2 or more units in a group (leave it out, or join it to another panel's)"
            problems.add(f"group '{label}' of {n} unit", allowed, column="groups")
    if not problems.items:
        _check_slopes(problems, y, x, code, len(labels))
    problems.raise_any(DataError)
    return y, x, code, tuple(str(s) for s in labels)


def _check_slopes(
    problems: Problems, y: Array, x: Array, code: NDArray[np.intp], groups: int
) -> None:
    if len(y) - groups - x.shape[1] < 1:
        problems.add(f"{len(y)} units", f"more than {groups + x.shape[1]}, the groups and anchors")
        return
    xw, scale = within(x, code, groups), np.abs(x).max(axis=0) + 1e-300
    flat = np.abs(xw).max(axis=0) <= 1e-9 * scale
    for j in np.flatnonzero(flat):
        problems.add(f"anchor {j + 1} of {x.shape[1]} the same for all units of a group",
                     "an anchor that varies within groups", column="anchors")  # fmt: skip
    sd = np.where(flat, 1.0, np.sqrt((xw**2).mean(axis=0)))
    if not flat.any() and np.linalg.matrix_rank(xw / sd, tol=1e-7) < x.shape[1]:
        problems.add("anchors that repeat each other", "anchors none of which follows from the "
                     "others", column="anchors")  # fmt: skip
    yw = within(y, code, groups)
    if not problems.items:
        left = yw - xw @ np.linalg.lstsq(xw, yw)[0]
        if np.abs(left).max() <= 1e-9 * (np.abs(y).max() + 1e-300):
            problems.add("scores that the anchors explain without any error", "some error: nothing "
                         "else says how sure a group's difference is", column="panel")  # fmt: skip
