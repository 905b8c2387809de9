from __future__ import annotations

import numpy as np
import pytest
from rdkit import DataStructs
from rdkit.ML.Cluster import Butina

from cytomol.chem.fingerprints import pack_bits
from cytomol.chem.similarity import butina_clusters
from cytomol.errors import InputError


def families(n: int, seed: int) -> np.ndarray:
    """Rows of 128 bits that differ from one of six parents in a few places."""
    generator = np.random.default_rng(seed)
    parents = generator.random((6, 128)) < 0.3
    rows = parents[generator.integers(0, 6, n)]
    return rows ^ (generator.random((n, 128)) < 0.04)


@pytest.mark.parametrize("minimum", [0.3, 0.55, 0.8])
def test_clusters_are_butinas(minimum: float) -> None:
    bits = families(150, 1)
    vectors = [DataStructs.CreateFromBitString("".join("01"[int(bit)] for bit in row)) for row in bits]
    distances = [
        1 - DataStructs.TanimotoSimilarity(vectors[i], vectors[j]) for i in range(150) for j in range(i)
    ]
    wanted = Butina.ClusterData(distances, 150, 1 - minimum, isDistData=True)
    ours = butina_clusters(pack_bits(bits), minimum)
    sizes = np.sort(np.bincount(ours))[::-1]
    assert sizes[0] == len(wanted[0])
    assert sizes.sum() == 150
    # among rows of equally many neighbours the order is free, so single clusters may differ
    assert abs(len(sizes) - len(wanted)) <= 0.05 * len(wanted) + 1


def test_the_first_cluster_is_the_row_with_most_neighbours_and_they() -> None:
    bits = families(80, 2)
    common = bits.astype(int) @ bits.T.astype(int)
    counts = bits.sum(axis=1)
    similarity = common / (counts[:, None] + counts[None, :] - common)
    clusters = butina_clusters(pack_bits(bits), 0.5)
    near = similarity >= 0.5
    first = int(np.argmax(near.sum(axis=1)))
    np.testing.assert_array_equal(clusters == 0, near[first])


def test_rows_without_bits_are_alone() -> None:
    bits = np.zeros((4, 64), bool)
    bits[0, :5] = bits[2, :5] = True
    clusters = butina_clusters(pack_bits(bits), 0.5)
    assert clusters[0] == clusters[2]
    assert len(set(clusters.tolist())) == 3


def test_a_similarity_outside_of_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match="minimum similarity 0"):
        butina_clusters(np.zeros((2, 8), np.uint8), 0)
