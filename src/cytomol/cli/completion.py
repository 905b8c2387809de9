"""Completion in the shell: click's, and names of files wherever click knows nothing better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

__all__ = ["complete_files_too", "named"]


def named(lines: Mapping[str, str], incomplete: str) -> list[CompletionItem]:
    """Return the names that begin as ``incomplete`` does, each with its line of help.

    Examples
    --------
    >>> [item.value for item in named({"match": "Rank.", "matcher": "Fit.", "data": "List."}, "ma")]
    ['match', 'matcher']
    """
    return [CompletionItem(name, help=line) for name, line in lines.items() if name.startswith(incomplete)]


def _or_files(found: Sequence[CompletionItem], incomplete: str) -> list[CompletionItem]:
    """Return what click has found, or the word that lets the shell offer names of files."""
    if found or incomplete.startswith("-"):
        return list(found)
    return [CompletionItem(incomplete, type="file")]


class _Files(ShellComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return _or_files(super().get_completions(args, incomplete), incomplete)


class _Bash(_Files, BashComplete):
    pass


class _Zsh(_Files, ZshComplete):
    pass


class _Fish(_Files, FishComplete):
    pass


def complete_files_too() -> None:
    """Let the completion of bash, zsh and fish offer names of files where a verb expects one.

    Click offers them for parameters that it knows to be paths; most of ours are plain words, since a table
    may also be ``-`` or ``CORPUS:MODALITY``.
    """
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)
