"""The ten nearest neighbours of every molecule, exactly."""

from __future__ import annotations

import numpy as np
import torch
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.settings import Settings

from cytomol.chem.similarity import tanimoto_top_k

_PART = 4096  # queries of the slower ways


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure pairs of molecules compared in a second; every ordered pair counts once."""
    packed = material.fingerprints
    n, part = len(packed), packed[: min(_PART, len(packed))]
    bits = torch.from_numpy(np.unpackbits(packed, axis=1).astype(np.float32))
    counts = bits.sum(dim=1)

    def gemm() -> None:
        for start in range(0, len(part), 1024):
            rows = slice(start, min(start + 1024, len(part)))
            common = bits[rows] @ bits.T
            torch.topk(common / (counts[rows, None] + counts - common), 11)

    variants = [
        Variant("cytomol", lambda: tanimoto_top_k(packed, 10), n * n, "exact; pairs ruled out count too"),
        Variant("matrix products", gemm, len(part) * n, "float32, exact"),
    ]
    try:
        from usearch.index import MetricKind, search
    except ImportError:
        pass
    else:
        few = part[:1024]
        variants.append(
            Variant(
                "usearch, exact",
                lambda: search(packed, few, 11, MetricKind.Tanimoto, exact=True, threads=settings.threads),
                len(few) * n,
            )
        )
    return compare(
        "top-10 Tanimoto neighbours",
        "pairs/s",
        variants,
        repeats=settings.slow_repeats,
        threads=settings.threads,
    ) + compare(
        f"top-10 Tanimoto neighbours of all {n:,}",
        "s",
        [Variant("cytomol", lambda: tanimoto_top_k(packed, 10), 1, "exact")],
        repeats=settings.slow_repeats,
        threads=settings.threads,
        warm=0,
    )
