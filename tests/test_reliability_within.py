"""Agreement inside units (rwg, rwg(j), AD), the ballots' adapter, and results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod.reliability as reliability
from perfmethod.errors import DataError
from perfmethod.reliability import (
    Coefficient,
    Coefficients,
    Ratings,
    average_deviation,
    intraclass_correlations,
    krippendorff_alpha,
    rwg,
    rwg_j,
)

from .published_ratings import KRIPPENDORFF, SHROUT_FLEISS, table

SCALE = range(1, 6)


@pytest.fixture(scope="module")
def leadership(reference: Path) -> pd.DataFrame:
    """Lq2002 of R package multilevel: 2,042 soldiers of 49 companies, eleven items on leaders."""
    return table(reference, "multilevel_lq2002.csv").reset_index(names="soldier")


def read(frame: pd.DataFrame, items: list[str]) -> Ratings:
    return Ratings.from_ballots(frame, items, unit="COMPID", rater="soldier", category=None)


# --- values of others: R package multilevel 2.7 on its lq2002, expected variance 2


def test_rwg_j_of_leadership(leadership: pd.DataFrame) -> None:
    items = [f"LEAD{i:02d}" for i in range(1, 12)]
    found = rwg_j(read(leadership, items), SCALE, draws=50)
    printed = [0.80752725839646189, 0.89593831505912735, 0.86001202043473901, 0.86355845046280422]
    assert found.table["value"].to_numpy()[:4] == pytest.approx(printed, abs=1e-12)
    assert found.mean.value == pytest.approx(0.86778490000362629, abs=1e-12)
    assert found.table["raters"].tolist()[:4] == [24, 37, 45, 58]
    assert found.mean.low < found.mean.value < found.mean.high


def test_rwg_of_leadership(leadership: pd.DataFrame) -> None:
    found = rwg(read(leadership, ["LEAD"]), SCALE, draws=0)
    printed = [0.62145915679265484, 0.74574367752413573, 0.71328157614138077]
    assert found.table["value"].to_numpy()[:3] == pytest.approx(printed, abs=1e-12)
    assert found.mean.value == pytest.approx(0.70323349651306288, abs=1e-12)
    first = rwg(read(leadership, ["LEAD01"]), SCALE, draws=0)
    assert first.mean.value == pytest.approx(0.42341906123123785, abs=1e-12)


@pytest.mark.parametrize(
    ("around", "printed", "mean"),
    [
        ("mean", [1.02051767676767668, 0.86712265090643470], 0.89019647001096613),
        ("median", [0.97348484848484851, 0.82555282555282550], 0.84349183861228061),
    ],
)
def test_average_deviation_of_leadership(
    leadership: pd.DataFrame, around: str, printed: list[float], mean: float
) -> None:
    items = [f"LEAD{i:02d}" for i in range(1, 12)]
    found = average_deviation(read(leadership, items), around=around, draws=20)
    assert found.table["value"].to_numpy()[:2] == pytest.approx(printed, abs=1e-12)
    assert found.mean.value == pytest.approx(mean, abs=1e-12)


def test_published_values_without_the_folder() -> None:
    """James, Demaree and Wolf (1984): a uniform null on five options has the variance 2."""
    x = np.array([[1, 2, 3, 4, 5] * 2, [3, 3, 3, 3, 3, 4, 4, 4, 4, 4]], float)
    found = rwg(x, SCALE, draws=0).table["value"].to_numpy()
    assert found == pytest.approx([0.0, 1 - (10 / 36) / 2], abs=1e-12)
    # their equation for j parallel items is the Spearman-Brown formula of rwg
    two = np.stack([x, x], axis=2)
    single = found[1]
    assert rwg_j(two, SCALE, draws=0).table["value"].iloc[1] == pytest.approx(
        2 * single / (1 + single), abs=1e-12
    )


# --- twins and laws


@given(seed=st.integers(0, 2**32 - 1), gaps=st.sampled_from([0.0, 0.4]))
@settings(max_examples=40)
def test_by_hand(seed: int, gaps: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 6, (4, 7, 3)).astype(float)
    x[rng.random(x.shape) < gaps] = np.nan
    x[:, :2, 0] = 3.0  # every unit has an item with two answers
    frames = [pd.DataFrame(unit) for unit in x]
    variance = [f.var(ddof=1).mean() for f in frames]
    ratio = np.array(variance) / 2
    expected = np.where(ratio > 1, 0, 3 * (1 - ratio) / (3 * (1 - ratio) + ratio))
    found = rwg_j(x, SCALE, draws=0).table["value"]
    assert found.to_numpy() == pytest.approx(expected, abs=1e-12)
    for around in ("mean", "median"):
        away = [(f - getattr(f, around)()).abs().mean().where(f.count() > 1).mean() for f in frames]
        found = average_deviation(x, around=around, draws=0).table["value"]
        assert found.to_numpy() == pytest.approx(away, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), a=st.floats(0.1, 10), b=st.floats(-5, 5))
@settings(max_examples=30)
def test_laws(seed: int, a: float, b: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 6, (5, 6)).astype(float)
    value = rwg(x, SCALE, draws=0).table["value"].to_numpy()
    order = rng.permutation(6)
    moved = rwg(a * x[:, order] + b, a * np.array(SCALE) + b, draws=0).table["value"].to_numpy()
    assert moved == pytest.approx(value, abs=1e-9)
    deviation = average_deviation(x, draws=0).table["value"].to_numpy()
    assert average_deviation(a * x + b, draws=0).table["value"].to_numpy() == pytest.approx(
        a * deviation, abs=1e-9
    )


def test_weighted_medians_are_medians_of_repeated_ratings() -> None:
    from perfmethod.reliability.within import _median_deviation

    rng = np.random.default_rng(0)
    for _ in range(50):
        unit, x = rng.integers(0, 3, 20), rng.integers(1, 6, 20).astype(float)
        w = rng.integers(1, 4, 20).astype(float)
        found = _median_deviation(unit, x, w, 3)
        for u in range(3):
            repeated = np.repeat(x[unit == u], w[unit == u].astype(int))
            if (unit == u).sum() > 1:
                expected = np.abs(repeated - np.median(repeated)).mean()
                assert found[u] == pytest.approx(expected, abs=1e-12)


def test_perfect_agreement() -> None:
    x = np.repeat([[1.0], [4.0], [5.0]], 5, axis=1)
    for found in (rwg(x, SCALE), rwg_j(x[..., None].repeat(2, 2), SCALE)):
        assert (found.table[["value", "low", "high"]] == 1).all(axis=None)
    assert (average_deviation(x).table[["value", "low", "high"]] == 0).all(axis=None)


def test_what_cannot_be_told_is_said() -> None:
    x = [[3, np.nan, np.nan], [1, 5, 1], [2, 2, 3]]
    found = rwg(x, SCALE, draws=100)
    assert found.table["note"].str.contains("fewer than two raters: no index").tolist() == [
        True,
        False,
        False,
    ]
    assert "set to 0" in found.table["note"].iloc[1]
    assert found.table["value"].isna().tolist() == [True, False, False]
    assert (found.mean.n, found.mean.notes[0]) == (2, "1 units with fewer than two raters left out")
    missing = found.table[found.table["low"].isna()]
    assert missing["note"].ne("").all()


def test_refusals() -> None:
    with pytest.raises(DataError, match="no unit with two raters"):
        rwg([[1, np.nan], [np.nan, 2]], SCALE)
    with pytest.raises(DataError, match="from 0 to 5"):
        rwg([[0, 5], [1, 2]], SCALE)
    with pytest.raises(DataError, match="2 items"):
        rwg(np.ones((2, 2, 2)), SCALE)
    with pytest.raises(ValueError, match="at least two"):
        rwg([[1, 1], [1, 1]], [1])
    with pytest.raises(ValueError, match="null_variance"):
        rwg([[1, 1], [1, 2]], SCALE, null_variance=0)
    with pytest.raises(ValueError, match="did you mean 'median'"):
        average_deviation([[1, 1], [1, 2]], around="medan")


# --- the adapter


def ballots() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit_id": ["B", "A", "B", "A", "C"],
            "rater_id": ["Li", "Li", "Wang", "Zhao", "Li"],
            "category": ["R01", "R01", "R01", "R02", "R02"],
            "duty": [1, 2, 9, 1, None],
            "conduct": [2, 2, 9, None, None],
        }
    )


def test_ballots_are_read_and_raters_forgotten() -> None:
    scores = {1: 100, 2: 75, 9: None}
    found = Ratings.from_ballots(ballots(), ["duty", "conduct"], scores=scores)
    # the ballot of don't-knows and the empty one hold no answer; Li counts once in each category
    assert found.units == ("B", "A")
    assert found.unit.tolist() == [0, 1, 1]
    assert found.values[:, 0].tolist() == [100, 75, 100]
    assert np.isnan(found.values[2, 1])
    assert found.stratum.tolist() == [0, 1]
    for name in ("Li", "Wang", "Zhao"):
        assert name not in repr(vars(found))
    assert repr(found) == "<Ratings: 3 ballots of 2 raters on 2 units, 2 items>"


def test_matrix_and_long_form_agree() -> None:
    unit, rater = np.nonzero(~np.isnan(KRIPPENDORFF))
    frame = pd.DataFrame({"unit_id": unit, "rater_id": rater, "y": KRIPPENDORFF[unit, rater]})
    found = Ratings.from_ballots(frame.sample(frac=1, random_state=0), ["y"], category=None)
    for metric in ("nominal", "ordinal", "interval", "ratio"):
        expected = krippendorff_alpha(KRIPPENDORFF, metric, draws=0).value
        assert krippendorff_alpha(found, metric, draws=0).value == pytest.approx(
            expected, abs=1e-12
        )
    expected = intraclass_correlations(KRIPPENDORFF, models=[2])["ICC(2,1)"].value
    value = intraclass_correlations(found, models=[2])["ICC(2,1)"].value
    assert value == pytest.approx(expected, abs=1e-9)


def test_frames_keep_their_labels() -> None:
    frame = pd.DataFrame(SHROUT_FLEISS, index=list("abcdef"))
    assert reliability.reliability_of_means(frame).table.index.tolist() == list("abcdef")


def test_every_problem_with_ballots_at_once() -> None:
    bad = ballots().assign(duty=[1, 2, 7, "x", np.inf], rater_id=["Li", "Li", None, "Zhao", "Li"])
    with pytest.raises(DataError) as caught:
        Ratings.from_ballots(bad, ["duty"], scores={1: 100, 2: 75})
    said = str(caught.value)
    assert len(caught.value.problems) == 4
    for part in ("row 4, column 'duty': found 7", "row 5", "row 6", "row 4, column 'rater_id'"):
        assert part in said
    with pytest.raises(DataError, match="did you mean 'duty'"):
        Ratings.from_ballots(ballots(), ["dutty"])
    with pytest.raises(DataError, match="no valid answer"):
        Ratings.from_ballots(ballots(), ["duty"], scores={1: None, 2: None, 9: None})


def test_two_ballots_of_a_rater_on_a_unit_are_refused_not_averaged() -> None:
    twice = pd.concat([ballots(), ballots().iloc[[1]]])
    with pytest.raises(DataError, match=r"row 7: found the rater of row 3 and the same unit again"):
        Ratings.from_ballots(twice, ["duty"])


def test_the_2009_year() -> None:
    folder = Path(__file__).resolve().parents[1] / "data" / "2009"
    if not (folder / "ballots.csv.gz").exists():
        pytest.skip("data/2009 has no ballots")
    frame = pd.read_csv(folder / "ballots.csv.gz")
    frame = frame[frame["duty"].notna()]
    scores = {1: 100, 2: 75, 3: 55, 9: None}
    found = Ratings.from_ballots(frame, ["duty", "efficiency"], scores=scores)
    assert len(found.units) == 45
    alpha = krippendorff_alpha(found, "ordinal", item="duty", draws=40)
    assert alpha.low < alpha.value < alpha.high
    assert "within 13 categories" in alpha.method


# --- results


def test_results_are_frozen_and_framed() -> None:
    found = krippendorff_alpha(KRIPPENDORFF, draws=0)
    with pytest.raises(AttributeError):
        found.value = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.details["observed"] = 1.0  # type: ignore[index]
    frame = found.to_frame()
    assert frame.index.tolist() == ["Krippendorff's alpha (interval)"]
    assert frame["interval"].iloc[0] == "none: draws=0"
    both = Coefficients((found, krippendorff_alpha(KRIPPENDORFF, "nominal", draws=0)))
    assert len(both.to_frame()) == 2
    assert repr(both).startswith("<Coefficients: Krippendorff's alpha (interval) 0.8491, ")


def test_plots() -> None:
    from matplotlib import pyplot as plt

    icc = intraclass_correlations(SHROUT_FLEISS)
    means = reliability.reliability_of_means(SHROUT_FLEISS)
    drawn = [icc.plot(), means.plot(), rwg(SHROUT_FLEISS, range(1, 11), draws=20).plot()]
    assert [len(ax.get_yticks()) for ax in drawn] == [6, 6, 6]
    assert drawn[0].get_yticklabels()[0].get_text() == "ICC(1,1), ICC(1)"
    plt.close("all")


def test_public_names_load() -> None:
    for name in reliability.__all__:
        assert getattr(reliability, name) is not None
    assert set(reliability.__all__) <= set(dir(reliability))
    with pytest.raises(AttributeError, match="no attribute 'krippendorf'"):
        reliability.krippendorf  # noqa: B018


def test_a_coefficient_without_an_interval_says_so() -> None:
    one = Coefficient(
        name="x", value=0.5, low=np.nan, high=np.nan, level=0.95, method="none: draws=0", n=3, k=2
    )
    assert repr(one) == "<x = 0.5000, no interval (none: draws=0)>"
