"""The training molecules that a prediction rests on: which are nearest, and what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.answer_names import OF_NEAREST
from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import InputError, ModelDirectoryError
from cytomol.predict.texts import Texts

__all__ = ["Evidence", "NearestEvidence", "evidence_columns"]

NEIGHBOURS = 5
_BLOCK = 65536  # queries compared at once: bounds memory to some megabytes
_SIGNS = {-1: "<", 0: "", 1: ">"}


def evidence_columns(tasks: Sequence[str]) -> list[str]:
    """Return the columns that :meth:`NearestEvidence.frame` has for these tasks."""
    return [*OF_NEAREST, *(f"{name}_nearest" for name in tasks)]


@dataclass(frozen=True)
class Evidence:
    """Training molecules and their measured values, kept by a predictor.

    A molecule takes 256 bytes of fingerprint, 9 bytes a task and its own text: a million molecules of one
    task are about 330 MB.

    Attributes
    ----------
    fingerprints
        Packed bits as :func:`~cytomol.predict.uncertainty.domain_fingerprints` makes them, uint8, shape
        (n, 256).
    smiles
        As the table has them.
    ids
        As the table has them, or row numbers.
    measured
        Values, NaN where not measured, float64, shape (n, tasks).
    bounds
        -1 where the true value lies below the written one, 1 where above, else 0; int8, shape (n, tasks).
    """

    fingerprints: NDArray[np.uint8]
    smiles: Texts
    ids: Texts
    measured: NDArray[np.float64]
    bounds: NDArray[np.int8]

    @classmethod
    def fit(
        cls,
        smiles: Sequence[str],
        measured: NDArray[np.float64],
        fingerprints: NDArray[np.uint8],
        *,
        ids: Sequence[str] | None = None,
        bounds: NDArray[np.int8] | None = None,
    ) -> Self:
        """Keep the molecules that have a fingerprint.

        Parameters
        ----------
        smiles, measured, fingerprints, bounds
            One row for each molecule; no bounds means that all values are exact.
        ids
            What the user calls the molecules; None numbers the rows from 1.

        Raises
        ------
        InputError
            If the numbers of rows differ, or no molecule has a fingerprint.
        """
        ids = [str(row + 1) for row in range(len(smiles))] if ids is None else ids
        bounds = np.zeros(measured.shape, dtype=np.int8) if bounds is None else bounds
        if (
            not len(smiles) == len(ids) == len(measured) == len(fingerprints)
            or bounds.shape != measured.shape
        ):
            given = counted(len(smiles), "molecule", comma=False), counted(len(ids), "id", comma=False)
            raise InputError(
                f"{', '.join(given)}, values of shape {measured.shape}, bounds of shape {bounds.shape}, "
                f"{counted(len(fingerprints), 'fingerprint', comma=False)}",
                hint="give one of each for every molecule",
            )
        rows = np.flatnonzero(fingerprints.any(axis=1))
        if not len(rows):
            raise InputError(
                "no training molecule has a fingerprint", hint="give packed bits of valid molecules"
            )
        whole = len(rows) == len(fingerprints)
        return cls(
            # the same array where possible: the domain keeps it too
            np.ascontiguousarray(fingerprints if whole else fingerprints[rows]),
            Texts.of([smiles[row] for row in rows.tolist()]),
            Texts.of([str(ids[row]) for row in rows.tolist()]),
            np.asarray(measured[rows], dtype=np.float64),
            np.asarray(bounds[rows], dtype=np.int8),
        )

    def __len__(self) -> int:
        return len(self.fingerprints)

    def nearest(self, fingerprints: NDArray[np.uint8], k: int = NEIGHBOURS) -> NearestEvidence:
        """Return the k nearest training molecules of each molecule, compared with all of them.

        A row of zeros is no molecule and has none.
        """
        from cytomol.chem.similarity import tanimoto_top_k

        k = min(k, len(self))
        rows = np.full((len(fingerprints), k), -1, dtype=np.int32)
        similarity = np.full((len(fingerprints), k), np.nan, dtype=np.float32)
        for start in range(0, len(fingerprints), _BLOCK):
            asked = np.ascontiguousarray(fingerprints[start : start + _BLOCK])
            part = slice(start, start + len(asked))
            rows[part], similarity[part] = tanimoto_top_k(self.fingerprints, k, queries=asked)
        similarity[~fingerprints.any(axis=1)] = np.nan
        return NearestEvidence(self, rows, similarity)

    def arrays(self, *, with_fingerprints: bool = True) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs; without fingerprints where the domain has the same ones."""
        saved_bits = {"evidence.fingerprints": self.fingerprints} if with_fingerprints else {}
        return {
            **saved_bits,
            **self.smiles.arrays("evidence.smiles"),
            **self.ids.arrays("evidence.ids"),
            "evidence.measured": self.measured,
            "evidence.bounds": self.bounds,
        }

    @classmethod
    def restore(
        cls, arrays: Mapping[str, NDArray[Any]], fingerprints: NDArray[np.uint8] | None = None
    ) -> Self:
        """Rebuild from :meth:`arrays`; ``fingerprints`` are the domain's, where they were not saved twice.

        Raises
        ------
        ModelDirectoryError
            If something is missing or does not fit.
        """
        try:
            bits = arrays["evidence.fingerprints"] if fingerprints is None else fingerprints
            smiles, ids = (Texts.restore(f"evidence.{name}", arrays) for name in ("smiles", "ids"))
            saved = Checked({}, {**arrays, "evidence.fingerprints": bits}, "evidence")
            bits = saved.array("evidence.fingerprints", np.uint8, "rows 256")
            values = saved.array("evidence.measured", np.float64, "rows tasks")
            bounds = saved.array("evidence.bounds", np.int8, "rows tasks", low=-1, high=1)
        except KeyError as error:
            raise ModelDirectoryError(f"lacks what its evidence needs: {error}") from None
        if not len(bits) == len(smiles) == len(ids) == len(values) == len(bounds):
            held = {"fingerprint": len(bits), "molecule": len(smiles), "value": len(values)}
            numbers = ", ".join(counted(number, noun, comma=False) for noun, number in held.items())
            raise ModelDirectoryError(f"its evidence has {numbers}")
        return cls(bits, smiles, ids, values, bounds)


