"""Base samples of a model's inputs, and who its factors are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import is_whole
from perfmethod.uncertainty import is_symmetric

__all__ = ["Inputs", "correlated_inputs", "correlated_uniforms", "independent"]

Array = NDArray[np.float64]
Model = Callable[[Array], ArrayLike]


class Sample(Protocol):
    """Draws points of the inputs' joint distribution."""

    def __call__(self, rng: np.random.Generator, n: int, /) -> Array:
        """Return points (n, d)."""
        ...


class Redraw(Protocol):
    """Draws some inputs again, given the others."""

    def __call__(self, rng: np.random.Generator, x: Array, columns: Sequence[int], /) -> Array:
        """Return points (n, d) that differ from `x` in `columns` only."""
        ...


class Inputs(NamedTuple):
    """Inputs that may depend on each other.

    Parameters
    ----------
    sample : callable
        ``sample(rng, n)`` returns n points (n, d) of the joint distribution.
    redraw : callable
        ``redraw(rng, x, columns)`` returns `x` with those columns drawn anew from their
        conditional distribution given the other columns of the same row.
    """

    sample: Sample
    redraw: Redraw


def independent(d: int) -> Inputs:
    """Uniform inputs on the unit cube that know nothing of each other.

    Examples
    --------
    >>> inputs, rng = independent(3), np.random.default_rng(0)
    >>> x = inputs.sample(rng, 2)
    >>> (inputs.redraw(rng, x, [1]) == x).all(0).tolist()
    [True, False, True]
    """

    def redraw(rng: np.random.Generator, x: Array, columns: Sequence[int]) -> Array:
        out = x.copy()
        # all columns are drawn, so that one generator gives a column the same values every time
        out[:, list(columns)] = rng.random(x.shape)[:, list(columns)]
        return out

    return Inputs(lambda rng, n: rng.random((n, d)), redraw)


def correlated_inputs(mean: ArrayLike, covariance: ArrayLike) -> Inputs:
    """Normal inputs with a given mean and covariance.

    Parameters
    ----------
    mean : array_like (d,)
    covariance : array_like (d, d)
        Positive definite.

    Returns
    -------
    Inputs

    Raises
    ------
    ValueError
        If shapes do not fit or the covariance is not positive definite.

    Examples
    --------
    >>> inputs = correlated_inputs([0, 0], [[1, 0.8], [0.8, 1]])
    >>> x = inputs.sample(np.random.default_rng(0), 4000)
    >>> bool(abs(np.corrcoef(x.T)[0, 1] - 0.8) < 0.02)
    True
    """
    center, spread = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    if center.ndim != 1 or spread.shape != (len(center), len(center)):
        raise ValueError(f"found shapes {center.shape} and {spread.shape}; allowed: (d,), (d, d)")
    if not is_symmetric(spread) or np.linalg.eigvalsh(spread).min() <= 0:
        raise ValueError("found a covariance that is not symmetric and positive definite")
    spread = (spread + spread.T) / 2  # no rounding of the one half
    root = np.linalg.cholesky(spread)

    def redraw(rng: np.random.Generator, x: Array, columns: Sequence[int]) -> Array:
        out, new = x.copy(), list(columns)
        kept = [j for j in range(len(center)) if j not in new]
        slope = np.linalg.solve(spread[np.ix_(kept, kept)], spread[np.ix_(kept, new)])
        left = spread[np.ix_(new, new)] - spread[np.ix_(new, kept)] @ slope
        # all columns are drawn, as in `independent`
        noise = rng.standard_normal(x.shape)[:, new] @ np.linalg.cholesky(left).T
        out[:, new] = center[new] + (x[:, kept] - center[kept]) @ slope + noise
        return out

    return Inputs(lambda rng, n: center + rng.standard_normal((n, len(center))) @ root.T, redraw)


def correlated_uniforms(correlation: ArrayLike) -> Inputs:
    """Uniform inputs on the unit cube joined by a Gaussian copula.

    Parameters
    ----------
    correlation : array_like (d, d)
        Of the normal scores.

    Returns
    -------
    Inputs

    Raises
    ------
    ValueError
        If it is no correlation matrix.

    References
    ----------
    Iman R. L., Conover W. J. (1982), A distribution-free approach to inducing rank correlation
    among input variables, Communications in Statistics B 11, 311-334.

    Examples
    --------
    >>> x = correlated_uniforms([[1, 0.8], [0.8, 1]]).sample(np.random.default_rng(0), 1000)
    >>> bool(0 < x.min() and x.max() < 1)
    True
    """
    from scipy.special import ndtr, ndtri

    matrix = np.asarray(correlation, dtype=float)
    if matrix.ndim != 2 or not np.allclose(np.diagonal(matrix), 1):
        raise ValueError("found a matrix whose diagonal is not 1; allowed: a correlation matrix")
    scores = correlated_inputs(np.zeros(len(matrix)), matrix)

    def redraw(rng: np.random.Generator, x: Array, columns: Sequence[int]) -> Array:
        out, new = x.copy(), list(columns)
        # only the new columns: a round trip would change the last bits of the others
        out[:, new] = ndtr(scores.redraw(rng, ndtri(x), columns))[:, new]
        return out

    return Inputs(lambda rng, n: np.asarray(ndtr(scores.sample(rng, n))), redraw)


