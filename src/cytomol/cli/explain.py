"""The verb explain: which atoms drive a prediction, an imputed profile or a match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import output_options, rows_options, say_rows, split_names
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.errors import InputError

if TYPE_CHECKING:
    from cytomol.cells.explain.choose_value import ValueChoice
    from cytomol.cells.explain.explained_rows import AtomTable
    from cytomol.chem.occlusion.attribution import ExplainedMolecule

__all__ = ["command"]

_CHUNK = 64  # molecules whose masked rows are in memory at once


@dataclass(frozen=True)
class _Explainer:
    """Explains some molecules; what it explains, and whether it reads the parent of a salt."""

    explain: Callable[[Sequence[str]], list[ExplainedMolecule]]
    title: str
    parents: bool


@click.command(
    name="explain",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol explain model examples/molecules.csv --task LogSol -o atoms.csv",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("molecules", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Output: .csv, .tsv (also .gz) or .parquet.")
@rows_options
@click.option("--task", "tasks", multiple=True, metavar="A,B", help="Tasks to explain.  [default: all]")
@click.option("--modality", metavar="NAME", help="Explain the imputed profile of this modality.")
@click.option("--feature", metavar="NAME", help="This feature of it, in measured units.")
@click.option(
    "--of",
    "what",
    type=click.Choice(["direction", "norm"]),
    help="Its direction away from the typical profile, or how far it goes.  [default: direction]",
)
@click.option("--profile", metavar="TABLE", help="Explain the match to a measured profile of this table.")
@click.option(
    "--profile-row", type=click.IntRange(1), metavar="N", help="Row of it.  [default: the only one]"
)
@click.option(
    "--by",
    type=click.Choice(["occlusion", "gradients"]),
    default="occlusion",
    show_default=True,
    help="Mask each atom, or integrate gradients through the encoder (of profiles and matches).",
)
@click.option("--steps", type=click.IntRange(2), default=64, show_default=True, help="Gradients on the path.")
@click.option("--draw", metavar="FOLDER", help="Draw the molecules, an SVG each, and a page of them all.")
@click.option(
    "--draw-first", type=click.IntRange(1), default=100, show_default=True, help="How many are drawn."
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=256, show_default=True, help="Molecules in a pass."
)
@output_options
@verify_key_option
def command(
    *,
    model: str,
    molecules: str,
    out: str,
    smiles_col: str | None,
    sheet: str | None,
    keep: tuple[str, ...],
    on_error: str | None,
    tasks: tuple[str, ...],
    modality: str | None,
    feature: str | None,
    what: str | None,
    profile: str | None,
    profile_row: int | None,
    by: str,
    steps: int,
    draw: str | None,
    draw_first: int,
    batch_size: int,
    force: bool,
    quiet: bool,
) -> None:
    """Say what each atom of the molecules of INPUT adds to an answer of the model DIR.

    Of a fine-tuned model the answers are its tasks. Of a pretrained one, or with --modality, --feature, --of
    or --profile, they are a feature of the imputed profile, its direction or norm, or the match to a measured
    profile. The output has a row for each answer and atom: what the answer loses without the atom,
    and without the ring system, linker or substituent that it belongs to. As DIR, default is the pretrained
    backbone that comes with cytomol.
    """
    of_cell = any(option is not None for option in (modality, feature, what, profile))
    if tasks and of_cell:
        raise click.UsageError("--task is of a fine-tuned model, the other choices of imputed profiles")
    if sum(option is not None for option in (feature, what, profile)) > 1:
        raise click.UsageError("choose one of --feature, --of and --profile")
    if profile_row is not None and profile is None:
        raise click.UsageError("--profile-row is a row of --profile TABLE")
    from cytomol.files import check_output
    from cytomol.tables import read_molecules
    from cytomol.tables.write_chunks import check_chunks_name

    check_chunks_name(out, force=force)
    if draw is not None:
        check_output(draw, force=force)
    table = read_molecules(molecules, smiles_col=smiles_col, sheet=sheet)

    from cytomol.artifact.directory import kind_of
    from cytomol.cells.explain.choose_value import ValueChoice
    from cytomol.cells.explain.explained_rows import AtomTable
    from cytomol.nn.allocator import keep_few_kernels

    keep_few_kernels()
    if of_cell or kind_of(model) == "backbone":
        if tasks:
            raise InputError(
                "is a pretrained model, which has no tasks", where=model, hint="leave --task out"
            )
        choice = ValueChoice(modality, feature, what, profile, profile_row)
        explainer = _of_cell(model, choice, by, steps, batch_size)
    else:
        explainer = _of_tasks(model, tasks, by, batch_size)
    kept = split_names(keep, table.frame.columns)
    rows = AtomTable(
        table,
        kept,
        on_error,  # type: ignore[arg-type]
        gradients=by == "gradients",
        parents=explainer.parents,
    )
    _write(
        explainer,
        table.smiles,
        rows,
        out=out,
        draw=draw,
        draw_first=draw_first,
        force=force,
        quiet=quiet,
    )


def _of_tasks(model: str, tasks: Sequence[str], by: str, batch_size: int) -> _Explainer:
    """Explain the tasks of a fine-tuned model."""
    from cytomol.predict.predictor import Predictor
    from cytomol.predict.task_attribution import explain_tasks, named_tasks

    if by == "gradients":
        raise InputError(
            "integrated gradients explain imputed profiles and matches, not tasks",
            hint="leave --by gradients out: occlusion explains the tasks of any learner",
        )
    predictor = Predictor.load(model)
    names = named_tasks(predictor, split_names(tasks, predictor.names))
    return _Explainer(
        lambda smiles: explain_tasks(predictor, smiles, names, batch_size=batch_size),
        ", ".join(names),
        predictor.features.options.standardize == "parent",
    )


def _of_cell(
    model: str,
    choice: ValueChoice,
    by: str,
    steps: int,
    batch_size: int,
) -> _Explainer:
    """Explain what a backbone says of a cell."""
    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.explain.choose_value import choose_value
    from cytomol.cells.explain.integrated_gradients import integrate_value
    from cytomol.cells.explain.occluded_atoms import occlude_value

    backbone = load_backbone(model)
    value = choose_value(backbone, choice)

    def explain(smiles: Sequence[str]) -> list[ExplainedMolecule]:
        if by == "gradients":
            return integrate_value(backbone, smiles, value, steps=steps, batch_size=min(64, batch_size))
        return occlude_value(backbone, smiles, value, batch_size=batch_size)

    return _Explainer(explain, value.name, backbone.feature_options.standardize == "parent")


def _write(
    explainer: _Explainer,
    smiles: list[str],
    table: AtomTable,
    *,
    out: str,
    draw: str | None,
    draw_first: int,
    force: bool,
    quiet: bool,
) -> None:
    """Explain molecules chunk by chunk; table and drawings are there whole, or not at all."""
    from cytomol.cells.explain.attribution_drawings import Drawings
    from cytomol.files import atomic_directory
    from cytomol.nn.allocator import give_back_memory
    from cytomol.progress import Reporter
    from cytomol.tables.write_chunks import open_chunks

    with ExitStack() as stack:
        writer = stack.enter_context(open_chunks(out, force=force))
        folder = None if draw is None else stack.enter_context(atomic_directory(draw, force=force))
        drawings = None if folder is None else Drawings(folder, draw_first)
        advance = stack.enter_context(Reporter(quiet=quiet).bar("explain"))
        for start in range(0, len(smiles), _CHUNK):
            explained = explainer.explain(smiles[start : start + _CHUNK])
            writer.write(table.rows(explained))
            give_back_memory()
            if drawings is not None:
                drawings.add(explained, start + 1)
            advance(min(start + _CHUNK, len(smiles)), len(smiles))
        table.errors.require_some()
        if drawings is not None:
            drawings.finish(explainer.title)
    if quiet:
        return
    say_rows(table.errors, table.renamed, f"explained {explainer.title}:", out)
    if drawings is not None and drawings.drawn < table.errors.rows - table.errors.invalid:
        click.echo(f"drew the first {drawings.drawn} of them; --draw-first N draws more", err=True)
