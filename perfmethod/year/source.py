"""Where the tables of a year stand: a folder of CSV files, a workbook, or data frames."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from perfmethod.errors import DataError, Problem
from perfmethod.year import csvfile, workbook
from perfmethod.year.report import Report
from perfmethod.year.spec import MAY_BE_EMPTY, NAMES
from perfmethod.year.table import Table, from_frame, keys_as_columns

__all__ = ["Raw", "find_scheme", "read", "read_frames"]

_ENDINGS = (".csv", ".csv.gz")
_NEAR = 0.8


@dataclass(frozen=True)
class Raw:
    """Tables as they were read.

    Parameters
    ----------
    name : str
        Folder, or workbook without its ending.
    pattern : str
        Name of a table in messages, e.g. ``{}.csv``.
    tables : dict of str to Table
    failed : set of str
        Tables that are there but cannot be read.
    """

    name: str
    pattern: str
    tables: dict[str, Table] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def label(self, table: str) -> str:
        """Name of a table in messages."""
        return self.pattern.format(table)


def find_scheme(path: str | Path) -> Path:
    """Find the scheme that belongs to a year.

    Parameters
    ----------
    path : path
        A year folder, or a workbook.

    Returns
    -------
    Path
        ``scheme.toml`` in the folder; for a workbook ``<its name>.toml`` or ``scheme.toml``
        beside it.

    Raises
    ------
    DataError
        If there is none.
    """
    path = Path(path)
    places = [path / "scheme.toml"]
    if path.suffix.lower() == ".xlsx" and not path.is_dir():
        places = [path.with_suffix(".toml"), path.with_name("scheme.toml")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        names = " or ".join(place.name for place in places)
        raise DataError(
            [Problem(path.name or str(path), None, None, "no scheme", f"a file {names}")]
        )
    return found


def read(path: Path, report: Report) -> Raw:
    """Read every table of a folder or workbook; problems go into `report`."""
    if path.is_dir():
        return _read_folder(path, report)
    if path.suffix.lower() == ".xlsx":
        raw = Raw(path.stem, f"{path.name}, sheet {{}}")
        sheets = workbook.read_workbook(path, NAMES, report)
        _note_strangers(raw, sheets.others, report)
        raw.tables.update(sheets.tables)
        raw.failed.update(sheets.failed)
        return raw
    found = "nothing" if not path.exists() else f"a file of type '{path.suffix}'"
    if path.suffix.lower() == ".xls":
        found = "an old Excel file (.xls): save it as .xlsx"
    report.file(path.name, found, "a folder with CSV tables, or an .xlsx workbook")
    report.raise_any()
    raise AssertionError("unreachable")  # pragma: no cover


def _read_folder(path: Path, report: Report) -> Raw:
    raw = Raw(path.resolve().name, "{}.csv")
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        report.file(path.name, error.strerror or "an error", "a folder that can be read")
        report.raise_any()
        raise
    for table in NAMES:
        endings = (*_ENDINGS, ".parquet") if table == "ballots" else _ENDINGS
        found = [name for name in (f"{table}{ending}" for ending in endings) if name in names]
        if len(found) > 1:
            report.file(found[1], f"{' and '.join(found)}", "one of them")
        if found:
            _keep(raw, table, csvfile.read_file(path, found[0], table, report))
    stems = {n: n.split(".")[0] for n in names if n.endswith((*_ENDINGS, ".parquet"))}
    strangers = {n: stem for n, stem in stems.items() if stem not in NAMES or (
        n.endswith(".parquet") and stem != "ballots")}  # fmt: skip
    _note_strangers(raw, strangers, report)
    return raw


def _keep(raw: Raw, name: str, table: Table | None) -> None:
    if table is None:
        raw.failed.add(name)
    else:
        raw.tables[name] = table


def _note_strangers(raw: Raw, strangers: Mapping[str, str], report: Report) -> None:
    """A misspelt file name would leave a table out in silence."""
    absent = [n for n in NAMES if n not in raw.tables and n not in raw.failed]
    for file, stem in strangers.items():
        near = difflib.get_close_matches(stem.casefold().strip(), absent, n=1, cutoff=_NEAR)
        if near:
            report.file(file, f"'{stem}', which is no table of a year",
                        f"'{near[0]}', or a name less like it")  # fmt: skip
            raw.failed.add(near[0])
        else:
            report.notes.append(f"{file} is no table of a year and was not read")


def read_frames(frames: Mapping[str, pd.DataFrame | None], name: str, report: Report) -> Raw:
    """Tables of data frames."""
    raw = Raw(name, "{} (in memory)")
    for table, frame in frames.items():
        if frame is None:
            continue
        names = [str(c) for c in keys_as_columns(frame).columns]
        twice = sorted({c for c in names if names.count(c) > 1})
        if twice:
            report.file(raw.label(table), f"the column '{twice[0]}' twice", "each column once")
        elif not len(frame) and table not in MAY_BE_EMPTY:
            report.file(raw.label(table), "a table without rows", "at least one row")
        _keep(raw, table, None if twice else from_frame(table, frame))
    return raw
