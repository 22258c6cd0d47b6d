"""Checks across the tables of a scheme; every problem is collected, none is mended."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from perfmethod import normalization
from perfmethod.errors import Problems, suggest
from perfmethod.scheme.fields import (
    check_table,
    describe,
    four_shares,
    number,
)
from perfmethod.scheme.grades import check_grades, check_reach

__all__ = ["check", "children_of", "parent_in"]

Document = Mapping[str, Any]
RESERVED = frozenset(
    [
        "unit_id",
        "name",
        "class",
        "group",
        "bonus",
        "deduction",
        "total",
        "rank",
        "group_rank",
        "grade",
        "note",
    ]
)
ID = re.compile(r"[\w-]+")  # no dots: dotted paths address the entries
NOT_PARAMETERS = ("method", "names")  # keys of a rule that its function does not take


def check(
    document: Document,
    file: str,
    methods: Mapping[str, Callable[..., Any]],
    *,
    drawn: bool = False,
) -> Problems:
    """Check a whole document.

    Parameters
    ----------
    document : mapping
        The parsed TOML.
    file : str
        Name for the messages.
    methods : mapping
        Normalization functions that the user brings along, by name.
    drawn : bool, default False
        The numbers are those of a draw, which weights_sum and the reach of totals do not bind.

    Returns
    -------
    Problems
        Empty where the scheme is sound.
    """
    problems = Problems(file)
    if not check_table(problems, "scheme", "scheme", document):
        return problems
    if number(document.get("format")) is None and document["format"] != 1:
        problems.add(describe(document["format"]), "1", row="scheme", column="format")
    _check_simple_tables(problems, document)
    for indicator, entry in entries(document, "indicators"):
        if check_table(problems, f"indicators.{indicator}", "indicator", entry):
            _check_rule(problems, f"indicators.{indicator}", entry, methods)
    if not problems.items:  # the trees make sense only on sound tables
        _check_trees(problems, document, drawn)
        _check_references(problems, document)
        check_grades(problems, document)
    if not problems.items and not drawn:
        check_reach(problems, document, methods)
    return problems


def entries(document: Document, *keys: str) -> Iterator[tuple[str, Any]]:
    """Items of a table of tables; nothing where it is absent or no table."""
    node: Any = document
    for key in keys:
        node = node.get(key, {}) if isinstance(node, Mapping) else {}
    yield from node.items() if isinstance(node, Mapping) else ()


# table of tables -> kind of its entries
_GROUPS = {
    ("survey", "options"): "option",
    ("survey", "categories"): "category",
    ("survey", "modes"): "mode",
    ("internal", "categories"): "category",
    ("adjustments", "items"): "item",
    ("vetoes",): "veto",
    ("grades", "levels"): "level",
    ("results",): "result",
}


def _check_simple_tables(problems: Problems, document: Document) -> None:
    for key in ("certification", "survey", "internal", "adjustments", "grades", "supervision"):
        if key in document:
            check_table(problems, key, key, document[key])
    for keys, kind in _GROUPS.items():
        for entry, value in entries(document, *keys):
            check_table(problems, ".".join((*keys, entry)), kind, value)
    for class_id, value in entries(document, "classes"):
        if check_table(problems, f"classes.{class_id}", "class", value):
            for node, entry in entries(value, "nodes"):
                check_table(problems, f"classes.{class_id}.nodes.{node}", "node", entry)
    if not problems.items:
        _check_values(problems, document)


def _check_values(problems: Problems, document: Document) -> None:
    _check_ids(problems, document)
    if not document["classes"]:
        problems.add("no class", "at least one class", row="classes")
    for path, value in entries(document, "supervision", "paths"):
        if allowed := four_shares(value):
            problems.add(describe(value), allowed, row="supervision.paths", column=path)
    status = document.get("supervision", {}).get("status")
    if status is not None:
        check_table(problems, "supervision.status", "status", status)
    for option, _ in entries(document, "survey", "options"):
        if not option.isdecimal():
            problems.add(f"'{option}'", "a whole number as code", row="survey.options")
    scored = [o for _, o in entries(document, "survey", "options") if "score" in o]
    if "survey" in document and not scored:
        problems.add("no option with a score", "at least one", row="survey.options")


def _check_ids(problems: Problems, document: Document) -> None:
    for class_id, value in document["classes"].items():
        for node in sorted(RESERVED.intersection(value.get("nodes", {}))):
            place = f"classes.{class_id}.nodes"
            problems.add(f"'{node}'", "another id: results have a column of this name", row=place)
    groups = [("classes",), ("indicators",), *_GROUPS]
    groups += [("classes", class_id, "nodes") for class_id in document["classes"]]
    for keys in groups:
        for entry, _ in entries(document, *keys):
            if not ID.fullmatch(entry):
                problems.add(f"'{entry}'", "letters, digits, _ and -", row=".".join(keys))


def _check_rule(
    problems: Problems,
    where: str,
    entry: Document,
    methods: Mapping[str, Callable[..., Any]],
) -> None:
    rule = entry.get("rule")
    if not isinstance(rule, Mapping):
        return
    method = rule.get("method")
    if not isinstance(method, str):
        problems.add(describe(method), "the name of a rule", row=f"{where}.rule", column="method")
        return
    parameters = {k: v for k, v in rule.items() if k not in NOT_PARAMETERS}
    direction = -1 if entry.get("direction") == "negative" else 1
    for found, allowed in normalization.check(
        methods.get(method, method), parameters, direction=direction
    ):
        problems.add(found, allowed, row=f"{where}.rule")
    if "names" in rule:
        scores = rule.get("scores", ())
        if not isinstance(rule["names"], list | tuple) or len(rule["names"]) != len(scores):
            problems.add(
                describe(rule["names"]), "one name per score", row=f"{where}.rule", column="names"
            )


def parent_in(entry: Document, class_id: str, nodes: Mapping[str, Any]) -> str | None:
    """Node on which an indicator hangs in a class; None where it does not stand there."""
    parent = entry.get("parent", "")
    if isinstance(parent, Mapping):
        found = parent.get(class_id)
        return None if found is None else str(found)
    return str(parent) if not parent or parent in nodes else None


def children_of(document: Document, class_id: str) -> dict[str, str]:
    """``{node: parent}`` of a class: its nodes, then the indicators that hang on them."""
    nodes = document["classes"][class_id].get("nodes", {})
    parents = {node: entry.get("parent", "") for node, entry in nodes.items()}
    for indicator, entry in document["indicators"].items():
        parent = parent_in(entry, class_id, nodes)
        if parent is not None:
            parents[indicator] = parent
    return parents


def _check_trees(problems: Problems, document: Document, drawn: bool) -> None:
    for class_id, value in document["classes"].items():
        nodes, where = value.get("nodes", {}), f"classes.{class_id}.nodes"
        for twice in sorted(set(nodes) & set(document["indicators"])):
            problems.add(f"'{twice}' twice", "one id for one node or indicator", row=where)
        for node, entry in nodes.items():
            parent = entry.get("parent", "")
            if parent and parent not in nodes:
                problems.add(f"'{parent}'", suggest(parent, nodes), row=f"{where}.{node}",
                             column="parent")  # fmt: skip
        loop = _cycle({n: e.get("parent", "") for n, e in nodes.items()})
        if loop:
            problems.add(" > ".join(loop), "a tree without cycles", row=where)
        else:
            _check_families(problems, document, class_id, drawn)
            _check_assessors(problems, nodes, where)
    _check_parents(problems, document)


def _cycle(parents: Mapping[str, str]) -> list[str]:
    for start in parents:
        way = [start]
        while (up := parents.get(way[-1], "")) and up in parents:
            if up in way:
                return [*way[way.index(up) :], up]
            way.append(up)
    return []


def _check_families(problems: Problems, document: Document, class_id: str, drawn: bool) -> None:
    """Leaves where leaves belong, and weights that sum to what the scheme says."""
    value, where = document["classes"][class_id], f"classes.{class_id}.nodes"
    nodes, parents = value.get("nodes", {}), children_of(document, class_id)
    wanted = None if drawn else value.get("weights_sum", document.get("weights_sum"))
    families: dict[str, list[str]] = {}
    for child, parent in parents.items():
        families.setdefault(parent, []).append(child)
    for node, entry in nodes.items():
        leaf = "survey" in entry or entry.get("internal", False)
        if leaf and node in families:
            problems.add(f"children {families[node]}", "none: it is fed by ratings",
                         row=f"{where}.{node}")  # fmt: skip
        elif not leaf and node not in families:
            problems.add("a node without children", "a node or an indicator under it, or "
                         "survey = ..., or internal = true", row=f"{where}.{node}")  # fmt: skip
    for parent, family in families.items():
        place = f"{where}.{parent}" if parent else f"classes.{class_id}"
        weights = [_weight(document, nodes, child) for child in family]
        if sum(weights) <= 0:
            problems.add(f"weights {weights}", "at least one weight above 0", row=place)
        inner = [w for w, child in zip(weights, family, strict=True) if child in nodes]
        if wanted is not None and len(inner) == len(family) and abs(sum(inner) - wanted) > 1e-9:
            shown = ", ".join(f"{c} {w:g}" for c, w in zip(family, weights, strict=True))
            problems.add(
                f"weights that sum to {sum(inner):g} ({shown})", f"a sum of {wanted:g}", row=place
            )


def _check_assessors(problems: Problems, nodes: Mapping[str, Any], where: str) -> None:
    """No node is both shared by all groups and each group's own."""
    for node, entry in nodes.items():
        word, up = entry.get("assessors"), entry.get("parent", "")
        while word and up in nodes:
            above = nodes[up].get("assessors", word)
            if above != word:
                found = f"'{word}' below '{up}', which is '{above}'"
                problems.add(found, f"'{above}', or no such key at '{up}'", row=f"{where}.{node}",
                             column="assessors")  # fmt: skip
            up = nodes[up].get("parent", "")


