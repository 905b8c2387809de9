"""Which value of a cell is explained: from names to what computes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.explain.explained_value import (
    ExplainedValue,
    ImputedFeature,
    ProfileDirection,
    ProfileMatch,
    ProfileNorm,
)
from cytomol.cells.modality import TrainedModality, trained_modality
from cytomol.cells.profile_stream import read_profile_chunks
from cytomol.cells.space import CellSpace
from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["ValueChoice", "choose_value"]


@dataclass(frozen=True)
class ValueChoice:
    """Names of what is explained.

    Attributes
    ----------
    modality
        Whose profile; None for the only one.
    feature
        A feature of the imputed profile.
    what
        "direction" or "norm" of it.
    profile
        Table with the measured profile that molecules are matched to.
    profile_row
        Row of it, counted from 1; None for the only one.
    """

    modality: str | None = None
    feature: str | None = None
    what: str | None = None
    profile: str | Path | None = None
    profile_row: int | None = None


def choose_value(backbone: Backbone, choice: ValueChoice) -> ExplainedValue:
    """Return what computes the value that is asked for; by default the direction of the imputed profile.

    Raises
    ------
    InputError, ConfigError
        If the backbone has no such modality or feature, cannot impute it, or the table does not fit.
    """
    modality = trained_modality(backbone, choice.modality)
    if choice.feature is not None:
        return ImputedFeature(modality, choice.feature)
    if choice.profile is not None:
        profile = measured_profile(choice.profile, modality, choice.profile_row)
        return ProfileMatch(CellSpace.of(modality), profile)
    return ProfileNorm(modality) if choice.what == "norm" else ProfileDirection(modality)


def measured_profile(path: str | Path, modality: TrainedModality, row: int | None) -> NDArray[np.float32]:
    """Return one profile of a table in measured units, shape (width,).

    Raises
    ------
    InputError
        If the table holds several and none is chosen, or fewer than ``row``.
    """
    found: NDArray[np.float32] | None = None
    rows = 0
    for chunk in read_profile_chunks(path, modality):
        wanted = (row or 1) - 1 - chunk.start
        if 0 <= wanted < len(chunk):
            found = chunk.values[wanted]
        rows = chunk.start + len(chunk)
    if row is None and rows > 1:
        raise InputError(
            f"holds {rows:,} profiles, and a match is to one",
            where=str(path),
            hint="choose with --profile-row N",
        )
    if found is None:
        raise InputError(f"has no row {row or 1:,}: it holds {counted(rows, 'profile')}", where=str(path))
    return found
