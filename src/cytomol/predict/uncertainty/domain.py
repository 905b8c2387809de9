"""Applicability domain: how like the training molecules a molecule is.

Similarity to the nearest training molecule is the simplest measure of where a model of structures can be
trusted, and error grows as it falls (Sheridan et al., J. Chem. Inf. Comput. Sci. 2004, 44, 1912).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import InputError

if TYPE_CHECKING:
    from cytomol.chem.featurize import FeatureOptions

__all__ = ["ApplicabilityDomain", "domain_fingerprints"]

RADIUS = 2
BITS = 2048
NEIGHBOURS = 5
_PERCENTILE = 0.05
_BLOCK = 65536  # queries compared at once: bounds memory to some megabytes


def domain_fingerprints(
    smiles: Sequence[str],
    options: FeatureOptions | None = None,
    *,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = None,
) -> NDArray[np.uint8]:
    """Return packed Morgan fingerprints of radius 2, uint8, shape (n, 256); zeros for invalid molecules.

    ``options`` say how molecules are read.
    """
    from cytomol.chem.featurize import FeatureOptions, featurize

    wanted = (options or FeatureOptions()).fingerprint(RADIUS, BITS)
    store = featurize(smiles, wanted, workers=workers, cache=cache)
    return np.asarray(store.blocks["morgan"], dtype=np.uint8)


@dataclass(frozen=True)
class ApplicabilityDomain:
    """The training molecules, and how near to them a molecule must be.

    Attributes
    ----------
    fingerprints
        Packed bits of the training molecules, uint8, shape (n, bits / 8).
    threshold
        Least similarity to the nearest training molecule inside the domain: the 5th percentile of what
        the training molecules have to each other, each compared with all but itself.
    """

    fingerprints: NDArray[np.uint8]
    threshold: float

    @classmethod
    def fit(cls, fingerprints: NDArray[np.uint8]) -> Self:
        """Measure how near the training molecules are to each other.

        All pairs are compared up to 200,000 molecules; above, neighbours come from an index that may miss
        a nearest one, which can only lower the threshold. A single molecule has a threshold of 1.

        Raises
        ------
        InputError
            If no row has a set bit.
        """
        from cytomol.chem.similarity import structural_neighbours

        filled = np.ascontiguousarray(fingerprints[fingerprints.any(axis=1)])
        if not len(filled):
            raise InputError(
                "no training molecule has a fingerprint", hint="give packed bits of valid molecules"
            )
        if len(filled) == 1:
            return cls(filled, 1.0)
        nearest = structural_neighbours(filled, 1).similarity[:, 0]
        return cls(filled, float(np.quantile(nearest, _PERCENTILE)))

    def nearest(
        self, fingerprints: NDArray[np.uint8], *, block: int = _BLOCK
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Compare molecules with the training molecules, exactly.

        Parameters
        ----------
        fingerprints
            Packed bits, uint8, shape (m, bits / 8); a row of zeros is no molecule.
        block
            Molecules compared at once; it does not change the answer.

        Returns
        -------
        nearest
            Tanimoto coefficient with the nearest training molecule, float32, shape (m,); NaN for zeros.
        mean
            Mean over the 5 nearest, or over all where there are fewer, float32, shape (m,).
        in_domain
            Whether the nearest reaches the threshold, bool, shape (m,).
        """
        from cytomol.chem.similarity import tanimoto_top_k

        k = min(NEIGHBOURS, len(self.fingerprints))
        similarity = np.empty((len(fingerprints), k), dtype=np.float32)
        for start in range(0, len(fingerprints), block):
            asked = np.ascontiguousarray(fingerprints[start : start + block])
            similarity[start : start + block] = tanimoto_top_k(self.fingerprints, k, queries=asked)[1]
        similarity[~fingerprints.any(axis=1)] = np.nan
        # the threshold is a quantile in double precision of single-precision values, so it may lie a
        # rounding above the very value that it is
        in_domain: NDArray[np.bool_] = similarity[:, 0] >= np.float32(self.threshold)
        return similarity[:, 0], similarity.mean(axis=1), in_domain

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs."""
        return {"domain.fingerprints": self.fingerprints, "domain.threshold": np.array([self.threshold])}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Undo :meth:`arrays`."""
        return cls(arrays["domain.fingerprints"], float(arrays["domain.threshold"][0]))
