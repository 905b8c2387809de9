"""Make examples/assay.csv: a made-up table of assays, as a chemist would bring it.

The molecules are drawn from the package's library of fragments. Solubility follows an estimate like Delaney's
(ESOL), an effect of the core and the noise of an assay; values beyond what it can measure are written ">2.7".
The kinase is inhibited by two of the library's pharmacophores. Nobody has measured anything here.

Run ``python examples/make_assay.py`` in a clone to write the table again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

from cytomol.corpus.planted.library import CORE_TABLE, sample_molecules

OUT = Path(__file__).parent / "assay.csv"
MOLECULES, REPEATS = 400, 24
NOISE = 0.25  # standard deviation of one measurement of solubility
CORE_EFFECT = 0.35  # standard deviation of what a core adds to its solubility
LIMIT = 2.7  # 500 uM is the most that the assay can measure
SHARE_BLANK = 0.06
SHARE_WRONG = 0.07  # of the calls "active" and "inactive"


def solubility(mols: list[Chem.Mol]) -> NDArray[np.float64]:
    """Return an estimate of solubility after Delaney, as the logarithm of micromoles a litre, shape (n,)."""
    estimates = []
    for mol in mols:
        aromatic = sum(atom.GetIsAromatic() for atom in mol.GetAtoms()) / mol.GetNumHeavyAtoms()
        estimates.append(
            5.6
            - 0.63 * Crippen.MolLogP(mol)
            - 0.0062 * Descriptors.MolWt(mol)
            + 0.066 * rdMolDescriptors.CalcNumRotatableBonds(mol)
            - 0.74 * aromatic
        )
    return np.array(estimates)


def another_spelling(smiles: str, rng: np.random.Generator) -> str:
    """Return the same molecule, its atoms written in another order."""
    mol = Chem.MolFromSmiles(smiles)
    order = [int(atom) for atom in rng.permutation(mol.GetNumAtoms())]
    return str(Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False))


def make_table(seed: int = 15) -> pd.DataFrame:
    """Return the table: a row for each measurement, in the order of the dates."""
    rng = np.random.default_rng(seed)
    molecules = sample_molecules(MOLECULES, rng)
    series = rng.permutation(len(CORE_TABLE))[molecules["core"]]
    molecules = molecules.iloc[np.argsort(series + rng.normal(0, 8, MOLECULES), kind="stable")]
    measured_again = np.sort(rng.choice(MOLECULES, REPEATS, replace=False))
    rows = np.sort(np.concatenate([np.arange(MOLECULES), measured_again]))
    again = np.append(False, rows[1:] == rows[:-1])

    mols = [Chem.MolFromSmiles(smiles) for smiles in molecules["smiles"]]
    value = solubility(mols) + rng.normal(0, CORE_EFFECT, len(CORE_TABLE))[molecules["core"]]
    value = value[rows] + rng.normal(0, NOISE, len(rows))
    text = np.where(value > LIMIT, f">{LIMIT}", np.char.mod("%.2f", value))
    inhibits = (molecules["binds"] & (molecules["pharmacophore"] <= 1)).to_numpy()[rows]
    inhibits ^= rng.random(len(rows)) < SHARE_WRONG
    call = np.where(inhibits, "active", "inactive")

    days = np.sort(rng.integers(0, 720, len(rows)))
    return pd.DataFrame(
        {
            "Compound ID": [f"EX-{1000 + 7 * row}" for row in range(len(rows))],
            "SMILES": [
                another_spelling(smiles, rng) if repeat else smiles
                for smiles, repeat in zip(molecules["smiles"].iloc[rows], again, strict=True)
            ],
            "Date": (np.datetime64("2023-01-09") + days).astype(str),
            "LogSol": np.where(rng.random(len(rows)) < SHARE_BLANK, "", text),
            "Kinase": np.where(rng.random(len(rows)) < SHARE_BLANK, "", call),
        }
    )


if __name__ == "__main__":
    make_table().to_csv(OUT, index=False)
