"""The 1D view: Morgan and MACCS fingerprints, as bits and counts, and their packing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from cytomol.errors import ConfigError

__all__ = [
    "MACCS_BITS",
    "maccs",
    "maccs_packed",
    "morgan_bits",
    "morgan_counts",
    "morgan_generator",
    "morgan_packed",
    "pack_bits",
    "packed_width",
    "unpack_bits",
]

MACCS_BITS = 167


@lru_cache(maxsize=16)
def morgan_generator(radius: int, bits: int) -> Any:
    """Return RDKit's generator of Morgan fingerprints, made once for each size."""
    if radius < 0 or bits < 1:
        raise ConfigError(
            f"there is no Morgan fingerprint of radius {radius} and {bits} bits",
            hint="radius >= 0, bits >= 1",
        )
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)


def morgan_bits(mol: Chem.Mol, radius: int = 4, bits: int = 1024) -> NDArray[np.uint8]:
    """Return the Morgan fingerprint (Rogers & Hahn, J. Chem. Inf. Model. 2010) as 0 and 1.

    Parameters
    ----------
    mol
        Sanitized molecule.
    radius
        Bonds around each atom; 4 in both papers' pretraining.
    bits
        Width of the folded fingerprint.

    Returns
    -------
    numpy.ndarray
        uint8, shape (bits,).
    """
    fingerprint: NDArray[np.uint8] = morgan_generator(radius, bits).GetFingerprintAsNumPy(mol)
    return fingerprint


def morgan_packed(mol: Chem.Mol, radius: int = 4, bits: int = 1024) -> bytes:
    """Return `morgan_bits` packed as `pack_bits` does, ceil(bits / 8) bytes."""
    packed: bytes = DataStructs.BitVectToBinaryText(morgan_generator(radius, bits).GetFingerprint(mol))
    return packed


def morgan_counts(mol: Chem.Mol, radius: int = 4, bits: int = 1024) -> NDArray[np.uint8]:
    """Return how often each Morgan environment occurs, uint8, shape (bits,); 255 and more are 255."""
    counts: NDArray[np.uint32] = morgan_generator(radius, bits).GetCountFingerprintAsNumPy(mol)
    clipped: NDArray[np.uint8] = np.minimum(counts, 255).astype(np.uint8)
    return clipped


def maccs(mol: Chem.Mol) -> NDArray[np.uint8]:
    """Return the 166 MACCS keys as RDKit numbers them (bit 0 is never set), uint8, shape (167,)."""
    return unpack_bits(np.frombuffer(maccs_packed(mol), dtype=np.uint8), MACCS_BITS)


def maccs_packed(mol: Chem.Mol) -> bytes:
    """Return `maccs` packed as `pack_bits` does, 21 bytes."""
    packed: bytes = DataStructs.BitVectToBinaryText(rdMolDescriptors.GetMACCSKeysFingerprint(mol))
    return packed


def packed_width(bits: int) -> int:
    """Return the number of bytes that hold ``bits`` bits."""
    return (bits + 7) // 8


def pack_bits(bits: ArrayLike) -> NDArray[np.uint8]:
    """Pack 0/1 values of shape (..., width) into bytes, uint8, shape (..., ceil(width / 8)).

    Bit ``i`` is bit ``i % 8`` (lowest first) of byte ``i // 8``; the unused last bits are 0.
    """
    return np.packbits(np.asarray(bits, dtype=np.uint8), axis=-1, bitorder="little")


def unpack_bits(packed: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Undo `pack_bits`: bytes of shape (..., ceil(width / 8)) to 0/1, uint8, shape (..., width)."""
    return np.unpackbits(packed, axis=-1, count=width, bitorder="little")
