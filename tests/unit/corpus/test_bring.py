"""Molecules that tables of profiles bring along."""

from __future__ import annotations

import pandas as pd
import pytest

from cytomol.corpus.bring import bring_molecules, no_molecules
from cytomol.corpus.problems import Problems
from cytomol.corpus.structures import key_of
from cytomol.errors import InputError


def table(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({f"Metadata_{name}": cells for name, cells in columns.items()})


def bring(molecules: pd.DataFrame, *tables: pd.DataFrame, leave_out: bool = False) -> pd.DataFrame:
    for metadata in tables:
        molecules = bring_molecules(molecules, metadata, Problems(), where="t.csv", leave_out=leave_out)
    return molecules


def test_one_for_each_structure_of_all_tables() -> None:
    first = table(SMILES=["CCO", "OCC", "CCN", "", "((", "C[C@H](N)C(=O)O"])
    second = table(smiles=["NCC", "CCC", "C[C@@H](N)C(=O)O"], pert_id=["B1", "B2", "B3"])
    found = bring(no_molecules(), first, second)
    ala = "C[C@H](N)C(=O)O"
    assert found["smiles"].tolist() == ["CCO", "CCN", ala, "CCC", "C[C@@H](N)C(=O)O"]
    assert found["mol_id"].tolist() == [key_of("CCO"), key_of("CCN"), key_of(ala), "B2", "B3"]


def test_known_molecules_stay_and_come_first() -> None:
    known = pd.DataFrame({"mol_id": ["B9", "B1"], "smiles": ["CCC", "CCO"], "inchikey": ["", ""]})
    found = bring(known, table(pert_id=["B1", "B2", "B7"], SMILES=["OCC", "CCN", "CCC"]))
    assert found["mol_id"].tolist() == ["B9", "B1", "B2"]
    assert found["inchikey"].tolist() == ["", "", ""]


def test_structures_from_inchi() -> None:
    inchi = "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3"
    found = bring(no_molecules(), table(InChI=[inchi, "NA"], JCP2022=["J1", "J2"]))
    assert found.to_dict("list") == {"mol_id": ["J1"], "smiles": ["CCO"]}


def test_a_name_is_no_id() -> None:
    found = bring(no_molecules(), table(pert_iname=["x", "x"], SMILES=["CCO", "CCN"]))
    assert found["mol_id"].tolist() == [key_of("CCO"), key_of("CCN")]


def test_one_id_of_two_structures() -> None:
    given = table(compound=["1", "2", "1", "1"], SMILES=["CCO", "CCN", "c1ccccc1", "OCC"])
    with pytest.raises(
        InputError, match=r"1 id stands beside different structures \(1 row\): 1 is CCO in row 1"
    ):
        bring(no_molecules(), given)
    found = bring(no_molecules(), given, leave_out=True)
    assert found.to_dict("list") == {"mol_id": ["1", "2"], "smiles": ["CCO", "CCN"]}


@pytest.mark.parametrize("form", ["C[C@H](N)C(=O)O", "CC(N)C(=O)[O-].[Na+]"])
def test_two_forms_of_one_structure_are_two_molecules_without_an_error(form: str) -> None:
    given = table(compound=["1", "1"], SMILES=["CC(N)C(=O)O", form])
    found = bring(no_molecules(), given)
    assert found["mol_id"].tolist() == ["1", key_of(form)]


def test_a_shifted_column_of_keys() -> None:
    keys = [key_of(smiles) for smiles in ("CCN", "CCC", "CCO")]
    given = table(SMILES=["CCO", "CCN", "CCC"], InChIKey=keys)
    with pytest.raises(
        InputError, match=r"SMILES and InChIKey contradict each other in 3 of 3 rows: row 1: CCO"
    ):
        bring(no_molecules(), given)
