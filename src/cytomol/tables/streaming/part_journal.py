"""What is finished of a long answer: a part file for each chunk, beside the output, with what they answer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import agreeing, counted
from cytomol.errors import OutputError
from cytomol.files.replace import publish_file

__all__ = ["PartJournal"]

_FORMAT = "cytomol parts 1"


@dataclass(frozen=True)
class PartJournal:
    """Finished chunks in a hidden folder ``.NAME.parts`` beside an output.

    A chunk counts as finished when its note, which is written last, has its name; a process that is killed
    loses no more than the chunks that it is at.

    Attributes
    ----------
    folder
        The folder.
    """

    folder: Path

    @classmethod
    def beside(cls, out: Path) -> PartJournal:
        """Return the journal of an output."""
        return cls(out.absolute().parent / f".{out.name}.parts")

    def begin(self, asked: Mapping[str, Any], *, resume: bool, force: bool) -> None:
        """Make the folder, or take up what is finished of the same answer.

        Parameters
        ----------
        asked
            What is answered: input, model, options.
        resume, force
            Go on with finished chunks; remove them.

        Raises
        ------
        OutputError
            If there are finished chunks of something else, or it was not said what to do with them.
        """
        text = json.dumps({"format": _FORMAT, **asked}, indent=1, sort_keys=True)
        note = self.folder / "journal.json"
        if note.is_file() and not resume and not force:
            raise OutputError(
                f"holds {counted(len(self.finished()), 'finished part')} of a run that did not end",
                where=str(self.folder),
                hint="--resume goes on with them, --force starts anew",
            )
        if note.is_file() and resume:
            there = note.read_text(encoding="utf-8")
            if there != text:
                raise OutputError(
                    f"holds parts of another run: {_differing(there, text)}",
                    where=str(self.folder),
                    hint="resume with the input, model and options that it began with, or start anew with"
                    " --force alone",
                )
            return
        self.remove()
        try:
            self.folder.mkdir(parents=True)
            new = self.folder / "journal.new"
            new.write_text(text, encoding="utf-8")
            publish_file(new, note)
        except OSError as error:
            self.remove()
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                where=str(self.folder),
                hint="check free space and permissions",
            ) from error

    def finished(self) -> dict[int, dict[str, Any]]:
        """Return what is noted of each finished chunk, by its number."""
        return {
            int(path.stem): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.glob("[0-9]*.json"))
        }

    def write(
        self,
        number: int,
        frame: pd.DataFrame,
        arrays: Mapping[str, NDArray[Any]],
        note: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Keep a finished chunk, and return its note.

        Raises
        ------
        OutputError
            If the disk is full, or cannot be written.
        """
        told = {**note, "arrays": {name: [str(a.dtype), *a.shape] for name, a in arrays.items()}}
        new = self.folder / f"{number:08}.{os.getpid()}.new"
        try:
            for name, array in arrays.items():
                with new.open("wb") as handle:
                    np.lib.format.write_array(handle, np.ascontiguousarray(array), allow_pickle=False)
                publish_file(new, self._array(number, name))
            _plain(frame).to_parquet(new, index=False)
            publish_file(new, self.frame_file(number))
            new.write_text(json.dumps(told), encoding="utf-8")
            publish_file(new, self.folder / f"{number:08}.json")
        except OSError as error:
            new.unlink(missing_ok=True)
            stay = agreeing(len(self.finished()), "finished part", "stays", "stay")
            raise OutputError(
                f"cannot be written: {error.strerror or error}; {stay}",
                where=str(self.folder),
                hint="make room, then go on with --resume",
            ) from error
        return told

    def frame_file(self, number: int) -> Path:
        """Return the file with the columns of a chunk."""
        return self.folder / f"{number:08}.parquet"

    def files(self, number: int, note: Mapping[str, Any]) -> list[Path]:
        """Return the files of a finished chunk, its note last."""
        arrays = [self._array(number, name) for name in note["arrays"]]
        return [*arrays, self.frame_file(number), self.folder / f"{number:08}.json"]

    def read(self, number: int) -> pd.DataFrame:
        """Return the columns of a finished chunk."""
        frame: pd.DataFrame = pd.read_parquet(self.frame_file(number))
        return frame

    def array(self, number: int, name: str) -> NDArray[Any]:
        """Return a matrix of a finished chunk, memory-mapped."""
        found: NDArray[Any] = np.load(self._array(number, name), mmap_mode="r", allow_pickle=False)
        return found

    def _array(self, number: int, name: str) -> Path:
        return self.folder / f"{number:08}.{name}.npy"

    def remove(self) -> None:
        """Remove the folder with all that it holds."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _differing(there: str, here: str) -> str:
    """Return the names of what differs between two notes."""
    before, now = (json.loads(text) for text in (there, here))
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(names) + " differ" + ("s" if len(names) == 1 else "")


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of objects hold text or truth values alone."""
    mixed = {}
    for name in frame.columns:
        column = frame[name]
        kinds = {type(cell) for cell in column.dropna()} if column.dtype == object else set()
        if kinds - {str} and kinds != {bool}:
            mixed[str(name)] = column.map(lambda cell: cell if pd.isna(cell) else str(cell))
    return frame.assign(**mixed) if mixed else frame
