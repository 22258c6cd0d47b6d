"""Rank sets: csranks on PISA 2018, a slow twin, laws, and the sets of an evaluated year.

Reference: `csranks_pisa2018.csv`, computed with csranks 1.2.3 from the OECD's published means and
standard errors (sim, mar: simultaneous and marginal sets, _ss: in a single step; top5: units in the
confidence set of the five best).
"""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.ranking import RankBounds, RankSets, pair_errors, rank_bounds, rank_sets
from perfmethod.scoring.reviewed import survey_covariance
from tests.small_year import write_small_year

mpl.use("Agg")

SUBJECTS = ("math", "reading", "science")


def csranks(reference: Path, subject: str) -> pd.DataFrame:
    table = pd.read_csv(reference / "fairness" / "csranks_pisa2018.csv")
    mine = table[(table["subject"] == subject) & (table["data"] == "pisa2018")]
    return mine.set_index("unit")


@pytest.mark.parametrize("stepwise", [True, False])
@pytest.mark.parametrize("simultaneous", [True, False])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_rank_sets_of_pisa_are_those_of_csranks(
    subject: str, simultaneous: bool, stepwise: bool, reference: Path
) -> None:
    theirs = csranks(reference, subject)
    # as it is by default: what is left is the other program's Monte Carlo error
    ours = rank_sets((theirs["score"], theirs["se"].to_numpy()), simultaneous=simultaneous,
                     stepwise=stepwise).sets  # fmt: skip
    kind = ("sim" if simultaneous else "mar") + "{}" + ("" if stepwise else "_ss")
    other = theirs[[kind.format("L"), kind.format("U")]].to_numpy()
    gap = np.abs(ours[["low", "high"]].to_numpy() - other)
    assert gap.max() <= 1
    assert (gap > 0).sum() <= 4
    assert (ours["rank"] == theirs["rank"]).all()


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_possible_best_five_are_those_of_csranks(subject: str, reference: Path) -> None:
    theirs = csranks(reference, subject)
    given_ = (theirs["score"], theirs["se"].to_numpy())
    for level, column in ((0.95, "top5_95"), (0.90, "top5_90")):
        found = rank_sets(given_, level=level, draws=20_000).best(5)["status"]
        assert set(found.index[found != "surely_not"]) == set(theirs.index[theirs[column]])


# the slow twin: every hypothesis one by one, by the book


def slow_bounds(x, noise, errors, level, simultaneous, stepwise, compared) -> list[list[int]]:
    """Stepwise test of all ordered pairs (i better than j), of one family or of each unit's."""
    u = len(x)
    everything = [(i, j) for i in range(u) for j in range(u) if i != j and compared[i][j]]
    found = []
    for unit in range(u):
        family = [p for p in everything if simultaneous or unit in p]
        shown = {(i, j) for i, j in family if errors[i][j] == 0 and x[i] > x[j]}
        left = [(i, j) for i, j in family if errors[i][j] > 0]
        while left:
            most = [max((z[i] - z[j]) / errors[i][j] for i, j in left) for z in noise]
            limit = max(float(np.quantile(most, level)), 0.0)
            new = [(i, j) for i, j in left if (x[i] - x[j]) / errors[i][j] > limit]
            shown |= set(new)
            left = [p for p in left if p not in new]
            if not new or not stepwise:
                break
        better = sum(1 for _, j in shown if j == unit)
        worse = sum(1 for i, _ in shown if i == unit)
        here = sum(1 for i, _ in everything if i == unit) + 1
        found.append([1 + better, here - worse])
    return found


@settings(max_examples=25)
@given(
    hnp.arrays(float, 5, elements=st.integers(-4, 4).map(float)),
    hnp.arrays(float, (5, 2), elements=st.integers(-2, 2).map(float)),
    st.lists(st.sampled_from("ab"), min_size=5, max_size=5),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.6, 0.9]),
)
def test_bounds_are_those_of_the_slow_twin(
    x, factors, labels, simultaneous, stepwise, level
) -> None:
    covariance = factors @ factors.T + np.diag([0, 0.5, 0, 1, 0])
    errors = pair_errors(covariance)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(60, 2)) @ factors.T + rng.normal(size=(60, 5)) * np.sqrt(
        [0, 0.5, 0, 1, 0]
    )
    same = np.array(labels)[:, None] == np.array(labels)
    found = rank_bounds(x, noise, errors, level=level, simultaneous=simultaneous,
                        stepwise=stepwise, compared=same)  # fmt: skip
    slow = slow_bounds(x, noise, errors, level, simultaneous, stepwise, same)
    assert np.stack([found.low, found.high], -1).tolist() == slow


