"""The house style: fonts that have Chinese, colors that everyone can tell apart, nothing else."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["PALETTE", "style", "use_fonts"]

# Okabe & Ito (2008), "Color Universal Design"; the order serves text on white best
PALETTE: Mapping[str, str] = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "grey": "#999999",
    "pale": "#CFE3F1",
    "band": "#F6F6F6",
    "ink": "#222222",
    "rule": "#DDDDDD",
}
# columns of a row's label and of a title; beyond them text goes on in the next line
LABEL_WIDTH, TITLE_WIDTH = 48, 66
# inches of a line of a row's label, and of what stands above and below the rows
LINE, AROUND = 0.175, 1.6
# pieces that stay together: a Latin word or a Chinese character with the marks that open it, which
# end no line, and those that close it, which begin none
_PIECES = re.compile(
    r"(?:[(（「《“]+ *)*(?:[!-\u201b\u201d-\u2e7f]+ *| +|.)[，。：；）、》」”);,]*"
)
_CYCLE = ("blue", "vermillion", "green", "orange", "sky", "purple", "ink")


@lru_cache(maxsize=1)
def use_fonts() -> tuple[str, ...]:
    """Make the Chinese font known to matplotlib and name the families to use, in order.

    The font file comes with the package ``zhplot``, which is found but not imported: importing
    it would change matplotlib's settings for the whole program.

    Returns
    -------
    tuple of str
        Only families that are there, for matplotlib complains about any other.

    References
    ----------
    Noto Sans SC, Google and Adobe, SIL Open Font License 1.1.

    Examples
    --------
    >>> use_fonts()
    ('Noto Sans SC', 'DejaVu Sans')
    """
    from matplotlib import font_manager

    known = font_manager.fontManager
    file = _font_file()
    if file is not None and not any(Path(f.fname) == file for f in known.ttflist):
        known.addfont(str(file))
    present = {f.name for f in known.ttflist}
    return tuple(name for name in ("Noto Sans SC", "DejaVu Sans") if name in present)


def _font_file() -> Path | None:
    """Return the font file of zhplot, without importing it."""
    found = importlib.util.find_spec("zhplot")
    for folder in (found.submodule_search_locations or ()) if found else ():
        file = Path(folder) / "fonts" / "NotoSansSC-Regular.ttf"
        if file.is_file():
            return file
    return None


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style inside this context; matplotlib's settings return afterwards.

    Examples
    --------
    >>> import matplotlib
    >>> with style():
    ...     matplotlib.rcParams["axes.spines.top"], matplotlib.rcParams["font.family"][0]
    (False, 'Noto Sans SC')
    >>> matplotlib.rcParams["axes.spines.top"]
    True
    """
    import matplotlib

    settings: Any = _settings()  # the stubs know only literal keys
    with matplotlib.rc_context(settings):
        yield


def _settings() -> dict[str, Any]:
    from cycler import cycler

    return {
        "font.family": list(use_fonts()),
        "font.size": 10,
        "axes.titlesize": 13,
        "axes.titleweight": "normal",  # the font has one weight; asking for bold is a complaint
        "axes.titlelocation": "left",
        "axes.titlepad": 12,
        "axes.labelcolor": PALETTE["ink"],
        "axes.edgecolor": PALETTE["grey"],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=[PALETTE[name] for name in _CYCLE]),
        "grid.color": PALETTE["rule"],
        "grid.linewidth": 0.8,
        "legend.frameon": False,
        "figure.dpi": 100,
        "savefig.dpi": 100,
        "figure.facecolor": "white",
        "svg.hashsalt": "perfmethod",
        "svg.fonttype": "path",  # a reader need not have the font
    }


def new_axes(ax: Axes | None, height: float, width: float = 9.0) -> Axes:
    """Return the caller's axes, or those of a new figure; call inside :func:`style`."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    # not through pyplot: no window, nothing to close
    return Figure(figsize=(width, height), layout="constrained").subplots()


def finish(ax: Axes, title: str, xlabel: str, ylabel: str = "") -> Axes:
    """Name the axes and state the finding; ticks made later keep the font."""
    ax.set_title(wrapped(title, TITLE_WIDTH))
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.tick_params(labelfontfamily=list(use_fonts()), color=PALETTE["grey"])
    return ax


def rows_axis(ax: Axes, labels: list[str], positions: list[float]) -> None:
    """Write one label per row on the left, the first row on top."""
    ax.set_yticks(positions, [wrapped(label, LABEL_WIDTH) for label in labels])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(max(positions) + 0.7, min(positions) - 0.7)
    _make_room(ax, labels, positions)


def _make_room(ax: Axes, labels: list[str], positions: list[float]) -> None:
    """Make our own figure so much higher that labels of several lines do not touch."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # for the type checker: axes always have one here
    if not _is_ours(figure):
        return
    rows = max(positions) - min(positions) + 1.4
    inches = (figure.get_figheight() - AROUND) / rows
    lines = [wrapped(label, LABEL_WIDTH).count("\n") + 1 for label in labels]
    placed = sorted(zip(positions, lines, strict=True))
    need = [LINE * (m + n) / 2 / (b - a)
            for (a, m), (b, n) in pairwise(placed) if m + n > 2 and b > a]  # fmt: skip
    least = max(need, default=0.0)
    if least > inches:
        figure.set_figheight(figure.get_figheight() + (least - inches) * rows)


def _is_ours(figure: Any) -> bool:
    """Whether this package made the figure for these axes alone."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine) and (
        len(figure.axes) == 1
    )


def key(ax: Axes, handles: list[Any]) -> None:
    """Explain the marks away from the data: below our own figure, right of a caller's axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # for the type checker: axes always have one here
    if _is_ours(figure):
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    else:
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def wrapped(text: str, width: int) -> str:
    """Break a long text into lines of at most a number of columns, a Chinese character being two.

    Examples
    --------
    >>> wrapped("Key work of the committee", 12).splitlines()
    ['Key work of', 'the', 'committee']
    >>> wrapped("市委市政府重点工作", 10).splitlines()
    ['市委市政府', '重点工作']
    """
    return "\n".join(line for part in text.split("\n") for line in _lines(part, width))


def _lines(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and _columns(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def signed(x: float, decimals: int = 1) -> str:
    """Write a difference with its sign, the minus as wide as the plus."""
    text = show(x, decimals)
    return text.replace("-", "−") if text.startswith("-") else f"+{text}"


def need_columns(frame: pd.DataFrame, *names: str) -> None:
    """Check that the table can be drawn.

    Raises
    ------
    PerfmethodError
        If a column is missing or no row is there.
    """
    columns = [str(c) for c in frame.columns]
    for name in names:
        if name not in columns:
            allowed = suggest(name, columns)
            raise PerfmethodError(f"the table to draw has no column '{name}'; {allowed}")
    if frame.empty:
        raise PerfmethodError("the table to draw has no row; found 0, at least 1 is needed")


def words(language: str, table: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Choose the words of a language.

    Raises
    ------
    PerfmethodError
        If the language is none of those of the table.
    """
    if language not in table:
        raise PerfmethodError(f"language '{language}'; {suggest(language, table)}")
    return table[language]
