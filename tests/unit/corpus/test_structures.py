"""When two statements are of one molecule."""

from __future__ import annotations

import pytest
from rdkit import Chem

from cytomol.corpus.structures import contradicts, is_inchikey, key_of, smiles_of_inchi


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("CCO", "OCC", False),
        ("CCO", "CCN", True),
        ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", False),
        ("CC(=O)[O-].[Na+]", "CC(=O)O", False),
        ("CC(=O)O.CCO", "CCCl", True),
        ("CCO", "((", False),
        ("", "CCO", False),
        ("CCO", key_of("CCO"), False),
        ("CCO", key_of("CCN"), True),
        ("CCO", key_of("CCO")[:14], False),
        ("CCN.Cl", key_of("CCN"), False),
    ],
)
def test_contradictions(one: str, other: str, expected: bool) -> None:
    assert contradicts(one, other) is expected
    assert not other or not is_inchikey(other, whole=False) or not contradicts("", other)


def test_forms_of_keys() -> None:
    key = key_of("CCO")
    assert is_inchikey(key)
    assert is_inchikey(key[:14], whole=False)
    assert not any(map(is_inchikey, (key[:14], key.lower(), key + "-X", "BRD-K1", "")))


def test_structure_of_an_inchi() -> None:
    assert smiles_of_inchi(Chem.MolToInchi(Chem.MolFromSmiles("C[C@H](N)C(=O)O"))) == "C[C@H](N)C(=O)O"
    assert smiles_of_inchi("InChI=nonsense") == ""
    assert smiles_of_inchi("CCO") == ""
