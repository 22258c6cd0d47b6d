"""Ranks: a sort in Python, scipy's ranks, draws as a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from perfmethod.grading import rank, ties

few = st.integers(0, 3).map(float)  # few values, so many ties


@st.composite
def tables(draw, rows: int = 1, keys: int = 2):
    """Totals and keys (rows, u) and pools (u,)."""
    u = draw(st.integers(1, 8))
    cell = st.lists(st.lists(few, min_size=u, max_size=u), min_size=rows, max_size=rows)
    arrays = [np.array(draw(cell)) for _ in range(1 + draw(st.integers(0, keys)))]
    pools = np.array(draw(st.lists(st.integers(0, 3), min_size=u, max_size=u)))
    return arrays[0], arrays[1:], pools


def slow_rank(totals, keys, pools) -> list[int]:
    """One more than the number of units of the pool that are better."""
    marks = list(zip(totals, *keys, strict=True))
    return [
        1 + sum(other > mark for other, q in zip(marks, pools, strict=True) if q == p)
        for mark, p in zip(marks, pools, strict=True)
    ]


@given(tables())
def test_slow_twin(table) -> None:
    (totals,), keys, pools = table[0], [key[0] for key in table[1]], table[2]
    assert rank(totals, keys, by=pools).tolist() == slow_rank(totals, keys, pools)
    assert rank(totals, keys).tolist() == slow_rank(totals, keys, pools * 0)


@given(tables(rows=3, keys=0))
def test_scipy_agrees(table) -> None:
    totals = table[0]
    np.testing.assert_array_equal(rank(totals), rankdata(-totals, method="min", axis=-1))


@given(tables(rows=4))
def test_draws_are_a_loop(table) -> None:
    totals, keys, pools = table
    together = rank(totals, keys, by=pools)
    alone = [rank(totals[k], [key[k] for key in keys], by=pools) for k in range(len(totals))]
    np.testing.assert_array_equal(together, alone)


@given(tables(rows=3))
def test_leading_axes_broadcast(table) -> None:
    totals, keys, _ = table
    one = [key[0] for key in keys]  # keys without draws under totals with draws, and the reverse
    np.testing.assert_array_equal(rank(totals, one), [rank(row, one) for row in totals])
    expected = [rank(totals[0], [key[k] for key in keys]) for k in range(len(totals))]
    if keys:
        np.testing.assert_array_equal(rank(totals[0], keys), expected)
    cube = np.stack([totals, totals[::-1]])
    np.testing.assert_array_equal(rank(cube, one)[1], rank(totals[::-1], one))


@given(tables(), st.randoms(use_true_random=False))
def test_order_of_units_does_not_matter(table, random) -> None:
    totals, keys, pools = table
    order = list(range(totals.shape[-1]))
    random.shuffle(order)
    moved = rank(totals[:, order], [key[:, order] for key in keys], by=pools[order])
    np.testing.assert_array_equal(moved, rank(totals, keys, by=pools)[:, order])


@given(tables())
def test_ties_are_the_shared_ranks(table) -> None:
    (totals,), keys, pools = table[0], [key[0] for key in table[1]], table[2]
    marks = list(zip(pools.tolist(), totals, *keys, strict=True))
    shared = {tuple(j for j, m in enumerate(marks) if m == mark) for mark in marks}
    groups = ties(totals, keys, by=pools)
    assert set(groups) == {group for group in shared if len(group) > 1}
    firsts = [(pools[g[0]], rank(totals, keys, by=pools)[g[0]]) for g in groups]
    assert firsts == sorted(firsts)


def test_keys_break_ties_in_turn_and_only_ties() -> None:
    totals, first, second = [80, 80, 80, 90], [1, 2, 1, 0], [5, 0, 6, 0]
    assert rank(totals, [first, second]).tolist() == [4, 2, 3, 1]
    assert rank(totals, [first]).tolist() == [3, 2, 3, 1]
    assert rank(totals, [second, first]).tolist() == [3, 4, 2, 1]


def test_the_smallest_difference_counts() -> None:
    assert rank([80, np.nextafter(80, 81)], [[9, 0]]).tolist() == [2, 1]


def test_missing_key_comes_after_every_number() -> None:
    keys = [[math.nan, -1e9, math.nan]]
    assert rank([80, 80, 80], keys).tolist() == [2, 1, 2]
    assert ties([80, 80, 80], keys) == ((0, 2),)


def test_infinite_totals_rank_at_the_ends() -> None:
    assert rank([0, -math.inf, math.inf, -math.inf]).tolist() == [2, 3, 1, 3]


def test_no_units() -> None:
    assert rank(np.empty((3, 0))).shape == (3, 0)
    assert ties([]) == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            dict(totals=[[1, 2], [math.nan, 1]]),
            r"1 of 4 totals are NaN, the first at index \(1, 0\)",
        ),
        (dict(totals=3.0), "totals are one number"),
        (dict(totals=[1, 2], by=[0]), r"pools have shape \(1,\); one code for each of 2 units"),
        (dict(totals=[1, 2], by=[0, -1]), r"pools are \[0, -1\]; whole numbers from 0"),
        (dict(totals=[1, 2], by=[0.0, 1.0]), r"pools are \[0.0, 1.0\]; whole numbers from 0"),
    ],
)
def test_refusals(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rank(**arguments)


def test_ties_want_one_row() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3\); one row"):
        ties(np.zeros((2, 3)))
