"""What stands in the figures of fairness: positions, labels and words; never the pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import perfmethod as pm
from perfmethod import plots
from perfmethod.errors import PerfmethodError
from perfmethod.fairness import exact_power, grade_parity, group_gaps, p_values, portfolio
from perfmethod.fairness.figures import law_table
from perfmethod.ranking import place_sets

ROOT = Path(__file__).resolve().parents[1]

TEST = pd.DataFrame(
    {
        "value": [0.0, 1.0, 2.0, 6.0], "probability": [0.5, 0.3, 0.16, 0.04],
        "rejected": [False, False, False, True], "alternative": [0.1, 0.1, 0.0, 0.8],
    }
)  # fmt: skip
GAPS = pd.DataFrame(
    {
        "label": ["甲组", "乙组"], "explained": [2.0, -1.0], "unexplained": [3.0, -4.0],
        "low": [-1.0, 0.0], "high": [7.0, 0.0],
    }
)  # fmt: skip
FUNNEL = pd.DataFrame(
    {
        "unit": ["甲", "乙", "丙"], "size": [9.0, 4.0, 6.0], "deviation": [3.0, -30.0, 25.0],
        "half": [14.0, 20.0, 17.0],
    }
)  # fmt: skip
SETS = pd.DataFrame(
    {
        "unit": ["甲", "乙", "丙", "丁"], "group": ["G1", "G1", "G1", "G2"], "rank": [1, 2, 3, 1],
        "low": [1, 2, 2, 1], "high": [1, 3, 3, 1], "places": [2, 2, 2, 0],
        "status": ["surely", "possibly", "possibly", "surely_not"],
    }
)  # fmt: skip
DRAWN: dict[str, tuple[Callable[..., Axes], pd.DataFrame, dict[str, Any]]] = {
    "exact_test": (plots.exact_test, TEST, {"observed": 1.0, "p": 0.5}),
    "gap_bars": (plots.gap_bars, GAPS, {}),
    "portfolio_funnel": (plots.portfolio_funnel, FUNNEL, {}),
    "rank_set_status": (plots.rank_set_status, SETS, {}),
}


def labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def marks(ax: Axes) -> dict[str, Any]:
    return {str(c.get_gid()): c for c in ax.collections}


@pytest.fixture(scope="module")
def city() -> pm.Evaluation:
    return pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))


def test_the_law_stands_with_what_was_and_could_be_found() -> None:
    ax = plots.exact_test(TEST, observed=1.0, p=0.5)
    law, other = (next(p for p in ax.patches if p.get_gid() == g)
                  for g in ("lottery", "alternative"))  # fmt: skip
    assert law.get_data().values.sum() == pytest.approx(1)
    assert other.get_data().values[-1] == pytest.approx(0.8)
    (line,) = [x for x in ax.lines if x.get_gid() == "observed"]
    assert line.get_xdata() == [1.0, 1.0]
    (region,) = [p for p in ax.patches if p.get_gid() == "rejected"]
    assert region.get_x() == 6.0
    none = plots.exact_test(TEST.assign(alternative=np.nan, rejected=False), observed=1.0, p=0.5)
    assert {p.get_gid() for p in none.patches} == {"lottery"}


def test_gaps_stand_beside_their_parts() -> None:
    ax = plots.gap_bars(GAPS)
    assert labels(ax) == ["甲组", "乙组"]
    explained, unexplained = ax.containers
    assert [b.get_width() for b in explained] == [2.0, -1.0]
    assert [b.get_width() for b in unexplained] == [3.0, -4.0]
    found = marks(ax)
    assert found["total"].get_offsets().tolist() == [[5.0, 0.0], [-5.0, 1.0]]
    (segment,) = found["interval"].get_segments()  # no interval where there is none
    assert segment[:, 0].tolist() == [-1.0, 7.0]


def test_units_outside_the_funnel_are_named() -> None:
    ax = plots.portfolio_funnel(FUNNEL)
    found = marks(ax)
    assert found["inside"].get_offsets().tolist() == [[9.0, 3.0]]
    assert found["outside"].get_offsets().tolist() == [[4.0, -30.0], [6.0, 25.0]]
    assert [t.get_text() for t in ax.texts] == ["乙", "丙"]


def test_sets_are_colored_by_what_is_sure() -> None:
    ax = plots.rank_set_status(SETS)
    assert labels(ax) == ["甲", "乙", "丙", "丁"]
    found = [c for c in ax.collections if c.get_gid() == "possibly"]
    ends = [[s[0][0], s[1][0]] for s in found[0].get_segments()]
    assert ends == [[1.88, 3.12], [1.88, 3.12]]
    edges = [c.get_segments()[0][0][0] for c in ax.collections if c.get_gid() == "places"]
    assert edges == [2.5, 0.5]
    assert [t.get_text() for t in ax.texts] == ["G1", "G2"]
    with pytest.raises(PerfmethodError, match="found status 'sure'"):
        plots.rank_set_status(SETS.assign(status="sure"))


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
def test_every_figure_leaves_no_trace(
    name: str, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    before, (draw, frame, how) = dict(mpl.rcParams), DRAWN[name]
    kept = frame.copy()
    left, right = Figure().subplots(1, 2)
    assert draw(frame, left, **how) is left
    assert draw(frame, ax=right, **how) is right
    figure: Any = draw(frame, title="结论", **how).get_figure()
    figure.savefig(io.BytesIO(), format="png")
    assert [str(w.message) for w in recwarn] == []
    assert caplog.messages == []
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize("name", DRAWN)
def test_a_missing_column_and_an_empty_table_are_refused(name: str) -> None:
    draw, frame, how = DRAWN[name]
    column = str(frame.columns[0])
    with pytest.raises(PerfmethodError, match=f"no column '{column}'"):
        draw(frame.drop(columns=column), **how)
    with pytest.raises(PerfmethodError, match="no row"):
        draw(frame.iloc[:0], **how)


# results draw themselves


def test_the_drawn_alternative_is_found_with_the_power_asked_for(city: pm.Evaluation) -> None:
    found = grade_parity(city, ["portfolio", "public_contact"])
    for attribute in ("portfolio", "public_contact"):
        for statistic in ("fisher_freeman_halton", "max_z"):
            table, row, observed = law_table(found, attribute, statistic)
            assert table[["probability", "alternative"]].sum().tolist() == pytest.approx([1, 1])
            assert table.loc[table["rejected"], "alternative"].sum() == pytest.approx(0.8, abs=1e-3)
            assert table.loc[table["rejected"], "probability"].sum() == pytest.approx(row["size"])
            beyond = table.loc[table["value"] >= observed - 1e-9, "probability"].sum()
            assert beyond == pytest.approx(row["p"])
    law, _ = found._laws["portfolio"]
    rejected = p_values(law, "max_z") <= 0.025
    mine = found.tests.query("attribute == 'portfolio' and statistic == 'max_z'").iloc[0]
    group = found.groups.query("attribute == 'portfolio'")["group"].tolist()
    odds = np.ones(3)
    odds[group.index(mine["detectable_group"])] = mine["detectable_odds"]
    assert float(exact_power(law, rejected, odds)) == pytest.approx(0.8, abs=1e-3)
    with pytest.raises(PerfmethodError, match="found attribute 'staff'"):
        found.plot(attribute="staff")


@pytest.mark.parametrize(
    ("lang", "none"), [("en", "not evidence of no gap"), ("zh", "不等于没有差距")]
)
def test_titles_never_say_that_there_is_no_gap(city: pm.Evaluation, lang: str, none: str) -> None:
    ax = grade_parity(city, "portfolio").plot(lang=lang)
    assert none in ax.get_title(loc="left").replace("\n", " ").replace("不等于没 有", "不等于没有")
    gaps = group_gaps(city, draws=200)
    said = gaps.plot(lang=lang).get_title(loc="left").replace("\n", " ")
    assert {"en": "does not show that there is none", "zh": "不等于没有差距"}[lang] in said
    ax = gaps.plot(group="G7", lang=lang)
    assert {"en": "Performance of statutory duties", "zh": "履行法定职责"}[lang] in labels(ax)
    with pytest.raises(PerfmethodError, match="did you mean 'G"):
        gaps.plot(group="G77")


def test_funnel_and_places_of_a_year(city: pm.Evaluation) -> None:
    ax = portfolio(city, draws=200).plot(lang="en")
    assert "lie outside the range of pure chance" in ax.get_title(loc="left")
    sets = place_sets(city, draws=4096)
    assert len(labels(sets.plot())) == 48  # the vetoed unit competes for no place
    one = sets.plot(pool="G2", lang="en")
    assert len(labels(one)) == 7
    assert one.get_title(loc="left") == "Excellent: 1 surely, 3 possibly, 3 surely not"
    assert "industry and commerce" in one.texts[0].get_text()
    with pytest.raises(PerfmethodError, match="found pool 'G9'"):
        sets.plot(pool="G9")
