"""Tables of wells become one modality, or one for each cell line: all features, chosen rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.build_report import Difference, Fates, FileReport, ModalityReport
from cytomol.corpus.conditions import condition_table, differences, select_rows, split_labels
from cytomol.corpus.feature_columns import some
from cytomol.corpus.normalise import whiten
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import Aggregate, ProfileTable, aggregate_profiles
from cytomol.corpus.provenance import Provenance
from cytomol.corpus.replicate_correlation import replicate_correlations
from cytomol.corpus.schema import Entity, Modality
from cytomol.corpus.wells import WellOptions, Wells
from cytomol.counted import agreeing
from cytomol.errors import InputError

__all__ = ["JoinedWells", "combine", "measured_rows", "union_of_features"]


@dataclass(frozen=True)
class JoinedWells:
    """A table of wells, and whose each of them is.

    Attributes
    ----------
    wells
        The table.
    rows
        Molecule or gene of each well, -1 where none, int64, shape (wells,).
    keys
        By what each well found it, or why it did not; "" where that is not known, shape (wells,).
    fates
        Of all rows of the file, where not all of them were read; None: every row is a well of the table.
    """

    wells: Wells
    rows: NDArray[np.int64]
    keys: NDArray[np.object_]
    fates: Fates | None = None


def combine(
    name: str,
    kind: str,
    entity: Entity,
    parts: Sequence[JoinedWells],
    *,
    options: WellOptions,
    aggregate: Aggregate,
    problems: Problems,
) -> list[Modality]:
    """Make a modality of the tables of one name, or several where the user splits it.

    Every row meets one fate, in this order: control, without molecule or gene, not measured, not selected,
    used.

    Parameters
    ----------
    name, kind, entity
        As the modality has them.
    parts
        The tables, joined.
    options
        What the user says of their wells.
    aggregate
        What becomes of the wells of one molecule or gene.
    problems
        Receives notes and the report.

    Raises
    ------
    InputError
        If nothing is left, or a selection names what is not there.
    """
    fates = [part.fates or Fates(part.wells.table.metadata) for part in parts]
    measured = [measured_rows(part.wells.table.features, options.min_measured) for part in parts]
    columns, values = union_of_features([part.wells.table for part in parts])
    if options.whiten:
        columns, values = _whitened(name, parts, columns, values, np.concatenate(measured), problems=problems)
    for part, fate, has_values in zip(parts, fates, measured, strict=True):
        _mark_unusable(part, fate, has_values, entity=entity, options=options, problems=problems)
    files = tuple(_file(part, fate, columns) for part, fate in zip(parts, fates, strict=True))
    used = np.concatenate([fate.open for fate in fates])
    if not used.any():
        if not problems.strict:
            return []
        raise InputError("no row is left: " + "; ".join(map(str, files)), where=name)
    rows = np.concatenate([part.rows for part in parts])
    tables = [(part.wells.table, part.wells.roles) for part in parts]
    used = select_rows(tables, rows, used, options.select, where=name, problems=problems)
    labels = split_labels(tables, used, options.split_by, where=name)
    _mark_used(parts, fates, used, labels)
    used &= labels != ""
    conditions = condition_table(tables)
    modalities: list[Modality] = []
    different: list[Difference] = []
    for label in sorted(set(labels[used])):
        chosen = np.flatnonzero(used & (labels == label))
        full = f"{name}_{label}" if options.split_by else name
        differ = differences(conditions, rows, chosen)
        entities, merged = aggregate_profiles(rows[chosen], values[chosen], aggregate)
        agreement = None if aggregate == "none" else replicate_correlations(rows[chosen], values[chosen])
        modalities.append(
            Modality(
                full,
                kind,
                entity,
                entities.astype(np.int64),
                merged,
                columns,
                provenance=Provenance(agreement),
            )
        )
        where = parts[0].wells.table.where if len(parts) == 1 and not options.split_by else full
        if (remark := _note_aggregation(where, len(chosen), modalities[-1], differ, aggregate)) is not None:
            problems.note(remark)
        different += [d for d in differ if d not in different]
    _note_files(name, files, columns, problems)
    profiles = {modality.name: len(modality) for modality in modalities}
    problems.built.append(
        ModalityReport(
            name,
            kind,
            entity,
            files,
            used=int(used.sum()),
            profiles=profiles,
            width=len(columns),
            aggregate=aggregate,
            differences=tuple(different),
            options=_chosen(options),
        )
    )
    return modalities


def _whitened(
    name: str,
    parts: Sequence[JoinedWells],
    columns: tuple[str, ...],
    values: NDArray[np.float32],
    measured: NDArray[np.bool_],
    *,
    problems: Problems,
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Return the features that can be whitened, and the values with those of measured rows whitened."""
    controls = np.concatenate([part.wells.controls.rows for part in parts])
    whitened, kept = whiten(values[measured], controls[measured], columns, where=name)
    _note_unwhitened(name, columns, kept, problems)
    values = values[:, kept]
    values[measured] = whitened
    return tuple(np.array(columns, dtype=object)[kept]), values


