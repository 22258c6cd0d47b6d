"""Keys of ``[grades]`` that spread places: caps, lots, balances; the law and the refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import DataError, SchemeError
from perfmethod.grading import apportion, apportion_carried, lot

SIZES = {"G1": 5, "G2": 5, "G3": 3, "G4": 2}


def scheme(**keys: Any) -> pm.Scheme:
    document = {
        "format": 1,
        "classes": {"city": {}},
        "indicators": {"roads": {"rule": {"method": "identity"}},
                       "water": {"rule": {"method": "identity"}}},
        "vetoes": {"V1": {"effect": "cap", "grade": "fair"}},
        "grades": {"levels": {"good": {"places": 4}, "fair": {}}, **keys},
    }  # fmt: skip
    return pm.Scheme(document)


def year(vetoed: tuple[str, ...] = (), **keys: Any) -> pm.Year:
    ids = [f"{group}-{i}" for group, n in SIZES.items() for i in range(n)]
    rng = np.random.default_rng(3)
    units = pd.DataFrame({"unit_id": ids, "group": [i.split("-")[0] for i in ids]})
    actuals = pd.DataFrame({"unit_id": ids, "roads": rng.uniform(50, 99, len(ids)),
                            "water": rng.uniform(50, 99, len(ids))})  # fmt: skip
    vetoes = pd.DataFrame({"event_id": [f"E{i}" for i in range(len(vetoed))],
                           "unit_id": list(vetoed), "veto": "V1",
                           "status": "confirmed"})  # fmt: skip
    made = scheme(**keys)
    return pm.Year.from_frames(
        made, units=units, actuals=actuals, vetoes=vetoes if vetoed else None
    )


def places(evaluation: pm.Evaluation) -> dict[str, int]:
    return dict(evaluation.quotas.set_index("pool")["places"])


def held(evaluation: pm.Evaluation) -> dict[str, int]:
    good = evaluation.scores[evaluation.scores["grade"] == "good"]
    return good["group"].value_counts().reindex(list(SIZES), fill_value=0).to_dict()


# ---------------------------------------------------------------- what the keys do


def test_a_cap_is_that_of_apportion_and_never_above_the_pool() -> None:
    found = pm.evaluate(year(cap=1))
    assert places(found) == dict(zip(SIZES, [1, 1, 1, 1], strict=True))
    wide = pm.evaluate(year(cap=1, levels={"good": {"places": 3}, "fair": {}}))
    table = apportion(list(SIZES.values()), 3, cap=1)
    assert list(places(wide).values()) == list(table.seats)


def test_no_more_places_than_eligible_units() -> None:
    vetoed = ("G4-0", "G4-1", "G3-0", "G3-1", "G3-2")
    found = pm.evaluate(year(vetoed, cap="eligible", floor=1))
    assert places(found)["G4"] == places(found)["G3"] == 0
    assert held(found) == {"G1": 2, "G2": 2, "G3": 0, "G4": 0}
    without = pm.evaluate(year(vetoed, floor=1))
    assert sum(held(without).values()) < 4  # places of pools in which nobody may be good


def test_tied_pools_draw_lots() -> None:
    levels = {"good": {"places": 5}, "fair": {}}
    table = apportion(list(SIZES.values()), 5)
    assert (table.seats, table.tied, table.contested) == ((1, 1, 1, 0), (0, 1, 3), 2)
    plain = pm.evaluate(year(levels=levels))
    assert sum(places(plain).values()) == 3
    winners = set()
    for seed in range(8):
        found = pm.evaluate(year(levels=levels, pool_tie="lot", lot_seed=seed))
        wanted = table.settle(lot(list(SIZES), seed)).seats
        assert list(places(found).values()) == list(wanted)
        assert found.quotas["contested"].tolist() == [2, 2, 0, 2]  # that there was a tie is told
        winners.add(wanted)
    assert len(winners) == 3


def test_balances_act_on_the_places() -> None:
    balances = {"G1": -0.9, "G2": 0.4, "G4": 0.5}
    found = pm.evaluate(year(carried=balances))
    owed = [balances.get(g, 0.0) for g in SIZES]
    assert list(places(found).values()) == list(
        apportion_carried(list(SIZES.values()), 4, owed).seats
    )
    assert places(found) != places(pm.evaluate(year()))


def test_balances_are_owed_in_the_best_grade_only() -> None:
    levels = {"good": {"places": 4}, "fine": {"places": 4}, "fair": {}}
    found = pm.evaluate(year(levels=levels, carried={"G1": -1.0, "G4": 1.0})).quotas
    second = found[found["grade"] == "fine"]["places"].tolist()
    assert second == list(apportion(list(SIZES.values()), 4).seats)
    first = found[found["grade"] == "good"]["places"].tolist()
    assert first != second


# ---------------------------------------------------------------- the law


@settings(max_examples=25, deadline=None)
@given(
    lots=st.booleans(), carried=st.booleans(), capped=st.sampled_from([None, 2, "eligible"]),
    vetoed=st.sampled_from([(), ("G1-0", "G3-1")]),
    claims=st.sampled_from(["before_vetoes", "after_vetoes"]), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_draw_is_the_scheme_rewritten_and_graded_alone(
    lots: bool, carried: bool, capped: Any, vetoed: tuple[str, ...], claims: str, seed: int
) -> None:
    keys: dict[str, Any] = {"claims": claims, "floor": 0}
    keys |= {"pool_tie": "lot", "lot_seed": 1} if lots else {}
    keys |= {"carried": {"G1": 0.5, "G3": -0.5}} if carried else {}
    keys |= {"cap": capped} if capped else {}
    here, rng = year(vetoed, **keys), np.random.default_rng(seed)
    draws: dict[str, Any] = {
        "grades.levels.good.places": rng.integers(3, 7, 6),
        "indicators.roads.weight": rng.uniform(0.1, 3, 6),
    }
    if lots:
        draws["grades.lot_seed"] = rng.integers(0, 50, 6)
    if carried:
        draws["grades.carried.G3"] = rng.uniform(-1, 1, 6)
    if capped == 2:
        draws["grades.cap"] = rng.integers(2, 4, 6)
    found = pm.simulate(here, draws)
    for k in range(6):
        patch = {path: values[k].item() for path, values in draws.items()}
        alone = pm.evaluate(here.with_scheme(here.scheme.patch(patch)))
        assert found.grade is not None
        told = [found.levels[code] for code in found.grade[k]]
        assert told == alone.scores["grade"].tolist()


# ---------------------------------------------------------------- refusals


def test_a_scheme_tells_every_problem_of_its_spread() -> None:
    with pytest.raises(SchemeError) as error:
        scheme(cap=1, floor=2, pool_tie="lot", carried={"G1": 0.5}, method="webster")
    assert len(error.value.problems) == 3
    text = str(error.value)
    assert "a cap of 1 below the floor of 2; allowed: a cap of 2 or more" in text
    assert "column 'lot_seed': found nothing; allowed: a whole number" in text
    assert "'webster' with [grades.carried]; allowed: 'hamilton'" in text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"cap": 0}, "found 0; allowed: a whole number of 1 or more, or 'eligible'"),
        ({"cap": "eligable"}, "or 'eligible'"),
        ({"cap": True}, "found True"),
        ({"pool_tie": "lots"}, "did you mean 'lot'"),
        ({"pool_tie": "lot", "lot_seed": -1}, "found -1; allowed: a whole number of 0 or more"),
        ({"carried": {}}, "a table of finite numbers by pool"),
        ({"carried": {"G1": float("nan")}}, "a table of finite numbers by pool"),
        ({"carried": 0.5}, "a table of finite numbers by pool"),
    ],
)
def test_a_wrong_value_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemeError, match=message.replace("(", r"\(")):
        scheme(**keys)


def test_a_year_tells_what_does_not_fit_its_pools() -> None:
    with pytest.raises(DataError) as error:
        year(cap=1, carried={"G5": 0.5, "G1": -0.5}, levels={"good": {"places": 5}, "fair": {}})
    text = str(error.value)
    assert "column 'G5': found 'G5'; allowed: one of G1" in text
    assert "5 places, at most 1 in each of 4 pools; allowed: at most 4 under this cap" in text


def test_too_few_eligible_units_are_told_when_grades_are_given() -> None:
    vetoed = tuple(f"{g}-{i}" for g, n in SIZES.items() for i in range(n))[:13]
    with pytest.raises(DataError, match="4 seats cannot be given"):
        pm.evaluate(year(vetoed, cap="eligible"))
