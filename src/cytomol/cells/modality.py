"""One modality of a backbone: its features, and tables of profiles brought into their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.typical import TypicalProfile
from cytomol.errors import InputError, ModelDirectoryError

__all__ = ["NamedFeatures", "TrainedModality", "aligned_profiles", "trained_modality"]

_NAMED = 5  # features that one message names


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
        if correction is None or correction.by not in metadata:
            return values
        return correction.apply(values, as_ids(metadata[correction.by]).to_numpy(object))

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


def aligned_profiles(
    values: NDArray[np.float32],
    columns: tuple[str, ...],
    wanted: tuple[str, ...],
    *,
    name: str,
    where: str,
) -> NDArray[np.float32]:
    """Return profiles with the wanted features in their order, shape (n, wanted).

    Parameters
    ----------
    values, columns
        Profiles, shape (n, columns), and the names of their features.
    wanted
        Names of the features of the modality ``name``.
    where
        The table, for messages.

    Raises
    ------
    InputError
        If the table lacks a wanted feature.

    Examples
    --------
    >>> values = np.array([[1, 2, 3]], np.float32)
    >>> aligned_profiles(values, ("a", "b", "c"), ("c", "a"), name="morphology", where="plate.csv").tolist()
    [[3.0, 1.0]]
    """
    if columns == wanted:
        return values
    place = {column: number for number, column in enumerate(columns)}
    missing = [column for column in wanted if column not in place]
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        raise InputError(
            f"lacks {len(missing)} of the {len(wanted)} features of {name}: {some}",
            where=where,
            hint=f"the table holds {len(columns)} features, such as {', '.join(columns[:_NAMED])}; "
            "they are matched by name",
        )
    return np.ascontiguousarray(values[:, [place[column] for column in wanted]])


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
