"""What every weighting method returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Weighting"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Weighting:
    """Weights of n criteria, with their uncertainty where one exists.

    Parameters
    ----------
    weights : ndarray (..., n)
        Nonnegative, summing to 1 over the last axis. Read-only.
    method : str
        Name of the method, as in `perfmethod.weighting.METHODS`.
    names : tuple of str (n,)
        Criteria, in the order of `weights`; "criterion 1", ... where none were given.
    standard_errors : ndarray (..., n) or None
        None where the method has none (a convention such as equal weights) or the input cannot
        give one (a single expert); `notes` then says why.
    notes : tuple of str
        Everything a reader of the weights must know: what was left out, overridden, impossible.
    details : mapping
        Numbers of the method on the way to the weights. Read-only.

    Examples
    --------
    >>> result = Weighting(weights=np.array([0.75, 0.25]), method="equal", names=("cost", "speed"))
    >>> result
    <Weighting equal: cost 0.7500, speed 0.2500>
    >>> result.to_frame()["weight"].to_dict()
    {'cost': 0.75, 'speed': 0.25}
    """

    weights: Array
    method: str
    names: tuple[str, ...] = ()
    standard_errors: Array | None = None
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # a frozen dataclass does not freeze what its fields hold
        names = self.names or default_names(self.weights.shape[-1])
        object.__setattr__(self, "names", tuple(names))
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))
        for array in (self.weights, self.standard_errors, *self.details.values()):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per criterion: `weight`, and `standard_error` where there is one.

        Returns
        -------
        DataFrame

        Raises
        ------
        ValueError
            If the weights have a leading axis: a table holds one set of weights.
        """
        import pandas as pd

        if self.weights.ndim != 1:
            raise ValueError(
                f"found weights of shape {self.weights.shape}; a table holds one set (n,): "
                "take one draw, or a summary over the draws"
            )
        columns = {"weight": self.weights}
        if self.standard_errors is not None:
            columns["standard_error"] = self.standard_errors
        return pd.DataFrame(columns, index=pd.Index(self.names, name="criterion"))

    def _summary(self) -> str:
        """Words that a subclass puts after the weights."""
        return ""

    def __repr__(self) -> str:
        if self.weights.ndim == 1:
            pairs = zip(self.names, self.weights, strict=True)
            shown = ", ".join(f"{name} {weight:.4f}" for name, weight in list(pairs)[:8])
            more = f", ... ({len(self.names)} in all)" if len(self.names) > 8 else ""
        else:
            shown, more = f"weights of shape {self.weights.shape}", ""
        return f"<{type(self).__name__} {self.method}: {shown}{more}{self._summary()}>"


def default_names(n: int, word: str = "criterion") -> tuple[str, ...]:
    """Names for things that came without: counted from 1, as people count.

    Examples
    --------
    >>> default_names(2)
    ('criterion 1', 'criterion 2')
    """
    return tuple(f"{word} {i + 1}" for i in range(n))


def checked_names(names: Sequence[str] | None, n: int, word: str = "criterion") -> tuple[str, ...]:
    """`names` as strings, or default names; refuses a wrong number of them or one given twice.

    Examples
    --------
    >>> checked_names(["a"], 2)
    Traceback (most recent call last):
    ValueError: found 1 names ('a'); allowed: one different name for each of the 2 (criterion)
    """
    if names is None:
        return default_names(n, word)
    found = tuple(str(name) for name in names)
    if len(found) != n or len(set(found)) != n:
        raise ValueError(
            f"found {len(found)} names ({', '.join(map(repr, found))}); "
            f"allowed: one different name for each of the {n} ({word})"
        )
    return found
