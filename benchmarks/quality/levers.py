"""What each lever does on the valid folds: ``python -m benchmarks.quality.levers``, resumable.

Nothing of a test fold is read. A lever is set against the same model without it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.quality.backbones import corpus_folder, evaluated_molecules, find_backbones, pretrain
from benchmarks.quality.lever_heads import ByRange, Imputed, Snapshots, summed_and_averaged
from benchmarks.quality.lever_models import Annotated, annotated_neighbours, correlations, solve_tasks
from benchmarks.quality.plan import FROM_GPU, LEVER_BACKBONES, SETS, SHIPPED, STRUCTURE_75
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.assays.metrics import score_tasks
from cytomol.errors import CytomolError
from cytomol.evaluate.sets import BenchmarkSet, load_set
from cytomol.files import atomic_file
from cytomol.learners.base import Learner, Learning, Matrix
from cytomol.learners.boosting import Boosting
from cytomol.learners.kernel import Kernel
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.tanimoto import counts_of
from cytomol.predict.config import SCORED_ALONE, FinetuneConfig
from cytomol.predict.finetune import finetune
from cytomol.predict.molecule_features import MoleculeFeatures

__all__ = ["COLUMNS", "LEVERS", "Lever", "Material", "main"]

COLUMNS = ("set", "lever", "against", "seed", "metric", "score", "seconds")
_ROOT = Path(__file__).resolve().parents[2]
_PLAIN = ("counts", "maccs", "descriptors")
_WITH = ("embedding", *_PLAIN)


@dataclass
class Material:
    """The training and valid rows of a set.

    Attributes
    ----------
    data
        The set.
    backbones, work
        Folders of the backbones, and of files outside git.
    """

    data: BenchmarkSet
    backbones: Path
    work: Path
    _embeddings: dict[str, Matrix] = field(default_factory=dict)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Valid molecules of both folds."""
        return np.flatnonzero(self._store.valid & np.isin(self.data.folds, ("train", "valid")))

    @cached_property
    def smiles(self) -> list[str]:
        """Their SMILES."""
        return [self.data.smiles[row] for row in self.rows]

    @cached_property
    def learning(self) -> Learning:
        """Labels and folds."""
        folds, labels = self.data.folds[self.rows], self.data.labels
        return Learning(
            labels.matrix[self.rows], folds == "train", folds == "valid", labels.kind, labels.metric, 0, 1
        )

    @cached_property
    def _store(self) -> Any:
        return MoleculeFeatures.build(_PLAIN, None).store(self.data.smiles)

    @cached_property
    def plain(self) -> dict[str, Matrix]:
        """Fingerprints and descriptors."""
        return MoleculeFeatures.build(_PLAIN, None).raw(self._store.take(self.rows))

    def pooled(self, name: str) -> dict[str, Matrix]:
        """Return those and, in the place of an embedding, the sum and the mean of a backbone's atoms."""
        key = f"{name}, pooled"
        if key not in self._embeddings:
            backbone = Backbone.load(find_backbones(self.backbones, [name])[name])
            self._embeddings[key] = summed_and_averaged(backbone, self.smiles)
        return {**self.plain, "embedding": self._embeddings[key]}

    def embedded(self, name: str) -> dict[str, Matrix]:
        """Return those and the embedding of a backbone."""
        if name not in self._embeddings:
            backbone = Backbone.load(find_backbones(self.backbones, [name])[name])
            self._embeddings[name] = backbone.embed(self.smiles)[0]
        return {**self.plain, "embedding": self._embeddings[name]}

    @cached_property
    def annotated(self) -> dict[str, Matrix]:
        """Fingerprints, descriptors and, in the place of an embedding, annotations of neighbours."""
        evaluated = pd.read_csv(evaluated_molecules(self.work))["smiles"].tolist()
        known = Annotated.read(corpus_folder(), evaluated)
        near = annotated_neighbours(self.smiles, counts_of(self.plain["counts"]), known)
        return {**self.plain, "embedding": near}


Answer = Callable[[Material, int], NDArray[np.float64]]


