"""Tables of ballots within raters: against cells of `Moments`, and against whole matrices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import PerfmethodError
from perfmethod.reduction import NestedTables, nested_tables
from perfmethod.reliability import ClusterMoments, Moments, variance_components
from perfmethod.reliability.cells import Cells
from perfmethod.reliability.henderson import henderson_components
from perfmethod.reliability.reduced_fit import nested_components, nested_henderson
from tests.dense_likelihood import Dense

UNITS, DIMENSIONS = 4, 3
RANDOM = ["unit", "rater", "unit:rater"]


def survey(seed: int, n: int = 90, raters: int = 8) -> dict[str, np.ndarray]:
    """Answers with everything odd: a dimension twice on a ballot, ballots of every size."""
    rng = np.random.default_rng(seed)
    rater, unit, dimension = (rng.integers(0, k, n) for k in (raters, UNITS, DIMENSIONS))
    effect = rng.normal(0, 8, raters)[rater] + rng.normal(0, 6, UNITS)[unit]
    halo = rng.normal(0, 9, (raters, UNITS))[rater, unit]
    y = np.rint(70 + effect + halo + rng.normal(0, 7, n)).astype(int)
    return {"rater": rater, "unit": unit, "dimension": dimension, "y": y}


def reduced(data: dict[str, np.ndarray], rows: Any = slice(None), shift: int = 0) -> NestedTables:
    rater, unit, dimension, y = (data[k][rows] for k in ("rater", "unit", "dimension", "y"))
    y = y - shift
    cell = unit * DIMENSIONS + dimension
    return nested_tables(rater, rater * UNITS + unit, cell, np.ones(len(y), int), y, y**2)


def same(a: NestedTables, b: NestedTables) -> None:
    for name, table in a.tables().items():
        other = b.tables()[name]
        assert table.dtype == other.dtype == np.int64, name
        np.testing.assert_array_equal(table, other, err_msg=name)


@given(st.integers(0, 2**32 - 1), st.integers(0, 70), st.integers(1, 5), st.integers(-99, 99))
@settings(max_examples=40)
def test_pieces_that_split_no_rater_add_up_to_the_same_bits(
    seed: int, n: int, pieces: int, shift: int
) -> None:
    data, rng = survey(seed, n), np.random.default_rng(seed)
    whole = reduced(data)
    home = rng.integers(0, pieces, 8)[data["rater"]]
    parts = [reduced(data, home == k) for k in rng.permutation(pieces)]
    total = parts[0]
    for part in parts[1:]:
        total = part + total
    same(total, whole)
    same(reduced(data, rng.permutation(n)), whole)
    same(replace(whole.shifted(shift), origin=0), reduced(data, shift=shift))


def test_the_tables_are_what_they_say() -> None:
    data = survey(3)
    found = reduced(data)
    moments = Moments.of(data["y"], {k: data[k] for k in ("rater", "unit", "dimension")})
    ballots, place = moments.cells.group(("unit", "rater"))
    sizes = np.bincount(place, moments.counts).astype(int)
    totals = np.bincount(place, moments.sums).astype(int)
    rater = np.array([label[1] for label in ballots.labels()])
    for kind in range(len(found.raters)):
        of_type = [
            r for r in np.unique(rater)
            if all(((sizes == n) & (rater == r)).sum() == k
                   for n, k in zip(found.sizes, found.types[kind], strict=True))
        ]  # fmt: skip
        assert len(of_type) == found.raters[kind]
        for i, n in enumerate(found.sizes):
            of_size = [totals[(rater == r) & (sizes == n)].sum() for r in of_type]
            assert sum(of_size) == found.rater_totals[kind, i]
    assert found.ballots.sum() == len(ballots)
    assert (found.raters @ found.types @ found.sizes) == len(data["y"]) == found.total
    by_size = [(totals[sizes == n] ** 2).sum() for n in found.sizes]
    assert found.ballot_squares.tolist() == by_size


@pytest.mark.parametrize("cluster", [("rater",), ("unit", "rater")])
@pytest.mark.parametrize("facets", [("unit", "dimension"), ("unit",), ()])
@pytest.mark.parametrize("seed", range(4))
def test_clusters_from_tables_are_those_of_moments(
    seed: int, facets: tuple[str, ...], cluster: tuple[str, ...]
) -> None:
    data = survey(seed)
    moments = Moments.of(data["y"], {k: data[k] for k in ("rater", "unit", "dimension")})
    a = ClusterMoments.of(moments, cluster, facets)
    cells = moments.cells.group(("unit", "dimension"))[0]
    kept, place = cells.group(facets)
    b = ClusterMoments.of_tables(reduced(data), cluster, (kept, place))
    for name in ("counts", "sums", "square", "sizes", "clusters", "squares", "cross"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_array_equal(a.pairs.places, b.pairs.places)
    np.testing.assert_array_equal(a.pairs.values, b.pairs.values)
    assert a.cells.levels == b.cells.levels


def fitted(data: dict[str, np.ndarray], fixed: list[str], method: str) -> Any:
    codes = np.stack(np.divmod(np.unique(data["unit"] * DIMENSIONS + data["dimension"]), 3))
    cells = Cells(("unit", "dimension"), (tuple(range(UNITS)), tuple(range(DIMENSIONS))), codes)
    place = np.arange(codes.shape[1])
    return nested_components(reduced(data), (cells, place), RANDOM, fixed, method, 0)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("fixed", [[], ["dimension"]])
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_the_fit_is_that_of_whole_matrices(seed: int, fixed: list[str], method: str) -> None:
    data = survey(seed, 160, 14)
    found = fitted(data, fixed, method)
    assert found.converged
    columns = {k: data[k] for k in ("unit", "rater", "dimension")}
    dense = Dense(data["y"], columns, RANDOM, fixed)
    assert found.criterion == pytest.approx(dense.criterion(found.variances, method), abs=1e-6)
    other = variance_components(Moments.of(data["y"], columns), RANDOM, fixed, method=method)
    np.testing.assert_allclose(found.variances, other.variances, rtol=2e-5, atol=1e-6)
    assert found.levels == other.levels
    with pytest.raises(PerfmethodError, match="do not tell them apart"):
        found.effects("rater")
    np.testing.assert_allclose(found.effects("unit"), other.effects("unit"), rtol=1e-4, atol=1e-5)


def test_henderson_from_sizes_and_types_is_that_of_the_clusters() -> None:
    data = survey(7)
    moments = Moments.of(data["y"], {k: data[k] for k in ("rater", "unit", "dimension")})
    table = ClusterMoments.of(moments, ("unit", "rater"), ["rater"])
    expected = henderson_components(table, ["rater"])
    np.testing.assert_allclose(nested_henderson(reduced(data, shift=70)), expected, rtol=1e-9)


def test_complete_ballots_need_tables_that_do_not_grow() -> None:
    sizes = []
    for raters in (2_000, 8_000):
        rng = np.random.default_rng(0)
        rater = np.repeat(np.arange(raters), 6)
        unit = np.tile(np.repeat([0, 1, 2], 2), raters) % UNITS
        y = rng.integers(0, 100, len(rater))
        cell = unit * 2 + np.tile([0, 1], 3 * raters)
        ones = np.ones(len(y), int)
        found = nested_tables(rater, rater * UNITS + unit, cell, ones, y, y**2)
        sizes.append(found.integers)
    assert sizes[0] == sizes[1] < 120


def test_squares_that_do_not_fit_are_refused() -> None:
    big = np.array([2**31, 2**31, 2**31])
    rows = np.zeros(3, int), np.arange(3), np.zeros(3, int), np.ones(3, int)
    with pytest.raises(PerfmethodError, match="squares of"):
        nested_tables(*rows, big, big**2 // 4)
    one = np.zeros(1, int)
    part = nested_tables(one, one, one, one + 1, big[:1] // 2, big[:1] ** 2 // 4)
    with pytest.raises(PerfmethodError, match="squares of raters' totals"):
        part + part + part + part
