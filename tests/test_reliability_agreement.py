"""Krippendorff's alpha, Gwet's AC, Fleiss' kappa, Kendall's W: published values, laws, twins."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from perfmethod.errors import DataError
from perfmethod.reliability import (
    Ratings,
    fleiss_kappa,
    gwet_ac,
    kendalls_w,
    krippendorff_alpha,
)
from perfmethod.weighting import concordance

from .published_ratings import GWET, KRIPPENDORFF, SHROUT_FLEISS, oracle, table

METRICS = ("nominal", "ordinal", "interval", "ratio")
EXACT = 1e-12


def alpha(x, metric: str) -> float:
    return krippendorff_alpha(x, metric, draws=0).value


# --- values of others


@pytest.mark.parametrize(
    ("metric", "printed", "digits"),
    [
        # Krippendorff (2011) prints .743, .815, .849, .797; the digits are package krippendorff's
        ("nominal", 0.743, 0.743421052631579),
        ("ordinal", 0.815, 0.815387503754881),
        ("interval", 0.849, 0.849107142857143),
        ("ratio", 0.797, 0.797402774711612),
    ],
)
def test_krippendorff_2011(metric: str, printed: float, digits: float) -> None:
    value = alpha(KRIPPENDORFF, metric)
    assert value == pytest.approx(digits, abs=EXACT)
    assert round(value, 3) == printed


def test_krippendorff_2011_by_irr(reference: Path) -> None:
    expected = oracle(reference)["kripp_2011_4x12"]
    x = table(reference, "krippendorff2011_4x12.csv", header=None).to_numpy(float).T
    np.testing.assert_array_equal(x, KRIPPENDORFF)
    for metric in METRICS:
        assert alpha(x, metric) == pytest.approx(expected[metric], abs=EXACT)


def test_krippendorff_of_wikipedia(reference: Path) -> None:
    # the article prints .691 nominal and .811 interval; the digits are package krippendorff's
    digits = (0.691358024691358, 0.806721419941315, 0.810844892812106, 0.808943670784247)
    x = table(reference, "krippendorff_wikipedia_3x15.csv", header=None).to_numpy(float).T
    assert [alpha(x, m) for m in METRICS] == pytest.approx(digits, abs=EXACT)


def test_krippendorff_details() -> None:
    # Krippendorff (2011): 40 pairable values, one (unit 12) stands alone
    details = krippendorff_alpha(KRIPPENDORFF, "nominal", draws=0).details
    assert (details["ratings"], details["left_out"]) == (40, 1)


@pytest.mark.parametrize(
    "weights", ["identity", "quadratic", "linear", "ordinal", "radical", "ratio"]
)
@pytest.mark.parametrize(
    ("function", "theirs"), [(gwet_ac, "gwet.ac1.raw"), (fleiss_kappa, "fleiss.kappa.raw")]
)
def test_gwet_all_weights_by_irrcac(reference: Path, function, theirs: str, weights: str) -> None:
    name = "unweighted" if weights == "identity" else weights
    expected = oracle(reference)["irrCAC_raw4raters"][name][theirs]
    found = function(GWET, weights, over="units")
    assert round(found.value, 5) == expected["coeff.val"]
    assert round(found.standard_error, 5) == expected["coeff.se"]
    assert found.details["observed"] == pytest.approx(expected["pa"], abs=EXACT)
    assert found.details["chance"] == pytest.approx(expected["pe"], abs=EXACT)
    low, high = (float(v) for v in expected["conf.int"].strip("()").split(","))
    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


def test_gwet_without_the_folder() -> None:
    """Gwet (2014), as R package irrCAC 1.0 prints the table."""
    ac1 = gwet_ac(GWET, over="units")
    assert (ac1.name, round(ac1.value, 5), round(ac1.standard_error, 5)) == (
        "Gwet's AC1",
        0.77544,
        0.14295,
    )
    assert round(gwet_ac(GWET, "quadratic", draws=0).value, 5) == 0.914
    assert round(fleiss_kappa(GWET, draws=0).value, 5) == 0.76117


def test_krippendorff_and_gwet_share_a_word_not_a_number() -> None:
    # Gwet's "ordinal" weights in Krippendorff's alpha give .83364 (irrCAC); his metric gives .8154
    assert round(alpha(GWET, "ordinal"), 4) == 0.8154


def test_fleiss_diagnoses(reference: Path) -> None:
    """Fleiss (1971): 30 patients, 6 psychiatrists, kappa .430."""
    names = table(reference, "irr_diagnoses.csv")
    codes = names.apply(lambda column: column.str[0].astype(float))
    assert round(fleiss_kappa(codes, draws=0).value, 3) == 0.430


def test_kendalls_w_of_anxiety(reference: Path) -> None:
    expected = oracle(reference)["anxiety_kendallW"]
    found = kendalls_w(table(reference, "irr_anxiety.csv"), draws=0)
    assert found.value == pytest.approx(expected["W"], abs=EXACT)
    assert found.details["chi_square"] == pytest.approx(expected["chisq"], abs=1e-10)
    assert found.details["p_value"] == pytest.approx(expected["p"], abs=EXACT)


# --- slow obvious twins


def slow_alpha(x: np.ndarray, metric: str) -> float:
    """Krippendorff's definition, pair by pair."""
    units = [row[~np.isnan(row)] for row in x]
    units = [row for row in units if row.size > 1]
    values = np.concatenate(units)
    known, sizes = np.unique(values, return_counts=True)
    count = dict(zip(known, sizes, strict=True))

    def distance(a: float, b: float) -> float:
        if metric == "nominal":
            return float(a != b)
        if metric == "interval":
            return (a - b) ** 2
        if metric == "ratio":
            return 0.0 if a == b else ((a - b) / (a + b)) ** 2
        between = sizes[(known >= min(a, b)) & (known <= max(a, b))].sum()
        return 0.0 if a == b else (between - (count[a] + count[b]) / 2) ** 2

    def pairs(row: np.ndarray) -> float:
        return sum(distance(a, b) for a, b in itertools.permutations(row, 2))

    observed = sum(pairs(row) / (row.size - 1) for row in units) / values.size
    return 1 - observed / (pairs(values) / (values.size * (values.size - 1)))


