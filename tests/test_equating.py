"""Equating: ACTmath and KBneat as equate 2.0.9 has them, the definitions again, and laws.

Reference: `act_eg_concordance.csv` and `kbneat_coefficients.txt`, computed with the R package
equate 2.0.9 (defaults: synthetic weights of one half, n - 1, internal anchor).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod.equating import (
    Line,
    bootstrap_errors,
    chained_link,
    circle_arc,
    equipercentile,
    levine_link,
    linear_link,
    mean_link,
    tucker_link,
)
from perfmethod.errors import DataError


@pytest.fixture(scope="module")
def act(reference: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = reference / "fairness"
    return pd.read_csv(folder / "ACTmath.csv"), pd.read_csv(folder / "act_eg_concordance.csv")


@pytest.mark.parametrize(
    ("name", "link", "tolerance"),
    [
        ("mean", mean_link, 1e-10),
        ("linear", linear_link, 1e-10),
        ("equipercentile", equipercentile, 1e-6),
    ],
)
def test_actmath_is_linked_as_by_equate(name, link, tolerance, act) -> None:
    counts, theirs = act
    scale = counts["scale"]
    found = link(scale, scale, counts["xcount"], counts["ycount"])(theirs["scale"])
    np.testing.assert_allclose(found, theirs[name], rtol=0, atol=tolerance)


def test_the_circle_arc_of_actmath_is_that_of_equate(act) -> None:
    counts, theirs = act
    scale = counts["scale"].to_numpy(float)
    means = tuple(float(np.average(scale, weights=counts[c])) for c in ("xcount", "ycount"))
    found = circle_arc(means, (0, 0), (40, 40))(theirs["scale"])
    np.testing.assert_allclose(found, theirs["circle-arc"], rtol=0, atol=1e-10)


def coefficients(reference: Path) -> dict[str, tuple[float, float]]:
    text = (reference / "fairness" / "kbneat_coefficients.txt").read_text()
    found = {}
    for name, body in re.findall(r"^\$(\w+)\n(.*?)\n\n", text, re.S | re.M):
        values = [float(v) for v in re.findall(r"-?\d+\.\d+", body)]
        found[name] = (values[0], values[1])
    return found


@pytest.mark.parametrize(
    ("name", "link", "options"),
    [
        ("tucker", tucker_link, {}),
        ("levine", levine_link, {"internal": True}),
        ("chained", chained_link, {}),
    ],
)
@pytest.mark.parametrize("kind", ["mean", "lin"])
def test_kbneat_is_linked_as_by_equate(kind, name, link, options, reference) -> None:
    x, y = (pd.read_csv(reference / "fairness" / f"KBneat_{f}.csv") for f in "xy")
    mine = link(x["total"], x["anchor"], y["total"], y["anchor"], mean_only=kind == "mean",
                **options)  # fmt: skip
    # the file shows seven significant digits
    theirs = coefficients(reference)[f"{kind}_{name}"]
    assert (mine.intercept, mine.slope) == pytest.approx(theirs, rel=0, abs=5.1e-7)


# the definitions again, the long way


def slow_percentile(x: list[int], y: list[int], score: float) -> float:
    """Percentile rank of a score among `x`, then the score of `y` with that rank, by bisection."""

    def below(sample: list[int], at: float) -> float:
        return float(np.mean([min(max(at - (s - 0.5), 0.0), 1.0) for s in sample]))

    rank = below(x, score)

    def edge(strict: bool) -> float:
        low, high = min(y) - 0.5, max(y) + 0.5
        for _ in range(60):
            middle = (low + high) / 2
            found = below(y, middle)
            here = found > rank + 1e-9 if strict else found >= rank - 1e-9
            low, high = (low, middle) if here else (middle, high)
        return (low + high) / 2

    if rank <= 0:
        return min(y) - 0.5
    return max(y) + 0.5 if rank >= 1 else (edge(False) + edge(True)) / 2


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=9),
    st.lists(st.integers(0, 6), min_size=2, max_size=9),
    st.floats(-1, 7),
)
def test_equipercentile_is_that_of_the_slow_twin(x, y, score) -> None:
    assert float(equipercentile(x, y)(score)) == pytest.approx(
        slow_percentile(x, y, score), abs=1e-6
    )


@given(
    hnp.arrays(float, 8, elements=st.integers(0, 30).map(float), unique=True),
    st.floats(-20, 20),
    st.floats(0.2, 3),
)
def test_links_find_a_planted_line(x, intercept, slope) -> None:
    y = intercept + slope * x
    found = linear_link(x, y)
    assert (found.intercept, found.slope) == pytest.approx((intercept, slope), abs=1e-8)
    same = chained_link(x, x, y, x)
    assert (same.intercept, same.slope) == pytest.approx((intercept, slope), abs=1e-8)
    # the anchor is the form itself, without an error: Tucker and Levine have nothing to correct
    for link in (tucker_link, levine_link):
        anchored = link(x[:4], x[:4], y[4:], x[4:])
        assert (anchored.intercept, anchored.slope) == pytest.approx((intercept, slope), abs=1e-6)


def test_levine_undoes_the_errors_of_an_anchor_and_tucker_does_not() -> None:
    # both panels alike, each twice as long as the anchor; one group is 5 better
    rng = np.random.default_rng(3)
    true = rng.normal(50, 5, 40_000)
    up = true + 5
    x, y = (2 * t + rng.normal(0, 50**0.5, true.size) for t in (true, up))
    v, w = (t + rng.normal(0, 5, true.size) for t in (true, up))
    assert levine_link(x, v, y, w, mean_only=True).intercept == pytest.approx(0, abs=0.3)
    # the anchor's reliability is one half: Tucker takes half of the 10 points for the panel's
    assert tucker_link(x, v, y, w, mean_only=True).intercept == pytest.approx(5, abs=0.3)


@given(st.floats(0.5, 99.5), st.floats(-50, 50))
def test_an_arc_keeps_its_ends_or_is_refused(x: float, lift: float) -> None:
    # on a circle through (0, 0), (x, lift) and (100, 0) the arc is at most a half circle if the
    # angle at the middle is not acute
    dot = np.dot([-x, -lift], [100 - x, -lift])
    if dot > 1e-6:
        with pytest.raises(DataError, match=r"more than a half circle .* points off it there"):
            circle_arc((x, x + lift))
    elif dot < -1e-6:
        arc = circle_arc((x, x + lift))
        np.testing.assert_allclose(arc([0, x, 100]), [0, x + lift, 100], atol=1e-9)
        height = arc(np.linspace(0, 100, 201)) - np.linspace(0, 100, 201)
        assert (np.sign(height[1:-1]) * np.sign(lift) >= 0).all()


@pytest.mark.parametrize("middle", [(95.0, 70.0), (98.0, 80.0), (3.0, 30.0)])
def test_a_high_mean_with_a_strict_panel_has_no_arc(middle) -> None:
    with pytest.raises(DataError, match="more than a half circle and no function"):
        circle_arc(middle)


@pytest.mark.parametrize("lift", [50.0, -50.0, 1e-3, 1e-7, -1e-9])
def test_an_arc_of_any_height_is_exact(lift: float) -> None:
    # from a half circle to an arc so flat that its center is 10^12 away
    arc = circle_arc((50.0, 50.0 + lift))
    rise = arc([0, 50, 100]) - [0, 50, 100]
    np.testing.assert_allclose(rise, [0, lift, 0], rtol=1e-5, atol=1e-13)
    assert np.isnan(circle_arc((50.0, 100.0))([101.0])).all()  # outside the circle


def test_the_arc_goes_through_its_three_points_and_is_a_circle() -> None:
    arc = circle_arc((60.0, 52.0), (0.0, 10.0), (100.0, 90.0))
    np.testing.assert_allclose(arc([0, 60, 100]), [10, 52, 90], atol=1e-9)
    s = np.linspace(0, 100, 7)
    height = arc(s) - arc.intercept - arc.slope * s
    distance = np.hypot(s - arc.x_center, height - arc.y_center)
    np.testing.assert_allclose(distance, arc.radius)
    assert circle_arc((60.0, 60.0))([12.0]).tolist() == [12.0]


def test_the_bootstrap_finds_the_known_error_of_a_mean_link() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(80, 4, 200), rng.normal(82, 6, 150)
    found = bootstrap_errors(mean_link, [(x,), (y,)], [70.0, 90.0], draws=2000)
    known = np.sqrt(x.var() / 200 + y.var() / 150)
    np.testing.assert_allclose(found, known, rtol=0.06)  # four Monte Carlo errors of 1.6 %
    again = bootstrap_errors(tucker_link, [(x, x + 1), (y, y + 1)], [80.0], seed=0)
    assert again == bootstrap_errors(tucker_link, [(x, x + 1), (y, y + 1)], [80.0], seed=0)


def test_every_problem_of_both_forms_is_told_at_once() -> None:
    with pytest.raises(DataError) as caught:
        tucker_link([1.0, np.nan, 2], [1, 2, 3], [5, 5, 5], [1, 2, 3], weight=2)
    assert [p.column for p in caught.value.problems] == ["x", "y", "weight"]
    assert "all 5" in str(caught.value)
    with pytest.raises(DataError, match="a count of -1"):
        mean_link([1, 2], [1, 2], [3, -1])
    with pytest.raises(DataError, match="all 7"):
        linear_link([7, 7], [1, 2])
    with pytest.raises(DataError, match="between 0 and 100"):
        circle_arc((120.0, 50.0))
    with pytest.raises(DataError, match="covariance"):
        levine_link([3, 2, 1], [1, 2, 3], [1, 2, 4], [1, 2, 3])
    with pytest.raises(DataError, match="step"):
        equipercentile([1, 2], [1, 2], step=0)
    with pytest.raises(DataError, match="draws"):
        bootstrap_errors(mean_link, [([1, 2],), ([1, 2],)], [1], draws=1)
    assert Line("mean", 1.0, 1.0)(2) == 3
