"""A sample with its design: estimates whose errors know weights, clusters and calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.columns import columns, domains, estimates
from perfmethod.calibration.estimates import Estimates, Quantiles
from perfmethod.calibration.margins import Margin, check_weights, raise_all
from perfmethod.calibration.newton import calibrate
from perfmethod.calibration.quantiles import quantiles
from perfmethod.calibration.raking import post_stratify, rake
from perfmethod.calibration.variance import (
    LONELY,
    calibrated_residuals,
    checked_word,
    clustered_covariance,
    lonely_strata,
)
from perfmethod.calibration.weighting import Weighting, kish_effective_size
from perfmethod.errors import PerfmethodError, Problems

__all__ = ["Design"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Design:
    """Weights, strata, clusters and populations of a sample; made by `Design.of`.

    Attributes
    ----------
    weights : ndarray (n,)
        Calibrated, if the design is.
    cluster : ndarray of int (n,)
        Cluster of each member; clusters are numbered stratum by stratum.
    stratum : ndarray of int (r,)
        Stratum of each cluster, ascending.
    strata : tuple of str (h,)
    population : ndarray (h,)
        Clusters in the population, infinite where not given.
    lonely : {"error", "grand_mean", "remove"}
    calibration : Weighting or None
    """

    weights: Floats = field(repr=False)
    cluster: Codes = field(repr=False)
    stratum: Codes = field(repr=False)
    strata: tuple[str, ...] = field(repr=False)
    population: Floats = field(repr=False)
    lonely: str
    calibration: Weighting | None = None

    @classmethod
    def of(
        cls,
        weights: ArrayLike,
        *,
        strata: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        population: float | Mapping[Any, float] | None = None,
        lonely: str = "error",
    ) -> Design:
        """Describe a sample.

        Parameters
        ----------
        weights : array_like, shape (n,)
            Not negative; one over the probability of being drawn.
        strata, clusters : array_like, shape (n,), optional
            Labels; one stratum, every member a cluster by default. Clusters are nested in strata.
        population : float or mapping of stratum to float, optional
            Number of clusters in the population, for the finite population correction; strata that
            a mapping does not name have none.
        lonely : {"error", "grand_mean", "remove"}
            What a stratum with a single cluster (of a larger population) does: it has no
            measurable variance. ``"grand_mean"`` takes its distance from the mean of all clusters
            (too large on average), and for totals that no calibration fixes its whole part of the
            total (far too large); ``"remove"`` takes 0 (too small).

        Returns
        -------
        Design

        Raises
        ------
        InputError
            Every problem at once: weights, labels that are missing or too few, strata with a
            single cluster (``lonely="error"``), a population smaller than the sample or of a
            stratum that is not there.

        References
        ----------
        Lumley, T. (2004). Analysis of complex survey samples. *Journal of Statistical Software*
        9(8). ``options(survey.lonely.psu =)``: "fail", "adjust" and "remove".

        Examples
        --------
        >>> design = Design.of([10, 10, 20, 20], strata=["a", "a", "b", "b"])
        >>> design
        <Design of 4 members in 4 clusters and 2 strata, effective size 3.6>
        >>> design.mean([1, 3, 2, 6])
        <Estimates, mean: y 3.33333 (SE 1.37); 2 df>
        """
        checked_word("lonely", lonely, LONELY)
        problems = Problems("design")
        w = check_weights(weights, problems)
        strata_code, names = _labels("strata", strata, len(w), problems)
        cluster_code, _ = _labels("clusters", clusters, len(w), problems)
        if clusters is None:
            cluster_code = np.arange(len(w))
        raise_all(problems)
        many = int(cluster_code.max()) + 1
        key, cluster = np.unique(strata_code * many + cluster_code, return_inverse=True)
        stratum = key // many
        sizes = _population(population, names, np.bincount(stratum), problems)
        if lonely == "error":
            for h in lonely_strata(stratum, sizes):
                problems.add(f"a single cluster in stratum '{names[h]}'", "at least two, or "
                             "lonely='grand_mean' or 'remove'")  # fmt: skip
        raise_all(problems)
        return cls(w, cluster, stratum, names, sizes, lonely)

    def __repr__(self) -> str:
        how = f", {self.calibration.method}" if self.calibration is not None else ""
        return (
            f"<Design of {len(self.weights)} members in {len(self.stratum)} clusters and "
            f"{len(self.strata)} strata{how}, effective size {self.effective_size:.1f}>"
        )

    @property
    def df(self) -> int:
        """Degrees of freedom: clusters with weight less strata with weight."""
        there = np.unique(self.cluster[self.weights != 0])
        return len(there) - len(np.unique(self.stratum[there]))

    @property
    def effective_size(self) -> float:
        """Kish's effective size."""
        return kish_effective_size(self.weights)

    def post_stratify(self, margin: Margin) -> Design:
        """The sample post-stratified, see `post_stratify`."""
        return self._calibrated(lambda w: post_stratify(w, margin))

    def rake(self, margins: Sequence[Margin], **how: Any) -> Design:
        """The sample raked, see `rake`."""
        return self._calibrated(lambda w: rake(w, margins, **how))

    def calibrate(self, x: ArrayLike, totals: ArrayLike, **how: Any) -> Design:
        """The sample calibrated, see `calibrate`."""
        return self._calibrated(lambda w: calibrate(w, x, totals, **how))

    def _calibrated(self, make: Callable[[Floats], Weighting]) -> Design:
        if self.calibration is not None:
            raise PerfmethodError(
                f"found a design that is calibrated already ({self.calibration.method}); allowed: "
                "one calibration, to all totals at once"
            )
        found = make(self.weights)
        return replace(self, weights=found.weights, calibration=found)

    def covariance(self, z: Floats) -> Floats:
        """Covariance (p, p) of estimates with derivatives z (n, p) by the weights."""
        influence = self.weights[:, None] * calibrated_residuals(z, self.calibration)
        sums = np.zeros((len(self.stratum), z.shape[1]))
        np.add.at(sums, self.cluster, influence)
        return clustered_covariance(sums, self.stratum, self.population, self.lonely)

    def mean(self, y: Any, *, missing: str = "error") -> Estimates:
        """Weighted means.

        Parameters
        ----------
        y : array_like (n,) or (n, p), Series, DataFrame or mapping of name to array_like
        missing : {"error", "domain"}
            What a missing y is: an error, or a member outside the domain of the mean (as if those
            with an answer were the population of interest).

        Returns
        -------
        Estimates

        Raises
        ------
        InputError
            Missing or infinite numbers; the wrong number of rows.
        """
        names, values = columns(y, len(self.weights), missing)
        return estimates("mean", self, names, values)

    def total(self, y: Any, *, missing: str = "error") -> Estimates:
        """Weighted totals; parameters as in `mean`."""
        names, values = columns(y, len(self.weights), missing)
        return estimates("total", self, names, values)

    def ratio(self, y: Any, x: Any) -> Estimates:
        """Ratio of the totals of y and x, each (n,) or as many columns."""
        names, top = columns(y, len(self.weights), "error")
        _, bottom = columns(x, len(self.weights), "error")
        if bottom.shape[1] not in (1, top.shape[1]):
            raise PerfmethodError(f"x: found {bottom.shape[1]} columns; allowed: 1 or as many as y")
        return estimates("ratio", self, names, top, np.broadcast_to(bottom, top.shape))

    def domain(self, y: ArrayLike, by: ArrayLike, *, missing: str = "error") -> Estimates:
        """Means of one y (n,) in every group of `by` (n,), with their joint covariance."""
        _, values = columns(y, len(self.weights), missing)
        if values.shape[1] != 1:
            raise PerfmethodError(f"y: found {values.shape[1]} columns; allowed: 1")
        names, split = domains(values[:, 0], by)
        return estimates("domain mean", self, names, split, index="domain")

    def quantile(
        self, y: ArrayLike, p: ArrayLike = 0.5, *, level: float = 0.95, df: float | None = None
    ) -> Quantiles:
        """Quantiles of y (n,) with Woodruff's intervals, see `quantiles`."""
        return quantiles(self, y, p, level, self.df if df is None else df)


