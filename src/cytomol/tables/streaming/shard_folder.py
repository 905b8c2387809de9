"""The finished output of a shard: a folder of its parts, with a note of what it answers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError, OutputError
from cytomol.files import atomic_directory, sha256
from cytomol.tables.streaming.part_journal import PartJournal
from cytomol.tables.streaming.shards import Shard

__all__ = ["NOTE", "ShardFolder", "finished_notes", "write_shard"]

NOTE = "shard.json"
"""File that says which shard of what a folder holds."""
_FORMAT = "cytomol shard 1"
_COUNTS, _MOST = ("rows", "chunk_rows"), 1 << 48


@dataclass(frozen=True)
class ShardFolder:
    """What the note of a finished shard says.

    Attributes
    ----------
    folder, shard
        Where it lies, and which one it is.
    asked
        What all shards of one answer have in common: input, model, options, rows, rows of a chunk.
    command
        What made it, word for word.
    digests
        SHA-256 of each of its files.
    """

    folder: Path
    shard: Shard
    asked: dict[str, Any]
    command: tuple[str, ...]
    digests: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> ShardFolder:
        """Read the note of a shard; its parts are not looked at.

        Raises
        ------
        InputError
            If there is no finished shard.
        """
        try:
            told = json.loads((folder / NOTE).read_text(encoding="utf-8"))
            if told["format"] != _FORMAT:
                raise ValueError(told["format"])
            asked = dict(told["asked"])
            if not all(type(asked[name]) is int and 0 < asked[name] < _MOST for name in _COUNTS):
                raise ValueError(asked)
            command = tuple(str(word) for word in told["command"])
            digests = {Path(name).name: str(digest) for name, digest in told["digests"].items()}
            return cls(folder, Shard.parse(told["shard"]), asked, command, digests)
        except FileNotFoundError:
            raise InputError("holds no finished shard", where=str(folder), hint=_unfinished(folder)) from None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, ConfigError):
            raise InputError(
                f"its {NOTE} cannot be read", where=str(folder), hint="make the shard again with --force"
            ) from None

    @property
    def rows(self) -> range:
        """Rows of the whole input, from 0, that it answers."""
        return self.shard.rows(self.asked["rows"], self.asked["chunk_rows"])

    def check(self) -> dict[int, dict[str, Any]]:
        """Check every part, and return what is noted of each, by its number.

        Raises
        ------
        InputError
            If a part is missing, altered, or not of this shard.
        """
        for name, digest in self.digests.items():
            path = self.folder / name
            if not path.is_file() or sha256(path) != digest:
                raise InputError("is missing" if not path.is_file() else "was altered", where=str(path))
        notes = PartJournal(self.folder).finished()
        wanted = self.shard.chunks(-(-self.asked["rows"] // self.asked["chunk_rows"]))
        named = {f"{number:08}.json" for number in notes} <= set(self.digests)
        if len(notes) != len(wanted) or not named or not all(number in wanted for number in notes):
            raise InputError(f"holds other parts than those of shard {self.shard}", where=str(self.folder))
        rows = sum(note["rows"] for note in notes.values())
        if rows != len(self.rows):
            raise InputError(
                f"answers {counted(rows, 'row')}, not the {len(self.rows):,} of shard {self.shard}",
                where=str(self.folder),
            )
        return notes


def _unfinished(folder: Path) -> str:
    parts = PartJournal.beside(folder).folder
    if parts.is_dir():
        return f"{parts} holds unfinished parts: run its command again with --resume"
    return "name the folders that were made with --shard"


def finished_notes(out: Path, shard: Shard, asked: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the notes of a shard that an earlier run of the same command has finished.

    Raises
    ------
    OutputError
        If the output holds anything else.
    """
    try:
        there = ShardFolder.read(out)
        if (there.shard, there.asked) == (shard, json.loads(json.dumps(asked))):
            return there.check()
        what = f"holds shard {there.shard} of another run"
    except InputError as error:
        what = f"exists, and is not this shard: {error.what}"
    raise OutputError(what, where=str(out), hint="choose another place, or --force replaces it")


def write_shard(
    journal: PartJournal,
    out: Path,
    shard: Shard,
    *,
    asked: Mapping[str, Any],
    command: tuple[str, ...],
    force: bool = False,
) -> None:
    """Make a folder of the finished parts of a shard.

    Parameters
    ----------
    journal
        All chunks of the shard are finished.
    out
        The folder.
    shard, asked, command
        See `ShardFolder`.
    force
        Replace an existing folder of ours.

    Raises
    ------
    OutputError
        If it exists or cannot be written; the parts stay in the journal.
    """
    with atomic_directory(out, force=force) as folder:
        digests = {}
        for number, note in journal.finished().items():
            for path in journal.files(number, note):
                _same(path, folder / path.name)
                digests[path.name] = sha256(path)
        told = {
            "format": _FORMAT,
            "shard": str(shard),
            "asked": dict(asked),
            "command": command,
            "digests": digests,
        }
        (folder / NOTE).write_text(json.dumps(told, indent=1, sort_keys=True), encoding="utf-8")


def _same(path: Path, new: Path) -> None:
    """Give a file a second name; a copy where the file system has no such thing."""
    try:
        os.link(path, new)
    except OSError:
        shutil.copyfile(path, new)
