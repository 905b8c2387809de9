"""What every reader of a corpus format offers, and what single tables of profiles share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.bring import bring_molecules, no_molecules
from cytomol.corpus.combine import JoinedWells, combine
from cytomol.corpus.feature_columns import ColumnChoice, ColumnReport
from cytomol.corpus.join import MoleculeIndex, join_molecules
from cytomol.corpus.manifest import guess_kind
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.schema import Corpus
from cytomol.corpus.tables import gene_table, molecule_table
from cytomol.corpus.wells import WellOptions, ready_wells
from cytomol.counted import agreeing
from cytomol.errors import InputError
from cytomol.registry import Registry
from cytomol.tables.read import format_of

__all__ = ["CorpusReader", "FeaturePick", "ProfileReader", "readers"]

FeaturePick = Callable[[ColumnReport], tuple[str, ...]]
"""Says which features are wanted, in which order, once the columns of a table are known."""


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
    layered
        Whether a file may hold several matrices.
    """

    suffixes: tuple[str, ...] = ()
    layered = False

    def recognises(self, path: Path) -> bool:
        """Tell by the file's name."""
        return path.is_file() and format_of(path) in self.suffixes

    def metadata(self, path: Path) -> pd.DataFrame | None:  # noqa: ARG002
        """Return what stands beside the features, if the format lets it be read alone; else None."""
        return None

    def columns(self, path: Path) -> list[str] | None:  # noqa: ARG002
        """Return the names of the columns, of a format that may hold a table of molecules too; else None."""
        return None

    def table(
        self,
        path: Path,
        *,
        id_column: str | None = None,
        choice: ColumnChoice | None = None,
        layer: str | None = None,
        rows: NDArray[np.bool_] | None = None,
    ) -> ProfileTable:
        """Read ids and features.

        Parameters
        ----------
        path
            The file.
        id_column
            Column of ids, where its name does not say so.
        choice
            Which columns the user wants as features.
        layer
            Matrix to read, in formats that hold several.
        rows
            Rows to read, of a format whose `metadata` can be read alone; None reads all.
        """
        raise NotImplementedError

    def parts(
        self,
        path: Path,
        pick: FeaturePick,
        *,
        rows: int,
        layer: str | None = None,
        beside: tuple[str, ...] = (),  # noqa: ARG002
    ) -> Iterator[ProfileTable]:
        """Yield the rows in their order, some at a time; a format that cannot do so is read whole and cut.

        Parameters
        ----------
        path
            The file.
        pick
            Is told which columns are features and returns those that are wanted, in their order.
        rows
            Rows of a part.
        layer
            Matrix to read, in formats that hold several.
        beside
            Columns that stand in the metadata, even if their names are those of features.
        """
        table = self.table(path, layer=layer)
        wanted = pick(ColumnReport(table.columns, (), {}))
        place = {name: number for number, name in enumerate(table.columns)}
        columns = [place[name] for name in wanted]
        for start in range(0, len(table), rows):
            part = slice(start, start + rows)
            metadata = table.metadata.iloc[part].reset_index(drop=True)
            yield ProfileTable(table.where, metadata, table.features[part][:, columns], wanted)

    def read(self, path: Path, problems: Problems) -> Corpus:
        """Make a corpus of one table, which must hold the molecules' SMILES; replicates become medians."""
        table = self.table(path)
        wells = ready_wells(table, "molecule", WellOptions(), problems)
        table, controls = wells.table, wells.controls.rows
        # a control has no molecule of its own, and its row keeps its number in messages
        metadata = table.metadata.mask(pd.Series(controls), "")
        molecules = bring_molecules(no_molecules(), metadata, problems, where=table.where)
        if not len(molecules):
            raise InputError(
                "has no column of SMILES, so it makes no corpus by itself",
                where=table.where,
                hint="join it to a table of molecules: cytomol corpus build --molecules FILE --profiles ...",
            )
        molecules = molecule_table(molecules, where=str(path), problems=problems, id_col="mol_id")
        rows, report = join_molecules(metadata, MoleculeIndex(molecules), where=str(path))
        if absent := report.total - report.joined - int(controls.sum()):
            lack = agreeing(absent, "profile", "has", "have", of=report.total)
            problems.note(f"{path}: {lack} no molecule")
        name = path.name.split(".")[0]
        part = JoinedWells(wells, rows, np.full(len(rows), "its own molecules", dtype=object))
        found = combine(
            name,
            guess_kind(name),
            "molecule",
            [part],
            options=WellOptions(),
            aggregate="median",
            problems=problems,
        )
        genes = gene_table(pd.DataFrame({"gene_id": []}), where=str(path), problems=problems)
        return Corpus(molecules, genes, {m.name: m for m in found}, {}, tuple(problems.notes))
