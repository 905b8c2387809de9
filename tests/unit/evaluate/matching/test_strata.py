"""Strata by conditions on labels, and tables of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytomol.chem.keys import inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.errors import InputError
from cytomol.evaluate.matching.strata import read_labels, stratum

LABELS = {
    "bioactive": np.array(["1", "1", "0", "0", ""]),
    "active": np.array(["1", "0", "1", "", "1"]),
}


@pytest.mark.parametrize(
    ("text", "queries", "candidates"),
    [
        ("all", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ("bioactive=1", [0, 1], [0, 1]),
        ("bioactive = true & active=yes", [0], [0]),
        ("active=1 in bioactive=1", [0], [0, 1]),
        ("active=1 in all", [0, 2, 4], [0, 1, 2, 3, 4]),
    ],
)
def test_texts_name_strata(text: str, queries: list[int], candidates: list[int]) -> None:
    part = stratum(text, LABELS, 5)
    assert part.name == text
    assert np.flatnonzero(part.queries).tolist() == queries
    assert np.flatnonzero(part.candidates).tolist() == candidates


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("toxic=1", "no column 'toxic'.*columns: bioactive, active"),
        ("active=7", "no molecule with active = '7'.*values are 0, 1"),
        ("active", "cannot read the condition 'active'"),
        ("active=1 & ", "cannot read the condition ''"),
    ],
)
def test_texts_that_name_none(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        stratum(text, LABELS, 5)


def key_of(smiles: str) -> str:
    mol = parse_smiles(smiles).mol
    assert mol is not None
    return inchikey(mol)


@pytest.mark.parametrize("by", ["smiles", "InChIKey"])
def test_labels_are_joined_by_connectivity(tmp_path: Path, by: str) -> None:
    names = ["OCC", "c1ccccc1", "CCCC"]
    cells = names if by == "smiles" else [key_of(name) for name in names]
    rows = zip(cells, ["True", "no", "5.0"], ["x", "", "z"], strict=True)
    text = "".join(f"{cell},{a},{b}\n" for cell, a, b in rows)
    (tmp_path / "labels.csv").write_text(f"{by},active,kind\n{text}{cells[0]},0,other\n")
    blocks = [key_of(name)[:14] for name in ("CCO", "c1ccccc1", "C1CC1")]
    labels = read_labels(tmp_path / "labels.csv", blocks)
    assert {name: column.tolist() for name, column in labels.items()} == {
        "active": ["1", "0", ""],
        "kind": ["x", "", ""],
    }


def test_a_table_must_say_which_molecule_a_row_is(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name,active\na,1\n")
    with pytest.raises(InputError, match="no column that says which molecule"):
        read_labels(tmp_path / "labels.csv", ["A" * 14])


def test_a_table_must_know_some_of_the_molecules(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("smiles,active\nCCO,1\n")
    with pytest.raises(InputError, match="knows none of the molecules"):
        read_labels(tmp_path / "labels.csv", ["A" * 14])
