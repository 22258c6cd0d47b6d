"""Reading, checking, changing and writing a year."""

from __future__ import annotations

import gzip
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import perfmethod
from perfmethod.errors import DataError, SchemeError
from perfmethod.scheme import Scheme
from perfmethod.year import Year, find_scheme
from perfmethod.year.cells import number_of
from perfmethod.year.spec import NAMES
from perfmethod.year.table import cell_text
from tests.broken_years import append, column, swap
from tests.small_year import SMALL_SCHEME, SMALL_TABLES, write_small_year

FLAT = """
format = 1
classes.city = {}
indicators.roads = { rule = { method = "identity" } }
indicators.water = { rule = { method = "identity" } }
"""


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return Scheme.loads(SMALL_SCHEME)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    return Year.load(write_small_year(tmp_path_factory.mktemp("small")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_year(tmp_path / "small")


def same(a: Year, b: Year) -> None:
    """Every table of two years is equal, down to the types."""
    assert a.tables.keys() == b.tables.keys()
    for name in a.tables:
        assert_frame_equal(a.tables[name], b.tables[name])
    assert a.digest == b.digest


def frame(table: str) -> pd.DataFrame:
    """A table of the small year as pandas reads it without being told anything."""
    import io

    return pd.read_csv(io.StringIO(SMALL_TABLES[f"{table}.csv"]))


# reading


def test_units(year: Year) -> None:
    units = year.units
    assert units.index.name == "unit_id"
    assert units.index.tolist() == ["C01", "C02", "D01", "D02", "D03"]
    assert units.loc["D02", ["class", "group"]].tolist() == ["municipal_department", "G1"]
    assert units["staff"].tolist() == [900, 800, 80, 70, 60]
    assert units["population"].iloc[:2].tolist() == [45.5, 30]
    assert units["population"].iloc[2:].isna().all()


def test_tasks_are_numbers_and_levels_are_positions(year: Year) -> None:
    tasks = year.tasks
    assert tasks is not None
    assert tasks["actual"].dtype == tasks["target"].dtype == tasks["q4"].dtype == float
    levels = tasks.set_index(["unit_id", "indicator_id"]).xs("D001", level=1)
    assert levels["actual"].to_dict() == {"D01": 0, "D02": 1, "D03": 2}
    assert levels["target"].isna().tolist() == [True, False, True]
    assert levels.loc["D02", "target"] == 0
    assert tasks["role"].iloc[9] == ""


def test_ballots_follow_the_order_of_the_scheme(year: Year) -> None:
    ballots = year.ballots
    assert ballots is not None
    assert ballots["unit_id"].cat.categories.tolist() == list(year.units.index)
    assert ballots["category"].cat.categories.tolist() == ["R01", "R02"]
    assert ballots["mode"].cat.categories.tolist() == ["online", "session"]
    assert ballots["conduct"].tolist()[:4] == [2, 3, 9, 1]
    assert ballots.loc[ballots["unit_id"] == "C01", "efficiency"].isna().all()


def test_tables_that_are_absent(folder: Path) -> None:
    for name in ("vetoes", "adjustments", "indicators", "organs", "timeline", "groups"):
        (folder / f"{name}.csv").unlink()
    year = Year.load(folder)
    assert year.vetoes is year.adjustments is year.indicators is year.organs is None
    assert year.groups["group"].tolist() == ["G0", "G1", "G2"]
    assert year.groups["class"].tolist() == ["county_government"] + ["municipal_department"] * 2


def test_defaults(folder: Path) -> None:
    column("adjustments.csv", "status")(folder)
    column("internal.csv", "ratings")(folder)
    swap("tasks.csv", "46.5,45,1,", "46.5,45,,")(folder)
    year = Year.load(folder)
    assert year.adjustments is not None
    assert year.adjustments["status"].unique().tolist() == ["confirmed"]
    assert year.internal is not None
    assert year.internal["ratings"].isna().all()
    assert year.tasks is not None
    assert year.tasks["weight"].iloc[0] == 1


def test_one_class_needs_no_columns_of_class_and_group() -> None:
    year = Year.from_frames(
        Scheme.loads(FLAT), actuals=pd.DataFrame({"unit_id": ["A"], "roads": [1], "water": [2]})
    )
    assert year.units.loc["A", ["class", "group"]].tolist() == ["city", "city"]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.rstrip(b"\n"),
        lambda data: data.replace(b"\n", b"\n\n", 3),
        lambda data: data + b",,,,,,\n\n",
    ],
    ids=["BOM", "CRLF", "no last newline", "blank lines", "blank rows at the end"],
)
def test_harmless_forms_read_the_same(folder: Path, year: Year, change: Any) -> None:
    file = folder / "units.csv"
    file.write_bytes(change(file.read_bytes()))
    same(Year.load(folder), year)


