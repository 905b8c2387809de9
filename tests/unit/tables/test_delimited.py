"""Delimited text: what a quote may swallow, what a line may lack, and what is said of it."""

from __future__ import annotations

import pytest

from cytomol.errors import InputError, InputNote
from cytomol.tables.delimited import parse_csv

HEADER = "smiles,name,id\n"


def rows(content: str, **options: str) -> list[list[str]]:
    return parse_csv(content, where="test", text=True, **options).to_numpy().tolist()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('CCO,"red oil,1\nCC,x,2\n', 2),
        ('CC,x,1\nCCO,"red oil,2\nC,y,3\nCN,"white,4\nCCl,z,5\n', 3),
        ('CC,x,1\nCCO,"red oil,2\nC,y,3\nCN,12",4\n', 3),
        ('CC,x,1\nCCO,"red oil,2\nCN,12",4\n', 3),
        ('CC,"a\nb",1\nCCO,"red,2\nC,5",3\n', 4),
        ('"CCO,x,1\nCC",y,2\n', 2),
        ('CCO,x,"1\nC,y,"\n', 2),
        ('CCO,"red" oil,1\n', 2),
        ('CC,x,1\nCCO,"red, 2\nC,a,""\nCN,5",4\n', 3),
    ],
    ids=[
        "never closed", "closed by another opening", "closed by an inch", "two rows", "after a long cell",
        "in the SMILES", "at the end", "text after it", "beside quotes of others",
    ],
)  # fmt: skip
def test_a_stray_quote_is_refused_where_it_opens(body: str, line: int) -> None:
    with pytest.raises(InputError, match=rf"test, line {line}: a (quote opens|cell goes on)"):
        rows(HEADER + body)


def test_a_stray_quote_in_a_table_without_smiles_is_refused() -> None:
    with pytest.raises(InputError, match="line 2"):
        rows('gene,weight\n"A,1\nB",2\n')


def test_a_line_end_in_a_table_of_one_column_is_refused() -> None:
    with pytest.raises(InputError, match="line 3"):
        rows('smiles\nCC\n"CCO\nCN"\n')


@pytest.mark.parametrize(
    "cell",
    ["two\nlines", "with, comma\nand, more, of them", "a\r\nb\r\n", "\n", 'said ""so""\nindeed', "a\n\nb, c"],
)
def test_a_cell_may_hold_line_ends(cell: str) -> None:
    content = HEADER + f'CC,"{cell}",1\nCCO,"plain, text",2\nCCN,5" tube,3\n'
    plain = cell.replace('""', '"')
    assert rows(content) == [["CC", plain, "1"], ["CCO", "plain, text", "2"], ["CCN", '5" tube', "3"]]


def test_a_cell_of_prose_in_the_last_column_is_no_stray_quote() -> None:
    assert rows('smiles,note\nCC,"line one\nline two, with comma"\n') == [
        ["CC", "line one\nline two, with comma"]
    ]


@pytest.mark.parametrize("body", ["CC\nO,x,1\n", "CC,na\nme,1\n", "CC,x,1\nCCO\n", "CC,x,1\nCCO,na\nme,2\n"])
def test_a_row_broken_over_two_lines_is_refused(body: str) -> None:
    with pytest.raises(InputError, match=r"line \d: a row has \d of 3 cells"):
        rows(HEADER + body)


def test_a_row_that_lacks_its_last_cells_is_noted() -> None:
    with pytest.warns(InputNote, match="has 2 of 3 cells in line 3: the others are empty"):
        assert rows(HEADER + "CC,x,1\nCCO,y\nC,z,3\n")[1] == ["CCO", "y", ""]


def test_other_line_ends_are_letters() -> None:
    names = ["a\u2028b", "c\x85d", "e\x0cf", "g\x1ch"]
    content = HEADER + "".join(f"CC,{name},{i}\r" for i, name in enumerate(names))
    assert [row[1] for row in rows(content)] == names


def test_nameless_columns_do_not_count_as_repeated() -> None:
    frame = parse_csv(",smiles,\n0,CC,x\n", where="test", text=True)
    assert frame.columns.tolist() == ["Unnamed: 0", "smiles", "Unnamed: 2"]


def test_empty_lines_are_no_records_but_in_a_table_of_one_column() -> None:
    assert len(rows(HEADER + "\nCC,x,1\n  \n\nCO,y,2\n\n")) == 2
    assert rows("smiles\nCC\n\nCO\n") == [["CC"], [""], ["CO"]]
