"""What the tables of a year must know of the scheme, and nothing else of it."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from perfmethod.normalization import METHODS

__all__ = ["NO_SCHEME", "Facts", "SchemeLike"]

# rules that divide by the target, so that it must be positive
RATIOS = ("ceiling", "completion_ratio", "deviation")
TASK_STATUS = ("certified", "corrected", "disputed", "late", "pending", "rejected", "uncertified")
EVENT_STATUS = (
    "confirmed",
    "pending",
    "proposed",
    "proposed_then_withdrawn",
    "rejected",
    "withdrawn",
)

_FIXED_NAMES = {
    "sources": ("provincial", "municipal", "statutory", "spot_check"),
    "kinds": ("quantitative", "qualitative"),
    "yes_no": ("yes", "no"),
    "event_status": EVENT_STATUS,
}


class SchemeLike(Protocol):
    """A scheme, as far as a year needs one: the parsed document, and its file for messages."""

    @property
    def document(self) -> Mapping[str, Any]:
        """The parsed TOML."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Identifiers of the classes."""

    @property
    def file(self) -> str:
        """Name for messages."""


@dataclass(frozen=True)
class Facts:
    """Names and structure that the tables are checked against.

    Two schemes with equal facts, such as a scheme and a patch of its weights, accept the same
    tables.

    Parameters
    ----------
    classes : tuple of str
    classes_of : dict of str to tuple of str
        Classes in which each indicator stands.
    targeted, ratios : frozenset of str
        Indicators whose rule needs a target, and those whose rule divides by it.
    levels : dict of str to tuple of str
        Names of the levels of an indicator, in the order of their positions 0, 1, ...; the
        letters A, B, ... where the scheme gives none.
    per : dict of str to str
        Column of units.csv that the actual value of an indicator is divided by.
    dimensions_of : dict of str to tuple of str
        Survey dimensions of each class.
    internal : frozenset of str
        Classes with a leaf fed by internal.csv.
    scoring : frozenset of str or None
        Statuses whose value may score; None without certification.
    items : dict of str to tuple of str or None
        Classes each adjustment item is open to; None for all.
    names : dict of str to tuple of str
        Sets of names that a column may be limited to.
    pool : str
        Where the places of a quota are spread: group, class or all; empty without a quota.
    """

    classes: tuple[str, ...]
    classes_of: Mapping[str, tuple[str, ...]]
    targeted: frozenset[str]
    ratios: frozenset[str]
    levels: Mapping[str, tuple[str, ...]]
    per: Mapping[str, str]
    dimensions_of: Mapping[str, tuple[str, ...]]
    internal: frozenset[str]
    scoring: frozenset[str] | None
    items: Mapping[str, tuple[str, ...] | None]
    names: Mapping[str, tuple[str, ...]]
    pool: str

    @classmethod
    def of(cls, scheme: SchemeLike) -> Facts:
        """Read the facts off a scheme's document."""
        d = scheme.document
        indicators = d.get("indicators", {})
        certification = d.get("certification")
        return cls(
            classes=tuple(scheme.classes),
            classes_of={name: _classes_of(entry, scheme) for name, entry in indicators.items()},
            targeted=frozenset(n for n, e in indicators.items() if _needs_target(e)),
            ratios=frozenset(n for n, e in indicators.items() if e["rule"]["method"] in RATIOS),
            levels={n: names for n, e in indicators.items() if (names := _levels(e["rule"]))},
            per={n: e["per"] for n, e in indicators.items() if "per" in e},
            dimensions_of={c: _dimensions(d, c) for c in scheme.classes},
            internal=frozenset(c for c in scheme.classes if _has_internal(d, c)),
            scoring=None if certification is None else frozenset(certification["scoring"]),
            items={n: _open_to(e) for n, e in _at(d, "adjustments", "items").items()},
            names=_names(d),
            pool=_pool(d.get("grades")),
        )

    @property
    def per_columns(self) -> frozenset[str]:
        """Columns of units.csv that some indicator is divided by."""
        return frozenset(self.per.values())

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Survey dimensions of any class, each once, in the order of the scheme."""
        return tuple(dict.fromkeys(d for dims in self.dimensions_of.values() for d in dims))

    @property
    def required(self) -> tuple[str, ...]:
        """Tables without which the scheme cannot be scored."""
        wanted = {"tasks": self.classes_of, "internal": self.internal, "ballots": self.dimensions}
        return ("units", *(table for table, why in wanted.items() if why))


def _at(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    node: Any = document
    for key in keys:
        node = node.get(key, {})
    return node


def _nodes(document: Mapping[str, Any], class_id: str) -> Mapping[str, Any]:
    return _at(document, "classes", class_id, "nodes")


def _classes_of(entry: Mapping[str, Any], scheme: SchemeLike) -> tuple[str, ...]:
    """Classes with the indicator: where its parent stands; without a parent, every class."""
    parent = entry.get("parent", "")
    if isinstance(parent, Mapping):
        return tuple(c for c in scheme.classes if c in parent)
    return tuple(c for c in scheme.classes if not parent or parent in _nodes(scheme.document, c))


def _pool(grades: Mapping[str, Any] | None) -> str:
    """Where the places of a quota are spread; nowhere without a quota."""
    if grades is None or grades.get("rule", "quota") != "quota":
        return ""
    return str(grades.get("pool", "group"))


def _needs_target(entry: Mapping[str, Any]) -> bool:
    rule = METHODS.get(entry["rule"]["method"])  # a user's own method says nothing about targets
    return rule is not None and rule.needs_target


def _levels(rule: Mapping[str, Any]) -> tuple[str, ...]:
    if "names" in rule:
        return tuple(rule["names"])
    if rule["method"] != "levels":
        return ()
    return tuple(string.ascii_uppercase[: len(rule.get("scores", "ABCD"))])


def _dimensions(document: Mapping[str, Any], class_id: str) -> tuple[str, ...]:
    nodes = _nodes(document, class_id).values()
    return tuple(dict.fromkeys(n["survey"] for n in nodes if "survey" in n))


def _has_internal(document: Mapping[str, Any], class_id: str) -> bool:
    return any(node.get("internal", False) for node in _nodes(document, class_id).values())


def _open_to(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    return tuple(entry["classes"]) if "classes" in entry else None


def _names(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Every set of names that a column may be limited to, by the name of the set."""
    scoring: Collection[str] = _at(document, "certification").get("scoring", ())
    return {
        "classes": tuple(document.get("classes", {})),
        "indicators": tuple(document.get("indicators", {})),
        "items": tuple(_at(document, "adjustments", "items")),
        "vetoes": tuple(document.get("vetoes", {})),
        "options": tuple(_at(document, "survey", "options")),
        "categories": tuple(_at(document, "survey", "categories")),
        "modes": tuple(_at(document, "survey", "modes")),
        "internal_categories": tuple(_at(document, "internal", "categories")),
        "paths": tuple(_at(document, "supervision", "paths")),
        "task_status": tuple(dict.fromkeys([*TASK_STATUS, *scoring])),
        **_FIXED_NAMES,
    }


# what holds under every scheme: names that a scheme gives are in none of these sets, so that a
# column which is limited to them may hold any name
NO_SCHEME = Facts(
    classes=(), classes_of={}, targeted=frozenset(), ratios=frozenset(), levels={}, per={},
    dimensions_of={}, internal=frozenset(), scoring=None, items={},
    names={"paths": (), **_FIXED_NAMES}, pool="",
)  # fmt: skip
