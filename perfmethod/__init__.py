"""Methodology research toolkit for yearly performance evaluations of government units."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# name -> module; loaded on first use, so that `import perfmethod` costs next to nothing
_PUBLIC: dict[str, str] = {
    "Draws": "draws",
    "Evaluation": "scoring",
    "Explanation": "scoring",
    "Proposal": "scheme",
    "Scheme": "scheme",
    "Simulation": "scoring",
    "Supervision": "supervision",
    "Year": "year",
    "evaluate": "scoring",
    "explain": "scoring",
    "results_use": "results",
    "simulate": "scoring",
    "supervise": "supervision",
    "synthesize": "synthetic",
}

_MODULES = (
    "calibration",
    "equating",
    "fairness",
    "grading",
    "normalization",
    "places",
    "plots",
    "ranking",
    "reduction",
    "reliability",
    "robustness",
    "screening",
    "sensitivity",
    "severity",
    "stringency",
    "survey",
    "uncertainty",
    "weighting",
)

__all__ = ["__version__", *_MODULES, *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"perfmethod.{_PUBLIC[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"perfmethod.{name}")
    raise AttributeError(f"module 'perfmethod' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC, *_MODULES])
