"""How numbers, tables and figures are shown: one rounding rule, and outputs that can be compared.

Nothing is rounded before it is shown. What is shown is rounded once, by :func:`round_half_up`;
every table, figure and report uses that one rule, so that no two of them print different digits.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "MISSING",
    "Shown",
    "pad",
    "round_half_up",
    "round_values",
    "show",
    "show_frame",
    "shown_figure",
    "shown_table",
    "width",
]

MISSING = "–"  # a missing number is shown as such, never as nothing and never as 0


def round_half_up(x: float | Decimal, decimals: int = 2) -> Decimal:
    """Round one number; a tie goes away from zero, as people are taught at school.

    The number rounded is the one the computer holds. 1.005 has no exact binary form: what is
    held is 1.00499999999999989..., which lies below the tie and becomes 1.00. A spreadsheet,
    which looks at 15 digits only, shows 1.01 for it.

    Parameters
    ----------
    x : float or decimal.Decimal
        A finite number.
    decimals : int
        Digits after the point; negative for tens, hundreds.

    Returns
    -------
    decimal.Decimal
        Exactly that many digits; never a negative zero.

    Raises
    ------
    ValueError
        If `x` is NaN or infinite: it has no digits.

    References
    ----------
    Mike Cowlishaw, General Decimal Arithmetic Specification 1.70 (2009), rounding ``half-up``.

    Examples
    --------
    >>> round_half_up(0.125), round_half_up(-0.125), round(0.125, 2)
    (Decimal('0.13'), Decimal('-0.13'), 0.12)
    >>> round_half_up(1.005), round_half_up(-0.001)
    (Decimal('1.00'), Decimal('0.00'))
    """
    exact = x if isinstance(x, Decimal) else Decimal(float(x))
    if not exact.is_finite():
        raise ValueError(f"only a finite number can be rounded; found {x}")
    decimals = int(decimals)  # a numpy integer cannot scale a Decimal
    with localcontext() as context:
        context.prec = max(28, exact.adjusted() + decimals + 4)  # room for every digit asked for
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return rounded.copy_abs() if rounded.is_zero() else rounded


def round_values(x: npt.ArrayLike, decimals: int = 2) -> npt.NDArray[np.float64]:
    """Round every number of an array by :func:`round_half_up`; NaN and infinities stay.

    Parameters
    ----------
    x : array_like of float, any shape
        Numbers.
    decimals : int
        Digits after the point.

    Returns
    -------
    ndarray of float, the shape of `x`
        The floats nearest to the rounded numbers.

    Examples
    --------
    >>> round_values([0.125, float("nan"), 2.5], 0)
    array([ 0., nan,  3.])
    """
    import numpy as np

    values = np.array(x, dtype=float)
    finite = np.isfinite(values)
    values[finite] = [float(round_half_up(v, decimals)) for v in values[finite]]
    return values


def show(x: float | Decimal | None, decimals: int = 2) -> str:
    """Write one number as it is shown everywhere.

    Parameters
    ----------
    x : float, decimal.Decimal or None
        A number; None and NaN are missing.
    decimals : int
        Digits after the point.

    Returns
    -------
    str
        Plain digits without thousands marks; ``–`` for a missing number.

    Examples
    --------
    >>> show(812.345), show(float("nan")), show(-0.001), show(float("inf"), 0)
    ('812.35', '–', '0.00', 'inf')
    """
    if x is None or x != x:
        return MISSING
    if abs(x) == float("inf"):
        return "inf" if x > 0 else "-inf"
    return f"{round_half_up(x, decimals):f}"


def pad(text: str, columns: int) -> str:
    """Fill a text with spaces to a width on the screen, a Chinese character being two columns.

    Parameters
    ----------
    text : str
    columns : int
        A longer text stays as it is; negative puts the spaces in front.

    Returns
    -------
    str

    Examples
    --------
    >>> pad("总分", 6) + "|", pad("total", 6) + "|", pad("1.5", -6)
    ('总分  |', 'total |', '   1.5')
    """
    room = " " * (abs(columns) - width(text))
    return room + text if columns < 0 else text + room


def width(text: str) -> int:
    """Columns that a text takes on the screen, a Chinese character being two.

    Examples
    --------
    >>> width("G1 总分")
    7
    """
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def show_frame(frame: pd.DataFrame, decimals: int | Mapping[str, int] = 2) -> pd.DataFrame:
    """Write every number of a table as :func:`show` does; whole numbers and texts stay.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    decimals : int or mapping of column to int
        Digits for every column of floats, or by column (2 where none is given).

    Returns
    -------
    DataFrame
        The same labels; texts for the columns of floats.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"total": [812.345, None], "rank": [1, 2]}, index=["a", "b"])
    >>> print(show_frame(frame))
        total  rank
    a  812.35     1
    b       –     2
    """
    from pandas.api.types import is_bool_dtype, is_float_dtype

    shown = frame.copy()
    for place, column in enumerate(frame.columns):
        values = frame.iloc[:, place]
        if is_float_dtype(values) and not is_bool_dtype(values):
            digits = decimals.get(str(column), 2) if isinstance(decimals, Mapping) else decimals
            texts = [show(None if v is None else float(v), digits) for v in values.to_numpy(float)]
            shown.isetitem(place, texts)
    return shown


@dataclass(frozen=True)
class Shown:
    """Something to look at that also says in plain text what can be seen.

    A notebook shows the richest form; a comparison of notebooks reads the plain one. A figure
    therefore carries the numbers it was drawn from, so that a changed number cannot hide in it.

    Parameters
    ----------
    text : str
        The plain form, for consoles and comparisons.
    html : str or None
        The form of a table.
    png : bytes or None
        The form of a figure.

    Examples
    --------
    >>> Shown("a 1.00")
    a 1.00
    >>> sorted(Shown("a 1.00", html="<table>")._repr_mimebundle_())
    ['text/html', 'text/plain']
    """

    text: str
    html: str | None = None
    png: bytes | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str | bytes]:
        """Return every form there is, by media type, as IPython asks for them."""
        forms = {"text/plain": self.text, "text/html": self.html, "image/png": self.png}
        return {kind: form for kind, form in forms.items() if form is not None}


def shown_table(
    frame: pd.DataFrame, decimals: int | Mapping[str, int] = 2, caption: str = ""
) -> Shown:
    """Show a table with every row and column, rounded by the one rule.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    decimals : int or mapping of column to int
        As in :func:`show_frame`.
    caption : str
        What the table finds.

    Returns
    -------
    Shown
        With a plain and an HTML form, the same bytes every time.

    Examples
    --------
    >>> import pandas as pd
    >>> shown_table(pd.DataFrame({"total": [812.345]}, index=["民政局"]), caption="One unit")
    One unit
          total
    民政局  812.35
    """
    texts = show_frame(frame, decimals)
    html = texts.to_html(border=0, escape=True)
    if caption:
        html = re.sub(r"(<table[^>]*>)", lambda m: m[1] + _caption(caption), html, count=1)
    return Shown("\n".join([*([caption] if caption else []), texts.to_string()]), html=html)


def _caption(text: str) -> str:
    import html

    return f"\n  <caption>{html.escape(text)}</caption>"


def shown_figure(
    drawn: Axes | Figure, numbers: pd.DataFrame, decimals: int | Mapping[str, int] = 2
) -> Shown:
    """Show a figure together with the numbers that were plotted; the figure is closed.

    Parameters
    ----------
    drawn : Axes or Figure
        What a plotting function returned.
    numbers : DataFrame
        The numbers in it, as that function took them.
    decimals : int or mapping of column to int
        As in :func:`show_frame`.

    Returns
    -------
    Shown
        With the numbers as its plain form and the picture as its PNG form.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> shown_figure(ax, pd.DataFrame({"total": [1.005]}))
       total
    0   1.00
    """
    figure: Any = drawn.get_figure(root=True)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight", metadata={"Software": None})
    _close(figure)
    return Shown(show_frame(numbers, decimals).to_string(), png=stream.getvalue())


def _close(figure: Figure) -> None:
    """Take the figure from pyplot, which would show it a second time."""
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
