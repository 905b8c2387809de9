"""Molecules with measured profiles of a modality, one a connectivity, to calibrate or to score on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
        of its profiles.
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

    @classmethod
    def of_rows(
        cls, smiles: Sequence[str], values: NDArray[np.float32], *, among: Collection[str] | None = None
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
        """
        chosen: dict[str, int] = {}
        wanted = 0
        for row, text in enumerate(smiles):
            block = block_of(text) if parse_smiles(text).mol is not None else ""
            if among is not None and block and block not in among:
                continue
            wanted += 1
            if block and block not in chosen and not np.isnan(values[row]).all():
                chosen[block] = row
        rows = list(chosen.values())
        kept = [smiles[row] for row in rows]
        return cls(
            kept, list(chosen), [murcko_scaffold(text) for text in kept], values[rows], wanted - len(rows)
        )

    @classmethod
    def of_corpus(
        cls, corpus: Corpus, modality: TrainedModality, *, where: str, among: Collection[str] | None = None
    ) -> Self:
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
        known = corpus.molecules["inchikey"].fillna("") if "inchikey" in corpus.molecules else None
        keep = np.arange(len(table))
        if among is not None and known is not None:  # keys take a while to compute
            keys = known.to_numpy(str)[table.rows]
            keep = np.flatnonzero([not key or key[:BLOCK] in among for key in keys])
        smiles = corpus.smiles
        return cls.of_rows([smiles[row] for row in table.rows[keep]], values[keep], among=among)

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
        return cls.of_rows(table.metadata[column].astype(str).tolist(), values, among=among)