def slow_gwet(x: np.ndarray, weight: np.ndarray, categories: list[float]) -> float:
    """Gwet's definition, pair by pair."""
    units = [row[~np.isnan(row)] for row in x]
    units = [row for row in units if row.size]
    place = {v: i for i, v in enumerate(categories)}
    agreement = [
        np.mean([weight[place[a], place[b]] for a, b in itertools.permutations(row, 2)])
        for row in units
        if row.size > 1
    ]
    pi = np.mean([[np.mean(row == v) for v in categories] for row in units], axis=0)
    q = len(categories)
    chance = weight.sum() * (pi * (1 - pi)).sum() / (q * (q - 1))
    return (np.mean(agreement) - chance) / (1 - chance)


@st.composite
def tables(draw, least: int = 0, most: int = 4):
    n, r = draw(st.integers(2, 8)), draw(st.integers(2, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    x = rng.integers(least, most + 1, (n, r)).astype(float)
    x[rng.random((n, r)) < draw(st.sampled_from([0.0, 0.2, 0.5]))] = np.nan
    sizes = (~np.isnan(x)).sum(axis=1)
    paired = x[sizes > 1]
    assume((sizes > 0).sum() > 1 and (~np.isnan(x).all(axis=0)).sum() > 1)
    assume(paired.size > 0 and np.unique(paired[~np.isnan(paired)]).size > 1)
    return x


@pytest.mark.parametrize("metric", METRICS)
@given(x=tables())
@settings(max_examples=60)
def test_krippendorff_is_its_definition(x: np.ndarray, metric: str) -> None:
    assert alpha(x, metric) == pytest.approx(slow_alpha(x, metric), abs=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_krippendorff_of_values_that_all_differ(metric: str) -> None:
    # more distinct values than a table of distances is kept for
    rng = np.random.default_rng(3)
    x = rng.gamma(2.0, size=(70, 1)) + rng.gamma(1.0, size=(70, 4))
    x[rng.random(x.shape) < 0.05] = np.nan
    assert alpha(x, metric) == pytest.approx(slow_alpha(x, metric), abs=1e-10)


@given(x=tables())
@settings(max_examples=60)
def test_gwet_is_its_definition(x: np.ndarray) -> None:
    categories = [0.0, 1.0, 2.0, 3.0, 4.0]
    weight = 1 - ((np.arange(5)[:, None] - np.arange(5)) / 4) ** 2
    found = gwet_ac(x, "quadratic", categories=categories, draws=0).value
    assert found == pytest.approx(slow_gwet(x, weight, categories), abs=1e-10)
    assert gwet_ac(x, weight, categories=categories, draws=0).value == found


# --- laws


@pytest.mark.parametrize("metric", METRICS)
@given(x=tables(), seed=st.integers(0, 1000))
@settings(max_examples=30)
def test_order_of_raters_and_units_plays_no_part(x: np.ndarray, metric: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    moved = x[rng.permutation(len(x))][:, rng.permutation(x.shape[1])]
    assert alpha(moved, metric) == pytest.approx(alpha(x, metric), abs=1e-10)


@given(x=tables(), a=st.floats(0.1, 10), b=st.floats(-5, 5))
def test_scale_of_interval_and_ordinal(x: np.ndarray, a: float, b: float) -> None:
    assert alpha(a * x + b, "interval") == pytest.approx(alpha(x, "interval"), abs=1e-9)
    assert alpha(x**3 + x, "ordinal") == pytest.approx(alpha(x, "ordinal"), abs=1e-12)
    assert alpha(a * x, "ratio") == pytest.approx(alpha(x, "ratio"), abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_perfect_agreement_is_one_with_the_interval_one_to_one(metric: str) -> None:
    x = np.repeat([[1.0], [2.0], [4.0], [4.0]], 3, axis=1)
    x[1, 2] = np.nan
    for found in (krippendorff_alpha(x, metric), gwet_ac(x), fleiss_kappa(x)):
        assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1), abs=1e-12)
    assert gwet_ac(x, over="units").low == pytest.approx(1.0, abs=1e-12)


def test_interval_alpha_of_many_full_units_is_close_to_icc() -> None:
    # Krippendorff (1970): for full tables of interval data alpha is ICC(1,1), up to 1/n
    from perfmethod.reliability import intraclass_correlations

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 1)) + rng.normal(size=(2000, 3))
    icc = intraclass_correlations(x)["ICC(1,1)"].value
    assert alpha(x, "interval") == pytest.approx(icc, abs=2 / 6000)


@given(x=tables())
def test_kendalls_w_is_the_one_of_the_weighting_module(x: np.ndarray) -> None:
    filled = np.nan_to_num(x, nan=2.0)
    expected = concordance(filled.T)
    assume(expected is not None)
    found = kendalls_w(filled, draws=0)
    assert found.value == expected.w
    # the formula behind the interval, with weights of one, gives the same
    from perfmethod.reliability.agreement import _concordance_kernel
    from perfmethod.reliability.ratings import single

    kernel = _concordance_kernel(filled, single(filled), "raters")
    once = kernel(np.ones(filled.size), np.ones(len(filled)))
    assert once == pytest.approx(found.value, abs=1e-12)


# --- intervals


def test_copies_of_a_rater_are_not_compared() -> None:
    # four raters who disagree by construction: a naive bootstrap would find agreement
    rng = np.random.default_rng(5)
    x = rng.integers(1, 6, (200, 4)).astype(float)
    for found in (krippendorff_alpha(x, "nominal", draws=400), gwet_ac(x, draws=400)):
        assert abs(found.value) < 0.05
        assert found.high < 0.1


def slow_replicate(x: np.ndarray, drawn: list[int]) -> float:
    """Interval alpha over pairs of different raters, each pair as often as both were drawn."""
    m = np.bincount(drawn, minlength=x.shape[1])
    above = weights = 0.0
    values, counts = [], []
    for row in x:
        there = [i for i in range(row.size) if not np.isnan(row[i]) and m[i]]
        pairs = [(i, j) for i in there for j in there if i != j]
        if not pairs:
            continue
        total = sum(m[i] for i in there)
        weight = sum(m[i] * m[j] for i, j in pairs)
        above += total * sum(m[i] * m[j] * (row[i] - row[j]) ** 2 for i, j in pairs) / weight
        weights += total
        values += [row[i] for i in there]
        counts += [m[i] for i in there]
    v, c = np.array(values), np.array(counts, float)
    expected = (np.outer(c, c) * (v[:, None] - v) ** 2).sum() / (c.sum() ** 2 - (c**2).sum())
    return 1 - above / weights / expected


def test_a_replicate_is_what_it_says() -> None:
    from perfmethod.reliability._disagreement import Disagreement
    from perfmethod.reliability.ratings import single

    data = single(KRIPPENDORFF)
    kernel = Disagreement.of(data, "interval")
    for drawn in ([0, 0, 1, 3], [2, 2, 2, 3], [0, 1, 2, 3]):
        m = np.bincount(drawn, minlength=4).astype(float)[data.rater]
        expected = slow_replicate(KRIPPENDORFF, drawn)
        assert kernel.alpha(m, np.ones(data.n_units)) == pytest.approx(expected, abs=1e-12)


def test_seeds_and_generators() -> None:
    first = krippendorff_alpha(KRIPPENDORFF, draws=50, seed=0)
    again = krippendorff_alpha(KRIPPENDORFF, draws=50, seed=np.random.default_rng(0))
    other = krippendorff_alpha(KRIPPENDORFF, draws=50, seed=1)
    assert (first.low, first.high) == (again.low, again.high) != (other.low, other.high)
    assert "drawn from 4 only" in " ".join(first.notes)


@pytest.mark.parametrize("over", ["raters", "units", "both"])
def test_intervals_hold_the_value_and_shrink(over: str) -> None:
    rng = np.random.default_rng(1)
    widths = []
    for n, r in ((20, 25), (120, 150)):
        x = rng.normal(size=(n, 1)) + rng.normal(size=r) * 0.5 + rng.normal(size=(n, r))
        found = krippendorff_alpha(x, over=over, draws=200)
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]


