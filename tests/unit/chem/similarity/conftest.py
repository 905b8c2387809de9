"""Fingerprints of molecules as a corpus holds them: series of look-alikes, repeats, unreadable ones."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem.fingerprints import morgan_packed
from cytomol.corpus.planted.library import sample_molecules


@pytest.fixture(scope="session")
def fingerprints() -> np.ndarray:
    """1,500 molecules; 100 of them repeat others, rows 7 and 800 are empty."""
    smiles = sample_molecules(1400, np.random.default_rng(0))["smiles"]
    rows = [np.frombuffer(morgan_packed(Chem.MolFromSmiles(text)), np.uint8) for text in smiles]
    packed = np.stack([*rows, *rows[200:300]])
    packed[[7, 800]] = 0
    return packed
