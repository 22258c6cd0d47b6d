"""Room and words that all figures share: labels that do not touch, lines that break well."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from perfmethod import plots
from perfmethod.plots.house import wrapped

LONG = ["Key work of the municipal party committee and government (Municipal departments)",
        "Public review (social review) of all the work (Municipal departments)"]  # fmt: skip


def boxes(ax: Axes) -> list[Any]:
    """Boxes of the labels of the rows, from the top, in pixels."""
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    found = [label.get_window_extent() for label in ax.get_yticklabels()]
    return sorted(found, key=lambda box: -box.y1)


def assert_apart(ax: Axes) -> None:
    for upper, lower in pairwise(boxes(ax)):
        assert upper.y0 >= lower.y1 - 0.5


def left_title(ax: Axes) -> Any:
    """Box of the title, which stands on the left."""
    texts = [t for t in ax.get_children() if isinstance(t, Text)]
    return next(t for t in texts if t.get_text() == ax.get_title("left")).get_window_extent()


def tornado(names: list[str]) -> Axes:
    rows = [{"label": str(i), "name": name, "side": "high", "mean_shift": 9.0 - 0.1 * i,
             "changed": 0} for i, name in enumerate(names)]  # fmt: skip
    return plots.tornado(pd.DataFrame(rows), language="en")


@pytest.mark.parametrize("name", ["tornado", "rank_intervals", "margins", "totals", "rank_sets"])
def test_labels_of_several_lines_do_not_touch(name: str) -> None:
    units = [f"{text} {i}" for i in range(8) for text in LONG]
    n = len(units)
    ranks = {"low": 1, "median": 2, "high": 3, "nominal": 2}
    totals = {"total": np.linspace(900, 800, n), "excellent": False, "vetoed": False, "cut": np.nan}
    sets = {"rank": 1, "low": 1, "high": 2, "places": 1, "status": "possibly"}
    frame = pd.DataFrame({"unit": units, "group": "G1"})
    drawn = {
        "tornado": lambda: tornado(units),
        "rank_intervals": lambda: plots.rank_intervals(frame.assign(**ranks)),
        "margins": lambda: plots.margins(frame.assign(margin=np.arange(n))),
        "totals": lambda: plots.totals_by_group(frame.assign(**totals)),
        "rank_sets": lambda: plots.rank_set_status(frame.assign(**sets)),
    }
    assert_apart(drawn[name]())


def test_short_labels_ask_for_no_more_room() -> None:
    short, long = tornado(["a", "b", "c"]), tornado(["a", *LONG])
    figures: list[Any] = [ax.get_figure(root=True) for ax in (short, long)]
    assert figures[0].get_figheight() == pytest.approx(1.6 + 0.3 * 3)
    assert figures[1].get_figheight() > figures[0].get_figheight()


def test_the_figure_of_a_caller_keeps_its_size() -> None:
    figure = Figure(figsize=(4, 2))
    plots.rank_intervals(
        pd.DataFrame({"unit": LONG * 5, "low": 1, "median": 1, "high": 2, "nominal": 1}),
        figure.subplots(),
    )
    assert figure.get_size_inches().tolist() == [4, 2]


@given(st.text("变动共项改、(（“”）),. ab12", min_size=1, max_size=60), st.integers(4, 20))
@settings(max_examples=80)
def test_no_line_ends_with_an_opening_mark_or_begins_with_a_closing_one(text, width) -> None:
    lines = wrapped(text, width).split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for before, after in pairwise(lines):
        opened = before.rstrip()
        assert not opened or opened[-1] not in "（“" or set(opened) <= set("(（“")
        assert not after or after[0] not in "、）”" or not before


def test_a_bracket_stays_with_its_word() -> None:
    lines = wrapped("2项变动(共526项)改变名单", 9).split("\n")
    assert lines == ["2项变动", "(共526项)", "改变名单"]


@pytest.mark.parametrize("draw", ["rank_intervals", "acceptability"])
def test_ranks_are_whole_and_said_to_be_of_a_class(draw: str) -> None:
    units = ["甲", "乙", "丙"]
    frame = pd.DataFrame({"unit": units, "low": [1, 2, 3], "median": [1, 2, 3], "high": [1, 2, 3],
                          "nominal": [1, 2, 3], "rank": [1, 2, 3], "share": 1.0})  # fmt: skip
    for lang, name in (("zh", "类内名次"), ("en", "Rank in the class")):
        ax = getattr(plots, draw)(frame, language=lang)
        ax.get_figure(root=True).draw_without_rendering()
        ticks = [t for t in ax.get_xticks() if 0.5 <= t <= 3.5]
        assert ticks == [1, 2, 3]
        assert ax.get_xlabel() == name


def test_small_shifts_of_a_tornado_have_ticks_that_differ() -> None:
    rows = [{"label": "a", "name": "a", "side": side, "mean_shift": 0.04, "changed": 0}
            for side in ("low", "high")]  # fmt: skip
    ax = plots.tornado(pd.DataFrame(rows))
    ax.get_figure(root=True).draw_without_rendering()
    right = [label.get_text() for label in ax.get_xticklabels() if label.get_position()[0] >= 0]
    assert len(set(right)) == len(right) > 2


def test_a_table_of_flags_fills_its_figure_and_has_readable_p_values() -> None:
    frame = pd.DataFrame({"kind": "突击投票", "unit": ["市体育局", "市粮食局", ""], "category": "",
                          "mode": "网上评议", "batch": "", "ballots": 44,
                          "p": [1e-17, 0.0042, np.nan]})  # fmt: skip
    ax = plots.flag_table(frame, title="40,000张测评票中有3项异常")
    cells = ax.tables[0].get_celld()
    assert [cells[row, 6].get_text().get_text() for row in (1, 2, 3)] == ["<0.001", "0.004", ""]
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    table = ax.tables[0].get_window_extent()
    widest = max(table.width, left_title(ax).width)
    assert widest > 0.85 * figure.bbox.width
    assert table.height > 0.5 * figure.bbox.height
    assert table.x1 <= figure.bbox.width + 1
    assert table.y0 >= -1


def test_a_name_beside_a_close_point_keeps_off_it() -> None:
    frame = pd.DataFrame({"unit": ["市政府金融工作办公室", "市公路管理局", "丙"],
                          "size": [4.6, 5.6, 11.6], "deviation": [46.0, 47.5, 0.0],
                          "half": [42.0, 40.0, 35.0]})  # fmt: skip
    ax = plots.portfolio_funnel(frame)
    ax.set_ylim(-110, 65)
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    box = next(t for t in ax.texts if t.get_text() == "市政府金融工作办公室").get_window_extent()
    dot = ax.transData.transform((5.6, 47.5))
    assert not (box.x0 <= dot[0] <= box.x1 and box.y0 - 3 <= dot[1] <= box.y1 + 3)


def test_numbers_at_the_ends_of_intervals_keep_off_the_marks() -> None:
    frame = pd.DataFrame({"name": ["指标考核"], "share": [0.6], "low": [0.55], "high": [0.86],
                          "low_by": ["D14 = D09"], "high_by": ["D34 = D32"]})  # fmt: skip
    ax = plots.stability(frame)
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    left, right = (text.get_window_extent() for text in ax.texts)
    ends = [ax.transData.transform((100 * end, 0))[0] for end in (0.55, 0.86)]
    assert left.x1 < ends[0] - 2
    assert right.x0 > ends[1] + 2
