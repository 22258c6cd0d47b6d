"""``--shares FILE``: shares of the population by category of raters, and the review weighted so."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perfmethod.cli.commands import UsageError
from perfmethod.errors import DataError, InputError, PerfmethodError, suggest

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.calibration import CalibratedReview
    from perfmethod.year import Year
    from perfmethod.year.report import Report
    from perfmethod.year.table import Table

__all__ = ["Shares", "is_of_file", "read_shares", "weighted"]

_NEEDED = ("category", "share")
_ALLOWED_SHARE = "a number above 0"


class Shares(NamedTuple):
    """Shares of a file."""

    file: str
    digest: str  # SHA-256 of its bytes
    table: pd.DataFrame  # category, share and, where the file has it, class


def read_shares(path: Path, year: Year) -> Shares:
    """Read a table of shares: columns category, share and, where classes differ, class.

    Raises
    ------
    DataError
        Every problem at once, with its row and column.
    UsageError
        There is no such file.
    PerfmethodError
        The year has no ballots.
    """
    import hashlib

    from perfmethod.year.csvfile import read_file
    from perfmethod.year.report import Report

    if not path.is_file():
        raise UsageError(f"found no file at --shares {path}; allowed: a CSV file with columns "
                         "category, share")  # fmt: skip
    if path.suffix.lower() != ".csv":
        raise UsageError(f"found --shares {path}; allowed: a file that ends in .csv")
    if year.ballots is None:
        raise PerfmethodError("year: found no ballots; allowed: a year with ballots to weigh")
    report, whole = Report(), path.resolve()
    table = read_file(whole.parent, whole.name, "shares", report)
    if table is not None:
        _check(table, year, report)
    report.raise_any()
    assert table is not None
    names = [name for name in ("class", *_NEEDED) if name in table]
    import pandas as pd

    frame = pd.DataFrame({name: table[name].texts() for name in names})
    digest = hashlib.sha256(whole.read_bytes()).hexdigest()
    return Shares(path.name, digest, frame.assign(share=frame["share"].astype(float)))


def _check(table: Table, year: Year, report: Report) -> None:
    """Everything wrong with the cells, and categories that have no row."""
    lacking = [name for name in _NEEDED if name not in table]
    for name in lacking:
        report.header(table, name, "no such column", suggest(name, table.columns))
    if lacking:
        return
    voted = set() if year.ballots is None else set(year.ballots["category"].astype(str))
    known = {"category": year.scheme.document["survey"]["categories"],
             "class": year.scheme.document["classes"]}  # fmt: skip
    for name in [name for name in known if name in table]:
        wrong = {
            i: (repr(text), suggest(text, known[name]))
            for i, text in enumerate(table[name].uniques)
            if text not in known[name]
        }
        report.cells(table, name, wrong)
    bad = {i: (repr(text) if text else "an empty cell", _ALLOWED_SHARE)
           for i, text in enumerate(table["share"].uniques) if not _positive(text)}  # fmt: skip
    report.cells(table, "share", bad)
    _check_rows(table, voted, report)


def _check_rows(table: Table, voted: set[str], report: Report) -> None:
    """Categories twice, without a ballot, or without a row."""
    seen: set[tuple[str, ...]] = set()
    keys = [table[name].texts() for name in ("class", "category") if name in table]
    for place, key in enumerate(zip(*keys, strict=True)):
        if key in seen:
            report.rows(table, [place], "category", f"{', '.join(key)} twice", "once each")
        seen.add(key)
    if "class" in table:
        return  # what each class needs is known when its answers are counted
    for name in sorted(voted - {key[-1] for key in seen}):
        report.file(table.file, f"no share of category {name}, which has ballots",
                    "a row with its share")  # fmt: skip


def _positive(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and value > 0


def weighted(year: Year, shares: Shares) -> CalibratedReview:
    """Weigh the review; a share without valid answers of a unit goes to the others.

    Raises
    ------
    InputError
        Shares that do not fit the answers, under the name of their file; or ballots that do not
        allow it.
    """
    from perfmethod.calibration import calibrate_review

    try:
        return calibrate_review(year, shares.table, empty="redistribute")
    except InputError as error:
        if not all(problem.file == "shares" for problem in error.problems):
            raise
        raise DataError(replace(p, file=shares.file) for p in error.problems) from None


def is_of_file(error: Exception, shares: Shares) -> bool:
    """Whether an error is about the file of shares, not about the year."""
    return isinstance(error, InputError) and any(p.file == shares.file for p in error.problems)
