"""Alpha, omega, split halves, polychoric correlations: published values, laws, twins."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from perfmethod.errors import DataError
from perfmethod.reliability import (
    Ratings,
    alpha_if_dropped,
    alpha_of_covariance,
    bivariate_normal_cdf,
    cronbach_alpha,
    omega_hierarchical,
    omega_total,
    polychoric_correlations,
    polychoric_of_tables,
    split_half,
)
from perfmethod.reliability._factors import extract, quartimin, schmid_leiman

from .published_ratings import REVERSED, bfi, oracle, table

EXACT = 1e-12
SCALES = list(REVERSED)

# Thurstone and Thurstone (1941), nine tests, 213 pupils, as printed by McDonald (1999)
THURSTONE = np.eye(9)
THURSTONE[np.tril_indices(9, -1)] = [
    0.828,
    0.776, 0.779,
    0.439, 0.493, 0.46,
    0.432, 0.464, 0.425, 0.674,
    0.447, 0.489, 0.443, 0.59, 0.541,
    0.447, 0.432, 0.401, 0.381, 0.402, 0.288,
    0.541, 0.537, 0.534, 0.35, 0.367, 0.32, 0.555,
    0.38, 0.358, 0.359, 0.424, 0.446, 0.325, 0.598, 0.452,
]  # fmt: skip
THURSTONE = THURSTONE + np.tril(THURSTONE, -1).T


# --- values of others


@pytest.mark.parametrize("scale", SCALES)
def test_alpha_of_bfi_by_psych(reference: Path, scale: str) -> None:
    answers, expected = bfi(reference, scale), oracle(reference)["bfi"][scale]
    found, theirs = cronbach_alpha(answers), expected["complete"]
    assert found.value == pytest.approx(theirs["total"]["raw_alpha"], abs=EXACT)
    assert found.low == pytest.approx(theirs["feldt"]["lower.ci.raw_alpha"], abs=EXACT)
    assert found.high == pytest.approx(theirs["feldt"]["upper.ci.raw_alpha"], abs=EXACT)
    assert found.n == theirs_n(expected)
    for missing, name in (("listwise", "complete"), ("pairwise", "pairwise")):
        for kind, key in (("raw", "raw_alpha"), ("standardized", "std.alpha")):
            value = cronbach_alpha(
                answers, kind=kind, missing=missing, draws=0, interval="bootstrap"
            )
            assert value.value == pytest.approx(expected[name]["total"][key], abs=EXACT)


def theirs_n(expected: dict) -> int:
    return int(expected["n_complete"])


@pytest.mark.parametrize("scale", SCALES)
def test_alpha_if_dropped_of_bfi_by_psych(reference: Path, scale: str) -> None:
    expected = oracle(reference)["bfi"][scale]["pairwise"]
    found = alpha_if_dropped(bfi(reference, scale), missing="pairwise", draws=0)
    assert [c.details["item"] for c in found] == list(expected["alpha_drop"])
    assert [c.value for c in found] == pytest.approx(
        list(expected["alpha_drop"].values()), abs=EXACT
    )
    rest = [c.details["item_rest"] for c in found]
    assert rest == pytest.approx(list(expected["item_r_drop"].values()), abs=EXACT)


@pytest.mark.parametrize("scale", SCALES)
def test_polychoric_correlations_of_bfi_by_psych(reference: Path, scale: str) -> None:
    # psych stops its search at 1e-4 of the correlation; ours is nowhere less likely (next test)
    expected = oracle(reference)["bfi"][scale]["complete"]
    answers = bfi(reference, scale)
    found = polychoric_correlations(answers, missing="listwise")
    np.testing.assert_allclose(found.correlations, expected["polychoric_rho"], atol=3e-5)
    alpha = cronbach_alpha(answers, kind="ordinal", draws=0)
    assert alpha.value == pytest.approx(expected["ordinal_alpha"], abs=1e-5)


def log_likelihood(t: np.ndarray, rho: float) -> float:
    """By SciPy's bivariate normal, corner by corner."""
    h, k = (
        np.concatenate([[-8.0], stats.norm.ppf(np.cumsum(t.sum(axis=axis))[:-1] / t.sum()), [8.0]])
        for axis in (1, 0)
    )
    normal = stats.multivariate_normal(cov=[[1, rho], [rho, 1]])
    corner = np.array([[normal.cdf([a, b]) for b in k] for a in h])
    cells = np.diff(np.diff(corner, axis=0), axis=1)
    return float((t * np.log(np.maximum(cells, 1e-300)))[t > 0].sum())


