"""All tables of a year during the checks, and the labels they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from perfmethod.year.clean import Cleaned, Known, clean_table
from perfmethod.year.facts import Facts
from perfmethod.year.report import Report
from perfmethod.year.source import Raw
from perfmethod.year.spec import NAMES
from perfmethod.year.table import Column

__all__ = ["Context", "each_text"]

_KEYS = {"groups": "group", "units": "unit_id", "organs": "organ_id"}


@dataclass(frozen=True)
class Context:
    """What a check across tables needs."""

    cleaned: Mapping[str, Cleaned]
    facts: Facts
    report: Report
    raw: Raw
    scheme_file: str

    @classmethod
    def of(cls, raw: Raw, facts: Facts, scheme_file: str, report: Report) -> Context:
        """Pass over every table, in an order in which names are known before they are used."""
        known: Known = {**facts.names, "paths": facts.names["paths"] or None}
        cleaned: dict[str, Cleaned] = {}
        for name in NAMES:
            if name in raw.tables:
                cleaned[name] = clean_table(raw.tables[name], facts, known, report)
            if name in _KEYS:
                known[name] = _ids(cleaned.get(name), _KEYS[name])
                known["bodies"] = _bodies(known, "organs" in raw.failed)
        return cls(cleaned, facts, report, raw, scheme_file)

    @cached_property
    def units(self) -> frozenset[str] | None:
        """Known units; None where units.csv could not be read whole."""
        return _ids(self.cleaned.get("units"), _KEYS["units"])

    @cached_property
    def class_of(self) -> dict[str, str]:
        """Class of each unit; empty where it is not known."""
        classes = self.facts.classes
        found = self.of_unit("class", classes[0] if len(classes) == 1 else "")
        return {unit: c if c in classes else "" for unit, c in found.items()}

    def of_unit(self, column: str, absent: str = "") -> dict[str, str]:
        """Text of a column of units.csv by unit; `absent` where there is no such column."""
        table = self.cleaned["units"].table if "units" in self.cleaned else None
        if table is None or "unit_id" not in table:
            return {}
        ids = table["unit_id"].texts()
        cells = table[column].texts() if column in table else [absent] * len(ids)
        return dict(zip(ids, cells, strict=True))


def _ids(cleaned: Cleaned | None, key: str) -> frozenset[str] | None:
    """Names a key column offers, also without stray spaces, so that one slip is told once."""
    if cleaned is None or key not in cleaned.table or not cleaned.table.whole:
        return None
    texts = cleaned.table[key].uniques
    return frozenset(texts) | frozenset(text.strip() for text in texts) - {""}


def _bodies(known: Known, organs_failed: bool) -> frozenset[str] | None:
    """Units and organs; any name where one of them could not be read."""
    units, organs = known.get("units"), known.get("organs")
    if units is None or (organs is None and organs_failed):
        return None
    return frozenset(units) | frozenset(organs or ())


def each_text(column: Column, values: Mapping[str, str]) -> NDArray[np.object_]:
    """Look each cell up in a mapping; the empty text where it has no entry."""
    found = np.array([values.get(text, "") for text in column.uniques], dtype=object)
    return column.take(found)
