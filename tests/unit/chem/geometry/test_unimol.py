"""The Uni-Mol adapter on a stand-in package that has the interface of unimol_tools."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cytomol.chem.geometry import compute_geometry, geometry_width
from cytomol.chem.geometry.conformer import atoms_and_positions
from cytomol.chem.geometry.unimol import UniMolGeometry
from cytomol.errors import CytomolError


@pytest.fixture(autouse=True)
def package(fake_unimol: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FAKE_UNIMOL", "symbols")
    importlib.invalidate_caches()
    sys.modules.pop("unimol_tools", None)
    yield
    sys.modules.pop("unimol_tools", None)


@pytest.mark.parametrize("style", ["symbols", "numbers", "dict"])
def test_every_release_gets_what_it_wants(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_UNIMOL", style)
    smiles = ["CCO", "", "[Na+]", "c1ccccc1", "CCO"]
    geometry = compute_geometry(smiles, "unimol", workers=1, cache=None)
    assert geometry.values.shape == (5, geometry_width("unimol")) == (5, 512)
    assert geometry.valid.tolist() == [True, False, False, True, True]
    assert geometry.reasons[2] == "a single atom has no geometry"
    table = atoms_and_positions("CCO")
    assert geometry.values[0, 0] == 9
    assert geometry.values[0, 1] == pytest.approx(np.ptp(table[:, 1:], axis=0).max(), rel=1e-6)
    np.testing.assert_array_equal(geometry.values[0], geometry.values[4])


def test_molecules_go_in_batches() -> None:
    smiles = ["C" * i for i in range(2, 12)]
    provider = UniMolGeometry()
    results = provider.finish([atoms_and_positions(one).ravel() for one in smiles])
    assert [result[0] for result in results] == [3 * i + 2 for i in range(2, 12)]
    tools = importlib.import_module("unimol_tools")
    assert [model.batches for model in tools.MADE] == [[10]]


def test_vectors_are_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compute_geometry(["CCO", "CCN"], "unimol", workers=1, cache=tmp_path)
    monkeypatch.setenv("FAKE_UNIMOL", "broken")
    second = compute_geometry(["CCN", "CCO"], "unimol", workers=1, cache=tmp_path)
    np.testing.assert_array_equal(first.values, second.values[::-1])


def test_a_molecule_that_fails_alone_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_UNIMOL", "no iodine")
    geometry = compute_geometry(["CCI", "CCO"], "unimol", workers=1, cache=None)
    assert geometry.valid.tolist() == [False, True]
    assert geometry.reasons[0] == "Uni-Mol failed: IndexError: index out of range"


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ("broken", "cannot represent any molecule: RuntimeError: shape mismatch"),
        ("narrow", r"expected a table \[2, 512\], got \[2, 10\]"),
        ("no weights", "cannot be loaded: OSError: weights cannot be fetched"),
    ],
)
def test_a_model_at_fault_is_an_error(style: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_UNIMOL", style)
    with pytest.raises(CytomolError, match=message):
        compute_geometry(["CCI", "CCO"], "unimol", workers=1, cache=None)
