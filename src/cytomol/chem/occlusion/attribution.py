"""What each atom and each piece of a molecule adds to a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.chem.occlusion.masked_molecules import MaskedMolecules
from cytomol.errors import InputError

__all__ = ["Attribution", "ExplainedMolecule", "occlude", "unexplained"]


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each atom and each piece of one molecule adds to a value.

    Attributes
    ----------
    name
        The value: a task, a feature.
    value
        Of the whole molecule.
    atoms
        What each atom adds, in the unit of the value, float64, shape (atoms,).
    pieces
        What each piece adds, shape (pieces,): by occlusion, what the value loses without it; by gradients,
        the sum of its atoms.
    baseline
        Value of the baseline (integrated gradients); NaN for occlusion.
    unattributed
        Share of value - baseline that no atom is given (integrated gradients); NaN for occlusion.
    """

    name: str
    value: float
    atoms: NDArray[np.float64]
    pieces: NDArray[np.float64]
    baseline: float = float("nan")
    unattributed: float = float("nan")


@dataclass(frozen=True, eq=False)
class ExplainedMolecule:
    """One molecule with the attributions of one value or several.

    Attributes
    ----------
    smiles
        As given.
    mol
        As read, in whose order the atoms stand; None where invalid.
    error
        Why it is invalid; "" where it is valid.
    piece
        Piece of each atom, int64, shape (atoms,).
    attributions
        One for each value; none of an invalid molecule.
    """

    smiles: str
    mol: Chem.Mol | None
    error: str
    piece: NDArray[np.int64]
    attributions: list[Attribution] = field(default_factory=list)

    def read_as(self) -> tuple[str, NDArray[np.int64]]:
        """Return a SMILES of the molecule as it was read, and which of its atoms stands at each place there.

        A parent that was read in the place of a salt has other atoms than the SMILES given.

        Raises
        ------
        InputError
            If it is invalid.
        """
        if self.mol is None:
            raise InputError(self.error)
        text = Chem.MolToSmiles(self.mol, canonical=False)
        order = self.mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]
        return text, np.array([int(place) for place in order], dtype=np.int64)


def occlude(
    molecules: MaskedMolecules, names: Sequence[str], values: NDArray[np.float64], errors: Sequence[str]
) -> list[ExplainedMolecule]:
    """Return what the values of whole molecules lose without each atom and each piece.

    Parameters
    ----------
    molecules
        Molecules and their masks.
    names
        Of the values.
    values
        Of all rows of the molecules, float64, shape (rows, values).
    errors
        Why a row has no value; "" where it has one, length rows.

    Examples
    --------
    >>> from cytomol.chem.options import FeatureOptions
    >>> options = FeatureOptions(morgan_bits=0, maccs=False)
    >>> molecules = MaskedMolecules.read(["CCO"], options)
    >>> store = molecules.store(options)
    >>> explained = occlude(molecules, ["atoms"], store.atom_counts[:, None].astype(float), store.errors)
    >>> explained[0].attributions[0].atoms.tolist(), explained[0].attributions[0].pieces.tolist()
    ([1.0, 1.0, 1.0], [3.0])
    """
    explained = []
    for number, mol in enumerate(molecules.mols):
        first, last = molecules.offsets[number], molecules.offsets[number + 1]
        piece, error = molecules.pieces[number], errors[first]
        if mol is None or error:
            explained.append(unexplained(molecules.smiles[number], error))
            continue
        whole, rest = values[first], values[first + 1 : last]
        lost = whole - rest
        of_molecule = [
            Attribution(name, float(whole[column]), lost[: len(piece), column], lost[len(piece) :, column])
            for column, name in enumerate(names)
        ]
        explained.append(ExplainedMolecule(molecules.smiles[number], mol, "", piece, of_molecule))
    return explained


def unexplained(smiles: str, error: str) -> ExplainedMolecule:
    """Return a molecule that cannot be explained, with the reason."""
    return ExplainedMolecule(smiles, None, error, np.zeros(0, np.int64))
