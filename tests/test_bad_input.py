"""Every kind of bad input is named with its file, row and column, all in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfmethod.errors import DataError
from perfmethod.scheme import Scheme
from perfmethod.year import Year, csvfile
from tests import broken_years as by
from tests.broken_years import BROKEN, Broken
from tests.small_year import write_small_year


def _load(folder: Path, path: Path) -> Year:
    return Year.load(path, Scheme.load(folder / "scheme.toml"))


def test_the_small_year_is_sound(tmp_path: Path) -> None:
    year = _load(tmp_path, write_small_year(tmp_path))
    assert year.notes == ()


def test_names_are_distinct() -> None:
    assert len({b.name for b in BROKEN}) == len(BROKEN) >= 60


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b.name)
def test_broken(broken: Broken, tmp_path: Path) -> None:
    folder = tmp_path / "year"
    path = broken.make(folder)
    with pytest.raises(DataError) as caught:
        _load(folder, path)
    found = caught.value.problems
    named = [
        p for p in found if (p.file, p.row, p.column) == (broken.file, broken.row, broken.column)
    ]
    assert named, [str(p) for p in found]
    assert any(broken.says in str(p) for p in named), [str(p) for p in named]
    assert len(found) == broken.n, [str(p) for p in found]
    assert "Traceback" not in str(caught.value)


def test_all_problems_in_one_run(tmp_path: Path) -> None:
    write_small_year(tmp_path)
    breaks = [
        by.swap("units.csv", "County,900", "County,many"),
        by.swap("units.csv", "Yi County", "=1+1"),
        by.actual("95%"),
        by.swap("tasks.csv", "C02,P001,30", "C02,P0O1,30"),
        by.swap("tasks.csv", "D02,D001,B,A", "D02,D001,Z,A"),
        by.swap("adjustments.csv", "E003,D02", "E003,D20"),
        by.swap("adjustments.csv", "B02,5", "B02,-5"),
        by.swap("vetoes.csv", "D01,V01", "D01,V09"),
        by.swap("internal.csv", "88.5", "885"),
        by.append("internal.csv", "C02,I01,80,1"),
        by.swap("ballots.csv", "S1,1,2,", "S1,7,2,"),
        by.append("ballots.csv", "B001,D01,R01-1,R01,session,S1,,1,1"),
    ]
    by.both(*breaks)(tmp_path)
    with pytest.raises(DataError, match="12 problems") as caught:
        _load(tmp_path, tmp_path)
    places = {(p.file, p.row, p.column) for p in caught.value.problems}
    assert places == {
        ("units.csv", 2, "staff"),
        ("units.csv", 3, "name_en"),
        ("tasks.csv", 2, "actual"),
        ("tasks.csv", 6, "indicator_id"),
        ("tasks.csv", 13, "actual"),
        ("adjustments.csv", 4, "unit_id"),
        ("adjustments.csv", 3, "points"),
        ("vetoes.csv", 2, "veto"),
        ("internal.csv", 2, "score"),
        ("internal.csv", 12, "category"),
        ("ballots.csv", 2, "livelihood"),
        ("ballots.csv", 22, "ballot_id"),
    }


def test_the_same_slip_is_told_once_with_its_rows(tmp_path: Path) -> None:
    write_small_year(tmp_path)
    text = (tmp_path / "ballots.csv").read_text("utf-8")
    (tmp_path / "ballots.csv").write_text(text.replace("online", "onlin"), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        _load(tmp_path, tmp_path)
    (problem,) = caught.value.problems
    assert problem.row == 4
    assert problem.found == "'onlin' (also in rows 5, 8, 9, 12, 13 and 4 more)"


def test_many_problems_of_a_kind_are_counted(tmp_path: Path) -> None:
    write_small_year(tmp_path)
    by.append("internal.csv", *(f"X{i:03d},I01,80,1" for i in range(75)))(tmp_path)
    with pytest.raises(DataError) as caught:
        _load(tmp_path, tmp_path)
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1].found == "25 more problems of this kind"


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_year(tmp_path)
    real = Path.open

    def deny(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "vetoes.csv":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(DataError, match=r"vetoes\.csv: found Permission denied"):
        _load(tmp_path, tmp_path)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_year(tmp_path)
    monkeypatch.setattr(csvfile, "LIMIT", 2**20)
    by.append("timeline.csv", "x" * 2**20)(tmp_path)
    with pytest.raises(DataError, match=r"timeline\.csv: found more than 1 MiB"):
        _load(tmp_path, tmp_path)


def test_no_message_quotes_a_whole_cell(tmp_path: Path) -> None:
    write_small_year(tmp_path)
    by.actual("x" * 10_000)(tmp_path)
    with pytest.raises(DataError) as caught:
        _load(tmp_path, tmp_path)
    assert len(str(caught.value)) < 500