# --- bad input


@pytest.mark.parametrize("function", [krippendorff_alpha, gwet_ac, fleiss_kappa])
@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1.0], [2.0]], "1 rater"),
        ([[1.0, 2.0]], "one unit"),
        ([[1.0, np.nan], [np.nan, 2.0]], "no unit with two ratings"),
        ([[3.0, 3.0], [3.0, 3.0]], "3"),
        ([[1.0, np.inf], [2.0, 1.0]], "infinite"),
        ([[np.nan, np.nan], [np.nan, np.nan]], "no rating"),
        ([1.0, 2.0], "shape"),
    ],
)
def test_bad_tables_are_refused_with_what_was_found(function, x, said: str) -> None:
    with pytest.raises(DataError, match=said):
        function(x)


def test_one_category_is_fine_for_gwet_if_the_scale_is_named() -> None:
    found = gwet_ac([[3.0, 3.0], [3.0, 3.0]], categories=[1, 2, 3], over="units")
    assert found.value == 1.0
    assert "nobody chose 1, 2" in found.notes
    with pytest.raises(DataError, match="found ratings 3"):
        gwet_ac([[3.0, 3.0], [1.0, 3.0]], categories=[1, 2])


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match="did you mean 'ordinal'"):
        krippendorff_alpha(KRIPPENDORFF, "ordnal")
    with pytest.raises(ValueError, match="did you mean 'raters'"):
        krippendorff_alpha(KRIPPENDORFF, over="rater")
    with pytest.raises(ValueError, match="level"):
        gwet_ac(GWET, level=95)
    with pytest.raises(ValueError, match="did you mean 'quadratic'"):
        gwet_ac(GWET, "quadratc")
    with pytest.raises(ValueError, match="symmetric"):
        gwet_ac(GWET, np.eye(3))
    with pytest.raises(DataError, match="-1"):
        krippendorff_alpha([[-1.0, 2.0], [3.0, 4.0]], "ratio")
    with pytest.raises(DataError, match="3 missing ratings"):
        kendalls_w([[1, np.nan], [2, np.nan], [3, np.nan], [1, 2]])
    with pytest.raises(DataError, match="rate all units alike"):
        kendalls_w([[1, 2], [1, 2]])
    with pytest.raises(DataError, match="choose item from a, b"):
        krippendorff_alpha(Ratings.from_matrix(SHROUT_FLEISS.reshape(6, 2, 2), items=["a", "b"]))


def test_no_interval_says_why() -> None:
    found = krippendorff_alpha(KRIPPENDORFF, draws=0)
    assert np.isnan(found.low)
    assert found.method == "none: draws=0"
    # two raters: half of all draws take one of them twice and have no pair
    few = krippendorff_alpha([[1.0, 1.0], [2.0, 2.0], [3.0, 1.0]], draws=300)
    assert "have no value" in few.method + " ".join(few.notes)
