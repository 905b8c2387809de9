"""Put a corpus together from a table of molecules and tables of profiles in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from cytomol.corpus.combine import combine
from cytomol.corpus.controls import find_controls
from cytomol.corpus.join import (
    GeneIndex,
    JoinKey,
    MoleculeIndex,
    as_ids,
    entity_of_column,
)
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import Aggregate
from cytomol.corpus.readers import read_profile_metadata, read_profiles
from cytomol.corpus.relations import end_columns, read_relation
from cytomol.corpus.roles import find_roles
from cytomol.corpus.schema import Corpus, Entity, Modality
from cytomol.corpus.sources import ProfileSource, group_sources, read_joined
from cytomol.corpus.tables import gene_table, molecule_table, read_ids
from cytomol.corpus.wells import WellOptions
from cytomol.errors import InputError
from cytomol.tables import read_molecules, read_table

__all__ = ["JoinOptions", "ProfileSource", "RelationSource", "extend_corpus", "start_corpus"]


@dataclass(frozen=True)
class RelationSource:
    """A table of links to be added under a name."""

    name: str
    source: Entity
    target: Entity
    path: Path


@dataclass(frozen=True)
class JoinOptions:
    """How profiles find their molecules, and what becomes of replicates.

    Attributes
    ----------
    key
        "auto", "id", "inchikey", "connectivity" (first block) or "smiles" (canonical).
    columns
        Column of molecule ids by the name of the table; "" stands for every other table.
    aggregate
        "median" or "mean" of replicates, or "none" to keep them all.
    wells
        What is said of the wells of a table, by its name; "" stands for every other table.
    """

    key: JoinKey = "auto"
    columns: dict[str, str] = field(default_factory=dict)
    aggregate: Aggregate = "median"
    wells: dict[str, WellOptions] = field(default_factory=dict)

    def column(self, name: str) -> str | None:
        """Return the id column of a table, if one was given."""
        return self.columns.get(name, self.columns.get(""))

    def wells_of(self, name: str) -> WellOptions:
        """Return what is said of the wells of a table."""
        return self.wells.get(name) or self.wells.get("") or WellOptions()


def start_corpus(
    molecules: Path,
    genes: Path | None = None,
    *,
    problems: Problems,
    smiles_col: str | None = None,
    id_col: str | None = None,
) -> Corpus:
    """Return a corpus of molecules and genes without profiles.

    Parameters
    ----------
    molecules
        Table with a column of SMILES and, better, one of ids; or a ``.smi`` or ``.sdf`` file.
    genes
        Table with gene symbols and perhaps Entrez ids; without it, the genes are those that the tables
        added later name.
    problems
        Receives what is to be noted.
    smiles_col, id_col
        Columns of the table of molecules, where their names do not say it.
    """
    found = read_molecules(molecules, smiles_col=smiles_col)
    table = molecule_table(
        found.frame, where=str(molecules), problems=problems, smiles_col=found.smiles_col, id_col=id_col
    )
    frame = pd.DataFrame({"gene_id": []}) if genes is None else read_table(genes, text=True)
    return Corpus(table, gene_table(frame, where=str(genes), problems=problems))


def extend_corpus(
    corpus: Corpus,
    profiles: Sequence[ProfileSource],
    relations: Sequence[RelationSource],
    *,
    problems: Problems,
    options: JoinOptions | None = None,
) -> Corpus:
    """Return the corpus with further tables joined to its molecules and genes.

    Parameters
    ----------
    corpus
        Molecules and whatever is there already.
    profiles, relations
        Tables to add.
    problems
        Receives what did not join.
    options
        How to join.

    Raises
    ------
    InputError
        If a name is taken, a table cannot be read, or nothing in it joins.
    """
    options = options or JoinOptions()
    groups = group_sources(profiles)
    names = [*corpus.modalities, *corpus.relations, *groups, *(r.name for r in relations)]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise InputError(f"two tables are called {repeated!r}", hint="give every table its own name")
    strangers = set(options.columns) - {"", *(source.name for source in profiles)}
    if strangers:
        raise InputError(f"an id column is given for {min(strangers)!r}, which is no table of profiles")
    corpus = replace(corpus, genes=_genes(corpus, profiles, relations, options, problems))
    molecules, genes = MoleculeIndex(corpus.molecules), GeneIndex(corpus.genes)
    modalities, links = dict(corpus.modalities), dict(corpus.relations)
    for name, sources in groups.items():
        for modality in _modalities(name, sources, (molecules, genes), options, problems):
            if modality.name in modalities:
                raise InputError(
                    f"two tables are called {modality.name!r}", hint="give every table its own name"
                )
            modalities[modality.name] = modality
    _check_patterns(groups, options, problems)
    for link in relations:
        links[link.name] = read_relation(
            link.path,
            name=link.name,
            source=link.source,
            target=link.target,
            molecules=molecules,
            genes=genes,
            problems=problems,
            key=options.key,
        )
    return replace(corpus, modalities=modalities, relations=links, notes=tuple(problems.notes))


def _modalities(
    name: str,
    sources: Sequence[ProfileSource],
    indexes: tuple[MoleculeIndex, GeneIndex],
    options: JoinOptions,
    problems: Problems,
) -> list[Modality]:
    """Return what the tables of one name become: one modality, or several where it is split."""
    entity, wells = sources[0].entity, options.wells_of(name)
    column = options.column(name) if entity == "molecule" else None
    parts = [
        read_joined(source, *indexes, column=column, key=options.key, options=wells, problems=problems)
        for source in sources
    ]
    return combine(
        name,
        sources[0].kind,
        entity,
        parts,
        options=wells,
        aggregate=options.aggregate,
        problems=problems,
    )


def _check_patterns(groups: Iterable[str], options: JoinOptions, problems: Problems) -> None:
    """Refuse a pattern of columns that fits none of any table it was meant for: it is a slip of the pen."""
    idle: dict[str, bool] = {}
    for name in groups:
        names = {
            column
            for report in problems.built
            if report.name == name
            for f in report.files
            for column in f.names()
        }
        choice = options.wells_of(name).columns
        without = choice.idle(names)
        for pattern in choice.idle(()):
            idle[pattern] = idle.get(pattern, True) and pattern in without
    for pattern in (pattern for pattern, nowhere in idle.items() if nowhere):
        raise InputError(f"no column of any table fits {pattern}", hint="check its letters; capitals count")


def _genes(
    corpus: Corpus,
    profiles: Sequence[ProfileSource],
    relations: Sequence[RelationSource],
    options: JoinOptions,
    problems: Problems,
) -> pd.DataFrame:
    """Return the table of genes; where there is none, every gene that a table names, but for controls."""
    if len(corpus.genes):
        return corpus.genes
    found = [
        _gene_column(source, options.wells_of(source.name)) for source in profiles if source.entity == "gene"
    ]
    for link in relations:
        if "gene" in (link.source, link.target):
            frame = read_ids(link.path, ("source", "target"))
            columns = end_columns(frame, link.source, link.target, where=str(link.path))
            ends = zip(columns, (link.source, link.target), strict=True)
            found += [as_ids(frame[column]) for column, entity in ends if entity == "gene"]
    if not found:
        return corpus.genes
    ids = pd.concat(found).drop_duplicates().sort_values()
    ids = ids[ids != ""].reset_index(drop=True)
    problems.note(f"no table of genes: the {len(ids):,} genes are those that profiles and relations name")
    return gene_table(pd.DataFrame({"gene_id": ids}), where="genes", problems=problems)


def _gene_column(source: ProfileSource, wells: WellOptions) -> pd.Series[str]:
    metadata = read_profile_metadata(source.path)
    if metadata is None:
        table = read_profiles(source.path, choice=wells.columns, layer=wells.layer)
        metadata = table.metadata
    column = next((c for c in map(str, metadata) if entity_of_column(c) == "gene"), None)
    if column is None:
        raise InputError(
            "has no column of gene ids", where=str(source.path), hint="name it gene_id or Metadata_gene"
        )
    if wells.keep_controls:
        return metadata[column]
    roles = find_roles(metadata, wells.roles, where=str(source.path))
    controls = find_controls(metadata, roles, "gene", given=wells.controls, where=str(source.path))
    return metadata.loc[~controls.rows, column]
