"""Weights that meet known totals, and errors that know them.

Arrays: `post_stratify`, `rake`, `calibrate`, `trim`. Samples: `Design` with means, totals, ratios,
domains, quantiles and the jackknife. A year: `calibrate_review`. Everything loads on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> module below this package
_PUBLIC: dict[str, str] = {
    "CalibratedReview": "result",
    "Design": "design",
    "Estimates": "estimates",
    "Jackknife": "replicates",
    "Margin": "margins",
    "Quantiles": "estimates",
    "Weighting": "weighting",
    "calibrate": "newton",
    "calibrate_review": "reviewed",
    "design_effect": "variance",
    "jackknife": "replicates",
    "kish_effective_size": "weighting",
    "post_stratify": "raking",
    "rake": "raking",
    "replicate_weights": "replicates",
    "trim": "trimming",
    "weighted_quantile": "quantiles",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"perfmethod.calibration.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'perfmethod.calibration' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
