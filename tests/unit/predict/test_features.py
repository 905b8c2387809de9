"""The blocks of a learner against RDKit, where its bits are others than the backbone's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import MACCSkeys, rdFingerprintGenerator

from cytomol.artifact.backbone import Backbone
from cytomol.predict.features import MoleculeFeatures

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "not a molecule", "C1CCNCC1CCO"]
VALID = [0, 1, 3]


def rdkit(radius: int, bits: int) -> np.ndarray:
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    molecules = [Chem.MolFromSmiles(SMILES[row]) for row in VALID]
    return np.array(
        [
            np.concatenate([morgan.GetFingerprintAsNumPy(m), np.array(MACCSkeys.GenMACCSKeys(m))])
            for m in molecules
        ]
    )


@pytest.mark.parametrize("radius", [None, 0, 1, 2, 4])
@pytest.mark.parametrize("method", ["chmr", "infoalign", None])
def test_bits_are_rdkits_of_the_chosen_radius(
    untrained: dict[str, Path], method: str | None, radius: int | None
) -> None:
    backbone = None if method is None else Backbone.load(untrained[method])
    blocks = ("1d",) if backbone is None else ("embedding", "1d")
    features = MoleculeFeatures.build(blocks, backbone, bits_radius=radius)
    store = features.store(SMILES, workers=1, cache=None)
    found = features.raw(store)["1d"]
    own, bits = (4, 1024) if backbone is None else (2, 64)
    np.testing.assert_array_equal(found[VALID], rdkit(own if radius is None else radius, bits))
    assert np.isnan(found[2]).all()


def test_the_embedding_keeps_the_backbones_bits(untrained: dict[str, Path]) -> None:
    backbone = Backbone.load(untrained["chmr"])
    features = MoleculeFeatures.build(("embedding", "1d"), backbone, bits_radius=1)
    found = features.raw(features.store(SMILES, workers=1, cache=None))["embedding"]
    np.testing.assert_array_equal(found, backbone.embed(SMILES)[0])
