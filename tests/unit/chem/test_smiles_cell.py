"""What a cell of SMILES with a blank means."""

from __future__ import annotations

import pytest
from rdkit import Chem

from cytomol.chem.parse import parse_smiles
from cytomol.chem.smiles_cell import SmilesCell, split_cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CCO", ("CCO", "", "")),
        ("  CCO\t", ("CCO", "", "")),
        ("CCO ethanol, 96 %", ("CCO", "", "ethanol, 96 %")),
        ("CCO\tethanol\tx", ("CCO", "", "ethanol\tx")),
        ("CCO |^1:0|", ("CCO", "|^1:0|", "")),
        ("CCO  |^1:0| radical", ("CCO", "|^1:0|", "radical")),
        ("CCO |$a b;;$|", ("CCO", "|$a b;;$|", "")),
        ("CCO |^1:0", ("CCO", "|^1:0", "")),
        ("CCO a |^1:0|", ("CCO", "", "a |^1:0|")),
        ("", ("", "", "")),
    ],
)
def test_split(text: str, expected: tuple[str, str, str]) -> None:
    assert split_cell(text) == SmilesCell(*expected)


def test_an_extension_changes_the_molecule_and_a_name_does_not() -> None:
    plain, radical, named = (parse_smiles(text).mol for text in ("CCO", "CCO |^1:0| r", "CCO r"))
    assert Chem.MolToSmiles(radical) == "[CH2]CO"
    assert Chem.MolToSmiles(named) == Chem.MolToSmiles(plain) == "CCO"


@pytest.mark.parametrize("extension", ["|my favourite", "|foo|", "|^1:0"])
def test_an_extension_at_fault_is_named(extension: str) -> None:
    parsed = parse_smiles(f"CCO {extension}")
    assert parsed.mol is None
    assert parsed.reason == f"invalid CXSMILES extension {extension}"


@pytest.mark.parametrize("separator", ["\u2028", "\x0c", "\x1c", "\xa0", "\n"])
def test_nothing_but_blank_and_tab_ends_a_smiles(separator: str) -> None:
    assert "does not belong in a SMILES" in parse_smiles(f"CCO{separator}name").reason
