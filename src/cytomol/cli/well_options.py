"""Options on the wells of tables of profiles, shared by whatever reads such tables."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cytomol.errors import ConfigError

if TYPE_CHECKING:
    from cytomol.corpus.wells import WellOptions

__all__ = ["well_options", "wells_by_name"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--features",
        multiple=True,
        metavar="[NAME:]PATTERN",
        help="Columns of the profiles that are features, such as 'Cells_*'; the others are none. Repeatable.",
    ),
    click.option(
        "--leave-out",
        multiple=True,
        metavar="[NAME:]PATTERN",
        help="Columns of the profiles that are no features. Repeatable.",
    ),
    click.option(
        "--role",
        multiple=True,
        metavar="[NAME:]ROLE=COLUMN",
        help="Column that says dose, time, cell, plate, batch, control or condition, where its name does not;"
        " ROLE= alone: there is none. Repeatable.",
    ),
    click.option(
        "--select",
        multiple=True,
        metavar="[NAME:]KEY=VALUE,...",
        help="Wells to use, by role or column: dose=max (of each molecule), cell=A549, time=24. Repeatable.",
    ),
    click.option(
        "--split-by",
        multiple=True,
        metavar="[NAME:]KEY",
        help="Make one modality for each value of a role or column, such as cell. Repeatable.",
    ),
    click.option(
        "--control",
        multiple=True,
        metavar="[NAME:]COLUMN=VALUE",
        help="Wells that are controls, instead of what names and types of wells say. Repeatable.",
    ),
    click.option("--keep-controls", is_flag=True, help="Treat control wells like all others."),
    click.option(
        "--min-measured",
        default=0.1,
        show_default=True,
        type=click.FloatRange(0, 1),
        help="Rows with values for a smaller share of the features count as not measured.",
    ),
    click.option(
        "--normalise",
        type=click.Choice(["controls", "plate"]),
        help="Turn each plate into robust z-scores, by its controls or by all its wells (needs pycytominer).",
    ),
    click.option("--whiten", is_flag=True, help="Sphere the profiles on the controls (needs pycytominer)."),
    click.option(
        "--layer",
        multiple=True,
        metavar="[NAME:]LAYER",
        help="Layer of AnnData files to read instead of X.",
    ),
)


def well_options(function: F) -> F:
    """Add the options on wells to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def wells_by_name(options: dict[str, Any], names: Collection[str]) -> dict[str, WellOptions]:
    """Return what the options say of the tables of each name.

    Parameters
    ----------
    options
        As the command received them.
    names
        Names of the tables; ``NAME:`` before a value makes it one of that table alone.

    Raises
    ------
    ConfigError
        If an option lacks its value, or a role is unknown.
    """
    return {name: _wells(options, name, names) for name in names}


def _wells(options: dict[str, Any], name: str, names: Collection[str]) -> WellOptions:
    from cytomol.corpus.feature_columns import ColumnChoice
    from cytomol.corpus.roles import Role, check_role
    from cytomol.corpus.wells import WellOptions

    said = {
        key: [text for owner, text in map(lambda t: _owner(t, names), options[key]) if owner in {"", name}]  # noqa: C417
        for key in ("features", "leave_out", "role", "select", "split_by", "control", "layer")
    }
    roles: dict[Role, tuple[str, ...]] = {}
    for text in said["role"]:
        key, value = _pair(text, "--role", "ROLE=COLUMN")
        role = check_role(key)
        roles[role] = (*roles.get(role, ()), value)
    select: dict[str, tuple[str, ...]] = {}
    for text in said["select"]:
        key, value = _pair(text, "--select", "KEY=VALUE")
        values = [part.strip() for part in value.split(",") if part.strip()]
        if not values:
            raise ConfigError(f"{text!r} selects nothing", where="--select", hint="write KEY=VALUE")
        select[key] = (*select.get(key, ()), *values)
    wells = WellOptions(
        columns=ColumnChoice(tuple(said["features"]), tuple(said["leave_out"])),
        roles=roles,
        select=select,
        split_by=tuple(said["split_by"]),
        controls=tuple(_pair(text, "--control", "COLUMN=VALUE") for text in said["control"]),
        keep_controls=options["keep_controls"],
        min_measured=options["min_measured"],
        normalise=options["normalise"],
        whiten=options["whiten"],
    )
    return replace(wells, layer=said["layer"][-1]) if said["layer"] else wells


def _owner(text: str, names: Collection[str]) -> tuple[str, str]:
    """Return the table that a value is meant for ("" for all) and the value."""
    name, colon, rest = text.partition(":")
    return (name, rest) if colon and name in names else ("", text)


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{text!r} does not have the form {form}", where=option)
    return key.strip(), value.strip()
