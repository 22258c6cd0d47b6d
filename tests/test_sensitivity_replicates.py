"""Quasi-random draws in replicates: errors that are honest, named, the same for any executor."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import perfmethod as pm
from perfmethod import robustness as rb
from perfmethod import sensitivity as se
from perfmethod import uncertainty as un
from perfmethod.core import BLOCK
from perfmethod.errors import PerfmethodError, SchemeError
from perfmethod.scoring import tally
from perfmethod.uncertainty.replicates import REPLICATES, Replicated
from tests.small_year import write_small_year
from tests.test_monte_carlo import POWER, SPECS, digest, flat

QUASI = ("sobol", "latin_hypercube")
ROUND = REPLICATES * BLOCK


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    return pm.Year.load(write_small_year(tmp_path_factory.mktemp("year")))


def quasi(year: pm.Year, size: int, *specs: Any, seed: int = 0, **how: Any) -> Replicated:
    draws = un.draw(year, size, *(specs or SPECS), seed=seed, **{"design": "sobol", **how})
    assert isinstance(draws, Replicated)
    return draws


def points(draws: pm.Draws) -> np.ndarray:
    """All drawn numbers, (k, paths)."""
    return np.concatenate([np.stack([v[p] for p in draws.paths], -1) for _, v in draws.blocks()])


# ---- the formula


def test_replicates_of_one_length_give_the_error_of_a_mean_of_means() -> None:
    rng = np.random.default_rng(0)
    means = rng.normal(size=(7, 3))
    wanted = means.std(0, ddof=1) / 7**0.5
    np.testing.assert_allclose(se.replicate_error(means * 50, [50] * 7), wanted, rtol=1e-12)


def test_the_error_of_a_ratio_of_cochran() -> None:
    """Cochran's estimate by hand: residuals of sums 12, 30, 18 on counts 4, 8, 8 (mean 3)."""
    away = np.array([12 - 4 * 3, 30 - 8 * 3, 18 - 8 * 3])
    wanted = (3 / 2 * (away**2).sum()) ** 0.5 / 20
    assert float(se.replicate_error([12, 30, 18], [4, 8, 8])) == pytest.approx(wanted, rel=1e-12)


@given(hnp.arrays(float, (5, 2), elements=st.floats(-1e3, 1e3)), st.floats(-50, 50))
def test_errors_move_with_their_unit_and_not_with_their_origin(y: np.ndarray, by: float) -> None:
    n = np.array([10.0, 20, 30, 20, 10])
    error = se.replicate_error(y * n[:, None], n)
    moved = se.replicate_error((by - 3 * y) * n[:, None], n)
    np.testing.assert_allclose(moved, 3 * error, rtol=1e-7, atol=1e-9)
    idle = se.replicate_error(np.vstack([y * n[:, None], np.zeros((1, 2))]), np.append(n, 0))
    np.testing.assert_allclose(idle, error, rtol=1e-12)  # one without draws says nothing


def test_one_replicate_tells_no_error() -> None:
    assert np.isnan(se.replicate_error([3.0], [5]))
    assert np.isnan(se.replicate_error([[3.0], [0.0]], [[5], [0]])).all()


# ---- the draws


def test_blocks_take_turns(year: pm.Year) -> None:
    draws = quasi(year, 3 * 4 * BLOCK, SPECS[0], replicates=4)
    whole = points(draws).reshape(3, 4, BLOCK, -1)
    for r in range(4):
        own = draws.replicate(r)
        assert np.array_equal(points(own), whole[:, r].reshape(3 * BLOCK, -1))
        assert draws.number(r, 2 * BLOCK + 5) == (2 * 4 + r) * BLOCK + 5
        for k in (0, BLOCK + 3):
            assert own.draw(k) == draws.draw(draws.number(r, k))
    with pytest.raises(ValueError, match="allowed: 0 to 3"):
        draws.replicate(4)
    with pytest.raises(ValueError, match="multiple of 4096"):
        quasi(year, 5 * BLOCK, SPECS[0], replicates=4).replicate(0)
    later = draws.between(4 * BLOCK, 12 * BLOCK).replicate(1)
    assert np.array_equal(points(later), whole[1:, 1].reshape(2 * BLOCK, -1))


