"""CSV files as offices save them, read to the last cell or refused with the reason."""

from __future__ import annotations

import csv
import gzip
import io
import unicodedata
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from perfmethod.year.cells import formula_like
from perfmethod.year.report import Report, quote
from perfmethod.year.spec import MAY_BE_EMPTY
from perfmethod.year.table import Column, Table, from_frame

__all__ = ["LIMIT", "read_file", "table_of"]

LIMIT = 2**29  # bytes of one table after decompression: 40,000 ballots take 4 million

_SIGNATURES = {
    b"PK\x03\x04": "a zip archive or workbook: save the sheet as 'CSV UTF-8'",
    b"\x1f\x8b": "a gzip file: name it .csv.gz",
    b"\xff\xfe": "text in UTF-16: save it as 'CSV UTF-8'",
    b"\xfe\xff": "text in UTF-16: save it as 'CSV UTF-8'",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save the sheet as 'CSV UTF-8'",
}


def read_file(folder: Path, file: str, name: str, report: Report) -> Table | None:
    """Read one table of a folder; None where it cannot be read, with the reason in `report`."""
    path = folder / file
    if not _is_safe(folder, path, report):
        return None
    if file.endswith(".parquet"):
        return _read_parquet(path, name, report)
    data = _read_bytes(path, report)
    text = None if data is None else _decode(data, file, report)
    rows = None if text is None else _parse(text, file, report)
    return None if rows is None else table_of(name, file, rows, report)


def _is_safe(folder: Path, path: Path, report: Report) -> bool:
    """A link must stay inside the folder: an error message quotes what it points to."""
    try:
        target = path.resolve(strict=True)
        if path.is_symlink() and not target.is_relative_to(folder.resolve()):
            report.file(path.name, "a link that leads out of the folder", "a file")
            return False
        if target.is_file():
            return True
        report.file(path.name, "a folder" if target.is_dir() else "no ordinary file", "a file")
    except (OSError, RuntimeError):  # before Python 3.13 a loop of links is a RuntimeError
        report.file(path.name, "a link that leads nowhere", "a file")
    return False


def _read_bytes(path: Path, report: Report) -> bytes | None:
    """Content of a file, decompressed, up to `LIMIT`."""
    packed = path.name.endswith(".gz")
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            data = stream.read(LIMIT + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        report.file(path.name, "a damaged or cut-off gzip file", "a whole gzip file")
        return None
    except OSError as error:
        report.file(path.name, error.strerror or str(error), "a file that can be read")
        return None
    if len(data) > LIMIT:
        report.file(path.name, f"more than {LIMIT // 2**20} MiB", "a table of at most that size")
        return None
    return data


def _decode(data: bytes, file: str, report: Report) -> str | None:
    """Text of a file: UTF-8, or GB18030 (what Excel writes in China) with a note."""
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            report.file(file, what, "text in UTF-8")
            return None
    if b"\0" in data:
        at = data.count(b"\n", 0, data.index(b"\0")) + 1
        report.file(file, f"NUL bytes (first in line {at}): no text, or UTF-16", "text in UTF-8")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = _chinese(data)
    if text is None:
        report.file(file, f"bytes that are not UTF-8 (first in line {line})", "text in UTF-8")
        return None
    report.notes.append(f"{file} is in GB18030, not UTF-8; it was read, but save it as 'CSV UTF-8'")
    return text


def _chinese(data: bytes) -> str | None:
    """Text in GB18030; None unless nearly all of it that is not ASCII is Chinese."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = [c for c in text if not c.isascii()]
    chinese = sum(unicodedata.east_asian_width(c) in "WFA" for c in foreign)
    return text if chinese >= 0.9 * len(foreign) else None


def _parse(text: str, file: str, report: Report) -> list[list[str]] | None:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            rows.append(row)
    except csv.Error as error:
        report.file(file, f"a cell that does not end or a stray quotation mark, in or after row "
                    f"{len(rows) + 1} ({error})", "cells in \" \" with \" doubled")  # fmt: skip
        return None
    return rows


def table_of(
    name: str, file: str, rows: Sequence[Sequence[str]], report: Report,
    letters: dict[str, str] | None = None,
) -> Table | None:  # fmt: skip
    """Build a table from rows of text, the first of them the header."""
    if not any(any(row) for row in rows):
        report.file(file, "an empty file", "a header and rows")
        return None
    header = list(rows[0])
    if not _check_header(file, header, report):
        return None
    kept = [i for i in range(1, len(rows)) if any(rows[i])]  # a blank row holds nothing
    if not kept and name not in MAY_BE_EMPTY:
        report.file(file, "a header without rows", "at least one row")
        return None
    ragged = [i for i in kept if len(rows[i]) != len(header)]
    if ragged:
        _report_ragged(file, rows, ragged, report)
        kept = [i for i in kept if len(rows[i]) == len(header)]
    cells = list(zip(*(rows[i] for i in kept), strict=True)) or [()] * len(header)
    columns = {h: Column.of(c) for h, c in zip(header, cells, strict=True)}
    at = np.array(kept, dtype=np.int64) + 1
    return Table(name, file, columns, at, letters or {}, whole=not ragged)


def _report_ragged(
    file: str, rows: Sequence[Sequence[str]], ragged: list[int], report: Report
) -> None:
    bare = Table("", file, {}, np.arange(1, len(rows) + 1))
    found = [f"{len(rows[i])} cells (from {quote(rows[i][0])})" for i in ragged]
    allowed = f"{len(rows[0])} cells, as in the header"
    report.each(bare, np.array(ragged, dtype=np.intp), "", found, allowed)


def _check_header(file: str, header: list[str], report: Report) -> bool:
    """Names of columns: each there, each once."""
    bare = Table("", file, {}, np.array([1]))
    before = len(report.problems)
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        report.header(bare, header[0][:40], "columns not separated by commas", "commas")
        return False
    for i, name in enumerate(header):
        if name == "":
            report.header(bare, f"number {i + 1}", "a column without a name", "a name")
        elif name in header[:i]:
            report.header(bare, name, f"'{name}' twice", "each column once")
        elif formula_like(name):
            report.header(bare, name, quote(name), "a name that is no formula")
    return len(report.problems) == before


def _read_parquet(path: Path, name: str, report: Report) -> Table | None:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        report.file(path.name, "a Parquet file, but no Parquet engine is installed",
                    "ballots.csv or ballots.csv.gz (or install pyarrow)")  # fmt: skip
        return None
    except Exception as error:  # engines raise errors of their own on a damaged file
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        report.file(path.name, f"a Parquet file that cannot be read ({text})", "a whole one")
        return None
    table = from_frame(name, frame)
    return Table(name, path.name, table.columns, np.arange(2, len(frame) + 2))
