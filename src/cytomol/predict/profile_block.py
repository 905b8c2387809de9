"""Measured profiles of molecules, as a block of features that a learner reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.same_molecule import molecule_key
from cytomol.errors import InputError

__all__ = ["PREFIX", "ProfileBlock"]

PREFIX = "profile:"
_NAMED = 5  # features that one message names


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

    @property
    def key(self) -> str:
        """Name of the block among a learner's blocks."""
        return PREFIX + self.name

    @property
    def projected_key(self) -> str:
        """Name of the block of the same profiles as a backbone projects them."""
        return f"projected:{self.name}"

    def __len__(self) -> int:
        return len(self.values)

    def of(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Return the profile of each molecule, NaN where it has none, shape (n, width)."""
        result = np.full((len(smiles), len(self.columns)), np.nan, np.float32)
        if not self.place:
            return result
        rows = np.array([self.place.get(molecule_key(text), -1) for text in smiles], dtype=np.int64)
        result[rows >= 0] = self.values[rows[rows >= 0]]
        return result

    def empty(self) -> ProfileBlock:
        """Return the modality without any profile, which is what a saved model keeps of it."""
        return replace(self, values=self.values[:0], place={})

    def aligned(self, to: ProfileBlock, *, where: str) -> ProfileBlock:
        """Return these profiles with the features of another block, in its order and under its name.

        Raises
        ------
        InputError
            If a feature is missing.
        """
        at = {column: number for number, column in enumerate(self.columns)}
        missing = [column for column in to.columns if column not in at]
        if missing:
            some = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
            raise InputError(
                f"lacks {len(missing)} of the {len(to.columns)} features of the profiles {to.name!r} that the"
                f" model has learnt from: {some}",
                where=where,
                hint=f"it holds {len(self.columns)} features, such as {', '.join(self.columns[:_NAMED])};"
                " they are matched by name",
            )
        values = np.ascontiguousarray(self.values[:, [at[column] for column in to.columns]])
        return ProfileBlock(to.name, to.columns, values, self.place)
