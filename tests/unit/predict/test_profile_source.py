from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.correction import GroupCorrection
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
        "profiles painting: 2 of 4 molecules have one (2 features, 4 profiles, repeats as their median)",
        "profiles painting: 2 of 6 profiles are of no molecule of the input, or empty",
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


def test_an_id_of_several_molecules_joins_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": [*SMILES[:4], "OCC"], "plate": ["A", "A", "B", "C", "D"]})
    frame["compound_id"] = ["x", "y", "z", "x", "x"]  # x: the same molecule twice, and one that is none
    molecules = MoleculeTable(frame, "smiles", "assays.csv")
    path = table(
        tmp_path,
        Metadata_compound_id=["x", "?", "?"],
        Metadata_Plate=["A", "A", "B"],
        Cells_a=[1.0, 2.0, 3.0],
    )
    [block] = read_profile_blocks([path], molecules)
    np.testing.assert_array_equal(block.of(SMILES)[:, 0], [1, np.nan, 3, np.nan, np.nan])


def corrects_b_by_plate() -> Any:
    """Return what stands for a backbone whose profiles of "b" were centred by plate."""
    values = np.array([[0.0]] * 8 + [[10.0]] * 8, np.float32)
    plates = np.array(["p"] * 8 + ["q"] * 8, dtype=object)
    return SimpleNamespace(
        method=SimpleNamespace(profiles={"cell": None}),
        modalities={"cell": {"columns": ["b"]}},
        corrections={"cell": GroupCorrection.fit(values, plates, "center", by="Metadata_Plate")},
    )


def test_what_a_backbone_projects_is_corrected_profile_by_profile(
    tmp_path: Path, molecules: MoleculeTable
) -> None:
    path = table(
        tmp_path,
        Metadata_SMILES=["CCO", "CCO", "CCN", "c1ccccc1"],
        Metadata_Plate=["p", "q", "q", "elsewhere"],
        a=[1.0, 1.0, 1.0, 1.0],
        b=[0.0, 20.0, 10.0, 7.0],
    )
    backbone = corrects_b_by_plate()
    [block] = read_profile_blocks([path], molecules, backbone=backbone)
    measured = [[1, 10], [np.nan] * 2, [1, 7], [np.nan] * 2, [1, 10]]
    np.testing.assert_array_equal(block.of(SMILES), measured)
    corrected = [[1, 10], [np.nan] * 2, [1, 7], [np.nan] * 2, [1, 5]]  # CCO: median of 5 and 15
    np.testing.assert_array_equal(block.of(SMILES, corrected=True), corrected)
    # a model that knows b alone, of a table that has more
    known = type(block)("mine", ("b",), np.zeros((0, 1), np.float32))
    [found] = read_profile_blocks([path], molecules, known=[known], backbone=backbone)
    assert (found.name, found.columns) == ("mine", ("b",))
    np.testing.assert_array_equal(found.of(SMILES, corrected=True)[[0, 4], 0], [10, 5])
    np.testing.assert_array_equal(found.aligned(known, where="w").of(["CCN"], corrected=True), [[5]])
    backbone.corrections = {}
    assert read_profile_blocks([path], molecules, backbone=backbone)[0].corrected is None


def test_a_modality_of_a_corpus_is_corrected_by_its_own_plates(tmp_path: Path) -> None:
    write_planted(tmp_path / "corpus", 200)
    corpus = read_corpus(tmp_path / "corpus")
    file = tmp_path / "corpus" / "modalities" / "morphology.parquet"
    frame = pd.read_parquet(file)
    frame.insert(1, "Metadata_Plate", "q")
    frame.to_parquet(file)
    first = corpus.modalities["morphology"].columns[0]
    backbone = corrects_b_by_plate()
    backbone.modalities["cell"]["columns"] = [first]
    table = MoleculeTable(pd.DataFrame({"smiles": corpus.smiles}), "smiles", "t")
    [block] = read_profile_blocks([f"{tmp_path / 'corpus'}:morphology"], table, backbone=backbone)
    assert block.corrected is not None
    np.testing.assert_allclose(block.corrected[:, 0], block.values[:, 0] - 5, atol=1e-5)  # noqa: PD011 - no frame
