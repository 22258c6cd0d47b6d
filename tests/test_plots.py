"""What stands in the figures: positions, labels and words; never the pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perfmethod import plots
from perfmethod.errors import PerfmethodError

TOTALS = pd.DataFrame(
    {
        "unit": ["教育局", "民政局", "交通局", "永定区", "慈利县"],
        "group": ["G1", "G1", "G1", "G0", "G0"],
        "total": [790.5, 812.0, 850.0, 800.0, 780.0],
        "excellent": [False, True, False, False, False],
        "vetoed": [False, False, True, False, False],
        "cut": [812.0, 812.0, 812.0, np.nan, np.nan],
    }
)
MARGINS = pd.DataFrame(
    {
        "unit": ["教育局", "民政局", "永定区"],
        "group": ["G1", "G1", "G0"],
        "margin": [-21.5, 2.25, np.nan],
    }
)
BLOCKS = pd.DataFrame(
    {
        "unit": ["甲", "甲", "甲", "乙", "乙"],
        "block": ["指标考核", "加分", "扣分", "指标考核", "加分"],
        "points": [500.0, 10.0, -30.0, 495.0, 5.0],
    }
)
PROGRESS = pd.DataFrame(
    {
        "unit": ["甲", "甲", "乙", "乙", "丙"],
        "status": ["正常", "报警", "正常", "预警", "报警"],
        "tasks": [10, 1, 8, 3, 2],
    }
)
RULES = pd.DataFrame(
    {"rule": ["a", "a", "b", "b"], "x": [100, 0, 0, 100], "score": [100.0, 0.0, 0.0, np.nan]}
)
DRAWN: dict[str, tuple[Callable[..., Axes], pd.DataFrame]] = {
    "totals_by_group": (plots.totals_by_group, TOTALS),
    "margins": (plots.margins, MARGINS),
    "stacked_blocks": (plots.stacked_blocks, BLOCKS),
    "progress": (plots.progress, PROGRESS),
    "rule_curves": (plots.rule_curves, RULES),
}


def labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def key_of(ax: Axes) -> list[str]:
    figure: Any = ax.get_figure()
    return [text.get_text() for text in figure.legends[0].get_texts()]


def dots(ax: Axes) -> dict[str, list[list[float]]]:
    """Return the places of every kind of dot, over all groups."""
    found: dict[str, list[list[float]]] = {}
    for dots_of_group in ax.collections:
        places = np.asarray(dots_of_group.get_offsets()).tolist()
        found.setdefault(str(dots_of_group.get_gid()), []).extend(places)
    return found


def bars(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """Return where the bars of each part begin and how long they are."""
    found: dict[str, Any] = {str(c.get_label()): c for c in ax.containers}
    return {k: [(b.get_x(), b.get_width()) for b in c] for k, c in found.items()}


def test_totals_put_every_unit_on_its_row() -> None:
    ax = plots.totals_by_group(TOTALS)
    rows = dict(zip(labels(ax), ax.get_yticks(), strict=True))
    assert list(rows) == ["交通局", "民政局", "教育局", "永定区", "慈利县"]
    found = dots(ax)
    assert found["vetoed"] == [[850.0, rows["交通局"]]]
    assert found["excellent"] == [[812.0, rows["民政局"]]]
    assert [790.5, rows["教育局"]] in found["other"]
    assert sum(map(len, found.values())) == len(TOTALS)


def test_totals_mark_the_cut_only_where_there_is_one() -> None:
    ax = plots.totals_by_group(TOTALS)
    cuts = [line for line in ax.lines if line.get_gid() == "cut"]
    assert [list(line.get_xdata()) for line in cuts] == [[812.0, 812.0]]
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["G1", "812.0", "G0"]


def test_totals_fill_the_excellent_and_cross_the_vetoed() -> None:
    ax = plots.totals_by_group(TOTALS)
    looks = {c.get_gid(): c for c in ax.collections}
    blue = plots.PALETTE["blue"]
    assert_color(looks["excellent"].get_facecolor(), blue)
    assert_color(looks["other"].get_facecolor(), "white")
    assert_color(looks["vetoed"].get_facecolor(), plots.PALETTE["vermillion"])
    shapes = {gid: len(c.get_paths()[0].vertices) for gid, c in looks.items()}
    assert shapes["vetoed"] != shapes["excellent"]  # told apart without color too


def assert_color(found: Any, expected: str) -> None:
    from matplotlib.colors import to_rgba

    np.testing.assert_allclose(found[0], to_rgba(expected))


def test_a_vetoed_unit_is_never_drawn_as_excellent() -> None:
    frame = TOTALS.assign(excellent=True)
    assert [850.0] not in [xy[:1] for xy in dots(plots.totals_by_group(frame))["excellent"]]


def test_totals_explain_only_what_occurs() -> None:
    assert key_of(plots.totals_by_group(TOTALS, best="优秀")) == [
        "优秀",
        "其他等次",
        "一票否决",
        "本组优秀线",
    ]
    plain = TOTALS.assign(vetoed=False, cut=np.nan)
    assert key_of(plots.totals_by_group(plain, best="Gold", language="en")) == [
        "Gold",
        "Other grades",
    ]
    assert key_of(plots.totals_by_group(plain)) == ["最高等次", "其他等次"]


def test_margins_name_the_best_grade_of_the_scheme() -> None:
    assert plots.margins(MARGINS, best="先进").get_xlabel() == "与本组先进线的差距(分)"
    assert "优秀" not in plots.margins(MARGINS).get_xlabel()


def test_gaps_say_the_level_of_their_intervals() -> None:
    frame = pd.DataFrame({"label": ["G1"], "explained": [2.0], "unexplained": [-5.0],
                          "low": [-9.0], "high": [-1.0]})  # fmt: skip
    assert "未解释部分的90%区间" in key_of(plots.gap_bars(frame, level=0.9))
    assert "95 % interval of the unexplained part" in key_of(plots.gap_bars(frame, language="en"))


def test_errors_between_groups_are_in_points() -> None:
    frame = pd.DataFrame({"kind": ["common"], "ratings": [392], "cross_worst": [0.78],
                          "within": [0.5], "best": [True]})  # fmt: skip
    assert plots.linking_burden(frame).get_ylabel().endswith("(分)")
    assert plots.linking_burden(frame, language="en").get_ylabel().endswith("(points)")


def test_names_of_groups_stand_in_lines_under_their_rates() -> None:
    frame = pd.DataFrame({"rule": ["A", "A"], "group": ["G2 分管城建交通国土副市长组", "G10 乙"],
                          "units": [4, 9], "held": [1, 2], "rate": [1 / 4, 2 / 9]})  # fmt: skip
    named = [t.get_text() for t in plots.rule_rates(frame).get_xticklabels()]
    assert [name.replace("\n", "") for name in named] == list(frame["group"])
    assert "\n" in named[0]


def test_margins_are_sorted_signed_and_without_the_missing() -> None:
    ax = plots.margins(MARGINS, close=5)
    assert labels(ax) == ["民政局 (G1)", "教育局 (G1)"]
    assert [text.get_text() for text in ax.texts] == ["+2.3", "−21.5"]
    ends = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 1]
    assert ends == [[2.25], [-21.5]]
    assert key_of(ax) == ["线上", "线下", "距线不足5分"]


def test_margins_cross_the_vetoed() -> None:
    ax = plots.margins(MARGINS.assign(vetoed=[False, True, False]))
    markers = [line.get_marker() for line in ax.lines if len(line.get_xdata()) == 1]
    assert markers == ["X", "o"]
    assert key_of(ax)[-1] == "一票否决"


def test_blocks_are_stacked_and_deductions_go_left() -> None:
    ax = plots.stacked_blocks(BLOCKS)
    assert labels(ax) == ["乙", "甲"]  # 500 before 480
    assert bars(ax) == {
        "指标考核": [(0.0, 495.0), (0.0, 500.0)],
        "加分": [(495.0, 5.0), (500.0, 10.0)],
        "扣分": [(500.0, 0.0), (0.0, -30.0)],
    }
    assert [text.get_text() for text in ax.texts] == ["500.0", "480.0"]
    (totals,) = (line for line in ax.lines if line.get_label() == "总分")
    assert list(totals.get_xdata()) == [500.0, 480.0]
    assert key_of(ax) == ["指标考核", "加分", "扣分", "总分"]


def test_progress_puts_the_most_alarms_on_top() -> None:
    ax = plots.progress(PROGRESS, order=["正常", "预警", "报警"])
    assert labels(ax) == ["丙", "甲", "乙"]
    assert bars(ax)["正常"] == [(0.0, 0.0), (0.0, 10.0), (0.0, 8.0)]
    assert bars(ax)["报警"] == [(0.0, 2.0), (10.0, 1.0), (11.0, 0.0)]
    assert [t.get_text() for t in ax.texts if t.get_text()] == ["10", "8", "3", "2", "1"]
    assert key_of(ax) == ["正常", "预警", "报警"]


def test_progress_weighs_alarms_before_the_unknown() -> None:
    frame = pd.DataFrame({"unit": ["甲", "乙"], "status": ["未报", "报警"], "tasks": [9, 1]})
    more = pd.DataFrame({"unit": "丙", "status": ["正常", "预警"], "tasks": [1, 1]})
    order = ["正常", "预警", "报警", "未报"]
    assert labels(plots.progress(pd.concat([frame, more]), order=order)) == ["乙", "甲", "丙"]


def test_curves_are_sorted_and_break_at_the_missing() -> None:
    ax = plots.rule_curves(RULES)
    a, b = ax.lines
    assert list(a.get_xdata()) == [0.0, 100.0]
    assert list(a.get_ydata()) == [0.0, 100.0]
    assert np.isnan(np.asarray(b.get_ydata())[1])
    assert a.get_linestyle() != b.get_linestyle()  # told apart without color too
    assert key_of(ax) == ["a", "b"]


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_states_its_finding_and_names_its_axis(name: str) -> None:
    draw, frame = DRAWN[name]
    ax = draw(frame, title="结论")
    assert ax.get_title(loc="left") == "结论"
    assert ax.get_xlabel()
    english = draw(frame, language="en")
    assert english.get_xlabel().isascii()
    assert english.get_xlabel() != ax.get_xlabel()


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_can_be_drawn_into_the_callers_axes(name: str) -> None:
    draw, frame = DRAWN[name]
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert draw(frame, left) is left
    assert draw(frame, ax=right) is right
    assert left.get_legend() is not None
    assert figure.legends == []


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_drawn_without_a_warning_and_leaves_no_trace(
    name: str, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    import io

    import matplotlib

    before, (draw, frame) = dict(matplotlib.rcParams), DRAWN[name]
    kept = frame.copy()
    figure: Any = draw(frame, title="结论").get_figure()
    figure.savefig(io.BytesIO(), format="png")
    assert [str(w.message) for w in recwarn] == []
    assert caplog.messages == []  # matplotlib logs the fonts it does not find
    assert dict(matplotlib.rcParams) == before
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize("name", DRAWN)
def test_a_missing_column_is_named_with_its_neighbor(name: str) -> None:
    draw, frame = DRAWN[name]
    column = str(frame.columns[0])
    wrong = frame.rename(columns={column: f"{column}s"})
    with pytest.raises(PerfmethodError, match=f"no column '{column}'; did you mean '{column}s'"):
        draw(wrong)


@pytest.mark.parametrize("name", DRAWN)
def test_an_empty_table_and_an_unknown_language_are_refused(name: str) -> None:
    draw, frame = DRAWN[name]
    with pytest.raises(PerfmethodError, match="no row"):
        draw(frame.iloc[:0])
    with pytest.raises(PerfmethodError, match=r"language 'cn'; one of en, zh"):
        draw(frame, language="cn")


def test_margins_without_any_margin_are_refused() -> None:
    with pytest.raises(PerfmethodError, match="no row"):
        plots.margins(MARGINS.assign(margin=np.nan))


def test_a_doubled_row_is_refused() -> None:
    with pytest.raises(PerfmethodError, match="'甲' has '指标考核' more than once"):
        plots.stacked_blocks(pd.concat([BLOCKS, BLOCKS.iloc[:1]]))


def test_states_that_are_not_in_the_order_are_refused() -> None:
    with pytest.raises(PerfmethodError, match="status '预警' is not in `order`"):
        plots.progress(PROGRESS, order=["正常", "报警"])


def test_more_states_than_colors_are_refused() -> None:
    frame = pd.DataFrame({"unit": "甲", "status": list("abcdef"), "tasks": 1})
    with pytest.raises(PerfmethodError, match="6 states found; at most 5"):
        plots.progress(frame)


def test_svg_is_the_same_every_time() -> None:
    import io

    files = []
    for _ in range(2):
        stream = io.BytesIO()
        figure: Any = plots.stacked_blocks(BLOCKS).get_figure()
        with plots.style():
            figure.savefig(stream, format="svg", metadata={"Date": None})
        files.append(stream.getvalue())
    assert files[0] == files[1]
