"""One reduction on every engine: the same bits, the same messages."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import DataError, PerfmethodError
from perfmethod.reduction import Reduction, SurveySpec, reduce
from perfmethod.survey import review, tabulate
from tests.reduction_engines import ENGINES, SPEC, ballots, held, need, same
from tests.small_survey import SURVEY

LABELS = {k: SURVEY[k] for k in ("units", "dimensions", "categories", "modes", "options")}
WEIGHTED = SurveySpec(**{**SURVEY, "combine_modes": "weights"})


@pytest.fixture(autouse=True)
def _narwhals() -> None:
    need()


# --- the same integers


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("spec", [SPEC, WEIGHTED], ids=["pooled", "weighted"])
def test_every_engine_gives_the_same_bits(engine: str, spec: SurveySpec, tmp_path: Path) -> None:
    frame = ballots(300, 1)
    whole = reduce(frame, spec)
    source = held(engine, frame, tmp_path)
    if spec is SPEC:
        same(reduce(source, spec), whole)
    else:
        same(reduce(source, spec, piece=90), whole)  # a rater is in one piece, whatever its size


def test_counts_are_those_of_tabulate() -> None:
    frame = ballots(300, 2)
    found = reduce(frame, SPEC)
    np.testing.assert_array_equal(found.counts.array, tabulate(frame, **LABELS).array)
    assert found.ballots == 300
    assert repr(found) == "<Reduction of 300 ballots of 35 raters on 3 units>"
    counts_only = reduce(frame.drop(columns="rater_id"), SPEC, raters=False)
    np.testing.assert_array_equal(counts_only.counts.array, found.counts.array)
    with pytest.raises(PerfmethodError, match="counts only"):
        counts_only.nested  # noqa: B018


@pytest.mark.parametrize("kind", ["integers", "text", "decimals", "categories"])
def test_types_of_columns_do_not_matter(kind: str) -> None:
    frame = ballots(120, 3)
    whole = reduce(frame, SPEC)
    names = list(SPEC.dimensions)
    if kind == "integers":
        frame[names] = frame[names].astype("Int64")
    if kind == "text":
        text = frame[names].map(lambda x: "" if np.isnan(x) else f" {x:g}")
        frame[names] = text
    if kind == "categories":
        for name in ("unit_id", "category", "mode", "rater_id"):
            frame[name] = frame[name].astype("category")
    same(reduce(frame, SPEC), whole)


def test_raters_named_by_numbers(tmp_path: Path) -> None:
    frame = ballots(200, 4)
    codes = pd.factorize(frame["rater_id"])[0] + 10
    text = reduce(frame.assign(rater_id=codes.astype(str)), SPEC)
    for engine in ("pandas", "polars", "duckdb relation"):
        numbered = held(engine, frame.assign(rater_id=codes), tmp_path)
        same(reduce(numbered, SPEC, piece=30), text)
    with pytest.raises(DataError, match="column 'rater_id': found a column of decimal numbers"):
        reduce(frame.assign(rater_id=codes.astype(float)), SPEC)


SMALL = ["pandas", "polars", "polars lazy", "pyarrow", "duckdb relation"]


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 60),
    st.lists(st.sampled_from(SMALL), min_size=1, max_size=3),
    st.sampled_from([5, 20, 1000]),
    st.booleans(),
)
@settings(max_examples=8)
def test_any_pieces_in_any_order_on_any_engines_are_one_pass(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, engines: list[str], piece: int,
    weighted: bool,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    spec = WEIGHTED if weighted else SPEC
    frame = ballots(n, seed % 1000, raters=5)
    whole = reduce(frame, spec)
    shuffled = frame.iloc[rng.permutation(n)]
    # a list may split raters
    place = rng.integers(0, len(engines), n)
    folder = tmp_path_factory.getbasetemp()
    sources = [
        held(engine, shuffled[place == k].reset_index(drop=True), folder)
        for k, engine in enumerate(engines)
    ]
    same(reduce(sources, spec, piece=piece), whole)
    # sums may not
    home = pd.factorize(shuffled["rater_id"])[0] % len(engines)
    parts = [reduce(shuffled[home == k], spec, piece=piece) for k in range(len(engines))]
    total = parts[0]
    for part in parts[1:]:
        total = part + total
    same(total, whole)


def test_a_sum_that_splits_raters_is_another_survey() -> None:
    frame = ballots(100, 5)
    halves = reduce(frame[::2], SPEC) + reduce(frame[1::2], SPEC)
    whole = reduce(frame, SPEC)
    np.testing.assert_array_equal(halves.counts.array, whole.counts.array)
    np.testing.assert_array_equal(halves.groups.answers, whole.groups.answers)
    assert halves.products.per_category.sum() > whole.products.per_category.sum()


def test_only_like_things_are_added() -> None:
    found = reduce(ballots(40, 6), SPEC)
    other = SurveySpec(**{**SURVEY, "option_scores": [100, 80, 55, np.nan]})
    with pytest.raises(PerfmethodError, match="another option scores"):
        found + reduce(ballots(40, 6), other)
    with pytest.raises(PerfmethodError, match="another number of groups"):
        found + reduce(ballots(40, 6), SPEC, groups=10)
    with pytest.raises(TypeError):
        found + 1  # type: ignore[operator]
    back = pickle.loads(pickle.dumps(found))
    same(back, found)


def test_dask_on_a_local_cluster_gives_the_same_bits(tmp_path: Path) -> None:
    need("dask", "distributed", "pyarrow")
    frame = ballots(400, 7)
    files = held("duckdb over Parquet", frame, tmp_path)
    with warnings.catch_warnings():
        # dask calls pandas in a way that pandas 3.1 gives up
        warnings.filterwarnings("ignore", "The inplace keyword in", DeprecationWarning)
        import dask.dataframe as dd
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
            ) as cluster,
            Client(cluster),
        ):
            found = reduce(dd.read_parquet(files), SPEC, piece=150)
            assert found.ballots == 400
    same(found, reduce(files, SPEC))
    same(found, reduce(frame, SPEC))


# --- scores and covariances


@pytest.mark.parametrize("spec", [SPEC, WEIGHTED], ids=["pooled", "weighted"])
@pytest.mark.parametrize("populations", [None, {"R01": 40, "R13": 500}], ids=["infinite", "finite"])
def test_review_is_that_of_the_ballots(
    spec: SurveySpec, populations: dict[str, float] | None
) -> None:
    frame = ballots(250, 8)
    found = reduce(frame, spec)
    for method in ("raters", "ballots"):
        several = populations if method == "raters" else None
        a = review(frame, **SURVEY, combine_modes=spec.combine_modes, method=method,
                   populations=several)  # fmt: skip
        b = found.review(method=method, populations=several)
        pd.testing.assert_frame_equal(a.scores, b.scores, check_exact=True)
        pd.testing.assert_frame_equal(a.standard_errors, b.standard_errors, rtol=1e-12)
        pd.testing.assert_frame_equal(a.design_effects(1), b.design_effects(1), rtol=1e-10)
        pd.testing.assert_frame_equal(a.cells(), b.cells())
        assert (a.lonely, a.ballots, a.method) == (b.lonely, b.ballots, b.method)
        if method == "raters":
            other = np.array([[1.0, 2.0, 3.0]])
            for w in (None, other):
                x, y = a.covariance(w).to_numpy(), b.covariance(w).to_numpy()
                np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
            back = pickle.loads(pickle.dumps(b))
            pd.testing.assert_frame_equal(back.covariance(), b.covariance())


def test_other_scores_need_no_ballots_but_the_same_valid_options() -> None:
    frame = ballots(150, 9)
    found = reduce(frame, SPEC)
    other = [90.0, 70.5, 10, np.nan]
    a = review(frame, **{**SURVEY, "option_scores": other})
    b = found.review(option_scores=other)
    np.testing.assert_allclose(a.covariance(), b.covariance(), rtol=1e-10, atol=1e-12)
    with pytest.raises(PerfmethodError, match="other options valid"):
        found.review(option_scores=[90, 70, 10, 5])


# --- what is wrong is told alike


def broken(text: bool) -> pd.DataFrame:
    frame = ballots(60, 10)
    if text:
        names = list(SPEC.dimensions)
        frame[names] = frame[names].map(lambda x: None if np.isnan(x) else f"{x:g}")
        frame.loc[[3, 4], "duty"] = "very good"
        frame.loc[5, "duty"] = "4.5"
    else:
        frame.loc[[3, 4], "duty"] = 7
        frame.loc[5, "duty"] = 0
    frame.loc[[6, 7], "conduct"] = None
    frame.loc[8, "unit_id"] = "D2"
    frame.loc[[9, 10], "unit_id"] = "X"
    frame.loc[11, "unit_id"] = None
    frame.loc[12, "category"] = " "
    frame.loc[13, "category"] = "R3"
    frame.loc[14, "mode"] = "Online"
    frame.loc[[15, 16, 17], "rater_id"] = [None, "", None]
    frame.loc[18, ["rater_id", "category"]] = ["z-1", "R01"]
    frame.loc[19, ["rater_id", "category"]] = ["z-1", "R13"]
    frame.loc[21, "ballot_id"] = frame.loc[20, "ballot_id"]
    frame.loc[[22, 23], "ballot_id"] = frame.loc[24, "ballot_id"]
    frame.loc[25, "ballot_id"] = None
    return frame


TOLD = """\
10 problems in the input:
  - ballots, column 'ballot_id': found an empty cell on 1 ballot; allowed: an identifier
  - ballots, column 'unit_id': found an empty cell on 1 ballot; allowed: a name
  - ballots, column 'unit_id': found 2 unknown names: 'X' on 2 ballots, 'D2' on 1 ballot; \
