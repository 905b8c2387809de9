"""``cytomol pretrain``: learn from molecules and their cell profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.method_name import MethodName
from cytomol.cli.options import Chosen, ConfigCommand
from cytomol.cli.tracking_option import mlflow_option

if TYPE_CHECKING:
    from cytomol.config import Config

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
@click.option("--resume", is_flag=True, help="Continue an interrupted training.")
@click.option("--force", is_flag=True, help="Replace an existing output; forget an interrupted training.")
@mlflow_option
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    corpus: str,
    out: str,
    *,
    method: str,
    preset: str,
    exclude_profiles_of: tuple[str, ...],
    keep_relations: bool,
    init_encoder: str | None,
    resume: bool,
    force: bool,
    mlflow: str | None,
    quiet: bool,
    chosen: Chosen,
) -> None:
    """Pretrain an encoder on CORPUS, a directory of molecules, profiles and relations.

    Ctrl-C saves the training beside the output, in OUT.partial: a model that can be used, and the
    state that --resume continues.
    """
    from cytomol.errors import ConfigError
    from cytomol.methods.config import MethodConfig

    if keep_relations and not exclude_profiles_of:
        raise ConfigError(
            "--keep-relations keeps those of left-out molecules, and none are", hint="leave it out"
        )
    model = chosen.models[method]
    assert issubclass(model, MethodConfig)
    config = chosen.build(model, base=model.preset(preset))

    from cytomol.tracking import tracked
    from cytomol.training.pretrain import pretrain

    live = mlflow is not None and config.logger == "csv"
    with tracked(mlflow, "pretrain", out, live=live):
        pretrain(
            corpus,
            config.updated(logger="mlflow") if live else config,
            out,
            method=method,
            resume=resume,
            force=force,
            exclude_profiles_of=exclude_profiles_of,
            exclude_relations=not keep_relations,
            init_encoder=init_encoder,
            quiet=quiet,
        )
