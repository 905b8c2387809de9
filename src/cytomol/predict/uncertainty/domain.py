"""Applicability domain: how like the training molecules a molecule is.

Similarity to the nearest training molecule is the simplest measure of where a model of structures can be
trusted, and error grows as it falls (Sheridan et al., J. Chem. Inf. Comput. Sci. 2004, 44, 1912).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import InputError, ModelDirectoryError
from cytomol.predict.uncertainty.limits import DomainLimits

if TYPE_CHECKING:
    from cytomol.chem.featurize import FeatureOptions

__all__ = ["ApplicabilityDomain", "domain_fingerprints", "domain_options"]

RADIUS = 2
BITS = 2048
NEIGHBOURS = 5
_PERCENTILE = 0.05
_BLOCK = 65536  # queries compared at once: bounds memory to some megabytes


def domain_options(options: FeatureOptions) -> FeatureOptions:
    """Return the options of the fingerprints by which molecules are near, read as ``options`` say."""
    return options.fingerprint(RADIUS, BITS)


def domain_fingerprints(
    smiles: Sequence[str],
    options: FeatureOptions | None = None,
    *,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """Return packed Morgan fingerprints of radius 2, uint8, shape (n, 256); zeros for invalid molecules.

    ``options`` say how molecules are read.
    """
    from cytomol.chem.featurize import FeatureOptions, featurize

    wanted = domain_options(options or FeatureOptions())
    store = featurize(smiles, wanted, workers=workers, cache=cache, progress=progress)
    return np.asarray(store.blocks["morgan"], dtype=np.uint8)


@dataclass(frozen=True)
class ApplicabilityDomain:
    """The training molecules, and how near to them a molecule must be.

    Attributes
    ----------
    fingerprints
        Packed bits of the training molecules, uint8, shape (n, bits / 8).
    limits
        From which similarity to the nearest of them on a molecule is inside, at the edge or outside.
    """

    fingerprints: NDArray[np.uint8]
    limits: DomainLimits

    @classmethod
    def fit(cls, fingerprints: NDArray[np.uint8], limits: DomainLimits | None = None) -> Self:
        """Keep the training molecules; without limits, measure how near they are to each other.

        The limit is then the 5th percentile of the similarity of each to the nearest other one. All pairs
        are compared up to 200,000 molecules; above, neighbours come from an index that may miss a nearest
        one, which can only lower the limit. A single molecule has a limit of 1.

        Raises
        ------
        InputError
            If no row has a set bit.
        """
        from cytomol.chem.similarity import structural_neighbours

        rows = fingerprints.any(axis=1)
        filled = np.ascontiguousarray(fingerprints if rows.all() else fingerprints[rows])  # one array, shared
        if not len(filled):
            raise InputError(
                "no training molecule has a fingerprint", hint="give packed bits of valid molecules"
            )
        if limits is not None:
            return cls(filled, limits)
        if len(filled) == 1:
            return cls(filled, DomainLimits.at(1.0))
        nearest = structural_neighbours(filled, 1).similarity[:, 0]
        return cls(filled, DomainLimits.at(float(np.quantile(nearest, _PERCENTILE))))

    @property
    def threshold(self) -> float:
        """Least similarity to the nearest training molecule that is not outside."""
        return self.limits.outside

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
        return self.judge(similarity)

    def judge(
        self, similarity: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return what :meth:`nearest` does, from similarities with the nearest found before, shape (m, k)."""
        own = similarity[:, :NEIGHBOURS]
        in_domain: NDArray[np.bool_] = self.limits.places(own[:, 0]) > 0
        return own[:, 0], own.mean(axis=1), in_domain

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs."""
        return {"domain.fingerprints": self.fingerprints, "domain.limits": self.limits.values()}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`; 0.1 wrote a single threshold."""
        saved = Checked({}, arrays, "domain")
        fingerprints = saved.array("domain.fingerprints", np.uint8, f"rows {BITS // 8}")
        if not len(fingerprints):
            raise ModelDirectoryError("domain: there are no training molecules")
        if "domain.limits" in arrays:
            limits = saved.array("domain.limits", np.float64, "4", low=0, high=1e300)
            if np.isnan(limits[[0, 1, 3]]).any():
                raise ModelDirectoryError("domain: a limit is missing")
            return cls(fingerprints, DomainLimits.restore(limits))
        threshold = saved.array("domain.threshold", np.float64, "1", finite=True)
        return cls(fingerprints, DomainLimits.at(float(threshold[0])))
