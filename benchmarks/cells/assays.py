"""Measured profiles at use: ``python -m benchmarks.cells.assays --work DIR -o OUT``, resumable.

Assays of Cell Painting compounds (and the molecules of three benchmark sets that have profiles) are
predicted for scaffolds that were left out, from structure alone, profiles alone, their norm alone, and from
all together as ``cytomol finetune --profiles`` does. Division 0 is the one on which the learner was drawn up;
figures are of the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.cells.ground import FOLDS, REAL_MODALITY, scaffold_folds
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from cytomol.files import atomic_file

__all__ = ["COLUMNS", "FEWEST", "SETS", "SOURCES", "Table", "main", "table_of"]

SETS = ("assays111", "chembl2k", "broad6k", "toxcast")
FEWEST = 10  # of each class among the molecules with a profile
SINGLE = ("structure", "profiles", "norm")
SOURCES = (*SINGLE, "chosen", "rank_mean", "joint", "fused")
COLUMNS = ("set", "learner", "division", "task", "labels", "actives", *SOURCES)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """Molecules, their labels and their profiles.

    Attributes
    ----------
    smiles
        One a connectivity.
    labels
        0 and 1, NaN where not measured, shape (n, tasks).
    tasks
        Names of the tasks.
    profiles
        Median profile of the connectivity, NaN where there is none, shape (n, width).
    """

    smiles: list[str]
    labels: Floats
    tasks: list[str]
    profiles: NDArray[np.float32]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which molecules have a profile."""
        return np.asarray(~np.isnan(self.profiles).all(axis=1))


def table_of(name: str) -> Table:
    """Read the molecules of a set that have a profile, below ``CYTOMOL_DATA``.

    Tasks with too few of a class are left out.
    """
    from cytomol.assays.same_molecule import molecule_key

    root = Path(os.environ["CYTOMOL_DATA"])
    profiles, smiles_of = _profiles(root)
    if name == "assays111":
        long = pd.read_parquet(root / "cell" / "assay_labels_209.parquet")
        long["key"] = long["inchikey"].str[:14]
        long = long[long["key"].isin(profiles.index)]
        by_key = long.groupby(["key", "chembl_assay_id"])["active"]
        enough = by_key.first().unstack()  # noqa: PD010 - no aggregation
        enough = enough.columns[((enough == 1).sum() >= FEWEST) & ((enough == 0).sum() >= FEWEST)]
        wide = by_key.median().unstack()[enough]  # noqa: PD010 - no aggregation
        wide = wide.where(wide != 0.5)  # stereoisomers that disagree
        wide = wide[wide.notna().any(axis=1)]
        smiles = smiles_of.reindex(wide.index).tolist()
        own = profiles.reindex(wide.index).to_numpy(np.float32)
        return Table(smiles, wide.to_numpy(float), [str(task) for task in enough], own)
    frame = pd.read_csv(root / "benchmarks" / name / "assays.csv.gz")
    keys = frame["smiles"].map(molecule_key)
    frame = frame[keys.isin(profiles.index) & ~keys.duplicated()]
    own = profiles.reindex(keys[frame.index]).to_numpy(np.float32)
    labels = frame.drop(columns="smiles").astype(float)
    enough = ((labels == 1).sum() >= FEWEST) & ((labels == 0).sum() >= FEWEST)
    labels = labels.loc[:, enough]
    return Table(frame["smiles"].tolist(), labels.to_numpy(), list(labels.columns), own)


def _profiles(root: Path) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return the median profile and the SMILES of each connectivity."""
    molecules = pd.read_parquet(root / "corpus" / "molecules.parquet").set_index("mol_id")
    table = pd.read_parquet(root / "corpus" / "modalities" / f"{REAL_MODALITY}.parquet")
    keys = molecules["inchikey"].reindex(table["mol_id"]).str[:14].to_numpy()
    smiles = molecules["smiles"].reindex(table["mol_id"]).groupby(keys).first()
    return table.drop(columns="mol_id").groupby(keys).median(), smiles


def _learner(name: str) -> Any:
    """Return a learner of structures with profiles beside it."""
    from cytomol.learners.cell_kernel import CellKernel
    from cytomol.learners.forest import Forest
    from cytomol.learners.with_profiles import WithProfiles

    structure = CellKernel((), ("structure",)) if name == "kernel" else Forest(trees=100)
    return WithProfiles(structure, name, ("profile:cell",))


def answers(
    table: Table, blocks: dict[str, NDArray[np.float32]], fold: NDArray[np.int64], number: int, learner: str
) -> dict[str, Floats]:
    """Answer the molecules of one fold; weights and the choice of a source are made on the next one.

    Returns
    -------
    dict
        By source, ranks within the molecules with a profile of the fold, shape (molecules, tasks).
    """
    from cytomol.learners import Learning

    test, valid = fold == number, fold == (number + 1) % FOLDS
    labels = np.where(test[:, None], np.nan, table.labels)
    learning = Learning(labels, ~test & ~valid, valid, "classification", "roc_auc")
    model = _learner(learner)
    model.fit(blocks, learning)
    held_rows = np.flatnonzero(valid & table.measured)
    held = {name: block[held_rows] for name, block in blocks.items()}
    on_valid = model.alone(held) | {"norm": _norms(table)[held_rows, None].repeat(len(table.tasks), axis=1)}
    choice = np.argmax([_aucs(table.labels[held_rows], on_valid[name]) for name in SINGLE], axis=0)
    everything = Learning(labels, ~test, np.zeros_like(test), "classification", "roc_auc")
    model = model.refit(blocks, everything)
    rows = np.flatnonzero(test & table.measured)
    asked = {name: block[rows] for name, block in blocks.items()}
    found = model.alone(asked)
    found["norm"] = _norms(table)[rows, None].repeat(len(table.tasks), axis=1)
    found["joint"] = model.kernels["joint"].predict(asked)
    found["fused"] = model.predict(asked)
    ranked = {name: rankdata(each, axis=0) / len(rows) for name, each in found.items()}
    ranked["rank_mean"] = (ranked["structure"] + ranked["profiles"]) / 2
    singles = np.stack([ranked[name] for name in SINGLE])
    ranked["chosen"] = np.take_along_axis(singles, choice[None, None, :].repeat(len(rows), axis=1), 0)[0]
    return ranked


def _norms(table: Table) -> Floats:
    """Return the length of each profile from the median one, in units of each feature's spread."""
    own = table.profiles[table.measured].astype(float)
    scaled = (table.profiles - np.median(own, axis=0)) / own.std(axis=0)
    return np.asarray(np.sqrt((scaled.astype(float) ** 2).sum(axis=1)))


