"""The corpora of the experiment: what each is made of, who is left out, and who has to find a profile."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from benchmarks.fidelity.matching import held_out_folds
from benchmarks.quality.backbones import corpus_folder, evaluated_molecules
from benchmarks.quality.planted import run_cytomol

from cytomol.evaluate.sets import load_set
from cytomol.files import atomic_file

__all__ = ["Ground", "planted_ground", "real_ground"]

_SHARE = 0.2
_REAL_SETS = ("chembl2k", "broad6k", "biogenadme")
_REAL_MODALITY = "morphology_cdrp_pc50"
_BIOACTIVE_SOURCES = ("cdrp", "bbbc022")


@dataclass(frozen=True)
class Ground:
    """A corpus with its files.

    Attributes
    ----------
    name, seed
        "planted" or "real", and the seed of a planted corpus.
    corpus
        Folder of the corpus.
    excluded
        File with the connectivity of all molecules whose profiles and relations are left out: those that the
        downstream sets score, and those that have to find their profile.
    matching
        Table of the molecules that have to find their profile: ``smiles``, ``profile`` (row of the modality's
        table), ``fold``, ``bioactive``.
    modality
        Whose profiles these are.
    sets
        Downstream sets: names of published ones; none for a planted corpus, which has its own.
    """

    name: str
    seed: int
    corpus: str
    excluded: str
    matching: str
    modality: str
    sets: tuple[str, ...] = ()

    def as_table(self) -> dict[str, Any]:
        """Return the attributes, as JSON holds them."""
        return asdict(self)

    @classmethod
    def of_table(cls, table: dict[str, Any]) -> Self:
        """Return the ground that :meth:`as_table` described."""
        return cls(**{**table, "sets": tuple(table["sets"])})


def planted_ground(work: Path, seed: int, size: int) -> Ground:
    """Plant a corpus, where that was not done; valid and test molecules of its assays are left out."""
    folder = work / f"planted-{size}-{seed}"
    corpus = folder / "corpus"
    if not corpus.exists():
        run_cytomol("corpus", "planted", "-o", corpus, "--size", size, "--seed", seed)
    ground = Ground("planted", seed, str(corpus), modality="morphology", **_files(folder))
    if not Path(ground.excluded).exists():
        data = load_set(corpus / "assays.csv", split_file=corpus / "split.csv")
        scored = np.flatnonzero(np.isin(data.folds, data.scored_folds))
        _write(pd.DataFrame({"smiles": [data.smiles[row] for row in scored]}), folder / "scored.csv")
        _hold_out(ground, folder / "scored.csv", bioactive=())
    return ground


def real_ground(work: Path) -> Ground:
    """Return the real corpus below ``CYTOMOL_DATA``; molecules that any of nine sets scores are left out."""
    folder = work / "real"
    files = _files(folder)
    ground = Ground("real", 0, str(corpus_folder()), modality=_REAL_MODALITY, sets=_REAL_SETS, **files)
    if not Path(ground.excluded).exists():
        root = Path(os.environ["CYTOMOL_DATA"])
        known = pd.read_parquet(root / "cell" / "mechanisms.parquet")
        keys = known.loc[known["source"].isin(_BIOACTIVE_SOURCES), "inchikey"].dropna()
        _hold_out(ground, evaluated_molecules(folder), bioactive=keys.str[:14])
    return ground


def _files(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return {name: str(folder / f"{name}.csv") for name in ("excluded", "matching")}


def _hold_out(ground: Ground, scored: Path, bioactive: Iterable[str]) -> None:
    """Write who has to find a profile, one candidate a connectivity, then who is left out."""
    from cytomol.chem.scaffolds import murcko_scaffold
    from cytomol.corpus import read_corpus
    from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks

    corpus = read_corpus(ground.corpus)
    blocks, modality = np.array(connectivity_blocks(corpus)), corpus.modalities[ground.modality]
    of_profile = blocks[modality.rows]
    _, first = np.unique(of_profile, return_index=True)
    first = np.sort(first[of_profile[first] != ""])
    smiles = [corpus.smiles[row] for row in modality.rows[first]]
    folds = held_out_folds([murcko_scaffold(text) for text in smiles], _SHARE, ground.seed)
    table = pd.DataFrame(
        {
            "smiles": smiles,
            "profile": first,
            "fold": folds,
            "inchikey": of_profile[first],
            "bioactive": np.isin(of_profile[first], list(bioactive)),
        }
    )
    held = table[table["fold"] != ""]
    _write(held, Path(ground.matching))
    left_out = sorted(listed_blocks(scored) | set(held["inchikey"]))
    _write(pd.DataFrame({"inchikey": left_out}), Path(ground.excluded))


def _write(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
