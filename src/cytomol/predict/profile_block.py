"""Measured profiles of molecules, as a block of features that a learner reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.same_molecule import molecule_key
from cytomol.corpus.align_features import aligned_profiles

__all__ = ["CAUTION", "PREFIX", "ProfileBlock"]

PREFIX = "profile:"
CAUTION = (
    "a profile is a measurement of the molecule itself: answers and scores with profiles do not compare with"
    " those of structure alone"
)
"""What a model that has learnt from measured profiles says of itself."""


@dataclass(frozen=True, eq=False)
class ProfileBlock:
    """Profiles of one modality, one for a molecule: found again by the molecule's connectivity.

    Attributes
    ----------
    name
        The modality.
    columns
        Names of its features.
    values
        Measured values, NaN where not measured, float32, shape (molecules, width).
    place
        Row of each molecule, by its key (see :func:`cytomol.assays.same_molecule.molecule_key`).
    corrected
        The values as a backbone projects them: corrected for plate or library as its training profiles were.
        None where they are the measured ones.

    Examples
    --------
    >>> values = np.array([[0.5, 1.0]], np.float32)
    >>> block = ProfileBlock("morphology", ("a", "b"), values, {molecule_key("CCO"): 0})
    >>> block.of(["OCC", "CCN"]).tolist()
    [[0.5, 1.0], [nan, nan]]
    """

    name: str
    columns: tuple[str, ...]
    values: NDArray[np.float32]
    place: Mapping[str, int] = field(default_factory=dict)
    corrected: NDArray[np.float32] | None = None

    @property
    def key(self) -> str:
        """Name of the block among a learner's blocks."""
        return PREFIX + self.name

    @property
    def projected_key(self) -> str:
        """Name of the block of the same profiles as a backbone projects them."""
        return f"projected:{self.name}"

    @property
    def called(self) -> str:
        """What a message calls the profiles of a model."""
        return f"the profiles {self.name!r} that the model has learnt from"

    def __len__(self) -> int:
        return len(self.values)

    def of(self, smiles: Sequence[str], *, corrected: bool = False) -> NDArray[np.float32]:
        """Return the profile of each molecule, NaN where it has none, shape (n, width).

        ``corrected`` gives what a backbone projects in place of what was measured.
        """
        result = np.full((len(smiles), len(self.columns)), np.nan, np.float32)
        if not self.place:
            return result
        values = self.corrected if corrected and self.corrected is not None else self.values
        rows = np.array([self.place.get(molecule_key(text), -1) for text in smiles], dtype=np.int64)
        result[rows >= 0] = values[rows[rows >= 0]]
        return result

    def empty(self) -> ProfileBlock:
        """Return the modality without any profile, which is what a saved model keeps of it."""
        return replace(self, values=self.values[:0], place={}, corrected=None)

    def aligned(self, to: ProfileBlock, *, where: str) -> ProfileBlock:
        """Return these profiles with the features of another block, in its order and under its name.

        Raises
        ------
        InputError
            If a feature is missing.
        """

        def align(values: NDArray[np.float32]) -> NDArray[np.float32]:
            return aligned_profiles(values, self.columns, to.columns, name=to.called, where=where)

        corrected = None if self.corrected is None else align(self.corrected)
        return ProfileBlock(to.name, to.columns, align(self.values), self.place, corrected)
