"""Weights of labelled tables, and the tables that are refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import DataError
from perfmethod.weighting import (
    DATA_DRIVEN,
    METHODS,
    ahp,
    ahp_group,
    budget_allocation,
    critic,
    entropy,
    rank_sum,
    standard_errors,
    weigh,
)


@pytest.fixture
def blocks() -> pd.DataFrame:
    """Twelve departments by three blocks that all share."""
    rng = np.random.default_rng(0)
    scores = rng.uniform([60, 70, 80], [100, 90, 95], size=(12, 3)).round(1)
    units = pd.Index([f"D{i + 1:02d}" for i in range(12)], name="unit_id")
    return pd.DataFrame(scores, index=units, columns=["task", "review", "internal"])


@pytest.mark.parametrize("method", sorted(DATA_DRIVEN))
def test_a_table_gives_the_weights_of_its_array(blocks: pd.DataFrame, method: str) -> None:
    result = weigh(blocks, method)
    x = blocks.to_numpy().T
    assert result.weights.tolist() == DATA_DRIVEN[method](x).weights.tolist()
    assert result.names == ("task", "review", "internal")
    assert result.standard_errors == pytest.approx(standard_errors(x, method))
    frame = result.to_frame()
    assert frame.index.tolist() == ["task", "review", "internal"]
    assert frame["standard_error"].tolist() == pytest.approx(list(standard_errors(x, method)))
    assert result.notes == ()


@pytest.mark.parametrize("method", sorted(DATA_DRIVEN))
def test_portfolios_of_their_own_are_refused(blocks: pd.DataFrame, method: str) -> None:
    blocks.iloc[:7, 1] = np.nan
    with pytest.raises(DataError) as caught:
        weigh(blocks, method)
    text = str(caught.value)
    assert "found 7 of 12 units without all criteria" in text
    assert "units that share all 3 criteria" in text
    assert "column 'review': found no value for D01, D02, D03, D04, D05 and 2 more" in text


@pytest.mark.parametrize("method", sorted(DATA_DRIVEN))
def test_four_counties_are_refused_unless_asked_for(blocks: pd.DataFrame, method: str) -> None:
    counties = blocks.iloc[:4]
    with pytest.raises(DataError, match=r"found 4 units; allowed: at least 10.*minimum_units=4"):
        weigh(counties, method)
    result = weigh(counties, method, minimum_units=4)
    assert "only 4 units: the weights are largely sampling noise" in result.notes


def test_both_reasons_are_given_together(blocks: pd.DataFrame) -> None:
    few = blocks.iloc[:4].copy()
    few.iloc[0, 0] = np.nan
    with pytest.raises(DataError) as caught:
        weigh(few, "entropy")
    assert len(caught.value.problems) == 3


def test_units_with_gaps_are_dropped_only_when_asked(blocks: pd.DataFrame) -> None:
    blocks.loc["D03", "task"] = np.nan
    result = weigh(blocks, "gini", missing="drop_units")
    assert result.weights.tolist() == weigh(blocks.drop("D03"), "gini").weights.tolist()
    assert "units left out for missing values: D03" in result.notes
    blocks.iloc[4:8, 1] = np.nan  # 7 are left
    with pytest.raises(DataError, match="found 7 units; allowed: at least 10"):
        weigh(blocks, "gini", missing="drop_units")
    with pytest.raises(ValueError, match="did you mean 'drop_units'"):
        weigh(blocks, "gini", missing="drop_unit")


def test_directions_by_name_reach_critic_and_are_noted_elsewhere(blocks: pd.DataFrame) -> None:
    directions = {"review": "negative", "task": 1, "internal": 1}
    expected = critic(blocks.to_numpy().T, directions=[1, -1, 1])
    assert weigh(blocks, "critic", directions=directions).weights.tolist() == list(expected.weights)
    assert weigh(blocks, "critic", directions=[1, -1, 1]).weights.tolist() == list(expected.weights)
    result = weigh(blocks, "entropy", directions=directions)
    assert result.weights.tolist() == list(entropy(blocks.to_numpy().T).weights)
    assert "entropy ignores direction by definition" in result.notes
    with pytest.raises(DataError) as caught:
        weigh(blocks, "critic", directions={"reviw": -1, "task": 1, "internal": 1})
    assert "found 'reviw'; allowed: did you mean 'review'" in str(caught.value)
    assert "column 'review': found no direction" in str(caught.value)


def test_a_standard_error_that_cannot_be_is_explained(blocks: pd.DataFrame) -> None:
    blocks[:] = 1.0
    blocks.loc["D05", "task"] = 2.0
    result = weigh(blocks, "entropy")
    assert result.weights.tolist() == [1, 0, 0]
    assert result.standard_errors is None
    assert "weight 0, nothing to tell units apart: review, internal" in result.notes
    assert "no standard error: data, without D05" in result.notes[-1]
    assert list(result.to_frame().columns) == ["weight"]


def test_options_reach_the_method(blocks: pd.DataFrame) -> None:
    raw = weigh(blocks, "standard_deviation", columns="raw")
    assert raw.weights.tolist() != weigh(blocks, "standard_deviation").weights.tolist()
    x = blocks.to_numpy().T
    assert raw.standard_errors == pytest.approx(
        standard_errors(x, "standard_deviation", columns="raw")
    )


def test_unknown_methods_name_the_nearest(blocks: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="found method 'entrpy'; allowed: did you mean 'entropy'"):
        weigh(blocks, "entrpy")


def test_empty_tables(blocks: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="found 0 units"):
        weigh(blocks.iloc[:0], "entropy")
    with pytest.raises(DataError, match="found no columns"):
        weigh(blocks[[]], "entropy")


def test_cells_and_labels_that_cannot_be_used(blocks: pd.DataFrame) -> None:
    wrong = blocks.astype(object)
    wrong.loc["D02", "task"] = "good"
    with pytest.raises(DataError, match="D02, column 'task': found 'good'; allowed: a number"):
        weigh(wrong, "entropy")
    twice = pd.concat([blocks, blocks.iloc[:1]])
    with pytest.raises(DataError, match="found row 'D01' more than once"):
        weigh(twice, "entropy")
    with pytest.raises(DataError, match="a negative value for D01"):
        weigh(blocks.assign(task=-1.0), "gini")
    assert weigh(blocks.astype(str), "gini").weights == pytest.approx(weigh(blocks, "gini").weights)


# --- the methods that ask people


def test_points_of_experts() -> None:
    table = pd.DataFrame([[50, 50], [80, 20]], ["Li", "Wang"], ["task", "review"])
    result = weigh(table, "budget_allocation")
    assert result.weights.tolist() == list(budget_allocation(table.to_numpy()).weights)
    assert result.names == ("task", "review")
    table.loc["Wang"] = [-1, 3]
    with pytest.raises(DataError, match="Wang, column 'task': found -1"):
        weigh(table, "budget_allocation")


def test_places_of_criteria() -> None:
    places = pd.Series({"task": 1, "internal": 3, "review": 2})
    result = weigh(places, "rank_sum")
    assert result.names == ("task", "internal", "review")
    assert result.weights.tolist() == list(rank_sum([1, 3, 2]).weights)
    with pytest.raises(DataError, match="internal: found 9"):
        weigh(places.replace(3, 9), "rank_sum")
    with pytest.raises(DataError, match="found 'first'; allowed: a number"):
        weigh(pd.Series({"task": "first"}), "rank_sum")
    with pytest.raises(TypeError, match="takes a Series"):
        weigh(places.to_frame(), "rank_sum")


def test_square_tables_may_be_in_any_order() -> None:
    table = pd.DataFrame([[1, 3, 7], [1 / 3, 1, 4], [1 / 7, 1 / 4, 1]], list("abc"), list("abc"))
    result = weigh(table.loc[["c", "a", "b"]], "ahp", prioritization="geometric_mean")
    expected = ahp(table.to_numpy(), prioritization="geometric_mean")
    assert result.weights.tolist() == expected.weights.tolist()
    with pytest.raises(DataError, match="no 'b' in the rows"):
        weigh(table.drop("b"), "ahp")
    with pytest.raises(TypeError, match="takes a DataFrame"):
        weigh(table["a"], "ahp")
    group = weigh({"Li": table, "Wang": table.loc[::-1, ::-1]}, "ahp_group")
    assert group.weights == pytest.approx(ahp_group([table.to_numpy()] * 2).weights)
    with pytest.raises(DataError, match="comparisons of Wang: found no 'b' in the columns"):
        weigh({"Li": table, "Wang": table.drop(columns="b")}, "ahp_group")
    with pytest.raises(TypeError, match="mapping from expert"):
        weigh(table, "ahp_group")


def test_equal_weights_of_columns(blocks: pd.DataFrame) -> None:
    assert weigh(blocks, "equal").to_frame()["weight"].tolist() == [1 / 3] * 3


def test_every_method_of_the_table_can_be_asked_for() -> None:
    for method in METHODS:
        with pytest.raises((TypeError, DataError)):
            weigh(3, method)  # type: ignore[arg-type]


def test_import_stays_light() -> None:
    code = "import perfmethod.weighting, sys; print({'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
