"""How often each unit beats each other when nobody knows the weights of a family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.robustness.family import Family, family
from perfmethod.robustness.wins import expected_ranks, half_space

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.scoring import Evaluation

__all__ = ["Wins", "pairwise_wins"]

Array = NDArray[np.float64]

CHUNK = 10_000  # draws at a time


@dataclass(frozen=True)
class Wins:
    """Probabilities that a unit's total exceeds another's, weights uniform on the simplex.

    Attributes
    ----------
    family : str
    probability : DataFrame (u, u)
        Row beats column, for the units of the family's class.
    error : DataFrame (u, u)
        Monte Carlo standard error; zero where the probability is exact.
    meta : mapping
    """

    family: str
    probability: pd.DataFrame = field(repr=False)
    error: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        pairs = len(self.error) * (len(self.error) - 1)
        exact = int((self.error == 0).to_numpy().sum()) - len(self.error)
        return f"<Wins of {len(self.error)} units, {self.family}: {exact} of {pairs} pairs exact>"

    def to_frame(self) -> pd.DataFrame:
        """Expected rank of each unit, the best first.

        Returns
        -------
        DataFrame
            Index unit_id; expected_rank, error (a bound on its Monte Carlo standard error: those of
            the pairs added up, zero where all are exact).
        """
        import pandas as pd

        frame = pd.DataFrame(
            {
                "expected_rank": expected_ranks(self.probability.to_numpy()),
                "error": self.error.to_numpy().sum(0),
            },
            index=self.probability.index,
        )
        return frame.sort_values("expected_rank", kind="stable")


def pairwise_wins(
    evaluation: Evaluation,
    name: str,
    *,
    method: str = "varsi",
    draws: int = 100_000,
    seed: int = 0,
) -> Wins:
    """Find how often each unit beats each other, all weights of one family being equally likely.

    Bonus, deductions and all other weights stay as they are. Two totals whose difference is linear
    in the weights (blocks; units with the same children) have an exact probability, by one half
    space of the simplex. Where units that lack a child redistribute its weight, the difference of
    two totals with different denominators has no closed form: those pairs are estimated from draws,
    with their standard error.

    Parameters
    ----------
    evaluation : Evaluation
    name : str
        A family of `families`.
    method : str
        As for `half_space`.
    draws : int
        Uniform weights for the pairs that have no exact value; 0 refuses them.
    seed : int

    Returns
    -------
    Wins

    Raises
    ------
    PerfmethodError
        If the family is not offered or, with ``draws=0``, a pair is not exact.

    References
    ----------
    Lahdelma & Salminen, "SMAA-2", *Operations Research* 49 (2001), 444-454; `wins` for the exact
    probabilities.

    Examples
    --------
    >>> import pandas as pd, perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B", "C"], "roads": [100, 0, 60], "water": [0, 100, 60]}))
    >>> pairwise_wins(pm.evaluate(year), "city").to_frame().round(6)
             expected_rank  error
    unit_id
    C                  1.8    0.0
    A                  2.1    0.0
    B                  2.1    0.0
    """
    import pandas as pd

    found = family(evaluation, name)
    members = found.members
    i, j = (members[k] for k in np.triu_indices(members.size, 1))
    lines, exact = _differences(found, i, j)
    p, se = np.empty(i.size), np.zeros(i.size)
    p[exact] = half_space(lines, method)
    if not exact.all():
        if draws < 1:
            units = [found.units[k] for k in (i[~exact][0], j[~exact][0])]
            raise PerfmethodError(
                f"found draws = {draws} and {(~exact).sum()} pairs without an exact probability, "
                f"{units[0]} and {units[1]} among them; allowed: at least 1 draw for them"
            )
        p[~exact], se[~exact] = _estimated(found, i[~exact], j[~exact], draws, seed)
    index = pd.Index([found.units[k] for k in members], name="unit_id")
    table, error = np.full((members.size, members.size), 0.5), np.zeros((members.size,) * 2)
    a, b = np.triu_indices(members.size, 1)
    table[a, b], table[b, a] = p, 1 - p
    error[a, b] = error[b, a] = se
    meta = evaluation.year.meta | ({} if exact.all() else {"draws": draws, "seed": seed})
    return Wins(found.name, pd.DataFrame(table, index, index), pd.DataFrame(error, index, index),
                meta)  # fmt: skip


def _differences(
    found: Family, i: NDArray[np.intp], j: NDArray[np.intp]
) -> tuple[Array, NDArray[np.bool_]]:
    """Linear differences (e, n) of the pairs that have one, and which do."""
    single = found.totals.single
    lines = [
        found.totals.difference(int(a), int(b)) if single[a] and single[b] else None
        for a, b in zip(i, j, strict=True)
    ]
    exact = np.array([line is not None for line in lines])
    rows = np.reshape([line[0] for line in lines if line], (int(exact.sum()), found.share.size))
    size = np.abs(rows).max(-1, initial=0.0, keepdims=True)
    return np.where(np.abs(rows) > 1e-12 * size, np.where(size > 1e-9, rows, 0.0), 0.0), exact


def _estimated(
    found: Family, i: NDArray[np.intp], j: NDArray[np.intp], draws: int, seed: int
) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    total, square = np.zeros(i.size), np.zeros(i.size)
    for start in range(0, draws, CHUNK):
        w = rng.dirichlet(np.ones(found.share.size), min(CHUNK, draws - start))
        at = found.totals.at(w)
        won = (np.sign(np.round(at[:, i] - at[:, j], 9)) + 1) / 2
        total, square = total + won.sum(0), square + (won * won).sum(0)
    mean = total / draws
    # a pair that one side always won still has an error: of one more draw that it might lose
    spread = np.maximum(square / draws - mean * mean, 1 / (draws + 1))
    return mean, np.sqrt(spread / draws)
