"""A proposal: a small file of changes that names the scheme it changes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfmethod.errors import Problem, SchemeError
from perfmethod.scheme.document import Scheme
from perfmethod.scheme.paths import walk

__all__ = ["Proposal"]


@dataclass(frozen=True)
class Proposal:
    """Changes to one particular scheme.

    Parameters
    ----------
    base : str
        Digest of the scheme that the changes are meant for.
    changes : mapping of str to value
        Dotted path and new value.
    name : str
        What the proposal is called.

    Examples
    --------
    >>> scheme = Scheme.loads('format = 1\\nclasses.city = {}\\n'
    ...                       'indicators.roads = { rule = { method = "identity" } }')
    >>> proposal = Proposal.of(scheme, {"indicators.roads.weight": 2}, name="roads count double")
    >>> proposal.apply(scheme).number("indicators.roads.weight")
    2
    >>> proposal.base == scheme.digest
    True
    """

    base: str
    changes: Mapping[str, Any]
    name: str = ""

    @classmethod
    def of(cls, scheme: Scheme, changes: Mapping[str, Any], name: str = "") -> Proposal:
        """Propose changes to a scheme; they are checked at once."""
        scheme.patch(changes)
        return cls(scheme.digest, dict(changes), name)

    @classmethod
    def between(cls, old: Scheme, new: Scheme, name: str = "") -> Proposal:
        """The proposal that turns one scheme into another."""
        changes = old.diff(new)["new"]
        return cls.of(old, dict(zip(map(str, changes.index), changes, strict=True)), name)

    @classmethod
    def load(cls, path: str | Path) -> Proposal:
        """Read a proposal file: ``base``, ``name`` and a table ``changes``.

        Raises
        ------
        SchemeError
            If the file is not of this form.
        """
        file = Path(path).name
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SchemeError([Problem(file, None, None, str(error), "a TOML file")]) from None
        unknown = set(content) - {"base", "name", "changes"}
        wrong = not isinstance(content.get("base"), str) or not isinstance(
            content.get("changes"), Mapping
        )
        if wrong or unknown:
            found = f"the keys {sorted(content)}"
            allowed = "base = digest, name = text, and a table [changes]"
            raise SchemeError([Problem(file, None, None, found, allowed)])
        return cls(content["base"], dict(walk(content["changes"])), str(content.get("name", "")))

    def save(self, path: str | Path) -> None:
        """Write the proposal to a TOML file."""
        import tomli_w

        content = {"base": self.base, "name": self.name, "changes": dict(self.changes)}
        Path(path).write_text(tomli_w.dumps(content), encoding="utf-8", newline="\n")

    def apply(self, scheme: Scheme) -> Scheme:
        """Scheme with the changes made.

        Raises
        ------
        SchemeError
            If this is another scheme than the one the proposal names.
        """
        if scheme.digest != self.base:
            found = f"the scheme {scheme.digest[:12]} ({scheme.file})"
            allowed = f"the scheme {self.base[:12]}, for which the proposal was written"
            raise SchemeError([Problem(self.name or "proposal", None, "base", found, allowed)])
        return scheme.patch(self.changes)
