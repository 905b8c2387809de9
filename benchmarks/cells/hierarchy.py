"""Trees of backbones against known classes: ``python -m benchmarks.cells.hierarchy --work DIR -o OUT``.

Every tree, the one trained with the model and one fitted to its places, is held against the planted family,
mechanism and target (the real corpus: annotated mechanisms with five molecules or more), beside k-means and
agglomerative clustering of the same places into as many nodes, k-means into the true number of classes, and
a random tree; and against a tree fitted to fingerprints alone. Rows that exist are kept: it goes on after a
cut. Trainings have the seeds that rows name; everything else is determined.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from benchmarks.cells.ground import Ground, planted_ground, real_ground
from benchmarks.cells.hierarchy_models import FINGERPRINTS, MODELS, Model, Places, classes_of, find_places
from benchmarks.cells.hierarchy_scores import (
    Estimate,
    agglomerated,
    agreement,
    closeness,
    k_means,
    random_paths,
    unit,
)
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from cytomol.cells.tree.code_tree import CodeTree, fit_tree, trained_tree
from cytomol.cells.tree.hierarchy import level_use, path_agreement
from cytomol.files import atomic_file

__all__ = ["COLUMNS", "DEPTH", "LEVEL_OF", "main", "rows_of"]

DEPTH = 6
COLUMNS = (
    "ground", "model", "seed", "tree", "of", "who", "classes", "level", "score",
    "value", "low", "high", "number",
)  # fmt: skip
LEVEL_OF = {"family": 2, "mechanism": 4, "target": 5}
"""Level at which a tree has as many nodes as there are planted classes of a kind."""

Row = dict[str, Any]


def rows_of(model: Model, ground: Ground, table: pd.DataFrame, places: Places, work: Path) -> Iterator[Row]:
    """Yield the rows of a model: of the tree that it was trained with, and of a fitted one."""
    from cytomol.artifact.backbone import load_backbone

    head = {"ground": ground.name, "model": model.name, "seed": model.seed}
    backbone = load_backbone(work / model.folder)
    trees = {"fitted": fit_tree(places.molecules, depth=DEPTH)}
    if getattr(backbone.method, "quantizer", None) is not None:
        trees["trained"] = trained_tree(backbone)
    seen = {"molecules": (places.molecules, table)}
    if places.profiles is not None:
        own = table.iloc[places.of_profile].assign(known=places.of_profile >= 0)
        seen["profiles"] = (places.profiles[own["known"]], own[own["known"]].reset_index(drop=True))
    for of, (rows, about) in seen.items():
        paths = {name: tree.codes(rows).path for name, tree in trees.items()}
        yield from ({**head, "of": of, **row} for row in _scores(rows, about, paths))
        for name, tree in trees.items():
            np.savez(_paths_file(work, model, name, of), path=paths[name])
            yield from ({**head, "tree": name, "of": of, **row} for row in _use(tree, rows))
    if places.profiles is not None:
        for name, tree in trees.items():
            one = tree.codes(places.profiles).path[places.of_profile >= 0]
            other = tree.codes(places.molecules).path[places.of_profile[places.of_profile >= 0]]
            for line in path_agreement("profiles", one, other).itertuples():
                both = {"same node": line.same, "same node by chance": line.chance}
                for score, value in both.items():
                    row = {"tree": name, "of": "both", "level": line.level, "score": score, "value": value}
                    yield {**head, **row, "number": line.profiles}


def _scores(
    rows: NDArray[np.float32], about: pd.DataFrame, paths: dict[str, NDArray[np.int64]]
) -> Iterator[Row]:
    """Yield agreement with the classes, of trees and rivals, and closeness."""
    rows = unit(rows)
    kinds = [kind for kind in ("family", "mechanism", "target") if kind in about]
    levels = range(1, DEPTH + 1)
    rivals = {level: {"k-means": k_means(rows, 2**level)} for level in levels}
    labelled = np.flatnonzero((about[kinds] >= 0).any(axis=1))
    joined = agglomerated(rows[labelled], [2**level for level in levels])
    for level, rival in rivals.items():
        rival["agglomerative"] = np.full(len(rows), -1)
        rival["agglomerative"][labelled] = joined[level - 1]
        rival["random"] = random_paths(len(rows), DEPTH)[:, level - 1]
    for kind in kinds:
        classes = about[kind].to_numpy(np.int64)
        number = len(np.unique(classes[classes >= 0]))
        true = k_means(rows, number)
        for who, chosen in (
            ("all", classes >= 0),
            ("unseen", (classes >= 0) & about["unseen"].to_numpy(bool)),
        ):
            if chosen.sum() < 20:
                continue
            said = {"who": who, "classes": kind}
            yield {**said, "tree": "k-means, true number", "score": "ami"} | _told(
                agreement(classes[chosen], true[chosen])
            )
            for level, rival in rivals.items():
                trees = {name: path[:, level - 1] for name, path in paths.items()}
                for name, nodes in {**trees, **rival}.items():
                    sure = name in trees and level == LEVEL_OF[kind]
                    found = agreement(classes[chosen], nodes[chosen], halves=20 if sure else 0)
                    told = _told(found, sure)
                    yield {**said, "tree": name, "level": level, "score": "ami"} | told
            for name, path in {**paths, "random": random_paths(len(rows), DEPTH)}.items():
                for score, found in closeness(path[chosen], classes[chosen]).items():
                    yield {**said, "tree": name, "score": score} | _told(found)


def _use(tree: CodeTree, rows: NDArray[np.float32]) -> Iterator[Row]:
    for line in level_use(tree, tree.codes(rows), "").itertuples():
        values = {"dead share": line.dead_share, "perplexity": line.perplexity, "largest": line.largest}
        for score, value in values.items():
            yield {"level": line.level, "score": score, "value": value, "number": len(rows)}


def _told(found: Estimate, interval: bool = True) -> Row:
    row: Row = {"value": found.value, "number": found.number}
    return {**row, "low": found.low, "high": found.high} if interval else row


def fingerprint_rows(ground: Ground, table: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of a tree that is fitted to Morgan fingerprints, and knows no cell."""
    from cytomol.chem.featurize import FeatureOptions, featurize
    from cytomol.chem.store import MoleculeStore

    options = FeatureOptions(graph=False, morgan_bits=2048, maccs=False)
    store: MoleculeStore = featurize(table["smiles"].tolist(), options, workers=1)
    packed = np.asarray(store.blocks["morgan"])
    bits = np.unpackbits(packed, axis=1, count=2048, bitorder="little").astype(np.float32)
    tree = fit_tree(bits, depth=DEPTH)
    head = {"ground": ground.name, "model": FINGERPRINTS, "seed": 0, "of": "molecules"}
    yield from ({**head, **row} for row in _scores(bits, table, {"fitted": tree.codes(bits).path}))


