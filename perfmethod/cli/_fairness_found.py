"""What ``fairness YEAR`` finds, and why it does not find the rest."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from perfmethod.cli._fairness_text import SAID
from perfmethod.errors import InputError, PerfmethodError

if TYPE_CHECKING:
    from perfmethod.fairness import GradeParity, GroupGaps, GroupSpread, MissingRules, Portfolio
    from perfmethod.places import RuleComparison
    from perfmethod.ranking import GradePosterior, JointRanks, PlaceSets
    from perfmethod.scoring import Evaluation
    from perfmethod.stringency import (
        AnchorCheck,
        DeltaSweep,
        LinkPlan,
        MethodComparison,
        Stringency,
    )

__all__ = ["BY", "DRAWS", "Found", "find"]

BY = ("group", "portfolio")
DRAWS = 10_000
RULES = 5  # quota rules are as many years in one: they take a fifth of the draws
Made = TypeVar("Made")


@dataclass(frozen=True)
class Found:
    """What the analyses found, what was asked, and what could not be asked."""

    parity: GradeParity | None
    inside: Mapping[str, GradeParity]
    gaps: Mapping[str, GroupGaps]
    spread: Mapping[str, GroupSpread]
    portfolio: Portfolio | None
    missing: MissingRules | None
    stringency: Stringency | None
    sweeps: Mapping[str, DeltaSweep]
    anchors: AnchorCheck | None
    methods: MethodComparison | None
    links: LinkPlan | None
    places: PlaceSets | None
    posterior: GradePosterior | None
    joint: JointRanks | None
    rules: RuleComparison | None
    asked: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass
class _Tries:
    """Attempts, and why some were not made: one note for each reason."""

    evaluation: Evaluation
    lang: str
    why: dict[str, list[str]] = field(default_factory=dict)

    def lacks(self, need: str) -> bool:
        """Whether the year has no grades, ballots or groups."""
        groups = self.evaluation.scores["group"].replace("", None)
        return {
            "grades": not self.evaluation.year.scheme.document.get("grades", {}).get("levels"),
            "ballots": self.evaluation.review is None,
            "groups": groups.nunique() < 2,
        }[need]

    def make(
        self, part: str, make: Callable[[], Made], *needs: str, about: str = ""
    ) -> Made | None:
        """A result, or a note that says why there is none."""
        for need in needs:
            if self.lacks(need):
                self.note(part, SAID[self.lang][f"no_{need}"])
                return None
        try:
            return make()
        except InputError as error:
            reason = "; ".join(str(problem) for problem in error.problems)
        except PerfmethodError as error:
            reason = str(error)
        self.note(part, SAID[self.lang]["reason"].format(reason), about)
        return None

    def note(self, part: str, reason: str, about: str = "") -> None:
        from perfmethod.fairness.attributes import spoken

        name = SAID[self.lang][part]
        if about:
            name += f" ({spoken(self.evaluation, about, ())[self.lang]['by']})"
        held = self.why.setdefault(reason, [])
        held += [name] if name not in held else []

    @property
    def notes(self) -> tuple[str, ...]:
        join = SAID[self.lang]["join"]
        return tuple(f"{join.join(names)}: {reason}" for reason, names in self.why.items())


def find(evaluation: Evaluation, arguments: argparse.Namespace) -> Found:
    """Ask every question that the year allows."""
    tries, seed, draws = _Tries(evaluation, arguments.lang), arguments.seed, arguments.draws
    anchors = tuple(dict.fromkeys(arguments.anchors))
    by = tuple(dict.fromkeys(arguments.by)) or _usual(evaluation, tries)
    parity, inside = _parity(evaluation, by, tries)
    gaps, spread = _gaps(evaluation, by, anchors, arguments, tries)
    few, missing = _few(evaluation, arguments, tries)
    strict = _stringency(evaluation, anchors, arguments, tries)
    sweeps = {} if strict is None else _sweeps(strict, tries)
    check, methods = None, None
    if strict is not None:
        check = tries.make("anchor_check", strict.check_anchors)
        methods = tries.make("methods", strict.compare_methods)
    links = tries.make("links", lambda: _links(evaluation), "groups")
    ranks = _ranks(evaluation, seed, draws, tries)
    rules = _rules(evaluation, anchors, seed, draws, tries)
    asked = {
        "seed": seed,
        "draws": draws,
        "by": list(by),
        "banded": {}
        if parity is None
        else {name: cut._asdict() for name, cut in parity.meta["banded"].items()},
        "anchors": {name: list(part.anchors) for name, part in gaps.items()},
        "panel": [] if strict is None else list(strict.meta["panel"]),
        "panel_anchors": [] if strict is None else list(strict.meta["anchors"]),
    }
    return Found(parity, inside, gaps, spread, few, missing, strict, sweeps, check, methods,
                 links, *ranks, rules, asked, tries.notes)  # fmt: skip


def _usual(evaluation: Evaluation, tries: _Tries) -> tuple[str, ...]:
    """The usual attributes, as far as the year has them."""
    if tries.lacks("groups"):
        tries.note("parity", SAID[tries.lang]["no_groups"])
    if evaluation.year.tasks is None:
        tries.note("parity", SAID[tries.lang]["no_tasks"])
    there = (not tries.lacks("groups"), evaluation.year.tasks is not None)
    return tuple(name for name, has in zip(BY, there, strict=True) if has)


def _parity(
    evaluation: Evaluation, by: Sequence[str], tries: _Tries
) -> tuple[GradeParity | None, dict[str, GradeParity]]:
    """Exact tests of all attributes together, and inside the scheme's own pools."""
    from perfmethod.fairness import grade_parity

    if not by:
        return None, {}
    usable: list[str] = []
    for name in by:
        one = partial(grade_parity, evaluation, name)
        if tries.make("parity", one, "grades", about=name) is not None:
            usable.append(name)
    if not usable:
        return None, {}
    parity = grade_parity(evaluation, usable)
    pool = parity.meta["quota_by"]
    inside: dict[str, GradeParity] = {}
    for name in usable:
        if pool in (None, name) or name == "class" or pool not in evaluation.year.units:
            continue
        one = partial(grade_parity, evaluation, name, strata=pool)
        made = tries.make("inside", one, about=name)
        inside |= {} if made is None else {name: made}
    return parity, inside


