"""The blocks of a learner against RDKit, where its bits are others than the backbone's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors, MACCSkeys, rdFingerprintGenerator

from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.chem.descriptors import DESCRIPTOR_NAMES
from cytomol.chem.featurize import featurize
from cytomol.predict.molecule_features import MoleculeFeatures

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


@pytest.mark.parametrize("radius", [0, 1, 3])
@pytest.mark.parametrize("method", ["chmr", None])
def test_counts_are_rdkits_of_the_chosen_radius(
    untrained: dict[str, Path], method: str | None, radius: int
) -> None:
    backbone = None if method is None else Backbone.load(untrained[method])
    blocks = ("counts",) if backbone is None else ("embedding", "counts")
    features = MoleculeFeatures.build(blocks, backbone, counts_radius=radius)
    found = features.raw(features.store(SMILES, workers=1, cache=None))["counts"]
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=1024)
    counts = [morgan.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(SMILES[row])) for row in VALID]
    np.testing.assert_allclose(found[VALID], np.log1p(np.array(counts, dtype=np.float64)), rtol=1e-6)
    assert np.isnan(found[2]).all()


def test_descriptors_are_rdkits_to_single_precision() -> None:
    features = MoleculeFeatures.build(("descriptors",), None)
    found = features.raw(features.store(SMILES, workers=1, cache=None))["descriptors"]
    # 180.159 is no number of half precision
    for name in ("MolWt", "ExactMolWt", "MolLogP", "TPSA", "BertzCT"):
        expected = [getattr(Descriptors, name)(Chem.MolFromSmiles(SMILES[row])) for row in VALID]
        np.testing.assert_allclose(found[VALID, DESCRIPTOR_NAMES.index(name)], expected, rtol=1e-6)


@pytest.mark.parametrize("radius", [1, 2])
def test_molecules_alike_within_the_radius_are_answered_alike(radius: int) -> None:
    """In two amines of eight carbons every atom has the same neighbours, but not the same second ones."""
    from cytomol.predict.config import FinetuneConfig
    from cytomol.predict.finetune import finetune

    smiles = [f"{'C' * left}N{'C' * right}" for left in range(1, 5) for right in range(4)]
    labels = Labels.of_kind(("y",), np.arange(16.0)[:, None], "regression")
    config = FinetuneConfig.build({"features": "counts", "counts_radius": radius, "epochs": 2, "hidden": 8})
    folds = np.array(["train", "train", "valid", "train"] * 4)
    predictor = finetune(smiles, labels, config, folds=folds, workers=1).predictor
    one, other = predictor.predict(["CCCCNCCCC", "CCCNCCCCC"], workers=1).values[:, 0]
    assert (one == other) == (radius == 1)


@pytest.mark.parametrize("blocks", [("1d", "counts"), ("counts",), ("maccs",)])
def test_further_ways_come_with_the_blocks_own(blocks: tuple[str, ...]) -> None:
    features = MoleculeFeatures.build(blocks, None, bits_radius=1)
    bits = features.options.fingerprint(2, 2048)
    store, (further,) = features.stores(SMILES, [bits], workers=1, cache=None)
    alone = features.store(SMILES, workers=1, cache=None)
    assert store.blocks.keys() == alone.blocks.keys()
    for name, block in store.blocks.items():
        np.testing.assert_array_equal(block, alone.blocks[name])
    np.testing.assert_array_equal(
        further.dense("morgan"), featurize(SMILES, bits, cache=None).dense("morgan")
    )
    assert len(features.needed) == 1 + ("1d" in blocks) + ("counts" in blocks)
