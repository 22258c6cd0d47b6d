"""What results and refusals say."""

from __future__ import annotations

from collections.abc import Mapping

from perfmethod.errors import PerfmethodError, suggest

__all__ = ["INSTEAD", "effects"]

INSTEAD = (
    "Elsewhere: stability_intervals for one weight at a time; draws of the weights for several at "
    "once (uncertainty.draw, sensitivity.monte_carlo)"
)
_EFFECTS = {
    "en": {
        "swap": "{} and {} change places",
        "any": "who is {} changes",
        "who": "{}: {} reaches {}",
        "leaves": "{} is no longer {}",
        "enters": "{} becomes {}",
        "least": "the least total",
    },
    "zh": {
        "swap": "{}与{}互换位次",
        "any": "{}名单改变",
        "who": "{}: {}追平{}",
        "leaves": "{}不再是{}",
        "enters": "{}成为{}",
        "least": "最低总分",
    },
}


def effects(lang: str) -> Mapping[str, str]:
    """Texts of the effects in a language."""
    if lang not in _EFFECTS:
        raise PerfmethodError(f"found language '{lang}'; allowed: {suggest(lang, _EFFECTS)}")
    return _EFFECTS[lang]
