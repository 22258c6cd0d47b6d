"""Arguments, exit codes, and nothing else: every command is a few calls of the package.

Exit codes: 0 done, 1 a failure while running, 2 bad usage or bad input with every problem listed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from perfmethod import __version__
from perfmethod.cli import commands, fairness, reliability, sensitivity
from perfmethod.errors import InputError, PerfmethodError

__all__ = ["main"]

Command = Callable[[argparse.Namespace], None]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Chinese names on a console with another encoding
            stream.reconfigure(encoding="utf-8", errors="replace")
    arguments = _parser().parse_args(argv)
    command: Command = arguments.command
    try:
        command(arguments)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except commands.UsageError as error:
        print(f"perfmethod: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the text has read enough
        own = sys.__stdout__
        if own is not None and sys.stdout is own:  # what is left would complain at the exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())
        return 1
    except (PerfmethodError, OSError) as error:
        print(f"perfmethod: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("perfmethod: interrupted; nothing was written", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="perfmethod", description="Evaluate a year of performance assessment.")
    parser.add_argument("--version", action="version", version=f"perfmethod {__version__}")
    sub = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _on_year(sub, "check", commands.check, "check a year's files and list every problem")
    _add_evaluate(sub)
    explain = _on_year(sub, "explain", commands.explain, "print the whole derivation of one unit")
    explain.add_argument("unit", metavar="UNIT", help="unit_id, e.g. D27")
    _add_supervise(sub)
    _add_reliability(sub)
    _add_sensitivity(sub)
    _add_fairness(sub)
    _add_synth(sub)
    return parser


def _add_evaluate(sub: Commands) -> None:
    evaluate = _on_year(sub, "evaluate", commands.evaluate, "score and grade every unit")
    _out(evaluate, "write tables into this folder")
    evaluate.add_argument("--figures", action="store_true", help="write figures there as well")


def _add_supervise(sub: Commands) -> None:
    supervise = _on_year(sub, "supervise", commands.supervise, "progress, warnings, letters")
    supervise.add_argument("--quarter", type=int, choices=(1, 2, 3, 4), default=4)
    supervise.add_argument("--unit", metavar="UNIT", help="print the letter to this unit")
    _out(supervise, "write table and figure there")


def _add_reliability(sub: Commands) -> None:
    reliable = _on_year(sub, "reliability", reliability.run, "how far the survey can be trusted")
    _out(reliable, "write tables and figures there")
    reliable.add_argument(
        "--target",
        type=float,
        default=reliability.TARGET,
        help="reliability asked of the cheapest survey (default 0.95)",
    )
    reliable.add_argument(
        "--kind",
        choices=("absolute", "relative"),
        default="absolute",
        help="against a standard, or for ranks",
    )
    reliable.add_argument(
        "--assurance",
        type=float,
        metavar="P",
        help="reach it with this probability (components are estimates)",
    )
    reliable.add_argument(
        "--cost",
        action="append",
        default=[],
        metavar="MODE=NUMBER",
        help="of a ballot; else the scheme's, else 1; may be repeated",
    )
    reliable.add_argument(
        "--shares",
        type=Path,
        metavar="FILE",
        help="shares of the population by category (CSV: category, share) to weigh the review to",
    )
    reliable.add_argument(
        "--second-opinion",
        action="store_true",
        help="ask an ordinal model about the severity of raters as well (about 10 s)",
    )
    _seed(reliable)


def _add_sensitivity(sub: Commands) -> None:
    sensitive = _on_year(sub, "sensitivity", sensitivity.run, "what other weights would change")
    _out(sensitive, "write tables and figures there")
    sensitive.add_argument("--draws", type=int, default=20_000, help="how many (default 20000)")
    sensitive.add_argument("--spread", type=float, default=0.2, help="of weights (default 0.2)")
    sensitive.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    _seed(sensitive)


def _add_fairness(sub: Commands) -> None:
    fair = _on_year(sub, "fairness", fairness.run, "who gets the best grade by group, and why")
    _out(fair, "write tables and figures there")
    several = (
        ("--by", "ATTRIBUTE", "column of units, or portfolio (default: group and portfolio)"),
        ("--anchors", "NODE", "scored by the same hands for all (default: found in the year)"),
        ("--panel", "NODE", "scored by each group's own panel (default: found in the year)"),
    )
    for option, metavar, what in several:
        fair.add_argument(
            option, action="append", default=[], metavar=metavar, help=f"{what}; may be repeated"
        )
    fair.add_argument(
        "--draws",
        type=int,
        default=fairness.DRAWS,
        help="permutations and draws (default 10000); quota rules take a fifth of them",
    )
    _seed(fair)


def _add_synth(sub: Commands) -> None:
    synth = sub.add_parser("synth", help="write a synthetic year with a known truth")
    synth.add_argument(
        "folder", type=_folder, metavar="DIR", help="folder to write (must not exist)"
    )
    synth.add_argument("--truth", type=_folder, metavar="DIR", help="folder for the planted truth")
    synth.add_argument("--seed", type=int, default=2009)
    synth.add_argument("--units", type=int, default=49)
    synth.add_argument("--ballots", type=int, default=40_000)
    synth.add_argument("--groups", type=int, default=7, help="groups of departments")
    synth.set_defaults(command=commands.synth)


def _out(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--out", type=_folder, metavar="DIR", help=what)


def _folder(text: str, allowed: str = "a folder") -> Path:
    if not text:  # an empty variable of a script, which would mean the current folder
        raise argparse.ArgumentTypeError(f"found nothing; allowed: {allowed}")
    return Path(text)


def _year(text: str) -> Path:
    return _folder(text, "a year's folder, or an .xlsx workbook")


def _file(text: str) -> Path:
    return _folder(text, "a scheme file")


def _seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default 0)")


def _on_year(sub: Commands, name: str, command: Command, what: str) -> argparse.ArgumentParser:
    parser = sub.add_parser(name, help=what, description=what)
    parser.add_argument("year", type=_year, metavar="YEAR", help="year folder or .xlsx workbook")
    parser.add_argument("--scheme", type=_file, metavar="FILE", help="scheme to use instead")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the texts")
    parser.set_defaults(command=command)
    return parser
