"""SD files: one row for each record end, data letter by letter."""

from __future__ import annotations

import pytest
from rdkit import Chem

from cytomol.errors import InputError, InputNote
from cytomol.tables.sdf import parse_sdf


def block(smiles: str, title: str = "") -> str:
    molecule = Chem.MolFromSmiles(smiles)
    molecule.SetProp("_Name", title)
    return Chem.MolToMolBlock(molecule)


def records(*data: str, smiles: tuple[str, ...] = ("CCO", "CN", "CCC")) -> str:
    return "".join(block(s) + text + "$$$$\n" for s, text in zip(smiles, data, strict=False))


def test_titles_and_data() -> None:
    text = block("CCO", "ethanol") + "> <ID>\n007\n\n>  <Note>\nline 1\nline 2\n\n$$$$\n"
    frame, column, errors = parse_sdf(text, where="test")
    assert column == "smiles"
    assert not errors
    assert frame.to_dict("records") == [
        {"smiles": "CCO", "name": "ethanol", "ID": "007", "Note": "line 1\nline 2"}
    ]


@pytest.mark.parametrize(
    "value", ["00123", "12E3", "5.10", "+44", "1e5", "NaN", "True", " x ", "a\tb", ">10"]
)
def test_data_are_never_retyped(value: str) -> None:
    frame, *_ = parse_sdf(records(f"> <V>\n{value}\n\n"), where="test")
    assert frame["V"].tolist() == [value]


@pytest.mark.parametrize(
    "tail",
    [
        "> <ID>\n1\n",
        "> <ID>\n1\n \n",
        "> <ID>\n1",
        "> <ID>\n1\n\n\n\n",
        "> <ID>\n1\n\n> <E>\n",
        "> <ID>\n1\n\t\n",
    ],
    ids=["no empty line", "a blank", "no line end", "many", "header without value", "a tab"],
)
def test_no_record_swallows_the_next(tail: str) -> None:
    text = records(
        tail + ("" if tail.endswith("\n") else "\n"), "> <ID>\n2\n\n", tail.replace("1", "3") + "\n"
    )
    for content in (text, text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        frame, _, errors = parse_sdf(content, where="test")
        assert frame["smiles"].tolist() == ["CCO", "CN", "CCC"]
        assert frame["ID"].tolist() == ["1", "2", "3"]
        assert not errors


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("> <NAME>", "NAME"),
        (">  <NAME>  (1)", "NAME"),
        ("> 25 <NAME> (x)", "NAME"),
        ("><NAME>", "NAME"),
        ("> 25 (MD-1) DT12", "DT12"),
        ("> <>", "unnamed"),
        ("> what", "unnamed"),
        ("> <a<b>", "a<b"),
        ("> <logP (> 5)>", "logP (> 5)"),
    ],
)
def test_headers(header: str, name: str) -> None:
    text = records("> <ID>\n1\n\n", f"> <ID>\n2\n\n{header}\nok\n\n", "> <ID>\n3\n\n")
    frame, *_ = parse_sdf(text, where="test")
    assert frame["ID"].tolist() == ["1", "2", "3"]
    assert frame[name].tolist() == ["", "ok", ""]


def test_headers_that_follow_without_an_empty_line() -> None:
    frame, *_ = parse_sdf(records("> <A>\n1\n> <B>\n2\n\n"), where="test")
    assert frame[["A", "B"]].to_numpy().tolist() == [["1", "2"]]


def test_a_value_may_hold_an_empty_line() -> None:
    frame, *_ = parse_sdf(records("> <A>\none\n\ntwo\n\n> <B>\n2\n\n"), where="test")
    assert frame[["A", "B"]].to_numpy().tolist() == [["one\n\ntwo", "2"]]


def test_names_that_clash_keep_both() -> None:
    text = records("> <smiles>\nmine\n\n> <name>\nn\n\n> <A>\n1\n\n> <A>\n2\n\n")
    frame, column, _ = parse_sdf(text.replace("\n", "title\n", 1), where="test")
    assert column == "structure_smiles"
    assert frame.to_dict("records") == [
        {"structure_smiles": "CCO", "title": "title", "smiles": "mine", "name": "n", "A": "1", "A_2": "2"}
    ]


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "no structure\n",
        block("CN").replace("M  END\n", ""),
        block("CN").replace("  2  1", " 99  1"),
        block("CN")[:60],
    ],
    ids=["empty", "text", "no end", "wrong counts", "cut off"],
)
def test_a_broken_record_is_a_row_with_a_reason(damaged: str) -> None:
    text = records("> <ID>\n1\n\n") + damaged + ("" if damaged.endswith("\n") or not damaged else "\n")
    frame, _, errors = parse_sdf(text + "$$$$\n" + records("> <ID>\n3\n\n"), where="test")
    assert frame["smiles"].tolist() == ["CCO", "", "CCO"]
    assert frame["ID"].tolist() == ["1", "", "3"]
    assert list(errors) == [1]
    assert "record 2, line" in errors[1]


@pytest.mark.parametrize("damage", ["$$$", "", "x$$$$", " $$$$"])
def test_a_damaged_record_end_is_refused(damage: str) -> None:
    text = records("> <ID>\n1\n\n", "> <ID>\n2\n\n", "> <ID>\n3\n\n").replace("$$$$", damage, 1)
    with pytest.raises(InputError, match=r"test, line \d+: record 1 holds two molecules"):
        parse_sdf(text, where="test")


def test_the_last_record_may_lack_its_end_with_a_note() -> None:
    with pytest.warns(InputNote, match="does not end with"):
        frame, *_ = parse_sdf(records("> <ID>\n1\n\n") + block("CN"), where="test")
    assert frame["smiles"].tolist() == ["CCO", "CN"]
    assert parse_sdf(block("CN"), where="test")[0]["smiles"].tolist() == ["CN"]  # a MOL file
