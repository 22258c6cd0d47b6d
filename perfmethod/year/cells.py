"""What one cell may hold: numbers, names, text; and why a text is none of them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection

from perfmethod.errors import suggest

__all__ = ["formula_like", "number_of", "wrong_id", "wrong_number", "wrong_text"]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SIGNED = re.compile(r"[+-][\d.,%~ ]*([eE][+-]?\d+)?", re.ASCII)  # a number, or a range: -1.0..4.0
_PLAIN_ID = re.compile(r"\w[\w.:/-]*", re.ASCII)
_SPREADSHEET_ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}
_NOTHING = {"nan", "na", "n/a", "null", "none", "-", "--", "—", "/", "无", "缺", "."}
_INFINITE = {"inf", "infinity", "∞"}
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?([T ]\d{1,2}:\d\d(:\d\d)?)?"
    r"|\d{1,2}月(\d{1,2}日)?"
    r"|\d{1,2}[-/]\d{1,2}([-/]\d{2,4})?"
    r"|\d{1,2}-[A-Za-z]{3}(-\d{2,4})?|[A-Za-z]{3}-\d{2,4}",
    re.ASCII,
)
# patterns of things that look like a number to a person, and what to write instead
_ALMOST = (
    (re.compile(r"[+-]?\d{1,3}([,，]\d{3})+(\.\d+)?"), "a number without thousands separators"),
    (re.compile(r"[+-]?\d+,\d+"), "a number with a decimal point"),
    (re.compile(r".*\d\s*[%％‰]"), "a number without a percent sign, in the unit of the column"),
    (_DATE, "a number; a date stands here (a spreadsheet may have turned a number into one)"),
    (re.compile(r"\d{1,2}:\d\d(:\d\d)?"), "a number; a time of day stands here"),
    (re.compile(r"[+-]?\d+(\.\d+)?\s*[^\W\d_].*"), "a number alone; the unit belongs elsewhere"),
)


def number_of(text: str) -> float | None:
    """Read a plain decimal number; None if the text is no finite one.

    Examples
    --------
    >>> number_of("1.5e3"), number_of("1,500"), number_of("1e400")
    (1500.0, None, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def wrong_number(text: str, what: str = "a number") -> str:
    """Say what may stand where `text`, which is no number, stands.

    Examples
    --------
    >>> wrong_number("95%")
    'a number without a percent sign, in the unit of the column'
    """
    bare = text.strip()
    if text == "":
        return what
    if bare.casefold() in _NOTHING or bare == "":
        return f"{what}; an empty cell where there is no value"
    if bare.casefold().lstrip("+-") in _INFINITE or _NUMBER.fullmatch(text):
        return f"a finite number (up to about 1e308); {what}"
    if bare in _SPREADSHEET_ERRORS:
        return f"{what}; this is a spreadsheet's error value"
    if bare.upper() in ("TRUE", "FALSE"):
        return f"{what}, not a logical value"
    if bare.startswith("="):
        return f"{what}, not a formula"
    if bare != text and number_of(bare) is not None:
        return f"{what} without spaces around it"
    plain = unicodedata.normalize("NFKC", bare)
    if plain != bare and number_of(plain) is not None:
        return f"{what} in plain digits, not full-width ones: {plain}"
    return next((allowed for pattern, allowed in _ALMOST if pattern.fullmatch(plain)), what)


def formula_like(text: str) -> bool:
    """Whether a spreadsheet would run the text as a formula.

    Examples
    --------
    >>> [formula_like(t) for t in ("=HYPERLINK(1)", "@SUM(1)", "-1+cmd", "-3.5", "-")]
    [True, True, True, False, False]
    """
    return len(text) > 1 and text[0] in "=+-@\t\r" and not _SIGNED.fullmatch(text)


def _invisible(text: str) -> str | None:
    """First character that nobody sees: controls, zero-width marks, byte-order marks."""
    if text.isascii() and text.isprintable():
        return None
    hidden = (c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs"))
    return next(hidden, None)


def wrong_text(text: str) -> str | None:
    """Say what is allowed if `text` may not stand in a column of text; None if it may.

    Examples
    --------
    >>> wrong_text("=1+1")
    'text that no spreadsheet runs as a formula: not starting with = + - @'
    """
    if text.isalnum():
        return None
    if formula_like(text):
        return "text that no spreadsheet runs as a formula: not starting with = + - @"
    if text in _SPREADSHEET_ERRORS:
        return "text; this is a spreadsheet's error value"
    control = next((c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"), None)
    return f"text without the control character U+{ord(control):04X}" if control else None


def wrong_id(text: str, known: Collection[str] | None) -> str | None:
    """Say what is allowed if `text` is no identifier, or not a `known` one; None if it is.

    Examples
    --------
    >>> wrong_id("D01 ", ["D01", "D02"])
    "'D01' without spaces around it"
    >>> wrong_id("D1", ["D01", "D02"])
    "did you mean 'D01'? Known: D01, D02"
    """
    if text in known if known is not None else _PLAIN_ID.fullmatch(text):
        return None
    if text == "":
        return "an identifier" if known is None else suggest(text, known)
    bare = text.strip()
    if bare != text:
        return f"'{bare}' without spaces around it"
    if hidden := _invisible(text):
        return f"no invisible character (U+{ord(hidden):04X} stands in it)"
    plain = unicodedata.normalize("NFKC", text)
    if known is not None and plain in known:
        return f"'{plain}' in plain characters, not full-width ones"
    if formula_like(text):
        return wrong_text(text)
    return None if known is None else suggest(text, known)