def test_polychoric_is_likelier_than_psychs(reference: Path) -> None:
    expected = oracle(reference)["bfi"]["N"]["complete"]["polychoric_rho"]
    answers = bfi(reference, "N").dropna()
    t = pd.crosstab(answers["N1"], answers["N2"]).to_numpy()
    ours = polychoric_of_tables(t).item()
    assert log_likelihood(t, ours) >= log_likelihood(t, expected[0][1])
    assert ours == pytest.approx(expected[0][1], abs=3e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_omega_total_of_bfi_by_r(reference: Path, scale: str) -> None:
    expected = oracle(reference)["bfi"][scale]["complete"]
    found = omega_total(bfi(reference, scale), kind="standardized", draws=0)
    assert found.value == pytest.approx(expected["omega_total_1f_ml_corr"], abs=1e-6)
    theirs = expected["omega_1f_ml"]
    np.testing.assert_allclose(found.details["loadings"], theirs["loadings"], atol=1e-5)
    np.testing.assert_allclose(found.details["uniqueness"], theirs["uniq"], atol=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_split_halves_of_bfi_by_psych(reference: Path, scale: str) -> None:
    # Of five items there are ten splits into two and three. psych 2.2.9 takes the first five of
    # them: the first five of ours give its maximum, minimum and mean.
    theirs = oracle(reference)["bfi"][scale]["complete"]["splitHalf"]
    found = split_half(bfi(reference, scale), kind="standardized", draws=0)
    assert (found.values.size, found.complete) == (10, True)
    first = found.values[:5]
    summary = [first.max(), first.min(), first.mean()]
    assert summary == pytest.approx([theirs["max"], theirs["min"], theirs["mean"]], abs=EXACT)
    assert found.values.max() > theirs["max"] - EXACT


def test_omega_hierarchical_of_thurstone() -> None:
    # R package psych 2.2.9, omega(Thurstone, 3): omega_h .74, omega total .93, printed to 12 digits
    # .736070318258 and .930825414903; general loadings to three digits
    found = schmid_leiman(THURSTONE, 3)
    assert found.general.sum() ** 2 / THURSTONE.sum() == pytest.approx(0.736070318258, abs=3e-6)
    assert 1 - found.uniqueness.sum() / THURSTONE.sum() == pytest.approx(0.930825414903, abs=1e-6)
    printed = [0.709, 0.726, 0.683, 0.646, 0.622, 0.558, 0.587, 0.577, 0.541]
    assert found.general.round(3).tolist() == printed
    assert found.notes == ()


def test_thurstone_as_in_the_reference_folder(reference: Path) -> None:
    np.testing.assert_array_equal(table(reference, "psych_Thurstone.csv", index_col=0), THURSTONE)


# bfi, scale A, complete cases (R 4.2.2, cov): the published alpha without the folder
COVARIANCE_A = np.zeros((5, 5))
COVARIANCE_A[np.tril_indices(5)] = [
    1.97283168474471,
    0.564487159983708, 1.38395157451528,
    0.491584346287036, 0.74701389263754, 1.70186036696978,
    0.309817022202375, 0.586230290955309, 0.702303253065851, 2.20950843323829,
    0.32371034131537, 0.575542136747523, 0.831433789550996, 0.575154867003309, 1.59164293429691,
]  # fmt: skip
COVARIANCE_A = COVARIANCE_A + np.tril(COVARIANCE_A, -1).T


def test_published_values_without_the_folder() -> None:
    """Scale A of psych's bfi: raw .7038, standardized .7135, omega .7240 (psych, factanal)."""
    d = np.sqrt(np.diag(COVARIANCE_A))
    r = COVARIANCE_A / np.outer(d, d)
    assert alpha_of_covariance(COVARIANCE_A) == pytest.approx(0.703755894374836, abs=EXACT)
    assert alpha_of_covariance(r) == pytest.approx(0.713501552634643, abs=EXACT)
    one = extract(r, 1, "ml")
    common = one.loadings.sum() ** 2
    assert common / (common + one.uniqueness.sum()) == pytest.approx(0.72402164809306, abs=1e-6)


# --- bivariate normal and polychoric


def test_bivariate_normal_cdf_by_scipy() -> None:
    rng = np.random.default_rng(0)
    h, k, rho = rng.normal(scale=2, size=60), rng.normal(scale=2, size=60), rng.uniform(-1, 1, 60)
    expected = [
        stats.multivariate_normal(cov=[[1, r], [r, 1]]).cdf([a, b])
        for a, b, r in zip(h, k, rho, strict=True)
    ]
    np.testing.assert_allclose(bivariate_normal_cdf(h, k, rho), expected, atol=1e-14)


def test_bivariate_normal_cdf_at_zeros_and_infinities() -> None:
    # Sheppard (1899): a quadrant has 1/4 + asin(rho) / (2 pi)
    rho = np.array([-0.9, -0.3, 0.0, 0.6, 0.99])
    quadrant = 0.25 + np.arcsin(rho) / (2 * np.pi)
    np.testing.assert_allclose(bivariate_normal_cdf(0, 0, rho), quadrant, atol=1e-15)
    inf, half = np.inf, stats.norm.cdf(0.7)
    found = bivariate_normal_cdf([0.7, inf, -inf, inf, 0], [inf, 0.7, 0.7, inf, 0.7], 0.0)
    np.testing.assert_allclose(found, [half, half, 0, 1, half / 2], atol=1e-15)


@given(share=st.floats(0.05, 0.45))
def test_tetrachoric_of_median_splits(share: float) -> None:
    # Sheppard: with medians for thresholds it is sin(pi (2 p - 1/2)), p on the diagonal
    t = [[share, 0.5 - share], [0.5 - share, share]]
    assert polychoric_of_tables(t) == pytest.approx(np.sin(np.pi * (2 * share - 0.5)), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_polychoric_by_a_search_with_scipys_cdf(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=150)
    t = np.zeros((3, 4))
    np.add.at(t, (np.digitize(z[:, 0], [-1, 0.5]), np.digitize(z[:, 1], [-0.5, 0, 1])), 1)
    best = optimize.minimize_scalar(
        lambda rho: -log_likelihood(t, rho), bounds=(-0.99, 0.99), options={"xatol": 1e-9}
    )
    assert polychoric_of_tables(t) == pytest.approx(best.x, abs=1e-6)


def test_polychoric_laws() -> None:
    rng = np.random.default_rng(1)
    t = rng.integers(0, 30, (7, 3, 4)).astype(float)
    rho = polychoric_of_tables(t)
    np.testing.assert_allclose(polychoric_of_tables(t.swapaxes(1, 2)), rho, atol=1e-10)
    np.testing.assert_allclose(polychoric_of_tables(t[:, ::-1]), -rho, atol=1e-10)
    np.testing.assert_allclose(polychoric_of_tables(3 * t), rho, atol=1e-10)
    wide = np.zeros((7, 5, 6))  # empty categories change nothing
    wide[:, [0, 2, 4], 1:5] = t
    np.testing.assert_allclose(polychoric_of_tables(wide), rho, atol=1e-9)
    np.testing.assert_allclose([polychoric_of_tables(one) for one in t], rho, atol=1e-12)


def test_polychoric_standard_error_is_the_spread_over_samples() -> None:
    rng = np.random.default_rng(2)
    found, errors = [], []
    for _ in range(150):
        z = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=300)
        answers = np.stack(
            [np.digitize(z[:, 0], [-0.5, 0.8]), np.digitize(z[:, 1], [0, 1])], axis=1
        )
        one = polychoric_correlations(answers.astype(float))
        found.append(one.correlations.iloc[0, 1])
        errors.append(one.standard_errors.iloc[0, 1])
    # 150 samples know their spread to 6 %: three of those
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.18)


def test_empty_cells_are_stated_and_ends_are_noted() -> None:
    x = np.array([[1, 1]] * 5 + [[2, 2]] * 5 + [[3, 3]] * 5, float)
    found = polychoric_correlations(x, items=["a", "b"])
    assert found.empty_cells.loc["a", "b"] == 6
    assert found.correlations.loc["a", "b"] == pytest.approx(0.9999, abs=1e-6)
    assert "the likelihood grows up to a correlation of 1" in found.notes[0]
    corrected = polychoric_correlations(x, correction=0.5).correlations.iloc[0, 1]
    assert 0.5 < corrected < 0.99


# --- laws and twins


@st.composite
def answers(draw, items: int = 4):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(8, 40))
    x = rng.normal(size=(n, 1)) * draw(st.sampled_from([0.0, 1.0])) + rng.normal(size=(n, items))
    x = x.round(1)
    assume((np.ptp(x, axis=0) > 0).all())
    return x


