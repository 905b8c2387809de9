"""Who has to find, or to be told, its profile: scaffold folds of the molecules of a corpus, and their strata.

``python -m benchmarks.cells.ground WORK`` writes the tables of the real and of the planted corpora.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.quality.backbones import corpus_folder
from benchmarks.quality.planted import run_cytomol
from numpy.typing import NDArray

from cytomol.files import atomic_file

__all__ = [
    "FOLDS",
    "PLANTED_SIZE",
    "REAL_MODALITY",
    "Ground",
    "planted_ground",
    "real_ground",
    "scaffold_folds",
]

FOLDS = 5
PLANTED_SIZE = 4_000
REAL_MODALITY = "morphology_cdrp_pc50"
_BIOACTIVE_SOURCES = ("cdrp", "bbbc022")


@dataclass(frozen=True)
class Ground:
    """A corpus, and a table of the molecules of one modality that can be held out.

    Attributes
    ----------
    name
        "real", or "planted-SEED".
    corpus
        Folder of the corpus.
    modality
        Whose profiles are looked for.
    folder
        Where tables and lists lie: ``candidates.csv``, ``held-out-K.csv``.

    Notes
    -----
    ``candidates.csv`` has a row for each connectivity with a profile: ``smiles``, ``inchikey`` (the
    connectivity), ``molecule`` (row in the corpus), ``profile`` (row of the modality's table: the first of
    the connectivity), ``outer`` (0 to 4: the fold in which it is held out), ``part`` ("valid" or "test"
    within that fold: choices are made on valid, test is read once), ``bioactive`` and ``active``.

    Bioactive are known drugs and tools (sources cdrp and bbbc022 of the mechanisms); on a planted corpus
    those that have a target. Active is a treatment whose replicates agree beyond the null of its data set, 1
    or 0, empty where nobody measured it; on a planted corpus the same as bioactive.
    """

    name: str
    corpus: Path
    modality: str
    folder: Path

    @property
    def candidates(self) -> pd.DataFrame:
        """The table of molecules."""
        return pd.read_csv(self.folder / "candidates.csv", keep_default_na=False, na_values={"active": [""]})

    def held_out(self, fold: int) -> Path:
        """Return the file of the connectivities that a backbone of this fold must not have seen."""
        return self.folder / f"held-out-{fold}.csv"


def real_ground(work: Path) -> Ground:
    """Return the real corpus below ``CYTOMOL_DATA``, molecules with CDRP morphology divided by scaffold."""
    ground = Ground("real", corpus_folder(), REAL_MODALITY, work / "real")
    if not (ground.folder / "candidates.csv").exists():
        root = Path(os.environ["CYTOMOL_DATA"]) / "cell"
        known = pd.read_parquet(root / "mechanisms.parquet")
        keys = known.loc[known["source"].isin(_BIOACTIVE_SOURCES), "inchikey"].dropna()
        _write_ground(ground, set(keys.str[:14]), _replicated(root), 0)
    return ground


def planted_ground(work: Path, seed: int = 0, size: int = PLANTED_SIZE) -> Ground:
    """Return a planted corpus, molecules with morphology divided by scaffold; it is planted where needed."""
    folder = work / f"planted-{size}-{seed}"
    ground = Ground(f"planted-{seed}", folder / "corpus", "morphology", folder)
    if not ground.corpus.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run_cytomol("corpus", "planted", "-o", ground.corpus, "--size", size, "--seed", seed)
    if not (folder / "candidates.csv").exists():
        truth = pd.read_parquet(ground.corpus / "truth" / "molecules.parquet")
        molecules = pd.read_parquet(ground.corpus / "molecules.parquet")
        acting = truth.set_index("mol_id")["target"].reindex(molecules["mol_id"]).to_numpy() >= 0
        keys = molecules["inchikey"].to_numpy(str)
        _write_ground(ground, {key[:14] for key in keys[acting]}, dict(zip(keys, acting, strict=True)), seed)
    return ground


def _replicated(root: Path) -> dict[str, bool]:
    """Return of each whole InChIKey of CDRP whether its replicates agree beyond the null."""
    table = pd.read_parquet(root / "replicate_correlation.parquet")
    table = table[(table["dataset"] == "CDRP_U2OS") & (table["assay"] == "cell_painting")]
    table = table.dropna(subset=["inchikey"])
    above = table["replicate_corr"] > table["null_90pct"]
    return above.groupby(table["inchikey"]).max().astype(bool).to_dict()


def scaffold_folds(scaffolds: list[str], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal whole scaffolds to folds of about equal size, the largest scaffolds first, shape (molecules,).

    A molecule without rings ("") is a scaffold of its own.
    """
    members: dict[str, list[int]] = {}
    for row, scaffold in enumerate(scaffolds):
        members.setdefault(scaffold or f"acyclic {row}", []).append(row)
    groups = list(members.values())
    order = np.random.default_rng(seed).permutation(len(groups))
    order = order[np.argsort([-len(groups[number]) for number in order], kind="stable")]
    fold, sizes = np.zeros(len(scaffolds), np.int64), np.zeros(folds, np.int64)
    for number in order:
        smallest = int(np.argmin(sizes))
        fold[groups[number]] = smallest
        sizes[smallest] += len(groups[number])
    return fold


def _write_ground(ground: Ground, bioactive: set[str], active: dict[str, bool], seed: int) -> None:
    from cytomol.chem.scaffolds import murcko_scaffold
    from cytomol.corpus import read_corpus
    from cytomol.training.dataset.exclude import connectivity_blocks

    corpus = read_corpus(ground.corpus)
    blocks, modality = np.array(connectivity_blocks(corpus)), corpus.modalities[ground.modality]
    keys = corpus.molecules["inchikey"].to_numpy(str)
    of_profile = blocks[modality.rows]
    _, first = np.unique(of_profile, return_index=True)
    first = np.sort(first[of_profile[first] != ""])
    molecule = modality.rows[first]
    smiles = [corpus.smiles[row] for row in molecule]
    scaffolds = [murcko_scaffold(text) for text in smiles]
    halves = scaffold_folds(scaffolds, 2 * FOLDS, seed)  # halves of folds, so that no scaffold is in two
    table = pd.DataFrame(
        {
            "smiles": smiles,
            "inchikey": of_profile[first],
            "molecule": molecule,
            "profile": first,
            "outer": halves // 2,
            "part": np.where(halves % 2 == 0, "valid", "test"),
            "bioactive": np.isin(of_profile[first], sorted(bioactive)),
            "active": [active.get(keys[row]) for row in molecule],
        }
    )
    table["active"] = table["active"].astype("boolean").astype("Int64")
    ground.folder.mkdir(parents=True, exist_ok=True)
    for fold in range(FOLDS):
        _write(table.loc[table["outer"] == fold, ["inchikey"]], ground.held_out(fold))
    _write(table, ground.folder / "candidates.csv")


def _write(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    real_ground(folder)
    planted_ground(folder)
