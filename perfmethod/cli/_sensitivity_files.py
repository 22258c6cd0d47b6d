"""What ``sensitivity YEAR --out DIR`` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmethod.cli._sensitivity_text import BY, SHARED
from perfmethod.cli.output import _figure, _json, csv, write_folder
from perfmethod.display import show

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from perfmethod.cli.sensitivity import Found
    from perfmethod.robustness import StabilityIntervals, WeightChange
    from perfmethod.scoring import Evaluation
    from perfmethod.sensitivity import BlockMap, GlobalIndices, OneAtATime

__all__ = ["write"]


def write(folder: Path, found: Found, evaluation: Evaluation, lang: str) -> None:
    """Write every table and figure into a folder, all of them or none."""
    notes = {"failed": found.runs.counts.failed, "notes": list(found.notes)}
    files = {
        **_drawn(found, lang),
        **_exact(found, evaluation, lang),
        **_single(found, evaluation, lang),
        **_global(found, lang),
        "meta.json": _json({**found.runs.meta, **notes}),
    }
    write_folder(folder, files)


def _drawn(found: Found, lang: str) -> dict[str, Any]:
    runs = found.runs
    return {
        "monte_carlo.csv": csv(runs.to_frame(), index=True),
        "acceptability.csv": csv(runs.acceptability, index=True),
        "rank_intervals.png": _figure(partial(runs.plot, "intervals", lang=lang)),
        "acceptability.png": _figure(partial(runs.plot, "acceptability", lang=lang)),
    }


def _exact(found: Found, evaluation: Evaluation, lang: str) -> dict[str, Any]:
    files: dict[str, Any] = {}
    if found.intervals is not None:
        files["stability.csv"] = csv(found.intervals.intervals)
        named = _by_class(found.intervals, evaluation, lang)
        files["stability.png"] = _figure(partial(named.plot, lang=lang))
    if found.changes:
        files["radius.csv"] = csv(_radius(found.changes))
    if found.shares is not None:
        files["importance.csv"] = csv(found.shares.to_frame())
        files["importance.png"] = _figure(partial(found.shares.plot, lang=lang))
    return files


def _single(found: Found, evaluation: Evaluation, lang: str) -> dict[str, Any]:
    files: dict[str, Any] = {}
    if found.tornado is not None:
        files["tornado.csv"] = csv(found.tornado.to_frame())
        files["tornado.png"] = _figure(partial(_tornado, found.tornado, lang))
    if found.removal is not None:
        files["removal.csv"] = csv(found.removal.to_frame())
    for name, triangle in found.maps.items():
        files[f"block_map_{name}.csv"] = csv(triangle.to_frame())
        owner = evaluation.year.scheme.name(f"classes.{name}", lang)
        files[f"block_map_{name}.png"] = _figure(partial(_map, triangle, owner, lang))
    return files


def _tornado(single: OneAtATime, lang: str) -> Axes:
    """The figure, which says by how much weights are lower and higher."""
    ax = single.plot(lang=lang)
    if not (single.table["mean_shift"] > 0).any():
        still = {
            "en": "No weight {} % lower or higher moves a rank",
            "zh": "单项权重±{}%不改变任何名次",
        }
        ax.set_title(still[lang].format(show(BY, 0)), loc="left")
    told = {"en": "{}, each weight ±{} %", "zh": "{}, 单项权重±{}%"}[lang]
    ax.set_xlabel(told.format(ax.get_xlabel(), show(BY, 0)))
    return ax


def _map(triangle: BlockMap, owner: str, lang: str) -> Axes:
    """The figure with its class in the title, for a year may have several."""
    from perfmethod.plots.house import TITLE_WIDTH, wrapped

    ax = triangle.plot(lang=lang)
    ax.set_title(wrapped(f"{owner}: {ax.get_title(loc='left')}", TITLE_WIDTH), loc="left")
    return ax


def _global(found: Found, lang: str) -> dict[str, Any]:
    if found.indices is None:
        return {}
    output = _varying(found.indices)
    return {
        "global.csv": csv(found.indices.to_frame()),
        "global.png": _figure(partial(found.indices.plot, output, lang=lang)),
    }


def _varying(indices: GlobalIndices) -> str:
    """The first output that varies at all; a figure of another would be empty."""
    outputs = [o for o in SHARED if o in indices.outputs]
    moved = [o for o in outputs if not indices.to_frame(o)["constant"].all()]
    return (moved or outputs)[0]


def _radius(changes: Mapping[str, WeightChange]) -> pd.DataFrame:
    """Changed weights of every class below each other."""
    import pandas as pd

    parts = [
        change.to_frame().reset_index().assign(
            family=name, norm=change.norm, distance=change.distance, lower=change.lower,
            effect=change.effect if change.patch() else "", confirmed=change.confirmed,
        )
        for name, change in changes.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _by_class(
    intervals: StabilityIntervals, evaluation: Evaluation, lang: str
) -> StabilityIntervals:
    """Put the class before the name of each block, for a figure with more than one class."""
    table, column = intervals.intervals, f"name_{lang}"
    if table["family"].nunique() == 1:
        return intervals
    scheme = evaluation.year.scheme
    owners = [scheme.name(f"classes.{family}", lang) for family in table["family"]]
    named = [f"{owner} · {name}" for owner, name in zip(owners, table[column], strict=True)]
    return replace(intervals, intervals=table.assign(**{column: named}))
