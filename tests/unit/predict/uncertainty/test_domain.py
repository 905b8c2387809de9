"""Applicability domain: against similarities counted bit by bit, and RDKit's."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from cytomol.errors import InputError
from cytomol.predict.uncertainty import ApplicabilityDomain, domain_fingerprints

SMILES = [
    f"{tail}{ring}" for ring in ("c1ccccc1", "C1CCNCC1", "c1ccsc1") for tail in ("", "CC", "OC", "N", "Cl")
]


def brute(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    left, right = (np.unpackbits(x, axis=1).astype(int) for x in (a, b))
    common = left @ right.T
    return common / np.maximum(left.sum(1)[:, None] + right.sum(1)[None] - common, 1)


def random_bits(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.packbits(rng.random((n, 256)) < rng.uniform(0.02, 0.3, (n, 1)), axis=1)


@pytest.mark.parametrize("block", [1, 7, 65536])
def test_nearest_is_that_of_brute_force(block: int) -> None:
    train, asked = random_bits(60, 0), random_bits(40, 1)
    asked[3] = 0
    asked[4] = train[9]
    domain = ApplicabilityDomain.fit(train)
    nearest, mean, inside = domain.nearest(asked, block=block)
    similarity = brute(asked, train)
    ranked = -np.sort(-similarity, axis=1)
    rows = np.arange(40) != 3
    np.testing.assert_allclose(nearest[rows], ranked[rows, 0], rtol=1e-6)
    np.testing.assert_allclose(mean[rows], ranked[rows, :5].mean(axis=1), rtol=1e-6)
    assert np.isnan(nearest[3])
    assert not inside[3]
    assert nearest[4] == 1
    own = brute(train, train)
    np.fill_diagonal(own, -1)
    assert domain.threshold == pytest.approx(np.quantile(own.max(axis=1), 0.05), rel=1e-6)
    np.testing.assert_array_equal(inside[rows], nearest[rows] >= np.float32(domain.threshold))


def test_fingerprints_are_those_of_rdkit() -> None:
    packed = domain_fingerprints([*SMILES, "not a molecule"], workers=1)
    assert packed.shape == (len(SMILES) + 1, 256)
    assert not packed[-1].any()
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    bits = [generator.GetFingerprint(Chem.MolFromSmiles(s)) for s in SMILES]
    nearest, _, _ = ApplicabilityDomain.fit(packed[1:-1]).nearest(packed[:1])
    assert nearest[0] == pytest.approx(max(DataStructs.BulkTanimotoSimilarity(bits[0], bits[1:])))


def test_the_training_molecules_are_inside_and_others_are_not() -> None:
    packed = domain_fingerprints(SMILES, workers=1)
    domain = ApplicabilityDomain.fit(packed)
    assert domain.nearest(packed)[2].all()
    strange = domain_fingerprints(["FC(F)(F)C(F)(F)I", "[Na+].[Cl-]"], workers=1)
    assert not domain.nearest(strange)[2].any()


def test_few_training_molecules() -> None:
    packed = random_bits(3, 0)
    with pytest.raises(InputError, match="no training molecule"):
        ApplicabilityDomain.fit(np.zeros_like(packed))
    one = ApplicabilityDomain.fit(packed[:1])
    assert one.nearest(packed)[2].tolist() == [True, False, False]
    _, mean, _ = ApplicabilityDomain.fit(packed[:2]).nearest(packed[2:])
    assert mean[0] == pytest.approx(brute(packed[2:], packed[:2]).mean(), rel=1e-6)


def test_no_molecules_at_all() -> None:
    packed = random_bits(3, 0)
    nearest, mean, inside = ApplicabilityDomain.fit(packed).nearest(packed[:0])
    assert len(nearest) == len(mean) == len(inside) == 0


def test_a_threshold_alone_is_read_as_the_limit_of_what_is_inside() -> None:
    fitted = ApplicabilityDomain.fit(random_bits(30, 0).repeat(8, axis=1))
    arrays = {"domain.fingerprints": fitted.fingerprints, "domain.threshold": np.array([0.25])}
    restored = ApplicabilityDomain.restore(arrays)
    assert restored.threshold == 0.25
    np.testing.assert_array_equal(restored.judge(np.array([[0.2], [0.3]], np.float32))[2], [False, True])
