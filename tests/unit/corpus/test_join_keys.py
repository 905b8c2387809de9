"""Every row joins by its best key, and never another molecule's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.corpus.join import MoleculeIndex, join_molecules
from cytomol.corpus.problems import Problems
from cytomol.errors import InputError

SMILES = [
    "CCO", "CCN", "CCC", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "c1ccccc1O", "OC(=O)c1ccccc1", "CC(C)C",
    "C1CCCCC1", "CCCl", "CCBr", "O=C=O",
]  # fmt: skip
KEYS = [Chem.MolToInchiKey(Chem.MolFromSmiles(text)) for text in SMILES]
TABLE = pd.DataFrame(
    {
        "mol_id": [f"BRD-K{10000000 + i}-001-01-{i}" for i in range(len(SMILES))],
        "smiles": SMILES,
        "pert_iname": ["alanine" if "[C@" in text else f"name {i}" for i, text in enumerate(SMILES)],
        "pubchem_cid": [str(100 + i) for i in range(len(SMILES))],
    }
)
INDEX = MoleculeIndex(TABLE)


def respelled(smiles: str, seed: int) -> str:
    mol = Chem.MolFromSmiles(smiles)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
    return Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, len(SMILES) - 1),
            st.sampled_from(["id", "inchikey", "smiles", "cid", "none"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=25,
    ),
    key=st.sampled_from(["auto", "connectivity", "short-id", "name"]),
    seed=st.integers(0, 1000),
)
def test_no_row_gets_to_another_molecule(rows: list[tuple[int, str, bool]], key: str, seed: int) -> None:
    """The truth of each row is known; every row with an exact key gets there, by whatever else is asked."""
    cells: dict[str, list[object]] = {"broad_sample": [], "InChIKey": [], "SMILES": [], "pubchem_cid": []}
    for truth, kind, foreign in rows:
        # an id that nobody knows may stand beside a key that joins
        cells["broad_sample"].append(
            TABLE["mol_id"][truth] if kind == "id" else f"UNKNOWN-{truth}" if foreign else "NA"
        )
        cells["InChIKey"].append(f"InChIKey={KEYS[truth]}" if kind == "inchikey" else None)
        cells["SMILES"].append(respelled(SMILES[truth], seed) if kind == "smiles" else "")
        cells["pubchem_cid"].append(float(100 + truth) if kind == "cid" else np.nan)
    metadata = pd.DataFrame(cells).add_prefix("Metadata_")
    found, report = join_molecules(metadata, INDEX, where="t", key=key)  # type: ignore[arg-type]
    assert found.tolist() == [-1 if kind == "none" else truth for truth, kind, _ in rows]
    assert not report.contradictions


@settings(max_examples=40, deadline=None)
@given(shift=st.integers(1, len(SMILES) - 1), key=st.sampled_from(["mol_id", "pubchem_cid", "InChIKey"]))
def test_a_shifted_column_is_an_error(shift: int, key: str) -> None:
    ids = {"mol_id": TABLE["mol_id"], "pubchem_cid": TABLE["pubchem_cid"], "InChIKey": pd.Series(KEYS)}[key]
    metadata = pd.DataFrame({key: np.roll(ids, shift), "smiles": SMILES})
    _, report = join_molecules(metadata, INDEX, where="t")
    # the two forms of alanine are one molecule but for their stereochemistry
    same = sum(KEYS[i][:14] == KEYS[(i - shift) % len(KEYS)][:14] for i in range(len(KEYS)))
    assert len(report.contradictions) == len(SMILES) - same
    with pytest.raises(InputError, match=r"structure and id contradict each other in \d+ of 12 rows: row 1"):
        Problems().join(report)
    rows, report = join_molecules(metadata, INDEX, where="t", leave_out=True)
    assert (rows >= 0).sum() == same
    Problems(strict=False).join(report)
    assert "left out for a structure that contradicts the id" in str(report)


def test_exact_matches_are_not_moved_by_looser_keys() -> None:
    ids = TABLE["mol_id"]
    metadata = pd.DataFrame({"broad_sample": [ids[3], "BRD-K10000004-009-09-9", "x"], "pert_iname": "name 0"})
    for key, expected in (("auto", [3, -1, -1]), ("short-id", [3, 4, -1]), ("name", [3, 0, 0])):
        rows, report = join_molecules(metadata, INDEX, where="t", key=key)  # type: ignore[arg-type]
        assert rows.tolist() == expected
    rows, report = join_molecules(metadata, INDEX, where="t")
    assert set(report.hints) == {
        "1 more would join by short Broad id (--join short-id)",
        "2 more would join by name of the compound (--join name)",
    }


def test_names() -> None:
    """A name joins a row that has nothing else, and only where it is one structure's."""
    metadata = pd.DataFrame({"pert_iname": ["name 5", "alanine", "nobody"], "broad_sample": ["", "", ""]})
    rows, report = join_molecules(metadata, INDEX, where="t")
    assert rows.tolist() == [5, -1, -1]
    assert report.torn == 1
    assert "1 key fits several molecules of different structure" in str(report)


