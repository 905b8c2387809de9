"""Chemprop 2, a directed message-passing network, by its command line and with its own defaults."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import CytomolError, InputError, MissingDependencyError
from cytomol.evaluate.peers.base import Peer, PeerResult, peers
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.tables import read_table

__all__ = ["Chemprop"]

_PROGRAM = "CYTOMOL_CHEMPROP"
_FOLDS = {"train": "train", "valid": "val"}
_INSTALL = (
    "install it apart, as it brings its own versions of torch and RDKit: python -m venv chemprop-env && "
    "chemprop-env/bin/pip install 'chemprop>=2.1'; then set "
    f"{_PROGRAM}=chemprop-env/bin/chemprop"
)


@peers.register("chemprop")
class Chemprop(Peer):
    """Train on a table with a column of folds, keep the epoch with the best validation loss, predict.

    Notes
    -----
    All settings are chemprop's defaults (of 2.3: 50 epochs, three steps of 300 wide messages).
    """

    name = "chemprop"

    def require(self) -> Path:
        """Return the program: ``CYTOMOL_CHEMPROP``, else ``chemprop`` on the search path."""
        program = os.environ.get(_PROGRAM) or "chemprop"
        found = shutil.which(program)
        if found is None:
            raise MissingDependencyError(f"the program {program!r} is not there", hint=_INSTALL)
        return Path(found).absolute()

    def run(
        self, data: BenchmarkSet, rows: NDArray[np.int64], *, seed: int, threads: int, folder: Path
    ) -> PeerResult:
        """Train and predict; molecules that RDKit cannot read are not shown to it."""
        from cytomol.chem.parse import parse_smiles

        program = str(self.require())
        readable = np.array([parse_smiles(text).mol is not None for text in data.smiles], dtype=bool)
        tasks = [f"task_{task}" for task in range(len(data.labels.names))]
        self._training_table(data, readable, tasks).to_csv(folder / "train.csv", index=False)
        asked = np.flatnonzero(readable[rows])
        smiles = [data.smiles[row].split()[0] for row in rows[asked]]
        pd.DataFrame({"smiles": smiles}).to_csv(folder / "predict.csv", index=False)
        commands = [self.train_words(tasks, kind=data.labels.kind, seed=seed), self.predict_words()]
        seconds = [_run([program, *words], folder, threads) for words in commands]
        values = np.full((len(rows), len(tasks)), np.nan)
        values[asked] = self._answers(folder / "predictions.csv", len(asked), tasks)
        details: dict[str, Any] = {"version": _version(program), "commands": commands}
        return PeerResult(values, seconds[0], seconds[1], details)

    @staticmethod
    def train_words(tasks: Sequence[str], *, kind: str, seed: int) -> list[str]:
        """Return the command that trains, without the program; files are those of the working folder."""
        words = ["train", "--data-path", "train.csv", "--task-type", kind]
        words += ["--smiles-columns", "smiles", "--splits-column", "fold"]
        words += ["--pytorch-seed", str(seed), "--data-seed", str(seed), "--num-workers", "0"]
        words += ["--output-dir", "model", "--remove-checkpoints"]
        return [*words, "--target-columns", *tasks]

    @staticmethod
    def predict_words() -> list[str]:
        """Return the command that predicts, without the program."""
        words = ["predict", "--test-path", "predict.csv", "--smiles-columns", "smiles"]
        return [*words, "--model-paths", "model", "--preds-path", "predictions.csv", "--num-workers", "0"]

    @staticmethod
    def _training_table(
        data: BenchmarkSet, readable: NDArray[np.bool_], tasks: Sequence[str]
    ) -> pd.DataFrame:
        """Return the train and valid rows that teach something, with columns of plain names."""
        labels = data.training_labels().matrix
        rows = np.flatnonzero(readable & ~np.isnan(labels).all(axis=1))
        frame = pd.DataFrame(labels[rows], columns=list(tasks))
        frame.insert(0, "smiles", [data.smiles[row].split()[0] for row in rows])
        frame["fold"] = [_FOLDS[str(fold)] for fold in data.folds[rows]]
        for fold in _FOLDS.values():
            if not (frame["fold"] == fold).any():
                raise InputError(f"chemprop needs labelled molecules in {fold}", where=data.labels.where)
        return frame

    @staticmethod
    def _answers(path: Path, count: int, tasks: Sequence[str]) -> NDArray[np.float64]:
        frame = read_table(path)
        missing = [task for task in tasks if task not in frame.columns]
        if missing or len(frame) != count:
            rows, asked = counted(len(frame), "row", comma=False), counted(count, "molecule", comma=False)
            raise InputError(
                f"holds {rows} for {asked}, columns {', '.join(frame.columns[:6])}",
                where=str(path),
                hint="this version of chemprop answers in another way",
            )
        return frame[list(tasks)].to_numpy(dtype=np.float64)


def _run(command: Sequence[str], folder: Path, threads: int) -> float:
    """Run a command in a folder, its output among ours; return its seconds."""
    environment = dict(os.environ)
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - the program that the user chose
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise CytomolError(
            f"ended with exit status {done.returncode}", where=" ".join(command[:2]), hint="see the job's log"
        )
    return time.perf_counter() - began


def _version(program: str) -> str:
    """Return the version of the chemprop beside the program; "" if it cannot be told."""
    python = next((p for p in Path(program).parent.glob("python*") if p.stem == "python"), None)
    if python is None:
        return ""
    code = "import importlib.metadata as m; print(m.version('chemprop'))"
    done = subprocess.run(  # noqa: S603 - the interpreter beside the program
        [str(python), "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
