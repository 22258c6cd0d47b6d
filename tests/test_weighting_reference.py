"""Weightings against values that other programs and published tables give."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perfmethod.errors import DataError
from perfmethod.weighting import (
    Weighting,
    ahp,
    budget_allocation,
    coefficient_of_variation,
    concordance,
    critic,
    entropy,
    gini,
    rank_order_centroid,
    rank_reciprocal,
    rank_sum,
    standard_deviation,
    statistical_variance,
)

TOLERANCE = 1e-9


def _matrix(case: dict[str, Any]) -> np.ndarray:
    """Units as last axis; the cases have them in rows."""
    return np.array(case["inputs"]["matrix"]).T


# Where packages disagree with the reference, the definition decides:
# - entropy: pyDecision turns cost criteria round first; the definition ignores direction.
# - critic: pymcdm and pyrepo-mcda ignore direction; scikit-criteria and the definition heed it.
# - standard deviation: every package takes raw columns, so the case does; our default is min-max.
# - gini, variance: all agree.
KINDS: dict[str, Callable[[dict[str, Any]], Weighting]] = {
    "weights/critic": lambda c: critic(_matrix(c), directions=c["inputs"].get("types")),
    "weights/cv": lambda c: coefficient_of_variation(_matrix(c)),
    "weights/entropy": lambda c: entropy(_matrix(c)),
    "weights/gini": lambda c: gini(_matrix(c)),
    "weights/std": lambda c: standard_deviation(_matrix(c), columns="raw"),
    "weights/variance": lambda c: statistical_variance(_matrix(c)),
    "weights/roc": lambda c: rank_order_centroid(c["inputs"]["n"]),
    "weights/rank_sum": lambda c: rank_sum(c["inputs"]["n"]),
    "weights/rank_reciprocal": lambda c: rank_reciprocal(c["inputs"]["n"]),
}


def _cases(reference: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((reference / "mcda" / "cases").glob("*.json")):
        yield json.loads(path.read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_case_of_the_kind(reference: Path, kind: str) -> None:
    found = [case for case in _cases(reference) if case["kind"] == kind]
    if not found:
        pytest.skip(f"the reference folder holds no case of kind {kind}")
    for case in found:
        weights = KINDS[kind](case).weights
        assert weights == pytest.approx(case["reference"], abs=TOLERANCE), case["id"]


def test_every_reference_case_of_pairwise_comparisons(reference: Path) -> None:
    # The reference is weights, then the consistency ratio. pymcdm's ratio differs because its
    # random indices do (.5799, .8921, ...); pyDecision's default takes mean normalized columns
    # instead of the eigenvector; pyrepo-mcda stops at 10 criteria, ours at 15.
    found = [case for case in _cases(reference) if case["kind"] == "ahp"]
    assert len(found) >= 5
    for case in found:
        matrix = case["inputs"]["matrix"]
        if len(matrix) > 15:
            with pytest.raises(DataError, match="at most 15"):
                ahp(matrix)
            continue
        result = ahp(matrix)
        ours = [*result.weights, result.consistency_ratio]
        assert ours == pytest.approx(case["reference"], abs=TOLERANCE), case["id"]
        for key, value in {"lambda_max": result.lambda_max, "CI": result.consistency_index}.items():
            assert value == pytest.approx(case["inputs"].get(key, value), abs=TOLERANCE), case["id"]
        by_rows = ahp(matrix, prioritization="geometric_mean").weights
        expected = case["inputs"].get("geometric_mean_weights", by_rows)
        assert by_rows == pytest.approx(expected, abs=TOLERANCE), case["id"]


def test_kendalls_w_of_anxiety_ratings(reference: Path) -> None:
    # R package irr 0.84.1, kendall(anxiety, correct = TRUE): 3 raters, 20 subjects, many ties
    folder = reference / "reliability"
    expected = json.loads((folder / "psych_irr_irrCAC_rwg_careless.json").read_text())
    rows = list(csv.reader((folder / "data" / "irr_anxiety.csv").read_text().splitlines()))[1:]
    ratings = np.array([row[-3:] for row in rows], float).T
    result = concordance(ratings)
    assert result is not None
    assert result.w == pytest.approx(expected["anxiety_kendallW"]["W"], abs=TOLERANCE)
    assert result.chi_square == pytest.approx(expected["anxiety_kendallW"]["chisq"], abs=TOLERANCE)
    assert result.p_value == pytest.approx(expected["anxiety_kendallW"]["p"], abs=TOLERANCE)


# --- the same and more from published tables, so that they run without the reference folder

JOB = [
    [1, 1 / 5, 3, 1 / 2, 5],
    [5, 1, 7, 1, 7],
    [1 / 3, 1 / 7, 1, 1 / 4, 3],
    [2, 1, 4, 1, 7],
    [1 / 5, 1 / 7, 1 / 3, 1 / 7, 1],
]
HOUSE = [
    [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
    [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
    [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
    [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
    [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
    [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
    [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
    [4, 7, 5, 8, 6, 6, 2, 1],
]


def test_saaty_choosing_a_job() -> None:
    """Saaty, Decision making - the analytic hierarchy and network processes, table 3."""
    result = ahp(JOB, names=["culture", "family", "housing", "job", "transportation"])
    assert result.weights.round(3).tolist() == [0.152, 0.433, 0.072, 0.305, 0.038]
    assert result.acceptable


def test_saaty_buying_a_house() -> None:
    """Saaty (1990), European Journal of Operational Research 48, 9-26."""
    result = ahp(HOUSE)
    printed = [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333]
    assert result.weights.round(3).tolist() == printed
    assert round(result.lambda_max, 3) == 9.669
    assert round(result.consistency_ratio, 2) == 0.17
    assert not result.acceptable
    # Saaty's own reading of the table: entry (3, 7) is the judgment to ask about again
    assert result.best_revision is not None
    assert result.best_revision.indices == (2, 6)


def test_harker_three_criteria_with_a_blank() -> None:
    """Harker (1987): a12 = a23 = 2, a13 blank; B = [[2 2 0] [.5 1 2] [0 .5 2]], lambda = 3."""
    nan = np.nan
    for prioritization in ("eigenvector", "geometric_mean"):
        given = [[1, 2, nan], [1 / 2, 1, 2], [nan, 1 / 2, 1]]
        result = ahp(given, prioritization=prioritization)
        assert result.weights == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=1e-12)
        assert result.lambda_max == pytest.approx(3, abs=1e-12)
        assert (result.missing, result.redundancy) == (1, 0)


def test_critic_diakoulaki_eight_digits() -> None:
    """Diakoulaki, Mavrotas and Papayannakis (1995); eight digits from scikit-criteria."""
    x = [
        [61.0, 20.7, 16.3, 9.0, 5.4, 4.0, -6.1, -34.6],
        [1.08, 0.26, 1.98, 3.29, 2.77, 4.12, 3.52, 3.31],
        [4.33, 4.34, 2.53, 1.65, 2.33, 1.21, 2.10, 0.98],
    ]
    assert critic(x).weights.round(8).tolist() == [0.20222554, 0.48090173, 0.31687273]


def test_entropy_zavadskas_four_digits() -> None:
    """Zavadskas and Podvezko (2016): two of the criteria are costs, and it does not matter."""
    x = [[3.0, 2.5, 1.8, 2.2], [100, 80, 50, 70], [10, 8, 20, 12], [7, 5, 11, 9]]
    assert entropy(x).weights.round(4).tolist() == [0.1146, 0.1981, 0.4185, 0.2689]


def test_kendalls_w_of_zars_birds() -> None:
    """Zar, Biostatistical Analysis (2010), example 20.5: wing, tail, bill of 12 birds; ties.

    The printed rank sums are those of the UNISTAT manual (section 6.5.6), which repeats the
    example; W follows from them: without ties 0.913, with ties corrected for 0.924.
    """
    from scipy.stats import rankdata

    birds = [
        [10.4, 10.8, 11.1, 10.2, 10.3, 10.2, 10.7, 10.5, 10.8, 11.2, 10.6, 11.4],
        [7.4, 7.6, 7.9, 7.2, 7.4, 7.1, 7.4, 7.2, 7.8, 7.7, 7.8, 8.3],
        [17.0, 17.0, 20.0, 14.5, 15.5, 13.0, 19.5, 16.0, 21.0, 20.0, 18.0, 22.0],
    ]
    printed = [14.5, 21, 30.5, 6, 11, 3.5, 20, 11.5, 29, 28.5, 22.5, 36]
    assert rankdata(birds, axis=1).sum(axis=0).tolist() == printed
    result = budget_allocation(birds).concordance
    assert result is not None
    # W = 12 S / (m^2 (n^3 - n) - m T), with T = 6 + 6 (wing) + 6 + 24 + 6 (tail) + 6 + 6 (bill)
    deviation = sum((total - 19.5) ** 2 for total in printed)
    assert result.w == pytest.approx(12 * deviation / (9 * 1716 - 3 * 60), abs=1e-12)
    assert round(result.w, 3) == 0.924
    assert (result.degrees_of_freedom, result.experts, result.criteria) == (11, 3, 12)
