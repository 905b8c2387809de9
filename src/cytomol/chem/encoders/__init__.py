"""Other encoders, SMILES in and vectors out: each registered by name."""

from cytomol.chem.encoders.encode import encode_molecules, with_vectors
from cytomol.chem.encoders.minimol import MiniMol
from cytomol.chem.encoders.molecule_encoder import Exposure, MoleculeEncoder, Pretraining, encoders

__all__ = [
    "Exposure",
    "MiniMol",
    "MoleculeEncoder",
    "Pretraining",
    "encode_molecules",
    "encoders",
    "with_vectors",
]
