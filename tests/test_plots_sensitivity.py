"""What stands in the figures of rank uncertainty: positions, labels and words; never the pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import perfmethod as pm
from perfmethod import plots
from perfmethod import sensitivity as se
from perfmethod import uncertainty as un
from perfmethod.errors import PerfmethodError
from tests.small_year import write_small_year

INTERVALS = pd.DataFrame(
    {
        "unit": ["民政局", "教育局", "交通局"], "low": [1, 1, 3], "median": [1, 2, 3],
        "high": [2, 3, 3], "nominal": [2, 1, 3],
    }
)  # fmt: skip
SHARES = pd.DataFrame(
    {"unit": ["乙", "乙", "甲", "甲"], "rank": [1, 3, 1, 2], "share": [0.75, 0.25, 0.25, 0.75]}
)
SINGLE = pd.DataFrame(
    {
        "label": ["a", "a", "b", "b", "c"], "name": ["权重甲"] * 2 + ["权重乙"] * 2 + ["指标丙"],
        "side": ["low", "high", "low", "high", "without"],
        "mean_shift": [0.5, 0.25, 1.5, 1.0, 0.75], "changed": [0, 0, 2, 0, 1],
    }
)  # fmt: skip
POINTS = [(i, j, 4 - i - j) for i in range(5) for j in range(5 - i)]
TRIANGLE = pd.DataFrame(np.array(POINTS) / 4, columns=["a", "b", "c"])
TRIANGLE["change"] = np.where(TRIANGLE["a"] >= 0.5, "", np.where(TRIANGLE["b"] > 0, "+甲", "+乙"))
CORNERS = {"corners": ["指标考核", "公众评议", "内部评估"]}
DRAWN: dict[str, tuple[Callable[..., Axes], pd.DataFrame, dict[str, Any]]] = {
    "rank_intervals": (plots.rank_intervals, INTERVALS, {}),
    "acceptability": (plots.acceptability, SHARES, {}),
    "tornado": (plots.tornado, SINGLE, {}),
    "weight_triangle": (plots.weight_triangle, TRIANGLE, CORNERS),
}


def labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def marks(ax: Axes) -> dict[str, Any]:
    return {str(c.get_gid()): c for c in ax.collections}


def test_intervals_stand_on_their_rows() -> None:
    ax = plots.rank_intervals(INTERVALS)
    assert labels(ax) == INTERVALS["unit"].tolist()
    found = marks(ax)
    lines = [line.tolist() for line in found["interval"].get_segments()]
    assert lines == [[[1, 0], [2, 0]], [[1, 1], [3, 1]], [[3, 2], [3, 2]]]
    assert found["median"].get_offsets().tolist() == [[1, 0], [2, 1], [3, 2]]
    assert found["nominal"].get_offsets().tolist() == [[2, 0], [1, 1], [3, 2]]


def test_the_heat_map_has_units_down_and_ranks_across() -> None:
    ax = plots.acceptability(SHARES)
    assert labels(ax) == ["乙", "甲"]
    (image,) = ax.images
    assert image.get_array().tolist() == [[0.75, 0.0, 0.25], [0.25, 0.75, 0.0]]
    assert image.get_extent() == [0.5, 3.5, 1.5, -0.5]
    assert image.norm.vmin == 0  # a share of 0 is white whatever the others are
    bottom, top = ax.get_ylim()
    assert bottom > top  # the first unit on top, as its label


def test_a_share_given_twice_is_refused() -> None:
    with pytest.raises(PerfmethodError, match="'乙', rank 1 more than once"):
        plots.acceptability(pd.concat([SHARES, SHARES.iloc[:1]]))


def test_the_tornado_puts_low_left_and_the_largest_on_top() -> None:
    ax = plots.tornado(SINGLE)
    assert labels(ax) == ["权重乙", "指标丙", "权重甲"]
    bars = {
        str(c.get_label()): [(round(b.get_y() + 0.35, 9), b.get_width()) for b in c]
        for c in ax.containers
    }
    assert bars["调低"] == [(2.0, -0.5), (0.0, -1.5)]
    assert bars["调高"] == [(2.0, 0.25), (0.0, 1.0)]
    assert bars["去掉"] == [(1.0, 0.75)]
    ends = np.concatenate([c.get_offsets() for c in ax.collections]).tolist()
    assert sorted(ends) == [[-1.5, 0.0], [0.75, 1.0]]
    figure: Any = ax.get_figure()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "调低",
        "调高",
        "去掉",
        "最高等次名单改变",
    ]
    figure.canvas.draw()
    assert not any("-" in t.get_text() or "−" in t.get_text() for t in ax.get_xticklabels())


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises(PerfmethodError, match="side 'up'"):
        plots.tornado(SINGLE.assign(side="up"))


def test_the_triangle_has_a_cell_for_each_point() -> None:
    ax = plots.weight_triangle(TRIANGLE, **CORNERS, nominal=[0.6, 0.3, 0.1])
    found = marks(ax)
    counts = {gid: len(c.get_paths()) for gid, c in found.items() if gid != "nominal"}
    wanted = TRIANGLE["change"].value_counts().to_dict()
    assert counts == {"与本方案名单相同": wanted[""], "+甲": wanted["+甲"], "+乙": wanted["+乙"]}
    np.testing.assert_allclose(found["nominal"].get_offsets(), [[0.3 * 0.5 + 0.1, 0.3 * 0.75**0.5]])
    texts = {t.get_text(): t.xy for t in ax.texts}
    np.testing.assert_allclose(texts["公众评议"], (0.5, 0.75**0.5))
    np.testing.assert_allclose(texts["内部评估"], (1.0, 0.0))
    area = sum(len(c.get_paths()) for g, c in found.items() if g != "nominal") * (3**0.5 / 2) / 16
    assert area == pytest.approx(15 * hexagon_area(found["+甲"]))


def hexagon_area(cells: Any) -> float:
    x, y = cells.get_paths()[0].vertices[:-1].T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def test_rare_lists_are_grey_together() -> None:
    frame = TRIANGLE.assign(change=[f"+{i}" for i in range(len(TRIANGLE))])
    found = marks(plots.weight_triangle(frame, **CORNERS))
    assert len(found) == 6
    assert len(found["其他名单"].get_paths()) == 10


def test_a_triangle_has_three_corners() -> None:
    with pytest.raises(PerfmethodError, match="2 corners"):
        plots.weight_triangle(TRIANGLE, corners=["a", "b"])


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_states_its_finding_and_speaks_both_languages(name: str) -> None:
    draw, frame, how = DRAWN[name]
    ax = draw(frame, title="结论", **how)
    assert ax.get_title(loc="left") == "结论"
    english = draw(frame, language="en", **how)
    assert english.get_xlabel().isascii()
    assert english.get_xlabel() not in ("", ax.get_xlabel())
    with pytest.raises(PerfmethodError, match="language 'cn'"):
        draw(frame, language="cn", **how)


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_can_be_drawn_into_the_callers_axes(name: str) -> None:
    draw, frame, how = DRAWN[name]
    left, right = Figure().subplots(1, 2)
    assert draw(frame, left, **how) is left
    assert draw(frame, ax=right, **how) is right


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_leaves_no_trace(
    name: str, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    import matplotlib

    before, (draw, frame, how) = dict(matplotlib.rcParams), DRAWN[name]
    kept = frame.copy()
    figure: Any = draw(frame, title="结论", **how).get_figure()
    figure.savefig(io.BytesIO(), format="png")
    assert [str(w.message) for w in recwarn] == []
    assert caplog.messages == []
    assert dict(matplotlib.rcParams) == before
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize("name", DRAWN)
def test_a_missing_column_and_an_empty_table_are_refused(name: str) -> None:
    draw, frame, how = DRAWN[name]
    column = str(frame.columns[0])
    with pytest.raises(PerfmethodError, match=f"no column '{column}'"):
        draw(frame.drop(columns=column), **how)
    with pytest.raises(PerfmethodError, match="no row"):
        draw(frame.iloc[:0], **how)


def test_results_draw_themselves(tmp_path: Path) -> None:
    year = pm.Year.load(write_small_year(tmp_path / "year"))
    draws = un.draw(year, 500, un.multiplicative("classes.*.nodes.*.weight", spread=0.5), seed=1)
    found = se.monte_carlo(year, draws)
    names = found.ranks.sort_values(["class", "expected"])["name"].tolist()
    assert labels(found.plot()) == names
    heat = found.plot("acceptability")
    assert labels(heat) == names
    np.testing.assert_allclose(heat.images[0].get_array().sum(1), 1)
    with pytest.raises(ValueError, match="did you mean 'intervals'"):
        found.plot("interval")
    single = se.tornado(year, by=50)
    assert len(labels(single.plot(top=5))) == 5
    assert labels(se.removal(year).plot(lang="en"))
    grid = se.block_map(year, "municipal_department", steps=6)
    assert len(marks(grid.plot())) >= 2
