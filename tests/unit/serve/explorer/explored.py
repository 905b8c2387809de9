"""Small models for the explorer: a forest of 60 molecules, and a backbone with profiles and a tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytomol import finetune
from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.cells.tree.code_tree import fit_tree, write_tree
from cytomol.cells.tree.read_tree import read_hierarchy
from cytomol.cells.tree.tree_places import place_molecules
from cytomol.corpus import write_corpus
from cytomol.corpus.planted import generate_planted
from cytomol.methods.config import InfoAlignConfig
from cytomol.training.pretrain import pretrain

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]
MOLECULES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]


def write_forest(folder: Path) -> Path:
    """Write a predictor of a value (length) and a class (nitrogen)."""
    from cytomol.assays.labels import Task

    values = np.array([[float(len(text)), float("n" in text.lower())] for text in MOLECULES])
    tasks = (Task("length", "regression"), Task("nitrogen", "binary", ("absent", "present")))
    folds = np.array(["train", "train", "valid"] * 20)
    ids = [f"m{row}" for row in range(len(MOLECULES))]
    fitted = finetune(MOLECULES, Labels(tasks, values), folds=folds, ids=ids, learner="forest", cache=None)
    return fitted.predictor.save(folder / "forest")


def write_cells(folder: Path) -> dict[str, Path]:
    """Write an untrained backbone that imputes, its corpus, and a tree of the corpus's molecules."""
    corpus = generate_planted(200).corpus
    write_corpus(corpus, folder / "corpus")
    config = InfoAlignConfig.build({"width": 16, "layers": 2, "epochs": 0})
    made = pretrain(corpus, config, folder / "backbone", method="infoalign", quiet=True)
    backbone = Backbone.load(made.path)
    places = place_molecules(backbone, backbone.store(corpus.smiles, workers=1))
    tree = fit_tree(places, depth=3)
    (folder / "tree").mkdir()
    read_hierarchy(backbone, tree, corpus.molecules, places, corpus=corpus).write(folder / "tree", places)
    write_tree(tree, folder / "tree" / "tree", backbone)
    return {name: folder / name for name in ("corpus", "backbone", "tree")}