@given(x=answers(), a=st.floats(0.1, 10), b=st.floats(-5, 5), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_alpha_laws(x: np.ndarray, a: float, b: float, seed: int) -> None:
    alpha = cronbach_alpha(x)
    order = np.random.default_rng(seed).permutation(x.shape[1])
    assert cronbach_alpha(x[::-1, order]).value == pytest.approx(alpha.value, abs=1e-9)
    assert cronbach_alpha(a * x + b).value == pytest.approx(alpha.value, abs=1e-9)
    assert alpha.low < alpha.value < alpha.high or alpha.value == pytest.approx(1)
    # standardized alpha of anything is raw alpha of standardized answers
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    found = cronbach_alpha(x, kind="standardized", draws=0).value
    assert found == pytest.approx(cronbach_alpha(standard).value, abs=1e-9)
    # alpha is ICC(3,k) of persons by items
    from perfmethod.reliability import intraclass_correlations

    icc = intraclass_correlations(x)["ICC(3,k)"]
    assert (alpha.value, alpha.low, alpha.high) == pytest.approx(
        (icc.value, icc.low, icc.high), abs=1e-8
    )


@given(x=answers())
@settings(max_examples=30)
def test_split_halves_by_hand(x: np.ndarray) -> None:
    found = split_half(x, draws=0)
    halves = [(0, i) for i in (1, 2, 3)]
    expected = []
    for half in halves:
        a = x[:, half].sum(axis=1)
        b = x.sum(axis=1) - a
        expected.append(4 * np.cov(a, b)[0, 1] / np.var(a + b, ddof=1))
    np.testing.assert_allclose(found.values, expected, atol=1e-9)
    # Cronbach (1951): the mean lambda 4 over all splits of an even number of items is alpha
    assert found.values.mean() == pytest.approx(cronbach_alpha(x).value, abs=1e-9)


def test_spearman_brown_by_hand() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 1)) + rng.normal(size=(60, 5))
    found = split_half(x, formula="spearman_brown", draws=0)
    for value, half in zip(found.values, itertools.combinations(range(5), 2), strict=True):
        a = x[:, half].sum(axis=1)
        r = np.corrcoef(a, x.sum(axis=1) - a)[0, 1]
        assert value == pytest.approx(2 * r / (1 + r), abs=1e-12)
    # two halves of the same variance: both formulas agree
    two = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=50)
    both = [split_half(two, formula=f, kind="standardized", draws=0).values[0]
            for f in ("lambda4", "spearman_brown")]  # fmt: skip
    assert both[0] == pytest.approx(both[1], abs=1e-12)


