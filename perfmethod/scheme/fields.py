"""What each table of a scheme may hold: one row per key, one small check per kind of value.

A new key of the document is added here, and read where it acts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from perfmethod.core import FILLS
from perfmethod.errors import Problems, suggest

__all__ = ["TABLES", "Field", "check_table", "describe"]

Kind = Callable[[Any], str | None]  # returns what is allowed where the value is wrong


class Field(NamedTuple):
    """One key of a table."""

    kind: Kind
    required: bool = False


def describe(value: Any) -> str:
    """Say what was found, shortly."""
    if isinstance(value, Mapping):
        return "a table"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def number(value: Any) -> str | None:
    ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return None if ok else "a finite number"


def positive(value: Any) -> str | None:
    return None if number(value) is None and value > 0 else "a number above 0"


def not_negative(value: Any) -> str | None:
    return None if number(value) is None and value >= 0 else "a number of 0 or more"


def whole(value: Any) -> str | None:
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if ok else "a whole number of 0 or more"


def power(value: Any) -> str | None:
    ok = number(value) is None and abs(value) <= 100
    return None if ok else "a number from -100 to 100 (1 arithmetic, 0 geometric, -1 harmonic)"


def text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "a text"


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def name(value: Any) -> str | None:
    if isinstance(value, Mapping):
        ok = bool(value) and set(value) <= {"zh", "en"} and not any(map(text, value.values()))
        return None if ok else "a table { zh = text, en = text }"
    return None if text(value) is None else "a text or a table { zh = text, en = text }"


def texts(value: Any) -> str | None:
    ok = isinstance(value, list | tuple) and not any(map(text, value))
    return None if ok and len(set(value)) == len(value) else "a list of different texts"


def table(value: Any) -> str | None:
    return None if isinstance(value, Mapping) else "a table"


def parent(value: Any) -> str | None:
    return None if text(value) is None or table(value) is None else "a node, or a table by class"


def _numbers_by(check: Kind, what: str) -> Kind:
    def kind(value: Any) -> str | None:
        values = value.values() if isinstance(value, Mapping) else [value]
        return (
            None if value != {} and not any(map(check, values)) else f"{what}, or a table of such"
        )

    return kind


def cap(value: Any) -> str | None:
    ok = value == "eligible" or (whole(value) is None and value > 0)
    return None if ok else "a whole number of 1 or more, or 'eligible' (units without a veto)"


def by_pool(value: Any) -> str | None:
    ok = isinstance(value, Mapping) and value and not any(map(number, value.values()))
    return None if ok else "a table of finite numbers by pool"


def one_of(*names: str) -> Kind:
    """Accept one of the names."""

    def kind(value: Any) -> str | None:
        return None if isinstance(value, str) and value in names else suggest(str(value), names)

    return kind


def four_shares(value: Any) -> str | None:
    ok = isinstance(value, list | tuple) and len(value) == 4 and not any(map(not_negative, value))
    ascending = ok and all(a <= b for a, b in pairwise(value))
    return None if ascending else "four numbers of 0 or more that do not fall"


METHODS = ("hamilton", "webster", "dhondt", "adams", "dean", "huntington_hill")

# table -> key -> what it may hold
TABLES: Mapping[str, Mapping[str, Field]] = {
    "scheme": {
        "format": Field(whole, required=True),
        "name": Field(name),
        "year": Field(whole),
        "base": Field(positive),
        "display_decimals": Field(whole),
        "weights_sum": Field(positive),
        "missing_task": Field(one_of(*FILLS)),
        "missing_value": Field(one_of(*FILLS)),
        "notes": Field(table),
    }
    | dict.fromkeys(("classes", "indicators"), Field(table, required=True))
    | dict.fromkeys(("certification", "survey", "internal", "adjustments"), Field(table))
    | dict.fromkeys(("vetoes", "grades", "supervision", "results"), Field(table)),
    "class": {
        "name": Field(name),
        "power": Field(power),
        "nodes": Field(table),
        "weights_sum": Field(positive),
    },
    "node": {
        "name": Field(name),
        "weight": Field(not_negative),
        "parent": Field(text),
        "power": Field(power),
        "missing": Field(one_of(*FILLS)),
        "survey": Field(text),
        "internal": Field(flag),
        "assessed_by": Field(name),
        "assessors": Field(one_of("own", "shared")),
    },
    "indicator": {
        "name": Field(name),
        "weight": Field(not_negative),
        "parent": Field(parent),
        "direction": Field(one_of("positive", "negative")),
        "rule": Field(table, required=True),
        "missing": Field(one_of(*FILLS)),
        "per": Field(text),
    },
    "certification": {
        "scoring": Field(texts, required=True),
        "otherwise": Field(one_of("missing", "zero")),
    },
    "survey": {
        "combine_modes": Field(one_of("ballots", "weights")),
        "min_cell": Field(whole),
        "options": Field(table, required=True),
        "categories": Field(table, required=True),
        "modes": Field(table, required=True),
    },
    "option": {"name": Field(name), "score": Field(not_negative)},
    "category": {
        "name": Field(name),
        "weight": Field(_numbers_by(not_negative, "a number of 0 or more")),
    },
    "mode": {"name": Field(name), "weight": Field(not_negative), "cost": Field(positive)},
    "internal": {"categories": Field(table, required=True)},
    "adjustments": {
        "bonus_cap": Field(not_negative),
        "deduction_cap": Field(not_negative),
        "net_cap": Field(not_negative),
        "items": Field(table),
    },
    "item": {
        "kind": Field(one_of("bonus", "deduction"), required=True),
        "name": Field(name),
        "points": Field(not_negative),
        "cap": Field(not_negative),
        "classes": Field(texts),
        "reference": Field(text),
        "evidence": Field(name),
        "once": Field(name),
    },
    "veto": {
        "name": Field(name),
        "effect": Field(one_of("cap", "bar", "none"), required=True),
        "grade": Field(text),
        "trigger": Field(name),
        "proposed_by": Field(text),
        "decided_by": Field(text),
        "years": Field(whole),
    },
    "grades": {
        "rule": Field(one_of("quota", "thresholds")),
        "pool": Field(one_of("group", "class", "all")),
        "method": Field(one_of(*METHODS)),
        "claims": Field(one_of("before_vetoes", "after_vetoes")),
        "floor": Field(whole),
        "cap": Field(cap),
        "pool_tie": Field(one_of("unfilled", "lot")),
        "lot_seed": Field(whole),
        "carried": Field(by_pool),
        "vetoed_place": Field(one_of("next", "unfilled")),
        "ties": Field(texts),
        "edge_tie": Field(one_of("none_in", "all_in")),
        "levels": Field(table, required=True),
    },
    "level": {
        "name": Field(name),
        "places": Field(_numbers_by(whole, "a whole number of 0 or more")),
        "least": Field(number),
    },
    "supervision": {"paths": Field(table), "status": Field(table), "tools": Field(table)},
    "status": {"warning": Field(not_negative), "alarm": Field(not_negative)},
    "result": {
        "name": Field(name),
        "unit": Field(text),
        "by_grade": Field(table, required=True),
    },
}


def check_table(problems: Problems, where: str, kind: str, value: Any) -> bool:
    """Check the keys and values of one table against `TABLES`.

    Returns
    -------
    bool
        Whether it is a table at all, so that checks across its keys make sense.
    """
    if not isinstance(value, Mapping):
        problems.add(describe(value), "a table", row=where)
        return False
    fields = TABLES[kind]
    for key in value:
        if key not in fields:
            problems.add(f"the key '{key}'", suggest(key, fields), row=where)
        elif allowed := fields[key].kind(value[key]):
            problems.add(describe(value[key]), allowed, row=where, column=key)
    for key, field in fields.items():
        if field.required and key not in value:
            problems.add("nothing", f"the key '{key}'", row=where, column=key)
    return True
