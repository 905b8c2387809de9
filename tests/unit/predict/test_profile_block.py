from __future__ import annotations

import numpy as np
import pytest

from cytomol.assays.same_molecule import molecule_key
from cytomol.errors import InputError
from cytomol.predict.profile_block import ProfileBlock

VALUES = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


@pytest.fixture
def block() -> ProfileBlock:
    return ProfileBlock("cell", ("a", "b"), VALUES, {molecule_key("CCO"): 0, molecule_key("c1ccccc1"): 1})


def test_finds_a_molecule_however_it_is_written(block: ProfileBlock) -> None:
    found = block.of(["C1=CC=CC=C1", "no molecule", "OCC", "CCN", ""])
    np.testing.assert_array_equal(found[[0, 2]], VALUES[[1, 0]])
    assert np.isnan(found[[1, 3, 4]]).all()


def test_keeps_names_and_features_alone(block: ProfileBlock) -> None:
    empty = block.empty()
    assert (len(empty), empty.columns) == (0, ("a", "b"))
    assert np.isnan(empty.of(["CCO"])).all()


def test_features_are_matched_by_name(block: ProfileBlock) -> None:
    other = ProfileBlock("table", ("b", "more", "a"), VALUES[:, [1, 0, 0]], block.place)
    found = other.aligned(block, where="file")
    assert (found.name, found.columns) == ("cell", ("a", "b"))
    np.testing.assert_array_equal(found.of(["CCO"]), VALUES[:1])
    with pytest.raises(InputError, match=r"lacks 1 of the 2 features of the profiles 'cell'.*: a"):
        ProfileBlock("table", ("b",), VALUES[:, 1:], {}).aligned(block, where="file")
