"""``reliability YEAR``: how far the survey can be trusted, and what a better one would cost."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from perfmethod.cli._reliability_shares import Shares, is_of_file, read_shares, weighted
from perfmethod.cli._reliability_text import SAID, say
from perfmethod.cli.commands import _year, ready, refuse
from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.calibration import CalibratedReview
    from perfmethod.reliability import GStudy, SurveyPlan
    from perfmethod.reliability.grades import GradeRisk
    from perfmethod.scoring import Evaluation
    from perfmethod.screening import Screening
    from perfmethod.severity import SecondOpinion, Severity
    from perfmethod.year import Year

__all__ = ["TARGET", "Found", "run"]

TARGET = 0.95  # dependability asked of the cheapest design
Made = TypeVar("Made")


@dataclass(frozen=True)
class Found:
    """What the analyses found, and what could not be asked."""

    study: GStudy | None
    coefficients: pd.DataFrame | None
    risk: GradeRisk | None
    more: pd.DataFrame | None
    plan: SurveyPlan | None
    target: tuple[str, float]
    screening: Screening
    aside: pd.DataFrame | None
    severity: Severity | None
    adjusted: pd.DataFrame | None  # totals, ranks and grades without the raters' severity
    opinion: SecondOpinion | None
    weighted: CalibratedReview | None
    shares: Shares | None
    notes: tuple[str, ...]


@dataclass
class _Notes:
    """Why some questions have no answer, in the language of the command."""

    lang: str
    all: list[str] = field(default_factory=list)

    def tried(self, part: str, make: Callable[[], Made]) -> Made | None:
        """A result, or a note that says why there is none."""
        try:
            return make()
        except PerfmethodError as error:
            self.add(part, error)
            return None

    def add(self, part: str, error: PerfmethodError) -> None:
        """The package's own words stay as they are, on one line."""
        problems = getattr(error, "problems", None)
        why = "; ".join(map(str, problems)) if problems else " ".join(str(error).split())
        said = SAID[self.lang]
        self.all.append(said["reason"].format(said[f"of_{part}"], why))


def run(arguments: argparse.Namespace) -> None:
    """``reliability YEAR --out DIR``: how far the survey can be trusted, part by part."""
    from perfmethod.scoring import evaluate

    problems = _usable(arguments)
    if not arguments.cost:
        refuse(problems)  # no name of a mode waits for the year to be checked with them
    year, said = _year(arguments), SAID[arguments.lang]
    costs = _costs(year, arguments.cost, problems)
    shares = None if arguments.shares is None else read_shares(arguments.shares, year)
    evaluation = evaluate(year, lang=arguments.lang)
    found = _found(evaluation, arguments, costs, shares)
    say(evaluation, found, arguments.lang)
    if arguments.out:
        from perfmethod.cli._reliability_files import write

        write(arguments.out, found, year, arguments.lang)
        print(said["written"].format(arguments.out))


def _usable(arguments: argparse.Namespace) -> list[str]:
    problems = []
    if arguments.seed < 0:
        problems.append(f"found --seed {arguments.seed}; allowed: 0 or more")
    if not 0 < arguments.target < 1:
        problems.append(f"found --target {arguments.target:g}; allowed: above 0 and below 1")
    if arguments.assurance is not None and not 0.5 < arguments.assurance < 1:
        found = f"{arguments.assurance:g}"
        problems.append(f"found --assurance {found}; allowed: above 0.5, below 1")
    return [*problems, *ready(arguments.out)]


def _costs(year: Year, given: list[str], problems: list[str]) -> dict[str, float]:
    """Cost of a ballot by mode: those given, else those of the scheme, else 1."""
    modes = year.scheme.document.get("survey", {}).get("modes", {})
    costs = {name: float(mode.get("cost", 1.0)) for name, mode in modes.items()}
    problems = list(problems)
    for text in given:
        name, _, number = text.partition("=")
        if name not in costs:
            problems.append(f"found --cost {text}; allowed: MODE=NUMBER, {suggest(name, costs)}")
            continue
        try:
            costs[name] = float(number)
        except ValueError:
            costs[name] = float("nan")
        if not 0 < costs[name] < float("inf"):
            problems.append(f"found --cost {text}; allowed: MODE=NUMBER, a number above 0")
    refuse(problems)
    return costs


def _found(
    evaluation: Evaluation, arguments: argparse.Namespace, costs: dict[str, float],
    shares: Shares | None,
) -> Found:  # fmt: skip
    from perfmethod.reliability import generalizability, survey_coefficients
    from perfmethod.reliability.grades import grade_risk, risk_by_ballots
    from perfmethod.screening import effect, screen

    year, seed = evaluation.year, arguments.seed
    notes = _Notes(arguments.lang)
    weights = None if shares is None else _weighted(year, shares, notes)
    study = notes.tried("study", lambda: generalizability(year))
    graded = "grades" in year.scheme.document
    risk = notes.tried("risk", lambda: grade_risk(evaluation, seed=seed)) if graded else None
    more = None if risk is None else risk_by_ballots(evaluation, seed=seed)
    risk = None if risk is None else _named(risk, year, arguments.lang)
    wanted: dict[str, Any] = {"kind": arguments.kind, "assurance": arguments.assurance}
    plan = None
    if study is not None:
        plan = notes.tried("plan", partial(study.plan, arguments.target, costs=costs, **wanted))
    screening = screen(year, seed=seed)
    flagged = screening.flags["sets_aside"].any()
    aside = notes.tried("aside", lambda: effect(year, screening)) if flagged else None
    severe = _severe(year, arguments.second_opinion, notes)
    coefficients = notes.tried("coefficients", lambda: survey_coefficients(year, seed=seed))
    target = arguments.kind, arguments.target
    return Found(study, coefficients, risk, more, plan, target, screening, aside, *severe,
                 weights, shares, tuple(notes.all))  # fmt: skip


def _named(risk: GradeRisk, year: Year, lang: str) -> GradeRisk:
    """Names of units in the language of the command."""
    names = year.unit_names(lang).reindex(risk.units.index)
    return replace(risk, units=risk.units.assign(name=names))


def _severe(
    year: Year, again: bool, notes: _Notes
) -> tuple[Severity | None, pd.DataFrame | None, SecondOpinion | None]:
    """Severity, the year without it, and a second opinion where wanted."""
    from perfmethod.severity import rescored, second_opinion, severity

    found = notes.tried("severity", lambda: severity(year))
    if found is None:
        return None, None, None
    adjusted = notes.tried("adjusted", lambda: rescored(found))
    opinion = notes.tried("opinion", lambda: second_opinion(year, found)) if again else None
    return found, adjusted, opinion


def _weighted(year: Year, shares: Shares, notes: _Notes) -> CalibratedReview | None:
    """The weighted review; what is wrong with the file of shares is an error, all else a note."""
    try:
        return weighted(year, shares)
    except PerfmethodError as error:
        if is_of_file(error, shares):
            raise
        notes.add("weighting", error)
        return None
