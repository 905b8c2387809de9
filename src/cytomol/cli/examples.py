"""Working examples at the end of a command's help."""

from __future__ import annotations

import re

__all__ = ["HEADING", "commands_of", "examples"]

HEADING = {1: "Example:", 2: "Examples:"}
_WIDTH = 76  # of a line; what is longer goes on below


def examples(*commands: str) -> str:
    r"""Return the epilog of a command that shows it at work.

    Parameters
    ----------
    commands
        Whole commands, in the order in which they may be run. What they read is in the repository
        (``examples/``), or was made by the example of another verb: ``corpus``, ``backbone``, ``model``.

    Examples
    --------
    >>> examples("cytomol check examples/assay.csv")
    '\x08\nExample:\n  cytomol check examples/assay.csv'
    """
    return "\n".join(["\b", HEADING[min(len(commands), 2)], *(_folded(command) for command in commands)])


def _folded(command: str) -> str:
    """Return a command on lines that a terminal can hold, as a shell reads them."""
    first, *parts = re.split(r" (?=-)", command)  # an option stays with its value
    lines = [f"  {first}"]
    for part in parts:
        if len(lines[-1]) + len(part) + 3 > _WIDTH:
            lines[-1] += " \\"
            lines.append(f"      {part}")
        else:
            lines[-1] += f" {part}"
    return "\n".join(lines)


def commands_of(epilog: str | None) -> list[str]:
    """Return the commands that an epilog shows; none where there is no epilog.

    Parameters
    ----------
    epilog
        What :func:`examples` has made.

    Examples
    --------
    >>> commands_of(examples("cytomol data list"))
    ['cytomol data list']
    """
    text = (epilog or "").replace("\b", "").replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return [line for line in lines if line and line not in HEADING.values()]
