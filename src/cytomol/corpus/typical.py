"""What a profile of a modality looks like when nothing is known of its molecule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.corpus.scaling import FeatureScaler

__all__ = ["TypicalProfile"]


@dataclass(frozen=True, eq=False)
class TypicalProfile:
    """Mean and spread of the training profiles.

    Attributes
    ----------
    mean, spread
        Of each feature, in measured units, float32, shape (width,); 0 where no profile holds it.
    scaled
        Mean of each feature on the axis that decoders learn, float32, shape (width,).
    profiles
        How many there were.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    scaled: NDArray[np.float32]
    profiles: int

    @classmethod
    def fit(cls, values: NDArray[np.float32], scaler: FeatureScaler) -> Self:
        """Learn from training profiles in measured units, shape (n, width); NaN where not measured.

        Examples
        --------
        >>> import numpy as np
        >>> values = np.array([[0.0], [2.0], [np.nan]], np.float32)
        >>> TypicalProfile.fit(values, FeatureScaler.fit(values)).mean.tolist()
        [1.0]
        """
        mean = _means(values)
        spread = np.sqrt(_means((values - mean) ** 2))
        return cls(mean, spread, _means(np.clip(scaler.transform(values), 0, 1)), len(values))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved."""
        return {
            "mean": self.mean,
            "spread": self.spread,
            "scaled": self.scaled,
            "profiles": np.array([self.profiles], np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        saved = Checked({}, arrays, "typical profile")
        mean, spread, scaled = (
            saved.array(name, np.float32, "width", missing=False) for name in ("mean", "spread", "scaled")
        )
        return cls(mean, spread, scaled, int(saved.array("profiles", np.int64, "1", low=0)[0]))


def _means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the measured entries of each column; 0 without any."""
    measured = ~np.isnan(values)
    total = np.where(measured, values, 0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(measured.sum(axis=0), 1), dtype=np.float32)
