"""What is said of profiles that were joined: the same as a corpus is told of the same table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.profiles import ProfileTable
from cytomol.predict.profile_remarks import profile_remarks
from cytomol.predict.profile_source import read_profile_blocks
from cytomol.tables import read_molecules

IDS = {"M1": "CCO", "M2": "CCN", "M3": "CCC"}


def said(tmp_path: Path, **columns: list[object]) -> list[str]:
    assays = tmp_path / "assays.csv"
    pd.DataFrame({"mol_id": list(IDS), "smiles": list(IDS.values())}).to_csv(assays, index=False)
    path = tmp_path / "painting.csv"
    pd.DataFrame({f"Metadata_{name}": cells for name, cells in columns.items()}).assign(
        Cells_a=np.arange(len(columns["SMILES"])) + 0.5
    ).to_csv(path, index=False)
    lines: list[str] = []
    read_profile_blocks([str(path)], read_molecules(str(assays)), say=lines.append)
    return lines[1:]


def test_sound_profiles_need_no_remark(tmp_path: Path) -> None:
    assert said(tmp_path, SMILES=["CCO", "CCO", "CCN"], mol_id=["M1", "M1", "M2"], dose=[1, 1, 5]) == []


def test_profiles_of_several_doses_are_no_replicates(tmp_path: Path) -> None:
    [line] = said(tmp_path, SMILES=["CCO", "CCO", "CCN"], dose=[1, 100, 5])
    assert "no replicates: they differ in Metadata_dose (2 values)" in line


def test_an_id_of_another_molecule_is_said(tmp_path: Path) -> None:
    [line] = said(tmp_path, SMILES=["CCO", "CCC", "CCN"], mol_id=["M1", "M2", "M9"])
    assert "1 of 3 profiles bears the id of another molecule" in line
    assert "in row 2" in line


def test_infinite_values_are_said(tmp_path: Path) -> None:
    path = tmp_path / "painting.csv"
    path.write_text("Metadata_SMILES,Cells_a,Cells_b\nCCO,inf,1\nCCN,2,3\n")
    assays = tmp_path / "assays.csv"
    assays.write_text("smiles\nCCO\nCCN\n")
    lines: list[str] = []
    [block] = read_profile_blocks([str(path)], read_molecules(str(assays)), say=lines.append)
    assert "1 infinite value" in lines[1]
    np.testing.assert_array_equal(block.of(["CCO", "CCN"]), [[np.nan, 1], [2, 3]])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "a", "b"]), st.booleans()), min_size=1
    )
)
def test_numbers_are_those_of_a_count(rows: list[tuple[str, str, bool]]) -> None:
    keys, ids = (np.array([row[at] for row in rows], dtype=object) for at in (0, 1))
    used = np.array([bool(key) and measured for key, _, measured in rows])
    table = ProfileTable("t", pd.DataFrame({"x": [""] * len(rows)}), np.zeros((len(rows), 1), "f4"), ("c",))
    lines = list(profile_remarks(table, keys, ids, used))
    lost = sum(not one for one in used)
    wrong = sum(bool(one and id_ and id_ != key) for (key, id_, _), one in zip(rows, used, strict=True))
    assert [line.split()[0] for line in lines] == [str(n) for n in (lost, wrong) if n]
