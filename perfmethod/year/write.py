"""Write a year as a folder of CSV files or as a workbook, so that it reads back the same."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from perfmethod.errors import DataError, Problem
from perfmethod.year.facts import Facts
from perfmethod.year.spec import NAMES, SCORING, fields_of
from perfmethod.year.table import Table, cell_text, from_frame

__all__ = ["digest", "save_folder", "save_workbook"]


def save_folder(frames: Mapping[str, pd.DataFrame], facts: Facts, folder: Path) -> None:
    """Write one CSV file a table; the ballots are compressed."""
    contents = {_file(name): _csv(_table(name, frame, facts)) for name, frame in frames.items()}
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_others(folder, set(contents))
    for file, text in contents.items():
        data = text.encode("utf-8")
        # no time stamp, so that the same year gives the same bytes
        _put(folder / file, gzip.compress(data, mtime=0) if file.endswith(".gz") else data)


def save_workbook(frames: Mapping[str, pd.DataFrame], facts: Facts, path: Path) -> None:
    """Write one sheet a table; numbers as numbers, text as text that no spreadsheet runs."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for name, frame in frames.items():
        sheet = book.create_sheet(name)
        columns = _filled(name, frame, facts)
        sheet.append([_cell(sheet, column) for column in columns])
        cells = [[_typed(v) for v in frame[column].tolist()] for column in columns]
        for row in zip(*cells, strict=True):
            sheet.append([_cell(sheet, value) for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    _put(path, buffer.getvalue())


def digest(frames: Mapping[str, pd.DataFrame]) -> str:
    """SHA-256 over the content of the tables that decide scores.

    The order of rows counts, because resampling walks it; the order of columns, the file format
    and columns without any content do not.
    """
    sha = hashlib.sha256()
    for name in SCORING:
        table = from_frame(name, frames[name]) if name in frames else None
        for column in sorted(table.columns) if table is not None and len(table) else ():
            coded = table.columns[column]  # type: ignore[union-attr]
            if any(coded.uniques):
                sha.update("\0".join((name, column, *coded.uniques)).encode())
                sha.update(coded.codes.astype("<i8").tobytes())
    return sha.hexdigest()


def _file(name: str) -> str:
    return f"{name}.csv.gz" if name == "ballots" else f"{name}.csv"


def _refuse_others(folder: Path, files: set[str]) -> None:
    """A table left from another year would be read as part of this one."""
    known = {f"{name}{ending}" for name in NAMES for ending in (".csv", ".csv.gz")}
    stale = sorted(known & {p.name for p in folder.iterdir()} - files)
    if stale or (folder / "ballots.parquet").exists():
        stale = stale or ["ballots.parquet"]
        raise DataError([Problem(folder.name, None, None, f"{', '.join(stale)}, which this year "
                                 "would not replace", "a folder without it")])  # fmt: skip


def _put(path: Path, data: bytes) -> None:
    """Write a whole file or none."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _filled(name: str, frame: pd.DataFrame, facts: Facts) -> list[str]:
    """Columns to write: not the ones that only hold what stands for an absent column."""
    spare = {f.name for f in fields_of(name, facts) if f.default is not None and not f.needed}
    return [
        str(c) for c in frame.columns
        if c not in spare or not len(frame) or any(cell_text(v) for v in frame[c].unique())
    ]  # fmt: skip


def _table(name: str, frame: pd.DataFrame, facts: Facts) -> Table:
    return from_frame(name, frame[_filled(name, frame, facts)])


def _csv(table: Table) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(zip(*(c.texts().tolist() for c in table.columns.values()), strict=True))
    return buffer.getvalue()


def _typed(value: Any) -> Any:
    """Cell of a workbook: a number, a text, or nothing."""
    if isinstance(value, str):
        return value or None
    text = cell_text(value)
    return None if text == "" else int(text) if text.lstrip("-").isdecimal() else float(text)


def _cell(sheet: Any, value: Any) -> Any:
    """Cell whose kind openpyxl would guess wrong, or whose last digit it would drop."""
    if isinstance(value, str) and value[0] in "=#":
        kind, text = "s", value
    elif isinstance(value, float) and float(f"{value:.16g}") != value:
        kind, text = "n", repr(value)
    else:
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = kind
    return cell
