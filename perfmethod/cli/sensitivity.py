"""``sensitivity YEAR``: would the list change if the weights had been a little different?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

from perfmethod.cli._say import _names
from perfmethod.cli._sensitivity_text import BY, SAID, SHARED, say
from perfmethod.cli._vary import factors, paths_of, patterns, refusal, specs, survey_scores
from perfmethod.cli.commands import _year, ready, refuse
from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    from perfmethod.robustness import StabilityIntervals, WeightChange
    from perfmethod.scoring import Evaluation
    from perfmethod.sensitivity import BlockMap, GlobalIndices, Importance, MonteCarlo, OneAtATime

__all__ = ["MOST_SPREAD", "Found", "run"]

MOST_DRAWS = 10_000_000  # their totals and ranks have to be kept
MOST_SPREAD = 2.0  # standard deviation of a logarithm: factors from a fiftieth to fifty
BASE = 1024  # rows of the sample behind the variance shares
STEPS = 40  # points along a side of the map of block weights, less one
Made = TypeVar("Made")


@dataclass(frozen=True)
class Found:
    """What the analyses found, and what could not be asked."""

    runs: MonteCarlo
    intervals: StabilityIntervals | None
    changes: Mapping[str, WeightChange]
    shares: Importance | None
    tornado: OneAtATime | None
    removal: OneAtATime | None
    maps: Mapping[str, BlockMap]
    indices: GlobalIndices | None
    notes: tuple[str, ...]


def run(arguments: argparse.Namespace) -> None:
    """``sensitivity YEAR --out DIR``: draws, exact answers, one at a time, shares, importance."""
    from perfmethod.scoring import evaluate

    _usable(arguments)
    evaluation = evaluate(_year(arguments), lang=arguments.lang)
    said = SAID[arguments.lang]
    with _workers(arguments.workers) as executor:
        found = _found(evaluation, arguments, executor)
    noise = len(survey_scores(evaluation))
    told = said["noise"] if noise else ""
    varied = noise + _count(evaluation)
    print(said["drawn"].format(found.runs.draws, varied, arguments.spread, told, arguments.seed))
    say(evaluation, found, arguments.lang)
    if arguments.out:
        from perfmethod.cli._sensitivity_files import write

        write(arguments.out, found, evaluation, arguments.lang)
        print(said["written"].format(arguments.out))


def _usable(arguments: argparse.Namespace) -> None:
    problems = [] if arguments.seed >= 0 else [f"found --seed {arguments.seed}; allowed: 0 or more"]
    for name, value, most in (
        ("draws", arguments.draws, MOST_DRAWS),
        ("workers", arguments.workers, max(64, os.cpu_count() or 1)),
    ):
        if not 1 <= value <= most:
            problems.append(f"found --{name} {value}; allowed: 1 to {most}")
    if not 0 <= arguments.spread <= MOST_SPREAD:  # NaN is no number between them
        problems.append(f"found --spread {arguments.spread:g}; allowed: 0 to {MOST_SPREAD:g}")
    refuse([*problems, *ready(arguments.out)])


@contextmanager
def _workers(number: int) -> Iterator[Executor | None]:
    """Processes to score on; none for one worker. Their number changes no result."""
    if number == 1:
        yield None
        return
    with ProcessPoolExecutor(number, mp_context=get_context("spawn")) as executor:
        yield executor


def _count(evaluation: Evaluation) -> int:
    """Number of weights that vary."""
    from perfmethod.cli._vary import fits

    numbers, names = evaluation.year.scheme.numbers, patterns(evaluation)
    return sum(any(fits(path, name) for name in names) for path in numbers)


def _found(
    evaluation: Evaluation, arguments: argparse.Namespace, executor: Executor | None
) -> Found:
    from perfmethod.sensitivity import importance, removal, tornado

    year, lang = evaluation.year, arguments.lang
    notes = _unmeasured(evaluation, lang)
    runs = _runs(evaluation, arguments, executor)
    intervals, changes = _exact(evaluation, lang, notes)
    shares = _tried("weigh", lambda: importance(evaluation), lang, notes)
    notes += [_told("weigh", note, lang) for note in ([] if shares is None else shares.notes)]
    weights = [path for paths in paths_of(evaluation).values() for path in paths]
    single, without = None, None
    if weights:
        one = partial(tornado, year, *weights, by=BY, lang=lang)
        single = _tried("single", one, lang, notes)
        without = _tried("without", partial(removal, year, lang=lang), lang, notes)
    maps, indices = _maps(evaluation, lang), _indices(evaluation, arguments, executor, notes)
    return Found(runs, intervals, changes, shares, single, without, maps, indices, tuple(notes))


def _unmeasured(evaluation: Evaluation, lang: str) -> list[str]:
    """What of the survey's noise is not drawn because it cannot be measured."""
    from perfmethod.scoring import unmeasured_of
    from perfmethod.survey import unmeasured_told

    refused, lost = refusal(evaluation), unmeasured_of(evaluation)
    if refused is not None:
        return [_told("noise", refused, lang)]
    return [] if lost is None else list(unmeasured_told(lost.weight, lost.lonely, lang))


