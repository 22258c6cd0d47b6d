"""Titles of figures count; where there is nothing to count they say so in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from perfmethod.sensitivity import figures
from perfmethod.severity import figures as severity_figures

NONE = {"zh": ("没有", "都窄于", "都不"), "en": ("No ", "none", "no unit")}


def said(axes: Any) -> str:
    return str(axes.get_title(loc="left")).replace("\n", "")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sensitivity_titles(lang: str) -> None:
    ranks = pd.DataFrame({"name": ["A", "B"], "class": "c", "expected": [1.0, 2.0], "low": [1, 2],
                          "median": [1, 2], "high": [1, 2], "nominal": [1, 2]})  # fmt: skip
    narrow: Any = SimpleNamespace(ranks=ranks)
    shares = pd.DataFrame([[0.5, 0.5], [0.5, 0.5]], columns=[1, 2])
    table = pd.DataFrame({"label": ["w"], "name": ["W"], "side": ["low"], "mean_shift": [0.0],
                          "changed": [0], "failed": [""]})  # fmt: skip
    still: Any = SimpleNamespace(to_frame=lambda: table, table=table, graded=True)
    points = pd.DataFrame({"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1], "changed": [1, 1, 1],
                           "change": ["+A", "+B", "+A"], "failed": ""})  # fmt: skip
    other: Any = SimpleNamespace(table=points, children=["x", "y", "z"], nominal=None)
    for axes in (
        figures.intervals(narrow, None, lang),
        figures.rank_shares(shares, ["A", "B"], None, lang),
        figures.tornado_bars(still, None, 5, lang),
        figures.triangle(other, None, lang),
    ):
        title = said(axes)
        assert any(word in title for word in NONE[lang]), title
        assert "0" not in title


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_severity_titles(lang: str) -> None:
    units = pd.DataFrame({"class": "c", "raw": [90.0, 80.0], "adjusted": [90.0, 80.0],
                          "lower": [88.0, 78.0], "upper": [92.0, 82.0], "rank_raw": [1, 2],
                          "rank_adjusted": [1, 2]}, index=["A", "B"])  # fmt: skip
    found: Any = SimpleNamespace(units=units, _survey=None, level=0.95)
    title = said(severity_figures.draw(found, "units", None, lang))
    assert any(word in title for word in NONE[lang])
    assert "0" not in title


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_reliability_title(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from perfmethod.reliability.grades import GradeRisk

    units = pd.DataFrame({"name": ["A"], "rank_p05": [1], "rank_median": [1], "rank_p95": [1],
                          "rank": [1]})  # fmt: skip
    found: Any = SimpleNamespace(units=units, doubtful=lambda: units[:0])
    title = said(GradeRisk.plot(found, lang=lang))
    assert any(word in title for word in NONE[lang])
    assert "0" not in title
