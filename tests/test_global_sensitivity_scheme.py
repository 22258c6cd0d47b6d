"""Global sensitivity of a real scheme: every point of a sample is a scheme scored alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.errors import PerfmethodError, SchemeError
from perfmethod.sensitivity.designs import correlated_uniforms
from perfmethod.sensitivity.enumeration import factorial_indices
from perfmethod.sensitivity.factors import alternatives, resolve, schemes
from perfmethod.sensitivity.global_indices import global_indices
from perfmethod.sensitivity.global_scheme import (
    QUANTITIES,
    enumerate_sensitivity,
    global_sensitivity,
)
from tests.small_year import write_small_year

BLOCKS = un.dirichlet("county_government", "municipal_department", concentration=8)
ASPECTS = un.percent("key_work", "statutory_duty", "livelihood", "economic", by=60)
POWER = un.choice("classes.*.nodes.indicator.power", values=[1.0, -1.0], together=True)
REVIEW = un.choice("municipal_department.public_review", values=[30.0, 60.0, 300.0])
PLACES = un.choice("grades.levels.excellent.places", values=[3, 2])
CAPS = {"low": {"adjustments.bonus_cap": 1.0, "adjustments.deduction_cap": 2.0},
        "high": {"adjustments.bonus_cap": 30.0, "adjustments.deduction_cap": 30.0}}  # fmt: skip


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    folder = tmp_path_factory.mktemp("year")
    write_small_year(folder)
    return pm.Year.load(folder)


def one_by_one(year: pm.Year, patches: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """What is read from every draw, each scheme rewritten and evaluated alone."""
    nominal, found = pm.evaluate(year).scores, {}
    for k, patch in enumerate(patches):
        scores = pm.evaluate(year.with_scheme(year.scheme.patch(patch))).scores
        best = next(iter(year.scheme.document["grades"]["levels"]))
        inside = scores["grade"] == best
        row = {f"rank.{u}": r for u, r in scores["rank"].items()}
        row |= {f"excellent.{u}": float(i) for u, i in inside.items()}
        row["mean_rank_shift"] = (scores["rank"] - nominal["rank"]).abs().mean()
        row["excellent_changes"] = float((inside != (nominal["grade"] == best)).sum())
        for name, value in row.items():
            found.setdefault(name, np.empty(len(patches)))[k] = value
    return found


def test_every_point_is_a_scheme_scored_alone(year: pm.Year) -> None:
    """The indices are those of a plain model that rewrites and evaluates one scheme at a time."""
    factors = {"blocks": BLOCKS, "power": POWER, "caps": alternatives(CAPS, [0.25, 0.75])}
    named = resolve(year, factors)
    ends = np.cumsum([f.columns for f in named])
    columns = {f.name: list(range(e - f.columns, e)) for f, e in zip(named, ends, strict=True)}
    found = global_sensitivity(year, factors, 8, seed=3, resamples=0)

    def slow(u: np.ndarray) -> np.ndarray:
        patches: list[dict[str, Any]] = [{} for _ in u]
        for factor in named:
            for path, values in factor.from_uniform(u[:, columns[factor.name]]).items():
                for patch, value in zip(patches, values.tolist(), strict=True):
                    patch[path] = value
        table = one_by_one(year, patches)
        return np.stack([table[name] for name in found.outputs], 1)

    twin = global_indices(slow, columns, 8, seed=3, resamples=0)
    assert not found.constant.all()
    for kind in ("first", "total"):
        np.testing.assert_allclose(
            found.effects[kind].index, twin.effects[kind].index, rtol=1e-12, atol=1e-12
        )


def test_enumeration_is_a_loop_over_all_schemes(year: pm.Year) -> None:
    factors = {"power": POWER, "review": REVIEW, "caps": alternatives(CAPS), "places": PLACES}
    found = enumerate_sensitivity(year, factors)
    powers = [p for p in year.scheme.numbers if p.endswith("nodes.indicator.power")]
    review = "classes.municipal_department.nodes.public_review.weight"
    patches = [
        {**dict.fromkeys(powers, power), review: weight, **caps,
         "grades.levels.excellent.places": places}
        for power in (1.0, -1.0)
        for weight in (30.0, 60.0, 300.0)
        for caps in CAPS.values()
        for places in (3, 2)
    ]  # fmt: skip
    table = one_by_one(year, patches)
    values = np.stack([table[name].reshape(2, 3, 2, 2) for name in found.outputs], -1)
    twin = factorial_indices(values, ["power", "review", "caps", "places"])
    assert 0 < found.constant.sum() < len(found.outputs)
    for kind, effect in twin.effects.items():
        np.testing.assert_array_equal(found.effects[kind].index, effect.index)
    assert found.meta["evaluations"] == 24
    assert found.meta["scheme"] == year.scheme.digest


def test_sampling_tends_to_the_enumeration(year: pm.Year) -> None:
    odds = [0.1, 0.2, 0.7]
    review = un.choice("municipal_department.public_review", values=[30.0, 60.0, 300.0],
                       probabilities=odds)  # fmt: skip
    factors = {"review": review, "places": PLACES, "caps": alternatives(CAPS, [0.3, 0.7])}
    exact = enumerate_sensitivity(year, factors)
    found = global_sensitivity(year, factors, 2048, seed=0, resamples=0)
    moving = ~exact.constant
    assert moving.any()
    for kind in ("first", "total"):
        np.testing.assert_allclose(found.effects[kind].index[:, moving],
                                   exact.effects[kind].index[:, moving], atol=0.01)  # fmt: skip


def test_a_null_factor_gets_exactly_zero(year: pm.Year) -> None:
    """Caps above every number of points change nothing."""
    factors = {"weights": [BLOCKS, ASPECTS], "caps": un.uniform(
        "adjustments.bonus_cap", "adjustments.deduction_cap", low=500, high=600)}  # fmt: skip
    for method in ({}, {"inputs": correlated_uniforms(np.eye(sum(
            f.columns for f in resolve(year, factors))))}):  # fmt: skip
        kinds = {} if method else {"effects": ("first", "total", "shapley")}
        found = global_sensitivity(year, factors, 64, seed=0, resamples=9, **kinds, **method)
        assert found.effects["total"].index[0].max() > 0.5
        assert not found.effects["total"].values[1].any()
        assert not found.effects["shapley"].values[1].any()
    same = {"same": alternatives({"a": {"missing_task": "redistribute"},
                                  "b": {"missing_task": "redistribute"}})}  # fmt: skip
    zero = enumerate_sensitivity(year, {**same, "review": REVIEW})
    for kind in ("first", "total", "shapley"):
        assert not zero.effects[kind].index[0].any()
        assert zero.effects[kind].index[1].any()


def test_a_choice_among_schemes(year: pm.Year) -> None:
    """Alternatives of structure give what the same numbers give as draws."""
    at = "classes.municipal_department.nodes"
    heavy = year.scheme.patch({f"{at}.public_review.weight": 300, f"{at}.internal.weight": 1})
    harmonic = year.scheme.patch({f"{at}.indicator.power": -1})
    by_scheme = {"structure": schemes({"now": year.scheme, "heavy": heavy, "harmonic": harmonic}),
                 "caps": alternatives(CAPS)}  # fmt: skip
    paths = [f"{at}.{n}" for n in ("public_review.weight", "internal.weight", "indicator.power")]
    numbers = {"now": (30, 10, 1.0), "heavy": (300, 1, 1.0), "harmonic": (30, 10, -1.0)}
    by_number = {"structure": alternatives({label: dict(zip(paths, v, strict=True))
                                            for label, v in numbers.items()}),
                 "caps": alternatives(CAPS)}  # fmt: skip
    one, other = (enumerate_sensitivity(year, f) for f in (by_scheme, by_number))
    assert not one.constant.all()
    for kind, effect in one.effects.items():
        np.testing.assert_allclose(effect.index, other.effects[kind].index, atol=1e-12)
    sampled = [global_sensitivity(year, f, 32, seed=1, resamples=0) for f in (by_scheme, by_number)]
    np.testing.assert_array_equal(*(s.effects["total"].index for s in sampled))


def test_the_ends_of_the_unit_interval(year: pm.Year) -> None:
    given = {"cap": alternatives(CAPS), "base": un.normal("base", sd=10), "weights": BLOCKS}
    cap, base, weights = resolve(year, given)
    at = cap.position(np.array([[0.0], [0.4999], [0.5], [1 - 2.0**-53]]))
    assert at.tolist() == [0, 0, 1, 1]
    for factor in (base, weights):
        values = factor.from_uniform(np.repeat([[0.0], [1.0]], factor.columns, axis=1))
        assert all(np.isfinite(v).all() for v in values.values())
    assert set(base.from_uniform(np.array([[0.5]]))) == {"base"}
    assert base.from_uniform(np.array([[0.5]]))["base"][0] == pytest.approx(1000)


def test_survey_noise_and_dependence(year: pm.Year) -> None:
    """Two errors that move together share what one of them would have had alone."""
    review = pm.evaluate(year).review
    factors = {"survey": un.survey_noise(review, scale=3), "caps": un.uniform(
        "adjustments.bonus_cap", low=0, high=40)}  # fmt: skip
    d = sum(f.columns for f in resolve(year, factors))
    matrix = np.eye(d)
    matrix[0, -1] = matrix[-1, 0] = 0.8
    found = global_sensitivity(year, factors, 256, seed=0, inputs=correlated_uniforms(matrix),
                               quantities=["rank"], resamples=20)  # fmt: skip
    moving = ~found.constant
    assert moving.any()
    np.testing.assert_allclose(found.effects["shapley"].index[:, moving].sum(0), 1)
    assert set(found.effects) == {"first", "total", "shapley"}


def test_the_same_bytes_whoever_scores(year: pm.Year) -> None:
    factors = {"blocks": BLOCKS, "aspects": ASPECTS}
    alone = global_sensitivity(year, factors, 1024, seed=5, resamples=10)
    with ThreadPoolExecutor(2) as executor:
        shared = global_sensitivity(year, factors, 1024, seed=5, resamples=10, executor=executor)
    for kind, effect in alone.effects.items():
        assert effect.values.tobytes() == shared.effects[kind].values.tobytes()
    assert alone.meta["varied"]["blocks"].startswith("county_government, municipal_department")


def test_what_is_read(year: pm.Year) -> None:
    some = global_sensitivity(year, {"blocks": BLOCKS}, 8, seed=0, quantities=QUANTITIES[2:])
    assert some.outputs == ("mean_rank_shift", "excellent_changes")
    with pytest.raises(PerfmethodError, match="did you mean 'rank'"):
        global_sensitivity(year, {"blocks": BLOCKS}, 8, seed=0, quantities=["ranks"])


def test_a_scheme_without_grades() -> None:
    scheme = pm.Scheme.loads(UNGRADED)
    actuals = pd.DataFrame({"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 79]})
    year = pm.Year.from_frames(scheme, actuals=actuals)
    factors = {"weights": un.percent("roads", "water", by=50)}
    found = global_sensitivity(year, factors, 8, seed=0)
    assert found.outputs == ("rank.A", "rank.B", "mean_rank_shift")
    with pytest.raises(PerfmethodError, match="one of mean_rank_shift, rank"):
        global_sensitivity(year, factors, 8, seed=0, quantities=["excellent"])


UNGRADED = """
format = 1
classes.city = {}
indicators.roads = { rule = { method = "identity" } }
indicators.water = { rule = { method = "identity" } }
"""


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({}, "found no factors"),
        ({"a": un.percent("key_wrok", by=5)}, "did you mean 'key_work'"),
        ({"a": ASPECTS, "b": un.percent("livelihood", by=5)}, "in 2 specifications"),
        (
            {"a": ASPECTS, "b": alternatives({"x": {
                "classes.municipal_department.nodes.key_work.weight": 5}})},
            "nodes.key_work.weight in more than one factor",
        ),
        ({"a": alternatives({"x": {"missing_task": "classmean"}})}, "missing_task"),
        ({"a": alternatives({"x": {"missing_tusk": "zero"}})}, "missing_tusk"),
    ],
)  # fmt: skip
def test_what_is_refused(year: pm.Year, factors: dict[str, Any], message: str) -> None:
    with pytest.raises((PerfmethodError, SchemeError), match=message):
        global_sensitivity(year, factors, 8, seed=0)


def test_choices_that_are_refused(year: pm.Year) -> None:
    with pytest.raises(PerfmethodError, match="which b set other paths"):
        alternatives({"a": {"x": 1}, "b": {"y": 1}})
    with pytest.raises(PerfmethodError, match="found alternatives of no kind"):
        alternatives({})
    with pytest.raises(PerfmethodError, match="2 numbers from 0 on that sum to 1"):
        alternatives({"a": {"x": 1}, "b": {"x": 2}}, [0.5, 0.6])
    with pytest.raises(PerfmethodError, match="found no schemes"):
        schemes({})
    with pytest.raises(PerfmethodError, match="not one choice: aspects"):
        enumerate_sensitivity(year, {"aspects": ASPECTS, "power": POWER})
    each = un.choice("classes.*.nodes.indicator.power", values=[1.0, -1.0])  # one for each class
    with pytest.raises(PerfmethodError, match="not one choice: powers"):
        enumerate_sensitivity(year, {"powers": each})
    twice = {"a": schemes({"now": year.scheme}), "b": schemes({"now": year.scheme})}
    with pytest.raises(PerfmethodError, match="found a, b in more than one factor"):
        global_sensitivity(year, twice, 8, seed=0)


def test_the_2009_year() -> None:
    """Which uncertainty moves ranks in 2009: shares of the sum of all ranks' variances."""
    year = pm.Year.load(Path(__file__).resolve().parents[1] / "data" / "2009")
    factors = {
        "weights": [un.dirichlet(*year.scheme.classes, concentration=100)],
        "missing": un.choice("missing_task", values=["redistribute", "class_mean"]),
        "caps": un.uniform("adjustments.*_cap", low=30, high=70),
    }
    found = global_sensitivity(year, factors, 256, seed=0, replicates=8)
    ranks = found.summed([o for o in found.outputs if o.startswith("rank.")])
    frame = ranks.to_frame().set_index(["effect", "factor"])
    assert frame["index"].min() > 0
    assert frame.loc["total", "index"].sum() >= 1
    assert (frame.loc["first", "low"] <= frame.loc["total", "high"]).all()
    assert found.effects["total"].index[:, found.outputs.index("excellent_changes")].max() > 0


def test_a_factor_that_varies_nothing_is_named(year: pm.Year) -> None:
    factors: dict[str, Any] = {"aspects": ASPECTS, "nothing": []}
    for run in (
        lambda: global_sensitivity(year, factors, 64, seed=0),
        lambda: resolve(year, factors),
    ):
        with pytest.raises(PerfmethodError, match="without a specification: 'nothing'; allowed"):
            run()