def _gaps(
    evaluation: Evaluation,
    by: Iterable[str],
    anchors: tuple[str, ...],
    arguments: argparse.Namespace,
    tries: _Tries,
) -> tuple[dict[str, GroupGaps], dict[str, GroupSpread]]:
    from perfmethod.fairness import group_gaps, group_spread

    drawn: dict[str, Any] = {"draws": arguments.draws, "seed": arguments.seed}
    gaps: dict[str, GroupGaps] = {}
    spread: dict[str, GroupSpread] = {}
    for name in by:
        if not _differs(evaluation, name):
            for part in ("gaps", "spread"):
                tries.note(part, SAID[tries.lang]["no_class"], name)
            continue
        one = partial(group_gaps, evaluation, name, anchors=anchors or None, **drawn)
        gap = tries.make("gaps", one, about=name)
        wide = tries.make("spread", partial(group_spread, evaluation, name, **drawn), about=name)
        gaps |= {} if gap is None else {name: gap}
        spread |= {} if wide is None else {name: wide}
    return gaps, spread


def _differs(evaluation: Evaluation, name: str) -> bool:
    """Whether two units of one class differ in an attribute."""
    from perfmethod.fairness import attribute

    label = attribute(evaluation, name)
    return bool((label.groupby(evaluation.scores["class"]).nunique() > 1).any())


