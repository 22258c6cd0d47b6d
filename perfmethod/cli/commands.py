"""What each command does; heavy modules are imported only by the command that needs them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perfmethod.display import show
from perfmethod.errors import suggest
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation
    from perfmethod.year import Year

__all__ = ["UsageError", "check", "evaluate", "explain", "refuse", "supervise", "synth"]


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
    from perfmethod.scheme import Scheme
    from perfmethod.year import Year

    scheme = Scheme.load(arguments.scheme) if arguments.scheme else None
    return Year.load(arguments.year, scheme)


def _names(year: Year, lang: str) -> dict[str, str]:
    """Name of every unit in a language."""
    return {str(unit): str(name) for unit, name in year.unit_names(lang).items()}


def check(arguments: argparse.Namespace) -> None:
    """``check YEAR``: load, say what there is."""
    year = _year(arguments)
    print(f"{arguments.year}: no problems found")
    print(year)
    for note in year.notes:
        print(f"note: {note}")


def evaluate(arguments: argparse.Namespace) -> None:
    """``evaluate YEAR --out DIR``: score, grade, write, say what was found."""
    from perfmethod.scoring import evaluate as run

    if arguments.figures and not arguments.out:
        raise UsageError("--figures needs --out DIR")
    evaluation = run(_year(arguments), lang=arguments.lang)
    if arguments.out:
        from perfmethod.cli.output import write_evaluation

        write_evaluation(evaluation, arguments.out, figures=arguments.figures, lang=arguments.lang)
    _say(evaluation, arguments.out)


def _say(evaluation: Evaluation, out: Path | None) -> None:
    scores, scheme = evaluation.scores, evaluation.year.scheme
    for note in evaluation.year.notes:
        print(f"note: {note}", file=sys.stderr)
    decimals = scheme.document.get("display_decimals", 2)
    print(f"{scheme.name('', 'en')}: {len(scores)} units")
    for level in scheme.document.get("grades", {}).get("levels", {}):
        held = scores[scores["grade"] == level]
        print(f"{scheme.name(f'grades.levels.{level}', 'en')} ({len(held)}):")
        if level == next(iter(scheme.document["grades"]["levels"])):
            for unit, row in held.iterrows():
                print(f"  {unit}  {row['name']}  {show(row['total'], decimals)}  "
                      f"({row['group']}, rank {row['group_rank']})")  # fmt: skip
    for note in rows(evaluation.notes.query("kind in ('veto', 'edge_tie')")):
        print(f"{note.unit_id}: {note.text}")
    short = evaluation.quotas[evaluation.quotas["unfilled"] != 0]
    for row in rows(short):
        print(f"{row.grade}: {row.unfilled} of {row.places} places of {row.pool} stay unfilled")
    if out:
        print(f"written to {out}")


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

    year = _year(arguments)
    if arguments.unit:
        _known_unit(year, arguments.unit)
    found = run(year, arguments.quarter)
    if arguments.unit:
        print(found.letter(arguments.unit, arguments.lang))
    else:
        print(found)
        print(found.to_frame().head(15).to_string())
    if arguments.out:
        from perfmethod.cli.output import write_supervision

        write_supervision(found, arguments.out, arguments.lang)
        print(f"written to {arguments.out}")


def synth(arguments: argparse.Namespace) -> None:
    """``synth DIR``: a synthetic year, and its truth elsewhere."""
    from perfmethod.synthetic import synthesize

    for folder in filter(None, (arguments.folder, arguments.truth)):
        if folder.exists():
            raise UsageError(
                f"found '{folder}' already there; allowed: a folder that does not exist"
            )
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
