"""What each command does; heavy modules are imported only by the command that needs them."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perfmethod.cli._say import SAID, say_check, say_evaluation, say_supervision
from perfmethod.errors import suggest

if TYPE_CHECKING:
    from perfmethod.year import Year

__all__ = ["UsageError", "check", "evaluate", "explain", "ready", "refuse", "supervise", "synth"]

MOST_UNITS, MOST_BALLOTS = 100_000, 100_000_000  # of a synthetic year: it is made in memory


class UsageError(Exception):
    """An argument that fits no rule of the parser but cannot be meant."""


def refuse(problems: list[str]) -> None:
    """Raise one error with every problem of the arguments, if there are any."""
    if len(problems) == 1:
        raise UsageError(problems[0])
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise UsageError(f"{len(problems)} problems in the arguments:{listed}")


def _year(arguments: argparse.Namespace) -> Year:
    from perfmethod.year import Year

    _there(arguments.year)
    scheme = Year.scheme_for(arguments.year, arguments.scheme) if arguments.scheme else None
    return Year.load(arguments.year, scheme)


def _there(path: Path) -> None:
    """Refuse what can be no year, before its scheme is missed."""
    allowed = "allowed: a year's folder, or an .xlsx workbook"
    if not path.exists():
        raise UsageError(f"found nothing at {path}; {allowed}")
    if not path.is_dir() and path.suffix.lower() != ".xlsx":
        raise UsageError(f"found the file {path}; {allowed}")


def ready(out: Path | None, name: str = "--out") -> list[str]:
    """What keeps a folder from being written, known before any work is done."""
    if out is None:
        return []
    there = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not there.is_dir():
        what = "a file" if there == out else f"a file at {there}"
        return [f"found {name} {out}: {what}; allowed: a folder, or nothing there yet"]
    if not os.access(there, os.W_OK | os.X_OK):
        return [f"found {name} {out}: {there} may not be written; allowed: a folder that may"]
    return []


def check(arguments: argparse.Namespace) -> None:
    """``check YEAR``: load, say what there is."""
    say_check(_year(arguments), arguments.year, arguments.lang)


def evaluate(arguments: argparse.Namespace) -> None:
    """``evaluate YEAR --out DIR``: score, grade, write, say what was found."""
    from perfmethod.scoring import evaluate as run

    lacking = ["--figures needs --out DIR"] if arguments.figures and not arguments.out else []
    refuse([*lacking, *ready(arguments.out)])
    evaluation, lang = run(_year(arguments), lang=arguments.lang), arguments.lang
    if arguments.out:
        from perfmethod.cli.output import write_evaluation

        write_evaluation(evaluation, arguments.out, figures=arguments.figures, lang=lang)
    for note in evaluation.year.notes:
        print(SAID[lang]["note"].format(note), file=sys.stderr)
    say_evaluation(evaluation, lang)
    if arguments.out:
        print(SAID[lang]["written"].format(arguments.out))


def _known_unit(year: Year, unit: str) -> None:
    if unit not in year.units.index:
        raise UsageError(f"found unit '{unit}'; allowed: {suggest(unit, year.units.index)}")


def explain(arguments: argparse.Namespace) -> None:
    """``explain YEAR UNIT``: the derivation of one unit."""
    from perfmethod.scoring import evaluate as run
    from perfmethod.scoring import explain as derive

    year = _year(arguments)
    _known_unit(year, arguments.unit)
    print(derive(run(year, lang=arguments.lang), arguments.unit).to_text(arguments.lang))


def supervise(arguments: argparse.Namespace) -> None:
    """``supervise YEAR``: a table and a figure, or one unit's letter."""
    from perfmethod.supervision import supervise as run

    refuse(ready(arguments.out))
    year = _year(arguments)
    if arguments.unit:
        _known_unit(year, arguments.unit)
    found = run(year, arguments.quarter)
    if arguments.unit:
        print(found.letter(arguments.unit, arguments.lang))
    else:
        say_supervision(found, arguments.lang)
    if arguments.out:
        from perfmethod.cli.output import write_supervision

        write_supervision(found, arguments.out, arguments.lang)
        print(SAID[arguments.lang]["written"].format(arguments.out))


def synth(arguments: argparse.Namespace) -> None:
    """``synth DIR``: a synthetic year, and its truth elsewhere."""
    from perfmethod.synthetic import synthesize

    problems: list[str] = []
    for folder, name in ((arguments.folder, "DIR"), (arguments.truth, "--truth")):
        if folder is not None and folder.exists():
            allowed = "a folder that does not exist"
            problems.append(f"found '{folder}' already there; allowed: {allowed}")
        else:
            problems += ready(folder, name)
    if arguments.truth is not None:
        year, truth = arguments.folder.absolute(), arguments.truth.absolute()
        if year == truth or year in truth.parents or truth in year.parents:
            where = f"{arguments.truth} in one folder with {arguments.folder}"
            problems.append(f"found --truth {where}; "
                            "allowed: a folder apart, for no analysis may see it")  # fmt: skip
    for name, most in (("units", MOST_UNITS), ("ballots", MOST_BALLOTS)):
        if getattr(arguments, name) > most:
            problems.append(f"found --{name} {getattr(arguments, name)}; allowed: up to {most}")
    refuse(problems)
    try:
        synthesize(
            arguments.folder,
            seed=arguments.seed,
            units=arguments.units,
            ballots=arguments.ballots,
            groups=arguments.groups,
            truth=arguments.truth,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    print(f"written to {arguments.folder}")
