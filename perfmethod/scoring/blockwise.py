"""Draws in blocks, here or on an executor: the same bytes whoever computes which block."""

from __future__ import annotations

import pickle
import uuid
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from perfmethod.compiled import prepare
from perfmethod.core import BLOCK, blocks
from perfmethod.draws import Block, Draws
from perfmethod.errors import DataError, PerfmethodError, Problem, suggest
from perfmethod.progress import progress
from perfmethod.scoring.ordering import Order
from perfmethod.scoring.plan import Plan, compile_year
from perfmethod.scoring.quick import Ranked, ranked
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

__all__ = ["Failure", "Job", "job", "results"]

T = TypeVar("T")
Make = Callable[[Ranked, Mapping[str, Any]], T]

FAILURES = ("raise", "count")
_WAITING = 16  # tasks handed out before the first is waited for, so that memory stays bounded


class Failure(NamedTuple):
    """A draw without a result."""

    draw: int
    reason: str


@dataclass(frozen=True)
class Job:
    """A compiled year and its draws, as they are sent to workers."""

    plan: Plan
    draws: Draws
    failures: str
    meta: Mapping[str, Any]
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    memory: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def levels(self) -> tuple[str, ...]:
        """Grades, best first."""
        return tuple(self.plan.scheme.document.get("grades", {}).get("levels", {}))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class of each unit."""
        return tuple(self.plan.scheme.classes[c] for c in self.plan.unit_class)

    @cached_property
    def _packed(self) -> bytes:
        return pickle.dumps((self.plan, self.draws, self.failures, dict(self.meta), self.token))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, (self.token, self._packed)

    def one(self, part: slice) -> tuple[Ranked, Mapping[str, Any], list[Failure]]:
        """Score one block."""
        values = self.draws.block(part)
        size = part.stop - part.start
        try:
            found = ranked(self.plan, Slots(self.plan.scheme, values, self.memory), size)
        except (PerfmethodError, ValueError):
            if self.failures == "raise":
                raise
            return self._in_halves(part, values)
        bad = [Failure(part.start + int(j), self._reason(found, int(j)))
               for j in np.flatnonzero(found.failed)]  # fmt: skip
        if bad and self.failures == "raise":
            raise _no_score(self.plan, np.isnan(found.total).any(0))
        return found, values, bad

    def _reason(self, found: Ranked, j: int) -> str:
        units = [self.plan.units[i] for i in np.flatnonzero(np.isnan(found.total[j]))]
        return f"no score for {', '.join(units[:5])}{', ...' if len(units) > 5 else ''}"

    def _in_halves(
        self, part: slice, values: Mapping[str, Any]
    ) -> tuple[Ranked, Mapping[str, Any], list[Failure]]:
        """Find the draws of a block that cannot be scored, and score the others."""
        size, u = part.stop - part.start, len(self.plan.units)
        rank, grade = np.zeros((size, u), np.int16), np.full((size, u), -1, np.int8)
        total, bad = np.full((size, u), np.nan), []
        left = [(0, size)]
        while left:
            i, j = left.pop()
            try:
                found = ranked(self.plan, Slots(self.plan.scheme, _rows(values, i, j)), j - i)
            except (PerfmethodError, ValueError) as error:
                if j == i + 1:
                    bad.append(Failure(part.start + i, str(error)))
                else:
                    left += [((i + j) // 2, j), (i, (i + j) // 2)]
                continue
            total[i:j], rank[i:j] = found.total, found.rank
            if found.grade is not None:
                grade[i:j] = found.grade
            bad += [Failure(part.start + i + int(f), self._reason(found, int(f)))
                    for f in np.flatnonzero(found.failed)]  # fmt: skip
        failed, every = rank[:, 0] == 0, np.ones(size, dtype=bool)
        order = Order(np.tile(np.arange(u), (size, 1)), np.ones(u, dtype=np.int16), every)
        codes = grade if self.levels else None
        return Ranked(total, codes, failed, order, every, rank), values, bad

    def refuse_all_failed(self, failed: list[Failure]) -> None:
        """Refuse a result that rests on no draw."""
        if len(failed) == self.draws.size:
            found = f"all {len(failed)} draws failed, the first: {failed[0].reason}"
            allowed = "at least one that can be scored"
            raise DataError([Problem("draws", None, None, found, allowed)])


def job(year: Year, draws: Draws | Mapping[str, Any], failures: str) -> Job:
    """Compile a year for its draws, and check that what they vary is there."""
    if failures not in FAILURES:
        raise ValueError(f"found failures={failures!r}; allowed: {suggest(failures, FAILURES)}")
    given = draws if isinstance(draws, Draws) else Draws.of(draws)
    plan = compile_year(year)
    Slots.check(year.scheme, given.paths, _measured(plan))
    meta = year.meta | {"draws": given.size, "varied": given.note + _left(year, given)}
    return Job(plan, given, failures, meta)


def _left(year: Year, draws: Draws) -> str:
    """What draws of the base leave as it is, though it is in points of the base."""
    if "base" not in draws.paths:
        return ""
    first = draws.block(next(iter(blocks(draws.size))))["base"]
    if np.all(first == year.scheme.number("base")):
        return ""
    levels = year.scheme.document.get("grades", {}).get("levels", {})
    least = [f"{level} {entry['least']:g}" for level, entry in levels.items() if "least" in entry
             and f"grades.levels.{level}.least" not in draws.paths]  # fmt: skip
    return f"; least totals stay where the base varies ({', '.join(least)})" if least else ""


def results(
    work: Job, make: Make[T], executor: Any = None, blocks_per_task: int = 8
) -> Iterator[tuple[slice, T, list[Failure]]]:
    """What `make` makes of every block, in order.

    Parameters
    ----------
    work : Job
    make : callable
        ``make(ranked, values)``; for processes a function of a module.
    executor : optional
        Anything with ``submit``.
    blocks_per_task : int
    """
    parts = list(blocks(work.draws.size))
    if blocks_per_task < 1:
        raise ValueError(f"found blocks_per_task={blocks_per_task}; allowed: 1 or more")
    done: Iterator[tuple[slice, T, list[Failure]]]
    if executor is None:
        prepare(work.draws.size)
        done = ((p, *_made(work, make, p)) for p in parts)
    else:
        tasks = [parts[i : i + blocks_per_task] for i in range(0, len(parts), blocks_per_task)]
        done = _sent(work, make, executor, tasks)
    yield from progress(done, "draws", -(-work.draws.size // BLOCK))


def _made(work: Job, make: Make[T], part: slice) -> tuple[T, list[Failure]]:
    found, values, bad = work.one(part)
    return make(found, values), bad


def _sent(
    work: Job, make: Make[T], executor: Any, tasks: list[list[slice]]
) -> Iterator[tuple[slice, T, list[Failure]]]:
    """Hand tasks out and take their results in order, a bounded number at a time."""
    window = max(_WAITING, 2 * int(getattr(executor, "_max_workers", 0) or 0))
    waiting: deque[tuple[list[slice], Any]] = deque()
    left = iter(tasks)
    try:
        while True:
            while len(waiting) < window and (task := next(left, None)) is not None:
                waiting.append((task, executor.submit(_task, work, make, task)))
            if not waiting:
                return
            task, future = waiting.popleft()
            for part, (made, bad) in zip(task, future.result(), strict=True):
                yield part, made, bad
    finally:
        for _, future in waiting:
            future.cancel()


def _task(work: Job, make: Make[T], task: list[slice]) -> list[tuple[T, list[Failure]]]:
    prepare(work.draws.size)
    return [_made(work, make, part) for part in task]


_UNPACKED: dict[str, Job] = {}  # of the latest job only: a worker gets many tasks of one job


def _unpack(token: str, packed: bytes) -> Job:
    if token not in _UNPACKED:
        plan, draws, failures, meta, _ = pickle.loads(packed)
        _UNPACKED.clear()
        _UNPACKED[token] = Job(plan, draws, failures, meta, token)
    return _UNPACKED[token]


def _rows(values: Mapping[str, Any], i: int, j: int) -> Mapping[str, Any]:
    if isinstance(values, Block):
        others = {path: value[i:j] for path, value in values.others.items()}
        return Block(values.table[i:j], values.columns, others)
    return {path: value[i:j] for path, value in values.items()}


def _no_score(plan: Plan, empty: Any) -> DataError:
    found = ("actual", "no usable value for anything that counts", "at least one")
    return DataError(Problem("tasks", plan.units[i], *found) for i in np.flatnonzero(empty))


def _measured(plan: Plan) -> list[str]:
    """Paths of measured values: tasks, survey scores, internal ratings."""
    found = []
    for part in plan.classes:
        units = [plan.units[i] for i in part.units]
        for leaf in part.leaves:
            has = np.flatnonzero(leaf.held)
            found += [f"tasks.{units[j]}.{leaf.indicator}.actual" for j in has]
        found += [f"review.{u}.{d}" for u in units for d in part.survey.values()]
        found += [f"rating.{u}" for u in units] if part.internal else []
    return found
