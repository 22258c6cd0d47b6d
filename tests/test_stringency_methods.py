"""Methods side by side where a panel is so strict or lenient that one of them does not apply."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import perfmethod as pm
from perfmethod.stringency import ancova, compare_methods, parts_of

ROOT = Path(__file__).resolve().parents[1]


def test_a_panel_without_a_circle_arc_leaves_the_other_methods() -> None:
    # one lenient panel gives 97 on average, the others so little that the arc has no function
    city = pm.evaluate(pm.Year.load(ROOT / "data" / "2009"))
    parts = parts_of(city)
    panel, groups = parts.panel.copy(), parts.groups
    lenient = groups == groups.iloc[0]
    panel[lenient] += 97 - panel[lenient].mean()
    panel[~lenient] += 70 - panel[~lenient].mean()
    parts = replace(parts, panel=panel)
    fit = ancova(panel, parts.anchors, groups)
    table = compare_methods(city, parts, fit, {"ancova": fit.effects}).methods
    assert not table.loc["circle_arc", "usable"]
    assert "more than a half circle" in table.loc["circle_arc", "note"]
    assert np.isnan(table.loc["circle_arc", "largest_shift"])
    others = table.drop(index="circle_arc")
    assert others.loc[["raw", "mean", "z_score", "ancova"], "usable"].all()
    assert others["note"].eq("").all()