@dataclass(frozen=True)
class Lever:
    """One change.

    Attributes
    ----------
    name, against
        What it is, and the lever that it is set against ("" for a model as it is).
    answer
        Learns with a seed and predicts the valid rows, shape (valid, tasks).
    random
        Whether seeds differ.
    classes
        Whether it changes the learning of classes alone.
    needs
        Name of a backbone that is not pretrained here; without it the lever is left out.
    """

    name: str
    against: str
    answer: Answer
    random: bool = True
    classes: bool = False
    needs: str = ""


def _model(
    make: Callable[[], Learner],
    blocks: Callable[[Material], Mapping[str, Matrix]],
    material: Material,
    seed: int,
) -> NDArray[np.float64]:
    table, learning = blocks(material), replace(material.learning, seed=seed)
    model = make()
    model.fit(table, learning)
    return model.predict({name: block[learning.valid] for name, block in table.items()})


def _plain(material: Material) -> Mapping[str, Matrix]:
    return material.plain


def _annotated(material: Material) -> Mapping[str, Matrix]:
    return material.annotated


def _embedded(name: str) -> Callable[[Material], Mapping[str, Matrix]]:
    return lambda material: material.embedded(name)


def _pooled(material: Material) -> Mapping[str, Matrix]:
    return material.pooled("cell")


def _perceptron(
    blocks: tuple[str, ...] = _PLAIN, kind: type[Perceptron] = Perceptron, **options: Any
) -> Callable[[], Learner]:
    return partial(kind, blocks, {"ensemble": 1, **options})


def _unfrozen(material: Material, seed: int) -> NDArray[np.float64]:
    """Train backbone and perceptron together; the best epoch is chosen on the valid fold that scores it."""
    config = FinetuneConfig(
        features="+".join(_WITH),
        unfreeze="all",
        backbone_lr=1e-4,
        lr=1e-3,
        hidden=600,
        hidden_layers=2,
        batch_size=128,
        epochs=15,
        patience=0,
        seed=seed,
        threads=1,
        **SCORED_ALONE,
    )
    learning, labels = material.learning, material.data.labels.take(material.rows)
    folds = np.where(learning.train, "train", "valid")
    backbone = find_backbones(material.backbones, ["cell"])["cell"]
    result = finetune(material.smiles, labels, config, backbone=backbone, folds=folds)
    held = [text for text, valid in zip(material.smiles, learning.valid, strict=True) if valid]
    return result.predictor.predict(held).values  # noqa: PD011 - no pandas


