"""Molecules from every format, one row each, in order."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem

from cytomol.errors import InputError
from cytomol.tables import read_molecules

SMILES = ["CCO", "", "c1ccccc1", "not a molecule"]


def test_csv_parquet_and_smi_agree(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c", "d"], "SMILES": SMILES})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv.gz", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.smi").write_text("CCO a\n\nc1ccccc1\tc\nnot a molecule\n")
    for name in ("a.csv", "a.tsv.gz", "a.parquet"):
        table = read_molecules(tmp_path / name)
        assert table.smiles_col == "SMILES"
        assert table.smiles == SMILES
    smi = read_molecules(tmp_path / "a.smi")
    assert smi.smiles == ["CCO", "", "c1ccccc1", "not"]
    assert smi.frame["name"].tolist() == ["a", "", "c", "a molecule"]


def test_missing_values_are_empty(tmp_path: Path) -> None:
    pd.DataFrame({"smiles": ["C", None]}).to_parquet(tmp_path / "a.parquet")
    assert read_molecules(tmp_path / "a.parquet").smiles == ["C", ""]


@pytest.mark.parametrize("suffix", ["sdf", "sdf.gz"])
def test_sd_file_keeps_the_row_of_a_broken_record(tmp_path: Path, suffix: str) -> None:
    blocks = []
    for smiles in ("CCO", "CN"):
        molecule = Chem.MolFromSmiles(smiles)
        molecule.SetProp("_Name", smiles)
        blocks.append(Chem.MolToMolBlock(molecule) + "> <activity>\n1.5\n\n$$$$\n")
    data = (blocks[0] + "broken\nrecord\n\n  x  y\n$$$$\n" + blocks[1]).encode()
    (tmp_path / f"a.{suffix}").write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    table = read_molecules(tmp_path / f"a.{suffix}")
    assert table.smiles == ["CCO", "", "CN"]
    assert list(table.errors) == [1]
    assert table.frame["activity"].tolist() == ["1.5", "", "1.5"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"CCO\nCC\n", ["CCO", "CC"]),
        (b"smiles,id\nCCO,1\nCC,2\n", ["CCO", "CC"]),
        (b"smiles\nCCO\n", ["CCO"]),
    ],
)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes, expected: list[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read_molecules("-").smiles == expected


def test_missing_column_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("compound_smile,y\nCC,1\n")
    with pytest.raises(InputError, match=r"no column 'smiles'.*columns: compound_smile, y.*--smiles-col"):
        read_molecules(tmp_path / "a.csv")
    with pytest.raises(InputError, match="did you mean 'compound_smile'"):
        read_molecules(tmp_path / "a.csv", smiles_col="compound_smiles")
    assert read_molecules(tmp_path / "a.csv", smiles_col="compound_smile").smiles == ["CC"]


def test_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("smiles,y\n")
    with pytest.raises(InputError, match="no molecules"):
        read_molecules(tmp_path / "a.csv")
