"""What every global sensitivity analysis returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.sensitivity.estimators import ratio

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Effect", "GlobalIndices"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Effect:
    """One kind of index of every factor on every output.

    Parameters
    ----------
    names : tuple of str (g,)
        Factors; for closed second-order indices, pairs of them ("a & b").
    values : ndarray (g, 1 + r, m)
        The estimate, then its r resamples.
    jackknife : bool
        The resamples leave out one of r replicates each; otherwise they are a bootstrap's.
    """

    names: tuple[str, ...]
    values: Array
    jackknife: bool = False

    @property
    def index(self) -> Array:
        """Estimates, (g, m)."""
        return np.asarray(self.values[:, 0])

    def interval(self, confidence: float) -> tuple[Array, Array]:
        """Interval of each index at a level, two arrays (g, m).

        Percentiles of a bootstrap; Student's t with r - 1 degrees of freedom for a jackknife; the
        estimate itself where there are no resamples, as for an exact enumeration.
        """
        tail = (1 - confidence) / 2
        if self.values.shape[1] == 1:
            return self.index, self.index
        if self.jackknife:
            from scipy.special import stdtrit

            half = stdtrit(self.values.shape[1] - 2, 1 - tail) * self.standard_error()
            return self.index - half, self.index + half
        low, high = np.quantile(self.values[:, 1:], [tail, 1 - tail], axis=1)
        return low, high

    def standard_error(self) -> Array:
        """Standard error of each index, (g, m); 0 without resamples."""
        r = self.values.shape[1] - 1
        if not r:
            return np.zeros(self.index.shape)
        spread = self.values[:, 1:].std(axis=1, ddof=0 if self.jackknife else 1)
        return np.asarray(spread * np.sqrt(r - 1) if self.jackknife else spread)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GlobalIndices:
    """Shares of each output's variance that factors answer for.

    Attributes
    ----------
    factors : tuple of str (g,)
    outputs : tuple of str (m,)
    effects : mapping of str to Effect
        'first', 'total', 'closed' (pairs), 'shapley': those that were asked for.
    mean, variance : ndarray (m,)
        Of each output, in its unit and its unit squared.
    constant : ndarray of bool (m,)
        Outputs that do not vary in the sample; their indices are 0 because there is no variance
        to share, not because nothing matters.
    confidence : float
        Level of the intervals.
    variances : ndarray (1 + r, m)
        The variance again, and in the bootstrap resamples.
    meta : mapping
        Size and kind of the sample, evaluations, estimators, seed.
    """

    factors: tuple[str, ...]
    outputs: tuple[str, ...]
    effects: Mapping[str, Effect]
    mean: Array
    constant: NDArray[np.bool_]
    confidence: float
    variances: Array
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "effects", MappingProxyType(dict(self.effects)))
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))
        for array in (self.mean, self.constant, self.variances,
                      *(e.values for e in self.effects.values())):  # fmt: skip
            array.setflags(write=False)

    @property
    def variance(self) -> Array:
        """Variance of each output, (m,)."""
        return np.asarray(self.variances[0])

    def __repr__(self) -> str:
        still = f", {int(self.constant.sum())} constant" if self.constant.any() else ""
        return (
            f"<GlobalIndices {', '.join(self.effects)} of {len(self.factors)} factors on "
            f"{len(self.outputs)} outputs{still}; {self.meta.get('evaluations', 0)} evaluations>"
        )

    def to_frame(self, output: str | None = None) -> pd.DataFrame:
        """One row per effect, factor and output.

        Parameters
        ----------
        output : str, optional
            Only this output.

        Returns
        -------
        DataFrame
            effect, factor, output, index, standard_error, low, high, constant.

        Raises
        ------
        PerfmethodError
            If there is no such output.
        """
        import pandas as pd

        kept = range(len(self.outputs)) if output is None else [self._at(output)]
        rows = []
        for name, effect in self.effects.items():
            low, high = effect.interval(self.confidence)
            error = effect.standard_error()
            rows += [
                (name, factor, self.outputs[j], effect.index[i, j], error[i, j], low[i, j],
                 high[i, j], bool(self.constant[j]))
                for j in kept
                for i, factor in enumerate(effect.names)
            ]  # fmt: skip
        columns = ["effect", "factor", "output", "index", "standard_error", "low", "high"]
        return pd.DataFrame(rows, columns=[*columns, "constant"])

    def summed(self, outputs: Sequence[str], name: str = "all") -> GlobalIndices:
        """Indices of several outputs as one: shares of the sum of their variances.

        Parameters
        ----------
        outputs : sequence of str
            Of one unit of measurement, such as the ranks of all units.
        name : str
            Of the combined output.

        Returns
        -------
        GlobalIndices

        Raises
        ------
        PerfmethodError
            If an output is unknown, or none is given.

        References
        ----------
        Gamboa F. et al. (2014), Sensitivity analysis for multidimensional and functional outputs,
        Electronic Journal of Statistics 8, 575-603.
        """
        if not outputs:
            raise PerfmethodError("found no outputs to sum; at least 1 is needed")
        at = [self._at(one) for one in outputs]
        spread = self.variances[:, at]
        whole = spread.sum(-1, keepdims=True)
        effects = {
            kind: replace(
                e, values=ratio((e.values[..., at] * spread).sum(-1, keepdims=True), whole)
            )
            for kind, e in self.effects.items()
        }
        return GlobalIndices(
            factors=self.factors, outputs=(name,), effects=effects,
            mean=self.mean[at].sum(keepdims=True), constant=np.array([self.constant[at].all()]),
            confidence=self.confidence, variances=whole, meta=self.meta,
        )  # fmt: skip

    def plot(self, output: str | None = None, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the indices of one output as bars with their intervals.

        Parameters
        ----------
        output : str, optional
            May be left out where there is one output only.
        ax : Axes, optional
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If the output is unknown, or not named among several.
        """
        from perfmethod.plots import effect_bars

        frame = self.to_frame(output if output is not None or len(self.outputs) > 1
                              else self.outputs[0])  # fmt: skip
        if frame["output"].nunique() != 1:
            raise PerfmethodError(f"found no output named; {suggest('', self.outputs)}")
        frame = frame[frame["effect"] != "closed"]
        return effect_bars(frame, ax, title=_title(frame, lang), language=lang)

    def _at(self, output: str) -> int:
        if output not in self.outputs:
            raise PerfmethodError(f"output '{output}'; {suggest(output, self.outputs)}")
        return self.outputs.index(output)


_TITLES = {
    "en": {
        "most": "{} % of the variance of {} involves {}",
        "none": "{} does not vary",
        "mean_rank_shift": "the mean rank shift",
        "excellent_changes": "changes of the list",
        "rank": "the rank of {}",
        "excellent": "{}'s place in the best grade",
    },
    "zh": {
        "most": "{1}的方差有{0}%涉及{2}",
        "none": "{}没有变化",
        "mean_rank_shift": "平均名次变动",
        "excellent_changes": "名单变动",
        "rank": "{}的名次",
        "excellent": "{}是否列入最高等次",
    },
}


def _title(frame: pd.DataFrame, lang: str) -> str:
    """The factor with the largest total effect (or the largest of what there is)."""
    said, kind_of = _TITLES[lang], str(frame["output"].iloc[0]).partition(".")
    output = said.get(kind_of[0], frame["output"].iloc[0]).format(kind_of[2])
    if frame["constant"].all():
        return said["none"].format(output)
    kinds = set(frame["effect"])
    kind = next(k for k in ("total", "shapley", "first") if k in kinds)
    own = frame[frame["effect"] == kind]
    most = own.nlargest(1, "index").iloc[0]
    return said["most"].format(show(100 * most["index"], 0), output, most["factor"])