def _mark_unusable(
    part: JoinedWells,
    fate: Fates,
    measured: NDArray[np.bool_],
    *,
    entity: Entity,
    options: WellOptions,
    problems: Problems,
) -> None:
    """Give their fate to controls, to wells of no molecule or gene, and to those that were not measured."""
    if not options.keep_controls:
        fate.mark(part.wells.controls.rows, "control")
    for why in dict.fromkeys(part.keys[part.rows < 0]):
        fate.mark((part.rows < 0) & (part.keys == why), why or f"without {entity}")
    empty = fate.mark(~measured, "not measured")
    if count := int(empty.sum()):
        problems.note(
            f"{part.wells.table.where}: {agreeing(count, 'row', 'has', 'have', of=len(empty))} values for"
            f" fewer than {options.min_measured:.0%} of the features and"
            f" {'counts' if count == 1 else 'count'} as not measured (--min-measured)"
        )


def _mark_used(
    parts: Sequence[JoinedWells],
    fates: Sequence[Fates],
    used: NDArray[np.bool_],
    labels: NDArray[np.object_],
) -> None:
    """Give their fate to all wells that are left: not selected, or used and joined by some key."""
    start = 0
    for part, fate in zip(parts, fates, strict=True):
        here = slice(start, start + len(part.rows))
        fate.mark(~used[here], "not selected")
        fate.mark(labels[here] == "", "without a value to split by")
        for key in dict.fromkeys(part.keys[part.rows >= 0]):
            fate.mark(part.keys == key, f"joined by {key}")
        start = here.stop


def union_of_features(tables: Sequence[ProfileTable]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Return the features of all tables in the order of their first table, and all rows in a row.

    Parameters
    ----------
    tables
        At least one.

    Returns
    -------
    columns
        Every feature once.
    values
        float32, shape (rows of all, columns); NaN where a table lacks a feature.
    """
    columns = tuple(dict.fromkeys(name for table in tables for name in table.columns))
    if len(tables) == 1:
        return columns, tables[0].features
    place = {name: j for j, name in enumerate(columns)}
    values = np.full((sum(map(len, tables)), len(columns)), np.nan, np.float32)
    start = 0
    for table in tables:
        values[start : start + len(table), [place[name] for name in table.columns]] = table.features
        start += len(table)
    return columns, values


def measured_rows(values: NDArray[np.float32], least: float) -> NDArray[np.bool_]:
    """Return which rows have a value, and values for at least a share of the features.

    Parameters
    ----------
    values
        Shape (rows, width); NaN where not measured.
    least
        Share of the features that the table measures at all: a column without any value does not count.
    """
    finite = np.isfinite(values)
    width = int(finite.any(axis=0).sum())
    counts = finite.sum(axis=1)
    return np.asarray((counts > 0) & (counts >= least * width))


def _file(part: JoinedWells, fates: Fates, columns: Sequence[str]) -> FileReport:
    table = part.wells.table
    here = set(table.columns)
    roles = {str(role): names for role, names in part.wells.roles.columns.items()}
    lacking = tuple(name for name in columns if name not in here)
    return FileReport(table.where, len(fates), table.report, roles, fates, lacking)


def _note_files(name: str, files: Sequence[FileReport], columns: Sequence[str], problems: Problems) -> None:
    for file in files:
        if file.columns is not None and set(file.columns.left_out) - {"metadata by their prefix"}:
            problems.note(f"{file.file}: {file.columns}")
        if file.lacking:
            problems.note(
                f"{name}: {file.file} lacks {len(file.lacking):,} of the {len(columns):,} features"
                f" ({some(file.lacking)}); {'it is' if len(file.lacking) == 1 else 'they are'} empty in its"
                " rows"
            )


def _note_unwhitened(name: str, columns: Sequence[str], kept: NDArray[np.bool_], problems: Problems) -> None:
    lost = [column for column, stays in zip(columns, kept.tolist(), strict=True) if not stays]
    if lost:
        problems.note(
            f"{name}: {agreeing(len(lost), 'feature', 'is', 'are')} not measured in every well or constant"
            f" among the controls; whitening left {'it' if len(lost) == 1 else 'them'} out ({some(lost)})"
        )


def _note_aggregation(
    where: str,
    before: int,
    modality: Modality,
    differ: Sequence[Difference],
    aggregate: Aggregate,
) -> str | None:
    """Return what is said of rows that became one profile; None if none did."""
    owner = modality.entity
    if len(modality) == before:
        return None
    text = f"{where}: {before:,} profiles became {len(modality):,}, the {aggregate}"
    if not differ:
        return f"{text} of each {owner}'s replicates"
    names = ", ".join(map(str, differ))
    chosen = " ".join(
        f"--select {one.column if one.role == 'condition' else one.role}="
        + ("max" if one.role == "dose" else one.example)
        for one in differ
    )
    last = differ[-1].column if differ[-1].role == "condition" else differ[-1].role
    return (
        f"{text} over each {owner}'s conditions. These rows are no replicates: they differ in {names}."
        f" Choose with {chosen},"
        f" or make one modality of each with --split-by {last}"
    )


def _chosen(options: WellOptions) -> dict[str, Any]:
    """Return what the user chose, for the report."""
    return {
        "features": list(options.columns.features),
        "leave_out": list(options.columns.leave_out),
        "select": {key: list(values) for key, values in options.select.items()},
        "split_by": list(options.split_by),
        "controls": [f"{column}={value}" for column, value in options.controls],
        "keep_controls": options.keep_controls,
        "min_measured": options.min_measured,
        "normalise": options.normalise,
        "whiten": options.whiten,
        "layer": options.layer,
    }
