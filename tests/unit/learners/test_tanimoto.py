from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import TanimotoSimilarity

from cytomol.learners.tanimoto import CountSimilarity, KeptSimilarity, counts_of

SMILES = ["CCO", "CCCCCCO", "c1ccccc1", "c1ccncc1CCN", "C", "CC(C)(C)c1ccccc1O", "OCC(O)C(O)C(O)C(O)CO"]


def min_max(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = np.minimum(a, 16).astype(int), np.minimum(b, 16).astype(int)
    low = np.minimum(a[:, None, :], b[None, :, :]).sum(axis=2)
    high = np.maximum(a[:, None, :], b[None, :, :]).sum(axis=2)
    return np.where(high > 0, low / np.maximum(high, 1), 1.0)


def test_is_what_rdkit_computes_from_counts() -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    molecules = [Chem.MolFromSmiles(text) for text in SMILES]
    counts = np.stack([generator.GetCountFingerprintAsNumPy(mol) for mol in molecules]).astype(np.uint8)
    assert counts.max() <= 16
    sparse = [generator.GetCountFingerprint(mol) for mol in molecules]
    expected = [[TanimotoSimilarity(a, b) for b in sparse] for a in sparse]
    np.testing.assert_allclose(CountSimilarity(counts)(counts), expected, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 6),
    m=st.integers(1, 6),
    width=st.integers(1, 12),
    highest=st.sampled_from([1, 3, 16, 40, 255]),
)
def test_is_sum_of_minima_over_sum_of_maxima(seed: int, n: int, m: int, width: int, highest: int) -> None:
    rng = np.random.default_rng(seed)
    draw = (rng.integers(0, highest + 1, (k, width)) * (rng.random((k, width)) < 0.4) for k in (n, m))
    a, b = (values.astype(np.uint8) for values in draw)
    found = CountSimilarity(b)(a)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, min_max(a, b), atol=1e-6)
    np.testing.assert_allclose(CountSimilarity(a)(b) if n else found.T, found.T, atol=1e-6)


def test_molecules_without_any_count() -> None:
    a = np.array([[0, 0], [1, 2]], dtype=np.uint8)
    np.testing.assert_array_equal(CountSimilarity(a)(a), [[1, 0], [0, 1]])


def test_counts_come_back_from_their_logarithms() -> None:
    counts = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(counts_of(np.log1p(counts.astype(np.float32))), counts)


def test_other_molecules_are_not_taken_for_those_before() -> None:
    rng, kept = np.random.default_rng(0), KeptSimilarity()
    for _ in range(3):
        counts = rng.integers(0, 4, (5, 8)).astype(np.uint8)
        for _ in range(2):
            np.testing.assert_array_equal(kept.to(counts)(counts), CountSimilarity(counts)(counts))
