"""The own layout: molecules, genes, modalities/*, relations/* and, if it is there, corpus.toml."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cytomol.corpus.genes import GeneIndex, join_genes
from cytomol.corpus.identifiers import entity_of_column
from cytomol.corpus.join import MoleculeIndex, join_molecules
from cytomol.corpus.manifest import MANIFEST, Manifest, ModalityEntry, RelationEntry, load_manifest
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import modality_from, split_profiles, without_infinite
from cytomol.corpus.read_provenance import read_provenance
from cytomol.corpus.read_rows import read_rows
from cytomol.corpus.readers.base import readers
from cytomol.corpus.relations import read_relation
from cytomol.corpus.schema import Corpus, Entity, Modality, Relation
from cytomol.corpus.tables import gene_table, molecule_table, read_ids
from cytomol.errors import CytomolError, InputError

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
            read_rows(molecules, text=True), where=str(molecules), problems=problems
        )
        if manifest.genes is None:
            self.genes = gene_table(pd.DataFrame({"gene_id": []}), where=str(directory), problems=problems)
        else:
            genes = directory / manifest.genes
            self.genes = gene_table(read_rows(genes, text=True), where=str(genes), problems=problems)
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

    def modality(self, entry: ModalityEntry) -> Modality:
        path = self.directory / entry.file
        frame = read_ids(path, (entry.id,) if entry.id else ())
        entity = entry.entity or _entity_of(frame, entry.id, str(path))
        table = split_profiles(frame, where=str(path), id_column=entry.id, only=entry.id is not None)
        provenance = read_provenance(
            frame, where=str(path), correction=entry.correction or "none", by=entry.correct_by or ""
        )
        del frame
        table = without_infinite(table, self.problems)
        if entity == "molecule":
            rows, report = join_molecules(
                table.metadata, self.molecule_index, where=str(path), column=entry.id, hints=False
            )
        else:
            rows, report = join_genes(table.metadata, self.gene_index, where=str(path), column=entry.id)
        self.problems.join(report)
        modality = modality_from(table, rows, name=entry.name, kind=entry.kind or "profile", entity=entity)
        return replace(modality, provenance=provenance.take(rows >= 0))

    def relation(self, entry: RelationEntry) -> Relation:
        return read_relation(
            self.directory / entry.file,
            name=entry.name,
            source=entry.source,
            target=entry.target,
            molecules=self.molecule_index,
            genes=self.gene_index,
            problems=self.problems,
        )


def _entity_of(frame: pd.DataFrame, id_column: str | None, where: str) -> Entity:
    """Return whose profiles a table holds, by the first column that is named like an id."""
    for name in [id_column] if id_column else frame.columns:
        entity = entity_of_column(name)
        if entity is not None:
            return entity
    raise InputError(
        "has no column of ids", where=where, hint="name it mol_id or gene_id, or say so in corpus.toml"
    )
