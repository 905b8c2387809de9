"""Lists of SMILES: the first field is the molecule and nothing else ever is."""

from __future__ import annotations

import pytest

from cytomol.errors import InputError
from cytomol.tables.smi import parse_smi


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CCO ethanol", ["CCO", "ethanol"]),
        ("CCO\tethanol 96 %", ["CCO", "ethanol 96 %"]),
        ("\tethanol", ["", "ethanol"]),
        (" CN1", ["", "CN1"]),
        ("  ", ["", ""]),
        ("CCO |^1:0|", ["CCO |^1:0|", ""]),
        ("CCO |$a b;;$| name", ["CCO |$a b;;$|", "name"]),
        ("CCO\t|^1:0|\tname", ["CCO |^1:0|", "name"]),
        ("CCO |cut off", ["CCO |cut off", ""]),
        ("CCO a|b|", ["CCO", "a|b|"]),
        ("CCO na\u2028me\x85\x0c\x1c", ["CCO", "na\u2028me\x85\x0c\x1c"]),
        ('CCO "quoted', ["CCO", '"quoted']),
    ],
)
def test_lines(line: str, expected: list[str]) -> None:
    frame, column = parse_smi(f"C x\n{line}\nN y\n", where="test")
    assert column == "smiles"
    found = frame.to_numpy().tolist()
    assert found[::2] == [["C", "x"], ["N", "y"]]
    assert [cell.strip() for cell in found[1]] == [cell.strip() for cell in expected]


def test_header() -> None:
    assert parse_smi("SMILES name\nCC a\n", where="test")[0]["smiles"].tolist() == ["CC"]


def test_the_second_field_may_be_the_molecule() -> None:
    frame, column = parse_smi("CN1 c1ccncc1 note\nC2 CC\n", where="test", smiles_col="2")
    assert column == "smiles"
    assert frame.to_numpy().tolist() == [["CN1", "c1ccncc1", "note"], ["C2", "CC", ""]]
    frame, column = parse_smi("CN1 c1ccncc1\n", where="test", smiles_col="name")
    assert frame[column].tolist() == ["c1ccncc1"]
    frame, column = parse_smi("a b\tx\tCC |^1:0| n\tend\n", where="test", smiles_col="3")
    assert frame.to_numpy().tolist() == [["a b", "x", "CC |^1:0| n", "end"]]


@pytest.mark.parametrize("name", ["structure", "0", "-1", "7", "1.0", "²"])
def test_a_field_that_is_not_there(name: str) -> None:
    with pytest.raises(InputError, match="--smiles-col"):
        parse_smi("CC a\n", where="test", smiles_col=name)
