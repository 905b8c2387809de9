"""The default geometry against RDKit called directly, and on odd molecules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors3D, rdDistGeom, rdMolDescriptors

from cytomol.chem.geometry import compute_geometry, geometry_width
from cytomol.chem.geometry.conformer import SEED, atoms_and_positions, conformer
from cytomol.chem.geometry.rdkit import compute, descriptor_names

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def by_name(smiles: str) -> dict[str, float]:
    return dict(zip(descriptor_names(), compute(smiles).tolist(), strict=True))


def test_values_are_rdkits_compressed() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles(Chem.MolToSmiles(Chem.MolFromSmiles(ASPIRIN))))
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = SEED
    parameters.optimizerForceTol = 0.0135
    assert rdDistGeom.EmbedMolecule(mol, parameters) == 0
    expected = {name: function(mol) for name, function in Descriptors3D.descList}
    for name in ("AUTOCORR3D", "RDF", "MORSE", "WHIM", "GETAWAY"):
        for i, value in enumerate(getattr(rdMolDescriptors, f"Calc{name}")(mol)):
            expected[f"{name}_{i}"] = value
    found = by_name(ASPIRIN)
    assert set(found) == set(expected)
    assert len(found) == geometry_width("rdkit") == 912
    for name, value in expected.items():
        assert np.sign(found[name]) * np.expm1(abs(found[name])) == pytest.approx(
            value, rel=1e-5, abs=1e-6
        ), name


def test_same_row_whatever_the_spelling_and_whichever_process() -> None:
    spellings = [ASPIRIN, "OC(=O)c1ccccc1OC(C)=O", "O=C(C)Oc1c(C(O)=O)cccc1"]
    first = compute_geometry(spellings, workers=2, cache=None)
    again = compute_geometry(spellings[::-1], workers=1, cache=None)
    np.testing.assert_array_equal(first.values, again.values[::-1])
    for row in first.values:
        np.testing.assert_array_equal(row, compute(ASPIRIN))


def test_stereoisomers_differ_in_shape() -> None:
    assert not np.array_equal(compute("C/C=C/C"), compute("C/C=C\\C"))


@pytest.mark.parametrize(
    "salt", ["[Na+].CC(=O)[O-]", "CC(=O)[O-].[Na+]", "O.O.CC(=O)[O-].O", "Cl.CC(=O)[O-]"]
)
def test_a_salt_has_the_geometry_of_its_largest_part(salt: str) -> None:
    np.testing.assert_array_equal(compute(salt), compute("CC(=O)[O-]"))


@pytest.mark.parametrize(
    "smiles",
    [
        "C",
        "[H][H]",
        "Cl",
        "N#N",
        "C#C",
        "*CC*",
        "[13CH3]C",
        "C[CH2]",
        "C[Hg]C",
        "N[Pt](N)(Cl)Cl",
        "F[B-](F)(F)F",
    ],
)
def test_odd_molecules_have_finite_rows(smiles: str) -> None:
    row = compute(smiles)
    assert row.shape == (912,)
    assert np.isfinite(row).all()


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("[Na+]", "a single atom has no geometry"),
        ("[Na+].[Cl-]", "a single atom has no geometry"),
        ("C1CC", "SMILES cannot be parsed"),
        ("CC(C)(C)(C)C", "SMILES cannot be parsed"),
        ("", "molecule without atoms"),
        # norbornane whose bridge would have to pass through the ring
        ("C1C[C@@H]2CC[C@@H]1C2", "no conformer found"),
    ],
)
def test_molecules_without_geometry_say_why(smiles: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compute(smiles)


def test_peptide_of_500_atoms_ends_in_time() -> None:
    peptide = Chem.MolToSmiles(Chem.MolFromSequence("ACDEFGHIKLMNPQRSTVWY" * 4))
    geometry = compute_geometry([peptide, "CCO"], timeout=2.0, workers=1, cache=None)
    assert geometry.valid.tolist() == [False, True]
    assert geometry.reasons[0] == "not finished after 2 s"


def test_conformer_has_hydrogens_and_three_dimensions() -> None:
    mol = conformer("CCO")
    assert mol.GetNumAtoms() == 9
    assert (
        np.linalg.matrix_rank(mol.GetConformer().GetPositions() - mol.GetConformer().GetPositions().mean(0))
        == 3
    )


def test_atoms_and_positions() -> None:
    table = atoms_and_positions("O")
    assert table.dtype == np.float32
    assert table[:, 0].tolist() == [8, 1, 1]
    bonds = np.linalg.norm(table[1:, 1:] - table[0, 1:], axis=1)
    assert np.all((bonds > 0.85) & (bonds < 1.1))  # O-H is 0.96 ångström


def test_large_molecules_lose_hydrogens_first() -> None:
    table = atoms_and_positions("C" * 86)  # 260 atoms with hydrogens
    assert table.shape == (86, 4)
    assert (table[:, 0] == 6).all()


@pytest.mark.real_data
def test_real_molecules(real_data: Path, tmp_path: Path) -> None:
    import pandas as pd

    smiles = pd.read_parquet(real_data / "corpus" / "molecules.parquet")["smiles"].tolist()[::4000]
    geometry = compute_geometry(smiles, timeout=20.0, workers=2, cache=tmp_path)
    assert np.isfinite(geometry.values[geometry.valid]).all()  # noqa: PD011 - not pandas
    assert geometry.valid.mean() > 0.9
    assert all(bool(reason) != valid for reason, valid in zip(geometry.reasons, geometry.valid, strict=True))
