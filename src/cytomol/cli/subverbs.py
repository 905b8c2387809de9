"""Verbs with several sub-verbs, each in a module of its own that is imported when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["SubVerbs"]


class SubVerbs(click.Group):
    """A group whose commands are named with one line each and imported when used.

    Parameters
    ----------
    subverbs
        Line of help by name; the command ``two words`` of the group ``one`` is ``command`` in
        ``cytomol.cli.one_two_words``.
    """

    def __init__(self, *args: Any, subverbs: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subverbs = subverbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in their order."""
        return list(self.subverbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command; None for an unknown one."""
        if cmd_name not in self.subverbs:
            return None
        module = importlib.import_module(f"cytomol.cli.{self.name}_{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the known ones."""
        if args and args[0] not in self.subverbs and not args[0].startswith("-"):
            ctx.fail(f"no {self.name} {args[0]!r}; there are {', '.join(self.subverbs)}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names and options that begin like this, without importing anything."""
        from cytomol.cli.completion import named

        return [*named(self.subverbs, incomplete), *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the names with their lines, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.subverbs.items()))
