"""What stands in the figures of global sensitivity; never the pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from perfmethod import plots
from perfmethod.errors import PerfmethodError
from perfmethod.sensitivity.global_indices import EFFECTS, global_indices
from tests.sensitivity_models import ishigami

FRAME = pd.DataFrame(
    {
        "effect": ["total", "total", "first", "first", "shapley", "shapley"],
        "factor": ["权重", "封顶"] * 3,
        "index": [0.3, 0.8, 0.1, 0.6, 0.2, 0.7],
        "low": [0.25, 0.7, 0.0, 0.5, 0.1, 0.6],
        "high": [0.35, 0.9, 0.2, 0.7, 0.3, 0.8],
    }
)
WEIGHTS = pd.DataFrame(
    {
        "label": ["指标考核", "公众评议"],
        "nominal": [0.6, 0.4],
        "importance": [0.5, 0.5],
        "standard_error": [0.1, 0.2],
    }
)


def test_bars_intervals_and_order() -> None:
    ax = plots.effect_bars(FRAME, title="封顶最重要", language="en")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["封顶", "权重"]
    bars = [(bar.get_width(), to_hex(bar.get_facecolor()).upper()) for bar in ax.patches]
    colors = [plots.PALETTE[c] for c in ("sky", "blue", "orange")]
    assert bars == list(zip([0.6, 0.1, 0.7, 0.2, 0.8, 0.3], np.repeat(colors, 2), strict=True))
    whiskers = [tuple(s[:, 0]) for c in ax.collections for s in c.get_segments()]
    assert whiskers == [(0.5, 0.7), (0.0, 0.2), (0.6, 0.8), (0.1, 0.3), (0.7, 0.9), (0.25, 0.35)]
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    told = [t.get_text() for t in figure.legends[0].get_texts()]
    assert told == ["first order", "Shapley", "total"]
    assert (ax.get_title(loc="left"), ax.get_xlabel()) == ("封顶最重要", "share of the variance")


def test_only_the_kinds_that_are_there() -> None:
    own = Figure().subplots()
    ax = plots.effect_bars(FRAME[FRAME["effect"] == "total"], own)
    assert ax is own
    assert [bar.get_width() for bar in ax.patches] == [0.8, 0.3]


def test_weights_beside_importance() -> None:
    ax = plots.weights_and_importance(WEIGHTS)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["指标考核", "公众评议"]
    assert [bar.get_width() for bar in ax.patches] == [0.6, 0.4, 0.5, 0.5]
    segments = np.concatenate([c.get_segments() for c in ax.collections])[:, :, 0]
    np.testing.assert_allclose(segments, [[0.4, 0.6], [0.3, 0.7]])


def test_a_result_draws_itself() -> None:
    found = global_indices(lambda u: np.stack([ishigami(u), u[:, 3]], 1), 4, 64, seed=0,
                           effects=EFFECTS, outputs=["a", "b"])  # fmt: skip
    ax = found.plot("b", lang="en")
    assert ax.get_yticklabels()[0].get_text() == "x4"
    assert len(ax.patches) == 12  # three kinds of four factors: pairs have no bar
    with pytest.raises(PerfmethodError, match="found no output named; one of a, b"):
        found.plot()
    with pytest.raises(PerfmethodError, match="output 'c'"):
        found.plot("c")
    alone = global_indices(ishigami, 4, 64, seed=0)
    assert len(alone.plot().patches) == 8


def test_what_is_refused() -> None:
    with pytest.raises(PerfmethodError, match=r"found effects \['closed'\]; allowed: first"):
        plots.effect_bars(FRAME.assign(effect="closed"))
    with pytest.raises(PerfmethodError, match="no column 'low'"):
        plots.effect_bars(FRAME.drop(columns="low"))
    with pytest.raises(PerfmethodError, match="no column 'nominal'"):
        plots.weights_and_importance(WEIGHTS.drop(columns="nominal"))
    with pytest.raises(PerfmethodError, match="language 'fr'"):
        plots.effect_bars(FRAME, language="fr")
