"""Run the notebooks and store their outputs, the same bytes every time.

The sources of the cells live in the notebooks themselves; change them there (in JupyterLab:
``python3 run.py lab``), then run ``python3 run.py notebooks`` and commit.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"


def clean(notebook: nbformat.NotebookNode, stem: str) -> None:
    """Take away what depends on the run or the editor; name the cells by their place."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for place, cell in enumerate(notebook.cells, start=1):
        cell.id = f"{stem[:40]}-{place:02d}"
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}


def build(file: Path) -> bool:
    """Run one notebook and store it; return whether its file changed."""
    before = file.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    clean(notebook, file.stem)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(file.parent)}},
    )
    client.execute()
    clean(notebook, file.stem)  # the kernel writes its version into the metadata
    nbformat.validate(notebook)
    after = nbformat.writes(notebook) + "\n"
    file.write_text(after, encoding="utf-8", newline="\n")
    return after != before


def chosen(arguments: list[str]) -> list[Path]:
    """Return the notebooks that are meant: all, or those named."""
    known = {file.name: file for file in sorted(FOLDER.glob("*.ipynb"))}
    names = [Path(argument).name for argument in arguments] or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown notebook '{unknown[0]}'; known: {', '.join(known) or 'none'}")
    return [known[name] for name in names]


def main(arguments: list[str]) -> None:
    """Build what is meant, in the environment that the tests use."""
    os.environ.update(PERFMETHOD_QUIET="1", MPLBACKEND="Agg")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for file in chosen(arguments):
        try:
            changed = build(file)
        except CellExecutionError as error:
            sys.exit(f"{file.name}: {error}")
        print(f"{file.name}: {'changed' if changed else 'unchanged'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
