"""What ``fairness YEAR --out DIR`` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from perfmethod.cli.output import _figure, _json, csv, write_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.cli.fairness import Found
    from perfmethod.places import RuleComparison
    from perfmethod.scoring import Evaluation
    from perfmethod.stringency import Stringency

__all__ = ["write"]

Plot = Callable[[], "Axes"]


def write(folder: Path, found: Found, evaluation: Evaluation, lang: str) -> None:
    """Write every table and figure into a folder, all of them or none."""
    files: dict[str, Any] = {
        **_groups(found, lang),
        **_units(found, lang),
        **_panels(found, lang),
        **_ranks(found, lang),
        **({} if found.rules is None else _rules(found.rules, lang)),
    }
    if evaluation.year.scheme.document.get("grades", {}).get("levels"):
        files["totals_by_group.png"] = _figure(partial(evaluation.plot, "totals", lang=lang))
    meta = {**evaluation.year.meta, **found.asked, "notes": list(found.notes)}
    write_folder(folder, {**files, "meta.json": _json(meta)})


def _groups(found: Found, lang: str) -> dict[str, Any]:
    """Parity, gaps and spread, attribute after attribute."""
    files: dict[str, Any] = {}
    if found.parity is not None:
        parity = found.parity
        pools = [p.meta["strata"] for p in found.inside.values()]
        parts = [(parity, ""), *zip(found.inside.values(), pools, strict=True)]
        files["parity.csv"] = csv(pd.concat(p.groups.assign(inside=at) for p, at in parts))
        files["parity_tests.csv"] = csv(pd.concat(p.tests.assign(inside=at) for p, at in parts))
        for name in parity.tests["attribute"].unique():
            plot = partial(parity.plot, attribute=name, lang=lang)
            files[f"exact_test_{_file(name)}.png"] = _figure(plot)
    if found.gaps:
        gaps = found.gaps.values()
        files["gaps.csv"] = csv(pd.concat(part.to_frame() for part in gaps))
        files["gap_parts.csv"] = csv(_stacked({n: p.parts for n, p in found.gaps.items()}))
        for name, part in found.gaps.items():
            files[f"gaps_{_file(name)}.png"] = _figure(partial(part.plot, lang=lang))
    if found.spread:
        tables = {
            name: part.groups.merge(part.tests["p_holm"].rename("part_p_holm").reset_index(),
                                    on="part", how="left")
            for name, part in found.spread.items()
        }  # fmt: skip
        files["spread.csv"] = csv(_stacked(tables))
    return files


def _units(found: Found, lang: str) -> dict[str, Any]:
    """Units with few tasks, and the rule for missing ones."""
    files: dict[str, Any] = {}
    if found.portfolio is not None:
        files["portfolio.csv"] = csv(found.portfolio.to_frame(), index=True)
        files["portfolio.png"] = _figure(partial(found.portfolio.plot, lang=lang))
    if found.missing is not None:
        files["missing_rules.csv"] = csv(found.missing.to_frame(), index=True)
    return files


def _panels(found: Found, lang: str) -> dict[str, Any]:
    """Stringency, what hangs on it, and links that would tell."""
    files = {} if found.stringency is None else _stringency(found.stringency, lang)
    if found.sweeps:
        frames = {pool: sweep.to_frame().reset_index() for pool, sweep in found.sweeps.items()}
        files["delta_sweep.csv"] = csv(_stacked(frames, "pool"))
        for pool, sweep in found.sweeps.items():
            files[f"delta_sweep_{pool}.png"] = _figure(partial(sweep.plot, lang=lang))
    if found.methods is not None:
        files["methods.csv"] = csv(found.methods.to_frame(), index=True)
    if found.anchors is not None:
        files["anchor_check.csv"] = csv(found.anchors.to_frame())
    if found.links is not None:
        files["linking.csv"] = csv(found.links.to_frame())
        files["linking.png"] = _figure(partial(found.links.plot, lang=lang))
    return files


def _stringency(strict: Stringency, lang: str) -> dict[str, Any]:
    parts = strict.connectivity.to_frame().reset_index()
    parts["units"] = parts["units"].map(";".join)
    parts["raters"] = parts["raters"].map(";".join)
    return {
        "stringency.csv": csv(strict.to_frame(), index=True),
        "stringency_tests.csv": csv(strict.tests, index=True),
        "stringency_variance.csv": csv(strict.variance.rename_axis("quantity"), index=True),
        "connectivity.csv": csv(parts),
        "stringency.png": _figure(partial(strict.plot, lang=lang)),
    }


def _ranks(found: Found, lang: str) -> dict[str, Any]:
    files: dict[str, Any] = {}
    if found.places is not None:
        files["rank_sets.csv"] = csv(found.places.to_frame(), index=True)
        files["rank_sets.png"] = _figure(partial(found.places.plot, lang=lang))
    if found.posterior is not None:
        files["posterior.csv"] = csv(found.posterior.to_frame(), index=True)
    if found.joint is not None:
        files["joint_ranks.csv"] = csv(found.joint.to_frame(), index=True)
    return files


def _rules(rules: RuleComparison, lang: str) -> dict[str, Any]:
    """Quota rules, each with its wording; figures as far as there is something to draw."""
    table = rules.to_frame()
    for one in ("zh", "en"):
        table[f"text_{one}"] = [rules.rules[str(name)].text[one] for name in table.index]
    files: dict[str, Any] = {
        "rules.csv": csv(table, index=True),
        "rule_rates.csv": csv(rules.rates),
        "rule_changes.csv": csv(rules.winners_and_losers(lang=lang)),
        "rule_rates.png": _figure(partial(rules.plot, "rates", lang=lang)),
    }
    if "found" in table:  # a trade-off wants draws of other raters
        files["tradeoff.png"] = _figure(partial(rules.plot, "tradeoff", lang=lang))
    if (table["changed"] > 0).any():
        files["rule_changes.png"] = _figure(partial(rules.plot, "changes", lang=lang))
    return files


def _stacked(tables: Mapping[str, pd.DataFrame], column: str = "attribute") -> pd.DataFrame:
    """Tables below each other, each named in the first column."""
    return pd.concat([_named(table, column, name) for name, table in tables.items()])


def _named(table: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    rest: Iterable[str] = [c for c in table.columns if c != column]
    return table.assign(**{column: name})[[column, *rest]]


def _file(name: str) -> str:
    """Attribute as part of a file's name."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
