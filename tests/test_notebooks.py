"""What the comparison of notebooks cannot see: cells not run, pictures without numbers, paths."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# a folder of a machine, at the start of a word; the names are split, for this file is read too
MACHINE = re.compile(r"(?<![\w.])(?:/(?:work|tmp|root|home|Users|opt|usr)/|[A-Z]:\\\\?\w)")


def text_of(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def source_faults(source: str) -> Iterator[str]:
    """Yield what may not stand in a code cell."""
    if re.search(r"^\s*(async\s+)?def\s", source, flags=re.MULTILINE):
        yield "a function; it belongs into the package"
    if re.search(r"pip\s+install|conda\s+install", source):
        yield "an installation"
    if "NBVAL_" in source:
        yield "a marker that switches the comparison off"


def output_faults(output: dict[str, Any]) -> Iterator[str]:
    """Yield what may not stand in an output."""
    if output["output_type"] == "error":
        yield "an error"
    if output.get("name") == "stderr":
        yield "a warning or other text on stderr"
    data = output.get("data", {})
    plain = text_of(data.get("text/plain", ""))
    if "image/png" in data and (not plain.strip() or plain.startswith("<")):
        yield "a picture without its numbers"
    shown = "\n".join([plain, text_of(data.get("text/html", "")), text_of(output.get("text", ""))])
    if re.search(r" at 0x[0-9a-fA-F]+", shown):
        yield "an address in memory"
    if MACHINE.search(shown):
        yield "a path of one machine"


def cell_faults(cell: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one code cell."""
    source = text_of(cell["source"])
    yield from source_faults(source)
    if MACHINE.search(source):
        yield "a path of one machine"
    if "execution" in cell["metadata"]:
        yield "the time of the run"
    if any("nbval" in tag for tag in cell["metadata"].get("tags", [])):
        yield "a marker that switches the comparison off"
    for output in cell["outputs"]:
        yield from output_faults(output)


def faults(notebook: dict[str, Any]) -> list[str]:
    """Return everything that is wrong with a notebook."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = [f"cell {n}: {fault}" for n, c in enumerate(cells, 1) for fault in cell_faults(c)]
    if [cell["execution_count"] for cell in cells] != list(range(1, len(cells) + 1)):
        found.append("the cells were not run once each, from the first to the last")
    if not any(cell["outputs"] for cell in cells):
        found.append("no output at all")
    if "widgets" in notebook["metadata"]:
        found.append("the state of widgets")
    return found


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda f: f.name)
def test_a_notebook_is_fit_to_be_compared(file: Path) -> None:
    assert faults(json.loads(file.read_text(encoding="utf-8"))) == []


def cell(source: str, *outputs: dict[str, Any], count: int | None = 1) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": f"cell-{count}",
        "metadata": {},
        "execution_count": count,
        "source": source,
        "outputs": list(outputs),
    }


def result(**data: str) -> dict[str, Any]:
    forms = {key.replace("_", "/"): value for key, value in data.items()}
    return {"output_type": "execute_result", "metadata": {}, "data": forms, "execution_count": 1}


GOOD: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [cell("1 + 1", result(text_plain="2")), cell("x = 3", count=2)],
}


def test_a_good_notebook_has_no_fault() -> None:
    assert faults(GOOD) == []


def with_cell(**change: Any) -> Callable[[dict[str, Any]], object]:
    return lambda notebook: notebook["cells"][0].update(change)


def with_output(output: dict[str, Any]) -> Callable[[dict[str, Any]], object]:
    return lambda notebook: notebook["cells"][0]["outputs"].append(output)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (with_cell(execution_count=None), "not run once each"),
        (with_cell(execution_count=3), "not run once each"),
        (with_cell(outputs=[]), "no output at all"),
        (with_cell(source="def f(x):\n    return x"), "a function"),
        (with_cell(source="%pip install numpy"), "an installation"),
        (with_cell(source="# NBVAL_IGNORE_OUTPUT\n1"), "a marker"),
        (with_cell(metadata={"tags": ["nbval-skip"]}), "a marker"),
        (with_cell(metadata={"execution": {"iopub.execute_input": "2026"}}), "the time"),
        (with_cell(source="open('/" + "home/ann/x.csv')"), "a path"),
        (
            with_output({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}),
            "error",
        ),
        (with_output({"output_type": "stream", "name": "stderr", "text": "careful"}), "stderr"),
        (with_output({"output_type": "stream", "name": "stdout", "text": "/" + "tmp/x"}), "a path"),
        (with_output(result(text_plain="<object at 0x7f00>")), "an address"),
        (with_output(result(text_plain="<Figure size 1x1>", image_png="iVBO")), "a picture"),
        (with_output(result(image_png="iVBO")), "a picture"),
        (lambda notebook: notebook["metadata"].update(widgets={}), "widgets"),
    ],
)
def test_a_planted_fault_is_found(spoil: Callable[[dict[str, Any]], object], fault: str) -> None:
    notebook = copy.deepcopy(GOOD)
    spoil(notebook)
    found = faults(notebook)
    assert len(found) == 1
    assert fault in found[0]
