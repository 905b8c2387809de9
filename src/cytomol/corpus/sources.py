"""Read the tables of profiles of one name and find whose their rows are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.annotate import annotate
from cytomol.corpus.build_report import Fates
from cytomol.corpus.combine import JoinedWells
from cytomol.corpus.controls import find_controls
from cytomol.corpus.genes import GeneIndex, join_genes
from cytomol.corpus.join import JoinKey, MoleculeIndex, join_molecules
from cytomol.corpus.problems import JoinReport, Problems
from cytomol.corpus.readers import read_profile_metadata, read_profiles
from cytomol.corpus.roles import find_roles
from cytomol.corpus.schema import Entity
from cytomol.corpus.wells import WellOptions, note_controls, ready_wells
from cytomol.errors import InputError

__all__ = ["ProfileSource", "group_sources", "read_joined", "read_metadata"]


@dataclass(frozen=True)
class ProfileSource:
    """A table of profiles to be added under a name; several of one name are parts of one modality."""

    name: str
    kind: str
    path: Path
    entity: Entity = "molecule"


def group_sources(sources: Sequence[ProfileSource]) -> dict[str, list[ProfileSource]]:
    """Return the tables of each name, in the order in which they were given.

    Raises
    ------
    InputError
        If tables of one name are of different kinds or entities, or a file is given twice for one name.
    """
    groups: dict[str, list[ProfileSource]] = {}
    for source in sources:
        groups.setdefault(source.name, []).append(source)
    for name, group in groups.items():
        for what, values in (
            ("kinds", {source.kind for source in group}),
            ("entities", {str(source.entity) for source in group}),
        ):
            if len(values) > 1:
                raise InputError(
                    f"tables called {name!r} are of different {what}: {', '.join(sorted(values))}",
                    hint="tables of one name become one modality; give others their own name",
                )
        paths = [source.path.resolve() for source in group]
        twice = next(
            (source.path for source, path in zip(group, paths, strict=True) if paths.count(path) > 1), None
        )
        if twice is not None:
            raise InputError(f"two tables are called {name!r} and are the same file", where=str(twice))
    return groups


def read_joined(
    source: ProfileSource,
    molecules: MoleculeIndex,
    genes: GeneIndex,
    *,
    column: str | None,
    key: JoinKey,
    options: WellOptions,
    problems: Problems,
    metadata: Sequence[Path] = (),
    leave_out: bool = False,
) -> JoinedWells:
    """Read a table of profiles, make its wells ready and find the molecule or gene of each.

    Of a format whose metadata can be read alone, only the rows that are needed are read.

    Parameters
    ----------
    source
        The table.
    molecules, genes
        Whose the wells may be.
    column, key
        How they find their molecule.
    options
        What the user says of the wells.
    problems
        Receives notes and how the table joined.
    metadata
        Further tables of metadata for its rows.
    leave_out
        Leave rows out whose structure contradicts their id, instead of the error.
    """

    def joined(about: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        rows, report = _join(about, source, (molecules, genes), column, key, leave_out=leave_out)
        problems.join(report)
        return rows, _keys(rows, report)

    about = read_profile_metadata(source.path)
    if about is None:
        table = read_profiles(
            source.path,
            id_column=None if metadata else column,
            choice=options.columns,
            layer=options.layer,
        )
        table = replace(table, metadata=_annotated(table.metadata, metadata, source, problems))
        wells = ready_wells(table, source.entity, options, problems)
        return JoinedWells(wells, *joined(wells.table.metadata))
    about = _annotated(about, metadata, source, problems)
    rows, keys = joined(about)
    needed, fates = _needed(about, rows, keys, source, options=options, problems=problems)
    table = read_profiles(source.path, choice=options.columns, layer=options.layer, rows=needed)
    known = about[needed].reset_index(drop=True)
    table = replace(table, metadata=table.metadata.assign(**{str(c): known[c] for c in known}))
    wells = ready_wells(table, source.entity, options, problems)
    return JoinedWells(wells, rows[needed], keys[needed], fates)


def _join(
    metadata: pd.DataFrame,
    source: ProfileSource,
    indexes: tuple[MoleculeIndex, GeneIndex],
    column: str | None,
    key: JoinKey,
    *,
    leave_out: bool,
) -> tuple[NDArray[np.int64], JoinReport]:
    if source.entity == "gene":
        return join_genes(metadata, indexes[1], where=str(source.path), leave_out=leave_out)
    return join_molecules(
        metadata, indexes[0], where=str(source.path), column=column, key=key, leave_out=leave_out
    )


def read_metadata(
    source: ProfileSource,
    options: WellOptions,
    metadata: Sequence[Path] = (),
    *,
    column: str | None = None,
) -> pd.DataFrame:
    """Return what stands beside the features of a table, empty in the rows of controls.

    Parameters
    ----------
    source
        The table.
    options
        What the user says of its wells.
    metadata
        Further tables of metadata for its rows.
    column
        Its column of ids, where that is given.
    """
    about = read_profile_metadata(source.path)
    if about is None:
        id_column = None if metadata else column
        about = read_profiles(
            source.path, id_column=id_column, choice=options.columns, layer=options.layer
        ).metadata
    # what there is to say of the further tables is said when the profiles are read
    about = _annotated(about, metadata, source, Problems())
    if options.keep_controls:
        return about
    where = str(source.path)
    roles = find_roles(about, options.roles, where=where)
    controls = find_controls(about, roles, source.entity, given=options.controls, where=where)
    return about.mask(pd.Series(controls.rows), "")


def _annotated(
    metadata: pd.DataFrame, files: Sequence[Path], source: ProfileSource, problems: Problems
) -> pd.DataFrame:
    for path in files:
        metadata = annotate(metadata, path, where=str(source.path), problems=problems)
    return metadata


def _keys(rows: NDArray[np.int64], report: JoinReport) -> NDArray[np.object_]:
    """Return by what each row was joined, or why it was not, where that is known."""
    if report.keys:
        return np.array(report.keys, dtype=object)
    return np.where(rows >= 0, np.array(report.key, dtype=object), "")


def _needed(
    metadata: pd.DataFrame,
    rows: NDArray[np.int64],
    keys: NDArray[np.object_],
    source: ProfileSource,
    *,
    options: WellOptions,
    problems: Problems,
) -> tuple[NDArray[np.bool_], Fates]:
    """Return which rows are to be read, and the fates of the others."""
    where = str(source.path)
    fates = Fates(metadata)
    if options.normalise is not None:  # every well of a plate may serve
        return np.ones(len(rows), np.bool_), fates
    roles = find_roles(metadata, options.roles, where=where)
    controls = find_controls(metadata, roles, source.entity, given=options.controls, where=where)
    needed = rows >= 0
    if options.whiten:
        needed = needed | controls.rows
    elif not options.keep_controls:
        needed &= ~controls.rows
        note_controls(controls, source.entity, where, problems)
        fates.mark(controls.rows, "control")
    for why in dict.fromkeys(keys[rows < 0]):
        fates.mark(~needed & (rows < 0) & (keys == why), why or f"without {source.entity}")
    if not needed.any():
        needed[:1] = True  # a table without rows has no columns to speak of either
    fates.narrow(needed)
    return needed, fates
