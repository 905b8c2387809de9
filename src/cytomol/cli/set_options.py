"""Options that the verbs share which score models on sets: which sets, and what is pretrained for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cytomol.evaluate.sets import SetSource
    from cytomol.methods.config import MethodConfig

__all__ = ["base_config", "pretraining_options", "set_options", "sources_of"]

F = TypeVar("F", bound=Callable[..., Any])

_SETS = (
    click.option("--split", "split_file", metavar="FILE", help="Folds of a table: columns index and fold."),
    click.option("--split-col", metavar="NAME", help="Column of a table with train, valid or test."),
    click.option(
        "--smiles-col", metavar="NAME", help="Column of a table with the SMILES.  [default: smiles]"
    ),
    click.option("--targets", multiple=True, metavar="A,B", help="Task columns of a table.  [default: all]"),
    click.option("--data", metavar="DIR", help="Folder of the sets.  [default: $CYTOMOL_DATA/benchmarks]"),
)
_PRETRAINING = (
    click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds, from 0."),
    click.option(
        "--epochs", type=click.IntRange(1), help="Epochs of each pretraining.  [default: the preset's]"
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="OPTION=VALUE",
        help="Option of pretraining, as width=128 or chmr.views=1d,2d; may be given several times.",
    ),
    click.option("--keep-models", is_flag=True, help="Keep the pretrained models in DIR/models."),
)


def set_options(function: F) -> F:
    """Add the options that say how the tables of a command become sets."""
    for option in reversed(_SETS):
        function = option(function)
    return function


def pretraining_options(function: F) -> F:
    """Add the options of the many pretrainings of one command."""
    for option in reversed(_PRETRAINING):
        function = option(function)
    return function


def sources_of(
    tables: Sequence[str],
    *,
    data: str | None,
    split_file: str | None,
    split_col: str | None,
    smiles_col: str | None,
    targets: Sequence[str],
) -> list[SetSource]:
    """Return the sets of a command, from its tables and the options of :func:`set_options`."""
    from cytomol.cli.row_options import split_names
    from cytomol.evaluate.sets import SetSource

    columns = tuple(split_names(targets, ())) or None
    return [SetSource(table, data, split_file, split_col, smiles_col, columns) for table in tables]


def base_config(method: str, preset: str, epochs: int | None, options: dict[str, Any]) -> MethodConfig:
    """Return what is pretrained: a preset of a method, changed by options."""
    from cytomol.methods.config import configs

    base: MethodConfig = configs[method].preset(preset)
    return base.updated(**(options if epochs is None else {**options, "epochs": epochs}))
