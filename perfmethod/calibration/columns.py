"""Columns of numbers, and the estimates that a design makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.estimates import Estimates
from perfmethod.calibration.margins import raise_all
from perfmethod.calibration.variance import checked_word, srs_variances
from perfmethod.calibration.weighting import kish_effective_size
from perfmethod.errors import PerfmethodError, Problems

if TYPE_CHECKING:
    from perfmethod.calibration.design import Design

__all__ = ["MISSING", "columns", "domains", "estimates"]

Floats = NDArray[np.float64]

MISSING = ("error", "domain")


def columns(y: Any, n: int, missing: str) -> tuple[tuple[str, ...], Floats]:
    """Names and values (n, p) of what a user gives as y.

    Raises
    ------
    InputError
        The wrong number of rows, infinite numbers, missing ones with ``missing="error"``.
    """
    import pandas as pd

    checked_word("missing", missing, MISSING)
    if isinstance(y, Mapping):
        y = pd.DataFrame({k: np.asarray(v) for k, v in y.items()})
    if isinstance(y, pd.Series):
        y = y.to_frame("y" if y.name is None else str(y.name))
    if isinstance(y, pd.DataFrame):
        names, values = [str(c) for c in y.columns], y.to_numpy(dtype=float, na_value=np.nan)
    else:
        values = np.asarray(y, dtype=float)
        values = values[:, None] if values.ndim == 1 else values
        many = values.shape[1] if values.ndim == 2 else 0
        names = ["y"] if many == 1 else [f"y{j}" for j in range(many)]
    problems = Problems("y")
    if values.ndim != 2 or values.shape[0] != n or not values.shape[1]:
        problems.add(f"shape {values.shape}", f"({n},) or ({n}, p)")
        raise_all(problems)
    bad = ~np.isfinite(values) if missing == "error" else np.isinf(values)
    for i, j in np.argwhere(bad):
        allowed = "a finite number, or missing='domain'" if missing == "error" else "finite"
        problems.add(f"{values[i, j]}", allowed, row=f"position {i}", column=names[j])
    raise_all(problems)
    return tuple(names), values


def domains(y: Floats, by: ArrayLike) -> tuple[tuple[str, ...], Floats]:
    """One column for each group of `by`, missing outside it."""
    import pandas as pd

    codes, names = pd.factorize(
        pd.Series(by.array if isinstance(by, pd.Series) else np.asarray(by)), sort=True
    )
    problems = Problems("by")
    if len(codes) != len(y):
        problems.add(f"{len(codes)} labels", f"{len(y)}, one a member")
        raise_all(problems)
    for i in np.flatnonzero(codes < 0):
        problems.add("a missing label", "a group", row=f"position {i}")
    raise_all(problems)
    inside = codes[:, None] == np.arange(len(names))
    return tuple(str(x) for x in names), np.where(inside, y[:, None], np.nan)


def estimates(
    kind: str,
    design: Design,
    names: tuple[str, ...],
    y: Floats,
    x: Floats | None = None,
    index: str = "variable",
) -> Estimates:
    """Estimates of columns (n, p), linearized."""
    w = design.weights
    inside = ~np.isnan(y)
    filled = np.where(inside, y, 0.0)
    _need_weight(w, inside, names)
    if kind == "total":
        value, z = w @ filled, filled
    else:
        bottom = inside.astype(float) if x is None else x
        size = w @ bottom
        _need_size(size, names)
        value = (w @ filled) / size
        z = np.where(inside, filled - value * bottom, 0.0) / size
    covariance = design.covariance(z)
    of_total = kind in ("total", "ratio")
    srs = srs_variances(z if kind == "ratio" else y, w)
    squared = (w @ inside) ** 2 if of_total else 1.0
    variance = np.maximum(np.diag(covariance), 0.0)
    return _labelled(kind, design, names, index, {
        "estimate": value,
        "n": (inside & (w != 0)[:, None]).sum(axis=0),
        "effective_size": np.array([kish_effective_size(w[i]) for i in inside.T]),
        "deff_wor": _over(variance, srs["wor"] * squared),
        "deff_wr": _over(variance, srs["wr"] * squared),
    }, covariance)  # fmt: skip


def _labelled(
    kind: str, design: Design, names: tuple[str, ...], index: str, parts: dict[str, Any],
    covariance: Floats,
) -> Estimates:  # fmt: skip
    import pandas as pd

    labels = pd.Index(names, name=index)
    series = {k: pd.Series(v, labels, name=k) for k, v in parts.items()}
    how = design.calibration
    meta = {
        "clusters": len(design.stratum),
        "strata": len(design.strata),
        "lonely": design.lonely,
        "calibration": "none" if how is None else how.method,
        "converged": how is None or how.converged,
        "variance": "linearization",
    }
    return Estimates(
        kind, series["estimate"], pd.DataFrame(covariance, labels, labels), series["n"],
        series["effective_size"], series["deff_wor"], series["deff_wr"], design.df, meta,
    )  # fmt: skip


def _over(above: Floats, below: Floats) -> Floats:
    out = np.full(above.shape, np.nan)
    return np.divide(above, below, out=out, where=below > 0)


def _need_weight(w: Floats, inside: NDArray[np.bool_], names: tuple[str, ...]) -> None:
    for name, some in zip(names, inside.T, strict=True):
        if not (w[some] != 0).any():
            raise PerfmethodError(f"{name}: found no member with weight; allowed: at least one")


def _need_size(size: Floats, names: tuple[str, ...]) -> None:
    for name, value in zip(names, size, strict=True):
        if value == 0:
            raise PerfmethodError(f"{name}: found a denominator of 0; allowed: any other")
