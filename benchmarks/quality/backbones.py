"""The evaluated molecules, and the backbones that are pretrained with and without what is known of them."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.quality.plan import BACKBONES, FROM_GPU, LEVER_BACKBONES, SETS, SHIPPED

from cytomol.artifact.shipped import model_place
from cytomol.errors import ConfigError
from cytomol.evaluate.sets import load_set
from cytomol.files import atomic_file

__all__ = ["corpus_folder", "evaluated_molecules", "find_backbones", "pretrain", "unseen_corpus"]

_COMMON = ("--precision", "bf16-mixed", "--threads", "1", "--seed", "0")


def corpus_folder() -> Path:
    """Return the real corpus below ``CYTOMOL_DATA``."""
    root = os.environ.get("CYTOMOL_DATA")
    if not root or not (Path(root) / "corpus").is_dir():
        raise ConfigError(
            "the corpus is needed",
            where="CYTOMOL_DATA",
            hint="set it to a folder with corpus/ and benchmarks/",
        )
    return Path(root) / "corpus"


def evaluated_molecules(work: Path, *, train_too: bool = False) -> Path:
    """Write the molecules of the valid and the test folds of all nine sets; return the file.

    Parameters
    ----------
    work
        Folder of the file.
    train_too
        Those of the train folds too, for divisions of which every molecule is in a test fold once.
    """
    path = work / ("every_molecule.csv" if train_too else "evaluated.csv")
    if path.exists():
        return path
    smiles: set[str] = set()
    for name in SETS:
        data = load_set(name)
        rows = np.ones(len(data), dtype=bool) if train_too else np.isin(data.folds, data.scored_folds)
        smiles |= {data.smiles[row] for row in np.flatnonzero(rows)}
    work.mkdir(parents=True, exist_ok=True)
    with (
        atomic_file(path, force=True) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as handle,
    ):
        csv.writer(handle, lineterminator="\n").writerows([["smiles"], *([text] for text in sorted(smiles))])
    return path


def unseen_corpus(work: Path) -> Path:
    """Write the structures of the corpus that no evaluated molecule shares; return the folder."""
    from cytomol.training.dataset.exclude import listed_blocks

    folder = work / "unseen"
    path = folder / "molecules.parquet"
    if not path.exists():
        molecules = pd.read_parquet(corpus_folder() / "molecules.parquet")
        evaluated = listed_blocks(evaluated_molecules(work))
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(path, force=True) as temporary:
            molecules[~molecules["inchikey"].str[:14].isin(evaluated)].to_parquet(temporary, index=False)
    return folder


def find_backbones(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return the model directories of named backbones that are in a folder.

    Raises
    ------
    ConfigError
        If one is absent.
    """
    found = {
        name: model_place(SHIPPED) if name == SHIPPED else folder / FROM_GPU.get(name, name) for name in names
    }
    for name, path in found.items():
        if not (path / "manifest.json").is_file():
            hint = "leave --backbones out to pretrain"
            if name in FROM_GPU:
                hint = (
                    f"pretrain it with python -m benchmarks.gpu --trainings {path.name}, and unpack it here"
                )
            raise ConfigError(f"there is no backbone {name!r}", where=str(folder), hint=hint)
    return found


def pretrain(work: Path, names: Iterable[str]) -> dict[str, Path]:
    """Pretrain the named backbones that are not there yet; a training that was cut goes on."""
    folder = work / "backbones"
    for name in names:
        out = folder / name
        if name == SHIPPED or name in FROM_GPU or (out / "manifest.json").is_file():
            continue
        corpus = unseen_corpus(work) if name == "unseen" else corpus_folder()
        options = {**BACKBONES, **LEVER_BACKBONES}[name]
        words = [str(corpus), *options, *_COMMON, "-o", str(out)]
        if name not in ("leaky", "unseen"):
            words += ["--exclude-profiles-of", str(evaluated_molecules(work))]
        folder.mkdir(parents=True, exist_ok=True)
        if out.with_name(f"{name}.partial").exists():
            words.append("--resume")
        print("$ cytomol pretrain", " ".join(words), flush=True)
        subprocess.run([sys.executable, "-m", "cytomol", "pretrain", *words], check=True)
    return find_backbones(folder, names)
