"""One page a verb, made from the command line itself: what it says, its example, its options."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

__all__ = ["Command", "commands", "page", "pages"]

_MOST_PAGES = 6  # that a verb's page names as further reading


@dataclass(frozen=True)
class Command:
    """A command as it is called.

    Attributes
    ----------
    words
        Its name: "cytomol", the verb, and maybe a word more.
    command
        What click knows of it.
    context
        As for a call.
    """

    words: tuple[str, ...]
    command: click.Command
    context: click.Context = field(repr=False)

    @property
    def name(self) -> str:
        """The words that call it: "cytomol corpus check"."""
        return " ".join(self.words)

    @property
    def line(self) -> str:
        """What it does, in the one line of ``cytomol --help``."""
        parent = self.context.parent
        for source in (getattr(parent and parent.command, "subverbs", {}), _verbs()):
            if self.words[-1] in source and (len(self.words) == 2 or source is not _verbs()):
                return str(source[self.words[-1]])
        return self.command.get_short_help_str(limit=400)


def _verbs() -> dict[str, str]:
    from cytomol.cli.main import _VERBS

    return _VERBS


def commands() -> list[Command]:
    """Return every command of the command line, a verb before its sub-verbs."""
    from cytomol.cli.main import cli

    return list(_below(("cytomol",), cli, None))[1:]


def _below(words: tuple[str, ...], command: click.Command, parent: click.Context | None) -> Iterator[Command]:
    context = click.Context(command, info_name=words[-1], parent=parent)
    yield Command(words, command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from _below((*words, name), found, context)


def pages(docs: Path) -> dict[str, str]:
    """Return the pages of the verbs, and the page that lists them, by place below docs/.

    Parameters
    ----------
    docs
        The folder of pages, in which those that show a verb at work are looked for.
    """
    every = commands()
    verbs = [command for command in every if len(command.words) == 2]
    made = {}
    for verb in verbs:
        parts = [command for command in every if command.words[:2] == verb.words]
        made[f"verbs/{verb.words[1]}.md"] = page(parts, _read_on(verb, docs))
    return {"verbs/index.md": _index(verbs), **made}


def _index(verbs: list[Command]) -> str:
    """Return the page that lists the verbs."""
    lines = [
        "# Verbs",
        "",
        "`cytomol` followed by one of these words; `cytomol VERB --help` says in a terminal what the page of",
        "the verb says here. Every example works in a clone of the repository: tables are in `examples/`,",
        "and a corpus to try things on is made by `cytomol corpus planted -o corpus --size 500`.",
        "[Completion](../install.md#completion) of verbs and options is there for bash, zsh and fish.",
        "",
        "| verb | what it does |",
        "|---|---|",
    ]
    lines += [f"| [`{verb.words[1]}`]({verb.words[1]}.md) | {_escaped(verb.line)} |" for verb in verbs]
    lines += ["", "```{toctree}", ":hidden:", "", *(verb.words[1] for verb in verbs), "```", ""]
    return "\n".join(lines)


def page(parts: list[Command], read_on: list[tuple[str, str]]) -> str:
    """Return the page of a verb.

    Parameters
    ----------
    parts
        The verb, and its sub-verbs if it has any.
    read_on
        Title and place of the pages that show it at work.
    """
    verb, *below = parts
    lines = [f"# {verb.words[1]}", "", *_command(verb, level=2)]
    for one in below:
        lines += [f"## {' '.join(one.words[1:])}", "", *_command(one, level=3)]
    if read_on:
        listed = [f"- [{title}](../{place})" for title, place in read_on]
        lines += ["## Read on", "", *listed, ""]
    return "\n".join(lines)


def _command(command: Command, level: int) -> list[str]:
    """Return usage, text, example and options of a command."""
    lines = ["```text", _usage(command), "```", ""]
    lines += [*_prose(command.command.help or ""), ""]
    if command.command.epilog:
        shown = _example(command.command.epilog)
        lines += ["**Example**", "", "```sh", shown, "```", ""]
    if isinstance(command.command, click.Group):
        return lines
    lines += [f"```{{program}} {command.name}", "```", ""]
    sections = _sections(command)
    for title, options in sections.items():
        lines += [f"{'#' * level} {title}", ""] if len(sections) > 1 or level == 2 else ["**Options**", ""]
        for option in options:
            lines += _option(option, command.context)
    return lines


def _usage(command: Command) -> str:
    pieces = command.command.collect_usage_pieces(command.context)
    return " ".join([command.name, *pieces])


def _example(epilog: str) -> str:
    """Return the lines of an epilog, without its heading."""
    return textwrap.dedent(epilog.replace("\b", "").strip().partition("\n")[2])


def _prose(text: str) -> list[str]:
    r"""Return the help of a command as Markdown: paragraphs, and what stands after a ``\b`` as code."""
    lines: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            lines += ["```sh", *paragraph.splitlines()[1:], "```", ""]
        else:
            lines += [_escaped(paragraph.replace("\f", "").strip()), ""]
    return lines


def _sections(command: Command) -> dict[str, list[click.Option]]:
    """Return the options by group, as the help lists them."""
    sections: dict[str, list[click.Option]] = {"Options": []}
    for parameter in command.command.get_params(command.context):
        if isinstance(parameter, click.Option) and not parameter.hidden and "--help" not in parameter.opts:
            group = getattr(parameter, "group", "options")
            title = "Options" if group == "options" else f"Options: {group}"
            sections.setdefault(title, []).append(parameter)
    return {title: options for title, options in sections.items() if options}


def _option(option: click.Option, context: click.Context) -> list[str]:
    """Return an option as Sphinx describes options, so that it is found by search and by links."""
    record = option.get_help_record(context)
    assert record is not None, option.name
    names, text = record
    names = re.sub(r"\s*/\s*", ", ", names)  # --x / --no-x
    text, notes = _without_notes(text)
    said = " ".join([_escaped(text.strip()), *(f"*{note}*" for note in notes)]).strip()
    return [f"```{{option}} {names}", "", said, "```", ""]


def _without_notes(text: str) -> tuple[str, list[str]]:
    """Return the help of an option, and what stands in brackets at its end: default, range, required."""
    notes: list[str] = []
    while found := re.search(r"\s+\[((?:default: |required|[-\d.eE]*<?=?x?[<>]=?).*?)\]$", text):
        text, notes = text[: found.start()], [*map(str.strip, found[1].split("; ", 1)), *notes]
    return text, [_escaped(note) for note in notes]


def _escaped(text: str) -> str:
    """Return plain text as Markdown: letters that mean something are escaped, options are code."""
    parts = re.split(r"((?<![\w-])--?[a-z][a-z\d-]*(?![\w-]))", text)
    return "".join(
        f"`{part}`" if i % 2 else re.sub(r"([\\`*_{}\[\]<>|#$~])", r"\\\1", part)
        for i, part in enumerate(parts)
    )


def _read_on(verb: Command, docs: Path) -> list[tuple[str, str]]:
    """Return the pages that show a verb at work, those that do so most first."""
    call = re.compile(rf"`{verb.words[1]}[ `]|{verb.name}\b")
    found: list[tuple[int, str, str]] = []
    for path in sorted(docs.glob("**/*.md")):
        place = path.relative_to(docs).as_posix()
        text = path.read_text(encoding="utf-8")
        if not place.startswith(("verbs/", "project/", "api/", "index")) and (
            count := len(call.findall(text))
        ):
            found.append((-count, place, _title(text)))
    return [(title, place) for _, place, title in sorted(found)[:_MOST_PAGES]]


def _title(text: str) -> str:
    found: Any = re.search(r"^# (.+)$", text, re.MULTILINE)
    return str(found[1]) if found else "?"
