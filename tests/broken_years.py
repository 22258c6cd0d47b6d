"""Ways to break a small year, each with the place that the message must name.

``BROKEN`` is a list of `Broken`; ``broken.make(folder)`` writes the small year, breaks it and
returns the path to load: a folder, or a workbook in it.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.small_year import SMALL_TABLES, write_small_year

Break = Callable[[Path], object]
_VETOES = SMALL_TABLES["vetoes.csv"]


@dataclass(frozen=True)
class Broken:
    """One breakage of the small year.

    Parameters
    ----------
    name : str
    breaks : callable
        Takes the folder.
    file : str
        File the message must name; then its row and column.
    says : str
        Fragment of the message.
    n : int
        Problems in all.
    year : str
        What to load, from the folder.
    """

    name: str
    breaks: Break
    file: str
    row: int | str | None
    column: str | None
    says: str
    n: int = 1
    year: str = ""

    def make(self, folder: Path) -> Path:
        """Write the broken year."""
        write_small_year(folder)
        self.breaks(folder)
        return folder / self.year


def swap(file: str, old: str, new: str) -> Break:
    """Replace the first occurrence of a text."""

    def breaks(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, old
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return breaks


def append(file: str, *lines: str) -> Break:
    """Add lines at the end."""

    def breaks(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)

    return breaks


def raw(file: str, data: bytes) -> Break:
    """Replace the whole content."""
    return lambda folder: (folder / file).write_bytes(data)


def remove(file: str) -> Break:
    """Delete a file."""
    return lambda folder: (folder / file).unlink()


def rename(file: str, new: str) -> Break:
    """Rename a file."""
    return lambda folder: (folder / file).rename(folder / new)


def column(file: str, name: str) -> Break:
    """Delete a column."""

    def breaks(folder: Path) -> None:
        rows = [line.split(",") for line in (folder / file).read_text("utf-8").splitlines()]
        at = rows[0].index(name)
        lines = [",".join(row[:at] + row[at + 1 :]) for row in rows]
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return breaks


def both(*breaks: Break) -> Break:
    """Break in several ways."""

    def all_of(folder: Path) -> None:
        for one in breaks:
            one(folder)

    return all_of


def book(change: Callable[[Any], object]) -> Break:
    """Write the small year as small.xlsx and change it as an openpyxl workbook."""

    def breaks(folder: Path) -> None:
        import openpyxl

        from perfmethod.scheme import Scheme
        from perfmethod.year import Year

        path = folder / "small.xlsx"
        Year.load(folder, Scheme.load(folder / "scheme.toml")).save_xlsx(path)
        workbook = openpyxl.load_workbook(path)
        change(workbook)
        workbook.save(path)

    return breaks


def cell(sheet: str, place: str, value: Any) -> Break:
    """Set one cell of the workbook."""

    def change(workbook: Any) -> None:
        workbook[sheet][place] = value

    return book(change)


def sheet(change: Callable[[bytes], bytes]) -> Break:
    """Change the XML of the first sheet of the workbook."""

    def breaks(folder: Path) -> None:
        book(lambda workbook: None)(folder)
        path, new = folder / "small.xlsx", folder / "new.xlsx"
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(new, "w") as target:
            for entry in source.infolist():
                data = source.read(entry)
                first = entry.filename == "xl/worksheets/sheet1.xml"
                target.writestr(entry, change(data) if first else data)
        new.replace(path)

    return breaks


def bomb(folder: Path) -> None:
    """A workbook of a few hundred kilobytes that unpacks to more than half a gigabyte."""
    packing = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(folder / "small.xlsx", "w", packing, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as stream,
    ):
        for _ in range(520):
            stream.write(bytes(2**20))


def packed(damage: Callable[[bytes], bytes]) -> Break:
    """Compress the ballots, then damage the file."""

    def breaks(folder: Path) -> None:
        data = gzip.compress((folder / "ballots.csv").read_bytes(), mtime=0)
        (folder / "ballots.csv").unlink()
        (folder / "ballots.csv.gz").write_bytes(damage(data))

    return breaks


def directory(folder: Path) -> None:
    """A folder named like a table."""
    (folder / "vetoes.csv").unlink()
    (folder / "vetoes.csv").mkdir()


def dangling(folder: Path) -> None:
    """A link that leads nowhere."""
    (folder / "vetoes.csv").unlink()
    (folder / "vetoes.csv").symlink_to(folder / "nothing.csv")


def outward(folder: Path) -> None:
    """A link to a file of somebody else."""
    secret = folder.parent / "secret.csv"
    secret.write_text("password\n", encoding="utf-8")
    (folder / "vetoes.csv").unlink()
    (folder / "vetoes.csv").symlink_to(secret)


def loop(folder: Path) -> None:
    """Two links that lead to each other."""
    (folder / "vetoes.csv").unlink()
    (folder / "vetoes.csv").symlink_to(folder / "other.csv")
    (folder / "other.csv").symlink_to(folder / "vetoes.csv")


def tenfold(folder: Path, *, new_ids: bool) -> None:
    """Every department ten times, as the same unit again or as another one."""
    lines = (folder / "units.csv").read_text("utf-8").splitlines()
    departments = [line for line in lines if line.startswith("D")]
    more = [
        line.replace(line[:3], f"{line[:3]}x{k}", 1) if new_ids else line
        for k in range(9)
        for line in departments
    ]
    append("units.csv", *more)(folder)


def actual(text: str) -> Break:
    """Put a text where the actual value 46.5 of C01, P001 stands (tasks.csv, row 2)."""
    return swap("tasks.csv", "C01,P001,46.5,", f"C01,P001,{text},")


def _actual(name: str, text: str, says: str) -> Broken:
    return Broken(name, actual(text), "tasks.csv", 2, "actual", says)


NUMBERS = [
    _actual("a word for a number", "abc", "found 'abc'; allowed: a number"),
    _actual("NaN as text", "NaN", "an empty cell where there is no value"),
    _actual("a dash for nothing", "-", "an empty cell where there is no value"),
    _actual("none in Chinese", "无", "an empty cell where there is no value"),
    _actual("infinity as text", "inf", "a finite number"),
    _actual("minus infinity", "-Infinity", "a finite number"),
    _actual("a number beyond floats", "1e400", "a finite number"),
    _actual("thousands separators", '"1,234"', "without thousands separators"),
    _actual("Chinese thousands separators", "1，234", "without thousands separators"),
    _actual("a percent sign", "95%", "without a percent sign"),
    _actual("a decimal comma", '"46,5"', "a decimal point"),
    _actual("a date with slashes", "2009/3/4", "a date stands here"),
    _actual("an ISO date", "2009-03-04", "a date stands here"),
    _actual("a date in Chinese", "3月4日", "a date stands here"),
    _actual("a short date", "4-Mar", "a date stands here"),
    _actual("a fraction turned into a date", "3/4", "a date stands here"),
    _actual("a time of day", "10:30", "a time of day"),
    _actual("full-width digits", "４６", "not full-width ones: 46"),
    _actual("a unit of measure", "46.5公里", "the unit belongs elsewhere"),
    _actual("a logical value", "TRUE", "not a logical value"),
    _actual("an error value", "#DIV/0!", "a spreadsheet's error value"),
    _actual("a formula for a number", "=40+6.5", "not a formula"),
    _actual("a number with a space", " 46.5", "without spaces around it"),
    _actual("an underscore in a number", "1_000", "found '1_000'; allowed: a number"),
    _actual("hexadecimal", "0x1F", "allowed: a number"),
    _actual("a level where a number belongs", "A", "allowed: a number"),
    Broken("a quarter that is no number", swap("tasks.csv", "46.5\n", "x\n"),
           "tasks.csv", 2, "q4", "found 'x'"),
    Broken("a negative weight", swap("tasks.csv", "46.5,45,1,", "46.5,45,-1,"),
           "tasks.csv", 2, "weight", "a number above 0"),
    Broken("a weight of zero", swap("tasks.csv", "46.5,45,1,", "46.5,45,0,"),
           "tasks.csv", 2, "weight", "a number above 0"),
    Broken("a target of zero under a ratio", swap("tasks.csv", "46.5,45,1,", "46.5,0,1,"),
           "tasks.csv", 2, "target", "the rule divides by it"),
    Broken("a negative target under a ratio", swap("tasks.csv", "C01,P003,2,3", "C01,P003,2,-3"),
           "tasks.csv", 4, "target", "found '-3'; allowed: a target above 0"),
    Broken("a level not on the list", swap("tasks.csv", "D02,D001,B,A", "D02,D001,E,A"),
           "tasks.csv", 13, "actual", "a level: one of A, B, C, D"),
    Broken("a position beyond the levels", swap("tasks.csv", "D02,D001,B,A", "D02,D001,4,A"),
           "tasks.csv", 13, "actual", "a level"),
    Broken("a target that is no level", swap("tasks.csv", "D02,D001,B,A", "D02,D001,B,best"),
           "tasks.csv", 13, "target", "a level"),
    Broken("negative staff", swap("units.csv", "County,900", "County,-900"),
           "units.csv", 2, "staff", "0 or more"),
    Broken("a population of zero", swap("units.csv", "45.5", "0"),
           "units.csv", 2, "population", "a number above 0"),
    Broken("no population for a value per head", swap("units.csv", "800,30", "800,"),
           "units.csv", 3, "population", "'P004' is divided by it"),
    Broken("no column to divide by", column("units.csv", "population"),
           "units.csv", 1, "population", "'P004' is divided by it"),
    Broken("points of zero", swap("adjustments.csv", "B01,10,c", "B01,0,c"),
           "adjustments.csv", 2, "points", "a number above 0"),
    Broken("negative points", swap("adjustments.csv", "K01,5", "K01,-5"),
           "adjustments.csv", 4, "points", "found '-5'"),
    Broken("no points", swap("adjustments.csv", "K01,5", "K01,"),
           "adjustments.csv", 4, "points", "an empty cell"),
    Broken("a score above 100", swap("internal.csv", "88.5", "100.5"),
           "internal.csv", 2, "score", "from 0 to 100"),
    Broken("a score below 0", swap("internal.csv", "88.5", "-0.5"),
           "internal.csv", 2, "score", "from 0 to 100"),
    Broken("no score", swap("internal.csv", "88.5", ""),
           "internal.csv", 2, "score", "an empty cell"),
    Broken("half a rating", swap("internal.csv", "88.5,12", "88.5,2.5"),
           "internal.csv", 2, "ratings", "a whole number above 0"),
    Broken("no raters", swap("internal.csv", "88.5,12", "88.5,0"),
           "internal.csv", 2, "ratings", "a whole number above 0"),
]  # fmt: skip

NAMES = [
    Broken("an unknown class", swap("units.csv", "C01,county_government", "C01,county"),
           "units.csv", 2, "class", "county_government"),
    Broken("no class", swap("units.csv", "C01,county_government", "C01,"),
           "units.csv", 2, "class", "an empty cell"),
    Broken("no column of classes", column("units.csv", "class"),
           "units.csv", 1, "class", "no such column"),
    Broken("no column of groups", column("units.csv", "group"),
           "units.csv", 1, "group", "grades go by group"),
    Broken("an unknown group", swap("units.csv", "ment,G2", "ment,G9"),
           "units.csv", 6, "group", "found 'G9'"),
    Broken("a group of another class", swap("units.csv", "C02,county_government,G0",
                                            "C02,county_government,G1"),
           "units.csv", 3, "group", "a group of class 'municipal_department'"),
    Broken("a group of an unknown class", swap("groups.csv", "ment\nG1", "mnt\nG1"),
           "groups.csv", 2, "class", "did you mean 'county_government'"),
    Broken("a task of an unknown unit", append("tasks.csv", "D1,D001,A,,1,,certified,,,,"),
           "tasks.csv", 16, "unit_id", "did you mean 'D01'"),
    Broken("points for an unknown unit", swap("adjustments.csv", "E003,D02", "E003,D20"),
           "adjustments.csv", 4, "unit_id", "found 'D20'"),
    Broken("a veto of an unknown unit", swap("vetoes.csv", "W001,D01", "W001,D010"),
           "vetoes.csv", 2, "unit_id", "did you mean 'D01'"),
    Broken("a score of an unknown unit", append("internal.csv", "X01,I01,80,3"),
           "internal.csv", 12, "unit_id", "found 'X01'"),
    Broken("ballots for an unknown unit", append("ballots.csv", "B900,D04,Q1,R01,session,S1,,1,1"),
           "ballots.csv", 22, "unit_id", "found 'D04'"),
    Broken("an unknown indicator", append("tasks.csv", "D03,D01,A,,1,,certified,,,,"),
           "tasks.csv", 16, "indicator_id", "did you mean 'D001'"),
    Broken("an unknown indicator described", append("indicators.csv", "P009,,,,,,,,"),
           "indicators.csv", 7, "indicator_id", "found 'P009'"),
    Broken("an indicator of another class", append("tasks.csv", "D03,P002,1,1,1,,certified,,,,"),
           "tasks.csv", 16, "indicator_id", "'P002' for a unit of class 'municipal_department'"),
    Broken("an unknown rater category", swap("ballots.csv", "R02-1,R02,", "R02-1,R20,"),
           "ballots.csv", 4, "category", "found 'R20'", n=2),
    Broken("an unknown mode", swap("ballots.csv", "R01,session", "R01,sesion"),
           "ballots.csv", 2, "mode", "did you mean 'session'"),
    Broken("an option not on the scale", swap("ballots.csv", "S1,1,2,", "S1,5,2,"),
           "ballots.csv", 2, "livelihood", "one of 1, 2, 3, 9"),
    Broken("an option with a decimal point", swap("ballots.csv", "S1,1,2,", "S1,1.0,2,"),
           "ballots.csv", 2, "livelihood", "found '1.0'"),
    Broken("an answer the class is not asked", swap("ballots.csv", "S1,1,2,", "S1,1,2,3"),
           "ballots.csv", 2, "efficiency", "the unit's class does not have it"),
    Broken("a rater in two categories", append("ballots.csv", "B900,D01,R01-1,R02,online,,,1,1"),
           "ballots.csv", 22, "category", "in row 2 in 'R01'"),
    Broken("no rater", swap("ballots.csv", "R01-1,R01", ",R01"),
           "ballots.csv", 2, "rater_id", "an empty cell"),
    Broken("an unknown internal category", swap("internal.csv", "C01,I01", "C01,I03"),
           "internal.csv", 2, "category", "found 'I03'"),
    Broken("an unknown item", swap("adjustments.csv", "D02,K01", "D02,K02"),
           "adjustments.csv", 4, "item", "did you mean 'K01'"),
    Broken("an item closed to the class", swap("adjustments.csv", "C01,B01", "C01,B02"),
           "adjustments.csv", 2, "item", "'B02' for a unit of class 'county_government'"),
    Broken("an unknown veto", swap("vetoes.csv", "D01,V01", "D01,V11"),
           "vetoes.csv", 2, "veto", "found 'V11'"),
    Broken("an unknown status of a veto", swap("vetoes.csv", "V01,confirmed", "V01,confirmd"),
           "vetoes.csv", 2, "status", "did you mean 'confirmed'"),
    Broken("no status of a veto", swap("vetoes.csv", "V01,confirmed", "V01,"),
           "vetoes.csv", 2, "status", "an empty cell"),
    Broken("an unknown status of points", swap("adjustments.csv", "10,confirmed", "10,yes"),
           "adjustments.csv", 2, "status", "found 'yes'"),
    Broken("an unknown status of a value", swap("tasks.csv", "certified,4", "certifed,4"),
           "tasks.csv", 2, "status", "did you mean 'certified'"),
    Broken("no status of a value", swap("tasks.csv", "certified,4", ",4"),
           "tasks.csv", 2, "status", "an empty cell"),
    Broken("no column of statuses", column("tasks.csv", "status"),
           "tasks.csv", 1, "status", "no such column"),
    Broken("no column of targets", column("tasks.csv", "target"),
           "tasks.csv", 1, "target", "the rule of 'P001' needs it"),
    Broken("an unknown path", swap("indicators.csv", "D02;D03,back", "D02;D03,bck"),
           "indicators.csv", 2, "path", "did you mean 'back'"),
    Broken("an unknown lead unit", swap("indicators.csv", "yes,D01", "yes,D11"),
           "indicators.csv", 2, "lead_unit_id", "found 'D11'"),
    Broken("an unknown unit among several", swap("indicators.csv", "D02;D03", "D02;D33"),
           "indicators.csv", 2, "co_unit_ids", "D33"),
    Broken("an unknown source", swap("indicators.csv", "P001,provincial", "P001,national"),
           "indicators.csv", 2, "source", "found 'national'"),
    Broken("neither yes nor no", swap("indicators.csv", "km,yes", "km,Y"),
           "indicators.csv", 2, "practical_matter", "one of no, yes"),
    Broken("a space after a unit", swap("tasks.csv", "C01,P001", "C01 ,P001"),
           "tasks.csv", 2, "unit_id", "'C01' without spaces around it"),
    Broken("a full-width space before a unit", swap("tasks.csv", "C01,P001", "\u3000C01,P001"),
           "tasks.csv", 2, "unit_id", "'C01' without spaces around it"),
    Broken("a space after a new unit", swap("units.csv", "D03,", "D03 ,"),
           "units.csv", 6, "unit_id", "'D03' without spaces around it"),
    Broken("full-width letters in a unit", swap("tasks.csv", "C01,P001", "Ｃ０１,P001"),
           "tasks.csv", 2, "unit_id", "'C01' in plain characters"),
    Broken("an invisible character", swap("tasks.csv", "C01,P001", "C01\u200b,P001"),
           "tasks.csv", 2, "unit_id", "U+200B"),
    Broken("no unit", swap("tasks.csv", "C01,P001", ",P001"),
           "tasks.csv", 2, "unit_id", "an empty cell"),
    Broken("a name that is a formula", swap("units.csv", "Yi County", "=HYPERLINK(1)"),
           "units.csv", 3, "name_en", "no spreadsheet runs as a formula"),
    Broken("a name that starts with @", swap("units.csv", "Yi County", "@SUM(A1)"),
           "units.csv", 3, "name_en", "no spreadsheet runs as a formula"),
    Broken("a name that starts with a tab", swap("units.csv", "Yi County", "\t=1"),
           "units.csv", 3, "name_en", "no spreadsheet runs as a formula"),
    Broken("a formula in a column nobody reads", swap("tasks.csv", "county_implementer", "+1+cmd"),
           "tasks.csv", 2, "role", "no spreadsheet runs as a formula"),
    Broken("an identifier that is a formula", swap("ballots.csv", "B001", "=B001"),
           "ballots.csv", 2, "ballot_id", "no spreadsheet runs as a formula"),
    Broken("a control character", swap("units.csv", "Yi County", "Yi\x07County"),
           "units.csv", 3, "name_en", "U+0007"),
    Broken("a unit without any task", swap("tasks.csv", "D03,P003,1,1,1,lead,certified,0,0,1,1\n"
                                           "D03,D001,C,,1,,uncertified,,,,\n", ""),
           "units.csv", 6, "unit_id", "a unit without any task"),
]  # fmt: skip

KEYS = [
    Broken("a unit twice", append("units.csv", "C01,county_government,G0,x,x,1,1"),
           "units.csv", 7, "unit_id", "'C01' again (first in row 2)"),
    Broken("a group twice", append("groups.csv", "G1,x,x,municipal_department"),
           "groups.csv", 5, "group", "'G1' again (first in row 3)"),
    Broken("an indicator twice", append("indicators.csv", "P001,,,,,,,,"),
           "indicators.csv", 7, "indicator_id", "'P001' again (first in row 2)"),
    Broken("a task twice", append("tasks.csv", "C01,P001,1,1,1,,certified,,,,"),
           "tasks.csv", 16, "indicator_id", "'C01', 'P001' again (first in row 2)"),
    Broken("an event twice", append("adjustments.csv", "E001,C02,B01,10,confirmed,2009Q1"),
           "adjustments.csv", 6, "event_id", "'E001' again (first in row 2)"),
    Broken("a veto twice", append("vetoes.csv", "W001,C02,V01,confirmed"),
           "vetoes.csv", 4, "event_id", "'W001' again (first in row 2)"),
    Broken("an internal score twice", append("internal.csv", "C01,I01,80,3"),
           "internal.csv", 12, "category", "'C01', 'I01' again (first in row 2)"),
    Broken("a ballot twice", append("ballots.csv", "B001,D01,R01-1,R01,session,S1,,1,1"),
           "ballots.csv", 22, "ballot_id", "'B001' again (first in row 2)"),
    Broken("a class ten times as large, the same units", lambda f: tenfold(f, new_ids=False),
           "units.csv", 7, "unit_id", "'D01' again (first in row 4)", n=27),
    Broken("a class ten times as large, other units", lambda f: tenfold(f, new_ids=True),
           "units.csv", 7, "unit_id", "'D01x0', a unit without any task", n=27),
]  # fmt: skip

FILES = [
    Broken("no units", remove("units.csv"), "units.csv", None, None, "the table must be there"),
    Broken("no tasks", remove("tasks.csv"), "tasks.csv", None, None, "the scheme has indicators"),
    Broken("no ballots", remove("ballots.csv"), "ballots.csv", None, None, "has survey"),
    Broken("no internal scores", remove("internal.csv"), "internal.csv", None, None, "internal"),
    Broken("a misspelt file", rename("vetoes.csv", "vetos.csv"),
           "vetos.csv", None, None, "'vetoes'"),
    Broken("two tables of values", raw("actuals.csv", b"unit_id,P001\nC01,1\n"),
           "actuals.csv", None, None, "one of them", n=11),
    Broken("two files of ballots", lambda f: (f / "ballots.csv.gz").write_bytes(
        gzip.compress((f / "ballots.csv").read_bytes())),
           "ballots.csv.gz", None, None, "one of them"),
    Broken("an empty file", raw("vetoes.csv", b""), "vetoes.csv", None, None, "an empty file"),
    Broken("blank lines only", raw("vetoes.csv", b"\n\r\n,,\n"),
           "vetoes.csv", None, None, "an empty file"),
    Broken("a header without rows", raw("internal.csv", b"unit_id,category,score\n"),
           "internal.csv", None, None, "a header without rows"),
    Broken("no column of keys", swap("units.csv", "unit_id", "code"),
           "units.csv", 1, "unit_id", "no such column"),
    Broken("a misspelt column that must be there", swap("tasks.csv", "actual", "acutal"),
           "tasks.csv", 1, "acutal", "'actual', which must be there"),
    Broken("a misspelt column that may be there", swap("tasks.csv", "weight", "wieght"),
           "tasks.csv", 1, "wieght", "'weight', or a name less like it"),
    Broken("a column in capitals", swap("adjustments.csv", "points", "Points"),
           "adjustments.csv", 1, "Points", "'points', which must be there"),
    Broken("a column with a space", swap("vetoes.csv", "status", " status"),
           "vetoes.csv", 1, " status", "'status', which must be there"),
    Broken("a dimension that is not there", column("ballots.csv", "conduct"),
           "ballots.csv", 1, "conduct", "no such column"),
    Broken("a column twice", swap("units.csv", "population", "staff"),
           "units.csv", 1, "staff", "'staff' twice"),
    Broken("a column without a name", swap("vetoes.csv", "veto,status", "veto,status,"),
           "vetoes.csv", 1, "number 5", "a column without a name"),
    Broken("a column named by a formula", swap("units.csv", "population", "=cmd()"),
           "units.csv", 1, "=cmd()", "no formula"),
    Broken("a row too long", append("vetoes.csv", "W003,C02,V01,confirmed,x"),
           "vetoes.csv", 4, None, "found 5 cells (from 'W003'); allowed: 4 cells"),
    Broken("a row too short", append("vetoes.csv", "W003,C02"),
           "vetoes.csv", 4, None, "found 2 cells (from 'W003'); allowed: 4 cells"),
    Broken("a unit in a row too short", swap("units.csv", "Education,60,", "Education"),
           "units.csv", 6, None, "found 5 cells (from 'D03')"),
    Broken("semicolons", lambda f: (f / "vetoes.csv").write_text(
        _VETOES.replace(",", ";")),
           "vetoes.csv", 1, "event_id;unit_id;veto;status", "not separated by commas"),
    Broken("a quotation that does not end", append("vetoes.csv", 'W003,C02,"V01,confirmed'),
           "vetoes.csv", None, None, "in or after row 4"),
    Broken("a stray quotation mark", append("vetoes.csv", 'W003,C02,"V"01,confirmed'),
           "vetoes.csv", None, None, "in or after row 4"),
    Broken("bytes of another encoding", raw("vetoes.csv", b"event_id\n\xe9\x80,\xff\xff\n"),
           "vetoes.csv", None, None, "not UTF-8 (first in line 2)"),
    Broken("Western text in Latin-1", raw(
        "vetoes.csv", "event_id,unit_id,veto,status\né,D01,V01,confirmed\n".encode("latin-1")),
           "vetoes.csv", None, None, "not UTF-8 (first in line 2)"),
    Broken("UTF-16", raw("vetoes.csv", _VETOES.encode("utf-16")),
           "vetoes.csv", None, None, "UTF-16"),
    Broken("UTF-16 without a mark", raw("vetoes.csv", _VETOES.encode("utf-16le")),
           "vetoes.csv", None, None, "NUL bytes (first in line 1)"),
    Broken("NUL bytes", append("vetoes.csv", "W003,C02,\0,confirmed"),
           "vetoes.csv", None, None, "NUL bytes (first in line 4)"),
    Broken("a workbook named .csv", raw("vetoes.csv", b"PK\x03\x04rest"),
           "vetoes.csv", None, None, "a zip archive or workbook"),
    Broken("a gzip file named .csv", raw("vetoes.csv", gzip.compress(b"x")),
           "vetoes.csv", None, None, "name it .csv.gz"),
    Broken("a gzip file cut off", packed(lambda data: data[: len(data) // 2]),
           "ballots.csv.gz", None, None, "damaged or cut-off"),
    Broken("a damaged gzip file", packed(lambda data: data[:40] + b"\xff" * 20 + data[60:]),
           "ballots.csv.gz", None, None, "damaged or cut-off"),
    Broken("a plain file named .gz", packed(lambda data: gzip.decompress(data)),
           "ballots.csv.gz", None, None, "damaged or cut-off"),
    Broken("a damaged Parquet file", both(remove("ballots.csv"), raw("ballots.parquet", b"PAR1x")),
           "ballots.parquet", None, None, "Parquet"),
    Broken("a folder named like a table", directory, "vetoes.csv", None, None, "a folder"),
    Broken("a link that leads nowhere", dangling, "vetoes.csv", None, None, "leads nowhere"),
    Broken("links in a circle", loop, "vetoes.csv", None, None, "leads nowhere"),
    Broken("a link out of the folder", outward, "vetoes.csv", None, None, "out of the folder"),
]  # fmt: skip

QUOTAS = [
    Broken("more places than units", swap("scheme.toml", "places = 3", "places = 6"),
           "scheme.toml", "grades.levels.excellent", "places", "6 places"),
    Broken("places for an unknown group",
           swap("scheme.toml", "places = 3", "places = { G1 = 1, G3 = 1 }"),
           "scheme.toml", "grades.levels.excellent", "places", "found 'G3'"),
    Broken("more places than units in a group",
           swap("scheme.toml", "places = 3", "places = { G1 = 1, G2 = 2 }"),
           "scheme.toml", "grades.levels.excellent", "places", "G2 = 2"),
    Broken("more places than units over two grades", both(
        swap("scheme.toml", "places = 3", "places = { G1 = 1 }"),
        swap("scheme.toml", 'en = "Qualified" }\n', 'en = "Qualified" }\nplaces = { G1 = 2 }\n')),
           "scheme.toml", "grades.levels.qualified", "places", "(3 with better grades)"),
    Broken("a floor above a group", swap("scheme.toml", "floor = 0", "floor = 2"),
           "scheme.toml", "grades", "floor", "'G2' has 1 units"),
]  # fmt: skip

_SMALL = "small.xlsx"
_TASKS = "small.xlsx, sheet tasks"


def _book(name: str, breaks: Break, file: str, row: int | None, where: str | None, says: str,
          n: int = 1) -> Broken:  # fmt: skip
    return Broken(name, breaks, file, row, where, says, n, year=_SMALL)


def _date(workbook: Any) -> None:
    import datetime

    workbook["tasks"]["C2"] = datetime.datetime(2009, 3, 4)


WORKBOOKS = [
    _book("a date in a sheet", book(_date), _TASKS, 2, "actual (C)", "a date stands here"),
    _book("a logical value in a sheet", cell("tasks", "C2", True),
          _TASKS, 2, "actual (C)", "not a logical value"),
    _book("an error in a sheet", cell("tasks", "C2", "#DIV/0!"),
          _TASKS, 2, "actual (C)", "error value"),
    _book("a formula without a value", cell("tasks", "C2", "=40+6.5"),
          _TASKS, 2, "actual (C)", "a formula without a computed value"),
    _book("a word in a sheet", cell("tasks", "C2", "abc"), _TASKS, 2, "actual (C)", "'abc'"),
    _book("an unknown unit in a sheet", cell("tasks", "A2", "C001"),
          _TASKS, 2, "unit_id (A)", "did you mean 'C01'"),
    _book("a cell beside the table", cell("vetoes", "F3", "note"),
          "small.xlsx, sheet vetoes", 3, "F", "a cell under a header"),
    _book("a column of a sheet twice", cell("vetoes", "C1", "unit_id"),
          "small.xlsx, sheet vetoes", 1, "unit_id", "'unit_id' twice"),
    _book("no sheet of units", book(lambda b: b.remove(b["units"])),
          "small.xlsx, sheet units", None, None, "the table must be there"),
    _book("a misspelt sheet", book(lambda b: setattr(b["vetoes"], "title", "vetos")),
          "small.xlsx, sheet vetos", None, None, "'vetoes'"),
    _book("an empty sheet", book(lambda b: b["vetoes"].delete_rows(1, 99)),
          "small.xlsx, sheet vetoes", None, None, "an empty file"),
    _book("no workbook at all", raw(_SMALL, b"no zip"), _SMALL, None, None, "a damaged workbook"),
    _book("an archive that is no workbook", lambda f: zipfile.ZipFile(f / _SMALL, "w").writestr(
        "x.txt", "x"), _SMALL, None, None, "a damaged workbook"),
    _book("a workbook cut off", both(book(lambda b: None), lambda f: (f / _SMALL).write_bytes(
        (f / _SMALL).read_bytes()[:2000])), _SMALL, None, None, "a damaged workbook"),
    _book("a cell far below", sheet(lambda xml: xml.replace(b'<row r="2"', b'<row r="999999999"')),
          _SMALL, None, None, "a damaged workbook"),
    _book("broken markup", sheet(lambda xml: xml[:-20]), _SMALL, None, None, "a damaged workbook"),
    _book("declared entities", sheet(lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml),
          _SMALL, None, None, "entities declared"),
    _book("a zip bomb", bomb, _SMALL, None, None, "512 MiB"),
    Broken("an old workbook", raw("small.xls", b"\xd0\xcf\x11\xe0"), "small.xls", None, None,
           "save it as .xlsx", year="small.xls"),
    Broken("nothing there", lambda f: None, "none", None, None, "found nothing", year="none"),
    Broken("another kind of file", lambda f: None, "scheme.toml", None, None, "'.toml'",
           year="scheme.toml"),
]  # fmt: skip

BROKEN: list[Broken] = [*NUMBERS, *NAMES, *KEYS, *FILES, *QUOTAS, *WORKBOOKS]
