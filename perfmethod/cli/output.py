"""Write results: whole files or none, text that no spreadsheet takes for a formula."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.scoring import Evaluation
    from perfmethod.supervision import Supervision

__all__ = ["write_evaluation", "write_folder", "write_supervision"]

Writer = Callable[[Path], None]


def write_folder(folder: Path, files: Mapping[str, Writer]) -> None:
    """Write several files into a folder: all of them, or none.

    Parameters
    ----------
    folder : Path
        Made where it does not exist; other files in it stay.
    files : mapping of str to callable
        File name and what writes it, given the path.

    Raises
    ------
    PerfmethodError
        If the folder is a file, or holds a folder with the name of a file.
    """
    if folder.exists() and not folder.is_dir():
        raise PerfmethodError(f"found a file at {folder}; allowed: a folder or nothing")
    taken = [name for name in files if (folder / name).is_dir()]
    if taken:  # found out later, some files would be there and some not
        raise PerfmethodError(f"found folders {taken} in {folder}; allowed: files of these names")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # beside it or in it, so that the files need only be renamed
    beside = folder if folder.is_dir() else folder.parent
    draft = Path(tempfile.mkdtemp(prefix=".perfmethod-", dir=beside))
    try:
        for name, write in files.items():
            write(draft / name)
        folder.mkdir(exist_ok=True)
        for name in files:
            (draft / name).replace(folder / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def csv(table: pd.DataFrame, *, index: bool = False) -> Writer:
    """Writer of a table at full precision, its texts made harmless for spreadsheets."""
    safe = table.reset_index() if index else table.copy()
    for column in safe.columns:
        if safe[column].dtype == object or isinstance(safe[column].dtype, pd.StringDtype):
            risky = safe[column].astype("string").str.match(r"[=+\-@\t\r]").fillna(False)
            safe.loc[risky.to_numpy(bool), column] = "'" + safe[column].astype("string")[risky]

    def write(path: Path) -> None:
        safe.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")

    return write


def _json(content: Mapping[str, Any]) -> Writer:
    text = json.dumps(dict(content), ensure_ascii=False, indent=2) + "\n"

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


def write_evaluation(
    evaluation: Evaluation, folder: Path, *, figures: bool = False, lang: str = "en"
) -> None:
    """Write the tables of an evaluation, and its figures where wanted.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path
    figures : bool
        Draw totals by group, margins to the cut and points by block as PNG.
    lang : {'en', 'zh'}
        Language of the figures.
    """
    from perfmethod.results import results_use

    files = {
        "scores.csv": csv(evaluation.scores, index=True),
        "nodes.csv": csv(evaluation.nodes),
        "notes.csv": csv(evaluation.notes),
        "meta.json": _json(evaluation.meta),
    }
    document = evaluation.year.scheme.document
    if "grades" in document:
        files["quotas.csv"] = csv(evaluation.quotas)
    if "grades" in document and "results" in document:
        files["results_use.csv"] = csv(results_use(evaluation), index=True)
    if evaluation.review is not None and evaluation.survey_errors is not None:
        files["survey.csv"] = csv(evaluation.review.to_frame())
        files["standard_errors.csv"] = csv(evaluation.survey_errors, index=True)
    if len(evaluation.learned):
        files["learned.csv"] = csv(evaluation.learned)
    if figures:
        files |= _evaluation_figures(evaluation, lang)
    write_folder(folder, files)


def _evaluation_figures(evaluation: Evaluation, lang: str) -> dict[str, Writer]:
    graded = "grades" in evaluation.year.scheme.document
    names = {"totals": "totals_by_group.png", "margins": "margins.png", "blocks": "blocks.png"}
    kinds = [k for k in names if k == "blocks" or graded]
    if graded and not _has_margins(evaluation):
        kinds.remove("margins")
    return {names[k]: _figure(partial(evaluation.plot, k, lang=lang)) for k in kinds}


def _has_margins(evaluation: Evaluation) -> bool:
    """Whether some unit has one on the other side of its pool's cut to be compared with."""
    from perfmethod.scoring.figures import cut_margins

    return bool(cut_margins(evaluation)[0]["margin"].notna().any())


def _figure(plot: Callable[[], Axes]) -> Writer:
    def write(path: Path) -> None:
        from perfmethod import plots

        with plots.style():
            figure = plot().get_figure(root=True)
            assert figure is not None
            figure.savefig(path, dpi=150, bbox_inches="tight", metadata={"Software": None})

    return write


def write_supervision(supervision: Supervision, folder: Path, lang: str) -> None:
    """Write the table and the figure of the supervision of a quarter."""
    write_folder(
        folder,
        {
            "supervision.csv": csv(supervision.tasks),
            "doubtful.csv": csv(supervision.doubtful),
            "supervision.png": _figure(partial(supervision.plot, lang=lang)),
        },
    )
