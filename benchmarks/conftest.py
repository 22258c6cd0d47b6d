"""The 2009 year, and draws of every weight in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import perfmethod as pm

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def year() -> pm.Year:
    return pm.Year.load(ROOT / "data" / "2009")


def weight_draws(scheme: pm.Scheme, size: int, seed: int = 0) -> pm.Draws:
    """Every weight of the tree times a log-normal factor with a spread of 20 %."""
    paths = [p for p in scheme.numbers if p.endswith(".weight") and not p.startswith("survey")]
    base = np.array([float(scheme.number(p)) for p in paths])

    def sampler(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        factors = np.exp(0.2 * rng.standard_normal((n, base.size)))
        return dict(zip(paths, (base * factors).T, strict=True))

    return pm.Draws.sampled(size, sampler, paths, seed=seed, note="all weights x lognormal(0.2)")
