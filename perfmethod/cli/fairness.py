"""``fairness YEAR``: who gets the best grade by group, why, and what could have been seen."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perfmethod.cli._fairness_found import BY, DRAWS, Found, find
from perfmethod.cli._fairness_text import SAID, say
from perfmethod.cli.commands import _year, ready, refuse
from perfmethod.errors import suggest

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["DRAWS", "Found", "run"]

MOST_DRAWS = 1_000_000  # their totals, ranks and labels have to be kept
LEAST_DRAWS = 99  # fewer permutations cannot give a p-value of 0.01


def run(arguments: argparse.Namespace) -> None:
    """``fairness YEAR --out DIR``: parity, gaps, stringency, links, ranks, quota rules."""
    from perfmethod.scoring import evaluate

    problems = _usable(arguments)
    if not (arguments.by or arguments.anchors or arguments.panel):
        refuse(problems)  # no name waits for the year to be checked with them
    evaluation = evaluate(_year(arguments), lang=arguments.lang)
    refuse([*problems, *_known(evaluation, arguments)])
    found = find(evaluation, arguments)
    say(evaluation, found, arguments.lang)
    if arguments.out:
        from perfmethod.cli._fairness_files import write

        write(arguments.out, found, evaluation, arguments.lang)
        print(SAID[arguments.lang]["written"].format(arguments.out))


def _usable(arguments: argparse.Namespace) -> list[str]:
    problems = []
    if arguments.seed < 0:
        problems.append(f"found --seed {arguments.seed}; allowed: 0 or more")
    if not LEAST_DRAWS <= arguments.draws <= MOST_DRAWS:
        allowed = f"{LEAST_DRAWS} to {MOST_DRAWS}"
        problems.append(f"found --draws {arguments.draws}; allowed: {allowed}")
    return [*problems, *ready(arguments.out)]


def _known(evaluation: Evaluation, arguments: argparse.Namespace) -> list[str]:
    """Names that the year does not have."""
    year = evaluation.year
    columns = [*map(str, year.units.columns), *([BY[1]] if year.tasks is not None else [])]
    nodes = list(evaluation.nodes["node"].unique())
    options = (
        ("--by", arguments.by, columns),
        ("--anchors", arguments.anchors, nodes),
        ("--panel", arguments.panel, nodes),
    )
    return [
        f"found {option} {name}; allowed: {suggest(name, known)}"
        for option, given, known in options
        for name in given
        if name not in known
    ]
