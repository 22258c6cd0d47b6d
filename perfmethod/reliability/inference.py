"""Which covariance of variance components intervals rest on, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.reliability.robust import clusters_of, robust_covariance

if TYPE_CHECKING:
    from perfmethod.reliability.components import Components

__all__ = ["INTERVALS", "LEAST_CLUSTERS", "Inference", "inference"]

Floats = NDArray[np.float64]

INTERVALS = ("wald", "profile", "robust")
LEAST_CLUSTERS = 50  # from which on the differences of clusters tell a covariance

_TOLD = {
    "en": {
        "robust": "robust, {} as clusters ({})",
        "wald": "normal theory",
        "profile": "profile likelihood, normal theory",
        "tables": "normal theory, for the fit keeps no ratings of single raters",
        "few": "normal theory, for {} of {} are too few for clusters",
    },
    "zh": {
        "robust": "稳健, 以{}为聚类({}个)",
        "wald": "正态理论",
        "profile": "轮廓似然, 正态理论",
        "tables": "正态理论(拟合未保留单个评议人的答案)",
        "few": "正态理论({1}只有{0}个, 不足以作聚类)",
    },
}
_NAMES = {"en": {}, "zh": {"rater": "评议人", "unit": "单位", "unit:rater": "答卷"}}


@dataclass(frozen=True, eq=False)
class Inference:
    """Covariance of components, and what it takes answers for.

    Parameters
    ----------
    method : {"robust", "wald"}
        ``"robust"``: levels of `by` are alike only in being drawn independently; ``"wald"``:
        effects and residuals are normal.
    covariance : ndarray (t + 1, t + 1)
        In the order of `Components.terms`; zero for a component on the boundary. Read-only.
    by : str
        Term whose levels are clusters, or would have been; empty where that is not known.
    clusters : int
        Its levels.
    reason : str
        Why normal theory: ``"asked"``, ``"tables"`` (the fit keeps no ratings of single levels) or
        ``"few"`` (fewer than 50 clusters); empty if robust.
    """

    method: str
    covariance: Floats
    by: str = ""
    clusters: int = 0
    reason: str = ""

    def told(self, lang: str = "en", *, profile: bool = False) -> str:
        """Name of the interval in words, or that of a component that got its profile interval.

        Parameters
        ----------
        lang : {"en", "zh"}
        profile : bool

        Examples
        --------
        >>> Inference("wald", np.eye(2), "plate", 24, "few").told()
        'normal theory, for 24 of plate are too few for clusters'
        """
        if lang not in _TOLD:
            raise PerfmethodError(f"lang: found {lang!r}; allowed: {suggest(str(lang), _TOLD)}")
        said, name = _TOLD[lang], _NAMES[lang].get(self.by, self.by)
        if profile:
            return said["profile"]
        if self.method == "robust":
            return said["robust"].format(name, f"{self.clusters:,}")
        kind = self.reason if self.reason in said else "wald"
        return said[kind].format(f"{self.clusters:,}", name)


def inference(fit: Components, method: str | None = None) -> Inference:
    """Covariance of the components of a fit.

    Parameters
    ----------
    fit : Components
    method : {"robust", "wald", "profile"}, optional
        Of the intervals: by default robust, with raters as clusters, unless the fit keeps no
        ratings of single raters (it is from tables) or has fewer than 50 of them; then normal
        theory, and the result says why.

    Returns
    -------
    Inference

    Notes
    -----
    Robust covariances need many clusters. Of 500 draws of 50 raters, 95 % intervals held the
    residual variance in 93 % where ratings were normal (96 % by normal theory), and in 92 % where
    15 % of raters had no residual at all (87 %); of 80 or more raters in 94 to 95 % (86 to 88 % by
    normal theory in the second case). Fewer raters make them too narrow.

    Examples
    --------
    >>> from perfmethod.reliability import Moments, variance_components
    >>> table = Moments.of([3, 5, 4, 8, 9, 8], batch=list("aaabbb"))
    >>> inference(variance_components(table, ["batch"])).told()
    'normal theory, for 2 of batch are too few for clusters'
    """
    if method is not None and method not in INTERVALS:
        allowed = suggest(str(method), INTERVALS)
        raise PerfmethodError(f"method: found {method!r}; allowed: {allowed}")
    if method in ("wald", "profile"):
        return Inference("wald", fit.covariance, reason="asked")
    by, count = clusters_of(fit)
    reason = _why_normal(by, count) if method is None else ""
    if reason:
        return Inference("wald", fit.covariance, by, count, reason)
    covariance = robust_covariance(fit)
    covariance.setflags(write=False)
    return Inference("robust", covariance, by, count)


def _why_normal(by: str, count: int) -> str:
    if not by:
        return "tables"
    return "few" if count < LEAST_CLUSTERS else ""
