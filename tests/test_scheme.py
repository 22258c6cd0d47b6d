"""The scheme document: checks at the door, digest, patch, diff, proposals."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import contextlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfmethod import Proposal, Scheme, Year, evaluate, sensitivity, simulate, uncertainty
from perfmethod.errors import SchemeError
from perfmethod.sensitivity.factors import resolve
from tests.small_year import SMALL_SCHEME, write_small_year

SMALL = Scheme.loads(SMALL_SCHEME)

# name -> (text to replace, replacement, fragments that the message must hold)
BROKEN = {
    "not TOML": ("format = 1", "format = ", ["scheme.toml"]),
    "key twice": ("year = 2009", "year = 2009\nyear = 2010", ["scheme.toml"]),
    "format of the future": ("format = 1", "format = 9", ["'format'", "9", "1"]),
    "no format": ("format = 1\n", "", ["'format'", "found nothing"]),
    "unknown key": ("base = 1000", "bsae = 1000", ["'bsae'", "did you mean 'base'"]),
    "base of zero": ("base = 1000", "base = 0", ["'base'", "a number above 0"]),
    "base as text": ("base = 1000", 'base = "1000"', ["'base'", "'1000'"]),
    "base infinite": ("base = 1000", "base = inf", ["'base'", "inf"]),
    "base NaN": ("base = 1000", "base = nan", ["'base'", "nan"]),
    "base true": ("base = 1000", "base = true", ["'base'", "True"]),
    "unknown missing rule": (
        'missing_task = "redistribute"', 'missing_task = "redistibute"',
        ["missing_task", "did you mean 'redistribute'"],
    ),
    "negative weight": ('parent = "economic", weight = 1, rule', 'parent = "economic", weight = -1, rule',
                        ["indicators.P002", "'weight'", "-1", "0 or more"]),
    "weight as a date": ('parent = "economic", weight = 1, rule',
                         'parent = "economic", weight = 2009-03-04, rule',
                         ["indicators.P002", "'weight'", "datetime.date(2009, 3, 4)"]),
    "unknown parent": ('parent = "economic", weight = 1, rule', 'parent = "economc", weight = 1, rule',
                       ["indicators.P002", "'parent'", "did you mean 'economic'"]),
    "parent in an unknown class": ('county_government = "livelihood", municipal_department = "key_work" }, weight = 2',
                                   'county = "livelihood", municipal_department = "key_work" }, weight = 2',
                                   ["indicators.P001", "'county'", "county_government"]),
    "unknown rule": ('method = "completion_ratio", cap', 'method = "completoin_ratio", cap',
                     ["indicators.P001.rule", "did you mean 'completion_ratio'"]),
    "unknown parameter": ("cap = 1.1", "cpa = 1.1", ["indicators.P001.rule", "'cpa'", "did you mean 'cap'"]),
    "parameter of the wrong type": ("cap = 1.1", 'cap = "ten"', ["indicators.P001.rule", "'ten'"]),
    "rule without method": ('method = "completion_ratio", cap = 1.1', "cap = 1.1",
                            ["indicators.P001.rule", "'method'"]),
    "names of levels that do not fit": ('names = ["A", "B", "C", "D"]', 'names = ["A", "B"]',
                                        ["indicators.D001.rule", "'names'"]),
    "unknown direction": ('direction = "negative"', 'direction = "down"', ["indicators.P003", "'direction'"]),
    "reserved id": ("[classes.county_government.nodes]\n", "[classes.county_government.nodes]\ntotal = { survey = 'conduct' }\n", ["'total'", "a column of this name"]),
    "cycle": ('"Livelihood" }, parent = "indicator", weight = 60', '"Livelihood" }, parent = "livelihood", weight = 60',
              ["livelihood > livelihood", "without cycles"]),
    "unknown class of an item": ('classes = ["municipal_department"]', 'classes = ["departments"]',
                                 ["adjustments.items.B02", "departments"]),
    "negative cap": ("bonus_cap = 50", "bonus_cap = -50", ["'bonus_cap'", "-50"]),
    "item of no kind": ('kind = "deduction"', 'kind = "penalty"', ["adjustments.items.K01", "'kind'"]),
    "veto to an unknown grade": ('grade = "qualified"', 'grade = "good"', ["vetoes.V01", "'grade'", "good"]),
    "unknown veto effect": ('effect = "bar"', 'effect = "ban"', ["vetoes.V02", "did you mean 'bar'"]),
    "unknown apportionment": ('method = "hamilton"', 'method = "hamiltn"', ["grades", "did you mean 'hamilton'"]),
    "places below zero": ("places = 3", "places = -3", ["grades.levels.excellent", "'places'"]),
    "places not whole": ("places = 3", "places = 2.5", ["grades.levels.excellent", "2.5"]),
    "ties on an unknown node": ('ties = ["indicator", "public_review"]', 'ties = ["indicators"]',
                                ["'ties'", "did you mean 'indicator'"]),
    "results of an unknown grade": ("by_grade = { excellent = 20,", "by_grade = { best = 20,",
                                    ["results.civil_servant_quota", "'best'"]),
    "path that falls": ("linear = [25, 50, 75, 100]", "linear = [25, 50, 40, 100]", ["supervision.paths", "linear"]),
    "path of three": ("linear = [25, 50, 75, 100]", "linear = [25, 50, 75]", ["supervision.paths", "four numbers"]),
    "option that is no code": ("[survey.options.9]", "[survey.options.x]", ["survey.options", "'x'"]),
    "category weight for an unknown class": ("weight = { county_government = 2,", "weight = { county = 2,",
                                             ["survey.categories.R02", "'county'"]),
    "node fed and with children": ('parent = "public_review", weight = 50, survey = "livelihood"',
                                   'parent = "internal", weight = 50, survey = "livelihood"',
                                   ["nodes.internal", "review_livelihood"]),
    "dot in an identifier": ("P002 = {", '"P0.02" = {', ["indicators", "P0.02"]),
    "weights that do not sum": ("base = 1000", "base = 1000\nweights_sum = 100.5",
                                ["sum to 100", "a sum of 100.5"]),
    "empty name": ('name = { zh = "小城2009年度政府绩效评估", en = "A small city, 2009" }', 'name = ""', ["'name'"]),
    "name in an unknown language": ('en = "A small city, 2009"', 'fr = "Petite ville"', ["'name'", "zh"]),
    "huge power": ('weight = 60 }\neconomic', 'weight = 60, power = 1e9 }\neconomic', ["'power'", "-100 to 100"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_scheme_says_where_and_what(name):
    old, new, fragments = BROKEN[name]
    assert old in SMALL_SCHEME
    with pytest.raises(SchemeError) as caught:
        Scheme.loads(SMALL_SCHEME.replace(old, new, 1))
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_all_problems_in_one_run():
    text = SMALL_SCHEME
    for old, new, _ in (BROKEN[n] for n in ("unknown key", "negative weight", "unknown parameter")):
        text = text.replace(old, new, 1)
    with pytest.raises(SchemeError) as caught:
        Scheme.loads(text)
    assert len(caught.value.problems) == 3


def test_childless_node_is_named():
    text = SMALL_SCHEME.replace("P002 = ", "#").replace("P004 = ", "#")
    with pytest.raises(SchemeError, match=r"nodes\.economic.*a node without children"):
        Scheme.loads(text)


def test_utf8_with_bom_and_other_encodings(tmp_path):
    file = tmp_path / "scheme.toml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL_SCHEME.encode())
    assert Scheme.load(file).digest == SMALL.digest
    file.write_bytes(SMALL_SCHEME.encode("gbk"))
    with pytest.raises(SchemeError, match=r"scheme\.toml, row 2: found a byte that is not UTF-8"):
        Scheme.load(file)
    with pytest.raises(SchemeError, match="No such file"):
        Scheme.load(tmp_path / "none.toml")


def test_digest_is_of_the_content():
    spaced = SMALL_SCHEME.replace("base = 1000", "# a comment\nbase   =  1000.0")
    assert Scheme.loads(spaced).digest == SMALL.digest
    assert SMALL.patch({"base": 100}).digest != SMALL.digest
    order = SMALL_SCHEME.replace("[grades.levels.qualified]", "[grades.levels.QQ]", 1)
    swapped = order.replace("[grades.levels.unqualified]", "[grades.levels.qualified]", 1)
    swapped = swapped.replace("[grades.levels.QQ]", "[grades.levels.unqualified]", 1)
    assert Scheme.loads(swapped).digest != SMALL.digest  # the order of the grades is content


def test_digest_covers_own_methods():
    text = SMALL_SCHEME.replace('"completion_ratio", cap = 1.1', '"mine"')
    one = Scheme.loads(text, methods={"mine": lambda x: x * 2})
    two = Scheme.loads(text, methods={"mine": lambda x: x * 3})
    assert one.digest != two.digest


def test_documents_are_read_only():
    with pytest.raises(TypeError):
        SMALL.document["base"] = 5
    with pytest.raises(TypeError):
        SMALL.document["supervision"]["paths"]["linear"][0] = 5


def test_patch_and_defaults():
    assert SMALL.number("classes.county_government.nodes.livelihood.power") == 1
    assert SMALL.number("indicators.P001.rule.bonus_rate") == 1
    patched = SMALL.patch({"indicators.P001.rule.cap": 1.3, "indicators.D001.rule.scores.1": 85})
    assert patched.document["indicators"]["D001"]["rule"]["scores"] == (100, 85, 60, 40)
    assert SMALL.number("indicators.P001.rule.cap") == 1.1
    short = SMALL.patch({"indicators.D001.rule.names": None, "indicators.D001.rule.scores": None})
    assert short.number("indicators.D001.rule.scores.1") == 80  # the rule's own default list
    written = short.patch({"indicators.D001.rule.scores.1": 85})
    assert written.document["indicators"]["D001"]["rule"]["scores"] == (100, 85, 60, 40)
    assert "bonus_cap" not in SMALL.patch({"adjustments.bonus_cap": None}).document["adjustments"]
    with pytest.raises(SchemeError, match=r"adjustments\.bonus_cp"):
        SMALL.patch({"adjustments.bonus_cp": None})
    with pytest.raises(SchemeError, match="'bonus_cap'"):
        SMALL.patch({"adjustments.bonus_cap": -1})
    with pytest.raises(KeyError, match=r"did you mean 'adjustments\.bonus_cap'"):
        SMALL.number("adjustments.bonus_cp")


def test_with_weights():
    changed = SMALL.with_weights({"indicator": 50, "county_government.internal": 20, "P001": 7})
    assert changed.number("classes.county_government.nodes.indicator.weight") == 50
    assert changed.number("classes.municipal_department.nodes.indicator.weight") == 50
    assert changed.number("classes.county_government.nodes.internal.weight") == 20
    assert changed.number("classes.municipal_department.nodes.internal.weight") == 10
    assert changed.number("indicators.P001.weight") == 7
    with pytest.raises(SchemeError, match="did you mean 'indicator'"):
        SMALL.with_weights({"indicater": 50})


def test_diff_and_proposal(tmp_path):
    changed = SMALL.patch({"base": 100, "adjustments.bonus_cap": None})
    assert SMALL.diff(changed).to_dict("index") == {
        "base": {"old": 1000, "new": 100},
        "adjustments.bonus_cap": {"old": 50, "new": None},
    }
    proposal = Proposal.of(SMALL, {"base": 100, "indicators.P001.weight": 3}, name="base 100")
    proposal.save(tmp_path / "p.toml")
    again = Proposal.load(tmp_path / "p.toml")
    assert again == proposal
    assert again.apply(SMALL).number("base") == 100
    with pytest.raises(SchemeError, match="for which the proposal was written"):
        again.apply(SMALL.patch({"base": 500}))
    (tmp_path / "p.toml").write_text("changes = 5\n")
    with pytest.raises(SchemeError, match=r"p\.toml"):
        Proposal.load(tmp_path / "p.toml")


def test_saved_scheme_is_the_same(tmp_path):
    SMALL.save(tmp_path / "s.toml")
    assert Scheme.load(tmp_path / "s.toml").digest == SMALL.digest


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.integers(), st.text(), st.floats(),
       st.lists(st.integers())), max_size=4))  # fmt: skip
def test_junk_documents_never_crash(junk):
    with pytest.raises(SchemeError):
        Scheme(junk)


@given(st.sampled_from(sorted(SMALL.document)), st.one_of(st.integers(), st.text(), st.lists(st.text()),
       st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)))  # fmt: skip
def test_junk_in_place_of_any_table(key, junk):
    document = {k: v for k, v in SMALL.document.items()} | {key: junk}
    with contextlib.suppress(SchemeError):
        Scheme(document)


# least totals and the base


LEAST = SMALL_SCHEME.replace(
    "[grades.levels.qualified]", "[grades.levels.qualified]\nleast = 600", 1
)


def reach(base: float, least: str = "least = 600", **changes: str) -> Scheme:
    text = LEAST.replace("base = 1000", f"base = {base:g}").replace("least = 600", least)
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return Scheme.loads(text)


def test_a_base_that_leaves_the_least_totals_behind_is_refused():
    """Completion ratios to 1.1, and a bonus of 20 + 10 under a cap of 50."""
    assert Scheme.loads(LEAST).number("grades.levels.qualified.least") == 600
    with pytest.raises(SchemeError) as caught:
        reach(100)
    (problem,) = caught.value.problems
    assert (problem.row, problem.column) == ("grades.levels.qualified", "least")
    assert problem.found == "600, which no total can reach"
    assert problem.allowed.startswith("at most 140 (110 for scores of 110 with base = 100, and a ")
    with pytest.raises(SchemeError, match="which no total can reach"):
        Scheme.loads(LEAST).patch({"base": 100})
    both = {"base": 100, "grades.levels.qualified.least": 60}
    assert Scheme.loads(LEAST).patch(both).number("base") == 100


def test_the_reach_is_what_a_unit_can_have_at_most():
    assert reach(100, "least = 140").number("base") == 100
    with pytest.raises(SchemeError, match="at most 140"):
        reach(100, "least = 140.01")
    capped = {"cap": ("bonus_cap = 50", "bonus_cap = 5")}
    with pytest.raises(SchemeError, match="at most 115"):
        reach(100, "least = 115.5", **capped)
    open_bonus = {"item": ("points = 5\ncap = 10", "points = 5"), "cap": ("bonus_cap = 50", "")}
    assert reach(100, **open_bonus)  # as many events as there are
    slower = {"rule": ("cap = 1.1", "cap = 1.2, bonus_rate = 2")}
    assert reach(100, "least = 170", **slower)
    with pytest.raises(SchemeError, match="at most 170"):
        reach(100, "least = 171", **slower)


@pytest.mark.parametrize(("rule", "most"), [
    ('method = "identity"', None),
    ('method = "zscore", to = [80, 10]', None),
    ('method = "minmax"', 100),
    ('method = "minmax", to = [40, 120]', 120),
    ('method = "minmax", lower = 0, upper = 5', None),
    ('method = "goalposts", lower = 0, upper = 5000', 100),
    ('method = "goalposts", lower = 0, upper = 5000, truncate = false', None),
    ('method = "interval", lower = -1, upper = 4000, k = 10', 100),
    ('method = "growth_anchor", at_target = 80, cap = 110', 110),
    ('method = "levels", scores = [150, 80]', 150),
    ('method = "tiered_diminishing"', 200),
    ('method = "tiered_diminishing", width = 30', None),
    ('method = "efficacy", base = 40', 100),
])  # fmt: skip
def test_the_highest_score_of_a_rule(rule: str, most: float | None) -> None:
    def limited(least: float) -> Scheme:
        return Scheme.loads(f"format = 1\nclasses.city = {{}}\nindicators.a = {{ rule = {{ {rule} }} }}\n"
                            f"[grades]\nlevels.good.least = {least}\n[grades.levels.rest]\n")  # fmt: skip

    if most is None:
        assert limited(1e6)
        return
    assert limited(most)
    with pytest.raises(SchemeError, match=f"at most {most} "):
        limited(most + 0.5)


def test_least_totals_fall_from_grade_to_grade():
    limits = ('format = 1\nclasses.city = {{}}\nindicators.a = {{ rule = {{ method = "identity" }} }}\n'
              '[grades]\nrule = "{}"\nlevels.good.least = {}\nlevels.fair.least = {}\n[grades.levels.rest]\n')  # fmt: skip
    assert Scheme.loads(limits.format("thresholds", 80, 60))
    assert Scheme.loads(limits.format("quota", 60, 60))  # by places first
    for rule, good in (("thresholds", 60), ("thresholds", 50), ("quota", 50)):
        with pytest.raises(SchemeError, match="totals that fall from the best grade down"):
            Scheme.loads(limits.format(rule, good, 60))


def test_a_draw_is_bound_by_neither_reach_nor_sum_of_weights():
    scheme = Scheme.loads(LEAST.replace("base = 1000", "base = 1000\nweights_sum = 100"))
    with pytest.raises(SchemeError):
        scheme.patch({"base": 100})
    low = scheme.patch({"base": 100}, drawn=True)
    assert low.number("base") == 100
    assert low.patch({"adjustments.bonus_cap": 40}).number("adjustments.bonus_cap") == 40
    assert pickle.loads(pickle.dumps(low)).digest == low.digest
    weight = "classes.county_government.nodes.indicator.weight"
    with pytest.raises(SchemeError, match="sum"):
        scheme.patch({weight: 70})
    assert scheme.patch({weight: 70}, drawn=True).number(weight) == 70
    with pytest.raises(SchemeError, match="a number above 0"):
        scheme.patch({"base": 0}, drawn=True)  # what is no number of a scheme is none of a draw


def test_a_draw_that_no_grade_survives_is_seen_and_said(tmp_path):
    folder = write_small_year(tmp_path / "small")
    year = Year.load(folder, Scheme.loads(LEAST))
    found = simulate(year, {"base": [1000.0, 100.0]})
    assert "least totals stay where the base varies (qualified 600)" in found.meta["varied"]
    assert "qualified 600" in repr(found)
    lost = year.with_scheme(year.scheme.patch({"base": 100}, drawn=True))
    grades = evaluate(lost).scores["grade"]
    assert [found.levels[code] for code in found.grade[1]] == grades.tolist()
    assert "qualified" in [found.levels[code] for code in found.grade[0]]
    assert "qualified" not in set(grades)
    for draws in ({"base": [1000.0, 1000.0]}, {"base": [900.0, 100.0], "grades.levels.qualified.least":
                  [540.0, 60.0]}, {"adjustments.bonus_cap": [40.0, 50.0]}):  # fmt: skip
        assert "least totals" not in simulate(year, draws).meta["varied"]
    drawn = uncertainty.draw(year, 600, uncertainty.choice("base", values=[100.0, 1000.0]), seed=1)
    assert "least totals stay" in simulate(year, drawn).meta["varied"]
    bases = sensitivity.alternatives({"low": {"base": 100.0}, "now": {"base": 1000.0}})
    assert resolve(year, {"base": bases})[0].paths == ("base",)