def test_every_replicate_is_a_balanced_sequence_of_its_own(year: pm.Year) -> None:
    draws = quasi(year, 2 * ROUND, un.percent("P*", by=50))
    cube = np.stack([points(draws.replicate(r)) for r in range(REPLICATES)])  # (r, k, d)
    nominal = np.array([float(year.scheme.number(p)) for p in draws.paths])
    unit = cube / nominal - 0.5
    cells = np.sort((unit * 2 * BLOCK).astype(int), axis=1)
    assert (cells == np.arange(2 * BLOCK)[:, None]).all()  # one point in each 2048th
    assert len(np.unique(unit.reshape(-1, 4), axis=0)) == 2 * ROUND  # none shares a point


@pytest.mark.parametrize("design", QUASI)
def test_means_of_replicates_are_unbiased_and_independent(design: str) -> None:
    """Means of 16 replicates over 12 seeds: around the truth, and no seed repeats another."""
    year = flat(np.eye(3))
    means = np.array([
        [points(quasi(year, ROUND, un.simplex("all"), seed=seed, design=design).replicate(r))
         .max(1).mean() for r in range(REPLICATES)] for seed in range(12)
    ])  # fmt: skip
    mean = (1 + 1 / 2 + 1 / 3) / 3 * 3  # of the largest of three shares, whose sum is 3
    z = (means - mean) / means.std(ddof=1)
    assert abs(z.mean()) < 4 / z.size**0.5
    assert np.abs(np.corrcoef(z) - np.eye(12)).max() < 0.85
    within = z.var(axis=1, ddof=1).mean()  # as large as the variance of means of seeds says
    assert 0.3 < REPLICATES * z.mean(1).var(ddof=1) / within < 2.5


def test_numbers_of_draws_that_are_whole_replicates(year: pm.Year) -> None:
    even = quasi(year, 100, replicates=8)
    assert [even.at_least(n) for n in (1, 8192, 8193, 20_000)] == [8192, 8192, 16_384, 32_768]
    assert [even.at_most(n) for n in (8191, 8192, 30_000, 32_768)] == [0, 8192, 16_384, 32_768]
    cubes = quasi(year, 100, replicates=8, design="latin_hypercube")
    assert [cubes.at_least(n) for n in (1, 8193, 20_000)] == [8192, 16_384, 24_576]
    assert [cubes.at_most(n) for n in (8191, 30_000)] == [0, 24_576]


@pytest.mark.parametrize("design", QUASI)
def test_jumps_and_threads_do_not_change_a_sequence(year: pm.Year, design: str) -> None:
    draws = quasi(year, ROUND + 6 * BLOCK, SPECS[0], SPECS[1], design=design)
    wanted = points(draws)
    parts = [slice(b * BLOCK, (b + 1) * BLOCK) for b in range(REPLICATES + 6)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(draws.block, reversed(parts)))[::-1]
    again = pickle.loads(pickle.dumps(draws)).block(parts[18])
    for part, values in (*zip(parts, made, strict=True), (parts[18], again)):
        found = np.stack([values[p] for p in draws.paths], -1)
        assert np.array_equal(found, wanted[part])


# ---- slow twin


