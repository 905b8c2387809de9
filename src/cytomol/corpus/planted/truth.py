"""What was planted: the corpus, its assays, and the truth behind both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.planted.measurements import Readout
from cytomol.corpus.schema import Corpus
from cytomol.errors import InputError

__all__ = ["PlantedCorpus", "Truth"]


@dataclass(frozen=True)
class Truth:
    """What no method sees.

    Attributes
    ----------
    molecules
        One row per molecule: ``mol_id``, ``core`` (SMILES, open), ``chemotype``, ``core_class``,
        ``pharmacophore`` ("" none), ``binds``, ``lipophilicity``, ``target``, ``mechanism``,
        ``family`` (-1 inactive), ``path`` (steps from the root of the tree, "" inactive), ``efficacy``,
        ``explained`` (False where the target does not follow from the structure).
    responses
        Latent response of every molecule, float32 (molecules, response width).
    genes
        One row per gene: ``gene_id``, ``role``, ``target``, ``mechanism``, ``family``.
    gene_responses
        Latent response to every gene's knock-out, float32 (genes, response width).
    targets
        Leaves of the tree: ``target``, ``path``, ``family``, ``mechanism`` and the rule that leads
        there, ``core_class`` and ``pharmacophore``.
    target_responses
        Response to each leaf, float32 (leaves, response width).
    assays
        ``task``, ``driver`` ("structure" or "response"), ``reads``, ``threshold``.
    readouts
        Modality -> how responses turn into its noiseless profiles.
    plates
        Modality -> plate of each of its profiles, int32.
    relations
        Relation -> which of its links are right, bool.
    entities
        Modality -> "molecule" or "gene".
    """

    molecules: pd.DataFrame
    responses: NDArray[np.float32]
    genes: pd.DataFrame
    gene_responses: NDArray[np.float32]
    targets: pd.DataFrame
    target_responses: NDArray[np.float32]
    assays: pd.DataFrame
    readouts: dict[str, Readout]
    plates: dict[str, NDArray[np.int32]]
    relations: dict[str, NDArray[np.bool_]]
    entities: dict[str, str]

    def noiseless(self, modality: str, rows: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return what a perfect instrument would have measured, also where nothing was measured.

        Parameters
        ----------
        modality
            Name of the modality.
        rows
            Molecules (or genes, for their modalities), int64 (n,); None for all.

        Returns
        -------
        ndarray
            float32 (n, width), in the units of the measured values.
        """
        if modality not in self.readouts:
            raise InputError(f"no modality {modality}", hint=f"planted: {', '.join(self.readouts)}")
        responses = self.responses if self.entities[modality] == "molecule" else self.gene_responses
        return self.readouts[modality](responses if rows is None else responses[rows])

    def tasks(self, driver: str) -> list[str]:
        """Return the tasks driven by "structure" or by "response"."""
        return self.assays.loc[self.assays["driver"] == driver, "task"].tolist()


@dataclass(frozen=True)
class PlantedCorpus:
    """A corpus whose truth is known.

    Attributes
    ----------
    corpus
        What methods see in pretraining.
    truth
        What they do not see.
    assays
        ``smiles`` and one column per task: 0, 1, NaN (not measured). Its molecules are in the corpus.
    fold
        "train", "valid" or "test" of each row of ``assays``; no scaffold is in two folds.
    assay_rows
        Corpus row of each row of ``assays``, int64.
    """

    corpus: Corpus
    truth: Truth
    assays: pd.DataFrame
    fold: NDArray[np.object_]
    assay_rows: NDArray[np.int64]