def _tried(part: str, make: Callable[[], Made], lang: str, notes: list[str]) -> Made | None:
    """A result, or a note that says why there is none."""
    try:
        return make()
    except PerfmethodError as error:
        notes.append(_told(part, error, lang))
        return None


def _told(part: str, why: object, lang: str) -> str:
    """A note in the language of the command; the package's own words stay as they are."""
    flat = " ".join(str(why).split())
    return SAID[lang]["reason"].format(part=SAID[lang][f"part {part}"], why=flat)


def _runs(
    evaluation: Evaluation, arguments: argparse.Namespace, executor: Executor | None
) -> MonteCarlo:
    """Score the draws."""
    from perfmethod.sensitivity import monte_carlo
    from perfmethod.uncertainty import draw

    year = evaluation.year
    varied = specs(evaluation, arguments.spread)
    draws = draw(year, arguments.draws, *varied, seed=arguments.seed)
    made = monte_carlo(year, draws, pairs=False, executor=executor)
    return replace(made, names=_names(year, arguments.lang))


def _exact(
    evaluation: Evaluation, lang: str, notes: list[str]
) -> tuple[StabilityIntervals | None, dict[str, WeightChange]]:
    """Intervals of the block weights, and their smallest change that changes the list."""
    from perfmethod.robustness import families, smallest_change, stability_intervals

    graded = "grades" in evaluation.year.scheme.document
    blocks = families(evaluation).query("node == ''")
    named = evaluation.year.scheme.name
    notes += [_told("exact", f"{named(f'classes.{name}', lang)}: {row.why_not}", lang)
              for name, row in blocks[blocks["form"] == "none"].iterrows()]  # fmt: skip
    exact = list(blocks.index[blocks["form"] != "none"])
    kept = "best_grade" if graded else "ranking"
    intervals = stability_intervals(evaluation, exact, keep=kept) if exact else None
    changes: dict[str, WeightChange] = {}
    for name in exact if graded else ():
        try:
            changes[name] = smallest_change(evaluation, name, lang=lang)
        except PerfmethodError as error:
            why = f"{named(f'classes.{name}', lang)}: {error}"
            notes.append(_told("radius", why, lang))
    return intervals, changes


def _maps(evaluation: Evaluation, lang: str) -> dict[str, BlockMap]:
    """Who is excellent at every split of three blocks, for each class that has three."""
    from perfmethod.sensitivity import block_map

    scheme = evaluation.year.scheme
    if "grades" not in scheme.document:
        return {}
    blocks = {name: [n for n, over in scheme.parents(name).items() if not over]
              for name in scheme.classes if (evaluation.scores["class"] == name).any()}  # fmt: skip
    three = [name for name, own in blocks.items() if len(own) == 3]
    return {name: block_map(evaluation.year, name, steps=STEPS, lang=lang) for name in three}


def _indices(
    evaluation: Evaluation,
    arguments: argparse.Namespace,
    executor: Executor | None,
    notes: list[str],
) -> GlobalIndices | None:
    """Shares of the variance by kind of weight and survey, where there are at least two."""
    from perfmethod.sensitivity import global_sensitivity

    named: Any = factors(evaluation, arguments.spread, arguments.lang)
    if len(named) < 2 or arguments.spread == 0:
        return None
    wanted = SHARED if "grades" in evaluation.year.scheme.document else SHARED[1:]
    shared = partial(global_sensitivity, evaluation.year, named, BASE, seed=arguments.seed,
                     quantities=wanted, executor=executor)  # fmt: skip
    return _tried("share", shared, arguments.lang, notes)