def _labels(
    name: str, labels: ArrayLike | None, n: int, problems: Problems
) -> tuple[Codes, tuple[str, ...]]:
    import pandas as pd

    if labels is None:
        return np.zeros(n, dtype=np.intp), ("all",)
    series = pd.Series(labels.array if isinstance(labels, pd.Series) else np.asarray(labels))
    codes, names = pd.factorize(series, sort=True)
    if len(codes) != n:
        problems.add(f"{len(codes)} labels", f"{n}, one a weight", column=name)
    for i in np.flatnonzero(codes < 0):
        problems.add("a missing label", "a label", row=f"position {i}", column=name)
    return codes, tuple(str(x) for x in names)


def _population(
    given: float | Mapping[Any, float] | None, names: tuple[str, ...], n: Codes, problems: Problems
) -> Floats:
    """Clusters in the population of each stratum."""
    if not isinstance(given, Mapping):
        sizes = np.full(len(names), np.inf if given is None else float(given))
    else:
        table = {str(k): float(v) for k, v in given.items()}
        for name in sorted(set(table) - set(names)):
            problems.add(f"a population of stratum '{name}'", "strata of the sample")
        sizes = np.array([table.get(name, np.inf) for name in names])
    for name, size, drawn in zip(names, sizes, n, strict=True):
        if not size >= drawn:
            problems.add(f"population {size:g} of stratum '{name}'", f"at least {drawn}, as drawn")
    return sizes
