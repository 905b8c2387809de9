"""The name of a method on the command line."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["MethodName"]


class MethodName(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """One of the registered methods; they are looked up when one is given or help is printed.

    Parameters
    ----------
    others
        Further words that are accepted.
    """

    name = "method"

    def __init__(self, *others: str) -> None:
        self.others = others

    def names(self) -> list[str]:
        """Return every accepted word."""
        from cytomol.methods.config import configs

        return [*configs, *self.others]

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """Return the accepted words, as help shows them."""
        return f"[{'|'.join(self.names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; an unknown one lists the known."""
        if value not in self.names():
            self.fail(f"{value!r} is not one of {', '.join(map(repr, self.names()))}.", param, ctx)
        return str(value)