def _tasks_together(material: Material, seed: int) -> NDArray[np.float64]:
    """Give the Gaussian process the correlation of tasks, its share and noise as the single tasks chose."""
    learning = replace(material.learning, seed=seed)
    single = Kernel(most_rows=len(learning.labels))
    single.fit(material.plain, learning)
    labels = learning.labels[learning.train]
    mean, spread = np.nanmean(labels, axis=0), np.nanstd(labels, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    tasks = 0.3 * np.eye(labels.shape[1]) + 0.7 * correlations(labels)
    assert single.scaler is not None
    held = {name: block[learning.valid] for name, block in material.plain.items()}
    inner = single.covariance(single.counts, single.descriptors).astype(np.float64)
    outer = single.covariance(counts_of(held["counts"]), single.scaler.transform(held["descriptors"]))
    weights = solve_tasks(inner, tasks, (labels - mean) / spread, single.noise)
    answer = outer.astype(np.float64) @ weights @ tasks * spread + mean
    return np.clip(answer, 1e-3, 1 - 1e-3) if learning.kind == "classification" else answer


_ONE = "one perceptron"
LEVERS = (
    Lever(_ONE, "", partial(_model, _perceptron(), _plain)),
    Lever("one hidden layer", _ONE, partial(_model, _perceptron(hidden_layers=1), _plain)),
    Lever("40 epochs", _ONE, partial(_model, _perceptron(epochs=40), _plain)),
    Lever("constant rate", _ONE, partial(_model, _perceptron(schedule="constant", lr=1e-3), _plain)),
    Lever("dropout 0.2", _ONE, partial(_model, _perceptron(dropout=0.2), _plain)),
    Lever(
        "label smoothing 0.1", _ONE, partial(_model, _perceptron(label_smoothing=0.1), _plain), classes=True
    ),
    Lever("focal loss 2", _ONE, partial(_model, _perceptron(focal_gamma=2.0), _plain), classes=True),
    Lever("weights averaged", _ONE, partial(_model, _perceptron(keep="average"), _plain)),
    Lever("descriptors by range", _ONE, partial(_model, _perceptron(kind=ByRange), _plain)),
    Lever("missing labels imputed", _ONE, partial(_model, _perceptron(kind=Imputed), _plain)),
    Lever("five snapshots", _ONE, partial(_model, _perceptron(kind=Snapshots, epochs=8), _plain)),
    Lever("five heads", _ONE, partial(_model, _perceptron(ensemble=5), _plain)),
    Lever("embedding, structure", _ONE, partial(_model, _perceptron(_WITH), _embedded("structure"))),
    Lever(
        "embedding, structure, no descriptors as targets",
        "embedding, structure",
        partial(_model, _perceptron(_WITH), _embedded("fingerprints")),
    ),
    Lever(
        "embedding, structure, evaluated molecules unseen",
        "embedding, structure",
        partial(_model, _perceptron(_WITH), _embedded("unseen")),
    ),
    Lever("embedding, the one shipped", _ONE, partial(_model, _perceptron(_WITH), _embedded(SHIPPED))),
    Lever(
        "embedding, structure, 75 epochs on a GPU",
        "embedding, structure",
        partial(_model, _perceptron(_WITH), _embedded(STRUCTURE_75)),
        needs=STRUCTURE_75,
    ),
    Lever("embedding, cell", _ONE, partial(_model, _perceptron(_WITH), _embedded("cell"))),
    Lever(
        "embedding, atoms summed and averaged",
        "embedding, cell",
        partial(_model, _perceptron(_WITH), _pooled),
    ),
    Lever("embedding trained along", "embedding, cell", _unfrozen),
    Lever("annotated neighbours", _ONE, partial(_model, _perceptron(_WITH), _annotated)),
    Lever("boosting", "", partial(_model, Boosting, _plain)),
    Lever("boosting, embedding", "boosting", partial(_model, partial(Boosting, _WITH), _embedded("cell"))),
    Lever(
        "boosting, annotated neighbours", "boosting", partial(_model, partial(Boosting, _WITH), _annotated)
    ),
    Lever("Gaussian process", "", partial(_model, Kernel, _plain), random=False),
    Lever("Gaussian process, tasks together", "Gaussian process", _tasks_together, random=False),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure what has no row yet; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.levers", description=__doc__)
    default = ("chembl2k", "biogenadme", "sider")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=default, metavar="SET")
    parser.add_argument("--seeds", type=int, default=2, help="seeds (2)")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    parser.add_argument("--backbones", type=Path, help="folder with the backbones, else they are pretrained")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    options = parser.parse_args(arguments)
    path = options.out / "levers.csv"
    try:
        if options.backbones is None:
            pretrain(options.work, ("cell", "structure", *LEVER_BACKBONES))
        for name in options.sets:
            material = Material(load_set(name), options.backbones or options.work / "backbones", options.work)
            for lever in LEVERS:
                if lever.classes and material.learning.kind != "classification":
                    continue
                if lever.needs and not (material.backbones / FROM_GPU[lever.needs]).is_dir():
                    print(f"{lever.name}: left out, {material.backbones} has no {FROM_GPU[lever.needs]}")
                    continue
                for seed in range(options.seeds if lever.random else 1):
                    _measure(path, material, lever, seed)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _measure(path: Path, material: Material, lever: Lever, seed: int) -> None:
    table = pd.read_csv(path, keep_default_na=False) if path.exists() else pd.DataFrame(columns=list(COLUMNS))
    name = material.data.name
    if ((table["set"] == name) & (table["lever"] == lever.name) & (table["seed"] == seed)).any():
        return
    began = time.perf_counter()
    predicted, learning = lever.answer(material, seed), material.learning
    score, _ = score_tasks(learning.labels[learning.valid], predicted, learning.metric)
    seconds = round(time.perf_counter() - began, 1)
    row = (name, lever.name, lever.against, seed, learning.metric, round(score, 6), seconds)
    print(*row, flush=True)
    table.loc[len(table)] = list(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
