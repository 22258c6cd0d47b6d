"""Every Chinese character that can come into a figure has a shape in the font."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from perfmethod.plots import style, use_fonts

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {".csv", ".toml", ".py", ".md", ".ipynb", ".txt", ".html", ".css"}


def is_chinese(character: str) -> bool:
    """Tell Chinese characters and the punctuation of Chinese texts."""
    code = ord(character)
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF00 <= code <= 0xFFEF
        or 0x20000 <= code <= 0x3FFFF
    )


def readable() -> Iterator[tuple[Path, str]]:
    for folder in ("data", "notebooks", "perfmethod"):
        for file in sorted((ROOT / folder).rglob("*")):
            if ".ipynb_checkpoints" in file.parts or "__pycache__" in file.parts:
                continue
            if file.suffix == ".ipynb":
                notebook = json.loads(file.read_text(encoding="utf-8"))
                yield file, json.dumps(notebook, ensure_ascii=False)
            elif file.suffix in TEXTS:
                yield file, file.read_text(encoding="utf-8")
            elif file.name.endswith(".csv.gz"):
                yield file, gzip.decompress(file.read_bytes()).decode()


@pytest.fixture(scope="module")
def shapes() -> set[int]:
    """The code points of the font."""
    family = use_fonts()[0]
    with TTFont(font_manager.findfont(family, fallback_to_default=False), lazy=True) as font:
        return set(font.getBestCmap())


def test_the_font_has_every_character_of_the_project(shapes: set[int]) -> None:
    lacking = {
        (file.relative_to(ROOT).as_posix(), c)
        for file, text in readable()
        for c in set(text)
        if is_chinese(c) and ord(c) not in shapes
    }
    assert lacking == set()


def test_the_font_has_the_characters_of_local_names(shapes: set[int]) -> None:
    # place and personal names of the region, some outside GB2312
    names = "澧沅垭峒溆鑫昊溇玥喆赟"
    assert [c for c in names if ord(c) not in shapes] == []


def test_the_check_knows_what_is_chinese() -> None:
    assert all(is_chinese(c) for c in "市\uff0c\uff08〇𠀀")
    assert not any(is_chinese(c) for c in "a,(–−é")


def test_the_font_is_found_without_importing_its_package() -> None:
    code = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams); import perfmethod.plots as p;"
        "print(p.use_fonts(), 'zhplot' in sys.modules, dict(matplotlib.rcParams) == before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "('Noto Sans SC', 'DejaVu Sans') False True\n"
    assert done.stderr == ""


def test_drawing_chinese_warns_of_nothing(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    from matplotlib.figure import Figure

    with style():
        ax = Figure().subplots()
        ax.set_title("张家界市:澧水、溇水 −12.5–3")
    ax.get_figure().savefig(tmp_path / "a.png")
    assert [str(w.message) for w in recwarn] == []


def test_without_the_font_drawing_chinese_would_warn(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    ax.set_title("张", fontfamily="DejaVu Sans")
    with pytest.warns(UserWarning, match="Glyph .* missing"):
        ax.get_figure().savefig(tmp_path / "a.png")