def test_too_many_splits_are_drawn_and_said() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 1)) + rng.normal(size=(50, 10))
    every = split_half(x, draws=0)
    some = split_half(x, splits=40, draws=0)
    assert (every.values.size, every.complete, some.values.size, some.complete) == (
        126,
        True,
        40,
        False,
    )
    assert len(np.unique(some.halves, axis=0)) == 40
    assert set(some.values.round(9)) <= set(every.values.round(9))
    odd = "Guttman's lambda 4 of a split (raw), odd and even items"
    assert some.coefficients[odd].value == pytest.approx(every.coefficients[odd].value, abs=1e-12)
    assert "40 splits drawn at random, not all" in some.coefficients[odd].notes


def test_parallel_items_make_alpha_omega_and_halves_agree() -> None:
    # one factor with equal loadings: all formulas give p r / (1 + (p - 1) r)
    p, r = 6, 0.3
    matrix = np.full((p, p), r) + (1 - r) * np.eye(p)
    expected = p * r / (1 + (p - 1) * r)
    assert alpha_of_covariance(matrix) == pytest.approx(expected, abs=EXACT)
    for fit in ("ml", "minres"):
        one = extract(matrix, 1, fit)
        common = one.loadings.sum() ** 2
        assert common / (common + one.uniqueness.sum()) == pytest.approx(expected, abs=1e-7)
        assert one.converged