allowed: one of C01, D01, D02
  - ballots, column 'category': found an empty cell on 1 ballot; allowed: a name
  - ballots, column 'category': found 1 unknown name: 'R3' on 1 ballot; \
allowed: did you mean 'R13'? Known: R01, R02, R13
  - ballots, column 'mode': found 1 unknown name: 'Online' on 1 ballot; \
allowed: did you mean 'online'? Known: online, separate_fill
  - ballots, column 'rater_id': found an empty cell on 3 ballots; allowed: an identifier
  - ballots, column 'duty': found 2 unknown codes: 7 on 2 ballots, 0 on 1 ballot; \
allowed: one of 1, 2, 3, 9, or blank (not asked)
  - ballots, column 'category': found 1 rater in several categories: 'z-1' in R01 and R13; \
allowed: one category for each rater
  - ballots, column 'ballot_id': found 2 identifiers more than once: 'b00024' on 3 ballots, \
'b00020' on 2 ballots; allowed: each ballot once"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", [False, True], ids=["numbers", "text"])
def test_everything_wrong_is_told_at_once_in_the_same_words(
    engine: str, text: bool, tmp_path: Path
) -> None:
    expected = TOLD
    if text:
        expected = expected.replace(
            "7 on 2 ballots, 0 on 1 ballot", "'very good' on 2 ballots, '4.5' on 1 ballot"
        )
    for piece in (1000, 30) if engine != "dask" else (1000,):
        with pytest.raises(DataError) as caught:
            reduce(held(engine, broken(text), tmp_path), SPEC, piece=piece)
        assert str(caught.value) == expected