def stability_rows(work: Path) -> Iterator[Row]:
    """Yield how far the paths of two seeds agree, for all pairs of seeds of a model."""
    for name in dict.fromkeys(model.name for model in MODELS):
        seeds = [model for model in MODELS if model.name == name and model.ground == "planted"]
        for form, of in ((form, of) for form in ("trained", "fitted") for of in ("molecules", "profiles")):
            files = [(model, _paths_file(work, model, form, of)) for model in seeds]
            there = [(model, np.load(path)["path"]) for model, path in files if path.exists()]
            for (one, first), (other, second) in combinations(there, 2):
                for level in range(DEPTH):
                    yield {
                        "ground": "planted-0", "model": name, "seed": f"{one.seed} and {other.seed}",
                        "tree": form, "of": of, "level": level + 1, "score": "stability",
                        "value": adjusted_mutual_info_score(first[:, level], second[:, level]),
                        "number": len(first),
                    }  # fmt: skip


def _paths_file(work: Path, model: Model, form: str, of: str) -> Path:
    return work / "hierarchy" / "places" / f"{Path(model.folder).name}-{form}-{of}.npz"


def main(arguments: list[str] | None = None) -> int:
    """Write the rows; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--work", type=Path, required=True, help="where corpora and backbones lie")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the rows, CSV")
    parser.add_argument("--present", action="store_true", help="train nothing: only backbones that are there")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = pd.read_csv(chosen.out) if chosen.out.exists() else pd.DataFrame(columns=list(COLUMNS))
    rows = rows[rows["score"] != "stability"]
    grounds = {"planted": planted_ground(chosen.work), "real": real_ground(chosen.work)}
    tables = {name: classes_of(ground) for name, ground in grounds.items()}
    for model in MODELS:
        ground = grounds[model.ground]
        done = (rows["ground"] == ground.name) & (rows["model"] == model.name)
        if (done & (rows["seed"].astype(str) == str(model.seed))).any():
            continue
        if chosen.present and not (chosen.work / model.folder).exists():
            print(f"absent: {model.folder}")
            continue
        places = find_places(model, ground, chosen.work, tables[model.ground])
        rows = _add(rows, list(rows_of(model, ground, tables[model.ground], places, chosen.work)), chosen.out)
        print(f"{ground.name}, {model.name}, seed {model.seed}", flush=True)
    for name, ground in grounds.items():
        if not ((rows["ground"] == ground.name) & (rows["model"] == FINGERPRINTS)).any():
            rows = _add(rows, list(fingerprint_rows(ground, tables[name])), chosen.out)
    _add(rows, list(stability_rows(chosen.work)), chosen.out)
    return 0


def _add(rows: pd.DataFrame, more: list[Row], path: Path) -> pd.DataFrame:
    """Write the rows with some more; return them."""
    parts = [part for part in (rows, pd.DataFrame(more, columns=list(COLUMNS))) if len(part)]
    together = pd.concat(parts, ignore_index=True) if parts else rows
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        together.to_csv(temporary, index=False, lineterminator="\n", float_format="%.4f")
    return together


if __name__ == "__main__":
    sys.exit(main())
