"""The option --verify-key, which is the same for every verb that opens a model directory."""

from __future__ import annotations

import os

import click

from cytomol.artifact.signature import VERIFY_KEY

__all__ = ["verify_key_option"]


def _hold_to(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    """Let the key hold for this command and for the processes that it starts."""
    if value is None:
        return
    before = os.environ.get(VERIFY_KEY)
    os.environ[VERIFY_KEY] = value

    def restore() -> None:
        if before is None:
            os.environ.pop(VERIFY_KEY, None)
        else:
            os.environ[VERIFY_KEY] = before

    ctx.call_on_close(restore)


verify_key_option = click.option(
    "--verify-key",
    metavar="PUBLIC",
    expose_value=False,
    callback=_hold_to,
    help="Open no model that the owner of this public key (Ed25519, PEM) has not signed; see cytomol sign.  "
    f"[default: the variable {VERIFY_KEY}, if set]",
)
