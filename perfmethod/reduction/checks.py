"""What is wrong with ballots, in the same words whichever engine holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perfmethod.errors import Problems, suggest
from perfmethod.reduction.engines import Source, plain
from perfmethod.reduction.spec import SurveySpec

__all__ = ["KEYS", "Faults", "OptionPlaces", "check_columns", "label"]

KEYS = ("unit_id", "category", "mode")
_SHOWN = 5  # values told of each fault


def label(value: Any) -> str | None:
    """Text of a cell of labels; None where it is empty.

    Examples
    --------
    >>> label(12.0), label(" "), label("D01")
    ('12', None, 'D01')
    """
    value = plain(value)
    if value is None:
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    return _number(float(value)) if not isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


class OptionPlaces:
    """Place of an answer among the options; -1 where not asked, -2 where unknown."""

    def __init__(self, options: Sequence[int]) -> None:
        self.places = {float(code): i for i, code in enumerate(options)}

    def __call__(self, value: Any) -> int:
        value = plain(value)
        if value is None or (isinstance(value, str) and not value.strip()):
            return -1
        try:
            return self.places.get(float(value), -2)
        except (TypeError, ValueError):
            return -2


def shown(value: Any) -> str:
    """Answer as messages quote it: text in quotes, numbers alike on every engine."""
    if isinstance(value, str):
        return repr(value)
    try:
        number = float(value)
        return _number(number) if abs(number) < 1e15 else repr(number)
    except (TypeError, ValueError, OverflowError):
        return repr(value)


def check_columns(sources: Iterable[Source], spec: SurveySpec, file: str, raters: bool) -> None:
    """Stop at missing columns and at identifiers of a type that prints differently by engine."""
    problems = Problems(file)
    needed = [*KEYS, *(["rater_id"] if raters else []), *spec.dimensions]
    for source in sources:
        there = source.columns
        for name in needed:
            if name not in there:
                near = suggest(name, there)
                problems.add("no such column", f"the column must be there ({near})", column=name)
        for name in ("rater_id", "ballot_id"):
            if name in there and not source.is_text_or_whole(name):
                problems.add("a column of decimal numbers or dates", "text or whole numbers",
                             column=name)  # fmt: skip
    unique = dict.fromkeys(problems.items)
    problems.items[:] = list(unique)
    problems.raise_any()


class Faults:
    """Collects what is wrong, column by column, and tells it in one order.

    Parameters
    ----------
    spec : SurveySpec
    file : str
        Name of the table in messages.
    """

    def __init__(self, spec: SurveySpec, file: str) -> None:
        self.spec, self.file = spec, file
        self.unknown: dict[str, dict[str, int]] = {}
        self.empty: dict[str, int] = {}
        self.strays: dict[str, list[str]] = {}
        self.ids: dict[str, int] = {}

    def note(self, column: str, value: str | None, ballots: int) -> None:
        """Note ballots with an empty or unknown cell."""
        if value is None:
            self.empty[column] = self.empty.get(column, 0) + ballots
        else:
            of = self.unknown.setdefault(column, {})
            of[value] = of.get(value, 0) + ballots

    @property
    def any(self) -> bool:
        """Whether anything is wrong so far."""
        return bool(self.unknown or any(self.empty.values()) or self.strays or self.ids)

    def raise_any(self) -> None:
        """Raise everything at once."""
        problems = Problems(self.file)
        known: dict[str, Sequence[str]] = {
            "unit_id": self.spec.units, "category": self.spec.categories, "mode": self.spec.modes,
        }  # fmt: skip
        for column in ("ballot_id", *KEYS, "rater_id"):
            if self.empty.get(column):
                allowed = "a name" if column in KEYS else "an identifier"
                cells = _ballots(self.empty[column])
                problems.add(f"an empty cell on {cells}", allowed, column=column)
            if column in self.unknown:
                values = self.unknown[column]
                problems.add(*_listed(values, "unknown name", quoted=True),
                             suggest(_first(values), known[column]), column=column)  # fmt: skip
        codes = f"one of {', '.join(map(str, self.spec.options))}, or blank (not asked)"
        for column in self.spec.dimensions:
            if column in self.unknown:
                problems.add(*_listed(self.unknown[column], "unknown code"), codes, column=column)
        self._identifiers(problems)
        problems.raise_any()

    def _identifiers(self, problems: Problems) -> None:
        if self.strays:
            some = [f"{name!r} in {' and '.join(self.strays[name])}"
                    for name in sorted(self.strays)[:_SHOWN]]  # fmt: skip
            n = len(self.strays)
            problems.add(f"{n} rater{'s' if n > 1 else ''} in several categories: "
                         f"{_more(some, n)}", "one category for each rater",
                         column="category")  # fmt: skip
        if self.ids:
            some = [f"{name!r} on {n} ballots" for name, n in _ordered(self.ids)]
            n = len(self.ids)
            problems.add(f"{n} identifier{'s' if n > 1 else ''} more than once: {_more(some, n)}",
                         "each ballot once", column="ballot_id")  # fmt: skip


def _listed(values: Mapping[str, int], what: str, quoted: bool = False) -> tuple[str]:
    some = [f"{name!r} on {_ballots(n)}" if quoted else f"{name} on {_ballots(n)}"
            for name, n in _ordered(values)]  # fmt: skip
    n = len(values)
    return (f"{n} {what}{'s' if n > 1 else ''}: {_more(some, n)}",)


def _ordered(values: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(values.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]


def _first(values: Mapping[str, int]) -> str:
    return _ordered(values)[0][0]


def _more(some: Sequence[str], n: int) -> str:
    return ", ".join(some) + (f" and {n - len(some)} more" if n > len(some) else "")


def _ballots(n: int) -> str:
    return f"{n} ballot{'s' if n != 1 else ''}"
