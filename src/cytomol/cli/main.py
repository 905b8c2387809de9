"""The command line: one verb per file, loaded when called."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.errors import CytomolError, InputNote
from cytomol.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["main"]

# Verb -> one line of help. The module of a verb is imported when the verb is used, so that
# `cytomol --help` stays light.
_VERBS = {
    "corpus": "Check, build or generate a pretraining corpus.",
    "pretrain": "Pretrain an encoder on molecules and their cell profiles.",
    "check": "Say what a table of assays holds, before any training.",
    "finetune": "Make a model of the assays of a table, and say whether it is any good.",
    "predict": "Predict properties of molecules.",
    "score": "Hold predictions against what was measured since.",
    "report": "Write the page about a model or another result.",
    "explain": "Say which atoms drive a prediction or an imputed profile.",
    "explore": "Draw molecules on a local page and see what a model says of them.",
    "embed": "Write the embeddings of molecules.",
    "gather": "Make one output of the shards that several runs answered.",
    "match": "Rank molecules for a cell profile, profiles for a molecule, or molecules that act alike.",
    "matcher": "Fit what matches molecules and profiles on a corpus, without pretraining.",
    "impute": "Write the cell profiles that molecules are expected to give.",
    "codes": "Write the paths of molecules and profiles through a model's tree.",
    "hierarchy": "Say what the nodes of a model's tree are enriched for.",
    "evaluate": "Measure what a model knows of cells, on molecules that it has not seen.",
    "stress": "Measure how a method bears missing profiles.",
    "benchmark": "Compare models on benchmark sets, or on tables of your own.",
    "serve": "Answer HTTP requests with models.",
    "sign": "Sign a model directory, so that others can tell whose it is.",
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
            import difflib

            near = difflib.get_close_matches(args[0], _VERBS, 1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            ctx.fail(f"no verb {args[0]!r}{meant}; there are {', '.join(_VERBS)}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from cytomol.cli.completion import named

        return [*named(_VERBS, incomplete), *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(_VERBS.items()))


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("cytomol check examples/assay.csv", "cytomol finetune --help"),
)
@click.version_option(__version__, prog_name="cytomol")
def cli() -> None:
    """Molecular representations that know what a molecule does to a cell."""


_TRACE = "CYTOMOL_TRACEBACK"
_COMPLETION = "_CYTOMOL_COMPLETE"  # set by the shell that asks what may follow
_DEFECT = 70  # what sysexits.h calls an internal software error


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit.

    The status is 0 well, 1 a check failed, 2 bad input or use, 70 a defect of cytomol, 130 interrupted.
    An error is one line; with the environment variable CYTOMOL_TRACEBACK=1 its trace is printed too.
    """
    if _COMPLETION in os.environ:
        from cytomol.cli.completion import complete_files_too

        complete_files_too()
    try:
        with _notes_as_lines(), _any_letter_can_be_printed():
            command = ("cytomol", *(sys.argv[1:] if args is None else args))  # a report says what was run
            status = cli.main(args=args, prog_name="cytomol", standalone_mode=False, obj=command)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CytomolError as error:
        _trace()
        click.echo(f"cytomol: error: {_one_line(str(error))}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("cytomol: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:  # noqa: BLE001 - whatever nobody foresaw is told in one line
        _trace()
        click.echo(f"cytomol: error: {_unforeseen(error, sys.argv[1:] if args is None else args)}", err=True)
        sys.exit(CytomolError.exit_code if isinstance(error, MemoryError | OSError) else _DEFECT)
    sys.exit(status if isinstance(status, int) else 0)


def _trace() -> None:
    if os.environ.get(_TRACE, "") not in {"", "0"}:
        traceback.print_exc()


def _unforeseen(error: Exception, args: list[str]) -> str:
    """Say what happened, in which command, and how to see the trace."""
    what = _one_line(f"{type(error).__name__}: {error}")[:300]
    command = _one_line(shlex.join(["cytomol", *args]))
    if isinstance(error, MemoryError):
        return f"{command}: not enough memory ({_TRACE}=1 shows where)"
    if isinstance(error, OSError):
        return f"{command}: {what} ({_TRACE}=1 shows where)"
    return f"{command}: {what}; this is a defect of cytomol: please report it ({_TRACE}=1 shows the trace)"


def _one_line(text: str) -> str:
    return " ".join(text.split("\n")).strip()


@contextmanager
def _notes_as_lines() -> Iterator[None]:
    """Print notes on inputs as lines of ours, each once, where Python would print a line of code."""
    told: set[str] = set()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, InputNote):
                usual(message, category, *place, **more)
            elif str(message) not in told:
                told.add(str(message))
                click.echo(f"cytomol: note: {_one_line(str(message))}", err=True)

        warnings.showwarning = show
        warnings.simplefilter("always", InputNote)
        yield


@contextmanager
def _any_letter_can_be_printed() -> Iterator[None]:
    """Let a terminal that lacks a letter show its code instead of ending the run."""
    stream = sys.stdout
    errors = getattr(stream, "errors", None)
    if errors is None or not hasattr(stream, "reconfigure"):
        yield
        return
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        if not stream.closed:
            stream.reconfigure(errors=errors)