@dataclass(frozen=True)
class NearestEvidence:
    """The nearest training molecules of each molecule asked about.

    Attributes
    ----------
    evidence
        The training molecules.
    rows
        Which of them, nearest first, int32, shape (n, k); -1 where there are fewer that share a bit.
    similarity
        Tanimoto coefficients, float32, shape (n, k); 0 where the row is -1, NaN for no molecule.
    """

    evidence: Evidence
    rows: NDArray[np.int32]
    similarity: NDArray[np.float32]

    @property
    def ids(self) -> list[list[str | None]]:
        """Ids of the k nearest of each molecule; None where there is none."""
        return [[None if row < 0 else self.evidence.ids[row] for row in own] for own in self.rows]

    @property
    def measured(self) -> NDArray[np.float64]:
        """Measured values of the k nearest, float64, shape (n, k, tasks); NaN where not measured."""
        values = self.evidence.measured[self.rows]
        values[self.rows < 0] = np.nan
        return values

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the nearest of consecutive molecules as one."""
        rows, similarity = ([getattr(part, name) for part in parts] for name in ("rows", "similarity"))
        return cls(parts[0].evidence, np.concatenate(rows), np.concatenate(similarity))

    def frame(self, tasks: Sequence[str], classes: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
        """Return a table of :func:`evidence_columns`, one row for each molecule.

        ``TASK_nearest`` is the value of the nearest of the k molecules that has one. In a task with bounds
        it is text, "<0.5" or ">10", as it is for the tasks in ``classes``, which names their values 0, 1, ...
        """
        nearest = self.rows[:, 0]
        exists = nearest >= 0
        ids = [self.evidence.ids[row] if row >= 0 else None for row in nearest]
        smiles = [self.evidence.smiles[row] if row >= 0 else None for row in nearest]
        columns: dict[str, Any] = {
            "nearest_id": pd.Series(ids, dtype=object),
            "nearest_smiles": pd.Series(smiles, dtype=object),
            "nearest_similarity": np.where(exists, self.similarity[:, 0], np.nan).astype(np.float64),
        }
        values, names = self.measured, classes or {}
        for task, name in enumerate(tasks):
            columns[f"{name}_nearest"] = self._nearest_value(values[:, :, task], task, names.get(name))
        return pd.DataFrame(columns)

    def _nearest_value(self, values: NDArray[np.float64], task: int, names: Sequence[str] | None) -> Any:
        """Return a column with the first value of each row of shape (n, k)."""
        known = ~np.isnan(values)
        rows, first = np.arange(len(values)), known.argmax(axis=1)
        value = values[rows, first]
        bounded = bool(self.evidence.bounds[:, task].any())
        if names is None and not bounded:
            return value
        side = self.evidence.bounds[self.rows[rows, first], task]
        texts = [
            None
            if np.isnan(one)
            else names[int(one)]
            if names is not None
            else f"{_SIGNS[int(sign)]}{one:.15g}"
            for one, sign in zip(value, side, strict=True)
        ]
        return pd.Series(texts, dtype=object)
