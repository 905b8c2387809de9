"""One modality of a backbone: its features, and tables of profiles brought into their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.corpus.align_features import aligned_profiles
from cytomol.corpus.typical import TypicalProfile
from cytomol.errors import InputError, ModelDirectoryError

__all__ = ["NamedFeatures", "TrainedModality", "trained_modality"]


class NamedFeatures(Protocol):
    """A modality whose features are known by name."""

    @property
    def name(self) -> str:
        """The modality."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its features, in their order."""

    def aligned(
        self, values: NDArray[np.float32], columns: tuple[str, ...], *, where: str
    ) -> NDArray[np.float32]:
        """Return profiles with these features in their order, shape (n, width)."""


@dataclass(frozen=True)
class TrainedModality:
    """A modality that a backbone has learnt from.

    Attributes
    ----------
    backbone
        The backbone.
    name
        The modality.
    """

    backbone: Backbone
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its features, in the backbone's order."""
        return tuple(self.backbone.modalities[self.name]["columns"])

    @property
    def entity(self) -> str:
        """Whose profiles these are: "molecule" or "gene"."""
        return str(self.backbone.modalities[self.name]["entity"])

    @property
    def typical(self) -> TypicalProfile:
        """Mean and spread of the training profiles.

        Raises
        ------
        ModelDirectoryError
            If the backbone was made before they were kept.
        """
        if self.name not in self.backbone.typical:
            raise ModelDirectoryError(
                f"the backbone does not say what a typical profile of {self.name} is",
                hint="it was made by an earlier version: pretrain it again",
            )
        return self.backbone.typical[self.name]

    @property
    def projected(self) -> bool:
        """Whether the method projects its profiles into the space of the molecules."""
        profiles = self.backbone.method.profiles
        return profiles is not None and self.name in profiles

    def corrected(self, values: NDArray[np.float32], metadata: pd.DataFrame) -> NDArray[np.float32]:
        """Return profiles corrected for plate or library as the training profiles were, shape (n, width).

        Parameters
        ----------
        values
            In measured units, the backbone's features in its order, shape (n, width).
        metadata
            What stands beside them, one row a profile. Profiles of a plate or library that training did not
            know, or of none, stay as they are.
        """
        correction = self.backbone.corrections.get(self.name)
        return values if correction is None else correction.apply_by_metadata(values, metadata)

    def aligned(
        self, values: NDArray[np.float32], columns: tuple[str, ...], *, where: str
    ) -> NDArray[np.float32]:
        """Return profiles with the backbone's features in its order, shape (n, width).

        Parameters
        ----------
        values
            Profiles, shape (n, columns).
        columns
            Names of the features as the table has them; further ones are left out.
        where
            The table, for messages.

        Raises
        ------
        InputError
            If the table lacks a feature that the backbone has learnt from.
        """
        return aligned_profiles(values, columns, self.columns, name=self.name, where=where)


def trained_modality(backbone: Backbone, name: str | None, *, of: str | None = None) -> TrainedModality:
    """Return a modality of a backbone; the only one where none is named.

    Parameters
    ----------
    backbone
        The backbone.
    name
        The modality; None where there is just one to choose.
    of
        "molecule" or "gene" allows modalities of these alone.

    Raises
    ------
    InputError
        If there is no such modality, or several and none is named.
    """
    known = [one for one, about in backbone.modalities.items() if of is None or about["entity"] == of]
    whose = f" of {of}s" if of else ""
    if not known:
        raise InputError(
            f"the model has learnt from no profiles{whose}", hint="pretrain it on a corpus with profiles"
        )
    if name is None:
        if len(known) > 1:
            raise InputError(
                f"the model knows several modalities{whose}", hint=f"choose one: {', '.join(known)}"
            )
        name = known[0]
    if name not in known:
        raise InputError(
            f"the model has learnt from no modality {name!r}{whose}", hint=f"it knows {', '.join(known)}"
        )
    return TrainedModality(backbone, name)
