"""Vectors of a user's own table: joined by molecule, and refused where that would be a guess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.chem.keys import inchikey
from cytomol.errors import ConfigError, InputError
from cytomol.predict.named_encoders import given_again, open_encoders, remembered, restored_encoder
from cytomol.predict.vector_table import VectorTable

MOLECULES = [
    "CCO",
    "CCN",
    "c1ccccc1",
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
    "F/C=C/F",
    "F/C=C\\F",
    "[Na+].[Cl-]",
]


def written(folder: Path, frame: pd.DataFrame, name: str = "mine.csv") -> str:
    if name.endswith(".parquet"):
        frame.to_parquet(folder / name)
    else:
        frame.to_csv(folder / name, index=False)
    return f"file:{folder / name}"


def table_of(smiles: list[str], **columns: object) -> pd.DataFrame:
    values = np.arange(2 * len(smiles), dtype=float).reshape(-1, 2)
    return pd.DataFrame({"smiles": smiles, "a": values[:, 0], "b": values[:, 1], **columns})


def spelled(smiles: str, start: int) -> str:
    """Return another spelling of a molecule, which begins at one of its atoms."""
    mol = Chem.MolFromSmiles(smiles)
    return Chem.MolToSmiles(mol, rootedAtAtom=start % mol.GetNumAtoms(), canonical=False)


@settings(deadline=None, max_examples=50)
@given(
    rows=st.permutations(range(len(MOLECULES))),
    kept=st.integers(1, len(MOLECULES)),
    asked=st.lists(st.tuples(st.integers(0, len(MOLECULES) - 1), st.integers(0, 9)), max_size=12),
)
def test_every_molecule_finds_its_own_row_in_any_order_and_spelling(
    rows: list[int], kept: int, asked: list[tuple[int, int]]
) -> None:
    rows = rows[:kept]
    values = np.array([[row, -row] for row in rows], dtype=np.float32)
    smiles = tuple(spelled(MOLECULES[row], row) for row in rows)
    table = VectorTable("file:t", ("a", "b"), values, smiles, ("",) * kept, "t.csv")
    # a stereoisomer stands in for the other one, where only that is in the table
    twin = {3: 4, 4: 3, 5: 6, 6: 5}
    found = table.encode([spelled(MOLECULES[number], start) for number, start in asked])
    for (number, _), vector in zip(asked, found, strict=True):
        row = number if number in rows else twin.get(number)
        if row in rows:
            assert vector.tolist() == [row, -row]
        else:
            assert np.isnan(vector).all()


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv", "mine.parquet"])
def test_numbers_are_read_and_ids_and_text_left_out(tmp_path: Path, name: str) -> None:
    frame = table_of(["CCO", "CCN"], compound_id=[7, 8], name=["x", "y"])
    if name.endswith(".tsv"):
        frame.to_csv(tmp_path / name, index=False, sep="\t")
        table = VectorTable.read(f"file:{tmp_path / name}")
    else:
        table = VectorTable.read(written(tmp_path, frame, name))
    assert (table.name, table.columns, len(table)) == ("file:mine", ("a", "b"), 2)
    assert table.notes == ("columns that are no part of the vectors: compound_id, name",)
    np.testing.assert_array_equal(table.encode(["NCC", "OCC"]), [[2, 3], [0, 1]])


def test_inchikeys_are_enough(tmp_path: Path) -> None:
    keys = [inchikey(Chem.MolFromSmiles(text)) for text in ("CCO", "C[C@H](N)C(=O)O")]
    frame = pd.DataFrame({"InChIKey": keys, "a": [1.0, 2.0]})
    table = VectorTable.read(written(tmp_path, frame))
    # the acid without its stereo mark is found by its connectivity
    assert table.encode(["OCC", "C[C@H](N)C(=O)O", "CC(N)C(=O)O"])[:, 0].tolist() == [1, 2, 2]
    assert np.isnan(table.encode(["CCN"])).all()


def test_stereoisomers_that_differ_leave_a_molecule_without_marks_none(tmp_path: Path) -> None:
    table = VectorTable.read(written(tmp_path, table_of(["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"])))
    assert np.isnan(table.encode(["CC(N)C(=O)O"])).all()
    assert table.reason("CC(N)C(=O)O").startswith("several rows of ")
    assert table.reason("CCO") == f"no row of {tmp_path / 'mine.csv'} is this molecule"


def test_repeated_rows_may_agree_and_must_not_differ(tmp_path: Path) -> None:
    same = table_of(["CCO", "CCN"])
    again = pd.concat([same, same.iloc[[0]].assign(smiles="OCC")])
    assert VectorTable.read(written(tmp_path, again)).encode(["CCO"]).tolist() == [[0, 1]]
    again.iloc[2, 1] = 9.0
    with pytest.raises(InputError, match=r"rows 1 and 3 are one molecule, and differ: CCO"):
        VectorTable.read(written(tmp_path, again))


def test_rows_with_an_empty_cell_are_left_out_and_said(tmp_path: Path) -> None:
    frame = table_of(["CCO", "CCN", "CCC"], c=[1.0, None, 3.0])
    table = VectorTable.read(written(tmp_path, frame))
    assert table.notes == ("1 row with an empty cell is left out (first: row 2)",)
    assert np.isnan(table.encode(["CCO", "CCN"])).any(axis=1).tolist() == [False, True]


def test_a_word_among_numbers_is_refused_with_its_place(tmp_path: Path) -> None:
    frame = table_of(["CCO", "CCN", "CCC"], c=["1.5", "n/d!", "3"])
    with pytest.raises(InputError, match=r"mine.csv, row 2, column 'c': 'n/d!' among numbers"):
        VectorTable.read(written(tmp_path, frame))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": ["CCO"], "a": [1.0]}), "has no column of SMILES or InChIKeys"),
        (pd.DataFrame({"smiles": ["CCO"], "name": ["x"]}), "has no column of numbers beside the molecules"),
    ],
)
def test_a_table_that_is_none_of_vectors_is_refused(
    tmp_path: Path, frame: pd.DataFrame, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        VectorTable.read(written(tmp_path, frame))


def test_a_saved_model_keeps_names_and_asks_for_the_table_again(tmp_path: Path) -> None:
    frame = table_of(["CCO", "CCN"])
    table = VectorTable.read(written(tmp_path, frame))
    kept = restored_encoder(remembered(table), where="model")
    assert isinstance(kept, VectorTable)
    with pytest.raises(ConfigError, match=r"reads vectors from a table, file:mine, and none is given"):
        kept.encode(["CCO"])
    turned = written(tmp_path, frame[["b", "smiles", "a"]].assign(more=5.0), "other.csv")
    (again,) = given_again([kept], [turned])
    assert (again.name, again.width) == ("file:mine", 2)
    np.testing.assert_array_equal(again.encode(["CCO", "CCN"]), table.encode(["CCO", "CCN"]))
    with pytest.raises(InputError, match=r"lacks 1 of the 2 features of the vectors 'file:mine'.*: b"):
        given_again([kept], [written(tmp_path, frame[["smiles", "a"]], "less.csv")])


def test_of_two_tables_each_goes_to_its_own(tmp_path: Path) -> None:
    one, two = (table_of(["CCO"]), table_of(["CCO"]) + table_of(["CCO"]).assign(smiles=""))
    known = open_encoders([written(tmp_path, one, "one.csv"), written(tmp_path, two, "two.csv")])
    promised = [restored_encoder(remembered(each), where="model") for each in known]
    given = given_again(promised, [f"file:{tmp_path / 'two.csv'}", f"file:{tmp_path / 'one.csv'}"])
    for table, again in zip(known, given, strict=True):
        np.testing.assert_array_equal(table.encode(["CCO"]), again.encode(["CCO"]))
    assert given[0].encode(["CCO"]).tolist() != given[1].encode(["CCO"]).tolist()


def test_what_no_model_needs_is_refused(tmp_path: Path) -> None:
    text = written(tmp_path, table_of(["CCO"]))
    with pytest.raises(InputError, match="the model reads no table of vectors"):
        given_again([], [text])
    with pytest.raises(ConfigError, match="the model knows which encoders it reads: file:mine"):
        given_again(open_encoders([text]), ["minimol"])
    with pytest.raises(ConfigError, match="two encoders are called 'file:mine'"):
        open_encoders([text, text])
    with pytest.raises(ConfigError, match=r"unknown encoder 'other' \(known: .*file:TABLE\)"):
        open_encoders(["other"])