@pytest.mark.parametrize("design", QUASI)
def test_errors_are_those_of_the_means_of_replicates(year: pm.Year, design: str) -> None:
    size = 2 * 4 * BLOCK
    draws = quasi(year, size, design=design, replicates=4, seed=3)
    found, alone = se.monte_carlo(year, draws), pm.simulate(year, draws)
    assert np.array_equal(found.counts.ranks, tally(year, draws).ranks)
    assert alone.grade is not None
    apart = (np.arange(size) // BLOCK) % 4

    def error(values: np.ndarray) -> np.ndarray:
        means = np.stack([values[apart == r].mean(0) for r in range(4)])
        return np.asarray(means.std(0, ddof=1) / 2)

    close = {"rtol": 1e-6, "atol": 1e-12}
    least = se.share_error(0, size)
    nominal, frame = found.counts.nominal_rank, found.to_frame()
    np.testing.assert_allclose(frame["expected_mcse"], error(alone.rank), **close)
    np.testing.assert_allclose(frame["shift_mcse"], error(np.abs(alone.rank - nominal)), **close)
    np.testing.assert_allclose(frame["total_mcse"], error(alone.total), **close)
    for g, level in enumerate(alone.levels):
        wanted = np.maximum(error(alone.grade == g), least)
        np.testing.assert_allclose(frame[f"{level}_mcse"], wanted, **close)
    for rank in (1, 2, 3):
        wanted = np.maximum(error(alone.rank == rank), least)
        np.testing.assert_allclose(found.acceptability_error[rank], wanted, **close)
    mine, theirs = alone.rank[:, :, None], alone.rank[:, None, :]
    wanted = np.maximum(error((mine < theirs) + (mine == theirs) / 2), least)
    same = found.wins.notna().to_numpy() & ~np.eye(len(nominal), dtype=bool)
    np.testing.assert_allclose(found.wins_error.to_numpy()[same], wanted[same], **close)
    moved = np.abs(alone.rank - nominal).mean(1)
    best = ((alone.grade == 0) == found.counts.nominal_best).all(1)
    np.testing.assert_allclose(
        found.overall["mcse"], [np.maximum(error(best), least), error(moved)], **close
    )


def test_the_error_of_independent_orders_counts_ties_half(year: pm.Year) -> None:
    two = flat(np.array([[1.0, 0.0], [0.0, 1.0]]))
    draws = un.draw(two, 5000, un.choice("k0", values=[0.5, 1.0, 2.0]), seed=1)
    found, rank = se.monte_carlo(two, draws), pm.simulate(two, draws).rank
    y = (rank[:, 0] < rank[:, 1]) + (rank[:, 0] == rank[:, 1]) / 2
    assert found.wins.loc["u00", "u01"] == y.mean()
    assert found.wins_error.loc["u00", "u01"] == pytest.approx(y.std() / 5000**0.5, rel=1e-3)
    classes = se.monte_carlo(year, un.draw(year, 100, *SPECS, seed=1))
    assert np.isnan(classes.wins_error.loc["C01", "D01"])
    twins = flat(np.array([[0.5, 0.5], [0.5, 0.5]]))
    tied = se.monte_carlo(twins, un.draw(twins, 5000, un.simplex("all"), seed=1))
    assert tied.wins_error.loc["u00", "u01"] == pytest.approx(0.5 / 5001)


# ---- known truth


def spread(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


MATRIX = np.random.default_rng(5).random((12, 9))


@pytest.mark.parametrize("design", QUASI)
def test_stated_errors_are_the_errors_made(design: str) -> None:
    """Over 12 seeds; with 15 degrees of freedom z has a mean square of 15/13."""
    year, wins = flat(MATRIX), rb.win_probabilities(MATRIX)
    ranks, off = rb.expected_ranks(wins), ~np.eye(12, dtype=bool)
    z, z_wins, gain = [], [], []
    for seed in range(12):
        found = se.monte_carlo(
            year, un.draw(year, ROUND, un.simplex("all"), seed=seed, design=design)
        )
        table = found.ranks
        z.append((table["expected"] - ranks) / table["expected_mcse"])
        z_wins.append(((found.wins - wins) / found.wins_error).to_numpy()[off])
        gain.append(table["expected_mcse"] / se.expected_ranks(found.counts.ranks)[1])
    usual = (15 / 13) ** 0.5
    assert 0.8 < spread(z) / usual < 1.2
    assert 0.9 < spread(z_wins) / usual < 1.1
    margin = found.errors.margin(0.95)
    assert 0.92 < np.mean(np.abs(z_wins) < margin) < 0.98
    assert spread(gain) < 0.6  # of the error that independent draws would have
    assert np.abs(np.corrcoef(z) - np.eye(12)).max() < 0.95


def test_mean_ranks_of_49_units_over_twelve_seeds(reference: Path) -> None:
    """The formula for independent draws would say four times as much as the error made."""
    folder = reference / "mcda"
    year = flat(np.loadtxt(folder / "U_49x135.csv", delimiter=","))
    wanted = np.loadtxt(folder / "expected_rank_49.csv", delimiter=",")
    off, stated, independent = [], [], []
    for seed in range(12):
        found = se.monte_carlo(year, quasi(year, ROUND, un.simplex("all"), seed=seed), pairs=False)
        off.append(found.ranks["expected"] - wanted)
        stated.append(found.ranks["expected_mcse"])
        independent.append(se.expected_ranks(found.counts.ranks)[1])
    z = np.array(off) / np.array(stated)
    assert 0.88 < spread(z) / (15 / 13) ** 0.5 < 1.12
    assert 0.9 < spread(stated) / spread(off) < 1.1
    assert np.mean(np.abs(z) < found.errors.margin()) == pytest.approx(0.95, abs=0.02)
    assert spread(independent) > 3.5 * spread(off)
    assert np.abs(np.corrcoef(z) - np.eye(12)).max() < 0.75


@pytest.mark.parametrize("design", QUASI)
def test_central_weights_and_shares_of_two_criteria(design: str) -> None:
    """Unit A is first where its criterion has more than 0.6 of the weight: on average 0.8."""
    year = flat(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]]))
    z, z_first = [], []
    for seed in range(12):
        draws = un.draw(year, ROUND, un.simplex("all"), seed=seed, design=design)
        found = se.monte_carlo(year, draws)
        table = found.central_weights().set_index(["unit_id", "child"]).xs("k0", level="child")
        z.append((table["share"] - [0.8, 0.2, 0.5]) / table["mcse"])
        z_first.append((found.acceptability[1] - [0.4, 0.4, 0.2]) / found.acceptability_error[1])
    assert 0.75 < spread(z) < 1.4
    assert 0.75 < spread(z_first) < 1.4
    if design == "sobol":  # half of what independent draws would have, and less
        assert (table["mcse"] < 0.4 / 12**0.5 / table["draws"] ** 0.5 / 2).all()


