"""Who is excellent at every split of the weight among three siblings: a map on a triangle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.draws import Draws
from perfmethod.errors import PerfmethodError, SchemeError
from perfmethod.scoring import simulate
from perfmethod.uncertainty.names import Family, Known
from perfmethod.year import Year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BlockMap", "block_map"]


@dataclass(frozen=True)
class BlockMap:
    """The best grade's holders over all weights of three siblings.

    Attributes
    ----------
    table : DataFrame
        One row per point of the grid: a, b, c (shares), holders (names, separated by semicolons),
        change (who enters and who leaves the scheme's own list, ``+X −Y``; empty for nobody),
        changed (how many these are), failed (reason).
    children : tuple of str
        Names of the three siblings.
    nominal : tuple of float
        The scheme's own shares.
    class_id : str
        Class whose weights vary; other classes keep theirs.
    meta : mapping
    """

    table: pd.DataFrame = field(repr=False)
    children: tuple[str, ...]
    nominal: tuple[float, ...]
    class_id: str
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        same = int((self.table["changed"] == 0).sum())
        return (
            f"<BlockMap of {' / '.join(self.children)}: {self.table['holders'].nunique()} lists, "
            f"the scheme's own at {same} of {len(self.table)} points>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the triangle.

        Parameters
        ----------
        ax : Axes, optional
        lang : {'zh', 'en'}
        """
        from perfmethod.sensitivity.figures import triangle

        return triangle(self, ax, lang)


def block_map(year: Year, family: str, *, steps: int = 30, lang: str = "zh") -> BlockMap:
    """Score a year at every point of a grid over the weights of three siblings.

    Parameters
    ----------
    year : Year
        With grades.
    family : str
        A class (its blocks), or ``class.node``: something with three children.
    steps : int
        Points along a side, less one: there are ``(steps + 1)(steps + 2) / 2`` in all.
    lang : {'zh', 'en'}
        Language of the names.

    Returns
    -------
    BlockMap

    Raises
    ------
    SchemeError
        If there is no such family.
    PerfmethodError
        If it has not three children, the scheme gives no grades, or `steps` is below 1.

    Notes
    -----
    On the triangle's edges a block has no weight: a unit that has only this block has no score
    there, and the point is listed as failed.
    """
    known = Known.of(year)
    found = known.families(family, "block_map")
    known.problems.raise_any(SchemeError)
    (three,) = found if len(found) == 1 else _not_one(family, found)
    if len(three.paths) != 3 or steps < 1 or "grades" not in year.scheme.document:
        raise PerfmethodError(
            f"block_map: found {len(three.paths)} children of '{family}', steps={steps}, "
            f"{'grades' if 'grades' in year.scheme.document else 'no grades'}; allowed: three "
            "children, steps of 1 or more, a scheme with grades"
        )
    weights = np.array([float(known.values[p]) for p in three.paths])
    shares = _grid(steps)
    rows = np.vstack([weights / weights.sum(), shares]) * weights.sum()
    draws = Draws.of(dict(zip(three.paths, rows.T, strict=True)), f"weights of {family}")
    simulation = simulate(year, draws, failures="count")
    assert simulation.grade is not None
    class_id = three.name.partition(".")[0]
    mine = np.array(simulation.classes) == class_id
    best = (simulation.grade == 0) & mine
    reasons = {f.draw: f.reason for f in simulation.failures}
    names = year.unit_names(lang)[list(simulation.units)].to_numpy()
    table = pd.DataFrame(shares, columns=["a", "b", "c"])
    table["holders"] = [";".join(names[held]) for held in best[1:]]
    table["change"] = [_change(names, best[0], held) for held in best[1:]]
    table["changed"] = (best[1:] != best[0]).sum(1)
    table["failed"] = [reasons.get(i, "") for i in range(1, len(rows))]
    labels = tuple(_name(year, class_id, child, lang) for child in three.children)
    nominal = tuple((weights / weights.sum()).tolist())
    return BlockMap(table, labels, nominal, class_id, simulation.meta)


def _change(names: Any, own: Any, held: Any) -> str:
    return " ".join(
        [*(f"+{n}" for n in names[held & ~own]), *(f"−{n}" for n in names[own & ~held])]
    )


def _not_one(family: str, found: list[Family]) -> list[Family]:
    names = ", ".join(f"'{f.name}'" for f in found)
    raise PerfmethodError(f"block_map: found '{family}', which is {names}; allowed: one of them")


def _grid(steps: int) -> np.ndarray:
    whole = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    return np.array(whole, float) / steps


def _name(year: Year, class_id: str, child: str, lang: str) -> str:
    nodes = year.scheme.document["classes"][class_id].get("nodes", {})
    at = f"classes.{class_id}.nodes.{child}" if child in nodes else f"indicators.{child}"
    return year.scheme.name(at, lang)
