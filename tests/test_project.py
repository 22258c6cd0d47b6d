"""What may not stand in any file of the project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {".git", ".venv", "results", "build", "dist", "__pycache__", ".ipynb_checkpoints"}
SKIPPED |= {".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".benchmarks"}
# every word is taken apart here, for this file is searched too
PATH = "|".join(["wo" + "rk", "ro" + "ot", "t" + "mp", "ho" + "me"])
HOST = "|".join(["py" + "pi", "python" + "hosted", "ana" + "conda", "conda-" + "forge"])
MARK = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "NotImplemented" + "Error"])
FORBIDDEN = {
    "a path of one machine": re.compile(rf"(?<![\w.~*])/(?:{PATH})(?![\w-])"),
    "a package host": re.compile(rf"(?i)\b(?:{HOST})\b"),
    "a mark of unfinished work": re.compile(rf"\b(?:{MARK})\b"),
}


def faults(text: str) -> list[str]:
    """Return what may not stand in a text, with the place."""
    return [
        f"{text.count(chr(10), 0, match.start()) + 1}: {kind}: {match[0]}"
        for kind, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
    ]


def files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = set(path.relative_to(ROOT).parts)
        if (
            path.is_file()
            and not parts & SKIPPED
            and not any(p.endswith("egg-info") for p in parts)
        ):
            yield path


def text_of(file: Path) -> str | None:
    """Return the text of a file; none for other files. Pictures in notebooks are left out."""
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    if file.suffix != ".ipynb":
        return text
    notebook: dict[str, Any] = json.loads(text)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def test_no_file_holds_what_it_may_not() -> None:
    found = {
        file.relative_to(ROOT).as_posix(): bad
        for file in files()
        if (text := text_of(file)) is not None and (bad := faults(text))
    }
    assert found == {}


def test_the_search_reads_the_project() -> None:
    names = {file.relative_to(ROOT).as_posix() for file in files()}
    assert {"run.py", "pyproject.toml", ".ci/run", "perfmethod/__init__.py"} <= names


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "tmp/x')",
        "see /" + "work/main",
        "/" + "root",
        "files.python" + "hosted.org",
        "https://Py" + "PI.org",
        "# TO" + "DO: later",
        "raise NotImplemented" + "Error",
    ],
)
def test_what_may_not_stand_is_found(text: str) -> None:
    assert len(faults(f"first line\n{text}\n")) == 1
    assert faults(f"first line\n{text}\n")[0].startswith("2: ")


@pytest.mark.parametrize("text", ["frame" + "work/x", "data/work/x", "a home", "the hackers"])
def test_ordinary_words_are_allowed(text: str) -> None:
    assert faults(text) == []