def test_no_share_is_without_error() -> None:
    """What all replicates agree on may still happen less than once in all draws."""
    year = flat(np.array([[1.0, 1.0], [0.0, 0.5]]))
    found = se.monte_carlo(year, quasi(year, ROUND, un.simplex("all")))
    assert found.acceptability.to_numpy().tolist() == [[1, 0], [0, 1]]
    assert found.acceptability_error.to_numpy() == pytest.approx(0.5**0.5 / ROUND, rel=1e-3)
    assert found.ranks["expected_mcse"].tolist() == [0, 0]


def test_central_weights_of_one_replicate_have_no_error() -> None:
    year = flat(np.array([[1.0, 0.0], [0.0, 1.0]]))
    found = se.monte_carlo(year, quasi(year, 2 * BLOCK, un.simplex("all"), replicates=2))
    one = found.replicates[1].first
    assert one is not None
    worse = one._replace(best=one.best + 1)
    parts = (found.replicates[0], pm.draws.replace(found.replicates[1], first=worse))
    first = found.replicates[0].first
    counts = pm.draws.replace(found.counts, first=first)
    errors = se.StandardErrors(counts, parts)
    assert np.isnan(errors.favorable(np.zeros((2, 2)))).all()


# ---- what a result says


def test_a_result_names_its_errors(year: pm.Year) -> None:
    random = se.monte_carlo(year, un.draw(year, 2000, *SPECS, seed=1))
    assert random.errors.kind == "of independent draws" == random.meta["standard_errors"]
    assert random.errors.degrees is None
    assert random.errors.margin() == pytest.approx(1.959964, abs=1e-6)
    assert random.replicates == ()
    assert repr(random) == "<MonteCarlo of 2000 draws, 5 units>"
    even = se.monte_carlo(year, quasi(year, ROUND))
    assert even.meta["standard_errors"] == "between 16 replicates, 15 degrees of freedom"
    assert repr(even.errors) == f"<StandardErrors {even.errors.kind}>"
    # tables of Student's distribution: 2.131 and 2.947 at 15 degrees of freedom
    assert even.errors.margin() == pytest.approx(2.131, abs=5e-4)
    assert even.errors.margin(0.99) == pytest.approx(2.947, abs=5e-4)
    assert repr(even) == "<MonteCarlo of 16384 draws in 16 replicates, 5 units>"
    assert "sobol in 16 replicates, seed 0" in even.meta["varied"]
    assert even.meta["draws"] == ROUND
    with pytest.raises(PerfmethodError, match=r"level: found 1.0"):
        even.errors.margin(1.0)


