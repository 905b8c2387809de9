"""The folder of a resumable table of jobs: checked before any work, locked, made by one set of options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytomol.errors import ConfigError, OutputError
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.files import REPORT, Lock, atomic_file, check_place, remove_output

__all__ = ["ResultFolder", "set_digest"]

LOCK = ".lock"


@dataclass(frozen=True)
class ResultFolder:
    """A folder of results.

    Attributes
    ----------
    path
        The folder.
    maker
        What makes it, as messages have it with its article: "an ablation".
    rows, summary, record
        Names of its tables, and of the file that says what they are made with.
    models
        Name of the folder of pretrained models in it.
    others
        Names of further files that the maker writes.
    """

    path: Path
    maker: str
    rows: str
    summary: str
    record: str
    models: str = "models"
    others: tuple[str, ...] = ()

    @property
    def _noun(self) -> str:
        return self.maker.split(" ", 1)[1]

    def check(self, *, resume: bool, force: bool) -> None:
        """Say before any work why the folder cannot be used.

        Parameters
        ----------
        resume
            Go on with what is there.
        force
            Start anew.

        Raises
        ------
        ConfigError
            If both are asked for.
        OutputError
            If it holds something else, or results that are neither to be resumed nor replaced.
        """
        out = self.path
        if resume and force:
            raise ConfigError("--resume goes on and --force starts anew", hint="use one of them")
        check_place(out)
        if out.exists() and not out.is_dir():
            raise OutputError("is a file where a directory belongs", where=str(out))
        begun = (out / self.record).exists()
        if resume and not begun:
            raise OutputError(f"there is no {self._noun} to resume", where=str(out))
        left = sorted(path.name for path in out.iterdir()) if out.exists() else []
        ours = {self.rows, self.summary, self.record, self.models, LOCK, REPORT, *self.others}
        # a run that was killed may leave temporary files behind; without a record the rest is somebody else's
        known = ours if begun else {LOCK}
        foreign = [name for name in left if name not in known and not name.startswith((".tmp-", ".old-"))]
        if foreign:
            raise OutputError(
                f"holds {foreign[0]!r}, which no {self._noun} made",
                where=str(out),
                hint="choose another folder",
            )
        if begun and not (resume or force):
            raise OutputError(
                "output exists", where=str(out), hint="use --resume to go on with it, --force to start anew"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out of the folder, which is made where it is absent."""
        self.path.mkdir(parents=True, exist_ok=True)
        with Lock(self.path / LOCK, f"another {self._noun} is at work here", timeout=0):
            yield

    def clear(self) -> None:
        """Remove what an earlier run left."""
        models = self.path / self.models
        if models.exists():
            for model in sorted(models.iterdir()):
                remove_output(model)
            models.rmdir()
        # the record last: it says whose folder this is
        for name in (self.rows, self.summary, REPORT, *self.others, self.record):
            (self.path / name).unlink(missing_ok=True)

    def write_record(self, made_with: Mapping[str, Any], *, growing: Collection[str] = ()) -> None:
        """Write what the results are made with, or refuse to go on with another run's.

        Parameters
        ----------
        made_with
            Facts by name, as JSON has them.
        growing
            Facts that are tables, to which a resumed run may add.

        Raises
        ------
        ConfigError
            If a fact is another one than before.
        """
        path, now = self.path / self.record, dict(made_with)
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            for name, value in now.items():
                if name in growing:  # more of them may have been asked for now
                    different = [key for key in value if before[name].get(key, value[key]) != value[key]]
                    now[name] = {**before[name], **value}
                else:
                    different = [name] if before[name] != value else []
                if different:
                    raise ConfigError(
                        f"other {name} than in the {self._noun} that lies here: {', '.join(different)}",
                        where=str(path),
                        hint="use the same, or another folder",
                    )
        with atomic_file(path, force=True) as temporary:
            temporary.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


def set_digest(data: BenchmarkSet) -> str:
    """Return a SHA-256 over molecules, folds and labels: equal sets, equal digest."""
    digest = hashlib.sha256("\n".join([*data.labels.names, *map(str, data.smiles)]).encode())
    digest.update("\n".join(data.folds.tolist()).encode())
    digest.update(np.ascontiguousarray(data.labels.matrix).data)
    return digest.hexdigest()