def test_gb18030_is_read_and_noted(folder: Path, year: Year) -> None:
    text = SMALL_TABLES["units.csv"]
    (folder / "units.csv").write_bytes(text.encode("gb18030"))
    found = Year.load(folder)
    same(found, year)
    assert found.notes == (
        "units.csv is in GB18030, not UTF-8; it was read, but save it as 'CSV UTF-8'",
    )


def test_gzip_and_a_quoted_line_break(folder: Path, year: Year) -> None:
    data = (folder / "ballots.csv").read_bytes()
    (folder / "ballots.csv").unlink()
    (folder / "ballots.csv.gz").write_bytes(gzip.compress(data))
    same(Year.load(folder), year)
    swap("units.csv", "Jia County", '"Jia\nCounty"')(folder)
    assert Year.load(folder).units.loc["C01", "name_en"] == "Jia\nCounty"


def test_rows_count_blank_lines_and_cells_with_line_breaks(folder: Path) -> None:
    swap("units.csv", "C01,", "\nC01,")(folder)
    swap("units.csv", "Jia County", '"Jia\nCounty"')(folder)
    swap("units.csv", ",800,", ",x,")(folder)
    with pytest.raises(DataError, match=r"units\.csv, row 4, column 'staff'"):
        Year.load(folder)


def test_unknown_columns_are_kept_as_text(folder: Path) -> None:
    swap("vetoes.csv", "status\n", "status,code\n")(folder)
    swap("vetoes.csv", "V01,confirmed\n", "V01,confirmed,007\n")(folder)
    swap("vetoes.csv", "V02,withdrawn\n", "V02,withdrawn,-1.0..4.0\n")(folder)
    vetoes = Year.load(folder).vetoes
    assert vetoes is not None
    assert vetoes["code"].tolist() == ["007", "-1.0..4.0"]


def test_a_link_inside_the_folder_is_followed(folder: Path, year: Year) -> None:
    (folder / "vetoes.csv").rename(folder / "data")
    (folder / "vetoes.csv").symlink_to("data")
    same(Year.load(folder), year)


def test_notes(folder: Path) -> None:
    (folder / "remarks.csv").write_text("x\n", encoding="utf-8")
    swap("tasks.csv", "C01,P001,46.5,45", "C01,P001,46.5,")(folder)
    for file in ("ballots.csv", "internal.csv"):
        lines = (folder / file).read_text("utf-8").splitlines(keepends=True)
        (folder / file).write_text("".join(x for x in lines if "D03" not in x), encoding="utf-8")
    year = Year.load(folder)
    assert year.notes == (
        "remarks.csv is no table of a year and was not read",
        "tasks.csv: 1 tasks with no target: their value is missing (C01/P001)",
        "internal.csv: no score for D03",
        "ballots.csv: no ballot for D03",
    )
    assert repr(year) == "<Year 'small': 5 units in 2 classes, 14 tasks, 16 ballots, 4 notes>"


def test_parquet(folder: Path, year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "ballots.csv").unlink()
    (folder / "ballots.parquet").write_bytes(b"read by the engine")
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame("ballots"))
    same(Year.load(folder), year)

    def no_engine(path: Path) -> None:
        raise ImportError

    monkeypatch.setattr(pd, "read_parquet", no_engine)
    with pytest.raises(DataError, match="no Parquet engine is installed"):
        Year.load(folder)


