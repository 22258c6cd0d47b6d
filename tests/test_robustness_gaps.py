"""Gaps between what is found and what is proven: hard sets of weights, programs, several nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import robustness as rb
from perfmethod.errors import PerfmethodError
from perfmethod.robustness import counting, levels
from perfmethod.robustness.crossing import Meeting
from perfmethod.robustness.norms import NORMS
from perfmethod.robustness.programs import Programs
from perfmethod.robustness.sums import meeting_bounds
from tests.small_robust import city, simplex_grid

ROOT = Path(__file__).resolve().parents[1]


def _totals(seed: int, units: int, n: int, missing: float) -> tuple[rb.Ratios, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 100, (units, n))
    gone = rng.random(scores.shape) < missing
    gone[np.arange(units), rng.integers(0, n, units)] = False
    scores[gone] = np.nan
    return rb.Ratios.of(scores, rng.uniform(-5, 5, units)), rng.dirichlet(np.full(n, 5.0))


def _met(seed: int, units: int, n: int, missing: float, norm: str, ordered: bool) -> Meeting:
    totals, share = _totals(seed, units, n, missing)
    order = [int(k) for k in np.argsort(-share)] if ordered else []
    now = totals.at(share)
    low, high = int(now.argmin()), int(now.argmax())
    return rb.nearest_meeting(totals, share, [low], [high], rb.Polytope.of(n, order=order), norm)


def _closed(found: Meeting) -> bool:
    return found.lower >= found.distance * (1 - 1.001e-9)


# ---- hard problems


@pytest.mark.parametrize("seed", [270, 344])
def test_that_nothing_does_it_is_proven(seed: int) -> None:
    """Orders under which no level is feasible, by a little: it took 500 programs and more."""
    found = _met(seed, 2, 8, 0.4, "l2", ordered=True)
    assert found.share is None
    assert found.lower == np.inf
    assert found.solves < 150


def test_the_solver_does_not_go_round_in_circles() -> None:
    """A program on which the simplex method cycled for ever at the least tolerances."""
    found = _met(240, 2, 3, 0.4, "linf", ordered=True)
    assert found.distance == pytest.approx(0.1335222687, abs=1e-9)
    assert _closed(found)


@pytest.mark.parametrize("norm", list(NORMS))
def test_a_corner_of_the_set_is_found_to_nine_digits(norm: str) -> None:
    """The nearest weights lie in a corner, where the solver's own tolerance is too coarse."""
    found = _met(298, 2, 4, 0.25, norm, ordered=False)
    assert _closed(found)
    assert found.solves < 200


@pytest.mark.parametrize("norm", list(NORMS))
def test_gaps_of_random_problems_close(norm: str) -> None:
    """Tight bounds with orders, several units at once; against points of the set."""
    rng = np.random.default_rng(0)
    for seed in range(12):
        totals, share = _totals(seed, 4, 5, 0.3)
        order = [int(k) for k in np.argsort(-share)[:3]]
        space = rb.Polytope.of(5, share / 2, np.minimum(2 * share, 1.0), order)
        ranked = np.argsort(-totals.at(share)).tolist()
        found = rb.nearest_meeting(totals, share, ranked[2:], ranked[:1], space, norm)
        assert _closed(found)
        w = rng.dirichlet(30 * share, 4000)
        w = w[[space.contains(x) for x in w]]
        at = totals.at(w)
        there = w[(at[:, ranked[2:]] >= at[:, ranked[:1]]).all(1)]
        assert all(NORMS[norm].size(x - share) >= found.lower for x in there)


def test_one_row_bounds_hold_at_every_level_between() -> None:
    """A mixture of the rows keeps all weights of a stretch at the lesser distance of its ends."""
    totals, share = _totals(3, 2, 4, 0.4)
    now = totals.at(share)
    hub, spoke = int(now.argmax()), int(now.argmin())
    space = rb.Polytope.of(4, order=[int(k) for k in np.argsort(-share)])
    search = levels.Search(totals.take([hub, spoke]), share, 0, (1,), 1.0, space, "l1", 0.0)
    cover = levels._Levels(search, np.inf, 1e-9)
    rng = np.random.default_rng(1)
    for _ in range(10):
        y, (low, high) = rng.random(2), np.sort(rng.uniform(-40, 40, 2))
        ends = min(cover._one_row(y, low), cover._one_row(y, high))
        for level in np.linspace(low, high, 7):
            assert cover._one_row(y, level) >= ends * (1 - 1e-9)
            assert cover._one_row(y, level) <= cover._solve(level).distance * (1 + 1e-9)


