"""Profiles of one plate or library brought to what is common to all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import as_ids
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError

__all__ = ["FEWEST", "GroupCorrection", "Way"]

FEWEST = 8
"""Training profiles that a group needs for statistics of its own."""

Way = Literal["center", "standardise"]


@dataclass(frozen=True, eq=False)
class GroupCorrection:
    """One map a group and feature, which takes the group's training mean (and spread) to those of all.

    ``center``: x - m_g + m. ``standardise``: (x - m_g) / s_g * s + m. Here m and s are mean and standard
    deviation of all training profiles, m_g and s_g those of the group, so that corrected profiles stay in
    measured units. A group with fewer than eight training values of a feature, one that training did not see
    and a profile without a group have the statistics of all, which leaves their values as they are. A feature
    that is constant in its group is centred alone. NaN stays NaN.

    Attributes
    ----------
    way
        "center" or "standardise".
    by
        Column that names the group.
    groups
        Names of the groups, sorted.
    shift, factor
        Corrected value = x * factor + shift, float64, shape (groups, width).

    References
    ----------
    Standardisation by plate as Cell Painting has it: Caicedo et al., "Data-analysis strategies for
    image-based cell profiling", Nature Methods 14 (2017).

    Examples
    --------
    >>> values = np.array([[0.0]] * 8 + [[10.0]] * 8, np.float32)
    >>> plates = np.array(["a"] * 8 + ["b"] * 8, dtype=object)
    >>> correction = GroupCorrection.fit(values, plates, "center", by="Metadata_Plate")
    >>> new = np.array([[0.0], [10.0], [7.0]], np.float32)
    >>> correction.apply(new, ["a", "b", "elsewhere"]).ravel().tolist()
    [5.0, 5.0, 7.0]
    """

    way: Way
    by: str
    groups: tuple[str, ...]
    shift: NDArray[np.float64]
    factor: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.shift.shape[1])

    @classmethod
    def fit(cls, values: NDArray[np.float32], groups: NDArray[np.object_], way: Way, *, by: str) -> Self:
        """Learn from training profiles.

        Parameters
        ----------
        values
            Shape (n, width); NaN where not measured.
        groups
            Plate or library of each, "" where unknown, text, shape (n,).
        way
            "center" or "standardise".
        by
            Column that names the group.

        Raises
        ------
        ConfigError
            If the way is unknown.
        """
        if way not in get_args(Way):
            raise ConfigError(f"unknown correction {way!r}", hint=f"known: {', '.join(get_args(Way))}")
        names = tuple(sorted({str(group) for group in groups} - {""}))
        mean, spread, _ = _moments(values)
        shift = np.zeros((len(names), values.shape[1]))
        factor = np.ones_like(shift)
        for place, name in enumerate(names):
            own_mean, own_spread, count = _moments(values[groups == name])
            if way == "standardise":
                factor[place] = np.where(
                    (own_spread > 0) & (spread > 0), spread / np.fmax(own_spread, 1e-300), 1
                )
            shift[place] = mean - own_mean * factor[place]
            unknown = count < FEWEST
            factor[place, unknown], shift[place, unknown] = 1, 0
        return cls(way, by, names, shift, factor)

    def apply(
        self, values: NDArray[np.float32], groups: NDArray[np.object_] | list[str]
    ) -> NDArray[np.float32]:
        """Return corrected profiles, float32, shape (n, width); see the class for groups that are unknown.

        Parameters
        ----------
        values
            In measured units, shape (n, width).
        groups
            Plate or library of each, shape (n,).
        """
        place, known = self._places(values, groups)
        corrected = np.array(values, np.float32)
        rows = values[known].astype(np.float64)
        corrected[known] = rows * self.factor[place[known]] + self.shift[place[known]]
        return corrected

    def apply_by_metadata(self, values: NDArray[np.float32], metadata: pd.DataFrame) -> NDArray[np.float32]:
        """Return profiles corrected by the column :attr:`by` of what stands beside them; as they are without.

        Parameters
        ----------
        values
            In measured units, shape (n, width).
        metadata
            One row a profile.
        """
        if self.by not in metadata:
            return values
        return self.apply(values, as_ids(metadata[self.by]).to_numpy(object))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved; names as the bytes of JSON."""
        names = json.dumps({"way": self.way, "by": self.by, "groups": self.groups}).encode()
        return {"shift": self.shift, "factor": self.factor, "names": np.frombuffer(names, np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`.

        Raises
        ------
        InputError
            If the arrays do not fit each other.
        """
        try:
            names = json.loads(bytes(np.asarray(arrays["names"], np.uint8)).decode())
            way, by, groups = names["way"], str(names["by"]), tuple(map(str, names["groups"]))
            shift, factor = (np.asarray(arrays[name], np.float64) for name in ("shift", "factor"))
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"the correction by plate or library cannot be read: {error}") from None
        if way not in get_args(Way) or shift.shape != factor.shape or shift.shape[:1] != (len(groups),):
            raise InputError("the correction by plate or library does not fit its groups")
        return cls(way, by, groups, shift, factor)

    def _places(
        self, values: NDArray[np.float32], groups: NDArray[np.object_] | list[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the place of each profile's group, and which profiles have one."""
        if values.ndim != 2 or values.shape[1] != self.width or len(groups) != len(values):
            raise InputError(
                f"profiles of shape {values.shape} with {counted(len(groups), 'group', comma=False)}",
                hint=f"the correction was fitted on {counted(self.width, 'feature', comma=False)}",
            )
        place = pd.Index(self.groups, dtype=object).get_indexer(pd.Index(list(groups), dtype=object))
        return place.astype(np.int64), place >= 0


def _moments(
    values: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return mean, standard deviation and number of the measured entries of each column; 0 without any."""
    measured = ~np.isnan(values)
    count = measured.sum(axis=0)
    filled = np.where(measured, values, 0).astype(np.float64)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    apart = np.where(measured, filled - mean, 0)
    return mean, np.sqrt(np.square(apart).sum(axis=0) / np.maximum(count, 1)), count
