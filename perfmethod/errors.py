"""Everything that can be wrong with an input, said once, together, and with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from numbers import Integral

__all__ = [
    "DataError",
    "InputError",
    "PerfmethodError",
    "Problem",
    "Problems",
    "SchemeError",
    "is_whole",
    "quoted",
    "suggest",
]

_SHOWN_AT_MOST = 500  # each check lists few already; this bounds the whole message


class PerfmethodError(Exception):
    """Root of every error this package raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what was found, what is allowed.

    Parameters
    ----------
    file : str
        File, sheet or document, as the user knows it.
    row : int or str or None
        Row as a spreadsheet counts it (the header is row 1), or a key of the scheme.
    column : str or None
        Column or attribute.
    found : str
        What stands there.
    allowed : str
        What may stand there.

    Examples
    --------
    >>> print(Problem("tasks.csv", 3, "actual", "'abc'", "a number"))
    tasks.csv, row 3, column 'actual': found 'abc'; allowed: a number
    """

    file: str
    row: int | str | None
    column: str | None
    found: str
    allowed: str

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}" if is_whole(self.row) else str(self.row))
        if self.column is not None:
            place.append(f"column '{self.column}'")
        return f"{', '.join(place)}: found {self.found}; allowed: {self.allowed}"


class InputError(PerfmethodError):
    """Bad input; ``problems`` lists every problem found in one run.

    Examples
    --------
    >>> error = InputError([Problem("units.csv", 2, "unit_id", "an empty cell", "an identifier")])
    >>> len(error.problems)
    1
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self._lines()))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)  # so that it comes back whole from a worker process

    def _lines(self) -> Iterator[str]:
        n = len(self.problems)
        yield f"{n} problem{'s' if n != 1 else ''} in the input:"
        for problem in self.problems[:_SHOWN_AT_MOST]:
            yield f"  - {problem}"
        if n > _SHOWN_AT_MOST:
            yield f"  - and {n - _SHOWN_AT_MOST} more"


class SchemeError(InputError):
    """The scheme document is wrong."""


class DataError(InputError):
    """The tables of a year are wrong."""


@dataclass
class Problems:
    """Collects problems while a file is read, so that all are reported at once.

    Examples
    --------
    >>> problems = Problems("scheme.toml")
    >>> problems.add("'abc'", "a number", row="indicators.P001", column="weight")
    >>> problems.raise_any(SchemeError)
    Traceback (most recent call last):
    perfmethod.errors.SchemeError: 1 problem in the input:
      - scheme.toml, indicators.P001, column 'weight': found 'abc'; allowed: a number
    """

    file: str
    items: list[Problem] = field(default_factory=list)

    def add(
        self, found: str, allowed: str, *, row: int | str | None = None, column: str | None = None
    ) -> None:
        """Note one problem and go on."""
        self.items.append(Problem(self.file, row, column, found, allowed))

    def raise_any(self, error: type[InputError] = DataError) -> None:
        """Raise `error` with all problems, if there are any."""
        if self.items:
            raise error(self.items)


def suggest(name: str, known: Iterable[str]) -> str:
    """Describe the allowed names, the nearest one first.

    Parameters
    ----------
    name : str
        The name that is not known.
    known : iterable of str
        Every name that would have been.

    Returns
    -------
    str
        A phrase for the "allowed" part of a message.

    Examples
    --------
    >>> suggest("entrpy", ["critic", "entropy", "equal"])
    "did you mean 'entropy'? Known: critic, entropy, equal"
    >>> suggest("x", [])
    'nothing: none is known'
    """
    names = sorted(str(k) for k in known)
    if not names:
        return "nothing: none is known"
    shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    near = difflib.get_close_matches(str(name), names, n=1)
    return f"did you mean '{near[0]}'? Known: {shown}" if near else f"one of {shown}"


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, Python's or numpy's; a truth value is no number.

    Examples
    --------
    >>> import numpy as np
    >>> is_whole(4), is_whole(np.int64(4)), is_whole(4.0), is_whole(True), is_whole(np.True_)
    (True, True, False, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def quoted(cell: object) -> str:
    """Write a cell as it stands in a table: a number plainly, a text in quotes.

    Examples
    --------
    >>> import numpy as np
    >>> quoted(np.int64(7)), quoted(7.0), quoted("seven")
    ('7', '7', "'seven'")
    """
    item = getattr(cell, "item", None)
    plain = item() if callable(item) else cell
    return f"{plain:g}" if isinstance(plain, float) else repr(plain)
