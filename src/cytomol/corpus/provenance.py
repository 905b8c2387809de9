"""How far profiles can be trusted, and where they were measured: what stands beside them in their table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["LABELS", "RELIABILITY", "Correction", "Provenance"]

Correction = Literal["none", "center", "standardise"]

RELIABILITY = "Metadata_Reliability"
LABELS = ("Metadata_Plate", "Metadata_Batch", "Metadata_Library")
"""Columns that are kept beside the profiles of a corpus; a modality may be corrected by another one."""


@dataclass(frozen=True, eq=False)
class Provenance:
    """What is known of the profiles of a modality besides their values.

    Attributes
    ----------
    reliability
        How far each profile can be trusted, such as the correlation of its replicates, in [-1, 1], float32,
        shape (profiles,); NaN where nobody knows. None where it is known of none.
    labels
        Where each profile was measured, by column (plate, batch, library), text, shape (profiles,) each; ""
        where nobody knows.
    correction
        What training does to profiles of one label: nothing, bring their mean to that of all ("center"), or
        their mean and spread ("standardise").
    by
        Column of the labels by which they are corrected; "" where they are not.

    Examples
    --------
    >>> plates = np.array(["a", "b", "b"], dtype=object)
    >>> about = Provenance(labels={"Metadata_Plate": plates}, correction="center", by="Metadata_Plate")
    >>> about.groups.tolist()
    ['a', 'b', 'b']
    """

    reliability: NDArray[np.float32] | None = None
    labels: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    correction: Correction = "none"
    by: str = ""

    def __post_init__(self) -> None:
        if (self.correction == "none") != (self.by == ""):
            raise InputError(
                f"correction {self.correction!r} by column {self.by!r}",
                hint="a correction needs the column of the plates or libraries, and a column a correction",
            )
        if self.by and self.by not in self.labels:
            known = ", ".join(self.labels) or "none"
            raise InputError(f"profiles cannot be corrected by {self.by!r}", hint=f"columns: {known}")

    def check(self, profiles: int, where: str) -> None:
        """Refuse arrays of another length than the number of profiles, and reliabilities beyond [-1, 1]."""
        arrays = {**self.labels, **({} if self.reliability is None else {RELIABILITY: self.reliability})}
        for name, array in arrays.items():
            if array.shape != (profiles,):
                known = counted(profiles, "profile", comma=False)
                raise InputError(f"{known}, but {name} of shape {array.shape}", where=where)
        if self.reliability is not None and (wrong := ~(np.abs(self.reliability) <= 1)).any():
            wrong &= ~np.isnan(self.reliability)
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise InputError(
                    f"a reliability of {self.reliability[row]:g}",
                    where=f"{where}, row {row + 1}, column {RELIABILITY}",
                    hint="it must lie in [-1, 1], as a correlation does",
                )

    @property
    def groups(self) -> NDArray[np.object_] | None:
        """The label by which each profile is corrected; None where none is."""
        return self.labels[self.by] if self.by else None

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return self.reliability is None and not self.labels

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Return what is known of some of the profiles."""
        return replace(
            self,
            reliability=None if self.reliability is None else self.reliability[keep],
            labels={name: labels[keep] for name, labels in self.labels.items()},
        )

    def frame(self) -> pd.DataFrame:
        """Return the columns as they stand in the table of profiles."""
        columns: dict[str, Any] = dict(self.labels)
        if self.reliability is not None:
            columns = {RELIABILITY: self.reliability, **columns}
        return pd.DataFrame(columns)

    def above(self, other: Self, profiles: tuple[int, int]) -> Self:
        """Return what is known of these profiles and, below, of others; this one's correction stays.

        Parameters
        ----------
        other
            Of the profiles below.
        profiles
            How many profiles each has.
        """
        upper, lower = profiles

        def of(one: Self, name: str, number: int) -> NDArray[np.object_]:
            return one.labels.get(name, np.full(number, "", dtype=object))

        names = dict.fromkeys([*self.labels, *other.labels])
        reliability = None
        if not (self.reliability is None and other.reliability is None):
            parts = [
                np.full(number, np.nan, np.float32) if one.reliability is None else one.reliability
                for one, number in ((self, upper), (other, lower))
            ]
            reliability = np.concatenate(parts)
        labels = {name: np.concatenate([of(self, name, upper), of(other, name, lower)]) for name in names}
        return replace(self, reliability=reliability, labels=labels)
