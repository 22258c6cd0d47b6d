"""What can be wrong with the tables of a year whatever its scheme says."""

from __future__ import annotations

from pathlib import Path

from perfmethod.errors import InputError, Problem
from perfmethod.year import source
from perfmethod.year.build import check_present
from perfmethod.year.clean import repeated
from perfmethod.year.context import Context
from perfmethod.year.facts import NO_SCHEME
from perfmethod.year.report import Report

__all__ = ["problems_alone"]

# columns that are together a row's name
_KEYS = {
    "groups": ("group",),
    "units": ("unit_id",),
    "indicators": ("indicator_id",),
    "tasks": ("unit_id", "indicator_id"),
    "actuals": ("unit_id",),
    "adjustments": ("event_id",),
    "vetoes": ("event_id",),
    "internal": ("unit_id", "category"),
    "ballots": ("ballot_id",),
}


def problems_alone(path: str | Path) -> tuple[Problem, ...]:
    """Check the tables of a year whose scheme cannot be read.

    Files, headers, repeated names, units that no table knows, and numbers of points, weights,
    scores and staff; what only the scheme can say (names of indicators, categories, options and
    levels, targets, quotas) waits for it.

    Parameters
    ----------
    path : path
        A year folder, or a workbook.

    Returns
    -------
    tuple of Problem
    """
    report = Report()
    try:
        raw = source.read(Path(path), report)
    except InputError as error:
        return error.problems
    check_present(raw, NO_SCHEME, report)
    context = Context.of(raw, NO_SCHEME, "", report)
    for name, keys in _KEYS.items():
        if name in context.cleaned and context.cleaned[name].has(*keys):
            repeated(context.cleaned[name].table, keys, report)
    return tuple(report.problems)
