"""Named uncertainties as functions of uniform numbers: what a global analysis can vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.draws import Block, Draws
from perfmethod.errors import PerfmethodError
from perfmethod.scheme import Scheme
from perfmethod.uncertainty import Spec, draw
from perfmethod.uncertainty.names import Known
from perfmethod.uncertainty.sources import PointSource
from perfmethod.uncertainty.specs import Chosen, Part
from perfmethod.year import Year

__all__ = ["Alternatives", "Factor", "alternatives", "draws_of", "resolve", "schemes"]

Array = NDArray[np.float64]
Values = Mapping[str, NDArray[Any]]

_EDGE = 2.0**-33  # uniform numbers are kept so far from 0 and 1: quantiles there are infinite


@dataclass(frozen=True, eq=False)
class Alternatives:
    """A choice among a few ways to set several numbers at once, or among schemes.

    Parameters
    ----------
    labels : tuple of str (l,)
    values : tuple of mapping of str to value (l,)
        The paths' values in each alternative.
    probabilities : tuple of float (l,)
    documents : tuple of Scheme (l,) or ()
        The scheme in each alternative.
    """

    labels: tuple[str, ...]
    values: tuple[Mapping[str, Any], ...]
    probabilities: tuple[float, ...]
    documents: tuple[Scheme, ...] = ()

    @property
    def note(self) -> str:
        """One phrase for the record of a result."""
        return f"one of {', '.join(self.labels)}"


@dataclass(frozen=True, eq=False)
class Factor:
    """One named uncertainty, looked up in a year.

    Parameters
    ----------
    name : str
    parts : tuple of Part
        What `perfmethod.uncertainty` fills, each from some columns.
    choice : Alternatives or None
        Set where everything hangs on one choice among few.
    note : str
        What varies and how.
    """

    name: str
    parts: tuple[Part, ...] = field(repr=False)
    choice: Alternatives | None = field(repr=False)
    note: str

    @property
    def paths(self) -> tuple[str, ...]:
        """Every number that it varies."""
        if self.choice is not None:
            return tuple(self.choice.values[0])
        return tuple(path for part in self.parts for path in part.paths)

    @property
    def columns(self) -> int:
        """Number of uniform numbers that one draw needs."""
        return 1 if self.choice is not None else sum(part.dims for part in self.parts)

    def position(self, u: Array) -> NDArray[np.intp]:
        """Which alternative each draw takes, for uniform numbers (k, 1)."""
        assert self.choice is not None  # callers look first
        edges = np.cumsum(self.choice.probabilities)[:-1]
        return np.searchsorted(edges, u[:, 0], side="right")

    def from_uniform(self, u: Array) -> Values:
        """Values (k,) of every path for uniform numbers (k, columns)."""
        if self.choice is not None:
            return self.at(self.position(u))
        source = PointSource(np.clip(u, _EDGE, 1 - _EDGE))
        out: dict[str, NDArray[Any]] = {}
        for part in self.parts:
            out |= dict(zip(part.paths, part.fill(source).T, strict=True))
        return out

    def at(self, position: NDArray[np.intp]) -> Values:
        """Values (k,) of every path for chosen alternatives (k,)."""
        assert self.choice is not None
        each = self.choice.values
        return {path: np.array([a[path] for a in each])[position] for path in each[0]}


def alternatives(
    values: Mapping[str, Mapping[str, Any]], probabilities: Sequence[float] | None = None
) -> Alternatives:
    """Make a choice among a few ways to set several numbers at once.

    Where all numbers take the same value, `uncertainty.choice` with ``together=True`` says it in
    fewer words.

    Parameters
    ----------
    values : mapping of str to mapping
        By label, the values of dotted paths. Each must set the same paths.
    probabilities : sequence of float, optional
        Equal by default.

    Returns
    -------
    Alternatives

    Raises
    ------
    PerfmethodError
        If there is no alternative, they set different paths, or probabilities do not fit.

    Examples
    --------
    >>> caps = alternatives({"narrow": {"adjustments.bonus_cap": 20, "adjustments.net_cap": 10},
    ...                      "wide": {"adjustments.bonus_cap": 80, "adjustments.net_cap": 60}})
    >>> caps.note, caps.probabilities
    ('one of narrow, wide', (0.5, 0.5))
    """
    each = tuple(dict(a) for a in values.values())
    paths = set(each[0]) if each else set()
    odd = [label for label, a in values.items() if set(a) != paths]
    if not paths or odd:
        raise PerfmethodError(
            f"found alternatives {', '.join(values) or 'of no kind'}, of which "
            f"{', '.join(odd) or 'all'} set other paths or none; allowed: the same paths in each"
        )
    return Alternatives(tuple(values), each, _probabilities(len(each), probabilities))


def schemes(
    documents: Mapping[str, Scheme], probabilities: Sequence[float] | None = None
) -> Alternatives:
    """Make a choice among schemes, for alternatives that change structure.

    Parameters
    ----------
    documents : mapping of str to Scheme
        By label. Numbers that other factors vary must be in each.
    probabilities : sequence of float, optional
        Equal by default.

    Returns
    -------
    Alternatives

    Raises
    ------
    PerfmethodError
        If there is no scheme, or probabilities do not fit.
    """
    if not documents:
        raise PerfmethodError("found no schemes; at least 1 is needed")
    each = tuple(documents.values())
    nothing: tuple[Mapping[str, Any], ...] = ({},) * len(each)
    return Alternatives(tuple(documents), nothing, _probabilities(len(each), probabilities), each)


def resolve(
    year: Year, factors: Mapping[str, Spec | Alternatives | Sequence[Spec]]
) -> tuple[Factor, ...]:
    """Look up what every factor varies, and check all of it together.

    Parameters
    ----------
    year : Year
    factors : mapping of str to Spec, sequence of Spec, or Alternatives

    Returns
    -------
    tuple of Factor

    Raises
    ------
    SchemeError
        With every problem of the specifications: a name that is not there, a number in two of
        them, a value that the scheme does not allow.
    PerfmethodError
        If there is no factor, a factor varies nothing, a number is in two factors, or there are
        several choices among schemes.
    """
    if not factors:
        raise PerfmethodError("found no factors; at least 1 is needed")
    _check_filled(factors)
    listed = {name: _specs(given) for name, given in factors.items()
              if not isinstance(given, Alternatives)}  # fmt: skip
    everything = [spec for specs in listed.values() for spec in specs]
    if everything:
        draw(year, 1, *everything, seed=0)  # for what it refuses
    found = tuple(
        Factor(name, (), given, given.note)
        if isinstance(given, Alternatives)
        else _factor(year, name, listed[name])
        for name, given in factors.items()
    )
    empty = [factor.name for factor in found if not factor.columns]
    if empty:
        raise PerfmethodError(f"found factors that vary nothing: {', '.join(map(repr, empty))}; "
                              "allowed: at least one number that the year has")  # fmt: skip
    _check(year, found)
    return found


def _check_filled(factors: Mapping[str, Spec | Alternatives | Sequence[Spec]]) -> None:
    empty = [repr(name) for name, given in factors.items()
             if isinstance(given, Sequence) and not given]  # fmt: skip
    if empty:
        raise PerfmethodError(f"found factors without a specification: {', '.join(empty)}; "
                              "allowed: at least one for each factor")  # fmt: skip


def _specs(given: Spec | Alternatives | Sequence[Spec]) -> list[Spec]:
    return list(given) if isinstance(given, Sequence) else [given]  # type: ignore[list-item]


def _factor(year: Year, name: str, specs: list[Spec]) -> Factor:
    parts = tuple(part for spec in specs for part in spec.parts(Known.of(year)))
    note = "; ".join(spec.note for spec in specs)
    first = parts[0] if len(parts) == 1 else None
    if isinstance(first, Chosen) and first.dims == 1:
        listed, p = first.spec.values, first.spec.probabilities
        values = tuple(dict.fromkeys(first.paths, value) for value in listed)
        return Factor(name, parts, Alternatives(tuple(map(str, listed)), values, p), note)
    return Factor(name, parts, None, note)


def _check(year: Year, factors: tuple[Factor, ...]) -> None:
    """Refuse what two factors vary, and values that the scheme does not take."""
    paths = [path for factor in factors for path in factor.paths]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    structural = [f.name for f in factors if f.choice is not None and f.choice.documents]
    if twice or len(structural) > 1:
        raise PerfmethodError(
            f"found {', '.join(twice[:5] or structural)} in more than one factor; allowed: each "
            "number, and the choice of a scheme, in one (make one factor of what belongs together)"
        )
    for factor in factors:
        if factor.choice is not None and not factor.choice.documents:
            for values in factor.choice.values:
                year.scheme.patch(values, drawn=True)


def draws_of(values: Values, size: int, base: float) -> Draws:
    """Draws of given values; without any, draws of the scheme as it is (its base)."""
    given = values or {"base": np.full(size, base)}
    numbers = [p for p, v in given.items() if v.dtype.kind == "f"]
    table = np.stack([given[p] for p in numbers], 1) if numbers else np.empty((size, 0))
    columns = {path: j for j, path in enumerate(numbers)}
    others = {p: v for p, v in given.items() if p not in columns}
    return Draws(size, _Slices(Block(table, columns, others)), tuple(given), "named factors")


@dataclass(frozen=True)
class _Slices:
    """Blocks of draws that exist, in a form that other processes can be sent."""

    whole: Block

    def __call__(self, part: slice) -> Block:
        others = {path: value[part] for path, value in self.whole.others.items()}
        return Block(self.whole.table[part], self.whole.columns, others)


def _probabilities(size: int, given: Sequence[float] | None) -> tuple[float, ...]:
    p = np.full(size, 1 / size) if given is None else np.asarray(given, dtype=float)
    if p.shape != (size,) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-9:
        raise PerfmethodError(f"found probabilities {p.tolist()}; allowed: {size} numbers from 0 "
                              "on that sum to 1")  # fmt: skip
    return tuple((p / p.sum()).tolist())
