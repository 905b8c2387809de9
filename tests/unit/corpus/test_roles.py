"""Roles of metadata, amounts with units, and wells that are controls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.controls import find_controls
from cytomol.corpus.roles import Roles, amounts, check_role, find_roles, matches
from cytomol.errors import ConfigError, InputError


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("pert_dose", "dose"),
        ("Metadata_mmoles_per_liter", "dose"),
        ("concentration_uM", "dose"),
        ("Metadata_Dose", "dose"),
        ("dose_value", "dose"),
        ("pert_time", "time"),
        ("Metadata_timepoint", "time"),
        ("Time_h", "time"),
        ("cell_id", "cell"),
        ("Metadata_cell_line", "cell"),
        ("cell_iname", "cell"),
        ("Metadata_Plate", "plate"),
        ("Assay_Plate_Barcode", "plate"),
        ("Metadata_Batch", "batch"),
        ("Metadata_pert_type", "control"),
        ("Metadata_control_type", "control"),
    ],
)
def test_roles_by_name(column: str, role: str) -> None:
    roles = find_roles(pd.DataFrame({"Metadata_id": ["a"], column: ["1"]}))
    assert roles.columns == {role: (column,)}


def test_given_roles_come_instead() -> None:
    metadata = pd.DataFrame({"pert_dose": ["1"], "strength": ["2"], "medium": ["x"], "donor": ["y"]})
    roles = find_roles(metadata, {"dose": ("strength",), "condition": ("medium", "donor")})
    assert roles.columns == {"dose": ("strength",), "condition": ("medium", "donor")}
    assert find_roles(metadata, {"dose": ("",)}).columns == {}
    with pytest.raises(InputError, match=r"p.csv: has no column 'x' for --role time=x"):
        find_roles(metadata, {"time": ("x",)}, where="p.csv")
    with pytest.raises(ConfigError, match="no role 'donor'"):
        check_role("donor")


def test_the_best_of_several_names() -> None:
    metadata = pd.DataFrame({"pert_idose": ["1 uM"], "pert_dose": ["1"], "pert_dose_unit": ["uM"]})
    assert find_roles(metadata).column("dose") == "pert_dose"


def test_amounts_and_matches() -> None:
    text = pd.Series(["10", "10.0", "10 uM", "0.01 mM", "500 nM", "-666", "", "high", "24 h", "2 days"])
    found = amounts(text)
    np.testing.assert_allclose(found[:5], [10, 10, 10, 10, 0.5])
    assert np.isnan(found[5:8]).all()
    assert found[8:].tolist() == [24, 48]
    assert matches(text, "10").tolist() == [True] * 4 + [False] * 6
    assert matches(pd.Series(["A549", "a549", "U2OS"]), "A549").tolist() == [True, False, False]
    assert matches(pd.Series(["A549", "U2OS"]), "u2os").tolist() == [False, True]


@pytest.mark.parametrize(
    ("column", "values", "controls"),
    [
        ("Metadata_pert_type", ["trt_cp", "ctl_vehicle", "ctl_untrt", "trt_poscon"], [0, 1, 1, 0]),
        ("Metadata_control_type", ["", "negcon", "poscon_diverse", "negative control"], [0, 1, 0, 1]),
        ("pert_type", ["trt", "control", "empty", "trt"], [0, 1, 1, 0]),
        ("control", ["False", "True", "true", "0"], [0, 1, 1, 0]),
        ("Metadata_pert_iname", ["aspirin", "DMSO", "dmso 0.1%", "untreated"], [0, 1, 1, 1]),
        ("Metadata_broad_sample", ["BRD-K1", "DMSO", "", "BRD-K2"], [0, 1, 0, 0]),
        ("smiles", ["CCO", "CS(C)=O", "C[S+](C)[O-]", "CSC"], [0, 1, 1, 0]),
        ("perturbation", ["erlotinib", "control", "vehicle", "Water"], [0, 1, 1, 1]),
        ("Metadata_note", ["DMSO", "DMSO", "x", "x"], [0, 0, 0, 0]),
    ],
)
def test_wells_without_a_compound(column: str, values: list[str], controls: list[int]) -> None:
    metadata = pd.DataFrame({column: values})
    found = find_controls(metadata, find_roles(metadata), "molecule")
    assert found.rows.astype(int).tolist() == controls
    assert len(found) == sum(found.reasons.values()) == sum(controls)


def test_a_positive_control_is_a_compound() -> None:
    metadata = pd.DataFrame(
        {
            "Metadata_pert_type": ["control", "control", "control", "trt"],
            "Metadata_control_type": ["negcon", "poscon_cp", "", ""],
        }
    )
    found = find_controls(metadata, find_roles(metadata), "molecule")
    assert found.rows.tolist() == [True, False, True, False]


def test_genes_that_are_none() -> None:
    names = ["TP53", "LacZ", "eGFP", "non-targeting", "CTRL", "NO_SITE", "LUC7L", "EMPTY_VECTOR", "BFP"]
    metadata = pd.DataFrame({"Metadata_Symbol": names})
    found = find_controls(metadata, find_roles(metadata), "gene")
    assert [name for name, is_one in zip(names, found.rows, strict=True) if not is_one] == [
        "TP53",
        "CTRL",
        "LUC7L",
    ]


def test_controls_as_the_user_says() -> None:
    metadata = pd.DataFrame({"Metadata_broad_sample": ["a", "", "DMSO"], "Metadata_kind": ["x", "y", "y"]})
    found = find_controls(metadata, Roles(), "molecule", given=[("Metadata_broad_sample", "")])
    assert found.rows.tolist() == [False, True, False]
    assert found.reasons == {"Metadata_broad_sample = (empty)": 1}
    assert find_controls(metadata, Roles(), "molecule", given=[("kind", "y")]).rows.tolist() == [
        False,
        True,
        True,
    ]
    with pytest.raises(InputError, match="has no column 'nix' to tell controls by"):
        find_controls(metadata, Roles(), "molecule", given=[("nix", "y")])
