"""Which columns are features, and that every other one is named with its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.feature_columns import ColumnChoice, not_a_feature
from cytomol.corpus.profiles import split_profiles
from cytomol.corpus.readers import read_profiles
from cytomol.errors import InputError


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Metadata_Plate", "prefix"),
        ("metadata_well", "prefix"),
        ("Nuclei_Metadata_Site", "prefix"),
        ("meta_batch", "prefix"),
        ("METADATA_pert", "prefix"),
        ("Unnamed: 0.1", "without a name"),
        ("__index_level_0__", "without a name"),
        ("...1", "without a name"),
        ("index", "without a name"),
        ("Count_Nuclei", "counts"),
        ("Image_Count_Cells", "counts"),
        ("cell_count", "counts"),
        ("n_cells", "counts"),
        ("Nuclei - Number of Objects", "counts"),
        ("Plate", "place"),
        ("wellRow", "place"),
        ("Well Column", "place"),
        ("Assay_Plate_Barcode", "place"),
        ("site", "place"),
        ("replicate", "place"),
        ("pert_dose", "dose"),
        ("Dose (uM)", "dose"),
        ("compound_concentration", "dose"),
        ("mmoles_per_liter", "dose"),
        ("Hours", "time"),
        ("treatment_time", "time"),
        ("timepoint_h", "time"),
        ("cell_line", "cell line"),
        ("cell_id", "cell line"),
        ("pert_type", "kind of well"),
        ("ImageNumber", "image software"),
        ("Image_FileName_OrigDNA", "image software"),
    ],
)
def test_what_is_no_feature(name: str, reason: str) -> None:
    assert reason in (not_a_feature(name) or "")


@pytest.mark.parametrize(
    "name",
    [
        "Cells_AreaShape_Area",
        "Cells_Neighbors_NumberOfNeighbors_Adjacent",
        "Cytoplasm_Children_Cells_Count",
        "Nuclei_Location_Center_X",
        "Image_Granularity_1_RNA",
        "f0",
        "0",
        "5720",
        "TP53",
        "CTRL",
        "COL1A1",
        "RUNX1",
        "TIMELESS",
        "REPIN1",
        "CELSR1",
        "PLAT",
        "WELLS_FARGO",
        "Cells_name",
    ],
)
def test_what_may_be_a_feature(name: str) -> None:
    assert not_a_feature(name) is None


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Unnamed: 0": [0, 1],
            "plate": [1101, 1101],
            "Metadata_broad_sample": ["a", "b"],
            "Dose_uM": [1.0, 2.0],
            "moa": ["x", "y"],
            "Cells_f": [0.5, 0.25],
            "Nuclei_f": [7, 8],
        }
    )


def test_every_column_is_accounted_for(tmp_path: Path) -> None:
    frame().drop(columns="moa").to_csv(tmp_path / "p.csv", index=False)
    table = read_profiles(tmp_path / "p.csv")
    assert table.columns == ("Cells_f", "Nuclei_f")
    assert table.report is not None
    left = [name for names in table.report.left_out.values() for name in names]
    assert sorted([*table.report.features, *table.report.ids, *left]) == sorted(frame().columns.drop("moa"))
    said = str(table.report)
    assert "2 features (Cells_f, Nuclei_f); 3 columns left out" in said
    assert "place on a plate: plate" in said
    assert table.metadata["Dose_uM"].tolist() == ["1", "2"]  # what is no feature stays at hand


def test_all_text_columns_are_named_at_once() -> None:
    with pytest.raises(InputError, match=r"row 1, column moa: 'x' is not a number .*--leave-out"):
        split_profiles(frame(), where="p.csv")
    several = frame().assign(target=["t", "u"], note=["1", "low"])
    with pytest.raises(
        InputError,
        match=r"3 columns hold text: moa \(row 1: 'x'\), target \(row 1: 't'\), note \(row 2: 'low'\)",
    ):
        split_profiles(several, where="p.csv")
    many = frame().assign(**{f"t{i}": ["a", "b"] for i in range(50)})
    with pytest.raises(InputError, match=r"51 columns hold text: .*and 21 more"):
        split_profiles(many, where="p.csv")


@pytest.mark.parametrize(
    ("choice", "features"),
    [
        (ColumnChoice(leave_out=("moa",)), ("Cells_f", "Nuclei_f")),
        (ColumnChoice(leave_out=("moa", "Nuclei_*")), ("Cells_f",)),
        (ColumnChoice(features=("Cells_*",)), ("Cells_f",)),
        (ColumnChoice(features=("*_f", "Dose_uM")), ("Dose_uM", "Cells_f", "Nuclei_f")),
        (ColumnChoice(features=("*_f",), leave_out=("Cells*",)), ("Nuclei_f",)),
    ],
)
def test_the_user_chooses(choice: ColumnChoice, features: tuple[str, ...]) -> None:
    table = split_profiles(frame(), where="p.csv", choice=choice)
    assert table.columns == features
    assert table.metadata["Metadata_broad_sample"].tolist() == ["a", "b"]


def test_patterns_that_fit_nothing() -> None:
    with pytest.raises(InputError, match=r"no column fits --features 'Cell_\*' or 'x' \(columns: Unnamed: 0"):
        split_profiles(frame(), where="p.csv", choice=ColumnChoice(features=("Cell_*", "x")))
    choice = ColumnChoice(features=("Cells_*", "cells_*"), leave_out=("moa", "target"))
    assert split_profiles(frame(), where="p.csv", choice=choice).columns == ("Cells_f",)
    assert choice.idle(frame().columns) == ["--features 'cells_*'", "--leave-out 'target'"]


def test_nothing_left_says_what_was_left_out() -> None:
    with pytest.raises(InputError, match=r"no feature columns .*place on a plate: plate"):
        split_profiles(frame()[["plate", "Metadata_broad_sample"]], where="p.csv")


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8, unique=True))
@settings(max_examples=200, deadline=None)
def test_any_names_are_told_apart(names: list[str]) -> None:
    table = pd.DataFrame(np.ones((2, len(names) + 1)), columns=[*names, "Cells_Feature"])
    table = table.loc[:, ~table.columns.duplicated()]
    found = split_profiles(table, where="p.csv").report
    assert found is not None
    left = [name for some in found.left_out.values() for name in some]
    assert sorted([*found.features, *found.ids, *left]) == sorted(table.columns)


def test_metadata_inside_the_matrix_of_anndata(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    names = ["Metadata_Count", "Cells_f", "Metadata_mmoles_per_liter", "plate", "Cells_g"]
    matrix = np.array([[9, 1, 3.33, 7, 2], [8, 3, 10, 7, 4]], np.float32)
    obs = pd.DataFrame({"Metadata_smiles": ["C", "CC"]}, index=["0", "1"])
    anndata.AnnData(matrix, obs, pd.DataFrame(index=names)).write_h5ad(tmp_path / "p.h5ad")
    table = read_profiles(tmp_path / "p.h5ad")
    assert table.columns == ("Cells_f", "Cells_g")
    np.testing.assert_array_equal(table.features, matrix[:, [1, 4]])
    assert table.metadata["Metadata_mmoles_per_liter"].tolist() == ["3.33", "10"]