def columns_of(factors: int | Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Columns of each factor; every column belongs to exactly one.

    Raises
    ------
    ValueError
        If a column is missing, used twice, or a factor has none.

    Examples
    --------
    >>> columns_of(2), columns_of({"weights": [0, 2], "rule": [1]})
    ({'x1': [0], 'x2': [1]}, {'weights': [0, 2], 'rule': [1]})
    """
    if not isinstance(factors, Mapping):
        if not is_whole(factors):
            raise ValueError(f"found factors {factors!r}; allowed: a whole number or a mapping")
        found = {f"x{i + 1}": [i] for i in range(int(factors))}
    else:
        found = {str(name): [int(j) for j in columns] for name, columns in factors.items()}
    used = sorted(j for columns in found.values() for j in columns)
    empty = [name for name, columns in found.items() if not columns]
    if not found or empty or used != list(range(len(used))):
        raise ValueError(
            f"found factors with columns {used}"
            + (f", and none for {', '.join(empty)}" if empty else "")
            + "; allowed: at least one factor, each column from 0 on in exactly one"
        )
    return found


def base_sample(
    kind: str, rng: np.random.Generator, n: int, d: int, replicates: int = 0
) -> tuple[Array, Array]:
    """Two independent samples (n, d) of the unit cube.

    Parameters
    ----------
    kind : {'sobol', 'random'}
        'sobol': scrambled Sobol' sequences of 2d dimensions, whose lengths are powers of 2.
    rng : numpy.random.Generator
    n, d : int
    replicates : int
        Parts of n / replicates rows, each scrambled on its own; 0 for one sequence.

    Raises
    ------
    ValueError
        If the kind is unknown or n does not suit it.
    """
    if not (is_whole(n) and is_whole(replicates)):
        raise ValueError(f"found n {n!r} and {replicates!r} replicates; allowed: whole numbers")
    n, parts = int(n), int(replicates) or 1
    if n < 2 or n % parts or replicates < 0 or replicates == 1:
        raise ValueError(f"found n {n} and {replicates} replicates; allowed: n from 2, a multiple "
                         "of the replicates, of which there are none or at least 2")  # fmt: skip
    if kind == "random":
        return rng.random((n, d)), rng.random((n, d))
    if kind != "sobol":
        raise ValueError(f"sampler: found {kind!r}; allowed: 'sobol' or 'random'")
    size = n // parts
    if size & (size - 1):
        near = 1 << (size.bit_length() - 1)
        each = " in each replicate" if replicates else ""
        raise ValueError(
            f"n: found {size} rows{each}; allowed with 'sobol': a power of 2, such as {near} or "
            f"{2 * near}, for the sequence is balanced only there"
        )
    from scipy.stats import qmc

    points = [qmc.Sobol(2 * d, scramble=True, seed=rng).random(size) for _ in range(parts)]
    both = np.concatenate(points)
    return both[:, :d], both[:, d:]


def outputs_of(model: Model, x: Array) -> Array:
    """Outputs of the model (n, m); a model with one output may return (n,).

    Raises
    ------
    ValueError
        If the model returned another number of rows, or numbers that are not finite.
    """
    from perfmethod.sensitivity.estimators import need_finite

    found: Any = np.asarray(model(x), dtype=float)
    if found.ndim not in (1, 2) or len(found) != len(x):
        raise ValueError(
            f"the model returned shape {found.shape} for {len(x)} points; allowed: ({len(x)},) or "
            f"({len(x)}, m)"
        )
    need_finite(found)
    return found if found.ndim == 2 else found[:, None]


def named(outputs: Sequence[str] | None, m: int) -> tuple[str, ...]:
    """Names of the outputs: those given, or "y1", "y2", ...

    Raises
    ------
    ValueError
        If the number of names is another, or one is given twice.
    """
    names = tuple(f"y{j + 1}" for j in range(m)) if outputs is None else tuple(map(str, outputs))
    if len(names) != m or len(set(names)) != m:
        raise ValueError(f"found {len(names)} names of outputs ({len(set(names))} different); "
                         f"allowed: one different name for each of the {m}")  # fmt: skip
    return names
