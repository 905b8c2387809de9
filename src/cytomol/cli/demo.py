"""The verb demo: the main job from start to end on a planted corpus."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples

if TYPE_CHECKING:
    from cytomol.evaluate.comparison import Comparison

__all__ = ["command"]

_AWARE, _BLIND = "cell-aware", "without cell data"
_OUTPUTS = ("corpus", "backbone", "backbone-without-cells", "model", "model-without-cells")
_MADE = (*_OUTPUTS, "backbone.partial", "backbone-without-cells.partial", "predictions.csv", "comparison.csv")


@click.command(
    name="demo",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol demo -o demo-out",
    ),
)
@click.option(
    "-o", "--out", default="demo-out", show_default=True, metavar="DIR", help="Folder of the results."
)
@click.option("--size", type=click.IntRange(200), default=2000, show_default=True, help="Molecules to plant.")
@click.option("--epochs", type=click.IntRange(1), default=15, show_default=True, help="Pretraining epochs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of everything.")
@click.option("--force", is_flag=True, help="Replace the results of an earlier demo.")
def command(*, out: str, size: int, epochs: int, seed: int, force: bool) -> None:
    """Plant a corpus, pretrain with and without cell data, fine-tune, predict, and compare.

    Every step is a verb that works the same on your own data; the command is printed before it runs.
    """
    from cytomol.artifact.signature import made_here

    started = time.perf_counter()
    folder = _checked(Path(out), force=force)
    folder.mkdir(parents=True, exist_ok=True)
    with made_here():
        comparison = _run(folder, size=size, epochs=epochs, seed=seed, force=force)
    _explain(comparison, out, time.perf_counter() - started)


def _checked(folder: Path, *, force: bool) -> Path:
    """Refuse a folder that exists, but for one of an earlier demo with ``--force``."""
    from cytomol.errors import OutputError
    from cytomol.files import check_output, check_place

    check_place(folder)
    if folder.is_dir() and force:
        if foreign := sorted(entry.name for entry in folder.iterdir() if entry.name not in _MADE):
            raise OutputError(
                f"holds {foreign[0]!r}, which no demo made", where=str(folder), hint="choose another folder"
            )
        for name in _MADE:
            check_output(folder / name, force=True)
    elif folder.exists():
        check_output(folder)
    return folder


def _run(folder: Path, *, size: int, epochs: int, seed: int, force: bool) -> Comparison:
    """Run every verb below ``folder``, printing each command before it runs."""

    def verb(*words: str | Path) -> None:
        from cytomol.cli.main import cli

        arguments = [str(word) for word in words] + ["--force"] * force
        click.secho(f"\n$ cytomol {shlex.join(arguments)}", bold=True, err=True)
        cli.main(args=arguments, prog_name="cytomol", standalone_mode=False)

    corpus, split = folder / "corpus", folder / "corpus" / "split.csv"
    heldout, assays = corpus / "heldout.csv", corpus / "assays.csv"
    common = ["--method", "chmr", "--views", "1d,2d", "--batch-size", "128"]
    common += ["--epochs", str(epochs), "--seed", str(seed)]
    verb("corpus", "planted", "-o", corpus, "--size", str(size), "--seed", str(seed))
    verb("pretrain", corpus, *common, "--exclude-profiles-of", heldout, "-o", folder / "backbone")
    verb("pretrain", corpus, *common, "--modalities", "", "-o", folder / "backbone-without-cells")
    for backbone, model in (("backbone", "model"), ("backbone-without-cells", "model-without-cells")):
        # a head on the embedding shows what pretraining is worth; refitted it would have seen the test rows
        alone = ("--learner", "head", "--no-refit", "--calibration-folds", "0")
        verb(
            "finetune",
            assays,
            "--backbone",
            folder / backbone,
            "--split",
            split,
            *alone,
            "-o",
            folder / model,
        )
    verb("predict", folder / "model", heldout, "-o", folder / "predictions.csv")

    click.secho("\ncomparing with a random forest on fingerprints ...", bold=True, err=True)
    from cytomol.evaluate.comparison import compare_on_planted
    from cytomol.tables import write_table

    comparison = compare_on_planted(
        corpus, {_AWARE: folder / "model", _BLIND: folder / "model-without-cells"}, seed=seed
    )
    write_table(comparison.tasks.round(4), folder / "comparison.csv", force=force)
    return comparison


def _explain(comparison: Comparison, out: str, seconds: float) -> None:
    """Print the table and say what to look at."""
    means = comparison.by_driver()
    counts = comparison.tasks["driver"].value_counts()
    molecules = comparison.molecules
    click.echo(
        f"\nROC-AUC on {molecules['test']} held-out molecules of other scaffolds, "
        f"{molecules['train']} labelled for training\n"
    )
    click.echo(f"{'assays driven by':<24}" + "".join(f"{name:>20}" for name in means["response"]))
    for driver, row in means.items():
        label = f"{driver} ({counts[driver]} tasks)"
        click.echo(f"{label:<24}" + "".join(f"{score:>20.3f}" for score in row.values()))
    gain = means["response"][_AWARE] - means["response"][_BLIND]
    click.echo(
        f"\nWhat to look at: the row 'response'. Those assays follow from what a molecule does to a cell,\n"
        f"which its structure shows only indirectly. Pretraining on the profiles of other molecules changes\n"
        f"them by {gain:+.3f}. The row 'structure' needs no cell, and fingerprints alone are strong there.\n"
        f"The profiles of the held-out molecules were left out of pretraining.\n\n"
        f"By task: {out}/comparison.csv   predictions: {out}/predictions.csv   took {seconds:.0f} s"
    )
