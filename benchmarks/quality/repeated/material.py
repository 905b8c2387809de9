"""The molecules of a set with their features, labels and blocks: made once, read by every fold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from benchmarks.quality.repeated.folds import blocks_of, inner_valid, outer_folds
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.chem.encoders import encode_molecules, encoders
from cytomol.chem.store import MoleculeStore
from cytomol.errors import CytomolError
from cytomol.evaluate.sets import BenchmarkSet, load_set
from cytomol.files import atomic_file
from cytomol.learners.base import Matrix
from cytomol.learners.blocks import ENCODED
from cytomol.predict.molecule_features import MoleculeFeatures

__all__ = ["ENCODER", "Division", "Material", "make_material", "make_vectors", "read_material"]

ENCODER = "minimol"
"""The encoder whose vectors the recipe is tried with."""

_PLAIN = ("counts", "maccs", "descriptors")


@dataclass(frozen=True)
class Division:
    """Which rows are learnt from, chosen by and tested, bool, shape (n,) each."""

    train: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    test: NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """The valid molecules of a set.

    Attributes
    ----------
    name, kind, metric
        The set, "classification" or "regression", and the metric that counts.
    labels
        NaN where not measured, shape (n, tasks).
    blocks
        Unscaled features by name, float32, shape (n, width) each.
    groups
        Block of every row, which no fold divides, int64, shape (n,).
    """

    name: str
    kind: str
    metric: str
    labels: NDArray[np.float64]
    blocks: dict[str, Matrix]
    groups: NDArray[np.int64]

    def division(self, repeat: int, fold: int, folds: int) -> Division:
        """Return the rows of a fold of a repeat: outer test rows, and of the others about an eighth valid."""
        tested = outer_folds(self.groups, self.labels, self.kind, folds=folds, repeat=repeat)
        test = tested == fold
        valid = inner_valid(self.groups, self.labels, self.kind, ~test, repeat=repeat, fold=fold)
        return Division(~test & ~valid, valid, test)


def _path(work: Path, name: str, backbone: Backbone) -> Path:
    return work / backbone.digest[:8] / name / "material.npz"


def make_material(work: Path, name: str, backbone: Backbone) -> Path:
    """Featurize and embed the molecules of a set; return the file, which is made once."""
    path = _path(work, name, backbone)
    if path.exists():
        return path
    data = load_set(name)
    features = MoleculeFeatures.build(("embedding", *_PLAIN), backbone)
    store = features.store(data.smiles)
    rows = _rows(data, store)
    blocks = features.raw(store.take(rows))
    groups = blocks_of([data.smiles[row] for row in rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(
            handle,
            labels=data.labels.matrix[rows],
            groups=groups,
            about=np.array([name, data.labels.kind, data.metric], dtype=str),
            **{f"block.{key}": block for key, block in blocks.items()},
        )
    return path


def _rows(data: BenchmarkSet, store: MoleculeStore) -> NDArray[np.int64]:
    """Return which molecules of a set are valid and measured."""
    return np.flatnonzero(np.asarray(store.valid) & ~np.isnan(data.labels.matrix).all(axis=1))


def make_vectors(material: Path, name: str) -> Path:
    """Encode the molecules of a set by :data:`ENCODER`; return the file beside the material, made once."""
    path = material.with_name(f"{ENCODER}.npy")
    if path.exists():
        return path
    data = load_set(name)
    store = MoleculeFeatures.build(("counts",), None).store(data.smiles)
    smiles = [data.smiles[row] for row in _rows(data, store)]
    values, reasons = encode_molecules(encoders[ENCODER](), smiles, cache="default")
    failed = [reason for reason in reasons if reason]
    if failed:
        raise CytomolError(f"{len(failed)} molecules have no vector: {failed[0]}", where=name)
    with atomic_file(path, force=True) as temporary, temporary.open("wb") as handle:
        np.save(handle, values)
    return path


@lru_cache(maxsize=2)
def read_material(path: Path, *, encoded: bool = False) -> Material:
    """Read what :func:`make_material` wrote, with what :func:`make_vectors` wrote if that is asked for."""
    with np.load(path, allow_pickle=False) as arrays:
        name, kind, metric = arrays["about"].tolist()
        blocks = {key.removeprefix("block."): arrays[key] for key in arrays.files if "block." in key}
        if encoded:
            blocks[ENCODED + ENCODER] = np.load(path.with_name(f"{ENCODER}.npy"), allow_pickle=False)
        return Material(name, kind, metric, arrays["labels"], blocks, arrays["groups"])
