"""The core against the public API one scheme at a time, in one run; whole commands against limits.

Run: ``pytest benchmarks/bench_core.py -s -o addopts= -o python_files='bench_*.py'``
"""

# ruff: noqa: E501 - the printed lines

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

import perfmethod as pm

from .conftest import ROOT, weight_draws

DRAWS, ALONE = 100_000, 20


def cpu(run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def test_draws_against_evaluating_one_by_one(year, benchmark):
    """At least 1,000 times faster per draw, in one process with less than 500 MB."""
    draws = weight_draws(year.scheme, DRAWS)
    drawn = [draws.draw(k) for k in range(ALONE)]

    def alone() -> None:
        for values in drawn:
            scheme = year.scheme.patch({**values, "weights_sum": None} if "weights_sum" in
                                       year.scheme.document else values)  # fmt: skip
            pm.evaluate(year.with_scheme(scheme))

    pm.simulate(year, weight_draws(year.scheme, 512))  # warm
    before = cpu(alone) / ALONE
    together = benchmark.pedantic(lambda: cpu(lambda: pm.simulate(year, draws)), rounds=1)
    per_draw = together / DRAWS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    benchmark.extra_info |= {"ratio": before / per_draw, "peak_mb": peak}
    print(f"\none by one {1e3 * before:.1f} ms a scheme; {DRAWS:,} draws {1e6 * per_draw:.1f} us a "
          f"draw: {before / per_draw:,.0f} times faster (limit 1,000); peak {peak:.0f} MB (limit 500)")  # fmt: skip
    assert before / per_draw > 1000
    assert peak < 500


def wall(command: list[str], runs: int = 5) -> float:
    times = []
    for _ in range(runs + 1):  # the first one warms the cache
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=os.environ)
        times.append(time.perf_counter() - start)
    return sorted(times[1:])[runs // 2]


def test_evaluate_command(tmp_path: Path):
    """``perfmethod evaluate data/2009`` under 2 s, imports included."""
    command = [
        sys.executable,
        "-m",
        "perfmethod",
        "evaluate",
        "data/2009",
        "--out",
        str(tmp_path / "o"),
    ]
    seconds = wall(command)
    print(f"\nevaluate data/2009 --out DIR: median {seconds:.2f} s wall (limit 2)")
    assert seconds < 2


@pytest.mark.parametrize("module", ["perfmethod"])
def test_import(module: str):
    """At most 0.3 s more than ``import numpy``."""
    extra = wall([sys.executable, "-c", f"import {module}"]) - wall(
        [sys.executable, "-c", "import numpy"]
    )
    print(f"\nimport {module}: {extra:+.3f} s against import numpy (limit 0.3)")
    assert extra < 0.3
