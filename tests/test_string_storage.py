"""The same bytes whether pandas keeps texts as Python objects or, with pyarrow, in Arrow arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = """
import pathlib, sys
import pandas as pd

pd.set_option("mode.string_storage", sys.argv[1])
assert pd.Series(["a"]).dtype.storage == sys.argv[1]
from perfmethod.cli import main

out = pathlib.Path(sys.argv[2])
year = out / "year"
for command in (
    ["synth", year, "--truth", out / "truth", "--units", 14, "--ballots", 900, "--groups", 2],
    ["evaluate", year, "--out", out / "evaluate"],
    ["explain", year, "D01"],
    ["supervise", year, "--out", out / "supervise"],
    ["reliability", year, "--out", out / "reliability"],
    ["sensitivity", year, "--draws", 40, "--out", out / "sensitivity"],
):
    assert main([str(word) for word in command]) == 0
"""


def test_texts_in_arrow_change_no_byte(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pandas has one way to keep texts without pyarrow")
    said = []
    for storage in ("python", "pyarrow"):
        run = subprocess.run(
            [sys.executable, "-c", COMMANDS, storage, str(tmp_path / storage)],
            capture_output=True,
        )
        assert run.returncode == 0, run.stderr.decode()
        said.append(run.stdout.replace(str(tmp_path / storage).encode(), b"OUT"))
    assert said[0] == said[1]
    one, two = (tmp_path / storage for storage in ("python", "pyarrow"))
    files = [file.relative_to(one) for file in one.rglob("*") if file.is_file()]
    assert len(files) > 30
    assert {f.relative_to(two) for f in two.rglob("*") if f.is_file()} == set(files)
    for file in files:
        assert (one / file).read_bytes() == (two / file).read_bytes(), file
