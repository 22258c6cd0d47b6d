"""Normalization against values computed by other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perfmethod import normalization as nz

# case -> our rule. The packages agree with the references unless said here:
# minmax, sum, vector: scikit-criteria's scalers never look at the direction of a criterion (an
#   inverter must come first), so its columns of costs are upside down.
# log_135_rows: pymcdm takes log(prod(x)), which overflows with 135 rows and returns all zeros.
CASES = {
    "norm_linear_ratio": "ratio_to_best",
    "norm_log_135_rows": "logarithmic",
    "norm_logarithmic": "logarithmic",
    "norm_max_linear_minus": "max_linear",
    "norm_minmax": "minmax",
    "norm_sum": "sum_share",
    "norm_vector": "vector",
}


@pytest.mark.parametrize(("case", "method"), CASES.items())
def test_multi_criteria_cases(reference: Path, case: str, method: str) -> None:
    content = json.loads((reference / "mcda" / "cases" / f"{case}.json").read_text())
    matrix = np.array(content["inputs"]["matrix"])
    types = content["inputs"].get("types", [1] * matrix.shape[1])
    ours = [nz.normalize(matrix[:, j], method, direction=d) for j, d in enumerate(types)]
    # the references are on a scale from 0 to 1
    np.testing.assert_allclose(
        np.transpose(ours) / 100, content["reference"], rtol=1e-12, atol=1e-15
    )


def test_every_normalization_case_is_used(reference: Path) -> None:
    assert {p.stem for p in (reference / "mcda" / "cases").glob("norm_*.json")} == set(CASES)


@pytest.fixture(scope="module")
def asem(reference: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Indicators (51 countries by 49) and their directions."""
    meta = pd.read_csv(reference / "asem" / "ASEM_iMeta.csv").set_index("iCode")
    direction = meta.loc[meta.Type == "Indicator", "Direction"].astype(int)
    data = pd.read_csv(reference / "asem" / "ASEM_iData.csv").set_index("uCode").sort_index()
    return data[direction.index].astype(float), direction


def agrees(ours: pd.DataFrame, reference: Path, name: str, scale: float = 1.0) -> None:
    theirs = pd.read_csv(reference / "asem" / f"{name}.csv").set_index("uCode")
    assert list(ours.columns) == list(theirs.columns)
    np.testing.assert_allclose(
        ours, scale * theirs.loc[ours.index], rtol=1e-12, atol=scale * 1e-15, equal_nan=True
    )


# scale: COINr's percentile ranks and distances go from 0 to 1
ASEM = {
    "norm_minmax_0_100": ("minmax", {}, 1),
    "norm_minmax_1_100": ("minmax", {"to": (1, 100)}, 1),
    "norm_zscore_0_1": ("zscore", {}, 1),
    "norm_prank_average": ("percentile_rank", {}, 100),
    "norm_rank_min": ("rank", {}, 1),
    "norm_dist2max": ("distance_to_maximum", {}, 100),
}


@pytest.mark.parametrize("name", ASEM)
def test_asem(asem: tuple[pd.DataFrame, pd.Series], reference: Path, name: str) -> None:
    data, direction = asem
    method, params, scale = ASEM[name]
    ours = data.apply(lambda x: nz.normalize(x, method, direction=direction[x.name], **params))
    assert ours.isna().sum().sum() == 63
    agrees(ours, reference, name, scale)


def test_asem_goalposts_of_negative_indicators_are_given_as_measured(
    asem: tuple[pd.DataFrame, pd.Series], reference: Path
) -> None:
    # COINr wants the goalposts of a negative indicator with signs and places changed by the user
    data, direction = asem
    posts = pd.read_csv(reference / "asem" / "norm_params_iMeta.csv").set_index("iCode")

    def score(x: pd.Series) -> np.ndarray:
        post = {"lower": posts.goalpost_lower[x.name], "upper": posts.goalpost_upper[x.name]}
        return nz.normalize(x, "goalposts", direction=direction[x.name], **post)

    agrees(data.apply(score), reference, "norm_goalposts_q10_q90_trunc")


def test_asem_quantiles_are_the_goalposts(
    asem: tuple[pd.DataFrame, pd.Series], reference: Path
) -> None:
    posts = pd.read_csv(reference / "asem" / "norm_params_iMeta.csv").set_index("iCode")
    quantiles = asem[0].quantile([0.1, 0.9])
    np.testing.assert_allclose(
        quantiles.loc[0.1], posts.goalpost_lower[quantiles.columns], rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        quantiles.loc[0.9], posts.goalpost_upper[quantiles.columns], rtol=1e-12
    )


def test_negative_fraction_of_the_best_is_not_upside_down() -> None:
    # multiplying by -1 before dividing by the maximum turns 1, 2, 4 into 1, 2, 4 (COINr 1.1.14,
    # n_fracmax); the smallest value is the best one
    np.testing.assert_allclose(
        nz.normalize([1, 2, 4], "ratio_to_best", direction=-1), [100, 50, 25]
    )
    assert np.all(np.diff(nz.normalize([1, 2, 4], "max_linear", direction=-1)) < 0)


def test_another_unit_reverses_the_order_of_two() -> None:
    # People's Tribune says that the set of cities changes scores but never the order; with two
    # indicators and equal weights it does
    first, second = [10, 6, 0, 0], [4, 7, 0, 14]  # A, B, C, D
    three = (nz.efficacy(first[:3]) + nz.efficacy(second[:3])) / 2
    four = (nz.efficacy(first) + nz.efficacy(second)) / 2
    np.testing.assert_allclose(three[:2].round(1), [91.4, 92.0])
    np.testing.assert_allclose(four[:2].round(1), [85.7, 82.0])
    # fixed goalposts leave A and B as they were
    posts = [{"lower": 0, "upper": 10}, {"lower": 0, "upper": 7}]
    few = [nz.goalposts(x[:3], **p) for x, p in zip((first, second), posts, strict=True)]
    many = [nz.goalposts(x, **p) for x, p in zip((first, second), posts, strict=True)]
    np.testing.assert_array_equal(np.array(few), np.array(many)[:, :3])
