"""``fairness YEAR``: who gets the best grade by group, why, and what could have been seen."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perfmethod.cli._fairness_found import BY, DRAWS, Found, find
from perfmethod.cli._fairness_text import SAID, say
from perfmethod.cli.commands import _year, refuse
from perfmethod.errors import suggest

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["DRAWS", "Found", "run"]

LEAST_DRAWS = 99  # fewer permutations cannot give a p-value of 0.01


def run(arguments: argparse.Namespace) -> None:
    """``fairness YEAR --out DIR``: parity, gaps, stringency, links, ranks, quota rules."""
    from perfmethod.scoring import evaluate

    _usable(arguments)
    evaluation = evaluate(_year(arguments), lang=arguments.lang)
    _known(evaluation, arguments)
    found = find(evaluation, arguments)
    say(evaluation, found, arguments.lang)
    if arguments.out:
        from perfmethod.cli._fairness_files import write

        write(arguments.out, found, evaluation, arguments.lang)
        print(SAID[arguments.lang]["written"].format(arguments.out))


def _usable(arguments: argparse.Namespace) -> None:
    problems = []
    if arguments.seed < 0:
        problems.append(f"found --seed {arguments.seed}; allowed: 0 or more")
    if arguments.draws < LEAST_DRAWS:
        problems.append(f"found --draws {arguments.draws}; allowed: {LEAST_DRAWS} or more")
    refuse(problems)


def _known(evaluation: Evaluation, arguments: argparse.Namespace) -> None:
    """Refuse names that the year does not have."""
    year = evaluation.year
    columns = [*map(str, year.units.columns), *([BY[1]] if year.tasks is not None else [])]
    nodes = list(evaluation.nodes["node"].unique())
    options = (
        ("--by", arguments.by, columns),
        ("--anchors", arguments.anchors, nodes),
        ("--panel", arguments.panel, nodes),
    )
    refuse([
        f"found {option} {name}; allowed: {suggest(name, known)}"
        for option, given, known in options
        for name in given
        if name not in known
    ])  # fmt: skip