def test_two_units_are_told_apart_at_the_normal_quantile() -> None:
    # one difference: |x1 - x2| / se against 1.96, whatever the correlation
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    error = math.sqrt(2.0)
    limit = float(stats.norm.ppf(0.975))
    for factor, apart in ((0.97, False), (1.03, True)):
        found = rank_sets(([factor * limit * error, 0.0], covariance), draws=200_000)
        assert (found.sets["high"].iloc[0] == 1) == apart
        assert float(found.meta["critical"]) < limit * 1.02


noise_free = st.floats(-50, 50, allow_nan=False, width=32)


@settings(max_examples=25)
@given(
    hnp.arrays(float, 7, elements=noise_free),
    hnp.arrays(float, 7, elements=st.floats(0, 5, width=32)),
    st.booleans(),
)
def test_sets_hold_the_observed_rank_and_shrink_with_the_errors(x, se, simultaneous) -> None:
    options = {"simultaneous": simultaneous, "draws": 400}
    wide = rank_sets((x, se), **options).sets
    near = rank_sets((x, se / 3), **options).sets
    single = rank_sets((x, se), stepwise=False, **options).sets
    for sets in (wide, near, single):
        assert ((sets["low"] <= sets["rank"]) & (sets["rank"] <= sets["high"])).all()
        assert sets["low"].between(1, 7).all()
        assert sets["high"].between(1, 7).all()
    assert ((near["low"] >= wide["low"]) & (near["high"] <= wide["high"])).all()
    assert ((single["low"] <= wide["low"]) & (single["high"] >= wide["high"])).all()


@settings(max_examples=15)
@given(hnp.arrays(float, 6, elements=noise_free), st.permutations(range(6)))
def test_the_order_and_scale_of_units_do_not_matter(x, order) -> None:
    rng = np.random.default_rng(3)
    noise, se = rng.normal(size=(300, 6)) * np.arange(1, 7), np.arange(1.0, 7)
    found = rank_bounds(x, noise, pair_errors(se**2))
    order = list(order)
    turned = rank_bounds(x[order], noise[:, order], pair_errors(se[order] ** 2))
    assert turned.low.tolist() == found.low[order].tolist()
    assert turned.high.tolist() == found.high[order].tolist()
    scaled = rank_bounds(4 * x, 4 * noise, pair_errors((4 * se) ** 2))
    assert (scaled.low.tolist(), scaled.high.tolist()) == (found.low.tolist(), found.high.tolist())


def test_marginal_sets_are_narrower_than_simultaneous_ones() -> None:
    x, se = np.linspace(0, 20, 15), np.full(15, 2.0)
    all_at_once, one = rank_sets((x, se)).sets, rank_sets((x, se), simultaneous=False).sets
    assert (one["high"] <= all_at_once["high"]).all()
    assert (one["high"] - one["low"]).sum() < (all_at_once["high"] - all_at_once["low"]).sum()


def test_groups_by_themselves_are_ranked_as_each_alone_but_jointly() -> None:
    x = np.array([9.0, 5.0, 4.5, 8.0, 1.0, 7.9])
    labels = list("aaabbb")
    found = rank_sets((x, np.full(6, 0.3)), within=labels)
    assert found.sets["units"].tolist() == [3] * 6
    assert found.sets["rank"].tolist() == [1, 2, 3, 1, 3, 2]
    assert found.sets[["low", "high"]].to_numpy().tolist() == [
        [1, 1], [2, 3], [2, 3], [1, 2], [3, 3], [1, 2]]  # fmt: skip
    assert found.meta["pairs"] == 6
    status = found.best({"a": 1, "b": 1})["status"]
    assert status.loc[[0, 1, 3, 4]].tolist() == ["surely", "surely_not", "possibly", "surely_not"]
    with pytest.raises(PerfmethodError, match="found no places of 'b'"):
        found.best({"a": 1})


def test_a_common_error_cancels() -> None:
    # 100 points of error that all units share leave their differences as they were
    x, alone = np.array([3.0, 2.0, 0.0]), np.eye(3) * 0.01
    shared = rank_sets((x, alone + 100.0)).sets
    assert shared["low"].tolist() == shared["high"].tolist() == [1, 2, 3]


def test_differences_known_without_error_need_no_draws() -> None:
    found = rank_sets(([3.0, 2.0, 2.0], [0.0, 0.0, 0.0])).sets
    assert found[["low", "high"]].to_numpy().tolist() == [[1, 1], [2, 3], [2, 3]]
    assert found["rank"].tolist() == [1, 2, 2]