def test_independent_draws_keep_their_formulas(year: pm.Year) -> None:
    found = se.monte_carlo(year, un.draw(year, 3000, *SPECS, seed=2))
    c = found.counts
    assert np.array_equal(found.acceptability_error, se.share_error(c.ranks, 3000))
    assert np.array_equal(found.ranks["expected_mcse"], se.expected_ranks(c.ranks)[1])
    assert np.array_equal(found.grades["excellent_mcse"], se.share_error(c.grades, 3000)[:, 0])
    assert found.overall.at["same_best", "mcse"] == se.share_error(c.same_best, 3000)


def test_draws_that_are_no_whole_replicates_are_refused(year: pm.Year) -> None:
    message = r"monte_carlo: found 10000 draws by sobol in 16 .* such as 16384 or 32768"
    with pytest.raises(PerfmethodError, match=message):
        se.monte_carlo(year, quasi(year, 10_000))
    with pytest.raises(PerfmethodError, match="a power of 2, such as 32768 or 65536"):
        se.monte_carlo(year, quasi(year, 3 * ROUND))
    cubes = se.monte_carlo(year, quasi(year, 3 * ROUND, design="latin_hypercube"))
    assert cubes.draws == 3 * ROUND
    with pytest.raises(PerfmethodError, match="a whole number, such as 49152 or 65536"):
        se.monte_carlo(year, quasi(year, 3 * ROUND + 1, design="latin_hypercube"))
    with pytest.raises(PerfmethodError, match="at least 2 replicates"):
        se.monte_carlo(year, quasi(year, ROUND).replicate(0))
    with pytest.raises(SchemeError, match="1 replicates; allowed: at least 2"):
        quasi(year, ROUND, replicates=1)


# ---- any executor, failures, runs that stop, schemes


@pytest.mark.parametrize("design", QUASI)
def test_nothing_but_the_seed_decides(year: pm.Year, design: str) -> None:
    draws = quasi(year, 4 * 4 * BLOCK, design=design, replicates=4)
    wanted = se.monte_carlo(year, draws)
    for workers, size in ((1, 1), (4, 1), (2, 16)):
        with ThreadPoolExecutor(workers) as pool:
            found = se.monte_carlo(year, draws, executor=pool, blocks_per_task=size)
        assert found.to_frame().equals(wanted.to_frame())
        assert found.central_weights().equals(wanted.central_weights())
        parts = zip(found.replicates, wanted.replicates, strict=True)
        assert all(digest(a) == digest(b) for a, b in parts)
    other = se.monte_carlo(year, quasi(year, 4 * 4 * BLOCK, design=design, replicates=4, seed=1))
    assert not found.to_frame().equals(other.to_frame())


