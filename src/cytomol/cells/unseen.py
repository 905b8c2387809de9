"""Molecules with measured profiles of a modality, one a connectivity, to calibrate or to score on."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.modality import TrainedModality
from cytomol.chem.parse import parse_smiles
from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.corpus.identifiers import SMILES, plain_name
from cytomol.corpus.readers import read_profiles
from cytomol.corpus.schema import Corpus
from cytomol.corpus.structures import BLOCK, block_of
from cytomol.errors import InputError

__all__ = ["MeasuredMolecules"]


@dataclass(frozen=True, eq=False)
class MeasuredMolecules:
    """Molecules that can be read and have a measured profile, one row a connectivity.

    Attributes
    ----------
    smiles
        Of each molecule.
    blocks
        First block of its InChIKey.
    scaffolds
        Its Bemis-Murcko scaffold, "" without rings.
    values
        Profile in measured units, the modality's features in its order, float32, shape (n, width): the first
        of its profiles, or their mean.
    left_out
        Rows that are no molecule, or further ones of a connectivity.
    """

    smiles: list[str]
    blocks: list[str]
    scaffolds: list[str]
    values: NDArray[np.float32]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.smiles)

    def take(self, keep: NDArray[np.bool_]) -> Self:
        """Return some of the molecules."""
        rows = np.flatnonzero(keep)
        texts = ([every[row] for row in rows] for every in (self.smiles, self.blocks, self.scaffolds))
        smiles, blocks, scaffolds = texts
        return type(self)(smiles, blocks, scaffolds, self.values[rows], self.left_out)

    @classmethod
    def of_rows(
        cls,
        smiles: Sequence[str],
        values: NDArray[np.float32],
        *,
        among: Collection[str] | None = None,
        beyond: Collection[str] = (),
        averaged: bool = False,
    ) -> Self:
        """Return the molecules of rows.

        Parameters
        ----------
        smiles
            Of each row.
        values
            Profile of each row, shape (rows, width).
        among
            First blocks of InChIKeys: the other molecules are left out; None takes all.
        beyond
            First blocks of InChIKeys: these molecules are left out.
        averaged
            Take the mean of a molecule's profiles, which holds less noise than what is measured once; by
            default the first, which is one measurement like another.
        """
        chosen: dict[str, list[int]] = {}
        wanted = 0
        for row, text in enumerate(smiles):
            block = block_of(text) if parse_smiles(text).mol is not None else ""
            if block in beyond or (among is not None and block and block not in among):
                continue
            wanted += 1
            if block and not np.isnan(values[row]).all():
                chosen.setdefault(block, []).append(row)
        first = [rows[0] for rows in chosen.values()]
        kept = [smiles[row] for row in first]
        profiles = values[first]
        for place, rows in enumerate(chosen.values()):
            if averaged and len(rows) > 1:
                with warnings.catch_warnings():  # a feature that no profile of the molecule has stays NaN
                    warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
                    profiles[place] = np.nanmean(values[rows], axis=0)
        scaffolds = [murcko_scaffold(text) for text in kept]
        return cls(kept, list(chosen), scaffolds, profiles, wanted - len(kept))

    @classmethod
    def of_corpus(cls, corpus: Corpus, modality: TrainedModality, *, where: str, **which: Any) -> Self:
        """Return the molecules of a corpus that have a profile of a modality; see :meth:`of_rows`.

        Raises
        ------
        InputError
            If the corpus has no such modality of molecules, or one with other features.
        """
        table = corpus.modalities.get(modality.name)
        if table is None or table.entity != "molecule":
            raise InputError(
                f"holds no profiles of molecules called {modality.name}",
                where=where,
                hint=f"it has {', '.join(corpus.modalities) or 'none'}",
            )
        values = modality.aligned(table.values, table.columns, where=where)
        values = modality.corrected(values, table.provenance.frame())
        smiles, among = corpus.smiles, which.get("among")
        keep = np.arange(len(table))
        if among is not None and "inchikey" in corpus.molecules:  # keys take a while to compute
            keys = corpus.molecules["inchikey"].fillna("").to_numpy(str)[table.rows]
            keep = np.flatnonzero([not key or key[:BLOCK] in among for key in keys])
        return cls.of_rows([smiles[row] for row in table.rows[keep]], values[keep], **which)

    @classmethod
    def of_table(
        cls, path: str | Path, modality: TrainedModality, *, among: Collection[str] | None = None
    ) -> Self:
        """Return the molecules of a table of profiles that has a column of SMILES; see :meth:`of_rows`.

        Raises
        ------
        InputError
            If the table lacks features of the modality, or has no SMILES.
        """
        table = read_profiles(path)
        column = next((name for name in table.metadata if plain_name(str(name)) in SMILES), None)
        if column is None:
            raise InputError(
                "says of no profile which molecule it is of",
                where=str(path),
                hint="add a column Metadata_smiles; it has " + ", ".join(map(str, table.metadata)),
            )
        values = modality.aligned(table.features, table.columns, where=str(path))
        values = modality.corrected(values, table.metadata)
        return cls.of_rows(table.metadata[column].astype(str).tolist(), values, among=among)
