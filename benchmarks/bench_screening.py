"""Screening: how much of what is planted is found, and what is flagged that is not, by year.

Run: ``python -m benchmarks.bench_screening [years]`` (100 by default, about four CPU minutes); it
writes ``benchmarks/results/screening.csv``, one row per synthetic year with its seed. Each year is
screened as drawn (planted: two stuffed units, one copied session, straight-lining raters) and again
without the flawed ballots and the straight-liners, where every flag is a false one.

Columns: stuffed units found by burst and by online all best (of 2) and units flagged that are not
stuffed; the copied session (of 1) and others; flawed ballots, and the share of them that the flags
burst, copied session and ring set aside, and ballots set aside that are not flawed; straight-lining
raters' ballots (all, and of raters with ten or more ballots), the shares set aside, and ballots of
honest raters set aside; units flagged as too uniform that are not stuffed; flags on clean ballots,
in all and by kind.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from perfmethod.scheme import Scheme
from perfmethod.screening import METHODS, Screening, screen
from perfmethod.synthetic import SyntheticYear, synthetic_year

RESULT = Path(__file__).parent / "results" / "screening.csv"
LEAST = 10  # ballots of a rater who is tested


def named(found: Screening, kind: str, column: str = "unit") -> set[str]:
    """Units, or batches, that a kind of flag names."""
    return set(found.flags.loc[found.flags["kind"] == kind, column])


def planted(year: SyntheticYear) -> dict[str, set[str]]:
    """Stuffed units, and the session with copied ballots."""
    units, flaws = year.truth["units"], year.truth["ballots"]
    ballots = year.tables["ballots"].set_index("ballot_id")
    copied = ballots.loc[flaws.loc[flaws["flaw"] == "copied", "ballot_id"], "batch"]
    return {
        "stuffed": set(units.loc[units["stuffed"] == "yes", "unit_id"]),
        "copied": set(copied.astype(str)),
    }


def judged(year: SyntheticYear, found: Screening) -> dict[str, float]:
    """Compare the flags of a year with its truth."""
    truth, ballots = planted(year), year.tables["ballots"]
    out: dict[str, float] = {}
    for kind, name in (("burst", "burst"), ("online all best", "best"), ("too uniform", "even")):
        units = named(found, kind)
        out[f"{name}_found"] = len(units & truth["stuffed"])
        out[f"{name}_false"] = len(units - truth["stuffed"])
    sessions = named(found, "copied session", "batch")
    out["session_found"] = len(sessions & truth["copied"])
    out["session_false"] = len(sessions - truth["copied"])
    flawed = ballots["ballot_id"].isin(year.truth["ballots"]["ballot_id"]).to_numpy()
    aside = found._flagged(["burst", "copied session", "ring"])
    out["flawed"], out["flawed_recall"] = flawed.sum(), (aside & flawed).sum() / flawed.sum()
    out["flawed_false"] = (aside & ~flawed).sum()
    return out | lines(year, found._flagged(["straight-lining", "identical ballots"]))


def lines(year: SyntheticYear, aside: np.ndarray) -> dict[str, float]:
    """Recall and false flags of straight-lining, in ballots."""
    ballots, raters = year.tables["ballots"], year.truth["raters"]
    straight = straight_rows(year)
    busy = ballots["rater_id"].map(ballots["rater_id"].value_counts()).to_numpy(int) >= LEAST
    return {
        "raters": int((raters["straight_line"] == "yes").sum()),
        "line_ballots": straight.sum(),
        "line_recall": (aside & straight).sum() / straight.sum(),
        "line_recall_testable": (aside & straight).sum() / (straight & busy).sum(),
        "line_false": (aside & ~straight).sum(),
    }


def straight_rows(year: SyntheticYear) -> np.ndarray:
    """Ballots of raters who draw straight lines."""
    raters = year.truth["raters"]
    names = set(raters.loc[raters["straight_line"] == "yes", "rater_id"])
    return year.tables["ballots"]["rater_id"].astype(str).isin(names).to_numpy()


def clean(year: SyntheticYear) -> pd.DataFrame:
    """Ballots without anything planted."""
    ballots = year.tables["ballots"]
    flawed = ballots["ballot_id"].isin(year.truth["ballots"]["ballot_id"]).to_numpy()
    return ballots[~flawed & ~straight_rows(year)]


def one(seed: int) -> dict[str, float]:
    """One row of the table."""
    year = synthetic_year(seed=seed)
    scheme = Scheme.loads(year.scheme)
    row = {"seed": seed} | judged(year, screen(year.tables["ballots"], scheme, seed=seed))
    false = screen(clean(year), scheme, seed=seed).flags["kind"].value_counts()
    row["clean_flags"] = int(false.sum())
    for kind in METHODS:
        row[f"clean_{kind.replace(' ', '_').replace('-', '_')}"] = int(false.get(kind, 0))
    return row


def main(years: int = 100) -> None:
    """Write the table and print its means."""
    start = time.process_time()
    table = pd.DataFrame([one(seed) for seed in range(years)])
    RESULT.parent.mkdir(exist_ok=True)
    table.to_csv(RESULT, index=False, float_format="%.4f", lineterminator="\n")
    print(table.drop(columns="seed").agg(["mean", "min", "max"]).T.round(4).to_string())
    any_flag = (table["clean_flags"] > 0).sum()
    print(f"{any_flag} of {years} clean years with any flag at 0.01 for each of 9 kinds")
    print(f"{time.process_time() - start:.0f} CPU s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
