"""Specifications of what varies: plain functions that return small frozen objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from perfmethod.uncertainty.names import Known
from perfmethod.uncertainty.sources import Source

__all__ = [
    "Choice",
    "Chosen",
    "Noise",
    "Part",
    "Spec",
    "choice",
    "measurement",
    "multiplicative",
    "normal",
    "percent",
    "uniform",
]

Array = NDArray[np.float64]


class Part(Protocol):
    """A specification whose names are looked up: it fills some columns of the draws."""

    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def dims(self) -> int: ...
    def fill(self, source: Source) -> NDArray[Any]: ...


class Spec(Protocol):
    """What varies and how, by name."""

    def parts(self, known: Known) -> list[Part]:
        """Look the names up; problems are noted in `known`."""
        ...

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        ...


@dataclass(frozen=True)
class Noise:
    """A number that varies on its own around its value or between two bounds."""

    names: tuple[str, ...]
    kind: str  # lognormal, percent, normal, uniform
    size: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        between = (
            f" from {self.low:g} to {self.high:g}"
            if np.isfinite([self.low, self.high]).any()
            else ""
        )
        how = {"lognormal": f"x lognormal({self.size:g})", "percent": f"+-{self.size:g} %",
               "normal": f"normal, sd {self.size:g}", "uniform": "uniform"}[self.kind]  # fmt: skip
        return f"{', '.join(self.names)} {how}{between}"

    def parts(self, known: Known) -> list[Part]:
        """Look the names up."""
        if self.kind == "lognormal" and any(n.startswith("tasks.") for n in self.names):
            _need_year(known, "measurement")
        paths, values = known.numbers(self.names, self.kind)
        self._check(known, paths, values)
        return [_Numbers(tuple(paths), tuple(values.tolist()), self)] if paths else []

    def _check(self, known: Known, paths: list[str], values: Array) -> None:
        if self.kind in ("lognormal", "percent", "normal") and not 0 <= self.size < np.inf:
            known.problems.add(f"a spread of {self.size}", "0 or more", row=self.kind)
        if self.kind == "percent" and self.size > 100:
            known.problems.add(f"{self.size:g} %", "at most 100 %: a number must not change sign",
                               row="percent")  # fmt: skip
        if self.kind == "uniform" and not np.isfinite([self.low, self.high]).all():
            known.problems.add(f"bounds {self.low:g} and {self.high:g}", "finite", row="uniform")
        if self.low > self.high:
            known.problems.add(f"bounds {self.low:g} and {self.high:g}", "low <= high",
                               row=self.kind)  # fmt: skip
        for path, value in zip(paths, values, strict=True):
            if not self.low <= value <= self.high and self.kind != "uniform":
                known.problems.add(f"'{path}' = {value:g}", f"{self.low:g} to {self.high:g}",
                                   row=self.kind)  # fmt: skip


@dataclass(frozen=True)
class _Numbers:
    """Independent numbers around their values."""

    paths: tuple[str, ...]
    values: tuple[float, ...]
    spec: Noise

    @property
    def dims(self) -> int:
        return len(self.paths)

    def fill(self, source: Source) -> NDArray[Any]:
        spec, base, d = self.spec, np.array(self.values), len(self.paths)
        if spec.kind == "lognormal":
            z = source.normal(d)
            z *= z.dtype.type(spec.size)
            return base * np.exp(z, out=z)
        if spec.kind == "percent":
            return base * (1.0 + spec.size / 100.0 * (2.0 * source.uniform(d) - 1.0))
        if spec.kind == "uniform":
            return spec.low + (spec.high - spec.low) * source.uniform(d)
        if np.isinf(spec.low) and np.isinf(spec.high):
            return base + spec.size * source.normal(d).astype(float)
        return base + spec.size * self._cut(source.uniform(d), base)

    def _cut(self, u: Array, base: Array) -> Array:
        """Standard normal between the bounds, by inversion."""
        from scipy.special import ndtr, ndtri

        if self.spec.size == 0:
            return np.zeros(u.shape)
        low, high = (ndtr((b - base) / self.spec.size) for b in (self.spec.low, self.spec.high))
        return np.asarray(ndtri(low + u * (high - low)))


def multiplicative(*names: str, spread: float) -> Noise:
    """Numbers times a log-normal factor: the median stays, no sign changes.

    Parameters
    ----------
    *names : str
        Dotted paths, patterns (``"classes.*.nodes.*.weight"``, where a star stands for one step),
        or names of nodes and indicators (their weights; ``class.node`` for one class).
    spread : float
        Standard deviation of the factor's logarithm; 0.2 is about 20 %.

    Returns
    -------
    Noise

    Examples
    --------
    >>> multiplicative("indicator", spread=0.2).note
    'indicator x lognormal(0.2)'
    """
    return Noise(names, "lognormal", float(spread))


def percent(*names: str, by: float) -> Noise:
    """Numbers uniform within plus or minus some percent of their value.

    Parameters
    ----------
    *names : str
        As in `multiplicative`.
    by : float
        Percent, 0 to 100.

    Examples
    --------
    >>> percent("indicators.*.weight", by=25).note
    'indicators.*.weight +-25 %'
    """
    return Noise(names, "percent", float(by))


def normal(*names: str, sd: float, low: float = -np.inf, high: float = np.inf) -> Noise:
    """Numbers normal around their value, cut off at bounds where those are given.

    Parameters
    ----------
    *names : str
        As in `multiplicative`.
    sd : float
        Standard deviation, before the cut.
    low, high : float
        Bounds of the truncated normal distribution.
    """
    return Noise(names, "normal", float(sd), float(low), float(high))


def uniform(*names: str, low: float, high: float) -> Noise:
    """Numbers uniform between two bounds, whatever their value.

    Parameters
    ----------
    *names : str
        As in `multiplicative`.
    low, high : float
    """
    return Noise(names, "uniform", 0.0, float(low), float(high))


def measurement(*indicators: str, relative: float) -> Noise:
    """Measured actual values with an independent log-normal error.

    Parameters
    ----------
    *indicators : str
        Identifiers or patterns of indicators (``"P*"``), or whole paths
        ``tasks.UNIT.INDICATOR.actual``.
    relative : float
        Standard deviation of the error's logarithm; 0.05 is about 5 %.

    Examples
    --------
    >>> measurement("P001", relative=0.05).names
    ('tasks.*.P001.actual',)
    """
    paths = (i if i.startswith("tasks.") else f"tasks.*.{i}.actual" for i in indicators)
    return Noise(tuple(paths), "lognormal", float(relative))


@dataclass(frozen=True)
class Choice:
    """Numbers or words drawn from a list."""

    names: tuple[str, ...]
    values: tuple[Any, ...]
    probabilities: tuple[float, ...]
    together: bool

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        return f"{', '.join(self.names)} one of {', '.join(map(str, self.values))}"

    def parts(self, known: Known) -> list[Part]:
        """Look the names up, and try every value in the scheme."""
        paths = [p for name in self.names for p in known.find(name, "choice")]
        p = np.array(self.probabilities)
        if len(p) != len(self.values) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-9:
            known.problems.add(f"probabilities {p.tolist()}",
                               f"{len(self.values)} of them, not negative, that sum to 1",
                               row="choice")  # fmt: skip
        return [Chosen(tuple(dict.fromkeys(paths)), self)] if paths else []


@dataclass(frozen=True)
class Chosen:
    """Values from a list; not floats, so that words and whole numbers stay what they are."""

    paths: tuple[str, ...]
    spec: Choice

    @property
    def dims(self) -> int:
        return 1 if self.spec.together else len(self.paths)

    def fill(self, source: Source) -> NDArray[Any]:
        edges = np.cumsum(self.spec.probabilities)[:-1]
        at = np.searchsorted(edges, source.uniform(self.dims), side="right")
        return np.broadcast_to(np.asarray(self.spec.values)[at], (source.n, len(self.paths)))


def choice(
    *names: str,
    values: Sequence[Any],
    probabilities: Sequence[float] | None = None,
    together: bool = False,
) -> Choice:
    """Numbers or words drawn from a list: parameters of rules, missing rules, powers, caps, places.

    Parameters
    ----------
    *names : str
        As in `multiplicative`.
    values : sequence
        What may stand there.
    probabilities : sequence of float, optional
        Equal by default.
    together : bool
        One draw for all the names, or one for each.

    Examples
    --------
    >>> choice("missing_task", values=["redistribute", "class_mean"]).note
    'missing_task one of redistribute, class_mean'
    """
    n = len(values)
    p = tuple(probabilities) if probabilities is not None else (1.0 / n,) * n
    return Choice(names, tuple(values), tuple(map(float, p)), together)


def _need_year(known: Known, spec: str) -> None:
    if known.year is None:
        known.problems.add("a scheme", "a year: measured values are not in a scheme", row=spec)
