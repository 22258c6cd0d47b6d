"""``fairness YEAR``: who gets the best grade by group, why, and what could have been seen."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perfmethod.cli._fairness_found import BY, DRAWS, Found, find
from perfmethod.cli._fairness_text import SAID, say
from perfmethod.cli.commands import UsageError, _year
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
    if arguments.seed < 0:
        raise UsageError(f"found --seed {arguments.seed}; allowed: 0 or more")
    if arguments.draws < LEAST_DRAWS:
        raise UsageError(f"found --draws {arguments.draws}; allowed: {LEAST_DRAWS} or more")


def _known(evaluation: Evaluation, arguments: argparse.Namespace) -> None:
    """Refuse names that the year does not have."""
    year = evaluation.year
    columns = [*map(str, year.units.columns), *([BY[1]] if year.tasks is not None else [])]
    nodes = list(evaluation.nodes["node"].unique())
    for option, given, known in (
        ("--by", arguments.by, columns),
        ("--anchors", arguments.anchors, nodes),
        ("--panel", arguments.panel, nodes),
    ):
        for name in given:
            if name not in known:
                raise UsageError(f"found {option} {name}; allowed: {suggest(name, known)}")
