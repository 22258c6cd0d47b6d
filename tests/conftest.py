"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# a slow or busy machine is no failure of the law that is tested
settings.register_profile("perfmethod", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `run.py test` repeats the same examples: what it says of a change depends on the change alone. By
# hand every run looks at new ones.
settings.register_profile("repeat", settings.get_profile("perfmethod"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "perfmethod"))


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference data with values computed by other programs."""
    folder = Path(os.environ.get("PERFMETHOD_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference data: PERFMETHOD_REFERENCE is not a folder ({folder.name})")
    return folder
