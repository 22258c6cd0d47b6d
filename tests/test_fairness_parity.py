"""Exact parity of grades: R's tests, brute force on small margins, laws, and the labelled shell.

Reference values: R 4.2.2 (`fisher.test`, `kruskal.test`, `leveneTest` of car, `fligner.test`) on
the tables named here and on R's data sets; odds ratios of UCBAdmissions as R's own help pages print
them (`mantelhaen.test`).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfmethod as pm
from perfmethod.errors import PerfmethodError
from perfmethod.fairness import (
    STATISTICS,
    TableLaw,
    attribute,
    bands,
    common_odds,
    compare_groups,
    conditional_odds,
    detectable,
    exact_power,
    exact_rate,
    grade_parity,
    holm,
    odds_ratio,
    p_values,
    significant_counts,
    statistic,
    table_law,
)
from perfmethod.fairness import tables as module
from perfmethod.fairness.attributes import _told
from tests.small_year import write_small_year

SEVEN = (4, 9, 9, 8, 7, 6, 6)
EIGHT = (4, 5, 5, 6, 6, 7, 8, 8)
# places by group, Fisher-Freeman-Halton p and Pearson's chi-square of R's fisher.test, chisq.test
R_TABLES = {
    "balanced": (SEVEN, (1, 2, 2, 2, 2, 2, 2), 1.0, 0.485695631529),
    "skew": (SEVEN, (3, 0, 1, 2, 5, 1, 1), 0.00664722199937, 17.016797246),
    "skew2": (SEVEN, (0, 0, 0, 2, 4, 2, 5), 0.000493786733186, 21.3938746439),
    "eight": (EIGHT, (1, 1, 1, 4, 4, 1, 0, 1), 0.0365094573307, 14.3762998575),
}


@pytest.mark.parametrize("name", R_TABLES)
def test_fisher_freeman_halton_is_that_of_r(name: str) -> None:
    sizes, held, p, chi = R_TABLES[name]
    law = table_law(sizes, 13)
    at = law.find(held)
    assert p_values(law, "fisher_freeman_halton")[at] == pytest.approx(p, rel=2e-12)
    assert statistic(law, "chi_square")[at] == pytest.approx(chi, rel=1e-11)


@pytest.mark.parametrize("name", R_TABLES)
def test_the_values_of_r_stand_in_its_log(name: str, reference: Path) -> None:
    _, _, p, chi = R_TABLES[name]
    log = (reference / "fairness" / "R_log.txt").read_text(encoding="utf-8")
    (line,) = [x.split() for x in log.splitlines() if x.startswith(f"{name} FFH")]
    assert (float(line[4]), float(line[6])) == (p, chi)


@pytest.mark.parametrize(("sizes", "tables"), [(SEVEN, 21456), (EIGHT, 59438)])
def test_every_table_is_listed_once(sizes: tuple[int, ...], tables: int) -> None:
    law = table_law(sizes, 13)
    assert len(np.unique(law.counts, axis=0)) == tables == len(law.counts)
    assert (law.counts.sum(axis=1) == 13).all()
    assert law.total == math.comb(49, 13) == int(law.ways.sum())


def by_lot(sizes: list[list[int]], places: list[int]) -> Counter[tuple[int, ...]]:
    """Give every way in which units of every stratum can hold its places, one by one."""
    found: Counter[tuple[int, ...]] = Counter({(0,) * len(sizes[0]): 1})
    for row, held in zip(sizes, places, strict=True):
        units = [g for g, n in enumerate(row) for _ in range(n)]
        here: Counter[tuple[int, ...]] = Counter()
        for chosen in itertools.combinations(units, held):
            for old, ways in found.items():
                here[tuple(old[g] + chosen.count(g) for g in range(len(row)))] += ways
        found = here
    return found


@st.composite
def margins(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    groups, strata = draw(st.integers(2, 4)), draw(st.integers(1, 2))
    size = st.lists(st.integers(0, 3), min_size=groups, max_size=groups)
    sizes = [draw(size.filter(any)) for _ in range(strata)]
    return sizes, [draw(st.integers(0, sum(row))) for row in sizes]


@settings(max_examples=40)
@given(margins())
def test_tables_and_ways_are_those_of_brute_force(given_: tuple[list[list[int]], list[int]]):
    law, slow = table_law(*given_), by_lot(*given_)
    assert {tuple(c): int(w) for c, w in zip(law.counts.tolist(), law.ways, strict=True)} == slow
    assert law.total == sum(slow.values())
    mean = law.probability @ law.counts
    gap = law.counts - mean
    np.testing.assert_allclose(law.expected, mean, atol=1e-12)
    np.testing.assert_allclose(law.covariance, (gap.T * law.probability) @ gap, atol=1e-12)


def slow_p(law: TableLaw, name: str, at: int) -> float:
    """Sum the exact probabilities of tables as extreme, with exact arithmetic (one stratum)."""
    n, k = int(law.sizes.sum()), int(law.counts[0].sum())

    def extreme(held: list[int]) -> Fraction:
        ways = math.prod(math.comb(int(s), h) for s, h in zip(law.sizes, held, strict=True))
        rates = [Fraction(h, int(s)) for s, h in zip(law.sizes, held, strict=True) if s]
        gaps = [
            (h - Fraction(int(s) * k, n)) ** 2 for s, h in zip(law.sizes, held, strict=True) if s
        ]
        sizes = [int(s) for s in law.sizes if s]
        return {
            "fisher_freeman_halton": lambda: Fraction(-ways),
            "chi_square": lambda: sum(g / s for g, s in zip(gaps, sizes, strict=True)),
            "max_z": lambda: max(
                (g / (s * (n - s)) for g, s in zip(gaps, sizes, strict=True) if s < n),
                default=Fraction(0),
            ),
            "range": lambda: max(rates) - min(rates),
        }[name]()

    mine = extreme(law.counts[at].tolist())
    hit = [i for i, c in enumerate(law.counts.tolist()) if extreme(c) >= mine]
    return float(Fraction(sum(int(law.ways[i]) for i in hit), law.total))


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(0, sum(n)))
    ),
    st.integers(0, 10**6),
)
def test_every_p_is_that_of_exact_arithmetic(margin: tuple[list[int], int], pick: int) -> None:
    law = table_law(*margin)
    at = pick % len(law.counts)
    for name in STATISTICS:
        assert p_values(law, name)[at] == pytest.approx(slow_p(law, name, at), rel=1e-12), name


@settings(max_examples=25)
@given(margins(), st.randoms(use_true_random=False))
def test_p_is_a_probability_and_knows_no_order_of_groups(given_, random) -> None:
    sizes, places = given_
    law, order = table_law(sizes, places), list(range(len(sizes[0])))
    random.shuffle(order)
    turned = table_law(np.array(sizes)[:, order], places)
    assert law.probability.sum() == pytest.approx(1, abs=1e-12)
    for name in STATISTICS:
        p, other = p_values(law, name), p_values(turned, name)
        assert ((p > 0) & (p <= 1 + 1e-12)).all()
        # valid at every level: the tables with p <= alpha have at most that probability
        level = np.array([law.probability[p <= a + 1e-12].sum() for a in p])
        assert (level <= p + 1e-12).all()
        for at, held in enumerate(law.counts):
            assert other[turned.find(held[order])] == pytest.approx(p[at], rel=1e-9)


def test_whole_numbers_beyond_64_bits_stay_exact() -> None:
    law = table_law([60, 50], 40)
    assert law.ways.dtype == object
    assert int(law.ways.sum()) == math.comb(110, 40) == law.total
    at = law.find([30, 10])
    expected = stats.fisher_exact([[30, 10], [30, 40]]).pvalue
    assert p_values(law, "fisher_freeman_halton")[at] == pytest.approx(expected, rel=1e-9)


def test_small_groups_do_not_break_and_too_many_tables_are_refused() -> None:
    law = table_law([[2, 0], [0, 3]], [1, 1])
    assert law.counts.tolist() == [[1, 1]]
    assert p_values(law, "chi_square").tolist() == [1.0]
    with pytest.raises(PerfmethodError, match=r"allowed: 2,000,000, so put small groups together"):
        table_law([3] * 20, 30)
    with pytest.raises(ValueError, match="no more places than units"):
        table_law([2, 1], 4)
    with pytest.raises(ValueError, match="some unit"):
        table_law([0, 0], 0)
    with pytest.raises(ValueError, match="allowed: the margins' tables"):
        table_law([2, 1], 2).find([0, 2])
    with pytest.raises(PerfmethodError, match="did you mean 'range'"):
        statistic(law, "rang")


def test_strata_with_too_many_sums_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SUMS", 3)
    with pytest.raises(PerfmethodError, match="take fewer strata"):
        table_law([[2, 2], [2, 2]], [2, 2])


def test_sums_in_parts_are_sums_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, places = [[3, 2, 4], [2, 3, 1]], [4, 3]
    whole = table_law(sizes, places)
    monkeypatch.setattr(module, "MOST_TABLES", 40)
    parts = table_law(sizes, places)
    assert (whole.counts == parts.counts).all()
    assert (whole.ways == parts.ways).all()


# power


def test_power_is_the_share_of_lotteries_with_loaded_tickets() -> None:
    law = table_law([3, 4, 2], 4)
    rejected, odds = p_values(law, "max_z") <= 0.3, (5.0, 1.0, 2.0)
    units = [g for g, n in enumerate((3, 4, 2)) for _ in range(n)]
    weight, hit = 0.0, 0.0
    for chosen in itertools.combinations(units, 4):
        here = math.prod(odds[g] for g in chosen)
        weight += here
        hit += here * rejected[law.find([chosen.count(g) for g in range(3)])]
    assert float(exact_power(law, rejected, odds)) == pytest.approx(hit / weight, rel=1e-12)


@pytest.mark.parametrize("more", [True, False])
def test_the_detectable_gap_has_the_power_asked_for(more: bool) -> None:
    law = table_law(SEVEN, 26)
    rejected = p_values(law, "fisher_freeman_halton") <= 0.05
    found = detectable(law, rejected, 1, more=more)
    odds = np.ones(7)
    odds[1] = found.odds
    assert (found.odds > 1) == more
    assert float(exact_power(law, rejected, odds)) == pytest.approx(0.8, abs=1e-6)
    odds[1] = found.odds**2
    assert float(exact_power(law, rejected, odds)) > 0.8
    odds[1] = 1e9 if more else 1e-9
    assert found.most_power == pytest.approx(float(exact_power(law, rejected, odds)), abs=1e-6)


def test_what_cannot_be_detected_is_said() -> None:
    law = table_law(SEVEN, 13)
    rejected = p_values(law, "fisher_freeman_halton") <= 0.05
    for group in range(7):  # a group without any place is never found with 80 % here
        found = detectable(law, rejected, group, more=False)
        assert (found.odds, found.most_power < 0.8) == (0.0, True)
    with pytest.raises(ValueError, match="positive and finite"):
        exact_power(law, rejected, [0.0] * 7)


def test_smallest_significant_counts() -> None:
    # the hypergeometric tails of scipy, group by group
    law = table_law(SEVEN, 13)
    for group, size in enumerate(SEVEN):
        tail = stats.hypergeom(49, size, 13)
        k = np.arange(size + 1)
        many = k[tail.sf(k - 1) <= 0.05]
        few = k[tail.cdf(k) <= 0.05]
        expected = (many[0] if many.size else -1, few[-1] if few.size else -1)
        assert significant_counts(law, group) == expected
    assert significant_counts(table_law([1, 9], 5), 0) == (-1, -1)


# odds ratios


def ucb(reference: Path) -> np.ndarray:
    data = pd.read_csv(reference / "fairness" / "UCBAdmissions.csv")
    cube = data.pivot_table("Freq", ["Dept", "Gender"], "Admit", sort=True)
    cube = cube.reindex(["Male", "Female"], level="Gender")[["Admitted", "Rejected"]]
    return cube.to_numpy().reshape(-1, 2, 2)


def test_admissions_at_berkeley_marginal_and_conditional(reference: Path) -> None:
    tables = ucb(reference)
    marginal = tables.sum(axis=0)
    assert odds_ratio(marginal) == pytest.approx(1.84108, abs=5e-6)
    exact = stats.contingency.odds_ratio(marginal.astype(int))
    men, admitted, n = marginal[0].sum(), marginal[:, 0].sum(), marginal.sum()
    k = np.arange(int(men) + 1)
    ways = stats.hypergeom(int(n), int(men), int(admitted)).logpmf(k)
    found = conditional_odds(ways, int(marginal[0, 0]))
    interval = exact.confidence_interval()
    assert found.estimate == pytest.approx(exact.statistic, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6)
    common = common_odds(tables)  # as printed by example(mantelhaen.test)
    assert common.chi_square == pytest.approx(1.4269, abs=5e-5)
    assert common.p == pytest.approx(0.2323, abs=5e-5)
    assert common[:3] == pytest.approx((0.9046968, 0.7719074, 1.0603298), abs=5e-8)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=4, max_size=4))
def test_the_conditional_odds_are_those_of_scipy(cells: list[int]) -> None:
    table = np.array(cells).reshape(2, 2)
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return
    a, b = int(table[0].sum()), int(table[1].sum())
    k = int(table[:, 0].sum())
    ways = [math.comb(a, i) * math.comb(b, k - i) if i <= k else 0 for i in range(a + 1)]
    found = conditional_odds([math.log(w) if w else -math.inf for w in ways], cells[0])
    other = stats.contingency.odds_ratio(table)
    interval = other.confidence_interval()
    assert found.estimate == pytest.approx(other.statistic, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6)


def test_odds_at_the_edge() -> None:
    assert odds_ratio([[1, 0], [2, 3]]) == math.inf
    assert math.isnan(odds_ratio([[0, 0], [2, 3]]))
    assert common_odds([[[2, 0], [1, 3]]])[:3] == (math.inf, 0.0, math.inf)
    assert common_odds([[[0, 2], [3, 1]]])[:3] == (0.0, 0.0, math.inf)
    with pytest.raises(ValueError, match="at least one"):
        common_odds([[[2, 0], [3, 0]]])
    with pytest.raises(ValueError, match=r"allowed: \(strata, 2, 2\)"):
        common_odds([[2, 0], [3, 0]])


@settings(max_examples=30)
@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_rate_is_that_of_scipy(case: tuple[int, int]) -> None:
    other = stats.binomtest(*case).proportion_ci(method="exact")
    assert [float(x) for x in exact_rate(*case)] == pytest.approx([other.low, other.high])


# named tests

R_NAMED = {
    # statistic and p of Kruskal-Wallis, Brown-Forsythe, Fligner-Killeen as R prints them
    "airquality": ("Ozone", "Month", [29.267, 3.9558, 19.341], [6.901e-06, 0.004863, 0.0006736]),
    "InsectSprays": (
        "count",
        "spray",
        [54.691, 3.8214, 14.4827810385],
        [1.511e-10, 0.004223, 0.0128167791897],
    ),
}


@pytest.mark.parametrize("name", R_NAMED)
def test_named_tests_are_those_of_r(name: str, reference: Path) -> None:
    value, group, statistics, p = R_NAMED[name]
    data = pd.read_csv(reference / "fairness" / f"{name}.csv")
    found = compare_groups(data[value], data[group])
    for test, t, one in zip(found.index, statistics, p, strict=True):
        assert found.loc[test, "statistic"] == pytest.approx(t, rel=2e-5)
        assert found.loc[test, "p"] == pytest.approx(one, rel=2e-4)


def test_a_permuted_p_is_near_the_exact_one() -> None:
    x, g = [1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 5.0], list("aaabbbb")
    rank = stats.rankdata(x)
    spread = []
    for mine in itertools.combinations(range(7), 3):
        a = rank[list(mine)].sum()
        spread.append(a**2 / 3 + (28 - a) ** 2 / 4)
    exact = np.mean(np.array(spread) >= spread[0] - 1e-9)
    found = compare_groups(x, g, draws=20_000, seed=0).loc["kruskal_wallis", "p_permuted"]
    assert found == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 20_000))
    assert np.isnan(compare_groups(x, g)["p_permuted"]).all()
    with pytest.raises(ValueError, match="two groups or more"):
        compare_groups([1.0, 2.0], ["a", "a"])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_its_definition(p: list[float]) -> None:
    found, order = holm(p), np.argsort(p, kind="stable")
    for place, i in enumerate(order):
        mine = max(min(1.0, (len(p) - j) * p[order[j]]) for j in range(place + 1))
        assert found[i] == pytest.approx(mine)


# the labelled shell


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    sizes = dict(zip("ABCDEFG", SEVEN, strict=True))
    units = [f"{g}{i}" for g, n in sizes.items() for i in range(n)]
    held = dict(zip(sizes, R_TABLES["skew"][1], strict=True))
    best = [int(u[1:]) < held[u[0]] for u in units]
    anchor = np.random.default_rng(5).uniform(60, 90, len(units))
    scheme = pm.Scheme.loads("""
        format = 1
        classes.city.nodes.main = { weight = 90 }
        classes.city.nodes.anchor = { weight = 10 }
        indicators.work = { parent = "main", rule = { method = "identity" } }
        indicators.shared = { parent = "anchor", rule = { method = "identity" } }
        [grades]
        pool = "all"
        levels.good = { places = 13 }
        levels.fair = { places = 30 }
        levels.poor = {}
        """)
    frame = pd.DataFrame({"unit_id": units, "work": np.where(best, 90.0, 50.0) + np.arange(49) / 50,
                          "shared": anchor})  # fmt: skip
    table = pd.DataFrame({"unit_id": units, "group": [u[0] for u in units],
                          "office": np.where(np.arange(49) % 3, "x", "y")})  # fmt: skip
    table["desk"] = table["office"].where(table["unit_id"] != "A3")
    return pm.evaluate(pm.Year.from_frames(scheme, actuals=frame, units=table))


def test_parity_of_a_year_is_that_of_its_table(city: pm.Evaluation) -> None:
    found = grade_parity(city)
    test = found.tests.set_index("statistic")
    assert test.loc["fisher_freeman_halton", "p"] == pytest.approx(0.00664722199937, rel=2e-12)
    assert test.loc["chi_square", "value"] == pytest.approx(17.016797246, rel=1e-10)
    assert (test["size"] <= 0.05).all()
    group = found.to_frame().set_index("group")
    assert group["held"].tolist() == list(R_TABLES["skew"][1])
    assert group["many"].tolist() == [4, 5, 5, 5, 5, 4, 4]
    assert group["expected"].sum() == pytest.approx(13)
    assert ((group["low"] <= group["rate"]) & (group["rate"] <= group["high"])).all()
    tail = stats.hypergeom(49, 7, 13).sf(4)
    assert group.loc["E", "p_more"] == pytest.approx(tail, rel=1e-12)
    assert "evidence that grade and group" in found.words("en")[0]
    assert repr(found).startswith("<GradeParity of 'good'; group: p = 0.00665, detects odds x ")


def test_several_attributes_with_holm_and_what_was_not_seen(city: pm.Evaluation) -> None:
    found = grade_parity(city, ["group", "office", "desk"])
    mine = found.tests[found.tests["statistic"] == "max_z"].set_index("attribute")
    assert mine["p_holm"].tolist() == pytest.approx(holm(mine["p"]).tolist())
    assert mine["left_out"].tolist() == [0, 0, 1]
    # what stands next to Holm's p is the power of a test at a third of the level
    third = grade_parity(city, "office", alpha=0.05 / 3).tests.set_index("statistic")
    for column in ("detectable_odds", "size", "most_power"):
        assert mine.loc["office", column] == pytest.approx(third.loc["max_z", column], rel=1e-12)
    for lang, none in (("en", "is not evidence of no gap"), ("zh", "不等于证明没有差距")):
        said = found.words(lang)
        assert len(said) == 3
        assert none not in said[0]
        for text in said[1:]:
            assert none in text
            assert "80" in text  # what could have been detected stands next to it


def test_strata_compare_like_with_like(city: pm.Evaluation) -> None:
    alone = grade_parity(city, "group", strata="group")
    assert (alone.tests["p"] == 1).all()  # inside a group nothing is left to compare
    assert (alone.tests["most_power"] == 0).all()
    assert "at best 0 %" in alone.words("en")[0]
    found = grade_parity(city, "office", strata="anchor", bands=3)
    score = city.nodes[city.nodes["node"] == "anchor"].set_index("unit_id")["score"]
    layer = bands(score.reindex(city.scores.index), 3)
    table = pd.DataFrame({"s": layer, "o": attribute(city, "office"),
                          "h": city.scores["grade"] == "good"})  # fmt: skip
    slow = {}
    for s, part in table.groupby("s"):
        sizes = part.groupby("o").size().to_numpy()
        slow[s] = stats.hypergeom(len(part), sizes[0], part["h"].sum())
    chance = np.ones(1)
    for law in slow.values():
        chance = np.convolve(chance, law.pmf(np.arange(14)))
    held = int(table.loc[table["o"] == "x", "h"].sum())
    x = found.groups.set_index("group").loc["x"]
    assert x["p_more"] == pytest.approx(chance[held:].sum(), rel=1e-10)
    assert found.tests["strata"].tolist() == [3] * 4
    same = grade_parity(city, "office", strata=layer.astype(str))
    pd.testing.assert_frame_equal(found.tests, same.tests)


def test_a_grade_or_better_and_only_some_units(city: pm.Evaluation) -> None:
    assert grade_parity(city, level="fair").tests["places"].unique().tolist() == [43]
    assert grade_parity(city, level="poor").tests["p"].unique().tolist() == [1.0]
    some = [u for u in city.scores.index if u[0] in "AB"]
    found = grade_parity(city, among=some)
    assert found.groups["units"].tolist() == [4, 9]


def test_what_is_unknown_is_said(city: pm.Evaluation) -> None:
    for call, words in [
        (lambda: grade_parity(city, "groop"), "did you mean 'group'"),
        (lambda: grade_parity(city, level="god"), "did you mean 'good'"),
        (lambda: grade_parity(city, test="rang"), "did you mean 'range'"),
        (lambda: grade_parity(city, strata="ancor"), "did you mean 'anchor'"),
        (lambda: grade_parity(city, among=["A9"]), "found unit 'A9'"),
        (lambda: grade_parity(city, ["group", "group"]), "each named once"),
        (lambda: grade_parity(city, []), "one or more"),
        (lambda: grade_parity(city, pd.Series({"Z": 1})), "found labels of 'Z'"),
        (lambda: grade_parity(city, "class"), "allowed: two or more"),
        (lambda: grade_parity(city, "portfolio"), r"groups \['middle'\] of 'portfolio'"),
        (lambda: grade_parity(city, strata=pd.Series({"A0": 1})), "allowed: two or more"),
    ]:
        with pytest.raises(PerfmethodError, match=words):
            call()


def test_a_quota_by_group_is_named_as_what_it_is(tmp_path: Path) -> None:
    small = pm.evaluate(pm.Year.load(write_small_year(tmp_path)))
    found = grade_parity(small, ["group", "portfolio"])
    assert found.meta["quota_by"] == "group"
    by_group, portfolio = found.words("en")
    assert "quota's doing" in by_group
    assert "quota's doing" not in portfolio
    assert set(attribute(small, "portfolio")) <= {"few", "middle", "many"}
    assert "no single group's gap" in repr(found)


@given(st.lists(st.floats(0, 100), min_size=3, max_size=30), st.integers(2, 5))
def test_bands_keep_order_and_equal_values_together(x: list[float], number: int) -> None:
    found = bands(pd.Series(x), number)
    assert found.between(0, number - 1).all()
    for (a, i), (b, j) in itertools.combinations(zip(x, found, strict=True), 2):
        assert not (a == b and i != j)
        assert not (a < b and i > j)


def test_a_column_of_many_numbers_is_cut_into_bands(city: pm.Evaluation) -> None:
    units = city.year.units
    size = pd.Series(np.random.default_rng(3).permutation(len(units)) * 3 + 7, units.index)
    texts = size.astype(str).where(size != 7, "")  # a column that the year does not know
    year = city.year.replace(units=units.assign(staff=size.astype(float), extra=texts))
    found = grade_parity(pm.evaluate(year), ["staff", "extra", "office"])
    groups = found.groups.set_index("attribute")
    order = size.sort_values()
    for name, known in (("staff", order), ("extra", order.iloc[1:])):
        n = len(known)
        third = np.ceil((np.arange(n) + 0.5) / n * 3)  # by hand: thirds of the ranks
        wanted = known.groupby(third).agg(["min", "max", "size"])
        assert groups.loc[name, "units"].tolist() == wanted["size"].tolist()
        assert np.ptp(wanted["size"]) <= 1
        assert groups.loc[name, "group"].tolist() == [
            f"{i}: {row['min']} to {row['max']}" for i, (_, row) in enumerate(wanted.iterrows(), 1)
        ]
        cut = found.meta["banded"][name]
        assert (cut.values, len(cut.limits)) == (n, 3)
        assert cut.limits == tuple(zip(map(float, wanted["min"]), wanted["max"], strict=True))
    assert set(found.meta["banded"]) == {"staff", "extra"}
    label = groups.loc["staff", "group"].iloc[0]
    assert found.spoken("staff", "zh", label) == label.replace(" to ", "至")
    assert found.spoken("staff", "zh") == "编制人数(分3段)"
    assert found.spoken("staff", "en") == "staff (3 bands)"
    (first, *_), (mine, *_) = found.words("zh"), found.words("en")
    assert f"其{len(units)}个不同数值按单位数大致均分为3段" in first
    assert f"Its {len(units)} different values were cut into 3 bands" in mine
    assert not any(
        c.isascii() and c.isalpha() for c in first.replace("Holm", "").replace("p =", "")
    )


def test_few_numbers_and_labels_stay_as_they_are(city: pm.Evaluation) -> None:
    units = city.year.units
    n = len(units)
    few = pd.Series(np.arange(n) % 8, units.index)  # six units to a value
    codes = pd.Series([f"{i:02d}" for i in range(n)], units.index)
    year = city.year.replace(units=units.assign(staff=few.astype(float)))
    other = pm.evaluate(year)
    assert attribute(other, "staff").tolist() == few.tolist()
    assert grade_parity(other, "staff").meta["banded"] == {}
    assert attribute(other, codes).tolist() == codes.tolist()  # texts given as labels
    three = pd.Series([1.0, 2.0, 2.5] + [np.nan] * (n - 3), units.index)
    assert attribute(other, three).dropna().tolist() == [1.0, 2.0, 2.5]
    assert attribute(other, few > 3).tolist() == (few > 3).tolist()
    # equal numbers share a band, so bands may be fewer and of other sizes
    heap = pd.Series([5.0] * (n - 12) + list(range(100, 112)), units.index)
    size = grade_parity(other, heap.rename("heap")).groups
    assert size["group"].tolist()[0] == "1: 5"
    assert size["units"].tolist() == [n - 12, 12]


@pytest.mark.parametrize(("ends", "told"), [
    ([(0.0, 0.5), (1.0, 2000000.0)], ["1: 0 to 0.5", "2: 1 to 2000000"]),
    ([(0.12341, 0.12342), (0.12343, 0.12343)], ["1: 0.12341 to 0.12342", "2: 0.12343"]),
    ([(-5.0, -1.25)], ["1: -5 to -1.25"]),
])  # fmt: skip
def test_limits_are_told_apart(ends: list[tuple[float, float]], told: list[str]) -> None:
    assert _told(ends) == told


def test_spread_of_groups_of_two_is_no_test() -> None:
    found = compare_groups([1.0, 4.0, 2.0, 9.0, 5.0, 6.0], list("aabbcc"))
    assert np.isnan(found.loc["brown_forsythe", ["statistic", "p"]].to_numpy(float)).all()
    assert found.loc[["kruskal_wallis", "fligner_killeen"], "p"].notna().all()
