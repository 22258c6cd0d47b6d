"""Estimates with their covariance, design effects and intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Estimates", "Quantiles", "critical"]


def critical(level: float, df: float) -> float:
    """Two-sided critical value of Student's t; of the normal distribution for infinite df.

    Parameters
    ----------
    level : float
        Between 0 and 1.
    df : float

    Raises
    ------
    PerfmethodError
        A level or degrees of freedom out of range.

    Examples
    --------
    >>> round(critical(0.95, float("inf")), 4), round(critical(0.95, 14), 4)
    (1.96, 2.1448)
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise PerfmethodError(f"level: found {level}; allowed: between 0 and 1")
    if not df > 0:
        raise PerfmethodError(
            f"degrees of freedom: found {df:g} (clusters less strata); allowed: above 0"
        )
    p = (1 + level) / 2
    return float(ndtri(p)) if math.isinf(df) else float(stdtrit(df, p))


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates from one design.

    Attributes
    ----------
    kind : str
        mean, total, ratio or domain mean.
    estimate : Series (p,)
    covariance : DataFrame (p, p)
    n : Series (p,)
        Members with weight that the estimate rests on.
    effective_size : Series (p,)
        Kish's, of their weights.
    deff_wor, deff_wr : Series (p,)
        Variance over that of a simple random sample of n, drawn without and with replacement;
        missing where there is no such variance (see `design_effect`).
    df : int
        Degrees of freedom of the design: clusters less strata.
    meta : mapping
        What the design and the calibration were.
    """

    kind: str
    estimate: pd.Series = field(repr=False)
    covariance: pd.DataFrame = field(repr=False)
    n: pd.Series = field(repr=False)
    effective_size: pd.Series = field(repr=False)
    deff_wor: pd.Series = field(repr=False)
    deff_wr: pd.Series = field(repr=False)
    df: int
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        errors = self.standard_error
        shown = [f"{k} {self.estimate[k]:.6g} (SE {errors[k]:.3g})" for k in errors.index[:3]]
        more = f", ... {len(errors)} in all" if len(errors) > 3 else ""
        return f"<Estimates, {self.kind}: {', '.join(shown)}{more}; {self.df} df>"

    @property
    def standard_error(self) -> pd.Series:
        """Standard errors (p,)."""
        import pandas as pd

        variance = np.diag(self.covariance.to_numpy(float))
        return pd.Series(np.sqrt(np.maximum(variance, 0.0)), self.estimate.index)

    def to_frame(self, level: float = 0.95, df: float | None = None) -> pd.DataFrame:
        """The estimates with their intervals.

        Parameters
        ----------
        level : float
        df : float, optional
            Degrees of freedom of the intervals, default those of the design; infinite for normal
            intervals.

        Returns
        -------
        DataFrame
            estimate, standard_error, low, high, n, effective_size, deff_wor, deff_wr.
        """
        import pandas as pd

        half = critical(level, self.df if df is None else df) * self.standard_error
        return pd.DataFrame(
            {
                "estimate": self.estimate,
                "standard_error": self.standard_error,
                "low": self.estimate - half,
                "high": self.estimate + half,
                "n": self.n,
                "effective_size": self.effective_size,
                "deff_wor": self.deff_wor,
                "deff_wr": self.deff_wr,
            }
        )


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Quantiles with Woodruff's intervals.

    Attributes
    ----------
    table : DataFrame
        Index p; quantile, low, high, standard_error. Missing ends where the interval of the share
        leaves 0 to 1: the sample is too small to bound such a quantile on that side.
    level : float
    df : float
    """

    table: pd.DataFrame = field(repr=False)
    level: float
    df: float

    def __repr__(self) -> str:
        shown = [f"{p:g}: {q:.6g}" for p, q in self.table["quantile"].items()]
        return f"<Quantiles {', '.join(shown)}>"

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table.copy()