def test_a_seed_is_a_seed() -> None:
    given_ = (np.arange(9.0), np.full(9, 1.1))
    one, two = (float(rank_sets(given_, seed=s).meta["critical"]) for s in (0, 0))
    assert one == two != float(rank_sets(given_, seed=1).meta["critical"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rank_sets(([1.0, 2.0], [1.0])), "found 2 estimates and errors of shape"),
        (lambda: rank_sets(([1.0, np.nan], [1.0, 1.0])), "found a missing estimate"),
        (lambda: rank_sets(([1.0, 2.0], [1.0, -1.0])), "found standard error -1.0"),
        (lambda: rank_sets(([1.0, 2.0], [[1.0, 0.5], [0.4, 1.0]])), "not symmetric"),
        (lambda: rank_sets(([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0]])), "with eigenvalue -1"),
        (lambda: rank_sets(([1.0, 2.0], [1.0, 1.0]), within=["a"]), "found 1 labels for 2 units"),
    ],
)
def test_what_does_not_fit_is_said(call, words: str) -> None:
    with pytest.raises(PerfmethodError, match=words):
        call()


def test_arrays_that_do_not_fit_are_refused() -> None:
    noise = np.ones((5, 2))
    with pytest.raises(ValueError, match=r"allowed: \(u,\), \(u, u\), \(k, u\)"):
        rank_bounds([1.0, 2.0, 3.0], noise, np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"between 0\.5 and 1"):
        rank_bounds([1.0, 2.0], noise, np.ones((2, 2)), level=0.5)


# an evaluated year


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(write_small_year(tmp_path_factory.mktemp("year"))))


def test_covariance_of_totals_is_that_of_moving_each_survey_score(small: pm.Evaluation) -> None:
    covariance = small.review.covariance()
    frame = survey_covariance(small.review, small._plan, small.nodes, 1000.0)
    errors = small.survey_errors["se_total"]
    np.testing.assert_allclose(np.sqrt(np.diag(frame)), errors, rtol=1e-12)
    # the derivative of each total by each score: move the score, score the year again
    paths = [f"review.{u}.{d}" for u, d in covariance.index]
    told = small.review.to_frame().set_index(["unit_id", "dimension"])["score"]
    scores = told.reindex(covariance.index).to_numpy()
    jacobian = np.empty((len(small.scores), len(paths)))
    for k, path in enumerate(paths):
        moved = pm.simulate(small.year, {path: np.array([scores[k] - 0.5, scores[k] + 0.5])})
        jacobian[:, k] = moved.total[1] - moved.total[0]
    np.testing.assert_allclose(
        frame.to_numpy(), jacobian @ covariance.to_numpy() @ jacobian.T, atol=1e-8
    )


def test_rank_sets_of_a_year(small: pm.Evaluation) -> None:
    found = rank_sets(small, level=0.9)
    assert isinstance(found, RankSets)
    assert found.meta["source"] == "survey"
    assert (found.sets["rank"] == small.scores["rank"]).all()  # within classes, as ranks are
    assert (found.sets["units"].to_dict()) == {"C01": 2, "C02": 2, "D01": 3, "D02": 3, "D03": 3}
    grouped = rank_sets(small, within="group")
    assert (grouped.sets["rank"] == small.scores["group_rank"]).all()
    assert "simultaneous 0.9" in repr(found)
    with pytest.raises(PerfmethodError, match="did you mean 'group'"):
        rank_sets(small, within="groop")


def test_a_year_without_ballots_has_no_rank_sets() -> None:
    scheme = pm.Scheme.loads(
        'format = 1\nclasses.city = {}\nindicators.a = { rule = { method = "identity" } }\n'
    )
    frame = pd.DataFrame({"unit_id": ["A", "B"], "a": [90, 60]})
    with pytest.raises(PerfmethodError, match="found a year without ballots"):
        rank_sets(pm.evaluate(pm.Year.from_frames(scheme, actuals=frame)))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_picture_shows_each_set(lang: str) -> None:
    found = rank_sets((pd.Series([5.0, 4.0, 1.0], ["A", "B", "C"]), [1.0] * 3))
    ax = found.plot(lang=lang)
    (lines,) = [c for c in ax.collections if c.get_gid() == "set"]
    ends = [[s[0][0], s[1][0]] for s in lines.get_segments()]
    assert ends == found.to_frame()[["low", "high"]].to_numpy().tolist()
    with pytest.raises(PerfmethodError, match="found group 'x'"):
        found.plot(within="x")


def test_bounds_are_a_plain_tuple() -> None:
    found = rank_bounds([1.0, 0.0], np.zeros((4, 2)), pair_errors([1, 1]))
    assert isinstance(found, RankBounds)
    assert found.steps == 2