def test_exact_factor_structures_are_found() -> None:
    general = np.array([0.6, 0.7, 0.5, 0.6, 0.7, 0.5, 0.6, 0.7, 0.5])
    # a Schmid-Leiman structure proper: group loadings in a fixed proportion to the general ones
    groups = np.zeros((9, 3))
    for f, slope in enumerate((0.5, 0.8, 0.65)):
        groups[3 * f : 3 * f + 3, f] = slope * general[3 * f : 3 * f + 3]
    r = np.outer(general, general) + groups @ groups.T
    np.fill_diagonal(r, 1)
    for fit in ("minres", "ml"):
        found = schmid_leiman(r, 3, fit)
        np.testing.assert_allclose(found.general, general, atol=1e-5)
        np.testing.assert_allclose(
            np.sort(found.groups.max(axis=1)), np.sort(groups.max(axis=1)), atol=1e-5
        )


def test_factor_gradients_are_differences() -> None:
    from perfmethod.reliability._factors import FITS

    rng = np.random.default_rng(0)
    psi = rng.uniform(0.2, 0.8, 9)
    for fit in FITS.values():
        _, slope, _ = fit(psi, THURSTONE, 2)
        steps = [fit(psi + 1e-6 * e, THURSTONE, 2)[0] - fit(psi - 1e-6 * e, THURSTONE, 2)[0]
                 for e in np.eye(9)]  # fmt: skip
        np.testing.assert_allclose(slope, np.array(steps) / 2e-6, rtol=1e-5, atol=1e-7)


def test_rotation_reaches_a_minimum() -> None:
    first = extract(THURSTONE, 3, "minres")
    loadings, phi, converged = quartimin(first.loadings)
    assert converged
    np.testing.assert_allclose(np.diag(phi), 1, atol=1e-12)
    np.testing.assert_allclose(
        loadings @ phi @ loadings.T, first.loadings @ first.loadings.T, atol=1e-9
    )


# --- intervals by cluster


def test_bootstrap_by_cluster_is_the_one_of_whole_rows_of_clusters() -> None:
    from perfmethod.reliability._draws import cluster_weights

    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(30), 3)
    x = (rng.normal(size=30)[cluster, None] + rng.normal(size=(90, 4))).round(2)
    found = cronbach_alpha(x, clusters=cluster, draws=60, seed=7)
    replicates = []
    for weight in cluster_weights(np.zeros(30, np.intp), 60, 7):
        rows = np.concatenate([np.flatnonzero(cluster == c) for c in range(30)
                               for _ in range(int(weight[c]))])  # fmt: skip
        replicates.append(cronbach_alpha(x[rows]).value)
    assert found.standard_error == pytest.approx(np.std(replicates, ddof=1), rel=1e-9)
    assert "60 draws of 30 raters as clusters" in found.method


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    person = np.repeat(rng.normal(size=(40, 4)) + rng.normal(size=(40, 1)), 20, axis=0)
    x = person + 0.1 * rng.normal(size=person.shape)
    alone = cronbach_alpha(x)
    together = cronbach_alpha(x, clusters=np.repeat(np.arange(40), 20))
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
@pytest.mark.parametrize("kind", ["raw", "standardized", "ordinal"])
def test_every_kind_has_an_interval_around_its_value(kind: str, missing: str) -> None:
    rng = np.random.default_rng(4)
    x = np.clip(np.round(3 + rng.normal(size=(150, 1)) + rng.normal(size=(150, 4))), 1, 5)
    x[rng.random(x.shape) < 0.05] = np.nan
    for found in (
        cronbach_alpha(x, kind=kind, missing=missing, interval="bootstrap", draws=60),
        omega_total(x, kind=kind, missing=missing, draws=30),
        *split_half(x, kind=kind, missing=missing, draws=30).coefficients,
        *alpha_if_dropped(x, kind=kind, missing=missing, draws=30),
    ):
        assert found.low <= found.value <= found.high, found
        assert found.high - found.low < 0.4


