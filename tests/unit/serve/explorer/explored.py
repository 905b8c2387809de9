"""Small models for the explorer: a forest of 60 molecules, and a backbone with profiles and a tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.unit.cells.explained_backbones import COLUMNS, cell_backbone, save_cell_backbone

from cytomol import finetune
from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels, Task
from cytomol.cells.tree.code_tree import fit_tree, write_tree
from cytomol.cells.tree.read_tree import read_hierarchy
from cytomol.cells.tree.tree_places import place_molecules
from cytomol.corpus import read_corpus

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]
QUICK = {"learner": "forest", "calibration_folds": 0, "baselines": False}
MOLECULES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]


def write_forest(folder: Path) -> Path:
    """Write a predictor of a value (length) and a class (nitrogen)."""
    values = np.array([[float(len(text)), float("n" in text.lower())] for text in MOLECULES])
    tasks = (Task("length", "regression"), Task("nitrogen", "binary", ("absent", "present")))
    folds = np.array(["train", "train", "valid"] * 20)
    ids = [f"m{row}" for row in range(len(MOLECULES))]
    fitted = finetune(MOLECULES, Labels(tasks, values), folds=folds, ids=ids, cache=None, **QUICK)
    return fitted.predictor.save(folder / "forest")


def write_cells(folder: Path) -> dict[str, Path]:
    """Write an untrained backbone that imputes, measured profiles of 60 molecules, and a tree of these."""
    backbone = cell_backbone("infoalign")
    save_cell_backbone(backbone, folder / "backbone")
    backbone = Backbone.load(folder / "backbone")  # with the digest that the tree is bound to
    profiles = np.random.default_rng(0).normal(3, 2, (len(MOLECULES), len(COLUMNS))).round(3)
    table = pd.DataFrame(profiles, columns=list(COLUMNS))
    table.insert(0, "Metadata_SMILES", MOLECULES)
    table.insert(0, "mol_id", [f"m{row}" for row in range(len(MOLECULES))])
    table.to_csv(folder / "morphology.csv", index=False)
    corpus = read_corpus(folder / "morphology.csv")
    places = place_molecules(backbone, backbone.store(corpus.smiles, workers=1))
    tree = fit_tree(places, depth=3)
    (folder / "tree").mkdir()
    read_hierarchy(backbone, tree, corpus.molecules, places, corpus=corpus).write(folder / "tree", places)
    write_tree(tree, folder / "tree" / "tree", backbone)
    return {"corpus": folder / "morphology.csv", "backbone": folder / "backbone", "tree": folder / "tree"}
