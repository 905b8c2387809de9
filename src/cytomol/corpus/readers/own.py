"""The own layout: molecules, genes, modalities/*, relations/* and, if it is there, corpus.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.join import (
    GeneIndex,
    MoleculeIndex,
    as_ids,
    entity_of_column,
    join_genes,
    join_molecules,
)
from cytomol.corpus.manifest import MANIFEST, Manifest, ModalityEntry, RelationEntry, load_manifest
from cytomol.corpus.problems import JoinReport, Problems
from cytomol.corpus.profiles import check_finite, modality_from, split_profiles
from cytomol.corpus.readers.base import readers
from cytomol.corpus.schema import Corpus, Entity, Modality, Relation
from cytomol.corpus.tables import gene_table, molecule_table, relation_weights
from cytomol.errors import CytomolError, InputError
from cytomol.tables import read_table

__all__ = ["OwnLayout"]


@readers.register("own")
class OwnLayout:
    """Directory with ``molecules.parquet`` (or CSV) and whatever else there is."""

    def recognises(self, path: Path) -> bool:
        """Tell by a manifest or a table of molecules."""
        return path.is_dir() and (
            (path / MANIFEST).exists()
            or any(path.glob("molecules.parquet"))
            or any(path.glob("molecules.[ct]sv*"))
        )

    def read(self, path: Path, problems: Problems) -> Corpus:
        """Read the corpus; ids that join nothing are noted, a table of which no id joins is an error."""
        manifest = load_manifest(path)
        reading = _Reading(path, manifest, problems)
        modalities = [reading.attempt(reading.modality, entry) for entry in manifest.modalities]
        relations = [reading.attempt(reading.relation, entry) for entry in manifest.relations]
        return Corpus(
            molecules=reading.molecules,
            genes=reading.genes,
            modalities={m.name: m for m in modalities if m is not None},
            relations={r.name: r for r in relations if r is not None},
            notes=tuple(problems.notes),
        )


class _Reading:
    """One pass over the files of a corpus."""

    def __init__(self, directory: Path, manifest: Manifest, problems: Problems) -> None:
        self.directory = directory
        self.problems = problems
        molecules = directory / manifest.molecules
        self.molecules = molecule_table(
            read_table(molecules, text=True), where=str(molecules), problems=problems
        )
        if manifest.genes is None:
            self.genes = gene_table(pd.DataFrame({"gene_id": []}), where=str(directory), problems=problems)
        else:
            genes = directory / manifest.genes
            self.genes = gene_table(read_table(genes, text=True), where=str(genes), problems=problems)
        self.molecule_index = MoleculeIndex(self.molecules)
        self.gene_index = GeneIndex(self.genes)

    def attempt(self, read: Any, entry: ModalityEntry | RelationEntry) -> Any:
        """Read one table; when collecting problems, one that cannot be read does not hide the others."""
        try:
            return read(entry)
        except CytomolError as error:
            if self.problems.strict or not isinstance(error, InputError):
                raise
            self.problems.error(error)
            return None

    def modality(self, entry: ModalityEntry) -> Modality | None:
        path = self.directory / entry.file
        frame = read_table(path)
        entity = entry.entity or _entity_of(frame, entry.id, str(path))
        table = split_profiles(frame, where=str(path), id_column=entry.id)
        del frame
        check_finite(table, self.problems)
        if entity == "molecule":
            rows, report = join_molecules(
                table.metadata, self.molecule_index, where=str(path), column=entry.id
            )
        else:
            rows, report = join_genes(table.metadata, self.gene_index, where=str(path), column=entry.id)
        self.problems.join(report)
        return modality_from(table, rows, name=entry.name, kind=entry.kind or "profile", entity=entity)

    def relation(self, entry: RelationEntry) -> Relation | None:
        path = self.directory / entry.file
        frame = read_table(path)
        for name in ("source", "target"):
            if name not in frame:
                raise InputError(
                    f"has no column {name!r}", where=str(path), hint="columns: source, target, weight"
                )
        if len(frame) == 0:
            raise InputError("holds no rows", where=str(path))
        weight = relation_weights(frame, where=str(path), problems=self.problems)
        source_entity, source = self._side(frame["source"], entry.source, f"{path}, column source")
        target_entity, target = self._side(frame["target"], entry.target, f"{path}, column target")
        kept = (source >= 0) & (target >= 0)
        if not kept.any() and (source >= 0).any() and (target >= 0).any():
            self.problems.error(InputError("no link has both its ends in the corpus", where=str(path)))
        return Relation(entry.name, source_entity, target_entity, source[kept], target[kept], weight[kept])

    def _side(
        self, column: pd.Series[Any], entity: Entity | None, where: str
    ) -> tuple[Entity, NDArray[np.int64]]:
        """Return what one side of a relation holds (by which ids it fits, if not given), and its rows."""
        ids = as_ids(column)
        frame = pd.DataFrame({"mol_id": ids, "gene_id": ids})
        options: list[tuple[Entity, NDArray[np.int64], JoinReport]] = []
        if entity != "gene":
            options.append(
                (
                    "molecule",
                    *join_molecules(frame, self.molecule_index, where=where, column="mol_id", key="id"),
                )
            )
        if entity != "molecule":
            options.append(("gene", *join_genes(frame, self.gene_index, where=where, column="gene_id")))
        chosen, rows, report = max(options, key=lambda option: option[2].joined)
        self.problems.join(JoinReport(**{**vars(report), "where": where}))
        return chosen, rows


def _entity_of(frame: pd.DataFrame, id_column: str | None, where: str) -> Entity:
    """Return whose profiles a table holds, by the first column that is named like an id."""
    for name in [id_column] if id_column else frame.columns:
        entity = entity_of_column(name)
        if entity is not None:
            return entity
    raise InputError(
        "has no column of ids", where=where, hint="name it mol_id or gene_id, or say so in corpus.toml"
    )
