from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted
from cytomol.corpus.readers import read_corpus
from cytomol.errors import ConfigError, InputError
from cytomol.predict.profile_source import ProfileSource, read_profile_blocks
from cytomol.tables.molecules import MoleculeTable

SMILES = ["CCO", "C[C@H](N)O", "c1ccccc1", "broken(", "CCN"]


@pytest.fixture
def molecules() -> MoleculeTable:
    frame = pd.DataFrame({"smiles": SMILES, "plate_code": ["A1", "A2", "A3", "A4", "A5"]})
    return MoleculeTable(frame, "smiles", "assays.csv")


def table(tmp_path: Path, **columns: list[object]) -> str:
    path = tmp_path / "painting.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def test_joins_by_connectivity_and_takes_the_median_of_repeats(
    tmp_path: Path, molecules: MoleculeTable
) -> None:
    path = table(
        tmp_path,
        Metadata_SMILES=["OCC", "C[C@@H](N)O", "C(C)O", "CCO", "CCCCC", "CCN"],
        Cells_a=[1.0, 5.0, 2.0, 9.0, 7.0, np.nan],
        Cells_b=[0.0, 1.0, 0.0, np.nan, 7.0, np.nan],
    )
    said: list[str] = []
    [block] = read_profile_blocks([path], molecules, say=said.append)
    assert (block.name, block.columns) == ("painting", ("Cells_a", "Cells_b"))
    expected = [[2, 0], [5, 1], [np.nan] * 2, [np.nan] * 2, [np.nan] * 2]  # all of CCN is missing
    np.testing.assert_array_equal(block.of(SMILES), expected)
    assert said == [
        "profiles painting: 2 of 4 molecules have one (2 features, 4 profiles, repeats as their median)"
    ]


def test_joins_by_inchikey_and_by_ids_that_both_tables_have(tmp_path: Path, molecules: MoleculeTable) -> None:
    path = table(
        tmp_path,
        Metadata_InChIKey=["LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "", ""],
        Metadata_plate_code=["A3", "A5", "A9"],
        Cells_a=[1.0, 2.0, 3.0],
    )
    [block] = read_profile_blocks([f"other={path}"], molecules)
    assert block.name == "other"
    # the structure counts more than the id
    np.testing.assert_array_equal(block.of(SMILES)[:, 0], [1, np.nan, np.nan, np.nan, 2])


def test_a_modality_of_a_corpus(tmp_path: Path) -> None:
    write_planted(tmp_path / "corpus", 200)
    corpus = read_corpus(tmp_path / "corpus")
    modality = corpus.modalities["morphology"]
    frame = pd.DataFrame({"smiles": corpus.smiles})
    [block] = read_profile_blocks([f"{tmp_path / 'corpus'}:morphology"], MoleculeTable(frame, "smiles", "t"))
    found = block.of(corpus.smiles)
    rows, first = np.unique(modality.rows, return_index=True)
    single = np.bincount(modality.rows, minlength=len(corpus))[rows] == 1
    np.testing.assert_array_equal(found[rows[single]], modality.values[first[single]])  # noqa: PD011 - no frame
    with pytest.raises(InputError, match="has several modalities of molecules") as several:
        ProfileSource.parse(str(tmp_path / "corpus")).read()
    assert "morphology" in str(several.value)
    with pytest.raises(InputError, match="has no modality 'gene_knockout' of molecules"):
        ProfileSource.parse(f"{tmp_path / 'corpus'}:gene_knockout").read()


def test_what_joins_nothing_or_has_one_name_twice_is_refused(
    tmp_path: Path, molecules: MoleculeTable
) -> None:
    path = table(tmp_path, Metadata_SMILES=["CCCCCC"], Cells_a=[1.0])
    with pytest.raises(InputError, match="none of its 1 profiles is of a molecule of assays"):
        read_profile_blocks([path], molecules)
    path = table(tmp_path, Metadata_SMILES=["CCO"], Cells_a=[1.0])
    with pytest.raises(ConfigError, match="two sources of profiles are called 'painting'"):
        read_profile_blocks([path, path], molecules)


def test_a_model_says_which_modality_is_meant(tmp_path: Path, molecules: MoleculeTable) -> None:
    path = table(tmp_path, Metadata_SMILES=["CCO"], Cells_a=[1.0], Cells_b=[2.0])
    [own] = read_profile_blocks([path], molecules)
    wide = own.empty()
    narrow = type(own)("narrow", ("Cells_b",), own.values[:0, 1:])  # noqa: PD011 - no frame
    [found] = read_profile_blocks([f"narrow={path}"], molecules, known=[wide, narrow])
    assert (found.name, found.columns) == ("narrow", ("Cells_b",))
    # both fit, and the one of the file's name is meant
    assert read_profile_blocks([path], molecules, known=[wide, narrow])[0].name == "painting"
    with pytest.raises(InputError, match="has learnt from no profiles 'blood'"):
        read_profile_blocks([f"blood={path}"], molecules, known=[wide])
    with pytest.raises(InputError, match="the model has learnt from no profiles"):
        read_profile_blocks([path], molecules, known=[])
