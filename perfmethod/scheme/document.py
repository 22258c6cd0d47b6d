"""`Scheme`: the document of a year, read-only, checked at the door."""

from __future__ import annotations

import hashlib
import inspect
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmethod import normalization
from perfmethod.core import FILLS
from perfmethod.errors import Problem, Problems, SchemeError, suggest
from perfmethod.scheme import paths
from perfmethod.scheme.checks import check, children_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Scheme"]

_DEFAULTS = {"base": 100.0, "missing_task": FILLS[0], "missing_value": FILLS[0]}


@dataclass(frozen=True)
class Scheme:
    """All weights, rules, caps, quotas and thresholds of one year.

    Parameters
    ----------
    document : mapping
        The parsed TOML (``data/README.md`` describes every key).
    file : str
        Name for messages.
    methods : mapping of str to callable, optional
        Normalization functions of the user's own, by the name the document gives them.
    drawn : bool, default False
        The numbers are those of a draw (see `patch`).

    Raises
    ------
    SchemeError
        With every problem of the document.

    Examples
    --------
    >>> scheme = Scheme.loads('''
    ... format = 1
    ... classes.city.nodes = {}
    ... [indicators]
    ... roads = { weight = 3, rule = { method = "identity" } }
    ... water = { weight = 1, rule = { method = "identity" } }
    ... ''')
    >>> scheme.patch({"indicators.roads.weight": 1}).number("indicators.roads.weight")
    1
    """

    document: Mapping[str, Any] = field(repr=False)
    file: str = "scheme.toml"
    methods: Mapping[str, Callable[..., Any]] = field(default_factory=dict, repr=False)
    drawn: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        found = check(self.document, self.file, self.methods, drawn=self.drawn)
        found.raise_any(SchemeError)
        object.__setattr__(self, "document", paths.freeze(self.document))

    def __reduce__(self) -> tuple[Any, ...]:
        # a frozen document cannot be pickled; another process makes the scheme anew
        content = paths.thaw(self.document)
        return type(self), (content, self.file, dict(self.methods), self.drawn)

    def __repr__(self) -> str:
        n = len(self.document["indicators"])
        return (
            f"<Scheme '{self.name('', 'en')}': {len(self.classes)} classes, {n} indicators, "
            f"digest {self.digest[:12]}>"
        )

    @classmethod
    def load(
        cls, path: str | Path, methods: Mapping[str, Callable[..., Any]] | None = None
    ) -> Scheme:
        """Read a scheme from a TOML file.

        Parameters
        ----------
        path : path
        methods : mapping of str to callable, optional
            Normalization functions that the file may name besides `normalization.METHODS`.

        Raises
        ------
        SchemeError
            With every problem, the file's own syntax included.
        """
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            _refuse(str(path), None, error.strerror or "nothing", "a TOML file that can be read")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            _refuse(path.name, line, f"a byte that is not UTF-8 ({data[error.start]:#x})", "UTF-8")
        return cls.loads(text, file=path.name, methods=methods)

    @classmethod
    def loads(
        cls,
        text: str,
        file: str = "scheme.toml",
        methods: Mapping[str, Callable[..., Any]] | None = None,
    ) -> Scheme:
        """Read a scheme from TOML text."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            _refuse(file, None, str(error), "TOML (a key or table may stand only once)")
        return cls(document, file, dict(methods or {}))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Identifiers of the classes, in file order."""
        return tuple(self.document["classes"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: the same for any layout, comments or order of the file.

        A user's own method counts by its qualified name and source.
        """
        content = _canonical(self.document)
        levels = list(self.document.get("grades", {}).get("levels", {}))  # here the order matters
        own = {name: _source(f) for name, f in sorted(self.methods.items())}
        text = json.dumps([content, levels, own], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def name(self, path: str, lang: str = "zh") -> str:
        """Name of the table at a path, in Chinese (``zh``) or English (``en``).

        The last key of the path stands in where no name is given.
        """
        node = paths.get(self.document, path) if path else self.document
        name = node.get("name", {})
        if isinstance(name, str):
            return name
        last = path.rpartition(".")[2] if path else self.file
        return str(name.get(lang) or next(iter(name.values()), last))

    def parents(self, class_id: str) -> dict[str, str]:
        """``{node: parent}`` in a class; the root is the empty string."""
        return children_of(self.document, class_id)

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """Every value that a patch or a draw may change, by dotted path, defaults included."""
        found = {path: value for path, value in paths.walk(self.document) if _varies(path, value)}
        return paths.freeze(dict(_defaults(self.document)) | found)

    def number(self, path: str) -> Any:
        """Value at a dotted path, or its default.

        Raises
        ------
        KeyError
            With the nearest known path.
        """
        if path not in self.numbers:
            raise KeyError(f"{path!r} is not a number of the scheme; {suggest(path, self.numbers)}")
        return self.numbers[path]

    def patch(self, changes: Mapping[str, Any], *, drawn: bool = False) -> Scheme:
        """Scheme with other values at some dotted paths; None removes a key.

        Parameters
        ----------
        changes : mapping of str to value
            E.g. ``{"adjustments.bonus_cap": 30, "indicators.P001.rule.cap": 1.2}``.
        drawn : bool, default False
            The values are those of a draw, not of a document to be signed: weights need not sum to
            `weights_sum`, and least totals may be out of the reach of the base, so that what a
            draw does can be seen.

        Raises
        ------
        SchemeError
            If a path leads nowhere or the changed scheme has a problem.
        """
        document = paths.thaw(self.document)
        problems = Problems(self.file)
        for path, value in changes.items():
            try:
                self._write_out(document, path)
                paths.put(document, path, paths.thaw(value))
            except KeyError:
                problems.add(f"'{path}'", suggest(path, self.numbers), row="patch")
        problems.raise_any(SchemeError)
        return Scheme(document, self.file, self.methods, drawn or self.drawn)

    def _write_out(self, document: dict[str, Any], path: str) -> None:
        """Write a rule's default list into the document before one of its values changes."""
        whole, _, position = path.rpartition(".")
        first = f"{whole}.0"
        if position.isdecimal() and first in self.numbers and not paths.has(document, whole):
            values = [v for p, v in self.numbers.items() if p.rpartition(".")[0] == whole]
            paths.put(document, whole, values)

    def with_weights(self, weights: Mapping[str, float]) -> Scheme:
        """Scheme with other weights.

        Parameters
        ----------
        weights : mapping of str to float
            Keys are nodes or indicators (in every class that has them), ``class.node`` for one
            class, or dotted paths.

        Raises
        ------
        SchemeError
            If a name is unknown, or weights no longer sum to what the scheme says.
        """
        changes: dict[str, Any] = {}
        problems = Problems(self.file)
        for name, weight in weights.items():
            found = list(self._weight_paths(name))
            if not found:
                known = {c for k in self.classes for c in self.parents(k)}
                problems.add(f"'{name}'", suggest(name, known), row="weights")
            changes.update(dict.fromkeys(found, weight))
        problems.raise_any(SchemeError)
        return self.patch(changes)

    def _weight_paths(self, name: str) -> Iterator[str]:
        if name.endswith(".weight") and name in self.numbers:
            yield name
        elif name in self.document["indicators"]:
            yield f"indicators.{name}.weight"
        class_id, _, node = name.rpartition(".")
        for c in [class_id] if class_id else self.classes:
            if node in self.document["classes"].get(c, {}).get("nodes", {}):
                yield f"classes.{c}.nodes.{node}.weight"

    def diff(self, other: Scheme) -> pd.DataFrame:
        """Differences to another scheme.

        Returns
        -------
        DataFrame
            Index ``path``, columns ``old`` (here) and ``new`` (there); None where a key is absent.
        """
        import pandas as pd

        old, new = (dict(paths.walk(s.document)) for s in (self, other))
        changed = [p for p in {**old, **new} if old.get(p) != new.get(p)]
        rows = {p: {"old": old.get(p), "new": new.get(p)} for p in changed}
        frame = pd.DataFrame(
            {
                side: pd.Series([r[side] for r in rows.values()], dtype=object)
                for side in ("old", "new")
            }
        )
        return frame.set_axis(pd.Index(list(rows), name="path"))

    def dumps(self) -> str:
        """The document as TOML text."""
        import tomli_w

        return tomli_w.dumps(paths.thaw(self.document))

    def save(self, path: str | Path) -> None:
        """Write the document to a TOML file."""
        Path(path).write_text(self.dumps(), encoding="utf-8", newline="\n")


def _refuse(file: str, row: int | None, found: str, allowed: str) -> None:
    raise SchemeError([Problem(file, row, None, found, allowed)])


def _canonical(node: Any) -> Any:
    """Content without layout: 60 and 60.0 are the same number."""
    if isinstance(node, Mapping):
        return {k: _canonical(v) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [_canonical(v) for v in node]
    return float(node) if isinstance(node, int) and not isinstance(node, bool) else node


def _source(function: Callable[..., Any]) -> str:
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = repr(getattr(function, "__code__", function))
    return f"{getattr(function, '__qualname__', '')}\n{text}"


def _varies(path: str, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_fill = value in FILLS and path.rpartition(".")[2] in ("missing", *_DEFAULTS)
    return (is_number or is_fill) and path not in ("format", "year", "display_decimals")


def _defaults(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths that the document may leave out, with the value they then have."""
    yield from _DEFAULTS.items()
    for class_id, value in document["classes"].items():
        yield f"classes.{class_id}.power", 1.0
        for node in value.get("nodes", {}):
            at = f"classes.{class_id}.nodes.{node}"
            yield from {f"{at}.weight": 1.0, f"{at}.power": 1.0}.items()
    for indicator, entry in document["indicators"].items():
        yield f"indicators.{indicator}.weight", 1.0
        yield from _rule_defaults(f"indicators.{indicator}.rule", entry["rule"])
    for block, tables in {"survey": ("categories", "modes"), "internal": ("categories",)}.items():
        for kind in tables:
            for entry_id, entry in document.get(block, {}).get(kind, {}).items():
                if not isinstance(entry.get("weight"), Mapping):
                    yield f"{block}.{kind}.{entry_id}.weight", 1.0


def _rule_defaults(at: str, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    rule = normalization.METHODS.get(given["method"])
    for name, default in rule.parameters.items() if rule else ():
        if name in given:
            continue
        if isinstance(default, tuple):
            yield from ((f"{at}.{name}.{j}", value) for j, value in enumerate(default))
        elif isinstance(default, int | float) and not isinstance(default, bool):
            yield f"{at}.{name}", default
