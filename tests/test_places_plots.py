"""What stands in the figures of quota rules: positions, labels and words; never the pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import perfmethod as pm
from perfmethod import plots
from perfmethod.errors import PerfmethodError
from perfmethod.places import compare_rules
from perfmethod.places.figures import alike

ROOT = Path(__file__).resolve().parents[1]
TRADE = pd.DataFrame(
    {
        "name": ["现行方案", "全体统一排序"], "efficient": [True, False],
        "rate_range": [0.1, 0.5], "rate_range_low": [0.1, 0.4], "rate_range_high": [0.1, 0.6],
        "least_range": [0.05, 0.05],
        "found": [0.7, 0.8], "found_low": [0.68, 0.78], "found_high": [0.72, 0.82],
        "changed": [0, 6], "changed_low": [0, 4], "changed_high": [0, 8],
    }
)  # fmt: skip
RATES = pd.DataFrame(
    {
        "rule": ["甲", "甲", "乙", "乙"], "group": ["G1", "G2"] * 2, "units": [4, 8] * 2,
        "held": [1, 2, 0, 3], "rate": [0.25, 0.25, 0.0, 0.375],
    }
)  # fmt: skip
CHANGES = pd.DataFrame(
    {
        "rule": ["甲", "甲", "乙"],
        "unit": ["民政局", "教育局", "民政局"],
        "gains": [True, False, False],
    }
)
DRAWN: dict[str, tuple[Callable[..., Axes], pd.DataFrame]] = {
    "tradeoff": (plots.rule_tradeoff, TRADE),
    "rates": (plots.rule_rates, RATES),
    "changes": (plots.rule_changes, CHANGES),
}


@pytest.fixture(scope="module")
def compared() -> Any:
    year = pm.Year.load(ROOT / "data" / "2009")
    rules = ["hamilton", "webster", "pooled", "by_class", "vetoed_place_unfilled"]
    return compare_rules(year, rules, draws=60, seed=1)


def marks(ax: Axes, gid: str) -> list[tuple[float, float]]:
    found = [line for line in ax.lines if line.get_gid() == gid]
    return [
        (float(x), float(y))
        for n in found
        for x, y in zip(n.get_xdata(), n.get_ydata(), strict=True)
    ]


def test_a_panel_for_every_thing_a_rule_is_judged_by() -> None:
    ax = plots.rule_tradeoff(TRADE, title="发现")
    first, second, third = ax.child_axes
    assert [round(x, 6) for x, _ in marks(first, "efficient") + marks(first, "beaten")] == [10, 50]
    assert [x for x, _ in marks(first, "interval")] == pytest.approx([40, 60])
    assert {x for x, _ in marks(first, "least")} == {5.0}
    assert [x for x, _ in marks(second, "interval")] == pytest.approx([68, 72, 78, 82])
    assert [x for x, _ in marks(third, "efficient")] == [0]
    assert [x for x, _ in marks(third, "beaten")] == [6]
    ys = [y for _, y in marks(third, "efficient") + marks(third, "beaten")]
    assert ys == list(ax.get_yticks())
    assert [label.get_text() for label in ax.get_yticklabels()] == TRADE["name"].tolist()
    assert ax.get_title(loc="left") == "发现"


def test_efficient_and_beaten_are_told_apart_without_color() -> None:
    panel = plots.rule_tradeoff(TRADE).child_axes[2]
    faces = {line.get_gid(): line.get_markerfacecolor() for line in panel.lines if line.get_gid()}
    assert faces["beaten"] == "white" != faces["efficient"]


def test_rates_count_holders_and_units() -> None:
    ax = plots.rule_rates(RATES)
    assert [t.get_text() for t in ax.texts] == ["1/4", "2/8", "0/4", "3/8"]
    mesh = ax.collections[0].get_array()
    assert mesh is not None
    assert mesh.ravel().tolist() == [25.0, 25.0, 0.0, 37.5]


def test_changes_point_up_and_down() -> None:
    ax = plots.rule_changes(CHANGES)
    assert marks(ax, "gains") == [(0, 0)]
    assert marks(ax, "loses") == [(0, 1), (1, 0)]
    shapes = {line.get_gid(): line.get_marker() for line in ax.lines}
    assert shapes == {"gains": "^", "loses": "v"}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_can_be_saved(name: str, language: str) -> None:
    function, table = DRAWN[name]
    ax = function(table, title="题", language=language)
    figure: Any = ax.get_figure()
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("name", DRAWN)
def test_a_table_that_cannot_be_drawn_is_refused(name: str) -> None:
    function, table = DRAWN[name]
    with pytest.raises(PerfmethodError, match="no row"):
        function(table.iloc[:0])
    with pytest.raises(PerfmethodError, match="has no column"):
        function(table.drop(columns=table.columns[0]))
    with pytest.raises(PerfmethodError, match="language 'fr'"):
        function(table, language="fr")


def test_without_anything_to_trade_off_nothing_is_drawn() -> None:
    with pytest.raises(PerfmethodError, match="has none of"):
        plots.rule_tradeoff(TRADE[["name", "efficient"]])


# ---------------------------------------------------------------- figures of a comparison


def test_rules_that_are_alike_share_a_row(compared: Any) -> None:
    groups = alike(compared)
    assert ["nominal", "hamilton", "webster"] in groups
    ax = compared.plot(lang="en")
    told = [label.get_text() for label in ax.get_yticklabels()]
    assert len(told) == len(groups) == 4
    assert told[0].replace("\n", " ") == ("Scheme as it is; Largest remainder (Hamilton); Webster")
    assert len(ax.child_axes) == 4


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_titles_tell_the_finding(compared: Any, lang: str) -> None:
    table = compared.table
    changing, most = int((table["changed"] > 0).sum()), int(table["changed"].max())
    title = compared.plot(lang=lang).get_title(loc="left").replace("\n", " ")
    assert str(changing) in title
    assert str(most) in title
    assert {"zh": "按类别分配", "en": "Places by class"}[lang] in title
    assert {"zh": "实测总分", "en": "bymeasuredtotal"}[lang] in "".join(title.split())
    units = compared.winners_and_losers()["unit_id"].nunique()
    assert str(units) in compared.plot("changes", lang=lang).get_title(loc="left")
    low = f"{100 * table['rate_range'].min():.1f}"
    assert low in compared.plot("rates", lang=lang).get_title(loc="left")


def test_a_gain_within_its_error_is_not_called_one(compared: Any) -> None:
    table = compared.table.copy()
    table["found_gain_mcse"] = 10.0
    title = replace(compared, table=table).plot(lang="en").get_title(loc="left")
    assert "no rule surely finds more" in title.replace("\n", " ")
    table["found"], table["found_gain"] = table["found"].iloc[0], 0.0
    title = replace(compared, table=table).plot(lang="en").get_title(loc="left")
    assert "no rule finds more" in title.replace("\n", " ")


def test_unknown_kinds_and_languages(compared: Any) -> None:
    with pytest.raises(PerfmethodError, match="did you mean 'tradeoff'"):
        compared.plot("tradeof")
    with pytest.raises(PerfmethodError, match="found language 'fr'"):
        compared.plot(lang="fr")


def test_drawing_into_given_axes(compared: Any) -> None:
    ax = Figure(figsize=(12, 8), layout="constrained").subplots()
    assert compared.plot("rates", ax) is ax