def test_failed_draws_keep_their_numbers(year: pm.Year) -> None:
    bad = un.choice(POWER, values=[1.0, 0.0], probabilities=[0.997, 0.003])
    noise = un.survey_noise(pm.evaluate(year).review, scale=30.0)
    draws = quasi(year, 4 * 2 * BLOCK, bad, noise, replicates=4)
    found = se.monte_carlo(year, draws)
    alone = pm.simulate(year, draws, failures="count")
    assert found.failures["draw"].tolist() == [f.draw for f in alone.failures][:100]
    assert found.counts.failed == len(alone.failures) > 5
    assert found.draws + found.counts.failed == draws.size
    lengths = [part.draws for part in found.replicates]
    assert len(set(lengths)) > 1
    share = np.stack([part.ranks / n for part, n in zip(found.replicates, lengths, strict=True)])
    rough = share.std(0, ddof=1) / 2  # replicates are nearly of one length
    some = rough > 1e-3
    np.testing.assert_allclose(found.acceptability_error.to_numpy()[some], rough[some], rtol=0.02)


@pytest.mark.parametrize("design", QUASI)
def test_a_run_stops_by_the_errors_between_replicates(year: pm.Year, design: str) -> None:
    how: dict[str, Any] = {"design": design, "replicates": 4}
    found = se.run_until(year, *SPECS, seed=2, mcse=0.002, first=BLOCK, **how)
    assert found.converged
    assert found.reached is not None
    assert found.draws > 4 * BLOCK
    parts = [found.acceptability_error, found.grades.filter(like="_mcse")]
    assert max(part.to_numpy().max() for part in parts) <= found.reached <= 0.002
    again = se.monte_carlo(year, quasi(year, found.draws, seed=2, **how))
    assert np.array_equal(found.counts.ranks, again.counts.ranks)
    assert np.array_equal(found.acceptability_error, again.acceptability_error)
    np.testing.assert_allclose(found.ranks["total_mcse"], again.ranks["total_mcse"], rtol=1e-6)
    assert found.errors.kind == "between 4 replicates, 3 degrees of freedom"
    assert "in 4 replicates, 5 units; bound 0.002 reached" in repr(found)


def test_a_run_by_replicates_that_does_not_get_there(year: pm.Year) -> None:
    how: dict[str, Any] = {"design": "sobol", "replicates": 4}
    found = se.run_until(year, *SPECS, seed=1, mcse=1e-6, most=30_000, **how)
    assert found.converged is False
    assert found.draws == 16_384  # the most below 30,000 that are 4096 times a power of 2
    assert "NOT reached" in repr(found)
    with pytest.raises(PerfmethodError, match="run_until, most: found 4000 draws"):
        se.run_until(year, *SPECS, seed=1, first=100, most=4000, **how)


def test_a_mixture_of_schemes_has_replicates(year: pm.Year) -> None:
    schemes = {"own": year.scheme, "by all": year.scheme.patch({"grades.pool": "all"})}
    how: dict[str, Any] = {"seed": 1, "design": "sobol", "replicates": 4}
    found = se.simulate_each(year, schemes, 8 * BLOCK, *SPECS[:2], **how)
    assert found.together.errors.kind == "between 4 replicates, 3 degrees of freedom"
    total = sum(part.ranks for part in found.together.replicates)
    assert np.array_equal(total, found.together.counts.ranks)
    means = [[part.shift / part.draws for part in one.replicates] for one in found.each.values()]
    wanted = np.mean(means, axis=0).std(ddof=1) / 2 / len(found.together.counts.units)
    assert wanted > 0
    error = found.together.overall.at["mean_rank_shift", "mcse"]
    assert error == pytest.approx(wanted, rel=1e-9)
    with pytest.raises(PerfmethodError) as caught:
        se.simulate_each(year, schemes, 6 * BLOCK, *SPECS[:2], **how)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "simulate_each, 'own'", "simulate_each, 'by all'"
    ]  # fmt: skip
    alone = se.simulate_each(year, schemes, 8, seed=1, design="sobol")
    assert alone.together.replicates == ()
