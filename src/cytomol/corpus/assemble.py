"""Put a corpus together from a table of molecules and tables of profiles in other formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from cytomol.corpus.annotate import annotate
from cytomol.corpus.bring import bring_molecules, no_molecules
from cytomol.corpus.genes import GeneIndex, add_aliases, gene_names, gene_union, join_genes, known_genes
from cytomol.corpus.join import JoinKey, MoleculeIndex, join_molecules
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import Aggregate, ProfileTable, check_finite, modality_from
from cytomol.corpus.readers import read_profiles
from cytomol.corpus.relations import end_columns, read_relation
from cytomol.corpus.rows import read_rows
from cytomol.corpus.schema import Corpus, Entity, Modality
from cytomol.corpus.stack import stack_profiles
from cytomol.corpus.tables import gene_table, molecule_table, read_ids
from cytomol.errors import InputError
from cytomol.tables import read_molecules
from cytomol.tables.read import format_of

_TABLES = ("csv", "tsv", "txt", "parquet")

__all__ = ["JoinOptions", "ProfileSource", "RelationSource", "extend_corpus", "start_corpus"]


@dataclass(frozen=True)
class ProfileSource:
    """A table of profiles to be added under a name."""

    name: str
    kind: str
    path: Path
    entity: Entity = "molecule"


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
        "auto" (id, InChIKey, canonical SMILES, row by row), one of these alone ("id", "inchikey", "smiles"),
        or a looser key for the rows that are left ("connectivity", "short-id", "name").
    columns
        Column of molecule ids by the name of the table; "" stands for every other table.
    aggregate
        "median" or "mean" of replicates, or "none" to keep them all.
    metadata
        Further tables of metadata by the name of the table of profiles; "" stands for every other table.
    gene_aliases
        Table of genes with their previous symbols and aliases.
    new_molecules
        Whether rows with a structure that the corpus lacks bring it along as a molecule.
    extend
        Whether profiles may be added to a modality that is there.
    leave_out
        Leave rows out whose structure contradicts their id, instead of the error.
    """

    key: JoinKey = "auto"
    columns: dict[str, str] = field(default_factory=dict)
    aggregate: Aggregate = "median"
    metadata: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    gene_aliases: Path | None = None
    new_molecules: bool = False
    extend: bool = False
    leave_out: bool = False

    def column(self, name: str) -> str | None:
        """Return the id column of a table, if one was given."""
        return self.columns.get(name, self.columns.get(""))

    def metadata_of(self, name: str) -> tuple[Path, ...]:
        """Return the further tables of metadata of a table."""
        return (*self.metadata.get(name, ()), *self.metadata.get("", ()))


