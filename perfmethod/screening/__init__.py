"""Screening of ballots: what should not be there, what was seen of it, and what it changes.

Each flag is a test of its own with a source (`METHODS`); `screen` runs all of them on ballots and
`effect` shows what setting the flagged ballots aside does to scores, ranks and grades. Results hold
counts and units, never a rater's id or a ballot. Everything here loads on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> module below this package
_PUBLIC: dict[str, str] = {
    "METHODS": "methods",
    "Method": "methods",
    "Screening": "result",
    "benjamini_hochberg": "multiple",
    "beta_binomial_tail": "multiple",
    "binomial_tail": "multiple",
    "busiest_window": "bursts",
    "effect": "effects",
    "excess_share_tail": "shares",
    "holm": "multiple",
    "identical_share": "patterns",
    "irv": "patterns",
    "longstring": "patterns",
    "pair_agreement": "alike",
    "scan_tail": "bursts",
    "screen": "run",
    "session_tail": "copies",
    "unanswered": "blanks",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"perfmethod.screening.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'perfmethod.screening' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
