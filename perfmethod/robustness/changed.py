"""A change of weights that has an effect, and the weights that prove it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.robustness.family import Family

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WeightChange", "weights_table"]

PROVEN = 2e-9  # relative distance of a result from its bound that rounding and search may leave


@dataclass(frozen=True)
class WeightChange:
    """The smallest change of weights that has an effect.

    Attributes
    ----------
    effect : str
        What changes.
    family, norm : str
    distance : float
        Size of the change of shares; infinite where no allowed weights have the effect (where it is
        not `proven`: where none were found).
    lower : float
        Proven bound: weights nearer than this never have the effect. Equal to `distance` where the
        search is one linear or least-distance program, else within a relative 1e-9, or the search
        came to its limit and the change is not `proven` to be the smallest.
    weights : DataFrame
        Index path; child, weight, new_weight, change (on the scheme's scale), share, new_share.
        The new weights are a hair past the tie; NaN where there are none.
    confirmed : bool
        Whether scoring the year with the new weights has the effect, and scoring it just before the
        tie on the way there does not.
    meta : mapping
    """

    effect: str
    family: str
    norm: str
    distance: float
    lower: float
    weights: pd.DataFrame = field(repr=False)
    confirmed: bool
    meta: Mapping[str, Any] = field(repr=False)

    @property
    def proven(self) -> bool:
        """Whether no smaller change has the effect: the bound is the distance, to 1e-9 of it."""
        return self.lower >= self.distance * (1 - PROVEN)

    def __repr__(self) -> str:
        if not self.proven:
            what = f"of {self.distance:.6g}" if np.isfinite(self.distance) else "not found"
            return (
                f"<WeightChange {what} ({self.norm}, {self.family}): {self.effect}, not proven to "
                f"be the smallest: none below {self.lower:.6g}>"
            )
        if not np.isfinite(self.distance):
            return f"<WeightChange: no weights of {self.family} that are allowed: {self.effect}>"
        told = "confirmed by scoring" if self.confirmed else "not confirmed by scoring"
        return f"<WeightChange of {self.distance:.6g} ({self.norm}, {self.family}): {self.effect}, {told}>"  # noqa: E501

    def to_frame(self) -> pd.DataFrame:
        """The weights before and after."""
        return self.weights

    def patch(self) -> dict[str, float]:
        """Changed weights as `Scheme.patch` takes them; empty where there are none."""
        if not np.isfinite(self.distance):
            return {}
        return {str(p): float(w) for p, w in self.weights["new_weight"].items()}


def weights_table(one: Family, after: NDArray[np.float64]) -> pd.DataFrame:
    """Weights of a family before and after; see `WeightChange.weights`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "child": one.children,
            "weight": one.share * one.scale,
            "new_weight": after * one.scale,
            "change": (after - one.share) * one.scale,
            "share": one.share,
            "new_share": after,
        },
        index=pd.Index(one.paths, name="path"),
    )