def test_find_scheme(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a file scheme\.toml"):
        find_scheme(tmp_path)
    with pytest.raises(DataError, match=r"a file 2009\.toml or scheme\.toml"):
        find_scheme(tmp_path / "2009.xlsx")
    for name in ("scheme.toml", "2009.toml"):
        (tmp_path / name).touch()
        assert find_scheme(tmp_path / "2009.xlsx").name == name
    assert find_scheme(tmp_path).name == "scheme.toml"


def test_a_wrong_scheme_is_told_first(folder: Path) -> None:
    swap("scheme.toml", "weight = 60", "weight = -60")(folder)
    with pytest.raises(SchemeError):
        Year.load(folder)


# data frames


def test_frames_as_pandas_reads_them(year: Year, scheme: Scheme) -> None:
    frames = {name: frame(name) for name in NAMES if f"{name}.csv" in SMALL_TABLES}
    same(Year.from_frames(scheme, **frames), year)


def test_keys_may_stand_in_a_named_index(year: Year, scheme: Scheme) -> None:
    frames = {name: frame(name) for name in NAMES if f"{name}.csv" in SMALL_TABLES}
    frames["units"] = frames["units"].set_index("unit_id")
    frames["tasks"] = frames["tasks"].set_index(["unit_id", "indicator_id"])
    same(Year.from_frames(scheme, **frames), year)


def test_a_frame_names_the_index(year: Year) -> None:
    tasks = year.tasks
    assert tasks is not None
    tasks.loc[3, "weight"] = -1
    with pytest.raises(DataError) as caught:
        year.replace(tasks=tasks.iloc[::-1])
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.column) == ("tasks (in memory)", "index 3", "weight")
    with pytest.raises(DataError, match=r"index \('C01', 'P004'\), column 'weight'"):
        year.replace(tasks=tasks.set_index(["unit_id", "indicator_id"]))
    with pytest.raises(DataError, match=r"units \(in memory\), index 'D03', column 'staff'"):
        year.replace(units=year.units.assign(staff=[1, 1, 1, 1, -1]))


def test_frames_that_are_no_tables(year: Year) -> None:
    internal = year.internal
    assert internal is not None
    with pytest.raises(DataError, match=r"internal \(in memory\): found a table without rows"):
        year.replace(internal=internal.iloc[:0])
    twice = pd.concat([internal, internal[["score"]]], axis=1)
    with pytest.raises(DataError, match="found the column 'score' twice") as caught:
        year.replace(internal=twice)
    assert len(caught.value.problems) == 1


def test_levels_by_name_or_position(year: Year) -> None:
    tasks = year.tasks
    assert tasks is not None
    spelt = tasks.assign(actual=tasks["actual"].astype(object))
    spelt.loc[9, "actual"] = "D"
    spelt.loc[11, "actual"] = 0.5  # two judges, A and B
    found = year.replace(tasks=spelt).tasks
    assert found is not None
    assert found["actual"].iloc[[9, 11, 13]].tolist() == [3, 0.5, 2]


def test_names_of_levels_that_are_digits(year: Year) -> None:
    rule = 'names = ["4", "3", "2", "1"]'
    other = Scheme.loads(SMALL_SCHEME.replace('names = ["A", "B", "C", "D"]', rule))
    tasks = frame("tasks").replace({"A": "4", "B": "3", "C": "2"})
    numbered = Year.from_frames(
        other, tasks=tasks, **{n: frame(n) for n in ("units", "ballots", "internal")}
    )
    again = numbered.replace(tasks=numbered.tasks)
    assert numbered.tasks is not None
    assert again.tasks is not None
    assert_frame_equal(again.tasks, numbered.tasks)
    assert numbered.tasks["actual"].iloc[[9, 11, 13]].tolist() == [0, 1, 2]


def test_levels_without_names_are_letters(folder: Path, year: Year) -> None:
    swap("scheme.toml", 'names = ["A", "B", "C", "D"], ', "")(folder)
    same(Year.load(folder), year)