def start_corpus(
    molecules: Path | None,
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
        Table with a column of SMILES (or InChI) and, better, one of ids; or a ``.smi`` or ``.sdf`` file.
        None where tables of profiles bring their molecules.
    genes
        Table with gene symbols and perhaps Entrez ids; without it, the genes are those that the tables
        added later name.
    problems
        Receives what is to be noted.
    smiles_col, id_col
        Columns of the table of molecules, where their names do not say it.
    """
    if molecules is None:
        table = no_molecules()
    else:
        if format_of(molecules) in _TABLES:
            read, smiles_name = read_rows(molecules, text=True), smiles_col
        else:
            found = read_molecules(molecules, smiles_col=smiles_col)
            read, smiles_name = found.frame, found.smiles_col
        table = molecule_table(
            read,
            where=str(molecules),
            problems=problems,
            smiles_col=smiles_name,
            id_col=id_col,
            published=True,
        )
    frame = pd.DataFrame({"gene_id": []}) if genes is None else read_rows(genes, text=True)
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
    names = [*corpus.modalities, *corpus.relations, *(p.name for p in profiles), *(r.name for r in relations)]
    if options.extend:
        names = [name for name in names if name not in corpus.modalities]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise InputError(f"two tables are called {repeated!r}", hint="give every table its own name")
    known = {"", *(source.name for source in profiles)}
    for what, given in (("an id column", options.columns), ("metadata", options.metadata)):
        if strangers := set(given) - known:
            raise InputError(f"{what} is given for {min(strangers)!r}, which is no table of profiles")
    corpus = replace(corpus, genes=_genes(corpus, profiles, relations, options, problems))
    if options.new_molecules:
        corpus = replace(corpus, molecules=_molecules(corpus, profiles, options, problems))
    molecules, genes = MoleculeIndex(corpus.molecules), GeneIndex(corpus.genes)
    modalities, links = dict(corpus.modalities), dict(corpus.relations)
    for source in profiles:
        modality = _modality(source, molecules, genes, options, problems)
        if source.name in modalities:
            modality = stack_profiles(modalities[source.name], modality, problems)
        modalities[source.name] = modality
    for link in relations:
        links[link.name] = read_relation(
            link.path,
            name=link.name,
            source=link.source,
            target=link.target,
            molecules=molecules,
            genes=genes,
            problems=problems,
            # which exact key profiles take says nothing of the ids of links
            key="auto" if options.key in ("id", "inchikey", "smiles") else options.key,
        )
    return replace(corpus, modalities=modalities, relations=links, notes=tuple(problems.notes))


def _modality(
    source: ProfileSource,
    molecules: MoleculeIndex,
    genes: GeneIndex,
    options: JoinOptions,
    problems: Problems,
) -> Modality:
    column = options.column(source.name) if source.entity == "molecule" else None
    table = _read(source, options, problems)
    problems.notes += table.notes
    check_finite(table, problems)
    if source.entity == "molecule":
        rows, report = join_molecules(
            table.metadata,
            molecules,
            where=table.where,
            column=column,
            key=options.key,
            leave_out=options.leave_out,
        )
    else:
        rows, report = join_genes(table.metadata, genes, where=table.where)
    problems.join(report)
    modality = modality_from(
        table,
        rows,
        name=source.name,
        kind=source.kind,
        entity=source.entity,
        aggregate=options.aggregate,
    )
    if len(modality) < report.joined:
        problems.note(
            f"{table.where}: {report.joined:,} profiles became {len(modality):,},"
            f" the {options.aggregate} of each {source.entity}'s replicates"
        )
    return modality


def _read(source: ProfileSource, options: JoinOptions, problems: Problems | None = None) -> ProfileTable:
    """Read a table of profiles, with the columns that further tables of metadata have for its rows."""
    column = options.column(source.name) if source.entity == "molecule" else None
    files = options.metadata_of(source.name)
    table = read_profiles(source.path, id_column=None if files else column)
    for path in files:
        metadata = annotate(table.metadata, path, where=table.where, problems=problems or Problems())
        table = replace(table, metadata=metadata)
    return table


def _molecules(
    corpus: Corpus, profiles: Sequence[ProfileSource], options: JoinOptions, problems: Problems
) -> pd.DataFrame:
    """Return the molecules with those that tables of profiles bring."""
    molecules = corpus.molecules
    for source in profiles:
        if source.entity == "molecule":
            table = _read(source, options)
            molecules = bring_molecules(
                molecules,
                [(table, options.column(source.name))],
                problems,
                key=options.key,
                leave_out=options.leave_out,
            )
    if not len(molecules):
        raise InputError(
            "no table of molecules is given, and no table of profiles has a column of SMILES",
            hint="give --molecules FILE, or profiles with a column of SMILES (or InChI)",
        )
    return molecules


def _genes(
    corpus: Corpus,
    profiles: Sequence[ProfileSource],
    relations: Sequence[RelationSource],
    options: JoinOptions,
    problems: Problems,
) -> pd.DataFrame:
    """Return the table of genes; where there is none, every gene that a table names."""
    aliases = None
    if options.gene_aliases is not None:
        where = str(options.gene_aliases)
        aliases = gene_table(
            read_rows(options.gene_aliases, text=True), where=where, problems=problems, keep_first=True
        )
    found = []
    if options.extend or not len(corpus.genes):
        found = [
            gene_names(_read(source, options).metadata, where=str(source.path))
            for source in profiles
            if source.entity == "gene"
        ]
        for link in relations:
            if "gene" in (link.source, link.target):
                frame = read_ids(link.path, ("source", "target"))
                columns = end_columns(frame, link.source, link.target, where=str(link.path))
                ends = zip(columns, (link.source, link.target), strict=True)
                found += [gene_names(frame, column) for column, entity in ends if entity == "gene"]
    genes = corpus.genes
    if found:
        union = gene_table(gene_union(found, aliases, problems), where="genes", problems=problems)
        if len(genes):
            union = union[~known_genes(union, GeneIndex(genes))]
            problems.note(f"{len(union):,} genes are new")
            genes = pd.concat([genes, union], ignore_index=True)
        else:
            genes = union
            problems.note(
                f"no table of genes: the {len(union):,} genes are those that profiles and relations name"
            )
    if aliases is None or options.gene_aliases is None:
        return genes
    return add_aliases(genes, options.gene_aliases, aliases)
