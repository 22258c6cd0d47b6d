"""What every reliability coefficient returns: its exact name, its value, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.errors import suggest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Coefficient", "Coefficients"]


@dataclass(frozen=True, repr=False, kw_only=True)
class Coefficient:
    """A reliability or agreement coefficient with its interval.

    Parameters
    ----------
    name : str
        Exact name: which alpha, which ICC, which metric.
    value : float
        Estimate.
    low, high : float
        Ends of the confidence interval; NaN only where `method` begins with "none" and says why.
    level : float
        Confidence level.
    method : str
        Where the interval comes from, and what is taken as drawn at random.
    n : int
        Units or persons that entered.
    k : float
        Raters or items; a mean number where it varies (`notes` says which).
    standard_error : float or None
        None where the interval needs none.
    notes : tuple of str
        What a reader must know: rows left out, negative covariances, few clusters, ...
    details : mapping
        Numbers on the way to the value. Read-only.

    Examples
    --------
    >>> Coefficient(name="ICC(1,1)", value=0.17, low=-0.13, high=0.72, level=0.95,
    ...             method="F distribution", n=6, k=4)
    <ICC(1,1) = 0.1700, 95 % interval -0.1300 to 0.7200 (F distribution)>
    """

    name: str
    value: float
    low: float
    high: float
    level: float
    method: str
    n: int
    k: float
    standard_error: float | None = None
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))
        for array in self.details.values():
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    def __repr__(self) -> str:
        if np.isnan(self.low):
            shown = f"no interval ({self.method})"
        else:
            ends = f"{self.low:.4f} to {self.high:.4f}"
            shown = f"{100 * self.level:g} % interval {ends} ({self.method})"
        return f"<{self.name} = {self.value:.4f}, {shown}>"

    def row(self) -> dict[str, Any]:
        """One row of a table; notes joined by semicolons."""
        return {
            "coefficient": self.name,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "standard_error": np.nan if self.standard_error is None else self.standard_error,
            "n": self.n,
            "k": self.k,
            "interval": self.method,
            "notes": "; ".join(self.notes),
        }

    def to_frame(self) -> pd.DataFrame:
        """A table of one row, index `coefficient`."""
        return Coefficients((self,)).to_frame()


@dataclass(frozen=True, repr=False)
class Coefficients:
    """Several coefficients, in order; look one up by its name or the unique beginning of it.

    Parameters
    ----------
    items : tuple of Coefficient

    Examples
    --------
    >>> one = Coefficient(name="ICC(1,1)", value=0.2, low=0.1, high=0.3, level=0.95,
    ...                   method="F distribution", n=6, k=4)
    >>> Coefficients((one,))["ICC(1"].value
    0.2
    """

    items: tuple[Coefficient, ...]

    def __iter__(self) -> Iterator[Coefficient]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, name: str) -> Coefficient:
        found = [c for c in self.items if c.name == name]
        found = found or [c for c in self.items if c.name.startswith(name)]
        if len(found) != 1:
            known = [c.name for c in self.items]
            raise KeyError(f"found {name!r} for {len(found)} of them; allowed: " + (
                suggest(name, known) if not found else "one of " + ", ".join(known)
            ))  # fmt: skip
        return found[0]

    def __repr__(self) -> str:
        shown = ", ".join(f"{c.name} {c.value:.4f}" for c in self.items[:6])
        more = f", ... ({len(self.items)} in all)" if len(self.items) > 6 else ""
        return f"<Coefficients: {shown}{more}>"

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient.

        Returns
        -------
        DataFrame
            Index `coefficient`; value, low, high, level, standard_error (NaN where the interval
            needs none), n, k, interval (where it comes from), notes.
        """
        import pandas as pd

        return pd.DataFrame([c.row() for c in self.items]).set_index("coefficient")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every coefficient with its interval, the first on top.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure by default.
        """
        from perfmethod.plots import PALETTE, style

        with style():
            if ax is None:
                from matplotlib import pyplot as plt

                ax = plt.subplots(figsize=(7.2, 0.9 + 0.42 * len(self)))[1]
            rows = self.to_frame()
            height = np.arange(len(rows))[::-1]
            ax.hlines(height, rows["low"], rows["high"], color=PALETTE["blue"], lw=2)
            ax.plot(rows["value"], height, "o", color=PALETTE["blue"])
            ax.set_yticks(height, [str(name) for name in rows.index])
            ax.set_ylim(-0.6, len(rows) - 0.4)
            ax.axvline(1, color=PALETTE["grey"], lw=1)
        return ax
