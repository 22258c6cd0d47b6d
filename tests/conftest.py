"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference data with values computed by other programs."""
    folder = Path(os.environ.get("PERFMETHOD_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference data: PERFMETHOD_REFERENCE is not a folder ({folder.name})")
    return folder
