"""Severity of raters and categories, and what units would score without it.

A linear mixed model on the scores, and ordinal models as a second opinion. Everything here loads
on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> module below this package
_PUBLIC: dict[str, str] = {
    "Connection": "connected",
    "OrdinalFit": "ordinal",
    "SecondOpinion": "opinion",
    "Severity": "result",
    "connection": "connected",
    "ordinal_model": "ordinal",
    "rescored": "rescoring",
    "second_opinion": "opinion",
    "severity": "run",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"perfmethod.severity.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'perfmethod.severity' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