def test_units_come_from_the_values() -> None:
    scheme = Scheme.loads(FLAT)
    actuals = pd.DataFrame({"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, None]})
    year = Year.from_frames(scheme, actuals=actuals)
    assert year.units.index.tolist() == ["A", "B"]
    assert year.tasks is not None
    assert year.tasks["actual"].fillna(-1).tolist() == [90, 50, 60, -1]
    by_index = Year.from_frames(scheme, actuals=actuals.set_index("unit_id"))
    assert by_index.digest == year.digest
    assert Year.from_frames(scheme, tasks=year.tasks).digest == year.digest


# the wide table


def _wide(tmp_path: Path, text: str, scheme: str = FLAT) -> Year:
    (tmp_path / "scheme.toml").write_text(scheme, encoding="utf-8")
    (tmp_path / "units.csv").write_text("unit_id\nA\nB\n", encoding="utf-8")
    (tmp_path / "actuals.csv").write_text(text, encoding="utf-8")
    return Year.load(tmp_path)


def test_wide(tmp_path: Path) -> None:
    year = _wide(tmp_path, "unit_id,water,roads,comment\nA,50,90,x\nB,,60,\n")
    assert year.tasks is not None
    assert year.tasks["indicator_id"].tolist() == ["roads", "water"] * 2
    assert year.tasks["weight"].tolist() == [1] * 4
    year.save(tmp_path / "long")
    assert Year.load(tmp_path / "long", year.scheme).digest == year.digest


@pytest.mark.parametrize(
    ("text", "scheme", "place", "says"),
    [
        ("unit_id,roads,water\nA,1,x\nB,1,1\n", FLAT, (2, "water"), "a number"),
        ("unit_id,roads,water\nA,1,2\nA,1,2\nB,1,1\n", FLAT, (3, "unit_id"), "again"),
        ("unit_id,roads,wather\nA,1,2\nB,1,1\n", FLAT, (1, "wather"), "'water'"),
        ("unit_id,roads\nA,1\nB,1\n", FLAT, (1, "water"), "one column for each indicator"),
        ("unit_id,roads,water\nA,1,2\nB,,\n", FLAT, (3, "unit_id"), "without any task"),
        ("unit_id,roads,water\nA,1,2\nB,1,1\nC,1,1\n", FLAT, (4, "unit_id"), "one of A, B"),
        ("unit_id,roads,water\nA,1,E\nB,1,B\n",
         FLAT.replace('water = { rule = { method = "identity" }',
                      'water = { rule = { method = "levels" }'), (2, "water"), "a level"),
        ("unit_id,roads,water\nA,1,2\nB,1,1\n",
         FLAT.replace('roads = { rule = { method = "identity" }',
                      'roads = { rule = { method = "ceiling" }, direction = "negative"'),
         (None, None), "with a column 'target'"),
        ("unit_id,roads,water\nA,1,2\nB,1,1\n",
         FLAT + 'certification.scoring = ["certified"]\n', (None, None), "a status"),
        ("unit_id,roads,water\nA,1,2\nB,1,1\n",
         FLAT.replace("classes.city = {}", "classes.city = {}\nclasses.town = {}")
         .replace("roads = {", "roads = { parent = { town = '' },"), None, "no such column"),
    ],
)  # fmt: skip
def test_wide_problems(
    tmp_path: Path, text: str, scheme: str, place: tuple[object, object] | None, says: str
) -> None:
    with pytest.raises(DataError) as caught:
        _wide(tmp_path, text, scheme)
    found = {(p.row, p.column) for p in caught.value.problems}
    assert place is None or place in found
    assert says in str(caught.value)


def test_wide_cell_outside_the_class(tmp_path: Path) -> None:
    scheme = FLAT.replace("classes.city = {}", "classes.city = {}\nclasses.town = {}")
    scheme = scheme.replace("roads = {", "roads = { parent = { town = '' },")
    _wide_units = "unit_id,class\nA,city\nB,town\n"
    (tmp_path / "scheme.toml").write_text(scheme, encoding="utf-8")
    (tmp_path / "units.csv").write_text(_wide_units, encoding="utf-8")
    (tmp_path / "actuals.csv").write_text("unit_id,roads,water\nA,,2\nB,1,1\n", encoding="utf-8")
    year = Year.load(tmp_path)
    assert year.tasks is not None
    assert len(year.tasks) == 3
    append("actuals.csv")(tmp_path)
    swap("actuals.csv", "A,,2", "A,7,2")(tmp_path)
    with pytest.raises(DataError, match=r"row 2, column 'roads': found '7' for a unit of class"):
        Year.load(tmp_path)


# changing


def test_a_year_never_changes(year: Year) -> None:
    before = year.digest
    tasks, units = year.tasks, year.units
    assert tasks is not None
    tasks.loc[:, "actual"] = 0
    units["class"] = "x"
    again = Year(year.scheme, year.tables)
    assert again.digest == before


def test_replace(year: Year) -> None:
    internal = year.internal
    assert internal is not None
    other = year.replace(internal=internal.assign(score=50), vetoes=None)
    assert other.vetoes is None
    assert other.internal is not None
    assert other.internal["score"].unique().tolist() == [50]
    assert other.digest != year.digest
    same(other.replace(internal=year.internal, vetoes=year.vetoes), year)
    with pytest.raises(DataError, match="the scheme has internal ratings"):
        year.replace(internal=None)


def test_with_scheme(year: Year) -> None:
    patched = year.with_scheme(year.scheme.patch({"adjustments.bonus_cap": 10}))
    assert patched.scheme.number("adjustments.bonus_cap") == 10
    same(patched, year)
    with pytest.raises(DataError, match=r"column 'places': found 6 places"):
        year.with_scheme(year.scheme.patch({"grades.levels.excellent.places": 6}))
    renamed = SMALL_SCHEME.replace('names = ["A", "B", "C", "D"]', 'names = ["A", "B", "X", "Y"]')
    with pytest.raises(DataError, match=r"index 13, column 'actual': found 'C'"):
        year.with_scheme(Scheme.loads(renamed))
    turned = SMALL_SCHEME.replace('names = ["A", "B", "C", "D"]', 'names = ["D", "C", "B", "A"]')
    tasks = year.with_scheme(Scheme.loads(turned)).tasks
    assert tasks is not None
    assert tasks["actual"].iloc[[9, 11, 13]].tolist() == [3, 2, 1]  # the names count


def test_meta(year: Year) -> None:
    assert year.meta == {
        "scheme": year.scheme.digest,
        "data": year.digest,
        "version": perfmethod.__version__,
    }


# the digest


@pytest.mark.parametrize(
    ("table", "rows"),
    [(t, n) for t in ("units", "tasks", "ballots", "internal") for n in (0, 4)],
)
def test_every_filled_cell_counts_for_the_digest(year: Year, table: str, rows: int) -> None:
    known = year.tables[table]
    for name in known.columns:
        changed = known.copy().astype(object)
        changed.iloc[rows, changed.columns.get_loc(name)] = "other"
        other = Year(year.scheme, {**year.tables, table: changed})
        assert other.digest != year.digest, name


def test_the_order_of_rows_counts_and_that_of_columns_does_not(year: Year) -> None:
    ballots = year.ballots
    assert ballots is not None
    assert year.replace(ballots=ballots[ballots.columns[::-1]]).digest == year.digest
    assert year.replace(ballots=ballots.iloc[::-1]).digest != year.digest


def test_descriptive_tables_do_not_count_for_the_digest(year: Year) -> None:
    assert year.replace(organs=None, timeline=None, indicators=None).digest == year.digest


# writing


def test_csv_to_xlsx_to_csv(year: Year, scheme: Scheme, tmp_path: Path) -> None:
    year.save_xlsx(tmp_path / "new" / "2009.xlsx")
    from_book = Year.load(tmp_path / "new" / "2009.xlsx", scheme)
    same(from_book, year)
    from_book.save(tmp_path / "csv")
    same(Year.load(tmp_path / "csv", scheme), year)
    year.save(tmp_path / "direct")
    names = sorted(p.name for p in (tmp_path / "direct").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "csv").iterdir())  # and nothing half-written
    assert "ballots.csv.gz" in names
    for name in names:
        assert (tmp_path / "csv" / name).read_bytes() == (tmp_path / "direct" / name).read_bytes()


_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(blacklist_categories=["C"]), max_size=8).filter(
    lambda t: t[:1] not in "=+-@#" and t == t.strip()
) | st.sampled_from(["007", "1e5", "2009-03-04", "TRUE", "nan", "-1.0..4.0", 'a "b", c', "甲"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(_NUMBERS, _NUMBERS, _TEXTS), min_size=1, max_size=4))
def test_any_numbers_and_texts_survive_both_formats(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, str]]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    roads, water, texts = zip(*rows, strict=True)
    units = pd.DataFrame({"unit_id": [f"U{i}" for i in range(len(rows))], "remark": texts})
    actuals = units[["unit_id"]].assign(roads=roads, water=water)
    year = Year.from_frames(Scheme.loads(FLAT), units=units, actuals=actuals)
    assert year.tasks is not None
    assert year.tasks["actual"].tolist() == [v for row in rows for v in row[:2]]
    year.save_xlsx(folder / "a.xlsx")
    year.save(folder / "a")
    for path in ("a.xlsx", "a"):
        again = Year.load(folder / path, year.scheme)
        assert again.units["remark"].tolist() == list(texts)
        assert again.digest == year.digest