def _weight(document: Document, nodes: Mapping[str, Any], child: str) -> float:
    entry = nodes[child] if child in nodes else document["indicators"][child]
    return float(entry.get("weight", 1.0))


def _check_parents(problems: Problems, document: Document) -> None:
    classes = document["classes"]
    if not document["indicators"] and not any(c.get("nodes") for c in classes.values()):
        problems.add("nothing to score", "indicators, or nodes fed by ratings", row="indicators")
    for indicator, entry in document["indicators"].items():
        where = f"indicators.{indicator}"
        parent = entry.get("parent", "")
        places = parent.items() if isinstance(parent, Mapping) else [(c, parent) for c in classes]
        hung = 0
        for class_id, node in places:
            if class_id not in classes:
                problems.add(f"'{class_id}'", suggest(class_id, classes), row=where,
                             column="parent")  # fmt: skip
                continue
            nodes = classes[class_id].get("nodes", {})
            hung += not node or node in nodes
            if isinstance(parent, Mapping) and node and node not in nodes:
                problems.add(f"'{node}'", suggest(str(node), nodes), row=where, column="parent")
        if not hung and not isinstance(parent, Mapping):
            known = {n for c in classes.values() for n in c.get("nodes", {})}
            problems.add(f"'{parent}'", suggest(parent, known), row=where, column="parent")


