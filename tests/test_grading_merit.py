"""Places by merit across pools: an obvious twin, ties, and what must not change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfmethod.grading import Apportionment, Step, apportion, assign, next_candidates
from perfmethod.grading import right_and_merit as by_right

NEVER = -(10**9)


@st.composite
def contests(draw: st.DrawFn) -> dict:
    """Units in pools, all totals different and all merits different."""
    u = draw(st.integers(2, 9))
    p = draw(st.integers(1, 3))
    return {
        "totals": draw(st.permutations(range(u))),
        "merit": draw(st.permutations(range(u))),
        "pools": [draw(st.integers(0, p - 1)) for _ in range(u)],
        "ceiling": [draw(st.sampled_from([0, 0, 0, 1])) for _ in range(u)],
        "right": [draw(st.integers(0, 2)) for _ in range(p)],
        "rest": draw(st.integers(0, 3)),
        "least": draw(st.sampled_from([NEVER, u // 3])),
    }


def able(c: dict, i: int) -> bool:
    return c["ceiling"][i] == 0 and c["totals"][i] >= c["least"]


def best(c: dict, key: str, among: list[int], n: int) -> list[int]:
    return sorted(among, key=lambda i: -c[key][i])[:n]


def steps(c: dict, places: list[int] | None) -> list[Step]:
    return [Step(places=places, least=float(c["least"])), Step(least=1.0), Step()]


@given(contests())
def test_the_rest_goes_to_the_best_left(c: dict) -> None:
    units = range(len(c["totals"]))
    inside: list[int] = []
    for pool, places in enumerate(c["right"]):
        mine = [i for i in units if c["pools"][i] == pool and able(c, i)]
        inside += best(c, "totals", mine, places)
    left = [i for i in units if i not in inside and able(c, i)]
    merit = best(c, "merit", left, c["rest"])
    wanted = [0 if i in inside + merit else 1 if c["totals"][i] >= 1 else 2 for i in units]
    found = by_right(
        c["totals"], c["pools"], steps(c, c["right"]), c["rest"], c["merit"], ceiling=c["ceiling"]
    )
    assert found.graded.codes.tolist() == wanted
    assert np.flatnonzero(found.by_merit).tolist() == sorted(merit)
    assert not found.merit_tied.any()


@given(contests(), st.data())
def test_tied_pools_send_their_next_candidate(c: dict, data: st.DataObject) -> None:
    pools = len(c["right"])
    tied = tuple(sorted(data.draw(st.sets(st.integers(0, pools - 1)))))
    contested = data.draw(st.integers(1, len(tied) - 1)) if len(tied) > 1 else 0
    tied = tied if contested else ()
    table = Apportionment(tuple(c["right"]), tied, contested, ())
    ranked = {
        pool: best(c, "totals", [i for i, q in enumerate(c["pools"]) if q == pool and able(c, i)],
                   99)
        for pool in range(pools)
    }  # fmt: skip
    waiting = [ranked[p][s] for p, s in enumerate(c["right"]) if p in tied and len(ranked[p]) > s]
    winners = best(c, "merit", waiting, contested)
    holders = [i for p, s in enumerate(c["right"]) for i in ranked[p][:s]] + winners
    found = next_candidates(
        c["totals"], c["pools"], steps(c, None), table, c["merit"], ceiling=c["ceiling"]
    )
    assert np.flatnonzero(found.graded.codes == 0).tolist() == sorted(holders)
    assert np.flatnonzero(found.by_merit).tolist() == sorted(winners)


@given(contests())
def test_draws_are_graded_one_by_one(c: dict) -> None:
    rng = np.random.default_rng(len(c["totals"]))
    u = len(c["totals"])
    totals = np.array([rng.permutation(u) for _ in range(4)], float)
    merit = np.array([rng.integers(0, 3, u) for _ in range(4)], float)
    table = Apportionment(tuple(c["right"]), (), 0, ())
    if len(c["right"]) > 1:
        table = Apportionment(tuple(c["right"]), (0, 1), 1, ())
    arguments = (c["pools"], steps(c, c["right"]))
    for k in range(4):
        how = {"ceiling": c["ceiling"]}
        many = by_right(totals, *arguments, c["rest"], merit, **how)
        one = by_right(totals[k], *arguments, c["rest"], merit[k], **how)
        assert many.graded.codes[k].tolist() == one.graded.codes.tolist()
        assert many.merit_tied[k].tolist() == one.merit_tied.tolist()
        many = next_candidates(totals, *arguments, table, merit, **how)
        one = next_candidates(totals[k], *arguments, table, merit[k], **how)
        assert many.graded.codes[k].tolist() == one.graded.codes.tolist()


@given(contests())
def test_no_rest_and_no_tie_change_nothing(c: dict) -> None:
    how = {"ceiling": c["ceiling"]}
    plain = assign(c["totals"], c["pools"], steps(c, c["right"]), **how)
    none = by_right(c["totals"], c["pools"], steps(c, c["right"]), 0, c["merit"], **how)
    table = Apportionment(tuple(c["right"]), (), 0, ())
    free = next_candidates(c["totals"], c["pools"], steps(c, None), table, c["merit"], **how)
    assert none.graded.codes.tolist() == free.graded.codes.tolist() == plain.codes.tolist()


def test_a_tie_on_merit_is_shown() -> None:
    ladder = [Step(places=[0, 0]), Step()]
    found = by_right([9, 8], [0, 1], ladder, 1, [5, 5])
    assert found.graded.codes.tolist() == [1, 1]
    assert found.merit_tied.tolist() == [True, True]
    keyed = by_right([9, 8], [0, 1], ladder, 1, [5, 5], keys=[[1, 2]])
    assert keyed.graded.codes.tolist() == [1, 0]
    both = by_right([9, 8], [0, 1], ladder, 1, [5, 5], edge_tie="all_in")
    assert both.graded.codes.tolist() == [0, 0]


def test_without_a_merit_score_there_is_no_place_by_merit() -> None:
    ladder = [Step(places=[0, 0]), Step()]
    found = by_right([9, 8, 7], [0, 1, 1], ladder, 2, [np.nan, 1, np.nan])
    assert found.graded.codes.tolist() == [1, 0, 1]


def test_places_of_lower_grades_are_filled_without_those_who_rose() -> None:
    ladder = [Step(places=[1]), Step(places=[1]), Step()]
    found = by_right([9, 8, 7], [0, 0, 0], ladder, 1, [0, 5, 4])
    assert found.graded.codes.tolist() == [0, 0, 1]


def test_three_groups_of_nine_and_one_place_too_few() -> None:
    table = apportion([3, 3], 1)
    assert (table.tied, table.contested) == ((0, 1), 1)
    found = next_candidates(
        [90, 80, 70, 95, 85, 75], [0, 0, 0, 1, 1, 1], [Step(), Step()], table,
        [70, 99, 99, 60, 99, 99],
    )  # fmt: skip
    # the best of each pool are compared, not those with the best merit
    assert np.flatnonzero(found.graded.codes == 0).tolist() == [0]


def test_places_by_merit_are_not_negative() -> None:
    with pytest.raises(ValueError, match="-1 places by merit"):
        by_right([1.0], [0], [Step(places=[0]), Step()], -1, [1.0])
