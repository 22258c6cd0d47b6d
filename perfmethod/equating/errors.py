"""Standard errors of links by resampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["bootstrap_errors"]


def bootstrap_errors(
    link: Callable[..., Callable[[ArrayLike], NDArray[np.float64]]],
    groups: Sequence[Sequence[ArrayLike]],
    at: ArrayLike,
    *,
    draws: int = 200,
    seed: int = 0,
    **options: Any,
) -> NDArray[np.float64]:
    """Standard error of a link at some scores, each group resampled for itself.

    Parameters
    ----------
    link : callable
        `mean_link`, `linear_link`, `tucker_link`, ...; called with all columns of all groups.
    groups : sequence of sequence of array_like
        The columns of each group, e.g. ``[(x, x_anchor), (y, y_anchor)]``.
    at : array_like (s,)
        Scores at which the error is wanted.
    draws : int, default 200
    seed : int, default 0
    **options
        Passed on to `link`.

    Returns
    -------
    ndarray (s,)

    Raises
    ------
    DataError
        If there are fewer than two draws, or a resample cannot be linked (for instance because its
        scores are all alike), as happens in small groups.

    References
    ----------
    Kolen and Brennan (2014), 7.2.

    Examples
    --------
    >>> from perfmethod.equating import mean_link
    >>> bootstrap_errors(mean_link, [([70, 80, 90],), ([75, 95, 97],)], [80]).round(1).tolist()
    [7.5]
    """
    problems = Problems("equating")
    if draws < 2:
        problems.add(f"{draws} draws", "2 or more", column="draws")
    tables = [np.array([np.asarray(c, dtype=float) for c in columns]) for columns in groups]
    problems.raise_any(DataError)
    rng, scores = np.random.default_rng(seed), np.asarray(at, dtype=float)
    found = np.empty((draws, scores.size))
    for k in range(draws):
        taken = [t[:, rng.integers(0, t.shape[1], t.shape[1])] for t in tables]
        found[k] = link(*(column for table in taken for column in table), **options)(scores)
    return found.std(axis=0, ddof=1)
