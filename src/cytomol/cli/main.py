"""The command line: one verb per file, loaded when called."""

from __future__ import annotations

import importlib
import sys

import click

from cytomol import __version__
from cytomol.errors import CytomolError

__all__ = ["main"]

# Verb -> one line of help. The module of a verb is imported when the verb is used, so that
# `cytomol --help` stays light.
_VERBS = {
    "corpus": "Check, build or generate a pretraining corpus.",
    "pretrain": "Pretrain an encoder on molecules and their cell profiles.",
    "finetune": "Fine-tune a pretrained encoder to the assays of a table.",
    "predict": "Predict properties of molecules.",
    "embed": "Write the embeddings of molecules.",
    "benchmark": "Compare models on benchmark sets, or on tables of your own.",
    "data": "List and fetch the published benchmark sets.",
    "ablate": "Measure what each part of a method is worth.",
    "demo": "Run the whole job on a planted corpus.",
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command = importlib.import_module(f"cytomol.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            ctx.fail(f"no verb {args[0]!r}; there are {', '.join(_VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(_VERBS.items()))


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cytomol")
def cli() -> None:
    """Molecular representations that know what a molecule does to a cell."""


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 well, 1 a check failed, 2 bad input or use, 130 interrupted."""
    try:
        status = cli.main(args=args, prog_name="cytomol", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CytomolError as error:
        click.echo(f"cytomol: error: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("cytomol: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    sys.exit(status if isinstance(status, int) else 0)
