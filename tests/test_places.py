"""Quota rules compared: each is the scheme rewritten, graded alone; ties, truth, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError, SchemeError
from perfmethod.fairness import p_values, statistic, table_law
from perfmethod.grading import lot
from perfmethod.places import (
    QuotaRule,
    carry_plan,
    compare_rules,
    efficient,
    found_in_cities,
    found_in_synthetic,
    least_range,
    normal_cities,
    owed,
    quota_rules,
    share_found,
    true_best,
    true_totals,
)
from perfmethod.reliability.grades import grade_risk
from perfmethod.scoring import anchors_of

ROOT = Path(__file__).resolve().parents[1]
BALANCES = {"G1": 0.5, "G5": -0.5}
DRAWS = 300


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


@pytest.fixture(scope="module")
def compared(city: pm.Evaluation) -> Any:
    return compare_rules(city, carried=BALANCES, draws=DRAWS, seed=4)


# ---------------------------------------------------------------- a rule is the scheme rewritten


def after(compared: Any, city: pm.Evaluation, rule: str) -> pd.Series:
    """Grades under a rule, put together from who changes."""
    grade = city.scores["grade"].copy()
    rows = compared.winners_and_losers(rule)
    grade[rows["unit_id"].to_numpy()] = rows["after"].to_numpy()
    return grade


def test_every_rule_is_the_scheme_rewritten_and_graded_alone(
    compared: Any, city: pm.Evaluation
) -> None:
    alone = 0
    for name, rule in compared.rules.items():
        if rule.by_merit:
            continue
        scheme = rule.scheme(city.year.scheme)
        assert {p.split(".")[0] for p in city.year.scheme.diff(scheme).index} <= {"grades"}
        wanted = pm.evaluate(city.year.with_scheme(scheme)).scores["grade"]
        assert after(compared, city, name).tolist() == wanted.tolist(), name
        assert compared.table.at[name, "filled"] == (wanted == "excellent").sum()
        alone += 1
    assert alone >= 15
    assert (compared.table["changed"] > 0).sum() >= 4  # something to see


@pytest.mark.parametrize("name", ["nominal", "pooled", "by_class", "carry_over"])
def test_grades_at_risk_are_those_of_the_variant(
    compared: Any, city: pm.Evaluation, name: str
) -> None:
    variant = city.year.with_scheme(compared.rules[name].scheme(city.year.scheme))
    risk = grade_risk(pm.evaluate(variant), draws=DRAWS, seed=4)
    row = compared.table.loc[name]
    assert row["expected_wrong"] == pytest.approx(risk.expected_wrong, abs=1e-12)
    assert row["expected_wrong_mcse"] == pytest.approx(risk.expected_wrong_mcse, abs=1e-12)


def test_the_hybrid_by_hand(compared: Any, city: pm.Evaluation) -> None:
    scores = city.scores
    vetoed = set(city.notes.query("kind == 'veto'")["unit_id"])
    able = scores[~scores.index.isin(vetoed)]
    inside: list[str] = []
    for _, mine in able.groupby("group"):
        whole = 13 * (scores["group"] == mine["group"].iloc[0]).sum() // 49
        inside += mine["total"].nlargest(whole).index.tolist()
    assert len(inside) == 11
    wide = city.nodes.pivot(index="unit_id", columns="node", values="score")
    merit = wide.loc[able.index.drop(inside), ["common", "public_review"]].mean(axis=1)
    rest = merit.nlargest(13 - len(inside)).index.tolist()
    found = after(compared, city, "hybrid")
    assert sorted(found[found == "excellent"].index) == sorted(inside + rest)
    assert compared.rules["hybrid"].anchors == anchors_of(city) == ("common", "public_review")
    assert "hybrid" not in quota_rules(city.year.scheme)  # no year, nothing that groups share


def test_numbers_of_the_table(compared: Any, city: pm.Evaluation) -> None:
    table, rates = compared.table, compared.rates
    assert table.index[0] == "nominal"
    assert (table["changed"] == table["gain"] + table["lose"]).all()
    assert (table["filled"] + table["unfilled"] == table["places"]).all()
    assert table.at["nominal", "changed"] == table.at["nominal", "found_gain"] == 0
    for name in table.index:
        mine = rates[rates["rule"] == name]
        assert mine["held"].sum() == table.at[name, "filled"]
        assert np.ptp(mine["rate"]) == pytest.approx(table.at[name, "rate_range"])
        assert table.at[name, "least_range"] <= table.at[name, "rate_range"] + 1e-12
        law = table_law(mine["units"], mine["held"].sum())
        p = p_values(law, "fisher_freeman_halton")[law.find(mine["held"])]
        assert table.at[name, "parity_p"] == pytest.approx(p)
    assert table.at["nominal", "parity_p"] == 1.0  # no table of places is more even


def test_who_gains_and_loses(compared: Any, city: pm.Evaluation) -> None:
    rows = compared.winners_and_losers("pooled", "en")
    assert rows["gains"].tolist() == sorted(rows["gains"], reverse=True)
    gains, loses = rows[rows["gains"]], rows[~rows["gains"]]
    assert set(gains["after"]) == set(loses["before"]) == {"excellent"}
    assert gains["total"].min() > loses["total"].max()
    assert rows["name"].tolist() == city.year.unit_names("en")[rows["unit_id"]].tolist()
    chinese = compared.winners_and_losers("pooled")
    assert chinese["name"].tolist() == city.year.unit_names("zh")[rows["unit_id"]].tolist()
    assert compared.winners_and_losers("webster").empty
    with pytest.raises(PerfmethodError, match="did you mean 'pooled'"):
        compared.winners_and_losers("poled")
    with pytest.raises(PerfmethodError, match="found language 'fr'"):
        compared.winners_and_losers("pooled", "fr")


def test_the_same_seed_gives_the_same_numbers(city: pm.Evaluation) -> None:
    first, again, other = (
        compare_rules(city, ["pooled"], draws=60, seed=s).table for s in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["expected_wrong"].equals(other["expected_wrong"])


def test_a_comparison_does_not_change(compared: Any) -> None:
    with pytest.raises(TypeError):
        compared.meta["seed"] = 1
    with pytest.raises(TypeError):
        compared.rules["hybrid"].changes["grades.pool"] = "all"
    assert compared.meta["truth"] == "measured totals"
    assert "18 rules" in repr(compared)


# ---------------------------------------------------------------- ties


TIED = {"G1": 5, "G2": 5, "G3": 4}


def tied_year(**keys: Any) -> pm.Year:
    """Three places for groups of 5, 5 and 4: two of the groups tie for none, or for one."""
    document = {
        "format": 1,
        "classes": {"city": {"nodes": {"panel": {"weight": 2}, "anchor": {"weight": 1}}}},
        "indicators": {"p": {"parent": "panel", "rule": {"method": "identity"}},
                       "a": {"parent": "anchor", "rule": {"method": "identity"}}},
        "grades": {"levels": {"good": {"places": 4}, "fair": {}}, **keys},
    }  # fmt: skip
    ids = [f"{group}-{i}" for group, n in TIED.items() for i in range(n)]
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"unit_id": ids, "p": rng.uniform(50, 99, 14), "a": rng.uniform(50, 99, 14)}
    )
    units = pd.DataFrame({"unit_id": ids, "group": [i[:2] for i in ids]})
    return pm.Year.from_frames(pm.Scheme(document), units=units, actuals=frame)


def test_ways_to_settle_a_tie_of_groups() -> None:
    year = tied_year()
    found = compare_rules(year, anchors=["anchor"], lot_seed=3)
    table = found.table
    assert table.at["nominal", "filled"] == 3
    assert table.at["nominal", "contested"] == table.at["nominal", "unfilled"] == 1
    row = found.ties.set_index("rule").loc["nominal"]
    assert row.to_dict() == {"kind": "pools", "number": 1, "tied": "G1, G2", "settled": "unfilled"}
    assert found.ties.set_index("rule").loc["tie_lot", "settled"] == "lot"
    assert found.ties.set_index("rule").loc["tie_next_candidate", "settled"] == "merit"

    scores = pm.evaluate(year).scores
    seconds = {g: scores[scores["group"] == g]["total"].nlargest(2).index[1] for g in ("G1", "G2")}
    drawn = ("G1", "G2")[lot(["G1", "G2"], 3)[0]]
    assert found.winners_and_losers("tie_lot")["unit_id"].tolist() == [seconds[drawn]]
    better = max(seconds.values(), key=lambda unit: scores.at[unit, "anchor"])
    assert found.winners_and_losers("tie_next_candidate")["unit_id"].tolist() == [better]


def test_units_tied_at_an_edge_are_named() -> None:
    year = tied_year()
    actuals = pd.DataFrame({"unit_id": year.units.index, "p": 80.0, "a": 70.0})
    flat = pm.Year.from_frames(year.scheme, units=year.units.reset_index(), actuals=actuals)
    found = compare_rules(flat, ["pooled", "hybrid"], anchors=["anchor"])
    ties = found.ties.set_index(["rule", "kind"])
    assert ties.at[("pooled", "units"), "number"] == 14
    assert found.table.loc[["nominal", "pooled", "hybrid"], "filled"].tolist() == [0, 0, 0]
    assert found.table.at["hybrid", "tied_units"] == 14


def test_remainders_of_last_year_decide_this_year() -> None:
    history = pd.DataFrame({"year": 2008, "group": list(TIED), "units": list(TIED.values()),
                            "places": [2, 1, 1]})  # fmt: skip
    found = compare_rules(tied_year(), ["carry_over"], carried=owed(history).to_dict())
    rates = found.rates[found.rates["rule"] == "carry_over"].set_index("group")["held"]
    assert rates.to_dict() == {"G1": 1, "G2": 2, "G3": 1}
    assert found.table.at["carry_over", "contested"] == 0


def test_a_year_without_ballots_has_no_draws() -> None:
    found = compare_rules(tied_year(), anchors=["anchor"])
    assert not {"found", "expected_wrong"} & set(found.table)
    assert found.meta["draws"] == 0
    assert found.meta["truth"] == "none"
    assert "hybrid" not in compare_rules(tied_year()).table.index  # nothing that groups share
    with pytest.raises(PerfmethodError, match="without draws and without a truth"):
        found.plot()


# ---------------------------------------------------------------- the truth


def test_a_given_truth_is_counted(city: pm.Evaluation) -> None:
    truth = pd.read_csv(ROOT / "data" / "truth" / "2009" / "units.csv", index_col="unit_id")
    quality = truth["quality"]
    found = compare_rules(city, ["pooled", "by_class"], truth=quality, best_of="all", draws=0)
    best = set(quality.nlargest(13).index)
    for rule in ("nominal", "pooled", "by_class"):
        grade = after(found, city, rule)
        hit = len(best & set(grade[grade == "excellent"].index)) / 13
        assert found.table.at[rule, "found"] == pytest.approx(hit)
    assert "found_mcse" not in found.table  # one truth, one year: no error that draws could tell
    by_class = compare_rules(city, ["pooled"], truth=quality, draws=0)
    counties = quality[quality.index.str.startswith("C")].nlargest(1).index
    others = quality[quality.index.str.startswith("D")].nlargest(12).index
    grade = after(by_class, city, "nominal")
    hit = (grade[[*counties, *others]] == "excellent").mean()
    assert by_class.table.at["nominal", "found"] == pytest.approx(hit)


def test_draws_of_the_truth_give_an_error(city: pm.Evaluation) -> None:
    truth = true_totals(city, draws=200, seed=1)
    assert truth.shape == (200, 49)
    found = compare_rules(city, ["pooled"], truth=truth, draws=0).table
    assert 0 < found.at["nominal", "found_mcse"] < 0.02
    assert found.at["nominal", "found"] < 1
    spread = truth.std(ddof=1)
    assert (spread <= city.survey_errors["se_total"] * 1.25).all()  # shrunk, never wider
    pd.testing.assert_frame_equal(truth, true_totals(city, draws=200, seed=1))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_the_true_best_by_counting(truth: list[int], data: st.DataObject) -> None:
    places = data.draw(st.integers(0, len(truth)))
    weight = true_best(truth, places)
    assert weight.sum() == pytest.approx(places)
    for i, mine in enumerate(truth):
        above = sum(t > mine for t in truth)
        equal = sum(t == mine for t in truth)
        assert weight[i] == pytest.approx(min(max((places - above) / equal, 0), 1))


def test_classes_that_tie_share_a_place_among_the_best() -> None:
    weight = true_best([3.0, 2.0, 1.0, 5.0, 4.0, 0.0], 3, [0, 0, 0, 1, 1, 1])
    assert weight.tolist() == [1, 0.5, 0, 1, 0.5, 0]
    assert share_found([True, False, False, True, False, False], weight) == pytest.approx(2 / 3)
    assert share_found([[True], [False]], [[0.0], [0.0]]).tolist() == [1, 1]  # nothing to find
    with pytest.raises(ValueError, match="found 7 places for 6 units"):
        true_best(np.arange(6.0), 7)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.data())
def test_least_range_by_listing_every_table(sizes: list[int], data: st.DataObject) -> None:
    places = data.draw(st.integers(0, sum(sizes)))
    law = table_law(sizes, places)
    assert least_range(sizes, places) == pytest.approx(statistic(law, "range").min(), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=7))
def test_efficient_rows_by_comparing_pairs(rows: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["rate_range", "found"])
    wanted = [
        not any(
            a[0] <= b[0] and a[1] >= b[1] and a != b
            for a in rows
        )
        for b in rows
    ]  # fmt: skip
    assert efficient(frame, ["rate_range", "found"]).tolist() == wanted


def test_efficient_needs_numbers_and_a_sense() -> None:
    frame = pd.DataFrame({"rate_range": [0.1, np.nan], "other": [1, 2]})
    with pytest.raises(PerfmethodError, match="objective 'other'; allowed: one of rate_range"):
        efficient(frame, ["other"])
    with pytest.raises(PerfmethodError, match="missing value"):
        efficient(frame, ["rate_range"])
    assert efficient(frame, {"other": 1}).tolist() == [False, True]


def test_synthetic_years_find_the_planted_quality() -> None:
    found = found_in_synthetic(["by_class"], seeds=(1, 2), ballots=1200)
    assert found["years"].tolist() == [2, 2]
    assert 0.2 < found.at["nominal", "found"] < 1
    assert found.at["by_class", "changed"] > 0
    with pytest.raises(DataError, match="two or more, all different"):
        found_in_synthetic(seeds=(1, 1))


def test_stringency_leaves_the_truth_as_it_was() -> None:
    mild, strict = (normal_cities([4, 9], 50, stringency_sd=s, seed=3) for s in (0.0, 1.0))
    assert (mild.truth == strict.truth).all()
    assert (mild.anchor == strict.anchor).all()
    assert not (mild.total == strict.total).all()
    even = normal_cities([200, 200], 200, group_sd=0.6)
    assert even.truth.std() == pytest.approx(1, abs=0.03)
    assert even.truth.reshape(200, 2, 200).mean(-1).std() == pytest.approx(0.6, abs=0.06)


# ---------------------------------------------------------------- the catalogue


def test_the_catalogue_turns_any_scheme_into_a_quota(city: pm.Evaluation) -> None:
    scheme = city.year.scheme
    limits = {"grades.rule": "thresholds", "grades.pool": "all", "grades.levels.excellent": {
        "least": 900}, "grades.carried": None}  # fmt: skip
    by_limit = scheme.patch({k: v for k, v in limits.items() if v is not None})
    rules = quota_rules(by_limit, places=12)
    made = rules["webster"].scheme(by_limit)
    assert made.document["grades"]["rule"] == "quota"
    assert made.document["grades"]["pool"] == "group"
    assert made.number("grades.levels.excellent.places") == 12
    with pytest.raises(SchemeError, match="no places"):
        quota_rules(by_limit)
    table = scheme.patch({"grades.levels.excellent.places": {"G0": 1, "G1": 2}})
    spread = quota_rules(table)["dhondt"].scheme(table)
    assert spread.number("grades.levels.excellent.places") == 3
    found = compare_rules(city.year.with_scheme(by_limit), ["webster"], places=12, draws=0)
    assert found.table.at["nominal", "places"] == found.table.at["nominal", "filled"]
    assert found.table.at["webster", "filled"] == 12


def test_every_rule_says_itself_in_both_languages(compared: Any) -> None:
    for rule in compared.rules.values():
        for words in (rule.name, rule.text):
            assert set(words) == {"zh", "en"}
            assert "{" not in words["zh"] + words["en"]
    assert "13" in compared.rules["webster"].text["zh"]
    text = compared.rules["hybrid"].text
    assert "(mean of Common indicators and Public review (social review))" in text["en"]
    assert "(共性指标与公众评议(社会评议)的平均分)" in text["zh"]
    scheme = pm.Scheme.load(ROOT / "data" / "2009" / "scheme.toml")
    one = quota_rules(scheme, anchors=["public_review"])["tie_next_candidate"]
    assert "(公众评议(社会评议))" in one.text["zh"]
    three = quota_rules(scheme, anchors=["common", "public_review", "P071"])["hybrid"]
    assert "共性指标、公众评议(社会评议)与人大代表建议" in three.text["zh"]


def test_a_rule_of_your_own(city: pm.Evaluation) -> None:
    mine = QuotaRule("ours", {"zh": "自定", "en": "Ours"}, {"zh": "甲", "en": "A"},
                     {"grades.levels.excellent.places": 7})  # fmt: skip
    found = compare_rules(city, [mine, "pooled"], draws=0)
    assert found.table.at["ours", "places"] == 7
    assert found.table.at["ours", "lose"] >= 6
    with pytest.raises(SchemeError, match="another rule named 'ours'; allowed: each name once"):
        compare_rules(city, [mine, QuotaRule("ours", {}, {}, {"grades.floor": 1})], draws=0)


# ---------------------------------------------------------------- refusals


def test_unknown_rules_are_named_all_at_once(city: pm.Evaluation) -> None:
    with pytest.raises(SchemeError) as error:
        compare_rules(city, ["poled", "websters", "webster"])
    assert len(error.value.problems) == 2
    assert "found 'poled'; allowed: did you mean 'pooled'?" in str(error.value)
    assert "found 'websters'; allowed: did you mean 'webster'?" in str(error.value)


def test_rules_that_do_not_fit_the_year_are_told_all_at_once(city: pm.Evaluation) -> None:
    def own(name: str, changes: dict[str, Any]) -> QuotaRule:
        return QuotaRule(name, {}, {}, changes)

    rules = [
        own("many", {"grades.levels.excellent.places": 60}),
        own("floor", {"grades.floor": 2}),
        own("owed", {"grades.carried": {"G9": 0.5}}),
        own("cap", {"grades.cap": 1}),
        own("word", {"grades.method": "hamiltn"}),
    ]
    with pytest.raises(DataError) as error:
        compare_rules(city, rules)
    text = str(error.value)
    assert "rule 'many', scheme.toml, grades.levels.excellent" in text
    assert "60 places (60 with better grades) for 49 units" in text
    assert "rule 'floor'" in text
    assert "2 places at least in each of 8 pools, 13 in all" in text
    assert "rule 'owed'" in text
    assert "'G9'" in text
    assert "13 places, at most 1 in each of 8 pools; allowed: at most 8 under this cap" in text
    assert "did you mean 'hamilton'" in text


def test_usual_rules_that_do_not_fit_are_left_out_with_a_word() -> None:
    year = tied_year(levels={"good": {"places": 7}, "fair": {}})
    found = compare_rules(year)
    assert set(found.meta["left_out"]) == {"cap_two"}
    assert "7 places, at most 2 in each of 3 pools" in found.meta["left_out"]["cap_two"]
    assert "cap_two" not in found.rules
    assert "cap_two" not in found.table.index
    with pytest.raises(DataError, match="at most 2 in each of 3 pools"):
        compare_rules(year, ["cap_two"])
    found = compare_rules(tied_year(levels={"good": {"places": 2}, "fair": {}}))
    assert set(found.meta["left_out"]) == {"floor_one"}
    fewer = found_in_cities(normal_cities([3, 3], 5), 5)
    assert "cap_two" not in fewer.index


def test_a_year_without_groups_is_compared_by_class() -> None:
    scheme = pm.Scheme.loads(
        """
        format = 1
        classes.city = {}
        indicators.roads = { rule = { method = "identity" } }
        [grades]
        pool = "all"
        levels.good = { places = 2 }
        levels.fair = {}
        """
    )
    actuals = pd.DataFrame({"unit_id": list("ABCD"), "roads": [90, 80, 70, 60]})
    found = compare_rules(pm.Year.from_frames(scheme, actuals=actuals))
    assert found.rates["group"].unique().tolist() == ["city"]
    assert (found.table["changed"] == 0).all()
    assert (found.table["rate_range"] == 0).all()


def test_a_group_without_units_is_told() -> None:
    year = tied_year()
    groups = pd.DataFrame({"group": ["G1", "G2", "G3", "G4"]})
    with pytest.raises(DataError, match="group 'G4' without units"):
        compare_rules(year.replace(groups=groups), draws=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"changes": {"adjustments.bonus_cap": 5}}, "paths that begin with 'grades.'"),
        ({"by_merit": "all"}, "found 'all'"),
        ({"by_merit": "rest"}, "no anchors"),
    ],
)
def test_a_rule_changes_only_how_places_are_given(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        QuotaRule("x", {}, {}, **changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"best_of": "group"}, "best_of: found 'group'"),
        ({"draws": 1}, "draws: found 1; allowed: 0, or 2 or more"),
        ({"anchors": ["public_revew"]}, "did you mean 'public_review'"),
        ({"places": -1}, "found -1; allowed: a whole number of 0 or more"),
        ({"carried": {"G1": float("nan")}}, "found nan for 'G1'; allowed: a finite number"),
        ({"carried": {"G9": 0.5}, "rules": ["carry_over"]}, "'G9'"),
        ({"lot_seed": -3, "rules": "tie_lot"}, "found -3; allowed: a whole number of 0 or more"),
        ({"truth": pd.Series({"C01": 1.0})}, "48 problems in the input"),
    ],
)
def test_arguments_out_of_range(
    city: pm.Evaluation, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(PerfmethodError, match=message):
        compare_rules(city, **{"rules": [], **arguments})


def test_a_history_is_checked_row_by_row() -> None:
    history = pd.DataFrame(
        {"year": 2008, "group": ["A", "A", "B", "C", "D"], "units": [4, 4, 0, 3, 5],
         "places": [1, 1, 1, -2, 6]}
    )  # fmt: skip
    with pytest.raises(DataError) as error:
        owed(history)
    text = str(error.value)
    assert len(error.value.problems) == 4
    assert "row 1: 2008, A: found the group again" in text
    assert "column 'units': found 0; allowed: a whole number of 1 or more" in text
    assert "column 'places': found -2; allowed: a whole number of 0 or more" in text
    assert "found 6 places for 5 units; allowed: at most 5" in text
    with pytest.raises(DataError, match="no column 'units'"):
        owed(history.drop(columns="units"))
    with pytest.raises(DataError, match="no row"):
        owed(history.iloc[:0])


def test_a_plan_is_checked_whole() -> None:
    with pytest.raises(DataError) as error:
        carry_plan({"A": 4, "B": 0}, 9, 0, floor=5, carried={"C": 1.0, "A": float("inf")})
    assert len(error.value.problems) == 6
    with pytest.raises(DataError) as error:
        normal_cities([4, 0], 0, group_sd=1.5, panel_error=-1, panel_weight=2)
    assert len(error.value.problems) == 5
    with pytest.raises(DataError, match="places"):
        found_in_cities(normal_cities([3, 3], 2), 7)


def test_a_plan_starts_from_what_is_owed() -> None:
    even = carry_plan({"A": 5, "B": 5}, 3, 4, seed=1)
    assert even.groupby("year")["places"].sum().tolist() == [3, 3, 3, 3]
    assert even.groupby("group")["places"].sum().to_dict() == {"A": 6, "B": 6}
    for first, other in (("A", "B"), ("B", "A")):
        plan = carry_plan({"A": 5, "B": 5}, 3, 1, carried={first: 0.5, other: -0.5})
        assert plan.set_index("group")["places"].to_dict() == {first: 2, other: 1}
        assert not plan["tied"].any()
        assert plan["balance"].tolist() == [0.0, 0.0]
