"""Pairwise comparison matrices for tests: consistent, random, incomplete."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import strategies as st

NAN = np.nan
BOTH = ["eigenvector", "geometric_mean"]
SCALE = [1 / 9, 1 / 7, 1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5, 7, 9]


def reciprocal(upper: list[float], n: int) -> np.ndarray:
    """Reciprocal matrix from the judgments above the diagonal, row by row."""
    a = np.eye(n)
    for (i, j), value in zip(combinations(range(n), 2), upper, strict=True):
        a[i, j], a[j, i] = value, 1 / value
    return a


def consistent(weights: list[float]) -> np.ndarray:
    w = np.array(weights)
    return w[:, None] / w


@st.composite
def judgments(draw: st.DrawFn, low: int = 3, high: int = 7) -> np.ndarray:
    n = draw(st.integers(low, high))
    count = n * (n - 1) // 2
    return reciprocal(draw(st.lists(st.sampled_from(SCALE), min_size=count, max_size=count)), n)


@st.composite
def blanks(draw: st.DrawFn, matrix: np.ndarray) -> np.ndarray:
    """The matrix with some pairs blank, a random tree of comparisons kept."""
    n, kept = len(matrix), np.eye(len(matrix), dtype=bool)
    for j in range(1, n):
        i = draw(st.integers(0, j - 1))
        kept[i, j] = kept[j, i] = True
    for i, j in combinations(range(n), 2):
        if draw(st.booleans()):
            kept[i, j] = kept[j, i] = True
    return np.where(kept, matrix, NAN)


@st.composite
def incomplete(draw: st.DrawFn) -> np.ndarray:
    return draw(blanks(draw(judgments(3, 6))))
