"""Monte Carlo results: exact and published shares, slow twins, any executor, honest failures."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import sensitivity as se
from perfmethod import uncertainty as un
from perfmethod.core import BLOCK
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.scoring import tally
from tests.small_year import write_small_year


def flat(utilities: np.ndarray) -> pm.Year:
    """Units by criteria, values 0 to 1, as a year with all else left out."""
    names = [f"k{j}" for j in range(utilities.shape[1])]
    rule = {"method": "identity"}
    scheme = pm.Scheme({"format": 1, "base": 100.0, "classes": {"all": {}},
                        "indicators": {name: {"rule": rule} for name in names}})  # fmt: skip
    frame = pd.DataFrame(utilities * 100, columns=names)
    frame.insert(0, "unit_id", [f"u{i:02d}" for i in range(len(frame))])
    return pm.Year.from_frames(scheme, actuals=frame)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    folder = write_small_year(tmp_path_factory.mktemp("year"))
    return pm.Year.load(folder)


SPECS = (
    un.multiplicative("classes.*.nodes.*.weight", spread=0.4),
    un.simplex("internal.categories"),
    un.percent("adjustments.bonus_cap", by=90),
    un.choice("missing_value", values=["redistribute", "zero"]),
)


# ---- exact shares


def case(reference: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    found = json.loads((reference / "mcda" / "cases" / f"{name}.json").read_text(encoding="utf-8"))
    return np.array(found["inputs"]["utilities"], float), np.array(found["reference"], float)


def shared(found: se.MonteCarlo, counts: np.ndarray, wanted: np.ndarray) -> None:
    """Shares are the exact ones within four standard errors of independent draws."""
    share, n = counts / found.draws, found.draws
    assert (np.abs(share - wanted) <= 4 * np.sqrt(wanted * (1 - wanted) / n)).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rank_acceptability_of_three_units(reference: Path, seed: int) -> None:
    utilities, wanted = case(reference, "smaa_rank_acceptability_2crit")
    year = flat(utilities)
    found = se.monte_carlo(year, un.draw(year, 200_000, un.simplex("all"), seed=seed))
    shared(found, found.counts.ranks, wanted)
    assert found.acceptability.to_numpy().sum(0) == pytest.approx(1)
    _, first = case(reference, "smaa_first_rank_2crit")
    shared(found, found.counts.ranks[:, 0], first)


def test_pairwise_wins_of_four_units(reference: Path) -> None:
    utilities, wanted = case(reference, "smaa_pairwise_win_3crit")
    year = flat(utilities)
    found = se.monte_carlo(year, un.draw(year, 200_000, un.simplex("all"), seed=1))
    assert found.counts.wins is not None
    off = ~np.eye(4, dtype=bool)
    shared(found, found.counts.wins[off], wanted[off])
    assert (found.wins + found.wins.T).to_numpy() == pytest.approx(1)


def test_expected_ranks_of_49_units_over_eight_seeds(reference: Path) -> None:
    """One seed would not show a fault of the stream: z over seeds and units has size one."""
    folder = reference / "mcda"
    year = flat(np.loadtxt(folder / "U_49x135.csv", delimiter=","))
    wanted = np.loadtxt(folder / "expected_rank_49.csv", delimiter=",")
    z = []
    for seed in range(8):
        draws = un.draw(year, 20 * BLOCK, un.simplex("all"), seed=seed)
        counts = tally(year, draws, pairs=False)
        mean, error = se.expected_ranks(counts.ranks)
        z.append((mean - wanted) / error)
    size = float(np.sqrt(np.mean(np.square(z))))
    assert 0.88 < size < 1.12
    assert np.abs(z).max() < 4.2
    assert np.abs(np.corrcoef(z) - np.eye(8)).max() < 0.75  # no seed repeats another's stream


def test_central_weights_of_two_criteria() -> None:
    """Unit A is first where its criterion has more than 0.6 of the weight: on average 0.8."""
    year = flat(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]]))
    found = se.monte_carlo(year, un.draw(year, 50_000, un.simplex("all"), seed=1))
    table = found.central_weights().set_index(["unit_id", "child"])
    assert set(table["best_rank"]) == {1}
    for unit, wanted in (("u00", 0.8), ("u01", 0.2), ("u02", 0.5)):
        row = table.loc[(unit, "k0")]
        assert abs(row["share"] - wanted) < 4 * row["mcse"]
    # uniform on an interval of 0.4
    assert table.loc[("u00", "k0"), "mcse"] == pytest.approx(0.4 / 12**0.5 / 20_000**0.5, rel=0.05)


# ---- slow twins


def test_counts_are_those_of_the_draws_one_by_one(year: pm.Year) -> None:
    draws = un.draw(year, 700, *SPECS, seed=3)
    found, alone = tally(year, draws), pm.simulate(year, draws)
    nominal = pm.evaluate(year).scores
    u = len(found.units)
    ranks = np.zeros_like(found.ranks)
    wins, ties = np.zeros((u, u), int), np.zeros((u, u), int)
    grades = np.zeros((u, 3), int)
    same = shift = squares = 0
    best = (nominal["grade"] == "excellent").to_numpy()
    for k in range(draws.size):
        assert alone.grade is not None
        moved = 0
        for i in range(u):
            ranks[i, alone.rank[k, i] - 1] += 1
            grades[i, alone.grade[k, i]] += 1
            moved += abs(int(alone.rank[k, i]) - int(nominal["rank"].iloc[i]))
            for j in range(u):
                if i != j and found.classes[i] == found.classes[j]:
                    wins[i, j] += alone.rank[k, i] < alone.rank[k, j]
                    ties[i, j] += alone.rank[k, i] == alone.rank[k, j]
        same += int(((alone.grade[k] == 0) == best).all())
        shift, squares = shift + moved, squares + moved**2
    assert np.array_equal(found.ranks, ranks)
    assert np.array_equal(found.grades, grades)
    assert np.array_equal(found.wins, wins)
    assert np.array_equal(found.ties, ties)
    assert (found.same_best, found.shift, found.shift_squares) == (same, shift, squares)
    frame = se.monte_carlo(year, draws).to_frame()
    np.testing.assert_allclose(frame["total_mean"], alone.total.mean(0), rtol=1e-12)
    np.testing.assert_allclose(frame["total_sd"], alone.total.std(0), rtol=1e-9)
    for column, q in (("low", 0.05), ("median", 0.5), ("high", 0.95), ("best", 0), ("worst", 1)):
        wanted = np.quantile(alone.rank, q, axis=0, method="inverted_cdf")
        assert frame[column].tolist() == wanted.tolist()
    assert np.array_equal(se.rank_counts(alone.rank, found.ranks.shape[1]), ranks)
    one = [i for i, c in enumerate(found.classes) if c == found.classes[0]]
    for mine, theirs in zip(se.pairwise(alone.rank[:, one]), (wins, ties), strict=True):
        assert np.array_equal(mine, theirs[np.ix_(one, one)])


def test_central_weights_are_means_over_the_best_draws(year: pm.Year) -> None:
    draws = un.draw(year, 2 * BLOCK + 30, *SPECS, seed=3)
    table = se.monte_carlo(year, draws).central_weights()
    rank = pm.simulate(year, draws).rank
    values = pd.concat([pd.DataFrame(dict(v)) for _, v in draws.blocks()], ignore_index=True)
    nodes = ["indicator", "public_review", "internal"]
    block = values[[f"classes.municipal_department.nodes.{n}.weight" for n in nodes]]
    share = (block.T / block.sum(axis=1)).T.to_numpy()
    mine = table[(table["family"] == "municipal_department") & (table["unit_id"] == "D02")]
    at = list(pm.evaluate(year).scores.index).index("D02")
    best = rank[:, at] == rank[:, at].min()
    assert mine["draws"].tolist() == [best.sum()] * 3
    np.testing.assert_allclose(mine["share"], share[best].mean(0), rtol=1e-9)
    np.testing.assert_allclose(
        mine["mcse"], share[best].std(0, ddof=1) / best.sum() ** 0.5, rtol=1e-6
    )


def test_ties_count_half(year: pm.Year) -> None:
    twins = flat(np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]]))
    found = se.monte_carlo(twins, un.draw(twins, 5000, un.simplex("all"), seed=1))
    assert found.wins.loc["u00", "u01"] == 0.5
    assert found.ties.loc["u00", "u01"] == 1
    assert found.acceptability.loc["u00"].equals(found.acceptability.loc["u01"])


# ---- any executor


def digest(found: Any) -> str:
    parts = (found.ranks, found.grades, found.wins, found.ties, found.total, found.squares,
             found.first.sums, found.first.squares, found.first.draws)  # fmt: skip
    return hashlib.sha256(b"".join(np.asarray(p).tobytes() for p in parts)).hexdigest()


FAMILIES = [[f"internal.categories.I0{i}.weight" for i in (1, 2)]]


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        yield pool


@pytest.mark.parametrize("design", un.DESIGNS)
def test_nothing_but_the_seed_decides(year: pm.Year, processes: Executor, design: str) -> None:
    draws = un.draw(year, 5 * BLOCK + 77, *SPECS, seed=0, design=design)
    wanted = digest(tally(year, draws, families=FAMILIES))
    totals = pm.simulate(year, draws)
    for workers, size in ((1, 1), (2, 2), (4, 1), (2, 16)):
        with ThreadPoolExecutor(workers) as pool:
            how: dict[str, Any] = {"executor": pool, "blocks_per_task": size}
            assert digest(tally(year, draws, families=FAMILIES, **how)) == wanted
            found = pm.simulate(year, draws, **how)
        for name in ("total", "rank", "grade"):
            assert np.array_equal(getattr(found, name), getattr(totals, name))
    for size in (1, 3):
        how = {"executor": processes, "blocks_per_task": size}
        assert digest(tally(year, draws, families=FAMILIES, **how)) == wanted
    assert np.array_equal(pm.simulate(year, draws, executor=processes).total, totals.total)


def test_an_executor_is_anything_that_submits(year: pm.Year) -> None:
    class Later:
        def __init__(self, made: Any) -> None:
            self.made = made

        def result(self) -> Any:
            return self.made()

        def cancel(self) -> bool:
            return True

    class Lazy:
        waiting = most = 0

        def submit(self, f: Any, *args: Any) -> Later:
            self.waiting += 1
            self.most = max(self.most, self.waiting)

            def made() -> Any:
                self.waiting -= 1
                return f(*args)

            return Later(made)

    lazy = Lazy()
    draws = un.draw(year, 40 * BLOCK, *SPECS[1:], seed=0)
    found = tally(year, draws, executor=lazy, blocks_per_task=1, pairs=False)
    assert np.array_equal(found.ranks, tally(year, draws, pairs=False).ranks)
    assert lazy.most == 16  # tasks are handed out as results are taken: memory is bounded


POWER = "classes.county_government.nodes.public_review.power"
SCORE = "review.C01.livelihood"  # below zero it has no geometric mean


def test_an_error_in_a_worker_comes_back(year: pm.Year, processes: Executor) -> None:
    draws = {POWER: [0.0, 0.0], SCORE: [50.0, -5.0]}
    with pytest.raises(DataError, match="a score of -5") as caught:
        pm.simulate(year, draws, executor=processes)
    assert len(caught.value.problems) == 1


def test_a_strange_number_of_blocks_is_refused(year: pm.Year) -> None:
    with pytest.raises(ValueError, match="blocks_per_task=0"):
        pm.simulate(year, {"base": [1000.0]}, blocks_per_task=0)
    with pytest.raises(ValueError, match="did you mean 'count'"):
        pm.simulate(year, {"base": [1000.0]}, failures="cout")


# ---- failed draws


def test_failed_draws_are_counted_and_told() -> None:
    """Unit u01 has one criterion only; where that has no weight it has no score."""
    frame = pd.DataFrame({"unit_id": ["a", "b"], "k0": [50.0, np.nan], "k1": [50.0, 70.0]})
    scheme = flat(np.ones((1, 2))).scheme
    year = pm.Year.from_frames(scheme, actuals=frame)
    weights = {"indicators.k0.weight": [1.0, 1.0, 1.0], "indicators.k1.weight": [1.0, 0.0, 1.0]}
    with pytest.raises(DataError, match="b"):
        pm.simulate(year, weights)
    found = pm.simulate(year, weights, failures="count")
    assert [(f.draw, f.reason) for f in found.failures] == [(1, "no score for b")]
    assert found.usable.tolist() == [True, False, True]
    assert found.rank.tolist() == [[2, 1], [0, 0], [2, 1]]
    assert "1 of them failed" in repr(found)
    assert found.to_frame()["total_mean"].tolist() == [50.0, 70.0]
    result = se.monte_carlo(year, weights)
    assert (result.draws, result.counts.failed) == (2, 1)
    assert result.failures.to_dict("records") == [{"draw": 1, "reason": "no score for b"}]
    assert "1 more failed" in repr(result)
    assert result.acceptability.to_numpy().tolist() == [[0, 1], [1, 0]]
    assert result.ranks["total_mean"].tolist() == [50.0, 70.0]
    with pytest.raises(DataError, match="all 2 draws failed"):
        se.monte_carlo(year, {"indicators.k1.weight": [0.0, 0.0]})


def test_draws_that_a_rule_refuses_are_failed_one_by_one(year: pm.Year) -> None:
    draws = {POWER: np.array([1.0, 0.0, 0.5, 0.0, 0.0]), SCORE: np.array([50.0, -5, 60, -1, 70])}
    good = {path: values[values > -1] if path == SCORE else values[[0, 2, 4]]
            for path, values in draws.items()}  # fmt: skip
    found = pm.simulate(year, draws, failures="count")
    assert [f.draw for f in found.failures] == [1, 3]
    assert "a score of -5" in found.failures[0].reason
    wanted = pm.simulate(year, good)
    np.testing.assert_allclose(found.total[found.usable], wanted.total, rtol=1e-13)
    assert np.array_equal(found.rank[found.usable], wanted.rank)
    assert np.isnan(found.total[1]).all()
    counts = tally(year, draws)
    assert np.array_equal(counts.ranks, tally(year, good).ranks)
    assert (counts.draws, counts.failed) == (3, 2)


# ---- until it is precise enough


def test_a_run_stops_when_the_bound_is_met(year: pm.Year) -> None:
    found = se.run_until(year, *SPECS, seed=1, mcse=0.01, first=BLOCK)
    assert found.converged
    assert found.reached is not None
    assert found.reached <= 0.01
    errors = found.grades.filter(like="_mcse").to_numpy().max()
    assert max(errors, found.acceptability_error.to_numpy().max()) <= found.reached
    assert found.draws < 4000
    again = tally(year, un.draw(year, found.draws, *SPECS, seed=1))
    assert np.array_equal(found.counts.ranks, again.ranks)
    assert "bound 0.01 reached" in repr(found)


def test_a_bound_that_is_not_met_is_told(year: pm.Year) -> None:
    found = se.run_until(year, *SPECS, seed=1, mcse=1e-4, first=100, most=3000)
    assert found.converged is False
    assert found.draws == 3000
    assert "NOT reached" in repr(found)


def test_failures_are_counted_through_a_run(year: pm.Year) -> None:
    bad = un.choice(POWER, values=[1.0, 0.0], probabilities=[0.98, 0.02])
    noise = un.survey_noise(pm.evaluate(year).review, scale=30.0)
    found = se.run_until(year, bad, noise, seed=1, mcse=0.001, first=BLOCK, most=BLOCK + 50)
    made = found.meta["draws"]
    assert found.draws + found.counts.failed == made
    assert 0 < found.counts.failed < made
    alone = pm.simulate(year, un.draw(year, made, bad, noise, seed=1), failures="count")
    wanted = [f.draw for f in alone.failures]
    assert found.failures["draw"].tolist() == wanted[:100]
    assert found.counts.failed == len(wanted)


@pytest.mark.parametrize(
    "how", [{"mcse": 0.0}, {"first": 0}, {"first": 10, "most": 5}, {"shares": ("rank",)}]
)
def test_a_run_refuses_what_makes_no_sense(year: pm.Year, how: dict[str, Any]) -> None:
    with pytest.raises(PerfmethodError, match="run_until"):
        se.run_until(year, *SPECS, seed=1, **how)


# ---- groups and other shares


def test_groups_of_units_that_cannot_be_told_apart() -> None:
    wins = np.array(
        [[0.5, 0.6, 0.97, 1], [0.4, 0.5, 0.9, 1], [0.03, 0.1, 0.5, 0.94], [0, 0, 0.06, 0.5]]
    )
    assert se.tied_groups(wins, [1, 2, 3, 4]).tolist() == [1, 1, 2, 2]
    assert se.tied_groups(wins, [1, 2, 3, 4], rule="chain").tolist() == [1, 1, 1, 1]
    assert se.tied_groups(wins, [4, 3, 2, 1]).tolist() == [2, 2, 1, 1]
    assert se.tied_groups(wins, [1, 2, 3, 4], alpha=0.45).tolist() == [1, 2, 3, 4]
    with pytest.raises(PerfmethodError, match="alpha"):
        se.tied_groups(wins, [1, 2, 3, 4], alpha=0.5)
    with pytest.raises(PerfmethodError, match="did you mean 'chain'"):
        se.tied_groups(wins, [1, 2, 3, 4], rule="chains")


def test_groups_stand_inside_classes(year: pm.Year) -> None:
    found = se.monte_carlo(year, un.draw(year, 2000, *SPECS, seed=1))
    groups = found.groups(alpha=0.05)
    for _, rows in groups.groupby("class"):
        assert rows["expected"].is_monotonic_increasing
        assert rows["group"].iloc[0] == 1
        for _, members in rows.groupby("group"):
            p = found.wins.loc[members.index, members.index].to_numpy()
            assert ((p >= 0.05) & (p <= 0.95)).all()
    assert np.isnan(found.wins.loc["C01", "D01"])


def test_the_error_of_a_share_covers_it() -> None:
    rng = np.random.default_rng(0)
    for p in (0.02, 0.3, 0.7):
        counts = rng.binomial(400, p, 20_000)
        error = se.share_error(counts, 400)
        assert abs(np.sqrt(np.mean(error**2)) / np.sqrt(p * (1 - p) / 400) - 1) < 0.06


def test_without_pairs_nothing_is_said_of_them(year: pm.Year) -> None:
    found = se.monte_carlo(year, {"base": [900.0, 1100.0]}, pairs=False)
    with pytest.raises(PerfmethodError, match="pairs=True"):
        _ = found.wins
    with pytest.raises(PerfmethodError, match="pairs=True"):
        _ = found.ties
    with pytest.raises(PerfmethodError, match="no family"):
        found.central_weights()
    assert found.converged is None


# ---- alternatives of structure


def test_draws_are_shared_out_among_schemes(year: pm.Year) -> None:
    schemes = {"own": year.scheme, "by all": year.scheme.patch({"grades.pool": "all"})}
    found = se.simulate_each(year, schemes, 1001, *SPECS[:2], seed=1,
                             probabilities={"own": 0.75, "by all": 0.25})  # fmt: skip
    assert found.to_frame()["draws"].tolist() == [751, 250]
    assert found.together.draws == 1001
    assert np.array_equal(found.together.counts.ranks,
                          sum(one.counts.ranks for one in found.each.values()))  # fmt: skip
    own = pm.evaluate(year).scores
    assert (
        found.each["by all"].counts.nominal_best.tolist() == (own["grade"] == "excellent").tolist()
    )
    same = found.to_frame()["same_best"]
    overall = found.together.overall.loc["same_best", "value"]
    assert overall == pytest.approx((751 * same["own"] + 250 * same["by all"]) / 1001)


def test_schemes_alone_are_scored_once(year: pm.Year) -> None:
    other = year.scheme.patch({"classes.municipal_department.power": -1})
    found = se.simulate_each(year, {"own": year.scheme, "harmonic": other}, 99, seed=1)
    assert found.to_frame()["draws"].tolist() == [1, 1]
    assert found.to_frame().loc["own", "mean_rank_shift"] == 0
    wanted = pm.evaluate(year.with_scheme(other)).scores["total"]
    np.testing.assert_allclose(found.each["harmonic"].ranks["total_mean"], wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("schemes", "size", "how", "message"),
    [
        ([], 10, {}, "no scheme"),
        (["own"], 10, {"probabilities": {"on": 1.0}}, "did you mean 'own'"),
        (["own", "b"], 10, {"probabilities": {"own": 0.5, "b": 0.6}}, "with the sum 1"),
        (["own", "b"], 1, {}, "at least one"),
    ],
)
def test_schemes_that_do_not_fit_are_refused(
    year: pm.Year, schemes: list[str], size: int, how: dict[str, Any], message: str
) -> None:
    given = dict.fromkeys(schemes, year.scheme)
    with pytest.raises(PerfmethodError, match=message):
        se.simulate_each(year, given, size, SPECS[0], seed=1, **how)


def test_no_error_of_independent_draws_is_stated_of_others(year):
    for design, stated in [("random", True), ("sobol", False), ("latin_hypercube", False)]:
        draws = un.draw(year, 2048, SPECS[0], seed=1, design=design, replicates=2)
        frame = pm.simulate(year, draws).to_frame()
        assert frame.columns.str.endswith("_mcse").any() == stated
