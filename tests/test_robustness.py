"""Robustness of whole years: brute force on small cities, certificates on the 2009 year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod import robustness as rb
from perfmethod.errors import PerfmethodError
from perfmethod.robustness.contest import contest
from perfmethod.robustness.lines import along
from tests.small_robust import city, simplex_grid

ROOT = Path(__file__).resolve().parents[1]
DEPARTMENTS = "municipal_department"
ASPECTS = "municipal_department.indicator"
NORMS = list(rb.NORMS)


@pytest.fixture(scope="module")
def year() -> pm.Year:
    return pm.Year.load(ROOT / "data" / "2009")


@pytest.fixture(scope="module")
def evaluation(year: pm.Year) -> pm.Evaluation:
    return pm.evaluate(year)


def _excellent(simulation: pm.Simulation) -> np.ndarray:
    assert simulation.grade is not None
    return simulation.grade == 0


# ---- the model: totals as functions of weights


def test_totals_are_those_of_the_scoring_core(evaluation: pm.Evaluation) -> None:
    """For every family, indicators that count in both classes and in several nodes included."""
    rng, table = np.random.default_rng(0), rb.families(evaluation)
    assert set(table["form"]) == {"linear", "ratio", "ratios"}
    for name in table.index:
        one = rb.family(evaluation, name)
        w = rng.dirichlet(np.ones(one.share.size), 4)
        scored = pm.simulate(evaluation.year, one.patch(w)).total
        np.testing.assert_allclose(one.totals.at(w), scored, rtol=1e-13)
        np.testing.assert_allclose(one.totals.at(one.share), evaluation.scores["total"], rtol=1e-13)


def test_families_varied_together(evaluation: pm.Evaluation) -> None:
    one = rb.family(evaluation, DEPARTMENTS, "county_government.public_review")
    rng = np.random.default_rng(1)
    w = np.hstack([rng.dirichlet(np.ones(3), 5), rng.dirichlet(np.ones(5), 5)])
    scored = pm.simulate(evaluation.year, one.patch(w)).total
    np.testing.assert_allclose(one.totals.at(w), scored, rtol=1e-13)
    found = rb.smallest_change(
        evaluation, [DEPARTMENTS, "county_government.public_review"], norm="l2"
    )
    alone = rb.smallest_change(evaluation, DEPARTMENTS, norm="l2")
    assert found.confirmed
    assert found.distance == pytest.approx(alone.distance, rel=1e-9)
    assert "C04" not in found.effect


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["municipal_departement"], "municipal_department"),
        ([DEPARTMENTS, "municipal_department.public_review"], "not jointly linear"),
        ([ASPECTS, "county_government"], "not jointly linear"),
        ([DEPARTMENTS, "county_government.common"], "not jointly linear"),
        (["municipal_department.common", "county_government.common"], "not jointly linear"),
        ([], "no name"),
    ],
)
def test_what_is_not_offered_is_refused(
    evaluation: pm.Evaluation, names: list[str], said: str
) -> None:
    with pytest.raises(PerfmethodError, match=said):
        rb.family(evaluation, *names)


def test_other_means_and_class_means_are_refused_with_the_reason() -> None:
    year = city(0)
    for change, said in (
        ({"classes.city.power": 0.5}, "power 0.5"),
        ({"indicators.i0.missing": "class_mean"}, ""),
    ):
        evaluation = pm.evaluate(year.with_scheme(year.scheme.patch(change)))
        why = rb.families(evaluation).at["city", "why_not"]
        assert said in why
        assert bool(why) == bool(said)  # a leaf's class mean does not depend on weights


def test_weights_of_zero_and_of_several_nodes_are_refused(evaluation: pm.Evaluation) -> None:
    year, name = evaluation.year, f"{DEPARTMENTS}.statutory_duty"
    nothing = {f"indicators.D14-S{k}.weight": 0 for k in (1, 2)}
    changed = pm.evaluate(year.with_scheme(year.scheme.patch(nothing)))
    assert "D14 has only weights of zero" in rb.families(changed).at[name, "why_not"]
    county = "C01"  # its indicators of that family hang in three nodes
    with pytest.raises(PerfmethodError, match=r"several nodes of \['C01'\].*sensitivity"):
        rb.smallest_change(evaluation, f"{DEPARTMENTS}.key_work", unit=county)


# ---- small cities against brute force


def _brute_radius(year: pm.Year, one: rb.Family, norm: str, steps: int = 150) -> float:
    """Nearest grid point with other holders of the best grade."""
    grid = simplex_grid(one.share.size, steps)
    held = _excellent(pm.simulate(year, one.patch(np.vstack([one.share, grid]))))
    changed = grid[(held[1:] != held[0]).any(-1)]
    if not len(changed):
        return np.inf
    return min(rb.NORMS[norm].size(w - one.share) for w in changed)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("seed", "missing", "least", "vetoed_place"),
    [(1, 0.0, None, "next"), (2, 0.3, None, "next"), (3, 0.3, 75.0, "next"),
     (4, 0.3, None, "unfilled"), (5, 0.2, 70.0, "unfilled")],
)  # fmt: skip
def test_the_smallest_change_against_a_dense_grid(
    seed: int, missing: float, least: float | None, vetoed_place: str, norm: str
) -> None:
    year = city(seed, missing=missing, least=least, vetoed_place=vetoed_place)
    evaluation = pm.evaluate(year)
    one = rb.family(evaluation, "city")
    found = rb.smallest_change(evaluation, "city", norm=norm)
    brute = _brute_radius(year, one, norm)
    assert found.confirmed
    assert found.lower <= brute + 1e-12
    assert brute <= found.distance + 3 / 150


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_unit_in_or_out_against_a_dense_grid(seed: int) -> None:
    year = city(seed, missing=0.25, least=65.0 if seed == 3 else None)
    evaluation = pm.evaluate(year)
    one = rb.family(evaluation, "city")
    grid = simplex_grid(3, 100)
    held = _excellent(pm.simulate(year, one.patch(np.vstack([one.share, grid]))))
    size = np.abs(grid - one.share).sum(-1)
    seen = 0
    for u, unit in enumerate(one.units):
        found = rb.smallest_change(evaluation, "city", unit=unit)
        changed = held[1:, u] != held[0, u]
        brute = size[changed].min() if changed.any() else np.inf
        assert found.lower <= brute + 1e-12
        if np.isfinite(found.distance):
            assert found.confirmed
            seen += 1
            # a region thinner than the grid may hide between its points
            assert brute <= found.distance + 0.15
    assert seen >= 3
    assert not np.isfinite(rb.smallest_change(evaluation, "city", unit="U1").distance)  # vetoed


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.sampled_from(NORMS))
def test_inside_the_radius_the_list_holds(seed: int, norm: str) -> None:
    """Random weights nearer than the radius; and the smallest pair is symmetric in its units."""
    year = city(seed, missing=0.2, weights=(40, 30, 20, 10))
    evaluation = pm.evaluate(year)
    one = rb.family(evaluation, "city")
    found = rb.smallest_change(evaluation, "city", norm=norm)
    if not np.isfinite(found.distance):
        return
    steps = np.random.default_rng(seed).normal(size=(200, 4))
    steps -= steps.mean(1, keepdims=True)
    size = np.array([rb.NORMS[norm].size(s) for s in steps])[:, None]
    w = one.share + steps / size * found.lower * (1 - 1e-6)
    w = w[(w > 1e-9).all(1)]
    held = _excellent(pm.simulate(year, one.patch(np.vstack([one.share, w]))))
    assert (held == held[0]).all()
    assert found.confirmed
    first, second = one.units[0], one.units[3]
    ways = [rb.smallest_change(evaluation, "city", pair=p, norm=norm)
            for p in ((first, second), (second, first))]  # fmt: skip
    assert ways[0].distance == ways[1].distance


def test_the_order_of_units_and_children_does_not_matter() -> None:
    year = city(11, missing=0.25)
    turned = pm.Year.from_frames(
        year.scheme, units=year.units.reset_index().iloc[::-1], tasks=year.tasks.iloc[::-1],
        vetoes=year.vetoes,
    )  # fmt: skip
    a, b = (rb.smallest_change(pm.evaluate(y), "city", norm="l2") for y in (year, turned))
    assert a.distance == pytest.approx(b.distance, rel=1e-6)
    first, second = (rb.stability_intervals(pm.evaluate(y)).intervals for y in (year, turned))
    first, second = (t.set_index("child").sort_index()[["low", "high"]] for t in (first, second))
    pd.testing.assert_frame_equal(first, second, check_exact=False, rtol=1e-9)


def test_a_tie_has_radius_zero_and_no_interval() -> None:
    scheme = city(0).scheme
    scores = {"i0": [90.0, 60.0, 50.0], "i1": [60.0, 100.0, 50.0], "i2": [70.0, 80.0, 50.0]}
    scheme = scheme.patch({f"indicators.i{k}.weight": w for k, w in enumerate((55, 35, 10))} |
                          {"grades.levels.best.places": 1})  # fmt: skip
    units = pd.DataFrame({"unit_id": ["A", "B", "C"], "group": ["G1"] * 3})
    actuals = pd.DataFrame({"unit_id": ["A", "B", "C"]} | scores)
    year = pm.Year.from_frames(scheme, units=units, actuals=actuals)
    total = pm.evaluate(year).scores["total"]
    weights = {"i0": 4.0, "i1": 3.0, "i2": 0.0}
    tied = pm.evaluate(year.with_scheme(scheme.patch(
        {f"indicators.{k}.weight": w for k, w in weights.items()})))  # fmt: skip
    assert total["A"] != total["B"]
    assert tied.scores["total"].round(9).nunique() == 2
    assert rb.smallest_change(tied, "city").distance == pytest.approx(0, abs=1e-12)
    table = rb.stability_intervals(tied, keep="ranking").intervals.set_index("child")
    assert (table["low"] <= table["share"] + 1e-12).all()
    assert table.loc[["i0", "i1"], "high"].tolist() == pytest.approx(
        table.loc[["i0", "i1"], "low"].tolist(), abs=1e-9
    )


@pytest.mark.parametrize("keep", ["best_grade", "ranking", ("U0", "U2")])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_intervals_against_a_dense_line(seed: int, keep: str | tuple[str, str]) -> None:
    year = city(seed, missing=0.3, least=60.0 if seed == 3 else None)
    evaluation = pm.evaluate(year)
    one = rb.family(evaluation, "city")
    for row in rb.stability_intervals(evaluation, keep=keep).intervals.itertuples():
        k = one.positions[row.child]
        x = np.linspace(0.0005, 0.9995, 1000)
        at = along(one.share, k, np.append(x, row.share))
        scored = pm.simulate(year, one.patch(at))
        if keep == "best_grade":
            state = _excellent(scored)
        elif keep == "ranking":
            state = scored.rank
        else:
            state = scored.total[:, [0]] > scored.total[:, [2]]
        same = (state[:-1] == state[-1]).all(-1)
        left, right = x[(x < row.share) & ~same], x[(x > row.share) & ~same]
        low, high = left.max(initial=0.0), right.min(initial=1.0)
        assert row.low <= row.share <= row.high
        assert low <= row.low <= low + 0.0011
        assert high - 0.0011 <= row.high <= high


def test_ranges_and_preferences_of_a_city() -> None:
    year = city(6, missing=0.25, least=60.0)
    evaluation = pm.evaluate(year)
    one = rb.family(evaluation, "city")
    near = one.within(40)
    grid = simplex_grid(3, 150)
    grid = grid[[near.contains(w) for w in grid]]
    scored = pm.simulate(year, one.patch(grid))
    table = rb.rank_ranges(evaluation, "city", near).table
    assert (table["best_rank"].to_numpy() <= scored.rank.min(0)).all()
    assert (table["worst_rank"].to_numpy() >= scored.rank.max(0)).all()
    for column, seen in (("best_grade", scored.grade.min(0)), ("worst_grade", scored.grade.max(0))):
        code = np.array([scored.levels.index(g) for g in table[column]])
        assert (code <= seen).all() if column == "best_grade" else (code >= seen).all()
        assert (code == seen).mean() > 0.8  # a corner of a region may hide between grid points
    found = rb.preferences(evaluation, "city", near)
    necessary, possible = found.necessary.to_numpy(), found.possible.to_numpy()
    assert (~necessary | possible).all()
    assert (necessary | necessary.T | (possible & possible.T)).all()
    frame = found.to_frame()
    assert (frame["surely_above"] + 1 <= len(frame) - table["best_rank"] + 1).all()
    assert (table["worst_rank"] <= len(frame) - frame["surely_above"]).all()


def test_bounds_and_orders_are_kept_and_checked() -> None:
    evaluation = pm.evaluate(city(2))
    one = rb.family(evaluation, "city")
    near = one.within(10, order=["i0", "i1", "i2"])
    found = rb.smallest_change(evaluation, "city", within=near)
    assert not np.isfinite(found.distance) or near.contains(found.weights["new_share"])
    free = rb.smallest_change(evaluation, "city")
    assert found.distance >= free.distance - 1e-12
    with pytest.raises(PerfmethodError, match="no weight 'i9'"):
        one.within(order=["i9"])
    with pytest.raises(PerfmethodError, match="outside the allowed"):
        rb.smallest_change(evaluation, "city", within=one.within(lower={"i2": 0.5}))
    with pytest.raises(PerfmethodError, match="norm 'l3'"):
        rb.smallest_change(evaluation, "city", norm="l3")
    with pytest.raises(PerfmethodError, match="both a pair and a unit"):
        rb.smallest_change(evaluation, "city", pair=("U0", "U1"), unit="U2")
    with pytest.raises(PerfmethodError, match="no unit 'U99'"):
        rb.smallest_change(evaluation, "city", unit="U99")
    with pytest.raises(PerfmethodError, match="keep 'rankings'"):
        rb.stability_intervals(evaluation, keep="rankings")


# ---- the 2009 year


def test_who_competes_in_2009(evaluation: pm.Evaluation) -> None:
    rules = contest(evaluation)
    assert len(rules.holders) == 13
    assert sum(pool.places or 0 for pool in rules.pools) == 13
    vetoed = evaluation.notes.query("kind == 'veto'")["unit_id"]
    rivals = {evaluation._plan.units[u] for pool in rules.pools for u in pool.rivals}
    assert len(vetoed) == 1
    assert not rivals & set(vetoed)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", [DEPARTMENTS, ASPECTS, f"{DEPARTMENTS}.spot_check"])
def test_the_certificate_of_2009(evaluation: pm.Evaluation, name: str, norm: str) -> None:
    """Rewritten and scored alone: outside the radius the list changes, inside it holds."""
    year, one = evaluation.year, rb.family(evaluation, name)
    found = rb.smallest_change(evaluation, name, norm=norm)
    assert found.confirmed
    assert found.lower == pytest.approx(found.distance, rel=2e-7)
    certificate = one.share + (found.weights["new_share"] - one.share)
    assert rb.NORMS[norm].size(certificate - one.share) == pytest.approx(found.distance, rel=1e-4)
    after = pm.evaluate(year.with_scheme(year.scheme.patch(found.patch()))).scores["grade"]
    assert {u for u in after.index if after[u] != evaluation.scores.at[u, "grade"]} == {
        "D09",
        "D14",
    }
    steps = np.random.default_rng(0).normal(size=(300, one.share.size))
    steps -= steps.mean(1, keepdims=True)
    size = np.array([rb.NORMS[norm].size(s) for s in steps])[:, None]
    w = one.share + steps / size * found.lower * (1 - 1e-6)
    w = w[(w >= 0).all(1)]
    held = _excellent(pm.simulate(year, one.patch(np.vstack([one.share, w]))))
    assert len(w) > 20
    assert (held == held[0]).all()


def test_intervals_of_2009_hold_inside_and_break_outside(evaluation: pm.Evaluation) -> None:
    names = [DEPARTMENTS, ASPECTS, "municipal_department.key_work", "county_government.economic"]
    found = rb.stability_intervals(evaluation, names)
    assert repr(found).startswith("<StabilityIntervals of ")
    nominal = (evaluation.scores["grade"] == "excellent").to_numpy()
    checked = 0
    for row in found.to_frame().head(12).itertuples():
        one = rb.family(evaluation, row.family)
        ends = [(row.low, -1e-7, row.low_by), (row.high, 1e-7, row.high_by)]
        for end, step, by in ends:
            if by:
                w = along(one.share, one.positions[row.child], [end - step, end + step])
                inside, outside = _excellent(pm.simulate(evaluation.year, one.patch(w)))
                np.testing.assert_array_equal(inside, nominal)
                assert (outside != nominal).any()
                checked += 1
    assert checked > 12
    assert found.intervals["low"].le(found.intervals["share"]).all()
    assert found.intervals["high"].ge(found.intervals["share"]).all()


def test_wins_of_2009_against_a_million_draws(evaluation: pm.Evaluation) -> None:
    """Eight seeds: one alone would hide an error of the stream, or raise a false alarm."""
    found = rb.pairwise_wins(evaluation, DEPARTMENTS)
    exact, one = found.probability.to_numpy(), rb.family(evaluation, DEPARTMENTS)
    totals, size, seeds = one.totals.take(one.members), 125_000, 8
    i, j = np.triu_indices(len(exact), 1)
    p = exact[i, j]
    sure = (p < 1e-4) | (p > 1 - 1e-4)
    i, j, p = i[~sure], j[~sure], p[~sure]
    count = np.zeros((seeds, p.size))
    for seed in range(seeds):
        at = totals.at(np.random.default_rng(seed).dirichlet(np.ones(3), size)).T.copy()
        count[seed] = [np.count_nonzero(at[a] > at[b]) for a, b in zip(i, j, strict=True)]
    z = (count - size * p) / np.sqrt(size * p * (1 - p))
    assert p.size > 100
    assert np.abs(z.sum(0) / np.sqrt(seeds)).max() < 4
    assert 0.8 < np.sqrt((z * z).mean()) < 1.2
    assert (found.error.to_numpy() == 0).all()
    assert found.to_frame()["expected_rank"].sum() == pytest.approx(45 * 46 / 2)


def test_wins_with_portfolios_say_what_is_estimated(evaluation: pm.Evaluation) -> None:
    found = rb.pairwise_wins(evaluation, ASPECTS, draws=20_000, seed=1)
    error = found.error.to_numpy()
    exact = error[np.triu_indices(len(error), 1)] == 0
    assert 0 < exact.mean() < 1
    other = rb.pairwise_wins(evaluation, ASPECTS, draws=20_000, seed=2)
    gap = np.abs(found.probability - other.probability).to_numpy()
    assert (gap[error == 0] == 0).all()
    assert (gap[error > 0] / error[error > 0]).max() < 8
    with pytest.raises(PerfmethodError, match="without an exact probability"):
        rb.pairwise_wins(evaluation, ASPECTS, draws=0)


def test_ranges_of_2009_blocks(evaluation: pm.Evaluation) -> None:
    one = rb.family(evaluation, DEPARTMENTS)
    near = one.within(20)
    found = rb.rank_ranges(evaluation, DEPARTMENTS, near)
    corners = rb.vertices(near)
    scored = pm.simulate(evaluation.year, one.patch(corners))
    table = found.table
    rank = scored.rank[:, one.members]
    assert (table["best_rank"].to_numpy() <= rank.min(0)).all()
    assert (table["worst_rank"].to_numpy() >= rank.max(0)).all()
    may = table[(table["best_grade"] == "excellent") & (table["worst_grade"] != "excellent")]
    assert set(may.index) == {"D09", "D14"}  # the same two as the smallest change
    assert table.loc["D27", "best_grade"] == "qualified"  # first of its class, and vetoed
    at = pm.simulate(evaluation.year, one.patch(found.best_weights.to_numpy()))
    for k, unit in enumerate(table.index):
        u = one.units.index(unit)
        now = np.round(at.total[k, one.members], 6)
        assert int((now > np.round(at.total[k, u], 6)).sum()) + 1 == table.at[unit, "best_rank"]


def test_the_picture_names_the_weight_with_least_room(evaluation: pm.Evaluation) -> None:
    found = rb.stability_intervals(evaluation, [DEPARTMENTS, ASPECTS])
    ax = found.plot(lang="en")
    least = found.to_frame().iloc[0]
    assert least["child"] == "indicator"
    assert "Indicator assessment" in ax.get_title("left")
    assert ax.get_yticklabels()[0].get_text() == "Indicator assessment"
    assert "指标考核" in found.plot().get_title("left")
    nothing = rb.stability_intervals(evaluation, ["county_government"])
    assert "No weight alone" in nothing.plot(lang="en").get_title("left")