def _few(
    evaluation: Evaluation, arguments: argparse.Namespace, tries: _Tries
) -> tuple[Portfolio | None, MissingRules | None]:
    """Units with few tasks, and the rule for missing ones."""
    from perfmethod.fairness import missing_rules, portfolio

    drawn = {"draws": arguments.draws, "seed": arguments.seed}
    few = tries.make("portfolio", lambda: portfolio(evaluation, **drawn))
    return few, tries.make("missing", lambda: missing_rules(evaluation))


def _stringency(
    evaluation: Evaluation,
    anchors: tuple[str, ...],
    arguments: argparse.Namespace,
    tries: _Tries,
) -> Stringency | None:
    """Of the panels asked for, else of those that the scheme or the year shows."""
    from perfmethod.scoring import panels_of
    from perfmethod.stringency import stringency

    asked = tuple(dict.fromkeys(arguments.panel))
    panel = asked or tries.make("stringency", lambda: panels_of(evaluation), "groups")
    if not panel:
        if panel is not None:
            tries.note("stringency", SAID[arguments.lang]["no_panel"])
        return None

    def make() -> Stringency:
        classes = evaluation.scores["class"]
        other = [str(unit) for unit in classes.index[classes != _class(evaluation)]]
        return stringency(evaluation, panel=panel, anchors=anchors or None, leave_out=other,
                          draws=arguments.draws, seed=arguments.seed)  # fmt: skip

    return tries.make("stringency", make, "groups")


def _class(evaluation: Evaluation) -> str:
    """The largest class in which units are in two groups."""
    from perfmethod.fairness import attribute
    from perfmethod.scoring.comparable import class_of

    return class_of(evaluation, attribute(evaluation, "group"), "group")


def _sweeps(strict: Stringency, tries: _Tries) -> dict[str, DeltaSweep]:
    """Under the scheme's own pools, and by class where panels and pools are one and the same."""
    effect = "shrunk" if strict.groups["shrunk"].any() else "average"
    own = tries.make("sweep", lambda: strict.sweep(effect), "grades")
    if own is None:
        return {}
    sweeps = {own.pool: own}
    quota = tries.evaluation.year.scheme.document["grades"].get("rule") != "thresholds"
    if quota and own.meta["inside"] and own.pool != "class":
        other = tries.make("sweep", lambda: strict.sweep(effect, pool="class"))
        sweeps |= {} if other is None else {other.pool: other}
    return sweeps


def _links(evaluation: Evaluation) -> LinkPlan:
    """Links between the groups of the largest class that has two."""
    from perfmethod.fairness import attribute
    from perfmethod.stringency import plan_links

    label = attribute(evaluation, "group")
    mine = evaluation.scores["class"] == _class(evaluation)
    return plan_links(label[mine].value_counts(sort=False).tolist())


def _ranks(
    evaluation: Evaluation, seed: int, draws: int, tries: _Tries
) -> tuple[PlaceSets | None, GradePosterior | None, JointRanks | None]:
    from perfmethod.ranking import grade_posterior, joint_ranks, place_sets

    needs = ("grades", "ballots")
    return (
        tries.make("places", lambda: place_sets(evaluation, seed=seed), *needs),
        tries.make("posterior", lambda: grade_posterior(evaluation, seed=seed), *needs),
        tries.make("joint", lambda: joint_ranks(evaluation, draws=draws, seed=seed), *needs),
    )


def _rules(
    evaluation: Evaluation, anchors: tuple[str, ...], seed: int, draws: int, tries: _Tries
) -> RuleComparison | None:
    """Quota rules; without other raters where the survey's errors are not measured."""
    from perfmethod.places import compare_rules
    from perfmethod.scoring import measured_of

    if not (tries.lacks("grades") or tries.lacks("ballots")):
        measured = tries.make("rules_drawn", lambda: measured_of(evaluation))
        draws = 0 if measured is None else draws
    asked: dict[str, Any] = {"draws": draws // RULES, "seed": seed}
    one = partial(compare_rules, evaluation, anchors=anchors or None, **asked)
    return tries.make("rules", one, "grades")
