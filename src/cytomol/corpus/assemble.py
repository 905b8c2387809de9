"""Put a corpus together from a table of molecules and tables of profiles in other formats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from cytomol.corpus.append import stack_profiles
from cytomol.corpus.bring import bring_molecules, no_molecules
from cytomol.corpus.combine import combine
from cytomol.corpus.genes import GeneIndex, add_aliases, gene_names, gene_union, known_genes
from cytomol.corpus.join import JoinKey, MoleculeIndex
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import Aggregate
from cytomol.corpus.read_rows import read_rows
from cytomol.corpus.relations import end_columns, read_relation
from cytomol.corpus.schema import Corpus, Entity, Modality
from cytomol.corpus.sources import ProfileSource, group_sources, read_joined, read_metadata
from cytomol.corpus.tables import gene_table, molecule_table, read_ids
from cytomol.corpus.wells import WellOptions
from cytomol.counted import agreeing
from cytomol.errors import InputError
from cytomol.tables import read_molecules
from cytomol.tables.read import format_of

_TABLES = ("csv", "tsv", "txt", "parquet")

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
    wells
        What is said of the wells of a table, by its name; "" stands for every other table.
    """

    key: JoinKey = "auto"
    columns: dict[str, str] = field(default_factory=dict)
    aggregate: Aggregate = "median"
    metadata: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    gene_aliases: Path | None = None
    new_molecules: bool = False
    extend: bool = False
    leave_out: bool = False
    wells: dict[str, WellOptions] = field(default_factory=dict)

    def column(self, name: str) -> str | None:
        """Return the id column of a table, if one was given."""
        return self.columns.get(name, self.columns.get(""))

    def metadata_of(self, name: str) -> tuple[Path, ...]:
        """Return the further tables of metadata of a table."""
        return (*self.metadata.get(name, ()), *self.metadata.get("", ()))

    def wells_of(self, name: str) -> WellOptions:
        """Return what is said of the wells of a table."""
        return self.wells.get(name) or self.wells.get("") or WellOptions()


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
    groups = group_sources(profiles)
    _check_names(corpus, groups, relations, options)
    corpus = replace(corpus, genes=_genes(corpus, profiles, relations, options, problems))
    if options.new_molecules:
        corpus = replace(corpus, molecules=_molecules(corpus, profiles, options, problems))
    molecules, genes = MoleculeIndex(corpus.molecules), GeneIndex(corpus.genes)
    modalities, links = dict(corpus.modalities), dict(corpus.relations)
    for name, sources in groups.items():
        for modality in _modalities(name, sources, (molecules, genes), options, problems):
            if modality.name not in modalities:
                modalities[modality.name] = modality
            elif options.extend and modality.name in corpus.modalities:
                modalities[modality.name] = stack_profiles(modalities[modality.name], modality, problems)
            else:
                raise _called_alike(modality.name)
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
            # which exact key profiles take says nothing of the ids of links
            key="auto" if options.key in ("id", "inchikey", "smiles") else options.key,
        )
    return replace(corpus, modalities=modalities, relations=links, notes=tuple(problems.notes))


def _check_names(
    corpus: Corpus, groups: Collection[str], relations: Sequence[RelationSource], options: JoinOptions
) -> None:
    """Refuse a name that is taken, and options for tables that are not given."""
    names = [*corpus.modalities, *corpus.relations, *groups, *(link.name for link in relations)]
    if options.extend:
        names = [name for name in names if name not in corpus.modalities]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise _called_alike(repeated)
    for what, names_of_tables in (("an id column", options.columns), ("metadata", options.metadata)):
        if strangers := set(names_of_tables) - {"", *groups}:
            raise InputError(f"{what} is given for {min(strangers)!r}, which is no table of profiles")


def _called_alike(name: str) -> InputError:
    return InputError(f"two tables are called {name!r}", hint="give every table its own name")


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
        read_joined(
            source,
            *indexes,
            column=column,
            key=options.key,
            options=wells,
            problems=problems,
            metadata=options.metadata_of(name),
            leave_out=options.leave_out,
        )
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
        files = [file for report in problems.built if report.name == name for file in report.files]
        names = {column for file in files for column in file.names()}
        choice = options.wells_of(name).columns
        without = choice.idle(names)
        for pattern in choice.idle(()):
            idle[pattern] = idle.get(pattern, True) and pattern in without
    for pattern in (pattern for pattern, nowhere in idle.items() if nowhere):
        raise InputError(f"no column of any table fits {pattern}", hint="check its letters; capitals count")


def _molecules(
    corpus: Corpus, profiles: Sequence[ProfileSource], options: JoinOptions, problems: Problems
) -> pd.DataFrame:
    """Return the molecules with those that tables of profiles bring."""
    molecules = corpus.molecules
    for source in profiles:
        if source.entity == "molecule":
            column = options.column(source.name)
            molecules = bring_molecules(
                molecules,
                read_metadata(
                    source, options.wells_of(source.name), options.metadata_of(source.name), column=column
                ),
                problems,
                where=str(source.path),
                column=column,
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
    """Return the table of genes; where there is none, every gene that a table names, but for controls."""
    aliases = None
    if options.gene_aliases is not None:
        where = str(options.gene_aliases)
        aliases = gene_table(
            read_rows(options.gene_aliases, text=True), where=where, problems=problems, keep_first=True
        )
    genes = corpus.genes
    if options.extend or not len(genes):
        named = [_named_genes(source, options) for source in profiles if source.entity == "gene"]
        for link in relations:
            if "gene" in (link.source, link.target):
                frame = read_ids(link.path, ("source", "target"))
                columns = end_columns(frame, link.source, link.target, where=str(link.path))
                ends = zip(columns, (link.source, link.target), strict=True)
                named += [gene_names(frame, column) for column, entity in ends if entity == "gene"]
        if named:
            genes = _with_new_genes(genes, gene_union(named, aliases, problems), problems)
    if aliases is None or options.gene_aliases is None:
        return genes
    return add_aliases(genes, options.gene_aliases, aliases)


def _named_genes(source: ProfileSource, options: JoinOptions) -> pd.DataFrame:
    metadata = read_metadata(source, options.wells_of(source.name), options.metadata_of(source.name))
    return gene_names(metadata, where=str(source.path), controls=options.wells_of(source.name).keep_controls)


def _with_new_genes(genes: pd.DataFrame, named: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Return the table of genes with those that it lacks, which come last."""
    named = gene_table(named, where="genes", problems=problems)
    if not len(genes):
        are = agreeing(len(named), "gene", "is the one", "are those")
        problems.note(f"no table of genes: the {are} that profiles and relations name")
        return named
    named = named[~known_genes(named, GeneIndex(genes))]
    if len(named):
        problems.note(f"{agreeing(len(named), 'gene', 'is', 'are')} new")
    return pd.concat([genes, named], ignore_index=True)
