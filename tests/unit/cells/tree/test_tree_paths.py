"""Which molecule a profile is of: by an id that each molecule has for itself."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cytomol.cells.tree.hierarchy import path_agreement
from cytomol.cells.tree.tree_paths import MoleculesOfProfiles
from cytomol.errors import InputError
from cytomol.tables import read_molecules


def _molecules(folder: Path, **columns: list[str]) -> MoleculesOfProfiles:
    path = folder / "molecules.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return MoleculesOfProfiles(read_molecules(path))


def test_a_column_that_names_several_molecules_alike_joins_nothing(tmp_path: Path) -> None:
    of = _molecules(tmp_path, smiles=["C", "CC", "CC"], plate=["p1", "p1", "p2"], id=["a", "b", "b"])
    profiles = pd.DataFrame({"Metadata_plate": ["p1", "p2"], "Metadata_id": ["b", "a"]})
    assert of.smiles(profiles, where="profiles") == ["CC", "C"]
    with pytest.raises(InputError, match="Metadata_plate names several molecules of"):
        of.smiles(profiles[["Metadata_plate"]], where="profiles")


def test_a_profile_without_an_id_is_of_no_molecule(tmp_path: Path) -> None:
    of = _molecules(tmp_path, smiles=["C", "CC"], id=["a", ""])
    profiles = pd.DataFrame({"id": ["a", None, float("nan"), ""]})
    assert of.smiles(profiles, where="profiles") == ["C", "", "", ""]


def test_agreement_of_nothing_is_left_open() -> None:
    paths = pd.DataFrame({"a": [-1, -1]}).to_numpy()
    assert path_agreement("morphology", paths, paths)["same"].tolist() == [None]
