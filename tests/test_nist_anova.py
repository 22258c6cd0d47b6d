"""One-way analysis of variance against the certified values of NIST's reference data sets.

NIST Statistical Reference Datasets, Analysis of Variance: eleven files, which come with SciPy.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from fractions import Fraction
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import Moments, ShiftedMoments, one_way

# digits of F that double precision can have: rounding of the data takes the rest
LOWER, AVERAGE, HIGHER = 13.0, 10.0, 4.2
FILES = {
    "SiRstv": LOWER, "SmLs01": LOWER, "SmLs02": LOWER, "SmLs03": LOWER,
    "AtmWtAg": AVERAGE, "SmLs04": AVERAGE, "SmLs05": AVERAGE, "SmLs06": AVERAGE,
    "SmLs07": HIGHER, "SmLs08": HIGHER, "SmLs09": HIGHER,
}  # fmt: skip
# from the printed decimals the sums of squares are exact; NIST prints F to 15 digits
DIGITS = {"SiRstv": 14.7, "AtmWtAg": 14.7}


def read(name: str) -> tuple[str, list[str], list[str], float]:
    """Name, groups, printed values, certified F."""
    try:
        text = files("scipy.stats.tests").joinpath(f"data/nist_anova/{name}.dat")
        lines = text.read_text().splitlines()
    except (ModuleNotFoundError, FileNotFoundError):
        pytest.skip("this SciPy was installed without its tests, which hold NIST's files")
    certified = float(next(line for line in lines if line.startswith("Between")).split()[-1])
    rows = [line.split() for line in lines[60:] if line.strip()]
    return name, [r[0] for r in rows], [r[1] for r in rows], certified


@pytest.fixture(params=FILES, scope="module")
def data(request: pytest.FixtureRequest) -> tuple[str, list[str], list[str], float]:
    return read(request.param)


def digits(found: float, certified: float) -> float:
    """Log relative error, at most 15."""
    if found == certified:
        return 15.0
    return min(15.0, -math.log10(abs(found - certified) / abs(certified)))


def exact_f(y: np.ndarray, groups: list[str]) -> float:
    """F of the doubles themselves, in whole numbers: every double is one over 2**60 here."""
    scaled = [int(Fraction(value) * 2**60) for value in y.tolist()]
    sums, sizes = defaultdict(int), Counter(groups)
    for group, value in zip(groups, scaled, strict=True):
        sums[group] += value
    by_group = sum(Fraction(total**2, sizes[group]) for group, total in sums.items())
    between = by_group - Fraction(sum(scaled) ** 2, len(y))
    within = sum(value**2 for value in scaled) - by_group
    return float(between * (len(y) - len(sums)) / (within * (len(sums) - 1)))


def test_floats_reach_the_ceiling_of_double_precision(data):
    name, groups, printed, certified = data
    y = np.array(printed, float)
    found = one_way(ShiftedMoments.of(y, groups)).f
    # what is missing to the certified value is in the doubles, not in the arithmetic
    assert found == pytest.approx(exact_f(y, groups), rel=1e-13)
    assert round(digits(found, certified), 1) >= FILES[name]


@pytest.mark.parametrize("step", [7, 64])
def test_floats_in_pieces_reach_it_too(data, step):
    name, groups, printed, certified = data
    y = np.array(printed, float)
    if step == 7:  # every seventh value in a piece
        pieces = [ShiftedMoments.of(y[i::7], groups[i::7]) for i in range(7)]
    else:
        starts = range(0, len(y), step)
        pieces = [ShiftedMoments.of(y[i : i + step], groups[i : i + step]) for i in starts]
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = merged + piece
    assert one_way(merged).f == pytest.approx(exact_f(y, groups), rel=1e-12)
    assert round(digits(one_way(merged).f, certified), 1) >= FILES[name]


def test_decimals_as_integers_give_every_digit(data):
    name, groups, printed, certified = data
    places = max(len(text.partition(".")[2].rstrip("0")) for text in printed)
    origin = round(float(printed[0])) * 10**places
    y = np.array(printed, float)
    whole = Moments.of(y, group=groups, decimals=places, origin=origin)
    assert digits(one_way(whole).f, certified) >= DIGITS.get(name, 15)
    odd, even = (
        Moments.of(y[i::2], group=groups[i::2], decimals=places, origin=origin) for i in (1, 0)
    )
    assert one_way(odd + even) == one_way(whole)


@pytest.mark.parametrize("name", [name for name, least in FILES.items() if least == HIGHER])
def test_a_naive_formula_loses_every_digit_of_the_hardest_data(name):
    _, groups, printed, certified = read(name)
    y = np.array(printed, float)
    place = np.unique(groups, return_inverse=True)[1]
    n, s = np.bincount(place), np.bincount(place, y)
    between = (s**2 / n).sum() - s.sum() ** 2 / n.sum()
    within = (y**2).sum() - (s**2 / n).sum()
    naive = (between / (len(n) - 1)) / (within / (len(y) - len(n)))
    assert digits(naive, certified) < 2


values = st.lists(st.integers(-1000, 1000), min_size=6, max_size=40)


@given(values, st.integers(2, 5), st.integers(0, 10**15))
def test_integers_equal_scipy_and_do_not_feel_a_shift(numbers, k, shift):
    from scipy.stats import f_oneway

    y = np.array(numbers)
    groups = np.arange(len(y)) % k
    parts = [y[groups == g] for g in range(k)]
    if len(y) <= k or all(np.ptp(part) == 0 for part in parts):
        with pytest.raises(PerfmethodError):
            one_way(Moments.of(y, group=groups))
        return
    found = one_way(Moments.of(y, group=groups))
    expected = f_oneway(*parts)
    assert found.f == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-300)
    total = ((y - y.mean()) ** 2).sum()
    assert found.ss_between + found.ss_within == pytest.approx(total)
    moved: Any = one_way(Moments.of(y + shift, group=groups, origin=shift))
    assert moved == found


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(PerfmethodError, match="at least two groups"):
        one_way(Moments.of([1, 2, 3], group=["A"] * 3))
    with pytest.raises(PerfmethodError, match="more values than groups"):
        one_way(ShiftedMoments.of([1.0, 2.0], ["A", "B"]))
    with pytest.raises(PerfmethodError, match="none that vary"):
        one_way(Moments.of([1, 1, 2, 2], group=["A", "A", "B", "B"]))
    with pytest.raises(PerfmethodError, match="not finite"):
        ShiftedMoments.of([1.0, np.nan], ["A", "B"])
    with pytest.raises(PerfmethodError, match="found 1; allowed: 2"):
        ShiftedMoments.of([1.0, 2.0], ["A"])


def test_pieces_may_have_different_groups_and_shifts():
    a = ShiftedMoments.of([1.0, 2.0, 4.0], ["A", "A", "B"], shift=100.0)
    b = ShiftedMoments.of([5.0, 9.0, 8.0], ["B", "C", "C"])
    whole = ShiftedMoments.of([1.0, 2.0, 4.0, 5.0, 9.0, 8.0], list("AABBCC"))
    merged = a + b
    assert merged.groups == ("A", "B", "C")
    np.testing.assert_array_equal(merged.sizes, [2, 2, 2])
    np.testing.assert_allclose(merged.means + merged.shift, [1.5, 4.5, 8.5], rtol=1e-14)
    np.testing.assert_allclose(merged.squares, [0.5, 0.5, 0.5], rtol=1e-14)
    assert one_way(merged).f == pytest.approx(one_way(whole).f, rel=1e-13)
    assert one_way(whole).r_squared == pytest.approx(1 - 1.5 / (1.5 + one_way(whole).ss_between))
    assert repr(one_way(whole)).startswith("<OneWay F(2, 3) = ")