def _aucs(labels: Floats, scores: Floats) -> Floats:
    """Return the ROC-AUC of each task; one half where it has one class."""
    found = np.full(labels.shape[1], 0.5)
    for task in range(labels.shape[1]):
        known = ~np.isnan(labels[:, task]) & ~np.isnan(scores[:, task])
        if len(np.unique(labels[known, task])) == 2:
            found[task] = roc_auc_score(labels[known, task], scores[known, task])
    return found


def blocks_of(table: Table) -> dict[str, NDArray[np.float32]]:
    """Return what learners read."""
    from cytomol.predict.molecule_features import MoleculeFeatures

    features = MoleculeFeatures.build(("counts", "maccs", "descriptors"), None)
    blocks = features.raw(features.store(table.smiles, workers=1))
    return blocks | {"profile:cell": table.profiles}


def divide(table: Table, division: int) -> NDArray[np.int64]:
    """Return the fold of each molecule: whole scaffolds."""
    from cytomol.chem.scaffolds import murcko_scaffold

    return scaffold_folds([murcko_scaffold(text) for text in table.smiles], FOLDS, division)


def _run(name: str, learner: str, division: int, work: Path) -> pd.DataFrame:
    """Return the rows of one division; finished folds are kept below ``work``."""
    table = table_of(name)
    fold = divide(table, division)
    blocks: dict[str, NDArray[np.float32]] = {}
    pooled = {source: np.full(table.labels.shape, np.nan) for source in SOURCES}
    for number in range(FOLDS):
        kept = work / f"assays-{name}-{learner}-{division}-{number}.npz"
        if not kept.exists():
            blocks = blocks or blocks_of(table)
            with atomic_file(kept) as temporary, temporary.open("wb") as file:
                np.savez(file, **answers(table, blocks, fold, number, learner))
            print(f"{name} {learner} division {division}: fold {number + 1} of {FOLDS}", flush=True)
        with np.load(kept) as saved:
            for source in SOURCES:
                pooled[source][(fold == number) & table.measured] = saved[source]
    labels = np.where(table.measured[:, None], table.labels, np.nan)
    rows = pd.DataFrame({"set": name, "learner": learner, "division": division, "task": table.tasks})
    rows["labels"], rows["actives"] = (~np.isnan(labels)).sum(axis=0), (labels == 1).sum(axis=0)
    for source in SOURCES:
        rows[source] = _aucs(labels, pooled[source]).round(4)
    return rows[list(COLUMNS)]


def main(arguments: list[str] | None = None) -> int:
    """Score set by set and division by division; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.assays", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build") / "cells")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("benchmarks") / "results" / "cells" / "assays.csv"
    )
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--learners", default="kernel", help="of structures: kernel or forest")
    parser.add_argument("--divisions", default="1,2", help="seeds of the division by scaffold")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    for learner in options.learners.split(","):
        for division in map(int, options.divisions.split(",")):
            for name in options.sets.split(","):
                _add(options.out, _run(name, learner, division, options.work))
    return 0


def _add(out: Path, rows: pd.DataFrame) -> None:
    """Put rows into the table, in place of earlier ones of the same division."""
    key = ["set", "learner", "division"]
    if out.exists():
        before = pd.read_csv(out, dtype={"task": str})
        same = before[key].astype(str).agg("/".join, axis=1) == "/".join(map(str, rows.iloc[0][key]))
        rows = pd.concat([before[~same], rows])
    rows = rows.sort_values(key, kind="stable")
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out, force=True) as temporary:
        rows.to_csv(temporary, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
