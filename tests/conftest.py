"""Fixtures shared by the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data; skip where there is none."""
    folder = os.environ.get("CYTOMOL_DATA")
    if not folder:
        pytest.skip("real data not available: set CYTOMOL_DATA to the folder that holds it")
    path = Path(folder).resolve()
    if not (path / "corpus" / "molecules.parquet").exists():
        pytest.skip(f"CYTOMOL_DATA={folder} holds no corpus/molecules.parquet")
    return path


@pytest.fixture(autouse=True, scope="session")
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the suite out of the user's cache."""
    os.environ.setdefault("CYTOMOL_CACHE", str(tmp_path_factory.mktemp("cache")))
