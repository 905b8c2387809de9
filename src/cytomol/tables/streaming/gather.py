"""The shards of one answer become one table, after a check that they are all there and belong together."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import agreeing, counted
from cytomol.errors import InputError
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import RowErrors
from cytomol.tables.streaming.part_join import join_parts
from cytomol.tables.streaming.part_journal import PartJournal
from cytomol.tables.streaming.shard_folder import ShardFolder
from cytomol.tables.streaming.shards import Shard
from cytomol.tables.streaming.stream_answers import Answered

__all__ = ["command_of_shard", "gather_shards"]

_NAMED = 6  # missing shards that a message names


def gather_shards(folders: Sequence[Path], out: str, *, force: bool = False) -> tuple[Answered, str]:
    """Write the answers of all shards as one table, in the order of the input.

    The output has the bytes that a run without shards and with the same rows of a chunk gives.

    Parameters
    ----------
    folders
        The shards, in any order.
    out
        The output (see :func:`.join_parts`).
    force
        Replace an existing output.

    Returns
    -------
    How the input was answered, and what was done with it ("predicted").

    Raises
    ------
    InputError
        If a shard is missing, there twice, altered, or of another answer than the others; with the command
        that makes it.
    OutputError
        If the output cannot be written.
    """
    shards = sorted((ShardFolder.read(folder) for folder in folders), key=lambda one: one.shard.index)
    _same_answer(shards)
    _all_there(shards)
    homes: dict[int, PartJournal] = {}
    notes: dict[int, dict[str, Any]] = {}
    for one in shards:
        try:
            found = one.check()
        except InputError as error:
            made = _shown(command_of_shard(one, one.shard), "--force")
            raise InputError(error.what, where=error.where, hint=f"make it again: {made}") from None
        notes |= found
        homes |= dict.fromkeys(found, PartJournal(one.folder))
    asked = shards[0].asked
    number = counted(len(shards), "shard", comma=False)
    empty = MoleculeTable(pd.DataFrame({"smiles": []}), "smiles", number)
    answered = Answered(RowErrors(empty, asked.get("on_error")))
    for note in notes.values():
        answered.add(note)
    answered.errors.require_some()
    join_parts(_Gathered(homes, notes), out, force=force)
    return answered, str(asked.get("verb", "answered"))


@dataclass(frozen=True)
class _Gathered:
    """The parts of all shards, each in its folder."""

    homes: dict[int, PartJournal]
    notes: dict[int, dict[str, Any]]

    def finished(self) -> dict[int, dict[str, Any]]:
        return self.notes

    def frame_file(self, number: int) -> Path:
        return self.homes[number].frame_file(number)

    def read(self, number: int) -> pd.DataFrame:
        return self.homes[number].read(number)

    def array(self, number: int, name: str) -> NDArray[Any]:
        return self.homes[number].array(number, name)


def _same_answer(shards: list[ShardFolder]) -> None:
    """Refuse a shard that answers something else than most of them do."""
    kinds = [repr((one.shard.count, sorted(one.asked.items()))) for one in shards]
    usual = Counter(kinds).most_common(1)[0][0]
    known = shards[kinds.index(usual)]
    for one, kind in zip(shards, kinds, strict=True):
        if kind == usual:
            continue
        if one.shard.count != known.shard.count:
            raise InputError(
                f"is shard {one.shard}, and {known.folder} is {known.shard}",
                where=str(one.folder),
                hint="shards of one answer are of one number of shards: name those alone",
            )
        names = [
            name for name in {**known.asked, **one.asked} if known.asked.get(name) != one.asked.get(name)
        ]
        made = _shown(command_of_shard(known, one.shard), "--force")
        raise InputError(
            f"answers another question than {known.folder}: {' and '.join(names)}"
            f" differ{'s' if len(names) == 1 else ''}",
            where=str(one.folder),
            hint=f"make it again: {made}",
        )


def _all_there(shards: list[ShardFolder]) -> None:
    """Refuse shards that are not each there once."""
    for first, second in pairwise(shards):
        if first.shard == second.shard:
            raise InputError(
                f"is shard {second.shard}, as {first.folder} is", where=str(second.folder), hint="name one"
            )
    count, there = shards[0].shard.count, {one.shard.index for one in shards}
    missing = [index for index in range(1, count + 1) if index not in there]
    if missing:
        some = ", ".join(map(str, missing[:_NAMED])) + (", ..." if len(missing) > _NAMED else "")
        nearest = min(shards, key=lambda one: abs(one.shard.index - missing[0]))
        command = command_of_shard(nearest, Shard(missing[0], count))
        raise InputError(
            f"{agreeing(len(missing), 'shard', 'is', 'are', of=count)} missing: {some}",
            hint=f"make {'it' if len(missing) == 1 else 'the first'}: {_shown(command, '--resume')}",
        )


def _shown(command: tuple[str, ...], more: str) -> str:
    return shlex.join([*(word for word in command if word not in {"--resume", "--force"}), more])


def command_of_shard(known: ShardFolder, shard: Shard) -> tuple[str, ...]:
    """Return the command that makes another shard of an answer, from that which made a known one.

    The name of its output is that of the known one with the other number in it.

    Examples
    --------
    >>> command = ("cytomol", "embed", "default", "in.csv", "--shard=2/8", "-o", "e-02/")
    >>> known = ShardFolder(Path("e-02"), Shard(2, 8), {}, command, {})
    >>> " ".join(command_of_shard(known, Shard(3, 8)))
    'cytomol embed default in.csv --shard=3/8 -o e-03/'
    """
    words = list(known.command)
    for place, word in enumerate(known.command):
        option, equals, value = word.partition("=")
        if option in {"--shard", "--out", "-o"} and (equals or place + 1 < len(words)):
            value = value if equals else words[place + 1]
            new = str(shard) if option == "--shard" else _numbered(value, known.shard, shard)
            words[place if equals else place + 1] = f"{option}={new}" if equals else new
    return tuple(words)


def _numbered(name: str, known: Shard, shard: Shard) -> str:
    """Put another number in a folder's name: the last that is the known shard's; behind it if it has none."""
    if known == shard:
        return name
    above, folder = re.fullmatch(r"(.*?)([^/\\]*)[/\\]*", name, re.DOTALL).groups()  # type: ignore[union-attr]
    places = [found for found in re.finditer("[0-9]+", folder) if int(found[0]) == known.index]
    if not places:
        return f"{above}{folder}-{shard.index}/"
    last = places[-1]
    return f"{above}{folder[: last.start()]}{shard.index:0{len(last[0])}}{folder[last.end() :]}/"
