"""One pass over one table: header, then every column against its field."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perfmethod.year.cells import number_of, wrong_id, wrong_number, wrong_text
from perfmethod.year.facts import Facts
from perfmethod.year.report import Report, quote
from perfmethod.year.spec import Field, fields_of
from perfmethod.year.table import Column, Table

__all__ = ["Cleaned", "Known", "clean_table", "numbers", "repeated"]

Known = dict[
    str, Collection[str] | None
]  # set of names -> the names; None where it cannot be known
_NEAR = 0.8  # likeness from which an unknown column is taken for a misspelt one

# kind of number -> what it accepts (of finite numbers), in words
_NUMBERS = {
    "number": (lambda v: True, "a number"),
    "positive": (lambda v: v > 0, "a number above 0"),
    "not_negative": (lambda v: v >= 0, "a number of 0 or more"),
    "score": (lambda v: 0 <= v <= 100, "a number from 0 to 100"),
    "count": (lambda v: v > 0 and v == int(v), "a whole number above 0"),
}


@dataclass(frozen=True, eq=False)
class Cleaned:
    """A table after its pass: numbers as arrays, everything else as coded text."""

    table: Table
    fields: tuple[Field, ...]
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    texts: dict[str, Column] = field(default_factory=dict)

    def has(self, *columns: str) -> bool:
        """Whether the table has all these columns."""
        return all(c in self.table for c in columns)


def clean_table(table: Table, facts: Facts, known: Known, report: Report) -> Cleaned:
    """Check the header and each column by itself; values that need other columns come later."""
    fields = fields_of(table.name, facts)
    _check_header(table, fields, report)
    cleaned = Cleaned(table, fields)
    by_name = {f.name: f for f in fields}
    for name in table.columns:
        _clean_column(cleaned, by_name.get(name, Field(name)), known, report)
    return cleaned


def _clean_column(cleaned: Cleaned, spec: Field, known: Known, report: Report) -> None:
    table, name = cleaned.table, spec.name
    if spec.kind in _NUMBERS:
        cleaned.numbers[name] = numbers(table, name, spec.kind, report, filled=spec.filled)
        if isinstance(spec.default, float):
            values = cleaned.numbers[name]
            values[~table[name].filled] = spec.default
        return
    cleaned.texts[name] = table[name]
    if spec.kind == "id":
        _check_ids(table, spec, known.get(spec.known), report)
    elif spec.kind == "text":
        report.cells(table, name, _wrong(table[name], lambda t: t and wrong_text(t)))


def _wrong(column: Column, why: Callable[[str], str | None]) -> dict[int, tuple[str, str]]:
    reasons = ((code, text, why(text)) for code, text in enumerate(column.uniques))
    return {code: (quote(text), reason) for code, text, reason in reasons if reason}


def _check_ids(table: Table, spec: Field, names: Collection[str] | None, report: Report) -> None:
    def why(text: str) -> str | None:
        return wrong_id(text, names) if text or spec.filled else None

    report.cells(table, spec.name, _wrong(table[spec.name], why))


def numbers(
    table: Table, column: str, kind: str, report: Report, *,
    filled: bool = False, mask: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """Numbers of a column, NaN in an empty cell; only the cells in `mask` are looked at."""
    cells = table[column]
    accepts, what = _NUMBERS[kind]
    used = range(len(cells.uniques)) if mask is None else np.unique(cells.codes[mask]).tolist()
    values = np.full(len(cells.uniques), np.nan)
    wrong = {}
    for code in used:
        text = cells.uniques[code]
        value = number_of(text)
        if value is not None and accepts(value):
            values[code] = value
        elif text or filled:
            allowed = what if value is not None else wrong_number(text, what)
            wrong[code] = (quote(text), allowed)
    report.cells(table, column, wrong, mask)
    return cells.take(values)


def repeated(table: Table, columns: Iterable[str], report: Report) -> None:
    """Report every row whose key stands in an earlier row already."""
    names = list(columns)
    key = np.zeros(len(table), dtype=np.int64)
    for name in names:
        key = key * (len(table[name].uniques) + 1) + table[name].codes
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(first) == len(key):
        return
    again = np.flatnonzero(first[inverse] != np.arange(len(key)))
    filled = np.logical_and.reduce([table[n].filled[again] for n in names])
    again = again[filled]  # an empty key is a problem of its own
    texts = [table[n].texts()[again] for n in names]
    found = [
        f"{', '.join(map(repr, key_texts))} again (first in row {table.row(int(first[i]))})"
        for *key_texts, i in zip(*texts, inverse[again], strict=True)
    ]
    report.each(table, again, names[-1], found, f"each {' and '.join(names)} once")


def _check_header(table: Table, fields: tuple[Field, ...], report: Report) -> None:
    absent = {f.name: f for f in fields if f.name not in table}
    for name in table.columns:
        if all(f.name != name for f in fields) and (near := _near(name, absent)):
            needed = absent.pop(near).needed
            why = "which must be there" if needed else "or a name less like it"
            report.header(table, name, f"'{name}'", f"'{near}', {why}")
    for spec in absent.values():
        if spec.needed:
            have = ", ".join(list(table.columns)[:12])
            report.header(table, spec.name, "no such column", f"it must be there (found: {have})")


def _near(name: str, known: Iterable[str]) -> str | None:
    """Known name of which `name` looks like a misspelling; name_zh is none of name."""
    folded = {k.casefold(): k for k in known if not name.startswith(f"{k}_")}
    near = difflib.get_close_matches(name.strip().casefold(), folded, n=1, cutoff=_NEAR)
    return folded[near[0]] if near else None
