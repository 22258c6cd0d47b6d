"""The tables of one year: read, checked once at the door, kept as data frames."""

from __future__ import annotations

from perfmethod.year.facts import SchemeLike
from perfmethod.year.model import Year
from perfmethod.year.source import find_scheme

__all__ = ["SchemeLike", "Year", "find_scheme"]
