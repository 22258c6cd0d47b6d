"""Estimators of variance-based indices from pick-freeze samples, and their bootstrap.

Letters of shapes: ``n`` rows of the sample, ``m`` outputs, ``r`` resamples, ``g`` factors.
``f_a`` and ``f_b`` are the model's outputs on two independent samples A and B, ``f_ab`` on A with
the columns of one factor taken from B.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest

__all__ = ["FIRST_ORDER", "TOTAL", "RowMeans", "chosen", "sobol_indices"]

Array = NDArray[np.float64]
Mean = Callable[[Array], Array]
Estimator = Callable[[Mean, Array, Array, Array, Array], Array]

_AT_ONCE = 128  # resamples in one matrix product: bounds memory, changes no resample
SAME = 1e-12  # outputs whose range is below this share of their size are constant


def saltelli(mean: Mean, f_a: Array, f_b: Array, f_ab: Array, variance: Array) -> Array:
    """First order: mean of f_b (f_ab - f_a) over the variance; exactly 0 for a null factor.

    References
    ----------
    Saltelli A. et al. (2010), Computer Physics Communications 181, 259-270, table 2 (b).
    """
    return ratio(mean(f_b * (f_ab - f_a)), variance)


def jansen_first(mean: Mean, f_a: Array, f_b: Array, f_ab: Array, variance: Array) -> Array:
    """First order: 1 less half the mean square of f_b - f_ab over the variance.

    References
    ----------
    Jansen M. J. W. (1999), Computer Physics Communications 117, 35-43.
    """
    return np.where(variance > 0, 1 - ratio(mean((f_b - f_ab) ** 2) / 2, variance), 0.0)


def janon_first(mean: Mean, f_a: Array, f_b: Array, f_ab: Array, variance: Array) -> Array:
    """First order: the correlation of f_b with f_ab, both taken to have one distribution.

    It has the smallest asymptotic variance among estimators that use these pairs only.

    References
    ----------
    Janon A. et al. (2014), ESAIM: Probability and Statistics 18, 342-364.
    """
    return _exchangeable_correlation(mean, f_b, f_ab)


def jansen_total(mean: Mean, f_a: Array, f_b: Array, f_ab: Array, variance: Array) -> Array:
    """Total: half the mean square of f_a - f_ab over the variance; never negative.

    References
    ----------
    Jansen M. J. W. (1999), Computer Physics Communications 117, 35-43.
    """
    return ratio(mean((f_a - f_ab) ** 2) / 2, variance)


def sobol_total(mean: Mean, f_a: Array, f_b: Array, f_ab: Array, variance: Array) -> Array:
    """Total: mean of f_a (f_a - f_ab) over the variance.

    References
    ----------
    Sobol' I. M. (2007), as in Saltelli et al. (2010), table 2 (e).
    """
    return ratio(mean(f_a * (f_a - f_ab)), variance)


def janon_total(mean: Mean, f_a: Array, f_b: Array, f_ab: Array, variance: Array) -> Array:
    """Total: 1 less the correlation of f_a with f_ab, both taken to have one distribution.

    References
    ----------
    Janon A. et al. (2014), ESAIM: Probability and Statistics 18, 342-364.
    """
    return np.where(variance > 0, 1 - _exchangeable_correlation(mean, f_a, f_ab), 0.0)


FIRST_ORDER: Mapping[str, Estimator] = MappingProxyType(
    {"saltelli": saltelli, "jansen": jansen_first, "janon": janon_first}
)
TOTAL: Mapping[str, Estimator] = MappingProxyType(
    {"jansen": jansen_total, "sobol": sobol_total, "janon": janon_total}
)


def _exchangeable_correlation(mean: Mean, y: Array, z: Array) -> Array:
    center = mean((y + z) / 2) ** 2
    return ratio(mean(y * z) - center, mean((y**2 + z**2) / 2) - center)


def ratio(numerator: Array, denominator: Array) -> Array:
    """Quotient, and 0 where nothing varies.

    Examples
    --------
    >>> ratio(np.array([1.0, 0.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.zeros(shape), where=denominator > 0)


def pooled_variance(mean: Mean, f_a: Array, f_b: Array) -> Array:
    """Variance of the 2n outputs on A and B (divided by 2n)."""
    return mean((f_a**2 + f_b**2) / 2) - mean((f_a + f_b) / 2) ** 2


class RowMeans:
    """Means over the rows of a sample: of the sample itself, then of resamples of its rows.

    With `replicates` the resamples are the sample less one replicate each (jackknife).

    Every index is a function of such means, so an estimator written once gives the point and its
    bootstrap. All means taken with one object use the same resamples.

    Parameters
    ----------
    rows : int
        n.
    resamples : int
        r; 0 for the point only.
    rng : numpy.random.Generator, optional
        Needed where there are resamples.
    replicates : int
        Equal parts of the sample, one after the other, that are independent of each other; 0
        where single rows are.

    Examples
    --------
    >>> mean = RowMeans(4, resamples=2, rng=np.random.default_rng(0))
    >>> mean(np.array([[1.0], [2.0], [3.0], [6.0]])).shape, mean(np.ones((4, 1))).ravel()
    ((3, 1), array([1., 1., 1.]))
    """

    def __init__(
        self,
        rows: int,
        resamples: int = 0,
        rng: np.random.Generator | None = None,
        replicates: int = 0,
    ) -> None:
        counts = np.empty((0, rows), dtype=np.uint16)
        if replicates:
            part = np.arange(rows) // (rows // replicates)
            counts = (part != np.arange(replicates)[:, None]).astype(np.uint16)
        elif resamples:
            if rng is None:
                raise ValueError("found no generator; resamples need one")
            counts = np.concatenate([_counts(rng, rows) for _ in range(resamples)])
        self.counts = counts

    def __call__(self, values: Array) -> Array:
        """Means of `values` (..., n, m) over n: (..., 1 + r, m), the sample's own mean first."""
        means = [values.mean(-2, keepdims=True)]
        for start in range(0, len(self.counts), _AT_ONCE):
            counts = self.counts[start : start + _AT_ONCE].astype(float)
            means.append(counts / counts.sum(1, keepdims=True) @ values)
        return np.concatenate(means, axis=-2)


def _counts(rng: np.random.Generator, rows: int) -> NDArray[np.uint16]:
    """How often each row is in one resample, (1, n)."""
    picked = rng.integers(rows, size=rows)
    return np.bincount(picked, minlength=rows)[None].astype(np.uint16)


def constant_outputs(*outputs: Array) -> NDArray[np.bool_]:
    """Which outputs do not vary, up to rounding, over all arrays (n, m) together."""
    high = np.max([f.max(-2) for f in outputs], axis=0)
    low = np.min([f.min(-2) for f in outputs], axis=0)
    size = np.maximum(np.abs(high), np.abs(low))
    return np.asarray(high - low <= SAME * size)


def sobol_indices(
    f_a: ArrayLike,
    f_b: ArrayLike,
    f_ab: ArrayLike,
    *,
    first: str = "saltelli",
    total: str = "jansen",
    center: bool = True,
    ddof: int = 0,
) -> tuple[Array, Array]:
    """First-order and total indices from outputs that exist already.

    Parameters
    ----------
    f_a, f_b : array_like (n,) or (n, m)
        Outputs on the two independent samples.
    f_ab : array_like (g, n) or (g, n, m)
        Outputs on A with the columns of factor i taken from B.
    first : {'saltelli', 'jansen', 'janon'}
    total : {'jansen', 'sobol', 'janon'}
    center : bool
        Subtract the mean of all outputs on A and B first. It changes the estimators that are
        products, whose variance grows with the mean; False gives their text-book form.
    ddof : int
        The variance of the 2n outputs on A and B is divided by 2n - ddof.

    Returns
    -------
    first, total : ndarray (g,) or (g, m)
        0 for an output that does not vary on A and B.

    Raises
    ------
    ValueError
        If shapes do not fit, an output is not finite, or an estimator is unknown.

    References
    ----------
    Saltelli A. et al. (2010), Variance based sensitivity analysis of model output, Computer
    Physics Communications 181, 259-270. Janon A. et al. (2014), Asymptotic normality and
    efficiency of two Sobol index estimators, ESAIM: P&S 18, 342-364.

    Examples
    --------
    >>> a, b = np.array([[0.0, 1], [1, 0], [1, 1], [0, 0]]), np.array([[1.0, 1], [0, 0], [1, 0],
    ...     [0, 1]])
    >>> model = lambda x: 2 * x[:, 0]                            # the second column counts nothing
    >>> mixed = [np.where(np.arange(2) == i, b, a) for i in range(2)]
    >>> sobol_indices(model(a), model(b), [model(x) for x in mixed])
    (array([1., 0.]), array([1., 0.]))
    """
    a, b, ab = (np.asarray(f, dtype=float) for f in (f_a, f_b, f_ab))
    flat = a.ndim == 1
    if flat:
        a, b, ab = a[:, None], b[:, None], ab[..., None]
    if a.ndim != 2 or a.shape != b.shape or ab.ndim != 3 or ab.shape[1:] != a.shape:
        raise ValueError(
            f"found shapes {np.shape(f_a)}, {np.shape(f_b)}, {np.shape(f_ab)}; allowed: (n,), "
            "(n,), (g, n), or the same with a last axis of outputs"
        )
    need_finite(a, b, ab)
    estimators = chosen("first", first, FIRST_ORDER), chosen("total", total, TOTAL)
    still = constant_outputs(a, b)
    middle = np.where(center, (a.mean(0) + b.mean(0)) / 2, 0.0)
    a, b, ab = (np.where(still, 0.0, f - middle) for f in (a, b, ab))
    mean: Mean = RowMeans(len(a))
    variance = pooled_variance(mean, a, b) * (2 * len(a) / (2 * len(a) - ddof))
    found = [e(mean, a, b, ab, variance)[:, 0] for e in estimators]
    return (found[0][:, 0], found[1][:, 0]) if flat else (found[0], found[1])


def chosen(what: str, name: str, table: Mapping[str, Any]) -> Any:
    """Look a named method up.

    Raises
    ------
    ValueError
        If the table does not have it.

    Examples
    --------
    >>> chosen("total", "jensen", TOTAL)
    Traceback (most recent call last):
    ValueError: total: found 'jensen'; did you mean 'jansen'? Known: janon, jansen, sobol
    """
    if name not in table:
        raise ValueError(f"{what}: found {name!r}; {suggest(name, table)}")
    return table[name]


def need_finite(*outputs: Array) -> None:
    """Refuse outputs that are no numbers: a dropped draw would bias every index.

    Raises
    ------
    ValueError
        If there are any, with their number and the first row.
    """
    for f in outputs:
        bad = ~np.isfinite(f)
        if bad.any():
            where = [int(i) for i in np.argwhere(bad)[0]]
            raise ValueError(
                f"found {int(bad.sum())} outputs that are no finite number, the first at {where}; "
                "allowed: a finite output for every draw"
            )
