"""Robustness on plain arrays: published and independent values, slow twins, laws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod import robustness as rb
from perfmethod.robustness.lines import along, meetings
from perfmethod.robustness.polytope import Rows
from perfmethod.weighting import rank_order_centroid
from tests.small_robust import simplex_grid

NORMS = list(rb.NORMS)


def _flips(case: dict[str, Any]) -> np.ndarray:
    """Changes of one weight, in the order in which the case lists pairs and criteria."""
    inputs = case["inputs"]
    flips = rb.weight_flips(inputs["matrix"], inputs["weights"])
    listed = np.array([row[:3] for row in inputs["all_flips_i_j_k_delta_pct_feasible"]], int) - 1
    return flips[tuple(listed.T)]


KINDS: dict[str, Callable[[dict[str, Any]], np.ndarray]] = {
    "weight_flip": _flips,
    "smaa_pairwise": lambda c: rb.win_probabilities(c["inputs"]["utilities"]),
    "smaa_first_rank": lambda c: rb.acceptability_of_two(c["inputs"]["utilities"])[:, 0],
    "smaa_rank_acceptability": lambda c: rb.acceptability_of_two(c["inputs"]["utilities"]),
}


def test_every_reference_case_is_reproduced(reference: Path) -> None:
    seen = set()
    for file in sorted((reference / "mcda" / "cases").glob("*.json")):
        for kind, run in KINDS.items():
            if file.name.startswith(kind):
                case = json.loads(file.read_text())
                np.testing.assert_allclose(run(case), case["reference"], atol=1e-12, rtol=0)
                seen.add(kind)
    assert seen == set(KINDS)


def test_percent_and_feasibility_of_flips(reference: Path) -> None:
    path = reference / "mcda" / "cases" / "weight_flip_triantaphyllou1997.json"
    inputs = json.loads(path.read_text())["inputs"]
    weights = np.array(inputs["weights"])
    flips = rb.weight_flips(inputs["matrix"], weights)
    rows = inputs["all_flips_i_j_k_delta_pct_feasible"]
    for i, j, k, delta, percent, feasible in rows:
        found = flips[i - 1, j - 1, k - 1]
        assert found == pytest.approx(delta, abs=1e-14)
        assert 100 * found / weights[k - 1] == pytest.approx(percent, abs=1e-9)
        assert (found <= weights[k - 1]) == feasible


def test_a_flip_is_an_end_of_a_stability_interval(reference: Path) -> None:
    """A weight changed alone and one whose siblings make room are the same up to scale."""
    path = reference / "mcda" / "cases" / "weight_flip_triantaphyllou1997.json"
    inputs = json.loads(path.read_text())["inputs"]
    w, flips = np.array(inputs["weights"]), rb.weight_flips(inputs["matrix"], inputs["weights"])
    totals = rb.Ratios.of(inputs["matrix"])
    for i, j, k, *_, feasible in inputs["all_flips_i_j_k_delta_pct_feasible"]:
        root = meetings(totals, w / w.sum(), k - 1, [i - 1], [j - 1])[0, 0]
        new = w[k - 1] - flips[i - 1, j - 1, k - 1]
        expected = new / (w.sum() - w[k - 1] + new)  # the weights of the case sum to 1.0001
        assert (root == pytest.approx(expected)) if feasible else np.isnan(root)


def test_exact_expected_ranks_of_49_units_on_135_criteria(reference: Path) -> None:
    scores = np.loadtxt(reference / "mcda" / "U_49x135.csv", delimiter=",")
    ranks = np.loadtxt(reference / "mcda" / "expected_rank_49.csv", delimiter=",")
    wins = {m: rb.win_probabilities(scores, m) for m in ("varsi", "gil_pelaez")}
    np.testing.assert_allclose(rb.expected_ranks(wins["varsi"]), ranks, rtol=5e-12)  # 12 digits
    np.testing.assert_allclose(wins["varsi"], wins["gil_pelaez"], atol=1e-13)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 7))
def test_three_ways_to_a_half_space_agree(seed: int, n: int) -> None:
    d = np.random.default_rng(seed).uniform(-1, 1, (4, n)).round(2)
    d += np.linspace(0, 0.009, n)  # apart, so that divided differences may be taken
    expected = rb.half_space(d, "varsi")
    np.testing.assert_allclose(rb.half_space(d, "gil_pelaez"), expected, atol=1e-11)
    np.testing.assert_allclose(rb.half_space(d, "divided_differences"), expected, atol=1e-6)


def test_half_spaces_that_need_no_method() -> None:
    """All of one sign, nothing at all, equal coefficients, and 1/2 by symmetry."""
    rows = [[1, 2, 3], [-1, -2, -3], [0, 0, 0], [1, 1, -1], [0, 1, -1], [1, 0, 0]]
    expected = [1, 0, 0.5, 0.75, 0.5, 1]
    np.testing.assert_allclose(rb.half_space(rows), expected, atol=1e-15)
    np.testing.assert_allclose(rb.half_space(rows[:5], "gil_pelaez"), expected[:5], atol=1e-12)
    with pytest.raises(ValueError, match="distinct"):
        rb.half_space([*rows[:1], [1, 1, -1]], "divided_differences")
    with pytest.raises(ValueError, match="finite"):
        rb.half_space([np.nan, 1.0])
    with pytest.raises(ValueError, match="varsi"):
        rb.half_space([1.0], "varsy")


def test_wins_agree_with_a_million_draws() -> None:
    rng = np.random.default_rng(7)
    scores, size = rng.uniform(0, 100, (6, 9)), 1_000_000
    exact, count = rb.win_probabilities(scores), np.zeros((6, 6))
    for _ in range(10):
        at = rng.dirichlet(np.ones(9), size // 10) @ scores.T
        count += (at[:, :, None] > at[:, None]).sum(0)
    i, j = np.triu_indices(6, 1)
    z = (count[i, j] / size - exact[i, j]) / np.sqrt(exact[i, j] * (1 - exact[i, j]) / size)
    assert np.abs(z).max() < 4
    assert 0.5 < np.sqrt((z * z).mean()) < 1.6


def _ratios(seed: int, units: int, n: int, missing: float = 0.3) -> tuple[rb.Ratios, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 100, (units, n))
    gone = rng.random(scores.shape) < missing
    gone[np.arange(units), rng.integers(0, n, units)] = False
    scores[gone] = np.nan
    return rb.Ratios.of(scores, rng.uniform(-5, 5, units)), rng.dirichlet(np.full(n, 5.0))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(0, 4))
def test_totals_meet_where_they_are_said_to(seed: int, n: int, k: int) -> None:
    """The twin: signs of the differences on a dense line."""
    totals, share = _ratios(seed, 6, n)
    k %= n
    i, j = np.triu_indices(6, 1)
    found = meetings(totals, share, k, i, j)
    at = totals.at(along(share, k, np.linspace(1e-6, 1 - 1e-6, 2001)))
    for p, (a, b) in enumerate(zip(i, j, strict=True)):
        roots = found[p][~np.isnan(found[p])]
        inside = roots[(roots > 1e-6) & (roots < 1 - 1e-6)]
        gaps = np.diff(totals.at(along(share, k, inside))[..., [a, b]])
        np.testing.assert_allclose(gaps, 0, atol=1e-8)
        changes = int((np.diff(np.sign(at[:, a] - at[:, b])) != 0).sum())
        assert changes <= roots.size
        assert changes == roots.size or _close(inside, 1e-3) or roots.size > inside.size


def _close(x: np.ndarray, near: float) -> bool:
    return x.size > 1 and bool(np.diff(np.sort(x)).min() < near)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_meeting_against_a_dense_grid(seed: int, norm: str) -> None:
    """No grid point nearer than the bound has the order; some near the result has it."""
    totals, share = _ratios(seed, 2, 3, 0.4)
    now = totals.at(share)
    low, high = int(now.argmin()), int(now.argmax())
    grid = simplex_grid(3, 400)
    at = totals.at(grid)
    size = np.array([rb.NORMS[norm].size(w - share) for w in grid])
    there = at[:, low] >= at[:, high]
    found = rb.nearest_meeting(totals, share, [low], [high], rb.Polytope.of(3), norm)
    if not np.isfinite(found.distance):
        edge = (grid < 0.01).any(-1)  # a unit keeps a part of what it has: never at the edge alone
        assert not (there & ~edge).any()
        return
    assert found.share is not None
    assert size[there].min() >= found.lower - 1e-9
    assert size[there].min() <= found.distance + 4 / 400
    assert found.distance * (1 - 1e-6) <= found.lower <= found.distance
    gap = totals.at(found.share)
    assert gap[low] - gap[high] == pytest.approx(0, abs=1e-6)


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.integers(3, 5))
def test_laws_of_the_nearest_meeting(seed: int, n: int) -> None:
    totals, share = _ratios(seed, 2, n, 0.25)
    now = totals.at(share)
    low, high = int(now.argmin()), int(now.argmax())
    space, found = rb.Polytope.of(n), {}
    for norm in NORMS:
        found[norm] = rb.nearest_meeting(totals, share, [low], [high], space, norm)
        bound = rb.flip_bounds(totals, share, [(high, low)], norm, np.zeros(n, int))[0]
        assert bound <= found[norm].distance * (1 + 1e-6)
        assert (found[norm].distance > 0) == (now[low] < now[high])  # zero for ties only
        assert rb.nearest_meeting(totals, share, [high], [low], space, norm).distance == 0
    one, two, most = (found[norm].distance for norm in ("l1", "l2", "linf"))
    assert np.isfinite(one) == np.isfinite(two) == np.isfinite(most)
    assert most * (1 - 1e-6) <= two
    assert two * (1 - 1e-6) <= one
    turned = rb.Ratios(totals.const, totals.num[..., ::-1], totals.den[..., ::-1])
    again = rb.nearest_meeting(turned, share[::-1], [low], [high], space, "l2")
    assert again.distance == pytest.approx(two, rel=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_closed_form_where_no_bound_is_active(norm: str) -> None:
    totals = rb.Ratios.of([[90.0, 60.0, 50.0, 70.0], [88.0, 62.0, 55.0, 66.0]])
    share = np.array([0.4, 0.2, 0.1, 0.3])
    found = rb.nearest_meeting(totals, share, [1], [0], rb.Polytope.of(4), norm)
    bound = rb.flip_bounds(totals, share, [(0, 1)], norm, [0, 0, 0, 0])[0]
    assert found.distance == pytest.approx(bound, rel=1e-9)
    a = np.array([2.0, -2.0, -5.0, 4.0])
    by_hand = {"l1": 9 / 2, "l2": np.linalg.norm(a - a.mean()), "linf": 13.0}[norm]
    assert bound == pytest.approx(float(a @ share) / by_hand, rel=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.booleans())
def test_extents_are_attained_at_vertices(seed: int, n: int, ordered: bool) -> None:
    rng = np.random.default_rng(seed)
    low, high = rng.uniform(0, 0.5 / n, n), rng.uniform(1.2 / n, 1, n)
    order = list(range(n)) if ordered else []
    low, high = (np.sort(x)[::-1] if ordered else x for x in (low, high))
    space, lines = rb.Polytope.of(n, low, high, order), rng.normal(size=(5, n))
    corners = rb.vertices(space)
    least, most = rb.extent(space, lines)
    np.testing.assert_allclose(least, (lines @ corners.T).min(-1), atol=1e-9)
    np.testing.assert_allclose(most, (lines @ corners.T).max(-1), atol=1e-9)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_an_order_alone_gives_rank_order_centroid_weights(n: int) -> None:
    centroid = rb.vertices(rb.Polytope.of(n, order=list(range(n)))).mean(0)
    np.testing.assert_allclose(centroid, rank_order_centroid(n).weights, atol=1e-12)


def test_no_weights_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="found no weights within"):
        rb.Polytope.of(3, lower=0.5)


@pytest.mark.parametrize("missing", [0.0, 0.35])
@pytest.mark.parametrize("seed", range(4))
def test_extreme_ranks_against_a_dense_grid(seed: int, missing: float) -> None:
    """Weights found are proof of what is reached; no grid point reaches more."""
    totals, _ = _ratios(seed, 7, 3, missing)
    space = rb.Polytope.of(3, lower=0.15, upper=0.6)
    grid = np.array([w for w in simplex_grid(3, 120) if space.contains(w)])
    at = totals.at(grid)
    above = (at[:, None] > at[:, :, None]).sum(-1)
    for u in range(7):
        others = [k for k in range(7) if k != u]
        best, worst = (f(totals, u, others, space) for f in (rb.fewest_above, rb.most_above))
        assert best.number <= above[:, u].min()
        assert worst.number >= above[:, u].max()
        for reach, room in ((best, 1e-6), (worst, 0.0)):
            assert reach.share is not None
            assert space.contains(reach.share)
            now = totals.at(reach.share)
            assert int((now > now[u] + room).sum()) == reach.number


@pytest.mark.parametrize("missing", [0.0, 0.35])
@pytest.mark.parametrize("seed", range(4))
def test_necessary_preferences_against_a_dense_grid(seed: int, missing: float) -> None:
    totals, _ = _ratios(seed, 6, 3, missing)
    space = rb.Polytope.of(3, lower=0.15, upper=0.6)
    start = space.some_point()
    assert start is not None
    necessary = rb.necessary_preferences(totals, start, space)
    grid = np.array([w for w in simplex_grid(3, 200) if space.contains(w)])
    at = totals.at(grid)
    least = (at[:, :, None] - at[:, None]).min(0)
    assert (least[necessary] >= -1e-9).all()
    assert (least[~necessary] < 2.0).all()  # the grid misses it by little at most
    if missing == 0.0:  # linear differences: the corners decide
        corner = totals.at(rb.vertices(space))
        exact = (corner[:, :, None] - corner[:, None]).min(0) >= -1e-9
        np.testing.assert_array_equal(necessary, exact)


def test_preferences_are_transitive() -> None:
    totals, share = _ratios(3, 8, 4)
    necessary = rb.necessary_preferences(totals, share, rb.Polytope.of(4, lower=0.15))
    chained = (necessary[:, :, None] & necessary[None]).any(1)
    assert (~chained | necessary).all()
    assert necessary.sum() > 8


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(5))
def test_the_cover_of_levels_against_every_level(seed: int, norm: str) -> None:
    """The twin: the nearest weights at each of many fixed levels, each a program of its own."""
    totals, share = _ratios(seed + 100, 2, 5, 0.4)
    now = totals.at(share)
    low, high = int(now.argmin()), int(now.argmax())
    space = rb.Polytope.of(5, share / 3, np.minimum(3 * share, 1.0))
    found = rb.nearest_meeting(totals, share, [low], [high], space, norm)
    const, num, den = totals.one()
    best = np.inf
    for level in np.linspace(now.min() - 20, now.max() + 20, 400):
        row = num + (const - level)[:, None] * den
        rows = Rows(np.stack([row[high], -row[low]]), np.zeros(2))
        near = rb.nearest(space.restricted(rows), share, norm)
        best = best if near is None else min(best, near[0])
    assert best >= found.lower * (1 - 1e-8)
    assert found.distance <= best * (1 + 1e-8) or not np.isfinite(best)
    if np.isfinite(found.distance):
        assert best <= found.distance + 0.02
        assert found.distance * (1 - 2e-9) <= found.lower
