from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.projected_profiles import project_profiles, projected_modality

COLUMNS = ("a", "b", "c")


@pytest.fixture
def backbone() -> Any:
    """Return what stands for a backbone that projects three features to two numbers."""
    matrix = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    method = SimpleNamespace(
        profiles={"cell": None}, project=lambda name, rows: rows @ matrix, eval=lambda: None
    )
    return SimpleNamespace(
        method=method,
        modalities={"genes": {"columns": ["z"]}, "cell": {"columns": list(COLUMNS)}},
        typical={"cell": SimpleNamespace(mean=np.array([1.0, 1.0, 1.0], np.float32))},
        profile_rows=lambda name, values: 10 * values,
        device=torch.device("cpu"),
        corrections={},
    )


def test_features_are_found_by_name_and_unmeasured_ones_are_typical(backbone: Any) -> None:
    block = ProfileBlock("mine", ("c", "b", "a", "more"), np.zeros((0, 4), np.float32))
    assert projected_modality(backbone, block) == "cell"
    values = np.array([[9, 2, 3, 0], [np.nan] * 4, [9, np.nan, 0, 0]], np.float32)
    found = project_profiles(backbone, "cell", block, values)
    np.testing.assert_allclose(found[0], np.array([3, 4]) / 5, atol=1e-6)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[2], [0, 1], atol=1e-6)
    backbone.typical = {}
    unknown = project_profiles(backbone, "cell", block, values)
    np.testing.assert_array_equal(unknown[2], [0, 0])  # zero of the scaling
    assert project_profiles(backbone, "cell", block, values[:0]).shape == (0, 2)


def test_other_features_are_not_projected(backbone: Any) -> None:
    assert projected_modality(backbone, ProfileBlock("x", ("a", "b"), np.zeros((0, 2), np.float32))) is None
    assert projected_modality(None, ProfileBlock("x", COLUMNS, np.zeros((0, 3), np.float32))) is None
    backbone.method.profiles = None
    assert projected_modality(backbone, ProfileBlock("x", COLUMNS, np.zeros((0, 3), np.float32))) is None
