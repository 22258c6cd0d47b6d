"""The one rounding rule, and outputs that are the same every time."""

from __future__ import annotations

import io
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from perfmethod.display import (
    MISSING,
    Shown,
    round_half_up,
    round_values,
    show,
    show_frame,
    shown_figure,
    shown_table,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
scores = st.floats(-1e6, 1e6)
digits = st.integers(0, 8)


def slow_half_up(x: float, decimals: int) -> Fraction:
    """The rule by whole numbers alone: add a half to the size, cut, put the sign back."""
    scaled = abs(Fraction(x)) * 10**decimals + Fraction(1, 2)
    size = Fraction(scaled.numerator // scaled.denominator, 10**decimals)
    return -size if x < 0 else size


@given(finite, digits)
def test_rounding_agrees_with_whole_numbers(x: float, decimals: int) -> None:
    rounded = round_half_up(x, decimals)
    assert Fraction(rounded) == slow_half_up(x, decimals)
    assert -rounded.as_tuple().exponent == decimals


@given(st.integers(-(10**6), 10**6))
def test_ties_go_away_from_zero(n: int) -> None:
    x = n + (0.5 if n >= 0 else -0.5)
    assert round_half_up(x, 0) == n + (1 if n >= 0 else -1)


@given(finite, digits)
def test_rounding_is_odd(x: float, decimals: int) -> None:
    assert round_half_up(-x, decimals) == round_half_up(x, decimals).copy_negate()


@pytest.mark.parametrize(
    ("x", "decimals", "expected"),
    [
        (0.125, 2, "0.13"),
        (-0.125, 2, "-0.13"),
        (2.5, 0, "3"),
        (1.005, 2, "1.00"),  # held as 1.00499999999999989...
        (-0.001, 2, "0.00"),
        (-0.0, 2, "0.00"),
        (1e22, 2, "10000000000000000000000.00"),
        (1e-300, 2, "0.00"),
        (Decimal("1.005"), 2, "1.01"),
        (np.float64(812.345), 1, "812.3"),
        (15, 0, "15"),
    ],
)
def test_shown_numbers(x: float, decimals: int, expected: str) -> None:
    assert show(x, decimals) == expected


def test_tens_can_be_rounded_to() -> None:
    assert round_half_up(1250, -2) == 1300
    assert show(1250, -2) == "1300"


@pytest.mark.parametrize("x", [float("nan"), None, np.nan, Decimal("nan")])
def test_a_missing_number_is_shown_as_missing(x: float | None) -> None:
    assert show(x) == MISSING


@pytest.mark.parametrize("x", [float("nan"), float("inf"), float("-inf")])
def test_only_finite_numbers_are_rounded(x: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        round_half_up(x)


@given(st.lists(scores | st.just(float("nan")), max_size=5), digits)
def test_arrays_are_rounded_number_by_number(values: list[float], decimals: int) -> None:
    rounded = round_values(values, decimals)
    expected = [v if np.isnan(v) else float(round_half_up(v, decimals)) for v in values]
    np.testing.assert_array_equal(rounded, expected)


def test_arrays_keep_their_shape_and_are_not_changed() -> None:
    values = np.array([[0.125, np.inf], [np.nan, -0.125]])
    before = values.copy()
    np.testing.assert_array_equal(round_values(values), [[0.13, np.inf], [np.nan, -0.13]])
    np.testing.assert_array_equal(values, before)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["<民政局>", "教育局"],
            "total": [812.345, np.nan],
            "share": [0.125, 1],
            "rank": [1, 2],
        }
    )


def test_tables_round_their_floats_alone(frame: pd.DataFrame) -> None:
    shown = show_frame(frame, {"share": 0})
    assert list(shown["total"]) == ["812.35", MISSING]
    assert list(shown["share"]) == ["0", "1"]
    assert list(shown["rank"]) == [1, 2]
    assert list(shown["name"]) == list(frame["name"])
    assert frame["total"].iloc[0] == 812.345


def test_tables_with_nullable_and_doubled_columns() -> None:
    frame = pd.DataFrame([[0.125, 0.5, 2]], columns=["a", "a", "b"])
    frame["c"] = pd.array([None], dtype="Float64")
    assert show_frame(frame).to_numpy().tolist() == [["0.13", "0.50", 2, MISSING]]


def test_a_table_is_the_same_every_time_and_escaped(frame: pd.DataFrame) -> None:
    first, second = (shown_table(frame, caption="A <b>finding") for _ in range(2))
    assert first == second
    assert first.html is not None
    assert "<caption>A &lt;b&gt;finding</caption>" in first.html
    assert "&lt;民政局&gt;" in first.html
    assert "812.35" in first.html
    assert first.text.startswith("A <b>finding\n")
    assert "812.35" in first.text


def test_a_long_table_is_shown_whole() -> None:
    shown = shown_table(pd.DataFrame({"x": np.arange(200.0)}))
    assert len(shown.text.splitlines()) == 201
    assert shown.html is not None
    assert shown.html.count("<tr") == 201


def test_a_figure_carries_its_numbers_and_is_the_same_every_time(frame: pd.DataFrame) -> None:
    pictures = []
    for _ in range(2):
        ax = Figure().subplots()
        ax.plot(frame["rank"], frame["share"])
        pictures.append(shown_figure(ax, frame))
    assert pictures[0] == pictures[1]
    assert pictures[0].png is not None
    assert pictures[0].png.startswith(b"\x89PNG")
    assert b"matplotlib" not in pictures[0].png.lower()
    assert "812.35" in pictures[0].text


def test_a_figure_of_pyplot_is_closed() -> None:
    from matplotlib import pyplot

    figure, _ = pyplot.subplots()
    shown_figure(figure, pd.DataFrame({"x": [1.0]}))
    assert not pyplot.fignum_exists(figure.number)


def test_a_notebook_gets_every_form_there_is() -> None:
    from IPython.core.formatters import DisplayFormatter

    shown = Shown("a 1.00", html="<table></table>", png=b"\x89PNG")
    data, _ = DisplayFormatter().format(shown)
    assert data["text/plain"] == "a 1.00"
    assert data["text/html"] == "<table></table>"
    assert set(data) == {"text/plain", "text/html", "image/png"}
    assert repr(shown) == "a 1.00"
    assert io.BytesIO(shown.png or b"").read(1) == b"\x89"
