"""Laws of variance-based indices, and exact factorials against brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import PerfmethodError
from perfmethod.sensitivity.enumeration import enumerate_indices, factorial_indices
from perfmethod.sensitivity.estimators import sobol_indices
from perfmethod.sensitivity.global_indices import global_indices
from perfmethod.sensitivity.shapley import shapley_of_costs
from tests.sensitivity_models import Array, ishigami

LEVELS = st.lists(st.integers(2, 4), min_size=2, max_size=4)
SEEDS = st.integers(0, 2**32)


def table(levels: list[int], seed: int, whole: bool = False) -> Array:
    rng = np.random.default_rng(seed)
    size = (*levels, 2)
    return rng.integers(0, 5, size).astype(float) if whole else rng.standard_normal(size)


def names(levels: list[int]) -> list[str]:
    return [f"f{i}" for i in range(len(levels))]


def brute_force(y: Array, chances: list[Array]) -> dict[str, Array]:
    """Indices from the variance of conditional means, one combination at a time (one output)."""
    g = y.ndim
    points = [(k, float(np.prod([p[i] for p, i in zip(chances, k, strict=True)])))
              for k in product(*(range(n) for n in y.shape))]  # fmt: skip
    mean = sum(w * y[k] for k, w in points)
    costs = []
    for members in range(1 << g):
        sums: dict[tuple[int, ...], list[float]] = {}
        for k, w in points:
            cell = sums.setdefault(tuple(k[i] for i in range(g) if members >> i & 1), [0.0, 0.0])
            cell[0] += w
            cell[1] += w * y[k]
        costs.append(sum(w * (wy / w - mean) ** 2 for w, wy in sums.values() if w > 0))
    everyone = (1 << g) - 1
    return {
        "first": np.array([costs[1 << i] for i in range(g)]) / costs[-1],
        "total": 1 - np.array([costs[everyone ^ 1 << i] for i in range(g)]) / costs[-1],
        "shapley": shapley_of_costs(costs) / costs[-1],
        "closed": np.array([costs[1 << i | 1 << j] for i in range(g) for j in range(i + 1, g)])
        / costs[-1],
    }  # fmt: skip


@given(LEVELS, SEEDS)
@settings(max_examples=30)
def test_a_factorial_is_its_slow_twin(levels: list[int], seed: int) -> None:
    y = table(levels, seed)
    rng = np.random.default_rng(seed)
    chances = {name: rng.dirichlet(np.ones(n)) for name, n in zip(names(levels), levels,
                                                                  strict=True)}  # fmt: skip
    found = factorial_indices(y, names(levels), probabilities=chances)
    for j in range(2):
        slow = brute_force(y[..., j], list(chances.values()))
        for kind, value in slow.items():
            np.testing.assert_allclose(found.effects[kind].index[:, j], value, atol=1e-9)


@given(LEVELS, SEEDS)
@settings(max_examples=40)
def test_order_and_sums(levels: list[int], seed: int) -> None:
    """First order <= Shapley <= total; first orders sum to at most 1, totals to at least 1."""
    found = factorial_indices(table(levels, seed), names(levels))
    first, shapley, total = (found.effects[k].index for k in ("first", "shapley", "total"))
    assert (first <= shapley + 1e-12).all()
    assert (shapley <= total + 1e-12).all()
    assert (first.sum(0) <= 1 + 1e-12).all()
    assert (total.sum(0) >= 1 - 1e-12).all()
    np.testing.assert_allclose(shapley.sum(0), 1)


@given(LEVELS, SEEDS)
@settings(max_examples=30)
def test_an_additive_model_has_no_interaction(levels: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal(n).reshape(-1, *[1] * (len(levels) - i - 1))
             for i, n in enumerate(levels)]  # fmt: skip
    found = factorial_indices(sum(parts, np.zeros(levels))[..., None], names(levels))
    first, total = found.effects["first"].index, found.effects["total"].index
    np.testing.assert_allclose(first, total, atol=1e-9)
    assert first.sum() == pytest.approx(1)


@given(LEVELS, SEEDS, st.data())
@settings(max_examples=30)
def test_permuting_factors_permutes_indices(
    levels: list[int], seed: int, data: st.DataObject
) -> None:
    y, order = table(levels, seed), data.draw(st.permutations(range(len(levels))))
    found = factorial_indices(y, names(levels))
    moved = factorial_indices(y.transpose(*order, len(levels)), [names(levels)[i] for i in order])
    for kind in ("first", "total", "shapley"):
        np.testing.assert_allclose(
            moved.effects[kind].index, found.effects[kind].index[list(order)], atol=1e-12
        )


@given(LEVELS, SEEDS, st.floats(0.01, 100), st.floats(-1000, 1000), st.sampled_from([1, -1]))
@settings(max_examples=30)
def test_unit_and_origin_do_not_matter(
    levels: list[int], seed: int, scale: float, shift: float, sign: int
) -> None:
    y = table(levels, seed)
    found = factorial_indices(y, names(levels))
    other = factorial_indices(sign * scale * y + shift, names(levels))
    for kind, effect in found.effects.items():
        np.testing.assert_allclose(other.effects[kind].index, effect.index, atol=1e-6)


@given(LEVELS, SEEDS, st.integers(2, 5), st.data())
@settings(max_examples=40)
def test_an_alternative_that_changes_nothing(
    levels: list[int], seed: int, more: int, data: st.DataObject
) -> None:
    """A factor whose alternatives are the same gets exactly 0 and changes no other index."""
    y, axis = table(levels, seed), data.draw(st.integers(0, len(levels)))
    wide = np.repeat(np.expand_dims(y, axis), more, axis)
    labels = names(levels)
    labels.insert(axis, "null")
    found, without = factorial_indices(wide, labels), factorial_indices(y, names(levels))
    for kind in ("first", "total", "shapley"):
        index = found.effects[kind].index
        assert not index[axis].any()
        np.testing.assert_allclose(
            np.delete(index, axis, 0), without.effects[kind].index, atol=1e-9
        )


@given(SEEDS)
@settings(max_examples=20)
def test_duplicates_share(seed: int) -> None:
    """Two factors that do the same, together, have the same index; a third keeps its own."""
    rng = np.random.default_rng(seed)
    own, other = rng.standard_normal(3), rng.standard_normal((3, 2))
    y = (own[:, None, None] + own[:, None])[..., None] * 0.5 + other
    y = np.maximum(y, 0.1)
    found = factorial_indices(y, ["a", "twin", "other"])
    for kind in ("first", "total", "shapley"):
        index = found.effects[kind].index
        np.testing.assert_allclose(index[0], index[1], atol=1e-12)


@given(SEEDS)
@settings(max_examples=15)
def test_laws_of_sampled_indices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 64, 4))
    f_a, f_b = ishigami(a), ishigami(b)
    f_ab = np.array([ishigami(np.where(np.arange(4) == i, b, a)) for i in range(4)])
    first, total = sobol_indices(f_a, f_b, f_ab)
    scaled = sobol_indices(3 - 7 * f_a, 3 - 7 * f_b, 3 - 7 * f_ab)
    np.testing.assert_allclose(scaled, (first, total), atol=1e-9)
    order = rng.permutation(4)
    moved = sobol_indices(f_a, f_b, f_ab[order])
    np.testing.assert_allclose(moved, (first[order], total[order]))
    assert (total >= 0).all()
    assert first[3] == total[3] == 0
    row = rng.permutation(64)
    shuffled = sobol_indices(f_a[row], f_b[row], f_ab[:, row])
    np.testing.assert_allclose(shuffled, (first, total), atol=1e-12)


def test_the_order_of_factors_and_grouping() -> None:
    one = global_indices(ishigami, {"a": [0], "b": [1], "c": [2, 3]}, 128, seed=0, resamples=0)
    other = global_indices(ishigami, {"c": [3, 2], "a": [0], "b": [1]}, 128, seed=0, resamples=0)
    for kind in ("first", "total"):
        np.testing.assert_array_equal(one.effects[kind].index[[2, 0, 1]], other.effects[kind].index)
    everything = global_indices(ishigami, {"all": range(4)}, 128, seed=0, resamples=0,
                                effects=("first", "total", "closed", "shapley"))  # fmt: skip
    assert everything.effects["shapley"].index.tolist() == [[1.0]]
    assert everything.effects["closed"].names == ()
    assert everything.effects["total"].index[0, 0] == pytest.approx(1, abs=0.1)


def test_sampling_finds_what_enumeration_finds() -> None:
    y = table([2, 3, 4], 7)
    exact = factorial_indices(y, ["a", "b", "c"])
    sizes = np.array([2, 3, 4])

    def model(u: Array) -> Array:
        return np.asarray(y[tuple((u * sizes).astype(int).T)])

    kinds = ("first", "total", "closed", "shapley")
    found = global_indices(model, {"a": [0], "b": [1], "c": [2]}, 4096, seed=0, effects=kinds,
                           sampler="random")  # fmt: skip
    for kind in kinds:
        error = np.abs(found.effects[kind].index - exact.effects[kind].index)
        assert (error < 4 * found.effects[kind].standard_error()).all()
    np.testing.assert_allclose(found.mean, exact.mean, atol=0.1)
    np.testing.assert_allclose(found.variance, exact.variance, rtol=0.1)


def test_several_outputs_as_one() -> None:
    """Shares of the sum of variances: the sum over outputs of what each factor explains."""
    y = table([2, 3], 1)
    found = factorial_indices(y, ["a", "b"], outputs=["u", "v"])
    both = found.summed(["u", "v"], "ranks")
    by_hand = (found.effects["total"].index * found.variance).sum(1) / found.variance.sum()
    np.testing.assert_allclose(both.effects["total"].index[:, 0], by_hand)
    assert (both.outputs, both.effects["shapley"].index.sum()) == (("ranks",), pytest.approx(1))
    with pytest.raises(PerfmethodError, match="output 'w'; one of u, v"):
        found.summed(["w"])
    with pytest.raises(PerfmethodError, match="at least 1"):
        found.summed([])


def test_an_exact_result_has_intervals_without_width() -> None:
    found = enumerate_indices(lambda k: k[:, 0] + 2.0 * k[:, 1], {"a": 2, "b": 2})
    frame = found.to_frame()
    assert (frame["low"] == frame["index"]).all()
    assert (frame["standard_error"] == 0).all()
    assert frame.query("effect == 'first'")["index"].tolist() == [0.2, 0.8]
    assert found.meta["evaluations"] == 4
    still = enumerate_indices(lambda k: np.full(len(k), 0.1), {"a": 2})
    assert (still.constant.tolist(), still.effects["first"].index[0, 0]) == ([True], 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: enumerate_indices(ishigami, {"a": 2000, "b": 2000}), "4,000,000 combinations"),
        (lambda: enumerate_indices(ishigami, {"a": 0}), "each from 1 on"),
        (lambda: factorial_indices([[1.0]], ["a", "b"]), "one axis per factor"),
        (lambda: factorial_indices([[1.0], [2.0]], ["a"], probabilities={"b": [1]}), r"of \['b'\]"),
        (
            lambda: factorial_indices([[1.0], [2.0]], ["a"], probabilities={"a": [0.5, 0.6]}),
            "a: found probabilities",
        ),
        (lambda: factorial_indices([[1.0], [np.nan]], ["a"]), "no finite number"),
    ],
)
def test_what_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
