"""Dotted paths into a scheme's document: one way to address a number everywhere.

Identifiers hold no dots (`checks` sees to it), so a path needs no quoting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

__all__ = ["freeze", "get", "has", "put", "thaw", "walk"]


def walk(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a document with its path, in file order.

    Examples
    --------
    >>> list(walk({"a": {"b": 1, "c": [2, 3]}}))
    [('a.b', 1), ('a.c.0', 2), ('a.c.1', 3)]
    """
    if isinstance(node, Mapping):
        items = list(node.items())
    elif isinstance(node, list | tuple):
        items = [(str(i), v) for i, v in enumerate(node)]
    else:
        yield path, node
        return
    for key, value in items:
        yield from walk(value, f"{path}.{key}" if path else key)


def get(document: Any, path: str) -> Any:
    """Value at a path.

    Raises
    ------
    KeyError
        If there is none.
    """
    node = document
    for key in path.split("."):
        try:
            node = node[int(key)] if isinstance(node, list | tuple) else node[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise KeyError(path) from None
    return node


def has(document: Any, path: str) -> bool:
    """Whether there is a value at a path."""
    try:
        get(document, path)
    except KeyError:
        return False
    return True


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path, making tables on the way; None removes it.

    Raises
    ------
    KeyError
        If the path leads through something that is not a table or a list, or removes nothing.
    """
    *way, last = path.split(".")
    node: Any = document
    for key in way:
        if isinstance(node, list):
            node = node[_position(node, key, path)]
        elif isinstance(node, dict):
            node = node.setdefault(key, {})
        else:
            raise KeyError(path)
    if isinstance(node, list):
        node[_position(node, last, path)] = value
    elif not isinstance(node, dict) or (value is None and last not in node):
        raise KeyError(path)
    elif value is None:
        del node[last]
    else:
        node[last] = value


def _position(node: list[Any], key: str, path: str) -> int:
    if not key.isdecimal() or int(key) >= len(node):
        raise KeyError(path)
    return int(key)


def freeze(node: Any) -> Any:
    """Make a document read-only, all the way down."""
    if isinstance(node, Mapping):
        return MappingProxyType({k: freeze(v) for k, v in node.items()})
    return tuple(freeze(v) for v in node) if isinstance(node, list | tuple) else node


def thaw(node: Any) -> Any:
    """Copy a frozen document into plain dicts and lists of Python's own numbers and texts."""
    if isinstance(node, Mapping):
        return {k: thaw(v) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [thaw(v) for v in node]
    return node.item() if isinstance(node, np.generic) else node  # numbers as a file would hold
