"""Ballots of a year from Parquet, written and read by a real engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import DataError
from perfmethod.year import Year
from tests.small_year import write_small_year

pytest.importorskip("pyarrow", reason="pyarrow is not installed; it is in the extra 'scale'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_year(tmp_path / "small")


def as_parquet(folder: Path, frame: pd.DataFrame) -> None:
    (folder / "ballots.csv").unlink()
    frame.to_parquet(folder / "ballots.parquet", index=False)


def alike(a: Year, b: Year) -> None:
    assert a.ballots is not None
    assert b.ballots is not None
    pd.testing.assert_frame_equal(a.ballots, b.ballots)


@pytest.mark.parametrize("kind", ["text", "read", "small", "nullable", "categories", "dictionary"])
def test_parquet_is_read_as_csv_is(folder: Path, kind: str) -> None:
    year = Year.load(folder)
    text = pd.read_csv(folder / "ballots.csv", dtype=str)
    frame = text if kind == "text" else pd.read_csv(folder / "ballots.csv")
    answers = ["livelihood", "conduct", "efficiency"]
    if kind == "small":
        frame[answers] = frame[answers].astype("float32")
    if kind in ("nullable", "dictionary"):
        frame[answers] = frame[answers].astype("Int8")
    if kind == "categories":
        frame["unit_id"] = frame["unit_id"].astype("category")
    if kind == "dictionary":
        import pyarrow as pa
        import pyarrow.parquet as pq

        (folder / "ballots.csv").unlink()
        table = pa.Table.from_pandas(frame, preserve_index=False)
        place = table.schema.get_field_index("category")
        table = table.set_column(place, "category", table["category"].dictionary_encode())
        pq.write_table(table, folder / "ballots.parquet")
    else:
        as_parquet(folder, frame)
    alike(Year.load(folder), year)


def test_what_is_wrong_in_parquet_is_told_with_its_row(folder: Path) -> None:
    frame = pd.read_csv(folder / "ballots.csv")
    frame.loc[3, "conduct"] = 7
    frame.loc[4, "unit_id"] = "C9"
    frame.loc[5, "rater_id"] = None
    as_parquet(folder, frame)
    with pytest.raises(DataError) as caught:
        Year.load(folder)
    told = str(caught.value)
    assert "ballots.parquet, row 5, column 'conduct'" in told
    assert "ballots.parquet, row 6, column 'unit_id'" in told
    assert "ballots.parquet, row 7, column 'rater_id'" in told


def test_a_damaged_file_is_told(folder: Path) -> None:
    as_parquet(folder, pd.read_csv(folder / "ballots.csv"))
    data = (folder / "ballots.parquet").read_bytes()
    (folder / "ballots.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="a Parquet file that cannot be read"):
        Year.load(folder)


def test_scores_do_not_depend_on_the_format(folder: Path) -> None:
    import perfmethod as pm

    expected = pm.evaluate(Year.load(folder)).scores
    as_parquet(folder, pd.read_csv(folder / "ballots.csv"))
    found = pm.evaluate(Year.load(folder)).scores
    numbers = found.select_dtypes(float)
    np.testing.assert_array_equal(numbers, expected[numbers.columns])
