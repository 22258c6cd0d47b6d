"""What each table of a year may hold: one line a column.

A column that is not listed is kept as text. A new column is added here, and read where it acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from perfmethod.year.facts import Facts

__all__ = ["MAY_BE_EMPTY", "NAMES", "SCORING", "Field", "fields_of"]

# every table, in the order in which it is read: a table may refer to the ones before it
NAMES = (
    "groups",
    "units",
    "organs",
    "indicators",
    "tasks",
    "actuals",
    "adjustments",
    "vetoes",
    "internal",
    "ballots",
    "timeline",
    "register",
)
SCORING = ("units", "groups", "tasks", "adjustments", "vetoes", "internal", "ballots")
MAY_BE_EMPTY = ("adjustments", "vetoes", "organs", "timeline", "register")


@dataclass(frozen=True)
class Field:
    """What one column holds.

    Parameters
    ----------
    name : str
    kind : str
        ``text``, ``id`` (an identifier), ``value`` (a number, or the name of a level), or a kind
        of number: ``number``, ``positive``, ``not_negative``, ``score``, ``count``.
    known : str
        Set of names (`clean.Known`) that an ``id`` must come from.
    needed : bool
        The column must be there.
    filled : bool
        No cell may be empty.
    default : str or float or None
        Fills the cells of a column that is absent; None leaves the column out. Empty cells of
        numbers get it too.
    """

    name: str
    kind: str = "text"
    known: str = ""
    needed: bool = False
    filled: bool = False
    default: str | float | None = None


def _key(name: str, known: str = "") -> Field:
    return Field(name, "id", known, needed=True, filled=True)


NAN = float("nan")
_TEXT = {
    "groups": "leader_role_zh leader_role_en",
    "units": "subclass_zh subclass_en public_contact org_form leader_role_zh leader_role_en",
    "indicators": "uom_zh uom_en source_document",
    "tasks": "leader_role office person_role",
    "adjustments": "quarter document",
}
_FIELDS: Mapping[str, tuple[Field, ...]] = {
    "groups": (
        _key("group"),
        Field("name_zh", default=""),
        Field("name_en", default=""),
        Field("class", "id", "classes", default=""),
    ),
    "units": (
        _key("unit_id"),
        Field("class", "id", "classes", filled=True),
        Field("group", "id", "groups", filled=True),
        Field("name_zh", default=""),
        Field("name_en", default=""),
        Field("staff", "not_negative"),
    ),
    "organs": (_key("organ_id"),),
    "indicators": (
        _key("indicator_id", "indicators"),
        Field("source", "id", "sources"),
        Field("kind", "id", "kinds"),
        Field("practical_matter", "id", "yes_no"),
        Field("path", "id", "paths"),
        Field("lead_unit_id", "id", "bodies"),
        Field("co_unit_ids"),
        Field("collector_id", "id", "bodies"),
        Field("certifier_id", "id", "bodies"),
    ),
    "tasks": (
        _key("unit_id", "units"),
        _key("indicator_id", "indicators"),
        Field("actual", "value", needed=True),
        Field("target", "value", default=NAN),
        Field("weight", "positive", default=1.0),
        Field("role", default=""),
        Field("status", "id", "task_status", default=""),
        Field("reported", "value"),
        *(Field(q, "value") for q in ("q1", "q2", "q3", "q4")),
    ),
    "adjustments": (
        _key("event_id"),
        _key("unit_id", "units"),
        _key("item", "items"),
        Field("points", "positive", needed=True, filled=True),
        Field("status", "id", "event_status", filled=True, default="confirmed"),
    ),
    "vetoes": (
        _key("event_id"),
        _key("unit_id", "units"),
        _key("veto", "vetoes"),
        _key("status", "event_status"),
    ),
    "internal": (
        _key("unit_id", "units"),
        _key("category", "internal_categories"),
        Field("score", "score", needed=True, filled=True),
        Field("ratings", "count", default=NAN),
    ),
    "ballots": (
        _key("ballot_id"),
        _key("unit_id", "units"),
        _key("rater_id"),
        _key("category", "categories"),
        _key("mode", "modes"),
        Field("batch", default=""),
    ),
    "timeline": (),
    "register": (),
    "actuals": (_key("unit_id", "units"),),
}


def fields_of(table: str, facts: Facts) -> tuple[Field, ...]:
    """Fields of a table under a scheme, which names some of the columns itself."""
    fields = _FIELDS[table] + tuple(Field(name) for name in _TEXT.get(table, "").split())
    if table == "units":
        fields += tuple(Field(c, "positive") for c in sorted(facts.per_columns) if c != "staff")
    if table == "tasks" and facts.scoring is not None:
        fields = tuple(
            replace(f, needed=True, filled=True) if f.name == "status" else f for f in fields
        )
    if table == "actuals":
        fields += tuple(Field(name, "value") for name in facts.classes_of)
    if table == "ballots":
        fields += tuple(Field(d, "id", "options", needed=True) for d in facts.dimensions)
    return fields
