"""What may vary: names, distributions, designs, and what is refused before anything runs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.core import BLOCK
from perfmethod.errors import SchemeError
from perfmethod.uncertainty.region import Region
from perfmethod.uncertainty.sources import RandomSource
from tests.small_year import write_small_year

N = 8 * BLOCK


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> pm.Year:
    folder = write_small_year(tmp_path_factory.mktemp("year"))
    return pm.Year.load(folder)


def table(draws: pm.Draws) -> dict[str, np.ndarray]:
    """All values of all draws, by path."""
    blocks = [dict(values) for _, values in draws.blocks()]
    return {path: np.concatenate([b[path] for b in blocks]) for path in draws.paths}


def drawn(year: pm.Year, *specs: Any, seed: int = 1, size: int = N, **how: Any) -> dict[str, Any]:
    return table(un.draw(year, size, *specs, seed=seed, **how))


# ---- names


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("indicators.P001.weight", {"indicators.P001.weight"}),
        ("P001", {"indicators.P001.weight"}),
        ("key_work", {"classes.municipal_department.nodes.key_work.weight"}),
        ("county_government.indicator", {"classes.county_government.nodes.indicator.weight"}),
        (
            "internal",
            {
                "classes.county_government.nodes.internal.weight",
                "classes.municipal_department.nodes.internal.weight",
            },
        ),
        ("P00[12]", {"indicators.P001.weight", "indicators.P002.weight"}),
        ("indicators.P00[12].weight", {"indicators.P001.weight", "indicators.P002.weight"}),
        ("adjustments.*_cap", {"adjustments.bonus_cap", "adjustments.deduction_cap"}),
        ("survey.options.*.score", {f"survey.options.{o}.score" for o in (1, 2, 3)}),
    ],
)
def test_a_name_stands_for_paths(year: pm.Year, name: str, paths: set[str]) -> None:
    assert set(un.draw(year, 1, un.percent(name, by=1), seed=0).paths) == paths


def test_a_star_stands_for_one_step_only(year: pm.Year) -> None:
    paths = un.draw(year, 1, un.percent("classes.*.nodes.*.weight", by=1), seed=0).paths
    assert len(paths) == 14
    with pytest.raises(SchemeError, match=r"classes\.\*\.weight"):
        un.draw(year, 1, un.percent("classes.*.weight", by=1), seed=0)


def test_every_problem_is_told_at_once(year: pm.Year) -> None:
    specs = (
        un.percent("indicatr", by=10),
        un.multiplicative("indicators.P001.wieght", spread=0.1),
        un.dirichlet("key_wrk", concentration=10),
        un.multiplicative("missing_task", spread=0.1),
        un.percent("P002", by=120),
        un.measurement("P999", relative=0.1),
    )
    with pytest.raises(SchemeError) as caught:
        un.draw(year, 10, *specs, seed=0)
    said = str(caught.value)
    for part in (
        "6 problems",
        "did you mean 'indicator'",
        "did you mean 'indicators.P001.weight'",
        "did you mean 'key_work'",
        "which is the word 'redistribute'",
        "120 %",
        "tasks.*.P999.actual",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ((un.percent("P001", by=1), un.normal("P001", sd=1)), "'indicators.P001.weight' in 2"),
        ((), "0 specifications"),
        ((un.multiplicative("P001", spread=-1),), "a spread of -1"),
        ((un.uniform("P001", low=2, high=1),), "low <= high"),
        ((un.uniform("P001", low=0, high=float("inf")),), "finite"),
        ((un.normal("P001", sd=1, low=5),), "'indicators.P001.weight' = 2"),
        ((un.choice("missing_task", values=["zero", "gone"]),), "gone"),
        ((un.choice("P001", values=[1, 2], probabilities=[0.5]),), "probabilities"),
        ((un.choice("P001", values=[1, 2], probabilities=[0.9, 0.2]),), "probabilities"),
        ((un.uniform("P001", low=-2, high=-1),), "weight"),
        ((un.dirichlet("county_government", concentration=0),), "concentration"),
    ],
)
def test_what_cannot_vary_so_is_refused(
    year: pm.Year, specs: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(SchemeError, match=message.replace("(", r"\(")):
        un.draw(year, 10, *specs, seed=0)


def test_measured_values_need_a_year(year: pm.Year) -> None:
    with pytest.raises(SchemeError, match="a year"):
        un.draw(year.scheme, 10, un.measurement("P001", relative=0.1), seed=0)
    paths = un.draw(year, 10, un.measurement("P*", relative=0.1), seed=0).paths
    assert "tasks.C01.P001.actual" in paths
    assert not any("D001" in path for path in paths)


def test_an_unknown_design_names_the_known(year: pm.Year) -> None:
    with pytest.raises(pm.errors.PerfmethodError, match="did you mean 'sobol'"):
        un.draw(year, 10, un.percent("P001", by=1), seed=0, design="sobl")


# ---- distributions


CASES: dict[str, tuple[Any, Callable[[np.ndarray], Any]]] = {
    "lognormal": (
        un.multiplicative("P001", spread=0.3),
        stats.lognorm(s=0.3, scale=2).cdf,
    ),
    "percent": (un.percent("P001", by=25), stats.uniform(1.5, 1.0).cdf),
    "uniform": (un.uniform("P001", low=1, high=4), stats.uniform(1, 3).cdf),
    "normal": (un.normal("P001", sd=0.1), stats.norm(2, 0.1).cdf),
    "truncated": (
        un.normal("P001", sd=1.0, low=1.5, high=4.0),
        stats.truncnorm(-0.5, 2.0, loc=2, scale=1).cdf,
    ),
}


@pytest.mark.parametrize("design", un.DESIGNS)
@pytest.mark.parametrize("name", CASES)
def test_numbers_have_the_distribution_that_is_named(year: pm.Year, name: str, design: str) -> None:
    spec, cdf = CASES[name]
    (values,) = drawn(year, spec, seed=7, design=design).values()
    distance = stats.kstest(values, cdf).statistic
    assert distance < 1.63 / N**0.5  # 1 % bound of Kolmogorov's test; far less for even designs
    if design != "random":
        assert distance < 0.004


def test_dirichlet_moments(year: pm.Year) -> None:
    spec = un.dirichlet("county_government.indicator", concentration=20)
    values = drawn(year, spec, size=64 * BLOCK)
    livelihood, economic = values.values()
    np.testing.assert_allclose(livelihood + economic, 100, rtol=1e-12)
    n, p = len(livelihood), 0.6
    sd = (p * (1 - p) / 21) ** 0.5  # Wilks, *Mathematical Statistics* (1962), section 7.7
    share = livelihood / 100
    assert abs(share.mean() - p) < 4 * sd / n**0.5
    assert abs(share.std() / sd - 1) < 4 / (2 * n) ** 0.5
    even = drawn(year, spec, size=4 * BLOCK, design="sobol")
    assert abs(next(iter(even.values())).mean() / 100 - p) < 2e-4


def test_choices_keep_what_they_are(year: pm.Year) -> None:
    specs = (
        un.choice("missing_task", values=["zero", "class_mean"], probabilities=[0.25, 0.75]),
        un.choice("grades.levels.excellent.places", values=[2, 3]),
        un.choice("county_government.indicator", "county_government.internal", values=[10, 20],
                  together=True),
    )  # fmt: skip
    draws = un.draw(year, N, *specs, seed=3)
    one = draws.draw(0)
    assert one["missing_task"] in ("zero", "class_mean")
    assert type(one["grades.levels.excellent.places"]) is int
    values = table(draws)
    zero = (values["missing_task"] == "zero").mean()
    assert abs(zero - 0.25) < 4 * (0.25 * 0.75 / N) ** 0.5
    at = "classes.county_government.nodes.{}.weight"
    assert np.array_equal(values[at.format("indicator")], values[at.format("internal")])
    found = pm.simulate(year, draws)
    assert found.grade is not None
    best = (found.grade == 0).sum(1)
    assert set(best[values["grades.levels.excellent.places"] == 2].tolist()) <= {0, 1, 2}


def test_survey_noise_has_the_covariance_of_the_review(year: pm.Year) -> None:
    review = pm.evaluate(year).review
    assert review is not None
    covariance = review.covariance()
    values = drawn(year, un.survey_noise(review), size=64 * BLOCK)
    x = np.stack([values[f"review.{u}.{d}"] for u, d in covariance.index])
    n, wanted = x.shape[1], covariance.to_numpy()
    sd = np.sqrt(np.diag(wanted))
    mean = review.scores.stack().reindex(covariance.index).to_numpy()
    assert (np.abs(x.mean(1) - mean) <= 4.5 * sd / n**0.5 + 1e-9).all()
    error = np.sqrt((np.outer(sd, sd) ** 2 + wanted**2) / n)
    assert (np.abs(np.cov(x) - wanted) <= 4.5 * error + 1e-4).all()
    double = un.survey_noise(review, scale=2.0)
    wide = drawn(year, double, size=BLOCK)
    path = f"review.{covariance.index[0][0]}.{covariance.index[0][1]}"
    np.testing.assert_allclose(
        wide[path] - mean[0], 2 * (values[path][:BLOCK] - mean[0]), rtol=1e-4, atol=1e-4
    )


def test_survey_noise_refuses_what_is_no_covariance(year: pm.Year) -> None:
    review = pm.evaluate(year).review
    assert review is not None
    covariance = review.covariance()
    with pytest.raises(ValueError, match="eigenvalue"):
        un.survey_noise(review, covariance=-covariance)
    with pytest.raises(ValueError, match="no mean"):
        un.survey_noise(mean=review.scores.stack().iloc[1:], covariance=covariance)
    with pytest.raises(ValueError, match="no review"):
        un.survey_noise()


def test_normal_and_exponential_variates_of_a_source() -> None:
    source = RandomSource(np.random.SeedSequence(5), 40_000)
    assert stats.kstest(source.normal(5).ravel(), stats.norm.cdf).pvalue > 0.01
    assert stats.kstest(source.exponential(5).ravel(), stats.expon.cdf).pvalue > 0.01
    z = source.normal(3)
    assert abs(np.corrcoef(z.T) - np.eye(3)).max() < 4 / 40_000**0.5


# ---- the same draws whoever makes them


EVERYTHING = (
    un.multiplicative("classes.county_government.nodes.review_*.weight", spread=0.2),
    un.dirichlet("municipal_department", concentration=30),
    un.percent("adjustments.*_cap", by=10),
    un.choice("missing_value", values=["redistribute", "zero"]),
)


@pytest.mark.parametrize("design", un.DESIGNS)
def test_a_draw_is_the_same_in_any_order_size_and_process(year: pm.Year, design: str) -> None:
    whole = table(un.draw(year, 3 * BLOCK + 100, *EVERYTHING, seed=0, design=design))
    short = table(un.draw(year, BLOCK + 7, *EVERYTHING, seed=0, design=design))
    again = pickle.loads(pickle.dumps(un.draw(year, 3 * BLOCK, *EVERYTHING, seed=0, design=design)))
    other = table(un.draw(year, BLOCK, *EVERYTHING, seed=1, design=design))
    late = again.block(slice(2 * BLOCK, 3 * BLOCK))  # without those before it
    early = again.block(slice(0, BLOCK))
    for path, values in whole.items():
        assert np.array_equal(values[: BLOCK + 7], short[path])
        assert np.array_equal(values[2 * BLOCK : 3 * BLOCK], late[path])
        assert np.array_equal(values[:BLOCK], early[path])
        if values.dtype.kind == "f":  # of two words there are few even sequences
            assert not np.array_equal(values[:BLOCK], other[path])


def test_a_specification_does_not_hear_of_the_others(year: pm.Year) -> None:
    alone = drawn(year, EVERYTHING[0])
    beside = drawn(year, *EVERYTHING)
    assert all(np.array_equal(beside[path], values) for path, values in alone.items())


def test_part_of_the_draws_are_draws(year: pm.Year) -> None:
    draws = un.draw(year, 3 * BLOCK, *EVERYTHING, seed=4)
    whole, part = table(draws), table(draws.between(BLOCK, 2 * BLOCK + 5))
    assert all(np.array_equal(whole[p][BLOCK : 2 * BLOCK + 5], part[p]) for p in whole)
    for start, stop in ((5, 10), (BLOCK, BLOCK), (0, 4 * BLOCK)):
        with pytest.raises(ValueError, match="allowed"):
            draws.between(start, stop)


def test_sobol_points_fill_every_half_evenly(year: pm.Year) -> None:
    values = drawn(year, un.percent("P*", by=50), design="sobol", size=2 * BLOCK)
    for path, x in values.items():
        nominal = float(year.scheme.number(path))
        assert abs((x > nominal).sum() - BLOCK) <= 1
        assert len(np.unique(x)) == len(x)


def test_draws_of_the_real_year_can_be_scored(tmp_path: Path, year: pm.Year) -> None:
    review = pm.evaluate(year).review
    specs = (*EVERYTHING, un.survey_noise(review), un.measurement("P001", relative=0.02),
             un.normal("indicators.P001.rule.cap", sd=0.02))  # fmt: skip
    found = pm.simulate(year, un.draw(year, 50, *specs, seed=2))
    assert np.isfinite(found.total).all()
    assert (found.total.std(0) > 0).all()


def test_bounds_that_hardly_any_draw_breaks_are_kept():
    region = Region((0.0,) * 12, (0.7,) * 12)  # one in 50,000 proposals is beyond
    assert region.accepted == 1
    assert region.method == "rejection"
    weights = np.concatenate(
        [region.draw(RandomSource(np.random.SeedSequence(i))) for i in range(300)]
    )
    assert weights.max() <= 0.7


@pytest.mark.parametrize(
    ("region", "implied"),
    [
        (Region((0.0,) * 3, (1.0,) * 3), True),
        (Region((0.1, 0.2, 0.0), (0.8, 0.9, 0.7)), True),  # what the others leave
        (Region((0.1, 0.2, 0.0), (0.8, 0.9, 0.69)), False),
        (Region((0.0,) * 3, (1.0,) * 3, chains=((0, 2),)), True),
        (Region((0.1, 0.0, 0.0), (1.0,) * 3, chains=((0, 2),)), False),
        (Region((0.1,) * 3, (0.8,) * 3, rows=(((0, 1), 0.2, 0.9),)), True),
        (Region((0.1,) * 3, (0.8,) * 3, rows=(((0, 1), 0.3, 0.9),)), False),
    ],
)
def test_only_what_needs_no_check_is_exact(region, implied):
    assert region.implied == implied
    assert (region.method == "exact") == implied
