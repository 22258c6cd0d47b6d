"""A whole year in memory, and in a folder."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from perfmethod.errors import DataError, Problems
from perfmethod.synthetic.ballots import draw_ballots
from perfmethod.synthetic.internal import draw_internal
from perfmethod.synthetic.latent import Latent, draw_latent
from perfmethod.synthetic.tasks import draw_tasks
from perfmethod.synthetic.template import Plan, Template, expand, template

__all__ = ["SyntheticYear", "synthesize", "synthetic_year"]

_UNITS = (
    "unit_id class group name_zh name_en subclass_zh subclass_en public_contact org_form staff "
    "leader_role_zh leader_role_en liaison_role_zh liaison_role_en provenance"
)
_GENERATOR_ONLY = ["form", "natural_max", "spread", "decimals"]


class SyntheticYear(NamedTuple):
    """A year whose truth is known.

    Attributes
    ----------
    tables : dict of str to DataFrame
        The tables of the year folder by name, ``units``, ``tasks``, ``ballots`` and so on.
    scheme : str
        Text of scheme.toml.
    truth : dict of str to DataFrame
        ``units`` (quality, perception, stuffed), ``groups`` (stringency), ``categories`` and
        ``raters`` (severity, straight_line) and ``ballots`` (the flawed ones).
    """

    tables: dict[str, pd.DataFrame]
    scheme: str
    truth: dict[str, pd.DataFrame]


def synthetic_year(
    *, seed: int = 2009, units: int = 49, ballots: int = 40_000, groups: int = 7
) -> SyntheticYear:
    """Draw a year of any size with a known truth.

    Each table has its own stream of random numbers: another number of ballots leaves every
    actual value as it was.

    Parameters
    ----------
    seed : int, default 2009
        Seed, 0 or more; the same seed gives the same year.
    units : int, default 49
        Units; counties and departments stand 4 to 45. More than 49 repeat the template.
    ballots : int, default 40000
        Ballots of the public review, in all.
    groups : int, default 7
        Groups of departments.

    Returns
    -------
    SyntheticYear
        Tables, scheme and truth.

    Raises
    ------
    DataError
        If a size is impossible; all of them are named.

    Examples
    --------
    >>> year = synthetic_year(seed=0, ballots=500)
    >>> len(year.tables["units"]), len(year.tables["ballots"])
    (49, 500)
    """
    _check(seed, ballots)
    source = template()
    plan = expand(source, units, groups)
    stream = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
    latent = draw_latent(plan, stream[0])
    tasks = draw_tasks(source, plan, latent, stream[1:4])
    internal = draw_internal(source, plan, latent, stream[4])
    cast = draw_ballots(source, plan, latent, ballots, stream[5])
    tables = {
        "units": plan.units[_UNITS.split()],
        "groups": plan.groups,
        "indicators": _indicators(source, plan),
        "tasks": tasks,
        "adjustments": plan.adjustments,
        "vetoes": plan.vetoes,
        "internal": internal,
        "ballots": cast.ballots,
        "organs": source.organs,
        "timeline": source.timeline,
        "register": source.register,
    }
    truth = _truth(source, plan, latent) | {"raters": cast.raters, "ballots": cast.flaws}
    return SyntheticYear(tables, plan.scheme, truth)


def _check(seed: int, ballots: int) -> None:
    problems = Problems("arguments")
    if seed < 0:
        problems.add(str(seed), "a whole number of 0 or more", column="seed")
    if ballots < 1:
        problems.add(str(ballots), "a whole number of 1 or more", column="ballots")
    problems.raise_any(DataError)


def _indicators(source: Template, plan: Plan) -> pd.DataFrame:
    """Drop what only the generator needs, and units that a small year does not have."""
    table = source.indicators.drop(columns=_GENERATOR_ONLY)
    known = set(plan.units["unit_id"]) | set(source.organs["organ_id"])
    for column in ("lead_unit_id", "co_unit_ids", "county_scope", "collector_id", "certifier_id"):
        table[column] = [
            ";".join(u for u in cell.split(";") if u in known) for cell in table[column]
        ]
    return table


def _truth(source: Template, plan: Plan, latent: Latent) -> dict[str, pd.DataFrame]:
    units = plan.units[["unit_id"]].assign(
        quality=latent.quality,
        perception=latent.perception,
        planted=np.where(plan.units["plant"] == "", "no", "yes"),
        stuffed=np.where(latent.stuffed, "yes", "no"),
    )
    categories = source.raters[["category", "severity"]]
    return {"units": units, "groups": latent.groups, "categories": categories}


def synthesize(
    folder: str | Path,
    *,
    seed: int = 2009,
    units: int = 49,
    ballots: int = 40_000,
    groups: int = 7,
    truth: str | Path | None = None,
) -> None:
    """Write a year folder with a known truth; the same seed writes the same bytes.

    Parameters
    ----------
    folder : str or Path
        Where the year goes; made if it is not there.
    seed, units, ballots, groups : int
        See `synthetic_year`.
    truth : str or Path, optional
        Where the truth goes, outside the year folder; nowhere if left out.

    Raises
    ------
    DataError
        If a size is impossible.
    """
    year = synthetic_year(seed=seed, units=units, ballots=ballots, groups=groups)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    _put(place / "scheme.toml", year.scheme.encode())
    _write(place, year.tables, {"ballots"})
    if truth is not None:
        Path(truth).mkdir(parents=True, exist_ok=True)
        _write(Path(truth), year.truth, {"raters"})


def _write(folder: Path, tables: dict[str, pd.DataFrame], packed: set[str]) -> None:
    for name, table in tables.items():
        if name in packed:
            _put(folder / f"{name}.csv.gz", _packed(_csv(table)))
        else:
            _put(folder / f"{name}.csv", _csv(table))


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def _csv(table: pd.DataFrame) -> bytes:
    """CSV in UTF-8: values as short as they are exact, the truth to four decimals."""
    values = table.columns.intersection(["actual", "reported", "q1", "q2", "q3", "q4", "score"])
    texts = table.assign(**{name: [_cell_text(cell) for cell in table[name]] for name in values})
    buffer = io.StringIO()
    texts.to_csv(buffer, index=False, lineterminator="\n", float_format="%.4f")
    return buffer.getvalue().encode()


def _cell_text(cell: object) -> str:
    """Text of a number or of a level: 45 instead of 45.0, nothing where nothing is known."""
    if isinstance(cell, str):
        return cell
    number = float(cell)  # type: ignore[arg-type]
    return "" if np.isnan(number) else f"{number:.10g}"


def _packed(content: bytes) -> bytes:
    """Gzip without time or name, so that nothing but the content decides the bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()
