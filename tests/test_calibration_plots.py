"""Figures of calibration: positions, labels and words; never the pixels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from perfmethod import plots
from perfmethod.calibration import CalibratedReview
from perfmethod.errors import PerfmethodError

SHIFT = pd.DataFrame(
    {
        "unit": ["民政局", "教育局", "财政局"],
        "change": [1.0, 0.2, -2.0],
        "low": [0.5, -0.3, -3.0],
        "high": [1.5, 0.7, -1.0],
    }
)
EFFECTS = pd.DataFrame(
    {"unit": ["民政局", "教育局"], "deff": [2.5, 1.4], "deff_weighting": [2, 1.5]}
)


def title_of(ax: Any) -> str:
    """Title without spaces: lines are broken where the figure needs it."""
    return "".join(ax.get_title(loc="left").split())


def labels(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def key_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_figure().legends[0].get_texts()]


def dots(ax: Any) -> dict[str, list[list[float]]]:
    return {str(c.get_gid()): np.asarray(c.get_offsets()).tolist() for c in ax.collections}


def test_shifts_are_where_they_should_be_and_marked_by_their_interval():
    ax = plots.score_shift(SHIFT, title="发现")
    assert labels(ax) == ["民政局", "教育局", "财政局"]
    found = dots(ax)
    assert found["sure"] == [[1.0, 0.0], [-2.0, 2.0]]
    assert found["unsure"] == [[0.2, 1.0]]
    (bars,) = [c for c in ax.collections if c.get_gid() == "interval"]
    assert [s[:, 0].tolist() for s in bars.get_segments()] == [[0.5, 1.5], [-0.3, 0.7], [-3, -1]]
    assert ax.get_title(loc="left") == "发现"
    assert key_of(ax) == ["95%区间", "区间不含0", "区间含0"]
    assert len(key_of(plots.score_shift(SHIFT[:1]))) == 2


def test_design_effects_stand_beside_their_weighting_part():
    ax = plots.design_effects(EFFECTS, language="en")
    found = dots(ax)
    assert found["deff"] == [[2.5, 0.0], [1.4, 1.0]]
    assert found["weighting"] == [[2.0, 0.0], [1.5, 1.0]]
    assert "with replacement" in ax.get_xlabel()
    assert any(np.allclose(line.get_xdata(), 1.0) for line in ax.lines)


@pytest.mark.parametrize(("draw", "frame"), [(plots.score_shift, SHIFT),
                                             (plots.design_effects, EFFECTS)])  # fmt: skip
def test_bad_tables_are_refused_and_axes_are_kept(draw, frame):
    with pytest.raises(PerfmethodError, match="no row"):
        draw(frame[:0])
    with pytest.raises(PerfmethodError, match="no column"):
        draw(frame.drop(columns="unit"))
    with pytest.raises(PerfmethodError, match="language 'fr'"):
        draw(frame, language="fr")
    own = Figure().subplots()
    assert draw(frame, own) is own


@pytest.fixture
def review() -> CalibratedReview:
    scores = pd.DataFrame(
        {
            "unit_id": ["A", "A", "B"],
            "dimension": ["duty", "conduct", "duty"],
            "change": [1.0, 0.1, np.nan],
            "change_low": [0.5, -1.0, np.nan],
            "change_high": [1.5, 1.2, np.nan],
            "deff": [2.0, 4.0, np.nan],
            "deff_weighting": [1.0, 2.0, np.nan],
        }
    )
    units = pd.DataFrame(
        {
            "name": ["民政局", "教育局"],
            "total_change": [0.4, 3.0],
            "change_low": [-1.0, 2.0],
            "change_high": [1.8, 4.0],
            "rank_change": [1, -1],
        },
        index=["A", "B"],
    )
    meta = {"min_cell": 10, "method": "rake", "deff_reference": "wr"}
    empty = pd.DataFrame()
    return CalibratedReview(scores, units, empty, empty, empty, meta, empty)


def test_the_titles_say_the_finding(review):
    ax = review.plot()
    assert labels(ax) == ["教育局", "民政局"]  # the largest change on top
    assert (
        title_of(ax) == "按人口比例加权后总分:2个单位中1个的95%区间不含0(若无变化,偶然也约有0.1个)"
    )
    ax = review.plot(lang="en", dimension="duty")
    assert labels(ax) == ["民政局"]  # B's cell is hidden
    said = "Scores of duty weighted by population shares: 1 of 1 intervals leave 0 out "
    assert title_of(ax) == (said + "(about 0.1 would by chance alone)").replace(" ", "")
    ax = review.plot("effects", lang="en")
    assert dots(ax)["deff"] == [[3.0, 0.0]]
    assert "mediandesigneffect3.00,1.50fromweightsalone" in title_of(ax)


def test_words_that_are_not_known_are_refused(review):
    with pytest.raises(PerfmethodError, match="kind: found 'shift'"):
        review.plot("shift")
    with pytest.raises(PerfmethodError, match="dimension: found 'x'"):
        review.plot(dimension="x")
    with pytest.raises(PerfmethodError, match="lang: found 'fr'"):
        review.plot(lang="fr")
    hidden = SimpleNamespace(scores=review.scores.iloc[2:], units=review.units)
    with pytest.raises(PerfmethodError, match="no score that may be shown"):
        CalibratedReview.plot(hidden, "effects")  # type: ignore[arg-type]