@pytest.mark.parametrize("norm", list(NORMS))
def test_what_multipliers_prove_is_the_distance(norm: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        n = int(rng.integers(3, 7))
        share = rng.dirichlet(np.full(n, 5.0))
        programs = Programs(rb.Polytope.of(n, share / 3, np.minimum(2 * share, 1.0)), share, norm)
        rows = rng.normal(size=(2, n))
        near = programs.nearest(rows, NORMS[norm].dual(rows, programs.family))
        proven = programs.proven(near, rows)
        assert proven >= min(near.distance, programs.farthest) * (1 - 1e-9)
        assert proven <= near.distance * (1 + 1e-12)


# ---- results that are not proven


def test_a_result_that_is_not_proven_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = pm.evaluate(city(3, missing=0.3))
    found = rb.smallest_change(evaluation, "city", norm="l2")
    assert found.proven
    assert "proven" not in repr(found)
    monkeypatch.setattr(levels, "PROGRAMS", 6)
    rough = rb.smallest_change(evaluation, "city", norm="l2")
    assert not rough.proven
    assert "not proven to be the smallest: none below 0." in repr(rough)
    assert rough.lower <= found.distance <= rough.distance


def test_a_search_over_sets_of_rivals_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = rb.Ratios.of([[90.0, 60.0], [70.0, 75.0], [40.0, 80.0]])
    monkeypatch.setattr(counting, "PROGRAMS", 1)
    found, taken = rb.counting.nearest_count(
        totals, [0.9, 0.1], 0, [1, 2], 2, rb.Polytope.of(2), norm="l1"
    )
    assert found.share is None
    assert taken == ()
    assert 0.0 <= found.lower < np.inf  # what was proven until then, and not that there is nothing


# ---- indicators in several nodes


def _two_nodes(seed: int) -> pm.Year:
    """Class b hangs the indicators of class a's node in two nodes; units of both share a pool."""
    rng = np.random.default_rng(seed)
    lines = "\n".join(
        f"i{k} = {{ weight = {w}, parent = {{ a = 'n', b = '{'pq'[k % 2]}' }}, "
        "rule = { method = 'identity' } }"
        for k, w in enumerate((4, 3, 2, 1))
    )
    scheme = pm.Scheme.loads(f"""
        format = 1
        [classes.a.nodes.n]
        [classes.b.nodes]
        p = {{ weight = 2 }}
        q = {{ weight = 1 }}
        [indicators]
        {lines}
        [grades]
        pool = "all"
        [grades.levels.best]
        places = 3
        [grades.levels.rest]
    """)
    ids = [f"U{k}" for k in range(7)]
    scores = rng.uniform(40, 100, (7, 4))
    scores[5:] = scores[5:] * 0.3 if seed % 2 else scores[5:]  # far below, or in the middle
    actuals = pd.DataFrame({"unit_id": ids} | {f"i{k}": scores[:, k] for k in range(4)})
    units = pd.DataFrame({"unit_id": ids, "class": ["a"] * 5 + ["b"] * 2})
    return pm.Year.from_frames(scheme, units=units, actuals=actuals)


@pytest.mark.parametrize("norm", list(NORMS))
def test_several_nodes_are_no_hindrance_where_they_do_not_decide(norm: str) -> None:
    answered = refused = 0
    for seed in range(5):
        year = _two_nodes(seed)
        evaluation = pm.evaluate(year)
        one = rb.family(evaluation, "a.n")
        assert not one.totals.single.all()
        grid = simplex_grid(4, 16)
        held = pm.simulate(year, one.patch(np.vstack([one.share, grid]))).grade == 0
        size = np.array([NORMS[norm].size(w - one.share) for w in grid])
        for kind in ({}, {"unit": "U0"}, {"unit": "U2"}):
            u = slice(None) if not kind else [int(kind["unit"][1])]
            changed = (held[1:, u] != held[0, u]).any(-1)
            try:
                found = rb.smallest_change(evaluation, "a.n", norm=norm, **kind)
            except PerfmethodError as error:
                assert "may change places from a distance of" in str(error)  # noqa: PT017
                assert "Elsewhere: stability_intervals" in str(error)  # noqa: PT017
                refused += 1
                continue
            answered += 1
            assert found.proven
            assert found.confirmed or not np.isfinite(found.distance)
            assert size[changed].min(initial=np.inf) >= found.lower - 1e-9
    assert answered >= 5
    assert refused >= 1
    with pytest.raises(PerfmethodError, match=r"several nodes of \['U5'\]"):
        rb.smallest_change(evaluation, "a.n", unit="U5")


@pytest.mark.parametrize("norm", list(NORMS))
def test_bounds_of_sums_hold(norm: str) -> None:
    """No weights nearer than the bound change the order; one ratio against the exact distance."""
    rng = np.random.default_rng(5)
    totals, share = _totals(7, 6, 4, 0.3)
    ranked = np.argsort(-totals.at(share))
    pairs = [(int(ranked[i]), int(ranked[j])) for i in range(6) for j in range(i + 1, 6)]
    family = np.zeros(4, np.intp)
    bound = meeting_bounds(totals, share, pairs, norm, family)
    for (i, j), least in zip(pairs, bound, strict=True):
        met = rb.nearest_meeting(totals, share, [j], [i], rb.Polytope.of(4), norm)
        assert least <= met.distance * (1 + 1e-9)
    both = rb.Ratios(
        np.zeros(6), np.concatenate([totals.num, totals.num[:, ::-1]]),
        np.concatenate([totals.den, totals.den[:, ::-1]]),
    )  # fmt: skip
    now = both.at(share)
    pairs = [(i, j) for i in range(6) for j in range(6) if now[i] > now[j]]
    bound = meeting_bounds(both, share, pairs, norm, family)
    assert (bound > 0).all()
    w = np.vstack([rng.dirichlet(c * share, 20_000) for c in (3, 30, 300)])
    at, size = both.at(w), np.array([NORMS[norm].size(x - share) for x in w])
    for (i, j), least in zip(pairs, bound, strict=True):
        turned = at[:, i] < at[:, j]
        assert size[turned].min(initial=np.inf) >= least


def test_key_work_of_2009_hangs_in_several_nodes_and_is_answered() -> None:
    evaluation = pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))
    found = rb.smallest_change(evaluation, "municipal_department.key_work", norm="l2")
    assert found.confirmed
    assert found.proven
    assert "D09 reaches D14" in found.effect
    after = pm.evaluate(
        evaluation.year.with_scheme(evaluation.year.scheme.patch(found.patch()))
    ).scores["grade"]
    changed = {u for u in after.index if after[u] != evaluation.scores.at[u, "grade"]}
    assert changed == {"D09", "D14"}