def test_what_stands_twice_in_two_sources_is_found(tmp_path: Path) -> None:
    frame = ballots(60, 11)
    other = ballots(60, 12).assign(ballot_id=[f"c{i}" for i in range(60)])
    other.loc[0, "ballot_id"] = "b00003"
    other.loc[1, ["rater_id", "category"]] = ["p-R01-0", "R02"]
    frame.loc[0, ["rater_id", "category"]] = ["p-R01-0", "R01"]
    for piece in (1000, 20):
        with pytest.raises(DataError) as caught:
            reduce([frame, held("polars", other, tmp_path)], SPEC, piece=piece)
        assert "'b00003' on 2 ballots" in str(caught.value)
        assert "'p-R01-0' in R01 and R02" in str(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_columns_are_told_with_near_names(engine: str, tmp_path: Path) -> None:
    frame = ballots(20, 13).rename(columns={"duty": "dutty", "rater_id": "rater"})
    with pytest.raises(DataError) as caught:
        reduce(held(engine, frame, tmp_path), SPEC)
    told = str(caught.value)
    assert "column 'duty': found no such column; allowed: the column must be there (did you" in told
    assert "column 'rater_id'" in told


@pytest.mark.parametrize("engine", ENGINES)
def test_sums_that_may_not_fit_are_refused(engine: str, tmp_path: Path) -> None:
    huge = SurveySpec(**{**SURVEY, "option_scores": [9e15, 75, 55, np.nan]})
    with pytest.raises(PerfmethodError, match=r"squares of answers: found sums of up to .*2\*\*63"):
        reduce(held(engine, ballots(50, 14), tmp_path), huge)


def test_unusable_sources_and_specifications_are_refused(tmp_path: Path) -> None:
    frame = ballots(20, 15)
    with pytest.raises(PerfmethodError, match=r"found a builtins\.int"):
        reduce(7, SPEC)
    with pytest.raises(PerfmethodError, match="empty list"):
        reduce([], SPEC)
    with pytest.raises(PerfmethodError, match="found a str; allowed: SurveySpec"):
        reduce(frame, "spec")  # type: ignore[arg-type]
    with pytest.raises(PerfmethodError, match="groups, piece"):
        reduce(frame, SPEC, groups=1)
    need("duckdb")
    with pytest.raises(DataError, match="Parquet files"):
        reduce(tmp_path / "none.parquet", SPEC)
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="cannot be read"):
        reduce(str(tmp_path / "damaged.parquet"), SPEC)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"option_scores": [100, 75]}, "option_scores: found 2; allowed: 4"),
        ({"option_scores": [100, 75, np.inf, np.nan]}, "infinite"),
        ({"option_scores": [100, 75, 1 / 3, np.nan]}, "9 decimals at most"),
        ({"units": []}, "units: found none"),
        ({"units": ["C01", "C01"]}, "C01 twice"),
        ({"classes": ["a"]}, "classes: found 1; allowed: 3"),
    ],
)
def test_a_wrong_specification_is_refused(change: dict, told: str) -> None:
    with pytest.raises(PerfmethodError, match=told):
        SurveySpec(**{**SURVEY, **change})


def test_decimal_scores_are_exact() -> None:
    spec = SurveySpec(**{**SURVEY, "option_scores": [100, 62.5, 33.25, np.nan]})
    scores, decimals = spec.scaled
    assert (scores.tolist(), decimals) == ([10000, 6250, 3325, 0], 2)


def test_the_core_loads_none_of_the_engines() -> None:
    code = (
        "import sys, perfmethod.survey, perfmethod.reliability, perfmethod.reliability.gstudy\n"
        "from perfmethod.reduction import reduce, Reduction\n"
        "found = {'narwhals', 'polars', 'duckdb', 'dask', 'distributed'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_rater_is_kept() -> None:
    frame = ballots(60, 16)
    frame["rater_id"] = "secret-" + frame["rater_id"]
    found: Reduction = reduce(frame, SPEC)
    assert b"secret" not in pickle.dumps(found)