def test_numbers_count_in_their_own_column_only() -> None:
    """CID 100 is not compound 100 of somebody's library."""
    metadata = pd.DataFrame({"pubchem_cid": ["101", "", "999"], "compound_id": ["7", "100", "102"]})
    table = TABLE.assign(mol_id=[str(100 + i) for i in range(len(TABLE))])
    rows, _ = join_molecules(metadata, MoleculeIndex(table), where="t")
    assert rows.tolist() == [1, -1, -1]
    table.attrs["id_column"] = "compoundid"
    rows, _ = join_molecules(metadata, MoleculeIndex(table), where="t")
    assert rows.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    "structures",
    [
        {"SMILES": ["OCC", "[NH3+]CC.[Cl-]"]},  # another spelling; a salt
        {"InChIKey": [KEYS[0], KEYS[1][:14]]},
        {"InChI": [Chem.MolToInchi(Chem.MolFromSmiles(SMILES[i])) for i in (0, 1)]},
        {"SMILES": ["NA", "no smiles at all"], "InChIKey": ["-", "unknown"]},
    ],
)
def test_forms_of_a_molecule_are_no_contradiction(structures: dict[str, list[str]]) -> None:
    metadata = pd.DataFrame({"mol_id": TABLE["mol_id"][:2].tolist(), **structures})
    rows, report = join_molecules(metadata, INDEX, where="t")
    assert rows.tolist() == [0, 1]
    assert report.contradictions == ()


def test_two_ids_of_different_molecules() -> None:
    metadata = pd.DataFrame({"mol_id": TABLE["mol_id"][:3], "pubchem_cid": ["100", "105", ""]})
    _, report = join_molecules(metadata, INDEX, where="t")
    assert report.contradictions == (f"row 2: joined {TABLE['mol_id'][1]}, but its pubchem_cid is 105",)


@pytest.mark.parametrize("name", ["rdkit_smiles", "Metadata_compound_SMILES", "std smiles"])
def test_other_names_of_the_column_of_smiles(name: str) -> None:
    rows, _ = join_molecules(pd.DataFrame({name: ["OCC", "NCC"]}), INDEX, where="t")
    assert rows.tolist() == [0, 1]


def test_one_key_alone_says_what_the_others_would_join() -> None:
    metadata = pd.DataFrame({"broad_sample": [TABLE["mol_id"][0], "x"], "smiles": ["CCO", "NCC"]})
    rows, report = join_molecules(metadata, INDEX, where="t", key="id")
    assert rows.tolist() == [0, -1]
    assert "1 more would join by another exact key (--join auto)" in report.hints
    rows, _ = join_molecules(metadata, INDEX, where="t", key="smiles")
    assert rows.tolist() == [0, 1]


def test_ids_of_the_form_of_an_inchikey() -> None:
    rows, report = join_molecules(pd.DataFrame({"compound": [KEYS[2], KEYS[4], "x"]}), INDEX, where="t")
    assert rows.tolist() == [2, 4, -1]
    assert report.key == "InChIKey"
