"""Imputed profiles beside the measured ones of like molecules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.modality import TrainedModality
from cytomol.corpus import read_corpus
from cytomol.errors import InputError
from cytomol.predict.uncertainty import domain_fingerprints
from cytomol.serve.explorer.background import in_background
from cytomol.serve.explorer.page_questions import CellAnswer
from cytomol.serve.served_models import ServedModel

__all__ = ["MeasuredBeside"]

_SHOWN = 4  # measured profiles beside the imputed one
_FARTHEST = 12  # features that are named


@dataclass(frozen=True)
class _Measured:
    """Measured profiles of one modality, in units of the training profiles' spread around their mean."""

    smiles: list[str]
    bits: NDArray[np.uint8]
    values: NDArray[np.float32]


class MeasuredBeside:
    """Measured profiles of a corpus, found by how like their molecules are to a new one.

    Parameters
    ----------
    model
        Whose modalities these are.
    corpus
        Where the measured profiles lie; None for none: the imputed profile then stands alone.

    Examples
    --------
    >>> from cytomol.artifact.backbone import Backbone
    >>> beside = MeasuredBeside(ServedModel("model", "backbone", backbone=Backbone.load("model")), None)
    >>> beside.profiles(CellAnswer("", {}, {}), np.zeros(256, np.uint8))
    []
    """

    def __init__(self, model: ServedModel, corpus: str | Path | None) -> None:
        self._model, self._corpus = model, corpus
        self._measured: dict[str, _Measured] = {}
        self.state = "none" if corpus is None else "waiting"

    def start(self) -> None:
        """Read the corpus in the background."""
        if self._corpus is not None:
            in_background(self.read, self._failed, name="cytomol-profiles")

    def read(self) -> None:
        """Read the corpus.

        Raises
        ------
        InputError
            If it cannot be read, or holds no profile of the model's modalities.
        """
        assert self._corpus is not None
        backbone = self._model.backbone
        if backbone is None:
            raise InputError(
                "the model imputes no profiles to put measured ones beside",
                where=str(self._corpus),
                hint="leave --corpus out",
            )
        corpus = read_corpus(self._corpus)
        for name in self._model.imputed:
            table, trained = corpus.modalities.get(name), TrainedModality(backbone, name)
            if table is None or table.entity != "molecule":
                continue
            values = trained.aligned(table.values, table.columns, where=str(self._corpus))
            values = trained.corrected(values, table.provenance.frame())
            smiles = [corpus.smiles[row] for row in table.rows.tolist()]
            bits = domain_fingerprints(smiles, backbone.feature_options, cache="default")
            self._measured[name] = _Measured(smiles, bits, _standardised(trained, values))
        self.state = "ready"

    def profiles(self, answer: CellAnswer, bits: NDArray[np.uint8]) -> list[dict[str, Any]]:
        """Return the imputed profile of each modality, with measured ones of like molecules.

        Parameters
        ----------
        answer
            What the model expects.
        bits
            Fingerprint of the molecule, uint8, shape (256,).

        Returns
        -------
        A table for each modality: ``expected`` and ``half_width`` of each feature in units of the training
        profiles' spread around their mean, ``farthest`` (the features that lie farthest from it, in measured
        units), and ``measured``: molecules with their likeness and profile.
        """
        assert self._model.backbone is not None
        found = []
        for name, expected in answer.expected.items():
            trained = TrainedModality(self._model.backbone, name)
            if trained.entity != "molecule":
                continue
            spread = np.where(trained.typical.spread > 0, trained.typical.spread, 1)
            apart = _standardised(trained, expected[None])[0]
            order = np.argsort(-np.abs(apart), kind="stable")[:_FARTHEST]
            half = answer.half_width[name]
            found.append(
                {
                    "modality": name,
                    "features": list(trained.columns),
                    "expected": _plain(apart),
                    "half_width": _plain(half / spread),
                    "farthest": [
                        {
                            "feature": trained.columns[column],
                            "expected": float(f"{expected[column]:.4g}"),
                            "half_width": float(f"{half[column]:.3g}"),
                            "mean": float(f"{trained.typical.mean[column]:.4g}"),
                            "apart": round(float(apart[column]), 2),
                        }
                        for column in order.tolist()
                    ],
                    "measured": self._like(name, bits),
                }
            )
        return found

    def _like(self, name: str, bits: NDArray[np.uint8]) -> list[dict[str, Any]]:
        from cytomol.chem.similarity import tanimoto_top_k

        measured = self._measured.get(name)
        if measured is None or not bits.any():
            return []
        rows, alike = tanimoto_top_k(measured.bits, min(_SHOWN, len(measured.bits)), queries=bits[None])
        return [
            {
                "smiles": measured.smiles[row],
                "similarity": round(value, 3),
                "values": _plain(measured.values[row]),
            }
            for row, value in zip(rows[0].tolist(), alike[0].tolist(), strict=True)
            if row >= 0
        ]

    def _failed(self, why: str) -> None:
        self.state = f"failed: {why}"


def _standardised(modality: TrainedModality, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return profiles in units of the training profiles' spread around their mean."""
    typical = modality.typical
    spread = np.where(typical.spread > 0, typical.spread, 1)
    return np.asarray((values - typical.mean) / spread, dtype=np.float32)


def _plain(values: NDArray[np.floating]) -> list[float | None]:
    return [round(value, 2) if np.isfinite(value) else None for value in values.tolist()]