def test_omega_hierarchical_from_answers() -> None:
    rng = np.random.default_rng(0)
    x = rng.multivariate_normal(np.zeros(9), THURSTONE, size=3000)
    found = omega_hierarchical(x, draws=10)
    assert found.value == pytest.approx(0.736, abs=0.03)
    assert found.low < found.high
    assert "3 group factors by minres, quartimin, Schmid-Leiman" in found.name
    assert found.details["omega_total"] == pytest.approx(0.931, abs=0.01)


# --- bad input


@pytest.mark.parametrize("function", [cronbach_alpha, omega_total, split_half, alpha_if_dropped])
@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.ones((5, 1)), "at least two items"),
        ([1.0, 2.0], "at least two items"),
        (np.full((5, 3), 4.0), "same"),
        ([[1, 2, 3], [2, 3, 4]], "2 usable rows of 2"),
        ([[1, np.nan, 1], [2, 1, 1], [np.nan, 2, 1], [1, 1, 2]], "2 usable rows of 4"),
        ([[1, 2, np.inf], [2, 3, 1], [3, 1, 2]], "infinite"),
    ],
)
def test_bad_answers_are_refused(function, x, said: str) -> None:
    with pytest.raises(DataError, match=said):
        function(x)


def test_negative_covariance_is_said() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=50)
    x = np.stack([z, -z + 0.1 * rng.normal(size=50), rng.normal(size=50)], axis=1)
    found = cronbach_alpha(x, items=["a", "b", "c"])
    assert found.value < 0
    assert any("the mean covariance is negative" in note for note in found.notes)
    assert any(note.startswith("against the sum of the others: ") for note in found.notes)


def test_other_refusals() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match="did you mean 'ordinal'"):
        cronbach_alpha(x, kind="ordnal")
    with pytest.raises(ValueError, match="interval='feldt'"):
        cronbach_alpha(x, kind="standardized", interval="feldt")
    with pytest.raises(ValueError, match="clustered"):
        cronbach_alpha(x, clusters=np.zeros(20), interval="feldt")
    with pytest.raises(DataError, match="19 clusters"):
        cronbach_alpha(x, clusters=np.zeros(19))
    with pytest.raises(DataError, match="column 'item 2'"):
        cronbach_alpha(np.where([False, True, False], 1.0, x), kind="standardized")
    gaps = np.where(np.arange(20)[:, None] % 2 == [0, 1, 2], np.nan, x)
    with pytest.raises(DataError, match="no rows with answers on both item 1 and item 2"):
        cronbach_alpha(gaps, missing="pairwise")
    with pytest.raises(DataError, match="2 items"):
        omega_total(x[:, :2])
    with pytest.raises(DataError, match="3 group factors of 3 items"):
        omega_hierarchical(x)
    with pytest.raises(DataError, match="positive definite"):
        omega_total(np.column_stack([x, x[:, 0]]))
    with pytest.raises(ValueError, match="kind='raw'"):
        omega_hierarchical(x, kind="raw")
    with pytest.raises(ValueError, match="did you mean 'lambda4'"):
        split_half(x, formula="lambda")


def test_ballots_bring_their_raters_as_clusters() -> None:
    ballots = pd.DataFrame(
        {
            "unit_id": ["A", "B", "C"] * 8,
            "rater_id": np.repeat([f"R{i}" for i in range(8)], 3),
            "category": np.repeat(["x", "y"], 12),
            "duty": np.tile([1, 2, 3, 2], 6),
            "conduct": np.tile([1, 2, 2, 3], 6),
        }
    )
    ratings = Ratings.from_ballots(ballots, ["duty", "conduct"])
    found = cronbach_alpha(ratings, draws=50)
    assert "50 draws of 8 raters as clusters within 2 categories" in found.method
    assert found.k == 2
    assert "R0" not in repr(vars(ratings)) + repr(found) + str(found.to_frame())