def _check_references(problems: Problems, document: Document) -> None:
    """Keys that must name something else in the scheme."""
    levels = document.get("grades", {}).get("levels", {})
    for name, known, row, column in _references(document, levels):
        if name not in known:
            problems.add(f"'{name}'", suggest(name, known), row=row, column=column)
    for class_id, value in document["classes"].items():
        for node, entry in value.get("nodes", {}).items():
            for source in ("survey", "internal"):
                if entry.get(source) and source not in document:
                    where = f"classes.{class_id}.nodes.{node}"
                    problems.add(
                        f"no table [{source}]", f"a table [{source}]", row=where, column=source
                    )


def _references(
    document: Document, levels: Document
) -> Iterator[tuple[str, Collection[str], str, str]]:
    """(name, the known ones, table, key) for every key that names something else."""
    classes = document["classes"]
    nodes = {n for c in classes.values() for n in c.get("nodes", {})}
    for veto, entry in entries(document, "vetoes"):
        if entry["effect"] == "cap":
            yield entry.get("grade", ""), levels, f"vetoes.{veto}", "grade"
    for key in document.get("grades", {}).get("ties", ()):
        yield key, nodes, "grades", "ties"
    for result, entry in entries(document, "results"):
        yield from ((g, levels, f"results.{result}", "by_grade") for g in entry["by_grade"])
    for item, entry in entries(document, "adjustments", "items"):
        where = f"adjustments.items.{item}"
        yield from ((c, classes, where, "classes") for c in entry.get("classes", ()))
    for block in ("survey", "internal"):
        for category, entry in entries(document, block, "categories"):
            where, by_class = f"{block}.categories.{category}", entry.get("weight")
            if isinstance(by_class, Mapping):
                yield from ((c, classes, where, "weight") for c in by_class)
