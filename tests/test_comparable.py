"""What units share and what each group has to itself: twins, other names, what a scheme states."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError, SchemeError
from perfmethod.fairness import group_gaps
from perfmethod.places import compare_rules
from perfmethod.scheme.paths import thaw
from perfmethod.scoring import anchors_of, panels_of
from perfmethod.stringency import parts_of, stringency
from perfmethod.synthetic import synthetic_year

OTHER = {
    "statutory_duty": "eigene_pflichten", "common": "fuer_alle", "public_review": "buerger",
    "indicator": "aufgaben", "internal": "innen", "key_work": "schwerpunkte",
    "livelihood": "daseinsvorsorge", "spot_check": "stichproben", "economic": "wirtschaft",
    "social": "soziales",
}  # fmt: skip
RULE = {"rule": {"method": "identity"}}


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    drawn = synthetic_year(seed=0, ballots=2000)
    return pm.evaluate(pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables))


@pytest.fixture(scope="module")
def elsewhere(city: pm.Evaluation) -> pm.Evaluation:
    """The same year under a scheme with other names, which does not state who assesses what."""
    document = thaw(city.year.scheme.document)
    del document["classes"]["municipal_department"]["nodes"]["statutory_duty"]["assessors"]
    for entry in document["classes"].values():
        entry["nodes"] = {OTHER.get(k, f"x_{k}"): v for k, v in entry["nodes"].items()}
    tables = [v for c in document["classes"].values() for v in c["nodes"].values()]
    for entry in (*tables, *document["indicators"].values()):
        up = entry.get("parent")
        if isinstance(up, str):
            entry["parent"] = OTHER[up]
        elif up:
            entry["parent"] = {c: OTHER[node] for c, node in up.items()}
    document["grades"]["ties"] = [OTHER[node] for node in document["grades"]["ties"]]
    scheme = pm.Scheme(document)
    assert not {n for c in scheme.classes for n in scheme.document["classes"][c]["nodes"]} & set(
        OTHER
    )
    return pm.evaluate(city.year.with_scheme(scheme))


# no name is needed


def test_other_names_change_nothing(city: pm.Evaluation, elsewhere: pm.Evaluation) -> None:
    assert anchors_of(city) == ("common", "public_review")
    assert panels_of(city) == ("statutory_duty",)
    for class_id in (None, *city.year.scheme.classes):
        mine = anchors_of(elsewhere, class_id)
        assert mine == tuple(OTHER[node] for node in anchors_of(city, class_id))
    assert panels_of(elsewhere) == ("eigene_pflichten",)
    one, two = (stringency(ev, draws=99) for ev in (city, elsewhere))
    assert (two.meta["panel"], two.meta["anchors"]) == (
        ("eigene_pflichten",),
        anchors_of(elsewhere),
    )
    assert len(two.meta["left_out"]) == 4  # the counties, which no panel of a group scores
    pd.testing.assert_frame_equal(one.groups, two.groups)
    one, two = (group_gaps(ev, draws=50) for ev in (city, elsewhere))
    pd.testing.assert_frame_equal(one.groups, two.groups)
    rules = ["hybrid", "tie_next_candidate"]
    one, two = (compare_rules(ev, rules, draws=0) for ev in (city, elsewhere))
    assert two.rules["hybrid"].anchors == anchors_of(elsewhere)
    pd.testing.assert_frame_equal(one.table, two.table)


# twins


def small(
    held: dict[str, dict[str, list[str]]], groups: dict[str, str], **keys: Any
) -> pm.Evaluation:
    """A year of one class: node -> indicator -> units that hold it."""
    nodes = {node: dict(keys.get(node, {})) for node in held}
    indicators = {i: {**RULE, "parent": n} for n, each in held.items() for i in each}
    scheme = pm.Scheme({"format": 1, "classes": {"city": {"nodes": nodes}},
                        "indicators": indicators})  # fmt: skip
    rows = [
        (u, i, 50.0 + len(u + i)) for each in held.values() for i, us in each.items() for u in us
    ]
    tasks = pd.DataFrame(rows, columns=["unit_id", "indicator_id", "actual"])
    units = pd.DataFrame({"unit_id": list(groups), "group": list(groups.values())})
    return pm.evaluate(pm.Year.from_frames(scheme, tasks=tasks, units=units))


UNITS = {"A": "G1", "B": "G1", "C": "G2", "D": "G2", "E": "G3"}


@settings(max_examples=40)
@given(st.data())
def test_what_is_shared_by_listing_units(data: st.DataObject) -> None:
    some = st.lists(st.sampled_from(sorted(UNITS)), unique=True, min_size=1)
    share = st.one_of(st.just(sorted(UNITS)), some)
    node = st.dictionaries(st.sampled_from(["1", "2", "3"]), share, min_size=1)
    held = {n: {n + i: us for i, us in data.draw(node).items()} for n in ("p", "q", "r")}
    held["z"] = {"z1": sorted(UNITS)}  # so that every unit has something
    found = small(held, UNITS)
    alike = [n for n, each in held.items() if all(len(us) == len(UNITS) for us in each.values())]
    assert anchors_of(found) == (() if len(alike) == 4 else tuple(alike))
    own = []
    for n, each in held.items():
        groups = [{UNITS[u] for u in us} for us in each.values()]
        if all(len(g) == 1 for g in groups) and len(set().union(*groups)) > 1:
            own.append(n)
    assert panels_of(found) == tuple(own)


def test_the_highest_node_stands_for_those_below() -> None:
    held = {"shared": {}, "one": {"a": list("ABCDE")}, "two": {"b": list("ABCDE")},
            "mine": {"c": ["A"], "d": ["C", "D"]}}  # fmt: skip
    deeper = {"one": {"parent": "shared"}, "two": {"parent": "shared"}}
    found = small(held, UNITS, **deeper)
    assert anchors_of(found) == ("shared",)
    assert anchors_of(found, "city") == ("shared",)
    assert panels_of(found) == ("mine",)
    assert panels_of(found, by=pd.Series(dict.fromkeys("ABCDE", "x") | {"B": "y"})) == ()


def test_units_left_out_need_not_share() -> None:
    held = {"most": {"a": list("ABCD")}, "mine": {"c": ["A", "B"], "d": ["C", "D"], "e": ["E"]}}
    found = small(held, UNITS)
    assert anchors_of(found) == ()
    assert anchors_of(found, leave_out=["E"]) == ("most",)


def test_what_is_known_not_to_be_shared_is_none() -> None:
    held = {"up": {}, "one": {"a": list("ABCDE")}, "two": {"b": list("ABCDE"), "c": list("ABCDE")}}
    found = small(held, UNITS, one={"parent": "up"}, two={"parent": "up"})
    assert anchors_of(found) == ()  # everything is shared
    assert anchors_of(found, without=["two"]) == ("one",)
    assert anchors_of(found, without=["b"]) == ("one",)
    assert parts_of(found, panel="one").anchor_nodes == ("two",)
    stated = small(held, UNITS, one={"parent": "up"}, two={"parent": "up", "assessors": "shared"})
    assert anchors_of(stated) == ("two",)
    assert anchors_of(stated, without=["c"]) == ()


# what the scheme states


def test_what_the_scheme_states_stands() -> None:
    held = {"all": {"a": list("ABCDE")}, "office": {"b": list("ABCDE")},
            "mine": {"c": ["A", "B"], "d": ["C", "D"], "e": ["E"]}}  # fmt: skip
    assert anchors_of(small(held, UNITS)) == ("all", "office")
    own = small(held, UNITS, office={"assessors": "own"})  # each group's panel rates the same thing
    assert anchors_of(own) == ("all",)
    assert panels_of(own) == ("office",)
    shared = small(held, UNITS, mine={"assessors": "shared"})  # different things, rated by one hand
    assert anchors_of(shared) == ("mine",)
    assert panels_of(shared) == ()


def test_one_node_is_not_shared_and_own() -> None:
    nodes = {"up": {"assessors": "shared"}, "down": {"parent": "up", "assessors": "own"}}
    document = {"format": 1, "classes": {"city": {"nodes": nodes}},
                "indicators": {"a": {**RULE, "parent": "down"}}}  # fmt: skip
    with pytest.raises(SchemeError, match="'own' below 'up', which is 'shared'") as caught:
        pm.Scheme(document)
    (problem,) = caught.value.problems
    assert (problem.row, problem.column) == ("classes.city.nodes.down", "assessors")
    nodes["up"]["assessors"] = "alle"
    with pytest.raises(SchemeError, match="one of own, shared"):
        pm.Scheme(document)


# several classes


def two_classes(held: dict[str, list[str]], **keys: Any) -> pm.Evaluation:
    nodes = {"joint": dict(keys.get("first", {})), "rest": {}}
    other = {"joint": dict(keys.get("second", {})), "rest": {}}
    at = {"a": {"x": "joint"}, "b": {"x": "rest", "y": "rest"}}
    for name, (node, *_) in held.items():
        at.setdefault(name, {})["y"] = node
    indicators = {i: {**RULE, "parent": p} for i, p in at.items()}
    classes = {"x": {"nodes": nodes}, "y": {"nodes": other}}
    scheme = pm.Scheme({"format": 1, "classes": classes, "indicators": indicators})
    rows = [("A", "a"), ("B", "a"), ("A", "b"), ("C", "b")]
    rows += [(u, name) for name, (_, *units) in held.items() for u in units]
    tasks = pd.DataFrame(rows, columns=["unit_id", "indicator_id"]).assign(actual=70.0)
    units = pd.DataFrame({"unit_id": list("ABCD"), "class": list("xxyy"), "group": list("1234")})
    return pm.evaluate(pm.Year.from_frames(scheme, tasks=tasks, units=units))


def test_classes_share_a_node_only_over_the_same_indicators() -> None:
    same = two_classes({"a": ["joint", "C", "D"]})
    assert anchors_of(same) == anchors_of(same, "x") == anchors_of(same, "y") == ("joint",)
    other = two_classes({"c": ["joint", "C", "D"]})
    assert anchors_of(other, "x") == anchors_of(other, "y") == ("joint",)
    assert anchors_of(other) == ()
    stated = two_classes({"c": ["joint", "C", "D"]}, first={"assessors": "shared"},
                         second={"assessors": "shared"})  # fmt: skip
    assert anchors_of(stated) == ("joint",)
    half = two_classes({"c": ["joint", "C", "D"]}, first={"assessors": "shared"})
    assert anchors_of(half) == ()


# refusals


def test_what_is_not_there_is_said() -> None:
    held = {"all": {"a": list("ABCDE")}, "mixed": {"b": ["A", "C"], "c": ["B", "D", "E"]}}
    found = small(held, UNITS)
    assert panels_of(found) == ()
    with pytest.raises(DataError, match="no node of 'city' that each group has to itself"):
        stringency(found)
    with pytest.raises(DataError, match="no class in which 'group' has two groups"):
        stringency(small(held, dict.fromkeys(UNITS, "G1")))
    lacking = small({"mine": {"c": ["A", "B"], "d": ["C", "D"], "e": ["E"]},
                     "most": {"a": list("ABCD")}}, UNITS)  # fmt: skip
    with pytest.raises(DataError, match="no node that all units of 'city' share"):
        stringency(lacking)
    assert parts_of(lacking, anchors=["most"], leave_out=["E"]).anchor_nodes == ("most",)
    with pytest.raises(PerfmethodError, match="judged by the same hands"):
        group_gaps(lacking)
    with pytest.raises(PerfmethodError, match="did you mean 'city'"):
        anchors_of(found, "cty")
    with pytest.raises(PerfmethodError, match="did you mean 'group'"):
        panels_of(found, by="groop")
