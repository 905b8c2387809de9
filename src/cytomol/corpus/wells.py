"""One table of wells made ready: its columns told apart, its controls found, its values normalised."""

from __future__ import annotations

from dataclasses import dataclass, field

from cytomol.corpus.controls import Controls, find_controls
from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.normalise import Reference, normalise_plates
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable, without_infinite
from cytomol.corpus.roles import Role, Roles, find_roles
from cytomol.corpus.schema import Entity
from cytomol.counted import agreeing

__all__ = ["MIN_MEASURED", "WellOptions", "Wells", "note_controls", "ready_wells"]

MIN_MEASURED = 0.1  # of the features that its table measures at all


@dataclass(frozen=True)
class WellOptions:
    """What a user says of the wells of a table.

    Attributes
    ----------
    columns
        Which columns are features.
    roles
        Columns by role, where their names do not say it.
    select
        Values to keep by role or column; "max" and "min" are those of each molecule.
    split_by
        Roles or columns; each of their values becomes a modality of its own.
    controls
        Columns and values that mark control wells; empty: by convention.
    keep_controls
        Treat control wells like all others.
    min_measured
        A row with a smaller share of its table's features counts as not measured.
    normalise
        None, or robust z-scores of each plate to its "controls" or to the whole "plate".
    whiten
        Sphere the profiles on the controls.
    layer
        Layer of AnnData files to read instead of ``X``.
    """

    columns: ColumnChoice = field(default_factory=ColumnChoice)
    roles: dict[Role, tuple[str, ...]] = field(default_factory=dict)
    select: dict[str, tuple[str, ...]] = field(default_factory=dict)
    split_by: tuple[str, ...] = ()
    controls: tuple[tuple[str, str], ...] = ()
    keep_controls: bool = False
    min_measured: float = MIN_MEASURED
    normalise: Reference | None = None
    whiten: bool = False
    layer: str | None = None


@dataclass(frozen=True)
class Wells:
    """One table of wells, made ready.

    Attributes
    ----------
    table
        Features and what stands beside them.
    roles
        Columns by role.
    controls
        Which wells are controls.
    """

    table: ProfileTable
    roles: Roles
    controls: Controls


def ready_wells(table: ProfileTable, entity: Entity, options: WellOptions, problems: Problems) -> Wells:
    """Find roles and controls, drop infinite values and normalise plate by plate.

    Parameters
    ----------
    table
        As read.
    entity
        Whose profiles these are.
    options
        What the user says.
    problems
        Receives notes.
    """
    for note in table.notes:
        problems.note(note)
    table = without_infinite(table, problems)
    roles = find_roles(table.metadata, options.roles, where=table.where)
    controls = find_controls(table.metadata, roles, entity, given=options.controls, where=table.where)
    if options.normalise is not None:
        table = normalise_plates(table, roles, controls, options.normalise, problems)
    if not options.keep_controls:
        note_controls(controls, entity, table.where, problems)
    return Wells(table, roles, controls)


def note_controls(controls: Controls, entity: Entity, where: str, problems: Problems) -> None:
    """Say how many wells are left out as controls, and by what they were told."""
    if len(controls):
        are = agreeing(len(controls), "well", "is a control", "are controls", of=len(controls.rows))
        ending, them = ("", "it") if len(controls) == 1 else ("s", "them")
        what = f"no compound{ending}" if entity == "molecule" else f"no gene{ending} of interest"
        problems.note(
            f"{where}: {are} ({controls}), {what}: left out (--keep-controls treats {them} like the others)"
        )
