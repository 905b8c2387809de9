"""Rows of atoms, and drawings in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from cytomol.cells.explain.attribution_drawings import Drawings
from cytomol.cells.explain.explained_rows import AtomTable, atom_rows_of
from cytomol.chem.occlusion.attribution import Attribution, ExplainedMolecule, unexplained
from cytomol.errors import InputError
from cytomol.tables.molecules import MoleculeTable


def phenol(*names: str) -> ExplainedMolecule:
    mol = Chem.MolFromSmiles("Oc1ccccc1")
    atoms = np.array([1 / 3, *[-0.1] * 6])
    of = [Attribution(name, 0.7, atoms, np.array([1 / 3, -0.6]), 0.1, 0.2) for name in names]
    return ExplainedMolecule("Oc1ccccc1.Cl", mol, "", np.array([0, 1, 1, 1, 1, 1, 1]), of)


def test_each_value_has_a_row_for_each_atom() -> None:
    frame, of = atom_rows_of([unexplained("X", "no"), phenol("a", "b")], 5, gradients=True, parents=True)
    assert frame["row"].tolist() == [5] + [6] * 14
    assert of == [0] + [1] * 14
    assert frame["explained"].tolist()[1:] == ["a"] * 7 + ["b"] * 7
    first = frame.iloc[1]
    assert first["attribution"] == 0.333333  # six digits
    assert (first["piece_smiles"], first["piece_attribution"]) == ("O", 0.333333)
    assert (first["baseline"], first["unattributed"], first["read_as"]) == (0.1, 0.2, "Oc1ccccc1")
    assert frame["piece_smiles"][2] == "c1ccccc1"
    assert frame.isna().iloc[0][["value", "atom", "symbol"]].all()


def test_columns_that_say_nothing_are_left_out() -> None:
    frame, _ = atom_rows_of([phenol("a")], 1)
    assert {"baseline", "unattributed", "read_as"}.isdisjoint(frame.columns)


def test_kinds_of_columns_do_not_depend_on_the_chunk() -> None:
    valid, _ = atom_rows_of([phenol("a")], 1)
    invalid, _ = atom_rows_of([unexplained("X", "no")], 1)
    assert valid.dtypes.to_dict() == invalid.dtypes.to_dict()


def test_the_reader_s_own_reason_comes_first() -> None:
    table = MoleculeTable(pd.DataFrame({"smiles": ["", "Oc1ccccc1"]}), "smiles", "in.sdf", {0: "no atoms"})
    rows = AtomTable(table, [], "keep")
    frame = rows.rows([unexplained("", "empty SMILES"), phenol("a")])
    assert frame["error"][0] == "no atoms"
    assert (rows.errors.rows, rows.errors.invalid, rows.errors.reason) == (2, 1, "row 1: no atoms")
    with pytest.raises(InputError, match="row 1: invalid molecule '': no atoms"):
        AtomTable(table, [], "raise").rows([unexplained("", "empty SMILES")])


def test_as_many_molecules_are_drawn_as_wanted(tmp_path: Path) -> None:
    drawings = Drawings(tmp_path, most=2)
    drawings.add([unexplained("X", "no"), phenol("a", "b/c")], 1)
    drawings.add([phenol("a"), phenol("a")], 3)
    drawings.finish("a, b/c")
    assert drawings.drawn == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000002-1-a.svg",
        "000002-2-b_c.svg",
        "000003.svg",
        "index.html",
    ]
    assert (tmp_path / "index.html").read_text().count("<figure>") == 3
