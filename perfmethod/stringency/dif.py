"""Anchors that favor a group: found one at a time, the worst dropped first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems
from perfmethod.stringency.ancova import ancova, within

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AnchorCheck", "anchor_check", "holm"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AnchorCheck:
    """Which anchors differ between groups more than the other anchors say.

    Attributes
    ----------
    steps : DataFrame
        One row per step and anchor still in: step, anchor, f, p, p_holm, dropped (in this step),
        detectable (group differences, in within-group standard deviations of the anchor, that this
        test finds with 80 % chance).
    kept, dropped, idle : tuple of str
        Anchors that stayed, that were dropped (the worst first), and that do not vary within
        groups and tell nothing.
    alpha : float
    """

    steps: pd.DataFrame = field(repr=False)
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    idle: tuple[str, ...]
    alpha: float

    def __repr__(self) -> str:
        out = ", ".join(self.dropped) or "none"
        return f"<AnchorCheck: {len(self.kept)} anchors kept, dropped {out}>"

    def to_frame(self) -> pd.DataFrame:
        """All steps."""
        return self.steps.copy()


def anchor_check(
    anchors: pd.DataFrame,
    groups: Sequence[object] | ArrayLike,
    *,
    alpha: float = 0.05,
    least: int = 2,
) -> AnchorCheck:
    """Test every anchor for group differences beyond the mean of the others; drop the worst; again.

    One anchor that favors a group makes every clean one look as if it disfavored that group, for it
    stands in the mean they are compared with: so one is dropped at a time, and the rest are tested
    anew. With two anchors a difference shows in both, and nothing tells which of them has it.

    Parameters
    ----------
    anchors : DataFrame (u, a)
        Scores of the units on each anchor.
    groups : sequence (u,)
    alpha : float, default 0.05
        Level of each step, shared among the anchors by Holm's method.
    least : int, default 2
        Anchors that stay in any case.

    Returns
    -------
    AnchorCheck
        An anchor that was not dropped is not proved clean: `detectable` says what the test misses.

    Raises
    ------
    DataError
        If a score is missing, fewer than three anchors vary within groups, or groups are too few or
        too small; all problems at once.

    References
    ----------
    Candell and Drasgow, "An iterative procedure for linking metrics and assessing item bias",
    *Applied Psychological Measurement* 12 (1988), 253-260 (purification); Holm, *Scandinavian
    Journal of Statistics* 6 (1979), 65-70.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame(rng.normal(size=(40, 4)), columns=list("abcd"))
    >>> frame.loc[:19, "c"] += 4
    >>> anchor_check(frame, ["g"] * 20 + ["h"] * 20)
    <AnchorCheck: 3 anchors kept, dropped c>
    """
    import pandas as pd

    x, code = _checked(anchors, groups)
    idle = [str(a) for a in anchors if np.ptp(within(x[str(a)], code, code.max() + 1)) < 1e-9]
    left = [a for a in x if a not in idle]
    problems = Problems("anchors")
    if len(left) < 3:
        problems.add(f"{len(left)} anchors that vary within groups", "3 or more: with two, nothing "
                     "tells which of them favors a group")  # fmt: skip
    problems.raise_any(DataError)
    z = {a: x[a] / within(x[a], code, code.max() + 1).std() for a in left}
    rows, dropped = [], []
    for step in range(1, len(left) + 1):
        table = _step(z, left, code)
        table["p_holm"] = holm(table["p"])
        worst = str(table["p_holm"].idxmin())
        out = float(table["p_holm"].min()) <= alpha and len(left) > least
        table["dropped"] = (table.index == worst) & out
        rows.append(table.rename_axis("anchor").reset_index().assign(step=step))
        if not out:
            break
        dropped.append(worst)
        left = [a for a in left if a != worst]
    steps = pd.concat(rows, ignore_index=True)
    order = ["step", "anchor", "f", "p", "p_holm", "dropped", "detectable"]
    return AnchorCheck(steps[order], tuple(left), tuple(dropped), tuple(idle), alpha)


def holm(p: ArrayLike) -> Array:
    """Holm's adjusted p-values (n,), in their order.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p, dtype=float)
    order = np.argsort(given, kind="stable")
    found = np.empty(given.size)
    found[order] = np.maximum.accumulate(given[order] * (given.size - np.arange(given.size)))
    return np.minimum(found, 1.0)


def _checked(
    anchors: pd.DataFrame, groups: Sequence[object] | ArrayLike
) -> tuple[dict[str, Array], NDArray[np.intp]]:
    problems = Problems("anchors")
    names = np.array([str(g) for g in np.asarray(groups, dtype=object)])
    labels, code = np.unique(names, return_inverse=True)
    if len(names) != len(anchors):
        problems.add(f"{len(names)} groups", f"{len(anchors)}, one for each unit", column="groups")
        problems.raise_any(DataError)
    if len(labels) < 2:
        problems.add(f"{len(labels)} group", "2 or more", column="groups")
    for label, n in zip(labels, np.bincount(code), strict=True):
        if n < 2:
            problems.add(f"group '{label}' of {n} unit", "2 or more units", column="groups")
    for anchor in anchors:
        if missing := int((~np.isfinite(anchors[anchor].to_numpy(float))).sum()):
            problems.add(f"{missing} units without a score", "a score of every unit",
                         column=str(anchor))  # fmt: skip
    problems.raise_any(DataError)
    return {str(a): anchors[a].to_numpy(float) for a in anchors}, code


def _step(z: dict[str, Array], left: list[str], code: NDArray[np.intp]) -> pd.DataFrame:
    import pandas as pd

    from perfmethod.stringency.canonical import canonical
    from perfmethod.stringency.power import detectable_ratio

    rows = {}
    for anchor in left:
        rest = np.mean([z[a] for a in left if a != anchor], axis=0)
        fit = ancova(z[anchor], rest[:, None], code)
        # z has a spread of 1 within groups, so that the residual one is a share of it
        rows[anchor] = (fit.f, fit.p, detectable_ratio(canonical(fit)) * fit.sigma)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["f", "p", "detectable"])
