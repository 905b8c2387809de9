"""One reproducible conformer of a molecule: ETKDGv3, fixed seed, explicit hydrogens.

This module runs in the worker processes: it imports RDKit and NumPy, nothing heavier.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt

__all__ = ["SEED", "atoms_and_positions", "conformer"]

SEED = 61453
# Tries per strategy. RDKit's own limit is ten times the number of atoms, which lets a hopeless
# molecule (impossible stereochemistry, cages of metal) run for minutes before it gives up.
MAX_ITERATIONS = 60
# Convergence of the distance-geometry minimisation: RDKit's 0.001 costs a fifth more time, and we
# describe a shape, not an energy minimum.
FORCE_TOLERANCE = 0.0135
# Uni-Mol crops larger molecules at random; we crop first, so that its input is reproducible.
UNIMOL_MAX_ATOMS = 256


def conformer(smiles: str) -> Chem.Mol:
    """Return the largest fragment of a molecule with hydrogens and one 3D conformer.

    Distance geometry places disconnected fragments arbitrarily to each other, so that only the
    largest one (most heavy atoms, then heaviest, then last by SMILES) has a geometry worth
    describing. It is embedded from its canonical SMILES: how the input is written makes no
    difference. There is no force-field optimisation, for speed: ETKDGv3 already applies
    experimental torsion preferences.

    Parameters
    ----------
    smiles
        One molecule.

    Raises
    ------
    ValueError
        If RDKit cannot parse the SMILES, if a single atom is all there is, or if neither the
        regular embedding nor the one from random coordinates finds a conformer.

    References
    ----------
    Wang, Witek, Landrum, Riniker: Improving Conformer Generation for Small Rings and Macrocycles
    Based on Distance Geometry and Experimental Torsional-Angle Preferences, JCIM 2020, 60, 2044.
    """
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        message = "SMILES cannot be parsed"
        raise ValueError(message)
    mol = Chem.AddHs(_largest_fragment(mol))
    if mol.GetNumAtoms() < 2:
        message = "a single atom has no geometry"
        raise ValueError(message)
    for random_coordinates in (False, True):
        parameters: Any = rdDistGeom.ETKDGv3()
        parameters.randomSeed = SEED
        parameters.numThreads = 1
        parameters.maxIterations = MAX_ITERATIONS
        parameters.optimizerForceTol = FORCE_TOLERANCE
        parameters.useRandomCoords = random_coordinates
        # No limit on time here: where RDKit gives up would depend on the speed of the machine, and
        # its clock does not cover every step. The process is killed instead.
        if rdDistGeom.EmbedMolecule(mol, parameters) == 0:
            return mol
    message = "no conformer found"
    raise ValueError(message)


def atoms_and_positions(smiles: str) -> NDArray[np.float32]:
    """Return the atoms of the conformer as float32 [A, 4]: atomic number, x, y, z in ångström.

    Molecules of more than 256 atoms lose their hydrogens, then what is beyond the 256th heavy atom.
    """
    mol = conformer(smiles)
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], dtype=np.float32)
    table = np.column_stack([numbers, mol.GetConformer().GetPositions()]).astype(np.float32)
    if len(table) > UNIMOL_MAX_ATOMS:
        table = table[table[:, 0] != 1][:UNIMOL_MAX_ATOMS]
    return table


def _largest_fragment(mol: Chem.Mol) -> Chem.Mol:
    """Return the largest fragment, its atoms in canonical order."""
    fragments = Chem.GetMolFrags(mol, asMols=True) if mol.GetNumAtoms() else ()
    if not fragments:
        message = "molecule without atoms"
        raise ValueError(message)
    written = [(part.GetNumHeavyAtoms(), CalcExactMolWt(part), Chem.MolToSmiles(part)) for part in fragments]
    best = max(range(len(written)), key=written.__getitem__)
    # A few exotic molecules do not survive being written: these keep the order of the input.
    return Chem.MolFromSmiles(written[best][2]) or fragments[best]
