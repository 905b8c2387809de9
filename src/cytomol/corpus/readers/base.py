"""What every reader of a corpus format offers, and what single tables of profiles share."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pandas as pd

from cytomol.corpus.bring import bring_molecules, no_molecules
from cytomol.corpus.join import MoleculeIndex, join_molecules
from cytomol.corpus.manifest import guess_kind
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable, check_finite, modality_from
from cytomol.corpus.schema import Corpus
from cytomol.corpus.tables import gene_table, molecule_table
from cytomol.errors import InputError
from cytomol.registry import Registry
from cytomol.tables.read import format_of

__all__ = ["CorpusReader", "ProfileReader", "readers"]


class CorpusReader(Protocol):
    """A format in which a corpus, or one table of it, comes."""

    def recognises(self, path: Path) -> bool:
        """Whether the file or directory looks like this format."""
        ...

    def read(self, path: Path, problems: Problems) -> Corpus:
        """Read the whole corpus."""
        ...


readers: Registry[type[CorpusReader]] = Registry("corpus format")


class ProfileReader:
    """Base of the formats that hold one table of profiles with ids beside the features.

    Attributes
    ----------
    suffixes
        File names by which the format is recognised, without dot and ``.gz``.
    """

    suffixes: tuple[str, ...] = ()

    def recognises(self, path: Path) -> bool:
        """Tell by the file's name."""
        return path.is_file() and format_of(path) in self.suffixes

    def table(self, path: Path, *, id_column: str | None = None) -> ProfileTable:
        """Read ids and features.

        Parameters
        ----------
        path
            The file.
        id_column
            Column of ids, where its name does not say so.
        """
        raise NotImplementedError

    def read(self, path: Path, problems: Problems) -> Corpus:
        """Make a corpus of one table, which must hold the molecules' SMILES; replicates become medians."""
        table = self.table(path)
        check_finite(table, problems)
        molecules = bring_molecules(no_molecules(), [(table, None)], problems)
        if not len(molecules):
            raise InputError(
                "has no column of SMILES, so it makes no corpus by itself",
                where=table.where,
                hint="join it to a table of molecules: cytomol corpus build --molecules FILE --profiles ...",
            )
        molecules = molecule_table(molecules, where=str(path), problems=problems, id_col="mol_id")
        rows, report = join_molecules(table.metadata, MoleculeIndex(molecules), where=str(path))
        problems.notes += table.notes
        if report.joined < report.total:
            absent = report.total - report.joined
            problems.note(f"{path}: {absent:,} of {report.total:,} profiles have no molecule")
        name = path.name.split(".")[0]
        modality = modality_from(
            table, rows, name=name, kind=guess_kind(name), entity="molecule", aggregate="median"
        )
        genes = gene_table(pd.DataFrame({"gene_id": []}), where=str(path), problems=problems)
        return Corpus(molecules, genes, {name: modality}, {}, tuple(problems.notes))