def test_no_text_becomes_a_formula(year: Year, tmp_path: Path) -> None:
    import openpyxl

    hostile = year.units.assign(name_en="=1+1", name_zh="#N/A")
    Year(year.scheme, {**year.tables, "units": hostile}).save_xlsx(tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["units"]
    cells = [c for row in sheet.iter_rows() for c in row if str(c.value) in ("=1+1", "#N/A")]
    assert len(cells) == 10
    assert {c.data_type for c in cells} == {"s"}


def test_a_formula_with_a_value_is_read_and_noted(
    year: Year, scheme: Scheme, tmp_path: Path
) -> None:
    year.save_xlsx(tmp_path / "a.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as source,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as target,
    ):
        for entry in source.namelist():
            data = source.read(entry)
            if entry.startswith("xl/worksheets/"):
                data = data.replace(b"<v>1250</v>", b"<f>1200+50</f><v>1250</v>")
            target.writestr(entry, data)
    found = Year.load(tmp_path / "b.xlsx", scheme)
    same(found, year)
    assert found.notes == (
        "b.xlsx, sheet tasks: 1 cells are formulas; their last computed values were used",
    )


def test_save_refuses_to_mix_years(year: Year, folder: Path) -> None:
    with pytest.raises(DataError, match=r"ballots\.csv, which this year would not replace"):
        year.save(folder)
    (folder / "ballots.csv").unlink()
    year.save(folder)
    same(Year.load(folder), year)


# numbers and twins


@given(_NUMBERS)
def test_a_number_reads_back(value: float) -> None:
    assert number_of(cell_text(value)) == value
    assert number_of(repr(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("+5", 5), ("-5.", -5), (".5", 0.5), ("5e-3", 0.005), ("", None), ("５", None),
     ("5 ", None), ("1_0", None), ("0x10", None), ("nan", None), ("1e999", None), ("e5", None)],
)  # fmt: skip
def test_numbers(text: str, value: float | None) -> None:
    assert number_of(text) == value


_CELL = st.sampled_from(["1", "2", "3", "9", "", "5", "01", "x"])


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["C01", "D01", "D99", "", "D01 "]),
            st.sampled_from(["R01", "R02", "R9"]),
            st.sampled_from(["online", "session", "post"]),
            _CELL, _CELL, _CELL,
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_ballots_against_a_slow_twin(rows: list[tuple[str, ...]]) -> None:
    """The coded checks name the same cells as a loop over them."""
    columns = ["unit_id", "category", "mode", "livelihood", "conduct", "efficiency"]
    ballots = pd.DataFrame(rows, columns=columns)
    ballots["ballot_id"] = ballots["rater_id"] = [f"B{i}" for i in range(len(rows))]
    allowed: dict[str, set[str]] = {
        "unit_id": {"C01", "C02", "D01", "D02", "D03"}, "category": {"R01", "R02"},
        "mode": {"online", "session"},
        **{name: {"1", "2", "3", "9", ""} for name in ("livelihood", "conduct", "efficiency")},
    }  # fmt: skip
    wrong = set()
    for i, row in enumerate(rows):
        for name, text in zip(columns, row, strict=True):
            first = next(j for j, other in enumerate(rows) if other[columns.index(name)] == text)
            if text not in allowed[name]:
                wrong.add((f"index {first}", name))  # one problem for each wrong text
        for name, letter in (("livelihood", "D"), ("efficiency", "C")):
            if row[0] in allowed["unit_id"] and row[0][0] == letter and row[columns.index(name)]:
                wrong.add((f"index {i}", name))
    tables = {n: frame(n) for n in ("units", "tasks", "internal")}
    try:
        Year.from_frames(Scheme.loads(SMALL_SCHEME), ballots=ballots, **tables)
        found = set()
    except DataError as error:
        found = {(p.row, p.column) for p in error.problems}
    assert found == wrong


def test_cells_of_a_frame() -> None:
    cells = [1, 1.0, True, None, math.nan, pd.NA, pd.NaT, "x", np.int64(3), np.float32(0.5)]
    assert [cell_text(c) for c in cells] == ["1", "1", "TRUE", "", "", "", "", "x", "3", "0.5"]
    assert cell_text(pd.Timestamp("2009-03-04 10:30")) == "2009-03-04T10:30:00"
