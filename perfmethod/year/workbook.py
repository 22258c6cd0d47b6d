"""A workbook as an office keeps it: one sheet a table, values only."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfmethod.errors import PerfmethodError
from perfmethod.year.csvfile import LIMIT, table_of
from perfmethod.year.report import AT_MOST, Report, quote
from perfmethod.year.table import Table, cell_text

__all__ = ["Sheets", "read_workbook"]

_CELLS = 5_000_000  # of one sheet; a few bytes can claim a cell in row 999,999,999
_FORMULA = re.compile(rb"<(\w+:)?f[ >/]")


@dataclass(frozen=True)
class Sheets:
    """Tables of a workbook; sheets that could not be read; sheets that are no table."""

    tables: dict[str, Table] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    others: dict[str, str] = field(default_factory=dict)


def read_workbook(path: Path, names: Sequence[str], report: Report) -> Sheets:
    """Read the sheets that bear the name of a table."""
    sheets = Sheets()
    try:
        formulas = _has_formulas(path, report)
        report.raise_any()
        for sheet, rows in _rows_of(path, names, sheets):
            _add(sheets, path, sheet, rows, report)
        if formulas:
            _check_formulas(path, sheets, report)
    except PerfmethodError:
        raise
    except Exception as error:  # a damaged or hostile file makes its readers raise anything
        reason = getattr(error, "strerror", None) or "a damaged workbook, or no workbook at all"
        report.file(path.name, reason, "an .xlsx workbook that can be read")
        report.raise_any()
    return sheets


def _has_formulas(path: Path, report: Report) -> bool:
    """Look into the archive first: its size and its markup, which may make it a problem."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > LIMIT:
            report.file(path.name, f"more than {LIMIT // 2**20} MiB when unpacked", "less")
            return False
        found = False
        for entry in entries:
            if entry.filename.endswith((".xml", ".rels")):
                data = archive.read(entry)
                if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                    report.file(path.name, f"entities declared in {entry.filename}", "none")
                    return False
                if entry.filename.startswith("xl/worksheets/"):
                    found |= _FORMULA.search(data) is not None
    return found


def _open(path: Path, *, values: bool) -> Any:
    import openpyxl

    data = io.BytesIO(path.read_bytes())  # openpyxl leaves a file open when it fails
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which are not read
        return openpyxl.load_workbook(data, read_only=True, data_only=values)


def _rows_of(
    path: Path, names: Sequence[str], sheets: Sheets
) -> Iterator[tuple[str, list[list[str]]]]:
    book = _open(path, values=True)
    try:
        for sheet in book.worksheets:
            if sheet.title in names:
                sheet.reset_dimensions()  # what a file says of its size may be wrong
                yield sheet.title, _texts(sheet)
            elif sheet.title != "scheme":
                sheets.others[f"{path.name}, sheet {sheet.title}"] = sheet.title
    finally:
        book.close()


def _texts(sheet: Any) -> list[list[str]]:
    rows, cells = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in sheet.iter_rows(values_only=True):
            cells += 1 + len(row)
            if cells > _CELLS:
                raise ValueError("a sheet too large")
            rows.append([cell_text(v) for v in row])
    return rows


def _add(sheets: Sheets, path: Path, name: str, rows: list[list[str]], report: Report) -> None:
    """Cut the rows to the width of the header; a cell beyond it has no column."""
    file = f"{path.name}, sheet {name}"
    header = rows[0] if rows else []
    width = max((i + 1 for i, cell in enumerate(header) if cell), default=0)
    beyond = [
        (r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if c >= width and cell
    ]
    if width:
        for r, c in beyond[:AT_MOST]:
            report.cell(file, r + 1, _letter(c), quote(rows[r][c]), "a cell under a header")
    cut = [row[:width] + [""] * (width - len(row)) for row in rows]
    letters = {cell: _letter(i) for i, cell in enumerate(header) if cell}
    table = table_of(name, file, cut, report, letters)
    if table is None:
        sheets.failed.add(name)
    else:
        sheets.tables[name] = table


def _check_formulas(path: Path, sheets: Sheets, report: Report) -> None:
    """A formula counts with the value that was last computed; without one it is a problem."""
    book = _open(path, values=False)
    try:
        for sheet in book.worksheets:
            if sheet.title in sheets.tables:
                sheet.reset_dimensions()
                cells = [c for row in sheet.iter_rows() for c in row
                         if getattr(c, "data_type", "") == "f"]  # fmt: skip
                _check_cached(sheets.tables[sheet.title], cells, report)
    finally:
        book.close()


def _check_cached(table: Table, cells: list[Any], report: Report) -> None:
    names = {letter: name for name, letter in table.letters.items()}
    position = {int(row): i for i, row in enumerate(table.rows)}
    bare = []
    for cell in cells:
        name = names.get(cell.column_letter)
        at = position.get(cell.row)
        if name is not None and (at is None or not table[name].filled[at]):
            bare.append((cell.row, table.place(name)))
    for row, column in bare[:AT_MOST]:
        found = "a formula without a computed value"
        allowed = "a value: open and save the workbook in a spreadsheet, or paste values"
        report.cell(table.file, row, column, found, allowed)
    if len(cells) > len(bare):
        report.notes.append(
            f"{table.file}: {len(cells) - len(bare)} cells are formulas; their last computed "
            "values were used"
        )


def _letter(position: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(position + 1))
