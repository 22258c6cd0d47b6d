"""`Year`: the checked tables of one year under one scheme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from perfmethod import __version__
from perfmethod.errors import SchemeError
from perfmethod.scheme import Scheme
from perfmethod.year import source, write
from perfmethod.year.alone import problems_alone
from perfmethod.year.build import build, spell_levels
from perfmethod.year.facts import Facts, SchemeLike
from perfmethod.year.quota import check_quota
from perfmethod.year.report import Report
from perfmethod.year.spec import NAMES
from perfmethod.year.table import keys_as_columns

__all__ = ["Year"]


@dataclass(frozen=True, eq=False, repr=False)
class Year:
    """The tables of one year: units, tasks, events, ballots.

    Made by `load` or `from_frames`, which check every cell. Each property gives a copy, so a year
    never changes; `replace` makes another one. Missing numbers are NaN, missing text is empty.

    Parameters
    ----------
    scheme : scheme
    tables : mapping of str to DataFrame
        Checked tables by name.
    name : str
        Folder or workbook.
    notes : tuple of str
        What was read but may surprise: another encoding, formulas, units without ballots.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> scheme = SimpleNamespace(file="scheme.toml", classes=("city",), document={
    ...     "classes": {"city": {}}, "indicators": {"roads": {"rule": {"method": "identity"}}}})
    >>> year = Year.from_frames(scheme, actuals=pd.DataFrame({"unit_id": ["A"], "roads": [90]}))
    >>> year
    <Year 'in memory': 1 unit in 1 class, 1 task>
    """

    scheme: Any
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    name: str = "in memory"
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: str | Path, scheme: SchemeLike | None = None) -> Year:
        """Read a year.

        Parameters
        ----------
        path : path
            A folder with CSV tables, or an .xlsx workbook with the same names as sheets.
        scheme : scheme, optional
            The scheme to check the tables against; by default the one that `find_scheme` finds.

        Raises
        ------
        SchemeError
            With every problem of the scheme, where it is read here, and those of the tables that
            can be seen without it.
        DataError
            With every problem of every table: file, row, column, what was found, what is allowed.
        """
        if scheme is None:
            scheme = cls.scheme_for(path, source.find_scheme(path))
        report = Report()
        raw = source.read(Path(path), report)
        return cls._checked(scheme, raw, report)

    @staticmethod
    def scheme_for(path: str | Path, file: str | Path) -> Scheme:
        """Read the scheme that the tables of a year are to be checked against.

        Parameters
        ----------
        path : path
            The year's folder or workbook.
        file : path
            The scheme.

        Raises
        ------
        SchemeError
            With every problem of the scheme, and those of the tables that need no scheme to be
            seen.
        """
        try:
            return Scheme.load(file)
        except SchemeError as error:
            raise SchemeError([*error.problems, *problems_alone(path)]) from None

    @classmethod
    def from_frames(
        cls,
        scheme: SchemeLike,
        *,
        units: pd.DataFrame | None = None,
        tasks: pd.DataFrame | None = None,
        actuals: pd.DataFrame | None = None,
        indicators: pd.DataFrame | None = None,
        adjustments: pd.DataFrame | None = None,
        vetoes: pd.DataFrame | None = None,
        internal: pd.DataFrame | None = None,
        ballots: pd.DataFrame | None = None,
        groups: pd.DataFrame | None = None,
        organs: pd.DataFrame | None = None,
        timeline: pd.DataFrame | None = None,
        register: pd.DataFrame | None = None,
        name: str = "in memory",
    ) -> Year:
        """Make a year of data frames, with the same checks.

        Parameters
        ----------
        scheme : scheme
        units : DataFrame, optional
            By default the units of `actuals` or `tasks`, all of the only class.
        tasks, actuals : DataFrame, optional
            One of the two: a row for each unit and indicator, or a column for each indicator.
            A level stands there by its name or its position.
        indicators, adjustments, vetoes, internal, ballots : DataFrame, optional
        groups, organs, timeline, register : DataFrame, optional
            Columns as in the files; keys may stand in a named index.
        name : str

        Raises
        ------
        DataError
            As in `load`; a row is named by its index label.
        """
        values = tasks if tasks is not None else actuals
        if units is None and values is not None:
            ids = keys_as_columns(values).get("unit_id", pd.Series(dtype="str"))
            units = pd.DataFrame({"unit_id": ids.unique()})
        levels = Facts.of(scheme).levels
        if tasks is not None:
            tasks = spell_levels(keys_as_columns(tasks), levels)
        frames = {
            "groups": groups, "units": units, "organs": organs, "indicators": indicators,
            "tasks": tasks, "actuals": actuals, "adjustments": adjustments, "vetoes": vetoes,
            "internal": internal, "ballots": ballots, "timeline": timeline, "register": register,
        }  # fmt: skip
        report = Report()
        return cls._checked(scheme, source.read_frames(frames, name, report), report)

    @classmethod
    def _checked(cls, scheme: SchemeLike, raw: source.Raw, report: Report) -> Year:
        frames = build(raw, scheme, Facts.of(scheme), report)
        return cls(scheme, frames, raw.name, tuple(report.notes))

    def _table(self, name: str) -> pd.DataFrame | None:
        # copies are lazy: nothing is copied until somebody writes
        return self.tables[name].copy(deep=False) if name in self.tables else None

    @property
    def units(self) -> pd.DataFrame:
        """Units by ``unit_id``: class, group, names and what else the file has."""
        return self.tables["units"].copy(deep=False)

    @property
    def groups(self) -> pd.DataFrame:
        """Groups; those of the units where there is no table of them."""
        return self.tables["groups"].copy(deep=False)

    @property
    def indicators(self) -> pd.DataFrame | None:
        """Descriptions of the indicators."""
        return self._table("indicators")

    @property
    def tasks(self) -> pd.DataFrame | None:
        """One row a task; ``actual`` and ``target`` are numbers, a level its position from 0."""
        return self._table("tasks")

    @property
    def adjustments(self) -> pd.DataFrame | None:
        """Bonus and deduction events."""
        return self._table("adjustments")

    @property
    def vetoes(self) -> pd.DataFrame | None:
        """Veto events."""
        return self._table("vetoes")

    @property
    def internal(self) -> pd.DataFrame | None:
        """Internal scores by unit and category."""
        return self._table("internal")

    @property
    def ballots(self) -> pd.DataFrame | None:
        """One row a ballot; labels are categorical, answers option codes, NaN where not asked."""
        return self._table("ballots")

    @property
    def organs(self) -> pd.DataFrame | None:
        """Organs that take part; text."""
        return self._table("organs")

    @property
    def timeline(self) -> pd.DataFrame | None:
        """Events of the year; text."""
        return self._table("timeline")

    @property
    def register(self) -> pd.DataFrame | None:
        """Documents and other lists that the tables refer to; text."""
        return self._table("register")

    def unit_names(self, lang: str = "zh") -> pd.Series[str]:
        """Name of every unit, by unit_id: in the language, else in the other, else its id.

        Units of the same name are told apart by their id, so that a name stands for one unit.
        """
        names = _names(self.units, lang)
        twice = names.duplicated(keep=False)
        return names.where(~twice, names + " (" + names.index.astype(str) + ")")

    def group_names(self, lang: str = "zh") -> pd.Series[str]:
        """Code and name of every group, by group; the code alone where it has no name."""
        table = self.groups.set_index("group")
        names = _names(table, lang)
        codes = pd.Series(table.index.astype(str), index=table.index)
        return codes.where(names == codes, codes + " " + names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content of every table that decides scores.

        The same for CSV, workbook and data frames and for any order of columns; the order of
        rows counts, because seeded resampling depends on it.
        """
        return write.digest(self.tables)

    @property
    def meta(self) -> dict[str, Any]:
        """Where a result comes from: digests of scheme and data, version of the package."""
        scheme = getattr(self.scheme, "digest", "")
        return {"scheme": scheme, "data": self.digest, "version": __version__}

    def replace(self, **tables: pd.DataFrame | None) -> Year:
        """Year with other tables, checked again; None takes a table out."""
        return self._again(self.scheme, tables)

    def with_scheme(self, scheme: SchemeLike) -> Year:
        """Year under another scheme, checked again as far as the schemes differ.

        Raises
        ------
        DataError
            As in `load`.
        """
        if Facts.of(scheme) != Facts.of(self.scheme):
            return self._again(scheme, {})
        report, units = Report(), self.units
        classes, groups = (
            dict(zip(units.index, units[c], strict=True)) for c in ("class", "group")
        )
        check_quota(scheme, classes, groups, report)
        report.raise_any()
        year = replace(self, scheme=scheme)
        if "digest" in vars(self):  # the same tables: no need to read them all again
            vars(year)["digest"] = self.digest
        return year

    def _again(self, scheme: SchemeLike, tables: Mapping[str, pd.DataFrame | None]) -> Year:
        year = type(self).from_frames(scheme, **({**self._spelt(), **tables}), name=self.name)
        return replace(year, notes=tuple(dict.fromkeys((*self.notes, *year.notes))))

    def _spelt(self) -> dict[str, pd.DataFrame]:
        """Tables as a file holds them: keys as columns, levels by name."""
        frames = {name: self.tables[name] for name in NAMES if name in self.tables}
        if "tasks" in frames:
            frames["tasks"] = spell_levels(frames["tasks"], Facts.of(self.scheme).levels)
        return frames | {"units": frames["units"].reset_index()}

    def save(self, folder: str | Path) -> None:
        """Write the tables as CSV files (``ballots.csv.gz``); the scheme saves itself.

        Raises
        ------
        DataError
            If the folder holds a table that this year would not replace.
        """
        write.save_folder(self._spelt(), Facts.of(self.scheme), Path(folder))

    def save_xlsx(self, path: str | Path) -> None:
        """Write the tables as sheets of a workbook; no text becomes a formula."""
        write.save_workbook(self._spelt(), Facts.of(self.scheme), Path(path))

    def __repr__(self) -> str:
        units = self.tables["units"]
        parts = [f"{_many(len(units), 'unit')} in {_many(units['class'].nunique(), 'class')}"]
        for table in ("tasks", "ballots"):
            if table in self.tables:
                parts.append(_many(len(self.tables[table]), table.removesuffix("s")))
        if self.notes:
            parts.append(_many(len(self.notes), "note"))
        return f"<Year '{self.name}': {', '.join(parts)}>"


def _many(n: int, noun: str) -> str:
    """A number with its noun."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{n:,} {noun if n == 1 else plural}"


def _names(table: pd.DataFrame, lang: str) -> pd.Series[str]:
    """Names of the rows of a table, by its index: the other language or the key where empty."""
    names = pd.Series(table.index.astype(str), index=table.index)
    for column in ("name_en", "name_zh") if lang == "zh" else ("name_zh", "name_en"):
        if column in table:
            given = table[column].astype(str)
            names = given.where(table[column].notna() & (given != ""), names)
    return names
