"""``cytomol pretrain``: learn from molecules and their cell profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.cli.method_name import MethodName
from cytomol.cli.options import Chosen, ConfigCommand
from cytomol.cli.report_beside import report_beside, report_option
from cytomol.cli.tracking_option import mlflow_option
from cytomol.cli.verify_key_option import verify_key_option

if TYPE_CHECKING:
    from cytomol.config import Config
    from cytomol.corpus import Corpus
    from cytomol.methods.config import MethodConfig
    from cytomol.training.overview.overview import MoleculeLabels

__all__ = ["command"]


def _models() -> Mapping[str, type[Config]]:
    from cytomol.methods.config import configs

    return {name: configs[name] for name in configs}


@click.command(
    "pretrain",
    cls=ConfigCommand,
    models=_models,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples(
        "cytomol corpus planted -o corpus --size 500",
        "cytomol pretrain corpus --views 1d,2d --epochs 5 --exclude-profiles-of "
        "corpus/heldout.csv -o backbone",
    ),
)
@click.argument("corpus", type=click.Path())
@click.option("-o", "--out", required=True, type=click.Path(), help="Model directory to write.")
@click.option("--method", type=MethodName(), default="chmr", show_default=True)
@click.option(
    "--preset",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Settings to start from: default (our own), paper (the papers' text), authors (the authors' "
    "code) or, where the authors chose weights for one benchmark, authors:SET, such as authors:bace.",
)
@click.option(
    "--exclude-profiles-of",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Leave out the profiles and relations of these molecules (SMILES or InChIKeys; compared by "
    "connectivity); may be given several times.",
)
@click.option(
    "--keep-relations",
    is_flag=True,
    help="Keep the relations, such as annotated targets, of molecules whose profiles are left out.",
)
@click.option(
    "--init-encoder",
    type=click.Path(),
    metavar="DIR",
    help="Start the graph encoder from this pretrained model.",
)
@click.option(
    "--labels",
    type=click.Path(),
    metavar="TABLE",
    help="Mechanisms or other labels of molecules, by InChIKey or SMILES, to colour the map of the report; "
    "nothing is learnt from them.  [default: what the corpus says of mechanisms, else targets]",
)
@click.option("--label-col", metavar="NAME", help="Column of TABLE to take.  [default: its first of words]")
@report_option
@click.option("--resume", is_flag=True, help="Continue an interrupted training.")
@click.option("--force", is_flag=True, help="Replace an existing output; forget an interrupted training.")
@mlflow_option
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@verify_key_option
def command(
    corpus: str,
    out: str,
    *,
    method: str,
    preset: str,
    exclude_profiles_of: tuple[str, ...],
    keep_relations: bool,
    init_encoder: str | None,
    labels: str | None,
    label_col: str | None,
    report: bool,
    resume: bool,
    force: bool,
    mlflow: str | None,
    quiet: bool,
    chosen: Chosen,
) -> None:
    """Pretrain an encoder on CORPUS, a directory of molecules, profiles and relations.

    Ctrl-C saves the training beside the output, in OUT.partial: a model that can be used, and the
    state that --resume continues. OUT/report.html shows how it learnt and what its space looks like.

    --devices 2 trains in two processes of this machine. Started by torchrun or by srun of SLURM, each
    process joins the others; the first one prints and writes.
    """
    from cytomol.errors import ConfigError
    from cytomol.methods.config import MethodConfig
    from cytomol.training.loop.launch import launched

    if keep_relations and not exclude_profiles_of:
        raise ConfigError(
            "--keep-relations keeps those of left-out molecules, and none are", hint="leave it out"
        )
    if label_col is not None and labels is None:
        raise ConfigError("--label-col chooses a column of a table of labels", hint="give --labels TABLE")
    model = chosen.models[method]
    assert issubclass(model, MethodConfig)
    config = chosen.build(model, base=model.preset(preset))

    launch = launched()
    with nullcontext() if launch is None else launch.first_speaks():
        _pretrain(
            corpus,
            config,
            out,
            method=method,
            resume=resume,
            force=force,
            exclude_profiles_of=exclude_profiles_of,
            exclude_relations=not keep_relations,
            init_encoder=init_encoder,
            labels=None if labels is None else _reader(labels, label_col),
            report=report,
            mlflow=mlflow,
            quiet=quiet,
            first=launch is None or launch.rank == 0,
        )


def _pretrain(
    corpus: str,
    config: MethodConfig,
    out: str,
    *,
    report: bool,
    mlflow: str | None,
    quiet: bool,
    first: bool,
    **options: Any,
) -> None:
    """Pretrain, and tell what it was; of processes that were started from outside, the first tells."""
    from cytomol.tracking import tracked
    from cytomol.training.pretrain import pretrain

    live = mlflow is not None and config.logger == "csv" and first
    with tracked(mlflow if first else None, "pretrain", out, live=live):
        pretrain(corpus, config.updated(logger="mlflow") if live else config, out, quiet=quiet, **options)
        if report and first:
            report_beside(out, quiet=quiet)


def _reader(table: str, column: str | None) -> Callable[[Corpus], MoleculeLabels]:
    """Return what reads the label of each molecule of a corpus from a table, which must exist."""
    from cytomol.files import require_file

    require_file(table, what="table of labels")

    def read(corpus: Corpus) -> MoleculeLabels:
        from cytomol.cells.tree.label_tables import read_labels
        from cytomol.training.dataset.exclude import connectivity_blocks
        from cytomol.training.overview.overview import labels_of

        found = read_labels(table, connectivity_blocks(corpus), [] if column is None else [column])[0]
        return labels_of(found.kind, found.names, found.molecule, found.label, len(corpus))

    return read
